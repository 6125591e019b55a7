# Made from solutions/06_wavenet.py by `make exercises`: edit that, not this.
"""Building a WaveNet.

Module, Embedding, FlattenConsecutive, Linear, BatchNorm1d, Tanh, Sequential,
WaveNet, CausalDilatedWaveNet.

Written along Andrej Karpathy's lecture, https://youtu.be/t3YJ5hKiMQ0
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor


class Module:
    """A part of a network, with the habits of torch.nn.Module.

    Its attributes say what it is made of: a leaf tensor that asks for a gradient is a
    parameter, a tensor that was registered is a buffer, a module is a part.
    """

    training = True
    buffer_names: tuple[str, ...] = ()

    def __call__(self, x: Tensor) -> Tensor:
        """The output of `forward`, kept in `out` as well."""
        self.out = self.forward(x)
        return self.out

    def register_buffer(self, name: str, value: Tensor) -> None:
        """Keep a tensor that no step of descent changes, and that is saved."""
        self.buffer_names = (*self.buffer_names, name)
        setattr(self, name, value)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """Itself under the name prefix, then all modules in it, by paths as "1.0"."""
        yield prefix, self
        for name, part in vars(self).items():
            if isinstance(part, Module):
                yield from part.named_modules(f"{prefix}.{name}" if prefix else name)

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """The parameters of all modules in it, by paths as "1.0.weight"."""
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, Tensor) and value.is_leaf and value.requires_grad:
                    yield f"{path}.{name}" if path else name, value

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """The buffers of all modules in it, as they are now, by their paths."""
        for path, module in self.named_modules():
            for name in module.buffer_names:
                yield f"{path}.{name}" if path else name, getattr(module, name)

    def parameters(self) -> list[Tensor]:
        """All parameters, each once, also where two modules share it."""
        return list({id(p): p for _, p in self.named_parameters()}.values())

    def train(self, mode: bool = True) -> "Module":
        """Set `training` in all modules in it, and return itself."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> "Module":
        """Leave training, in all modules in it, and return itself."""
        return self.train(False)

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by their paths, detached."""
        named = [*self.named_parameters(), *self.named_buffers()]
        return {name: value.detach() for name, value in named}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Copy the numbers of a state into its own tensors; KeyError for other names."""
        own = self.state_dict()
        if own.keys() != state.keys():
            raise KeyError(f"other names: {sorted(own.keys() ^ state.keys())}")
        for name, value in own.items():
            value.copy_(state[name])


class Linear(Module):
    """A linear layer: x @ weight + bias, for x of shape (..., fan_in).

    Its weights start with the spread of He et al. (2015), equation 10, for gain 1:
    https://arxiv.org/abs/1502.01852
    """

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

    def forward(self, x: Tensor) -> Tensor:
        """The output (..., fan_out)."""
        x = x @ self.weight
        return x if self.bias is None else x + self.bias


class Tanh(Module):
    """The hyperbolic tangent of each number, for x of any shape."""

    def forward(self, x: Tensor) -> Tensor:
        """The output, of the shape of x."""
        return torch.tanh(x)


class Embedding(Module):
    """A table of num rows of dim numbers, for letter numbers of any shape."""

    def __init__(
        self, num: int, dim: int, generator: torch.Generator | None = None
    ) -> None:
        self.weight = torch.randn(num, dim, generator=generator, requires_grad=True)

    def forward(self, x: Tensor) -> Tensor:
        """The rows that x (...) names, of shape (..., dim)."""
        return self.weight[x]


class FlattenConsecutive(Module):
    """Every n neighbours in time as one: (N, T, C) to (N, T / n, n * C).

    Where T = n, the result is (N, n * C).
    """

    def __init__(self, n: int) -> None:
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        """The fused vectors."""
        N, T, C = x.shape
        x = x.view(N, T // self.n, self.n * C)
        return x.squeeze(1) if self.n == T else x


class Sequential(Module):
    """Layers in a row, as attributes "0", "1", …: each reads what came out before."""

    def __init__(self, *layers: Module) -> None:
        for i, layer in enumerate(layers):
            setattr(self, str(i), layer)
        self.length = len(layers)

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Module]:
        return iter([getattr(self, str(i)) for i in range(self.length)])

    def __getitem__(self, place: int) -> Module:
        return list(self)[place]

    def forward(self, x: Tensor) -> Tensor:
        """The output of the last layer."""
        for layer in self:
            x = layer(x)
        return x


class BatchNorm1d(Module):
    """Batch Normalization of x (N, dim) or (N, T, dim), channel by channel.

    Ioffe and Szegedy (2015), algorithms 1 and 2; their section 3.2 pools over places
    as well as examples. The variance is divided by the count n to normalise and by
    n - 1 for `running_var`, as in torch.nn.BatchNorm1d, which wants (N, dim, T).
    https://arxiv.org/abs/1502.03167
    """

    def __init__(self, dim: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.eps, self.momentum = eps, momentum
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_var", torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """The output, of the shape of x."""
        mean, var = self.running_mean, self.running_var
        if self.training:
            dims = tuple(range(x.ndim - 1))  # (0,) or (0, 1)
            mean, var = x.mean(dims), x.var(dims, correction=0)  # (dim,)
            m, unbiased = self.momentum, x.detach().var(dims)
            self.running_mean = (1 - m) * self.running_mean + m * mean.detach()
            self.running_var = (1 - m) * self.running_var + m * unbiased
        return self.gamma * (x - mean) / torch.sqrt(var + self.eps) + self.beta


class WaveNet(Module):
    """A tree over 2**levels letters, fused two at a time, up to the next letter.

    After the lecture, and WaveNet's dilated layers (van den Oord et al., 2016, figure
    3). Contexts (N, block_size) of letter numbers give logits (N, vocab_size).
    https://arxiv.org/abs/1609.03499
    """

    def __init__(
        self,
        vocab_size: int = 27,
        embedding: int = 24,
        hidden: int = 128,
        levels: int = 3,
        generator: torch.Generator | None = None,
    ) -> None:
        self.block_size = 2**levels
        layers = [Embedding(vocab_size, embedding, generator)]
        for width in [embedding, *[hidden] * (levels - 1)]:
            linear = Linear(2 * width, hidden, bias=False, generator=generator)
            layers += [FlattenConsecutive(2), linear, BatchNorm1d(hidden), Tanh()]
        self.net = Sequential(*layers, Linear(hidden, vocab_size, True, generator))
        with torch.no_grad():
            self.net[-1].weight *= 0.1

    def forward(self, X: Tensor) -> Tensor:
        """The logits (N, vocab_size) for contexts X (N, block_size)."""
        return self.net(X)


def dilated(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    """[x_t, x_{t + dilation}] @ weight at each t, by F.conv1d: (N, T - dilation, H)."""
    kernel = weight.view(2, x.shape[2], -1).permute(2, 1, 0)  # (H, C, 2)
    return F.conv1d(x.transpose(1, 2), kernel, dilation=dilation).transpose(1, 2)


class CausalDilatedWaveNet(Module):
    """A WaveNet at every place of a text, by dilated causal convolutions.

    Van den Oord et al. (2016), section 2.1. It shares the layers of `tree`, and in use
    its output at place t is the tree's for the letters up to t, dots before the first.
    https://arxiv.org/abs/1609.03499
    """

    def __init__(self, tree: WaveNet) -> None:
        self.tree = tree

    def forward(self, X: Tensor) -> Tensor:
        """The logits (N, T, vocab_size) after each letter of X (N, T)."""
        embedding, *levels, last = self.tree.net
        x = embedding(F.pad(X, (self.tree.block_size - 1, 0)))  # (N, T + 7, C)
        for i in range(0, len(levels), 4):
            _, linear, norm, tanh = levels[i : i + 4]
            x = tanh(norm(dilated(x, linear.weight, 2 ** (i // 4))))
        return last(x)
