"""Answers become a plain module: imports on top, whole classes, no workbook in it.

What is exported are the lesson's public names and whatever these need. A class that
grew over several cells by `@add_to(Value)` comes out as one class; as within a class
body, the last definition of a method wins and stands where the first one stood. What
needs a name that is not there is left out, and so is what needs that.
"""

import ast
import builtins
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from workbook.bench.statements import (
    Binding,
    Statement,
    imports,
    indented,
    statements,
    uses,
)
from workbook.course import Lesson
from workbook.source import read

_BUILTINS = frozenset(vars(builtins)) | {"__name__", "__file__"}


@dataclass(frozen=True)
class Code:
    """The code of a cell, and the exercise that it answers."""

    text: str
    exercise: str = ""
    spare: bool = False  # a learner's own cell: it serves where nothing else does


@dataclass
class Piece:
    """A name of the module: how it is defined, and what later cells add to it."""

    base: Statement
    methods: dict[str, Statement] = field(default_factory=dict)  # of a class
    patches: list[Statement] = field(default_factory=list)  # Value.a = …, at the end

    @property
    def additions(self) -> list[Statement]:
        return [*self.methods.values(), *self.patches]


@dataclass(frozen=True)
class Exported:
    """A module's text, the public names that are not in it, and why: id -> reason."""

    text: str
    missing: tuple[str, ...]
    left_out: dict[str, str]


def from_solutions(one: Lesson) -> Exported:
    """The module that a lesson's solutions make."""
    cells = read(one.solution_source)
    codes = [c for c in cells if c.kind == "code" and "solution" not in c.tags]
    return module(one, [Code(c.text, c.exercise or "") for c in codes])


def given(one: Lesson) -> str:
    """The same module, with a first line that says it is made."""
    source = f"{one.solution_source.parent.name}/{one.solution_source.name}"
    made = f"# Made from {source} by `make exercises`: edit that, not this.\n"
    return made + from_solutions(one).text


def module(
    one: Lesson, codes: list[Code], reserved: frozenset[Binding] = frozenset()
) -> Exported:
    """Put the definitions of some cells together; spare ones bind nothing reserved."""
    imported = {name: line for code in codes for name, line in imports(code.text)}
    imported = {n: line for n, line in imported.items() if "workbook" not in line}
    said = _chosen(codes, reserved)
    pieces, left_out = _whole(*_pieces(said), imported)
    needed = _closure(one.public, pieces)
    wanted = {piece.base: piece for name, piece in pieces.items() if name in needed}
    body = [_text(piece) for piece in wanted.values()]
    body += [patch.text for piece in wanted.values() for patch in piece.patches]
    used = uses("\n".join(body))
    head = _imports([line for name, line in imported.items() if name in used])
    parts = [f'"""{_about(one)}"""', head, *body]
    text = "\n\n\n".join(part for part in parts if part) + "\n"
    missing = tuple(name for name in one.public if name not in pieces)
    return Exported(_formatted(text), missing, left_out)


def _about(one: Lesson) -> str:
    """The docstring of the module: what it is, and whose lecture it follows."""
    names = textwrap.fill(", ".join(one.public) + ".", 84)
    return (
        f"{one.title}.\n\n{names}\n\n"
        f"Written along Andrej Karpathy's lecture, {one.video}\n"
    )


# ---------------------------------------------------------------- choosing


def _chosen(codes: list[Code], reserved: frozenset[Binding]) -> list[Statement]:
    """The statements in their order, of spare cells only what serves the others."""
    said = [(code, s) for code in codes for s in statements(code.text, code.exercise)]
    own = [one for code, one in said if not code.spare]
    taken = reserved.union(*(one.bindings for one in own))
    asked = {name for one in own for name in re.findall(r"\.(\w+)", one.text)}
    return [
        one
        for code, one in said
        if not code.spare
        or not (taken & one.bindings or (one.owner and asked.isdisjoint(one.names)))
    ]


def _pieces(said: list[Statement]) -> tuple[dict[str, Piece], dict[str, str]]:
    """All names in the order of their first definition, and what had no class."""
    pieces: dict[str, Piece] = {}
    left_out: dict[str, str] = {}
    for one in said:
        if not one.owner:
            pieces |= {name: Piece(one) for name in one.names}
        elif one.owner not in pieces:
            left_out[one.origin] = f"needs {one.owner}"
        elif one.is_method:
            pieces[one.owner].methods[one.names[0]] = one
        else:
            pieces[one.owner].patches.append(one)
    return pieces, left_out


def _whole(
    pieces: dict[str, Piece], left_out: dict[str, str], imported: dict[str, str]
) -> tuple[dict[str, Piece], dict[str, str]]:
    """What is left when everything that needs an absent name is gone."""
    while True:
        known = _BUILTINS | pieces.keys() | imported.keys()
        kept = {n: _within(p, known, left_out) for n, p in pieces.items()}
        whole = {name: piece for name, piece in kept.items() if piece is not None}
        if whole == pieces:
            return pieces, {id: why for id, why in left_out.items() if id}
        pieces = whole


def _within(
    piece: Piece, known: Iterable[str], left_out: dict[str, str]
) -> Piece | None:
    """The piece without the parts that use an unknown name; None without its base."""
    for one in (piece.base, *piece.additions):
        if unknown := sorted(one.uses - set(known)):
            left_out.setdefault(one.origin, f"needs {', '.join(unknown)}")
    if piece.base.uses - set(known):
        return None
    methods = {n: m for n, m in piece.methods.items() if m.uses <= set(known)}
    patches = [patch for patch in piece.patches if patch.uses <= set(known)]
    return replace(piece, methods=methods, patches=patches)


def _closure(wanted: Iterable[str], pieces: dict[str, Piece]) -> set[str]:
    """The wanted names and everything that they use, over any number of steps."""
    found: set[str] = set()
    queue = [name for name in wanted if name in pieces]
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            for one in (pieces[name].base, *pieces[name].additions):
                queue += one.uses & pieces.keys()
    return found


# ---------------------------------------------------------------- writing


def _text(piece: Piece) -> str:
    """The piece with the methods of later cells inside its body."""
    left = {name: indented(one.text) for name, one in piece.methods.items()}
    lines = piece.base.text.splitlines()
    node = ast.parse(piece.base.text).body[0]
    body = node.body if isinstance(node, ast.ClassDef) else []
    for part in reversed(body):
        if isinstance(part, ast.FunctionDef) and part.name in left:
            first = min([part.lineno, *(d.lineno for d in part.decorator_list)])
            lines[first - 1 : part.end_lineno] = left.pop(part.name).splitlines()
    return "\n\n".join(["\n".join(lines), *left.values()])


def _imports(lines: list[str]) -> str:
    """Python's own first, then the others; `import` before `from`."""
    own, others = [], []
    lines = _joined(sorted(set(lines)))
    for line in sorted(lines, key=lambda line: (line.startswith("from"), line)):
        package = re.split(r"[ .]", line)[1]
        (own if package in sys.stdlib_module_names else others).append(line)
    return "\n\n".join("\n".join(group) for group in (own, others) if group)


def _joined(lines: list[str]) -> list[str]:
    """One line a module: `from torch import Tensor` and `… nn` are one."""
    joined: dict[str, list[str]] = {}
    for line in lines:
        head, _, name = line.partition(" import ")
        joined.setdefault(head, []).append(name)
    return [
        " import ".join((h, ", ".join(n))) if n[0] else h for h, n in joined.items()
    ]


def _formatted(text: str) -> str:
    """The text in the one format; as it is where no formatter is installed."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    text = done.stdout if done.returncode == 0 else text
    return re.sub(r"\n{4,}", "\n\n\n", text)
