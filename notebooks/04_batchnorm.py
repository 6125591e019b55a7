# %% [markdown]
# # 4 · Activations & gradients, BatchNorm
#
# Why does a deep network refuse to train, and how do we see it coming?
#
# You will be able to
#
# - read from the first loss whether a network starts out confidently wrong;
# - choose the scale of the weights so that signals keep their size through the layers;
# - write Batch Normalization, for training and for use, and say what it costs;
# - diagnose a network from histograms of activations, gradients and updates.

# %% [markdown]
# This page goes with [Activations & gradients, BatchNorm](https://youtu.be/P6sfmUTpUmc)
# by Andrej Karpathy; each section names its part of the video. From lesson 3 you bring
# the network that reads three letters and scores 27, its loss in nats, and the three
# piles of names: train, dev and test. From lesson 1 you bring the slope of $\tanh$,
# which is $1 - h^2$ where the output is $h$. The exercises are in
# `exercises/04_batchnorm.ipynb`.

# %%
import random

import torch
import torch.nn.functional as F

from workbook import budget, data, explore, live, predict, style

style.use()
torch.set_num_threads(1)  # these matrices are too small to be shared out

# %% tags=["nbval-check-output"] key="the-data"
words = data.names()
itos = dict(enumerate([".", *sorted(set("".join(words)))]))
stoi = {letter: i for i, letter in itos.items()}


def build_dataset(names):
    """Contexts X (N, 3) and the letters Y (N,) that follow them, as in lesson 3."""
    codes = [[0, 0, 0, *(stoi[x] for x in name), 0] for name in names]
    pairs = [(c[i : i + 3], c[i + 3]) for c in codes for i in range(len(c) - 3)]
    X, Y = zip(*pairs, strict=True)
    return torch.tensor(X), torch.tensor(Y)


shuffled = list(words)
random.Random(42).shuffle(shuffled)
a, b = int(0.8 * len(words)), int(0.9 * len(words))
Xtr, Ytr = build_dataset(shuffled[:a])
Xdev, Ydev = build_dataset(shuffled[a:b])
Xte, Yte = build_dataset(shuffled[b:])
print(f"train {len(Xtr):,}   dev {len(Xdev):,}   test {len(Xte):,} examples")

# %% [markdown]
# ## The first loss
#
# **Question.** A network that knows nothing should say so: all 27 letters alike, a loss
# of $\ln 27 = 3.30$ nats. That of lesson 3 began far above. What makes it so sure, and
# what does that cost?
#
# Take scores at random, and no network at all. The only thing that we change is their
# scale.
#
# *In the video: fixing the initial loss.*

# %% tags=["nbval-check-output"] key="scale-of-scores"
g = torch.Generator().manual_seed(1)
scores = torch.randn((10_000, 27), generator=g)  # as many logits, pure chance
answers = torch.randint(0, 27, (10_000,), generator=g)
for scale in (0, 0.1, 1, 3, 15):
    loss = F.cross_entropy(scale * scores, answers)
    surest = F.softmax(scale * scores, dim=1).max(1).values.mean()
    print(f"scores × {scale:3}: loss {loss:.2f}, the surest letter has {surest:.2f}")

# %% [markdown]
# At zero each letter has $1/27$, which is $0.04$. The larger the scores, the surer the
# softmax is of one letter, and chance is seldom right: the loss grows as the distance
# between the largest score and that of the right letter.
#
# Now the network of lesson 3, with 200 units. A **unit** is a neuron: a column of `W1`,
# its bias, its $\tanh$. The only news is that each drawn tensor can be multiplied by
# something. The seed is the same, so that two networks differ in nothing else.


# %%
class MLP:
    """Lesson 3's network; the keywords say what each drawn tensor is multiplied by."""

    def __init__(self, W1=1.0, b1=1.0, W2=1.0, b2=1.0):
        g = torch.Generator().manual_seed(2147483647)
        self.C = torch.randn((27, 10), generator=g)
        self.W1 = torch.randn((30, 200), generator=g) * W1
        self.b1 = torch.randn(200, generator=g) * b1
        self.W2 = torch.randn((200, 27), generator=g) * W2
        self.b2 = torch.randn(27, generator=g) * b2
        for p in self.parameters():
            p.requires_grad = True

    def __call__(self, X):
        x = self.C[X].view(len(X), -1)  # (N, 30)
        self.pre = x @ self.W1 + self.b1  # (N, 200), what goes into the tanh
        self.seen = {"h": torch.tanh(self.pre)}  # kept by name, to be looked at
        return self.seen["h"] @ self.W2 + self.b2  # (N, 27)

    def parameters(self):
        return [self.C, self.W1, self.b1, self.W2, self.b2]


# %% tags=["nbval-check-output"] key="loss-at-start"
batch = Xtr[:1000], Ytr[:1000]
for factor in (1, 0.01, 0):
    model = MLP(W2=factor, b2=int(factor == 1))
    logits = model(batch[0])
    loss = F.cross_entropy(logits, batch[1])
    loss.backward()
    sizes = [p.grad.abs().max() for p in (model.C, model.W1, model.W2)]
    print(f"W2 × {factor:<4}: logits with std {logits.std():5.2f}, loss {loss:5.2f}")
    print("   largest gradients: C {:.3f}, W1 {:.3f}, W2 {:.3f}".format(*sizes))

# %% [markdown]
# Two hundred outputs near $\pm 1$ times two hundred weights make large scores. Divide
# the last weights by a hundred, set the last bias to zero, and the first loss is the
# honest one. Why not take zero weights? What reaches the layers before is multiplied by
# `W2`: with zeros `C` and `W1` learn nothing in the first step.
#
# Now we train. One function serves every network of this page. It can be paused,
# stopped, and steered by the slider of the learning rate.


# %%
def descend(model, lr, dice):
    """One step on a random batch of 32 from train; the loss before it."""
    ix = torch.randint(0, len(Xtr), (32,), generator=dice)
    loss = F.cross_entropy(model(Xtr[ix]), Ytr[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    return loss.item()


def train(model, steps, lr, panels=("loss",)):
    """Descent, watched; the loss of each batch."""
    dice, losses = torch.Generator().manual_seed(2147483647), []
    for _ in (run := live.train(steps, lr=lr, panels=panels)):
        losses.append(descend(model, run.lr, dice))
        run.log(loss=losses[-1], model=model, activations=model.seen)
    return losses


# %% [markdown]
# The **ledger** keeps the losses of each network, and beside them what the video
# reports for it. A fair warning: the video trains for 200,000 steps, our default is
# 20,000, at the rate $0.1$ and in the last quarter at a tenth of it. So ours are
# higher, and the two columns are to be read downwards, each for itself.
#
# First the network as it is drawn. It takes about ten seconds.


# %%
steps = budget(full=20_000, check=100)
ledger = {}
published = {"original": 2.168, "softmax fix": 2.13, "tanh fix": 2.103}
published |= {"Kaiming": 2.107, "BatchNorm": 2.106, "six layers": 2.398}


def decayed(step):
    return 0.1 if step < 0.75 * steps else 0.01


@torch.no_grad()
def evaluate(model, X, Y):
    """The mean loss over all of these examples, a plain number."""
    return F.cross_entropy(model(X), Y).item()


def enter(what, model):
    """Measure a network on all of train and dev, for the ledger; what to print."""
    ledger[what] = evaluate(model, Xtr, Ytr), evaluate(model, Xdev, Ydev)
    return "{}: train {:.3f}, dev {:.3f}".format(what, *ledger[what])


# %%
original = MLP()
hockey = train(original, steps, decayed)
print(enter("original", original))

# %% [markdown]
# **Predict.** The second network is the same, but for the last layer: `W2` times
# $0.01$, `b2` times zero. By how much is its loss on dev lower in the end?

# %% tags=["predict"]
guess = predict("batchnorm.softmax_fix", unit="nats")

# %%
softmax_fix = MLP(W2=0.01, b2=0)
straight = train(softmax_fix, steps, decayed)
enter("softmax fix", softmax_fix)
guess.compare(round(ledger["original"][1] - ledger["softmax fix"][1], 3))

# %%
fig, ax = style.figure("wide")
ax.set_title("A hockey stick, and the same run without its blade")
ax.set(xlabel="step", ylabel="loss (nats)", ylim=(0, 28))
shown = len(hockey) // 40
for name, losses, colour in (
    ("as drawn", hockey, style.REFERENCE),
    ("last layer small", straight, style.TRAIN),
):
    groups = torch.tensor(losses[:shown]).split(max(1, shown // 100))
    at = [len(groups[0]) * (i + 0.5) for i in range(len(groups))]
    (line,) = ax.plot(at, [group.mean() for group in groups], color=colour)
    style.label_line(ax, (shown, 6.2 if name == "as drawn" else 2.2), name, colour)

# %% [markdown]
# **Look.** The first fortieth of both runs. The grey line falls from its blade to the
# handle of a hockey stick; the black one has no blade.

# %% [markdown] tags=["why"]
# **Why.** The first steps of the grey run only squeeze the scores together. That is no
# learning, and a long fall in a picture is no achievement. The black run spends these
# steps on the names.

# %% [markdown]
# Before the first step, compare the loss with what a model that knows nothing would
# pay.
#
# **Your turn.** In the exercises: `batchnorm.initial_loss`, the excess and its cure.

# %% [markdown]
# ## Saturated and dead units
#
# **Question.** The first loss is honest now. What goes on inside, one layer further
# back?
#
# There are 200 units, each squashed by $\tanh$ into $-1$ to $1$. How close to these
# ends do their outputs lie, before any training?
#
# *In the video: fixing the saturated tanh.*
#
# **Predict.** What share of the outputs is beyond $\pm 0.97$, in percent?

# %% tags=["predict"]
guess = predict("batchnorm.at_the_ends", unit="%")

# %%
drawn = MLP(W2=0.01, b2=0)
drawn(batch[0])
h = drawn.seen["h"].detach()  # (1000, 200)
guess.compare(round(100 * (h.abs() > 0.97).float().mean().item(), 1))

# %%
fig, ax = style.figure("wide")
ax.set_title("Most outputs lie where the tanh is flat")
ax.set(xlabel="output h of a unit", ylabel="slope, and share", ylim=(0, 1.15))
counts = h.flatten().histc(50, -1, 1)
ax.bar(torch.arange(-0.98, 1, 0.04), counts / h.nelement(), 0.036, color=style.FORWARD)
x = torch.linspace(-1, 1, 200)
ax.plot(x, 1 - x**2, color=style.BACKWARD)
style.label_line(ax, (0.16, 1.06), "the slope, 1 − h²", style.BACKWARD)
_ = style.label_line(ax, (-0.98, 0.42), "outputs", style.FORWARD)

# %% [markdown]
# **Look.** The blue bars are two towers, at both ends. The orange curve is the slope
# that a gradient is multiplied by on its way back through the unit: at the towers it is
# next to nothing. A unit whose output is beyond $\pm 0.97$ is called **saturated**:
# less than $6$ % of a gradient gets through.

# %% [markdown] tags=["why"]
# **Why.** What goes into the tanh is a sum of 30 products. The next cell prints its
# **spread**: our word for the standard deviation, in code `std`, which says how widely
# numbers scatter around their mean. A tanh is flat long before that.

# %% tags=["nbval-check-output"] key="where-it-is-flat"
print(f"into the tanh: std {drawn.pre.std():.1f}, largest {drawn.pre.abs().max():.0f}")
saturated = h.abs() > 0.97  # (1000, 200)
print(f"slope at 0.97: {1 - 0.97**2:.3f}")
print(f"mean slope: {(1 - h**2).mean():.2f}")
print(f"saturated: {100 * saturated.float().mean():.0f} %")
print(f"units saturated for all examples: {saturated.all(dim=0).sum()}")

# %% [markdown]
# A saturated output is no harm to a unit that is awake for other examples. The harm is
# a *column*: a unit that is stuck for *all* examples gets next to no gradient from any
# of them, and a ReLU at zero none at all. It hardly ever changes, and is called
# **dead**. So each column is asked, by `all(dim=0)`.
#
# Here is the same as an image, for 32 examples, from our own network. Change the scale
# of what goes into the units, then their bias, then their function.

# %%
explore.saturation_image(drawn.pre[:32])

# %% [markdown]
# Inputs times $0.2$, and the towers are gone. Times ten, and columns go dark: the small
# orange marks are dead units. With ReLU everything below zero is flat, so a shift of
# the bias downwards kills.
#
# Each function has its flat parts. **Sigmoid** has two, as tanh does; **ReLU** has one,
# where it is exactly zero; **leaky ReLU** keeps a small slope there, **ELU** one that
# fades. *Maxout* takes the largest of several sums and has none, for more weights.

# %% tags=["nbval-check-output"] key="slopes"
x = torch.tensor([-6.0, -2.0, -0.5, 0.5, 2.0, 6.0], requires_grad=True)
print("slope at    ", " ".join(f"{v:6.1f}" for v in x.tolist()))
for f in (torch.tanh, torch.sigmoid, torch.relu, F.leaky_relu, F.elu):
    # as backward(), but it returns the gradients: one for each tensor asked about
    (slopes,) = torch.autograd.grad(f(x).sum(), x)
    print(f"{f.__name__:12}", " ".join(f"{s:6.3f}" for s in slopes.tolist()))

# %% [markdown]
# A ReLU unit need not be born dead. One step that is too large can throw it so far that
# it is zero for every example, and no gradient ever brings it back. Here are two layers
# of ReLU, on a thousand examples, before and after a single step.

# %%
shapes = (30, 200), (200, 200), (200, 27)
x = drawn.C.detach()[batch[0]].view(1000, -1)  # (1000, 30)
for rate in (0, 1, 10, 100):
    g = torch.Generator().manual_seed(1)
    # a scale that suits ReLU: the next section says why
    A, B, last = (torch.randn(s, generator=g) * (2 / s[0]) ** 0.5 for s in shapes)
    for w in (A, B, last):
        w.requires_grad = True
    F.cross_entropy(torch.relu(torch.relu(x @ A) @ B) @ last, batch[1]).backward()
    A, B = A - rate * A.grad, B - rate * B.grad
    units = torch.relu(torch.relu(x @ A) @ B)  # (1000, 200)
    print(f"a step at rate {rate:3}: {(units == 0).all(0).sum():3} of 200 units dead")

# %% [markdown]
# Our network has no dead units among a thousand examples, only many that are saturated
# for most: it will learn, slowly. The cure is the one that the image suggests: `W1`
# times $0.2$. `b1` is made small as well, though not zero, so that no two units begin
# alike.
#
# From now on the picture also shows what the units give: as a histogram, and as the
# image of those that saturate.

# %%
inside = ("loss", "activations", "saturation")
tanh_fix = MLP(W1=0.2, b1=0.01, W2=0.01, b2=0)
train(tanh_fix, steps, decayed, inside)
print(enter("tanh fix", tanh_fix))

# %% [markdown]
# Nothing was added to the network, and nothing taken away. Where it began made the
# difference.
#
# Where the tanh is flat nothing flows back; a unit that is flat for every example is
# lost.
#
# **Your turn.** In the exercises: `batchnorm.saturation` and `batchnorm.dead_units`,
# for tanh and for ReLU; `batchnorm.tanh`, the layer with its slope.

# %% [markdown]
# ## How large a weight starts
#
# **Question.** $0.2$ came from looking. Nobody wants to look at fifty layers. What is
# the right scale, and where does it come from?
#
# Follow the size of numbers through one product. Inputs of spread $1$, weights of
# spread $1$, and a different number of inputs for each line: the **fan-in**, how many
# products one unit adds up.
#
# *In the video: calculating the init scale, Kaiming init.*

# %% tags=["nbval-check-output"] key="fan-in"
g = torch.Generator().manual_seed(2147483647)
for fan_in in (4, 16, 100, 900):
    x = torch.randn((2000, fan_in), generator=g)
    w = torch.randn((fan_in, 500), generator=g)
    told = f"{(x @ w).std():5.2f}, of x @ w / √n {(x @ w / fan_in**0.5).std():.2f}"
    print(f"{fan_in:4} inputs: std of x @ w {told}")

# %%
fig, (left, right) = style.figure("pair")
for fan_in, dash in ((4, ":"), (16, "--"), (100, "-")):
    x = torch.randn((2000, fan_in), generator=g)
    y = (x @ torch.randn((fan_in, 50), generator=g)).flatten()
    for ax, values in ((left, y), (right, y / fan_in**0.5)):
        share = values.histc(60, -20, 20) / len(values)
        at = torch.linspace(-20, 20, 61)[:-1] + 1 / 3
        ax.plot(
            at, share, color=style.FORWARD, linestyle=dash, label=f"{fan_in} inputs"
        )
left.set_title("x @ w widens with the fan-in")
right.set_title("Divided by √n, it does not")
left.set(xlabel="output", ylabel="share of the outputs")
right.set(xlabel="output")
_ = left.legend()

# %% [markdown]
# **Look.** Three curves of different widths on the left, one upon the other on the
# right.

# %% [markdown] tags=["why"]
# **Why.** The *variance*, the square of the spread, of a sum of independent numbers is
# the sum of theirs. Each product here has variance $1$, so $n$ of them have $n$, and
# the spread is the root, $\sqrt n$.

# %% [markdown]
# And the function that follows? It takes something away. We make up for it by a factor,
# the **gain**. With ReLU half of a symmetric spread becomes zero, so half of the mean
# square is left, and the gain is $\sqrt 2$. For tanh a rule of thumb says $5/3$.

# %% tags=["nbval-check-output"] key="gains"
for name, f, gain in (("tanh", torch.tanh, 5 / 3), ("relu", torch.relu, 2**0.5)):
    for what, factor in (("1", 1.0), (f"{gain:.2f}", gain)):
        y = torch.randn((2000, 100), generator=g)
        for _ in range(20):
            y = f(y @ torch.randn((100, 100), generator=g) * factor / 100**0.5)
        size = y.square().mean().sqrt()
        print(f"{name}, gain {what:4}: size after 20 layers {size:.3f}")
    print(f"   torch's gain for it: {torch.nn.init.calculate_gain(name):.3f}")

# %% [markdown]
# Without its gain ReLU's signal is gone after twenty layers, and that of tanh is a
# quarter of what it is with it. (*Size* is here the root of the mean square; ReLU's
# outputs are not centred, so a spread would say less. That $2.02$ is no $1$ is chance:
# each layer is off by a little, and twenty multiply.)
#
# The gradient goes the other way, through the same weights, and adds up over the
# outputs: the **fan-out**. In a layer that is not square the two wishes differ.

# %% tags=["nbval-check-output"] key="fan-out"
x = torch.randn((2000, 100), generator=g, requires_grad=True)
w = torch.randn((100, 400), generator=g) / 100**0.5  # for the fan-in
y = x @ w
y.backward(torch.randn(y.shape, generator=g))  # gradients of spread 1 come in
print(f"forward 1 -> {y.std():.2f}   backward {x.grad.std():.2f} <- 1")

# %% [markdown]
# Twice too large on the way back: $\sqrt{400 / 100} = 2$. He and others, who worked
# this out for ReLU in [Delving Deep into Rectifiers](https://arxiv.org/abs/1502.01852),
# found that either choice will do, for what one layer makes too large the next makes
# too small. The usual one is the fan-in; it is called **Kaiming** initialisation, after
# the first author, or He initialisation.
#
# For our first layer it asks for half as much again as we found by looking:

# %% tags=["nbval-check-output"] key="kaiming-scale"
kaiming_scale = (5 / 3) / 30**0.5
print(f"gain / √fan-in = {kaiming_scale:.3f}, by looking 0.2")
theirs = torch.nn.Linear(30, 200).weight  # torch's own default
print(f"torch.nn.Linear(30, 200): largest {theirs.abs().max():.2f}, 1/√30 is", end=" ")
print(f"{1 / 30**0.5:.2f}; its std is {theirs.std():.1f}")

# %%
kaiming = MLP(W1=kaiming_scale, b1=0.01, W2=0.01, b2=0)
train(kaiming, steps, decayed, inside)
print(enter("Kaiming", kaiming))

# %% [markdown]
# About the same as before, and nobody had to look. PyTorch's own layer draws evenly
# between $\pm 1/\sqrt{\text{fan-in}}$, a smaller start than Kaiming's.
#
# For some years now the start has mattered less than it did: connections that skip
# layers, normalisation (below), and better optimisers forgive much.
#
# Divide by the root of the fan-in, multiply by the gain.
#
# **Your turn.** In the exercises: `batchnorm.kaiming`; `batchnorm.linear`, the layer.

# %% [markdown]
# ## Gradients that fade or explode
#
# **Question.** One hidden layer forgave a bad scale. What happens with many?
#
# For depth we want layers as parts that can be put together. Each is called, keeps what
# it gave in `out`, and lists its parameters; `torch.nn` has classes of the same names
# that work in the same way. From here on the weights are divided by
# $\sqrt{\text{fan-in}}$ when they are drawn.
#
# *In the video: rewriting the code in the style of PyTorch, and looking at the layers.*


# %%
class Linear:
    """x @ weight + bias, with weights of std 1 / √fan_in."""

    def __init__(self, fan_in, fan_out, bias=True, generator=None):
        drawn = torch.randn((fan_in, fan_out), generator=generator)
        self.weight = (drawn / fan_in**0.5).requires_grad_()
        self.bias = torch.zeros(fan_out, requires_grad=True) if bias else None

    def __call__(self, x):
        self.out = x @ self.weight  # (N, fan_out)
        if self.bias is not None:
            self.out = self.out + self.bias
        return self.out

    def parameters(self):
        return [self.weight] + ([] if self.bias is None else [self.bias])


class Tanh:
    """Squashes, and has nothing to learn."""

    def __call__(self, x):
        self.out = torch.tanh(x)
        return self.out

    def parameters(self):
        return []


# %% [markdown]
# Numbers of spread $1$ go in at one end of a fresh stack of layers, and a gradient of
# spread $1$ at the other. What do they look like where they come out?


# %%
bends = {"tanh": torch.tanh, "ReLU": torch.relu, "linear": lambda x: x}


def push(depth, gain, bend):
    """So many layers of 100 units, forward and back; what each layer gave."""
    g = torch.Generator().manual_seed(1)
    x, outs = torch.randn((256, 100), generator=g), []
    for _ in range(depth):
        layer = Linear(100, 100, bias=False, generator=g)
        layer.weight.data *= gain
        x = bends[bend](layer(x))
        x.retain_grad()  # a tensor inside the graph keeps its gradient only if asked
        outs.append(x)
    x.backward(torch.randn(x.shape, generator=g))
    return outs


# %% tags=["nbval-check-output"] key="five-layers"
print("         outputs, std of layers 1 to 5        gradients, std")
for gain in (0.5, 1, 5 / 3, 3):
    outs = push(5, gain, "tanh")
    forward = "  ".join(f"{x.std():.2f}" for x in outs)
    back = "  ".join(f"{x.grad.std():5.2f}" for x in outs)
    print(f"gain {gain:.2f}   {forward}   {back}")

# %% [markdown]
# Read the left half from left to right, the right half from right to left: a gradient
# begins at the last layer. With a gain of $0.5$ both fade. With $3$ the outputs stand
# at the ends of the tanh and the gradient grows on its way. With $5/3$ both arrive
# about as they set out.
#
# **Predict.** Now *without* a tanh, five linear layers, at the gain $5/3$. What is the
# spread of the fifth layer's outputs?

# %% tags=["predict"]
guess = predict("batchnorm.no_tanh")

# %%
guess.compare(round(push(5, 5 / 3, "linear")[-1].std().item(), 1))

# %% [markdown] tags=["why"]
# **Why.** Without a function that squashes, nothing has to be made up for. Each layer
# multiplies by $5/3$, and $(5/3)^5$ is $12.9$. The right gain is a balance with the
# function that follows, and $1$ for none.

# %%
explore.layer_histograms(push)

# %% [markdown]
# Take twenty layers and go through the gains: in a narrow range neither direction fades
# or explodes. Then change the function, and find it again. For tanh it lies below
# $5/3$: that gain is for the way forward; back, each layer adds a little with it.
#
# By the chain rule a gradient is a product with one factor for each layer. A factor
# $0.9$ makes $0.12$ of twenty layers, a factor $1.1$ makes $6.7$. The first layers then
# learn nothing, or nothing but noise: the **vanishing** and the **exploding gradient**.

# %% tags=["nbval-check-output"] key="twenty-layers"
for gain in (0.9, 1, 1.2, 5 / 3, 2.5):
    back = [x.grad.std() for x in push(20, gain, "tanh")]
    print(f"gain {gain:.2f}: of a gradient of 1, {back[0]:8.3f} arrives at layer 1")
print(f"0.9^20 = {0.9**20:.2f}, 1.1^20 = {1.1**20:.1f}, (5/3)^5 = {(5 / 3) ** 5:.1f}")

# %% [markdown]
# Forward and backward are products over the layers: a factor that is a little off is
# taken to the power of the depth.
#
# **Your turn.** In the exercises: `batchnorm.layer_statistics`, the table above for any
# list of layers; `batchnorm.all_zero_init`, where all weights *and* biases are zero and
# something learns all the same. Follow one gradient to find it.

# %% [markdown]
# ## Batch Normalization
#
# **Question.** We want what goes into a tanh to be centred, with a spread of about $1$.
# We tune the weights so that it comes out like this, at the start, and hope. Why not
# *make* it so?
#
# That is the idea of Ioffe and Szegedy, 2015, in [Batch
# Normalization](https://arxiv.org/abs/1502.03167). A mean and a standard deviation are
# formulas like any other, and a gradient flows through them.
#
# *In the video: batch normalization.*

# %% tags=["nbval-check-output"] key="standardise"
pre = drawn.pre.detach()[:32]  # (32, 200): a batch, as it goes into the tanh
mu = pre.mean(0)  # (200,): one for each unit, over the examples
var = pre.var(0, correction=0)  # (200,): the mean square distance from it
normed = (pre - mu) / torch.sqrt(var + 1e-5)  # (32, 200)

for what, x in (("before", pre), ("after", normed)):
    stuck = 100 * (torch.tanh(x).abs() > 0.97).float().mean()
    spread = x.std(0, correction=0)
    print(f"{what:6}: means up to ±{x.mean(0).abs().max():.2f}, stds from", end=" ")
    print(f"{spread.min():.2f} to {spread.max():.2f}, {stuck:.0f} % saturated")

# %%
fig, (left, right) = style.figure("pair")
for ax, what, x in (
    (left, "Each unit is elsewhere", pre),
    (right, "All are alike", normed),
):
    ax.set_title(what)
    ax.set(xlabel="into the tanh", xlim=(-15, 15))
    for unit in range(6):
        ax.plot(x[:, unit], [unit] * 32, "|", color=style.FORWARD, markersize=11)
    ax.axvline(0, color=style.REFERENCE, linewidth=0.8, linestyle=style.DASHED)
_ = left.set(ylabel="unit", yticks=range(6))

# %% [markdown]
# **Look.** Each row is a unit, each mark one of 32 examples. On the left the rows
# differ in place and width; on the right they share both.
#
# Two things are added: `eps`, against a division by zero, and a gain $\gamma$ (not the
# factor of before) and a bias $\beta$ for each unit, learned from $1$ and $0$ on.
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \qquad
# y = \gamma\hat x + \beta$$
#
# But the mean is that of the *batch*. Pull one example away, and watch.


# %%
def standardise(x):
    """Each column of x (N, H) with mean 0 and variance 1 over the rows."""
    return (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + 1e-5)


five = torch.tensor([[-1.0], [0.0], [1.0], [2.0], [3.0]])  # five examples, one unit
explore.one_outlier(five, standardise)

# %% [markdown]
# What the network says of one name depends on which names are beside it. In a random
# batch that is a jitter. Here is one example of ours, in one unit, in random batches of
# many sizes.

# %%
explore.batch_jitter(drawn.pre.detach()[:, 0], example=5)

# %% [markdown]
# The jitter keeps the network from relying on any exact number, and so it learns less
# by heart: a side effect that people came to like. But examples are no longer separate,
# the source of many mistakes.
#
# Over the batch, unit by unit: away with the mean, divided by the spread, then a gain
# and a bias that are learned.
#
# **Predict.** We put this between `x @ W1 + b1` and the tanh. How large is the largest
# gradient of `b1` now? Give it to five decimals.

# %% tags=["predict"]
guess = predict("batchnorm.bias_before")

# %%
net = MLP(W2=0.1)
x = net.C[batch[0]].view(1000, -1).detach()
logits = torch.tanh(standardise(x @ net.W1 + net.b1)) @ net.W2 + net.b2
F.cross_entropy(logits, batch[1]).backward()
guess.compare(round(net.b1.grad.abs().max().item(), 5))

# %% [markdown] tags=["why"]
# **Why.** Whatever `b1` adds to all examples is in their mean as well, and is
# subtracted. No bias before a normalisation can do anything; $\beta$ has its place.
# That is why such layers are written with `bias=False`.

# %% [markdown]
# ## One example alone
#
# **Question.** Trained like this, the network is to judge one name. Its batch has one
# example. What is the mean, and what is the spread?
#
# *In the video: batch normalization at inference time.*

# %% tags=["nbval-check-output"] key="batch-of-one"
for x in (7.0, -3.0):
    alone = standardise(torch.tensor([[x]]))  # a batch of one example, one unit
    print(f"x = {x:4}: normalised {alone.item():.1f}")

# %% [markdown]
# The mean of one number is itself. Whatever comes in, zero comes out, and the network
# sees nothing.
#
# So a network in use takes other statistics: those of the training examples, fixed. One
# could measure them over all of train at the end. It is handier to keep **running
# averages** that move a little towards each batch. No gradient reaches them; such
# tensors are called **buffers**, not parameters.
#
# The layer has two lives, and a flag, `training`, says which.


# %%
class BatchNorm1d:
    """Ioffe and Szegedy (2015), by the convention of torch.nn.BatchNorm1d."""

    def __init__(self, dim, eps=1e-5, momentum=0.1):
        self.eps, self.momentum, self.training = eps, momentum, True
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)
        self.running_mean, self.running_var = torch.zeros(dim), torch.ones(dim)

    def __call__(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0, correction=0)  # divided by N
            self.remember(x.detach())
        normed = (x - mean) / torch.sqrt(var + self.eps)  # (N, dim)
        self.out = self.gamma * normed + self.beta
        return self.out

    def remember(self, x):
        m = self.momentum  # how much of a new batch goes in
        self.running_mean = (1 - m) * self.running_mean + m * x.mean(0)
        self.running_var = (1 - m) * self.running_var + m * x.var(0)  # by N - 1

    def parameters(self):
        return [self.gamma, self.beta]


# %% [markdown]
# Two variances stand there. A sample underestimates the spread of what it was drawn
# from; dividing by $N - 1$ in place of $N$ mends that (**Bessel's correction**). The
# paper normalises by $N$ and remembers by $N - 1$, PyTorch does the same, and so do we,
# here and in the exercises. The video's class takes $N - 1$ for both. How much is that?

# %% tags=["nbval-check-output"] key="as-torch"
ours, torchs = BatchNorm1d(200), torch.nn.BatchNorm1d(200)
for _ in range(3):  # three batches, so that there is something to remember
    far = (ours(pre) - torchs(pre)).abs().max()
    video = (pre - pre.mean(0)) / torch.sqrt(pre.var(0) + 1e-5)
print(f"ours and torch's, in training: {far:.4f} apart")
print(f"the video's convention, batch of 32: {(video - ours.out).abs().max():.3f}")
ours.training = False
torchs.eval()
print(f"ours and torch's, in use: {(ours(pre) - torchs(pre)).abs().max():.4f} apart")

# %% [markdown]
# Torch's arguments can be read now: `eps`; `momentum`, how much of a batch goes into
# the running averages, to be small where batches are small; `affine`, whether there are
# $\gamma$ and $\beta$; `track_running_stats`, whether there are running averages.
#
# A network from such parts, then. The layers stand in a list; `seen` is empty, since
# each layer keeps its own output.


# %%
class Network:
    """An embedding, then layers: contexts (N, 3) -> logits (N, 27)."""

    seen = None

    def __init__(self, make_layers):
        g = torch.Generator().manual_seed(2147483647)
        self.C = torch.randn((27, 10), generator=g, requires_grad=True)
        self.layers = make_layers(g)

    def __call__(self, X):
        x = self.C[X].view(len(X), -1)  # (N, 30)
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [self.C] + [p for layer in self.layers for p in layer.parameters()]

    def set_training(self, training):
        for layer in self.layers:
            layer.training = training


# %%
def one_hidden(g):
    """The network of before, its hidden layer normalised."""
    hidden = Linear(30, 200, bias=False, generator=g)
    last = Linear(200, 27, generator=g)
    last.weight.data *= 0.01 * 200**0.5  # std 0.01, as in the other rows
    slow = 0.001  # of a batch of 32 little goes into the running averages
    return [hidden, BatchNorm1d(200, momentum=slow), Tanh(), last]


normalised = Network(one_hidden)
count = sum(p.nelement() for p in normalised.parameters())
print(f"{count:,} parameters, and without BatchNorm", end=" ")
print(f"{sum(p.nelement() for p in kaiming.parameters()):,}")
train(normalised, steps, decayed, inside)
normalised.set_training(False)
print(enter("BatchNorm", normalised))

# %% [markdown]
# No gain over the row before, and the video finds next to none. With one hidden layer
# and a good start there is nothing to mend. What it is for comes with depth.
#
# First its traps. The averages should be near the statistics of all of train. And if
# somebody forgets the flag, the loss on dev depends on how dev is cut:

# %%
with torch.no_grad():
    hidden, norm = normalised.layers[:2]
    every = hidden(normalised.C[Xtr].view(len(Xtr), -1))  # all of train at once
    off = (norm.running_mean - every.mean(0)).abs().max() / every.std()
    print(f"running mean against that of all of train: off by {off:.3f} spreads")
    print(f"flag off: dev {evaluate(normalised, Xdev, Ydev):.3f}")
    normalised.set_training(True)
    for size in (4, 32, 1000):
        cut = zip(Xdev.split(size), Ydev.split(size), strict=True)
        total = sum(evaluate(normalised, x, y) * len(y) for x, y in cut)
        print(f"forgotten, batches of {size:4}: dev {total / len(Ydev):.3f}")

# %% [markdown]
# (And each of these looks moved the running averages towards dev.)
#
# In larger networks the layer stands after a linear layer or a convolution and before
# the function: in a residual network, `conv` without a bias, then BatchNorm, then ReLU,
# again and again.
#
# It couples examples, it has two lives, and it has caused many a mistake; where people
# can, they take a relative that does without a batch. **Layer normalisation** takes
# mean and spread over the units of *one* example.


# %% tags=["nbval-check-output"] key="layer-norm"
def over_units(x):
    return F.layer_norm(x, (200,))


for name, f in (("standardise", standardise), ("layer norm", over_units)):
    alone, among = f(pre[:1])[0], f(pre)[0]
    print(f"{name:11}: alone and among 32 differ by {(alone - among).abs().max():.2f}")

# %% [markdown]
# In training a unit is normalised by its batch, in use by what was remembered.
#
# **Your turn.** In the exercises: `batchnorm.batchnorm`, with both lives;
# `batchnorm.fold_batchnorm`, since in use it is a multiplication and an addition, which
# the layer before can take over; `batchnorm.layernorm`.

# %% [markdown]
# ## Reading the instruments
#
# **Question.** A network has many layers, and a loss is one number. Where do we look?
#
# Six layers, with or without BatchNorm, drawn well or badly. *Badly* is without the
# division by $\sqrt{\text{fan-in}}$, as in lesson 3. The four networks train for 1,001
# steps each, about three seconds, with all panels on.
#
# *In the video: the diagnostic tools, and the same with batch normalization.*


# %%
def deep(normed, divided):
    """Six layers of 100 units, with BatchNorm or not, well drawn or not."""

    def make_layers(g):
        layers = []
        for fan_in, fan_out in [(30, 100), *[(100, 100)] * 4, (100, 27)]:
            linear = Linear(fan_in, fan_out, bias=not normed, generator=g)
            linear.weight.data *= (1 if normed else 5 / 3) if divided else fan_in**0.5
            norm = [BatchNorm1d(fan_out)] if normed else []
            layers += [linear, *norm, Tanh()]
        layers.pop()  # the logits are not squashed
        last = layers[-1].gamma if normed else layers[-1].weight
        last.data *= 0.1  # an honest first loss
        return layers

    return Network(make_layers)


panels = ("loss", "activations", "gradients", "saturation", "updates")
few = budget(full=1_001, check=25)
trained = {}

# %% [markdown]
# *Badly drawn, no BatchNorm.* Five things to read. *Loss*: does it begin near $3.30$,
# and fall? *Activations*: the outputs of each tanh; do the rows look alike, and how
# many are saturated? *Gradients* of each layer's weights: alike, or growing from row to
# row? *Saturation*: the image of above for one layer, chosen by the menu. *Updates*:
# how far a step moves the weights, which comes below. A number before a name is the
# layer's place. *Pause* holds the picture; `few = 10_000` leaves time to turn the
# rate.

# %%
trained["bad, plain"] = deep(normed=False, divided=False)
first = {"bad, plain": train(trained["bad, plain"], few, 0.1, panels)[0]}

# %% [markdown]
# Dark from edge to edge. The first layer's gradients are far larger than the fifth's:
# they have grown on their way back, through weights that are ten times too large. (The
# last layer is an exception. No tanh stands behind it, and its weights, made small for
# an honest first loss, shrink only what goes on to the others.) It learns, slowly, in
# spite of all.
#
# *Well drawn, no BatchNorm.*

# %%
trained["good, plain"] = deep(normed=False, divided=True)
first["good, plain"] = train(trained["good, plain"], few, 0.1, panels)[0]

# %% [markdown]
# The rows look alike, forward and back. Some outputs are saturated, in no column all of
# them. *Badly drawn, with BatchNorm*: the same weights as in the first of the four.

# %%
trained["bad, BatchNorm"] = deep(normed=True, divided=False)
first["bad, BatchNorm"] = train(trained["bad, BatchNorm"], few, 0.1, panels)[0]

# %% [markdown]
# The activations are healthy though the weights are not. The gradients of the weights
# are small, and so are the updates. *Well drawn, with BatchNorm*, the network that the
# video ends with:

# %%
trained["good, BatchNorm"] = deep(normed=True, divided=True)
first["good, BatchNorm"] = train(trained["good, BatchNorm"], few, 0.1, panels)[0]
trained["good, BatchNorm"].set_training(False)
print(enter("six layers", trained["good, BatchNorm"]))

# %% [markdown]
# Four runs in one table. Saturation and gradients are measured on a thousand examples
# of train, after the run; dev is with the flag off.


# %%
def gradient_sizes(net, n=1000):
    """The std of the gradient of each layer's weights, on n examples."""
    for p in net.parameters():
        p.grad = None
    F.cross_entropy(net(batch[0][:n]), batch[1][:n]).backward()
    return [x.weight.grad.std().item() for x in net.layers if isinstance(x, Linear)]


print(f"{'':16} first loss   saturated   gradients 1st : 5th      dev")
for what, net in trained.items():
    net.set_training(False)
    on_dev = evaluate(net, Xdev, Ydev)
    net.set_training(True)
    back = gradient_sizes(net)
    outs = torch.cat([x.out for x in net.layers if isinstance(x, Tanh)])
    stuck = 100 * (outs.abs() > 0.97).float().mean()
    told = f"{first[what]:10.2f} {stuck:9.0f} % {back[0] / back[4]:17.1f}"
    print(f"{what:16} {told} {on_dev:12.3f}")

# %% [markdown]
# Read downwards: the one that is drawn well needs no help in 1,001 steps, and where it
# is drawn badly BatchNorm mends the activations, and the loss hardly at all. Something
# else is wrong there.
#
# **Predict.** Take the last network as it was drawn, and multiply the weights of *all*
# its linear layers by ten. By how much does the loss of a batch change, in training?

# %% tags=["predict"]
guess = predict("batchnorm.ten_times", unit="nats")

# %%
net = deep(normed=True, divided=True)
with torch.no_grad():
    before = F.cross_entropy(net(batch[0]), batch[1])
    for layer in net.layers[::3]:  # Linear, BatchNorm, Tanh, Linear, …
        layer.weight *= 10
    after = F.cross_entropy(net(batch[0]), batch[1])
guess.compare(abs(round((after - before).item(), 3)))

# %% [markdown] tags=["why"]
# **Why.** Ten times the numbers have ten times the mean and ten times the spread: the
# normalisation divides it out. It does the same to the gradients of the outputs on
# their way back. The scale of the weights does not matter, at any depth.

# %%
# the picture of before, with BatchNorm ahead of each function
bends["BN tanh"] = lambda x: torch.tanh(standardise(x))
bends["BN ReLU"] = lambda x: torch.relu(standardise(x))
explore.layer_histograms(push, ["BN tanh", "BN ReLU"])

# %% [markdown]
# At every gain the picture is the same. (Through twenty layers a gradient still grows,
# a little at each normalisation.)
#
# One thing does depend on the scale. A weight that is ten times as large gets a
# gradient that is a tenth: beside the weight, the step is a hundredth of what it was.
# Hence the last instrument, **update to data**: the spread of a step over the spread of
# what it changes, as a power of ten. A rule of thumb says $-3$, a thousandth a step.


# %%
def ratios(net, rate):
    """log10 of update to data for each linear layer, after a backward pass."""
    linear = [layer for layer in net.layers if isinstance(layer, Linear)]
    found = [(rate * x.weight.grad).std() / x.weight.std() for x in linear]
    return {f"layer {i}": x.log10().item() for i, x in enumerate(found, 1)}


for what, net in trained.items():
    net.set_training(True)
    gradient_sizes(net, 32)  # a batch, as in training
    told = " ".join(f"{x:5.1f}" for x in ratios(net, 0.1).values())
    print(f"{what:16} layers 1 to 6: {told}")

# %% [markdown]
# Without BatchNorm a bad draw leaves each layer at a pace of its own: no rate can suit
# all. With it the layers agree, and all are too slow. That can be cured from outside.
# (The last layer without BatchNorm is ahead because its weights began ten times
# smaller, for the sake of the first loss. That is no illness.)
#
# **Predict.** Both badly drawn networks once more, at ten times the rate. What is the
# loss on dev of the one with BatchNorm?

# %% tags=["predict"]
guess = predict("batchnorm.rate_one", unit="nats")

# %%
at_rate_one = {}
for normed in (False, True):
    net, dice = deep(normed, divided=False), torch.Generator().manual_seed(2147483647)
    for _ in range(few):
        descend(net, 1.0, dice)
    net.set_training(False)
    at_rate_one[normed] = evaluate(net, Xdev, Ydev)
print(f"bad, plain at rate 1: dev {at_rate_one[False]:.3f}")
guess.compare(round(at_rate_one[True], 3))

# %% [markdown] tags=["why"]
# **Why.** With BatchNorm the scale of the weights has become a matter of the learning
# rate alone, one number that is turned from outside. This is what it is for: not a
# lower loss in a network that was well drawn, but a deep network that trains although
# nobody tuned its start.

# %%
# the updates at three rates, well drawn and with BatchNorm, written down every ten
# steps; five to ten seconds
records = {rate: [] for rate in (0.001, 0.1, 1.0)}
nets = {rate: deep(normed=True, divided=True) for rate in records}
dice, losses = torch.Generator().manual_seed(1), {rate: [] for rate in records}
for step in (run := live.train(budget(full=501, check=21), panels=("loss",))):
    for rate, net in nets.items():
        losses[rate].append(descend(net, rate, dice))
        if step % 10 == 0:
            loss = sum(losses[rate][-10:]) / len(losses[rate][-10:])
            records[rate].append((step, loss, ratios(net, rate)))
            run.log(**{f"lr {rate}": loss})

# %%
explore.update_ratios(records)

# %% [markdown]
# At $0.001$ the lines lie below the band, and the loss has hardly moved. At $0.1$ they
# settle within it. At $1$ they stay above: quick at first, and soon caught up with. The
# band is wide, since a rule of thumb is no law.
#
# First the loss at the start; then activations and gradients, alike in all layers; then
# the updates, within a factor of ten of a thousandth.
#
# **Your turn.** In the exercises: `batchnorm.update_ratio`; `batchnorm.train_deep`, the
# network of six layers from your own parts.

# %% [markdown]
# ## What you have now
#
# You read from the first loss whether a network is confidently wrong. You scaled the
# weights so that signals keep their size. You wrote Batch Normalization for both of its
# lives, and saw what it costs: examples that are no longer separate. And you read a
# network's health from its histograms. Here are the numbers that your cells measured;
# the last looks at test, once.

# %%
print(f"{'':12} {'train':>7} {'dev':>7}   {'video, dev':>10}")
for what, (on_train, on_dev) in ledger.items():
    print(f"{what:12} {on_train:7.3f} {on_dev:7.3f}   {published[what]:10.3f}")
print(f"steps: ours {steps:,}, the video 200,000; six layers {few:,}, the video 1,001")
print(f"\nfirst loss: as drawn {hockey[0]:.2f}, last layer small {straight[0]:.2f}")
for gain in (1, 5 / 3):
    size = push(20, gain, "tanh")[-1].std()
    print(f"gain {gain:.2f}: outputs of layer 20 have std {size:.2f}")
print(f"badly drawn, BatchNorm, rate 1: dev {at_rate_one[True]:.3f}")
print(f"Kaiming: test {evaluate(kaiming, Xte, Yte):.3f}")

# %%
fig, ax = style.figure("wide")
ax.set_title("What each change brought, ours and the video's")
rows = [what for what in ledger if what != "six layers"]  # it had fewer steps
ax.set(xlabel="loss on dev (nats)", yticks=range(len(rows)))
ax.set_yticklabels(rows)
ax.invert_yaxis()
ax.margins(x=0.1)
ax.grid(axis="y")
for row, what in enumerate(rows):
    ax.plot([published[what]], [row], "s", color=style.REFERENCE)
    ax.plot([ledger[what][1]], [row], "o", color=style.VALID)
style.label_line(ax, (ledger["original"][1], 0), "ours", style.VALID)
_ = style.label_line(ax, (published["original"], 0), "the video", style.REFERENCE)

# %% [markdown]
# **Look.** Green circles are ours, grey squares the video's. Our 20,000 steps stand
# against its 200,000, so the circles lie to the right. Two steps to the left are the
# same in both: an honest first loss, then units that are not saturated. The last three
# rows are alike but for chance. (Six layers, in the table, had 1,001 steps in both.)
#
# The long runs are the video's own, 200,000 steps, of which half are at the lower rate:
# all five take six to ten minutes.

# %%
long_run = False  # True: the five rows as in the video

if long_run:
    recipes = {
        "original": MLP(),
        "softmax fix": MLP(W2=0.01, b2=0),
        "tanh fix": MLP(W1=0.2, b1=0.01, W2=0.01, b2=0),
        "Kaiming": MLP(W1=kaiming_scale, b1=0.01, W2=0.01, b2=0),
        "BatchNorm": Network(one_hidden),
    }
    for what, model in recipes.items():
        train(model, 200_000, lambda step: 0.1 if step < 100_000 else 0.01, ("loss",))
        if isinstance(model, Network):
            model.set_training(False)
        told = evaluate(model, Xtr, Ytr), evaluate(model, Xdev, Ydev)
        print("{}: train {:.3f}, dev {:.3f}".format(what, *told), end="")
        print(f"   (video: dev {published[what]:.3f})")

# %% [markdown]
# **Question** for the next lesson. All of this looked at gradients, and none of it made
# one: `backward()` did. The gradient of a BatchNorm passes through a mean and a
# variance to every example of the batch. Could you write it down, and the others as
# well, and train without autograd?
