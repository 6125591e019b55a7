"""`make progress` in the terminal."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from workbook import tracker
from workbook.bench.tracking import list_all, main, next_one
from workbook.progress import Progress

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course whose first lesson is written, and a terminal that is wide enough."""
    shutil.copy(REPOSITORY / "course.toml", tmp_path)
    (tmp_path / "solutions").mkdir()
    shutil.copy(REPOSITORY / "solutions" / "01_micrograd.py", tmp_path / "solutions")
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("WORKBOOK_PROGRESS", raising=False)
    monkeypatch.delenv("WORKBOOK_CHECK", raising=False)
    monkeypatch.setattr(tracker, "_version", lambda id: 1)
    return tmp_path


def test_it_shows_the_lessons_the_current_exercises_and_what_is_next(capsys):
    Progress.load().record_check("micrograd.derivative", "passed", 1, "x")
    Progress.load().record_check("micrograd.value", "not yet", 1, "x")
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "1 of 12" in said and "coming" in said
    assert "✓ passed" in said and "✗ not yet" in said and "· open" in said
    assert "Next: micrograd.value, 15 min" in said
    assert "make hint EX=micrograd.value" in said


def test_a_lesson_can_be_asked_for(capsys):
    assert main(["02"]) == 0
    assert "bigram.counts" in capsys.readouterr().out


def test_markdown_is_the_checklist_and_nothing_else(capsys):
    assert main(["--markdown"]) == 0
    assert capsys.readouterr().out == tracker.overview().markdown()


def test_another_machines_file_is_taken_in_and_left_as_it_is(tmp_path, capsys):
    other = tmp_path / "laptop.json"
    Progress.load(other).tick("mlp.watch_video")
    before = other.read_bytes()
    assert main(["--merge", str(other)]) == 0
    assert "1 entry changed here" in capsys.readouterr().out
    assert Progress.load().ticked("mlp.watch_video")
    assert other.read_bytes() == before


def test_a_file_that_is_no_progress_file_is_refused_in_a_sentence(tmp_path, capsys):
    assert main(["--merge", str(tmp_path / "absent.json")]) == 1
    assert "was not merged" in capsys.readouterr().out


def test_a_damaged_file_is_told_above_the_tables(folder, capsys):
    (folder / "progress.json").write_text("{")
    main([])
    assert "was damaged" in capsys.readouterr().out.replace("\n", " ")


# ---------------------------------------------------------------- list and next


def test_the_list_has_every_written_exercise_with_its_state(capsys):
    Progress.load().record_check("micrograd.derivative", "passed", 1, "x")
    assert list_all([]) == 0
    said = capsys.readouterr().out
    assert said.count("micrograd.") == 12 and "✓ passed" in said
    assert "bigram.counts" not in said


def test_next_shows_the_task_and_where_its_cell_is(capsys):
    Progress.load().record_check("micrograd.derivative", "passed", 1, "x")
    assert next_one([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Next: micrograd.value, 15 min (lesson 1")
    assert "In exercises/01_micrograd.ipynb, under value." in said
    assert "make hint EX=micrograd.value" in said


def test_after_the_last_exercise_next_says_so(capsys, monkeypatch):
    for id in tracker.overview().standings[0].lesson.exercises:
        Progress.load().record_check(id, "passed", 1, "x")
    assert next_one([]) == 0
    assert capsys.readouterr().out == (
        "Next: nothing, every exercise that is written has passed.\n"
    )
