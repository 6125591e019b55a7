"""A page whose picture is text: tokens in their frames, and a drawing below them.

Text is HTML and not SVG: it wraps, and a screen reader reads it. With a pointer, or
with the arrow keys inside a text, one token is named in words, and its bytes are marked
in every other text of the picture.

In a widget a text comes as its kinds of token, each once, and the row of them; what
runs in the browser, `script.js`, lays it out, and of the next picture only what it
changes. Where nothing runs the text stands there whole.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from workbook.explore.page import Page

WIDE, LINES = 40, 11  # bytes in a line, and lines, of a text laid out at once
FRAME = 0.4  # of a byte's width is what a frame takes beside its token
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


# An image that cannot be loaded starts it: nothing else in a widget's HTML runs.
_RUNS = Path(__file__).with_suffix(".js").read_text("utf-8")
RUNS = f'<img src="data:," alt="" onerror="{escape(_RUNS)}">'


@dataclass(frozen=True)
class Text:
    """One text of tokens under its name.

    told: what stands beside the name. inside: its tokens, as made by `chips`.
    view: a class of `VIEWS`. unit: what a block is, and what its number is, for whoever
    points at it. first: how many are laid out at once, if not all; the rest follows.
    """

    name: str
    told: str
    inside: Sequence[str]
    view: str = ""
    unit: tuple[str, str] = ("token", "id")
    first: int | None = None

    def html(self, whole: bool = True) -> str:
        """The text; not `whole`: to be laid out by `script.js`."""
        block, number = self.unit
        name, told = escape(self.name), escape(self.told)
        return (
            f'<div><p class="wb-of"><b>{name}</b> {told}</p>'
            f'<div class="wb-tokens {self.view}" role="group" tabindex="0" '
            f'data-lm-suppress-shortcuts="true" data-said="{name}, {block}" '
            f'data-number="{number}" aria-label="{name}: {told}">'
            f"{''.join(self.inside) if whole else self._row()}</div></div>"
        )

    def _row(self) -> str:
        """Each kind of token once, and the kinds in a row."""
        kinds = {chip: n for n, chip in enumerate(dict.fromkeys(self.inside))}
        told = {
            "kinds": list(kinds),
            "row": [kinds[chip] for chip in self.inside],
            "first": len(self.inside) if self.first is None else self.first,
        }
        return f'<script type="application/json">{json.dumps(told)}</script>'


@dataclass(frozen=True)
class Script(Page):
    """A page whose picture is text that wraps, with a drawing below it.

    one: the texts stand below each other, not side by side.
    hint: what the line below them says first.
    """

    texts: Sequence[Text] = ()
    one: bool = False
    hint: str = REST

    def picture(self) -> str:
        """The texts and the drawing as HTML, for a widget."""
        return self._figure(whole=False)

    def still(self) -> str:
        """The same whole, for a page in which nothing runs."""
        return self._figure(whole=True)

    def caption(self) -> str:
        """Where to look, as HTML, and the style of tokens.

        The caption stays while a text is typed. In the picture the style would come
        anew with each key, and for a new style the browser goes through the whole
        notebook.
        """
        return super().caption() + STYLE

    def _figure(self, whole: bool) -> str:
        if not self.body:
            return ""
        kind = "wb-texts wb-one" if self.one else "wb-texts"
        texts = "".join(text.html(whole) for text in self.texts)
        told = f'<p class="wb-note wb-told" role="status">{escape(self.hint)}</p>'
        return (
            f'<figure><div class="{kind}">{texts}</div>{told}'
            f"{self.svg()}{RUNS}</figure>"
        )


def seen_first(pieces: Sequence[bytes]) -> int:
    """How many tokens fill what is seen of a text before anybody scrolls."""
    lines, filled = 0, 0.0
    for n, piece in enumerate(pieces, 1):
        filled += len(piece) + FRAME
        if filled > WIDE:
            lines, filled = lines + 1, len(piece) + FRAME
        if b"\n" in piece:
            lines, filled = lines + 1, 0.0
        if lines >= LINES:
            return n
    return len(pieces)
