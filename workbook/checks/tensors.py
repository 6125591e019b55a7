"""Observations on tensors, for the checks of lessons that use them.

A tensor is observed as it is, so that a message shows its shape and dtype. What a
tensor does, its gradient and the way it was written to, is put into words beside it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from workbook.checks.cases import Case, call, case
from workbook.checks.saying import is_nothing
from workbook.compare import FLOAT32, Said, Tolerance, kind

CUT_OFF = Said("none: the result has lost its way back")


def asked(
    text: str,
    function: Callable[..., Any],
    *args: Any,
    expects: Any,
    seen: Callable[[Any], Any] = lambda out: out,
    within: Tolerance = FLOAT32,
    **options: Any,
) -> Case:
    """A call on copies that must stay unchanged; `seen` says what is looked at."""
    inner = call(function, *args, expects=None)
    return case(text, lambda: seen(inner.act()), expects, within=within, **options)


def seeded(seed: int) -> torch.Generator:
    """A generator of its own."""
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 1, scale: float = 1.0) -> Tensor:
    """Random numbers in double precision."""
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64) * scale


def doubles(values: Any) -> Tensor:
    """These numbers in double precision."""
    return torch.tensor(values, dtype=torch.float64)


def lacking(module: Any, *names: str) -> dict[str, Any] | None:
    """What a layer lacks of the tensors that it needs; None where all is there."""
    for name in names:
        found = getattr(module, name, None)
        if not isinstance(found, Tensor):
            return {name: Said("missing" if found is None else kind(found))}
    return None


def holding(module: Any, **values: Tensor) -> Any:
    """The layer with these numbers in place of its own."""
    for name, value in values.items():
        own = getattr(module, name)
        if own.requires_grad:
            own.data = value.clone()
        else:
            setattr(module, name, value.clone())
    return module


def named(name: str) -> Callable[[Any], Any]:
    """Look at a result under a name, so that a message says `N[1, 2] = 1`."""
    return lambda out: out if is_nothing(out) else {name: out}


def counted(out: Any) -> Any:
    """A table of counts; int32 holds them as well as int64."""
    whole = isinstance(out, torch.Tensor) and out.dtype == torch.int32
    return named("N")(out.long() if whole else out)


def number(out: Any) -> Any:
    """A loss: a plain number, or a tensor of one float without dimensions."""
    if isinstance(out, torch.Tensor) and out.dim() == 0 and out.is_floating_point():
        out = out.detach().float()
    return named("loss")(torch.tensor(out) if type(out) is float else out)


def leaf(values: Any) -> torch.Tensor:
    """A copy of a tensor that collects its gradient."""
    return torch.as_tensor(values).detach().clone().requires_grad_()


def with_gradient(
    act: Callable[[torch.Tensor], Any], at: torch.Tensor, seen: Callable[[Any], Any]
) -> Any:
    """What comes out of `act(at)`, and the gradient that reaches `at` from there.

    An output of several numbers is weighed by 1, 2, 3, … before it is summed up.
    """
    start = leaf(at)
    out = act(start)
    if not isinstance(out, torch.Tensor):
        return seen(out)
    found = {**seen(out.detach()), "gradient": CUT_OFF}
    if out.requires_grad and out.layout == torch.strided and out.is_floating_point():
        (out * weights(out)).sum().backward()
        found["gradient"] = start.grad if start.grad is not None else CUT_OFF
    found["argument"] = Said("as it was" if torch.equal(start, at) else "changed")
    return found


def weights(out: torch.Tensor) -> torch.Tensor:
    """1, 2, 3, … in the shape of a tensor."""
    return torch.arange(1.0, out.numel() + 1).reshape(out.shape)


def _shares(one: Any, table: torch.Tensor) -> bool:
    """Whether it is the table, or a view of it: `W.data`, `W.T`."""
    try:
        return one.data_ptr() == table.data_ptr()
    except (AttributeError, RuntimeError, TypeError):
        return False


_LOOK_UPS = {"__getitem__", "index_select", "embedding", "take", "gather", "unbind"}


class Steps(TorchFunctionMode):
    """Counts the tensor operations that Python starts while it is entered.

    names: which they were. looked_up: whether one of them read rows of `table`.
    """

    def __init__(self, table: torch.Tensor | None = None) -> None:
        super().__init__()
        self.table, self.taken = table, 0
        self.names: set[str] = set()
        self.looked_up = False

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = getattr(function, "__name__", str(function))
        self.taken += 1
        self.names.add(name)
        if name in _LOOK_UPS and self.table is not None:
            self.looked_up |= any(_shares(one, self.table) for one in args)
        return function(*args, **(kwargs or {}))
