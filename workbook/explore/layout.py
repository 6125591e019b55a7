"""Where the nodes of a graph stand: leaves on the left, the root on the right.

A node stands in the column before its nearest user; a long edge keeps a slot free in
each column that it passes; columns are sorted so that few edges cross. A slot is an
index: the nodes first, then the places where long edges pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[int, int]  # (parent, child)
Children = Sequence[tuple[int, ...]]  # of each node; children come before parents


@dataclass(frozen=True)
class Layout:
    """Columns count from the left; y is in pixels, from the top of the picture."""

    columns: int
    column: tuple[int, ...]
    y: tuple[float, ...]
    height: float
    via: dict[Edge, tuple[float, ...]]  # the heights that a long edge passes


def layout(children: Children, card: float, gap: float) -> Layout:
    """Place a graph whose nodes are `card` pixels high and `gap` apart."""
    count, layer = len(children), _layers(children)
    bends = _bends(children, layer)
    links = _links(bends)
    at = layer + [
        layer[p] + 1 + i for (p, _), s in bends.items() for i in range(len(s))
    ]
    order = _untangle(_first_order(count, at, bends), links)
    size = {slot: card if slot < count else card / 2 for slot in range(len(at))}
    y = _settle(order, links, size, gap)
    top = min(y[slot] - size[slot] / 2 for slot in y)
    return Layout(
        columns=max(layer) + 1,
        column=tuple(max(layer) - depth for depth in layer),
        y=tuple(y[node] - top for node in range(count)),
        height=max(y[slot] + size[slot] / 2 for slot in y) - top,
        via={edge: tuple(y[s] - top for s in slots) for edge, slots in bends.items()},
    )


def _layers(children: Children) -> list[int]:
    """Steps from the root, by the longest way."""
    layer = [0] * len(children)
    for parent in reversed(range(len(children))):
        for child in children[parent]:
            layer[child] = max(layer[child], layer[parent] + 1)
    return layer


def _bends(children: Children, layer: list[int]) -> dict[Edge, list[int]]:
    """The slots of each edge, one for each column it passes on the way."""
    bends: dict[Edge, list[int]] = {}
    free = len(children)
    for parent, own in enumerate(children):
        for child in dict.fromkeys(own):
            passed = layer[child] - layer[parent] - 1
            bends[parent, child] = list(range(free, free + passed))
            free += passed
    return bends


def _links(bends: dict[Edge, list[int]]) -> list[Edge]:
    """Edges cut into pieces that join neighbouring columns."""
    chains = [[parent, *slots, child] for (parent, child), slots in bends.items()]
    return [pair for c in chains for pair in pairwise(c)]


def _first_order(
    count: int, layer: list[int], bends: dict[Edge, list[int]]
) -> list[list[int]]:
    """Columns from the root on, in the order in which the nodes were found."""
    at = {node: float(node) for node in range(count)}
    for (_, child), slots in bends.items():
        at |= dict.fromkeys(slots, child + 0.5)
    columns: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for slot in sorted(at, key=at.__getitem__):
        columns[layer[slot]].append(slot)
    return columns


def _untangle(order: list[list[int]], links: list[Edge]) -> list[list[int]]:
    """Sort each column by the mean place of its neighbours; keep the best of a few."""
    best, fewest = order, _crossings(order, links)
    for sweep in range(12):
        order = [list(column) for column in order]
        columns = order if sweep % 2 else order[::-1]
        for fixed, free in pairwise(columns):
            place = {slot: i for i, slot in enumerate(fixed)}
            own = {slot: i for i, slot in enumerate(free)}
            free.sort(key=_mean_place(place, own, links))
        found = _crossings(order, links)
        if found < fewest:
            best, fewest = order, found
    return best


def _mean_place(
    place: dict[int, int], own: dict[int, int], links: list[Edge]
) -> Callable[[int], float]:
    near: dict[int, list[int]] = {}
    for a, b in links:
        for one, other in ((a, b), (b, a)):
            if one in own and other in place:
                near.setdefault(one, []).append(place[other])
    return lambda slot: (
        sum(near[slot]) / len(near[slot]) if slot in near else float(own[slot])
    )


def _crossings(order: list[list[int]], links: list[Edge]) -> int:
    place = {s: (c, i) for c, column in enumerate(order) for i, s in enumerate(column)}
    spans = [(place[a], place[b]) for a, b in links]
    return sum(
        a[0] == c[0] and (a[1] - c[1]) * (b[1] - d[1]) < 0
        for i, (a, b) in enumerate(spans)
        for c, d in spans[:i]
    )


def _settle(
    order: list[list[int]],
    links: list[Edge],
    size: dict[int, float],
    gap: float,
) -> dict[int, float]:
    """Heights: each slot near the mean of its neighbours, none on top of another."""
    y: dict[int, float] = {}
    for column in order:
        y |= _spread([0.0] * len(column), column, size, gap)
    near: dict[int, list[int]] = {slot: [] for slot in size}
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    for _ in range(24):
        for column in order:
            wanted = [
                sum(y[n] for n in near[slot]) / len(near[slot]) if near[slot] else 0.0
                for slot in column
            ]
            y |= _spread(wanted, column, size, gap)
    return y


def _spread(
    wanted: list[float], column: list[int], size: dict[int, float], gap: float
) -> dict[int, float]:
    """The heights nearest to the wanted ones that keep order and distance.

    Take the distances out, and it is a least-squares fit that never decreases: pool
    neighbours that disagree into their mean.
    """
    offsets, total = [], 0.0
    for i, slot in enumerate(column):
        if i:
            total += (size[column[i - 1]] + size[slot]) / 2 + gap
        offsets.append(total)
    pools: list[tuple[float, int]] = []  # (mean, how many)
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, many = pools.pop()
            mean = (mean * count + other * many) / (count + many)
            count += many
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return {slot: flat[i] + offsets[i] for i, slot in enumerate(column)}
