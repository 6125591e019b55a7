"""The encode race: one word, the same merges, four orders to make them in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import Explorable, Field, Page, Refused, Steps, refusal
from workbook.explore.merging import BYTES, Pair, found_at
from workbook.explore.pieces import plain, spell, spoken

LONGEST = 16  # bytes of a word
LANE, GAP, LEFT = 148.0, 14.0, 4.0
TOP, ROW = 46.0, 35.0
SIDE = 24.0  # pixels of a byte at most


class Known(NamedTuple):
    """The merges of a tokenizer, and the bytes of what they make."""

    merges: dict[Pair, int]
    byte: list[int]  # the id of each byte
    vocab: dict[int, bytes]
    names: dict[bytes, int]  # the other way round


Lane = Callable[[list[int], Known], list[int] | None]  # one step; None: it is over


def encode_race(tokenizer: Any, word: str = "abcbc") -> Explorable:
    """Encode a word in four orders of merging: only one gives what training gave.

    tokenizer: one with `merges`, or the merges themselves, {(id, id): id}.
    word: of at most 16 bytes; it can be rewritten.

        explore.encode_race({(97, 98): 256, (98, 99): 257}, "abcbc")
    """
    try:
        known = known_merges(tokenizer)
    except Refused as reason:
        return refusal(reason)
    return Explorable(
        lambda word, step: _page(known, word, step),
        Field("word", "word", word, "type a word"),
        Steps(
            "step",
            "step",
            LONGEST - 1,
            until=lambda state: _last(known, state["word"]),
        ),
        still={"step": LONGEST - 1},
    )


def known_merges(tokenizer: Any) -> Known:
    """The merges with the bytes of each token. Raises Refused where there are none."""
    merges = getattr(tokenizer, "merges", tokenizer)
    if not isinstance(merges, dict) or not merges:
        raise Refused("The race needs a tokenizer that has been trained.")
    shuffle = getattr(tokenizer, "byte_shuffle", None)
    byte = [shuffle[i] if shuffle else i for i in range(BYTES)]
    vocab = {i: bytes([b]) for b, i in enumerate(byte)}
    try:
        for (a, b), i in sorted(merges.items(), key=lambda item: item[1]):
            vocab[i] = vocab[a] + vocab[b]
    except (KeyError, TypeError, ValueError):
        raise Refused("A merge joins two ids that are there before it.") from None
    return Known(merges, byte, vocab, {piece: i for i, piece in vocab.items()})


# --- The four orders: one step of each --------------------------------------------


def by_rank(ids: list[int], known: Known) -> list[int] | None:
    """The pair that was learnt first, everywhere."""
    pairs = [pair for pair in pairwise(ids) if pair in known.merges]
    best = min(pairs, key=known.merges.__getitem__, default=None)
    return best and _everywhere(ids, best, known)


def by_count(ids: list[int], known: Known) -> list[int] | None:
    """The pair that stands in the word most often, everywhere."""
    counts = Counter(pair for pair in pairwise(ids) if pair in known.merges)
    best = max(counts, key=counts.__getitem__, default=None)
    return best and _everywhere(ids, best, known)


def by_place(ids: list[int], known: Known) -> list[int] | None:
    """The leftmost pair that is known, there alone."""
    for i, pair in enumerate(pairwise(ids)):
        if pair in known.merges:
            return [*ids[:i], known.merges[pair], *ids[i + 2 :]]
    return None


def by_length(ids: list[int], known: Known) -> list[int] | None:
    """From the left, the longest token that fits; the rest are bytes still."""
    names, raw, at = known.names, b"".join(known.vocab[i] for i in ids), 0
    for n, i in enumerate(ids):
        ends = range(len(raw), at, -1)
        best = next(names[raw[at:end]] for end in ends if raw[at:end] in names)
        end = at + len(known.vocab[best])
        if best != i:
            return [*ids[:n], best, *(known.byte[b] for b in raw[end:])]
        at = end
    return None


LANES: dict[str, tuple[str, Lane]] = {
    "rank order": ("learnt first, everywhere", by_rank),
    "commonest first": ("most often in the word", by_count),
    "leftmost first": ("the first from the left", by_place),
    "longest match": ("the longest from the left", by_length),
}


def run(raw: bytes, known: Known, lane: Lane) -> list[list[int]]:
    """The word's ids after each step of a lane, the bytes themselves first."""
    rows: list[list[int]] = [[known.byte[b] for b in raw]]
    while (ids := lane(rows[-1], known)) is not None:
        rows.append(ids)
    return rows


def _everywhere(ids: list[int], pair: Pair, known: Known) -> list[int]:
    made, at = [], 0
    for place in found_at(ids, pair):
        made += [*ids[at:place], known.merges[pair]]
        at = place + 2
    return made + ids[at:]


def _last(known: Known, word: str) -> int:
    """The step after which no order has anything to merge; one there is always, so
    that who stands at the start stays there while a word is typed.
    """
    raw = plain(word).encode()[:LONGEST]
    return max(2, *(len(run(raw, known, lane)) for _, lane in LANES.values())) - 1


# --- The picture ------------------------------------------------------------------


def _page(known: Known, word: str, step: int) -> Page:
    word = plain(word)
    raw = word.encode()
    if not 1 <= len(raw) <= LONGEST:
        raise Refused(f"A word for the race has 1 to {LONGEST} bytes.")
    runs = {name: run(raw, known, lane) for name, (_, lane) in LANES.items()}
    longest = max(len(rows) for rows in runs.values())
    lanes = "".join(
        _lane(name, rows, step, LEFT + n * (LANE + GAP), raw, known, runs)
        for n, (name, rows) in enumerate(runs.items())
    )
    return Page(
        title=_claim(word, runs, step, longest - 1),
        look="Time runs down. Each row is the word after one more step, with the block "
        "just made filled. Training made its merges by rank: encoding gives the same "
        "tokens only if it makes them in that order.",
        body=lanes,
        height=TOP + ROW * min(step + 1, longest) + 30,
        header=("order", "steps", "tokens", "ids", "pieces"),
        rows=[_row(name, rows, step, known) for name, rows in runs.items()],
    )


def _row(
    name: str, rows: list[list[int]], step: int, known: Known
) -> tuple[str, str, str, str, str]:
    at = min(step, len(rows) - 1)
    ids = rows[at]
    pieces = " | ".join(spoken(known.vocab[i]) for i in ids)
    return name, str(at), str(len(ids)), ", ".join(map(str, ids)), pieces


def _claim(word: str, runs: dict[str, list[list[int]]], step: int, last: int) -> str:
    shown = "".join(words for _, words in spell(word.encode()))
    named = f'"{shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"}"'
    right, *others = runs.values()
    if last == 0:
        return f"{named}: no pair of it was ever learnt"
    if step == 0:
        return f"{named}: which of its pairs comes first?"
    if step < last:
        counts = [len(rows[min(step, len(rows) - 1)]) for rows in runs.values()]
        *first, end = map(str, counts)
        return f"{named}, step {step}: {', '.join(first)} and {end} tokens"
    missed = sum(rows[-1] != right[-1] for rows in others)
    if not missed:
        return f"{named}: all four orders end in the same tokens"
    counted = {1: "one", 2: "two", 3: "all three"}[missed]
    verb = "ends" if missed == 1 else "end"
    return f"{named}: {counted} of the other orders {verb} in other tokens"


def _lane(
    name: str,
    rows: list[list[int]],
    step: int,
    left: float,
    raw: bytes,
    known: Known,
    runs: dict[str, list[list[int]]],
) -> str:
    side = min(SIDE, LANE / len(raw))
    right = runs["rank order"][-1]
    shown = rows[: step + 1]
    marks = [
        svg.text(left, 14, name, "ink", 13, bold=True, halo=False),
        svg.text(left, 31, LANES[name][0], "soft", 11, halo=False),
    ]
    for n, ids in enumerate(shown):
        before = shown[n - 1] if n else ids
        marks.append(_blocks(ids, _new(before, ids, known), left, TOP + ROW * n, side,
                             known))  # fmt: skip
    if step >= len(rows) - 1:
        same = name == "rank order" or rows[-1] == right
        said = "tokens" if len(rows[-1]) > 1 else "token"
        told = f"{len(rows[-1])} {said}"
        if name != "rank order":
            told += ", the same" if same else ", others"
        y = TOP + ROW * len(shown) + 8
        colour = "forward" if same else "backward"
        marks.append(svg.text(left, y, told, colour, 12.5, bold=True, halo=False))
    return "".join(marks)


def _new(before: list[int], ids: list[int], known: Known) -> set[int]:
    """Where in the bytes the tokens begin that the row before does not have."""
    old = set(_placed(before, known))
    return {start for start, i in _placed(ids, known) if (start, i) not in old}


def _placed(ids: list[int], known: Known) -> list[tuple[int, int]]:
    places, at = [], 0
    for i in ids:
        places.append((at, i))
        at += len(known.vocab[i])
    return places


def _blocks(
    ids: list[int], new: set[int], left: float, top: float, side: float, known: Known
) -> str:
    """One row: a block for each token, as wide as its bytes."""
    marks = []
    for start, i in _placed(ids, known):
        piece = known.vocab[i]
        x, wide = left + side * start, side * len(piece)
        here, merged = start in new, len(piece) > 1
        tint = 0.9 if here else 0.36 if merged else 0.16
        ink = "paper" if here else "ink"
        words = spoken(piece)
        size = min(13.0, 1.55 * (wide - 2) / max(len(words), 1))
        marks.append(svg.box(x, top, wide - 1.5, 26, "forward", tint, radius=3))
        middle = x + wide / 2 - 0.75
        high = 12.5 if merged else 17
        marks.append(svg.text(middle, top + high, words, ink, size, "middle",
                              halo=False, code=True))  # fmt: skip
        if merged:
            small = min(9.0, 1.6 * (wide - 2) / len(str(i)))
            marks.append(svg.text(middle, top + 22.5, str(i), ink, small, "middle",
                                  halo=False))  # fmt: skip
    return "".join(marks)
