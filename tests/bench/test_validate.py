"""`make check` is red for what is wrong, green for the rest, and says which."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path

import filelock
import nbformat
import pytest

from tests.bench.conftest import COURSE, RIGHT, WRONG, SmallCourse
from workbook.bench import validate
from workbook.bench.build import notebook
from workbook.bench.validate import _alone, main, prepare
from workbook.bench.watching import Watcher
from workbook.course import lesson
from workbook.source import exercises

REPOSITORY = Path(__file__).resolve().parents[2]
LECTURE, SOLUTIONS = "notebooks/01_micrograd.py", "solutions/01_micrograd.py"
BRIEF = "import workbook.bench.validate as v; v.CELL_SECONDS = 8"
OFFLINE = dict.fromkeys(
    ("http_proxy", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9"
)
MORE_LESSONS = """
[[lesson]]
number = 2
slug = "bigram"
title = "Hangs"
video = "https://example.org/video"
length = "5m"

[[lesson]]
number = 3
slug = "mlp"
title = "Dies"
video = "https://example.org/video"
length = "5m"
"""
ONE_CELL = """\
# %% [markdown]
# # A title

# %%
{}

# %%
"reached"
"""


def state(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of the course but those under build/: bytes and time of change."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file() and "build" not in path.relative_to(root).parts
    }


# ---------------------------------------------------------------- the course's own


@pytest.fixture(scope="session")
def canaries(tmp_path_factory, worker_id) -> tuple[int, str]:
    """What `make check` says of a course in which five things are wrong; asked once."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent  # by xdist's processes
    with filelock.FileLock(shared / "canaries.lock"):
        if not (shared / "canaries.json").exists():
            said = json.dumps(_canaries(shared / "canaries"))
            (shared / "canaries.json").write_text(said, "utf-8")
    return tuple(json.loads((shared / "canaries.json").read_text("utf-8")))


def _canaries(root: Path) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBOOK_ROOT", str(root))
        small = SmallCourse(root)
        small.write("course.toml", COURSE + MORE_LESSONS)
        small.make()
    expected = "expected/notebooks/01_micrograd.txt"
    small.change(expected, "rise 6", "rise 7")
    small.change(expected, "=== slope text/plain\n3.0\n", "")
    small.change(SOLUTIONS, "(f(x + h) - f(x - h)) / (2 * h)", "(f(x + h) - f(x)) / h")
    small.write("notebooks/02_bigram.py", ONE_CELL.format("while True:\n    pass"))
    small.write("notebooks/03_mlp.py", ONE_CELL.format("import os\n\nos._exit(3)"))
    return small.command("check", code=BRIEF)


def test_a_check_that_finds_something_ends_with_one(canaries):
    code, said = canaries
    assert code == 1
    assert "If a change is meant: make expected" in said
    assert "12 cells as they should be, 5 not, 1 after them not run" in said
    assert said.rstrip().endswith("12 passed, 6 failed")


def test_untouched_exercises_are_listed_as_open_and_fail_nothing(canaries):
    assert "  01_micrograd   0        0         2" in canaries[1]


def test_a_wrong_expectation_fails_and_both_texts_are_shown(canaries):
    told = "notebooks/01_micrograd.py:9  rise\n  expected  rise 7\n  shown     rise 6\n"
    assert told in canaries[1]
    assert "print(f" not in canaries[1]  # the cell's input


def test_a_missing_expectation_fails(canaries):
    head = "notebooks/01_micrograd.py:13  slope\n"
    told = "  expected  (nothing)\n  shown     (text/plain) 3.0\n"
    assert head + told in canaries[1]


def test_an_altered_solution_fails_with_its_verdict(canaries):
    _, said = canaries
    assert "solutions/01_micrograd.py:23  check:micrograd.derivative" in said
    assert "raised   AssertionError: micrograd.derivative  not yet" in said


def test_a_cell_that_hangs_is_stopped(canaries):
    told = "notebooks/02_bigram.py:4  code-"
    assert told in canaries[1]
    assert "ran longer than 8 s, and was stopped" in canaries[1]


def test_a_dead_kernel_is_counted_and_told(canaries):
    after = canaries[1].partition("notebooks/03_mlp.py:4  code-")[2]
    assert after.splitlines()[1] == "  the kernel died"


def test_an_expectation_without_a_cell_is_a_complaint(small: SmallCourse, capsys):
    name = "expected/notebooks/01_micrograd.txt"
    old = (small.root / name).read_text("utf-8")
    small.write(name, old + "=== gone stdout\nnever\n")
    small.write("expected/solutions/09_gone.txt", old)
    assert main([]) == 1
    said = capsys.readouterr().out
    assert f"{name} has 'gone', and no cell has that key" in said
    assert "expected/solutions/09_gone.txt belongs to no lesson" in said
    assert said.endswith("0 passed, 2 failed\n")


def test_a_complaint_about_a_text_comes_before_any_kernel(small: SmallCourse, capsys):
    small.change(LECTURE, "A slope", "A slope is simply")
    assert main(["01"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("notebooks/01_micrograd.py:7: a forbidden word: 'simply'")
    assert said.endswith("\n0 passed, 1 failed\n")


def test_a_lesson_that_is_not_written_is_no_failure(small: SmallCourse, capsys):
    for folder in ("notebooks", "solutions", "exercises", "expected"):
        shutil.rmtree(small.root / folder)
    assert main(["01"]) == 0
    assert "no such lesson is written yet" in capsys.readouterr().out


def test_nbval_has_an_execution_count_to_compare_with_in_every_compared_cell(
    small: SmallCourse,
):
    books, _ = prepare([lesson(1)], small.root / "build" / "check")
    for path in books:
        cells = [c for c in nbformat.read(path, 4).cells if c.cell_type == "code"]
        compared = [
            c for c in cells if "nbval-check-output" in c.metadata.get("tags", ())
        ]
        assert all(c.execution_count for c in compared)
        assert bool(compared) == (path.parent.name != "exercises")


def test_a_second_check_waits_for_the_first(small: SmallCourse, capsys):
    held = threading.Event()

    def first() -> None:
        with filelock.FileLock(small.root / "build" / "check.lock"):
            held.set()
            time.sleep(0.3)

    (small.root / "build").mkdir()
    thread = threading.Thread(target=first)
    thread.start()
    held.wait()
    with _alone():
        assert not thread.join(0.2) and not thread.is_alive()
    assert "waits for its end" in capsys.readouterr().out


# ---------------------------------------------------------------- the learner's


def test_a_started_answer_fails_by_its_name_wrong_or_not_even_python(
    small: SmallCourse,
):
    broken = {"micrograd.gradient_by_hand": "def gradient(a, b, c)\n    return 1"}
    small.answer(WRONG | broken)
    code, said = small.command("check")
    assert code == 1
    assert "micrograd.derivative  not yet\n  case" in said
    assert "The slope is measured from one side only." in said
    head = "micrograd.gradient_by_hand  not yet\n"
    assert head + "  not judged  SyntaxError: expected ':', line 1" in said
    assert said.rstrip().endswith("14 passed, 2 failed")


def test_solved_exercises_pass_whatever_the_learners_own_cells_do(small: SmallCourse):
    book = small.answer(RIGHT)
    own = (
        "1 / 0",
        "this is no Python",
        "# NBVAL_CHECK_OUTPUT\nprint('mine')",
        "# NBVAL_SKIP\nprint('mine')",
        "import sys\nsys.exit(3)",
    )
    book.cells[2:2] = [nbformat.v4.new_code_cell(source) for source in own]
    small.save(book)
    before = state(small.root)
    code, said = small.command("check", **OFFLINE)
    assert code == 0, said
    assert "01_micrograd   2        0         0" in said
    assert said.rstrip().endswith("21 passed, 0 failed")
    assert state(small.root) == before


@pytest.mark.parametrize("text", ["{ not JSON", "[]", '{"cells": [1]}', ""])
def test_an_exercise_notebook_that_cannot_be_read_is_told_and_fails(
    small: SmallCourse, text: str
):
    small.write("exercises/01_micrograd.ipynb", text)
    books, unreadable = prepare([lesson(1)], small.root / "build" / "check")
    assert [path.parent.name for path in books] == ["notebooks", "solutions"]
    assert unreadable[0].startswith("exercises/01_micrograd.ipynb cannot be read (")
    assert "\n" not in unreadable[0] and "exercises/.kept" in unreadable[0]


def test_an_unreadable_notebook_makes_the_exit_code_one(
    small: SmallCourse, monkeypatch, capsys
):
    small.write("exercises/01_micrograd.ipynb", "{ not JSON")
    monkeypatch.setattr(validate, "run_nbval", lambda books: Watcher(0))
    assert main([]) == 1
    said = capsys.readouterr().out
    assert said.count("cannot be read") == 1
    assert said.endswith("0 passed, 1 failed\n")


# ---------------------------------------------------------------- the real lesson


def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The texts of the repository in a folder of their own."""
    for name in ("notebooks", "solutions", "exercises", "expected", "data"):
        shutil.copytree(
            REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("*.ipynb")
        )
    shutil.copy(REPOSITORY / "course.toml", tmp_path)
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    return tmp_path


@pytest.mark.slow
def test_the_real_lesson_is_green_with_every_exercise_solved(tmp_path, monkeypatch):
    small = SmallCourse.__new__(SmallCourse)
    small.root = copied(tmp_path, monkeypatch)
    book = notebook(small.root / "exercises" / "01_micrograd.py")
    answers = {
        id: [cell.text for cell in one.cells]
        for id, one in exercises("micrograd").items()
    }
    for cell in book.cells:
        if id := cell.metadata["workbook"].get("exercise"):
            cell.source = answers[id].pop(0)
    small.save(book)
    before = state(small.root)
    code, said = small.command("check", "01", **OFFLINE, DATA_MIRROR="")
    assert code == 0, said
    assert "01_micrograd   12       0         0" in said
    assert state(small.root) == before
