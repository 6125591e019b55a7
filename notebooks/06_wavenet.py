# %% [markdown]
# # 6 · Building a WaveNet
#
# What changes when a network takes in its letters slowly, two at a time?
#
# You will be able to
#
# - build a hierarchical model and follow the shape of a batch through every layer;
# - write a `Module` with the habits of `torch.nn`, and move its weights to the real
#   one;
# - show that a stack of dilated convolutions computes the same tree, with less work.

# %% [markdown]
# This page goes with [Building a WaveNet](https://youtu.be/t3YJ5hKiMQ0) by Andrej
# Karpathy; each section names its part of the video. Some parts stand in another order
# here: the module comes first, since all else is made of it. From lesson 4 you bring
# layers and BatchNorm, from lesson 3 the data, its three piles, and the ledger. The
# exercises are in `exercises/06_wavenet.ipynb`.

# %%
import math
import time

import torch
import torch.nn.functional as F

from workbook import add_to, budget, data, explore, live, predict, style
from workbook.given.mlp import build_dataset, split_words  # as written in lesson 3

style.use()
torch.set_num_threads(1)  # these matrices are too small to be shared out

# %% [markdown]
# ## Eight letters of the past
#
# **Question.** The networks of lessons 3 to 5 look three letters back. How much of a
# name do they miss?
#
# We take eight. The letters of a context fill the window from the right, and dots fill
# what is left over.
#
# *In the video: the starter code.*

# %% tags=["nbval-check-output"] key="the-data"
words = data.names()
itos = dict(enumerate([".", *sorted(set("".join(words)))]))  # number -> letter
stoi = {letter: i for i, letter in itos.items()}  # letter -> number
train_names, dev_names, test_names = split_words(words)
Xtr, Ytr = build_dataset(train_names, stoi, block_size=8)  # (N, 8), (N,)
Xdev, Ydev = build_dataset(dev_names, stoi, block_size=8)
Xte, Yte = build_dataset(test_names, stoi, block_size=8)
for x, y in zip(Xtr[:5].tolist(), Ytr[:5].tolist(), strict=True):
    print("".join(itos[i] for i in x), "->", itos[y])
print(f"{len(Xtr):,} examples to train on, {len(Xdev):,} to judge by")

# %% [markdown]
# The last three letters of such a context are a context of lesson 3. If there is a
# letter before them, a window of three has cut it off.
#
# **Predict.** For what share of the examples does a window of *three* letters cut off a
# part of the name, in percent?

# %% tags=["predict"]
guess = predict("wavenet.cut_off", unit="%")

# %%
cut_off = {n: (Xtr[:, : 8 - n] > 0).any(dim=1).float().mean().item() for n in (3, 5, 7)}
guess.compare(round(100 * cut_off[3], 1))

# %% [markdown] tags=["why"]
# **Why.** The first four questions of each name, its first letter up to its fourth, fit
# into a window of three. Names are longer than that, and so what lesson 3 heard in its
# samples has a number now: this often the network did not know how the name began. And
# longer windows?

# %%
for length in (5, 7):
    print(f"a window of {length} letters cuts into {100 * cut_off[length]:.1f} %")

# %% [markdown]
# A window of seven or eight nearly always holds the name whole. Lesson 3 also found
# what a longer window costs a network: a few more weights in its first layer. Whether
# that is money well spent, the first two runs of this page will show.
#
# A longer context is there for the asking; the network must only learn to use it.

# %% [markdown]
# ## A module of our own
#
# **Question.** In lesson 4 each layer listed its own parameters, and a model put the
# lists together. What if one is forgotten?
#
# Nothing happens: no error, no warning. The layer stays as chance made it, and all that
# shows is a loss that could be lower. So the listing should not be ours to forget.
# PyTorch has a class for that, `torch.nn.Module`. We look into one of its layers.
#
# *In the video: layers, containers, and torch.nn.*

# %% tags=["nbval-check-output"] key="drawers"
theirs = torch.nn.BatchNorm1d(3)
for drawer in ("_parameters", "_buffers", "_modules"):
    held = vars(theirs)[drawer]
    print(f"{drawer:12}", {name: tuple(t.shape) for name, t in held.items()})
print("training    ", theirs.training)

# %% [markdown]
# Three drawers and a switch. **Parameters** are what gradients change. **Buffers** are
# what a layer remembers without learning it, such as the running mean of BatchNorm.
# **Modules** are the parts, with drawers of their own. And `training` says which of its
# two lives the layer lives.
#
# The trick is where the drawers are filled. Python calls `__setattr__` for each
# `self.name = value`; there we can look at the value, and sort it.


# %%
class Module:
    """Sorts what is assigned to it into three drawers, as torch.nn.Module does."""

    training = True

    def __init__(self):
        for drawer in ("_parameters", "_buffers", "_modules"):
            vars(self)[drawer] = {}

    def __setattr__(self, name, value):
        learns = isinstance(value, torch.Tensor) and value.requires_grad
        if isinstance(value, Module):
            self._modules[name] = value
        elif learns:
            self._parameters[name] = value
        elif name in self._buffers:  # registered before
            self._buffers[name] = value
        else:
            vars(self)[name] = value

    def __getattr__(self, name):  # asked only where nothing else was found
        for drawer in (self._parameters, self._buffers, self._modules):
            if name in drawer:
                return drawer[name]
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def __call__(self, x):
        return self.forward(x)  # each layer writes its own

    def eval(self):
        return self.train(False)  # written below


# %% [markdown]
# A tensor that asks for gradients is a parameter here. PyTorch marks it by a class of
# its own, `torch.nn.Parameter`; apart from that, this is how it goes about it.
#
# All else follows from the drawers: the list of parameters, one's own and then those of
# the parts, each under a name that tells where it lies; and the switch, turned in all
# parts at once: `train()` for training mode, `eval()` for **eval mode**, which lesson 4
# called *in use*.


# %%
@add_to(Module)
def register_buffer(self, name, tensor):
    """A tensor that is remembered and not learned."""
    self._buffers[name] = tensor


@add_to(Module)
def named(self, drawer, prefix=""):
    """(name, tensor) of one drawer: one's own, then those of the parts."""
    for name, tensor in vars(self)[drawer].items():
        yield prefix + name, tensor
    for name, part in self._modules.items():
        yield from part.named(drawer, f"{prefix}{name}.")


@add_to(Module)
def named_parameters(self):
    return list(self.named("_parameters"))


@add_to(Module)
def parameters(self):
    return [p for _, p in self.named_parameters()]


# %%
@add_to(Module)
def train(self, mode=True):
    """Turn the switch, here and in all parts; the module itself is returned."""
    self.training = mode
    for part in self._modules.values():
        part.train(mode)
    return self


# %% [markdown]
# With that, a layer is the few lines that are its own. `Linear` and `Tanh` are those of
# lesson 4. An **embedding** is the table of points of lesson 3, now a layer like any
# other.


# %%
class Linear(Module):
    """x (..., fan_in) -> (..., fan_out)."""

    def __init__(self, fan_in, fan_out, bias=True, generator=None):
        super().__init__()
        W = torch.randn((fan_in, fan_out), generator=generator) / fan_in**0.5
        self.weight = W.requires_grad_()
        self.bias = torch.zeros(fan_out, requires_grad=True) if bias else None

    def forward(self, x):
        x = x @ self.weight
        return x if self.bias is None else x + self.bias


class Tanh(Module):
    def forward(self, x):
        return torch.tanh(x)


class Embedding(Module):
    """Numbers of letters (...) -> their points (..., dim)."""

    def __init__(self, count, dim, generator=None):
        super().__init__()
        C = torch.randn((count, dim), generator=generator)
        self.weight = C.requires_grad_()

    def forward(self, x):
        return self.weight[x]


# %% [markdown]
# BatchNorm has both kinds of memory. Its convention is lesson 4's, which is PyTorch's:
# the batch is normalised by the variance divided by $n$; the running one is averaged
# from the variance divided by $n - 1$.


# %%
class BatchNorm1d(Module):
    def __init__(self, dim, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_var", torch.ones(dim))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0, correction=0)
            self.remember(mean.detach(), var.detach(), len(x))
        xhat = (x - mean) * (var + self.eps) ** -0.5
        return self.gamma * xhat + self.beta

    def remember(self, mean, var, n):
        """Move the running averages a little towards those of a batch of n."""
        m, unbiased = self.momentum, var * n / max(n - 1, 1)
        self.running_mean = (1 - m) * self.running_mean + m * mean
        self.running_var = (1 - m) * self.running_var + m * unbiased


# %% tags=["nbval-check-output"] key="same-batchnorm"
g = torch.Generator().manual_seed(2147483647)
mine, theirs = BatchNorm1d(3), torch.nn.BatchNorm1d(3)
for _ in range(20):
    x = 2 + 5 * torch.randn((32, 3), generator=g)
    same = torch.allclose(mine(x), theirs(x), atol=1e-5)
print("parameters", [name for name, _ in mine.named_parameters()], end=", ")
print("buffers", [name for name, _ in mine.named("_buffers")])
print("outputs the same:     ", same)
print("running mean the same:", torch.allclose(mine.running_mean, theirs.running_mean))
print("running var the same: ", torch.allclose(mine.running_var, theirs.running_var))

# %% [markdown]
# To save a model is to write down both drawers, parameters and buffers, under their
# names: the **state**. Loading copies it back into a model of the same build, and
# complains about a name that is missing.


# %%
@add_to(Module)
def state_dict(self):
    """All that the module knows: {name: tensor}, parameters and buffers."""
    both = *self.named("_parameters"), *self.named("_buffers")
    return {name: tensor.detach().clone() for name, tensor in both}


@add_to(Module)
def load_state_dict(self, state):
    """Take over a state; its names must be those of this module."""
    mine = dict((*self.named("_parameters"), *self.named("_buffers")))
    if mine.keys() != state.keys():
        raise KeyError(f"other names: {sorted(mine.keys() ^ state.keys())}")
    with torch.no_grad():
        for name, tensor in mine.items():
            tensor.copy_(state[name])


# %% [markdown]
# A module is three drawers, a switch and a call. Whatever is assigned is found again.
#
# **Your turn.** In the exercises: `wavenet.embedding`, and `wavenet.module`, the same
# habits by another way: it fills no drawers, and looks through its attributes when it
# is asked.

# %% [markdown]
# ## Layers in a row
#
# **Question.** A network is layers one after the other. Who calls them?
#
# A container that is itself a module: **Sequential**. It hands each layer the output of
# the one before. It assigns its layers one by one, under the names `0`, `1`, `2`; in a
# plain list they would lie in no drawer, here as in PyTorch, and nobody would train
# them.
#
# *In the video: layers, containers, and torch.nn.*

# %% [markdown]
# Shapes get letters from here on: $B$ examples of a batch, until now $N$; $T$ places in
# time, here the letters of a context; and $C$ numbers at each place, its **channels**.
# (The table of points, which lessons 3 to 5 called $C$, is now a layer's `weight`.)


# %%
class Sequential(Module):
    """Layers, one after the other."""

    def __init__(self, *layers):
        super().__init__()
        for i, layer in enumerate(layers):
            setattr(self, str(i), layer)

    @property
    def layers(self):
        return list(self._modules.values())

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Flatten(Module):
    """(B, T, C) -> (B, T * C): the letters of an example side by side."""

    def forward(self, x):
        return x.view(len(x), -1)


# %% [markdown]
# The network of lesson 4 in one expression, for eight letters now. The points are laid
# side by side, and one layer of 200 neurons reads all of them at once. It needs no
# bias, since BatchNorm takes the mean away. At the start its loss should be that of 27
# letters alike.


# %% tags=["nbval-check-output"] key="flat-parameters"
def flat_net(letters=8, embedding=10, hidden=200, seed=42):
    """Embedding, one hidden layer over all letters, logits."""
    g = torch.Generator().manual_seed(seed)
    points = Embedding(27, embedding, generator=g)
    joined = Linear(letters * embedding, hidden, bias=False, generator=g)
    last = Linear(hidden, 27, generator=g)
    last.weight.data *= 0.1  # calm logits, as in lesson 4
    return Sequential(points, Flatten(), joined, BatchNorm1d(hidden), Tanh(), last)


flat = flat_net()
for name, p in flat.named_parameters():
    print(f"{name:10} {tuple(p.shape)!s:11} {p.nelement():6,}")
print(f"{'':22} {sum(p.nelement() for p in flat.parameters()):6,}")
at_start = F.cross_entropy(flat(Xtr[:1000]), Ytr[:1000]).item()
print(f"loss at the start {at_start:.1f}, of 27 letters alike {math.log(27):.1f}")

# %% [markdown]
# The embedding is in the list, and nobody had to think of it.
#
# Now the switch. A batch of 32 in training is normalised by its own mean. A name is
# written letter by letter, so there the batch is a single context. Suppose that we
# forget to turn the switch, and ask one context at a time.
#
# **Predict.** We ask the network about 100 different contexts, one by one, in
# *training* mode. How many different answers does it give?

# %% tags=["predict"]
guess = predict("wavenet.hundred_contexts")

# %%
kept = flat.state_dict()
contexts = torch.unique(Xtr[:1000], dim=0)[:100]
with torch.no_grad():
    alone = torch.cat([flat(x[None]) for x in contexts])  # (100, 27)
guess.compare(len(torch.unique(alone.round(decimals=4), dim=0)))

# %% [markdown] tags=["why"]
# **Why.** It is lesson 4's batch of one: less its own mean, each number is zero, in
# every neuron, whatever the context was. The network says what it would say to
# anything. PyTorch's BatchNorm refuses such a batch with an error; the video's, which
# divides by $n - 1$, answers with `nan`.

# %% tags=["nbval-check-output"] key="poisoned"
poisoned = flat.state_dict()["3.running_var"].max().item()
flat.load_state_dict(kept)
flat.eval()
with torch.no_grad():
    alone = torch.cat([flat(x[None]) for x in contexts])
    together = flat(contexts)
print(f"largest running variance after the 100 questions: {poisoned:.5f}")
print("in eval mode, answers:", len(torch.unique(alone.round(decimals=4), dim=0)))
print("alone as in company:", torch.allclose(alone, together, atol=1e-6))
try:
    torch.nn.BatchNorm1d(200)(torch.zeros(1, 200))
except ValueError:
    print("PyTorch's, one example in training: an error")

# %% [markdown]
# There is worse. Each of the hundred questions also moved the running averages, towards
# a variance of nothing. Had we not kept the state, the network would be spoiled for its
# other life too. In eval mode it answers each context for itself.
#
# A row of layers is a layer. Turn the switch before you ask.
#
# **Your turn.** In the exercises: `wavenet.sequential`.

# %% [markdown]
# ## How the work is done
#
# **Question.** Six networks are to come, and some will differ by hundredths of a nat.
# How do we compare them so that a difference means something?
#
# By habits. The first: shapes before all else. A layer begins as a few lines on a small
# tensor, in a scratch cell, as in the next section. The second: one function trains,
# one judges, on all of dev, in eval mode. All networks see the same batches.
#
# *In the video: the loss plot, and the development process.*


# %%
@torch.no_grad()
def evaluate(model, X, Y):
    """The mean loss over all of these examples; the model then trains on."""
    model.eval()
    loss = sum(
        F.cross_entropy(model(x), y, reduction="sum").item()
        for x, y in zip(X.split(8192), Y.split(8192), strict=True)
    )
    model.train()
    return loss / len(X)


def descend(model, X, Y, lr):
    """One step of gradient descent on these examples; the loss before it."""
    loss = F.cross_entropy(model(X), Y)
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    return loss.item()


# %% [markdown]
# The third: each run is written down at the moment it ends, with what was set and what
# came out. Here is a small **harness**, a function that does all this. The rate is
# $0.1$, and a tenth of it in the last quarter.

# %%
log = []  # one dict for each run
published = {"3 letters": 2.105, "8 letters": 2.027}  # by the video, on dev


def experiment(name, model, steps, lr=0.1, told=True):
    """Train a model, judge it, and write both down; untold, out of sight."""
    dice, losses = torch.Generator().manual_seed(1), []
    shown = {"panels": ("loss",), "view": None if told else "none"}
    run = live.train(steps, lambda s: lr if s < 0.75 * steps else lr / 10, **shown)
    for step in run:
        ix = torch.randint(0, len(Xtr), (32,), generator=dice)
        losses.append(descend(model, Xtr[ix], Ytr[ix], run.lr))
        run.log(loss=losses[-1])
        if step % 1_000 == 999 or step == steps - 1:
            run.log(dev=evaluate(model, Xdev, Ydev))
    row = {"name": name, "lr": lr, "steps": len(losses)}
    row["size"] = sum(p.nelement() for p in model.parameters())
    row |= {"train": evaluate(model, Xtr, Ytr), "dev": evaluate(model, Xdev, Ydev)}
    log.append(row | {"losses": losses})
    if told:
        print("{name}: train {train:.3f}, dev {dev:.3f}".format(**row))


# %% [markdown]
# The first two runs change one thing, the length of the context. A small layer that
# drops the older letters makes the network of lesson 4 out of the same data. Each run
# takes some seconds; you can pause it, turn its rate, or stop it. The picture has the
# loss of the batches, averaged, and now and then that on dev.


# %%
class Newest(Module):
    """(B, T) -> (B, n): the last n letters alone."""

    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x):
        return x[:, -self.n :]


steps = budget(full=8_000, check=60)
three = Sequential(Newest(3), *flat_net(letters=3).layers)
experiment("3 letters", three, steps)

# %%
experiment("8 letters", flat_net(), steps)


# %%
def show_log():
    print(f"{'':16} {'numbers':>8} {'steps':>8} {'train':>6} {'dev':>6}", end="")
    print("   the video's, at 200,000")
    for row in log:
        line = "{name:16} {size:8,} {steps:8,} {train:6.3f} {dev:6.3f}"
        print(line.format(**row), f"{published.get(row['name'], ''):>8}")


def dev_of(name):
    """The loss on dev of the latest run of this name."""
    return next(row["dev"] for row in reversed(log) if row["name"] == name)


show_log()

# %% [markdown]
# Five letters more, and the loss falls on train and on dev. Ten thousand weights buy
# back a part of what the window of three had cut off.
#
# The fourth habit: look at a loss in the right light. Single batches of 32 scatter by
# more than our networks will ever differ. Lay the losses of a run into rows, and take
# the mean of each row.

# %%
losses = torch.tensor(log[-1]["losses"])
group = max(1, len(losses) // 24)
rows = losses[: len(losses) // group * group].view(-1, group)  # (points, group)
print(f"{tuple(losses.shape)} -> {tuple(rows.shape)} -> {tuple(rows.mean(1).shape)}")
print("single batches", [f"{x:.2f}" for x in losses[-4:].tolist()])
print("means of rows ", [f"{x:.3f}" for x in rows.mean(1)[-4:].tolist()])

# %%
explore.smoothing(losses)

# %% [markdown]
# With one batch a point, nobody could say whether the loss still falls. With some
# hundreds there is a trend to be seen. Even so, a mean of batches is no verdict, since
# the network changes while it is taken. The verdict is in the log.
#
# One change at a time, the same batches, one judge, and a line for each run.
#
# **Your turn.** In the exercises: `wavenet.smooth_loss`, also for a length that does
# not divide; `wavenet.experiment_log`, a harness of your own.

# %% [markdown]
# ## A tree of letters
#
# **Question.** The flat network lays eight points side by side and crushes them in a
# single layer. What would it mean to take them in slowly?
#
# To join neighbours first. Two letters make a pair, two pairs make a four, two fours
# make the eight. The idea is from [WaveNet](https://arxiv.org/abs/1609.03499), a model
# of sound by van den Oord and others (2016).
#
# *In the video: why WaveNet, and fusing the letters two by two.*

# %%
explore.receptive_tree("emma")

# %% [markdown]
# Click the nodes, from the letters up. What a node can see is its **receptive field**.
# It doubles from level to level, so eight letters take three levels, and a thousand
# would take ten. Then compare *all at once*: the flat network has a single node, G,
# which sees all of it in one step.
#
# What has to be computed in one level? Each of four pairs goes through the same small
# layer. That is less code than one would think. We try it on small tensors first.

# %% tags=["nbval-check-output"] key="leading-dimensions"
g = torch.Generator().manual_seed(2147483647)
pairs = torch.randn((3, 5, 6), generator=g)  # 3 examples, 5 pairs, 2 points of 3
weight = torch.randn((6, 7), generator=g)

at_once = pairs @ weight
one_by_one = torch.stack(
    [torch.stack([pair @ weight for pair in example]) for example in pairs]
)
print(f"{tuple(pairs.shape)} @ {tuple(weight.shape)} -> {tuple(at_once.shape)}")
print("each pair for itself:", torch.allclose(at_once, one_by_one, atol=1e-5))

# %% [markdown]
# A product of matrices works on the last dimension alone; all dimensions before it are
# batch. So `Linear` needs no change, if only the two points of a pair lie side by side
# in the last dimension.
#
# **Predict.** The batch is embedded, $(4, 8, 10)$: 4 examples, 8 letters, 10 numbers.
# We want the pairs side by side. Which shape?

# %% tags=["predict"]
guess = predict("wavenet.pairs")

# %%
emb = torch.randn((4, 8, 10), generator=g)
older, newer = emb[:, ::2], emb[:, 1::2]  # letters 0, 2, 4, 6 and 1, 3, 5, 7
explicit = torch.cat([older, newer], dim=2)
guess.compare(tuple(explicit.shape))

# %% tags=["nbval-check-output"] key="view-makes-pairs"
print("a view does the same:", torch.equal(explicit, emb.view(4, 4, 20)))

letters = torch.arange(8).view(1, 8, 1)  # each letter is its own number
print("a view:         ", letters.view(1, 4, 2).tolist()[0])
halves = torch.cat([letters[:, :4], letters[:, 4:]], dim=2)
print("the two halves: ", halves.tolist()[0])

# %% [markdown] tags=["why"]
# **Why.** In memory the letters of an example lie one after the other, so two
# neighbours *are* side by side: we only say that the rows are twice as long. The last
# line has the same shape and the wrong tree, with letter 0 beside letter 4. A shape
# that fits is no proof. Numbers that name their place, as here, are one.

# %% [markdown]
# As a layer, for any number of neighbours. At the top a single place is left,
# $(B, 1, C)$, and we drop that dimension: *that* one, by `squeeze(1)`. A plain
# `squeeze()` drops every dimension of size $1$, also that of a batch of one.


# %%
class FlattenConsecutive(Module):
    """(B, T, C) -> (B, T / n, n * C): n neighbours side by side; at the top (B, C)."""

    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x):
        B, T, C = x.shape
        x = x.view(B, T // self.n, C * self.n)
        return x.squeeze(1) if x.shape[1] == 1 else x


# %% [markdown]
# How many neurons? A comparison means something only if both networks are of a size. We
# take the number that comes closest to the parameters of the flat one.


# %% tags=["nbval-check-output"] key="equal-size"
def tree_net(embedding, hidden, norm=BatchNorm1d, seed=42):
    """Three levels, each: join two, Linear, BatchNorm, Tanh; then logits."""
    g = torch.Generator().manual_seed(seed)
    layers = [Embedding(27, embedding, generator=g)]
    for dim in (embedding, hidden, hidden):
        joined = Linear(2 * dim, hidden, bias=False, generator=g)
        layers += [FlattenConsecutive(2), joined, norm(hidden), Tanh()]
    last = Linear(hidden, 27, generator=g)
    last.weight.data *= 0.1
    return Sequential(*layers, last)


for name, model in (("flat", flat), ("tree", tree_net(10, 68))):
    print(f"{name}: {sum(p.nelement() for p in model.parameters()):,} parameters")

# %%
emmas, _ = build_dataset(["emma"] * 8, stoi, block_size=8)
explore.shape_tracer(tree_net(10, 68), emmas[4:])  # from "....emma" on

# %% [markdown]
# Follow the batch with *Next*. The places become fewer and wider, then narrow, level by
# level, until one is left. *Numbers* has the whole list.
#
# **Predict.** Equal size, equal batches, equal steps. How much lower is the tree's loss
# on dev than that of the flat network? (Below zero if it is higher. The tree is trained
# out of sight, in some ten seconds; its line is in the log.)

# %% tags=["predict"]
guess = predict("wavenet.tree_against_flat", unit="nats")

# %%
tree = tree_net(10, 68)
experiment("tree", tree, steps, told=False)
guess.compare(round(dev_of("8 letters") - dev_of("tree"), 3))

# %% [markdown] tags=["why"]
# **Why.** Next to nothing. In the video, after 200,000 steps, it is less than nothing:
# the flat network ends at $2.027$, the tree at $2.029$. What had paid is the longer
# context. At this size the tree as such is hardly better; it is a promise for larger
# models.
#
# And there is a fault in ours. Nothing has complained about it.

# %% [markdown]
# Two at a time, level by level; and a fair comparison before a claim.
#
# **Your turn.** In the exercises: `wavenet.flatten_consecutive`. The whole tree follows
# below, when its BatchNorm is in order.

# %% [markdown]
# ## Whose mean is it?
#
# **Question.** BatchNorm was written in lesson 4 for an input of two dimensions. In the
# tree it gets three. Does it do what we mean?
#
# The loss fell; that says little. The first habit says more: shapes. The first
# BatchNorm of the tree normalises 68 channels. It was made with one mean for each, of
# the shape $(68)$.
#
# *In the video: fixing the BatchNorm1d bug.*
#
# **Predict.** What is the shape of its `running_mean`, now that the tree has been
# trained?

# %% tags=["predict"]
guess = predict("wavenet.running_mean")

# %%
faulty = tree.layers[3]
guess.compare(tuple(faulty.running_mean.shape))

# %% [markdown] tags=["why"]
# **Why.** `x.mean(0)` takes the mean over the *first* dimension and leaves the others,
# $(32, 4, 68) \to (4, 68)$. That is a mean for each channel *and place*. In the running
# average broadcasting made four rows of the one that was there, and no error came of
# it, here or anywhere. The picture of the shapes had $(68)$: it goes through a network
# in eval mode, in which nothing is remembered, and ours was untrained.

# %%
explore.norm_axes((32, 4, 68))

# %% [markdown]
# Compare `0` with `0, 1`. All four places go through the same weights, so their outputs
# are numbers of one kind, and belong to one mean. It is then made of four times as many
# numbers, and less at the mercy of a single batch. The mean over all dimensions *but
# the last* is right for two dimensions as well as for three.


# %%
class MendedBatchNorm1d(BatchNorm1d):
    """One mean for each channel, over examples and places."""

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            others = tuple(range(x.dim() - 1))  # all but the last
            mean, var = x.mean(others), x.var(others, correction=0)
            self.remember(mean.detach(), var.detach(), x.numel() // x.shape[-1])
        xhat = (x - mean) * (var + self.eps) ** -0.5
        return self.gamma * xhat + self.beta


# %% [markdown]
# PyTorch's own takes three dimensions too, but its channels come *second*, $(B, C, T)$;
# its documentation says so, in passing. Hand it ours as it is, and it is lucky if the
# sizes differ: then there is an error. With as many places as channels it would
# normalise the wrong dimension. We turn the input, and turn the output back.

# %% tags=["nbval-check-output"] key="mended-as-theirs"
g = torch.Generator().manual_seed(2147483647)
x = 2 + 5 * torch.randn((32, 4, 68), generator=g)
mended, theirs = MendedBatchNorm1d(68), torch.nn.BatchNorm1d(68)
try:
    theirs(x)
except RuntimeError:
    print("as it is: an error")
turned = theirs(x.transpose(1, 2)).transpose(1, 2)  # (B, T, C) -> (B, C, T) -> back
print("turned, the outputs are ours:", torch.allclose(mended(x), turned, atol=1e-5))
print("and the running mean too:", tuple(mended.running_mean.shape), end=" ")
print(torch.allclose(mended.running_mean, theirs.running_mean, atol=1e-6))

# %% [markdown]
# What did the fault cost? The same tree, with the same weights at the start and the
# same batches, mended:

# %%
mended_tree = tree_net(10, 68, norm=MendedBatchNorm1d)
experiment("tree, mended", mended_tree, steps)
print(f"the fault, on dev: {dev_of('tree') - dev_of('tree, mended'):+.3f}")

# %% [markdown]
# A hundredth of a nat or so, in one run of each; another seed may move it. Nobody finds
# such a fault by the loss: it is found by somebody who looks at a shape. And it costs
# something else besides. A layer with a mean for each of four places can be used on
# four places and no others, and we shall want to.
#
# Broadcasting hides what a shape shows.
#
# **Your turn.** In the exercises: `wavenet.batchnorm_3d`, the search and the cure; then
# `wavenet.hierarchical_model`, and `wavenet.train`.

# %% [markdown]
# ## More room
#
# **Question.** Where is the tree's advantage, if not at this size?
#
# It may need room. Now that everything fits, two numbers change: 24 for each letter,
# and 128 neurons in each level. To be fair, a flat network gets as many parameters.
#
# *In the video: scaling up.*

# %%
experiment("8 letters, wider", flat_net(embedding=24, hidden=341), steps)

wide = tree_net(24, 128, norm=MendedBatchNorm1d)
experiment("tree, wider", wide, steps)
ahead = dev_of("8 letters, wider") - dev_of("tree, wider")
print(f"the tree against the flat network of its size, on dev: {ahead:+.3f}")

# %% [markdown]
# Compare that with what the small tree was ahead. All had the same budget; the video
# trains each of its networks for 200,000 steps. If you have some minutes, set
# `long_run` to `True` and run the next cell once more: the rate then falls after
# 150,000 steps, as in the video.

# %%
long_run = False  # True: 200,000 steps, six to ten minutes

if long_run:
    patient = tree_net(24, 128, norm=MendedBatchNorm1d)
    experiment("tree, patient", patient, 200_000)
    published["tree, patient"] = 1.993
published |= {"tree": 2.029, "tree, mended": 2.022, "tree, wider": 1.993}
show_log()

# %%
fig, ax = style.figure("wide")
ax.set(xlabel="step", ylabel="loss of the batches (nats)")
ax.set_title("Longer context lowers the line, and more room lowers it again")
colours = [style.REFERENCE] * 2 + [style.TRAIN] * 2 + [style.BACKWARD] * 2
for row, colour, dash in zip(log, colours, "-::-:-", strict=False):
    group = max(1, len(row["losses"]) // 24)
    points = torch.tensor(row["losses"])[: len(row["losses"]) // group * group]
    means = points.view(-1, group).mean(1)
    at = [group * (i + 0.5) for i in range(len(means))]
    ax.plot(at[1:], means[1:], color=colour, linestyle=dash, label=row["name"])
_ = ax.legend(loc="upper right", ncols=2)

# %% [markdown]
# **Look.** Every line takes a step down where the rate falls. The upper grey one, with
# three letters, stays above the others; the wider tree, solid orange, goes lowest.
#
# A run of some thousand steps is not one of 200,000: ours stop where the video's have
# hardly begun. The columns agree on what is large, context and room, and differ on what
# is small. And for the wider networks the gap between train and dev opens: they begin
# to know their names by heart.

# %% [markdown]
# And how does it write? Letter by letter, as in lesson 3, with the switch turned.


# %%
@torch.no_grad()
def sample(model, generator, longest=15):
    """One name, letter by letter."""
    model.eval()
    context, name = [0] * 8, ""
    while len(name) < longest:
        prob = F.softmax(model(torch.tensor([context])), dim=1)  # (1, 27)
        ix = torch.multinomial(prob, 1, generator=generator).item()
        if ix == 0:
            break
        context, name = [*context[1:], ix], name + itos[ix]
    model.train()
    return name


for what, model in (("3 letters", three), ("tree, wider", wide)):
    dice = torch.Generator().manual_seed(2147483647 + 10)
    print(f"{what:12}", ", ".join(sample(model, dice) for _ in range(8)))

# %% [markdown]
# Size is cheap to change once the shapes fit; what it buys, the log tells.
#
# **Your turn.** In the exercises: `wavenet.beat_the_lecture`, below $1.993$ on dev,
# with a log of what you tried.

# %% [markdown]
# ## The same in torch.nn
#
# **Question.** We copied the habits of PyTorch. Does it notice the difference?
#
# Build the wide tree from PyTorch's own layers, and carry the weights over. Two layers
# it does not have: one that joins neighbours, and BatchNorm with the channels last. We
# write these on its base class. The first is ours, word for word. The second lays all
# places of all examples under each other, as one long list of examples.
#
# *In the video: layers, containers, and torch.nn.*

# %%
nn = torch.nn


class TorchFlattenConsecutive(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x):
        B, T, C = x.shape
        x = x.view(B, T // self.n, C * self.n)
        return x.squeeze(1) if x.shape[1] == 1 else x


class ChannelsLast(nn.BatchNorm1d):
    def forward(self, x):
        return super().forward(x.flatten(0, -2)).view(x.shape)  # places as examples


# %% tags=["nbval-check-output"] key="torch-shapes"
layers = [nn.Embedding(27, 24)]
for dim in (24, 128, 128):
    joined = nn.Linear(2 * dim, 128, bias=False)
    layers += [TorchFlattenConsecutive(2), joined, ChannelsLast(128), nn.Tanh()]
torch_tree = nn.Sequential(*layers, nn.Linear(128, 27))

ours, theirs = wide.state_dict(), torch_tree.state_dict()
print(f"{len(ours)} tensors of ours, {len(theirs)} of theirs")
names = {"gamma": "weight", "beta": "bias"}
for name in list(ours)[:4]:
    number, kind = name.split(".")
    other = f"{number}.{names.get(kind, kind)}"
    shapes = tuple(ours[name].shape), tuple(theirs[other].shape)
    print(f"{name:9} {shapes[0]!s:10} {other:9} {shapes[1]}")

# %% [markdown]
# The same names, but for $\gamma$ and $\beta$. Theirs has three tensors more: each
# BatchNorm counts its batches. And `Linear` keeps its weight the other way round,
# $(\text{out}, \text{in})$. A shape would show it, except where both sizes are equal.

# %% tags=["nbval-check-output"] key="moved"
moved = dict(theirs)  # what is not ours stays
for name, tensor in ours.items():
    number, kind = name.split(".")
    turn = isinstance(wide.layers[int(number)], Linear) and kind == "weight"
    moved[f"{number}.{names.get(kind, kind)}"] = tensor.T if turn else tensor
torch_tree.load_state_dict(moved)

wide.eval(), torch_tree.eval()
with torch.no_grad():
    off = (wide(Xdev) - torch_tree(Xdev)).abs().max().item()
print(f"{len(Xdev):,} contexts, the outputs agree: {off < 1e-4}")

# %% [markdown]
# One thing is not carried over by any state: the switch. A model that was loaded begins
# in training mode.
#
# Names, drawers, a switch: who has written the module can read the library's.
#
# **Your turn.** In the exercises: `wavenet.to_torch_nn`.

# %% [markdown]
# ## The tree as a convolution
#
# **Question.** For `emma` the tree is asked five times, after `.`, `e`, `em`, `emm` and
# `emma`. Each time it computes seven nodes. How many of these has it computed before?
#
# Put the trees over each other. A node stands over its newest letter now, and reads the
# node below it and one further left.
#
# *In the video: convolutions, a preview.*

# %%
explore.shared_nodes("emma")

# %% [markdown]
# Slide along with *Next*; then type a longer name, and try four levels. A ring need not
# be computed again.
#
# In the first level a node reads what is 1 apart, in the second 2, in the third 4. That
# distance is the **dilation**. The same weights at each place make it a
# **convolution**; that no node reads to its right makes it **causal**.
#
# In code one layer changes: it joins *every* place with the one $d$ before it. To all
# other layers, places are batch.


# %% tags=["nbval-check-output"] key="joined"
class Join(Module):
    """(B, T, C) -> (B, T - d, 2C): each place beside the one d before it."""

    def __init__(self, dilation):
        super().__init__()
        self.dilation = dilation

    def forward(self, x):
        return torch.cat([x[:, : -self.dilation], x[:, self.dilation :]], dim=2)


places = torch.arange(1, 9).view(1, 8, 1)  # eight letters that name their places
for dilation in (1, 2, 4):
    places = Join(dilation)(places)
    print(f"{dilation} apart: {tuple(places.shape)}, last {places[0, -1].tolist()}")

# %% [markdown]
# Eight places in, one place out, with the letters in the order of the tree. A layer
# that joins two places $d$ apart makes the line shorter by $d$, and what is seen longer
# by $d$: the receptive field is $1 + 1 + 2 + 4 = 8$.
#
# With more places in, there are more out. So we put seven dots in front of a line, and
# each of its letters gets an output of its own.


# %%
class CausalDilatedWaveNet(Module):
    """A tree's own layers, slid along a line: letters (B, T) -> logits (B, T, 27)."""

    def __init__(self, tree):
        super().__init__()
        layers, dilation = [], 1
        for layer in tree.layers:
            if isinstance(layer, FlattenConsecutive):
                layer, dilation = Join(dilation), 2 * dilation
            layers.append(layer)
        self.net, self.context = Sequential(*layers), dilation

    def forward(self, x):
        return self.net(F.pad(x, (self.context - 1, 0)))  # dots on the left


# %% tags=["nbval-check-output"] key="conv-equals-tree"
sliding = CausalDilatedWaveNet(wide).eval()
emma = torch.tensor([[0, *(stoi[letter] for letter in "emma")]])  # (1, 5)
five, _ = build_dataset(["emma"], stoi, block_size=8)  # (5, 8)
with torch.no_grad():
    apart, in_line = wide(five), sliding(emma)  # (5, 27), (1, 5, 27)
    try:
        faulty_line = CausalDilatedWaveNet(tree).eval()(emma)
    except RuntimeError:
        faulty_line = "an error"
print(f"five trees {tuple(apart.shape)}, one line {tuple(in_line.shape)}")
print("the same logits:", torch.allclose(apart, in_line[0], atol=1e-4))
print("and with the faulty BatchNorm:", faulty_line)

# %% [markdown]
# Not trained anew: the same weights, in the same objects. And here the fault would have
# stopped us. With a mean for each of four places, what would be the mean of a fifth?
#
# **Predict.** A line of 30 letters gives 30 outputs. We change the tenth letter. How
# many of the outputs change?

# %% tags=["predict"]
guess = predict("wavenet.one_letter_changed")

# %%
g = torch.Generator().manual_seed(2147483647)
thirty = torch.randint(1, 27, (1, 30), generator=g)
other = thirty.clone()
other[0, 9] = thirty[0, 9] % 26 + 1  # another letter in its place
with torch.no_grad():
    moves = (sliding(thirty) - sliding(other)).abs().amax(dim=2)[0]  # (30,)
touched = (moves > 1e-6).nonzero().flatten()
guess.compare(len(touched))

# %%
fig, ax = style.figure("wide")
ax.set(xlabel="place in the line", ylabel="largest change of a logit")
ax.set_title("A letter touches its own output and those after it, and no other")
ax.axvline(10, color=style.BACKWARD, linewidth=1)
_ = style.label_line(ax, (10, 0.92 * moves.max()), "the letter", style.BACKWARD)
_ = ax.bar(range(1, 31), moves, color=style.FORWARD)

# %% [markdown]
# **Look.** There is nothing to the left of the line. To the right, the bars end where
# the letter leaves the window.

# %% [markdown] tags=["why"]
# **Why.** An output sees its own letter and those before it, as many as the receptive
# field holds. Nothing can leak from the future: when this network learns, each place of
# a line can be asked for its next letter, all at the same time. Lesson 7 stands on
# that.

# %% [markdown]
# Now the work. We take the letters of dev as one long line, and ask for an output at
# every place: as trees, each with its own copy of eight letters, and as a convolution.

# %%
long_line = torch.tensor([stoi[x] for x in ".".join(dev_names)][:20_000])
windows = F.pad(long_line, (7, 0)).unfold(0, 8, 1)  # (20000, 8)


@torch.no_grad()
def timed(model, x):
    """The answers, and the best time of some tries, in ms."""
    best = math.inf
    for _ in range(budget(full=5, check=1)):
        began = time.perf_counter()
        answers = model(x)
        best = min(best, 1000 * (time.perf_counter() - began))
    return answers, best


by_trees, slow = timed(wide, windows)
by_line, fast = timed(sliding, long_line[None])
same = torch.allclose(by_trees, by_line[0], atol=1e-4)
print(f"{len(by_trees):,} places, the same logits: {same}")
print(f"trees {slow:.0f} ms, one line {fast:.0f} ms: {slow / fast:.1f} to 1")

# %% [markdown]
# What could we expect? Count the multiplications for one output: the nodes of each
# level times the size of their matrix, and the logits.

# %% tags=["nbval-check-output"] key="work"
for levels in (3, 5, 10):
    first, later, logits = 48 * 128, 256 * 128, 128 * 27
    nodes = [2**k for k in range(levels - 1)]  # of the levels above the first
    as_tree = 2 ** (levels - 1) * first + sum(nodes) * later + logits
    as_line = first + len(nodes) * later + logits
    print(f"{2**levels:5} letters: tree {as_tree:11,}, line {as_line:8,}", end=", ")
    print(f"{as_tree / as_line:5.1f} to 1")

# %% [markdown]
# For eight letters that is modest. What we measured may be more: there are also points
# to look up, eight for each window against one, and a mean and a $\tanh$ at
# seven nodes against three. With each level the nodes of a tree double, and a line
# needs one more: the deeper, the more there is to share.
#
# PyTorch has a whole level as one layer, `Conv1d`. Its weight is ours, cut in two: the
# upper rows meet the older place, the lower rows the newer one.

# %% tags=["nbval-check-output"] key="conv1d"
linear = wide.layers[2]  # 24 rows for the older letter, 24 for the newer
conv = nn.Conv1d(24, 128, kernel_size=2, dilation=1, bias=False)
both = [half.T for half in linear.weight.detach().split(24)]  # two of (128, 24)
conv.weight.data = torch.stack(both, dim=2)  # (out, in, 2)

points = wide.layers[0](thirty).detach()  # (1, 30, 24)
by_conv = conv(points.transpose(1, 2)).transpose(1, 2)  # (1, 29, 128)
by_join = linear(Join(1)(points))
print(f"Conv1d {tuple(by_conv.shape)}, the same:", end=" ")
print(torch.allclose(by_conv, by_join, atol=1e-4))

# %% [markdown]
# A convolution is no other model: it is the same function, and the loop over places
# happens inside. What the WaveNet of the paper has besides, gates, residuals and skip
# connections, is beyond this page.
#
# Same weights, same outputs, less work.
#
# **Your turn.** In the exercises: `wavenet.receptive_field`, counted and measured;
# `wavenet.conv_equals_tree`, by way of `F.conv1d`.

# %% [markdown]
# ## What you have now
#
# You built a tree of letters and followed a batch through it, and a shape showed you a
# fault that no loss had shown. You wrote a module, and PyTorch took over its weights.
# And you slid the tree along a line. The figure is your log, the lines below it are
# what your cells measured, and the last of them looks at test, once.

# %%
fig, ax = style.figure("wide")
ax.set_title("What each change brought, on names kept aside")
ax.set_xlabel("loss on dev (nats): ours a disc, the video's a ring")
ax.margins(x=0.12)
ax.set_yticks(range(len(log)), [row["name"] for row in log])
ax.invert_yaxis()
ax.grid(axis="y")
for place, row in enumerate(log):
    ax.plot([row["dev"]], [place], color=style.VALID, marker="o")
    style.label_line(ax, (row["dev"], place), f"{row['dev']:.3f}", style.VALID)
    if row["name"] in published:
        ring = {"color": style.REFERENCE, "marker": "o", "fillstyle": "none"}
        ax.plot([published[row["name"]]], [place], **ring)

# %% [markdown]
# **Look.** Compare the rows with each other, and not the discs with the rings: those
# have had many times as many steps.

# %%
print(f"a running mean of the shape {tuple(faulty.running_mean.shape)}, not (68,)")
print(f"moved to torch.nn: {len(ours)} tensors, largest difference {off:.0e}")
print(f"one line against {len(windows):,} trees: {slow / fast:.1f} to 1")
print(f"tree, wider: test {evaluate(wide, Xte, Yte):.3f}")

# %% [markdown]
# **Question** for the next lesson. Which letters a node reads is fixed here: always the
# one next to it, then the one two further on, whatever the letters are. How could a
# letter *decide* which letters of its past to listen to?
