"""Lets a learner's objects stand on the given module in place of their notebook.

An earlier part that is open or wrong shall not hide whether this one is right, and a
class that several exercises add to must be checkable part by part. So, while a check
runs, the names that earlier exercises define mean the given ones in the learner's own
namespace: helpers, closures, decorators and recursion find them there as usual.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from workbook.checks.anatomy import functions, members, names_in
from workbook.checks.cases import Exercise, name_of

Names = dict[str, Any]


@cache
def _given_code(path: Path) -> CodeType:
    return compile(path.read_text("utf-8"), str(path), "exec")


def given(slug: str) -> ModuleType | None:
    """A fresh, private copy of the given module of a lesson, where there is one."""
    path = Path(__file__).resolve().parents[1] / "given" / f"{slug}.py"
    if not path.exists():
        return None
    module = ModuleType(f"given_{slug}")
    exec(_given_code(path), module.__dict__)
    return module


def required(slug: str) -> ModuleType:
    """The same; FileNotFoundError, with what to do, where there is none."""
    module = given(slug)
    if module is None:
        raise FileNotFoundError(f"workbook/given/{slug}.py: run `make exercises`")
    return module


def stage(slug: str, *objects: Any) -> ModuleType | None:
    """A copy of the given module on which the learner's objects can act.

    Where they name a class of the module, the copy uses the class that this name
    means to them, so that what a check hands over is of the class that they know.
    """
    module = given(slug)
    for function in functions(objects) if module else ():
        home, used = function.__globals__, names_in(function.__code__)
        cells = {name: _held(cell) for name, cell in _cells([function])}
        for name, thing in _defined(module).items():
            own = cells.get(name) or (home.get(name) if name in used else None)
            if isinstance(thing, type) and isinstance(own, type):
                setattr(module, name, own)
    return module


def _held(cell: CellType) -> Any:
    """What a variable holds; None before it holds anything."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def depends(check: Exercise, objects: tuple[Any, ...]) -> bool:
    """Whether the objects use anything that an earlier exercise defines."""
    fresh = given(check.lesson)
    if fresh is None:
        return False
    codes = [function.__code__ for function in functions(objects)]
    used = {n for code in codes for n in (*names_in(code), *code.co_freevars)}
    return bool(check.parts) or bool(used & _offered(check, objects, fresh).keys())


def plan(check: Exercise, objects: tuple[Any, ...]) -> "Move":
    """How to let the objects stand on the given module. Runs code of the learner's."""
    fresh = given(check.lesson)
    if fresh is None:
        raise LookupError(f"there is no given module for {check.id}")
    names, around = _offered(check, objects, fresh), homes(objects)
    if check.parts:
        mine, name = objects[0], check.names[0]
        grown = _grown(mine, getattr(fresh, name), check.parts)
        setattr(fresh, name, grown)
        aliases = {n for home in around for n, v in home.items() if v is mine}
        names |= dict.fromkeys({name, *aliases}, grown)
        objects = (grown, *objects[1:])
    heirs = [pair for thing in objects for pair in _heirs(thing, names)]
    return Move(objects, names, around, _cells(functions(objects)), heirs)


def _heirs(thing: Any, names: Names) -> Iterator[tuple[type, tuple[type, ...]]]:
    """The classes of a notebook that inherit from its earlier ones, and new bases."""
    for cls in type.mro(thing) if issubclass(type(thing), type) else ():
        bases = cls.__bases__
        own = (base.__module__ == cls.__module__ for base in bases)
        pairs = zip(bases, own, strict=True)
        new = tuple(names.get(b.__name__, b) if mine else b for b, mine in pairs)
        if members(cls) and new != bases:
            yield cls, new


def homes(objects: tuple[Any, ...]) -> list[Names]:
    """The namespaces that the objects' functions look their names up in."""
    found = {id(f.__globals__): f.__globals__ for f in functions(objects)}
    return list(found.values())


def _cells(made_of: list[FunctionType]) -> list[tuple[str, CellType]]:
    """The variables that functions have from the functions around them, by name."""
    cells: dict[int, tuple[str, CellType]] = {}
    for function in made_of:
        names = function.__code__.co_freevars
        free = zip(names, function.__closure__ or (), strict=True)
        cells |= {id(cell): (name, cell) for name, cell in free}
    return [(name, cell) for name, cell in cells.values() if name != "__class__"]


@dataclass(frozen=True)
class Move:
    """The objects as they shall be judged, and the names to change meanwhile."""

    objects: tuple[Any, ...]
    names: Names
    homes: list[Names]
    cells: list[tuple[str, CellType]]
    heirs: list[tuple[type, tuple[type, ...]]]

    @contextmanager
    def done(self) -> Iterator[tuple[Any, ...]]:
        """Let the names mean the given things, and then again what they meant."""
        with ExitStack() as stack:
            for home in self.homes:
                stack.callback(_restore, home, dict(home), self.names)
                home.update(self.names)
            for name, cell in self.cells:
                if name in self.names and _held(cell) is not None:
                    stack.callback(setattr, cell, "cell_contents", cell.cell_contents)
                    cell.cell_contents = self.names[name]
            for cls, bases in self.heirs:
                with suppress(TypeError):  # a base of another layout stays
                    before, cls.__bases__ = cls.__bases__, bases
                    stack.callback(setattr, cls, "__bases__", before)
            yield self.objects


def _restore(home: Names, old: Names, names: Names) -> None:
    for name in names:
        if name in old:
            home[name] = old[name]
        else:
            home.pop(name, None)


def _defined(module: ModuleType) -> Names:
    """The functions and classes that a module defines itself."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if isinstance(thing, FunctionType | type)
    }


def _offered(check: Exercise, objects: tuple[Any, ...], fresh: ModuleType) -> Names:
    """What there is in place of other exercises' answers, most of it given."""
    own = {*check.names, *check.helpers, *(name_of(thing) for thing in objects)}
    offered = check.stands_on | _defined(fresh)
    return {n: v for n, v in offered.items() if n not in own}


def _grown(mine: type, theirs: type, parts: tuple[str, ...]) -> type:
    """A class with `parts`, and what the learner added, from `mine`, all else given.

    It comes from the learner's class by inheritance, so that `super()` and class
    attributes mean there what they mean in the notebook.
    """
    special = {n for cls in type.mro(mine) for n in members(cls) if n.startswith("__")}
    names = (special | members(theirs).keys()) - set(parts) - _NEVER
    body = {n: getattr(theirs, n) for n in sorted(names) if hasattr(theirs, n)}
    # where theirs inherits, its methods may say super(), which has to find theirs
    bases = (mine,) if theirs.__bases__ == (object,) else (mine, theirs)
    return type(mine)(mine.__name__, bases, body)


_NEVER = {
    *("__dict__", "__weakref__", "__module__", "__doc__", "__slots__", "__qualname__"),
    *(
        "__class__",
        "__new__",
        "__init_subclass__",
        "__subclasshook__",
        "__annotations__",
    ),
    *("__firstlineno__", "__static_attributes__", "__match_args__"),
}
