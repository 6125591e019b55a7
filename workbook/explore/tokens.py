"""The playground of lesson 8: one text, and what several tokenizers make of it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import Choice, Explorable, Field, Page, Refused, refusal
from workbook.explore.pieces import chips, hues, pieces_of, plain, spoken, vocabulary
from workbook.explore.script import VIEWS, Script, Text, seen_first

LONGEST = 2000  # characters of a text
MOST = 6  # tokenizers side by side
KEPT = 8  # texts whose tokens are kept
BEGINS = 8  # tokens of a text in the table
LOOKS = {
    "": "Each frame is a token, and the same id has the same colour. A dot is a blank. "
    "Write a word with a blank before it, with a capital, in another script: which "
    "tokens stay?",
    "wb-with-ids": "Under each token stands its id, the number that a model reads. "
    "Nothing in it tells which letters are inside.",
    "wb-with-bytes": "Under each token stand its bytes in hex. A token may end in the "
    "middle of a character: then the bytes are all that can be shown.",
}


class Reading(NamedTuple):
    """What one tokenizer makes of a text, or why it makes nothing."""

    ids: list[int]
    pieces: list[bytes]
    whole: bool = True  # the pieces join to the text
    refused: str = ""


def token_playground(
    text: str, tokenizers: Mapping[str, Any], view: str = "text"
) -> Explorable:
    """Type a text and see its tokens, in several vocabularies side by side.

    tokenizers: name -> anything with encode(text) -> ids, and vocab or decode; `str`
    itself stands for code points, `bytes` for bytes.
    view: what stands under a token to begin with: "text" (nothing), "with ids" or
    "with bytes".

        explore.token_playground("egg, an egg", {"characters": str, "ours": tokenizer})
    """
    views = dict(VIEWS)
    if not 1 <= len(tokenizers) <= MOST:
        return refusal(Refused(f"The playground shows 1 to {MOST} tokenizers."))
    if view not in views:
        return refusal(Refused(f"A view is one of {', '.join(views)}."))
    playground = _Playground(tokenizers)
    return Explorable(
        playground.page,
        Field("text", "", plain(text)[:LONGEST], "type a text", "100%", lines=4),
        Choice("view", "show", VIEWS, views[view]),
    )


class _Playground:
    """Tokenizers, what they have read before, and the page of each state."""

    def __init__(self, tokenizers: Mapping[str, Any]) -> None:
        self.tokenizers = dict(tokenizers)
        self.known: dict[str, dict[str, Reading]] = {}
        self.colours: dict[str, dict[int, int]] = {name: {} for name in tokenizers}

    def read(self, text: str) -> dict[str, Reading]:
        """What each tokenizer makes of the text; each is asked once."""
        if text not in self.known:
            if len(self.known) >= KEPT:
                del self.known[next(iter(self.known))]
            self.known[text] = {
                name: reading(tokenizer, text)
                for name, tokenizer in self.tokenizers.items()
            }
        return self.known[text]

    def page(self, text: str, view: str) -> Page:
        if len(text) > LONGEST:
            raise Refused(f"The playground reads up to {LONGEST:,} characters.")
        text = plain(text)
        size, read = len(text.encode()), self.read(text)
        return Script(
            title=_claim(read, size),
            look=LOOKS[view],
            body=_bars(read, size),
            height=26 + 24 * len(read),
            header=("tokenizer", "tokens", "bytes a token", "vocabulary", "begins"),
            rows=[self._row(name, one, size) for name, one in read.items()],
            texts=[self._text(name, one, size, view) for name, one in read.items()],
        )

    def _text(self, name: str, one: Reading, size: int, view: str) -> Text:
        first = seen_first(one.pieces) + 1
        told = self._told(name, one, size)
        return Text(name, told, self._inside(name, one), view, first=first)

    def _told(self, name: str, one: Reading, size: int) -> str:
        many = self._many(name)
        told = f"of {many}" if many else ""
        if one.refused:
            return told
        counted = "1 token" if len(one.ids) == 1 else f"{len(one.ids):,} tokens"
        return f"{counted} {told}".strip()

    def _many(self, name: str) -> str:
        tokenizer = self.tokenizers[name]
        known = {str: "", bytes: "256"}
        if tokenizer in (str, bytes):
            return known[tokenizer]
        many = vocabulary(tokenizer)
        return f"{many:,}" if many else ""

    def _inside(self, name: str, one: Reading) -> list[str]:
        """A note, and the tokens; each keeps its colour while the text is changed."""
        note = one.refused or ("" if one.whole else "Joined, these are another text.")
        said = [f'<p class="wb-note">{escape(note)}</p>'] if note else []
        if not one.pieces:
            return said
        colours = hues(one.ids, self.colours[name])
        return said + chips(one.pieces, one.ids, colours=colours)

    def _row(self, name: str, one: Reading, size: int) -> tuple[str, ...]:
        many = self._many(name) or "not told"
        if one.refused:
            return name, "refused", "", many, one.refused
        begins = " | ".join(spoken(piece) for piece in one.pieces[:BEGINS])
        more = " | …" if len(one.pieces) > BEGINS else ""
        share = f"{size / len(one.ids):.2f}" if one.ids else ""
        return name, f"{len(one.ids):,}", share, many, begins + more


def reading(tokenizer: Any, text: str) -> Reading:
    """The tokens of a text; what the tokenizer raises is told in its first line."""
    if tokenizer is str:
        return Reading([ord(c) for c in text], [c.encode() for c in text])
    raw = text.encode()
    if tokenizer is bytes:
        return Reading(list(raw), [raw[i : i + 1] for i in range(len(raw))])
    try:
        ids = [int(i) for i in tokenizer.encode(text)]
        pieces, whole = pieces_of(tokenizer, ids, raw)
    except Exception as error:  # somebody else's tokenizer may raise anything
        said = str(error).splitlines()[0] if str(error) else "no message"
        return Reading([], [], True, f"{type(error).__name__}: {said}")
    if len(pieces) != len(ids):
        return Reading(ids, [], False, f"{len(ids)} ids, and no bytes for them")
    return Reading(ids, pieces, whole)


def _claim(read: Mapping[str, Reading], size: int) -> str:
    counts = [f"{len(one.ids):,}" for one in read.values() if not one.refused]
    if not size:
        return "No text yet: type one below"
    if not counts:
        return "No tokenizer reads this text"
    *first, last = counts
    listed = f"{', '.join(first)} or {last}" if first else last
    many = "byte is" if size == 1 else "bytes are"
    unit = "token" if counts == ["1"] else "tokens"
    return f"{size:,} {many} {listed} {unit}"


def _bars(read: Mapping[str, Reading], size: int) -> str:
    """How many tokens each tokenizer needs."""
    left, room, high = 132.0, 340.0, 24.0
    most = max([1, *(len(one.ids) for one in read.values())])
    marks = []
    for i, (name, one) in enumerate(read.items()):
        y, count = 6 + high * i, len(one.ids)
        wide = room * count / most
        each = f", {size / count:.2f} bytes each" if count else ""
        said = "refused" if one.refused else f"{count:,}{each}"
        short = name if len(name) <= 18 else f"{name[:17]}…"
        marks += [
            svg.text(left - 10, y + 15, short, "ink", 12.5, "end", halo=False),
            svg.box(left, y + 2, max(wide, 1), high - 6, "forward", 0.85),
            svg.text(left + wide + 8, y + 15, said, "soft", 12),
        ]
    return "".join(marks)
