"""Two moons: how a small network's boundary bends while it learns.

frames = []
for step in range(40):
    loss = train_step()
    frames.append(explore.record_boundary(model, points, labels, step, loss))
explore.two_moons(points, labels, frames)
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from time import perf_counter
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import (
    Choice,
    Control,
    Explorable,
    Page,
    Refused,
    Steps,
    refusal,
)
from workbook.explore.svg import Panel
from workbook.style import FORWARD, POSITIVE, number

Points = Sequence[Sequence[float]]
Box = tuple[float, float, float, float]  # low x, high x, low y, high y

MARGIN = 0.35  # data units around the points
PACE = 350  # ms a frame while playing
PATIENCE = 0.08  # seconds to train before the picture answers
FINE = 4  # a square of the grid is cut so fine, both ways, around a point
STRONGEST = 0.62  # opacity of the most certain colour


LOOK = (
    "The line is where the score is zero; the deeper the colour, the surer the "
    "model is."
)
LATER = "Still training towards this step: move the slider to go on. "


class Frame(NamedTuple):
    """What the model says at one step: plain numbers, so that it costs no memory.

    values: rows of scores over the box around the points, the lowest y first.
    """

    step: int
    loss: float | None
    accuracy: float | None  # share of points on their side, 0 to 1
    values: list[list[float]]


Frames = Sequence[Frame] | Callable[[], Iterable[Frame]]


def record_boundary(
    model: Callable[[list[float]], Any],
    points: Points,
    labels: Sequence[float] | None = None,
    step: int = 0,
    loss: Any = None,
    grid: int = 18,
) -> Frame:
    """One frame for `two_moons`: the model's score on a grid around the points.

    With `labels`, a square of the grid in which the line would pass a point on the
    wrong side is asked again four times as fine; what is between is interpolated. So
    each point is drawn on the side on which the model has it (unless two points of
    different sides share one of the smallest squares).

    model: takes [x, y], gives a number, a Value, a tensor of one element, or a list
    of one of them. It is called grid² times, and once a point where `labels` are
    given (positive or not); its gradients are not asked for.
    """
    x0, x1, y0, y1 = box_around(points)
    across = [x0 + (x1 - x0) * i / (grid - 1) for i in range(grid)]
    up = [y0 + (y1 - y0) * i / (grid - 1) for i in range(grid)]
    values = [[_score(model, x, y) for x in across] for y in up]
    accuracy, step = None, int(step)
    if labels is not None:
        scores = [_score(model, float(x), float(y)) for x, y in _listed(points)]
        accuracy = _accuracy(scores, labels)
        spots = _spots(points, grid)
        values = _mended(
            values, spots, scores, lambda x, y: _score(model, x, y), points
        )
    return Frame(step, None if loss is None else _plain(loss), accuracy, values)


Spot = tuple[float, float]  # row and column on the grid, whole at its corners


def _spots(points: Points, grid: int) -> list[Spot]:
    """Where the points lie on a grid over the box around them."""
    x0, x1, y0, y1 = box_around(points)
    return [
        ((grid - 1) * (y - y0) / (y1 - y0), (grid - 1) * (x - x0) / (x1 - x0))
        for x, y in _listed(points)
    ]


def _mended(
    values: list[list[float]],
    spots: list[Spot],
    scores: list[float],
    score: Callable[[float, float], float],
    points: Points,
) -> list[list[float]]:
    """The values, finer where the line would leave a point on the wrong side."""
    wrong = _misdrawn(values, spots, scores)
    if not wrong:
        return values
    squares = {_square(values, spots[i]) for i in wrong}
    x0, x1, y0, y1 = box_around(points)
    fine = _finer(values)
    high, wide = len(fine) - 1, len(fine[0]) - 1
    for row, column in {
        (FINE * r + i, FINE * c + k)
        for r, c in squares
        for i in range(FINE + 1)
        for k in range(FINE + 1)
    }:
        x, y = x0 + (x1 - x0) * column / wide, y0 + (y1 - y0) * row / high
        fine[row][column] = score(x, y)
    spots = [(FINE * row, FINE * column) for row, column in spots]
    for i in _misdrawn(fine, spots, scores):  # nearer to the line than a fine square
        row, column = _square(fine, spots[i])
        for r, c in ((0, 0), (0, 1), (1, 0), (1, 1)):
            fine[row + r][column + c] = scores[i]
    return fine


def _finer(values: list[list[float]]) -> list[list[float]]:
    """The same grid with FINE steps for each one, straight lines between."""

    def between(a: Sequence[float], b: Sequence[float], share: float) -> list[float]:
        return [p + share * (q - p) for p, q in zip(a, b, strict=True)]

    def stretched(rows: list[list[float]]) -> list[list[float]]:
        cut = [between(a, b, i / FINE) for a, b in pairwise(rows) for i in range(FINE)]
        return [*cut, list(rows[-1])]

    across = stretched([list(column) for column in zip(*values, strict=True)])
    return stretched([list(row) for row in zip(*across, strict=True)])


def _misdrawn(
    values: list[list[float]], spots: list[Spot], scores: list[float]
) -> list[int]:
    """The points that lie on the wrong side of the drawn line."""
    return [
        i
        for i, (spot, score) in enumerate(zip(spots, scores, strict=True))
        if _is_drawn_positive(values, spot) != (score > 0)
    ]


def _square(values: list[list[float]], spot: Spot) -> tuple[int, int]:
    """The lower left corner of the square that a spot lies in."""
    row, column = int(spot[0]), int(spot[1])
    return min(row, len(values) - 2), min(column, len(values[0]) - 2)


def _is_drawn_positive(values: list[list[float]], spot: Spot) -> bool:
    """The side of a spot: that of a corner, changed by each line on the way there."""
    row, column = _square(values, spot)
    corners = [(row + r, column + c) for r in (0, 1) for c in (0, 1)]
    surest = max(corners, key=lambda at: abs(values[at[0]][at[1]]))  # off the line
    flips = sum(_cross(surest, spot, *cut) for cut in _cuts(values, row, column))
    return (values[surest[0]][surest[1]] > 0) != bool(flips % 2)


def _cross(a: Spot, b: Spot, c: Spot, d: Spot) -> bool:
    """Whether the lines from a to b and from c to d cross."""

    def left(p: Spot, q: Spot, r: Spot) -> bool:
        return (q[0] - p[0]) * (r[1] - p[1]) > (q[1] - p[1]) * (r[0] - p[0])

    return left(a, b, c) != left(a, b, d) and left(c, d, a) != left(c, d, b)


def two_moons(
    points: Points,
    labels: Sequence[float],
    frames: Frames | Mapping[str, Frames] | None = None,
    *,
    model: Callable[[list[float]], Any] | None = None,
    train_step: Callable[[], Any] | None = None,
    steps: int = 40,
    grid: int = 18,
) -> Explorable:
    """Slide through the training, or play it: the boundary, and the loss beside it.

    points: (N, 2); labels: positive or not. Then one of:
    frames: a list of `record_boundary(...)`, or a function that makes it; a dict of
        such lists by name adds a switch, with and without zero_grad for instance;
    model and train_step: the frames are made as you move on. train_step() makes one
        step and returns the loss. Where it takes long, recorded frames are smoother.
    """
    labels = [_plain(label) for label in _listed(labels)]
    points = [(float(x), float(y)) for x, y in _listed(points)]
    if train_step is not None and model is not None:
        trained = _Training(model, train_step, points, labels, steps, grid)
        return _moons(points, labels, {"": trained}, still=0)
    if frames is None:
        raise ValueError("two_moons() needs frames, or a model and its train_step")
    named = frames if isinstance(frames, Mapping) else {"": frames}
    try:
        runs: dict[str, _Run] = {name: _Recorded(f) for name, f in named.items()}
    except Refused as reason:
        return refusal(reason)
    return _moons(points, labels, runs, still=max(run.last for run in runs.values()))


def _moons(
    points: Points, labels: list[float], runs: dict[str, _Run], still: int
) -> Explorable:
    first = next(iter(runs))

    def draw(step: int, run: str = first) -> Page:
        return _page(points, labels, runs[run], step)

    last = max(run.last for run in runs.values())
    controls: list[Control] = [Steps("step", "frame", last, play=PACE)]
    if len(runs) > 1:
        controls.append(Choice("run", "", [(name, name) for name in runs], first))
    return Explorable(draw, *controls, still={"step": still})


class _Recorded:
    """Frames that are there, from a list or from a function that makes it."""

    def __init__(self, given: Frames) -> None:
        made = given() if callable(given) else given
        self.frames = [Frame(*frame) for frame in made]
        if not self.frames:
            raise Refused("There is no frame to show: record at least one step.")
        self.last = len(self.frames) - 1

    def upto(self, index: int) -> list[Frame]:
        """All frames: they are there already."""
        return self.frames


class _Training:
    """Frames made on demand: one training step each, in order."""

    def __init__(
        self,
        model: Callable[[list[float]], Any],
        train_step: Callable[[], Any],
        points: Points,
        labels: list[float],
        steps: int,
        grid: int,
    ) -> None:
        self.last = steps
        self._step = train_step
        self._record = lambda step, loss: record_boundary(
            model, points, labels, step, loss, grid
        )
        self.frames: list[Frame] = []

    def upto(self, index: int) -> list[Frame]:
        """Train towards frame `index`, at least one step, for as long as one waits."""
        began = perf_counter()
        while len(self.frames) <= index:
            step = len(self.frames)
            loss = self._step() if step else None
            self.frames.append(self._record(step, loss))
            if perf_counter() - began > PATIENCE:
                break
        return self.frames


_Run = _Recorded | _Training


def _page(points: Points, labels: list[float], run: _Run, index: int) -> Page:
    frames = run.upto(index)
    behind = index >= len(frames) and isinstance(run, _Training)
    index = min(index, len(frames) - 1)
    frame = frames[index]
    plane = _plane(points)
    return Page(
        title=_claim(frame),
        look=(LATER if behind else "") + LOOK,
        body=_surface(plane, frame, _scale(frames))
        + plane.axes("", "", [], [])
        + _marks(plane, points, labels)
        + _losses(frames, index, run.last, plane.bottom),
        height=plane.bottom + 38,
        header=("step", "loss", "accuracy"),
        rows=[_row(f) for f in _sparse(frames, index)],
    )


def _claim(frame: Frame) -> str:
    if frame.accuracy is None:
        return f"The boundary after step {frame.step}"
    return f"Step {frame.step}: {_percent(frame.accuracy)} of the points on their side"


def _percent(share: float) -> str:
    return f"{number(100 * share, 3)} %"


def _row(frame: Frame) -> tuple[str, str, str]:
    loss = "" if frame.loss is None else number(frame.loss, 4)
    accuracy = "" if frame.accuracy is None else _percent(frame.accuracy)
    return (str(frame.step), loss, accuracy)


def _sparse(frames: list[Frame], index: int) -> list[Frame]:
    """Some eight frames over the whole run, the one in the picture among them."""
    every = max(1, len(frames) // 7)
    chosen = sorted({*range(0, len(frames), every), index, len(frames) - 1})
    return [frames[i] for i in chosen]


def _plane(points: Points) -> Panel:
    """Axes for the points, one unit as long across as up."""
    x0, x1, y0, y1 = box_around(points)
    width = 388.0
    height = min(320.0, max(200.0, width * (y1 - y0) / (x1 - x0)))
    return Panel(8, 14, width, height, (x0, x1), (y0, y1))


def _surface(plane: Panel, frame: Frame, scale: float) -> str:
    """The scores as a smooth picture, the line where they are zero on top."""
    wide = plane.width / (len(frame.values[0]) - 1)  # one pixel of the image
    high = plane.height / (len(frame.values) - 1)
    image = svg.tag(
        "image",
        x=plane.left - wide / 2,
        y=plane.top - high / 2,
        width=plane.width + wide,
        height=plane.height + high,
        preserveAspectRatio="none",
        href=f"data:image/png;base64,{_png(frame.values, scale)}",
    )
    edge = svg.curve(_zero_line(plane, frame.values), "ink", 2)
    rim = (plane.left, plane.top, plane.width, plane.height)
    return plane.clip(image + edge) + svg.box(*rim, "paper", 0, 0, "faint")


def _marks(plane: Panel, points: Points, labels: list[float]) -> str:
    """A disc for each positive point, a square for the others."""
    marks = []
    for (x, y), label in zip(points, labels, strict=True):
        px, py = plane.x(x), plane.y(y)
        if label > 0:
            marks.append(svg.dot(px, py, "positive", 4.2))
        else:
            marks.append(svg.box(px - 5.2, py - 5.2, 10.4, 10.4, "paper", None, 2))
            marks.append(svg.box(px - 3.9, py - 3.9, 7.8, 7.8, "forward", None, 1))
    return "".join(marks)


def _losses(frames: list[Frame], index: int, last: int, bottom: float) -> str:
    """The loss against the step, the frame of the picture marked."""
    known = [(f.step, f.loss) for f in frames if f.loss is not None]
    frame = frames[index]
    left, width = 458, 172
    told = [
        svg.text(left, 30, f"step {frame.step}", "soft", 13, halo=False),
        _big(left, 62, frame.loss and number(frame.loss, 3), "loss", "train"),
        _big(
            left + 96,
            62,
            frame.accuracy is not None and _percent(frame.accuracy),
            "right",
            "ink",
        ),
    ]
    if len(known) < 2:
        return "".join(told)
    highest = max(loss for _, loss in known)
    end = max(last, known[-1][0])
    panel = Panel(left, 122, width, bottom - 122, (0, end), (0, 1.08 * highest))
    path = svg.path(panel.points(*zip(*known, strict=True)), "train", 2)
    here = frame.loss is not None and svg.dot(
        panel.x(frame.step), panel.y(frame.loss), "backward", 5
    )
    return "".join(
        [*told, panel.axes("step", "loss", svg.ticks(0, end, 4)), path, here or ""]
    )


def _big(x: float, y: float, value: Any, word: str, colour: str) -> str:
    """A number to read from afar, its name under it."""
    if not value:
        return ""
    return svg.text(x, y, value, colour, 22, bold=True, halo=False) + svg.text(
        x, y + 17, word, "soft", 12, halo=False
    )


def box_around(points: Points) -> Box:
    """The rectangle that a boundary is recorded on: the points and a margin."""
    points = _listed(points)
    xs, ys = [float(p[0]) for p in points], [float(p[1]) for p in points]
    return min(xs) - MARGIN, max(xs) + MARGIN, min(ys) - MARGIN, max(ys) + MARGIN


def _scale(frames: list[Frame]) -> float:
    """The score drawn in full colour: four in five of the last frame's are below."""
    scores = sorted(abs(value) for row in frames[-1].values for value in row)
    return scores[int(0.8 * (len(scores) - 1))] or 1.0


def _png(values: list[list[float]], scale: float) -> str:
    """The scores as a tiny image, one pixel each, for the browser to smooth.

    Blue where negative, orange where positive, clear at zero: so it suits a light
    and a dark page. Returns base64.
    """
    raw = bytearray()
    for row in reversed(values):
        raw.append(0)  # no filter on this line
        for value in row:
            colour = bytes.fromhex((POSITIVE if value > 0 else FORWARD)[1:])
            alpha = STRONGEST * min(1.0, abs(value) / scale)
            raw += colour + bytes([round(255 * alpha)])
    size = struct.pack(">2I5B", len(values[0]), len(values), 8, 6, 0, 0, 0)
    chunks = [(b"IHDR", size), (b"IDAT", zlib.compress(bytes(raw))), (b"IEND", b"")]
    return b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))).decode()


def _chunk(named: tuple[bytes, bytes]) -> bytes:
    name, body = named
    check = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + check


def _zero_line(plane: Panel, values: list[list[float]]) -> str:
    """Path data of the line where the scores change sign (marching squares).

    Between two neighbouring grid points of different sign the line crosses where a
    straight line through both scores is zero; each square joins its crossings.
    """
    rows, columns = len(values), len(values[0])

    def spot(row: float, column: float) -> svg.Point:
        x = plane.left + plane.width * column / (columns - 1)
        return x, plane.bottom - plane.height * row / (rows - 1)

    words = []
    for row, column in ((r, c) for r in range(rows - 1) for c in range(columns - 1)):
        for start, end in _cuts(values, row, column):
            (x0, y0), (x1, y1) = spot(*start), spot(*end)
            words.append(f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}")
    return "".join(words)


def _cuts(values: list[list[float]], row: int, column: int) -> list[tuple[Spot, Spot]]:
    """The one or two lines through a square, from side to side; none in most."""
    corners = [(row, column), (row, column + 1)]
    corners += [(row + 1, column + 1), (row + 1, column)]
    crossed = [
        _crossing(a, b, values[a[0]][a[1]], values[b[0]][b[1]])
        for a, b in pairwise([*corners, corners[0]])
        if (values[a[0]][a[1]] > 0) != (values[b[0]][b[1]] > 0)
    ]
    return list(zip(crossed[::2], crossed[1::2], strict=True))


def _crossing(
    a: tuple[int, int], b: tuple[int, int], va: float, vb: float
) -> tuple[float, float]:
    share = va / (va - vb)
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def _score(model: Callable[[list[float]], Any], x: float, y: float) -> float:
    return _plain(model([x, y]))


def _plain(found: Any) -> float:
    """A float from a number, a Value, a tensor of one element or a list of one."""
    if isinstance(found, (list, tuple)):
        found = found[0]
    found = found.item() if hasattr(found, "item") else getattr(found, "data", found)
    return float(found)


def _accuracy(scores: list[float], labels: Sequence[float]) -> float:
    right = [
        (score > 0) == (_plain(label) > 0)
        for score, label in zip(scores, _listed(labels), strict=True)
    ]
    return sum(right) / len(right)


def _listed(values: Any) -> Any:
    """A plain list, also from an array or a tensor."""
    return values.tolist() if hasattr(values, "tolist") else values
