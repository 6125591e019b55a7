"""Letters as points: where a model puts them, step by step.

frames = []
for step in range(20_000):
    if step % 500 == 0:
        frames.append(explore.record_letters(C, step, loss))
    ...
explore.letter_map(frames)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import Explorable, Page, Refused, Steps, refusal
from workbook.explore.svg import Panel
from workbook.style import number

LETTERS = ".abcdefghijklmnopqrstuvwxyz"
VOWELS = "aeiou"
PACE = 250  # ms a frame while playing
GAP = 16.0  # pixels between two letters, so that each can be read
TAIL = 8  # frames back that a vowel's trail goes

MOVING = (
    "Letters that are followed by the same others come closer. Where many stand on "
    "one spot, a thin line leads from a letter to its place. The axes follow the "
    "letters: how far apart they are stands in the axes' numbers."
)
STILL = "Letters that lie close together are nearly the same to whoever reads them."

Point = tuple[float, float]


class Letters(NamedTuple):
    """Where the letters are at one step: plain numbers, so that it costs no memory."""

    step: int
    loss: float | None
    points: tuple[Point, ...]


def record_letters(C: Any, step: int = 0, loss: Any = None) -> Letters:
    """One frame for `letter_map`: the first two columns of the embedding table.

    C: (V, D) with D from 2 up, a tensor or a list of lists. loss: a number, or a
    tensor of one element, to be shown beside the step.
    """
    rows = C.tolist() if hasattr(C, "tolist") else C
    points = tuple((float(row[0]), float(row[1])) for row in rows)
    return Letters(int(step), None if loss is None else float(loss), points)


def letter_map(
    frames: Sequence[Letters] | Any, letters: Sequence[str] | str = LETTERS
) -> Explorable:
    """Slide through the training, or play it: letters that behave alike come close.

    frames: a list of `record_letters(...)`, or one table (V, D), drawn as it is.
    letters: what the rows stand for, in their order; also a dict of index to letter.
    """
    if hasattr(frames, "shape"):
        frames = [record_letters(frames)]
    names = [letters[i] for i in range(len(letters))]
    frames = [Letters(*frame) for frame in frames]
    if not frames:
        return refusal(Refused("There is no frame to show: record at least one step."))
    if {len(frame.points) for frame in frames} != {len(names)}:
        return refusal(Refused(f"Each frame needs {len(names)} points, one a letter."))
    if not all(math.isfinite(v) for frame in frames for p in frame.points for v in p):
        return refusal(Refused("Some letters have no place: the training blew up."))
    moving = _Map(frames, names)
    if len(frames) == 1:
        return Explorable(lambda: moving.page(0))
    last = len(frames) - 1
    return Explorable(
        moving.page, Steps("at", "frame", last, play=PACE), still={"at": last}
    )


class _Map:
    """All frames; the axes of each hold its letters, so that a cluster can be read."""

    def __init__(self, frames: list[Letters], names: list[str]) -> None:
        self.frames, self.names = frames, names
        self.vowels = [i for i, name in enumerate(names) if name in VOWELS]

    def page(self, at: int) -> Page:
        frame = self.frames[at]
        near = [
            ", ".join(self.names[j] for j in two) for two in nearest_two(frame.points)
        ]
        return Page(
            title=self._claim(frame),
            look="Orange squares are vowels, the round spot is the dot that ends a "
            "name. " + (MOVING if len(self.frames) > 1 else STILL),
            body=self._plane(at) + self._losses(at),
            height=406,
            header=("letter", "x", "y", "nearest two"),
            rows=[
                (name, f"{x:.2f}", f"{y:.2f}", near[i])
                for i, (name, (x, y)) in enumerate(
                    zip(self.names, frame.points, strict=True)
                )
            ],
        )

    def _claim(self, frame: Letters) -> str:
        if len(self.frames) == 1:
            return "Each letter stands at its two numbers"
        if len(self.vowels) < 2:
            return f"The letters after step {frame.step:,}"
        near, vowels = nearest_two(frame.points), set(self.vowels)
        beside = sum(bool(vowels & set(near[i])) for i in self.vowels)
        claim = f"{beside} of {len(vowels)} vowels have one among their two nearest"
        return f"Step {frame.step:,}: {claim}"

    def _plane(self, at: int) -> str:
        points = self.frames[at].points
        panel = Panel(40, 28, 390, 340, _limits(points, 0), _limits(points, 1))
        trails = "".join(self._trail(panel, at, i) for i in self.vowels)
        marks = [panel.axes("first number", "second number"), panel.clip(trails)]
        order = [i for i in range(len(points)) if i not in self.vowels] + self.vowels
        places = [(panel.x(x), panel.y(y)) for x, y in points]
        labels = apart(places, GAP, panel)
        for i in order:
            if math.dist(places[i], labels[i]) > 4:
                marks.append(svg.line(places[i], labels[i], "soft", 0.8))
                marks.append(svg.dot(*places[i], "soft", 1.8))
        marks += [self._letter(i, labels[i]) for i in order]
        return "".join(marks)

    def _trail(self, panel: Panel, at: int, letter: int) -> str:
        """Where a vowel came from."""
        past = [f.points[letter] for f in self.frames[max(0, at - TAIL) : at + 1]]
        points = [(panel.x(x), panel.y(y)) for x, y in past]
        return svg.path(points, "positive", 1.5, opacity=0.5)

    def _letter(self, i: int, place: Point) -> str:
        (x, y), name = place, self.names[i]
        if i in self.vowels:
            mark = svg.box(x - 9, y - 9, 18, 18, "positive", None, 3)
            return mark + svg.text(
                x, y + 4.5, name, "paper", 14, "middle", True, halo=False
            )
        if name == ".":
            return svg.dot(x, y, "ink", 4)
        return svg.text(x, y + 4.5, name, "ink", 14.5, "middle")

    def _losses(self, at: int) -> str:
        """The loss against the step, the frame of the picture marked."""
        frame, left, width = self.frames[at], 478.0, 138.0
        if len(self.frames) == 1:
            return ""
        marks = [svg.text(left, 30, f"step {frame.step:,}", "soft", 13, halo=False)]
        if frame.loss is None:
            return "".join(marks)
        told = number(frame.loss, 3)
        marks += [
            svg.text(left, 62, told, "train", 22, bold=True, halo=False),
            svg.text(left, 79, "loss", "soft", 12, halo=False),
        ]
        known = [(f.step, f.loss) for f in self.frames if f.loss is not None]
        if len(known) < 2:
            return "".join(marks)
        steps, losses = zip(*known, strict=True)
        low, high = min(losses), _most(losses)
        room = 0.1 * (high - low) or 0.1
        ends = (steps[0], steps[-1])
        panel = Panel(left, 134, width, 234, ends, (low - room, high + room))
        here = svg.dot(
            panel.x(frame.step),
            max(panel.top, panel.y(frame.loss)),
            "backward",
            5,
        )
        line = panel.clip(svg.path(panel.points(steps, losses), "train", 2))
        axes = panel.axes("step", "loss", svg.ticks(*ends, count=2))
        return "".join([*marks, axes, line, here])


def nearest_two(points: Sequence[Point]) -> list[list[int]]:
    """For each point, which two others are closest."""
    return [
        sorted(
            (j for j in range(len(points)) if j != i),
            key=lambda j: math.dist(points[i], points[j]),
        )[:2]
        for i in range(len(points))
    ]


def apart(places: Sequence[Point], gap: float, panel: Panel) -> list[Point]:
    """Places of labels: those of the points, pushed apart until each can be read."""
    # a heap may be one point: each begins a little to a side of its own
    turn = 2.4
    x = [p[0] + math.cos(turn * i) for i, p in enumerate(places)]
    y = [p[1] + math.sin(turn * i) for i, p in enumerate(places)]
    for _ in range(60):
        moved = False
        for i, j in combinations(range(len(places)), 2):
            dx, dy = x[i] - x[j], y[i] - y[j]
            far = math.hypot(dx, dy)
            if far >= gap:
                continue
            moved, push = True, (gap - far) / (2 * far or 1.0)
            x[i], y[i] = x[i] + push * dx, y[i] + push * dy
            x[j], y[j] = x[j] - push * dx, y[j] - push * dy
        if not moved:
            break
    half = gap / 2
    return [
        (
            min(max(a, panel.left + half), panel.right - half),
            min(max(b, panel.top + half), panel.bottom - half),
        )
        for a, b in zip(x, y, strict=True)
    ]


def _limits(points: Sequence[Point], axis: int) -> tuple[float, float]:
    values = [point[axis] for point in points]
    room = 0.07 * (max(values) - min(values)) or 1.0
    return min(values) - room, max(values) + room


def _most(losses: Sequence[float]) -> float:
    """The highest loss that is drawn: the first ones may be far above the rest."""
    known = sorted(loss for loss in losses if math.isfinite(loss))
    return min(known[-1], 3 * known[len(known) // 2])
