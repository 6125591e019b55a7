"""The same text makes the same notebook, anywhere, and a learner's cells stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.bench.conftest import RIGHT, SmallCourse
from workbook.bench.build import about, build_all, main, notebook, sources
from workbook.bench.merge import fingerprint
from workbook.course import course, lesson
from workbook.source import COMPARED, read

REPOSITORY = Path(__file__).resolve().parents[2]
TEXTS = [
    path
    for one in course().lessons
    for path in (one.lecture_source, one.solution_source, one.exercise_source)
    if path.exists()
]
every_text = pytest.mark.parametrize(
    "path", TEXTS, ids=lambda path: f"{path.parent.name}/{path.stem}"
)


# ---------------------------------------------------------------- the real texts


@every_text
def test_two_builds_are_the_same_to_the_byte(path):
    assert nbformat.writes(notebook(path)) == nbformat.writes(notebook(path))


def test_a_build_in_another_process_is_the_same_to_the_byte():
    code = (
        "import sys, pathlib, nbformat; from workbook.bench.build import notebook\n"
        "sys.stdout.buffer.write(nbformat.writes(notebook("
        "pathlib.Path(sys.argv[1]))).encode())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code, TEXTS[0]],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert made == {nbformat.writes(notebook(TEXTS[0])).encode()}


@every_text
def test_a_built_notebook_is_valid_and_starts_the_right_kernel(path):
    book = notebook(path)
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    assert book.metadata.kernelspec.name == "python3"
    ids = [cell.id for cell in book.cells]
    assert len(set(ids)) == len(ids)
    assert not any(c.outputs for c in book.cells if c.cell_type == "code")


@every_text
def test_a_built_notebook_has_the_cells_of_its_text(path):
    pairs = list(zip(read(path), notebook(path).cells, strict=True))
    assert all(ours.kind == cell.cell_type for ours, cell in pairs)
    assert all(ours.text == c.source for ours, c in pairs if "why" not in ours.tags)


@every_text
def test_every_built_cell_has_a_key_of_its_own_and_its_fingerprint(path):
    cells = notebook(path).cells
    keys = [about(cell)["key"] for cell in cells]
    assert len(set(keys)) == len(keys)
    assert all(about(cell)["made"] == fingerprint(cell.source) for cell in cells)


# ---------------------------------------------------------------- keys


def keys(path: Path) -> list[str]:
    return [about(cell)["key"] for cell in notebook(path).cells]


def test_a_key_is_a_name_where_the_text_gives_one(small: SmallCourse):
    assert keys(lesson(1).lecture_source) == [
        "heading-1", "heading-slopes", "rise", "slope",
    ]  # fmt: skip
    exercise = keys(lesson(1).exercise_source)
    assert exercise[2:5] == [
        "heading-derivative", "micrograd.derivative", "check:micrograd.derivative",
    ]  # fmt: skip


def test_a_code_cell_that_begins_with_a_comment_is_no_heading(small: SmallCourse):
    path = small.write("notebooks/09.py", "# %%\n# Words\n1\n")
    assert keys(path)[0].startswith("code-")


def test_the_cells_of_one_exercise_are_told_apart(small: SmallCourse):
    cell = '# %% exercise="micrograd.value"\n{}\n\n'
    path = small.write("solutions/09.py", cell.format(1) + cell.format(2))
    assert keys(path) == ["micrograd.value", "micrograd.value/2"]


def test_a_name_that_a_cell_had_goes_with_it(small: SmallCourse):
    path = small.write("notebooks/09.py", '# %% key="b" was=["a"]\n1\n')
    assert about(notebook(path).cells[0])["was"] == ["a"]


def test_every_verdict_of_a_solution_is_compared_and_none_of_an_exercise(
    small: SmallCourse,
):
    def compared(path: Path) -> list[str]:
        cells = notebook(path).cells
        return [
            about(c)["key"] for c in cells if COMPARED in c.metadata.get("tags", ())
        ]

    assert compared(lesson(1).solution_source) == [
        "check:micrograd.derivative", "check:micrograd.gradient_by_hand",
    ]  # fmt: skip
    assert compared(lesson(1).exercise_source) == []


def test_a_why_opens_at_a_click(small: SmallCourse):
    why = '# %% [markdown] tags=["why"]\n# **Why.** Since $1 < 2$.\n'
    cell = notebook(small.write("notebooks/09.py", why)).cells[0]
    assert cell.source == (
        "<details><summary><b>Why</b></summary>\n\nSince $1 < 2$.\n\n</details>"
    )


# ---------------------------------------------------------------- the command


def test_the_command_builds_what_learners_open_and_is_quiet_the_second_time(
    small: SmallCourse, capsys
):
    small.write("start.py", "# %% [markdown]\n# # Start\n")
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "built start.ipynb",
        "built notebooks/01_micrograd.ipynb",
        "built exercises/01_micrograd.ipynb",
    ]
    assert not list(small.root.glob("solutions/*.ipynb"))
    assert main([]) == 0
    assert capsys.readouterr().out == ""


def test_a_new_text_goes_around_a_learners_answer(small: SmallCourse, capsys):
    small.answer({"micrograd.derivative": RIGHT["micrograd.derivative"]})
    small.change("exercises/01_micrograd.py", "The slope of", "The steepness of")
    assert main(["01"]) == 0
    assert "updated exercises/01_micrograd.ipynb" in capsys.readouterr().out
    book = nbformat.read(lesson(1).exercise, 4)
    assert RIGHT["micrograd.derivative"] in [cell.source for cell in book.cells]
    assert any("The steepness of" in cell.source for cell in book.cells)
    assert len(list((small.root / "exercises" / ".kept").glob("*.ipynb"))) == 1


def test_a_notebook_that_cannot_be_merged_stays_and_is_counted(
    small: SmallCourse, capsys
):
    path = small.write("exercises/01_micrograd.ipynb", "{ not JSON")
    assert build_all() == 1
    assert main([]) == 1
    assert path.read_text("utf-8") == "{ not JSON"
    assert "not valid JSON" in capsys.readouterr().out


def test_one_lesson_can_be_asked_for(small: SmallCourse):
    small.write("start.py", "# %%\n1\n")
    names = [path.relative_to(small.root).as_posix() for path in sources(["01"])]
    assert names == ["notebooks/01_micrograd.py", "exercises/01_micrograd.py"]
