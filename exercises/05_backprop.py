# ---
# jupyter:
#   made: from solutions/05_backprop.py by `make exercises`; edit that, not this
# ---

# %% [markdown]
# # 5 · Becoming a backprop ninja: exercises
#
# You write the way back through the whole network, one layer at a time, train with it,
# and build the judge that lets no slip through. $dx$ is short for
# $\partial L/\partial x$; in the code it is `dx`, and it has the shape and the dtype of
# `x`. All of it is by hand: an answer that asks autograd does not pass.

# %% [markdown]
# Each exercise is a cell with a `TODO`, or several, and a check under them. A cell
# without a `TODO` is given: run it as well. `hint("…")` goes deeper each time;
# `solution("…")` asks once, then shows an answer and its derivation.

# %%
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from workbook import budget, check, data, hint, live, solution, style
from workbook.given.mlp import build_dataset, split_words

style.use()
torch.set_num_threads(1)  # these matrices are too small to be shared out

words = data.names()
stoi = {s: i for i, s in enumerate([".", *sorted(set("".join(words)))])}

# %% [markdown]
# ## logprobs
#
# *10 min · ●○○○○*
#
# The loss of a batch is `-logprobs[range(n), Y].mean()`: of each row the number at its
# label counts, and no other. Give the gradient of all of `logprobs`. For two rows of
# three letters with the labels `Y` = `[2, 0]` it is `[[0, 0, -0.5], [-0.5, 0, 0]]`,
# whatever the log-probabilities are.

# %% exercise="backprop.logprobs"
def logprobs_backward(logprobs: Tensor, Y: Tensor) -> Tensor:
    """The gradient of -logprobs[range(n), Y].mean() by logprobs, (n, V)."""
    # TODO: zeros like logprobs, and one number in each row
    raise NotImplementedError("TODO backprop.logprobs")

# %%
check("backprop.logprobs", logprobs_backward)

# %% [markdown]
# ## softmax_chain
#
# *30 min · ●●●○○*
#
# From `logprobs` back to the logits, step by step, as the stub goes forward. Return the
# seven gradients in the order of the walk. One row with the logits $\ln 1$, $\ln 1$,
# $\ln 2$ has the probabilities $\frac14, \frac14, \frac12$. If `dlogprobs` is
# `[[0, 0, -1]]`, then `dprobs` is `[[0, 0, -2]]`, `dcounts` is `[[0.5, 0.5, -0.5]]`
# and `dlogits` is `[[0.25, 0.25, -0.5]]`.

# %% exercise="backprop.softmax_chain"
def softmax_chain(dlogprobs: Tensor, logits: Tensor) -> tuple[Tensor, ...]:
    """dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes,
    dlogits: each in the shape of its tensor."""
    logit_maxes, places = logits.max(1, keepdim=True)  # (n, 1), and where it stands
    norm_logits = logits - logit_maxes  # (n, V)
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdim=True)  # (n, 1)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv  # (n, V), and logprobs = probs.log()
    # TODO: a line for each step, the last one first; return all seven
    raise NotImplementedError("TODO backprop.softmax_chain")

# %%
check("backprop.softmax_chain", softmax_chain)

# %% [markdown]
# ## linear_backward
#
# *15 min · ●●○○○*
#
# For `y = x @ W + b`: from `dy` to the gradients of `x`, `W` and `b`, in this order.
# With `x` = `[[1, 2]]`, `W` = `[[3, 4, 5], [6, 7, 8]]` and `dy` = `[[1, 0, -1]]` they
# are `[[-2, -2]]`, `[[1, 0, -1], [2, 0, -2]]` and `[1, 0, -1]`.

# %% exercise="backprop.linear_backward"
def linear_backward(dy: Tensor, x: Tensor, W: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of y = x @ W + b, the gradients of x (n, in), W (in, out) and b (out,)."""
    # TODO: three short expressions
    raise NotImplementedError("TODO backprop.linear_backward")

# %%
check("backprop.linear_backward", linear_backward)

# %% [markdown]
# ## tanh_backward
#
# *5 min · ●○○○○*
#
# For `y = torch.tanh(x)`, of any shape: from `dy` and the *output* `y` to `dx`. Where
# `y` is $0.5$ and `dy` is $2$, `dx` is $1.5$; where `y` is $1$ nothing passes.

# %% exercise="backprop.tanh_backward"
def tanh_backward(dy: Tensor, y: Tensor) -> Tensor:
    """Of y = tanh(x), the gradient of x, from the output y; all of one shape."""
    # TODO: one line
    raise NotImplementedError("TODO backprop.tanh_backward")

# %%
check("backprop.tanh_backward", tanh_backward)

# %% [markdown]
# ## bn_gain_bias
#
# *10 min · ●●○○○*
#
# The end of BatchNorm is `hpreact = bngain * bnraw + bnbias`: `bnraw`, the normalised
# values, $(n, H)$, gain and bias $(H)$. From `dhpreact` to `dbngain`, `dbnbias` and
# `dbnraw`. With `bnraw` = `[[1], [-1]]`, `bngain` = `[3]` and `dhpreact` =
# `[[5], [2]]` they are `[3]`, `[7]` and `[[15], [6]]`.

# %% exercise="backprop.bn_gain_bias"
def bn_gain_bias(
    dhpreact: Tensor, bnraw: Tensor, bngain: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of hpreact = bngain * bnraw + bnbias: dbngain (H,), dbnbias (H,), dbnraw."""
    # TODO: a product and a sum; what was copied is added up
    raise NotImplementedError("TODO backprop.bn_gain_bias")

# %%
check("backprop.bn_gain_bias", bn_gain_bias)

# %% [markdown]
# ## bn_chain
#
# *30 min · ●●●●○*
#
# Through BatchNorm's normalising, step by step, from `dbnraw` to `dhprebn`, as the stub
# goes forward. Return six gradients in the order of the walk. One column `[1, 1, 3, 3]`
# has the mean $2$ and the variance $1$; with `eps=0` and `dbnraw` =
# `[[1], [0], [0], [0]]` you get `dbnvar` = `[[0.5]]`, `dbnmean` = `[[-1]]` and
# `dhprebn` = `[[0.5], [-0.5], [0], [0]]`.

# %% [markdown]
# The variance divides by $n$. So does `torch.nn.BatchNorm1d` when it normalises, and so
# does lesson 4; the video divides by $n - 1$ here, and its result is another number.

# %% exercise="backprop.bn_chain"
def bn_chain(
    dbnraw: Tensor, hprebn: Tensor, eps: float = 1e-5
) -> tuple[Tensor, ...]:
    """dbnvar_inv, dbnvar, dbndiff2, dbndiff, dbnmean, dhprebn: each in the shape of
    its tensor."""
    n = len(hprebn)
    bnmean = hprebn.mean(0, keepdim=True)  # (1, H)
    bndiff = hprebn - bnmean  # (n, H)
    bndiff2 = bndiff**2
    bnvar = bndiff2.sum(0, keepdim=True) / n  # (1, H)
    bnvar_inv = (bnvar + eps) ** -0.5  # and bnraw = bndiff * bnvar_inv
    # TODO: a line for each step, the last one first; return all six
    raise NotImplementedError("TODO backprop.bn_chain")

# %%
check("backprop.bn_chain", bn_chain)

# %% [markdown]
# ## embedding_backward
#
# *15 min · ●●●○○*
#
# For `emb = C[X]`: from `demb` to the gradient of the table, of `rows` rows. `X` has
# any shape, `demb` one dimension more. Letters that occur twice collect twice: with
# `X` = `[1, 0, 1]`, `demb` = `[[5], [6], [7]]` and three rows it is
# `[[6], [12], [0]]`. No Python loop.

# %% exercise="backprop.embedding_backward"
def embedding_backward(demb: Tensor, X: Tensor, rows: int) -> Tensor:
    """Of emb = C[X], the gradient of C (rows, E), from demb (*X.shape, E)."""
    # TODO: a table of zeros, and one operation that adds into its rows
    raise NotImplementedError("TODO backprop.embedding_backward")

# %%
check("backprop.embedding_backward", embedding_backward)

# %% [markdown]
# ## cross_entropy_fused
#
# *15 min · ●●○○○*
#
# The seven steps of `softmax_chain` and the first one collapse. Give the gradient of
# the mean cross-entropy by the logits, in one short expression of the probabilities.
# For one row with the probabilities $\frac14, \frac14, \frac12$ and the label $0$ it is
# `[[-0.75, 0.25, 0.5]]`. Logits of $\pm 1000$ are allowed.

# %% exercise="backprop.cross_entropy_fused"
def cross_entropy_backward(logits: Tensor, Y: Tensor) -> Tensor:
    """The gradient of the mean cross-entropy of labels Y (n,) by the logits (n, V)."""
    # TODO: the probabilities, less one at the labels, as a mean
    raise NotImplementedError("TODO backprop.cross_entropy_fused")

# %%
check("backprop.cross_entropy_fused", cross_entropy_backward)

# %% [markdown]
# ## batchnorm_fused
#
# *25 min · ●●●●○*
#
# All of BatchNorm in one function: for `y = gain * raw + bias`, where `raw` is `x`
# normalised over the batch, with `var_inv` = $(v + \epsilon)^{-1/2}$. From `dy` to the
# gradients of `x`, `gain` and `bias`, in this order. With `raw` =
# `[[-1], [-1], [1], [1]]`, `gain` = `[1]`, `var_inv` = `[1]` and `dy` =
# `[[1], [0], [0], [0]]`, `dx` is `[[0.5], [-0.5], [0], [0]]`. The variance divides by
# $n$, as in `bn_chain`.

# %% exercise="backprop.batchnorm_fused"
def batchnorm_backward(
    dy: Tensor, raw: Tensor, gain: Tensor, var_inv: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of y = gain * raw + bias, the gradients of x (n, H), gain (H,) and bias (H,).

    raw = (x - mean) * var_inv is normalised over the batch, var_inv being
    (variance + eps) ** -0.5, and the variance divided by n: Ioffe and Szegedy (2015),
    algorithm 1 forward and section 3 backward, in one expression.
    https://arxiv.org/abs/1502.03167
    """
    # TODO: bn_chain in one expression, and the gradients of gain and bias
    raise NotImplementedError("TODO backprop.batchnorm_fused")

# %%
check("backprop.batchnorm_fused", batchnorm_backward)

# %% [markdown]
# ## train_by_hand
#
# *40 min · ●●●●○*
#
# Now all of it, without autograd. `forward` goes through the network of the lecture and
# keeps what the way back needs; run the cell, there is nothing to write in it.

# %%
def new_network(hidden: int = 200, seed: int = 2147483647) -> dict[str, Tensor]:
    """First numbers of the network, by name: 12,297 of them with 200 hidden units."""
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(shape, generator=g)  # noqa: E731
    p = {"C": draw(27, 10), "W1": draw(30, hidden) * (5 / 3) / 30**0.5}
    p |= {"b1": draw(hidden) * 0.1, "bngain": 1 + draw(hidden) * 0.1}
    p |= {"bnbias": draw(hidden) * 0.1, "W2": draw(hidden, 27) * 0.1}
    return p | {"b2": draw(27) * 0.1}


def forward(p: dict[str, Tensor], X: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Logits (n, V), and what the way back needs: x, raw, var_inv, h."""
    x = p["C"][X].flatten(1)  # (n, k * E)
    hprebn = x @ p["W1"] + p["b1"]  # (n, H)
    var_inv = (hprebn.var(0, correction=0) + 1e-5) ** -0.5  # (H,)
    raw = (hprebn - hprebn.mean(0)) * var_inv  # (n, H)
    h = torch.tanh(p["bngain"] * raw + p["bnbias"])  # (n, H)
    return h @ p["W2"] + p["b2"], (x, raw, var_inv, h)

# %% [markdown]
# `gradients` gives a batch's loss and the gradient of each of the seven parameters, by
# name. `train_by_hand` takes `steps` steps, each on a new random batch and at the rate
# `lr(step)`, changes `p`, and returns the losses. A network that finds three letters
# equally likely has the loss $\ln 3 = 1.0986$; the labels `[0, 0, 1, 0]` then give
# `db2` = `[-0.4167, 0.0833, 0.3333]`. On the names a new network begins at $3.6$ nats.

# %% exercise="backprop.train_by_hand"
def gradients(
    p: dict[str, Tensor], X: Tensor, Y: Tensor
) -> tuple[float, dict[str, Tensor]]:
    """The loss of the batch (X, Y), and the gradient of each parameter, by name."""
    logits, (x, raw, var_inv, h) = forward(p, X)
    # TODO: the loss as a plain number; back through all layers with your functions
    raise NotImplementedError("TODO backprop.train_by_hand")

# %% exercise="backprop.train_by_hand"
def train_by_hand(
    p: dict[str, Tensor],
    X: Tensor,
    Y: Tensor,
    steps: int,
    lr: Callable[[int], float],
    batch_size: int = 32,
    generator: torch.Generator | None = None,
) -> list[float]:
    """Train p in place, without autograd; the loss of each batch before its step."""
    # TODO: draw, gradients, update every parameter
    raise NotImplementedError("TODO backprop.train_by_hand")

# %%
check("backprop.train_by_hand", gradients, train_by_hand)

# %% [markdown]
# On all names: 20,000 steps take some fifteen seconds of one core; 3,000 are enough for
# a dev loss below $2.35$. A single batch's mean and variance judge nothing, so
# `dev_loss` measures both once on all of train, as in the lecture. Take the `#` away
# from the last line when the checks above have passed.

# %%
@torch.no_grad()
def dev_loss(p: dict[str, Tensor], Xtr: Tensor, X: Tensor, Y: Tensor) -> float:
    """The loss on (X, Y), with BatchNorm's mean and variance taken from Xtr."""
    known, new = (p["C"][x].flatten(1) @ p["W1"] + p["b1"] for x in (Xtr, X))
    raw = (new - known.mean(0)) / (known.var(0) + 1e-5).sqrt()
    h = torch.tanh(p["bngain"] * raw + p["bnbias"])
    return F.cross_entropy(h @ p["W2"] + p["b2"], Y).item()


def on_all_names(steps: int = budget(full=20_000, check=3_000)) -> None:
    """The lecture's network on the course's split, its rate cut at the end."""
    train, dev, _ = (build_dataset(pile, stoi) for pile in split_words(words))
    p, g = new_network(), torch.Generator().manual_seed(2147483647)
    rate = lambda i: 0.1 if i < 0.75 * steps else 0.01  # noqa: E731
    for _ in (run := live.train(steps, lr=rate)):
        now = lambda _: run.lr  # noqa: E731
        run.log(loss=train_by_hand(p, *train, 1, now, generator=g)[0])
    print(f"dev {dev_loss(p, train[0], *dev):.4f}; published, 200,000 steps: 2.1099")


# on_all_names()

# %% [markdown]
# ## compare
#
# *20 min · ●●●○○*
#
# The judge. `compare(mine, true)` says in a word what it finds, and asks in this order:
# `"shape"` or `"dtype"` where they are not the same; `"not finite"` where one of them
# holds `nan` or infinity; `"value"` where some number is off by more than $10^{-6}$ of
# the largest number in `true`; else `"right"`. Nothing is broadcast.

# %% [markdown]
# A gradient that is zero in truth is rounding in the computer, $10^{-17}$ or $0$: a
# share of it means nothing. So `parts`, where given, are the numbers that `true`
# is a sum of: then their largest is the measure. And where `true` itself is not more
# than $10^{-6}$ of the measure, an answer that agrees is called `"zero"`, for it proves
# nothing. Zeros with zeros are `"zero"`, also without `parts`. `true` = `[1e-9]` and
# `mine` = `[0]` is `"value"`; with `parts` = `[[5.0], [-5.0]]` it is `"zero"`.

# %% exercise="backprop.compare"
def compare(mine: Tensor, true: Tensor, parts: Tensor | None = None) -> str:
    """Judge a gradient: "shape", "dtype", "not finite", "value", "zero" or "right".

    Off by at most 1e-6 of the largest number in true is right. Where true is a sum
    that cancels, `parts` holds its terms and sets the measure; what agrees and is
    nothing beside the measure, with parts or without, is "zero".
    """
    # TODO: ask in this order, return the first word that holds
    raise NotImplementedError("TODO backprop.compare")

# %%
check("backprop.compare", compare)

# %% [markdown]
# ## layernorm_backward
#
# *20 min · ●●●○○*
#
# LayerNorm, from lesson 4, is the layer that lesson 7 uses: each vector is normalised
# over its own last dimension, of size $C$ (no table here), so no example knows of
# another. For `y = gain * raw + bias`, with `raw` $(\dots, C)$ and `std_inv`
# $(\dots, 1)$: from `dy` to the gradients of `x`, `gain` and `bias`. With `raw` =
# `[[-1, -1, 1, 1]]`, `gain` = `[1, 1, 1, 2]`, `std_inv` = `[[1]]` and `dy` =
# `[[0, 0, 0, 1]]`, `dx` is `[[0, 0, -1, 1]]`.

# %% exercise="backprop.layernorm_backward"
def layernorm_backward(
    dy: Tensor, raw: Tensor, gain: Tensor, std_inv: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of y = gain * raw + bias, the gradients of x (..., C), gain (C,) and bias (C,).

    raw = (x - mean) * std_inv is normalised over the last dimension, std_inv (..., 1)
    being (variance + eps) ** -0.5: Ba et al. (2016), equation 3, with gain and bias.
    https://arxiv.org/abs/1607.06450
    """
    # TODO: batchnorm_backward with the dimensions turned; gain and bias as before
    raise NotImplementedError("TODO backprop.layernorm_backward")

# %%
check("backprop.layernorm_backward", layernorm_backward)

# %% [markdown]
# ## attention_backward
#
# *30 min · ●●●●●*
#
# A look ahead to lesson 7. A head of **attention** lets each place $t$ of a sequence
# take in a mixture of the values $v_s$ of the places up to it; *causal* means that none
# comes after it. How much of each is said by `weights`, a softmax over scores
# $q_t \cdot k_s / \sqrt d$. The shapes $(B, T, d)$ are $B$ sequences, $T$ places and
# $d$ numbers at each. `attention` goes forward; run its cell.

# %%
def attention(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """One causal head, q, k, v (B, T, d): result (B, T, d) and weights (B, T, T)."""
    T, d = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) / d**0.5  # (B, T, T): place t asks place s
    later = torch.ones(T, T, dtype=torch.bool).triu(1)  # s > t: not to be seen
    weights = F.softmax(scores.masked_fill(later, float("-inf")), -1)
    return weights @ v, weights

# %% [markdown]
# Give the gradients of `q`, `k` and `v`, from `dout` and what the forward pass kept.
# With one number for each of two places ($d = 1$), `q` = `[[[0], [0]]]`, `k` =
# `[[[1], [3]]]` and `v` = `[[[2], [6]]]`, the second place weighs both by $\frac12$.
# For `dout` = `[[[0], [1]]]` you get `dv` = `[[[0.5], [0.5]]]`, `dq` =
# `[[[0], [2]]]` and `dk` = `[[[0], [0]]]`.

# %% exercise="backprop.attention_backward"
def attention_backward(
    dout: Tensor, q: Tensor, k: Tensor, v: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of one head of attention: the gradients of q, k and v, each (B, T, d)."""
    # TODO: back through the mixture, the softmax, and the scaled product
    raise NotImplementedError("TODO backprop.attention_backward")

# %%
check("backprop.attention_backward", attention_backward)
