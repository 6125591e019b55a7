"""One example in many batches: what BatchNorm makes of it depends on its company."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import lru_cache
from statistics import fmean
from typing import Any

from workbook.explore import svg
from workbook.explore.base import Choice, Explorable, Page, Refused, refusal
from workbook.explore.svg import Panel

BATCHES = 120  # in the picture
SPAN = 3.0  # the normalised values drawn, -3 to 3
SIZES = 7  # batches of 2 to 2 ** SIZES


def batch_jitter(column: Any, example: int = 0) -> Explorable:
    """Choose how many share a batch; one example's normalised value scatters less.

    column: (N,), what goes into one unit, for N examples. example: the one followed.
    """
    values = [
        float(x) for x in (column.tolist() if hasattr(column, "tolist") else column)
    ]
    if len(values) < 2**SIZES or not all(map(math.isfinite, values)):
        return refusal(Refused(f"Pass in at least {2**SIZES} finite numbers."))
    if _std(values) == 0:
        return refusal(Refused("All numbers are equal: there is nothing to normalise."))

    kept = tuple(values)
    sizes = [(str(2**i), 2**i) for i in range(1, SIZES + 1)]
    return Explorable(
        lambda size: _page(kept, example, size),
        Choice("size", "batches of", sizes, 8),
        still={"size": 32},
    )


@lru_cache(maxsize=4 * SIZES)
def seen_in(values: tuple[float, ...], example: int, size: int) -> list[float]:
    """The example's normalised value in BATCHES random batches that it is in."""
    rng, x, found = random.Random(size), values[example], []
    for _ in range(BATCHES):
        batch = [x, *rng.choices(values, k=size - 1)]
        mean = fmean(batch)
        std = math.sqrt(fmean((other - mean) ** 2 for other in batch) + 1e-5)
        found.append((x - mean) / std)
    return found


def _page(values: tuple[float, ...], example: int, size: int) -> Page:
    found = seen_in(values, example, size)
    true = (values[example] - fmean(values)) / _std(values)
    spread = _std(found)
    return Page(
        title=f"Batches of {size}: the same example scatters by {spread:.2f}",
        look="Each dot is the same example, normalised in another random batch. The "
        "grey line is its value with the mean and the spread of all examples. Larger "
        "batches agree with the line, and with each other.",
        body=_dots(found, true),
        height=208,
        header=("batches of", "lowest", "mean", "highest", "std"),
        rows=[_row(values, example, 2**i, size) for i in range(1, SIZES + 1)],
    )


def _row(
    values: tuple[float, ...], example: int, size: int, now: int
) -> tuple[str, ...]:
    found = seen_in(values, example, size)
    told = (min(found), fmean(found), max(found), _std(found))
    return (f"{size}{' (drawn)' * (size == now)}", *(f"{x:.2f}" for x in told))


def _dots(found: list[float], true: float) -> str:
    """A dot for each batch, at a height of its own so that few hide each other."""
    panel = Panel(24, 30, 592, 128, (-SPAN, SPAN), (0, 1))
    rng = random.Random(1)
    marks = [panel.axes("normalised value", "", [-3, -2, -1, 0, 1, 2, 3], [])]
    marks.append(
        svg.box(panel.left, panel.top, panel.width, panel.height, "faint", 0.18)
    )
    x = panel.x(max(-SPAN, min(SPAN, true)))
    marks.append(svg.line((x, panel.top), (x, panel.bottom), "reference", 2, "5 3"))
    dots = []
    for value in found:
        place = panel.x(max(-SPAN, min(SPAN, value)))
        dots.append(f"M{place:.1f} {panel.y(rng.uniform(0.06, 0.94)):.1f}h0")
    marks.append(svg.curve("".join(dots), "forward", 6, opacity=0.5))
    words = f"all examples: {true:.2f}"
    late = x > (panel.left + panel.right) / 2
    at, anchor = (x - 6, "end") if late else (x + 6, "start")
    marks.append(svg.text(at, panel.top - 8, words, "soft", 12, anchor, halo=False))
    return "".join(marks)


def _std(values: Sequence[float]) -> float:
    mean = fmean(values)
    return math.sqrt(fmean((x - mean) ** 2 for x in values))
