# Made from solutions/02_bigram.py by `make exercises`: edit that, not this.
"""Building makemore.

Vocabulary, count_bigrams, probabilities, sample, average_nll, bigram_pairs,
split_words, count_trigrams.

Written along Andrej Karpathy's lecture, https://youtu.be/PaCmpygFfXo
"""

import random

import torch


class Vocabulary:
    """The letters of some words as numbers, and back again; `"."` is 0."""

    def __init__(self, words: list[str]) -> None:
        letters = [".", *sorted(set("".join(words)))]
        self.stoi = {letter: i for i, letter in enumerate(letters)}
        self.itos = dict(enumerate(letters))

    def __len__(self) -> int:
        return len(self.itos)

    def encode(self, text: str) -> list[int]:
        """The numbers of the letters of a text; KeyError for an unknown letter."""
        return [self.stoi[letter] for letter in text]

    def decode(self, ids: list[int]) -> str:
        """The text that has these numbers."""
        return "".join(self.itos[i] for i in ids)


def count_bigrams(words: list[str], vocabulary: Vocabulary) -> torch.Tensor:
    """How often letter j follows letter i, as N[i, j]: (V, V), whole numbers."""
    V = len(vocabulary)
    text = "." + "".join(word + "." for word in words)
    ids = torch.tensor(vocabulary.encode(text))
    return torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)


def probabilities(counts: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """Rows of counts (R, V) as rows that sum to 1: (R, V), float32."""
    smoothed = counts + smoothing
    return smoothed / smoothed.sum(dim=1, keepdim=True)


def sample(
    P: torch.Tensor,
    vocabulary: Vocabulary,
    generator: torch.Generator | None = None,
) -> str:
    """A new word, drawn letter by letter from the rows of P, (V, V)."""
    ids: list[int] = []
    i = 0
    while True:
        i = int(torch.multinomial(P[i], num_samples=1, generator=generator))
        if i == 0:
            return vocabulary.decode(ids)
        ids.append(i)


def average_nll(P: torch.Tensor, xs: torch.Tensor, ys: torch.Tensor) -> torch.Tensor:
    """The mean of -log P[x, y] in nats, one number: P (R, V), xs (n), ys (n)."""
    return -P[xs, ys].log().mean()


def bigram_pairs(
    words: list[str], vocabulary: Vocabulary
) -> tuple[torch.Tensor, torch.Tensor]:
    """The letters before and after, for all n pairs: xs (n) and ys (n), int64."""
    ids = vocabulary.encode("." + "".join(word + "." for word in words))
    return torch.tensor(ids[:-1]), torch.tensor(ids[1:])


def split_words(
    words: list[str], seed: int = 42
) -> tuple[list[str], list[str], list[str]]:
    """The words in a new order, cut into train, dev and test: 80, 10 and 10 %."""
    shuffled = list(words)
    random.Random(seed).shuffle(shuffled)
    first, second = int(0.8 * len(words)), int(0.9 * len(words))
    return shuffled[:first], shuffled[first:second], shuffled[second:]


def count_trigrams(words: list[str], vocabulary: Vocabulary) -> torch.Tensor:
    """How often c follows a, b, as N[V * a + b, c]: (V * V, V), whole numbers."""
    V, cells = len(vocabulary), []
    for word in words:
        ids = vocabulary.encode(f"..{word}.")
        triples = zip(ids, ids[1:], ids[2:], strict=False)
        cells += [(V * a + b) * V + c for a, b, c in triples]
    return torch.bincount(torch.tensor(cells), minlength=V**3).view(V * V, V)
