# %% [markdown]
# # 3 · MLP: exercises
#
# You build the letter model of Bengio et al. (2003) piece by piece, train it on the
# names, and then make a better one. Each exercise is a cell with a `TODO`, or several,
# and a check under them. A cell without a `TODO` is given: run it as well. `hint("…")`
# goes deeper each time you run it; `solution("…")` asks once, then shows an answer.

# %%
import math
import random

import torch
import torch.nn.functional as F
from torch import Tensor

from workbook import budget, check, data, explore, hint, live, solution, style

style.use()

words = data.names()
stoi = {s: i for i, s in enumerate([".", *sorted(set("".join(words)))])}
itos = {i: s for s, i in stoi.items()}

# %% [markdown]
# ## build_dataset
#
# A **context** is the last `block_size` letters before the one to predict; where a name
# has not begun yet, it holds the dot, which is letter $0$. A closing dot is predicted
# too. With `stoi = {".": 0, "a": 1, "b": 2}` and `block_size=2`, the words `["ab"]`
# give `X` = `[[0, 0], [0, 1], [1, 2]]` and `Y` = `[1, 2, 0]`.

# %% exercise="mlp.build_dataset" minutes=15 difficulty=2
def build_dataset(
    words: list[str], stoi: dict[str, int], block_size: int = 3
) -> tuple[Tensor, Tensor]:
    """Contexts X (N, block_size) and the letters Y (N,) that follow them, int64."""
    # TODO: slide a window over each word, from nothing but dots to its closing dot
    ### BEGIN SOLUTION
    X, Y = [], []
    for word in words:
        context = [0] * block_size
        for letter in word + ".":
            X.append(context)
            Y.append(stoi[letter])
            context = [*context[1:], stoi[letter]]
    return torch.tensor(X), torch.tensor(Y)
    ### END SOLUTION

# %%
check("mlp.build_dataset", build_dataset)

# %% [markdown] tags=["hint"]
# Two loops: over the words, and over the letters of a word with its closing dot. Where
# must the context be made new, and when does it move on?

# %% [markdown] tags=["hint"]
# Each letter does three things in this order: the context joins `X`, the letter's
# number joins `Y`, the context loses its oldest letter and gains this one. A new list
# each time: one list that is changed in place would stand in `X` many times.

# %% [markdown] tags=["hint"]
# The window moves with `context = [*context[____], ____]`.

# %% [markdown] tags=["solution"]
# **Why.** The pair is recorded *before* the window moves: the other way round, the
# answer stands in its own context, and the loss falls to nearly zero while the samples
# are noise. Each name starts from dots again, so a name of $n$ letters gives $n + 1$
# pairs, and the real list 228,146.

# %% tags=["solution"]
def dataset_by_unfolding(words, stoi, block_size=3):
    rows = []  # each word's windows of block_size + 1: a context and its target
    for word in words:
        ids = [0] * block_size + [stoi[letter] for letter in word + "."]
        rows.append(torch.tensor(ids).unfold(0, block_size + 1, 1))
    table = torch.cat(rows)
    return table[:, :-1], table[:, -1]

# %% [markdown]
# ## splits
#
# Cut the names, not the pairs: 80 % to train on, 10 % to choose with (dev), 10 % to
# look at once (test). `split_words` is that of lesson 2: it shuffles first and leaves
# its argument alone. `is_split` tests for leaks: `["ann", "ann", "bob"]` may be cut
# into `["ann"]`, `["ann"]`, `["bob"]`, for that name is in the data twice. `datasets`
# turns the three piles into pairs.

# %% exercise="mlp.splits" minutes=20 difficulty=2
def split_words(
    words: list[str], seed: int = 42
) -> tuple[list[str], list[str], list[str]]:
    """Train, dev and test: 80, 10 and 10 % of the words, shuffled by the seed."""
    # TODO: shuffle a copy with random.Random(seed), cut it twice
    ### BEGIN SOLUTION
    shuffled = list(words)
    random.Random(seed).shuffle(shuffled)
    a, b = int(0.8 * len(words)), int(0.9 * len(words))
    return shuffled[:a], shuffled[a:b], shuffled[b:]
    ### END SOLUTION

# %% exercise="mlp.splits"
def is_split(words: list[str], *piles: list[str]) -> bool:
    """Whether the piles hold each word as often as words does, and no other."""
    # TODO: compare with repeats, in whatever order
    ### BEGIN SOLUTION
    return sorted(words) == sorted(word for pile in piles for word in pile)
    ### END SOLUTION


def datasets(
    words: list[str], stoi: dict[str, int], block_size: int = 3, seed: int = 42
) -> list[tuple[Tensor, Tensor]]:
    """The pairs (X, Y) of the train, dev and test names, in this order."""
    # TODO: split, then build
    ### BEGIN SOLUTION
    return [build_dataset(pile, stoi, block_size) for pile in split_words(words, seed)]
    ### END SOLUTION

# %%
check("mlp.splits", split_words, is_split, datasets)

# %% [markdown] tags=["hint"]
# `random.Random(seed)` is a generator of its own; its `shuffle` changes the list that
# it is given. Whose list should that be?

# %% [markdown] tags=["hint"]
# Copy, shuffle, cut at `int(0.8 * n)` and `int(0.9 * n)`. For `is_split`, sets forget
# repeats and cannot see a name that is used twice; sorted lists can.

# %% [markdown] tags=["hint"]
# `is_split` compares `sorted(words)` with `sorted(____)`; `datasets` calls
# `build_dataset(____, stoi, block_size)` for each of the three piles.

# %% [markdown] tags=["solution"]
# **Why.** Pairs of one name resemble each other: shuffled one by one, pieces of the
# same name land in train and in dev, and dev is no longer news. Shuffling the caller's
# list in place gives another split each time the cell runs. On the real list 2,539
# names occur twice, so 424 of the 3,203 dev names are in train as well: a fact of the
# data, which a test by sets would call a leak.

# %% [markdown]
# ## embed
#
# An **embedding** gives each letter a row of a table `C`. Looking rows up and
# multiplying one-hot vectors by the table are the same thing: write both. With `C` of
# shape $(27, 2)$ and `X` of shape $(5, 3)$ the result has the shape $(5, 3, 2)$; any
# other shape of `X` works as well. `torch.nn.Embedding` is the third form, and judges
# you.

# %% exercise="mlp.embed" minutes=10 difficulty=1
def embed(C: Tensor, X: Tensor) -> Tensor:
    """The rows of C (V, d) that X names, of shape (*X.shape, d), by indexing."""
    # TODO: one short line
    ### BEGIN SOLUTION
    return C[X]
    ### END SOLUTION


def embed_one_hot(C: Tensor, X: Tensor) -> Tensor:
    """The same by a product of matrices."""
    # TODO: one-hot vectors as wide as C is high, in the dtype of C, times C
    ### BEGIN SOLUTION
    return F.one_hot(X, len(C)).to(C.dtype) @ C
    ### END SOLUTION

# %%
check("mlp.embed", embed, embed_one_hot)

# %% [markdown] tags=["hint"]
# A tensor may be indexed with a tensor of whole numbers, of any shape.

# %% [markdown] tags=["hint"]
# `F.one_hot` guesses how many classes there are from the largest number it sees: tell
# it. What it returns is whole numbers, and a product needs both sides of one dtype.

# %% [markdown] tags=["hint"]
# The product is `F.one_hot(X, ____).to(____) @ C`.

# %% [markdown] tags=["solution"]
# **Why.** A one-hot vector times a matrix picks a row, so the first layer of lesson 2
# was an embedding all along. Indexing does no multiplication and stores no zeros: for
# three letters of 27 it is the cheap way to write the same, and its gradient is the
# same too, added up where a letter occurs more than once.

# %% [markdown]
# ## hidden
#
# The network reads the embedded letters side by side: $(N, 3, 10)$ becomes $(N, 30)$.
# `by_view` does it without moving a number, `by_cat` makes a copy; both agree. Then the
# model: $\text{logits} = \tanh(x W_1 + b_1) W_2 + b_2$. With 27 letters, three of
# context, ten dimensions and 200 hidden neurons (often called *units*) it has 11,897
# parameters.

# %% exercise="mlp.hidden" minutes=20 difficulty=2
def by_view(emb: Tensor) -> Tensor:
    """(N, k, d) as (N, k * d) on the same storage."""
    # TODO: one view, for any N
    ### BEGIN SOLUTION
    return emb.view(len(emb), -1)
    ### END SOLUTION


def by_cat(emb: Tensor) -> Tensor:
    """(N, k, d) as (N, k * d): the k slices concatenated, a copy."""
    # TODO: take the letters apart, put them side by side
    ### BEGIN SOLUTION
    return torch.cat(torch.unbind(emb, 1), 1)
    ### END SOLUTION

# %% exercise="mlp.hidden"
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
        # TODO: embed, lay side by side, hidden layer, output layer
        ### BEGIN SOLUTION
        emb = self.C[X]  # (N, block_size, embedding)
        x = emb.view(len(X), -1)  # (N, block_size * embedding)
        h = torch.tanh(x @ self.W1 + self.b1)  # (N, hidden)
        return h @ self.W2 + self.b2
        ### END SOLUTION

    def parameters(self) -> list[Tensor]:
        """All that training changes, from the first layer to the last."""
        # TODO: five tensors
        ### BEGIN SOLUTION
        return [self.C, self.W1, self.b1, self.W2, self.b2]
        ### END SOLUTION

# %%
check("mlp.hidden", by_view, by_cat, MLP)

# %% [markdown] tags=["hint"]
# A tensor is a row of numbers in memory plus a shape. `view` changes the shape alone.
# Which numbers stand next to each other in the row?

# %% [markdown] tags=["hint"]
# `-1` lets torch work out one dimension; the other one is the batch, of any size.
# `torch.unbind(emb, 1)` gives the letters one after the other, each $(N, d)$. A bias
# has one dimension: it meets the last one of the product.

# %% [markdown] tags=["hint"]
# `emb.view(len(____), -1)`; `torch.cat(____, 1)`; the hidden layer is
# `torch.tanh(x @ ____ + ____)`.

# %% [markdown] tags=["solution"]
# **Why.** In a row-major tensor the three vectors of one example lie side by side
# already, so the view is free, and `cat` pays for a copy. A bias of shape $(H, 1)$
# would be spread over the rows instead of the columns; that is an error, except when
# $N = H$, and then it is silent.
# $27 \cdot 10 + 30 \cdot 200 + 200 + 200 \cdot 27 + 27 = 11{,}897$.

# %% [markdown]
# ## cross_entropy
#
# The loss of lesson 2 once more, now from memory: softmax over each row of `logits`,
# the probability of the target, its logarithm, the mean, a minus sign.
# `F.cross_entropy` is the judge, so do without it. Logits `[[0, 3, -2, 1]]` with target
# `[3]` give $2.1755$. Logits of $\pm 1000$ are allowed.

# %% exercise="mlp.cross_entropy" minutes=15 difficulty=3
def cross_entropy(logits: Tensor, Y: Tensor) -> Tensor:
    """The mean of -log softmax(logits)[i, Y[i]], for logits (N, V) and targets (N,)."""
    # TODO: shift each row by its largest score, and stay in logarithms
    ### BEGIN SOLUTION
    shifted = logits - logits.max(1, keepdim=True).values
    logp = shifted - shifted.exp().sum(1, keepdim=True).log()
    return -logp[torch.arange(len(Y)), Y].mean()
    ### END SOLUTION

# %%
check("mlp.cross_entropy", cross_entropy)

# %% [markdown] tags=["hint"]
# $e^{1000}$ is infinite for a computer. Subtracting one number from a whole row leaves
# its softmax as it is. Which number keeps every exponential at most $1$?

# %% [markdown] tags=["hint"]
# $\log \frac{e^{z_i}}{\sum_j e^{z_j}} = z_i - \log \sum_j e^{z_j}$: no division, and no
# logarithm of a probability that has become zero. Maximum and sum go along a row, with
# `keepdim=True`.

# %% [markdown] tags=["hint"]
# `logp = shifted - ____.sum(1, keepdim=True).log()`, then the targets are
# `logp[torch.arange(____), Y]`.

# %% [markdown] tags=["solution"]
# **Why.** The shift must be each row's own: with the largest score of the whole batch,
# a row far below it vanishes to zeros. A small number added inside the logarithm hides
# the infinity and spoils the loss. `F.cross_entropy` does the same steps in one pass,
# with fewer tensors in between and one formula for the way back.

# %% tags=["solution"]
def cross_entropy_by_logsumexp(logits, Y):
    own = logits.gather(1, Y[:, None])[:, 0]  # (N,): the target's score in each row
    return (logits.logsumexp(1) - own).mean()

# %% [markdown]
# ## minibatch_step
#
# A rough gradient now is worth more than an exact one later: take `batch_size` random
# pairs, measure the loss, step downhill at the rate `lr`. Return the loss before the
# step as a plain number. For a new model of 27 letters it is near $28$; after 1,000
# steps at $0.1$ it is below $5$.

# %% exercise="mlp.minibatch_step" minutes=15 difficulty=2
def minibatch_step(
    model: MLP,
    X: Tensor,
    Y: Tensor,
    lr: float,
    batch_size: int = 32,
    generator: torch.Generator | None = None,
) -> float:
    """One step of gradient descent on a random batch; its loss before the step."""
    # TODO: draw new indices with the generator, forward, zero, backward, update
    ### BEGIN SOLUTION
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    return loss.item()
    ### END SOLUTION

# %%
check("mlp.minibatch_step", minibatch_step)

# %% [markdown] tags=["hint"]
# Five moves: draw, forward, forget the old gradients, backward, update. The draw
# belongs in the step: whoever draws once trains on one batch for ever.

# %% [markdown] tags=["hint"]
# `torch.randint(0, len(X), (batch_size,), generator=generator)` gives places in the
# data; take contexts and targets at the *same* places. A parameter is changed in place,
# through `p.data` or under `torch.no_grad()`.

# %% [markdown] tags=["hint"]
# The loss is `F.cross_entropy(model(X[____]), Y[____])`, the update
# `p.data -= ____ * p.grad`.

# %% [markdown] tags=["solution"]
# **Why.** `p = p - lr * p.grad` in a loop names a new tensor `p` and leaves the model
# as it was; `p.data -= …` changes the tensor that the model holds. A batch of 32 has a
# standard error of about $0.2$ nats, so its loss says little by itself; many such steps
# together go downhill all the same.

# %% [markdown]
# ## lr_finder
#
# How large a step? Try them all: `lr_finder` calls `step(lr)` for rates from $10^{-3}$
# to $10^0$, their *exponents* evenly spaced, and keeps what it returns. With three
# steps the rates are $0.001$, $0.0316$ and $1$. `pick_lr` then chooses a rate in the
# valley of the curve, before it blows up. Losses are noisy, and may end in `nan`.

# %% exercise="mlp.lr_finder" minutes=20 difficulty=3
def lr_finder(step, steps: int = 1000, low: float = -3.0, high: float = 0.0):
    """Rates from 10**low to 10**high, and the loss that step(lr) gives at each."""
    # TODO: two lists of `steps` numbers
    ### BEGIN SOLUTION
    exponents = [low + (high - low) * i / (steps - 1) for i in range(steps)]
    lrs = [10**x for x in exponents]
    return lrs, [step(lr) for lr in lrs]
    ### END SOLUTION


def pick_lr(lrs: list[float], losses: list[float]) -> float:
    """A rate from the valley: where the losses around it are lowest on average."""
    # TODO: average over neighbours, leave out what blew up, take the lowest
    ### BEGIN SOLUTION
    reach = max(1, len(losses) // 20)

    def around(i):
        part = losses[max(0, i - reach) : i + reach + 1]
        mean = sum(part) / len(part)
        return mean if math.isfinite(mean) else math.inf

    return lrs[min(range(len(lrs)), key=around)]
    ### END SOLUTION

# %%
check("mlp.lr_finder", lr_finder, pick_lr)

# %% [markdown] tags=["hint"]
# Between $0.001$ and $1$ lie three powers of ten. Even steps in the rate itself would
# spend nine tenths of the tries above $0.1$.

# %% [markdown] tags=["hint"]
# Walk the exponent from `low` to `high` and raise ten to it. One lucky batch is no
# valley: compare means over a twentieth of the curve to each side, and let a mean that
# is not finite count as the worst of all.

# %% [markdown] tags=["hint"]
# Exponent $i$ is `low + (high - low) * i / (____)`; the choice ends in
# `lrs[min(range(len(lrs)), key=____)]`.

# %% [markdown] tags=["solution"]
# **Why.** The curve is flat where steps are too small, falls into a valley, and
# explodes. Its lowest *single* point is luck, its last point is past the end, and `min`
# and `argmin` are led astray by `nan`, which is neither smaller nor larger than
# anything. The answer is a region: for this model about $10^{-1.2}$ to $10^{-0.5}$.

# %% [markdown]
# ## schedule
#
# Large steps travel, small steps settle. `step_decay` keeps `lr` for the first half of
# the steps and takes a tenth of it in the second: `step_decay(50, 100)` is $0.01$.
# `one_cycle` climbs in a straight line over the first tenth, reaching `peak` at its
# last step, then falls along half a cosine: `one_cycle(0, 100, 1.0)` is $0.1$, at step
# $10$ it is $1$, at $55$ it is $0.5$.

# %% exercise="mlp.schedule" minutes=10 difficulty=2
def step_decay(step: int, steps: int, lr: float = 0.1) -> float:
    """The rate at `step` of `steps`: lr, and from the middle on a tenth of it."""
    # TODO: it depends on the step alone, not on earlier calls
    ### BEGIN SOLUTION
    return lr if step < steps // 2 else lr / 10
    ### END SOLUTION


def one_cycle(step: int, steps: int, peak: float) -> float:
    """The rate at `step` of `steps`: up to peak in a tenth of them, then down to 0."""
    # TODO: a straight line, then a half cosine over what is left
    ### BEGIN SOLUTION
    rise = steps // 10
    if step < rise:
        return peak * (step + 1) / rise
    done = (step - rise) / (steps - rise)
    return peak * (1 + math.cos(math.pi * done)) / 2
    ### END SOLUTION

# %%
check("mlp.schedule", step_decay, one_cycle)

# %% [markdown] tags=["hint"]
# A schedule is a function of the step. It remembers nothing: asked for step 70 first,
# it gives the rate of step 70.

# %% [markdown] tags=["hint"]
# After the climb, let `done` run from $0$ to $1$ over the steps that are left; $\cos$
# of $\pi$ times it runs from $1$ to $-1$. Shift and halve that.

# %% [markdown] tags=["hint"]
# The climb is `peak * (____) / rise`, the descent `peak * (1 + math.cos(____)) / 2`.

# %% [markdown] tags=["solution"]
# **Why.** With `lr *= 0.1` at every step the rate is gone after three: decay is a plan
# over the whole run. The jitter of a minibatch is proportional to the rate, so lowering
# it late lets the loss settle: in the video's run, from $2.37$ to $2.17$ within 10,000
# steps. The climb protects the first steps, when gradients are largest.

# %% [markdown]
# ## evaluate
#
# The loss of one batch is a rumour; the loss of a whole split is a fact. Average over
# all pairs, without gradients and without leaving a trace, and return a plain number.
# An untrained model whose logits are all zero has the loss $\ln 27 = 3.2958$.

# %% exercise="mlp.evaluate" minutes=10 difficulty=1
def evaluate(model: MLP, X: Tensor, Y: Tensor) -> float:
    """The mean cross-entropy of the model over all pairs (X, Y), in nats."""
    # TODO: no gradients in here
    ### BEGIN SOLUTION
    with torch.no_grad():
        return F.cross_entropy(model(X), Y).item()
    ### END SOLUTION

# %%
check("mlp.evaluate", evaluate)

# %% [markdown] tags=["hint"]
# Nothing is drawn, nothing is changed: one forward pass over everything.

# %% [markdown] tags=["hint"]
# `torch.no_grad()` spares torch the bookkeeping, and the memory, of a way back that is
# never taken. `.item()` turns a tensor of one number into that number.

# %% [markdown] tags=["hint"]
# Inside the `with`: `F.cross_entropy(____, Y)`, as a plain number.

# %% [markdown] tags=["solution"]
# **Why.** With gradients on, the result is the same and every intermediate tensor of
# 182,625 rows is kept. If a split is too large for one pass, sum the losses of its
# chunks and divide once at the end: a mean of means is wrong as soon as the last chunk
# is short.

# %% tags=["solution"]
@torch.no_grad()
def evaluate_in_chunks(model, X, Y, size=4096):
    chunks = zip(X.split(size), Y.split(size), strict=True)
    total = sum(F.cross_entropy(model(x), y, reduction="sum") for x, y in chunks)
    return total.item() / len(X)

# %% [markdown]
# ## train
#
# Put it together. Step $i$ uses the rate `lr(i)`. After every `every` steps, measure
# both splits *whole* and note a row `(steps done, train loss, dev loss)`; return the
# rows. Two losses tell three stories: both high, not enough training or too small a
# model; close together, a larger model may help; far apart, it learns its names by
# heart.

# %% exercise="mlp.train" minutes=15 difficulty=3
def train(
    model, train_set, dev_set, steps, lr, every=1000, batch_size=32, generator=None
) -> list[tuple[int, float, float]]:
    """Train on train_set = (X, Y); rows (steps done, train loss, dev loss)."""
    # TODO: minibatch_step on the train set, evaluate on both
    ### BEGIN SOLUTION
    rows = []
    for step in range(steps):
        minibatch_step(model, *train_set, lr(step), batch_size, generator)
        if (step + 1) % every == 0:
            losses = evaluate(model, *train_set), evaluate(model, *dev_set)
            rows.append((step + 1, *losses))
    return rows
    ### END SOLUTION

# %%
check("mlp.train", train)

# %% [markdown] tags=["hint"]
# All parts exist: a step, a schedule, a measurement. What may the steps see, and what
# may they never see?

# %% [markdown] tags=["hint"]
# `lr` is a function: ask it for the rate of this step. After step $i$, counted from
# $0$, there are $i + 1$ steps done.

# %% [markdown] tags=["hint"]
# In the loop: `minibatch_step(model, *train_set, ____, batch_size, generator)`, and
# where `(step + 1) % ____ == 0`, a row.

# %% [markdown] tags=["solution"]
# **Why.** The dev names are for looking, not for learning: one step on them and the dev
# loss says nothing about new names. And a number noted from the last minibatch jumps by
# $0.2$ from step to step, more than most ideas gain.

# %% [markdown]
# On all names the lecture's network, 20,000 steps, takes about seven seconds of one
# core. The cell defines the run; take the `#` away from its last line when
# `build_dataset`, `splits`, `hidden`, `minibatch_step` and `evaluate` have passed.

# %%
def on_all_names(steps: int = budget(full=20_000, check=200)) -> None:
    """The lecture's network on the course's split, with its rate cut at the end."""
    train_set, dev_set, _ = datasets(words, stoi)
    model = MLP(generator=torch.Generator().manual_seed(2147483647))
    rate = lambda i: 0.1 if i < 0.75 * steps else 0.01  # noqa: E731
    for _ in (run := live.train(steps, lr=rate)):
        run.log(loss=minibatch_step(model, *train_set, run.lr), model=model)
    print(f"dev {evaluate(model, *dev_set):.4f}; published, 200,000 steps: 2.1701")


# on_all_names()

# %% [markdown]
# ## sample
#
# Let the model write: begin with dots, ask for the distribution of the next letter,
# draw from it, move the window, until the dot comes, however long that takes. Return
# the name without its dot. Names drawn with `generator` are the same each time *you*
# seed it alike.

# %% exercise="mlp.sample" minutes=15 difficulty=2
@torch.no_grad()
def sample(
    model: MLP, itos: dict[int, str], generator: torch.Generator | None = None
) -> str:
    """One name, drawn letter by letter from the model, until it closes with a dot."""
    # TODO: a context of model.block_size zeros, and a loop
    ### BEGIN SOLUTION
    context = [0] * model.block_size
    letters: list[str] = []
    while True:
        probs = F.softmax(model(torch.tensor([context])), dim=1)  # (1, V)
        i = int(torch.multinomial(probs, 1, generator=generator))
        if i == 0:
            return "".join(letters)
        letters.append(itos[i])
        context = [*context[1:], i]
    ### END SOLUTION

# %%
check("mlp.sample", sample)

# %% [markdown] tags=["hint"]
# It is `build_dataset` turned around: there the next letter was known, here it is
# drawn.

# %% [markdown] tags=["hint"]
# The model wants a batch: a tensor of shape $(1, \text{block size})$. Softmax goes
# along the letters, dimension 1, and `torch.multinomial` draws from the row.

# %% [markdown] tags=["hint"]
# `probs = F.softmax(model(torch.tensor([____])), dim=____)`; then draw one with the
# generator.

# %% [markdown] tags=["solution"]
# **Why.** Softmax over dimension 0 of a batch of one makes every letter a sure thing,
# $1$ out of $1$, and `multinomial` turns that into even odds: the names look like noise
# from a model that is fine. Taking the likeliest letter instead of drawing gives the
# same name for ever.

# %% [markdown]
# ## init_loss
#
# Before any training, a fair model finds all letters equally likely. What loss is that?
# `loss_at_start(27)` is $3.2958$. The lecture's network begins at $27.88$: it is sure
# of itself, and wrong. `calm` scales its output layer in place, so that the first loss
# is within $0.05$ of the even one, while it can still learn.

# %% exercise="mlp.init_loss" minutes=10 difficulty=2
def loss_at_start(vocab_size: int) -> float:
    """The loss, in nats, of a model that finds all letters equally likely."""
    # TODO: one line
    ### BEGIN SOLUTION
    return math.log(vocab_size)
    ### END SOLUTION


def calm(model: MLP) -> None:
    """Scale the output layer down in place: small weights, no bias."""
    # TODO: W2 and b2 by a small factor, without recording a gradient
    ### BEGIN SOLUTION
    with torch.no_grad():
        model.W2 *= 0.01
        model.b2 *= 0
    ### END SOLUTION

# %%
check("mlp.init_loss", loss_at_start, calm)

# %% [markdown] tags=["hint"]
# A model that finds 27 letters equally likely gives each the probability $1/27$. And
# what must be small for a softmax to be flat?

# %% [markdown] tags=["hint"]
# Logits near zero: small `W2`, no `b2`. Change the tensors that the model holds; a new
# tensor made by arithmetic is not a leaf any more, and receives no gradient.

# %% [markdown] tags=["hint"]
# Under `torch.no_grad()`: `model.W2 *= ____`, and the same for the bias with another
# factor.

# %% [markdown] tags=["solution"]
# **Why.** The first thousands of steps went into squashing logits that never should
# have been large: the hockey stick of the loss curve. Weights of exactly zero would
# give the same first loss, but then no gradient reaches the hidden layer in the first
# step. Lesson 4 does the same for the hidden layer.

# %% [markdown]
# ## beat_the_lecture
#
# The video's network of 11,897 parameters reaches $2.17$ on the dev names. Do better
# with at most 12,000: any context, any sizes, any optimiser (how gradients become
# steps). Train on the names `train` for about `steps` steps, choose by `dev` alone, and
# append one row to `log`: `{"tried": "six letters of context", "dev": 2.05}`, the loss
# on all dev pairs of the model that you return. It has a `block_size`, `parameters()`,
# and gives logits $(N, 27)$. Begin with the context and the batch; after lesson 4, come
# back.

# %% exercise="mlp.beat_the_lecture" minutes=90 difficulty=5
def well_scaled(**sizes: int) -> MLP:
    """An MLP whose tanh units start unsaturated and whose logits start near zero."""
    # TODO: or leave this function out, and start as you like
    ### BEGIN SOLUTION
    model = MLP(**sizes)
    with torch.no_grad():
        model.W1 *= 5 / 3 / math.sqrt(len(model.W1))
        model.W2 *= 0.1 / math.sqrt(len(model.W2))
        model.b1 *= 0.01
        model.b2 *= 0
    return model
    ### END SOLUTION


def beat_the_lecture(
    train: list[str], dev: list[str], stoi: dict[str, int], steps: int, log: list[dict]
) -> MLP:
    """Train on the names `train`; note what was tried, and its dev loss, in log."""
    # TODO: your model and your recipe
    ### BEGIN SOLUTION
    X, Y = build_dataset(train, stoi, block_size=5)
    model = well_scaled(block_size=5, embedding=12, hidden=132)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.04, fused=True)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = one_cycle(step, steps, peak=0.02)
        ix = torch.randint(0, len(X), (512,))
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss = evaluate(model, *build_dataset(dev, stoi, block_size=5))
    log.append({"tried": "five letters, AdamW, one cycle", "dev": loss})
    return model
    ### END SOLUTION

# %%
check("mlp.beat_the_lecture", beat_the_lecture)

# %% [markdown] tags=["hint"]
# Where does the video's network lose? Its context ends after three letters, its first
# steps are spent on shrinking what it was born with, and its batches are small. Change
# one thing at a time and keep what the dev loss keeps.

# %% [markdown] tags=["hint"]
# What bought us most: larger batches, two more letters of context, a rate that rises
# and falls, AdamW in place of plain descent (the same gradients, each parameter with a
# rate of its own); then weight decay, a price on large weights, and a scaled start.
# Parameters sit in the table, `W1` and `W2`: a longer context is paid in hidden units.

# %% [markdown] tags=["hint"]
# A start: `torch.optim.AdamW(model.parameters(), lr=____)`, its rate set at each step
# by `one_cycle`, `block_size=____`, batches of `____`.

# %% [markdown] tags=["solution"]
# **Why.** Each row takes one ingredient away: 6,000 steps, means of two seeds, the
# better of two rates.
#
# | without | dev | CPU s |
# |---|--:|--:|
# | nothing: the whole recipe, 11,967 parameters | 2.038 | 9.7 |
# | the rate's rise and fall: 0.005 throughout | 2.086 | 8.2 |
# | AdamW: plain descent, peak 1.0 | 2.075 | 7.6 |
# | batches of 512: 32, peak 0.005 | 2.157 | 4.4 |
# | two of the five letters, 182 hidden units | 2.101 | 10.6 |
# | the weight decay | 2.057 | 9.5 |
# | the scaled start | 2.052 | 8.0 |

# %% [markdown] tags=["solution"]
# Batches of 32 see a sixteenth of the pairs in half of the time: overhead dominates.
# Without weight decay the train loss is better ($1.951$ for $1.967$) and dev is worse:
# the model learns names by heart. `make results` runs the video's recipe and this one
# in turn: $2.0395$ on dev against $2.1702$, in a seventh of its CPU time. All was
# chosen on dev; the test loss, looked at once, is $2.0390$.

# %% [markdown]
# The check trains on 2,500 names, for a moment. For the full figure, take the `#` away
# from the last line; each run adds its row to the table of what you tried.

# %%
tried: list[dict] = []


def full_run(steps: int = budget(full=6_000, check=100)) -> None:
    """Run beat_the_lecture on the course's split and print the table."""
    train_names, dev_names, _ = split_words(words)
    model = beat_the_lecture(train_names, dev_names, stoi, steps, tried)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    for row in tried:
        print(f"{row['dev']:.4f}  {row['tried']}")


# full_run()

# %% [markdown]
# ## skip_connections
#
# Bengio et al. also let the embedded letters reach the output directly:
# $\text{logits} = \tanh(x W_1 + b_1) W_2 + b_2 + x S$. Wrap a model so that it has such
# a matrix $S$. It starts at zero, so at first the wrapped model says what the bare one
# says, and it trains with all the rest: on the lecture's network there are 810
# parameters more.

# %% exercise="mlp.skip_connections" minutes=15 difficulty=3
class WithSkip:
    """A model with direct connections from its embedded letters to its logits."""

    def __init__(self, model: MLP) -> None:
        # TODO: keep the model and its block_size; make S, all zero, with a gradient
        ### BEGIN SOLUTION
        self.model, self.block_size = model, model.block_size
        self.S = torch.zeros(len(model.W1), len(model.b2), requires_grad=True)
        ### END SOLUTION

    def __call__(self, X: Tensor) -> Tensor:
        """The logits (N, vocab_size) for contexts X."""
        # TODO: the model's own logits, and the direct ones
        ### BEGIN SOLUTION
        x = self.model.C[X].view(len(X), -1)
        return self.model(X) + x @ self.S
        ### END SOLUTION

    def parameters(self) -> list[Tensor]:
        """All that training changes."""
        # TODO
        ### BEGIN SOLUTION
        return [*self.model.parameters(), self.S]
        ### END SOLUTION

# %%
check("mlp.skip_connections", WithSkip)

# %% [markdown] tags=["hint"]
# The direct way leads around the hidden layer: from what the hidden layer reads to what
# the output layer writes. What shape takes the one to the other?

# %% [markdown] tags=["hint"]
# $x$ is the embedded context laid side by side, as wide as `W1` is high; the logits are
# as wide as `b2` is long. `torch.zeros(…, requires_grad=True)` makes a parameter.

# %% [markdown] tags=["hint"]
# The direct logits are `self.model.C[X].view(len(X), ____) @ self.S`; `parameters()` is
# the model's list with ____ behind it.

# %% [markdown] tags=["solution"]
# **Why.** The direct part is a linear model, and learns what needs no hidden unit, such
# as how common each letter is after each other one, from the first step on. A matrix of
# zeros still learns: its gradient is $x$ times the error, which is not zero. In the
# paper training became faster, and the final loss no better.
