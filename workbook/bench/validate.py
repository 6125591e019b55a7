"""`make check`: every notebook runs and shows what was recorded, then the exercises.

The notebooks are built anew into `build/check/`, with their expectations put in, and
nbval runs and compares them there: a learner's own files are read, never written.
A learner's exercises take the place of the untouched ones. What fails in them is no
failure of the course: their verdicts are reported, and decide.
"""

import io
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import filelock
import nbformat
from nbformat import NotebookNode

from workbook.bench.build import about, notebook
from workbook.bench.expectations import load, orphans, put_into, sidecar
from workbook.bench.learner import Unreadable, notebook_of
from workbook.bench.lint import complain
from workbook.bench.report import learners_report
from workbook.bench.running import CELL_SECONDS, KERNEL_SECONDS, check_environment
from workbook.bench.watching import Watcher
from workbook.course import Lesson, course, lesson, root
from workbook.source import read

# Run before a learner's first cell: verdicts and errors go to the log.
_PROLOGUE = """\
def _log(path):
    import json, os

    def error(result):
        found = result.error_before_exec or result.error_in_exec
        if found is not None:
            at = f", line {found.lineno}" if isinstance(found, SyntaxError) else ""
            words = f"{type(found).__name__}: {getattr(found, 'msg', None) or found}"
            line = {"cell": result.info.raw_cell, "error": words + at}
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\\n")

    os.environ["WORKBOOK_VERDICTS"] = path
    get_ipython().events.register("post_run_cell", error)
"""


def main(argv: list[str]) -> int:
    """`make check`: 0 when all is as recorded and no started exercise fails."""
    lessons = [lesson(argv[0])] if argv else list(course().lessons)
    with _alone():
        passed, failed = _check(lessons)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


@contextmanager
def _alone() -> Iterator[None]:
    """One check at a time: they share `build/check/`."""
    (root() / "build").mkdir(exist_ok=True)
    lock = filelock.FileLock(root() / "build" / "check.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print("Another check is running here: this one waits for its end.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _check(lessons: list[Lesson]) -> tuple[int, int]:
    """How much is as it should be, and how much is not."""
    if wrong := complain(lessons) + _tell(orphans()):
        return 0, wrong
    scratch = root() / "build" / "check"
    shutil.rmtree(scratch, ignore_errors=True)
    books, unreadable = prepare(lessons, scratch)
    if not books and not unreadable:
        print("Nothing to check: no such lesson is written yet.")
        return 0, 0
    _tell(unreadable)
    watcher = run_nbval(books)
    right, wrong = learners_report(lessons, scratch / "exercises")
    failed = len(watcher.failures) + watcher.not_run + wrong + len(unreadable)
    return watcher.passed + right, failed


def _tell(sentences: list[str]) -> int:
    for sentence in sentences:
        print(sentence)
    return len(sentences)


# ---------------------------------------------------------------- what is run


def prepare(lessons: list[Lesson], scratch: Path) -> tuple[list[Path], list[str]]:
    """Write the notebooks to be validated; where, and sentences on what cannot be."""
    books, unreadable = {}, []
    for one in lessons:
        for source in (one.lecture_source, one.solution_source):
            if source.exists():
                books[scratch / source.parent.name / one.name] = _compared(source)
        try:
            if one.exercise_source.exists():
                stem = scratch / "exercises" / one.name
                books[stem] = exercises_book(one, stem.with_suffix(".jsonl"))
        except Unreadable as error:
            unreadable.append(str(error))
    return [_write(book, stem) for stem, book in books.items()], unreadable


def _compared(source: Path) -> NotebookNode:
    """A lecture or a solution, with what it is expected to show."""
    book = _located(notebook(source), source)
    put_into(book, load(sidecar(source)))
    if source.parent.name == "solutions":
        _begin(book, "import os\nos.environ['WORKBOOK_STRICT'] = '1'\ndel os")
    return book


def exercises_book(one: Lesson, log: Path) -> NotebookNode:
    """A learner's notebook, or the untouched one, whose verdicts go to the log."""
    theirs = notebook_of(one)
    book = theirs or _located(notebook(one.exercise_source), one.exercise_source)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None  # never compared
            if theirs:
                cell.metadata["tags"] = ["raises-exception"]
                cell.source = cell.source.replace("NBVAL_", "NBVAL-")  # no orders
    _begin(book, f"{_PROLOGUE}\n_log({str(log)!r})\ndel _log")
    return book


def _located(book: NotebookNode, source: Path) -> NotebookNode:
    """Note in each cell where its text stands."""
    for cell, ours in zip(book.cells, read(source), strict=True):
        about(cell)["at"] = f"{source.parent.name}/{source.name}:{ours.line}"
    return book


def _begin(book: NotebookNode, code: str) -> None:
    """Begin a scratch notebook with a cell of our own."""
    book.cells.insert(0, nbformat.v4.new_code_cell(code))


def _write(book: NotebookNode, stem: Path) -> Path:
    path = stem.with_suffix(".ipynb")
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path


# ---------------------------------------------------------------- nbval


def run_nbval(books: list[Path]) -> Watcher:
    """Run and compare notebooks, two at a time, and tell what went wrong."""
    began = time.monotonic()
    watcher = Watcher(sum(_code_cells(path) for path in books))
    with watcher.bar:  # without a path pytest would look for one
        said = _pytest([str(path) for path in books], watcher) if books else ""
    if watcher.not_run and not watcher.failures:
        watcher.failures.append(f"nbval did not run every cell\n{said}")
    for words in watcher.failures:
        print(f"{words}\n")
    if any("\n  expected " in words for words in watcher.failures):
        print("If a change is meant: make expected\n")
    cells = f"{watcher.passed} cells as they should be, {len(watcher.failures)} not"
    if watcher.not_run:
        cells += f", {watcher.not_run} after them not run"
    print(f"{len(books)} notebooks: {cells}, {time.monotonic() - began:.0f} s")
    return watcher


def _code_cells(path: Path) -> int:
    book = nbformat.read(path, as_version=4)
    return sum(c.cell_type == "code" for c in book.cells)


def _own_settings() -> Path:
    """Settings of nobody else: an empty file in the scratch folder."""
    path = root() / "build" / "check" / "pytest.ini"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[pytest]\n", "utf-8")
    return path


def _pytest(paths: list[str], watcher: Watcher) -> str:
    """nbval in this process, without a terminal of its own; what it would have said."""
    import pytest

    options = [
        "--nbval-lax",
        "--nbval-current-env",
        f"--nbval-cell-timeout={CELL_SECONDS}",
        f"--nbval-kernel-startup-timeout={KERNEL_SECONDS}",
        *("-n", "2", "--dist", "loadfile"),  # else cells of one notebook are spread
        *("-p", "xdist.plugin", "-p", "nbval.plugin", "-p", "workbook.bench.watching"),
        *("-p", "no:cacheprovider", "--color=no"),
        *("-c", str(_own_settings()), "--rootdir", str(root() / "build" / "check")),
    ]
    before, said = dict(os.environ), io.StringIO()
    os.environ.update(check_environment())
    try:
        with redirect_stdout(said):  # the watcher speaks in its place
            pytest.main([*options, *paths], plugins=[watcher])
    finally:
        os.environ.clear()
        os.environ.update(before)
    return said.getvalue()[-2000:]
