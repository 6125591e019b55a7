"""Lesson 3: the lecture's network, its first loss, and the recipe that beats it.

The two trainings run in turn in one thread, so that their times can be compared.
"""

import math
import time
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbook import data
from workbook.bench.results import measurement
from workbook.given import mlp
from workbook.source import exercises

SEED = 2147483647
Data = tuple[Tensor, Tensor]


def _letters(words: list[str]) -> dict[str, int]:
    return {s: i for i, s in enumerate([".", *sorted(set("".join(words)))])}


def _piles() -> tuple[dict[str, int], list[list[str]]]:
    """The letters' numbers, and the names to train on, to choose with, to test with."""
    torch.set_num_threads(1)
    words = data.names()
    return _letters(words), list(mlp.split_words(words))


def _step(model: mlp.MLP, X: Tensor, Y: Tensor, lr: float, g: torch.Generator) -> float:
    """One step of the lecture's loop; the loss of its batch, before it."""
    ix = torch.randint(0, len(X), (32,), generator=g)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    return loss.item()


def _as_in_the_lecture(X: Tensor, Y: Tensor, steps: int) -> mlp.MLP:
    """11,897 parameters; batches of 32; 0.1 for the first half, then 0.01."""
    g = torch.Generator().manual_seed(SEED)
    model = mlp.MLP(generator=g)
    for i in range(steps):
        _step(model, X, Y, 0.1 if i < steps // 2 else 0.01, g)
    return model


def _recipe() -> dict[str, Any]:
    """What the solution of mlp.beat_the_lecture defines."""
    names = vars(mlp) | {"math": math, "F": F, "torch": torch, "Tensor": Tensor}
    for id in ("mlp.schedule", "mlp.beat_the_lecture"):
        exec(exercises("mlp")[id].answer, names)
    return names


@measurement("mlp.first_loss", "mlp.even_loss")
def first_losses(quick: bool) -> Iterator[float]:
    """The loss of the first batch: as the lecture begins, and with a calm output."""
    stoi, (train, *_) = _piles()
    X, Y = mlp.build_dataset(train, stoi)
    g = torch.Generator().manual_seed(SEED)
    yield _step(mlp.MLP(generator=g), X, Y, 0.0, g)
    model = mlp.MLP(generator=torch.Generator().manual_seed(SEED))
    with torch.no_grad():
        model.W2 *= 0.01
        model.b2 *= 0
    yield mlp.evaluate(model, X, Y)


@measurement(
    "mlp.train_loss",
    "mlp.dev_loss",
    "mlp.beat_dev",
    "mlp.beat_test",
    "mlp.beat_parameters",
    "mlp.beat_cpu",
)
def contest(quick: bool) -> Iterator[float]:
    """The lecture's run and ours: losses, parameters, CPU seconds of ours to its."""
    stoi, (train, dev, test) = _piles()
    began = time.process_time()
    X, Y = mlp.build_dataset(train, stoi)
    model = _as_in_the_lecture(X, Y, 2_000 if quick else 200_000)
    yield mlp.evaluate(model, X, Y)
    yield mlp.evaluate(model, *mlp.build_dataset(dev, stoi))
    turned = time.process_time()
    torch.manual_seed(SEED)
    beat, log = _recipe()["beat_the_lecture"], []
    ours = beat(train, dev, stoi, 60 if quick else 6_000, log)
    ended = time.process_time()
    yield log[-1]["dev"]
    yield mlp.evaluate(ours, *mlp.build_dataset(test, stoi, ours.block_size))
    yield sum(p.numel() for p in ours.parameters())
    yield (ended - turned) / (turned - began)
