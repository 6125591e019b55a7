"""Tokens as text that can be read, selected and heard, and the page made of it.

A token is a run of bytes. Where they are whole characters it is shown as these; a blank
keeps a dot, what has no shape its code point, and bytes that are no character on their
own stand there in hex. Each token has its own frame, so that it can be told from its
neighbours without colour; the same id has the same colour wherever it stands.

Text is HTML and not SVG: it wraps, and a screen reader reads it. With a pointer, or
with the arrow keys inside a text, one token is named in words, and its bytes are marked
in every other text of the picture.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import accumulate
from typing import Any

from workbook.explore.page import Page

HUES = 5
FIRST, LINES = 440, 11  # bytes, and lines, of a text laid out at once: what is seen
FRAME = 0.4  # of a byte's width is what a frame takes beside its token
SIGNS = {"\n": "⏎", "\t": "⇥", "\r": "␍"}
SHAPELESS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
VIEWS = [("text", ""), ("with ids", "wb-with-ids"), ("with bytes", "wb-with-bytes")]

TINTS = ("0,114,178", "230,159,0", "0,158,115", "204,121,167", "138,138,138")

STYLE = (
    """<style>
.wb-x .wb-texts{display:grid;gap:10px 22px;margin:0 0 12px;
grid-template-columns:repeat(auto-fit,minmax(290px,1fr))}
.wb-x .wb-texts.wb-one{grid-template-columns:1fr}
.wb-x .wb-of{font-size:12.5px;color:var(--wb-soft);margin:0 0 3px;line-height:1.35}
.wb-x .wb-of b{color:var(--wb-ink);font-weight:600}
.wb-x .wb-tokens{font-family:var(--jp-code-font-family,monospace);font-size:13.5px;
contain:content;line-height:1.72;max-height:236px;overflow-y:auto;border-radius:4px;padding:2px;
line-break:anywhere}
.wb-x .wb-tokens:focus-visible{outline:2px solid var(--wb-forward);outline-offset:-1px}
.wb-x .wb-tokens span{white-space:pre;unicode-bidi:isolate;border-radius:3px;
padding:2px 1px;margin-right:1px;outline:1px solid rgba(128,128,128,.32);
outline-offset:-1px}
.wb-x .wb-one .wb-tokens span{white-space:pre-wrap;box-decoration-break:clone;
-webkit-box-decoration-break:clone}
.wb-x .wb-tokens s{text-decoration:none;background:radial-gradient(circle,
var(--wb-soft) 1.1px,transparent 1.6px) center no-repeat}
.wb-x .wb-tokens small{font-size:9.5px;opacity:.75;vertical-align:1px;padding:0 1px}
.wb-x .wb-tokens u{text-decoration:none;font-size:10.5px;font-style:italic}
.wb-x .wb-with-ids span,.wb-x .wb-with-bytes span{display:inline-block;
text-align:center;padding:0 3px;margin:0 1px 1px 0;line-height:1.5;vertical-align:top;
max-width:100%;overflow:hidden}
.wb-x .wb-with-ids span::after,.wb-x .wb-with-bytes span::after{display:block;
font-size:10px;line-height:1.3;color:var(--wb-soft);content:attr(data-i)}
.wb-x .wb-with-bytes span::after{content:attr(data-b);white-space:pre-wrap}
.wb-x .wb-tokens .wb-next{box-shadow:inset 0 -3px 0 var(--wb-backward)}
.wb-x .wb-tokens .wb-new{outline:2px solid var(--wb-forward);outline-offset:-2px;
font-weight:600}
.wb-x .wb-tokens .wb-under{box-shadow:inset 0 -3px 0 var(--wb-ink)}
.wb-x .wb-tokens .wb-here{outline:2px solid var(--wb-ink);outline-offset:0}
.wb-x .wb-told{min-height:1.4em}
"""
    + "".join(
        f".wb-x .wb-k{i}{{background:rgba({t},.25)}}" for i, t in enumerate(TINTS)
    )
    + "".join(
        f'[data-jp-theme-light="false"] .wb-x .wb-k{i},.vscode-dark .wb-x .wb-k{i}'
        f"{{background:rgba({t},.42)}}"
        for i, t in enumerate(TINTS)
    )
    + "</style>"
)

REST = "Point at a token, or go into a text with Tab and along it with the arrow keys."

# Pointing, by mouse or by keys; and the rest of a long text, once its beginning is
# drawn and no key follows, or at once where somebody has scrolled: a text stays where
# it was scrolled to. It runs once for each picture: an image that cannot be loaded
# starts it, as nothing else in a widget's HTML does.
_POINTING = """
const figure=this.closest('figure'),told=figure.querySelector('.wb-told');
const texts=[...figure.querySelectorAll('.wb-tokens')],place=new Map();
const rest=told.textContent,list=t=>[...t.children].filter(x=>x.dataset.b);
const measure=()=>{if(!place.size)texts.forEach(t=>{let a=0;list(t).forEach(x=>{
const n=(x.dataset.b.length+1)/3;place.set(x,[a,a+=n])})})};
const clear=()=>figure.querySelectorAll('.wb-here,.wb-under').forEach(
x=>x.classList.remove('wb-here','wb-under'));
const show=x=>{measure();clear();const [a,b]=place.get(x),own=x.parentNode;
x.classList.add('wb-here');
texts.forEach(t=>{if(t!==own)list(t).forEach(y=>{
const [c,d]=place.get(y);if(c<b&&d>a)y.classList.add('wb-under')})});
told.textContent=own.dataset.said+' '+(list(own).indexOf(x)+1)+': "'+x.textContent+
'", '+own.dataset.number+' '+x.dataset.i+', bytes '+x.dataset.b};
figure.addEventListener('mouseover',e=>{const x=e.target.closest('.wb-tokens>span');
if(x&&x.dataset.b)show(x)});
figure.addEventListener('mouseleave',()=>{clear();told.textContent=rest});
texts.forEach(t=>{let at=-1;t.addEventListener('keydown',e=>{const all=list(t);
const to={ArrowRight:at+1,ArrowLeft:at-1,Home:0,End:all.length-1}[e.key];
if(to===undefined||!all.length)return;e.preventDefault();e.stopPropagation();
at=Math.max(0,Math.min(all.length-1,to));all[at].scrollIntoView({block:'nearest'});
show(all[at])})});
const root=figure.closest('.wb-x'),at=root.reached||(root.reached=[]);
const fill=()=>texts.forEach((t,n)=>{const rest=t.querySelector('template');
if(rest&&t.isConnected){const kinds=[],all=new DocumentFragment();
[...rest.content.children].forEach(x=>
x.tagName==='BR'?kinds.at(-1).push(x):kinds.push([x]));
rest.dataset.row.split(' ').forEach(k=>kinds[k].forEach(
x=>all.append(x.cloneNode(true))));rest.replaceWith(all);place.clear()}
if(at[n])t.scrollTop=at[n];t.addEventListener('scroll',()=>{at[n]=t.scrollTop})});
at.some(Boolean)?fill():setTimeout(fill,250);
this.remove();
"""
POINTING = f'<img src="data:," alt="" onerror="{escape(" ".join(_POINTING.split()))}">'


@dataclass(frozen=True)
class Script(Page):
    """A page whose picture is text that wraps, with a drawing below it.

    texts: the texts, as made by `tokens`; hint: what the line below them says first.
    """

    texts: str = ""
    one: bool = False  # below each other, not side by side
    hint: str = REST

    def picture(self) -> str:
        """The texts and the drawing as HTML."""
        if not self.body:
            return ""
        kind = "wb-texts wb-one" if self.one else "wb-texts"
        told = f'<p class="wb-note wb-told" role="status">{escape(self.hint)}</p>'
        return (
            f'<figure><div class="{kind}">{self.texts}</div>{told}'
            f"{self.svg()}{POINTING}</figure>"
        )

    def caption(self) -> str:
        """Where to look, as HTML, and the style of tokens.

        The caption stays while a text is typed. In the picture the style would come
        anew with each key, and for a new style the browser goes through the whole
        notebook.
        """
        return super().caption() + STYLE


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


def hues(ids: Iterable[int]) -> dict[int, int]:
    """A colour for each id, by first sight; a new one not like its left's."""
    found: dict[int, int] = {}
    left = None
    for i in ids:
        if i not in found:
            hue = len(found) % HUES
            found[i] = (hue + 1) % HUES if found.get(left) == hue else hue
        left = i
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
    colour, marks = colours or hues(ids), marks or {}
    return [
        _chip(i, piece, colour[i], marks.get(n, ""))
        for n, (i, piece) in enumerate(zip(ids, pieces, strict=True))
    ]


@lru_cache(maxsize=20_000)
def _chip(i: int, piece: bytes, hue: int, mark: str) -> str:
    """One token in its frame."""
    kind = f"wb-k{hue} {mark}".strip()
    opened = f'<span class="{kind}" data-i="{i}" data-b="{in_hex(piece)}">'
    return f"{opened}{_inner(piece)}</span>" + ("<br>" if b"\n" in piece else "")


def tokens(
    name: str,
    told: str,
    inside: Sequence[str],
    view: str = "",
    unit: tuple[str, str] = ("token", "id"),
    first: int | None = None,
) -> str:
    """One text of tokens under its name.

    told: what stands beside the name. inside: its tokens, as made by `chips`.
    unit: what a block is, and what its number is, for whoever points at it.
    first: how many are laid out at once, if not all; the rest follows.
    """
    block, number = unit
    cut = len(inside) if first is None else first
    whole = "".join(inside[:cut]) + _rest(inside[cut:])
    return (
        f'<div><p class="wb-of"><b>{escape(name)}</b> {escape(told)}</p>'
        f'<div class="wb-tokens {view}" role="group" tabindex="0" '
        f'data-lm-suppress-shortcuts="true" data-said="{escape(name)}, {block}" '
        f'data-number="{number}" aria-label="{escape(f"{name}: {told}")}">'
        f"{whole}</div></div>"
    )


def _rest(inside: Sequence[str]) -> str:
    """Tokens that are laid out later: each kind once, and the kinds in a row."""
    if not inside:
        return ""
    kinds = {chip: n for n, chip in enumerate(dict.fromkeys(inside))}
    row = " ".join(str(kinds[chip]) for chip in inside)
    return f'<template data-row="{row}">{"".join(kinds)}</template>'


def seen_first(pieces: Sequence[bytes]) -> int:
    """How many tokens fill what is seen of a text before anybody scrolls."""
    reached = accumulate(len(piece) for piece in pieces)
    lines = accumulate(b"\n" in piece for piece in pieces)
    filled = (
        n
        for n, (size, line) in enumerate(zip(reached, lines, strict=True), 1)
        if size + FRAME * n >= FIRST or line >= LINES
    )
    return next(filled, len(pieces))


def pieces_of(
    tokenizer: Any, ids: Sequence[int], raw: bytes
) -> tuple[list[bytes], bool]:
    """The bytes of each token, and whether they join to the text.

    A tokenizer tells them in one of several ways; the one that gives the text is right.
    """
    found: list[bytes] = []
    for way in (_told_singly, _in_vocab, _in_shuffled_vocab, _decoded):
        try:
            found = [way(tokenizer, i) for i in ids]
        except Exception:  # somebody else's tokenizer may raise anything
            continue
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
