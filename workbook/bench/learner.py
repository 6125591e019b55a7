"""A learner's exercise notebook, read and never written."""

import nbformat
from nbformat import NotebookNode

from workbook.bench.build import about
from workbook.bench.merge import fingerprint
from workbook.course import Lesson, root

PARTS = {"cell_type", "source", "metadata"}  # of every cell


class Unreadable(Exception):
    """The notebook is none; says which, why, and what to do."""


def notebook_of(one: Lesson) -> NotebookNode | None:
    """The learner's exercises, None where there are none yet; else Unreadable."""
    if not one.exercise.exists():
        return None
    try:
        book = nbformat.reads(one.exercise.read_text("utf-8"), as_version=4)
        if not all(cell.keys() >= PARTS for cell in book.cells):
            raise ValueError("a cell is not whole")
    except Exception as error:
        name = one.exercise.relative_to(root()).as_posix()
        raise Unreadable(
            f"{name} cannot be read ({_first_line(error)}): repair it or move it away; "
            "earlier copies may be in exercises/.kept."
        ) from error
    return book


def _first_line(error: Exception) -> str:
    said = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {said[:80]}"


def exercise_of(cell: NotebookNode) -> str | None:
    """The exercise whose TODO cell this is, None for any other cell."""
    return about(cell).get("exercise") if cell.cell_type == "code" else None


def is_changed(cell: NotebookNode) -> bool:
    """Whether a cell is the learner's own, or a built one that they wrote in."""
    return about(cell).get("made") != fingerprint(cell.source)


def started(book: NotebookNode) -> set[str]:
    """The exercises whose TODO cells the learner has changed."""
    ids = {exercise_of(cell) for cell in book.cells if is_changed(cell)}
    return {id for id in ids if id}
