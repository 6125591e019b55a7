"""How large a vocabulary should be: shorter texts against a larger last layer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from workbook.explore import svg
from workbook.explore.base import Explorable, Page, Refused, Slider, refusal
from workbook.explore.merging import BYTES
from workbook.explore.svg import Panel

DRAWN = 160  # points of a curve
CUT = 2  # a bar beside the curve is cut off at so many heights of it
STEPS = 40  # of the slider, along the curve


def vocabulary_size(
    lengths: Mapping[int, int],
    named: Mapping[int, str] | None = None,
    *,
    channels: int = 64,
    layers: int = 4,
) -> Explorable:
    """Grow the vocabulary: what does a byte of text cost a model of this size?

    lengths: tokens in the vocabulary -> tokens that a text has under it; under 256 it
    has its bytes.
    named: sizes that stand beside the curve -> whose they are, {50257: "GPT-2"}.
    channels, layers: of the model, to begin with.
    """
    known = {int(size): int(count) for size, count in lengths.items()}
    if BYTES not in known or len(known) < 2 or min(known.values()) < 1:
        said = "The curve needs the length of a text under 256 tokens and under more."
        return refusal(Refused(said))
    start = max(size for size in known if size not in (named or {}))
    low, high = math.log10(BYTES), math.log10(max(known))
    step = (math.log10(start) - low) / STEPS  # so that the start is among the steps
    return Explorable(
        _Sizes(known, dict(named or {})).page,
        Slider("size", "vocabulary", low, high + step, step, start, True, ",.0f"),
        Slider("channels", "channels", 64, 1600, 64, float(channels), show=".0f"),
        Slider("layers", "layers", 1, 48, 1, float(layers), show=".0f"),
    )


class _Sizes:
    """The lengths of a text, and the page of each state."""

    def __init__(self, lengths: dict[int, int], named: dict[int, str]) -> None:
        self.lengths, self.named = lengths, named
        self.sizes = sorted(lengths)
        own = [size for size in self.sizes if size not in named]
        keep = max(1, len(own) // DRAWN)
        self.curve = sorted({*own[::keep], own[-1]})

    def each(self, size: int) -> float:
        """Bytes in a token."""
        return self.lengths[BYTES] / self.lengths[size]

    def work(self, size: int, channels: int, layers: int) -> tuple[float, float]:
        """Operations for a byte of text: of the layers, and of the last one."""
        tokens = 1 / self.each(size)
        return tokens * 24 * layers * channels**2, tokens * 2 * size * channels

    def page(self, size: float, channels: float, layers: float) -> Page:
        C, L = int(channels), int(layers)
        at = min(self.sizes, key=lambda other: abs(math.log(other / size)))
        least = min(self.sizes, key=lambda one: sum(self.work(one, C, L)))
        body, last = self.work(at, C, L)
        table = at * C
        whole = table + 12 * L * C**2
        more = (body + last) / sum(self.work(least, C, L)) - 1
        return Page(
            title=f"{at:,} tokens: {self._compared(more, least)}",
            look="Above, more tokens put more bytes into each; for the same gain it "
            "takes ever more. Below, what a byte of text costs: the layers work "
            "less, the last layer more. Wider models want larger vocabularies.",
            body=self._above(at) + self._below(at, least, C, L),
            height=396,
            header=("of this vocabulary", "value"),
            rows=[
                ("tokens in the vocabulary", f"{at:,}{self._whose(at)}"),
                ("tokens in the text", f"{self.lengths[at]:,}"),
                ("bytes in a token", f"{self.each(at):.2f}"),
                ("operations for a byte, layers", f"{body:,.0f}"),
                ("operations for a byte, last layer", f"{last:,.0f}"),
                ("parameters of the embedding", f"{table:,}"),
                ("their share of the model", f"{100 * table / whole:.0f} %"),
                ("cheapest vocabulary", f"{least:,}"),
            ],
        )

    def _compared(self, more: float, least: int) -> str:
        if not more:
            measured = "" if least < self.sizes[-1] else ", as far as measured"
            return f"the least work for a byte of text{measured}"
        share = f"{100 * more:.0f} %" if more >= 0.005 else "under 1 %"
        cost = f"{share} more than" if more < 1 else f"{1 + more:.1f} times as much as"
        return f"a byte costs {cost} with {least:,}"

    def _whose(self, size: int) -> str:
        name = self.named.get(size)
        return f" ({name})" if name else ""

    # The two panels, on one scale across.

    def _limits(self) -> tuple[float, float]:
        return math.log2(self.sizes[0]), math.log2(self.sizes[-1])

    def _above(self, at: int) -> str:
        most = max(map(self.each, self.sizes))
        panel = Panel(52, 26, 560, 110, self._limits(), (0, 1.12 * most))
        line = svg.path(
            panel.points(map(math.log2, self.curve), map(self.each, self.curve)),
            "forward", 2.4,
        )  # fmt: skip
        dots = "".join(
            svg.dot(panel.x(math.log2(one)), panel.y(self.each(one)), "forward", 4.5)
            + svg.text(panel.x(math.log2(one)) - 9, panel.y(self.each(one)) + 4, name,
                       "soft", 12, "end")
            for one, name in self.named.items()
        )  # fmt: skip
        x, y = panel.x(math.log2(at)), panel.y(self.each(at))
        return (
            panel.axes("", "bytes in a token", [], svg.ticks(0, most, 3))
            + self._here(panel, at)
            + line
            + dots
            + svg.dot(x, y, "backward", 5)
            + _beside(panel, x, y - 10, f"{self.each(at):.2f}", "backward")
        )

    def _below(self, at: int, least: int, channels: int, layers: int) -> str:
        work = {one: self.work(one, channels, layers) for one in self.sizes}
        highest = max(sum(work[one]) for one in self.curve)
        unit, word = _unit(highest)
        named = [sum(work[one]) for one in self.named]
        most = min(max([highest, *named]), CUT * highest) / unit
        panel = Panel(52, 184, 560, 154, self._limits(), (0, 1.15 * most))

        def points(sizes: Iterable[int], both: bool) -> list[tuple[float, float]]:
            return [
                (
                    panel.x(math.log2(one)),
                    max(panel.y(sum(work[one][: 1 + both]) / unit), panel.top),
                )
                for one in sizes
            ]

        body, whole = points(self.curve, False), points(self.curve, True)
        floor = [(body[-1][0], panel.bottom), (panel.left, panel.bottom)]
        ((now_x, now_y), (x, y)) = points((at, least), True)
        key = "grey: the layers; blue: the last layer"
        return (
            panel.axes("", f"operations for a byte of text, {word}", [],
                       svg.ticks(0, most, 4))
            + svg.text(panel.right, panel.top - 9, key, "soft", 12, "end", halo=False)
            + self._scale(panel)
            + svg.area([*body, *floor], "reference", 0.35)
            + svg.area([*whole, *reversed(body)], "forward", 0.35)
            + svg.path(body, "reference", 1.6, "5 3")
            + svg.path(whole, "forward", 2.2)
            + "".join(
                _bar(panel, x, low, high, sum(work[one]) / unit)
                for one, (x, low), (_, high) in zip(
                    self.named, points(self.named, False), points(self.named, True),
                    strict=True,
                )
            )
            + self._here(panel, at)
            + svg.dot(now_x, now_y, "backward", 5)
            + svg.dot(x, y, "ink", 4.5, hollow=True)
            + _beside(panel, x, y - 11, f"least at {least:,}", "ink")
        )  # fmt: skip

    def _here(self, panel: Panel, at: int) -> str:
        x = panel.x(math.log2(at))
        return svg.line((x, panel.top), (x, panel.bottom), "backward", 1.2, "4 3")

    def _scale(self, panel: Panel) -> str:
        low, high = self._limits()
        powers = range(math.ceil(low), math.floor(high) + 1, 1 if high - low < 6 else 2)
        sizes = [2**power for power in powers]
        if len(sizes) < 3:
            sizes = [int(size) for size in svg.ticks(self.sizes[0], self.sizes[-1], 5)]
        marks = [
            svg.text(panel.x(math.log2(size)), panel.bottom + 17, f"{size:,}", "soft",
                     11.5, "middle", halo=False)
            for size in sizes
        ]  # fmt: skip
        said = "tokens in the vocabulary"
        return "".join(marks) + svg.text(
            panel.right, panel.bottom + 35, said, "soft", 12, "end", halo=False
        )


def _bar(panel: Panel, x: float, low: float, high: float, total: float) -> str:
    """A size beside the curve; a slanted gap says that it is cut off above."""
    said = f"{total:,.0f}" if total >= 100 else f"{total:.1f}"
    gap = [(x - 9, high + 24), (x + 9, high + 17)]
    return (
        svg.box(x - 6, low, 12, panel.bottom - low, "reference", 0.6)
        + svg.box(x - 6, high, 12, low - high, "forward", 0.6)
        + svg.text(x - 10, high + 12, said, "soft", 11.5, "end")
        + (svg.path(gap, "paper", 4) if total > panel.ylim[1] else "")
    )


def _beside(panel: Panel, x: float, y: float, words: str, colour: str) -> str:
    """Words at a point, on the side where there is room."""
    left = x < panel.left + 0.75 * panel.width
    return svg.text(x + 8 * (1 if left else -1), y, words, colour, 12.5,
                    "start" if left else "end", True)  # fmt: skip


def _unit(most: float) -> tuple[float, str]:
    for unit, word in ((1e9, "billions"), (1e6, "millions"), (1e3, "thousands")):
        if most >= unit:
            return unit, word
    return 1.0, "each"


def _many(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"
