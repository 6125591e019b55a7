"""A tensor as a way of reading memory: a shape, strides and an offset.

The arithmetic of PyTorch's views in plain Python, on any shape, without the numbers:
memory cell k holds the number k until a copy lays the numbers out anew.

    apply(fresh((4, 3, 2)), "x.transpose(0, 1).reshape(12, 2)")
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from workbook.explore.page import Refused

Shape = tuple[int, ...]

MOST_DIMS, LARGEST = 6, 10**9
KNOWN = "view, reshape, transpose, permute, flatten, unsqueeze, squeeze, expand, "
KNOWN += "contiguous, T and [...]"


class CannotView(Refused):
    """`view` was asked for a shape that these strides cannot give without a copy."""

    def __init__(self, tensor: Strided, shape: Shape) -> None:
        self.tensor, self.shape = tensor, shape
        super().__init__(
            f"view cannot read this memory as {words(shape)}: no strides fit."
        )


@dataclass(frozen=True)
class Strided:
    """Element (i, j, …) lies in memory cell offset + i·strides[0] + j·strides[1] + ….

    content: which of the first tensor's numbers lies in a memory cell.
    size: how many cells the memory has. copies: how often it was laid out anew.
    """

    shape: Shape
    strides: Shape
    offset: int
    size: int
    content: Callable[[int], int]
    copies: int = 0

    @property
    def count(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    @property
    def contiguous(self) -> bool:
        """Whether its elements, row after row, are consecutive cells of memory."""
        expected = rows_first(self.shape)
        pairs = zip(self.shape, self.strides, expected, strict=True)
        return not self.count or all(n == 1 or s == e for n, s, e in pairs)

    def cell(self, index: Shape) -> int:
        """Where an element lies in memory."""
        steps = (i * s for i, s in zip(index, self.strides, strict=True))
        return self.offset + sum(steps)

    def walk(self, most: int) -> Iterator[int]:
        """The memory cells of the elements, row after row; the first `most` of them."""
        for flat in range(min(self.count, most)):
            yield self.cell(unflatten(flat, self.shape))


def fresh(shape: Shape) -> Strided:
    """A new tensor of consecutive numbers from 0."""
    return Strided(shape, rows_first(shape), 0, math.prod(shape), lambda cell: cell)


def rows_first(shape: Shape) -> Shape:
    """The strides of a tensor that is laid out row after row."""
    return tuple(
        math.prod(max(1, n) for n in shape[i + 1 :]) for i in range(len(shape))
    )


def unflatten(flat: int, shape: Shape) -> Shape:
    """The index of the flat-th element, row after row."""
    index: list[int] = []
    for n in reversed(shape):
        flat, i = divmod(flat, n)
        index.insert(0, i)
    return tuple(index)


def words(shape: Shape) -> str:
    """A shape as Python writes it: (3, 2), (6,), ()."""
    return str(tuple(shape))


# --- Reading what was typed -------------------------------------------------------


def shape_of(typed: str) -> Shape:
    """(4, 3, 2) from "4, 3, 2", "4 3 2", "(4, 3, 2)" or "4x3x2"."""
    plain = typed.strip().strip("()[]")
    for mark in (",", "x", "×", "*"):
        plain = plain.replace(mark, " ")
    parts = plain.split()
    if not all(part.isdecimal() for part in parts):
        raise Refused(f"A shape is a few whole numbers, as 4, 3, 2; not {typed!r}.")
    shape = tuple(int(part) for part in parts)
    if len(shape) > MOST_DIMS or math.prod(shape) > LARGEST:
        raise Refused(f"At most {MOST_DIMS} dimensions, and a billion numbers, please.")
    return shape


def apply(tensor: Strided, typed: str) -> Strided:
    """What `x.view(6, 4)`, `x[:, 1]` or a chain of such makes of a tensor.

    Raises CannotView where only a copy would do, Refused for whatever else PyTorch
    would not do, or this reader does not know.
    """
    try:
        tree = ast.parse(typed.strip() or "x", mode="eval").body
    except SyntaxError:
        raise Refused(f"Python cannot read {typed.strip()!r} yet.") from None
    return _evaluated(tree, tensor)


def _evaluated(node: ast.expr, tensor: Strided) -> Strided:
    match node:
        case ast.Name(id="x"):
            return tensor
        case ast.Call(ast.Attribute(inner, name), given, []):
            return _called(_evaluated(inner, tensor), name, [_plain(g) for g in given])
        case ast.Attribute(inner, "T" | "mT" as name):
            return _called(_evaluated(inner, tensor), name, [])
        case ast.Subscript(inner, index):
            return _indexed(_evaluated(inner, tensor), index)
    raise Refused(f"Begin with x, and use {KNOWN}.")


def _plain(node: ast.expr) -> Any:
    """A number or a tuple of numbers."""
    try:
        found = ast.literal_eval(node)
    except ValueError:
        raise Refused("Only whole numbers can stand between the brackets.") from None
    flat = found if isinstance(found, (tuple, list)) else [found]
    if not all(type(n) is int for n in flat):
        raise Refused("Only whole numbers can stand between the brackets.")
    return found


def _called(tensor: Strided, name: str, given: list[Any]) -> Strided:
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = list(given[0])
    if any(isinstance(one, (tuple, list)) for one in given):
        raise Refused(f"{name} takes whole numbers.")
    if name not in _METHODS:
        raise Refused(f"{name} is not known here: use {KNOWN}.")
    method, counts = _METHODS[name]
    if counts and len(given) not in counts:
        needed = " or ".join(map(str, counts))
        raise Refused(f"{name} takes {needed} numbers, not {len(given)}.")
    return method(tensor, given)


# --- Operations -------------------------------------------------------------------


def _view(tensor: Strided, given: list[int]) -> Strided:
    shape = _filled(tensor, given)
    strides = _merged(tensor, shape)
    if strides is None:
        raise CannotView(tensor, shape)
    return replace(tensor, shape=shape, strides=strides)


def _reshape(tensor: Strided, given: list[int]) -> Strided:
    shape = _filled(tensor, given)
    strides = _merged(tensor, shape)
    if strides is not None:
        return replace(tensor, shape=shape, strides=strides)
    return replace(copied(tensor), shape=shape, strides=rows_first(shape))


def copied(tensor: Strided) -> Strided:
    """The same elements, laid out row after row in a memory of their own."""

    def content(cell: int) -> int:
        return tensor.content(tensor.cell(unflatten(cell, tensor.shape)))

    shape = tensor.shape
    strides, size = rows_first(shape), tensor.count
    return Strided(shape, strides, 0, size, content, tensor.copies + 1)


def _contiguous(tensor: Strided, _: list[int]) -> Strided:
    return tensor if tensor.contiguous else copied(tensor)


def _filled(tensor: Strided, given: list[int]) -> Shape:
    """The shape asked for, its -1 worked out."""
    if given.count(-1) > 1 or any(n < -1 for n in given):
        raise Refused("One size may be left open with -1, and none is negative.")
    known = math.prod(n for n in given if n != -1)
    if -1 not in given:
        fits = known == tensor.count
    else:
        fits = bool(known) and tensor.count % known == 0
    if not fits:
        asked = words(tuple(given))
        raise Refused(f"{tensor.count:,} numbers do not fill the shape {asked}.")
    return tuple(tensor.count // known if n == -1 else n for n in given)


def _merged(tensor: Strided, shape: Shape) -> Shape | None:
    """Strides that read `shape` in the same order, or None where none do.

    Dimensions melt into one run where the outer stride is the inner one times its
    size; each run must be filled by whole dimensions of the new shape.
    """
    if not tensor.count:
        return rows_first(shape)
    strides: list[int] = []
    sizes = list(reversed(shape))
    for length, stride in _runs(tensor):
        inner = 1
        while sizes and (inner < length or sizes[0] == 1):
            strides.append(stride * inner)
            inner *= sizes.pop(0)
        if inner != length:
            return None
    return tuple(reversed(strides))


def _runs(tensor: Strided) -> list[tuple[int, int]]:
    """(length, stride) of the dimensions that melt into one run, innermost first."""
    runs: list[tuple[int, int]] = []
    for n, stride in zip(reversed(tensor.shape), reversed(tensor.strides), strict=True):
        if runs and n == 1:
            continue
        if runs and stride == runs[-1][0] * runs[-1][1]:
            runs[-1] = (runs[-1][0] * n, runs[-1][1])
        else:
            runs.append((n, stride))
    return runs or [(1, 1)]


def _transpose(tensor: Strided, given: list[int]) -> Strided:
    first, second = (_dim(tensor, dim) for dim in given)
    order = list(range(len(tensor.shape)))
    order[first], order[second] = order[second], order[first]
    return _permute(tensor, order)


def _permute(tensor: Strided, given: list[int]) -> Strided:
    order = [_dim(tensor, dim) for dim in given]
    if sorted(order) != list(range(len(tensor.shape))):
        raise Refused(f"permute names each of the {len(tensor.shape)} dimensions once.")
    shape = tuple(tensor.shape[dim] for dim in order)
    return replace(
        tensor, shape=shape, strides=tuple(tensor.strides[dim] for dim in order)
    )


def _turned(tensor: Strided, _: list[int]) -> Strided:
    return _permute(tensor, list(reversed(range(len(tensor.shape)))))


def _turned_last(tensor: Strided, _: list[int]) -> Strided:
    return _transpose(tensor, [-2, -1])


def _flatten(tensor: Strided, given: list[int]) -> Strided:
    if not tensor.shape:
        return _reshape(tensor, [1])
    first, last = [*given, *[0, -1][len(given) :]]
    first, last = _dim(tensor, first), _dim(tensor, last)
    if first > last:
        raise Refused("flatten goes from an earlier dimension to a later one.")
    if first == last:
        return tensor
    middle = math.prod(tensor.shape[first : last + 1])
    return _reshape(tensor, [*tensor.shape[:first], middle, *tensor.shape[last + 1 :]])


def _unsqueeze(tensor: Strided, given: list[int]) -> Strided:
    count = len(tensor.shape) + 1
    if not -count <= given[0] < count:
        raise Refused(f"unsqueeze can put a dimension at 0 to {count - 1}.")
    at = given[0] % count
    stride = tensor.strides[at] * tensor.shape[at] if at < count - 1 else 1
    return _put(tensor, at, 1, stride)


def _put(tensor: Strided, at: int, size: int, stride: int) -> Strided:
    shape, strides = list(tensor.shape), list(tensor.strides)
    shape.insert(at, size)
    strides.insert(at, stride)
    return replace(tensor, shape=tuple(shape), strides=tuple(strides))


def _squeeze(tensor: Strided, given: list[int]) -> Strided:
    asked = {_dim(tensor, dim) for dim in given} if given else set(range(MOST_DIMS))
    pairs = zip(tensor.shape, tensor.strides, strict=True)
    kept = [pair for dim, pair in enumerate(pairs) if pair[0] != 1 or dim not in asked]
    return replace(
        tensor, shape=tuple(n for n, _ in kept), strides=tuple(s for _, s in kept)
    )


def _expand(tensor: Strided, given: list[int]) -> Strided:
    new = len(given) - len(tensor.shape)
    if new < 0:
        raise Refused("expand names every dimension, from the right.")
    shape, strides = list(given[:new]), [0] * new
    for n, stride, asked in zip(tensor.shape, tensor.strides, given[new:], strict=True):
        if n != 1 and asked not in (n, -1):
            raise Refused(f"expand stretches a size of 1, and {n} is none.")
        shape.append(n if asked == -1 else asked)
        strides.append(stride if asked in (n, -1) else 0)
    if any(n < 0 for n in shape):
        raise Refused("A new dimension needs its size in expand.")
    return replace(tensor, shape=tuple(shape), strides=tuple(strides))


def _dim(tensor: Strided, dim: int) -> int:
    count = len(tensor.shape)
    if not -count <= dim < count:
        raise Refused(f"There is no dimension {dim}: this tensor has {count}.")
    return dim % count


_METHODS: dict[str, tuple[Callable[[Strided, list[int]], Strided], tuple[int, ...]]] = {
    "view": (_view, ()),
    "reshape": (_reshape, ()),
    "transpose": (_transpose, (2,)),
    "permute": (_permute, ()),
    "t": (_turned, (0,)),
    "T": (_turned, (0,)),
    "mT": (_turned_last, (0,)),
    "contiguous": (_contiguous, (0,)),
    "flatten": (_flatten, (0, 1, 2)),
    "unsqueeze": (_unsqueeze, (1,)),
    "squeeze": (_squeeze, (0, 1)),
    "expand": (_expand, ()),
}


# --- Indexing ---------------------------------------------------------------------


def _indexed(tensor: Strided, index: ast.expr) -> Strided:
    parts = list(index.elts) if isinstance(index, ast.Tuple) else [index]
    named = [part for part in parts if not _is(part, None)]
    dots = [part for part in named if _is(part, ...)]
    spare = len(tensor.shape) - (len(named) - len(dots))
    if spare < 0 or len(dots) > 1:
        raise Refused(f"Too many indices: this tensor has {len(tensor.shape)} of them.")
    everything: ast.expr = ast.Slice(None, None, None)
    at = parts.index(dots[0]) if dots else len(parts)
    parts[at : at + 1] = [everything] * spare
    dim = 0
    for part in parts:
        tensor, dim = _taken(tensor, dim, part)
    return tensor


def _is(part: ast.expr, constant: Any) -> bool:
    return isinstance(part, ast.Constant) and part.value is constant


def _taken(tensor: Strided, dim: int, part: ast.expr) -> tuple[Strided, int]:
    """One index applied to dimension `dim`; the tensor, and the dimension after it."""
    if _is(part, None):
        return _unsqueeze(tensor, [dim]), dim + 1
    if isinstance(part, ast.Slice):
        return _sliced(tensor, dim, part), dim + 1
    at = _plain(part)
    if not isinstance(at, int):
        raise Refused("A list as index picks numbers one by one, into a copy.")
    n, stride = tensor.shape[dim], tensor.strides[dim]
    if not -n <= at < n:
        raise Refused(f"Index {at} is outside dimension {dim}, which has size {n}.")
    offset = tensor.offset + (at % n) * stride
    return _without(replace(tensor, offset=offset), dim), dim


def _sliced(tensor: Strided, dim: int, part: ast.Slice) -> Strided:
    ends = [None if e is None else _plain(e) for e in (part.lower, part.upper)]
    step = 1 if part.step is None else _plain(part.step)
    if type(step) is not int or step < 1:
        raise Refused("PyTorch slices forwards only: the step is 1 or more.")
    first, last, _ = slice(*ends).indices(tensor.shape[dim])
    shape, strides = list(tensor.shape), list(tensor.strides)
    shape[dim] = len(range(first, last, step))
    offset = tensor.offset + first * strides[dim]
    strides[dim] *= step
    return replace(tensor, shape=tuple(shape), strides=tuple(strides), offset=offset)


def _without(tensor: Strided, dim: int) -> Strided:
    shape = tensor.shape[:dim] + tensor.shape[dim + 1 :]
    strides = tensor.strides[:dim] + tensor.strides[dim + 1 :]
    return replace(tensor, shape=shape, strides=strides)
