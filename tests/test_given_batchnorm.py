"""The given layers of lesson 4 against PyTorch's, finite differences, and by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from workbook.given import batchnorm
from workbook.given.batchnorm import BatchNorm1d, LayerNorm, Linear, Tanh


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def filled(layer, **values: Tensor):
    """The layer with these numbers, in double precision."""
    for name, value in values.items():
        own = getattr(layer, name)
        if own.requires_grad:
            own.data = value.clone()
        else:
            setattr(layer, name, value.clone())
    return layer


def close(one: Tensor, two: Tensor, tolerance: float = 1e-9) -> None:
    """The same shape and dtype, and the same numbers, to a share of the largest."""
    assert one.shape == two.shape and one.dtype == two.dtype
    assert (one - two).abs().max() <= tolerance * two.abs().max() + 1e-12


def by_differences(f: Callable[[], Tensor], at: Tensor, h: float = 1e-5) -> Tensor:
    """The gradient of f() at a tensor, one number nudged after the other."""
    slopes = torch.zeros_like(at)
    flat, out = at.data.view(-1), slopes.view(-1)
    for i in range(len(flat)):
        kept = flat[i].item()
        ends = []
        for step in (h, -h):
            flat[i] = kept + step
            ends.append(f().item())
        flat[i] = kept
        out[i] = (ends[0] - ends[1]) / (2 * h)
    return slopes


def layers() -> dict[str, tuple]:
    """Each layer with numbers in it, and an input."""
    wide = {"gamma": normal(4, seed=2) + 1.5, "beta": normal(4, seed=3)}
    linear = {"weight": normal(4, 3, seed=4), "bias": normal(3, seed=5)}
    running = {"running_mean": normal(4, seed=6), "running_var": normal(4, seed=7) ** 2}
    used = filled(BatchNorm1d(4), **wide, **running)
    used.training = False
    return {
        "Linear": (filled(Linear(4, 3), **linear), normal(5, 4)),
        "Tanh": (Tanh(), normal(5, 4)),
        "BatchNorm1d": (filled(BatchNorm1d(4), **wide), normal(5, 4)),
        "BatchNorm1d in use": (used, normal(5, 4)),
        "LayerNorm": (filled(LayerNorm(4), **wide), normal(2, 3, 4)),
    }


# ---------------------------------------------------------------- gradients


@pytest.mark.parametrize("name", layers())
def test_gradients_are_those_of_finite_differences(name):
    layer, x = layers()[name]
    x.requires_grad_()
    weights = normal(*layer(x).shape, seed=8)

    def loss() -> Tensor:
        return (layer(x) * weights).sum()

    leaves = [x, *layer.parameters()]
    for leaf, slope in zip(leaves, torch.autograd.grad(loss(), leaves), strict=True):
        assert slope.abs().max() > 1e-3
        close(slope, by_differences(loss, leaf), 1e-6)


# ---------------------------------------------------------------- linear, tanh


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 4), (2, 6, 4), (4,)])
def test_linear_is_torchs(shape, bias):
    layer = filled(Linear(4, 3, bias=bias), weight=normal(4, 3))
    if bias:
        layer.bias.data = normal(3, seed=2)
    want = F.linear(normal(*shape), layer.weight.T, layer.bias)
    out = layer(normal(*shape))
    close(out, want)
    assert layer.out is out
    assert len(layer.parameters()) == 1 + bias


def test_weights_begin_with_the_spread_of_the_fan_in():
    layer = Linear(400, 250, generator=seeded(3))
    assert layer.weight.std().item() == pytest.approx(1 / 20, rel=0.02)
    assert abs(layer.weight.mean().item()) < 0.001
    assert not layer.bias.any()
    x = torch.randn(500, 400, generator=seeded(4))
    assert layer(x).std().item() == pytest.approx(1, rel=0.03)


def test_the_same_generator_makes_the_same_layer_and_no_other_draws_change():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, two = (Linear(5, 6, generator=seeded(4)) for _ in "ab")
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.weight, two.weight)
    assert all(p.is_leaf and p.requires_grad for p in one.parameters())


def test_tanh_is_torchs_also_far_out():
    x = torch.tensor([[0.0, 1000.0], [-1000.0, 0.5]], dtype=torch.float64)
    layer = Tanh()
    close(layer(x), torch.nn.Tanh()(x))
    assert layer.parameters() == []


# ---------------------------------------------------------------- norms


def theirs(dim: int, **options: float) -> torch.nn.BatchNorm1d:
    layer = torch.nn.BatchNorm1d(dim, dtype=torch.float64, **options)
    layer.weight.data, layer.bias.data = normal(dim, seed=2), normal(dim, seed=3)
    return layer


def ours(dim: int, **options: float) -> BatchNorm1d:
    zeros = torch.zeros(dim, dtype=torch.float64)
    layer = filled(BatchNorm1d(dim, **options), running_mean=zeros)
    layer.running_var = zeros + 1
    return filled(layer, gamma=normal(dim, seed=2), beta=normal(dim, seed=3))


@pytest.mark.parametrize("options", [{}, {"eps": 0.3}, {"momentum": 0.001}])
def test_batchnorm_is_torchs_in_training_and_in_use(options):
    mine, judge = ours(6, **options), theirs(6, **options)
    for i in range(8):
        x = normal(5 + i, 6, seed=10 + i) * (i + 1) - i
        close(mine(x), judge(x))
        close(mine.running_mean, judge.running_mean)
        close(mine.running_var, judge.running_var)
    mine.training = False
    judge.eval()
    for N in (1, 7):
        close(mine(normal(N, 6, seed=30)), judge(normal(N, 6, seed=30)))
    close(mine.running_var, judge.running_var)


def test_batchnorm_by_hand():
    """A column [1, 5]: mean 3; variance 4 over N, 8 over N - 1."""
    layer = BatchNorm1d(1, eps=0.0)
    assert layer(torch.tensor([[1.0], [5.0]])).tolist() == [[-1.0], [1.0]]
    assert layer.running_mean.item() == pytest.approx(0.3)
    assert layer.running_var.item() == pytest.approx(0.9 + 0.8)


def test_the_lectures_convention_is_another_one():
    """The unbiased variance in normalising too; at 32 examples they lie apart."""
    x = normal(32, 5, seed=40)
    lecture = (x - x.mean(0)) / torch.sqrt(x.var(0) + 1e-5)
    mine = BatchNorm1d(5)(x.float()).double()
    assert (mine - lecture).abs().max() > 0.01
    close(mine.detach() * (31 / 32) ** 0.5, lecture, 1e-4)


def test_in_use_one_example_depends_on_no_other_and_leaves_no_trace():
    layer = ours(4)
    for i in range(5):
        layer(normal(9, 4, seed=i))
    layer.training = False
    kept = layer.running_mean.clone(), layer.running_var.clone()
    x = normal(6, 4, seed=50)
    together = layer(x)
    for i in range(6):
        close(layer(x[i : i + 1]), together[i : i + 1])
    assert torch.equal(layer.running_mean, kept[0])
    assert torch.equal(layer.running_var, kept[1])


def test_the_running_averages_carry_no_graph():
    layer = ours(4)
    for i in range(3):
        layer(normal(9, 4, seed=i).requires_grad_())
    assert not layer.running_mean.requires_grad
    assert not layer.running_var.requires_grad
    assert len(layer.parameters()) == 2


def test_a_unit_that_never_varies_gives_its_shift():
    x = torch.cat([normal(6, 1), torch.ones(6, 1, dtype=torch.float64)], 1)
    layer = ours(2)
    close(layer(x)[:, 1], layer.beta.detach()[1].expand(6))


def test_a_bias_before_batchnorm_learns_nothing():
    linear = filled(Linear(4, 3), weight=normal(4, 3), bias=normal(3, seed=2))
    out = ours(3)(linear(normal(9, 4, seed=3)))
    (out * normal(9, 3, seed=4)).sum().backward()
    assert linear.bias.grad.abs().max() < 1e-12
    assert linear.weight.grad.abs().max() > 1e-3


@pytest.mark.parametrize("shape", [(5, 6), (2, 3, 6), (6,), (1, 6), (6, 6)])
def test_layernorm_is_torchs(shape):
    judge = torch.nn.LayerNorm(6, dtype=torch.float64)
    judge.weight.data, judge.bias.data = normal(6, seed=2), normal(6, seed=3)
    layer = filled(LayerNorm(6), gamma=normal(6, seed=2), beta=normal(6, seed=3))
    for training in (True, False):
        layer.training = training
        close(layer(normal(*shape)), judge(normal(*shape)))
    assert LayerNorm(6, eps=0.3)(torch.ones(2, 6)).tolist() == [[0.0] * 6] * 2


# ---------------------------------------------------------------- together


def test_a_deep_stack_of_them_learns():
    g = seeded(6)
    X = torch.randn(200, 8, generator=g)
    Y = (X[:, 0] * X[:, 1] > 0).long()
    stack = []
    for n, m in ((8, 20), (20, 20), (20, 20)):
        stack += [Linear(n, m, bias=False, generator=g), BatchNorm1d(m), Tanh()]
    stack += [LayerNorm(20), Linear(20, 2, generator=g)]

    def logits() -> Tensor:
        x = X
        for layer in stack:
            x = layer(x)
        return x

    parameters = [p for layer in stack for p in layer.parameters()]
    for _ in range(150):
        loss = F.cross_entropy(logits(), Y)
        for p, slope in zip(
            parameters, torch.autograd.grad(loss, parameters), strict=True
        ):
            p.data -= 0.5 * slope
    for layer in stack:
        layer.training = False
    assert (logits().argmax(1) == Y).float().mean() > 0.95


# ---------------------------------------------------------------- as a module


@pytest.mark.parametrize("name", ["Linear", "BatchNorm1d", "LayerNorm", "Tanh"])
def test_each_layer_can_stand_in_a_sequence(name):
    cls = getattr(batchnorm, name)
    assert cls.training is True
    assert cls.__doc__ and cls.__call__.__doc__ and cls.parameters.__doc__
    assert "return" in cls.__call__.__annotations__


def test_it_imports_torch_and_nothing_of_ours():
    code = (
        "import sys; import workbook.given.batchnorm; "
        "print(sorted(n for n in sys.modules if n.startswith('workbook.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['workbook.given', 'workbook.given.batchnorm']"
