"""Top-level statements of notebook cells: what each one binds, and what it needs."""

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

from workbook.source import unmarked

Binding = tuple[str, str]  # a class or "", and a name that is bound there


@dataclass(frozen=True)
class Statement:
    """One statement at the top level of a cell."""

    text: str  # its own lines, without the decorator that adds it to a class
    names: tuple[str, ...]  # what it binds: of the module, or of the class `owner`
    owner: str  # the class that it adds to, else ""
    is_method: bool  # a function that belongs into the body of its owner
    uses: frozenset[str]  # global names that it reads
    origin: str  # the exercise that it answers, else ""

    @property
    def bindings(self) -> frozenset[Binding]:
        return frozenset((self.owner, name) for name in self.names)


def statements(code: str, origin: str = "") -> Iterator[Statement]:
    """The statements of a cell that bind a name; SyntaxError where it is no Python."""
    code = unmarked(code)
    for node in ast.parse(code).body:
        marks = getattr(node, "decorator_list", [])
        added = next((m for m in marks if _owner(m)), None)
        owner, names = (_owner(added), (node.name,)) if added else _bound(node)
        if names:
            text = _text(code, node, added)
            yield Statement(text, names, owner, bool(added), uses(text), origin)


def _owner(mark: ast.expr) -> str:
    """`Value` of the decorator `@add_to(Value)`."""
    if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("add_to"):
        return ast.unparse(mark.args[0])
    return ""


def _bound(node: ast.stmt) -> tuple[str, tuple[str, ...]]:
    """The class that a statement changes, if any, and the names that it binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return "", (node.name,)
    if isinstance(node, ast.AnnAssign):
        return _of_targets([node.target])
    return _of_targets(node.targets) if isinstance(node, ast.Assign) else ("", ())


def _of_targets(targets: list[ast.expr]) -> tuple[str, tuple[str, ...]]:
    """`x` and `x, y` are the module's, `Value.__radd__` is its class's."""
    parts = [p for t in targets for p in getattr(t, "elts", [t])]
    owners = {ast.unparse(p.value) for p in parts if isinstance(p, ast.Attribute)}
    if len(owners) == 1 and all(isinstance(p, ast.Attribute) for p in parts):
        return owners.pop(), tuple(p.attr for p in parts)  # type: ignore[attr-defined]
    return "", tuple(p.id for p in parts if isinstance(p, ast.Name))


def _text(code: str, node: ast.stmt, added: ast.expr | None) -> str:
    """The lines of a statement, one decorator left out."""
    marks = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(mark.lineno for mark in marks)])
    out = range(added.lineno, (added.end_lineno or 0) + 1) if added else ()
    lines = enumerate(code.splitlines(), 1)
    end = node.end_lineno or 0
    return "\n".join(s for n, s in lines if first <= n <= end and n not in out)


def uses(text: str) -> frozenset[str]:
    """The global names that a statement reads, at once or when it is called."""
    return frozenset(_globals(symtable.symtable(text, "cell", "exec")))


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)


def imports(code: str) -> Iterator[tuple[str, str]]:
    """Each name that a cell imports, and the line that imports it."""
    for node in ast.parse(code).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            one = (
                ast.Import([alias])
                if isinstance(node, ast.Import)
                else ast.ImportFrom(node.module, [alias], node.level)
            )
            yield (alias.asname or alias.name).partition(".")[0], ast.unparse(one)


def indented(text: str) -> str:
    """A function's text as it stands in a class; long strings stay as they are."""
    nodes = list(ast.walk(ast.parse(text)))
    docstrings = [_docstring(node) for node in nodes]
    inside = {
        number
        for node in nodes
        if isinstance(node, ast.Constant | ast.JoinedStr) and node not in docstrings
        for number in range(node.lineno + 1, (node.end_lineno or 0) + 1)
    }
    return "\n".join(
        f"    {line}" if line.strip() and number not in inside else line
        for number, line in enumerate(text.splitlines(), 1)
    )


def _docstring(node: ast.AST) -> ast.expr | None:
    body = getattr(node, "body", None)
    first = body[0] if isinstance(body, list) and body else None
    return first.value if isinstance(first, ast.Expr) else None
