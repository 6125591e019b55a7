"""`make check`: every notebook runs and shows what was recorded, then the exercises.

The notebooks are built anew into `build/check/`, with their expectations put in, and
nbval runs and compares them there: a learner's own files are read, never written.
A learner's exercises take the place of the untouched ones; cells that the learner
wrote may fail there without failing the check, and their verdicts are reported.
"""

import io
import os
import shutil
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from workbook.bench import expectations
from workbook.bench.build import notebook
from workbook.bench.merge import fingerprint
from workbook.bench.report import learners_report
from workbook.bench.running import CELL_SECONDS, check_environment
from workbook.course import Lesson, course, lesson, root

VERDICTS = "verdicts.jsonl"


def main(argv: list[str]) -> int:
    """`make check`: 0 when all is as recorded and no started exercise fails."""
    from workbook.bench.lint import complain

    lessons = [lesson(argv[0])] if argv else list(course().lessons)
    if complain():
        return 1
    scratch = root() / "build" / "check"
    shutil.rmtree(scratch, ignore_errors=True)
    books = prepare(lessons, scratch)
    failed = run_nbval(books)
    open_or_passed = learners_report(lessons, scratch / VERDICTS)
    return 0 if not failed and open_or_passed else 1


def compared_sources(key: str | None = None) -> list[Path]:
    """The percent files whose outputs are compared: lectures, then solutions."""
    lessons = [lesson(key)] if key else course().lessons
    paths = [p for one in lessons for p in (one.lecture_source, one.solution_source)]
    return [path for path in paths if path.exists()]


def prepare(lessons: list[Lesson], scratch: Path) -> list[Path]:
    """Write the notebooks to be validated; where they are."""
    written = []
    for one in lessons:
        for source in (one.lecture_source, one.solution_source):
            if source.exists():
                book = notebook(source)
                expected = expectations.load(expectations.sidecar(source))
                expectations.put_into(book, expected)
                if source == one.solution_source:
                    _set(book, "WORKBOOK_STRICT", "1")
                written.append(_write(book, scratch / source.parent.name / one.name))
        if one.exercise_source.exists():
            book = _exercises(one)
            _set(book, "WORKBOOK_VERDICTS", str(scratch / VERDICTS))
            written.append(_write(book, scratch / "exercises" / one.name))
    return written


def _set(book: NotebookNode, name: str, value: str) -> None:
    """Begin the scratch notebook with a cell that sets a variable of its own."""
    code = f"import os\nos.environ[{name!r}] = {value!r}"
    book.cells.insert(0, nbformat.v4.new_code_cell(code, execution_count=0))


def _write(book: NotebookNode, stem: Path) -> Path:
    path = stem.with_suffix(".ipynb")
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path


def _exercises(one: Lesson) -> NotebookNode:
    """The learner's notebook where there is one, else the untouched one."""
    book = notebook(one.exercise_source)
    if one.exercise.exists():
        try:
            book = nbformat.read(one.exercise, as_version=4)
        except Exception as error:
            name = one.exercise.relative_to(root())
            print(f"{name} cannot be read ({type(error).__name__}); it is left out.")
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], 1
            if _is_learners(cell):  # an error of theirs is a verdict's affair
                cell.metadata["tags"] = ["raises-exception"]
    return book


def _is_learners(cell: NotebookNode) -> bool:
    """Whether the learner wrote or changed a cell, or checks an answer in it."""
    made = cell.metadata.get("workbook", {}).get("made")
    return made != fingerprint(cell.source) or cell.source.startswith("check(")


# ---------------------------------------------------------------- nbval


@dataclass
class Watcher:
    """A pytest plugin that shows a progress bar and keeps what went wrong."""

    total: int
    failures: list[tuple[str, str]] = field(default_factory=list)
    passed: int = 0

    def __post_init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} cells"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.task = self.bar.add_task("running notebooks", total=self.total)

    def pytest_runtest_logreport(self, report) -> None:
        if report.when != "call" and report.passed:
            return
        self.bar.advance(self.task, report.when == "call")
        if report.failed:
            self.failures.append((report.nodeid, report.longreprtext))
        else:
            self.passed += 1

    def pytest_collectreport(self, report) -> None:
        if report.failed:
            self.failures.append((report.nodeid, report.longreprtext))


def run_nbval(books: list[Path]) -> int:
    """Run and compare notebooks, two at a time; how many cells failed."""
    began = time.monotonic()
    cells = sum(_code_cells(path) for path in books)
    watcher = Watcher(cells)
    with watcher.bar:
        _pytest([str(path) for path in books], watcher)
    if (run := watcher.passed + len(watcher.failures)) < cells:
        words = f"{cells - run} cells were never run: a kernel may have died"
        watcher.failures.append(("build/check", words))
    for where, words in watcher.failures:
        print(f"\n{where}\n{words}")
    seconds = time.monotonic() - began
    print(
        f"{len(books)} notebooks, {watcher.passed} cells as they should be, "
        f"{len(watcher.failures)} not, {seconds:.0f} s"
    )
    return len(watcher.failures)


def _code_cells(path: Path) -> int:
    book = nbformat.read(path, as_version=4)
    return sum(c.cell_type == "code" for c in book.cells)


def _pytest(paths: list[str], watcher: Watcher) -> None:
    """nbval in this process, without a terminal of its own; kernels in check mode."""
    import pytest

    options = [
        "--nbval-lax",
        "--nbval-current-env",
        f"--nbval-cell-timeout={CELL_SECONDS}",
        *("-n", "2", "--dist", "loadfile"),  # else cells of one notebook are spread
        *("-p", "no:cacheprovider", "--color=no"),
        *("-c", os.devnull, "--rootdir", str(root() / "build" / "check")),
    ]
    before = dict(os.environ)
    os.environ.update(check_environment())
    try:
        with redirect_stdout(io.StringIO()):  # the watcher speaks in its place
            pytest.main([*options, *paths], plugins=[watcher])
    finally:
        os.environ.clear()
        os.environ.update(before)
