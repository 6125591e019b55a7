"""Checks of lesson 3: slow loops, PyTorch's own functions, and models that take notes.

A loss alone convicts nobody here: who trains on the wrong pairs may reach a fine one.
So the models that are handed over write down what they are asked, and with which
weights; each step can then be done again and compared.
"""

import copy
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count, pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from workbook.checks.cases import Case, call, case, exercise, new_seed
from workbook.checks.rehoming import required
from workbook.checks.saying import either, otherwise
from workbook.checks.tensors import seeded
from workbook.compare import FLOAT32, Said, Tolerance, kind
from workbook.course import root

ROUNDED = Tolerance(1e-5, 1e-6, "rates are often computed in single precision")
Cases = Iterator[Case]
Data = tuple[Tensor, Tensor]


def _given() -> Any:
    return required("mlp")


def _returned(words: str) -> dict[str, Said]:
    """What was returned, as the first thing that a case looks at."""
    return {"returned": Said(words)}


# ---------------------------------------------------------------- build_dataset


_ABC = {".": 0, "a": 1, "b": 2, "c": 3}
_ODD = {".": 0, "z": 1, "é": 2, "a": 3, "q": 4}


def _slow_pairs(words: list[str], stoi: dict[str, int], k: int) -> Data:
    """Cut from the word with its dots around it, letter by letter."""
    X, Y = [], []
    for word in words:
        text = "." * k + word + "."
        for i in range(len(word) + 1):
            X.append([stoi[letter] for letter in text[i : i + k]])
            Y.append(stoi[text[i + k]])
    return torch.tensor(X), torch.tensor(Y)


def _invented(rng: random.Random, stoi: dict[str, int], count: int) -> list[str]:
    """Words of one to seven letters."""
    letters = [letter for letter in stoi if letter != "."]
    return ["".join(rng.choices(letters, k=rng.randint(1, 7))) for _ in range(count)]


@exercise("mlp.build_dataset")
def build_dataset(build_dataset: Callable) -> Cases:
    rng = random.Random(1)
    table: list[tuple[list[str], dict[str, int], int]] = [
        (["ab"], _ABC, 2),
        (["cab"], _ABC, 3),
        (["a", "bc", "a"], _ABC, 2),
        (["ab"], _ABC, 5),
        (["abcab"], _ABC, 1),
        (["zaéq", "qqa"], _ODD, 3),
        (_invented(rng, _ODD, 9), _ODD, 4),
    ]
    for words, stoi, k in table:
        want = _slow_pairs(words, stoi, k)
        yield call(build_dataset, words, stoi, k, expects=want)
    want = _slow_pairs(["abc"], _ABC, 3)
    yield call(build_dataset, ["abc"], _ABC, expects=want)
    words, k = _invented(random.Random(new_seed()), _ODD, 5), random.randint(2, 6)
    want = _slow_pairs(words, _ODD, k)
    yield call(build_dataset, words, _ODD, k, expects=want, fresh=True)


def _builder(
    move: Callable = lambda context, i: [*context[1:], i],
    first: bool = False,
    reset: bool = True,
    end: str = ".",
    size: int | None = None,
    number: Callable = lambda stoi, letter: stoi[letter],
    full: bool = False,
    out: Callable = lambda X, Y: (torch.tensor(X), torch.tensor(Y)),
) -> Callable:
    """build_dataset with one thing done otherwise."""

    def build_dataset(words, stoi, block_size=3):
        X, Y, k = [], [], size or block_size
        context = [0] * k
        for word in words:
            context = [0] * k if reset else context
            for at, letter in enumerate(word + end):
                i = number(stoi, letter)
                context = move(context, i) if first else context
                if not full or at >= k:
                    X.append(context)
                    Y.append(i)
                context = context if first else move(context, i)
        return out(X, Y)

    return build_dataset


def _in_place(context: list[int], i: int) -> list[int]:
    context.append(i)
    context.pop(0)
    return context


_BUILDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "label in its own context": (
        "The window moves before the pair is recorded: it holds its own answer.",
        {"first": True},
    ),
    "not reset": (
        "The context is not made new for each word: names run into each other.",
        {"reset": False},
    ),
    "no closing dot": (
        "The closing dot is never a target: no name would end.",
        {"end": ""},
    ),
    "one list for all": (
        "One list is changed in place: all rows of X are that list.",
        {"move": _in_place},
    ),
    "newest first": (
        "The window runs backwards: the newest letter stands last.",
        {"move": lambda context, i: [i, *context[:-1]]},
    ),
    "window stands still": (
        "The context never moves on.",
        {"move": lambda context, i: context},
    ),
    "always three": (
        "block_size is not used: the window is always three.",
        {"size": 3},
    ),
    "full windows only": (
        "The first letters of a word are targets too, after dots.",
        {"full": True},
    ),
    "own numbers": (
        "The letters' numbers come from stoi, whatever the alphabet is.",
        {"number": lambda s, x: 0 if x == "." else ord(x) - 96},
    ),
    "floats": (
        "torch.Tensor makes floats: torch.tensor keeps whole numbers.",
        {"out": lambda X, Y: (torch.Tensor(X), torch.Tensor(Y))},
    ),
    "lists": (
        "X and Y are lists: make tensors of them.",
        {"out": lambda X, Y: (X, Y)},
    ),
    "targets as a column": (
        "Y has one dimension: (N,), not (N, 1).",
        {"out": lambda X, Y: (torch.tensor(X), torch.tensor(Y).view(-1, 1))},
    ),
    "swapped": (
        "X comes first, then Y.",
        {"out": lambda X, Y: (torch.tensor(Y), torch.tensor(X))},
    ),
}
for _name, (_sentence, _options) in _BUILDERS.items():
    build_dataset.mistake(_name, _sentence)(_builder(**_options))


@build_dataset.mistake("not padded", "A window that has not filled yet holds dots.")
def _(words, stoi, block_size=3):
    X, Y = [], []
    for word in words:
        context: list[int] = []
        for letter in word + ".":
            X.append(context)
            Y.append(stoi[letter])
            context = [*context, stoi[letter]][-block_size:]
    return torch.tensor(X), torch.tensor(Y)


# ---------------------------------------------------------------- splits


_LETTERS = {s: i for i, s in enumerate(".abcdefghijklmnopqrstuvwxyz")}


@cache
def _words(count: int, twice: int = 0) -> tuple[str, ...]:
    """Different words in alphabetical order; each `twice`th one stands there twice."""
    words = []
    for i in range(count):
        words += [_spelled(i)] * (2 if twice and i % twice == 0 else 1)
    return tuple(words[:count])


def _spelled(i: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in f"{i:03d}")


def _cut(split_words: Callable, words: list[str], *seed: int) -> Any:
    """What matters about a split; what it is, where it is none."""
    before = list(words)
    out = split_words(words, *seed)
    if type(out) not in (tuple, list) or any(type(pile) is not list for pile in out):
        return otherwise(out, "returned")
    together = Counter(word for pile in out for word in pile)
    tail = set(before[-len(before) // 5 :])
    return _returned("lists of names") | {
        "the list passed in": either(words == before, "as it was", "changed"),
        "piles": len(out),
        "names": _kept(Counter(before), together),
        "sizes": _sizes(out, len(before)),
        "train holds": either(
            bool(tail & set(out[0])) if out else False,
            "names from the whole list",
            "the beginning of the list",
        ),
    }


def _kept(before: Counter, after: Counter) -> Said:
    if after == before:
        return Said("each as often as in the list")
    lost, more = sum((before - after).values()), sum((after - before).values())
    if lost and more:
        return Said("some lost, some used twice")
    return Said("some lost" if lost else "some used twice")


def _sizes(piles: Any, n: int) -> Said:
    """80, 10 and 10 %, rounded in whatever way."""
    shares = (0.8, 0.1, 0.1)
    right = len(piles) == 3 and all(
        abs(len(pile) - share * n) <= 1
        for pile, share in zip(piles, shares, strict=True)
    )
    found = " ".join(str(len(pile)) for pile in piles)
    return Said("80, 10 and 10 %") if right else Said(f"{found}, of {n}")


_RIGHT_CUT = _returned("lists of names") | {
    "the list passed in": Said("as it was"),
    "piles": 3,
    "names": Said("each as often as in the list"),
    "sizes": Said("80, 10 and 10 %"),
    "train holds": Said("names from the whole list"),
}


def _seeds(split: Callable[[int], Any]) -> dict[str, Said]:
    """How a split depends on its seed; `split` gives something that can be compared."""
    one, again, other = split(1), split(1), split(2)
    return {
        "the same seed": either(one == again, "the same split", "another split"),
        "another seed": either(one != other, "another split", "the same split"),
    }


_SEEDED = {
    "the same seed": Said("the same split"),
    "another seed": Said("another split"),
}

_PILES: tuple[tuple[list[str], list[list[str]], bool], ...] = (
    (["ann", "bob", "eve"], [["bob"], ["eve"], ["ann"]], True),
    (["ann", "ann", "bob"], [["ann"], ["ann"], ["bob"]], True),
    (["ann", "bob", "eve"], [["ann", "bob"], ["ann"], ["eve"]], False),
    (["ann", "bob", "eve"], [["ann"], ["bob"], ["ann"]], False),
    (["ann", "ann", "bob"], [["ann"], ["bob"], []], False),
    (["ann", "ann", "bob"], [["ann"], ["bob"], ["bob"]], False),
    (["ann", "bob"], [["ann"], [], []], False),
    (["ann", "bob"], [["bob"], ["ann"], ["zoe"]], False),
    (["ann", "bob", "eve", "ann"], [["eve", "ann", "ann"], ["bob"]], True),
)


def _built(datasets: Callable, words: list[str], k: int) -> Any:
    """Whether three piles of pairs were made from whole names."""
    before = list(words)
    sets = _pair_sets(datasets(words, _LETTERS, k))
    if isinstance(sets, dict) or sets is None or sets is ...:
        return sets
    names = [_names_in(X, Y) for X, Y in sets]
    whole = all(found is not None for found in names)
    together = Counter(name for found in names for name in found or ())
    return _returned("pairs of tensors") | {
        "the list passed in": either(words == before, "as it was", "changed"),
        "piles": len(sets),
        "block size": sorted({X.shape[1] for X, _ in sets}),
        "made of": either(whole, "whole names", "pieces of names"),
        "names": _kept(Counter(before), together) if whole else Said("not to be seen"),
        "sizes": _sizes([found or [] for found in names], len(before)),
    }


def _pair_sets(out: Any) -> Any:
    """Three pairs of tensors as they are; else what they are."""
    if type(out) not in (tuple, list) or not all(_is_pair(one) for one in out):
        return otherwise(out, "returned")
    return list(out)


def _is_pair(one: Any) -> bool:
    if type(one) not in (tuple, list) or len(one) != 2:
        return False
    both = all(isinstance(part, Tensor) for part in one)
    return both and one[0].ndim == 2 and one[1].ndim == 1 and len(one[0]) == len(one[1])


def _names_in(X: Tensor, Y: Tensor) -> list[str] | None:
    """The names that pairs spell, row after row; None where they are in pieces."""
    names, letters = [], []
    expected = [0] * X.shape[1]
    for context, target in zip(X.tolist(), Y.tolist(), strict=True):
        if context != expected:
            return None
        if target:
            letters.append(".abcdefghijklmnopqrstuvwxyz"[int(target)])
            expected = [*context[1:], target]
        else:
            names.append("".join(letters))
            letters, expected = [], [0] * X.shape[1]
    return None if letters else names


def _spelled_sets(datasets: Callable, *options: int) -> Any:
    sets = _pair_sets(datasets(list(_words(40)), _LETTERS, *options))
    if not isinstance(sets, list):
        return sets
    return [[X.tolist(), Y.tolist()] for X, Y in sets]


def _in_order(split_words: Callable, datasets: Callable) -> Any:
    """Which pile of split_words each pile of datasets was made from."""
    words = list(_words(50))
    piles = [sorted(pile) for pile in split_words(list(words), 7)]
    sets = _pair_sets(datasets(list(words), _LETTERS, 3, 7))
    if not isinstance(sets, list):
        return sets
    names = ("train", "dev", "test")
    from_pile = {str(pile): name for pile, name in zip(piles, names, strict=False)}
    made = [from_pile.get(str(sorted(_names_in(*one) or []))) for one in sets]
    return _returned("pairs of tensors") | {
        name: Said(f"the {found} names" if found else "other names")
        for name, found in zip(names, made, strict=False)
    }


_ORDER = _returned("pairs of tensors") | {
    name: Said(f"the {name} names") for name in ("train", "dev", "test")
}


def _global_dice(act: Callable[[], Any]) -> Said:
    """Whether anything is drawn, or seeded, that is not the function's own."""
    random.random(), torch.rand(1)  # not where an earlier call may have left them
    before = repr(random.getstate()), torch.get_rng_state()
    act()
    same = before[0] == repr(random.getstate())
    return either(
        same and torch.equal(before[1], torch.get_rng_state()), "untouched", "seeded"
    )


def _unsaid(split: Callable, *words: list[str]) -> Said:
    """Whether a split without options is that of block_size 3 and seed 42."""
    options = (42,) if words else (3, 42)
    return either(split(*words) == split(*words, *options), "42", "another one")


_RIGHT_SETS = _returned("pairs of tensors") | {
    "the list passed in": Said("as it was"),
    "piles": 3,
    "made of": Said("whole names"),
    "names": Said("each as often as in the list"),
    "sizes": Said("80, 10 and 10 %"),
}


@exercise("mlp.splits", version=2)
def splits(split_words: Callable, is_split: Callable, datasets: Callable) -> Cases:
    for text, words in (
        ("100 different names", _words(100)),
        ("60 lines, some names twice,", _words(60, 5)),
        ("37 names", _words(37)),
        ("1,000 names", _words(1000)),
    ):
        act = lambda w=words: _cut(split_words, list(w), 7)  # noqa: E731
        yield case(f"split_words of {text} seed 7", act, _RIGHT_CUT)
    act = lambda: _cut(split_words, list(_words(50)))  # noqa: E731
    yield case("split_words of 50 names, no seed given", act, _RIGHT_CUT)
    act = lambda: _unsaid(split_words, list(_words(50)))  # noqa: E731
    yield case("the seed where none is given", act, Said("42"))
    seeds = lambda: _seeds(lambda s: split_words(list(_words(50)), s))  # noqa: E731
    yield case("split_words with seeds 1, 1 and 2", seeds, _SEEDED)
    for words, piles, right in _PILES:
        yield call(is_split, words, *piles, expects=right)
    for k, words in ((3, _words(50)), (2, _words(60, 5)), (5, _words(40))):
        act = lambda w=words, k=k: _built(datasets, list(w), k)  # noqa: E731
        text = f"datasets of {len(words)} lines, block_size={k}"
        yield case(text, act, _RIGHT_SETS | {"block size": [k]})
    act = lambda: _unsaid(lambda *a: _spelled_sets(datasets, *a))  # noqa: E731
    yield case("datasets: block_size and seed where none is given", act, Said("42"))
    again = lambda: _seeds(lambda s: _spelled_sets(datasets, 3, s))  # noqa: E731
    yield case("datasets with seeds 1, 1 and 2", again, _SEEDED)
    act = lambda: _in_order(split_words, datasets)  # noqa: E731
    yield case("datasets and split_words of 50 names, seed 7", act, _ORDER)
    act = lambda: _global_dice(lambda: split_words(list(_words(50)), 7))  # noqa: E731
    yield case("the dice that all programs share", act, Said("untouched"))


def _right_split(words: list[str], seed: int = 42) -> tuple[list[str], ...]:
    return _given().split_words(words, seed)


def _right_is_split(words: list[str], *piles: list[str]) -> bool:
    return sorted(words) == sorted(word for pile in piles for word in pile)


def _right_datasets(words, stoi, block_size=3, seed=42):
    module = _given()
    piles = module.split_words(words, seed)
    return [module.build_dataset(pile, stoi, block_size) for pile in piles]


def _dataset_of(split: Callable) -> Callable:
    def datasets(words, stoi, block_size=3, seed=42):
        piles = split(words, seed)
        return [_given().build_dataset(pile, stoi, block_size) for pile in piles]

    return datasets


def _thirds(shuffled: list[str]) -> tuple[list[str], list[str], list[str]]:
    a, b = int(0.8 * len(shuffled)), int(0.9 * len(shuffled))
    return shuffled[:a], shuffled[a:b], shuffled[b:]


def _mixed(words: list[str], seed: int | None) -> list[str]:
    copied = list(words)
    random.Random(seed).shuffle(copied)
    return copied


def _mixed_by_all(words: list[str], seed: int) -> list[str]:
    copied = list(words)
    random.seed(seed)
    random.shuffle(copied)
    return copied


def _shuffled_in_place(words, seed=42):
    random.Random(seed).shuffle(words)
    return _thirds(words)


def _overlapping(words, seed=42):
    shuffled = _mixed(words, seed)
    a, b = int(0.8 * len(words)), int(0.9 * len(words))
    return shuffled[:a], shuffled[a:], shuffled[b:]


def _drawn_apart(words, seed=42):
    rng = random.Random(seed)
    n = len(words)
    shares = (int(0.8 * n), int(0.9 * n) - int(0.8 * n), n - int(0.9 * n))
    return tuple(rng.sample(words, share) for share in shares)


_SPLITTERS: dict[str, tuple[str, Callable]] = {
    "not shuffled": (
        "The list is cut as it stands, and its order means something: shuffle first.",
        lambda words, seed=42: _thirds(words),
    ),
    "shuffled in place": (
        "The caller's list is shuffled: copy it first, or each run cuts another way.",
        _shuffled_in_place,
    ),
    "no seed": (
        "Without the seed every run cuts another way, and dev names leak into train.",
        lambda words, seed=42: _thirds(_mixed(words, None)),
    ),
    "one seed for ever": (
        "The seed that is passed in is not used.",
        lambda words, seed=42: _thirds(_mixed(words, 42)),
    ),
    "overlapping": (
        "Dev ends where test begins: the piles overlap.",
        _overlapping,
    ),
    "drawn apart": (
        "Some names are used twice and others are lost: cut one shuffled list.",
        _drawn_apart,
    ),
    "everybody's dice": (
        "random.seed sets the dice of the whole program: use random.Random(seed).",
        lambda words, seed=42: _thirds(_mixed_by_all(words, seed)),
    ),
    "repeats lost": (
        "A set forgets that some names stand in the list twice.",
        lambda words, seed=42: _thirds(_mixed(sorted(set(words)), seed)),
    ),
    "two piles": (
        "Three piles are wanted: train, dev and test.",
        lambda words, seed=42: (
            _mixed(words, seed)[: int(0.8 * len(words))],
            _mixed(words, seed)[int(0.8 * len(words)) :],
        ),
    ),
}


def _put_splitter(name: str, sentence: str, wrong: Callable) -> None:
    def alone() -> Iterator[tuple[Callable, Callable, Callable]]:
        yield wrong, _right_is_split, _right_datasets

    @splits.mistake(name, sentence, True, lambda make: alone())
    def _():
        return wrong, _right_is_split, _dataset_of(wrong)


for _name, (_sentence, _wrong) in _SPLITTERS.items():
    _put_splitter(_name, _sentence, _wrong)


def _no_name_twice(words, *piles):
    sets = [set(pile) for pile in piles]
    shared = any(one & two for i, one in enumerate(sets) for two in sets[:i])
    return not shared and set(words) == set().union(*sets)


_LEAK_TESTS: dict[str, tuple[str, Callable]] = {
    "repeats taken for a leak": (
        "A name that the list has twice may be in two piles: count, use no sets.",
        _no_name_twice,
    ),
    "only counted": (
        "The right number of names is not the right names.",
        lambda words, *piles: len(words) == sum(map(len, piles)),
    ),
    "as sets": (
        "Sets cannot see a name that is used twice, or lost once.",
        lambda words, *piles: set(words) == set().union(*map(set, piles)),
    ),
    "in order": (
        "The piles are shuffled: compare without regard to order.",
        lambda words, *piles: words == [word for pile in piles for word in pile],
    ),
    "only lost names": (
        "All names are there, but one that is used twice goes unseen.",
        lambda words, *piles: (
            not Counter(words) - sum((Counter(pile) for pile in piles), Counter())
        ),
    ),
}
for _name, (_sentence, _wrong) in _LEAK_TESTS.items():
    splits.mistake(_name, _sentence, True)(
        lambda wrong=_wrong: (_right_split, wrong, _right_datasets)
    )


def _pairs_shuffled(words, stoi, block_size=3, seed=42):
    X, Y = _given().build_dataset(words, stoi, block_size)
    order = torch.randperm(len(X), generator=seeded(seed))
    a, b = int(0.8 * len(X)), int(0.9 * len(X))
    return [(X[ix], Y[ix]) for ix in (order[:a], order[a:b], order[b:])]


_SET_MAKERS: dict[str, tuple[str, Callable]] = {
    "pairs shuffled": (
        "Pairs are shuffled, not names: pieces of one name land in train and in dev.",
        _pairs_shuffled,
    ),
    "block size not passed on": (
        "block_size does not reach build_dataset.",
        lambda words, stoi, block_size=3, seed=42: _right_datasets(
            words, stoi, 3, seed
        ),
    ),
    "seed not passed on": (
        "The seed does not reach split_words.",
        lambda words, stoi, block_size=3, seed=42: _right_datasets(
            words, stoi, block_size
        ),
    ),
    "dev and test exchanged": (
        "The piles come in the order train, dev, test.",
        lambda words, stoi, block_size=3, seed=42: [
            _right_datasets(words, stoi, block_size, seed)[i] for i in (0, 2, 1)
        ],
    ),
}
for _name, (_sentence, _wrong) in _SET_MAKERS.items():
    splits.mistake(_name, _sentence, True)(
        lambda wrong=_wrong: (_right_split, _right_is_split, wrong)
    )


# ---------------------------------------------------------------- embed


class _Calls(TorchFunctionMode):
    """Notes the torch functions that are called, and with what."""

    def __init__(self) -> None:
        super().__init__()
        self.called: list[tuple[str, tuple]] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", str(func))
        self.called.append((name, args))
        return func(*args, **(kwargs or {}))


_LOOKS_UP = {"__getitem__", "index_select", "embedding", "take", "gather", "unbind"}


def _looked_up(function: Callable, C: Tensor, X: Tensor) -> Said:
    """Whether rows of C are looked up, or C is multiplied."""
    with _Calls() as calls:
        function(C, X)
    used = any(
        name in _LOOKS_UP and any(one is C for one in args)
        for name, args in calls.called
    )
    return either(used, "looked up", "multiplied")


def _table(rows: int, width: int, seed: int) -> Tensor:
    return torch.randn(rows, width, generator=seeded(seed))


def _embed_case(
    function: Callable, name: str, C: Tensor, X: Tensor, **options: Any
) -> Case:
    text = f"{name}(C, X), C {tuple(C.shape)}, X {tuple(X.shape)}"
    if X.numel() <= 6:
        text += f" = {X.tolist()}"
    want = torch.nn.Embedding.from_pretrained(C)(X)
    act = lambda: function(C.clone(), X.clone())  # noqa: E731
    return case(text, act, want, within=FLOAT32, **options)


def _table_slopes(function: Callable) -> Any:
    """The gradient of C, where a letter occurs twice."""
    C = _table(4, 2, 3).requires_grad_()
    out = function(C, torch.tensor([[1, 3], [1, 0]]))
    if not isinstance(out, Tensor) or not out.requires_grad:
        return Said("no gradient reaches C")
    weights = torch.arange(8.0).view(2, 2, 2)
    (out * weights).sum().backward()
    return C.grad


_SLOPES = torch.tensor([[6.0, 7.0], [4.0, 6.0], [0.0, 0.0], [2.0, 3.0]])


@exercise("mlp.embed", version=2)
def embed(embed: Callable, embed_one_hot: Callable) -> Cases:
    both = ((embed, "embed"), (embed_one_hot, "embed_one_hot"))
    small, C = torch.arange(8.0).view(4, 2), _table(27, 5, 1)
    double, one = _table(6, 3, 2).double(), torch.tensor([2, 5])
    for function, name in both:
        yield _embed_case(function, name, small, torch.tensor([1, 3, 1]))
        yield _embed_case(function, name, small, torch.tensor([0, 2]))
        for at, shape in enumerate([(6, 3), (2, 3, 4), (), (7, 1)]):
            X = torch.randint(0, 20, shape, generator=seeded(at))
            yield _embed_case(function, name, C, X)
        yield _embed_case(function, f"float64: {name}", double, one)
        act = lambda f=function: _table_slopes(f)  # noqa: E731
        yield case(f"{name}: the gradient of C, a letter twice", act, _SLOPES)
    places, seed = torch.tensor([[1, 2], [0, 1]]), new_seed()
    act = lambda: _looked_up(embed_one_hot, small, places)  # noqa: E731
    yield case("embed_one_hot: the rows of C are", act, Said("multiplied"))
    for function, name in both:
        C, X = _table(9, 4, seed), torch.randint(0, 9, (5, 2), generator=seeded(seed))
        yield _embed_case(function, name, C, X, fresh=True)


def _right_embed(C: Tensor, X: Tensor) -> Tensor:
    return C[X]


def _right_one_hot(C: Tensor, X: Tensor) -> Tensor:
    return F.one_hot(X, len(C)).to(C.dtype) @ C


_EMBEDS: dict[str, tuple[str, Callable, Callable]] = {
    "columns": (
        "Columns are picked: a letter is a row of C.",
        lambda C, X: C[:, X],
        _right_one_hot,
    ),
    "flattened": (
        "The letters are laid side by side already: keep the shape of X.",
        lambda C, X: C[X].view(len(X), -1),
        lambda C, X: _right_one_hot(C, X).view(len(X), -1),
    ),
    "summed": (
        "The letters of a context are added up: each keeps its own vector.",
        lambda C, X: C[X].sum(-2),
        lambda C, X: F.one_hot(X, len(C)).to(C.dtype).sum(-2) @ C,
    ),
    "classes guessed": (
        "one_hot guesses the number of classes from X: it is len(C).",
        _right_embed,
        lambda C, X: F.one_hot(X).to(C.dtype) @ C,
    ),
    "whole numbers": (
        "one_hot gives whole numbers, and C has floats: bring them to one dtype.",
        _right_embed,
        lambda C, X: F.one_hot(X, len(C)) @ C,
    ),
    "as wide as the vectors": (
        "The number of classes is the height of C, not its width.",
        _right_embed,
        lambda C, X: F.one_hot(X, C.shape[1]).to(C.dtype) @ C,
    ),
    "cut off": (
        "A detached table learns nothing: no gradient reaches C.",
        lambda C, X: C.detach()[X],
        lambda C, X: _right_one_hot(C.detach(), X),
    ),
    "single precision": (
        "The one-hot vectors take the dtype of C, which need not be float32.",
        _right_embed,
        lambda C, X: F.one_hot(X, len(C)).float() @ C,
    ),
    "looked up twice": (
        "The second form is to multiply, and looks up as the first one does.",
        _right_embed,
        _right_embed,
    ),
}


# the same slip together with that of single precision
_IN_FLOATS: dict[str, Callable] = {
    "classes guessed": lambda C, X: F.one_hot(X).float() @ C,
    "as wide as the vectors": lambda C, X: F.one_hot(X, C.shape[1]).float() @ C,
}


def _put_embed(name: str, sentence: str, one: Callable, two: Callable) -> None:
    def halves() -> Iterator[tuple[Callable, Callable]]:
        if one is not _right_embed and two is not _right_one_hot:
            yield one, _right_one_hot
            yield _right_embed, two
        if name in _IN_FLOATS:
            yield _right_embed, _IN_FLOATS[name]

    @embed.mistake(name, sentence, True, lambda make: halves())
    def _():
        return one, two


for _name, _parts in _EMBEDS.items():
    _put_embed(_name, *_parts)


# ---------------------------------------------------------------- hidden


def _laid_out(function: Callable, shape: tuple[int, int, int]) -> Any:
    """The numbers side by side, and whether they were moved for it."""
    emb = torch.arange(float(math.prod(shape))).view(shape)
    out = function(emb)
    if not isinstance(out, Tensor):
        return otherwise(out, "returned")
    same = out.untyped_storage().data_ptr() == emb.untyped_storage().data_ptr()
    storage = either(same, "that of emb", "its own")
    return _returned("a tensor") | {"numbers": out, "storage": storage}


def _layout_case(function: Callable, name: str, shape: tuple[int, int, int]) -> Case:
    N, k, d = shape
    numbers = torch.arange(float(N * k * d)).reshape(N, k * d)
    storage = "that of emb" if name == "by_view" else "its own"
    want = _returned("a tensor") | {"numbers": numbers, "storage": Said(storage)}
    return case(f"{name}(emb), emb {shape}", lambda: _laid_out(function, shape), want)


_SIZES = {"vocab_size": 7, "block_size": 4, "embedding": 3, "hidden": 5}


def _weights(seed: int = 4, **sizes: int) -> dict[str, Tensor]:
    """Weights of the five tensors, by the name that the class gives them."""
    V, k, d, H = (sizes[name] for name in _SIZES)
    shapes = {"C": (V, d), "W1": (k * d, H), "b1": (H,), "W2": (H, V), "b2": (V,)}
    g = seeded(seed)
    return {n: torch.randn(*shape, generator=g) / 2 for n, shape in shapes.items()}


def _slow_logits(weights: dict[str, Tensor], X: Tensor) -> Tensor:
    """Example by example, unit by unit, in double precision."""
    C, W1, b1, W2, b2 = (t.double() for t in weights.values())
    rows = []
    for context in X.tolist():
        x = torch.cat([C[i] for i in context])
        h = torch.stack([torch.tanh(x @ W1[:, j] + b1[j]) for j in range(len(b1))])
        rows.append(torch.stack([h @ W2[:, v] + b2[v] for v in range(len(b2))]))
    return torch.stack(rows).float()


def _model(MLP: type, seed: int, **sizes: int) -> Any:
    """A model of the class with known weights."""
    model = MLP(**sizes)
    for name, t in _weights(seed, **sizes).items():
        getattr(model, name).data = t.clone()
    return model


def _contexts(N: int, seed: int, **sizes: int) -> Tensor:
    shape = N, sizes["block_size"]
    return torch.randint(0, sizes["vocab_size"], shape, generator=seeded(seed))


def _logits_case(
    MLP: type, N: int, seed: int, sizes: dict[str, int], **more: Any
) -> Case:
    X = _contexts(N, seed, **sizes)
    want = _slow_logits(_weights(seed, **sizes), X)
    words = ", ".join(f"{name}={size}" for name, size in sizes.items())
    act = lambda: _model(MLP, seed, **sizes)(X)  # noqa: E731
    return case(f"MLP({words}) of {N} contexts", act, want, within=FLOAT32, **more)


def _counted(MLP: type, **sizes: int) -> Any:
    found = MLP(**sizes).parameters()
    if type(found) not in (list, tuple):
        return otherwise(found, "returned")
    tensors = [p for p in found if isinstance(p, Tensor)]
    return _returned("a list") | {
        "tensors": len({id(p) for p in found}),
        "numbers": sum(p.numel() for p in tensors),
        "leaves with a gradient": sum(p.is_leaf and p.requires_grad for p in tensors),
    }


def _shapes(MLP: type) -> dict[str, Any]:
    """The sizes of a new model, as its sizes are named."""
    model = MLP(**_SIZES, generator=seeded(1))
    found = {name: list(getattr(model, name).shape) for name in _weights(1, **_SIZES)}
    return {"block_size": getattr(model, "block_size", Said("missing"))} | found


def _shapes_of(**sizes: int) -> dict[str, Any]:
    found = {name: list(t.shape) for name, t in _weights(1, **sizes).items()}
    return {"block_size": sizes["block_size"]} | found


def _reached(MLP: type) -> dict[str, Said]:
    """Which of the five tensors receive a gradient."""
    model = _model(MLP, 2, **_SIZES)
    X = _contexts(6, 2, **_SIZES)
    F.cross_entropy(model(X), torch.arange(6)).backward()
    names = ("C", "W1", "b1", "W2", "b2")
    got = {name: getattr(model, name).grad for name in names}
    return {
        name: either(g is not None and bool(g.abs().sum() > 0), "a gradient", "none")
        for name, g in got.items()
    }


@exercise("mlp.hidden")
def hidden(by_view: Callable, by_cat: Callable, MLP: type) -> Cases:
    for function, name in ((by_view, "by_view"), (by_cat, "by_cat")):
        for shape in ((4, 3, 2), (7, 2, 5), (1, 3, 4), (5, 1, 3)):
            yield _layout_case(function, name, shape)
    for N, sizes in (
        (9, _SIZES),
        (5, {"vocab_size": 6, "block_size": 2, "embedding": 4, "hidden": 5}),
        (1, {"vocab_size": 4, "block_size": 3, "embedding": 1, "hidden": 8}),
    ):
        yield _logits_case(MLP, N, 3, sizes)
    lecture = _returned("a list") | {
        "tensors": 5,
        "numbers": 11897,
        "leaves with a gradient": 5,
    }
    yield case("MLP().parameters()", lambda: _counted(MLP), lecture)
    own = _returned("a list") | {
        "tensors": 5,
        "numbers": 128,
        "leaves with a gradient": 5,
    }
    text = "MLP of 7 letters, 4 of context, embedding 3, hidden 5: parameters()"
    yield case(text, lambda: _counted(MLP, **_SIZES), own)
    yield case("the shapes of that MLP", lambda: _shapes(MLP), _shapes_of(**_SIZES))
    all_five = dict.fromkeys(("C", "W1", "b1", "W2", "b2"), Said("a gradient"))
    yield case("after loss.backward()", lambda: _reached(MLP), all_five)
    yield _logits_case(MLP, 8, new_seed(), _SIZES, fresh=True)


def _right_view(emb: Tensor) -> Tensor:
    return emb.view(len(emb), -1)


def _right_cat(emb: Tensor) -> Tensor:
    return torch.cat(torch.unbind(emb, 1), 1)


_LAYOUTS: dict[str, tuple[str, Callable | None, Callable | None]] = {
    "a fixed batch": (
        "The number of rows is written into the view: it is len(emb).",
        lambda emb: emb.view(4, -1),
        None,
    ),
    "a fixed width": (
        "The width is written into the view: let torch find it with -1.",
        lambda emb: emb.view(-1, 6),
        None,
    ),
    "examples mixed": (
        "The letters go first, so that a row holds numbers of several examples.",
        lambda emb: emb.permute(1, 0, 2).reshape(len(emb), -1),
        None,
    ),
    "turned": (
        "Each vector is taken apart: its numbers stay side by side.",
        lambda emb: emb.transpose(1, 2).reshape(len(emb), -1),
        None,
    ),
    "view that copies": (
        "by_view is to move no number: its result is a copy.",
        lambda emb: emb.clone().view(len(emb), -1),
        None,
    ),
    "one below the other": (
        "The letters are put below each other: concatenate along dimension 1.",
        None,
        lambda emb: torch.cat(torch.unbind(emb, 1), 0),
    ),
    "cat over the examples": (
        "The examples are taken apart: unbind dimension 1, the letters.",
        None,
        lambda emb: torch.cat(torch.unbind(emb, 0), 1),
    ),
    "cat that views": (
        "by_cat is to make a copy with torch.cat: its result is a view.",
        None,
        _right_view,
    ),
    "stacked": (
        "stack makes a new dimension: cat puts the letters side by side.",
        None,
        lambda emb: torch.stack(torch.unbind(emb, 1), 1),
    ),
}


# the same slip in other numbers, or in the model in place of the function
_ALSO: dict[str, list[Callable]] = {
    "a fixed batch": [lambda emb: emb.view(6, -1), lambda emb: emb.view(32, -1)],
    "a fixed width": [lambda emb: emb.view(-1, 30)],
}


def _put_layout(name: str, sentence: str, view: Any, cat: Any) -> None:
    def others() -> Iterator[tuple[Callable, Callable, type]]:
        for other in _ALSO.get(name, ()):
            yield other, _right_cat, _given().MLP
        if name == "examples mixed":
            yield _right_view, _right_cat, _with_method("__call__", _letters_mixed)

    @hidden.mistake(name, sentence, True, lambda make: others())
    def _():
        return view or _right_view, cat or _right_cat, _given().MLP


def _with_method(method: str, wrong: Callable) -> type:
    MLP = _given().MLP
    setattr(MLP, method, wrong)
    return MLP


def _letters_mixed(self: Any, X: Tensor) -> Tensor:
    x = self.C[X].permute(1, 0, 2).reshape(len(X), -1)
    return torch.tanh(x @ self.W1 + self.b1) @ self.W2 + self.b2


for _name, _parts in _LAYOUTS.items():
    _put_layout(_name, *_parts)


def _x(self: Any, X: Tensor) -> Tensor:
    return self.C[X].view(len(X), -1)


def _scores_of(self: Any, X: Tensor) -> Tensor:
    return torch.tanh(_x(self, X) @ self.W1 + self.b1) @ self.W2 + self.b2


_FORWARDS: dict[str, tuple[str, Callable]] = {
    "bias as a column": (
        "A bias of shape (H, 1) is spread over rows: keep it (H,).",
        lambda self, X: (
            torch.tanh(_x(self, X) @ self.W1 + self.b1.view(-1, 1)) @ self.W2 + self.b2
        ),
    ),
    "no tanh": (
        "The hidden layer is not squashed: two linear layers are one.",
        lambda self, X: (_x(self, X) @ self.W1 + self.b1) @ self.W2 + self.b2,
    ),
    "bias outside": (
        "The first bias belongs inside the tanh.",
        lambda self, X: (
            (torch.tanh(_x(self, X) @ self.W1) + self.b1) @ self.W2 + self.b2
        ),
    ),
    "no first bias": (
        "The hidden layer's bias is not added.",
        lambda self, X: torch.tanh(_x(self, X) @ self.W1) @ self.W2 + self.b2,
    ),
    "no last bias": (
        "The output layer's bias is not added.",
        lambda self, X: torch.tanh(_x(self, X) @ self.W1 + self.b1) @ self.W2,
    ),
    "logits squashed": (
        "The logits are squashed too: a score may be any number.",
        lambda self, X: torch.tanh(_scores_of(self, X)),
    ),
    "probabilities": (
        "The model returns probabilities: return the logits.",
        lambda self, X: F.softmax(_scores_of(self, X), 1),
    ),
    "relu": (
        "The hidden layer is squashed by tanh here.",
        lambda self, X: torch.relu(_x(self, X) @ self.W1 + self.b1) @ self.W2 + self.b2,
    ),
}

_LISTS: dict[str, tuple[str, Callable]] = {
    "table forgotten": (
        "The embedding table learns as well: parameters() leaves out C.",
        lambda self: [self.W1, self.b1, self.W2, self.b2],
    ),
    "biases forgotten": (
        "parameters() leaves out the biases.",
        lambda self: [self.C, self.W1, self.W2],
    ),
    "counted, not listed": (
        "parameters() gives the tensors, not how many numbers they hold.",
        lambda self: sum(
            p.numel() for p in (self.C, self.W1, self.b1, self.W2, self.b2)
        ),
    ),
}


def _put_method(method: str, name: str, sentence: str, wrong: Callable) -> None:
    @hidden.mistake(name, sentence, True)
    def _():
        return _right_view, _right_cat, _with_method(method, wrong)


for _method, _wrongs in (("__call__", _FORWARDS), ("parameters", _LISTS)):
    for _name, (_sentence, _wrong) in _wrongs.items():
        _put_method(_method, _name, _sentence, _wrong)


# ---------------------------------------------------------------- cross_entropy


def _slow_loss(logits: list[list[float]], targets: list[int]) -> float:
    """Row by row in plain numbers."""
    total = 0.0
    for row, target in zip(logits, targets, strict=True):
        largest = max(row)
        total += largest - row[target]
        total += math.log(math.fsum(math.exp(z - largest) for z in row))
    return total / len(targets)


def _scores(N: int, V: int, seed: int) -> Data:
    logits = torch.randn(N, V, generator=seeded(seed), dtype=torch.float64) * 3
    return logits, torch.randint(0, V, (N,), generator=seeded(seed + 1))


def _loss_case(
    function: Callable, text: str, logits: Tensor, Y: Tensor, **more: Any
) -> Case:
    want = torch.tensor(_slow_loss(logits.tolist(), Y.tolist()), dtype=torch.float64)
    act = lambda: function(logits.clone(), Y.clone())  # noqa: E731
    return case(text, act, want, **more)


def _loss_slopes(function: Callable, logits: Tensor, Y: Tensor) -> Any:
    scores = logits.clone().requires_grad_()
    out = function(scores, Y.clone())
    if not isinstance(out, Tensor) or not out.requires_grad:
        return Said("no gradient reaches the logits")
    out.backward()
    return scores.grad


def _by_itself(function: Callable) -> Said:
    """Whether the loss was built, or taken ready-made."""
    with _Calls() as calls:
        function(*_scores(3, 4, 5))
    names = {name for name, _ in calls.called}
    ready = {"cross_entropy", "nll_loss", "cross_entropy_loss"} & names
    return either(not ready, "built from its parts", "taken from torch")


_BIG = torch.tensor([[1000.0, 999.0, -1000.0], [-1000.0, 0.0, 1000.0]]).double()
_APART = torch.tensor([[-2000.0, -2001.0], [1000.0, 1000.0]]).double()


@exercise("mlp.cross_entropy")
def cross_entropy(cross_entropy: Callable) -> Cases:
    shown = torch.tensor([[0.0, 3.0, -2.0, 1.0]], dtype=torch.float64)
    text = "logits [[0, 3, -2, 1]], Y [3]"
    yield _loss_case(cross_entropy, text, shown, torch.tensor([3]))
    for N, V, seed in ((5, 7, 1), (6, 6, 2), (9, 4, 3)):
        pair = _scores(N, V, seed)
        yield _loss_case(cross_entropy, f"random logits ({N}, {V})", *pair)
    scores = _scores(4, 5, 7)
    slopes = (F.softmax(scores[0], 1) - F.one_hot(scores[1], 5)) / 4
    act = lambda: _loss_slopes(cross_entropy, *scores)  # noqa: E731
    yield case("the gradient of random logits (4, 5)", act, slopes)
    for Y in (torch.tensor([1, 2]), torch.tensor([2, 0])):
        text = f"logits {_BIG.tolist()}, Y {Y.tolist()}"
        yield _loss_case(cross_entropy, text, _BIG, Y)
    text = f"logits {_APART.tolist()}, Y [1, 0]"
    yield _loss_case(cross_entropy, text, _APART, torch.tensor([1, 0]))
    single = shown.float().repeat(2, 1)
    act = lambda: cross_entropy(single.clone(), torch.tensor([0, 1])).dtype  # noqa: E731
    yield case("the dtype for float32 logits", act, torch.float32)
    act = lambda: _by_itself(cross_entropy)  # noqa: E731
    yield case("the loss is", act, Said("built from its parts"))
    new = _scores(8, 6, new_seed())
    yield _loss_case(cross_entropy, "new logits (8, 6)", *new, fresh=True)


def _logp(logits: Tensor) -> Tensor:
    shifted = logits - logits.max(1, keepdim=True).values
    return shifted - shifted.exp().sum(1, keepdim=True).log()


def _at(table: Tensor, Y: Tensor) -> Tensor:
    return table[torch.arange(len(Y)), Y]


def _plain_softmax(logits: Tensor) -> Tensor:
    counts = logits.exp()
    return counts / counts.sum(1, keepdim=True)


def _no_keepdim(logits: Tensor, Y: Tensor) -> Tensor:
    counts = (logits - logits.max(1, keepdim=True).values).exp()
    return -_at(counts / counts.sum(1), Y).log().mean()


def _softmax_again(logits: Tensor, Y: Tensor) -> Tensor:
    return -_at(_logp(F.softmax(logits, 1)), Y).mean()


def _shifted_by_all(logits: Tensor, Y: Tensor) -> Tensor:
    return -_at(_plain_softmax(logits - logits.max()), Y).log().mean()


def _in_logs(shifted: Tensor, Y: Tensor) -> Tensor:
    return (shifted.exp().sum(1).log() - _at(shifted, Y)).mean()


def _through_odds(shifted: Tensor, Y: Tensor) -> Tensor:
    return -_at(_plain_softmax(shifted), Y).log().mean()


_LOSSES: dict[str, tuple[str, Callable]] = {
    "max without keepdim": (
        "max(1) has the shape (N,), which meets the columns: keepdim=True is missing.",
        lambda logits, Y: _in_logs(logits - logits.max(1).values, Y),
    ),
    "max is a pair": (
        "max along a dimension gives values and indices: take .values.",
        lambda logits, Y: _in_logs(logits - logits.max(1, keepdim=True), Y),
    ),
    "overflows": (
        "e to the 1000 is infinite: subtract each row's largest score first.",
        lambda logits, Y: -_at(_plain_softmax(logits), Y).log().mean(),
    ),
    "underflows": (
        "A probability that is rounded to 0 has no logarithm: stay in logarithms.",
        lambda logits, Y: -_at(F.softmax(logits, 1), Y).log().mean(),
    ),
    "shifted by the whole batch": (
        "The shift is the largest score of each row, not of the batch.",
        _shifted_by_all,
    ),
    "over the batch": (
        "The softmax goes down the batch: it belongs along each row.",
        lambda logits, Y: -_at(F.log_softmax(logits, 0), Y).mean(),
    ),
    "no keepdim": (
        "Without keepdim the sums of the rows divide the columns.",
        _no_keepdim,
    ),
    "softmax twice": (
        "A second softmax flattens the first: logits go in, not probabilities.",
        _softmax_again,
    ),
    "summed": (
        "The losses are summed: the mean does not grow with the batch.",
        lambda logits, Y: -_at(_logp(logits), Y).sum(),
    ),
    "not negated": (
        "The log likelihood is not negated.",
        lambda logits, Y: _at(_logp(logits), Y).mean(),
    ),
    "no logarithm": (
        "The loss is -log p, not -p.",
        lambda logits, Y: -_at(_logp(logits).exp(), Y).mean(),
    ),
    "all rows for each target": (
        "logp[:, Y] takes every target for every row: pair them with arange.",
        lambda logits, Y: -_logp(logits)[:, Y].mean(),
    ),
    "all letters": (
        "Only the target's probability counts.",
        lambda logits, Y: -_logp(logits).mean(),
    ),
    "a bit added": (
        "A number added inside the logarithm hides infinity, and the loss is wrong.",
        lambda logits, Y: -(_at(F.softmax(logits, 1), Y) + 1e-9).log().mean(),
    ),
    "base two": (
        "The logarithm is the natural one.",
        lambda logits, Y: -_at(_logp(logits), Y).mean() / math.log(2),
    ),
    "cut off": (
        "A plain number has no way back: return the tensor.",
        lambda logits, Y: -_at(_logp(logits), Y).mean().item(),
    ),
    "ready-made": (
        "F.cross_entropy is the judge: build the loss from exp, sum and log.",
        lambda logits, Y: F.cross_entropy(logits, Y),
    ),
}
# the same slip, on the other way to the loss
_OTHER_LOSSES: dict[str, Callable] = {
    "max without keepdim": lambda z, Y: _through_odds(z - z.max(1).values, Y),
    "shifted by the whole batch": lambda z, Y: _in_logs(z - z.max(), Y),
    "overflows": _in_logs,
}


def _put_loss(name: str, sentence: str, wrong: Callable) -> None:
    def others(make: Callable) -> Iterator[tuple[Callable]]:
        if name in _OTHER_LOSSES:
            yield (_OTHER_LOSSES[name],)

    cross_entropy.mistake(name, sentence, False, others)(wrong)


for _name, (_sentence, _wrong) in _LOSSES.items():
    _put_loss(_name, _sentence, _wrong)


# ---------------------------------------------------------------- models that watch


class _Watched:
    """A small network in double precision that notes what it is asked.

    `notes` holds, for each pass, the contexts, whether a way back was recorded, and
    the weights at that moment.
    """

    block_size = 3

    def __init__(self, vocab: int = 6, seed: int = 1, last: float = 1.0) -> None:
        g = seeded(seed)
        shapes = ((vocab, 2), (2 * self.block_size, 4), (4,), (4, vocab), (vocab,))
        self.weights = [
            torch.randn(*s, generator=g, dtype=torch.float64).div(2) for s in shapes
        ]
        self.weights[3] *= last  # the larger W2, the larger the gradients below it
        for p in self.weights:
            p.requires_grad_()
        self.notes: list[tuple[Tensor, bool, list[Tensor]]] = []

    def parameters(self) -> list[Tensor]:
        return self.weights

    def __call__(self, X: Tensor) -> Tensor:
        now = [p.detach().clone() for p in self.weights]
        out = _forward(self.weights, X)
        self.notes.append((X.detach().clone(), out.requires_grad, now))
        return out


def _forward(weights: list[Tensor], X: Tensor) -> Tensor:
    C, W1, b1, W2, b2 = weights
    return torch.tanh(C[X].reshape(len(X), -1) @ W1 + b1) @ W2 + b2


@cache
def _rows(N: int, first: int = 0, vocab: int = 6) -> Data:
    """Different contexts, so that each one tells its place; targets in no order."""
    X = [[i // vocab**2 % vocab, i // vocab % vocab, i % vocab] for i in range(N)]
    X = torch.tensor(X) if not first else torch.tensor(_later(N, first, vocab))
    return X, torch.randint(0, vocab, (N,), generator=seeded(11 + first))


def _later(N: int, first: int, vocab: int) -> list[list[int]]:
    places = range(first, first + N)
    return [[i // vocab**2 % vocab, i // vocab % vocab, i % vocab] for i in places]


def _places(batch: Tensor, X: Tensor) -> list[int] | None:
    """The places of a batch's contexts in the data; None where one is not there."""
    known = {tuple(row): i for i, row in enumerate(X.tolist())}
    if batch.ndim != 2:
        return None
    found = [known.get(tuple(row), -1) for row in batch.tolist()]
    return None if -1 in found else found


def _redone(
    weights: list[Tensor], X: Tensor, Y: Tensor, loss: Callable = F.cross_entropy
) -> tuple[float, list[Tensor]]:
    """The loss and its gradients at some weights."""
    again = [p.clone().requires_grad_() for p in weights]
    value = loss(_forward(again, X), Y)
    value.backward()
    return value.item(), [p.grad for p in again]


def _close(one: list[Tensor], two: list[Tensor]) -> bool:
    return all(
        torch.allclose(a, b, rtol=1e-7, atol=1e-10)
        for a, b in zip(one, two, strict=True)
    )


_OLD = 0.5  # the gradient that a parameter has before the step


def _moved(
    before: list[Tensor], after: list[Tensor], slopes: list[Tensor], lr: float
) -> Said:
    """In words, how the weights moved."""
    steps = {
        "downhill by lr times the gradient": [-lr * s for s in slopes],
        "not at all": [s * 0 for s in slopes],
        "uphill": [lr * s for s in slopes],
        "with the old gradients added": [-lr * (s + _OLD) for s in slopes],
        "by the whole gradient, without lr": [-s for s in slopes],
    }
    for said, step in steps.items():
        if _close(after, [b + s for b, s in zip(before, step, strict=True)]):
            return Said(said)
    return either(_parallel(before, after, slopes), "by another rate", "otherwise")


def _parallel(before: list[Tensor], after: list[Tensor], slopes: list[Tensor]) -> bool:
    """Whether the weights moved along the gradient, however far."""
    pairs = zip(after, before, strict=True)
    step = torch.cat([(a - b).flatten() for a, b in pairs])
    slope = torch.cat([s.flatten() for s in slopes])
    along = slope * (step @ slope) / (slope @ slope)
    return torch.allclose(step, along, rtol=1e-6, atol=1e-10)


_DOWN = Said("downhill by lr times the gradient")


def _told_loss(
    value: Any, weights: list[Tensor], X: Tensor, Y: Tensor, first: Tensor
) -> Said:
    """In words, what a number that was returned is the loss of."""
    if type(value) is not float:
        return Said(_what(value))
    own, _ = _redone(weights, X, Y)
    other = _redone(weights, X, first)[0] if len(first) == len(X) else math.nan
    again, _ = _redone(weights, X, Y, lambda z, y: F.cross_entropy(F.softmax(z, 1), y))
    for said, loss in (
        ("that of the batch", own),
        ("that of probabilities taken for logits", again),
        ("that of the batch, summed", own * len(X)),
        ("that of the first targets", other),
        ("minus that of the batch", -own),
    ):
        if abs(value - loss) < 1e-6:
            return Said(said)
    return Said("another number")


# ---------------------------------------------------------------- minibatch_step


def _one_step(
    minibatch_step: Callable, lr: float, size: int, seed: int, last: float = 1.0
) -> Any:
    """What one step did, done again with the batch that the model was asked for."""
    X, Y = _rows(23)
    model = _Watched(seed=seed, last=last)
    for p in model.parameters():
        p.grad = torch.full_like(p, _OLD)
    tensors = [id(p) for p in model.parameters()]
    value = minibatch_step(model, X.clone(), Y.clone(), lr, size, seeded(seed))
    if value is None or value is ... or not model.notes:
        return otherwise(value, "returned")
    batch, _, before = model.notes[0]
    places = _places(batch, X)
    if places is None:
        return {"the batch": Said("not rows of X")}
    after = [p.detach().clone() for p in model.parameters()]
    _, slopes = _redone(before, batch, Y[places])
    return {
        "forward passes": sum(note[1] for note in model.notes),
        "rows in the batch": len(places),
        "loss": _told_loss(value, before, batch, Y[places], Y[: len(places)]),
        "weights moved": _moved(before, after, slopes, lr),
        "weights": either(
            tensors == [id(p) for p in model.parameters()],
            "the model's own",
            "new tensors",
        ),
    }


def _step_facts(size: int) -> dict[str, Any]:
    return {
        "forward passes": 1,
        "rows in the batch": size,
        "loss": Said("that of the batch"),
        "weights moved": _DOWN,
        "weights": Said("the model's own"),
    }


def _batches(minibatch_step: Callable, steps: int, seed: int) -> list[list[int] | None]:
    X, Y = _rows(23)
    model, g = _Watched(), seeded(seed)
    for _ in range(steps):
        minibatch_step(model, X, Y, 0.01, 5, g)
    return [_places(note[0], X) for note in model.notes]


def _drawing(minibatch_step: Callable) -> dict[str, Any]:
    """How the batches of many steps are drawn."""
    many = _batches(minibatch_step, 60, 1)
    seen = {i for batch in many for i in batch or ()}
    if len(set(map(str, many))) > 1 and all(map(_in_a_row, many)):
        return {"rows of a batch": Said("neighbours")}
    again, other = _batches(minibatch_step, 3, 1), _batches(minibatch_step, 3, 2)
    return {
        "the first batch": either(
            many[0] == [0, 1, 2, 3, 4], "the first rows", "drawn"
        ),
        "each step": either(
            len(set(map(str, many))) > 1, "a new batch", "the same one"
        ),
        "rows of a batch": Said("drawn each by itself"),
        "rows ever drawn": _all_but(set(range(len(_rows(23)[0]))) - seen),
        "with the same seed": either(again == many[:3], "the same batches", "others"),
        "with another seed": either(other != many[:3], "others", "the same batches"),
    }


def _in_a_row(batch: list[int] | None) -> bool:
    """Whether each row is the one behind the row before, the first behind the last."""
    batch = batch or []
    return all((b - a) % 23 == 1 for a, b in pairwise(batch))


def _all_but(missing: set[int]) -> Said:
    names = {frozenset(): "all", frozenset({22}): "all but the last"}
    names[frozenset({0})] = "all but the first"
    return Said(names.get(frozenset(missing), "few" if len(missing) > 5 else "not all"))


_DRAWN = {
    "the first batch": Said("drawn"),
    "each step": Said("a new batch"),
    "rows of a batch": Said("drawn each by itself"),
    "rows ever drawn": Said("all"),
    "with the same seed": Said("the same batches"),
    "with another seed": Said("others"),
}


def _by_default(minibatch_step: Callable) -> int:
    X, Y = _rows(40)
    model = _Watched()
    minibatch_step(model, X, Y, 0.1)
    return len(model.notes[0][0])


@exercise("mlp.minibatch_step", version=2)
def minibatch_step(minibatch_step: Callable) -> Cases:
    for lr, size, seed in ((0.1, 5, 1), (0.5, 8, 2), (0.03, 1, 3)):
        act = lambda a=(lr, size, seed): _one_step(minibatch_step, *a)  # noqa: E731
        text = f"a step of lr={lr}, batch_size={size} on 23 pairs"
        yield case(text, act, _step_facts(size))
    act = lambda: _one_step(minibatch_step, 0.01, 2, 4, 8.0)  # noqa: E731
    yield case("a step where gradients are large", act, _step_facts(2))
    yield case("60 steps on 23 pairs", lambda: _drawing(minibatch_step), _DRAWN)
    text = "rows in the batch, no batch_size given"
    yield case(text, lambda: _by_default(minibatch_step), 32)
    seed = new_seed()
    act = lambda: _one_step(minibatch_step, 0.07, 6, seed)  # noqa: E731
    yield case("a step on a new model", act, _step_facts(6), fresh=True)


def _fair(X: Tensor, size: int, g: Any) -> Tensor:
    return torch.randint(0, len(X), (size,), generator=g)


def _window(starts: int, size: int, g: Any) -> Tensor:
    return torch.randint(0, starts, (1,), generator=g) + torch.arange(size)


def _subtract(model: Any, lr: float) -> None:
    for p in model.parameters():
        p.data -= lr * p.grad


def _rebind(model: Any, lr: float) -> None:
    for p in model.parameters():
        p = p - lr * p.grad


def _stepper(
    draw: Callable = _fair,
    own: Callable = lambda Y, ix, g: Y[ix],
    zero: bool = True,
    loss: Callable = F.cross_entropy,
    update: Callable = _subtract,
    out: Callable = lambda loss: loss.item(),
) -> Callable:
    """minibatch_step with one thing done otherwise."""

    def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
        ix = draw(X, batch_size, generator)
        value = loss(model(X[ix]), own(Y, ix, generator))
        for p in model.parameters() if zero else ():
            p.grad = None
        value.backward()
        update(model, lr)
        return out(value)

    return minibatch_step


_right_step = _stepper()

_STEPPERS: dict[str, tuple[str, dict[str, Any]]] = {
    "one batch for ever": (
        "The same batch comes each time: draw new indices in every step.",
        {"draw": lambda X, size, g: _fair(X, size, seeded(42))},
    ),
    "first rows": (
        "The batch is the beginning of the data: draw it.",
        {"draw": lambda X, size, g: torch.arange(size)},
    ),
    "everything": (
        "The whole split is used: a batch has batch_size rows.",
        {"draw": lambda X, size, g: torch.arange(len(X))},
    ),
    "always 32": (
        "batch_size is not used: the batch always has 32 rows.",
        {"draw": lambda X, size, g: _fair(X, 32, g)},
    ),
    "the last row never": (
        "randint leaves out its upper end already: len(X) draws the last row too.",
        {"draw": lambda X, size, g: torch.randint(0, len(X) - 1, (size,), generator=g)},
    ),
    "the first row never": (
        "randint begins with its lower end: 1 leaves out row 0.",
        {"draw": lambda X, size, g: torch.randint(1, len(X), (size,), generator=g)},
    ),
    "neighbours": (
        "A batch of neighbours is no fair sample: draw each row by itself.",
        {"draw": lambda X, size, g: _window(len(X) - size + 1, size, g)},
    ),
    "generator not used": (
        "The generator that is passed in is not used.",
        {"draw": lambda X, size, g: _fair(X, size, None)},
    ),
    "targets not drawn": (
        "X is indexed and Y is not: both need the same indices.",
        {"own": lambda Y, ix, g: Y},
    ),
    "first targets": (
        "The targets are the first ones of Y, not those of the batch.",
        {"own": lambda Y, ix, g: Y[: len(ix)]},
    ),
    "targets drawn apart": (
        "The targets are drawn on their own: they belong to other contexts.",
        {"own": lambda Y, ix, g: Y[_fair(Y, len(ix), g)]},
    ),
    "no zero_grad": (
        "Gradients from before the step are added to it: forget them first.",
        {"zero": False},
    ),
    "rebinds": (
        "Nothing moves: `p = p - …` names a new tensor, or the gradients are zero.",
        {"update": _rebind},
    ),
    "uphill": (
        "The step goes uphill: subtract the gradient.",
        {"update": lambda model, lr: _subtract(model, -lr)},
    ),
    "no rate": (
        "The gradient is not multiplied by lr.",
        {"update": lambda model, lr: _subtract(model, 1.0)},
    ),
    "probabilities": (
        "F.cross_entropy wants logits: it does the softmax itself.",
        {"loss": lambda z, y: F.cross_entropy(F.softmax(z, 1), y)},
    ),
    "summed": (
        "The losses are summed: their mean does not grow with the batch.",
        {"loss": lambda z, y: F.cross_entropy(z, y, reduction="sum")},
    ),
    "loss as a tensor": (
        "The loss is a tensor with its whole graph: return a plain number.",
        {"out": lambda loss: loss},
    ),
}
for _name, (_sentence, _options) in _STEPPERS.items():
    minibatch_step.mistake(_name, _sentence)(_stepper(**_options))


# ---------------------------------------------------------------- lr_finder


def _floats(values: Any) -> Any:
    """A list of plain numbers, where there is one."""
    if isinstance(values, Tensor) and values.ndim == 1:
        return values.tolist()
    if type(values) not in (list, tuple):
        return Said(kind(values))
    plain = [v.item() if isinstance(v, Tensor) and not v.ndim else v for v in values]
    return plain


def _tried(lr_finder: Callable, *arguments: float) -> Any:
    """The rates that were tried, and the losses that came back."""
    asked: list[float] = []

    def step(lr: Any) -> float:
        asked.append(float(lr))
        return 3.0 - len(asked) / 8

    out = lr_finder(step, *arguments)
    if type(out) not in (tuple, list) or len(out) != 2:
        return otherwise(out, "returned")
    return _returned("two lists") | {
        "rates": _floats(out[0]),
        "step was called with": asked,
        "losses": _floats(out[1]),
    }


def _tries(steps: int, low: float, high: float) -> dict[str, Any]:
    gap = (high - low) / (steps - 1)
    rates = [10 ** (low + gap * i) for i in range(steps)]
    losses = [3.0 - i / 8 for i in range(1, steps + 1)]
    return _returned("two lists") | {
        "rates": rates,
        "step was called with": rates,
        "losses": losses,
    }


def _curve(
    count: int,
    noise: float,
    end: str = "high",
    lucky: bool = False,
    top: float = 0.0,
    shift: float = 0.0,
) -> Any:
    """Rates, losses, the shift: a valley between 10^-1.3 and 10^-0.5, or shifted."""
    rng = random.Random(count)
    exponents = [-3 + (top + 3) * i / (count - 1) for i in range(count)]
    losses = []
    for x in exponents:
        loss = 3.2 - 0.8 / (1 + math.exp(-9 * (x + 1.6)))
        if x > -0.4:
            far = 3.0 + 60 * (x + 0.4)
            loss = far if end == "high" or x < -0.15 else float(end)
        losses.append(loss + rng.gauss(0, noise))
    if lucky:
        losses[count // 10] = 0.3
    return [10 ** (x + shift) for x in exponents], losses, shift


def _picked(pick_lr: Callable, curve: Any) -> Any:
    """Where the rate lies that was picked."""
    lrs, losses, shift = copy.deepcopy(curve)
    before = repr((lrs, losses))
    out = pick_lr(lrs, losses)
    if repr((lrs, losses)) != before:
        return Said("in a list that was changed")
    out = out.item() if isinstance(out, Tensor) and not out.ndim else out
    if type(out) not in (float, int):
        return out if out is None or out is ... else Said(kind(out))
    if math.isnan(out):
        return Said("nan")
    if out <= 0:
        return Said("no rate: a number that is not positive")
    if out > 1.001 * max(lrs):
        return either(out < 10, "above all rates", "far above all rates")
    x = math.log10(out) - shift
    if x > -0.4:
        return Said("where the loss explodes")
    return either(x > -1.7, "in the valley", "where the steps are too small")


_CURVES: tuple[tuple[str, Any], ...] = (
    ("a smooth curve of 301 losses", _curve(301, 0.0)),
    ("a noisy curve of 600 losses", _curve(600, 0.1)),
    ("a noisy curve with one lucky batch", _curve(400, 0.08, lucky=True)),
    ("a noisy curve that ends in nan", _curve(500, 0.08, "nan")),
    ("a noisy curve that ends in inf", _curve(350, 0.08, "inf")),
    ("a short curve of 60 losses", _curve(60, 0.02)),
    ("a curve that ends before it explodes", _curve(200, 0.02, top=-0.6)),
    ("a curve of smaller rates", _curve(301, 0.03, shift=-1.5)),
    ("a curve that explodes in its middle", _curve(401, 0.03, top=3.0)),
)


@exercise("mlp.lr_finder", version=2)
def lr_finder(lr_finder: Callable, pick_lr: Callable) -> Cases:
    for steps, low, high in ((3, -3.0, 0.0), (5, -4.0, 0.0), (7, -2.5, 0.5)):
        act = lambda a=(steps, low, high): _tried(lr_finder, *a)  # noqa: E731
        text = f"lr_finder(step, {steps}, {low}, {high})"
        yield case(text, act, _tries(steps, low, high), within=ROUNDED)
    act = lambda: _tried(lr_finder)  # noqa: E731
    yield case("lr_finder(step)", act, _tries(1000, -3, 0), within=ROUNDED)
    for text, curve in _CURVES:
        act = lambda c=curve: _picked(pick_lr, c)  # noqa: E731
        yield case(f"pick_lr of {text}", act, Said("in the valley"))
    low, steps = round(random.uniform(-5, -2), 2), random.randint(4, 9)
    act = lambda: _tried(lr_finder, steps, low, 0.25)  # noqa: E731
    want = _tries(steps, low, 0.25)
    text = f"lr_finder(step, {steps}, {low}, 0.25)"
    yield case(text, act, want, within=ROUNDED, fresh=True)


def _finder(rate: Callable, last: int = 1) -> Callable:
    def lr_finder(step, steps=1000, low=-3.0, high=0.0):
        parts = [i / (steps - last) for i in range(steps)]
        lrs = [rate(low, high, part) for part in parts]
        return lrs, [step(lr) for lr in lrs]

    return lr_finder


def _power(low: float, high: float, part: float) -> float:
    return 10 ** (low + (high - low) * part)


_right_finder = _finder(_power)


def _right_pick(lrs: list[float], losses: list[float]) -> float:
    reach = max(1, len(losses) // 20)

    def around(i: int) -> float:
        part = losses[max(0, i - reach) : i + reach + 1]
        mean = sum(part) / len(part)
        return mean if math.isfinite(mean) else math.inf

    return lrs[min(range(len(lrs)), key=around)]


_FINDERS: dict[str, tuple[str, Callable]] = {
    "even in the rate": (
        "The rates are evenly spaced: space their exponents evenly.",
        _finder(lambda a, b, part: 10**a + (10**b - 10**a) * part),
    ),
    "exponents as rates": (
        "The exponents are passed as rates: raise ten to them.",
        _finder(lambda a, b, part: a + (b - a) * part),
    ),
    "base e": (
        "The base is ten, not e.",
        _finder(lambda a, b, part: math.exp(a + (b - a) * part)),
    ),
    "end left out": (
        "The last rate is 10**high: divide by steps - 1.",
        _finder(_power, last=0),
    ),
    "downwards": (
        "The rates fall: begin with the smallest.",
        _finder(lambda a, b, part: _power(b, a, part)),
    ),
    "one rate": (
        "The same rate is tried each time.",
        _finder(lambda a, b, part: 10**a),
    ),
}
for _name, (_sentence, _wrong) in _FINDERS.items():
    lr_finder.mistake(_name, _sentence, True)(lambda w=_wrong: (w, _right_pick))


def _steepest(lrs: list[float], losses: list[float]) -> float:
    return lrs[max(range(len(losses)), key=lambda i: losses[i])]


_PICKS: dict[str, tuple[str, Callable]] = {
    "one lucky batch": (
        "The lowest loss is luck: average it over more of its neighbours.",
        lambda lrs, losses: lrs[
            min(range(len(lrs)), key=lambda i: (not losses[i] < math.inf, losses[i]))
        ],
    ),
    "nan wins": (
        "argmin takes nan for the smallest: leave out what is not finite.",
        lambda lrs, losses: lrs[int(torch.tensor(losses).argmin())],
    ),
    "the last rate": (
        "The end of the curve is past the valley.",
        lambda lrs, losses: lrs[-1],
    ),
    "a rate from memory": (
        "The rate comes from the curve at hand: each model has a valley of its own.",
        lambda lrs, losses: 0.1,
    ),
    "the largest loss": ("The valley is where the loss is low.", _steepest),
    "an exponent": (
        "The exponent is returned: return the rate.",
        lambda lrs, losses: math.log10(_right_pick(lrs, losses)),
    ),
    "an index": (
        "The place in the list is returned: return the rate.",
        lambda lrs, losses: lrs.index(_right_pick(lrs, losses)),
    ),
    "the loss": (
        "The lowest loss is returned: return its rate.",
        lambda lrs, losses: losses[lrs.index(_right_pick(lrs, losses))],
    ),
}
for _name, (_sentence, _wrong) in _PICKS.items():
    lr_finder.mistake(_name, _sentence, True)(lambda w=_wrong: (_right_finder, w))

# places that lie in the valley of the usual range, whatever the losses are
_UNREAD: list[Callable] = [
    lambda lrs, losses: lrs[int(0.6 * len(lrs))],
    lambda lrs, losses: lrs[int(0.7 * len(lrs))],
    lambda lrs, losses: lrs[len(lrs) // 2],
    lambda lrs, losses: lrs[-1] / 10,
    lambda lrs, losses: lrs[-1] / 20,
]


@lr_finder.mistake(
    "losses not read",
    "The losses are not read: the place of the valley is theirs to tell.",
    True,
    lambda make: ((_right_finder, wrong) for wrong in _UNREAD),
)
def _():
    return _right_finder, lambda lrs, losses: lrs[len(lrs) * 2 // 3]


# ---------------------------------------------------------------- schedule


def _slow_cycle(step: int, steps: int, peak: float) -> float:
    """By the sine of the half angle, which is the same curve."""
    rise = steps // 10
    if step < rise:
        return peak * (step + 1) / rise
    return peak * math.sin(math.pi / 2 * (steps - step) / (steps - rise)) ** 2


_DECAYS = ((0, 100), (49, 100), (50, 100), (99, 100), (150_000, 200_000), (7, 12))
_CYCLES = ((0, 100), (4, 100), (9, 100), (10, 100), (11, 100), (55, 100), (99, 100))


def _asked_often(rate: Callable[[int], Any]) -> Said:
    """Whether the first step's rate is the same whatever was asked before it."""
    rates = [rate(100) for _ in range(120)] + [rate(2 * 10**i) for i in range(1, 10)]
    return either(
        len(set(map(repr, rates))) == 1, "the same each time", "now this, now that"
    )


@exercise("mlp.schedule", version=2)
def schedule(step_decay: Callable, one_cycle: Callable) -> Cases:
    act = lambda: _asked_often(lambda n: step_decay(0, n))  # noqa: E731
    text, firm = "step_decay(0, …), asked again and again", Said("the same each time")
    yield case(text, act, firm, telling=True)
    for step, steps in _DECAYS:
        want = 0.1 if 2 * step < steps else 0.01
        yield call(step_decay, step, steps, expects=want)
    for step, want in ((3, 0.5), (14, 0.05)):
        yield call(step_decay, step, 20, 0.5, expects=want)
    for step, steps in _CYCLES:
        want = _slow_cycle(step, steps, 1.0)
        yield call(one_cycle, step, steps, 1.0, expects=want)
    for step, steps, peak in ((29, 2000, 0.02), (700, 2000, 0.02), (35, 50, 3.0)):
        want = _slow_cycle(step, steps, peak)
        yield call(one_cycle, step, steps, peak, expects=want)
    steps = 10 * random.randint(5, 40)
    step, peak = random.randrange(steps), round(random.uniform(0.1, 2.0), 2)
    want = _slow_cycle(step, steps, peak)
    yield call(one_cycle, step, steps, peak, expects=want, fresh=True)
    want = peak if 2 * step < steps else peak / 10
    yield call(step_decay, step, steps, peak, expects=want, fresh=True)


def _right_decay(step: int, steps: int, lr: float = 0.1) -> float:
    return lr if step < steps // 2 else lr / 10


def _cycle(
    up: Callable = lambda step, rise: (step + 1) / rise,
    down: Callable = lambda done: (1 + math.cos(math.pi * done)) / 2,
    whole: bool = False,
) -> Callable:
    """one_cycle with one thing done otherwise."""

    def one_cycle(step, steps, peak):
        rise = steps // 10
        if step < rise:
            return peak * up(step, rise)
        done = step / steps if whole else (step - rise) / (steps - rise)
        return peak * down(done)

    return one_cycle


_right_cycle = _cycle()

_RATES: dict[str, tuple[str, Callable, Callable]] = {
    "a tenth each step": (
        "The rate is cut at every step: it is gone after three. Cut it once.",
        lambda step, steps, lr=0.1: lr * 0.1**step,
        _right_cycle,
    ),
    "one step late": (
        "The middle is at steps // 2, and belongs to the second half.",
        lambda step, steps, lr=0.1: lr if step <= steps // 2 else lr / 10,
        _right_cycle,
    ),
    "never cut": (
        "The rate stays as it is: from the middle on it is a tenth.",
        lambda step, steps, lr=0.1: lr,
        _right_cycle,
    ),
    "always 0.1": (
        "The rate that is passed in is not used.",
        lambda step, steps, lr=0.1: 0.1 if step < steps // 2 else 0.01,
        _right_cycle,
    ),
    "the lecture's steps": (
        "The middle depends on steps: 100,000 is that of the lecture's run.",
        lambda step, steps, lr=0.1: lr if step < 100_000 else lr / 10,
        _right_cycle,
    ),
    "begins at zero": (
        "The first step has no rate at all: begin with one part of the climb.",
        _right_decay,
        _cycle(up=lambda step, rise: step / rise),
    ),
    "no climb": (
        "The climb over the first tenth is missing.",
        _right_decay,
        lambda step, steps, peak: peak * (1 + math.cos(math.pi * step / steps)) / 2,
    ),
    "descent over everything": (
        "The descent begins after the climb: stretch it over what is left.",
        _right_decay,
        _cycle(whole=True),
    ),
    "a quarter of a wave": (
        "Half a wave falls from 1 to -1: shift and halve it.",
        _right_decay,
        _cycle(down=lambda done: math.cos(math.pi / 2 * done)),
    ),
    "in degrees": (
        "The cosine takes radians: half a wave is pi.",
        _right_decay,
        _cycle(down=lambda done: (1 + math.cos(180 * done)) / 2),
    ),
    "not shifted": (
        "The cosine falls to -1: a rate is never negative. Shift and halve it.",
        _right_decay,
        _cycle(down=lambda done: math.cos(math.pi * done)),
    ),
    "upside down": (
        "The descent climbs: the cosine has a plus sign.",
        _right_decay,
        _cycle(down=lambda done: (1 - math.cos(math.pi * done)) / 2),
    ),
    "a straight descent": (
        "The descent is a straight line: take half a cosine.",
        _right_decay,
        _cycle(down=lambda done: 1 - done),
    ),
}
for _name, (_sentence, *_both) in _RATES.items():
    schedule.mistake(_name, _sentence, True)(lambda both=tuple(_both): both)


@schedule.mistake(
    "remembers",
    "It counts its calls: the rate depends on the step that is asked for.",
    True,
)
def _():
    calls = count()
    return (
        lambda step, steps, lr=0.1: lr if next(calls) < steps // 2 else lr / 10,
        _right_cycle,
    )


# ---------------------------------------------------------------- evaluate


_MANY = 4_500  # more than a chunk of 1,000 or of 4,096, and a rest


def _asked_of(N: int) -> tuple[Tensor, Tensor, int]:
    """So many pairs, and how many letters there are."""
    return (*_rows(N), 6) if N < 216 else (*_dear_tail(N), 17)


@cache
def _dear_tail(N: int) -> Data:
    """Many pairs, of which the last ones have the letters that cost most."""
    X, _ = _rows(N, vocab=17)
    logits = _forward(_Watched(17, 5).parameters(), X).detach()
    order = logits.argsort(1)  # the likeliest letter stands last
    return X, torch.cat([order[: N - N // 9, -1], order[N - N // 9 :, 0]])


def _measured(evaluate: Callable, N: int, seed: int) -> Any:
    """The loss that was measured, and what the model saw of it."""
    X, Y, vocab = _asked_of(N)
    model, found = _Watched(vocab, seed), []
    for p in model.parameters():
        p.grad = torch.full_like(p, _OLD)
    before = [p.detach().clone() for p in model.parameters()]
    dice = _global_dice(lambda: found.append(evaluate(model, X.clone(), Y.clone())))
    value, after = found[0], torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    if value is None or value is ...:
        return value
    notes = list(model.notes)
    seen = _seen(notes, X)
    if N < _MANY:
        evaluate(model, X.clone(), Y.clone())
        torch.set_grad_enabled(True)
        if _seen(model.notes[len(notes) :], X) != seen:
            return {"pairs": Said("others each time")}
    first = len(seen) < N and sorted(seen) == [*range(len(seen))]
    share = "the first alone" if first else "not each one once"
    grads = [p.grad for p in model.parameters()]
    same = all(g is not None and bool((g == _OLD).all()) for g in grads)
    learns = all(p.requires_grad for p in model.parameters())
    return {
        "pairs": either(seen == Counter(range(N)), "each one once", share),
        "loss": value if type(value) is float else Said(_what(value)),
        "gradients meanwhile": either(any(n[1] for n in notes), "on", "off"),
        "gradients afterwards": either(after, "on", "off"),
        "weights": either(
            _close(before, model.parameters()), "as they were", "changed"
        ),
        "they learn": either(learns, "as before", "no more"),
        "their gradients": either(same, "as they were", "changed"),
        "the dice that all programs share": dice,
    }


def _seen(notes: list, X: Tensor) -> Counter:
    """How often each place was asked for; -1 is none of them."""
    known = {tuple(row): i for i, row in enumerate(X.tolist())}
    rows = [row for note in notes for row in note[0].reshape(-1, 3).tolist()]
    return Counter(known.get(tuple(row), -1) for row in rows)


def _what(value: Any) -> str:
    return "a tensor" if isinstance(value, Tensor) else kind(value)


def _measure_case(evaluate: Callable, N: int, seed: int, **more: Any) -> Case:
    X, Y, vocab = _asked_of(N)
    logits = _forward(_Watched(vocab, seed).parameters(), X)
    want = {
        "pairs": Said("each one once"),
        "loss": _slow_loss(logits.tolist(), Y.tolist()),
        "gradients meanwhile": Said("off"),
        "gradients afterwards": Said("on"),
        "weights": Said("as they were"),
        "they learn": Said("as before"),
        "their gradients": Said("as they were"),
        "the dice that all programs share": Said("untouched"),
    }
    act = lambda: _measured(evaluate, N, seed)  # noqa: E731
    return case(f"a small model on {N:,} pairs", act, want, **more)


class _Even:
    """A model whose logits are all zero, and that is quickly asked."""

    block_size = 3

    def __init__(self) -> None:
        self.p = torch.zeros(1, requires_grad=True)

    def parameters(self) -> list[Tensor]:
        return [self.p]

    def __call__(self, X: Tensor) -> Tensor:
        return torch.zeros(len(X), 27) * self.p


class _Quick(_Even):
    """The same; it notes the sizes of what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[Tensor, bool]] = []

    def __call__(self, X: Tensor) -> Tensor:
        self.notes.append((X, torch.is_grad_enabled()))
        return super().__call__(X)


@exercise("mlp.evaluate", version=2, limit=5)
def evaluate(evaluate: Callable) -> Cases:
    X, Y = torch.zeros(40, 3, dtype=torch.int64), torch.arange(40) % 27
    act = lambda: evaluate(_Even(), X, Y)  # noqa: E731
    yield case("logits of zero for 27 letters", act, math.log(27), within=FLOAT32)
    for N, seed in ((7, 1), (50, 2), (203, 3)):
        yield _measure_case(evaluate, N, seed)
    yield _measure_case(evaluate, _MANY, 5, once=True)
    yield _measure_case(evaluate, 61, new_seed(), fresh=True)


def _evaluator(
    pick: Callable = lambda X: slice(None),
    loss: Callable = F.cross_entropy,
    grad: bool = False,
    out: Callable = lambda value: value.item(),
) -> Callable:
    """evaluate with one thing done otherwise."""

    def evaluate(model, X, Y):
        with torch.set_grad_enabled(grad):
            ix = pick(X)
            return out(loss(model(X[ix]), Y[ix]))

    return evaluate


def _averaged(size: int) -> Callable:
    def evaluate(model, X, Y):
        with torch.no_grad():
            parts = zip(X.split(size), Y.split(size), strict=True)
            losses = [F.cross_entropy(model(x), y).item() for x, y in parts]
        return sum(losses) / len(losses)

    return evaluate


def _shuffled_first(model, X, Y):
    ix = torch.randperm(len(X))
    with torch.no_grad():
        return F.cross_entropy(model(X[ix]), Y[ix]).item()


def _learns_no_more(model, X, Y):
    for p in model.parameters():
        p.requires_grad_(False)
    return F.cross_entropy(model(X), Y).item()


def _off_for_good(model, X, Y):
    torch.set_grad_enabled(False)
    return F.cross_entropy(model(X), Y).item()


def _trains(model, X, Y):
    loss = F.cross_entropy(model(X), Y)
    for p in model.parameters():
        p.grad = None
    loss.backward()
    _subtract(model, 0.1)
    return loss.item()


_EVALUATORS: dict[str, tuple[str, Callable]] = {
    "first batch": (
        "Only the first rows are measured: take the whole split.",
        _evaluator(pick=lambda X: slice(32)),
    ),
    "a random batch": (
        "A random batch is measured: take the whole split.",
        _evaluator(pick=lambda X: _fair(X, 32, None)),
    ),
    "with gradients": (
        "The loss is right, and a way back is recorded that nobody takes: no_grad.",
        _evaluator(grad=True),
    ),
    "off for good": (
        "Gradients are off for good: `with torch.no_grad():` turns them on again.",
        _off_for_good,
    ),
    "mean of means": (
        "A short last chunk weighs as much as a full one: sum, then divide once.",
        _averaged(32),
    ),
    "shuffled first": (
        "Measuring draws from everybody's dice: the whole split needs no drawing.",
        _shuffled_first,
    ),
    "learns no more": (
        "requires_grad is off for good: torch.no_grad() leaves the model as it is.",
        _learns_no_more,
    ),
    "summed": (
        "The losses are summed: return their mean.",
        _evaluator(loss=lambda z, y: F.cross_entropy(z, y, reduction="sum")),
    ),
    "probabilities": (
        "F.cross_entropy wants logits: it does the softmax itself.",
        _evaluator(loss=lambda z, y: F.cross_entropy(F.softmax(z, 1), y)),
    ),
    "a tensor": (
        "The loss is a tensor: `.item()` gives the number.",
        _evaluator(out=lambda value: value),
    ),
    "trains": ("Measuring takes no step: the weights have changed.", _trains),
    "accuracy": (
        "The share of right guesses is returned, not the loss.",
        _evaluator(loss=lambda z, y: (z.argmax(1) == y).double().mean()),
    ),
}
# the same slip in other numbers
_OTHER_SIZES: dict[str, list[Callable]] = {
    "first batch": [_evaluator(pick=lambda X: slice(1000))],
    "mean of means": [_averaged(1000), _averaged(4096)],
}


def _put_evaluator(name: str, sentence: str, wrong: Callable) -> None:
    def others(make: Callable) -> Iterator[tuple[Callable]]:
        return ((other,) for other in _OTHER_SIZES.get(name, ()))

    evaluate.mistake(name, sentence, False, others)(wrong)


for _name, (_sentence, _wrong) in _EVALUATORS.items():
    _put_evaluator(_name, _sentence, _wrong)


# ---------------------------------------------------------------- train


_EVERY, _STEPS = 6, 18
_OURS, _THEIRS = 120, 60  # pairs: more than a batch, less than there are contexts


def _rate(step: int) -> float:
    return 0.2 / (step + 1)


def _trained(train: Callable, seed: int) -> Any:
    """A short run done again, step by step, from what the model noted."""
    ours, theirs = _rows(_OURS), _rows(_THEIRS, first=_OURS)
    model, asked = _Watched(seed=seed), []

    def lr(step: int) -> float:
        asked.append(step)
        return _rate(step)

    rows = train(model, ours, theirs, _STEPS, lr, _EVERY, 5, seeded(seed))
    if type(rows) is not list or not all(_is_row(row) for row in rows):
        return otherwise(rows, "returned")
    passes = [note for note in model.notes if note[1]]
    places = [_places(note[0], ours[0]) for note in passes]
    final = [p.detach().clone() for p in model.parameters()]
    states = [note[2] for note in passes] + [final]
    return _returned(_ROWS) | {
        "steps": len(passes),
        "trained on": _origin(passes, places, theirs),
        "rows in a batch": sorted({len(note[0]) for note in passes}),
        "batches": either(len(set(map(str, places))) > 10, "new ones", "the same one"),
        "lr was asked for": _asked(asked),
        "steps taken": _steps_taken(places, states, ours),
        "rows": [row[0] for row in rows],
        "losses": _row_losses(rows, states, ours, theirs),
    }


def _is_row(row: Any) -> bool:
    if type(row) not in (tuple, list) or len(row) != 3:
        return False
    return type(row[0]) is int and all(type(x) is float for x in row[1:])


def _origin(passes: list, places: list, theirs: Data) -> Said:
    if all(places):
        return Said("the train set")
    if all(_places(note[0], theirs[0]) for note in passes):
        return Said("the dev set")
    dev = any(_places(note[0], theirs[0]) for note in passes)
    mixed = any(_some_in(note[0], theirs[0]) for note in passes)
    return Said("the dev set too" if dev or mixed else "something else")


def _some_in(batch: Tensor, X: Tensor) -> bool:
    known = set(map(tuple, X.tolist()))
    return any(tuple(row) in known for row in batch.tolist())


def _asked(asked: list[int]) -> Said:
    if sorted(set(asked)) == list(range(_STEPS)):
        return Said("each step")
    return Said(f"{len(set(asked))} steps, from {min(asked, default=0)}")


def _steps_taken(places: list, states: list, ours: Data) -> Said:
    """Whether each step used the rate of its own number, done again."""
    if not all(places) or len(states) != _STEPS + 1:
        return Said("not to be seen")
    X, Y = ours
    for step, ix in enumerate(places):
        _, slopes = _redone(states[step], X[ix], Y[ix])
        moved = _moved(states[step], states[step + 1], slopes, _rate(step))
        if moved != _DOWN:
            return Said(f"step {step}: {moved}")
    return Said("downhill by lr(step) times the gradient")


def _row_losses(rows: list, states: list, ours: Data, theirs: Data) -> Said:
    """Whether the rows hold the losses of both sets, after the steps they name."""
    if len(states) != _STEPS + 1:
        return Said("not to be seen")
    for done, *losses in rows:
        if not 0 <= done <= _STEPS:
            return Said("of a step that was not taken")
        now = [_redone(states[done], *part)[0] for part in (ours, theirs)]
        if not _near(losses, now):
            return Said(_why_not(losses, done, states, ours, theirs))
    return Said("of both sets, whole")


def _near(one: list[float], two: list[float]) -> bool:
    return all(abs(a - b) < 1e-7 for a, b in zip(one, two, strict=True))


def _why_not(
    losses: list[float], done: int, states: list, ours: Data, theirs: Data
) -> str:
    train, dev = (_redone(states[done], *part)[0] for part in (ours, theirs))
    earlier = states[max(0, done - 1)]
    before = [_redone(earlier, *part)[0] for part in (ours, theirs)]
    if _near(losses, [dev, train]):
        return "dev first, then train"
    if _near(losses, before):
        return "of the step before"
    if _near(losses, [train, train]):
        return "dev is the train loss"
    if _near(losses[:1], [train]):
        return "dev is another number"
    return "train is another number"


_ROWS = "a list of rows (int, float, float)"
_TRAINED = _returned(_ROWS) | {
    "steps": _STEPS,
    "trained on": Said("the train set"),
    "rows in a batch": [5],
    "batches": Said("new ones"),
    "lr was asked for": Said("each step"),
    "steps taken": Said("downhill by lr(step) times the gradient"),
    "rows": [6, 12, 18],
    "losses": Said("of both sets, whole"),
}


def _uneven(train: Callable) -> Any:
    """Seven steps, a row after every three."""
    model = _Watched()
    return _summary(train(model, _rows(30), _rows(12, first=60), 7, _rate, 3), model)


def _rising(train: Callable) -> Any:
    """Twelve steps uphill: dev rises, and each row is wanted all the same."""
    model = _Watched()
    rate = lambda step: -0.5  # noqa: E731
    return _summary(train(model, _rows(30), _rows(12, first=60), 12, rate, 3), model)


def _by_thousand(train: Callable) -> Any:
    """1,001 steps of a model that is quickly asked; `every` is not given."""
    model, pairs = _Quick(), (torch.zeros(40, 3).long(), torch.arange(40) % 27)
    return _summary(train(model, pairs, pairs, 1001, _rate), model)


def _summary(rows: Any, model: Any) -> Any:
    if type(rows) is not list or not all(_is_row(row) for row in rows):
        return otherwise(rows, "returned")
    sizes = sorted({len(note[0]) for note in model.notes if note[1]})
    passes = sum(note[1] for note in model.notes)
    found = {"rows": [row[0] for row in rows], "steps": passes, "batches of": sizes}
    return _returned(_ROWS) | found


def _same_dice(train: Callable) -> dict[str, Said]:
    """Whether the generator decides which batches come."""
    g = seeded(3)
    one, again, other, later = (
        _losses_of(train, a) for a in (g, seeded(3), seeded(4), g)
    )
    return {
        "with the same seed": either(one == again, "the same rows", "others"),
        "with another seed": either(one != other, "others", "the same rows"),
        "when it has moved on": either(one != later, "others", "the same rows"),
    }


_DICE = {
    "with the same seed": Said("the same rows"),
    "with another seed": Said("others"),
    "when it has moved on": Said("others"),
}


def _losses_of(train: Callable, g: torch.Generator) -> str:
    rows = train(_Watched(), _rows(30), _rows(12, first=60), 6, _rate, 3, 4, g)
    return repr(rows)


@cache
def _sample_names() -> tuple[str, ...]:
    """The names that the course ships, in an order of their own."""
    text = (root() / "data" / "sample_names.txt").read_text("ascii")
    return tuple(_mixed(text.split(), 3))


@cache
def _name_pairs(first: int, count: int, k: int) -> Data:
    return _slow_pairs(list(_sample_names()[first : first + count]), _LETTERS, k)


def _on_names(train: Callable) -> Any:
    """Real names on a small budget: the dev loss must be good, and not too good."""
    model = _given().MLP(27, 3, 6, 40, seeded(5))
    with torch.no_grad():
        model.W1 *= 0.2
        model.W2 *= 0.05
        model.b2 *= 0
    sets = _name_pairs(0, 1500, 3), _name_pairs(1500, 300, 3)
    rows = train(
        model, *sets, 500, lambda i: 0.5 if i < 350 else 0.05, 500, 64, seeded(6)
    )
    if type(rows) is not list or not rows or not _is_row(rows[-1]):
        return otherwise(rows, "returned")
    return _returned(_ROWS) | {"dev loss": _between(rows[-1][2], 2.0, 2.6)}


def _between(loss: float, low: float, high: float) -> Said:
    """A loss in words."""
    if not math.isfinite(loss):
        return Said("not finite")
    if loss > high:
        return Said(f"above {high}")
    if loss < low:
        return Said("lower than new names allow")
    return Said(f"between {low} and {high}")


@exercise("mlp.train", version=2, limit=20, stands_on={"minibatch_step": _right_step})
def train(train: Callable) -> Cases:
    text = f"{_STEPS} steps on {_OURS} pairs, every={_EVERY}, batch_size=5"
    yield case(text, lambda: _trained(train, 1), _TRAINED)
    want = _returned(_ROWS) | {"rows": [3, 6], "steps": 7, "batches of": [32]}
    yield case("7 steps, every=3", lambda: _uneven(train), want)
    want = want | {"rows": [3, 6, 9, 12], "steps": 12}
    text = "12 steps in which dev rises, every=3"
    yield case(text, lambda: _rising(train), want)
    yield case("four runs of 6 steps", lambda: _same_dice(train), _DICE)
    seed = new_seed()
    yield case("a new model", lambda: _trained(train, seed), _TRAINED, fresh=True)
    want = want | {"rows": [1000], "steps": 1001}
    act = lambda: _by_thousand(train)  # noqa: E731
    yield case("1,001 steps, every not given", act, want, once=True)
    good = _returned(_ROWS) | {"dev loss": Said("between 2.0 and 2.6")}
    act = lambda: _on_names(train)  # noqa: E731
    yield case("500 steps on 1,500 names", act, good, once=True)


@train.skeleton
def train_without_steps(model, train_set, dev_set, steps, lr, every=1000):
    rows = []
    for _ in range(steps):
        pass
    return rows


def _both(model: Any, train_set: Data, dev_set: Data) -> tuple[float, float]:
    measure = _evaluator()
    return measure(model, *train_set), measure(model, *dev_set)


def _trainer(
    sets: Callable = lambda train_set, dev_set: train_set,
    rate: Callable = lambda lr, step: lr(step),
    size: Callable = lambda batch_size: batch_size,
    dice: Callable = lambda g: g,
    due: Callable = lambda step, every: (step + 1) % every == 0,
    name: Callable = lambda step: step + 1,
    losses: Callable = lambda value, model, ours, theirs: _both(model, ours, theirs),
    count: Callable = lambda steps: steps,
    step_with: Callable = _right_step,
    patient: bool = True,
) -> Callable:
    """train with one thing done otherwise."""

    def train(
        model, train_set, dev_set, steps, lr, every=1000, batch_size=32, generator=None
    ):
        rows = []
        for step in range(count(steps)):
            X, Y = sets(train_set, dev_set)
            value = step_with(
                model, X, Y, rate(lr, step), size(batch_size), dice(generator)
            )
            if due(step, every):
                rows.append((name(step), *losses(value, model, train_set, dev_set)))
                if not patient and rows[max(0, len(rows) - 2)][2] < rows[-1][2]:
                    break
        return rows

    return train


def _together(ours: Data, theirs: Data) -> Data:
    return torch.cat([ours[0], theirs[0]]), torch.cat([ours[1], theirs[1]])


_TRAINERS: dict[str, tuple[str, dict[str, Any]]] = {
    "learns from dev": (
        "Steps are taken on the dev set: its loss then says nothing about new names.",
        {"sets": _together},
    ),
    "learns from dev only": (
        "The steps are taken on the dev set: train on the train set.",
        {"sets": lambda ours, theirs: theirs},
    ),
    "last batch's loss": (
        "The loss of a few pairs jumps about: measure both sets whole.",
        {
            "losses": lambda value, model, ours, theirs: (
                value,
                _both(model, ours, theirs)[1],
            )
        },
    ),
    "dev never measured": (
        "The dev column holds the train loss.",
        {"losses": lambda value, model, a, b: (_both(model, a, b)[0],) * 2},
    ),
    "columns swapped": (
        "A row is (steps done, train loss, dev loss), in this order.",
        {"losses": lambda value, model, a, b: _both(model, a, b)[::-1]},
    ),
    "one rate": (
        "lr is asked once: ask it for the rate of each step.",
        {"rate": lambda lr, step: lr(0)},
    ),
    "rate of the next step": (
        "Step i uses lr(i), counted from 0.",
        {"rate": lambda lr, step: lr(step + 1)},
    ),
    "rates multiplied": (
        "The rates are multiplied up: lr(i) is the whole rate of step i.",
        {"rate": lambda lr, step: math.prod(lr(i) for i in range(step + 1))},
    ),
    "row too early": (
        "The first row comes when `every` steps are done, none before the first.",
        {"due": lambda step, every: step % every == 0, "name": lambda step: step},
    ),
    "counted from zero": (
        "After step i there are i + 1 steps done.",
        {"name": lambda step: step},
    ),
    "a row each step": (
        "Steps between the rows: one comes once in `every` steps, not after each.",
        {"due": lambda step, every: True},
    ),
    "batch size not passed on": (
        "batch_size does not reach the step.",
        {"size": lambda batch_size: 32},
    ),
    "one batch for ever": (
        "The generator is seeded anew at each step: the same batch comes each time.",
        {"dice": lambda g: seeded(1)},
    ),
    "generator not passed on": (
        "The generator does not reach the step.",
        {"dice": lambda g: None},
    ),
    "stops when dev rises": (
        "It stops as soon as dev rises: take all the steps that are asked for.",
        {"patient": False},
    ),
    "one step too many": (
        "There is one step too many.",
        {"count": lambda steps: steps + 1},
    ),
    "old gradients": (
        "The gradients of earlier steps are added to each: forget them first.",
        {"step_with": _stepper(zero=False)},
    ),
}
for _name, (_sentence, _options) in _TRAINERS.items():
    train.mistake(_name, _sentence)(_trainer(**_options))


def _own_dice(make: Callable[[int], Callable]) -> Iterator[tuple[Callable]]:
    def reseeded(model, ours, theirs, steps, lr, every=1000, size=32, generator=None):
        generator = generator and generator.manual_seed(1)
        options = steps, lr, every, size, generator
        return _trainer()(model, ours, theirs, *options)

    yield (reseeded,)


@train.mistake(
    "a seed of its own",
    "Each run is seeded alike inside: use the generator as it comes.",
    False,
    _own_dice,
)
def _(model, ours, theirs, steps, lr, every=1000, batch_size=32, generator=None):
    options = steps, lr, every, batch_size, seeded(42)
    return _trainer()(model, ours, theirs, *options)


# ---------------------------------------------------------------- sample


_ITOS = {i: s for s, i in _LETTERS.items()}


class _Speller:
    """A model that is certain of its next letter, and notes the contexts."""

    def __init__(self, name: str, itos: dict[int, str], block_size: int) -> None:
        stoi = {s: i for i, s in itos.items()}
        self.block_size, self.vocab, self.seen = block_size, len(itos), []
        context, self.next = (0,) * block_size, {}
        for letter in name + ".":
            self.next[context] = stoi[letter]
            context = (*context[1:], stoi[letter])

    def parameters(self) -> list[Tensor]:
        return []

    def __call__(self, X: Tensor) -> Tensor:
        self.seen += X.tolist()
        rows = [self.next.get(tuple(row), 0) for row in X.tolist()]
        if len(self.seen) > len(self.next) + 40:
            rows = [0] * len(rows)  # so that no loop is endless
        return F.one_hot(torch.tensor(rows), self.vocab) * 200.0 - 100.0


def _spelling(sample: Callable, name: str, itos: dict[int, str], k: int) -> Any:
    model = _Speller(name, itos, k)
    out = sample(model, itos, seeded(1))
    if type(out) is not str:
        return otherwise(out, "returned")
    return _returned("a text") | {"name": out, "contexts": model.seen}


def _spelled_case(sample: Callable, name: str, itos: dict[int, str], k: int) -> Case:
    stoi = {s: i for i, s in itos.items()}
    X, _ = _slow_pairs([name], stoi, k)
    want = _returned("a text") | {"name": name, "contexts": X.tolist()}
    act = lambda: _spelling(sample, name, itos, k)  # noqa: E731
    return case(f'a model that spells "{name}", block_size={k}', act, want)


def _long_spelling(sample: Callable) -> Any:
    """Whether a name of 110 letters comes whole."""
    letters = [i * step % 26 for step in (1, 3, 5, 7, 9) for i in range(22)]
    name = "".join("abcdefghijklmnopqrstuvwxyz"[i] for i in letters)
    out = sample(_Speller(name, _ITOS, 3), _ITOS, seeded(1))
    if type(out) is not str or not out:
        return otherwise(out, "returned")
    cut = len(out) < len(name) and name.startswith(out)
    told = "its beginning alone" if cut else "another one"
    return _returned("a text") | {"name": either(out == name, "all of it", told)}


class _Loaded:
    """A model that always gives the same odds: dot 20 %, a 40 %, the others 40 %."""

    block_size = 2
    logits = torch.tensor([[0.2, 0.4] + 25 * [0.016]]).log() + 5  # 5 changes no odds
    longest = 40  # letters, so that no loop is endless

    def __init__(self) -> None:
        self.asked = 0

    def parameters(self) -> list[Tensor]:
        return []

    def __call__(self, X: Tensor) -> Tensor:
        self.asked += 1
        if self.asked > self.longest:
            return F.one_hot(torch.zeros(len(X)).long(), 27) * 100.0
        return self.logits.repeat(len(X), 1)


def _many(sample: Callable, count: int, g: Any) -> list[Any]:
    return [sample(_Loaded(), _ITOS, g) for _ in range(count)]


def _odds(sample: Callable) -> Any:
    """Whether 400 draws have the odds of the model."""
    g, names = seeded(2), []
    while len("".join(names)) + len(names) < 400:
        names += _many(sample, 1, g)
        if type(names[-1]) is not str:
            return otherwise(names[-1], "returned")
    letters = Counter("".join(names))
    draws = letters.total() + len(names)
    return _returned("a text") | {
        "letters that are a": _share(letters["a"] / max(1, letters.total()), 2, 0.115),
        "draws that end a name": _share(len(names) / draws, 5, 0.08),
        "names of no letter": either(names.count("") > 1, "some", "none, or one"),
    }


def _share(found: float, parts: int, within: float) -> Said:
    """A share in words, where chance may move it a little."""
    if abs(found - 1 / parts) < within:
        return Said(f"1 of {parts}")
    if found > 1 / parts:
        return Said("more")
    return either(found < 0.08, "as rare as all others", "fewer")


_RIGHT_ODDS = _returned("a text") | {
    "letters that are a": Said("1 of 2"),
    "draws that end a name": Said("1 of 5"),
    "names of no letter": Said("some"),
}


def _dice(sample: Callable) -> Any:
    """How the names depend on the generator."""
    g = seeded(1)
    states, one = [g.get_state()], []
    for _ in range(5):
        one += _many(sample, 1, g)
        states.append(g.get_state())
    again, other = (_many(sample, 5, seeded(seed)) for seed in (1, 2))
    if any(type(name) is not str for name in one):
        return otherwise(one[0], "returned")
    moved = [not torch.equal(*pair) for pair in pairwise(states)]
    used = "used, and moves on" if all(moved[1:]) else "set back for each name"
    best = set(one[0]) == {"a"} and len(one[0]) > 30
    alike = "all of the likeliest letters" if best else "all the same"
    return _returned("a text") | {
        "generator": either(any(moved), used, "never used"),
        "five names": either(len(set(one)) > 1, "different ones", alike),
        "with the same seed": either(one == again, "the same names", "others"),
        "with another seed": either(one != other, "others", "the same names"),
    }


_RIGHT_DICE = _returned("a text") | {
    "generator": Said("used, and moves on"),
    "five names": Said("different ones"),
    "with the same seed": Said("the same names"),
    "with another seed": Said("others"),
}


def _without(sample: Callable) -> Any:
    """Eight names, no generator given."""
    names = [sample(_Loaded(), _ITOS) for _ in range(8)]
    if any(type(name) is not str for name in names):
        first = names[0]  # another one in each run, so that its type says enough
        said = _returned(f"no text: {type(first).__name__}")
        return first if first is None or first is ... else said
    different = either(len(set(names)) > 1, "different ones", "one and the same")
    return _returned("a text") | {"eight names": different}


_SHAPES = {0: ".", 1: "ß", 2: "x", 3: "a"}


@exercise("mlp.sample", version=2, limit=8)
def sample(sample: Callable) -> Cases:
    yield _spelled_case(sample, "ava", _ITOS, 3)
    whole = _returned("a text") | {"name": Said("all of it")}
    act = lambda: _long_spelling(sample)  # noqa: E731
    yield case("a model that spells a name of 110 letters", act, whole, once=True)
    for name, itos, k in (
        ("abcdefgh", _ITOS, 2),
        ("", _ITOS, 4),
        ("xßa", _SHAPES, 5),
        ("abcbd", _ITOS, 3),
    ):
        yield _spelled_case(sample, name, itos, k)
    yield case("5 names from seeds 1, 1 and 2", lambda: _dice(sample), _RIGHT_DICE)
    text = "400 draws: dot 20 %, a 40 %, 25 others 40 %"
    yield case(text, lambda: _odds(sample), _RIGHT_ODDS, once=True)
    want = _returned("a text") | {"eight names": Said("different ones")}
    text = "names drawn without a generator"
    yield case(text, lambda: _without(sample), want)


def _sampler(
    probs: Callable = lambda logits: F.softmax(logits, 1),
    choose: Callable = lambda p, g: torch.multinomial(p, 1, generator=g).item(),
    move: Callable = lambda context, i: [*context[1:], i],
    start: Callable = lambda k, g: [0] * k,
    join: Callable = lambda letters, itos: "".join(itos[i] for i in letters),
    dot: bool = False,
    dice: Callable = lambda g: g,
    most: int = 200,
) -> Callable:
    """sample with one thing done otherwise."""

    def sample(model, itos, generator=None):
        generator = dice(generator)
        context = start(model.block_size, generator)
        letters: list[int] = [i for i in context if i]
        for _ in range(most):
            i = choose(probs(model(torch.tensor([context]))), generator)
            if i or dot:
                letters.append(i)
            if i == 0:
                break
            context = move(context, i)
        return join(letters, itos)

    return sample


def _uneven_draw(p: Tensor, g: Any) -> int:
    return int(torch.randint(0, p.shape[1], (1,), generator=g))


_SAMPLERS: dict[str, tuple[str, dict[str, Any]]] = {
    "always the likeliest": (
        "The likeliest letter is taken: draw one, or every name is the same.",
        {"choose": lambda p, g: int(p.argmax())},
    ),
    "keeps the dot": (
        "The closing dot ends the name, and is no part of it.",
        {"dot": True},
    ),
    "window stands still": (
        "The context never moves: each letter is drawn as if it were the first.",
        {"move": lambda context, i: context},
    ),
    "window backwards": (
        "The window runs backwards: the newest letter stands last.",
        {"move": lambda context, i: [i, *context[:-1]]},
    ),
    "window grows": (
        "The context loses its oldest letter when it gains a new one.",
        {"move": lambda context, i: [*context, i]},
    ),
    "always three": (
        "The context has model.block_size letters, not always three.",
        {"start": lambda k, g: [0] * 3},
    ),
    "softmax over the batch": (
        "What is sure comes out at even odds: softmax(logits, dim=1) keeps it sure.",
        {"probs": lambda logits: F.softmax(logits, 0)},
    ),
    "no softmax": (
        "Logits are no probabilities: softmax first.",
        {"probs": lambda logits: logits},
    ),
    "even odds": (
        "All letters are equally likely: draw by the model's probabilities.",
        {"choose": _uneven_draw},
    ),
    "generator not used": (
        "The generator that is passed in is not used.",
        {"choose": lambda p, g: torch.multinomial(p, 1).item()},
    ),
    "seeded anew": (
        "Every name is drawn from the same seed: use the generator as it comes.",
        {"dice": lambda g: seeded(42)},
    ),
    "a seed where none is given": (
        "Without a generator every name is the same: torch draws by itself then.",
        {"dice": lambda g: g or seeded(42)},
    ),
    "cut short": (
        "A name ends with its dot, and only there: no longest length.",
        {"most": 15},
    ),
    "each score by itself": (
        "Sigmoid squashes each score by itself: softmax compares them.",
        {"probs": lambda logits: logits.sigmoid()},
    ),
    "sharpened": (
        "The odds are not the model's: the softmax of its logits as they are.",
        {"probs": lambda logits: F.softmax(logits / 0.8, 1)},
    ),
    "numbers": (
        "The letters' numbers are returned: look them up in itos and join.",
        {"join": lambda letters, itos: letters},
    ),
    "a list of letters": (
        "The letters are returned as a list: join them.",
        {"join": lambda letters, itos: [itos[i] for i in letters]},
    ),
}
# the same slip in other numbers
_OTHER_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "seeded anew": [
        {"dice": lambda g: g and g.manual_seed(0)},
        {"dice": lambda g: g.manual_seed(42) if g else torch.manual_seed(42)},
    ],
    "sharpened": [
        {"probs": lambda logits: F.softmax(logits, 1) ** 2},
    ],
}


def _put_sampler(name: str, sentence: str, options: dict[str, Any]) -> None:
    def others(make: Callable) -> Iterator[tuple[Callable]]:
        return ((_sampler(**other),) for other in _OTHER_OPTIONS.get(name, ()))

    sample.mistake(name, sentence, False, others)(_sampler(**options))


for _name, (_sentence, _options) in _SAMPLERS.items():
    _put_sampler(_name, _sentence, _options)


# ---------------------------------------------------------------- init_loss


_NETS = (
    {"vocab_size": 27, "block_size": 3, "embedding": 10, "hidden": 200},
    {"vocab_size": 9, "block_size": 2, "embedding": 4, "hidden": 30},
    {"vocab_size": 65, "block_size": 4, "embedding": 6, "hidden": 50},
)


def _calmed(calm: Callable, sizes: dict[str, int], seed: int = 1) -> Any:
    """What became of a model, and of its first loss."""
    model = _given().MLP(**sizes, generator=seeded(seed))
    tensors = model.parameters()
    kept = {n: getattr(model, n).detach().clone() for n in ("C", "W1", "b1")}
    V = sizes["vocab_size"]
    X = _contexts(200, seed, **sizes)
    Y = torch.randint(0, V, (200,), generator=seeded(seed + 1))
    before = F.cross_entropy(model(X), Y).item()
    old = model.W2.detach().clone()
    calm(model)
    own = all(a is b for a, b in zip(tensors, model.parameters(), strict=True))
    loss = F.cross_entropy(model(X), Y)
    for p in tensors:
        p.grad = None
    if loss.requires_grad:
        loss.backward()
    same = all(torch.equal(getattr(model, n), kept[n]) for n in kept)
    layer = (model.W2, model.b2)
    learns = all(p.requires_grad and p.is_leaf and p.grad is not None for p in layer)
    reached = _size(model.W1.grad) > 1e-3 * _size(_right_slope(sizes, seed, X, Y))
    return {
        "first loss": _first_loss(loss.item(), math.log(V), before),
        "weights": either(own, "the model's own tensors", "new tensors"),
        "C, W1 and b1": either(same, "as they were", "changed"),
        "b2": either(
            bool(model.b2.abs().max() < 0.05), "about zero", "as large as before"
        ),
        "W2": _scaled_said(old, model.W2.detach()),
        "W2 and b2 learn": either(learns, "as before", "no more"),
        "a gradient reaches": Said("the hidden layer" if reached else "W2 only"),
    }


def _size(slope: Tensor | None) -> float:
    return 0.0 if slope is None else slope.abs().sum().item()


def _right_slope(sizes: dict[str, int], seed: int, X: Tensor, Y: Tensor) -> Tensor:
    """The gradient that reaches W1 where the output layer is scaled by 0.01."""
    model = _given().MLP(**sizes, generator=seeded(seed))
    _right_calm(model)
    F.cross_entropy(model(X), Y).backward()
    return model.W1.grad


def _scaled_said(old: Tensor, new: Tensor) -> Said:
    """How the weights became what they are."""
    factor = ((old * new).sum() / (old * old).sum()).item()
    if not torch.allclose(new, factor * old, rtol=1e-3, atol=1e-9):
        return Said("other numbers")
    return either(
        factor >= 0, "its old numbers, scaled", "its old numbers, sign turned"
    )


def _first_loss(loss: float, even: float, before: float) -> Said:
    if abs(loss - even) < 0.05:
        return Said("within 0.05 of the even one")
    far = abs(loss - even) / abs(before - even)
    if far > 1.2:
        return Said("further from it than before")
    return either(far > 0.8, "as far from it as before", "nearer to it, but not near")


_CALM = {
    "first loss": Said("within 0.05 of the even one"),
    "weights": Said("the model's own tensors"),
    "C, W1 and b1": Said("as they were"),
    "b2": Said("about zero"),
    "W2": Said("its old numbers, scaled"),
    "W2 and b2 learn": Said("as before"),
    "a gradient reaches": Said("the hidden layer"),
}


@exercise("mlp.init_loss", version=2)
def init_loss(loss_at_start: Callable, calm: Callable) -> Cases:
    for V in (27, 2, 65, 1):
        yield call(loss_at_start, V, expects=math.log(V))
    for sizes in _NETS:
        act = lambda s=sizes: _calmed(calm, s)  # noqa: E731
        text = f"calm: {sizes['vocab_size']} letters, hidden {sizes['hidden']}"
        yield case(text, act, _CALM)
    seed = new_seed()
    act = lambda: _calmed(calm, _NETS[0], seed)  # noqa: E731
    yield case("calm: a new model", act, _CALM, fresh=True)


def _scaled(**factors: float) -> Callable:
    """calm with these factors."""

    def calm(model):
        with torch.no_grad():
            for name, factor in factors.items():
                getattr(model, name).mul_(factor)

    return calm


_right_calm = _scaled(W2=0.01, b2=0.0)


def _new_tensors(model):
    model.W2 = model.W2 * 0.01
    model.b2 = model.b2 * 0


def _new_plain_tensors(model):
    model.W2 = model.W2.detach() * 0.01
    model.b2 = torch.zeros_like(model.b2)


def _switched_off(model):
    for p in (model.W2, model.b2):
        p.requires_grad = False
    model.W2 *= 0.01
    model.b2 *= 0


def _all_alike(model):
    model.W2.data.fill_(0.01)
    model.b2.data.zero_()


def _recorded(model):
    model.W2 *= 0.01
    model.b2 *= 0


_STARTS: dict[str, tuple[str, Callable]] = {
    "base ten": ("The loss is in nats: the natural logarithm.", math.log10),
    "base two": ("log2 gives bits: a loss in nats has the natural one.", math.log2),
    "negated": ("-log(1/V) is positive.", lambda V: -math.log(V)),
    "the probability": (
        "That is the probability: the loss is -log of it.",
        lambda V: 1 / V,
    ),
    "always 27": (
        "The loss depends on the number of letters.",
        lambda V: math.log(27),
    ),
}
for _name, (_sentence, _wrong) in _STARTS.items():
    init_loss.mistake(_name, _sentence, True)(lambda w=_wrong: (w, _right_calm))

_CALMERS: dict[str, tuple[str, Callable]] = {
    "bias left": (
        "The output layer's bias is as large as before: scale it down too.",
        _scaled(W2=0.01),
    ),
    "weights left": (
        "The output layer's weights are as large as before.",
        _scaled(b2=0.0),
    ),
    "all zeros": (
        "With weights of zero no gradient reaches the hidden layer.",
        _scaled(W2=0.0, b2=0.0),
    ),
    "not enough": (
        "The logits are smaller, but not small: scale further.",
        _scaled(W2=0.3, b2=0.0),
    ),
    "everything": (
        "Only the output layer is to be scaled: the others start as they did.",
        _scaled(C=0.01, W1=0.01, b1=0.01, W2=0.01, b2=0.0),
    ),
    "the hidden layer": (
        "The hidden layer is scaled: the logits come from the output layer.",
        _scaled(W1=0.01, b1=0.0),
    ),
    "switched off": (
        "requires_grad is off and stays off: W2 and b2 would learn no more.",
        _switched_off,
    ),
    "sign turned": (
        "The factor is negative: W2 is to shrink, not to turn round.",
        _scaled(W2=-0.01, b2=0.0),
    ),
    "all alike": (
        "W2 holds new numbers: scale the old ones, which differ from unit to unit.",
        _all_alike,
    ),
    "recorded": (
        "Torch refuses to change a leaf while it records: use torch.no_grad().",
        _recorded,
    ),
}
for _name, (_sentence, _wrong) in _CALMERS.items():
    init_loss.mistake(_name, _sentence, True)(lambda w=_wrong: (math.log, w))


def _other_tensors(make: Callable) -> Iterator[tuple[Callable, Callable]]:
    yield math.log, _new_plain_tensors


@init_loss.mistake(
    "new tensors",
    "Arithmetic makes a new tensor, which is no leaf: change the model's own in place.",
    True,
    _other_tensors,
)
def _():
    return math.log, _new_tensors


# ---------------------------------------------------------------- beat_the_lecture


_MOST = 12_000
_FAR = "in letters that train never shows"


def _pairs_of(names: list[str], k: int) -> Data:
    return _kept_pairs(tuple(names), k)


@cache
def _kept_pairs(names: tuple[str, ...], k: int) -> Data:
    return _slow_pairs(list(names), _LETTERS, k)


class _Backwards(TorchFunctionMode):
    """Counts how often gradients are computed."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.count += getattr(func, "__name__", "") in ("backward", "grad")
        return func(*args, **(kwargs or {}))


def _learning_in(thing: Any, depth: int = 4) -> Iterator[Tensor]:
    """The tensors inside an object that would learn, whatever it says of itself."""
    if isinstance(thing, Tensor):
        if thing.requires_grad and thing.is_leaf:
            yield thing
    elif depth:
        inner = thing if isinstance(thing, list | tuple) else ()
        if isinstance(thing, dict):
            inner = list(thing.values())
        elif hasattr(thing, "__dict__") and not isinstance(thing, type):
            inner = list(vars(thing).values())
        for part in inner:
            yield from _learning_in(part, depth - 1)


def _attempt(beat: Callable, train: list[str], dev: list[str], steps: int) -> Any:
    """A short run of the learner's recipe: the model, its log, what was touched."""
    ours, theirs = list(train), list(dev)
    old = {"tried": "the lecture's recipe", "dev": 2.1701}
    log = [dict(old)]
    with _Backwards() as backwards:
        model = beat(ours, theirs, dict(_LETTERS), steps, log)
    if model is None or model is ... or not callable(model):
        return otherwise(model, "returned")
    if missing := [n for n in ("block_size", "parameters") if not hasattr(model, n)]:
        return {"the model": Said(f"has no {missing[0]}")}
    untouched = (ours, theirs) == (list(train), list(dev))
    return model, log, old, untouched, backwards.count


def _attempted(beat: Callable, train: list[str], dev: list[str], steps: int) -> Any:
    """What a recipe made of real names, on a small budget."""
    made = _attempt(beat, train, dev, steps)
    if type(made) is not tuple:
        return made
    model, log, old, untouched, steps_taken = made
    learned = {id(p): p for p in [*model.parameters(), *_learning_in(model)]}
    count = sum(p.numel() for p in learned.values())
    if not 0 < count <= _MOST:
        return {"parameters": Said("more, or none")}
    X, Y = _pairs_of(dev, model.block_size)
    with torch.no_grad():
        logits = model(X)
    if not isinstance(logits, Tensor) or tuple(logits.shape) != (len(X), 27):
        return {"logits": Said(_what(logits))}
    loss = _cross(logits, Y)
    return _returned("a model") | {
        "parameters": Said("at most 12,000"),
        "logits": _logits_said(logits),
        "gradients": either(steps_taken > 0, "computed", "never computed"),
        "dev loss": _between(loss, 1.6, 2.9),
        "the log": _log_said(log, old),
        "its dev loss": _row_said(log, loss, model, train),
        "train and dev": either(untouched, "as they were", "changed"),
    }


def _cross(logits: Tensor, Y: Tensor) -> float:
    return F.cross_entropy(logits.double(), Y).item()


def _logits_said(logits: Tensor) -> Said:
    if not bool(torch.isfinite(logits).all()):
        return Said("not finite")
    sums = logits.exp().sum(1), logits.sum(1)
    one = bool((logits >= 0).all()) and torch.allclose(sums[1], torch.ones(len(logits)))
    return either(not one, "scores", "probabilities")


def _log_said(log: list[dict], old: dict) -> Said:
    if not log or log[0] != old:
        return Said("earlier rows are lost")
    if len(log) == 1:
        return Said("no row more")
    row = log[-1]
    fit = isinstance(row, dict) and isinstance(row.get("tried"), str) and "dev" in row
    if len(log) > 2:
        return Said(f"{len(log) - 1} rows more")
    return either(fit, "one row more", 'a row without "tried" and "dev"')


def _row_said(log: list[dict], loss: float, model: Any, train: list[str]) -> Said:
    """Whether the row tells the model's dev loss."""
    row = log[-1] if len(log) > 1 else {}
    told = row.get("dev") if isinstance(row, dict) else None
    if not isinstance(told, float | int):
        return Said("not told" if told is None else f"told as {_what(told)}")
    if _tells(told, loss):
        return Said("the model's own")
    X, Y = _pairs_of(train, model.block_size)
    with torch.no_grad():
        known = _cross(model(X), Y)
    return either(_tells(told, known), "the train loss", "another number")


def _tells(told: float, loss: float) -> bool:
    """Whether a number is this loss, in full or rounded to two digits or more."""
    if round(told, 2) == told:
        return abs(told - loss) < 0.0051
    return abs(told - loss) < (6e-4 if round(told, 3) == told else 1e-4)


_ATTEMPTED = _returned("a model") | {
    "parameters": Said("at most 12,000"),
    "logits": Said("scores"),
    "gradients": Said("computed"),
    "dev loss": Said("between 1.6 and 2.9"),
    "the log": Said("one row more"),
    "its dev loss": Said("the model's own"),
    "train and dev": Said("as they were"),
}


@cache
def _far_names() -> tuple[list[str], list[str]]:
    """Names of the letters a to m, and dev names of the letters n to z alone."""
    rng = random.Random(9)
    near = ["".join(rng.choices("abcdefghijklm", k=5)) for _ in range(200)]
    far = ["".join(rng.choices("nopqrs", k=5)) for _ in range(60)]
    return near, far


def _unlearned(beat: Callable) -> Any:
    """Whether the model learned from train, and from nothing else."""
    near, far = _far_names()
    made = _attempt(beat, near, far, 80)
    if type(made) is not tuple:
        return made
    model = made[0]
    knows_near, knows_far = _on_pairs(model, near) < 3, _on_pairs(model, far) < 2.9
    knows_far = knows_far or _prefers(model, far, slice(14, 20))  # n to s
    if knows_far and not (knows_near or _prefers(model, near, slice(1, 14))):
        return {"dev names": Said("learned, and train is not")}
    return {
        "dev names": either(knows_far, "learned", "new to the model"),
        "train names": either(
            knows_near or knows_far, "learned", "not learned: other ones were"
        ),
    }


def _prefers(model: Any, names: list[str], letters: slice) -> bool:
    """Whether the letters of these names score above those that no pile shows.

    Steps on other names push both down alike; what is left between them is how they
    began, and that is as large among the letters of one kind.
    """
    X, _ = _pairs_of(names, model.block_size)
    with torch.no_grad():
        means = model(X).double().mean(0)
    shown, nowhere = means[letters], means[20:27]  # t to z
    gap = shown.mean() - nowhere.mean()
    chance = nowhere.std() * (1 / len(shown) + 1 / len(nowhere)) ** 0.5
    return bool(gap > 0.3 and gap > 4 * chance)


def _on_pairs(model: Any, names: list[str]) -> float:
    X, Y = _pairs_of(names, model.block_size)
    with torch.no_grad():
        return _cross(model(X), Y)


@exercise(
    "mlp.beat_the_lecture",
    version=2,
    limit=30,
    stands_on={"one_cycle": _right_cycle, "step_decay": _right_decay}
    | {"minibatch_step": _right_step, "calm": _right_calm, "datasets": _right_datasets},
)
def beat_the_lecture(beat_the_lecture: Callable) -> Cases:
    names = _sample_names()
    ours, theirs = list(names[:2500]), list(names[2500:2800])
    act = lambda: _attempted(beat_the_lecture, ours, theirs, 150)  # noqa: E731
    yield case("2,500 names, 150 steps", act, _ATTEMPTED, once=True)
    act = lambda: _unlearned(beat_the_lecture)  # noqa: E731
    want = {"dev names": Said("new to the model"), "train names": Said("learned")}
    yield case(f"dev names {_FAR}, 80 steps", act, want, once=True)


def _descended(model: Any, X: Tensor, Y: Tensor, lr: float, g: Any) -> Tensor:
    ix = _fair(X, 64, g)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    _subtract(model, lr)
    return loss


def _recipe(
    hidden: int = 60,
    lr: float = 0.5,
    scale: float = 0.3,
    names: Callable = lambda train, dev: train,
    told: Callable = lambda on_train, on_dev, batch: on_dev,
    note: Callable = lambda log, row: log.append(row),
    out: Callable = lambda model: model,
) -> Callable:
    """A small recipe with one thing done otherwise."""

    def beat_the_lecture(train, dev, stoi, steps, log):
        module = _given()
        model = module.MLP(27, 3, 8, hidden, seeded(1))
        with torch.no_grad():
            model.W1 *= scale
            model.W2 *= 0.01 if scale < 1 else 1
            model.b2 *= 0
        X, Y = _pairs_of(names(train, dev), 3)
        g = seeded(2)
        for _ in range(steps if lr else 0):
            loss = _descended(model, X, Y, lr, g)
        losses = [module.evaluate(model, *_pairs_of(n, 3)) for n in (train, dev)]
        batch = loss.item() if lr else 0.0
        note(log, {"tried": "a small recipe", "dev": told(*losses, batch)})
        return out(model)

    return beat_the_lecture


class _Changed:
    """A model whose logits are changed by a function."""

    block_size = 3

    def __init__(self, model: Any, change: Callable) -> None:
        self.model, self.change = model, change

    def parameters(self) -> list[Tensor]:
        return self.model.parameters()

    def __call__(self, X: Tensor) -> Tensor:
        return self.change(self.model(X))


def _begun_anew(log: list[dict], row: dict) -> None:
    log[:] = [row]


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
        "The model has more than 12,000 parameters: that is another contest.",
        {"hidden": 400},
    ),
    "train loss told": (
        "The row tells the train loss as dev's.",
        {"told": lambda on_train, on_dev, batch: on_train},
    ),
    "batch's loss told": (
        "The row tells another number than the model's loss on all dev pairs.",
        {"told": lambda on_train, on_dev, batch: batch},
    ),
    "no row": (
        "Nothing was noted: append what was tried, and its dev loss, to log.",
        {"note": lambda log, row: None},
    ),
    "log begun anew": (
        "Earlier attempts are gone from the log: append to it.",
        {"note": _begun_anew},
    ),
    "other names": (
        "It learns from names of its own: train on those that are passed in.",
        {"names": lambda train, dev: list(_sample_names()[3000:5000])},
    ),
    "two rows": (
        "One call adds one row to the log: the model that is returned, and its loss.",
        {"note": lambda log, row: log.extend([dict(row), row])},
    ),
    "not trained": (
        "The model has learned nothing: no gradient was ever computed.",
        {"lr": 0.0},
    ),
    "a slow start": (
        "150 steps leave it above 2.9: too slow a start, or too large a rate.",
        {"lr": 0.1, "scale": 1.0},
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
}
for _name, (_sentence, _options) in _RECIPES.items():
    beat_the_lecture.mistake(_name, _sentence)(_recipe(**_options))


# ---------------------------------------------------------------- skip_connections


def _wrapped(WithSkip: type, sizes: dict[str, int], seed: int) -> Any:
    return WithSkip(_model(_given().MLP, seed, **sizes))


def _skip_facts(WithSkip: type, sizes: dict[str, int]) -> Any:
    """What the wrapped model is made of."""
    inner = _model(_given().MLP, 1, **sizes)
    model = WithSkip(inner)
    S, found = getattr(model, "S", None), model.parameters()
    if not isinstance(S, Tensor):
        return {"S": Said("is missing" if S is None else kind(S))}
    if type(found) not in (list, tuple):
        return otherwise(found, "returned")
    own = {id(p) for p in inner.parameters()} <= {id(p) for p in found}
    return _returned("a list") | {
        "block_size": getattr(model, "block_size", Said("missing")),
        "shape of S": list(S.shape),
        "S starts at": either(not bool(S.detach().any()), "zero", "other numbers"),
        "S learns": bool(S.requires_grad and S.is_leaf),
        "tensors": len({id(p) for p in found}),
        "S among the parameters": any(p is S for p in found),
        "the model's own tensors": either(own, "all there", "not all there"),
    }


def _skip_made(sizes: dict[str, int]) -> dict[str, Any]:
    shape = [sizes["block_size"] * sizes["embedding"], sizes["vocab_size"]]
    return _returned("a list") | {
        "block_size": sizes["block_size"],
        "shape of S": shape,
        "S starts at": Said("zero"),
        "S learns": True,
        "tensors": 6,
        "S among the parameters": True,
        "the model's own tensors": Said("all there"),
    }


def _skip_logits(WithSkip: type, sizes: dict[str, int], seed: int, zero: bool) -> Any:
    model = _wrapped(WithSkip, sizes, seed)
    if not zero:
        rows, V = sizes["block_size"] * sizes["embedding"], sizes["vocab_size"]
        model.S.data = _table(rows, V, seed + 1)
    return model(_contexts(6, seed, **sizes))


def _skip_case(
    WithSkip: type, sizes: dict[str, int], seed: int, zero: bool, **more: Any
) -> Case:
    X, weights = _contexts(6, seed, **sizes), _weights(seed, **sizes)
    want = _slow_logits(weights, X)
    if not zero:
        rows = sizes["block_size"] * sizes["embedding"]
        S = _table(rows, sizes["vocab_size"], seed + 1)
        x = torch.stack(
            [torch.cat([weights["C"][i] for i in row]) for row in X.tolist()]
        )
        want = want + x @ S
    text = f"logits of 6 contexts, S {'zero' if zero else 'random'}"
    act = lambda: _skip_logits(WithSkip, sizes, seed, zero)  # noqa: E731
    return case(text, act, want, within=FLOAT32, **more)


def _skip_slopes(WithSkip: type) -> Any:
    """Which tensors receive a gradient, and by which way it comes to the table."""
    model = _wrapped(WithSkip, _SIZES, 2)
    S = _table(12, 7, 5)
    model.S.data = S.clone()
    X, Y = _contexts(6, 2, **_SIZES), torch.arange(6)
    loss = F.cross_entropy(model(X), Y)
    if not loss.requires_grad:
        return Said("none")
    loss.backward()
    found = model.parameters()
    return {
        "tensors with a gradient": sum(_size(p.grad) > 0 for p in found),
        "S has one": _size(model.S.grad) > 0,
        "C has that of": _ways([p.grad for p in found if p.shape == (7, 3)], S, X, Y),
    }


def _ways(slopes: list[Tensor | None], S: Tensor, X: Tensor, Y: Tensor) -> Said:
    """By which ways the gradient of the table came, done again in double precision."""
    got = slopes[0] if slopes else None
    for said, through_model, through_S in (
        ("both ways", True, True),
        ("the model alone", True, False),
        ("the direct way alone", False, True),
    ):
        again = [p.double().requires_grad_() for p in _weights(2, **_SIZES).values()]
        bare, x = _forward(again, X), again[0][X].view(len(X), -1)
        bare = bare if through_model else bare.detach()
        x = x if through_S else x.detach()
        F.cross_entropy(bare + x @ S.double(), Y).backward()
        if got is not None and torch.allclose(got.double(), again[0].grad, rtol=1e-4):
            return Said(said)
    return either(_size(got) > 0, "something else", "none")


@exercise("mlp.skip_connections", version=2)
def skip_connections(WithSkip: type) -> Cases:
    other = {"vocab_size": 5, "block_size": 2, "embedding": 4, "hidden": 3}
    for sizes in (_SIZES, other):
        act = lambda s=sizes: _skip_facts(WithSkip, s)  # noqa: E731
        words = ", ".join(f"{name}={size}" for name, size in sizes.items())
        text = f"WithSkip of MLP({words})"
        yield case(text, act, _skip_made(sizes), telling=True)
    for zero in (True, False):
        for sizes in (_SIZES, other):
            yield _skip_case(WithSkip, sizes, 3, zero)
    want = {"tensors with a gradient": 6, "S has one": True}
    want |= {"C has that of": Said("both ways")}
    yield case("after loss.backward()", lambda: _skip_slopes(WithSkip), want)
    yield _skip_case(WithSkip, _SIZES, new_seed(), False, fresh=True)


class _Skip:
    """The start of the wrong wrappers below: right, but for what each one changes."""

    def __init__(self, model):
        self.model, self.block_size = model, model.block_size
        self.S = self.start(len(model.W1), len(model.b2)).requires_grad_()

    def __init_subclass__(cls):
        cls.__name__ = "WithSkip"  # so that errors read as the learner's do

    def start(self, rows, columns):
        return torch.zeros(rows, columns)

    def inputs(self, X):
        return self.model.C[X].view(len(X), -1)

    def __call__(self, X):
        return self.model(X) + self.inputs(X) @ self.S

    def parameters(self):
        return [*self.model.parameters(), self.S]


@skip_connections.mistake(
    "not a parameter", "S is not in parameters(): it never learns."
)
class _(_Skip):
    def parameters(self):
        return self.model.parameters()


@skip_connections.mistake(
    "the others forgotten", "parameters() gives S alone: the model learns as well."
)
class _(_Skip):
    def parameters(self):
        return [self.S]


@skip_connections.mistake(
    "random start", "S starts at zero: at first the wrapped model says what it said."
)
class _(_Skip):
    def start(self, rows, columns):
        return torch.randn(rows, columns, generator=seeded(1))


@skip_connections.mistake("no gradient", "S has no gradient: requires_grad is missing.")
class _(_Skip):
    def __init__(self, model):
        super().__init__(model)
        self.S = torch.zeros(len(model.W1), len(model.b2))


@skip_connections.mistake(
    "in place of the model", "The direct logits are added to the model's own."
)
class _(_Skip):
    def __call__(self, X):
        return self.inputs(X) @ self.S


@skip_connections.mistake("never used", "S is there, and the logits do not use it.")
class _(_Skip):
    def __call__(self, X):
        return self.model(X)


@skip_connections.mistake("squashed", "The direct connections are linear: no tanh.")
class _(_Skip):
    def __call__(self, X):
        return self.model(X) + torch.tanh(self.inputs(X) @ self.S)


@skip_connections.mistake(
    "rows for one letter",
    "S has the rows of one letter: all of them go in, side by side.",
)
class _(_Skip):
    def __init__(self, model):
        super().__init__(model)
        shape = model.C.shape[1], len(model.b2)
        self.S = torch.zeros(shape, requires_grad=True)

    def inputs(self, X):
        return self.model.C[X[:, -1]]


@skip_connections.mistake(
    "letter numbers", "The embedded letters go in, not their numbers."
)
class _(_Skip):
    def __init__(self, model):
        super().__init__(model)
        shape = model.block_size, len(model.b2)
        self.S = torch.zeros(shape, requires_grad=True)

    def inputs(self, X):
        return X.float()


@skip_connections.mistake(
    "from the hidden layer", "The direct way leads around the hidden layer."
)
class _(_Skip):
    def __init__(self, model):
        super().__init__(model)
        self.S = torch.zeros_like(model.W2).requires_grad_()

    def inputs(self, X):
        return torch.tanh(super().inputs(X) @ self.model.W1 + self.model.b1)


@skip_connections.mistake(
    "cut off", "A detached embedding gets no gradient by the direct way."
)
class _(_Skip):
    def __call__(self, X):
        return self.model(X) + self.inputs(X).detach() @ self.S


@skip_connections.mistake(
    "the model cut off", "The model's own logits carry no gradient: it would not learn."
)
class _(_Skip):
    def __call__(self, X):
        with torch.no_grad():
            bare = self.model(X)
        return bare + self.inputs(X) @ self.S


@skip_connections.mistake(
    "a copy", "The model is copied: its own tensors are not among the parameters."
)
class _(_Skip):
    def __init__(self, model):
        super().__init__(copy.deepcopy(model))


@skip_connections.mistake(
    "no block_size", "The wrapped model has a block_size too: sample asks for it."
)
class _(_Skip):
    def __init__(self, model):
        super().__init__(model)
        del self.block_size
