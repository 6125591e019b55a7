"""Tokens as text that can be read, selected and heard.

A token is a run of bytes. Where they are whole characters it is shown as these; a blank
keeps a dot, what has no shape its code point, and bytes that are no character on their
own stand there in hex. Each token has its own frame, so that it can be told from its
neighbours without colour; the same id has the same colour wherever it stands.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

HUES = 5
SIGNS = {"\n": "⏎", "\t": "⇥", "\r": "␍"}
SHAPELESS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def plain(text: str) -> str:
    """The text as UTF-8 can hold it: a lone surrogate is the mark for what is lost.

    >>> plain("a\\ud800")
    'a\\ufffd'
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@lru_cache(maxsize=20_000)
def spell(piece: bytes) -> tuple[tuple[str, str], ...]:
    """What a run of bytes is shown as: (kind, shown) for each stretch of one kind.

    Kinds: text; blank; sign, for what has no shape; byte, for what is no character.
    """
    parts: list[tuple[str, str]] = []
    for char in piece.decode("utf-8", "surrogateescape"):
        kind, shown = _sign(char)
        if kind == "text" and unicodedata.combining(char) and not parts:
            shown = f"◌{char}"  # it needs something to sit on
        if parts and parts[-1][0] == kind != "sign":
            between = " " if kind == "byte" else ""
            shown = f"{parts.pop()[1]}{between}{shown}"
        parts.append((kind, shown))
    return tuple(parts)


def spoken(piece: bytes) -> str:
    """The same in one line of plain characters, for labels and tables.

    >>> spoken(" a\\n".encode()), spoken(b"\\xec\\x95")
    ('·a⏎', 'EC 95')
    """
    return "".join(
        shown.replace(" ", "·") if kind == "blank" else shown
        for kind, shown in spell(piece)
    )


def in_hex(piece: bytes) -> str:
    return piece.hex(" ").upper()


def hues(ids: Sequence[int], known: dict[int, int] | None = None) -> dict[int, int]:
    """A colour for each id, by first sight; a new one not like its neighbours'.

    known: colours given before. They stay, and the new ones are added to them.
    """
    found = {} if known is None else known
    for n, i in enumerate(ids):
        if i not in found:
            beside = {
                found.get(j) for j in (*ids[max(0, n - 1) : n], *ids[n + 1 : n + 2])
            }
            free = (hue % HUES for hue in range(len(found), len(found) + HUES))
            found[i] = next(hue for hue in free if hue not in beside)
    return found


def chips(
    pieces: Sequence[bytes],
    ids: Sequence[int],
    marks: Mapping[int, str] | None = None,
    colours: Mapping[int, int] | None = None,
) -> list[str]:
    """Tokens as HTML, each in its frame.

    marks: place of a token -> a class of its own (`wb-next`, `wb-new`).
    colours: id -> hue, where the ids shall keep those of another text.
    """
    colour, marks, both = (
        colours or hues(ids),
        marks or {},
        [*zip(ids, pieces, strict=True)],
    )
    plainly = {(i, piece): _chip(i, piece, colour[i], "") for i, piece in {*both}}
    return [
        _chip(*one, colour[one[0]], marks[n]) if n in marks else plainly[one]
        for n, one in enumerate(both)
    ]


@lru_cache(maxsize=20_000)
def _chip(i: int, piece: bytes, hue: int, mark: str) -> str:
    """One token in its frame."""
    kind = f"wb-k{hue} {mark}".strip()
    opened = f'<span class="{kind}" data-i="{i}" data-b="{in_hex(piece)}">'
    return f"{opened}{_inner(piece)}</span>" + ("<br>" if b"\n" in piece else "")


def pieces_of(
    tokenizer: Any, ids: Sequence[int], raw: bytes
) -> tuple[list[bytes], bool]:
    """The bytes of each token, and whether they join to the text.

    A tokenizer tells them in one of several ways; the one that gives the text is right.
    """
    found: list[bytes] = []
    for way in (_told_singly, _in_vocab, _in_shuffled_vocab, _decoded):
        try:
            known = {i: way(tokenizer, i) for i in {*ids}}
        except Exception:  # somebody else's tokenizer may raise anything
            continue
        found = [known[i] for i in ids]
        if b"".join(found) == raw:
            return found, True
    return found, False


def vocabulary(tokenizer: Any) -> int | None:
    """How many tokens there are, where the tokenizer tells."""
    if hasattr(tokenizer, "n_vocab"):
        return int(tokenizer.n_vocab)
    if not hasattr(tokenizer, "vocab"):
        return None
    special = getattr(tokenizer, "special_tokens", {})
    vocab = tokenizer.vocab
    return len(vocab) + sum(i not in vocab for i in special.values())


# --- A character ------------------------------------------------------------------


def _sign(char: str) -> tuple[str, str]:
    if "\udc80" <= char <= "\udcff":
        return "byte", f"{ord(char) - 0xDC00:02X}"
    if char == " ":
        return "blank", " "
    if char in SIGNS:
        return "sign", SIGNS[char]
    if unicodedata.category(char) in SHAPELESS:
        return "sign", f"U+{ord(char):04X}"
    return "text", char


@lru_cache(maxsize=20_000)
def _inner(piece: bytes) -> str:
    """What stands inside the frame of a token."""
    frames = {"text": "{}", "blank": "{}", "sign": "<small>{}</small>"}
    return "".join(
        "<s> </s>" * len(shown)
        if kind == "blank"
        else frames.get(kind, "<u>{}</u>").format(escape(shown))
        for kind, shown in spell(piece)
    )


# --- The bytes of a token ---------------------------------------------------------


def _told_singly(tokenizer: Any, i: int) -> bytes:
    return tokenizer.decode_single_token_bytes(i)


def _in_vocab(tokenizer: Any, i: int) -> bytes:
    found = tokenizer.vocab[i] if i in tokenizer.vocab else tokenizer.decode([i])
    return found if isinstance(found, bytes) else found.encode()


def _in_shuffled_vocab(tokenizer: Any, i: int) -> bytes:
    """GPT-4's first 256 ranks are bytes in another order."""
    back = {rank: byte for byte, rank in tokenizer.byte_shuffle.items()}
    return bytes(back[rank] for rank in _in_vocab(tokenizer, i))


def _decoded(tokenizer: Any, i: int) -> bytes:
    return tokenizer.decode([i]).encode()
