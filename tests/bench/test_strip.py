"""Exercises are the solutions without their answers, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.bench.conftest import SmallCourse
from workbook.bench.export import given
from workbook.bench.strip import exercise_text, main, stub, written
from workbook.bench.texts import write
from workbook.checks import run
from workbook.course import course, lesson
from workbook.source import BEGIN, END, Cell, read

REPOSITORY = Path(__file__).resolve().parents[2]
SOLVED = [one for one in course().lessons if one.solution_source.exists()]
every_lesson = pytest.mark.parametrize("one", SOLVED, ids=lambda one: one.name)


# ---------------------------------------------------------------- the real lessons


@every_lesson
def test_the_made_files_are_what_the_solutions_make(one):
    target = REPOSITORY / "workbook" / "given" / f"{one.slug}.py"
    made = {one.exercise_source: exercise_text(one), target: given(one)}
    drifted = [path.name for path, text in made.items() if write(text, path)]
    assert not drifted, f"made anew, look at the difference: {', '.join(drifted)}"


@every_lesson
def test_no_line_of_an_answer_is_in_the_exercises(one):
    inside, given_away = set(), set()
    for cell in read(one.solution_source):
        if cell.kind == "code" and "solution" not in cell.tags:
            answer, rest = parts(cell)
            inside |= answer
            given_away |= rest  # what another exercise's stub is given on purpose
    exercises = one.exercise_source.read_text("utf-8")
    lines = {line.strip() for line in exercises.splitlines()}
    leaked = {line for line in inside if len(line) >= 12} - given_away
    assert inside and not leaked & lines
    assert not [line for line in leaked if len(line) >= 30 and line in exercises]


def parts(cell: Cell) -> tuple[set[str], set[str]]:
    """The lines between the marks, and those outside."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    inside = False
    for line in map(str.strip, cell.text.splitlines()):
        if line in (BEGIN, END):
            inside = line == BEGIN
        else:
            found[inside].add(line)
    return found[True], found[False]


@every_lesson
def test_every_untouched_exercise_is_open(one):
    judged = {}

    def check(id, *objects):
        judged[id] = run(id, *objects).state

    names: dict = {"__name__": "untouched"}
    for cell in read(one.exercise_source):
        if cell.kind == "code":
            exec(compile(cell.text, "<cell>", "exec", dont_inherit=True), names)
            names |= {"check": check}
    assert judged == dict.fromkeys(one.exercises, "open")


@every_lesson
def test_the_exercises_say_what_they_are_made_from(one):
    text = one.exercise_source.read_text("utf-8")
    assert f"made: from solutions/{one.name}.py" in text


# ---------------------------------------------------------------- small ones


def test_an_answer_becomes_a_raise_at_its_own_indentation():
    text = (
        "class A:\n    def f(self):\n        # TODO: one\n        ### BEGIN SOLUTION\n"
        "        return 1\n        ### END SOLUTION\n\n    def g(self):\n"
        "        # TODO\n        x = 2\n        ### BEGIN SOLUTION\n        return x\n"
        "        ### END SOLUTION\n"
    )
    stubbed = stub(Cell("code", text, 1, {"exercise": "toy.a"}))
    assert stubbed == (
        "class A:\n    def f(self):\n        # TODO: one\n"
        '        raise NotImplementedError("TODO toy.a")\n\n    def g(self):\n'
        '        # TODO\n        x = 2\n        raise NotImplementedError("TODO toy.a")'
    )
    ast.parse(stubbed)


def test_hints_reasons_and_all_that_is_said_of_an_exercise_stay_behind(
    small: SmallCourse,
):
    cells = read(lesson(1).exercise_source)
    assert [cell.meta for cell in cells if cell.meta] == [
        {"exercise": "micrograd.derivative"},
        {"exercise": "micrograd.gradient_by_hand"},
    ]
    text = lesson(1).exercise_source.read_text("utf-8")
    assert "Why" not in text and "A slope is a rise" not in text and "____" not in text


def test_a_heading_says_how_long_and_how_hard(small: SmallCourse):
    made = [c.text for c in read(lesson(1).exercise_source) if c.is_heading]
    assert made[0].startswith("## derivative\n\n*10 min · ●○○○○*\n\nThe slope")
    assert made[1].startswith("## gradient_by_hand\n\n*5 min · ●●○○○*\n\nThree")


def test_the_command_makes_both_files_once(small: SmallCourse, capsys):
    lesson(1).exercise_source.unlink()
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "made exercises/01_micrograd.py",
        "made workbook/given/micrograd.py",
    ]
    assert main([]) == 0
    assert capsys.readouterr().out == ""
    assert written() == [lesson(1)]


def test_the_command_makes_nothing_from_a_text_with_a_complaint(
    small: SmallCourse, capsys
):
    small.change("solutions/01_micrograd.py", "    ### END SOLUTION\n", "")
    before = lesson(1).exercise_source.read_text("utf-8")
    assert main([]) == 1
    assert "BEGIN SOLUTION without an END" in capsys.readouterr().out
    assert lesson(1).exercise_source.read_text("utf-8") == before
