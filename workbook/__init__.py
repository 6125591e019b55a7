"""The workbook behind the notebooks: checks, hints, live pictures, data.

A notebook takes what it needs by name, and nothing heavy is loaded before it is
used: `import workbook` brings neither torch nor matplotlib nor jupytext.

    from workbook import add_to, check, data, explore, hint, predict, solution, style
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

__version__ = "0.1.0"

_DOORS = {
    "check": "workbook.desk",
    "hint": "workbook.desk",
    "solution": "workbook.desk",
    "predict": "workbook.predictions",
}

__all__ = ["add_to", "budget", "headless", *_DOORS]

Method = TypeVar("Method", bound=Callable[..., Any])


def __getattr__(name: str) -> Any:
    """Load the module behind a door the first time somebody asks for it."""
    if name not in _DOORS:
        raise AttributeError(f"module 'workbook' has no attribute {name!r}")
    found = getattr(import_module(_DOORS[name]), name)
    globals()[name] = found
    return found


def add_to(cls: type) -> Callable[[Method], Method]:
    """Decorator: make a function a method of `cls`, under the function's own name.

    A class can so grow over several cells, a few lines at a time. A later
    definition of the same name replaces the earlier one, as within a class body.

    >>> class Value: pass
    >>> @add_to(Value)
    ... def double(self): return 2
    >>> Value().double()
    2
    """

    def put(method: Method) -> Method:
        method.__qualname__ = f"{cls.__qualname__}.{method.__name__}"
        setattr(cls, method.__name__, method)
        return method

    return put


def checking() -> bool:
    """Whether `make check` runs this notebook: shipped data, short budgets, text."""
    return os.environ.get("WORKBOOK_CHECK") == "1"


def budget(full: int, check: int) -> int:
    """Steps to train for: `full` for a learner, `check` when `make check` runs."""
    return check if checking() else full


def headless() -> bool:
    """Whether nobody is there to click: in check mode, or outside a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    if checking() or ipython is None:
        return True
    return not hasattr(ipython.get_ipython(), "kernel")
