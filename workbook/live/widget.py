"""The live picture in a notebook: controls, numbers, panels; and its still twin.

The cell's output has three parts: a style sheet, a still picture (PNG), the widget. In
JupyterLab the style sheet shows the widget while it is there, and the picture where no
kernel runs: in a notebook that was saved and reopened, or exported as HTML. Other front
ends ignore it; for them the widget is closed at the end, and the picture stays.
"""

from __future__ import annotations

from html import escape
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from workbook.explore import svg
from workbook.explore.page import SHEET, WIDGET, reachable
from workbook.live import panels, scene, words
from workbook.live.controls import Controls, reach_a_busy_kernel

if TYPE_CHECKING:
    from workbook.live.run import Run

ALONE = 264.0  # height of the losses where no other panel is shown
PATIENCE = 3.0  # seconds until we believe that no control will reach us
QUIET = 10.0  # seconds between two sentences for a screen reader, at least
TWIN = 15.0  # seconds between two still pictures during the run, at least
DEAF = (
    "This page cannot send controls to a busy kernel. Interrupt it (■ in the toolbar) "
    "to stop the run cleanly; twice to break it off."
)

RELOADED = (
    "Still picture of a run that goes on in its kernel. After a reload of the page the "
    "final one appears when the cell has ended, or when the page is loaded once more; "
    "until then, interrupt to stop."
)

LIVE_SHEET = (
    SHEET
    + """<style>
.wb-x.wb-live{--wb-faint:rgba(128,128,128,.28);max-width:1240px;
container-type:inline-size;padding:2px 4px 2px 0}
.wb-x.wb-few{max-width:720px}
.wb-live .wb-panels{display:grid;gap:14px 16px;margin:10px 0 4px;
grid-template-columns:1fr 1fr}
.wb-live .wb-two{grid-column:span 2}
@container (max-width:535px){.wb-live .wb-panels{grid-template-columns:1fr}
.wb-live .wb-two{grid-column:auto}}
@container (min-width:940px){.wb-live .wb-panels{grid-template-columns:1fr 1fr 1fr}}
.wb-live .wb-track{height:4px;border-radius:2px;background:var(--wb-faint);
overflow:hidden;margin:2px 0 8px}
.wb-live .wb-track i{display:block;height:100%;background:var(--wb-forward)}
.wb-live .wb-numbers{display:flex;flex-flow:row wrap;gap:2px 26px;margin:0}
.wb-live .wb-numbers div{display:flex;flex-direction:column-reverse}
.wb-live .wb-numbers dt{color:var(--wb-soft);font-size:12px;font-weight:400;margin:0;
line-height:1.3;float:none;width:auto;white-space:nowrap}
.wb-live .wb-numbers dd{font-size:17px;font-weight:600;margin:0;line-height:1.3;
font-variant-numeric:tabular-nums;white-space:nowrap;width:auto}
.wb-live svg{font-family:var(--jp-content-font-family,system-ui,sans-serif);
font-size:11px}
.wb-live svg text{fill:currentColor}.wb-live .wb-head{font-size:12.5px;font-weight:600}
.wb-live .wb-tiny{font-size:10px;color:var(--wb-soft)}.wb-live .wb-bold{font-weight:600}
.wb-live .wb-line{fill:none;stroke:currentColor;stroke-linejoin:round}
.wb-live .wb-line:not([stroke-dasharray]){stroke-linecap:round}
.wb-live .wb-shape{fill:currentColor}
.wb-live .wb-ring{fill:var(--wb-paper);stroke:currentColor;stroke-width:2}
.wb-live .wb-numbers small{font-size:12px;font-weight:400;color:var(--wb-soft)}
.wb-live .wb-numbers .wb-lead dd{min-width:3.2em}
.wb-live .wb-title{margin:0 0 6px}
.wb-live .wb-said{position:absolute;width:1px;height:1px;overflow:hidden;
clip-path:inset(50%);white-space:nowrap}
.wb-live .wb-scroll{overflow-x:auto}
</style>"""
)


class Widget:
    """The view of a run in one cell of a notebook."""

    def __init__(self) -> None:
        self._reached = False
        self._said_at = self._twin_at = 0.0
        self._said = ""

    # ------------------------------------------------------------ a view

    def show(self, run: Run) -> None:
        """Build the widgets and publish them with their twin."""
        import ipywidgets

        self.run = run
        self.began = self._twin_at = perf_counter()
        self.controls = Controls(run, self._changed)
        self.head, self.picture, self.said, self.table = (
            ipywidgets.HTML() for _ in range(4)
        )
        self.note = ipywidgets.HTML(layout={"display": "none"})
        self.table.add_class("wb-scroll")
        self.folded = ipywidgets.ToggleButton(
            description="Numbers", icon="table", tooltip="The picture's numbers"
        )
        self.folded.add_class("wb-quiet")
        self.folded.observe(lambda _: self._changed(), "value")
        sheet = ipywidgets.HTML(LIVE_SHEET, layout={"display": "none"})
        above = [sheet, self.said, self.head, self.controls.box, self.note]
        self.box = ipywidgets.VBox(
            [*above, self.picture, self.folded, self.table], layout={"width": "auto"}
        )
        for name in ("wb-x", "wb-live", "wb-few"):
            self.box.add_class(name)
        self._write()
        self.twin = Twin(self.box, words.text(run))

    def draw(self, run: Run) -> None:
        """A new picture."""
        self._hear()
        self._write()
        now = perf_counter()
        if now - self._twin_at > TWIN and not run.over:
            self._twin_at = now
            self.twin.renew_html(still_html(run, self.controls.look), words.text(run))

    def end(self, run: Run) -> None:
        """The last picture, and the still one that is saved with the notebook."""
        from workbook.live.still import png

        self._write()
        self.twin.renew(png(run, self.controls.look), words.text(run))
        if not self.steers():
            self.box.close()  # the still picture has taken its place

    def steers(self) -> bool:
        """Whether controls work during the run."""
        self._reached = self._reached or reach_a_busy_kernel()
        return self._reached

    # ------------------------------------------------------------ its parts

    def _write(self) -> None:
        run, look = self.run, self.controls.look
        self.controls.follow()
        drawn = drawn_panels(run, look)
        if len(drawn) >= 4:
            self.box.remove_class("wb-few")
        self.head.value = head(run)
        self.picture.value = f'<div class="wb-panels">{"".join(drawn)}</div>'
        self.controls.name_layers(scene.layer_names(run.seen))
        self._unfold()
        self._speak()

    def _unfold(self) -> None:
        """Send the table only while somebody reads it."""
        seen = self.run.seen is not None
        self.folded.layout.display = None if seen else "none"
        shown = table(self.run) if seen and self.folded.value else ""
        if self.table.value != shown:
            self.table.value = shown

    def _speak(self) -> None:
        """A sentence for a screen reader: at changes, and once in a while."""
        run, now = self.run, perf_counter()
        kind = run.state + str(bool(run.recorder.series["loss"].trouble))
        if kind == self._said and (run.over or now - self._said_at < QUIET):
            return
        self._said, self._said_at = kind, now
        told = escape(svg.minus(words.text(run)))
        self.said.value = f'<span class="wb-said" role="status">{told}</span>'

    def _hear(self) -> None:
        """Say it where no control reaches us."""
        if self.note.value or perf_counter() - self.began < PATIENCE or self.steers():
            return
        self.note.value = f'<p class="wb-note">{DEAF}</p>'
        self.note.layout.display = None
        self.controls.box.layout.display = "none"

    def _changed(self) -> None:
        """Somebody looks at it differently: the loop draws, or we do after its end."""
        self.run.asked = True
        if self.run.over:
            self._write()


class Twin:
    """What a saved notebook shows: a picture that needs no kernel."""

    def __init__(self, widget: Any, text: str) -> None:
        from IPython.display import display

        name = f"wb-{uuid4().hex[:8]}"
        self.id = f"{name}-still"
        reachable(widget)
        widget.add_class(f"{name}-live")
        display({"text/html": _take_turns(name), "text/plain": ""}, raw=True)
        display({"text/plain": text}, raw=True, display_id=self.id)
        view = widget._repr_mimebundle_()[WIDGET]
        display({WIDGET: view, "text/plain": ""}, raw=True)

    def renew(self, picture: bytes, text: str) -> None:
        """The final picture, a PNG at twice the pixels of its size on the page."""
        from base64 import b64encode

        from workbook.live.still import size

        data = {"image/png": b64encode(picture).decode(), "text/plain": text}
        self._update(data, {"image/png": {**size(picture), "alt": text}})

    def renew_html(self, html: str, text: str) -> None:
        """A picture for now: it is there if the page is reloaded during the run."""
        self._update({"text/html": html, "text/plain": text}, {})

    def _update(self, data: dict[str, str], metadata: dict[str, Any]) -> None:
        from IPython.display import update_display

        update_display(data, metadata=metadata, raw=True, display_id=self.id)


def drawn_panels(run: Run, look: scene.Look) -> list[str]:
    """The panels that were chosen, or for which there is something to show."""
    wanted = run.panels or ("loss", "activations", "gradients", "updates")
    activations = scene.activations(run.seen, look) if "activations" in wanted else None
    gradients = scene.gradients(run.seen, look) if "gradients" in wanted else None
    stuck = scene.saturation(run.seen, look) if "saturation" in wanted else None
    updates = scene.updates(run, look) if "updates" in wanted else None
    wide = bool(activations) + bool(gradients) + bool(stuck) in (0, 2)
    drawn = []
    if "loss" in wanted:
        alone = not (activations or gradients or stuck or updates)
        height = ALONE if alone else panels.HEIGHT
        drawn.append(_figure(panels.losses(scene.losses(run, look), height), True))
    if activations:
        drawn.append(_figure(panels.rows(activations, "Activations", "forward")))
    if gradients:
        drawn.append(_figure(panels.rows(gradients, "Gradients", "backward")))
    if stuck:
        drawn.append(_figure(panels.saturation(stuck)))
    if updates:
        drawn.append(_figure(panels.updates(updates, wide), wide))
    return drawn


def head(run: Run) -> str:
    """The bar, the claim and the numbers of the moment, as HTML."""
    done, steps = run.recorder.done, run.steps
    share = 100 * done / steps if steps else 100
    bar = (
        f'<div class="wb-track" role="progressbar" aria-label="steps" '
        f'aria-valuemin="0" aria-valuemax="{steps}" aria-valuenow="{done}">'
        f'<i style="width:{share:.1f}%"></i></div>'
    )
    title = f'<p class="wb-title">{escape(svg.minus(words.title(run)))}</p>'
    pairs = "".join(_pair(what, value) for what, value in words.numbers(run))
    return f'{bar}{title}<dl class="wb-numbers">{pairs}</dl>'


def table(run: Run) -> str:
    """The numbers of every layer, as an HTML table."""
    header, rows = words.table(run)
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(svg.minus(c))}</td>" for c in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"


def still_html(run: Run, look: scene.Look) -> str:
    """The whole picture as HTML that needs no kernel; during the run, it says so."""
    drawn = "".join(drawn_panels(run, look))
    note = "" if run.over else f'<p class="wb-note">{RELOADED}</p>'
    body = f'{head(run)}{note}<div class="wb-panels">{drawn}</div>'
    return f'{LIVE_SHEET}<div class="wb-x wb-live">{body}</div>'


def _figure(picture: str, wide: bool = False) -> str:
    kind = ' class="wb-two"' if wide else ""
    return f"<figure{kind}>{picture}</figure>"


def _pair(what: str, value: str) -> str:
    number, _, rest = value.partition(" of ")
    small = f" <small>of {rest}</small>" if rest else ""
    return (
        f"<div><dt>{escape(what)}</dt><dd>{escape(svg.minus(number))}{small}</dd></div>"
    )


def _take_turns(name: str) -> str:
    """A style sheet: the widget or the still picture, never both, never an error.

    The picture stands in the output after the sheet, the widget in the one after
    that. On a dark page the picture is turned dark; its colours keep their hues.
    """
    child, live, still = ".jp-OutputArea-child", f".{name}-live", f".{name}-sheet"
    picture = f"{child}:has({still}) + {child}"
    dark = '[data-jp-theme-light="false"]'
    return (
        f'<style class="{still[1:]}">'
        f".jp-OutputArea:has({live}) > {picture},"
        f"{picture} + {child}:not(:has({live})),"
        f"{child}:has({still}):not(:has(img)){{display:none}}"
        f"{dark} {picture} img{{filter:invert(.9) hue-rotate(180deg)}}"
        "</style>"
    )
