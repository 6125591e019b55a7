"""The scorer of names: what each letter costs under a model, for any name typed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbook.explore import svg
from workbook.explore.alphabet import LETTERS, Model, spoken
from workbook.explore.base import Explorable, Field, Page, refusal
from workbook.explore.page import WIDTH, Refused
from workbook.explore.svg import Panel

LONGEST = 24  # letters that fit into the picture
ROOM = 1.15  # the axis above the highest bar


def name_scorer(
    model: Any, letters: str = LETTERS, *, name: str = "emma"
) -> Explorable:
    """Type a name: a bar for each letter, as high as the model is surprised by it.

    model: (V, V), row i the weights of what follows letter i; or a function from the
    indices of the name so far to V weights, none negative. letters[0] ends a name.

        explore.name_scorer(P, name="andrejq")
    """
    try:
        asked = Model(model, letters)
        asked(())
    except Refused as reason:
        return refusal(reason)

    def draw(name: str) -> Page:
        return _page(asked, letters, name)

    return Explorable(draw, Field("name", "a name", name, "your name"))


def costs(model: Model, indices: Sequence[int]) -> list[float]:
    """−ln p of each letter of a name and of its end, in nats; infinite where p is 0."""
    found = []
    for i, index in enumerate([*indices, 0]):
        p = model(indices[:i])[index]
        found.append(0.0 - math.log(p) if p else math.inf)
    return found


def _page(model: Model, letters: str, name: str) -> Page:
    word = name.strip().lower()
    unknown = sorted({letter for letter in word if letter not in letters[1:]})
    if unknown:
        new = ", ".join(map(repr, unknown[:3]))
        raise Refused(f"The model does not know {new}: its letters are {letters[1:]}.")
    if len(word) > LONGEST:
        raise Refused(
            f"{len(word)} letters are too many for the picture: {LONGEST} fit."
        )
    paid = costs(model, [letters.index(letter) for letter in word])
    pairs = list(zip("." + word, word + ".", strict=True))
    uniform = math.log(len(letters))
    return Page(
        title=_claim(word, pairs, paid),
        look="Each bar is one guess of the model: −ln of the probability that it gave "
        "to the letter that comes. Above the grey line it would have done better to "
        f"guess blindly, at {uniform:.4f} nats. Try a name of your own.",
        body=_bars(pairs, paid, uniform),
        height=262,
        header=("from", "to", "probability", "cost in nats"),
        rows=[
            (
                spoken(first, False),
                spoken(then),
                f"{math.exp(-cost):.4f}",
                "infinite" if math.isinf(cost) else f"{cost:.4f}",
            )
            for (first, then), cost in zip(pairs, paid, strict=True)
        ],
    )


def _claim(word: str, pairs: list[tuple[str, str]], paid: list[float]) -> str:
    name = word or "The empty name"
    name = name if len(name) <= 16 else f"{name[:15]}…"
    worst = max(range(len(paid)), key=paid.__getitem__)
    pair = "".join(pairs[worst])
    if math.isinf(paid[worst]):
        return f"{name}: the model holds {pair} impossible, an infinite loss"
    mean = sum(paid) / len(paid)
    return (
        f"{name}: {mean:.2f} nats a letter; the costliest is {pair}, {paid[worst]:.2f}"
    )


def _bars(pairs: list[tuple[str, str]], paid: list[float], uniform: float) -> str:
    """One bar a pair; an infinite one reaches the top."""
    finite = [cost for cost in paid if math.isfinite(cost)]
    top = ROOM * max([uniform, 4.0, *finite])
    panel = Panel(40, 24, WIDTH - 52, 180, (-0.5, len(paid) - 0.5), (0, top))
    wide = min(0.62 * panel.width / len(paid), 54.0)
    marks = []
    for i, ((first, then), cost) in enumerate(zip(pairs, paid, strict=True)):
        x, y = panel.x(i), panel.y(min(cost, top))
        colour = "backward" if cost > uniform else "forward"
        words = "∞" if math.isinf(cost) else f"{cost:.2f}"
        pair = f"{first}{then}"
        marks += [
            svg.box(x - wide / 2, y, wide, panel.bottom - y, colour, None, 2),
            svg.text(x, max(y - 5, 22), words, colour, 11.5, "middle", True),
            svg.text(
                x, panel.bottom + 18, pair, "ink", 13, "middle", code=True, halo=False
            ),
        ]
    line = panel.y(uniform)
    grey = svg.line((panel.left, line), (panel.right, line), "reference", 1.2, "5 3")
    axes = panel.axes(
        "", "cost of each letter: −ln p, in nats", [], svg.ticks(0, top, 5)
    )
    named = svg.text(panel.right, line - 5, "uniform", "soft", 11, "end")
    return axes + grey + "".join(marks) + named
