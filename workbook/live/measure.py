"""Many numbers in a few: mean, spread, range, histogram, and the share that is stuck.

Works on a sample of at most 4,096 numbers, from a tensor (torch is used where it is
loaded already) or from a list of plain numbers.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

SAMPLE = 4096  # numbers looked at, at most
CORNER = (32, 100)  # examples and units of an image of what is stuck, at most
BINS = 40  # bars of a histogram
EDGE = 0.97  # beyond it tanh counts as saturated: its slope is below 0.06

Numbers = Any  # a flat float tensor, or a list of floats


@dataclass(frozen=True, slots=True)
class Spread:
    """What is known of many numbers; `stuck` is a share from 0 to 1, or None."""

    mean: float
    std: float
    low: float
    high: float
    stuck: float | None = None

    @property
    def finite(self) -> bool:
        """Whether no number is NaN or infinite."""
        return math.isfinite(self.low + self.high + self.std)


def sample(values: Any) -> Numbers | None:
    """A copy of at most SAMPLE of the numbers, evenly spread; None for other things.

    values: a float tensor of any shape, or a list of numbers.
    """
    if isinstance(values, (list, tuple)):
        kept = values[:: _stride(len(values), 1)]
        return [float(value) for value in kept] if len(values) else None
    if not is_tensor(values) or not values.is_floating_point() or not values.numel():
        return None
    flat = values.detach().reshape(-1)
    across = values.shape[-1] if values.dim() > 1 else 1
    return flat[:: _stride(flat.numel(), across)].float().cpu().clone()


def corner(values: Any) -> Any:
    """A copy of the first examples and units of a batch, (N, H); None for others."""
    if not is_tensor(values) or values.dim() != 2 or not values.is_floating_point():
        return None
    rows, columns = CORNER
    return values.detach()[:rows, :columns].float().cpu().clone()


def spread(numbers: Numbers, kind: str = "") -> Spread:
    """Mean, standard deviation, limits; the layer's `kind` says what is stuck."""
    if isinstance(numbers, list):
        return _spread_of_list(numbers, kind)
    torch = sys.modules["torch"]
    if len(numbers) > 1:
        std, mean = (x.item() for x in torch.std_mean(numbers))
    else:
        std, mean = 0.0, numbers.item()
    low, high = (x.item() for x in torch.aminmax(numbers))
    return Spread(mean, std, low, high, _stuck(numbers, kind, low, high))


def histogram(numbers: Numbers, low: float, high: float) -> list[float]:
    """BINS shares between two limits, the highest 1; numbers outside are left out."""
    if isinstance(numbers, list):
        counts = _counted(numbers, low, high)
    else:
        counts = sys.modules["torch"].histc(numbers, BINS, low, high).tolist()
    most = max(counts) or 1.0
    return [count / most for count in counts]


def deviation(numbers: Numbers) -> float:
    """The standard deviation; 0 for a single number."""
    if isinstance(numbers, list):
        return _spread_of_list(numbers, "").std
    return numbers.std().item() if len(numbers) > 1 else 0.0


def difference(after: Numbers, before: Numbers) -> Numbers:
    """Number by number."""
    if isinstance(after, list):
        return [a - b for a, b in zip(after, before, strict=True)]
    return after - before


def is_tensor(values: Any) -> bool:
    """Whether this is a tensor of torch; torch is not loaded to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


def stuck_word(kind: str) -> str:
    """What `Spread.stuck` counts for a layer of this kind; empty where nothing."""
    kind = kind.lower()
    if "tanh" in kind or "sigmoid" in kind or kind == "bounded":
        return "saturated"
    return "zero" if "relu" in kind else ""


def where_stuck(numbers: Any, kind: str) -> Any:
    """Of each number of a tensor, whether the function that made it is flat there."""
    if stuck_word(kind) == "zero":
        return numbers == 0
    middle, edge = (0.5, EDGE / 2) if "sigmoid" in kind.lower() else (0.0, EDGE)
    return (numbers - middle).abs() > edge


def _stuck(numbers: Any, kind: str, low: float, high: float) -> float | None:
    """The share where the function that made the numbers is flat."""
    if kind == "bounded" and not -1 <= low < 0 < high <= 1:
        return None
    return _share(where_stuck(numbers, kind)) if stuck_word(kind) else None


def _share(which: Any) -> float:
    return which.float().mean().item()


def _spread_of_list(numbers: list[float], kind: str) -> Spread:
    count = len(numbers)
    mean = sum(numbers) / count
    squares = sum((x - mean) ** 2 for x in numbers)
    std = math.sqrt(squares / (count - 1)) if count > 1 else 0.0
    odd = not math.isfinite(mean)
    low, high = (mean, mean) if odd else (min(numbers), max(numbers))
    return Spread(mean, std, low, high, _stuck_in_list(numbers, kind))


def _stuck_in_list(numbers: list[float], kind: str) -> float | None:
    word = stuck_word(kind)
    if not word or kind == "bounded":
        return None
    if word == "zero":
        return sum(x == 0 for x in numbers) / len(numbers)
    middle, edge = (0.5, EDGE / 2) if "sigmoid" in kind.lower() else (0.0, EDGE)
    return sum(abs(x - middle) > edge for x in numbers) / len(numbers)


def _counted(numbers: list[float], low: float, high: float) -> list[int]:
    wide = (high - low) / BINS
    edges = [low + wide * i for i in range(BINS)] + [math.nextafter(high, math.inf)]
    places = sorted(numbers)
    cuts = [bisect_right(places, math.nextafter(edge, -math.inf)) for edge in edges]
    return [after - before for before, after in pairwise(cuts)]


def _stride(count: int, across: int) -> int:
    """How far apart to pick: no factor shared with a row, so that all columns count."""
    stride = max(1, -(-count // SAMPLE))
    while stride > 1 and math.gcd(stride, across) > 1:
        stride += 1
    return stride
