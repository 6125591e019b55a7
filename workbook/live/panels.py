"""The panels of a run as SVG, built from a scene in about a millisecond each.

Every panel is 640 or 312 units wide and HEIGHT high, so that two narrow ones and a gap
are as wide as a wide one, whatever the page makes of them. Colours and letters come
from the page's style sheet; marks are written as whole paths, not one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape

from workbook.explore.svg import Panel, minus, ticks
from workbook.live.scene import (
    TARGET,
    Event,
    Line,
    Losses,
    Row,
    Rows,
    Stuck,
    Updates,
    percent,
)
from workbook.style import number

WIDE, NARROW, HEIGHT = 640.0, 312.0, 232.0
APART = 13.5  # pixels between two labels at the end of lines
FEW = 40  # points that are marked one by one
NAMES = 98.0  # pixels for the names of rows
TALL = 56.0  # pixels of a row, at most
LABELS = 92.0  # and for what stands at the end of a line

Point = tuple[float, float]


# ------------------------------------------------------------------ the loss


def losses(scene: Losses, height: float = HEIGHT) -> str:
    """The loss: single values, their limits, the smoothed line; dev and the others."""
    panel = Panel(44, 24, WIDE - 44 - LABELS, height - 50, scene.xlim, scene.ylim)
    place = _place(panel, scene.log)
    marks = [
        _head("Loss", "train"),
        _axes(panel, _loss_ticks(scene), place),
        panel.clip(_behind(scene, place) + _turns(panel, scene, place)),
        "".join(_reference(panel, name, v, place) for name, v in scene.references),
        panel.clip("".join(_loss_line(line, place) for line in scene.lines)),
        _rings(panel, scene, place),
        "".join(_event(panel, event, place) for event in scene.events),
        _labels(panel, [(x, *_tip(panel, x, place)) for x in scene.lines], LABELS),
    ]
    return _picture("".join(marks), WIDE, height, _loss_told(scene))


def _place(panel: Panel, log: bool) -> Callable[[float, float], Point]:
    """From data to the picture; NaN where a logarithmic axis has no place."""
    left, wide = panel.left, panel.width / (panel.xlim[1] - panel.xlim[0] or 1)
    low, tall = panel.ylim[0], panel.height / (panel.ylim[1] - panel.ylim[0] or 1)
    start, bottom = panel.xlim[0], panel.bottom

    def place(x: float, y: float) -> Point:
        if log:
            y = math.log10(y) if y > 0 else math.nan
        return left + (x - start) * wide, bottom - (y - low) * tall

    return place


def _behind(scene: Losses, place: Callable[[float, float], Point]) -> str:
    """What the line is the mean of: the limits as an area, single values as dots."""
    area = ""
    if len(scene.band) > 1:
        upper = [place(x, high) for x, _, high in scene.band]
        lower = [place(x, low) for x, low, _ in reversed(scene.band)]
        area = _shape(_d(upper + lower) + "Z", "train", 0.08)
    spots = [place(x, y) for x, y in scene.cloud]
    dots = _written("M%.1f %.1fh0", spots)
    size, opacity = (4.2, 0.5) if len(spots) <= FEW else (2.8, 0.3)
    return area + _curve(dots, "train", size, opacity=opacity)


def _loss_line(line: Line, place: Callable[[float, float], Point]) -> str:
    points = [place(x, y) for x, y in line.points]
    return _curve(_d(points), line.colour, 2.2, "" if _is_train(line) else "6 4")


def _rings(panel: Panel, scene: Losses, place: Callable[[float, float], Point]) -> str:
    """Rings on the lines of few points: dev, once in a while."""
    rings = []
    for line in scene.lines:
        if _is_train(line) or len(line.points) > FEW:
            continue
        for x, y in (place(*point) for point in line.points):
            if panel.top <= y <= panel.bottom:
                rings.append(
                    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" '
                    f'class="wb-{line.colour} wb-ring"/>'
                )
    return "".join(rings)


def _is_train(line: Line) -> bool:
    return line.name == "train"


def _tip(panel: Panel, line: Line, place: Callable[[float, float], Point]) -> Point:
    """Where a line ends, for its label."""
    finite = [point for point in line.points if math.isfinite(point[1])]
    if not finite:
        return panel.left, panel.top
    x, y = place(*finite[-1])
    return x, min(max(y, panel.top), panel.bottom)


def _reference(
    panel: Panel,
    name: str,
    value: float,
    place: Callable[[float, float], Point],
    below: bool = False,
) -> str:
    """A grey line with its name at the right, or an arrow towards it at the edge."""
    _, y = place(0, value)
    words = name if below else f"{name} {number(value, 4)}".strip()
    if math.isnan(y):
        return ""
    if y > panel.bottom + 1:
        return _text(panel.right, panel.bottom - 6, f"{words} ↓", "soft", "end")
    if y < panel.top - 1:
        return _text(panel.right, panel.top + 9, f"{words} ↑", "soft", "end")
    line = _curve(
        f"M{panel.left:.1f} {y:.1f}H{panel.right:.1f}", "reference", 1.4, "2 4"
    )
    return line + _text(panel.right, y + (14 if below else -5), words, "soft", "end")


def _turns(panel: Panel, scene: Losses, place: Callable[[float, float], Point]) -> str:
    """A thin line at each step where the learning rate was set by hand."""
    steps = [place(e.step, 1)[0] for e in scene.events if e.kind == "turn"]
    d = "".join(f"M{x:.1f} {panel.top:.1f}V{panel.bottom:.1f}" for x in steps)
    return _curve(d, "backward", 1, "1 3")


def _event(panel: Panel, event: Event, place: Callable[[float, float], Point]) -> str:
    """Its words at the top; at the end of a run that was left, a line as well."""
    x = place(event.step, 1)[0]
    colour = {"above": "soft", "end": "ink"}.get(event.kind, "backward")
    words = f"× {event.words}" if event.kind == "trouble" else event.words
    anchor, at = ("end", x - 5) if event.late else ("start", x + 5)
    bold = event.kind == "end"
    told = _text(at, panel.top + 9 + 12 * event.level, words, colour, anchor, bold)
    if not bold:
        return told
    d = f"M{x:.1f} {panel.top:.1f}V{panel.bottom:.1f}"
    return _curve(d, "ink", 1.4) + told


def _loss_ticks(scene: Losses) -> list[float]:
    """Round heights; on a logarithmic axis 1, 2 and 5 times the powers of ten."""
    if not scene.log:
        return ticks(*scene.ylim, count=5)
    low, high = scene.ylim
    exponents = range(math.floor(low), math.ceil(high) + 1)
    fine = [m * 10.0**e for e in exponents for m in (1, 2, 5)]
    inside = [t for t in fine if low <= math.log10(t) <= high]
    if len(inside) > 7:
        inside = [t for t in inside if math.log10(t) == round(math.log10(t))]
    if len(inside) < 3:
        inside = [t for t in ticks(10**low, 10**high, count=5) if t > 0]
    return inside


def _loss_told(scene: Losses) -> str:
    lines = ", ".join(line.end for line in scene.lines) or "no loss yet"
    return "Loss over the steps: " + "; ".join(
        [lines, *(e.words for e in scene.events)]
    )


# ------------------------------------------------------------------ the rows


def rows(scene: Rows, name: str, colour: str, height: float = HEIGHT) -> str:
    """Histograms below each other, each with its numbers behind it."""
    widths = _widths(len(scene.header))
    across = NARROW - NAMES - sum(widths)
    weight = sum(_weight(row) for row in scene.rows)
    unit = min(TALL, (height - 66) / weight)
    panel = Panel(NAMES - 6, 40, across, unit * weight, scene.limits, (0, 1))
    marks = [_head(name, colour), _columns(scene.header), _row_axis(panel)]
    top = panel.top
    for row in scene.rows:
        high = unit * _weight(row)
        marks.append(_row(panel, row, top, high, colour))
        top += high
    told = ". ".join(_row_told(row, scene.header) for row in scene.rows)
    return _picture("".join(marks), NARROW, height, f"{name}. {told}")


def _weight(row: Row) -> float:
    return 3.0 if row.picked else 1.0


def _row(panel: Panel, row: Row, top: float, high: float, colour: str) -> str:
    """One histogram on its base line, its name before it, its numbers behind it."""
    base = top + high - 3
    tall = min(high - 5, 84.0)
    middle = base - min(tall / 2, 12) + 5
    marks = [_curve(f"M{panel.left:.1f} {base:.1f}H{panel.right:.1f}", "faint", 1)]
    if row.heights:
        wide = panel.width / len(row.heights)
        bars = "".join(f"V{base - tall * h:.1f}h{wide:.2f}" for h in row.heights)
        d = f"M{panel.left:.1f} {base:.1f}{bars}V{base:.1f}Z"
        marks.append(_shape(d, colour, 0.85 if row.picked else 0.6))
    marks.append(_text(0, middle, fit(row.name, 15), "ink", bold=row.picked))
    for x, cell in zip(_ends(len(row.cells)), row.cells, strict=True):
        marks.append(_text(x, middle, cell, "ink", "end", row.picked))
    return "".join(marks)


def _columns(header: Sequence[str]) -> str:
    return "".join(
        _text(x, 30, name, "soft wb-tiny", "end")
        for x, name in zip(_ends(len(header)), header, strict=True)
    )


def _widths(cells: int) -> tuple[int, ...]:
    """The columns beside the histograms: mean, std, and what is stuck."""
    return (36, 32, 58)[:cells] if cells > 2 else (52, 46)[:cells]


def _ends(cells: int) -> list[float]:
    """Where these columns end."""
    widths = _widths(cells)
    return [NARROW - sum(widths[i + 1 :]) for i in range(cells)]


def _row_axis(panel: Panel) -> str:
    """The limits and zero, under all rows; a line at each through them."""
    low, high = panel.xlim
    places = {value: panel.x(value) for value in (low, 0.0, high)}
    d = "".join(
        f"M{x:.1f} {panel.top:.1f}V{panel.bottom + 4:.1f}" for x in places.values()
    )
    return _curve(d, "faint", 1) + "".join(
        _text(x, panel.bottom + 17, _axis_words(value), "soft wb-tiny", "middle")
        for value, x in places.items()
    )


def _axis_words(value: float) -> str:
    if value == 0 or abs(value) >= 0.01:
        return number(value, 2)
    return f"{value:.0e}".replace("e-0", "e-")


def _row_told(row: Row, header: Sequence[str]) -> str:
    cells = zip(header, row.cells, strict=True)
    return f"{row.name}: " + ", ".join(f"{name} {cell}" for name, cell in cells)


# ------------------------------------------------------------------ what is stuck


def saturation(scene: Stuck, height: float = HEIGHT) -> str:
    """Examples down, units across; a mark where the unit is stuck for the example."""
    rows, columns = len(scene.cells), len(scene.cells[0])
    left, top, low = 0.0, 40.0, height - 26
    wide, high = (NARROW - left) / columns, (low - top) / rows
    marks = []
    for row, cells in enumerate(scene.cells):
        y = top + row * high
        for start, length in _stretches(cells):
            across = f"h{wide * length:.1f}v{high:.1f}h-{wide * length:.1f}z"
            marks.append(f"M{left + start * wide:.1f} {y:.1f}{across}")
    told = stuck_told(scene)
    frame = f"M{left} {top}H{NARROW}V{low}H{left}Z"
    body = [
        _head("Saturation", "forward"),
        _text(NARROW, 12, fit(scene.name, 18), "ink", "end"),
        _text(0, 30, told, "soft wb-tiny"),
        _shape("".join(marks), "ink", 0.85) if marks else "",
        _curve(frame, "faint", 1),
        _text(0, height - 10, f"units 1 to {columns} across", "soft wb-tiny"),
        _text(NARROW, height - 10, f"{rows} examples down", "soft wb-tiny", "end"),
    ]
    label = f"Saturation of {scene.name}: {told}"
    return _picture("".join(body), NARROW, height, label)


def stuck_told(scene: Stuck) -> str:
    """What the image counts, in words."""
    dead = f"{scene.dead} {'unit' if scene.dead == 1 else 'units'}"
    always = f"{dead} for all {len(scene.cells)} examples"
    return f"dark: {scene.word}, {percent(scene.share)}; {always}"


def _stretches(cells: Sequence[bool]) -> Iterable[tuple[int, int]]:
    """(start, length) of each unbroken run of stuck cells."""
    start = None
    for i, stuck in enumerate([*cells, False]):
        if stuck and start is None:
            start = i
        elif not stuck and start is not None:
            yield start, i - start
            start = None


# ------------------------------------------------------------------ the updates


def updates(scene: Updates, wide: bool, height: float = HEIGHT) -> str:
    """The update-to-data ratios, and the line at -3."""
    width, margin = (WIDE, 132.0) if wide else (NARROW, 104.0)
    panel = Panel(30, 24, width - 30 - margin, height - 50, scene.xlim, scene.ylim)
    place = _place(panel, log=False)
    any_picked = any(line.picked for line in scene.lines)
    drawn = "".join(
        _update_line(line, any_picked, i, place) for i, line in enumerate(scene.lines)
    )
    marks = [
        _head("Updates : data, log10", "backward"),
        _axes(panel, _whole_ticks(scene.ylim), place, few=not wide),
        _reference(panel, "-3: a rule of thumb", TARGET, place, below=True),
        panel.clip(drawn),
        _labels(panel, [(x, *_tip(panel, x, place)) for x in scene.lines], margin),
    ]
    told = ", ".join(line.end for line in scene.lines)
    return _picture("".join(marks), width, height, f"Update to data, log10: {told}")


def _update_line(
    line: Line, any_picked: bool, at: int, place: Callable[[float, float], Point]
) -> str:
    points = [place(x, y) for x, y in line.points]
    width = 2.6 if line.picked else 1.5
    opacity = 1.0 if line.picked else 0.35 if any_picked else 0.8
    dash = ("", "6 3", "2 3", "8 3 2 3")[at % 4]
    return _curve(_d(points), line.colour, width, dash, opacity)


def _whole_ticks(ylim: Point) -> list[float]:
    return [float(t) for t in range(math.ceil(ylim[0]), math.floor(ylim[1]) + 1)]


# ------------------------------------------------------------------ shared


def _picture(marks: str, width: float, height: float, told: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'role="img" aria-label="{escape(told)}">{marks}</svg>'
    )


def _head(words: str, colour: str) -> str:
    return f'<text y="12" class="wb-{colour} wb-head">{escape(words)}</text>'


def _axes(
    panel: Panel,
    heights: Sequence[float],
    place: Callable[[float, float], Point],
    few: bool = False,
) -> str:
    """Grid lines with their numbers, and the steps below."""
    across = [(place(0, height)[1], height) for height in heights]
    steps = [t for t in ticks(*panel.xlim, count=3 if few else 6) if t == int(t)]
    down = [(place(step, 1)[0], step) for step in steps]
    grid = "".join(f"M{panel.left:.1f} {y:.1f}H{panel.right:.1f}" for y, _ in across)
    grid += "".join(f"M{x:.1f} {panel.bottom:.1f}v4" for x, _ in down)
    words = [
        _text(panel.left - 7, y + 4, number(round(height, 12), 3), "soft", "end")
        for y, height in across
    ]
    low = panel.bottom + 17
    words += [_text(x, low, f"{int(step):,}", "soft", "middle") for x, step in down]
    if not few:
        words.append(_text(panel.right + 26, low, "step", "soft"))
    return _curve(grid, "faint", 1) + "".join(words)


def _labels(
    panel: Panel, tips: Iterable[tuple[Line, float, float]], margin: float
) -> str:
    """What stands at the end of each line, moved apart where they would touch."""
    tips = sorted(tips, key=lambda tip: tip[2])
    if not tips:
        return ""
    heights = apart([y for _, _, y in tips], panel.top, panel.bottom)
    right = max(x for _, x, _ in tips) + 7
    picked = any(line.picked for line, _, _ in tips)
    fits = int((panel.right + margin - right) / 6)
    return "".join(
        _text(
            right,
            y + 4,
            fit_end(line.end, fits),
            "soft" if picked and not line.picked else line.colour,
            bold=line.picked,
        )
        for (line, _, _), y in zip(tips, heights, strict=True)
    )


def apart(heights: list[float], top: float, bottom: float) -> list[float]:
    """The same order, at least APART from each other, inside the panel if it can be."""
    placed: list[float] = []
    for y in heights:
        placed.append(max(y, placed[-1] + APART) if placed else max(y, top))
    over = placed[-1] - bottom
    if over > 0:
        placed[-1] -= over
        for i in range(len(placed) - 2, -1, -1):
            placed[i] = min(placed[i], placed[i + 1] - APART)
    return placed


def _d(points: Sequence[Point]) -> str:
    """Path data through the points, lifted where one is missing."""
    if all(y == y for _, y in points):
        return "M" + _written("%.1f %.1f ", points) if points else ""
    words, pen = [], "M"
    for x, y in points:
        words.append(f"{pen}{x:.1f} {y:.1f}" if y == y else "")
        pen = "L" if y == y else "M"
    return "".join(words)


def _written(pattern: str, points: Sequence[Point]) -> str:
    """The pattern once for each point, all at once: the fastest way to write many."""
    return pattern * len(points) % tuple(number for point in points for number in point)


def _curve(
    d: str, colour: str, width: float, dash: str = "", opacity: float = 1.0
) -> str:
    if not d:
        return ""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    faded = f' opacity="{opacity:g}"' if opacity < 1 else ""
    return (
        f'<path d="{d}" class="wb-{colour} wb-line" '
        f'stroke-width="{width:g}"{dashed}{faded}/>'
    )


def _shape(d: str, colour: str, opacity: float) -> str:
    return f'<path d="{d}" class="wb-{colour} wb-shape" opacity="{opacity:g}"/>'


def _text(
    x: float,
    y: float,
    words: str,
    colour: str,
    anchor: str = "start",
    bold: bool = False,
) -> str:
    """Words with a halo; `colour` may name a second class."""
    heavy = " wb-bold" if bold else ""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text x="{x:.1f}" y="{y:.1f}"{side} class="wb-{colour}{heavy} wb-halo">'
        f"{escape(minus(words), quote=False)}</text>"
    )


def fit(name: str, most: int) -> str:
    """A name cut in its middle."""
    if len(name) <= most:
        return name
    kept = most - 1
    return f"{name[: kept // 2]}…{name[-(kept - kept // 2) :]}"


def fit_end(words: str, most: int) -> str:
    """The same for "name 1.23": the number stays whole."""
    name, _, value = words.rpartition(" ")
    return f"{fit(name, max(4, most - len(value) - 1))} {value}"
