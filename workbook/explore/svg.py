"""The few marks an explorable draws with, as strings of SVG.

Colours are names (`forward`, `backward`, `reference`, ...) that the page's style sheet
resolves for the light and the dark theme; without a style sheet each mark still has
its light colour. No ids, so that many pictures can share a page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from workbook.style import BACKWARD, FORWARD, POSITIVE, REFERENCE, TRAIN, VALID

Point = tuple[float, float]

LIGHT = {  # name -> colour where no theme says otherwise
    "ink": "#222222",
    "soft": "#666666",
    "faint": "#DDDDDD",
    "paper": "#FFFFFF",
    "forward": FORWARD,
    "backward": BACKWARD,
    "train": TRAIN,
    "valid": VALID,
    "reference": REFERENCE,
    "positive": POSITIVE,
}
_MINUS = re.compile(r"(?<![\w)])-(?=[\d.])")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def tag(name: str, content: str = "", **attributes: object) -> str:
    """One element. `stroke_width=2` becomes stroke-width="2"; None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def text(
    x: float,
    y: float,
    words: str,
    colour: str = "ink",
    size: float = 13,
    anchor: str = "start",
    bold: bool = False,
    halo: bool = True,
    code: bool = False,
) -> str:
    """Words with their baseline at (x, y); `halo` clears what lies under them.

    code: in the type of code, each hyphen as it is.
    """
    kind = "wb-halo" if halo else None
    return tag(
        "text",
        escape(words if code else minus(words), quote=False),
        x=x,
        y=y,
        font_size=size,
        text_anchor=None if anchor == "start" else anchor,
        font_weight=600 if bold else None,
        font_family="var(--jp-code-font-family,monospace)" if code else None,
        class_=" ".join(filter(None, [f"wb-{colour}", kind])),
        color=LIGHT[colour],
        fill="currentColor",
    )


def line(
    start: Point,
    end: Point,
    colour: str = "ink",
    width: float = 1.5,
    dash: str | None = None,
) -> str:
    """A straight line between two points."""
    return path([start, end], colour, width, dash)


def path(
    points: Sequence[Point],
    colour: str = "ink",
    width: float = 2,
    dash: str | None = None,
    opacity: float | None = None,
) -> str:
    """A line through the points; a point that is not finite leaves a gap."""
    return curve(_through(points), colour, width, dash, opacity)


def curve(
    d: str,
    colour: str = "ink",
    width: float = 2,
    dash: str | None = None,
    opacity: float | None = None,
) -> str:
    """A line along any path data `d`."""
    if not d:
        return ""
    return tag(
        "path",
        d=d,
        class_=f"wb-{colour}",
        color=LIGHT[colour],
        fill="none",
        stroke="currentColor",
        stroke_width=width,
        stroke_dasharray=dash,
        stroke_linecap="round" if dash is None else None,
        stroke_linejoin="round",
        opacity=opacity,
    )


def area(points: Sequence[Point], colour: str, opacity: float = 0.15) -> str:
    """The closed shape through the points, filled."""
    d = _through(points)
    return tag(
        "path",
        d=d + "Z",
        class_=f"wb-{colour}",
        color=LIGHT[colour],
        fill="currentColor",
        opacity=opacity,
    )


def dot(
    x: float, y: float, colour: str = "ink", r: float = 5, hollow: bool = False
) -> str:
    """A round mark with a rim of paper; hollow: a ring around paper."""
    inner, rim = ("paper", colour) if hollow else (colour, "paper")
    ring = tag("circle", cx=x, cy=y, r=r + 1.5, **_filled(rim))
    return ring + tag("circle", cx=x, cy=y, r=r - 0.5 * hollow, **_filled(inner))


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    colour: str = "faint",
    opacity: float | None = None,
    radius: float = 0,
    edge: str | None = None,
    edge_width: float = 1,
) -> str:
    """A filled rectangle; `edge` names the colour of a drawn border."""
    filled = tag(
        "rect",
        x=x,
        y=y,
        width=max(0.0, width),
        height=height,
        rx=radius or None,
        opacity=opacity,
        **_filled(colour),
    )
    return filled + (_border(x, y, width, height, radius, edge, edge_width))


def cells(
    shares: Sequence[Sequence[float]],
    left: float,
    top: float,
    size: float,
    colour: str = "forward",
    levels: int = 24,
) -> str:
    """A matrix as squares of one colour: 0 leaves the paper, 1 is the full colour.

    Shares are rounded to so many levels and drawn one path a level, so that a map of
    729 cells stays small. What is not finite leaves the paper.
    """
    places: dict[int, list[str]] = {}
    for row, values in enumerate(shares):
        for column, share in enumerate(values):
            level = round(min(share, 1.0) * levels) if math.isfinite(share) else 0
            if level > 0:
                x, y = _short(left + column * size), _short(top + row * size)
                side = _short(size)
                square = f"M{x} {y}h{side}v{side}h-{side}z"
                places.setdefault(level, []).append(square)
    return "".join(
        tag("path", d="".join(d), opacity=level / levels, **_filled(colour))
        for level, d in sorted(places.items())
    )


def hit(
    x: float, y: float, width: float, height: float, control: str, index: int
) -> str:
    """A place of the picture that presses a button: the index-th of a `Choice`.

    The button stays the way in for keys and for screen readers; where no widget runs,
    a click does nothing.
    """
    press = (
        f"this.closest('.wb-x')?.querySelectorAll('.{pressed_by(control)} button')"
        f"[{index}]?.click()"
    )
    area_ = {"x": x, "y": y, "width": width, "height": height}
    return tag("rect", class_="wb-hit", fill="transparent", onclick=press, **area_)


def pressed_by(control: str) -> str:
    """The class of a control's buttons, by which a picture finds them."""
    return f"wb-of-{control}"


def minus(words: str) -> str:
    """A hyphen before a digit as the minus sign it stands for."""
    return _MINUS.sub("−", words)


def power(value: float) -> str:
    """A number as a power of ten where it is one: 0.001 is 10⁻³, 0.003 is 3·10⁻³."""
    if not value or not math.isfinite(value):
        return "0"
    mantissa, exponent = f"{value:.0e}".split("e")
    raised = f"10{str(int(exponent)).translate(_RAISED)}"
    return raised if mantissa == "1" else f"{mantissa}·{raised}"


@dataclass(frozen=True)
class Panel:
    """A rectangle of the picture with its own coordinates.

    `xlim`, `ylim`: the data shown. With `logx` or `logy` they are exponents of ten,
    and data are given as they are: y(0.01) is the height of -2.
    """

    left: float
    top: float
    width: float
    height: float
    xlim: tuple[float, float]
    ylim: tuple[float, float]
    logx: bool = False
    logy: bool = False

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def x(self, value: float) -> float:
        """Where a value lies across the picture."""
        value = _log(value, self.xlim[0]) if self.logx else value
        return self.left + self.width * _share(value, self.xlim)

    def y(self, value: float) -> float:
        """Where a value lies down the picture."""
        value = _log(value, self.ylim[0]) if self.logy else value
        return self.bottom - self.height * _share(value, self.ylim)

    def points(self, xs: Iterable[float], ys: Iterable[float]) -> list[Point]:
        """Data as points of the picture."""
        return [(self.x(x), self.y(y)) for x, y in zip(xs, ys, strict=True)]

    def clip(self, content: str) -> str:
        """The content, cut off at the panel's edges."""
        view = f"{_short(self.left)} {_short(self.top)} {_short(self.width)}"
        return tag(
            "svg",
            content,
            x=self.left,
            y=self.top,
            width=self.width,
            height=self.height,
            viewBox=f"{view} {_short(self.height)}",
            overflow="hidden",
        )

    def axes(
        self,
        xlabel: str = "",
        ylabel: str = "",
        xticks: Sequence[float] | None = None,
        yticks: Sequence[float] | None = None,
    ) -> str:
        """Faint grid lines with their numbers, and what the axes are."""
        yticks = ticks(*self.ylim, count=5) if yticks is None else yticks
        names = [
            text(self.right, self.bottom + 33, xlabel, "soft", 12, "end", halo=False),
            text(self.left, self.top - 9, ylabel, "soft", 12, halo=False),
        ]
        return (
            "".join(self._across(tick) for tick in yticks)
            + self.scale(xticks)
            + names[0] * bool(xlabel)
            + names[1] * bool(ylabel)
        )

    def scale(self, xticks: Sequence[float] | None = None, middle: bool = False) -> str:
        """The numbers across, under the panel; `middle` draws the line they are on."""
        if xticks is None:
            low, high = self.xlim
            xticks = ticks(low, high)
            if self.logx:
                xticks = [10.0**tick for tick in xticks if tick == int(tick)]
        marks = "".join(self._down(tick) for tick in xticks)
        if not middle:
            return marks
        y = (self.top + self.bottom) / 2
        return line((self.left, y), (self.right, y), "faint", 2) + marks

    def _across(self, tick: float) -> str:
        y, words = self.y(tick), power(tick) if self.logy else _tick_words(tick)
        grid = line((self.left, y), (self.right, y), "faint", 1)
        return grid + text(self.left - 7, y + 4, words, "soft", 11.5, "end", halo=False)

    def _down(self, tick: float) -> str:
        x, words = self.x(tick), power(tick) if self.logx else _tick_words(tick)
        mark = line((x, self.bottom), (x, self.bottom + 4), "faint", 1)
        return mark + text(
            x, self.bottom + 17, words, "soft", 11.5, "middle", halo=False
        )


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """About `count` round numbers between two limits."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough * 0.99)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _filled(colour: str) -> dict[str, str]:
    return {
        "class_": f"wb-{colour}",
        "color": LIGHT[colour],
        "fill": "currentColor",
    }


def _border(
    x: float,
    y: float,
    w: float,
    h: float,
    radius: float,
    edge: str | None,
    width: float,
) -> str:
    if edge is None:
        return ""
    return tag(
        "rect",
        x=x,
        y=y,
        width=w,
        height=h,
        rx=radius or None,
        class_=f"wb-{edge}",
        color=LIGHT[edge],
        fill="none",
        stroke="currentColor",
        stroke_width=width,
    )


def _attribute(value: object) -> str:
    return _short(value) if isinstance(value, float) else escape(str(value))


def _short(value: float) -> str:
    """A coordinate to a tenth of a pixel, or an opacity to a hundredth."""
    digits = 1 if abs(value) >= 10 else 2
    words = f"{value:.{digits}f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


def _through(points: Sequence[Point]) -> str:
    """Path data through the points, lifted where one is missing."""
    words, pen = [], "M"
    for x, y in points:
        if math.isfinite(x) and math.isfinite(y):
            words.append(f"{pen}{_short(x)} {_short(y)}")
            pen = "L"
        else:
            pen = "M"
    return "".join(words)


def _share(value: float, limits: tuple[float, float]) -> float:
    low, high = limits
    return (value - low) / ((high - low) or 1.0)


def _log(value: float, floor: float) -> float:
    return math.log10(value) if value > 0 else floor


def _tick_words(value: float) -> str:
    return f"{value:.10g}"
