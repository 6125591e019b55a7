"""What a learner's code may change outside itself, and how it is put back.

`undisturbed()` puts back states: random generators, recursion limit, working folder,
environment, warnings, torch's defaults. `exits_taken()` takes the ways out of Python
away. `Shared` remembers what all code shares, such as `math.exp`.
"""

import builtins
import gc
import math
import os
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

DEPTH = 1_000  # Python's own recursion limit: a raised one hides a missing stack

Put = Callable[[Any], Any]
Names = dict[str, Any]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put back whatever state the code inside changes."""
    with warnings.catch_warnings(), ExitStack() as stack:
        for get, put in _states():
            stack.callback(put, get())
        stack.callback(Shared(libraries=True).put_back)
        with suppress(RecursionError):  # where the caller is deeper than that already
            sys.setrecursionlimit(DEPTH)
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)  # on a busy machine two wait for each other
            torch.set_default_dtype(torch.float32)
        warnings.filterwarnings("ignore", "coroutine .* was never awaited")
        yield


def _states() -> Iterator[tuple[Callable[[], Any], Put]]:
    """Pairs of get and put for global state; only of libraries already loaded."""
    yield sys.getrecursionlimit, sys.setrecursionlimit
    yield sys.getswitchinterval, sys.setswitchinterval
    yield os.getcwd, os.chdir
    yield lambda: dict(os.environ), _put_environment
    yield _modules, sys.modules.update
    yield lambda: list(sys.path), lambda paths: sys.path.__setitem__(slice(None), paths)
    yield gc.isenabled, lambda on: gc.enable() if on else gc.disable()
    yield random.getstate, random.setstate
    if numpy := sys.modules.get("numpy"):
        yield numpy.random.get_state, numpy.random.set_state
        yield numpy.geterr, lambda kinds: numpy.seterr(**kinds)
    if torch := sys.modules.get("torch"):
        yield torch.get_rng_state, torch.set_rng_state
        yield torch.get_default_dtype, torch.set_default_dtype
        yield torch.get_num_threads, torch.set_num_threads


def _modules() -> dict[str, Any]:
    """The modules that an import must go on finding."""
    return {module.__name__: module for module in (*_CORE, sys)}


def _put_environment(before: dict[str, str]) -> None:
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)


# ---------------------------------------------------------------- shared names


_CORE = (builtins, math, random, os, time)
_LOADED = ("numpy", "torch", "torch.nn", "torch.nn.functional")


class Shared:
    """The names that all code shares, as they were when this was made.

    Of Python's own modules all are remembered; with `libraries`, also the functions
    and classes of the large ones that are loaded.
    """

    def __init__(self, libraries: bool = False):
        self._before = [(module, dict(vars(module))) for module in _CORE]
        for name in _LOADED if libraries else ():
            if module := sys.modules.get(name):
                called = {n: v for n, v in vars(module).items() if callable(v)}
                self._before.append((module, called))

    def put_back(self) -> list[str]:
        """Undo what was changed since, and tell it: ["math.exp"]."""
        return [
            f"{module.__name__}.{name}".removeprefix("builtins.")
            for module, before in self._before
            if vars(module) != before
            for name in _restored(vars(module), before)
        ]


def _restored(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    changed = [n for n, v in before.items() if now.get(n, _restored) is not v]
    now.update({name: before[name] for name in changed})
    return [name for name in changed if name not in _LIVELY]


_LIVELY = {"_", "__builtins__"}  # the last value of an interactive session


# ---------------------------------------------------------------- exits


@contextmanager
def exits_taken(inside: Callable[[], bool], homes: list[Names]) -> Iterator[None]:
    """Replace what would leave Python, or wait, where `inside()` holds.

    `homes` are namespaces that may have taken such a function by its name, as
    `from os import _exit` does.
    """
    with ExitStack() as stack:
        taken = {}
        for owner, name, stand_in in _exits():
            original = getattr(owner, name)
            own = name in vars(owner)
            stack.callback(_give_back, owner, name, original, own)
            taken[id(original)] = _either(inside, stand_in, original)
            setattr(owner, name, taken[id(original)])
        for home in homes:
            names = {n: v for n, v in home.items() if id(v) in taken}
            stack.callback(home.update, names)
            home.update({n: taken[id(v)] for n, v in names.items()})
        yield


def _give_back(owner: Any, name: str, original: Any, own: bool) -> None:
    if own:
        setattr(owner, name, original)
    elif name in vars(owner):
        delattr(owner, name)  # the class's own shows again


def _either(inside: Callable[[], bool], stand_in: Any, original: Any) -> Any:
    def chosen(*args: Any, **options: Any) -> Any:
        return (stand_in if inside() else original)(*args, **options)

    return chosen


def _exits() -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    for name in ("_exit", "abort", "kill"):
        yield os, name, _leave
    if (module := sys.modules.get("IPython")) and (shell := module.get_ipython()):
        yield shell, "ask_exit", _leave  # what `exit` does in a notebook
    yield builtins, "input", _no_answer
    yield sys, "breakpointhook", _no_answer
    yield sys, "setrecursionlimit", lambda limit: None
    yield time, "sleep", _nap


def _leave(*_: Any) -> None:
    raise SystemExit


def _no_answer(*_: Any, **__: Any) -> str:
    raise RuntimeError("this waits for a person to type, and a check has none")


_napping: set[int] = set()  # idents of threads


def naps(ident: int | None) -> bool:
    """Whether a thread sleeps because its own code says so."""
    return ident in _napping


def awake(ident: int) -> None:
    """Said of a thread that begins: one of this ident may have been ended asleep."""
    _napping.discard(ident)


def _nap(seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Sleep in slices, so that it can be stopped."""
    end, ident = time.monotonic() + seconds, threading.get_ident()
    _napping.add(ident)
    try:
        while (left := end - time.monotonic()) > 0:
            sleep(min(left, 0.02))
    finally:
        _napping.discard(ident)
