"""Lesson 4: the lecture's ledger, one start of the same network after the other.

All runs draw from one seed in the lecture's order and train in one thread, 200,000
batches of 32, the rate cut from 0.1 to 0.01 after half of them.
"""

from collections.abc import Iterator
from itertools import islice, pairwise

import torch
from torch import Tensor

from workbook.bench.measure.lecture import Pairs, batch, descend, loss, rates, sets
from workbook.bench.results import measurement
from workbook.given import mlp
from workbook.given.batchnorm import BatchNorm1d, Linear, Tanh

SEED = 2147483647
GAIN = 5 / 3 / 30**0.5  # Kaiming, for tanh behind 30 inputs


def _scaled(quick: bool, **factors: float) -> float:
    """Dev loss of lesson 3's network, its first weights multiplied by these."""
    train, dev, _ = sets()
    g = torch.Generator().manual_seed(SEED)
    model = mlp.MLP(generator=g)
    with torch.no_grad():
        for name, factor in factors.items():
            getattr(model, name).mul_(factor)
    steps = 2_000 if quick else 200_000
    descend(model, model.parameters(), train, rates(steps), g)
    return loss(model, dev)


@measurement("batchnorm.original_dev")
def original(quick: bool) -> Iterator[float]:
    """As lesson 3 begins."""
    yield _scaled(quick)


@measurement("batchnorm.softmax_fix_dev")
def softmax_fix(quick: bool) -> Iterator[float]:
    """The output layer scaled down."""
    yield _scaled(quick, W2=0.01, b2=0.0)


@measurement("batchnorm.tanh_fix_dev")
def tanh_fix(quick: bool) -> Iterator[float]:
    """The hidden layer scaled down as well, by a number that was tried."""
    yield _scaled(quick, W1=0.2, b1=0.01, W2=0.01, b2=0.0)


@measurement("batchnorm.kaiming_dev")
def kaiming(quick: bool) -> Iterator[float]:
    """The hidden layer scaled by a formula."""
    yield _scaled(quick, W1=GAIN, b1=0.01, W2=0.01, b2=0.0)


class _Net:
    """An embedding table and layers."""

    def __init__(self, C: Tensor, layers: list) -> None:
        self.C, self.layers = C, layers

    def __call__(self, X: Tensor) -> Tensor:
        x = self.C[X].view(len(X), -1)
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self) -> list[Tensor]:
        return [self.C, *(p for layer in self.layers for p in layer.parameters())]

    def dev(self, pairs: Pairs) -> float:
        """The loss in use; training goes on afterwards."""
        for layer in self.layers:
            layer.training = False
        found = loss(self, pairs)
        for layer in self.layers:
            layer.training = True
        return found


@measurement("batchnorm.batchnorm_dev", "batchnorm.batchnorm_parameters")
def batchnorm(quick: bool) -> Iterator[float]:
    """One hidden layer with BatchNorm, its averages moved by a thousandth a batch."""
    train, dev, _ = sets()
    g = torch.Generator().manual_seed(SEED)
    C = torch.randn(27, 10, generator=g, requires_grad=True)
    layers = [Linear(30, 200, bias=False, generator=g)]
    layers += [BatchNorm1d(200, momentum=0.001), Tanh(), Linear(200, 27, generator=g)]
    with torch.no_grad():
        layers[0].weight *= 5 / 3
        layers[-1].weight *= 0.01 * 200**0.5
    net = _Net(C, layers)
    steps = 2_000 if quick else 200_000
    descend(net, net.parameters(), train, rates(steps), g)
    yield net.dev(dev)
    yield sum(p.numel() for p in net.parameters())


@measurement(
    "batchnorm.deep_first_loss",
    "batchnorm.deep_dev",
    "batchnorm.deep_long_dev",
    "batchnorm.deep_parameters",
)
def deep(quick: bool) -> Iterator[float]:
    """Six layers with BatchNorm: the first batch, after 1,001 steps, after 100,000."""
    train, dev, _ = sets()
    g = torch.Generator().manual_seed(SEED)
    C = torch.randn(27, 10, generator=g, requires_grad=True)
    layers: list = []
    sizes = [30, 100, 100, 100, 100, 100, 27]
    for n, m in pairwise(sizes):
        layers += [Linear(n, m, bias=False, generator=g), BatchNorm1d(m), Tanh()]
    layers.pop()
    with torch.no_grad():
        layers[-1].gamma *= 0.1
    net = _Net(C, layers)
    before = torch.Generator().set_state(g.get_state())
    yield loss(net, batch(train, before))
    steps = 2_000 if quick else 100_000
    each = rates(steps, cut=0.75)
    descend(net, net.parameters(), train, islice(each, 1_001), g)
    yield net.dev(dev)
    descend(net, net.parameters(), train, each, g)
    yield net.dev(dev)
    yield sum(p.numel() for p in net.parameters())
