# %% [markdown]
# # 7 · Let's build GPT
#
# How does a letter decide which letters of its past to listen to?
#
# You will be able to
#
# - write causal self-attention, and prove that no letter sees its future;
# - stack heads, feed-forward layers and residuals into a GPT that trains;
# - sample from it with a temperature, and read the paper with your own code beside it.

# %% [markdown]
# This page goes with [Let's build GPT](https://www.youtube.com/watch?v=kCc8FmEb1nY) by
# Andrej Karpathy; each section names its part of the video. The paper behind it is
# [Attention Is All You Need](https://arxiv.org/abs/1706.03762) by Vaswani and others
# (2017). Its network is called a **transformer**; GPT is short for *generative
# pretrained transformer*. From lesson 6 you bring the module, so from here on we use
# PyTorch's own; from lesson 3 the embedding and the ledger. The exercises are in
# `exercises/07_gpt.ipynb`.

# %%
import io
import math
import time

import torch
import torch.nn.functional as F
from torch import nn

from workbook import budget, data, explore, live, predict, style

style.use()
torch.set_num_threads(1)  # most matrices here are too small to be shared out

# %% [markdown]
# ## A play as one long line
#
# **Question.** Names end after a few letters. What is there to learn in a text that
# does not end?
#
# Some of Shakespeare, as one string. A model that has learned how it goes on can
# complete whatever you begin.
#
# *In the video: reading and exploring the data.*

# %% tags=["nbval-check-output"] key="the-play"
text = data.play()
chars = sorted(set(text))
stoi = {letter: i for i, letter in enumerate(chars)}  # letter -> number
itos = dict(enumerate(chars))  # number -> letter
V = len(chars)


def encode(letters):
    return [stoi[letter] for letter in letters]


def decode(ids):
    return "".join(itos[int(i)] for i in ids)


print(text[:60])
print(f"... {len(text):,} characters, {V} different: {''.join(chars)!r}")
print(encode("To be"), "->", decode(encode("To be")))

# %% [markdown]
# The line break is a letter too. A **codec** turns text into numbers and back. Larger
# models work with pieces of words, called *tokens*
# ([SentencePiece](https://github.com/google/sentencepiece),
# [tiktoken](https://github.com/openai/tiktoken)): more symbols, shorter lines; see
# lesson 8.
#
# The first nine tenths are for training, the rest is **dev**, in the order of the play.
# Nothing is shuffled: windows of a text overlap, and a window of dev that shares seven
# of its eight letters with one of training would only ask for a good memory.

# %% tags=["nbval-check-output"] key="chunk"
ids = torch.tensor(encode(text))
n = int(0.9 * len(ids))
train_data, dev_data = ids[:n], ids[n:]

block_size = 8  # letters that the model looks back
chunk = train_data[: block_size + 1]
for t in range(block_size):
    print(f"{decode(chunk[: t + 1])!r:12} -> {decode(chunk[t + 1 : t + 2])!r}")

# %% [markdown]
# Nine letters hold eight examples, with one to eight letters of past. All of them are
# used: a model that writes must begin with a single letter, and it is asked for all
# eight at the price of one pass.
#
# A batch is some chunks from random places. `y` is `x`, moved by one letter.


# %% tags=["nbval-check-output"] key="batch"
def get_batch(letters, block_size, batch_size, generator=None):
    """Chunks from random places: x (B, T), and the letters that follow, y (B, T)."""
    last = len(letters) - block_size  # from here on, a chunk would lack its last letter
    starts = torch.randint(last, (batch_size,), generator=generator)  # (B,)
    places = starts[:, None] + torch.arange(block_size + 1)  # (B, 1) + (T + 1,)
    chunks = letters[places]  # (B, T + 1)
    return chunks[:, :-1], chunks[:, 1:]


g = torch.Generator().manual_seed(1337)
xb, yb = get_batch(train_data, block_size, 4, g)
print(f"x {tuple(xb.shape)}, y {tuple(yb.shape)}: {yb.numel()} questions, answered")
print(f"{decode(xb[0])!r} -> {decode(yb[0])!r}")

# %% [markdown]
# Each letter of `y` is the answer to a question of its own. The rows know nothing of
# each other; they are there to keep the machine busy.
#
# **Your turn.** In the exercises: `gpt.codec` and `gpt.batches`. Mind the highest
# start: if it is too high by one, a chunk comes out short, once in a long while.

# %% [markdown]
# ## One letter of memory
#
# **Question.** What is the least that a model of this text can do, and how well does it
# do it?
#
# Look at one letter and name the next: the bigram of lesson 2, whose table is now an
# `nn.Embedding` of $V$ rows with $V$ numbers. A row holds the logits of what follows.
#
# *In the video: the simplest baseline, its loss, and generating from the model.*


# %%
class BigramLanguageModel(nn.Module):
    """Letters (B, T) -> logits (B, T, V), and the loss where targets are given."""

    def __init__(self):
        super().__init__()
        self.token_embedding_table = nn.Embedding(V, V)

    def forward(self, idx, targets=None):
        logits = self.token_embedding_table(idx)  # (B, T, V)
        loss = None
        if targets is not None:
            flat = logits.flatten(0, 1)  # (B * T, V), since classes come second
            loss = F.cross_entropy(flat, targets.flatten())
        return logits, loss


# %% [markdown]
# With all $V$ letters alike the loss is $\ln V$. But this table begins with random
# numbers, normally distributed with a width of $1$.
#
# **Predict.** What is the loss on dev before any training, in nats?

# %% tags=["predict"]
guess = predict("gpt.table_at_start", unit="nats")


# %%
@torch.no_grad()
def evaluate(model, letters):
    """The mean loss over all letters, in windows that do not overlap."""
    T, device = model.block_size, next(model.parameters()).device
    ends = len(letters) - 1 - (len(letters) - 1) % T  # whole windows
    x, y = letters[:ends].view(-1, T), letters[1 : ends + 1].view(-1, T)  # (N, T)
    model.eval()
    total = 0.0
    for xs, ys in zip(x.split(256), y.split(256), strict=True):
        _, loss = model(xs.to(device), ys.to(device))
        total += loss.item() * len(xs)
    model.train()
    return total / len(x)


torch.manual_seed(1337)
table = BigramLanguageModel()
table.block_size = block_size  # the length of the windows it is judged on
at_start = evaluate(table, dev_data)
print(f"all letters alike: {math.log(V):.3f}")
guess.compare(round(at_start, 3))

# %% [markdown] tags=["why"]
# **Why.** Random logits are opinions without a reason. The loss is
# $\ln \sum_j e^{x_j}$ minus the logit of the answer, which is $0$ on average. And
# $e^x$ is not $1$ on average but $e^{1/2}$, since a large $x$ adds more than a small
# one takes away: half a nat on top of $\ln V$. Lesson 4 began its networks with calm
# logits for that reason.

# %% [markdown]
# `evaluate` works in **eval** mode and puts training mode back. It goes through all of
# dev, where the video takes the mean of some random batches: such a mean scatters, and
# our models will differ by hundredths.
#
# Next, the loop. **AdamW** keeps a running mean of each gradient and of its square, and
# steps by the one over the root of the other: each number moves by about the learning
# rate, however small its gradient. And the rate falls along a **cosine**, after a short
# warm-up.


# %%
def cosine(steps, peak, warmup=50, floor=0.1):
    """The learning rate as a function of the step: up a line, down a cosine."""

    def lr(step):
        if step < warmup:
            return peak * (step + 1) / warmup
        share = (step - warmup) / max(1, steps - warmup)  # from 0 to 1
        return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * share)))

    return lr


def descend(model, optimizer, x, y, lr):
    """One step of the optimiser on this batch; the loss before it."""
    for group in optimizer.param_groups:
        group["lr"] = lr
    _, loss = model(x, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss


# %%
log = []  # one dict for each run
published = {}  # name: loss on dev, by the video
steps = budget(full=2_000, check=20)


def climb(name, model, steps=steps, peak=4e-3, told=True):
    """Train a model, judge it on all of dev, write a line into the log; or untold."""
    dice = torch.Generator().manual_seed(1337)
    adamw = torch.optim.AdamW(model.parameters(), lr=peak, fused=True)
    view = None if told else "none"
    run = live.train(steps, lr=cosine(steps, peak), panels=("loss",), view=view)
    for _ in run:
        x, y = get_batch(train_data, model.block_size, 32, dice)
        run.log(loss=descend(model, adamw, x, y, run.lr))
    size = sum(p.nelement() for p in model.parameters())
    row = {"name": name, "size": size, "steps": run.done}
    row |= {"train": evaluate(model, train_data[: len(dev_data)])}
    log.append(row | {"dev": evaluate(model, dev_data)})
    if told:
        print("{name}: train {train:.3f}, dev {dev:.3f}".format(**log[-1]))


# %% [markdown]
# One function for all rungs of our ladder: the same batches, one judge, a line for each
# run. You can pause a run, turn its rate, or stop it; this first one is over in
# seconds. Where you are asked for a guess, the run is *untold*: it goes on out of
# sight. `train` is judged on a part as long as dev.
#
# Is what comes out good? The best possible table is known: it is the one that counts.

# %%
climb("table", table, peak=5e-2)

counts = torch.ones(V, V)  # one of each, so that no pair is impossible
counts.index_put_((train_data[:-1], train_data[1:]), torch.tensor(1.0), accumulate=True)
P = counts / counts.sum(1, keepdim=True)  # (V, V)
counted = -P[dev_data[:-1], dev_data[1:]].log().mean().item()
print(f"counted {counted:.3f}, trained {log[-1]['dev']:.3f}")

# %% [markdown]
# Descent has found what counting knows, as in lesson 2. And so it writes. A letter is
# drawn from the last row of logits, appended, and the model is asked again; each is
# printed as soon as it is there.

# %%
dice = torch.Generator().manual_seed(1337)
idx = torch.tensor([encode("\n")])  # (1, 1)
with torch.no_grad():
    for _ in range(budget(full=200, check=20)):
        logits, _ = table(idx)  # (1, T, V)
        prob = F.softmax(logits[:, -1], dim=-1)  # (1, V): after the last letter
        drawn = torch.multinomial(prob, 1, generator=dice)  # (1, 1)
        idx = torch.cat([idx, drawn], dim=1)  # (1, T + 1)
        print(decode(drawn[0]), end="", flush=True)

# %% [markdown]
# Pairs of letters that exist, and hardly a word. The whole past is handed to the model
# each time, and it looks at one letter of it.
#
# One letter of memory is worth what a table of counts is worth.
#
# **Your turn.** In the exercises: `gpt.bigram_lm`.

# %% [markdown]
# ## No looking ahead
#
# **Question.** How could a letter take in what came before it, as many letters as there
# are, and none of those that come after?
#
# The simplest way to hear everybody is to take the mean: at place $t$ of the letters
# $0$ to $t$. Little is kept that way; how it is computed is what counts. First as a
# loop.
#
# *In the video: averaging the past with loops, and the trick in self-attention.*

# %%
g = torch.Generator().manual_seed(1337)
B, T, C = 4, 8, 2
x = torch.randn((B, T, C), generator=g)

by_loop = torch.zeros((B, T, C))
for b in range(B):
    for t in range(T):
        by_loop[b, t] = x[b, : t + 1].mean(0)  # (t + 1, C) -> (C)

# %% [markdown]
# A weighted sum of rows is a product of matrices. Put the weights into a matrix with a
# row for each place: $1/(t+1)$ for itself and those before, zero for the rest. Zeros
# above the diagonal make it **lower triangular**.

# %% tags=["nbval-check-output"] key="by-matmul"
tril = torch.tril(torch.ones(T, T))
weights = tril / tril.sum(1, keepdim=True)  # (T, T), each row sums to 1
by_matmul = weights @ x  # (T, T) @ (B, T, C) -> (B, T, C)
for row in weights[:3]:
    print(" ".join(f"{w:.2f}" for w in row))
print("as the loop:", torch.allclose(by_loop, by_matmul, atol=1e-6))

# %% [markdown]
# And a third time, by way of softmax. Start from scores, all zero. Put $-\infty$ where
# a letter of the future is: $e^{-\infty}$ is $0$. Softmax then makes each row sum to
# one, over its past alone.

# %% tags=["nbval-check-output"] key="by-softmax"
scores = torch.zeros((T, T))
scores = scores.masked_fill(tril == 0, -math.inf)
by_softmax = scores.softmax(dim=-1) @ x
print(scores[1].tolist()[:4], "->", scores.softmax(dim=-1)[1].tolist()[:4])
print("as the loop:", torch.allclose(by_loop, by_softmax, atol=1e-6))

# %% [markdown]
# Why the detour? Zeros can be replaced. The scores of this mean are all alike; if
# another function made them, out of the letters themselves, each letter could be heard
# as much as it deserves. That is the next section. Before that: is the mask tight?
#
# A test that does not trust the code: change a letter, and see which outputs move. None
# to its left may.


# %% tags=["nbval-check-output"] key="leak-test"
@torch.no_grad()
def moved_by(layer, at=5, T=8, C=2):
    """How far each place of the output moves when the input at one place changes."""
    g = torch.Generator().manual_seed(1337)
    x = torch.randn((1, T, C), generator=g)
    other = x.clone()
    other[:, at] += 1.0
    return (layer(x) - layer(other)).abs().amax(dim=(0, 2))  # (T,)


for name, mask in (("with the mask", tril), ("without", torch.ones(T, T))):
    averaging = (mask / mask.sum(1, keepdim=True)).matmul
    print(f"{name:14}", " ".join(f"{m:.2f}" for m in moved_by(averaging)))

# %% [markdown]
# With the mask, place $5$ is heard from place $5$ on, by each later mean a little less.
# There are many ways to get a mask slightly wrong, and most of them run without an
# error.
#
# The picture is a step ahead of us: its scores are no longer zero, they are made out of
# the letters, as in the next section. So a letter that changes gives off something
# else, and also listens otherwise, even where it does not hear itself.

# %%
explore.mask_leak()

# %% [markdown]
# Go through the masks. Orange is weight on a letter of the future. Zero in place of
# $-\infty$ is not *no weight*: it is the weight of a middling score. Masking after the
# softmax is right if the rows are made to sum to one again, and wrong without that.
#
# Hide the future before the softmax; then test that it is hidden.
#
# **Your turn.** In the exercises: `gpt.averaging`, in three ways that must agree.

# %% [markdown]
# ## Every letter asks its past
#
# **Question.** In the mean, an `e` hears the letter before it no better than one from
# two words ago. Who should set the weights?
#
# The letters. Each gives off a **query**, what it is looking for, and a **key**, what
# it has to offer. The score of a pair is the product of query and key, high where they
# point the same way. Passed on is a third, the **value**. All three are linear layers
# of the same input.
#
# *In the video: self-attention.*

# %% tags=["nbval-check-output"] key="one-head"
torch.manual_seed(1337)
B, T, C, head_size = 4, 8, 32, 16
x = torch.randn(B, T, C)
key, query, value = (nn.Linear(C, head_size, bias=False) for _ in range(3))

k, q, v = key(x), query(x), value(x)  # (B, T, head_size) each
scores = q @ k.transpose(1, 2)  # (B, T, 16) @ (B, 16, T) -> (B, T, T)
scores = scores.masked_fill(tril == 0, -math.inf)
weights = scores.softmax(dim=-1)
out = weights @ v  # (B, T, T) @ (B, T, 16) -> (B, T, 16)
print(tuple(scores.shape), "->", tuple(out.shape))

b, t = 2, 5  # one place, slowly: its query against each key up to it
alone = torch.stack([q[b, t] @ k[b, s] for s in range(t + 1)]).softmax(dim=0)
print("one place, slowly:", torch.allclose(out[b, t], alone @ v[b, : t + 1], atol=1e-5))

# %%
fig, ax = style.figure("square")
style.matrix(ax, weights[2].detach(), "amount", rows=range(8), columns=range(8))
ax.set_ylabel("the place that asks")
ax.set_xlabel("the place that is heard")
_ = ax.set_title("Each row has weights of its own", pad=22)

# %% [markdown]
# **Look.** Nothing above the diagonal. Along a row are the shares of the letters that
# this place listens to; they sum to one, and no two rows are alike.
#
# Attention is talk on a directed graph: each place has arrows from all places up to its
# own. Rows of a batch never talk to each other. With the mask this is a **decoder**,
# which writes; without it, an **encoder**, which reads. It is *self*-attention, since
# queries, keys and values come from the same letters.

# %% [markdown]
# One thing is left to mend: the size of the scores. Say that queries and keys are
# numbers with mean $0$ and variance $1$.
#
# **Predict.** A query and a key of 64 such numbers are multiplied and summed. What is
# the variance of that score?

# %% tags=["predict"]
guess = predict("gpt.variance_of_a_score")

# %%
g = torch.Generator().manual_seed(1337)
q64 = torch.randn((2000, 64), generator=g)
k64 = torch.randn((2000, 64), generator=g)
many = q64 @ k64.T  # (2000, 2000)
guess.compare(round(many.var().item(), 1))

# %% [markdown] tags=["why"]
# **Why.** Each of the 64 products has variance $1$, and variances add up. So wider
# heads have wilder scores. Softmax of wild scores is close to one-hot: a letter hears
# one other letter, and the gradient of all else is nearly zero. A number divided by $8$
# has its variance divided by $8^2$.

# %%
print(f"divided by the root of 64: {(many / 64**0.5).var().item():.2f}")
explore.sharpness()

# %% [markdown]
# Widen the head, and one bar takes everything. Divided by the root of the head size
# $d$, none does, however wide it is. That is equation 1 of the paper:
#
# $$\text{attention}(Q, K, V) = \text{softmax}\left(\frac{Q K^\top}{\sqrt{d}}\right) V$$
#
# Their rows are queries, keys and values; this $V$ counts no letters.
#
# All of it as a module. The mask is a **buffer**, as in lesson 6: it moves to the GPU
# with the model and is not learned. Dropout is explained where we need it; at $0$ it
# does nothing.


# %% tags=["nbval-check-output"] key="head-does-not-leak"
class Head(nn.Module):
    """One head of causal self-attention: (B, T, C) -> (B, T, head_size)."""

    def __init__(self, n_embd, head_size, block_size, dropout=0.0):
        super().__init__()
        self.key = nn.Linear(n_embd, head_size, bias=False)
        self.query = nn.Linear(n_embd, head_size, bias=False)
        self.value = nn.Linear(n_embd, head_size, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("tril", torch.tril(torch.ones(block_size, block_size)))

    def weights(self, x):
        T = x.shape[1]
        q, k = self.query(x), self.key(x)  # (B, T, head_size) each
        scores = q @ k.transpose(1, 2) / k.shape[-1] ** 0.5  # (B, T, T)
        scores = scores.masked_fill(self.tril[:T, :T] == 0, -math.inf)
        return scores.softmax(dim=-1)

    def forward(self, x):
        return self.dropout(self.weights(x)) @ self.value(x)


torch.manual_seed(1337)
head = Head(32, 32, block_size)
print(" ".join(f"{m:.2f}" for m in moved_by(head, C=32)))

# %% [markdown]
# A language model around it: letters become points, the points talk, and a last layer,
# `lm_head`, turns each into logits. `n_embd` is the size of a point, the $C$ of the
# shapes. What stands in the middle is handed in, so that the rungs to come differ in
# nothing else. `places` has to wait for the next section; the first rung goes without.


# %%
class LanguageModel(nn.Module):
    """Letters (B, T) -> logits (B, T, V), with anything (B, T, C) in the middle."""

    def __init__(self, n_embd, block_size, middle, places=True):
        super().__init__()
        self.block_size = block_size
        self.token_embedding_table = nn.Embedding(V, n_embd)
        if places:
            self.position_embedding_table = nn.Embedding(block_size, n_embd)
        self.middle = middle
        self.lm_head = nn.Linear(n_embd, V)

    def embed(self, idx):
        x = self.token_embedding_table(idx)  # (B, T, C)
        if hasattr(self, "position_embedding_table"):
            x = x + self.position_embedding_table.weight[: idx.shape[1]]  # (T, C)
        return x

    def forward(self, idx, targets=None):
        logits = self.lm_head(self.middle(self.embed(idx)))  # (B, T, V)
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return logits, loss


n_embd = 32
torch.manual_seed(1337)
placeless = LanguageModel(n_embd, block_size, Head(32, 32, block_size), places=False)
climb("one head, no places", placeless)

# %% [markdown]
# A little better than the best table of pairs: it has more than one letter to go by.
# But do not trust a loss because it is low. Suppose that somebody forgets the mask.
#
# **Predict.** The same model, still without places, but with a mask of ones: each
# letter hears all eight. It is trained anew, out of sight, for some seconds. What is
# its loss on dev, in nats?

# %% tags=["predict"]
guess = predict("gpt.mask_of_ones", unit="nats")

# %%
torch.manual_seed(1337)
cheat = LanguageModel(n_embd, block_size, Head(32, 32, block_size), places=False)
cheat.middle.tril.fill_(1.0)
climb("one head, mask of ones", cheat, told=False)
cheated = log.pop()["dev"]  # it has no place in the ledger
guess.compare(round(cheated, 3))
cheat_moves = moved_by(cheat.middle, C=32)[:5].max().item()
print(f"change a letter, and one to its left moves by {cheat_moves:.2f}")

# %% [markdown] tags=["why"]
# **Why.** The answer to each question stands in the input, one place to the right, for
# all letters of a window but the last. This head is not told places, so it hears that
# the answer is one of eight letters and not which; even that takes the loss far below
# the honest head's. And it cannot write: for the newest letter there is nothing on the
# right.

# %% [markdown]
# A bug that makes the loss *better* is the worst kind. A result that is too good asks
# for a leak test, dev or no dev.
#
# A letter asks, its past answers, and softmax weighs the answers.
#
# **Your turn.** In the exercises: `gpt.head`. Later, `gpt.sdpa` hands the same work to
# one call of PyTorch.

# %% [markdown]
# ## Where in the line
#
# **Question.** `placeless` has a mask and eight letters of past. Does it know in which
# order they came?
#
# Take eight letters, and swap the two before the last. The last letter hears both,
# before and after.
#
# *In the video: positional encoding, and the notes on attention.*
#
# **Predict.** How far does the largest of the last letter's logits move?

# %% tags=["predict"]
guess = predict("gpt.swapped_letters")

# %%
line = torch.tensor([encode("the king")])  # (1, 8)
swapped = line[:, [0, 1, 2, 3, 4, 6, 5, 7]]
print(repr(decode(line[0])), "and", repr(decode(swapped[0])))
with torch.no_grad():
    shift = placeless(line)[0][:, -1] - placeless(swapped)[0][:, -1]  # (1, V)
guess.compare(round(shift.abs().max().item(), 4))

# %% [markdown] tags=["why"]
# **Why.** The scores of the last letter go along with the letters, wherever these
# stand, and a sum has no order. What a head takes in is a *bag* of letters. Only the
# mask gives something away: a letter in front has fewer others to hear.

# %%
# each place gets a point of its own, learned like that of a letter; `embed` adds both
torch.manual_seed(1337)
one_head = LanguageModel(n_embd, block_size, Head(32, 32, block_size))
climb("one head", one_head)

with torch.no_grad():
    shift = one_head(line)[0][:, -1] - one_head(swapped)[0][:, -1]
print(f"the swap moves its logits by up to {shift.abs().max():.2f}")

# %% [markdown]
# Now the same swap says something else to it, and the loss is lower: the order pays,
# *what* plus *where*. But a model with a table of eight places can take eight letters
# and no more: who writes a long text must crop what is handed in. Here is the writer,
# which gives each letter as soon as it is drawn.


# %%
@torch.no_grad()
def write(model, begin, count, seed=1337):
    """Yield so many letters, one by one, that go on from a beginning."""
    device = next(model.parameters()).device
    dice = torch.Generator().manual_seed(seed)
    idx = torch.tensor([encode(begin)])  # (1, T)
    model.eval()
    for _ in range(count):
        seen = idx[:, -model.block_size :].to(device)  # no more than it has places
        logits = model(seen)[0][:, -1].float().cpu()  # (1, V)
        drawn = torch.multinomial(logits.softmax(dim=-1), 1, generator=dice)
        idx = torch.cat([idx, drawn], dim=1)
        yield decode(drawn[0])
    model.train()


for letter in write(one_head, "\n", budget(full=200, check=20)):
    print(letter, end="", flush=True)

# %% [markdown]
# Other codes for places exist. The paper adds sines and cosines of many wavelengths,
# which need no training. Later models turn queries and keys by an angle that grows with
# the place, so that a score depends on the *distance*:
# [RoFormer](https://arxiv.org/abs/2104.09864), Su and others (2021). With that no table
# is needed.
#
# Attention hears *what*; *where* must be said.
#
# **Your turn.** In the exercises, after `gpt.gpt`: `gpt.rotary`.

# %% [markdown]
# ## Several heads
#
# **Question.** A letter may want the last vowel, and the last line break, and the start
# of its word. Can one softmax point to three places?
#
# Badly: its shares sum to one. So let there be several heads, each with queries and
# keys of its own, and put their outputs side by side. Four heads of 8 are as wide as
# one of 32. It is a little like a convolution in groups: several narrow channels in
# place of a wide one.
#
# *In the video: multi-headed self-attention.*


# %% tags=["nbval-check-output"] key="heads"
class Heads(nn.Module):
    """Several heads side by side: (B, T, C) -> (B, T, C)."""

    def __init__(self, n_embd, n_head, block_size, dropout=0.0):
        super().__init__()
        each = n_embd // n_head, block_size, dropout
        self.heads = nn.ModuleList(Head(n_embd, *each) for _ in range(n_head))

    def forward(self, x):
        return torch.cat([head(x) for head in self.heads], dim=-1)


def size_of(module):
    return sum(p.nelement() for p in module.parameters())


torch.manual_seed(1337)
four = Heads(32, 4, block_size)
print(f"one head of 32: {size_of(head):,} parameters, four of 8: {size_of(four):,}")
print(tuple(four(torch.randn(4, 8, 32)).shape))

# %% [markdown]
# An `nn.ModuleList`, since in a plain list the heads would lie in no drawer, and nobody
# would train them. Nothing was added; it was divided. Four sets of shares are four
# places to listen to, and what is heard there stays apart. Is that worth anything?


# %%
def show_log():
    print(f"{'':24} {'numbers':>9} {'steps':>6} {'train':>6} {'dev':>6}", end="")
    print("  the video's")
    for row in log:
        line = "{name:24} {size:9,} {steps:6,} {train:6.3f} {dev:6.3f}"
        there = published.get(row["name"])
        print(line.format(**row), f"{there:11.2f}" if there else "")


torch.manual_seed(1337)
climb("4 heads", LanguageModel(n_embd, block_size, Heads(32, 4, block_size)))
published |= {"one head": 2.40, "4 heads": 2.28}
show_log()

# %% [markdown]
# The ledger so far. The video trains each rung for 5,000 steps at a fixed rate; ours
# has fewer steps and a rate that falls.
#
# Several narrow heads hear more than a wide one.
#
# **Your turn.** In the exercises: `gpt.multi_head`; then `gpt.batched_heads`, where all
# heads are computed in one tensor with a dimension for them, (B, n_head, T, size). It
# must give the same, and `gpt.block` is built on it. Later, after `gpt.generate`:
# `gpt.kv_cache`, where a writer keeps keys and values it has computed before.

# %% [markdown]
# ## A block that can be stacked
#
# **Question.** The letters have talked, once. How do they get time to think, and to
# talk again?
#
# To think: a small network at each place, the same at all of them, after the talk. The
# paper calls it the **feed-forward** layer. Communication, then computation.
#
# *In the video: the feed-forward layers, residual connections, and LayerNorm.*

# %%
torch.manual_seed(1337)
think = nn.Sequential(nn.Linear(32, 32), nn.ReLU())
climb(
    "+ feed-forward",
    LanguageModel(n_embd, block_size, nn.Sequential(Heads(32, 4, block_size), think)),
)
published["+ feed-forward"] = 2.24

# %% [markdown]
# To talk again: repeat both, three times. Both layers get what a longer network will
# need. Each ends in a **projection**, a linear layer back to the $C$ channels; heads
# that lie side by side are mixed there. And in between, the feed-forward layer is four
# times as wide.


# %%
class MultiHeadAttention(nn.Module):
    """Several heads, and a way back into the stream: (B, T, C) -> (B, T, C)."""

    def __init__(self, n_embd, n_head, block_size, dropout=0.0):
        super().__init__()
        self.heads = Heads(n_embd, n_head, block_size, dropout)
        self.proj = nn.Linear(n_embd, n_embd)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        return self.dropout(self.proj(self.heads(x)))


class FeedForward(nn.Module):
    """A thought at each place: (B, T, C) -> (B, T, 4C) -> (B, T, C)."""

    def __init__(self, n_embd, dropout=0.0):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(n_embd, 4 * n_embd),
            nn.ReLU(),
            nn.Linear(4 * n_embd, n_embd),
            nn.Dropout(dropout),
        )

    def forward(self, x):
        return self.net(x)


# %% [markdown]
# **Predict.** Three such pairs in a row: more layers, wider ones, nearly five times the
# parameters. How much lower is the loss on dev than that of the one narrow pair above?
# (Below zero if it is higher. The run is out of sight and takes some ten seconds.)

# %% tags=["predict"]
guess = predict("gpt.three_in_a_row", unit="nats")


# %%
def three_pairs(each=lambda layer: layer):
    """Three fresh pairs in a row, each layer as `each` makes it."""
    torch.manual_seed(1337)
    pairs = ((MultiHeadAttention(32, 4, 8), FeedForward(32)) for _ in range(3))
    layers = [each(layer) for pair in pairs for layer in pair]
    return LanguageModel(n_embd, block_size, nn.Sequential(*layers))


in_a_row = three_pairs()
climb("3 pairs in a row", in_a_row, told=False)
guess.compare(round(log[-2]["dev"] - log[-1]["dev"], 3))
times = size_of(in_a_row) / log[-2]["size"]
print(f"{size_of(in_a_row):,} parameters, {times:.1f} times as many")

# %% [markdown] tags=["why"]
# **Why.** A deep network is hard to reach from its end. Each layer mixes and cuts what
# comes, forward and backward; whatever the first pair would need to hear of the loss
# has gone through two others.

# %% [markdown]
# The cure is a road that nothing stands on: [Deep Residual
# Learning](https://arxiv.org/abs/1512.03385), He and others (2015). Each layer *adds*
# to its input. An addition hands the gradient on unchanged, as you know from lesson 1;
# so the loss has a straight way down to the letters. What runs along the road is the
# **residual stream**.
#
# What does the road do to the gradient? Twelve fresh pairs, one batch, and the gradient
# that arrives behind each.


# %%
class Residual(nn.Module):
    """x + layer(x)"""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return x + self.layer(x)


def arriving(road, pairs=12):
    """The gradient at the input and behind each of some fresh pairs, at the end 1."""
    torch.manual_seed(1337)
    outputs = [torch.randn((16, 8, 32), requires_grad=True)]
    for _ in range(pairs):
        talk, think = MultiHeadAttention(32, 4, 8), FeedForward(32)
        if road:
            talk, think = Residual(talk), Residual(think)
        outputs.append(think(talk(outputs[-1])))
        outputs[-1].retain_grad()
    outputs[-1].square().mean().backward()
    return [(x.grad.norm() / outputs[-1].grad.norm()).item() for x in outputs]


# %%
fig, ax = style.figure("wide")
(added,) = ax.plot(arriving(road=True), color=style.BACKWARD, marker="o")
(bare,) = ax.plot(arriving(road=False), color=style.REFERENCE, marker="s")
style.label_line(ax, added, "added")
style.label_line(ax, (6, bare.get_ydata()[5]), "in a row", style.REFERENCE)
ax.set(xlabel="after pair (0: the input)", ylabel="gradient there : at the end")
ax.set_yscale("log")
_ = ax.set_title("On the road the gradient reaches the first pair")

# %% [markdown]
# **Look.** Right is the loss, so read from right to left. The axis is logarithmic: in a
# row, each pair takes away most of what is left. On the road nothing is lost; the
# gradient even grows on its way, since each layer adds a share of its own to it.

# %%
climb("3 pairs, added", three_pairs(each=Residual))
published["3 pairs, added"] = 2.08

# %% [markdown]
# The same pairs, with the same weights at the start, and six additions: that is the
# largest step so far. The other cure for depth is lesson 4's: normalise. Of the two
# norms met there we take the one that needs no batch, [layer
# normalization](https://arxiv.org/abs/1607.06450), Ba and others (2016): mean and
# variance of each place for itself, over its channels.


# %% tags=["nbval-check-output"] key="layernorm"
class LayerNorm(nn.Module):
    """BatchNorm of lesson 4 with -1 for 0, and nothing to remember."""

    def __init__(self, dim, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)  # of each place: (B, T, 1)
        var = x.var(-1, keepdim=True, correction=0)
        return self.weight * (x - mean) * (var + self.eps) ** -0.5 + self.bias


def over_places(x):
    return (x - x.mean((1, 2), keepdim=True)) / x.std((1, 2), keepdim=True)


g = torch.Generator().manual_seed(1337)
x = 3 + 5 * torch.randn((4, 8, 32), generator=g)
same = torch.allclose(LayerNorm(32)(x), nn.LayerNorm(32)(x), atol=1e-5)
print("as PyTorch's:", same, "| buffers:", len(list(LayerNorm(32).buffers())))
for name, norm in (("each place", LayerNorm(32)), ("over places", over_places)):
    left = moved_by(norm, C=32)[:5].max().item()
    print(f"{name:12} something to the left: {left > 1e-4}")

# %% [markdown]
# One number changed, and what made BatchNorm hard is gone: no running averages, no
# second life in eval mode, no other examples in an example's output. And no other
# *places*: a mean over places as well would let the future in.
#
# Where does it go? The paper normalises after the addition, on the road itself. Later
# models, and we, do it *before* each layer, on the way in. Talk and think, each with
# its norm and its addition, are a **block**; one more norm stands behind the last.


# %%
class Block(nn.Module):
    """Talk, then think, each added to the stream: (B, T, C) -> (B, T, C)."""

    def __init__(self, n_embd, n_head, block_size, dropout=0.0):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.sa = MultiHeadAttention(n_embd, n_head, block_size, dropout)
        self.ffwd = FeedForward(n_embd, dropout)

    def forward(self, x):
        x = x + self.sa(self.ln1(x))
        return x + self.ffwd(self.ln2(x))


def gpt(n_layer, n_head, n_embd, block_size, dropout=0.0):
    """A GPT: so many blocks, and a norm at the end."""
    blocks = [Block(n_embd, n_head, block_size, dropout) for _ in range(n_layer)]
    middle = nn.Sequential(*blocks, nn.LayerNorm(n_embd))
    return LanguageModel(n_embd, block_size, middle)


# %%
torch.manual_seed(1337)
climb("3 blocks", gpt(n_layer=3, n_head=4, n_embd=32, block_size=8))
published["3 blocks"] = 2.06
show_log()

# %%
fast = budget(full=500, check=10)  # and now both with twenty times the rate
climb("added, rate times twenty", three_pairs(each=Residual), steps=fast, peak=8e-2)
torch.manual_seed(1337)
climb("blocks, rate times twenty", gpt(3, 4, 32, block_size), steps=fast, peak=8e-2)
log = log[:-2]  # a test of what they stand, and no rungs

# %% [markdown]
# Compare the last two lines of the ledger: the norm moves the loss by some hundredths,
# down in the video, here perhaps up. Then the two runs: with twenty times the rate the
# bare road blows up, since nothing keeps its numbers small. The blocks learn on.
#
# Talk, think, add; and normalise on the way in.
#
# **Your turn.** In the exercises: `gpt.feed_forward`, `gpt.block`, `gpt.gpt`, with
# three habits of GPT-2: **GELU**, a ReLU with a rounded corner; a *tied* `lm_head`,
# the table of letters once more; smaller weights at the start.

# %% [markdown]
# ## Room, and what it asks for
#
# **Question.** Every number of this model can be made larger. What else has to change
# when they are?
#
# The model of the video's notebook: 32 letters of past, 4 blocks of 4 heads, 64
# channels. And the one at the end of the video: 256 letters, 6 blocks of 6 heads, 384
# channels. We count them without making them: on the device `meta` a tensor is a shape
# and no memory.
#
# *In the video: scaling up the model.*

# %% tags=["nbval-check-output"] key="sizes"
small_size = {"n_layer": 4, "n_head": 4, "n_embd": 64, "block_size": 32}
large_size = {"n_layer": 6, "n_head": 6, "n_embd": 384, "block_size": 256}
with torch.device("meta"):
    for size in (small_size, large_size):
        print(f"{size_of(gpt(**size)):,} parameters")

# %% [markdown]
# The video gives 0.209729 and 10.788929 million. Ten million parameters for one million
# letters: such a model could learn the text by heart. Against that there is
# [dropout](https://jmlr.org/papers/v15/srivastava14a.html), Srivastava and others
# (2014): in training each number is set to zero with some probability, and the rest are
# raised, so that the mean stays. No number can rely on another being there.

# %% tags=["nbval-check-output"] key="dropout"
torch.manual_seed(1337)
drop = nn.Dropout(0.2)
ones = torch.ones(10_000)
dropped = drop(ones)
print("values:", [f"{x:.2f}" for x in dropped.unique().tolist()])
print(f"mean {dropped.mean():.1f}; in eval mode as before:", end=" ")
print(torch.equal(drop.eval()(ones), ones))

# %% [markdown]
# It stands in three places: on the weights of the head, so that a letter now and then
# does not hear another; at the end of both layers, before they are added. And it is why
# `evaluate` turns the switch.
#
# **Weight decay**, the W of AdamW, pulls each weight a little towards zero at each
# step. Matrices get it; biases, and the numbers of the norms, do not, since nothing is
# won by making an offset small. AdamW takes two **groups**.


# %% tags=["nbval-check-output"] key="groups"
def adamw_for(model, lr, decay=0.1):
    """AdamW that decays matrices and tables, and nothing else."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.99), fused=True)


for group in adamw_for(gpt(**small_size), lr=1e-3).param_groups:
    print(f"{len(group['params']):3} tensors, decay {group['weight_decay']}")

# %% [markdown]
# **Clipping** guards against the one bad batch: if all gradients together are longer
# than $1$, they are made shorter, in the same direction. And the matrices are now large
# enough for a graphics card. We take what is there: CUDA, Apple's MPS, or the CPU. On
# CUDA the products run in `bfloat16`, half as wide, by **autocast**; the weights stay
# as they are.


# %%
def find_device():
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def careful_step(model, adamw, x, y, lr):
    """One step: in narrow numbers where they help, and clipped; the loss before it."""
    for group in adamw.param_groups:
        group["lr"] = lr
    with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda):
        _, loss = model(x, y)
    adamw.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    adamw.step()
    return loss


# %%
def study(name, model, rows, steps, peak):
    """Train with all of that, look at dev now and then; a line into the log."""
    device = next(model.parameters()).device
    adamw, dice = adamw_for(model, peak), torch.Generator().manual_seed(1337)
    run = live.train(
        steps, lr=cosine(steps, peak, warmup=100), panels=("loss",), title=name
    )
    for step in run:
        x, y = get_batch(train_data, model.block_size, rows, dice)
        run.log(loss=careful_step(model, adamw, x.to(device), y.to(device), run.lr))
        if step % 500 == 499:
            run.log(dev=evaluate(model, dev_data))
    row = {"name": name, "size": size_of(model), "steps": run.done}
    row |= {"train": evaluate(model, train_data[: len(dev_data)])}
    log.append(row | {"dev": evaluate(model, dev_data)})
    print("{name}: train {train:.3f}, dev {dev:.3f}".format(**log[-1]), device)


# %% [markdown]
# The smaller one first, without dropout, in batches of 16 rows of 32 letters. It takes
# a minute or two. Both tables of points begin near zero, with a width of $0.02$ as in
# GPT-2, so that what training puts there is not lost among random numbers. If you have
# some minutes, set `long_run` to `True`: 5,000 steps, as many as in the video.

# %%
device = find_device()
long_run = False  # True: 5,000 steps

torch.manual_seed(1337)
small = gpt(**small_size).to(device)
for points in (small.token_embedding_table, small.position_embedding_table):
    nn.init.normal_(points.weight, std=0.02)
small_steps = 5_000 if long_run else budget(full=1_500, check=10)
study("small", small, rows=16, steps=small_steps, peak=4e-3)
published["small"] = 1.82
for letter in write(small, "\n", budget(full=400, check=20)):
    print(letter, end="", flush=True)

# %% [markdown]
# Capitals where a line begins, lines of the right length, words that could be English,
# and some that are. Read it beside what one head wrote, and the table.
#
# Training costs more and more, so it should be possible to stop and go on. A
# **checkpoint** holds all that the next step depends on: the weights, the running means
# of AdamW, and the state of the dice. Here it goes into memory; a path does as well.


# %% tags=["nbval-check-output"] key="checkpoint"
def five_steps(model, adamw, dice):
    batches = (get_batch(train_data, 8, 4, dice) for _ in range(5))
    return [careful_step(model, adamw, x, y, 1e-3).item() for x, y in batches]


tiny = gpt(1, 2, 8, block_size=8)
tiny_adamw, dice = adamw_for(tiny, 1e-3), torch.Generator().manual_seed(1337)
five_steps(tiny, tiny_adamw, dice)
parts = {"model": tiny.state_dict(), "adamw": tiny_adamw.state_dict()}
place = io.BytesIO()
torch.save(parts | {"dice": dice.get_state()}, place)
straight_on = five_steps(tiny, tiny_adamw, dice)

place.seek(0)
kept, other, its_dice = torch.load(place), gpt(1, 2, 8, block_size=8), torch.Generator()
other.load_state_dict(kept["model"])  # a new process would begin like this
other_adamw = adamw_for(other, 1e-3)
other_adamw.load_state_dict(kept["adamw"])
its_dice.set_state(kept["dice"])
print("the same losses:", five_steps(other, other_adamw, its_dice) == straight_on)

# %% [markdown]
# Now the large one, with dropout: 5,000 steps of 64 rows of 256 letters. On a recent
# graphics card that is a matter of minutes
# ([nanoGPT](https://github.com/karpathy/nanoGPT) says about three for its own of this
# size, on an A100); on a CPU it is out of reach. So this cell runs where it finds CUDA,
# and says so where it does not. On MPS, set `large_run` to `True` and be patient.

# %%
large_run = device == "cuda"
if large_run:
    torch.manual_seed(1337)
    large = gpt(**large_size, dropout=0.2).to(device)
    began = time.perf_counter()
    steps_here = budget(full=5_000, check=2)
    study("large", large, rows=64, steps=steps_here, peak=1e-3)
    published["large"] = 1.48
    print(f"{time.perf_counter() - began:.0f} s on {device}")
    torch.save(large.state_dict(), data.folder() / "gpt_large.pt")
else:
    print(f"The large model waits for a graphics card: the device here is {device}.")

# %% [markdown]
# Where there is none, the run can move to a machine that has one: `make export` writes
# a training script beside your own `gpt.py`, `code/gpt/train.py`. It takes its sizes
# from the command line, writes checkpoints as above, and runs unchanged on one card, on
# many under `torchrun`, and, with smaller sizes, on a CPU.
#
# Larger is a number in a config; calm and care are in the loop.
#
# **Your turn.** In the exercises: `gpt.generate`, `gpt.train`; and when you know your
# way about, `gpt.speedrun`.

# %% [markdown]
# ## Reading a trained model
#
# **Question.** Your small model has learned whom to listen to. Can we see it?
#
# The weights of each head are a matrix of shares, and we kept a method for them. Send a
# text through, block by block, and note them down. First the leak test, on all of it.
#
# *In the video: the notes on attention; here they are drawn.*

# %%
small = small.cpu().eval()


@torch.no_grad()
def attention(text):
    """The shares of each block and head over a text: (n_layer, n_head, T, T)."""
    x, found = small.embed(torch.tensor([encode(text)])), []
    for block in small.middle[:-1]:
        inside = block.ln1(x)
        heads = [head.weights(inside) for head in block.sa.heads.heads]
        found.append(torch.cat(heads))  # (n_head, T, T)
        x = block(x)
    return torch.stack(found)


twice = dev_data[:32].repeat(2, 1)  # the same 32 letters two times
twice[1, 20] = (twice[1, 20] + 1) % V  # and one of them changed
moves = small(twice)[0].diff(dim=0).abs().amax(dim=(0, 2))  # (32,)
print(f"moved: before it {moves[:20].max():.2f}, from it on {moves[20:].max():.2f}")
explore.attention_map(attention, chars, text="My lord, I am not the king.")

# %% [markdown]
# Type a line of your own, step through the letters, and change block and head. Some
# heads may look at the letter before, some at the start of the word, some spread out.
# What a head listens to is not yet a reason for what the model writes: there are other
# heads, other blocks, and the road.
#
# What has it made of the places? Each place is a point of 64 numbers. Compare two by
# the cosine of their angle: $1$ is the same direction.

# %%
explore.position_map(small.position_embedding_table.weight)

# %% [markdown]
# They began as random points, nearly at right angles. If places next to each other are
# alike now, the model has found out that they are *next* to each other. Farther off
# there may be waves, as of the paper's sines.
#
# Now the writing. Lesson 2's temperature, here $\tau$, divides the logits, which raises
# each probability to the power $1/\tau$: below $1$ the likely gets likelier, above it
# all become more alike. **Top-k** keeps the $k$ likeliest letters, so that no unlikely
# one is ever drawn, however long the text.

# %% tags=["nbval-check-output"] key="temperature"
logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
for temperature in (0.01, 0.5, 1.0, 2.0):
    shares = (logits / temperature).softmax(dim=0)
    print(f"temperature {temperature:4}:", " ".join(f"{p:.2f}" for p in shares))

second = logits.topk(2).values[-1]
top2 = logits.masked_fill(logits < second, -math.inf).softmax(dim=0)
print("top 2:           ", " ".join(f"{p:.2f}" for p in top2))


# %%
@torch.no_grad()
def next_logits(so_far):
    """Logits (V) for what follows these letters."""
    idx = torch.tensor([list(so_far)[-small.block_size :]])
    return small(idx)[0][0, -1]


explore.text_sampler(next_logits, chars, begin="KING")

# %% [markdown]
# Step through the letters with *play*; the pointer of each stays where chance has put
# it. Cold, it writes the likeliest words, and may turn in circles. Hot, it loses its
# spelling. Top-k takes away the worst of the heat.
#
# Shares can be read, places compared, and chance turned down.
#
# **Your turn.** In the exercises, `gpt.generate` has both controls.

# %% [markdown]
# ## The paper beside our code
#
# **Question.** *Attention Is All You Need* is about translation. Its figure 1 shows two
# towers, and we have built one. What is the other for?
#
# One tower, the encoder, reads the original, without a mask. The other, the decoder,
# writes with a mask, as ours does; and in each of its blocks is a second attention,
# **cross-attention**, in which the letters that are written ask those that were read.
#
# *In the video: the encoder, the decoder, and a walk through nanoGPT.*

# %% tags=["nbval-check-output"] key="cross-attention"
torch.manual_seed(1337)
written, original = torch.randn(1, 5, 32), torch.randn(1, 9, 32)
q = query(written)  # (1, 5, 16): asked by what is being written
k, v = key(original), value(original)  # (1, 9, 16): answered by what was read
weights = (q @ k.transpose(1, 2) / 16**0.5).softmax(dim=-1)  # (1, 5, 9), no mask
print(tuple(weights.shape), "->", tuple((weights @ v).shape))

# %% [markdown]
# A model that only goes on with a text has no original, so nothing to read: it is a
# decoder alone, without that second attention. That is GPT,
# [GPT-2](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf)
# and its successors.
#
# | paper | here |
# |---|---|
# | 3.2.1, equation 1 | `Head` |
# | 3.2.2, concat and $W^O$ | `Heads`, `proj` |
# | 3.3, ReLU, four times as wide | `FeedForward` |
# | 3.5, sines and cosines | a learned table |
# | norm after the addition | before the layer |

# %% [markdown]
# [nanoGPT](https://github.com/karpathy/nanoGPT) is the same in about 300 lines; with
# this page you can read it. You will meet all heads in one tensor, GELU in place of
# ReLU, the table of letters used a second time as `lm_head`, groups for the weight
# decay, and checkpoints. [minGPT](https://github.com/karpathy/minGPT) is its
# forerunner.
#
# For each block about $12\,C^2$ parameters: $4\,C^2$ to talk, $8\,C^2$ to think. Each
# costs 6 operations a letter: a multiplication and an addition, and both twice more on
# the way back, for the gradients of weight and input.

# %% [markdown]
# And the models one can talk to? What we have done is **pretraining**: go on with a
# text. On a large part of the internet the same loop makes a completer of documents.
# **Finetuning** goes on from there with examples of questions and answers. Then people
# compare answers, a second model learns what they prefer, and the first is trained to
# please it: reinforcement learning from human feedback. All of that is data and loops
# around what you have built.
#
# How large can it be?

# %%
explore.model_size()

# %% [markdown]
# Add layers, and the size grows in proportion; add channels, and it grows with their
# square. With 65 letters nearly all of it is in the blocks; with GPT-2's 50,257 tokens
# a small model is mostly table. And losses of models with different symbols cannot be
# compared, since a token may be a whole word: bits per letter can.
#
# The paper is readable now: but for its sines and learning rate, its equations are
# lines of yours.
#
# **Your turn.** In the exercises: `gpt.masked_loss_addition`, a GPT that adds numbers,
# and `gpt.finetune`.

# %% [markdown]
# ## What you have now
#
# You wrote causal attention, and proved by a changed letter that none sees its future.
# You stacked heads, thoughts and additions into a GPT and trained it, and it wrote for
# you. You laid the paper beside it. The figure is your ledger.

# %%
fig, ax = style.figure("wide")
ax.set_title("What each rung brought, on the last tenth of the play")
ax.set_xlabel("loss on dev (nats): ours a disc, the video's a ring")
ax.margins(x=0.12)
ax.set_yticks(range(len(log)), [row["name"] for row in log])
ax.invert_yaxis()
ax.grid(axis="y")
ring = {"color": style.REFERENCE, "marker": "o", "fillstyle": "none"}
for at, row in enumerate(log):
    there = published.get(row["name"], math.nan)
    ax.plot([row["dev"]], [at], color=style.VALID, marker="o")
    ax.plot([there], [at], **ring)
    right = max(row["dev"], there), at
    style.label_line(ax, right, f"{row['dev']:.3f}", style.VALID)

print(f"mask of ones: dev {cheated:.3f}; yours: {moves[:20].max():.1f} before a change")
print("{name}: dev {dev:.3f}, {size:,} parameters".format(**log[-1]), end=", ")
print(f"{log[-1]['dev'] / math.log(2):.2f} bits per letter")

# %% [markdown]
# **Look.** *3 pairs in a row* steps to the right; added to the road, the same pairs go
# far to the left. *small* is not one change but many: more letters of past, more layers
# and channels, and all the care of its section.
#
# **Question** for the next lesson. Your model reads letters; those one can buy read
# pieces of words. What does a language model see instead of letters, and what goes
# wrong?
