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
# The loss of a batch is `-logprobs[range(n), Y].mean()`: of each row the number at its
# label counts, and no other. Give the gradient of all of `logprobs`. For two rows of
# three letters with the labels `Y` = `[2, 0]` it is `[[0, 0, -0.5], [-0.5, 0, 0]]`,
# whatever the log-probabilities are.

# %% [markdown] tags=["solution"]
# *Derivation.* $L = -\frac1n \sum_i \ell_{i t_i}$, where $t_i$ is the label of row
# $i$. How does $L$ move with one number $\ell_{ij}$? If $j = t_i$, it stands in the sum
# once, with the factor $-\frac1n$. If not, it does not stand there at all:
#
# $$d\ell_{ij} = -\tfrac1n \text{ where } j = t_i, \quad 0 \text{ elsewhere}$$
#
# With $n = 2$ each label gets $-\frac12$.

# %% exercise="backprop.logprobs" minutes=10 difficulty=1
def logprobs_backward(logprobs: Tensor, Y: Tensor) -> Tensor:
    """The gradient of -logprobs[range(n), Y].mean() by logprobs, (n, V)."""
    # TODO: zeros like logprobs, and one number in each row
    ### BEGIN SOLUTION
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[torch.arange(len(Y)), Y] = -1 / len(Y)
    return dlogprobs
    ### END SOLUTION

# %%
check("backprop.logprobs", logprobs_backward)

# %% [markdown] tags=["hint"]
# Move one number of `logprobs` up a little, in thought. When does the loss notice, and
# how much of the move arrives?

# %% [markdown] tags=["hint"]
# A mean of $n$ numbers moves by an $n$-th of what one of them moves, and there is a
# minus. The numbers at the labels are chosen as in the loss itself: with a row index
# and a label for each row.

# %% [markdown] tags=["hint"]
# `torch.zeros_like(logprobs)` has shape and dtype; into its places
# `[torch.arange(____), Y]` goes ____.

# %% [markdown] tags=["solution"]
# **Why.** Choosing is a one or a zero as a slope. The rows come from `arange`: with
# `dlogprobs[:, Y]` every row gets every label. And `zeros_like` takes over the dtype;
# `torch.zeros` makes 32-bit floats, which a strict judge refuses.

# %% tags=["solution"]
def logprobs_backward_by_one_hot(logprobs, Y):
    return F.one_hot(Y, logprobs.shape[1]).to(logprobs.dtype) / -len(Y)

# %% [markdown]
# ## softmax_chain
#
# From `logprobs` back to the logits, step by step, as the stub goes forward. Return the
# seven gradients in the order of the walk. One row with the logits $\ln 1$, $\ln 1$,
# $\ln 2$ has the probabilities $\frac14, \frac14, \frac12$. If `dlogprobs` is
# `[[0, 0, -1]]`, then `dprobs` is `[[0, 0, -2]]`, `dcounts` is `[[0.5, 0.5, -0.5]]`
# and `dlogits` is `[[0.25, 0.25, -0.5]]`.

# %% [markdown] tags=["solution"]
# *Derivation.* *Logarithm*: $\ell_{ij} = \ln p_{ij}$ has the slope $1/p_{ij}$, so
# $dp_{ij} = d\ell_{ij} / p_{ij}$. *Product*: in $p_{ij} = c_{ij} s_i$ each factor is
# the other one's slope, and $s_i$ serves the whole row, so its row is added up:
#
# $$ds_i = \sum_j c_{ij} dp_{ij}, \qquad dc_{ij} = s_i dp_{ij} + \dots$$
#
# *Power*: $s_i = u_i^{-1}$ has the slope $-u_i^{-2}$, so $du_i = -ds_i / u_i^2$.

# %% [markdown] tags=["solution"]
# *Sum*: in $u_i = \sum_j c_{ij}$ each count has the slope $1$. That is the second path
# of the counts, and pays for the dots: $dc_{ij} = s_i dp_{ij} + du_i$.
# *Exponential*: its slope is its result, so $dz_{ij} = c_{ij} dc_{ij}$.
#
# *Shift*: in $z_{ij} = x_{ij} - m_i$ the maximum serves the row with a minus, and it
# *is* one of the row's logits, the $k_i$-th:
#
# $$dm_i = -\sum_j dz_{ij}, \qquad dx_{ij} = dz_{ij} + [j = k_i] dm_i$$

# %% [markdown] tags=["solution"]
# With the numbers of the task: the largest logit is taken away, so the counts are
# $\frac12, \frac12, 1$ and $u = 2$. Then $dp_3 = -1/\frac12 = -2$,
# $ds = 1 \cdot (-2) = -2$, $du = 2/2^2 = \frac12$. The third count gets
# $\frac12 \cdot (-2) + \frac12 = -\frac12$, the others only the $\frac12$ of the sum.
# Times the counts: $\frac14, \frac14, -\frac12$. They add up to zero, so $dm = 0$.

# %% exercise="backprop.softmax_chain" minutes=30 difficulty=3
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
    ### BEGIN SOLUTION
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts_sum = -dcounts_sum_inv / counts_sum**2
    dcounts = counts_sum_inv * dprobs + dcounts_sum  # two paths
    dnorm_logits = counts * dcounts
    dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)  # about zero
    dlogits = dnorm_logits.scatter_add(1, places, dlogit_maxes)
    inner = dprobs, dcounts_sum_inv, dcounts_sum, dcounts
    return *inner, dnorm_logits, dlogit_maxes, dlogits
    ### END SOLUTION

# %%
check("backprop.softmax_chain", softmax_chain)

# %% [markdown] tags=["hint"]
# Read the forward lines from below. For each, ask two things: what is its slope, and
# how many numbers did this one touch? What was copied along a row is added up again.

# %% [markdown] tags=["hint"]
# `counts` is used twice, in `probs` and in `counts_sum`: its gradient is a sum of two.
# So is that of `logits`: once directly, once as the largest of its row. The slope of
# $1/u$ is $-1/u^2$, and that of $e^z$ is $e^z$, which you have already.

# %% [markdown] tags=["hint"]
# `dcounts_sum_inv = (____ * dprobs).sum(1, keepdim=True)`, and
# `dcounts = ____ * dprobs + ____`. The shape of each gradient is that of its tensor.

# %% [markdown] tags=["solution"]
# **Why.** Two things come back to the counts, and whoever forgets the second path is
# off by a few percent only. `dlogit_maxes` is zero in truth: softmax does not notice
# when a whole row is shifted. What is left is rounding, about $10^{-17}$, and zeros are
# as right. So no comparison can tell whether the path through the maximum is there; the
# check asks that it carries nothing. The maximum may also be found with `argmax`.

# %% [markdown]
# ## linear_backward
#
# For `y = x @ W + b`: from `dy` to the gradients of `x`, `W` and `b`, in this order.
# With `x` = `[[1, 2]]`, `W` = `[[3, 4, 5], [6, 7, 8]]` and `dy` = `[[1, 0, -1]]` they
# are `[[-2, -2]]`, `[[1, 0, -1], [2, 0, -2]]` and `[1, 0, -1]`.

# %% [markdown] tags=["solution"]
# *Derivation.* $y_{ij} = \sum_k x_{ik} w_{kj} + b_j$: example $i$, output $j$, input
# $k$. The number $x_{ik}$ touches all outputs of its example, $y_{ij}$ at the rate
# $w_{kj}$. The weight $w_{kj}$ touches output $j$ of all examples, at the rate
# $x_{ik}$. The bias $b_j$ touches the same ones, at the rate $1$:
#
# $$dx_{ik} = \sum_j dy_{ij} w_{kj}, \quad dw_{kj} = \sum_i x_{ik} dy_{ij}, \quad
# db_j = \sum_i dy_{ij}$$

# %% [markdown] tags=["solution"]
# A product of matrices adds over the index that stands inside. In the first sum $j$ is
# the second index of $dy$ and of $W$, so $W$ is turned: $dx = dy W^\top$. In the
# second $i$ is the first index of both, so $x$ is turned: $dW = x^\top dy$. By hand:
# $dx_{11} = 1 \cdot 3 + 0 \cdot 4 - 1 \cdot 5 = -2$, and
# $dw_{21} = x_{12} dy_{11} = 2 \cdot 1 = 2$.

# %% exercise="backprop.linear_backward" minutes=15 difficulty=2
def linear_backward(dy: Tensor, x: Tensor, W: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of y = x @ W + b, the gradients of x (n, in), W (in, out) and b (out,)."""
    # TODO: three short expressions
    ### BEGIN SOLUTION
    return dy @ W.T, x.T @ dy, dy.sum(0)
    ### END SOLUTION

# %%
check("backprop.linear_backward", linear_backward)

# %% [markdown] tags=["hint"]
# Write down the shapes of `dy`, `x` and `W`. Which two of them can be multiplied so
# that the shape of `x` comes out? Which two for `W`?

# %% [markdown] tags=["hint"]
# Both products need one factor turned, with `.T`. A `view` or `reshape` of the right
# shape deals the numbers out anew, and is wrong. The bias was copied down the examples,
# so what comes back is added up, along which dimension?

# %% [markdown] tags=["hint"]
# `return dy @ ____, ____ @ dy, dy.sum(____)`.

# %% [markdown] tags=["solution"]
# **Why.** The shapes leave almost no choice, but `W.view(out, in)` has the right one as
# well and is wrong; so they are a check and no proof. A mean in place of the bias' sum
# is another slip: the mean over the batch was taken once already, in the loss. The
# gradient of a weight is input times pull, so an input of zero teaches its weights
# nothing. Below, `einsum` takes the index formula itself: the letters of each factor,
# then those of the result; over all others it sums.

# %% tags=["solution"]
def linear_backward_by_einsum(dy, x, W):
    dx = torch.einsum("ij,kj->ik", dy, W)
    dW = torch.einsum("ik,ij->kj", x, dy)
    return dx, dW, torch.einsum("ij->j", dy)

# %% [markdown]
# ## tanh_backward
#
# For `y = torch.tanh(x)`, of any shape: from `dy` and the *output* `y` to `dx`. Where
# `y` is $0.5$ and `dy` is $2$, `dx` is $1.5$; where `y` is $1$ nothing passes.

# %% [markdown] tags=["solution"]
# *Derivation.* Each $x_i$ touches $y_i$ alone. $y = a/b$ with $a = e^x - e^{-x}$ and
# $b = e^x + e^{-x}$; the slope of $a$ is $b$, and that of $b$ is $a$. By the rule for a
# quotient
#
# $$\frac{dy}{dx} = \frac{b \cdot b - a \cdot a}{b^2} = 1 - y^2, \qquad
# dx_i = dy_i (1 - y_i^2)$$
#
# With $y = \frac12$ the slope is $\frac34$, and $2 \cdot \frac34 = 1.5$.

# %% exercise="backprop.tanh_backward" minutes=5 difficulty=1
def tanh_backward(dy: Tensor, y: Tensor) -> Tensor:
    """Of y = tanh(x), the gradient of x, from the output y; all of one shape."""
    # TODO: one line
    ### BEGIN SOLUTION
    return dy * (1 - y**2)
    ### END SOLUTION

# %%
check("backprop.tanh_backward", tanh_backward)

# %% [markdown] tags=["hint"]
# The slope of tanh can be read off its output, as in lesson 1.

# %% [markdown] tags=["hint"]
# At the output $0$ tanh is steepest and has the slope $1$; at $\pm 1$ it is flat. Which
# short expression of $y$ does that, for both signs?

# %% [markdown] tags=["hint"]
# `return dy * (1 - ____)`.

# %% [markdown] tags=["solution"]
# **Why.** The square is that of the output. With the input $x$ in its place the slope
# is negative wherever $|x| > 1$, and learning goes the wrong way there. `y` is given as
# it was kept from the forward pass, so nothing is computed twice.

# %% [markdown]
# ## bn_gain_bias
#
# The end of BatchNorm is `hpreact = bngain * bnraw + bnbias`: `bnraw`, the normalised
# values, $(n, H)$, gain and bias $(H)$. From `dhpreact` to `dbngain`, `dbnbias` and
# `dbnraw`. With `bnraw` = `[[1], [-1]]`, `bngain` = `[3]` and `dhpreact` =
# `[[5], [2]]` they are `[3]`, `[7]` and `[[15], [6]]`.

# %% [markdown] tags=["solution"]
# *Derivation.* $y_{ij} = \gamma_j \hat x_{ij} + \beta_j$. The gain $\gamma_j$ touches
# its column in all examples, $y_{ij}$ at the rate $\hat x_{ij}$; the bias $\beta_j$ the
# same ones at the rate $1$; and $\hat x_{ij}$ touches $y_{ij}$ alone:
#
# $$d\gamma_j = \sum_i \hat x_{ij} dy_{ij}, \quad d\beta_j = \sum_i dy_{ij}, \quad
# d\hat x_{ij} = \gamma_j dy_{ij}$$
#
# By hand: $d\gamma = 1 \cdot 5 + (-1) \cdot 2 = 3$ and $d\beta = 5 + 2 = 7$.

# %% exercise="backprop.bn_gain_bias" minutes=10 difficulty=2
def bn_gain_bias(
    dhpreact: Tensor, bnraw: Tensor, bngain: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of hpreact = bngain * bnraw + bnbias: dbngain (H,), dbnbias (H,), dbnraw."""
    # TODO: a product and a sum; what was copied is added up
    ### BEGIN SOLUTION
    return (bnraw * dhpreact).sum(0), dhpreact.sum(0), bngain * dhpreact
    ### END SOLUTION

# %%
check("backprop.bn_gain_bias", bn_gain_bias)

# %% [markdown] tags=["hint"]
# Forward, gain and bias are copied down the $n$ examples. What does that mean for the
# way back, and what does it mean for the shape?

# %% [markdown] tags=["hint"]
# A product swaps: what comes back to the gain has the factor `bnraw`, what comes back
# to `bnraw` has the factor `bngain`. Only gain and bias are summed over the examples,
# and without `keepdim`, since they have one dimension.

# %% [markdown] tags=["hint"]
# `return (____ * dhpreact).sum(0), ____, bngain * ____`.

# %% [markdown] tags=["solution"]
# **Why.** The gain's gradient has what the gain was multiplied with, the normalised
# values, and not what came out. With `keepdim=True` the shape would be $(1, H)$; an
# update would broadcast it without a word. A mean in place of the sum is the slip of
# the linear layer's bias once more.

# %% [markdown]
# ## bn_chain
#
# Through BatchNorm's normalising, step by step, from `dbnraw` to `dhprebn`, as the stub
# goes forward. Return six gradients in the order of the walk. One column `[1, 1, 3, 3]`
# has the mean $2$ and the variance $1$; with `eps=0` and `dbnraw` =
# `[[1], [0], [0], [0]]` you get `dbnvar` = `[[0.5]]`, `dbnmean` = `[[-1]]` and
# `dhprebn` = `[[0.5], [-0.5], [0], [0]]`.

# %% [markdown]
# The variance divides by $n$. So does `torch.nn.BatchNorm1d` when it normalises, and so
# does lesson 4; the video divides by $n - 1$ here, and its result is another number.

# %% [markdown] tags=["solution"]
# *Derivation*, of one column, so without $j$; $\delta$ is `bndiff`, the distances from
# the mean, and $r$ is `bnvar_inv`. *Product*: in $\hat x_i = \delta_i r$ the one $r$
# serves all examples: $dr = \sum_i \delta_i d\hat x_i$ and
# $d\delta_i = r d\hat x_i + \dots$ *Power*: $r = (v + \epsilon)^{-1/2}$ has the slope
# $-\frac12 (v + \epsilon)^{-3/2}$, so $dv = -\frac12 (v + \epsilon)^{-3/2} dr$.

# %% [markdown] tags=["solution"]
# *Mean of squares*: $v = \frac1n \sum_i q_i$, so each $dq_i = \frac1n dv$; and
# $q_i = \delta_i^2$ has the slope $2 \delta_i$, the second path of the distances:
#
# $$d\delta_i = r d\hat x_i + 2 \delta_i dq_i$$
#
# *Difference*: in $\delta_i = x_i - \mu$ the mean serves all with a minus, so
# $d\mu = -\sum_i d\delta_i$. *Mean*: $\mu = \frac1n \sum_i x_i$ is the second path of
# $x_i$:
#
# $$dx_i = d\delta_i + \tfrac1n d\mu$$

# %% [markdown] tags=["solution"]
# By hand: $\delta = -1, -1, 1, 1$ and $r = 1$. So $dr = -1$, $dv = \frac12$,
# $dq_i = \frac18$. The first distance gets $1 - \frac14 = \frac34$, the others
# $-\frac14, \frac14, \frac14$; together $1$, so $d\mu = -1$ and each loses $\frac14$.

# %% exercise="backprop.bn_chain" minutes=30 difficulty=4
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
    ### BEGIN SOLUTION
    dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
    dbnvar = -0.5 * (bnvar + eps) ** -1.5 * dbnvar_inv
    dbndiff2 = dbnvar.expand(n, -1) / n
    dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2  # two paths
    dbnmean = -dbndiff.sum(0, keepdim=True)
    dhprebn = dbndiff + dbnmean / n  # two paths
    return dbnvar_inv, dbnvar, dbndiff2, dbndiff, dbnmean, dhprebn
    ### END SOLUTION

# %%
check("backprop.bn_chain", bn_chain)

# %% [markdown] tags=["hint"]
# It is `softmax_chain` along the other dimension: what was copied down the examples is
# added up, what was added up is copied. Which two tensors are used twice?

# %% [markdown] tags=["hint"]
# `bndiff` goes into `bnraw` and into `bndiff2`; `hprebn` into `bndiff` and into
# `bnmean`. The slope of $u^{-1/2}$ is $-\frac12 u^{-3/2}$, with `eps` inside. The
# division by $n$ belongs to the step that divides, and to no other.

# %% [markdown] tags=["hint"]
# `dbnvar = -0.5 * (____) ** -1.5 * dbnvar_inv`, then
# `dbndiff = ____ * dbnraw + 2 * ____ * dbndiff2`, and at the end a sum of two.

# %% [markdown] tags=["solution"]
# **Why.** `dbnmean` is what comes back to the mean, the whole of it; only where the
# mean hands it on to the $n$ values does each get an $n$-th. Divided too early,
# `dhprebn` may still come out right, and `dbnmean` is wrong.
#
# With $n - 1$ in the variance, `dbndiff2` has an $n - 1$ as well: 3 % of it at 32
# examples. Which of the two is meant is a convention; that forward and backward agree
# is not. The check names the mixture if it finds it.

# %% [markdown]
# ## embedding_backward
#
# For `emb = C[X]`: from `demb` to the gradient of the table, of `rows` rows. `X` has
# any shape, `demb` one dimension more. Letters that occur twice collect twice: with
# `X` = `[1, 0, 1]`, `demb` = `[[5], [6], [7]]` and three rows it is
# `[[6], [12], [0]]`. No Python loop.

# %% [markdown] tags=["solution"]
# *Derivation.* $e_{ikm} = C_{X_{ik} m}$: place $k$ of example $i$ holds a copy of the
# row $X_{ik}$. The number $C_{vm}$ touches every place where its letter $v$ stands, at
# the rate $1$, and no other:
#
# $$dC_{vm} = \sum_{i,k} [X_{ik} = v] de_{ikm}$$
#
# By hand: letter $1$ stands at the first and third place, $5 + 7 = 12$. Letter $2$
# stands nowhere: nothing comes back to it, and its row is zero.

# %% exercise="backprop.embedding_backward" minutes=15 difficulty=3
def embedding_backward(demb: Tensor, X: Tensor, rows: int) -> Tensor:
    """Of emb = C[X], the gradient of C (rows, E), from demb (*X.shape, E)."""
    # TODO: a table of zeros, and one operation that adds into its rows
    ### BEGIN SOLUTION
    E = demb.shape[-1]
    dC = torch.zeros(rows, E, dtype=demb.dtype, device=demb.device)
    return dC.index_add_(0, X.flatten(), demb.reshape(-1, E))
    ### END SOLUTION

# %%
check("backprop.embedding_backward", embedding_backward)

# %% [markdown] tags=["hint"]
# An index copies rows forward. What is the mirror image of copying, and what happens to
# a row that was copied to several places?

# %% [markdown] tags=["hint"]
# `dC[X] += demb` reads, adds and writes each place once, so that of two equal letters
# one is lost. `index_add_` adds one after the other. A product with one-hot vectors
# does it as well.

# %% [markdown] tags=["hint"]
# Lay all places in one row: `dC.index_add_(0, X.____, demb.reshape(-1, ____))`.

# %% [markdown] tags=["solution"]
# **Why.** A loop over places is right as well, and in a training of 200,000 steps it
# costs minutes. The one-hot product below is the transpose of lesson 3's
# `embed_one_hot`: forward $e = O C$, so backward $dC = O^\top de$. The rows of letters
# that did not occur stay zero: a batch teaches only the letters in it.

# %% tags=["solution"]
def embedding_backward_by_one_hot(demb, X, rows):
    hot = F.one_hot(X.flatten(), rows).to(demb.dtype)  # (N, rows)
    return hot.T @ demb.flatten(0, -2)

# %% [markdown]
# ## cross_entropy_fused
#
# The seven steps of `softmax_chain` and the first one collapse. Give the gradient of
# the mean cross-entropy by the logits, in one short expression of the probabilities.
# For one row with the probabilities $\frac14, \frac14, \frac12$ and the label $0$ it is
# `[[-0.75, 0.25, 0.5]]`. Logits of $\pm 1000$ are allowed.

# %% [markdown] tags=["solution"]
# *Derivation.* One example with scores $z_j$ and label $t$:
# $L = \ln \sum_k e^{z_k} - z_t$. The first part has the slope
# $e^{z_j} / \sum_k e^{z_k} = p_j$, by the chain rule; the second has $-1$ where
# $j = t$. A batch of $n$ takes the mean:
#
# $$dz_{ij} = \tfrac1n \left( p_{ij} - [j = t_i] \right)$$
#
# By hand: $\frac14 - 1 = -0.75$ at the label, the probabilities elsewhere, and together
# zero.

# %% exercise="backprop.cross_entropy_fused" minutes=15 difficulty=2
def cross_entropy_backward(logits: Tensor, Y: Tensor) -> Tensor:
    """The gradient of the mean cross-entropy of labels Y (n,) by the logits (n, V)."""
    # TODO: the probabilities, less one at the labels, as a mean
    ### BEGIN SOLUTION
    dlogits = F.softmax(logits, 1)
    dlogits[torch.arange(len(Y)), Y] -= 1
    return dlogits / len(Y)
    ### END SOLUTION

# %%
check("backprop.cross_entropy_fused", cross_entropy_backward)

# %% [markdown] tags=["hint"]
# Compute `softmax_chain` on paper for three letters, and look at the result beside the
# probabilities. In which places do they differ, and by how much?

# %% [markdown] tags=["hint"]
# Softmax goes along each row. At the label something is taken away, and because the
# loss is a mean over the examples, everything is divided once.

# %% [markdown] tags=["hint"]
# After `F.softmax(logits, ____)`: at `[torch.arange(len(Y)), Y]` take away ____, then
# divide by ____.

# %% [markdown] tags=["solution"]
# **Why.** Each row is a play of forces: the right letter is lifted by what it lacks,
# the others are pressed down by what they were believed in, and the sum is zero. A row
# that is sure and right feels nothing. The chain divides by probabilities, and fails
# where one is rounded to zero; here nothing is divided by a probability.

# %% tags=["solution"]
def cross_entropy_backward_by_one_hot(logits, Y):
    hot = F.one_hot(Y, logits.shape[1])
    return (logits.softmax(1) - hot) / len(Y)

# %% [markdown]
# ## batchnorm_fused
#
# All of BatchNorm in one function: for `y = gain * raw + bias`, where `raw` is `x`
# normalised over the batch, with `var_inv` = $(v + \epsilon)^{-1/2}$. From `dy` to the
# gradients of `x`, `gain` and `bias`, in this order. With `raw` =
# `[[-1], [-1], [1], [1]]`, `gain` = `[1]`, `var_inv` = `[1]` and `dy` =
# `[[1], [0], [0], [0]]`, `dx` is `[[0.5], [-0.5], [0], [0]]`. The variance divides by
# $n$, as in `bn_chain`.

# %% [markdown] tags=["solution"]
# *Derivation.* Put the steps of `bn_chain` into one another, for one column. With
# $g_i = d\hat x_i = \gamma dy_i$ and $(v + \epsilon)^{-3/2} = r^3$:
#
# $$d\delta_i = r g_i - \tfrac1n \delta_i r^3 \sum_k \delta_k g_k
# = r \left( g_i - \hat x_i \tfrac1n \sum_k \hat x_k g_k \right)$$
#
# since two of the three $r$ turn the two $\delta$ into $\hat x$.

# %% [markdown] tags=["solution"]
# From $d\delta_i$ its mean over the batch is taken away. The $\hat x_i$ add up to zero,
# so of the bracket only the $g_i$ have a mean.
#
# $$dx_i = r \left( g_i - \tfrac1n \sum_k g_k
# - \hat x_i \tfrac1n \sum_k \hat x_k g_k \right)$$
#
# By hand: the mean of $g$ is $\frac14$, the mean of $\hat x g$ is $-\frac14$. The first
# example gets $1 - \frac14 - (-1)(-\frac14) = \frac12$, the second
# $0 - \frac14 - \frac14 = -\frac12$, the others $-\frac14 + \frac14 = 0$.

# %% exercise="backprop.batchnorm_fused" minutes=25 difficulty=4
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
    ### BEGIN SOLUTION
    g = gain * dy  # (n, H)
    dx = var_inv * (g - g.mean(0) - raw * (raw * g).mean(0))
    return dx, (raw * dy).sum(0), dy.sum(0)
    ### END SOLUTION

# %%
check("backprop.batchnorm_fused", batchnorm_backward)

# %% [markdown] tags=["hint"]
# Take the six lines of `bn_chain` on paper and put each into the next. Two facts
# shorten it: $\sum_i \hat x_i = 0$, and $\delta_i r = \hat x_i$.

# %% [markdown] tags=["hint"]
# Three terms in a bracket: what comes back to `raw`; minus its mean over the batch;
# minus `raw` times the mean of `raw` times it. The gain's and the bias' gradients are
# those of `bn_gain_bias`.

# %% [markdown] tags=["hint"]
# With `g = gain * dy`: `dx = var_inv * (g - ____ - raw * (____).mean(0))`.

# %% [markdown] tags=["solution"]
# **Why.** A shift of the whole batch and a stretch of it change nothing after
# BatchNorm, so no gradient may point there: the bracket takes out both. Its sum over
# the batch is zero, which is why a bias in front of BatchNorm has the gradient zero.
#
# With the video's variance the last term divides by $n - 1$. To mix the two is off by
# about half a percent at 32 examples: `allclose` with an `atol` of $10^{-4}$ lets it
# pass, $10^{-6}$ of the largest gradient does not.

# %% [markdown]
# ## train_by_hand
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

# %% [markdown] tags=["solution"]
# *Derivation.* Nothing is new here but the order. Forward:
#
# $$X \to e \to x \to xW_1 + b_1 \to \hat x \to \gamma \hat x + \beta \to h \to
# hW_2 + b_2 \to L$$
#
# Backward, each layer takes what comes back to its result and gives what comes back to
# its inputs: first `cross_entropy_backward`, then linear, tanh, BatchNorm, linear,
# embedding. In between, $x$ is laid out as $e$ again: a `view` moves no number, so its
# gradient is a `view` as well.

# %% exercise="backprop.train_by_hand" minutes=40 difficulty=4
def gradients(
    p: dict[str, Tensor], X: Tensor, Y: Tensor
) -> tuple[float, dict[str, Tensor]]:
    """The loss of the batch (X, Y), and the gradient of each parameter, by name."""
    logits, (x, raw, var_inv, h) = forward(p, X)
    # TODO: the loss as a plain number; back through all layers with your functions
    ### BEGIN SOLUTION
    loss = F.cross_entropy(logits, Y).item()
    d = {}
    dlogits = cross_entropy_backward(logits, Y)
    dh, d["W2"], d["b2"] = linear_backward(dlogits, h, p["W2"])
    dy = tanh_backward(dh, h)
    bn = batchnorm_backward(dy, raw, p["bngain"], var_inv)
    dhprebn, d["bngain"], d["bnbias"] = bn
    dx, d["W1"], d["b1"] = linear_backward(dhprebn, x, p["W1"])
    demb = dx.view(*X.shape, -1)  # (n, k, E)
    d["C"] = embedding_backward(demb, X, len(p["C"]))
    return loss, d
    ### END SOLUTION

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
    ### BEGIN SOLUTION
    losses = []
    for step in range(steps):
        ix = torch.randint(0, len(X), (batch_size,), generator=generator)
        loss, d = gradients(p, X[ix], Y[ix])
        for name in p:
            p[name] -= lr(step) * d[name]
        losses.append(loss)
    return losses
    ### END SOLUTION

# %%
check("backprop.train_by_hand", gradients, train_by_hand)

# %% [markdown] tags=["hint"]
# Write the forward pass as a list of layers, and read it from below. What each function
# of yours returns first goes into the next one.

# %% [markdown] tags=["hint"]
# The way back needs the *inputs* of the linear layers, the *output* of tanh, and of
# BatchNorm `raw` and `var_inv`: `forward` has kept them. Before the embedding, the
# gradient of $x$, $(n, k \cdot E)$, becomes $(n, k, E)$.

# %% [markdown] tags=["hint"]
# `dh, dW2, db2 = linear_backward(dlogits, ____, p["W2"])`, `tanh_backward(dh, ____)`,
# and so on. The update is `p[name] -= ____ * d[name]`, for every name.

# %% [markdown] tags=["solution"]
# **Why.** No tensor here asks for a gradient, so nothing is recorded and nothing has to
# be zeroed. The gradient of `b1` is rounding, since BatchNorm takes away whatever `b1`
# adds: the check asks that it is about zero, and zeros are as right. `p[name] -= …`
# changes the tensor in place; `p[name] = p[name] - …` puts a new one into the
# dictionary and is as good. A loop over `p.values()` with `q = q - …` changes nothing.

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

# %% [markdown] tags=["solution"]
# *Derivation.* Let $m$ be the measure, $\max |true|$ or $\max |parts|$. Asked is
# whether $\max_{ij} |mine_{ij} - true_{ij}| \le 10^{-6} m$. A sum of numbers as large
# as $m$, which are rounded at the sixteenth digit, is good to some $10^{-15} m$: right
# answers lie far below the bound, and slips above $10^{-3}$. By hand: $true = 0.02$,
# off by one percent is $2 \cdot 10^{-4}$; permitted are $2 \cdot 10^{-8}$.

# %% exercise="backprop.compare" minutes=20 difficulty=3
def compare(mine: Tensor, true: Tensor, parts: Tensor | None = None) -> str:
    """Judge a gradient: "shape", "dtype", "not finite", "value", "zero" or "right".

    Off by at most 1e-6 of the largest number in true is right. Where true is a sum
    that cancels, `parts` holds its terms and sets the measure; what agrees and is
    nothing beside the measure, with parts or without, is "zero".
    """
    # TODO: ask in this order, return the first word that holds
    ### BEGIN SOLUTION
    if mine.shape != true.shape:
        return "shape"
    if mine.dtype != true.dtype:
        return "dtype"
    gap = (mine - true).abs().max()
    if not gap.isfinite():
        return "not finite"
    bound = 1e-6 * (true if parts is None else parts).abs().max()
    if gap > bound:
        return "value"
    return "right" if true.abs().max() > bound else "zero"
    ### END SOLUTION

# %%
check("backprop.compare", compare)

# %% [markdown] tags=["hint"]
# Which wrong answers did `torch.allclose` accept in the lecture? Each of the questions
# closes one of these doors.

# %% [markdown] tags=["hint"]
# The measure is one number for the whole tensor, so small entries beside large ones do
# no harm. A comparison with `nan` is always false: ask for it before you compare. The
# last question needs no new number: `true` against the same bound.

# %% [markdown] tags=["hint"]
# `bound = 1e-6 * (true if parts is None else ____).abs().max()`, then the fourth
# question is whether `(____).abs().max()` is above it.

# %% [markdown] tags=["solution"]
# **Why.** Two gradients of our network are zero in truth: that of the largest logit,
# since softmax does not notice a shift, and that of `b1`, since BatchNorm takes it
# away. There `allclose` accepts anything small, and a plain share rejects zeros, which
# are right. Measured by their parts both are `"zero"`, an answer of its own: it agrees,
# and shows nothing. Everywhere else zeros are off by the whole gradient.

# %% [markdown]
# ## layernorm_backward
#
# LayerNorm, from lesson 4, is the layer that lesson 7 uses: each vector is normalised
# over its own last dimension, of size $C$ (no table here), so no example knows of
# another. For `y = gain * raw + bias`, with `raw` $(\dots, C)$ and `std_inv`
# $(\dots, 1)$: from `dy` to the gradients of `x`, `gain` and `bias`. With `raw` =
# `[[-1, -1, 1, 1]]`, `gain` = `[1, 1, 1, 2]`, `std_inv` = `[[1]]` and `dy` =
# `[[0, 0, 0, 1]]`, `dx` is `[[0, 0, -1, 1]]`.

# %% [markdown] tags=["solution"]
# *Derivation.* $y_{ic} = \gamma_c \hat x_{ic} + \beta_c$. Gain and bias serve all
# vectors $i$, however many dimensions these are numbered with:
#
# $$d\gamma_c = \sum_i \hat x_{ic} dy_{ic}, \qquad d\beta_c = \sum_i dy_{ic}, \qquad
# g_{ic} = \gamma_c dy_{ic}$$
#
# Mean and variance are taken over $c$, for each $i$ alone. So the derivation of
# BatchNorm holds with $c$ in the place of the examples:
#
# $$dx_{ic} = r_i \left( g_{ic} - \tfrac1C \sum_k g_{ik}
# - \hat x_{ic} \tfrac1C \sum_k \hat x_{ik} g_{ik} \right)$$

# %% [markdown] tags=["solution"]
# By hand: $g = 0, 0, 0, 2$. Its mean is $\frac12$, and the mean of $\hat x g$ is
# $\frac12$ as well. The first number gets $0 - \frac12 + \frac12 = 0$, the third
# $0 - \frac12 - \frac12 = -1$, the last $2 - \frac12 - \frac12 = 1$.

# %% exercise="backprop.layernorm_backward" minutes=20 difficulty=3
def layernorm_backward(
    dy: Tensor, raw: Tensor, gain: Tensor, std_inv: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of y = gain * raw + bias, the gradients of x (..., C), gain (C,) and bias (C,).

    raw = (x - mean) * std_inv is normalised over the last dimension, std_inv (..., 1)
    being (variance + eps) ** -0.5: Ba et al. (2016), equation 3, with gain and bias.
    https://arxiv.org/abs/1607.06450
    """
    # TODO: batchnorm_backward with the dimensions turned; gain and bias as before
    ### BEGIN SOLUTION
    g = gain * dy  # (..., C)
    along = raw * (raw * g).mean(-1, keepdim=True)
    dx = std_inv * (g - g.mean(-1, keepdim=True) - along)
    C = dy.shape[-1]
    return dx, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
    ### END SOLUTION

# %%
check("backprop.layernorm_backward", layernorm_backward)

# %% [markdown] tags=["hint"]
# Which numbers share a mean and a variance here, and which share a gain and a bias? In
# BatchNorm these were the same dimension; here they are not.

# %% [markdown] tags=["hint"]
# The means go along the last dimension and keep it. The gain stands inside of them,
# since it is another number for each entry. Gain and bias are summed over every
# dimension but the last, however many there are: `reshape(-1, C)` makes them one.

# %% [markdown] tags=["hint"]
# `dx = std_inv * (g - g.mean(____, keepdim=True) - raw * (____).mean(____,
# keepdim=True))`, and the gain's is `(raw * dy).reshape(-1, ____).sum(____)`.

# %% [markdown] tags=["solution"]
# **Why.** In BatchNorm the gain is one number for everything that is averaged, so it
# may be multiplied in at the end. Here it differs inside of each mean, and must go in
# first. `torch.nn.functional.layer_norm` is the oracle of the check, with one, two and
# three dimensions in front; lesson 7's are two, $(B, T, C)$.

# %% tags=["solution"]
def layernorm_backward_flat(dy, raw, gain, std_inv):
    rows = [t.reshape(-1, t.shape[-1]) for t in (dy, raw, std_inv, gain * dy)]
    dy2, raw2, inv, g = rows  # (N, C), and batchnorm_backward of them turned
    dx, _, _ = batchnorm_backward(g.T, raw2.T, torch.ones(()), inv.T)
    return dx.T.reshape(dy.shape), (raw2 * dy2).sum(0), dy2.sum(0)

# %% [markdown]
# ## attention_backward
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

# %% [markdown] tags=["solution"]
# *Derivation*, for one sequence. $o_{tm} = \sum_s a_{ts} v_{sm}$ is a product of
# matrices, as in the linear layer:
#
# $$dv_{sm} = \sum_t a_{ts} do_{tm}, \qquad da_{ts} = \sum_m do_{tm} v_{sm}$$
#
# $a_t$ is a softmax. If a score $z_{tr}$ grows, $a_{ts}$ grows by
# $a_{ts} ([s = r] - a_{tr})$: its own share rises, all shares shrink by what it takes.
# Collected over $s$:
#
# $$dz_{tr} = a_{tr} \left( da_{tr} - \sum_s a_{ts} da_{ts} \right)$$

# %% [markdown] tags=["solution"]
# $z_{ts} = \frac{1}{\sqrt d} \sum_m q_{tm} k_{sm}$ is a product once more:
#
# $$dq_{tm} = \tfrac{1}{\sqrt d} \sum_s dz_{ts} k_{sm}, \qquad
# dk_{sm} = \tfrac{1}{\sqrt d} \sum_t dz_{ts} q_{tm}$$
#
# By hand, second place: $da = 2, 6$, the mean under the weights is $4$, so
# $dz = \frac12 (2 - 4), \frac12 (6 - 4) = -1, 1$. Then
# $dq = -1 \cdot 1 + 1 \cdot 3 = 2$, and $dk$ is zero because $q$ is.

# %% exercise="backprop.attention_backward" minutes=30 difficulty=5
def attention_backward(
    dout: Tensor, q: Tensor, k: Tensor, v: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of one head of attention: the gradients of q, k and v, each (B, T, d)."""
    # TODO: back through the mixture, the softmax, and the scaled product
    ### BEGIN SOLUTION
    dv = weights.transpose(-2, -1) @ dout
    dweights = dout @ v.transpose(-2, -1)  # (B, T, T)
    mean = (weights * dweights).sum(-1, keepdim=True)  # (B, T, 1)
    dscores = weights * (dweights - mean) / q.shape[-1] ** 0.5
    return dscores @ k, dscores.transpose(-2, -1) @ q, dv
    ### END SOLUTION

# %%
check("backprop.attention_backward", attention_backward)

# %% [markdown] tags=["hint"]
# Two products of matrices with a softmax between them. You have the rule for each: that
# of `linear_backward`, and `softmax_chain` without its logarithm.

# %% [markdown] tags=["hint"]
# Through a softmax, `dscores` is `weights` times (`dweights` less its mean under the
# weights, row by row). The mask needs no line of its own: where it was, the weight is
# zero, and so is the gradient. Do not forget $1/\sqrt d$.

# %% [markdown] tags=["hint"]
# `dv = weights.transpose(-2, -1) @ ____`, then
# `dscores = weights * (dweights - ____) / ____`, then two products.

# %% [markdown] tags=["solution"]
# **Why.** The softmax's rule is the one that `cross_entropy_backward` hides: with
# $da_s = -1/a_s$ at the label and zero elsewhere it gives $p - 1$ and $p$. The sum goes
# along the keys, the dimension that the softmax went along. A place later in the
# sequence gives no gradient to `q`, and a first place, which can only look at itself,
# none at all: its weight is $1$ whatever the scores are.
