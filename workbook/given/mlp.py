# Made from solutions/03_mlp.py by `make exercises`: edit that, not this.
"""MLP.

build_dataset, split_words, MLP, evaluate, sample.

Written along Andrej Karpathy's lecture, https://youtu.be/TCH_1BHY58I
"""

import random

import torch
import torch.nn.functional as F
from torch import Tensor


def build_dataset(
    words: list[str], stoi: dict[str, int], block_size: int = 3
) -> tuple[Tensor, Tensor]:
    """Contexts X (N, block_size) and the letters Y (N,) that follow them, int64."""
    X, Y = [], []
    for word in words:
        context = [0] * block_size
        for letter in word + ".":
            X.append(context)
            Y.append(stoi[letter])
            context = [*context[1:], stoi[letter]]
    return torch.tensor(X), torch.tensor(Y)


def split_words(
    words: list[str], seed: int = 42
) -> tuple[list[str], list[str], list[str]]:
    """Train, dev and test: 80, 10 and 10 % of the words, shuffled by the seed."""
    shuffled = list(words)
    random.Random(seed).shuffle(shuffled)
    a, b = int(0.8 * len(words)), int(0.9 * len(words))
    return shuffled[:a], shuffled[a:b], shuffled[b:]


class MLP:
    """The language model of Bengio et al. (2003), on letters.

    Contexts X (N, block_size) of letter numbers give logits (N, vocab_size).
    https://www.jmlr.org/papers/volume3/bengio03a/bengio03a.pdf
    """

    def __init__(
        self,
        vocab_size: int = 27,
        block_size: int = 3,
        embedding: int = 10,
        hidden: int = 200,
        generator: torch.Generator | None = None,
    ) -> None:
        def draw(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, requires_grad=True)

        self.block_size = block_size
        self.C = draw(vocab_size, embedding)
        self.W1 = draw(block_size * embedding, hidden)
        self.b1 = draw(hidden)
        self.W2 = draw(hidden, vocab_size)
        self.b2 = draw(vocab_size)

    def __call__(self, X: Tensor) -> Tensor:
        """The logits (N, vocab_size) of the next letter for contexts X."""
        emb = self.C[X]  # (N, block_size, embedding)
        x = emb.view(len(X), -1)  # (N, block_size * embedding)
        h = torch.tanh(x @ self.W1 + self.b1)  # (N, hidden)
        return h @ self.W2 + self.b2

    def parameters(self) -> list[Tensor]:
        """All that training changes, from the first layer to the last."""
        return [self.C, self.W1, self.b1, self.W2, self.b2]


def evaluate(model: MLP, X: Tensor, Y: Tensor) -> float:
    """The mean cross-entropy of the model over all pairs (X, Y), in nats."""
    with torch.no_grad():
        return F.cross_entropy(model(X), Y).item()


@torch.no_grad()
def sample(
    model: MLP, itos: dict[int, str], generator: torch.Generator | None = None
) -> str:
    """One name, drawn letter by letter from the model, until it closes with a dot."""
    context = [0] * model.block_size
    letters: list[str] = []
    while True:
        probs = F.softmax(model(torch.tensor([context])), dim=1)  # (1, V)
        i = int(torch.multinomial(probs, 1, generator=generator))
        if i == 0:
            return "".join(letters)
        letters.append(itos[i])
        context = [*context[1:], i]
