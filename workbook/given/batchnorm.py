# Made from solutions/04_batchnorm.py by `make exercises`: edit that, not this.
"""Activations & gradients, BatchNorm.

Linear, BatchNorm1d, LayerNorm, Tanh.

Written along Andrej Karpathy's lecture, https://youtu.be/P6sfmUTpUmc
"""

import torch
from torch import Tensor


class Linear:
    """A linear layer: x @ weight + bias, for x of shape (..., fan_in).

    Its weights start with the spread of He et al. (2015), equation 10, for gain 1:
    https://arxiv.org/abs/1502.01852
    """

    training = True

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        bias: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        weight = torch.randn(fan_in, fan_out, generator=generator) / fan_in**0.5
        self.weight = weight.requires_grad_()
        self.bias = torch.zeros(fan_out, requires_grad=True) if bias else None

    def __call__(self, x: Tensor) -> Tensor:
        """The output (..., fan_out), kept in `out` as well."""
        self.out = x @ self.weight
        if self.bias is not None:
            self.out = self.out + self.bias
        return self.out

    def parameters(self) -> list[Tensor]:
        """The weight, and the bias where there is one."""
        return [self.weight] if self.bias is None else [self.weight, self.bias]


class Tanh:
    """The hyperbolic tangent of each number, for x of any shape."""

    training = True

    def __call__(self, x: Tensor) -> Tensor:
        """The output, of the shape of x, kept in `out` as well."""
        self.out = torch.tanh(x)
        return self.out

    def parameters(self) -> list[Tensor]:
        """Nothing here learns."""
        return []


class BatchNorm1d:
    """Batch Normalization of x (N, dim), unit by unit (Ioffe and Szegedy, 2015).

    Training follows their algorithm 1, with the statistics of the batch and gradients
    through them; otherwise algorithm 2, with running ones. As in torch.nn.BatchNorm1d
    the variance is divided by N to normalise, and by N - 1 for `running_var`.
    https://arxiv.org/abs/1502.03167
    """

    training = True

    def __init__(self, dim: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.eps, self.momentum = eps, momentum
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)
        self.running_mean = torch.zeros(dim)
        self.running_var = torch.ones(dim)

    def __call__(self, x: Tensor) -> Tensor:
        """The output (N, dim), kept in `out` as well."""
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0, correction=0)  # (dim,): divided by N
            self.remember(mean.detach(), x.detach().var(0))  # divided by N - 1
        xhat = (x - mean) / torch.sqrt(var + self.eps)  # (N, dim)
        self.out = self.gamma * xhat + self.beta
        return self.out

    def remember(self, mean: Tensor, var: Tensor) -> None:
        """Move the running averages by `momentum` towards these of a batch."""
        m = self.momentum
        self.running_mean = (1 - m) * self.running_mean + m * mean
        self.running_var = (1 - m) * self.running_var + m * var

    def parameters(self) -> list[Tensor]:
        """What is learned by descent: gamma and beta, not the running averages."""
        return [self.gamma, self.beta]


class LayerNorm:
    """Layer Normalization of x (..., dim) over its last dimension (Ba et al., 2016).

    Their equation 3, with a learned gain and bias; as torch.nn.LayerNorm.
    https://arxiv.org/abs/1607.06450
    """

    training = True

    def __init__(self, dim: int, eps: float = 1e-5) -> None:
        self.eps = eps
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)

    def __call__(self, x: Tensor) -> Tensor:
        """The output, of the shape of x, kept in `out` as well."""
        mean = x.mean(-1, keepdim=True)  # (..., 1)
        var = x.var(-1, keepdim=True, correction=0)  # (..., 1)
        xhat = (x - mean) / torch.sqrt(var + self.eps)
        self.out = self.gamma * xhat + self.beta
        return self.out

    def parameters(self) -> list[Tensor]:
        """What is learned: gamma and beta."""
        return [self.gamma, self.beta]
