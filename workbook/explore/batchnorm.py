"""Explorables of lesson 4: what sticks, what fades, and what a batch does to a number.

The lines of the updates, and one example in many batches, are in updates.py and
jitter.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import (
    Choice,
    Control,
    Explorable,
    Page,
    Refused,
    Slider,
    refusal,
)
from workbook.explore.svg import Panel
from workbook.live import measure
from workbook.style import number

EDGE = measure.EDGE  # a tanh beyond it counts as saturated
MOST = (32, 200)  # examples and units in the image
ROWS = 6  # layers in a picture

# --- What sticks ------------------------------------------------------------------


class Bend(NamedTuple):
    """A non-linear function, its range in the picture, and where it is stuck."""

    of: Callable[[float], float]
    limits: tuple[float, float]
    stuck: Callable[[float], bool]
    word: str


BENDS = {
    "tanh": Bend(math.tanh, (-1.0, 1.0), lambda h: abs(h) > EDGE, "saturated"),
    "sigmoid": Bend(
        lambda x: 0.5 + 0.5 * math.tanh(x / 2),
        (0.0, 1.0),
        lambda h: abs(2 * h - 1) > EDGE,
        "saturated",
    ),
    "ReLU": Bend(lambda x: max(0.0, x), (0.0, 1.0), lambda h: h <= 0, "zero"),
}


def saturation_image(pre: Any) -> Explorable:
    """Scale and shift the inputs of a layer of units: where do they stick, which die?

    pre: (N, H), what goes into the non-linear function, N examples and H units; the
        first 32 examples and 200 units are drawn.
    """
    rows = pre.tolist() if hasattr(pre, "tolist") else pre
    if not rows or not isinstance(rows[0], (list, tuple)) or not rows[0]:
        return refusal(Refused("The image needs examples and units: a shape (N, H)."))
    rows = [row[: MOST[1]] for row in rows[: MOST[0]]]
    if not all(math.isfinite(x) for row in rows for x in row):
        return refusal(Refused("Some inputs of the layer are not finite."))

    def draw(scale: float, shift: float, bend: str) -> Page:
        return _stuck_page(rows, scale, shift, bend)

    return Explorable(
        draw,
        Slider("scale", "inputs ×", -1.5, 1, 0.05, 1.0, log=True),
        Slider("shift", "shifted by", -12, 12, 0.5, 0.0, show=".1f"),
        Choice("bend", "", [(name, name) for name in BENDS], "tanh"),
        still={"scale": 10**-0.7},
    )


def _stuck_page(rows: list[list[float]], scale: float, shift: float, bend: str) -> Page:
    kind = BENDS[bend]
    h = [[kind.of(scale * x + shift) for x in row] for row in rows]
    stuck = [[kind.stuck(x) for x in row] for row in h]
    units, count = len(h[0]), len(h) * len(h[0])
    share = sum(map(sum, stuck)) / count
    dead = sum(all(column) for column in zip(*stuck, strict=True))
    outputs = [x for row in h for x in row]
    told = {
        "inputs, std": number(scale * _std([x for row in rows for x in row]), 3),
        "outputs, mean": number(fmean(outputs), 3),
        "outputs, std": number(_std(outputs), 3),
        kind.word: _percent(share),
        "stuck for all examples": f"{dead} of {units} units",
    }
    return Page(
        title=f"{bend}: {_percent(share)} of the outputs {kind.word}, "
        f"{dead} of {units} units dead",
        look="Dark: the function is flat there, and no gradient gets through. A unit "
        "whose column is dark from top to bottom learns from none of these examples. "
        "The bars below are all outputs together.",
        body=_image(stuck) + _outputs(outputs, kind, bend),
        height=374,
        header=("quantity", "value"),
        rows=list(told.items()),
    )


def _image(stuck: list[list[bool]]) -> str:
    """Examples down, units across, in stretches of dark; dead units marked below."""
    left, top, wide, tall = 8.0, 22.0, 624.0, 188.0
    across, down = wide / len(stuck[0]), tall / len(stuck)
    d = []
    for row, cells in enumerate(stuck):
        y, start = top + row * down, None
        for i, cell in enumerate([*cells, False]):
            if cell and start is None:
                start = i
            elif not cell and start is not None:
                length = (i - start) * across
                d.append(
                    f"M{left + start * across:.1f} {y:.1f}h{length:.1f}v{down:.1f}"
                    f"h-{length:.1f}z"
                )
                start = None
    marks = [svg.text(left, 14, "units across, examples down", "soft", 12, halo=False)]
    marks.append(_filled("".join(d), "ink"))
    marks.append(svg.box(left, top, wide, tall, "paper", 0, edge="reference"))
    for i, column in enumerate(zip(*stuck, strict=True)):
        if all(column):
            x = left + i * across
            marks.append(svg.box(x, top + tall + 2, max(across, 2), 7, "backward"))
    return "".join(marks)


def _outputs(outputs: list[float], kind: Bend, bend: str) -> str:
    """All outputs as bars, the flat ends shaded."""
    low, high = kind.limits[0], max(kind.limits[1], *outputs)
    bins = 60
    counts = [0] * bins
    for x in outputs:
        counts[
            min(bins - 1, int(bins * (min(max(x, low), high) - low) / (high - low)))
        ] += 1
    most = max(counts)
    panel = Panel(8, 262, 624, 78, (low, high), (0, most))
    wide = panel.width / bins
    bars = []
    for i, count in enumerate(counts):
        middle = low + (i + 0.5) * (high - low) / bins
        flat = kind.stuck(middle) or (bend == "ReLU" and i == 0)
        tall = panel.height * count / most
        x = panel.left + i * wide
        colour = "ink" if flat else "forward"
        bars.append(svg.box(x, panel.bottom - tall, wide - 1, tall, colour, 0.85))
    last = [low, 0.0, high] if low < 0 else svg.ticks(low, high, 6)
    words = svg.text(8, 250, "all outputs", "forward", 12.5, "start", True, halo=False)
    return words + "".join(bars) + panel.scale(last) + _floor(panel)


def _filled(d: str, colour: str) -> str:
    if not d:
        return ""
    return svg.tag(
        "path",
        d=d,
        class_=f"wb-{colour}",
        color=svg.LIGHT[colour],
        fill="currentColor",
        opacity=0.8,
    )


def _floor(panel: Panel) -> str:
    return svg.line((panel.left, panel.bottom), (panel.right, panel.bottom), "faint", 1)


# --- What fades -------------------------------------------------------------------

Push = Callable[[int, float, str], Sequence[Any]]


def layer_histograms(
    push: Push, bends: Sequence[str] = ("tanh", "ReLU", "linear"), depth: int = 5
) -> Explorable:
    """Change gain, depth and non-linearity; see what each layer gives and gets back.

    push(depth, gain, bend): sends inputs through so many fresh layers and a gradient
        back, and returns the layers' outputs in their order, each with its `grad`.
    bends: the names that `push` knows.
    """
    names = list(bends)
    if not names:
        return refusal(Refused("There is no function to choose: pass in some names."))

    def draw(gain: float, depth: float, bend: str) -> Page:
        outputs = list(push(int(depth), gain, bend))
        if not outputs:
            raise Refused("No layer gave an output: push should return a list of them.")
        layers = [_seen(i, out, bend) for i, out in enumerate(outputs, 1)]
        return _layers_page(layers, gain, bend)

    controls: list[Control] = [
        Slider("gain", "gain", 0.2, 3.0, 0.05, 1.0),
        Slider("depth", "layers", 2, 20, 1, float(depth), show=".0f"),
    ]
    if len(names) > 1:
        controls.append(Choice("bend", "", [(n, n) for n in names], names[0]))
        return Explorable(draw, *controls)
    return Explorable(lambda gain, depth: draw(gain, depth, names[0]), *controls)


class Flow(NamedTuple):
    """What one layer gives, and what comes back to it."""

    layer: int
    out: Any  # samples
    grad: Any
    std: float
    back: float
    stuck: float | None


def _seen(layer: int, out: Any, bend: str) -> Flow:
    numbers, grad = measure.sample(out), measure.sample(getattr(out, "grad", None))
    if numbers is None or grad is None:
        raise Refused(
            f"Layer {layer} has no gradient: call retain_grad() on its output and "
            "backward() at the end."
        )
    spread = measure.spread(numbers, bend)
    back = measure.deviation(grad)
    return Flow(layer, numbers, grad, spread.std, back, spread.stuck)


def _layers_page(layers: list[Flow], gain: float, bend: str) -> Page:
    first, last = layers[0], layers[-1]
    forward = _course(last.std / first.std if first.std else math.nan)
    backward = _course(first.back / last.back if last.back else math.nan)
    stuck = measure.stuck_word(bend)
    if stuck == "saturated" and last.stuck is not None and last.stuck > 0.3:
        forward = "saturates"
    header = ["layer", "outputs std", "gradients std"]
    if stuck:
        header.insert(2, stuck)
    rows = []
    for flow in layers:
        cells = [str(flow.layer), number(flow.std, 3), _tiny(flow.back)]
        if stuck:
            cells.insert(2, _percent(flow.stuck or 0.0))
        rows.append(cells)
    return Page(
        title=f"{bend}, gain {gain:.2f}: forward it {forward}, back it {backward}",
        look="Left, from top to bottom: what each layer gives, in blue. Right, to be "
        "read from the bottom upwards: the gradient on its way back, in orange. Good "
        "is what looks the same in every row.",
        body=_flow_rows(layers, stuck),
        height=44 + 54 * min(len(layers), ROWS) + 34,
        header=header,
        rows=rows,
    )


def _course(ratio: float) -> str:
    """What a signal does on its way: its size at the end over that at the start."""
    if not math.isfinite(ratio):
        return "breaks off"
    if ratio < 0.6:
        return f"fades (×{_tiny(ratio)})"
    return f"grows (×{_tiny(ratio)})" if ratio > 1.7 else "keeps its size"


def _flow_rows(layers: list[Flow], stuck: str) -> str:
    """Both histograms of up to ROWS layers, with their numbers."""
    shown = _some(layers, ROWS)
    outer = _reach([flow.std for flow in shown], bool(stuck) and stuck != "zero")
    inner = _reach([flow.back for flow in shown], False)
    marks = [
        svg.text(64, 16, "outputs", "forward", 13, "start", True, halo=False),
        svg.text(296, 16, "std", "soft", 12, "end", halo=False),
        svg.text(360, 16, stuck, "soft", 12, "end", halo=False),
        svg.text(400, 16, "gradients", "backward", 13, "start", True, halo=False),
        svg.text(632, 16, "std", "soft", 12, "end", halo=False),
    ]
    bottom = 30.0
    for flow in shown:
        bottom += 54
        marks.append(svg.text(8, bottom - 14, f"layer {flow.layer}", "ink", 12.5))
        told = [(296, number(flow.std, 2)), (632, _tiny(flow.back))]
        if stuck:
            told.append((360, _percent(flow.stuck or 0.0)))
        marks += [
            svg.text(x, bottom - 14, words, "ink", 12.5, "end") for x, words in told
        ]
        marks.append(
            _bars(flow.out, Panel(64, bottom - 46, 190, 44, outer, (0, 1)), "forward")
        )
        marks.append(
            _bars(
                flow.grad, Panel(400, bottom - 46, 168, 44, inner, (0, 1)), "backward"
            )
        )
    for left, wide, limits in ((64, 190, outer), (400, 168, inner)):
        panel = Panel(left, 30, wide, bottom - 30, limits, (0, 1))
        marks.append(_limits_below(panel))
    return "".join(marks)


def _limits_below(panel: Panel) -> str:
    """The three numbers of an axis, in as few letters as they need."""
    marks = []
    for value in (panel.xlim[0], 0.0, panel.xlim[1]):
        x = panel.x(value)
        words = number(value, 2) if abs(value) >= 0.01 else _tiny(value)
        marks.append(
            svg.text(x, panel.bottom + 17, words, "soft", 11.5, "middle", halo=False)
        )
    return "".join(marks)


def _bars(numbers: Any, panel: Panel, colour: str) -> str:
    """A histogram as one shape on its line."""
    heights = measure.histogram(numbers, *panel.xlim)
    wide = panel.width / len(heights)
    points = [(panel.left, panel.bottom)]
    for i, height in enumerate(heights):
        y = panel.bottom - panel.height * (height if math.isfinite(height) else 0)
        points += [(panel.left + i * wide, y), (panel.left + (i + 1) * wide, y)]
    points.append((panel.right, panel.bottom))
    return svg.area(points, colour, 0.7) + _floor(panel)


def _reach(stds: list[float], bounded: bool) -> tuple[float, float]:
    """One axis for all rows, symmetric: it holds the widest of them."""
    known = [std for std in stds if math.isfinite(std) and std > 0]
    if bounded or not known:
        return -1.0, 1.0
    top = 3 * max(known)
    unit = 10.0 ** math.floor(math.log10(top))
    top = next(m * unit for m in (1, 1.5, 2, 3, 5, 7, 10) if m * unit >= top * 0.999)
    return -top, top


def _some(layers: list[Flow], most: int) -> list[Flow]:
    """At most so many, evenly spread, the first and the last among them."""
    if len(layers) <= most:
        return layers
    return [layers[round(i * (len(layers) - 1) / (most - 1))] for i in range(most)]


# --- What a batch does to a number ------------------------------------------------


def one_outlier(
    points: Any, normalise: Callable[[Any], Any], reach: float = 30.0
) -> Explorable:
    """Pull the last of a few numbers away: normalised, the others move as well.

    points: (N, 1), N examples of one unit. normalise: (N, 1) -> (N, 1), your own.
    """
    listed = [float(row[0]) for row in points.tolist()]
    if len(listed) < 2:
        return refusal(Refused("One number alone has no spread: pass in two or more."))
    before = _column(normalise(points))

    def draw(last: float) -> Page:
        moved = points.clone()
        moved[-1, 0] = last
        now = _column(normalise(moved))
        return _outlier_page([*listed[:-1], last], listed, now, before, reach)

    return Explorable(
        draw,
        Slider("last", "the last number", -reach, reach, 0.5, listed[-1], show=".1f"),
        still={"last": 0.8 * reach},
    )


def _column(found: Any) -> list[float]:
    return [float(row[0]) for row in found.tolist()]


def _outlier_page(
    raw: list[float],
    first: list[float],
    now: list[float],
    before: list[float],
    reach: float,
) -> Page:
    if not all(map(math.isfinite, now)):
        raise Refused("The normalised numbers are not finite.")
    others = now[:-1]
    width, was = max(others) - min(others), max(before[:-1]) - min(before[:-1])
    return Page(
        title=f"The last at {number(raw[-1], 3)}: the other {len(others)} lie within "
        f"{width:.2f}, at first {was:.2f}",
        look="Above are the numbers as they come, below the same ones normalised. "
        "Move the orange one: the blue ones stay above and move below, since mean and "
        "spread are those of all of them. Grey rings: where they were at first.",
        body=_two_lines(raw, now, before, reach),
        height=262,
        header=("example", "number", "normalised", "at first"),
        rows=[
            (str(i), number(x, 4), f"{y:.3f}", f"{z:.3f}")
            for i, (x, y, z) in enumerate(zip(raw, now, before, strict=True), 1)
        ],
    )


def _two_lines(
    raw: list[float], now: list[float], before: list[float], reach: float
) -> str:
    top, span = max(reach, max(map(abs, raw))), 2.6
    above = Panel(24, 34, 592, 40, (-1.05 * top, 1.05 * top), (0, 1))
    below = Panel(24, 158, 592, 40, (-span, span), (0, 1))
    marks = [
        svg.text(8, 14, "as they come", "soft", 12.5, halo=False),
        svg.text(8, 250, "normalised", "soft", 12.5, halo=False),
    ]
    for panel in (above, below):
        y = panel.top + panel.height / 2
        marks.append(svg.line((panel.left, y), (panel.right, y), "faint", 2))
    marks.append(_scale_at(above, svg.ticks(-top, top, 6), above.top - 4))
    marks.append(_scale_at(below, [-2, -1, 0, 1, 2], below.bottom))
    mid, low = above.top + 20, below.top + 20
    for x in before:
        marks.append(svg.dot(below.x(x), low, "reference", 7, hollow=True))
    for i, (x, y) in enumerate(zip(raw, now, strict=True)):
        colour = "backward" if i == len(raw) - 1 else "forward"
        ends = (above.x(x), mid), (below.x(y), low)
        marks.append(svg.line(*ends, colour, 1, "3 3"))
        marks.append(svg.dot(*ends[0], colour, 7))
        marks.append(svg.dot(*ends[1], colour, 7))
    return "".join(marks)


def _scale_at(panel: Panel, places: Sequence[float], y: float) -> str:
    return "".join(
        svg.text(panel.x(x), y + 12, number(x, 3), "soft", 11.5, "middle")
        for x in places
    )


# --- Shared -----------------------------------------------------------------------


def _std(values: Sequence[float]) -> float:
    mean = fmean(values)
    return math.sqrt(fmean((x - mean) ** 2 for x in values))


def _percent(share: float) -> str:
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.1f} %"


def _tiny(value: float) -> str:
    """Two digits; as a power of ten where it is far from 1."""
    if not math.isfinite(value):
        return "not finite"
    if value == 0 or 0.01 <= abs(value) < 1000:
        return number(value, 2)
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"
