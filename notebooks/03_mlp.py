# %% [markdown]
# # 3 · MLP
#
# How can a model use a longer past than a table has room for?
#
# You will be able to
#
# - give each letter a place in a space and let a network read three of them at once;
# - find a learning rate by experiment and lower it at the right time;
# - tell from its losses whether a model is too small, too large or not yet trained.

# %% [markdown]
# This page goes with [MLP](https://youtu.be/TCH_1BHY58I) by Andrej Karpathy and keeps
# its order; each section names its part of the video. You bring what lesson 2 taught:
# names, letters as numbers, and a loss in nats. The exercises are in
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
# **Question.** The table of lesson 2 looked one letter back. What would it cost to look
# further, and what would it buy?
#
# The letters that a model sees are its **context**. It slides along the name like a
# window, and where the name has not begun yet, dots fill it.
#
# *In the video: the introduction.*


# %% tags=["nbval-check-output"] key="windows-of-emma"
def contexts(names, length):
    """Each letter of the names, and the dot at their end, after `length` letters."""
    for name in names:
        padded = "." * length + name + "."
        for i in range(length, len(padded)):
            yield padded[i - length : i], padded[i]


for context, letter in contexts(["emma"], 3):
    print(context, "->", letter)

# %%
explore.context_window("emma", block_size=3)

# %% [markdown]
# **Look.** Walk along the name, then make the window longer: the number of examples
# stays, and the padding grows. Type your own name.
#
# A table needs a row for each context.

# %% tags=["nbval-check-output"] key="rows-of-a-table"
for length in range(1, 6):
    seen = Counter(context for context, _ in contexts(words, length))
    each = seen.total() / len(seen)
    print(f"{length} letters: {27**length:10,} rows", end=", ")
    print(f"{len(seen):6,} ever seen, with {each:7,.1f} examples each")

# %% [markdown]
# Each further letter makes the table 27 times as long, and the same names are spread
# over it. Does it still pay? We count on nine names of ten and measure the loss on
# these, and on the tenth ones, which the table has never seen. A count of $0.1$ is
# added everywhere, so that nothing is impossible.


# %% tags=["nbval-check-output"] key="counting-three-letters"
def counting(known, unknown, length, extra=0.1):
    """The losses of a table counted on the known names: on these, on the others."""
    pairs = Counter(contexts(known, length))
    rows = Counter(context for context, _ in contexts(known, length))

    def loss(names):
        tested = list(contexts(names, length))
        p = [(pairs[pair] + extra) / (rows[pair[0]] + 27 * extra) for pair in tested]
        return -sum(map(math.log, p)) / len(p)

    return loss(known), loss(unknown)


tenth = words[::10]
others = [name for i, name in enumerate(words) if i % 10]
tables = {length: counting(others, tenth, length) for length in range(1, 7)}
for length in (1, 2, 3):
    print(f"{length} letters: loss on names it has not counted {tables[length][1]:.3f}")

# %% [markdown]
# **Predict.** Two letters, three letters: each helped. What is the loss on new names
# with *five* letters?

# %% tags=["predict"]
guess = predict("mlp.table_of_five_letters", unit="nats")

# %%
guess.compare(round(tables[5][1], 3))
fig, ax = style.figure("wide")
ax.set_title("From four letters on, a table remembers instead of learning")
ax.set(xlabel="letters of context", ylabel="loss (nats)", xticks=list(tables))
curves = (("counted names", style.TRAIN, "-"), ("new names", style.VALID, style.DASHED))
for i, (what, colour, dash) in enumerate(curves):
    losses = [both[i] for both in tables.values()]
    (line,) = ax.plot(list(tables), losses, color=colour, linestyle=dash, marker="o")
    style.label_line(ax, line, what)

# %% [markdown] tags=["why"]
# **Why.** With five letters most rows hold a handful of examples, and a new name lands
# in rows with none. The table treats `emm` and `imm` as strangers: whatever it learns
# about the one says nothing about the other.

# %% [markdown]
# Bengio and others found the way out in 2003, for words: [A Neural Probabilistic
# Language Model](https://www.jmlr.org/papers/volume3/bengio03a/bengio03a.pdf). Each of
# some 17,000 words gets a **point** in a space of a few dozen numbers, and a network
# reads the points. All of them are parameters, and training moves them. Where two words
# do the same work, their points come close; then what was learned in one context holds
# in another that nobody has ever seen.
#
# We do it with letters. First, the windows as numbers.


# %% tags=["nbval-check-output"] key="five-names"
def build_dataset(names, block_size=3):
    """Contexts X (N, block_size) and the letters Y (N,) that follow them."""
    X, Y = [], []
    for context, letter in contexts(names, block_size):
        X.append([stoi[each] for each in context])
        Y.append(stoi[letter])
    return torch.tensor(X), torch.tensor(Y)


X, Y = build_dataset(words[:5])
print(tuple(X.shape), X.dtype, tuple(Y.shape), Y.dtype)
print(X[:5].tolist(), Y[:5].tolist())

# %% [markdown]
# Five names, and one row for each of their letters and ends. How many letters the
# window shows is the **block size**.
#
# A longer context needs a model that carries over what it learns from one context to
# the next.
#
# **Your turn.** `mlp.build_dataset`.

# %% [markdown]
# ## Letters as points
#
# **Question.** `X` holds the letters' numbers, $e = 5$, $m = 13$. A network adds and
# multiplies; but $m$ is not more than $e$. What should it compute with?
#
# With two numbers for each letter, its coordinates, looked up in a table `C` of one row
# for each letter: an **embedding**. It begins at random.
#
# *In the video: the embedding table.*

# %% tags=["nbval-check-output"] key="one-row"
g = torch.Generator().manual_seed(2147483647)
C = torch.randn((27, 2), generator=g)

one_hot = F.one_hot(torch.tensor(5), num_classes=27).float()
print("row 5 of C ", [f"{x:.4f}" for x in C[5].tolist()])
print("one-hot @ C", [f"{x:.4f}" for x in (one_hot @ C).tolist()])

# %% [markdown]
# Twenty-six of the products are zero: a one-hot vector times a table *picks* a row. So
# an embedding is the first layer of a network, and an index is the cheap way to write
# it.
#
# **Predict.** An index may be a whole tensor. `X` has the shape $(32, 3)$, `C` the
# shape $(27, 2)$. What is the shape of `C[X]`?

# %% tags=["predict"]
guess = predict("mlp.shape_of_embedding")

# %%
emb = C[X]
guess.compare(tuple(emb.shape))

# %% [markdown] tags=["why"]
# **Why.** Each number in `X` is replaced by a row of `C`. The shape of `X` stays, and
# the length of a row is added at its end: 32 examples, of three letters, of two numbers
# each.

# %% tags=["nbval-check-output"] key="any-shape"
print(f"example 4, letter 2 of its context: {itos[X[4, 2].item()]}")
print("the same point:", torch.equal(emb[4, 2], C[X[4, 2]]))
print("all as one-hot:", torch.allclose(emb, F.one_hot(X, 27).float() @ C))

# %% [markdown]
# An embedding is a table of points, and indexing is a multiplication that skips the
# zeros.
#
# **Your turn.** `mlp.embed`.

# %% [markdown]
# ## One memory, many shapes
#
# **Question.** The next layer wants *one* row of numbers for each example. We have
# three points of two. How do we lay them side by side?
#
# Two ways: glue the three slices together, or say that the numbers are in a row
# already.
#
# *In the video: the hidden layer, and the aside on a tensor's storage.*

# %% tags=["nbval-check-output"] key="cat-and-view"
first, second, third = torch.unbind(emb, dim=1)  # each (32, 2)
glued = torch.cat([first, second, third], dim=1)  # (32, 6)
viewed = emb.view(len(X), 6)  # (32, 6)

print("equal numbers:", torch.equal(glued, viewed))
for name, tensor in (("emb", emb), ("glued", glued), ("viewed", viewed)):
    place = "same memory" if tensor.data_ptr() == emb.data_ptr() else "a copy"
    print(f"{name:7} {tuple(tensor.shape)!s:11} strides {tensor.stride()}: {place}")

# %% [markdown]
# Memory is one long row of numbers. A tensor is a way of reading it: a shape, and for
# each dimension a **stride**, how many numbers further its next neighbour lies. `view`
# changes shape and strides. `cat` writes new numbers.
#
# So what is written through a view is seen through the other tensor.

# %% tags=["nbval-check-output"] key="written-through-a-view"
x = torch.arange(24).view(4, 3, 2)
y = x.view(4, 6)
y[0, 0] = 100
print("x[0, 0, 0] is", x[0, 0, 0].item())

# %%
explore.storage((4, 3, 2))

# %% [markdown]
# **Look.** Press *transpose*: the arrows change places, and no number moves. Then let
# `view` follow it. The way through memory jumps, no strides describe it, and `view`
# refuses; `reshape` copies. Type any shape, and operations of your own.
#
# A shape that fits is no proof that the right numbers meet.

# %% tags=["nbval-check-output"] key="mixed-up"
right = X
wrong = X.T.reshape(len(X), 3)  # the shape is right
print("right:", ["".join(itos[i] for i in row) for row in right[:5].tolist()])
print("wrong:", ["".join(itos[i] for i in row) for row in wrong[:5].tolist()])

# %% [markdown]
# The second one mixes the letters of several examples. A network would train on it, and
# learn little.
#
# A tensor is memory and a way of reading it; a view changes the way alone.

# %% [markdown]
# ## A hidden layer
#
# **Question.** Six numbers come in, 27 scores shall go out, one for each letter that
# may come next. What stands between them?
#
# A hundred neurons of lesson 1, each with six weights and a bias, all in one product of
# matrices; then a layer of 27.
#
# *In the video: the hidden layer, the output layer, the loss.*

# %%
W1 = torch.randn((6, 100), generator=g)
b1 = torch.randn(100, generator=g)
W2 = torch.randn((100, 27), generator=g)
b2 = torch.randn(27, generator=g)

h = torch.tanh(viewed @ W1 + b1)  # (32, 6) @ (6, 100) + (100,) -> (32, 100)
logits = h @ W2 + b2  # (32, 100) @ (100, 27) + (27,) -> (32, 27)
logits.shape

# %% [markdown]
# The bias has one number for each neuron, the product one row for each example.
# Broadcasting lines shapes up from the right: $(100)$ is read as $(1, 100)$ and
# repeated down the rows. A bias of the shape $(100, 1)$ would run the other way.

# %% tags=["nbval-check-output"] key="bias-shapes"
for shape in ((100,), (100, 1)):
    for examples in (32, 100):
        try:
            total = torch.zeros(examples, 100) + torch.arange(100).view(shape)
            row = total[7].tolist()
            says = f"example 7 is given {row[0]:g}, {row[1]:g}, {row[2]:g}, ..."
        except RuntimeError:
            says = "an error"
        print(f"bias {shape!s:8} for {examples:3} examples: {says}")

# %% [markdown]
# The dangerous line is the last. With as many examples as neurons the wrong bias fits:
# all neurons of example 7 are given the bias of neuron 7, and nobody complains.
#
# The scores are called **logits**. As in lesson 2, exponentials make them positive and
# a division makes them probabilities; the loss is the mean of $-\log p$ over the
# letters that did come next.
#
# **Predict.** Nothing is trained. Who knows nothing and says so pays $\ln 27 = 3.30$.
# What does our network pay?

# %% tags=["predict"]
guess = predict("mlp.first_loss", unit="nats")

# %%
counts = logits.exp()
prob = counts / counts.sum(1, keepdim=True)  # rows sum to 1
loss = -prob[torch.arange(len(Y)), Y].log().mean()
guess.compare(round(loss.item(), 2))

# %% [markdown] tags=["why"]
# **Why.** It knows nothing and does not say so. A hundred random numbers add up to
# large scores, and the softmax of large scores is all but certain of one letter: nearly
# always the wrong one.

# %% tags=["nbval-check-output"] key="parameters"
parameters = [C, W1, b1, W2, b2]
print(f"logits from {logits.min():.1f} to {logits.max():.1f}")
print(f"its favourite letter, on average: {prob.max(1).values.mean():.2f}")
print(" + ".join(f"{p.nelement():,}" for p in parameters), end=" = ")
print(f"{sum(p.nelement() for p in parameters):,} parameters")

# %% [markdown]
# Look up, lay side by side, squash, score: four lines, and every parameter has a
# gradient.
#
# **Your turn.** `mlp.hidden`; later `mlp.init_loss`, which makes the beginning humble.

# %% [markdown]
# ## A loss that does not overflow
#
# **Question.** Our three lines for the loss have a name in PyTorch, `F.cross_entropy`.
# Is it more than a shorter way to write them?
#
# *In the video: why to use cross-entropy.*


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
# $e^{100}$ is more than a 32-bit float can hold; infinity divided by infinity is *not a
# number*. But adding the same to all scores changes no probability, so one may also
# subtract: the largest score, before anything else. Then no exponent is above zero.
#
# And it does less work: the three lines store two matrices between, and a gradient
# walks back through each. Together they have a formula of one line.
#
# One trap is left. It wants the logits.

# %% tags=["nbval-check-output"] key="softmax-twice"
certain = F.one_hot(Y, 27).float()  # a perfect model's probabilities
print(f"handed over as logits: {F.cross_entropy(certain, Y):.4f}")
print(f"handed over as they should be: {F.cross_entropy(certain.log(), Y):.4f}")

# %% [markdown]
# Handed probabilities, it takes the softmax a second time. Even a perfect model then
# pays $2.36$, and training crawls.
#
# Hand over logits, and let the library subtract the largest.
#
# **Your turn.** `mlp.cross_entropy`, safe at $\pm 1000$.

# %% [markdown]
# ## Thirty-two examples, by heart
#
# **Question.** Can it learn at all? The surest test is a small one: a network of
# thousands of numbers should come to know 32 examples by heart.
#
# First our lines move into a class, so that we can have several networks.
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


# %% [markdown]
# **Predict.** A step is the one of lesson 1: forget, walk back, move. We take a
# thousand of them on the same 32 examples. With 3,481 numbers for 32 examples, how low
# does the loss get?

# %% tags=["predict"]
guess = predict("mlp.thirty_two_by_heart", unit="nats")


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


small = MLP(embedding=2, hidden=100)
for _ in (run := live.train(1_000, lr=0.1, panels=("loss",), log_axis=True)):
    run.log(loss=descend(small, X, Y, run.lr))
guess.compare(round(F.cross_entropy(small(X), Y).item(), 3))

# %% [markdown] tags=["why"]
# **Why.** Not zero. All five names begin after the same three dots, and go on with five
# different letters. Nothing in the context tells which; the best that a model can do is
# to give each a fifth.

# %% tags=["nbval-check-output"] key="the-floor"
pairs = list(contexts(words[:5], 3))
rows, cells = Counter(context for context, _ in pairs), Counter(pairs)
floor = -sum(math.log(cells[pair] / rows[pair[0]]) for pair in pairs) / len(pairs)
print(
    "after ... come", " ".join(letter for context, letter in cells if context == "...")
)
print(f"the lowest loss that these 32 allow: {floor:.4f}")

# %%
Xall, Yall = build_dataset(words)
with torch.no_grad():  # no gradient is needed, so nothing is kept for one
    print(f"the {len(X)} examples: {F.cross_entropy(small(X), Y):.2f}")
    print(f"all {len(Xall):,}: {F.cross_entropy(small(Xall), Yall):.2f}")

# %% [markdown]
# On the names that it knows it is nearly as good as can be. On all names it is far
# worse than the uniform guess.
#
# A low loss on what was learned by heart says that the code works, and no more.

# %% [markdown]
# ## How large a step
#
# **Question.** One exact step takes all 228,146 examples. Is there a cheaper one?
#
# Take a few at random, a **minibatch**, new ones for each step. Its loss and its
# gradient are only roughly right. How roughly?
#
# *In the video: minibatches, finding a learning rate.*


# %%
def minibatch(X, Y, size, generator):
    """So many examples at random, (size, 3) and (size,)."""
    ix = torch.randint(0, len(X), (size,), generator=generator)
    return X[ix], Y[ix]  # the same places in both


g = torch.Generator().manual_seed(1)
rough = MLP(embedding=2, hidden=100)
for _ in range(budget(full=2_000, check=300)):
    descend(rough, *minibatch(Xall, Yall, 32, g), lr=0.1)

with torch.no_grad():
    print(f"all examples    {F.cross_entropy(rough(Xall), Yall):.2f}")
    for size in (8, 32, 512):
        drawn = [minibatch(Xall, Yall, size, g) for _ in range(200)]
        rumours = torch.stack([F.cross_entropy(rough(x), y) for x, y in drawn])
        print(f"batches of {size:3}  {rumours.mean():.2f} ± {rumours.std():.2f}")

# %% [markdown]
# A batch of 32 misses the truth by some two tenths, up or down, for a small part of the
# work: many rough steps beat few exact ones. But the loss of *one* batch is a rumour.
#
# And how large is a step? Try all sizes: a thousand steps, each a little larger than
# the last, from $10^{-3}$ to $10^{0.3}$. The *exponents* are evenly spaced, or nearly
# all of the trials would be large.

# %%
exponents = torch.linspace(-3, 0.3, budget(full=1_000, check=200))
trial, found = MLP(embedding=2, hidden=100), []
for step in (run := live.train(len(exponents), log_axis=True)):
    found.append(descend(trial, *minibatch(Xall, Yall, 32, g), 10 ** exponents[step]))
    run.log(loss=found[-1])

# %%
explore.lr_range(exponents, found)

# %% [markdown]
# **Look.** Drag the pointer. On the left the steps are too small to get anywhere. In
# the valley they travel. At the right end each one jumps across. Around $10^{-1}$ it is
# safe, so the learning rate is $0.1$.
#
# At that rate the model soon hovers, since each step overshoots a little. So take
# smaller ones at the end: **learning-rate decay**. Here, after 8,000 steps.


# %%
@torch.no_grad()
def evaluate(model, X, Y):
    """The mean loss over all of these examples, a plain number."""
    return F.cross_entropy(model(X), Y).item()


settling, total = MLP(embedding=2, hidden=100), budget(full=9_000, check=300)
last = total // 9 * 8  # the last step at the full rate
for step in (run := live.train(total, lr=lambda step: 0.1 if step < last else 0.01)):
    if step == last:
        before = evaluate(settling, Xall, Yall)
    run.log(loss=descend(settling, *minibatch(Xall, Yall, 32, g), run.lr))

after = evaluate(settling, Xall, Yall)
print(
    f"{last:,} steps at 0.1: {before:.3f}   then {total - last:,} at 0.01: {after:.3f}"
)

# %% [markdown]
# An eighth of the steps at a tenth of the rate, and the loss drops at once: large steps
# travel, small steps settle. Lowered too early, the rate would leave the model far from
# the valley.
#
# Find the rate by experiment, stay below the explosion, lower it last.
#
# **Your turn.** `mlp.minibatch_step`, `mlp.lr_finder`, `mlp.schedule`, `mlp.evaluate`.

# %% [markdown]
# ## Three piles of names
#
# **Question.** Learned, or known by heart: how can we tell?
#
# By names that the model has never seen. **Train**, eight names of ten, is for the
# parameters. **Dev**, one of ten, is for *our* choices: sizes, rates, steps. **Test**
# is for the last line of the report: who chooses by it has learned it, too.
#
# *In the video: train, dev and test.*

# %% tags=["nbval-check-output"] key="in-file-order"
a, b = int(0.8 * len(words)), int(0.9 * len(words))
known, new = counting(words[:a], words[a:b], 1)
print(
    f"one letter of context, cut in the list's order: {known:.3f}, new names {new:.3f}"
)

# %% [markdown]
# The piles are unlike: the list has an order, girls' names first, common ones before
# rare ones. So shuffle, and shuffle a *copy*.


# %% tags=["nbval-check-output"] key="split-sizes"
def split_words(names, seed=42):
    """Train, dev and test: 80, 10 and 10 % of the names, shuffled by the seed."""
    shuffled = list(names)  # the caller's list stays as it is
    random.Random(seed).shuffle(shuffled)
    a, b = int(0.8 * len(names)), int(0.9 * len(names))
    return shuffled[:a], shuffled[a:b], shuffled[b:]


train_names, dev_names, test_names = split_words(words)
Xtr, Ytr = build_dataset(train_names)
Xdev, Ydev = build_dataset(dev_names)
Xte, Yte = build_dataset(test_names)
for pile, examples in ((train_names, Xtr), (dev_names, Xdev), (test_names, Xte)):
    print(f"{len(pile):6,} names, {len(examples):7,} examples")

# %% [markdown]
# We cut between *names*: windows of one name overlap, and should not stand on both
# sides.
#
# **Predict.** What share of the dev names is in train as well, in percent?

# %% tags=["predict"]
guess = predict("mlp.dev_names_in_train", unit="%")

# %%
seen = set(train_names)
shared = [name for name in dev_names if name in seen]
guess.compare(round(100 * len(shared) / len(dev_names), 1))

# %% tags=["nbval-check-output"] key="no-leak"
print(f"{len(words) - len(set(words)):,} names are in the list twice")
print("each used once:", sorted(words) == sorted(train_names + dev_names + test_names))

in_place = list(words)
for _ in range(2):  # as if the cell had been run a second time
    random.Random(42).shuffle(in_place)
moved = set(in_place[len(train_names) :]) - set(dev_names) - set(test_names)
print(f"shuffled in place, twice: {len(moved):,} names of train are in dev or test now")

# %% [markdown] tags=["why"]
# **Why.** Many names are in the list twice, for girls and for boys, and the shuffle may
# part them. Nothing leaks: that is how names are. The last line *is* a leak. A list
# that is shuffled in place has another order whenever its cell runs again, and the
# model of before has seen what is dev now.

# %% [markdown]
# Now we can keep a **ledger**: what was tried, its loss on train and on dev, and what
# is published. The tables of the first section open it.


# %% tags=["nbval-check-output"] key="ledger-opens"
ledger = {"all letters alike": (math.log(27), math.log(27), "")}
for length, published in ((1, "2.454"), (2, ""), (3, "")):
    losses = counting(train_names, dev_names, length)
    ledger[f"table, {length} letter{'s' * (length > 1)}"] = (*losses, published)


def show_ledger():
    print(f"{'':26} {'train':>6} {'dev':>6} {'published':>10}")
    for what, (on_train, on_dev, published) in ledger.items():
        ours = "".join(f"{x:7.3f}" if x else f"{'-':>7}" for x in (on_train, on_dev))
        print(f"{what:26}{ours} {published:>10}")


show_ledger()

# %% [markdown]
# The table of three letters is strong, and it is large: 19,683 rows of 27. Can a
# network of a few thousand numbers come near?
#
# Train to learn, dev to choose, test to report.
#
# **Your turn.** `mlp.splits`.

# %% [markdown]
# ## Too small, too large
#
# **Question.** How many neurons should a model have?
#
# To see what goes wrong at both ends we take few names, a thousand, and five sizes. All
# five learn side by side, from the same batches.
#
# *In the video: the first splits, over- and underfitting, a larger hidden layer.*

# %%
few, dice = build_dataset(train_names[:1_000]), torch.Generator().manual_seed(2)
sizes, measured = (3, 10, 30, 100, 300), []
side_by_side = {hidden: MLP(embedding=10, hidden=hidden) for hidden in sizes}
total = budget(full=6_000, check=60)
for step in (run := live.train(total, lr=0.1, panels=("loss",), log_axis=True)):
    batch = minibatch(*few, 64, dice)
    for hidden, model in side_by_side.items():
        run.log(**{f"{hidden} neurons": descend(model, *batch, run.lr)})
    if (step + 1) % (total // 6) == 0:
        for hidden, model in side_by_side.items():
            losses = evaluate(model, *few), evaluate(model, Xdev, Ydev)
            measured.append((hidden, step + 1, *losses))

# %%
explore.capacity(measured)

# %% [markdown]
# **Look.** Three neurons: both lines high and close together. The model is too small;
# it **underfits**. Three hundred: train falls and falls, dev lies far above. It learned
# its thousand names by heart; it **overfits**. Then go back in time: high and close may
# also mean *not yet trained*.
#
# With all 182,625 examples, a few thousand numbers cannot know them by heart. There we
# expect the other fault. One function for all that follows:


# %%
def train(model, steps, lr, every=500):
    """Minibatch descent; the loss of each batch, and the letters' points on the way."""
    dice, losses, frames = torch.Generator().manual_seed(2147483647), [], []
    marks = {what: on_dev for what, (_, on_dev, _) in ledger.items() if on_dev}
    run = live.train(steps, lr=lr, panels=("loss",), reference=marks, log_axis=True)
    for step in run:
        if step % every == 0:
            on_dev = evaluate(model, Xdev, Ydev)
            run.log(dev=on_dev)
            frames.append(explore.record_letters(model.C, step, on_dev))
        losses.append(descend(model, *minibatch(Xtr, Ytr, 32, dice), run.lr))
        run.log(loss=losses[-1])
    return losses, frames


def enter(what, model, published=""):
    """Measure a model on all of train and dev, for the ledger."""
    losses = evaluate(model, Xtr, Ytr), evaluate(model, Xdev, Ydev)
    ledger[what] = (*losses, published)
    print(f"{what}: train {losses[0]:.3f}, dev {losses[1]:.3f}")


# %% [markdown]
# The grey lines in its picture are the ledger so far. The rate is $0.1$, and a tenth of
# that in the last quarter.

# %%
steps = budget(full=20_000, check=300)


def decayed(step):
    return 0.1 if step < 0.75 * steps else 0.01


flat = MLP(embedding=2, hidden=100)
_, frames = train(flat, steps, decayed)
enter("2 numbers, 100 neurons", flat)

# %% [markdown]
# Better than one letter of context, behind a table of two; and train is no better than
# dev: it underfits.
#
# **Predict.** So, three times the neurons. By how much does the loss on dev fall?

# %% tags=["predict"]
guess = predict("mlp.three_times_the_neurons", unit="nats")

# %%
wider = MLP(embedding=2, hidden=300)
train(wider, steps, decayed)
enter("2 numbers, 300 neurons", wider)
fall = ledger["2 numbers, 100 neurons"][1] - ledger["2 numbers, 300 neurons"][1]
guess.compare(round(fall, 3))

# %% [markdown] tags=["why"]
# **Why.** Three hundred neurons look through the same keyhole, two numbers a letter.
# Twenty-seven letters share a sheet of paper. Perhaps *that* is what is too small.

# %%
explore.letter_map(frames)

# %% [markdown]
# **Look.** Play it. Nobody told the model what a vowel is. Yet `a`, `e`, `i` and `o`
# come together, since names go on alike after them; `q` and the dot keep away from all
# others. And the consonants crowd into one place: the sheet is full.

# %% [markdown]
# Ten numbers for each letter, then, and two hundred neurons: 11,897 numbers in all, the
# model that the video ends with.

# %%
roomy = MLP(embedding=10, hidden=200)
jitter, _ = train(roomy, steps, decayed)
enter("10 numbers, 200 neurons", roomy)

# %%
fig, ax = style.figure("wide")
ax.set_yscale("log")
ax.set(xlabel="step", ylabel="loss (nats)", ylim=(1.5, 30))
ax.set_title("Single batches scatter; their mean falls again with the rate")
ax.plot(jitter, color=style.REFERENCE, linewidth=0.4, alpha=0.6)
group = steps // 60
means = torch.tensor(jitter[: 60 * group]).view(60, group).mean(1)  # (60,)
ax.plot([group * (i + 0.5) for i in range(60)], means, color=style.TRAIN)
ax.axvline(0.75 * steps, color=style.BACKWARD, linewidth=1)
ax.set_yticks([2, 3, 5, 10, 20], ["2", "3", "5", "10", "20"])
ax.minorticks_off()
_ = style.label_line(ax, (0.75 * steps, 15), "a tenth of the rate", style.BACKWARD)

# %% [markdown]
# **Look.** The axis is logarithmic: otherwise the plunge at the start would press all
# the rest flat. Grey are single batches of 32; larger ones would scatter less. The dark
# line is their mean.
#
# The published run takes 200,000 steps. If you have the time, so can you: set
# `long_run` to `True` and run the cell again.

# %%
long_run = False  # True: 200,000 steps, about two minutes

ledger["10 numbers, 200,000 steps"] = (None, None, "2.170")
if long_run:
    patient = MLP(embedding=10, hidden=200)
    train(patient, 200_000, lambda step: 0.1 if step < 100_000 else 0.01, every=5_000)
    enter("10 numbers, 200,000 steps", patient, "2.170")
show_ledger()

# %% [markdown]
# Both losses high and close: make it larger, or train it longer. Dev far above train:
# make it smaller, or find more data. Change one thing at a time, and write down what it
# bought.
#
# **Your turn.** `mlp.train`; then `mlp.beat_the_lecture`, and with an idea from the
# paper, `mlp.skip_connections`.

# %% [markdown]
# ## Names that nobody had
#
# **Question.** What does such a loss sound like?
#
# Begin with three dots. Ask for the probabilities of the next letter, draw one, and
# move the window on; until the dot is drawn.
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
    draws = torch.Generator().manual_seed(2147483647 + 10)
    print(f"{what:10}", ", ".join(sample(model, draws) for _ in range(7)))

# %%
draws = torch.Generator().manual_seed(3)
written = [sample(roomy, draws) for _ in range(budget(full=1_000, check=50))]
seen = set(words)
invented = [name for name in written if name not in seen]
print(f"{100 * len(invented) / len(written):.0f} % of {len(written):,} are in no list")

# %% [markdown]
# Most of them are nobody's name, and many could be somebody's. Three letters of context
# hold a syllable together. They do not know how the name began.
#
# A model that gives probabilities is a model that writes.
#
# **Your turn.** `mlp.sample`.

# %% [markdown]
# ## What you have now
#
# You gave each letter a place, and 11,897 numbers that read three letters at once. They
# reach $2.302$ on names that they have never seen, where one letter of context ends at
# $2.453$. You found the rate $0.1$ by experiment; a tenth of it, at the end, brought
# $2.490$ down to $2.420$. And from two losses you told a model that is too small from
# one that knows its names by heart: $1.820$ on train, $4.363$ on dev.

# %%
fig, ax = style.figure("wide")
tried = {
    what: on_dev for what, (_, on_dev, _) in ledger.items() if on_dev and on_dev < 3
}
ax.set_title("Every change bought something; a table is still ahead")
ax.set(xlabel="loss on dev (nats)", xlim=(2.05, 2.52))
ax.set_yticks(range(len(tried)), tried)
ax.invert_yaxis()
ax.axvline(2.170, color=style.REFERENCE, linestyle=style.DASHED, linewidth=1)
style.label_line(ax, (2.170, -0.4), "published", style.SOFT)
for row, (what, on_dev) in enumerate(tried.items()):
    colour = style.REFERENCE if "table" in what else style.VALID
    ax.plot([2.05, on_dev], [row, row], color=colour, marker="o", markevery=[1])
    style.label_line(ax, (on_dev, row), f"{on_dev:.3f}", colour)

# %%
print(f"test, looked at once: {evaluate(roomy, Xte, Yte):.3f}")
for length in (3, 4, 8):
    numbers = sum(p.nelement() for p in MLP(10, 200, block_size=length).parameters())
    print(
        f"{length} letters: network {numbers:6,} numbers, table {27 ** (length + 1):,}"
    )

# %% [markdown]
# The table of three letters keeps its lead, at $2.102$, and there its way ends: with
# each further letter it grows 27 times, and above we saw it fail. The network pays
# 2,000 numbers for one more letter. Lesson 6 lets it read eight.
#
# **Question** for the next lesson. The first loss was $17.77$, where knowing nothing
# costs $3.30$. So the first steps only *unlearn* what chance put there. What does a
# good beginning buy?
