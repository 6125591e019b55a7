"""Checks of lesson 7: attention against a slow loop, and a search for leaks.

A broken mask makes the loss better, so no loss is asked for here without a bound on
both sides. What is asked: one letter is changed, and no earlier output may move; and
with given numbers in its layers, a module gives what a loop over pairs of places gives.
"""

import math
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbook.checks.cases import Case, case, exercise, new_seed
from workbook.checks.rehoming import required
from workbook.checks.saying import either, is_nothing, otherwise
from workbook.checks.tensors import asked, doubles, normal, seeded
from workbook.compare import FLOAT32, Said, Tolerance, kind

Cases = Iterator[Case]
Shapes = dict[str, tuple[int, ...]]
Oracle = Callable[[dict[str, Tensor], Tensor], Tensor]
NUMBER = Tolerance(1e-6, 1e-9, "right answers in double precision agree to 1e-9")
ONCE = Tolerance(1e-5, 1e-6, "a number may have been computed in single precision")


# new in each session, so that none can be known; few, so that a slow loop runs once
_SEEDS = [new_seed() for _ in range(3)]


def _any_seed() -> int:
    return random.choice(_SEEDS)


@cache
def _given() -> Any:
    return required("gpt")


def _config(**sizes: Any) -> Any:
    return _given().GPTConfig(**sizes)


def _like(base: type, **methods: Any) -> type:
    """The class with some methods written otherwise."""
    return type(base.__name__, (base,), methods)


def _after(base: type, change: Callable[[Any, Any], None]) -> type:
    """The class, something changed at the end of its __init__(config)."""

    def __init__(self, config):
        base.__init__(self, config)
        change(self, config)

    return _like(base, __init__=__init__)


def _of(Class: type, look: Callable, *args: Any) -> Any:
    """What a look at the class finds; at a given one, which stays, once for all."""
    name = Class.__name__
    mine = Class is not getattr(_given(), name, None)
    return look(Class, *args) if mine else _of_given(name, look, *args)


@cache
def _of_given(name: str, look: Callable, *args: Any) -> Any:
    return look(getattr(_given(), name), *args)


# ---------------------------------------------------------------- modules, observed


def _parts(module: Any, want: Shapes) -> Any:
    """The parameters of a module, by name and shape, and what there is beside them."""
    if not isinstance(module, nn.Module):
        return otherwise(module)
    named = dict(module.named_parameters())
    there = {name: list(p.shape) for name, p in named.items()}
    found = {name: there.get(name, Said("missing")) for name in want}
    more = sorted(named.keys() - want.keys())
    return found | {"other parameters": Said(", ".join(more[:3]) or "none")}


def _parts_facts(want: Shapes) -> dict[str, Any]:
    found: dict[str, Any] = {name: list(shape) for name, shape in want.items()}
    return found | {"other parameters": Said("none")}


def _buffer(module: Any, name: str = "tril") -> Said:
    """How a module keeps its mask."""
    if name in dict(module.named_buffers()):
        return Said("a buffer")
    if name in dict(module.named_parameters()):
        return Said("a parameter")
    there = isinstance(getattr(module, name, None), Tensor)
    return Said("a plain attribute" if there else "missing")


def _filled(module: Any, want: Shapes, seed: int, scale: float = 0.7) -> Any:
    """A module with random numbers in double precision; or its parts, if not all."""
    found = _parts(module, want)
    if found != _parts_facts(want):
        return found
    module.double()
    with torch.no_grad():
        for i, (name, shape) in enumerate(want.items()):
            module.get_parameter(name).copy_(_numbers(shape, seed, i, scale))
    return module


def _numbers(shape: tuple[int, ...], seed: int, place: int, scale: float) -> Tensor:
    return normal(*shape, seed=100 * seed + place, scale=scale)


def _state(want: Shapes, seed: int, scale: float = 0.7) -> dict[str, Tensor]:
    """The numbers that `_filled` puts in, by name, as leaves."""
    return {
        name: _numbers(shape, seed, i, scale).requires_grad_()
        for i, (name, shape) in enumerate(want.items())
    }


def _slopes(out: Tensor, leaves: dict[str, Tensor]) -> dict[str, Any]:
    """The gradients of 1 · out[0] + 2 · out[1] + … with respect to some tensors."""
    if not out.requires_grad:
        return {"gradients": Said("none: the result has lost its way back")}
    weights = torch.arange(1.0, out.numel() + 1, dtype=out.dtype).view(out.shape)
    total = (out * weights / out.numel()).sum()
    slopes = torch.autograd.grad(total, leaves.values(), allow_unused=True)
    pairs = zip(leaves, slopes, strict=True)
    return {f"gradient of {n}": Said("none") if g is None else g for n, g in pairs}


def _ran(module: Any, want: Shapes, *shape: int, seed: int) -> Any:
    """The output for x and all gradients, of a module with given numbers."""
    module = _filled(module, want, seed)
    if not isinstance(module, nn.Module):
        return module
    x = normal(*shape, seed=seed + 1)
    start = x.clone().requires_grad_()
    out = module.eval()(start)
    if not isinstance(out, Tensor) or out.ndim != 3:
        return out if isinstance(out, Tensor) else otherwise(out)
    leaves = {"x": start, **dict(module.named_parameters())}
    found = {"output": out.detach()} | _slopes(out, leaves)
    return found | {"x": either(torch.equal(start, x), "as it was", "changed")}


def _ran_facts(oracle: Oracle, want: Shapes, *xs: int, seed: int) -> dict[str, Any]:
    """What `_ran` must find, by a slow loop; computed once for each seed."""
    return _by_oracle(oracle, tuple(want.items()), xs, seed)


@lru_cache(maxsize=200)
def _by_oracle(oracle: Oracle, want: tuple, shape: tuple, seed: int) -> dict[str, Any]:
    x = normal(*shape, seed=seed + 1)
    state, start = _state(dict(want), seed), x.clone().requires_grad_()
    out = oracle(state, start)
    found = {"output": out.detach()} | _slopes(out, {"x": start, **state})
    return found | {"x": Said("as it was")}


def _leaks(module: Any, want: Shapes, x: Tensor, at: int = 5) -> Any:
    """Which outputs move when the input at one place is changed."""
    module = _filled(module, want, 3)
    if not isinstance(module, nn.Module):
        return module
    other = x.clone()
    other[:, at] += 1 + torch.arange(x.shape[2])
    before, after = module.eval()(x), module(other)
    fits = isinstance(before, Tensor) and before.ndim == 3
    if not fits or before.shape[1] != x.shape[1]:
        return before if isinstance(before, Tensor) else otherwise(before)
    return _moved((after - before).abs().amax((0, 2)), at)


def _moved(gap: Tensor, at: int) -> dict[str, Any]:
    early = [str(t) for t in range(at) if not gap[t] <= 1e-9]
    return {
        "places before it that move": Said(", ".join(early) or "none"),
        "the place itself": either(bool(gap[at] > 1e-9), "moves", "does not"),
    }


_TIGHT = {
    "places before it that move": Said("none"),
    "the place itself": Said("moves"),
}


def _tried(act: Callable[[], Any], seed: int = 1) -> Any:
    """What an act gives where chance is seeded."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return act()


def _drops(module: Any, want: Shapes, *shape: int, quiet: str = "-") -> Any:
    """What becomes of outputs, in training with dropout 0.75 and in eval mode.

    The dropouts of parts whose name begins with `quiet` are left out.
    """
    module = _filled(module, want, 4)
    if not isinstance(module, nn.Module):
        return module
    for name, part in module.named_modules():
        if name.startswith(quiet) and isinstance(part, nn.Dropout):
            part.p = 0.0
    x = normal(*shape, seed=9)
    first = _tried(lambda: module.train()(x))
    used = [module.eval()(x) for _ in range(2)]
    if not isinstance(first, Tensor):
        return otherwise(first)
    if first.shape != used[0].shape:
        return first
    gone = first == 0
    share = gone.double().mean().item()
    larger = torch.allclose(first[~gone], 4 * used[0][~gone])
    whole = any(bool((gone.all(d) | ~gone.any(d)).all()) for d in range(gone.ndim))
    return {
        "in training": either(
            torch.equal(first, used[0]), "as in eval mode", "by chance"
        ),
        "zeros in training": Said(_about(share)),
        "what they are": either(whole, "whole rows", "single numbers"),
        "what stays": either(larger, "four times as large", "otherwise"),
        "in eval mode": either(torch.equal(*used), "the same each time", "by chance"),
    }


def _about(share: float) -> str:
    near = 0.65 < share < 0.85
    return "three quarters" if near else "none" if share == 0 else f"{share:.1f}"


_MOST_DROPPED = {
    "in training": Said("by chance"),
    "zeros in training": Said("three quarters"),
    "what they are": Said("single numbers"),
    "what stays": Said("four times as large"),
    "in eval mode": Said("the same each time"),
}


class _Untouched(nn.Module):
    """What a class is before its __init__ is written."""

    def __init__(self) -> None:
        super().__init__()


class _Dotted(nn.Module):
    """The same, with dots for an answer."""

    def __init__(self) -> Any:
        super().__init__()
        return ...


def _untouched(check: Any) -> None:
    check.skeleton(_Untouched.__init__)
    check.skeleton(_Dotted.__init__)


# ---------------------------------------------------------------- codec


def _codec_made(Codec: type, text: str) -> Any:
    codec = Codec(text)
    names = ("chars", "stoi", "itos")
    gone = [name for name in names if not hasattr(codec, name)]
    if gone:
        return {name: Said("missing") for name in gone}
    found = {name: getattr(codec, name) for name in names}
    return found | {"chars": list(found["chars"])}


def _codec_facts(text: str) -> dict[str, Any]:
    chars = [chr(i) for i in range(9, 600) if chr(i) in text]
    return {
        "chars": chars,
        "stoi": {c: i for i, c in enumerate(chars)},
        "itos": dict(enumerate(chars)),
    }


_LINE = "\n To be,\nor not: that 2! \n"


@exercise("gpt.codec", version=2)
def codec(Codec: type, split_in_order: Callable) -> Cases:
    for text in ("hello", _LINE, " aa\n"):
        act = lambda t=text: _codec_made(Codec, t)  # noqa: E731
        yield case(f"Codec({text!r})", act, _codec_facts(text))
    hello, line = (lambda: Codec("hello")), (lambda: Codec(_LINE))
    text = "Codec('hello')"
    yield case(f"{text}.encode('hole')", lambda: hello().encode("hole"), [1, 3, 2, 0])
    yield case(f"{text}.encode('')", lambda: hello().encode(""), [])
    yield asked(
        f"{text}.decode([1, 3, 2, 0])",
        lambda ids: hello().decode(ids),
        [1, 3, 2, 0],
        expects="hole",
    )
    yield case(
        f"{text}.decode(tensor([2, 2, 0]))",
        lambda: hello().decode(torch.tensor([2, 2, 0])),
        "lle",
    )
    yield case(
        "a text, encoded and decoded",
        lambda: line().decode(line().encode(_LINE)),
        _LINE,
    )
    text = "one = Codec('hello'); two = Codec('abc\\n'): what one and two make of it"
    yield case(text, lambda: _side_by_side(Codec), _SIDE_BY_SIDE)
    seen = lambda out: out if is_nothing(out) else _cut(out)  # noqa: E731
    row = list(range(20))
    yield asked(
        "split_in_order([0, 1, …, 19])",
        split_in_order,
        row,
        expects={"first": row[:18], "rest": [18, 19]},
        seen=seen,
    )
    yield asked(
        "split_in_order([0, …, 6], 0.5)",
        split_in_order,
        row[:7],
        0.5,
        expects={"first": [0, 1, 2], "rest": [3, 4, 5, 6]},
        seen=seen,
    )
    ids = torch.arange(1000)
    yield asked(
        "split_in_order(a tensor of 1000)",
        split_in_order,
        ids,
        expects={"first": ids[:900], "rest": ids[900:]},
        seen=seen,
    )
    ids = torch.arange(40, 90)
    yield asked(
        "split_in_order(a tensor of 50, 0.8)",
        split_in_order,
        ids,
        0.8,
        expects={"first": ids[:40], "rest": ids[40:]},
        seen=seen,
    )


def _side_by_side(Codec: type) -> Any:
    one, two = Codec("hello"), Codec("abc\n")
    return {
        "one.encode('hole')": one.encode("hole"),
        "one.decode([1, 3])": one.decode([1, 3]),
        "two.encode('c\\n')": two.encode("c\n"),
        "two.decode([3, 0])": two.decode([3, 0]),
    }


_SIDE_BY_SIDE = {
    "one.encode('hole')": [1, 3, 2, 0],
    "one.decode([1, 3])": "ho",
    "two.encode('c\\n')": [3, 0],
    "two.decode([3, 0])": "c\n",
}


def _cut(out: Any) -> Any:
    if not isinstance(out, tuple | list) or len(out) != 2:
        return otherwise(out)
    return {"first": out[0], "rest": out[1]}


def _letters(chars: Callable, start: int = 0, back: Callable = lambda s: None) -> type:
    """A Codec with its letters in another order or form."""

    class Codec(_given_codec()):
        def __init__(self, text):
            self.chars = chars(text)
            self.stoi = {c: i for i, c in enumerate(self.chars, start)}
            self.itos = back(self) or {i: c for c, i in self.stoi.items()}

    return Codec


@cache
def _given_codec() -> type:
    class Codec:
        def __init__(self, text):
            self.chars = sorted(set(text))
            self.stoi = {char: i for i, char in enumerate(self.chars)}
            self.itos = dict(enumerate(self.chars))

        def encode(self, text):
            return [self.stoi[char] for char in text]

        def decode(self, ids):
            return "".join(self.itos[int(i)] for i in ids)

    return Codec


def _decoding(end: Callable) -> type:
    """A Codec with something done to what decode gives."""
    decode = _given_codec().decode
    return _like(_given_codec(), decode=lambda self, ids: end(decode(self, ids)))


def _on_the_class(*names: str) -> type:
    """A Codec that keeps some of its three on the class."""
    base = _given_codec()

    def __init__(self, text):
        base.__init__(self, text)
        for name in names:
            setattr(type(self), name, vars(self).pop(name))

    return _like(base, __init__=__init__)


def _split_right(ids, share=0.9):
    n = int(share * len(ids))
    return ids[:n], ids[n:]


def _shuffled(ids, share=0.9):
    order = torch.randperm(len(ids), generator=seeded(1)).tolist()
    n = int(share * len(ids))
    if isinstance(ids, Tensor):
        return ids[order[:n]], ids[order[n:]]
    return [ids[i] for i in order[:n]], [ids[i] for i in order[n:]]


def _share_last(ids, share=0.9):
    n = len(ids) - int(share * len(ids))
    return ids[n:], ids[:n]


codec.table(
    lambda: (_given_codec(), _split_right),
    {
        "in order of appearance": (
            "The letters stand in the order in which they come: sort them.",
            (_letters(lambda text: list(dict.fromkeys(text))), None),
        ),
        "backwards": (
            "The letters are sorted from the last to the first.",
            (_letters(lambda text: sorted(set(text), reverse=True)), None),
        ),
        "each as often as it comes": (
            "Letters come several times: a set has each once.",
            (_letters(lambda text: sorted(text)), None),
            (_letters(lambda text: list(text)), None),
        ),
        "from one": (
            "The first number is 0: nothing is set apart here, as the dot was.",
            (_letters(lambda text: sorted(set(text)), 1), None),
        ),
        "small letters alone": (
            "The text is changed to small letters: capitals are letters of their own.",
            (_letters(lambda text: sorted(set(text.lower()))), None),
        ),
        "white space left out": (
            "Spaces and line breaks are left out: they are letters like the others.",
            (_letters(lambda text: sorted(set("".join(text.split())))), None),
            (_letters(lambda text: sorted(set(text) - {"\n"})), None),
            (_letters(lambda text: sorted(set(text.strip()))), None),
            (_letters(lambda text: sorted(set(text.rstrip()))), None),
        ),
        "cut off at the ends": (
            "decode cuts white space off at the ends: it is letters like the others.",
            (_decoding(lambda told: told.strip()), None),
            (_decoding(lambda told: told.rstrip()), None),
        ),
        "shared by all": (
            "All codecs share their dicts: keep them on self, not on the class.",
            (_on_the_class("stoi", "itos"), None),
            (_on_the_class("chars", "stoi", "itos"), None),
            (_on_the_class("itos"), None),
            (_on_the_class("stoi"), None),
        ),
        "itos is stoi": (
            "itos leads from letter to number as well: it should lead back.",
            (_letters(lambda text: sorted(set(text)), 0, lambda self: self.stoi), None),
        ),
        "code points": (
            "The numbers are those of the computer's alphabet: use stoi.",
            (
                _like(_given_codec(), encode=lambda self, text: [ord(c) for c in text]),
                None,
            ),
        ),
        "letters for numbers": (
            "encode gives the letters themselves: their numbers are wanted.",
            (_like(_given_codec(), encode=lambda self, text: list(text)), None),
        ),
        "a list of letters": (
            "decode gives a list of letters: join them to one string.",
            (
                _like(
                    _given_codec(),
                    decode=lambda self, ids: [self.itos[int(i)] for i in ids],
                ),
                None,
            ),
        ),
        "spaces between": (
            "decode puts spaces between the letters: join with the empty string.",
            (
                _like(
                    _given_codec(),
                    decode=lambda self, ids: " ".join(self.itos[int(i)] for i in ids),
                ),
                None,
            ),
        ),
        "a tensor's elements as keys": (
            "A tensor's element is a tensor, and no key of itos: int() makes it one.",
            (
                _like(
                    _given_codec(),
                    decode=lambda self, ids: "".join(self.itos[i] for i in ids),
                ),
                None,
            ),
        ),
        "shuffled": (
            "The row is shuffled: cut it in order.",
            (None, _shuffled),
        ),
        "turned": (
            "The small part comes first: the first part has the larger share.",
            (None, lambda ids, share=0.9: _split_right(ids, share)[::-1]),
        ),
        "from the end": (
            "The first part is taken from the end of the row: cut it in order.",
            (None, _share_last),
        ),
        "share not used": (
            "The share is fixed: use the one that is given.",
            (None, lambda ids, share=0.9: _split_right(ids, 0.9)),
        ),
        "one lost": (
            "One element is in neither part.",
            (
                None,
                lambda ids, share=0.9: (
                    ids[: int(share * len(ids))],
                    ids[int(share * len(ids)) + 1 :],
                ),
            ),
            (
                None,
                lambda ids, share=0.9: (
                    _split_right(ids, share)[0],
                    ids[int(share * len(ids)) : -1],
                ),
            ),
        ),
        "one twice": (
            "One element is in both parts: nothing of the rest may be learned from.",
            (
                None,
                lambda ids, share=0.9: (
                    ids[: int(share * len(ids)) + 1],
                    ids[int(share * len(ids)) :],
                ),
            ),
            (
                None,
                lambda ids, share=0.9: (
                    _split_right(ids, share)[0],
                    ids[int(share * len(ids)) - 1 :],
                ),
            ),
        ),
        "the whole": (
            "The first part is the whole row: nothing is kept aside.",
            (None, lambda ids, share=0.9: (ids, _split_right(ids, share)[1])),
        ),
    },
)


# ---------------------------------------------------------------- batches


def _drawn(get_batch: Callable, N: int, T: int, B: int, seed: int) -> Any:
    """x and y of a batch from the numbers 10, 11, …, N + 9; else what there is."""
    ids = torch.arange(10, N + 10)
    out = get_batch(ids, T, B, seeded(seed))
    if not isinstance(out, tuple | list) or len(out) != 2:
        return None, otherwise(out)
    if not all(isinstance(one, Tensor) for one in out):
        return None, {"result": Said("no two tensors")}
    if [list(one.shape) for one in out] != [[B, T], [B, T]]:
        return None, {n: list(o.shape) for n, o in zip("xy", out, strict=True)}
    same = torch.equal(ids, torch.arange(10, N + 10))
    return tuple(out), {"ids": Said("as they were" if same else "changed")}


def _windows(get_batch: Callable, N: int, T: int, B: int, seed: int = 1) -> Any:
    """What the rows of a batch are."""
    pair, found = _drawn(get_batch, N, T, B, seed)
    if pair is None:
        return found
    x, y = pair
    found |= {"x": list(x.shape), "y": list(y.shape)}
    found |= {f"dtype of {n}": _dtype(one) for n, one in (("x", x), ("y", y))}
    if any(one.is_floating_point() or one.dtype == torch.bool for one in pair):
        return found
    steps = (x[:, 1:] - x[:, :-1]) == 1
    found |= {
        "a row of x": either(bool(steps.all()), "neighbours", "no neighbours"),
        "y - x": Said(", ".join(map(str, sorted(set((y - x).flatten().tolist()))))),
    }
    starts = (x[:, 0] - 10).tolist()
    found["places where x begins"] = _ranges(sorted(set(starts)))
    return found | ({"each place": _evenness(starts, N - T, T)} if B > 1000 else {})


def _dtype(one: Tensor) -> Said:
    return Said(str(one.dtype).removeprefix("torch."))


def _evenness(starts: list[int], places: int, T: int) -> Said:
    """Whether places come equally often, with a margin of seven spreads and more.

    What sticks out may have been folded back: onto the first T places or the last one.
    """
    share = sum(start < T for start in starts) / len(starts)
    most = max(map(starts.count, set(starts))) / len(starts)
    even = abs(share - T / places) < 0.1 and most < 3 / places
    return Said("as often as others" if even else "not as often as others")


def _ranges(places: list[int]) -> Said:
    whole = places == list(range(places[0], places[-1] + 1))
    told = f"{places[0]} to {places[-1]}" if whole else ", ".join(map(str, places[:9]))
    return Said(told)


def _windows_facts(N: int, T: int, B: int) -> dict[str, Any]:
    return {
        "ids": Said("as they were"),
        "x": [B, T],
        "y": [B, T],
        "dtype of x": Said("int64"),
        "dtype of y": Said("int64"),
        "a row of x": Said("neighbours"),
        "y - x": Said("1"),
        "places where x begins": Said(f"0 to {N - T - 1}"),
    } | ({"each place": Said("as often as others")} if B > 1000 else {})


def _dice(get_batch: Callable) -> Any:
    """How chance comes in."""
    state = torch.get_rng_state()
    one, found = _drawn(get_batch, 900, 4, 50, 1)
    still = torch.equal(state, torch.get_rng_state())
    again, _ = _drawn(get_batch, 900, 4, 50, 1)
    other, _ = _drawn(get_batch, 900, 4, 50, 2)
    if one is None or again is None or other is None:
        return found
    starts = one[0][:, 0]
    ids, generator = torch.arange(900), seeded(5)
    two = [get_batch(ids, 4, 50, generator)[0] for _ in range(2)]
    spread = len(set(starts.tolist())) > 30
    steps = {int(s) for s in starts.diff()}
    return {
        "from equal generators": either(torch.equal(one[0], again[0]), *_SAME),
        "from generators of other seeds": either(torch.equal(one[0], other[0]), *_SAME),
        "one after the other": either(torch.equal(*two), *_SAME),
        "torch's own dice": either(still, "not used", "used"),
        "the rows": either(spread, "from many places", "from few places"),
        "from row to row": either(len(steps) > 9, "by chance", "by a rule"),
    }


_SAME = ("the same batch", "another batch")
_DICE = {
    "from equal generators": Said("the same batch"),
    "from generators of other seeds": Said("another batch"),
    "one after the other": Said("another batch"),
    "torch's own dice": Said("not used"),
    "the rows": Said("from many places"),
    "from row to row": Said("by chance"),
}


def _undiced(get_batch: Callable) -> Any:
    """Two batches where chance is torch's own."""
    pair = _tried(lambda: [get_batch(torch.arange(900), 7, 3) for _ in range(2)])
    if not all(isinstance(one, tuple | list) and len(one) == 2 for one in pair):
        return otherwise(pair[0])
    shapes = {n: list(one.shape) for n, one in zip("xy", pair[0], strict=True)}
    same = torch.equal(pair[0][0], pair[1][0])
    return shapes | {"one after the other": either(same, *_SAME)}


_UNDICED = {"x": [3, 7], "y": [3, 7], "one after the other": Said("another batch")}


@exercise("gpt.batches", version=2)
def batches(get_batch: Callable) -> Cases:
    for N, T, B in ((6, 3, 60), (24, 5, 400), (4, 3, 2), (82, 24, 1200), (9, 1, 99)):
        text = f"get_batch(arange(10, {N + 10}), {T}, {B}, generator)"
        act = lambda N=N, T=T, B=B: _windows(get_batch, N, T, B)  # noqa: E731
        yield case(text, act, _windows_facts(N, T, B))
    text = "50 rows from 900 numbers, twice"
    yield case(text, lambda: _tried(lambda: _dice(get_batch), 8), _DICE)
    text = "get_batch(arange(900), 7, 3), without a generator, twice"
    yield case(text, lambda: _undiced(get_batch), _UNDICED)
    seed = _any_seed()
    yield case(
        "another seed",
        lambda: _windows(get_batch, 31, 6, 600, seed),
        _windows_facts(31, 6, 600),
        fresh=True,
    )


def _rows(
    high: Callable = lambda n, T: n - T,
    x: Callable = lambda ids, i, T: ids[i : i + T],
    y: Callable = lambda ids, i, T: ids[i + 1 : i + T + 1],
    draw: Callable = lambda high, B, g: torch.randint(high, (B,), generator=g),
    out: Callable = lambda x, y: (x, y),
) -> Callable:
    """get_batch with one thing done otherwise."""

    def get_batch(ids, block_size, batch_size, generator=None):
        places = draw(high(len(ids), block_size), batch_size, generator).tolist()
        xs = torch.stack([x(ids, i, block_size) for i in places])
        return out(xs, torch.stack([y(ids, i, block_size) for i in places]))

    return get_batch


def _one_after_another(high: int, B: int, g: Any) -> Tensor:
    return (torch.randint(high, (1,), generator=g) + torch.arange(B)) % high


def _own_dice(high: int, B: int, g: Any) -> Tensor:
    return torch.randint(high, (B,), generator=g or seeded(1))


def _torch_seeded(high: int, B: int, g: Any) -> Tensor:
    torch.default_generator.manual_seed(1)
    return torch.randint(high, (B,), generator=g)


def _folded(back: Callable) -> Callable:
    def get_batch(ids, block_size, batch_size, generator=None):
        most = len(ids) - block_size - 1
        draw = lambda h, B, g: back(torch.randint(h, (B,), generator=g), most)  # noqa: E731
        rows = _rows(high=lambda n, T: n, draw=draw)
        return rows(ids, block_size, batch_size, generator)

    return get_batch


batches.table(
    lambda: (_rows(),),
    {
        "sticks out": (
            "A window may begin too far to the right: it is shorter than the others.",
            _rows(high=lambda n, T: n),
            _rows(high=lambda n, T: n - 1),
        ),
        "target sticks out": (
            "The last window has no letter behind it: begin one place earlier.",
            _rows(high=lambda n, T: n - T + 1),
        ),
        "last never": (
            "The last window is never drawn: randint leaves its upper end out already.",
            _rows(high=lambda n, T: max(1, n - T - 1)),
        ),
        "first never": (
            "The first window is never drawn: places begin at 0.",
            _rows(
                draw=lambda h, B, g: torch.randint(min(1, h - 1), h, (B,), generator=g)
            ),
        ),
        "own target": (
            "y is x itself: a model that copies would have no loss. Move it by one.",
            _rows(y=lambda ids, i, T: ids[i : i + T]),
        ),
        "one target a row": (
            "A row has one target: there is one at each of its places.",
            _rows(y=lambda ids, i, T: ids[i + T]),
            _rows(y=lambda ids, i, T: ids[i + T : i + T + 1]),
        ),
        "y before x": (
            "x is y moved by one: the target is the letter that follows.",
            _rows(out=lambda x, y: (y, x)),
        ),
        "far targets": (
            "The targets are further away than the next letter.",
            _rows(
                high=lambda n, T: max(1, n - T - 1),
                y=lambda ids, i, T: ids[(torch.arange(T) + i + 2) % len(ids)],
            ),
            _rows(
                high=lambda n, T: max(1, n - 2 * T),
                y=lambda ids, i, T: ids[(torch.arange(T) + i + T) % len(ids)],
            ),
        ),
        "turned": (
            "The windows are columns: a batch has the shape (B, T).",
            _rows(out=lambda x, y: (x.T, y.T)),
        ),
        "one tensor": (
            "x and y come in one tensor: return two.",
            _rows(out=lambda x, y: torch.stack([x, y])),
            _rows(out=lambda x, y: torch.cat([x, y[:, -1:]], 1)),
        ),
        "one window": (
            "All rows are the same window: draw a place for each.",
            _rows(draw=lambda h, B, g: torch.randint(h, (1,), generator=g).expand(B)),
        ),
        "one after another": (
            "Only the first place is drawn, the others follow it: draw each.",
            _rows(draw=_one_after_another),
        ),
        "from the beginning": (
            "The windows are always the first ones: draw their places at random.",
            _rows(draw=lambda h, B, g: torch.arange(B) % h),
        ),
        "whole windows alone": (
            "Windows begin at multiples of T alone: any place may be drawn.",
            lambda ids, block_size, batch_size, generator=None: _rows(
                draw=lambda h, B, g: (
                    torch.randint(-(-h // block_size), (B,), generator=g) * block_size
                )
            )(ids, block_size, batch_size, generator),
        ),
        "generator not used": (
            "The generator is not used: a batch cannot be repeated.",
            _rows(draw=lambda h, B, g: torch.randint(h, (B,))),
        ),
        "own seed": (
            "The draw is seeded inside: each batch would be the same.",
            _rows(draw=lambda h, B, g: torch.randint(h, (B,), generator=seeded(1))),
            _rows(draw=_own_dice),
            _rows(draw=_torch_seeded),
        ),
        "some more often": (
            "What sticks out is folded back: some places come more often than others.",
            _folded(lambda i, most: i.clamp(max=most)),
            _folded(lambda i, most: i % (most + 1)),
        ),
    },
)


# ---------------------------------------------------------------- bigram_lm


def _slow_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean cross-entropy, place by place; targets of -1 do not count."""
    losses = [
        logits[b, t].logsumexp(0) - logits[b, t, targets[b, t]]
        for b in range(targets.shape[0])
        for t in range(targets.shape[1])
        if targets[b, t] != -1
    ]
    return torch.stack(losses).mean()


def _pair(out: Any) -> Any:
    """Logits and loss under their names; else what there is."""
    if not isinstance(out, tuple | list) or len(out) != 2:
        return otherwise(out)
    logits, loss = out
    if not isinstance(logits, Tensor):
        return {"logits": Said(kind(logits))}
    if isinstance(loss, Tensor):
        loss = loss.detach()
    return {"logits": logits.detach(), "loss": Said("None") if loss is None else loss}


def _looked_up(Model: type, table: Tensor, idx: Tensor, y: Tensor | None) -> Any:
    model = _filled(
        Model(len(table)), {"token_embedding_table.weight": (*table.shape,)}, 1
    )
    if not isinstance(model, nn.Module):
        return model
    model.token_embedding_table.weight.data = table.clone()
    out = model(idx) if y is None else model(idx, y)
    found = _pair(out)
    if y is not None and "logits" in found and isinstance(out[1], Tensor):
        leaf = {"the table": model.token_embedding_table.weight}
        found |= _slopes(out[1], leaf) if out[1].ndim == 0 else {}
    return found


def _lookup_case(
    Model: type, table: Tensor, idx: Tensor, y: Tensor | None, **o: Any
) -> Case:
    leaf = table.clone().requires_grad_()
    logits = leaf[idx]
    want: dict[str, Any] = {"logits": logits.detach(), "loss": Said("None")}
    if y is not None:
        loss = _slow_loss(logits, y)
        want |= {"loss": loss.detach()} | _slopes(loss, {"the table": leaf})
    small = idx.numel() <= 4
    said = f"idx = {idx.tolist()}" if small else f"idx {tuple(idx.shape)}"
    said += "" if y is None else f", targets {y.tolist() if small else ''}".rstrip()
    table_said = "zeros" if not table.any() else "a table"
    text = f"V = {len(table)}, {table_said}: model({said})"
    return case(
        text, lambda: _looked_up(Model, table, idx, y), want, within=NUMBER, **o
    )


def _with_table(Model: type, table: Tensor) -> Any:
    model = Model(len(table))
    shape = {"token_embedding_table.weight": (*table.shape,)}
    found = _parts(model, shape)
    if found != _parts_facts(shape):
        return found
    model.token_embedding_table.weight.data = table.clone()
    return model


def _told_on(Model: type, table: Tensor, idx: list[list[int]], new: int) -> Any:
    """What a model of this table generates behind idx."""
    model = _with_table(Model, table)
    if not isinstance(model, nn.Module):
        return model
    start = torch.tensor(idx)
    out = _tried(lambda: model.generate(start, new))
    if not isinstance(out, Tensor):
        return out if is_nothing(out) else {"text": Said(kind(out))}
    same = torch.equal(start, torch.tensor(idx))
    return {"text": out, "idx": either(same, "as it was", "changed")}


def _circle(V: int) -> Tensor:
    """A table by which i is followed by i + 1, and V - 1 by 0."""
    return 60.0 * F.one_hot((torch.arange(V) + 1) % V, V).float()


def _shares(Model: type) -> Any:
    """How often each letter follows, where 1 has 0.8 after 0, and 0.3 after 1."""
    odds = torch.tensor([[0.2, 0.8], [0.7, 0.3]])
    model = _with_table(Model, odds.log() + 5)
    if not isinstance(model, nn.Module):
        return model
    start = torch.tensor([[0], [1]]).repeat(2000, 1)
    out = _tried(lambda: model.generate(start, 1))
    if not isinstance(out, Tensor) or out.shape != (4000, 2):
        return out if isinstance(out, Tensor) else otherwise(out)
    share = [out[out[:, 0] == i, 1].double().mean().item() for i in (0, 1)]
    return {f"share of 1 after {i}": Said(f"{s:.1f}") for i, s in enumerate(share)}


def _any_letter(Model: type, V: int = 20) -> Any:
    """What comes where all letters are nearly as likely, twice."""
    model = _with_table(Model, torch.arange(float(V)).repeat(V, 1) / 100)
    if not isinstance(model, nn.Module):
        return model
    start = torch.arange(500)[:, None] % V
    two = _tried(lambda: [model.generate(start, 1) for _ in range(2)])
    if not all(isinstance(out, Tensor) and out.shape == (500, 2) for out in two):
        return two[0] if isinstance(two[0], Tensor) else otherwise(two[0])
    return {
        "letters that come": len(set(two[0][:, 1].tolist())),
        "once more": either(torch.equal(*two), "the same", "others"),
    }


@exercise("gpt.bigram_lm", version=2)
def bigram_lm(BigramLanguageModel: type) -> Cases:
    Model = BigramLanguageModel
    shape = {"token_embedding_table.weight": (7, 7)}
    act = lambda: _parts(Model(7), shape)  # noqa: E731
    yield case("the parameters of BigramLanguageModel(7)", act, _parts_facts(shape))
    y = torch.tensor([[1, 2]])
    yield _lookup_case(Model, torch.zeros(3, 3).double(), torch.tensor([[0, 1]]), y)
    table = normal(4, 4, seed=2)
    yield _lookup_case(Model, table, torch.tensor([[3, 0]]), None)
    for B, T, V in ((2, 3, 5), (3, 4, 4), (4, 1, 3), (5, 7, 6)):
        idx, y = (torch.randint(V, (B, T), generator=seeded(B + i)) for i in (0, 9))
        yield _lookup_case(Model, normal(V, V, seed=V), idx, y)
    for idx, new in (([[0]], 4), ([[0], [2], [1]], 3), ([[2, 2, 0]], 2), ([[1, 0]], 0)):
        last = torch.tensor(idx)[:, -1:]
        more = (last + torch.arange(1, new + 1)) % 3
        want = {
            "text": torch.cat([torch.tensor(idx), more], 1),
            "idx": Said("as it was"),
        }
        text = f"i is followed by i + 1, modulo 3: generate({idx}, {new})"
        act = lambda idx=idx, new=new: _told_on(Model, _circle(3), idx, new)  # noqa: E731
        yield case(text, act, want)
    want = {"share of 1 after 0": Said("0.8"), "share of 1 after 1": Said("0.3")}
    text = "after 0 comes 1 with probability 0.8, after 1 with 0.3: 4000 texts"
    yield case(text, lambda: _shares(Model), want)
    text = "V = 20, letters nearly alike: generate for 500 texts, twice"
    want = {"letters that come": 20, "once more": Said("others")}
    yield case(text, lambda: _any_letter(Model), want)
    seed = _any_seed()
    idx, y = (torch.randint(5, (3, 6), generator=seeded(seed + i)) for i in (0, 1))
    yield _lookup_case(Model, normal(5, 5, seed=seed), idx, y, fresh=True)


@cache
def _bigram() -> type:
    class BigramLanguageModel(nn.Module):
        def __init__(self, vocab_size):
            super().__init__()
            self.token_embedding_table = nn.Embedding(vocab_size, vocab_size)

        def forward(self, idx, targets=None):
            logits = self.token_embedding_table(idx)
            if targets is None:
                return logits, None
            return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())

        def generate(self, idx, max_new_tokens):
            for _ in range(max_new_tokens):
                probs = F.softmax(self(idx)[0][:, -1], dim=-1)
                idx = torch.cat([idx, torch.multinomial(probs, 1)], 1)
            return idx

    return BigramLanguageModel


_untouched(bigram_lm)


def _forward(
    loss: Callable, logits: Callable = lambda logits: logits, ever: bool = False
) -> type:
    """The bigram model with another loss, or logits in another form."""

    def forward(self, idx, targets=None):
        found = self.token_embedding_table(idx)
        if targets is None and not ever:
            return found, None
        return logits(found), loss(found, targets)

    return _like(_bigram(), forward=forward)


def _right_loss(logits: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), y.flatten())


def _telling(
    last: Callable = lambda logits: logits[:, -1],
    choose: Callable = lambda logits: torch.multinomial(F.softmax(logits, -1), 1),
    join: Callable = lambda idx, new: torch.cat([idx, new], 1),
    end: Callable = lambda idx, start: idx,
    count: Callable = lambda n: n,
) -> type:
    """The bigram model with another generate."""

    def generate(self, idx, max_new_tokens):
        start = idx.shape[1]
        for _ in range(count(max_new_tokens)):
            idx = join(idx, choose(last(self(idx)[0])))
        return end(idx, start)

    return _like(_bigram(), generate=generate)


def _among(k: int) -> Callable:
    """A draw among the k likeliest letters."""

    def choose(logits):
        best, letters = logits.topk(min(k, logits.shape[-1]))
        return letters.gather(1, torch.multinomial(F.softmax(best, -1), 1))

    return choose


def _seeded_draw(logits: Tensor) -> Tensor:
    return torch.multinomial(F.softmax(logits, -1), 1, generator=seeded(1))


def _seeded_once(self: Any, idx: Tensor, max_new_tokens: int) -> Tensor:
    torch.default_generator.manual_seed(1)
    return _bigram().generate(self, idx, max_new_tokens)


def _seen_as(logits: Tensor, y: Tensor) -> Tensor:
    B, T, V = logits.shape
    return F.cross_entropy(logits.reshape(B, V, T), y)


bigram_lm.table(
    lambda: (_bigram(),),
    {
        "not flattened": (
            "F.cross_entropy takes dimension 1 for the classes: flatten first.",
            _forward(lambda logits, y: F.cross_entropy(logits, y)),
        ),
        "seen as (B, V, T)": (
            "A view as (B, V, T) mixes the numbers up: flatten to (B * T, V).",
            _forward(_seen_as),
        ),
        "targets turned": (
            "Logits and targets are flattened in different orders.",
            _forward(lambda z, y: F.cross_entropy(z.flatten(0, 1), y.T.flatten())),
            _forward(
                lambda z, y: F.cross_entropy(
                    z.transpose(0, 1).flatten(0, 1), y.flatten()
                )
            ),
        ),
        "flat logits": (
            "The logits come back flattened: keep them (B, T, V) for the caller.",
            _forward(_right_loss, lambda logits: logits.flatten(0, 1)),
        ),
        "summed": (
            "The losses are summed: the mean is wanted.",
            _forward(
                lambda z, y: F.cross_entropy(
                    z.flatten(0, 1), y.flatten(), reduction="sum"
                )
            ),
        ),
        "softmax twice": (
            "F.cross_entropy wants logits: it does the softmax itself.",
            _forward(lambda z, y: _right_loss(F.softmax(z, -1), y)),
        ),
        "odds for logits": (
            "The output is probabilities: logits are wanted.",
            _forward(_right_loss, lambda logits: F.softmax(logits, -1)),
        ),
        "last place alone": (
            "The loss is that of the last place alone: every place is an example.",
            _forward(lambda z, y: F.cross_entropy(z[:, -1], y[:, -1])),
        ),
        "cut off": (
            "The loss is cut off from its gradient: the table would never learn.",
            _forward(lambda z, y: _right_loss(z, y).detach()),
        ),
        "a plain number": (
            "The loss is a plain number: it must stay a tensor, or nothing is learned.",
            _forward(lambda z, y: _right_loss(z, y).item()),
        ),
        "targets always": (
            "Without targets there is no loss: return None in its place.",
            _forward(_right_loss, ever=True),
        ),
        "always the likeliest": (
            "The likeliest letter is taken: draw from the probabilities.",
            _telling(choose=lambda z: z.argmax(-1, keepdim=True)),
        ),
        "evenly drawn": (
            "The letter is drawn without regard to the logits.",
            _telling(choose=lambda z: torch.multinomial(torch.ones_like(z), 1)),
        ),
        "few letters": (
            "Only some letters can be drawn: each has the chance that softmax gives.",
            *(_telling(choose=_among(k)) for k in (3, 5, 10)),
        ),
        "own seed": (
            "The draw is seeded inside: each text would be the same.",
            _telling(choose=_seeded_draw),
            _like(_bigram(), generate=_seeded_once),
        ),
        "all places": (
            "The logits of all places are drawn from: take those of the last one.",
            _telling(last=lambda logits: logits),
        ),
        "softmax over texts": (
            "The softmax runs over the texts: each text has its own probabilities.",
            _telling(choose=lambda z: torch.multinomial(F.softmax(z, 0), 1)),
        ),
        "first place": (
            "The first place's logits are used: the last letter decides.",
            _telling(last=lambda logits: logits[:, 0]),
        ),
        "new alone": (
            "Only the new letters come back: they belong behind idx.",
            _telling(end=lambda idx, start: idx[:, start:]),
        ),
        "in front": (
            "The new letter is put in front: it belongs behind the others.",
            _telling(join=lambda idx, new: torch.cat([new, idx], 1)),
        ),
        "below": (
            "The new letters become rows of their own: join them along time.",
            _telling(join=lambda idx, new: torch.cat([idx, new], 0)),
        ),
        "one too many": (
            "One letter too many is drawn.",
            _telling(count=lambda n: n + 1),
        ),
        "one too few": (
            "One letter too few is drawn.",
            _telling(count=lambda n: n - 1),
        ),
        "old text lost": (
            "Each letter replaces the text: it belongs behind it.",
            _telling(join=lambda idx, new: new),
        ),
    },
)


# ---------------------------------------------------------------- averaging


def _slow_average(x: Tensor) -> Tensor:
    """Sums, element by element."""
    out = torch.zeros_like(x)
    B, T, C = x.shape
    for b in range(B):
        for t in range(T):
            for c in range(C):
                out[b, t, c] = sum(x[b, i, c] for i in range(t + 1)) / (t + 1)
    return out


@lru_cache(maxsize=50)
def _averaged(*shape: int, seed: int) -> tuple[Tensor, Tensor]:
    """Vectors, and their averages."""
    x = normal(*shape, seed=seed).float()
    return x, _slow_average(x)


def _average_case(average: Callable, x: Tensor, want: Tensor, **more: Any) -> Case:
    said = f"= {x.tolist()}" if x.numel() <= 3 else tuple(x.shape)
    text = f"{getattr(average, '__name__', 'average')}(x), x {said}"
    seen = lambda out: out.detach() if isinstance(out, Tensor) else out  # noqa: E731
    return asked(text, average, x, expects=want, seen=seen, within=FLOAT32, **more)


@exercise("gpt.averaging", version=2)
def averaging(
    average_loop: Callable, average_matmul: Callable, average_softmax: Callable
) -> Cases:
    seed = _any_seed()
    for average in (average_loop, average_matmul, average_softmax):
        x, want = ([[[v] for v in row]] for row in ((2.0, 4.0, 9.0), (2.0, 3.0, 5.0)))
        yield _average_case(average, torch.tensor(x), torch.tensor(want))
        for B, T, C in ((1, 2, 3), (2, 5, 3), (7, 1, 2), (3, 4, 4), (2, 9, 5)):
            yield _average_case(average, *_averaged(B, T, C, seed=T))
        yield _average_case(average, *_averaged(3, 6, 2, seed=seed), fresh=True)


def _past(T: int) -> Tensor:
    return torch.ones(T, T).tril()


def _loop(at: Callable) -> Callable:
    def average_loop(x):
        out = torch.zeros_like(x)
        for b in range(x.shape[0]):
            for t in range(x.shape[1]):
                out[b, t] = at(x[b], t, out[b])
        return out

    return average_loop


def _matmul(weights: Callable) -> Callable:
    def average_matmul(x):
        return weights(x.shape[1]) @ x

    return average_matmul


def _softmax(scores: Callable, dim: int = -1, then: Callable = lambda w: w) -> Callable:
    def average_softmax(x):
        T = x.shape[1]
        return then(F.softmax(scores(T), dim=dim)) @ x

    return average_softmax


def _masked(T: int, past: Tensor, value: float = -math.inf) -> Tensor:
    return torch.zeros(T, T).masked_fill(past == 0, value)


def _future_also(x: Tensor) -> Tensor:
    return x.mean(1, keepdim=True).expand_as(x)


def _mean_of_mean(x: Tensor, t: int, out: Tensor) -> Tensor:
    return x[0] if t == 0 else (out[t - 1] + x[t]) / 2


averaging.table(
    lambda: (
        _loop(lambda x, t, out: x[: t + 1].mean(0)),
        _matmul(lambda T: _past(T) / _past(T).sum(1, keepdim=True)),
        _softmax(lambda T: _masked(T, _past(T))),
    ),
    {
        "itself left out": (
            "The place itself is left out: the past of a place ends with it.",
            (_loop(lambda x, t, out: x[:t].mean(0)), None, None),
            (
                _loop(
                    lambda x, t, out: x[:t].mean(0) if t else torch.zeros(x.shape[1])
                ),
                None,
                None,
            ),
            (
                None,
                _matmul(lambda T: _past(T).tril(-1) / _past(T).tril(-1).sum(1, True)),
                None,
            ),
            (None, None, _softmax(lambda T: _masked(T, _past(T).tril(-1)))),
        ),
        "the future too": (
            "The mean is over all places: the future must not count.",
            (_future_also, None, None),
            (None, _matmul(lambda T: torch.ones(T, T) / T), None),
            (None, None, _softmax(lambda T: torch.zeros(T, T))),
        ),
        "summed": (
            "The past is summed: divide by how many places it has.",
            (_loop(lambda x, t, out: x[: t + 1].sum(0)), None, None),
            (None, _matmul(_past), None),
        ),
        "divided by T": (
            "The sum is divided by T: the past of place t has t + 1 places.",
            (_loop(lambda x, t, out: x[: t + 1].sum(0) / len(x)), None, None),
            (None, _matmul(lambda T: _past(T) / T), None),
        ),
        "over channels": (
            "The mean is over channels: average over time, each channel alone.",
            (_loop(lambda x, t, out: x[: t + 1].mean()), None, None),
            (_loop(lambda x, t, out: x[t].mean()), None, None),
        ),
        "halved again and again": (
            "The last mean and the new vector count alike: all places should.",
            (_loop(_mean_of_mean), None, None),
        ),
        "columns to one": (
            "The columns sum to one: divide each row by its own sum.",
            (None, _matmul(lambda T: _past(T) / _past(T).sum(0, keepdim=True)), None),
            (None, None, _softmax(lambda T: _masked(T, _past(T)), dim=0)),
        ),
        "without keepdim": (
            "Without keepdim the sums lie along the columns: keep them a column.",
            (None, _matmul(lambda T: _past(T) / _past(T).sum(1)), None),
        ),
        "upper triangle": (
            "The triangle lies the other way: each place averages its future.",
            (_loop(lambda x, t, out: x[t:].mean(0)), None, None),
            (None, _matmul(lambda T: _past(T).T / _past(T).T.sum(1, True)), None),
            (None, None, _softmax(lambda T: _masked(T, _past(T).T))),
        ),
        "zero for minus infinity": (
            "Finite scores give the future a weight: mask with minus infinity.",
            (None, None, _softmax(_past)),
        ),
        "the past masked": (
            "The past is masked and the future is left: fill where tril is 0.",
            (
                None,
                None,
                _softmax(
                    lambda T: torch.zeros(T, T).masked_fill(_past(T) == 1, -math.inf)
                ),
            ),
        ),
        "masked afterwards": (
            "Masked after the softmax, the rows do not sum to one.",
            (
                None,
                None,
                _softmax(lambda T: torch.zeros(T, T), then=lambda w: w.tril()),
            ),
        ),
        "one ahead": (
            "The next place counts as well: a place must not see ahead.",
            (_loop(lambda x, t, out: x[: t + 2].mean(0)), None, None),
            (
                None,
                _matmul(
                    lambda T: (
                        torch.ones(T, T).tril(1) / torch.ones(T, T).tril(1).sum(1, True)
                    )
                ),
                None,
            ),
            (None, None, _softmax(lambda T: _masked(T, torch.ones(T, T).tril(1)))),
        ),
    },
)


# ---------------------------------------------------------------- head


def _slow_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention of (T, size) each, pair of places by pair of places."""
    rows = []
    for t in range(len(q)):
        scores = torch.stack([(q[t] * k[s]).sum() for s in range(t + 1)])
        odds = (scores / math.sqrt(q.shape[1])).exp()
        odds = odds / odds.sum()
        rows.append(sum(odds[s] * v[s] for s in range(t + 1)))
    return torch.stack(rows)


def _slow_head(state: dict[str, Tensor], x: Tensor, at: str = "") -> Tensor:
    q, k, v = (x @ state[f"{at}{n}.weight"].T for n in ("query", "key", "value"))
    return torch.stack([_slow_attention(*one) for one in zip(q, k, v, strict=True)])


def _head_shapes(config: Any, at: str = "") -> Shapes:
    shape = (config.n_embd // config.n_head, config.n_embd)
    return {f"{at}{name}.weight": shape for name in ("query", "key", "value")}


def _made(Class: type, config: Any, want: Shapes) -> Any:
    module = Class(config)
    found = _parts(module, want)
    if "other parameters" not in found:
        return found
    shape = list(getattr(getattr(module, "tril", None), "shape", ()))
    return found | {"tril": _buffer(module), "shape of tril": shape[-2:]}


def _averages(Head: type) -> Any:
    """The output of a head of one channel that asks for nothing, for [2, 4, 9]."""
    config = _config(block_size=4, n_head=1, n_embd=1)
    head = _filled(Head(config), _head_shapes(config), 1)
    if not isinstance(head, nn.Module):
        return head
    for name, value in (("query", 0.0), ("key", 0.0), ("value", 1.0)):
        getattr(head, name).weight.data.fill_(value)
    out = head(doubles([[[2.0], [4.0], [9.0]]]))
    return {"output": out.detach()} if isinstance(out, Tensor) else otherwise(out)


def _dropping(module: Any, want: Shapes, value: Callable, C: int, T: int) -> Any:
    """What dropout drops: all values are equal, so that sums of weights can be seen."""
    module = _filled(module, want, 6)
    if not isinstance(module, nn.Module):
        return module
    value(module)
    x = normal(1, T, C, seed=8).repeat(4, 1, 1)
    x[:, :, 0] = 1.0
    out, again = (_tried(lambda: module.train()(x), seed) for seed in (1, 2))
    used = [module.eval()(x) for _ in range(2)]
    if not isinstance(out, Tensor) or out.ndim != 3 or out.shape[1] != T:
        return out if isinstance(out, Tensor) else otherwise(out)
    sums = out[..., 0]
    module.value.weight.data.copy_(normal(*module.value.weight.shape, seed=3))
    other = _tried(lambda: module.train()(x))
    moves = not torch.allclose(other, module.eval()(x))
    value(module)
    module.query.weight.data.zero_()  # now all that a place hears counts alike
    even = _tried(lambda: module.train()(x))
    return {
        "dropped in training": _what_drops(out, used[0], moves, even),
        "first places": Said(", ".join(sorted({f"{s:.0f}" for s in sums[:, 0]}))),
        "another draw": either(torch.equal(out, again), "the same", "another"),
        "in eval mode": either(torch.equal(*used), "the same each time", "by chance"),
    }


def _what_drops(out: Tensor, used: Tensor, moves: bool, even: Tensor) -> Said:
    """What dropout acts on, by the outputs where all values are 1, and others.

    even: the outputs where a place hears all others alike. Where its sum grows by the
    new place's number alone, all later places have lost the same ones.
    """
    if not out.isfinite().all():
        return Said("something: the outputs are not finite")
    if torch.allclose(out, used):
        return Said("scores" if moves else "nothing")
    alike = torch.allclose(out, out[..., :1].expand_as(out))
    sums = even * torch.arange(1.0, even.shape[-2] + 1)[:, None].to(even)
    steps = sums.diff(dim=-2) * (1 - 0.75)
    before = bool((steps * (steps - 1)).abs().max() < 1e-4)
    if before:
        return Said("the input" if alike else "values")
    return Said("weights" if alike else "outputs")


_WEIGHTS_DROPPED = {
    "dropped in training": Said("weights"),
    "first places": Said("0, 4"),
    "another draw": Said("another"),
    "in eval mode": Said("the same each time"),
}


def _ones_from_first(module: Any) -> None:
    """Values that are 1 wherever channel 0 is 1."""
    module.value.weight.data.zero_()
    module.value.weight.data[:, 0] = 1.0


@exercise("gpt.head", version=2)
def head(Head: type) -> Cases:
    config = _config(block_size=8, n_head=2, n_embd=6)
    want = _head_shapes(config)
    facts = _parts_facts(want) | {"tril": Said("a buffer"), "shape of tril": [8, 8]}
    text = "Head(config), block_size 8, n_head 2, n_embd 6"
    yield case(text, lambda: _made(Head, config, want), facts)
    text = "n_embd 1, query and key 0, value 1, x = [2, 4, 9]"
    means = {"output": doubles([[[2.0], [3.0], [5.0]]])}
    yield case(text, lambda: _averages(Head), means, within=ONCE)
    x = normal(2, 8, 6, seed=1)
    text = "x (2, 8, 6), changed at place 5: the outputs"
    yield case(text, lambda: _leaks(Head(config), want, x), _TIGHT)
    for B, T, C, heads in ((2, 8, 6, 2), (3, 5, 6, 2), (1, 1, 8, 1), (5, 3, 12, 4)):
        yield _head_case(Head, B, T, C, heads, C)
    dropped = _config(block_size=8, n_head=2, n_embd=8, dropout=0.75)
    shapes = _head_shapes(dropped)
    yield case(
        "dropout 0.75, all values 1: the outputs",
        lambda: _dropping(Head(dropped), shapes, _ones_from_first, 8, 7),
        _WEIGHTS_DROPPED,
    )
    yield _head_case(Head, 2, 7, 6, 2, _any_seed(), fresh=True)


def _head_case(
    Head: type, B: int, T: int, C: int, heads: int, seed: int, **o: Any
) -> Case:
    config = _config(block_size=8, n_head=heads, n_embd=C)
    want = _head_shapes(config)
    return case(
        f"block_size 8, n_head {heads}, n_embd {C}, x {(B, T, C)}",
        lambda: _ran(Head(config), want, B, T, C, seed=seed),
        _ran_facts(_slow_head, want, B, T, C, seed=seed),
        within=NUMBER,
        **o,
    )


_untouched(head)

Weigh = Callable[[Tensor, Tensor, Tensor, int, Any], Tensor]  # q, k, past, C, dropout


def _scores(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.transpose(-2, -1)


def _hidden(scores: Tensor, past: Tensor, value: float = -math.inf) -> Tensor:
    return scores.masked_fill(past == 0, value)


def _weigh(
    scale: Callable = lambda scores, size, C: scores / size**0.5,
    mask: Callable = _hidden,
    dim: int = -1,
    then: Callable = lambda wei, past, size: wei,
    drop: Callable = lambda wei, dropout: dropout(wei),
    scores: Callable = _scores,
) -> Weigh:
    """The weights of attention with one thing done otherwise."""

    def weigh(q, k, past, C, dropout):
        size = q.shape[-1]
        wei = F.softmax(mask(scale(scores(q, k), size, C), past), dim=dim)
        return drop(then(wei, past, size), dropout)

    return weigh


def _dropped_before(q, k, past, C, dropout):
    scores = dropout(_scores(q, k) / q.shape[-1] ** 0.5)
    return F.softmax(_hidden(scores, past), dim=-1)


def _dropped_masked(q, k, past, C, dropout):
    scores = _scores(q, k) / q.shape[-1] ** 0.5
    return F.softmax(dropout(_hidden(scores, past)), dim=-1)


def _without_softmax(q, k, past, C, dropout):
    scores = _scores(q, k) / q.shape[-1] ** 0.5
    return dropout(_hidden(scores, past, 0.0))


# what goes wrong with weights, for one head and for all of them
_WEIGHTS: dict[str, tuple[str, tuple[Weigh, ...]]] = {
    "zero for minus infinity": (
        "The future's scores are 0, and e to the 0 is 1: the future leaks in.",
        (
            _weigh(mask=lambda scores, past: _hidden(scores, past, 0.0)),
            _weigh(mask=lambda scores, past: scores * past),
        ),
    ),
    "no mask": (
        "Nothing is masked: each place sees the letter that it should predict.",
        (_weigh(mask=lambda scores, past: scores),),
    ),
    "masked afterwards": (
        "Masked after the softmax, rows do not sum to one, and the future leaks in.",
        (
            _weigh(
                mask=lambda scores, past: scores,
                then=lambda wei, past, size: wei * past,
            ),
        ),
    ),
    "columns to one": (
        "The softmax runs over the wrong dimension: each row should sum to one.",
        (_weigh(dim=-2),),
    ),
    "upper triangle": (
        "The mask lies the other way: each place sees its future alone.",
        (_weigh(mask=lambda scores, past: _hidden(scores, past.mT)),),
    ),
    "past masked": (
        "The past is masked, and the future is left: fill where tril is 0.",
        (_weigh(mask=lambda scores, past: scores.masked_fill(past == 1, -math.inf)),),
    ),
    "itself left out": (
        "A place may see itself: the first one has nothing else.",
        (_weigh(mask=lambda scores, past: _hidden(scores, past.tril(-1))),),
    ),
    "one ahead": (
        "Each place sees the next one: the letter that it should predict.",
        (
            _weigh(
                mask=lambda scores, past: _hidden(scores, torch.ones_like(past).tril(1))
            ),
        ),
    ),
    "not scaled": (
        "The scores are not divided by the root of the head size.",
        (_weigh(scale=lambda scores, size, C: scores),),
    ),
    "divided by the size": (
        "The scores are divided by the head size: its root is wanted.",
        (_weigh(scale=lambda scores, size, C: scores / size),),
    ),
    "root of all channels": (
        "The scores are divided by the root of C: the head size is C / n_head.",
        (_weigh(scale=lambda scores, size, C: scores / C**0.5),),
    ),
    "multiplied": (
        "The scores are multiplied by the root of the head size: divide.",
        (_weigh(scale=lambda scores, size, C: scores * size**0.5),),
    ),
    "scaled afterwards": (
        "The weights are scaled after the softmax: scale the scores before it.",
        (
            _weigh(
                scale=lambda scores, size, C: scores,
                then=lambda wei, past, size: wei / size**0.5,
            ),
        ),
    ),
    "no softmax": (
        "There is no softmax: weights are positive, and a row sums to one.",
        (_without_softmax,),
    ),
    "keys ask": (
        "Keys ask and queries answer: row t has the scores of query t.",
        (_weigh(scores=lambda q, k: k @ q.transpose(-2, -1)),),
    ),
    "all dimensions turned": (
        "k.T turns all dimensions around: transpose the last two alone.",
        (_weigh(scores=lambda q, k: q @ k.permute(*reversed(range(k.ndim)))),),
    ),
    "keys with keys": (
        "Queries meet queries, or keys meet keys: a query meets a key.",
        (
            _weigh(scores=lambda q, k: _scores(k, k)),
            _weigh(scores=lambda q, k: _scores(q, q)),
        ),
    ),
    "no dropout on the weights": (
        "Nothing is dropped in training: dropout acts on the weights, at the end.",
        (_weigh(drop=lambda wei, dropout: wei),),
    ),
    "dropout before the softmax": (
        "Dropout acts on the scores: it belongs after the softmax.",
        (_dropped_before, _dropped_masked),
    ),
}


def _heads_forward(weigh: Weigh) -> type:
    def forward(self, x):
        T, C = x.shape[1:]
        q, k = self.query(x), self.key(x)
        wei = weigh(q, k, self.tril[:T, :T], C, self.dropout)
        return wei @ self.value(x)

    return _like(_given().Head, forward=forward)


def _head_of(
    values: Callable = lambda self, x, q, k: self.value(x),
    end: Callable = lambda self, out: out,
    drop: Callable = lambda self: self.dropout,
    start: Callable = lambda self, x: x,
) -> type:
    """A head with something else for its values, or another place for its dropout."""

    def forward(self, x):
        x = start(self, x)
        T, C = x.shape[1:]
        q, k = self.query(x), self.key(x)
        wei = _weigh()(q, k, self.tril[:T, :T], C, drop(self))
        return end(self, wei @ values(self, x, q, k))

    return _like(_given().Head, forward=forward)


def _uncut(self, x):
    q, k, v = self.query(x), self.key(x), self.value(x)
    wei = _scores(q, k) / q.shape[-1] ** 0.5
    wei = F.softmax(wei.masked_fill(self.tril == 0, -math.inf), dim=-1)
    return self.dropout(wei) @ v


def _tril(self: Any, config: Any, put: Callable) -> None:
    past = torch.ones(config.block_size, config.block_size).tril()
    del self.tril
    put(self, past)


def _resized(size: Callable, bias: bool = False) -> Callable:
    def change(self, config):
        for name in ("query", "key", "value"):
            setattr(self, name, nn.Linear(config.n_embd, size(config), bias=bias))

    return change


def _head_after(change: Callable) -> type:
    return _after(_given().Head, change)


def _undropped(self: Any) -> Callable:
    return lambda wei: wei


def _sized(n: int) -> Callable:
    """The mask with n places, whatever the block size."""
    past = torch.ones(n, n).tril()
    return lambda self, config: _tril(
        self, config, lambda s, _: s.register_buffer("tril", past)
    )


def _as_parameter(self, config):
    _tril(self, config, lambda s, p: s.register_parameter("tril", nn.Parameter(p)))


head.table(
    lambda: (_given().Head,),
    {
        name: (said, *map(_heads_forward, forms))
        for name, (said, forms) in _WEIGHTS.items()
    }
    | {
        "x for values": (
            "The weights are applied to x itself: its values are wanted.",
            _head_of(lambda self, x, q, k: x),
            _head_of(lambda self, x, q, k: x, drop=_undropped),
        ),
        "keys for values": (
            "The weights are applied to keys or queries: the values are wanted.",
            _head_of(lambda self, x, q, k: k),
            _head_of(lambda self, x, q, k: q),
        ),
        "channels dropped": (
            "Dropout acts on the output: here it acts on the weights.",
            _head_of(end=lambda self, out: self.dropout(out), drop=_undropped),
        ),
        "values dropped": (
            "Dropout acts on the values: here it acts on the weights.",
            _head_of(
                lambda self, x, q, k: self.dropout(self.value(x)), drop=_undropped
            ),
        ),
        "input dropped": (
            "Dropout acts on x: here it acts on the weights.",
            _head_of(start=lambda self, x: self.dropout(x), drop=_undropped),
        ),
        "mask of a fixed size": (
            "The mask has a size of its own: block_size by block_size is wanted.",
            *(_head_after(_sized(n)) for n in (16, 32, 64, 256)),
        ),
        "mask not cut": (
            "A text may be shorter than block_size: cut the mask to [:T, :T].",
            _like(_given().Head, forward=_uncut),
        ),
        "all channels": (
            "The head is as wide as the model: its size is n_embd // n_head.",
            _head_after(_resized(lambda config: config.n_embd)),
        ),
        "n_head channels": (
            "The head has n_head channels: its size is n_embd // n_head.",
            _head_after(_resized(lambda config: config.n_head)),
        ),
        "biases": (
            "The three layers have a bias: bias=False.",
            _head_after(_resized(lambda c: c.n_embd // c.n_head, bias=True)),
        ),
        "mask a parameter": (
            "The mask is a parameter, and would be learned: register it as a buffer.",
            _head_after(_as_parameter),
        ),
        "mask a plain attribute": (
            "The mask is a plain attribute, and stays behind: register it as a buffer.",
            _head_after(lambda s, c: _tril(s, c, lambda s, p: setattr(s, "tril", p))),
        ),
    },
)


# ---------------------------------------------------------------- multi_head


def _multi_shapes(config: Any) -> Shapes:
    C = config.n_embd
    want: Shapes = {}
    for i in range(config.n_head):
        want |= _head_shapes(config, f"heads.{i}.")
    want["proj.weight"] = (C, C)
    return want | ({"proj.bias": (C,)} if config.bias else {})


def _slow_multi(state: dict[str, Tensor], x: Tensor) -> Tensor:
    count = sum(name.endswith("query.weight") for name in state)
    outs = [_slow_head(state, x, f"heads.{i}.") for i in range(count)]
    out = torch.cat(outs, 2) @ state["proj.weight"].T
    return out + state["proj.bias"] if "proj.bias" in state else out


def _multi_case(Multi: type, B: int, T: int, seed: int, sizes: Any, **o: Any) -> Case:
    config = _config(block_size=6, **sizes)
    want, shape = _multi_shapes(config), (B, T, config.n_embd)
    said = ", ".join(f"{name} {value}" for name, value in sizes.items())
    return case(
        f"{said}, x {shape}",
        lambda: _ran(Multi(config), want, *shape, seed=seed),
        _ran_facts(_slow_multi, want, *shape, seed=seed),
        within=NUMBER,
        **o,
    )


@exercise("gpt.multi_head", version=2)
def multi_head(MultiHeadAttention: type) -> Cases:
    Multi = MultiHeadAttention
    for bias in (True, False):
        config = _config(block_size=7, n_head=3, n_embd=6, bias=bias)
        want = _multi_shapes(config)
        text = f"MultiHeadAttention(config), n_head 3, n_embd 6, bias {bias}"
        act = lambda c=config, w=want: _parts(Multi(c), w)  # noqa: E731
        yield case(text, act, _parts_facts(want))
    config = _config(block_size=7, n_head=3, n_embd=6)
    want, x = _multi_shapes(config), normal(2, 7, 6, seed=1)
    text = "x (2, 7, 6), changed at place 5: the outputs"
    yield case(text, lambda: _leaks(Multi(config), want, x), _TIGHT)
    for B, T, sizes in (
        (2, 4, {"n_head": 3, "n_embd": 6}),
        (3, 6, {"n_head": 2, "n_embd": 8, "bias": False}),
        (1, 5, {"n_head": 1, "n_embd": 4}),
        (4, 4, {"n_head": 4, "n_embd": 4}),
    ):
        yield _multi_case(Multi, B, T, T + B, sizes)
    dropped = _config(block_size=40, n_head=2, n_embd=8, dropout=0.75)
    shapes = _multi_shapes(dropped)
    yield case(
        "dropout 0.75: the outputs",
        lambda: _drops(Multi(dropped), shapes, 3, 40, 8, quiet="heads"),
        _MOST_DROPPED,
    )
    sizes = {"n_head": 3, "n_embd": 6}
    yield _multi_case(Multi, 2, 5, _any_seed(), sizes, fresh=True)


_untouched(multi_head)


def _multi(forward: Callable) -> type:
    return _like(_given().MultiHeadAttention, forward=forward)


def _joined(self: Any, x: Tensor, order: int = 1) -> Tensor:
    return torch.cat([head(x) for head in list(self.heads)[::order]], -1)


def _multi_after(change: Callable) -> type:
    return _after(_given().MultiHeadAttention, change)


def _plain_list(self, config):
    heads = list(self.heads)
    del self.heads
    object.__setattr__(self, "heads", heads)


def _one_head(self, config):
    self.heads = nn.ModuleList([self.heads[0]] * config.n_head)


def _stacked(self, x):
    outs = torch.stack([head(x) for head in self.heads], -1)
    return self.dropout(self.proj(outs.flatten(2)))


def _summed_up(self, x):
    out = sum(head(x) for head in self.heads)
    return self.dropout(self.proj(out.repeat(1, 1, len(self.heads))))


def _first_head(self, x):
    return self.dropout(self.proj(torch.cat([self.heads[0](x)] * len(self.heads), -1)))


def _in_time(self, x):
    return _ended(self, torch.cat([head(x) for head in self.heads], 1))


def _ended(self, out):
    return self.dropout(self.proj(out))


def _dropped_twice(self, x):
    return _ended(self, self.dropout(_joined(self, x)))


def _rows_dropped(self, x):
    return F.dropout1d(self.proj(_joined(self, x)), self.dropout.p, self.training)


multi_head.table(
    lambda: (_given().MultiHeadAttention,),
    {
        "a plain list": (
            "The heads are in a plain list: PyTorch does not find their parameters.",
            _multi_after(_plain_list),
        ),
        "one head": (
            "The same head stands in all places: make a new one for each.",
            _multi_after(_one_head),
        ),
        "no projection": (
            "The projection is made and not used.",
            _multi(lambda self, x: self.dropout(_joined(self, x))),
        ),
        "no proj": (
            "There is no projection: a linear layer named proj.",
            _like(
                _multi_after(lambda self, config: delattr(self, "proj")),
                forward=lambda self, x: self.dropout(_joined(self, x)),
            ),
        ),
        "no dropout": (
            "Nothing is dropped in training: dropout comes last.",
            _multi(lambda self, x: self.proj(_joined(self, x))),
        ),
        "dropout before proj": (
            "Dropout stands before the projection: it comes last.",
            _multi(lambda self, x: self.proj(self.dropout(_joined(self, x)))),
        ),
        "dropout twice": (
            "Something is dropped before the end too: here dropout comes last alone.",
            _multi(_dropped_twice),
            _multi(lambda self, x: _ended(self, _joined(self, self.dropout(x)))),
        ),
        "whole rows dropped": (
            "Dropout takes whole rows away: each number is dropped by itself.",
            _multi(_rows_dropped),
        ),
        "always a bias": (
            "The projection always has a bias: config.bias says whether it has.",
            _multi_after(
                lambda self, c: setattr(self, "proj", nn.Linear(c.n_embd, c.n_embd))
            ),
        ),
        "never a bias": (
            "The projection never has a bias: config.bias says whether it has.",
            _multi_after(
                lambda self, c: setattr(
                    self, "proj", nn.Linear(c.n_embd, c.n_embd, bias=False)
                )
            ),
        ),
        "heads interleaved": (
            "The channels of the heads are interleaved: one head behind the other.",
            _multi(_stacked),
        ),
        "backwards": (
            "The heads are put together from the last to the first.",
            _multi(lambda self, x: self.dropout(self.proj(_joined(self, x, -1)))),
        ),
        "summed": (
            "The heads' outputs are summed: put them behind one another.",
            _multi(_summed_up),
        ),
        "first head alone": (
            "Only the first head is asked.",
            _multi(_first_head),
        ),
        "not along channels": (
            "The outputs are put together along another dimension: along the last one.",
            _multi(_in_time),
            _multi(lambda self, x: _ended(self, torch.cat([h(x) for h in self.heads]))),
        ),
        "residual": (
            "x is added here: the block does that.",
            _multi(lambda self, x: x + self.dropout(self.proj(_joined(self, x)))),
        ),
    },
)


# ---------------------------------------------------------------- batched_heads


def _batched_shapes(config: Any) -> Shapes:
    C = config.n_embd
    want: Shapes = {"qkv.weight": (3 * C, C), "proj.weight": (C, C)}
    return want | ({"proj.bias": (C,)} if config.bias else {})


def _slow_batched(heads: int) -> Oracle:
    return _BATCHED.setdefault(heads, lambda state, x: _slow_rows(state, x, heads))


_BATCHED: dict[int, Oracle] = {}


def _slow_rows(state: dict[str, Tensor], x: Tensor, heads: int) -> Tensor:
    """Head by head, its rows cut out of the one weight."""
    C = x.shape[2]
    size, outs = C // heads, []
    for i in range(heads):
        rows = [state["qkv.weight"][n * C + i * size :][:size] for n in range(3)]
        names = ("query.weight", "key.weight", "value.weight")
        outs.append(_slow_head(dict(zip(names, rows, strict=True)), x))
    out = torch.cat(outs, 2) @ state["proj.weight"].T
    return out + state["proj.bias"] if "proj.bias" in state else out


def _batched_case(Batched: type, B: int, T: int, heads: int, C: int, **o: Any) -> Case:
    seed = o.pop("seed", C + T)
    bias = o.pop("bias", True)
    want = _batched_shapes(_config(n_head=heads, n_embd=C, bias=bias))
    oracle = _slow_batched(heads)
    return case(
        f"n_head {heads}, x {(B, T, C)}",
        lambda: _of(Batched, _batched_ran, heads, bias, B, T, C, seed),
        _ran_facts(oracle, want, B, T, C, seed=seed),
        within=NUMBER,
        **o,
    )


def _batched_ran(
    Batched: type, heads: int, bias: bool, B: int, T: int, C: int, seed: int
) -> Any:
    config = _config(block_size=6, n_head=heads, n_embd=C, bias=bias)
    return _ran(Batched(config), _batched_shapes(config), B, T, C, seed=seed)


def _attended(Batched: type) -> Any:
    """attend alone, on heads that are handed over."""
    config = _config(block_size=5, n_head=2, n_embd=6)
    module = Batched(config)
    if not callable(getattr(module, "attend", None)):
        return {"attend": Said("missing")}
    q, k, v = (normal(3, 2, 4, 3, seed=s) for s in (1, 2, 3))
    out = module.double().attend(q, k, v)
    return {"output": out.detach()} if isinstance(out, Tensor) else otherwise(out)


@cache
def _attended_facts() -> dict[str, Tensor]:
    q, k, v = (normal(3, 2, 4, 3, seed=s) for s in (1, 2, 3))
    out = [
        torch.stack([_slow_attention(q[b, i], k[b, i], v[b, i]) for i in range(2)])
        for b in range(3)
    ]
    return {"output": torch.stack(out)}


def _attend_drops(Batched: type) -> Any:
    """What dropout drops within attend, where all values are 1."""
    config = _config(block_size=9, n_head=2, n_embd=8, dropout=0.75)
    module = Batched(config).double()
    q, k = (normal(4, 2, 9, 4, seed=s) for s in (1, 2))
    v = torch.ones(4, 2, 9, 4).double()
    out = _tried(lambda: module.train().attend(q, k, v))
    used = [module.eval().attend(q, k, v) for _ in range(2)]
    if not isinstance(out, Tensor) or out.shape != v.shape:
        return out if isinstance(out, Tensor) else otherwise(out)
    v = normal(4, 2, 9, 4, seed=3)
    other = _tried(lambda: module.train().attend(q, k, v))
    moves = not torch.allclose(other, module.eval().attend(q, k, v))
    even = _tried(lambda: module.train().attend(0 * q, k, torch.ones_like(v)))
    return {
        "dropped in training": _what_drops(out, used[0], moves, even),
        "in eval mode": either(torch.equal(*used), "the same each time", "by chance"),
    }


_ATTEND_DROPPED = {
    "dropped in training": Said("weights"),
    "in eval mode": Said("the same each time"),
}


def _attends_otherwise(Batched: type) -> Any:
    """The output of a class that comes from this one, and attends in its own way."""
    config = _config(block_size=5, n_head=2, n_embd=6, bias=False)
    Other = _like(Batched, attend=lambda self, q, k, v: torch.zeros_like(v))
    out = Other(config)(torch.ones(2, 3, 6))
    if not isinstance(out, Tensor):
        return otherwise(out)
    return {"output": either(not out.any(), "zeros", "as if it had no attend")}


_OTHERWISE = {"output": Said("zeros")}


def _merged(merge_heads: Callable, heads: int, C: int, seed: int, bias: bool) -> Any:
    """The numbers of a MultiHeadAttention after merging, and what became of it."""
    config = _config(block_size=5, n_head=heads, n_embd=C, bias=bias)
    loop = _filled(_given().MultiHeadAttention(config), _multi_shapes(config), seed)
    loop.float()
    before = {name: p.detach().clone() for name, p in loop.named_parameters()}
    merged = merge_heads(loop, config)
    want = _batched_shapes(config)
    found = _parts(merged, want)
    if found != _parts_facts(want):
        return found
    numbers: dict[str, Any] = {"qkv.weight": merged.qkv.weight.detach().clone()}
    for name in ("proj.weight", "proj.bias")[: 1 + bias]:
        copied = torch.allclose(merged.get_parameter(name), before[name])
        numbers[name] = either(copied, "as in loop", "other numbers")
    same = all(
        torch.equal(p, before[name]) and p.requires_grad
        for name, p in loop.named_parameters()
    )
    same = same and loop.training
    with torch.no_grad():
        for p in merged.parameters():
            p += 1
    apart = all(torch.equal(p, before[name]) for name, p in loop.named_parameters())
    return {
        **numbers,
        "its parameters": either(
            all(p.is_leaf and p.requires_grad for p in merged.parameters()),
            "learn",
            "do not learn",
        ),
        "loop": either(same, "as it was", "changed"),
        "numbers": either(apart, "its own", "shared with loop"),
    }


def _merged_facts(heads: int, C: int, seed: int, bias: bool) -> dict[str, Any]:
    config = _config(block_size=5, n_head=heads, n_embd=C, bias=bias)
    state = {
        n: p.detach().float() for n, p in _state(_multi_shapes(config), seed).items()
    }
    rows = [
        state[f"heads.{i}.{name}.weight"]
        for name in ("query", "key", "value")
        for i in range(heads)
    ]
    found: dict[str, Any] = {"qkv.weight": torch.cat(rows)}
    for name in ("proj.weight", "proj.bias")[: 1 + bias]:
        found[name] = Said("as in loop")
    words = {"its parameters": "learn", "loop": "as it was", "numbers": "its own"}
    return found | {name: Said(word) for name, word in words.items()}


def _merge_case(merge_heads: Callable, heads: int, C: int, seed: int, **o: Any) -> Case:
    bias = o.pop("bias", True)
    return case(
        f"merge_heads of {heads} heads, n_embd {C}, bias {bias}",
        lambda: _merged(merge_heads, heads, C, seed, bias),
        _merged_facts(heads, C, seed, bias),
        within=ONCE,
        **o,
    )


@exercise("gpt.batched_heads", version=2, limit=10)
def batched_heads(CausalSelfAttention: type, merge_heads: Callable) -> Cases:
    Batched = CausalSelfAttention
    text = "attend(q, k, v), each (3, 2, 4, 3)"
    yield case(text, lambda: _of(Batched, _attended), _attended_facts(), within=NUMBER)
    config = _config(block_size=7, n_head=3, n_embd=6)
    want, x = _batched_shapes(config), normal(2, 7, 6, seed=1)
    text = "x (2, 7, 6), changed at place 5: the outputs"
    yield case(text, lambda: _leaks(Batched(config), want, x), _TIGHT)
    for B, T, heads, C, bias in (
        (1, 2, 2, 2, True),
        (2, 4, 3, 6, True),
        (3, 6, 2, 8, False),
        (4, 1, 1, 4, True),
        (2, 5, 4, 4, True),
    ):
        yield _batched_case(Batched, B, T, heads, C, bias=bias)
    text = "attend in training, dropout 0.75, all values 1"
    yield case(text, lambda: _of(Batched, _attend_drops), _ATTEND_DROPPED)
    dropped = _config(block_size=40, n_head=2, n_embd=8, dropout=0.75)
    shapes = _batched_shapes(dropped)
    yield case(
        "dropout 0.75: the outputs",
        lambda: _drops(Batched(dropped), shapes, 3, 40, 8, quiet="attn"),
        _MOST_DROPPED,
    )
    text = "a class with an attend that gives zeros, bias False: the output"
    yield case(text, lambda: _of(Batched, _attends_otherwise), _OTHERWISE)
    for heads, C, bias in ((2, 4, True), (5, 10, False)):
        yield _merge_case(merge_heads, heads, C, C, bias=bias)
    seed = _any_seed()
    yield _batched_case(Batched, 2, 5, 3, 6, seed=seed, fresh=True)
    yield _merge_case(merge_heads, 2, 6, seed, fresh=True)


def _batched(**methods: Any) -> tuple[type, None]:
    return _like(_given().CausalSelfAttention, **methods), None


def _attend(weigh: Weigh) -> Callable:
    def attend(self, q, k, v):
        T, C = q.shape[-2], q.shape[1] * q.shape[-1]
        return weigh(q, k, self.tril[:T, :T], C, self.attn_dropout) @ v

    return attend


def _in_heads(
    cut: Callable = lambda self, x: self.qkv(x).chunk(3, -1),
    apart: Callable = lambda t, n: t.unflatten(-1, (n, -1)).transpose(1, 2),
    back: Callable = lambda out: out.transpose(1, 2).flatten(2),
    end: Callable = lambda self, out: self.dropout(self.proj(out)),
) -> tuple[type, None]:
    """forward with one thing done otherwise."""

    def forward(self, x):
        rows = [apart(t, self.n_head) for t in cut(self, x)]
        return end(self, back(self.attend(*rows)))

    return _batched(forward=forward)


def _view_at_once(t: Tensor, n: int) -> Tensor:
    B, T, C = t.shape
    return t.reshape(B, n, T, C // n)


def _interleaved(t: Tensor, n: int) -> Tensor:
    return t.unflatten(-1, (-1, n)).permute(0, 3, 1, 2)


def _back_at_once(out: Tensor) -> Tensor:
    B, n, T, size = out.shape
    return out.reshape(B, T, n * size)


def _head_by_head(self: Any, x: Tensor) -> Any:
    """As if each head's queries, keys and values lay side by side."""
    rows = self.qkv(x).unflatten(-1, (self.n_head, 3, -1))
    return [rows[:, :, :, i].flatten(2) for i in range(3)]


def _attending_itself(self: Any, x: Tensor) -> Tensor:
    C = _given().CausalSelfAttention
    rows = [
        t.unflatten(-1, (self.n_head, -1)).transpose(1, 2)
        for t in self.qkv(x).chunk(3, -1)
    ]
    out = C.attend(self, *rows).transpose(1, 2).flatten(2)
    return self.dropout(self.proj(out))


def _cut_in_order(*order: int) -> Callable:
    return lambda self, x: [self.qkv(x).chunk(3, -1)[i] for i in order]


def _merge(
    rows: Callable = lambda loop: [
        getattr(head, kind).weight
        for kind in ("query", "key", "value")
        for head in loop.heads
    ],
    proj: Callable = lambda merged, loop: merged.proj.load_state_dict(
        loop.proj.state_dict()
    ),
    join: Callable = torch.cat,
    put: Callable = lambda merged, weight: merged.qkv.weight.data.copy_(weight),
) -> tuple[None, Callable]:
    """merge_heads with one thing done otherwise."""

    def merge_heads(loop, config):
        merged = _given().CausalSelfAttention(config)
        put(merged, join(rows(loop)))
        proj(merged, loop)
        return merged

    return None, merge_heads


def _by_head(loop: Any) -> list[Tensor]:
    kinds = ("query", "key", "value")
    return [getattr(head, kind).weight for head in loop.heads for kind in kinds]


def _in_kinds(*kinds: str) -> Callable:
    return lambda loop: [getattr(h, kind).weight for kind in kinds for h in loop.heads]


def _shared_proj(merged: Any, loop: Any) -> None:
    merged.proj = loop.proj


def _weight_alone(merged: Any, loop: Any) -> None:
    merged.proj.weight.data.copy_(loop.proj.weight)


def _lost_parameter(merged: Any, weight: Tensor) -> None:
    del merged.qkv.weight
    merged.qkv.weight = weight.detach()


batched_heads.table(
    lambda: (_given().CausalSelfAttention, _merge()[1]),
    {
        name: (said, *(_batched(attend=_attend(form)) for form in forms))
        for name, (said, forms) in _WEIGHTS.items()
    }
    | {
        "viewed at once": (
            "A view to (B, n_head, T, size) mixes places: view, then transpose.",
            _in_heads(apart=_view_at_once),
        ),
        "interleaved": (
            "The channels of the heads are interleaved: each head's lie side by side.",
            _in_heads(apart=_interleaved),
        ),
        "not transposed back": (
            "Heads stand before time when they are put together: transpose back.",
            _in_heads(back=_back_at_once),
        ),
        "head by head": (
            "qkv has all queries, then all keys, then all values: not head by head.",
            _in_heads(cut=_head_by_head),
        ),
        "another order": (
            "qkv is read in another order than queries, keys, values.",
            *(
                _in_heads(cut=_cut_in_order(*order))
                for order in ((1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0))
            ),
        ),
        "no projection": (
            "The projection is not used.",
            _in_heads(end=lambda self, out: self.dropout(out)),
        ),
        "no dropout at the end": (
            "Nothing is dropped in training: dropout comes last.",
            _in_heads(end=lambda self, out: self.proj(out)),
        ),
        "attend not called": (
            "forward attends by itself: call self.attend, which others may replace.",
            _batched(forward=_attending_itself),
        ),
        "merged head by head": (
            "The rows are stacked head by head: all queries first, then keys, values.",
            _merge(_by_head),
        ),
        "merged in another order": (
            "Keys, queries and values are merged in another order.",
            _merge(_in_kinds("key", "query", "value")),
            _merge(_in_kinds("query", "value", "key")),
            _merge(_in_kinds("value", "key", "query")),
        ),
        "projection not copied": (
            "The projection's numbers are not copied.",
            _merge(proj=lambda merged, loop: None),
        ),
        "bias not copied": (
            "The projection's bias is not copied.",
            _merge(proj=_weight_alone),
        ),
        "projection shared": (
            "Both have one projection now: copy its numbers.",
            _merge(proj=_shared_proj),
        ),
        "a loose tensor": (
            "The weight is no parameter any more: copy into it, under torch.no_grad().",
            _merge(put=_lost_parameter),
        ),
        "heads side by side": (
            "nn.Linear keeps its weight as (out, in): the heads' rows are stacked.",
            _merge(join=lambda rows: torch.cat(rows, 1)),
            _merge(join=lambda rows: torch.cat([row.T for row in rows], 1)),
        ),
    },
)


# ---------------------------------------------------------------- feed_forward


def _feed_shapes(config: Any, at: str = "") -> Shapes:
    C, want = config.n_embd, {}
    for name, shape in (("net.0", (4 * C, C)), ("net.2", (C, 4 * C))):
        want[f"{at}{name}.weight"] = shape
        if config.bias:
            want[f"{at}{name}.bias"] = shape[:1]
    return want


def _slow_feed(
    state: dict[str, Tensor], x: Tensor, at: str = "", gelu: bool = False
) -> Tensor:
    for name in ("net.0", "net.2"):
        x = x @ state[f"{at}{name}.weight"].T
        if f"{at}{name}.bias" in state:
            x = x + state[f"{at}{name}.bias"]
        if name == "net.0":
            bell = x / 2 * (1 + torch.erf(x / math.sqrt(2)))
            x = bell if gelu else x.clamp(min=0)
    return x


def _slow_gelu(state: dict[str, Tensor], x: Tensor) -> Tensor:
    return _slow_feed(state, x, gelu=True)


def _slow_relu(state: dict[str, Tensor], x: Tensor) -> Tensor:
    return _slow_feed(state, x)


def _feed_case(
    Feed: type, shape: tuple[int, ...], gelu: bool, bias: bool, **o: Any
) -> Case:
    seed = o.pop("seed", shape[2])
    config = _config(n_head=1, n_embd=shape[2], gelu=gelu, bias=bias)
    want = _feed_shapes(config)
    return case(
        f"gelu {gelu}, bias {bias}, x {shape}",
        lambda: _ran(Feed(config), want, *shape, seed=seed),
        _ran_facts(_slow_gelu if gelu else _slow_relu, want, *shape, seed=seed),
        within=NUMBER,
        **o,
    )


@exercise("gpt.feed_forward", version=2)
def feed_forward(FeedForward: type) -> Cases:
    for bias in (True, False):
        config = _config(n_head=3, n_embd=6, bias=bias)
        want = _feed_shapes(config)
        text = f"FeedForward(config), n_embd 6, bias {bias}"
        act = lambda c=config, w=want: _parts(FeedForward(c), w)  # noqa: E731
        yield case(text, act, _parts_facts(want))
    for shape, gelu, bias in (
        ((1, 1, 1), False, True),
        ((2, 4, 6), False, True),
        ((3, 2, 5), True, True),
        ((2, 3, 40), False, False),
        ((1, 5, 2), True, False),
    ):
        yield _feed_case(FeedForward, shape, gelu, bias)
    dropped = _config(n_head=1, n_embd=8, dropout=0.75)
    yield case(
        "dropout 0.75: the outputs",
        lambda: _drops(FeedForward(dropped), _feed_shapes(dropped), 3, 40, 8),
        _MOST_DROPPED,
    )
    seed = _any_seed()
    yield _feed_case(FeedForward, (2, 4, 3), False, True, seed=seed, fresh=True)


_untouched(feed_forward)


def _feed(layers: Callable) -> type:
    """FeedForward with other layers in its net."""

    def change(self, config):
        C = config.n_embd
        act = nn.GELU() if config.gelu else nn.ReLU()
        first, second = (
            nn.Linear(*s, bias=config.bias) for s in ((C, 4 * C), (4 * C, C))
        )
        drop = nn.Dropout(config.dropout)
        self.net = nn.Sequential(*layers(first, act, second, drop, config))

    return _after(_given().FeedForward, change)


def _narrow(first, act, second, drop, config):
    C = config.n_embd
    return (
        nn.Linear(C, C, bias=config.bias),
        act,
        nn.Linear(C, C, bias=config.bias),
        drop,
    )


def _biased(bias: Callable) -> Callable:
    def layers(first, act, second, drop, config):
        C = config.n_embd
        b = bias(config)
        return nn.Linear(C, 4 * C, bias=b), act, nn.Linear(4 * C, C, bias=b), drop

    return layers


feed_forward.table(
    lambda: (_given().FeedForward,),
    {
        "narrow": (
            "The layer between is as wide as the model: four times as wide is wanted.",
            _feed(_narrow),
        ),
        "no nonlinearity": (
            "Nothing stands between the linear layers: two matrices in a row are one.",
            _feed(lambda a, f, b, d, c: (a, nn.Identity(), b, d)),
            _feed(lambda a, f, b, d, c: (a, b, d)),
        ),
        "ReLU at the end": (
            "The nonlinearity stands at the end: it belongs between the linear layers.",
            _feed(lambda a, f, b, d, c: (a, nn.Identity(), b, f, d)),
            _feed(lambda a, f, b, d, c: (a, f, b, f, d)),
        ),
        "always ReLU": (
            "config.gelu is not asked: where it is True, GELU stands there.",
            _feed(lambda a, f, b, d, c: (a, nn.ReLU(), b, d)),
        ),
        "always GELU": (
            "config.gelu is not asked: where it is False, ReLU stands there.",
            _feed(lambda a, f, b, d, c: (a, nn.GELU(), b, d)),
        ),
        "the other one": (
            "GELU and ReLU are exchanged.",
            _feed(lambda a, f, b, d, c: (a, nn.ReLU() if c.gelu else nn.GELU(), b, d)),
        ),
        "tanh": (
            "tanh stands between the layers: ReLU is wanted, or GELU.",
            _feed(lambda a, f, b, d, c: (a, nn.Tanh(), b, d)),
        ),
        "no dropout": (
            "Nothing is dropped in training: dropout comes last.",
            _feed(lambda a, f, b, d, c: (a, f, b)),
        ),
        "dropout between": (
            "Dropout stands between the layers: it comes last.",
            _feed(lambda a, f, b, d, c: (a, nn.Sequential(f, d), b)),
            _feed(lambda a, f, b, d, c: (a, nn.Sequential(d, f), b)),
        ),
        "more between": (
            "More than the nonlinearity stands between the layers: dropout comes last.",
            _feed(lambda a, f, b, d, c: (a, f, d, b)),
            _feed(lambda a, f, b, d, c: (a, f, d, b, d)),
        ),
        "always a bias": (
            "The layers always have a bias: config.bias says whether they have.",
            _feed(_biased(lambda config: True)),
        ),
        "never a bias": (
            "The layers never have a bias: config.bias says whether they have.",
            _feed(_biased(lambda config: False)),
        ),
        "residual": (
            "x is added here: the block does that.",
            _like(_given().FeedForward, forward=lambda self, x: x + self.net(x)),
        ),
        "normalised": (
            "The output is normalised here: the block does that, on its input.",
            _like(
                _given().FeedForward,
                forward=lambda self, x: F.layer_norm(self.net(x), x.shape[-1:]),
            ),
        ),
    },
)


# ---------------------------------------------------------------- block


def _norm_shapes(name: str, config: Any) -> Shapes:
    kinds = ("weight", "bias") if config.bias else ("weight",)
    return {f"{name}.{kind}": (config.n_embd,) for kind in kinds}


def _block_shapes(config: Any, at: str = "") -> Shapes:
    sa = {f"{at}sa.{n}": shape for n, shape in _batched_shapes(config).items()}
    return {
        **_norm_shapes(f"{at}ln1", config),
        **sa,
        **_norm_shapes(f"{at}ln2", config),
        **_feed_shapes(config, f"{at}ffwd."),
    }


def _slow_norm(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Each vector with mean 0 and variance 1, then scaled and moved."""
    mean = x.mean(-1, keepdim=True)
    var = ((x - mean) ** 2).mean(-1, keepdim=True)
    x = (x - mean) / torch.sqrt(var + 1e-5) * state[f"{name}.weight"]
    return x + state[f"{name}.bias"] if f"{name}.bias" in state else x


def _under(state: dict[str, Tensor], at: str) -> dict[str, Tensor]:
    return {n.removeprefix(at): p for n, p in state.items() if n.startswith(at)}


def _slow_block(
    state: dict[str, Tensor],
    x: Tensor,
    at: str = "",
    heads: int = 2,
    gelu: bool = False,
) -> Tensor:
    normed = _slow_norm(state, f"{at}ln1", x)
    x = x + _slow_rows(_under(state, f"{at}sa."), normed, heads)
    normed = _slow_norm(state, f"{at}ln2", x)
    return x + _slow_feed(state, normed, f"{at}ffwd.", gelu)


class _Times(nn.Module):
    """A part that multiplies, in place of attention or a feed-forward layer."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def _with_branches(Block: type, sa: float, ffwd: float) -> Any:
    """The output of a block whose branches multiply what they read."""
    config = _config(block_size=4, n_head=1, n_embd=2, dropout=0.75)
    block = Block(config)
    drops = [part.p for part in block.modules() if isinstance(part, nn.Dropout)]
    want = _block_shapes(config)
    found = _parts(block, want)
    if found != _parts_facts(want):
        return found
    block.sa, block.ffwd = _Times(sa), _Times(ffwd)
    x = doubles([[[3.0, 1.0]]])
    out = _tried(lambda: block.double().train()(x))
    if not isinstance(out, Tensor):
        return otherwise(out)
    kept = torch.equal(x, doubles([[[3.0, 1.0]]]))
    return {
        "output": out.detach(),
        "x": either(kept, "as it was", "changed"),
        "dropout of its parts": either(
            all(p == 0.75 for p in drops), "the config's", "another"
        ),
    }


def _branches_facts(sa: float, ffwd: float) -> dict[str, Any]:
    """Of two numbers the norm leaves the order alone: 1 and -1, but for 1e-5."""
    x = doubles([[[3.0, 1.0]]])
    for factor in (sa, ffwd):
        half = (x - x.mean()).abs().max()
        normed = (x - x.mean()) / torch.sqrt(half**2 + 1e-5)
        x = x + factor * normed
    kept = {"x": Said("as it was"), "dropout of its parts": Said("the config's")}
    return {"output": x, **kept}


def _slow_gelu_block(state: dict[str, Tensor], x: Tensor) -> Tensor:
    return _slow_block(state, x, gelu=True)


def _block_case(Block: type, B: int, T: int, C: int, bias: bool, **o: Any) -> Case:
    seed, gelu = o.pop("seed", C + T), not bias
    config = _config(block_size=6, n_head=2, n_embd=C, bias=bias, gelu=gelu)
    want, oracle = _block_shapes(config), _slow_gelu_block if gelu else _slow_block
    return case(
        f"n_head 2, bias {bias}, gelu {gelu}, x {(B, T, C)}",
        lambda: _ran(Block(config), want, B, T, C, seed=seed),
        _ran_facts(oracle, want, B, T, C, seed=seed),
        within=NUMBER,
        **o,
    )


@exercise("gpt.block", version=2)
def block(Block: type) -> Cases:
    for bias in (True, False):
        config = _config(block_size=7, n_head=2, n_embd=6, bias=bias)
        want = _block_shapes(config)
        text = f"Block(config), n_embd 6, bias {bias}"
        act = lambda c=config, w=want: _parts(Block(c), w)  # noqa: E731
        yield case(text, act, _parts_facts(want))
    for sa, ffwd in ((0.0, 0.0), (5.0, 0.0), (0.0, 7.0), (5.0, -30.0)):
        text = f"dropout 0.75, x = [3, 1], sa(x) = {sa:g} x, ffwd(x) = {ffwd:g} x"
        act = lambda a=sa, f=ffwd: _with_branches(Block, a, f)  # noqa: E731
        yield case(text, act, _branches_facts(sa, ffwd), within=ONCE)
    config = _config(block_size=7, n_head=2, n_embd=6)
    want, x = _block_shapes(config), normal(2, 7, 6, seed=1)
    text = "x (2, 7, 6), changed at place 5: the outputs"
    yield case(text, lambda: _leaks(Block(config), want, x), _TIGHT)
    for B, T, C, bias in ((2, 4, 6, True), (3, 6, 4, False), (1, 1, 2, True)):
        yield _block_case(Block, B, T, C, bias)
    seed = _any_seed()
    yield _block_case(Block, 2, 5, 6, True, seed=seed, fresh=True)


_untouched(block)


def _block(forward: Callable) -> type:
    return _like(_given().Block, forward=forward)


def _in_turn(self: Any, x: Tensor) -> Tensor:
    x = self.sa(self.ln1(x))
    return self.ffwd(self.ln2(x))


def _post_norm(self: Any, x: Tensor) -> Tensor:
    x = self.ln1(x + self.sa(x))
    return self.ln2(x + self.ffwd(x))


def _from_normed(self: Any, x: Tensor) -> Tensor:
    x = self.ln1(x)
    x = x + self.sa(x)
    x = self.ln2(x)
    return x + self.ffwd(x)


def _old_x(self: Any, x: Tensor) -> Tensor:
    return x + self.sa(self.ln1(x)) + self.ffwd(self.ln2(x))


def _normed_after(self: Any, x: Tensor) -> Tensor:
    x = x + self.ln1(self.sa(x))
    return x + self.ln2(self.ffwd(x))


def _thinks_first(self: Any, x: Tensor) -> Tensor:
    x = x + self.ffwd(self.ln2(x))
    return x + self.sa(self.ln1(x))


def _in_place(self: Any, x: Tensor) -> Tensor:
    x.data += self.sa(self.ln1(x))
    x.data += self.ffwd(self.ln2(x))
    return x


def _over_time(self: Any, x: Tensor) -> Tensor:
    x = x + self.sa(F.layer_norm(x, x.shape[1:]))
    return x + self.ffwd(F.layer_norm(x, x.shape[1:]))


def _plain_norms(self: Any, x: Tensor) -> Tensor:
    x = x + self.sa(x)
    return x + self.ffwd(x)


def _one_residual(self: Any, x: Tensor) -> Tensor:
    return x + self.ffwd(self.ln2(self.sa(self.ln1(x))))


def _second_alone(self: Any, x: Tensor) -> Tensor:
    x = self.sa(self.ln1(x))
    return x + self.ffwd(self.ln2(x))


def _first_alone(self: Any, x: Tensor) -> Tensor:
    x = x + self.sa(self.ln1(x))
    return self.ffwd(self.ln2(x))


def _first_norm_twice(self: Any, x: Tensor) -> Tensor:
    x = x + self.sa(self.ln1(x))
    return x + self.ffwd(self.ln1(x))


def _dropped_on_the_road(self: Any, x: Tensor) -> Tensor:
    x = F.dropout(x + self.sa(self.ln1(x)), _rate(self), self.training)
    return F.dropout(x + self.ffwd(self.ln2(x)), _rate(self), self.training)


def _dropped_at_the_end(self: Any, x: Tensor) -> Tensor:
    x = x + self.sa(self.ln1(x))
    return F.dropout(x + self.ffwd(self.ln2(x)), _rate(self), self.training)


def _rate(block: Any) -> float:
    """The dropout of the check's one config that has some."""
    return 0.75 if isinstance(block.sa, _Times) else 0.0


def _undropped_part(name: str) -> Callable:
    def change(self, config):
        for part in getattr(self, name).modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0

    return change


def _norms(bias: bool) -> Callable:
    def change(self, config):
        self.ln1, self.ln2 = (nn.LayerNorm(config.n_embd, bias=bias) for _ in "12")

    return change


def _shared_norm(self: Any, config: Any) -> None:
    self.ln2 = self.ln1


def _norms_of_time(self: Any, config: Any) -> None:
    shape = (config.block_size, config.n_embd)
    self.ln1, self.ln2 = nn.LayerNorm(shape), nn.LayerNorm(shape)


def _multi_in_block(self: Any, config: Any) -> None:
    self.sa = _given().MultiHeadAttention(config)


block.table(
    lambda: (_given().Block,),
    {
        "no residual": (
            "Nothing is added to x: each branch replaces the stream.",
            _block(_in_turn),
        ),
        "post-norm": (
            "The norms stand after the sums: here they stand before each branch.",
            _block(_post_norm),
        ),
        "added to the normed": (
            "The branch is added to the normed x: add it to x as it came.",
            _block(_from_normed),
        ),
        "the branch normed": (
            "The branch's output is normed: its input should be.",
            _block(_normed_after),
        ),
        "old x": (
            "The second branch reads the old x: it should read the new one.",
            _block(_old_x),
        ),
        "thinks first": (
            "The feed-forward layer comes first: attention does.",
            _block(_thinks_first),
        ),
        "written into": (
            "The caller's tensor is written into: x + … makes a new one, += does not.",
            _block(_in_place),
        ),
        "norm over time": (
            "The norm runs over time too: the future leaks in by its mean.",
            _block(_over_time),
            _after(_given().Block, _norms_of_time),
        ),
        "no norms": (
            "The norms are not used.",
            _block(_plain_norms),
        ),
        "added at the end alone": (
            "x is added once, at the end: each branch is added to the stream.",
            _block(_one_residual),
        ),
        "first branch not added": (
            "The first branch replaces the stream: add it to x.",
            _block(_second_alone),
        ),
        "second branch not added": (
            "The second branch replaces the stream: add it to x.",
            _block(_first_alone),
        ),
        "one norm twice": (
            "The same norm stands before both branches: each has its own.",
            _block(_first_norm_twice),
            _after(_given().Block, _shared_norm),
        ),
        "dropped on the road": (
            "Dropout acts on the stream: sa and ffwd have theirs already.",
            _block(_dropped_on_the_road),
            _block(_dropped_at_the_end),
        ),
        "parts without dropout": (
            "The parts get a config without dropout: give them the one that came.",
            _after(_given().Block, _undropped_part("sa")),
            _after(_given().Block, _undropped_part("ffwd")),
        ),
        "norms always with a bias": (
            "The norms always have a bias: config.bias says whether they have.",
            _after(_given().Block, _norms(True)),
        ),
        "norms never with a bias": (
            "The norms never have a bias: config.bias says whether they have.",
            _after(_given().Block, _norms(False)),
        ),
        "a loop of heads": (
            "sa loops over heads: the one with all heads in one tensor is wanted.",
            _after(_given().Block, _multi_in_block),
        ),
    },
)


# ---------------------------------------------------------------- gpt


def _gpt_shapes(config: Any) -> Shapes:
    V, C = config.vocab_size, config.n_embd
    want: Shapes = {
        "token_embedding_table.weight": (V, C),
        "position_embedding_table.weight": (config.block_size, C),
    }
    for i in range(config.n_layer):
        want |= _block_shapes(config, f"blocks.{i}.")
    want |= _norm_shapes("ln_f", config)
    if not config.tied:
        want["lm_head.weight"] = (V, C)
        want |= {"lm_head.bias": (V,)} if config.bias else {}
    return want


def _slow_gpt(state: dict[str, Tensor], idx: Tensor, config: Any) -> Tensor:
    table = state["token_embedding_table.weight"]
    x = table[idx] + state["position_embedding_table.weight"][: idx.shape[1]]
    for i in range(config.n_layer):
        x = _slow_block(state, x, f"blocks.{i}.", config.n_head, config.gelu)
    logits = _slow_norm(state, "ln_f", x) @ state.get("lm_head.weight", table).T
    return logits + state["lm_head.bias"] if "lm_head.bias" in state else logits


def _letters_drawn(B: int, T: int, seed: int) -> tuple[Tensor, Tensor]:
    """Letters, and targets some of which do not count."""
    idx, y = (torch.randint(7, (B, T), generator=seeded(seed + i)) for i in (0, 9))
    y[0, 0] = -1
    y[:, T // 2] = torch.where(torch.arange(B) % 2 == 1, -1, y[:, T // 2])
    return idx, y


_WAYS = {
    "": {},
    "bias False": {"bias": False},
    "bias False, tied": {"bias": False, "tied": True},
    "tied, gelu": {"tied": True, "gelu": True},
}


def _small(way: str, **more: Any) -> Any:
    sizes = {"vocab_size": 7, "block_size": 6, "n_layer": 2, "n_head": 1, "n_embd": 4}
    return _config(**sizes | _WAYS[way] | more)


def _predicted(GPT: type, way: str, B: int, T: int, seed: int, told: bool) -> Any:
    config = _small(way)
    model = _filled(GPT(config), _gpt_shapes(config), seed)
    if not isinstance(model, nn.Module):
        return model
    idx, y = _letters_drawn(B, T, seed)
    kept = y.clone()
    out = model.eval()(idx, y) if told else model.eval()(idx)
    found = _pair(out)
    if "logits" in found:
        found["targets"] = either(torch.equal(y, kept), "as they were", "changed")
    if told and "logits" in found and isinstance(out[1], Tensor) and out[1].ndim == 0:
        found |= _slopes(out[1], dict(model.named_parameters()))
    return found


@lru_cache(maxsize=50)
def _predicted_facts(way: str, B: int, T: int, seed: int, told: bool) -> dict[str, Any]:
    config, (idx, y) = _small(way), _letters_drawn(B, T, seed)
    state = _state(_gpt_shapes(config), seed)
    logits = _slow_gpt(state, idx, config)
    found: dict[str, Any] = {"logits": logits.detach(), "loss": Said("None")}
    found["targets"] = Said("as they were")
    if told:
        loss = _slow_loss(logits, y)
        found |= {"loss": loss.detach()} | _slopes(loss, state)
    return found


def _gpt_case(GPT: type, way: str, B: int, T: int, told: bool, **o: Any) -> Case:
    seed = o.pop("seed", B + T)
    said = f"{way + ', ' if way else ''}idx {(B, T)}{', with targets' if told else ''}"
    return case(
        f"vocab_size 7, n_layer 2, n_head 1, n_embd 4, {said}",
        lambda: _of(GPT, _predicted, way, B, T, seed, told),
        _predicted_facts(way, B, T, seed, told),
        within=NUMBER,
        **o,
    )


def _gpt_leaks(GPT: type) -> Any:
    config = _small("")
    model = _filled(GPT(config), _gpt_shapes(config), 5)
    if not isinstance(model, nn.Module):
        return model
    idx, _ = _letters_drawn(3, 6, 1)
    other = idx.clone()
    other[:, 4] = (other[:, 4] + 1) % 7
    out = [model.eval()(one) for one in (idx, other)]
    if any("logits" not in (found := _pair(one)) for one in out):
        return found
    before, after = (one[0].detach() for one in out)
    if before.ndim != 3:
        return {"logits": before}
    return _moved((after - before).abs().amax((0, 2)), 4)


def _gpt_parts(GPT: type, way: str) -> Any:
    """The parameters of a small model, and how many blocks there are."""
    model = GPT(_small(way))
    blocks = getattr(model, "blocks", None)
    many = len(blocks) if hasattr(type(blocks), "__len__") else Said(kind(blocks))
    found = _parts(model, _gpt_shapes(_small(way)))
    sizes = either(hasattr(model, "config"), "kept", "missing")
    more = {"len(blocks)": many, "config": sizes}
    return more | found if isinstance(model, nn.Module) else found


class _Noting(nn.Module):
    """In place of the blocks: keeps what it reads, and gives always the same."""

    def __init__(self, gives: Tensor) -> None:
        super().__init__()
        self.gives = gives

    def forward(self, x: Tensor) -> Tensor:
        self.read = x
        return self.gives


def _around_blocks(GPT: type) -> Any:
    """What reaches the blocks and what becomes of their output, in both modes."""
    config = _small("", dropout=0.75, n_embd=40, n_layer=1)
    model = _filled(GPT(config), _gpt_shapes(config), 2)
    if not isinstance(model, nn.Module):
        return model
    note = _Noting(normal(1, 3, 40, seed=7))
    model.blocks = nn.Sequential(note)
    idx, found, outs = torch.tensor([[3, 1, 1]]), {}, []
    for name in ("in eval mode", "in training"):
        model.train(name == "in training")
        out = _tried(lambda: model(idx))
        if not isinstance(getattr(note, "read", None), Tensor):
            return {"blocks": Said("not called")}
        found[name] = note.read.detach()
        outs.append(out[0] if isinstance(out, tuple | list) else out)
    zeros = (found["in training"] == 0).double().mean().item()
    alike = all(isinstance(one, Tensor) for one in outs) and torch.equal(*outs)
    return {
        "in eval mode": found["in eval mode"],
        "zeros in training": Said(_about(zeros)),
        "behind the blocks": either(
            alike, "nothing is dropped", "something is dropped"
        ),
        "places": _where_places_are(model, idx),
    }


class _Enough(Exception):
    """What was to be seen has been seen."""


def _where_places_are(model: Any, idx: Tensor) -> Said:
    """Whether the position table is asked on the device of idx.

    Another one is the default meanwhile: what is made without a device lies there.
    """
    seen: list[str] = []

    def look(_: Any, args: tuple) -> None:
        seen.extend(one.device.type for one in args)
        raise _Enough

    def stop(*_: Any) -> None:
        raise _Enough

    model.position_embedding_table.register_forward_pre_hook(look)
    model.blocks.register_forward_pre_hook(stop)
    with suppress(Exception), torch.device("meta"):
        model(idx)
    return either(set(seen) <= {"cpu"}, "on the device of idx", "on another device")


@cache
def _around_blocks_facts() -> dict[str, Any]:
    config = _small("", n_embd=40, n_layer=1)
    state = _state(_gpt_shapes(config), 2)
    table, places = list(state.values())[:2]
    x = (table[[3, 1, 1]] + places[:3]).detach().unsqueeze(0)
    return {
        "in eval mode": x,
        "zeros in training": Said("three quarters"),
        "behind the blocks": Said("nothing is dropped"),
        "places": Said("on the device of idx"),
    }


def _started(GPT: type) -> Any:
    """The spread of the numbers that a new model begins with."""
    sizes = {"vocab_size": 40, "block_size": 30, "n_head": 4, "n_embd": 16}
    config = _config(**sizes, n_layer=2)
    model, other = _tried(lambda: [GPT(config) for _ in range(2)])
    want = _gpt_shapes(config)
    found = _parts(model, want)
    if found != _parts_facts(want):
        return found
    numbers = {name: model.get_parameter(name).detach() for name in want}
    ends = [n for n in want if n.endswith(("sa.proj.weight", "ffwd.net.2.weight"))]
    norms = [n for n in want if "ln" in n]
    biases = [n for n in want if n.endswith("bias")]
    others = [n for n in want if n not in (*ends, *norms, *biases)]
    same = torch.equal(*(m.token_embedding_table.weight for m in (model, other)))
    return {
        "matrices and tables": _all_of(numbers, others, 0.02),
        "what ends a branch": _all_of(numbers, ends, 0.01),
        "another new model": either(same, "the same numbers", "other numbers"),
        "biases": either(all(not numbers[n].any() for n in biases), "0", "not 0"),
    }


def _all_of(numbers: dict[str, Tensor], names: list[str], want: float) -> Said:
    stds = [numbers[name].double().std().item() for name in names]
    close = all(abs(std - want) < 0.2 * want for std in stds)
    return Said(
        f"spread {want}" if close else f"spread {min(stds):.3g} to {max(stds):.3g}"
    )


_STARTED = {
    "matrices and tables": Said("spread 0.02"),
    "what ends a branch": Said("spread 0.01"),
    "another new model": Said("other numbers"),
    "biases": Said("0"),
}

_SIZES = (
    {},
    {"block_size": 64, "n_embd": 128, "bias": False, "tied": True, "gelu": True},
    {"block_size": 256, "n_layer": 6, "n_head": 6, "n_embd": 384, "dropout": 0.2},
    {"vocab_size": 11, "block_size": 7, "n_layer": 3, "n_head": 1, "n_embd": 5},
    {"vocab_size": 11, "n_layer": 1, "n_embd": 8, "bias": False},
    {"vocab_size": 9, "n_layer": 2, "n_embd": 4, "tied": True},
)


@exercise("gpt.gpt", version=2, limit=16)
def gpt(GPT: type, count_parameters: Callable) -> Cases:
    for way in _WAYS:
        want = _gpt_shapes(_small(way))
        act = lambda w=way: _of(GPT, _gpt_parts, w)  # noqa: E731
        text = f"vocab_size 7, block_size 6, n_layer 2, n_embd 4{way and ', ' + way}"
        facts = {"len(blocks)": 2, "config": Said("kept")} | _parts_facts(want)
        yield case(text, act, facts)
    text = "before and behind the blocks, idx = [[3, 1, 1]], dropout 0.75"
    yield case(
        text, lambda: _of(GPT, _around_blocks), _around_blocks_facts(), within=NUMBER
    )
    text = "idx (3, 6), another letter at place 4: the logits"
    yield case(text, lambda: _of(GPT, _gpt_leaks), _TIGHT)
    yield _gpt_case(GPT, "", 2, 5, True)
    yield _gpt_case(GPT, "", 1, 2, False)
    yield _gpt_case(GPT, "bias False, tied", 3, 6, True, once=True)
    yield _gpt_case(GPT, "tied, gelu", 2, 3, True, once=True)
    text = "a new model, n_layer 2: its numbers"
    yield case(text, lambda: _of(GPT, _started), _STARTED)
    for sizes in _SIZES:
        config = _config(**sizes)
        said = ", ".join(f"{name}={value}" for name, value in sizes.items())
        total = sum(math.prod(shape) for shape in _gpt_shapes(config).values())
        act = lambda c=config: count_parameters(c)  # noqa: E731
        yield case(f"count_parameters(GPTConfig({said}))", act, total)
    yield _gpt_case(GPT, "", 2, 4, True, seed=_any_seed(), fresh=True)


class _GivenSizes(nn.Module):
    """What GPT is before its __init__ is written."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        V, T, C = config.vocab_size, config.block_size, config.n_embd  # noqa: F841


class _GivenSizesDotted(nn.Module):
    """The same, with dots for an answer."""

    def __init__(self, config: Any) -> Any:
        super().__init__()
        self.config = config
        V, T, C = config.vocab_size, config.block_size, config.n_embd  # noqa: F841
        return ...


gpt.skeleton(_GivenSizes.__init__)
gpt.skeleton(_GivenSizesDotted.__init__)


def _gpt_after(change: Callable) -> tuple[type, None]:
    return _after(_given().GPT, change), None


def _gpt(
    place: Callable = lambda idx: torch.arange(idx.shape[1], device=idx.device),
    x: Callable = lambda self, idx, places: (
        self.token_embedding_table(idx) + self.position_embedding_table(places)
    ),
    drop: Callable = lambda self, x: self.drop(x),
    body: Callable = lambda self, x: self.ln_f(self.blocks(x)),
    logits: Callable = lambda logits: logits,
    loss: Callable = lambda z, y: F.cross_entropy(
        z.flatten(0, 1), y.flatten(), ignore_index=-1
    ),
    out: Callable = lambda logits, loss: (logits, loss),
) -> tuple[type, None]:
    """forward with one thing done otherwise."""

    def forward(self, idx, targets=None):
        places = place(idx)
        found = logits(self.lm_head(body(self, drop(self, x(self, idx, places)))))
        return out(found, None if targets is None else loss(found, targets))

    return _like(_given().GPT, forward=forward), None


def _count(
    total: Callable = lambda c: (c.vocab_size + c.block_size) * c.n_embd,
    attention: Callable = lambda c: 4 * c.n_embd**2 + c.bias * c.n_embd,
    feed: Callable = lambda c: 8 * c.n_embd**2 + 5 * c.bias * c.n_embd,
    norms: int = 2,
    norm: Callable = lambda c: c.n_embd * (1 + c.bias),
    last: Callable = lambda c: 0 if c.tied else c.vocab_size * (c.n_embd + c.bias),
    final: int = 1,
    layers: Callable = lambda c: c.n_layer,
) -> tuple[None, Callable]:
    """count_parameters with one thing done otherwise."""

    def count_parameters(config):
        block = attention(config) + feed(config) + norms * norm(config)
        rest = total(config) + final * norm(config) + last(config)
        return rest + layers(config) * block

    return None, count_parameters


def _unshared(self: Any, config: Any) -> None:
    """A last layer of its own, whether or not it should be shared."""
    if config.tied:
        last = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        last.weight.data.copy_(self.token_embedding_table.weight)
        self.lm_head = last


def _always_tied(self: Any, config: Any) -> None:
    self.lm_head.weight = self.token_embedding_table.weight


def _last_biased(bias: Callable) -> Callable:
    def change(self, config):
        weight = self.lm_head.weight
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=bias(config))
        self.lm_head.weight = weight
        if self.lm_head.bias is not None:
            self.lm_head.bias.data.zero_()

    return change


def _same_block(self: Any, config: Any) -> None:
    self.blocks = nn.Sequential(*[self.blocks[0]] * config.n_layer)


def _blocks_listed(self: Any, config: Any) -> None:
    blocks = list(self.blocks)
    del self.blocks
    object.__setattr__(self, "blocks", lambda x: _through(blocks, x))


def _through(blocks: list[Any], x: Tensor) -> Tensor:
    for one in blocks:
        x = one(x)
    return x


def _fewer_blocks(self: Any, config: Any) -> None:
    self.blocks = self.blocks[:1]


def _fresh_start(self: Any, config: Any) -> None:
    """As PyTorch begins."""
    for part in self.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            part.reset_parameters()


def _even_start(self: Any, config: Any) -> None:
    """All alike, also what ends a branch."""
    for name, weight in self.named_parameters():
        if name.endswith(("sa.proj.weight", "ffwd.net.2.weight")):
            nn.init.normal_(weight, std=0.02)


def _targets_changed(z: Tensor, y: Tensor) -> Tensor:
    y[y == -1] = -100
    return F.cross_entropy(z.flatten(0, 1), y.flatten())


def _seeded_start(self: Any, config: Any) -> None:
    torch.default_generator.manual_seed(1337)
    _given().start_weights(self, config.n_layer)


def _one_layer_start(self: Any, config: Any) -> None:
    _given().start_weights(self, 1)


def _places_of_letters(self: Any, idx: Tensor, places: Tensor) -> Tensor:
    table = self.position_embedding_table
    return self.token_embedding_table(idx) + table(idx % table.num_embeddings)


def _last_place(self: Any, idx: Tensor, places: Tensor) -> Tensor:
    at = self.position_embedding_table(places + 0 * places + len(places) - 1)
    return self.token_embedding_table(idx) + at


def _from_the_end(self: Any, idx: Tensor, places: Tensor) -> Tensor:
    return self.token_embedding_table(idx) + self.position_embedding_table(
        places.flip(0)
    )


gpt.table(
    lambda: (_given().GPT, _count()[1]),
    {
        "no positions": (
            "The positions are left out: order shows in the mask alone.",
            _gpt(x=lambda self, idx, places: self.token_embedding_table(idx)),
        ),
        "positions alone": (
            "The letters are left out: the tables are added.",
            _gpt(
                x=lambda self, idx, places: self.position_embedding_table(
                    places
                ).expand(*idx.shape, -1)
            ),
        ),
        "positions by letter": (
            "The position table is asked for letters: ask it for 0, 1, …, T - 1.",
            _gpt(x=_places_of_letters),
        ),
        "one position for all": (
            "All letters get the same position.",
            _gpt(x=_last_place),
        ),
        "positions from the end": (
            "Positions are counted from the end of the text: the first place is 0.",
            _gpt(x=_from_the_end),
        ),
        "multiplied": (
            "Letter and position are multiplied: they are added.",
            _gpt(
                x=lambda self, idx, places: (
                    self.token_embedding_table(idx)
                    * self.position_embedding_table(places)
                )
            ),
        ),
        "no dropout": (
            "Dropout is missing on the sum of the embeddings.",
            _gpt(drop=lambda self, x: x),
        ),
        "no final norm": (
            "The norm before the last layer is not used.",
            _gpt(body=lambda self, x: self.blocks(x)),
        ),
        "norm first": (
            "ln_f stands before the blocks: it stands behind them.",
            _gpt(body=lambda self, x: self.blocks(self.ln_f(x))),
        ),
        "one block": (
            "The same block stands in all places: make a new one for each.",
            _gpt_after(_same_block),
        ),
        "blocks not found": (
            "The blocks are in a plain list: PyTorch does not find their parameters.",
            _gpt_after(_blocks_listed),
        ),
        "too few blocks": (
            "There is one block: config.n_layer of them are wanted.",
            _gpt_after(_fewer_blocks),
        ),
        "not tied": (
            "With config.tied both layers share one weight: a copy is another one.",
            _gpt_after(_unshared),
        ),
        "always tied": (
            "The last layer always shares the table: config.tied says whether it does.",
            _gpt_after(_always_tied),
        ),
        "tied with a bias": (
            "A tied last layer has no bias.",
            _gpt_after(_last_biased(lambda config: config.bias)),
        ),
        "last always with a bias": (
            "The last layer always has a bias: where it is tied or not asked, none.",
            _gpt_after(_last_biased(lambda config: True)),
        ),
        "last without a bias": (
            "The last layer never has a bias: config.bias says whether it has.",
            _gpt_after(_last_biased(lambda config: False)),
        ),
        "bias not asked": (
            "The last layer has a bias wherever it is not tied: ask config.bias too.",
            _gpt_after(_last_biased(lambda config: not config.tied)),
        ),
        "places elsewhere": (
            "The places are made on no matter which device: device=idx.device.",
            _gpt(place=lambda idx: torch.arange(idx.shape[1])),
        ),
        "dropout at the end": (
            "Dropout stands before the last layer too: it acts on the embeddings.",
            _gpt(body=lambda self, x: self.drop(self.ln_f(self.blocks(x)))),
            _gpt(body=lambda self, x: self.ln_f(self.drop(self.blocks(x)))),
        ),
        "targets written to": (
            "The caller's targets are written to: ignore_index=-1 leaves them alone.",
            _gpt(loss=_targets_changed),
        ),
        "seeded inside": (
            "The numbers are seeded inside: every model would start alike.",
            _gpt_after(_seeded_start),
        ),
        "start left out": (
            "start_weights is missing: PyTorch's own start has tables of spread 1.",
            _gpt_after(_fresh_start),
        ),
        "start of one layer": (
            "start_weights wants to know config.n_layer.",
            _gpt_after(_one_layer_start),
            _gpt_after(_even_start),
        ),
        "flat logits": (
            "The logits come back flattened: keep them (B, T, V) for the caller.",
            _gpt(out=lambda z, loss: (z if loss is None else z.flatten(0, 1), loss)),
        ),
        "last place's logits": (
            "Only the last place's logits come back: every place has some.",
            _gpt(out=lambda z, loss: (z if loss is not None else z[:, -1:], loss)),
        ),
        "odds for logits": (
            "The output is probabilities: logits are wanted.",
            _gpt(logits=lambda z: F.softmax(z, -1)),
        ),
        "-1 counted": (
            "A target of -1 must not count: ignore_index=-1.",
            _gpt(loss=lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten())),
            _gpt(
                loss=lambda z, y: F.cross_entropy(
                    z.flatten(0, 1), y.flatten().clamp(min=0)
                )
            ),
        ),
        "mean over all": (
            "The loss is divided by all places: those of -1 do not count.",
            _gpt(
                loss=lambda z, y: F.cross_entropy(
                    z.flatten(0, 1), y.flatten(), ignore_index=-1, reduction="none"
                ).mean()
            ),
        ),
        "summed": (
            "The losses are summed: the mean is wanted.",
            _gpt(
                loss=lambda z, y: F.cross_entropy(
                    z.flatten(0, 1), y.flatten(), ignore_index=-1, reduction="sum"
                )
            ),
        ),
        "a plain number": (
            "The loss is a plain number: it must stay a tensor, or nothing is learned.",
            _gpt(out=lambda z, loss: (z, loss if loss is None else loss.item())),
        ),
        "tied counted twice": (
            "A shared weight counts once: a tied last layer has no numbers of its own.",
            _count(last=lambda c: c.vocab_size * (c.n_embd + (c.bias and not c.tied))),
            _count(last=lambda c: c.vocab_size * (c.n_embd + c.bias)),
        ),
        "positions not counted": (
            "The position table is not counted.",
            _count(total=lambda c: c.vocab_size * c.n_embd),
        ),
        "last layer not counted": (
            "The last layer is not counted: only a tied one has no numbers of its own.",
            _count(last=lambda c: 0),
        ),
        "final norm not counted": (
            "The last norm is not counted.",
            _count(final=0),
        ),
        "norms not counted": (
            "The norms are not counted: each has 2 C numbers, or C without bias.",
            _count(norms=0, final=0),
            _count(norms=0),
        ),
        "one norm a block": (
            "A block has two norms.",
            _count(norms=1),
        ),
        "biases always": (
            "Biases are counted where config.bias is False.",
            _count(
                attention=lambda c: 4 * c.n_embd**2 + c.n_embd,
                feed=lambda c: 8 * c.n_embd**2 + 5 * c.n_embd,
                norm=lambda c: 2 * c.n_embd,
                last=lambda c: 0 if c.tied else c.vocab_size * (c.n_embd + 1),
            ),
        ),
        "biases never": (
            "Biases are not counted where config.bias is True.",
            _count(
                attention=lambda c: 4 * c.n_embd**2,
                feed=lambda c: 8 * c.n_embd**2,
                norm=lambda c: c.n_embd,
                last=lambda c: 0 if c.tied else c.vocab_size * c.n_embd,
            ),
        ),
        "queries with a bias": (
            "Queries, keys and values have no bias.",
            _count(attention=lambda c: 4 * c.n_embd**2 + 4 * c.bias * c.n_embd),
        ),
        "projection not counted": (
            "The projection of the attention is not counted.",
            _count(attention=lambda c: 3 * c.n_embd**2),
        ),
        "one block counted": (
            "One block is counted: there are config.n_layer of them.",
            _count(layers=lambda c: 1),
        ),
    },
)


# ---------------------------------------------------------------- generate


class _Teller(nn.Module):
    """In place of a GPT: after context c the letter c[0] + c[-1], modulo 5, follows.

    It takes no more than three letters, and with `odds` it has these for any context.
    """

    def __init__(self, odds: list[float] | None = None) -> None:
        super().__init__()
        self.config = _config(vocab_size=5, block_size=3, n_layer=1, n_head=1, n_embd=1)
        self.position_embedding_table = nn.Embedding(3, 1)
        self.odds = odds

    def forward(self, idx: Tensor, targets: Tensor | None = None) -> Any:
        if idx.shape[1] > 3:
            raise IndexError(f"{idx.shape[1]} letters: there are 3 positions")
        if self.odds:
            logits = torch.tensor(self.odds).log()
            return logits.expand(*idx.shape, len(self.odds)).clone(), None
        letters = (idx[:, :1] + idx) % 5
        return 60.0 * F.one_hot(letters, 5).float(), None


def _continued(idx: list[list[int]], new: int) -> Tensor:
    rows = [list(row) for row in idx]
    for row in rows:
        for _ in range(new):
            context = row[-3:]
            row.append((context[0] + context[-1]) % 5)
    return torch.tensor(rows)


def _generating(GPT: type) -> Callable:
    """The method, to be called with any model; AttributeError where there is none."""
    return GPT.generate  # type: ignore[attr-defined]


def _generated(GPT: type, idx: list[list[int]], new: int) -> Any:
    training = bool(new % 4)
    model, start = _Teller().train(training), torch.tensor(idx)
    out = _tried(lambda: _generating(GPT)(model, start, new))
    if not isinstance(out, Tensor):
        return out if is_nothing(out) else {"text": Said(kind(out))}
    same = torch.equal(start, torch.tensor(idx))
    kept = model.training == training
    return {
        "text": out,
        "idx": either(same, "as it was", "changed"),
        "the model's mode": either(kept, "as it was", "changed"),
    }


_ODDS = [0.1, 0.2, 0.7]


def _shares_of(out: Any, count: int = 3) -> Any:
    """How often each letter came, and which came at all."""
    if not isinstance(out, Tensor) or out.ndim != 2 or out.shape[1] != 1:
        return out if isinstance(out, Tensor) else otherwise(out)
    shares = [(out == i).double().mean().item() for i in range(count)]
    told = {f"share of {i}": Said(f"{s:.1f}") for i, s in enumerate(shares)}
    return told | {"drawn at all": sorted(set(out.flatten().tolist()))}


def _share_facts(*shares: float) -> dict[str, Any]:
    told: dict[str, Any] = {
        f"share of {i}": Said(f"{s:.1f}") for i, s in enumerate(shares)
    }
    return told | {"drawn at all": [i for i, s in enumerate(shares) if s]}


def _sampled(sample_next: Callable, temperature: float, top_k: int | None) -> Any:
    logits = (torch.tensor(_ODDS).log() + 3).repeat(4000, 1)
    before = logits.clone()
    out = sample_next(logits, temperature, top_k, seeded(1))
    found = _shares_of(out)
    if isinstance(found, dict) and "drawn at all" in found:
        found["logits"] = either(torch.equal(logits, before), "as they were", "changed")
    return found


def _written(GPT: type, temperature: float, top_k: int | None) -> Any:
    """What generate draws after 4000 texts, with all its options."""
    model, start = _Teller(_ODDS), torch.zeros(4000, 1, dtype=torch.long)
    options = {"temperature": temperature, "top_k": top_k, "generator": seeded(1)}
    out = _generating(GPT)(model, start, 1, **options)
    if not isinstance(out, Tensor) or out.shape != (4000, 2):
        return out if isinstance(out, Tensor) else otherwise(out)
    return _shares_of(out[:, 1:])


def _repeats(draw: Callable[[torch.Generator], Any]) -> Any:
    """Whether the draw depends on the generator alone."""
    state = torch.get_rng_state()
    outs = [draw(seeded(seed)) for seed in (1, 1, 2)]
    still = torch.equal(state, torch.get_rng_state())
    if not all(isinstance(out, Tensor) for out in outs):
        return otherwise(outs[0])
    return {
        "the same seed": either(torch.equal(*outs[:2]), "the same", "another"),
        "another seed": either(torch.equal(*outs[1:]), "the same", "another"),
        "torch's own dice": either(still, "not used", "used"),
    }


_REPEATED = {
    "the same seed": Said("the same"),
    "another seed": Said("another"),
    "torch's own dice": Said("not used"),
}


def _by_default(draw: Callable) -> Any:
    """Whether a draw without a temperature is the one with 1.0."""
    logits = torch.tensor(_ODDS).log().repeat(4000, 1)
    out = draw(logits, generator=seeded(1))
    if not isinstance(out, Tensor):
        return otherwise(out)
    same = torch.equal(out, draw(logits, 1.0, generator=seeded(1)))
    return either(same, "as with 1.0", "otherwise")


_ZEROS = torch.zeros(500, 1, dtype=torch.long)


def _come(out: Any) -> Any:
    """Which letters were drawn."""
    return sorted(set(out.flatten().tolist())) if isinstance(out, Tensor) else out


def _any_of(draw: Callable) -> Any:
    """How many letters come where all are nearly as likely, and what comes again."""
    two = _tried(lambda: [draw() for _ in range(2)])
    if not all(isinstance(out, Tensor) for out in two):
        return otherwise(two[0])
    return {
        "letters that come": len(_come(two[0])),
        "once more": either(torch.equal(*two), "the same", "others"),
    }


_ANY = {"letters that come": 20, "once more": Said("others")}


def _one_each(sample_next: Callable) -> Any:
    """Rows of which each has another best letter."""
    logits = torch.tensor([[0.0, 1.0, 5.0], [2.0, 0.0, 1.0], [-3.0, -1.0, -2.0]])
    return _tried(lambda: sample_next(logits, 1.0, 1))


@exercise("gpt.generate", version=2, limit=30)
def generate(GPT: type, sample_next: Callable) -> Cases:
    text = "sample_next([[0, 1, 5], [2, 0, 1], [-3, -1, -2]], 1.0, 1)"
    yield case(text, lambda: _one_each(sample_next), torch.tensor([[2], [0], [1]]))
    for temperature, top_k, shares in (
        (1.0, None, (0.1, 0.2, 0.7)),
        (0.5, None, (0.019, 0.074, 0.907)),
        (2.0, None, (0.198, 0.280, 0.523)),
        (1.0, 2, (0.0, 0.222, 0.778)),
        (1.0, 9, (0.1, 0.2, 0.7)),
        (3.0, 2, (0.0, 0.397, 0.603)),
    ):
        text = f"probabilities 0.1, 0.2, 0.7: temperature {temperature}, top_k {top_k}"
        act = lambda t=temperature, k=top_k: _sampled(sample_next, t, k)  # noqa: E731
        facts = _share_facts(*shares) | {"logits": Said("as they were")}
        yield case(text, act, facts)
    text = "sample_next([[0, 0.01, …, 0.19]] * 500), twice"
    level = torch.arange(20.0).repeat(500, 1) / 100
    act = lambda: _any_of(lambda: sample_next(level))  # noqa: E731
    yield case(text, act, _ANY)
    z = torch.arange(5.0).repeat(200, 1) / 10
    text = "sample_next([[0, 0.1, 0.2, 0.3, 0.4]] * 200, 1.0, 2): letters that come"
    act = lambda: _come(_tried(lambda: sample_next(z, 1.0, 2)))  # noqa: E731
    yield case(text, act, [3, 4])
    zeros = torch.zeros(40, 6)
    text = "sample_next with a generator"
    draw = lambda g: sample_next(zeros, 1.0, None, g)  # noqa: E731
    yield case(text, lambda: _repeats(draw), _REPEATED)
    text = "sample_next(logits), without a temperature"
    yield case(text, lambda: _by_default(sample_next), Said("as with 1.0"))
    for idx, new in (
        ([[1]], 4),
        ([[2, 1, 3, 1, 2]], 2),
        ([[1, 2], [0, 3], [4, 4]], 5),
        ([[3, 1]], 0),
    ):
        text = f"block_size 3, c[0] + c[-1] follows c: generate({idx}, {new})"
        act = lambda idx=idx, new=new: _generated(GPT, idx, new)  # noqa: E731
        facts = {"idx": Said("as it was"), "the model's mode": Said("as it was")}
        yield case(text, act, {"text": _continued(idx, new), **facts})
    for temperature, top_k, shares in (
        (1.0, None, (0.1, 0.2, 0.7)),
        (0.5, None, (0.019, 0.074, 0.907)),
        (3.0, 2, (0.0, 0.397, 0.603)),
    ):
        text = "generate, probabilities 0.1, 0.2, 0.7"
        text += f": temperature {temperature}, top_k {top_k}"
        act = lambda t=temperature, k=top_k: _written(GPT, t, k)  # noqa: E731
        yield case(text, act, _share_facts(*shares))
    start = torch.zeros(40, 1, dtype=torch.long)
    teller = _tried(lambda: _Teller(_ODDS))
    tell = lambda g: _generating(GPT)(teller, start, 2, generator=g)  # noqa: E731
    yield case("generate with a generator", lambda: _repeats(tell), _REPEATED)
    many = _tried(lambda: _Teller([1 + i / 100 for i in range(20)]))
    act = lambda: _any_of(lambda: _generating(GPT)(many, _ZEROS, 1)[:, 1:])  # noqa: E731
    yield case("generate behind 500 texts, 20 letters nearly alike, twice", act, _ANY)
    write = lambda z, *more, generator: _generating(GPT)(  # noqa: E731
        teller, start.repeat(100, 1), 1, *more, generator=generator
    )
    text = "generate(idx, 1), without a temperature"
    yield case(text, lambda: _by_default(write), Said("as with 1.0"))


def _sample(
    scale: Callable = lambda z, t: z / t,
    cut: Callable = lambda z, k: z.masked_fill(
        z < z.topk(min(k, z.shape[-1])).values[:, -1:], -math.inf
    ),
    odds: Callable = lambda z, t: F.softmax(z, -1),
    draw: Callable = lambda p, g: torch.multinomial(p, 1, generator=g),
) -> tuple[None, Callable]:
    """sample_next with one thing done otherwise."""

    def sample_next(logits, temperature=1.0, top_k=None, generator=None):
        z = scale(logits, temperature)
        if top_k is not None:
            z = cut(z, top_k)
        return draw(odds(z, temperature), generator)

    return None, sample_next


def _write(
    crop: Callable = lambda idx, T: idx[:, -T:],
    last: Callable = lambda z: z[:, -1],
    options: Callable = lambda t, k, g: (t, k, g),
    join: Callable = lambda idx, context, new: torch.cat([idx, new], 1),
    end: Callable = lambda idx, start, model: idx,
    count: Callable = lambda n: n,
    before: Callable = lambda model: None,
    sample: Callable | None = None,
) -> tuple[type, None]:
    """generate with one thing done otherwise."""

    def generate(
        self, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None
    ):
        start, draw = idx.shape[1], sample or _sample()[1]
        before(self)
        for _ in range(count(max_new_tokens)):
            context = crop(idx, self.config.block_size)
            new = draw(last(self(context)[0]), *options(temperature, top_k, generator))
            idx = join(idx, context, new)
        return end(idx, start, self)

    return _like(_given().GPT, generate=generate), None


def _both(sample: Callable) -> tuple[type, Callable]:
    """generate with this sample_next, and the same by itself."""
    return _write(sample=sample)[0], sample


def _smallest_kept(z: Tensor, k: int) -> Tensor:
    low = z.topk(min(k, z.shape[-1]), largest=False).values[:, -1:]
    return z.masked_fill(z > low, -math.inf)


def _one_more(z: Tensor, k: int) -> Tensor:
    low = z.topk(min(k + 1, z.shape[-1])).values[:, -1:]
    return z.masked_fill(z < low, -math.inf)


def _best_of(most: int) -> Callable:
    """Logits of a few letters alone, before all else."""

    def scale(z, t):
        best = z.topk(min(most, z.shape[-1]))
        return torch.full_like(z, -math.inf).scatter(1, best.indices, best.values / t)

    return scale


def _own_generator(p: Tensor, g: Any) -> Tensor:
    return torch.multinomial(p, 1, generator=g or seeded(1))


def _seeded_crop(idx: Tensor, T: int) -> Tensor:
    torch.default_generator.manual_seed(1337)
    return idx[:, -T:]


def _strictly(z: Tensor, k: int) -> Tensor:
    low = z.topk(min(k, z.shape[-1])).values[:, -1:]
    return z.masked_fill(z <= low, -math.inf)


def _to_zero(z: Tensor, k: int) -> Tensor:
    low = z.topk(min(k, z.shape[-1])).values[:, -1:]
    return z.masked_fill(z < low, 0.0)


def _without_column(z: Tensor, k: int) -> Tensor:
    return z.masked_fill(z < z.topk(min(k, z.shape[-1])).values[:, -1], -math.inf)


def _of_first_row(z: Tensor, k: int) -> Tensor:
    return z.masked_fill(z < z[0].topk(min(k, z.shape[-1])).values[-1], -math.inf)


def _too_many_asked(z: Tensor, k: int) -> Tensor:
    return z.masked_fill(z < z.topk(k).values[:, -1:], -math.inf)


def _places_in_top(z: Tensor, k: int) -> Tensor:
    return z.topk(min(k, z.shape[-1])).values


generate.table(
    lambda: (_given().GPT, _given().sample_next),
    {
        "always the likeliest": (
            "The likeliest letter is taken: draw from the probabilities.",
            _sample(draw=lambda p, g: p.argmax(-1, keepdim=True)),
        ),
        "multiplied": (
            "The logits are multiplied by the temperature: divide.",
            _sample(scale=lambda z, t: z * t),
        ),
        "temperature without effect": (
            "The temperature has no effect: divide the logits, before the softmax.",
            _sample(scale=lambda z, t: z),
            _sample(scale=lambda z, t: z, odds=lambda z, t: F.softmax(z, -1) / t),
        ),
        "top_k not used": (
            "top_k is not used.",
            _sample(cut=lambda z, k: z),
        ),
        "one more kept": (
            "One letter too many is kept: k letters have a chance.",
            _sample(cut=_one_more),
        ),
        "always a few": (
            "Without top_k, too, only some letters can be drawn.",
            *(_sample(scale=_best_of(k)) for k in (4, 5, 8, 10)),
        ),
        "own seed": (
            "The draw is seeded inside: without a generator, too, chance decides.",
            _sample(draw=_own_generator),
            _write(options=lambda t, k, g: (t, k, g or seeded(1))),
            _write(crop=_seeded_crop),
        ),
        "mode changed": (
            "The model's mode is changed: it is the caller's business.",
            _write(before=lambda model: model.eval()),
            _write(end=lambda idx, start, model: (model.train(), idx)[1]),
            _write(end=lambda idx, start, model: (model.eval(), idx)[1]),
        ),
        "smallest kept": (
            "The k smallest are kept: the k largest are wanted.",
            _sample(cut=_smallest_kept),
        ),
        "k-th cut off": (
            "The k-th letter is cut off as well: only what is smaller goes.",
            _sample(cut=_strictly),
        ),
        "cut to zero": (
            "A logit of 0 is no probability of 0: what is cut becomes minus infinity.",
            _sample(cut=_to_zero),
        ),
        "cut without a column": (
            "Rows and columns are mixed up in the cut: keep the k-th letters a column.",
            _both(_sample(cut=_without_column)[1]),
        ),
        "the first row's": (
            "The cut is that of the first row: each row has a k-th letter of its own.",
            _sample(cut=_of_first_row),
        ),
        "k too large": (
            "k may be larger than the number of letters: then nothing is cut.",
            _sample(cut=_too_many_asked),
        ),
        "places among the k": (
            "The place among the k best is no letter: topk gives indices too.",
            _sample(cut=_places_in_top),
        ),
        "softmax over rows": (
            "The softmax runs over the rows: each row has its own probabilities.",
            _sample(odds=lambda z, t: F.softmax(z, 0)),
        ),
        "no row of its own": (
            "A letter has the shape (B,): (B, 1) can be put behind the text.",
            _sample(draw=lambda p, g: torch.multinomial(p, 1, generator=g)[:, 0]),
        ),
        "generator not used": (
            "The generator is not used: a sample cannot be repeated.",
            _sample(draw=lambda p, g: torch.multinomial(p, 1)),
        ),
        "not cropped": (
            "The context is longer than block_size: show the last block_size letters.",
            _write(crop=lambda idx, T: idx),
        ),
        "first letters": (
            "The context is the beginning of the text: show its end.",
            _write(crop=lambda idx, T: idx[:, :T]),
        ),
        "one letter alone": (
            "The model sees one letter: show it the last block_size.",
            _write(crop=lambda idx, T: idx[:, -1:]),
        ),
        "one letter short": (
            "The context has one letter less than block_size.",
            _write(crop=lambda idx, T: idx[:, -(T - 1) :]),
        ),
        "first place": (
            "The first place's logits are used: the last one's predict what follows.",
            _write(last=lambda z: z[:, 0]),
        ),
        "all places": (
            "The logits of all places are drawn from: take those of the last one.",
            _write(last=lambda z: z),
        ),
        "text cropped": (
            "The text loses its beginning: only the model's view of it is cropped.",
            _write(join=lambda idx, context, new: torch.cat([context, new], 1)),
        ),
        "new alone": (
            "Only the new letters come back: they belong behind idx.",
            _write(end=lambda idx, start, model: idx[:, start:]),
        ),
        "in front": (
            "The new letter is put in front: it belongs behind the others.",
            _write(join=lambda idx, context, new: torch.cat([new, idx], 1)),
        ),
        "temperature not passed on": (
            "generate does not pass the temperature on to sample_next.",
            _write(options=lambda t, k, g: (1.0, k, g)),
        ),
        "top_k not passed on": (
            "generate does not pass top_k on to sample_next.",
            _write(options=lambda t, k, g: (t, None, g)),
        ),
        "generator not passed on": (
            "generate does not pass the generator on to sample_next.",
            _write(options=lambda t, k, g: (t, k, None)),
        ),
        "options not passed on": (
            "generate passes none of its options on to sample_next.",
            _write(options=lambda t, k, g: ()),
        ),
        "one too many": (
            "One letter too many is drawn.",
            _write(count=lambda n: n + 1),
        ),
        "one too few": (
            "One letter too few is drawn.",
            _write(count=lambda n: n - 1),
        ),
    },
)


# ---------------------------------------------------------------- train


def _get_batch(ids, block_size, batch_size, generator=None):
    places = torch.randint(len(ids) - block_size, (batch_size,), generator=generator)
    x = torch.stack([ids[i : i + block_size] for i in places])
    y = torch.stack([ids[i + 1 : i + 1 + block_size] for i in places])
    return x, y


class _Toy(nn.Module):
    """In place of a GPT: a table of scores, its loss times a factor; noting calls."""

    def __init__(self, seed: int = 1, factor: float = 1.0) -> None:
        super().__init__()
        self.config = _config(vocab_size=6, block_size=3, n_layer=1, n_head=1, n_embd=1)
        self.table = nn.Parameter(normal(6, 6, seed=seed).float())
        self.scale = nn.Parameter(1 + normal(6, seed=seed + 1, scale=0.2).float())
        self.drop = nn.Dropout(0.5)
        self.factor = factor
        self.calls: list[dict[str, Any]] = []

    def forward(self, idx: Tensor, targets: Tensor | None = None) -> Any:
        logits = self.drop(self.table[idx]) * self.scale
        if targets is None:
            return logits, None
        loss = self.factor * F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        self.calls.append(
            {
                "loss": loss.item(),
                "idx": idx.tolist(),
                "shape": tuple(idx.shape),
                "training": self.training or self.drop.training,
                "gradients": loss.requires_grad,
            }
        )
        return logits, loss


def _grouped(make_optimizer: Callable, weight_decay: float | None, tied: bool) -> Any:
    """How the parameters of a small GPT are grouped."""
    config = _config(vocab_size=7, n_layer=1, n_head=1, n_embd=4, tied=tied)
    model = _given().GPT(config)
    model.stack = nn.Parameter(torch.zeros(2, 3, 3))  # other models may have such
    model.factor = nn.Parameter(torch.tensor(1.0))
    given = () if weight_decay is None else (weight_decay,)
    made = make_optimizer(model, 0.02, *given)
    if not isinstance(made, torch.optim.Optimizer):
        return otherwise(made)
    decays: dict[int, list[float]] = {}
    for group in made.param_groups:
        for p in group["params"]:
            decays.setdefault(id(p), []).append(group["weight_decay"])
    named = dict(model.named_parameters())
    kinds = {
        "matrices and tables": [p for p in named.values() if p.dim() >= 2],
        "biases and norms": [p for p in named.values() if p.dim() < 2],
    }
    found = {name: _decays_of(decays, ps) for name, ps in kinds.items()}
    group = made.param_groups[0]
    return {
        "optimizer": Said(type(made).__name__),
        "groups": len(made.param_groups),
        **found,
        "lr": sorted({g["lr"] for g in made.param_groups}),
        "betas": Said(str(group.get("betas", "none"))),
        "eps": group.get("eps", Said("none")),
        "amsgrad": Said(str(group.get("amsgrad", "none"))),
    }


def _decays_of(decays: dict[int, list[float]], parameters: list[Tensor]) -> Said:
    found = [decays.get(id(p), []) for p in parameters]
    if any(len(one) != 1 for one in found):
        return Said("not each in one group")
    return Said("decay " + ", ".join(sorted({f"{one[0]:g}" for one in found})))


def _grouped_facts(weight_decay: float) -> dict[str, Any]:
    return {
        "optimizer": Said("AdamW"),
        "groups": 2,
        "matrices and tables": Said(f"decay {weight_decay:g}"),
        "biases and norms": Said("decay 0"),
        "lr": [0.02],
        "betas": Said("(0.9, 0.99)"),
        "eps": 1e-8,
        "amsgrad": Said("False"),
    }


def _rate_facts(step: int, steps: int, peak: float, warmup: int, floor: float) -> float:
    if step < warmup:
        return peak * (step + 1) / warmup
    angle = math.pi * (step - warmup) / (steps - warmup)
    return peak * floor + peak * (1 - floor) * math.cos(angle / 2) ** 2


class _Counting(torch.optim.SGD):
    """Plain descent that counts its steps."""

    taken = 0

    def step(self, *args: Any, **options: Any) -> Any:
        self.taken += 1
        return super().step(*args, **options)


def _stepped(train_step: Callable, factor: float, rates: tuple[float, ...]) -> Any:
    """The parameters after some steps of plain descent, and the losses told."""
    model = _Toy(factor=factor)
    model.drop.p = 0.0  # so that its mode is free
    groups = [{"params": [model.table]}, {"params": [model.scale]}]
    optimizer = _Counting(groups, lr=77.0)
    for p in model.parameters():
        p.grad = torch.full_like(p, 3.0)  # left over from before
    told = []
    for i, lr in enumerate(rates):
        told.append(train_step(model, optimizer, *_toy_batch(i), lr))
        if type(told[-1]) is not float:
            return told[-1] if is_nothing(told[-1]) else {"loss": Said(kind(told[-1]))}
    after = {"table": model.table.detach(), "scale": model.scale.detach()}
    rest = sorted({group["lr"] for group in optimizer.param_groups})
    calls = {"optimizer.step()": optimizer.taken, "lr of the groups": rest}
    mode = either(model.training, "in training", "in eval mode")
    return {"losses": told} | after | calls | {"left": mode}


def _toy_batch(seed: int) -> tuple[Tensor, Tensor]:
    x, y = (torch.randint(6, (4, 3), generator=seeded(seed + i)) for i in (20, 40))
    return x, y


@lru_cache(maxsize=20)
def _stepped_facts(factor: float, rates: tuple[float, ...]) -> dict[str, Any]:
    """By hand: the gradient of both parameters together has at most the norm 1."""
    model, told = _Toy(factor=factor).eval(), []
    for i, lr in enumerate(rates):
        _, loss = model(*_toy_batch(i))
        parameters = [model.table, model.scale]
        grads = torch.autograd.grad(loss, parameters)
        norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in grads))
        with torch.no_grad():
            for p, g in zip(parameters, grads, strict=True):
                p -= lr * g * min(1.0, 1 / (norm + 1e-6))
        told.append(loss.item())
    after = {"table": model.table.detach(), "scale": model.scale.detach()}
    calls = {"optimizer.step()": len(rates), "lr of the groups": [rates[-1]]}
    return {"losses": told} | after | calls | {"left": Said("in training")}


def _estimated(estimate_loss: Callable, training: bool, B: int, batches: int) -> Any:
    """What an estimate does with a model, and what it tells."""
    model, ids = _Toy().train(training), torch.arange(90) * 7 % 3
    ids[45:] += 3  # letters of its own in each half
    out = _tried(lambda: estimate_loss(model, ids, B, batches, seeded(1)))
    if isinstance(out, Tensor) and out.ndim == 0:
        out = out.item()
    if type(out) is not float:
        return otherwise(out)
    calls, rows = model.calls, [row for c in model.calls for row in c["idx"]]
    parts = [rows[i : i + B] for i in range(0, len(rows), B)]
    mean = sum(c["loss"] * len(c["idx"]) for c in calls) / max(1, len(rows))
    close = abs(out - mean) < 1e-4 * abs(mean)
    return {
        "texts": len(rows),
        "letters of a text": sorted({c["shape"][1] for c in calls}),
        "all batches the same": len(parts) > 1 and all(p == parts[0] for p in parts),
        "letters": sorted({letter for row in rows for letter in row}),
        "measured": either(
            any(c["training"] for c in calls), "in training", "in eval mode"
        ),
        "gradients": either(any(c["gradients"] for c in calls), "recorded", "off"),
        "result": Said(
            "their mean loss" if close else f"{out / mean:.2g} of their mean"
        ),
        "left": either(
            model.training and model.drop.training, "in training", "in eval mode"
        ),
    }


def _estimated_facts(training: bool, B: int, batches: int) -> dict[str, Any]:
    return {
        "texts": B * batches,
        "letters of a text": [3],
        "all batches the same": False,
        "letters": [0, 1, 2, 3, 4, 5],
        "measured": Said("in eval mode"),
        "gradients": Said("off"),
        "result": Said("their mean loss"),
        "left": Said("in training" if training else "in eval mode"),
    }


def _estimates(estimate_loss: Callable) -> Any:
    """Whether an estimate depends on the generator alone."""
    state, ids = torch.get_rng_state(), torch.arange(90) * 7 % 6
    told = [estimate_loss(_Toy(), ids, 4, 3, seeded(seed)) for seed in (1, 1, 2)]
    still = torch.equal(state, torch.get_rng_state())
    if any(not isinstance(one, float | Tensor) for one in told):
        return otherwise(told[0])
    one, again, other = (float(value) for value in told)
    return {
        "the same seed": either(one == again, "the same", "another"),
        "another seed": either(one == other, "the same", "another"),
        "torch's own dice": either(still, "not used", "used"),
    }


@cache
def _coins() -> Tensor:
    """Letters of five: by a fair coin the same comes again, or the next one."""
    coins = torch.randint(2, (4000,), generator=seeded(3))
    return coins.cumsum(0) % 5


def _learned(make: Callable, rate: Callable, step: Callable, estimate: Callable) -> Any:
    """The loss of a small GPT on coins, after a short run by a learner's parts."""
    ids, g, steps = _coins(), seeded(1), 60
    config = _config(vocab_size=5, block_size=8, n_layer=1, n_head=2, n_embd=16)
    model = _tried(lambda: _given().GPT(config))
    optimizer = make(model, 0.02)
    for i in range(steps):
        x, y = _get_batch(ids[:3600], 8, 16, g)
        step(model, optimizer, x, y, rate(i, steps, 0.02, 10))
    return _between(estimate(model, ids[3600:], 16, 10, g), 0.66, 0.8)


def _between(loss: Any, low: float, high: float) -> Any:
    """Whether a loss can be: below `low` it would know the coin before it falls."""
    if not isinstance(loss, float | Tensor):
        return otherwise(loss)
    fits = low < float(loss) < high
    return {"loss": Said(f"{low} to {high}" if fits else f"{float(loss):.3f}")}


@exercise("gpt.train", version=2, limit=12, stands_on={"get_batch": _get_batch})
def train(
    make_optimizer: Callable,
    learning_rate: Callable,
    train_step: Callable,
    estimate_loss: Callable,
) -> Cases:
    for decay, tied in ((None, False), (0.3, False), (0.1, True)):
        text = f"make_optimizer(model, 0.02{'' if decay is None else f', {decay}'})"
        act = lambda d=decay, t=tied: _grouped(make_optimizer, d, t)  # noqa: E731
        yield case(text + (", tied" if tied else ""), act, _grouped_facts(decay or 0.1))
    for step, steps, peak, *rest in (
        (0, 1000, 0.01),
        (49, 1000, 0.01),
        (99, 1000, 0.01),
        (100, 1000, 0.01),
        (325, 1000, 0.01),
        (550, 1000, 0.01),
        (1000, 1000, 0.01),
        (4, 80, 2.0, 16, 0.25),
        (60, 80, 2.0, 16, 0.25),
        (80, 80, 2.0, 16, 0.0),
        (4, 10, 1.0, 20),
    ):
        yield _rate_case(learning_rate, step, steps, peak, *rest)
    for factor, rates in ((0.3, (0.5,)), (1.0, (0.5, 0.25)), (50.0, (0.5, 2.0))):
        facts = _stepped_facts(factor, rates)
        text = f"a model of loss {factor:g} L, plain descent at the rates {rates}"
        act = lambda f=factor, r=rates: _stepped(train_step, f, r)  # noqa: E731
        yield case(text, act, facts, within=FLOAT32)
    for training, B, batches in ((True, 4, 5), (False, 7, 3), (True, 2, 9)):
        text = f"estimate_loss(model, ids, {B}, {batches}), "
        text += "found in training" if training else "found in eval mode"
        act = lambda a=(training, B, batches): _estimated(estimate_loss, *a)  # noqa: E731
        yield case(text, act, _estimated_facts(training, B, batches))
    text = "estimate_loss with a generator"
    yield case(text, lambda: _estimates(estimate_loss), _REPEATED)
    parts = (make_optimizer, learning_rate, train_step, estimate_loss)
    text = "coins, of which none can know more than 0.693, after 60 steps"
    yield case(text, lambda: _learned(*parts), _between(0.7, 0.66, 0.8), once=True)


def _rate_case(rate: Callable, step: int, steps: int, peak: float, *rest: Any) -> Case:
    said = ", ".join(map(str, (step, steps, peak, *rest)))
    warmup, floor = (*rest, *(100, 0.1)[len(rest) :])
    want = _rate_facts(step, steps, peak, warmup, floor)
    act = lambda: rate(step, steps, peak, *rest)  # noqa: E731
    return case(f"learning_rate({said})", act, want, within=ONCE)


def _optimizer(
    groups: Callable = lambda many, few, decay: [
        {"params": many, "weight_decay": decay},
        {"params": few, "weight_decay": 0.0},
    ],
    make: Callable = torch.optim.AdamW,
    many: Callable = lambda name, p: p.dim() >= 2,
    lr: Callable = lambda lr: lr,
    **options: Any,
) -> tuple:
    """make_optimizer with one thing done otherwise."""

    def make_optimizer(model, lr_given, weight_decay=0.1):
        named = list(model.named_parameters())
        first = [p for name, p in named if many(name, p)]
        second = [p for name, p in named if not many(name, p)]
        made = groups(first, second, weight_decay)
        return make(made, lr=lr(lr_given), **{"betas": (0.9, 0.99)} | options)

    return make_optimizer, None, None, None


def _rated(
    rise: Callable = lambda step, warmup: (step + 1) / warmup,
    done: Callable = lambda step, steps, warmup: (
        (step - warmup) / max(1, steps - warmup)
    ),
    fall: Callable = lambda done: (1 + math.cos(math.pi * done)) / 2,
    low: Callable = lambda peak, floor, c: peak * (floor + (1 - floor) * c),
    warm: bool = True,
) -> tuple:
    """learning_rate with one thing done otherwise."""

    def learning_rate(step, steps, peak, warmup=100, floor=0.1):
        if warm and step < warmup:
            return peak * rise(step, warmup)
        return low(peak, floor, fall(done(step, steps, warmup)))

    return None, learning_rate, None, None


def _step(*lines: str, out: str = "loss.item()") -> tuple:
    """train_step in these lines; each is one of the steps below, by its name."""
    steps = {
        "rate": "for group in optimizer.param_groups: group['lr'] = lr",
        "first": "optimizer.param_groups[0]['lr'] = lr",
        "forward": "_, loss = model(x, y)",
        "zero": "optimizer.zero_grad()",
        "backward": "loss.backward()",
        "clip": "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
        "values": "torch.nn.utils.clip_grad_value_(model.parameters(), 1.0)",
        "each": "for p in model.parameters(): torch.nn.utils.clip_grad_norm_([p], 1.0)",
        "always": "n = sum(p.grad.pow(2).sum() for p in model.parameters()) ** 0.5\n"
        "    for p in model.parameters(): p.grad /= n",
        "step": "optimizer.step()",
        "again": "with torch.no_grad(): _, loss = model(x, y)",
        "eval": "model.eval()",
    }
    code = "def train_step(model, optimizer, x, y, lr):\n"
    code += "".join(f"    {steps[line]}\n" for line in lines) + f"    return {out}\n"
    room: dict[str, Any] = {"torch": torch}
    exec(code, room)
    return None, None, room["train_step"], None


def _estimating(
    before: Callable = lambda model: model.eval(),
    after: Callable = lambda model, flag: model.train(flag),
    off: Callable = torch.no_grad,
    batch: Callable = lambda ids, T, B, g: _get_batch(ids, T, B, g),
    count: Callable = lambda n: n,
    mean: Callable = lambda losses, n: sum(losses) / n,
    length: Callable = lambda model: model.config.block_size,
) -> tuple:
    """estimate_loss with one thing done otherwise."""

    def estimate_loss(model, ids, batch_size, batches, generator=None):
        flag, losses = model.training, []
        before(model)
        with off():
            for _ in range(count(batches)):
                pair = batch(ids, length(model), batch_size, generator)
                losses.append(model(*pair)[1].item())
        after(model, flag)
        return mean(losses, batches)

    return None, None, None, estimate_loss


class _On:
    """no_grad, left out."""

    def __enter__(self) -> None: ...

    def __exit__(self, *error: Any) -> None: ...


def _one_group(many: list, few: list, decay: float) -> list:
    return [{"params": [*many, *few], "weight_decay": decay}]


def _turned_groups(many: list, few: list, decay: float) -> list:
    return [
        {"params": many, "weight_decay": 0.0},
        {"params": few, "weight_decay": decay},
    ]


def _no_zero_named(many: list, few: list, decay: float) -> list:
    return [{"params": many, "weight_decay": decay}, {"params": few}]


def _fixed_decay(many: list, few: list, decay: float) -> list:
    return [
        {"params": many, "weight_decay": 0.1},
        {"params": few, "weight_decay": 0.0},
    ]


_FULL = ("rate", "forward", "zero", "backward", "clip", "step")


def _but(*gone: str) -> tuple[str, ...]:
    return tuple(line for line in _FULL if line not in gone)


train.table(
    lambda: (_optimizer()[0], _rated()[1], _step(*_FULL)[2], _estimating()[3]),
    {
        "one group": (
            "All parameters are decayed: biases and norms should not be.",
            _optimizer(_one_group),
            _optimizer(lambda m, f, d: _no_zero_named([*m, *f], [], d)),
        ),
        "groups exchanged": (
            "The groups are exchanged: matrices and tables are decayed.",
            _optimizer(_turned_groups),
        ),
        "decay by default": (
            "The second group has AdamW's own decay, 0.01: say 0.0.",
            _optimizer(_no_zero_named),
        ),
        "decay fixed": (
            "The decay is fixed: use the one that is given.",
            _optimizer(_fixed_decay),
        ),
        "norms decayed": (
            "What is no bias is decayed: the scale of a norm should not be.",
            _optimizer(many=lambda name, p: not name.endswith("bias")),
        ),
        "tables not decayed": (
            "The tables are not decayed: they have two dimensions.",
            _optimizer(many=lambda name, p: p.dim() >= 2 and "table" not in name),
        ),
        "Adam": (
            "Adam mixes decay into the gradient: AdamW applies it to the weights.",
            _optimizer(make=torch.optim.Adam),
        ),
        "betas by default": (
            "The betas are PyTorch's, (0.9, 0.999): (0.9, 0.99) is wanted.",
            _optimizer(betas=(0.9, 0.999)),
        ),
        "no warm-up": (
            "There is no warm-up: the rate rises over the first steps.",
            _rated(warm=False, done=lambda step, steps, warmup: step / steps),
            _rated(warm=False),
        ),
        "zero at first": (
            "The first step has the rate 0: it is step + 1 that is divided by warmup.",
            _rated(rise=lambda step, warmup: step / warmup),
        ),
        "a line down": (
            "The rate falls in a line: a half cosine is wanted.",
            _rated(fall=lambda done: 1 - done),
        ),
        "cosine from step 0": (
            "The cosine is counted from step 0: it begins after the warm-up.",
            _rated(done=lambda step, steps, warmup: step / steps),
        ),
        "cosine too long": (
            "The cosine takes `steps` after the warm-up: it ends at step `steps`.",
            _rated(done=lambda step, steps, warmup: (step - warmup) / steps),
        ),
        "quarter of a cosine": (
            "A quarter of the cosine is used: it goes from 0 to pi.",
            _rated(fall=lambda done: math.cos(math.pi / 2 * done)),
        ),
        "whole cosine": (
            "A whole wave brings the rate back up: it goes from 0 to pi.",
            _rated(fall=lambda done: (1 + math.cos(2 * math.pi * done)) / 2),
        ),
        "down to zero": (
            "The rate falls to 0: it ends at floor times peak.",
            _rated(low=lambda peak, floor, c: peak * c),
        ),
        "floor as a rate": (
            "floor is a share of the peak, and no rate.",
            _rated(low=lambda peak, floor, c: floor + (peak - floor) * c),
        ),
        "floor on top": (
            "The floor is put on top: floor + (1 - floor) times the cosine.",
            _rated(low=lambda peak, floor, c: peak * (floor + c)),
        ),
        "cut at the floor": (
            "The cosine is cut off at the floor: it should end there.",
            _rated(low=lambda peak, floor, c: peak * max(floor, c)),
        ),
        "gradients add up": (
            "Old gradients are added to: zero_grad before backward.",
            _step(*_but("zero")),
        ),
        "gradients gone": (
            "The gradients are cleared after backward: the step has nothing to go by.",
            _step("rate", "forward", "backward", "zero", "clip", "step"),
            _step("rate", "forward", "backward", "clip", "zero", "step"),
        ),
        "not clipped": (
            "Nothing is clipped when the step is taken: clip before the step.",
            _step(*_but("clip")),
            _step("rate", "forward", "zero", "clip", "backward", "step"),
            _step("rate", "forward", "zero", "backward", "step", "clip"),
        ),
        "each number clipped": (
            "Each number is clipped alone, which turns the gradient: clip the norm.",
            _step("rate", "forward", "zero", "backward", "values", "step"),
        ),
        "in eval mode": (
            "The model is put into eval mode: it trains, so dropout should act.",
            _step("eval", "rate", "forward", "zero", "backward", "clip", "step"),
        ),
        "each parameter clipped": (
            "The gradient is clipped in parts: one norm for all parameters.",
            _step("rate", "forward", "zero", "backward", "each", "step"),
        ),
        "short gradients stretched": (
            "A short gradient is stretched to the norm 1: clip only what is longer.",
            _step("rate", "forward", "zero", "backward", "always", "step"),
        ),
        "rate not set": (
            "The rate is not set: the optimizer goes on with its old one.",
            _step(*_but("rate")),
        ),
        "one group's rate": (
            "Only the first group gets the rate.",
            _step("first", *_but("rate")),
        ),
        "rate set too late": (
            "The rate is set after the step.",
            _step(*_but("rate"), "rate"),
        ),
        "no step": (
            "No step is taken: the parameters stay.",
            _step(*_but("step")),
        ),
        "a tensor": (
            "The loss is a tensor: `.item()` makes a plain number of it.",
            _step(*_FULL, out="loss"),
            _step(*_FULL, out="loss.detach()"),
        ),
        "loss afterwards": (
            "The loss is that after the step: return the one before it.",
            _step(*_FULL, "again"),
        ),
        "estimated in training": (
            "The model is in training while it is measured: call eval() first.",
            _estimating(before=lambda model: None),
            _estimating(before=lambda model: model.train()),
        ),
        "left in eval mode": (
            "The model is left in eval mode: put its mode back.",
            _estimating(after=lambda model, flag: None),
        ),
        "always back to training": (
            "Afterwards the model is in training: put back what was found.",
            _estimating(after=lambda model, flag: model.train()),
        ),
        "gradients recorded": (
            "Gradients are recorded: measure under torch.no_grad().",
            _estimating(off=_On),
        ),
        "one batch": (
            "One batch is measured: `batches` of them are wanted.",
            _estimating(count=lambda n: 1, mean=lambda losses, n: losses[0]),
        ),
        "summed": (
            "The losses are summed: the mean is wanted.",
            _estimating(mean=lambda losses, n: sum(losses)),
        ),
        "last batch alone": (
            "Only the last batch's loss is told: the mean is wanted.",
            _estimating(mean=lambda losses, n: losses[-1]),
        ),
        "the same batch": (
            "The same batch is measured each time.",
            _estimating(batch=lambda ids, T, B, g: _get_batch(ids, T, B, seeded(1))),
            _estimating(batch=lambda ids, T, B, g: _get_batch(ids[: T + 1], T, B, g)),
        ),
        "generator not used": (
            "The generator is not used: an estimate cannot be repeated.",
            _estimating(batch=lambda ids, T, B, g: _get_batch(ids, T, B)),
        ),
    },
)

from workbook.checks import gpt_beyond  # noqa: E402, F401
