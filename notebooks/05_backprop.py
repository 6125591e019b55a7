# %% [markdown]
# # 5 · Becoming a backprop ninja
#
# Can we train without autograd, and know that every gradient is right?
#
# You will be able to
#
# - derive the gradient of each layer from its shapes and its formula;
# - collapse a chain of small steps into one short expression;
# - compare two gradients so strictly that no slip passes.

# %% [markdown]
# This page goes with [Becoming a backprop ninja](https://youtu.be/q8SA3rM6ckI) by
# Andrej Karpathy; each section names its part of the video. You bring lesson 4's
# network, the chain rule of lesson 1, and broadcasting. Paper and pencil help. The
# exercises are in `exercises/05_backprop.ipynb`.
#
# $\partial y / \partial x$ is the slope of $y$ by $x$ while all other numbers stay. And
# $dx$, in the code `dx`, is short for $\partial L / \partial x$: by how much the loss
# grows when $x$ grows a little.

# %%
import time

import torch
import torch.nn.functional as F

from workbook import budget, data, explore, live, predict, style
from workbook.given.mlp import build_dataset, split_words  # as written in lesson 3

style.use()
torch.set_num_threads(1)  # these matrices are too small to be shared out

# %% tags=["nbval-check-output"] key="the-data"
words = data.names()
itos = dict(enumerate([".", *sorted(set("".join(words)))]))  # number -> letter
stoi = {letter: i for i, letter in itos.items()}  # letter -> number
train_names, dev_names, test_names = split_words(words)
Xtr, Ytr = build_dataset(train_names, stoi)
Xdev, Ydev = build_dataset(dev_names, stoi)
print(f"{len(Xtr):,} examples to train on, {len(Xdev):,} to judge by")

# %% [markdown]
# ## What backward() cannot know
#
# **Question.** `loss.backward()` has served us for four lessons. Why look inside?
#
# It finds the gradient of what is *written*, and cannot know what was *meant*. Say we
# fear that a single odd example might pull too hard. So its loss shall count for at
# most 2 nats, and we write `clamp(max=2)`.
#
# *In the video: the introduction, and why backpropagation leaks.*

# %% [markdown]
# **Predict.** Three scores, $3$, $0$ and $0$; the right answer is the second. The loss
# is about $3.1$ nats, and is cut off at $2$. What is the gradient of the second score?

# %% tags=["predict"]
guess = predict("backprop.second_score")

# %%
scores = torch.tensor([[3.0, 0.0, 0.0]], requires_grad=True)
odd_loss = F.cross_entropy(scores, torch.tensor([1]))
odd_loss.clamp(max=2).backward()
guess.compare(scores.grad[0, 1])

# %% tags=["nbval-check-output"] key="clamped"
(whole,) = torch.autograd.grad(F.cross_entropy(scores, torch.tensor([1])), scores)
print("the loss cut off:     ", [f"{x + 0:.2f}" for x in scores.grad[0].tolist()])
print("the loss as it is:    ", [f"{x:.2f}" for x in whole[0].tolist()])
short = whole[0].clamp(-0.5, 0.5)
print("the gradient cut off: ", [f"{x:.2f}" for x in short.tolist()])

# %% [markdown] tags=["why"]
# **Why.** Above $2$ the loss that we wrote is flat, and a flat function has slope zero.
# The example on which the model is most wrong teaches it nothing, and nobody complains.
# What was meant is the last line: the loss whole, the gradient cut off.

# %% [markdown]
# The dead units of lesson 4 are of the same kind, and its gradients that fade or
# explode. Karpathy calls backpropagation a
# [leaky abstraction](https://karpathy.medium.com/yes-you-should-understand-backprop-e2f06eab496b):
# who does not know what it does will not see what it did. So we do it ourselves once,
# as everybody had to before there were libraries for it.

# %% [markdown]
# ## A network in small steps
#
# **Question.** The gradient of a whole network is too much for one thought. How small
# must its steps be, for each to be one line of school calculus?
#
# So small that each step does one thing: multiply, add, sum, raise to a power. First
# the parameters, for 64 neurons. `bngain` and `bnbias` are what lesson 4 called `gamma`
# and `beta`; from here on each name is the video's.
#
# *In the video: the starter code, and the forward pass in small pieces.*

# %% tags=["nbval-check-output"] key="parameters"
g = torch.Generator().manual_seed(2147483647)


def draw(*shape, scale=1.0):
    return scale * torch.randn(shape, generator=g, dtype=torch.float64)


C = draw(27, 10)
W1, b1 = draw(30, 64, scale=(5 / 3) / 30**0.5), draw(64, scale=0.1)
bngain, bnbias = 1 + draw(64, scale=0.1), draw(64, scale=0.1)
W2, b2 = draw(64, 27, scale=0.1), draw(27, scale=0.1)

parameters = {"C": C, "W1": W1, "b1": b1, "bngain": bngain, "bnbias": bnbias}
parameters |= {"W2": W2, "b2": b2}
for p in parameters.values():
    p.requires_grad = True
print(f"{sum(p.nelement() for p in parameters.values()):,} parameters")

# %% [markdown]
# Two choices serve the checking. No bias is zero and no gain is one: a factor of zero
# or one would hide a mistake in what stands beside it. And the numbers are 64-bit
# floats, with some sixteen digits, so that rounding stays far below any mistake.
#
# `b1` is superfluous before BatchNorm, as lesson 4 found. We keep it, to see how that
# looks from behind.

# %%
n = 32  # examples in the batch
ix = torch.randint(0, len(Xtr), (n,), generator=g)
Xb, Yb = Xtr[ix], Ytr[ix]

emb = C[Xb]  # (n, 3, 10)
embcat = emb.view(n, 30)
hprebn = embcat @ W1 + b1  # (n, 64), before BatchNorm

bnmean = hprebn.mean(0, keepdim=True)  # (1, 64)
bndiff = hprebn - bnmean  # (n, 64)
bndiff2 = bndiff**2
bnvar = bndiff2.sum(0, keepdim=True) / n  # (1, 64)
bnvar_inv = (bnvar + 1e-5) ** -0.5  # one over the standard deviation
bnraw = bndiff * bnvar_inv  # (n, 64)
hpreact = bngain * bnraw + bnbias
h = torch.tanh(hpreact)  # (n, 64)

# %% [markdown]
# The variance divides by $n$, the number of examples (lesson 4 wrote $N$), as
# `torch.nn.BatchNorm1d` and lesson 4 do it in training. The video divides by $n - 1$;
# we shall see what that changes, and by how much.
#
# The loss, too, in its smallest pieces: the softmax with the largest score taken away,
# and the logarithm of what it gives to the letter that came. Then autograd runs once,
# as our witness. It shall keep the gradient of every step.

# %% tags=["nbval-check-output"] key="the-loss"
logits = h @ W2 + b2  # (n, 27)
logit_maxes = logits.max(1, keepdim=True).values  # (n, 1)
norm_logits = logits - logit_maxes
counts = norm_logits.exp()
counts_sum = counts.sum(1, keepdim=True)  # (n, 1)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv  # (n, 27), rows sum to 1
logprobs = probs.log()
loss = -logprobs[range(n), Yb].mean()
print(f"loss {loss:.4f}, and by the library {F.cross_entropy(logits, Yb):.4f}")

# %% tags=["nbval-check-output"] key="the-steps"
steps = parameters | {
    "emb": emb, "embcat": embcat, "hprebn": hprebn, "bnmean": bnmean,
    "bndiff": bndiff, "bndiff2": bndiff2, "bnvar": bnvar, "bnvar_inv": bnvar_inv,
    "bnraw": bnraw, "hpreact": hpreact, "h": h, "logits": logits,
    "logit_maxes": logit_maxes, "norm_logits": norm_logits, "counts": counts,
    "counts_sum": counts_sum, "counts_sum_inv": counts_sum_inv, "probs": probs,
    "logprobs": logprobs,
}  # fmt: skip
for step in steps.values():
    step.retain_grad()  # also of what is no parameter
loss.backward()
same = all(step.grad.shape == step.shape for step in steps.values())
print(f"{len(steps)} gradients, each in the shape of its tensor: {same}")

# %%
explore.backprop_tape(steps, Xb, Yb)

# %% [markdown]
# Walk back with *Next*, from the loss to the letters. What one step passes back is all
# that the step before it needs. And one rule is behind it all: collect over every path.
# If $x_i$ has a hand in several numbers $y_j$, then
#
# $$dx_i = \sum_j dy_j \, \frac{\partial y_j}{\partial x_i}$$
#
# So each step asks two things. Which $y_j$ does this number touch? And how fast does
# each of them move with it? We answer index by index, then write it for whole tensors.

# %% [markdown]
# ## A strict judge
#
# **Question.** We shall write 26 gradients. When do we call one right?
#
# The video compares with `torch.allclose` and shows the largest difference. Before we
# rely on it we try to fool it. Two gradients are at hand: that of `bnbias`, and a faint
# one, some $10^{-9}$ in size, as it arrives behind many saturated layers. And four
# answers to them, all of them wrong.
#
# *In the video: the function that compares.*

# %% [markdown]
# **Predict.** 64 copies of the right row instead of one; zeros for the faint gradient;
# one number for all of it; every number off by a percent, with the permitted difference
# set to $10^{-3}$. How many of the four does `torch.allclose` accept?

# %% tags=["predict"]
guess = predict("backprop.four_answers")

# %%
true = bnbias.grad  # (64,)
faint = 1e-7 * true
rows = true.expand(64, 64)
zeros, one, slip = torch.zeros_like(faint), faint.mean(), 1.01 * true
accepted = [
    torch.allclose(rows, true),
    torch.allclose(zeros, faint),
    torch.allclose(one, faint),
    torch.allclose(slip, true, atol=1e-3),
]
guess.compare(sum(accepted))

# %% [markdown] tags=["why"]
# **Why.** It broadcasts, so that one number passes for 64, and 64 rows for one. And to
# a share of each number, `rtol`, it adds a fixed difference that it permits, `atol`, by
# default $10^{-8}$: beside a gradient of $10^{-9}$ that permits anything, beside one of
# $10^{-2}$ a larger `atol` permits a percent.

# %% [markdown]
# So our judge asks for the shape first, then for the type, then whether all numbers are
# finite. And then it measures the largest error *as a share of the largest gradient*. A
# millionth is permitted: far more than 64-bit floats round, and far less than any slip
# that we shall meet. The last figure of this page shows both.


# %%
def compare(mine, true):
    """A word or two on a gradient: its shape, its type, then every number."""
    if mine.shape != true.shape:
        return f"shape {tuple(mine.shape)}, not {tuple(true.shape)}"
    if mine.dtype != true.dtype:
        return f"{mine.dtype}, not {true.dtype}"
    if not mine.isfinite().all():
        return "not finite"
    off = ((mine - true).abs().max() / true.abs().max()).item()
    return "right" if off <= 1e-6 else f"off by {100 * off:.3g} % of the largest"


def report(name, *gradients):
    print(f"{name:16} {compare(*gradients)}")


# %% tags=["nbval-check-output"] key="strict"
report("64 rows", rows, true)
report("zeros", zeros, faint)
report("one number", one, faint)
report("a percent off", slip, true)
report("32-bit floats", true.float(), true)
report("0 / 0", true * 0 / 0, true)
report("the gradient", true.clone(), true)

# %% [markdown]
# And who judges autograd? A nudge, as in lesson 1: move one weight up and down by
# $10^{-4}$, and watch the loss. It needs two runs for each number, so we ask for three.


# %% tags=["nbval-check-output"] key="nudge"
def loss_of(C, W1, b1, bngain, bnbias, W2, b2):
    """The loss of our batch, in as few steps as the library allows."""
    z = C[Xb].view(n, 30) @ W1 + b1
    raw = F.batch_norm(z, None, None, bngain, bnbias, training=True)
    return F.cross_entropy(torch.tanh(raw) @ W2 + b2, Yb)


def nudged(name, place, by):
    moved = {name: p.detach().clone() for name, p in parameters.items()}
    moved[name][place] += by
    return loss_of(**moved).item()


for name, place in (("C", (1, 0)), ("W1", (3, 5)), ("bngain", (7,))):
    slope = (nudged(name, place, 1e-4) - nudged(name, place, -1e-4)) / 2e-4
    print(f"{name:7} nudged {slope:.6f}   autograd {parameters[name].grad[place]:.6f}")

# %% [markdown]
# Shape, type, share: a gradient that passes is right, and one that fails says how.

# %% [markdown]
# ## Copied forward, added back
#
# **Question.** `h @ W2 + b2` adds 27 numbers to 32 rows. One bias is used 32 times.
# What is *its* gradient?
#
# Broadcasting copies: each row gets `b2` once more. And a number that acts in several
# places collects what comes back from all of them.
#
# *In the video: the sums that belong to broadcasting, from the logits on.*

# %%
explore.copy_and_sum(rows=4, columns=3)

# %% [markdown]
# Choose other operations: copies and sums are mirror images of each other.
#
# Index by index: in $y_{ij} = x_{ij} + b_j$ the number $b_j$ touches the column $j$,
# all of it at the rate $1$, and no other column.
#
# $$db_j = \sum_{i,k} dy_{ik} \frac{\partial y_{ik}}{\partial b_j} = \sum_i dy_{ij}$$
#
# In $s_i = \sum_j x_{ij}$ the number $x_{ij}$ touches $s_i$ alone, at the rate $1$. So
# $dx_{ij} = ds_i$: one number, copied along the row.

# %% tags=["nbval-check-output"] key="copied-and-added"
dy = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])  # (2, 3)
print("b (3,)   copied down:  db =", dy.sum(0).tolist())
print("b (2, 1) copied right: db =", dy.sum(1, keepdim=True).tolist())

ds = torch.tensor([[5.0], [7.0]])  # of s = x.sum(1, keepdim=True), x of shape (2, 3)
print("summed along the row:  dx =", ds.expand(2, 3).tolist())

# %% [markdown]
# The shape tells which axes to sum over: a gradient must have the shape of its tensor.
# What was $(3)$ and became $(2, 3)$ is summed over the axis that was added.
#
# What forward copies, backward adds. What forward adds, backward copies.

# %% [markdown]
# ## From the loss to the logits
#
# **Question.** The loss is one number, the logits are 32 rows of 27. How does one
# become the other, backwards?
#
# First with one example, three letters, and numbers that can be done on paper. The
# scores are $\ln 2$, $\ln 3$, $\ln 5$, so that `counts` is $(2, 3, 5)$ and `probs` is
# $(0.2, 0.3, 0.5)$. The letter that came is the second.
#
# *In the video: exercise 1, from the loss to the logits.*

# %% [markdown]
# On paper each tensor has one letter: logits $z$, `norm_logits` $a$, counts $c$, their
# sum $u$, $s = 1/u$, probabilities $p$, and $\ell = \ln p$. The loss is minus the mean
# of $\ell$ at the labels $t_i$. A bracket is $1$ where it holds and $0$ elsewhere:
#
# $$d\ell_{ij} = -\tfrac1n \, [\,j = t_i\,]$$
#
# The logarithm works on each number alone, and has the slope $1/p$:
#
# $$dp_{ij} = d\ell_{ij} \, / \, p_{ij}$$

# %% [markdown]
# *The product.* $p_{ij} = c_{ij} s_i$. The slope by one factor is the other: $c_{ij}$
# gets $s_i$ times what came back, and $s_i$ gets $c_{ij}$ times it. And $s_i$ was
# copied along its row, so its parts are added up:
#
# $$ds_i = \sum_j c_{ij} \, dp_{ij} \qquad dc_{ij} = s_i \, dp_{ij} + \dots$$
#
# The dots are a debt. The counts act along a second path: they make the sum.

# %% [markdown]
# *The sum.* $s_i = 1/u_i$ with $u_i = \sum_j c_{ij}$. The slope of $1/u$ is $-1/u^2$,
# and a sum passes back copies:
#
# $$du_i = -ds_i \, / \, u_i^2 \qquad dc_{ij} = s_i \, dp_{ij} + du_i$$
#
# *The exponential* is its own slope, so its result stands there as a factor:
#
# $$da_{ij} = c_{ij} \, dc_{ij}$$

# %% tags=["nbval-check-output"] key="three-letters"
c = torch.tensor([2.0, 3.0, 5.0])
u = c.sum()
dl = torch.tensor([0.0, -1.0, 0.0])  # one example, so 1/n is 1
dp = dl / (c / u)
first = dp / u  # the path through the product
du = -(c * dp).sum() / u**2
for name, numbers in {
    "dp": dp, "dc, first path": first, "dc, both paths": first + du,
    "da": c * (first + du),
}.items():  # fmt: skip
    print(f"{name:15}", "  ".join(f"{x:7.4f}" for x in numbers.tolist()))

# %% [markdown]
# With pencil: $dp$ has $-1/0.3$ in the middle. Times $3$, that is $ds = -10$, and
# $du = 10/10^2 = 0.1$: every count, the other letters' too, pushes the loss up by it,
# since it makes the sum larger.
#
# Now the same lines on the real tensors, each followed by the judge.

# %% tags=["nbval-check-output"] key="logprobs"
with torch.no_grad():
    dlogprobs = torch.zeros_like(logprobs)  # (n, 27)
    dlogprobs[range(n), Yb] = -1 / n
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)  # (n, 1)
    dcounts_sum = -dcounts_sum_inv / counts_sum**2
    counts_one_path = counts_sum_inv * dprobs  # (n, 27)
    dcounts = counts_one_path + dcounts_sum  # both paths

report("logprobs", dlogprobs, logprobs.grad)
report("probs", dprobs, probs.grad)
report("counts_sum_inv", dcounts_sum_inv, counts_sum_inv.grad)
report("counts_sum", dcounts_sum, counts_sum.grad)
report("counts, one path", counts_one_path, counts.grad)
report("counts", dcounts, counts.grad)

# %% [markdown]
# The forgotten path is a small error here: a kinder judge might take it for rounding.
# Further back it grows: the second tape, behind the embedding table, will show it.
#
# *The largest score.* $a_{ij} = z_{ij} - m_i$, where $m_i$ is the largest logit of the
# row. The logits get what $a$ got; $m_i$ was copied, with a minus; and a maximum hands
# what it gets to the one number that *was* the largest:
#
# $$dm_i = -\sum_j da_{ij} \qquad
# dz_{ij} = da_{ij} + [\,j \text{ is largest}\,] \, dm_i$$

# %% [markdown]
# **Predict.** In lesson 3 a constant was added to all scores, and no probability
# changed. So what should $dm_i$ be, the gradient of the constant that we take away?

# %% tags=["predict"]
guess = predict("backprop.the_constant")

# %%
with torch.no_grad():
    dnorm_logits = counts * dcounts
    dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)  # (n, 1)
guess.compare(dlogit_maxes.abs().max())

# %% [markdown] tags=["why"]
# **Why.** Whatever is taken away from all scores, the loss stays. So the gradient is
# zero: not by luck, but because 27 numbers cancel. What the computer finds instead is
# rounding, some $10^{-17}$.

# %% [markdown]
# A share of noise means nothing, and zeros would be as right. What *can* be asked is
# whether the sum cancels. So the judge gets one more argument, the parts of the sum:
# their largest is the measure then, and what is nothing beside it is called *zero*.


# %% tags=["nbval-check-output"] key="cancels"
def compare(mine, true, parts=None):
    """The same; where `true` is a sum that may cancel, `parts` are its terms."""
    if mine.shape != true.shape:
        return f"shape {tuple(mine.shape)}, not {tuple(true.shape)}"
    if mine.dtype != true.dtype:
        return f"{mine.dtype}, not {true.dtype}"
    if not mine.isfinite().all():
        return "not finite"
    measure = (true if parts is None else parts).abs().max()
    off = ((mine - true).abs().max() / measure).item()
    if off > 1e-6:
        return f"off by {100 * off:.3g} % of the largest"
    return "right" if true.abs().max() > 1e-6 * measure else "zero"


with torch.no_grad():
    dlogits = dnorm_logits + F.one_hot(logits.argmax(1), 27) * dlogit_maxes
report("norm_logits", dnorm_logits, norm_logits.grad)
report("logit_maxes", dlogit_maxes, logit_maxes.grad, dnorm_logits)
report("zeros for them", 0 * dlogit_maxes, logit_maxes.grad, dnorm_logits)
report("zeros for b2", 0 * b2.grad, b2.grad, dlogits)
report("logits", dlogits, logits.grad)

# %% [markdown]
# The path through the maximum carries nothing, so whoever forgets it will never be
# told. It is there to keep the exponentials small, and not to learn from.
#
# One line for each step: its slope, times what came back, summed over every path.
#
# **Your turn.** In the exercises: `backprop.logprobs` and `backprop.softmax_chain`,
# these steps, with both paths. And `backprop.compare`, your own judge: it stands near
# the end there, and may be done first.

# %% [markdown]
# ## A pull and a push
#
# **Question.** Eight gradients, one after the other; and on paper came
# $(0.2, -0.7, 0.5)$. Those are the probabilities, with $1$ taken from the letter that
# came. Is that always so?
#
# *In the video: exercise 2, cross-entropy in one expression.*

# %% [markdown]
# Take the loss of one example as one formula. With scores $z$ and the right letter $t$,
#
# $$L = -\ln \frac{e^{z_t}}{\sum_k e^{z_k}} = \ln \sum_k e^{z_k} - z_t$$
#
# Its slope by $z_j$, the logarithm first (one over the sum), then what is inside it (of
# the sum only $e^{z_j}$ moves):
#
# $$dz_j = \frac{e^{z_j}}{\sum_k e^{z_k}} - [\,j = t\,] = p_j - [\,j = t\,]$$
#
# In a batch of $n$ each row counts for an $n$-th.


# %% tags=["nbval-check-output"] key="fused"
@torch.no_grad()
def cross_entropy_backward(logits, Y):
    """The gradient of the mean cross-entropy by the logits, (n, V)."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(Y)), Y] -= 1
    return dlogits / len(Y)


report("logits", cross_entropy_backward(logits, Yb), logits.grad)
paper = cross_entropy_backward(torch.tensor([[2.0, 3.0, 5.0]]).log(), torch.tensor([1]))
print("on paper        ", [f"{x:.1f}" for x in paper[0].tolist()])

# %%
explore.forces(logits, Yb, itos)

# %% [markdown]
# Each score is pulled, and the pulls of a row add up to zero: what lifts the letter
# that came is taken from the others, from each as much as it was believed in. Move on
# to other examples. Then take steps: the better the answer, the weaker the pull.
#
# Eight steps come to one subtraction. It is faster, and safe: nothing is divided by a
# probability that might be zero.
#
# **Your turn.** In the exercises: `backprop.cross_entropy_fused`.

# %% [markdown]
# ## Back through a linear layer
#
# **Question.** `logits = h @ W2 + b2`. We have the gradient of the result. What are
# those of `h`, of `W2` and of `b2`?
#
# With names of one letter, $y_{ij} = \sum_k x_{ik} w_{kj} + b_j$: example $i$, output
# $j$, input $k$.
#
# *In the video: exercise 1, the linear layer and its shapes.*

# %% [markdown]
# *The input.* $x_{ik}$ touches the row $i$ of $y$, all its outputs $j$, each at the
# rate $w_{kj}$:
#
# $$dx_{ik} = \sum_j dy_{ij} \, w_{kj} \quad\text{so}\quad dx = dy \, W^\top$$
#
# *The weight.* $w_{kj}$ touches the column $j$ of $y$, in all examples $i$, each at
# the rate $x_{ik}$:
#
# $$dw_{kj} = \sum_i x_{ik} \, dy_{ij} \quad\text{so}\quad dW = x^\top dy$$
#
# *The bias* was copied down the column: $db_j = \sum_i dy_{ij}$.

# %% tags=["nbval-check-output"] key="linear-on-paper"
x = torch.tensor([[1.0, 2.0]])  # one example, two inputs
W = torch.tensor([[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])  # (2, 3)
dy = torch.tensor([[1.0, 0.0, -1.0]])  # three outputs
print("dx =", (dy @ W.T).tolist())
print("dW =", (x.T @ dy).tolist())

# %% [markdown]
# By hand: $dx_1 = 1 \cdot 3 + 0 \cdot 4 - 1 \cdot 5 = -2$. And each number of $dW$ is
# one input times one pull: behind a silent input no weight learns.


# %% tags=["nbval-check-output"] key="linear"
@torch.no_grad()
def linear_backward(dy, x, W):
    """Of y = x @ W + b: the gradients of x (n, in), W (in, out) and b (out,)."""
    return dy @ W.T, x.T @ dy, dy.sum(0)


dh, dW2, db2 = linear_backward(dlogits, h, W2)
report("h", dh, h.grad)
report("W2", dW2, W2.grad)
report("b2", db2, b2.grad)
report("b2, as a mean", dlogits.mean(0), b2.grad)
report("h, W2 reshaped", dlogits @ W2.detach().view(27, 64), h.grad)

# %% [markdown]
# The shapes alone nearly give it away. `dW2` must be $(64, 27)$, made from $(32, 64)$
# and $(32, 27)$, and one product does that. But the last line has the right shape as
# well, and is wrong: `T` swaps rows and columns, while `view` reads the same numbers,
# row after row, into another shape. Shapes tell what may be right, and the judge what
# is.
#
# Backward through a matrix is the same matrix, transposed.
#
# **Your turn.** In the exercises: `backprop.linear_backward`.

# %% [markdown]
# ## Back through tanh
#
# **Question.** $\tanh$ squashes each number alone. Which slope stands between its two
# ends, and from which side do we read it off?
#
# *In the video: exercise 1, tanh.*

# %%
fig, ax = style.figure("pair")
places = torch.linspace(-4, 4, 201)
ax[0].plot(places, torch.tanh(places), color=style.FORWARD)
ax[0].set(title="tanh squashes", xlabel="x", ylabel="tanh x")
ax[1].plot(places, 1 - torch.tanh(places) ** 2, color=style.BACKWARD)
_ = ax[1].set(title="and lets little back, at its ends", xlabel="x", ylabel="slope")

# %% [markdown]
# **Look.** On the right is the share of the gradient that passes. Where the left curve
# is flat, it is near zero.
#
# $\tanh x = (e^x - e^{-x}) / (e^x + e^{-x})$, call it $a/b$. The slope of $a$ is $b$,
# that of $b$ is $a$, so the quotient rule gives
#
# $$\frac{b \cdot b - a \cdot a}{b^2} = 1 - \left(\frac ab\right)^2 = 1 - \tanh^2 x$$
#
# and, each number for itself, $dx_{ij} = dy_{ij} \, (1 - y_{ij}^2)$.


# %% tags=["nbval-check-output"] key="tanh"
@torch.no_grad()
def tanh_backward(dy, y):
    """Of y = tanh(x): the gradient of x, from the *output* y."""
    return dy * (1 - y**2)


half = torch.tensor(0.5)
print(f"at the output 0.5 the slope is {tanh_backward(torch.ones(()), half):.2f}")
dhpreact = tanh_backward(dh, h)
report("hpreact", dhpreact, hpreact.grad)
report("with the input", tanh_backward(dh, hpreact.detach()), hpreact.grad)
report("not squared", dh * (1 - h.detach()), hpreact.grad)

# %% [markdown]
# The square is that of the output. With the input in its place the slope even turns
# negative, wherever the input is beyond one.
#
# A step for each number alone: its slope times what came back.
#
# **Your turn.** In the exercises: `backprop.tanh_backward`.

# %% [markdown]
# ## Back through BatchNorm
#
# **Question.** BatchNorm ties the examples together: each is measured by the mean and
# the spread of all. How does that look from behind?
#
# Eight examples of our network's first neuron. Above stands what comes back to their
# normalised values, below what goes on to the values before.
#
# *In the video: exercise 1, from the gain to the mean, and exercise 3.*

# %%
explore.batchnorm_gradient(hprebn[:8, 0])

# %% [markdown]
# One example is pulled, and the others answer. Now move the second slider, and the
# third: below, nothing stirs. BatchNorm takes away mean and scale, so a pull that would
# only shift or only stretch the batch has nothing to pull at. Of what comes back, the
# best straight line is taken away, and the rest goes on.
#
# Now the derivation, in the order of the walk back.

# %% [markdown]
# *Gain and bias.* $y_{ij} = \gamma_j \hat x_{ij} + \beta_j$: a product and a sum, and
# both parameters were copied down the examples.
#
# $$d\gamma_j = \sum_i \hat x_{ij} \, dy_{ij} \qquad d\beta_j = \sum_i dy_{ij} \qquad
# d\hat x_{ij} = \gamma_j \, dy_{ij}$$

# %% tags=["nbval-check-output"] key="gain-and-bias"
with torch.no_grad():
    dbngain = (bnraw * dhpreact).sum(0)  # (64,)
    dbnbias = dhpreact.sum(0)
    dbnraw = bngain * dhpreact  # (n, 64)
report("bngain", dbngain, bngain.grad)
report("with the output", (hpreact * dhpreact).sum(0).detach(), bngain.grad)
report("keepdim left on", dbnbias[None], bnbias.grad)  # None adds a dimension: (1, 64)
report("bnbias", dbnbias, bnbias.grad)
report("bnraw", dbnraw, bnraw.grad)

# %% [markdown]
# *The spread.* One neuron from here on, so no $j$. $\hat x_i = d_i r$ with the
# distances $d_i$ from the mean, $r = (v + \epsilon)^{-1/2}$, and the variance
# $v = \frac1n \sum_i d_i^2$.
#
# $$dr = \sum_i d_i \, d\hat x_i \qquad dv = -\tfrac12 (v + \epsilon)^{-3/2} \, dr$$
#
# Each distance has two paths: its product, and its square $q_i = d_i^2$ in the
# variance.
#
# $$dq_i = \tfrac1n \, dv \qquad dd_i = r \, d\hat x_i + 2 \, d_i \, dq_i$$

# %% [markdown]
# *The mean.* $d_i = x_i - \mu$ with $\mu = \frac1n \sum_i x_i$. Two paths again: $x_i$
# itself, and its $n$-th part in the mean, which was copied to all with a minus:
#
# $$d\mu = -\sum_i dd_i \qquad dx_i = dd_i + \tfrac1n \, d\mu$$

# %% [markdown]
# On paper, four values $1, 1, 3, 3$: mean $2$, variance $1$, and so $\hat x = d$ is
# $-1, -1, 1, 1$. Let $1$ come back to the first and nothing to the others. Then
# $dr = -1$ and $dv = \frac12$, the distances get $\frac34, -\frac14, \frac14, \frac14$,
# the mean $-1$, and each value a fourth of it:

# %% tags=["nbval-check-output"] key="four-values"
d, back = torch.tensor([-1.0, -1.0, 1.0, 1.0]), torch.tensor([1.0, 0.0, 0.0, 0.0])
dr = (d * back).sum()
dv = -0.5 * dr  # the variance is 1
dd = back + 2 * d * dv / 4
dmean = -dd.sum()
print(f"dr {dr:.2f}   dv {dv:.2f}   dd {dd.tolist()}   dmean {dmean:.2f}")
print("dx", (dd + dmean / 4).tolist())

# %% tags=["nbval-check-output"] key="batchnorm-chain"
with torch.no_grad():
    dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)  # (1, 64)
    dbnvar = -0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv
    dbndiff2 = (dbnvar / n).expand(n, 64)  # the sum passes back copies
    bndiff_one_path = bnvar_inv * dbnraw
    dbndiff = bndiff_one_path + 2 * bndiff * dbndiff2
    dbnmean = -dbndiff.sum(0, keepdim=True)
    dhprebn = dbndiff + dbnmean / n
report("bnvar_inv", dbnvar_inv, bnvar_inv.grad)
report("bnvar", dbnvar, bnvar.grad)
report("bndiff2", dbndiff2, bndiff2.grad)
report("bndiff, one path", bndiff_one_path, bndiff.grad)
report("bndiff", dbndiff, bndiff.grad)
report("bnmean", dbnmean, bnmean.grad)
report("hprebn", dhprebn, hprebn.grad)

# %% [markdown]
# It can be shorter. Put $dr$ into $dv$, that into $dq_i$, and that into $dd_i$; the
# $2$ and the $\frac12$ cancel, and $(v + \epsilon)^{-3/2}$ is $r^3$:
#
# $$dd_i = r \, d\hat x_i - \tfrac1n \, d_i \, r^3 \sum_k d_k \, d\hat x_k$$
#
# Of the three $r$ one makes $\hat x_i$ out of $d_i$, one makes $\hat x_k$ out of $d_k$,
# and the third stands in front:
#
# $$dd_i = r \left( d\hat x_i - \hat x_i \, \tfrac1n
# \sum_k \hat x_k \, d\hat x_k \right)$$

# %% [markdown]
# Then the mean. With $d\mu = -\sum_k dd_k$ each $dx_i$ is $dd_i - \frac1n \sum_k dd_k$.
# In that mean the second part of the bracket vanishes, since the $\hat x_k$ sum to
# zero:
#
# $$dx_i = r \left( d\hat x_i - \tfrac1n \sum_k d\hat x_k
# - \hat x_i \, \tfrac1n \sum_k \hat x_k \, d\hat x_k \right)$$
#
# In words: from what comes back, take its mean, and its share that goes like the
# values: the straight line of the picture.


# %% tags=["nbval-check-output"] key="batchnorm-fused"
@torch.no_grad()
def batchnorm_backward(dy, raw, gain, var_inv):
    """Of y = gain * raw + bias, raw = x normalised: gradients of x, gain and bias."""
    g = gain * dy  # (n, H), what comes back to raw
    dx = var_inv * (g - g.mean(0) - raw * (raw * g).mean(0))
    return dx, (raw * dy).sum(0), dy.sum(0)


four, _, _ = batchnorm_backward(back[:, None], d[:, None], 1.0, 1.0)
print("on paper        ", four.flatten().tolist())
dhprebn, dbngain, dbnbias = batchnorm_backward(dhpreact, bnraw, bngain, bnvar_inv)
report("hprebn", dhprebn, hprebn.grad)

# %% [markdown]
# **Predict.** A batch of *two* examples. Something comes back to the first of them,
# nothing to the second. What leaves for the value of the first, before BatchNorm?

# %% tags=["predict"]
guess = predict("backprop.batch_of_two")

# %%
pair = torch.tensor([[-1.0], [1.0]])  # two values, normalised: always these
guess.compare(batchnorm_backward(torch.tensor([[1.0], [0.0]]), pair, 1.0, 1.0)[0][0, 0])

# %% [markdown] tags=["why"]
# **Why.** Two different values, minus their mean, over their spread, are $-1$ and $1$,
# whatever they were. The output does not depend on the input any more, so no gradient
# can pass. Or, in the picture: through two points there is always a straight line.

# %% [markdown]
# Now the video's variance, the one with Bessel's correction (lesson 4): it divides the
# squares by $n - 1$, the mean still by $n$. Of the two $\frac1n$ in the formula the
# second becomes $\frac1{n-1}$. Either variance is a fine choice; to take one forward
# and the other back is a slip.

# %% tags=["nbval-check-output"] key="biased-unbiased"
z = hprebn.detach().requires_grad_()
for over, other in ((n, n - 1), (n - 1, n)):
    diff = z - z.mean(0)
    inverse = (diff.square().sum(0) / over + 1e-5) ** -0.5
    (truth,) = torch.autograd.grad(diff * inverse, z, dbnraw, retain_graph=True)
    for m in (over, other):
        with torch.no_grad():
            hat, g = diff * inverse, dbnraw
            mixed = inverse * (g - g.mean(0) - hat * (hat * g).sum(0) / m)
        report(f"by {over}, back {m}", mixed, truth)
    print(" " * 16, "allclose, atol=1e-4:", torch.allclose(mixed, truth, atol=1e-4))

# %% [markdown]
# And the superfluous bias. BatchNorm's input was `embcat @ W1 + b1`, and whatever
# `b1` adds to a whole column the mean takes away again. So its gradient, the sum of
# `dhprebn` over the examples, should be zero, as that of the largest logit was. The
# formula agrees: the bracket sums to $\sum d\hat x - \sum d\hat x - 0$.

# %% tags=["nbval-check-output"] key="first-layer"
dembcat, dW1, db1 = linear_backward(dhprebn, embcat, W1)
report("embcat", dembcat, embcat.grad)
report("W1", dW1, W1.grad)
report("b1", db1, b1.grad, dhprebn)

# %% [markdown]
# Two gradients of this network are zero in truth and noise in the computer: that of the
# largest logit, and that of a bias before BatchNorm. For them, and for no others, zero
# is the right answer.
#
# **Your turn.** In the exercises: `backprop.bn_gain_bias`, `backprop.bn_chain`, the
# steps, and `backprop.batchnorm_fused`, the one formula.

# %% [markdown]
# ## Back into the embedding table
#
# **Question.** The first step of all was an index, `C[Xb]`. It has no slope. What comes
# back to a table?
#
# An index copies rows. With $X_{ik}$ the letter at place $k$ of example $i$, and
# $e_{ik} = C_{X_{ik}}$ its point, row $v$ of the table touches those places where its
# letter stands, and collects what comes back to them:
#
# $$dC_v = \sum_{i,k} [\,X_{ik} = v\,] \; de_{ik}$$
#
# *In the video: exercise 1, the embedding.*

# %% [markdown]
# At three places stand the letters $1, 0, 1$, and $5, 6, 7$ come back.
#
# **Predict.** In PyTorch, with a table of zeros: `dtable[letters] += pulls`. What is in
# row $1$ then?

# %% tags=["predict"]
guess = predict("backprop.row_one")

# %%
letters, pulls = torch.tensor([1, 0, 1]), torch.tensor([5.0, 6.0, 7.0])
dtable = torch.zeros(3)
dtable[letters] += pulls
guess.compare(dtable[1])

# %% [markdown] tags=["why"]
# **Why.** On paper row $1$ gets $5 + 7 = 12$. But `+=` at an index does what it did to
# the counts of lesson 2: it reads all rows, adds, and writes all rows back. So the last
# one that writes wins.

# %% [markdown]
# `index_add_` adds one row after the other. So does a product: in lesson 3 the table
# was read by one-hot rows times `C`, and backward their transpose stands in front.


# %% tags=["nbval-check-output"] key="embedding"
@torch.no_grad()
def embedding_backward(demb, X, rows):
    """Of emb = C[X]: the gradient of C (rows, E), from demb (*X.shape, E)."""
    dC = torch.zeros(rows, demb.shape[-1], dtype=demb.dtype)
    return dC.index_add_(0, X.flatten(), demb.flatten(0, -2))


small = embedding_backward(pulls[None, :, None], letters[None], rows=3)
print("on paper        ", small.flatten().tolist())
demb = dembcat.view(n, 3, 10)  # a view back: the same numbers in the shape of emb
dC = embedding_backward(demb, Xb, 27)
overwritten = torch.zeros_like(dC)
overwritten[Xb] += demb
one_hot = F.one_hot(Xb, 27).double().flatten(0, 1)  # (3n, 27)
report("emb", demb, emb.grad)
report("C", dC, C.grad)
report("C, by one-hot", one_hot.T @ demb.flatten(0, 1), C.grad)
report("C, by +=", overwritten, C.grad)

# %%
ours = {  # all 26, from the loss to the letters
    "logprobs": dlogprobs, "probs": dprobs, "counts_sum_inv": dcounts_sum_inv,
    "counts_sum": dcounts_sum, "counts": dcounts, "norm_logits": dnorm_logits,
    "logit_maxes": dlogit_maxes, "logits": dlogits, "h": dh, "W2": dW2, "b2": db2,
    "hpreact": dhpreact, "bngain": dbngain, "bnbias": dbnbias, "bnraw": dbnraw,
    "bnvar_inv": dbnvar_inv, "bnvar": dbnvar, "bndiff2": dbndiff2,
    "bndiff": dbndiff, "bnmean": dbnmean, "hprebn": dhprebn, "embcat": dembcat,
    "W1": dW1, "b1": db1, "emb": demb, "C": dC,
}  # fmt: skip
explore.backprop_tape(steps, Xb, Yb, ours)

# %% [markdown]
# All 26, and every one of them ours. The third map is the error, and it is blank. Now
# plant a slip with the buttons, and see how far it reaches: one in the chain spoils
# what lies before it, one in a parameter only that parameter. And one is never seen by
# anybody.
#
# An index hands out copies, so its gradient adds up, row by row.
#
# **Your turn.** In the exercises: `backprop.embedding_backward`, without a loop.

# %% [markdown]
# ## Trained by hand
#
# **Question.** Each gradient is right. Does the whole train a network, without a single
# `backward()`?
#
# Now with 200 neurons and 32-bit floats, like the video. The forward pass in a few
# lines, which keeps what the way back will need; then the way back, five functions in
# a row; then the judge, on the batch that we know.
#
# *In the video: exercise 4, all of it together.*


# %%
def new_parameters(hidden=200, seed=2147483647):
    """First numbers for a network, by the names of the one above."""
    g = torch.Generator().manual_seed(seed)
    C = torch.randn((27, 10), generator=g)
    W1 = torch.randn((30, hidden), generator=g) * (5 / 3) / 30**0.5
    b1 = torch.randn(hidden, generator=g) * 0.1
    bngain = 1 + torch.randn(hidden, generator=g) * 0.1
    bnbias = torch.randn(hidden, generator=g) * 0.1
    W2 = torch.randn((hidden, 27), generator=g) * 0.1
    b2 = torch.randn(27, generator=g) * 0.1
    return dict(zip(parameters, (C, W1, b1, bngain, bnbias, W2, b2), strict=True))


def forward(p, X, statistics=None):
    """Logits (n, 27), and what the way back needs."""
    x = p["C"][X].flatten(1)  # (n, 30)
    hprebn = x @ p["W1"] + p["b1"]  # (n, H)
    mean, var = statistics or (hprebn.mean(0), hprebn.var(0, correction=0))
    var_inv = (var + 1e-5) ** -0.5  # (H,)
    raw = (hprebn - mean) * var_inv
    h = torch.tanh(p["bngain"] * raw + p["bnbias"])
    return h @ p["W2"] + p["b2"], (x, raw, var_inv, h)


# %%
def backward(p, X, Y, logits, kept):
    """The gradient of every parameter, by our own functions."""
    x, raw, var_inv, h = kept
    dlogits = cross_entropy_backward(logits, Y)
    dh, dW2, db2 = linear_backward(dlogits, h, p["W2"])
    dy = tanh_backward(dh, h)
    dhprebn, dbngain, dbnbias = batchnorm_backward(dy, raw, p["bngain"], var_inv)
    dx, dW1, db1 = linear_backward(dhprebn, x, p["W1"])
    dC = embedding_backward(dx.view(*X.shape, -1), X, len(p["C"]))
    return dict(zip(p, (dC, dW1, db1, dbngain, dbnbias, dW2, db2), strict=True))


# %% tags=["nbval-check-output"] key="whole-network"
found = backward(parameters, Xb, Yb, *forward(parameters, Xb))
for name, gradient in found.items():
    parts = [dhprebn] if name == "b1" else []  # the sum that cancels
    report(name, gradient, parameters[name].grad, *parts)
big = new_parameters()
print(f"the larger network: {sum(p.nelement() for p in big.values()):,} parameters")

# %% [markdown]
# Then two networks with the same first numbers learn from the same batches, one by our
# gradients, one by autograd. They take turns, step by step, and a clock runs for each:
# processor time, which does not count what else the machine does.


# %%
@torch.no_grad()
def step_by_hand(p, X, Y, lr):
    logits, kept = forward(p, X)
    for name, gradient in backward(p, X, Y, logits, kept).items():
        p[name] -= lr * gradient
    return F.cross_entropy(logits, Y).item()


def step_by_autograd(p, X, Y, lr):
    loss = F.cross_entropy(forward(p, X)[0], Y)
    for each in p.values():
        each.grad = None
    loss.backward()
    for each in p.values():
        each.data -= lr * each.grad
    return loss.item()


# %% [markdown]
# **Predict.** Autograd writes down every step and plays it back; we know the way. How
# much of autograd's time does a step by hand take, from batch to update, in percent?

# %% tags=["predict"]
guess = predict("backprop.share_of_time", unit="%")

# %% [markdown]
# 20,000 steps take about half a minute, at the rate $0.1$ and in the last quarter at a
# tenth of it. Dark is the loss by hand, averaged over the steps before; dashed, each
# time the mean of autograd's last fiftieth. Do they part? Turn the rate while it runs,
# and both have to follow. (Then run the cell once more before you read on: it begins
# again from the first numbers.) In grey, what the video ends with on train, after ten
# times as many steps.

# %%
by_hand, by_autograd = new_parameters(), new_parameters()
learned = [p.requires_grad_() for p in by_autograd.values()]
total, dice = budget(full=20_000, check=150), torch.Generator().manual_seed(2147483647)
spent, recent = {"by hand": 0.0, "by autograd": 0.0}, []  # seconds, and losses


def decayed(step):
    return 0.1 if step < 0.75 * total else 0.01


def timed(who, step, *given):
    began = time.process_time()
    loss = step(*given)
    spent[who] += time.process_time() - began
    return loss


mark = {"the video": 2.0705}
for _ in (run := live.train(total, lr=decayed, reference=mark)):
    ix = torch.randint(0, len(Xtr), (32,), generator=dice)
    batch = Xtr[ix], Ytr[ix], run.lr
    run.log(loss=timed("by hand", step_by_hand, by_hand, *batch))
    recent.append(timed("by autograd", step_by_autograd, by_autograd, *batch))
    if len(recent) == total // 50:
        run.log(autograd=sum(recent) / len(recent))
        recent.clear()

# %%
guess.compare(round(100 * spent["by hand"] / spent["by autograd"]))

# %% [markdown] tags=["why"]
# **Why.** The products of matrices cost both the same. What the hand saves is
# bookkeeping: autograd writes down each step and looks it up again, and we know the way
# by heart. What is gained lies elsewhere: of each number in it you can say why it is
# there.

# %%
for who, seconds in spent.items():
    print(f"{who:12} {1000 * seconds / run.done:.2f} ms a step")
apart = max((by_hand[k] - by_autograd[k]).abs().max().item() for k in by_hand)
print(f"between the two, no parameter differs by more than {apart:.0e}")

# %% [markdown]
# A single batch judges nothing. To use the networks on single names, BatchNorm needs a
# mean and a variance that belong to no batch: lesson 4 kept running ones, here we
# measure them once, over all of train. Over so many examples $n$ and $n - 1$ are alike.


# %%
@torch.no_grad()
def enter(what, p):
    """Measure on all of train and dev, for the ledger."""
    hprebn = p["C"][Xtr].flatten(1) @ p["W1"] + p["b1"]
    statistics = hprebn.mean(0), hprebn.var(0)
    ledger[what] = [
        F.cross_entropy(forward(p, X, statistics)[0], Y).item()
        for X, Y in ((Xtr, Ytr), (Xdev, Ydev))
    ]


ledger = {}
enter("before training", new_parameters())
enter(f"by hand, {run.done:,} steps", by_hand)
enter(f"by autograd, {run.done:,} steps", by_autograd)

# %% [markdown]
# The video trains ten times as long, 200,000 steps, the second half at the lower rate.
# Its numbers stand in the last line. If you have three minutes, set `long_run` to
# `True` and run the cell once more, by hand alone.

# %%
long_run = False  # True: 200,000 steps by hand, two to three minutes

if long_run:
    patient = new_parameters()
    for step in (run := live.train(200_000, lr=0.1, reference=mark)):
        ix = torch.randint(0, len(Xtr), (32,), generator=dice)
        lr = run.lr if step < 100_000 else run.lr / 10
        run.log(loss=step_by_hand(patient, Xtr[ix], Ytr[ix], lr))
    enter(f"by hand, {run.done:,} steps", patient)
published = {"the video, 200,000 steps": (2.0705, 2.1099)}
print(f"{'':28} {'train':>7} {'dev':>7}")
for what, (on_train, on_dev) in (ledger | published).items():
    print(f"{what:28} {on_train:7.4f} {on_dev:7.4f}")

# %% [markdown]
# A fair reading: the two lines in the middle should be alike, but for what rounding
# adds up to over so many steps. The video's comes from a run ten times as long, and
# from the unbiased variance. It says nothing about whose gradients are better: right
# gradients are all alike.
#
# Five functions, each derived, each judged, train what autograd trains.
#
# **Your turn.** In the exercises: `backprop.train_by_hand`, the whole loop;
# `backprop.layernorm_backward`, for [LayerNorm](https://arxiv.org/abs/1607.06450), and
# `backprop.attention_backward`, a layer of lesson 7, by the same rules.

# %% [markdown]
# ## What you have now
#
# You derived the gradient of each layer index by index, and saw what shapes tell. You
# collapsed eight steps into `probs`, minus one at the letter that came, and BatchNorm's
# six into one line. And you compared so strictly that no slip passed, and trained a
# network with what did. The figure has the gradients of this page, right ones and
# slips, by their errors.


# %%
def share(mine, true):
    """The largest error as a share of the largest gradient; at least 1e-17."""
    return max(1e-17, ((mine - true).abs().max() / true.abs().max()).item())


zero = {"logit_maxes", "b1"}  # in truth: a share of them means nothing
right = [share(ours[k], steps[k].grad) for k in ours if k not in zero]
slips = [
    share(counts_one_path, counts.grad),
    share(bndiff_one_path, bndiff.grad),
    share(dlogits.mean(0), b2.grad),
    share(dlogits @ W2.detach().view(27, 64), h.grad),
    share(dh * (1 - h.detach()), hpreact.grad),
    share(overwritten, C.grad),
    share(mixed, truth),
]
print(f"{len(right)} right gradients, the worst off by {max(right):.0e}")
fused = cross_entropy_backward(logits, Yb)
print(f"cross-entropy in one line, off by {share(fused, logits.grad):.0e}")
print(f"BatchNorm in one line, off by {share(dhprebn, hprebn.grad):.0e}")
print(f"{len(slips)} slips, the smallest off by {min(slips):.0e}")
print(*(f"{what}: dev {dev:.4f}" for what, (_, dev) in ledger.items()), sep="\n")

# %%
fig, ax = style.figure("wide")
ax.set_title("Right gradients and slips: nothing lies between")
ax.set(xscale="log", xlim=(1e-18, 1e3), ylim=(-0.6, 1.6))
ax.set_xlabel("largest error, as a share of the largest gradient")
ax.set_yticks([0, 1], ["slips", "right"])
ax.plot(right, [1] * len(right), "o", color=style.FORWARD, alpha=0.5)
ax.plot(slips, [0] * len(slips), "s", color=style.BACKWARD, alpha=0.7)
ax.axvline(1e-6, color=style.REFERENCE, linestyle=style.DASHED, linewidth=1)
_ = style.label_line(ax, (1e-6, 1.45), "what the judge permits", style.REFERENCE)

# %% [markdown]
# **Look.** The dashed line has room on both sides: on its left many powers of ten, as
# far as the worst gradient that is right; on its right three, as far as the smallest
# slip.
#
# **Question** for the next lesson. By now you could write any layer's way back, and
# need not. What would you build, if gradients cost no thought, and a model could be
# assembled from parts like these?
