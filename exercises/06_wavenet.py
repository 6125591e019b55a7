# ---
# jupyter:
#   made: from solutions/06_wavenet.py by `make exercises`; edit that, not this
# ---

# %% [markdown]
# # 6 · Building a WaveNet: exercises
#
# You build modules with the habits of `torch.nn`, a network that takes in its letters
# two at a time, and the convolution that computes the same tree with less work. Each
# exercise is a cell with a `TODO` and a check under it. `hint("…")` goes deeper each
# time you run it; `solution("…")` asks once, then shows an answer.

# %%
import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from workbook import add_to, budget, check, data, hint, live, solution, style
from workbook.given.mlp import build_dataset, split_words

style.use()

words = data.names()
stoi = {s: i for i, s in enumerate([".", *sorted(set("".join(words)))])}

# %% [markdown]
# Two things are given. `Module` is what every part of a network is from now on: a call
# runs its `forward` and keeps the result in `out`. It is plainer than the lecture's: it
# has no drawers and needs no `super().__init__()`; what it is made of is found among
# its attributes, `vars(self)`. And the layers of lesson 4 that have not changed, now as
# modules. In shapes $N$ counts the examples, the lecture's $B$; $T$ are places in time,
# $C$ channels, and $H$ neurons.

# %%
class Module:
    """A part of a network, with the habits of torch.nn.Module.

    Its attributes say what it is made of: a leaf tensor that asks for a gradient is a
    parameter, a tensor that was registered is a buffer, a module is a part.
    """

    training = True
    buffer_names: tuple[str, ...] = ()

    def __call__(self, x: Tensor) -> Tensor:
        """The output of `forward`, kept in `out` as well."""
        self.out = self.forward(x)
        return self.out

    def register_buffer(self, name: str, value: Tensor) -> None:
        """Keep a tensor that no step of descent changes, and that is saved."""
        self.buffer_names = (*self.buffer_names, name)
        setattr(self, name, value)

# %%
class Linear(Module):
    """A linear layer: x @ weight + bias, for x of shape (..., fan_in).

    Its weights start with the spread of He et al. (2015), equation 10, for gain 1:
    https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        bias: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        weight = torch.randn(fan_in, fan_out, generator=generator) / fan_in**0.5
        self.weight = weight.requires_grad_()
        self.bias = torch.zeros(fan_out, requires_grad=True) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """The output (..., fan_out)."""
        x = x @ self.weight
        return x if self.bias is None else x + self.bias


class Tanh(Module):
    """The hyperbolic tangent of each number, for x of any shape."""

    def forward(self, x: Tensor) -> Tensor:
        """The output, of the shape of x."""
        return torch.tanh(x)

# %% [markdown]
# ## embedding
#
# *8 min · ●○○○○*
#
# The table of lesson 3 as a layer: `Embedding(27, 24)` holds a `weight` of shape
# $(27, 24)$, drawn from the standard normal distribution, and gives for letter numbers
# of any shape the rows that they name. With `weight` $[[1, 2], [3, 4], [5, 6]]$ the
# input $[2, 0]$ gives $[[5, 6], [1, 2]]$.

# %% exercise="wavenet.embedding"
class Embedding(Module):
    """A table of num rows of dim numbers, for letter numbers of any shape."""

    def __init__(
        self, num: int, dim: int, generator: torch.Generator | None = None
    ) -> None:
        # TODO: self.weight (num, dim), drawn with the generator; a leaf that learns
        raise NotImplementedError("TODO wavenet.embedding")

    def forward(self, x: Tensor) -> Tensor:
        """The rows that x (...) names, of shape (..., dim)."""
        # TODO
        raise NotImplementedError("TODO wavenet.embedding")

# %%
check("wavenet.embedding", Embedding)

# %% [markdown]
# ## flatten_consecutive
#
# *12 min · ●●○○○*
#
# Fuse neighbours: `FlattenConsecutive(2)` puts every two vectors that stand side by
# side into one, $(N, T, C) \to (N, T/2, 2C)$. Where one vector is left, the dimension
# of time goes: $(N, 2, C) \to (N, 2C)$. The sequence $[1], [2], [3], [4]$ becomes
# $[1, 2], [3, 4]$.

# %% exercise="wavenet.flatten_consecutive"
class FlattenConsecutive(Module):
    """Every n neighbours in time as one: (N, T, C) to (N, T / n, n * C).

    Where T = n, the result is (N, n * C).
    """

    def __init__(self, n: int) -> None:
        # TODO
        raise NotImplementedError("TODO wavenet.flatten_consecutive")

    def forward(self, x: Tensor) -> Tensor:
        """The fused vectors."""
        # TODO: a view; then the dimension of time, where it has one place left
        raise NotImplementedError("TODO wavenet.flatten_consecutive")

# %%
check("wavenet.flatten_consecutive", FlattenConsecutive)

# %% [markdown]
# ## sequential
#
# *12 min · ●●○○○*
#
# A container for layers in a row: `Sequential(a, b, c)` is itself a module, and its
# output is `c(b(a(x)))`. Each layer becomes an *attribute*, named by its place: `"0"`,
# `"1"`, `"2"`. `len(net)` counts them, `net[1]` is the second, `net[-1]` the last, and
# a `for` loop meets them in order.

# %% exercise="wavenet.sequential"
class Sequential(Module):
    """Layers in a row, as attributes "0", "1", …: each reads what came out before."""

    def __init__(self, *layers: Module) -> None:
        # TODO: an attribute for each layer, under the text of its place
        raise NotImplementedError("TODO wavenet.sequential")

    def __len__(self) -> int:
        # TODO
        raise NotImplementedError("TODO wavenet.sequential")

    def __iter__(self) -> Iterator[Module]:
        # TODO: the layers in order
        raise NotImplementedError("TODO wavenet.sequential")

    def __getitem__(self, place: int) -> Module:
        # TODO
        raise NotImplementedError("TODO wavenet.sequential")

    def forward(self, x: Tensor) -> Tensor:
        """The output of the last layer."""
        # TODO
        raise NotImplementedError("TODO wavenet.sequential")

# %%
check("wavenet.sequential", Sequential)

# %% [markdown]
# ## module
#
# *35 min · ●●●●○*
#
# Now `Module` learns its habits from its own attributes, and every layer has them at
# once. `named_modules` walks: itself under the `prefix`, then the parts of parts. For
# `Sequential(Embedding(27, 2), Sequential(Tanh()))` it gives the names `""`, `"0"`,
# `"1"`, `"1.0"`; the parameters are `"0.weight"` alone. The rest are a few lines each.

# %% exercise="wavenet.module"
@add_to(Module)
def named_modules(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
    """Itself under the name prefix, then all modules in it, by paths as "1.0"."""
    # TODO: the attributes are in vars(self); a part knows its own parts
    raise NotImplementedError("TODO wavenet.module")


@add_to(Module)
def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
    """The parameters of all modules in it, by paths as "1.0.weight"."""
    # TODO: of each module, the leaf tensors that ask for a gradient
    raise NotImplementedError("TODO wavenet.module")

# %% exercise="wavenet.module"
@add_to(Module)
def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
    """The buffers of all modules in it, as they are now, by their paths."""
    # TODO: of each module, what its buffer_names name
    raise NotImplementedError("TODO wavenet.module")


@add_to(Module)
def parameters(self) -> list[Tensor]:
    """All parameters, each once, also where two modules share it."""
    # TODO
    raise NotImplementedError("TODO wavenet.module")

# %% exercise="wavenet.module"
@add_to(Module)
def train(self, mode: bool = True) -> "Module":
    """Set `training` in all modules in it, and return itself."""
    # TODO
    raise NotImplementedError("TODO wavenet.module")


@add_to(Module)
def eval(self) -> "Module":
    """Leave training, in all modules in it, and return itself."""
    # TODO: one line
    raise NotImplementedError("TODO wavenet.module")

# %% exercise="wavenet.module"
@add_to(Module)
def state_dict(self) -> dict[str, Tensor]:
    """Parameters and buffers by their paths, detached."""
    # TODO: both kinds in one dict
    raise NotImplementedError("TODO wavenet.module")


@add_to(Module)
def load_state_dict(self, state: dict[str, Tensor]) -> None:
    """Copy the numbers of a state into its own tensors; KeyError for other names."""
    # TODO: compare the names first, then copy in place, without a gradient
    raise NotImplementedError("TODO wavenet.module")

# %%
check("wavenet.module", Module)

# %% [markdown]
# ## batchnorm_3d
#
# *30 min · ●●●○○*
#
# Below is lesson 4's layer. In a tree it is handed $(N, T, C)$, and it does not
# complain: find out what it does instead. `changed_shapes` sends `x` through a *copy*
# of a module, in training, and tells which buffers have another shape afterwards:
# `{"running_mean": ((68,), (4, 68)), …}`. Then write the layer for both: $(N, C)$ and
# $(N, T, C)$, with one mean and one variance for each channel.

# %%
class OldBatchNorm(Module):
    """The layer of lesson 4, made for x (N, dim)."""

    def __init__(self, dim: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.eps, self.momentum = eps, momentum
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_var", torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0, correction=0)
            m, unbiased = self.momentum, x.detach().var(0)
            self.running_mean = (1 - m) * self.running_mean + m * mean.detach()
            self.running_var = (1 - m) * self.running_var + m * unbiased
        return self.gamma * (x - mean) / torch.sqrt(var + self.eps) + self.beta

# %% exercise="wavenet.batchnorm_3d"
def changed_shapes(module: Module, x: Tensor) -> dict[str, tuple]:
    """Buffers of another shape after x has gone through: name -> (before, after)."""
    # TODO: copy.deepcopy; shapes before and after one pass in training; as tuples
    raise NotImplementedError("TODO wavenet.batchnorm_3d")

# %% exercise="wavenet.batchnorm_3d"
class BatchNorm1d(Module):
    """Batch Normalization of x (N, dim) or (N, T, dim), channel by channel.

    Ioffe and Szegedy (2015), algorithms 1 and 2; their section 3.2 pools over places
    as well as examples. The variance is divided by the count n to normalise and by
    n - 1 for `running_var`, as in torch.nn.BatchNorm1d, which wants (N, dim, T).
    https://arxiv.org/abs/1502.03167
    """

    def __init__(self, dim: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.eps, self.momentum = eps, momentum
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_var", torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """The output, of the shape of x."""
        # TODO: statistics over all dimensions but the last; the rest as it was
        raise NotImplementedError("TODO wavenet.batchnorm_3d")

# %%
check("wavenet.batchnorm_3d", changed_shapes, BatchNorm1d)

# %% [markdown]
# ## receptive_field
#
# *15 min · ●●●○○*
#
# How far does a model see? The weights that a convolution slides along are its
# **kernel**. A stack of convolutions whose kernels read `kernel` places sees one
# letter, and `kernel - 1` times its dilation more for each layer: `(2, [1, 2, 4])`
# gives $8$. `letters_under` says which places of the context a node of our tree has
# under it: node $1$ of level $2$ has $4, 5, 6, 7$. And `sees` *measures*: the places of
# `x` $(T, C)$ that output `at` of a model depends on.

# %% exercise="wavenet.receptive_field"
def receptive_field(kernel: int, dilations: Iterable[int]) -> int:
    """How many places the last output of a stack of dilated convolutions sees."""
    # TODO: each layer adds its own reach
    raise NotImplementedError("TODO wavenet.receptive_field")


def letters_under(level: int, node: int, n: int = 2) -> list[int]:
    """The places of the context under a node; level 0 are the letters themselves."""
    # TODO: each level fuses n neighbours
    raise NotImplementedError("TODO wavenet.receptive_field")

# %% exercise="wavenet.receptive_field"
def sees(model: Callable[[Tensor], Tensor], x: Tensor, at: int) -> list[int]:
    """The places of x (T, C) that model(x)[at] has a gradient to."""
    # TODO: a copy of x that asks for a gradient, backward, then the rows that got any
    raise NotImplementedError("TODO wavenet.receptive_field")

# %%
check("wavenet.receptive_field", receptive_field, letters_under, sees)

# %% [markdown]
# ## hierarchical_model
#
# *20 min · ●●●○○*
#
# All together: an `Embedding`; for each of `levels` levels `FlattenConsecutive(2)`,
# `Linear` *without* bias, `BatchNorm1d` and `Tanh`; and a `Linear` to the letters, its
# weight scaled by $0.1$. A context has `block_size` letters, $2^3 = 8$ for three
# levels. `WaveNet()` has 76,579 parameters. Draw with the generator in the order of the
# layers, and keep them as a `Sequential` named `net`.

# %% exercise="wavenet.hierarchical_model"
class WaveNet(Module):
    """A tree over 2**levels letters, fused two at a time, up to the next letter.

    After the lecture, and WaveNet's dilated layers (van den Oord et al., 2016, figure
    3). Contexts (N, block_size) of letter numbers give logits (N, vocab_size).
    https://arxiv.org/abs/1609.03499
    """

    def __init__(
        self,
        vocab_size: int = 27,
        embedding: int = 24,
        hidden: int = 128,
        levels: int = 3,
        generator: torch.Generator | None = None,
    ) -> None:
        # TODO: self.block_size and self.net
        raise NotImplementedError("TODO wavenet.hierarchical_model")

    def forward(self, X: Tensor) -> Tensor:
        """The logits (N, vocab_size) for contexts X (N, block_size)."""
        # TODO
        raise NotImplementedError("TODO wavenet.hierarchical_model")

# %%
check("wavenet.hierarchical_model", WaveNet)

# %% [markdown]
# ## smooth_loss
#
# *12 min · ●●○○○*
#
# The loss of a batch jumps; its mean over many batches does not. `block_means` averages
# each `width` losses in a row; what is left over at the end and fills no block is left
# out. `running_mean` keeps $m \leftarrow \beta m + (1 - \beta) x$ from $m = 0$ on, and
# divides what it shows by $1 - \beta^k$ after $k$ losses. The losses $[4, 2, 3, 1, 9]$
# in blocks of two are $[3, 2]$; the running mean with $\beta = 0.5$ begins $4, 2.667$.

# %% [markdown]
# Here $\beta$ is the share of the *old*, one minus what BatchNorm calls `momentum`.
# BatchNorm's shift, also $\beta$, has no part in it.

# %% exercise="wavenet.smooth_loss"
def block_means(losses: list[float], width: int = 1000) -> Tensor:
    """The means of each `width` losses in a row, of shape (len(losses) // width,)."""
    # TODO: whole blocks only; a view, and a mean along the right dimension
    raise NotImplementedError("TODO wavenet.smooth_loss")


def running_mean(losses: list[float], beta: float = 0.99) -> list[float]:
    """The exponential average after each loss, without the pull of its start."""
    # TODO: one pass
    raise NotImplementedError("TODO wavenet.smooth_loss")

# %%
check("wavenet.smooth_loss", block_means, running_mean)

# %% [markdown]
# ## train
#
# *20 min · ●●●○○*
#
# Two lives again. `evaluate` measures in use: `eval()`, no gradients, and every
# `training` as it was found. `train` descends in training: at step $i$, a random batch
# and the rate `lr(i)`; it returns the loss of each batch. The tree starts near
# $\ln 27 = 3.2958$.

# %% exercise="wavenet.train"
def evaluate(model: Module, X: Tensor, Y: Tensor) -> float:
    """The mean cross-entropy over all pairs (X, Y), with the model in use."""
    # TODO: note each module's flag, eval, measure, put the flags back
    raise NotImplementedError("TODO wavenet.train")


def train(
    model, X: Tensor, Y: Tensor, steps: int, lr, batch_size: int = 32, generator=None
) -> list[float]:
    """Descend for some steps at the rates lr(0), lr(1), …; the loss of each batch."""
    # TODO: in training: draw with the generator, forward, zero, backward, update
    raise NotImplementedError("TODO wavenet.train")

# %%
check("wavenet.train", evaluate, train)

# %% [markdown]
# On all names the lecture's tree, 20,000 steps, takes about 40 seconds of one core.
# Take the `#` away from the last line when the checks above have passed.

# %%
def on_all_names(steps: int = budget(full=20_000, check=60)) -> None:
    """The lecture's tree on the course's split, its rate cut for the last quarter."""
    model = WaveNet(generator=torch.Generator().manual_seed(42))
    piles = split_words(words)
    train_set, dev_set, _ = (build_dataset(w, stoi, model.block_size) for w in piles)
    rate = lambda i: 0.1 if i < 0.75 * steps else 0.01  # noqa: E731
    for _ in (run := live.train(steps, lr=rate)):
        (loss,) = train(model, *train_set, 1, lambda i: run.lr)
        run.log(loss=loss, model=list(model.net))
    print(f"dev {evaluate(model, *dev_set):.4f}; published, 200,000 steps: 1.993")


# on_all_names()

# %% [markdown]
# ## conv_equals_tree
#
# *35 min · ●●●●○*
#
# The tree predicts one letter; for the next one it starts again, though half of its
# nodes are the same. `dilated` computes one level at *all* places: node $t$ fuses $x_t$
# with $x_{t+d}$ by the weight $(2C, H)$ of a `Linear`, $(N, T, C) \to (N, T - d, H)$.
# `CausalDilatedWaveNet(tree)` puts `block_size - 1` dots in front of a text $(N, T)$
# and gives the tree's logits after *each* letter. `nodes` counts.

# %% exercise="wavenet.conv_equals_tree"
def dilated(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    """[x_t, x_{t + dilation}] @ weight at each t, by F.conv1d: (N, T - dilation, H)."""
    # TODO: a kernel (H, C, 2) from the weight (2C, H); F.conv1d wants (N, C, T)
    raise NotImplementedError("TODO wavenet.conv_equals_tree")


def nodes(T: int, levels: int = 3) -> tuple[int, int]:
    """Nodes computed for T letters: by a tree for each, and by the convolution."""
    # TODO: a tree has 2**levels - 1; each level has fewer places, the last one T
    raise NotImplementedError("TODO wavenet.conv_equals_tree")

# %% exercise="wavenet.conv_equals_tree"
class CausalDilatedWaveNet(Module):
    """A WaveNet at every place of a text, by dilated causal convolutions.

    Van den Oord et al. (2016), section 2.1. It shares the layers of `tree`, and in use
    its output at place t is the tree's for the letters up to t, dots before the first.
    https://arxiv.org/abs/1609.03499
    """

    def __init__(self, tree: WaveNet) -> None:
        # TODO: keep the tree
        raise NotImplementedError("TODO wavenet.conv_equals_tree")

    def forward(self, X: Tensor) -> Tensor:
        """The logits (N, T, vocab_size) after each letter of X (N, T)."""
        # TODO: dots in front, embed, each level with dilation 1, 2, 4, …, last layer
        raise NotImplementedError("TODO wavenet.conv_equals_tree")

# %%
check("wavenet.conv_equals_tree", dilated, nodes, CausalDilatedWaveNet)

# %% [markdown]
# How much does it save on 200 letters, counted and timed? Take the `#` away.

# %%
def measured(T: int = 200) -> list[tuple[int, float]]:
    """Nodes and milliseconds, of a tree for each letter and of the convolution."""
    tree = WaveNet(generator=torch.Generator().manual_seed(1)).eval()
    text = torch.randint(1, 27, (1, T), generator=torch.Generator().manual_seed(2))
    contexts = F.pad(text, (tree.block_size - 1, 0)).unfold(1, tree.block_size, 1)[0]
    rows = []
    for model, X in ((tree, contexts), (CausalDilatedWaveNet(tree), text)):
        start = time.perf_counter()
        with torch.no_grad():
            model(X)
        spent = 1000 * (time.perf_counter() - start)
        tanhs = [layer for layer in tree.net if isinstance(layer, Tanh)]
        rows.append((sum(t.out[..., 0].numel() for t in tanhs), round(spent, 2)))
    return rows


# measured(), nodes(200)

# %% [markdown]
# ## to_torch_nn
#
# *25 min · ●●●○○*
#
# The same model in `torch.nn`. `Fuse` and `NormLast` are given, for what PyTorch lacks.
# `fresh` makes the layer of PyTorch's that does what one of ours does; `numbers` gives
# our numbers under PyTorch's names and in its shapes; `to_torch` puts them together.
# Beware: its `Linear` keeps the weight as $(\text{out}, \text{in})$, and what BatchNorm
# learns is called `weight` and `bias` there.

# %%
class Fuse(torch.nn.Module):
    """FlattenConsecutive(n) as PyTorch's module."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(len(x), x.shape[1] // self.n, self.n * x.shape[2])
        return x.squeeze(1) if x.shape[1] == 1 else x


class NormLast(torch.nn.BatchNorm1d):
    """torch.nn.BatchNorm1d for (N, T, C): channels last, as we keep them."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, -1)).transpose(1, -1)

# %% exercise="wavenet.to_torch_nn"
def fresh(layer: Module) -> torch.nn.Module:
    """PyTorch's layer for one of ours: of the same sizes, with numbers of its own."""
    # TODO: five kinds: Embedding, FlattenConsecutive, Linear, BatchNorm1d, Tanh
    raise NotImplementedError("TODO wavenet.to_torch_nn")


def numbers(layer: Module) -> dict[str, Tensor]:
    """The state of one of our layers, as PyTorch's load_state_dict wants it."""
    # TODO: rename, and turn what lies the other way
    raise NotImplementedError("TODO wavenet.to_torch_nn")

# %% exercise="wavenet.to_torch_nn"
def to_torch(model: WaveNet) -> torch.nn.Sequential:
    """The model as a torch.nn.Sequential: the same outputs, in training and in use."""
    # TODO: layer by layer; and the flag of the whole
    raise NotImplementedError("TODO wavenet.to_torch_nn")

# %%
check("wavenet.to_torch_nn", fresh, numbers, to_torch)

# %% [markdown]
# ## experiment_log
#
# *25 min · ●●●○○*
#
# Ideas are tried faster than they are remembered. `experiment` calls `run(**options)`
# for each variant, from the same seed, and keeps one flat dict as its row: the name,
# the options, the entries of the dict that `run` returned, the seconds. A variant that
# fails leaves its error in the row, and the others go on. `ranked` puts the lowest `by`
# first, and rows without that number last; `tabulate` writes a Markdown table.

# %% exercise="wavenet.experiment_log"
def experiment(
    variants: dict[str, dict], run: Callable[..., dict], seed: int = 42
) -> list[dict]:
    """A row for each variant: {"name": …, **options, **what run returns, "seconds": …}.

    Where run raises an exception, "error" has its text in place of a result.
    """
    # TODO: seed torch before each; time it; catch what it raises
    raise NotImplementedError("TODO wavenet.experiment_log")

# %% exercise="wavenet.experiment_log"
def ranked(rows: list[dict], by: str = "dev") -> list[dict]:
    """The rows, lowest first; those that lack `by`, or have nan there, at the end."""
    # TODO: a new list
    raise NotImplementedError("TODO wavenet.experiment_log")


def tabulate(rows: list[dict], columns: list[str]) -> str:
    """Lines as `| small | 2.0300 |` under `| name | dev |` and `| --- | --- |`."""
    # TODO: floats with four decimals; nothing where a row lacks the column
    raise NotImplementedError("TODO wavenet.experiment_log")

# %%
check("wavenet.experiment_log", experiment, ranked, tabulate)

# %% [markdown]
# ## beat_the_lecture
#
# *120 min · ●●●●●*
#
# The video's tree of 76,579 parameters reaches $1.993$ on the dev names, in 200,000
# steps. Do better with as many parameters at most, any architecture, any optimiser.
# Train on the names `train` for about `steps` steps, choose by `dev` alone, and append
# one row to `log`: `{"tried": "two more levels", "dev": 1.99}`, the model's own dev
# loss in use. Return the model; it has a `block_size`, `parameters()`, `eval()`, and
# gives logits $(N, 27)$ for contexts $(N, \text{block size})$.

# %%
def windows(
    names: list[str], stoi: dict[str, int], length: int
) -> tuple[Tensor, Tensor]:
    """Contexts (N, length) of some names, and the letters (N,) that follow them."""
    rows = [torch.tensor([0] * length + [stoi[x] for x in n] + [0]) for n in names]
    X = torch.cat([row[:-1].unfold(0, length, 1) for row in rows])
    return X, torch.cat([row[length:] for row in rows])

# %% [markdown]
# Dev is measured on all of its contexts; `windows` is lesson 3's `build_dataset` in
# fewer lines. Now what a name is made into, a layer, a schedule, and the recipe itself.
# Two words come from lesson 7: GELU is a ReLU with a rounded corner, and dropout sets
# each number to zero with some probability (`drop`) while the model trains.

# %% exercise="wavenet.beat_the_lecture"
def whole_names(names: list[str], stoi: dict[str, int], size: int) -> Iterator:
    """Batches of names end to end: letters, the next ones, their places in a name."""
    # TODO: or leave this function out, and read the names as you like
    raise NotImplementedError("TODO wavenet.beat_the_lecture")


def after_each_letter(
    model: Module, x: Tensor, place: Tensor, drop: float = 0.0
) -> Tensor:
    """The tree's logits after each letter of whole names, each node computed once."""
    # TODO: or leave this out as well
    raise NotImplementedError("TODO wavenet.beat_the_lecture")

# %% exercise="wavenet.beat_the_lecture"
class Gelu(Module):
    """GELU of each number (Hendrycks and Gimpel, 2016)."""

    def forward(self, x: Tensor) -> Tensor:
        # TODO: or a layer of your own
        raise NotImplementedError("TODO wavenet.beat_the_lecture")


def one_cycle(step: int, steps: int) -> float:
    """The share of the peak rate: up in a tenth of the steps, then down to 0."""
    # TODO: or a schedule of your own
    raise NotImplementedError("TODO wavenet.beat_the_lecture")

# %% exercise="wavenet.beat_the_lecture"
def beat_the_lecture(
    train: list[str], dev: list[str], stoi: dict[str, int], steps: int, log: list[dict]
) -> Module:
    """Train on the names `train`; note what was tried, and its dev loss, in log."""
    # TODO: your model and your recipe
    raise NotImplementedError("TODO wavenet.beat_the_lecture")

# %%
check("wavenet.beat_the_lecture", beat_the_lecture)

# %% [markdown]
# The check trains on 800 names, for a moment. For the full figure, take the `#` away
# from the last line; each run adds its row to the table of what you tried.

# %%
tried: list[dict] = []


def full_run(steps: int = budget(full=8_000, check=40)) -> None:
    """Run beat_the_lecture on the course's split and print the table."""
    train_names, dev_names, _ = split_words(words)
    model = beat_the_lecture(train_names, dev_names, stoi, steps, tried)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    for row in tried:
        print(f"{row['dev']:.4f}  {row['tried']}")


# full_run()
