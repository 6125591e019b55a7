# ---
# jupyter:
#   made: from solutions/02_bigram.py by `make exercises`; edit that, not this
# ---

# %% [markdown]
# # 2 · Building makemore: exercises
#
# You build a model that writes names: first by counting, then by gradient descent.
# `words` is the list of names, for trying things out. Each exercise is a cell with a
# `TODO`, or several, and a check under them. A cell without a `TODO` is given: run it
# as well. Write, run, read the card. `hint("…")` goes deeper each time you run it;
# `solution("…")` asks once, then shows an answer.

# %%
import random

import torch
import torch.nn.functional as F

from workbook import check, data, hint, solution

words = data.names()

# %% [markdown]
# ## vocabulary
#
# *10 min · ●○○○○*
#
# A model counts with numbers, so each letter gets one: `"."`, which begins and ends a
# name, is $0$, and the letters that occur follow from $1$ in alphabetical order. From
# the one name `emma` come three letters, and `Vocabulary(["emma"]).encode(".emma.")` is
# `[0, 2, 3, 3, 1, 0]`.

# %% exercise="bigram.vocabulary"
class Vocabulary:
    """The letters of some words as numbers, and back again; `"."` is 0."""

    def __init__(self, words: list[str]) -> None:
        # TODO: stoi, a dictionary from letter to number; itos, from number to letter
        raise NotImplementedError("TODO bigram.vocabulary")

    def __len__(self) -> int:
        return len(self.itos)

    def encode(self, text: str) -> list[int]:
        """The numbers of the letters of a text; KeyError for an unknown letter."""
        # TODO: one line
        raise NotImplementedError("TODO bigram.vocabulary")

    def decode(self, ids: list[int]) -> str:
        """The text that has these numbers."""
        # TODO: one line
        raise NotImplementedError("TODO bigram.vocabulary")

# %%
check("bigram.vocabulary", Vocabulary)

# %% [markdown]
# ## counts
#
# *15 min · ●●●○○*
#
# A **bigram** is a letter and the one after it. Count them all: `N[i, j]` says how
# often letter $j$ follows letter $i$, where a dot stands before and after each name. In
# shapes, $V$ is the number of letters, the dot among them: `len(vocabulary)`. For
# `["ab"]` three cells are $1$: `N[0, 1]`, `N[1, 2]` and `N[2, 0]`. Write to the tensor
# in one go: one cell at a time takes seconds on all names.

# %% exercise="bigram.counts"
def count_bigrams(words: list[str], vocabulary: Vocabulary) -> torch.Tensor:
    """How often letter j follows letter i, as N[i, j]: (V, V), whole numbers."""
    # TODO: as in the lecture, or number the pairs and let torch.bincount count
    raise NotImplementedError("TODO bigram.counts")

# %%
check("bigram.counts", count_bigrams)

# %% [markdown]
# ## probabilities
#
# *10 min · ●●○○○*
#
# Each row of counts becomes probabilities: what follows this letter, in shares of $1$.
# **Smoothing** adds an amount to every cell first, so that nothing is impossible. The
# row $(1, 3)$ becomes $(0.25, 0.75)$; with a smoothing of $2$ it is $(3, 5)$, which
# becomes $(0.375, 0.625)$. Tables need not be square.

# %% exercise="bigram.probabilities"
def probabilities(counts: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """Rows of counts (R, V) as rows that sum to 1: (R, V), float32."""
    # TODO: add, then divide each row by its own sum
    raise NotImplementedError("TODO bigram.probabilities")

# %%
check("bigram.probabilities", probabilities)

# %% [markdown]
# ## sample
#
# *10 min · ●●○○○*
#
# The model writes: begin at the dot, draw the next letter from its row of `P`, go on
# from there, and stop when a dot is drawn. Return the letters without the dots. Where
# `P` leads from `.` to `b`, from `b` to `a` and from `a` to `.`, each with certainty,
# the name is `"ba"`. All randomness comes from `generator`; `None` is PyTorch's own.

# %% exercise="bigram.sample"
def sample(
    P: torch.Tensor,
    vocabulary: Vocabulary,
    generator: torch.Generator | None = None,
) -> str:
    """A new word, drawn letter by letter from the rows of P, (V, V)."""
    # TODO: draw until the dot comes
    raise NotImplementedError("TODO bigram.sample")

# %%
check("bigram.sample", sample)

# %% [markdown]
# ## nll
#
# *10 min · ●●○○○*
#
# How good is a model? Ask it for the probability of each pair that really occurs. `xs`
# are the letters that came before, as rows of `P`, `ys` the ones that came after. The
# **average negative log likelihood** is the mean of $-\log P[x, y]$, in nats. Two pairs
# of probability $0.5$ and $0.125$ have $\frac{0.693 + 2.079}{2} = 1.386$.

# %% exercise="bigram.nll"
def average_nll(P: torch.Tensor, xs: torch.Tensor, ys: torch.Tensor) -> torch.Tensor:
    """The mean of -log P[x, y] in nats, one number: P (R, V), xs (n), ys (n)."""
    # TODO: one line
    raise NotImplementedError("TODO bigram.nll")

# %%
check("bigram.nll", average_nll)

# %% [markdown]
# ## pairs
#
# *10 min · ●○○○○*
#
# The same model, now as a network: it sees a letter and should say the next one. List
# what it sees, `xs`, and what it should say, `ys`, in the order of the text. From
# `["ab"]` come `xs = [0, 1, 2]` and `ys = [1, 2, 0]`, as tensors of whole numbers.

# %% exercise="bigram.pairs"
def bigram_pairs(
    words: list[str], vocabulary: Vocabulary
) -> tuple[torch.Tensor, torch.Tensor]:
    """The letters before and after, for all n pairs: xs (n) and ys (n), int64."""
    # TODO: the numbers of the text, without the last and without the first
    raise NotImplementedError("TODO bigram.pairs")

# %%
check("bigram.pairs", bigram_pairs)

# %% [markdown]
# ## logits
#
# *10 min · ●●○○○*
#
# The network has one layer: 27 weights for each letter it may see. Textbooks feed it a
# **one-hot** vector, all zeros and a single one, and multiply by `W`. With
# `W = [[1, 2], [3, 4]]`, `xs = [1, 0]` gives `[[3, 4], [1, 2]]` — both by
# multiplication and by picking rows. Write both.

# %% exercise="bigram.logits"
def one_hot_logits(xs: torch.Tensor, W: torch.Tensor) -> torch.Tensor:
    """One-hot vectors times W: xs (n) and W (V, V) give (n, V)."""
    # TODO: F.one_hot, then a matrix product
    raise NotImplementedError("TODO bigram.logits")


def row_logits(xs: torch.Tensor, W: torch.Tensor) -> torch.Tensor:
    """The same without a product: (n, V)."""
    # TODO: one line
    raise NotImplementedError("TODO bigram.logits")

# %%
check("bigram.logits", one_hot_logits, row_logits)

# %% [markdown]
# ## softmax
#
# *10 min · ●●●○○*
#
# The network's outputs are any numbers, **logits**. Softmax makes probabilities of each
# row: $p_j = e^{z_j} / \sum_k e^{z_k}$. The row $(0, \log 3)$ becomes $(0.25, 0.75)$.
# Logits of $1000$ and of $-1000$ must work.

# %% exercise="bigram.softmax"
def softmax(logits: torch.Tensor) -> torch.Tensor:
    """Rows of any numbers (n, V) as rows of probabilities: (n, V)."""
    # TODO: shift each row by its largest number, exponentiate, divide by the sum
    raise NotImplementedError("TODO bigram.softmax")

# %%
check("bigram.softmax", softmax)

# %% [markdown]
# ## train
#
# *20 min · ●●●●○*
#
# Now the table is learned. Each step: the average loss of the pairs under
# `softmax(W[xs])`, plus `penalty` times the mean of $W^2$; its gradient; then `W` moves
# by `lr` against it, in place. Return the losses, measured before each step, as plain
# numbers. From `W` zero everywhere the first loss is $\log V$: $3.2958$ for 27 letters.

# %% exercise="bigram.train"
def train(
    W: torch.Tensor,
    xs: torch.Tensor,
    ys: torch.Tensor,
    steps: int,
    lr: float = 50.0,
    penalty: float = 0.01,
) -> list[float]:
    """Gradient descent on W (V, V), which requires a gradient; losses in nats."""
    losses = []
    for _ in range(steps):
        # TODO: forward, zero the old gradient, backward, update
        raise NotImplementedError("TODO bigram.train")
    return losses

# %%
check("bigram.train", train)

# %% [markdown]
# ## cross_entropy
#
# *15 min · ●●●○○*
#
# Softmax, logarithm, picking and mean are always needed together: **cross-entropy**.
# Write it for logits, with a result that has a gradient. For two rows of zeros over 27
# letters it is $\log 27 = 3.2958$. A logit of $-1000$ at the right letter, with $0$
# elsewhere, costs about $1000$, not infinity.

# %% exercise="bigram.cross_entropy"
def cross_entropy(logits: torch.Tensor, ys: torch.Tensor) -> torch.Tensor:
    """The mean of -log softmax(logits)[y] in nats: logits (n, V), ys (n)."""
    # TODO: the logarithm of a quotient is a difference
    raise NotImplementedError("TODO bigram.cross_entropy")

# %%
check("bigram.cross_entropy", cross_entropy)

# %% [markdown]
# ## splits
#
# *10 min · ●●○○○*
#
# A model is judged on names that it has not seen. Shuffle the words, with `seed`, and
# cut: the first 80 % for training, the next 10 % for choosing (**dev**), the rest for
# the test. Of 10 words the parts have 8, 1 and 1. Every entry of the list goes into one
# part; a name that is listed twice counts twice.

# %% exercise="bigram.splits"
def split_words(
    words: list[str], seed: int = 42
) -> tuple[list[str], list[str], list[str]]:
    """The words in a new order, cut into train, dev and test: 80, 10 and 10 %."""
    # TODO: shuffle a copy with a generator of its own, then two cuts
    raise NotImplementedError("TODO bigram.splits")

# %%
check("bigram.splits", split_words)

# %% [markdown]
# ## trigram
#
# *15 min · ●●●○○*
#
# Two letters of context in place of one: row $V a + b$ of the table counts what comes
# after $a$ and then $b$. Two dots stand before each name, so that its first letter has
# a context too; one dot ends it. With `["ab"]` and $V = 3$, the context `..` is row
# $0$, `.a` row $1$ and `ab` row $5$: `N[0, 1]`, `N[1, 2]` and `N[5, 0]` are $1$.

# %% exercise="bigram.trigram"
def count_trigrams(words: list[str], vocabulary: Vocabulary) -> torch.Tensor:
    """How often c follows a, b, as N[V * a + b, c]: (V * V, V), whole numbers."""
    # TODO: number the triples of each word, then count as before
    raise NotImplementedError("TODO bigram.trigram")

# %%
check("bigram.trigram", count_trigrams)

# %% [markdown]
# ## tune_smoothing
#
# *15 min · ●●●○○*
#
# How much smoothing is best? Training data cannot say: it wants none. Try each amount
# on the dev names, keep the best, and look at the test names once, at the end.
# `dev_loss(P)` and `test_loss(P)` measure a table. Return the amount and its test loss,
# such as `(0.2, 2.2235)`.

# %% exercise="bigram.tune_smoothing"
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    """The best amount by dev_loss, and the test_loss of its probabilities."""
    # TODO: choose by dev_loss; call test_loss once
    raise NotImplementedError("TODO bigram.tune_smoothing")

# %%
check("bigram.tune_smoothing", tune_smoothing)
