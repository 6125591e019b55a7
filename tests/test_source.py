"""A lesson's text is read as jupytext reads it, and each cell knows its line."""

from __future__ import annotations

import os
from pathlib import Path

import jupytext
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook.course import CourseError, lesson
from workbook.source import (
    Cell,
    SourceError,
    exercise,
    exercises,
    marker,
    read,
    unmarked,
)

REPOSITORY = Path(__file__).resolve().parents[1]
PERCENT = sorted(
    path
    for pattern in ("notebooks/*.py", "solutions/*.py", "exercises/*.py", "start.py")
    for path in REPOSITORY.glob(pattern)
)


def as_jupytext_sees(text: str) -> list[tuple[str, str, dict]]:
    cells = jupytext.reads(text, fmt="py:percent").cells
    for cell in cells:
        cell.metadata.pop("lines_to_next_cell", None)  # blank lines, for writing back
    return [(c.cell_type, c.source.rstrip("\n"), dict(c.metadata)) for c in cells]


def as_we_see(path: Path) -> list[tuple[str, str, dict]]:
    return [(cell.kind, cell.text, cell.meta) for cell in read(path)]


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))

    def put(text: str) -> Path:
        path = tmp_path / "notebooks" / "01_toy.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return put


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize("path", PERCENT, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_jupytext_sees_the_same_cells_in_every_text_of_the_course(path):
    assert as_we_see(path) == as_jupytext_sees(path.read_text("utf-8"))


@pytest.mark.parametrize("path", PERCENT, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_the_line_of_a_cell_is_that_of_its_marker(path):
    lines = path.read_text("utf-8").splitlines()
    for cell in read(path):
        assert lines[cell.line - 1].startswith("# %%")
        assert lines[cell.line].lstrip("# ") == cell.text.split("\n")[0].lstrip("# ")


CODE_LINES = st.sampled_from(
    ["x = 1", "", "    y = 2", "# a comment", "def f():", "    return 'a # b'", "é = 1"]
)
PROSE_LINES = st.sampled_from(
    ["## A heading", "", "words", "- a list", "`code`", "$x$"]
)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "key": st.text("ab.:- é", max_size=6),
        "minutes": st.integers(0, 99),
        "tags": st.lists(
            st.sampled_from(["hint", "why", "a b"]), min_size=1, unique=True
        ),
    },
)


@st.composite
def cells(draw) -> Cell:
    kind = draw(st.sampled_from(["code", "markdown"]))
    lines = draw(st.lists(CODE_LINES if kind == "code" else PROSE_LINES, max_size=6))
    text = "\n".join(["first", *lines, "last"])
    return Cell(kind, text, 1, draw(METADATA))


@settings(deadline=None)
@given(st.lists(cells(), min_size=1, max_size=4), st.integers(1, 2))
def test_what_is_written_as_percent_text_is_read_again_by_us_and_by_jupytext(
    tmp_path_factory, made, gap
):
    parts = [
        f"{marker(c)}\n" + "\n".join(_commented(c, line) for line in c.text.split("\n"))
        for c in made
    ]
    text = ("\n" * (gap + 1)).join(parts) + "\n"
    path = tmp_path_factory.mktemp("text") / "toy.py"
    path.write_text(text, "utf-8")
    assert as_we_see(path) == [(c.kind, c.text, c.meta) for c in made]
    assert as_we_see(path) == as_jupytext_sees(text)


def _commented(cell: Cell, line: str) -> str:
    return line if cell.kind == "code" else f"# {line}".rstrip()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("import math\n# %%\n1\n", 1, "text before the first `# %%`"),
        ("# ---\n# a: b\n# ---\n\nx = 1\n# %%\n", 5, "text before the first"),
        ("no cell at all\n", 1, "text before the first"),
        ("# %% [markdown]\n# A word.\n\nx = 1\n", 4, "code under a Markdown marker"),
        ("# %%\nx = 1\n#%%\ny = 2\n", 3, "a cell begins with `# %%`"),
        ("# %%\nx = 1\n  # %% \ny = 2\n", 3, "a cell begins with `# %%`"),
        ("# %%\nx = 1\n# %%time\n", 3, "a cell begins with `# %%`"),
        ("# %% tags=hint\n", 1, "unreadable after the marker: 'tags=hint'"),
        ('# %% key="a" loose\n', 1, "unreadable after the marker: 'loose'"),
        ('# %% key="open\n', 1, "unreadable after the marker"),
        ("# %% [raw]\n# x\n", 1, "unreadable after the marker: '[raw]'"),
    ],
)
def test_what_cannot_be_read_is_named_with_file_and_line(write, text, line, words):
    with pytest.raises(SourceError) as error:
        read(write(text))
    assert str(error.value).startswith(f"notebooks/01_toy.py:{line}: ")
    assert words in error.value.words


def test_a_header_of_jupytext_is_passed_over(write):
    path = write("# ---\n# jupyter:\n#   made: from x\n# ---\n\n# %%\nx = 1\n")
    assert [(c.text, c.line) for c in read(path)] == [("x = 1", 6)]


def test_an_empty_file_has_no_cells(write):
    assert read(write("")) == []


# ---------------------------------------------------------------- exercises


def test_marks_and_todos_are_not_part_of_an_answer():
    code = (
        "def f(x):\n    # TODO: add one\n    # and return it\n    ### BEGIN SOLUTION\n"
        "    # by hand\n    return x + 1\n    ### END SOLUTION"
    )
    assert unmarked(code) == "def f(x):\n    # by hand\n    return x + 1"


def test_an_exercise_has_all_that_its_text_says():
    one = exercise("micrograd.value")
    assert (one.title, one.minutes, one.difficulty) == ("value", 15, 2)
    assert one.names == ("Value",)
    assert len(one.hints) == 3 and one.why.startswith("**Why.**")
    assert "BEGIN" not in one.answer and "TODO" not in one.answer
    assert "`Value` class" in " ".join(one.concepts)
    assert one.task.startswith("A **Value** holds a number")


def test_exercises_come_in_the_order_of_the_course():
    assert tuple(exercises("micrograd")) == lesson("micrograd").exercises


def test_a_lesson_without_a_text_has_no_exercises(tmp_path, monkeypatch):
    (tmp_path / "course.toml").write_text(
        (REPOSITORY / "course.toml").read_text("utf-8")
    )
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    assert exercises("bigram") == {}
    with pytest.raises(KeyError):
        exercise("micrograd.value")
    with pytest.raises(CourseError):
        exercises("no such lesson")


def test_a_changed_text_is_read_anew(tmp_path, monkeypatch):
    (tmp_path / "course.toml").write_text(
        (REPOSITORY / "course.toml").read_text("utf-8")
    )
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    text = (
        '# %% [markdown]\n# ## {}\n\n# %% exercise="micrograd.value" minutes=1\nx = 1\n'
    )
    path = lesson(1).solution_source
    path.parent.mkdir()
    path.write_text(text.format("old"), "utf-8")
    assert exercise("micrograd.value").title == "old"
    path.write_text(text.format("new"), "utf-8")
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    assert exercise("micrograd.value").title == "new"
