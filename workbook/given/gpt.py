# Made from solutions/07_gpt.py by `make exercises`: edit that, not this.
"""Let's build GPT.

GPTConfig, GPT, Head, MultiHeadAttention, FeedForward, Block.

Written along Andrej Karpathy's lecture, https://www.youtube.com/watch?v=kCc8FmEb1nY
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


class Head(nn.Module):
    """One head of causal self-attention: (B, T, C) to (B, T, head size).

    Vaswani et al. (2017), equation 1, with a mask: https://arxiv.org/abs/1706.03762
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C, size = config.n_embd, config.n_embd // config.n_head
        self.query = nn.Linear(C, size, bias=False)
        self.key = nn.Linear(C, size, bias=False)
        self.value = nn.Linear(C, size, bias=False)
        past = torch.ones(config.block_size, config.block_size).tril()
        self.register_buffer("tril", past, persistent=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """The output (B, T, head size) for x (B, T, C), T up to block_size."""
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)  # (B, T, size) each
        wei = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, T, T)
        wei = wei.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
        wei = self.dropout(F.softmax(wei, dim=-1))
        return wei @ v  # (B, T, size)


class MultiHeadAttention(nn.Module):
    """Heads side by side, and a projection: (B, T, C) to (B, T, C).

    Vaswani et al. (2017), section 3.2.2: https://arxiv.org/abs/1706.03762
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.heads = nn.ModuleList([Head(config) for _ in range(config.n_head)])
        self.proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """The output (B, T, C) for x (B, T, C)."""
        out = torch.cat([head(x) for head in self.heads], dim=-1)  # (B, T, C)
        return self.dropout(self.proj(out))


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
        T = q.shape[-2]
        wei = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, n_head, T, T)
        wei = wei.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
        return self.attn_dropout(F.softmax(wei, dim=-1)) @ v

    def forward(self, x: Tensor) -> Tensor:
        """The output (B, T, C) for x (B, T, C)."""
        B, T, C = x.shape
        rows = [
            t.view(B, T, self.n_head, -1).transpose(1, 2)  # (B, n_head, T, size)
            for t in self.qkv(x).split(C, dim=-1)
        ]
        out = self.attend(*rows).transpose(1, 2).reshape(B, T, C)
        return self.dropout(self.proj(out))


class FeedForward(nn.Module):
    """Two layers at each place alone, four times as wide between: (B, T, C) again.

    Vaswani et al. (2017), section 3.3, equation 2: https://arxiv.org/abs/1706.03762
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C = config.n_embd
        self.net = nn.Sequential(
            nn.Linear(C, 4 * C, bias=config.bias),
            nn.GELU() if config.gelu else nn.ReLU(),
            nn.Linear(4 * C, C, bias=config.bias),
            nn.Dropout(config.dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The output (B, T, C) for x (B, T, C)."""
        return self.net(x)


class Block(nn.Module):
    """A transformer block, pre-norm: x + sa(ln1(x)), then x + ffwd(ln2(x)).

    Vaswani et al. (2017), figure 1, with the norms moved to the front of each branch
    as in GPT-2 (Radford et al., 2019, section 2.3).
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.ln1 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.sa = CausalSelfAttention(config)
        self.ln2 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.ffwd = FeedForward(config)

    def forward(self, x: Tensor) -> Tensor:
        """The output (B, T, C) for x (B, T, C)."""
        x = x + self.sa(self.ln1(x))
        return x + self.ffwd(self.ln2(x))


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


class GPT(nn.Module):
    """A decoder-only transformer over letters (Radford et al., 2019)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        V, T, C = config.vocab_size, config.block_size, config.n_embd
        self.token_embedding_table = nn.Embedding(V, C)
        self.position_embedding_table = nn.Embedding(T, C)
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.Sequential(*[Block(config) for _ in range(config.n_layer)])
        self.ln_f = nn.LayerNorm(C, bias=config.bias)
        self.lm_head = nn.Linear(C, V, bias=config.bias and not config.tied)
        if config.tied:
            self.lm_head.weight = self.token_embedding_table.weight
        start_weights(self, config.n_layer)

    def forward(
        self, idx: Tensor, targets: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The logits (B, T, V) for idx (B, T), and the loss where targets are given."""
        places = torch.arange(idx.shape[1], device=idx.device)  # (T,)
        x = self.token_embedding_table(idx) + self.position_embedding_table(places)
        x = self.ln_f(self.blocks(self.drop(x)))  # (B, T, C)
        logits = self.lm_head(x)  # (B, T, V)
        if targets is None:
            return logits, None
        flat = logits.flatten(0, 1)  # (B * T, V)
        return logits, F.cross_entropy(flat, targets.flatten(), ignore_index=-1)

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
        for _ in range(max_new_tokens):
            context = idx[:, -self.config.block_size :]
            logits, _ = self(context)
            letter = sample_next(logits[:, -1], temperature, top_k, generator)  # (B, 1)
            idx = torch.cat([idx, letter], dim=1)
        return idx


def sample_next(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """One letter (B, 1) for each row of logits (B, V)."""
    logits = logits / temperature
    if top_k is not None:
        best = logits.topk(min(top_k, logits.shape[-1])).values  # (B, k)
        logits = logits.masked_fill(logits < best[:, -1:], float("-inf"))
    probs = F.softmax(logits, dim=-1)
    return torch.multinomial(probs, 1, generator=generator)
