"""Training that one can watch and steer: one door for every loop of the course.

    from workbook import live

    for step in (run := live.train(20_000, lr=0.1)):
        loss = ...
        for p in parameters:
            p.data -= run.lr * p.grad          # the slider acts at the next step
        run.log(loss=loss, model=model)

In a notebook the loop is drawn as it runs, and can be paused, stopped and steered. In
a terminal there is one line. In `make check` and in scripts nothing is shown; the
picture is there when asked for, as `run.figure()`.

**How a loop ends.** After its steps; at Stop; by `break`; by an exception, which goes
through unchanged. In each case the last picture stays and says which, and at which
step. An interrupt raises KeyboardInterrupt where the controls work. Where they do not,
it is the one control there is: it ends the loop as Stop does, and a second one raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbook.live.recorder import Recorder
from workbook.live.run import PANELS, VIEWS, Run, Schedule, View

__all__ = ["Recorder", "Run", "train"]

References = float | tuple[float, str] | Mapping[str, float] | None


def train(
    steps: int,
    lr: float | Schedule | None = None,
    *,
    title: str = "",
    reference: References = None,
    panels: tuple[str, ...] | None = None,
    log_axis: bool = False,
    view: str | None = None,
) -> Run:
    """A run of so many steps: go through it with `for`, and `log` what happens.

    lr: what `run.lr` begins with; or a function from the step to the learning rate,
    which the slider then multiplies.
    title: the picture's claim; without it, what the loss has done.
    reference: a value to compare with, `(value, label)`, or several as {label: value}.
    panels: of "loss", "activations", "gradients", "updates", and "saturation", an
    image of one layer's units and examples; without it, what is logged decides, and
    that image is left out.
    log_axis: whether the loss begins on a logarithmic axis.
    view: "widget", "text" or "none"; without it, what suits the place.
    Raises ValueError for a number of steps below 0, an unknown panel or view.
    """
    if steps < 0:
        raise ValueError(f"train() takes a number of steps from 0 up, not {steps}")
    for panel in panels or ():
        _one_of(PANELS, panel, "panel")
    if view is not None:
        _one_of(VIEWS, view, "view")
    chosen = None if panels is None else tuple(panels)
    return Run(
        int(steps), lr, title, chosen, _references(reference), log_axis, _view(view)
    )


def _references(given: References) -> dict[str, float]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(label): float(value) for label, value in given.items()}
    value, label = given if isinstance(given, tuple) else (given, "")
    return {str(label): float(value)}


def _view(kind: str | None) -> View | None:
    """The view for this place: a notebook, a terminal, or none."""
    from workbook import checking, headless

    if kind is None:
        kind = "widget" if not headless() else "text" if _is_terminal() else "none"
    if kind == "none" or checking():
        return None
    if kind == "text":
        from workbook.live.text import Text

        return Text()
    from workbook.live.widget import Widget

    return Widget()


def _is_terminal() -> bool:
    """Whether somebody types at IPython or Python; a script has nobody."""
    import sys

    ipython = sys.modules.get("IPython")
    typed = hasattr(sys, "ps1") or bool(ipython and ipython.get_ipython())
    return typed and sys.stderr.isatty()


def _one_of(known: tuple[str, ...], given: Any, what: str) -> None:
    if given not in known:
        raise ValueError(f"no {what} {given!r}: there are {', '.join(known)}")
