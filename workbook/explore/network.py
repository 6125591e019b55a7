"""A multi-layer perceptron drawn as what it is: neurons in columns, weights between."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from workbook.explore import svg
from workbook.explore.base import Explorable, Page, Refused, refusal
from workbook.explore.page import WIDTH
from workbook.style import number

TALL, RADIUS = 250.0, 13.0
MOST = 12  # neurons of a layer that still fit

Weights = list[list[list[float]]]  # layer, neuron, input


def network_graph(net: Any) -> Explorable:
    """Draw an MLP: a circle for each neuron, a line for each weight.

    net: has .layers; a layer has .neurons; a neuron has .w (a list of numbers or
    Values) and .b. Orange lines are weights above zero, blue and dashed ones below;
    the thicker, the larger. Your network is only read.
    """
    try:
        weights, biases = _read(net)
    except Refused as reason:
        return refusal(reason)
    return Explorable(lambda: _page(weights, biases))


def _read(net: Any) -> tuple[Weights, int]:
    """The weights, and how many biases there are."""
    try:
        layers = [list(layer.neurons) for layer in net.layers]
        weights = [[[_plain(w) for w in n.w] for n in layer] for layer in layers]
        biases = sum(hasattr(n, "b") for layer in layers for n in layer)
    except (AttributeError, TypeError, ValueError):
        raise Refused(
            "network_graph() draws a network of .layers with .neurons with weights "
            f".w: not a {type(net).__name__}."
        ) from None
    sizes = [len(weights[0][0]) if weights and weights[0] else 0]
    sizes += [len(layer) for layer in weights]
    if not all(0 < size <= MOST for size in sizes):
        raise Refused(
            f"This network has layers of {' and '.join(map(str, sizes))}; the picture "
            f"draws 1 to {MOST}."
        )
    return weights, biases


def _plain(weight: Any) -> float:
    return float(getattr(weight, "data", weight))


def _page(weights: Weights, biases: int) -> Page:
    sizes = [len(weights[0][0]), *map(len, weights)]
    count = sum(len(neuron) for layer in weights for neuron in layer)
    places = [_column(i, size, len(sizes)) for i, size in enumerate(sizes)]
    return Page(
        title=f"{' → '.join(map(str, sizes))}: {count} weights and {biases} biases",
        look="Each circle right of the inputs is a neuron: it weighs all that arrives, "
        "adds its bias, and squashes the sum. Orange is a weight above zero, dashed "
        "blue one below; the thicker, the larger.",
        body=_lines(weights, places) + _circles(places),
        height=TALL + 46,
        header=("from", "to", "weights", "mean size of a weight"),
        rows=[_row(i, layer) for i, layer in enumerate(weights)],
    )


def _row(i: int, layer: list[list[float]]) -> tuple[str, ...]:
    sizes = [abs(w) for neuron in layer for w in neuron]
    before = f"layer {i - 1}" if i else "the inputs"
    mean = number(sum(sizes) / len(sizes), 3)
    return (before, f"layer {i}", str(len(sizes)), mean)


def _column(i: int, size: int, columns: int) -> list[svg.Point]:
    """The middles of a layer's circles."""
    x = 70 + (WIDTH - 140) * i / (columns - 1)
    gap = min(58.0, TALL / size)
    return [(x, 18 + TALL / 2 + gap * (k - (size - 1) / 2)) for k in range(size)]


def _lines(weights: Weights, places: list[list[svg.Point]]) -> str:
    largest = max(abs(w) for layer in weights for neuron in layer for w in neuron)
    drawn = []
    for layer, (before, here) in zip(weights, pairwise(places), strict=True):
        for neuron, end in zip(layer, here, strict=True):
            for w, start in zip(neuron, before, strict=True):
                wide = 0.5 + 3 * abs(w) / (largest or 1.0)
                colour, dash = ("positive", "") if w > 0 else ("forward", "6 3")
                drawn.append(svg.path([start, end], colour, wide, dash or None))
    return "".join(drawn)


def _circles(places: list[list[svg.Point]]) -> str:
    drawn, last = [], len(places) - 1
    for i, column in enumerate(places):
        name = f"layer {i - 1}" if i else "inputs"
        name += ", the output" if i == last else ""
        drawn += [svg.dot(x, y, "ink", RADIUS, hollow=True) for x, y in column]
        x = column[0][0]
        drawn.append(svg.text(x, TALL + 38, name, "soft", 12.5, "middle"))
        if i == 0:
            drawn += [
                svg.text(x, y + 4, f"x{k}", "ink", 12, "middle", halo=False)
                for k, (x, y) in enumerate(column, 1)
            ]
    return "".join(drawn)
