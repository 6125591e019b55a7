"""A noisy loss and its means: how many batches shall one point stand for?"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any

from workbook.explore import svg
from workbook.explore.base import Explorable, Page, Refused, Slider, refusal
from workbook.explore.svg import Panel

FEWEST = 40  # losses that make a curve
DRAWN = 900  # points of the raw line; more would only make the page slow


def smoothing(losses: Any, group: int = 100) -> Explorable:
    """Choose how many neighbours are averaged: scatter goes, and detail with it.

    losses: the loss of the minibatch at each step, (N,), a list or a tensor.
    group: how many of them one point is the mean of, to begin with.
    """
    listed = losses.tolist() if hasattr(losses, "tolist") else losses
    known = [float(x) for x in listed]
    if len(known) < FEWEST or not all(map(math.isfinite, known)):
        return refusal(Refused(f"A curve needs at least {FEWEST} finite losses."))
    curve = _Curve(known)
    most = math.log10(len(known) / 4)
    start = min(group, len(known) // 10)
    slider = Slider("group", "batches a point", 0, most, 0.05, start, True, ".0f")
    return Explorable(curve.page, slider)


class _Curve:
    """The losses, and their means in groups."""

    def __init__(self, losses: list[float]) -> None:
        self.losses = losses
        late = sorted(losses[len(losses) // 20 :])  # without the first plunge
        low, high = late[len(late) // 200], late[-1 - len(late) // 200]
        room = 0.25 * (high - low) or 0.1
        limits = (low - 0.5 * room, high + room)
        self.panel = Panel(46, 26, 560, 240, (0, len(losses)), limits)

    def means(self, group: int) -> list[float]:
        """One mean for each whole group, as `view(-1, group).mean(1)` makes them."""
        whole = len(self.losses) // group * group
        return [fmean(self.losses[i : i + group]) for i in range(0, whole, group)]

    def page(self, group: float) -> Page:
        size = max(1, round(group))
        means = self.means(size)
        scatter = _jumps(means)
        left = len(self.losses) % size
        told = {
            "batches a point": f"{size:,}",
            "points": f"{len(means):,}",
            "left over": f"{left:,}",
            "scatter of a point": f"{scatter:.3f}",
            "last point": f"{means[-1]:.3f}",
        }
        many = f"the mean of {size:,} batches" if size > 1 else "one batch"
        return Page(
            title=f"A point is {many}, give or take {scatter:.3f} nats",
            look="Grey is each batch on its own, dark are the means. Average over more "
            "and the dark line calms down; average over too many, and too few points "
            "are left to show when the loss fell.",
            body=self._picture(size, means),
            height=316,
            header=("quantity", "value"),
            rows=list(told.items()),
        )

    def _picture(self, size: int, means: list[float]) -> str:
        every = max(1, len(self.losses) // DRAWN)
        steps = range(0, len(self.losses), every)
        panel = self.panel
        raw = svg.path(
            panel.points(steps, [self.losses[i] for i in steps]), "reference", 0.8
        )
        keep = max(1, len(means) // DRAWN)
        middles = [size * (i + 0.5) for i in range(len(means))]
        line = svg.path(panel.points(middles[::keep], means[::keep]), "train", 2)
        dots = ""
        if len(means) <= 60:
            points = panel.points(middles, means)
            dots = "".join(svg.dot(x, y, "train", 3.5) for x, y in points)
        return panel.axes("step", "loss of a minibatch (nats)") + panel.clip(
            svg.tag("g", raw, opacity=0.45) + line + dots
        )


def _jumps(means: list[float]) -> float:
    """How much a point scatters: from its jumps, so that the trend does not count."""
    late = means[len(means) // 4 :]
    if len(late) < 3:
        return 0.0
    steps = [b - a for a, b in pairwise(late)]
    return pstdev(steps) / math.sqrt(2)
