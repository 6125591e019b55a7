"""Stops a thread that runs a learner's code, even one that catches everything.

An exception can be put into another thread, but a bare `except:` swallows it. So from
the moment a thread has to stop, every line that it runs raises: what is caught in one
line is raised again in the next, and no loop outlives that.

Python 3.12 can watch the lines of all threads from one of them. Python 3.11 can only
trace the thread that asks, and so the exception itself, which Python makes in the
thread that it strikes, has to ask.
"""

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any


class TimeUp(BaseException):
    """Put into the learner's thread when it has to stop."""

    def __init__(self) -> None:
        super().__init__()
        if not _WATCHES and threading.get_ident() in _stopping:
            sys.setprofile(_trace_lines)
            _trace_lines(sys._getframe())


class _Again(TimeUp):
    """The TimeUp of a line; it has nothing to set up."""

    def __init__(self) -> None:
        BaseException.__init__(self)


_stopping: set[int] = set()  # idents of threads
_WATCHES = sys.version_info >= (3, 12)
_OURS = "/workbook/checks/guard.py", "/workbook/checks/stopping.py"


@contextmanager
def stopping(ident: int) -> Iterator[None]:
    """Let each line of the thread raise, as far as it is the learner's."""
    _stopping.add(ident)
    try:
        with _lines_watched() if _WATCHES else _nothing():
            yield
    finally:
        if ident not in _stopping:  # else it is in C, and meets TimeUp on its return
            _withdraw(ident, None)


def stopped() -> None:
    """Said by a thread that has reached its end: its lines may run again."""
    _stopping.discard(threading.get_ident())
    if not _WATCHES:
        sys.setprofile(None)
        sys.settrace(None)


def is_stopping(ident: int) -> bool:
    return ident in _stopping


def strike(ident: int) -> None:
    """Put TimeUp into a thread."""
    _put(ident, TimeUp)


_set = "PyThreadState_SetAsyncExc", ctypes.pythonapi
_put = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.py_object)(_set)
_withdraw = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)(_set)


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.replace("\\", "/").endswith(_OURS)


# ---------------------------------------------------------------- Python 3.11


def _trace_lines(frame: FrameType | None, *_: Any) -> None:
    """Let each further line of this thread raise.

    Python drops a trace function that raises. This one never does, and sets the
    other anew whenever a function begins or ends.
    """
    sys.settrace(_raise)
    while frame := frame and frame.f_back:
        if not _is_ours(frame.f_code):
            frame.f_trace = _raise


def _raise(frame: FrameType, event: str, _: Any) -> Any:
    if _is_ours(frame.f_code):
        return None
    if event == "line":
        raise _Again
    return _raise


# ---------------------------------------------------------------- Python 3.12


@contextmanager
def _lines_watched() -> Iterator[None]:
    """Watch all lines; `_line` looks which thread they run in."""
    watch = sys.monitoring  # type: ignore[attr-defined]
    tool = next((i for i in (4, 3, 2, 5) if watch.get_tool(i) is None), None)
    if tool is None:
        yield
        return
    watch.use_tool_id(tool, "workbook")
    watch.register_callback(tool, watch.events.LINE, _line)
    watch.set_events(tool, watch.events.LINE)
    try:
        yield
    finally:
        watch.set_events(tool, 0)
        watch.register_callback(tool, watch.events.LINE, None)
        watch.free_tool_id(tool)


def _line(code: CodeType, _: int) -> None:
    if threading.get_ident() in _stopping and not _is_ours(code):
        raise _Again


@contextmanager
def _nothing() -> Iterator[None]:
    yield
