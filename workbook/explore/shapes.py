"""Shapes on their way through the layers, and the axes that share a mean.

explore.shape_tracer(model, X)          # a model of .layers, contexts X (N, T)
explore.norm_axes((32, 4, 68))          # which numbers are averaged together
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

from workbook.explore import svg
from workbook.explore.base import (
    Choice,
    Explorable,
    Page,
    Refused,
    Steps,
    refusal,
)

Shape = tuple[int, ...]
LETTERS = ".abcdefghijklmnopqrstuvwxyz"
BATCHES = (1, 4, 32)
ROOM = 560.0  # pixels for all the numbers of one example


def words(shape: Shape) -> str:
    """A shape as Python writes it."""
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


# --- Through the layers -----------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """One layer, what went in and what came out, and what it keeps."""

    kind: str
    before: Shape
    after: Shape
    parameters: tuple[tuple[str, Shape], ...]
    buffers: tuple[tuple[str, Shape], ...]

    @property
    def count(self) -> int:
        """How many numbers it learns."""
        return sum(_product(shape) for _, shape in self.parameters)


def shape_tracer(model: Any, X: Any, layer: int = 0) -> Explorable:
    """Follow a batch through a model, layer by layer: shapes, weights, buffers.

    model: an object with .layers, or a list of layers, each of which can be called.
    X: contexts (N, T) of letter numbers; the first few are taken. Your model is
        read in its evaluation mode, and stays as it was.
    layer: the one to begin at, from 0.
    """
    try:
        layers = list(getattr(model, "layers", model))
        sizes = [n for n in BATCHES if n <= len(X)] or [len(X)]
        runs = {n: trace(layers, X[:n]) for n in sizes}
    except Exception as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        return refusal(Refused(f"The batch did not get through the layers: {said}"))
    picture = _Trace(runs, [int(i) for i in X[0]])
    start = sizes[min(1, len(sizes) - 1)]
    return Explorable(
        picture.page,
        Steps("layer", "layer", len(layers) - 1, layer),
        Choice("batch", "examples", [(str(n), n) for n in sizes], start),
    )


def trace(layers: list[Any], x: Any) -> list[Stage]:
    """The stages of a batch on its way through the layers, which stay as they are."""
    import torch

    stages = []
    with torch.no_grad(), _evaluating(layers):
        for layer in layers:
            before, x = tuple(x.shape), layer(x)
            learned, kept = _contents(layer)
            after = tuple(x.shape)
            stages.append(Stage(_kind(layer), before, after, learned, kept))
    return stages


@contextmanager
def _evaluating(layers: list[Any]) -> Iterator[None]:
    """All layers out of their training mode for a while, and back in it."""
    modes = [(layer, layer.training) for layer in layers if hasattr(layer, "training")]
    for layer, _ in modes:
        layer.training = False
    try:
        yield
    finally:
        for layer, mode in modes:
            layer.training = mode


def _kind(layer: Any) -> str:
    """The layer's class, and the number that it was made with, if it shows one."""
    name = type(layer).__name__
    joined = getattr(layer, "n", None)
    return f"{name}({joined})" if isinstance(joined, int) else name


Named = tuple[tuple[str, Shape], ...]


def _contents(layer: Any) -> tuple[Named, Named]:
    """Parameters and buffers of a layer: its own lists, or its tensors."""
    if hasattr(layer, "named_parameters"):
        learned = {name: tuple(p.shape) for name, p in layer.named_parameters()}
        held = layer.state_dict() if hasattr(layer, "state_dict") else {}
        kept = {n: tuple(t.shape) for n, t in held.items() if n not in learned}
        return tuple(learned.items()), tuple(kept.items())
    tensors = {
        name: value
        for name, value in vars(layer).items()
        if hasattr(value, "requires_grad") and name != "out"
    }
    learned = {n: tuple(t.shape) for n, t in tensors.items() if t.requires_grad}
    kept = {n: tuple(t.shape) for n, t in tensors.items() if not t.requires_grad}
    return tuple(learned.items()), tuple(kept.items())


def _product(shape: Shape) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


class _Trace:
    """The stages at several batch sizes, drawn one layer at a time."""

    def __init__(self, runs: dict[int, list[Stage]], letters: list[int]) -> None:
        self.runs = runs
        named = all(0 <= i < len(LETTERS) for i in letters)
        self.letters = [LETTERS[i] if named else str(i) for i in letters]
        stages = next(iter(runs.values()))
        self.most = max(_product(s.after[1:]) for s in stages)

    def page(self, layer: int, batch: int) -> Page:
        stages = self.runs[batch]
        stage = stages[layer]
        return Page(
            title=f"{stage.kind}: {words(stage.before)} → {words(stage.after)}",
            look=_look(stage),
            body=self._picture(stage),
            height=272,
            header=("layer", "out", "parameters", "buffers"),
            rows=[self._row(i, each, i == layer) for i, each in enumerate(stages)],
        )

    def _row(self, i: int, stage: Stage, here: bool) -> tuple[str, ...]:
        name = f"{'→ ' if here else ''}{i} {stage.kind}"
        learned = ", ".join(f"{n} {words(s)}" for n, s in stage.parameters)
        kept = ", ".join(f"{n} {words(s)}" for n, s in stage.buffers)
        return name, words(stage.after), learned or "none", kept or "none"

    def _picture(self, stage: Stage) -> str:
        before, after = self._boxes(stage.before), self._boxes(stage.after)
        marks = [
            self._caption(26, "in", stage.before),
            self._row_of(before, 40, "reference"),
            self._ways(before, after),
            self._row_of(after, 164, "forward"),
            self._caption(232, "out", stage.after),
            svg.text(320, 264, _keeps(stage), "ink", 13, "middle"),
        ]
        return "".join(marks)

    def _caption(self, y: float, side: str, shape: Shape) -> str:
        """The shape of one side in words, for one of the examples."""
        examples = f"{shape[0]} example{'s' * (shape[0] > 1)}"
        if len(shape) == 2 and shape[1] == len(self.letters) and side == "in":
            what = f"{examples} of {shape[1]} letters"
        elif len(shape) == 2:
            what = f"{examples} of {shape[1]} numbers"
        else:
            what = f"{examples}, {shape[1]} places, {shape[2]} numbers each"
        return svg.text(320, y, f"{side}: {what}", "soft", 13, "middle")

    def _boxes(self, shape: Shape) -> list[tuple[float, float, str]]:
        """Left edge, width and letters of each place of one example."""
        places, numbers = (1, 1, *shape[1:])[-2:]
        letters = len(shape) == 2 and numbers == len(self.letters)
        if letters:
            places, numbers = numbers, 0
        unit = (ROOM - 8 * places) / max(self.most, 1)
        wide = max(26.0 if places >= 4 else 78.0, numbers * unit)
        gap = 8.0
        total = places * wide + (places - 1) * gap
        span = len(self.letters) // places if places else 1
        return [
            (
                320 - total / 2 + i * (wide + gap),
                wide,
                "".join(self.letters[i * span : (i + 1) * span]),
            )
            for i in range(places)
        ]

    def _row_of(
        self, boxes: list[tuple[float, float, str]], y: float, colour: str
    ) -> str:
        marks = []
        for x, wide, letters in boxes:
            marks.append(svg.box(x, y, wide, 44, colour, 0.2, 4, colour, 1.5))
            size = 15 if len(letters) * 9 < wide else 11
            middle = x + wide / 2
            marks.append(
                svg.text(
                    middle, y + 27, letters, "ink", size, "middle", False, False, True
                )
            )
        return "".join(marks)

    def _ways(
        self,
        before: list[tuple[float, float, str]],
        after: list[tuple[float, float, str]],
    ) -> str:
        """From each place to the one that its numbers go to."""
        share = len(before) / len(after)
        marks = []
        for i, (x, wide, _) in enumerate(before):
            end, broad, _ = after[min(int(i / share), len(after) - 1)]
            part = (i % max(1, round(share)) + 0.5) / max(1, round(share))
            start = (x + wide / 2, 90)
            stop = (end + broad * part, 158)
            marks.append(svg.line(start, stop, "forward", 2))
            marks.append(_head(stop))
        return "".join(marks)


def _head(at: svg.Point) -> str:
    x, y = at
    return svg.area([(x - 4, y - 3), (x + 4, y - 3), (x, y + 4)], "forward", 1.0)


def _keeps(stage: Stage) -> str:
    """What a layer learns and what it remembers, in one line."""
    if not stage.parameters and not stage.buffers:
        return "nothing to learn"
    parts = [f"{n} {words(s)}" for n, s in (*stage.parameters, *stage.buffers)]
    return f"{' · '.join(parts[:4])} · {stage.count:,} to learn"


def _look(stage: Stage) -> str:
    """What happens to the numbers, read off the shapes and the weights."""
    if stage.kind.startswith("Embedding"):
        return (
            "Each letter becomes a row of the table. The shape of the batch stays, and "
            "the length of a row is added at its end."
        )
    if stage.buffers:
        return (
            "The shape stays. Compare the shapes of what the layer keeps with the "
            "number of channels, the last of the sizes: how many means does it hold?"
        )
    if stage.parameters:
        return (
            "Every place of every example meets the same matrix. Only the last of the "
            "sizes changes; all others are batch to it."
        )
    if stage.before == stage.after:
        return "Number by number: the shape stays, and nothing is learned."
    return (
        "The same numbers, read another way: neighbours are laid side by side. Nothing "
        "is computed, and no number moves in memory."
    )


# --- Which numbers share a mean ---------------------------------------------------

SHOWN = (5, 4, 3)  # examples, places, channels that are drawn
AXES = [
    ("0", (0,)),
    ("0, 1", (0, 1)),
    ("1", (1,)),
    ("2", (2,)),
]


def norm_axes(shape: Shape = (32, 4, 68)) -> Explorable:
    """Choose the axes of a mean over (B, T, C): the numbers that share it light up.

    shape: examples, places and channels of the tensor. Five examples, four places and
    three channels of it are drawn.
    """
    sizes = tuple(int(n) for n in shape)
    if len(sizes) != 3:
        return refusal(Refused("norm_axes() takes three sizes: examples, T and C."))
    drawn = tuple(min(a, b) for a, b in zip(SHOWN, sizes, strict=True))
    cells = list(product(*(range(n) for n in (drawn[2], drawn[1], drawn[0]))))

    def draw(axes: Shape, cell: int) -> Page:
        channel, place, example = cells[cell]
        return _axes_page(sizes, drawn, axes, (example, place, channel))

    return Explorable(
        draw,
        Choice("axes", "mean over", AXES, (0,)),
        Steps("cell", "number", len(cells) - 1),
    )


def _axes_page(sizes: Shape, drawn: Shape, axes: Shape, cell: Shape) -> Page:
    kept = tuple(1 if i in axes else n for i, n in enumerate(sizes))
    means = _product(kept)
    each = _product(sizes) // means
    whole = f"mean({', '.join(map(str, axes))})"
    return Page(
        title=f"{whole}: {means:,} means, each of {each:,} numbers",
        look=_axes_look(axes),
        body=_sheets(drawn, axes, cell),
        height=262,
        header=("mean over", "means", "numbers in each", "shape, keepdim"),
        rows=[_axes_row(sizes, words_, other) for words_, other in AXES],
    )


def _axes_row(sizes: Shape, said: str, axes: Shape) -> tuple[str, ...]:
    kept = tuple(1 if i in axes else n for i, n in enumerate(sizes))
    means = _product(kept)
    return said, f"{means:,}", f"{_product(sizes) // means:,}", words(kept)


def _axes_look(axes: Shape) -> str:
    return {
        (0,): "Blue are the numbers that share one mean with the ringed one: its own "
        "channel, its own place, in every example. Each place keeps a mean of its own.",
        (0, 1): "Blue are the numbers that share one mean with the ringed one: its "
        "channel, in every place of every example. This is a mean for each channel.",
        (1,): "Blue are the places of one channel in one example. No number of another "
        "example is in this mean: it is no statistic of the batch.",
        (2,): "Blue are the channels of one place in one example. That is the mean of "
        "LayerNorm: it does not need a batch at all.",
    }[axes]


def _sheets(drawn: Shape, axes: Shape, cell: Shape) -> str:
    """A sheet for each channel: a row for each example, a column for each place."""
    B, T, C = drawn
    wide, high, gap = 34.0, 30.0, 40.0
    left = 355 - (C * T * wide + (C - 1) * gap) / 2
    marks = []
    for c in range(C):
        corner = left + c * (T * wide + gap)
        said = f"channel {c}"
        marks.append(svg.text(corner + T * wide / 2, 22, said, "soft", 12.5, "middle"))
        for b, t in product(range(B), range(T)):
            x, y = corner + t * wide, 34 + b * high
            here = (b, t, c)
            lit = all(i in axes or here[i] == cell[i] for i in range(3))
            colour, strength = ("forward", 0.75) if lit else ("faint", 0.35)
            marks.append(
                svg.box(x + 1.5, y + 1.5, wide - 3, high - 3, colour, strength, 4)
            )
            if here == cell:
                marks.append(_border(x, y, wide, high))
        for t in range(T):
            x = corner + (t + 0.5) * wide
            marks.append(svg.text(x, 34 + B * high + 16, f"{t}", "soft", 12, "middle"))
    marks += [
        svg.text(left - 10, 34 + (b + 0.65) * high, f"example {b}", "soft", 12, "end")
        for b in range(B)
    ]
    end = 34 + B * high + 16
    marks.append(svg.text(left - 10, end, "place", "soft", 12, "end"))
    return "".join([*marks, _more(end)])


def _more(y: float) -> str:
    said = "and so on, for all examples and all channels"
    return svg.text(355, y + 30, said, "soft", 12.5, "middle")


def _border(x: float, y: float, wide: float, high: float) -> str:
    return svg.box(x, y, wide, high, "paper", 0.0, 5, "backward", 2.5)
