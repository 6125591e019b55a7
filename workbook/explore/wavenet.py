"""Explorables of lesson 6: what a node of the tree sees, and what two trees share.

Shapes on their way through the layers, and the axes of a mean, are in shapes.py; the
loss averaged over its neighbours is in smoothing.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from operator import mul

from workbook.explore import svg
from workbook.explore.base import (
    Choice,
    Explorable,
    Field,
    Page,
    Refused,
    Steps,
)

SPANS = [(0, 2), (2, 4), (4, 6), (6, 8), (0, 4), (4, 8), (0, 8)]
NAMES = dict(zip(SPANS, "ABCDEFG", strict=True))  # letters under a node -> its name
BLOCK = 8  # letters that the tree sees
LONGEST = 10  # letters of a name that fit over its padding
PLANS = [
    ("two at a time", (2, 2, 2)),
    ("four, then two", (4, 2)),
    ("two, then four", (2, 4)),
    ("all at once", (8,)),
]


def _spelled(word: str) -> str:
    word = word.strip().lower()
    unknown = [letter for letter in word if not "a" <= letter <= "z"]
    if unknown:
        raise Refused(f"The alphabet here is a to z: {unknown[0]!r} is not in it.")
    if not 0 < len(word) <= LONGEST:
        raise Refused(f"Type a name of 1 to {LONGEST} letters.")
    return word


# --- What a node sees -------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """A node of the tree. first, last: the letters under it, last not included."""

    name: str
    level: int  # 1 is right above the letters
    place: int  # within its level
    first: int
    last: int


def nodes_of(plan: tuple[int, ...]) -> list[Node]:
    """The nodes over eight letters, level by level; plan: how many are joined."""
    wide = list(accumulate(plan, mul))  # letters under a node, at each level
    places = [(i + 1, k, n) for i, n in enumerate(wide) for k in range(BLOCK // n)]
    spans = [(level, k, k * n, (k + 1) * n) for level, k, n in places]
    return [Node(NAMES[span[2:]], *span) for span in spans]


def nearest(plan: tuple[int, ...], name: str) -> str:
    """The lowest node of this tree that sees all that the node of the name sees.

    >>> nearest((4, 2), "A"), nearest((4, 2), "F"), nearest((8,), "F")
    ('E', 'F', 'G')
    """
    first, last = next(span for span, called in NAMES.items() if called == name)
    return next(
        node.name
        for node in nodes_of(plan)
        if node.first <= first and last <= node.last
    )


def receptive_tree(word: str = "emma", node: str = "F") -> Explorable:
    """Click a node: which of the eight letters does it see, and by which way?

    word: the name whose last eight letters are the context; another can be typed in.
    node: the one that is chosen to begin with, A to G.
    """

    def draw(word: str, plan: tuple[int, ...], node: str) -> Page:
        spelled = _spelled(word)
        context = ("." * BLOCK + spelled)[-BLOCK:]
        return _Tree(context, plan, len(spelled) - BLOCK).page(nearest(plan, node))

    return Explorable(
        draw,
        Field("word", "name", word, "a name", "200px"),
        Choice("plan", "join", PLANS, PLANS[0][1]),
        Choice(
            "node",
            "node",
            [(n, n) for n in NAMES.values()],
            node,
            small=True,
            near=lambda state: nearest(state["plan"], state["node"]),
        ),
    )


class _Tree:
    """Eight letters, and the nodes over them. lost: letters that came before."""

    def __init__(self, context: str, plan: tuple[int, ...], lost: int = 0) -> None:
        self.context, self.plan, self.lost = context, plan, lost
        self.nodes = nodes_of(plan)
        self.high = 62.0  # pixels from a level to the next

    def page(self, chosen: str) -> Page:
        node = next(each for each in self.nodes if each.name == chosen)
        seen = self.context[node.first : node.last]
        return Page(
            title=f'Node {chosen} sees {len(seen)} of 8 letters: "{seen}"',
            look=self._look() + self._cut(),
            body=self._edges(node) + self._knots(node) + self._letters(node),
            height=self._y(0) + 46,
            header=("node", "level", "reads", "sees"),
            rows=[self._row(each) for each in self.nodes],
        )

    def _cut(self) -> str:
        """What is said where the name is longer than the tree sees."""
        if self.lost <= 0:
            return ""
        what = f"first {self.lost} letters are" if self.lost > 1 else "first letter is"
        return f" The window has room for eight: the name's {what} out of it."

    def _look(self) -> str:
        if len(self.plan) == 1:
            return (
                "One layer takes in all eight letters at once. Whatever goes on "
                "between neighbours has to be found in a single step."
            )
        return (
            "Blue is the way from the letters to the chosen node. It reads "
            f"{self.plan[0]} letters or nodes right below it, and sees every letter "
            "under those. All nodes of a level share their weights."
            if len(set(self.plan)) == 1
            else "Blue is the way from the letters to the chosen node: it reads what "
            "is right below it, and sees every letter under that. All nodes of a "
            "level share their weights."
        )

    def below(self, node: Node) -> list[Node]:
        """The nodes that a node reads; none where it reads letters."""
        inside = (o for o in self.nodes if o.level == node.level - 1)
        return [o for o in inside if node.first <= o.first < node.last]

    def _row(self, node: Node) -> tuple[str, str, str, str]:
        read = [other.name for other in self.below(node)]
        seen = self.context[node.first : node.last]
        return node.name, str(node.level), " ".join(read or seen), seen

    def _x(self, place: float) -> float:
        return 46 + 58 * place

    def _y(self, level: int) -> float:
        return 32 + self.high * (len(self.plan) - level)

    def _at(self, node: Node) -> svg.Point:
        return self._x((node.first + node.last - 1) / 2), self._y(node.level)

    def _edges(self, chosen: Node) -> str:
        """A line from each node to what it reads, those to the chosen one in blue."""
        faint, bold = [], []
        for node in self.nodes:
            ends = [self._at(other) for other in self.below(node)] or [
                (self._x(i), self._y(0) - 15) for i in range(node.first, node.last)
            ]
            mine = chosen.first <= node.first and node.last <= chosen.last
            kept, colour, wide = (bold, "forward", 3) if mine else (faint, "faint", 2)
            kept += [svg.line(end, self._at(node), colour, wide) for end in ends]
        return "".join(faint + bold)

    def _knots(self, chosen: Node) -> str:
        """The nodes with their names, and the shape of each level beside it."""
        marks = []
        for node in self.nodes:
            x, y = self._at(node)
            mine = chosen.first <= node.first and node.last <= chosen.last
            mine = mine and node.level <= chosen.level
            marks.append(svg.dot(x, y, "forward" if mine else "reference", 15))
            marks.append(
                svg.text(x, y + 5, node.name, "paper", 14, "middle", True, False)
            )
            if node == chosen:
                marks.append(_ring(x, y))
            button = list(NAMES.values()).index(node.name)
            marks.append(svg.hit(x - 20, y - 20, 40, 40, "node", button))
        for level in range(len(self.plan) + 1):
            count = sum(node.level == level for node in self.nodes) or BLOCK
            numbers = "H" if level else "C"
            said = f"(B, {count}, {numbers})"
            marks.append(svg.text(520, self._y(level) + 5, said, "soft", 13))
        return "".join(marks)

    def _letters(self, chosen: Node) -> str:
        marks = []
        for i, letter in enumerate(self.context):
            x, y, mine = self._x(i), self._y(0), chosen.first <= i < chosen.last
            marks.append(svg.box(x - 17, y - 15, 34, 30, "paper"))
            colour, strength = ("forward", 0.16) if mine else ("faint", 0.3)
            edge = "forward" if mine else "faint"
            marks.append(
                svg.box(x - 17, y - 15, 34, 30, colour, strength, 4, edge, 1.5)
            )
            ink = "ink" if mine else "soft"
            marks.append(
                svg.text(x, y + 5, letter, ink, 16, "middle", mine, False, code=True)
            )
        x = self._x(8)
        marks.append(svg.text(x - 41, self._y(0) + 34, "newest", "soft", 12, "end"))
        marks.append(svg.text(self._x(0) - 17, self._y(0) + 34, "oldest", "soft", 12))
        return "".join(marks)


def _ring(x: float, y: float) -> str:
    return svg.tag(
        "circle",
        cx=x,
        cy=y,
        r=20.0,
        class_="wb-backward",
        color=svg.LIGHT["backward"],
        fill="none",
        stroke="currentColor",
        stroke_width=2.5,
    )


# --- What two trees share ---------------------------------------------------------

Place = tuple[int, int]  # level, and the column of the newest letter under the node


def tree_at(levels: int, newest: int) -> set[Place]:
    """The nodes of the tree whose newest letter is in this column."""
    return {
        (level, newest - k * 2**level)
        for level in range(1, levels + 1)
        for k in range(2 ** (levels - level))
    }


def shared_nodes(word: str = "emma", levels: int = 3) -> Explorable:
    """Slide the tree along a name: which nodes are new, which were there already?

    word: a name; another can be typed in. levels: how deep the tree is, 2 to 4.
    """

    def draw(word: str, levels: int, at: int) -> Page:
        return _Sliding(_spelled(word), levels).page(at)

    return Explorable(
        draw,
        Field("word", "name", word, "a name", "200px"),
        Choice("levels", "levels", [("2", 2), ("3", 3), ("4", 4)], levels),
        Steps("at", "output", LONGEST, until=lambda state: _outputs(state["word"])),
        still={"at": len(word)},
    )


def _outputs(word: str) -> int:
    """The last output of a name; of what cannot be read there is none but the first."""
    try:
        return len(_spelled(word))
    except Refused:
        return 0


class _Sliding:
    """A name after its padding, and a tree for each of its outputs."""

    def __init__(self, word: str, levels: int) -> None:
        self.word, self.levels = word, levels
        self.block = 2**levels
        self.tape = "." * self.block + word
        self.trees = [tree_at(levels, self.block - 1 + t) for t in range(len(word) + 1)]
        self.pitch = min(40.0, 560 / len(self.tape))
        self.left = 320 - self.pitch * (len(self.tape) - 1) / 2
        self.high = 190 / levels

    def page(self, at: int) -> Page:
        at = min(at, len(self.word))
        before = set().union(*self.trees[:at])
        tree = self.trees[at]
        rows = list(self._rows(at))
        return Page(
            title=self._claim(rows[-1]),
            look="A solid blue node is computed for this output, a blue ring was "
            "computed for an earlier one and is read again. Grey ones wait for a later "
            "tree. From some output on, a tree needs one new node a level.",
            body=self._lines(tree) + self._dots(before, tree) + self._letters(at),
            height=self._y(0) + 52,
            header=("output", "sees", "new", "reused", "so far", "without sharing"),
            rows=rows,
        )

    def _claim(self, row: tuple[str, ...]) -> str:
        output, _, new, reused, done, alone = row
        if reused == "0":
            return f"Output {output}: {new} new nodes, none shared yet"
        claim = f"Output {output}: {new} new nodes, {reused} reused"
        return f"{claim}; {done} in all, not {alone}"

    def _rows(self, at: int) -> Iterator[tuple[str, ...]]:
        done: set[Place] = set()
        for t, tree in enumerate(self.trees[: at + 1]):
            new = len(tree - done)
            done |= tree
            sees = self.tape[t : t + self.block]
            numbers = new, len(tree) - new, len(done), (t + 1) * len(tree)
            yield str(t + 1), sees, *map(str, numbers)

    def _x(self, column: float) -> float:
        return self.left + self.pitch * column

    def _y(self, level: int) -> float:
        return 26 + self.high * (self.levels - level)

    def _at(self, place: Place) -> svg.Point:
        """A node stands over its newest letter, as in a convolution."""
        level, column = place
        return self._x(column), self._y(level)

    def _lines(self, tree: set[Place]) -> str:
        marks = []
        for level, column in sorted(tree):
            for back in (0, 2 ** (level - 1)):
                x, y = self._at((level - 1, column - back))
                end = (x, y - 13) if level == 1 else (x, y)
                marks.append(svg.line(end, self._at((level, column)), "forward", 1.8))
        return "".join(marks)

    def _dots(self, before: set[Place], tree: set[Place]) -> str:
        marks = []
        for place in sorted(before | tree):
            x, y = self._at(place)
            if place in tree:
                marks.append(svg.dot(x, y, "forward", 6.5, place in before))
            else:
                marks.append(svg.dot(x, y, "reference", 4))
        for level in range(1, self.levels + 1):
            said = f"level {level}"
            marks.append(svg.text(4, self._y(level) + 4, said, "soft", 12))
        return "".join(marks)

    def _letters(self, at: int) -> str:
        marks, wide = [], min(30.0, self.pitch - 2)
        for i, letter in enumerate(self.tape):
            x, y, mine = self._x(i), self._y(0), at <= i < at + self.block
            colour, strength = ("forward", 0.16) if mine else ("faint", 0.3)
            edge = "forward" if mine else "faint"
            corner = x - wide / 2, y - 13
            marks.append(svg.box(*corner, wide, 27, colour, strength, 4, edge))
            ink = "ink" if mine else "soft"
            size = min(15.0, wide - 4)
            marks.append(
                svg.text(x, y + 5, letter, ink, size, "middle", mine, False, code=True)
            )
        x, target = self._x(at + self.block - 1), (self.word + ".")[at]
        marks.append(svg.text(x, self._y(0) + 36, f"then {target}", "backward", 13))
        return "".join(marks)
