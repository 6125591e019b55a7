"""A pytest plugin: what nbval finds, told in a few lines.

The hooks run where the notebooks do, in the processes of xdist: they know what a cell
was expected to show and what it showed. The `Watcher` sits in the first process,
shows a progress bar and keeps the account.
"""

import re
import time
from collections import Counter
from queue import Empty
from typing import Any

import pytest

from workbook.bench.build import about
from workbook.bench.expectations import shown
from workbook.bench.running import uncoloured

LINES = 24  # of an output, before it is cut
PATIENCE = 60  # seconds for the output of a cell that has ended, on a busy machine


# ---------------------------------------------------------------- beside the kernels


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: Any) -> Any:
    """Notice a kernel's death within a second, and be patient with a slow one."""
    done = yield
    item.output_timeout = PATIENCE
    kernel = item.parent.kernel
    kernel.await_reply = lambda id, timeout=None: _reply(kernel, id, timeout or 0)
    return done


def _reply(kernel: Any, id: str, timeout: float) -> None:
    """Wait for the answer to a message; Empty when the time is up."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            message = kernel.get_message("shell", timeout=1)
        except Empty:
            if not kernel.is_alive():
                raise RuntimeError("the kernel died") from None
            continue
        if message["parent_header"].get("msg_id") == id:
            return
    raise Empty


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Any:
    """Put our few lines in place of nbval's many."""
    report = yield
    if report.failed and call.excinfo is not None:
        report.longrepr = told(item, call.excinfo.value, report.when)
        if not (item.parent.kernel and item.parent.kernel.is_alive()):
            item.parent.timed_out = True  # the cells after this one cannot run
    return report


def told(item: Any, error: BaseException, when: str) -> str:
    """What went wrong in a cell: where, what, and both texts where they differ."""
    name = f"{item.path.parent.name}/{item.path.name}"
    if when != "call":
        return f"{name}\n  no kernel: {error}"
    entry = about(item.cell)
    key = entry.get("key") or item.cell.source.partition("\n")[0]
    return "\n".join([f"{entry.get('at', name)}  {key}", *_what(item, error)])


def _what(item: Any, error: BaseException) -> list[str]:
    outputs = item.test_outputs or []
    raised = next((one for one in outputs if one.output_type == "error"), None)
    if "Timeout" in str(error):
        seconds = item.config.option.nbval_cell_timeout
        return [f"  ran longer than {seconds:g} s, and was stopped"]
    if "outputs differ" in str(error):
        return _differing(item.cell.outputs, outputs)
    if raised is not None:
        words = f"{raised.ename}: {raised.evalue}".replace("\n", f"\n{' ' * 11}")
        return [f"  raised   {words}", *_line(raised.traceback)]
    return [f"  {error}"]


def _differing(expected: list[Any], outputs: list[Any]) -> list[str]:
    """Both texts, with their kinds where these are what differs."""
    before, now = shown(expected), shown(outputs)
    kinds = [kind for kind, _ in before] != [kind for kind, _ in now]
    return [*_lines("expected", before, kinds), *_lines("shown", now, kinds)]


def _lines(label: str, found: list[tuple[str, str]], kinds: bool) -> list[str]:
    lines = [
        f"{f'({kind}) ' if kinds else ''}{line}"
        for kind, text in found
        for line in text.splitlines() or ["(an empty line)"]
    ]
    if len(lines) > LINES:
        lines[LINES:] = [f"… {len(lines) - LINES} more lines"]
    labels = [label, *[""] * len(lines)]
    return [
        f"  {name:<9} {line}".rstrip()
        for name, line in zip(labels, lines or ["(nothing)"], strict=False)
    ]


def _line(traceback: list[str]) -> list[str]:
    """The cell's own line of a traceback."""
    plain = uncoloured("\n".join(traceback))
    arrows = re.findall(r"^-+> *\d+ +(.*)$", plain, re.M)
    return [f"  in       {arrows[0].strip()}"] if arrows else []


# ---------------------------------------------------------------- in the first process


class Watcher:
    """Counts cells, shows how far it is, and keeps what went wrong."""

    def __init__(self, total: int):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.total = total
        self.failures: list[str] = []
        self.counts = Counter[str]()
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} cells"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.task = self.bar.add_task("running notebooks", total=total)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or not report.passed:
            self.bar.advance(self.task)
            self.counts[report.outcome] += 1
            self._keep(report)

    def pytest_collectreport(self, report: Any) -> None:
        self._keep(report)

    def _keep(self, report: Any) -> None:
        if report.failed and str(report.longrepr) not in self.failures:
            self.failures.append(str(report.longrepr))

    @property
    def passed(self) -> int:
        return self.counts["passed"]

    @property
    def not_run(self) -> int:
        """Cells that no kernel answered for, since an earlier one had failed."""
        return self.total - self.passed - self.counts["failed"]
