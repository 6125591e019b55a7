# Made from solutions/05_backprop.py by `make exercises`: edit that, not this.
"""Becoming a backprop ninja.

compare, cross_entropy_backward, batchnorm_backward, linear_backward, tanh_backward,
embedding_backward, layernorm_backward.

Written along Andrej Karpathy's lecture, https://youtu.be/q8SA3rM6ckI
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def linear_backward(dy: Tensor, x: Tensor, W: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of y = x @ W + b, the gradients of x (n, in), W (in, out) and b (out,)."""
    return dy @ W.T, x.T @ dy, dy.sum(0)


def tanh_backward(dy: Tensor, y: Tensor) -> Tensor:
    """Of y = tanh(x), the gradient of x, from the output y; all of one shape."""
    return dy * (1 - y**2)


def embedding_backward(demb: Tensor, X: Tensor, rows: int) -> Tensor:
    """Of emb = C[X], the gradient of C (rows, E), from demb (*X.shape, E)."""
    E = demb.shape[-1]
    dC = torch.zeros(rows, E, dtype=demb.dtype, device=demb.device)
    return dC.index_add_(0, X.flatten(), demb.reshape(-1, E))


def cross_entropy_backward(logits: Tensor, Y: Tensor) -> Tensor:
    """The gradient of the mean cross-entropy of labels Y (n,) by the logits (n, V)."""
    dlogits = F.softmax(logits, 1)
    dlogits[torch.arange(len(Y)), Y] -= 1
    return dlogits / len(Y)


def batchnorm_backward(
    dy: Tensor, raw: Tensor, gain: Tensor, var_inv: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of y = gain * raw + bias, the gradients of x (n, H), gain (H,) and bias (H,).

    raw = (x - mean) * var_inv is normalised over the batch, var_inv being
    (variance + eps) ** -0.5, and the variance divided by n: Ioffe and Szegedy (2015),
    algorithm 1 forward and section 3 backward, in one expression.
    https://arxiv.org/abs/1502.03167
    """
    g = gain * dy  # (n, H)
    dx = var_inv * (g - g.mean(0) - raw * (raw * g).mean(0))
    return dx, (raw * dy).sum(0), dy.sum(0)


def compare(mine: Tensor, true: Tensor, parts: Tensor | None = None) -> str:
    """Judge a gradient: "shape", "dtype", "not finite", "value", "zero" or "right".

    Off by at most 1e-6 of the largest number in true is right. Where true is a sum
    that cancels, `parts` holds its terms and sets the measure; what agrees and is
    nothing beside the measure, with parts or without, is "zero".
    """
    if mine.shape != true.shape:
        return "shape"
    if mine.dtype != true.dtype:
        return "dtype"
    gap = (mine - true).abs().max()
    if not gap.isfinite():
        return "not finite"
    bound = 1e-6 * (true if parts is None else parts).abs().max()
    if gap > bound:
        return "value"
    return "right" if true.abs().max() > bound else "zero"


def layernorm_backward(
    dy: Tensor, raw: Tensor, gain: Tensor, std_inv: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of y = gain * raw + bias, the gradients of x (..., C), gain (C,) and bias (C,).

    raw = (x - mean) * std_inv is normalised over the last dimension, std_inv (..., 1)
    being (variance + eps) ** -0.5: Ba et al. (2016), equation 3, with gain and bias.
    https://arxiv.org/abs/1607.06450
    """
    g = gain * dy  # (..., C)
    along = raw * (raw * g).mean(-1, keepdim=True)
    dx = std_inv * (g - g.mean(-1, keepdim=True) - along)
    C = dy.shape[-1]
    return dx, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
