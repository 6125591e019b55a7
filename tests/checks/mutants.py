"""Mutants: a solution with one small fault in it, made by rule.

Each mutant is the code of an exercise's cells with one change, and a line that says
what was changed: `derivative: x + h → x - h`. Names, docstrings and decorators stay.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Mutant:
    """One changed solution."""

    name: str
    code: str


def mutants(code: str) -> list[Mutant]:
    """All mutants of some cells of code, each one once."""
    tree = ast.parse(code)
    plain = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    kept = {id(node) for node in _untouched(tree)}
    for path, node in _inside_functions(tree):
        if id(node) in kept:
            continue
        for before, after, changed in _changes(tree, node):
            text = ast.unparse(changed)
            if text != plain and text not in found:
                found[text] = Mutant(f"{path}: {before} → {after}", text)
    return list(found.values())


def _untouched(tree: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, decorators, annotations, `__repr__`: an exercise asks for none."""
    for node in ast.walk(tree):
        for said in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if said is not None:
                yield from ast.walk(said)
        for mark in getattr(node, "decorator_list", ()):
            yield from ast.walk(mark)
        if getattr(node, "name", "") == "__repr__" or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            yield from ast.walk(node)


def _inside_functions(tree: ast.AST, path: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every node in the body of a function, with the function's name."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = f"{path}.{child.name}".lstrip(".")
            if isinstance(child, ast.FunctionDef):
                yield inner, child
                for default in child.args.defaults:
                    yield inner, default
            yield from _inside_functions(child, inner)
        elif path and not isinstance(child, ast.arguments):
            yield path, child
            yield from _inside_functions(child, path)


Change = Callable[[ast.AST], ast.AST | None]


def _changes(tree: ast.AST, node: ast.AST) -> Iterator[tuple[str, str, ast.AST]]:
    """Each change of this node: what it was, what it is, the whole tree after it."""
    for after in _variants(node):
        changed = _replaced(tree, node, after)
        if changed is not None:
            new = "(nothing)" if after is None else getattr(after, "said", "")
            before = _head(node) if hasattr(after, "said") else _short(node)
            yield before, new or _short(after), changed


def _short(node: ast.AST, width: int = 70) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= width else text[: width - 1] + "…"


def _head(node: ast.AST) -> str:
    """The first line of a function or loop."""
    first = next(x for x in ast.unparse(node).splitlines() if not x.startswith("@"))
    return first.strip()


def _replaced(tree: ast.AST, old: ast.AST, new: ast.AST | None) -> ast.AST | None:
    """A copy of the tree with one node replaced, or taken out (None)."""
    memo: dict[int, ast.AST] = {}
    whole = copy.deepcopy(tree, memo)
    target = memo[id(old)]
    for parent in ast.walk(whole):
        for name, value in ast.iter_fields(parent):
            if value is target and new is not None:
                setattr(parent, name, new)
                return ast.fix_missing_locations(whole)
            if isinstance(value, list) and any(one is target for one in value):
                at = next(i for i, one in enumerate(value) if one is target)
                value[at : at + 1] = [new] if new is not None else []
                if name == "body" and not value:
                    value.append(ast.Pass())
                return ast.fix_missing_locations(whole)
    return None


_SWAPPED: dict[type, list[type]] = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.Lt: [ast.LtE, ast.Gt],
    ast.Eq: [ast.NotEq],
    ast.Is: [ast.IsNot],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}


def _variants(node: ast.AST) -> Iterator[ast.AST | None]:
    """What a slip of the pen makes of a node; None takes a statement out."""
    make = _MAKERS.get(type(node))
    if make:
        yield from make(node)
    if isinstance(node, ast.FunctionDef):
        yield from _function(node)
    elif isinstance(node, ast.stmt) and not isinstance(node, ast.ClassDef | ast.Pass):
        yield None


def _function(node: ast.FunctionDef) -> Iterator[ast.AST]:
    """Two neighbouring lines change places, or a parameter comes back as it is."""
    yield from _swapped_lines(node)
    for one in node.args.args:
        body = [ast.Return(ast.Name(one.arg, ast.Load()))]
        yield _said(f"return {one.arg}", _changed(node, body=body))


def _swapped_lines(node: ast.AST) -> Iterator[ast.AST]:
    lines = node.body
    for i, (first, second) in enumerate(pairwise(lines)):
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            continue
        body = [*lines[:i], second, first, *lines[i + 2 :]]
        said = f"{_short(second, 40)} first"
        yield _said(said, _changed(node, body=body))


def _said(words: str, node: ast.AST) -> ast.AST:
    """A node whose change is told in other words than its code."""
    node.said = words
    return node


def _changed(node: ast.AST, **fields: object) -> ast.AST:
    new = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(new, name, copy.deepcopy(value))
    return new


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    for other in _SWAPPED.get(type(node.op), []):
        yield _changed(node, op=other())
    if isinstance(node.op, ast.Sub | ast.Div | ast.Pow):
        yield _changed(node, left=node.right, right=node.left)
    yield copy.deepcopy(node.left)
    yield copy.deepcopy(node.right)


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for other in _SWAPPED.get(type(node.ops[0]), []):
        yield _changed(node, ops=[other()])


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield _changed(node, value=not node.value)
    elif isinstance(node.value, int | float):
        for value in (node.value + 1, node.value - 1, -node.value, node.value * 1.01):
            if value != node.value:
                yield _changed(node, value=value)
    elif isinstance(node.value, str):
        yield _changed(node, value=node.value + "x" if node.value else "tanh")


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield copy.deepcopy(node.operand)


def _call(node: ast.Call) -> Iterator[ast.AST]:
    if len(node.args) >= 2 and not any(isinstance(a, ast.Starred) for a in node.args):
        turned = [node.args[1], node.args[0], *node.args[2:]]
        yield _changed(node, args=turned)
    if node.args:
        yield _changed(node, args=node.args[:-1])
        yield copy.deepcopy(_bare(node.args[0]))
    if node.keywords:
        yield _changed(node, keywords=[])


def _bare(node: ast.AST) -> ast.AST:
    return node.value if isinstance(node, ast.Starred) else node


def _augmented(node: ast.AugAssign) -> Iterator[ast.AST]:
    yield ast.Assign([copy.deepcopy(node.target)], copy.deepcopy(node.value))
    for other in _SWAPPED.get(type(node.op), []):
        yield _changed(node, op=other())


def _choice(node: ast.IfExp) -> Iterator[ast.AST]:
    yield copy.deepcopy(node.body)
    yield copy.deepcopy(node.orelse)
    yield _changed(node, body=node.orelse, orelse=node.body)


def _branch(node: ast.If) -> Iterator[ast.AST]:
    yield _changed(node, test=ast.UnaryOp(ast.Not(), node.test))
    yield _changed(node, test=ast.Constant(True))
    yield _changed(node, test=ast.Constant(False))


def _loop(node: ast.For | ast.While) -> Iterator[ast.AST]:
    yield from _swapped_lines(node)
    stopped = [*copy.deepcopy(node.body), ast.Break()]
    yield _said("break at the end", _changed(node, body=stopped))


def _several(node: ast.Tuple | ast.List) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load):
        for i in range(len(node.elts)):
            yield _changed(node, elts=node.elts[:i] + node.elts[i + 1 :])
        if len(node.elts) > 1:
            yield _changed(node, elts=node.elts[::-1])


def _comprehension(node: ast.ListComp | ast.GeneratorExp) -> Iterator[ast.AST]:
    first = node.generators[0]
    short = ast.Subscript(
        ast.Call(ast.Name("list", ast.Load()), [first.iter], []),
        ast.Slice(lower=ast.Constant(1)),
        ast.Load(),
    )
    generators = [_changed(first, iter=short), *node.generators[1:]]
    yield _changed(node, generators=generators)


def _return(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is not None:
        yield ast.Return(None)
        if isinstance(node.value, ast.Call | ast.BinOp):
            yield ast.Return(ast.List([copy.deepcopy(node.value)], ast.Load()))


def _name(node: ast.Name) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load) and node.id in _TWINS:
        yield ast.Name(_TWINS[node.id], ast.Load())


def _attribute(node: ast.Attribute) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load) and node.attr in _TWINS:
        yield _changed(node, attr=_TWINS[node.attr])


# names that are easily taken for each other
_TWINS = {"self": "other", "other": "self", "up": "slope", "out": "self", "n": "m"}
_TWINS |= {"data": "grad", "grad": "data", "act": "last", "last": "act", "max": "min"}
_TWINS |= {"reversed": "list", "append": "extend", "cos": "sin", "nin": "nout"}
_TWINS |= {"exp": "log", "log": "exp", "tanh": "sin", "a": "b", "b": "c", "c": "a"}

_MAKERS: dict[type, Callable[..., Iterator[ast.AST]]] = {
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.UnaryOp: _unary,
    ast.Call: _call,
    ast.AugAssign: _augmented,
    ast.IfExp: _choice,
    ast.If: _branch,
    ast.For: _loop,
    ast.While: _loop,
    ast.Tuple: _several,
    ast.List: _several,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.Return: _return,
    ast.Name: _name,
    ast.Attribute: _attribute,
}
