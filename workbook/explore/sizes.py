"""How large a GPT is, and what a letter costs, from its configuration alone."""

from __future__ import annotations

from typing import NamedTuple

from workbook.explore import svg
from workbook.explore.base import Choice, Explorable, Page, Slider

BYTES = 16  # of a parameter in training: itself, its gradient, two running means


class Reading(NamedTuple):
    """What a model reads: how many symbols there are, how many it looks back at."""

    name: str
    vocab: int
    context: int
    as_gpt2: bool = False  # one table for in and out; biases on queries, keys, values


READINGS = [
    Reading("32 of 65 letters", 65, 32),
    Reading("256 of 65 letters", 65, 256),
    Reading("1,024 of 50,257 tokens", 50257, 1024, True),
]
KNOWN = {  # layers, channels, reading -> whose it is
    (4, 64, READINGS[0]): "the video's notebook",
    (6, 384, READINGS[1]): "the end of the video",
    (12, 768, READINGS[2]): "GPT-2, the smallest",
    (24, 1024, READINGS[2]): "GPT-2 medium",
    (36, 1280, READINGS[2]): "GPT-2 large",
    (48, 1600, READINGS[2]): "GPT-2 XL",
}


def model_size(layers: int = 4, channels: int = 64) -> Explorable:
    """Add layers and channels: where do the parameters and the operations go?

    layers, channels: to begin with; the video's notebook has 4 and 64.
    """
    return Explorable(
        _size_page,
        Choice("reading", "looks at", [(r.name, r) for r in READINGS], READINGS[0]),
        Slider("layers", "layers", 1, 48, 1, float(layers), show=".0f"),
        Slider("channels", "channels", 64, 1600, 64, float(channels), show=".0f"),
        still={"layers": 6.0, "channels": 384.0, "reading": READINGS[1]},
    )


def parameters(layers: int, channels: int, reading: Reading) -> dict[str, int]:
    """Parameters by part."""
    C, V = channels, reading.vocab
    in_head = 0 if reading.as_gpt2 else V * C + V
    qkv = 3 * C * C + 3 * C * reading.as_gpt2
    return {
        "letters" if V < 100 else "tokens": V * C,
        "places": reading.context * C,
        "attention": layers * (qkv + C * C + C),
        "feed-forward": layers * (8 * C * C + 5 * C),
        "norms": (4 * layers + 2) * C,
        "lm_head": in_head,
    }


def operations(layers: int, channels: int, reading: Reading) -> dict[str, int]:
    """Multiplications and additions of one pass, for one letter, by part."""
    C = channels
    return {
        "attention": layers * 2 * 4 * C * C,
        "scores": layers * 4 * reading.context * C,
        "feed-forward": layers * 2 * 8 * C * C,
        "lm_head": 2 * reading.vocab * C,
    }


def _size_page(reading: Reading, layers: float, channels: float) -> Page:
    config = int(layers), int(channels), reading
    counts, work = parameters(*config), operations(*config)
    total, all_work = sum(counts.values()), sum(work.values())
    whose = KNOWN.get(config, "")
    one = "letter" if reading.vocab < 100 else "token"
    shared = " The lm_head has none of its own: it uses the table of tokens once more."
    return Page(
        title=f"{config[0]} layers of {config[1]} channels: {total:,} parameters"
        + (f" ({whose})" if whose else ""),
        look=f"Above, where the parameters are; below, the work for each {one} that is "
        "read, in a pass; a training step is three times that. Scores have no "
        f"parameters, and cost more the farther a {one} looks back."
        + shared
        * reading.as_gpt2,
        body=_bars(counts, total, 34, "parameters")
        + _bars(work, all_work, 204, f"operations in a pass, for one {one}"),
        height=330,
        header=("part", "parameters", f"operations for a {one}"),
        rows=[
            *(
                (part, f"{counts.get(part, 0):,}", f"{work.get(part, 0):,}")
                for part in dict.fromkeys((*counts, *work))
            ),
            ("all", f"{total:,}", f"{all_work:,}"),
            ("memory in training", _bytes(BYTES * total), "without activations"),
        ],
    )


def _bars(parts: dict[str, int], total: int, top: float, title: str) -> str:
    left, room, high = 112.0, 400.0, 22.0
    marks = [
        svg.text(left, top - 12, f"{title}: {_short(total)}", "soft", 12, halo=False)
    ]
    most = max(parts.values()) or 1
    for i, (part, count) in enumerate(parts.items()):
        y, wide = top + high * i, room * count / most
        marks += [
            svg.text(left - 10, y + 14, part, "ink", 12.5, "end", halo=False),
            svg.box(left, y + 2, max(wide, 1), high - 5, "forward", 0.85),
            svg.text(left + wide + 8, y + 14, _said(count, total), "soft", 12),
        ]
    return "".join(marks)


def _said(count: int, total: int) -> str:
    if not count:
        return "none of its own"
    return f"{_short(count)}, {_share(count / total)}"


def _share(share: float) -> str:
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 0.95 else "under 1 %"


def _short(count: int) -> str:
    for unit, word in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            return f"{count / unit:.3g} {word}"
    return str(count)


def _bytes(count: int) -> str:
    return f"{count / 10**9:.1f} GB" if count >= 10**9 else f"{count / 10**6:.1f} MB"
