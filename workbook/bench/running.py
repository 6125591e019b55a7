"""Runs notebooks in check mode: shipped data, short budgets, a scratch tracker."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from nbformat import NotebookNode

from workbook.bench.build import notebook
from workbook.course import root

CELL_SECONDS = 120  # a cell that takes longer in check mode has gone wrong
KERNEL_SECONDS = 180  # for its start, on a busy machine
Item = TypeVar("Item")


def check_environment(strict: bool = False) -> dict[str, str]:
    """The environment of a kernel in check mode: deterministic and hermetic."""
    scratch = root() / "build" / "check"
    (scratch / "ipython").mkdir(parents=True, exist_ok=True)
    return {
        **os.environ,
        "WORKBOOK_CHECK": "1",
        "WORKBOOK_STRICT": "1" if strict else "0",
        "WORKBOOK_ROOT": str(root()),
        "WORKBOOK_VERDICTS": "",
        "WORKBOOK_PROGRESS": str(scratch / "progress.json"),
        "IPYTHONDIR": str(scratch / "ipython"),  # no start-up files of the learner's
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTEST_ADDOPTS": "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
    }


def executed(
    source: Path,
    environment: dict[str, str] | None = None,
    seconds: float = CELL_SECONDS,
) -> tuple[NotebookNode, str]:
    """The notebook of a percent file after a run, and its error in a line, if any.

    environment: of the kernel; by default that of `make check`.
    seconds: how long a cell may take.
    """
    from nbclient import NotebookClient, exceptions

    book = notebook(source)
    strict = source.parent.name == "solutions"
    environment = environment or check_environment(strict)
    with tempfile.TemporaryDirectory() as folder:
        where = {"metadata": {"path": folder}}
        client = NotebookClient(
            book,
            timeout=seconds,
            startup_timeout=KERNEL_SECONDS,
            resources=where,
        )
        try:
            client.execute(env=environment, stderr=subprocess.DEVNULL)
        except (
            exceptions.CellExecutionError,
            exceptions.CellTimeoutError,
            exceptions.DeadKernelError,
        ) as error:
            lines = [x for x in uncoloured(str(error)).splitlines() if x.strip()]
            return book, lines[-1]
    return book, ""


def uncoloured(text: str) -> str:
    """What a program says to a terminal, without the colours."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def progress(items: Iterable[Item], what: str) -> Iterator[Item]:
    """The items, with a progress bar and the time left where somebody is watching."""
    from rich.console import Console
    from rich.progress import track

    return iter(track(list(items), what, console=Console(stderr=True), transient=True))
