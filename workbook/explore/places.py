"""What a model has made of its places: which of them lie close together."""

from __future__ import annotations

import math
from typing import Any

from workbook.explore import svg
from workbook.explore.base import Explorable, Page, Refused, Steps, refusal
from workbook.explore.svg import Panel

MOST = 64  # places in the picture


def position_map(table: Any) -> Explorable:
    """Choose a place: to which others has the model made it alike?

    table: (T, C), a point for each place; the first 64 are drawn.
    """
    rows = table.tolist() if hasattr(table, "tolist") else table
    rows = [[float(x) for x in row] for row in rows[:MOST]]
    if len(rows) < 3:
        return refusal(
            Refused("There is little to compare: pass in three places or more.")
        )
    if not all(math.isfinite(x) for row in rows for x in row):
        return refusal(Refused("Some places have no point: the training blew up."))
    map_ = _Map(cosines(rows))
    last = len(rows) - 1
    return Explorable(map_.page, Steps("at", "place", last, start=last // 2))


def cosines(rows: list[list[float]]) -> list[list[float]]:
    """The cosine of the angle between every two rows.

    >>> cosines([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
    """
    lengths = [math.sqrt(sum(x * x for x in row)) or 1.0 for row in rows]
    unit = [[x / n for x in row] for row, n in zip(rows, lengths, strict=True)]
    return [[sum(map(float.__mul__, a, b)) for b in unit] for a in unit]


def by_distance(alike: list[list[float]], apart: int) -> float:
    """The mean cosine of two places that are so far apart."""
    pairs = [alike[i][i + apart] for i in range(len(alike) - apart)]
    return sum(pairs) / len(pairs)


class _Map:
    """All cosines, and the page of each place."""

    def __init__(self, alike: list[list[float]]) -> None:
        self.alike, self.count = alike, len(alike)
        self.means = [by_distance(alike, d) for d in range(1, self.count)]
        self.most = max(
            (
                abs(x)
                for i, row in enumerate(alike)
                for j, x in enumerate(row)
                if i != j
            ),
            default=1.0,
        )

    def page(self, at: int) -> Page:
        others = [i for i in range(self.count) if i != at]
        best = max(others, key=self.alike[at].__getitem__)
        row = list(enumerate(self.alike[at]))
        near, far = self.means[0], self.means[self.count // 2 - 1]
        return Page(
            title=f"Place {at} is most like place {best}: {self.alike[at][best]:.2f}",
            look="Left, a row for each place: orange is alike, blue opposite, and grey "
            f"each place with itself. Right, the row of place {at}. Over all places, "
            f"neighbours have a mean cosine of {near:.2f}, places {self.count // 2} "
            f"apart one of {far:.2f}.",
            body=self._matrix(at) + self._row(at),
            height=306,
            header=("place", "cosine"),
            rows=[(str(i), f"{x:.2f}".replace("-0.00", "0.00")) for i, x in row],
        )

    def _matrix(self, at: int) -> str:
        left, top, side = 34.0, 26.0, 240.0
        size = side / self.count
        shares = [
            [0.0 if i == j else x / self.most for j, x in enumerate(row)]
            for i, row in enumerate(self.alike)
        ]
        above = [[max(0.0, x) for x in row] for row in shares]
        below = [[max(0.0, -x) for x in row] for row in shares]
        same = [[0.6 * (i == j) for j in range(self.count)] for i in range(self.count)]
        marks = [
            svg.cells(above, left, top, size, "positive"),
            svg.cells(below, left, top, size, "forward"),
            svg.cells(same, left, top, size, "reference"),
            svg.box(left, top, side, side, "paper", 0, edge="faint"),
            svg.box(left, top + size * at, side, size, "paper", 0, 0, "backward", 1.5),
            svg.text(left, 16, "place against place", "soft", 12, halo=False),
        ]
        for i in (0, self.count - 1):
            y = top + size * (i + 0.5) + 4
            marks.append(svg.text(left - 6, y, str(i), "soft", 11.5, "end", halo=False))
        y = top + size * (at + 0.5) + 4
        if 18 < y - top < side - 14:
            marks.append(svg.text(left - 6, y, str(at), "backward", 11.5, "end", True))
        return "".join(marks)

    def _row(self, at: int) -> str:
        low = min(-0.2, *(x for row in self.alike for x in row))
        panel = Panel(344, 36, 280, 216, (0, self.count - 1), (low, 1.0))
        values = [x if i != at else math.nan for i, x in enumerate(self.alike[at])]
        points = panel.points(range(self.count), values)
        zero = panel.y(0)
        marks = [
            panel.axes("place", "cosine with the place chosen"),
            svg.line((panel.left, zero), (panel.right, zero), "reference", 1.2),
            svg.path(points, "forward", 2),
            *(svg.dot(x, y, "forward", 2.5) for x, y in points if math.isfinite(y)),
            svg.dot(panel.x(at), panel.y(1.0), "backward", 5),
        ]
        return "".join(marks)
