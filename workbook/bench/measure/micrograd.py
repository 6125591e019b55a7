"""Lesson 1: the README's expression, and the two moons of the demo."""

import random
from collections.abc import Iterator
from typing import Any

from workbook.bench.results import measurement
from workbook.checks.micrograd import moons
from workbook.given.micrograd import MLP, Value


@measurement("micrograd.readme_g", "micrograd.readme_da", "micrograd.readme_db")
def readme(quick: bool) -> Iterator[float]:
    """micrograd's README expression: its value and both derivatives."""
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = d + (d * 2 + (b + a).relu())
    d = d + (3 * d + (b - a).relu())
    e = c - d
    f = e**2
    g = f / 2.0 + 10.0 / f
    g.backward()
    yield from (g.data, a.grad, b.grad)


@measurement("micrograd.moons_accuracy")
def two_moons(quick: bool) -> Iterator[float]:
    """The demo's network, loss and schedule, on 100 points (20 when quick)."""
    points = moons(20 if quick else 100, random.Random(1337))
    net, steps = MLP(2, [16, 16, 1], act="relu", rng=random.Random(1337)), 100

    def loss() -> Any:
        margins = [(1 - label * net(x)).relu() for x, label in points]
        weights = sum(p * p for p in net.parameters())
        return sum(margins) / len(points) + 1e-4 * weights

    for step in range(steps):
        value = loss()
        net.zero_grad()
        value.backward()
        for p in net.parameters():
            p.data -= (1.0 - 0.9 * step / steps) * p.grad
    yield 100 * sum(net(x).data * label > 0 for x, label in points) / len(points)
