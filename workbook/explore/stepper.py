"""The graph stepper: a backward pass, one closure at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from workbook.explore import svg
from workbook.explore.base import Choice, Explorable, Page, Refused, Steps, refusal
from workbook.explore.graph import Graph, Moment, Node, snapshot, values_below
from workbook.explore.layout import layout
from workbook.explore.page import WIDTH
from workbook.style import number

CARD, TALL, GAP = 104.0, 54.0, 26.0  # a card's width, height, distance below it
MARGIN = 14.0
LONGEST = 72  # letters of a claim that fit on one line
_AFTERWARDS = {  # accumulate, order -> why some gradients are wrong in the end
    (True, "topological"): "",
    (True, "breadth"): "What came late was added, but never handed on.",
    (False, "topological"): "With = a node keeps only the share that came last.",
    (False, "breadth"): "Shares were overwritten, or came late and stayed behind.",
}
KNOB = 12.0  # radius of an op's circle
INSIDE = 9.0  # how far the circle reaches into its card


def graph_stepper(root: Any, **names: Any) -> Explorable:
    """Fire the `_backward` closures of a graph one by one, rightly and wrongly.

    root: a Value (.data .grad ._prev ._op ._backward, and .label where you have it).
    names: what to call its nodes, `graph_stepper(f, a=a, b=b)`. Two switches show the
    classic mistakes: `=` in place of `+=`, and breadth first in place of reversed
    topological order. Your graph is not touched: all this happens on a copy.
    """
    try:
        graph = snapshot(root, names)
    except Refused as reason:
        return refusal(reason)
    stepper = _Stepper(graph)
    count = sum(bool(node.children) for node in graph.nodes)
    return Explorable(
        stepper.page,
        Steps("step", "step", count),
        Choice(
            "accumulate",
            "closures write",
            [("grad +=", True), ("grad =", False)],
            graph.own is not False,
        ),
        Choice(
            "order",
            "order",
            [("reversed topological", "topological"), ("breadth first", "breadth")],
            "topological",
        ),
    )


def expression_graph(root: Any, **names: Any) -> Explorable:
    """The graph of an expression as it stands: data, and `grad` where one is known.

    The same picture as `graph_stepper` draws, and nothing in it fires.
    """
    try:
        graph = snapshot(root, names)
        still = replace(graph.runs[True, "topological"][0], grads=_grads(root))
    except Refused as reason:
        return refusal(reason)
    return Explorable(lambda: _Stepper(graph).recipe(still))


def _grads(root: Any) -> tuple[float, ...]:
    """The gradients that the values hold now, in the order of the snapshot."""
    return tuple(float(value.grad) for value in values_below(root))


class _Stepper:
    """A graph in its places, and the page of each moment."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.layout = layout([node.children for node in graph.nodes], TALL, GAP)
        inner = WIDTH - 2 * MARGIN - CARD
        gaps = max(self.layout.columns - 1, 1)
        self.pitch = min(max(inner / gaps, CARD + 50), CARD + 120)
        self.width = max(
            WIDTH,
            2 * MARGIN + CARD + self.pitch * (gaps if self.layout.columns > 1 else 0),
        )
        used = CARD + self.pitch * (self.layout.columns - 1)
        self.left = (self.width - used) / 2

    def page(self, step: int, accumulate: bool, order: str) -> Page:
        run = self.graph.runs[accumulate, order]
        moment, done = run[step], step == len(run) - 1
        wrong = self._wrong(moment) if done else []
        turns = {node: turn for turn, node in enumerate(run[-1].fired, 1)}
        return Page(
            title=self._claim(moment, step, len(run) - 1, wrong, done),
            look=self._look(moment, accumulate, order, done),
            body=self._edges(moment)
            + self._cards(moment, turns, wrong)
            + self._flow(moment, accumulate),
            height=self.layout.height + 40,
            width=self.width,
            header=("node", "op", "data", "grad", "right gradient", "fires"),
            rows=self._rows(moment, turns),
        )

    def recipe(self, moment: Moment) -> Page:
        """The graph alone: what was made from what, and the gradients at rest."""
        nodes, known = self.graph.nodes, any(moment.grads)
        leaves = sum(not node.children for node in nodes)
        what = ", ".join(
            f"{count} {word if count == 1 else words}"
            for count, word, words in (
                (leaves, "leaf", "leaves"),
                (len(nodes) - leaves, "operation", "operations"),
            )
        )
        return Page(
            title=f"The graph of the expression: {what}",
            look="Read it from left to right: the leaves, then what was made of them. "
            + (
                "Each card now shows its gradient too: the slope of the last card by "
                "this one."
                if known
                else "Each circle is an operation; the line into it comes from an "
                "operand."
            ),
            body=self._edges(moment) + self._cards(moment, {}, [], known),
            height=self.layout.height + 40,
            width=self.width,
            header=("node", "op", "data", "grad"),
            rows=[row[:4] for row in self._rows(moment, {})],
        )

    def _wrong(self, moment: Moment) -> list[int]:
        """Nodes whose gradient is not the one a correct pass leaves."""
        pairs = zip(moment.grads, self.graph.right, strict=True)
        return [
            i for i, (a, b) in enumerate(pairs) if abs(a - b) > 1e-9 * max(1, abs(b))
        ]

    def _name(self, index: int) -> str:
        node = self.graph.nodes[index]
        return node.name or (f"the {node.op} node" if node.op else number(node.data, 4))

    def _claim(
        self, moment: Moment, step: int, last: int, wrong: list[int], done: bool
    ) -> str:
        if moment.firing is None:
            return "The root's own gradient is 1; nothing has flowed back yet"
        if not done:
            told = f"Step {step} of {last}: {self._handed(moment)}"
            return told if len(told) <= LONGEST else told.partition(" and ")[0]
        if not wrong:
            fired = f"All {last} closures have" if last > 1 else "The closure has"
            return f"{fired} fired, and every gradient is right"
        worst = min(wrong, key=lambda i: not self.graph.nodes[i].name)
        more = f" ({len(wrong)} are wrong)" if len(wrong) > 1 else ""
        got, due = moment.grads[worst], self.graph.right[worst]
        return (
            f"{self._name(worst)}.grad is {number(got, 4)}, and should be "
            f"{number(due, 4)}{more}"
        )

    def _handed(self, moment: Moment) -> str:
        shares = [
            f"{number(write.share, 3)} to {self._name(write.child)}"
            for write in moment.writes
        ]
        if not shares:
            return f"{self._name(moment.firing)} hands nothing on"
        return f"{self._name(moment.firing)} hands {' and '.join(shares[:2])}"

    def _look(self, moment: Moment, accumulate: bool, order: str, done: bool) -> str:
        """What to notice about this firing: the mistake, if it shows here."""
        own = (
            ""
            if self.graph.own is not False
            else (" Your own closures write with =, so the picture starts there.")
        )
        told = self._lost(moment, accumulate) or self._spoilt(moment)
        if not told and done and self._wrong(moment):
            told = _AFTERWARDS[accumulate, order]
        return (told or self._rule(accumulate, order)) + own

    def _lost(self, moment: Moment, accumulate: bool) -> str:
        """A share that this firing overwrites, or that comes too late."""
        for write in moment.writes:
            name = self._name(write.child)
            if not accumulate and write.before:
                return (
                    f"{name} already held {number(write.before, 4)}. With = it is "
                    f"overwritten by {number(write.after, 4)}; += would keep both."
                )
            if write.child in moment.fired[:-1] and write.share:
                return (
                    f"{name} had fired before this share came: what arrives late "
                    f"stays in {name} and never reaches its children."
                )
        return ""

    def _spoilt(self, moment: Moment) -> str:
        """A firing with a gradient that is not the right one."""
        firing = moment.firing
        if firing is None or firing not in self._wrong(moment):
            return ""
        holds, due = moment.grads[firing], self.graph.right[firing]
        return (
            f"{self._name(firing)} fires with {number(holds, 4)} and should hold "
            f"{number(due, 4)}: what it hands on is wrong as well."
        )

    def _rule(self, accumulate: bool, order: str) -> str:
        """What these two switches do; and whether this graph shows it."""
        run = self.graph.runs[accumulate, order]
        harmless = (
            "" if self._wrong(run[-1]) else " In this graph nothing is lost by it."
        )
        if order == "breadth":
            return (
                "Breadth first fires by distance from the root, also a node that "
                f"has not yet heard from all that use it.{harmless}"
            )
        if not accumulate:
            return (
                "The order is right, but with = a node that is used several times "
                f"keeps only the share that came last.{harmless}"
            )
        return (
            "Each node fires only after all that use it: its gradient is complete "
            "before it is handed on, times the local derivative."
        )

    def _rows(self, moment: Moment, turns: dict[int, int]) -> list[tuple[str, ...]]:
        return [
            (
                self._name(i),
                node.op or "leaf",
                number(node.data, 4),
                number(moment.grads[i], 4),
                number(self.graph.right[i], 4),
                str(turns.get(i, "")),
            )
            for i, node in reversed(list(enumerate(self.graph.nodes)))
        ]

    # Where things are, and how they look.

    def _place(self, index: int) -> tuple[float, float]:
        """The middle of a card's left edge."""
        column = self.layout.column[index]
        return self.left + self.pitch * column, 22 + self.layout.y[index]

    def _edges(self, moment: Moment) -> str:
        """Grey edges; over them, in vermilion, those of the node that fires."""
        quiet, loud = [], []
        for parent, node in enumerate(self.graph.nodes):
            for turn, _ in enumerate(node.children):
                d, _ = self._route(parent, turn)
                quiet.append(svg.curve(d, "reference", 1.4, opacity=0.65))
                if parent == moment.firing:
                    loud.append(svg.curve(d, "backward", 3))
        return "".join(quiet + loud)

    def _flow(self, moment: Moment, accumulate: bool) -> str:
        """Arrow heads into the children of the node that fires, and their shares."""
        if moment.firing is None:
            return ""
        node, marks = self.graph.nodes[moment.firing], []
        for turn, _ in enumerate(node.children):
            _, (start, towards) = self._route(moment.firing, turn)
            above = turn == 0 or towards[1] > start[1] + 2
            share = self._share(moment, node, turn)
            marks.append(_flowing(start, share, accumulate, above))
        return "".join(marks)

    def _apart(self, node: Node, turn: int) -> float:
        """A child used twice by one op gets two edges, drawn apart."""
        twins = [i for i, c in enumerate(node.children) if c == node.children[turn]]
        return 15 * (twins.index(turn) - (len(twins) - 1) / 2)

    def _share(self, moment: Moment, node: Node, turn: int) -> float | None:
        """What flows along the edge to operand number `turn`."""
        child = node.children[turn]
        shares = [write.share for write in moment.writes if write.child == child]
        nth = node.children[:turn].count(child)
        if nth >= len(shares):
            return None
        single = node.children.count(child) == 1
        return sum(shares) if single else shares[nth]

    def _route(self, parent: int, turn: int) -> tuple[str, tuple[svg.Point, svg.Point]]:
        """Path data from an operand's card to the op, and its first two stops."""
        node = self.graph.nodes[parent]
        child, apart = node.children[turn], self._apart(node, turn)
        x0, y0 = self._place(child)
        x1, y1 = self._place(parent)
        knob = x1 + INSIDE - _knob_width(node.op)
        start, end = (x0 + CARD, y0 + apart), (knob, y1 + apart * 0.35)
        stops, column = [start], self.layout.column[child]
        for i, y in enumerate(reversed(self.layout.via[parent, child]), 1):
            x = self.left + self.pitch * (column + i)
            stops += [(x - 6, 22 + y), (x + CARD, 22 + y)]
        stops.append(end)
        return _bent(stops), (stops[0], stops[1])

    def _cards(
        self,
        moment: Moment,
        turns: dict[int, int],
        wrong: list[int],
        known: bool = True,
    ) -> str:
        reached = {write.child for write in moment.writes}
        return "".join(
            self._card(i, node, moment, i in reached, i in wrong, turns.get(i), known)
            for i, node in enumerate(self.graph.nodes)
        )

    def _card(
        self,
        index: int,
        node: Node,
        moment: Moment,
        reached: bool,
        wrong: bool,
        turn: int | None,
        graded: bool = True,
    ) -> str:
        x, y = self._place(index)
        top, grad = y - TALL / 2, moment.grads[index]
        firing = index == moment.firing
        edge = "backward" if firing or reached or wrong else "faint"
        thick = 2.5 if firing or wrong else 1.5
        known = grad or index in moment.fired or reached
        colour = "backward" if known else "soft"
        tint = svg.box(x, top, CARD, TALL, "backward", 0.1, 7)
        marks = [
            svg.box(x, top, CARD, TALL, "paper", None, 7, edge, thick),
            tint if reached or firing else "",
            _face(x, top, node, grad if graded else None, colour),
            self._remark(index, x + CARD, top + TALL + 15, moment, wrong),
        ]
        if node.op:
            marks.append(_knob(x, y, node.op, firing, turn, index in moment.fired))
        return "".join(marks)

    def _remark(
        self, index: int, x: float, y: float, moment: Moment, wrong: bool
    ) -> str:
        """Words under a card: what its gradient should be, or that it came late."""
        if wrong:
            due = f"should be {number(self.graph.right[index], 4)}"
            return svg.text(x, y, due, "backward", 12, "end", bold=True)
        late = index in moment.late
        return svg.text(x, y, "came late", "backward", 12, "end") if late else ""


def _brief(value: float) -> str:
    """A number as long as a card is wide: four digits, fewer behind zeros."""
    digits = 4 if abs(value) >= 0.1 else 3 if abs(value) >= 0.01 else 2
    return number(value, digits)


def _face(x: float, top: float, node: Node, grad: float | None, colour: str) -> str:
    """The lines of a card: its name where it has one, its data, its grad if any."""
    inset = x + (INSIDE + 5 if node.op else 9)
    name = svg.text(inset, top + 15, node.name, "ink", 13, bold=True, halo=False)
    lift = 0 if node.name else 8
    rows = [("data", node.data, "forward", 31)]
    rows += [] if grad is None else [("grad", grad, colour, 47)]
    return (name if node.name else "") + "".join(
        svg.text(inset, top + y - lift, word, "soft", 11, halo=False)
        + svg.text(
            x + CARD - 8,
            top + y - lift,
            _brief(value),
            paint,
            12.5,
            "end",
            True,
            False,
        )
        for word, value, paint, y in rows
    )


def _knob_width(op: str) -> float:
    """A circle for one or two letters, a pill for more."""
    return 2 * KNOB if len(op) <= 2 else max(2 * KNOB, 6.2 * len(op) + 10)


def _knob(
    x: float, y: float, op: str, firing: bool, turn: int | None, fired: bool
) -> str:
    """The op's circle on the card's left edge, its place in the order above."""
    wide, size = _knob_width(op), 14 if len(op) <= 2 else 10
    left, middle = x + INSIDE - wide, x + INSIDE - wide / 2
    fill, colour = ("backward", "paper") if firing else ("paper", "ink")
    edge = "backward" if firing or fired else "reference"
    sign = "×" if op == "*" else op
    return (
        svg.box(left, y - KNOB, wide, 2 * KNOB, fill, None, KNOB, edge, 1.75)
        + svg.text(middle, y + size * 0.35, sign, colour, size, "middle", True, False)
        + svg.text(
            middle,
            y - KNOB - 4,
            str(turn or ""),
            edge if fired else "soft",
            11,
            "middle",
        )
    )


def _flowing(
    start: svg.Point, share: float | None, accumulate: bool, above: bool
) -> str:
    """An arrow head into the child, and what it carries."""
    x, y = start
    head = svg.area([(x + 1, y), (x + 11, y - 6), (x + 11, y + 6)], "backward", 1)
    if share is None:
        return head
    sign = "=" if not accumulate else "+" if share >= 0 else ""
    words, low = f"{sign}{number(share, 3)}", -7 if above else 17
    return head + svg.text(x + 14, y + low, words, "backward", 13, bold=True)


def _bent(stops: list[tuple[float, float]]) -> str:
    """Path data: curves across the gaps, straight lines through the columns."""
    words = [f"M{stops[0][0]:.1f} {stops[0][1]:.1f}"]
    for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(stops)):
        if i % 2:
            words.append(f"L{x1:.1f} {y1:.1f}")
        else:
            middle = (x0 + x1) / 2
            words.append(
                f"C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
            )
    return "".join(words)
