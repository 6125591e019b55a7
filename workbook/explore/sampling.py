"""The sampler: names as they are written, letter by letter, at any temperature.

It draws with Python's own generator and not with PyTorch's, whose seeded draws differ
between versions: so a seed writes the same names on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.alphabet import LETTERS, Model, entropy, spoken
from workbook.explore.base import Explorable, Page, Slider, Steps, refusal
from workbook.explore.page import Refused
from workbook.explore.svg import Panel
from workbook.style import number

PACE = 600  # ms a letter while playing
NAMES = 6  # lines of names beside the bars
LONGEST = 18  # letters of a name that fit on a line
ROOM = 13  # pixels of the strip that a letter needs for its name

LOOK = (
    "The strip is 1 long, and each letter has its share of it. Chance sets the "
    "pointer, and the letter under it is written. Move the temperature: the pointer "
    "stays, the shares move. A low one leaves the likeliest letters alone; a high one "
    "makes all alike."
)


class Draw(NamedTuple):
    """One letter drawn: where the pointer fell, and on what."""

    context: tuple[int, ...]  # of the name so far
    p: tuple[float, ...]
    u: float  # the pointer, from 0 to 1
    letter: int


def name_sampler(
    model: Any,
    letters: str = LETTERS,
    *,
    temperature: float = 1.0,
    seed: int = 1,
    steps: int = 40,
    first: Sequence[int] = (),
) -> Explorable:
    """Write names letter by letter: the odds of the next one, and where chance falls.

    model: (V, V), row i the weights of what follows letter i; or a function from the
    indices of the name so far to V weights, none negative. letters[0] ends a name.
    temperature: every probability is raised to 1 / temperature; 1 is the model itself.
    first: indices that every name begins with.

        explore.name_sampler(P)
        explore.name_sampler(lambda so_far: net(so_far).softmax(-1))

    The pointer of each step stays the same while the temperature moves.
    """
    try:
        asked = Model(model, letters)
        asked(first)
    except Refused as reason:
        return refusal(reason)
    writer = _Writer(asked, letters, tuple(first))
    return Explorable(
        writer.page,
        Steps("step", "letter", steps, play=PACE),
        Slider("temperature", "temperature", 0.1, 3.0, 0.1, temperature, show=".1f"),
        Slider("seed", "seed", 1, 99, 1, seed, show=".0f"),
        still={"step": min(8, steps)},
    )


def at_temperature(p: Sequence[float], temperature: float) -> list[float]:
    """p raised to 1 / temperature, and normalised; from 0 up, where 0 is never taken.

    >>> at_temperature([0.5, 0.25, 0.25], 0.5)
    [0.6666666666666666, 0.16666666666666666, 0.16666666666666666]
    """
    highest = max(p)
    powers = [(share / highest) ** (1 / temperature) for share in p]
    total = sum(powers)
    return [power / total for power in powers]


class _Writer:
    """A model, the letters drawn from it, and the page of each state."""

    def __init__(self, model: Model, letters: str, first: tuple[int, ...]) -> None:
        self.model, self.letters, self.first = model, letters, first

    def page(self, step: int, temperature: float, seed: float) -> Page:
        draws = self.drawn(step, temperature, int(seed))
        last = draws[-1] if draws else None
        p = (
            last.p
            if last
            else tuple(at_temperature(self.model(self.first), temperature))
        )
        plain = self.model(last.context if last else self.first)
        return Page(
            title=self._claim(last, p),
            look=LOOK,
            body=self._strip(p, last)
            + self._bars(p, plain, last)
            + self._names(draws, step),
            height=318,
            header=("letter", "probability", "at temperature 1"),
            rows=self._rows(p, plain, last),
        )

    def drawn(self, count: int, temperature: float, seed: int) -> list[Draw]:
        """The first letters that a seed writes."""
        rng, context, draws = Random(seed), self.first, []
        for _ in range(count):
            p = tuple(at_temperature(self.model(context), temperature))
            u = rng.random()
            letter = under(p, u)
            draws.append(Draw(context, p, u, letter))
            context = (*context, letter) if letter else self.first
        return draws

    def _claim(self, last: Draw | None, p: Sequence[float]) -> str:
        if last is None:
            best = max(range(len(p)), key=p.__getitem__)
            letter = spoken(self.letters[best])
            return f"A name begins: {letter} is likeliest, with {_share(p[best])}"
        letter = spoken(self.letters[last.letter])
        before = self.letters[last.context[-1]] if last.context else "."
        after = spoken(before, False)
        share = _share(p[last.letter])
        return f"After {after} comes {letter}: it had {share} of the strip"

    def _rows(
        self, p: Sequence[float], plain: Sequence[float], last: Draw | None
    ) -> list[tuple[str, str, str]]:
        """The likeliest letters, the one that was drawn, and the entropy."""
        best = sorted(range(len(p)), key=lambda i: -p[i])[:6]
        if last and last.letter not in best:
            best.append(last.letter)
        rows = []
        for i in best:
            chosen = " (drawn)" if last and i == last.letter else ""
            name = spoken(self.letters[i]) + chosen
            rows.append((name, number(p[i], 4), number(plain[i], 4)))
        told = (number(entropy(x), 4) for x in (p, plain))
        return [*rows, ("entropy, nats", *told)]

    # The three parts of the picture.

    def _strip(self, p: Sequence[float], last: Draw | None) -> str:
        """All shares side by side, and the pointer."""
        left, top, wide, high = 10.0, 30.0, 620.0, 26.0
        marks, x = [], left
        for i, share in enumerate(p):
            width = wide * share
            here = last is not None and i == last.letter
            colour, opacity = ("backward", 0.85) if here else ("forward", _tint(i))
            marks.append(svg.box(x, top, max(width - 1, 0.3), high, colour, opacity))
            if width > ROOM:
                ink = "paper" if here else "ink"
                middle = x + width / 2
                marks.append(
                    svg.text(
                        middle,
                        top + 18,
                        self.letters[i],
                        ink,
                        12.5,
                        "middle",
                        here,
                        False,
                    )
                )
            x += width
        if last is not None:
            at = left + wide * last.u
            head = [(at - 6, top - 14), (at + 6, top - 14), (at, top - 3)]
            marks.append(svg.area(head, "backward", 1))
            marks.append(svg.line((at, top - 4), (at, top + high + 4), "ink", 1.4))
        ends = [(left, "0", "start"), (left + wide, "1", "end")]
        marks += [
            svg.text(at, top + high + 15, words, "soft", 11, anchor, halo=False)
            for at, words, anchor in ends
        ]
        return "".join(marks)

    def _bars(
        self, p: Sequence[float], plain: Sequence[float], last: Draw | None
    ) -> str:
        """The same shares as bars; grey ticks are those of temperature 1."""
        count, top = len(p), max(*p, *plain)
        panel = Panel(40, 108, 376, 168, (-0.5, count - 0.5), (0, top))
        wide, marks = panel.width / count, []
        for i, letter in enumerate(self.letters):
            x, y, tick = panel.x(i), panel.y(p[i]), panel.y(plain[i])
            here = last is not None and i == last.letter
            colour = "backward" if here else "forward"
            marks += [
                svg.box(x - wide / 2 + 1, y, wide - 2, panel.bottom - y, colour),
                svg.line((x - wide / 2, tick), (x + wide / 2, tick), "reference", 1.2),
                svg.text(
                    x, panel.bottom + 14, letter, "ink" if here else "soft", 10.5,
                    "middle", here, False,
                ),
            ]  # fmt: skip
        axes = panel.axes(
            "", "probability of the next letter", [], svg.ticks(0, top, 4)
        )
        key = svg.text(416, 310, "grey: temperature 1", "soft", 11, "end", halo=False)
        return axes + "".join(marks) + key

    def _names(self, draws: list[Draw], step: int) -> str:
        """The last names, the one in the making below, its newest letter marked."""
        names, current = [], list(self.first)
        for draw in draws:
            if draw.letter:
                current.append(draw.letter)
            else:
                names.append(self._word(current))
                current = list(self.first)
        left, top = 456.0, 99.0
        marks = [svg.text(left, top, f"letter {step}", "soft", 12, halo=False)]
        for i, name in enumerate(names[-NAMES:]):
            marks.append(svg.text(left, top + 30 + 24 * i, name, "ink", 15, code=True))
        y = top + 30 + 24 * min(len(names), NAMES)
        ended = bool(draws) and not draws[-1].letter
        word = "" if ended or not current else self._word(current)
        marks.append(
            svg.text(left, y, f"{word}_", "backward", 15, bold=True, code=True)
        )
        return "".join(marks)

    def _word(self, indices: Sequence[int]) -> str:
        word = "".join(self.letters[i] for i in indices)
        word = word if len(word) <= LONGEST else f"…{word[-LONGEST + 1 :]}"
        return word or "(empty)"


def under(p: Sequence[float], u: float) -> int:
    """The letter whose piece of the strip holds u."""
    reached = 0.0
    for i, share in enumerate(p):
        reached += share
        if u < reached:
            return i
    return max(i for i, share in enumerate(p) if share)  # rounding at the far end


def _tint(index: int) -> float:
    """Neighbours on the strip in two shades."""
    return 0.22 if index % 2 else 0.4


def _share(share: float) -> str:
    percent = 100 * share
    return "less than 0.1 %" if percent < 0.1 else f"{number(percent, 2)} %"
