"""A learner's notebook for tests: cells run in a namespace of their own."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from textwrap import indent
from typing import Any

from workbook import source
from workbook.checks import Exercise, known
from workbook.course import lesson

Names = dict[str, Any]
_BLOCK = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION", re.M | re.S)


@cache
def cells(slug: str) -> tuple[tuple[str, str | None], ...]:
    """The code of a lesson's solutions, with the exercise that each cell answers."""
    read = source.read(lesson(slug).solution_source)
    codes = [c for c in read if c.kind == "code" and "solution" not in c.tags]
    skipped = ("check(", "import ")
    return tuple((c.text, c.exercise) for c in codes if not c.text.startswith(skipped))


def blank(slug: str = "micrograd") -> Names:
    """A namespace after the imports of the notebook's first code cell."""
    names: Names = {"__name__": "__main__"}
    first = next(c for c in source.read(lesson(slug).solution_source) if is_code(c))
    for line in ast.parse(first.text).body:
        if isinstance(line, ast.Import | ast.ImportFrom):
            exec(ast.unparse(line), names)
    return names


def is_code(cell: source.Cell) -> bool:
    return cell.kind == "code"


def bare(id: str) -> Names:
    """A namespace with what the cells of an exercise cannot be run without.

    These are classes that it adds to or names, without an answer in them, and the
    cells that are no exercise.
    """
    names = blank(known(id).lesson)
    for text, exercise in _until(id):
        if exercise is None:
            exec(text, names)
        elif exercise != id and text.startswith("class "):
            exec(emptied(text, f'raise NotImplementedError("TODO {exercise}")'), names)
    return names


def solved(id: str) -> Names:
    """A namespace in which the solutions have run, up to and with this exercise."""
    return _run(id, lambda text, exercise: source.unmarked(text))


def alone(id: str, instead: str) -> Names:
    """The same with the code of every *other* answer being `instead`."""
    return _run(id, _others_emptied(id, instead))


def enclosed(id: str, instead: str) -> str:
    """The same as one function `notebook` that returns the objects to check."""
    changed = _others_emptied(id, instead)
    body = "\n\n".join(changed(text, exercise) for text, exercise in _until(id))
    names = ", ".join(known(id).names)
    return f"def notebook():\n{indent(body, '    ')}\n    return ({names},)\n"


def _others_emptied(id: str, instead: str) -> Callable[[str, str | None], str]:
    def changed(text: str, exercise: str | None) -> str:
        if exercise in (None, id):
            return source.unmarked(text)
        return emptied(text, instead.replace("ID", exercise))

    return changed


def emptied(text: str, instead: str) -> str:
    """A cell with other code in place of its answers."""
    return _BLOCK.sub(lambda found: found[1] + instead, text)


def stub(id: str) -> str:
    """The cells of an exercise as a learner finds them."""
    todo = f'raise NotImplementedError("TODO {id}")'
    texts = [text for text, exercise in cells(known(id).lesson) if exercise == id]
    return "\n\n".join(emptied(text, todo) for text in texts)


def _until(id: str) -> Iterator[tuple[str, str | None]]:
    """The cells up to and with those of an exercise."""
    reached = False
    for text, exercise in cells(known(id).lesson):
        if reached and exercise != id:
            return
        reached = exercise == id
        yield text, exercise


def _run(id: str, changed: Callable[[str, str | None], str]) -> Names:
    names = blank(known(id).lesson)
    for text, exercise in _until(id):
        exec(compile(changed(text, exercise), "<cell>", "exec"), names)
    return names


def answered(id: str, code: str, names: Names | None = None) -> tuple[Any, ...]:
    """The objects to check after a cell of code has run."""
    names = solved(id) if names is None else names
    exec(compile(code, "<cell>", "exec"), names)
    return objects(known(id), names)


def objects(check: Exercise, names: Names) -> tuple[Any, ...]:
    return tuple(names[name] for name in check.names)
