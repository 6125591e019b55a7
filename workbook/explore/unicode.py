"""The byte view: what one sees, code points, bytes and tokens, and a cut between them.

Four rows on one scale: each block is as wide as the bytes that it becomes.
"""

from __future__ import annotations

from html import escape
from itertools import accumulate
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import Explorable, Field, Page, Refused, Slider
from workbook.explore.pieces import in_hex, pieces_of, plain, spell, spoken

LONGEST = 24  # bytes of a text
LEFT, ROOM, SIDE = 92.0, 540.0, 38.0
TOP, ROW, HIGH = 14.0, 38.0, 30.0
LOST = "\ufffd"
HEADS = {1: 1, 2: 3, 3: 4, 4: 5}  # length of a character -> marking bits of its first


class Block(NamedTuple):
    """A stretch of the text: what stands in the block, and its bytes."""

    words: str
    size: int


def byte_view(text: str, tokenizer: Any = None) -> Explorable:
    """A text as characters, code points, bytes and tokens; cut it at any byte.

    text: its first 24 bytes; it can be rewritten.
    tokenizer: whose tokens are the last row; without one there is no such row.
    """
    start = plain(text).encode()[:LONGEST].decode("utf-8", "ignore")
    inside = [at for at in range(len(start.encode())) if _inside(start.encode(), at)]
    cut = inside[-1] if inside else len(start.encode()) // 2
    return Explorable(
        lambda text, cut: _page(text, int(cut), tokenizer),
        Field("text", "text", start, "type a text", "320px"),
        Slider("cut", "cut after byte", 0, LONGEST, 1, cut, show=".0f"),
    )


def seen(text: str) -> list[str]:
    """What a reader calls characters: each with all that is combined with it.

    >>> [len(c) for c in seen("e\\u0301a")]
    [2, 1]
    """
    import regex

    return regex.findall(r"\X", text)


def _page(text: str, cut: int, tokenizer: Any) -> Page:
    text = plain(text)
    raw = text.encode()
    if not 1 <= len(raw) <= LONGEST:
        raise Refused(f"The byte view shows 1 to {LONGEST} bytes.")
    cut = min(cut, len(raw))
    rows = _rows(text, raw, tokenizer)
    halves = [half.decode("utf-8", "replace") for half in (raw[:cut], raw[cut:])]
    side = min(SIDE, ROOM / len(raw))
    below = TOP + ROW * len(rows) + 14
    body = "".join(
        _row(name, blocks, TOP + ROW * n, side)
        for n, (name, blocks) in enumerate(rows.items())
    )
    return Page(
        title=_claim(raw, cut),
        look="Each block is as wide as its bytes. Move the cut into the middle of a "
        "character: neither side can be read as text there, and decoding puts a mark, "
        "\ufffd, where something is lost.",
        body=body
        + _cut(cut, side, len(rows))
        + _halves(halves, below + 8)
        + _bits(text, raw, cut, below + 40),
        height=below + 112,
        header=("row", "blocks"),
        rows=[
            *((name, _listed(blocks)) for name, blocks in rows.items()),
            ("left of the cut", spoken(halves[0].encode())),
            ("right of the cut", spoken(halves[1].encode())),
        ],
    )


def _rows(text: str, raw: bytes, tokenizer: Any) -> dict[str, list[Block]]:
    rows = {
        "characters": [Block(_shape(c), len(c.encode())) for c in seen(text)],
        "code points": [Block(f"{ord(c):02X}", len(c.encode())) for c in text],
        "bytes": [Block(f"{b:02X}", 1) for b in raw],
    }
    if tokenizer is not None:
        rows["tokens"] = _tokens(text, raw, tokenizer)
    return rows


def _shape(cluster: str) -> str:
    """A character as it is, where it has a shape."""
    ((kind, _), *_) = spell(cluster.encode())
    return cluster if kind == "text" else spoken(cluster.encode())


def _tokens(text: str, raw: bytes, tokenizer: Any) -> list[Block]:
    ids = [int(i) for i in tokenizer.encode(text)]
    pieces, whole = pieces_of(tokenizer, ids, raw)
    if not whole:
        raise Refused("The tokens of this tokenizer do not join to the text.")
    return [Block(str(i), len(p)) for i, p in zip(ids, pieces, strict=True)]


def _inside(raw: bytes, cut: int) -> bool:
    """Whether a cut there goes through a character: then a byte 10xxxxxx follows."""
    return cut < len(raw) and raw[cut] >> 6 == 0b10


def _claim(raw: bytes, cut: int) -> str:
    torn = raw[:cut].decode("utf-8", "replace").count(LOST)
    torn += raw[cut:].decode("utf-8", "replace").count(LOST)
    torn -= raw.decode().count(LOST)
    if not _inside(raw, cut):
        return f"Cut after byte {cut}: between characters, and nothing is lost"
    marks = "1 mark" if torn == 1 else f"{torn} marks"
    return f"Cut after byte {cut}: through a character, {marks} for what is lost"


def _listed(blocks: list[Block]) -> str:
    return " | ".join(block.words for block in blocks)


# --- The picture ------------------------------------------------------------------


def _row(name: str, blocks: list[Block], top: float, side: float) -> str:
    marks = [svg.text(LEFT - 12, top + 20, name, "soft", 12, "end", halo=False)]
    starts = accumulate((block.size for block in blocks), initial=0)
    for n, (start, block) in enumerate(zip(starts, blocks, strict=False)):
        x, wide = LEFT + side * start, side * block.size
        letters = 2 if name == "characters" else len(block.words)
        size = min(15.0 if name == "characters" else 12.5, 1.55 * (wide - 3) / letters)
        tint = 0.3 if n % 2 else 0.16
        marks += [
            svg.box(x, top, wide - 2, HIGH, "forward", tint, radius=3),
            svg.text(
                x + wide / 2 - 1, top + 20, block.words, "ink", size, "middle",
                halo=False, code=True,
            ),
        ]  # fmt: skip
    return "".join(marks)


def _cut(cut: int, side: float, rows: int) -> str:
    x, low = LEFT + side * cut - 1, TOP + ROW * rows
    head = [(x - 6, TOP - 12), (x + 6, TOP - 12), (x, TOP - 3)]
    line = svg.line((x, TOP - 6), (x, low), "backward", 2, "5 3")
    return svg.area(head, "backward", 1) + line


def _halves(halves: list[str], y: float) -> str:
    left, right = (escape(spoken(half.encode())) for half in halves)
    bar = svg.tag("tspan", "\u00a0|\u00a0", class_="wb-backward", font_weight=700)
    return svg.text(LEFT - 12, y, "decoded", "soft", 12, "end", halo=False) + svg.tag(
        "text",
        left + bar + right,
        x=LEFT,
        y=y,
        font_size=15,
        font_family="var(--jp-code-font-family,monospace)",
        class_="wb-ink",
        fill="currentColor",
    )


def _bits(text: str, raw: bytes, cut: int, y: float) -> str:
    """The bytes of the character at the cut, their marking bits and their own."""
    ends = list(accumulate(len(c.encode()) for c in text))
    n = next((n for n, end in enumerate(ends) if cut < end), len(ends) - 1)
    char = text[n]
    piece = char.encode()
    marks = [
        svg.text(LEFT - 12, y, "in bits", "soft", 12, "end", halo=False),
        svg.text(LEFT - 12, y + 46, "together", "soft", 12, "end", halo=False),
    ]
    whole = ""
    for k, byte in enumerate(piece):
        head = HEADS[len(piece)] if k == 0 else 2
        bits = f"{byte:08b}"
        x = LEFT + 118.0 * k
        whole += bits[head:]
        marks += [
            svg.text(x, y, bits[:head], "reference", 15, code=True),
            svg.text(x + 9 * head, y, bits[head:], "forward", 15, bold=True, code=True),
            svg.text(
                x, y + 17, in_hex(piece)[3 * k : 3 * k + 2], "soft", 11, code=True
            ),
        ]
    number = whole.lstrip("0") or "0"
    told = f"= {ord(char):,} = U+{ord(char):04X}, {spoken(piece)}"
    wide = 9 * len(number)
    marks += [
        svg.text(LEFT, y + 46, number, "forward", 15, bold=True, code=True),
        svg.text(LEFT + wide + 14, y + 46, told, "ink", 13),
    ]
    return "".join(marks)
