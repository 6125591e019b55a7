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
# A model counts with numbers, so each letter gets one: `"."`, which begins and ends a
# name, is $0$, and the letters that occur follow from $1$ in alphabetical order. From
# the one name `emma` come three letters, and `Vocabulary(["emma"]).encode(".emma.")` is
# `[0, 2, 3, 3, 1, 0]`.

# %% exercise="bigram.vocabulary" minutes=10 difficulty=1
class Vocabulary:
    """The letters of some words as numbers, and back again; `"."` is 0."""

    def __init__(self, words: list[str]) -> None:
        # TODO: stoi, a dictionary from letter to number; itos, from number to letter
        ### BEGIN SOLUTION
        letters = [".", *sorted(set("".join(words)))]
        self.stoi = {letter: i for i, letter in enumerate(letters)}
        self.itos = dict(enumerate(letters))
        ### END SOLUTION

    def __len__(self) -> int:
        return len(self.itos)

    def encode(self, text: str) -> list[int]:
        """The numbers of the letters of a text; KeyError for an unknown letter."""
        # TODO: one line
        ### BEGIN SOLUTION
        return [self.stoi[letter] for letter in text]
        ### END SOLUTION

    def decode(self, ids: list[int]) -> str:
        """The text that has these numbers."""
        # TODO: one line
        ### BEGIN SOLUTION
        return "".join(self.itos[i] for i in ids)
        ### END SOLUTION

# %%
check("bigram.vocabulary", Vocabulary)

# %% [markdown] tags=["hint"]
# Which letters occur at all? A set keeps each of them once, and it has no order.

# %% [markdown] tags=["hint"]
# `"".join(words)` is one long text. Sort the set of its letters, put the dot in front,
# and let `enumerate` do the numbering. The second dictionary is the first, turned
# round.

# %% [markdown] tags=["hint"]
# The letters are `[".", *____(set("".join(words)))]`; `stoi` is made by
# `{letter: i for i, letter in ____}`.

# %% [markdown] tags=["solution"]
# **Why.** A set of letters comes in another order in each Python process, so a table
# saved today would mean other letters tomorrow: sorting settles it. One dot in two
# roles, as start and as end, saves a row and a column that could never be filled.

# %% [markdown]
# ## counts
#
# A **bigram** is a letter and the one after it. Count them all: `N[i, j]` says how
# often letter $j$ follows letter $i$, where a dot stands before and after each name. In
# shapes, $V$ is the number of letters, the dot among them: `len(vocabulary)`. For
# `["ab"]` three cells are $1$: `N[0, 1]`, `N[1, 2]` and `N[2, 0]`. Write to the tensor
# in one go: one cell at a time takes seconds on all names.

# %% exercise="bigram.counts" minutes=15 difficulty=3
def count_bigrams(words: list[str], vocabulary: Vocabulary) -> torch.Tensor:
    """How often letter j follows letter i, as N[i, j]: (V, V), whole numbers."""
    # TODO: as in the lecture, or number the pairs and let torch.bincount count
    ### BEGIN SOLUTION
    V = len(vocabulary)
    text = "." + "".join(word + "." for word in words)
    ids = torch.tensor(vocabulary.encode(text))
    return torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)
    ### END SOLUTION

# %%
check("bigram.counts", count_bigrams)

# %% [markdown] tags=["hint"]
# `.emma.olivia.` holds all pairs of two names, and no other: the dot in the middle ends
# the one and begins the next. As numbers, such a text is one long tensor.

# %% [markdown] tags=["hint"]
# The tensor without its last element and the tensor without its first stand side by
# side as pairs. Cell $(i, j)$ of a table $V$ wide is the $(V i + j)$-th of all cells,
# and `torch.bincount` counts how often each number occurs.

# %% [markdown] tags=["hint"]
# The last line is `torch.bincount(V * ids[:-1] + ____, minlength=____).view(V, V)`.

# %% [markdown] tags=["solution"]
# **Why.** One call counts 228,146 pairs in a few milliseconds. Adding to single cells
# starts several tensor operations for each pair, and takes seconds. Beware of
# `N[xs, ys] += 1`: it reads all cells first and writes them afterwards, so that a pair
# that occurs twice is counted once. Another way adds as often as a pair occurs:

# %% tags=["solution"]
def count_by_adding(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(word + "." for word in words)))
    N, ones = torch.zeros(V, V, dtype=torch.int32), torch.ones_like(ids[1:])
    return N.index_put_((ids[:-1], ids[1:]), ones.int(), accumulate=True)

# %% [markdown]
# ## probabilities
#
# Each row of counts becomes probabilities: what follows this letter, in shares of $1$.
# **Smoothing** adds an amount to every cell first, so that nothing is impossible. The
# row $(1, 3)$ becomes $(0.25, 0.75)$; with a smoothing of $2$ it is $(3, 5)$, which
# becomes $(0.375, 0.625)$. Tables need not be square.

# %% exercise="bigram.probabilities" minutes=10 difficulty=2
def probabilities(counts: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """Rows of counts (R, V) as rows that sum to 1: (R, V), float32."""
    # TODO: add, then divide each row by its own sum
    ### BEGIN SOLUTION
    smoothed = counts + smoothing
    return smoothed / smoothed.sum(dim=1, keepdim=True)
    ### END SOLUTION

# %%
check("bigram.probabilities", probabilities)

# %% [markdown] tags=["hint"]
# Two steps, in this order. Which dimension disappears when a row is summed up?

# %% [markdown] tags=["hint"]
# A table $(R, V)$ over sums $(R)$ is lined up from the right: the sums would be spread
# over the columns. Sums of shape $(R, 1)$ are spread over the rows.

# %% [markdown] tags=["hint"]
# Divide by `smoothed.sum(dim=____, keepdim=____)`.

# %% [markdown] tags=["solution"]
# **Why.** Without `keepdim=True` a square table divides its columns, in silence. The
# loss does not show it: every letter of a name is entered as often as it is left, so
# its row and its column have the same sum, and the average comes out the same. The
# samples are poor, and the rows do not sum to $1$: look there. `counts += smoothing`
# would change the caller's table as well, and again on each run.

# %% [markdown]
# ## sample
#
# The model writes: begin at the dot, draw the next letter from its row of `P`, go on
# from there, and stop when a dot is drawn. Return the letters without the dots. Where
# `P` leads from `.` to `b`, from `b` to `a` and from `a` to `.`, each with certainty,
# the name is `"ba"`. All randomness comes from `generator`; `None` is PyTorch's own.

# %% exercise="bigram.sample" minutes=10 difficulty=2
def sample(
    P: torch.Tensor,
    vocabulary: Vocabulary,
    generator: torch.Generator | None = None,
) -> str:
    """A new word, drawn letter by letter from the rows of P, (V, V)."""
    # TODO: draw until the dot comes
    ### BEGIN SOLUTION
    ids: list[int] = []
    i = 0
    while True:
        i = int(torch.multinomial(P[i], num_samples=1, generator=generator))
        if i == 0:
            return vocabulary.decode(ids)
        ids.append(i)
    ### END SOLUTION

# %%
check("bigram.sample", sample)

# %% [markdown] tags=["hint"]
# Which row says how a name begins? The number that you draw is the next row.

# %% [markdown] tags=["hint"]
# `torch.multinomial(row, num_samples=1, generator=generator)` draws an index in
# proportion to the row, as a tensor with one element; `int(…)` makes it a number.

# %% [markdown] tags=["hint"]
# In an endless loop,
# `i = int(torch.multinomial(P[____], num_samples=1, generator=____))`; where it is $0$,
# the name is done.

# %% [markdown] tags=["solution"]
# **Why.** A generator of one's own makes a draw repeatable, and nobody else's draws
# disturb it. The same seed gives other names on another version of PyTorch: a seed is a
# promise within one version. `multinomial` draws *without* replacement unless told
# otherwise; with one draw a call that makes no difference, with several it does.

# %% [markdown]
# ## nll
#
# How good is a model? Ask it for the probability of each pair that really occurs. `xs`
# are the letters that came before, as rows of `P`, `ys` the ones that came after. The
# **average negative log likelihood** is the mean of $-\log P[x, y]$, in nats. Two pairs
# of probability $0.5$ and $0.125$ have $\frac{0.693 + 2.079}{2} = 1.386$.

# %% exercise="bigram.nll" minutes=10 difficulty=2
def average_nll(P: torch.Tensor, xs: torch.Tensor, ys: torch.Tensor) -> torch.Tensor:
    """The mean of -log P[x, y] in nats, one number: P (R, V), xs (n), ys (n)."""
    # TODO: one line
    ### BEGIN SOLUTION
    return -P[xs, ys].log().mean()
    ### END SOLUTION

# %%
check("bigram.nll", average_nll)

# %% [markdown] tags=["hint"]
# A tensor can be indexed with tensors: two of them, side by side, name a list of cells.

# %% [markdown] tags=["hint"]
# Take the cells, then the logarithm of each, then the mean, then the sign. `log` is the
# natural one.

# %% [markdown] tags=["hint"]
# It has the form `-P[____, ____].log().____()`.

# %% [markdown] tags=["solution"]
# **Why.** The likelihood of all names is a product of 228,146 numbers below $1$, and
# underflows to $0$. Its logarithm is a sum, and the mean of its terms does not grow
# with the number of names. One pair that the model holds for impossible makes the loss
# infinite: that is no fault of the formula, and what smoothing is for.

# %% [markdown]
# ## pairs
#
# The same model, now as a network: it sees a letter and should say the next one. List
# what it sees, `xs`, and what it should say, `ys`, in the order of the text. From
# `["ab"]` come `xs = [0, 1, 2]` and `ys = [1, 2, 0]`, as tensors of whole numbers.

# %% exercise="bigram.pairs" minutes=10 difficulty=1
def bigram_pairs(
    words: list[str], vocabulary: Vocabulary
) -> tuple[torch.Tensor, torch.Tensor]:
    """The letters before and after, for all n pairs: xs (n) and ys (n), int64."""
    # TODO: the numbers of the text, without the last and without the first
    ### BEGIN SOLUTION
    ids = vocabulary.encode("." + "".join(word + "." for word in words))
    return torch.tensor(ids[:-1]), torch.tensor(ids[1:])
    ### END SOLUTION

# %%
check("bigram.pairs", bigram_pairs)

# %% [markdown] tags=["hint"]
# A name of four letters gives five pairs. What do neighbouring names share?

# %% [markdown] tags=["hint"]
# `torch.tensor` takes the type from the numbers, and whole numbers become int64.
# `torch.Tensor`, with a capital, makes floats of them, and floats cannot be indices.

# %% [markdown] tags=["hint"]
# With all numbers in a list `ids`, the first tensor is `torch.tensor(ids[:____])`.

# %% [markdown] tags=["solution"]
# **Why.** Nothing is lost against the table: counting the pairs gives it back. Looking
# at single pairs allows what a table cannot do, a model whose loss is an average over
# examples, and later examples with more letters than one.

# %% [markdown]
# ## logits
#
# The network has one layer: 27 weights for each letter it may see. Textbooks feed it a
# **one-hot** vector, all zeros and a single one, and multiply by `W`. With
# `W = [[1, 2], [3, 4]]`, `xs = [1, 0]` gives `[[3, 4], [1, 2]]` — both by
# multiplication and by picking rows. Write both.

# %% exercise="bigram.logits" minutes=10 difficulty=2
def one_hot_logits(xs: torch.Tensor, W: torch.Tensor) -> torch.Tensor:
    """One-hot vectors times W: xs (n) and W (V, V) give (n, V)."""
    # TODO: F.one_hot, then a matrix product
    ### BEGIN SOLUTION
    one_hot = F.one_hot(xs, num_classes=len(W)).to(W.dtype)  # (n, V)
    return one_hot @ W
    ### END SOLUTION


def row_logits(xs: torch.Tensor, W: torch.Tensor) -> torch.Tensor:
    """The same without a product: (n, V)."""
    # TODO: one line
    ### BEGIN SOLUTION
    return W[xs]
    ### END SOLUTION

# %%
check("bigram.logits", one_hot_logits, row_logits)

# %% [markdown] tags=["hint"]
# What does a matrix product do with a row that is zero everywhere, but one?

# %% [markdown] tags=["hint"]
# `F.one_hot` makes whole numbers, and a product wants the type of `W` on both sides.
# Say how many classes there are: the largest letter may be missing from `xs`.

# %% [markdown] tags=["hint"]
# `F.one_hot(xs, num_classes=____).to(____)`, and then `@ W`. The other one is an index.

# %% [markdown] tags=["solution"]
# **Why.** Multiplying by a one-hot row picks a row of `W`: all other products are zero.
# So `W` is a table after all, with a row for each letter. Indexing gives the same
# gradients too: only the rows that were picked receive one, and a row that was picked
# twice receives two shares.

# %% [markdown]
# ## softmax
#
# The network's outputs are any numbers, **logits**. Softmax makes probabilities of each
# row: $p_j = e^{z_j} / \sum_k e^{z_k}$. The row $(0, \log 3)$ becomes $(0.25, 0.75)$.
# Logits of $1000$ and of $-1000$ must work.

# %% exercise="bigram.softmax" minutes=10 difficulty=3
def softmax(logits: torch.Tensor) -> torch.Tensor:
    """Rows of any numbers (n, V) as rows of probabilities: (n, V)."""
    # TODO: shift each row by its largest number, exponentiate, divide by the sum
    ### BEGIN SOLUTION
    shifted = logits - logits.max(dim=1, keepdim=True).values
    counts = shifted.exp()
    return counts / counts.sum(dim=1, keepdim=True)
    ### END SOLUTION

# %%
check("bigram.softmax", softmax)

# %% [markdown] tags=["hint"]
# The last two steps are those of `probabilities`: $e^z$ plays the part of a count.

# %% [markdown] tags=["hint"]
# $e^{1000}$ is too large for a float. The same number taken from all logits of a row
# changes nothing in its probabilities. Which number is safe, for every row?

# %% [markdown] tags=["hint"]
# `shifted = logits - logits.max(dim=____, keepdim=True).____`: `max` over a dimension
# gives two things, the numbers and where they stood.

# %% [markdown] tags=["solution"]
# **Why.** After the shift the largest number of each row is $0$: nothing overflows, and
# the sum is at least $1$. One maximum for the whole table would not do: a row far below
# it becomes zero everywhere, and $0/0$ is not a number.

# %% [markdown]
# ## train
#
# Now the table is learned. Each step: the average loss of the pairs under
# `softmax(W[xs])`, plus `penalty` times the mean of $W^2$; its gradient; then `W` moves
# by `lr` against it, in place. Return the losses, measured before each step, as plain
# numbers. From `W` zero everywhere the first loss is $\log V$: $3.2958$ for 27 letters.

# %% exercise="bigram.train" minutes=20 difficulty=4
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
        ### BEGIN SOLUTION
        logprobs = W[xs].log_softmax(dim=1)  # (n, V)
        nll = -logprobs[torch.arange(len(ys)), ys].mean()
        loss = nll + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        with torch.no_grad():
            W -= lr * W.grad
        losses.append(loss.item())
        ### END SOLUTION
    return losses

# %%
check("bigram.train", train)

# %% [markdown] tags=["hint"]
# Four steps, as in lesson 1. Two things go wrong in silence: a gradient left over from
# the step before, and a new tensor called `W` where the old one should have moved.

# %% [markdown] tags=["hint"]
# `log_softmax(dim=1)` gives the logarithms at once. Of each row you want one number,
# the one of its `y`: index with `torch.arange(len(ys))` and `ys`. Change `W` inside
# `torch.no_grad()`, so that the step itself is not recorded.

# %% [markdown] tags=["hint"]
# `loss = -logprobs[torch.arange(len(ys)), ____].mean() + penalty * ____`, and at the
# end of the step `W -= ____`.

# %% [markdown] tags=["solution"]
# **Why.** On all names the loss falls from about 3.77 to 2.48, close to the 2.45 of the
# counted table, and never below that: the counts are the best that such a table can be.
# `W` itself comes close to the logarithms of the counts. The penalty pulls all weights
# to zero, hence all rows to equal probabilities: it is smoothing by another name. A
# step of 50 works since the loss is a mean over all pairs, of which few concern a given
# weight: its slope is tiny.

# %% [markdown]
# ## cross_entropy
#
# Softmax, logarithm, picking and mean are always needed together: **cross-entropy**.
# Write it for logits, with a result that has a gradient. For two rows of zeros over 27
# letters it is $\log 27 = 3.2958$. A logit of $-1000$ at the right letter, with $0$
# elsewhere, costs about $1000$, not infinity.

# %% exercise="bigram.cross_entropy" minutes=15 difficulty=3
def cross_entropy(logits: torch.Tensor, ys: torch.Tensor) -> torch.Tensor:
    """The mean of -log softmax(logits)[y] in nats: logits (n, V), ys (n)."""
    # TODO: the logarithm of a quotient is a difference
    ### BEGIN SOLUTION
    shifted = logits - logits.max(dim=1, keepdim=True).values
    logprobs = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    return -logprobs[torch.arange(len(ys)), ys].mean()
    ### END SOLUTION

# %%
check("bigram.cross_entropy", cross_entropy)

# %% [markdown] tags=["hint"]
# A probability of $e^{-1000}$ is rounded to $0$, and its logarithm is lost. Never make
# the probability: take the logarithm of the softmax formula on paper first.

# %% [markdown] tags=["hint"]
# $\log p_y = z_y - \log \sum_k e^{z_k}$. Shift the row by its maximum before the
# exponential; the difference stays the same.

# %% [markdown] tags=["hint"]
# `logprobs = shifted - shifted.exp().sum(dim=1, keepdim=True).____`, then one number of
# each row: `logprobs[torch.arange(____), ys]`.

# %% [markdown] tags=["solution"]
# **Why.** `F.cross_entropy(logits, ys)` is this function. It is preferred for three
# reasons: it is stable for logits of any size, it stores no probabilities in between,
# and its gradient is one short formula, $p - y$, which it knows without retracing the
# steps.

# %% [markdown]
# ## splits
#
# A model is judged on names that it has not seen. Shuffle the words, with `seed`, and
# cut: the first 80 % for training, the next 10 % for choosing (**dev**), the rest for
# the test. Of 10 words the parts have 8, 1 and 1. Every entry of the list goes into one
# part; a name that is listed twice counts twice.

# %% exercise="bigram.splits" minutes=10 difficulty=2
def split_words(
    words: list[str], seed: int = 42
) -> tuple[list[str], list[str], list[str]]:
    """The words in a new order, cut into train, dev and test: 80, 10 and 10 %."""
    # TODO: shuffle a copy with a generator of its own, then two cuts
    ### BEGIN SOLUTION
    shuffled = list(words)
    random.Random(seed).shuffle(shuffled)
    first, second = int(0.8 * len(words)), int(0.9 * len(words))
    return shuffled[:first], shuffled[first:second], shuffled[second:]
    ### END SOLUTION

# %%
check("bigram.splits", split_words)

# %% [markdown] tags=["hint"]
# What happens to `words` when the cell runs a second time?

# %% [markdown] tags=["hint"]
# `shuffle` works in place: give it a copy. `random.Random(seed)` is a generator of its
# own, where `random.seed(seed)` would set everybody's. The two cuts are at 80 % and at
# 90 % of the length.

# %% [markdown] tags=["hint"]
# The parts are `shuffled[:first]`, `shuffled[first:____]` and `shuffled[____:]`.

# %% [markdown] tags=["solution"]
# **Why.** The file is two lists, each from frequent to rare names, so without shuffling
# the last tenth holds rare ones only, and the test loss looks far worse. A shuffle in
# place gives another split each time the cell runs, and training has then seen what it
# is tested on. In the real list 2,539 names stand twice: a shared name is no proof of a
# leak, a shared *entry* is.

# %% [markdown]
# ## trigram
#
# Two letters of context in place of one: row $V a + b$ of the table counts what comes
# after $a$ and then $b$. Two dots stand before each name, so that its first letter has
# a context too; one dot ends it. With `["ab"]` and $V = 3$, the context `..` is row
# $0$, `.a` row $1$ and `ab` row $5$: `N[0, 1]`, `N[1, 2]` and `N[5, 0]` are $1$.

# %% exercise="bigram.trigram" minutes=15 difficulty=3
def count_trigrams(words: list[str], vocabulary: Vocabulary) -> torch.Tensor:
    """How often c follows a, b, as N[V * a + b, c]: (V * V, V), whole numbers."""
    # TODO: number the triples of each word, then count as before
    ### BEGIN SOLUTION
    V, cells = len(vocabulary), []
    for word in words:
        ids = vocabulary.encode(f"..{word}.")
        triples = zip(ids, ids[1:], ids[2:], strict=False)
        cells += [(V * a + b) * V + c for a, b, c in triples]
    return torch.bincount(torch.tensor(cells), minlength=V**3).view(V * V, V)
    ### END SOLUTION

# %%
check("bigram.trigram", count_trigrams)

# %% [markdown] tags=["hint"]
# How many triples has `..ab.`? As many as `.ab.` has pairs: the losses of both models
# are averages over the same letters, and can be compared.

# %% [markdown] tags=["hint"]
# Go name by name: `..ab...cd.` in one text would have triples that belong to no name. A
# row number is to a row as a cell number was to a cell: multiply by the width, then
# add.

# %% [markdown] tags=["hint"]
# The cell of a triple is `(V * a + ____) * V + ____`, and there are `V**____` of them.

# %% [markdown] tags=["solution"]
# **Why.** A trigram model is a bigram model whose "letter before" is a pair of letters:
# `probabilities` and `average_nll` take its table as it is, with $V a + b$ as `xs`.
# With 729 rows many are nearly empty, so smoothing now decides how good it is. With one
# more letter of context the table has 531,441 cells, more than there are pairs. It
# still pays; with the letter after that it no longer does, as lesson 3 finds.

# %% [markdown]
# ## tune_smoothing
#
# How much smoothing is best? Training data cannot say: it wants none. Try each amount
# on the dev names, keep the best, and look at the test names once, at the end.
# `dev_loss(P)` and `test_loss(P)` measure a table. Return the amount and its test loss,
# such as `(0.2, 2.2235)`.

# %% exercise="bigram.tune_smoothing" minutes=15 difficulty=3
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    """The best amount by dev_loss, and the test_loss of its probabilities."""
    # TODO: choose by dev_loss; call test_loss once
    ### BEGIN SOLUTION
    def loss(amount):
        return dev_loss(probabilities(counts, amount))

    best = min(amounts, key=loss)
    return best, test_loss(probabilities(counts, best))
    ### END SOLUTION

# %%
check("bigram.tune_smoothing", tune_smoothing)

# %% [markdown] tags=["hint"]
# Three lists, three jobs: counts come from train, the choice from dev, the number that
# you report from test.

# %% [markdown] tags=["hint"]
# For each amount: `probabilities(counts, amount)`, then `dev_loss` of it. `min` takes a
# `key`, a function that says what to compare.

# %% [markdown] tags=["hint"]
# `best = min(amounts, key=____)`; afterwards one call of `____` with the table of
# `best`.

# %% [markdown] tags=["solution"]
# **Why.** Whatever is chosen by a list of names fits these names a little too well. The
# choice is made on dev, so dev's loss is flattered; test stays honest for as long as
# nothing is chosen by it. Look at it for every amount and it is a second dev.
