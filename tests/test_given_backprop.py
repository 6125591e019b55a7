"""The given gradients of lesson 5: autograd, finite differences, and cases by hand."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from workbook.course import lesson
from workbook.given import backprop
from workbook.given.backprop import (
    batchnorm_backward,
    compare,
    cross_entropy_backward,
    embedding_backward,
    layernorm_backward,
    linear_backward,
    tanh_backward,
)


def draw(*shape: int, seed: int) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=g, dtype=torch.float64)


def slopes(forward: Callable, upstream: Tensor, *at: Tensor) -> tuple[Tensor, ...]:
    leaves = [x.clone().requires_grad_() for x in at]
    return torch.autograd.grad(forward(*leaves), leaves, upstream)


def differences(forward: Callable, upstream: Tensor, x: Tensor) -> Tensor:
    """Central differences of sum(upstream * forward(x)), number by number."""
    found, h = torch.zeros_like(x), 1e-5
    for i in range(x.numel()):
        up, down = x.clone(), x.clone()
        up.view(-1)[i] += h
        down.view(-1)[i] -= h
        gap = (forward(up) - forward(down)) * upstream
        found.view(-1)[i] = gap.sum() / (2 * h)
    return found


def assert_right(mine: tuple[Tensor, ...], true: tuple[Tensor, ...]) -> None:
    for one, other in zip(mine, true, strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype
        assert other.abs().max() > 0
        assert (one - other).abs().max() <= 1e-9 * other.abs().max()


# ---------------------------------------------------------------- autograd


@pytest.mark.parametrize("sizes", [(5, 3, 4), (1, 7, 2), (32, 30, 64)])
def test_a_linear_layer_is_autograds(sizes):
    n, a, b = sizes
    x, W, bias, dy = draw(n, a, seed=1), draw(a, b, seed=2), draw(b, seed=3), None
    dy = draw(n, b, seed=4)
    true = slopes(lambda x, W, bias: x @ W + bias, dy, x, W, bias)
    assert_right(linear_backward(dy, x, W), true)


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (1,)])
def test_tanh_is_autograds(shape):
    x, dy = 2 * draw(*shape, seed=1), draw(*shape, seed=2)
    true = slopes(torch.tanh, dy, x)
    assert_right((tanh_backward(dy, torch.tanh(x)),), true)


@pytest.mark.parametrize("sizes", [(5, 7), (32, 27), (1, 2)])
def test_cross_entropy_is_autograds_and_its_rows_sum_to_zero(sizes):
    n, V = sizes
    logits = 3 * draw(n, V, seed=1)
    Y = torch.randint(0, V, (n,), generator=torch.Generator().manual_seed(2))
    one = torch.ones((), dtype=torch.float64)
    true = slopes(lambda z: F.cross_entropy(z, Y), one, logits)
    mine = cross_entropy_backward(logits, Y)
    assert_right((mine,), true)
    assert mine.sum(1).abs().max() < 1e-15


def test_cross_entropy_of_huge_logits_is_finite():
    logits = torch.tensor([[1000.0, -1000.0], [-1e30, 1e30]])
    mine = cross_entropy_backward(logits, torch.tensor([1, 1]))
    assert mine.tolist() == [[0.5, -0.5], [0.0, 0.0]]


@pytest.mark.parametrize("sizes", [(5, 3), (32, 64), (200, 4)])
def test_batchnorm_is_that_of_torchs_layer(sizes):
    """BatchNorm1d in training: its variance is divided by n."""
    n, H = sizes
    layer = torch.nn.BatchNorm1d(H, dtype=torch.float64)
    x, dy = (1 + 2 * draw(n, H, seed=1)).requires_grad_(), draw(n, H, seed=2)
    with torch.no_grad():
        layer.weight += draw(H, seed=3)
    layer(x).backward(dy)
    var_inv = (x.detach().var(0, correction=0) + layer.eps) ** -0.5
    raw = (x.detach() - x.detach().mean(0)) * var_inv
    mine = batchnorm_backward(dy, raw, layer.weight.detach(), var_inv)
    assert_right(mine, (x.grad, layer.weight.grad, layer.bias.grad))
    assert mine[0].sum(0).abs().max() < 1e-9  # why a bias before it cannot learn


def test_the_unbiased_variance_is_half_a_percent_away_at_32_examples():
    n, H = 32, 64
    x, dy, gain = draw(n, H, seed=1), draw(n, H, seed=2), 1 + draw(H, seed=3) / 10
    var_inv = (x.var(0, correction=0) + 1e-5) ** -0.5
    raw = (x - x.mean(0)) * var_inv
    right, _, _ = batchnorm_backward(dy, raw, gain, var_inv)
    g = gain * dy
    slip = var_inv * (g - g.mean(0) - raw * (raw * g).sum(0) / (n - 1))
    assert 1e-3 < (slip - right).abs().max() / right.abs().max() < 1e-2
    assert torch.allclose(slip / 100, right / 100, atol=1e-3)
    assert compare(slip, right) == "value"


@pytest.mark.parametrize("shape", [(7,), (5, 3), (2, 4, 6), (3, 2, 4, 5)])
def test_layernorm_is_that_of_torchs_layer(shape):
    layer = torch.nn.LayerNorm(shape[-1], dtype=torch.float64)
    x, dy = (1 + draw(*shape, seed=1)).requires_grad_(), draw(*shape, seed=2)
    with torch.no_grad():
        layer.weight += draw(shape[-1], seed=3)
    layer(x).backward(dy)
    still = x.detach()
    std_inv = (still.var(-1, correction=0, keepdim=True) + layer.eps) ** -0.5
    raw = (still - still.mean(-1, keepdim=True)) * std_inv
    mine = layernorm_backward(dy, raw, layer.weight.detach(), std_inv)
    assert_right(mine, (x.grad, layer.weight.grad, layer.bias.grad))


@pytest.mark.parametrize("shape", [(9,), (4, 3), (2, 3, 2)])
def test_the_embedding_is_that_of_torchs_layer(shape):
    table = torch.nn.Embedding(6, 5, dtype=torch.float64)
    X = torch.randint(0, 5, shape, generator=torch.Generator().manual_seed(1))
    demb = draw(*shape, 5, seed=2)
    table(X).backward(demb)
    mine = embedding_backward(demb, X, 6)
    assert_right((mine,), (table.weight.grad,))
    assert not mine[5].any()  # a letter that did not occur


# ---------------------------------------------------------------- finite differences


def test_differences_agree_with_each_gradient():
    """An oracle that knows no rule of calculus."""
    x, W, dy = draw(3, 4, seed=1), draw(4, 2, seed=2), draw(3, 2, seed=3)
    dx, dW, _ = linear_backward(dy, x, W)
    z, up = draw(3, 4, seed=4), draw(3, 4, seed=5)
    Y = torch.tensor([3, 0, 3])
    var_inv = (z.var(0, correction=0) + 1e-5) ** -0.5
    raw = (z - z.mean(0)) * var_inv
    dz, _, _ = batchnorm_backward(up, raw, torch.ones(4).double(), var_inv)
    std_inv = (z.var(1, correction=0, keepdim=True) + 1e-5) ** -0.5
    rows = (z - z.mean(1, keepdim=True)) * std_inv
    drows, _, _ = layernorm_backward(up, rows, torch.ones(4).double(), std_inv)
    over_batch = lambda t: F.batch_norm(t, None, None, training=True)  # noqa: E731
    for mine, forward, upstream, at in (
        (dx, lambda t: t @ W, dy, x),
        (dW, lambda t: x @ t, dy, W),
        (tanh_backward(up, torch.tanh(z)), torch.tanh, up, z),
        (cross_entropy_backward(z, Y), lambda t: F.cross_entropy(t, Y), 1.0, z),
        (dz, over_batch, up, z),
        (drows, lambda t: F.layer_norm(t, (4,)), up, z),
    ):
        found = differences(forward, upstream, at)
        assert (mine - found).abs().max() <= 1e-7 * found.abs().max()


# ---------------------------------------------------------------- by hand


def test_cases_done_by_hand():
    def t(*rows: list[float]) -> Tensor:
        return torch.tensor(rows)

    dy, x, W = t([1.0, 0, -1]), t([1.0, 2]), t([3.0, 4, 5], [6, 7, 8])
    dx, dW, db = linear_backward(dy, x, W)
    assert dx.tolist() == [[-2, -2]]
    assert dW.tolist() == [[1, 0, -1], [2, 0, -2]]
    assert db.tolist() == [1, 0, -1]
    assert tanh_backward(t([2.0, 2]), t([0.5, 1])).tolist() == [[1.5, 0]]
    logits = t([1.0, 1, 2]).log()
    dlogits = cross_entropy_backward(logits, torch.tensor([0]))
    torch.testing.assert_close(dlogits, t([-0.75, 0.25, 0.5]))
    raw, one = t([-1.0], [-1], [1], [1]), torch.ones(1)
    dx, dgain, dbias = batchnorm_backward(t([1.0], [0], [0], [0]), raw, one, one)
    assert dx.tolist() == [[0.5], [-0.5], [0], [0]]
    assert (dgain.tolist(), dbias.tolist()) == ([-1], [1])
    demb, X = t([5.0], [6], [7]), torch.tensor([1, 0, 1])
    assert embedding_backward(demb, X, 3).tolist() == [[6], [12], [0]]


# ---------------------------------------------------------------- the judge


def test_the_judge_asks_in_order():
    row = torch.tensor([0.5, 0.25], dtype=torch.float64)
    assert compare(row.clone(), row) == "right"
    assert compare(row[None].float(), row) == "shape"
    assert compare(row[:1], row) == "shape"
    assert compare(row.float() * math.nan, row) == "dtype"
    assert compare(row * math.nan, row) == "not finite"
    assert compare(row * 1.00001, row) == "value"
    assert compare(row * 0, row) == "value"


def test_what_cancels_is_judged_by_its_parts():
    """The gradient of a bias before BatchNorm: rounding, and zeros are right."""
    x, dy = draw(32, 5, seed=1), draw(32, 5, seed=2)
    var_inv = (x.var(0, correction=0) + 1e-5) ** -0.5
    raw = (x - x.mean(0)) * var_inv
    dx, _, _ = batchnorm_backward(dy, raw, torch.ones(5).double(), var_inv)
    noise, zeros = dx.sum(0), torch.zeros(5).double()
    true = slopes(lambda b: F.batch_norm(x + b, None, None, training=True), dy, zeros)[
        0
    ]
    assert compare(zeros, true) == "value"  # a share of rounding means nothing
    assert compare(zeros, true, dx) == compare(noise, true, dx) == "zero"
    assert compare(zeros + 1e-3, true, dx) == "value"
    assert compare(dx, dx) == "right"


# ---------------------------------------------------------------- as a module


def test_it_imports_torch_and_nothing_of_ours():
    code = (
        "import sys; import workbook.given.backprop; "
        "print(sorted(n for n in sys.modules if n.startswith('workbook.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['workbook.given', 'workbook.given.backprop']"


@pytest.mark.parametrize("name", lesson("backprop").public)
def test_each_function_says_its_types_and_shapes(name):
    function = getattr(backprop, name)
    hints = function.__annotations__
    assert "return" in hints and len(hints) > 2
    assert name == "compare" or "(" in function.__doc__


@pytest.mark.parametrize("name", ["batchnorm_backward", "layernorm_backward"])
def test_each_paper_is_named(name):
    assert "https://arxiv.org/abs/" in getattr(backprop, name).__doc__
