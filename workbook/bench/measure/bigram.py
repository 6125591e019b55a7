"""Lesson 2: the counted table, the same table learned, and one letter more."""

from collections.abc import Iterator

import torch

from workbook import data
from workbook.bench.results import measurement
from workbook.given.bigram import (
    Vocabulary,
    average_nll,
    bigram_pairs,
    count_bigrams,
    count_trigrams,
    probabilities,
    split_words,
)

AMOUNTS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)


def _names(quick: bool) -> tuple[list[str], Vocabulary]:
    """All names, or the first 2,000, and the letters of all."""
    names = data.names()
    return names[: 2_000 if quick else None], Vocabulary(names)


@measurement("bigram.counted_loss", "bigram.smoothed_loss")
def counted(quick: bool) -> Iterator[float]:
    """The average over all names that the table was counted from."""
    names, vocabulary = _names(quick)
    N, pairs = count_bigrams(names, vocabulary), bigram_pairs(names, vocabulary)
    for smoothing in (0, 1):
        yield average_nll(probabilities(N, smoothing).double(), *pairs).item()


@measurement("bigram.learned_loss")
def learned(quick: bool) -> Iterator[float]:
    """500 steps of 50 from random weights, loss and penalty together.

    The loss is summed over the 729 cells, weighted by their counts: the same number
    as over the pairs one by one, in a fraction of the time.
    """
    names, vocabulary = _names(quick)
    N = count_bigrams(names, vocabulary)
    shares = N / N.sum()
    rng = torch.Generator().manual_seed(2147483647)
    W = torch.randn(N.shape, generator=rng, requires_grad=True)
    loss = _loss(W, shares)
    for _ in range(500):
        W.grad = None
        loss.backward()
        with torch.no_grad():
            W -= 50 * W.grad
        loss = _loss(W, shares)
    yield loss.item()


def _loss(W: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    return -(shares * W.log_softmax(1)).sum() + 0.01 * (W**2).mean()


@measurement("bigram.trigram_dev", "bigram.trigram_test", "bigram.trigram_smoothing")
def trigram(quick: bool) -> Iterator[float]:
    """Counted on train, smoothing chosen on dev, test looked at once."""
    names, vocabulary = _names(quick)
    train, dev, test = (count_trigrams(p, vocabulary) for p in split_words(names))

    def loss(amount: float, N: torch.Tensor) -> float:
        P = probabilities(train, amount).double()
        return (-(N * P.log()).sum() / N.sum()).item()

    best = min(AMOUNTS, key=lambda amount: loss(amount, dev))
    yield from (loss(best, dev), loss(best, test), best)
