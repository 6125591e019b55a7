"""Runs a learner's code so that it can neither hang, kill nor litter the kernel.

The code runs in a thread of its own. When its time is up, or it takes too much
memory, it is stopped. A thread that cannot listen (it waits in C) is left behind,
muted: it ends as soon as it comes back.

What this cannot do: stop a single call into C that keeps the interpreter to itself,
such as `sum(itertools.count())`. Only a process of its own could, and a notebook's
functions do not travel to one on every system.
"""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import _bootstrap  # type: ignore[attr-defined]
from pathlib import Path
from types import CodeType
from typing import Any

from workbook.checks.anatomy import is_library
from workbook.checks.printing import Flood, Kept, forked
from workbook.checks.stopping import TimeUp, is_stopping, stopped, stopping, strike
from workbook.checks.surroundings import (
    Names,
    awake,
    exits_taken,
    naps,
    undisturbed,
)

TIME, MEMORY, FLOOD = "time", "memory", "flood"

_STACK = 64 * 2**20  # bytes; deep recursion shall end in Python's own error
_PERSISTENCE = 0.8  # seconds of asking a thread to stop before it is left behind
_GREED = 2**30  # bytes that an answer may take
_CEILING = 4 * 2**30  # bytes at which one allocation is refused: MemoryError
_GLANCE = 0.03  # seconds between two looks at time and memory
_GAP = 0.5  # seconds between two looks that say: the whole process stood still
_LATELY = 0.2  # seconds after which it shows whether the work sleeps
_IDLE = 0.03  # of a processor is less than work that goes on takes
_IMPORTS = 60.0  # seconds, at most, that imports may take beside the limit
_DUE = 0.6  # of the limit is what work must have had of a processor to be slow
_PATIENCE = 5  # times the limit is the longest that it may take by the clock


@dataclass
class Outcome:
    """What came of the work: a value or an error, what it printed, what ended it."""

    value: Any = None
    error: BaseException | None = None
    stopped: str = ""  # "", TIME, MEMORY or FLOOD
    printed: str = ""
    seconds: float = 0.0
    starved: bool = False  # others had the processor for most of the time
    at: tuple[CodeType, int] | None = None  # what TIME or MEMORY stopped: a line


def guarded(
    work: Callable[[], Any], limit: float, homes: list[Names] | None = None
) -> Outcome:
    """Run `work` for at most `limit` seconds (of the clock) and say what came of it.

    `homes` are the namespaces of the learner's code. Never raises, except for an
    interrupt from outside, which stops the work first.
    """
    learner, start = _Learner(work), time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(alone())
        stack.enter_context(undisturbed())
        stack.enter_context(exits_taken(inside, homes or []))
        stack.enter_context(forked(_theirs))
        stack.enter_context(_bounded_memory())
        collecting = stack.enter_context(_collections())
        try:
            _start(learner)
            _watch(learner, limit, collecting)
        finally:
            _stop(learner)
    outcome = learner.outcome
    outcome.seconds = time.monotonic() - start
    outcome.printed = learner.kept.getvalue()
    outcome.stopped = outcome.stopped or (FLOOD if learner.kept.flooded else "")
    return outcome


_theirs: dict[int, Kept | None] = {}  # the output of each learner's thread
_turn = threading.RLock()


def inside() -> bool:
    """Whether this thread is running a learner's code."""
    return threading.get_ident() in _theirs


@contextmanager
def alone() -> Iterator[None]:
    """One check at a time: they share stdout and much else."""
    if inside():
        raise RuntimeError("a check inside an answer: run it in a cell of its own")
    with _turn:
        yield


class _Learner(threading.Thread):
    """The thread that the work runs in."""

    def __init__(self, work: Callable[[], Any]):
        super().__init__(daemon=True, name="learner's code")
        self.work, self.outcome, self.kept = work, Outcome(), Kept()
        self.done = threading.Event()

    def run(self) -> None:
        _theirs[threading.get_ident()] = self.kept
        awake(threading.get_ident())
        try:
            self._attempt()
        except TimeUp:
            stopped()
        while not self.done.is_set():  # a TimeUp may still be under way
            with suppress(TimeUp):
                _theirs.pop(threading.get_ident(), None)
                self.done.set()

    def _attempt(self) -> None:
        try:
            self.outcome.value = self.work()
        except (TimeUp, Flood):
            stopped()
        except BaseException as error:
            self.outcome.error = error
            stopped()


def _start(learner: _Learner) -> None:
    """Start the thread with room for deep recursion, where there is room."""
    before = threading.stack_size(_STACK)
    try:
        learner.start()
    except RuntimeError:
        threading.stack_size(before)
        learner.start()
    finally:
        threading.stack_size(before)


def _watch(learner: _Learner, limit: float, collecting: Callable[[], float]) -> None:
    """Wait for the end, or until something is exceeded, and note what it was."""
    allowed = _Time(limit, _work_of(learner.native_id), collecting)
    full = _memory() + _GREED
    outcome = learner.outcome
    while not learner.done.wait(_GLANCE):
        allowed.look(_is_importing(learner.ident))
        if allowed.is_over(naps(learner.ident)):
            outcome.stopped, outcome.starved = TIME, allowed.starved
        elif _memory() > full:
            outcome.stopped = MEMORY
        if outcome.stopped:
            outcome.at = _line_of(learner.ident)
            return


def _line_of(ident: int | None) -> tuple[CodeType, int] | None:
    """The line of the learner's own code in which a thread is at this moment.

    Of a function that has only begun it is the line that calls it: in a recursion a
    thread is mostly found at the beginning. No frame is kept: it would keep alive all
    that the answer holds.
    """
    frame, found = sys._current_frames().get(ident or 0), None
    while frame and (found is None or found[1] == found[0].co_firstlineno):
        if not is_library(frame.f_code.co_filename):
            found = frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno
        frame = frame.f_back
    return found


def _is_importing(ident: int | None) -> bool:
    """Whether a thread is in an import, as the first use of torch.optim is.

    To stop it there would leave a module half made, for as long as the kernel lives.
    """
    locks = list(getattr(_bootstrap, "_module_locks", {}).values())
    owners = {getattr(lock(), "owner", None) for lock in locks}
    return ident is not None and ident in owners


def _work_of(thread: int | None) -> Callable[[], float]:
    """Seconds of a processor that a thread has had; of the process, if none tells.

    A thread that was left behind may keep the process busy: that is not this one's.
    """
    last, told = 0.0, Path(f"/proc/self/task/{thread}/schedstat")

    def seconds() -> float:
        nonlocal last
        with suppress(OSError):  # it may have ended meanwhile
            last = int(told.read_text().split()[0]) / 1e9
        return last

    return seconds if told.exists() else time.process_time


@contextmanager
def _collections() -> Iterator[Callable[[], float]]:
    """Seconds that Python has gone through all the objects that there are.

    It may do so in any thread, and where there are millions it takes seconds.
    """
    spent = began = 0.0

    def heard(phase: str, told: dict[str, int]) -> None:
        nonlocal spent, began
        if told["generation"] == 2:
            now = time.monotonic()
            spent += now - began if phase == "stop" and began else 0.0
            began = now if phase == "start" else 0.0

    gc.callbacks.append(heard)
    try:
        yield lambda: spent + (time.monotonic() - began if began else 0.0)
    finally:
        with suppress(ValueError):  # the answer may have emptied the list
            gc.callbacks.remove(heard)


class _Time:
    """The time that the work may take: by the clock, but longer on a busy machine.

    Work that has had little of a processor is not slow, whatever it waits for, unless
    it sleeps by its own doing. Imports do not count, nor Python's search for what is
    left (as long again as the limit at most), nor a time in which nobody could look,
    as under a closed lid.
    """

    def __init__(
        self,
        limit: float,
        work: Callable[[], float],
        collecting: Callable[[], float] = lambda: 0.0,
    ):
        self._limit, self._work, self._idle = limit, work, True
        self._collecting = collecting
        self._imported, self._stood_still = 0.0, 0.0
        self._start = self._mark = self._seen = time.monotonic(), work()
        self.starved = False

    def look(self, importing: bool) -> None:
        """Spare the time since the last look, where it was not the answer's."""
        since, effort = self._since(self._seen)
        if importing:
            self._imported = min(_IMPORTS, self._imported + since)
        elif since > _GAP and effort < _IDLE * since:
            self._stood_still += since
        self._seen = time.monotonic(), self._work()

    def is_over(self, naps: bool) -> bool:
        took, worked = self._since(self._start)
        lately, effort = self._since(self._mark)
        if lately > _LATELY:
            self._idle = naps and effort < _IDLE * lately
            self._mark = time.monotonic(), self._work()
        collected = min(self._limit, self._collecting())
        took -= self._imported + self._stood_still + collected
        worked -= collected
        self.starved = not self._idle and worked < took / 2
        waits = self.starved and worked < _DUE * self._limit
        return took > self._limit * (_PATIENCE if waits else 1)

    def _since(self, mark: tuple[float, float]) -> tuple[float, float]:
        """Seconds by the clock, and of a processor."""
        return time.monotonic() - mark[0], self._work() - mark[1]


def _stop(learner: _Learner) -> None:
    """Strike the thread until it ends, or until patience does."""
    ident, end = learner.ident, time.monotonic() + _PERSISTENCE
    if ident is None or learner.done.is_set():
        return
    with stopping(ident):
        while is_stopping(ident) and time.monotonic() < end:
            strike(ident)
            learner.done.wait(0.005)
    if not learner.done.wait(0.05):
        _theirs[ident] = None  # left behind, muted


# ---------------------------------------------------------------- memory


def _memory(column: int = 1) -> int:
    """Bytes that this process holds (0 where the system does not tell)."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[column]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return _most_memory() if column == 1 else 0


def _most_memory() -> int:
    """The most that it has ever held, which is what macOS tells, in bytes."""
    if sys.platform != "darwin":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextmanager
def _bounded_memory() -> Iterator[None]:
    """Refuse a single huge allocation, such as `[0] * 10**10`, where the system can."""
    data = _memory(5)
    if not data:
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = data + _CEILING
    room = [wanted, *(bound for bound in before if bound != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(room), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
