"""The numbers in memory behind a tensor: shape, strides, offset, view or copy.

    explore.storage((4, 3, 2))                     # numbers 0 to 23
    explore.storage(emb, "x.view(-1, 6)")          # a tensor of one's own

What PyTorch does is worked out in strides.py, in plain Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Any

from workbook.explore import svg
from workbook.explore.base import Choice, Explorable, Field, Page
from workbook.explore.strides import (
    CannotView,
    Shape,
    Strided,
    apply,
    fresh,
    shape_of,
    unflatten,
    words,
)

OFFERED = (
    "x",
    "x.view(-1)",
    "x.transpose(0, 1)",
    "x.transpose(0, 1).view(-1)",
    "x.transpose(0, 1).reshape(-1)",
    "x[:, 1]",
)
CELL, HIGH = 25.0, 22.0  # pixels of one number, in the tensor and in memory
TAPE = 24  # memory cells that are drawn
WIDE, TALL, BLOCKS = 24, 6, 8  # columns, rows and blocks that are drawn

LOOK = (
    "Each arrow is a stride: how many memory cells lie between neighbours along one "
    "dimension. A view changes shape, strides and offset; the numbers stay where "
    "they are."
)
COPIED = (
    "No strides could give this order, so the numbers were written anew, row after "
    "row, into other memory: changing one no longer changes the other."
)
FAILED = (
    "A view may only choose strides. Reading this tensor row after row, the way "
    "through memory changes its step at the orange places, and no strides follow "
    "it. reshape would copy."
)


def storage(shape: Any = (4, 3, 2), operation: str = "x") -> Explorable:
    """Type a shape and an operation: the same memory, read another way, or a copy.

    shape: the first tensor's, as a tuple or as "4, 3, 2"; or a tensor, whose own
        strides and offset are then shown. Cell k of memory holds the number k.
    operation: what is done to it, as in "x.transpose(0, 1).view(-1)".
    """
    given = _read(shape)
    typed = "" if operation in OFFERED else operation

    def draw(shape: str, offered: str, typed: str) -> Page:
        x = given if shape == words(given.shape) else fresh(shape_of(shape))
        return _page(x, typed.strip() or offered or "x")

    explorable = Explorable(
        draw,
        Field("shape", "shape of x", words(given.shape), "4, 3, 2", "220px"),
        Field("typed", "or type", typed, "x.permute(2, 0, 1)[1]", "330px"),
        Choice("offered", "", [(o, o) for o in OFFERED], None if typed else operation),
    )
    explorable.state = _Newer(explorable.state)
    return explorable


class _Newer(dict):
    """The state of a line and a row of buttons for one thing: the newer one counts.

    A button empties the line; words in the line release the button.
    """

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        if name == "offered" and value:
            super().__setitem__("typed", "")
        if self["typed"].strip():
            super().__setitem__("offered", None)
        elif not self["offered"]:
            super().__setitem__("offered", OFFERED[0])

    def __ior__(self, changes: Any) -> _Newer:
        for name, value in changes.items():
            self[name] = value
        return self


def _read(shape: Any) -> Strided:
    if isinstance(shape, str):
        return fresh(shape_of(shape))
    if hasattr(shape, "untyped_storage"):
        size = shape.untyped_storage().nbytes() // shape.element_size()
        place = tuple(shape.shape), shape.stride(), shape.storage_offset()
        return Strided(*place, size, lambda cell: cell)
    return fresh(shape_of(words(shape)))


def _page(x: Strided, operation: str) -> Page:
    try:
        found = apply(x, operation)
    except CannotView as failure:
        return _failure(failure, operation)
    tensor, bottom = _tensor(found, operation)
    memory = _memory(found, bottom + 40)
    below = bottom + 40 + HIGH
    return Page(
        title=_claim(x, found),
        look=COPIED if found.copies else LOOK,
        body=tensor + memory + _strides(found, below + 16),
        height=below + 24 + 22 * max(1, len(_steps(found))),
        header=("", "x", operation),
        rows=_table(x, found),
    )


def _claim(x: Strided, found: Strided) -> str:
    if found.copies > x.copies:
        return f"A copy of shape {words(found.shape)}: {found.count:,} numbers moved"
    shape, strides = words(found.shape), words(found.strides)
    if (found.shape, found.strides) == (x.shape, x.strides):
        return f"Shape {shape} is memory read with strides {strides}"
    return f"A view: shape {shape}, strides {strides}, nothing moved"


def _table(x: Strided, found: Strided) -> list[tuple[str, str, str]]:
    return [
        ("shape", words(x.shape), words(found.shape)),
        ("strides", words(x.strides), words(found.strides)),
        ("offset", str(x.offset), str(found.offset)),
        ("numbers", f"{x.count:,}", f"{found.count:,}"),
        ("contiguous", _yes(x.contiguous), _yes(found.contiguous)),
        ("memory", "its own", "its own" if found.copies else "that of x"),
        ("first numbers", _first(x), _first(found)),
    ]


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def _first(tensor: Strided) -> str:
    numbers = [f"{tensor.content(cell)}" for cell in tensor.walk(8)]
    return ", ".join(numbers) + (", …" if tensor.count > 8 else "")


# --- The tensor, as blocks of rows ------------------------------------------------


def _tensor(tensor: Strided, operation: str) -> tuple[str, float]:
    """The numbers of a tensor in blocks of rows, and where they end."""
    rows, columns = (1, 1, *tensor.shape)[-2:]
    lead = tensor.shape[:-2]
    shown = list(islice(_indices(lead), BLOCKS))
    most = WIDE if len(shown) == 1 else min(WIDE, 10)
    marks = [svg.text(10, 20, operation, "ink", 13.5, bold=True, code=True, halo=False)]
    x, y, top = 10.0, 34.0, 14.0 if lead else 0.0
    block = CELL * min(columns, most) + CELL * (columns > most)
    high = HIGH * min(rows, TALL) + HIGH * (rows > TALL)
    for index in shown:
        if x + block > 636:
            x, y = 10.0, y + high + top + 14
        if lead:
            name = f"[{', '.join(map(str, index))}]"
            marks.append(svg.text(x, y + 10, name, "soft", 11, halo=False))
        marks.append(_block(tensor, index, (rows, columns), (x, y + top), most))
        x += block + 22
    left_out = len(shown) == BLOCKS and _product(lead) > BLOCKS
    if left_out:
        marks.append(svg.text(x - 12, y + top + high / 2, "…", "soft", 15, halo=False))
    return "".join(marks), y + top + high


def _indices(shape: Shape) -> Any:
    return (unflatten(i, shape) for i in range(_product(shape)))


def _product(shape: Sequence[int]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _block(
    tensor: Strided,
    index: Shape,
    size: tuple[int, int],
    corner: svg.Point,
    most: int,
) -> str:
    """Rows and columns of the last two dimensions, at one place of the others."""
    marks = []
    for row in range(min(size[0], TALL)):
        for column in range(min(size[1], most)):
            place = (*index, row, column)[-len(tensor.shape) or 2 :]
            place = place if tensor.shape else ()
            number = tensor.content(tensor.cell(place))
            x, y = corner[0] + CELL * column, corner[1] + HIGH * row
            marks.append(_number(x, y, number, _tint(tensor), 0.14))
    x, y = corner[0] + CELL * most, corner[1] + HIGH * TALL
    if size[1] > most:
        marks.append(svg.text(x + 5, corner[1] + 14, "…", "soft", 14, halo=False))
    if size[0] > TALL:
        marks.append(svg.text(corner[0] + 7, y + 10, "⋮", "soft", 14, halo=False))
    return "".join(marks)


def _tint(tensor: Strided) -> str:
    return "backward" if tensor.copies else "forward"


def _number(x: float, y: float, number: int, colour: str, strength: float) -> str:
    said = str(number)
    size = (12.5, 12.5, 12.5, 11, 9, 7.5, 6.5)[min(len(said), 6)]
    middle, ink = x + CELL / 2, "ink" if strength > 0.1 else "soft"
    ground = svg.box(x + 1, y + 1, CELL - 2, HIGH - 2, colour, strength, 3)
    return ground + svg.text(middle, y + 15.5, said, ink, size, "middle", halo=False)


# --- Memory, and the strides through it -------------------------------------------


def _window(tensor: Strided) -> int:
    """The first memory cell that is drawn."""
    return max(0, min(tensor.offset, tensor.size - TAPE))


def _cell_x(tensor: Strided, cell: int) -> float:
    """Where a memory cell begins; far ones lie at the edge."""
    return 10 + CELL * max(-0.6, min(cell - _window(tensor), TAPE + 0.1))


def _memory(tensor: Strided, y: float) -> str:
    """One row of memory cells, those that the tensor reads in colour."""
    first = _window(tensor)
    last = min(tensor.size, first + TAPE)
    used = set(islice(tensor.walk(4096), 4096))
    name = "memory" if not tensor.copies else "other memory, written anew"
    more = f"   cells {first:,} to {last - 1:,} of {tensor.size:,}"
    marks = [svg.text(10, y - 8, name, "soft", 12, halo=False)]
    if tensor.size > TAPE:
        marks[0] = svg.text(10, y - 8, name + more, "soft", 12, halo=False)
        marks.append(svg.text(14 + CELL * TAPE, y + 14, "…", "soft", 14, halo=False))
    for cell in range(first, last):
        mine = cell in used
        colour, strength = (_tint(tensor), 0.3) if mine else ("faint", 0.09)
        x = _cell_x(tensor, cell)
        marks.append(_number(x, y, tensor.content(cell), colour, strength))
    return "".join(marks)


def _steps(tensor: Strided) -> list[tuple[int, int]]:
    """(dimension, stride) of each dimension that has a second element."""
    pairs = zip(tensor.shape, tensor.strides, strict=True)
    return [(dim, stride) for dim, (n, stride) in enumerate(pairs) if n > 1]


def _strides(tensor: Strided, y: float) -> str:
    """An arrow for each dimension, from the first element to its neighbour."""
    marks = []
    start = _cell_x(tensor, tensor.offset) + CELL / 2
    for row, (dim, stride) in enumerate(_steps(tensor)):
        at = y + 22 * row
        end = _cell_x(tensor, tensor.offset + stride) + CELL / 2
        said = f"dim {dim}: {stride:,}"
        room = end + 90 < 640
        place = (end + 10, at + 4) if room else (end - 10, at - 5)
        marks += [
            svg.line((start, y - 13), (start, at), "reference", 1, "2 3"),
            svg.line((end, y - 13), (end, at), "reference", 1, "2 3"),
            svg.line((start, at), (end, at), _tint(tensor), 2),
            svg.dot(end, at, _tint(tensor), 4),
            svg.text(*place, said, "ink", 12.5, "start" if room else "end"),
        ]
    return "".join(marks)


# --- Where view says no -----------------------------------------------------------


def _failure(failure: CannotView, operation: str) -> Page:
    """The tensor that view was asked to read anew, and its way through memory."""
    tensor = failure.tensor
    before = operation[: operation.rindex(".view")] if ".view" in operation else "x"
    drawn, bottom = _tensor(tensor, before)
    cells = list(tensor.walk(TAPE - 6))
    said = "its cells of memory, row after row, and the step from each to the next"
    marks = [svg.text(10, bottom + 34, said, "soft", 12, halo=False)]
    marks.append(_way(cells, bottom + 44))
    return Page(
        title=f"view fails: no strides read this memory as {words(failure.shape)}",
        look=FAILED,
        body=drawn + "".join(marks),
        height=bottom + 96,
        header=("element", "memory cell", "step"),
        rows=[
            (str(i), str(cell), "" if i == 0 else f"{cell - cells[i - 1]:+}")
            for i, cell in enumerate(cells)
        ],
    )


def _way(cells: list[int], y: float) -> str:
    """Memory cells in the order of reading, the step between two below them."""
    wide = 34.0
    marks = [
        _number(14 + wide * i, y, cell, "forward", 0.14) for i, cell in enumerate(cells)
    ]
    steps = [b - a for a, b in pairwise(cells)]
    for i, step in enumerate(steps):
        same = step == steps[0]
        colour = "soft" if same else "backward"
        x = 14 + wide * (i + 0.5) + CELL / 2
        said = f"{step:+}"
        marks.append(
            svg.text(x, y + 40, said, colour, 12, "middle", not same, halo=False)
        )
    return "".join(marks)
