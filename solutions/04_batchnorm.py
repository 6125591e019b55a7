# %% [markdown]
# # 4 · Activations & gradients, BatchNorm: exercises
#
# You build the instruments that tell a healthy network from a sick one, the layers that
# keep it healthy, and a deep network out of them. Each exercise is a cell with a
# `TODO`, or several, and a check under them. A cell without a `TODO` is given: run it
# as well. `hint("…")` goes deeper each time you run it; `solution("…")` asks once, then
# shows an answer.

# %%
import math
from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from workbook import budget, check, data, hint, live, solution, style
from workbook.given.mlp import build_dataset, split_words

style.use()

words = data.names()
stoi = {s: i for i, s in enumerate([".", *sorted(set("".join(words)))])}

# %% [markdown]
# ## initial_loss
#
# A model that finds all $V$ letters equally likely has the loss $\ln V$. How far above
# is a given start? For `logits` $[[0, 3, -2, 1]]$ and target $[3]$ the excess is
# $0.7892$ nats. Then cure it, as in lesson 3, but by measure: `calm` changes an output
# layer in place, so that its bias is zero and the logits `h @ W` have the standard
# deviation `std` (as `.std()` gives it), whatever it was before, larger or smaller.

# %% exercise="batchnorm.initial_loss" minutes=10 difficulty=2
def excess_loss(logits: Tensor, Y: Tensor) -> float:
    """Nats by which the cross-entropy of logits (N, V) is above that of even odds."""
    # TODO: the loss of these logits, and the even one
    ### BEGIN SOLUTION
    return F.cross_entropy(logits, Y).item() - math.log(logits.shape[1])
    ### END SOLUTION


def calm(W: Tensor, b: Tensor, h: Tensor, std: float = 0.1) -> None:
    """Scale W (H, V) and clear b (V,) in place, so that h @ W + b has this std."""
    # TODO: measure what the weights make of h (N, H), then scale, without a gradient
    ### BEGIN SOLUTION
    with torch.no_grad():
        W *= std / (h @ W).std()
        b.zero_()
    ### END SOLUTION

# %%
check("batchnorm.initial_loss", excess_loss, calm)

# %% [markdown] tags=["hint"]
# Only logits that are nearly equal give a flat softmax. Which single number says how
# far a table of logits is from being flat?

# %% [markdown] tags=["hint"]
# If the logits spread by $s$ and should spread by `std`, each weight is too large by
# the same factor. In-place operations such as `*=` and `zero_()` keep the tensor a
# parameter; `torch.no_grad()` allows them.

# %% [markdown] tags=["hint"]
# The excess is `F.cross_entropy(logits, Y).item() - ____`; the factor on the weights is
# `std / ____`, measured without the bias.

# %% [markdown] tags=["solution"]
# **Why.** The lecture multiplies by $0.01$; measuring says which factor is needed. A
# start that is above $\ln V$ comes down fast, and that looks like learning, while it is
# only the undoing of large logits. Weights of exactly zero would give no excess either,
# but the layers below them would receive no gradient in the first step.

# %% [markdown]
# ## saturation
#
# Where $|\tanh|$ is beyond `edge`, its slope is nearly zero, and so is what passes on
# to the layers below. `saturated` marks these places, `saturation` gives their share.
# For `h` $[[0.1, -0.98], [0.99, 0.5]]$ the mask is `[[False, True], [True, False]]` and
# the share $0.5$.

# %% exercise="batchnorm.saturation" minutes=8 difficulty=1
def saturated(h: Tensor, edge: float = 0.97) -> Tensor:
    """Where outputs of tanh are beyond the edge, on either side: bool, as h."""
    # TODO: one line
    ### BEGIN SOLUTION
    return h.abs() > edge
    ### END SOLUTION


def saturation(h: Tensor, edge: float = 0.97) -> float:
    """The share of saturated outputs, from 0 to 1."""
    # TODO: count what `saturated` marks, as a share of all
    ### BEGIN SOLUTION
    return saturated(h, edge).float().mean().item()
    ### END SOLUTION

# %%
check("batchnorm.saturation", saturated, saturation)

# %% [markdown] tags=["hint"]
# `tanh` has two flat ends. Which function of `h` makes them one?

# %% [markdown] tags=["hint"]
# A comparison of tensors gives a tensor of bools. The mean of zeros and ones is a
# share; bools have no mean until they are numbers.

# %% [markdown] tags=["hint"]
# The mask is `h.____() > edge`; the share is the mask, then `.float()`, `.____()` and
# `.item()`.

# %% [markdown] tags=["solution"]
# **Why.** Without the absolute value half of the sick outputs are overlooked. The edge
# $0.97$ is a convention: there the slope $1 - 0.97^2$ is below $0.06$, so at least
# $94\,\%$ of a gradient is lost. Drawn with one pixel per output, the mask is the
# video's black and white image.

# %% [markdown]
# ## dead_units
#
# A saturated output is one bad example. A **dead** unit is saturated for *every*
# example of the batch: next to no gradient reaches its weights, from a ReLU's zeros
# none, so it stays as it is. A tanh unit is dead at either end, also at both in turn; a
# ReLU unit is dead where it gives zero for all. For `h` $[[1.0, 0.2], [-1.0, 1.0]]$
# `dead_tanh` gives `[True, False]`.

# %% exercise="batchnorm.dead_units" minutes=8 difficulty=2
def dead_tanh(h: Tensor, edge: float = 0.99) -> Tensor:
    """Which units of h (N, H) are beyond the edge in all examples: bool (H,)."""
    # TODO: a mask, then one question to each column
    ### BEGIN SOLUTION
    return (h.abs() > edge).all(0)
    ### END SOLUTION


def dead_relu(h: Tensor) -> Tensor:
    """Which units of h (N, H), outputs of ReLU, never fire: bool (H,)."""
    # TODO: the same question, another mask
    ### BEGIN SOLUTION
    return (h == 0).all(0)
    ### END SOLUTION

# %%
check("batchnorm.dead_units", dead_tanh, dead_relu)

# %% [markdown] tags=["hint"]
# Rows are examples, columns are units. A unit is one column: which dimension goes away?

# %% [markdown] tags=["hint"]
# `any` asks whether it happens once, `all` whether it happens always. A ReLU that does
# not fire gives exactly $0$, and never less.

# %% [markdown] tags=["hint"]
# Both are a mask in parentheses, followed by `.____(0)`.

# %% [markdown] tags=["solution"]
# **Why.** A unit that is saturated for some examples still learns from the others. One
# that is dead at the start was born with weights too large; one that dies later was
# knocked off the data by a step that was too long. On a small batch a unit may look
# dead by chance, so measure on a large one.

# %% [markdown]
# ## kaiming
#
# A sum of $n$ products of independent numbers spreads by $\sqrt n$. **Kaiming**
# initialisation divides the weights by it and multiplies them by a **gain** that makes
# up for what the function behind them takes away: `"linear"` $1$, `"relu"` $\sqrt 2$,
# `"tanh"` $5/3$. The weights `kaiming(100, 50, "relu")` have a shape of $(100, 50)$ and
# a standard deviation near $0.1414$.

# %% exercise="batchnorm.kaiming" minutes=12 difficulty=2
def gain(nonlinearity: str) -> float:
    """The factor for "linear", "relu" or "tanh"."""
    # TODO: three numbers by name
    ### BEGIN SOLUTION
    return {"linear": 1.0, "relu": math.sqrt(2), "tanh": 5 / 3}[nonlinearity]
    ### END SOLUTION


def kaiming(
    fan_in: int,
    fan_out: int,
    nonlinearity: str = "tanh",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Normal weights (fan_in, fan_out) of mean 0 and std gain / sqrt(fan_in)."""
    # TODO: draw with the generator, then scale
    ### BEGIN SOLUTION
    W = torch.randn(fan_in, fan_out, generator=generator)
    return W * gain(nonlinearity) / math.sqrt(fan_in)
    ### END SOLUTION

# %%
check("batchnorm.kaiming", gain, kaiming)

# %% [markdown] tags=["hint"]
# How many numbers does one output add up? That is the **fan-in**, and it is one of the
# two sizes of the matrix. The root belongs to the standard deviation, no root to the
# variance.

# %% [markdown] tags=["hint"]
# `torch.randn` has the standard deviation $1$; multiplied by $c$ it has $c$. ReLU
# throws away half of the square, hence $\sqrt 2$.

# %% [markdown] tags=["hint"]
# Draw `torch.randn(fan_in, fan_out, generator=generator)`; then the factor is
# `gain(____) / math.sqrt(____)`.

# %% [markdown] tags=["solution"]
# **Why.** Products of independent numbers of mean $0$ have variances that multiply, and
# the variances of a sum add: $n \cdot \frac1n \cdot 1 = 1$. He et al. (2015) derive
# $\sqrt 2$ for ReLU exactly (their equation 10). The $5/3$ for tanh is a rule of thumb:
# after some layers the outputs settle near $0.65$ instead of shrinking to nothing.

# %% tags=["solution"]
def kaiming_by_torch(fan_in, fan_out, nonlinearity="tanh", generator=None):
    turned = torch.empty(fan_out, fan_in)  # torch keeps (out, in)
    torch.nn.init.kaiming_normal_(
        turned, nonlinearity=nonlinearity, generator=generator
    )
    return turned.T

# %% [markdown]
# ## linear
#
# The first layer as a class, with the interface that all layers here share: a call
# gives the output and keeps it in `out`, `parameters()` lists what training changes,
# and `training` says which of its two lives a layer lives. Weights begin at the
# standard deviation $1/\sqrt{\text{fan in}}$, the bias at zero. With `weight`
# $[[1], [2]]$, `bias` $[3]$, the input $[[1, 1]]$ gives $[[6]]$.

# %% exercise="batchnorm.linear" minutes=15 difficulty=2
class Linear:
    """A linear layer: x @ weight + bias, for x of shape (..., fan_in).

    Its weights start with the spread of He et al. (2015), equation 10, for gain 1:
    https://arxiv.org/abs/1502.01852
    """

    training = True

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        bias: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        # TODO: self.weight (fan_in, fan_out), self.bias (fan_out,) or None; both leaves
        ### BEGIN SOLUTION
        weight = torch.randn(fan_in, fan_out, generator=generator) / fan_in**0.5
        self.weight = weight.requires_grad_()
        self.bias = torch.zeros(fan_out, requires_grad=True) if bias else None
        ### END SOLUTION

    def __call__(self, x: Tensor) -> Tensor:
        """The output (..., fan_out), kept in `out` as well."""
        # TODO: multiply, add the bias where there is one, keep, return
        ### BEGIN SOLUTION
        self.out = x @ self.weight
        if self.bias is not None:
            self.out = self.out + self.bias
        return self.out
        ### END SOLUTION

    def parameters(self) -> list[Tensor]:
        """The weight, and the bias where there is one."""
        # TODO
        ### BEGIN SOLUTION
        return [self.weight] if self.bias is None else [self.weight, self.bias]
        ### END SOLUTION

# %%
check("batchnorm.linear", Linear)

# %% [markdown] tags=["hint"]
# A parameter is a leaf: a tensor made by no operation that autograd recorded. What is
# `torch.randn(…, requires_grad=True) / 2`?

# %% [markdown] tags=["hint"]
# Scale first, then ask for the gradient with `requires_grad_()`. `@` works on any
# number of dimensions in front. What `parameters()` lists must be tensors: no `None`
# among them.

# %% [markdown] tags=["hint"]
# `torch.randn(fan_in, fan_out, generator=generator) / ____`; and
# `self.bias = torch.zeros(____, requires_grad=True) if bias else ____`.

# %% [markdown] tags=["solution"]
# **Why.** A weight that is drawn with `requires_grad=True` and divided afterwards is
# the result of a division: its `grad` stays empty, and the layer never learns. `out`
# keeps the output for the instruments, which ask it for its spread and for its
# gradient. PyTorch's own `Linear` stores `weight` the other way round,
# $(\text{out}, \text{in})$, and draws uniformly within $\pm 1/\sqrt{\text{fan in}}$.

# %% [markdown]
# ## tanh
#
# The layer without parameters, in the same interface. And `slope`: the derivative of
# tanh at a place, computed from its *output* `h` alone. For `h` $[0.0, 0.5, -1.0]$ it
# is $[1.0, 0.75, 0.0]$.

# %% exercise="batchnorm.tanh" minutes=8 difficulty=1
class Tanh:
    """The hyperbolic tangent of each number, for x of any shape."""

    training = True

    def __call__(self, x: Tensor) -> Tensor:
        """The output, of the shape of x, kept in `out` as well."""
        # TODO: squash, keep, return
        ### BEGIN SOLUTION
        self.out = torch.tanh(x)
        return self.out
        ### END SOLUTION

    def parameters(self) -> list[Tensor]:
        """Nothing here learns."""
        # TODO
        ### BEGIN SOLUTION
        return []
        ### END SOLUTION

# %% exercise="batchnorm.tanh"
def slope(h: Tensor) -> Tensor:
    """The derivative of tanh where its output is h, of the shape of h."""
    # TODO: from the output; the input is not needed
    ### BEGIN SOLUTION
    return 1 - h**2
    ### END SOLUTION

# %%
check("batchnorm.tanh", Tanh, slope)

# %% [markdown] tags=["hint"]
# Which list has nothing in it? And which torch function does not overflow at $1000$?

# %% [markdown] tags=["hint"]
# A layer leaves its input alone: the function without an underscore at its end makes a
# new tensor. The derivative was an exercise of lesson 1.

# %% [markdown] tags=["hint"]
# The output is `torch.____(x)`; the slope is $1$ minus the ____ of `h`.

# %% [markdown] tags=["solution"]
# **Why.** The slope is at most $1$, so tanh never makes a gradient larger, and at a
# saturated output it makes it vanish: at $h = 0.99$ two hundredths are left. That it
# needs the output only is why the backward pass keeps `h` and not what went in.

# %% [markdown]
# ## batchnorm
#
# **Batch Normalization** gives each unit mean $0$ and variance $1$ over the batch, then
# lets it learn a scale `gamma` and a shift `beta`. In use, `training = False`, one
# example must not depend on others: then *running* averages take over,
# $r \leftarrow (1 - m)\, r + m\, s$, begun at mean $0$ and variance $1$.

# %% [markdown]
# Our convention is PyTorch's: the batch is normalised with the variance divided by $N$;
# the running one is averaged from the variance divided by $N - 1$. The video uses
# $N - 1$ for both. A column $[1, 5]$ becomes $[-1, 1]$, up to `eps`.

# %% exercise="batchnorm.batchnorm" minutes=30 difficulty=4
class BatchNorm1d:
    """Batch Normalization of x (N, dim), unit by unit (Ioffe and Szegedy, 2015).

    Training follows their algorithm 1, with the statistics of the batch and gradients
    through them; otherwise algorithm 2, with running ones. As in torch.nn.BatchNorm1d
    the variance is divided by N to normalise, and by N - 1 for `running_var`.
    https://arxiv.org/abs/1502.03167
    """

    training = True

    def __init__(self, dim: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        # TODO: keep both numbers; gamma, beta, running_mean and running_var, all (dim,)
        ### BEGIN SOLUTION
        self.eps, self.momentum = eps, momentum
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)
        self.running_mean = torch.zeros(dim)
        self.running_var = torch.ones(dim)
        ### END SOLUTION

    def __call__(self, x: Tensor) -> Tensor:
        """The output (N, dim), kept in `out` as well."""
        # TODO: take the batch's mean and var, or the running ones; normalise; keep
        ### BEGIN SOLUTION
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0, correction=0)  # (dim,): divided by N
            self.remember(mean.detach(), x.detach().var(0))  # divided by N - 1
        xhat = (x - mean) / torch.sqrt(var + self.eps)  # (N, dim)
        self.out = self.gamma * xhat + self.beta
        return self.out
        ### END SOLUTION

    def remember(self, mean: Tensor, var: Tensor) -> None:
        """Move the running averages by `momentum` towards these of a batch."""
        # TODO: two lines
        ### BEGIN SOLUTION
        m = self.momentum
        self.running_mean = (1 - m) * self.running_mean + m * mean
        self.running_var = (1 - m) * self.running_var + m * var
        ### END SOLUTION

    def parameters(self) -> list[Tensor]:
        """What is learned by descent: gamma and beta, not the running averages."""
        # TODO
        ### BEGIN SOLUTION
        return [self.gamma, self.beta]
        ### END SOLUTION

# %%
check("batchnorm.batchnorm", BatchNorm1d)

# %% [markdown] tags=["hint"]
# Two lives: in training the statistics come from `x`, along the examples, and leave a
# trace in the running averages; in use they come from the averages and leave none.

# %% [markdown] tags=["hint"]
# `x.var(0, correction=0)` divides by $N$, `x.var(0)` by $N - 1$. `eps` is added to the
# variance, under the root. What is remembered is detached, or each step would keep the
# graphs of all steps before it.

# %% [markdown] tags=["hint"]
# `xhat = (x - ____) / torch.sqrt(____ + self.eps)`, then `self.gamma * ____ +
# self.beta`; the average keeps $1 - m$ of the old: `(1 - m) * ____ + m * ____`.

# %% [markdown] tags=["solution"]
# **Why.** The gradient must pass through mean and variance: they depend on `x` too, and
# that is what couples the examples of a batch. Over dimension $1$ it would be another
# layer, which looks at one example alone. One convention had to be fixed, and we take
# PyTorch's, so that its layer can judge ours and weights can move between them; it is
# the paper's as well. For batches of $32$ the two differ by the factor $\sqrt{31/32}$:
# small, and larger than any rounding.

# %% [markdown] tags=["solution"]
# Batches jitter, and the jitter regularises; evaluation wants none of it. A layer that
# is left in training judges each name by its neighbours, and given one example alone it
# has no variance to divide by. Whatever constant is added before it, a bias for one, is
# subtracted with the mean: leave the bias of the layer before it out.

# %% [markdown]
# ## layer_statistics
#
# The first instrument. Send `X` through the layers, take the mean cross-entropy with
# `Y`, go backward, and return for each layer the standard deviation (`.std()`) of its
# outputs and that of the loss's gradient at them. One layer of weight $[[1, -1]]$
# without a bias, `X` $[[1], [3]]$ and `Y` $[0, 1]$ give $[(2.582, 0.410)]$. Each layer
# keeps its output in `out`; autograd keeps the gradient of such a result only if it is
# asked to.

# %% exercise="batchnorm.layer_statistics" minutes=15 difficulty=3
def layer_statistics(layers: list, X: Tensor, Y: Tensor) -> list[tuple[float, float]]:
    """For each layer the std of its outputs, and of the gradient that reaches them."""
    # TODO: forward, layer by layer, asking for gradients; backward; read both
    ### BEGIN SOLUTION
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    F.cross_entropy(X, Y).backward()
    return [(x.out.std().item(), x.out.grad.std().item()) for x in layers]
    ### END SOLUTION

# %%
check("batchnorm.layer_statistics", layer_statistics)

# %% [markdown] tags=["hint"]
# The output of a layer is no leaf. After `backward()` its `grad` is empty, unless one
# line before it said otherwise.

# %% [markdown] tags=["hint"]
# `retain_grad()` is that line, once for each output. What went in last, and came out
# last, are the logits.

# %% [markdown] tags=["hint"]
# In the loop: the layer's call, and `____.retain_grad()`; at the end, for each layer,
# `out.std().item()` and `out.____.std().item()`.

# %% [markdown] tags=["solution"]
# **Why.** A healthy network shows two flat rows: signals neither fade nor grow on the
# way up, gradients neither on the way down. The gradients of the *weights* are another
# instrument: they depend on both. The spread, not the mean, is the measure: both means
# are near zero in a sick network too.

# %% tags=["solution"]
def layer_statistics_by_grad(layers, X, Y):
    for layer in layers:
        X = layer(X)
    loss = F.cross_entropy(X, Y)
    outs = [layer.out for layer in layers]
    slopes = torch.autograd.grad(loss, outs)  # leaves the parameters' grad alone
    return [(a.std().item(), b.std().item()) for a, b in zip(outs, slopes, strict=True)]

# %% [markdown]
# ## update_ratio
#
# How much does one step change a parameter, measured by its own size? `update_ratio` is
# $\log_{10}$ of the standard deviation of the step, `lr` times the gradient, over that
# of the data: near $-3$ is a good rate, as a rule of thumb. With data $[0, 2]$,
# gradient $[0, 2]$ and `lr` $0.001$ it is $-3$. `measured_ratio` says the same from the
# data before and after any step.

# %% exercise="batchnorm.update_ratio" minutes=10 difficulty=2
def update_ratio(p: Tensor, lr: float) -> float:
    """log10 of std(lr * gradient) / std(data), for a parameter with its gradient."""
    # TODO: one number, as a plain float
    ### BEGIN SOLUTION
    return (lr * p.grad.std() / p.data.std()).log10().item()
    ### END SOLUTION


def measured_ratio(before: Tensor, after: Tensor) -> float:
    """log10 of std(step) / std(data before it), whatever made the step."""
    # TODO: the step is what changed
    ### BEGIN SOLUTION
    return ((after - before).std() / before.std()).log10().item()
    ### END SOLUTION

# %%
check("batchnorm.update_ratio", update_ratio, measured_ratio)

# %% [markdown] tags=["hint"]
# A gradient says how steep it is. What moves the parameter is less than that: something
# is missing in gradient over data.

# %% [markdown] tags=["hint"]
# Means are near zero and their ratio is noise; standard deviations are sizes. The
# logarithm to base ten turns a thousandth into $-3$.

# %% [markdown] tags=["hint"]
# `(____ * p.grad.std() / ____).log10().item()`; for the measured one the upper part is
# `(after - before).std()`.

# %% [markdown] tags=["solution"]
# **Why.** Gradient over data alone is off by the rate: it says $-1$ where the step is
# at $-3$ or $-2$. Far below $-3$ the layer hardly learns, far above it is thrown
# around. A last layer that was scaled down may start above the others and be healthy:
# its data are small at first. The measured form holds for Adam too, where the step is
# not `lr` times the gradient.

# %% [markdown]
# ## train_deep
#
# Now stack the layers: `depth` times `Linear` without bias, `BatchNorm1d`, `Tanh`; on
# top one more `Linear` without bias and one `BatchNorm1d`, whose `gamma` is scaled to
# $0.1$ so that the logits start flat. `deep_step` trains it for one step on a random
# batch; `deep_loss` measures it with `training` off in every layer, and leaves each as
# it found it. The embedding table `C` learns too.

# %% exercise="batchnorm.train_deep" minutes=40 difficulty=4
def deep_network(
    fan_in: int, hidden: int = 100, classes: int = 27, depth: int = 5, generator=None
) -> list:
    """The layers from fan_in numbers to the logits of so many classes, in a list."""
    # TODO: 3 * depth layers and two more, drawn with the generator in this order
    ### BEGIN SOLUTION
    sizes = [fan_in, *[hidden] * depth, classes]
    layers: list = []
    for n, m in pairwise(sizes):
        layers += [Linear(n, m, bias=False, generator=generator), BatchNorm1d(m)]
        layers += [Tanh()]
    layers.pop()  # the logits are not squashed
    with torch.no_grad():
        layers[-1].gamma *= 0.1
    return layers
    ### END SOLUTION

# %% exercise="batchnorm.train_deep"
def deep_logits(C: Tensor, layers: list, X: Tensor) -> Tensor:
    """The logits (N, classes) for contexts X (N, block_size), C being (V, d)."""
    # TODO: embed, lay side by side, through all layers
    ### BEGIN SOLUTION
    x = C[X].view(len(X), -1)  # (N, block_size * d)
    for layer in layers:
        x = layer(x)
    return x
    ### END SOLUTION


def deep_step(
    C, layers, X, Y, lr: float, batch_size: int = 32, generator=None
) -> float:
    """One step of descent on a random batch of (X, Y); its loss before the step."""
    # TODO: draw, forward, zero, backward, update: C and all that the layers list
    ### BEGIN SOLUTION
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(deep_logits(C, layers, X[ix]), Y[ix])
    parameters = [C, *[p for layer in layers for p in layer.parameters()]]
    for p in parameters:
        p.grad = None
    loss.backward()
    for p in parameters:
        p.data -= lr * p.grad
    return loss.item()
    ### END SOLUTION

# %% exercise="batchnorm.train_deep"
def deep_loss(C: Tensor, layers: list, X: Tensor, Y: Tensor) -> float:
    """The mean cross-entropy over all pairs (X, Y), with the layers in use."""
    # TODO: training off, measure without gradients, training as it was
    ### BEGIN SOLUTION
    before = [layer.training for layer in layers]
    for layer in layers:
        layer.training = False
    with torch.no_grad():
        loss = F.cross_entropy(deep_logits(C, layers, X), Y).item()
    for layer, was in zip(layers, before, strict=True):
        layer.training = was
    return loss
    ### END SOLUTION

# %%
check("batchnorm.train_deep", deep_network, deep_logits, deep_step, deep_loss)

# %% [markdown] tags=["hint"]
# The list has $3 \cdot \text{depth} + 2$ layers. The step is the one of lesson 3, with
# its parameters gathered from the table and from each layer.

# %% [markdown] tags=["hint"]
# Every number that comes out of a layer goes into the next one, so sizes come in pairs.
# `gamma` is a leaf that wants a gradient: scale it in place under `torch.no_grad()`.
# In `deep_loss`, remember each flag before you change it.

# %% [markdown] tags=["hint"]
# `layers += [Linear(n, ____, bias=False, generator=generator), BatchNorm1d(____)]`; the
# parameters are `C` and, from each layer, what its `____()` lists.

# %% [markdown] tags=["solution"]
# **Why.** A bias before BatchNorm would be subtracted with the mean. A loss measured in
# training depends on which names share the batch, and leaves its traces in the running
# averages: dev names would leak into the model. Without BatchNorm such a stack trains
# only if every gain is right; with it the first loss is near $\ln 27$ whatever they
# are.

# %% [markdown]
# On all names the lecture's deep network, 47,024 parameters, takes about a minute of
# one core for 20,000 steps; watch its layers while it learns. Take the `#` away from
# the last line when the checks above have passed.

# %%
def on_all_names(steps: int = budget(full=20_000, check=100)) -> None:
    """Six layers, three letters of context, the rate cut for the last quarter."""
    train_set, dev_set, _ = (build_dataset(w, stoi) for w in split_words(words))
    g = torch.Generator().manual_seed(2147483647)
    C = torch.randn(27, 10, generator=g, requires_grad=True)
    layers = deep_network(30, generator=g)
    rate = lambda i: 0.1 if i < 0.75 * steps else 0.01  # noqa: E731
    for _ in (run := live.train(steps, lr=rate)):
        run.log(loss=deep_step(C, layers, *train_set, run.lr, 32, g), model=layers)
    print(f"dev {deep_loss(C, layers, *dev_set):.4f}; 2.1701 was lesson 3's")


# on_all_names()

# %% [markdown]
# ## all_zero_init
#
# Set every weight and bias of a network to zero and train it: it learns a little. Find
# out which parameter does. `learns_from_zero` zeroes the parameters in place, descends
# for some steps on `loss()`, computed anew in each, and says for each parameter whether
# it has moved. `unigram_loss` is where an ordinary network then stops: the mean loss of
# a model that knows how common each letter is, and nothing else. For `Y` $[0, 0, 0, 1]$
# it is $0.5623$ nats.

# %% exercise="batchnorm.all_zero_init" minutes=20 difficulty=3
def learns_from_zero(
    parameters: list[Tensor],
    loss: Callable[[], Tensor],
    steps: int = 10,
    lr: float = 0.5,
) -> list[bool]:
    """Whether each parameter, begun at zero, has moved after some steps of descent."""
    # TODO: zero the data in place; descend; look at each
    ### BEGIN SOLUTION
    for p in parameters:
        p.data.zero_()
    for _ in range(steps):
        grads = torch.autograd.grad(loss(), parameters)
        for p, grad in zip(parameters, grads, strict=True):
            p.data -= lr * grad
    return [bool(p.data.any()) for p in parameters]
    ### END SOLUTION


def unigram_loss(Y: Tensor, vocab_size: int) -> float:
    """The mean of -log share(y) over Y (N,), letters 0 to vocab_size - 1, in nats."""
    # TODO: how often each letter stands in Y, as a share; letters that do not cost 0
    ### BEGIN SOLUTION
    share = torch.bincount(Y, minlength=vocab_size) / len(Y)
    return -share.xlogy(share).sum().item()
    ### END SOLUTION

# %%
check("batchnorm.all_zero_init", learns_from_zero, unigram_loss)

# %% [markdown] tags=["hint"]
# Follow one gradient: that of a weight is what came in times what comes back. In a
# network of zeros, which of the two is not zero, and for which parameter does it not
# matter what came in?

# %% [markdown] tags=["hint"]
# `zero_()` changes a tensor's data in place. All gradients of a step belong to the same
# point: compute them all, then move. For the loss: count with `torch.bincount`, and
# beware of $0 \cdot \log 0$, which a computer calls `nan`.

# %% [markdown] tags=["hint"]
# In the loop `torch.autograd.grad(loss(), ____)`, and for each one the usual step; the
# shares are `torch.bincount(Y, minlength=vocab_size) / ____`.

# %% [markdown] tags=["solution"]
# **Why.** With weights of zero nothing but zeros arrives at the last layer, so its
# weights get the gradient zero; nothing passes back through them either. Only the last
# bias needs no input: it learns how common each letter is, and the loss stops at the
# entropy of the letters. Zeros alone are not the fault: two factors of a product that
# are both zero are. A single layer learns from zero, and so did $S$ in lesson 3.

# %% [markdown]
# ## fold_batchnorm
#
# In use, BatchNorm is a fixed scale and shift, and a linear layer can swallow it: one
# layer, the same outputs. `fold_batchnorm` makes a new `Linear` that gives what
# `bn(linear(x))` gives with its running statistics; `folded` does it to each such pair
# in a list of layers and keeps the others. With weight $2$, no bias, `gamma` $3$,
# `beta` $1$, mean $4$ and variance $9$: weight $2$, bias $-3$.

# %% exercise="batchnorm.fold_batchnorm" minutes=20 difficulty=3
def fold_batchnorm(linear: Linear, bn: BatchNorm1d) -> Linear:
    """One Linear with the outputs of bn(linear(x)) in use; both stay as they are."""
    # TODO: a scale for each output, then the weight and the bias of a new layer
    ### BEGIN SOLUTION
    scale = bn.gamma / torch.sqrt(bn.running_var + bn.eps)  # (fan_out,)
    bias = 0 if linear.bias is None else linear.bias
    new = Linear(*linear.weight.shape)
    new.weight.data = (linear.weight * scale).detach()
    new.bias.data = ((bias - bn.running_mean) * scale + bn.beta).detach()
    return new
    ### END SOLUTION


def folded(layers: list) -> list:
    """The layers with each Linear that stands before a BatchNorm1d folded with it."""
    # TODO: walk along the list and look back by one
    ### BEGIN SOLUTION
    made: list = []
    for layer in layers:
        if isinstance(layer, BatchNorm1d) and made and isinstance(made[-1], Linear):
            made[-1] = fold_batchnorm(made[-1], layer)
        else:
            made.append(layer)
    return made
    ### END SOLUTION

# %%
check("batchnorm.fold_batchnorm", fold_batchnorm, folded)

# %% [markdown] tags=["hint"]
# Write $\gamma \cdot (x W + b - \mu) / \sqrt{v + \epsilon} + \beta$ on paper and
# collect what stands with $x$, and what does not.

# %% [markdown] tags=["hint"]
# Each *output* has its own scale, so it multiplies a column of the weight, and the last
# dimension is where it meets them by itself. The old bias, where there is one, is
# shifted by the mean before it is scaled.

# %% [markdown] tags=["hint"]
# `scale = bn.gamma / torch.sqrt(____)`; the new bias is `(bias - ____) * scale + ____`.

# %% [markdown] tags=["solution"]
# **Why.** With $\gamma = 3$, $v = 9$ the scale is $1$, so the weight stays $2$ and the
# bias is $(0 - 4) \cdot 1 + 1 = -3$. A network is folded before it is shipped: one
# layer less to compute, and nothing left that could depend on the batch. The statistics
# must be the running ones; those of a batch are known only when it comes.

# %% [markdown]
# ## layernorm
#
# **Layer Normalization** turns the question around: each *example* gets mean $0$ and
# variance $1$ over its own units. No batch, no running averages, the same in training
# and in use. It works on any shape `(..., dim)` and agrees with `torch.nn.LayerNorm`:
# the variance is divided by `dim`. The row $[1, 5]$ becomes $[-1, 1]$, up to `eps`.

# %% exercise="batchnorm.layernorm" minutes=15 difficulty=2
class LayerNorm:
    """Layer Normalization of x (..., dim) over its last dimension (Ba et al., 2016).

    Their equation 3, with a learned gain and bias; as torch.nn.LayerNorm.
    https://arxiv.org/abs/1607.06450
    """

    training = True

    def __init__(self, dim: int, eps: float = 1e-5) -> None:
        # TODO: keep eps; gamma (dim,) and beta (dim,), which learn
        ### BEGIN SOLUTION
        self.eps = eps
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)
        ### END SOLUTION

    def __call__(self, x: Tensor) -> Tensor:
        """The output, of the shape of x, kept in `out` as well."""
        # TODO: statistics of each example, kept broadcastable; normalise; keep
        ### BEGIN SOLUTION
        mean = x.mean(-1, keepdim=True)  # (..., 1)
        var = x.var(-1, keepdim=True, correction=0)  # (..., 1)
        xhat = (x - mean) / torch.sqrt(var + self.eps)
        self.out = self.gamma * xhat + self.beta
        return self.out
        ### END SOLUTION

    def parameters(self) -> list[Tensor]:
        """What is learned: gamma and beta."""
        # TODO
        ### BEGIN SOLUTION
        return [self.gamma, self.beta]
        ### END SOLUTION

# %%
check("batchnorm.layernorm", LayerNorm)

# %% [markdown] tags=["hint"]
# It is BatchNorm with another dimension, and without its second life.

# %% [markdown] tags=["hint"]
# Count from the end: dimension $-1$ is the units, however many there are in front.
# Without `keepdim=True` the statistics meet the wrong dimension of `x`, and where the
# batch is as large as `dim`, without an error.

# %% [markdown] tags=["hint"]
# `mean = x.mean(____, keepdim=True)`, the variance alike with `correction=____`; the
# rest is as in BatchNorm.

# %% [markdown] tags=["solution"]
# **Why.** One example is enough, so the same code serves a batch of one, a sentence of
# any length, and training and use alike: no flag to forget. The video ends its part on
# BatchNorm with the advice to prefer such layers where possible; the transformers of
# lesson 7 do.
