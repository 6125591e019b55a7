"""What an explorable shows in one state, and its faces: picture, words, table.

A `Page` is plain data. Its SVG, its HTML and its text are made from the same fields,
so that somebody who reads the table reads the numbers of the picture.

**Saved notebooks.** A widget needs its kernel: reopened without one, JupyterLab writes
"Error displaying widget: model not found". In JupyterLab 4.6:

- a widget and HTML in *one* output do not help: the widget's renderer takes the
  output, and writes the error when the model is missing (read in its source);
- so `publish` sends two outputs, the still picture and then the widget, and a style
  sheet that hides the picture while the widget is there, and the widget's error
  message while it is not (`:has()`). No setting is needed (seen in a browser: live,
  saved and reopened with another kernel, and exported as HTML).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from uuid import uuid4

from workbook.explore import svg

WIDGET = "application/vnd.jupyter.widget-view+json"
WIDTH = 640  # pixels across every picture; all sizes are chosen for it
RERUN = "Run this cell to move the controls."

SHEET = """<style>
.wb-x{--wb-ink:var(--jp-content-font-color1,var(--vscode-editor-foreground,#222));
--wb-soft:var(--jp-content-font-color2,var(--vscode-editor-foreground,#666));
--wb-faint:var(--jp-border-color2,rgba(128,128,128,.28));
--wb-paper:var(--jp-layout-color0,var(--vscode-editor-background,#fff));
--wb-forward:#0072b2;--wb-backward:#d55e00;--wb-train:#222;--wb-valid:#009e73;
--wb-reference:#8a8a8a;--wb-positive:#e69f00;
max-width:720px;color:var(--wb-ink);line-height:1.45;font-size:14px;
font-family:var(--jp-content-font-family,system-ui,sans-serif)}
[data-jp-theme-light="false"] .wb-x,.vscode-dark .wb-x{--wb-forward:#5bb5ec;
--wb-backward:#ff8c4b;--wb-train:#eee;--wb-valid:#35c79c;--wb-reference:#9a9a9a;
--wb-positive:#f2b134}
.wb-ink{color:var(--wb-ink)}.wb-soft{color:var(--wb-soft)}
.wb-faint{color:var(--wb-faint)}.wb-paper{color:var(--wb-paper)}
.wb-forward{color:var(--wb-forward)}.wb-backward{color:var(--wb-backward)}
.wb-train{color:var(--wb-train)}.wb-valid{color:var(--wb-valid)}
.wb-reference{color:var(--wb-reference)}.wb-positive{color:var(--wb-positive)}
.wb-x figure{margin:0}.wb-x svg{display:block;width:100%;height:auto;
overflow:visible;font-variant-numeric:tabular-nums;pointer-events:none}
.wb-x svg svg{overflow:hidden}
.wb-x .wb-hit{pointer-events:auto;cursor:pointer}
.wb-x .wb-halo{paint-order:stroke;stroke:var(--wb-paper);stroke-width:4px;
stroke-linejoin:round}
.wb-x .wb-title{font-size:17px;font-weight:600;line-height:1.3;margin:2px 0 10px}
.wb-x .wb-look{margin:6px 0 2px;color:var(--wb-ink)}
.wb-x .wb-note{color:var(--wb-soft);font-size:13px;margin:4px 0}
.wb-x .wb-sentence{border-left:3px solid var(--wb-reference);padding:6px 12px;
margin:6px 0}
.wb-x .wb-number{margin:0 40px 0 0;font-size:13px;color:var(--wb-soft);line-height:1.3}
.wb-x .wb-number b{font-size:22px;font-weight:600;font-variant-numeric:tabular-nums}
.wb-x summary{color:var(--wb-soft);font-size:13px;cursor:pointer}
.jp-RenderedHTMLCommon .wb-x table,.wb-x table{border-collapse:collapse;font-size:13px;
margin:6px 0;font-variant-numeric:tabular-nums;table-layout:auto}
.jp-RenderedHTMLCommon .wb-x th,.jp-RenderedHTMLCommon .wb-x td,.wb-x th,.wb-x td{
padding:2px 22px 2px 0;text-align:left;border:0;border-bottom:1px solid var(--wb-faint);
background:none;white-space:nowrap}
.wb-x th{color:var(--wb-soft);font-weight:500}
.wb-x .wb-wide{overflow-x:auto;direction:rtl}.wb-x figure{direction:ltr}
.wb-x.widget-box,.wb-x .widget-box,.wb-x .widget-html{overflow:visible}
.wb-x .widget-html.wb-wide{overflow-x:auto}
.wb-x .widget-html,.wb-x .widget-html-content{height:auto;min-height:0;line-height:1.45;
width:auto}
.wb-x .wb-controls{flex-flow:row wrap;align-items:center;gap:4px 18px;margin:6px 0 0}
.wb-x .wb-controls .wb-steps{align-items:center;gap:2px}
.wb-x .wb-controls .wb-whole{flex-basis:100%}
.wb-x .wb-small .widget-toggle-button{min-width:21px;padding:0 3px;margin:1px;
height:24px;line-height:24px}
.wb-x .wb-quiet{background:none;color:var(--wb-soft);padding:0;width:auto;
font-size:13px;box-shadow:none;text-align:left;align-self:flex-start;
height:24px;line-height:24px;margin:0}
.wb-x .wb-quiet.mod-active{box-shadow:none;background:none;color:var(--wb-ink)}
</style>"""

# What ipywidgets leaves without a name for screen readers, it tells by its own words:
# the handle of a slider by the slider's label, the buttons of a player by what they do.
# The widgets come one after another, so the looking goes on for some seconds.
NAMED = """<img src="data:," alt="" onerror="const x=this.closest('.wb-x');let n=0;
const go=setInterval(()=>{if(++n>20)clearInterval(go);
x?.querySelectorAll('.widget-slider').forEach(s=>s.querySelector('.noUi-handle')
?.setAttribute('aria-label',s.querySelector('.widget-label')?.textContent||'value'));
x?.querySelectorAll('.widget-play').forEach(p=>p.querySelectorAll('button').forEach(
(b,i)=>b.setAttribute('aria-label',['Play or pause','Stop','Repeat'][i])))},500)">"""


class Refused(Exception):
    """A picture that will not be drawn, and why, in one sentence for the learner."""


@dataclass(frozen=True)
class Page:
    """One state of an explorable.

    title: the claim, at most 72 characters, that the picture makes in this state.
    look: where to put the eyes; it is also the picture's description for those
        who do not see it.
    body, height, width: the marks, and the size of the picture in pixels.
    header, rows: the numbers of the picture as a table of words.
    """

    title: str
    look: str
    body: str = ""
    height: float = 300
    width: float = WIDTH
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default=())

    def svg(self) -> str:
        """The picture alone, well-formed XML with a title and a description."""
        told = svg.tag("title", escape(self.title, quote=False))
        told += svg.tag("desc", escape(self.look, quote=False))
        return svg.tag(
            "svg",
            told + self.body,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            role="img",
            aria_label=f"{self.title}. {self.look}",
            style=self._scroll_width(),
            font_family="var(--jp-content-font-family,system-ui,sans-serif)",
        )

    def heading(self) -> str:
        """The claim as HTML; where there is no picture, it is a sentence of its own."""
        kind = "wb-title" if self.body else "wb-sentence"
        return f'<p class="{kind}">{_words(self.title)}</p>'

    def picture(self) -> str:
        """The picture as HTML, nothing where there are no marks."""
        return f"<figure>{self.svg()}</figure>" if self.body else ""

    def still(self) -> str:
        """The picture where no widget runs."""
        return self.picture()

    def caption(self) -> str:
        """Where to look, as HTML."""
        if not self.look:
            return ""
        return f'<p class="wb-look"><b>Look.</b> {_words(self.look)}</p>'

    def table(self) -> str:
        """The numbers as an HTML table."""
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.header)
        body = "".join(
            "<tr>" + "".join(f"<td>{_words(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def html(self, note: str = "") -> str:
        """Everything at once, still: what is seen where no widget runs."""
        folded = f"<details><summary>Numbers</summary>{self.table()}</details>"
        told = f'<p class="wb-note">{escape(note)}</p>' if note and self.body else ""
        parts = [
            self.heading(),
            f'<div class="wb-wide">{self.still()}</div>',
            self.caption(),
            folded if self.rows else "",
            told,
        ]
        return f'{SHEET}<div class="wb-x">{"".join(parts)}</div>'

    def text(self) -> str:
        """Claim, caption and table in plain words, the same on every machine."""
        lines = [self.title]
        if self.look:
            lines.append(f"Look. {self.look}")
        return "\n".join(lines + _columns([self.header, *self.rows]))

    def _scroll_width(self) -> str | None:
        """A picture wider than the page keeps its letters readable, and scrolls."""
        return f"min-width:{self.width * 0.85:.0f}px" if self.width > WIDTH else None


def publish(widget: Any, html: str, text: str) -> Callable[[str, str], None]:
    """Show a widget, and a still twin that takes its place where no kernel runs.

    `html` and `text` are the twin. Returns a function that renews both, so that what
    is saved is what was seen last; the widget itself is told nothing.
    """
    from IPython.display import display, update_display

    name = f"wb-{uuid4().hex[:8]}"

    def twin(html: str, text: str) -> dict[str, str]:
        still = f'{_take_turns(name)}<div class="{name}-still">{html}</div>'
        return {"text/html": still, "text/plain": text}

    reachable(widget)
    widget.add_class(f"{name}-live")
    display(twin(html, text), raw=True, display_id=name)
    view = widget._repr_mimebundle_()[WIDGET]
    display({WIDGET: view, "text/plain": ""}, raw=True)
    return lambda html, text: update_display(
        twin(html, text), raw=True, display_id=name
    )


def reachable(widget: Any) -> None:
    """Let a widget and all in it be heard while a cell runs.

    ipykernel 7.4 hands what a widget is told to the shell that last wrote to it, and
    that one is busy with the cell. Without a route of its own, a message goes to the
    subshell that the page has named.
    """
    comm = getattr(widget, "comm", None)
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = None
    for child in getattr(widget, "children", ()):
        reachable(child)


def publish_still(html: str, text: str) -> None:
    """Show what needs no kernel; `html` empty: the words alone."""
    from IPython.display import display

    bundle = {"text/plain": text} | ({"text/html": html} if html else {})
    display(bundle, raw=True)


def _take_turns(name: str) -> str:
    """A style sheet: the still twin or the live widget, never both, never an error."""
    live, still, child = f".{name}-live", f".{name}-still", ".jp-OutputArea-child"
    return (
        f"<style>body:has({live}) {still},"
        f".jp-OutputArea:has({live}) > {child}:has({still}),"
        f"{child}:has({still}) + {child}:not(:has({live})){{display:none}}</style>"
    )


def _words(words: str) -> str:
    return escape(svg.minus(words))


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of words as aligned lines, two spaces in."""
    rows = [row for row in rows if row]
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
