"""The splitter: how a pattern cuts a text into the chunks that no merge crosses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import Choice, Explorable, Field, Page, Refused
from workbook.explore.pieces import HUES, chips, plain, spoken
from workbook.explore.script import REST, TINTS, Script, Text

LONGEST = 600  # characters of a text
PIECE = 34  # letters of a part of a pattern in the picture
SAID = {  # what a part of the two patterns takes, by its beginning
    r"'(?": "the end of a contraction: 's, 't, 'll",
    r" ?\p{L}": "letters, with a blank before them",
    r"[^\r\n\p{L}": "letters, with a blank or sign before them",
    r" ?\p{N}": "digits, with a blank before them",
    r"\p{N}{1,3}": "digits, three at most",
    r" ?[^\s\p{L}": "signs, with a blank before them",
    r"\s+$": "white space at the very end",
    r"\s*[\r\n]": "white space with a line break",
    r"\s+(?!\S)": "white space up to its last",
    r"\s": "white space",
}
GPT2 = (
    r"'(?:[sdmt]|ll|ve|re)",
    r" ?\p{L}+",
    r" ?\p{N}+",
    r" ?[^\s\p{L}\p{N}]+",
    r"\s+(?!\S)",
    r"\s+",
)
GPT4 = (
    r"'(?i:[sdmt]|ll|ve|re)",
    r"[^\r\n\p{L}\p{N}]?\p{L}+",
    r"\p{N}{1,3}",
    r" ?[^\s\p{L}\p{N}]+[\r\n]*",
    r"\s+$",
    r"\s*[\r\n]",
    r"\s+(?!\S)",
    r"\s",
)


class Chunk(NamedTuple):
    """A stretch of the text, and which part of the pattern took it; -1: none did."""

    text: str
    part: int


def split_view(text: str, patterns: Mapping[str, str] | None = None) -> Explorable:
    """A text cut by a pattern: each chunk says which part of the pattern took it.

    text: it can be rewritten.
    patterns: name -> regular expression, beside none, GPT-2's and GPT-4's.

        explore.split_view("I've 1234 reasons", {"mine": r"\\w+|\\W+"})
    """
    known = {"none": "", "GPT-2": "|".join(GPT2), "GPT-4": "|".join(GPT4)}
    known |= patterns or {}
    return Explorable(
        lambda text, pattern: _page(text, pattern, known[pattern]),
        Field("text", "", plain(text)[:LONGEST], "type a text", "100%", lines=3),
        Choice("pattern", "pattern", [(name, name) for name in known], "GPT-2"),
    )


def parts(pattern: str) -> list[str]:
    """The parts of a pattern, between the bars that stand in no bracket.

    >>> parts(r"a(b|c)|[|]")
    ['a(b|c)', '[|]']
    """
    found, depth, escaped, inside = [""], 0, False, False
    for char in pattern:
        if char == "|" and not (depth or inside or escaped):
            found.append("")
            continue
        if not escaped:
            inside = char == "[" or (inside and char != "]")
            depth += 0 if inside else {"(": 1, ")": -1}.get(char, 0)
        escaped = char == "\\" and not escaped
        found[-1] += char
    return found


def chunks(text: str, pattern: str) -> list[Chunk]:
    """The text cut by the pattern; what no part takes is a chunk as well."""
    if not pattern:
        return [Chunk(text, -1)] if text else []
    found, at = [], 0
    for match in _compiled(pattern).finditer(text):
        if at < match.start():
            found.append(Chunk(text[at : match.start()], -1))
        if match.group():
            found.append(Chunk(match.group(), _taken_by(match, pattern)))
        at = max(at, match.end())
    return found + ([Chunk(text[at:], -1)] if at < len(text) else [])


def _page(text: str, name: str, pattern: str) -> Page:
    text = plain(text)
    if not 1 <= len(text) <= LONGEST:
        raise Refused(f"A text for the pattern has 1 to {LONGEST} characters.")
    found = chunks(text, pattern)
    listed = parts(pattern) if pattern else []
    pieces = [chunk.text.encode() for chunk in found]
    numbers = [chunk.part + 1 for chunk in found]
    colours = {n: (n - 1) % HUES for n in range(len(listed) + 1)}
    told = _many(len(found), "chunk")
    cut = f"Cut by {name}" if listed else "Not cut"
    view, unit = "wb-with-ids" if listed else "", ("chunk", "part")
    return Script(
        title=_claim(name, found, text),
        look="Under each chunk stands the number of the part that took it; at each "
        "place the parts are tried from the first to the last (␣ is a blank). No merge "
        "joins two chunks."
        if listed
        else "Without a pattern the whole text is one chunk, and a merge may join the "
        "end of a word with the blank or the comma behind it.",
        body=_legend(listed, found),
        height=30 + 24 * max(1, len(listed)),
        header=("part", "pattern", "chunks", "the first ones"),
        rows=_rows(listed, found),
        texts=[Text(cut, told, chips(pieces, numbers, colours=colours), view, unit)],
        one=True,
        hint=REST.replace("token", "chunk"),
    )


def _claim(name: str, found: list[Chunk], text: str) -> str:
    told = _many(len(found), "chunk")
    if name == "none":
        return f"No pattern: one chunk of {_many(len(text), 'character')}"
    left = sum(chunk.part < 0 for chunk in found)
    if left:
        return f"{name}: {told}, {left} of them taken by no part"
    longest = max((chunk.text for chunk in found), key=len)
    shown = spoken(longest.encode())
    shown = shown if len(shown) <= 24 else f"{shown[:23]}…"
    return f"{name}: {told}, the longest is {shown}"


def _rows(listed: list[str], found: list[Chunk]) -> list[tuple[str, ...]]:
    if not listed:
        whole = "".join(chunk.text for chunk in found)
        return [("none", "", "1", spoken(whole[:40].encode()))]
    rows = []
    for n, part in enumerate(listed):
        own = [chunk.text for chunk in found if chunk.part == n]
        some = " | ".join(spoken(words.encode()) for words in own[:5])
        rows.append((str(n + 1), part, str(len(own)), some))
    left = [chunk.text for chunk in found if chunk.part < 0]
    if left:
        some = " | ".join(spoken(words.encode()) for words in left[:5])
        rows.append(("none", "", str(len(left)), some))
    return rows


def _legend(listed: list[str], found: list[Chunk]) -> str:
    """The parts of the pattern, what each is for, and how many chunks it took."""
    if not listed:
        return svg.text(8, 22, "no parts: nothing is cut", "soft", 12.5, halo=False)
    marks = []
    for n, part in enumerate(listed):
        y = 22 + 24 * n
        count = sum(chunk.part == n for chunk in found)
        ink = "ink" if count else "soft"
        short = part if len(part) <= PIECE else f"{part[: PIECE - 1]}…"
        short = short.replace(" ", "␣")
        marks += [
            svg.tag("rect", x=4, y=y - 14, width=20, height=18, rx=3, fill=_tint(n)),
            svg.text(14, y, str(n + 1), ink, 12, "middle", halo=False),
            svg.text(34, y, short, ink, 12.5, halo=False, code=True),
            svg.text(322, y, meaning(part), ink, 12.5, halo=False),
            svg.text(632, y, str(count), ink, 12.5, "end", bool(count), halo=False),
        ]
    return "".join(marks)


def meaning(part: str) -> str:
    """What a part of one of the known patterns takes, in words; else nothing."""
    known = (said for begin, said in SAID.items() if part.startswith(begin))
    return next(known, "")


def _tint(n: int) -> str:
    return f"rgba({TINTS[n % HUES]},.3)"


@lru_cache(maxsize=16)
def _compiled(pattern: str) -> Any:
    import regex

    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise Refused(f"This is no regular expression: {error}.") from None


@lru_cache(maxsize=16)
def _alone(pattern: str) -> list[Any]:
    return [_compiled(part) for part in parts(pattern)]


def _taken_by(match: Any, pattern: str) -> int:
    """The first part that matches there as far as the whole did."""
    for n, part in enumerate(_alone(pattern)):
        own = part.match(match.string, match.start())
        if own and own.end() == match.end():
            return n
    return -1


def _many(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"
