"""What a learner's objects are made of: their functions, names and untouched stubs.

Everything is read from code objects and dictionaries; nothing of the learner's runs.
"""

import builtins
import dis
import math
import sysconfig
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

_MANY = 1_000  # functions; a notebook has fewer
HEAP = 1 << 9  # Py_TPFLAGSHEAPTYPE: the class was made by a `class` statement
_LIBRARIES = (
    str(Path(__file__).resolve().parents[1]),
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib")),
)


def functions(objects: Iterable[Any]) -> list[FunctionType]:
    """All functions that the objects are made of or call by name, helpers included."""
    found: dict[int, FunctionType] = {}
    seen: dict[int, Any] = {}
    queue = list(objects)
    while queue and len(found) < _MANY:
        thing = queue.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if type(thing) is FunctionType:
            if is_library(thing.__code__.co_filename):
                # a decorator of a package, as @torch.no_grad(), hides an answer
                queue += filter(None, [thing.__dict__.get("__wrapped__")])
                continue
            found[id(thing)] = thing
        queue += _inside(thing)
    return list(found.values())


def is_library(filename: str) -> bool:
    """Whether code of this file is Python's, a package's or ours, not the learner's."""
    if filename.startswith("<frozen"):
        return True
    elsewhere = "site-packages" in Path(filename).parts  # of another environment
    return elsewhere or filename.startswith(_LIBRARIES)


def _inside(thing: Any) -> Iterator[Any]:
    """What a function, class or wrapper refers to."""
    if type(thing) is FunctionType:
        yield from _of_function(thing)
    elif type(thing) in (MethodType, staticmethod, classmethod):
        yield thing.__func__
    elif type(thing) is property:
        yield from (thing.fget, thing.fset)
    elif type(thing) is partial:
        yield thing.func
    elif issubclass(type(thing), type):
        for cls in type.mro(thing):
            yield from members(cls).values()
    elif type(thing).__flags__ & HEAP:
        yield from (type(thing), *_attributes(thing).values())
    elif wrapped := _attributes(thing).get("__wrapped__"):
        yield wrapped


def _of_function(function: FunctionType) -> Iterator[Any]:
    yield from function.__dict__.values()
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
    names = function.__globals__
    for name in names_in(function.__code__) & names.keys():
        if not isinstance(names[name], ModuleType):
            yield names[name]


def members(cls: type) -> dict[str, Any]:
    """A class' own attributes, whatever its metaclass says; none of built-in ones."""
    if not cls.__flags__ & HEAP or cls.__module__ in ("abc", "typing"):
        return {}
    return dict(type.__dict__["__dict__"].__get__(cls))


def _attributes(thing: Any) -> dict[str, Any]:
    try:
        found = object.__getattribute__(thing, "__dict__")
    except (AttributeError, TypeError):
        return {}
    return found if type(found) is dict else {}


@lru_cache(maxsize=1_000)
def names_in(code: CodeType) -> frozenset[str]:
    """The global names that some code, and the code inside it, looks up."""
    inner = (c for c in code.co_consts if isinstance(c, CodeType))
    steps = dis.get_instructions(code)
    own = {s.argval for s in steps if s.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return frozenset(own.union(*map(names_in, inner)))


# ---------------------------------------------------------------- stubs


def is_stub(function: FunctionType) -> bool:
    """Whether the body is `pass`, `...`, a docstring or a `return` of None or `...`."""
    if function.__name__ == "<lambda>" or len(function.__code__.co_code) > _SHORT:
        return False
    return list(_steps(function)) in _STUBS


_SHORT = 32  # bytes; the steps of a stub take fewer

_STUBS = [
    steps
    for nothing in (None, ...)
    for steps in (
        [("LOAD_CONST", nothing), ("RETURN_VALUE", None)],
        [("LOAD_COMMON_CONSTANT", nothing), ("RETURN_VALUE", None)],
        [("RETURN_CONST", nothing)],
    )
]


def is_skeleton(function: FunctionType, given: FunctionType) -> bool:
    """Whether a function does what the given one does, step by step."""
    alike = function.__name__ == given.__name__
    return alike and list(_steps(function)) == list(_steps(given))


def _steps(function: FunctionType) -> Iterator[tuple[str, Any]]:
    for step in dis.get_instructions(function):
        if step.opname not in _PREPARING:
            yield step.opname, step.argval if step.opcode not in dis.hasjrel else None


_PREPARING = {"RESUME", "NOP", "CACHE", "COPY_FREE_VARS", "MAKE_CELL", "NOT_TAKEN"}


# ---------------------------------------------------------------- shadowed names


def shadowed(code: CodeType, names: dict[str, Any]) -> dict[str, Any]:
    """The built-in names that some code uses, and that its notebook has taken.

    After `from math import *` the power is another one, and as good.
    """
    used = names_in(code) & names.keys() & set(dir(builtins))
    public = sorted(name for name in used if not name.startswith("_"))
    taken = {n: names[n] for n in public if names[n] is not getattr(builtins, n)}
    return {n: v for n, v in taken.items() if v is not getattr(math, n, None)}
