# ---
# jupyter:
#   made: from solutions/03_mlp.py by `make exercises`; edit that, not this
# ---

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
# *15 min · ●●○○○*
#
# A **context** is the last `block_size` letters before the one to predict; where a name
# has not begun yet, it holds the dot, which is letter $0$. A closing dot is predicted
# too. With `stoi = {".": 0, "a": 1, "b": 2}` and `block_size=2`, the words `["ab"]`
# give `X` = `[[0, 0], [0, 1], [1, 2]]` and `Y` = `[1, 2, 0]`.

# %% exercise="mlp.build_dataset"
def build_dataset(
    words: list[str], stoi: dict[str, int], block_size: int = 3
) -> tuple[Tensor, Tensor]:
    """Contexts X (N, block_size) and the letters Y (N,) that follow them, int64."""
    # TODO: slide a window over each word, from nothing but dots to its closing dot
    raise NotImplementedError("TODO mlp.build_dataset")

# %%
check("mlp.build_dataset", build_dataset)

# %% [markdown]
# ## splits
#
# *20 min · ●●○○○*
#
# Cut the names, not the pairs: 80 % to train on, 10 % to choose with (dev), 10 % to
# look at once (test). `split_words` is that of lesson 2: it shuffles first and leaves
# its argument alone. `is_split` tests for leaks: `["ann", "ann", "bob"]` may be cut
# into `["ann"]`, `["ann"]`, `["bob"]`, for that name is in the data twice. `datasets`
# turns the three piles into pairs.

# %% exercise="mlp.splits"
def split_words(
    words: list[str], seed: int = 42
) -> tuple[list[str], list[str], list[str]]:
    """Train, dev and test: 80, 10 and 10 % of the words, shuffled by the seed."""
    # TODO: shuffle a copy with random.Random(seed), cut it twice
    raise NotImplementedError("TODO mlp.splits")

# %% exercise="mlp.splits"
def is_split(words: list[str], *piles: list[str]) -> bool:
    """Whether the piles hold each word as often as words does, and no other."""
    # TODO: compare with repeats, in whatever order
    raise NotImplementedError("TODO mlp.splits")


def datasets(
    words: list[str], stoi: dict[str, int], block_size: int = 3, seed: int = 42
) -> list[tuple[Tensor, Tensor]]:
    """The pairs (X, Y) of the train, dev and test names, in this order."""
    # TODO: split, then build
    raise NotImplementedError("TODO mlp.splits")

# %%
check("mlp.splits", split_words, is_split, datasets)

# %% [markdown]
# ## embed
#
# *10 min · ●○○○○*
#
# An **embedding** gives each letter a row of a table `C`. Looking rows up and
# multiplying one-hot vectors by the table are the same thing: write both. With `C` of
# shape $(27, 2)$ and `X` of shape $(5, 3)$ the result has the shape $(5, 3, 2)$; any
# other shape of `X` works as well. `torch.nn.Embedding` is the third form, and judges
# you.

# %% exercise="mlp.embed"
def embed(C: Tensor, X: Tensor) -> Tensor:
    """The rows of C (V, d) that X names, of shape (*X.shape, d), by indexing."""
    # TODO: one short line
    raise NotImplementedError("TODO mlp.embed")


def embed_one_hot(C: Tensor, X: Tensor) -> Tensor:
    """The same by a product of matrices."""
    # TODO: one-hot vectors as wide as C is high, in the dtype of C, times C
    raise NotImplementedError("TODO mlp.embed")

# %%
check("mlp.embed", embed, embed_one_hot)

# %% [markdown]
# ## hidden
#
# *20 min · ●●○○○*
#
# The network reads the embedded letters side by side: $(N, 3, 10)$ becomes $(N, 30)$.
# `by_view` does it without moving a number, `by_cat` makes a copy; both agree. Then the
# model: $\text{logits} = \tanh(x W_1 + b_1) W_2 + b_2$. With 27 letters, three of
# context, ten dimensions and 200 hidden neurons (often called *units*) it has 11,897
# parameters.

# %% exercise="mlp.hidden"
def by_view(emb: Tensor) -> Tensor:
    """(N, k, d) as (N, k * d) on the same storage."""
    # TODO: one view, for any N
    raise NotImplementedError("TODO mlp.hidden")


def by_cat(emb: Tensor) -> Tensor:
    """(N, k, d) as (N, k * d): the k slices concatenated, a copy."""
    # TODO: take the letters apart, put them side by side
    raise NotImplementedError("TODO mlp.hidden")

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
        raise NotImplementedError("TODO mlp.hidden")

    def parameters(self) -> list[Tensor]:
        """All that training changes, from the first layer to the last."""
        # TODO: five tensors
        raise NotImplementedError("TODO mlp.hidden")

# %%
check("mlp.hidden", by_view, by_cat, MLP)

# %% [markdown]
# ## cross_entropy
#
# *15 min · ●●●○○*
#
# The loss of lesson 2 once more, now from memory: softmax over each row of `logits`,
# the probability of the target, its logarithm, the mean, a minus sign.
# `F.cross_entropy` is the judge, so do without it. Logits `[[0, 3, -2, 1]]` with target
# `[3]` give $2.1755$. Logits of $\pm 1000$ are allowed.

# %% exercise="mlp.cross_entropy"
def cross_entropy(logits: Tensor, Y: Tensor) -> Tensor:
    """The mean of -log softmax(logits)[i, Y[i]], for logits (N, V) and targets (N,)."""
    # TODO: shift each row by its largest score, and stay in logarithms
    raise NotImplementedError("TODO mlp.cross_entropy")

# %%
check("mlp.cross_entropy", cross_entropy)

# %% [markdown]
# ## minibatch_step
#
# *15 min · ●●○○○*
#
# A rough gradient now is worth more than an exact one later: take `batch_size` random
# pairs, measure the loss, step downhill at the rate `lr`. Return the loss before the
# step as a plain number. For a new model of 27 letters it is near $28$; after 1,000
# steps at $0.1$ it is below $5$.

# %% exercise="mlp.minibatch_step"
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
    raise NotImplementedError("TODO mlp.minibatch_step")

# %%
check("mlp.minibatch_step", minibatch_step)

# %% [markdown]
# ## lr_finder
#
# *20 min · ●●●○○*
#
# How large a step? Try them all: `lr_finder` calls `step(lr)` for rates from $10^{-3}$
# to $10^0$, their *exponents* evenly spaced, and keeps what it returns. With three
# steps the rates are $0.001$, $0.0316$ and $1$. `pick_lr` then chooses a rate in the
# valley of the curve, before it blows up. Losses are noisy, and may end in `nan`.

# %% exercise="mlp.lr_finder"
def lr_finder(step, steps: int = 1000, low: float = -3.0, high: float = 0.0):
    """Rates from 10**low to 10**high, and the loss that step(lr) gives at each."""
    # TODO: two lists of `steps` numbers
    raise NotImplementedError("TODO mlp.lr_finder")


def pick_lr(lrs: list[float], losses: list[float]) -> float:
    """A rate from the valley: where the losses around it are lowest on average."""
    # TODO: average over neighbours, leave out what blew up, take the lowest
    raise NotImplementedError("TODO mlp.lr_finder")

# %%
check("mlp.lr_finder", lr_finder, pick_lr)

# %% [markdown]
# ## schedule
#
# *10 min · ●●○○○*
#
# Large steps travel, small steps settle. `step_decay` keeps `lr` for the first half of
# the steps and takes a tenth of it in the second: `step_decay(50, 100)` is $0.01$.
# `one_cycle` climbs in a straight line over the first tenth, reaching `peak` at its
# last step, then falls along half a cosine: `one_cycle(0, 100, 1.0)` is $0.1$, at step
# $10$ it is $1$, at $55$ it is $0.5$.

# %% exercise="mlp.schedule"
def step_decay(step: int, steps: int, lr: float = 0.1) -> float:
    """The rate at `step` of `steps`: lr, and from the middle on a tenth of it."""
    # TODO: it depends on the step alone, not on earlier calls
    raise NotImplementedError("TODO mlp.schedule")


def one_cycle(step: int, steps: int, peak: float) -> float:
    """The rate at `step` of `steps`: up to peak in a tenth of them, then down to 0."""
    # TODO: a straight line, then a half cosine over what is left
    raise NotImplementedError("TODO mlp.schedule")

# %%
check("mlp.schedule", step_decay, one_cycle)

# %% [markdown]
# ## evaluate
#
# *10 min · ●○○○○*
#
# The loss of one batch is a rumour; the loss of a whole split is a fact. Average over
# all pairs, without gradients and without leaving a trace, and return a plain number.
# An untrained model whose logits are all zero has the loss $\ln 27 = 3.2958$.

# %% exercise="mlp.evaluate"
def evaluate(model: MLP, X: Tensor, Y: Tensor) -> float:
    """The mean cross-entropy of the model over all pairs (X, Y), in nats."""
    # TODO: no gradients in here
    raise NotImplementedError("TODO mlp.evaluate")

# %%
check("mlp.evaluate", evaluate)

# %% [markdown]
# ## train
#
# *15 min · ●●●○○*
#
# Put it together. Step $i$ uses the rate `lr(i)`. After every `every` steps, measure
# both splits *whole* and note a row `(steps done, train loss, dev loss)`; return the
# rows. Two losses tell three stories: both high, not enough training or too small a
# model; close together, a larger model may help; far apart, it learns its names by
# heart.

# %% exercise="mlp.train"
def train(
    model, train_set, dev_set, steps, lr, every=1000, batch_size=32, generator=None
) -> list[tuple[int, float, float]]:
    """Train on train_set = (X, Y); rows (steps done, train loss, dev loss)."""
    # TODO: minibatch_step on the train set, evaluate on both
    raise NotImplementedError("TODO mlp.train")

# %%
check("mlp.train", train)

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
# *15 min · ●●○○○*
#
# Let the model write: begin with dots, ask for the distribution of the next letter,
# draw from it, move the window, until the dot comes, however long that takes. Return
# the name without its dot. Names drawn with `generator` are the same each time *you*
# seed it alike.

# %% exercise="mlp.sample"
@torch.no_grad()
def sample(
    model: MLP, itos: dict[int, str], generator: torch.Generator | None = None
) -> str:
    """One name, drawn letter by letter from the model, until it closes with a dot."""
    # TODO: a context of model.block_size zeros, and a loop
    raise NotImplementedError("TODO mlp.sample")

# %%
check("mlp.sample", sample)

# %% [markdown]
# ## init_loss
#
# *10 min · ●●○○○*
#
# Before any training, a fair model finds all letters equally likely. What loss is that?
# `loss_at_start(27)` is $3.2958$. The lecture's network begins at $27.88$: it is sure
# of itself, and wrong. `calm` scales its output layer in place, so that the first loss
# is within $0.05$ of the even one, while it can still learn.

# %% exercise="mlp.init_loss"
def loss_at_start(vocab_size: int) -> float:
    """The loss, in nats, of a model that finds all letters equally likely."""
    # TODO: one line
    raise NotImplementedError("TODO mlp.init_loss")


def calm(model: MLP) -> None:
    """Scale the output layer down in place: small weights, no bias."""
    # TODO: W2 and b2 by a small factor, without recording a gradient
    raise NotImplementedError("TODO mlp.init_loss")

# %%
check("mlp.init_loss", loss_at_start, calm)

# %% [markdown]
# ## beat_the_lecture
#
# *90 min · ●●●●●*
#
# The video's network of 11,897 parameters reaches $2.17$ on the dev names. Do better
# with at most 12,000: any context, any sizes, any optimiser (how gradients become
# steps). Train on the names `train` for about `steps` steps, choose by `dev` alone, and
# append one row to `log`: `{"tried": "six letters of context", "dev": 2.05}`, the loss
# on all dev pairs of the model that you return. It has a `block_size`, `parameters()`,
# and gives logits $(N, 27)$. Begin with the context and the batch; after lesson 4, come
# back.

# %% exercise="mlp.beat_the_lecture"
def well_scaled(**sizes: int) -> MLP:
    """An MLP whose tanh units start unsaturated and whose logits start near zero."""
    # TODO: or leave this function out, and start as you like
    raise NotImplementedError("TODO mlp.beat_the_lecture")


def beat_the_lecture(
    train: list[str], dev: list[str], stoi: dict[str, int], steps: int, log: list[dict]
) -> MLP:
    """Train on the names `train`; note what was tried, and its dev loss, in log."""
    # TODO: your model and your recipe
    raise NotImplementedError("TODO mlp.beat_the_lecture")

# %%
check("mlp.beat_the_lecture", beat_the_lecture)

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
# *15 min · ●●●○○*
#
# Bengio et al. also let the embedded letters reach the output directly:
# $\text{logits} = \tanh(x W_1 + b_1) W_2 + b_2 + x S$. Wrap a model so that it has such
# a matrix $S$. It starts at zero, so at first the wrapped model says what the bare one
# says, and it trains with all the rest: on the lecture's network there are 810
# parameters more.

# %% exercise="mlp.skip_connections"
class WithSkip:
    """A model with direct connections from its embedded letters to its logits."""

    def __init__(self, model: MLP) -> None:
        # TODO: keep the model and its block_size; make S, all zero, with a gradient
        raise NotImplementedError("TODO mlp.skip_connections")

    def __call__(self, X: Tensor) -> Tensor:
        """The logits (N, vocab_size) for contexts X."""
        # TODO: the model's own logits, and the direct ones
        raise NotImplementedError("TODO mlp.skip_connections")

    def parameters(self) -> list[Tensor]:
        """All that training changes."""
        # TODO
        raise NotImplementedError("TODO mlp.skip_connections")

# %%
check("mlp.skip_connections", WithSkip)
