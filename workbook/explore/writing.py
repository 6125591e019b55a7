"""The writer: a text letter by letter, at any temperature, from the k likeliest.

It draws with Python's own generator, as sampling.py does for names: the pointer of each
letter stays where it is while the controls move.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.attention import SHOWN
from workbook.explore.base import Explorable, Page, Refused, Slider, Steps, refusal
from workbook.explore.sampling import under

PACE = 300  # ms a letter while playing
BARS = 12  # letters beside the strip
LINE, LINES = 44, 8  # letters of a line, and lines, of the text
WIDE = 8.75  # pixels of one of its letters
ROOM = 13  # pixels of the strip that a letter needs for its name


class Written(NamedTuple):
    """One letter drawn: what stood before it, the shares, and where chance fell."""

    before: tuple[int, ...]
    p: list[float]
    u: float
    letter: int


def text_sampler(
    next_logits: Callable[[Sequence[int]], Any],
    letters: Sequence[str],
    begin: str = "\n",
    *,
    steps: int = 40,
    seed: int = 1,
) -> Explorable:
    """Write on from a beginning: the odds of each letter, and where chance falls.

    next_logits(ids): a number for each of the letters, for what follows these.
    letters: what the numbers stand for, in their order; begin: what is written already.

    The pointer of each letter stays the same while temperature and top-k move.
    """
    places = {letter: i for i, letter in enumerate(letters)}
    unknown = [letter for letter in begin if letter not in places]
    if unknown or not begin:
        said = f"knows no {unknown[0]!r}" if unknown else "needs a letter to begin with"
        return refusal(Refused(f"The model {said}."))
    first = tuple(places[letter] for letter in begin)
    writer = _Writer(next_logits, letters, first, seed)
    return Explorable(
        writer.page,
        Steps("step", "letter", steps, play=PACE),
        Slider("temperature", "temperature", 0.1, 2.0, 0.1, 1.0, show=".1f"),
        Slider("top_k", "top-k", 1, len(letters), 1, len(letters), show=".0f"),
        still={"step": min(24, steps)},
    )


def shares(logits: Sequence[float], temperature: float, top_k: int) -> list[float]:
    """The softmax of logits / temperature, of the k largest alone.

    >>> [round(p, 2) for p in shares([2.0, 1.0, 0.0], 1.0, 2)]
    [0.73, 0.27, 0.0]
    """
    ranked = sorted(range(len(logits)), key=lambda i: (-logits[i], i))[:top_k]
    top = logits[ranked[0]]
    powers = {i: math.exp((logits[i] - top) / temperature) for i in ranked}
    total = sum(powers.values())
    return [powers.get(i, 0.0) / total for i in range(len(logits))]


class _Writer:
    """A model, what it has been asked before, and the page of each state."""

    def __init__(
        self,
        ask: Callable[[Sequence[int]], Any],
        letters: Sequence[str],
        first: tuple[int, ...],
        seed: int,
    ) -> None:
        self.ask, self.letters, self.first, self.seed = ask, letters, first, seed
        self.known: dict[tuple[int, ...], list[float]] = {}

    def logits(self, so_far: tuple[int, ...]) -> list[float]:
        if so_far not in self.known:
            found = self.ask(so_far)
            found = found.tolist() if hasattr(found, "tolist") else list(found)
            if len(found) != len(self.letters):
                said = f"{len(found)} numbers for {len(self.letters)} letters"
                raise Refused(f"The model gives {said}.")
            if not all(map(math.isfinite, found)):
                raise Refused("Some of the model's logits are not finite.")
            if len(self.known) > 4000:
                self.known.clear()
            self.known[so_far] = found
        return self.known[so_far]

    def written(self, count: int, temperature: float, top_k: int) -> list[Written]:
        rng, so_far, done = Random(self.seed), self.first, []
        for _ in range(count):
            p, u = shares(self.logits(so_far), temperature, top_k), rng.random()
            letter = under(p, u)
            done.append(Written(so_far, p, u, letter))
            so_far = (*so_far, letter)
        return done

    def page(self, step: int, temperature: float, top_k: float) -> Page:
        done = self.written(step, temperature, int(top_k))
        last = done[-1] if done else None
        before = last.before if last else self.first
        logits = self.logits(before)
        p = last.p if last else shares(logits, temperature, int(top_k))
        plain = shares(logits, 1.0, len(logits))
        ranked = sorted(range(len(p)), key=lambda i: -logits[i])[:BARS]
        if last and last.letter not in ranked:
            ranked[-1] = last.letter
        return Page(
            title=self._claim(before, p, last),
            look="The strip is 1 long, and each letter has its share. Chance sets the "
            "pointer, and the letter under it is written. Cold and with a small k the "
            "strip has few letters; hot it has many. Grey lines: temperature 1, no "
            "letter left out.",
            body=self._strip(p, last)
            + self._bars(ranked, p, plain, last)
            + self._text(done, step),
            height=352,
            header=("letter", "share", "at temperature 1"),
            rows=[(self._name(i), f"{p[i]:.3f}", f"{plain[i]:.3f}") for i in ranked]
            + [("letters left", str(sum(x > 0 for x in p)), str(len(p)))],
        )

    def _name(self, i: int) -> str:
        letter = self.letters[i]
        return {" ": "blank", "\n": "line break"}.get(letter, letter)

    def _claim(
        self, before: Sequence[int], p: Sequence[float], last: Written | None
    ) -> str:
        past = "".join(self._shown(i) for i in before[-12:])
        if last is None:
            best = max(range(len(p)), key=p.__getitem__)
            return (
                f"After {past} the likeliest is {self._name(best)}: {_percent(p[best])}"
            )
        share = _percent(p[last.letter])
        return f"After {past} comes {self._name(last.letter)}: {share} of the strip"

    def _shown(self, i: int) -> str:
        return SHOWN.get(self.letters[i], self.letters[i])

    # The three parts of the picture.

    def _strip(self, p: Sequence[float], last: Written | None) -> str:
        left, top, wide, high = 10.0, 30.0, 620.0, 26.0
        marks, x = [], left
        for i, share in enumerate(p):
            width = wide * share
            here = last is not None and i == last.letter
            tint = 0.22 if i % 2 else 0.4
            colour, opacity = ("backward", 0.85) if here else ("forward", tint)
            if width > 0.05:
                marks.append(
                    svg.box(x, top, max(width - 1, 0.3), high, colour, opacity)
                )
            if width > ROOM:
                ink = "paper" if here else "ink"
                at, name = x + width / 2, self._shown(i)
                marks.append(
                    svg.text(at, top + 18, name, ink, 12.5, "middle", here, False)
                )
            x += width
        if last is not None:
            at = left + wide * last.u
            head = [(at - 6, top - 14), (at + 6, top - 14), (at, top - 3)]
            marks.append(svg.area(head, "backward", 1))
            marks.append(svg.line((at, top - 4), (at, top + high + 4), "ink", 1.4))
        return "".join(marks)

    def _bars(
        self,
        ranked: Sequence[int],
        p: Sequence[float],
        plain: Sequence[float],
        last: Written | None,
    ) -> str:
        """The likeliest letters from top to bottom."""
        left, top, high, room = 44.0, 84.0, 21.5, 130.0
        most = max(*(p[i] for i in ranked), *(plain[i] for i in ranked))
        marks = []
        for rank, i in enumerate(ranked):
            y = top + high * rank
            here = last is not None and i == last.letter
            colour = "backward" if here else "forward"
            wide, tick = room * p[i] / most, left + room * plain[i] / most
            marks += [
                svg.text(left - 10, y + 14, self._shown(i), "ink", 13.5, "end", here,
                         code=True),
                svg.box(left, y + 2, max(wide, 0.6), high - 5, colour, 0.85),
                svg.line((tick, y), (tick, y + high - 1), "reference", 1.6),
                svg.text(max(left + wide, tick) + 7, y + 14, f"{p[i]:.2f}", "soft", 11),
            ]  # fmt: skip
        return "".join(marks)

    def _text(self, done: list[Written], step: int) -> str:
        left, top = 236.0, 108.0
        ids = [*self.first, *(one.letter for one in done)]
        newest = self._shown(ids.pop()) if done else ""
        rows = [
            line[i : i + LINE]
            for line in "".join(self.letters[i] for i in ids).split("\n")
            for i in range(0, max(1, len(line)), LINE)
        ][-LINES:]
        marks = [svg.text(left, 84, f"letter {step}", "soft", 12, halo=False)]
        for i, row in enumerate(rows):
            y = top + 25 * i
            marks.append(svg.text(left, y, _kept(row), "ink", 14.5, code=True))
        x, y = left + WIDE * len(rows[-1]), top + 25 * (len(rows) - 1)
        marks.append(svg.text(x, y, newest, "backward", 14.5, bold=True, code=True))
        return "".join(marks)


def _kept(row: str) -> str:
    """Blanks that stay where they are: SVG would drop those at the ends."""
    return row.replace(" ", "\u00a0")


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"
