"""Explorables of lesson 1: a slope by two points, and a neuron that saturates.

The graph that fires closure by closure is in stepper.py, the boundary between two
moons in moons.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from workbook.explore import svg
from workbook.explore.base import Explorable, Page, Refused, Slider, refusal
from workbook.explore.svg import Panel
from workbook.style import number

Function = Callable[[float], Any]

REACH = 2.5  # the curve is drawn this far on both sides of x
STEPS = [10 ** (-16 + i / 4) for i in range(65)]  # each h of the slider, 1e-16 to 1
FLOOR = 1e-14  # an error below it is drawn as if it were this


def tangent_probe(
    f: Function, x: float = 3.0, derivative: Function | None = None
) -> Explorable:
    """Slide x and h: the secant's slope nears the tangent's, until rounding wins.

    f: a function of one float. derivative: its derivative where you know it; without
    one the true slope comes from a complex step, or from central differences.

        explore.tangent_probe(lambda x: 3 * x**2 - 4 * x + 5, x=3.0)
    """
    probe = _Tangent(f, float(x), derivative)
    return Explorable(
        probe.page,
        Slider("x", "x", x - REACH + 0.5, x + REACH - 0.5, 0.05, x),
        Slider("h", "h", -16, 0, 0.25, 1.0, log=True, show=".0e"),
    )


class _Tangent:
    """The curve, computed once, and the page of each x and h."""

    def __init__(self, f: Function, x: float, derivative: Function | None) -> None:
        self.f = f
        self.derivative = derivative
        self.xs = [x - REACH + 2 * REACH * i / 160 for i in range(161)]
        self.ys: list[float] = []
        self.errors: dict[float, list[tuple[float, float]]] = {}

    def page(self, x: float, h: float) -> Page:
        y = _value(self.f, x)
        if not math.isfinite(y):
            raise Refused(f"f({number(x)}) has no value: move x to where f is defined.")
        true = true_slope(self.f, x, self.derivative)
        secant, central = _secant(self.f, x, h), _central(self.f, x, h)
        numbers = {
            "x": x,
            "f(x)": y,
            "h": h,
            "slope of the tangent": true,
            "slope of the secant": secant,
            "central difference": central,
            "error of the secant": abs(secant - true),
            "error of the central difference": abs(central - true),
        }
        return Page(
            title=self._claim(x, h, abs(secant - true)),
            look="Move h to the left. The error falls with h, then rises again: "
            "f(x + h) and f(x) agree in nearly all their digits, and their "
            "difference keeps only the noise of rounding.",
            body=self._curve(x, y, h, secant, true) + self._errors(x, h, true),
            height=312,
            header=("quantity", "value"),
            rows=[(name, _digits(name, value)) for name, value in numbers.items()],
        )

    def _claim(self, x: float, h: float, error: float) -> str:
        step = f"With h = {_step_words(h)}"
        if x + h == x:
            return f"{step} nothing moves: x + h is x"
        pairs = self._error_pairs(x, true_slope(self.f, x, self.derivative))
        best = min(
            (forward, step_) for step_, (forward, _) in zip(STEPS, pairs, strict=True)
        )
        if h < best[1] / 2 and error > 4 * best[0]:
            return f"{step} rounding takes over: the slope is off by {number(error, 2)}"
        return f"{step} the secant's slope is off by {number(error, 2)}"

    def _panel(self) -> Panel:
        """Axes for the curve; they stay where they are while x and h move."""
        self.ys = self.ys or [_value(self.f, x) for x in self.xs]
        known = sorted(y for y in self.ys if math.isfinite(y))
        if not known:
            raise Refused("f has no value near this x: give the probe another x.")
        low, high = known[len(known) // 50], known[-1 - len(known) // 50]
        room = 0.12 * (high - low) or 1.0
        limits = (self.xs[0], self.xs[-1])
        return Panel(44, 26, 340, 240, limits, (low - room, high + room))

    def _curve(self, x: float, y: float, h: float, secant: float, true: float) -> str:
        panel = self._panel()
        inside = [
            svg.path(panel.points(self.xs, self.ys), "forward", 2.5),
            _through_point(panel, x, y, true, "reference", 1.75, "6 4"),
            _through_point(panel, x, y, secant, "backward", 2),
        ]
        marks = svg.dot(panel.x(x + h), panel.y(_value(self.f, x + h)), "backward", 5)
        marks += svg.dot(panel.x(x), panel.y(y), "forward", 5.5)
        return (
            panel.axes("x", "f(x)")
            + self._run(panel, x, h)
            + panel.clip("".join(inside) + marks)
            + _legend(panel, secant, true)
        )

    def _run(self, panel: Panel, x: float, h: float) -> str:
        """Lines down from both points, and the h between them."""
        ends = [panel.x(v) for v in (x, x + h)]
        tops = [panel.y(_value(self.f, v)) for v in (x, x + h)]
        low = panel.bottom
        drops = "".join(
            svg.line((end, min(top, low)), (end, low), "reference", 1, "2 3")
            for end, top in zip(ends, tops, strict=True)
            if math.isfinite(top)
        )
        bar = svg.line((ends[0], low), (min(ends[1], panel.right), low), "backward", 4)
        middle = (ends[0] + min(ends[1], panel.right)) / 2
        wide = ends[1] - ends[0] > 16
        name = svg.text(middle, low - 7, "h", "backward", 13, "middle", bold=True)
        return drops + bar + (name if wide else "")

    def _error_pairs(self, x: float, true: float) -> list[tuple[float, float]]:
        """(error of the secant, error of the central difference) for each h."""
        if x not in self.errors:
            self.errors = {
                x: [
                    (
                        abs(_secant(self.f, x, h) - true),
                        abs(_central(self.f, x, h) - true),
                    )
                    for h in STEPS
                ]
            }
        return self.errors[x]

    def _errors(self, x: float, h: float, true: float) -> str:
        panel = Panel(462, 26, 168, 240, (-16.4, 0.4), (-14, 2.5), True, True)
        forward, central = zip(*self._error_pairs(x, true), strict=True)
        forward, central = ([max(e, FLOOR) for e in es] for es in (forward, central))
        now = max(abs(_secant(self.f, x, h) - true), FLOOR)
        best, least = (STEPS[es.index(min(es))] for es in (forward, central))
        yticks = [10.0**e for e in (-12, -8, -4, 0)]
        noise = panel.x(best) - panel.left
        return (
            svg.box(panel.left, panel.top, noise, panel.height, "reference", 0.12)
            + panel.axes("h", "error of the slope", [1e-15, 1e-10, 1e-5, 1.0], yticks)
            + panel.clip(
                svg.path(panel.points(STEPS, central), "reference", 1.5, "2 3")
                + svg.path(panel.points(STEPS, forward), "backward", 2)
            )
            + svg.text(panel.left + 8, panel.bottom - 9, "rounding", "soft", 12)
            + _named_curve(panel, least, min(central))
            + svg.text(
                panel.right, panel.top - 9, "secant", "backward", 12, "end", True
            )
            + svg.line(
                (panel.x(h), panel.top), (panel.x(h), panel.bottom), "reference", 1
            )
            + svg.dot(panel.x(h), panel.y(now), "backward", 5.5)
        )


def _named_curve(panel: Panel, h: float, error: float) -> str:
    """The word at the lowest point of the central difference's error."""
    x = max(min(panel.x(h), panel.right - 22), panel.left + 90)
    return svg.text(
        x, min(panel.y(error) + 16, panel.bottom - 9), "central", "soft", 12, "middle"
    )


def _step_words(h: float) -> str:
    return number(h, 2) if h >= 1e-3 else svg.power(h)


def _digits(name: str, value: float) -> str:
    """Slopes with all the digits that can agree, sizes with three."""
    return number(value, 3 if name == "h" or "error" in name else 9)


def _through_point(
    panel: Panel,
    x: float,
    y: float,
    slope: float,
    colour: str,
    width: float,
    dash: str = "",
) -> str:
    ends = panel.xlim
    points = panel.points(ends, [y + slope * (end - x) for end in ends])
    return svg.path(points, colour, width, dash or None)


def _legend(panel: Panel, secant: float, true: float) -> str:
    """The two slopes, written in the corner in the lines' own colours."""
    left, top = panel.left + 14, panel.top + 8
    words = f"secant  {number(secant, 9)}"
    return (
        svg.line((left, top), (left + 22, top), "backward", 2)
        + svg.text(left + 30, top + 4, words, "backward", 13.5, bold=True)
        + svg.line((left, top + 22), (left + 22, top + 22), "reference", 1.75, "6 4")
        + svg.text(left + 30, top + 26, f"tangent  {number(true, 9)}", "soft", 13.5)
    )


def _value(f: Function, x: float) -> float:
    """f(x) as a float; NaN where f has no value. Values and tensors give their data."""
    try:
        found = f(x)
        return float(getattr(found, "data", found))
    except (ArithmeticError, ValueError):
        return math.nan


def _secant(f: Function, x: float, h: float) -> float:
    return (_value(f, x + h) - _value(f, x)) / h


def _central(f: Function, x: float, h: float) -> float:
    return (_value(f, x + h) - _value(f, x - h)) / (2 * h)


def true_slope(f: Function, x: float, derivative: Function | None = None) -> float:
    """The slope of f at x, to ten digits or better.

    From `derivative` if given; else the imaginary part of f(x + ih)/h, which
    subtracts nothing and so loses nothing; where f takes no complex numbers, or the
    two disagree, central differences with their leading errors taken out.
    """
    if derivative is not None:
        return _value(derivative, x)
    rough = _extrapolated(f, x)
    try:
        fine = complex(f(complex(x, 1e-30))).imag / 1e-30
    except (TypeError, AttributeError, ArithmeticError, ValueError):
        return rough
    return fine if abs(fine - rough) <= 1e-6 * max(1.0, abs(rough)) else rough


def _extrapolated(f: Function, x: float) -> float:
    """Richardson: three central differences, the errors in h² and h⁴ taken out."""
    h = 2.0**-9 * max(1.0, abs(x))
    a, b, c = (_central(f, x, h / 2**i) for i in range(3))
    ab, bc = (4 * b - a) / 3, (4 * c - b) / 3
    return (16 * bc - ab) / 15


# One neuron, o = tanh(w·x + b).

SPAN = 6.0  # the activations drawn, -6 to 6


def saturation(
    x: Sequence[float] = (2.0, 0.0),
    w: Sequence[float] = (-3.0, 1.0),
    b: float = 6.8813735870195432,
) -> Explorable:
    """Slide the bias of one tanh neuron to its flat ends: no gradient reaches w.

    The neuron is o = tanh(k·(w·x) + b); k scales the weights. The start is the
    lecture's neuron: o = 0.7071, and the gradients of w are 1.0 and 0.0.
    """
    x, w = [float(v) for v in x], [float(v) for v in w]
    if not all(map(math.isfinite, [*x, *w, b])):
        return refusal(Refused("The neuron needs finite numbers for x, w and b."))

    def draw(b: float, k: float) -> Page:
        return _neuron(x, [k * weight for weight in w], b)

    middle = -sum(p * q for p, q in zip(x, w, strict=True))
    return Explorable(
        draw,
        Slider("b", "bias b", middle - SPAN, middle + SPAN, 0.05, b),
        Slider("k", "scale of w", 0.0, 2.0, 0.05, 1.0),
    )


def _neuron(x: list[float], w: list[float], b: float) -> Page:
    n = sum(p * q for p, q in zip(x, w, strict=True)) + b
    o = math.tanh(n)
    slope = 1 - o * o
    grads = {f"w{i}": value * slope for i, value in enumerate(x, 1)}
    numbers = {"n = w·x + b": n, "o = tanh(n)": o, "local gradient 1 - o²": slope}
    numbers |= {f"gradient of {name}": grad for name, grad in grads.items()}
    numbers |= {"gradient of b": slope}
    return Page(
        title=_awake(n, slope),
        look="Push the bias to either end. The output hardly changes there, and the "
        "same small slope multiplies everything that flows back: the weights stop "
        "learning.",
        body=_activation(n, o, slope) + _reaching(x, slope, grads),
        height=330,
        header=("quantity", "value"),
        rows=[(name, number(value, 4)) for name, value in numbers.items()],
    )


def _awake(n: float, slope: float) -> str:
    share = f"{number(100 * slope, 2)} %"
    if slope < 0.01:
        return f"Saturated: {share} of the gradient gets through"
    if slope < 0.2:
        return f"On the shoulder of tanh: {share} of the gradient gets through"
    return f"Awake: {share} of the gradient gets through"


def _activation(n: float, o: float, slope: float) -> str:
    """tanh with its tangent above, the local gradient below, one axis for both."""
    above = Panel(40, 24, 366, 138, (-SPAN, SPAN), (-1.4, 1.4))
    below = Panel(40, 206, 366, 82, (-SPAN, SPAN), (0, 1.1))
    ns = [-SPAN + SPAN * i / 80 for i in range(161)]
    outs = [math.tanh(v) for v in ns]
    bump = below.points(ns, [1 - v * v for v in outs])
    at, reach = max(-SPAN, min(SPAN, n)), 1.3
    foot = (below.x(-SPAN), below.y(0)), (below.x(SPAN), below.y(0))
    touch = above.points(
        [at - reach, at + reach], [o - reach * slope, o + reach * slope]
    )
    flat = "".join(
        svg.box(above.x(v), above.top, 3 * above.width / 12, 264, "reference", 0.1)
        for v in (-SPAN, SPAN - 3)
    )
    return (
        flat
        + above.axes("", "o = tanh(n)", [], [-1, 0, 1])
        + below.axes("n = w·x + b", "local gradient 1 − o²", None, [0, 1])
        + svg.line(
            (above.x(at), above.y(o)), (above.x(at), below.bottom), "reference", 1
        )
        + svg.area([foot[0], *bump, foot[1]], "backward", 0.12)
        + svg.path(bump, "backward", 2)
        + svg.path(above.points(ns, outs), "forward", 2.5)
        + above.clip(svg.path(touch, "backward", 3))
        + svg.dot(above.x(at), above.y(o), "forward", 6)
        + svg.dot(below.x(at), below.y(slope), "backward", 6)
        + svg.text(above.left + 8, above.bottom - 8, "flat", "soft", 12)
        + svg.text(above.right - 8, above.bottom - 8, "flat", "soft", 12, "end")
        + _output(above, at, o)
    )


def _output(panel: Panel, n: float, o: float) -> str:
    """The output's number, on the empty side of the curve."""
    side = 1 if n >= 0 else -1
    out = side * ((abs(n) < 3) - (abs(n) > 5))  # outwards, centred, inwards
    x, y = panel.x(n) + 12 * out, panel.y(o) + (24 if side > 0 else -14)
    anchor = {1: "start", 0: "middle", -1: "end"}[out]
    return svg.text(x, y, f"o = {number(o, 3)}", "forward", 13.5, anchor, bold=True)


def _reaching(x: list[float], slope: float, grads: dict[str, float]) -> str:
    """What arrives at each weight, against what an open gate would let through."""
    full = max([1.0, *map(abs, x)])
    left, width, marks = 452, 176, []
    bars = [
        ("1 − o²", 1.0, slope),
        *(
            (f"{name}.grad = {number(value, 3)}·(1 − o²)", value, grads[name])
            for (name, value) in zip(grads, x, strict=True)
        ),
    ]
    for i, (words, limit, grad) in enumerate(bars[:4]):
        y = 24 + 68 * i
        long, short = (width * abs(v) / full for v in (limit, grad))
        marks += [
            svg.text(left, y + 2, words, "soft", 12.5, halo=False),
            svg.box(left, y + 10, max(long, 1), 18, "reference", 0.18, 3),
            svg.box(left, y + 10, short, 18, "backward", None, 3),
            svg.text(
                left, y + 45, number(grad, 4), "backward", 14, bold=True, halo=False
            ),
        ]
    return "".join(marks)
