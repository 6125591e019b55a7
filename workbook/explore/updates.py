"""How far each step moves the weights, as a share of their size, for some rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import Choice, Explorable, Page, Refused, refusal
from workbook.explore.svg import Panel
from workbook.style import number

TARGET = -3.0  # log10 of update to data: a rule of thumb
ROOM = 1.0  # within a factor of ten it counts as near
DASHES = (None, "7 3", "2 3", "9 3 2 3")
APART = 14.0  # pixels between two names


class Moment(NamedTuple):
    """One step of a run: its loss, and the ratio of each weight by name."""

    step: int
    loss: float
    ratios: Mapping[str, float]


def update_ratios(runs: Mapping[float, Sequence[Any]]) -> Explorable:
    """Choose a learning rate: one line for each layer's weights, beside its loss.

    runs: {learning rate: [(step, loss, {name: log10 of update to data}), ...]}.
    """
    recorded = {float(lr): [Moment(*m) for m in run] for lr, run in runs.items()}
    if not recorded or not all(len(run) > 1 for run in recorded.values()):
        return refusal(Refused("Each run needs at least two steps that were recorded."))
    rates = sorted(recorded)
    options = [(number(lr, 3), lr) for lr in rates]
    shown = _Runs(recorded)
    start = rates[len(rates) // 2]
    return Explorable(shown.page, Choice("lr", "learning rate", options, start))


class _Runs:
    """All runs on the same axes, so that they can be compared."""

    def __init__(self, runs: dict[float, list[Moment]]) -> None:
        self.runs = runs
        moments = [moment for run in runs.values() for moment in run]
        ratios = [x for m in moments for x in m.ratios.values() if math.isfinite(x)]
        ratios.append(TARGET)
        self.ratios = math.floor(min(ratios)), math.ceil(max(ratios))
        losses = sorted(m.loss for m in moments if math.isfinite(m.loss))
        usual = losses[int(0.95 * (len(losses) - 1))]
        self.losses = losses[0] - 0.1, usual + 0.3

    def page(self, lr: float) -> Page:
        run = self.runs[lr]
        names = list(run[-1].ratios)
        middle = fmean(_settled(run, name) for name in names)
        return Page(
            title=f"Learning rate {number(lr, 3)}: {_pace(middle)}, near {middle:.1f}",
            look="A line for each layer's weights. The shaded band: at each step a "
            "thousandth of their size, -3, within a factor of ten. Below, they hardly "
            "move; above, each step undoes what others learned. Right: the loss.",
            body=self._lines(run, names) + self._loss(run),
            height=318,
            header=("weights", "log10 of update to data", "step by step"),
            rows=[
                (name, f"{_settled(run, name):.2f}", _few(run, name)) for name in names
            ],
        )

    def _lines(self, run: list[Moment], names: list[str]) -> str:
        steps = (run[0].step, run[-1].step)
        panel = Panel(34, 30, 314, 244, steps, self.ratios)
        low, high = panel.y(TARGET - ROOM), panel.y(TARGET + ROOM)
        whole = [float(t) for t in range(self.ratios[0], self.ratios[1] + 1)]
        marks = [
            svg.box(panel.left, high, panel.width, low - high, "reference", 0.2),
            panel.axes("step", "update : data, log10", svg.ticks(*steps, 3), whole),
        ]
        at, tips = [m.step for m in run], []
        for i, name in enumerate(names):
            values = [m.ratios.get(name, math.nan) for m in run]
            line = panel.points(at, values)
            dash = DASHES[i % len(DASHES)]
            marks.append(panel.clip(svg.path(line, "backward", 1.6, dash, 0.85)))
            tips.append((panel.y(_settled(run, name)), name))
        return "".join(marks) + _named(tips, panel)

    def _loss(self, run: list[Moment]) -> str:
        steps = (run[0].step, run[-1].step)
        panel = Panel(494, 30, 124, 244, steps, self.losses)
        points = panel.points([m.step for m in run], [m.loss for m in run])
        axes = panel.axes("step", "loss", [steps[0], steps[1]])
        return axes + panel.clip(svg.path(points, "train", 1.6))


def _settled(run: list[Moment], name: str) -> float:
    """The mean of the last quarter: where the line ends."""
    last = [m.ratios.get(name, math.nan) for m in run[-max(1, len(run) // 4) :]]
    known = [x for x in last if math.isfinite(x)]
    return fmean(known) if known else math.nan


def _few(run: list[Moment], name: str) -> str:
    """Some five of its values, in their order."""
    every = max(1, len(run) // 5)
    return ", ".join(f"{m.ratios.get(name, math.nan):.1f}" for m in run[::every])


def _pace(middle: float) -> str:
    if not math.isfinite(middle):
        return "out of bounds"
    if middle < TARGET - ROOM:
        return "updates below the band"
    inside = middle <= TARGET + ROOM
    return f"updates {'within' if inside else 'above'} the band"


def _named(tips: list[tuple[float, str]], panel: Panel) -> str:
    """The names at the lines' ends, moved apart where they would touch."""
    marks, last = [], -math.inf
    known = sorted((y, name) for y, name in tips if math.isfinite(y))
    for y, name in known:
        last = max(y, last + APART)
        marks.append(
            svg.text(panel.right + 7, last + 4, name[:17], "backward", 11.5, halo=False)
        )
    return "".join(marks)
