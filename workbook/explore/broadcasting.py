"""The broadcasting explorer: two shapes aligned at the right, or why they clash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from workbook.explore import svg
from workbook.explore.base import Choice, Explorable, Field, Page
from workbook.explore.page import Refused

MOST_DIMS = 8
LIMIT = 2**40  # a size beyond it is a slip of the hand
SHOWN = 5  # rows and columns of a picture; larger ones are cut
W, H = 36.0, 27.0  # pixels of a cell in it
SUM_COLOURS = ("forward", "positive", "valid", "backward", "reference")
TYPED = "typed"
SUMS = [  # words of a button -> (dim, keepdim)
    ("as typed", TYPED),
    ("A.sum(0)", (0, False)),
    ("A.sum(0, keepdim=True)", (0, True)),
    ("A.sum(1)", (1, False)),
    ("A.sum(1, keepdim=True)", (1, True)),
]

Shape = tuple[int, ...]
Sum = tuple[int, bool]


class Column(NamedTuple):
    """One dimension of both shapes, counted from the right: -1 is the last."""

    dim: int
    a: int | None  # None: the shape is too short to have it
    b: int | None
    result: int | None  # None: they clash

    def told(self) -> str:
        """What happens here, in words."""
        a, b = (1 if size is None else size for size in (self.a, self.b))
        missing = [n for n, size in (("A", self.a), ("B", self.b)) if size is None]
        first = f"{missing[0]} has none: a 1 is put in front; " if missing else ""
        if self.result is None:
            return f"{first}{a} against {b}: neither is 1, so they do not fit"
        if a == b:
            return f"{first}equal" if not missing else first.rstrip("; ")
        name, size = ("A", b) if a == 1 else ("B", a)
        return f"{first}{name} is stretched from 1 to {size}"


def broadcasting(
    a: str | Sequence[int] = "27, 27",
    b: str | Sequence[int] = "27",
    second: str | Sum = TYPED,
) -> Explorable:
    """Type two shapes: which axes are stretched, what comes out, or why nothing does.

    a, b: the shapes A / B begins with, "27, 1" or (27, 1). second: what B is, "typed"
    or a sum over A: `(1, False)` is `A.sum(1)`, `(1, True)` keeps the dimension.
    """
    return Explorable(
        draw,
        Field("a", "shape of A", _written(a), "27, 27", "200px"),
        Field("b", "shape of B", _written(b), "27, 1", "200px"),
        Choice("second", "B is", SUMS, second),
    )


def draw(a: str, b: str, second: str | Sum = TYPED) -> Page:
    """The page of two shapes as they are typed; Refused, in a sentence, for others."""
    left = shape(a)
    total = None if second == TYPED else second
    right = shape(b) if total is None else summed(left, *total)
    columns = aligned(left, right)
    fits = all(column.result is not None for column in columns)
    small = fits and len(columns) == 2 and len(left) == 2
    return Page(
        title=_claim(left, right, columns, total),
        look=_look(left, right, columns, total),
        body=_table(columns, total) + (_grid(left, right, total) if small else ""),
        height=366 if small else 176,
        header=("dim", "A", "B", "A / B", "what happens"),
        rows=[
            (
                str(c.dim),
                _size(c.a),
                _size(c.b),
                "no" if c.result is None else str(c.result),
                c.told(),
            )
            for c in columns
        ],
    )


def shape(written: str) -> Shape:
    """The shape somebody typed: "27, 27", "(27,)", "27x27", "()" for a single number.

    Refused, with one sentence on what is amiss.
    """
    inside = written.strip().removeprefix("torch.Size").strip("()[] \t")
    words = [word for word in re.split(r"[\s,;x×*]+", inside) if word]
    if bad := next((word for word in words if not re.fullmatch(r"\d+", word)), None):
        kind = "a size cannot be negative" if re.fullmatch(r"-\d+", bad) else "a size"
        kind = f"{kind}" if "cannot" in kind else f"{bad!r} is no whole number"
        raise Refused(f"{_quoted(written)} is no shape: {kind}. Write 27, 1 or 27.")
    sizes = tuple(map(int, words))
    if len(sizes) > MOST_DIMS:
        raise Refused(
            f"{_quoted(written)} has {len(sizes)} dimensions, and the picture room for "
            f"{MOST_DIMS}."
        )
    if any(size > LIMIT for size in sizes):
        raise Refused(f"{_quoted(written)} has a size that no memory holds.")
    return sizes


def _quoted(written: str) -> str:
    return repr(written if len(written) <= 30 else f"{written[:27]}…")


def summed(sizes: Shape, dim: int, keepdim: bool) -> Shape:
    """The shape of a sum over one dimension, as PyTorch has it."""
    if not sizes and dim == 0:
        return ()
    if dim >= len(sizes):
        have = f"{len(sizes)} dimension" + "s" * (len(sizes) != 1)
        raise Refused(f"A has {have}, so there is no dim {dim} to sum over.")
    kept = (1,) if keepdim else ()
    return (*sizes[:dim], *kept, *sizes[dim + 1 :])


def aligned(a: Shape, b: Shape) -> list[Column]:
    """Both shapes from the first dimension on, their last ones under each other."""
    count = max(len(a), len(b))
    columns = []
    for dim in range(-count, 0):
        mine = a[dim] if -dim <= len(a) else None
        other = b[dim] if -dim <= len(b) else None
        x, y = (1 if size is None else size for size in (mine, other))
        fits = x == y or 1 in (x, y)
        columns.append(Column(dim, mine, other, (y if x == 1 else x) if fits else None))
    return columns


# --- In words ---------------------------------------------------------------------


def _claim(a: Shape, b: Shape, columns: list[Column], total: Sum | None) -> str:
    clash = [column for column in columns if column.result is None]
    both = f"{_words(a)} and {_words(b)}"
    if clash:
        worst = clash[-1]
        claim = f"{both} do not fit: {worst.a} against {worst.b} in dim {worst.dim}"
        return claim if len(claim) <= 72 else f"The shapes clash in dim {worst.dim}"
    if total and len(a) == 2:
        return _share_of(a, b, total)
    result = tuple(column.result for column in columns)
    claim = f"{both} give {_words(result)}"
    return claim if len(claim) <= 72 else f"The shapes fit: {_words(result)}"


def _share_of(a: Shape, b: Shape, total: Sum) -> str:
    """Who is divided by whose total, where B is a sum over the table A."""
    dim, keepdim = total
    if dim == 0:
        return "Each column is divided by its own total: the columns sum to 1"
    if keepdim:
        return "Each row is divided by its own total: the rows sum to 1"
    return "Column j is divided by the total of row j: the wrong way round"


def _look(a: Shape, b: Shape, columns: list[Column], total: Sum | None) -> str:
    if any(column.result is None for column in columns):
        return (
            "Shapes are compared from the right. Two sizes fit if they are equal, or "
            "if one of them is 1, or missing."
        )
    if total == (1, False) and len(a) == 2:
        return (
            f"The totals of the rows come out as {_words(b)}, without a direction. "
            "Aligned at the right they lie down as a row, and each is copied down a "
            "column. No error, and the shape is right. Keep the dimension, and they "
            "stand up."
        )
    if total and len(a) == 2:
        way = "down" if total[0] == 0 else "to the right"
        return f"Each total is copied {way}, along the dimension it was summed over."
    return (
        "Dashed is what is not in memory: a missing dimension counts as 1, and a 1 is "
        "stretched to the other's size, as if it were copied."
    )


def _written(given: str | Sequence[int]) -> str:
    return given if isinstance(given, str) else ", ".join(map(str, given))


def _words(sizes: Sequence[int | None]) -> str:
    """A shape as PyTorch prints it: (27,), (27, 1)."""
    inside = ", ".join(str(size) for size in sizes)
    return f"({inside},)" if len(sizes) == 1 else f"({inside})"


def _size(size: int | None) -> str:
    return "" if size is None else str(size)


# --- In marks ---------------------------------------------------------------------


def _table(columns: list[Column], total: Sum | None) -> str:
    """The shapes as boxes, their last dimensions under each other."""
    wide, left = 62.0, 168.0
    names = ["A", _name(total), "A / B"]
    marks = [
        svg.text(
            left - 14, 27 + 46 * i, name, "ink", 13.5, "end", code=True, halo=False
        )
        for i, name in enumerate(names)
    ]
    for i, column in enumerate(columns):
        x = left + wide * i
        marks += [
            _cell(x, 6, column.a, column.b),
            _cell(x, 52, column.b, column.a),
            _outcome(x, 98, column),
            svg.text(
                x + 26, 150, f"dim {column.dim}", "soft", 11, "middle", halo=False
            ),
        ]
    if not columns:
        marks.append(svg.text(left, 27, "single numbers: no dimension", "soft", 13))
    return "".join(marks)


def _name(total: Sum | None) -> str:
    if total is None:
        return "B"
    return f"A.sum({total[0]}{', keepdim' if total[1] else ''})"


def _cell(x: float, y: float, mine: int | None, other: int | None) -> str:
    """One size: solid if it is there, dashed if it is missing, and its stretching."""
    size = 1 if mine is None else mine
    stretched = size == 1 and other not in (None, 1)
    edge = "backward" if stretched else "reference" if mine is None else "forward"
    words = f"1 → {other}" if stretched else str(size)
    frame = svg.tag(
        "rect",
        x=x, y=y, width=52, height=32, rx=4, fill="none", stroke="currentColor",
        stroke_width=1.6, stroke_dasharray="4 3" if mine is None else None,
        class_=f"wb-{edge}", color=svg.LIGHT[edge],
    )  # fmt: skip
    inside = "soft" if mine is None and not stretched else "ink"
    return frame + svg.text(
        x + 26, y + 21, words, inside, _fitting(words), "middle", halo=False
    )


def _outcome(x: float, y: float, column: Column) -> str:
    """The size of the result, or a cross."""
    if column.result is None:
        ends = (x + 18, y + 8), (x + 34, y + 24), (x + 18, y + 24), (x + 34, y + 8)
        cross = svg.line(ends[0], ends[1], "backward", 3)
        return cross + svg.line(ends[2], ends[3], "backward", 3)
    words = str(column.result)
    box = svg.box(x, y, 52, 32, "forward", 0.15, 4)
    return box + svg.text(
        x + 26, y + 21, words, "ink", _fitting(words), "middle", True, False
    )


def _fitting(words: str) -> float:
    """A size of letters with which the words fit into a box."""
    return min(14.0, 76 / max(len(words), 1))


def _grid(a: Shape, b: Shape, total: Sum | None) -> str:
    """A and B spread over the result: a cell of B says which of its numbers is met."""
    out = tuple(column.result or 0 for column in aligned(a, b))
    if 0 in out:
        return ""
    top, left, right = 200.0, 44.0, 340.0
    met = "B as A meets it: stored strong, copied pale"
    return "".join(
        [
            svg.text(left, top - 12, "A", "soft", 12, halo=False),
            _Spread(a, out, total, whole=True).drawn(left, top),
            svg.text(right - 34, top + 72, "/", "ink", 20, "middle", halo=False),
            svg.text(right, top - 12, met, "soft", 12, halo=False),
            _Spread(b, out, total, whole=False).drawn(right, top),
        ]
    )


@dataclass(frozen=True)
class _Spread:
    """One operand, stretched to a result of two dimensions and drawn cell by cell."""

    sizes: Shape
    out: Shape
    total: Sum | None
    whole: bool  # A itself, of which B may be a sum

    def drawn(self, left: float, top: float) -> str:
        """The cells, cut where there are many, and the sums beside them."""
        tall, wide = (min(size, SHOWN) for size in self.out)
        marks = [
            self._one(left + W * j, top + H * i, (i, j))
            for i in range(tall)
            for j in range(wide)
        ]
        if self.out[1] > SHOWN:
            marks.append(_dots(left + W * wide + 9, top + H * tall / 2, "⋯"))
        if self.out[0] > SHOWN:
            marks.append(_dots(left + W * wide / 2, top + H * tall + 13, "⋮"))
        if self.whole and self.total:
            marks += self._sums(left, top, tall, wide)
        return "".join(marks)

    def _one(self, x: float, y: float, at: Shape) -> str:
        """A cell: which number stands there, strong where it is stored."""
        own = self._met(at)
        stored = (0,) * (2 - len(own)) + own == at
        colour, words = self._colour(at, own), ",".join(map(str, own))
        if self.total and not self.whole:
            words = f"Σ{max(own, default=0)}"
        opacity = 0.5 if stored else 0.2
        box = svg.box(x + 1, y + 1, W - 2, H - 2, colour, opacity, 3)
        name = words or "b"
        ink = "ink" if stored else "soft"
        return box + svg.text(x + W / 2, y + 18, name, ink, 11.5, "middle", halo=False)

    def _met(self, at: Shape) -> Shape:
        """Which of the operand's own numbers a cell of the result meets."""
        own = at[2 - len(self.sizes) :] if self.sizes else ()
        return tuple(
            0 if size == 1 else index
            for size, index in zip(self.sizes, own, strict=True)
        )

    def _colour(self, at: Shape, own: Shape) -> str:
        """One colour a sum: in A that of the sum it goes into, in B that it is."""
        if self.total is None:
            return "forward"
        index = at[1 - self.total[0]] if self.whole else max(own, default=0)
        return SUM_COLOURS[index % len(SUM_COLOURS)]

    def _sums(self, left: float, top: float, tall: int, wide: int) -> list[str]:
        """The sums at the end of the rows or columns that they add up."""
        dim = self.total[0] if self.total else 0
        x = left + W * wide + (22 if self.out[1] > SHOWN else 8)
        y = top + H * tall + (20 if self.out[0] > SHOWN else 8)
        marks = []
        for k in range(tall if dim else wide):
            here = (x, top + H * k) if dim else (left + W * k, y)
            colour = SUM_COLOURS[k % len(SUM_COLOURS)]
            marks += [
                svg.box(here[0] + 1, here[1] + 1, W - 2, H - 2, colour, 0.5, 13),
                svg.text(
                    here[0] + W / 2, here[1] + 18, f"Σ{k}", "ink", 11.5, "middle",
                    halo=False,
                ),
            ]  # fmt: skip
        return marks


def _dots(x: float, y: float, words: str) -> str:
    return svg.text(x, y + 5, words, "soft", 15, "middle", halo=False)
