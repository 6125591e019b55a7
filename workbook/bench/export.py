"""Answers become a plain module: imports on top, whole classes, no workbook in it.

What is exported are the lesson's public names and whatever these need. A class that
grew over several cells by `@add_to(Value)` comes out as one class; as within a class
body, the last definition of a method wins and stands where the first one stood.
"""

import ast
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workbook.course import Lesson
from workbook.source import read, unmarked


@dataclass
class Piece:
    """A definition at the top level of a cell: its name, its text, what it uses."""

    name: str
    text: str
    uses: set[str]
    methods: dict[str, str] = field(default_factory=dict)  # added by later cells


@dataclass(frozen=True)
class Exported:
    """A module's text, and the public names that are not in it."""

    text: str
    missing: tuple[str, ...]


def from_solutions(one: Lesson) -> Exported:
    """The module that a lesson's solutions make."""
    cells = read(one.solution_source)
    codes = [c.text for c in cells if c.kind == "code" and "solution" not in c.tags]
    return module(one, codes)


def given(one: Lesson) -> str:
    """The same module, with a first line that says it is made."""
    source = f"{one.solution_source.parent.name}/{one.solution_source.name}"
    made = f"# Made from {source} by `make exercises`: edit that, not this.\n"
    return made + from_solutions(one).text


def module(one: Lesson, codes: Iterable[str]) -> Exported:
    """Put the definitions of some cells together as one module."""
    trees = [(code, ast.parse(code)) for code in map(unmarked, codes)]
    pieces = _pieces(trees)
    wanted = _closure(one.public, pieces)
    body = [_whole(pieces[name]) for name in pieces if name in wanted]
    imports = _imports(trees, set().union(*(_uses(text) for text in body)))
    parts = [f'"""{_about(one)}"""', "\n".join(imports), *body]
    text = "\n\n\n".join(part for part in parts if part) + "\n"
    missing = tuple(name for name in one.public if name not in pieces)
    return Exported(_formatted(text), missing)


def _about(one: Lesson) -> str:
    """The docstring of the module: what it is, and whose lecture it follows."""
    names = textwrap.fill(", ".join(one.public) + ".", 84)
    return (
        f"{one.title}.\n\n{names}\n\n"
        f"Written along Andrej Karpathy's lecture, {one.video}\n"
    )


def _pieces(trees: list[tuple[str, ast.Module]]) -> dict[str, Piece]:
    """All definitions by name, in the order of their first appearance."""
    pieces: dict[str, Piece] = {}
    for code, tree in trees:
        for node in tree.body:
            name, owner = _name(node), _owner(node)
            if name is None:
                continue
            text = _text(code, node)
            if owner is None:
                pieces[name] = Piece(name, text, _uses(text))
            elif owner in pieces:
                pieces[owner].methods[name] = text
                pieces[owner].uses |= _uses(text)
    return pieces


def _name(node: ast.stmt) -> str | None:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
        return name if name.isupper() else None  # a constant of the module
    return None


def _owner(node: ast.stmt) -> str | None:
    """The class that `@add_to(…)` adds a function to."""
    for mark in getattr(node, "decorator_list", ()):
        if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "add_to":
            return ast.unparse(mark.args[0])
    return None


def _text(code: str, node: ast.stmt) -> str:
    """The node's own lines, without the decorator that added it to a class."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    lines = code.splitlines()[first - 1 : node.end_lineno]
    return "\n".join(line for line in lines if not line.startswith("@add_to("))


def _uses(text: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}


def _closure(wanted: Iterable[str], pieces: dict[str, Piece]) -> set[str]:
    """The wanted names and everything that they use, over any number of steps."""
    found: set[str] = set()
    queue = [name for name in wanted if name in pieces]
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue += pieces[name].uses & pieces.keys()
    return found


def _whole(piece: Piece) -> str:
    """The piece with the methods of later cells inside its body."""
    if not piece.methods:
        return piece.text
    left = dict(piece.methods)
    lines = piece.text.splitlines()
    for node in reversed(_class(piece.text).body):
        if isinstance(node, ast.FunctionDef) and node.name in left:
            new = textwrap.indent(left.pop(node.name), "    ").splitlines()
            lines[node.lineno - 1 : node.end_lineno] = new
    added = [textwrap.indent(text, "    ") for text in left.values()]
    return "\n\n".join(["\n".join(lines), *added])


def _class(text: str) -> ast.ClassDef:
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.ClassDef)
    return node


def _imports(trees: list[tuple[str, ast.Module]], used: set[str]) -> list[str]:
    """The imports that the module needs, the workbook's own left out."""
    found = set()
    for _, tree in trees:
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                found |= set(_needed(node, used))
    return sorted(found, key=lambda line: (line.startswith("from"), line))


def _needed(node: ast.Import | ast.ImportFrom, used: set[str]) -> Iterator[str]:
    for alias in node.names:
        known = (alias.asname or alias.name).partition(".")[0]
        if known not in used:
            continue
        if isinstance(node, ast.Import):
            yield ast.unparse(ast.Import([alias]))
        elif node.module and not node.module.startswith("workbook"):
            yield ast.unparse(ast.ImportFrom(node.module, [alias], node.level))


def _formatted(text: str) -> str:
    """The text in the one format; as it is where no formatter is installed."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    text = done.stdout if done.returncode == 0 else text
    return re.sub(r"\n{4,}", "\n\n\n", text)


def write(text: str, path: Path) -> bool:
    """Write text where it differs; whether it did."""
    if path.exists() and path.read_text("utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return True
