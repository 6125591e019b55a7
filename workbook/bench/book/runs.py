"""Lectures with what they show, run once for each state of text and package."""

import hashlib
import os
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import workbook
from workbook.bench.running import check_environment, executed, progress
from workbook.course import Lesson, root

SECONDS = 1800  # for one cell: the longest training takes some minutes
FORGOTTEN = ("bench", "checks")  # rooms of the package that no lecture shows


class Stopped(Exception):
    """A lecture that does not run to its end, in a sentence."""


def run_lectures(
    lessons: list[Lesson], kept: Path, quick: bool
) -> dict[str, NotebookNode]:
    """The lectures by name, run to their end; those that ran before are taken as kept.

    quick: with the samples and short budgets of `make check`, and words for pictures.
    Raises Stopped where a cell fails.
    """
    kept = kept / ("quick" if quick else "full")
    kept.mkdir(parents=True, exist_ok=True)
    books = {}
    for one in progress(lessons, "running the lectures"):
        path = kept / f"{one.name}-{_state(one.lecture_source)}.ipynb"
        if not path.exists():
            _run(one.lecture_source, path, quick)
        books[one.name] = nbformat.read(path, as_version=4)
    return books


def _run(source: Path, path: Path, quick: bool) -> None:
    book, error = executed(source, _environment(path.parent, quick), SECONDS)
    if error:
        raise Stopped(f"{source.relative_to(root())} stops: {error}")
    for older in path.parent.glob(f"{source.stem}-*.ipynb"):
        older.unlink()
    started = path.with_suffix(".part")
    nbformat.write(book, started)
    os.replace(started, path)


def _environment(scratch: Path, quick: bool) -> dict[str, str]:
    """Nobody's progress and answers, beside a `make check` that may run at once."""
    (scratch / "ipython").mkdir(exist_ok=True)
    return check_environment() | {
        "WORKBOOK_CHECK": "1" if quick else "",
        "WORKBOOK_PROGRESS": str(scratch / "progress.json"),
        "IPYTHONDIR": str(scratch / "ipython"),
    }


def _state(source: Path) -> str:
    """A name for all that a lecture's outputs come from."""
    package = Path(workbook.__file__).parent
    parts = [
        path
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts[0] not in FORGOTTEN
    ]
    seen = hashlib.sha256(version("torch").encode())
    for path in (source, *root().glob("data/manifest.toml"), *parts):
        seen.update(path.read_bytes())
    return seen.hexdigest()[:12]
