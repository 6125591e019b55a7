"""Jupyter's trust in a notebook, kept while the course builds it anew.

JupyterLab takes styles and scripts out of the outputs of a notebook that nobody has
signed, and every change by another program takes the signature away. What was trusted
before our change, and showed nothing that we did not know of, is signed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.sign import NotebookNotary


@contextmanager
def trust_kept(paths: Iterable[Path]) -> Iterator[None]:
    """Sign again whatever was trusted before, or is built for the first time."""
    notary = NotebookNotary()
    ours = [path for path in paths if _is_ours(path, notary)]
    yield
    for path in ours:
        if (book := _read(path)) is not None and not notary.check_signature(book):
            notary.sign(book)


def _is_ours(path: Path, notary: NotebookNotary) -> bool:
    """Signed, without outputs, or not there yet."""
    if not path.exists():
        return True
    book = _read(path)
    return book is not None and (notary.check_signature(book) or not _shows(book))


def _shows(book: NotebookNode) -> bool:
    return any(cell.get("outputs") for cell in book.cells)


def _read(path: Path) -> NotebookNode | None:
    """The notebook, None where it is absent or no notebook."""
    try:
        return nbformat.read(path, as_version=4)
    except Exception:  # nbformat raises whatever its parsers raise
        return None
