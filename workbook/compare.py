"""Two values in, the first difference out: type, shape, dtype, finite, value.

Nothing is broadcast: a scalar is never equal to a vector of that scalar. What a
learner's object says of itself (`__class__`, `__eq__`, `shape` …) is not believed
where its real type can be asked. Libraries are looked up where they are loaded
already, so that a lesson without torch does not load it.
"""

import math
import re
import reprlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
ALIKE = Tolerance(1e-6, 1e-9, "the same answer, written otherwise, rounds otherwise")


class Said(str):
    """Words in an observation, shown without quotes."""

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Difference:
    """The first thing in which two values differ, ready to be shown side by side."""

    kind: str  # "type", "shape", "dtype", "finite" or "value"
    expected: str
    yours: str
    place: str = ""  # where in something larger: "losses[0]"

    def lines(self) -> tuple[tuple[str, str], ...]:
        start = f"{self.place} = " if self.place else ""
        return ("expected", start + self.expected), ("yours", start + self.yours)

    def at(self, place: str) -> "Difference":
        """The same difference, found inside something larger."""
        between = "." if self.place and not self.place.startswith("[") else ""
        return replace(self, place=place + between + self.place)


def difference(
    expected: Any, yours: Any, within: Tolerance = FLOAT64
) -> Difference | None:
    """The first difference, or None. Asked: type, shape, dtype, finite, value."""
    if is_array(expected):
        return _array_difference(expected, yours, within)
    if type(expected) in (int, float):
        return _number_difference(expected, yours, within)
    if isinstance(expected, Mapping):
        return _mapping_difference(expected, yours, within)
    if isinstance(expected, list | tuple):
        return _sequence_difference(expected, yours, within)
    if type(expected) is not type(yours):
        return _type(expected, yours)
    return None if expected == yours else _value(expected, yours)


def same(one: Any, other: Any, within: Tolerance = ALIKE) -> bool:
    """Whether two observations are the same, not-a-number and infinity included."""
    try:
        return difference(one, other, within) is None
    except Exception:
        return False


# ---------------------------------------------------------------- showing


class _Short(reprlib.Repr):
    """Bounded text of any value; a broken `__repr__` is named, not raised."""

    def __init__(self, digits: int) -> None:
        super().__init__()
        self.digits = digits
        self.maxstring = self.maxother = 120
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = 8

    def repr1(self, x: Any, level: int) -> str:
        if type(x) is float:
            return _number(x, self.digits)
        try:
            return super().repr1(x, level)
        except Exception as error:
            return f"<{type(x).__name__}: its __repr__ raises {type(error).__name__}>"


def show(value: Any, digits: int = 7) -> str:
    """A value in at most a line: floats to some digits, arrays with shape and dtype."""
    if is_array(value):
        return f"{_elements(value, digits)}  shape {_shape(value)}  {_dtype(value)}"
    text = _ADDRESS.sub("", " ".join(_Short(digits).repr(value).split()))
    return text if len(text) <= 160 else text[:157] + "…"


_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def _number(x: float, digits: int = 7) -> str:
    if not math.isfinite(x):
        return str(x)
    short = f"{x:.{digits}g}"
    return short if any(c in short for c in ".e") else short + ".0"


def _elements(array: Any, digits: int) -> str:
    """A small array in full, of a large one the beginning."""
    if odd := _odd(array):
        return f"<{odd}>"
    whole = (
        _Short(digits).repr(array.tolist()) if math.prod(_shape(array)) <= 12 else ""
    )
    if 0 < len(whole) <= 16 * digits:  # else it fills more than a line
        return whole
    first = array.reshape(-1)[:6].tolist()
    return f"[{', '.join(_Short(digits).repr(x) for x in first)}, …]"


def _side_by_side(expected: Any, yours: Any) -> tuple[str, str]:
    """Both values with as many digits as it takes to see them differ."""
    for digits in (7, 10, 13):
        one, two = show(expected, digits), show(yours, digits)
        if one != two:
            return one, two
    return show(expected, 17), show(yours, 17)


def kind(value: Any) -> str:
    """A value and what it is: `6.0, a float`; `[1.0, 2.0], a list`."""
    if value is None or value is ... or type(value) is Said:
        return str(value)
    name = type(value).__name__
    name = f"{_library(value)} {name}" if is_array(value) else name
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return f"{show(value)}, {article} {name}"


def _type(expected: Any, yours: Any) -> Difference:
    return Difference("type", kind(expected), kind(yours))


def _value(expected: Any, yours: Any) -> Difference:
    return Difference("value", *_side_by_side(expected, yours))


# ---------------------------------------------------------------- numbers


def _number_difference(
    expected: float, yours: Any, within: Tolerance
) -> Difference | None:
    if type(yours) not in (int, float):  # a bool or a numpy scalar is something else
        return _type(expected, yours)
    if within is EXACT and type(yours) is not type(expected):
        return _type(expected, yours)
    if expected == yours or (math.isnan(expected) and math.isnan(yours)):
        return None
    if type(expected) is int and type(yours) is int:  # counts have no rounding
        return _value(expected, yours)
    if math.isfinite(expected) and not math.isfinite(yours):
        return Difference("finite", show(expected), show(yours))
    gap, scale = abs(expected - yours), max(abs(expected), abs(yours))
    if math.isfinite(expected) and within.allows(gap, scale):
        return None
    return _value(float(expected), float(yours))


# ---------------------------------------------------------------- containers


def _mapping_difference(
    expected: Mapping, yours: Any, within: Tolerance
) -> Difference | None:
    if not issubclass(type(yours), dict):
        return _type(dict(expected), yours)
    for key in [key for key in expected if dict.__contains__(yours, key)]:
        if found := difference(expected[key], dict.__getitem__(yours, key), within):
            return found.at(str(key))
    same = expected.keys() == dict.keys(yours)
    return None if same else _value(dict(expected), yours)


def _sequence_difference(
    expected: list | tuple, yours: Any, within: Tolerance
) -> Difference | None:
    plain = list if isinstance(expected, list) else tuple
    if not issubclass(type(yours), plain):
        return _type(expected, yours)
    items = list(plain.__iter__(yours))
    if len(expected) != len(items):
        one, two = _side_by_side(expected, yours)
        lengths = f"  length {len(expected)}", f"  length {len(items)}"
        return Difference("shape", one + lengths[0], two + lengths[1])
    for i, (one, two) in enumerate(zip(expected, items, strict=True)):
        if found := difference(one, two, within):
            whole = found.kind == "value" and len(items) <= 6
            return _value(expected, yours) if whole else found.at(f"[{i}]")
    return None


# ---------------------------------------------------------------- arrays


def _array_types() -> Iterator[tuple[str, type]]:
    if numpy := sys.modules.get("numpy"):
        yield "numpy", numpy.ndarray
        yield "numpy", numpy.generic
    if torch := sys.modules.get("torch"):
        yield "torch", torch.Tensor


def _library(value: Any) -> str:
    """The library an array comes from, or an empty text: a list is no tensor."""
    for name, array in _array_types():
        if issubclass(type(value), array):
            return name
    return ""


def is_array(value: Any) -> bool:
    """Whether it is an array, a tensor or a scalar of numpy's."""
    return bool(_library(value))


def _odd(array: Any) -> str:
    """What is unusual about how a tensor keeps its numbers; empty for most tensors."""
    if _library(array) != "torch":
        return ""
    layout = str(array.layout).removeprefix("torch.")
    nested, quantised = array.is_nested, array.is_quantized
    found = {"nested": nested, "quantised": quantised, layout: layout != "strided"}
    found |= {"without numbers": array.device.type == "meta"}
    return ", ".join(name for name, holds in found.items() if holds)


def _shape(value: Any) -> tuple[int, ...]:
    return () if _odd(value) == "nested" else tuple(value.shape)


def _dtype(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")


def _array_difference(
    expected: Any, yours: Any, within: Tolerance
) -> Difference | None:
    if _library(yours) != _library(expected) or _odd(yours) != _odd(expected):
        return _type(expected, yours)
    if _shape(expected) != _shape(yours):
        return Difference("shape", show(expected), show(yours))
    if _dtype(expected) != _dtype(yours):
        return Difference("dtype", show(expected), show(yours))
    return _elements_difference(expected, yours, within)


def _elements_difference(
    expected: Any, yours: Any, within: Tolerance
) -> Difference | None:
    import numpy as np

    a, b = _numbers(expected), _numbers(yours)
    within = EXACT if a.dtype.kind == "i" else within
    if np.isfinite(a).all() and not np.isfinite(b).all():
        return _at("finite", expected, a, b, ~np.isfinite(b))
    with np.errstate(invalid="ignore"):
        unequal = (a != b) & ~(np.isnan(a) & np.isnan(b))
        gap = np.nan_to_num(np.where(unequal, np.abs(a - b), 0), nan=np.inf)
        scale = np.abs(a[np.isfinite(a)]).max(initial=0)
    if not gap.size or within.allows(gap.max(), scale):
        return None
    return _at("value", expected, a, b, gap)


def _at(sort: str, expected: Any, a: Any, b: Any, gap: Any) -> Difference:
    """The elements of a and b side by side where the gap is largest."""
    import numpy as np

    at = tuple(int(i) for i in np.unravel_index(int(gap.argmax()), gap.shape))
    one, two = _side_by_side(a[at].item(), b[at].item())
    form = f"  shape {_shape(expected)}"
    if a.dtype.kind != "i":  # whole numbers may have come in 32 bits, and be as right
        form += f"  {_dtype(expected)}"
    found = Difference(sort, one + form, two + form)
    return found.at(str(list(at))) if at else found


def _numbers(array: Any) -> Any:
    """The numbers of an array or tensor: whole ones exact, all others in float64."""
    import numpy as np

    if _library(array) == "torch":
        array = array.detach().cpu()
        array = (array.double() if array.is_floating_point() else array).numpy()
    wide = {"b": np.int64, "i": np.int64, "u": np.int64, "f": np.float64}
    return np.asarray(array).astype(wide.get(array.dtype.kind, array.dtype))
