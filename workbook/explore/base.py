"""The base of every explorable: one state, a few controls, a function that draws.

A new one is a function from the state to a `Page`, and its controls:

    def square(side=2.0):
        def draw(side):
            return Page(
                title=f"A side of {side:g} makes an area of {side * side:g}",
                look="Double the side: the area grows fourfold.",
                body=svg.box(20, 20, 40 * side, 40 * side, "forward"),
                header=("side", "area"),
                rows=[(f"{side:g}", f"{side * side:g}")],
            )
        return Explorable(draw, Slider("side", "side", 1, 5, 0.5, side))

In a notebook the picture is redrawn each time a control moves. The front end sends the
next position only once the last one is answered, and `Explorable` draws the newest
state alone, so a slow picture drops frames and never falls behind. Headless (scripts,
`make check`) the first state is shown as words; nothing else is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import RLock
from time import perf_counter
from typing import Any

from workbook.explore import svg
from workbook.explore.page import (
    NAMED,
    RERUN,
    SHEET,
    Page,
    Refused,
    publish,
    publish_still,
)

__all__ = ["Choice", "Explorable", "Field", "Page", "Refused", "Slider", "Steps"]

Setter = Callable[[str, Any], None]


@dataclass(frozen=True)
class Slider:
    """A number between two limits; with `log` the limits are powers of ten.

    The state holds the number itself, also with `log`. `show`: its format beside
    the slider.
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    start: float
    log: bool = False
    show: str = ".2f"

    def build(self, tell: Setter) -> tuple[Any, Any]:
        """The widget to show, and the widget that holds the value."""
        import ipywidgets

        kind = ipywidgets.FloatLogSlider if self.log else ipywidgets.FloatSlider
        slider = kind(
            value=self.start,
            min=self._lowest(),
            max=self.high,
            step=self.step,
            description=self.label,
            readout_format=self.show,
            style={"description_width": "initial"},
            layout={"width": "320px"},
        )
        return _watched(slider, self.name, tell), slider

    def _lowest(self) -> float:
        """`low`, moved up less than a step: the browser snaps to low + k·step, and
        the start must be among those, or the first picture is not the one asked for.
        """
        if self.log:
            return self.low
        return self.start - math.floor((self.start - self.low) / self.step) * self.step


@dataclass(frozen=True)
class Choice:
    """One of a few values, each with its words: [(words, value), ...].

    `small`: narrow buttons close together, for the letters of an alphabet. The picture
    itself can press a button too, where it has a mark by `svg.hit`. `near(state)`: the
    value that takes over where the other controls leave no room for the one chosen.
    """

    name: str
    label: str
    options: Sequence[tuple[str, Any]]
    start: Any
    small: bool = False
    near: Callable[[dict[str, Any]], Any] | None = None

    def build(self, tell: Setter) -> tuple[Any, Any]:
        """The widget to show, and the widget that holds the value."""
        import ipywidgets

        buttons = ipywidgets.ToggleButtons(
            options=list(self.options),
            value=self.start,
            style={"button_width": "auto"},
            layout={"width": "auto"},
        )
        _watched(buttons, self.name, tell)
        buttons.add_class(svg.pressed_by(self.name))
        if self.small:
            buttons.add_class("wb-small")
        row = ipywidgets.HBox([ipywidgets.Label(self.label), buttons])
        row.add_class("wb-steps")
        return (row if self.label else buttons), buttons


@dataclass(frozen=True)
class Steps:
    """A step from 0 to `last`, by slider and by buttons; `play` in ms a step.

    `until(state)`: the last step there is with the other controls where they are, such
    as the last letter of a text. Who stands on the last step stays on the last.
    """

    name: str
    label: str
    last: int
    start: int = 0
    play: int = 0
    until: Callable[[dict[str, Any]], int] | None = None

    def build(self, tell: Setter) -> tuple[Any, Any]:
        """The widget to show, and the widget that holds the value."""
        import ipywidgets

        slider = ipywidgets.IntSlider(
            value=self.start,
            min=0,
            max=self.last,
            description=self.label,
            style={"description_width": "initial"},
            layout={"width": "300px"},
        )
        _watched(slider, self.name, tell)
        moves = self._player(slider) if self.play else self._buttons(slider)
        row = ipywidgets.HBox([*moves, slider])
        row.add_class("wb-steps")
        row.add_class("wb-whole")
        return row, slider

    def _buttons(self, slider: Any) -> list[Any]:
        """Reset, back and next; a click past either end does nothing."""
        import ipywidgets

        def button(words: str, icon: str, target: Callable[[], int]) -> Any:
            def press(_: Any) -> None:
                slider.value = min(max(target(), 0), slider.max)

            made = ipywidgets.Button(
                description=words, icon=icon, layout={"width": "auto"}
            )
            made.on_click(press)
            return made

        return [
            button("Reset", "step-backward", lambda: 0),
            button("Back", "chevron-left", lambda: slider.value - 1),
            button("Next", "chevron-right", lambda: slider.value + 1),
        ]

    def _player(self, slider: Any) -> list[Any]:
        """Play, pause and stop; they move the slider inside the browser."""
        import ipywidgets

        player = ipywidgets.Play(max=self.last, value=self.start, interval=self.play)
        player.show_repeat = False
        ipywidgets.jslink((player, "value"), (slider, "value"))
        return [player]


@dataclass(frozen=True)
class Field:
    """A line to type in; the state holds the words as they stand, after each key.

    What cannot be read is for the draw function to say, by `Refused`. With `lines`
    above 1 it is a box for a text of several lines.
    """

    name: str
    label: str
    start: str
    example: str = ""
    width: str = "240px"
    lines: int = 1

    def build(self, tell: Setter) -> tuple[Any, Any]:
        """The widget to show, and the widget that holds the value."""
        import ipywidgets

        kind = ipywidgets.Textarea if self.lines > 1 else ipywidgets.Text
        line = kind(
            value=self.start,
            placeholder=self.example,
            description=self.label,
            style={"description_width": "initial"},
            layout={"width": self.width},
            **({"rows": self.lines} if self.lines > 1 else {}),
        )
        return _watched(line, self.name, tell), line


Control = Slider | Choice | Steps | Field


class Explorable:
    """A picture that answers its controls.

    draw(**state) -> Page, with one keyword for each control; it may raise `Refused`.
    `still`: what differs from the controls' starts in the picture that is shown where
    no kernel runs. `cost`: the time of the last answer, in seconds.
    """

    def __init__(
        self,
        draw: Callable[..., Page],
        *controls: Control,
        still: dict[str, Any] | None = None,
    ) -> None:
        self.draw = draw
        self.still = still or {}
        self.controls = controls
        self.state: dict[str, Any] = {c.name: c.start for c in controls}
        self.cost = 0.0
        self._ends: dict[str, int] = {}
        self._live: _Live | None = None
        self.settle()

    def page(self, **changes: Any) -> Page:
        """The page of the state as it is now; a refusal is a page with one sentence."""
        try:
            return self.draw(**self.state | changes)
        except Refused as refusal:
            return Page(title=str(refusal), look="")

    def settle(self) -> dict[str, int]:
        """Bring the state into what there is; the last step of each control that has
        a last step of its own.
        """
        ends: dict[str, int] = {}
        for control in self.controls:
            if isinstance(control, Choice) and control.near:
                self.state[control.name] = control.near(self.state)
            elif isinstance(control, Steps) and control.until:
                ends[control.name] = last = control.until(self.state)
                at, before = self.state[control.name], self._ends.get(control.name)
                self.state[control.name] = last if at == before else min(at, last)
        self._ends = ends
        return ends

    def set(self, **changes: Any) -> Explorable:
        """Move controls by name: `probe.set(x=1.0, h=1e-9)`."""
        unknown = changes.keys() - self.state.keys()
        if unknown:
            known = ", ".join(self.state)
            raise ValueError(f"no control named {min(unknown)!r}: there are {known}")
        self.state |= changes
        if self._live:
            self._live.follow()
        return self

    def _ipython_display_(self) -> None:
        from workbook import checking, headless

        if headless():
            page = self.page(**self.still)
            publish_still("" if checking() else page.html(), page.text())
        else:
            self._live = _Live(self)
            self._live.show()

    def __repr__(self) -> str:
        return self.page().text()


class _Live:
    """The widgets of one explorable in one cell."""

    def __init__(self, owner: Explorable) -> None:
        import ipywidgets

        self.owner = owner
        self.lock = RLock()  # controls answer in several threads
        self.drawn: dict[str, Any] | None = None
        self.holders: dict[str, Any] = {}
        self.heading, self.picture, self.caption, self.table = (
            ipywidgets.HTML() for _ in range(4)
        )
        self.picture.add_class("wb-wide")  # it scrolls, and redrawing keeps its place
        self.folded = ipywidgets.ToggleButton(
            description="Numbers", icon="table", tooltip="The picture's numbers"
        )
        self.folded.add_class("wb-quiet")
        self.folded.observe(self._fold, "value")

    def show(self) -> None:
        """Draw the first state, then publish the widgets and their still twin."""
        import ipywidgets

        self._answer()
        sheet = ipywidgets.HTML(SHEET + NAMED, layout={"display": "none"})
        above = [sheet, self.heading, self.picture, self._controls()]
        self.follow()  # the state may have been set before it is shown
        box = ipywidgets.VBox([*above, self.caption, self.folded, self.table])
        box.add_class("wb-x")
        still = self._safe(self.owner.still)
        publish(box, still.html(RERUN), still.text())

    def follow(self) -> None:
        """Redraw if the state is not the one in the picture; move the widgets to it."""
        with self.lock:
            for name, last in self.owner.settle().items():
                if name in self.holders:
                    self.holders[name].max = max(1, last)  # a slider needs some way
            for name, holder in self.holders.items():
                if holder.value != self.owner.state[name]:
                    holder.value = self.owner.state[name]
            if self.drawn != self.owner.state:
                self._answer()

    def _controls(self) -> Any:
        import ipywidgets

        shown = []
        for control in self.owner.controls:
            seen, self.holders[control.name] = control.build(self._told)
            shown.append(seen)
        row = ipywidgets.Box(shown)
        row.add_class("wb-controls")
        return row

    def _told(self, name: str, value: Any) -> None:
        self.owner.state[name] = value
        self.follow()

    def _answer(self) -> None:
        """Draw the newest state."""
        began = perf_counter()
        self.drawn = dict(self.owner.state)
        self.latest = page = self._safe({})
        faces = page.heading(), page.picture(), page.caption()
        # Sent in a row once all are made: the browser draws them in one frame.
        self.heading.value, self.picture.value, self.caption.value = faces
        self._fold()
        self.owner.cost = perf_counter() - began

    def _safe(self, changes: dict[str, Any]) -> Page:
        """A page; what goes wrong is said where the picture would be."""
        try:
            return self.owner.page(**changes)
        except Exception as error:  # a learner's function may raise anything
            return Page(title=_said(error), look="")

    def _fold(self, _: Any = None) -> None:
        """Send the table only while somebody reads it."""
        self.folded.layout.display = None if self.latest.rows else "none"
        open_ = self.folded.value and bool(self.latest.rows)
        self.table.value = self.latest.table() if open_ else ""


def _watched(widget: Any, name: str, tell: Setter) -> Any:
    """Report each new value of a widget under the control's name."""
    widget.observe(lambda change: tell(name, change["new"]), "value")
    return widget


def refusal(reason: Refused) -> Explorable:
    """An explorable that says in one sentence why there is nothing to explore."""
    return Explorable(lambda: Page(title=str(reason), look=""))


def _said(error: Exception) -> str:
    """One sentence for a picture that could not be drawn."""
    kind = type(error).__name__
    reason = str(error).splitlines()[0] if str(error) else "no message"
    return (
        f"This state cannot be drawn ({kind}: {reason}). Move a control, or run again."
    )
