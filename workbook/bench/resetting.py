"""`make reset`: an exercise back to its TODO, the old attempt kept."""

import re

from nbformat import NotebookNode

from workbook.bench.build import notebook
from workbook.bench.merge import MergeRefused, write
from workbook.course import CourseError, Lesson, lesson, root


def main(argv: list[str]) -> int:
    """`reset ID` for one exercise, `reset LESSON` for all of a lesson."""
    if len(argv) != 1:
        print("Which one? Say it so: make reset EX=micrograd.value, or LESSON=01")
        return 2
    one = lesson(argv[0])
    ids = {argv[0]} if argv[0] in one.exercises else set(one.exercises)
    if not one.exercise_source.exists():
        raise CourseError(f"The exercises of lesson {one.number} are not written yet.")
    try:
        return _reset(one, ids)
    except MergeRefused as refused:
        print(refused)
        return 1


def _reset(one: Lesson, ids: set[str]) -> int:
    def forget(book: NotebookNode) -> None:
        book.cells = [cell for cell in book.cells if _id(cell) not in ids]

    kept = one.exercise.parent / ".kept"
    outcome = write(notebook(one.exercise_source), one.exercise, kept, prepare=forget)
    name = one.exercise.relative_to(root()).as_posix()
    if not outcome.written:
        print(f"{name} has nothing to reset there.")
    elif outcome.backup:
        copy = outcome.backup.relative_to(root()).as_posix()
        print(
            f"{name}: reset {', '.join(sorted(ids))}. Your attempt is kept in {copy}."
        )
    else:
        print(f"built {name}")
    return 0


def _id(cell: NotebookNode) -> str:
    key = cell.metadata.get("workbook", {}).get("key", "")
    return re.sub(r"/\d+$", "", key)
