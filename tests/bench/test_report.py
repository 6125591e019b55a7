"""A learner is told where each exercise stands, and what failed and why."""

from __future__ import annotations

import json

import pytest

from tests.bench.conftest import RIGHT, WRONG, SmallCourse
from workbook.bench.learner import Unreadable, notebook_of, started
from workbook.bench.report import Log, learners_report, read_log, standing
from workbook.course import lesson

ONE, TWO = "micrograd.derivative", "micrograd.gradient_by_hand"


def verdict(id: str, state: str) -> dict:
    return {"exercise": id, "state": state, "message": f"{id}  {state}\n  case  x"}


def test_the_last_verdict_counts_and_errors_are_known_by_their_cell(tmp_path):
    path = tmp_path / "verdicts.jsonl"
    lines = [
        verdict(ONE, "not yet"),
        {"cell": "1 / 0", "error": "E"},
        verdict(ONE, "open"),
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path.write_text(f'{text}{{"exercise": "cut', "utf-8")
    log = read_log(path)
    assert log.verdicts[ONE]["state"] == "open"
    assert log.errors == {"1 / 0": "E"}
    assert read_log(tmp_path / "absent").verdicts == {}


def test_a_verdict_decides(small: SmallCourse):
    small.answer(RIGHT)
    log = Log({ONE: verdict(ONE, "passed"), TWO: verdict(TWO, "not yet")})
    found = standing(lesson(1), log)
    assert found.states == {"passed": [ONE], "not yet": [TWO], "open": []}
    assert found.messages == [f"{TWO}  not yet\n  case  x"]


def test_an_untouched_exercise_without_a_verdict_is_open(small: SmallCourse):
    small.save(small.book())
    assert standing(lesson(1), Log()).states["open"] == [ONE, TWO]


def test_a_started_answer_whose_check_is_gone_was_not_judged(small: SmallCourse):
    book = small.answer({ONE: RIGHT[ONE]})
    book.cells = [cell for cell in book.cells if not cell.source.startswith("check(")]
    small.save(book)
    found = standing(lesson(1), Log())
    assert found.states["not yet"] == [ONE]
    assert found.messages == [
        f"{ONE}  not yet\n"
        "  not judged  no cell checks it: `make notebooks` puts a deleted check back"
    ]


def test_a_started_answer_whose_check_never_ran_was_not_judged(small: SmallCourse):
    small.answer({ONE: RIGHT[ONE]})
    (message,) = standing(lesson(1), Log()).messages
    assert "not judged  its check did not run" in message


@pytest.mark.parametrize("judged", [True, False])
def test_an_error_in_the_answers_own_cell_is_the_reason(small: SmallCourse, judged):
    small.answer(WRONG)
    verdicts = {ONE: verdict(ONE, "open")} if judged else {}
    log = Log(verdicts, {WRONG[ONE]: "SyntaxError: no, line 2"})
    assert standing(lesson(1), log).messages == [
        f"{ONE}  not yet\n  not judged  SyntaxError: no, line 2"
    ]


def test_an_error_in_the_check_is_the_reason_where_nothing_else_is(small: SmallCourse):
    small.answer(WRONG)
    log = Log({}, {f'check("{ONE}", derivative)': "NameError: derivative"})
    assert "not judged  NameError" in standing(lesson(1), log).messages[0]


def test_the_report_has_a_table_the_messages_and_what_is_open(
    small: SmallCourse, tmp_path, capsys
):
    small.answer(WRONG)
    log = tmp_path / "01_micrograd.jsonl"
    lines = [verdict(ONE, "not yet"), verdict(TWO, "open")]
    log.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    assert learners_report([lesson(1)], tmp_path) == (0, 1)
    said = capsys.readouterr().out
    head, numbers = [
        line.split() for line in said.splitlines() if "  " in line.strip()
    ][:2]
    assert head == ["exercises", "passed", "not", "yet", "open"]
    assert numbers == ["01_micrograd", "0", "1", "1"]
    assert f"{ONE}  not yet\n  case  x\n" in said
    assert f"open: {TWO}\n" in said


def test_a_lesson_without_exercises_is_not_in_the_report(small: SmallCourse, capsys):
    lesson(1).exercise_source.unlink()
    assert learners_report([lesson(1)], small.root / "absent") == (0, 0)
    assert capsys.readouterr().out == ""


# ---------------------------------------------------------------- the notebook


def test_an_exercise_is_started_when_its_cell_is_changed(small: SmallCourse):
    assert notebook_of(lesson(1)) is None
    small.save(small.book())
    assert started(notebook_of(lesson(1))) == set()
    book = small.answer({TWO: "def gradient(a, b, c): ..."})
    assert started(book) == {TWO}
    book.cells[0].source = "words of my own"
    assert started(book) == {TWO}


def test_another_version_of_the_course_starts_nothing(small: SmallCourse):
    small.save(small.book())
    small.change("exercises/01_micrograd.py", "choose a step", "choose a good step")
    assert started(notebook_of(lesson(1))) == set()


def test_a_broken_notebook_counts_as_no_exercise_at_all(small: SmallCourse):
    small.write("exercises/01_micrograd.ipynb", '{"cells": 1}')
    with pytest.raises(Unreadable, match="cannot be read"):
        notebook_of(lesson(1))
    assert standing(lesson(1), Log()).states == {
        "passed": [],
        "not yet": [],
        "open": [],
    }
