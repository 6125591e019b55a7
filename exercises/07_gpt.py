# ---
# jupyter:
#   made: from solutions/07_gpt.py by `make exercises`; edit that, not this
# ---

# %% [markdown]
# # 7 · Let's build GPT: exercises
#
# You build a transformer from a line of text up: batches of text, attention, heads,
# blocks, the model, its samples and its training. Each exercise is a cell with a
# `TODO`, or several, and a check under them. A cell without a `TODO` is given: run it
# as well. `hint("…")` goes deeper each time you run it; `solution("…")` asks once, then
# shows an answer.

# %%
import copy
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbook import add_to, budget, check, data, hint, live, solution, style

style.use()

text = data.play()

# %% [markdown]
# From here on modules are those of `torch.nn`: a class calls `super().__init__()`
# first, then keeps its layers as attributes, and its `forward` is what a call runs.
# Shapes are written with $B$ texts, $T$ places in time, $C$ channels and a vocabulary
# of $V$ letters.

# %% [markdown]
# ## codec
#
# *10 min · ●○○○○*
#
# A model reads numbers. `Codec(text)` finds the letters of a text: `chars`, sorted,
# each once; `stoi` from letter to number, `itos` back. `encode` gives a list of
# numbers, `decode` a string. For `Codec("hello")` the letters are `e h l o`,
# `encode("hole")` is `[1, 3, 2, 0]`, and `decode` undoes it. `split_in_order` cuts a
# long row in two: the first 90 percent to learn from, the rest to measure on.

# %% exercise="gpt.codec"
class Codec:
    """The letters of a text as numbers, and back."""

    def __init__(self, text: str) -> None:
        # TODO: self.chars, a sorted list; self.stoi and self.itos, two dicts
        raise NotImplementedError("TODO gpt.codec")

    def encode(self, text: str) -> list[int]:
        """The number of each letter."""
        # TODO
        raise NotImplementedError("TODO gpt.codec")

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these numbers, a list or a tensor (T,)."""
        # TODO: a tensor's elements are tensors; int() makes them numbers
        raise NotImplementedError("TODO gpt.codec")


def split_in_order(ids: Sequence, share: float = 0.9) -> tuple[Sequence, Sequence]:
    """The first `share` of a row, rounded down, and the rest of it, in order."""
    # TODO: nothing is shuffled
    raise NotImplementedError("TODO gpt.codec")

# %%
check("gpt.codec", Codec, split_in_order)

# %% [markdown]
# ## batches
#
# *12 min · ●●○○○*
#
# One window of $T + 1$ letters holds $T$ examples: at each place, the letters so far
# and the one that follows. `get_batch` draws `batch_size` places at random and returns
# `x` and `y` of shape $(B, T)$, where `y` is `x` moved by one letter: of the numbers
# $[10, 11, 12, 13, 14, 15]$ with `block_size` $3$ a row may be $[11, 12, 13]$ and its
# targets $[12, 13, 14]$.

# %% exercise="gpt.batches"
def get_batch(
    ids: Tensor,
    block_size: int,
    batch_size: int,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Windows x (B, T) at random places of ids (N,), and the letters y after each."""
    # TODO: draw the places with the generator; every window must fit, the last one too
    raise NotImplementedError("TODO gpt.batches")

# %%
check("gpt.batches", get_batch)

# %% [markdown]
# ## bigram_lm
#
# *20 min · ●●○○○*
#
# The smallest language model: row $i$ of a table $(V, V)$ has the scores of all letters
# after letter $i$. It is an `nn.Embedding` named `token_embedding_table`. `forward`
# gives the logits $(B, T, V)$, and the mean cross-entropy where there are targets, else
# `None`. `generate` appends letters: of the logits it needs the last place alone. A
# table of zeros gives $\ln V$.

# %% exercise="gpt.bigram_lm"
class BigramLanguageModel(nn.Module):
    """A language model that sees one letter."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        # TODO
        raise NotImplementedError("TODO gpt.bigram_lm")

    def forward(
        self, idx: Tensor, targets: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The logits (B, T, V) for idx (B, T), and the loss where targets are given."""
        # TODO: F.cross_entropy wants (N, V) and (N,)
        raise NotImplementedError("TODO gpt.bigram_lm")

    @torch.no_grad()
    def generate(self, idx: Tensor, max_new_tokens: int) -> Tensor:
        """The texts idx (B, T), each with so many letters drawn behind it."""
        # TODO: logits of the last place, softmax, torch.multinomial, torch.cat
        raise NotImplementedError("TODO gpt.bigram_lm")

# %%
check("gpt.bigram_lm", BigramLanguageModel)

# %% [markdown]
# ## averaging
#
# *20 min · ●●○○○*
#
# Before letters choose, let them average. The output at $t$ is the mean of all vectors
# from $0$ to $t$: $[[2], [4], [9]]$ becomes $[[2], [3], [5]]$. Write it three times:
# with a loop; as one product with a lower-triangular matrix whose rows sum to one; and
# with those weights made by a softmax over zeros and $-\infty$.

# %% exercise="gpt.averaging"
def average_loop(x: Tensor) -> Tensor:
    """The mean over the past of each vector of x (B, T, C), place by place."""
    # TODO: two loops
    raise NotImplementedError("TODO gpt.averaging")


def average_matmul(x: Tensor) -> Tensor:
    """The same, as a matrix product: weights (T, T) times x (B, T, C)."""
    # TODO: torch.tril of ones; each row divided by its sum
    raise NotImplementedError("TODO gpt.averaging")


def average_softmax(x: Tensor) -> Tensor:
    """The same, its weights a softmax of scores that are 0, and -inf in the future."""
    # TODO: masked_fill, then F.softmax along the right dimension
    raise NotImplementedError("TODO gpt.averaging")

# %%
check("gpt.averaging", average_loop, average_matmul, average_softmax)

# %% [markdown]
# One object holds all sizes. The names are those of nanoGPT; `n_embd` is $C$.
# `@dataclass` makes a class of the fields below: `GPTConfig(n_layer=2)` changes one of
# them and leaves the others as they stand, and `config.n_layer` reads it.

# %%
@dataclass
class GPTConfig:
    """The sizes of a GPT, and its choices. The defaults are the lecture's small model.

    bias: in projections, feed-forward layers, norms and the last layer; queries, keys
    and values have none. tied: the last layer shares the table of letters, and has no
    bias. gelu: GELU in place of ReLU, as in GPT-2.
    """

    vocab_size: int = 65
    block_size: int = 32
    n_layer: int = 4
    n_head: int = 4
    n_embd: int = 64
    dropout: float = 0.0
    bias: bool = True
    tied: bool = False
    gelu: bool = False

# %% [markdown]
# ## head
#
# *25 min · ●●●○○*
#
# Now each letter chooses. Three linear layers without bias, `query`, `key` and `value`,
# make $q$, $k$, $v$ of $C /$ `n_head` channels each, the head size. The scores are
# $q \cdot k / \sqrt{\text{head size}}$, the future is masked, a softmax makes weights,
# and the output is the weighted sum of the values. The mask is a *buffer* `tril`, so
# that it moves with the model and is no parameter; `dropout` acts on the weights. With
# all scores equal, a head averages.

# %% exercise="gpt.head"
class Head(nn.Module):
    """One head of causal self-attention: (B, T, C) to (B, T, head size).

    Vaswani et al. (2017), equation 1, with a mask: https://arxiv.org/abs/1706.03762
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        # TODO: query, key, value; the buffer tril (block_size, block_size); dropout
        raise NotImplementedError("TODO gpt.head")

    def forward(self, x: Tensor) -> Tensor:
        """The output (B, T, head size) for x (B, T, C), T up to block_size."""
        # TODO: scores, scale, mask, softmax, dropout, and the sum of the values
        raise NotImplementedError("TODO gpt.head")

# %%
check("gpt.head", Head)

# %% [markdown]
# ## multi_head
#
# *15 min · ●●○○○*
#
# Several heads look for several things. `MultiHeadAttention` runs `n_head` heads side
# by side, puts their outputs behind one another along the channels, $(B, T, C)$ again,
# mixes them by a linear layer `proj`, with `config.bias`, and ends with `dropout`. Four
# heads of $8$ channels have as many parameters as one of $32$.

# %% exercise="gpt.multi_head"
class MultiHeadAttention(nn.Module):
    """Heads side by side, and a projection: (B, T, C) to (B, T, C).

    Vaswani et al. (2017), section 3.2.2: https://arxiv.org/abs/1706.03762
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        # TODO: self.heads, so that PyTorch finds them; self.proj; self.dropout
        raise NotImplementedError("TODO gpt.multi_head")

    def forward(self, x: Tensor) -> Tensor:
        """The output (B, T, C) for x (B, T, C)."""
        # TODO
        raise NotImplementedError("TODO gpt.multi_head")

# %%
check("gpt.multi_head", MultiHeadAttention)

# %% [markdown]
# ## batched_heads
#
# *30 min · ●●●●○*
#
# The loop over heads computes many small products. Now all heads are one tensor: a
# layer `qkv` $(C \to 3C)$ makes all queries, then all keys, then all values, in each
# the heads one behind the other. `forward` gives each the shape $(B, n_h, T, h)$, with
# $n_h$ heads of size $h$, the lecture's $d$; it calls `attend`, and puts the heads back
# side by side. `merge_heads` copies the numbers of a `MultiHeadAttention`, so that both
# can be compared: they must agree.

# %% exercise="gpt.batched_heads"
class CausalSelfAttention(nn.Module):
    """Multi-head attention with all heads in one tensor: (B, T, C) to (B, T, C)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C, T = config.n_embd, config.block_size
        self.n_head = config.n_head
        self.qkv = nn.Linear(C, 3 * C, bias=False)
        self.proj = nn.Linear(C, C, bias=config.bias)
        self.attn_dropout = nn.Dropout(config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("tril", torch.ones(T, T).tril(), persistent=False)

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Causal attention of each head, (B, n_head, T, size) to the same."""
        # TODO: as in Head; a product works on the last two dimensions
        raise NotImplementedError("TODO gpt.batched_heads")

    def forward(self, x: Tensor) -> Tensor:
        """The output (B, T, C) for x (B, T, C)."""
        # TODO: qkv in three; (B, T, n_head, size), then heads before time; and back
        raise NotImplementedError("TODO gpt.batched_heads")

# %% exercise="gpt.batched_heads"
def merge_heads(loop: MultiHeadAttention, config: GPTConfig) -> CausalSelfAttention:
    """A CausalSelfAttention with the numbers of `loop`, which stays as it is."""
    # TODO: nn.Linear keeps its weight as (out, in), so the heads' rows are stacked
    raise NotImplementedError("TODO gpt.batched_heads")

# %%
check("gpt.batched_heads", CausalSelfAttention, merge_heads)

# %% [markdown]
# ## feed_forward
#
# *8 min · ●○○○○*
#
# Attention gathers; this layer thinks about what was gathered, at each place alone:
# linear $C \to 4C$, ReLU, linear $4C \to C$, dropout, as an `nn.Sequential` named
# `net`. With `config.gelu` it has `nn.GELU` in place of `nn.ReLU`; both linear layers
# have `config.bias`.

# %% exercise="gpt.feed_forward"
class FeedForward(nn.Module):
    """Two layers at each place alone, four times as wide between: (B, T, C) again.

    Vaswani et al. (2017), section 3.3, equation 2: https://arxiv.org/abs/1706.03762
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        # TODO: self.net
        raise NotImplementedError("TODO gpt.feed_forward")

    def forward(self, x: Tensor) -> Tensor:
        """The output (B, T, C) for x (B, T, C)."""
        # TODO
        raise NotImplementedError("TODO gpt.feed_forward")

# %%
check("gpt.feed_forward", FeedForward)

# %% [markdown]
# ## block
#
# *12 min · ●●○○○*
#
# Communication, then computation, each beside a path that nothing interrupts:
# $x \leftarrow x + \text{sa}(\text{ln}_1(x))$, then
# $x \leftarrow x + \text{ffwd}(\text{ln}_2(x))$. The parts are `ln1`, `sa`, `ln2` and
# `ffwd`: `sa`, self-attention, is a `CausalSelfAttention`, `ffwd` a `FeedForward`, and
# the norms are `nn.LayerNorm` with `config.bias`. If both branches gave zero, a block
# would return its input.

# %% exercise="gpt.block"
class Block(nn.Module):
    """A transformer block, pre-norm: x + sa(ln1(x)), then x + ffwd(ln2(x)).

    Vaswani et al. (2017), figure 1, with the norms moved to the front of each branch
    as in GPT-2 (Radford et al., 2019, section 2.3).
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        # TODO: ln1, sa, ln2, ffwd
        raise NotImplementedError("TODO gpt.block")

    def forward(self, x: Tensor) -> Tensor:
        """The output (B, T, C) for x (B, T, C)."""
        # TODO: two lines
        raise NotImplementedError("TODO gpt.block")

# %%
check("gpt.block", Block)

# %% [markdown]
# A start is given: all weights small, and those that write into the stream smaller
# still, since $2L$ branches add up there (GPT-2, section 2.3).

# %%
def start_weights(model: nn.Module, n_layer: int) -> None:
    """Weights of spread 0.02, biases 0; what ends a branch, 0.02 / sqrt(2 n_layer)."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    for name, weight in model.named_parameters():
        if name.endswith(("sa.proj.weight", "ffwd.net.2.weight")):
            nn.init.normal_(weight, std=0.02 / math.sqrt(2 * n_layer))

# %% [markdown]
# ## gpt
#
# *35 min · ●●●●○*
#
# The whole: `token_embedding_table` $(V, C)$ plus `position_embedding_table`
# (`block_size`, $C$), the dropout `drop`, the `blocks` as an `nn.Sequential`, the norm
# `ln_f`, and `lm_head` to the letters. At the end of `__init__` `start_weights` is
# called; a tied model lets `lm_head` *share* the token table, and gives it no bias. A
# target of $-1$ does not count in the loss. `count_parameters` needs no model: the
# default has 209,729.

# %% exercise="gpt.gpt"
class GPT(nn.Module):
    """A decoder-only transformer over letters (Radford et al., 2019)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        V, T, C = config.vocab_size, config.block_size, config.n_embd
        # TODO: the parts; with config.tied one weight for two layers; start_weights
        raise NotImplementedError("TODO gpt.gpt")

    def forward(
        self, idx: Tensor, targets: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The logits (B, T, V) for idx (B, T), and the loss where targets are given."""
        # TODO: positions on the device of idx; ignore_index=-1
        raise NotImplementedError("TODO gpt.gpt")

# %% exercise="gpt.gpt"
def count_parameters(config: GPTConfig) -> int:
    """How many numbers GPT(config) learns, from the sizes alone."""
    # TODO: tables, blocks, last norm, last layer; a shared weight counts once
    raise NotImplementedError("TODO gpt.gpt")

# %%
check("gpt.gpt", GPT, count_parameters)

# %% [markdown]
# ## generate
#
# *20 min · ●●●○○*
#
# `sample_next` draws one letter for each row of logits $(B, V)$: divide by the
# *temperature*, below $1$ surer, above $1$ more daring; with `top_k`, give all but the
# $k$ best no chance; softmax, then a draw with the generator. `generate` appends
# `max_new_tokens` letters, and shows the model the last `block_size` alone. With
# `top_k=1` the most likely letter is certain.

# %% exercise="gpt.generate"
def sample_next(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """One letter (B, 1) for each row of logits (B, V)."""
    # TODO: scale, cut, softmax, torch.multinomial; k may be larger than V
    raise NotImplementedError("TODO gpt.generate")

# %% exercise="gpt.generate"
@add_to(GPT)
@torch.no_grad()
def generate(
    self,
    idx: Tensor,
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The texts idx (B, T), each with so many letters drawn behind it."""
    # TODO: crop, call, last place, sample_next, append
    raise NotImplementedError("TODO gpt.generate")

# %%
check("gpt.generate", GPT, sample_next)

# %% [markdown]
# ## train
#
# *35 min · ●●●○○*
#
# Four parts of a run. `make_optimizer`: AdamW with betas $(0.9, 0.99)$ and two groups,
# weight decay for matrices and tables, none for biases and norms. `learning_rate`: up
# in a line over `warmup` steps, `peak` $\cdot$ (step $+ 1$) $/$ `warmup`, then down a
# half cosine to `floor` $\cdot$ `peak`. `train_step`: one descent at a given rate, the
# gradient clipped to the length $1$. `estimate_loss`: the mean over some batches, in
# eval mode; the model's mode is put back.

# %% exercise="gpt.train"
def make_optimizer(
    model: nn.Module, lr: float, weight_decay: float = 0.1
) -> torch.optim.AdamW:
    """AdamW in two groups: of two dimensions and more, decayed; the rest, not."""
    # TODO: each parameter in one group
    raise NotImplementedError("TODO gpt.train")

# %% exercise="gpt.train"
def learning_rate(
    step: int, steps: int, peak: float, warmup: int = 100, floor: float = 0.1
) -> float:
    """The rate at a step: a warm-up, then a half cosine down to floor * peak."""
    # TODO: two cases; at step = steps it has come down
    raise NotImplementedError("TODO gpt.train")


def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    y: Tensor,
    lr: float,
) -> float:
    """One step at the rate lr on a batch; the loss before it."""
    # TODO: the rate of all groups; forward, zero, backward, clip, step
    raise NotImplementedError("TODO gpt.train")

# %% exercise="gpt.train"
@torch.no_grad()
def estimate_loss(
    model: GPT,
    ids: Tensor,
    batch_size: int,
    batches: int,
    generator: torch.Generator | None = None,
) -> float:
    """The mean loss over some random batches of ids (N,), in eval mode."""
    # TODO: eval, get_batch, and the mode as it was found
    raise NotImplementedError("TODO gpt.train")

# %%
check("gpt.train", make_optimizer, learning_rate, train_step, estimate_loss)

# %% [markdown]
# With these four, a run is a loop that can be watched. `evaluate` measures on the whole
# of a text, window by window.

# %%
def train(
    model: GPT, ids: Tensor, steps: int, batch_size: int, lr: float, generator=None
) -> list[float]:
    """Train for some steps; the loss of each batch."""
    optimizer, losses = make_optimizer(model, lr), []
    model.train()
    rate = lambda step: learning_rate(step, steps, lr)  # noqa: E731
    for _ in (run := live.train(steps, lr=rate)):
        x, y = get_batch(ids, model.config.block_size, batch_size, generator)
        losses.append(train_step(model, optimizer, x, y, run.lr))
        run.log(loss=losses[-1], model=model)
    return losses

# %%
@torch.no_grad()
def evaluate(model: GPT, ids: Tensor, batch_size: int = 64) -> float:
    """The mean loss over all whole windows of ids (N,), one behind the other."""
    T, before = model.config.block_size, model.training
    model.eval()
    n = (len(ids) - 1) // T * T
    x, y = ids[:n].view(-1, T), ids[1 : n + 1].view(-1, T)  # (n / T, T) each
    pairs = zip(x.split(batch_size), y.split(batch_size), strict=True)
    total = sum(len(a) * model(a, b)[1].item() for a, b in pairs)
    model.train(before)
    return total / len(x)

# %% [markdown]
# The play with the budget that nanoGPT gives a CPU: 804,096 parameters, 2,000 steps,
# some minutes of one core. Take the `#` away from the last line when the checks
# above have passed.

# %%
def on_the_play(steps: int = budget(full=2_000, check=20)) -> GPT:
    """A small GPT on the play: its loss on the part kept aside, and a sample."""
    codec = Codec(text)
    train_ids, dev_ids = split_in_order(torch.tensor(codec.encode(text)))
    generator = torch.Generator().manual_seed(1337)
    sizes = {"block_size": 64, "n_embd": 128, "bias": False}
    model = GPT(GPTConfig(len(codec.chars), **sizes, tied=True, gelu=True))
    train(model, train_ids, steps, 12, 1e-3, generator)
    print(f"dev {evaluate(model, dev_ids):.4f}; nanoGPT's README: 1.88")
    start = torch.tensor([codec.encode("\n")])
    print(codec.decode(model.eval().generate(start, 200, generator=generator)[0]))
    return model


# on_the_play()

# %% [markdown]
# ## masked_loss_addition
#
# *25 min · ●●●○○*
#
# A GPT that adds. A problem is a text over twelve symbols, its numbers filled up with
# zeros and its sum written *backwards*: `addition(7, 85, 2)` is `"07+85=290"`.
# `question_masked` makes inputs and targets of such rows and puts $-1$ where the target
# belongs to the question, so that only the answer is learned. `calculate` asks a model
# and reads the most likely digits.

# %%
SYMBOLS = "0123456789+="


def rows_of(texts: Iterable[str]) -> Tensor:
    """Texts of equal length as numbers (N, L): a digit is its own number."""
    return torch.tensor([[SYMBOLS.index(symbol) for symbol in one] for one in texts])

# %% exercise="gpt.masked_loss_addition"
def addition(a: int, b: int, digits: int) -> str:
    """A problem and its answer; the sum has digits + 1 places, the units first."""
    # TODO: a format such as f"{a:02d}" fills up with zeros
    raise NotImplementedError("TODO gpt.masked_loss_addition")


def question_masked(ids: Tensor, asked: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets (N, L - 1) of rows (N, L) that begin with `asked` symbols."""
    # TODO: y is x moved by one; -1 where the next symbol belongs to the question
    raise NotImplementedError("TODO gpt.masked_loss_addition")

# %% exercise="gpt.masked_loss_addition"
def calculate(model: GPT, pairs: list[tuple[int, int]], digits: int) -> list[int]:
    """What the model says is a + b, for each of the pairs."""
    # TODO: rows up to "=", then digits + 1 letters of generate; no dice
    raise NotImplementedError("TODO gpt.masked_loss_addition")

# %%
check("gpt.masked_loss_addition", addition, question_masked, calculate)

# %% [markdown]
# Two digits make 10,000 problems. The run below keeps 1,000 of them aside and counts
# how many of these come out right. Take the `#` away when the checks above have passed.

# %%
def on_additions(digits: int = 2, steps: int = budget(full=3_000, check=5)) -> None:
    """Teach a small GPT to add, and ask it what it has never seen."""
    generator = torch.Generator().manual_seed(1337)
    n = 10**digits
    order = torch.randperm(n * n, generator=generator).tolist()
    pairs = [divmod(i, n) for i in order[:20_000]]
    ids = rows_of(addition(a, b, digits) for a, b in pairs)
    x, y = question_masked(ids[1_000:], 2 * digits + 2)
    torch.manual_seed(1337)
    model = GPT(GPTConfig(len(SYMBOLS), 3 * digits + 2, 2, 4, 64))
    optimizer = make_optimizer(model, 2e-3)
    for step in (run := live.train(steps)):
        ix = torch.randint(len(x), (256,), generator=generator)
        rate = learning_rate(step, steps, 2e-3)
        run.log(loss=train_step(model, optimizer, x[ix], y[ix], rate))
    told = calculate(model.eval(), pairs[:1_000], digits)
    right = sum(a + b == c for (a, b), c in zip(pairs, told, strict=False))
    print(f"{right} of {len(told)} sums that were kept aside are right")


# on_additions()

# %% [markdown]
# ## finetune
#
# *30 min · ●●●○○*
#
# A model that has read plays knows something about letters that a list of names is too
# short to teach. Two steps. `fit_letters` makes a model for another list of letters:
# rows of the token table and of `lm_head` move to where their letter stands now, new
# letters keep a fresh start, everything else is copied. `finetune` trains a *copy*,
# in training mode; with `frozen` $> 0$ both tables and so many first blocks stay as
# they are.

# %% exercise="gpt.finetune"
def fit_letters(model: GPT, old: list[str], new: list[str]) -> GPT:
    """A GPT over the letters `new`, with what `model` knows about those in `old`."""
    # TODO: the config with another vocab_size; the state, moved or copied
    raise NotImplementedError("TODO gpt.finetune")

# %% exercise="gpt.finetune"
def finetune(
    model: GPT,
    ids: Tensor,
    steps: int,
    batch_size: int,
    lr: float,
    frozen: int = 0,
    generator: torch.Generator | None = None,
) -> GPT:
    """A copy of the model, trained on ids (N,); the model itself stays as it is."""
    # TODO: deepcopy; requires_grad_(False) for what is frozen; the loop of a run
    raise NotImplementedError("TODO gpt.finetune")

# %%
check("gpt.finetune", fit_letters, finetune)

# %% [markdown]
# Does it pay? The run below trains on the play, then on 1,000 names, and compares with
# a model that saw the names alone. Take the `#` away from the last line.

# %%
def on_names(steps: int = budget(full=2_000, check=5)) -> None:
    """From the play to names: the dev loss with and without what was learned before."""
    codec, few = Codec(text), data.names()[:2_000]
    names = Codec("\n" + "".join(few))
    piles = [few[::2], few[1::2]]
    ids, dev = (torch.tensor(names.encode("\n" + "\n".join(pile))) for pile in piles)
    torch.manual_seed(1337)
    before = GPT(GPTConfig(len(codec.chars)))
    train(before, torch.tensor(codec.encode(text)), steps, 16, 1e-3)
    fresh = GPT(GPTConfig(len(names.chars)))
    fitted = fit_letters(before, codec.chars, names.chars)
    for start, lr, frozen in ((fresh, 1e-3, 0), (fitted, 3e-4, 0), (fitted, 3e-4, 2)):
        tuned = finetune(start, ids, steps // 8, 16, lr, frozen)
        said = "fresh" if start is fresh else f"finetuned, {frozen} blocks frozen"
        print(f"{said}: dev {evaluate(tuned, dev):.4f}")


# on_names()

# %% [markdown]
# ## kv_cache
#
# *40 min · ●●●●○*
#
# To draw the next letter, `generate` shows the model the whole text again, though
# nothing about the earlier letters has changed: no letter looks ahead. What the new
# letter needs of them are their keys and values. `attend_cached` is attention for the
# letters `x` $(B, T, C)$ that come after those in `cache`, a pair of keys and values
# $(B, n_h, S, h)$ of $S$ places, or `None`; it returns output and longer cache.

# %% [markdown]
# `next_logits` sends new letters through the whole model: `caches` is a list with a
# cache for each block, or `None` at the start. `generate_cached` draws by it the
# letters that `generate` draws; once the text is longer than `block_size`, all
# positions move, and the last `block_size` letters are computed anew. All three are for
# a model in eval mode: dropout is left out.

# %% exercise="gpt.kv_cache"
def attend_cached(
    sa: CausalSelfAttention, x: Tensor, cache: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The output of sa (B, T, C) for new letters x, and the cache with theirs added."""
    # TODO: q, k, v of x; what is cached, then what is new; the right rows of tril
    raise NotImplementedError("TODO gpt.kv_cache")

# %% exercise="gpt.kv_cache"
def next_logits(
    model: GPT, idx: Tensor, caches: list | None
) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """The logits (B, V) after new letters idx (B, T), and a cache for each block."""
    # TODO: the new letters' places begin where the cache ends; block by block
    raise NotImplementedError("TODO gpt.kv_cache")

# %% exercise="gpt.kv_cache"
@torch.no_grad()
def generate_cached(
    model: GPT,
    idx: Tensor,
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The letters of model.generate in eval mode; idx (B, T) grows at its end."""
    # TODO: while the text fits, only what is new; then, as before, the last block_size
    raise NotImplementedError("TODO gpt.kv_cache")

# %%
check("gpt.kv_cache", attend_cached, next_logits, generate_cached)

# %% [markdown]
# Timed below on 256 letters, on a model of the lecture's large size, which need not be
# trained for that. Take the `#` away from the last line.

# %%
def timed(new: int = budget(full=256, check=8)) -> None:
    """Seconds for some letters, drawn anew from the whole text and with a cache."""
    config = GPTConfig(block_size=256, n_layer=6, n_head=6, n_embd=384)
    model, start = GPT(config).eval(), torch.zeros(1, 1, dtype=torch.long)
    took, texts = [], []
    for draw in (GPT.generate, generate_cached):
        began = time.perf_counter()
        texts.append(draw(model, start, new, top_k=1))
        took.append(time.perf_counter() - began)
    print(f"{took[0]:.1f} s and {took[1]:.1f} s: {took[0] / took[1]:.1f} times as fast")
    print("the same letters:", torch.equal(*texts))


# timed()

# %% [markdown]
# ## sdpa
#
# *15 min · ●●○○○*
#
# PyTorch has attention in one call, `F.scaled_dot_product_attention`, which computes
# block by block and never keeps the square of weights. `FusedAttention` replaces
# `attend` by it: causal, and with dropout on the weights in training only. `fuse` gives
# a copy of a model that attends so. `score_bytes` counts what the square takes: in all
# blocks and heads, in single precision, $1{,}024$ for two texts of $4$ letters, four
# heads and two blocks.

# %% exercise="gpt.sdpa"
class FusedAttention(CausalSelfAttention):
    """CausalSelfAttention, computed in one call (Dao et al., 2022).

    https://arxiv.org/abs/2205.14135
    """

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Causal attention of each head, (B, n_head, T, size) to the same."""
        # TODO: the call does not know whether we train
        raise NotImplementedError("TODO gpt.sdpa")


def fuse(model: GPT) -> GPT:
    """A copy of the model, its numbers and mode, with FusedAttention in each block."""
    # TODO: deepcopy; in each block a new sa with the state and mode of the old one
    raise NotImplementedError("TODO gpt.sdpa")


def score_bytes(config: GPTConfig, batch_size: int) -> int:
    """Bytes of all attention weights of one forward pass over full windows."""
    # TODO: four bytes each
    raise NotImplementedError("TODO gpt.sdpa")

# %%
check("gpt.sdpa", FusedAttention, fuse, score_bytes)

# %% [markdown]
# ## rotary
#
# *30 min · ●●●●○*
#
# Positions without a table. Each pair of channels $(i, i + h/2)$ of a query or key at
# place $t$ is turned by the angle $t \cdot 10000^{-2i/h}$, where $h$ is the head size.
# Two turned vectors have a product that depends on their *distance* alone.
# `rotary_angles` gives the angles $(T, h/2)$; `rotate` turns: $(1, 0)$ at place $1$
# becomes $(\cos 1, \sin 1)$. `RotaryAttention` does it before it attends, and
# `RotaryGPT` has no learned positions.

# %%
class NoPositions(nn.Module):
    """In place of a table of positions: nothing is added."""

    def __init__(self) -> None:
        super().__init__()  # for a GPT that adds weight[:T]: one zero serves all places
        self.register_buffer("weight", torch.zeros(1), persistent=False)

    def forward(self, places: Tensor) -> float:
        return 0.0

# %% exercise="gpt.rotary"
def rotary_angles(T: int, size: int, base: float = 10_000.0) -> Tensor:
    """The angle (T, size / 2) of each place and pair of channels.

    Su et al. (2021), equation 15: https://arxiv.org/abs/2104.09864
    """
    # TODO: place times speed; pair i has the speed base ** (-2 i / size)
    raise NotImplementedError("TODO gpt.rotary")


def rotate(x: Tensor) -> Tensor:
    """Each pair of channels (i, i + size / 2) of x (..., T, size), turned."""
    # TODO: (a, b) becomes (a cos - b sin, a sin + b cos)
    raise NotImplementedError("TODO gpt.rotary")

# %% exercise="gpt.rotary"
class RotaryAttention(CausalSelfAttention):
    """CausalSelfAttention that knows places by turning queries and keys."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Causal attention of each head, (B, n_head, T, size) to the same."""
        # TODO: not the values
        raise NotImplementedError("TODO gpt.rotary")


class RotaryGPT(GPT):
    """A GPT with rotary positions and no table of positions."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__(config)
        # TODO: NoPositions for the table, RotaryAttention in each block; start_weights
        raise NotImplementedError("TODO gpt.rotary")

# %%
check("gpt.rotary", rotary_angles, rotate, RotaryAttention, RotaryGPT)

# %% [markdown]
# One feature, compared: the lecture's small model with a learned table and with rotary
# positions, the same steps and the same seed. Take the `#` away from the last line.

# %%
def compared(steps: int = budget(full=2_000, check=5)) -> None:
    """The dev loss with learned and with rotary positions."""
    codec = Codec(text)
    ids, dev = split_in_order(torch.tensor(codec.encode(text)))
    for kind in (GPT, RotaryGPT):
        torch.manual_seed(1337)
        model = kind(GPTConfig(len(codec.chars)))
        train(model, ids, steps, 16, 1e-3, torch.Generator().manual_seed(1337))
        size = sum(p.numel() for p in model.parameters())
        print(f"{kind.__name__}: {size:,} parameters, dev {evaluate(model, dev):.4f}")


# compared()

# %% [markdown]
# ## speedrun
#
# *150 min · ●●●●●*
#
# Much was found out since. The race: the play, a context of $64$ letters, at most
# 810,000 parameters, and the CPU seconds of the GPT at the end of `train`, nanoGPT's
# for a CPU. `speedrun(ids, steps, recipe)` trains on `ids`, `steps` steps and no more,
# and returns the model, which gives `(logits, loss)` as a GPT does and has a `config`
# with `block_size`. Each ingredient of a `Recipe` is a switch: what it buys can be
# measured. Ours are below, with their papers; yours may be others.

# %%
@dataclass
class Recipe:
    """The sizes of the race, and its ingredients, each of them a switch."""

    vocab_size: int = 65
    block_size: int = 64
    n_layer: int = 3
    n_head: int = 4
    n_embd: int = 128
    batch_size: int = 16
    rotary: bool = True  # Su et al., 2021, https://arxiv.org/abs/2104.09864
    qk_norm: bool = True  # Henry et al., 2020, https://arxiv.org/abs/2010.04245
    squared: bool = True  # So et al., 2021, https://arxiv.org/abs/2109.08668
    zeros: bool = True  # Goyal et al., 2017, https://arxiv.org/abs/1706.02677
    shift: bool = True  # the letter before: Peng et al., 2023, arXiv 2305.13048
    ngrams: bool = True  # hashed: Bojanowski et al., 2017, arXiv 1607.04606
    muon: bool = True  # Jordan, 2024, https://kellerjordan.github.io/posts/muon/
    decay: bool = True  # Hägele et al., 2024, https://arxiv.org/abs/2405.18392

# %% [markdown]
# An ingredient without numbers to learn is a function: a norm without scale, and the
# vector of the letter before, of which each block adds as much as it likes.

# %% exercise="gpt.speedrun"
def norm(x: Tensor) -> Tensor:
    """Each vector of x (..., C) with mean 0 and variance 1."""
    # TODO: or leave this out
    raise NotImplementedError("TODO gpt.speedrun")


def before(x: Tensor) -> Tensor:
    """The vector of the letter before, for x (B, T, C); zeros before the first."""
    # TODO: or leave this out
    raise NotImplementedError("TODO gpt.speedrun")

# %% exercise="gpt.speedrun"
class RacerBlock(nn.Module):
    """A block whose matrices are one stack (12, C, C): 3 + 1 attend, 4 + 4 think."""

    def __init__(self, r: Recipe) -> None:
        super().__init__()
        # TODO: or a block of your own
        raise NotImplementedError("TODO gpt.speedrun")

    def attend(self, x: Tensor, w: Tensor, last: Tensor) -> Tensor:
        """Causal attention, (B, T, C) to the same."""
        # TODO
        raise NotImplementedError("TODO gpt.speedrun")

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) to the same."""
        # TODO
        raise NotImplementedError("TODO gpt.speedrun")

# %% [markdown]
# What follows a pair or a triple of letters need not be computed, it can be looked up.
# There are $65^2$ pairs; triples share 12,000 rows, by a hash. Looking up costs no
# products, however large the table is.

# %% exercise="gpt.speedrun"
class Ngrams(nn.Module):
    """Vectors (B, T, C) for the last two and three letters of idx (B, T)."""

    def __init__(self, r: Recipe, rows: int = 12_000) -> None:
        super().__init__()
        # TODO: or leave this out
        raise NotImplementedError("TODO gpt.speedrun")

    def forward(self, idx: Tensor) -> Tensor:
        """For each place what it and the one or two before it say."""
        # TODO
        raise NotImplementedError("TODO gpt.speedrun")

# %% exercise="gpt.speedrun"
class Racer(nn.Module):
    """A decoder-only transformer with the ingredients of a recipe."""

    def __init__(self, r: Recipe) -> None:
        super().__init__()
        # TODO: or a model of your own
        raise NotImplementedError("TODO gpt.speedrun")

    def forward(
        self, idx: Tensor, targets: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The logits (B, T, V) for idx (B, T), and the loss where targets are given."""
        # TODO
        raise NotImplementedError("TODO gpt.speedrun")

# %% [markdown]
# Muon asks of a matrix's step that it moves all directions by the same amount. It takes
# the average gradient and brings its singular values near one, by five rounds of a
# polynomial in $X X^\top$. All matrices are squares of the same size here, so one call
# does them all.

# %% exercise="gpt.speedrun"
def orthogonal(x: Tensor, rounds: int = 5) -> Tensor:
    """Matrices (N, C, C) with the same directions and singular values near 1."""
    # TODO: or leave this out
    raise NotImplementedError("TODO gpt.speedrun")


class Muon(torch.optim.Optimizer):
    """Descent along the orthogonalised average gradient of stacks (n, C, C)."""

    def __init__(self, params: Iterable[Tensor], lr: float, beta: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "beta": beta})

    @torch.no_grad()
    def step(self) -> None:
        """One step; the average looks ahead, as Nesterov's does."""
        # TODO
        raise NotImplementedError("TODO gpt.speedrun")

# %% [markdown]
# Two optimizers then: Muon for the stacks, Adam for tables, head and mixes. Rates rise
# for ten steps and fall to zero in a line.

# %% exercise="gpt.speedrun"
def race_optimizers(model: Racer, r: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the stacks of the blocks, Adam for the rest; or Adam for all."""
    # TODO: or one of your own; each group notes its peak
    raise NotImplementedError("TODO gpt.speedrun")


def pace(step: int, steps: int, decay: bool = True) -> float:
    """The share of the peak rate: up in ten steps, level, down to 0 in a line."""
    # TODO: or another one
    raise NotImplementedError("TODO gpt.speedrun")

# %% exercise="gpt.speedrun"
def race_batches(ids: Tensor, r: Recipe) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches x, y (B, T) without end: each round sees each window once."""
    # TODO: or draw at random
    raise NotImplementedError("TODO gpt.speedrun")


def speedrun(ids: Tensor, steps: int, recipe: Recipe | None = None) -> nn.Module:
    """A model trained on ids (N,) for some steps; of 810,000 parameters at most."""
    # TODO: Recipe() where none is given; your loop
    raise NotImplementedError("TODO gpt.speedrun")

# %%
check("gpt.speedrun", speedrun)

# %% [markdown]
# The check races a tiny recipe for a moment. The full race, and what each ingredient
# buys: take the `#` away from one of the last two lines.

# %%
def race(steps: int = budget(full=900, check=2), recipe: Recipe | None = None) -> float:
    """The dev loss of a run on the play, and its CPU seconds."""
    codec = Codec(text)
    ids, dev = split_in_order(torch.tensor(codec.encode(text)))
    torch.manual_seed(1337)
    began = time.process_time()
    model = speedrun(ids, steps, recipe or Recipe(len(codec.chars)))
    spent, loss = time.process_time() - began, evaluate(model, dev)
    size = sum(p.numel() for p in model.parameters())
    print(f"dev {loss:.4f}, {size:,} parameters, {spent:.0f} CPU s")
    return loss


def ablation(steps: int = budget(full=200, check=1)) -> None:
    """Each ingredient left out in turn, all else equal."""
    start = Recipe(len(Codec(text).chars))
    for name in ["", *[f.name for f in fields(Recipe) if f.type is bool]]:
        print(f"without {name or 'nothing'}: ", end="")
        race(steps, replace(start, **{name: False}) if name else start)


# race()
# ablation()
