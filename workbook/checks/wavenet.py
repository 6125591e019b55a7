"""Checks of lesson 6: modules taken apart, and the tree against a slow recursion.

Shapes are most of what can go wrong here, and a wrong axis is often silent: sizes
differ from each other, letters tell their place, and layers are handed double
precision. A learner's layers stand on a `Module` that may be unfinished, so a check
looks at the attributes itself and does not ask the module what it holds.
"""

import copy
import math
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbook.checks.cases import Case, call, case, clue, exercise, new_seed
from workbook.checks.rehoming import required, stage
from workbook.checks.saying import either, otherwise
from workbook.checks.tensors import doubles, holding, lacking, normal, seeded
from workbook.compare import EXACT, FLOAT32, Said, Tolerance, kind
from workbook.course import root

NUMBER = Tolerance(1e-5, 1e-6, "a number may have been computed in single precision")
SPREAD = 0.06  # how far a measured standard deviation may be from what was asked for
Cases = Iterator[Case]
Data = tuple[Tensor, Tensor]


@cache
def _given() -> Any:
    return required("wavenet")


# ---------------------------------------------------------------- modules, observed


def _walk(module: Any) -> Iterator[Any]:
    """A module and all that it holds, whatever its own methods say."""
    yield module
    for part in vars(module).values():
        if hasattr(part, "forward") and hasattr(part, "__dict__"):
            yield from _walk(part)


def _learned(module: Any) -> list[Tensor]:
    """The parameters of all parts, each once."""
    found = [v for one in _walk(module) for v in vars(one).values()]
    leaves = [v for v in found if isinstance(v, Tensor) and v.is_leaf]
    return list({id(v): v for v in leaves if v.requires_grad}.values())


def _with_slopes(out: Tensor, **leaves: Tensor) -> dict[str, Any]:
    """The gradients of 1 · out[0] + 2 · out[1] + … with respect to some tensors."""
    if not out.requires_grad:
        cut = Said("none: the result has lost its way back")
        return {f"gradient of {name}": cut for name in leaves}
    weights = torch.arange(1.0, out.numel() + 1, dtype=out.dtype).view(out.shape)
    slopes = torch.autograd.grad((out * weights).sum(), leaves.values(), allow_unused=1)
    names = [f"gradient of {name}" for name in leaves]
    pairs = zip(names, slopes, strict=True)
    return {name: Said("none") if g is None else g for name, g in pairs}


def _like(base: type, **methods: Any) -> type:
    """The class with some methods written otherwise."""
    return type(base.__name__, (base,), methods)


def _std_said(std: float, formulas: dict[str, float], spread: float = SPREAD) -> Said:
    """The formula that has this standard deviation, and its number."""
    for said, value in formulas.items():
        if abs(std - value) <= spread * value:
            return Said(f"{value:.3g}, {said}")
    return Said(f"{std:.3g}")


def _kept(layer: Any, out: Any) -> Said:
    """Whether the call has left its result in `out`, as a Module's call does."""
    return either(vars(layer).get("out") is out, "kept", "not kept")


def _dice() -> Callable[[], Said]:
    """Asked later: whether torch's own generator is as it is now."""
    before = torch.get_rng_state()
    return lambda: either(
        torch.equal(before, torch.get_rng_state()), "not used", "used"
    )


_OUTSIDE = "`out` stays empty: write `forward`, which the call of a Module runs."


def _by_call(forward: Callable) -> dict[str, Callable]:
    """The methods of a layer whose call is written anew, past `forward`."""
    return {"__call__": forward, "forward": forward}


# ---------------------------------------------------------------- embedding


def _table_made(Embedding: type) -> Any:
    layer = Embedding(7, 3)
    if odd := lacking(layer, "weight"):
        return odd
    weight = layer.weight
    return {
        "shape of weight": list(weight.shape),
        "dtype": Said(str(weight.dtype).removeprefix("torch.")),
        "weight asks for a gradient": weight.requires_grad,
        "weight is a leaf": weight.is_leaf,
        "buffers": Said(", ".join(layer.buffer_names) or "none"),
    }


_TABLE = {
    "shape of weight": [7, 3],
    "dtype": Said("float32"),
    "weight asks for a gradient": True,
    "weight is a leaf": True,
    "buffers": Said("none"),
}


def _table_drawn(Embedding: type) -> Any:
    """How the numbers of a table are drawn."""
    dice = _dice()
    one, again, other = (Embedding(900, 400, seeded(seed)) for seed in (1, 1, 2))
    still = dice()
    if odd := lacking(one, "weight"):
        return odd
    values = [layer.weight.detach() for layer in (one, again, other)]
    free = [Embedding(5, 4).weight.detach() for _ in range(2)]
    rows = [values[0][:60, :30].unique(dim=dim).shape[dim] for dim in (0, 1)]
    even = bool(values[0].abs().max() < 2) and bool(values[0].any())
    return {
        "std of weight": _std_said(
            values[0].std().item(),
            {
                "standard normal": 1.0,
                "divided by sqrt(dim)": 1 / 400**0.5,
                "divided by sqrt(num)": 1 / 900**0.5,
                "evenly spread": 1 / 12**0.5,
            },
            0.01,  # so many numbers have it within 0.2 %
        ),
        "mean": either(abs(values[0].mean()) < 0.1, "near 0", "not 0"),
        "shape of the spread": either(not even, "a bell", "no bell"),
        "the same generator": either(
            torch.equal(*values[:2]), "the same table", "another"
        ),
        "another generator": either(
            not torch.equal(values[0], values[2]), "another table", "the same"
        ),
        "torch's own dice": still,
        "rows and columns": either(
            rows == [60, 30], "each another", "several of them equal"
        ),
        "two without a generator": either(
            not torch.equal(*free), "two tables", "the same"
        ),
    }


_DRAWN = {
    "std of weight": Said("1, standard normal"),
    "mean": Said("near 0"),
    "shape of the spread": Said("a bell"),
    "the same generator": Said("the same table"),
    "another generator": Said("another table"),
    "torch's own dice": Said("not used"),
    "rows and columns": Said("each another"),
    "two without a generator": Said("two tables"),
}


def _looked_up(Embedding: type, table: Tensor, x: Tensor, flag: bool) -> Any:
    layer = Embedding(*table.shape)
    if odd := lacking(layer, "weight"):
        return odd
    holding(layer, weight=table)
    layer.training, asked = flag, x.clone()
    out = layer(asked)
    if not isinstance(out, Tensor):
        return otherwise(out)
    found = {"output": out}
    if out.shape != (*x.shape, table.shape[1]):
        return found
    still = torch.equal(asked, x) and torch.equal(layer.weight.detach(), table)
    return (
        found
        | _with_slopes(out, weight=layer.weight)
        | {"layer.out": _kept(layer, out)}
        | {"x and weight": either(still, "as they were", "changed")}
    )


def _lookup_case(
    Embedding: type, table: Tensor, x: Tensor, flag: bool = True, **more: Any
) -> Case:
    table = table.float()
    leaf = table.clone().requires_grad_()
    out = F.embedding(x, leaf)
    want = {"output": out.detach()} | _with_slopes(out, weight=leaf)
    want |= {"layer.out": Said("kept"), "x and weight": Said("as they were")}
    small = table.numel() <= 6 and x.ndim == 1
    said = f" = {table.tolist()}" if small else f" {tuple(table.shape)}"
    text = f"weight{said}, of {x.tolist() if small else f'x {tuple(x.shape)}'}"
    text += "" if flag else ", in use"
    return case(text, lambda: _looked_up(Embedding, table, x, flag), want, **more)


@exercise("wavenet.embedding", version=2)
def embedding(Embedding: type) -> Cases:
    yield case("Embedding(7, 3)", lambda: _table_made(Embedding), _TABLE, telling=True)
    text = "Embedding(900, 400, generator)"
    yield case(text, lambda: _table_drawn(Embedding), _DRAWN, telling=True)
    table = doubles([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    yield _lookup_case(Embedding, table, torch.tensor([2, 0]))
    for V, C, shape in (
        (6, 4, (5,)),
        (9, 2, (3, 4)),
        (5, 3, (2, 4, 6)),
        (4, 4, (4, 4)),
        (6, 3, (1,)),
        (6, 3, (4, 1)),
        (6, 1, (4,)),
        (90, 2, (50,)),
    ):
        x = torch.randint(0, V, shape, generator=seeded(V))
        yield _lookup_case(Embedding, normal(V, C, seed=C), x)
    yield _lookup_case(Embedding, normal(5, 3, seed=1), torch.tensor(4))
    x = torch.tensor([[3, 0], [1, 3]])
    yield _lookup_case(Embedding, normal(4, 3, seed=2), x, False)
    seed = new_seed()
    x = torch.randint(0, 8, (3, 5), generator=seeded(seed))
    yield _lookup_case(Embedding, normal(8, 6, seed=seed), x, fresh=True)


def _table_of(draw: Callable) -> Callable:
    def __init__(self, num, dim, generator=None):
        self.weight = draw(num, dim, generator)

    return __init__


def _embedding(**methods: Any) -> type:
    return _like(_given().Embedding, **methods)


def _table(draw: Callable) -> type:
    return _embedding(__init__=_table_of(draw))


def _rows(forward: Callable) -> type:
    return _embedding(forward=forward)


def _leaf(t: Tensor) -> Tensor:
    return t.requires_grad_()


embedding.table(
    lambda: (_given().Embedding,),
    {
        "turned": (
            "The weight lies the other way: num rows of dim numbers.",
            _table(lambda n, d, g: _leaf(torch.randn(d, n, generator=g))),
        ),
        "no gradient": (
            "The weight does not ask for a gradient: it would never learn.",
            _table(lambda n, d, g: torch.randn(n, d, generator=g)),
        ),
        "not a leaf": (
            "The weight is the result of an operation on a leaf: it gets no grad.",
            _table(lambda n, d, g: _leaf(torch.randn(n, d, generator=g)) * 1),
        ),
        "evenly drawn": (
            "torch.rand draws evenly from 0 to 1: the normal distribution is randn.",
            _table(lambda n, d, g: _leaf(torch.rand(n, d, generator=g))),
        ),
        "scaled": (
            "The table is scaled: it begins with the standard normal distribution.",
            _table(lambda n, d, g: _leaf(torch.randn(n, d, generator=g) / d**0.5)),
            _table(lambda n, d, g: _leaf(torch.randn(n, d, generator=g) / n**0.5)),
            _table(lambda n, d, g: _leaf(torch.randn(n, d, generator=g) * 0.1)),
            _table(lambda n, d, g: _leaf(torch.randn(n, d, generator=g) * 0.01)),
        ),
        "zeros": (
            "All rows begin equal: letters that look alike are learned alike.",
            _table(lambda n, d, g: torch.zeros(n, d, requires_grad=True)),
        ),
        "generator not used": (
            "The generator is not used: the draw cannot be repeated.",
            _table(lambda n, d, g: _leaf(torch.randn(n, d))),
        ),
        "own seed": (
            "The draw is seeded inside: use the generator that is handed over.",
            _table(lambda n, d, g: _leaf(torch.randn(n, d, generator=seeded(0)))),
            _table(lambda n, d, g: _leaf(torch.randn(n, d, generator=seeded(42)))),
        ),
        "own seed without one": (
            "Without a generator all tables are the same: torch's own dice serve then.",
            _table(lambda n, d, g: _leaf(torch.randn(n, d, generator=g or seeded(1)))),
        ),
        "call overridden": (
            _OUTSIDE,
            _embedding(**_by_call(lambda self, x: self.weight[x])),
        ),
        "cut off in use": (
            "In use the table gets no gradient: `training` changes nothing here.",
            _rows(
                lambda self, x: (
                    self.weight[x] if self.training else self.weight.detach()[x]
                )
            ),
        ),
        "bare squeeze": (
            "squeeze() drops every dimension of size one: index, and no more.",
            _rows(lambda self, x: self.weight[x].squeeze()),
        ),
        "columns": (
            "Columns are taken: a letter's vector is a row.",
            _rows(lambda self, x: self.weight[:, x]),
        ),
        "cut off": (
            "The result is cut off from its gradient: the table would never learn.",
            _rows(lambda self, x: self.weight.detach()[x]),
            _rows(lambda self, x: self.weight.data[x]),
        ),
        "laid side by side": (
            "The vectors are laid side by side: that is another layer's work.",
            _rows(lambda self, x: self.weight[x].flatten(max(0, x.ndim - 1))),
        ),
        "averaged": (
            "The letters' vectors are put together: each letter keeps its own.",
            _rows(lambda self, x: self.weight[x].mean(max(0, x.ndim - 1))),
            _rows(lambda self, x: self.weight[x].sum(max(0, x.ndim - 1))),
        ),
        "numbers themselves": (
            "The table is not used: the letter numbers themselves go on.",
            _rows(lambda self, x: x),
        ),
    },
)


# ---------------------------------------------------------------- flatten_consecutive


def _fused(Flatten: type, n: int, x: Tensor, flag: bool) -> Any:
    start, layer = x.clone().requires_grad_(), Flatten(n)
    layer.training = flag
    out = layer(start)
    if not isinstance(out, Tensor):
        return otherwise(out)
    found = {"output": out.detach()}
    if out.numel() != x.numel():
        return found
    return (
        found
        | _with_slopes(out, x=start)
        | {"x": either(torch.equal(start, x), "as it was", "changed")}
        | {"layer.out": _kept(layer, out)}
    )


def _two_widths(Flatten: type) -> Any:
    """The shapes that two layers give, both made before one is called."""
    layers = [Flatten(2), Flatten(4), Flatten(3)]
    outs = [layer(torch.ones(1, 12, 1)) for layer in layers]
    return {
        f"shape from n = {n}": list(getattr(out, "shape", ()))
        for n, out in zip((2, 4, 3), outs, strict=True)
    }


def _slow_fused(n: int, x: Tensor) -> Tensor:
    """Group by group, with cat."""
    T = x.shape[1]
    groups = [torch.cat([x[:, t + i] for i in range(n)], 1) for t in range(0, T, n)]
    return groups[0] if len(groups) == 1 else torch.stack(groups, 1)


def _fuse_case(
    Flatten: type, n: int, x: Tensor, flag: bool = True, **more: Any
) -> Case:
    start = x.clone().requires_grad_()
    out = _slow_fused(n, start)
    want = {"output": out.detach()} | _with_slopes(out, x=start)
    want |= {"x": Said("as it was"), "layer.out": Said("kept")}
    said = f" = {x.tolist()}" if x.numel() <= 8 else ""
    text = f"FlattenConsecutive({n}) of x {tuple(x.shape)}{said}"
    text += "" if flag else ", in use"
    return case(text, lambda: _fused(Flatten, n, x, flag), want, **more)


@exercise("wavenet.flatten_consecutive", version=2)
def flatten_consecutive(FlattenConsecutive: type) -> Cases:
    count = lambda *shape: torch.arange(math.prod(shape)).double().view(shape) + 1  # noqa: E731
    for n, shape in (
        (2, (1, 4, 1)),
        (2, (2, 4, 3)),
        (2, (5, 8, 3)),
        (2, (5, 2, 3)),
        (2, (1, 2, 3)),
        (3, (2, 6, 5)),
        (4, (3, 4, 2)),
        (2, (1, 8, 1)),
        (1, (3, 4, 2)),
        (1, (3, 1, 2)),
    ):
        yield _fuse_case(FlattenConsecutive, n, count(*shape))
    yield _fuse_case(FlattenConsecutive, 2, count(3, 4, 2), False)
    text = "FlattenConsecutive(2), (4) and (3), then each called with x (1, 12, 1)"
    want = {
        "shape from n = 2": [1, 6, 2],
        "shape from n = 4": [1, 3, 4],
        "shape from n = 3": [1, 4, 3],
    }
    yield case(text, lambda: _two_widths(FlattenConsecutive), want)
    yield _fuse_case(FlattenConsecutive, 2, normal(16, 32, 8, seed=1))
    x = normal(4, 6, 3, seed=new_seed())
    yield _fuse_case(FlattenConsecutive, 2, x, fresh=True)


def _fuse(forward: Callable) -> type:
    return _like(_given().FlattenConsecutive, forward=forward)


def _gone(out: Tensor) -> Tensor:
    """The dimension of time goes, where it has one place."""
    return out.squeeze(1) if out.shape[1] == 1 else out


def _halves(self: Any, x: Tensor) -> Tensor:
    return _gone(torch.cat(x.chunk(self.n, 1), 2))


def _along_time(self: Any, x: Tensor) -> Tensor:
    return torch.cat([x[:, i :: self.n] for i in range(self.n)], 1)


def _later_first(self: Any, x: Tensor) -> Tensor:
    return _gone(torch.cat([x[:, i :: self.n] for i in reversed(range(self.n))], 2))


def _channels_first(self: Any, x: Tensor) -> Tensor:
    N, T, C = x.shape
    pairs = x.view(N, T // self.n, self.n, C).transpose(2, 3)
    return _gone(pairs.reshape(N, T // self.n, self.n * C))


def _through_transpose(self: Any, x: Tensor) -> Tensor:
    N, T, C = x.shape
    return _gone(x.transpose(1, 2).reshape(N, T // self.n, self.n * C))


def _viewed(self: Any, x: Tensor) -> Tensor:
    N, T, C = x.shape
    return x.view(N, T // self.n, self.n * C)


def _by_two(self: Any, x: Tensor) -> Tensor:
    N, T, C = x.shape
    return _gone(x.reshape(N, T // 2, 2 * C))


def _swapped_sizes(self: Any, x: Tensor) -> Tensor:
    N, T, C = x.shape
    return _gone(x.reshape(N, self.n, T * C // self.n))


def _overlapping(self: Any, x: Tensor) -> Tensor:
    T = x.shape[1] - self.n + 1
    return _gone(torch.cat([x[:, i : i + T] for i in range(self.n)], 2))


def _right_fusion(self: Any, x: Tensor) -> Tensor:
    return _gone(_viewed(self, x))


class _Board:
    """What all instances of a class share, in place of their own."""

    def __init__(self) -> None:
        self.value: Any = None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.value

    def __set__(self, instance: Any, value: Any) -> None:
        self.value = value


flatten_consecutive.table(
    lambda: (_given().FlattenConsecutive,),
    {
        "halves": (
            "The first half is fused with the second: fuse neighbours.",
            _fuse(_halves),
        ),
        "along time": (
            "The parts are put one behind the other in time: side by side is wanted.",
            _fuse(_along_time),
        ),
        "later first": (
            "The later neighbour stands first: keep the order of time.",
            _fuse(_later_first),
        ),
        "channels first": (
            "The channels of neighbours are interleaved: one vector, then the next.",
            _fuse(_channels_first),
        ),
        "through transpose": (
            "After a transpose, reshape mixes channels and time: view x as it is.",
            _fuse(_through_transpose),
        ),
        "bare squeeze": (
            "squeeze() drops every dimension of size one: name the one of time.",
            _fuse(lambda self, x: _viewed(self, x).squeeze()),
        ),
        "batch squeezed": (
            "squeeze(0) drops a batch of one: time is dimension 1.",
            _fuse(lambda self, x: _viewed(self, x).squeeze(0)),
        ),
        "not squeezed": (
            "One place in time is left: its dimension goes.",
            _fuse(_viewed),
        ),
        "always two": (
            "n is not used: two are fused, whatever it is.",
            _fuse(_by_two),
        ),
        "all at once": (
            "All of time is flattened: fuse n neighbours and keep the rest apart.",
            _fuse(lambda self, x: x.reshape(len(x), -1)),
        ),
        "n groups": (
            "There are n groups: groups of n are wanted.",
            _fuse(_swapped_sizes),
        ),
        "overlapping": (
            "The groups overlap: each vector belongs to one.",
            _fuse(_overlapping),
        ),
        "averaged": (
            "The neighbours are averaged: lay them side by side.",
            _fuse(lambda self, x: _gone(x.unflatten(1, (-1, self.n)).mean(2))),
        ),
        "summed": (
            "The neighbours are added up: lay them side by side.",
            _fuse(lambda self, x: _gone(x.unflatten(1, (-1, self.n)).sum(2))),
        ),
        "n in the class": (
            "n is kept in the class: a second layer changes the first.",
            _like(_given().FlattenConsecutive, n=_Board()),
        ),
        "call overridden": (
            _OUTSIDE,
            _like(_given().FlattenConsecutive, **_by_call(_right_fusion)),
        ),
        "one in n": (
            "Only one of n neighbours goes on: all of them are wanted.",
            _fuse(lambda self, x: _gone(x[:, :: self.n])),
            _fuse(lambda self, x: _gone(x[:, self.n - 1 :: self.n])),
        ),
    },
)


# ---------------------------------------------------------------- sequential


class _Step:
    """A layer that multiplies and adds, and notes how often it was called."""

    training = True

    def __init__(self, factor: float, shift: float = 0.0) -> None:
        self.factor, self.shift, self.calls = factor, shift, 0

    def __call__(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.out = self.forward(x)
        return self.out

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor + self.shift


def _step_of(Sequential: type) -> type:
    """The layer as a Module, in the sense of the learner's notebook."""
    theirs = [c for c in type.mro(Sequential)[:-1] if c.__name__ == "Module"]
    meant = dict.fromkeys([*theirs, stage("wavenet", Sequential).Module])
    bases = [
        one
        for one in meant
        if not any(issubclass(c, one) for c in meant if c is not one)
    ]
    return type("Step", (_Step, *bases), {})


def _steps(Sequential: type, count: int) -> list[_Step]:
    Step = _step_of(Sequential)
    return [Step(i + 2.0, 1.0) for i in range(count)]


def _in_a_row(Sequential: type, count: int) -> Any:
    """How a container holds its layers."""
    layers = _steps(Sequential, count)
    net = Sequential(*layers)
    names = {id(v): k for k, v in vars(net).items() if isinstance(v, _Step)}
    held = [names.get(id(layer), "none") for layer in layers]
    found = {"attributes": Said(", ".join(held))}
    found |= {"len": len(net), "in a loop": _places_of(layers, list(net))}
    picks = [net[i] for i in (0, 1, -1)]
    return found | {"net[0], net[1], net[-1]": _places_of(layers, picks)}


def _places_of(layers: list[_Step], found: list[Any]) -> Said:
    """Which layers these are, by their places."""
    own = {id(layer): str(i) for i, layer in enumerate(layers)}
    return Said(", ".join(own.get(id(one), kind(one)) for one in found) or "nothing")


def _row_facts(count: int) -> dict[str, Any]:
    every = Said(", ".join(map(str, range(count))))
    picks = Said(f"0, 1, {count - 1}")
    return {
        "attributes": every,
        "len": count,
        "in a loop": every,
        "net[0], net[1], net[-1]": picks,
    }


def _passed_on(Sequential: type, count: int, flag: bool = True) -> Any:
    """The output and its gradient, how often each layer was called, a second call."""
    layers = _steps(Sequential, count)
    net = Sequential(*layers)
    flags = [flag ^ (i == 1) for i in range(count)]
    for one, own in zip((*layers, net), (*flags, flag), strict=True):
        one.training = own
    x = doubles([1.0, -2.0])
    start = x.clone().requires_grad_()
    out = net(start)
    if not isinstance(out, Tensor):
        return otherwise(out)
    calls = sorted({layer.calls for layer in layers})
    slopes = _with_slopes(out, x=start) if count else {}
    again = net(x.clone())
    same = isinstance(again, Tensor) and torch.equal(again, out)
    still = flags == [layer.training for layer in layers]
    return {
        "output": out,
        "calls of each layer": Said(" or ".join(map(str, calls)) or "none"),
        "len afterwards": len(net),
        "again": either(same, "the same", "another output"),
        "x": either(torch.equal(start, x), "as it was", "changed"),
        "training of each layer": either(still, "as it was", "changed"),
    } | slopes


def _row_by_hand(count: int) -> dict[str, Any]:
    x, start = doubles([1.0, -2.0]), doubles([1.0, -2.0]).requires_grad_()
    for i in range(count):
        x = x * (i + 2.0) + 1.0
    factor = math.factorial(count + 1)
    slopes = _with_slopes(start * factor, x=start) if count else {}
    return {
        "output": x,
        "calls of each layer": Said("1" if count else "none"),
        "len afterwards": count,
        "again": Said("the same"),
        "x": Said("as it was"),
        "training of each layer": Said("as it was"),
    } | slopes


def _nested(Sequential: type) -> Any:
    one, two, three = _steps(Sequential, 3)
    return Sequential(one, Sequential(two, three))(doubles([1.0, -2.0]))


def _given_twice(Sequential: type) -> Any:
    """One layer that stands in two places."""
    (layer,) = _steps(Sequential, 1)
    net = Sequential(layer, layer)
    found = {"len": len(net), "in a loop": _places_of([layer], list(net))}
    return found | {"output": net(doubles([1.0, -2.0]))}


_TWICE = {"len": 2, "in a loop": Said("0, 0"), "output": doubles([7.0, -5.0])}


def _two_rows(Sequential: type) -> Any:
    """A container after another one has been made."""
    layers = _steps(Sequential, 3)
    net = Sequential(*layers)
    Sequential(*_steps(Sequential, 1))
    return {"len": len(net), "in a loop": _places_of(layers, list(net))}


def _two_loops(Sequential: type) -> Any:
    """Two loops over one container, in step with each other."""
    layers = _steps(Sequential, 3)
    net = Sequential(*layers)
    pairs = list(zip(net, net, strict=False))
    return [_places_of(layers, list(pair)) for pair in pairs]


def _refuses(Sequential: type) -> Said:
    try:
        found = Sequential(*_steps(Sequential, 3))[7]
    except (IndexError, AttributeError, KeyError):
        return Said("an error")
    return Said(kind(found))


@exercise("wavenet.sequential", version=2)
def sequential(Sequential: type) -> Cases:
    text = "Sequential of 3 layers"
    yield case(text, lambda: _in_a_row(Sequential, 3), _row_facts(3))
    for count in (3, 1, 2):
        act = lambda n=count: _passed_on(Sequential, n)  # noqa: E731
        text = f"{count} layers, x * 2 + 1, then x * 3 + 1, … of x = [1, -2]"
        yield case(text, act, _row_by_hand(count))
    act = lambda: _passed_on(Sequential, 3, False)  # noqa: E731
    yield case("3 layers, in use", act, _row_by_hand(3))
    text = "Sequential of 12 layers"
    yield case(text, lambda: _in_a_row(Sequential, 12), _row_facts(12))
    yield case("12 layers", lambda: _passed_on(Sequential, 12), _row_by_hand(12))
    yield case("no layer at all", lambda: _passed_on(Sequential, 0), _row_by_hand(0))
    want = _row_by_hand(3)["output"]
    yield case("a Sequential in a Sequential", lambda: _nested(Sequential), want)
    text = "Sequential(a, a), a layer x * 2 + 1 in two places"
    yield case(text, lambda: _given_twice(Sequential), _TWICE)
    text = "Sequential of 3 layers, after one of a single layer was made"
    want = {"len": 3, "in a loop": Said("0, 1, 2")}
    yield case(text, lambda: _two_rows(Sequential), want)
    text = "zip(net, net), of three layers"
    want = [Said(f"{i}, {i}") for i in range(3)]
    yield case(text, lambda: _two_loops(Sequential), want)
    yield case("net[7] of three layers", lambda: _refuses(Sequential), Said("an error"))


def _row(**methods: Any) -> type:
    return _like(_given().Sequential, **methods)


def _kept_in_list(self: Any, *layers: Any) -> None:
    self.layers, self.length = list(layers), len(layers)


def _named_by(name: Callable[[int], str]) -> dict[str, Any]:
    """Methods of a container that names its layers otherwise."""

    def __init__(self, *layers):
        self.length = len(layers)
        for i, layer in enumerate(layers):
            setattr(self, name(i), layer)

    return {
        "__init__": __init__,
        "__iter__": lambda self: iter(
            [getattr(self, name(i)) for i in range(self.length)]
        ),
    }


def _by_text(self: Any) -> Iterator[Any]:
    return iter([vars(self)[k] for k in sorted(k for k in vars(self) if k.isdigit())])


def _each_alone(self: Any, x: Tensor) -> Tensor:
    out = x
    for layer in self:
        out = layer(x)
    return out


def _backwards(self: Any, x: Tensor) -> Tensor:
    for layer in reversed(list(self)):
        x = layer(x)
    return x


def _all_but_last(self: Any, x: Tensor) -> Tensor:
    for layer in list(self)[:-1]:
        x = layer(x)
    return x


def _first_alone(self: Any, x: Tensor) -> Tensor:
    for layer in self:
        return layer(x)
    return x


def _by_forward(self: Any, x: Tensor) -> Tensor:
    for layer in self:
        x = layer.forward(x)
    return x


def _outputs(self: Any, x: Tensor) -> list[Tensor]:
    outs = []
    for layer in self:
        x = layer(x)
        outs.append(x)
    return outs


def _called_twice(self: Any, x: Tensor) -> Tensor:
    for layer in self:
        layer(x)
        x = layer(x)
    return x


class _Turning:
    """Methods of a container that is its own iterator."""

    def __iter__(self) -> Any:
        self.at = 0
        return self

    def __next__(self) -> Any:
        if self.at >= self.length:
            raise StopIteration
        self.at += 1
        return getattr(self, str(self.at - 1))

    def __getitem__(self, place: int) -> Any:
        return [getattr(self, str(i)) for i in range(self.length)][place]


_LOOPS = ("__iter__", "__next__", "__getitem__")


def _only_new(self: Any, *layers: Any) -> None:
    for i, layer in enumerate(dict.fromkeys(layers)):
        setattr(self, str(i), layer)
    self.length = len(dict.fromkeys(layers))


def _detaching(self: Any, x: Tensor) -> Tensor:
    for layer in self:
        x = layer(x).detach()
    return x


@torch.no_grad()
def _without_graph(self: Any, x: Tensor) -> Tensor:
    return _chain(x, list(self))


def _flags_handed_on(self: Any, x: Tensor) -> Tensor:
    for layer in self:
        layer.training = self.training
        x = layer(x)
    return x


def _chain(x: Tensor, layers: list[Any]) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x


sequential.table(
    lambda: (_given().Sequential,),
    {
        "a list": (
            "The layers are kept in a list: whoever looks for modules overlooks it.",
            _row(
                __init__=_kept_in_list,
                __iter__=lambda self: iter(self.layers),
                __getitem__=lambda self, i: self.layers[i],
            ),
        ),
        "from one": (
            'The first attribute is "0": places are counted from zero.',
            _row(**_named_by(lambda i: str(i + 1))),
        ),
        "other names": (
            'The attributes have other names than "0", "1", "2".',
            _row(**_named_by(lambda i: f"layer{i}")),
            _row(**_named_by(lambda i: f"layer_{i}")),
            _row(**_named_by(lambda i: f"_{i}")),
        ),
        "sorted as texts": (
            'The layers are sorted as texts: "10" comes before "2" there.',
            _row(__iter__=_by_text),
        ),
        "names in the loop": (
            "A loop over the container meets names: it should meet layers.",
            _row(
                __iter__=lambda self: iter([str(i) for i in range(self.length)]),
                __getitem__=lambda self, i: [
                    getattr(self, str(j)) for j in range(self.length)
                ][i],
                forward=lambda self, x: _chain(
                    x, [getattr(self, str(j)) for j in range(self.length)]
                ),
            ),
        ),
        "all attributes counted": (
            "len counts all attributes: count the layers.",
            _row(__len__=lambda self: len(vars(self))),
        ),
        "no place from the end": (
            "net[-1] is the last layer: a place may be counted from the end.",
            _row(__getitem__=lambda self, i: getattr(self, str(i))),
            _row(__getitem__=lambda self, i: vars(self)[str(i)]),
        ),
        "each reads x": (
            "Each layer reads the input: it should read what the one before gave.",
            _row(forward=_each_alone),
        ),
        "backwards": (
            "The layers are called from the last to the first.",
            _row(forward=_backwards),
        ),
        "last left out": (
            "The last layer is left out.",
            _row(forward=_all_but_last),
        ),
        "first alone": (
            "The first layer's output is returned: `return` stands inside the loop.",
            _row(forward=_first_alone),
        ),
        "forward called": (
            "layer.forward(x) leaves `out` empty: call the layer itself.",
            _row(forward=_by_forward),
        ),
        "all outputs": (
            "All outputs are returned: the last one is wanted.",
            _row(forward=_outputs),
        ),
        "called twice": (
            "Each layer is called twice: BatchNorm would move its averages twice.",
            _row(forward=_called_twice),
        ),
        "cut off": (
            "The way back is cut off: no gradient passes through the layers.",
            _row(forward=_detaching),
            _row(forward=_without_graph),
        ),
        "flags handed on": (
            "The layers' `training` is overwritten: forward calls them and no more.",
            _row(forward=_flags_handed_on),
        ),
        "each once": (
            "A layer that is given twice is kept once: each place has its layer.",
            _row(__init__=_only_new),
        ),
        "count in the class": (
            "The count is kept in the class: a second container changes the first.",
            _row(length=_Board()),
        ),
        "its own iterator": (
            "Two loops share one position: __iter__ makes an iterator anew each time.",
            _row(**{k: v for k, v in vars(_Turning).items() if k in _LOOPS}),
        ),
    },
)


# ---------------------------------------------------------------- module


def _toys(Module: type) -> tuple[type, type]:
    """Two kinds of module: a part with a parameter, and one that holds parts."""

    class Part(Module):
        def __init__(self, n: int, seen: bool = False) -> None:
            self.size = n
            self.kept = torch.ones(n).double()  # neither parameter nor buffer
            self.weight = (torch.arange(n).double() + n).requires_grad_()
            if seen:
                self.register_buffer("seen", torch.zeros(n).double())
                self.register_buffer("moved", torch.ones(n).double())

        def forward(self, x: Tensor) -> Tensor:
            return x

    class Whole(Module):
        def __init__(self, **parts: Any) -> None:
            self.gain = torch.tensor([0.5, 1.5]).double().requires_grad_()
            for name, part in parts.items():
                setattr(self, name, part)

        def forward(self, x: Tensor) -> Tensor:
            return x

    return Part, Whole


def _tree_of(Module: type) -> Any:
    """A module of modules, three levels deep, with outputs that layers left behind."""
    Part, Whole = _toys(Module)
    inner = Whole(a=Part(2, seen=True), b=Part(4))
    whole = Whole(first=Part(3), second=inner)
    whole.register_buffer("count", torch.tensor([7.0]).double())
    inner.a.seen = torch.tensor([3.0, 4.0]).double()  # a new tensor, as averages are
    inner.out = inner.gain * 2  # asks for a gradient, and is no leaf
    inner.last = inner.gain * 3
    return whole


_MODULES = ("", "first", "second", "second.a", "second.b")
_PARAMETERS = (
    *("gain", "first.weight", "second.gain"),
    *("second.a.weight", "second.b.weight"),
)
_BUFFERS = ("count", "second.a.seen", "second.a.moved")


def _at(whole: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        whole = getattr(whole, name)
    return whole


def _names(found: Any) -> Said:
    """The names of pairs, in alphabetical order; "" is told as the root."""
    return Said(", ".join(sorted(name or "(root)" for name in found)) or "none")


def _pairs(out: Any) -> Any:
    """Pairs (name, thing) as a list; else what they are."""
    if isinstance(out, Tensor | str) or not hasattr(type(out), "__iter__"):
        return otherwise(out)
    found = list(out.items() if isinstance(out, dict) else out)
    fits = all(type(p) in (tuple, list) and len(p) == 2 for p in found)
    fits = fits and all(type(p[0]) is str for p in found)
    return found if fits else {"result": Said("no pairs of a name and a thing")}


def _walked(Module: type, asked: str, *prefix: str) -> Any:
    """What a walk over the names gives, and whether it is the things themselves."""
    whole = _tree_of(Module)
    found = _pairs(getattr(whole, asked)(*prefix))
    if type(found) is not list:
        return found
    start = f"{prefix[0]}." if prefix else ""
    right = [
        _at(whole, name.removeprefix(start or "")) is thing
        for name, thing in found
        if _has(whole, name.removeprefix(start))
    ]
    return {"names": _names(name for name, _ in found)} | {
        "things": either(all(right), "the module's own", "others")
    }


def _has(whole: Any, path: str) -> bool:
    try:
        _at(whole, path)
    except AttributeError:
        return False
    return True


def _walk_facts(names: tuple[str, ...]) -> dict[str, Any]:
    return {"names": _names(names), "things": Said("the module's own")}


def _listed(Module: type, shared: bool) -> Any:
    """What parameters() lists, by path; a module that stands in two places."""
    whole = _tree_of(Module)
    if shared:
        whole.again, whole.second.b.weight = whole.first, whole.gain
    found = whole.parameters()
    loose = isinstance(found, str | dict | Tensor)
    if loose or not hasattr(type(found), "__iter__"):
        return otherwise(found)
    own = {id(_at(whole, path)): path for path in reversed(_PARAMETERS)}
    return {"parameters": _names(own.get(id(p), "another") for p in list(found))}


def _put_in_later(Module: type) -> Any:
    """What a module lists after it was asked once, and then given another part."""
    Part, Whole = _toys(Module)
    whole = Whole(a=Part(2))
    list(whole.parameters())
    list(whole.named_modules())
    whole.state_dict()
    whole.b = Part(3)
    return {
        "named_modules": _names(name for name, _ in whole.named_modules()),
        "how many parameters": len(list(whole.parameters())),
        "state_dict": _names(whole.state_dict()),
    }


_LATER = {
    "named_modules": _names(("", "a", "b")),
    "how many parameters": 3,
    "state_dict": _names(("gain", "a.weight", "b.weight")),
}


def _by_names(Module: type) -> Any:
    """What two parts of one size hold after a state in another order."""
    Part, Whole = _toys(Module)
    whole = Whole(a=Part(2), b=Part(2))
    values = {"b.weight": [7.0, 8.0], "a.weight": [5.0, 6.0], "gain": [1.0, 2.0]}
    whole.load_state_dict({name: doubles(value) for name, value in values.items()})
    return {
        "a.weight": whole.a.weight.detach(),
        "b.weight": whole.b.weight.detach(),
        "gain": whole.gain.detach(),
    }


_NAMED = {
    "a.weight": doubles([5.0, 6.0]),
    "b.weight": doubles([7.0, 8.0]),
    "gain": doubles([1.0, 2.0]),
}


def _flags(Module: type, act: Callable[[Any], Any], path: str = "") -> Any:
    """Which modules are in training after something was done to one of them."""
    whole = _tree_of(Module)
    target = _at(whole, path)
    out = act(target)
    if out is None or out is ...:
        return out
    on = [name for name in _MODULES if _at(whole, name).training]
    odd = [n for n in _MODULES if type(_at(whole, n).training) is not bool]
    return {
        "in training": _names(on),
        "flags": either(not odd, "True or False", "something else"),
        "returns": either(out is target, "itself", "something else"),
        "parameters": either(
            all(_at(whole, name).requires_grad for name in _PARAMETERS),
            "still learn",
            "do not learn any more",
        ),
    }


def _flag_facts(*on: str) -> dict[str, Any]:
    return {
        "in training": _names(on),
        "flags": Said("True or False"),
        "returns": Said("itself"),
        "parameters": Said("still learn"),
    }


def _state(Module: type) -> Any:
    whole = _tree_of(Module)
    found = whole.state_dict()
    if not isinstance(found, dict):
        return otherwise(found)
    if any(not isinstance(value, Tensor) for value in found.values()):
        return {"values": Said("not all of them tensors")}
    values = {name: _at(whole, name) for name in found if _has(whole, name)}
    same = all(torch.equal(found[name], value) for name, value in values.items())
    plain = not any(value.requires_grad for value in found.values())
    return {
        "names": _names(found),
        "numbers": either(same, "the module's", "others"),
        "tensors": either(plain, "detached", "with their gradient"),
        "the parameters": either(
            all(_at(whole, name).requires_grad for name in _PARAMETERS),
            "ask for a gradient",
            "have lost their gradient",
        ),
    }


_STATE = {
    "names": _names((*_PARAMETERS, *_BUFFERS)),
    "numbers": Said("the module's"),
    "tensors": Said("detached"),
    "the parameters": Said("ask for a gradient"),
}


def _loaded(Module: type) -> Any:
    """What became of a module that was given other numbers."""
    whole = _tree_of(Module)
    names = (*_PARAMETERS, *_BUFFERS)
    own = {name: _at(whole, name) for name in names}
    other = {name: value.detach() * 2 + 1 for name, value in own.items()}
    kept = {name: value.clone() for name, value in other.items()}
    whole.load_state_dict(other)
    now = {name: _at(whole, name) for name in names}
    wrong = [n for n in names if not torch.equal(now[n].detach(), kept[n])]
    replaced = [n for n in _PARAMETERS if now[n] is not own[n]]
    leaves = all(now[n].requires_grad and now[n].is_leaf for n in _PARAMETERS)
    with torch.no_grad():
        for name in names:
            now[name].add_(1)
    apart = all(torch.equal(other[name], kept[name]) for name in names)
    return {
        "not copied": _names(wrong),
        "replaced by new tensors": _names(replaced),
        "parameters": either(leaves, "still learn", "do not learn any more"),
        "the state": either(apart, "on its own", "shares its numbers"),
    }


_LOADED = {
    "not copied": Said("none"),
    "replaced by new tensors": Said("none"),
    "parameters": Said("still learn"),
    "the state": Said("on its own"),
}


def _mismatched(Module: type, missing: str, extra: str) -> Said:
    """What a state with other names meets."""
    whole = _tree_of(Module)
    state = {n: _at(whole, n).detach() + 1 for n in (*_PARAMETERS, *_BUFFERS)}
    state.pop(missing, None)
    state |= {extra: torch.ones(2).double()} if extra else {}
    try:
        whole.load_state_dict(state)
    except KeyError:
        still = torch.equal(whole.first.weight.detach(), doubles([3.0, 4.0, 5.0]))
        return either(still, "KeyError", "KeyError, after some were copied")
    except Exception as error:
        return Said(type(error).__name__)
    return Said("no error")


_HABITS = (
    *("named_modules", "named_parameters", "named_buffers", "parameters"),
    *("train", "eval", "state_dict", "load_state_dict"),
)


@exercise("wavenet.module", version=2, parts=_HABITS, limit=4)
def module(Module: type) -> Cases:
    home = "a module with parts first and second, and in second a and b"
    for asked, names in (
        ("named_modules", _MODULES),
        ("named_parameters", _PARAMETERS),
        ("named_buffers", _BUFFERS),
    ):
        act = lambda a=asked: _walked(Module, a)  # noqa: E731
        yield case(f"{asked}() of {home}", act, _walk_facts(names))
    names = tuple(f"net.{name}".rstrip(".") for name in _MODULES)
    act = lambda: _walked(Module, "named_modules", "net")  # noqa: E731
    want = {"names": _names(names), "things": Said("the module's own")}
    yield case('named_modules("net")', act, want)
    want = {"parameters": _names(_PARAMETERS)}
    yield case(f"parameters() of {home}", lambda: _listed(Module, False), want)
    want = {"parameters": _names(_PARAMETERS[:-1])}
    text = "parameters(), where parts share some"
    yield case(text, lambda: _listed(Module, True), want)
    yield case("eval()", lambda: _flags(Module, lambda m: m.eval()), _flag_facts())
    for text, act, path, on in (
        ("train() after eval()", lambda m: (m.eval(), m.train())[1], "", _MODULES),
        ("train(False)", lambda m: m.train(False), "", ()),
        ("second.eval()", lambda m: m.eval(), "second", ("", "first")),
    ):
        act = lambda a=act, p=path: _flags(Module, a, p)  # noqa: E731
        yield case(text, act, _flag_facts(*on))
    yield case(f"state_dict() of {home}", lambda: _state(Module), _STATE, telling=True)
    yield case("load_state_dict(state)", lambda: _loaded(Module), _LOADED)
    text = "load_state_dict of the names b.weight, a.weight, gain, in this order"
    yield case(text, lambda: _by_names(Module), _NAMED)
    text = "asked, then given one part more, and asked again"
    yield case(text, lambda: _put_in_later(Module), _LATER)
    for text, missing, extra in (
        ("a state that lacks second.a.weight", "second.a.weight", ""),
        ("a state with a name too many", "", "third.weight"),
    ):
        act = lambda m=missing, e=extra: _mismatched(Module, m, e)  # noqa: E731
        yield case(f"load_state_dict of {text}", act, Said("KeyError"))


def _habit(**methods: Any) -> type:
    return _like(_given().Module, **methods)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_module(thing: Any) -> bool:
    return isinstance(thing, _given().Module)


def _children(self: Any) -> Iterator[tuple[str, Any]]:
    return ((k, v) for k, v in vars(self).items() if _is_module(v))


def _one_level(self: Any, prefix: str = "") -> Iterator:
    yield prefix, self
    for name, part in _children(self):
        yield _joined(prefix, name), part


def _parts_alone(self: Any, prefix: str = "") -> Iterator:
    for name, part in _children(self):
        yield _joined(prefix, name), part
        yield from part.named_modules(_joined(prefix, name))


def _last_names(self: Any, prefix: str = "") -> Iterator:
    yield prefix, self
    for name, part in _children(self):
        yield from part.named_modules(name)


def _dots_in_front(self: Any, prefix: str = "") -> Iterator:
    yield prefix, self
    for name, part in _children(self):
        yield from part.named_modules(f"{prefix}.{name}")


def _run_together(self: Any, prefix: str = "") -> Iterator:
    yield prefix, self
    for name, part in _children(self):
        yield from part.named_modules(prefix + name)


def _parameters_by(fits: Callable, named: Callable = _joined) -> Callable:
    def named_parameters(self):
        for path, one in self.named_modules():
            for name, value in vars(one).items():
                if isinstance(value, Tensor) and fits(value, name, one):
                    yield named(path, name), value

    return named_parameters


def _learns(value: Tensor, *_: Any) -> bool:
    return value.is_leaf and value.requires_grad


def _own_parameters(self: Any) -> Iterator:
    return ((k, v) for k, v in vars(self).items() if _tensor(v) and _learns(v))


def _tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def _own_buffers(self: Any) -> Iterator:
    return ((name, getattr(self, name)) for name in self.buffer_names)


def _plain_tensors(self: Any) -> Iterator:
    for path, one in self.named_modules():
        for name, value in vars(one).items():
            if isinstance(value, Tensor) and not value.requires_grad:
                yield _joined(path, name), value


def _names_of_buffers(self: Any) -> list[str]:
    walked = self.named_modules()
    return [_joined(path, name) for path, one in walked for name in one.buffer_names]


def _each_time(self: Any) -> list[Tensor]:
    return [p for _, p in self.named_parameters()]


def _equal_once(self: Any) -> list[Tensor]:
    """Sorted out by their numbers."""
    return list({tuple(p.tolist()): p for _, p in self.named_parameters()}.values())


def _own_flag(self: Any, mode: bool = True) -> Any:
    self.training = mode
    return self


def _children_flags(self: Any, mode: bool = True) -> Any:
    self.training = mode
    for _, part in _children(self):
        part.training = mode
    return self


def _parts_flags(self: Any, mode: bool = True) -> Any:
    for path, part in self.named_modules():
        if path:
            part.training = mode
    return self


def _set_all(self: Any, mode: Any) -> None:
    for _, one in self.named_modules():
        one.training = mode


def _nothing_back(self: Any, mode: bool = True) -> None:
    _set_all(self, mode)


def _always_on(self: Any, mode: bool = True) -> Any:
    _set_all(self, True)
    return self


def _turned(self: Any, mode: bool = True) -> Any:
    _set_all(self, not mode)
    return self


def _eval_alone(self: Any) -> Any:
    self.training = False
    return self


def _eval_as_training(self: Any) -> Any:
    return self.train()


def _of_state(what: Callable) -> Callable:
    return lambda self: dict(what(self))


def _with_gradient(self: Any) -> list:
    return [*self.named_parameters(), *self.named_buffers()]


def _parameters_of_state(self: Any) -> Iterator:
    return ((n, p.detach()) for n, p in self.named_parameters())


def _buffers_of_state(self: Any) -> Iterator:
    return self.named_buffers()


def _without_gradient(self: Any) -> Iterator:
    return ((n, t.requires_grad_(False)) for n, t in _with_gradient(self))


def _loads(put: Callable, asks: Callable = lambda own, state: own != state) -> Callable:
    """load_state_dict with one thing done otherwise."""

    def load_state_dict(self, state):
        own = dict(_with_gradient(self))
        if asks(own.keys(), state.keys()):
            raise KeyError("other names")
        for name in own.keys() & state.keys():
            put(self, name, own[name], state[name])

    return load_state_dict


def _copied(self: Any, name: str, own: Tensor, value: Tensor) -> None:
    own.detach().copy_(value)


def _put_new(self: Any, name: str, own: Tensor, value: Tensor) -> None:
    path, _, last = name.rpartition(".")
    new = value.clone().requires_grad_(own.requires_grad)
    setattr(_at(self, path), last, new)


def _put_alias(self: Any, name: str, own: Tensor, value: Tensor) -> None:
    own.data = value


def _only_parameters(self: Any, name: str, own: Tensor, value: Tensor) -> None:
    if own.requires_grad:
        own.detach().copy_(value)


def _only_replaced(self: Any, name: str, own: Tensor, value: Tensor) -> None:
    """The copy is made, and not put anywhere."""
    own = value.clone()  # noqa: F841


def _by_place(self: Any, state: dict[str, Tensor]) -> None:
    own = dict(_with_gradient(self))
    if own.keys() != state.keys():
        raise KeyError("other names")
    for tensor, value in zip(own.values(), state.values(), strict=True):
        tensor.detach().copy_(value)


def _remembered(self: Any) -> list[Tensor]:
    if "listed" not in vars(self):
        pairs = {id(p): p for _, p in self.named_parameters()}
        self.listed = list(pairs.values())
    return self.listed


def _eval_frozen(self: Any) -> Any:
    for p in self.parameters():
        p.requires_grad_(False)
    return self.train(False)


module.table(
    lambda: (_given().Module,),
    {
        "one level": (
            "Parts of parts are not met: ask each part for its own modules.",
            _habit(named_modules=_one_level),
        ),
        "itself left out": (
            "named_modules begins with the module itself, under the prefix.",
            _habit(named_modules=_parts_alone),
        ),
        "last names alone": (
            "The path in front of a name is lost: pass the prefix on.",
            _habit(named_modules=_last_names),
        ),
        "dots in front": (
            "Names begin with a dot: none stands in front of the first.",
            _habit(named_modules=_dots_in_front),
        ),
        "run together": (
            "The names of a path run together: put a dot between them.",
            _habit(named_modules=_run_together),
        ),
        "all tensors": (
            "Every tensor counts as a parameter: only a leaf with a gradient is one.",
            _habit(named_parameters=_parameters_by(lambda *_: True)),
        ),
        "leaves or not": (
            "An output asks for a gradient as well: a parameter is a leaf.",
            _habit(named_parameters=_parameters_by(lambda v, *_: v.requires_grad)),
        ),
        "gradient or not": (
            "A tensor that asks for no gradient is no parameter.",
            _habit(named_parameters=_parameters_by(lambda v, *_: v.is_leaf)),
        ),
        "by one name": (
            "Only tensors of certain names are found: look at what they are.",
            _habit(named_parameters=_parameters_by(lambda v, n, _: n == "weight")),
            _habit(
                named_parameters=_parameters_by(lambda v, n, _: n in ("weight", "bias"))
            ),
        ),
        "names without paths": (
            "A parameter is named by its path, not by its last name alone.",
            _habit(named_parameters=_parameters_by(_learns, lambda path, name: name)),
        ),
        "own parameters alone": (
            "Only its own parameters are listed: those of the parts are missing.",
            _habit(named_parameters=_own_parameters),
        ),
        "own buffers alone": (
            "Only its own buffers are listed: those of the parts are missing.",
            _habit(named_buffers=_own_buffers),
        ),
        "plain tensors": (
            "A buffer is what was registered, not every tensor without a gradient.",
            _habit(named_buffers=_plain_tensors),
        ),
        "names of buffers": (
            "named_buffers gives pairs, a name and a tensor.",
            _habit(named_buffers=_names_of_buffers),
        ),
        "shared twice": (
            "A tensor that two modules share is listed twice: a step moves it twice.",
            _habit(parameters=_each_time),
        ),
        "pairs listed": (
            "parameters() lists tensors, without their names.",
            _habit(parameters=lambda self: list(self.named_parameters())),
        ),
        "buffers listed": (
            "Buffers are no parameters: no step of descent changes them.",
            _habit(parameters=lambda self: [t for _, t in _with_gradient(self)]),
        ),
        "own flag alone": (
            "Only its own flag is set: its parts stay as they were.",
            _habit(train=_own_flag),
        ),
        "children's flags": (
            "Parts of parts keep their flags: walk over named_modules.",
            _habit(train=_children_flags),
        ),
        "parts' flags": (
            "Its own flag is not set.",
            _habit(train=_parts_flags),
        ),
        "nothing returned": (
            "train returns the module itself, so that calls can be chained.",
            _habit(train=_nothing_back),
        ),
        "mode not used": (
            "train(False) leaves training: mode is not used.",
            _habit(train=_always_on),
        ),
        "flags turned": (
            "The flags are the wrong way round: train() sets them to True.",
            _habit(train=_turned),
        ),
        "eval of itself alone": (
            "eval sets its own flag alone: its parts stay in training.",
            _habit(eval=_eval_alone),
        ),
        "eval trains": (
            "eval() goes into training: it should leave it.",
            _habit(eval=_eval_as_training),
        ),
        "frozen in use": (
            "eval takes the gradients away for good: only `training` changes.",
            _habit(eval=_eval_frozen),
        ),
        "remembered": (
            "The list is remembered: a part that is put in later is missing.",
            _habit(parameters=_remembered),
        ),
        "by place": (
            "Numbers are copied by their place in the dict: go by the names.",
            _habit(load_state_dict=_by_place),
        ),
        "buffers not saved": (
            "Buffers belong to the state: without them a loaded model is another.",
            _habit(state_dict=_of_state(_parameters_of_state)),
        ),
        "parameters not saved": (
            "The parameters are missing in the state.",
            _habit(state_dict=_of_state(_buffers_of_state)),
        ),
        "not detached": (
            "The tensors of the state ask for a gradient: detach them.",
            _habit(state_dict=_of_state(_with_gradient)),
        ),
        "gradient taken away": (
            "The parameters lose their gradient: detach() leaves them theirs.",
            _habit(state_dict=_of_state(_without_gradient)),
        ),
        "new tensors": (
            "Parameters are replaced: an optimizer would go on with the old ones.",
            _habit(load_state_dict=_loads(_put_new)),
        ),
        "state shared": (
            "The module shares its numbers with the state: copy them.",
            _habit(load_state_dict=_loads(_put_alias)),
        ),
        "buffers not loaded": (
            "The buffers keep their old numbers.",
            _habit(load_state_dict=_loads(_only_parameters)),
        ),
        "nothing loaded": (
            "Nothing is copied: the names inside the loop mean new tensors.",
            _habit(load_state_dict=_loads(_only_replaced)),
        ),
        "other names accepted": (
            "A state with other names is loaded in silence: compare the names first.",
            _habit(load_state_dict=_loads(_copied, lambda own, state: False)),
        ),
        "too many accepted": (
            "A state with names too many is loaded in silence.",
            _habit(load_state_dict=_loads(_copied, lambda own, state: own - state)),
        ),
        "too few accepted": (
            "A state that lacks names is loaded in silence.",
            _habit(load_state_dict=_loads(_copied, lambda own, state: state - own)),
        ),
    },
)


# ---------------------------------------------------------------- batchnorm_3d


def _norms(Module: type) -> tuple[type, type]:
    """Two layers that keep a mean: of each column, and of the last dimension."""

    class Columns(Module):
        def __init__(self, dim: int) -> None:
            self.register_buffer("running_mean", torch.zeros(dim))
            self.register_buffer("steps", torch.zeros(1))
            self.scale = torch.ones(dim, requires_grad=True)

        def forward(self, x: Tensor) -> Tensor:
            if self.training:
                self.running_mean = 0.9 * self.running_mean + 0.1 * self.mean(x)
                self.steps += 1
            return x * self.scale

        def mean(self, x: Tensor) -> Tensor:
            return x.detach().mean(0)

    class Channels(Columns):
        def mean(self, x: Tensor) -> Tensor:
            return x.detach().flatten(0, -2).mean(0)

    return Columns, Channels


def _places_kept(Module: type) -> Any:
    """A module that keeps a mean of each place in time."""

    class Places(Module):
        def __init__(self) -> None:
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, x: Tensor) -> Tensor:
            if self.training:
                self.seen = x.detach().mean((0, 2))
            return x

    return Places()


def _pair_of(Module: type, dim: int) -> Any:
    """A module that holds one of each."""
    Columns, Channels = _norms(Module)

    class Both(Module):
        def __init__(self) -> None:
            self.one, self.two = Channels(dim), Columns(dim)

        def forward(self, x: Tensor) -> Tensor:
            return self.two(self.one(x))

    return Both()


def _grown(
    changed_shapes: Callable, make: Callable, *shape: int, flag: bool = True
) -> Any:
    """What it tells of a module, and what becomes of the module itself."""
    toy = make(_given().Module)
    for one in _walk(toy):
        one.training = flag
    before = copy.deepcopy([t for m in _walk(toy) for t in _tensors_of(m)])
    x, dice = torch.ones(shape), _dice()
    out = changed_shapes(toy, x)
    drawn = dice()
    if not isinstance(out, dict):
        return otherwise(out)
    after = [t for m in _walk(toy) for t in _tensors_of(m)]
    same = len(before) == len(after)
    same = same and all(map(torch.equal, before, after))
    flags = all(one.training is flag for one in _walk(toy))
    told = {"shapes": _changes_said(map(_shapes_said, out.values()), out)}
    return told | {
        "the module itself": either(same and flags, "as it was", "changed"),
        "x": either(bool((x == 1).all()), "as it was", "changed"),
        "torch's own dice": drawn,
    }


def _tensors_of(one: Any) -> list[Tensor]:
    return [v.detach() for v in vars(one).values() if isinstance(v, Tensor)]


def _changes_said(shapes: Iterable[str], names: Iterable[str]) -> Said:
    pairs = zip((name.replace("__", ".") for name in names), shapes, strict=True)
    return Said(
        "; ".join(f"{name} {one}" for name, one in sorted(pairs)) or "no change"
    )


def _shapes_said(value: Any) -> Said:
    plain = type(value) in (tuple, list) and len(value) == 2
    shapes = plain and all(isinstance(one, tuple | list) for one in value)
    if not shapes:
        return Said(kind(value))
    if any(type(one) not in (tuple, torch.Size) for one in value):
        return Said("lists, not tuples")
    return Said(f"{tuple(value[0])} then {tuple(value[1])}")


def _grown_case(
    changed_shapes: Callable, make: Callable, text: str, shape: tuple, **want: str
) -> Case:
    flag = want.pop("flag", True)
    act = lambda: _grown(changed_shapes, make, *shape, flag=flag)  # noqa: E731
    said = {"shapes": _changes_said(want.values(), want)}
    mode = "" if flag else ", in use"
    text = f"changed_shapes of {text}{mode}, x {shape}"
    still = {"the module itself": Said("as it was"), "x": Said("as it was")}
    return case(text, act, said | still | {"torch's own dice": Said("not used")})


_LEARNED = ("gamma", "beta", "running_mean", "running_var")


def _bn_numbers(dim: int, seed: int) -> dict[str, Tensor]:
    """Random ones; 1, 0, 0, 1, with which a layer begins, for seed 0."""
    if not seed:
        zeros = torch.zeros(dim, dtype=torch.float64)
        return dict(zip(_LEARNED, (zeros + 1, zeros, zeros, zeros + 1), strict=True))
    one, two, three, four = (normal(dim, seed=seed + i) for i in range(4))
    numbers = one + 1.5, two, three * 2, four**2 + 0.5
    return dict(zip(_LEARNED, numbers, strict=True))


def _bn(BatchNorm1d: type, dim: int, seed: int, **options: float) -> Any:
    """A layer with numbers of its own; what is missing, where it lacks some."""
    layer = BatchNorm1d(dim, **options)
    if odd := lacking(layer, *_LEARNED):
        return odd
    return holding(layer, **_bn_numbers(dim, seed))


@cache
def _torchs(shape: tuple[int, ...], seed: int, flag: bool, **options: float) -> dict:
    """What PyTorch's layer gives, which wants channels second."""
    dim, x = shape[-1], _batch(shape, seed)
    layer = torch.nn.BatchNorm1d(dim, dtype=torch.float64, **options)
    names = ("weight", "bias", "running_mean", "running_var")
    for name, value in zip(names, _bn_numbers(dim, seed).values(), strict=True):
        getattr(layer, name).data = value.clone()
    start = x.clone().requires_grad_()
    out = layer.train(flag)(start.transpose(1, -1)).transpose(1, -1)
    leaves = {"x": start, "gamma": layer.weight, "beta": layer.bias}
    return (
        {"output": out.detach()}
        | _with_slopes(out, **leaves)
        | {"running_mean": layer.running_mean, "running_var": layer.running_var}
        | {"averages": Said("plain numbers"), "x": Said("as it was")}
        | {"buffers": Said("running_mean, running_var")}
        | {"a second layer": Said("as it was")}
    )


def _batch(shape: tuple[int, ...], seed: int) -> Tensor:
    """A batch of random numbers; one that can be typed for seed 0."""
    if not seed:
        return doubles([1.0, 3.0, 5.0, 7.0]).view(shape)
    return normal(*shape, seed=seed, scale=2.0) + 1


def _normalised(
    BatchNorm1d: type, dim: int, seed: int, x: Tensor, flag: bool, **options: float
) -> Any:
    """The output for one batch, the gradients, and the averages afterwards."""
    layer, other = _bn(BatchNorm1d, dim, seed, **options), BatchNorm1d(dim)
    if isinstance(layer, dict):
        return layer
    layer.training = flag
    start = x.clone().requires_grad_()
    out = layer(start)
    if not isinstance(out, Tensor):
        return otherwise(out)
    if out.shape != x.shape:
        return {"output": out}
    leaves = {"x": start, "gamma": layer.gamma, "beta": layer.beta}
    found = {"output": out.detach()} | _with_slopes(out, **leaves)
    if odd := lacking(layer, "running_mean", "running_var"):
        return odd
    mean, var = layer.running_mean, layer.running_var
    plain = not (mean.requires_grad or var.requires_grad)
    said = either(plain, "plain numbers", "with the graph of all batches")
    return found | {
        "running_mean": mean.detach(),
        "running_var": var.detach(),
        "averages": said,
        "x": either(torch.equal(start, x), "as it was", "changed"),
        "buffers": Said(", ".join(sorted(layer.buffer_names))),
        "a second layer": either(_is_new(other), "as it was", "changed"),
    }


def _is_new(layer: Any) -> bool:
    """Whether a layer has the numbers with which it begins."""
    begun = (("gamma", 1), ("beta", 0), ("running_mean", 0), ("running_var", 1))
    return all(bool((getattr(layer, name) == value).all()) for name, value in begun)


def _bn_case(
    BatchNorm1d: type, shape: tuple[int, ...], flag: bool = True, **more: Any
) -> Case:
    seed = more.pop("seed", sum(shape))
    options = {k: more.pop(k) for k in ("eps", "momentum") if k in more}
    x, dim = _batch(shape, seed), shape[-1]
    said = "".join(f", {name}={value}" for name, value in options.items())
    text = f"BatchNorm1d({dim}{said}) of x {shape}"
    text += f" = {x.tolist()}" if x.numel() <= 4 else ""
    text += ", in training" if flag else ", in use"
    want = _torchs(shape, seed, flag, **options)
    act = lambda: _normalised(BatchNorm1d, dim, seed, x, flag, **options)  # noqa: E731
    return case(text, act, want, **more)


def _mode_noted(changed_shapes: Callable) -> Any:
    """The modes in which a module has been run, and whether x has gone through it."""
    modes: list[bool] = []

    class Noting(_given().Module):
        def forward(self, x: Tensor) -> Tensor:
            modes.append(self.training)
            return x

    changed_shapes(Noting().eval(), torch.ones(2, 3))
    return modes


def _growing(changed_shapes: Callable) -> Any:
    """What it tells of a parameter that has another shape afterwards."""

    class Growing(_given().Module):
        def __init__(self) -> None:
            self.weight = torch.ones(2, requires_grad=True)

        def forward(self, x: Tensor) -> Tensor:
            self.weight = torch.ones(3, requires_grad=True)
            return x

    return changed_shapes(Growing(), torch.ones(2, 3))


@exercise("wavenet.batchnorm_3d", version=2, limit=12)
def batchnorm_3d(changed_shapes: Callable, BatchNorm1d: type) -> Cases:
    yield clue("its mode", lambda: _mode_noted(changed_shapes))
    yield clue("parameters", lambda: _growing(changed_shapes))
    columns = lambda Module: _norms(Module)[0](68)  # noqa: E731
    channels = lambda Module: _norms(Module)[1](5)  # noqa: E731
    both = lambda Module: _pair_of(Module, 3)  # noqa: E731
    grown = _telling_shapes(changed_shapes)
    yield grown(
        columns,
        "a layer with a mean over the batch",
        (32, 4, 68),
        running_mean="(68,) then (4, 68)",
    )
    yield grown(channels, "a layer with a mean of each channel", (6, 2, 5))
    yield grown(columns, "a layer with a mean over the batch", (6, 68))
    yield grown(
        both,
        "a module that holds one of each",
        (2, 7, 3),
        two__running_mean="(3,) then (7, 3)",
    )
    yield grown(
        columns,
        "a layer with a mean over the batch",
        (3, 2, 68),
        flag=False,
        running_mean="(68,) then (2, 68)",
    )
    yield grown(
        columns,
        "a layer with a mean over the batch",
        (6, 1, 68),
        running_mean="(68,) then (1, 68)",
    )
    places = "a layer with a mean of each place"
    yield grown(_places_kept, places, (3, 4, 2), seen="(1,) then (4,)")
    yield _bn_case(BatchNorm1d, (2, 2, 1), seed=0)
    for shape, options in (
        ((7, 5), {}),
        ((4, 3, 6), {}),
        ((5, 2, 3), {"eps": 0.5}),
        ((6, 4, 4), {"momentum": 0.3}),
        ((2, 8, 3), {}),
        ((5, 1, 3), {}),
        ((1, 4, 3), {}),
    ):
        yield _bn_case(BatchNorm1d, shape, **options)
    for shape in ((3, 4, 5), (9, 5), (1, 6), (1, 1, 4)):
        yield _bn_case(BatchNorm1d, shape, False)
    yield _bn_case(BatchNorm1d, (32, 4, 68), once=True)
    yield _bn_case(BatchNorm1d, (5, 3, 4), seed=new_seed(), fresh=True)


def _telling_shapes(changed_shapes: Callable) -> Callable:
    """_grown_case with its first argument in place."""
    return lambda *args, **want: _grown_case(changed_shapes, *args, **want)


def _shapes_of(module: Any) -> dict[str, tuple]:
    return {name: tuple(b.shape) for name, b in module.named_buffers()}


def _changes(
    take: Callable = lambda module: copy.deepcopy(module).train(),
    named: Callable = _shapes_of,
    row: Callable = lambda one, two: (one, two),
    kept: Callable = lambda one, two: one != two,
) -> Callable:
    """changed_shapes with one thing done otherwise."""

    def changed_shapes(module, x):
        one = take(module)
        before = named(one)
        one(x)
        after = named(one)
        names = [n for n in before if kept(before[n], after[n])]
        return {n: row(before[n], after[n]) for n in names}

    return changed_shapes


def _parameter_shapes(module: Any) -> dict[str, tuple]:
    return {name: tuple(p.shape) for name, p in module.named_parameters()}


def _own_shapes(module: Any) -> dict[str, tuple]:
    return {name: tuple(getattr(module, name).shape) for name in module.buffer_names}


def _sizes_of(module: Any) -> dict[str, tuple]:
    return {name: (b.numel(),) for name, b in module.named_buffers()}


def _dims_of(module: Any) -> dict[str, tuple]:
    return {name: (b.dim(),) for name, b in module.named_buffers()}


def _same_dict_twice(module: Any, x: Tensor) -> dict:
    one = copy.deepcopy(module).train()
    one(x)
    before, after = _shapes_of(one), _shapes_of(one)
    return {n: (before[n], after[n]) for n in before if before[n] != after[n]}


class _Dims:
    """Methods of a BatchNorm1d with one thing done otherwise."""

    def __init__(
        self,
        batch: Callable = lambda x: (x.mean(_front(x)), x.var(_front(x), correction=0)),
        noted: Callable = lambda x: (x.mean(_front(x)), _unbiased(x, _front(x), False)),
        norm: Callable = lambda x, m, v, eps: (x - m) / torch.sqrt(v + eps),
        learned: Callable = lambda gamma, beta, xhat: gamma * xhat + beta,
        by: Callable = lambda m: m,
        flags: Callable = lambda training: (training, training),
        cut: Callable = lambda t: t.detach(),
        moves: tuple[bool, bool] = (True, True),
    ) -> None:
        self.__dict__.update(locals())

    def made(self) -> type:
        how = self

        def forward(self, x):
            mean, var = self.running_mean, self.running_var
            own, moving = how.flags(self.training)
            if own:
                mean, var = how.batch(x)
            if moving:
                m = how.by(self.momentum)
                new = [how.cut(t) for t in how.noted(x)]
                if how.moves[0]:
                    self.running_mean = (1 - m) * self.running_mean + m * new[0]
                if how.moves[1]:
                    self.running_var = (1 - m) * self.running_var + m * new[1]
            return how.learned(self.gamma, self.beta, how.norm(x, mean, var, self.eps))

        return _like(_given().BatchNorm1d, forward=forward)


def _front(x: Tensor) -> tuple[int, ...]:
    return tuple(range(x.ndim - 1))


def _over(dims: Any, keep: bool = False) -> type:
    """Statistics over other dimensions."""
    of = lambda x: dims(x) if callable(dims) else dims  # noqa: E731
    return _Dims(
        batch=lambda x: (
            x.mean(of(x), keepdim=keep),
            x.var(of(x), keepdim=keep, correction=0),
        ),
        noted=lambda x: (x.mean(of(x), keepdim=keep), _unbiased(x, of(x), keep)),
    ).made()


def _unbiased(x: Tensor, dims: Any, keep: bool) -> Tensor:
    """x.var, which warns where there is one number only."""
    centre = x.mean(dims, keepdim=True)
    count = x.numel() / centre.numel()
    squares = ((x - centre) ** 2).sum(dims, keepdim=keep)
    return squares / (count - 1) if count > 1 else squares * math.nan


def _norm(**how: Any) -> tuple[None, type]:
    return None, _Dims(**how).made()


def _places_pooled(x: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of means, and the mean of the variances at each place."""
    mean, var = x.mean(0), x.var(0, correction=0)
    return (mean, var) if x.ndim == 2 else (mean.mean(0), var.mean(0))


batchnorm_3d.table(
    lambda: (_changes(), _given().BatchNorm1d),
    {
        "no copy": (
            "The module itself has been run: its averages moved. Run a copy.",
            (_changes(take=lambda module: module.train()), None),
            (_changes(take=lambda module: copy.copy(module).train()), None),
        ),
        "in use": (
            "In use nothing moves: send x through in training.",
            (_changes(take=lambda module: copy.deepcopy(module).eval()), None),
        ),
        "as it is found": (
            "A module in use is run in use: put the copy into training first.",
            (_changes(take=copy.deepcopy), None),
        ),
        "all buffers": (
            "Buffers whose shape stays are told as well: leave them out.",
            (_changes(kept=lambda one, two: True), None),
        ),
        "the others": (
            "Those that stay as they are are told: tell those that change.",
            (_changes(kept=lambda one, two: one == two), None),
        ),
        "parameters": (
            "Parameters keep their shape: look at the buffers.",
            (_changes(named=_parameter_shapes), None),
        ),
        "own buffers": (
            "Only its own buffers are looked at: the parts have some too.",
            (_changes(named=_own_shapes), None),
        ),
        "after, before": (
            "The shape before comes first.",
            (_changes(row=lambda one, two: (two, one)), None),
        ),
        "after alone": (
            "Both shapes are told: before, and after.",
            (_changes(row=lambda one, two: two), None),
        ),
        "counted": (
            "Shapes are wanted, not how many numbers or dimensions there are.",
            (_changes(named=_sizes_of), None),
            (_changes(named=_dims_of), None),
        ),
        "dimensions compared": (
            "Another shape may have as many dimensions or numbers: compare the shapes.",
            (_changes(kept=lambda one, two: len(one) != len(two)), None),
            (_changes(kept=lambda one, two: math.prod(one) != math.prod(two)), None),
        ),
        "lists of sizes": (
            "Tell the shapes as tuples.",
            (_changes(row=lambda one, two: (list(one), list(two))), None),
        ),
        "looked too late": (
            "The shapes are noted only after x has gone through.",
            (_same_dict_twice, None),
        ),
        "over the batch alone": (
            "Each place in time has its own mean: take one over batch and time.",
            (None, _over(0)),
            (None, _over(0, keep=True)),
        ),
        "over time alone": (
            "The mean goes over dimension 1 alone: batch and time belong together.",
            (None, _over(1)),
            (None, _over(1, keep=True)),
        ),
        "over the channels": (
            "The mean goes over the channels: that is Layer Normalization.",
            (None, _over(-1, keep=True)),
        ),
        "over everything": (
            "One mean for all: each channel has its own.",
            (None, _over(lambda x: tuple(range(x.ndim)))),
        ),
        "two dimensions always": (
            "x (N, dim) has no time: dimension 1 are the channels there.",
            (None, _over((0, 1))),
        ),
        "channels second": (
            "Dimensions 0 and 2 fit PyTorch's (N, dim, T): here channels are last.",
            (None, _over(lambda x: (0, 2) if x.ndim == 3 else 0)),
        ),
        "places pooled": (
            "The mean of variances is no variance: the means differ among places.",
            _norm(batch=_places_pooled),
        ),
        "lecture's variance": (
            "The variance over n - 1 normalises, as in the lecture: PyTorch takes n.",
            _norm(batch=lambda x: (x.mean(_front(x)), x.var(_front(x)))),
        ),
        "running variance over n": (
            "running_var averages the variance over n: PyTorch takes that over n - 1.",
            _norm(noted=lambda x: (x.mean(_front(x)), x.var(_front(x), correction=0))),
        ),
        "momentum turned": (
            "The new batch counts by momentum, the old averages by the rest.",
            _norm(by=lambda m: 1 - m),
        ),
        "momentum fixed": (
            "momentum is written into the code: use the one passed in.",
            _norm(by=lambda m: 0.1),
        ),
        "graph kept": (
            "The averages keep the graph of every batch: detach what is remembered.",
            _norm(cut=lambda t: t),
        ),
        "averages stand still": (
            "The running averages never move.",
            _norm(moves=(False, False)),
        ),
        "mean alone": (
            "running_var does not move.",
            _norm(moves=(True, False)),
        ),
        "variance alone": (
            "running_mean does not move.",
            _norm(moves=(False, True)),
        ),
        "moves in use": (
            "The averages move in use as well: only training moves them.",
            _norm(flags=lambda training: (training, True)),
        ),
        "batch in use": (
            "In use the statistics of the batch are taken: take the running ones.",
            _norm(flags=lambda training: (True, training)),
        ),
        "training never asked": (
            "`training` is not asked: in use nothing moves, and averages are taken.",
            _norm(flags=lambda training: (True, True)),
        ),
        "averages in training": (
            "In training the batch's own statistics normalise.",
            _norm(flags=lambda training: (False, training)),
        ),
        "statistics cut off": (
            "Mean and variance are detached: the gradient must pass through them.",
            _norm(
                batch=lambda x: (
                    x.detach().mean(_front(x)),
                    x.detach().var(_front(x), correction=0),
                )
            ),
        ),
        "eps outside": (
            "eps belongs under the root, to the variance.",
            _norm(norm=lambda x, m, v, eps: (x - m) / (torch.sqrt(v) + eps)),
        ),
        "eps forgotten": (
            "eps is not used.",
            _norm(norm=lambda x, m, v, eps: (x - m) / torch.sqrt(v)),
        ),
        "divided by the variance": (
            "Divided by the variance: the std is its square root.",
            _norm(norm=lambda x, m, v, eps: (x - m) / (v + eps)),
        ),
        "nothing learned": (
            "gamma and beta are not used.",
            _norm(learned=lambda gamma, beta, xhat: xhat),
        ),
        "beta scaled": (
            "beta is added after gamma has multiplied, not before.",
            _norm(learned=lambda gamma, beta, xhat: gamma * (xhat + beta)),
        ),
    },
)


# ---------------------------------------------------------------- receptive_field


def _slow_field(kernel: int, dilations: list[int]) -> int:
    """Layer by layer, from the last output down, place by place."""
    places = {0}
    for d in reversed(dilations):
        places = {p - i * d for p in places for i in range(kernel)}
    return max(places) - min(places) + 1


def _slow_letters(level: int, node: int, n: int) -> list[int]:
    """By fusing lists of places."""
    row = [[place] for place in range(n**level * (node + 1))]
    for _ in range(level):
        groups = [row[i : i + n] for i in range(0, len(row), n)]
        row = [[place for one in group for place in one] for group in groups]
    return row[node]


def _mixes(*rows: list[int]) -> Callable[[Tensor], Tensor]:
    """A model whose output i adds up places of its input, squared and weighed."""

    def model(x: Tensor) -> Tensor:
        return torch.stack([sum(x[p] * (x[p] - 0.3 * p) for p in row) for row in rows])

    return model


def _seen(sees: Callable, rows: list[list[int]], at: int, seed: int) -> Any:
    x = normal(7, 3, seed=seed)
    before = x.clone()
    found = sees(_mixes(*rows), x, at)
    if type(found) is not list:
        return otherwise(found)
    same = torch.equal(x, before) and not x.requires_grad and x.grad is None
    return {"places": found, "x": either(same, "as it was", "changed")}


def _seen_case(sees: Callable, rows: list[list[int]], at: int, **more: Any) -> Case:
    seed = more.pop("seed", 5)
    text = f"sees: outputs that read the places {rows}, at={at}"
    want = {"places": rows[at], "x": Said("as it was")}
    return case(text, lambda: _seen(sees, rows, at, seed), want, **more)


def _through_tree(sees: Callable) -> Any:
    """The root of a tree of eight letters, and a node that knows one channel only."""
    fuse = _given().FlattenConsecutive(2)

    def tree(x: Tensor) -> Tensor:
        for _ in range(2):
            x = torch.tanh(fuse(x[None])[0])  # (4, 4), then (2, 8)
        return x

    return sees(tree, normal(8, 2, seed=3), 1)


def _first_channel(sees: Callable) -> Any:
    """A model that reads one channel, at places 1 and 4, with opposite signs."""
    return sees(
        lambda x: torch.stack([x[1, 2] - x[4, 0]] * 2)[:, None],
        normal(6, 3, seed=4),
        0,
    )


def _cancelling(sees: Callable) -> Any:
    """Two channels of place 2 with opposite signs, and place 4 with hardly any."""
    return sees(
        lambda x: torch.stack([x[2, 0] - x[2, 1] + 1e-12 * x[4, 2]] * 2)[:, None],
        normal(6, 3, seed=4),
        0,
    )


def _at_zero(sees: Callable) -> Any:
    """An output that is zero, of a unit that is off and a place that counts."""
    return sees(
        lambda x: torch.relu(x[:1] - 0.5) + x[1:2] - 3.0, doubles([[0.2], [3.0]]), 0
    )


@exercise("wavenet.receptive_field", version=2)
def receptive_field(
    receptive_field: Callable, letters_under: Callable, sees: Callable
) -> Cases:
    for kernel, dilations in (
        (2, [1, 2, 4]),
        (2, [1]),
        (3, [1, 3]),
        (2, [2**i for i in range(10)]),
        (4, [2, 5, 1]),
        (1, [1, 2]),
        (2, []),
    ):
        want = _slow_field(kernel, dilations)
        yield call(receptive_field, kernel, dilations, expects=want, within=EXACT)
    for level, node, *n in ((2, 1), (0, 3), (3, 0), (1, 2), (2, 1, 3), (1, 0, 4)):
        want = _slow_letters(level, node, *(n or [2]))
        yield call(letters_under, level, node, *n, expects=want, within=EXACT)
    rows = [[0], [0, 1], [1, 2, 3], [0, 4, 6]]
    for at in (2, 0, 3, 1):
        yield _seen_case(sees, rows, at)
    yield _seen_case(sees, [[1, 5], [2]], 0)
    yield case("sees: node 1 of level 2", lambda: _through_tree(sees), [4, 5, 6, 7])
    text = "sees: x[1, 2] - x[4, 0]"
    yield case(text, lambda: _first_channel(sees), [1, 4])
    text = "sees: x[2, 0] - x[2, 1] + 1e-12 * x[4, 2]"
    yield case(text, lambda: _cancelling(sees), [2, 4])
    text = "sees: relu(x[0] - 0.5) + x[1] - 3, at x = [[0.2], [3.0]]"
    yield case(text, lambda: _at_zero(sees), [1])
    text = "receptive_field(2, (2**i for i in range(3))), a generator"
    act = lambda: receptive_field(2, (2**i for i in range(3)))  # noqa: E731
    yield case(text, act, 8)
    places = sorted(random.Random().sample(range(7), 3))
    yield _seen_case(sees, [places, [0]], 0, seed=new_seed(), fresh=True)


def _right_field(kernel: int, dilations: list[int]) -> int:
    return 1 + (kernel - 1) * sum(dilations)


def _right_letters(level: int, node: int, n: int = 2) -> list[int]:
    return list(range(node * n**level, (node + 1) * n**level))


def _sees(
    score: Callable = lambda out, at: out[at].sum(),
    start: Callable = lambda x: x.detach().clone().requires_grad_(),
    rows: Callable = lambda grad: grad.any(1),
    out: Callable = lambda rows: rows.nonzero().flatten().tolist(),
) -> Callable:
    """sees with one thing done otherwise."""

    def sees(model, x, at):
        x = start(x)
        (grad,) = torch.autograd.grad(score(model(x), at), x)
        return out(rows(grad))

    return sees


def _by_span(rows: Tensor) -> list[int]:
    found = rows.nonzero().flatten().tolist()
    return list(range(found[0], found[-1] + 1)) if found else []


def _f(wrong: Callable) -> tuple:
    return wrong, None, None


def _l(wrong: Callable) -> tuple:
    return None, wrong, None


def _s(**how: Any) -> tuple:
    return None, None, _sees(**how)


receptive_field.table(
    lambda: (_right_field, _right_letters, _sees()),
    {
        "letter itself forgotten": (
            "The place itself is seen too: 1 more.",
            _f(lambda k, d: (k - 1) * sum(d)),
        ),
        "kernel times dilation": (
            "A kernel of width k reaches k - 1 dilations, not k.",
            _f(lambda k, d: 1 + k * sum(d)),
            _f(lambda k, d: k * sum(d)),
        ),
        "multiplied": (
            "Reaches of layers add up: they do not multiply.",
            _f(lambda k, d: math.prod(1 + (k - 1) * one for one in d)),
            _f(lambda k, d: k ** len(d)),
        ),
        "last layer alone": (
            "Only the last layer is counted: what lies below comes along.",
            _f(lambda k, d: 1 + (k - 1) * (d[-1] if d else 0)),
            _f(lambda k, d: 1 + (k - 1) * max(d, default=0)),
        ),
        "dilation not used": (
            "Each layer is counted as if its dilation were 1.",
            _f(lambda k, d: 1 + (k - 1) * len(d)),
        ),
        "always two": (
            "The kernel may be wider than two.",
            _f(lambda k, d: 1 + sum(d)),
        ),
        "next node": (
            "The nodes are counted from 1 here: node 0 is the first.",
            _l(lambda level, node, n=2: _right_letters(level, max(0, node - 1), n)),
            _l(lambda level, node, n=2: _right_letters(level, node + 1, n)),
        ),
        "level counted from one": (
            "Level 0 are the letters: a node of level l is n**l wide.",
            _l(lambda level, node, n=2: _right_letters(level + 1, node, n)),
            _l(lambda level, node, n=2: _right_letters(max(0, level - 1), node, n)),
        ),
        "n times level": (
            "Each level multiplies the width by n: it is n**level, not n * level.",
            _l(
                lambda level, node, n=2: list(
                    range(node * n * level, (node + 1) * n * level)
                )
            ),
        ),
        "width always two": (
            "n is not used: two are fused, whatever it is.",
            _l(lambda level, node, n=2: _right_letters(level, node, 2)),
        ),
        "from the start": (
            "All places up to the node's end are given: it begins at node * n**level.",
            _l(lambda level, node, n=2: list(range((node + 1) * n**level))),
        ),
        "a range": (
            "A range is given: make a list of it.",
            _l(lambda level, node, n=2: range(node * n**level, (node + 1) * n**level)),
        ),
        "all outputs": (
            "All outputs are asked: take the one at `at`.",
            _s(score=lambda out, at: out.sum()),
        ),
        "first channel": (
            "One channel is asked alone: look at all channels of a place.",
            _s(rows=lambda grad: grad[:, 0] != 0),
            _s(rows=lambda grad: grad[:, -1] != 0),
        ),
        "channels": (
            "Channels are told: a place is a row of x.",
            _s(rows=lambda grad: grad.any(0)),
        ),
        "positive alone": (
            "A negative gradient is a gradient: ask for what is not zero.",
            _s(rows=lambda grad: (grad > 0).any(1)),
        ),
        "summed": (
            "Gradients of several channels may cancel: ask each by itself.",
            _s(rows=lambda grad: grad.sum(1) > 0),
            _s(rows=lambda grad: grad.sum(1) != 0),
            _s(rows=lambda grad: grad.mean(1) != 0),
        ),
        "every channel": (
            "One channel is enough: a place counts where any has a gradient.",
            _s(rows=lambda grad: grad.all(1)),
        ),
        "small ones": (
            "A small gradient is one too: only zero itself means that nothing is seen.",
            _s(rows=lambda grad: (grad.abs() > 1e-6).any(1)),
        ),
        "squared": (
            "The gradient of a square is zero where the output is: take the output.",
            _s(score=lambda out, at: (out[at] ** 2).sum()),
        ),
        "between": (
            "The places between are told as well: only those with a gradient count.",
            _s(out=_by_span),
        ),
        "how many": (
            "The places are wanted, not how many they are.",
            _s(out=lambda rows: int(rows.sum())),
        ),
        "flags": (
            "A list of flags is given: the places are wanted.",
            _s(out=lambda rows: rows.tolist()),
        ),
        "x changed": (
            "x itself asks for a gradient now: make a copy.",
            _s(start=lambda x: x.requires_grad_()),
        ),
        "the others": (
            "Those without a gradient are told.",
            _s(rows=lambda grad: ~grad.any(1)),
        ),
    },
)


# ---------------------------------------------------------------- hierarchical_model


_KINDS = ("FlattenConsecutive", "Linear", "BatchNorm1d", "Tanh")
_SIZES = {"vocab_size": 7, "embedding": 3, "hidden": 5, "levels": 2}
_DEEP = {"vocab_size": 5, "embedding": 4, "hidden": 3, "levels": 3}


def _row_of(model: Any) -> list[Any] | None:
    """The layers of a model, in their order; None where it has no net."""
    net = getattr(model, "net", None)
    return None if net is None else list(net)


def _kinds_said(layers: list[Any], levels: int) -> Said:
    names = [type(layer).__name__ for layer in layers]
    if names == ["Embedding", *_KINDS * levels, "Linear"]:
        return Said("as described")
    return Said(", ".join(names) or "none")


def _built(WaveNet: type, sizes: dict[str, int]) -> Any:
    """What a model is made of."""
    dice = _dice()
    model = WaveNet(**sizes, generator=seeded(1))
    drawn, layers = dice(), _row_of(model)
    if layers is None:
        return {"net": Said("missing")}
    linears = [one for one in layers if type(one).__name__ == "Linear"]
    again, other = (WaveNet(**sizes, generator=seeded(seed)) for seed in (1, 2))
    own, same, others = (_learned(one) for one in (model, again, other))
    units = [len(one.gamma) for one in layers if type(one).__name__ == "BatchNorm1d"]
    return {
        "block_size": getattr(model, "block_size", Said("missing")),
        "layers": _kinds_said(layers, sizes["levels"]),
        "each a layer of its own": len({id(one) for one in layers}) == len(layers),
        "weights": [list(one.weight.shape) for one in linears],
        "biases": [one.bias is not None for one in linears],
        "units of BatchNorm1d": units,
        "parameters": sum(p.numel() for p in own),
        "the same generator": either(_equal(own, same), "the same weights", "others"),
        "another generator": either(
            not _equal(own, others), "others", "the same weights"
        ),
        "torch's own dice": drawn,
        "in training": all(one.training for one in _walk(model)),
        "momentum and eps": sorted({_pace(one) for one in layers} - {None}),
    } | _drawn_said(layers)


def _pace(layer: Any) -> tuple[float, float] | None:
    """Momentum and eps of a BatchNorm1d."""
    if type(layer).__name__ != "BatchNorm1d":
        return None
    return getattr(layer, "momentum", 0.1), getattr(layer, "eps", 1e-5)


def _drawn_said(layers: list[Any]) -> dict[str, Any]:
    """Whether the numbers are those of the layers, drawn one after the other."""
    g, right, factor = seeded(1), True, 0.0
    for one in layers:
        if type(one).__name__ not in ("Embedding", "Linear"):
            continue
        more = (one.bias is not None,) if hasattr(one, "bias") else ()
        weight, new = one.weight.detach(), type(one)(*one.weight.shape, *more, g)
        ref, factor = new.weight.detach(), 1.0
        if one is layers[-1]:
            factor = float((weight * ref).sum() / (ref * ref).sum())
        right &= torch.allclose(weight, factor * ref, atol=1e-6)
    last = getattr(layers[-1], "bias", None)
    zero = isinstance(last, Tensor) and not last.detach().any()
    return {
        "drawn": either(right, "in the order of the layers", "in another order"),
        "the last weight": Said(f"{factor:.3g} of what was drawn" if right else "?"),
        "the last bias": either(zero, "zeros", "others"),
    }


def _equal(one: list[Tensor], two: list[Tensor]) -> bool:
    return len(one) == len(two) and all(map(torch.equal, one, two))


def _built_facts(sizes: dict[str, int]) -> dict[str, Any]:
    V, C, H, levels = sizes.values()
    widths = [C, *[H] * (levels - 1)]
    weights = sum(2 * width * H + 2 * H for width in widths)
    return {
        "block_size": 2**levels,
        "layers": Said("as described"),
        "each a layer of its own": True,
        "weights": [*[[2 * width, H] for width in widths], [H, V]],
        "biases": [False] * levels + [True],
        "units of BatchNorm1d": [H] * levels,
        "parameters": V * C + weights + H * V + V,
        "the same generator": Said("the same weights"),
        "another generator": Said("others"),
        "torch's own dice": Said("not used"),
        "in training": True,
        "momentum and eps": [(0.1, 1e-5)],
        "drawn": Said("in the order of the layers"),
        "the last weight": Said("0.1 of what was drawn"),
        "the last bias": Said("zeros"),
    }


def _counted(WaveNet: type) -> Any:
    model, free = WaveNet(generator=seeded(3)), [WaveNet() for _ in range(2)]
    layers = _row_of(model)
    if layers is None:
        return {"net": Said("missing")}
    first, last = layers[2].weight, layers[-1].weight
    root = "1 / sqrt(fan_in)"
    return {
        "parameters": sum(p.numel() for p in _learned(model)),
        "block_size": getattr(model, "block_size", Said("missing")),
        "std of the last weight": _std_said(
            last.std().item(), {f"0.1 * {root}": 0.1 / 128**0.5, root: 1 / 128**0.5}
        ),
        "std of the first": _std_said(
            first.std().item(), {root: 1 / 48**0.5, f"0.1 * {root}": 0.1 / 48**0.5}
        ),
        "the last weight learns": bool(last.requires_grad and last.is_leaf),
        "two without a generator": either(
            not _equal(*map(_learned, free)), "two models", "the same"
        ),
    }


_COUNTED = {
    "parameters": 76_579,
    "block_size": 8,
    "std of the last weight": Said("0.00884, 0.1 * 1 / sqrt(fan_in)"),
    "std of the first": Said("0.144, 1 / sqrt(fan_in)"),
    "the last weight learns": True,
    "two without a generator": Said("two models"),
}


def _drawn_layers(model: Any, seed: int) -> dict[str, Any] | None:
    """Give a model of any origin random numbers; what it lacks for that."""
    layers = _row_of(model)
    if layers is None:
        return {"net": Said("missing")}
    for i, layer in enumerate(layers):
        for name, value in list(vars(layer).items()):
            if isinstance(value, Tensor) and name != "out":
                new = normal(*value.shape, seed=seed + 10 * i + len(name))
                new = new.abs() + 0.5 if name.endswith("var") else new
                holding(layer, **{name: new})
    return None


def _numbers(model: Any) -> list[dict[str, Tensor]]:
    """The tensors of each layer by their names."""
    return [
        {k: v.detach() for k, v in vars(one).items() if isinstance(v, Tensor)}
        for one in _row_of(model) or ()
    ]


def _slow_logits(numbers: list[dict[str, Tensor]], X: list[int]) -> Tensor:
    """One context, node by node, by recursion, with running statistics."""
    table, last = numbers[0]["weight"], numbers[-1]
    levels = numbers[1:-1]

    def node(level: int, at: int) -> Tensor:
        if level == 0:
            return table[X[at]]
        both = torch.cat([node(level - 1, 2 * at), node(level - 1, 2 * at + 1)])
        linear, norm = levels[4 * level - 3], levels[4 * level - 2]
        z = both @ linear["weight"]
        spread = (norm["running_var"] + 1e-5).sqrt()
        return torch.tanh(
            norm["gamma"] * (z - norm["running_mean"]) / spread + norm["beta"]
        )

    return node(len(levels) // 4, 0) @ last["weight"] + last["bias"]


def _in_use(model: Any) -> Any:
    for one in _walk(model):
        one.training = False
    return model


def _judged(WaveNet: type, sizes: dict[str, int], N: int, seed: int) -> Any:
    """Logits of contexts, in use, with random numbers everywhere."""
    model = WaveNet(**sizes)
    if odd := _drawn_layers(model, seed):
        return odd
    k, V = 2 ** sizes["levels"], sizes["vocab_size"]
    X = torch.randint(0, V, (N, k), generator=seeded(seed))
    with torch.no_grad():
        return _in_use(model)(X)


@cache
def _slow_trees(sizes: tuple[int, ...], N: int, seed: int) -> Tensor:
    """The logits of contexts, one by one, node by node."""
    model = _given().WaveNet(*sizes)
    _drawn_layers(model, seed)
    X = torch.randint(0, sizes[0], (N, 2 ** sizes[-1]), generator=seeded(seed))
    numbers = _numbers(model)
    return torch.stack([_slow_logits(numbers, row) for row in X.tolist()])


def _judged_case(
    WaveNet: type, sizes: dict[str, int], N: int, seed: int, **more: Any
) -> Case:
    want = _slow_trees(tuple(sizes.values()), N, seed)
    text = f"logits of {N} contexts of {2 ** sizes['levels']} letters, in use"
    act = lambda: _judged(WaveNet, sizes, N, seed)  # noqa: E731
    return case(text, act, want, **more)


def _begins(WaveNet: type) -> Any:
    """The loss before any training, on random contexts."""
    model = WaveNet(27, 6, 12, generator=seeded(4))
    X = torch.randint(0, 27, (60, 8), generator=seeded(5))
    Y = torch.randint(0, 27, (60,), generator=seeded(6))
    loss = F.cross_entropy(model(X), Y)
    grads = torch.autograd.grad(loss, _learned(model), allow_unused=True)
    return {
        "loss": _between(loss.item(), 3.25, 3.36),
        "parameters without a gradient": sum(g is None for g in grads),
    }


def _between(loss: float, low: float, high: float) -> Said:
    if low <= loss <= high:
        return Said(f"between {low} and {high}")
    return either(loss < low, f"below {low}", f"above {high}")


_BEGINS = {
    "loss": Said("between 3.25 and 3.36"),
    "parameters without a gradient": 0,
}


@exercise("wavenet.hierarchical_model", version=2, limit=8)
def hierarchical_model(WaveNet: type) -> Cases:
    for sizes in (_SIZES, _DEEP, _SIZES | {"levels": 1}):
        said = ", ".join(f"{name}={size}" for name, size in sizes.items())
        act = lambda s=sizes: _built(WaveNet, s)  # noqa: E731
        yield case(f"WaveNet({said})", act, _built_facts(sizes), telling=True)
    yield case("WaveNet()", lambda: _counted(WaveNet), _COUNTED, telling=True)
    for sizes, N, seed in ((_SIZES, 4, 1), (_DEEP, 3, 2), (_DEEP, 1, 3)):
        yield _judged_case(WaveNet, sizes, N, seed)
    yield case("the first loss of a small one", lambda: _begins(WaveNet), _BEGINS)
    yield _judged_case(WaveNet, _SIZES, 2, new_seed(), fresh=True)


def _tree(
    levels: Callable = lambda levels: levels,
    block: Callable = lambda levels: 2**levels,
    fan: Callable = lambda width: 2 * width,
    bias: tuple[bool, bool] = (False, True),
    first: Callable = lambda C, H: C,
    scale: Callable = lambda net: _scaled(net[-1], 0.1),
    fuse: Callable = lambda levels: 2,
    row: Callable = lambda layers: layers,
    norm: Callable = lambda m, H: m.BatchNorm1d(H),
    out: Callable = lambda self, X: self.net(X),
    draw: Callable = lambda g: g,
    fill: dict[str, int] | None = None,
    last_first: bool = False,
) -> type:
    """WaveNet with one thing done otherwise."""
    m = _given()

    def __init__(
        self, vocab_size=27, embedding=24, hidden=128, levels_=3, generator=None, **more
    ):
        L, g = more.get("levels", levels_), draw(generator)
        V, C, H = vocab_size, embedding, hidden
        if fill:
            V, C, H = (fill.get(k, v) for k, v in (("V", V), ("C", C), ("H", H)))
        self.block_size = block(L)
        early = m.Linear(H, V, bias[1], g) if last_first else None
        layers = [m.Embedding(V, C, g)]
        for width in [first(C, H), *[H] * (levels(L) - 1)]:
            linear = m.Linear(fan(width), H, bias[0], g)
            layers += [m.FlattenConsecutive(fuse(L)), linear, norm(m, H), m.Tanh()]
        layers = row([*layers, early or m.Linear(H, V, bias[1], g)])
        self.net = m.Sequential(*layers)
        scale(self.net)

    return _like(m.WaveNet, __init__=__init__, forward=out)


def _scaled(layer: Any, factor: float) -> None:
    with torch.no_grad():
        layer.weight *= factor


def _new_weight(net: Any) -> None:
    net[-1].weight = net[-1].weight * 0.1


def _without(name: str) -> Callable:
    return lambda layers: [one for one in layers if type(one).__name__ != name]


def _tanh_first(layers: list) -> list:
    """Tanh before BatchNorm."""
    row = list(layers)
    for i in range(3, len(row) - 1, 4):
        row[i], row[i + 1] = row[i + 1], row[i]
    return row


def _norm_first(layers: list) -> list:
    row = list(layers)
    for i in range(2, len(row) - 1, 4):
        row[i], row[i + 1] = row[i + 1], row[i]
    return row


def _one_tanh(layers: list) -> list:
    shared = layers[4]
    return [shared if type(one).__name__ == "Tanh" else one for one in layers]


hierarchical_model.table(
    lambda: (_given().WaveNet,),
    {
        "biases kept": (
            "A bias before BatchNorm is subtracted again: leave it out.",
            _tree(bias=(True, True)),
        ),
        "last bias left out": (
            "The last layer has no BatchNorm behind it: it keeps its bias.",
            _tree(bias=(False, False)),
        ),
        "last weight not scaled": (
            "The last weight is not scaled: the first loss is above ln 27.",
            _tree(scale=lambda net: None),
        ),
        "scaled by 0.01": (
            "The last weight is scaled by another factor than 0.1.",
            _tree(scale=lambda net: _scaled(net[-1], 0.01)),
            _tree(scale=lambda net: _scaled(net[-1], 0.5)),
        ),
        "weight replaced": (
            "The scaled weight is a product, and no leaf: scale it in place.",
            _tree(scale=_new_weight),
        ),
        "one level less": (
            "There is a level too few.",
            _tree(levels=lambda n: n - 1),
        ),
        "one level more": (
            "There is a level too many.",
            _tree(levels=lambda n: n + 1),
        ),
        "fused at once": (
            "All letters are fused at once: fuse two at each level.",
            _tree(levels=lambda n: 1, fuse=lambda n: 2**n, fan=lambda w: 8 * w),
            _tree(
                levels=lambda n: 1,
                fuse=lambda n: 2**n,
                fan=lambda w: w * 4,
            ),
        ),
        "block size doubled": (
            "Each level doubles the context: it is 2**levels, not 2 * levels.",
            _tree(block=lambda n: 2 * n),
        ),
        "always eight": (
            "The context depends on the levels: it is 2**levels.",
            _tree(block=lambda n: 8),
        ),
        "one vector's width": (
            "A Linear reads two vectors side by side: it is twice as wide.",
            _tree(fan=lambda width: width),
        ),
        "hidden below": (
            "The first level reads embeddings: its width is not that of the others.",
            _tree(first=lambda C, H: H),
        ),
        "sizes fixed": (
            "A size is written into the code: use those passed in.",
            _tree(fill={"V": 27}),
            _tree(fill={"C": 24}),
            _tree(fill={"C": 10}),
            _tree(fill={"H": 128}),
        ),
        "no BatchNorm": (
            "The BatchNorm1d layers are missing.",
            _tree(row=_without("BatchNorm1d")),
        ),
        "no tanh": (
            "The Tanh layers are missing: a stack of linear layers is one.",
            _tree(row=_without("Tanh")),
        ),
        "never fused": (
            "The FlattenConsecutive layers are missing: nothing is fused.",
            _tree(row=_without("FlattenConsecutive")),
        ),
        "tanh before BatchNorm": (
            "BatchNorm1d comes before Tanh: it normalises what goes in there.",
            _tree(row=_tanh_first),
        ),
        "BatchNorm first": (
            "BatchNorm1d comes after Linear.",
            _tree(row=_norm_first),
        ),
        "logits squashed": (
            "The logits go through a Tanh: the last layer is a Linear.",
            _tree(row=lambda layers: [*layers, _given().Tanh()]),
        ),
        "one tanh for all": (
            "One Tanh stands in several places: its out keeps the last output alone.",
            _tree(row=_one_tanh),
        ),
        "generator not passed on": (
            "The generator does not reach the layers: no draw can be repeated.",
            _tree(draw=lambda g: None),
        ),
        "last drawn first": (
            "The last Linear is drawn first: draw in the order of the layers.",
            _tree(last_first=True),
        ),
        "own seed without one": (
            "Without a generator all models are the same: torch's own dice serve then.",
            _tree(draw=lambda g: g or seeded(1)),
        ),
        "probabilities": (
            "The model gives probabilities: logits are wanted.",
            _tree(out=lambda self, X: F.softmax(self.net(X), -1)),
            _tree(out=lambda self, X: F.log_softmax(self.net(X), -1)),
        ),
        "letters turned": (
            "The letters are handed over from the last to the first.",
            _tree(out=lambda self, X: self.net(X.flip(1))),
        ),
    },
)


# ---------------------------------------------------------------- smooth_loss


def _slow_blocks(losses: list[float], width: int) -> Tensor:
    means, block = [], []
    for loss in losses:
        block.append(loss)
        if len(block) == width:
            means.append(math.fsum(block) / width)
            block = []
    return torch.tensor(means)


def _slow_average(losses: list[float], beta: float) -> list[float]:
    """With all weights written out, newest first."""
    means = []
    for k in range(1, len(losses) + 1):
        weights = [beta**i for i in range(k)]
        pairs = zip(weights, reversed(losses[:k]), strict=True)
        means.append(sum(w * x for w, x in pairs) / sum(weights))
    return means


def _blocks_case(block_means: Callable, losses: list[float], *width: int) -> Case:
    want = _slow_blocks(losses, *(width or (1000,)))
    inner = call(block_means, losses, *width, expects=want)
    act = lambda: _single(inner.act())  # noqa: E731
    return case(inner.text, act, want, within=NUMBER)


def _single(out: Any) -> Any:
    """Double precision is as good as single."""
    double = isinstance(out, Tensor) and out.dtype == torch.float64
    return out.float() if double else out


def _falling(count: int, seed: int) -> list[float]:
    rng = random.Random(seed)
    return [2 + 1.3 / (1 + i / 9) + rng.gauss(0, 0.2) for i in range(count)]


@exercise("wavenet.smooth_loss", version=2)
def smooth_loss(block_means: Callable, running_mean: Callable) -> Cases:
    for losses, *width in (
        ([4.0, 2.0, 3.0, 1.0, 9.0], 2),
        ([4.0, 2.0, 3.0, 1.0, 9.0, 5.0], 3),
        ([1.0, 2.0, 4.0], 1),
        ([1.0, 2.0, 4.0], 4),
        (_falling(23, 1), 5),
        (_falling(2345, 2),),
        (_falling(2345, 2), 50),
    ):
        yield _blocks_case(block_means, losses, *width)
    for losses, beta in (
        ([4.0, 2.0], 0.5),
        ([4.0, 2.0, 3.0, 1.0, 9.0], 0.5),
        ([7.0], 0.9),
        (_falling(40, 3), 0.9),
        ([], 0.9),
    ):
        want = _slow_average(losses, beta)
        yield call(running_mean, losses, beta, expects=want, within=NUMBER)
    losses = _falling(30, 4)
    want = _slow_average(losses, 0.99)
    yield call(running_mean, losses, expects=want, within=NUMBER)
    losses = _falling(700, 6)
    want = _slow_average(losses, 0.99)
    yield call(running_mean, losses, expects=want, within=NUMBER)
    losses = _falling(random.randint(20, 40), new_seed())
    want = _slow_average(losses, 0.8)
    yield call(running_mean, losses, 0.8, expects=want, within=NUMBER, fresh=True)


def _right_blocks(losses: list[float], width: int = 1000) -> Tensor:
    n = len(losses) // width
    return torch.tensor(losses[: n * width]).view(n, width).mean(1)


def _blocked(change: Callable) -> tuple:
    """block_means with other losses, another shape, or another mean."""
    return (lambda losses, width=1000: change(losses, width)), None


def _averaging(
    start: Callable = lambda losses: 0.0,
    mix: Callable = lambda beta, m, x: beta * m + (1 - beta) * x,
    show: Callable = lambda m, beta, k: m / (1 - beta**k),
    fixed: float | None = None,
    out: Callable = lambda means: means,
) -> tuple:
    """running_mean with one thing done otherwise."""

    def running_mean(losses, beta=0.99):
        beta = fixed or beta
        m, means = start(losses), []
        for k, loss in enumerate(losses, 1):
            m = mix(beta, m, loss)
            means.append(show(m, beta, k))
        return out(means)

    return None, running_mean


def _divided_for_good(losses: list[float], beta: float = 0.99) -> list[float]:
    m, means = 0.0, []
    for k, loss in enumerate(losses, 1):
        m = (beta * m + (1 - beta) * loss) / (1 - beta**k)
        means.append(m)
    return means


def _so_far(losses: list[float], beta: float = 0.99) -> list[float]:
    return [sum(losses[:k]) / k for k in range(1, len(losses) + 1)]


def _sliding(losses: list[float], width: int) -> Tensor:
    windows = range(len(losses) - width + 1)
    return torch.tensor([sum(losses[i : i + width]) / width for i in windows])


def _short_too(losses: list[float], width: int) -> Tensor:
    parts = [losses[i : i + width] for i in range(0, len(losses), width)]
    return torch.tensor([sum(part) / len(part) for part in parts])


def _padded(losses: list[float], width: int) -> Tensor:
    rest = -len(losses) % width
    return torch.tensor([*losses, *[0.0] * rest]).view(-1, width).mean(1)


smooth_loss.table(
    lambda: (_right_blocks, _averaging()[1]),
    {
        "must fit": (
            "The losses may not fill the last block: cut the rest off before the view.",
            _blocked(lambda x, w: torch.tensor(x).view(-1, w).mean(1)),
        ),
        "across blocks": (
            "The mean goes across blocks: take it along each block.",
            _blocked(lambda x, w: _right_view(x, w).mean(0)),
        ),
        "turned": (
            "The view has the sizes the wrong way: a row is a block.",
            _blocked(
                lambda x, w: (
                    torch.tensor(x[: len(x) // w * w]).view(w, len(x) // w).mean(0)
                )
            ),
        ),
        "rest as a block": (
            "What is left over fills no block: it is left out.",
            _blocked(_short_too),
            _blocked(_padded),
        ),
        "rest at the front": (
            "The rest is cut off at the front: leave out the last ones.",
            _blocked(lambda x, w: _right_blocks(x[len(x) % w :], w)),
        ),
        "summed": (
            "The blocks are summed: divide by their width.",
            _blocked(lambda x, w: _right_view(x, w).sum(1)),
        ),
        "sliding": (
            "The blocks overlap: the next one begins where one ends.",
            _blocked(_sliding),
        ),
        "one mean": (
            "One mean of all is given: one for each block is wanted.",
            _blocked(lambda x, w: _right_view(x, w).mean()),
        ),
        "always a thousand": (
            "width is not used.",
            _blocked(lambda x, w: _right_blocks(x)),
        ),
        "one of each": (
            "One loss of each block is taken: average all of them.",
            _blocked(lambda x, w: _right_view(x, w)[:, 0]),
            _blocked(lambda x, w: _right_view(x, w)[:, -1]),
        ),
        "a list": (
            "block_means gives a tensor.",
            _blocked(lambda x, w: _right_blocks(x, w).tolist()),
        ),
        "not divided": (
            "The start pulls at the first means: divide by 1 - beta**k.",
            _averaging(show=lambda m, beta, k: m),
        ),
        "begun at the first": (
            "The average begins with the first loss, which then weighs too much.",
            _averaging(start=lambda x: x[0] if x else 0.0, show=lambda m, beta, k: m),
        ),
        "first and divided": (
            "The average begins at zero: what is divided away is that start.",
            _averaging(start=lambda x: x[0] if x else 0.0),
        ),
        "beta turned": (
            "The old average counts by beta, the new loss by 1 - beta.",
            _averaging(mix=lambda beta, m, x: (1 - beta) * m + beta * x),
        ),
        "counted from zero": (
            "After k losses the divisor is 1 - beta**k: the first one has k = 1.",
            _averaging(show=lambda m, b, k: m / (1 - b ** (k - 1)) if k > 1 else m),
            _averaging(show=lambda m, b, k: m / (1 - b ** (k + 1))),
            _averaging(show=lambda m, b, k: m / (1 - b ** (k - 1))),
        ),
        "divided once": (
            "The divisor depends on k: it comes nearer to one with each loss.",
            _averaging(show=lambda m, b, k: m / (1 - b)),
        ),
        "divided for good": (
            "What is divided is only shown: the average itself goes on undivided.",
            (None, _divided_for_good),
        ),
        "beta fixed": (
            "beta is written into the code: use the one passed in.",
            _averaging(fixed=0.99),
            _averaging(fixed=0.9),
        ),
        "mean so far": (
            "The mean of all losses so far forgets nothing: old ones must fade.",
            (None, _so_far),
        ),
        "last alone": (
            "One number is given: one after each loss is wanted.",
            _averaging(out=lambda means: means[-1] if means else 0.0),
        ),
        "a tensor": (
            "running_mean gives a list of plain numbers.",
            _averaging(out=torch.tensor),
        ),
    },
)


def _right_view(losses: list[float], width: int) -> Tensor:
    n = len(losses) // width
    return torch.tensor(losses[: n * width]).view(n, width)


# ---------------------------------------------------------------- train


_V, _K = 6, 3  # letters and block size of the model that takes notes


@cache
def _noting() -> tuple[type, type]:
    """A layer whose examples depend on each other in training, and a model with one."""

    class Mix(_given().Module):
        def __init__(self, dim: int) -> None:
            self.register_buffer("seen", torch.zeros(dim, dtype=torch.float64))
            self.flags: list[bool] = []

        def forward(self, x: Tensor) -> Tensor:
            self.flags.append(self.training)
            if not self.training:
                return torch.tanh(x - self.seen)
            self.seen = 0.5 * self.seen + 0.5 * x.detach().mean(0)
            return torch.tanh(x - x.mean(0))

    class Letters(_given().Module):
        def __init__(self, seed: int) -> None:
            self.C = normal(_V, 2, seed=seed).requires_grad_()
            self.W = normal(_K * 2, _V, seed=seed + 1, scale=0.7).requires_grad_()
            self.mix = Mix(_V)
            self.mix.seen = normal(_V, seed=seed + 2)
            self.last = Mix(_V)
            self.block_size = _K
            self.notes: list[tuple[list, bool, bool]] = []

        def forward(self, X: Tensor) -> Tensor:
            self.notes.append((X.tolist(), self.training, torch.is_grad_enabled()))
            return self.last(self.mix(self.C[X].reshape(len(X), -1) @ self.W))

    return Mix, Letters


def _letters(seed: int) -> Any:
    return _noting()[1](seed)


@cache
def _contexts(N: int, first: int = 0) -> Data:
    """Different contexts, so that each one tells its place; targets in no order."""
    X = [[i // _V**2 % _V, i // _V % _V, i % _V] for i in range(first, first + N)]
    return torch.tensor(X), torch.randint(0, _V, (N,), generator=seeded(11 + first))


def _flags_of(model: Any) -> list[bool]:
    return [one.training for one in (model, model.mix, model.last)]


def _set_flags(model: Any, flags: list[bool]) -> None:
    for one, flag in zip((model, model.mix, model.last), flags, strict=True):
        one.training = flag


def _all_tensors(model: Any) -> list[Tensor]:
    return [model.C.detach(), model.W.detach(), model.mix.seen, model.last.seen]


def _evaluated(evaluate: Callable, N: int, seed: int, flags: list[bool]) -> Any:
    """What a measurement says, and what it leaves behind."""
    model = _letters(seed)
    _set_flags(model, flags)
    X, Y = _contexts(N, seed)
    before, dice = [t.clone() for t in _all_tensors(model)], _dice()
    value = evaluate(model, X.clone(), Y.clone())
    drawn = dice()
    if type(value) is not float or not model.notes:
        return otherwise(value)
    meanwhile = [*model.mix.flags, *model.last.flags, *(n[1] for n in model.notes)]
    after = _flags_of(model)
    grads = any(note[2] for note in model.notes)
    same = _equal(before, _all_tensors(model))
    return {
        "in training meanwhile": _some(meanwhile),
        "loss": value,
        "gradients": either(grads, "on", "off"),
        "flags afterwards": either(after == flags, "as before", f"{after}"),
        "weights and buffers": either(same, "as they were", "changed"),
        "parameters": _still_learn(model),
        "torch's own dice": drawn,
    }


def _still_learn(model: Any) -> Said:
    both = model.C.requires_grad and model.W.requires_grad
    return either(both, "still learn", "do not learn any more")


def _some(flags: list[bool]) -> Said:
    return Said("all" if all(flags) else "some" if any(flags) else "none")


def _evaluated_case(
    evaluate: Callable, N: int, seed: int, flags: list[bool], **more: Any
) -> Case:
    model = _letters(seed)
    _set_flags(model, [False] * 3)
    X, Y = _contexts(N, seed)
    with torch.no_grad():
        loss = F.cross_entropy(model(X), Y).item()
    want = {
        "in training meanwhile": Said("none"),
        "loss": loss,
        "gradients": Said("off"),
        "flags afterwards": Said("as before"),
        "weights and buffers": Said("as they were"),
        "parameters": Said("still learn"),
        "torch's own dice": Said("not used"),
    }
    text = f"evaluate on {N} pairs, `training` of model and parts {flags}"
    act = lambda: _evaluated(evaluate, N, seed, flags)  # noqa: E731
    return case(text, act, want, **more)


_RATES = (0.5, 0.3, 0.2, 0.7)
_OLD = 0.25  # the gradient that a parameter has before the first step


def _trained(train: Callable, seed: int, size: int = 5) -> Any:
    """What a run of four steps did, done again with the batches that it took."""
    X, Y = _contexts(23)
    model, twin = _letters(seed), _letters(seed)
    _set_flags(model, [False, False, True])
    for p in (model.C, model.W):
        p.grad = torch.full_like(p, _OLD)
    own, asked = (model.C, model.W), []

    def lr(step: int) -> float:
        asked.append(step)
        return _RATES[step % 4] if 0 <= step < 5 else 0.0

    out = train(model, X.clone(), Y.clone(), 4, lr, size, seeded(seed))
    if type(out) is not list or not model.notes:
        return otherwise(out)
    rows = X.tolist()
    batches = [[rows.index(r) for r in note[0] if r in rows] for note in model.notes]
    on = {
        "model": any(note[1] for note in model.notes),
        "first part": any(model.mix.flags),
        "second part": any(model.last.flags),
    }
    losses = [_again(twin, X, Y, b, r) for b, r in zip(batches, _RATES, strict=False)]
    gaps = [
        (a.detach() - b).abs().max() for a, b in zip(own, (twin.C, twin.W), strict=True)
    ]
    moved = any(_gap(p, q) for p, q in zip(own, _fresh_weights(seed), strict=True))
    return {
        "batches of": [len(batch) for batch in batches],
        "in training": _names(name for name, flag in on.items() if flag),
        "rates of the steps": sorted(set(asked)),
        "losses": _losses_said(out, losses),
        "weights": either(
            bool(max(gaps) < 1e-9),
            "moved downhill, step by step",
            "moved otherwise" if moved else "as they were",
        ),
        "tensors": either(
            model.C is own[0] and model.W is own[1], "the same", "new ones"
        ),
        "parameters": _still_learn(model),
    }


def _one_step(train: Callable) -> Any:
    """How both parameters move in one step."""
    X, Y = _contexts(23)
    model, twin = _letters(1), _letters(1)
    for p in (model.C, model.W):
        p.grad = torch.full_like(p, _OLD)
    out = train(model, X, Y, 1, lambda i: 0.5, 5, seeded(1))
    if type(out) is not list or not model.notes:
        return otherwise(out)
    places = [X.tolist().index(row) for row in model.notes[0][0]]
    _set_flags(twin, _flags_of(model))
    loss = F.cross_entropy(twin(X[places]), Y[places])
    grads = torch.autograd.grad(loss, (twin.C, twin.W))
    moved = (model.C - twin.C, model.W - twin.W)
    pairs = zip(moved, grads, strict=True)
    said = [_moved_said(move.detach(), grad, 0.5) for move, grad in pairs]
    return {"a first parameter": said[0], "a second": said[1]}


def _moved_said(move: Tensor, grad: Tensor, lr: float) -> Said:
    steps = {
        "downhill by lr times the gradient": -lr * grad,
        "not at all": grad * 0,
        "uphill": lr * grad,
        "with the old gradients added": -lr * (grad + _OLD),
        "by the whole gradient, without lr": -grad,
    }
    for said, step in steps.items():
        if torch.allclose(move, step, rtol=1e-6, atol=1e-10):
            return Said(said)
    return Said("otherwise")


_DOWN = Said("downhill by lr times the gradient")


def _gap(one: Tensor, two: Tensor) -> bool:
    return not torch.equal(one.detach(), two.detach())


def _fresh_weights(seed: int) -> tuple[Tensor, Tensor]:
    model = _letters(seed)
    return model.C, model.W


def _again(twin: Any, X: Tensor, Y: Tensor, places: list[int], rate: float) -> float:
    """One step of the twin; the loss of its batch."""
    _set_flags(twin, [True] * 3)
    loss = F.cross_entropy(twin(X[places]), Y[places])
    grads = torch.autograd.grad(loss, (twin.C, twin.W))
    for p, grad in zip((twin.C, twin.W), grads, strict=True):
        p.data -= rate * grad
    return loss.item()


def _losses_said(out: list, losses: list[float]) -> Said:
    if any(type(value) is not float for value in out):
        return Said("not all of them plain floats")
    if len(out) != len(losses):
        return Said(f"{len(out)} of {len(losses)} steps")
    near = all(abs(a - b) < 1e-6 for a, b in zip(out, losses, strict=True))
    return either(near, "of each batch", "other numbers")


_TRAINED = {
    "batches of": [5, 5, 5, 5],
    "in training": Said("first part, model, second part"),
    "rates of the steps": [0, 1, 2, 3],
    "losses": Said("of each batch"),
    "weights": Said("moved downhill, step by step"),
    "tensors": Said("the same"),
    "parameters": Said("still learn"),
}


def _drawing(train: Callable) -> Any:
    """How the batches of a few steps are drawn, one of them large."""
    X, Y = _contexts(23)
    rows = X.tolist()

    def batches(steps: int, seed: int | None, size: int = 6) -> list[list[int]]:
        model, g = _letters(1), None if seed is None else seeded(seed)
        train(model, X, Y, steps, lambda i: 0.0, size, g)
        return [[rows.index(r) for r in note[0] if r in rows] for note in model.notes]

    some, again, other = batches(2, 1), batches(2, 1), batches(2, 2)
    large = batches(1, 3, 300)
    free, anew = batches(2, None, 40), batches(2, None, 40)
    if len(some) < 2 or len(free) < 2 or not large:
        return {"batches": len(some)}
    return {
        "each step": either(some[0] != some[1], "a new batch", "the same one"),
        "the first batch": either(some[0] == [*range(6)], "the first rows", "drawn"),
        "rows ever drawn": {23: Said("all"), 22: Said("all but one")}.get(
            len(set(large[0])), Said("few")
        ),
        "the same generator": either(again == some, "the same batches", "others"),
        "another generator": either(other != some, "others", "the same batches"),
        "without one, the steps": either(free[0] != free[1], "differ", "are the same"),
        "without one, two runs": either(free != anew, "differ", "are the same"),
    }


_DRAWING = {
    "each step": Said("a new batch"),
    "the first batch": Said("drawn"),
    "rows ever drawn": Said("all"),
    "the same generator": Said("the same batches"),
    "another generator": Said("others"),
    "without one, the steps": Said("differ"),
    "without one, two runs": Said("differ"),
}


def _rows_by_default(train: Callable) -> int:
    model = _letters(1)
    train(model, *_contexts(40), 1, lambda i: 0.1)
    return len(model.notes[0][0])


@cache
def _name_pairs(first: int, k: int = 8, count: int = 400) -> Data:
    """Pairs of some of the names that we ship: k letters, and the next."""
    names = (root() / "data" / "sample_names.txt").read_text("ascii").split()
    rows = [f"{'.' * k}{name}." for name in names[first::8][:count]]
    rows = [row[i : i + k + 1] for row in rows for i in range(len(row) - k)]
    table = [[".abcdefghijklmnopqrstuvwxyz".index(c) for c in row] for row in rows]
    pairs = torch.tensor(table)
    return pairs[:, :k], pairs[:, k]


def _on_names(evaluate: Callable, train: Callable) -> Any:
    """A small tree on some names."""
    model = _given().WaveNet(27, 6, 24, 3, seeded(1))
    ours, theirs = _name_pairs(0), _name_pairs(4)
    first = evaluate(model, *theirs)
    train(model, *ours, 120, lambda i: 0.2, 32, seeded(2))
    last = evaluate(model, *theirs)
    if type(first) is not float or type(last) is not float:
        return otherwise(first)
    return {
        "dev loss at first": _between(first, 3.2, 3.4),
        "dev loss after 120 steps": _between(last, 2.3, 2.9),
    }


_ON_NAMES = {
    "dev loss at first": Said("between 3.2 and 3.4"),
    "dev loss after 120 steps": Said("between 2.3 and 2.9"),
}


@exercise("wavenet.train", version=2, limit=10)
def train(evaluate: Callable, train: Callable) -> Cases:
    for N, seed, flags in (
        (9, 1, [True, True, True]),
        (6, 2, [True, False, True]),
        (7, 3, [False, False, False]),
        (1, 4, [True, True, True]),
        (150, 5, [False, True, False]),
    ):
        yield _evaluated_case(evaluate, N, seed, flags)
    want = {"a first parameter": _DOWN, "a second": _DOWN}
    yield case("train: one step with lr(0) = 0.5", lambda: _one_step(train), want)
    text = "train: 4 steps on 23 pairs, batch_size=5"
    yield case(text, lambda: _trained(train, 1), _TRAINED)
    yield case("train: the batches that are drawn", lambda: _drawing(train), _DRAWING)
    text = "train: rows in a batch, where batch_size is not given"
    yield case(text, lambda: _rows_by_default(train), 32)
    seed = new_seed()
    yield _evaluated_case(evaluate, 8, seed % 50, [True, False, True], fresh=True)
    yield case(
        "train: another model", lambda: _trained(train, seed), _TRAINED, fresh=True
    )
    text = "a small tree on 400 names"
    yield case(text, lambda: _on_names(evaluate, train), _ON_NAMES, once=True)


def _measuring(
    before: Callable = lambda model: _switch(model, False),
    after: Callable = lambda model, flags: _put_back(model, flags),
    off: Callable = torch.no_grad,
    loss: Callable = lambda model, X, Y: F.cross_entropy(model(X), Y),
    out: Callable = lambda loss: loss.item(),
) -> tuple:
    """evaluate with one thing done otherwise."""

    def evaluate(model, X, Y):
        flags = [(one, one.training) for _, one in model.named_modules()]
        before(model)
        with off():
            value = out(loss(model, X, Y))
        after(model, flags)
        return value

    return evaluate, None


def _switch(model: Any, flag: bool) -> None:
    for _, one in model.named_modules():
        one.training = flag


def _put_back(model: Any, flags: list[tuple[Any, bool]]) -> None:
    for one, flag in flags:
        one.training = flag


def _own_only(model: Any) -> None:
    model.training = False


def _own_back(model: Any, flags: list[tuple[Any, bool]]) -> None:
    model.training = flags[0][1]


def _all_as_own(model: Any, flags: list[tuple[Any, bool]]) -> None:
    _switch(model, flags[0][1])


def _mean_of_means(model: Any, X: Tensor, Y: Tensor) -> Tensor:
    chunks = zip(X.split(32), Y.split(32), strict=True)
    return torch.stack([F.cross_entropy(model(x), y) for x, y in chunks]).mean()


def _first_rows(model: Any, X: Tensor, Y: Tensor) -> Tensor:
    return F.cross_entropy(model(X[:32]), Y[:32])


def _of_odds(model: Any, X: Tensor, Y: Tensor) -> Tensor:
    return F.cross_entropy(F.softmax(model(X), 1), Y)


def _total(model: Any, X: Tensor, Y: Tensor) -> Tensor:
    return F.cross_entropy(model(X), Y, reduction="sum")


class _Nothing:
    """no_grad, left out."""

    def __enter__(self) -> None: ...

    def __exit__(self, *error: Any) -> None: ...


def _training(
    mode: Callable = lambda model: _switch(model, True),
    draw: Callable = lambda n, size, g, step: torch.randint(0, n, (size,), generator=g),
    pairs: Callable = lambda X, Y, ix: (X[ix], Y[ix]),
    rate: Callable = lambda lr, step: lr(step),
    move: Callable = lambda p, lr, grad: p.data.sub_(lr * grad),
    zero: bool = True,
    losses: Callable = lambda losses: losses,
    note: Callable = lambda loss: loss.item(),
    size: Callable = lambda n: n,
    count: Callable = lambda steps: steps,
    learned: Callable = lambda model: model.parameters(),
) -> tuple:
    """train with one thing done otherwise."""

    def train(model, X, Y, steps, lr, batch_size=32, generator=None):
        mode(model)
        noted = []
        for step in range(count(steps)):
            ix = draw(len(X), size(batch_size), generator, step)
            x, y = pairs(X, Y, ix)
            loss = F.cross_entropy(model(x), y)
            if zero:
                for p in model.parameters():
                    p.grad = None
            loss.backward()
            for p in learned(model):
                move(p, rate(lr, step), p.grad)
            noted.append(note(loss))
        return losses(noted)

    return None, train


def _own_on(model: Any) -> None:
    model.training = True


def _seeded(n: int, size: int, g: Any, step: int) -> Tensor:
    return torch.randint(0, n, (size,), generator=seeded(1))


def _in_order(n: int, size: int, g: Any, step: int) -> Tensor:
    return (torch.arange(size) + step * size) % n


def _first_batch(n: int, size: int, g: Any, step: int) -> Tensor:
    return torch.arange(size) % n


train.table(
    lambda: (_measuring()[0], _training()[1]),
    {
        "measured in training": (
            "The model is in training while it is measured: call eval() first.",
            _measuring(before=lambda model: None),
            _measuring(before=lambda model: _switch(model, True)),
        ),
        "own flag alone": (
            "Only the model's own flag is set: its layers stay in training.",
            _measuring(before=_own_only),
        ),
        "left in use": (
            "The model is left in use: put its flags back.",
            _measuring(after=lambda model, flags: None),
        ),
        "always back to training": (
            "Afterwards all are in training: put each flag back as it was found.",
            _measuring(after=lambda model, flags: _switch(model, True)),
        ),
        "one flag for all": (
            "Each module has a flag of its own: put each back as it was found.",
            _measuring(after=_all_as_own),
        ),
        "own flag back": (
            "Only the model's own flag is put back: those of its parts are not.",
            _measuring(after=_own_back),
        ),
        "gradients on": (
            "The graph of all pairs is built: measure under torch.no_grad().",
            _measuring(off=_Nothing),
        ),
        "mean of means": (
            "A mean of means is wrong where the last chunk is short.",
            _measuring(loss=_mean_of_means),
        ),
        "first rows": (
            "A part of the pairs is measured: take all of them.",
            _measuring(loss=_first_rows),
        ),
        "summed": (
            "The losses are summed: the mean is wanted.",
            _measuring(loss=_total),
        ),
        "odds for logits": (
            "F.cross_entropy wants logits: it does the softmax itself.",
            _measuring(loss=_of_odds),
        ),
        "a tensor": (
            "The loss is a tensor: `.item()` makes a plain number of it.",
            _measuring(out=lambda loss: loss),
        ),
        "not in training": (
            "The model may have been left in use: call train() before the steps.",
            _training(mode=lambda model: None),
            _training(mode=lambda model: _switch(model, False)),
        ),
        "training of its own flag": (
            "Only the model's own flag is set: its layers train in use.",
            _training(mode=_own_on),
        ),
        "one batch for ever": (
            "The same batch comes in each step: draw a new one with the generator.",
            _training(draw=_seeded),
            _training(draw=_first_batch),
        ),
        "in order": (
            "The batches follow the order of the data: draw them at random.",
            _training(draw=_in_order),
        ),
        "generator not used": (
            "The generator is not used: a run cannot be repeated.",
            _training(draw=lambda n, size, g, step: torch.randint(0, n, (size,))),
        ),
        "own seed without one": (
            "Without a generator each run is the same: leave the draw to torch then.",
            _training(
                draw=lambda n, size, g, step: torch.randint(
                    0, n, (size,), generator=g or seeded(1)
                )
            ),
        ),
        "last row never": (
            "The last pair is never drawn: randint leaves its upper end out already.",
            _training(
                draw=lambda n, size, g, step: torch.randint(
                    0, n - 1, (size,), generator=g
                )
            ),
        ),
        "other targets": (
            "Contexts and targets are taken at different places.",
            _training(pairs=lambda X, Y, ix: (X[ix], Y[: len(ix)])),
        ),
        "one rate": (
            "lr is asked once: ask it for the rate of each step.",
            _training(rate=lambda lr, step: lr(0)),
        ),
        "rate of the next step": (
            "Step i uses lr(i), counted from 0.",
            _training(rate=lambda lr, step: lr(step + 1)),
        ),
        "uphill": (
            "The step goes uphill: subtract.",
            _training(move=lambda p, lr, grad: p.data.add_(lr * grad)),
        ),
        "not moved": (
            "`p = p - …` names a new tensor: change the parameter in place.",
            _training(move=lambda p, lr, grad: p - lr * grad),
        ),
        "old gradients": (
            "Old gradients are never forgotten: they pile up.",
            _training(zero=False),
        ),
        "half of it learns": (
            "A parameter is left out of the step.",
            _training(learned=lambda model: model.parameters()[1:]),
            _training(learned=lambda model: model.parameters()[:-1]),
        ),
        "batch size not used": (
            "batch_size is not used.",
            _training(size=lambda n: 32),
        ),
        "one step too many": (
            "There is one step too many.",
            _training(count=lambda steps: steps + 1),
        ),
        "one step too few": (
            "There is one step too few.",
            _training(count=lambda steps: steps - 1),
        ),
        "last loss alone": (
            "One loss is given: the loss of each batch is wanted.",
            _training(losses=lambda losses: losses[-1]),
        ),
        "losses as tensors": (
            "The losses are tensors, and each keeps its graph: take `.item()`.",
            _training(note=lambda loss: loss),
            _training(note=lambda loss: loss.detach()),
        ),
    },
)


# ---------------------------------------------------------------- conv_equals_tree


def _slow_level(x: Tensor, weight: Tensor, d: int) -> Tensor:
    """Place by place."""
    places = range(x.shape[1] - d)
    return torch.stack(
        [torch.cat([x[:, t], x[:, t + d]], 1) @ weight for t in places], 1
    )


def _level(dilated: Callable, x: Tensor, weight: Tensor, d: int) -> Any:
    one, two = x.clone().requires_grad_(), weight.clone().requires_grad_()
    out = dilated(one, two, d)
    if not isinstance(out, Tensor) or out.shape[1:2] != (x.shape[1] - d,):
        return out if isinstance(out, Tensor) else otherwise(out)
    if out.shape != (len(x), x.shape[1] - d, weight.shape[1]):
        return out
    return {"output": out.detach()} | _with_slopes(out, x=one, weight=two)


def _level_case(dilated: Callable, x: Tensor, weight: Tensor, d: int, **o: Any) -> Case:
    one, two = x.clone().requires_grad_(), weight.clone().requires_grad_()
    out = _slow_level(one, two, d)
    want = {"output": out.detach()} | _with_slopes(out, x=one, weight=two)
    small = x.numel() <= 4
    said = (
        f"x {x.tolist()}, weight {weight.tolist()}"
        if small
        else (f"x {tuple(x.shape)}, weight {tuple(weight.shape)}")
    )
    act = lambda: _level(dilated, x, weight, d)  # noqa: E731
    return case(f"dilated: {said}, dilation {d}", act, want, **o)


def _slow_nodes(T: int, levels: int) -> tuple[int, int]:
    """By counting places, level by level."""
    width, shared = T + 2**levels - 1, 0
    for level in range(levels):
        width -= 2**level
        shared += width
    tree = sum(2**level for level in range(levels))
    return T * tree, shared


def _spread(CausalDilatedWaveNet: type, sizes: dict, N: int, T: int, seed: int) -> Any:
    """The logits after each letter, what they cost, and whose layers they come from."""
    tree = stage("wavenet", CausalDilatedWaveNet).WaveNet(**sizes)
    if odd := _drawn_layers(tree, seed + 1):
        return odd
    rows: list[int] = []
    for layer in _row_of(tree) or ():
        if type(layer).__name__ == "Tanh":
            layer.forward = _counting(rows)
    model = CausalDilatedWaveNet(tree)
    flags = all(one.training for one in _walk(tree))
    _go_on(tree, seed)
    _in_use(model)
    X = torch.randint(0, sizes["vocab_size"], (N, T), generator=seeded(seed))
    before = X.clone()
    with torch.no_grad():
        out = model(X)
    if not isinstance(out, Tensor):
        return otherwise(out)
    own = {id(p) for p in _learned(tree)}
    shared = {id(p) for p in _learned(model)} == own
    fair = sum(rows) <= N * _slow_nodes(T, sizes["levels"])[1]
    return {
        "logits": out,
        "parameters": either(shared, "the tree's own", "others"),
        "nodes": either(fair, "each once", "a tree for each letter"),
        "X": either(torch.equal(X, before), "as it was", "changed"),
        "training of the tree": either(flags, "as it was", "changed"),
    }


def _go_on(tree: Any, seed: int) -> None:
    """Give a tree the numbers of a seed in place, as training does."""
    meant = _given().WaveNet(*_sizes_read(tree))
    _drawn_layers(meant, seed)
    for mine, right in zip(_row_of(tree) or (), _row_of(meant) or (), strict=True):
        for name, value in list(vars(right).items()):
            if isinstance(value, Tensor) and value.requires_grad:
                getattr(mine, name).data.copy_(value.detach())
            elif isinstance(value, Tensor):
                setattr(mine, name, value.clone())


def _sizes_read(tree: Any) -> tuple[int, int, int, int]:
    """Letters, embedding, hidden units and levels of a tree."""
    layers = _row_of(tree) or ()
    return *layers[0].weight.shape, len(layers[-1].weight), len(layers) // 4


def _learning(CausalDilatedWaveNet: type) -> Any:
    """Which parameters of a tree get no gradient through the convolution."""
    tree = stage("wavenet", CausalDilatedWaveNet).WaveNet(**_DEEP)
    if odd := _drawn_layers(tree, 3):
        return odd
    out = CausalDilatedWaveNet(tree)(torch.tensor([[1, 4, 2]]))
    if not isinstance(out, Tensor) or not out.requires_grad:
        return otherwise(out) if not isinstance(out, Tensor) else {"without": "all"}
    named = {
        f"{i}.{name}": value
        for i, layer in enumerate(_row_of(tree) or ())
        for name, value in vars(layer).items()
        if isinstance(value, Tensor) and value.requires_grad and value.is_leaf
    }
    weights = torch.arange(1.0, out.numel() + 1, dtype=out.dtype).view(out.shape)
    slopes = torch.autograd.grad(
        (out * weights).sum(), named.values(), allow_unused=True
    )
    pairs = zip(named, slopes, strict=True)
    return {"without a gradient": _names(name for name, g in pairs if g is None)}


def _counting(rows: list[int]) -> Callable:
    def forward(x: Tensor) -> Tensor:
        rows.append(x[..., 0].numel())
        return torch.tanh(x)

    return forward


@cache
def _slow_spread(sizes: tuple[int, ...], N: int, T: int, seed: int) -> Tensor:
    """The logits after each letter, by a tree for each, node by node."""
    tree = _given().WaveNet(*sizes)
    _drawn_layers(tree, seed)
    numbers, k = _numbers(tree), 2 ** sizes[-1]
    X = torch.randint(0, sizes[0], (N, T), generator=seeded(seed))
    contexts = F.pad(X, (k - 1, 0)).unfold(1, k, 1)
    rows = [[_slow_logits(numbers, c) for c in text] for text in contexts.tolist()]
    return torch.stack([torch.stack(row) for row in rows])


def _spread_case(
    Causal: type, sizes: dict, N: int, T: int, seed: int, **o: Any
) -> Case:
    want = {
        "logits": _slow_spread(tuple(sizes.values()), N, T, seed),
        "parameters": Said("the tree's own"),
        "nodes": Said("each once"),
        "X": Said("as it was"),
        "training of the tree": Said("as it was"),
    }
    k = 2 ** sizes["levels"]
    text = f"CausalDilatedWaveNet of a tree over {k} letters, {N} texts of {T}"
    act = lambda: _spread(Causal, sizes, N, T, seed)  # noqa: E731
    return case(text, act, want, **o)


@exercise("wavenet.conv_equals_tree", version=2, limit=12)
def conv_equals_tree(
    dilated: Callable, nodes: Callable, CausalDilatedWaveNet: type
) -> Cases:
    x, weight = doubles([[[1.0], [2.0], [3.0], [4.0]]]), doubles([[1.0], [10.0]])
    yield _level_case(dilated, x, weight, 2)
    for (N, T, C), H, d in (
        ((2, 7, 3), 5, 1),
        ((3, 9, 2), 4, 4),
        ((1, 5, 4), 4, 2),
        ((4, 3, 2), 3, 2),
    ):
        x, weight = normal(N, T, C, seed=T), normal(2 * C, H, seed=H)
        yield _level_case(dilated, x, weight, d)
    for T, *levels in ((8,), (1, 3), (5, 1), (100, 2), (20, 10), (1, 1)):
        want = _slow_nodes(T, *(levels or [3]))
        yield call(nodes, T, *levels, expects=want, within=EXACT)
    for sizes, N, T, seed in (
        (_SIZES, 1, 3, 1),
        (_DEEP, 2, 11, 2),
        (_SIZES | {"levels": 1}, 3, 4, 3),
        (_DEEP, 1, 1, 4),
        (_DEEP | {"levels": 4}, 1, 3, 5),
    ):
        yield _spread_case(CausalDilatedWaveNet, sizes, N, T, seed)
    text = "parameters of the tree that get no gradient"
    want = {"without a gradient": Said("none")}
    yield case(text, lambda: _learning(CausalDilatedWaveNet), want)
    seed = new_seed()
    yield _spread_case(CausalDilatedWaveNet, _SIZES, 2, 6, seed, fresh=True)


def _conv(
    kernel: Callable = lambda W, C: W.view(2, C, -1).permute(2, 1, 0),
    dilation: Callable = lambda d: d,
    back: Callable = lambda out: out.transpose(1, 2),
    ready: Callable = lambda x, d: x.transpose(1, 2),
) -> Callable:
    """dilated with one thing done otherwise."""

    def dilated(x, weight, d):
        K = kernel(weight, x.shape[2])
        return back(F.conv1d(ready(x, d), K, dilation=dilation(d)))

    return dilated


def _right_nodes(T: int, levels: int = 3) -> tuple[int, int]:
    return _slow_nodes(T, levels)


def _padded_level(x: Tensor, d: int) -> Tensor:
    return F.pad(x.transpose(1, 2), (d, 0))


def _wave(
    pad: Callable = lambda X, k: F.pad(X, (k - 1, 0)),
    embed: Callable = lambda embedding, X, k: embedding(X),
    fuse: Callable = lambda x, W, i, n: _conv()(x, W, 2**i),
    nodes_of: Callable = lambda norm, tanh, z: tanh(norm(z)),
    out: Callable = lambda last, x: last(x),
    keep: Callable = lambda tree: tree,
) -> tuple:
    """CausalDilatedWaveNet with one thing done otherwise."""

    def __init__(self, tree):
        self.tree = keep(tree)

    def forward(self, X):
        embedding, *levels, last = self.tree.net
        k = self.tree.block_size
        x = embed(embedding, pad(X, k), k)
        for i in range(0, len(levels), 4):
            _, linear, norm, tanh = levels[i : i + 4]
            z = fuse(x, linear.weight, i // 4, len(levels) // 4)
            x = nodes_of(norm, tanh, z)
        return out(last, x)

    made = _like(_given().CausalDilatedWaveNet, __init__=__init__, forward=forward)
    return None, None, made


def _tree_for_each(self: Any, X: Tensor) -> Tensor:
    k = self.tree.block_size
    contexts = F.pad(X, (k - 1, 0)).unfold(1, k, 1)  # (N, T, k)
    return self.tree(contexts.reshape(-1, k)).view(*X.shape, -1)


def _zeros_in_front(x: Tensor, W: Tensor, i: int, n: int) -> Tensor:
    return _conv(ready=lambda x, d: _padded_level(x, d))(x, W, 2**i)


def _first_node_again(embedding: Any, X: Tensor, k: int) -> Tensor:
    x = embedding(X)
    return torch.cat([x[:, :1].expand(-1, k - 1, -1), x], 1)


def _zero_vectors(embedding: Any, X: Tensor, k: int) -> Tensor:
    return F.pad(embedding(X), (0, 0, k - 1, 0))


def _d(**how: Any) -> tuple:
    return _conv(**how), None, None


def _n(count: Callable) -> tuple:
    return None, (lambda T, levels=3: count(T, levels)), None


conv_equals_tree.table(
    lambda: (_conv(), _right_nodes, _given().CausalDilatedWaveNet),
    {
        "halves swapped": (
            "The halves of the weight are swapped: the earlier letter comes first.",
            _d(kernel=lambda W, C: W.view(2, C, -1).permute(2, 1, 0).flip(2)),
        ),
        "kernel mixed": (
            "The kernel mixes channels and letters: view (2, C, H), then permute.",
            _d(kernel=lambda W, C: W.T.reshape(-1, C, 2)),
            _d(kernel=lambda W, C: W.reshape(-1, C, 2)),
            _d(kernel=lambda W, C: W.view(C, 2, -1).permute(2, 0, 1)),
        ),
        "dilation not used": (
            "The dilation is not used: neighbours are fused at each level.",
            _d(dilation=lambda d: 1),
        ),
        "dilation doubled": (
            "The dilation is doubled: node t meets x[t] and x[t + dilation].",
            _d(dilation=lambda d: 2 * d),
        ),
        "not turned back": (
            "F.conv1d gives (N, H, T): turn it back.",
            _d(back=lambda out: out),
        ),
        "reshaped back": (
            "reshape mixes channels and time: transpose them.",
            _d(back=lambda out: out.reshape(len(out), out.shape[2], out.shape[1])),
        ),
        "padded inside": (
            "Zeros are put in front here: T - dilation places are wanted.",
            _d(ready=_padded_level),
        ),
        "shared without dots": (
            "The dots in front have nodes too: the lower levels have more than T.",
            _n(lambda T, n: (T * (2**n - 1), n * T)),
        ),
        "nodes of letters": (
            "The letters are no nodes: a tree over 2**levels has 2**levels - 1.",
            _n(lambda T, n: (T * 2**n, _right_nodes(T, n)[1])),
            _n(lambda T, n: (T * (2 ** (n + 1) - 1), _right_nodes(T, n)[1])),
        ),
        "without padding": (
            "With dots in front the last level has T places, and not fewer.",
            _n(
                lambda T, n: (
                    T * (2**n - 1),
                    sum(T - 2**i + 1 for i in range(1, n + 1)),
                )
            ),
        ),
        "all as wide": (
            "Each level loses its dilation: they have fewer and fewer places.",
            _n(lambda T, n: (T * (2**n - 1), n * (T + 2**n - 1))),
        ),
        "one level": (
            "Only one level is counted.",
            _n(lambda T, n: (T * (2**n - 1), T)),
        ),
        "counts swapped": (
            "The trees come first, then the convolution.",
            _n(lambda T, n: _right_nodes(T, n)[::-1]),
        ),
        "tree for each letter": (
            "Every letter gets a tree of its own: share the nodes by convolution.",
            (
                None,
                None,
                _like(_given().CausalDilatedWaveNet, forward=_tree_for_each),
            ),
        ),
        "neighbours at each level": (
            "The dilation stays 1: it doubles from level to level.",
            _wave(fuse=lambda x, W, i, n: _conv()(x, W, 1)),
        ),
        "dilation i + 1": (
            "The dilations are 1, 2, 3: they double, 1, 2, 4.",
            _wave(fuse=lambda x, W, i, n: _conv()(x, W, i + 1)),
        ),
        "from large to small": (
            "The dilation is largest first: the first level fuses neighbours.",
            _wave(fuse=lambda x, W, i, n: _conv()(x, W, 2 ** (n - 1 - i))),
        ),
        "dots behind": (
            "The dots stand behind the text: then a place sees the letters to come.",
            _wave(pad=lambda X, k: F.pad(X, (0, k - 1))),
        ),
        "dots around": (
            "Dots stand on both sides: then a place sees letters to come.",
            _wave(pad=lambda X, k: F.pad(X, ((k - 1) // 2, k - 1 - (k - 1) // 2))),
        ),
        "no dots": (
            "Without dots in front the first letters have no output.",
            _wave(pad=lambda X, k: X),
        ),
        "one dot too many": (
            "There is one dot too many: block_size - 1 stand before the first letter.",
            _wave(pad=lambda X, k: F.pad(X, (k, 0))),
        ),
        "zeros for dots": (
            "Zero vectors stand in front: a dot has an embedding, put dots there.",
            _wave(pad=lambda X, k: X, embed=_zero_vectors),
        ),
        "zeros at each level": (
            "Zeros are put in front of each level: a node of dots is not zero.",
            _wave(pad=lambda X, k: X, fuse=_zeros_in_front),
        ),
        "first letter repeated": (
            "The first letter stands in front again and again: dots belong there.",
            _wave(pad=lambda X, k: X, embed=_first_node_again),
        ),
        "no BatchNorm": (
            "The BatchNorm1d of each level is left out.",
            _wave(nodes_of=lambda norm, tanh, z: tanh(z)),
        ),
        "no tanh": (
            "The Tanh of each level is left out.",
            _wave(nodes_of=lambda norm, tanh, z: norm(z)),
        ),
        "last place alone": (
            "Only the last letter has logits: each one is wanted.",
            _wave(out=lambda last, x: last(x[:, -1])),
            _wave(out=lambda last, x: last(x[:, -1:])),
        ),
        "no last layer": (
            "The last layer is missing: logits are wanted.",
            _wave(out=lambda last, x: x),
        ),
        "put in use": (
            "The tree is put in use by being looked at: leave its flags alone.",
            _wave(keep=lambda tree: tree.eval()),
        ),
        "weights cut off": (
            "The weights are cut off: through the convolution they learn nothing.",
            _wave(fuse=lambda x, W, i, n: _conv()(x, W.detach(), 2**i)),
        ),
        "a copy": (
            "The layers are copied: share those of the tree.",
            _wave(keep=copy.deepcopy),
        ),
    },
)


# ---------------------------------------------------------------- to_torch_nn


def _layers_of(module: Any) -> dict[str, Any]:
    """One of each kind of layer of ours, of sizes that differ, by a short name."""
    made = {
        "Embedding(7, 3)": module.Embedding(7, 3),
        "FlattenConsecutive(2)": module.FlattenConsecutive(2),
        "FlattenConsecutive(4)": module.FlattenConsecutive(4),
        "Linear(6, 5)": module.Linear(6, 5),
        "Linear(6, 5, bias=False)": module.Linear(6, 5, False),
        "Linear(4, 4)": module.Linear(4, 4),
        "BatchNorm1d(5)": module.BatchNorm1d(5),
        "BatchNorm1d(3, 0.5, 0.2)": module.BatchNorm1d(3, 0.5, 0.2),
        "Tanh()": module.Tanh(),
    }
    for i, layer in enumerate(made.values()):
        for name, value in list(vars(layer).items()):
            if isinstance(value, Tensor):
                new = torch.randn(value.shape, generator=seeded(10 * i + len(name)))
                new = new.abs() + 0.5 if name.endswith("var") else new
                holding(layer, **{name: new})
    return made


_THEIRS = (
    *("Embedding", "FlattenConsecutive", "FlattenConsecutive", "Linear", "Linear"),
    *("Linear", "BatchNorm1d", "BatchNorm1d", "Tanh"),
)
_KNOWN = {"Fuse": "FlattenConsecutive", "NormLast": "BatchNorm1d"}


def _made_anew(fresh: Callable, name: str) -> Any:
    """What PyTorch's layer is, and what it is made of."""
    layer = _layers_of(stage("wavenet", fresh))[name]
    new = fresh(layer)
    if not isinstance(new, torch.nn.Module):
        return otherwise(new)
    return _described(new)


def _described(new: torch.nn.Module) -> dict[str, Any]:
    kind_of = type(new).__name__
    found = {"kind": Said(_KNOWN.get(kind_of, kind_of))}
    state = new.state_dict().items()
    found["shapes"] = {k: list(v.shape) for k, v in sorted(state) if v.ndim}
    if isinstance(new, torch.nn.BatchNorm1d):
        found |= {"eps": new.eps, "momentum": new.momentum or 0.0}
    if found["kind"] == "FlattenConsecutive":
        x = torch.arange(16.0).view(2, 8, 1)
        found["shape of x (2, 8, 1)"] = list(new(x).shape)
    return found


def _wanted_anew(name: str) -> dict[str, Any]:
    kinds = {
        "Embedding(7, 3)": torch.nn.Embedding(7, 3),
        "Linear(6, 5)": torch.nn.Linear(6, 5),
        "Linear(6, 5, bias=False)": torch.nn.Linear(6, 5, bias=False),
        "Linear(4, 4)": torch.nn.Linear(4, 4),
        "BatchNorm1d(5)": torch.nn.BatchNorm1d(5),
        "BatchNorm1d(3, 0.5, 0.2)": torch.nn.BatchNorm1d(3, 0.5, 0.2),
        "Tanh()": torch.nn.Tanh(),
    }
    if name in kinds:
        return _described(kinds[name])
    n = int(name[-2])
    shape = {"shape of x (2, 8, 1)": [2, 8 // n, n]}
    return {"kind": Said("FlattenConsecutive"), "shapes": {}} | shape


def _moved_over(numbers: Callable, name: str) -> Any:
    """What the state of one layer looks like under PyTorch's names."""
    layer = _layers_of(stage("wavenet", numbers))[name]
    before = {k: v.detach().clone() for k, v in vars(layer).items() if _tensor(v)}
    out = numbers(layer)
    if not isinstance(out, dict):
        return otherwise(out)
    same = all(torch.equal(getattr(layer, k).detach(), v) for k, v in before.items())
    found = {k: v for k, v in out.items() if k != "num_batches_tracked"}
    if odd := [k for k, v in found.items() if not isinstance(v, Tensor)]:
        return {"state": Said(f"{odd[0]} is {kind(found[odd[0]])}")}
    said = {k: v.detach() for k, v in found.items()}
    return said | {"the layer": either(same, "as it was", "changed")}


def _wanted_numbers(name: str) -> dict[str, Any]:
    layer = _layers_of(_given())[name]
    own = {k: v.detach() for k, v in vars(layer).items() if isinstance(v, Tensor)}
    names = {"gamma": "weight", "beta": "bias"}
    state = {names.get(k, k): v for k, v in own.items()}
    if name.startswith("Linear"):
        state["weight"] = torch.stack(list(state["weight"].unbind(1)))
    return state | {"the layer": Said("as it was")}


_HALF = {"vocab_size": 7, "embedding": 4, "hidden": 8, "levels": 2}


def _small(module: Any, sizes: dict[str, int], seed: int) -> Any:
    """A model with random numbers everywhere, in single precision."""
    model = module.WaveNet(**sizes, generator=seeded(seed))
    for i, layer in enumerate(model.net):
        for name, value in list(vars(layer).items()):
            if isinstance(value, Tensor):
                new = torch.randn(
                    value.shape, generator=seeded(seed + 10 * i + len(name))
                )
                new = new.abs() + 0.5 if name.endswith("var") else new * 0.8
                holding(layer, **{name: new})
    return model


def _both_asked(
    to_torch: Callable, sizes: dict[str, int], seed: int, flag: bool
) -> Any:
    """The outputs of PyTorch's model, in training and in use, and what it shares."""
    model = _small(stage("wavenet", to_torch), sizes, seed)
    for one in _walk(model):
        one.training = flag
    theirs = to_torch(model)
    if not isinstance(theirs, torch.nn.Sequential):
        return otherwise(theirs)
    still = all(one.training is flag for one in _walk(model))
    X = torch.randint(
        0, sizes["vocab_size"], (6, 2 ** sizes["levels"]), generator=seeded(1)
    )
    ours = sum(float(p.detach().abs().sum()) for p in _learned(model))
    moved = sum(float(p.detach().abs().sum()) for p in theirs.parameters())
    if abs(moved - ours) > 1e-3 and len(theirs) == len(_row_of(model) or ()):
        return {"weights": Said("others than ours")}
    shares = [t for one in _walk(model) for t in _tensors_of(one)]
    both = [*theirs.parameters(), *theirs.buffers()]
    found: dict[str, Any] = {
        "training": _some([one.training for one in theirs.modules()]),
        "our flags": either(still, "as they were", "changed"),
        "parameters": sum(p.numel() for p in theirs.parameters()),
    }
    with torch.no_grad():
        found |= {"in use": theirs.eval()(X), "in training": theirs.train()(X)}
        found["in use afterwards"] = theirs.eval()(X)
    own = {t.data_ptr() for t in shares}
    shared = any(p.data_ptr() in own for p in both)
    learn = all(p.requires_grad for p in theirs.parameters())
    return found | {
        "numbers": either(not shared, "of its own", "shared"),
        "parameters learn": learn,
    }


def _ours_asked(sizes: dict[str, int], seed: int, flag: bool) -> dict[str, Any]:
    model = _small(_given(), sizes, seed)
    X = torch.randint(
        0, sizes["vocab_size"], (6, 2 ** sizes["levels"]), generator=seeded(1)
    )
    with torch.no_grad():
        outs = [model.train(mode)(X) for mode in (False, True, False)]
    return {
        "training": _some([flag]),
        "our flags": Said("as they were"),
        "parameters": sum(p.numel() for p in model.parameters()),
        "in use": outs[0],
        "in training": outs[1],
        "in use afterwards": outs[2],
        "numbers": Said("of its own"),
        "parameters learn": True,
    }


@exercise("wavenet.to_torch_nn", version=2, limit=12)
def to_torch_nn(fresh: Callable, numbers: Callable, to_torch: Callable) -> Cases:
    for name in _layers_of(_given()):
        act = lambda n=name: _made_anew(fresh, n)  # noqa: E731
        yield case(f"fresh of {name}", act, _wanted_anew(name))
    for name in _layers_of(_given()):
        act = lambda n=name: _moved_over(numbers, n)  # noqa: E731
        yield case(f"numbers of {name}", act, _wanted_numbers(name))
    for sizes, seed, flag in ((_SIZES, 1, True), (_HALF, 2, False), (_DEEP, 3, True)):
        act = lambda a=(sizes, seed, flag): _both_asked(to_torch, *a)  # noqa: E731
        want = _ours_asked(sizes, seed, flag)
        mode = "in training" if flag else "in use"
        text = f"to_torch of a tree of {2 ** sizes['levels']} letters, {mode}"
        yield case(text, act, want, within=FLOAT32)
    seed = new_seed()
    act = lambda: _both_asked(to_torch, _SIZES, seed, False)  # noqa: E731
    want = _ours_asked(_SIZES, seed, False)
    yield case("to_torch of another tree", act, want, within=FLOAT32, fresh=True)


class Fuse(torch.nn.Module):
    """FlattenConsecutive(n) as PyTorch's module, as the notebook has it."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(len(x), x.shape[1] // self.n, self.n * x.shape[2])
        return x.squeeze(1) if x.shape[1] == 1 else x


class NormLast(torch.nn.BatchNorm1d):
    """torch.nn.BatchNorm1d with channels last, as the notebook has it."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, -1)).transpose(1, -1)


def _fresh(
    embedding: Callable = lambda w: torch.nn.Embedding(*w.shape),
    linear: Callable = lambda w, b: torch.nn.Linear(*w.shape, bias=b is not None),
    norm: Callable = lambda one: NormLast(len(one.gamma), one.eps, one.momentum),
    fuse: Callable = lambda n: Fuse(n),
    tanh: Callable = torch.nn.Tanh,
) -> Callable:
    """fresh with one thing done otherwise."""

    def fresh(layer):
        name = type(layer).__name__
        if name == "Embedding":
            return embedding(layer.weight)
        if name == "FlattenConsecutive":
            return fuse(layer.n)
        if name == "Linear":
            return linear(layer.weight, layer.bias)
        if name == "BatchNorm1d":
            return norm(layer)
        return tanh()

    return fresh


def _numbers_as(
    weight: Callable = lambda layer, w: w.T if _named(layer, "Linear") else w,
    names: dict[str, str] | None = None,
    left: Callable = lambda layer, name: False,
    in_place: bool = False,
) -> Callable:
    """numbers with one thing done otherwise."""
    names = {"gamma": "weight", "beta": "bias"} if names is None else names

    def numbers(layer):
        own = {k: v for k, v in vars(layer).items() if isinstance(v, Tensor)}
        state = {k: v.detach() for k, v in own.items() if k != "out"}
        state = {names.get(k, k): v for k, v in state.items() if not left(layer, k)}
        if "weight" in state:
            state["weight"] = weight(layer, state["weight"])
        if in_place and _named(layer, "Linear"):
            layer.weight.data = layer.weight.data.T
        return state

    return numbers


def _named(layer: Any, name: str) -> bool:
    return type(layer).__name__ == name


def _torched(
    make: Callable = lambda layer: _fresh()(layer),
    load: Callable = lambda new, ours: new.load_state_dict(_numbers_as()(ours)),
    out: Callable = lambda layers, model: layers.train(model.training),
    row: Callable = lambda net: list(net),
    hold: Callable = lambda layers: torch.nn.Sequential(*layers),
) -> Callable:
    """to_torch with one thing done otherwise."""

    def to_torch(model):
        layers = []
        for ours in row(model.net):
            layers.append(make(ours))
            load(layers[-1], ours)
        return out(hold(layers), model)

    return to_torch


def _shared_numbers(new: torch.nn.Module, ours: Any) -> None:
    for name, value in _numbers_as()(ours).items():
        own = getattr(new, name)
        own.data = value


def _parameters_only(new: torch.nn.Module, ours: Any) -> None:
    state = _numbers_as()(ours)
    state = {k: v for k, v in state.items() if not k.startswith("running")}
    new.load_state_dict(state, strict=False)


def _frozen(layers: Any, model: Any) -> Any:
    return layers.train(model.training).requires_grad_(False)


def _t1(**how: Any) -> tuple:
    return _fresh(**how), None, None


def _t2(**how: Any) -> tuple:
    return None, _numbers_as(**how), None


def _t3(**how: Any) -> tuple:
    return None, None, _torched(**how)


def _flag_on_top(layers: Any, model: Any) -> Any:
    layers.training = model.training
    return layers


to_torch_nn.table(
    lambda: (_fresh(), _numbers_as(), _torched()),
    {
        "sizes swapped": (
            "torch.nn.Linear takes (in, out), like ours: it turns the weight itself.",
            _t1(
                linear=lambda w, b: torch.nn.Linear(*w.T.shape, bias=b is not None),
            ),
        ),
        "bias always": (
            "torch.nn.Linear has a bias unless told otherwise: ours may have none.",
            _t1(linear=lambda w, b: torch.nn.Linear(*w.shape)),
        ),
        "bias never": (
            "The bias is left out where ours has one.",
            _t1(linear=lambda w, b: torch.nn.Linear(*w.shape, bias=False)),
        ),
        "table turned": (
            "torch.nn.Embedding takes num, then dim: the shape of our weight.",
            _t1(embedding=lambda w: torch.nn.Embedding(*w.T.shape)),
        ),
        "eps and momentum": (
            "eps and momentum are left at their defaults: hand ours over.",
            _t1(norm=lambda one: NormLast(len(one.gamma))),
        ),
        "eps forgotten": (
            "eps is left at its default: hand ours over.",
            _t1(norm=lambda one: NormLast(len(one.gamma), momentum=one.momentum)),
        ),
        "momentum forgotten": (
            "momentum is left at its default: hand ours over.",
            _t1(norm=lambda one: NormLast(len(one.gamma), one.eps)),
        ),
        "momentum turned": (
            "PyTorch's momentum is the share of the new batch, as ours is.",
            _t1(norm=lambda one: NormLast(len(one.gamma), one.eps, 1 - one.momentum)),
        ),
        "all letters flattened": (
            "torch.nn.Flatten flattens all of time: take Fuse, with the layer's n.",
            _t1(fuse=lambda n: torch.nn.Flatten()),
        ),
        "always two": (
            "n is not used: two are fused, whatever it is.",
            _t1(fuse=lambda n: Fuse(2)),
        ),
        "another function": (
            "Tanh becomes torch.nn.Tanh.",
            _t1(tanh=torch.nn.Sigmoid),
            _t1(tanh=torch.nn.ReLU),
            _t1(tanh=torch.nn.Identity),
        ),
        "not turned": (
            "torch.nn.Linear keeps its weight as (out, in): turn ours.",
            _t2(weight=lambda layer, w: w),
        ),
        "all turned": (
            "Only the weight of a Linear lies the other way.",
            _t2(weight=lambda layer, w: w.T if w.ndim == 2 else w),
        ),
        "viewed, not turned": (
            "view keeps the numbers in their order: a weight is turned by .T.",
            _t2(
                weight=lambda layer, w: (
                    w.reshape(w.shape[::-1]) if _named(layer, "Linear") else w
                )
            ),
        ),
        "old names": (
            "gamma and beta are called weight and bias in PyTorch.",
            _t2(names={}),
        ),
        "names swapped": (
            "gamma is the weight, and beta the bias.",
            _t2(names={"gamma": "bias", "beta": "weight"}),
        ),
        "averages left out": (
            "The running averages belong to the state.",
            _t2(left=lambda layer, name: name.startswith("running")),
        ),
        "bias left out": (
            "The bias belongs to the state.",
            _t2(left=lambda layer, name: name == "bias"),
        ),
        "our weight turned": (
            "Our own weight is turned: leave the layer as it is.",
            _t2(in_place=True),
        ),
        "numbers not moved": (
            "PyTorch's layers keep the numbers that they drew: load ours.",
            _t3(load=lambda new, ours: None),
        ),
        "averages not moved": (
            "The running averages are not moved: in use the outputs differ.",
            _t3(load=_parameters_only),
        ),
        "shared": (
            "Both models share their numbers: one must not train the other.",
            _t3(load=_shared_numbers),
        ),
        "flag forgotten": (
            "A model in use becomes one in use: hand the flag over.",
            _t3(out=lambda layers, model: layers),
            _t3(out=lambda layers, model: layers.train()),
        ),
        "flag on top": (
            "Only the flag of the whole is set: train() and eval() reach its layers.",
            _t3(out=_flag_on_top),
        ),
        "our flags": (
            "Our model is left in use: put its flags back, or leave them alone.",
            _t3(
                out=lambda layers, model: (layers.train(model.training), model.eval())[
                    0
                ]
            ),
        ),
        "always in use": (
            "A model in training becomes one in training: hand the flag over.",
            _t3(out=lambda layers, model: layers.eval()),
        ),
        "frozen": (
            "The parameters do not learn any more.",
            _t3(out=_frozen),
        ),
        "a list": (
            "A torch.nn.Sequential is wanted, not its layers in a list.",
            _t3(
                hold=lambda layers: torch.nn.ModuleList(layers),
                out=lambda layers, m: layers,
            ),
            _t3(hold=list, out=lambda layers, m: layers),
        ),
        "last layer missing": (
            "The last layer is missing.",
            _t3(row=lambda net: list(net)[:-1]),
        ),
    },
)


# ---------------------------------------------------------------- experiment_log


class _Crash(Exception):
    """An exception that nobody has heard of."""


class _Runs:
    """A `run` that notes how it was called and what torch drew."""

    def __init__(self, fails: str = "", error: type = ValueError) -> None:
        self.calls: list[tuple[dict, float]] = []
        self.fails, self.error = fails, error

    def __call__(self, **options: Any) -> dict[str, Any]:
        self.calls.append((dict(options), float(torch.rand(()))))
        if options.get("kind") == self.fails and self.fails:
            raise self.error(f"no {self.fails}")
        return {"dev": 2.0 + options.get("width", 0) / 10, "parameters": 7}


_VARIANTS = {
    "small": {"width": 1, "kind": "tree"},
    "flat": {"width": 2, "kind": "flat"},
    "large": {"width": 4, "kind": "tree"},
}


def _interrupted(experiment: Callable) -> Said:
    """What becomes of the key that stops a cell, pressed in the second run."""
    run = _Runs("flat", KeyboardInterrupt)
    state = torch.get_rng_state()
    try:
        experiment(copy.deepcopy(_VARIANTS), run)
    except KeyboardInterrupt:
        return Said(f"stops in run {len(run.calls)}")
    finally:
        torch.set_rng_state(state)
    return Said("goes on with the next variant")


def _work(width: int = 0) -> dict[str, float]:
    """Keeps the processor busy for 50 ms, where width is 1."""
    start, began = time.perf_counter(), time.thread_time()
    while width == 1 and time.thread_time() - began < 0.05:
        if time.perf_counter() - start > 0.2:
            break  # others have the processor
    return {"spent": time.perf_counter() - start}


def _durations(experiment: Callable) -> Any:
    """Whether the seconds are those of each run; a busy machine gets three tries."""
    said: dict[str, Said] = {}
    for _ in range(3):
        state = torch.get_rng_state()
        try:
            rows = experiment({"long": {"width": 1}, "short": {"width": 2}}, _work)
        finally:
            torch.set_rng_state(state)
        if type(rows) is not list or any("seconds" not in row for row in rows):
            return otherwise(rows)
        said = {f"seconds of {row['name']}": _duration_said(row) for row in rows}
        if said == _DURATIONS:
            break
    return said


def _duration_said(row: dict) -> Said:
    gap = row["seconds"] - row["spent"]
    if gap < -0.03:
        return Said("less than the run took")
    return either(gap < 0.04, "what the run took", "more than the run took")


_DURATIONS = {
    "seconds of long": Said("what the run took"),
    "seconds of short": Said("what the run took"),
}


def _logged(
    experiment: Callable, fails: str, *seed: int, error: type = ValueError
) -> Any:
    """The rows, and how the runs were called."""
    variants = copy.deepcopy(_VARIANTS)
    run = _Runs(fails, error)
    state = torch.get_rng_state()
    try:
        rows = experiment(variants, run, *seed)
    finally:
        torch.set_rng_state(state)
    if type(rows) is not list or any(not isinstance(row, dict) for row in rows):
        return otherwise(rows)
    odd = [row["error"] for row in rows if isinstance(row.get("error"), Exception)]
    if odd:
        return {"error": Said(f"{type(odd[0]).__name__}, not its text")}
    drawn = {number for _, number in run.calls}
    told = {f"row {name}": Said("missing") for name in _VARIANTS}
    for name, row in zip(_VARIANTS, rows, strict=False):
        told[f"row {name}"] = _row_told(row)
    return told | {
        "rows": len(rows),
        "options handed over": [options for options, _ in run.calls],
        "dice": either(
            len(drawn) <= 1, "the same for each", "going on from run to run"
        ),
        "seed": Said(_seed_said(run, *(seed or (42,)))),
        "variants": either(variants == _VARIANTS, "as they were", "changed"),
    }


def _row_told(row: dict) -> Said:
    """A row in one line, its seconds in words."""
    found = {str(k): v for k, v in row.items() if k != "seconds"}
    words = [f"{k} {v!r}"[:40] for k, v in sorted(found.items())]
    spent = row.get("seconds")
    if spent is None:
        return Said("; ".join([*words, "no seconds"]))
    fits = type(spent) is float and 0 <= spent < 60
    return Said("; ".join([*words, "seconds" if fits else "seconds: no duration"]))


def _seed_said(run: _Runs, seed: int) -> str:
    if not run.calls:
        return "no run"
    want = float(torch.rand((), generator=seeded(seed)))
    return "the one given" if run.calls[0][1] == want else "another"


def _rows_wanted(fails: str) -> dict[str, Any]:
    rows = {}
    for name, options in _VARIANTS.items():
        found: dict[str, Any] = {"dev": 2.0 + options["width"] / 10, "parameters": 7}
        if options["kind"] == fails:
            found = {"error": f"no {fails}"}
        row = {"name": name, **options, **found, "seconds": 0.0}
        rows[f"row {name}"] = _row_told(row)
    return rows | {
        "rows": len(_VARIANTS),
        "options handed over": list(_VARIANTS.values()),
        "dice": Said("the same for each"),
        "seed": Said("the one given"),
        "variants": Said("as they were"),
    }


_NAN = math.nan


def _in_order_of(ranked: Callable, values: list[Any], *by: str) -> Any:
    key = by[0] if by else "dev"
    rows = [
        {"name": chr(97 + i)} | ({} if value is None else {key: value})
        for i, value in enumerate(values)
    ]
    before = copy.deepcopy(rows)
    out = ranked(rows, *by)
    if type(out) is not list or any(not isinstance(row, dict) for row in out):
        return otherwise(out)
    same = [row["name"] for row in rows] == [row["name"] for row in before]
    return {
        "order": Said(" ".join(str(row.get("name")) for row in out)),
        "the list passed in": either(same, "as it was", "changed"),
    }


def _order_case(ranked: Callable, values: list[Any], order: str, *by: str) -> Case:
    want = {"order": Said(order), "the list passed in": Said("as it was")}
    act = lambda: _in_order_of(ranked, values, *by)  # noqa: E731
    said = ", ".join("none" if v is None else str(v) for v in values)
    text = f"ranked, {by[0] if by else 'dev'} of a, b, c, …: {said}"
    return case(text, act, want)


_TABLES: tuple[tuple[list[dict], list[str], str], ...] = (
    ([{"name": "a", "dev": 2.0}], ["name", "dev"], "a | 2.0000"),
    (
        [{"dev": 2.12345, "n": 7, "name": "x"}, {"name": "y", "error": "no"}],
        ["name", "n", "dev", "error"],
        "x | 7 | 2.1235 | \ny |  |  | no",
    ),
    ([], ["name"], ""),
    ([{"flag": True, "n": 12_345}], ["n", "flag"], "12345 | True"),
    ([{"n": 0, "dev": 0.0, "on": False}], ["n", "dev", "on"], "0 | 0.0000 | False"),
)


def _table_lines(columns: list[str], body: str) -> str:
    rows = [" | ".join(columns), " | ".join(["---"] * len(columns))]
    return "\n".join(f"| {row} |" for row in rows + (body.split("\n") if body else []))


@exercise("wavenet.experiment_log", version=2, limit=6)
def experiment_log(experiment: Callable, ranked: Callable, tabulate: Callable) -> Cases:
    for fails, *seed in (("",), ("flat", 7), ("tree", 3)):
        act = lambda f=fails, s=seed: _logged(experiment, f, *s)  # noqa: E731
        text = "experiment of three variants"
        text += f", those of kind {fails} fail" if fails else ""
        yield case(text, act, _rows_wanted(fails))
    act = lambda: _logged(experiment, "tree", error=_Crash)  # noqa: E731
    text = (
        "experiment of three variants, those of kind tree raise an error of their own"
    )
    yield case(text, act, _rows_wanted("tree"))
    text = "experiment, stopped by Ctrl-C in the second run"
    yield case(text, lambda: _interrupted(experiment), Said("stops in run 2"))
    for values, order, *by in (
        ([2.2, 2.0, 2.1], "b c a"),
        ([2.2, None, 2.1], "c a b"),
        ([_NAN, 2.2, None, 2.0], "d b a c"),
        ([2.0, _NAN, 1.9], "c a b"),
        ([3.0, 1.0, 2.0], "b c a", "seconds"),
        ([3, 1, 2], "b c a"),
        ([0.5, 0.0, None, 0.2], "b d a c"),
        ([-1.0, -2.0, 0], "b a c"),
    ):
        yield _order_case(ranked, values, order, *by)
    for rows, columns, body in _TABLES:
        want = _table_lines(columns, body)
        yield call(tabulate, rows, columns, expects=want)
    values = [random.uniform(1, 3) for _ in range(5)]
    order = " ".join(chr(97 + values.index(v)) for v in sorted(values))
    act = lambda: _in_order_of(ranked, values)  # noqa: E731
    want = {"order": Said(order), "the list passed in": Said("as it was")}
    yield case("ranked: five random numbers", act, want, fresh=True)
    text = "experiment of a run of 50 ms and a short one"
    yield case(text, lambda: _durations(experiment), _DURATIONS, once=True)


def _experiment(
    seed_at: str = "each",
    row: Callable = lambda name, options, found, spent: {
        "name": name,
        **options,
        **found,
        "seconds": spent,
    },
    catches: Any = Exception,
    error: Callable = lambda error: {"error": str(error)},
    handed: Callable = lambda run, options: run(**options),
    stops: bool = False,
    seed_of: Callable = lambda seed: seed,
    clock: Callable = lambda start: time.perf_counter() - start,
) -> Callable:
    """experiment with one thing done otherwise."""

    def experiment(variants, run, seed=42):
        rows = []
        if seed_at == "once":
            torch.manual_seed(seed)
        for name, options in variants.items():
            if seed_at == "each":
                torch.manual_seed(seed_of(seed))
            start = time.perf_counter()
            try:
                found = handed(run, options)
            except catches as problem:
                found = error(problem)
                if stops:
                    break
                if found is None:
                    continue
            rows.append(row(name, options, found, clock(start)))
        return rows

    return experiment


def _ranked(
    key: Callable = lambda row, by: _place(row.get(by, math.inf)),
    out: Callable = lambda rows, key: sorted(rows, key=key),
    name: str = "",
) -> Callable:
    """ranked with one thing done otherwise."""

    def ranked(rows, by="dev"):
        return out(rows, lambda row: key(row, name or by))

    return ranked


def _place(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _sorted_in_place(rows: list, key: Callable) -> list:
    rows.sort(key=key)
    return rows


def _without_gaps(rows: list, key: Callable) -> list:
    return sorted((row for row in rows if key(row) < math.inf), key=key)


def _tabulate(
    shown: Callable = lambda v: f"{v:.4f}" if isinstance(v, float) else str(v),
    missing: Any = "",
    rule: Callable = lambda columns: [["---"] * len(columns)],
    head: Callable = lambda columns: [columns],
    get: Callable = lambda row, column, missing: row.get(column, missing),
    line: Callable = lambda cells: f"| {' | '.join(cells)} |",
    out: Callable = lambda lines: "\n".join(lines),
    own: Callable = lambda rows, columns: columns,
) -> Callable:
    """tabulate with one thing done otherwise."""

    def tabulate(rows, columns):
        columns = own(rows, columns)
        table = [*head(columns), *rule(columns)]
        table += [[shown(get(row, c, missing)) for c in columns] for row in rows]
        return out([line(cells) for cells in table])

    return tabulate


def _e(**how: Any) -> tuple:
    return _experiment(**how), None, None


def _r(**how: Any) -> tuple:
    return None, _ranked(**how), None


def _t(**how: Any) -> tuple:
    return None, None, _tabulate(**how)


def _float_place(value: Any) -> float:
    return _place(value) if isinstance(value, float) else math.inf


def _clock_once(variants: dict, run: Callable, seed: int = 42) -> list[dict]:
    start, rows = time.perf_counter(), []
    for name, options in variants.items():
        torch.manual_seed(seed)
        try:
            found = run(**options)
        except Exception as error:
            found = {"error": str(error)}
        seconds = time.perf_counter() - start
        rows.append({"name": name, **options, **found, "seconds": seconds})
    return rows


experiment_log.table(
    lambda: (_experiment(), _ranked(), _tabulate()),
    {
        "seeded once": (
            "The second variant starts where the first one stopped: seed before each.",
            _e(seed_at="once"),
        ),
        "never seeded": (
            "torch is not seeded: the runs differ by more than their options.",
            _e(seed_at="never"),
        ),
        "seed not used": (
            "The seed is written into the code: use the one passed in.",
            _e(seed_of=lambda seed: 42),
        ),
        "first failure stops": (
            "A variant that fails stops the others: go on to the next one.",
            _e(stops=True),
        ),
        "failure not caught": (
            "What run raises must not stop the others: catch it.",
            _e(catches=()),
            _e(catches=RuntimeError),
            _e(catches=(ValueError, RuntimeError)),
            _e(catches=(ValueError, RuntimeError, TypeError)),
        ),
        "interrupt swallowed": (
            "Ctrl-C is caught too, and the next variant starts: catch Exception alone.",
            _e(catches=BaseException),
        ),
        "clock runs on": (
            "The clock runs on from variant to variant: start it before each run.",
            (_clock_once, None, None),
        ),
        "failure left out": (
            'A variant that failed has no row: note its "error".',
            _e(error=lambda error: None),
        ),
        "failure without a text": (
            'The row of a failure has no "error" with its text.',
            _e(error=lambda error: {}),
            _e(error=lambda error: {"error": True}),
        ),
        "exception kept": (
            "The exception itself is kept: its text, str(error), is wanted.",
            _e(error=lambda error: {"error": error}),
        ),
        "error of its kind": (
            "The text of the error is wanted alone, without its kind.",
            _e(error=lambda error: {"error": repr(error)}),
            _e(error=lambda error: {"error": f"{type(error).__name__}: {error}"}),
        ),
        "options lost": (
            "The options are not in the row: next month nobody knows them.",
            _e(row=lambda n, o, found, s: {"name": n, **found, "seconds": s}),
        ),
        "options in a box": (
            "Options and results stand in the row itself, not in a dict inside it.",
            _e(
                row=lambda n, o, found, s: {
                    "name": n,
                    "options": o,
                    **found,
                    "seconds": s,
                }
            ),
            _e(
                row=lambda n, o, found, s: {
                    "name": n,
                    **o,
                    "result": found,
                    "seconds": s,
                }
            ),
        ),
        "no name": (
            "The name of the variant is not in the row.",
            _e(row=lambda n, o, found, s: {**o, **found, "seconds": s}),
        ),
        "no seconds": (
            "The seconds are not in the row.",
            _e(row=lambda n, o, found, s: {"name": n, **o, **found}),
        ),
        "time of day": (
            "The seconds that the run took are wanted: the end less the start.",
            _e(clock=lambda start: time.time()),
            _e(clock=lambda start: start - time.perf_counter() - 1e-9),
        ),
        "options as one": (
            "run takes options by name: run(**options).",
            _e(handed=lambda run, options: run(options)),
        ),
        "highest first": (
            "The highest stands first: the lowest loss is the best.",
            _r(key=lambda row, by: -_place(row.get(by, math.inf))),
            _r(out=lambda rows, key: sorted(rows, key=key, reverse=True)),
        ),
        "whole numbers left out": (
            "Only floats are ranked: a whole number is a number too.",
            _r(key=lambda row, by: _float_place(row.get(by))),
        ),
        "zero as nothing": (
            "0 is a number: only what is missing, or nan, goes to the end.",
            _r(key=lambda row, by: _place(row.get(by) or math.inf)),
        ),
        "must have it": (
            "A row without that number is allowed: it goes to the end.",
            _r(key=lambda row, by: _place(row[by])),
        ),
        "nan where it falls": (
            "nan is neither smaller nor larger than anything: send it to the end.",
            _r(key=lambda row, by: row.get(by, math.inf)),
        ),
        "missing counts as zero": (
            "A row without that number stands in front: it goes to the end.",
            _r(key=lambda row, by: _place(row.get(by, 0.0))),
            _r(key=lambda row, by: _place(row.get(by, -math.inf))),
        ),
        "rows left out": (
            "Rows without that number are left out: they go to the end.",
            _r(out=_without_gaps),
        ),
        "list changed": (
            "The list passed in is sorted itself: return a new one.",
            _r(out=_sorted_in_place),
        ),
        "by dev always": (
            "by is not used: rows are ranked by dev whatever it says.",
            _r(name="dev"),
        ),
        "not ranked": (
            "The rows are in the order in which they came.",
            _r(out=lambda rows, key: list(rows)),
        ),
        "best alone": (
            "One row is given: all of them are wanted.",
            _r(out=lambda rows, key: min(rows, key=key)),
            _r(out=lambda rows, key: sorted(rows, key=key)[:1]),
        ),
        "floats in full": (
            "Floats have four decimals in the table.",
            _t(shown=str),
            _t(shown=lambda v: f"{v:.2f}" if isinstance(v, float) else str(v)),
            _t(shown=lambda v: f"{v:.3f}" if isinstance(v, float) else str(v)),
            _t(shown=lambda v: str(round(v, 4)) if isinstance(v, float) else str(v)),
        ),
        "whole numbers too": (
            "Whole numbers are shown as they are: only floats have decimals.",
            _t(shown=lambda v: f"{v:.4f}" if isinstance(v, float | int) else str(v)),
            _t(
                shown=lambda v: (
                    f"{v:.4f}"
                    if isinstance(v, float | int) and not isinstance(v, bool)
                    else str(v)
                )
            ),
        ),
        "None for nothing": (
            "Where a row lacks the column, the cell is empty.",
            _t(missing=None),
            _t(missing="-"),
        ),
        "zero left empty": (
            "0 is a value: a cell is empty only where the row lacks the column.",
            _t(get=lambda row, column, missing: row.get(column) or missing),
        ),
        "column must exist": (
            "A row may lack a column: its cell is empty.",
            _t(get=lambda row, column, missing: row[column]),
        ),
        "no rule": (
            "The rule `| --- | --- |` under the header is missing.",
            _t(rule=lambda columns: []),
        ),
        "no header": (
            "The header is missing.",
            _t(head=lambda columns: []),
            _t(head=lambda columns: [], rule=lambda columns: []),
        ),
        "no outer bars": (
            "Each line begins and ends with a bar.",
            _t(line=lambda cells: " | ".join(cells)),
        ),
        "no spaces": (
            "A bar and a cell have a space between them.",
            _t(line=lambda cells: f"|{'|'.join(cells)}|"),
        ),
        "lines in a list": (
            "The lines are given as a list: join them to one text.",
            _t(out=lambda lines: lines),
        ),
        "a line end more": (
            "There is a line end after the last line: put them between lines only.",
            _t(out=lambda lines: "\n".join(lines) + "\n"),
        ),
        "all keys": (
            "The columns are those asked for, in their order.",
            _t(own=lambda rows, columns: list(rows[0]) if rows else columns),
        ),
    },
)


# ---------------------------------------------------------------- beat_the_lecture


_MOST = 76_579
_LETTERS = {s: i for i, s in enumerate(".abcdefghijklmnopqrstuvwxyz")}


def _pairs_of(names: tuple[str, ...] | list[str], k: int) -> Data:
    """The contexts of names, and the letters that follow."""
    rows = [f"{'.' * k}{name}." for name in names]
    rows = [row[i : i + k + 1] for row in rows for i in range(len(row) - k)]
    pairs = torch.tensor([[_LETTERS[c] for c in row] for row in rows])
    return pairs[:, :k], pairs[:, k]


@cache
def _sample_names() -> tuple[str, ...]:
    """The names that the course ships, in an order of their own."""
    names = (root() / "data" / "sample_names.txt").read_text("ascii").split()
    random.Random(3).shuffle(names)
    return tuple(names)


_NEAR, _NEVER = "bcfgjpqvwxz", "aen"  # letters of train, and of no name at all
_FAR = ("hkmosu", "dilrty")  # letters of one dev pile, and of another


@cache
def _strange_names(letters: str, count: int) -> tuple[str, ...]:
    """Names that nobody has, of these letters."""
    rng = random.Random(len(letters))
    return tuple("".join(rng.choices(letters, k=5)) for _ in range(count))


def _seed_all() -> None:
    """The same dice for each run, so that no verdict rests on chance."""
    torch.manual_seed(1)
    random.seed(1)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(1)


def _attempt(beat: Callable, train: Any, dev: Any, steps: int) -> Any:
    """A short run of the learner's recipe: the model, its log, what was touched."""
    ours, theirs = list(train), list(dev)
    old = {"tried": "the lecture's recipe", "dev": 1.9937}
    log = [dict(old)]
    _seed_all()
    model = beat(ours, theirs, dict(_LETTERS), steps, log)
    if model is None or model is ... or not callable(model):
        return otherwise(model)
    needed = ("block_size", "parameters", "eval")
    if missing := [name for name in needed if not hasattr(model, name)]:
        return {"the model": Said(f"has no {missing[0]}")}
    return model, log, old, (ours, theirs) == (list(train), list(dev))


def _asked(model: Any, names: Any) -> tuple[Any, Tensor]:
    """The logits of a model in use, and the letters that follow."""
    X, Y = _pairs_of(names, model.block_size)
    model.eval()
    with torch.no_grad():
        return model(X), Y


def _attempted(beat: Callable) -> Any:
    """What a recipe made of real names, on a small budget."""
    names = _sample_names()
    made = _attempt(beat, names[:800], names[800:950], 80)
    if type(made) is not tuple:
        return made
    model, log, old, untouched = made
    count = sum(p.numel() for p in {id(p): p for p in model.parameters()}.values())
    if not 0 < count <= _MOST:
        return {"parameters": Said("more than 76,579" if count else "none")}
    logits, Y = _asked(model, names[800:950])
    if not isinstance(logits, Tensor) or tuple(logits.shape) != (len(Y), 27):
        shape = f"shape {tuple(getattr(logits, 'shape', ()))}"
        return {"logits": Said(shape if isinstance(logits, Tensor) else kind(logits))}
    loss = F.cross_entropy(logits.double(), Y).item()
    return {
        "parameters": Said("at most 76,579"),
        "logits": _logits_said(logits),
        "dev loss": _learned_said(loss),
        "the log": _log_said(log, old),
        "its dev loss": _row_said(log, loss, model, names[:800], names[800:950]),
        "train and dev": either(untouched, "as they were", "changed"),
    }


def _learned_said(loss: float) -> Said:
    """Where a loss stands between that of chance, 3.3, and what 80 steps can reach."""
    if loss < 1.6:
        return Said("below 1.6")
    if loss < 3.1:
        return Said("between 1.6 and 3.1")
    return either(
        loss < 3.4, "near ln 27 = 3.3, that of chance", "above that of chance"
    )


def _logits_said(logits: Tensor) -> Said:
    if not bool(torch.isfinite(logits).all()):
        return Said("not finite")
    sums = logits.sum(1)
    one = bool((logits >= 0).all()) and torch.allclose(sums, torch.ones(len(logits)))
    return either(not one, "scores", "probabilities")


def _log_said(log: list[dict], old: dict) -> Said:
    if not log or log[0] != old:
        return Said("earlier rows are lost")
    if len(log) == 1:
        return Said("no row more")
    if len(log) > 2:
        return Said(f"{len(log) - 1} rows more")
    row = log[-1]
    fit = isinstance(row, dict) and isinstance(row.get("tried"), str) and "dev" in row
    return either(fit, "one row more", 'a row without "tried" and "dev"')


def _row_said(log: list[dict], loss: float, model: Any, train: Any, dev: Any) -> Said:
    """Whether the row tells the model's dev loss, in use."""
    row = log[-1] if len(log) > 1 else {}
    told = row.get("dev") if isinstance(row, dict) else None
    if type(told) not in (float, int):
        return Said("not told" if told is None else f"told as {kind(told)}")
    if _tells(told, loss):
        return Said("the model's own, in use")
    logits, Y = _asked(model, train)
    if _tells(told, F.cross_entropy(logits.double(), Y).item()):
        return Said("the train loss")
    trained = _loss_in_training(model, dev)
    return Said("dev's, in training" if _tells(told, trained) else "another number")


def _tells(told: float, loss: float) -> bool:
    """Whether a number is a loss, or what is left of it after two decimals or three."""
    rounded = [0.51 * 10**-k for k in (2, 3) if round(told, k) == told]
    return abs(told - loss) < max([1e-4, *rounded])


def _loss_in_training(model: Any, names: Any) -> float:
    """The loss on all pairs at once, with a copy of the model in training."""
    try:
        twin = copy.deepcopy(model)
        twin.train()
        X, Y = _pairs_of(names, model.block_size)
        with torch.no_grad():
            return F.cross_entropy(twin(X).double(), Y).item()
    except Exception:  # a model needs no `train`, and may not be copied
        return math.nan


_ATTEMPTED = {
    "parameters": Said("at most 76,579"),
    "logits": Said("scores"),
    "dev loss": Said("between 1.6 and 3.1"),
    "the log": Said("one row more"),
    "its dev loss": Said("the model's own, in use"),
    "train and dev": Said("as they were"),
}


def _unlearned(beat: Callable) -> Any:
    """Whether a model knows letters that only dev could teach it.

    The same recipe runs twice, on the same dice and the same train names, with dev
    names of other letters. One that learns from train alone gives the same model
    twice, or at least rates both kinds of letters alike.
    """
    near = _strange_names(_NEAR, 200)
    models = []
    for letters in _FAR:
        made = _attempt(beat, near, _strange_names(letters, 200), 40)
        if type(made) is not tuple:
            return made
        models.append(made[0])
    far = [name for letters in _FAR for name in _strange_names(letters, 200)[:30]]
    one, two = (_rated(model, far) for model in models)
    gain = [(p[_FAR[0]] - p[_FAR[1]]) for p in (one, two)]
    known = _rated(models[0], near[:60])
    if gain[0] - gain[1] > 0.7:  # 0 without dev, and about 2 or more with it
        both = known[_NEAR] > known[_FAR[0]]
        words = Said("learned" if both else "learned, and train is not")
        return {"dev names": words}
    others = known[_NEVER] > known[_NEAR] + 0.7
    return {"dev names": Said("new to the model")} | {
        "letters of no name": either(others, "known", "new to the model")
    }


def _rated(model: Any, names: Any) -> dict[str, float]:
    """The mean log-probability that a model gives to letters of each kind."""
    logits, _ = _asked(model, names)
    logps = F.log_softmax(logits.double(), 1).mean(0)
    return {
        letters: logps[[_LETTERS[s] for s in letters]].mean().item()
        for letters in (*_FAR, _NEAR, _NEVER)
    }


def _right_evaluate(model: Any, X: Tensor, Y: Tensor) -> float:
    before = [(module, module.training) for _, module in model.named_modules()]
    model.eval()
    with torch.no_grad():
        loss = F.cross_entropy(model(X), Y).item()
    for module, flag in before:
        module.training = flag
    return loss


def _right_train(model, X, Y, steps, lr, batch_size=32, generator=None):
    return _training()[1](model, X, Y, steps, lr, batch_size, generator)


@exercise(
    "wavenet.beat_the_lecture",
    version=2,
    limit=30,
    stands_on={"evaluate": _right_evaluate, "train": _right_train},
)
def beat_the_lecture(beat_the_lecture: Callable) -> Cases:
    act = lambda: _attempted(beat_the_lecture)  # noqa: E731
    yield case("800 names, 80 steps", act, _ATTEMPTED, once=True)
    text = "train names without a, d, e, h, i, … dev names of h, k, m, …; 40 steps"
    new = Said("new to the model")
    want = {"dev names": new, "letters of no name": new}
    yield case(text, lambda: _unlearned(beat_the_lecture), want, once=True)


def _recipe(
    hidden: int = 24,
    lr: float = 0.3,
    names: Callable = lambda train, dev: train,
    told: Callable = lambda on_train, on_dev, batch: on_dev,
    note: Callable = lambda log, row: log.append(row),
    out: Callable = lambda model: model,
    measure: Callable = _right_evaluate,
    touch: Callable = lambda train: None,
) -> Callable:
    """A small recipe with one thing done otherwise."""

    def beat_the_lecture(train, dev, stoi, steps, log):
        touch(train)
        model = _given().WaveNet(27, 8, hidden, 2, seeded(1))
        X, Y = _pairs_of(names(train, dev), 4)
        count = steps if lr else 0
        losses = _training()[1](model, X, Y, count, lambda i: lr, 32, seeded(2))
        found = [measure(model, *_pairs_of(some, 4)) for some in (train, dev)]
        batch = losses[-1] if losses else 0.0
        note(log, {"tried": "a small tree", "dev": told(*found, batch)})
        return out(model)

    return beat_the_lecture


class _Changed:
    """A model whose logits are changed by a function."""

    block_size = 4

    def __init__(self, model: Any, change: Callable) -> None:
        self.model, self.change = model, change

    def parameters(self) -> list[Tensor]:
        return self.model.parameters()

    def eval(self) -> None:
        self.model.eval()

    def __call__(self, X: Tensor) -> Tensor:
        return self.change(self.model(X))


def _begun_anew(log: list[dict], row: dict) -> None:
    log[:] = [row]


def _in_training(model: Any, X: Tensor, Y: Tensor) -> float:
    model.train()
    with torch.no_grad():
        return F.cross_entropy(model(X), Y).item()


_RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "trains on dev": (
        "The dev names were trained on: choose by them, and learn from train alone.",
        {"names": lambda train, dev: [*train, *dev]},
    ),
    "trains on dev only": (
        "The steps are taken on the dev names: train on train.",
        {"names": lambda train, dev: dev},
    ),
    "too many parameters": (
        "The model has more than 76,579 parameters: that is another contest.",
        {"hidden": 200},
    ),
    "train loss told": (
        "The row tells the train loss as dev's.",
        {"told": lambda on_train, on_dev, batch: on_train},
    ),
    "another loss told": (
        "The row tells another number than the model's loss on all dev pairs, in use.",
        {"told": lambda on_train, on_dev, batch: batch},
    ),
    "measured in training": (
        "The dev loss is measured in training: call eval() before.",
        {"measure": _in_training},
    ),
    "two rows": (
        "There is more than one row for this run: append one.",
        {"note": lambda log, row: log.extend([row, dict(row)])},
    ),
    "other names": (
        "Other names than those of `train` were learned: use the ones handed over.",
        {"names": lambda train, dev: _sample_names()[:800]},
    ),
    "no row": (
        "Nothing was noted: append what was tried, and its dev loss, to log.",
        {"note": lambda log, row: None},
    ),
    "log begun anew": (
        "Earlier attempts are gone from the log: append to it.",
        {"note": _begun_anew},
    ),
    "not trained": (
        "The model guesses as chance does: its steps are too few, or too small.",
        {"lr": 0.0},
    ),
    "probabilities": (
        "The model gives probabilities: logits are wanted.",
        {"out": lambda model: _Changed(model, lambda z: F.softmax(z, 1))},
    ),
    "blown up": (
        "The loss has blown up: the rate is too large.",
        {"lr": 1e4, "out": lambda m: _Changed(m, lambda z: z * math.inf)},
    ),
    "the loss returned": (
        "Return the trained model; its loss belongs into the log.",
        {"out": lambda model: 2.5},
    ),
    "names taken away": (
        "The list of names that was passed in is changed: work on a copy.",
        {"touch": lambda train: train.sort(reverse=True)},
    ),
    "only dev told": (
        'A row has what was tried, as text, and the loss: "tried" and "dev".',
        {"note": lambda log, row: log.append({"dev": row["dev"]})},
    ),
}
for _name, (_sentence, _options) in _RECIPES.items():
    beat_the_lecture.mistake(_name, _sentence)(_recipe(**_options))
