"""The merge stepper: byte pair encoding on one's own text, one merge at a time."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from workbook.explore import svg
from workbook.explore.base import Explorable, Field, Page, Refused, Steps
from workbook.explore.pieces import chips, hues, plain, spoken
from workbook.explore.script import Script, Text
from workbook.explore.svg import Panel

BYTES = 256
LONGEST = 240  # bytes of a text
LISTED = 9  # pairs in the picture
MADE = 12  # tokens in the line of those made
NAME = 6  # letters of a token's name beside a bar

Pair = tuple[int, int]


class Stage(NamedTuple):
    """The text after so many merges, and how often each pair stands in it."""

    ids: list[int]
    counts: dict[Pair, int]  # in the order of first sight

    @property
    def next(self) -> Pair | None:
        """The pair that is merged next: the commonest, and the first seen of equals."""
        return max(self.counts, key=self.counts.__getitem__, default=None)


def merge_stepper(text: str, steps: int = 40) -> Explorable:
    """Merge the commonest pair of a text, step by step.

    text: what is cut into bytes and merged, its first 240 bytes; it can be rewritten.
    steps: how many merges there are at most.
    """
    stepper = _Stepper(steps)
    start = plain(text).encode()[:LONGEST].decode("utf-8", "ignore")
    return Explorable(
        stepper.page,
        Field("text", "text", start, "type a text", "100%"),
        Steps("step", "merges", steps, until=lambda state: stepper.last(state["text"])),
        still={"step": min(3, steps)},
    )


def stages(raw: bytes, steps: int) -> tuple[list[Stage], dict[int, bytes]]:
    """The text after 0, 1, 2, ... merges, and the bytes of every token.

    >>> found, vocab = stages(b"aaabdaaabac", 3)
    >>> found[-1].ids, vocab[258]
    ([258, 100, 258, 97, 99], b'aaab')
    """
    vocab = {i: bytes([i]) for i in range(BYTES)}
    found = [_counted(list(raw))]
    while len(found) <= steps and found[-1].next:
        pair, new = found[-1].next, len(vocab)
        vocab[new] = vocab[pair[0]] + vocab[pair[1]]
        places, ids, at = found_at(found[-1].ids, pair), [], 0
        for place in places:
            ids += [*found[-1].ids[at:place], new]
            at = place + 2
        found.append(_counted(ids + found[-1].ids[at:]))
    return found, vocab


def found_at(ids: list[int], pair: Pair) -> list[int]:
    """Where the pair stands, from left to right, none over another.

    >>> found_at([7, 7, 7, 7, 7], (7, 7))
    [0, 2]
    """
    places, free = [], 0
    for i, two in enumerate(pairwise(ids)):
        if two == pair and i >= free:
            places.append(i)
            free = i + 2
    return places


class _Stepper:
    """The merges of the text that was asked for last, and the page of each state."""

    def __init__(self, steps: int) -> None:
        self.steps, self.raw = steps, b""
        self.stages, self.vocab = stages(b"", steps)

    def last(self, text: str) -> int:
        """How many merges the text has: of a refused one, as many as any."""
        try:
            self._read(text)
        except Refused:
            return self.steps
        return len(self.stages) - 1

    def _read(self, text: str) -> None:
        """Merge the text, unless it was the last one."""
        raw = plain(text).encode()
        if not 2 <= len(raw) <= LONGEST:
            raise Refused(f"A text for the merges has 2 to {LONGEST} bytes.")
        if raw != self.raw:
            self.raw, (self.stages, self.vocab) = raw, stages(raw, self.steps)

    def page(self, text: str, step: int) -> Page:
        self._read(text)
        at = min(step, len(self.stages) - 1)
        now = self.stages[at]
        return Script(
            title=self._claim(at),
            look="Blocks are tokens, with their ids. Framed in blue: the newest. "
            "Underlined: the pair that comes next, the first bar. Each merge makes "
            "the text shorter and the vocabulary one larger; watch how the gain of a "
            "merge falls.",
            body=self._bars(now) + self._curve(at) + self._made(at),
            height=262,
            header=("pair", "ids", "stands there"),
            rows=self._rows(now),
            texts=[self._blocks(at)],
            one=True,
        )

    def _claim(self, at: int) -> str:
        now = self.stages[at]
        if not at:
            pair = now.next or (0, 0)
            return (
                f"{_many(len(now.ids), 'byte')}: {self._named(pair)} stands there "
                f"{_times(now.counts[pair])}"
            )
        before, new = self.stages[at - 1], BYTES + at - 1
        pair = before.next or (0, 0)
        fewer = len(before.ids) - len(now.ids)
        said = "no pair is left" if not now.next else f"{_many(fewer, 'token')} fewer"
        return f"Merge {at}: {self._named(pair)} becomes {new}, {said}"

    def _named(self, pair: Pair, most: int = 12) -> str:
        return " + ".join(_short(spoken(self.vocab[i]), most) for i in pair)

    def _rows(self, now: Stage) -> list[tuple[str, str, str]]:
        ranked = sorted(now.counts, key=lambda pair: -now.counts[pair])[:LISTED]
        listed = [
            (self._named(pair), f"{pair[0]}, {pair[1]}", f"{now.counts[pair]}")
            for pair in ranked
        ]
        return [*listed, ("tokens in the text", "", f"{len(now.ids)}")]

    def _blocks(self, at: int) -> Text:
        now = self.stages[at]
        new = BYTES + at - 1 if at else -1
        marks = {n: "wb-new" for n, i in enumerate(now.ids) if i == new}
        if now.next:
            for place in found_at(now.ids, now.next):
                marks |= {n: f"{marks.get(n, '')} wb-next" for n in (place, place + 1)}
        pieces = [self.vocab[i] for i in now.ids]
        told = f"{_many(len(now.ids), 'token')}, {BYTES + at} in the vocabulary"
        colours = hues([*range(BYTES + at)])
        inside = chips(pieces, now.ids, marks, colours)
        return Text("The text", told, inside, "wb-with-ids")

    # The drawing below the text.

    def _bars(self, now: Stage) -> str:
        """The commonest pairs, the next on top."""
        left, top, high, room = 118.0, 34.0, 21.5, 130.0
        ranked = sorted(now.counts, key=lambda pair: -now.counts[pair])[:LISTED]
        most = now.counts[ranked[0]] if ranked else 1
        marks = [svg.text(left, 16, "pairs, and how often", "soft", 12, halo=False)]
        for i, pair in enumerate(ranked):
            y, wide = top + high * i, room * now.counts[pair] / most
            named = self._named(pair, NAME)
            colour, ink = ("reference", "soft") if i else ("backward", "ink")
            said = f"{now.counts[pair]}" if i else f"{now.counts[pair]}, next"
            marks += [
                svg.text(left - 10, y + 13, named, ink, 12, "end", not i, code=True),
                svg.box(left, y + 1, max(wide, 1), high - 6, colour, 0.85),
                svg.text(left + wide + 7, y + 13, said, ink, 11.5),
            ]
        return "".join(marks)

    def _curve(self, at: int) -> str:
        """Tokens of the text against tokens of the vocabulary."""
        lengths = [len(stage.ids) for stage in self.stages]
        xs = range(BYTES, BYTES + len(lengths))
        most = BYTES + max(len(lengths) - 1, 1)
        panel = Panel(366, 26, 262, 156, (BYTES, most), (0, lengths[0] * 1.2))
        points = panel.points(xs, lengths)
        start = panel.y(lengths[0])
        x, y = points[at]
        middle = len(lengths) < 3 or at < 0.7 * len(lengths)
        return (
            panel.axes("tokens in the vocabulary", "tokens in the text")
            + svg.line((panel.left, start), (panel.right, start), "reference", 1, "4 3")
            + svg.path(points[at:], "reference", 1.6, "2 3")
            + svg.path(points[: at + 1], "forward", 2.4)
            + svg.dot(x, y, "forward", 5)
            + svg.text(
                x + (9 if middle else -9), y - 9, f"{lengths[at]}", "forward", 13,
                "start" if middle else "end", True,
            )
        )  # fmt: skip

    def _made(self, at: int) -> str:
        """The newest tokens of the vocabulary, in a line."""
        if not at:
            words = "The vocabulary: the 256 bytes, and nothing more yet."
            return svg.text(8, 254, words, "soft", 12, halo=False)
        made = range(BYTES + at - 1, max(BYTES, BYTES + at - MADE) - 1, -1)
        words, room = [], 88
        for i in made:
            word = f"{i} {_short(spoken(self.vocab[i]), 16)}"
            room -= len(word) + 3
            if room < 0:
                break
            words.append(word)
        more = "  …" if len(words) < at else ""
        told = f"made, newest first:  {'   '.join(words)}{more}"
        return svg.text(8, 254, told.replace(" ", "\u00a0"), "soft", 12, halo=False)


def _counted(ids: list[int]) -> Stage:
    counts: dict[Pair, int] = {}
    for pair in pairwise(ids):
        counts[pair] = counts.get(pair, 0) + 1
    return Stage(ids, counts)


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _many(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
