"""A reset puts the TODO back where it was, and keeps the attempt."""

from __future__ import annotations

import nbformat
import pytest

from tests.bench.conftest import RIGHT, WRONG, SmallCourse
from workbook.bench.learner import exercise_of
from workbook.bench.resetting import main
from workbook.course import CourseError, lesson

ONE, TWO = "micrograd.derivative", "micrograd.gradient_by_hand"


def code_of(id: str) -> str:
    book = nbformat.read(lesson(1).exercise, as_version=4)
    (cell,) = (cell for cell in book.cells if exercise_of(cell) == id)
    return cell.source


def test_one_exercise_is_reset_and_the_others_stay(small: SmallCourse, capsys):
    small.answer(WRONG | {TWO: RIGHT[TWO]})
    assert main([ONE]) == 0
    assert f'NotImplementedError("TODO {ONE}")' in code_of(ONE)
    assert code_of(TWO) == RIGHT[TWO]
    (copy,) = (small.root / "exercises" / ".kept").glob("*.ipynb")
    assert WRONG[ONE] in [c.source for c in nbformat.read(copy, as_version=4).cells]
    said = capsys.readouterr().out
    assert said == (
        f"exercises/01_micrograd.ipynb: reset {ONE}. "
        f"Your attempt is kept in exercises/.kept/{copy.name}.\n"
    )


def test_a_lesson_is_reset_whole(small: SmallCourse, capsys):
    small.answer(RIGHT)
    assert main(["01"]) == 0
    assert all("TODO" in code_of(id) for id in (ONE, TWO))
    assert f"reset {ONE}, {TWO}." in capsys.readouterr().out


def test_cells_of_the_learners_own_stay_where_they_were(small: SmallCourse):
    book = small.answer(RIGHT)
    at = next(i for i, cell in enumerate(book.cells) if exercise_of(cell) == ONE)
    book.cells.insert(at + 1, nbformat.v4.new_code_cell("mine = derivative(abs, 1.0)"))
    small.save(book)
    assert main([ONE]) == 0
    cells = nbformat.read(lesson(1).exercise, as_version=4).cells
    assert exercise_of(cells[at]) == ONE
    assert cells[at + 1].source == "mine = derivative(abs, 1.0)"


def test_outputs_of_a_reset_cell_are_gone(small: SmallCourse):
    book = small.answer(RIGHT)
    for cell in book.cells:
        if exercise_of(cell):
            cell.outputs = [nbformat.v4.new_output("stream", text="old\n")]
    small.save(book)
    main(["01"])
    book = nbformat.read(lesson(1).exercise, as_version=4)
    assert not any(cell.outputs for cell in book.cells if exercise_of(cell))


def test_what_is_untouched_is_left_alone(small: SmallCourse, capsys):
    small.save(small.book())
    before = lesson(1).exercise.read_bytes()
    assert main([ONE]) == 0
    assert capsys.readouterr().out == "exercises/01_micrograd.ipynb: nothing to reset\n"
    assert lesson(1).exercise.read_bytes() == before


def test_a_reset_before_the_first_build_builds(small: SmallCourse, capsys):
    assert main([ONE]) == 0
    assert capsys.readouterr().out == "exercises/01_micrograd.ipynb: built\n"


@pytest.mark.parametrize("argv", [[], [ONE, "01"], ["micrograd.nothing"], ["09"]])
def test_a_reset_of_nothing_in_particular_is_one_sentence(small: SmallCourse, argv):
    with pytest.raises(CourseError) as error:
        main(argv)
    assert "\n" not in str(error.value)


def test_exercises_that_are_not_written_are_said_so(small: SmallCourse):
    lesson(1).exercise_source.unlink()
    with pytest.raises(CourseError, match="not written yet"):
        main(["01"])
