"""Checks of lesson 1. No torch: paper, plain loops and finite differences judge."""

import gc
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import FunctionType
from typing import Any

from workbook.checks.cases import Case, call, case, clue, exercise, new_seed
from workbook.checks.rehoming import given, stage
from workbook.checks.saying import otherwise
from workbook.compare import SLOPE, Said, Tolerance, kind

EIGHT_DIGITS = Tolerance(1e-8, 1e-8, "a step between 1e-6 and 1e-4 gives nine digits")
Cases = Iterator[Case]


def _given() -> Any:
    module = given("micrograd")
    if module is None:
        raise FileNotFoundError("workbook/given/micrograd.py: run `make exercises`")
    return module


def _changed(name: str, change: Callable[..., Any]) -> Any:
    """A fresh given module with one method, "Value.tanh", or function replaced."""
    module = _given()
    owner, _, attribute = name.rpartition(".")
    home = getattr(module, owner) if owner else module
    setattr(home, attribute, change(module))
    return module


def _each_alone(make: Callable[[], tuple[type]]) -> Iterator[tuple[type]]:
    """A mistake in several methods of the given Value, made in one of them only."""
    (wrong,), right = make(), vars(_given().Value)
    changed = [
        name
        for name, method in vars(wrong).items()
        if isinstance(method, FunctionType) and method.__code__ != right[name].__code__
    ]
    for kept in changed if len(changed) > 1 else ():
        (again,) = make()
        home = again.__init__.__globals__
        for name in set(changed) - {kept}:
            setattr(again, name, FunctionType(right[name].__code__, home, name))
        yield (again,)


def _fresh(low: float = -3.0, high: float = 3.0) -> Callable[[], float]:
    """New numbers with three decimals, of at least 0.1: nobody can know them."""
    rng = random.Random()

    def number() -> float:
        x = round(rng.uniform(low, high), 3)
        return x if abs(x) >= 0.1 else x + 0.5

    return number


@contextmanager
def _no_collection() -> Iterator[None]:
    """Let the garbage collector rest while many nodes are made."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# ---------------------------------------------------------------- derivative


def _typed(text: str) -> Callable[[float], float]:
    """A function of x that is shown as what a learner can type."""
    function = eval(f"lambda x: {text}")
    function.__name__ = f"lambda x: {text}"
    return function


def _reach(derivative: Callable[..., float], h: float) -> Said:
    """How far from x the function is asked, compared with h."""
    asked: list[float] = []
    derivative(lambda x: asked.append(x) or math.sin(x), 3.0, h)
    reach = max((abs(x - 3.0) for x in asked), default=0.0)
    size = "less than h" if reach < 0.99 * h else "more than h"
    return Said("h" if abs(reach - h) <= 0.01 * h else size)


def _step(derivative: Callable[..., float]) -> str:
    """How large the step is, in words; any is right where more points than two are."""
    asked: list[float] = []
    derivative(lambda x: asked.append(x) or math.sin(x), 3.0)
    reach = max((abs(x - 3.0) for x in asked), default=0.0)
    if 0 < reach < 1.5e-7:
        return Said("so small that rounding takes over")
    if reach > 2.7e-4 and len(asked) <= 2:
        return Said("so large that the curve bends in it")
    return Said("neither too small nor too large")


def _polynomial(p: float, q: float) -> Callable[[float], float]:
    """p·x³ + q·x: its central difference with step h is 3p·x² + q + p·h²."""

    def polynomial(x: float) -> float:
        return p * x**3 + q * x

    polynomial.__name__ = f"lambda x: {p} * x**3 + {q} * x"
    return polynomial


@exercise("micrograd.derivative", version=2)
def derivative(derivative: Callable[..., float]) -> Cases:
    square, cubic = _typed("x**2"), _typed("x**3")
    parabola, lifted = _typed("3 * x**2 - 4 * x + 5"), _typed("x**2 + 100")
    yield call(derivative, square, 3.0, 1e-4, expects=6.0, within=SLOPE)
    yield call(derivative, cubic, 1.5, 0.1, expects=6.76)
    yield call(derivative, cubic, -2.5, 0.5, expects=19.0)
    far = "derivative(math.sin, 3.0, 0.5): how far from x the function is asked"
    yield case(far, lambda: _reach(derivative, 0.5), Said("h"))
    digits = "a step between 1e-6 and 1e-4 gives eight right digits"
    yield call(derivative, cubic, 1.5, expects=6.75, within=EIGHT_DIGITS, says=digits)
    step = "the step that you chose"
    right = Said("neither too small nor too large")
    yield case(step, lambda: _step(derivative), right, telling=True)
    yield call(derivative, parabola, 3.0, expects=14.0, within=EIGHT_DIGITS)
    yield call(derivative, lifted, 3.0, expects=6.0, within=EIGHT_DIGITS)
    yield call(derivative, math.exp, 0.0, expects=1.0, within=EIGHT_DIGITS)
    rng = random.Random(1)
    for x in [round(rng.uniform(-3, 3), 3) for _ in range(3)]:
        yield call(derivative, math.sin, x, expects=math.cos(x), within=EIGHT_DIGITS)
    number = _fresh()
    for h in (0.25, 0.01):
        p, q, x = number(), number(), number()
        want = 3 * p * x**2 + q + p * h**2
        yield call(derivative, _polynomial(p, q), x, h, expects=want, fresh=True)
    x, new = number(), {"within": EIGHT_DIGITS, "fresh": True}
    yield call(derivative, math.sin, x, expects=math.cos(x), **new)


@derivative.mistake("one sided", "The slope is measured from one side only.")
def _(f, x, h=None):
    h = h or 1e-6
    return (f(x + h) - f(x)) / h


@derivative.mistake("one sided, left", "The slope is measured from the left side only.")
def _(f, x, h=None):
    h = h or 1e-6
    return (f(x) - f(x - h)) / h


@derivative.mistake("run is h", "From x-h to x+h is a run of 2h, not of h.")
def _(f, x, h=None):
    h = h or 1e-5
    return (f(x + h) - f(x - h)) / h


@derivative.mistake("sign", "The rise is taken backwards, so the sign is wrong.")
def _(f, x, h=None):
    h = h or 1e-5
    return (f(x - h) - f(x + h)) / (2 * h)


@derivative.mistake("no run", "The rise is not divided by the run.")
def _(f, x, h=None):
    h = h or 1e-5
    return f(x + h) - f(x - h)


@derivative.mistake("step too small", "The step is so small that rounding takes over.")
def _(f, x, h=None):
    h = h or 1e-12
    return (f(x + h) - f(x - h)) / (2 * h)


@derivative.mistake(
    "step too large", "The step is so large that the curve bends in it."
)
def _(f, x, h=None):
    h = h or 0.1
    return (f(x + h) - f(x - h)) / (2 * h)


@derivative.mistake(
    "times h", "`/ 2 * h` divides by 2 and multiplies by h: write (2 * h)."
)
def _(f, x, h=None):
    h = h or 1e-5
    return (f(x + h) - f(x - h)) / 2 * h


@derivative.mistake(
    "four points", "More points are used than the two at x - h and x + h."
)
def _(f, x, h=None):
    h = h or 1e-3
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return (8 * near - far) / (12 * h)


@derivative.mistake("ignores h", "The step that is passed in is not used.")
def _(f, x, h=None):
    return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5


# ---------------------------------------------------------------- value


def _about(out: Any, *inputs: Any) -> dict[str, Any]:
    """What a node holds and remembers; what it is, where it is no node."""
    if not hasattr(out, "data"):
        return otherwise(out)
    children = _children(out)
    kept = all(any(child is one for child in children) for one in inputs)
    return {
        "result": Said("a Value"),
        "data": out.data,
        "op": getattr(out, "_op", Said("no _op")),
        "grad": getattr(out, "grad", Said("no grad")),
        "numbers of the children": _sorted(_read(c) for c in children),
        "children": Said("the inputs themselves" if kept else "not the inputs"),
        "inputs after it": [_read(one) for one in inputs],
    }


def _children(out: Any) -> list[Any]:
    try:
        return list(out._prev)
    except (AttributeError, TypeError):
        return []


def _sorted(numbers: Iterator[Any]) -> list[Any]:
    return sorted(numbers, key=lambda x: x if type(x) in (int, float) else math.inf)


def _read(out: Any) -> Any:
    return getattr(out, "data", out)


def _node(data: float, op: str, *children: float, inputs: int = 0) -> dict[str, Any]:
    """What `_about` says of a right node, the first `inputs` children being Values."""
    return {
        "result": Said("a Value"),
        "data": data,
        "op": op,
        "grad": 0.0,
        "numbers of the children": sorted(children),
        "children": Said("the inputs themselves"),
        "inputs after it": list(children[:inputs]),
    }


_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a * b,
}


def _pair(Value: type, op: str, one: float, two: float, **options: Any) -> Case:
    """The case of two Values under an operation."""

    def act() -> Any:
        a, b = Value(one), Value(two)
        return _about(_SIGNS[op](a, b), a, b)

    want = _node(_SIGNS[op](one, two), op, one, two, inputs=2)
    return case(f"Value({one}) {op} Value({two})", act, want, **options)


def _with_number(Value: type, op: str, turned: bool, plain: float) -> Case:
    """The case of a Value and a plain number, which may stand on the left."""

    def act() -> Any:
        a = Value(2.0)
        return _about(_SIGNS[op](plain, a) if turned else _SIGNS[op](a, plain), a)

    text = f"{plain} {op} Value(2.0)" if turned else f"Value(2.0) {op} {plain}"
    want = _node(_SIGNS[op](2.0, plain), op, 2.0, plain, inputs=1)
    return case(text, act, want)


def _renamed(Value: type, op: str) -> list[float]:
    """What `a` and the node that was called so hold after `a += 3` or `a *= 3`."""
    a = before = Value(2.0)
    if op == "+":
        a += 3
    else:
        a *= 3
    return [_read(a), before.data]


_VALUE = ("__init__", "__add__", "__mul__", "__radd__", "__rmul__")


_METHODS = {"+": "__add__", "*": "__mul__"}


def _late(Value: type, op: str) -> Said:
    """Whether a number on the left still finds the method that a later cell defines."""
    name, a, new = _METHODS[op], Value(2.0), object()
    own = vars(Value).get(name)
    setattr(Value, name, lambda self, other: new)
    try:
        found = _SIGNS[op](3, a) is new
    finally:
        if own is None:
            delattr(Value, name)
        else:
            setattr(Value, name, own)
    return Said(f"calls the {'new' if found else 'old'} one")


def _kept(Value: type, op: str, two: float | None) -> dict[str, Any]:
    """What _prev is, and the numbers in it; without `two`, of `a op a`."""
    a = Value(3.0)
    prev = _SIGNS[op](a, a if two is None else Value(two))._prev
    numbers = [_read(child) for child in prev]
    ordered = isinstance(prev, list | tuple)
    return {
        "_prev": Said(_article(prev)),
        "numbers": numbers if ordered else sorted(numbers),
    }


def _article(thing: Any) -> str:
    return f"a {type(thing).__name__}"


@exercise("micrograd.value", version=2, parts=_VALUE)
def value(Value: type) -> Cases:
    yield case("Value(2.0)", lambda: _about(Value(2.0)), _node(2.0, ""))
    yield case("Value(2.0)._backward()", lambda: Value(2.0)._backward(), None)
    rng, number = random.Random(2), _fresh()
    seeded = [(round(rng.uniform(-9, 9), 2), round(rng.uniform(-9, 9), 2))]
    for one, two in [(2.0, 3.0), *seeded]:
        yield _pair(Value, "+", one, two)
        yield _pair(Value, "*", one, two)
    for turned in (False, True):
        for number_ in (3, 0.5):
            yield _with_number(Value, "+", turned, number_)
            yield _with_number(Value, "*", turned, number_)
    three = "sum([Value(1.0), Value(2.0), Value(4.0)])"
    yield case(three, lambda: _read(sum([Value(1.0), Value(2.0), Value(4.0)])), 7.0)
    deep = "Value(2.0) * 3 + Value(2.0) * (1 + Value(4.0))"
    nested = lambda: _read(Value(2.0) * 3 + Value(2.0) * (1 + Value(4.0)))  # noqa: E731
    yield case(deep, nested, 16.0)
    for op, result in (("+", 5.0), ("*", 6.0)):
        text = f"b = a = Value(2.0); a {op}= 3: what a and b hold"
        yield case(text, lambda o=op: _renamed(Value, o), [result, 2.0])
    for op, name in _METHODS.items():
        for two in (1.0, None):
            text = (
                f"Value(3.0) {op} Value({two})" if two else f"a {op} a, a = Value(3.0)"
            )
            want = {"_prev": Said("a tuple"), "numbers": [3.0, two or 3.0]}
            act = lambda o=op, t=two: _kept(Value, o, t)  # noqa: E731
            yield case(f"({text})._prev", act, want)
        text = f"3 {op} Value(2.0), where a later cell has replaced `{name}`"
        act = lambda o=op: _late(Value, o)  # noqa: E731
        yield case(text, act, Said("calls the new one"))
    for op in _SIGNS:
        yield _pair(Value, op, number(), number(), fresh=True)


class _Plain:
    """The start of the wrong Values below: right, but for what each one changes."""

    def __init__(self, data, children=(), op=""):
        self.data, self._prev, self._op = data, tuple(children), op
        self.grad, self._backward = 0.0, lambda: None

    def __init_subclass__(cls):
        cls.__name__ = "Value"  # so that errors read as the learner's do

    def __add__(self, other):
        other = other if isinstance(other, _Plain) else type(self)(other)
        return type(self)(self.data + other.data, (self, other), "+")

    def __mul__(self, other):
        other = other if isinstance(other, _Plain) else type(self)(other)
        return type(self)(self.data * other.data, (self, other), "*")

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other


def _each_method(make: Callable[[], tuple[type]]) -> Iterator[tuple[type]]:
    """A mistake in several methods of the plain Value, made in one of them only."""
    (wrong,) = make()
    changed = [name for name in _VALUE[1:] if name in vars(wrong)]
    for name in changed if len(changed) > 1 else ():
        yield (type("Value", (_Plain,), {name: vars(wrong)[name]}),)


@value.mistake(
    "not reflected",
    "A number on the left is not answered (`__radd__`).",
    others=_each_method,
)
class _(_Plain):
    def __radd__(self, other):
        return NotImplemented

    def __rmul__(self, other):
        return NotImplemented


@value.mistake(
    "not wrapped",
    "A plain number is not made a Value before it is used.",
    others=_each_method,
)
class _(_Plain):
    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), "+")

    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), "*")


@value.mistake(
    "childless", "The result does not remember its children.", others=_each_method
)
class _(_Plain):
    def __add__(self, other):
        return type(self)(self.data + getattr(other, "data", other), (), "+")

    def __mul__(self, other):
        return type(self)(self.data * getattr(other, "data", other), (), "*")


@value.mistake(
    "bare number", "The result is a plain number, not a Value.", others=_each_method
)
class _(_Plain):
    def __add__(self, other):
        return self.data + getattr(other, "data", other)

    def __mul__(self, other):
        return self.data * getattr(other, "data", other)


@value.mistake(
    "in place", "The sum is written into the left operand.", others=_each_method
)
class _(_Plain):
    def __add__(self, other):
        self.data += getattr(other, "data", other)
        return self

    def __mul__(self, other):
        self.data *= getattr(other, "data", other)
        return self


@value.mistake(
    "numbers as children",
    "The children are numbers: keep the nodes.",
    others=_each_method,
)
class _(_Plain):
    def __add__(self, other):
        other = getattr(other, "data", other)
        return type(self)(self.data + other, (self.data, other), "+")

    def __mul__(self, other):
        other = getattr(other, "data", other)
        return type(self)(self.data * other, (self.data, other), "*")


@value.mistake(
    "only whole numbers",
    "A float is a plain number too: wrap whatever is not a Value.",
    others=_each_method,
)
class _(_Plain):
    def __add__(self, other):
        other = type(self)(other) if isinstance(other, int) else other
        return type(self)(self.data + other.data, (self, other), "+")

    def __mul__(self, other):
        other = type(self)(other) if isinstance(other, int) else other
        return type(self)(self.data * other.data, (self, other), "*")


def _plain_with(**methods: Any) -> tuple[type]:
    return (type("Value", (_Plain,), methods),)


def _old_methods(_: Any) -> Iterator[tuple[type]]:
    """One of two aliases, and sums that are made anew with or without a helper."""
    yield _plain_with(__radd__=_Plain.__add__)
    yield _plain_with(__rmul__=_Plain.__mul__)


@value.mistake(
    "old method kept",
    "`__radd__` is an old copy of `__add__`: make it a method that adds self + other.",
    others=_old_methods,
)
class _(_Plain):
    __radd__ = _Plain.__add__
    __rmul__ = _Plain.__mul__


@value.mistake(
    "calls itself",
    "`__radd__` calls itself without end: the Value stands on the left, self + other.",
    others=_each_method,
)
class _(_Plain):
    def __radd__(self, other):
        return other + self

    def __rmul__(self, other):
        return other * self


def _with_children(keep: Callable) -> type:
    """A plain Value that keeps its children in another way."""

    def init(self: Any, data: Any, children: tuple = (), op: str = "") -> None:
        _Plain.__init__(self, data, children, op)
        self._prev = keep(children)

    return _plain_with(__init__=init)[0]


@value.mistake(
    "not a tuple",
    "The children are asked for as a tuple: in order, and with repeats.",
    True,
    lambda _: iter([(_with_children(list),)]),
)
def _():
    return (_with_children(set),)


@value.mistake(
    "children turned",
    "The children stand in order: self first, then other.",
    others=_each_method,
)
class _(_Plain):
    def __add__(self, other):
        other = other if isinstance(other, _Plain) else type(self)(other)
        return type(self)(self.data + other.data, (other, self), "+")

    def __mul__(self, other):
        other = other if isinstance(other, _Plain) else type(self)(other)
        return type(self)(self.data * other.data, (other, self), "*")


@value.mistake("gradient starts at one", "The gradient of a new node is 0, not 1.")
class _(_Plain):
    def __init__(self, data, children=(), op=""):
        super().__init__(data, children, op)
        self.grad = 1.0


# ---------------------------------------------------------------- local_grads


def _fire(out: Any, upstream: float, *inputs: Any) -> Any:
    """The inputs' gradients after out, with this gradient, has fired once."""
    if not hasattr(out, "data"):
        return otherwise(out)
    out.grad = upstream
    out._backward()
    return [one.grad for one in inputs]


def _fired(
    Value: type, op: str, a: float, b: float, upstream: float, **options: Any
) -> Case:
    """The case of a sum or product of two nodes that fires once."""

    def act() -> Any:
        one, two = Value(a), Value(b)
        return _fire(_SIGNS[op](one, two), upstream, one, two)

    slopes = (1.0, 1.0) if op == "+" else (b, a)
    text = f"a {op} b with a = {a}, b = {b}, out.grad = {upstream}: grads of a and b"
    return case(text, act, [slope * upstream for slope in slopes], **options)


def _fired_twice_used(Value: type, op: str) -> list[float]:
    a = Value(3.0)
    return _fire(_SIGNS[op](a, a), 1.0, a)


def _fired_onto(Value: type, op: str) -> list[float]:
    a, b = Value(2.0), Value(5.0)
    a.grad = b.grad = 10.0
    return _fire(_SIGNS[op](a, b), 1.0, a, b)


def _fired_with_number(Value: type, op: str, turned: bool) -> list[float]:
    a = Value(2.0)
    return _fire(_SIGNS[op](7, a) if turned else _SIGNS[op](a, 7), 1.0, a)


def _old_copy(Value: type, op: str) -> str:
    """A sentence on a reflected method that is a copy of the one replaced here."""
    name = _METHODS[op]
    reflected = name.replace("__", "__r", 1)
    copied = getattr(getattr(Value, reflected, None), "__name__", "") == name
    return f"`{reflected}` is still the old `{name}`: write it as a method" * copied


def _data_after(Value: type, op: str) -> list[float]:
    a, b = Value(2.0), Value(5.0)
    out = _SIGNS[op](a, b)
    out.grad = 1.0
    out._backward()
    return [_read(a), _read(b)]


def _fired_by_inputs(Value: type, op: str) -> list[float]:
    a, b = Value(2.0), Value(5.0)
    _SIGNS[op](a, b).grad = 1.0
    a._backward()
    b._backward()
    return [a.grad, b.grad]


@exercise("micrograd.local_grads", version=2, parts=("__add__", "__mul__"))
def local_grads(Value: type) -> Cases:
    for upstream in (1.0, -3.0):
        for op in _SIGNS:
            yield _fired(Value, op, 2.0, 5.0, upstream)
    for op, want in (("+", 2.0), ("*", 6.0)):
        act = lambda o=op: _fired_twice_used(Value, o)  # noqa: E731
        yield case(f"a {op} a with a = 3: the gradient of a", act, [want])
    for op, grads in (("+", [11.0, 11.0]), ("*", [15.0, 12.0])):
        text = f"a {op} b at (2, 5), where both gradients are 10 already"
        yield case(text, lambda o=op: _fired_onto(Value, o), grads)
    for op, want in (("+", 1.0), ("*", 7.0)):
        for turned in (False, True):
            text = f"7 {op} a" if turned else f"a {op} 7"
            act = lambda o=op, t=turned: _fired_with_number(Value, o, t)  # noqa: E731
            says = _old_copy(Value, op) if turned else ""
            yield case(f"{text}: the gradient of a", act, [want], says=says)
    for op in _SIGNS:
        text = f"a {op} b at (2, 5), after it has fired: the data of a and b"
        yield case(text, lambda o=op: _data_after(Value, o), [2.0, 5.0])
        text = f"a {op} b at (2, 5): what the inputs' own _backward() adds"
        yield clue(text, lambda o=op: _fired_by_inputs(Value, o))
    yield _pair(Value, "+", 2.0, 5.0)
    yield _pair(Value, "*", 2.0, 5.0)
    number = _fresh()
    for op in _SIGNS:
        yield _fired(Value, op, number(), number(), number(), fresh=True)


@local_grads.skeleton
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)  # noqa: F821
    out = Value(self.data + other.data, (self, other), "+")  # noqa: F821
    return out


@local_grads.skeleton
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)  # noqa: F821
    out = Value(self.data * other.data, (self, other), "*")  # noqa: F821
    return out


def _value_with(add: Callable | None = None, mul: Callable | None = None) -> type:
    """A given Value whose closures are made by `add(a, b, out)`, `mul(a, b, out)`."""
    Value = _given().Value

    def operation(op: str, wire: Callable) -> Callable:
        def method(self: Any, other: Any) -> Any:
            other = other if isinstance(other, Value) else Value(other)
            data = self.data + other.data if op == "+" else self.data * other.data
            out = Value(data, (self, other), op)
            out._backward = wire(self, other, out)
            return out

        return method

    if add:
        Value.__add__ = operation("+", add)
    if mul:
        Value.__mul__ = operation("*", mul)
    return Value


def _setting(slopes: Callable) -> Callable:
    """A closure maker that assigns: a.grad = slope * upstream."""

    def wire(a: Any, b: Any, out: Any) -> Callable:
        def backward() -> None:
            da, db = slopes(a, b, out)
            a.grad = da
            b.grad = db

        return backward

    return wire


def _adding(slopes: Callable) -> Callable:
    def wire(a: Any, b: Any, out: Any) -> Callable:
        def backward() -> None:
            da, db = slopes(a, b, out)
            a.grad += da
            b.grad += db

        return backward

    return wire


def _overwriting(make: Callable[[], tuple[type]]) -> Iterator[tuple[type]]:
    """One `=` of two: in one operation, and then for one input of one."""
    yield from _each_alone(make)
    for added in "ab":
        for add in (True, False):
            yield (_half_set(add, not add, added),)
        yield (_half_set(True, True, added),)


def _half_set(add: bool, mul: bool, added: str) -> type:
    """Operations that set the gradient of one input, and add to that of the other."""

    def wire(slopes: Callable) -> Callable:
        def closure(a: Any, b: Any, out: Any) -> Callable:
            def backward() -> None:
                da, db = slopes(a, b, out)
                a.grad = da + (a.grad if added == "a" else 0.0)
                b.grad = db + (b.grad if added == "b" else 0.0)

            return backward

        return closure

    sums = wire(lambda a, b, out: (out.grad, out.grad))
    products = wire(lambda a, b, out: (b.data * out.grad, a.data * out.grad))
    return _value_with(sums if add else None, products if mul else None)


@local_grads.mistake(
    "overwrites",
    "A gradient is set with `=`: each use must add its share (`+=`).",
    True,
    _overwriting,
)
def _():
    add = _setting(lambda a, b, out: (out.grad, out.grad))
    mul = _setting(lambda a, b, out: (b.data * out.grad, a.data * out.grad))
    return (_value_with(add, mul),)


@local_grads.mistake(
    "not swapped", "In a product the slope of each input is the other input.", True
)
def _():
    mul = _adding(lambda a, b, out: (a.data * out.grad, b.data * out.grad))
    return (_value_with(mul=mul),)


@local_grads.mistake(
    "no upstream",
    "The local derivative is not multiplied by out.grad.",
    True,
    _each_alone,
)
def _():
    add = _adding(lambda a, b, out: (1.0, 1.0))
    mul = _adding(lambda a, b, out: (b.data, a.data))
    return (_value_with(add, mul),)


@local_grads.mistake(
    "own gradient",
    "The closure reads self.grad where out.grad is meant.",
    True,
    _each_alone,
)
def _():
    add = _adding(lambda a, b, out: (a.grad, b.grad))
    mul = _adding(lambda a, b, out: (b.data * a.grad, a.data * b.grad))
    return (_value_with(add, mul),)


@local_grads.mistake(
    "called at once",
    "_backward is called and its None kept: leave the () away.",
    True,
    _each_alone,
)
def _():
    def called(a: Any, b: Any, out: Any) -> None:
        return None

    return (_value_with(called, called),)


@local_grads.mistake(
    "not attached",
    "The closure is never given to out: `out._backward = _backward`.",
    True,
    _each_alone,
)
def _():
    def forgotten(a: Any, b: Any, out: Any) -> Callable:
        return lambda: None

    return (_value_with(forgotten, forgotten),)


@local_grads.mistake(
    "attached to an input",
    "The closure is given to an input: it belongs to out (`out._backward`).",
    True,
    _each_alone,
)
def _():
    def to_self(slopes: Callable) -> Callable:
        def wire(a: Any, b: Any, out: Any) -> Callable:
            a._backward = _adding(slopes)(a, b, out)
            return lambda: None

        return wire

    add = to_self(lambda a, b, out: (out.grad, out.grad))
    mul = to_self(lambda a, b, out: (b.data * out.grad, a.data * out.grad))
    return (_value_with(add, mul),)


@local_grads.mistake(
    "earlier uses lost",
    "What a gradient holds from other uses is overwritten: add to it (`+=`).",
    True,
    _each_alone,
)
def _():
    def summed(slopes: Callable) -> Callable:
        def wire(a: Any, b: Any, out: Any) -> Callable:
            def backward() -> None:
                da, db = slopes(a, b, out)
                a.grad, b.grad = (da + db, da + db) if a is b else (da, db)

            return backward

        return wire

    add = summed(lambda a, b, out: (out.grad, out.grad))
    mul = summed(lambda a, b, out: (b.data * out.grad, a.data * out.grad))
    return (_value_with(add, mul),)


@local_grads.mistake(
    "moves the data",
    "The closure changes .data: what flows back goes into .grad.",
    True,
    _each_alone,
)
def _():
    def moving(slopes: Callable) -> Callable:
        def wire(a: Any, b: Any, out: Any) -> Callable:
            def backward() -> None:
                a.data += slopes(a, b, out)[0]
                b.data += slopes(a, b, out)[1]

            return backward

        return wire

    add = moving(lambda a, b, out: (out.grad, out.grad))
    mul = moving(lambda a, b, out: (b.data * out.grad, a.data * out.grad))
    return (_value_with(add, mul),)


@local_grads.mistake("sum scaled", "A sum passes its gradient on unscaled.", True)
def _():
    add = _adding(lambda a, b, out: (b.data * out.grad, a.data * out.grad))
    return (_value_with(add),)


@local_grads.mistake(
    "only the left", "Only the left input receives a gradient.", True, _each_alone
)
def _():
    add = _adding(lambda a, b, out: (out.grad, 0.0))
    mul = _adding(lambda a, b, out: (b.data * out.grad, 0.0))
    return (_value_with(add, mul),)


# ---------------------------------------------------------------- toposort


class _Dot:
    """A node as an order sees it: children, and a number that others may hold too."""

    _op, grad = "", 0.0

    def __init__(self, *children: "_Dot", data: float = 0.0, name: str = ""):
        self._prev, self.data, self.name = children, data, name

    def _backward(self) -> None:
        """A leaf passes nothing on."""

    def __repr__(self) -> str:
        return self.name or f"node({self.data:g})"


def _zigzag(i: int) -> int:
    """Numbers that differ and are in no order: 0, -1, 2, -3, …"""
    return -i if i % 2 else i


def _chain(length: int) -> _Dot:
    node = _Dot()
    with _no_collection():
        for i in range(1, length):
            node = _Dot(node, data=_zigzag(i))
    return node


def _shared() -> _Dot:
    a, b = _Dot(data=1, name="a"), _Dot(data=4, name="b")
    return _Dot(_Dot(a, b, data=3, name="a + b"), b, data=2, name="(a + b) * b")


def _diamonds() -> _Dot:
    """Breadth first, pre-order and early marks come out wrong, each in its own way."""
    a, b = _Dot(data=6, name="a"), _Dot(data=2, name="b")
    c = _Dot(a, b, data=5, name="c")
    d = _Dot(a, c, data=1, name="d")
    e = _Dot(b, d, data=4, name="e")
    f = _Dot(c, e, data=7, name="f")
    return _Dot(f, e, data=3, name="f * e")


def _doubled(times: int) -> _Dot:
    node = _Dot()
    for i in range(1, times + 1):
        node = _Dot(node, node, data=_zigzag(i))
    return node


def _random_graph(size: int) -> _Dot:
    """Nodes with up to three earlier nodes as children; the root has all loose ends."""
    rng, nodes = random.Random(), [_Dot()]
    for i in range(size - 2):
        picked = rng.sample(nodes, min(len(nodes), rng.randint(1, 3)))
        nodes.append(_Dot(*picked, data=_zigzag(i + 1)))
    inner = {child for node in nodes for child in node._prev}
    loose = [node for node in nodes if node not in inner]
    return _Dot(*rng.sample(loose, len(loose)), data=size)


def _facts(order: Any, root: _Dot) -> dict[str, Any]:
    """What matters about an order; what it is, where it is no list."""
    if type(order) is not list:
        return otherwise(order)
    place = {id(node): i for i, node in enumerate(order)}
    early = [
        f"{node} stands before its child {child}"
        for i, node in enumerate(order)
        for child in getattr(node, "_prev", ())
        if place.get(id(child), -1) >= i
    ]
    return {
        "result": Said("a list"),
        "length": len(order),
        "of them different": len(place),
        "the root is last": bool(order) and order[-1] is root,
        "out of order": Said(early[0] if early else "nothing"),
        "all there": all(
            id(c) in place for n in order for c in getattr(n, "_prev", ())
        ),
    }


def _right_order(size: int) -> dict[str, Any]:
    said = {"result": Said("a list"), "length": size, "of them different": size}
    right = {"the root is last": True, "out of order": Said("nothing")}
    return said | right | {"all there": True}


class _Counted(_Dot):
    """A node that counts how often it is compared with another one."""

    compared = 0
    __hash__ = _Dot.__hash__

    def __eq__(self, other: object) -> bool:
        _Counted.compared += 1
        return self is other


def _compared(topological_order: Callable, length: int) -> Said:
    """How often each node of a chain is compared with others, in words."""
    node = _Counted()
    for i in range(1, length):
        node = _Counted(node, data=_zigzag(i))
    _Counted.compared = 0
    topological_order(node)
    return Said("often" if _Counted.compared > 20 * length else "hardly ever")


@exercise("micrograd.toposort", version=2, limit=4)
def toposort(topological_order: Callable) -> Cases:
    def of(text: str, make: Callable[[], _Dot], size: int, **options: Any) -> Case:
        graph = cache(make)  # asked twice, the same graph: no marks may stay on it

        def act() -> Any:
            order = topological_order(graph())
            with _no_collection():
                return _facts(order, graph())

        return case(text, act, _right_order(size), **options)

    yield of("a single node", _Dot, 1)
    yield of("a chain of three nodes", lambda: _chain(3), 3)
    yield of("(a + b) * b, where b is used twice", _shared, 4)
    yield of("a + a", lambda: _doubled(1), 2)
    alike = "two nodes that hold the same number"
    yield of(alike, lambda: _Dot(_Dot(), _Dot(), data=1), 3)
    used = "c = a + b, d = a * c, e = b * d, f = c * e, then f * e"
    yield of(used, _diamonds, 7)
    looks = "a chain of 300 nodes: how often a node is compared with the others"
    act = lambda: _compared(topological_order, 300)  # noqa: E731
    yield case(looks, act, Said("hardly ever"))
    yield of("a graph of 30 nodes", lambda: _random_graph(30), 30, fresh=True)
    yield of(
        "forty doublings: b = a + a, c = b + b, …", lambda: _doubled(40), 41, once=True
    )
    yield of("a chain of 50,000 nodes", lambda: _chain(50_000), 50_000, once=True)


def _depth_first(root: Any, key: Callable = id, before: bool = False) -> list[Any]:
    """An iterative walk that tells nodes apart by `key`, or lists them too early."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif key(node) not in seen:
            seen.add(key(node))
            if before:
                order.append(node)
            else:
                stack.append((node, True))
            stack.extend((child, False) for child in node._prev)
    return order


@toposort.mistake("root first", "The root comes first here: children must come first.")
def _(root):
    return _depth_first(root)[::-1]


def _level_turned(root: Any) -> list[Any]:
    """Breadth first with the last child first, turned around."""
    order, seen = [root], {root}
    for node in order:
        for child in reversed(node._prev):
            if child not in seen:
                seen.add(child)
                order.append(child)
    return order[::-1]


def _by_levels(root: Any) -> list[Any]:
    """Whole levels, the deepest first."""
    found, seen, level = [], {root}, [root]
    while level:
        found = level + found
        below = [child for node in level for child in node._prev]
        level = [c for c in dict.fromkeys(below) if c not in seen]
        seen.update(level)
    return found


def _preorder_turned(root: Any) -> list[Any]:
    """The same, the first child first."""
    order, seen, stack = [], set(), [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            order.append(node)
            stack.extend(reversed(node._prev))
    return order[::-1]


@toposort.mistake(
    "pre-order, reversed",
    "A node is listed on the way down; turning the list around does not mend it.",
    others=lambda _: iter([(_preorder_turned,)]),
)
def _(root):
    return _depth_first(root, before=True)[::-1]


@toposort.mistake(
    "breadth first",
    "Level by level is no order of dependence: a node may be needed later.",
    others=lambda _: iter([(_by_levels,), (_level_turned,)]),
)
def _(root):
    order, seen = [root], {root}
    for node in order:
        for child in node._prev:
            if child not in seen:
                seen.add(child)
                order.append(child)
    return order[::-1]


@toposort.mistake("by value", "Nodes are told apart by their number, not by identity.")
def _(root):
    return _depth_first(root, key=lambda node: node.data)


@toposort.mistake("no memory", "A node that is used twice is listed twice.")
def _(root):
    order, stack = [], [(root, False)]
    while stack and len(order) < 2000:
        node, ready = stack.pop()
        if ready or not node._prev:
            order.append(node)
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in node._prev)
    return order


@toposort.mistake("recursive", "Recursion ends at about 1,000 nodes: keep a stack.")
def _(root):
    order, seen = [], set()

    def build(node):
        if node not in seen:
            seen.add(node)
            for child in node._prev:
                build(child)
            order.append(node)

    build(root)
    return order


def _pushed(turned: bool) -> Callable:
    """A walk that marks a node when it is pushed, children first to last or back."""

    def order(root: Any) -> list[Any]:
        found, seen, stack = [], {root}, [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                found.append(node)
                continue
            stack.append((node, True))
            for child in reversed(node._prev) if turned else node._prev:
                if child not in seen:
                    seen.add(child)
                    stack.append((child, False))
        return found

    return order


toposort.mistake(
    "marked when pushed",
    "A node is marked when it is pushed: mark it when its turn has come.",
    others=lambda _: iter([(_pushed(True),)]),
)(_pushed(False))


@toposort.mistake(
    "in a list", "`in` searches a list node by node: keep the nodes seen in a set."
)
def _(root):
    order, stack = [], [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            if node not in order:
                order.append(node)
        elif node not in order:
            stack.append((node, True))
            stack.extend((child, False) for child in node._prev)
    return order


@toposort.mistake("without the root", "The root itself is missing from the list.")
def _(root):
    return _depth_first(root)[:-1]


# ---------------------------------------------------------------- backward


def _tangle(a: Any, b: Any) -> Any:
    """Nodes used early and late: the expression of micrograd's README, up to f."""
    c = a + b
    d = a * b + b * b * b
    c = c + c + 1
    c = c + 1 + c + a * -1
    d = d + d * 2 + (b + a)
    d = d + 3 * d + (b + a * -1)
    e = c + d * -1
    return e * e


def _grads(Value: type, build: Callable, *inputs: float) -> Any:
    """The gradients of the inputs; what backward() is, where it only looks like one."""
    leaves = [Value(x) for x in inputs]
    made = build(*leaves).backward()
    if type(made).__name__ in ("coroutine", "generator"):
        return made
    return [leaf.grad for leaf in leaves]


def _sums(times: int) -> Callable[[Any], Any]:
    """a + 1 + 1 + …, a deep graph in which a is used once."""

    def build(a: Any) -> Any:
        for _ in range(times):
            a = a + 1.0
        return a

    return build


def _doublings(times: int) -> Callable[[Any], Any]:
    """A graph of few nodes with 2 ** times ways from the root to a."""

    def build(a: Any) -> Any:
        for _ in range(times):
            a = a + a
        return a

    return build


Program = list[tuple[str, int, int]]  # each step applies an op to two earlier numbers


def _random_program(inputs: int, steps: int) -> Program:
    rng = random.Random()
    program = []
    for i in range(inputs, inputs + steps):
        other = i - inputs if i < 2 * inputs else rng.randrange(i)
        program.append((rng.choice("+*"), i - 1, other))
    return program


def _run(program: Program, numbers: tuple[Any, ...]) -> Any:
    made = list(numbers)
    for op, i, j in program:
        made.append(_SIGNS[op](made[i], made[j]))
    return made[-1]


def _slopes_of(program: Program, numbers: list[float]) -> list[float]:
    """The derivatives by each input: the program on pairs of value and slope."""
    slopes = []
    for k in range(len(numbers)):
        made = [(x, float(i == k)) for i, x in enumerate(numbers)]
        for op, i, j in program:
            (x, dx), (y, dy) = made[i], made[j]
            made.append((x + y, dx + dy) if op == "+" else (x * y, x * dy + y * dx))
        slopes.append(made[-1][1])
    return slopes


def _fires(Value: type) -> list[str]:
    """Which nodes of a * b + a call their own `_backward`, in order."""
    a, b = Value(2.0), Value(3.0)
    product = a * b
    out = product + a
    fired: list[str] = []

    def spy(name: str, node: Any) -> None:
        own = node._backward
        node._backward = lambda: (fired.append(name), own())[1]

    spy("a * b", product)
    spy("the sum", out)
    out.backward()
    return fired


_EXPRESSIONS: tuple[tuple[str, Callable, list[float], list[float]], ...] = (
    ("a * b + c", lambda a, b, c: a * b + c, [2.0, -3.0, 10.0], [-3.0, 2.0, 1.0]),
    (
        "(a * b + c) * f",
        lambda a, b, c, f: (a * b + c) * f,
        [2.0, -3.0, 10.0, -2.0],
        [6.0, -4.0, -2.0, 4.0],
    ),
    ("(a * b) * (a + b)", lambda a, b: (a * b) * (a + b), [-2.0, 3.0], [-3.0, -8.0]),
    ("a + a", lambda a: a + a, [3.0], [2.0]),
    ("b = a * a, then b * b + b + a", lambda a: _twice(a * a) + a, [2.0], [37.0]),
    ("b = a * a, then (b + 1) * (b * 3)", lambda a: _level(a * a), [2.0], [108.0]),
    ("f of micrograd's README", _tangle, [-4.0, 2.0], [-48.0, -194.0]),
)


def _twice(b: Any) -> Any:
    return b * b + b


def _level(b: Any) -> Any:
    """Both uses of b are equally far from the root."""
    return (b + 1) * (b * 3)


def _root(Value: type) -> float:
    out = Value(2.0) * 3.0
    out.backward()
    return out.grad


def _gradients(
    Value: type,
    expression: tuple[str, Callable, list[float], list[float]],
    **options: Any,
) -> Case:
    """The case of an expression at a point, and its gradients there."""
    text, build, inputs, want = expression
    act = lambda: _grads(Value, build, *inputs)  # noqa: E731
    return case(f"{text} at {inputs}: the gradients", act, want, **options)


def _random_expression() -> tuple[str, Callable, list[float], list[float]]:
    """Positive inputs, so that no two large numbers cancel."""
    number, program = _fresh(0.2, 1.5), _random_program(3, 8)
    inputs = [number() for _ in range(3)]
    build = lambda *leaves: _run(program, leaves)  # noqa: E731
    return "a random expression of 8 steps", build, inputs, _slopes_of(program, inputs)


def _called_again(Value: type) -> list[float]:
    """The gradient of a after each of two calls of one root's backward()."""
    a = Value(2.0)
    out, seen = a * 3.0, []
    for _ in range(2):
        out.backward()
        seen.append(a.grad)
    return seen


def _called_for_two(Value: type) -> float:
    a = Value(2.0)
    (a * 3.0).backward()
    (a * 4.0).backward()
    return a.grad


@exercise("micrograd.backward", version=2, parts=("backward",), limit=4)
def backward(Value: type) -> Cases:
    yield case("the gradient of the root itself", lambda: _root(Value), 1.0)
    for expression in _EXPRESSIONS:
        yield _gradients(Value, expression)
    order = "a * b + a: whose _backward() is called, in order"
    yield case(order, lambda: _fires(Value), ["the sum", "a * b"])
    two = "(a * 3).backward(), then (a * 4).backward(): the gradient of a"
    yield case(two, lambda: _called_for_two(Value), 7.0)
    again = "out = a * 3, out.backward() twice: the gradient of a after each call"
    yield case(again, lambda: _called_again(Value), [3.0, 6.0])
    yield _gradients(Value, _random_expression(), fresh=True)
    deep = "a + 1 + 1 + …, 500 sums,"
    yield _gradients(Value, (deep, _sums(500), [1.0], [1.0]))
    forty = "forty doublings: b = a + a, c = b + b, …,"
    yield _gradients(Value, (forty, _doublings(40), [1.0], [2.0**40]), once=True)


def _backward_with(walk: Callable) -> tuple[type]:
    return (_changed("Value.backward", lambda m: lambda self: walk(self, m)).Value,)


@backward.mistake("root at zero", "The root's own gradient is 1, not 0.", True)
def _():
    def walk(self, m):
        for node in reversed(m.topological_order(self)):
            node._backward()

    return _backward_with(walk)


@backward.mistake("leaves first", "The order is not reversed: leaves fire first.", True)
def _():
    def walk(self, m):
        self.grad = 1.0
        for node in m.topological_order(self):
            node._backward()

    return _backward_with(walk)


@backward.mistake(
    "breadth first",
    "Breadth first: a node fires before its gradient is complete.",
    True,
)
def _():
    def walk(self, m):
        self.grad, order, seen = 1.0, [self], {self}
        for node in order:
            node._backward()
            for child in node._prev:
                if child not in seen:
                    seen.add(child)
                    order.append(child)

    return _backward_with(walk)


@backward.mistake(
    "on the way down",
    "Depth first, on the way down: a node fires before its gradient is complete.",
    True,
)
def _():
    def walk(self, m):
        self.grad, stack, seen = 1.0, [self], set()
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                node._backward()
                stack.extend(reversed(node._prev))

    return _backward_with(walk)


@backward.mistake(
    "only the root", "Only the root fires; its children must fire too.", True
)
def _():
    def walk(self, m):
        self.grad = 1.0
        self._backward()

    return _backward_with(walk)


@backward.mistake(
    "down every path",
    "Each path fires its nodes again, with what they already hold.",
    True,
)
def _():
    def fire(node, depth=0):
        node._backward()
        for child in node._prev:
            if depth < 60:
                fire(child, depth + 1)

    def walk(self, m):
        self.grad = 1.0
        fire(self)

    return _backward_with(walk)


@backward.mistake(
    "clears the leaves",
    "backward() sets gradients to zero first: from call to call they add up.",
    True,
)
def _():
    def walk(self, m):
        order = m.topological_order(self)
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            node._backward()

    return _backward_with(walk)


@backward.mistake(
    "root added to",
    "The root's gradient is set to 1 in each call; 1 is not added to it.",
    True,
)
def _():
    def walk(self, m):
        self.grad += 1.0
        for node in reversed(m.topological_order(self)):
            node._backward()

    return _backward_with(walk)


@backward.mistake("not called", "No node fires: `_backward()` needs its ().", True)
def _():
    def walk(self, m):
        self.grad = 1.0

    return _backward_with(walk)


@backward.mistake(
    "backward of the children",
    "backward() of a child sets the child's gradient to 1 again.",
    True,
)
def _():
    def backward(self):
        self.grad = 1.0
        self._backward()
        for child in self._prev:
            child.backward()

    return (_changed("Value.backward", lambda m: backward).Value,)


@backward.mistake("every gradient one", "Only the root's gradient is 1.", True)
def _():
    def walk(self, m):
        order = m.topological_order(self)
        for node in order:
            node.grad = 1.0
        for node in reversed(order):
            node._backward()

    return _backward_with(walk)


# ---------------------------------------------------------------- functions


def _unary(Value: type, name: str, x: float, n: float | None = None) -> Any:
    """Value and gradient of a function, 2 flowing in, 10 there already."""
    a = Value(x)
    a.grad = 10.0
    out = a**n if n is not None else getattr(a, name)()
    if not hasattr(out, "data"):
        return otherwise(out)
    (out * 2.0).backward()
    found = {"result": Said("a Value"), "value": out.data}
    return found | {"gradient": a.grad - 10.0, "input after it": a.data}


def _applied(
    Value: type, name: str, x: float, n: float | None = None, **options: Any
) -> Case:
    """The case of a function at x, or of a power."""
    f, slope = _power(n) if n is not None else _FUNCTIONS[name][:2]
    text = f"Value({x}) ** {n}" if n is not None else f"Value({x}).{name}()"
    want = {"result": Said("a Value"), "value": f(x), "gradient": 2.0 * slope(x)}
    act = lambda: _unary(Value, name, x, n)  # noqa: E731
    text = f"{text}, a gradient of 2 coming in"
    return case(text, act, want | {"input after it": x}, **options)


def _power(n: float) -> tuple[Callable, Callable]:
    return lambda x: x**n, lambda x: n * x ** (n - 1)


_FUNCTIONS: dict[str, tuple[Callable, Callable, list[float]]] = {
    "tanh": (math.tanh, lambda x: 1 - math.tanh(x) ** 2, [0.8814, -1.7, 0.0, 400.0]),
    "exp": (math.exp, math.exp, [0.0, 1.3, -2.5]),
    "log": (math.log, lambda x: 1 / x, [1.0, 0.3, 7.5]),
    "relu": (lambda x: max(x, 0.0), lambda x: float(x > 0), [2.5, -1.5, 0.4, -0.4]),
}


@exercise(
    "micrograd.functions", version=2, parts=("tanh", "exp", "log", "relu", "__pow__")
)
def functions(Value: type) -> Cases:
    for name, (_, _, points) in _FUNCTIONS.items():
        for x in points:
            yield _applied(Value, name, x)
    for x, n in ((3.0, 2), (2.0, 3), (4.0, 0.5), (2.5, -1), (-1.5, 2), (0.0, 2)):
        yield _applied(Value, "", x, n)
    number = _fresh(0.2, 2.5)
    for name, sign in (("tanh", 1), ("exp", -1), ("log", 1), ("relu", 1), ("relu", -1)):
        yield _applied(Value, name, sign * number(), fresh=True)
    for n in (2, 5, 1.5, -2):
        yield _applied(Value, "", number(), n, fresh=True)


def _function_with(name: str, make: Callable) -> tuple[type]:
    """A given Value with `name` answering `make(self, …) = (data, slope)`."""

    def method(_: Any) -> Callable:
        return lambda self, *n: self._apply(*make(self.data, *n), name)

    return (_changed(f"Value.{name}", method).Value,)


@functions.mistake(
    "tanh from the input", "The slope of tanh is 1 - tanh², at the output.", True
)
def _():
    return _function_with("tanh", lambda x: (math.tanh(x), 1 - x * x))


@functions.mistake("tanh not squared", "The slope of tanh is 1 - t², not 1 - t.", True)
def _():
    return _function_with("tanh", lambda x: (math.tanh(x), 1 - math.tanh(x)))


@functions.mistake(
    "tanh overflows", "e to the 2x overflows for large x: use math.tanh.", True
)
def _():
    def tanh(x):
        t = (math.exp(2 * x) - 1) / (math.exp(2 * x) + 1)
        return t, 1 - t * t

    return _function_with("tanh", tanh)


@functions.mistake(
    "tanh slope too steep", "The slope of tanh is 1 - t², not 1 + t².", True
)
def _():
    return _function_with("tanh", lambda x: (math.tanh(x), 1 + math.tanh(x) ** 2))


@functions.mistake(
    "exp slope",
    "The slope of eˣ is eˣ, the output itself.",
    True,
    lambda _: iter([_function_with("exp", lambda x: (math.exp(x), 1.0))]),
)
def _():
    return _function_with("exp", lambda x: (math.exp(x), x))


@functions.mistake(
    "power as slope of exp", "eˣ is no power: its slope is not x·eˣ⁻¹.", True
)
def _():
    return _function_with("exp", lambda x: (math.exp(x), x * math.exp(x - 1)))


@functions.mistake(
    "log slope", "The slope of log x is 1/x, not 1/log x or log x.", True
)
def _():
    return _function_with("log", lambda x: (math.log(x), math.log(x)))


@functions.mistake("log base ten", "The natural logarithm is meant (math.log).", True)
def _():
    return _function_with("log", lambda x: (math.log10(x), 1 / (x * math.log(10))))


@functions.mistake(
    "relu leaks", "Where the rectifier gives 0 it passes no gradient.", True
)
def _():
    return _function_with("relu", lambda x: (max(x, 0.0), 1.0))


@functions.mistake(
    "power divided by x", "n·xⁿ/x divides by zero at 0: take n·xⁿ⁻¹.", True
)
def _():
    return _function_with("__pow__", lambda x, n: (x**n, n * x**n / x))


@functions.mistake("power without n", "The slope of xⁿ has the factor n.", True)
def _():
    return _function_with("__pow__", lambda x, n: (x**n, x ** (n - 1)))


@functions.mistake(
    "power not lowered", "In the slope of xⁿ the exponent is n - 1.", True
)
def _():
    return _function_with("__pow__", lambda x, n: (x**n, n * x**n))


# ---------------------------------------------------------------- operators


def _readme(Value: type) -> list[float]:
    """The expression of micrograd's README: its value and two derivatives."""
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return [g.data, a.grad, b.grad]


def _operate(Value: type, build: Callable, *inputs: float) -> dict[str, Any]:
    leaves = [Value(x) for x in inputs]
    out = build(*leaves)
    if not hasattr(out, "backward"):
        return otherwise(out)
    out.backward()
    return {
        "result": Said("a Value"),
        "value": out.data,
        "gradients": [leaf.grad for leaf in leaves],
        "inputs after it": [leaf.data for leaf in leaves],
    }


_OPERATORS: tuple[tuple[str, Callable, list[float], float, list[float]], ...] = (
    ("-a at 3", lambda a: -a, [3.0], -3.0, [-1.0]),
    ("a - b at (5, 2)", lambda a, b: a - b, [5.0, 2.0], 3.0, [1.0, -1.0]),
    ("a - 2 at 5", lambda a: a - 2, [5.0], 3.0, [1.0]),
    ("1 - a at 3", lambda a: 1 - a, [3.0], -2.0, [-1.0]),
    ("a / b at (7, 2)", lambda a, b: a / b, [7.0, 2.0], 3.5, [0.5, -1.75]),
    ("a / 4 at 3", lambda a: a / 4, [3.0], 0.75, [0.25]),
    ("1 / a at 4", lambda a: 1 / a, [4.0], 0.25, [-0.0625]),
    ("6 / a - a / 6 at -4", lambda a: 6 / a - a / 6, [-4.0], -5 / 6, [-13 / 24]),
    ("a - a at 3", lambda a: a - a, [3.0], 0.0, [0.0]),
    (
        "sum([a, b, 2 - a]) at (1.5, -2)",
        lambda a, b: sum([a, b, 2 - a]),
        [1.5, -2.0],
        0.0,
        [0.0, 1.0],
    ),
)


def _random_operators() -> tuple[str, Callable, list[float], float, list[float]]:
    """An expression with all five operators, new numbers in it, done by formula."""
    number = _fresh(0.5, 4.0)
    a, b, p, q = number(), number(), number(), number()
    text = f"({p} - a) / b - {q} / a + -b / {p} at ({a}, {b})"
    value = (p - a) / b - q / a - b / p
    grads = [-1 / b + q / a**2, -(p - a) / b**2 - 1 / p]
    return text, lambda a, b: (p - a) / b - q / a + -b / p, [a, b], value, grads


@exercise(
    "micrograd.operators",
    parts=("__neg__", "__sub__", "__rsub__", "__truediv__", "__rtruediv__"),
)
def operators(Value: type) -> Cases:
    table = [(row, False) for row in _OPERATORS] + [(_random_operators(), True)]
    for (text, build, inputs, result, grads), new in table:
        want = {"result": Said("a Value"), "value": result, "gradients": grads}
        act = lambda b=build, i=inputs: _operate(Value, b, *i)  # noqa: E731
        yield case(text, act, want | {"inputs after it": inputs}, fresh=new)
    readme = [24.70408163265306, 138.8338192419825, 645.5772594752186]
    yield case("micrograd's README: g, dg/da, dg/db", lambda: _readme(Value), readme)


def _operator_with(name: str, method: Callable) -> tuple[type]:
    return (_changed(f"Value.{name}", lambda m: method).Value,)


@operators.mistake(
    "rsub turned", "`1 - a` asks for other - self, not self - other.", True
)
def _():
    return _operator_with("__rsub__", lambda self, other: self + (-other))


@operators.mistake(
    "rdiv turned", "`1 / a` asks for other / self, not self / other.", True
)
def _():
    return _operator_with("__rtruediv__", lambda self, other: self * other**-1)


@operators.mistake(
    "cut off", "The result has no children: no gradient flows back.", True, _each_alone
)
def _():
    module = _given()
    Value = module.Value
    Value.__sub__ = lambda self, o: Value(self.data - getattr(o, "data", o))
    Value.__truediv__ = lambda self, o: Value(self.data / getattr(o, "data", o))
    Value.__neg__ = lambda self: Value(-self.data)
    return (Value,)


@operators.mistake("neg in place", "-a changes a itself: make a new Value.", True)
def _():
    def neg(self):
        self.data = -self.data
        return self

    return _operator_with("__neg__", neg)


@operators.mistake("whole numbers", "`//` drops the fraction; `/` keeps it.", True)
def _():
    module = _given()
    module.Value.__truediv__ = lambda self, o: module.Value(
        self.data // getattr(o, "data", o), (self,), "/"
    )
    return (module.Value,)


@operators.mistake(
    "no reflection", "A number on the left is not answered.", True, _each_alone
)
def _():
    module = _given()
    module.Value.__rsub__ = lambda self, other: NotImplemented
    module.Value.__rtruediv__ = lambda self, other: NotImplemented
    return (module.Value,)


@operators.mistake("neg is reciprocal", "-a is a times -1; a ** -1 is 1/a.", True)
def _():
    return _operator_with("__neg__", lambda self: self**-1)


# ---------------------------------------------------------------- neuron_layer_mlp


def _set(neuron: Any, numbers: list[float]) -> None:
    """Give the weights and the bias of a neuron these numbers, the bias last."""
    for v, x in zip([*neuron.w, neuron.b], numbers, strict=True):
        v.data = x


def _neuron_case(
    Neuron: type, acts: tuple[str, ...], numbers: list[float], x: list, **options: Any
) -> Case:
    """A neuron with set weights (the bias last), and act where it is given."""

    def out() -> Any:
        neuron = Neuron(len(x), *acts)
        _set(neuron, numbers)
        return _number_in(neuron(x))

    *w, b = numbers
    total = sum(one * two for one, two in zip(w, x, strict=True)) + b
    said = ", ".join([f"{len(x)}", *(f'"{act}"' for act in acts)])
    act = _ACTS[acts[0]] if acts else math.tanh
    text = f"Neuron({said})({x}), w = {w}, b = {b}"
    return case(text, out, _value_of(act(total)), **options)


def _number_in(out: Any) -> dict[str, Any]:
    if not hasattr(out, "data"):
        return otherwise(out)
    return _value_of(out.data)


def _named(out: Any) -> str:
    """What something is, without its random numbers: "a Value", "a list"."""
    return Said(kind(out).rpartition(", ")[2])


def _value_of(number: float) -> dict[str, Any]:
    return {"result": Said("a Value"), "data": number}


def _weights(Neuron: type) -> dict[str, Any]:
    neurons = [Neuron(100, rng=random.Random(0)) for _ in range(2)]
    first, second = ([w.data for w in n.w] for n in neurons)
    return {
        "weights": len(first),
        "between -1 and 1": all(-1 <= w <= 1 for w in first),
        "different": len(set(first)) == 100,
        "the same for the same rng": first == second,
        "on both sides of 0": min(first) < -0.5 and max(first) > 0.5,
        "bias": neurons[0].b.data,
    }


_WEIGHTS = {
    "weights": 100,
    "between -1 and 1": True,
    "different": True,
    "the same for the same rng": True,
    "on both sides of 0": True,
    "bias": 0.0,
}


def _drawn(MLP: type) -> dict[str, Any]:
    """Whether the rng reaches the neurons of a network."""
    nets = [MLP(2, [3, 1], rng=random.Random(7)) for _ in range(2)]
    first, second = ([p.data for p in net.parameters()] for net in nets)
    weights = [w.data for layer in nets[0].layers for n in layer.neurons for w in n.w]
    different = len(set(weights)) == len(weights)
    return {"the same for the same rng": first == second, "different": different}


def _fill(net: Any, rng: random.Random) -> list[list[tuple[list[float], float]]]:
    """Random numbers for a whole network; the same numbers as nested lists."""
    numbers = []
    for layer in net.layers:
        rows = []
        for neuron in layer.neurons:
            row = [rng.uniform(-1, 1) for _ in range(len(neuron.w) + 1)]
            _set(neuron, row)
            rows.append((row[:-1], row[-1]))
        numbers.append(rows)
    return numbers


def _by_loop(numbers: list, x: list[float], act: str, last: str) -> list[float]:
    """The network in plain numbers: the slow, obvious loop."""
    for depth, rows in enumerate(numbers):
        name = last if depth == len(numbers) - 1 else act
        sums = [sum(w * v for w, v in zip(ws, x, strict=True)) + b for ws, b in rows]
        x = [_ACTS[name](s) for s in sums]
    return x


_ACTS: dict[str, Callable[[float], float]] = {
    "": lambda s: s,
    "tanh": math.tanh,
    "relu": lambda s: max(s, 0.0),
}


def _mlp_case(
    MLP: type, nouts: list[int], *acts: str, seed: int = 11, **options: Any
) -> Case:
    """A network with set weights against the loop; acts are act and last, if given."""
    act, last = acts or ("tanh", "")
    x = [0.7, -1.2]
    model = _given().MLP(2, nouts, act, last)
    want = [
        _value_of(y) for y in _by_loop(_fill(model, random.Random(seed)), x, act, last)
    ]

    def out() -> Any:
        net = MLP(2, nouts, *acts)
        _fill(net, random.Random(seed))
        found = net(x)
        return (
            [_number_in(v) for v in found] if type(found) is list else _number_in(found)
        )

    said = "".join(f", {name!r}" for name in acts)
    text = f"MLP(2, {nouts}{said})({x}), with set weights"
    return case(text, out, want[0] if nouts[-1] == 1 else want, **options)


def _slopes(MLP: type) -> dict[str, Any]:
    """How many parameters receive a gradient, and the sum of the gradients."""
    net = MLP(2, [3, 1])
    _fill(net, random.Random(5))
    net([0.7, -1.2]).backward()
    grads = [p.grad for p in net.parameters()]
    return {"with a gradient": sum(g != 0 for g in grads), "sum of them": sum(grads)}


def _slopes_by_nudge() -> float:
    """The sum of the derivatives by all parameters, measured in the loop."""
    numbers = _fill(_given().MLP(2, [3, 1]), random.Random(5))
    h = 1e-6

    def out(shift: float) -> float:
        moved = [
            [([w + shift for w in ws], b + shift) for ws, b in rows] for rows in numbers
        ]
        return _by_loop(moved, [0.7, -1.2], "tanh", "")[0]

    return (out(h) - out(-h)) / (2 * h)


def _zeroed(MLP: type) -> list[float]:
    net = MLP(2, [2, 1])
    net([1.0, 2.0]).backward()
    net.zero_grad()
    return [p.grad for p in net.parameters()]


def _counted(things: Any) -> dict[str, int]:
    """How many there are, and how many different ones."""
    return {"how many": len(things), "different": len({id(one) for one in things})}


def _many(count: int) -> dict[str, int]:
    return {"how many": count, "different": count}


@exercise("micrograd.neuron_layer_mlp")
def neuron_layer_mlp(Neuron: type, Layer: type, MLP: type) -> Cases:
    x, number = [1.0, 2.0, 0.75], _fresh(-1.0, 1.0)
    yield case("Neuron(100): its weights", lambda: _weights(Neuron), _WEIGHTS)
    own = "Neuron(3).parameters()"
    yield case(own, lambda: _counted(Neuron(3).parameters()), _many(4))
    for acts in [(act,) for act in _ACTS] + [()]:
        yield _neuron_case(Neuron, acts, [0.5, -1.0, 2.0, 0.25], x)
    yield case("Layer(3, 2).neurons", lambda: _counted(Layer(3, 2).neurons), _many(2))
    two = "Layer(3, 2)([1.0, 2.0, 0.75]), how many"
    yield case(two, lambda: len(Layer(3, 2)(x)), 2)
    one = "Layer(3, 1)([1.0, 2.0, 0.75])"
    yield case(one, lambda: _named(Layer(3, 1)(x)), Said("a Value"))
    both = "Layer(3, 2).parameters()"
    yield case(both, lambda: _counted(Layer(3, 2).parameters()), _many(8))
    count = "MLP(3, [4, 4, 1]).parameters()"
    yield case(count, lambda: _counted(MLP(3, [4, 4, 1]).parameters()), _many(41))
    drawn = {"the same for the same rng": True, "different": True}
    yield case("the weights of MLP(2, [3, 1])", lambda: _drawn(MLP), drawn)
    yield _mlp_case(MLP, [3, 1])
    yield _mlp_case(MLP, [4, 3, 2], "relu", "")
    yield _mlp_case(MLP, [3, 1], "tanh", "tanh")
    want = {"with a gradient": 13, "sum of them": _slopes_by_nudge()}
    slopes = "MLP(2, [3, 1]): its 13 parameters after backward()"
    yield case(slopes, lambda: _slopes(MLP), want, within=SLOPE)
    yield case("the gradients after zero_grad()", lambda: _zeroed(MLP), [0.0] * 9)
    yield _neuron_case(Neuron, ("tanh",), [number() for _ in "wwwb"], x, fresh=True)
    seed = new_seed()
    yield _mlp_case(MLP, [3, 2], "tanh", "relu", seed=seed, fresh=True)


def _net_with(name: str, change: Callable) -> tuple[type, type, type]:
    module = _changed(name, change)
    return module.Neuron, module.Layer, module.MLP


@neuron_layer_mlp.mistake("no bias", "The bias is not added to the weighted sum.", True)
def _():
    def call_(self, x):
        out = sum(w * v for w, v in zip(self.w, x, strict=True))
        return getattr(out, self.act)() if self.act else out

    return _net_with("Neuron.__call__", lambda m: call_)


@neuron_layer_mlp.mistake("never squashed", "The neuron does not apply act.", True)
def _():
    def call_(self, x):
        return sum((w * v for w, v in zip(self.w, x, strict=True)), self.b)

    return _net_with("Neuron.__call__", lambda m: call_)


@neuron_layer_mlp.mistake(
    "always tanh", "The neuron uses tanh, whatever act says.", True
)
def _():
    def call_(self, x):
        return sum((w * v for w, v in zip(self.w, x, strict=True)), self.b).tanh()

    return _net_with("Neuron.__call__", lambda m: call_)


@neuron_layer_mlp.mistake(
    "last squashed too", "The last layer is squashed by `act`: `last` is for it.", True
)
def _():
    def make(m):
        def init(self, nin, nouts, act="tanh", last="", rng=random):
            pairs = zip([nin, *nouts], nouts, strict=False)
            self.layers = [m.Layer(n, k, act, rng) for n, k in pairs]

        return init

    return _net_with("MLP.__init__", make)


@neuron_layer_mlp.mistake(
    "one neuron many times", "The layer repeats one neuron.", True
)
def _():
    def make(m):
        def init(self, nin, nout, act="tanh", rng=random):
            self.neurons = [m.Neuron(nin, act, rng)] * nout

        return init

    return _net_with("Layer.__init__", make)


@neuron_layer_mlp.mistake(
    "biases left out", "parameters() leaves the biases out.", True
)
def _():
    return _net_with("Neuron.parameters", lambda m: lambda self: list(self.w))


@neuron_layer_mlp.mistake(
    "always a list", "A layer of one neuron gives its Value, not a list.", True
)
def _():
    return _net_with(
        "Layer.__call__", lambda m: lambda self, x: [n(x) for n in self.neurons]
    )


@neuron_layer_mlp.mistake(
    "positive weights", "All weights are positive: they lie between -1 and 1.", True
)
def _():
    def make(m):
        def init(self, nin, act="tanh", rng=random):
            self.w = [m.Value(rng.random()) for _ in range(nin)]
            self.b, self.act = m.Value(0.0), act

        return init

    return _net_with("Neuron.__init__", make)


def _not_passed_on(_: Any) -> Iterator[tuple[type, type, type]]:
    def make(m):
        def init(self, nin, nouts, act="tanh", last="", rng=random):
            acts = [act] * (len(nouts) - 1) + [last]
            triples = zip([nin, *nouts], nouts, acts, strict=False)
            self.layers = [m.Layer(n, k, name) for n, k, name in triples]

        return init

    yield _net_with("MLP.__init__", make)


@neuron_layer_mlp.mistake(
    "rng stops", "rng is not passed on to what is made of it.", True, _not_passed_on
)
def _():
    def make(m):
        def init(self, nin, nout, act="tanh", rng=random):
            self.neurons = [m.Neuron(nin, act) for _ in range(nout)]

        return init

    return _net_with("Layer.__init__", make)


def _nested_elsewhere(_: Any) -> Iterator[tuple[type, type, type]]:
    yield _net_with("Neuron.parameters", lambda m: lambda self: [self.w, self.b])
    layers = lambda self: [layer.parameters() for layer in self.layers]  # noqa: E731
    yield _net_with("MLP.parameters", lambda m: layers)
    module = _changed("MLP.parameters", lambda m: layers)
    module.Layer.parameters = lambda self: [n.parameters() for n in self.neurons]
    yield module.Neuron, module.Layer, module.MLP


@neuron_layer_mlp.mistake(
    "nested",
    "parameters() gives lists inside a list: put all of them into one.",
    True,
    _nested_elsewhere,
)
def _():
    return _net_with(
        "Layer.parameters",
        lambda m: lambda self: [n.parameters() for n in self.neurons],
    )


@neuron_layer_mlp.mistake("own randomness", "The weights are not drawn from rng.", True)
def _():
    def make(m):
        def init(self, nin, act="tanh", rng=random):
            self.w = [m.Value(random.uniform(-1, 1)) for _ in range(nin)]
            self.b, self.act = m.Value(0.0), act

        return init

    return _net_with("Neuron.__init__", make)


@neuron_layer_mlp.mistake(
    "last layer only", "parameters() gives those of one layer alone.", True
)
def _():
    return _net_with(
        "MLP.parameters", lambda m: lambda self: self.layers[-1].parameters()
    )


# ---------------------------------------------------------------- sgd


class _Bowl:
    """Two parameters and a bowl-shaped loss: descent that can be done on paper."""

    def __init__(self, Value: type, x: float, y: float) -> None:
        self.p = [Value(x), Value(y)]

    def parameters(self) -> list[Any]:
        return self.p

    def zero_grad(self) -> None:
        for p in self.p:
            p.grad = 0.0

    def loss(self) -> Any:
        return self.p[0] ** 2 + self.p[1] ** 2 * 3


def _bowl_case(
    train: Callable,
    steps: int,
    lr: float,
    x: float,
    y: float,
    left_over: float = 0.0,
    **options: Any,
) -> Case:
    """Descent in the bowl, against a loop on paper."""

    def act() -> Any:
        bowl = _Bowl(stage("micrograd", train).Value, x, y)
        for p in bowl.p:
            p.grad = left_over
        losses = train(bowl, bowl.loss, steps, lr)
        if type(losses) is not list:
            return otherwise(losses)
        return {
            "result": Said("a list"),
            "losses": losses,
            "parameters": [p.data for p in bowl.p],
        }

    text = f"x² + 3y² from ({x}, {y}), {steps} step{'s' * (steps > 1)} of {lr}"
    text += f", gradients of {left_over} left over" * bool(left_over)
    return case(text, act, _bowl_by_hand(steps, lr, x, y), **options)


def _bowl_by_hand(steps: int, lr: float, x: float, y: float) -> dict[str, list[float]]:
    losses = []
    for _ in range(steps):
        losses.append(x**2 + 3 * y**2)
        x, y = x - lr * 2 * x, y - lr * 6 * y
    return {"result": Said("a list"), "losses": losses, "parameters": [x, y]}


_POINTS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
_TARGETS = [1.0, -1.0, -1.0, 1.0]


def _four_points(train: Callable) -> Any:
    net = stage("micrograd", train).MLP(3, [4, 4, 1], last="tanh", rng=random.Random(3))

    def loss() -> Any:
        outs = [net(x) for x in _POINTS]
        return sum((o - t) ** 2 for o, t in zip(outs, _TARGETS, strict=True))

    losses = train(net, loss, 30, 0.1)
    signs = [net(x).data * t > 0 for x, t in zip(_POINTS, _TARGETS, strict=True)]
    return {"points on the right side": sum(signs), "loss below 0.2": losses[-1] < 0.2}


def moons(n: int, rng: random.Random) -> list[tuple[list[float], int]]:
    """Two interleaved half circles with noise 0.1: points and labels of ±1."""
    points = []
    for i in range(n):
        angle, label = math.pi * rng.random(), 1 if i % 2 else -1
        x, y = math.cos(angle), math.sin(angle)
        x, y = (1 - x, 0.5 - y) if label > 0 else (x, y)
        points.append(([x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)], label))
    return points


def _two_moons(train: Callable) -> Any:
    points = moons(20, random.Random(105))
    net = stage("micrograd", train).MLP(2, [8, 1], "relu", rng=random.Random(5))

    def loss() -> Any:
        margins = [(1 - label * net(x)).relu() for x, label in points]
        return sum(margins) / len(points)

    train(net, loss, 25, 1.0)
    right = sum(net(x).data * label > 0 for x, label in points)
    return {"at least 95 % right": right / len(points) >= 0.95}


@exercise("micrograd.sgd", version=2, limit=8)
def sgd(train: Callable) -> Cases:
    for steps in (1, 2, 5):
        yield _bowl_case(train, steps, 0.1, 1.0, -2.0)
    yield _bowl_case(train, 2, 0.1, 1.0, -2.0, left_over=5.0)
    number, steps = _fresh(0.5, 3.0), random.Random().randint(3, 6)
    yield _bowl_case(train, steps, 0.05, number(), -number(), fresh=True)
    four = {"points on the right side": 4, "loss below 0.2": True}
    yield case("four points, 30 steps", lambda: _four_points(train), four, once=True)
    many = {"at least 95 % right": True}
    yield case("two moons, 25 steps", lambda: _two_moons(train), many, once=True)


@sgd.skeleton
def train(model, loss, steps, lr):
    losses = []
    for _ in range(steps):
        pass
    return losses


def _trainer(step: Callable) -> Callable:
    def train(model, loss, steps, lr):
        losses = []
        for _ in range(steps):
            losses.append(step(model, loss, lr))
        return losses

    return train


def _update(model: Any, lr: float) -> None:
    for p in model.parameters():
        p.data -= lr * p.grad


@sgd.mistake("no zero_grad", "Old gradients are never set to zero: they pile up.", True)
def _():
    def step(model, loss, lr):
        value = loss()
        value.backward()
        _update(model, lr)
        return value.data

    return (_trainer(step),)


@sgd.mistake(
    "nothing moves",
    "Nothing moves: the gradients are zero at the step, or `p.data` is not set.",
    True,
)
def _():
    def step(model, loss, lr):
        value = loss()
        value.backward()
        model.zero_grad()
        _update(model, lr)
        return value.data

    return (_trainer(step),)


@sgd.mistake(
    "zeroed at the end",
    "Gradients from before the first step are counted: zero them before backward().",
    True,
)
def _():
    def step(model, loss, lr):
        value = loss()
        value.backward()
        _update(model, lr)
        model.zero_grad()
        return value.data

    return (_trainer(step),)


@sgd.mistake(
    "set, not moved", "`=-` sets a number to the negative: `-=` moves it.", True
)
def _():
    def step(model, loss, lr):
        value = loss()
        model.zero_grad()
        value.backward()
        for p in model.parameters():
            p.data = -lr * p.grad
        return value.data

    return (_trainer(step),)


@sgd.mistake("uphill", "The step goes uphill: subtract the gradient.", True)
def _():
    def step(model, loss, lr):
        value = loss()
        model.zero_grad()
        value.backward()
        _update(model, -lr)
        return value.data

    return (_trainer(step),)


@sgd.mistake(
    "losses as Values", "The losses are Values: keep their numbers (.data).", True
)
def _():
    def step(model, loss, lr):
        value = loss()
        model.zero_grad()
        value.backward()
        _update(model, lr)
        return value

    return (_trainer(step),)


@sgd.mistake(
    "loss measured once", "The loss is built once: run the model each step.", True
)
def _():
    def train(model, loss, steps, lr):
        value, losses = loss(), []
        for _ in range(steps):
            model.zero_grad()
            value.grad = 0.0
            value.backward()
            _update(model, lr)
            losses.append(value.data)
        return losses

    return (train,)


@sgd.mistake(
    "measured after", "The loss is measured after the step, not before it.", True
)
def _():
    def step(model, loss, lr):
        value = loss()
        model.zero_grad()
        value.backward()
        _update(model, lr)
        return loss().data

    return (_trainer(step),)


@sgd.mistake("sign of the gradient", "The step ignores how steep the slope is.", True)
def _():
    def step(model, loss, lr):
        value = loss()
        model.zero_grad()
        value.backward()
        for p in model.parameters():
            p.data -= lr * math.copysign(1, p.grad)
        return value.data

    return (_trainer(step),)


# ---------------------------------------------------------------- gradient_by_hand


def _formula(a: float, b: float, c: float) -> tuple[float, float, float]:
    da = -3 * a * a - 1 / (2 * math.sqrt(a))
    return da, 3 * math.cos(3 * b) + 2.5 * b * math.sqrt(b), 1 / (c * c)


@exercise("micrograd.gradient_by_hand", version=2)
def gradient_by_hand(gradient: Callable) -> Cases:
    rng, number = random.Random(6), _fresh(0.5, 5.0)
    points = [[round(rng.uniform(0.5, 5), 2) for _ in "abc"] for _ in range(3)]
    shown = [2.0, 3.0, 4.0]
    what = case(_by(shown, ""), lambda: _three(gradient(*shown)), Said(_THREE))
    yield what
    for place, letter in enumerate("abc"):
        for point in [shown, *points]:
            act = lambda p=point, i=place: gradient(*p)[i]  # noqa: E731
            others = (
                "each of the three parts is asked by itself, a first, then b, then c"
            )
            want = _formula(*point)[place]
            yield case(_by(point, letter), act, want, says=others)
    point = [number() for _ in "abc"]
    yield call(gradient, *point, expects=_formula(*point), fresh=True)


_THREE = "a tuple of three"


def _three(out: Any) -> Any:
    """Whether it is a tuple of three; what it is, where it is none."""
    right = isinstance(out, tuple) and len(out) == 3
    return Said(_THREE) if right else out


def _by(point: list[float], letter: str) -> str:
    """A call of gradient at a point, and which of its parts is meant."""
    part = f"[{'abc'.index(letter)}], the part by {letter}" if letter else ""
    return f"gradient({', '.join(map(str, point))}){part}"


def _by_hand(da: Callable, db: Callable, dc: Callable) -> Callable:
    return lambda a, b, c: (da(a), db(b), dc(c))


def _da(a: float) -> float:
    return -3 * a**2 - 0.5 * a**-0.5


def _db(b: float) -> float:
    return 3 * math.cos(3 * b) + 2.5 * b**1.5


def _dc(c: float) -> float:
    return c**-2


_BY_HAND: dict[str, tuple[str, Callable]] = {
    "sign of 1/c": (
        "-1/c has the slope +1/c².",
        _by_hand(_da, _db, lambda c: -(c**-2)),
    ),
    "inner factor": (
        "The slope of sin 3b has the inner factor 3.",
        _by_hand(_da, lambda b: math.cos(3 * b) + 2.5 * b**1.5, _dc),
    ),
    "square root": (
        "The slope of √a is 1/(2√a).",
        _by_hand(lambda a: -3 * a**2 - a**-0.5, _db, _dc),
    ),
    "sign of the root": (
        "The root has a minus sign, and keeps it.",
        _by_hand(lambda a: -3 * a**2 + 0.5 * a**-0.5, _db, _dc),
    ),
    "sign of the cube": (
        "The cube has a minus sign, and keeps it.",
        _by_hand(lambda a: 3 * a**2 - 0.5 * a**-0.5, _db, _dc),
    ),
    "exponent": (
        "The slope of b^2.5 is 2.5·b^1.5.",
        _by_hand(_da, lambda b: 3 * math.cos(3 * b) + 2.5 * b**2.5, _dc),
    ),
    "sign of the cosine": (
        "The slope of the sine is +cosine.",
        _by_hand(_da, lambda b: -3 * math.cos(3 * b) + 2.5 * b**1.5, _dc),
    ),
}
for _name, (_sentence, _wrong) in _BY_HAND.items():
    gradient_by_hand.mistake(_name, _sentence)(_wrong)


# ---------------------------------------------------------------- softmax_nll


def _scores(for_: Callable, *numbers: float) -> list[Any]:
    """Scores of the class that the function knows as Value."""
    Value = stage("micrograd", for_).Value
    return [Value(x) for x in numbers]


def _softmax_case(softmax: Callable, numbers: list[float], **options: Any) -> Case:
    def act() -> Any:
        scores = _scores(softmax, *numbers)
        out = softmax(scores)
        if type(out) is not list:
            return otherwise(out)
        plain = [one for one in out if not hasattr(one, "data")]
        result = Said(f"a list with {kind(plain[0])}" if plain else "a list of Values")
        after = [z.data for z in scores]
        return {"result": result, "numbers": [*map(_read, out)], "scores after": after}

    want = {"result": Said("a list of Values"), "numbers": _soft(numbers)}
    text = f"softmax of {numbers}"
    return case(text, act, want | {"scores after": numbers}, **options)


def _softmax_slopes(softmax: Callable) -> list[float]:
    """The derivatives of the first of two probabilities by both scores."""
    scores = _scores(softmax, 1.0, 3.0)
    softmax(scores)[0].backward()
    return [z.grad for z in scores]


def _loss_case(
    nll: Callable, numbers: list[float], target: int, **options: Any
) -> Case:
    def act() -> Any:
        scores = _scores(nll, *numbers)
        out = nll(scores, target)
        if not hasattr(out, "backward"):
            return otherwise(out)
        out.backward()
        grads = [z.grad for z in scores]
        return {"result": Said("a Value"), "loss": out.data, "gradients": grads}

    text = f"nll of {numbers}, target {target}"
    return case(text, act, _loss_by_formula(target, numbers), **options)


def _soft(numbers: list[float]) -> list[float]:
    exps = [math.exp(z - max(numbers)) for z in numbers]
    return [e / sum(exps) for e in exps]


def _loss_by_formula(target: int, numbers: list[float]) -> dict[str, Any]:
    grads = [p - (i == target) for i, p in enumerate(_soft(numbers))]
    loss = _loss_of(numbers, target)
    return {"result": Said("a Value"), "loss": loss, "gradients": grads}


def _loss_of(numbers: list[float], target: int) -> float:
    total = math.fsum(math.exp(z - max(numbers)) for z in numbers)
    return math.log(total) - (numbers[target] - max(numbers))


@exercise("micrograd.softmax_nll", version=2)
def softmax_nll(softmax: Callable, nll: Callable) -> Cases:
    rng, number = random.Random(8), _fresh(-4.0, 4.0)
    shown, big = [0.0, 3.0, -2.0, 1.0], [-1000.0, 999.0, 1000.0]
    seeded = [round(rng.uniform(-4, 4), 2) for _ in range(5)]
    for scores in (shown, seeded, [1.0, 1.0]):
        yield _softmax_case(softmax, scores)
    for target, scores in ((3, shown), (0, shown), (2, seeded)):
        yield _loss_case(nll, scores, target)
    p = 1 / (1 + math.exp(2))
    slopes = "softmax of [1.0, 3.0]: the first one's derivatives"
    yield case(slopes, lambda: _softmax_slopes(softmax), [p * (1 - p), p * (p - 1)])
    yield _softmax_case(softmax, big)
    yield _softmax_case(softmax, [-1000.0, -2000.0])
    yield _loss_case(nll, big, 1)
    vanishing = "a p of e to the -1000 is 0 for Python, and 0 has no logarithm"
    for target, scores in ((1, [1000.0, 0.0]), (0, [-2000.0, 999.0, 1000.0])):
        yield _loss_case(nll, scores, target, says=vanishing)
    new = [number() for _ in range(6)]
    yield _softmax_case(softmax, new, fresh=True)
    yield _loss_case(nll, new, random.Random().randrange(6), fresh=True)


def _right_softmax(logits: list[Any]) -> list[Any]:
    return _given().softmax(logits)


def _right_nll(logits: list[Any], target: int) -> Any:
    return _given().nll(logits, target)


def _with_right_nll(make: Callable) -> Iterator[tuple[Callable, Callable]]:
    """A mistake in softmax beside a loss that does without it."""
    yield make()[0], _right_nll


def _loss_cut_off(logits: list[Any], target: int) -> Any:
    return _given().Value(_loss_of([z.data for z in logits], target))


def _loss_from_scores(sign: int) -> Callable:
    """A loss made without softmax: the right one, or its negative."""
    return lambda logits, target: _right_nll(logits, target) * sign


@softmax_nll.mistake(
    "overflows",
    "e to the 1000 overflows: subtract the largest first.",
    True,
    _with_right_nll,
)
def _():
    def softmax(logits):
        exps = [z.exp() for z in logits]
        total = sum(exps)
        return [e / total for e in exps]

    return softmax, lambda logits, target: -softmax(logits)[target].log()


@softmax_nll.mistake(
    "not exponentiated",
    "The scores are divided without e to them.",
    True,
    _with_right_nll,
)
def _():
    def softmax(logits):
        total = sum(logits)
        return [z / total for z in logits]

    return softmax, lambda logits, target: -softmax(logits)[target].log()


@softmax_nll.mistake(
    "not negated",
    "The log likelihood is not negated.",
    True,
    lambda _: iter([(_right_softmax, _loss_from_scores(-1))]),
)
def _():
    return _right_softmax, lambda logits, target: _right_softmax(logits)[target].log()


@softmax_nll.mistake("no logarithm", "The loss is -log p, not -p.", True)
def _():
    return _right_softmax, lambda logits, target: -_right_softmax(logits)[target]


@softmax_nll.mistake(
    "not normalised",
    "The exponentials are not divided by their sum.",
    True,
    _with_right_nll,
)
def _():
    def softmax(logits):
        largest = max(z.data for z in logits)
        return [(z - largest).exp() for z in logits]

    return softmax, lambda logits, target: -softmax(logits)[target].log()


@softmax_nll.mistake(
    "cut off",
    "The result is built from numbers: no gradient flows.",
    True,
    lambda _: iter([(_right_softmax, _loss_cut_off)]),
)
def _():
    def nll(logits, target):
        p = _soft([z.data for z in logits])
        return _given().Value(-math.log(p[target]))

    return _right_softmax, nll


@softmax_nll.mistake(
    "divided by the largest",
    "Subtract the largest; do not divide by it.",
    True,
    _with_right_nll,
)
def _():
    def softmax(logits):
        largest = max(abs(z.data) for z in logits)
        exps = [(z / largest).exp() for z in logits]
        total = sum(exps)
        return [e / total for e in exps]

    return softmax, lambda logits, target: -softmax(logits)[target].log()


@softmax_nll.mistake(
    "shifted by the smallest",
    "The largest score is the one to subtract, not the smallest.",
    True,
    _with_right_nll,
)
def _():
    def softmax(logits):
        smallest = min(z.data for z in logits)
        exps = [(z - smallest).exp() for z in logits]
        total = sum(exps)
        return [e / total for e in exps]

    return softmax, lambda logits, target: -softmax(logits)[target].log()


@softmax_nll.mistake(
    "logarithm of zero",
    "A tiny p is 0 for Python and has no logarithm: find the loss from the scores.",
    True,
)
def _():
    return _right_softmax, lambda logits, target: -_right_softmax(logits)[target].log()


@softmax_nll.mistake("over all targets", "The loss is that of the target alone.", True)
def _():
    return (
        _right_softmax,
        lambda logits, target: -sum(p.log() for p in _right_softmax(logits)),
    )


# ---------------------------------------------------------------- gradcheck


def _planted(factor: float) -> Callable[..., Any]:
    """A product whose backward pass is off by a factor at its right input."""

    def product(a: Any, b: Any) -> Any:
        out = a * b
        right = out._backward

        def backward() -> None:
            before = b.grad
            right()
            b.grad = before + factor * a.data * out.grad

        out._backward = backward
        return out

    return product


Found = list[tuple[int, float, float]]  # index, the engine's gradient, the slope


def _report(
    gradient_check: Callable, f: Callable, numbers: list[float], options: dict
) -> Any:
    inputs = _scores(gradient_check, *numbers)
    for v in inputs:
        v.grad = 5.0  # left over from somewhere
    wrong = gradient_check(f, inputs, **options)
    if wrong is None or wrong is ...:
        return wrong
    after = [v.data for v in inputs]
    odd = [one for one in wrong if not _is_row(one)] if type(wrong) is list else []
    each = Said(kind(odd[0]) if odd else _ROW)
    rows = wrong if odd or type(wrong) is not list else [*map(_row, wrong)]
    return {"each mismatch": each, "mismatches": rows, "inputs after it": after}


_ROW = "a tuple of three"
_COLUMNS = ("index", "gradient", "slope")


def _is_row(one: Any) -> bool:
    return isinstance(one, tuple) and len(one) == 3


def _row(one: tuple[int, float, float]) -> dict[str, float]:
    """A mismatch with its columns named."""
    return dict(zip(_COLUMNS, one, strict=True))


_lost, _flipped, _nearly = _planted(0.0), _planted(-1.0), _planted(1.005)
_short, _nan, _doubled_slope = _planted(0.995), _planted(math.nan), _planted(2.0)
_HALF = "a product whose gradient for b is 0.5 % too large,"
_LESS = "a product whose gradient for b is 0.5 % too small,"
_CHECKED: tuple[tuple[str, Callable, list[float], Found, dict[str, float]], ...] = (
    ("a * b, which is right,", lambda a, b: a * b, [2.0, 3.0], [], {}),
    ("a product that gives b no gradient", _lost, [2.0, 3.0], [(1, 0.0, 2.0)], {}),
    ("a product, the sign wrong for b,", _flipped, [2.0, 3.0], [(1, -2.0, 2.0)], {}),
    (_HALF, _nearly, [2.0, 3.0], [(1, 2.01, 2.0)], {}),
    (_LESS, _short, [2.0, 3.0], [(1, 1.99, 2.0)], {}),
    (
        "tanh(a + b * c), right,",
        lambda a, b, c: (a + b * c).tanh(),
        [0.1, -0.4, 0.7],
        [],
        {},
    ),
    (
        "a ** 3 - b ** 3, right and steep,",
        lambda a, b: a**3 + b**3 * -1,
        [200.0, 200.0],
        [],
        {},
    ),
    ("a ** 3 - 3 * a, right and flat,", lambda a: a**3 + a * -3, [1.0], [], {}),
    (
        "two planted mistakes",
        lambda a, b: _lost(a, b) + _doubled_slope(b, a),
        [2.0, 3.0],
        [(0, 9.0, 6.0), (1, 2.0, 4.0)],
        {},
    ),
    ("a * 2 + b * 0, right,", lambda a, b: a * 2 + b * 0, [1.0, 4.0], [], {}),
    (f"{_HALF} tolerance=0.1,", _nearly, [2.0, 3.0], [], {"tolerance": 0.1}),
    ("a ** 3, h=0.5,", lambda a: a**3, [2.0], [(0, 12.0, 12.25)], {"h": 0.5}),
    (
        "a product whose gradient for b is nan",
        _nan,
        [2.0, 3.0],
        [(1, math.nan, 2.0)],
        {},
    ),
)
_SAYS = {
    "a ** 3 - b ** 3, right and steep,": "a measured slope has about ten right digits: "
    "where it is steep the tolerance is relative",
}


def _random_product() -> tuple[str, Callable, list[float], Found, dict[str, float]]:
    number = _fresh(0.5, 4.0)
    a, b, factor = number(), number(), round(number() + 1, 1)
    text = f"a product whose gradient for b is {factor} times too large,"
    return text, _planted(factor), [a, b], [(1, factor * a, a)], {}


@exercise("micrograd.gradcheck", version=2)
def gradcheck(gradient_check: Callable) -> Cases:
    table = [(row, False) for row in _CHECKED] + [(_random_product(), True)]
    for (text, f, numbers, wrong, options), new in table:
        want = {"each mismatch": Said(_ROW), "mismatches": [*map(_row, wrong)]}
        want |= {"inputs after it": numbers}
        act = lambda a=(f, numbers, options): _report(gradient_check, *a)  # noqa: E731
        options = {"within": SLOPE, "fresh": new, "says": _SAYS.get(text, "")}
        yield case(f"{text} at {numbers}", act, want, **options)


def _central(up: float, here: float, down: float, h: float) -> float:
    return (up - down) / (2 * h)


def _apart(grad: float, slope: float, tolerance: float) -> bool:
    return abs(grad - slope) > tolerance * max(1.0, abs(slope))


def _checker(
    zero: bool = True,
    back: bool = True,
    restore: bool = True,
    slope: Callable = _central,
    off: Callable = _apart,
    first: int | None = None,
    sees_nan: bool = True,
    row: Callable = lambda i, grad, slope: (i, grad, slope),
) -> Callable:
    """A gradient checker with one thing left out or done otherwise."""

    def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
        for v in inputs if zero else ():
            v.grad = 0.0
        out = f(*inputs)
        if back:
            out.backward()
        wrong = []
        for i, v in enumerate(inputs[:first]):
            x = v.data
            v.data = x + h
            up = f(*inputs).data
            v.data = x - h
            found = slope(up, out.data, f(*inputs).data, h)
            v.data = x if restore else v.data
            nan = sees_nan and math.isnan(v.grad - found)
            if nan or off(v.grad, found, tolerance):
                wrong.append(row(i, v.grad, found))
        return wrong

    return gradient_check


_CHECKERS: dict[str, tuple[str, dict[str, Any]]] = {
    "not zeroed": ("Gradients left over from before are counted in.", {"zero": False}),
    "no backward": (
        "All gradients are zero: backward() is missing, or comes before the zeroing.",
        {"back": False},
    ),
    "not restored": ("A nudged input is not put back.", {"restore": False}),
    "one sided": (
        "A one-sided slope is too rough: right gradients are reported.",
        {"slope": lambda up, here, down, h: (up - here) / h},
    ),
    "run is h": (
        "From x-h to x+h is a run of 2h, not of h.",
        {"slope": lambda up, here, down, h: (up - down) / h},
    ),
    "blind to sign": (
        "Only the sizes are compared: a wrong sign goes unseen.",
        {"off": lambda g, s, tol: abs(abs(g) - abs(s)) > tol * max(1.0, abs(s))},
    ),
    "too lenient": (
        "The tolerance is so wide that half a percent passes.",
        {"off": lambda g, s, tol: abs(g - s) > 0.01 * max(1.0, abs(s))},
    ),
    "not relative": (
        "Steep slopes need a relative tolerance.",
        {"off": lambda g, s, tol: abs(g - s) > tol},
    ),
    "only the first": ("Only the first input is looked at.", {"first": 1}),
    "without abs": (
        "The gap is compared without abs: one that is below zero goes unseen.",
        {"off": lambda g, s, tol: g - s > tol * max(1.0, abs(s))},
    ),
    "turned around": (
        "The columns change places: the index, the engine's gradient, the slope.",
        {"row": lambda i, grad, slope: (i, slope, grad)},
    ),
    "blind to nan": (
        "Comparisons with nan are False: report what is not within the tolerance.",
        {"sees_nan": False},
    ),
}
_ALSO: dict[str, dict[str, Any]] = {  # another form of some
    "without abs": {"off": lambda g, s, tol: s - g > tol * max(1.0, abs(s))},
}


def _checkers(*options: dict[str, Any]) -> Iterator[tuple[Callable]]:
    """Further forms of a mistake; all of them blind to nan as well."""
    for one in options:
        yield (_checker(**one),)
        yield (_checker(**one | {"sees_nan": False}),)


for _name, (_sentence, _options) in _CHECKERS.items():
    _more = [_options, *([_ALSO[_name]] if _name in _ALSO else [])]
    gradcheck.mistake(
        _name,
        _sentence,
        True,
        lambda _, more=tuple(_more): _checkers(*more),
    )(lambda options=_options: (_checker(**options),))
