"""The interrupt key, for runs that no button reaches: it stops them cleanly.

Where controls work, an interrupt is what it always was: KeyboardInterrupt. Where they
do not (another front end, an older kernel, a terminal), the first one ends the loop
before its next step, as Stop would; a second one raises KeyboardInterrupt.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbook.live.run import Run

_runs: list[Run] = []  # those going on in the main thread, the innermost last
_before: Any = None  # the handler that was there before the first of them


def join(run: Run) -> None:
    """Listen for an interrupt on behalf of this run; only the main thread can."""
    global _before
    if current_thread() is not main_thread():
        return
    if not _runs:
        _before = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, _pressed)
    _runs.append(run)


def leave(run: Run) -> None:
    """This run is over; after the last one the handler is as it was before."""
    if run not in _runs:
        return
    _runs.remove(run)
    if not _runs and signal.getsignal(signal.SIGINT) is _pressed:
        with suppress(ValueError):  # a run of the main thread, left by another one
            signal.signal(signal.SIGINT, _before)


def _pressed(number: int, frame: Any) -> None:
    __tracebackhide__ = True  # IPython leaves this frame out of what it shows
    deaf = [run for run in _runs if not run.steers() and not run.stopping]
    for run in deaf:
        run.stop()
        run.paused = False
    if not deaf:
        _as_before(number, frame)


def _as_before(number: int, frame: Any) -> None:
    __tracebackhide__ = True
    if callable(_before):
        _before(number, frame)
    elif _before != signal.SIG_IGN:
        raise KeyboardInterrupt
