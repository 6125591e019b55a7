"""What the picture of a run shows, as plain data: the same for every face.

The widget draws a scene as SVG, `still` draws it with matplotlib, `words` says it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbook.live.measure import histogram, stuck_word, where_stuck
from workbook.live.observer import Layer, Observation, Parameter, Seen
from workbook.live.recorder import Series
from workbook.style import number

if TYPE_CHECKING:
    from workbook.live.run import Run

Point = tuple[float, float]
Taken = tuple[int, int, float, float]  # first and last line of text, from x to x

LEAST = 1e-290  # below it a float loses digits: drawn as zero
ROWS = 7  # layers in a panel, at most
LINES = 7  # parameters in the panel of updates, at most
TARGET = -3.0  # log10 of update to data: a rule of thumb for a good pace
DEV = ("dev", "val", "valid", "validation")
COLOURS = ("forward", "positive", "backward", "reference")  # for other names
GROWTH = 1.25  # by so much the axis of the steps grows, when it does
LEVELS = 15  # lines of text that fit into the panel of losses
LETTER = 0.0125  # the width of a letter there, in widths of the panel


@dataclass(frozen=True)
class Look:
    """How somebody looks at a run. layer: a layer's name, or "" for all alike."""

    layer: str = ""
    log: bool = False


@dataclass(frozen=True)
class Line:
    """A named line, its colour by meaning, and what stands at its end."""

    name: str
    colour: str
    points: list[Point]
    end: str = ""
    picked: bool = False


@dataclass(frozen=True)
class Event:
    """Something that happened at a step. kind: "turn" (the learning rate was set by
    hand), "trouble" (a loss is not finite), "above" (a value lies outside) or "end".
    level: the line of text, from the top, on which its words collide with nothing.
    late: the words stand before the step.
    """

    kind: str
    step: float
    words: str
    level: int
    late: bool


@dataclass(frozen=True)
class Losses:
    """The panel of losses. With `log`, `ylim` are exponents of ten.

    band: (step, lowest, highest). cloud: single values.
    """

    xlim: Point
    ylim: Point
    log: bool
    lines: list[Line]
    cloud: list[Point] = field(default_factory=list)
    band: list[tuple[float, float, float]] = field(default_factory=list)
    references: list[tuple[str, float]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """A histogram with its name and its numbers; no heights where it is not finite."""

    name: str
    cells: tuple[str, ...]
    heights: list[float]
    picked: bool = False


@dataclass(frozen=True)
class Rows:
    """Histograms below each other on one axis."""

    limits: Point
    header: tuple[str, ...]
    rows: list[Row]


@dataclass(frozen=True)
class Stuck:
    """One layer's examples (down) and units (across), and which are stuck.

    word: what stuck means for this layer. dead: units that are so for every example.
    """

    name: str
    word: str
    cells: list[list[bool]]
    share: float
    dead: int


@dataclass(frozen=True)
class Updates:
    """Update-to-data ratios, log10, over the steps."""

    xlim: Point
    ylim: Point
    lines: list[Line]


# ------------------------------------------------------------------ losses


def losses(run: Run, look: Look) -> Losses:
    """The losses so far, their limits, and what happened on the way."""
    named = [(name, s) for name, s in run.recorder.series.items() if s.buckets]
    log = look.log and all(s.low > LEAST for _, s in named)
    lines = _coloured([(name, s, _drawn(name, s)) for name, s in named])
    band, cloud = _spread_of(dict(named).get("loss"))
    ylim, above = _heights(lines, band, run.references, log)
    xlim = (0.0, _reach(run))
    happened = _happened(run, named, above)
    return Losses(
        xlim=xlim,
        ylim=ylim,
        log=log,
        lines=lines,
        cloud=[(x, y) for x, y in cloud if not log or y > 0],
        band=band,
        references=list(run.references.items()),
        events=_placed(happened, xlim, _named_at(run.references, ylim, log)),
    )


def _drawn(name: str, series: Series) -> list[Point]:
    """The smoothed line of the loss; of any other name the values as logged."""
    if name == "loss":
        return series.smoothed()
    return [(b.step, b.mean) for b in series.buckets]


def _coloured(named: Iterable[tuple[str, Series, list[Point]]]) -> list[Line]:
    lines, others = [], iter(COLOURS * 9)
    for name, series, points in named:
        if name == "loss":
            colour = "train"
        elif name in DEV:
            colour = "valid"
        else:
            colour = next(others)
        word = "train" if name == "loss" else name
        lines.append(Line(word, colour, points, f"{word} {short(series.now)}"))
    return lines


def _spread_of(
    loss: Series | None,
) -> tuple[list[tuple[float, float, float]], list[Point]]:
    """Where the single losses lie: their limits, and some of themselves."""
    if loss is None:
        return [], []
    buckets = [b for b in loss.buckets if b.count]
    cloud = [(b.step, b.sample) for b in buckets if math.isfinite(b.sample)]
    if loss.width == 1:  # each value is a dot of its own
        return [], cloud
    return [(b.step, b.low, b.high) for b in buckets], cloud


def _heights(
    lines: list[Line],
    band: list[tuple[float, float, float]],
    references: dict[str, float],
    log: bool,
) -> tuple[Point, float | None]:
    """Limits that show the run, and not only its first moments."""
    values = [y for line in lines for _, y in line.points if math.isfinite(y)]
    if not values:
        return (0.0, 1.0), None
    low, high = min(values), max(values)
    inner = [x for _, a, b in band for x in (a, b)] or values
    low, top = min(low, *inner), max(high, *inner)
    above = None
    if not log:
        high, above = _without_start(sorted(inner), low, top)
    else:
        high = top
    for value in references.values():
        if (value > 0 or not log) and _near(value, low, high):
            low, high = min(low, value), max(high, value)
    return _with_room(low, high, log), above


def _without_start(ordered: list[float], low: float, top: float) -> Point | tuple:
    """The highest value to show: 97 of 100 are below it, if the rest towers over it."""
    usual = ordered[int(0.97 * (len(ordered) - 1))]
    if top - low > 2.5 * (usual - low) > 0 and len(ordered) > 20:
        return usual + 0.35 * (usual - low), top
    return top, None


def _near(value: float, low: float, high: float) -> bool:
    """Whether a reference can be shown without making the run look flat."""
    reach = max(high - low, 0.05 * abs(high)) or 1.0
    return low - 1.2 * reach <= value <= high + 1.2 * reach


def _with_room(low: float, high: float, log: bool) -> Point:
    if log:
        low, high = math.log10(low), math.log10(high)
    wide, far = (x if x > LEAST else 0.0 for x in (high - low, abs(high)))
    room = 0.06 * wide or 0.1 * far or 0.5
    if not log and low >= 0 and low - room < 0.12 * high:
        return 0.0, high + room
    return low - room, high + room


def _reach(run: Run) -> float:
    """The last step on the axis: the run's end, or that divided by 1.25, once more, ...

    So the line fills four fifths of the axis at least, and the axis holds still.
    """
    if run.over:
        return float(max(1, run.recorder.done))
    reach = float(run.steps)
    while reach / GROWTH >= max(run.recorder.done, 10):
        reach /= GROWTH
    return reach


def _happened(
    run: Run, named: list[tuple[str, Series]], above: float | None
) -> list[tuple[str, float, str]]:
    """(kind, step, words) of what is to be told, in the order of the steps."""
    told = [("turn", t.step, f"lr {number(t.lr, 2)}") for t in run.turns]
    for name, series in named:
        if series.trouble:
            words = f"{name} is {trouble(run, name)}"
            told.append(("trouble", series.trouble[0], words))
    if above is not None:
        told.append(("above", 0, f"↑ {number(above, 3)}"))
    if run.over and run.state != "finished":
        word = run.reason if run.state == "failed" else run.state
        told.append(("end", run.step, word))
    return sorted(told, key=lambda event: event[1])


def _placed(
    happened: list[tuple[str, float, str]], xlim: Point, taken: list[Taken]
) -> list[Event]:
    """Each event on the first line of text that is free around its step."""
    events, taken = [], list(taken)
    for kind, step, words in happened:
        across, wide = step / xlim[1], len(words) * LETTER
        late = across > 0.7
        span = (across - wide, across) if late else (across, across + wide)
        level = next(
            i for i in range(99) if all(_apart(i, span, other) for other in taken)
        )
        taken.append((level, level, *span))
        events.append(Event(kind, step, words, level, late))
    return events


def _apart(level: int, span: Point, other: Taken) -> bool:
    first, last, start, end = other
    return level < first or level > last or span[0] >= end or span[1] <= start


def _named_at(references: dict[str, float], ylim: Point, log: bool) -> list[Taken]:
    """Where the names of references stand: at the right, above their lines."""
    taken = []
    for name, value in references.items():
        if log and value <= 0:
            continue
        height = math.log10(value) if log else value
        down = (ylim[1] - height) / (ylim[1] - ylim[0]) * LEVELS
        down = min(max(down, 1.0), float(LEVELS))
        wide = (len(name) + 6) * LETTER
        taken.append((math.floor(down - 1.2), math.ceil(down - 0.2), 1 - wide, 1.0))
    return taken


# ------------------------------------------------------------------ layers


def activations(seen: Observation | None, look: Look) -> Rows | None:
    """What the layers give: the non-linear ones, or all where there is none."""
    if seen is None:
        return None
    all_ = [layer for layer in seen.layers if layer.output]
    shown = [layer for layer in all_ if layer.is_bent] or all_
    if not shown:
        return None
    picked = _picked_output(seen, shown, look.layer)
    if picked and picked not in shown:
        shown = [layer for layer in all_ if layer in shown or layer is picked]
    shown = _some(shown, picked, ROWS)
    words = {stuck_word(_kind(layer)) for layer in shown} - {""}
    stuck = (words.pop() if len(words) == 1 else "stuck",) if words else ()
    rows = [(x.name, x.output, x is picked) for x in shown]
    return _rows(rows, ("mean", "std", *stuck), _output_cells, bounded=True)


def gradients(seen: Observation | None, look: Look) -> Rows | None:
    """The gradients of the weights, or of all parameters where none is a matrix."""
    if seen is None:
        return None
    shown = [(layer, p) for layer, p in _weights(seen) if p.gradient]
    if not shown:
        return None
    picked = _picked_weight(seen, shown, look.layer)
    some = _some([p for _, p in shown], picked, ROWS)
    rows = [(p.name, p.gradient, p is picked) for p in some]
    return _rows(rows, ("mean", "std"), _gradient_cells, bounded=False)


def saturation(seen: Observation | None, look: Look) -> Stuck | None:
    """Where the picked layer is flat, or else the first that can be."""
    if seen is None:
        return None
    shown = [x for x in seen.layers if x.corner is not None and stuck_word(_kind(x))]
    shown = [x for x in shown if x.is_bent]
    if not shown:
        return None
    picked = _picked_output(seen, shown, look.layer)
    layer = picked if picked in shown else shown[0]
    where = where_stuck(layer.corner, _kind(layer))  # (N, H)
    share, dead = where.float().mean().item(), int(where.all(0).sum())
    return Stuck(layer.name, stuck_word(_kind(layer)), where.tolist(), share, dead)


def updates(run: Run, look: Look) -> Updates | None:
    """How far each step moves the weights, as a share of their size."""
    if run.seen is None or not run.ratios:
        return None
    shown = [(layer, p) for layer, p in _weights(run.seen) if p.name in run.ratios]
    picked = _picked_weight(run.seen, shown, look.layer)
    some = _some([p for _, p in shown], picked, LINES)
    lines = []
    for parameter in some:
        buckets = run.ratios[parameter.name].buckets
        points = [(b.step, b.mean) for b in buckets]
        end = f"{parameter.name} {points[-1][1]:.1f}"
        is_picked = parameter is picked
        lines.append(Line(parameter.name, "backward", points, end, is_picked))
    if not lines:
        return None
    values = [y for line in lines for _, y in line.points] + [TARGET]
    ylim = math.floor(min(values) * 2 - 0.2) / 2, math.ceil(max(values) * 2 + 0.2) / 2
    return Updates((0, _reach(run)), ylim, lines)


def layer_names(seen: Observation | None) -> list[str]:
    """The layers that somebody may want to look at."""
    if seen is None:
        return []
    shown = [x for x in seen.layers if x.output and x.is_bent]
    shown += [layer for layer, _ in _weights(seen)]
    found = [x for x in seen.layers if x in shown]
    return [x.name for x in found or seen.layers if x.output or x.parameters]


def _weights(seen: Observation) -> list[tuple[Layer, Parameter]]:
    found = [(layer, p) for layer in seen.layers for p in layer.parameters]
    return [(layer, p) for layer, p in found if p.is_matrix] or found


def _picked_output(seen: Observation, shown: list[Layer], name: str) -> Layer | None:
    """The layer of that name; where it is none of those shown, the next one after."""
    names = [layer.name for layer in seen.layers]
    if name not in names:
        return None
    later = seen.layers[names.index(name) :]
    here = later[0]
    if here in shown or not any(layer in shown for layer in later):
        return here if here.output else None
    return next(layer for layer in later if layer in shown)


def _picked_weight(
    seen: Observation, shown: list[tuple[Layer, Parameter]], name: str
) -> Parameter | None:
    """The weights of that layer, or of the last one before that has any."""
    names = [layer.name for layer in seen.layers]
    if name not in names:
        return None
    earlier = seen.layers[: names.index(name) + 1]
    found = [p for layer, p in shown if layer in earlier]
    return found[-1] if found else None


def _some(items: Sequence, picked: object, most: int) -> list:
    """At most so many, evenly spread, first and last and the picked one among them."""
    if len(items) <= most:
        return list(items)
    places = {round(i * (len(items) - 1) / (most - 1)) for i in range(most)}
    if picked in items:
        places.add(items.index(picked))
    return [items[i] for i in sorted(places)]


def _rows(named: list, header: tuple[str, ...], cells, bounded: bool) -> Rows:
    limits = _limits([seen for _, seen, _ in named], bounded)
    rows = [
        Row(name, cells(seen)[: len(header)], _bars(seen, limits), picked)
        for name, seen, picked in named
    ]
    return Rows(limits, header, rows)


def _bars(seen: Seen, limits: Point) -> list[float]:
    return histogram(seen.numbers, *limits) if seen.spread.finite else []


def _limits(seen: list[Seen], bounded: bool) -> Point:
    """One axis for all rows, symmetric, a round number: it holds still."""
    finite = [s.spread for s in seen if s.spread.finite]
    if not finite:
        return -1.0, 1.0
    if bounded and all(s.low >= -1 and s.high <= 1 for s in finite):
        return (0.0 if all(s.low >= 0 for s in finite) else -1.0), 1.0
    wide = max(min(max(abs(s.low), s.high), abs(s.mean) + 3 * s.std) for s in finite)
    top = _round_up(wide or 1.0)
    return (0.0 if all(s.low >= 0 for s in finite) else -top), top


def _round_up(value: float) -> float:
    unit = 10.0 ** math.floor(math.log10(value))
    return next(m * unit for m in (1, 1.5, 2, 3, 5, 7, 10) if m * unit >= value * 0.999)


def _output_cells(seen: Seen) -> tuple[str, ...]:
    s = seen.spread
    stuck = "" if s.stuck is None else percent(s.stuck)
    return _two(s.mean), _two(s.std), stuck


def _gradient_cells(seen: Seen) -> tuple[str, ...]:
    return tiny(seen.spread.mean), tiny(seen.spread.std)


def _kind(layer: Layer) -> str:
    return layer.kind or "bounded"


# ------------------------------------------------------------------ numbers as words


def short(value: float, digits: int = 3) -> str:
    """A number with `digits` significant ones; NaN and infinity by their names."""
    return number(value, digits) if math.isfinite(value) else odd(value)


def _two(value: float) -> str:
    """Two decimals where that says something; large numbers shorter."""
    if not math.isfinite(value):
        return odd(value)
    if abs(value) < 100:
        return f"{value:.2f}".replace("-0.00", "0.00")
    return number(value, 2)


def tiny(value: float) -> str:
    """Two digits, as a power of ten where it is small: 2.6e-3."""
    if not math.isfinite(value):
        return odd(value)
    if value == 0 or 0.01 <= abs(value) < 1000:
        return number(value, 2)
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def percent(share: float) -> str:
    """A share as a percentage; below 10 with one decimal."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.1f} %"


def trouble(run: Run, name: str) -> str:
    """The first value that is no number, and since when: "NaN from step 120"."""
    step, value = run.recorder.series[name].trouble or (0, 0.0)
    exact = name != "loss" or run.every == 1
    return f"{odd(value)} {'from' if exact else 'at the latest from'} step {step:,}"


def odd(value: float) -> str:
    """NaN or infinity in letters."""
    return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
