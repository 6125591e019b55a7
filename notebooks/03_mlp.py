# %% [markdown]
# # 3 · MLP
#
# How can a model use a longer past than a table has room for?
#
# You will be able to
#
# - give each letter a place in a space and let a network read three of them at once;
# - find a learning rate by experiment and lower it at the right time;
# - tell from two losses whether a model is too small, too large or not yet trained.

# %% [markdown]
# This page goes with [MLP](https://youtu.be/TCH_1BHY58I) by Andrej Karpathy; each
# section names its part of the video. One part stands earlier here: names are kept
# aside from the start. From lesson 2 you bring names, letters as numbers, and the loss:
# the mean of $-\log p$, where $p$ is what the model gave to the letter that did come
# next. It is counted in nats, the unit of the natural logarithm. The exercises are in
# `exercises/03_mlp.ipynb`.

# %%
import math
import random
from collections import Counter

import torch
import torch.nn.functional as F

from workbook import budget, data, explore, live, predict, style

style.use()
torch.set_num_threads(1)  # these matrices are too small to be shared out

# %% tags=["nbval-check-output"] key="the-names"
words = data.names()
itos = dict(enumerate([".", *sorted(set("".join(words)))]))  # number -> letter
stoi = {letter: i for i, letter in itos.items()}  # letter -> number
print(f"{len(words):,} names, {len(itos)} symbols, from {words[0]} to {words[-1]}")

# %% [markdown]
# ## A longer past
#
# **Question.** The table of lesson 2 looks one letter back, so after `emm` it guesses
# from the last `m` alone. How do we show a model more of the name?
#
# The letters that it may see are its **context**, and their number is the **block
# size**. The context slides along the name like a window. At the start of a name the
# window hangs over the edge; there, dots fill it.
#
# *In the video: the introduction, and building the dataset.*

# %%
explore.context_window("emma", block_size=3)

# %% [markdown]
# Walk along the name with *Next*. Then make the block larger: the number of examples
# stays, one for each letter and one for the end, while the padding grows. Your own name
# can be typed in.
#
# The same in Python. First the windows as text, then, in a function that we keep, as
# numbers: `X` holds the contexts and `Y` the letters that follow them. In their shapes
# `N` is the number of examples, no longer lesson 2's table.


# %% tags=["nbval-check-output"] key="windows-of-emma"
def contexts(names, length):
    """Each letter of the names, and the dot at their end, after `length` letters."""
    for name in names:
        padded = "." * length + name + "."
        for i in range(length, len(padded)):
            yield padded[i - length : i], padded[i]


for context, letter in contexts(["emma"], 3):
    print(context, "->", letter)


# %% tags=["nbval-check-output"] key="five-names"
def build_dataset(names, block_size=3):
    """Contexts X (N, block_size) and the letters Y (N,) that follow them."""
    X, Y = [], []
    for context, letter in contexts(names, block_size):
        X.append([stoi[each] for each in context])
        Y.append(stoi[letter])
    return torch.tensor(X), torch.tensor(Y)


X, Y = build_dataset(words[:5])
print(f"X {tuple(X.shape)} {X.dtype}   Y {tuple(Y.shape)} {Y.dtype}")
print("first contexts", X[:4].tolist(), "then come", Y[:4].tolist())

# %% [markdown]
# Five names make 32 examples, a small set that we shall use until the network stands.
#
# A window turns a list of names into a list of questions with known answers.
#
# **Your turn.** In the exercises: `mlp.build_dataset`, this function written with one
# window that moves.

# %% [markdown]
# ## Three piles of names
#
# **Question.** A model may know its names by heart. How shall we tell that from having
# learned how names go?
#
# By names kept aside, as at the end of lesson 2: train, eight names of ten, is for the
# model's own numbers, dev for *our* choices, test for the last line of the report. Our
# choices are more than an amount of smoothing now: how large, how fast, how long.
#
# *In the video: splitting into train, dev and test.*


# %% tags=["nbval-check-output"] key="split-sizes"
def split_words(names, seed=42):
    """Train, dev and test: 80, 10 and 10 % of the names, shuffled by the seed."""
    shuffled = list(names)  # a copy: the caller's list stays as it is
    random.Random(seed).shuffle(shuffled)
    a, b = int(0.8 * len(names)), int(0.9 * len(names))
    return shuffled[:a], shuffled[a:b], shuffled[b:]


train_names, dev_names, test_names = split_words(words)
Xtr, Ytr = build_dataset(train_names)
Xdev, Ydev = build_dataset(dev_names)
Xte, Yte = build_dataset(test_names)
for pile, examples in ((train_names, Xtr), (dev_names, Xdev), (test_names, Xte)):
    print(f"{len(pile):6,} names, {len(examples):7,} examples, first {pile[:3]}")

# %% [markdown]
# The cut goes between *names*, not between examples: the windows of one name overlap,
# and half of a name would give away the other half. And the names are shuffled first,
# since the list has an order. The seed fixes the shuffle, so that the piles are the
# same tomorrow.
#
# **Predict.** Suppose the function shuffled the list itself, and its cell were run a
# second time, with the same seed. How many names would then have left train for dev or
# test?

# %% tags=["predict"]
guess = predict("mlp.shuffled_twice", unit="names")

# %%
in_place = list(words)
for _ in range(2):  # as if the cell had been run a second time
    random.Random(42).shuffle(in_place)
moved = set(in_place[len(train_names) :]) - set(dev_names) - set(test_names)
guess.compare(len(moved))

# %% tags=["nbval-check-output"] key="no-leak"
piles = train_names + dev_names + test_names
print("each place of the list is in one pile:", sorted(words) == sorted(piles))
print(f"different names: {len(set(words)):,} of {len(words):,}")
twins = len(set(dev_names) & set(train_names))
print(f"dev names that stand in train as well: {twins:,}")

# %% [markdown] tags=["why"]
# **Why.** A list that is shuffled in place has another order each time its cell runs. A
# model trained before the second run has then seen many of the names that now stand in
# dev: a leak. So the function shuffles a copy.
#
# The twins of lesson 2 are parted here as well. They flatter dev a little, and most of
# all a model that learns by heart.

# %% [markdown]
# Train to learn, dev to choose, test to report.
#
# **Your turn.** In the exercises: `mlp.splits`, with a test for leaks that repeated
# names do not fool.

# %% [markdown]
# ## Where a table gives up
#
# **Question.** Why a network at all? A table can be asked for three letters as well as
# for one: count what came after each context.
#
# It needs a row for every context that there could be. How many is that, and how many
# of them ever occur?
#
# *In the video: why counting does not go on, and the paper.*

# %% tags=["nbval-check-output"] key="rows-of-a-table"
for length in range(1, 6):
    seen = Counter(context for context, _ in contexts(words, length))
    each = seen.total() / len(seen)
    print(f"{length} letters: {27**length:10,} rows", end=", ")
    print(f"{len(seen):6,} ever seen, with {each:7,.1f} examples each")

# %% [markdown]
# Each letter more makes the table 27 times as long, and the same examples are spread
# over it, thinner and thinner. Does it still pay? We count on train, and measure the
# loss on train and on dev. To every count we add $0.1$, as in lesson 2: without it, a
# context that is new would have no probabilities at all.


# %% tags=["nbval-check-output"] key="counting"
def counting(known, new, length, extra=0.1):
    """The losses of a table counted on known names: on these, and on new ones."""
    pairs = Counter(contexts(known, length))
    rows = Counter(context for context, _ in contexts(known, length))

    def loss(names):
        tested = list(contexts(names, length))
        p = [(pairs[pair] + extra) / (rows[pair[0]] + 27 * extra) for pair in tested]
        return -sum(map(math.log, p)) / len(p)

    return loss(known), loss(new)


tables = {length: counting(train_names, dev_names, length) for length in range(1, 6)}
for length in (1, 2, 3):
    print("{} letters: train {:.3f}, dev {:.3f}".format(length, *tables[length]))

# %% [markdown]
# **Predict.** From one letter to two, and from two to three, the loss on dev falls.
# What is it with *five* letters of context?

# %% tags=["predict"]
guess = predict("mlp.five_letters", unit="nats")

# %%
guess.compare(round(tables[5][1], 3))

# %%
fig, ax = style.figure("wide")
ax.set_title("The longer the context, the further the two losses part")
ax.set(xlabel="letters of context", ylabel="loss (nats)", xticks=list(tables))
for pile, (what, colour, dash) in enumerate(
    (("train", style.TRAIN, "-"), ("dev", style.VALID, style.DASHED))
):
    losses = [both[pile] for both in tables.values()]
    (line,) = ax.plot(list(tables), losses, color=colour, linestyle=dash, marker="o")
    style.label_line(ax, line, what)

# %% [markdown]
# **Look.** The dashed line, new names, has its lowest point in the middle. To the right
# of it the table answers ever better for what it has counted, and ever worse for what
# it has not.

# %% [markdown] tags=["why"]
# **Why.** With five letters most rows hold a handful of examples, and a new name often
# lands in a row that holds none. A table cannot help itself there. To it, the contexts
# `emm` and `imm` are two rows like any others: nothing that it counts in the one tells
# it anything about the other.

# %% [markdown]
# In 2003 Bengio and others showed a way out, for words: [A Neural Probabilistic
# Language Model](https://www.jmlr.org/papers/volume3/bengio03a/bengio03a.pdf). Each
# word gets a **point**, a short list of numbers, and a network reads the points of the
# context. Both are learned. Words that are used alike come to lie close together, and a
# network gives similar answers for points that are close. So what it learns from
# `the cat sat` helps it with `the dog sat`, though it never met that.

# %% [markdown]
# We do the same with letters: a longer past needs a model that carries over what it
# learns. And we keep a **ledger** of what was tried, with its two losses. The tables
# open it.


# %% tags=["nbval-check-output"] key="ledger-opens"
ledger = {"all letters alike": (math.log(27), math.log(27))}
for length in (1, 2, 3):
    ledger[f"table, {length} letter{'s' * (length > 1)}"] = tables[length]


def show_ledger():
    print(f"{'':30} {'train':>7} {'dev':>7}")
    for what, (on_train, on_dev) in ledger.items():
        print(f"{what:30} {on_train:7.3f} {on_dev:7.3f}")


show_ledger()

# %% [markdown]
# ## Letters as points
#
# **Question.** `X` holds numbers, $5$ for `e` and $13$ for `m`. A network multiplies
# and adds; but `m` is not more than `e`, and nothing lies halfway between them. What
# should it compute with?
#
# With a point for each letter. For a start a point has two numbers, so that we can draw
# it. The 27 points are the rows of a table `C`, the **embedding**. They begin at
# random, and training will move them.
#
# *In the video: the embedding lookup table.*

# %%
g = torch.Generator().manual_seed(2147483647)  # the same draws in every run
C = torch.randn((27, 2), generator=g)
explore.letter_map(C, itos)

# %% [markdown]
# To look up a letter is to take a row, `C[5]`. As in lesson 2 it is also a product of
# matrices: the letter's one-hot vector, zero but for a one at the letter's place, times
# `C`. Every row is multiplied by zero, except one.

# %% tags=["nbval-check-output"] key="one-row"
one_hot = F.one_hot(torch.tensor(5), num_classes=27).float()
print("one-hot    ", "".join(f"{x:.0f}" for x in one_hot.tolist()))
print("row 5 of C ", [f"{x:.4f}" for x in C[5].tolist()])
print("one-hot @ C", [f"{x:.4f}" for x in (one_hot @ C).tolist()])

# %% [markdown]
# So an embedding is a first layer of weights like any other, with gradients like any
# other. The index is the cheap way to write it: it never multiplies by zero.
#
# **Predict.** An index may itself be a tensor. `X` has the shape $(32, 3)$ and `C` the
# shape $(27, 2)$. What is the shape of `C[X]`?

# %% tags=["predict"]
guess = predict("mlp.embedding_shape")

# %%
emb = C[X]
guess.compare(tuple(emb.shape))

# %% [markdown] tags=["why"]
# **Why.** Each number in `X` is replaced by a row of `C`. The shape of `X` stays, and
# the length of a row is added at its end: 32 examples, of three letters, of two numbers
# each.

# %% tags=["nbval-check-output"] key="any-shape"
print(f"example 4, letter 2 of its context: {itos[X[4, 2].item()]}")
print("the point of that letter:", torch.equal(emb[4, 2], C[X[4, 2]]))
print("all of them as one-hot:  ", torch.allclose(emb, F.one_hot(X, 27).float() @ C))

# %% [markdown]
# An embedding is a table of points; an index takes rows out of it, as a product with
# one-hot vectors would.
#
# **Your turn.** In the exercises: `mlp.embed`, in both ways.

# %% [markdown]
# ## One memory, many shapes
#
# **Question.** The next layer wants *one* row of six numbers for each example. We have
# three points of two. How do we lay them side by side?
#
# In memory there is no shape at all. There is one long row of numbers, and a tensor is
# a way of reading it: a shape, and for each dimension a **stride**, how many numbers
# further on its next element lies.
#
# *In the video: the hidden layer, with its aside on how tensors are stored.*

# %%
explore.storage((4, 3, 2))

# %% [markdown]
# Four examples here, of three letters, of two numbers. Type `x.view(4, 6)`: the points
# of each example come side by side, and nothing moved. Then press `x.transpose(0, 1)`:
# two arrows change places, and still nothing moved. Let `view(-1)` follow it (the $-1$
# means *as many as there are*): no strides describe that way through memory, and `view`
# refuses. `reshape` copies.

# %% tags=["nbval-check-output"] key="cat-and-view"
first, second, third = torch.unbind(emb, dim=1)  # each (32, 2)
glued = torch.cat([first, second, third], dim=1)  # (32, 6)
viewed = emb.view(len(X), 6)  # (32, 6)

print("equal numbers:", torch.equal(glued, viewed))
for name, tensor in (("emb", emb), ("glued", glued), ("viewed", viewed)):
    place = "same memory" if tensor.data_ptr() == emb.data_ptr() else "a copy"
    print(f"{name:7} {tuple(tensor.shape)!s:11} strides {tensor.stride()}: {place}")

# %% [markdown]
# Two ways, equal numbers. `cat` glues the three slices together and writes them into
# new memory; `view` says that they lie side by side already, and costs nothing. A slice
# such as `emb[:, 1]` is a view too. An index by a tensor, such as `C[X]`, copies.
#
# But a shape that fits is no proof that the right numbers meet. Here are the first
# contexts, and what becomes of them if we turn the tensor first:

# %% tags=["nbval-check-output"] key="mixed-up"
turned = X.T.reshape(len(X), 3)  # the same shape as X
for name, tensor in (("X", X), ("turned", turned)):
    print(f"{name:7}", ["".join(itos[i] for i in row) for row in tensor[:5].tolist()])

# %% [markdown]
# The second line mixes the letters of several examples. A network would train on it
# without an error, and learn little.
#
# A tensor is memory and a way of reading it; `view` changes the way alone.

# %% [markdown]
# ## A hidden layer
#
# **Question.** Six numbers go in, and a score for each of 27 letters shall come out.
# What stands between?
#
# A hundred of lesson 1's neurons: each weighs the six numbers, adds its bias, and
# squashes the sum with $\tanh$. A **hidden layer**, between input and output, is one
# product of matrices, a column of weights for each neuron. A second layer makes 27
# scores of the hundred outputs: logits, as in lesson 2.
#
# *In the video: the hidden layer, the output layer, the loss.*

# %% tags=["nbval-check-output"] key="forward"
W1 = torch.randn((6, 100), generator=g)
b1 = torch.randn(100, generator=g)
W2 = torch.randn((100, 27), generator=g)
b2 = torch.randn(27, generator=g)

h = torch.tanh(viewed @ W1 + b1)  # (32, 6) @ (6, 100) + (100,) -> (32, 100)
logits = h @ W2 + b2  # (32, 100) @ (100, 27) + (27,) -> (32, 27)

counted = [p.nelement() for p in (C, W1, b1, W2, b2)]
print(" + ".join(f"{n:,}" for n in counted), f"= {sum(counted):,} parameters")

# %% [markdown]
# The bias has one number for each neuron, the product one row for each example.
# Broadcasting lines shapes up from the right, so the $(100)$ is read as $(1, 100)$ and
# used for every row, as it should be. A bias of the shape $(100, 1)$ would run down
# instead of across. Is that an error?

# %% tags=["nbval-check-output"] key="bias-shapes"
for shape in ((100,), (100, 1)):
    bias = torch.arange(100).view(shape)  # neuron 0 has bias 0, neuron 1 has 1, ...
    for examples in (32, 100):
        try:
            row = (torch.zeros(examples, 100) + bias)[7].tolist()
            says = f"example 7 gets {row[0]:g}, {row[1]:g}, {row[2]:g}, ..."
        except RuntimeError:
            says = "an error"
        print(f"bias {shape!s:8} on {examples:3} examples: {says}")

# %% [markdown]
# Only by luck. With as many examples as neurons the wrong bias fits, each example gets
# one bias for all its neurons, and nobody complains.
#
# Now the loss. As in lesson 2, exponentials make the logits positive, and dividing by
# their sum makes probabilities of them: the softmax.
#
# **Predict.** Nothing is trained yet. A model that holds all 27 letters for equally
# likely pays $\ln 27 = 3.30$ nats. What does ours pay?

# %% tags=["predict"]
guess = predict("mlp.first_loss", unit="nats")

# %%
counts = logits.exp()
prob = counts / counts.sum(1, keepdim=True)  # (32, 27), rows sum to 1
loss = -prob[torch.arange(len(Y)), Y].log().mean()
guess.compare(round(loss.item(), 2))

# %%
fig, ax = style.figure("wide")
named = ["".join(itos[i] for i in row) for row in X[:8].tolist()]
ax.set_title("Untrained, it is nearly sure of one letter each time")
style.matrix(ax, prob[:8], "amount", rows=named, columns=list(itos.values()))
for row, letter in enumerate(Y[:8].tolist()):
    ax.plot(letter, row, "s", color=style.BACKWARD, fillstyle="none", markersize=9)

# %% [markdown]
# **Look.** Each row is a context, and the dark cell is the letter that the model
# believes in. It is nearly sure each time. The orange square is the letter that came.

# %% [markdown] tags=["why"]
# **Why.** It knows nothing and does not say so. A hundred random outputs times a
# hundred random weights add up to large scores, and the softmax of large scores is all
# but certain of one letter: nearly always the wrong one. That costs far more than the
# honest $3.30$.

# %% [markdown]
# Look up, lay side by side, squash, score: the whole model is four lines.
#
# **Your turn.** In the exercises: `mlp.hidden`, these lines as a class.

# %% [markdown]
# ## A loss that does not overflow
#
# **Question.** Our three lines for the loss have a name in PyTorch, `F.cross_entropy`.
# It takes logits and targets. Is it more than a shorter way to write them?
#
# Give both the same scores, then the same scores with something added to all of them.
# That changes no probability: $e^{z + c} = e^z e^c$, and the $e^c$ cancels.
#
# *In the video: cross-entropy, and why to use it.*


# %% tags=["nbval-check-output"] key="overflow"
def by_hand(logits, target):
    counts = logits.exp()
    return -(counts / counts.sum())[target].log().item()


scores = torch.tensor([-2.0, -3.0, 0.0, 5.0])
for more in (0, 50, 100):
    ours = by_hand(scores + more, 2)
    theirs = F.cross_entropy(scores + more, torch.tensor(2)).item()
    print(f"scores + {more:3}: by hand {ours:.4f}   cross_entropy {theirs:.4f}")

# %% [markdown]
# $e^{100}$ is more than a 32-bit float can hold, and infinity over infinity is `nan`,
# as in lesson 2. The cure is the same: from each row its largest score is taken away
# first. Then no exponent is above zero, and $e^0 = 1$ is the largest of the
# exponentials.

# %% tags=["nbval-check-output"] key="row-by-row"
batch = torch.tensor([[-2.0, -3.0, 0.0, 5.0], [101.0, 100.0, 99.0, 98.0]])
largest = batch.max(1, keepdim=True)  # (2, 1) each: a column, so that rows stay rows
print("values", largest.values.tolist(), "  places", largest.indices.tolist())
print("shifted", (batch - largest.values).tolist())

# %% [markdown]
# `F.cross_entropy` also does less work, with no matrices of counts and probabilities in
# between for a gradient to walk through.

# %% [markdown]
# One trap is left: it takes the softmax itself, so it wants the logits. A model that is
# perfect, and that hands over its probabilities instead, does not look perfect.

# %% tags=["nbval-check-output"] key="softmax-twice"
certain = F.one_hot(Y, 27).float()  # all of the probability on the right letter
print(f"its probabilities handed over: {F.cross_entropy(certain, Y):.4f}")
print(f"their logarithms, which are logits: {F.cross_entropy(certain.log(), Y):.4f}")

# %% [markdown]
# Hand over logits, and the library subtracts the largest and takes the softmax, once.
#
# **Your turn.** In the exercises: `mlp.cross_entropy`, your own, safe for scores of
# $\pm 1000$.

# %% [markdown]
# ## Thirty-two examples, by heart
#
# **Question.** Can it learn at all? The surest test is a small one: a network of
# thousands of numbers should come to know 32 examples by heart.
#
# First our lines move into a class, so that we can have several networks, and the
# training step of lesson 1 into a function: the loss, the old gradients away, the new
# ones, and every parameter a little downhill.
#
# *In the video: overfitting a single batch.*


# %%
class MLP:
    """The model of Bengio et al. (2003) on letters: contexts (N, 3) -> logits."""

    def __init__(self, embedding, hidden, block_size=3, seed=2147483647):
        g = torch.Generator().manual_seed(seed)
        wide = block_size * embedding
        self.C = torch.randn((27, embedding), generator=g)
        self.W1 = torch.randn((wide, hidden), generator=g)
        self.b1 = torch.randn(hidden, generator=g)
        self.W2 = torch.randn((hidden, 27), generator=g)
        self.b2 = torch.randn(27, generator=g)
        for p in self.parameters():
            p.requires_grad = True

    def __call__(self, X):
        x = self.C[X].view(len(X), -1)  # (N, block_size * embedding)
        h = torch.tanh(x @ self.W1 + self.b1)  # (N, hidden)
        return h @ self.W2 + self.b2  # (N, 27)

    def parameters(self):
        return [self.C, self.W1, self.b1, self.W2, self.b2]


# %%
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
# A thousand steps, always on the same 32 examples, take some seconds. `live.train`
# draws the loss as it falls. Its axis is logarithmic here, with equal distances for
# equal ratios: on an even axis the plunge at the start would press all the rest flat.
#
# **Predict.** It has 3,481 numbers for 32 examples. How low does the loss get?

# %% tags=["predict"]
guess = predict("mlp.one_batch", unit="nats")

# %%
small = MLP(embedding=2, hidden=100)
for _ in (run := live.train(1_000, lr=0.1, panels=("loss",), log_axis=True)):
    run.log(loss=descend(small, X, Y, run.lr))
guess.compare(round(F.cross_entropy(small(X), Y).item(), 3))

# %% [markdown] tags=["why"]
# **Why.** Not zero. All five names begin after the same three dots, and go on with
# different letters. Nothing in the context tells which; the best that any model can do
# there is to give each of them its share. The next cell works out that best.

# %% tags=["nbval-check-output"] key="the-floor"
pairs = list(contexts(words[:5], 3))
rows, cells = Counter(context for context, _ in pairs), Counter(pairs)
floor = -sum(math.log(cells[pair] / rows[pair[0]]) for pair in pairs) / len(pairs)
print("after ... come", " ".join(x for context, x in cells if context == "..."))
print(f"the lowest loss that these examples allow: {floor:.4f}")

# %%
with torch.no_grad():  # no gradient is needed, so nothing is kept for one
    print(f"the {len(X)} examples:      {F.cross_entropy(small(X), Y):.2f}")
    print(f"all {len(Xdev):,} of dev: {F.cross_entropy(small(Xdev), Ydev):.2f}")

# %% [markdown]
# What it knows by heart it knows about as well as it can be known. On other names it
# pays more than a model that says nothing, $3.30$.
#
# A low loss on what was learned by heart says that the code works, and no more.

# %% [markdown]
# ## How large a step
#
# **Question.** An exact step would use all of train, some 180,000 examples at once. Is
# there a cheaper one?
#
# Take a few examples at random, a minibatch, and other ones for each step. Its loss and
# its gradient are only roughly those of the whole. How roughly? We let a network learn
# for 2,000 such steps, and then ask many batches for its loss.
#
# *In the video: minibatches, and finding a learning rate.*


# %%
def minibatch(X, Y, size, generator):
    """So many examples at random: contexts (size, 3) and letters (size,)."""
    ix = torch.randint(0, len(X), (size,), generator=generator)
    return X[ix], Y[ix]  # the same places in both


dice = torch.Generator().manual_seed(1)
rough = MLP(embedding=2, hidden=100)
for _ in range(budget(full=2_000, check=300)):
    descend(rough, *minibatch(Xtr, Ytr, 32, dice), lr=0.1)

with torch.no_grad():
    print(f"all of train    {F.cross_entropy(rough(Xtr), Ytr):.2f}")
    for size in (8, 32, 512):
        drawn = [minibatch(Xtr, Ytr, size, dice) for _ in range(200)]
        rumours = torch.stack([F.cross_entropy(rough(x), y) for x, y in drawn])
        mean, scatter = rumours.mean(), rumours.std()
        print(f"batches of {size:3}  {mean:.2f}, give or take {scatter:.2f}")

# %% [markdown]
# On average the batches are right; a single one is off by some tenths, up or down. That
# is good enough for a direction: many rough steps beat few exact ones. It is not good
# enough for a verdict. To judge a model, ask a whole pile.
#
# And how large is a good step? Try all sizes: a thousand steps, each a little larger
# than the last, from $10^{-3}$ to $10^{0.3}$. The *exponents* are evenly spaced; rates
# evenly spaced would nearly all be large.

# %%
exponents = torch.linspace(-3, 0.3, budget(full=1_000, check=200))
trial, found = MLP(embedding=2, hidden=100), []
for step in (run := live.train(len(exponents), panels=("loss",), log_axis=True)):
    found.append(descend(trial, *minibatch(Xtr, Ytr, 32, dice), 10 ** exponents[step]))
    run.log(loss=found[-1])

# %%
explore.lr_range(exponents[: len(found)], found)

# %% [markdown]
# The same losses, each averaged with its neighbours, since the lowest single batch is
# luck; below them stands the exponent. Drag the pointer, and read off a rate inside the
# valley that keeps its distance from the right end, where one unlucky step throws the
# network out, or makes its loss `nan`. We take $10^{-1} = 0.1$.
#
# At such a rate the model soon hovers: each step overshoots a little, and the loss
# stays up. So, **learning-rate decay**: smaller steps at the end, here the last ninth.


# %%
@torch.no_grad()  # as `with torch.no_grad():`, around all of the function
def evaluate(model, X, Y):
    """The mean loss over all of these examples, a plain number."""
    return F.cross_entropy(model(X), Y).item()


settling, total = MLP(embedding=2, hidden=100), budget(full=9_000, check=300)
last, before = total // 9 * 8, math.nan  # the rate falls at step `last`
for step in (run := live.train(total, lr=lambda step: 0.1 if step < last else 0.01)):
    if step == last:
        before = evaluate(settling, Xdev, Ydev)
    run.log(loss=descend(settling, *minibatch(Xtr, Ytr, 32, dice), run.lr))

after = evaluate(settling, Xdev, Ydev)
print(f"dev at 0.1: {before:.3f}   then {total - last:,} steps at 0.01: {after:.3f}")

# %% [markdown]
# In the picture the dark line is the loss, averaged over its neighbours, and the grey
# around it is what single batches say. It bends down once more at the end: large steps
# travel, small steps settle. Lowered too early, the rate would leave the model on its
# way.
#
# A cut is one **schedule** of many. Another climbs over the first tenth, then glides
# down on half a wave: the cosine falls from $1$ to $-1$, and $(1 + \cos) / 2$ from $1$
# to $0$.

# %%
fig, ax = style.figure("wide")
part = torch.linspace(0, 1, 201)  # of all steps
ax.set_title("Two schedules: cut once, or climb and glide down")
ax.set(xlabel="part of all steps", ylabel="rate, as a part of the highest")
cut, rise = torch.where(part < 8 / 9, 1.0, 0.1), part / 0.1
glide = (1 + torch.cos(math.pi * (part - 0.1) / 0.9)) / 2
ax.plot(part, cut, color=style.REFERENCE)
ax.plot(part, torch.where(part < 0.1, rise, glide), color=style.FORWARD)
style.label_line(ax, (0.72, 1.07), "cut once", style.REFERENCE)
_ = style.label_line(ax, (0.46, 0.7), "cycle", style.FORWARD)

# %% [markdown]
# **Look.** Both are large for most of the way and small at the end.
#
# Find the rate by experiment, stay below the explosion, lower it last.
#
# **Your turn.** In the exercises: `mlp.minibatch_step`; `mlp.lr_finder`, the search;
# `mlp.schedule`, the decay; `mlp.evaluate`, the whole pile without gradients.

# %% [markdown]
# ## Too small, too large
#
# **Question.** How many neurons should a model have?
#
# To see what goes wrong at both ends we take few names, a thousand, and four sizes of
# the hidden layer. All four learn side by side, from the same batches. It takes ten
# seconds to a minute, and *Stop* ends it early: what follows holds all the same. The
# lines are named after the number of neurons, $H$.
#
# *In the video: underfitting, and a larger hidden layer.*

# %%
few, dice = build_dataset(train_names[:1_000]), torch.Generator().manual_seed(2)
side_by_side = {hidden: MLP(embedding=10, hidden=hidden) for hidden in (3, 15, 60, 300)}
total, measured = budget(full=6_000, check=60), []
for step in (run := live.train(total, lr=0.1, panels=("loss",), log_axis=True)):
    batch = minibatch(*few, 64, dice)
    for hidden, model in side_by_side.items():
        run.log(**{f"H {hidden}": descend(model, *batch, run.lr)})
    if (step + 1) % (total // 6) == 0:
        for hidden, model in side_by_side.items():
            losses = evaluate(model, *few), evaluate(model, Xdev, Ydev)
            measured.append((hidden, step + 1, *losses))

# %%
explore.capacity(measured)

# %% [markdown]
# Choose the smallest: it cannot even learn its own thousand names well, and does as
# badly on new ones. It **underfits**. Choose the largest: the loss on train falls and
# falls, and the loss on dev lies far above. It knows its names by heart and little
# else; it **overfits**. Then go back in time. High and close may also mean *not yet
# trained*.
#
# With all of train there are far more examples than our networks have numbers. There we
# expect the other fault, underfitting.

# %% [markdown]
# One function for all that follows. Its picture shows the loss on train and, every 500
# steps, on dev; in grey, the table of one letter, and the loss on dev that the video
# ends with, after ten times as many steps.


# %%
def train(model, steps, lr, every=500):
    """Minibatch descent; the loss of each batch, and the letters' points on the way."""
    dice, losses, frames = torch.Generator().manual_seed(2147483647), [], []
    marks = {"table, 1 letter": ledger["table, 1 letter"][1], "the video": 2.170}
    run = live.train(steps, lr=lr, panels=("loss",), reference=marks)
    for step in run:
        if step % every == 0 or step == steps - 1:
            on_dev = evaluate(model, Xdev, Ydev)
            run.log(dev=on_dev)
            frames.append(explore.record_letters(model.C, step, on_dev))
        losses.append(descend(model, *minibatch(Xtr, Ytr, 32, dice), run.lr))
        run.log(loss=losses[-1])
    return losses, frames


def enter(what, model):
    """Measure a model on all of train and dev, for the ledger."""
    ledger[what] = evaluate(model, Xtr, Ytr), evaluate(model, Xdev, Ydev)
    print("{}: train {:.3f}, dev {:.3f}".format(what, *ledger[what]))


# %% [markdown]
# First the network that we have, two numbers a letter and a hundred neurons. It takes
# 20,000 steps, ten seconds to a minute: at the rate $0.1$, and in the last quarter at a
# tenth of it. If you like, do not wait for that: turn the rate down at about step
# 8,000, and see what the loss does.

# %%
steps = budget(full=20_000, check=300)


def decayed(step):
    return 0.1 if step < 0.75 * steps else 0.01


flat = MLP(embedding=2, hidden=100)
_, frames = train(flat, steps, decayed)
enter("2 numbers, 100 neurons", flat)

# %% [markdown]
# Compare the two losses with each other: dev is no worse than train, so nothing is
# known by heart, and the model is too small or too little trained. Compare them with
# the ledger: three letters of context, and it does not reach the table of two.
#
# **Predict.** So, three times the neurons. By how much does the loss on dev fall?

# %% tags=["predict"]
guess = predict("mlp.more_neurons", unit="nats")

# %%
wider = MLP(embedding=2, hidden=300)
train(wider, steps, decayed)
enter("2 numbers, 300 neurons", wider)
fall = ledger["2 numbers, 100 neurons"][1] - ledger["2 numbers, 300 neurons"][1]
guess.compare(round(fall, 3))

# %% [markdown] tags=["why"]
# **Why.** Three hundred neurons look through the same keyhole as one hundred: two
# numbers for each letter. If 27 letters have to share a sheet of paper, many must stand
# close to letters that they have little in common with. Let us see how they stand.

# %%
explore.letter_map(frames, itos)

# %% [markdown]
# Play it. Nobody told the network what a vowel is, and yet it moves most of them close
# together, since names go on alike after them. Not all: look for `u`, which began far
# out, among a few consonants that did too. Most other consonants crowd on one spot: for
# them, two numbers are not enough.
#
# So, ten numbers for each letter, and two hundred neurons: the size of the video's last
# network.

# %%
roomy = MLP(embedding=10, hidden=200)
jitter, _ = train(roomy, steps, decayed)
enter("10 numbers, 200 neurons", roomy)

# %%
fig, ax = style.figure("wide")
ax.set_yscale("log")
ax.set(xlabel="step", ylabel="loss (nats)", ylim=(1.5, 30))
ax.set_title("Single batches scatter, and their mean falls again with the rate")
ax.plot(jitter, color=style.REFERENCE, linewidth=0.4, alpha=0.6)
group = max(1, len(jitter) // 60)
whole = len(jitter) // group * group  # what is left over makes no group
means = torch.tensor(jitter[:whole]).view(-1, group).mean(1)
ax.plot([group * (i + 0.5) for i in range(len(means))], means, color=style.TRAIN)
ax.axvline(0.75 * steps, color=style.BACKWARD, linewidth=1)
ax.set_yticks([2, 3, 5, 10, 20], ["2", "3", "5", "10", "20"])
ax.minorticks_off()
_ = style.label_line(ax, (0.75 * steps, 15), "a tenth of the rate", style.BACKWARD)

# %% [markdown]
# **Look.** The same run on a logarithmic axis. Grey are single batches of 32; larger
# batches would scatter less. The dark line, their mean over many steps, goes down a
# step where the rate does.
#
# The video's run is longer, 200,000 steps, of which half are at the lower rate. If you
# have two minutes, set `long_run` to `True` and run the cell once more.

# %%
long_run = False  # True: 200,000 steps, one to two minutes

if long_run:
    patient = MLP(embedding=10, hidden=200)
    train(patient, 200_000, lambda step: 0.1 if step < 100_000 else 0.01, every=5_000)
    enter("10 numbers, 200,000 steps", patient)
ledger["the video, 200,000 steps"] = 2.126, 2.170
show_ledger()

# %% [markdown]
# A fair reading of it: patience buys more than size, and a counted table of three
# letters is still ahead. What does the network have for it, then? What each of them
# costs, in numbers to be learned, and what one letter more would cost:

# %% tags=["nbval-check-output"] key="what-it-costs"
for length in (3, 4, 8):
    needed = sum(p.nelement() for p in MLP(10, 200, block_size=length).parameters())
    print(f"{length} letters: table {27 ** (length + 1):21,}   network {needed:6,}")

# %% [markdown]
# A letter more makes the table 27 times as large; it costs the network 2,000 weights.
# Lesson 6 goes that way, to eight letters.
#
# Both losses high and close: make the model larger, or train it longer. Dev far above
# train: make it smaller, stop where dev was lowest, put a price on large weights as in
# lesson 2, or find more data. One change at a time, each a line in the ledger.
#
# **Your turn.** In the exercises: `mlp.train`, the loop that watches both losses.

# %% [markdown]
# ## Names that nobody had
#
# **Question.** What does such a loss sound like?
#
# Begin with three dots. Ask the network for the probabilities of the next letter, draw
# one of the letters with these probabilities, and move the window on by it. Go on until
# the dot is drawn (or, since an untrained network may never draw it, to fifteen
# letters).
#
# *In the video: sampling from the model.*


# %%
@torch.no_grad()
def sample(model, generator, longest=15):
    """One name, letter by letter."""
    context, name = [0] * 3, ""
    while len(name) < longest:
        prob = F.softmax(model(torch.tensor([context])), dim=1)  # (1, 27)
        ix = torch.multinomial(prob, 1, generator=generator).item()
        if ix == 0:
            break
        context = [*context[1:], ix]
        name += itos[ix]
    return name


for what, model in (("untrained", MLP(10, 200)), ("trained", roomy)):
    dice = torch.Generator().manual_seed(2147483647 + 10)
    print(f"{what:10}", ", ".join(sample(model, dice) for _ in range(7)))

# %% [markdown]
# The untrained one is as sure of itself as we saw: after each window it has one
# favourite letter, and takes it. The trained one writes what could be somebody's name.
# Does it only repeat names that it was shown?

# %%
dice = torch.Generator().manual_seed(3)
written = [sample(roomy, dice) for _ in range(budget(full=1_000, check=50))]
known = set(words)
invented = [name for name in written if name not in known]
print(f"{100 * len(invented) / len(written):.0f} % of {len(written):,} are in no list")

# %% [markdown]
# Three letters of context hold a syllable together. They do not know how the name
# began, and it shows at the seams.
#
# A model that gives probabilities is a model that writes.
#
# **Your turn.** In the exercises: `mlp.sample`.

# %% [markdown]
# ## What you have now
#
# You gave each letter a place and let a network read three at once. You found a
# learning rate by experiment, and saw the loss fall again when the rate did. And you
# read two losses side by side: both high, or far apart. The figure is your ledger, the
# lines below it are what your cells measured, and the last of them looks at test, once.

# %%
fig, ax = style.figure("wide")
tried = {what: dev for what, (_, dev) in ledger.items() if dev < 3}
ax.set_title("What each change brought, on names kept aside")
ax.set_xlabel("loss on dev (nats)")
ax.margins(x=0.15)
ax.set_yticks(range(len(tried)), tried)
ax.invert_yaxis()
ax.grid(axis="y")
for row, (what, dev) in enumerate(tried.items()):
    colour = style.VALID if "neurons" in what else style.REFERENCE
    ax.plot([dev], [row], color=colour, marker="o")
    style.label_line(ax, (dev, row), f"{dev:.3f}", colour)

# %%
print(f"a tenth of the rate: dev {before:.3f} -> {after:.3f}")
for hidden, _, on_train, on_dev in measured[-4::3]:
    print(f"{hidden} neurons, few names: train {on_train:.2f}, dev {on_dev:.2f}")
print(f"10 numbers, 200 neurons: test {evaluate(roomy, Xte, Yte):.3f}")

# %% [markdown]
# **Question** for the next lesson. Nobody who knows nothing has to pay more than
# $3.30$, and our networks began at five times that, or more. Their first steps only
# unlearn what chance put there. What does a good beginning buy?
#
# **Your turn.** In the exercises: `mlp.init_loss`, a first look at that;
# `mlp.skip_connections`, an idea from the paper of 2003; and `mlp.beat_the_lecture`,
# below the video's loss: begin with the context and the batch, and come back to it
# after lesson 4.
