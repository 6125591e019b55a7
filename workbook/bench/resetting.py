"""`make reset`: an exercise back to its TODO, the old attempt kept."""

from nbformat import NotebookNode

from workbook.bench.build import about, notebook
from workbook.bench.learner import exercise_of, is_changed
from workbook.bench.merge import fingerprint, write
from workbook.bench.trust import trust_kept
from workbook.course import CourseError, Lesson, lesson, root


def main(argv: list[str]) -> int:
    """`reset ID` for one exercise, `reset LESSON` for all of a lesson."""
    if len(argv) != 1:
        words = "Say it so: make reset EX=micrograd.value, or make reset LESSON=01"
        raise CourseError(f"Which one? {words}")
    one = lesson(argv[0])
    if not one.exercise_source.exists():
        raise CourseError(f"The exercises of lesson {one.number} are not written yet.")
    _reset(one, {argv[0]} if argv[0] in one.exercises else set(one.exercises))
    return 0


def _reset(one: Lesson, ids: set[str]) -> None:
    """Let the merge take the learner's answers for untouched, and renew them."""
    reset: set[str] = set()

    def forget(book: NotebookNode) -> None:
        for cell in book.cells:
            id = exercise_of(cell)
            if id in ids and is_changed(cell):
                about(cell)["made"] = fingerprint(cell.source)
                reset.add(id)

    kept = one.exercise.parent / ".kept"
    fresh = notebook(one.exercise_source)
    with trust_kept([one.exercise]):
        outcome = write(fresh, one.exercise, kept, prepare=forget)
    name = one.exercise.relative_to(root()).as_posix()
    if outcome.written and not outcome.backup:
        print(f"{name}: built")
    elif not reset:
        print(f"{name}: nothing to reset")
    else:
        copy = outcome.backup.relative_to(root()) if outcome.backup else "nowhere"
        named = ", ".join(id for id in one.exercises if id in reset)
        print(f"{name}: reset {named}. Your attempt is kept in {copy}.")
