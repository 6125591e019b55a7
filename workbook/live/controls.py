"""The controls of a live picture: they set plain attributes, and the loop reads them.

A handler runs in a thread of its own while the cell is busy (a *subshell* of the
kernel), so it draws nothing and calls nothing that draws. Where the kernel has no
subshells, or the page does not use them, no handler runs before the cell has ended.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workbook.live.scene import Look

if TYPE_CHECKING:
    from workbook.live.run import Run

DOWN, UP, STEP = 3, 2, 0.05  # powers of ten around the first learning rate
ALL = "all layers"


class Controls:
    """Pause, stop, learning rate; then axis and layer, which go on working at the end.

    look: how the picture is to be drawn. changed(): called after a change of the look.
    """

    def __init__(self, run: Run, changed: Callable[[], None]) -> None:
        import ipywidgets

        self.run, self.changed = run, changed
        self.look = Look(log=run.log_axis)
        self.pause = self._button("Pause", "pause", "Wait before the next step")
        self.stop = self._button("Stop", "stop", "End the loop before its next step")
        self.pause.on_click(lambda _: self._pause())
        self.stop.on_click(lambda _: run.stop())
        self.rate = self._slider()
        self.axis = ipywidgets.ToggleButton(
            run.log_axis, description="log axis", layout={"width": "auto"}
        )
        self.axis.observe(lambda change: self._see(log=change["new"]), "value")
        self.layer = ipywidgets.Dropdown(
            options=[ALL],
            description="layer",
            style={"description_width": "initial"},
            layout={"width": "160px", "display": "none"},
        )
        self.layer.observe(lambda change: self._pick(change["new"]), "value")
        shown = [self.pause, self.stop, self.rate, self.axis, self.layer]
        self.box = ipywidgets.Box([x for x in shown if x])
        self.box.add_class("wb-controls")
        self._own = False  # a change of ours, not of a hand

    def follow(self) -> None:
        """Say what the run does: after its end only the look can be changed."""
        run = self.run
        if run.over:
            for widget in (self.pause, self.stop, self.rate):
                if widget:
                    _set(widget.layout, display="none")
        elif run.paused:
            _set(self.pause, description="Go on", icon="play")
        else:
            _set(self.pause, description="Pause", icon="pause")
        self._follow_rate()

    def name_layers(self, names: list[str]) -> None:
        """The layers to choose from, once they are known."""
        options = (ALL, *names)
        if len(names) > 1 and self.layer.options != options:
            self.layer.options = options
            self.layer.layout.display = None

    def _pause(self) -> None:
        self.run.go_on() if self.run.paused else self.run.pause()

    def _pick(self, name: str) -> None:
        self._see(layer="" if name == ALL else name)

    def _see(self, **changes: Any) -> None:
        self.look = Look(**{"layer": self.look.layer, "log": self.look.log} | changes)
        self.run.asked = True
        self.changed()

    def _steer(self, value: float) -> None:
        """The slider's value is the learning rate, or what a schedule is times."""
        if self._own:
            return
        times = self.run.lr / self.run.factor if self.run.has_schedule else 1.0
        if not math.isclose(value * times, self.run.lr, rel_tol=1e-6):
            self.run.steer(value * times)  # the page also tells back what it was given

    def _slider(self) -> Any:
        """Powers of ten around the learning rate, or around 1 for a schedule."""
        import ipywidgets

        try:
            middle = math.log10(float(self.run.lr))
        except (TypeError, ValueError):
            return None
        if self.run.has_schedule:
            middle = 0.0
        slider = ipywidgets.FloatLogSlider(
            value=10**middle,
            min=middle - DOWN,
            max=middle + UP,
            step=STEP,
            description="schedule ×" if self.run.has_schedule else "learning rate",
            readout_format=".3g",
            style={"description_width": "initial"},
            layout={"width": "260px"},
        )
        slider.observe(lambda change: self._steer(change["new"]), "value")
        return slider

    def _follow_rate(self) -> None:
        """The slider shows a learning rate that the loop has set itself."""
        if self.rate is None or self.run.has_schedule or not self.run.lr:
            return
        if not math.isclose(self.rate.value, self.run.lr, rel_tol=1e-3):
            self._own = True
            with suppress(Exception):
                self.rate.value = self.run.lr
            self._own = False

    def _button(self, words: str, icon: str, tip: str) -> Any:
        import ipywidgets

        return ipywidgets.Button(
            description=words, icon=icon, tooltip=tip, layout={"width": "auto"}
        )


def reach_a_busy_kernel() -> bool:
    """Whether the page has opened a subshell, the way to a kernel that is busy."""
    ipython = sys.modules.get("IPython")
    kernel = getattr(ipython and ipython.get_ipython(), "kernel", None)
    thread = getattr(kernel, "shell_channel_thread", None)
    with suppress(Exception):
        return bool(thread.manager.list_subshell())
    return False


def _set(widget: Any, **traits: Any) -> None:
    """Set what differs: each change is a message."""
    for name, value in traits.items():
        if getattr(widget, name) != value:
            setattr(widget, name, value)
