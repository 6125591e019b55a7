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

from workbook import data
from workbook.bench.results import measurement
from workbook.given import wavenet as w
from workbook.given.mlp import build_dataset, split_words
from workbook.source import exercises

SEED = 42
STEPS = 8_000  # of our recipe
Data = tuple[Tensor, Tensor]


def _piles() -> tuple[dict[str, int], list[list[str]]]:
    """The letters' numbers, and the names to train on, to choose with, to test with."""
    torch.set_num_threads(1)
    words = data.names()
    stoi = {s: i for i, s in enumerate([".", *sorted(set("".join(words)))])}
    return stoi, list(split_words(words))


def _descend(model: w.Module, pairs: Data, steps: int) -> None:
    """The lecture's loop."""
    X, Y = pairs
    parameters = model.train().parameters()
    for i in range(steps):
        ix = torch.randint(0, len(X), (32,))
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data -= (0.1 if i < 0.75 * steps else 0.01) * p.grad


def _loss(model: Any, pairs: Data) -> float:
    """The mean cross-entropy over all pairs, in use."""
    model.eval()
    with torch.no_grad():
        return F.cross_entropy(model(pairs[0]), pairs[1]).item()


def _flat() -> w.Module:
    """Eight letters at once into 200 hidden units: 22,097 parameters."""
    layers = [w.Embedding(27, 10), w.FlattenConsecutive(8), w.Linear(80, 200, False)]
    last = w.Linear(200, 27)
    with torch.no_grad():
        last.weight *= 0.1
    return w.Sequential(*layers, w.BatchNorm1d(200), w.Tanh(), last)


def _trained(make: Callable[[], w.Module], quick: bool) -> tuple[w.Module, list[Data]]:
    stoi, piles = _piles()
    sets = [build_dataset(pile, stoi, 8) for pile in piles]
    torch.manual_seed(SEED)
    model = make()
    _descend(model, sets[0], 600 if quick else 200_000)
    return model, sets


@measurement("wavenet.flat_dev")
def flat(quick: bool) -> Iterator[float]:
    """The flat model's dev loss."""
    model, sets = _trained(_flat, quick)
    yield _loss(model, sets[1])


@measurement("wavenet.tree_dev")
def tree(quick: bool) -> Iterator[float]:
    """The dev loss of a tree of about as many parameters: 22,397."""
    model, sets = _trained(lambda: w.WaveNet(27, 10, 68), quick)
    yield _loss(model, sets[1])


def _recipe() -> dict[str, Any]:
    """What the solution of wavenet.beat_the_lecture defines, and stands on."""
    names = vars(w) | {"math": math, "F": F, "torch": torch, "Tensor": Tensor}
    names |= {"build_dataset": build_dataset, "Callable": Callable}
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
    stoi, (train, dev, test) = _piles()
    began = time.process_time()
    model, sets = _trained(w.WaveNet, quick)
    turned = time.process_time()
    yield _loss(model, sets[0])
    yield _loss(model, sets[1])
    torch.manual_seed(SEED)
    beat, log = _recipe()["beat_the_lecture"], []
    again = time.process_time()
    ours = beat(train, dev, stoi, 20 if quick else STEPS, log)
    ended = time.process_time()
    yield log[-1]["dev"]
    yield _loss(ours, build_dataset(test, stoi, ours.block_size))
    yield sum(p.numel() for p in ours.parameters())
    yield (ended - again) / (turned - began)
