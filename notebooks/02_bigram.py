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
# Karpathy and keeps its order; each section names its part of the video. You bring
# gradient descent from lesson 1, and logarithms: $\ln$ is the natural one, and it turns
# products into sums. The exercises are in `exercises/02_bigram.ipynb`.
#
# The numbers in the text belong to the list of 32,033 names. Where it cannot be
# fetched, a smaller one stands in, and what your cells print will differ.

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
# **Question.** We want a machine that invents names. All it may study is a list of real
# ones. What can one name teach it?
#
# *In the video: the data, and the bigrams of a word.*

# %% tags=["nbval-check-output"] key="names"
print(" ".join(words[:8]))
print(f"{len(words):,} names, {min(map(len, words))} to {max(map(len, words))} letters")

# %% [markdown]
# The first one, *emma*, tells five things: $e$ may begin a name; after $e$ may come
# $m$; after $m$ may come $m$, or $a$; and after $a$ a name may end. With a dot for the
# start and for the end, these five are the pairs of neighbours in `.emma.`, its
# **bigrams**. Python finds them by zipping the word with itself, one step on.

# %% tags=["nbval-check-output"] key="most-common-pairs"
pairs = Counter()
for word in words:
    pairs.update(zip("." + word, word + ".", strict=True))

print([a + b for a, b in zip(".emma", "emma.", strict=True)])
print(f"{sum(pairs.values()):,} pairs, {len(pairs)} of them different")
for (a, b), count in pairs.most_common(5):
    print(f"{a}{b}  {count:,}")

# %% [markdown]
# The commonest event is that a name ends after $n$. Of the whole list we keep these
# counts, and forget everything else: where in a name a pair stood, and what came two
# letters before. A machine that guesses a text letter by letter is a **character-level
# language model**; one that looks at nothing but the last letter is a **bigram model**.
#
# A name is a chain of guesses, each made from one letter.

# %% [markdown]
# ## Tensors: counting all pairs at once
#
# **Question.** Which letters follow $q$? The dictionary knows, but one has to search
# all of it. Where would the answer stand ready?
#
# In a table: a row for each letter, and in it a column for each that may follow. Rows
# have numbers, so letters get numbers. The dot is $0$, for start and end alike: with a
# symbol for each, a row and a column would stay empty.
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
# `N` is a **tensor**: numbers of one type, its **dtype** (here whole numbers of 32
# bits), arranged in a **shape** (here 27 rows of 27, two **dimensions**). It is all
# that the model will ever know, so let us look at it.
#
# **Your turn.** In the exercises, `bigram.vocabulary`: letters to numbers and back.

# %%
fig, ax = style.figure("square")
ax.set_title("Few pairs make up most names")
style.matrix(ax, N, kind="amount", rows=list(stoi), columns=list(stoi))
ax.set(xlabel="the letter after", ylabel="the letter before")
ax.tick_params(labelsize=6)

# %% [markdown]
# **Look.** The dark cells stand in the first column, where names end, and in the
# columns of $a$, $e$, $i$ and $n$. The row of $q$ is almost white: a rare letter,
# whatever follows it.
#
# A row is what follows a letter; a column is what comes before it. `sum(0)` adds up
# along dimension $0$, from row to row, and leaves a number for each column. `sum(1)`
# leaves one for each row. Are the two lists alike?

# %% tags=["nbval-check-output"] key="rows-and-columns"
print("names that begin:", N[0].sum().item(), "  that end:", N[:, 0].sum().item())
print("columns", N.sum(0).shape, N.sum(0)[:6].tolist())
print("rows   ", N.sum(1).shape, N.sum(1)[:6].tolist())
print("the same numbers:", torch.equal(N.sum(0), N.sum(1)))

# %% [markdown]
# They are the same, letter for letter, and that is no accident. Whoever comes to a
# letter also leaves it, if only for the end. Remember it; further down it will matter.
#
# What can be done with a tensor depends on its dtype. A share is no whole number, so a
# division makes a new tensor, of floats. Written *into* the old one, as `N /= 2` would
# do, it is an error.

# %% tags=["nbval-check-output"] key="dtypes"
print("N.sum()", N.sum().dtype, "  N / 2", (N / 2).dtype, "  N // 2", (N // 2).dtype)
print("N.float()", N.float().dtype, "  N + 0.5", (N + 0.5).dtype)
divide = lambda: N.div_(2)  # noqa: E731 — what N /= 2 does: the dash says "in place"
for name, attempt in (("N.mean()", N.mean), ("N /= 2", divide)):
    try:
        attempt()
    except RuntimeError:
        print(f"{name} is refused: the result would not fit into {N.dtype}")

# %% [markdown]
# And where do the numbers live? In a **storage**, one long line of memory. `copy[0]`
# below copies no number: it is a **view**, and walks along the same line. Write into
# the row, and the table has changed. `N` has not: `clone` made a storage of its own.
#
# So does an index that is a list or a tensor. It may pick rows in any order, and they
# stand side by side nowhere in the old storage.

# %% tags=["nbval-check-output"] key="views"
copy = N.clone()
row = copy[0]
row[1] = -1
print(f"at [0, 1]: the copy holds {copy[0, 1]}, N holds {N[0, 1]:,}")

parts = {"copy[0]": row, "copy[2:5]": copy[2:5], "copy.T": copy.T}
parts |= {"copy[[2, 3, 4]]": copy[[2, 3, 4]], "copy.clone()": copy.clone()}
line = copy.untyped_storage().data_ptr()  # where in memory it begins
for name, part in parts.items():
    same = part.untyped_storage().data_ptr() == line
    print(f"{name:15} {tuple(part.shape)!s:9} {'a view' if same else 'a copy'}")

# %% [markdown]
# A slice is a view, an index with a list is a copy. (How `copy.T` turns a table over
# and moves no number, lesson 3 tells.) And beware of `P = N`, which makes no tensor at
# all, but a second name: after `P += 1`, `N` has changed too.
#
# Back to counting. Tensors can count without a dictionary. Write all names as one long
# line of numbers; then every pair is an entry, and the one after it.

# %% tags=["nbval-check-output"] key="all-pairs"
text = "." + "".join(word + "." for word in words)
ids = torch.tensor([stoi[letter] for letter in text])
xs, ys = ids[:-1], ids[1:]  # what comes before, what comes after: (n,) each
print(text[:18], ids[:7].tolist())
step = ys.storage_offset() - xs.storage_offset()  # where in the storage each begins
print(xs.shape, xs.dtype, f"the same storage, {step} step on")

# %% [markdown]
# With tensors as indices one picks many cells at once: `once[xs, ys]` has one number
# for each pair of the list.
#
# **Predict.** We begin with zeros, and add $1$ to all of those in one line. What is the
# largest number in the table then? (In `N` it is 6,763.)

# %% tags=["predict"]
guess = predict("bigram.largest_after_adding")

# %%
once = torch.zeros((27, 27), dtype=torch.int64)
once[xs, ys] += 1
guess.compare(once.max())

# %% [markdown] tags=["why"]
# **Why.** The line first reads all cells, then adds $1$ to what it has read, then
# writes. The end after $n$ is read 6,763 times as $0$, and 6,763 times a $1$ is
# written. Counting wants an operation that adds up *while* it writes: `index_put_` with
# `accumulate=True` is one. `torch.bincount` is another: it counts how often each number
# occurs, and pair $(i, j)$ is cell number $27 i + j$; the method `view(27, 27)` then
# reads the long row of counts as a table.

# %% tags=["nbval-check-output"] key="counted-at-once"
counted = torch.zeros((27, 27), dtype=torch.int64)
counted.index_put_((xs, ys), torch.ones_like(xs), accumulate=True)
numbered = (27 * xs + ys).bincount(minlength=27 * 27).view(27, 27)
for name, table in (("+= 1", once), ("accumulated", counted), ("numbered", numbered)):
    print(f"{name:12} {table.sum():8,} pairs, at most {table.max():5,} of a kind")
torch.equal(counted, N) and torch.equal(numbered, N)

# %% [markdown]
# A tensor is a storage, a dtype and a shape. Know the three, and you can say what a
# line will do before it does.
#
# **Your turn.** In the exercises, `bigram.counts`: all pairs, without a loop over them.

# %% [markdown]
# ## Writing new names
#
# **Question.** We know how often each letter begins a name. How do we begin one?
#
# Divide the first row by its sum. Its counts become shares of $1$, **probabilities**,
# and from them we draw. A draw needs chance, and on a computer chance is computed: a
# **generator** makes numbers that look random. The number it is started with is its
# **seed**. The same seed makes the same numbers again.
#
# *In the video: sampling with `torch.multinomial`.*

# %%
p = N[0].float()
p /= p.sum()
top = p.topk(3)  # the three largest, and their places
for i, share in zip(top.indices.tolist(), top.values.tolist(), strict=True):
    print(f"a name begins with {itos[i]}: {share:.4f}")

g = torch.Generator().manual_seed(2147483647)
itos[torch.multinomial(p, num_samples=1, generator=g).item()]

# %% [markdown]
# `torch.multinomial` draws indices, each as often as its share says. It has one default
# that surprises. Let us draw from three letters, of probability $0.6$, $0.3$ and $0.1$.

# %%
g = torch.Generator().manual_seed(2147483647)
three = torch.tensor([0.6, 0.3, 0.1])
print("3 draws:", torch.multinomial(three, 3, generator=g).tolist())
try:
    torch.multinomial(three, 20, generator=g)
except RuntimeError:
    print("20 draws: refused, for nothing is drawn twice")
many = torch.multinomial(three, 10_000, replacement=True, generator=g)
print("10,000 draws with replacement:", many.bincount().tolist())  # of 0, 1 and 2

# %% [markdown]
# Without `replacement=True` a letter that was drawn is out of the game, so three draws
# bring each letter once, and twenty cannot be had. With one draw a call, as below, it
# makes no difference.
#
# Now a whole name. Begin in the row of the dot and draw. Go to the row of the letter
# that came, and draw again, until the dot comes: the end.


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
# They are bad names. But compare them with the last line, where all letters are equally
# likely: one letter of memory is worth a good deal.
#
# The video shows other names, from the same seed. PyTorch has changed the way it draws
# since, and may do so again. A seed is a promise within one version, and no more. The
# next picture draws with Python's own generator, and writes the same names everywhere.
# Press play, then try the other two sliders.

# %%
explore.name_sampler(N)

# %% [markdown]
# **Temperature** is a knob that the table itself does not have. Each probability is
# raised to the power $1/T$, and the row divided by its sum again. At $T = 1$ nothing
# changes. A small $T$ favours the favourites, until the same name comes over and over;
# a large one makes the letters more alike, until the names are noise.
#
# Sampling is a walk from row to row, with chance at each step.

# %% [markdown]
# ## Every row at once
#
# **Question.** We divided one row by its sum. How are all 27 divided, each by its own
# sum, in one line?
#
# PyTorch can combine shapes that differ, by **broadcasting**. Write one under the
# other, aligned *at the right*. In each dimension the sizes must be equal, or one of
# them $1$ or missing; then it is stretched to the other's size, as if copied. So the
# sums should keep their dimension, with the size $1$: `keepdim=True`.
#
# *In the video: vectorised normalisation and broadcasting.*

# %% tags=["nbval-check-output"] key="rows-sum-to-one"
print("sums of rows", tuple(N.sum(1).shape), end="; ")
print("with keepdim", tuple(N.sum(1, keepdim=True).shape))

P = N / N.sum(1, keepdim=True)
#   (27, 27)
#   (27,  1)   stretched to the right, so that a cell meets the sum of its row
print(P.shape, P.dtype)
print("rows of P sum to", [f"{total:.2f}" for total in P.sum(1)[:5].tolist()])
print("after q:", f"u {P[stoi['q'], stoi['u']]:.4f}, the end {P[stoi['q'], 0]:.4f}")

# %%
explore.broadcasting("27, 27", second=(1, True))

# %% [markdown]
# Now press `A.sum(1)`, without `keepdim`. The sums are $(27)$: a list, neither a
# row nor a column. Aligned at the right it becomes a row, and each sum meets a
# *column*. Because the table is square, nothing warns you. Type $4, 5$ as the shape of
# `A`: there it would.
#
# **Predict.** What is the shape of `torch.ones(2, 1, 4) / torch.ones(3, 1)`?

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
# **Your turn.** In the exercises, `bigram.probabilities` and `bigram.sample`: the
# table, and names from it.

# %% [markdown]
# ## One number for how wrong
#
# **Question.** The names look better than chance. How much better is the model, in one
# number?
#
# We ask it about names that exist. For each pair `P` has the probability that it gave
# to the letter that really came. The probability of all of them together is their
# product, the **likelihood**: the larger, the better the model.
#
# *In the video: the likelihood, its logarithm, and the loss.*

# %% tags=["nbval-check-output"] key="likelihood"
for count in (1, 2, 5, 50):
    n = sum(len(word) + 1 for word in words[:count])
    p = P[xs[:n], ys[:n]].double()  # one probability for each pair
    print(f"{count:2} names, {n:3} pairs: likelihood {p.prod():.1e}")

# %% [markdown]
# With fifty names the product has left the range of floats: it reads $0$. But the
# logarithm of a product is a sum of logarithms, and those are harmless numbers.
#
# The logarithm of a probability is negative, or $0$ at most. So we turn the sign, and
# call $-\ln p$ the cost of one guess.

# %%
fig, ax = style.figure("wide")
ax.set_title("To be sure and right costs nothing; to be sure and wrong, a lot")
ax.set(xlabel="probability given to what came", ylabel="cost of the guess, in nats")
share = torch.linspace(0.004, 1, 250)
(curve,) = ax.plot(share, -share.log(), color=style.FORWARD)

# %% [markdown]
# **Look.** At probability $1$ the cost is $0$. Towards $0$ it grows without limit: what
# a model holds impossible must not happen.
#
# The mean cost of all $n$ guesses is the **average negative log likelihood**, our loss:
#
# $$\text{loss} = -\frac{1}{n}\sum_{i=1}^{n} \ln P[x_i, y_i]$$
#
# A higher likelihood is a lower loss. The unit is the *nat*, as natural logarithms
# measure it; and being a mean, it compares long lists with short ones.

# %% [markdown]
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
# **Why.** Each guess costs $-\ln \frac{1}{27} = \ln 27 = 3.2958$, whatever comes. A
# model with a higher loss is worse than one that knows nothing.
#
# The table in the next cell adds a model between: it knows how frequent each letter is,
# and looks at no other.

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
# Knowing which letters are frequent is worth nearly half a nat; looking at the last
# letter, another $0.37$. The counted table comes to $2.4540$. Since $e^{2.4540} =
# 11.6$, its guesses are as open as one among $11.6$ equally likely letters, where
# ignorance has $27$.
#
# Which letters cost so much? Type a name of your own.

# %%
explore.name_scorer(N + 1, name="andrejq")

# %% [markdown]
# Why did the scorer get `N + 1`? No name of the list has $jq$ in it. To the plain table
# the pair is impossible, its cost infinite, and so is the mean of anything that
# contains it. **Smoothing** adds invented counts to every cell, for instance one.

# %% tags=["nbval-check-output"] key="smoothed"
jq = torch.tensor([stoi["j"]]), torch.tensor([stoi["q"]])
for smoothing in (0, 1, 100, 10_000):
    counts = N + smoothing
    P_smooth = counts / counts.sum(1, keepdim=True)
    told = average_loss(P_smooth, xs, ys), average_loss(P_smooth, *jq)
    print(f"smoothing {smoothing:6,}: all pairs {told[0]:.4f}   jq {told[1]:.4f}")

# %% [markdown]
# One count for every cell makes nothing impossible any more, and costs little: $2.4546$
# instead of $2.4540$. Much smoothing drowns what was counted: all rows become alike,
# and the loss goes to that of ignorance.
#
# The loss is the mean surprise, in nats, at what really came.
#
# **Your turn.** In the exercises, `bigram.nll`: the loss of a table.

# %% [markdown]
# ## A forgotten keepdim
#
# **Question.** We saw that a forgotten `keepdim=True` divides the columns by the sums
# of the rows, and that PyTorch does not complain. But now we have a loss. What does it
# say?
#
# **Predict.** Rightly divided, `N + 1` has the loss $2.4546$. What is it without
# `keepdim=True`? Say a number, four decimals.
#
# *In the video: the warning about broadcasting. The next step is ours.*

# %% tags=["predict"]
guess = predict("bigram.loss_without_keepdim", unit="nats")

# %%
right = (N + 1.0) / (N + 1).sum(1, keepdim=True)
wrong = (N + 1.0) / (N + 1).sum(1)
#        (27, 27)
#            (27)   aligned at the right: a row, copied down
guess.compare(average_loss(wrong, xs, ys))

# %% [markdown]
# Both losses again, in 64 bits and with more digits, and the sums of the first rows,
# which should be $1$.

# %% tags=["nbval-check-output"] key="same-loss"
for name, table in (("right", right), ("wrong", wrong)):
    loss = average_loss(table.double(), xs, ys)
    sums = " ".join(f"{total:.2f}" for total in table.sum(1)[:6].tolist())
    print(f"{name}: loss {loss:.6f}   rows sum to {sums}")

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
# **Look.** The grey line stands at $1$. On the right frequent letters have far too
# much, and rare ones next to nothing.
#
# The loss is blind to it: to the last digit, both tables score the same. Do they write
# alike? We let each write five hundred names, and a table of ones beside them, which
# knows nothing.


# %%
def handwriting(name, table):
    """Eight names of a table, and how five hundred are on average."""
    g = torch.Generator().manual_seed(2147483647)
    written = [write(table, g) for _ in range(budget(full=500, check=50))]
    line = "".join(written)
    rare = sum(line.count(letter) for letter in "qxzw") / len(line)
    print(f"{name:8} {len(line) / len(written):5.1f} letters, {rare:4.0%} of q x z w")
    return written[:8]


tables = {"right": right, "wrong": wrong, "uniform": torch.ones(27, 27)}
first = {name: handwriting(name, table) for name, table in tables.items()}
first["wrong"]

# %% [markdown]
# The wrong table writes like the one that knows nothing. On average its names are about
# four times as long as they should be, and full of rare letters. Yet it has the loss of
# the good one. How can that be?

# %% [markdown] tags=["why"]
# **Why.** Row $i$ has the sum $r_i$, column $j$ the sum $c_j$. The logarithm of a
# quotient is a difference, so the two losses can differ only in what was divided by,
# once for each of the $N_{ij}$ pairs:
#
# $$\sum_{i,j} N_{ij} \ln r_i = \sum_i r_i \ln r_i \qquad \sum_{i,j} N_{ij} \ln c_j =
# \sum_j c_j \ln c_j$$
#
# Each letter is entered as often as it is left: $r_i = c_i$. So the two are one.

# %% [markdown]
# There is sense in it, too. As the sums of rows and columns agree, we divided each cell
# by the sum of its column. That answers another question: given the letter *after*,
# what came *before*? The wrong table is a good model of names read from right to left.
# So let us walk along its columns, by `wrong.T`, and turn around what it writes.

# %%
g = torch.Generator().manual_seed(2147483647)
[write(wrong.T, g)[::-1] for _ in range(8)]

# %% [markdown]
# These are as good, or as bad, as the names that we had. The loss was honest: it
# answered the question that the table asks.
#
# It is a mistake that the loss cannot see: a loss says how well a table predicts, not
# whether it is the table you meant. Look at the sums of rows, and at samples.

# %% [markdown]
# ## The same table, learned
#
# **Question.** Counting works with one letter of memory: 729 cells. Ten letters would
# need $27^{11}$. In lesson 1 we had another way: start at random, measure the loss,
# walk downhill. Does it find the same table?
#
# We begin small, with *emma*: five letters that the network sees, `x`, and the five
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
# Two constructors, one capital letter apart. `torch.tensor` takes the dtype from what
# it is given; `torch.Tensor` makes floats of anything, and a float cannot be an index.
#
# What does a network do with a letter? If weights were multiplied by its *number*, $z$
# would count for 26 times as much as $a$. So each letter becomes a row of 27 numbers,
# all zero but for a $1$ at its own place: **one-hot**. A product wants the same dtype
# on both sides.

# %% tags=["nbval-check-output"] key="one-hot"
g = torch.Generator().manual_seed(2147483647)
W = torch.randn((27, 27), generator=g, requires_grad=True)
xenc = F.one_hot(x, num_classes=27)
print(tuple(xenc.shape), xenc.dtype, " ones at", xenc.argmax(1).tolist())
try:
    xenc @ W
except RuntimeError:
    print("whole numbers times floats: refused")
xenc = xenc.float()

# %% [markdown]
# `W` is a layer of 27 neurons without bias, one in each column, with 27 weights each.
# All of them, for all letters at once, are one **matrix product**, `@`: each row on the
# left meets each column on the right. What stands at the same place is multiplied, and
# added up. In numbers:

# %%
left, right_hand = torch.tensor([[1, 2], [0, 1]]), torch.tensor([[3, 4], [5, 6]])
left @ right_hand  # its first number is 1 * 3 + 2 * 5

# %% [markdown]
# The rows come from the left, the columns from the right, and what lies between must be
# equally long: $(n, k)$ `@` $(k, m)$ gives $(n, m)$.
#
# **Predict.** What is the shape of `xenc @ W`?

# %% tags=["predict"]
guess = predict("bigram.shape_of_logits")

# %% tags=["nbval-check-output"] key="one-hot-picks-a-row"
logits = xenc @ W
guess.compare(logits.shape)
print("the same as W[x]:", torch.equal(logits, W[x]))

# %% [markdown]
# A row that is all zeros but for one $1$, times a matrix, is *one row* of that matrix.
# The network computes nothing: it looks up a row. So `W` is a table like `N`, a row for
# each letter.
#
# Its numbers may be negative, though, so they cannot be counts. They can be the
# *logarithms* of counts. Such numbers are called **logits**. To get probabilities from
# them, exponentiate, then divide each row by its sum. The two steps together are
# lesson 1's softmax.

# %% tags=["nbval-check-output"] key="softmax"
counts = logits.exp()  # any number > 0
probs = counts / counts.sum(1, keepdim=True)  # (5, 27) / (5, 1)
print("rows sum to", [f"{total:.4f}" for total in probs.sum(1).tolist()])
print("W = ln N gives P:", torch.allclose(N.log().softmax(1), P))

large = torch.tensor([1000.0, 1001.0])
print("large logits:", (large.exp() / large.exp().sum()).tolist(), end="  shifted: ")
shifted = (large - large.max()).exp()
print([f"{share:.4f}" for share in (shifted / shifted.sum()).tolist()])

# %% [markdown]
# With $W = \ln N$ this network *is* the counted model. (For an empty cell that is minus
# infinity, and $e$ to it is $0$ again.) Weights as close to it as you like exist, and
# every step has a slope: we can look for them by descent.
#
# The last line is a warning. $e^{1000}$ is too large for a float, and infinity over
# infinity is *nan*, not a number. Take the largest logit away from all first: each
# $e^{z}$ is divided by the same number; the shares stay.

# %% tags=["nbval-check-output"] key="largest-of-each-row"
two = torch.tensor([[1000.0, 1001.0], [2.0, -3.0]])
largest = two.max(1, keepdim=True)
print("values", largest.values.tolist(), "  indices", largest.indices.tolist())
print("shifted", (two - largest.values).tolist())

# %% [markdown]
# With several rows, each takes away a largest of its own. `max` along a dimension gives
# two things, numbers and places, and `keepdim=True` lets the numbers stand as a column.
#
# The loss needs from each row one probability, that of `y`.

# %% tags=["nbval-check-output"] key="loss-of-five"
print("probs[torch.arange(5), y]", tuple(probs[torch.arange(5), y].shape))
print("probs[:, y]              ", tuple(probs[:, y].shape))
loss = -probs[torch.arange(5), y].log().mean()
print(f"loss {loss:.4f},  W.grad {W.grad}")
loss.backward()
reached = (W.grad != 0).any(1)
rows = [itos[i] for i in reached.nonzero()[:, 0].tolist()]  # the places of True
print(f"gradient {tuple(W.grad.shape)}, in the rows of {' '.join(rows)}")

# %% [markdown]
# Two lists of indices, side by side, name five cells. A colon and a list name five
# columns of every row, which is not what we want: its mean would be a loss of something
# else. And four rows of `W` have a gradient, those that were looked up.
#
# Before `backward()` the gradient is `None`. Setting it back to `None` clears it.

# %% [markdown]
# Now all pairs, one hundred times: some ten seconds, on a busy machine a minute. You
# may stop it; a quicker way to go on follows. `log_softmax` is softmax and logarithm in
# one, with the shift built in: $\ln p_j = z_j - \ln \sum_k e^{z_k}$. The second term of
# the loss, `0.01 * (W**2).mean()`, is a **penalty** on large weights. What it is good
# for, we shall see. Grey: the uniform model.

# %%
W = torch.randn((27, 27), generator=torch.Generator().manual_seed(2147483647))
W.requires_grad_()
each = torch.arange(len(xs))
blind = {"uniform": loss_uniform.item()}
for _ in (run := live.train(budget(full=100, check=10), lr=50.0, reference=blind)):
    logprobs = W[xs].log_softmax(1)  # (n, 27): picks rows, as one-hot @ W does
    nll = -logprobs[each, ys].mean()
    loss = nll + 0.01 * (W**2).mean()
    W.grad = None
    loss.backward()
    W.data -= run.lr * W.grad
    run.log(loss=loss)

print(f"{run.done} steps: loss {loss:.4f}, of which {nll:.4f} is about names")

# %% [markdown]
# In a whole run it comes close to the counted table, and nobody counted. (`W.data` is
# `W` without its history: the step itself shall not be differentiated.) A learning rate
# of $50$ would have wrecked lesson 1. Here the loss is a mean over all pairs, and most
# pairs have nothing to do with a given weight: its slope is tiny.
#
# **Your turn.** In the exercises, `bigram.pairs`, `bigram.logits`, `bigram.softmax`,
# `bigram.train` and `bigram.cross_entropy`: the network, piece by piece.

# %% [markdown]
# It was slow, for a reason that can be removed. There are hundreds of thousands of
# pairs, but only 729 different ones, and equal pairs have equal costs. So we may go
# through the table instead, cell by cell, each weighted by how often it occurs. That is
# the same mean, in a small fraction of the time.


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
            frames.append(explore.record_table(W, step, loss))
        losses.append((loss.item(), nll.item()))
        W.grad = None
        loss.backward()
        W.data -= lr * W.grad
    return W.detach(), losses, frames


by_pairs = -W.log_softmax(1)[xs, ys].mean()
print(f"pair by pair {by_pairs:.3f}   cell by cell {by_cells(W)[1]:.3f}")


# %%
watch = (0, 1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500)
W_learned, losses, frames = learn(500, watch=watch)
loss_learned, nll_learned = losses[-1]
print(f"500 steps: loss {loss_learned:.4f}, of which {nll_learned:.4f} is about names")

# %%
explore.descent_to_table(frames, N)

# %% [markdown]
# Frequent pairs have the larger say in the mean, and arrive first. At the end the two
# maps can hardly be told apart: descent has found the table that we had counted.
#
# **Predict.** The counted table has $2.4540$. Does the network get below it, without
# the penalty and with four times as many steps? Say where it ends, four decimals.

# %% tags=["predict"]
guess = predict("bigram.loss_without_penalty", unit="nats")

# %%
_, losses, _ = learn(budget(full=2000, check=300), penalty=0.0)
guess.compare(losses[-1][1])

# %% [markdown] tags=["why"]
# **Why.** It comes close, and with more steps closer, but never below. Of all tables
# whose rows sum to $1$, the counted one has the lowest loss on the names that were
# counted. Whoever reports a lower number has made a mistake. (The published notebook
# prints $2.4765$ for the smoothed counts, where we have $2.4546$. Its cells had been
# run out of order: the `P` that it measured came from the network.)

# %% [markdown]
# And the learning rate? Three of them, from the same start.

# %%
fig, ax = style.figure("wide")
ax.set_title("A learning rate of 50 is right here; 200 is too much")
ax.set(xlabel="step", ylabel="loss in nats", xlim=(0, 112))
style.reference_line(ax, loss_counted.item(), "counted")
for lr, look in ((1.0, ":"), (50.0, "-"), (200.0, "--")):
    _, losses, _ = learn(100, lr=lr)
    (line,) = ax.plot([nll for _, nll in losses], look, color=style.BACKWARD)
    above = 100, losses[-1][1] + 0.12
    style.label_line(ax, above, f"lr {lr:g}", style.BACKWARD)

# %% [markdown]
# **Look.** Where do the curves end? At $1$ the descent is far too slow, at $200$ it
# jumps about. The grey line is the loss of the counted table.
#
# Do the learned table and the counted one write alike? Both begin with the same seed.

# %%
for name, table in (("counted", right), ("learned", W_learned.softmax(1))):
    g = torch.Generator().manual_seed(2147483647)
    print(f"{name}: {' '.join(write(table, g) for _ in range(8))}")

# %% [markdown]
# Nearly the same names, letter for letter. Where they differ, a draw fell close to the
# border between two letters, and the borders of the two tables are not quite the same.
#
# That is the penalty's doing. It pulls every weight towards $0$, and a row of zeros is,
# after softmax, the uniform row. Where have we seen rows become uniform?

# %%
fig, axes = style.figure("pair")
for ax, title in zip(axes, ("Smoothed counts", "Penalised weights"), strict=True):
    ax.set_title(f"{title} flatten row q")
    ax.set_xlabel("letters by rank, the likeliest first")
axes[0].set_ylabel("probability")
ranks = range(1, 9)
for amount, look in ((0, "-"), (10, "--"), (1000, ":")):
    p = (N[stoi["q"]] + amount) / (N[stoi["q"]] + amount).sum()
    p = p.sort(descending=True).values
    axes[0].plot(ranks, p[:8], look, color=style.FORWARD, label=f"+ {amount:,}")
for amount, look in ((0.0, "-"), (0.1, "--"), (10.0, ":")):
    table = learn(500, lr=50 if amount < 1 else 5, penalty=amount)[0].softmax(1)
    p = table[stoi["q"]].sort(descending=True).values
    axes[1].plot(ranks, p[:8], look, color=style.BACKWARD, label=f"penalty {amount:g}")
for ax in axes:  # the curves meet at their ends, where a label would stand
    ax.legend()

# %% [markdown]
# **Look.** More smoothing on the left, more penalty on the right. In both the likeliest
# letter sinks, and the row becomes flat. A penalty on weights is to a network what
# smoothing is to a table of counts.
#
# Descent finds the table that counting finds, and asks only that the loss has a slope.
# That is why it can go on where counting ends.

# %% [markdown]
# ## Names kept aside
#
# **Question.** Whenever we smoothed, the loss became worse. Why smooth at all?
#
# Because we asked about the names that we had counted. A model is worth what it says
# about *new* ones. So we deal the names into three piles, a **split**: **train**, to
# count; **dev** (for *development*, elsewhere called *validation*), to choose the
# smoothing; and **test**, to be looked at once, at the very end.
#
# *In the video's description: an exercise, and here the way to it.*

# %% tags=["nbval-check-output"] key="splits"
dealt = words.copy()  # shuffle changes the list itself, and again on each run
random.Random(42).shuffle(dealt)
ends = int(0.8 * len(dealt)), int(0.9 * len(dealt))
train, dev, test = dealt[: ends[0]], dealt[ends[0] : ends[1]], dealt[ends[1] :]


def pairs_of(names):
    """Letters before and after, all pairs of a list of names: (n,) and (n,)."""
    line = "." + "".join(name + "." for name in names)
    ids = torch.tensor([stoi[letter] for letter in line])
    return ids[:-1], ids[1:]


piles = {"train": train, "dev": dev, "test": test}
split = {name: pairs_of(pile) for name, pile in piles.items()}
for name, pile in piles.items():
    print(f"{name:5} {len(pile):6,} names {len(split[name][0]):8,} pairs")


# %% tags=["nbval-check-output"] key="twins"
def table_of(xs, ys):
    """Counts of pairs, (27, 27)."""
    table = torch.zeros((27, 27), dtype=torch.int64)
    return table.index_put_((xs, ys), torch.ones_like(xs), accumulate=True)


N_train, N_dev = table_of(*split["train"]), table_of(*split["dev"])
twins = len(words) - len(set(words))
print(f"{twins:,} names are there twice")

# %% [markdown]
# The list has names twice, and the deal parts twins: dev is not quite new. A model that
# learns names by heart would profit from it. One with 729 numbers hardly can, but
# remember it when models grow.
#
# Now smooth the table of train, and ask it about dev. Click a row, and move the slider.

# %%
explore.count_map(N_train, N_dev, row="q")

# %% [markdown]
# Train wants no smoothing: its table is the best there is for train. Dev wants a
# little. The same as numbers, with the choice made on dev, and one look at test.


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
# Without smoothing dev is infinite: some of its pairs never occur in train, and one is
# enough. The best amount is a fraction of a count. Train, dev and test differ little:
# this model is too small to learn names by heart. (Dev is lower than train by chance:
# it was dealt slightly easier names.) What it lacks is memory.

# %% [markdown]
# Choose on dev, report on test: a number that was used to choose measures no more.
#
# **Your turn.** In the exercises, `bigram.splits`; `bigram.trigram`, which looks at two
# letters, in a table with a row for each pair; and `bigram.tune_smoothing`.

# %% [markdown]
# ## What you have now
#
# The losses of this page, and those that are published.

# %%
ledger = (
    ("all letters alike", loss_uniform, "3.2958"),
    ("letters by frequency", loss_letters, ""),
    ("pairs, counted", loss_counted, "2.4540"),
    ("pairs, learned; penalty included", loss_learned, "2.4818"),
    ("pairs, counted, 80 % of names; on test", loss_test, ""),
)
before = None
print(f"{'model':40} {'loss':>7} {'change':>8} {'published':>10}")
for model, loss, published in ledger:
    other = before is None or "on test" in model  # names: no change to be told
    change = "" if other else f"{loss - before:+.4f}"
    print(f"{model:40} {loss:7.4f} {change:>8} {published:>10}")
    before = loss

# %% [markdown]
# You turned a list of names into a table of counts, and the table into a model that
# writes. You can say which shapes fit, and you know a mistake that no loss betrays. You
# measured models by one number, and found by descent the table that you had counted.
#
# **Question** for the next lesson. Three letters of memory make a table of $27^4$
# cells, more than there are pairs to fill them. How can a model look further back?
