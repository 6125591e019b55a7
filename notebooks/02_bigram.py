# %% [markdown]
# # 2 · Building makemore
#
# A list of names, and a machine that makes more of them. How far does it get if it
# looks at one letter to guess the next?
#
# You will be able to
#
# - turn a list of names into a table of counts, and the table into a model that writes;
# - predict the shape, the dtype and the broadcasting of a tensor expression;
# - measure a model by one number, and train the same model by gradient descent.

# %% [markdown]
# This page goes with [Building makemore](https://youtu.be/PaCmpygFfXo) by Andrej
# Karpathy and keeps its order; each section names its part of the video. From lesson 1
# you bring gradient descent, from school the logarithm. The exercises are in
# `exercises/02_bigram.ipynb`.
#
# The numbers in the text are those of all 32,033 names. Where they cannot be fetched, a
# smaller list stands in, and yours will differ.

# %%
import random
from collections import Counter

import torch
import torch.nn.functional as F

from workbook import budget, data, explore, live, predict, style

style.use()
words = data.names()

# %% [markdown]
# ## One letter after another
#
# **Question.** What does a name tell about letters?
#
# *In the video: the data, and the bigrams of a word.*

# %% tags=["nbval-check-output"] key="names"
print(" ".join(words[:8]))
print(f"{len(words):,} names, {min(map(len, words))} to {max(map(len, words))} letters")

# %% [markdown]
# The first one, *emma*, tells five things: $e$ may begin a name; after $e$ may come
# $m$; after $m$ may come $m$, or $a$; and after $a$ a name may end. With a dot for the
# start and for the end, these are the pairs of neighbours in `.emma.`, its
# **bigrams**: a word, zipped with itself one step on.

# %% tags=["nbval-check-output"] key="most-common-pairs"
pairs = Counter()
for word in words:
    pairs.update(zip("." + word, word + ".", strict=True))

print([a + b for a, b in zip(".emma", "emma.", strict=True)])
print(f"{sum(pairs.values()):,} pairs, {len(pairs)} of them different")
for (a, b), count in pairs.most_common(5):
    print(f"{a}{b}  {count:,}")

# %% [markdown]
# Of a whole list of names we keep how often each pair occurs. Everything else is
# forgotten: where in the name it stood, and what came two letters before. A model that
# guesses the next letter from the last one is a **bigram** model; one that guesses
# letters at all is a **character-level language model**.
#
# A name is a chain of guesses, each made from one letter.

# %% [markdown]
# ## Tensors: counting all pairs at once
#
# **Question.** Which letter follows $q$? The dictionary knows, but one has to search
# it. Where would the answer stand ready?
#
# In a table: one row for each letter, one column for each that may follow. So letters
# need numbers. The dot is $0$; two symbols, one for the start and one for the end,
# would leave a row and a column that nothing ever fills.
#
# *In the video: the array of counts, and its picture.*

# %% tags=["nbval-check-output"] key="letters-as-numbers"
letters = sorted(set("".join(words)))
stoi = {letter: i for i, letter in enumerate([".", *letters])}
itos = {i: letter for letter, i in stoi.items()}
print(f"{len(stoi)} symbols:", "".join(stoi))
print([stoi[letter] for letter in ".emma."])

# %% tags=["nbval-check-output"] key="the-table"
N = torch.zeros((27, 27), dtype=torch.int32)
for (a, b), count in pairs.items():
    N[stoi[a], stoi[b]] = count

print(N.shape, N.dtype)
print("u after q:", N[stoi["q"], stoi["u"]].item())
print("empty cells:", (N == 0).sum().item())

# %% [markdown]
# **Your turn.** `bigram.vocabulary`.
#
# A **tensor** is a block of numbers of one type, its **dtype**, and a **shape** that
# says how they are arranged. Here is all that the model will ever know.

# %%
fig, ax = style.figure("square")
ax.set_title("Few pairs make up most names")
style.matrix(ax, N, kind="amount", rows=list(stoi), columns=list(stoi))
ax.tick_params(labelsize=6)

# %% [markdown]
# **Look.** The dark cells stand in the first column, where names end, and in the
# columns of the vowels. The row of $q$ is almost white: a rare letter, whatever follows
# it.
#
# A row is what follows a letter; a column, what precedes it. `sum` takes the dimension
# that shall disappear.

# %% tags=["nbval-check-output"] key="rows-and-columns"
print("names that begin:", N[0].sum().item(), "  that end:", N[:, 0].sum().item())
print(N.sum(0).shape, N.sum(1).shape)
print("each letter entered as often as left:", torch.equal(N.sum(0), N.sum(1)))

# %% [markdown]
# That last line is no accident: whoever comes to a letter also leaves it. Remember it;
# further down it will fool us.
#
# The dtype decides what a tensor can do. Whole numbers count; a share is no whole
# number.

# %% tags=["nbval-check-output"] key="dtypes"
print("N.sum()", N.sum().dtype, "  N / 2", (N / 2).dtype, "  N // 2", (N // 2).dtype)
print("N.float()", N.float().dtype, "  N + 0.5", (N + 0.5).dtype)
for name, attempt in (("N.mean()", N.mean), ("N /= 2", lambda: N.div_(2))):
    try:
        attempt()
    except RuntimeError:
        print(f"{name} is refused: the result would not fit into {N.dtype}")

# %% [markdown]
# And where do the numbers live? A tensor is a **storage**, a line of numbers in memory,
# and a way to walk along it. `copy[0]` below is a **view**: another walk, the same
# storage. Write into the row, and the table has changed.

# %% tags=["nbval-check-output"] key="views"
copy = N.clone()
row = copy[0]
row[1] = -1
print("the copy at [0, 1]:", copy[0, 1].item(), "  N:", "as before" * (N[0, 1] > 0))

walks = {"copy": copy, "copy[0]": row, "copy[:, 0]": copy[:, 0], "copy.T": copy.T}
walks["copy.clone()"] = copy.clone()
for name, walk in walks.items():
    where = "same" if walk.data_ptr() == copy.data_ptr() else "its own"
    print(f"{name:13} {tuple(walk.shape)!s:9} strides {walk.stride()!s:8} {where}")

# %% [markdown]
# A **stride** says how far to walk for one step in a dimension. Turning the table over,
# `copy.T`, moves no number; it swaps the strides. So `P = N` followed by `P += 1` would
# change `N` as well, and again each time the cell is run.
#
# Back to counting. Tensors can count without a dictionary: write all names as one line
# of numbers, and every pair is an entry and the one after it.

# %% tags=["nbval-check-output"] key="all-pairs"
text = "." + "".join(word + "." for word in words)
ids = torch.tensor([stoi[letter] for letter in text])
xs, ys = ids[:-1], ids[1:]  # what comes before, what comes after: (n,) each
print(text[:18], ids[:7].tolist())
print(xs.shape, xs.dtype, "the same storage, one step on")

# %% [markdown]
# Tensors of indices pick many cells at once: `M[xs, ys]` is one number for each pair.
#
# **Predict.** We add $1$ to all of those, in one line. What is the largest number in
# the table then? (In `N` it is 6,763.)

# %% tags=["predict"]
guess = predict("bigram.largest_after_adding")

# %%
M = torch.zeros((27, 27), dtype=torch.int64)
M[xs, ys] += 1
guess.compare(M.max())

# %% [markdown] tags=["why"]
# **Why.** The line reads all cells, adds $1$ to what it has read, and writes. The pair
# $n$, end is read 6,763 times as $0$, and 6,763 times a $1$ is written. Counting wants
# an operation that adds up as it writes.

# %% tags=["nbval-check-output"] key="counted-at-once"
M = torch.zeros((27, 27), dtype=torch.int64)
M.index_put_((xs, ys), torch.ones_like(xs), accumulate=True)
print(torch.equal(M, N), " in the first attempt: ", end="")
print(f"{(N > 0).sum().item()} ones for {len(xs):,} pairs")

# %% [markdown]
# A tensor is a storage, a shape, a stride and a dtype; know the four, and you can say
# what a line will do before it does.
#
# **Your turn.** `bigram.counts`.

# %% [markdown]
# ## Writing new names
#
# **Question.** We know how often each letter begins a name. How do we begin one?
#
# Turn the counts of the first row into shares that sum to $1$, **probabilities**, and
# draw from them. A draw needs chance, and chance on a computer is a computed sequence.
# A **generator** started with the same **seed** repeats it.
#
# *In the video: sampling with `torch.multinomial`.*

# %%
p = N[0].float()
p /= p.sum()
top = p.topk(3)
for i, share in zip(top.indices.tolist(), top.values.tolist(), strict=True):
    print(f"a name begins with {itos[i]}: {share:.4f}")

g = torch.Generator().manual_seed(2147483647)
itos[torch.multinomial(p, num_samples=1, generator=g).item()]

# %% [markdown]
# `torch.multinomial` draws indices, each as often as its share says. One default is
# worth knowing. Three letters, with the probabilities $0.6$, $0.3$ and $0.1$:

# %%
g = torch.Generator().manual_seed(2147483647)
three = torch.tensor([0.6, 0.3, 0.1])
print("3 draws:", torch.multinomial(three, 3, generator=g).tolist())
try:
    torch.multinomial(three, 20, generator=g)
except RuntimeError:
    print("20 draws: refused, for nothing is drawn twice")
many = torch.multinomial(three, 10_000, replacement=True, generator=g)
print("10,000 draws with replacement:", many.bincount().tolist())

# %% [markdown]
# Without `replacement=True` each letter leaves the urn when drawn: three draws are an
# order of all three. With one draw a call, as below, it makes no difference.
#
# A name: begin at the dot, draw from its row, go to the row of the letter drawn, and
# stop at the dot.


# %%
def write(table, g):
    """One name, letter by letter; a row of the table says what follows."""
    out, i = [], 0
    while True:
        i = torch.multinomial(table[i], num_samples=1, generator=g).item()
        if i == 0:
            return "".join(out)
        out.append(itos[i])


g = torch.Generator().manual_seed(2147483647)
print("counted:", " ".join(write(N.float(), g) for _ in range(8)))
print("uniform:", " ".join(write(torch.ones(27, 27), g) for _ in range(3)))

# %% [markdown]
# Bad names. But look at what the same loop writes where all letters are equally likely:
# one letter of memory is worth a good deal.
#
# Yours are not the names of the video, with the same seed: PyTorch has changed how it
# draws. A seed is a promise within one version, so no test should rest on it. The next
# picture draws with Python's generator, and writes the same names everywhere.

# %%
explore.name_sampler(N)

# %% [markdown]
# **Look.** Press play. Then move the **temperature**: each probability is raised to
# $1/T$, and the row made to sum to $1$ again. Near $0.1$ the same short name comes
# over and over; at $3$ you are close to the uniform model.
#
# Sampling is a walk from row to row, with chance at each step.
#
# **Your turn.** `bigram.sample`.

# %% [markdown]
# ## Every row at once
#
# **Question.** `multinomial` made shares of each row for us. We want the probabilities
# themselves. How are 27 rows divided, each by its own sum, in one line?
#
# Shapes that differ can be combined: this is **broadcasting**. Write them one under the
# other, aligned *at the right*. In each dimension the sizes must be equal, or one of
# them $1$ or missing; a $1$ is stretched to the other's size, as if copied.
#
# *In the video: vectorised normalisation and broadcasting.*

# %% tags=["nbval-check-output"] key="rows-sum-to-one"
print("sums of rows", tuple(N.sum(1).shape), end="; ")
print("with keepdim", tuple(N.sum(1, keepdim=True).shape))

P = N / N.sum(1, keepdim=True)
#   (27, 27)
#   (27,  1)   stretched to the right: every cell of a row meets the row's own sum
print(P.shape, P.dtype)
print("rows of P sum to", [f"{total:.2f}" for total in P.sum(1)[:5].tolist()])
print("after q:", f"u {P[stoi['q'], stoi['u']]:.4f}, the end {P[stoi['q'], 0]:.4f}")

# %%
explore.broadcasting("27, 27", second=(1, True))

# %% [markdown]
# **Look.** Each coloured sum belongs to a row, and meets that row. Now press
# `A.sum(1)`: a shape without direction lies down as a row, and each sum meets a
# *column*. Then type shapes of your own: a table that is not square, $(4, 5)$ for
# instance, would have told you.
#
# **Predict.** `torch.ones(2, 1, 4) / torch.ones(3, 1)`: which shape?

# %% tags=["predict"]
guess = predict("bigram.shape_of_quotient")

# %% tags=["nbval-check-output"] key="which-shapes-fit"
guess.compare((torch.ones(2, 1, 4) / torch.ones(3, 1)).shape)
for a, b in (((27, 27), (27,)), ((5, 1), (4,)), ((3, 4), (3,))):
    try:
        told = tuple((torch.ones(a) / torch.ones(b)).shape)
    except RuntimeError:
        told = "do not fit"
    print(f"{a!s:8} / {b!s:5} {told}")

# %% [markdown] tags=["why"]
# **Why.** From the right: $4$ against $1$, $1$ against $3$, $2$ against nothing. Each
# time there is a $1$ to stretch. In the last line $4$ stands over $3$, and none is $1$.

# %% [markdown]
# Align at the right; a $1$ stretches; and an error is the lucky case.
#
# **Your turn.** `bigram.probabilities`.

# %% [markdown]
# ## One number for how wrong
#
# **Question.** The model writes better than chance. How much better, in one number?
#
# Ask it about names that exist. A good model gives a high probability to what really
# came. The probability of *all* of it, the **likelihood**, is the product over all
# pairs.
#
# *In the video: the likelihood, its logarithm, and the loss.*

# %% tags=["nbval-check-output"] key="likelihood"
for count in (1, 2, 5, 50):
    n = sum(len(word) + 1 for word in words[:count])
    p = P[xs[:n], ys[:n]].double()  # one probability for each pair
    print(f"{count:2} names, {n:3} pairs: likelihood {p.prod():.1e}")

# %% [markdown]
# Fifty names, and the product has left the range of 64 bits: it underflows to $0$.
# The logarithm saves it, for the log of a product is a sum of logs. With a minus sign,
# so that smaller is better, and divided by the number of pairs, so that long lists and
# short ones compare, it is the **average negative log likelihood**:
#
# $$\text{loss} = -\frac{1}{n}\sum_{i=1}^{n} \ln P[x_i, y_i]$$
#
# Higher likelihood, lower loss. Its unit is the *nat*, for the natural logarithm.

# %%
fig, ax = style.figure("wide")
ax.set_title("To be sure and right costs nothing; to be sure and wrong, a lot")
ax.set(xlabel="probability given to what came", ylabel="cost in nats")
style.reference_line(ax, torch.tensor(27.0).log().item(), "1 in 27")
share = torch.linspace(0.004, 1, 250)
(curve,) = ax.plot(share, -share.log(), color=style.FORWARD)

# %% [markdown]
# **Look.** At probability $1$ the cost is $0$. Towards $0$ it grows without limit:
# what the model holds impossible must not happen.
#
# **Predict.** A model that knows nothing gives each of the 27 letters the same
# probability. What is its loss, in nats?

# %% tags=["predict"]
guess = predict("bigram.uniform_loss", unit="nats")


# %%
def average_loss(table, xs, ys):
    """The mean of -ln table[x, y], in nats."""
    return -table[xs, ys].log().mean()


loss_uniform = average_loss(torch.full((27, 27), 1 / 27), xs, ys)
guess.compare(loss_uniform)

# %% [markdown] tags=["why"]
# **Why.** Each of the guesses costs $-\ln \frac{1}{27} = \ln 27 = 3.2958$, whatever
# comes. A loss above it means that the model is worse than ignorance.

# %% tags=["nbval-check-output"] key="three-losses"
loss_counted = average_loss(P, xs, ys)
frequency = N.sum(0) / N.sum()  # of each letter, whatever came before: (27,)
loss_letters = average_loss(frequency.expand(27, 27), xs, ys)
for name, loss in (
    ("uniform", loss_uniform),
    ("letters by frequency", loss_letters),
    ("pairs, counted", loss_counted),
):
    print(f"{name:21} {loss:.4f} nats, as open as 1 in {loss.exp():.1f}")

# %% [markdown]
# Nearly half a nat for knowing which letters are frequent; another $0.37$ for looking
# at the last one. The counted table scores $2.4540$: its guess is as open as one among
# $e^{2.4540} = 11.6$ equal letters. No table of this kind does better on these names,
# as we shall see.
#
# The loss of a single name shows where it comes from.

# %%
explore.name_scorer(N + 1, name="andrejq")

# %% [markdown]
# **Look.** The bars above the grey line: after $e$ rarely comes $j$, and after $j$ next
# to never $q$, at $7.98$ nats. Type your own name.
#
# Why `N + 1`? No name of the list has $jq$ in it. Unsmoothed, the model calls it
# impossible, and one such pair makes the loss of everything infinite. **Smoothing**
# adds some invented counts to each cell.

# %% tags=["nbval-check-output"] key="smoothed"
jq = torch.tensor([stoi["j"]]), torch.tensor([stoi["q"]])
for smoothing in (0, 1, 100, 10_000):
    counts = N + smoothing
    P_smooth = counts / counts.sum(1, keepdim=True)
    told = average_loss(P_smooth, xs, ys), average_loss(P_smooth, *jq)
    print(f"smoothing {smoothing:6,}: all pairs {told[0]:.4f}   jq {told[1]:.4f}")

# %% [markdown]
# One count for every cell costs half a thousandth, $2.4546$ instead of $2.4540$, and
# nothing is impossible any more. Much smoothing makes all rows alike: the loss goes to
# $3.2958$.
#
# The loss is the mean surprise, in nats, at what really came.
#
# **Your turn.** `bigram.nll`.

# %% [markdown]
# ## A mistake that the loss cannot see
#
# **Question.** One forgotten `keepdim=True`, and the sums of the rows divide the
# columns. We saw that PyTorch does not complain. We have a loss now: surely it will?
#
# **Predict.** Rightly divided, `N + 1` has the loss $2.4546$. What is it when
# `keepdim=True` is missing?
#
# *In the video: the warning about broadcasting. The next step is ours.*

# %% tags=["predict"]
guess = predict("bigram.loss_without_keepdim", unit="nats")

# %%
right = (N + 1) / (N + 1).sum(1, keepdim=True)
wrong = (N + 1) / (N + 1).sum(1)
#        (27, 27)
#            (27)   aligned at the right: a row, copied down
guess.compare(average_loss(wrong, xs, ys))

# %% [markdown]
# The same. Not nearly: the same, to the last digit that a float has to offer. So is the
# table perhaps right after all? Two looks at it.

# %% tags=["nbval-check-output"] key="same-loss"
for name, table in (("right", right), ("wrong", wrong)):
    loss = average_loss(table.double(), xs, ys)
    sums = " ".join(f"{total:.2f}" for total in table.sum(1)[:6].tolist())
    print(f"{name}: loss {loss:.4f}   first rows sum to {sums}")

# %%
fig, axes = style.figure("pair")
axes[0].set_title("With keepdim: each row sums to 1")
axes[1].set_title("Without: from near 0 up to 7")
axes[0].set_ylabel("sum of the row")
colours = style.FORWARD, style.BACKWARD
for ax, table, colour in zip(axes, (right, wrong), colours, strict=True):
    ax.bar(list(stoi), table.sum(1), color=colour)
    ax.tick_params(labelsize=6)
    ax.set_xlabel("row")
    style.reference_line(ax, 1.0)

# %% [markdown]
# **Look.** The grey line at $1$. On the right, frequent letters have far too much, rare
# ones next to nothing. And the names?


# %%
def handwriting(name, table):
    """Three names of a table, and how five hundred are on average."""
    g = torch.Generator().manual_seed(2147483647)
    written = [write(table, g) for _ in range(budget(full=500, check=50))]
    line = "".join(written)
    rare = sum(line.count(letter) for letter in "qxzw") / len(line)
    print(f"{name:8} {len(line) / len(written):5.1f} letters, {rare:4.0%} of q x z w")
    return written[1:4]


tables = {"right": right, "wrong": wrong, "uniform": torch.ones(27, 27)}
first = {name: handwriting(name, table) for name, table in tables.items()}
first["wrong"]

# %% [markdown]
# The wrong table writes like the model that knows nothing: names about four times as
# long, full of rare letters. And it has the loss of the good one. How can that be?

# %% [markdown] tags=["why"]
# **Why.** The two losses differ by what was divided by, the sum $r_i$ of the row or
# $c_j$ of the column:
#
# $$\sum_{i,j} N_{ij} \ln r_i = \sum_i r_i \ln r_i \qquad \sum_{i,j} N_{ij} \ln c_j =
# \sum_j c_j \ln c_j$$
#
# Each letter is entered as often as it is left, so $r_i = c_i$, and the two are one.

# %% [markdown]
# There is sense in it. Divided by its column, a cell answers another question: given
# the letter *after*, what came *before*? The wrong table is a good model of names read
# from right to left. So walk along its columns, `wrong.T`, and turn around what is
# written:

# %%
g = torch.Generator().manual_seed(2147483647)
[write(wrong.T, g)[::-1] for _ in range(8)]

# %% [markdown]
# As good, or as bad, as the names that we had. The loss was honest; it answered the
# question that the table asked.
#
# A loss says how well a table predicts, not that it is the table you meant. Look at row
# sums, and at samples.

# %% [markdown]
# ## The same table, learned
#
# **Question.** Counting worked because a pair has 729 cells. With ten letters of
# memory it would have $27^{10}$. Lesson 1 has another way: start at random, measure,
# walk downhill. Does it find the same table?
#
# First the examples, those of *emma*: five letters that the network sees, `x`, and five
# that it should guess, `y`.
#
# *In the video: the second part, from the training set on.*

# %% tags=["nbval-check-output"] key="five-examples"
emma = torch.tensor([stoi[letter] for letter in ".emma."])
x, y = emma[:-1], emma[1:]
print(x.tolist(), "->", y.tolist())
print("torch.tensor([0, 5])", torch.tensor([0, 5]).dtype)
print("torch.Tensor([0, 5])", torch.Tensor([0, 5]).dtype)

# %% [markdown]
# Two constructors, one capital letter apart: `torch.tensor` takes the dtype from what
# it is given, `torch.Tensor` makes 32-bit floats of anything. An index wants whole
# numbers.
#
# A network wants the opposite. To multiply weights with the *number* of a letter would
# mean that $z$ is 26 times $a$. So a letter becomes a vector, with a single $1$ at its
# place: **one-hot**.

# %% tags=["nbval-check-output"] key="one-hot"
g = torch.Generator().manual_seed(2147483647)
W = torch.randn((27, 27), generator=g, requires_grad=True)
xenc = F.one_hot(x, num_classes=27)
print(tuple(xenc.shape), xenc.dtype, " ones at", xenc.nonzero()[:, 1].tolist())
try:
    xenc @ W
except RuntimeError:
    print("whole numbers times floats: refused")
xenc = xenc.float()

# %% [markdown]
# `W` is a layer of 27 neurons, a column each, with 27 weights and no bias. A matrix
# product takes all dot products of a row on the left with a column on the right.
#
# **Predict.** `xenc @ W`: which shape?

# %% tags=["predict"]
guess = predict("bigram.shape_of_logits")

# %% tags=["nbval-check-output"] key="one-hot-picks-a-row"
logits = xenc @ W  # (5, 27) @ (27, 27)
guess.compare(logits.shape)
print("the same as W[x]:", torch.equal(logits, W[x]))

# %% [markdown]
# Five letters, 27 numbers for each. And a row of zeros with a single $1$, times a
# matrix, is *one row* of the matrix: nothing was computed, a row was looked up. `W` is
# a table like `N`, a row for each letter.
#
# Its numbers may be of either sign, so they cannot be counts. They can be the
# *logarithms* of counts, **logits**. Exponentiate, and divide each row by its sum. The
# two steps together are called **softmax**.

# %% tags=["nbval-check-output"] key="softmax"
counts = logits.exp()  # any number > 0
probs = counts / counts.sum(1, keepdim=True)  # (5, 27) / (5, 1)
print("rows sum to", [round(total, 4) for total in probs.sum(1).tolist()])
print("log N as logits gives P:", torch.allclose(N.log().softmax(1), P))

# %% [markdown]
# The last line is the whole point: with the logarithms of the counts as its weights,
# this network *is* the counted model. So a good `W` exists. Each step here has a slope,
# so we can look for it.
#
# The loss needs, from each row, the one probability of what came: a pair of indices for
# each example.

# %% tags=["nbval-check-output"] key="loss-of-five"
print(probs[torch.arange(5), y].shape, "one number each;  ", end="")
print(probs[:, y].shape, "all columns in y, for every row")
loss = -probs[torch.arange(5), y].log().mean()
print(f"loss {loss:.4f},  W.grad {W.grad}")
loss.backward()
reached = (W.grad != 0).any(1)
rows = [itos[i] for i in reached.nonzero()[:, 0].tolist()]
print(f"gradient {tuple(W.grad.shape)}, in the rows of {' '.join(rows)}")

# %% [markdown]
# Four rows have a gradient: only of `.`, $a$, $e$ and $m$ was a row looked up. Before
# `backward()` the gradient was `None`, which PyTorch reads as zero; setting it to
# `None` is how we clear it.
#
# Now all 228,146 examples, one hundred times. `log_softmax` is softmax and logarithm in
# one, safe for large logits. The last term is a charge on the size of the weights; its
# turn comes below.

# %%
W = torch.randn((27, 27), generator=torch.Generator().manual_seed(2147483647))
W.requires_grad_()
each = torch.arange(len(xs))
goal = {"counted": loss_counted.item()}
for _ in (run := live.train(budget(full=100, check=10), lr=50.0, reference=goal)):
    logprobs = W[xs].log_softmax(1)  # (n, 27): picks rows, as one-hot @ W does
    nll = -logprobs[each, ys].mean()
    loss = nll + 0.01 * (W**2).mean()
    W.grad = None
    loss.backward()
    W.data -= run.lr * W.grad
    run.log(loss=loss)

print(f"{run.done} steps: loss {loss:.4f}, of which {nll:.4f} is about names")

# %% [markdown]
# From $3.7686$ to $2.4901$, without a count. (`.data` changes the weights behind the
# back of the gradient: the step itself is no part of what is differentiated.)
#
# A learning rate of $50$ would have wrecked lesson 1. Here each weight hears of the
# loss through a mean over all pairs, and most pairs do not concern it: the slopes are
# tiny.
#
# **Your turn.** `bigram.pairs`, `bigram.logits`, `bigram.softmax`, `bigram.train`.

# %% [markdown]
# A hundred steps took a while, for a reason that can be removed. There are 228,146
# pairs but only 729 different ones, and equal pairs have equal losses. So weigh each
# cell by its share of the pairs: the same mean, in a small fraction of the time.


# %% tags=["nbval-check-output"] key="the-same-loss-by-cells"
def by_cells(W, penalty=0.01):
    """The loss over all pairs, added up cell by cell; and its part without penalty."""
    nll = -(N / N.sum() * W.log_softmax(1)).sum()
    return nll + penalty * (W**2).mean(), nll


def learn(steps, lr=50.0, penalty=0.01, watch=()):
    """W after so many steps, the losses, and frames of the steps to watch."""
    W = torch.randn((27, 27), generator=torch.Generator().manual_seed(2147483647))
    W.requires_grad_()
    losses, frames = [], []
    for step in range(steps + 1):
        loss, nll = by_cells(W, penalty)
        if step in watch:
            frames.append(explore.record_table(W, step, nll))
        losses.append((loss.item(), nll.item()))
        W.grad = None
        loss.backward()
        W.data -= lr * W.grad
    return W.detach(), losses, frames


_, losses, _ = learn(2)
print([f"{loss:.4f}" for loss, _ in losses])

# %%
watch = (0, 1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500)
W_learned, losses, frames = learn(500, watch=watch)
loss_learned, nll_learned = losses[-1]
print(f"500 steps: loss {loss_learned:.4f}, of which {nll_learned:.4f} is about names")

# %%
explore.descent_to_table(frames, N)

# %% [markdown]
# **Look.** Step through the frames. The frequent pairs reach the diagonal first: they
# have the larger say in the mean. At the end the two maps can hardly be told apart.
#
# **Predict.** Without the penalty, and with four times as many steps, how low does the
# loss get? The counted table has $2.4540$.

# %% tags=["predict"]
guess = predict("bigram.lowest_loss", unit="nats")

# %%
_, losses, _ = learn(budget(full=2000, check=300), penalty=0.0)
guess.compare(losses[-1][1])

# %% [markdown] tags=["why"]
# **Why.** It comes close, and can come closer, but never below. Among all tables whose
# rows sum to $1$, the counted one has the lowest loss on the names that were counted:
# descent looks for what counting knows. Whoever reports a lower number has made a
# mistake.

# %%
fig, ax = style.figure("wide")
ax.set_title("A learning rate of 50 is right here; 200 is too much")
ax.set(xlabel="step", ylabel="loss in nats", xlim=(0, 112))
style.reference_line(ax, loss_counted.item())
for lr, look in ((1.0, ":"), (50.0, "-"), (200.0, "--")):
    _, losses, _ = learn(100, lr=lr)
    (line,) = ax.plot([nll for _, nll in losses], look, color=style.BACKWARD)
    style.label_line(ax, line, f"lr {lr:g}")

# %% [markdown]
# **Look.** Where the curves end. At $1$ the descent is too slow by far; at $200$ it
# jumps about; none goes below the grey line, the loss of the counted table.
#
# Is the learned model the counted one? Let both write, from the same seed.

# %%
for name, table in (("counted", right), ("learned", W_learned.softmax(1))):
    g = torch.Generator().manual_seed(2147483647)
    print(f"{name}: {' '.join(write(table, g) for _ in range(8))}")

# %% [markdown]
# Nearly the same names, letter for letter. Where they part, a draw fell close to a
# border that the penalty had moved.
#
# And the penalty? It pulls every weight towards $0$. A row of zeros is, after softmax,
# the uniform row. So is a row with a great deal of smoothing.

# %%
fig, axes = style.figure("pair")
for ax, title in zip(axes, ("Smoothed counts", "Penalised weights"), strict=True):
    ax.set_title(f"{title} flatten row q")
    ax.set_xlabel("letters by rank")
axes[0].set_ylabel("probability")
for amount, look in ((0, "-"), (10, "--"), (1000, ":")):
    p = (N[stoi["q"]] + amount) / (N[stoi["q"]] + amount).sum()
    p = p.sort(descending=True).values
    axes[0].plot(p[:8], look, color=style.FORWARD, label=f"+ {amount:,}")
for amount, look in ((0.0, "-"), (0.1, "--"), (10.0, ":")):
    table = learn(500, lr=50 if amount < 1 else 5, penalty=amount)[0].softmax(1)
    p = table[stoi["q"]].sort(descending=True).values
    axes[1].plot(p[:8], look, color=style.BACKWARD, label=f"penalty {amount:g}")
for ax in axes:  # the curves meet at their ends, where a label would stand
    ax.legend()

# %% [markdown]
# **Look.** Left, three amounts of smoothing; right, three penalties. The first letter,
# $u$, sinks towards $1/27$ in both. A penalty on weights is smoothing, in the language
# of networks.
#
# Descent finds the table that counting finds, and asks only that the loss has a slope.
# That is why it will go on where counting ends.
#
# **Your turn.** `bigram.cross_entropy`: the loss in one call, and why to prefer it.

# %% [markdown]
# ## Names kept aside
#
# **Question.** Smoothing always made the loss worse. Why smooth at all?
#
# Because we asked about the names that we had counted. What counts is a name that is
# *new*. So we deal the names into three heaps: **train**, for counting; **dev**, for
# choosing; **test**, to be looked at once, at the end.
#
# *Beyond the video's page: the second of its suggested exercises.*

# %% tags=["nbval-check-output"] key="splits"
dealt = words.copy()  # shuffle works in place: on the list itself, each run changes it
random.Random(42).shuffle(dealt)
ends = int(0.8 * len(dealt)), int(0.9 * len(dealt))
train, dev, test = dealt[: ends[0]], dealt[ends[0] : ends[1]], dealt[ends[1] :]


def pairs_of(names):
    """Letters before and after, all pairs of a list of names: (n,) and (n,)."""
    line = "." + "".join(name + "." for name in names)
    ids = torch.tensor([stoi[letter] for letter in line])
    return ids[:-1], ids[1:]


heaps = {"train": train, "dev": dev, "test": test}
split = {name: pairs_of(heap) for name, heap in heaps.items()}
for name, heap in heaps.items():
    print(f"{name:5} {len(heap):6,} names {len(split[name][0]):8,} pairs")


# %% tags=["nbval-check-output"] key="twins"
def table_of(xs, ys):
    """Counts of pairs, (27, 27)."""
    table = torch.zeros((27, 27), dtype=torch.int64)
    return table.index_put_((xs, ys), torch.ones_like(xs), accumulate=True)


N_train, N_dev = table_of(*split["train"]), table_of(*split["dev"])
twins = len(words) - len(set(words))
known = set(train)
share = sum(name in known for name in dev) / len(dev)
print(f"{twins:,} names are there twice; {share:.1%} of dev are in train as well")

# %% [markdown]
# The list has 2,539 names twice, and the deal separates twins. A model that learns
# names by heart would profit; one with 729 cells can hardly. Keep it in mind for larger
# ones.
#
# Now smooth the table of train, and ask it about dev.

# %%
explore.count_map(N_train, N_dev, row="q")

# %% [markdown]
# **Look.** Find the lowest point of the dashed curve. It is flat around $0.3$; train
# would like none at all. Click rows: what is rare has the most to lose.


# %% tags=["nbval-check-output"] key="smoothing-on-dev"
def smoothed(amount):
    """The table of train, smoothed: rows that sum to 1."""
    return (N_train + amount) / (N_train + amount).sum(1, keepdim=True)


amounts = (0.0, 0.01, 0.1, 0.3, 1.0, 10.0)
on_dev = {amount: average_loss(smoothed(amount), *split["dev"]) for amount in amounts}
for amount, loss in on_dev.items():
    loss_train = average_loss(smoothed(amount), *split["train"])
    print(f"{amount:5}   train {loss_train:.4f}   dev {loss:.4f}")
best = min(on_dev, key=on_dev.get)
loss_test = average_loss(smoothed(best), *split["test"])
print(f"chosen: {best}; on test, once: {loss_test:.4f}")

# %% [markdown]
# Without smoothing dev is infinite: some pair of it never occurs in train, and one is
# enough. With it, train, dev and test agree to a few thousandths: this model is too
# small to learn anything by heart. It does not lack names, it lacks memory.
#
# What is chosen by looking at a number is no longer measured by it: choose on dev,
# report on test.
#
# **Your turn.** `bigram.splits`, `bigram.trigram` with two letters of memory, and
# `bigram.tune_smoothing`.

# %% [markdown]
# ## What you have now
#
# You turned a list of names into 729 counts, and the counts into a model that writes,
# at $2.4540$ nats a letter where ignorance costs $3.2958$. You foretold shapes, and
# know a mistake that only the sums of rows betray: $2.4546$ with it, $2.4546$ without.
# And you found the same table by descent, from $3.7686$ down.

# %%
ledger = (
    ("all letters alike", loss_uniform, "3.2958"),
    ("letters by frequency", loss_letters, ""),
    ("pairs, counted", loss_counted, "2.4540"),
    ("pairs, counted, + 1", average_loss(right, xs, ys), "2.4765"),
    ("pairs, learned, with penalty", loss_learned, "2.4818"),
    ("pairs of 80 % of names, on test", loss_test, ""),
)
before = None
print(f"{'change':33} {'loss':>7} {'difference':>11} {'published':>10}")
for change, loss, published in ledger:
    difference = "" if before is None else f"{loss - before:+.4f}"
    print(f"{change:33} {loss:7.4f} {difference:>11} {published:>10}")
    before = loss

# %% [markdown]
# The published $2.4765$ belongs to another table: in that notebook the cells were run
# out of order, and `P` held the learned probabilities when the loss was printed.
#
# **Question** for the next lesson. Two letters of memory make a table of 19,683 cells,
# three 531,441, more than twice as many as there are pairs to fill them. How can a
# model look further back without a table?
