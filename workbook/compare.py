"""Two values in, the first difference out: type, shape, dtype, finite, value.

Nothing is broadcast: a scalar is never equal to a vector of that scalar. Arrays and
tensors are read through their own `shape` and `dtype`, so that a lesson without
torch does not load it.
"""

import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tolerance:
    """How far apart two numbers may be, and why.

    The difference may be at most `relative` times the larger magnitude (of the
    whole array, where it is one) plus `absolute`.
    """

    relative: float
    absolute: float
    reason: str

    def allows(self, gap: float, scale: float) -> bool:
        return gap <= self.relative * scale + self.absolute


EXACT = Tolerance(0, 0, "whole numbers, texts and counts have no rounding")
FLOAT64 = Tolerance(1e-6, 1e-12, "right answers in double precision agree to 1e-9")
FLOAT32 = Tolerance(1e-4, 1e-6, "single precision keeps seven digits")
SLOPE = Tolerance(1e-4, 1e-7, "a finite difference has an error of its own")


@dataclass(frozen=True)
class Difference:
    """The first thing in which two values differ, ready to be shown side by side."""

    kind: str  # "type", "shape", "dtype", "finite" or "value"
    expected: str
    yours: str

    def lines(self) -> tuple[tuple[str, str], ...]:
        return ("expected", self.expected), ("yours", self.yours)


class _Short(reprlib.Repr):
    """Bounded text of any value; a broken `__repr__` is named, not raised."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 120
        self.maxlist = self.maxtuple = self.maxdict = 8

    def repr1(self, x: Any, level: int) -> str:
        if isinstance(x, float):
            return _number(x)
        try:
            return super().repr1(x, level)
        except Exception as error:
            return f"<{type(x).__name__}: its __repr__ raises {type(error).__name__}>"


def show(value: Any) -> str:
    """A value in at most a line: floats to seven digits, arrays with shape and dtype."""
    if _is_array(value):
        flat = " ".join(str(value.tolist()).split())
        flat = flat if len(flat) <= 90 else flat[:87] + "…"
        return f"{flat}  shape {tuple(value.shape)}  {_dtype(value)}"
    text = " ".join(_Short().repr(value).split())
    return text if len(text) <= 160 else text[:157] + "…"


def difference(
    expected: Any, yours: Any, within: Tolerance = FLOAT64
) -> Difference | None:
    """The first difference, or None. Asked in order: type, shape, dtype, finite, value."""
    if _is_array(expected):
        return _array_difference(expected, yours, within)
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        same = type(yours) is type(expected) and yours == expected
        return None if same else _value_or_type(expected, yours)
    if isinstance(expected, int | float):
        return _number_difference(expected, yours, within)
    if isinstance(expected, Mapping):
        return _mapping_difference(expected, yours, within)
    if isinstance(expected, Sequence):
        return _sequence_difference(expected, yours, within)
    return None if expected == yours else _value_or_type(expected, yours)


def same(one: Any, other: Any) -> bool:
    """Whether two observations are the same, not-a-number and infinity included."""
    try:
        return difference(one, other, _ALIKE) is None
    except Exception:
        return False


_ALIKE = Tolerance(1e-6, 1e-9, "the same mistake in other words rounds otherwise")


def _is_array(value: Any) -> bool:
    return (
        hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "ndim")
    )


def _dtype(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")


def _family(value: Any) -> str:
    """The library an array comes from: a list is no tensor, and neither is an ndarray."""
    return type(value).__module__.partition(".")[0]


def _number(x: float) -> str:
    if isinstance(x, float) and math.isfinite(x):
        short = f"{x:.7g}"
        return short if any(c in short for c in ".e") else short + ".0"
    return str(x)


def _kind(value: Any) -> str:
    name = type(value).__name__
    if _is_array(value):
        return f"{_family(value)} {name}, shape {tuple(value.shape)}, {_dtype(value)}"
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return "None" if value is None else f"{show(value)}, {article} {name}"


def _type(expected: Any, yours: Any) -> Difference:
    return Difference("type", _kind(expected), _kind(yours))


def _value_or_type(expected: Any, yours: Any) -> Difference:
    if type(expected) is not type(yours):
        return _type(expected, yours)
    return Difference("value", show(expected), show(yours))


def _number_difference(
    expected: float, yours: Any, within: Tolerance
) -> Difference | None:
    if isinstance(yours, bool) or not isinstance(yours, int | float):
        return _type(expected, yours)
    if math.isnan(expected) or math.isinf(expected):
        equal = (math.isnan(expected) and math.isnan(yours)) or expected == yours
        return None if equal else Difference("value", show(expected), show(yours))
    if not math.isfinite(yours):
        return Difference("finite", show(expected), show(yours))
    if isinstance(expected, int) and within is EXACT and not isinstance(yours, int):
        return _type(expected, yours)
    gap, scale = abs(expected - yours), max(abs(expected), abs(yours))
    if within.allows(gap, scale):
        return None
    return Difference("value", *_digits_apart(expected, yours))


def _digits_apart(expected: float, yours: float) -> tuple[str, str]:
    """Both numbers with as many digits as it takes to see them differ."""
    for digits in (6, 9, 12, 17):
        one, two = f"{expected:.{digits}g}", f"{yours:.{digits}g}"
        if one != two:
            return one, two
    return repr(expected), repr(yours)


def _mapping_difference(
    expected: Mapping, yours: Any, within: Tolerance
) -> Difference | None:
    if not isinstance(yours, Mapping):
        return _type(expected, yours)
    if expected.keys() != yours.keys():
        return Difference("value", show(dict(expected)), show(dict(yours)))
    for key, value in expected.items():
        if found := difference(value, yours[key], within):
            return _at(key, found)
    return None


def _at(key: Any, found: Difference) -> Difference:
    return Difference(found.kind, f"{key} = {found.expected}", f"{key} = {found.yours}")


def _sequence_difference(
    expected: Sequence, yours: Any, within: Tolerance
) -> Difference | None:
    if _is_array(yours) or isinstance(yours, str) or not isinstance(yours, Sequence):
        return _type(expected, yours)
    if isinstance(expected, tuple) != isinstance(yours, tuple):
        return _type(expected, yours)
    if len(expected) != len(yours):
        return Difference(
            "shape",
            f"{show(expected)}  length {len(expected)}",
            f"{show(yours)}  length {len(yours)}",
        )
    for one, two in zip(expected, yours, strict=True):
        if found := difference(one, two, within):
            whole = len(expected) <= 6 and found.kind == "value"
            return Difference("value", show(expected), show(yours)) if whole else found
    return None


def _array_difference(
    expected: Any, yours: Any, within: Tolerance
) -> Difference | None:
    if not _is_array(yours) or _family(yours) != _family(expected):
        return _type(expected, yours)
    if tuple(expected.shape) != tuple(yours.shape):
        return Difference("shape", show(expected), show(yours))
    if _dtype(expected) != _dtype(yours):
        return Difference("dtype", show(expected), show(yours))
    return _elements_difference(expected, yours, within)


def _elements_difference(
    expected: Any, yours: Any, within: Tolerance
) -> Difference | None:
    import numpy as np

    a, b = (np.asarray(_plain(x), dtype=np.float64) for x in (expected, yours))
    if np.isfinite(a).all() and not np.isfinite(b).all():
        return Difference("finite", show(expected), show(yours))
    with np.errstate(invalid="ignore"):
        gap = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    finite = a[np.isfinite(a)]
    scale = float(np.abs(finite).max()) if finite.size else 0.0
    if not gap.size or within.allows(
        float(np.nan_to_num(gap, nan=np.inf).max()), scale
    ):
        return None
    at = tuple(int(i) for i in np.unravel_index(int(np.nanargmax(gap)), gap.shape))
    place = f"[{', '.join(map(str, at))}] = " if at else ""
    one, two = _digits_apart(float(a[at]), float(b[at]))
    form = f"   shape {tuple(expected.shape)}  {_dtype(expected)}"
    return Difference("value", place + one + form, place + two + form)


def _plain(array: Any) -> Any:
    return array.detach().cpu().numpy() if hasattr(array, "detach") else array
