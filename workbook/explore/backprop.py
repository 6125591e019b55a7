"""Explorables of lesson 5: copies and sums, pulls on the logits, BatchNorm from behind.

The way back through the whole network is in tape.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbook.explore import svg
from workbook.explore.alphabet import LETTERS, listed
from workbook.explore.base import (
    Choice,
    Explorable,
    Page,
    Refused,
    Slider,
    Steps,
    refusal,
)
from workbook.explore.svg import Panel

# --- What is copied forward is added up on the way back ----------------------------

Grid = list[list[int]]
W, H = 36.0, 25.0  # pixels of a cell
COPIES = {  # operation -> does the small one stand for a whole column, row, or both
    "x + b, b (C,)": ("b", "down", "(C,)"),
    "x + b, b (R, 1)": ("b", "right", "(R, 1)"),
    "x + b, b ()": ("b", "both", "()"),
    "x.sum(0)": ("s", "down", "(C,)"),
    "x.sum(1, keepdim=True)": ("s", "right", "(R, 1)"),
    "x.sum()": ("s", "both", "()"),
}


def copy_and_sum(
    rows: int = 4, columns: int = 3, operation: str = "x + b, b (C,)"
) -> Explorable:
    """Choose an operation: what it copies forward comes back as a sum, and vice versa.

    rows, columns: the shape (R, C) of x. operation: one of those on the buttons.
    """

    def draw(operation: str, rows: float, columns: float) -> Page:
        return _Dual(operation, int(rows), int(columns)).page()

    return Explorable(
        draw,
        Choice("operation", "", [(words, words) for words in COPIES], operation),
        Slider("rows", "rows R", 1, 5, 1, rows, show=".0f"),
        Slider("columns", "columns C", 1, 5, 1, columns, show=".0f"),
    )


@dataclass(frozen=True)
class _Dual:
    """One operation between a small tensor and one of shape (R, C), both ways."""

    operation: str
    rows: int
    columns: int

    @property
    def name(self) -> str:
        return COPIES[self.operation][0]

    @property
    def copies(self) -> bool:
        """Whether forward copies; else forward adds."""
        return self.name == "b"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the small one."""
        way = COPIES[self.operation][1]
        return {"down": (self.columns,), "right": (self.rows, 1), "both": ()}[way]

    def across(self) -> tuple[int, int]:
        """Rows and columns of the small one as it is drawn."""
        way = COPIES[self.operation][1]
        tall = self.rows if way == "right" else 1
        return tall, self.columns if way == "down" else 1

    def summed(self, big: Grid) -> Grid:
        """The big one, added up into the places of the small one."""
        tall, wide = self.across()
        small = [[0] * wide for _ in range(tall)]
        for i, row in enumerate(big):
            for j, value in enumerate(row):
                small[min(i, tall - 1)][min(j, wide - 1)] += value
        return small

    def copied(self, small: Grid) -> Grid:
        """The small one, in each place of the big one."""
        tall, wide = self.across()
        return [
            [small[min(i, tall - 1)][min(j, wide - 1)] for j in range(self.columns)]
            for i in range(self.rows)
        ]

    def tensors(self) -> tuple[Grid, Grid, Grid, Grid]:
        """Small and big forward, small and big backward."""
        tall, wide = self.across()
        some = [[10 * (i + 1) + j + 1 for j in range(wide)] for i in range(tall)]
        many = [
            [(3 * i + 2 * j) % 7 + 1 for j in range(self.columns)]
            for i in range(self.rows)
        ]
        if self.copies:
            return some, self.copied(some), self.summed(many), many
        return self.summed(many), many, some, self.copied(some)

    def page(self) -> Page:
        small, big, dsmall, dbig = self.tensors()
        s, x = self.name, "y" if self.copies else "x"
        full = f"({self.rows}, {self.columns})"
        shown = [(s, small), (x, big), (f"d{s}", dsmall), (f"d{x}", dbig)]
        return Page(
            title=self._claim(),
            look=self._look(),
            body=self._picture(shown, full),
            height=2 * self._band() + 8,
            header=("tensor", "shape", "numbers"),
            rows=[
                (name, shape, str(grid))
                for (name, grid), shape in zip(
                    shown, (self._shape(), full) * 2, strict=True
                )
            ],
        )

    def _shape(self) -> str:
        inside = ", ".join(map(str, self.shape))
        return f"({inside},)" if len(self.shape) == 1 else f"({inside})"

    def _times(self) -> int:
        """How many places of the big one belong to one of the small one."""
        tall, wide = self.across()
        return self.rows * self.columns // (tall * wide)

    def _claim(self) -> str:
        times = self._times()
        if times == 1:
            return "Nothing is copied, and nothing is added up"
        if self.copies:
            return f"Each number of b is copied {times} times: db adds up {times}"
        return f"Each number of s adds up {times}: dx copies each {times} times"

    def _look(self) -> str:
        if self.copies:
            return (
                "Above, blue: b as x meets it. Below, orange: what comes back to those "
                "places is added up, along the same axis, into the shape of b."
            )
        return (
            "Above, blue: x is added up. Below, orange: each number that comes back is "
            "copied, along the same axis, to all that went into the sum."
        )

    def _band(self) -> float:
        return self.rows * H + 46

    def _picture(self, shown: list[tuple[str, Grid]], full: str) -> str:
        """Forward above, backward below; the small one left or right, as it flows."""
        near, far = 78.0, 372.0  # where the two columns of grids begin
        small_at, big_at = (near, far) if self.copies else (far, near)
        marks = []
        for band, colour in enumerate(("forward", "backward")):
            top = 28 + band * self._band()
            for (name, grid), left in zip(
                shown[2 * band : 2 * band + 2], (small_at, big_at), strict=True
            ):
                said = f"{name} {full if left == big_at else self._shape()}"
                if name == "y" or name == "dy":
                    said = f"{'b, copied' if name == 'y' else 'dy'} {full}"
                marks.append(svg.text(left, top - 7, said, colour, 12.5, bold=True))
                marks.append(_grid(grid, left, top, colour))
            marks.append(self._arrow(top, band))
        return "".join(marks)

    def _arrow(self, top: float, band: int) -> str:
        """From left to right forward, from right to left backward."""
        y, colour = top + self.rows * H / 2, ("forward", "backward")[band]
        copying = self.copies != bool(band)
        ends = (286.0, 344.0) if not band else (344.0, 286.0)
        way = 1 if not band else -1
        head = [
            (ends[1] - 9 * way, y - 6),
            (ends[1], y),
            (ends[1] - 9 * way, y + 6),
        ]
        word = "copied" if copying else "added up"
        word = "the same" if self._times() == 1 else word
        return (
            svg.line((ends[0], y), (ends[1], y), colour, 2.5)
            + svg.path(head, colour, 2.5)
            + svg.text(315, y - 10, word, colour, 13, "middle", True)
        )


def _grid(grid: Grid, left: float, top: float, colour: str) -> str:
    """Cells with their numbers."""
    marks = []
    for i, row in enumerate(grid):
        for j, value in enumerate(row):
            x, y = left + W * j, top + H * i
            marks.append(svg.box(x + 1, y + 1, W - 2, H - 2, colour, 0.18, 3))
            marks.append(
                svg.text(
                    x + W / 2, y + 17, str(value), "ink", 12.5, "middle", False, False
                )
            )
    return "".join(marks)


# --- A pull and a push -------------------------------------------------------------


def forces(logits: Any, Y: Any, letters: Any = LETTERS) -> Explorable:
    """One example's logits: what lifts the letter that came, what presses the others.

    logits: (n, V), the scores of n examples. Y: (n,), the letters that came.
    letters: the letter of each index, a string or a dict.
    """
    try:
        pulls = _Pulls(logits, Y, letters)
    except Refused as reason:
        return refusal(reason)
    return Explorable(
        pulls.page,
        Steps("example", "example", len(pulls.targets) - 1),
        Slider("taken", "steps taken", 0, 20, 1, 0, show=".0f"),
    )


class _Pulls:
    """The scores of some examples, and the gradient of each example's own loss."""

    def __init__(self, logits: Any, Y: Any, letters: Any) -> None:
        detached = logits.detach() if hasattr(logits, "detach") else logits
        self.scores = [[float(x) for x in row] for row in listed(detached)]
        self.targets = [int(i) for i in listed(Y)]
        wide = {len(row) for row in self.scores}
        if len(self.scores) != len(self.targets) or len(wide) != 1:
            raise Refused("Each row of logits should have a letter that came.")
        size = wide.pop()
        if len(letters) != size:
            raise Refused(f"{size} scores in a row, and {len(letters)} letters.")
        if not all(math.isfinite(x) for row in self.scores for x in row):
            raise Refused("A score is not finite: there is no pull to be shown.")
        self.letters = [letters[i] for i in range(size)]

    def after(self, example: int, taken: int) -> list[float]:
        """The probabilities of an example after some steps along its own pulls."""
        scores, target = list(self.scores[example]), self.targets[example]
        for _ in range(taken):
            p = _softmax(scores)
            scores = [z - share for z, share in zip(scores, p, strict=True)]
            scores[target] += 1
        return _softmax(scores)

    def page(self, example: int, taken: float) -> Page:
        target, steps = self.targets[example], int(taken)
        p = self.after(example, steps)
        slope = [share - (i == target) for i, share in enumerate(p)]
        came, up = self.letters[target], f"{1 - p[target]:.2f}"
        after = f"After {steps} step{'s' * (steps != 1)}: " if steps else ""
        return Page(
            title=f'{after}"{came}" is pulled up by {up}, '
            f"the others down by {up} in all",
            look="Above, what the model believes. Below, how each score is pulled: the "
            "letter that came up, every other one down, by the very probability that "
            "it was given. The pulls add up to zero.",
            body=self._picture(p, slope, target),
            height=330,
            header=("letter", "probability", "gradient of its score"),
            rows=[
                (letter, f"{share:.3f}", f"{d:+.3f}")
                for letter, share, d in zip(self.letters, p, slope, strict=True)
            ],
        )

    def _picture(self, p: list[float], slope: list[float], target: int) -> str:
        ends = (-0.5, len(p) - 0.5)
        above = Panel(46, 24, 584, 104, ends, (0, 1))
        below = Panel(46, 176, 584, 130, ends, (-1, 1))
        wide = 0.62 * 584 / len(p)
        marks = [
            above.axes("", "probability", [], [0, 0.5, 1]),
            below.axes("", "pull on the score: minus its gradient", [], [-1, 0, 1]),
        ]
        for i, letter in enumerate(self.letters):
            x, colour = above.x(i), "backward" if i == target else "soft"
            y = above.y(p[i])
            marks += [
                svg.box(x - wide / 2, y, wide, above.bottom - y, "forward", 0.8),
                svg.text(
                    x, 147, letter, colour, 13, "middle", i == target, False, True
                ),
                _pull(below, x, -slope[i]),
            ]
        marks.append(_framed(above.x(target), 134))
        return "".join(marks)


def _framed(x: float, top: float) -> str:
    """A frame around the letter that came."""
    return svg.box(x - 9, top, 18, 18, "backward", 0, 3, "backward", 1.5)


def _pull(panel: Panel, x: float, pull: float) -> str:
    """An arrow up or down from the middle; too short for a head, a stroke."""
    start, end = panel.y(0), panel.y(pull)
    stroke = svg.line((x, start), (x, end), "backward", 3)
    if abs(end - start) < 9:
        return stroke
    way = 1 if end < start else -1
    head = [(x - 5, end + 6 * way), (x, end), (x + 5, end + 6 * way)]
    return stroke + svg.path(head, "backward", 3)


def _softmax(scores: Sequence[float]) -> list[float]:
    most = max(scores)
    counts = [math.exp(z - most) for z in scores]
    return [count / sum(counts) for count in counts]


# --- BatchNorm from behind ---------------------------------------------------------

EIGHT = (-1.9, -1.1, -0.7, -0.2, 0.1, 0.8, 1.2, 2.4)


def batchnorm_gradient(values: Any = EIGHT, pulled: int | None = None) -> Explorable:
    """Pull at one example, at all alike, or in proportion: what leaves BatchNorm?

    values: one neuron's inputs for a few examples, (n,), 3 to 40 of them.
    pulled: which one is pulled, from the smallest on; without it, one on the right.
    """
    detached = values.detach() if hasattr(values, "detach") else values
    numbers = sorted(float(x) for x in listed(detached))
    if not 3 <= len(numbers) <= 40 or not all(map(math.isfinite, numbers)):
        return refusal(Refused("This picture takes 3 to 40 finite numbers."))
    if numbers[0] == numbers[-1]:
        return refusal(Refused("These numbers are all the same: they have no spread."))
    which = len(numbers) * 3 // 4 if pulled is None else pulled % len(numbers)
    return Explorable(
        _Column(numbers, which).page,
        Slider("one", "pull at one", -2, 2, 0.1, 1.0, show=".1f"),
        Slider("alike", "at all alike", -1, 1, 0.1, 0.0, show=".1f"),
        Slider("tilt", "like the values", -1, 1, 0.1, 0.0, show=".1f"),
    )


class _Column:
    """The inputs of one neuron, normalised, and gradients through the normalising."""

    def __init__(self, values: list[float], which: int) -> None:
        n = len(values)
        mean = sum(values) / n
        spread = math.sqrt(sum((x - mean) ** 2 for x in values) / n)
        self.values, self.which, self.inverse = values, which, 1 / spread
        self.raw = [(x - mean) / spread for x in values]

    def comes(self, one: float, alike: float, tilt: float) -> list[float]:
        """What comes back to the normalised values."""
        back = [alike + tilt * raw for raw in self.raw]
        back[self.which] += one
        return back

    def line(self, back: list[float]) -> tuple[float, float]:
        """The straight line that fits best: its mean, and its slope."""
        n = len(back)
        tilt = sum(raw * g for raw, g in zip(self.raw, back, strict=True)) / n
        return sum(back) / n, tilt

    def leaves(self, back: list[float]) -> list[float]:
        """What leaves for the values before: all but the line, over the spread."""
        mean, tilt = self.line(back)
        return [
            self.inverse * (g - mean - raw * tilt)
            for raw, g in zip(self.raw, back, strict=True)
        ]

    def page(self, one: float, alike: float, tilt: float) -> Page:
        back = self.comes(one, alike, tilt)
        left = [g / self.inverse for g in self.leaves(back)]
        return Page(
            title=self._claim(one, left),
            look="Above, what comes back to each normalised value, and the straight "
            "line that fits it best. Below, what is left when the line is taken away: "
            "that alone goes on to the values before.",
            body=self._picture(back, left),
            height=346,
            header=("normalised value", "comes back", "goes on"),
            rows=[
                (f"{raw:.2f}", f"{g:.2f}", f"{rest + 0.0:.2f}")
                for raw, g, rest in zip(self.raw, back, left, strict=True)
            ],
        )

    def _claim(self, one: float, left: list[float]) -> str:
        if abs(one) < 0.05:
            return "A straight line is taken away whole: nothing goes on"
        answering = sum(abs(g) >= 0.005 for g in left) - 1
        return (
            f"One is pulled by {one:.1f}: {left[self.which]:.2f} goes on, and "
            f"{answering} others answer"
        )

    def _picture(self, back: list[float], left: list[float]) -> str:
        room = 0.3
        ends = (self.raw[0] - room, self.raw[-1] + room)
        high = max(1.2, max(map(abs, back)) * 1.1)
        above = Panel(46, 26, 584, 126, ends, (-high, high))
        low = max(1.2, max(map(abs, left)) * 1.1)
        below = Panel(46, 190, 584, 114, ends, (-low, low))
        mean, tilt = self.line(back)
        fit = [(above.x(raw), above.y(mean + tilt * raw)) for raw in ends]
        return (
            above.axes("", "comes back to the normalised value", [], [-1, 0, 1])
            + below.axes(
                "normalised value", "goes on to the value before", None, [-1, 0, 1]
            )
            + above.clip(svg.path(fit, "reference", 2, "6 4"))
            + self._stems(above, back, "reference")
            + self._stems(below, left, "backward")
        )

    def _stems(self, panel: Panel, heights: list[float], colour: str) -> str:
        """A stem for each example; the one that is pulled has a larger head."""
        marks = []
        for i, (raw, height) in enumerate(zip(self.raw, heights, strict=True)):
            x, y = panel.x(raw), panel.y(height)
            marks.append(svg.line((x, panel.y(0)), (x, y), colour, 2.5))
            marks.append(svg.dot(x, y, colour, 7 if i == self.which else 4.5))
        return "".join(marks)
