"""Explorables of lesson 3: a sliding window, a search for the step, a model's size.

The numbers in memory behind a tensor are in storage.py, the letters that move while a
model learns in letters.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import (
    Choice,
    Control,
    Explorable,
    Field,
    Page,
    Refused,
    Slider,
    Steps,
    refusal,
)
from workbook.explore.svg import Panel
from workbook.style import number

LETTERS = ".abcdefghijklmnopqrstuvwxyz"
LONGEST = 20  # letters of a name that still fit the picture
WIDEST = 8  # block sizes to choose from

# --- A window slides along a name -------------------------------------------------


def context_window(word: str = "emma", block_size: int = 3) -> Explorable:
    """Walk along a name: what the model sees at each place, and what it should say.

    word: the name to begin with, letters a to z; another can be typed in.
    block_size: how many letters the model sees, 1 to 8.
    """

    def draw(word: str, block_size: float, at: int) -> Page:
        return _Window(_spelled(word), int(block_size)).page(at)

    return Explorable(
        draw,
        Field("word", "name", word, "a name", "200px"),
        Slider("block_size", "block size", 1, WIDEST, 1, block_size, show=".0f"),
        Steps("at", "place", LONGEST),
        still={"at": len(word)},
    )


def _spelled(word: str) -> str:
    word = word.strip().lower()
    unknown = [letter for letter in word if letter not in LETTERS[1:]]
    if unknown:
        raise Refused(f"The alphabet here is a to z: {unknown[0]!r} is not in it.")
    if not 0 < len(word) <= LONGEST:
        raise Refused(f"Type a name of 1 to {LONGEST} letters.")
    return word


class _Window:
    """The examples of one name at one block size."""

    def __init__(self, word: str, block: int) -> None:
        self.word, self.block = word, block
        self.tape = "." * block + word + "."
        ends = range(block, len(self.tape))
        self.examples = [(self.tape[i - block : i], self.tape[i]) for i in ends]
        self.wide = min(38.0, 620 / len(self.tape))
        self.left = (640 - self.wide * len(self.tape)) / 2

    def page(self, at: int) -> Page:
        count = len(self.examples)
        past, at = at >= count, min(at, count - 1)
        context, target = self.examples[at]
        claim = f'Example {at + 1} of {count}: after "{context}" comes "{target}"'
        if past:
            claim = f'"{self.word}" makes {count} examples: its letters, and its end'
        return Page(
            title=claim,
            look="Blue is what the model sees, orange is what it should say. At the "
            "start the window hangs over the edge: dots fill it. The same dot, "
            "as a target, ends the name.",
            body=self._row(at) + self._told(at),
            height=132 + 23 * self._rows() + 8,
            header=("context", "X", "target", "Y"),
            rows=[_indexed(*example) for example in self.examples[: at + 1]],
        )

    def _row(self, at: int) -> str:
        """The name with its padding; the window and the target stand out."""
        marks = [self._letter(i, at) for i in range(len(self.tape))]
        seen, aim = self._x(at), self._x(at + self.block)
        width, y = self.wide * self.block, 30
        marks += [
            svg.box(seen, y, width, 40, "forward", 0, 5, "forward", 2.5),
            svg.box(aim, y, self.wide, 40, "backward", 0, 5, "backward", 2.5),
            svg.text(seen + width / 2, 22, "context", "forward", 12.5, "middle", True),
            _target_word(aim + self.wide / 2, seen + width),
        ]
        return "".join(marks)

    def _x(self, place: int) -> float:
        return self.left + self.wide * place

    def _letter(self, place: int, at: int) -> str:
        """One cell of the row."""
        seen, aim = at <= place < at + self.block, place == at + self.block
        x, letter = self._x(place), self.tape[place]
        ground = "forward" if seen else "backward" if aim else "faint"
        strength = 0.16 if seen or aim else 0.35
        colour = "ink" if seen or aim else "soft"
        middle = x + self.wide / 2
        return svg.box(x + 1, 31, self.wide - 2, 38, ground, strength, 4) + svg.text(
            middle, 56, letter, colour, 18, "middle", seen or aim, False, True
        )

    def _rows(self) -> int:
        count = len(self.examples)
        return count if count <= 7 else math.ceil(count / 3)

    def _told(self, at: int) -> str:
        """The indices of this example, and the examples so far, in columns."""
        _, numbers, _, index = _indexed(*self.examples[at])
        middle, size, rows = self._x(at + self.block), 14, self._rows()
        marks = [
            svg.text(middle - 8, 92, f"X = {numbers}", "forward", 13.5, "end"),
            svg.text(middle + 4, 92, f"Y = {index}", "backward", 13.5),
        ]
        for i, (context, target) in enumerate(self.examples[: at + 1]):
            x, y = 24 + 212 * (i // rows), 132 + 23 * (i % rows)
            if i == at:
                marks.append(svg.box(x - 10, y - 16, 200, 22, "faint", 0.5, 4))
            letters = [(0, context, "forward"), (88, "→", "soft")]
            letters.append((116, target, "backward"))
            marks += [
                svg.text(x + dx, y, said, colour, size, "start", i == at, False, True)
                for dx, said, colour in letters
            ]
        return "".join(marks)


def _target_word(x: float, edge: float) -> str:
    """The word over the target, clear of the one over the context."""
    at = min(max(x - 12, edge + 4), 590)
    return svg.text(at, 22, "target", "backward", 12.5, bold=True)


def _indexed(context: str, target: str) -> tuple[str, str, str, str]:
    places = [LETTERS.index(letter) for letter in context]
    return context, str(places), target, str(LETTERS.index(target))


# --- How large a step -------------------------------------------------------------


def lr_range(exponents: Any, losses: Any, smooth: int = 31) -> Explorable:
    """Drag a pointer along a learning-rate range test, and read off the valley.

    exponents: the power of ten of the learning rate at each step, (N,), rising.
    losses: the loss of the minibatch at each step, (N,); what is not finite is a gap.
    smooth: over how many steps the dark line is averaged, to begin with.
    """
    test = _RangeTest(_plain(exponents), _plain(losses))
    if test.reason:
        return refusal(Refused(test.reason))
    low, high = test.exponents[0], test.exponents[-1]
    start = low + 0.05 * round(5 * (high - low))
    return Explorable(
        test.page,
        Slider("exponent", "exponent", low, high, 0.05, start),
        Slider("smooth", "average over", 1, 101, 10, smooth, show=".0f"),
        still={"exponent": test.lowest(smooth)},
    )


class _RangeTest:
    """The losses of a range test, averaged, and the valley in them."""

    def __init__(self, exponents: list[float], losses: list[float]) -> None:
        self.exponents, self.losses = exponents, losses
        self.averages: dict[int, list[float]] = {}
        finite = sum(map(math.isfinite, losses))
        self.reason = ""
        if len(exponents) != len(losses):
            self.reason = "Exponents and losses should be equally many."
        elif finite < 20 or not exponents[-1] > exponents[0]:
            self.reason = "A range test needs at least 20 losses at rising exponents."

    def averaged(self, smooth: int) -> list[float]:
        """Each loss with its neighbours; a loss that is not finite counts as huge."""
        if smooth not in self.averages:
            half, highest = smooth // 2, 4 * _middle(self.losses[:50])
            held = [min(x, highest) if x == x else highest for x in self.losses]
            self.averages[smooth] = [
                fmean(held[max(0, i - half) : i + half + 1]) for i in range(len(held))
            ]
        return self.averages[smooth]

    def lowest(self, smooth: int) -> float:
        """The exponent where the average is lowest."""
        average = self.averaged(int(smooth))
        return self.exponents[average.index(min(average))]

    def valley(self, smooth: int) -> tuple[float, float]:
        """The exponents around the lowest average that are nearly as good."""
        average = self.averaged(smooth)
        best = average.index(min(average))
        limit = average[best] + 0.1 * (max(average[0], average[best]) - average[best])
        first = last = best
        while first > 0 and average[first - 1] <= limit:
            first -= 1
        while last < len(average) - 1 and average[last + 1] <= limit:
            last += 1
        return self.exponents[first], self.exponents[last]

    def page(self, exponent: float, smooth: float) -> Page:
        window = int(smooth)
        average, valley = self.averaged(window), self.valley(window)
        here = min(range(len(average)), key=lambda i: abs(self.exponents[i] - exponent))
        told = {
            "exponent": f"{exponent:.2f}",
            "learning rate": number(10**exponent, 3),
            "loss there, averaged": number(average[here], 4),
            "valley from": f"{valley[0]:.2f}",
            "valley to": f"{valley[1]:.2f}",
        }
        return Page(
            title=f"{_rate_words(exponent)}: {self._verdict(exponent, valley)}",
            look="From left to right the steps grow. The line falls, slowly while they "
            "are small, into the shaded valley, and rises where each step jumps across "
            "it. Choose a rate inside, away from the right edge.",
            body=self._picture(exponent, average[here], average, valley),
            height=322,
            header=("quantity", "value"),
            rows=list(told.items()),
        )

    def _verdict(self, exponent: float, valley: tuple[float, float]) -> str:
        if exponent < valley[0]:
            return "a step too small to get there"
        return "in the valley" if exponent <= valley[1] else "too large, the loss rises"

    def _picture(
        self,
        exponent: float,
        loss: float,
        average: list[float],
        valley: tuple[float, float],
    ) -> str:
        known = [x for x in self.losses if math.isfinite(x) and x > 0]
        high = min(max(known), 1.5 * max(average))
        limits = (math.log10(min(known)) - 0.04, math.log10(high) + 0.08)
        ends = (self.exponents[0], self.exponents[-1])
        panel = Panel(46, 26, 584, 250, ends, limits, logy=True)
        left, right = map(panel.x, valley)
        raw = svg.path(panel.points(self.exponents, self.losses), "reference", 1)
        line = svg.path(panel.points(self.exponents, average), "train", 2.25)
        x, y = panel.x(exponent), max(panel.top, panel.y(loss))
        return (
            svg.box(left, panel.top, right - left, panel.height, "reference", 0.13)
            + panel.axes("exponent of the learning rate", "minibatch loss", None, [])
            + _heights(panel)
            + panel.clip(svg.tag("g", raw, opacity=0.45) + line)
            + svg.text((left + right) / 2, 42, "valley", "soft", 13, "middle", True)
            + svg.line((x, panel.top), (x, panel.bottom), "backward", 1.5)
            + svg.dot(x, y, "backward", 6)
            + _beside(panel, x, y, f"lr {number(10**exponent, 2)}")
        )


def _heights(panel: Panel) -> str:
    """Grid lines of a logarithmic axis at 1, 2, 3 and 5 times each power of ten."""
    low, high = panel.ylim
    marks = []
    for value in (m * 10.0**e for e in range(-2, 4) for m in (1, 2, 3, 5)):
        if low <= math.log10(value) <= high:
            y = panel.y(value)
            marks.append(svg.line((panel.left, y), (panel.right, y), "faint", 1))
            said = number(value, 3)
            marks.append(
                svg.text(panel.left - 7, y + 4, said, "soft", 11.5, "end", halo=False)
            )
    return "".join(marks)


def _rate_words(exponent: float) -> str:
    return f"Learning rate {number(10**exponent, 3)}"


def _beside(panel: Panel, x: float, y: float, words: str) -> str:
    """Words next to a pointer, on the side that has room."""
    room = panel.right - x > 90
    return svg.text(
        x + (11 if room else -11),
        max(panel.top + 14, y - 10),
        words,
        "backward",
        13.5,
        "start" if room else "end",
        True,
    )


# --- Too small, too large ---------------------------------------------------------


class Fit(NamedTuple):
    """What a model of one size had reached after so many steps."""

    size: int
    step: int
    train: float
    dev: float


def capacity(
    measured: Sequence[tuple[int, int, float, float]] | Mapping[int, Any],
    size: str = "hidden neurons",
    gap: float = 0.1,
) -> Explorable:
    """Choose a model's size and how long it trained; see which kind of bad it is.

    measured: rows (size, step, train loss, dev loss), each size at the same steps; or
        a dict {size: (train loss, dev loss)} where there is one step.
    size: what a size counts. gap: from this distance of dev above train on, in nats,
        a model that is larger than the best one is called overfitted.
    """
    fits = _Fits(_rows(measured), size, gap)
    if not fits.sizes:
        return refusal(Refused("There is nothing measured yet: pass in some rows."))
    start = fits.sizes[len(fits.sizes) // 2]
    controls: list[Control] = [
        Choice("chosen", size, [(f"{n:,}", n) for n in fits.sizes], start)
    ]
    if len(fits.steps) > 1:
        controls.append(Steps("when", "trained", len(fits.steps) - 1))
    last = {"when": len(fits.steps) - 1} if len(fits.steps) > 1 else {}
    return Explorable(fits.page, *controls, still=last).set(**last)


def _rows(measured: Any) -> list[Fit]:
    if isinstance(measured, Mapping):
        measured = [(size, 0, *losses) for size, losses in measured.items()]
    return [Fit(int(a), int(b), float(c), float(d)) for a, b, c, d in measured]


class _Fits:
    """Losses of several sizes at several steps, and what they say."""

    def __init__(self, fits: list[Fit], word: str, gap: float) -> None:
        self.fits = {(fit.size, fit.step): fit for fit in fits}
        self.sizes = sorted({fit.size for fit in fits})
        self.steps = sorted({fit.step for fit in fits})
        self.word, self.gap = word, gap

    def page(self, chosen: int, when: int = 0) -> Page:
        step = self.steps[when]
        fit = self.fits[chosen, step]
        after = f" after {step:,} steps" if len(self.steps) > 1 else ""
        now = [self.fits[size, step] for size in self.sizes]
        return Page(
            title=f"{chosen:,} {self.word}{after}: {self._verdict(fit)}",
            look="The dashed line decides, the loss on new names: left of its lowest "
            "place models are too small, to the right they are too large. The orange "
            "bar is what a model knows of its own names alone.",
            body=self._by_size(now, fit) + self._by_step(chosen, fit),
            height=316,
            header=(self.word, "train", "dev", "gap"),
            rows=[_fit_row(other) for other in now],
        )

    def _verdict(self, fit: Fit) -> str:
        """Dev decides: is it lower later, or now with another size, and which?"""
        now = {size: self.fits[size, fit.step] for size in self.sizes}
        best = min(now.values(), key=lambda other: other.dev)
        later = min(self.fits[fit.size, s].dev for s in self.steps if s >= fit.step)
        if fit.size > best.size and fit.dev - fit.train > self.gap:
            return f"overfitted by {fit.dev - fit.train:.2f}"
        if later < fit.dev - 0.02:
            return "not yet trained"
        if fit.dev <= best.dev + 0.02:
            return "the lowest on dev"
        return "too small" if fit.size < best.size else "too large"

    def _limits(self) -> tuple[float, float]:
        losses = [x for fit in self.fits.values() for x in (fit.train, fit.dev)]
        room = 0.08 * (max(losses) - min(losses)) or 0.1
        return min(losses) - room, max(losses) + room

    def _by_size(self, now: list[Fit], fit: Fit) -> str:
        """Both losses against the size, at the chosen step."""
        ends = [math.log10(self.sizes[0]), math.log10(self.sizes[-1])]
        limits = (ends[0] - 0.08, ends[1] + 0.08 + (ends[0] == ends[1]))
        wide = 330 if len(self.steps) > 1 else 560
        panel = Panel(44, 30, wide, 236, limits, self._limits(), logx=True)
        sizes = [other.size for other in now]
        marks = [
            panel.axes(self.word, "loss", []),
            _places(panel, sizes),
            _both(panel, sizes, [f.train for f in now], [f.dev for f in now]),
            self._gap_bar(panel, fit.size, fit),
        ]
        if now[-1].dev - now[-1].train > 0.04 * (limits[1] - limits[0]):
            marks.append(_both_words(panel, panel.right + 2, now[-1]))
        return "".join(marks)

    def _gap_bar(self, panel: Panel, x: float, fit: Fit) -> str:
        """The chosen point of both lines, and the distance between them."""
        across, up, down = panel.x(x), panel.y(fit.dev), panel.y(fit.train)
        return (
            svg.line((across, up), (across, down), "backward", 3)
            + svg.dot(across, down, "train", 5)
            + svg.dot(across, up, "valid", 5)
        )

    def _by_step(self, size: int, fit: Fit) -> str:
        """Both losses of the chosen size, step by step."""
        if len(self.steps) < 2:
            return ""
        past = [self.fits[size, step] for step in self.steps]
        limits = (self.steps[0], self.steps[-1])
        panel = Panel(448, 30, 168, 236, limits, self._limits())
        train, dev = [f.train for f in past], [f.dev for f in past]
        ticks = [self.steps[0], self.steps[-1]]
        return (
            panel.axes("step", f"{size:,} {self.word}", ticks, [])
            + _both(panel, self.steps, train, dev)
            + self._gap_bar(panel, fit.step, fit)
        )


def _both(
    panel: Panel, xs: Sequence[float], train: list[float], dev: list[float]
) -> str:
    return svg.path(panel.points(xs, train), "train", 2) + svg.path(
        panel.points(xs, dev), "valid", 2, "6 4"
    )


def _places(panel: Panel, sizes: Sequence[int]) -> str:
    """The sizes that were measured, under a logarithmic axis."""
    return "".join(
        svg.text(
            panel.x(n), panel.bottom + 17, f"{n:,}", "soft", 11.5, "middle", halo=False
        )
        for n in sizes
    )


def _both_words(panel: Panel, x: float, fit: Fit) -> str:
    return svg.text(
        x, panel.y(fit.dev) - 8, "dev", "valid", 12.5, "end", True
    ) + svg.text(x, panel.y(fit.train) + 18, "train", "train", 12.5, "end", True)


def _fit_row(fit: Fit) -> tuple[str, str, str, str]:
    gap = f"{fit.dev - fit.train:.3f}"
    return f"{fit.size:,}", f"{fit.train:.3f}", f"{fit.dev:.3f}", gap


def _middle(losses: Sequence[float]) -> float:
    known = sorted(loss for loss in losses if math.isfinite(loss))
    return known[len(known) // 2] if known else 1.0


def _plain(values: Any) -> list[float]:
    """Floats, from a list, an array, or a tensor."""
    listed = values.tolist() if hasattr(values, "tolist") else values
    return [float(getattr(value, "data", value)) for value in listed]
