"""Whether an exercise is still open: its stub, or one that it stands on, is untouched.

A stub raises NotImplementedError. A learner may have replaced that by `pass`, `...` or
a `return None`; then the code says so, if the failing case has run it.
"""

import dis
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType
from typing import Any

from workbook.checks.anatomy import (
    functions,
    is_library,
    is_skeleton,
    is_stub,
    members,
)
from workbook.checks.asking import No, tried
from workbook.checks.cases import Case, Exercise, exercises


@dataclass(frozen=True)
class Open:
    """What is still to write: a function's name, of the exercise `id`."""

    id: str
    name: str = ""
    returns: str = ""  # "None" where there is code, but nothing comes out of it


def still_open(
    check: Exercise, objects: tuple[Any, ...], no: No, first: bool
) -> Open | None:
    """What is still to write, where this no (`first`: of the first case) says so."""
    if no.kind == "raised" and _says_todo(no.detail):
        return _said(check, objects, no.detail)
    if no.case and not no.case.once and (stubs := _stubs(check, objects)):
        for code in _called(no.case):
            if code in stubs:
                return stubs[code]
    if no.kind == "empty" and first:
        return Open(check.id, returns=no.detail.yours)
    return None


def _says_todo(error: BaseException) -> bool:
    """Whether a `raise` of the learner's notebook says that something is to be written.

    PyTorch raises the same error for a dtype that an operation does not know; there
    the learner's last step is a call.
    """
    trace = error.__traceback__
    if not isinstance(error, NotImplementedError) or trace is None:
        return False
    while trace.tb_next:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    raised = dis.opname[code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"
    return raised and not is_library(code.co_filename)


def _said(
    check: Exercise, objects: tuple[Any, ...], error: NotImplementedError
) -> Open:
    """What the stub itself says: `TODO micrograd.value`; else where it stands."""
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = _own(check, objects)
    name = own.get(frames[-1], "")
    with suppress(Exception):
        id = str(error).removeprefix("TODO ").strip()
        if id != check.id and id in exercises(check.lesson):
            return Open(id)
    return Open(check.id, name)


def _own(check: Exercise, objects: tuple[Any, ...]) -> dict[CodeType, str]:
    """The code that this exercise asks for, with the name that it has there."""
    own = {}
    for thing in objects:
        if type(thing) is FunctionType:
            own[thing.__code__] = thing.__name__
        elif issubclass(type(thing), type):
            every = [pair for cls in type.mro(thing) for pair in members(cls).items()]
            for name, value in reversed(every):
                if type(value) is FunctionType and name in (check.parts or (name,)):
                    own[value.__code__] = name
    return own


def _stubs(check: Exercise, objects: tuple[Any, ...]) -> dict[CodeType, Open]:
    """The untouched stubs among all that the objects are made of."""
    own, owners = _own(check, objects), _owners(check)
    stubs = {}
    for function in functions(objects):
        code, name = function.__code__, function.__name__
        skeleton = any(is_skeleton(function, one) for one in check.skeletons)
        if not skeleton and not is_stub(function):
            continue
        if code in own:
            stubs[code] = Open(check.id, own[code])
        elif owners.get(name, check.id) != check.id:
            stubs[code] = Open(owners[name], name)
    return stubs


def _owners(check: Exercise) -> dict[str, str]:
    """The exercise that asks for a function of this name."""
    owners: dict[str, str] = {}
    for other in exercises(check.lesson).values():
        for name in (*other.parts, *other.names):
            owners.setdefault(name, other.id)
    return owners


def _called(one: Case) -> list[CodeType]:
    """The code that runs when the case is asked once more."""
    called: dict[CodeType, None] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            called[frame.f_code] = None

    sys.setprofile(note)
    try:
        tried(one.act)
    finally:
        sys.setprofile(None)
    return list(called)
