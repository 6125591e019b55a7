"""An expression graph as plain data: copied, and fired closure by closure.

Works with any class that has .data, .grad, ._prev and ._backward, so also with the
learner's own. A closure is run to learn what it hands to each child, with the
children's `grad` diverted to a notebook of ours: the learner's graph stays as it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from workbook.explore.page import Refused

LIMIT = 40  # nodes that still fit a page


@dataclass(frozen=True)
class Node:
    """One value of the graph; children are indices into `Graph.nodes`."""

    name: str
    op: str
    data: float
    children: tuple[int, ...]


@dataclass(frozen=True)
class Write:
    """One assignment to a child's grad inside a closure."""

    child: int
    share: float  # what the closure hands over
    before: float
    after: float


@dataclass(frozen=True)
class Moment:
    """The gradients after some closures have fired; `firing` is the latest."""

    grads: tuple[float, ...]
    fired: tuple[int, ...]
    firing: int | None = None
    writes: tuple[Write, ...] = ()
    late: frozenset[int] = frozenset()  # fired before their gradient was complete


@dataclass(frozen=True)
class Graph:
    """Nodes, children before parents; the root is last.

    runs: (accumulate, order) -> the moments from the seeded root to the last closure.
    own: whether the learner's closures accumulate (+=); None where none has run.
    """

    nodes: tuple[Node, ...]
    runs: dict[tuple[bool, str], tuple[Moment, ...]]
    own: bool | None

    @property
    def right(self) -> tuple[float, ...]:
        """The gradients that a correct backward pass leaves."""
        return self.runs[True, "topological"][-1].grads


def snapshot(root: Any, names: dict[str, Any] | None = None) -> Graph:
    """Copy a graph and fire it in both orders, with += and with =.

    `names`: what to call nodes that carry no label of their own. Raises Refused, in
    one sentence, for what is no graph, for more than 40 nodes and for a closure
    that raises. Every grad is left as it was.
    """
    values = values_below(root)
    given = {id(value): name for name, value in (names or {}).items()}
    place = {id(value): i for i, value in enumerate(values)}
    nodes = _nodes(values, place, given)
    probe = _Probe(values, place)
    orders = {"topological": _topological(nodes), "breadth": _breadth_first(nodes)}
    with _grads_kept(values):
        runs = {
            (accumulate, name): tuple(_fire(nodes, order, accumulate, probe.shares))
            for name, order in orders.items()
            for accumulate in (True, False)
        }
    return Graph(nodes, runs, probe.accumulates)


def values_below(root: Any) -> list[Any]:
    """Every value below the root, children first, found without recursion."""
    needed = ("data", "grad", "_prev", "_backward")
    if not all(hasattr(root, name) for name in needed):
        raise Refused(
            "graph_stepper() draws the graph below a Value: give it the result of an "
            f"expression, not a {type(root).__name__}."
        )
    order: list[Any] = []
    seen, stack = {id(root)}, [(root, iter(_children(root)))]
    while stack:
        value, rest = stack[-1]
        child = next((c for c in rest if id(c) not in seen), None)
        if child is None:
            order.append(value)
            stack.pop()
        else:
            seen.add(id(child))
            stack.append((child, iter(_children(child))))
    if len(order) > LIMIT:
        raise Refused(
            f"This graph has {len(order)} nodes and the stepper draws up to {LIMIT}: "
            "give it a smaller expression, one neuron for instance."
        )
    return order


def _children(value: Any) -> tuple[Any, ...]:
    """The children in a fixed order; a set has none, so data decide."""
    children = value._prev
    if isinstance(children, (set, frozenset)):
        return tuple(sorted(children, key=lambda child: (float(child.data), id(child))))
    return tuple(children)


def _nodes(
    values: list[Any], place: dict[int, int], given: dict[int, str]
) -> tuple[Node, ...]:
    nodes: list[Node] = []
    for value in values:
        children = tuple(place[id(child)] for child in _children(value))
        op = str(getattr(value, "_op", "") or "")
        name = given.get(id(value)) or str(getattr(value, "label", "") or "")
        name = name or _expression(op, [nodes[child].name for child in children])
        nodes.append(Node(name, op, float(value.data), children))
    return tuple(nodes)


def _expression(op: str, parts: list[str]) -> str:
    """A name for a nameless node: "a*b" from "*", "a" and "b", where it is short."""
    if not op or not all(parts):
        return ""
    closed = [part if part.isidentifier() else f"({part})" for part in parts]
    if len(parts) > 1:
        words = op.join(closed)
    else:
        words = closed[0] + op if op.startswith("**") else f"{op}({parts[0]})"
    return words if len(words) <= 7 else ""


def _topological(nodes: tuple[Node, ...]) -> list[int]:
    """Root first, every node after all that use it."""
    return list(reversed(range(len(nodes))))


def _breadth_first(nodes: tuple[Node, ...]) -> list[int]:
    """Root first, then its children, then theirs: some fire too early."""
    root = len(nodes) - 1
    order, seen, queue = [], {root}, deque([root])
    while queue:
        order.append(queue.popleft())
        fresh = [child for child in nodes[order[-1]].children if child not in seen]
        fresh = list(dict.fromkeys(fresh))
        seen.update(fresh)
        queue.extend(fresh)
    return order


def _fire(
    nodes: tuple[Node, ...],
    order: list[int],
    accumulate: bool,
    shares: Callable[[int, float], list[tuple[int, float]]],
) -> Iterator[Moment]:
    """The moments of one backward pass: seeded, then one closure each."""
    grads = [0.0] * (len(nodes) - 1) + [1.0]
    moment = Moment(tuple(grads), ())
    yield moment
    for firing in (i for i in order if nodes[i].children):
        writes = []
        for child, share in shares(firing, grads[firing]):
            before = grads[child]
            grads[child] = before + share if accumulate else share
            writes.append(Write(child, share, before, grads[child]))
        early = {w.child for w in writes if w.child in moment.fired and w.share}
        moment = replace(
            moment,
            grads=tuple(grads),
            fired=(*moment.fired, firing),
            firing=firing,
            writes=tuple(writes),
            late=moment.late | early,
        )
        yield moment


class _Probe:
    """Runs the closures of the learner's own values, and writes down what they do."""

    def __init__(self, values: list[Any], place: dict[int, int]) -> None:
        self.values = values
        self.place = place
        self.accumulates: bool | None = None

    def shares(self, index: int, grad: float) -> list[tuple[int, float]]:
        """What node `index` hands to its children when its grad is `grad`."""
        value = self.values[index]
        children = {id(child): child for child in _children(value)}
        value.grad = grad
        log: list[tuple[int, float]] = []
        read: set[int] = set()
        with _diverted(list(children.values()), log, read):
            try:
                value._backward()
            except Exception as error:
                raise Refused(_failed(value, error)) from error
        self._notice(log, read)
        return [(self.place[key], float(share)) for key, share in log]

    def _notice(self, log: list[tuple[int, float]], read: set[int]) -> None:
        """A closure that writes a grad without reading it first assigns."""
        if log:
            adds = all(key in read for key, _ in log)
            self.accumulates = adds and self.accumulates is not False


@contextmanager
def _diverted(
    children: list[Any], log: list[tuple[int, float]], read: set[int]
) -> Iterator[None]:
    """While open, each child's `grad` reads 0, and what is written goes to `log`.

    Reading zero each time makes `+=` and `=` write the same number: the share alone,
    one entry for each operand, so that `a + a` shows two.
    """

    def get(value: Any) -> float:
        read.add(id(value))
        return 0.0

    def put(value: Any, share: Any) -> None:
        log.append((id(value), share))

    kinds = [type(child) for child in children]
    try:
        for child, kind in zip(children, kinds, strict=True):
            body = {"grad": property(get, put), "__slots__": ()}
            try:
                child.__class__ = type(kind.__name__, (kind,), body)
            except TypeError as error:  # a class that fixes its layout
                raise Refused(
                    f"A {kind.__name__} cannot be stepped: {error}."
                ) from error
        yield
    finally:
        for child, kind in zip(children, kinds, strict=True):
            child.__class__ = kind


@contextmanager
def _grads_kept(values: list[Any]) -> Iterator[None]:
    """Put every grad back at the end, whatever happens in between."""
    kept = [value.grad for value in values]
    try:
        yield
    finally:
        for value, grad in zip(values, kept, strict=True):
            value.grad = grad


def _failed(value: Any, error: Exception) -> str:
    op = str(getattr(value, "_op", "")) or "a leaf"
    return f"The _backward of {op} raised {type(error).__name__}: {error}."
