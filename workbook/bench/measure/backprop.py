"""Lesson 5: the network trained by hand and by autograd, and how far gradients differ.

Both trainings begin with the same numbers, see the same batches, and run in turn in one
thread, a thousand steps each, so that their times can be compared.
"""

import time
from collections.abc import Callable, Iterator
from itertools import repeat
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbook.bench.measure.lecture import descend, sets
from workbook.bench.results import measurement
from workbook.course import lesson
from workbook.given import backprop
from workbook.source import Cell, read, unmarked

SEED = 2147483647
Parameters = dict[str, Tensor]


def _solution() -> SimpleNamespace:
    """What the lesson's solutions define, the network and its steps included."""
    names: dict[str, Any] = {"torch": torch, "F": F, "Tensor": Tensor}
    names["Callable"] = Callable
    for cell in read(lesson("backprop").solution_source):
        if _defines(cell):
            exec(unmarked(cell.text), names)
    return SimpleNamespace(**names)


def _defines(cell: Cell) -> bool:
    """Whether a cell defines answers, or what they stand on, and needs no data."""
    plain = cell.kind == "code" and "solution" not in cell.tags
    return plain and cell.text.startswith("def ") and "budget(" not in cell.text


def _loss(p: Parameters, known: Tensor, X: Tensor, Y: Tensor) -> float:
    """The loss on (X, Y), with BatchNorm's mean and variance taken from `known`."""
    with torch.no_grad():
        old, new = (p["C"][x].flatten(1) @ p["W1"] + p["b1"] for x in (known, X))
        gain, bias = p["bngain"], p["bnbias"]
        y = F.batch_norm(new, old.mean(0), old.var(0), gain, bias)
        return F.cross_entropy(torch.tanh(y) @ p["W2"] + p["b2"], Y).item()


@measurement("backprop.train_loss", "backprop.dev_loss", "backprop.cpu")
def in_turn(quick: bool) -> Iterator[float]:
    """Train and dev loss by hand, and its CPU time as a share of autograd's."""
    own, (train, dev, _) = _solution(), sets()
    ours, theirs = own.new_network(), own.new_network()
    for q in theirs.values():
        q.requires_grad_()
    logits = lambda x: own.forward(theirs, x)[0]  # noqa: E731
    one, two = (torch.Generator().manual_seed(SEED) for _ in range(2))
    rounds, times = (4, [0.0, 0.0]) if quick else (200, [0.0, 0.0])
    for i in range(rounds):
        lr = 0.1 if 2 * i < rounds else 0.01
        began = time.process_time()
        own.train_by_hand(ours, *train, 1000, lambda _, lr=lr: lr, generator=one)
        turned = time.process_time()
        descend(logits, list(theirs.values()), train, repeat(lr, 1000), two)
        times[0] += turned - began
        times[1] += time.process_time() - turned
    yield _loss(ours, train[0], *train)
    yield _loss(ours, train[0], *dev)
    yield times[0] / times[1]


@measurement("backprop.short_dev")
def short(quick: bool) -> Iterator[float]:
    """The dev loss after the check budget of 3,000 steps."""
    own, (train, dev, _) = _solution(), sets()
    p, g = own.new_network(), torch.Generator().manual_seed(SEED)
    steps = 300 if quick else 3000
    rate = lambda i: 0.1 if i < 0.75 * steps else 0.01  # noqa: E731
    own.train_by_hand(p, *train, steps, rate, generator=g)
    yield _loss(p, train[0], *dev)


# ---------------------------------------------------------------- every gradient


@measurement("backprop.gradient_error")
def gradient_error(quick: bool) -> Iterator[float]:
    """The largest error of all gradients by hand, over ten batches, in float64."""
    own, (train, *_) = _solution(), sets()
    p = {name: x.double() for name, x in own.new_network().items()}
    g = torch.Generator().manual_seed(SEED)
    found: list[float] = []
    for _ in range(10):
        ix = torch.randint(0, len(train[0]), (32,), generator=g)
        found += _of_the_network(own, p, train[0][ix], train[1][ix])
        found += _of_later_layers(own, g)
    yield max(found)


def _share(mine: Tensor, true: Tensor, parts: Tensor | None = None) -> float:
    """The largest error as a share of the largest number in true, or in its parts."""
    assert mine.shape == true.shape and mine.dtype == true.dtype == torch.float64
    measure = (true if parts is None else parts).abs().max()
    return ((mine - true).abs().max() / measure).item()


def _of_the_network(
    own: SimpleNamespace, p: Parameters, X: Tensor, Y: Tensor
) -> Iterator[float]:
    """The errors at all seven parameters, and at the small steps in between."""
    leaves = {name: x.clone().requires_grad_() for name, x in p.items()}
    hprebn = leaves["C"][X].flatten(1) @ leaves["W1"] + leaves["b1"]
    mean = hprebn.mean(0, keepdim=True)
    diff = hprebn - mean
    squares = diff**2
    var = squares.sum(0, keepdim=True) / len(X)
    inv = (var + 1e-5) ** -0.5
    raw = diff * inv
    logits = torch.tanh(leaves["bngain"] * raw + leaves["bnbias"]) @ leaves["W2"]
    logits = logits + leaves["b2"]
    maxes = logits.max(1, keepdim=True).values
    shifted = logits - maxes
    counts = shifted.exp()
    total = counts.sum(1, keepdim=True)
    total_inv = total**-1
    probs = counts * total_inv
    logprobs = probs.log()
    loss = -logprobs[torch.arange(len(Y)), Y].mean()
    chain = probs, total_inv, total, counts, shifted, maxes, logits
    norm = inv, var, squares, diff, mean, hprebn
    wanted = (*chain, *norm, raw, logprobs, *leaves.values())
    true = torch.autograd.grad(loss, wanted)
    d = dict(zip(leaves, true[-7:], strict=True))
    dshifted, dhprebn = true[4], true[12]
    dlogprobs = own.logprobs_backward(logprobs.detach(), Y)
    yield _share(dlogprobs, true[14])
    steps = own.softmax_chain(dlogprobs, logits.detach())
    for i, (mine, one) in enumerate(zip(steps, true[:7], strict=True)):
        yield _share(mine, one, dshifted if i == 5 else None)  # the maxes cancel
    yield _share(own.cross_entropy_backward(logits.detach(), Y), true[6])
    for mine, one in zip(
        own.bn_chain(true[13], hprebn.detach()), true[7:13], strict=True
    ):
        yield _share(mine, one)
    _, mine = own.gradients(p, X, Y)
    for name in p:
        yield _share(mine[name], d[name], dhprebn if name == "b1" else None)


def _of_later_layers(own: SimpleNamespace, g: torch.Generator) -> Iterator[float]:
    """The errors of LayerNorm's and attention's gradients."""
    draw = lambda *s: torch.randn(s, generator=g, dtype=torch.float64)  # noqa: E731
    x, gain, bias = (draw(*s).requires_grad_() for s in ((4, 8, 32), (32,), (32,)))
    dy = draw(4, 8, 32)
    true = torch.autograd.grad(F.layer_norm(x, (32,), gain, bias), (x, gain, bias), dy)
    inv = (x.var(-1, correction=0, keepdim=True) + 1e-5) ** -0.5
    raw = (x - x.mean(-1, keepdim=True)) * inv
    kept = raw.detach(), gain.detach(), inv.detach()
    for mine, one in zip(backprop.layernorm_backward(dy, *kept), true, strict=True):
        yield _share(mine, one)
    qkv = [draw(4, 8, 16).requires_grad_() for _ in range(3)]
    dout = draw(4, 8, 16)
    out = F.scaled_dot_product_attention(*qkv, is_causal=True)
    true = torch.autograd.grad(out, qkv, dout)
    q, k, v = (one.detach() for one in qkv)
    _, weights = own.attention(q, k, v)
    found = own.attention_backward(dout, q, k, v, weights)
    for mine, one in zip(found, true, strict=True):
        yield _share(mine, one)
