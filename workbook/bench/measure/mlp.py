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

from workbook.bench.measure.lecture import (
    Pairs,
    batch,
    descend,
    loss,
    piles,
    rates,
    sets,
)
from workbook.bench.results import measurement
from workbook.given import mlp
from workbook.source import exercises

SEED = 2147483647


def _as_in_the_lecture(pairs: Pairs, steps: int) -> mlp.MLP:
    """11,897 parameters; batches of 32; 0.1 for the first half, then 0.01."""
    g = torch.Generator().manual_seed(SEED)
    model = mlp.MLP(generator=g)
    descend(model, model.parameters(), pairs, rates(steps), g)
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
    train, *_ = sets()
    g = torch.Generator().manual_seed(SEED)
    model = mlp.MLP(generator=g)
    yield loss(model, batch(train, g))
    model = mlp.MLP(generator=torch.Generator().manual_seed(SEED))
    with torch.no_grad():
        model.W2 *= 0.01
        model.b2 *= 0
    yield loss(model, train)


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
    stoi, (train, dev, test) = piles()
    began = time.process_time()
    pairs = mlp.build_dataset(train, stoi)
    model = _as_in_the_lecture(pairs, 2_000 if quick else 200_000)
    yield loss(model, pairs)
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
