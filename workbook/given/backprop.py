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
    """Of y = x @ W + b, the gradients of x (n, in), W (in, out) and b (out,).

    dx_ik = sum_j dy_ij w_kj,  dw_kj = sum_i x_ik dy_ij,  db_j = sum_i dy_ij
    """
    return dy @ W.T, x.T @ dy, dy.sum(0)


def tanh_backward(dy: Tensor, y: Tensor) -> Tensor:
    """Of y = tanh(x), the gradient of x, from the output: dx_i = dy_i (1 - y_i^2)."""
    return dy * (1 - y**2)


def embedding_backward(demb: Tensor, X: Tensor, rows: int) -> Tensor:
    """Of emb = C[X], the gradient of C (rows, E), from demb (*X.shape, E).

    dC_vm = sum of demb_im over all places i where X_i = v
    """
    E = demb.shape[-1]
    dC = torch.zeros(rows, E, dtype=demb.dtype, device=demb.device)
    return dC.index_add_(0, X.flatten(), demb.reshape(-1, E))


def cross_entropy_backward(logits: Tensor, Y: Tensor) -> Tensor:
    """The gradient of the mean cross-entropy by the logits, (n, V).

    dz_ij = (p_ij - [j = Y_i]) / n, with p = softmax(z)
    """
    dlogits = F.softmax(logits, 1)
    dlogits[torch.arange(len(Y)), Y] -= 1
    return dlogits / len(Y)


def batchnorm_backward(
    dy: Tensor, raw: Tensor, gain: Tensor, var_inv: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of y = gain * raw + bias, the gradients of x (n, H), gain (H,) and bias (H,).

    raw = (x - mean) * var_inv is normalised over the batch, its variance divided by n
    (Ioffe and Szegedy, 2015, section 3). With g = gain * dy:
    dx_i = var_inv (g_i - mean g - raw_i mean(raw g)).
    https://arxiv.org/abs/1502.03167
    """
    g = gain * dy  # (n, H)
    dx = var_inv * (g - g.mean(0) - raw * (raw * g).mean(0))
    return dx, (raw * dy).sum(0), dy.sum(0)


def compare(mine: Tensor, true: Tensor, parts: Tensor | None = None) -> str:
    """Judge a gradient: "shape", "dtype", "not finite", "value", "zero" or "right".

    Off by at most 1e-6 of the largest number in true is right. Where true is a sum
    that cancels, `parts` holds its terms and sets the measure; what agrees and is
    nothing beside it is "zero".
    """
    if mine.shape != true.shape:
        return "shape"
    if mine.dtype != true.dtype:
        return "dtype"
    if not mine.isfinite().all():
        return "not finite"
    bound = 1e-6 * (true if parts is None else parts).abs().max()
    if (mine - true).abs().max() > bound:
        return "value"
    return "right" if true.abs().max() > bound else "zero"


def layernorm_backward(
    dy: Tensor, raw: Tensor, gain: Tensor, std_inv: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of y = gain * raw + bias, the gradients of x (..., C), gain (C,) and bias (C,).

    raw = (x - mean) * std_inv is normalised over the last dimension (Ba et al., 2016,
    equation 4), std_inv (..., 1). With g = gain * dy, means over the last dimension:
    dx = std_inv (g - mean g - raw mean(raw g)).
    https://arxiv.org/abs/1607.06450
    """
    g = gain * dy  # (..., C)
    along = raw * (raw * g).mean(-1, keepdim=True)
    dx = std_inv * (g - g.mean(-1, keepdim=True) - along)
    C = dy.shape[-1]
    return dx, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
