"""Lesson 6: flat against tree, the large tree, and the recipe that beats it.

All runs take 200,000 batches of 32 from the lecture's seed, the rate cut from 0.1 to
0.01 after three quarters. The contest runs in turn in one thread, so that the times can
be compared.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbook.bench.measure.lecture import Pairs, descend, loss, piles, rates, sets
from workbook.bench.results import measurement
from workbook.given import wavenet as w
from workbook.given.mlp import build_dataset
from workbook.source import exercises

SEED = 42
STEPS = 8_000  # of our recipe


def _loss(model: Any, pairs: Pairs) -> float:
    """The mean cross-entropy over all pairs, in use."""
    return loss(model.eval(), pairs)


def _flat() -> w.Module:
    """Eight letters at once into 200 hidden units: 22,097 parameters."""
    layers = [w.Embedding(27, 10), w.FlattenConsecutive(8), w.Linear(80, 200, False)]
    last = w.Linear(200, 27)
    with torch.no_grad():
        last.weight *= 0.1
    return w.Sequential(*layers, w.BatchNorm1d(200), w.Tanh(), last)


def _trained(make: Callable[[], w.Module], quick: bool) -> tuple[w.Module, list[Pairs]]:
    pairs = sets(8)
    torch.manual_seed(SEED)
    model = make()
    steps = 600 if quick else 200_000
    descend(model.train(), model.parameters(), pairs[0], rates(steps, cut=0.75))
    return model, pairs


@measurement("wavenet.flat_dev")
def flat(quick: bool) -> Iterator[float]:
    """The flat model's dev loss."""
    model, pairs = _trained(_flat, quick)
    yield _loss(model, pairs[1])


@measurement("wavenet.tree_dev")
def tree(quick: bool) -> Iterator[float]:
    """The dev loss of a tree of about as many parameters: 22,397."""
    model, pairs = _trained(lambda: w.WaveNet(27, 10, 68), quick)
    yield _loss(model, pairs[1])


def _recipe() -> dict[str, Any]:
    """What the solution of wavenet.beat_the_lecture defines, and stands on."""
    names = vars(w) | {"math": math, "F": F, "torch": torch, "Tensor": Tensor}
    names |= {"windows": build_dataset, "Callable": Callable}
    for id in ("wavenet.train", "wavenet.beat_the_lecture"):
        exec(exercises("wavenet")[id].answer, names)
    return names


@measurement(
    "wavenet.large_train",
    "wavenet.large_dev",
    "wavenet.beat_dev",
    "wavenet.beat_test",
    "wavenet.beat_parameters",
    "wavenet.beat_cpu",
)
def contest(quick: bool) -> Iterator[float]:
    """The large tree and our recipe: losses, parameters, CPU seconds of ours to its."""
    stoi, (train, dev, test) = piles()
    began = time.process_time()
    model, pairs = _trained(w.WaveNet, quick)
    turned = time.process_time()
    yield _loss(model, pairs[0])
    yield _loss(model, pairs[1])
    torch.manual_seed(SEED)
    beat, log = _recipe()["beat_the_lecture"], []
    again = time.process_time()
    ours = beat(train, dev, stoi, 20 if quick else STEPS, log)
    ended = time.process_time()
    yield log[-1]["dev"]
    yield _loss(ours, build_dataset(test, stoi, ours.block_size))
    yield sum(p.numel() for p in ours.parameters())
    yield (ended - again) / (turned - began)
