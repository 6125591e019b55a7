"""The given engine of lesson 1 against PyTorch, differences and cases worked by hand.

The expressions are those that the published micrograd is tested with in kind: numbers
on either side, nodes used again, powers, rectifiers. PyTorch works in float64.
"""

from __future__ import annotations

import math
import random
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook.given.micrograd import (
    MLP,
    Layer,
    Neuron,
    Value,
    gradient_check,
    nll,
    softmax,
    topological_order,
)


def tensor(x: float) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


def agree(f, *inputs: float) -> None:
    """f of Values and f of tensors have the same value and the same gradients."""
    ours, theirs = [Value(x) for x in inputs], [tensor(x) for x in inputs]
    out, reference = f(*ours), f(*theirs)
    out.backward()
    reference.backward()
    assert out.data == pytest.approx(reference.item(), rel=1e-9, abs=1e-12)
    for value, t in zip(ours, theirs, strict=True):
        slope = 0.0 if t.grad is None else t.grad.item()
        assert value.grad == pytest.approx(slope, rel=1e-9, abs=1e-12)


# ---------------------------------------------------------------- expressions


def reused(x):
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    return h + q + q * x


def everything(a, b):
    c = a + b
    c = c + c + 1 - (-a)
    d = a * b + b**3
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    return f / 2.0 + 10.0 / f


def squashed(a, b):
    return (a * b).tanh() + (a - b).exp() * (b * b + 1).log() - 1 / (1 + a * a)


@pytest.mark.parametrize("x", [-4.0, -0.5, 0.3, 2.0])
def test_a_node_that_is_used_again_collects_all_its_shares(x):
    agree(reused, x)


@pytest.mark.parametrize("a, b", [(-4.0, 2.0), (1.5, -0.5), (0.1, 0.2)])
def test_every_operation_agrees_with_pytorch(a, b):
    agree(everything, a, b)
    agree(squashed, a, b)


def test_the_expression_of_the_published_readme_has_the_published_slopes():
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.backward()
    assert f"{g.data:.4f} {a.grad:.4f} {b.grad:.4f}" == "24.7041 138.8338 645.5773"


NUMBERS = st.integers(-40, 40).map(lambda n: n / 16 + 1 / 64)  # never at a kink
UNARY = [
    lambda x: x.tanh(),
    lambda x: x.relu(),
    lambda x: x.tanh().exp(),
    lambda x: (x * x + 1).log(),
    lambda x: -x,
    lambda x: x.tanh() ** 2,
    lambda x: (x * x + 1) ** -1.5,
]
BINARY = [
    lambda x, y: x + y,
    lambda x, y: x * y,
    lambda x, y: x - y,
    lambda x, y: x / (y * y + 1),
    lambda x, y: (x + y) * (x - y),
]
NUMERIC = [
    lambda x, n: x + n,
    lambda x, n: n + x,
    lambda x, n: x * n,
    lambda x, n: n * x,
    lambda x, n: x - n,
    lambda x, n: n - x,
    lambda x, n: x / (n * n + 1),
    lambda x, n: n / (x * x + 1),
]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(UNARY), st.none(), st.none()),
        st.tuples(st.sampled_from(BINARY), st.integers(0, 30), st.none()),
        st.tuples(st.sampled_from(NUMERIC), st.none(), NUMBERS),
    ),
    min_size=1,
    max_size=8,
)


def expression(steps):
    """The function that takes these steps, each on what earlier ones made."""

    def f(*inputs):
        nodes = list(inputs)
        for operation, other, number in steps:
            last = nodes[-1]
            if other is not None:
                nodes.append(operation(last, nodes[other % len(nodes)]))
            elif number is not None:
                nodes.append(operation(last, number))
            else:
                nodes.append(operation(last))
        return sum(node.tanh() for node in nodes)  # every node counts, none explodes

    return f


@settings(deadline=None, max_examples=80)
@given(st.lists(NUMBERS, min_size=1, max_size=3), STEPS)
def test_any_expression_agrees_with_pytorch(inputs, steps):
    agree(expression(steps), *inputs)


@pytest.mark.parametrize("x", [-3.0, -1.0, 0.5, 2.0])
@pytest.mark.parametrize("n", [-2, -0.5, 0, 1, 2, 3.0])
def test_powers_agree_with_pytorch(x, n):
    if x > 0 or float(n).is_integer():
        agree(lambda v: v**n, x)


@pytest.mark.parametrize("x", [-20.0, 0.0, 20.0, 400.0])
def test_tanh_is_safe_far_out(x):
    agree(lambda v: v.tanh(), x)


def test_relu_passes_all_or_nothing():
    for x, slope in ((3.0, 1.0), (-3.0, 0.0), (0.0, 0.0)):
        v = Value(x)
        v.relu().backward()
        assert v.grad == slope


def test_sum_works_and_plain_numbers_stand_on_either_side():
    a, b = Value(2.0), Value(3.0)
    total = sum([a, b, a])
    total.backward()
    assert (total.data, a.grad, b.grad) == (7.0, 2.0, 1.0)
    sides = (1 + a, a + 1, 2 * a, a * 2, 1 - a, a - 1, 1 / a, a / 2)
    assert [v.data for v in sides] == [3.0, 3.0, 4.0, 4.0, -1.0, 1.0, 0.5, 1.0]


def test_a_value_shows_its_number_and_its_gradient():
    assert repr(Value(2)) == "Value(data=2.0000, grad=0.0000)"


# ---------------------------------------------------------------- the walk


def test_a_chain_of_fifty_thousand_nodes_is_walked():
    x = Value(1.0)
    out = x
    for _ in range(50_000):
        out = out + 1
    out.backward()
    assert x.grad == 1.0 and out.data == 50_001.0
    assert len(topological_order(out)) == 100_001 > sys.getrecursionlimit()


def test_an_order_has_children_first_and_each_node_once():
    a, b = Value(2.0), Value(2.0)
    out = (a * b + a).tanh() * a
    order = topological_order(out)
    assert order[-1] is out and len(set(map(id, order))) == len(order) == 6
    for at, node in enumerate(order):
        assert all(child in order[:at] for child in node._prev)


def test_a_second_backward_adds_to_the_leaves_and_pytorch_knows_the_first_half():
    a, b, c = Value(-3.0), Value(2.0), Value(-2.0)
    out = (a * b) * c
    out.backward()
    assert (a.grad, b.grad) == (-4.0, 6.0)
    out.backward()  # the node between kept its -2, and hands on -4
    assert (a.grad, c.grad) == (-12.0, -12.0)


def test_a_new_graph_on_cleared_leaves_starts_from_zero():
    a = Value(3.0)
    for _ in range(2):
        a.grad = 0.0
        (a * a).backward()
    assert a.grad == 6.0


# ---------------------------------------------------------------- networks


@pytest.mark.parametrize(
    ("nin", "nouts", "count"), [(3, [4, 4, 1], 41), (2, [16, 16, 1], 337)]
)
def test_a_network_has_as_many_parameters_as_the_published_one(nin, nouts, count):
    net = MLP(nin, nouts)
    parameters = net.parameters()
    assert len(parameters) == len(set(map(id, parameters))) == count
    assert isinstance(net([0.5] * nin), Value)


@pytest.mark.parametrize("act", ["tanh", "relu"])
def test_a_network_agrees_with_pytorch(act):
    net = MLP(3, [4, 4, 2], act=act, rng=random.Random(7))
    x = [0.5, -1.0, 2.0]
    outs = net(x)
    (outs[0] * 2 - outs[1]).backward()
    h, leaves = torch.tensor(x, dtype=torch.float64), []
    for at, layer in enumerate(net.layers):
        w = tensor([[w.data for w in n.w] for n in layer.neurons])
        b = tensor([n.b.data for n in layer.neurons])
        leaves += [w, b]
        h = w @ h + b
        h = getattr(h, act)() if at < 2 else h
    (h[0] * 2 - h[1]).backward()
    assert [v.data for v in outs] == pytest.approx(h.tolist(), rel=1e-9)
    theirs = [
        g
        for w, b in zip(leaves[::2], leaves[1::2], strict=True)
        for row, bias in zip(w.grad.tolist(), b.grad.tolist(), strict=True)
        for g in (*row, bias)
    ]
    assert [p.grad for p in net.parameters()] == pytest.approx(theirs, rel=1e-9)


def test_zero_grad_clears_every_parameter():
    net = MLP(2, [3, 1], rng=random.Random(1))
    net([1.0, 2.0]).backward()
    assert any(p.grad for p in net.parameters())
    net.zero_grad()
    assert not any(p.grad for p in net.parameters())


def test_the_same_generator_makes_the_same_network():
    one, two = (MLP(2, [3, 1], rng=random.Random(5)) for _ in range(2))
    assert [p.data for p in one.parameters()] == [p.data for p in two.parameters()]
    assert all(-1 <= w.data <= 1 for w in Neuron(50, rng=random.Random(5)).w)


def test_a_layer_of_one_neuron_gives_a_value_and_a_wider_one_a_list():
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert [type(v) for v in Layer(2, 3)([1.0, 2.0])] == [Value] * 3


# ---------------------------------------------------------------- softmax, nll


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-900, 900).map(lambda n: n / 8), min_size=1, max_size=6))
def test_softmax_and_nll_agree_with_pytorch(scores):
    logits, t = [Value(x) for x in scores], tensor(scores)
    probabilities = softmax(logits)
    assert [p.data for p in probabilities] == pytest.approx(
        torch.softmax(t, 0).tolist(), rel=1e-9, abs=1e-300
    )
    best = max(range(len(scores)), key=scores.__getitem__)
    loss = nll(logits, best)
    loss.backward()
    reference = torch.nn.functional.cross_entropy(t[None], torch.tensor([best]))
    reference.backward()
    assert loss.data == pytest.approx(reference.item(), rel=1e-9, abs=1e-12)
    assert [v.grad for v in logits] == pytest.approx(t.grad.tolist(), abs=1e-12)


def test_scores_in_the_thousands_are_no_trouble():
    probabilities = softmax([Value(1000.0), Value(1001.0)])
    assert probabilities[1].data == pytest.approx(1 / (1 + math.exp(-1)))


def test_the_case_worked_by_hand():
    assert f"{nll([Value(x) for x in (0, 3, -2, 1)], 3).data:.4f}" == "2.1755"


# ---------------------------------------------------------------- the checker


def test_a_right_engine_passes_its_own_check():
    inputs = [Value(0.7), Value(-1.3)]
    assert gradient_check(squashed, inputs) == []
    assert [v.data for v in inputs] == [0.7, -1.3]


@pytest.mark.parametrize("factor", [0.0, -1.0, 2.0, 1.001])
def test_a_planted_wrong_backward_is_found(factor):
    def wrong(a, b):
        out = a * b

        def _backward():
            a.grad += factor * b.data * out.grad
            b.grad += a.data * out.grad

        out._backward = _backward
        return out.tanh()

    ((index, ours, slope),) = gradient_check(wrong, [Value(0.7), Value(-1.3)])
    assert index == 0 and ours == pytest.approx(factor * slope, rel=1e-6, abs=1e-9)


def test_an_overwritten_gradient_is_found():
    def overwrites(a):
        out = a + a

        def _backward():
            a.grad = out.grad

        out._backward = _backward
        return out

    ((index, ours, slope),) = gradient_check(overwrites, [Value(3.0)])
    assert (index, ours) == (0, 1.0) and slope == pytest.approx(2.0)
