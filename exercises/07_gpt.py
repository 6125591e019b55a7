# ---
# jupyter:
#   made: from solutions/07_gpt.py by `make exercises`; edit that, not this
# ---

# %% [markdown]
# # 7 · Let's build GPT: exercises
#
# You build a transformer from a line of text up: batches of text, attention, heads,
# blocks, the model, its samples and its training. Each exercise is a cell with a `TODO`
# and a check under it. `hint("…")` goes deeper each time you run it;
# `solution("…")` asks once, then shows an answer.

# %%
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    """The first `share` of a row, and the rest of it, in order."""
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
# One object holds all sizes. The names are those of nanoGPT.

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
# the heads one behind the other. `forward` gives each the shape $(B, n_h, T, h)$, calls
# `attend`, and puts the heads back side by side. `merge_heads` copies the numbers of a
# `MultiHeadAttention`, so that both can be compared: they must agree.

# %% exercise="gpt.batched_heads"
class CausalSelfAttention(nn.Module):
    """Multi-head attention with all heads in one tensor: (B, T, C) to (B, T, C)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C, T = config.n_embd, config.block_size
        self.n_head = config.n_head
        self.qkv = nn.Linear(C, 3 * C, bias=False)
        self.proj = nn.Linear(C, C, bias=config.bias)
        self.attn_dropout = nn.Dropout(config.dropout)  # on the weights
        self.dropout = nn.Dropout(config.dropout)  # at the end
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
# `ffwd`; `sa` is a `CausalSelfAttention`, the norms are `nn.LayerNorm` with
# `config.bias`. If both branches gave zero, a block would return its input.

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
# `ln_f`, and `lm_head` to the letters. At the end of `__init__` comes
# `start_weights(self, config.n_layer)`; a tied model lets `lm_head` *share* the token
# table. A target of $-1$ does not count in the loss. `count_parameters` needs no model:
# the default has 209,729.

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
# *temperature*, below $1$ bolder, above $1$ more daring; with `top_k`, give all but the
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
check("gpt.generate", sample_next, GPT)

# %% [markdown]
# ## train
#
# *35 min · ●●●○○*
#
# Four parts of a run. `make_optimizer`: AdamW with betas $(0.9, 0.99)$ and two groups,
# weight decay for matrices and tables, none for biases and norms. `learning_rate`: up
# in a line over `warmup` steps, `peak` $\cdot$ (step $+ 1$) $/$ `warmup`, then down a
# half cosine to `floor` $\cdot$ `peak`. `train_step`: one descent at a given rate, the
# gradient clipped to the norm $1$. `estimate_loss`: the mean over some batches, in use.

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
    """The mean loss over some random batches of ids (N,), with the model in use."""
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
# about three minutes of one core. Take the `#` away from the last line when the checks
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
