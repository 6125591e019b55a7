"""The front page as `make lab` leaves it: today's state, before anything has run."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from workbook import front
from workbook.bench.merge import fingerprint, open_in
from workbook.bench.trust import trust_kept
from workbook.progress import write_atomically


def greet(page: Path) -> bool:
    """Put the state of today into the front page; whether that could be done.

    Only the outputs of the course's own cells change. A page that is open in a running
    JupyterLab is left alone, and so is one that cannot be read.
    """
    if not page.exists() or open_in(page):
        return False
    try:
        book = nbformat.read(page, as_version=4)
    except Exception:  # nbformat raises whatever its parsers raise
        return False
    for cell in _ours(book):
        _put(cell)
    with trust_kept([page]):
        write_atomically(page, nbformat.writes(book).encode("utf-8"))
    return True


def _ours(book: NotebookNode) -> list[NotebookNode]:
    """The code cells as the course built them that show a part of the front page."""
    return [c for c in book.cells if c.cell_type == "code" and _name(c)]


def _name(cell: NotebookNode) -> str | None:
    """ "show_path" for a cell that ends in `front.show_path()` and was not changed."""
    made = cell.metadata.get("workbook", {}).get("made")
    last = cell.source.strip().rpartition("\n")[2]
    name = last.removeprefix("front.").removesuffix("()")
    known = made == fingerprint(cell.source) and last == f"front.{name}()"
    return name if known and name in front.FACES else None


def _put(cell: NotebookNode) -> None:
    bundle = front.still(_name(cell))
    cell.outputs = [nbformat.v4.new_output("display_data", data=bundle)]
    cell.execution_count = None
    cell.metadata["jupyter"] = {"source_hidden": True}
