"""What the lectures of lessons 3 to 6 share: the piles of names, and their loop.

All of them run in one thread, so that their times can be compared.
"""

from collections.abc import Callable, Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from workbook import data
from workbook.given.mlp import build_dataset, split_words

Pairs = tuple[Tensor, Tensor]  # contexts (N, T) and the letters (N,) that follow them
Model = Callable[[Tensor], Tensor]


def piles() -> tuple[dict[str, int], list[list[str]]]:
    """The letters' numbers, and the names to train on, to choose with, to test with."""
    torch.set_num_threads(1)
    words = data.names()
    stoi = {s: i for i, s in enumerate([".", *sorted(set("".join(words)))])}
    return stoi, list(split_words(words))


def sets(block_size: int = 3) -> list[Pairs]:
    """The pairs of the three piles."""
    stoi, names = piles()
    return [build_dataset(pile, stoi, block_size) for pile in names]


def rates(steps: int, cut: float = 0.5) -> Iterator[float]:
    """0.1, and 0.01 from a share of the steps on."""
    return (0.1 if i < cut * steps else 0.01 for i in range(steps))


def batch(pairs: Pairs, g: torch.Generator | None = None) -> Pairs:
    """32 of the pairs, drawn with the generator."""
    X, Y = pairs
    ix = torch.randint(0, len(X), (32,), generator=g)
    return X[ix], Y[ix]


def descend(
    model: Model,
    parameters: list[Tensor],
    pairs: Pairs,
    rates: Iterable[float],
    g: torch.Generator | None = None,
) -> None:
    """One step for each rate, on a batch of 32 drawn with the generator."""
    for lr in rates:
        x, y = batch(pairs, g)
        loss = F.cross_entropy(model(x), y)
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data -= lr * p.grad


@torch.no_grad()
def loss(model: Model, pairs: Pairs) -> float:
    """The mean cross-entropy over all pairs."""
    X, Y = pairs
    return F.cross_entropy(model(X), Y).item()
