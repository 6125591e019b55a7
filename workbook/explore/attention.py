"""Explorables of lesson 7: whom a letter listens to, and what a mask lets through.

Places, the writer and the sizes of models are in places.py, writing.py and sizes.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import (
    Choice,
    Explorable,
    Field,
    Page,
    Refused,
    Steps,
    refusal,
)
from workbook.explore.svg import Panel

Rows = list[list[float]]

# --- What a mask lets through -----------------------------------------------------

T, DIM = 6, 4  # letters of the small example, and numbers of each
MASKS = [
    ("−∞ before", "before"),
    ("0 before", "zero"),
    ("0 after", "after"),
    ("0 after, rows to 1", "again"),
    ("no diagonal", "strict"),
    ("turned over", "turned"),
    ("none", "none"),
]
SAID = {
    "before": "−∞ before the softmax",
    "zero": "0 before the softmax",
    "after": "0 after the softmax",
    "again": "0 after, rows to 1",
    "strict": "without the diagonal",
    "turned": "turned over",
    "none": "no mask",
}
WHY = {
    "before": "Each row shares itself out over its past, and sums to one.",
    "zero": "A score of 0 is a middling score: the future gets its share.",
    "after": "The weights on the future are 0, but the softmax has divided by all of "
    "them: rows sum to less than one, and the divisor tells of the future.",
    "again": "Divided by what is left, the rows sum to one and the future cancels out: "
    "this is as good as the first.",
    "strict": "The first letter has nobody to listen to: a softmax of nothing is nan.",
    "turned": "Each letter hears itself and the future, and none of its past.",
    "none": "Everybody hears everybody: good for reading, useless for writing.",
}


def mask_leak(mask: str = "before", at: int = 4) -> Explorable:
    """Choose a mask, change a letter: do letters before it notice?

    mask: one of the seven, by its word in `MASKS`. at: the letter that changes.
    """
    return Explorable(
        _mask_page,
        Choice("mask", "mask", MASKS, mask),
        Choice("at", "letter", [(str(t), t) for t in range(T)], at, small=True),
    )


@cache
def _numbers() -> tuple[Rows, Rows, Rows, Rows]:
    """Six letters, and the three matrices that make queries, keys and values."""
    rng = Random(16)
    sizes = (T, DIM), (DIM, DIM), (DIM, DIM), (DIM, DIM)
    made = [[[rng.gauss(0, 0.8) for _ in range(c)] for _ in range(r)] for r, c in sizes]
    return made[0], made[1], made[2], made[3]


def _product(a: Rows, b: Rows) -> Rows:
    columns = list(zip(*b, strict=True))
    return [
        [sum(x * y for x, y in zip(row, c, strict=True)) for c in columns] for row in a
    ]


def masked(mask: str, x: Rows | None = None) -> tuple[Rows, Rows]:
    """The weights (T, T) and outputs (T, DIM) of a head with this mask."""
    letters, *matrices = _numbers()
    q, k, v = (_product(x or letters, m) for m in matrices)
    keys = [list(column) for column in zip(*k, strict=True)]
    scores = [[s / DIM**0.5 for s in row] for row in _product(q, keys)]
    weights = [_weights(row, i, mask) for i, row in enumerate(scores)]
    return weights, _product(weights, v)


def _weights(scores: list[float], i: int, mask: str) -> list[float]:
    """One row: which places are hidden, when, and by what."""
    hidden = {
        "strict": lambda j: j >= i,
        "turned": lambda j: j < i,
        "none": lambda j: False,
    }.get(mask, lambda j: j > i)
    if mask in ("after", "again"):
        kept = [0.0 if hidden(j) else w for j, w in enumerate(_softmax(scores))]
        total = sum(kept) if mask == "again" else 1.0
        return [w / total for w in kept]
    fill = 0.0 if mask == "zero" else -math.inf
    return _softmax([fill if hidden(j) else s for j, s in enumerate(scores)])


def _softmax(scores: Sequence[float]) -> list[float]:
    top = max(scores)
    if top == -math.inf:
        return [math.nan] * len(scores)
    powers = [math.exp(s - top) for s in scores]
    return [p / sum(powers) for p in powers]


def leaks(mask: str, at: int) -> list[float]:
    """How far each place's output moves when the letter at a place changes."""
    letters = [list(row) for row in _numbers()[0]]
    letters[at] = [x + 1.0 for x in letters[at]]
    before, after = masked(mask)[1], masked(mask, letters)[1]
    return [
        max(abs(a - b) for a, b in zip(one, two, strict=True))
        if all(map(math.isfinite, one))
        else math.nan
        for one, two in zip(before, after, strict=True)
    ]


def _mask_page(mask: str, at: int) -> Page:
    weights, _ = masked(mask)
    moved = leaks(mask, at)
    early = [t for t in range(at) if moved[t] > 1e-9]
    return Page(
        title=_mask_claim(mask, at, early, weights),
        look=f"{WHY[mask]} Left, a row for each letter that listens; orange is weight "
        "on the future. Right, how far its output moves. The scores come from the "
        "letters, so the one that changes also listens otherwise.",
        body=_mask_matrix(weights, at) + _mask_moves(moved, at),
        height=300,
        header=("letter", "row sums to", "on the future", "moves by"),
        rows=[
            (str(t), _told(sum(row)), _told(sum(row[t + 1 :])), _told(moved[t]))
            for t, row in enumerate(weights)
        ],
    )


def _mask_claim(mask: str, at: int, early: list[int], weights: Rows) -> str:
    said = SAID[mask][0].upper() + SAID[mask][1:]
    if any(math.isnan(w) for row in weights for w in row):
        return f"{said}: the first row is nan"
    if not at:
        return f"{said}: no letter comes before letter 0, so none can tell"
    if not early:
        return f"{said}: change letter {at}, and none before it moves"
    count = f"{len(early)} letter{'s' * (len(early) > 1)}"
    return f"{said}: change letter {at}, and {count} before it move" + "s" * (
        len(early) == 1
    )


def _told(value: float) -> str:
    return "nan" if math.isnan(value) else f"{value:.2f}"


def _mask_matrix(weights: Rows, at: int) -> str:
    left, top, size = 78.0, 46.0, 40.0
    marks = [
        svg.text(left, 14, "letters that are heard", "soft", 12, halo=False),
        svg.text(8, top + 26, "letter", "soft", 12, halo=False),
    ]
    for t in range(T):
        ink, bold = ("backward", True) if t == at else ("soft", False)
        marks.append(
            svg.text(left + size * (t + 0.5), top - 8, str(t), ink, 13, "middle", bold)
        )
        marks.append(
            svg.text(left - 12, top + size * t + 26, str(t), ink, 13, "end", bold)
        )
    for i, row in enumerate(weights):
        for j, w in enumerate(row):
            x, y = left + size * j, top + size * i
            colour = "positive" if j > i else "forward"
            strength = 0.0 if math.isnan(w) else min(1.0, 0.12 + 0.88 * w) * (w > 0)
            marks.append(svg.box(x, y, size, size, colour, strength))
            marks.append(svg.box(x, y, size, size, "paper", 0, edge="faint"))
            ink = "paper" if strength > 0.62 and colour == "forward" else "ink"
            said = "" if w == 0 else _told(w)
            marks.append(
                svg.text(x + size / 2, y + 25, said, ink, 11.5, "middle", halo=False)
            )
    return "".join(marks)


def _mask_moves(moved: list[float], at: int) -> str:
    left, top, size = 380.0, 46.0, 40.0
    most = max([m for m in moved if math.isfinite(m)] or [1.0]) or 1.0
    marks = [svg.text(left, 14, f"letter {at} changes: it moves by", "soft", 12)]
    for t, m in enumerate(moved):
        y = top + size * t
        if math.isnan(m):
            marks.append(svg.text(left, y + 25, "nan", "backward", 12.5))
            continue
        early = t < at and m > 1e-9
        wide = 110 * m / most
        colour = "positive" if early else "forward"
        marks.append(svg.box(left, y + 8, max(wide, 1), size - 16, colour, 0.85))
        told = f"{m:.2f}" if m >= 0.005 or not early else "under 0.01"
        words = told + " the future leaks" * early
        marks.append(svg.text(left + wide + 8, y + 25, words, "ink", 12))
    marks.append(svg.line((left, top), (left, top + size * T), "faint", 1))
    return "".join(marks)


# --- Soft and sharp ---------------------------------------------------------------

HEARD = 8  # letters that a query is compared with
SIZES = (1, 4, 16, 64, 256, 1024)


@cache
def _raw(size: int) -> list[float]:
    """A query against eight keys of so many numbers; wider ones go on with these."""
    rng, scores = Random(21), [0.0] * HEARD  # neither tame nor wild
    for _ in range(size):
        q = rng.gauss(0, 1)
        scores = [s + q * rng.gauss(0, 1) for s in scores]
    return scores


def sharpness(head_size: int = 64, divided: bool = False) -> Explorable:
    """Widen a head: do its shares stay soft, with and without the division by the root?

    head_size: numbers of a query, one of 1, 4, 16, 64, 256, 1024.
    """
    return Explorable(
        _sharp_page,
        Choice("size", "head size", [(str(n), n) for n in SIZES], head_size),
        Choice(
            "divided",
            "scores",
            [("as they are", False), ("divided by the root", True)],
            divided,
        ),
    )


def _sharp_page(size: int, divided: bool) -> Page:
    raw = _raw(size)
    scores = [s / size**0.5 for s in raw] if divided else raw
    shares = _softmax(scores)
    mean = sum(scores) / HEARD
    spread = (sum((s - mean) ** 2 for s in scores) / HEARD) ** 0.5
    how = "divided" if divided else "as they are"
    return Page(
        title=f"Head size {size}, scores {how}: the largest share is {max(shares):.2f}",
        look="Above are the scores of eight letters, below their shares after the "
        "softmax; the grey line is what each would get if all were alike.",
        body=_sharp_bars(scores, shares),
        height=330,
        header=("letter", "score", "share"),
        rows=[
            *(
                (str(i), f"{s:.2f}", f"{p:.3f}")
                for i, (s, p) in enumerate(zip(scores, shares, strict=True))
            ),
            ("spread", f"{spread:.2f}", ""),
        ],
    )


def _sharp_bars(scores: list[float], shares: list[float]) -> str:
    reach = max(3.0, *(abs(s) * 1.08 for s in scores))
    above = Panel(52, 30, 560, 108, (-0.5, HEARD - 0.5), (-reach, reach))
    below = Panel(52, 186, 560, 108, (-0.5, HEARD - 0.5), (0, 1))
    marks = [
        above.axes("", "score", [], svg.ticks(-reach, reach, 4)),
        below.axes("letter", "share", range(HEARD), [0, 0.5, 1]),
    ]
    wide = above.width / HEARD - 18
    for i, (s, p) in enumerate(zip(scores, shares, strict=True)):
        x, zero, y = above.x(i) - wide / 2, above.y(0), above.y(s)
        marks.append(svg.box(x, min(zero, y), wide, abs(zero - y), "forward", 0.45))
        y = below.y(p)
        marks.append(svg.box(x, y, wide, below.bottom - y, "forward"))
    even = below.y(1 / HEARD)
    marks.append(svg.line((below.left, even), (below.right, even), "reference", 1.5))
    return "".join(marks)


# --- Whom a letter listens to -----------------------------------------------------

SHOWN = {" ": "␣", "\n": "↵"}


class Listening(NamedTuple):
    """The shares of one head over one text, and the letter that listens."""

    text: str
    block: int
    head: int
    at: int
    weights: Rows

    @property
    def row(self) -> list[float]:
        return self.weights[self.at]

    @property
    def best(self) -> int:
        return max(range(self.at + 1), key=self.row.__getitem__)


def attention_map(
    attend: Callable[[str], Any],
    letters: Sequence[str],
    text: str = "My lord, I am not the king.",
    longest: int = 32,
) -> Explorable:
    """Type a text: whom does each of its letters listen to, in each head?

    attend(text): the shares (blocks, heads, T, T) of a text of T letters.
    letters: those that the model knows. longest: letters of a text, at most.
    """

    @cache
    def heard(words: str) -> list[list[Rows]]:
        return attend(words).tolist()

    try:
        known = heard(_typed(text, letters, longest))
    except Refused as reason:
        return refusal(reason)
    pairs = [(b, h) for b in range(len(known)) for h in range(len(known[0]))]
    pair, start = _telling(known)

    def draw(text: str, head: tuple[int, int], at: int) -> Page:
        words = _typed(text, letters, longest)
        weights = heard(words)[head[0]][head[1]]
        return _listening_page(
            Listening(words, *head, min(at, len(words) - 1), weights)
        )

    return Explorable(
        draw,
        Field("text", "text", text, "a line of your own", "420px"),
        Choice(
            "head",
            "block.head",
            [(f"{b + 1}.{h + 1}", (b, h)) for b, h in pairs],
            pair,
            small=True,
        ),
        Steps(
            "at",
            "letter",
            longest - 1,
            start,
            until=lambda state: min(max(len(state["text"]), 1), longest) - 1,
        ),
    )


def _telling(known: list[list[Rows]]) -> tuple[tuple[int, int], int]:
    """A head, and a letter late in the text that hears some others well in it."""
    count = len(known[0][0])

    def told(b: int, h: int, at: int) -> float:
        return sum(w for w in known[b][h][at][:at] if 0.1 <= w <= 0.6)

    places = [
        (b, h, at)
        for b in range(len(known))
        for h in range(len(known[b]))
        for at in range(count // 2, count)
    ]
    b, h, at = max(places, key=lambda place: told(*place))
    return (b, h), at


def _typed(text: str, letters: Sequence[str], longest: int) -> str:
    unknown = [letter for letter in text if letter not in letters]
    if unknown:
        raise Refused(f"The model has never seen {unknown[0]!r}: type other letters.")
    if not 0 < len(text) <= longest:
        raise Refused(f"Type a text of 1 to {longest} letters.")
    return text


def _listening_page(one: Listening) -> Page:
    best, back = one.best, one.at - one.best
    whom = "itself" if not back else f"{_quoted(one.text[best])}, {back} back"
    ranked = sorted(range(one.at + 1), key=lambda i: -one.row[i])
    return Page(
        title=f"Block {one.block + 1}, head {one.head + 1}: "
        f"{_quoted(one.text[one.at])} gives {100 * one.row[best]:.0f} % to {whom}",
        look="Arcs lead from the letter that listens, in orange, to those it hears, "
        "thicker where the share is larger. The matrix has a row for each letter: "
        "a line beside the diagonal means that all listen to the one before.",
        body=_arcs(one) + _whole(one) + _largest(one, ranked[:7]),
        height=504,
        header=("place", "letter", "share"),
        rows=[(str(i), _quoted(one.text[i]), f"{one.row[i]:.3f}") for i in ranked[:12]],
    )


def _quoted(letter: str) -> str:
    return {" ": "the blank", "\n": "the line break"}.get(letter, f'"{letter}"')


def _arcs(one: Listening) -> str:
    """The text as boxes, shaded by share, and arcs above it."""
    count = len(one.text)
    pitch = min(26.0, 620 / count)
    left, y = 320 - pitch * count / 2, 128.0
    place = [left + pitch * (i + 0.5) for i in range(count)]
    marks, here = [], place[one.at]
    for i, share in enumerate(one.row[: one.at]):
        if share >= 0.01:
            x = place[i]
            high = y - 16 - min(96.0, 14 + 0.4 * (here - x))
            d = f"M{here:.1f} {y - 15}Q{(here + x) / 2:.1f} {high:.1f} {x:.1f} {y - 15}"
            marks.append(svg.curve(d, "forward", 0.6 + 7 * share, None, 0.75))
    if not marks:
        said = "it hears itself, and nobody else"
        marks.append(svg.text(320, y - 40, said, "soft", 13, "middle"))
    wide = pitch - 2
    for i, letter in enumerate(one.text):
        share = one.row[i] if i <= one.at else 0.0
        edge = "backward" if i == one.at else "faint"
        width = 2.5 if i == one.at else 1
        corner = place[i] - wide / 2, y - 13
        marks.append(svg.box(*corner, wide, 28, "paper"))
        marks.append(svg.box(*corner, wide, 28, "forward", 0.8 * share, 3, edge, width))
        ink = "soft" if i > one.at else "ink"
        shown = SHOWN.get(letter, letter)
        marks.append(
            svg.text(place[i], y + 6, shown, ink, 14, "middle", False, False, True)
        )
    return "".join(marks)


def _whole(one: Listening) -> str:
    """The matrix of the head, the row that listens framed."""
    count = len(one.text)
    size = min(24.0, 304 / count)
    left, top = 60.0, 172.0
    marks = [svg.cells(one.weights, left, top, size)]
    side = size * count
    marks.append(svg.box(left, top, side, side, "paper", 0, edge="faint"))
    row = top + size * one.at
    marks.append(svg.box(left, row, side, size, "paper", 0, 0, "backward", 1.5))
    for i, letter in enumerate(one.text):
        shown = SHOWN.get(letter, letter)
        small, bold = min(11.0, 0.92 * size), i == one.at
        middle = (i + 0.5) * size
        marks.append(
            svg.text(
                left - 6, top + middle + small / 3, shown,
                "backward" if bold else "soft", small, "end", bold, False, True,
            )
        )  # fmt: skip
        marks.append(
            svg.text(
                left + middle, top + side + small + 3, shown, "soft", small,
                "middle", False, False, True,
            )
        )  # fmt: skip
    return "".join(marks)


def _largest(one: Listening, ranked: list[int]) -> str:
    """The letters that are heard most, as bars."""
    left, top, high = 424.0, 196.0, 29.0
    marks = [svg.text(left - 40, 176, "heard most", "soft", 12, halo=False)]
    for rank, i in enumerate(ranked):
        y = top + high * rank
        shown = SHOWN.get(one.text[i], one.text[i])
        marks.append(svg.text(left - 28, y + 14, shown, "ink", 14, code=True))
        wide = 126 * one.row[i]
        marks.append(svg.box(left, y, max(wide, 1), 19, "forward", 0.85))
        back = "itself" if i == one.at else f"{one.at - i} back"
        said = f"{one.row[i]:.2f}, {back}"
        marks.append(svg.text(left + wide + 8, y + 14, said, "soft", 12))
    return "".join(marks)
