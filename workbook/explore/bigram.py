"""Explorables of lesson 2: the map of counts, and the descent to it.

The sampler is in sampling.py, the scorer of names in scoring.py, the shapes in
broadcasting.py: later lessons use them too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.alphabet import LETTERS, entropy, listed, spoken, square
from workbook.explore.base import Choice, Explorable, Page, Slider, Steps, refusal
from workbook.explore.page import WIDTH, Refused
from workbook.explore.svg import Panel
from workbook.style import number

LOW, HIGH = -3, 4  # smoothing, as powers of ten
GRID = [10 ** (LOW + i / 8) for i in range(8 * (HIGH - LOW) + 1)]
CELL = 12.0  # pixels of a letter in the map
LEFT, TOP = 24.0, 30.0  # the map's corner
WIDE = 222.0  # pixels of the panels beside it
SPLITS = {"train": ("train", None), "dev": ("valid", "5 3")}  # colour, dash

Counts = list[list[float]]


def count_map(
    counts: Any = None,
    dev: Any = None,
    *,
    letters: str = LETTERS,
    row: str = ".",
    smoothing: float = 1.0,
) -> Explorable:
    """Pick a row of a table of counts and smooth it: its bars, its entropy, the losses.

    counts: (V, V), how often letter j follows letter i; without them the course's names
    are counted, eight in ten. dev: the same of names held out, for the second curve.
    letters: the V letters in their order. row: the letter whose row is picked first.

        explore.count_map(N, dev=N_dev, row="q")
    """
    try:
        if counts is None:
            counts, dev = _course_names()
        table = square(counts, letters, "The table of counts")
        held = None if dev is None else square(dev, letters, "The table of dev counts")
        if not any(map(sum, table)):
            raise Refused("The table of counts is empty: count some names first.")
        picked = _Map(table, held, letters)
        first = letters.index(row)
    except Refused as reason:
        return refusal(reason)
    except ValueError:
        return refusal(Refused(f"There is no row {row!r}: the letters are {letters}"))
    return Explorable(
        picked.page,
        Choice("row", "row", [(c, i) for i, c in enumerate(letters)], first, True),
        Slider("smoothing", "smoothing", LOW, HIGH, 0.125, smoothing, True, ",.3r"),
        Choice("plain", "", [("smoothed", False), ("not smoothed", True)], False),
    )


def count_pairs(words: Sequence[str], letters: str = LETTERS) -> Counts:
    """How often each letter follows each, letters[0] at both ends: (V, V), in loops."""
    place = {letter: i for i, letter in enumerate(letters)}
    table = [[0.0] * len(letters) for _ in letters]
    for word in words:
        for first, second in pairwise([0, *(place[letter] for letter in word), 0]):
            table[first][second] += 1
    return table


def _course_names() -> tuple[Counts, Counts]:
    """Counts of eight in ten of the course's names, and of one in ten held out."""
    from workbook import data

    words = list(data.names())
    Random(42).shuffle(words)
    ends = int(0.8 * len(words)), int(0.9 * len(words))
    return count_pairs(words[: ends[0]]), count_pairs(words[slice(*ends)])


def smoothed(counts: Sequence[float], s: float) -> list[float]:
    """One row of counts as probabilities, s added to each; uniform where all is 0."""
    total = sum(counts) + s * len(counts)
    if not total:
        return [1 / len(counts)] * len(counts)
    return [(count + s) / total for count in counts]


def average_loss(model: Counts, seen: Counts, s: float) -> float:
    """Mean negative log likelihood, in nats, of the pairs in `seen` under `model` + s.

    Infinite where a pair occurs that the model holds impossible.
    """
    total = 0.0
    for counts, occurred in zip(model, seen, strict=True):
        for p, times in zip(smoothed(counts, s), occurred, strict=True):
            if times and not p:
                return math.inf
            total -= times * math.log(p) if times else 0.0
    return total / (sum(map(sum, seen)) or 1.0)


class _Map:
    """A table, its losses over all smoothings, and the page of each state."""

    def __init__(self, counts: Counts, dev: Counts | None, letters: str) -> None:
        self.counts, self.letters = counts, letters
        self.splits = {"train": counts} | ({"dev": dev} if dev else {})
        self.curves: dict[str, list[float]] = {}
        self.plain = [smoothed(row, 0.0) for row in counts]
        self.highest = max(map(max, self.plain))

    def page(self, row: int, smoothing: float, plain: bool) -> Page:
        smoothing = 0.0 if plain else smoothing
        p, before = smoothed(self.counts[row], smoothing), self.plain[row]
        return Page(
            title=self._claim(row, p),
            look=self._look(),
            body=self._map(row, smoothing)
            + self._bars(row, p, before)
            + self._losses(smoothing),
            height=max(TOP + CELL * len(self.letters) + 22, 374),
            width=max(WIDTH, self._right() + WIDE + 12),
            header=("quantity", "value", "without smoothing"),
            rows=self._rows(row, smoothing, p, before),
        )

    def _claim(self, row: int, p: list[float]) -> str:
        best = max(range(len(p)), key=p.__getitem__)
        after, then = spoken(self.letters[row], False), spoken(self.letters[best])
        return (
            f"After {after}, {then} is likeliest, {100 * p[best]:.0f} %; the row is as "
            f"open as 1 in {math.exp(entropy(p)):.1f}"
        )

    def _look(self) -> str:
        look = (
            "Click a row of the map, or its letter below, and smooth it. The bars sink "
            "towards the grey line; grey ticks are where they stood. Rows of rare "
            "letters give way first. "
        )
        losses = self._curves().get("dev")
        if losses is None:
            return look + "Below: more smoothing costs more on train."
        best = number(GRID[losses.index(min(losses))], 1)
        return look + (
            "Below, on a finer scale: train wants none; dev, dashed, is lowest at "
            f"{best}."
        )

    def _curves(self) -> dict[str, list[float]]:
        """The loss of each split over all smoothings, worked out once."""
        self.curves = self.curves or {
            name: [average_loss(self.counts, seen, at) for at in GRID]
            for name, seen in self.splits.items()
        }
        return self.curves

    def _rows(
        self, row: int, s: float, p: list[float], before: list[float]
    ) -> list[tuple[str, str, str]]:
        """The likeliest letters of the row, its entropy, and the losses."""
        best = sorted(range(len(p)), key=lambda i: -before[i])[:6]
        rows = [
            (
                f"{spoken(self.letters[i])}, {self.counts[row][i]:g} times",
                number(p[i], 4),
                number(before[i], 4),
            )
            for i in best
        ]
        open_ = [entropy(x) for x in (p, before)]
        rows += [("as open as 1 in", *(f"{math.exp(nats):.1f}" for nats in open_))]
        rows += [("entropy of the row", *(number(nats, 4) for nats in open_))]
        for name, seen in self.splits.items():
            losses = (average_loss(self.counts, seen, at) for at in (s, 0.0))
            told = ("infinite" if math.isinf(x) else f"{x:.4f}" for x in losses)
            rows.append((f"loss on {name}", *told))
        return rows

    # The three parts of the picture.

    def _map(self, row: int, s: float) -> str:
        """Probabilities as squares, darker for more; each row takes a click."""
        count = len(self.letters)
        shares = [
            [math.sqrt(p / self.highest) for p in smoothed(counts, s)]
            for counts in self.counts
        ]
        side = CELL * count
        marks = [
            svg.box(LEFT, TOP, side, side, "paper", 0, 0, "faint"),
            svg.cells(shares, LEFT, TOP, CELL),
        ]
        for i, letter in enumerate(self.letters):
            at, here = CELL * i + CELL / 2, i == row
            size = 11.5 if here else 9.5
            marks += [
                svg.text(
                    LEFT - 9, TOP + at + 3.5, letter, "ink" if here else "soft",
                    size, "middle", here, False,
                ),
                svg.text(LEFT + at, TOP - 6, letter, "soft", 9.5, "middle", halo=False),
                svg.hit(LEFT - 16, TOP + CELL * i, side + 16, CELL, "row", i),
            ]  # fmt: skip
        frame = (LEFT - 1, TOP + CELL * row - 0.5, side + 2, CELL + 1)
        marks.append(svg.box(*frame, "paper", 0, 2, "ink", 1.6))
        below = TOP + side + 16
        words = "rows: this letter; columns: the next; darker: more probable"
        return "".join(marks) + svg.text(LEFT, below, words, "soft", 11.5, halo=False)

    def _bars(self, row: int, p: list[float], before: list[float]) -> str:
        """The picked row; a grey tick is where a bar stood without smoothing."""
        count = len(p)
        limits = (-0.5, count - 0.5), (0, max(before))
        panel = Panel(self._right(), TOP + 8, WIDE, 118, *limits)
        wide, uniform = panel.width / count, panel.y(1 / count)
        marks = []
        for i, letter in enumerate(self.letters):
            x = panel.x(i)
            y, tick = panel.y(p[i]), panel.y(before[i])
            marks += [
                svg.box(x - wide / 2 + 0.7, y, wide - 1.4, panel.bottom - y, "forward"),
                svg.line((x - wide / 2, tick), (x + wide / 2, tick), "reference", 1.2),
                svg.text(x, panel.bottom + 12, letter, "soft", 9, "middle", halo=False),
            ]
        ends = (panel.left, uniform), (panel.right, uniform)
        grey = svg.line(*ends, "reference", 1, "4 2")
        after = spoken(self.letters[row], False)
        yticks = svg.ticks(0, max(before), 3)
        return (
            panel.axes("", f"what follows {after}: probability", [], yticks)
            + "".join(marks)
            + grey
            + svg.text(panel.right, uniform - 4, "uniform", "soft", 10.5, "end")
        )

    def _losses(self, s: float) -> str:
        """The losses around their lowest points, the present smoothing marked."""
        panel = self._valley()
        x, marks = panel.x(max(s, GRID[0])), []  # a log scale has no zero: its left end
        marks.append(svg.line((x, panel.top), (x, panel.bottom), "reference", 1))
        for name, losses in self._curves().items():
            colour, dash = SPLITS[name]
            loss = average_loss(self.counts, self.splits[name], s)
            y = panel.y(min(loss, 2 * panel.ylim[1]))  # what is infinite is outside
            marks.append(svg.path(panel.points(GRID, losses), colour, 2, dash))
            marks.append(svg.dot(x, y, colour, 4.5))
        xticks = [10.0**k for k in range(LOW, HIGH + 1)]
        yticks = svg.ticks(*panel.ylim, 4)
        return (
            panel.axes("smoothing", "", xticks, yticks)
            + panel.clip("".join(marks))
            + self._readings(panel, s)
        )

    def _valley(self) -> Panel:
        """Axes that show where each curve is lowest; what climbs out of them does."""
        seen = [loss for at, loss in self._points() if at <= 3 and math.isfinite(loss)]
        low, high = min(seen), max(seen)
        room = 0.15 * (high - low) or 0.01
        limits = (LOW, HIGH), (low - room, high + 2 * room)
        return Panel(self._right(), TOP + 204, WIDE, 96, *limits, True)

    def _points(self) -> list[tuple[float, float]]:
        curves = self._curves().values()
        return [pair for curve in curves for pair in zip(GRID, curve, strict=True)]

    def _right(self) -> float:
        """Where the panels beside the map begin."""
        return LEFT + CELL * len(self.letters) + 54

    def _readings(self, panel: Panel, s: float) -> str:
        """The losses of the present smoothing, above their curves."""
        words = []
        for i, (name, seen) in enumerate(self.splits.items()):
            loss = average_loss(self.counts, seen, s)
            loss = f"{name} infinite" if math.isinf(loss) else f"{name} {loss:.4f}"
            place = panel.left + 100 * i, panel.top - 10
            words.append(svg.text(*place, loss, SPLITS[name][0], 13, bold=True))
        return "".join(words) + svg.text(
            panel.right, panel.top - 10, "nats", "soft", 11, "end"
        )


# --- The descent to the table -----------------------------------------------------


DESCENT = (
    "On the right each dot is a pair of letters: across, the logarithm of its counted "
    "probability; up, of the learned one. One was added to each count, or the hollow "
    "dots, pairs that never occur, would have no logarithm. Training draws the cloud "
    "onto the grey diagonal, frequent pairs first; the hollow ones sink for ever "
    "unless a penalty holds them."
)


class Descent(NamedTuple):
    """What a table of weights says after some steps: plain numbers."""

    step: int
    loss: float | None
    p: Counts  # softmax of each row


def record_table(W: Any, step: int = 0, loss: Any = None) -> Descent:
    """One frame for `descent_to_table`: the rows of W, (V, V), as probabilities.

    loss: a number, or a tensor of one element, to be shown beside the step.
    """
    rows = listed(W.detach() if hasattr(W, "detach") else W)
    p = [_softmax([float(w) for w in row]) for row in rows]
    plain = loss.item() if hasattr(loss, "item") else loss
    return Descent(int(step), plain, p)


def descent_to_table(
    frames: Sequence[Descent], counts: Any, *, letters: str = LETTERS
) -> Explorable:
    """Slide through the training: each weight walks to the logarithm of its count.

    frames: a list of `record_table(W, step, loss)`. counts: (V, V), what was counted;
    the counted probabilities are the target, smoothed by one.
    """
    try:
        table = square(counts, letters, "The table of counts")
        if not frames:
            raise Refused("There is no frame to show: record at least one step.")
    except Refused as reason:
        return refusal(reason)
    target = [smoothed(row, 1.0) for row in table]
    walk = _Walk(list(frames), table, target, letters)
    last = len(frames) - 1
    return Explorable(
        walk.page, Steps("frame", "frame", last, play=400), still={"frame": last}
    )


def _softmax(row: list[float]) -> list[float]:
    highest = max(row)
    powers = [math.exp(w - highest) for w in row]
    return [power / sum(powers) for power in powers]


class _Walk:
    """Recorded frames beside the table that was counted."""

    def __init__(
        self, frames: list[Descent], counts: Counts, target: Counts, letters: str
    ) -> None:
        self.frames, self.counts, self.target = frames, counts, target
        self.letters = letters
        self.weight = [sum(row) for row in counts]
        self.highest = max(map(max, target))

    def page(self, frame: int) -> Page:
        now = self.frames[frame]
        return Page(
            title=self._claim(now),
            look=DESCENT,
            body=self._maps(now) + self._cloud(now),
            height=322,
            header=("step", "loss", "distance from the counts"),
            rows=[
                (str(f.step), "" if f.loss is None else f"{f.loss:.4f}", self._far(f))
                for f in self._sparse(frame)
            ],
        )

    def _claim(self, now: Descent) -> str:
        step = f"After {now.step} steps" if now.step else "Before the first step"
        loss = "" if now.loss is None else f" the loss is {now.loss:.4f};"
        return f"{step}{loss} {self._far(now)} of p is misplaced"

    def _far(self, frame: Descent) -> str:
        """Mean distance of both tables' probabilities, weighted as the rows occur."""
        total = sum(
            weight * sum(abs(a - b) for a, b in zip(mine, due, strict=True))
            for weight, mine, due in zip(self.weight, frame.p, self.target, strict=True)
        )
        return f"{100 * total / 2 / (sum(self.weight) or 1):.1f} %"

    def _sparse(self, index: int) -> list[Descent]:
        """Some ten frames over the whole run, the one in the picture among them."""
        every = max(1, len(self.frames) // 9)
        chosen = {*range(0, len(self.frames), every), index, len(self.frames) - 1}
        return [self.frames[i] for i in sorted(chosen)]

    def _maps(self, now: Descent) -> str:
        """Learned and counted, on the same scale of blue."""
        marks, cell = [], 162 / len(self.letters)
        for i, (name, table) in enumerate(
            (("learned", now.p), ("counted", self.target))
        ):
            left, top = 8 + 178.0 * i, 54.0
            shares = [[math.sqrt(p / self.highest) for p in row] for row in table]
            side = cell * len(self.letters)
            marks += [
                svg.text(left, top - 10, name, "ink", 13, bold=True, halo=False),
                svg.box(left, top, side, side, "paper", 0, 0, "faint"),
                svg.cells(shares, left, top, cell),
            ]
        words = "rows: this letter; columns: the next"
        return "".join(marks) + svg.text(8, 234, words, "soft", 11.5, halo=False)

    def _cloud(self, now: Descent) -> str:
        """ln p counted against ln p learned; never seen pairs are hollow."""
        low = min(math.log(p) for row in self.target for p in row) - 0.4
        panel = Panel(404, 24, 226, 248, (low, 0.2), (low, 0.2))
        seen, unseen = [], []
        triples = zip(self.counts, self.target, now.p, strict=True)
        for count, due, p in (
            one for rows in triples for one in zip(*rows, strict=True)
        ):
            height = max(math.log(p), low) if p else low
            place = panel.x(math.log(due)), panel.y(height)
            (seen if count else unseen).append(place)
        ends = panel.points((low, 0.2), (low, 0.2))
        return (
            panel.axes("ln p, counted (+ 1)", "ln p, learned", [-8, -6, -4, -2, 0])
            + svg.path(ends, "reference", 1.2, "5 3")
            + panel.clip(_specks(unseen, "reference", True) + _specks(seen, "forward"))
        )


def _specks(places: Sequence[svg.Point], colour: str, hollow: bool = False) -> str:
    """Many small dots as one path."""
    r = 2.0
    d = "".join(
        f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 -{2 * r} 0"
        for x, y in places
    )
    if hollow:
        return svg.curve(d, colour, 1)
    filled = {"class_": f"wb-{colour}", "color": svg.LIGHT[colour]}
    return svg.tag("path", d=d, fill="currentColor", opacity=0.55, **filled)
