"""Runs a learner's code so that it can neither hang, kill nor litter the kernel.

The code runs in a thread of its own. When its time is up, an exception is put into
that thread, again and again, since a bare `except:` may swallow the first; a thread
that does not listen even then (it sleeps in C) is left behind, muted. What the code
prints is kept up to a bound, and what it changes outside itself (random states,
recursion limit, working folder) is put back.
"""

import builtins
import ctypes
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

FLOOD = 100_000  # characters; a print left in for debugging stays far below
_STACK = 256 * 2**20  # bytes; deep recursion shall end in Python's own error
_PERSISTENCE = 1.0  # seconds of asking a thread to stop before it is left behind


class TimeUp(BaseException):
    """Put into the learner's thread when its time is over."""


class Flood(BaseException):
    """Raised by `print` when the output passes the bound."""


@dataclass
class Outcome:
    """What came of the work: a value or an error, what it printed, how it ended."""

    value: Any = None
    error: BaseException | None = None
    timed_out: bool = False
    printed: str = ""


def guarded(work: Callable[[], Any], limit: float) -> Outcome:
    """Run `work` for at most `limit` seconds (of the clock) and say what came of it.

    Never raises, except for an interrupt from outside, which stops the work first.
    """
    outcome, go, done = Outcome(), threading.Event(), threading.Event()

    def body() -> None:
        try:
            go.wait()  # until its output is looked after
            outcome.value = work()
        except TimeUp:
            outcome.timed_out = True
        except BaseException as error:
            outcome.error = error
        finally:
            done.set()

    with ExitStack() as stack:
        stack.enter_context(_undisturbed())
        thread = _start(body)
        out = stack.enter_context(_captured(thread))
        go.set()
        _wait(thread, done, outcome, limit)
    outcome.printed = out.getvalue()
    return outcome


def _start(body: Callable[[], None]) -> threading.Thread:
    """A thread with room for deep recursion."""
    before = threading.stack_size()
    threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=body, daemon=True, name="learner's code")
        thread.start()
    finally:
        threading.stack_size(before)
    return thread


def _wait(
    thread: threading.Thread, done: threading.Event, outcome: Outcome, limit: float
) -> None:
    try:
        if done.wait(limit):
            return
        outcome.timed_out = True
        _stop(thread, done)
    except KeyboardInterrupt:  # the learner pressed stop
        _stop(thread, done)
        raise


def _stop(thread: threading.Thread, done: threading.Event) -> None:
    """Put TimeUp into the thread until it ends, or until patience does."""
    end = time.monotonic() + _PERSISTENCE
    ident = ctypes.c_ulong(thread.ident or 0)
    while not done.is_set() and time.monotonic() < end:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(TimeUp))
        done.wait(0.005)
    if not done.is_set():
        _abandoned.add(thread.ident)


_abandoned: set[int | None] = set()


class _Bounded(io.StringIO):
    """Keeps what is written, and ends a flood."""

    def write(self, text: str) -> int:
        if self.tell() + len(text) > FLOOD:
            super().write(text[: max(0, FLOOD - self.tell())])
            raise Flood
        return super().write(text)


class _Fork:
    """A stream that sends the learner's thread one way and all others the other."""

    def __init__(self, stream: Any, thread: threading.Thread, kept: io.StringIO):
        self._stream, self._ident, self._kept = stream, thread.ident, kept

    def write(self, text: str) -> int:
        ident = threading.get_ident()
        if ident in _abandoned:
            return len(text)
        return (self._kept if ident == self._ident else self._stream).write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _captured(thread: threading.Thread) -> Iterator[io.StringIO]:
    """Keep what `thread` writes to stdout and stderr, and nothing else."""
    kept, before = _Bounded(), (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = (_Fork(stream, thread, kept) for stream in before)
    try:
        yield kept
    finally:
        if (
            thread.ident not in _abandoned
        ):  # else its prints must go on finding the fork
            sys.stdout, sys.stderr = before


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put back what the work may change outside itself, and take the exits away."""
    states = [(put, get()) for get, put in _states()]
    swaps = [(owner, name, getattr(owner, name)) for owner, name, _ in _EXITS]
    for owner, name, stand_in in _EXITS:
        setattr(owner, name, stand_in)
    try:
        yield
    finally:
        for owner, name, original in swaps:
            setattr(owner, name, original)
        for put, value in states:
            put(value)


def _states() -> Iterator[tuple[Callable[[], Any], Callable[[Any], Any]]]:
    """Pairs of get and put for global state; only of libraries already loaded."""
    import random

    yield sys.getrecursionlimit, sys.setrecursionlimit
    yield os.getcwd, os.chdir
    yield random.getstate, random.setstate
    if numpy := sys.modules.get("numpy"):
        yield numpy.random.get_state, numpy.random.set_state
    if torch := sys.modules.get("torch"):
        yield torch.get_rng_state, torch.set_rng_state
        yield torch.get_default_dtype, torch.set_default_dtype


def _leave(*_: Any) -> None:
    raise SystemExit


def _no_input(*_: Any) -> str:
    raise RuntimeError("input() waits for a person, and a check has none")


_EXITS: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
    (os, "_exit", _leave),
    (os, "abort", _leave),
    (builtins, "input", _no_input),
    # a raised limit hides a recursion that a longer input breaks
    (sys, "setrecursionlimit", lambda _limit: None),
)
