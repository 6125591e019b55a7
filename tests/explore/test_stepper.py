"""The graph stepper copies a graph, fires it rightly and wrongly, and leaves it be."""

from __future__ import annotations

import math
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from workbook.explore import expression_graph, graph_stepper
from workbook.explore.graph import snapshot
from workbook.explore.layout import layout
from workbook.explore.page import Refused


class Value:
    """As small a scalar engine as the stepper needs."""

    def __init__(self, data, _prev=(), _op="", label=""):
        self.data = data
        self.grad = 0.0
        self._prev = _prev
        self._op = _op
        self.label = label
        self._backward = lambda: None

    def _made(self, data, op, others, locals_):
        out = Value(data, (self, *others), op)

        def _backward():
            for child, local in zip(out._prev, locals_, strict=True):
                child.grad += local * out.grad

        out._backward = _backward
        return out

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self._made(self.data + other.data, "+", [other], [1.0, 1.0])

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        product = self.data * other.data
        return self._made(product, "*", [other], [other.data, self.data])

    def __pow__(self, n):
        slope = n * self.data ** (n - 1)
        return self._made(self.data**n, f"**{n}", [], [slope])

    def tanh(self):
        t = math.tanh(self.data)
        return self._made(t, "tanh", [], [1 - t * t])

    def relu(self):
        return self._made(max(0.0, self.data), "relu", [], [float(self.data > 0)])

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self * other**-1


def reused() -> tuple[Value, Value, Value]:
    """(a·b)(a + b): both leaves are used twice."""
    a, b = Value(-2.0, label="a"), Value(3.0, label="b")
    return (a * b) * (a + b), a, b


def long_expression() -> tuple[Value, Value, Value]:
    """The function of micrograd's README, its sums grouped from the left."""
    a, b = Value(-4.0, label="a"), Value(2.0, label="b")
    c, d = a + b, a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + d * 3 + (b - a).relu()
    f = (c - d) ** 2
    return f / 2.0 + Value(10.0) / f, a, b


def below(root) -> list:
    found, todo = {}, [root]
    while todo:
        value = todo.pop()
        if id(value) not in found:
            found[id(value)] = value
            todo += list(value._prev)
    return list(found.values())


def gradients(root, accumulate: bool, order: str) -> dict[str, float]:
    graph = snapshot(root)
    moment = graph.runs[accumulate, order][-1]
    return {n.name: g for n, g in zip(graph.nodes, moment.grads, strict=True) if n.name}


def last(stepper) -> int:
    return stepper.controls[0].last


def test_a_plus_a_has_gradient_two_and_one_with_the_bug() -> None:
    a = Value(3.0, label="a")
    assert gradients(a + a, True, "topological")["a"] == 2
    assert gradients(a + a, False, "topological")["a"] == 1


def test_leaves_used_twice_lose_one_share_when_closures_assign() -> None:
    root, *_ = reused()
    right = gradients(root, True, "topological")
    assert (right["a"], right["b"]) == (-3, -8)


def test_assigning_leaves_minus_six_on_both_when_the_sum_fires_last() -> None:
    a, b = Value(-2.0, label="a"), Value(3.0, label="b")
    root = (a + b) * (a * b)  # the product is found last, so it fires first
    wrong = gradients(root, False, "topological")
    assert (wrong["a"], wrong["b"]) == (-6, -6)


def test_breadth_first_gives_minus_14_on_the_readme_expression() -> None:
    root, *_ = long_expression()
    right = gradients(root, True, "topological")
    assert right["a"] == pytest.approx(138.8338192419825)
    assert right["b"] == pytest.approx(645.5772594752186)
    assert gradients(root, True, "breadth")["a"] == pytest.approx(-14)


def test_every_grad_and_class_is_left_as_it_was() -> None:
    root, a, b = reused()
    values = below(root)
    for i, value in enumerate(values):
        value.grad = 0.5 + i
    stepper = graph_stepper(root)
    for step in range(last(stepper) + 1):
        stepper.page(step=step, accumulate=False, order="breadth")
    assert [value.grad for value in values] == [0.5 + i for i in range(len(values))]
    assert all(type(value) is Value for value in values)
    assert "grad" in vars(a) and "grad" in vars(b)


def test_grads_are_restored_even_when_a_closure_raises() -> None:
    root, a, _ = reused()
    a.grad = 7.0

    def broken() -> None:
        a.grad += 1.0
        raise TypeError("no such thing")

    root._prev[0]._backward = broken
    page = graph_stepper(root).page()
    assert page.title == "The _backward of * raised TypeError: no such thing."
    assert a.grad == 7.0 and type(a) is Value


def test_a_value_with_slots_can_be_stepped_too() -> None:
    class Slim:
        __slots__ = ("_backward", "_prev", "data", "grad")

        def __init__(self, data: float, prev: tuple = ()) -> None:
            self.data, self.grad, self._prev = data, 0.0, prev
            self._backward = lambda: None

    a = Slim(2.0)
    out = Slim(4.0, (a, a))

    def closure() -> None:
        a.grad += out.grad
        a.grad += out.grad

    out._backward = closure
    assert snapshot(out).right == (2.0, 1.0)
    assert a.grad == 0.0


def test_children_kept_in_a_set_give_the_same_gradients() -> None:
    root, *_ = reused()
    for value in below(root):
        value._prev = value._prev if len(value._prev) == 2 else set(value._prev)
    assert gradients(root, True, "topological")["b"] == -8
    a = Value(3.0, label="a")
    twice = a + a
    twice._prev = {a}
    twice._backward = lambda: [setattr(a, "grad", a.grad + twice.grad) for _ in "ab"]
    assert gradients(twice, True, "topological")["a"] == 2


def test_the_picture_starts_with_the_learners_own_way_of_writing() -> None:
    a = Value(3.0, label="a")
    root = a + a
    assert graph_stepper(root).state["accumulate"] is True

    def assigns() -> None:
        a.grad = root.grad
        a.grad = root.grad

    root._backward = assigns
    stepper = graph_stepper(root)
    assert stepper.state["accumulate"] is False
    page = stepper.set(step=1).page()
    assert page.title == "a.grad is 1, and should be 2"
    assert "Your own closures write with =" in page.look


def test_the_claims_of_a_pass_tell_its_story() -> None:
    root, *_ = reused()
    stepper = graph_stepper(root, f=root)
    titles = [stepper.page(step=step).title for step in range(4)]
    assert titles == [
        "The root's own gradient is 1; nothing has flowed back yet",
        "Step 1 of 3: f hands 1 to a*b and -6 to a+b",
        "Step 2 of 3: a+b hands -6 to a and -6 to b",
        "All 3 closures have fired, and every gradient is right",
    ]


def test_an_overwritten_share_is_named_where_it_happens() -> None:
    root, *_ = reused()
    page = graph_stepper(root).page(step=3, accumulate=False)
    assert page.look == (
        "a already held -6. With = it is overwritten by 3; += would keep both."
    )


def test_a_share_that_comes_late_is_named_where_it_happens() -> None:
    root, *_ = long_expression()
    stepper = graph_stepper(root)
    looks = [
        stepper.page(step=step, order="breadth").look
        for step in range(last(stepper) + 1)
    ]
    assert any("had fired before this share came" in look for look in looks)


def test_the_table_and_the_picture_show_the_same_gradients() -> None:
    root, *_ = reused()
    page = graph_stepper(root, f=root).page(step=3)
    told = {row[0]: row for row in page.rows}
    assert told["a"] == ("a", "leaf", "-2", "-3", "-3", "")
    assert told["f"] == ("f", "*", "-6", "1", "1", "1")
    drawn = ElementTree.fromstring(page.svg())
    written = [node.text for node in drawn.iter("{http://www.w3.org/2000/svg}text")]
    for row in page.rows:
        assert row[0] in written
        assert row[3].replace("-", "−") in written


def test_a_wrong_gradient_says_what_it_should_be() -> None:
    a = Value(3.0, label="a")
    drawn = graph_stepper(a + a).page(step=1, accumulate=False).svg()
    assert ">should be 2<" in drawn
    assert ">should be 2<" not in graph_stepper(a + a).page(step=1).svg()


def test_names_can_be_given_without_labels() -> None:
    a, b = Value(2.0), Value(3.0)
    names = [row[0] for row in graph_stepper(a * b, a=a, b=b).page().rows]
    assert names == ["a*b", "b", "a"]


def test_a_graph_of_more_than_forty_nodes_is_refused_in_one_sentence() -> None:
    total = Value(0.0)
    for i in range(30):
        total = total + Value(float(i))
    assert graph_stepper(total).page().text() == (
        "This graph has 61 nodes and the stepper draws up to 40: give it a smaller "
        "expression, one neuron for instance."
    )


def test_a_chain_of_thousands_is_refused_without_a_recursion_error() -> None:
    total = Value(0.0)
    for _ in range(3000):
        total = total + 1
    with pytest.raises(Refused, match="6001 nodes"):
        snapshot(total)


def test_what_is_no_value_is_refused_in_one_sentence() -> None:
    assert graph_stepper(3.0).page().title.endswith("not a float.")


def test_every_state_of_a_large_graph_is_well_formed() -> None:
    root, *_ = long_expression()
    stepper = graph_stepper(root)
    for order in ("topological", "breadth"):
        for step in range(0, last(stepper) + 1, 4):
            for accumulate in (True, False):
                page = stepper.page(step=step, order=order, accumulate=accumulate)
                ElementTree.fromstring(page.svg())
                assert len(page.title) <= 72


def test_children_stand_left_of_their_parents_and_cards_do_not_overlap() -> None:
    root, *_ = long_expression()
    nodes = snapshot(root).nodes
    placed = layout([node.children for node in nodes], card=54, gap=26)
    for i, node in enumerate(nodes):
        assert all(placed.column[child] < placed.column[i] for child in node.children)
    for column in range(placed.columns):
        ys = sorted(
            y for y, c in zip(placed.y, placed.column, strict=True) if c == column
        )
        assert all(b - a >= 54 + 26 - 1e-6 for a, b in pairwise(ys))


def test_a_neuron_is_drawn_without_crossing_edges() -> None:
    from workbook.explore import layout as module

    x1, x2, w1, w2, b = (Value(v) for v in (2.0, 0.0, -3.0, 1.0, 6.88))
    nodes = snapshot((x1 * w1 + x2 * w2 + b).tanh()).nodes
    children = [node.children for node in nodes]
    layer = module._layers(children)
    bends = module._bends(children, layer)
    links = module._links(bends)
    order = module._untangle(module._first_order(len(nodes), layer, bends), links)
    assert module._crossings(order, links) == 0


ENGINE_STATES = [
    (accumulate, order)
    for accumulate in (True, False)
    for order in ("topological", "breadth")
]


@pytest.mark.parametrize("accumulate, order", ENGINE_STATES)
@pytest.mark.parametrize("make", [reused, long_expression])
def test_no_sentence_praises_a_gradient_that_is_wrong(make, accumulate, order) -> None:
    root, *_ = make()
    stepper = graph_stepper(root)
    for step in range(last(stepper) + 1):
        page = stepper.page(step=step, accumulate=accumulate, order=order)
        praised = "its gradient is complete" in page.look
        assert praised <= (accumulate and order == "topological")
        if "should be" in page.title:
            assert "nothing is lost" not in page.look


def test_a_node_that_fires_with_a_wrong_gradient_is_named() -> None:
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c")
    m = a * b
    stepper = graph_stepper(m + m * c, m=m)
    page = stepper.page(step=last(stepper), accumulate=False)
    assert page.title.startswith("a.grad is -30, and should be -33")
    assert page.look == (
        "m fires with 10 and should hold 11: what it hands on is wrong as well."
    )


def test_a_mistake_that_does_no_harm_is_said_to_do_none() -> None:
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    stepper = graph_stepper(a * b)
    for accumulate, order in ENGINE_STATES[1:]:
        page = stepper.page(step=1, accumulate=accumulate, order=order)
        assert page.look.endswith("In this graph nothing is lost by it.")


def test_the_picture_at_rest_shows_gradients_only_where_there_are_some() -> None:
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    root = a * b
    page = expression_graph(root).page()
    assert page.title == "The graph of the expression: 2 leaves, 1 operation"
    assert ">grad<" not in page.svg() and ">data<" in page.svg()
    root.grad, a.grad, b.grad = 1.0, 3.0, 2.0
    page = expression_graph(root).page()
    assert page.svg().count(">grad<") == 3
    assert ("a", "leaf", "2", "3") in page.rows
    assert (root.grad, a.grad, b.grad) == (1.0, 3.0, 2.0)


def test_the_picture_at_rest_refuses_what_is_no_graph() -> None:
    assert expression_graph(3.0).page().title.endswith("not a float.")
