"""Checks of lesson 8: bytes, pairs and merges against slow loops; texts that bite.

Most wrong tokenizers are right on most texts, and nearly all give a text back as it
was. So the cases are crafted: each known mistake changes an id in one of them.
"""

import atexit
import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import regex

from workbook.checks.cases import Case, call, case, exercise, new_seed
from workbook.checks.rehoming import required
from workbook.checks.saying import either, is_nothing, otherwise
from workbook.compare import Said, kind

Cases = Iterator[Case]
Pair = tuple[int, int]
Ids = list[int]


@cache
def _given() -> Any:
    return required("tokenizer")


def like(base: type, **methods: Any) -> type:
    """The class with some methods written otherwise."""
    return type(base.__name__, (base,), methods)


def refused(act: Callable[[], Any], *names: str) -> Any:
    """A ValueError whose text has these names, or what came in its place."""
    try:
        out = act()
    except ValueError as error:
        gone = [name for name in names if name not in str(error)]
        return Said(f"a ValueError without {gone[0]}" if gone else "a ValueError")
    return Said("nothing" if is_nothing(out) else kind(out))


REFUSED = Said("a ValueError")


def answered_by(act: Callable[[], Any]) -> Any:
    """The same, any other error told by its name alone."""
    try:
        return refused(act)
    except NotImplementedError:
        raise
    except Exception as error:
        name = type(error).__name__
        return Said(f"{'an' if name[0] in 'AEIOU' else 'a'} {name}")


# ---------------------------------------------------------------- slow and plain


def put(ids: Iterable[int], pair: Pair, idx: int) -> Ids:
    """Merge by looking back: is the last element free, and the pair complete?"""
    out: Ids = []
    free = False
    for i in ids:
        if free and (out[-1], i) == pair:
            out[-1], free = idx, False
        else:
            out.append(i)
            free = True
    return out


def learned(rows: list[bytes], count: int) -> list[Pair]:
    """The pairs of so many merges in rows of bytes: the commonest, the first seen."""
    found, lists = [], [list(row) for row in rows]
    for idx in range(256, 256 + count):
        pairs = [pair for row in lists for pair in pairwise(row)]
        if not pairs:
            break
        found.append(max(pairs, key=pairs.count))
        lists = [put(row, found[-1], idx) for row in lists]
    return found


def encoded(pairs: Sequence[Pair], text: bytes) -> Ids:
    """The ids of some bytes: one pass for each merge, in the order learned."""
    ids = list(text)
    for idx, pair in enumerate(pairs, 256):
        ids = put(ids, pair, idx)
    return ids


def table(pairs: Sequence[Pair]) -> dict[int, bytes]:
    """The bytes of each token."""
    found = {i: bytes([i]) for i in range(256)}
    for idx, (one, two) in enumerate(pairs, 256):
        found[idx] = found[one] + found[two]
    return found


def holding(tokenizer: Any, pairs: Sequence[Pair]) -> Any:
    """The tokenizer with these merges."""
    tokenizer.merges = {pair: idx for idx, pair in enumerate(pairs, 256)}
    tokenizer.vocab = table(pairs)
    return tokenizer


def scribble(seed: int, letters: str, length: int) -> str:
    """Letters drawn at random."""
    return "".join(random.Random(seed).choices(letters, k=length))


# ---------------------------------------------------------------- utf8


@exercise("tokenizer.utf8", version=2)
def utf8(utf8: Callable) -> Cases:
    for text in ("é", "Hi", "안", "👋", ""):
        yield call(utf8, text, expects=list(text.encode()))
    edges = "\x00\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"
    for char in edges:
        yield call(utf8, char, expects=list(char.encode()))
    yield call(utf8, "naïve 안녕 😉!", expects=list("naïve 안녕 😉!".encode()))
    yield call(utf8, "e\u0301", expects=[101, 204, 129])
    yield call(utf8, " a\r\n ", expects=[32, 97, 13, 10, 32])
    for text in ("a\ud800b", "\udbff", "\udc00", "\udfffé", "\ud83d\ude09"):
        mended = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
        yield call(utf8, text, expects=list(mended.encode()))
    draw = random.Random(new_seed())
    codes = [draw.randrange(2 ** draw.randint(7, 16)) for _ in range(30)]
    text = "".join(chr(c) for c in codes if not 0xD800 <= c <= 0xDFFF)
    yield call(utf8, text, expects=list(text.encode()), fresh=True)


def _utf8(
    edges: tuple[int, ...] = (0x7F, 0x7FF, 0xFFFF),
    leads: tuple[int, ...] = (0x00, 0xC0, 0xE0, 0xF0),
    follow: Callable[[int], int] = lambda bits: 0x80 | bits & 0x3F,
    odd: tuple[int, int, str] = (0xD800, 0xDFFF, "\ufffd"),
    turned: bool = False,
    made: Callable[[Ids], Any] = list,
) -> Callable:
    """utf8 with one thing done otherwise."""

    def utf8(text):
        out = []
        chars = (odd[2] if odd[0] <= ord(c) <= odd[1] else c for c in text)
        for code in map(ord, "".join(chars)):
            more = sum(code > edge for edge in edges)
            rest = [follow(code >> 6 * k) for k in reversed(range(more))]
            first = leads[more] | code >> 6 * more
            out += [first, *(rest[::-1] if turned else rest)]
        return made(out)

    return utf8


_NO_ODD = (1, 0, "")  # no range at all

utf8.table(
    lambda: (_utf8(),),
    {
        "code points": (
            "These are code points: from 128 on a character takes several bytes.",
            (lambda text: [ord(char) for char in text],),
        ),
        "bytes": (
            "The result is bytes: a list of numbers is wanted.",
            (_utf8(made=bytes),),
            (lambda text: text.encode("utf-8"),),
        ),
        "surrogates refused": (
            "Python's encode refuses surrogates: put 0xFFFD in their place.",
            (lambda text: list(text.encode("utf-8")),),
            (lambda text: [byte for char in text for byte in char.encode()],),
        ),
        "surrogates as they are": (
            "Surrogates are written as they are, which is no UTF-8: put 0xFFFD.",
            (_utf8(odd=_NO_ODD),),
        ),
        "a question mark": (
            "A surrogate became a question mark: 0xFFFD is wanted.",
            (_utf8(odd=(0xD800, 0xDFFF, "?")),),
        ),
        "surrogates gone": (
            "Surrogates are left out: 0xFFFD is wanted in their place.",
            (_utf8(odd=(0xD800, 0xDFFF, "")),),
        ),
        "two at once": (
            "Two surrogates side by side became one character: 0xFFFD for each.",
            (
                lambda text: list(
                    text.encode("utf-16", "surrogatepass")
                    .decode("utf-16", "replace")
                    .encode()
                ),
            ),
            (
                lambda text: list(
                    regex.sub("[\ud800-\udfff]+", "\ufffd", text).encode()
                ),
            ),
        ),
        "half of the surrogates": (
            "Surrogates go from 0xD800 to 0xDFFF: these are half of them.",
            (_utf8(odd=(0xD800, 0xDBFF, "\ufffd")),),
        ),
        "one byte up to 255": (
            "One byte holds code points up to 127: the eighth bit says that more come.",
            (_utf8(edges=(0xFF, 0x7FF, 0xFFFF)),),
        ),
        "not masked": (
            "A byte that follows has six bits: mask with 0x3F.",
            (_utf8(follow=lambda bits: 0x80 | bits),),
        ),
        "no leading bit": (
            "A byte that follows begins with the bits 10: add 0x80.",
            (_utf8(follow=lambda bits: bits & 0x3F),),
        ),
        "low bits first": (
            "The bytes that follow are turned around: the highest bits come first.",
            (_utf8(turned=True),),
        ),
        "three bytes at most": (
            "Above 0xFFFF a character takes four bytes.",
            (_utf8(edges=(0x7F, 0x7FF)),),
        ),
    },
)


# ---------------------------------------------------------------- pair_counts


def _counted(out: Any) -> Any:
    if not isinstance(out, dict):
        return otherwise(out)
    return {"result": dict(out), "in order": list(out)}


def _counts_of(*rows: Sequence[int]) -> dict[str, Any]:
    pairs = [pair for row in rows for pair in pairwise(row)]
    found = {pair: pairs.count(pair) for pair in pairs}
    return {"result": found, "in order": list(found)}


def _count(pair_counts: Callable, ids: Ids, **options: Any) -> Case:
    inner = call(pair_counts, ids, expects=None)
    act = lambda: _counted(inner.act())  # noqa: E731
    return case(inner.text, act, _counts_of(ids), **options)


def _twice(pair_counts: Callable) -> Any:
    """Whether a second call still has what the first one counted."""
    first = pair_counts([901, 902])
    if is_nothing(first):
        return first
    second = pair_counts([903, 904])
    if not isinstance(second, dict):
        return otherwise(second)
    stale = (901, 902) in second
    return {"(901, 902)": either(stale, "still counted", "not counted")}


def _added(pair_counts: Callable, before: dict[Pair, int], *rows: Ids) -> Any:
    counts, outs = dict(before), []
    for ids in rows:
        outs.append(pair_counts(ids, counts))
    out = outs[-1]
    if not isinstance(out, dict):
        return {"counts": dict(counts)} | (otherwise(out) or {"result": Said("None")})
    where = "counts itself" if out is counts else "another dict"
    return {"counts": counts, "result": dict(out), "which is": Said(where)}


def _add(pair_counts: Callable, said: str, before: dict[Pair, int], *rows: Ids) -> Case:
    want = dict(before)
    for pair, n in _counts_of(*rows)["result"].items():
        want[pair] = want.get(pair, 0) + n
    facts = {"counts": want, "result": want, "which is": Said("counts itself")}
    return case(said, lambda: _added(pair_counts, before, *rows), facts)


@exercise("tokenizer.pair_counts", version=2)
def pair_counts(pair_counts: Callable) -> Cases:
    yield case(
        "pair_counts([901, 902]), then pair_counts([903, 904])",
        lambda: _twice(pair_counts),
        {"(901, 902)": Said("not counted")},
        telling=True,
    )
    for ids in ([1, 2, 3, 1, 2], [7, 7, 7], [1, 2, 1], [5], []):
        yield _count(pair_counts, ids)
    yield _count(pair_counts, [9, 2, 9, 3, 9, 3])
    yield _count(pair_counts, [100257, 300, 44, 300, 100257, 300])
    yield _add(
        pair_counts,
        "counts = {(1, 2): 5}; pair_counts([1, 2, 3], counts)",
        {(1, 2): 5},
        [1, 2, 3],
    )
    yield _add(
        pair_counts,
        "counts = {}; pair_counts([4, 5], counts); pair_counts([4, 5], counts)",
        {},
        [4, 5],
        [4, 5],
    )
    draw = random.Random(new_seed())
    ids = [draw.randrange(4) for _ in range(draw.randint(30, 40))]
    yield _count(pair_counts, ids, fresh=True)


def _counting(
    pairs: Callable[[Ids], Iterable[Any]] = lambda ids: pairwise(ids),
    start: Callable[[Any], Any] = lambda counts: {} if counts is None else counts,
    add: Callable[[int], int] = lambda before: before + 1,
    end: Callable[[Any], Any] = lambda counts: counts,
) -> Callable:
    """pair_counts with one thing done otherwise."""

    def pair_counts(ids, counts=None):
        counts = start(counts)
        for pair in pairs(ids):
            counts[pair] = add(counts.get(pair, 0))
        return end(counts)

    return pair_counts


def _counting_into_one() -> Callable:
    kept: dict = {}
    return _counting(start=lambda counts: kept if counts is None else counts)


def _apart(ids: Ids) -> Iterator[Pair]:
    """Pairs that share no element with the same pair before."""
    last = None
    for i, pair in enumerate(pairwise(ids)):
        if last == (i - 1, pair):
            last = None
        else:
            last = (i, pair)
            yield pair


pair_counts.table(
    lambda: (_counting(),),
    {
        "a default that stays": (
            "A default `{}` is made once, and keeps what earlier calls counted.",
            (_counting_into_one(),),
        ),
        "an empty dict not filled": (
            "An empty dict counts as false: ask whether counts is None.",
            (_counting(start=lambda counts: counts or {}),),
        ),
        "the given dict ignored": (
            "The dict that is given is not used: add to it.",
            (_counting(start=lambda counts: {}),),
        ),
        "a copy": (
            "A copy of the given dict is filled: add to that very dict.",
            (_counting(start=lambda counts: dict(counts or {})),),
            (_counting(end=lambda counts: dict(counts)),),
        ),
        "without overlap": (
            "In [7, 7, 7] the pair stands twice: overlaps count.",
            (_counting(pairs=_apart),),
        ),
        "every other pair": (
            "Only every other pair is counted: pairs overlap by one element.",
            (_counting(pairs=lambda ids: zip(ids[::2], ids[1::2], strict=False)),),
        ),
        "the last pair lost": (
            "The last pair is not counted.",
            (_counting(pairs=lambda ids: pairwise(ids[:-1])),),
        ),
        "round the end": (
            "The last element and the first are no neighbours.",
            (_counting(pairs=lambda ids: zip(ids, ids[1:] + ids[:1], strict=True)),),
            (
                _counting(
                    pairs=lambda ids: [(ids[i - 1], ids[i]) for i in range(len(ids))]
                ),
            ),
        ),
        "order in a pair lost": (
            "(1, 2) and (2, 1) are counted as one: a pair has an order.",
            (_counting(pairs=lambda ids: (tuple(sorted(p)) for p in pairwise(ids))),),
        ),
        "turned": (
            "The right neighbour stands first in these pairs.",
            (_counting(pairs=lambda ids: ((b, a) for a, b in pairwise(ids))),),
        ),
        "singles": (
            "Single elements are counted: pairs of neighbours are wanted.",
            (_counting(pairs=lambda ids: ids),),
        ),
        "once each": (
            "Each pair is counted once: count how often it comes.",
            (_counting(add=lambda before: 1),),
            (_counting(pairs=lambda ids: dict.fromkeys(pairwise(ids))),),
        ),
        "sorted": (
            "The pairs are sorted: list them in the order in which they first come.",
            (_counting(end=lambda c: dict(sorted(c.items(), key=lambda p: -p[1]))),),
            (_counting(end=lambda c: dict(sorted(c.items()))),),
            (lambda ids, counts=None: _by_size(ids, counts),),
            (_counting(end=lambda counts: _in_place(counts, sorted(counts.items()))),),
        ),
    },
)


def _by_size(ids: Ids, counts: dict | None) -> dict:
    counts = _counting()(ids, counts)
    return _in_place(counts, sorted(counts.items(), key=lambda pair: -pair[1]))


def _in_place(counts: dict, items: list) -> dict:
    counts.clear()
    counts.update(items)
    return counts


# ---------------------------------------------------------------- merge


def _two_lists(merge: Callable) -> Any:
    """What two calls give, and whether the first one's list is one of its own."""
    given = [5, 6]
    first = merge(given, (6, 7), 99)
    if not isinstance(first, list):
        return otherwise(first)
    where = either(first is given, "the list that came in", "a new list")
    second = merge([6, 7, 1], (6, 7), 99)
    return {"which is": where, "first": first, "second": second}


def _large(*ids: int) -> Ids:
    """Equal numbers that are objects of their own."""
    return [int(str(i)) for i in ids]


@exercise("tokenizer.merge", version=2, limit=1.0)
def merge(merge: Callable) -> Cases:
    hand = [
        ([5, 6, 6, 7, 5, 6, 7], (6, 7)),
        ([1, 1, 1], (1, 1)),
        ([6, 7], (6, 7)),
        ([7, 6], (6, 7)),
        ([5, 6], (6, 7)),
        ([6, 7, 5], (6, 7)),
        ([1, 1, 1, 1], (1, 1)),
        ([16, 7, 6, 72], (6, 7)),
        ([6], (6, 7)),
        ([], (6, 7)),
        ([3, 4, 5], (6, 7)),
        ([0, 1, 0, 0], (1, 0)),
        ([0, 0, 0], (0, 0)),
        (_large(300, 301, 300, 300, 301), tuple(_large(300, 301))),
    ]
    for ids, pair in hand:
        yield call(merge, ids, pair, 99, expects=put(ids, pair, 99))
    yield call(merge, [3, 3, 4, 4], (3, 4), 3, expects=[3, 3, 4])
    yield case(
        "first = merge([5, 6], (6, 7), 99); second = merge([6, 7, 1], (6, 7), 99)",
        lambda: _two_lists(merge),
        {"which is": Said("a new list"), "first": [5, 6], "second": [99, 1]},
    )
    draw = random.Random(new_seed())
    for pair in ((2, 2), (1, 2)):
        ids = [draw.randrange(1, 4) for _ in range(60)]
        yield call(merge, ids, pair, 300, expects=put(ids, pair, 300), fresh=True)
    many = [1, 2, 1] * 1000
    act = lambda: merge(list(many), (1, 2), 256)  # noqa: E731
    yield case("merge([1, 2, 1] * 1000, (1, 2), 256)", act, [256, 1] * 1000)


def _walk(
    hit: Callable[[Ids, int, Pair], bool] = lambda ids, i, pair: (
        tuple(ids[i : i + 2]) == pair
    ),
    step: int = 2,
    end: Callable[[Ids], int] = len,
    new: Callable[[Ids, int, int], Ids] = lambda ids, i, idx: [idx],
    times: int = 10**9,
) -> Callable:
    """merge with one thing done otherwise."""

    def merge(ids, pair, idx):
        out, i, left = [], 0, times
        while i < end(ids):
            if left and hit(ids, i, pair):
                out += new(ids, i, idx)
                i += step
                left -= 1
            else:
                out.append(ids[i])
                i += 1
        return out

    return merge


def _from_the_right(ids: Ids, pair: Pair, idx: int) -> Ids:
    return put(ids[::-1], (pair[1], pair[0]), idx)[::-1]


def _overlapping(ids: Ids, pair: Pair, idx: int) -> Ids:
    """Each place of the pair becomes idx, also where two places share an element."""
    pairs = [*pairwise(ids), None]
    out = []
    for i, one in enumerate(ids):
        if pairs[i] == pair:
            out.append(idx)
        elif i == 0 or pairs[i - 1] != pair:
            out.append(one)
    return out


def _shortened(ids: Ids, pair: Pair, idx: int) -> Ids:
    """In place, with del."""
    i = 0
    while i < len(ids) - 1:
        if (ids[i], ids[i + 1]) == pair:
            ids[i : i + 2] = [idx]
        i += 1
    return ids


def _again(ids: Ids, pair: Pair, idx: int) -> Ids:
    for _ in range(3):
        ids = put(ids, pair, idx)
    return ids


merge.table(
    lambda: (put,),
    {
        "overlap": (
            "An element is used twice: go on two places after a pair.",
            (_overlapping,),
        ),
        "one step": (
            "After a pair the walk goes on one place: its second element comes again.",
            (_walk(step=1),),
            (_walk(new=lambda ids, i, idx: [idx, ids[i + 1]]),),
        ),
        "beyond the end": (
            "The last element has no right neighbour: ask for the length first.",
            (_walk(hit=lambda ids, i, p: ids[i] == p[0] and ids[i + 1] == p[1]),),
            (_walk(hit=lambda ids, i, p: (ids[i], ids[i + 1]) == p),),
        ),
        "the last lost": (
            "The last element is lost where it belongs to no pair.",
            (_walk(end=lambda ids: len(ids) - 1),),
        ),
        "the first alone": (
            "Only the first place is merged: all of them are wanted.",
            (_walk(times=1),),
        ),
        "from the right": (
            "It is merged from right to left: [1, 1, 1] becomes [99, 1].",
            (_from_the_right,),
        ),
        "in place": (
            "The list that came in is changed: make a new one.",
            (_shortened,),
        ),
        "either order": (
            "(7, 6) is another pair than (6, 7).",
            (_walk(hit=lambda ids, i, p: sorted(ids[i : i + 2]) == sorted(p)),),
            (_walk(hit=lambda ids, i, p: set(ids[i : i + 2]) == set(p)),),
        ),
        "the first element decides": (
            "The first element alone decides: both have to fit.",
            (_walk(hit=lambda ids, i, p: ids[i] == p[0]),),
        ),
        "merged again": (
            "What was merged is merged again: one walk from left to right.",
            (_again,),
        ),
        "zero lost": (
            "0 is an id like any other: it counts as false, and is lost.",
            (lambda ids, pair, idx: [i for i in put(ids, pair, idx) if i],),
        ),
        "the list itself": (
            "Where nothing is merged the list itself comes back: make a new one.",
            (
                lambda ids, pair, idx: (
                    ids if pair not in pairwise(ids) else put(ids, pair, idx)
                ),
            ),
        ),
        "the pair gone": (
            "The pair is taken out, and nothing put in its place.",
            (_walk(new=lambda ids, i, idx: []),),
        ),
    },
)


# ---------------------------------------------------------------- train


def about(tokenizer: Any) -> Any:
    """What a tokenizer has learned."""
    merges = getattr(tokenizer, "merges", None)
    vocab = getattr(tokenizer, "vocab", None)
    for name, found in (("merges", merges), ("vocab", vocab)):
        if not isinstance(found, dict):
            return {name: Said("missing" if found is None else kind(found))}
    in_order = list(merges.values()) == list(range(256, 256 + len(merges)))
    whole = all(vocab.get(i) == bytes([i]) for i in range(256))
    return {
        "merges": dict(merges),
        "numbers in the order learned": either(in_order, "yes", "no"),
        "vocab": {i: b for i, b in vocab.items() if not _is_byte(i)},
        "the 256 bytes": either(whole, "there", "not all there"),
    }


def _is_byte(i: Any) -> bool:
    return type(i) is int and 0 <= i < 256


def about_facts(pairs: Sequence[Pair]) -> dict[str, Any]:
    """The same of a tokenizer with these merges."""
    return {
        "merges": {pair: idx for idx, pair in enumerate(pairs, 256)},
        "numbers in the order learned": Said("yes"),
        "vocab": {i: b for i, b in table(pairs).items() if i > 255},
        "the 256 bytes": Said("there"),
    }


def _trained(Class: type, *rounds: tuple[str, int], pattern: Any = ()) -> Any:
    tokenizer = Class(*pattern)
    for text, size in rounds:
        tokenizer.train(text, size)
    return about(tokenizer)


def _train(Class: type, text: str, size: int, **options: Any) -> Case:
    said = f"train({text!r}, {size})" if len(text) < 60 else f"train(text, {size})"
    facts = about_facts(learned([text.encode()], size - 256))
    return case(said, lambda: _trained(Class, (text, size)), facts, **options)


def _printed(Class: type) -> Any:
    """Whether training says something when it is asked to, and what it learned."""
    tokenizer, said = Class(), []
    with _printing_into(said):
        tokenizer.train("aaabdaaabac", 259, True)
    return {"printed": either(any(s.strip() for s in said), "something", "nothing")}


class _printing_into:
    """print goes into a list for a moment."""

    def __init__(self, said: list[str]) -> None:
        self.said = said

    def __enter__(self) -> None:
        import sys

        self.before, sys.stdout = sys.stdout, self  # type: ignore[assignment]

    def __exit__(self, *error: Any) -> None:
        import sys

        sys.stdout = self.before

    def write(self, text: str) -> int:
        self.said.append(text)
        return self.before.write(text)

    def flush(self) -> None: ...


_TIED = "mn1ab2xy3mn4ab5xy"  # three pairs twice; the first seen is neither end
_SONG = "the cat sat on the mat; the rat ran at the cat"


# each character once: what is learned grows from the left, one character a time
_ONCE = "\n" + "".join(chr(i) for i in range(128) if i not in (10, 32)) + " "
_ALL_OF_IT = [(10, 0), *((256 + i, ord(c)) for i, c in enumerate(_ONCE[2:]))]


def _in_short(found: dict[str, Any]) -> dict[str, Any]:
    """How many merges there are, and which is the last: a line holds no more."""
    if "numbers in the order learned" not in found:
        return found
    last = list(found["merges"])[-1:]
    return {"number of merges": len(found["merges"]), "the last of them": last}


def _two_trained(Class: type) -> Any:
    """What the first of two tokenizers has learned after the second learned more."""
    first, second = Class(), Class()
    first.train("abab", 257)
    second.train("cdcd", 258)
    return about(first)


@exercise("tokenizer.train", version=2)
def train(BasicTokenizer: type) -> Cases:
    yield _train(BasicTokenizer, "aaabdaaabac", 259)
    yield _train(BasicTokenizer, _TIED, 258)
    yield _train(BasicTokenizer, "bcbcaaaa", 257)
    yield _train(BasicTokenizer, "bcabcabca", 259)
    yield _train(BasicTokenizer, "안녕안녕", 259)
    yield _train(BasicTokenizer, "ababab", 256)
    yield _train(BasicTokenizer, "abcab", 300)
    yield _train(BasicTokenizer, "a", 300)
    yield _train(BasicTokenizer, "", 257)
    yield case(
        f"train({_SONG!r}, 270), then train('ababab', 257)",
        lambda: _trained(BasicTokenizer, (_SONG, 270), ("ababab", 257)),
        about_facts([(97, 98)]),
    )
    yield case(
        "train(text, 400), in the text each character of ASCII once",
        lambda: _in_short(_trained(BasicTokenizer, (_ONCE, 400))),
        _in_short(about_facts(_ALL_OF_IT)),
        once=True,
    )
    yield case(
        "first.train('abab', 257); second.train('cdcd', 258); what first has learned",
        lambda: _two_trained(BasicTokenizer),
        about_facts([(97, 98)]),
    )
    yield case(
        "train('ababab', 255)",
        lambda: refused(lambda: BasicTokenizer().train("ababab", 255)),
        REFUSED,
    )
    yield case(
        "train('aaabdaaabac', 259, True)",
        lambda: _printed(BasicTokenizer),
        {"printed": Said("something")},
    )
    text = scribble(new_seed(), "abc ", 120)
    yield _train(BasicTokenizer, text, 268, fresh=True)
    yield _train(BasicTokenizer, _SONG * 3, 275)


def _training(
    start: Callable[[str], Iterable[int]] = lambda text: text.encode(),
    choose: Callable[[list[Pair]], Pair] = lambda pairs: max(pairs, key=pairs.count),
    first: int = 256,
    rounds: Callable[[int], int] = lambda size: size - 256,
    follow: Callable[[Ids, Pair, int], Ids] = put,
    stop: Callable[[list[Pair]], bool] = lambda pairs: not pairs,
    token: Callable[[Any, Any], Any] = lambda one, two: one + two,
    byte: Callable[[int], Any] = lambda i: bytes([i]),
    fresh: bool = True,
    refuse: bool = True,
    order: Callable[[dict], dict] = lambda merges: merges,
    merges_kept: bool = True,
    vocab_kept: bool = True,
) -> type:
    """A BasicTokenizer whose train does one thing otherwise."""

    def train(self, text, vocab_size, verbose=False):
        if refuse and vocab_size < 256:
            raise ValueError("too small")
        if fresh:
            self.merges = {}
        ids, merges = list(start(text)), self.merges
        for idx in range(first, first + rounds(vocab_size)):
            pairs = list(pairwise(ids))
            if stop(pairs):
                break
            pair = choose(pairs)
            ids = follow(ids, pair, idx)
            merges[pair] = idx
            if verbose:
                print(idx, pair)
        if vocab_kept:
            self.vocab = {i: byte(i) for i in range(256)}
        for (one, two), idx in order(merges).items() if vocab_kept else ():
            self.vocab[idx] = token(self.vocab[one], self.vocab[two])
        self.merges = order(merges) if merges_kept else {}

    return like(_given().BasicTokenizer, train=train)


def _counted_once() -> type:
    """The commonest pairs of the bytes, none of them merged in between."""

    def train(self, text, vocab_size, verbose=False):
        self.restart(vocab_size)
        counts = Counter(pairwise(text.encode()))
        for idx, (pair, _) in enumerate(counts.most_common(vocab_size - 256), 256):
            self.learn(pair, idx, verbose)

    return like(_given().BasicTokenizer, train=train)


def _last(pairs: list[Pair]) -> Pair:
    return max(dict.fromkeys(pairs), key=lambda p: (pairs.count(p), _place(pairs, p)))


def _place(pairs: list[Pair], pair: Pair) -> int:
    return list(dict.fromkeys(pairs)).index(pair)


train.table(
    lambda: (_given().BasicTokenizer,),
    {
        "so many merges": (
            "vocab_size counts the 256 bytes as well: so many merges are 256 too many.",
            _training(rounds=lambda size: min(size, 300)),
            _training(rounds=lambda size: size),
        ),
        "one too many": (
            "There is one merge too many.",
            _training(rounds=lambda size: size - 255),
        ),
        "one too few": (
            "There is one merge too few.",
            _training(rounds=lambda size: size - 257),
        ),
        "numbers from 257": (
            "The first new token is 256: bytes go up to 255.",
            _training(first=257),
        ),
        "the last of equals": (
            "Of equally common pairs the one seen last was taken: take the first.",
            _training(choose=_last),
        ),
        "the largest of equals": (
            "Of equally common pairs the largest was taken: take the one seen first.",
            _training(choose=lambda p: max(p, key=lambda x: (p.count(x), x))),
        ),
        "the smallest of equals": (
            "Of equally common pairs the smallest was taken: take the one seen first.",
            _training(choose=lambda p: min(p, key=lambda x: (-p.count(x), x))),
        ),
        "the rarest": (
            "The rarest pair was taken: the commonest is wanted.",
            _training(choose=lambda p: min(p, key=p.count)),
        ),
        "the largest pair": (
            "The largest pair was taken: the commonest is wanted (a key for max).",
            _training(choose=max),
        ),
        "code points": (
            "Training began with code points: begin with the bytes of utf8.",
            _training(start=lambda text: map(ord, text), byte=lambda i: bytes([i])),
        ),
        "not merged": (
            "The pair is not merged in the list, so the next round finds it again.",
            _training(follow=lambda ids, pair, idx: ids),
        ),
        "counted once": (
            "The pairs are counted once: new tokens make new pairs, in each round.",
            _counted_once(),
        ),
        "singles left": (
            "Training stops where no pair comes twice: go on until none is left.",
            _training(stop=lambda p: not p or max(map(p.count, p)) < 2),
        ),
        "the end of pairs": (
            "Where no pair is left, max has nothing to choose from: stop there.",
            _training(stop=lambda pairs: False),
        ),
        "a token turned": (
            "The bytes of a token are turned around: the first part comes first.",
            _training(token=lambda one, two: two + one),
        ),
        "texts for bytes": (
            "The vocabulary holds texts: a token is bytes, often no whole character.",
            _training(byte=chr),
        ),
        "nothing kept": (
            "What was learned is kept nowhere: note it in self.merges and self.vocab.",
            _training(merges_kept=False, vocab_kept=False),
        ),
        "merges alone": (
            "vocab has no new tokens: note the bytes of each merge.",
            _training(vocab_kept=False),
        ),
        "vocab alone": (
            "merges is empty: note each pair with its number.",
            _training(merges_kept=False),
        ),
        "vocab sorted": (
            "The merges are sorted: a token has to come after its parts.",
            _training(order=lambda merges: dict(sorted(merges.items()))),
        ),
        "old merges stay": (
            "Merges of an earlier training are still there: begin with restart.",
            _training(fresh=False),
        ),
        "too small a size": (
            "A vocab_size below 256 is a ValueError: restart asks for it.",
            _training(refuse=False),
        ),
    },
)


# ---------------------------------------------------------------- decode

_EMOJI = [(240, 159), (152, 137), (256, 257)]  # 😉 in two halves, and whole
_WORDS = [(104, 105), (195, 169), (256, 257)]  # hi, é, hié


def _decode(Class: type, pairs: list[Pair], ids: Any, text: str, **options: Any) -> Any:
    def act() -> Any:
        tokenizer = holding(Class(), pairs)
        out = tokenizer.decode(ids)
        if tokenizer.vocab != table(pairs):
            return {"result": out, "vocab": Said("changed")}
        return out

    where = ", where 256 is F0 9F, 257 is 98 89" if pairs is _EMOJI else ""
    return case(f"decode({ids!r}){where}", act, text, **options)


def _not_decoded(Class: type, ids: Ids, name: str) -> Case:
    act = lambda: refused(  # noqa: E731
        lambda: holding(Class(), _WORDS).decode(ids), name
    )
    said = f"decode({ids!r}), where tokens go up to 258"
    return case(said, lambda: {"raises": act()}, {"raises": REFUSED})


_PAIRS_OF_LETTERS = [(97 + i // 26, 97 + i % 26) for i in range(300)]  # aa, ab, …


def _with_a_gap(Class: type, ids: Ids, name: str = "") -> Any:
    """What decode says where 300 is a token, and 259 to 299 are none."""
    tokenizer = holding(Class(), _WORDS)
    tokenizer.vocab[300] = b"<|end|>"
    if name:
        return {"raises": refused(lambda: tokenizer.decode(ids), name)}
    try:
        return tokenizer.decode(ids)
    except ValueError:
        return Said("a ValueError")


@exercise("tokenizer.decode", version=2, parts=("decode",))
def decode(BasicTokenizer: type) -> Cases:
    one = BasicTokenizer
    yield _decode(one, _WORDS, [104, 105], "hi")
    yield _decode(one, _WORDS, [], "")
    yield _decode(one, _EMOJI, [258, 33], "😉!")
    yield _decode(one, _EMOJI, [256, 257], "😉")
    yield _decode(one, _WORDS, (195, 169), "é")
    yield _decode(one, _WORDS, [128], "\ufffd")
    yield _decode(one, _EMOJI, [97, 256, 98], "a\ufffdb")
    yield _decode(one, _WORDS, [169, 195, 258], "\ufffd\ufffdhié")
    yield _not_decoded(one, [97, 300], "300")
    yield _not_decoded(one, [-1], "-1")
    where = "where 300 is b'<|end|>' and 258 the last before it"
    yield case(
        f"decode([104, 300]), {where}",
        lambda: _with_a_gap(one, [104, 300]),
        "h<|end|>",
    )
    yield case(
        f"decode([299]), {where}",
        lambda: _with_a_gap(one, [299], "299"),
        {"raises": REFUSED},
    )
    yield _decode(one, _PAIRS_OF_LETTERS, [555, 256, 513], "lnaajx")
    odd = [32, 104, 13, 10, 0, 9, 32]
    yield _decode(one, _WORDS, odd, " h\r\n\0\t ")
    yield _decode(one, _WORDS, [239, 187, 191, 97], "\ufeffa")
    draw = random.Random(new_seed())
    ids = [draw.randrange(259) for _ in range(40)]
    text = b"".join(table(_WORDS)[i] for i in ids).decode("utf-8", "replace")
    yield _decode(one, _WORDS, ids, text, fresh=True)


def _decoding(
    token: Callable[[dict, int], bytes] = lambda vocab, i: vocab[i],
    text: Callable[[bytes], Any] = lambda whole: whole.decode("utf-8", "replace"),
    unknown: Callable[[Any], Exception] = lambda i: ValueError(f"no token {i}"),
    whole: bool = True,
) -> type:
    """A BasicTokenizer whose decode does one thing otherwise."""

    def decode(self, ids):
        try:
            rows = [token(self.vocab, i) for i in ids]
        except (KeyError, IndexError) as error:
            raise unknown(error.args[0]) from None
        return text(b"".join(rows)) if whole else "".join(map(text, rows))

    return like(_given().BasicTokenizer, decode=decode)


def _or(default: bytes) -> Callable[[dict, int], bytes]:
    return lambda vocab, i: vocab.get(i, default)


def _by_length(self: Any, ids: Iterable[int]) -> str:
    ids = list(ids)
    for i in ids:
        if not 0 <= i < len(self.vocab):
            raise ValueError(f"no token {i}")
    return b"".join(self.vocab[i] for i in ids).decode("utf-8", "replace")


decode.table(
    lambda: (_given().BasicTokenizer,),
    {
        "by the length": (
            "Ids can have gaps: ask whether vocab has the id, not how long vocab is.",
            like(_given().BasicTokenizer, decode=_by_length),
        ),
        "strict": (
            'Not every row of bytes is UTF-8: decode with errors="replace".',
            _decoding(text=lambda b: b.decode("utf-8")),
        ),
        "ignored": (
            "What cannot be read is dropped in silence: replace it.",
            _decoding(text=lambda b: b.decode("utf-8", "ignore")),
        ),
        "token by token": (
            "Each token is read alone: join all bytes first, a character may be split.",
            _decoding(whole=False),
        ),
        "spelt out": (
            'Bad bytes are spelt out: U+FFFD is wanted, errors="replace".',
            _decoding(text=lambda b: b.decode("utf-8", "backslashreplace")),
        ),
        "a byte a character": (
            "Each byte became a character of its own: read them as UTF-8.",
            _decoding(text=lambda b: b.decode("latin-1")),
        ),
        "bytes": (
            "The result is bytes: a text is wanted.",
            _decoding(text=bytes),
        ),
        "a KeyError": (
            "An unknown id raises KeyError: a ValueError that names it is wanted.",
            _decoding(unknown=KeyError),
        ),
        "unknown ids dropped": (
            "An unknown id is dropped in silence: raise a ValueError.",
            _decoding(_or(b"")),
        ),
        "unknown ids replaced": (
            "An unknown id became a sign: raise a ValueError.",
            _decoding(_or("\ufffd".encode())),
            _decoding(_or(b"?")),
        ),
        "not named": (
            "The ValueError does not say which id is unknown.",
            _decoding(unknown=lambda i: ValueError("unknown token")),
        ),
        "from the end": (
            "-1 counts from the end of a list: here it is an unknown id.",
            _decoding(token=lambda vocab, i: list(vocab.values())[i]),
        ),
    },
)


# ---------------------------------------------------------------- encode

_ABC = [(97, 98), (98, 99)]  # ab, then bc
_TOY = [(97, 97), (256, 97), (257, 98)]  # aa, aaa, aaab
_LONG = [(98, 99), (97, 98), (257, 99)]  # bc, ab, abc from ab and c
_OTHER = [(98, 99), (97, 98), (97, 256)]  # bc, ab, abc from a and bc
_CBA = [(99, 98), (98, 97)]  # cb, then ba: the smaller pair
_LEFT = [(97, 98), (256, 99), (99, 100)]  # ab, abc, cd: abc is the longer, and older
_BCD = [(99, 100), (97, 98), (98, 256)]  # cd, ab, bcd: bcd is the longer, and younger
_BLANKS = [(32, 32), (10, 97), (65, 98)]  # two spaces, a line end with a, Ab
_SAID = {
    str(_ABC): "ab = 256, bc = 257",
    str(_TOY): "aa = 256, aaa = 257, aaab = 258",
    str(_LONG): "bc = 256, ab = 257, abc = 258 from ab and c",
    str(_OTHER): "bc = 256, ab = 257, abc = 258 from a and bc",
    str(_CBA): "cb = 256, ba = 257",
    str(_LEFT): "ab = 256, abc = 257, cd = 258",
    str(_BCD): "cd = 256, ab = 257, bcd = 258",
    str(_BLANKS): r"'  ' = 256, '\na' = 257, 'Ab' = 258",
}


def _encode(Class: type, pairs: list[Pair], text: str, **options: Any) -> Case:
    def act() -> Any:
        tokenizer = holding(Class(), pairs)
        out = tokenizer.encode(text)
        kept = tokenizer.vocab == table(pairs) and [*tokenizer.merges] == pairs
        return out if kept else {"result": out, "what was learned": Said("changed")}

    where = f", where {_SAID[str(pairs)]}" if str(pairs) in _SAID else ""
    said = f"encode({text!r}){where}" if len(text) < 40 else "encode(a long text)"
    return case(said, act, encoded(pairs, text.encode()), **options)


@cache
def _of_song() -> list[Pair]:
    return learned([_SONG.encode()], 20)


@cache
def _letters_by_two() -> str:
    """Two letters for each of forty tokens, all that some have above 512."""
    tokens = table(_PAIRS_OF_LETTERS)
    return "-".join(tokens[i].decode() for i in range(555, 435, -3))


@exercise("tokenizer.encode", version=2, parts=("encode",), limit=1.5)
def encode(BasicTokenizer: type) -> Cases:
    one = BasicTokenizer
    yield _encode(one, _TOY, "aaabdaaabac")
    yield _encode(one, _ABC, "ababc")
    yield _encode(one, _BCD, "cd abcd")
    yield _encode(one, _LEFT, "abcd")
    yield _encode(one, _ABC, "abcbc")
    yield _encode(one, _TOY, "aaaa")
    yield _encode(one, _LONG, "abc")
    yield _encode(one, _OTHER, "abc")
    yield _encode(one, _ABC, "abc")
    yield _encode(one, _CBA, "cba")
    yield _encode(one, _ABC, "bcab")
    yield _encode(one, _BLANKS, "  Ab\na  ")
    yield _encode(one, _ABC, "xyz")
    yield _encode(one, _TOY, "a")
    yield _encode(one, _TOY, "")
    yield _encode(one, [], "abab")
    yield _encode(one, [(236, 149), (256, 136)], "안é")
    yield _encode(one, _of_song(), "that hat on the mat")
    yield _encode(one, _PAIRS_OF_LETTERS, _letters_by_two())
    seed = new_seed()
    pairs = learned([scribble(seed, "abc", 90).encode()], 12)
    yield _encode(one, pairs, scribble(seed + 1, "abcd", 60), fresh=True)
    yield _encode(one, _of_song(), _SONG * 6)


def _encoding(
    choose: Callable[[list[Pair], dict], Pair] = lambda known, ranks: min(
        known, key=lambda pair: ranks[pair]
    ),
    start: Callable[[str], Iterable[int]] = lambda text: text.encode(),
    follow: Callable[[Ids, Pair, int], Ids] = put,
    rounds: int = 10**6,
) -> type:
    """A BasicTokenizer whose encode does one thing otherwise."""

    def encode(self, text):
        ids = list(start(text))
        for _ in range(rounds):
            known = [pair for pair in pairwise(ids) if pair in self.merges]
            if not known:
                break
            pair = choose(known, self.merges)
            ids = follow(ids, pair, self.merges[pair])
        return ids

    return like(_given().BasicTokenizer, encode=encode)


def _with(encode: Callable) -> type:
    return like(_given().BasicTokenizer, encode=encode)


def _one_place(ids: Ids, pair: Pair, idx: int) -> Ids:
    i = list(pairwise(ids)).index(pair)
    return [*ids[:i], idx, *ids[i + 2 :]]


def _longest_match(self: Any, text: str) -> Ids:
    rest, ids = text.encode(), []
    tokens = sorted(self.vocab.items(), key=lambda item: -len(item[1]))
    while rest:
        idx, token = next((i, t) for i, t in tokens if rest.startswith(t))
        ids.append(idx)
        rest = rest[len(token) :]
    return ids


def _by_bytes(self: Any, text: str) -> Ids:
    """The pair whose bytes come first goes first."""
    ids = list(text.encode())
    while known := [pair for pair in pairwise(ids) if pair in self.merges]:
        pair = min(known, key=lambda two: [self.vocab[i] for i in two])
        ids = put(ids, pair, self.merges[pair])
    return ids


def _never_stops(self: Any, text: str) -> Ids:
    ids = list(text.encode())
    while len(ids) > 1:
        pair = min(pairwise(ids), key=lambda p: self.merges.get(p, float("inf")))
        ids = put(ids, pair, self.merges[pair])
    return ids


def _of_nothing(self: Any, text: str) -> Ids:
    ids = list(text.encode())
    while True:
        counts = dict.fromkeys(pairwise(ids))
        pair = min(counts, key=lambda p: self.merges.get(p, float("inf")))
        if pair not in self.merges:
            return ids
        ids = put(ids, pair, self.merges[pair])


def _in_one_walk(self: Any, text: str) -> Ids:
    """Each byte is merged with what stands before it, as long as that goes."""
    ids: Ids = []
    for byte in text.encode():
        ids.append(byte)
        while tuple(ids[-2:]) in self.merges:
            ids[-2:] = [self.merges[tuple(ids[-2:])]]
    return ids


encode.table(
    lambda: (_given().BasicTokenizer,),
    {
        "the commonest first": (
            "The pair that is commonest in this text goes first: the oldest should.",
            _encoding(lambda known, ranks: max(known, key=known.count)),
            _encoding(lambda k, r: max(k, key=lambda p: (k.count(p), -r[p]))),
        ),
        "the leftmost first": (
            "The leftmost known pair goes first: the order is that of learning.",
            _encoding(lambda known, ranks: known[0]),
            _encoding(lambda known, ranks: known[0], follow=_one_place),
            _with(_in_one_walk),
        ),
        "the longest token": (
            "The longest token that fits is taken: merges decide, not the vocabulary.",
            _with(_longest_match),
        ),
        "the youngest first": (
            "The pair learned last goes first: the lowest number should.",
            _encoding(lambda known, ranks: max(known, key=lambda p: ranks[p])),
        ),
        "by the pair": (
            "The smallest pair goes first: compare the numbers that merges gives.",
            _encoding(lambda known, ranks: min(known)),
            _with(_by_bytes),
        ),
        "code points": (
            "Encoding began with code points: begin with the bytes of utf8.",
            _encoding(start=lambda text: map(ord, text)),
        ),
        "no known pair": (
            "Where no pair is known, min gives any: ask whether it is in merges.",
            _with(_never_stops),
        ),
        "no pair at all": (
            "A text of no or one byte has no pair: min of nothing is an error.",
            _with(_of_nothing),
        ),
        "one round": (
            "One merge is made: repeat until no known pair is left.",
            _encoding(rounds=1),
        ),
        "one place": (
            "A pair is merged in one place and then no more: merge it everywhere.",
            _with(lambda self, text: _each_once(self, text)),
        ),
        "bytes alone": (
            "These are the bytes: nothing is merged.",
            _encoding(rounds=0),
        ),
    },
)


def _each_once(self: Any, text: str) -> Ids:
    ids = list(text.encode())
    for pair, idx in self.merges.items():
        if pair in pairwise(ids):
            ids = _one_place(ids, pair, idx)
    return ids


# ---------------------------------------------------------------- regex_split

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
GPT4 = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
_NAMED = {GPT2: "GPT2_SPLIT_PATTERN", GPT4: "GPT4_SPLIT_PATTERN"}


def chunked(text: str, pattern: str) -> list[str]:
    """The chunks of a text, cut at every place where a match starts or ends."""
    spans = [match.span() for match in regex.finditer(pattern, text)]
    cuts = sorted({0, len(text), *(place for span in spans for place in span)})
    return [text[a:b] for a, b in pairwise(cuts)]


def _split(regex_split: Callable, text: str, pattern: str, **options: Any) -> Case:
    said = f"regex_split({text!r}, {_NAMED.get(pattern, repr(pattern))})"
    want = chunked(text, pattern)
    return case(said, lambda: regex_split(text, pattern), want, **options)


def _two_splits(regex_split: Callable) -> Any:
    """The chunks of a text, after those of another one."""
    first = regex_split("ab", "a")
    regex_split("cd", "c")
    return first


@exercise("tokenizer.regex_split", version=2)
def regex_split(regex_split: Callable) -> Cases:
    yield _split(regex_split, "you've 12 dogs", GPT2)
    yield _split(regex_split, "a-b", "[a-z]")
    yield _split(regex_split, "--a, b!", "[a-z]")
    yield _split(regex_split, "", "[a-z]")
    yield _split(regex_split, "...", "[a-z]")
    yield _split(regex_split, "2 to 10", "(to) |([0-9])+")
    yield _split(regex_split, "ab-cd", "([a-z])([a-z])")
    yield _split(regex_split, "say  hi   you ", GPT2)
    yield _split(regex_split, "HOW'S she's", GPT2)
    yield _split(regex_split, "HOW'S she's", GPT4)
    yield _split(regex_split, "12345 (안녕)!\n\n ok", GPT4)
    yield _split(regex_split, "a1b", r"\d*")
    yield _split(regex_split, "a \n b\r\n", GPT4)
    yield _split(regex_split, "a\n\nb", ".+")
    yield _split(regex_split, "a\nb", r"\w$")
    yield _split(regex_split, "a\0b\x1fc", "[a-z]")
    yield case(
        "first = regex_split('ab', 'a'); regex_split('cd', 'c'); first",
        lambda: _two_splits(regex_split),
        ["a", "b"],
    )
    letters = "ab '1\n.sS안"
    for pattern in (GPT2, GPT4, "[a-b]+"):
        text = scribble(new_seed(), letters, 30)
        yield _split(regex_split, text, pattern, fresh=True)


def _splitting(
    pattern: Callable[[str], str] = lambda pattern: pattern,
    piece: Callable[[Any], Any] = lambda match: match.group(),
    gap: bool = True,
    rest: bool = True,
    start: int = 0,
    shown: Callable[[list[str]], Any] = lambda chunks: [c for c in chunks if c],
    flags: int = 0,
) -> Callable:
    """regex_split with one thing done otherwise."""

    def regex_split(text, given):
        chunks, end = [], None if start else 0
        for match in regex.finditer(pattern(given), text, flags=flags):
            if gap and end is not None:
                chunks.append(text[end : match.start()])
            chunks.append(piece(match))
            end = match.end()
        if gap and rest:
            chunks.append(text[end or 0 :])
        return shown(chunks)

    return regex_split


def _no_look_ahead(pattern: str) -> str:
    return pattern.replace(r"|\s+(?!\S)", "").replace(r"|\s", r"|\s+")


regex_split.table(
    lambda: (_splitting(),),
    {
        "groups": (
            "findall drops what lies between, and matches with groups: use finditer.",
            (lambda text, pattern: regex.findall(pattern, text),),
        ),
        "the first group": (
            "A group of the match is taken: group() is the whole match.",
            (
                _splitting(
                    piece=lambda m: (m.group(1) or "") if m.re.groups else m.group()
                ),
            ),
        ),
        "gaps lost": (
            "What lies between two matches is lost.",
            (_splitting(gap=False),),
        ),
        "the rest lost": (
            "What comes after the last match is lost.",
            (_splitting(rest=False),),
        ),
        "the start lost": (
            "What comes before the first match is lost.",
            (_splitting(start=1),),
        ),
        "the matches lost": (
            "regex.split drops the matches: they are the chunks.",
            (lambda text, pattern: regex.split(pattern, text),),
            (lambda text, pattern: [c for c in regex.split(pattern, text) if c],),
        ),
        "empty chunks": (
            "There are empty chunks: leave them out.",
            (_splitting(shown=list),),
        ),
        "spaces stripped": (
            "Spaces are stripped from the chunks: nothing may be lost.",
            (
                _splitting(
                    shown=lambda chunks: [c.strip() for c in chunks if c.strip()]
                ),
            ),
        ),
        "words": (
            "The text is cut at its spaces: use the pattern.",
            (lambda text, pattern: text.split(),),
            (lambda text, pattern: text.split(" "),),
        ),
        "always GPT-2's": (
            "GPT-2's pattern is always used: use the one that is given.",
            (_splitting(pattern=lambda given: GPT2),),
        ),
        "always GPT-4's": (
            "GPT-4's pattern is always used: use the one that is given.",
            (_splitting(pattern=lambda given: GPT4),),
        ),
        "no look ahead": (
            r"Without `\s+(?!\S)` a word loses its space to the spaces before it.",
            (_splitting(pattern=_no_look_ahead),),
        ),
        "case ignored": (
            "Capitals are treated as small letters: add no flag to the pattern.",
            (_splitting(flags=regex.IGNORECASE),),
        ),
    },
)


# ---------------------------------------------------------------- regex_tokenizer


def _chunks(text: str, pattern: str) -> list[bytes]:
    return [chunk.encode() for chunk in chunked(text, pattern)]


def _learn(Class: type, text: str, size: int, pattern: str, **options: Any) -> Case:
    args = () if pattern is GPT4 else (pattern,)
    made = "RegexTokenizer()" if not args else f"RegexTokenizer({_pattern(pattern)})"
    said = f"{made}.train({text!r}, {size})"
    facts = about_facts(learned(_chunks(text, pattern), size - 256))
    act = lambda: _trained(Class, (text, size), pattern=args)  # noqa: E731
    return case(said, act, facts, **options)


def _pattern(pattern: str) -> str:
    return _NAMED.get(pattern, repr(pattern))


def _ordinary(
    Class: type, pairs: list[Pair], text: str, pattern: str, **options: Any
) -> Case:
    args = () if pattern is GPT4 else (pattern,)
    want = [i for chunk in _chunks(text, pattern) for i in encoded(pairs, chunk)]

    def act() -> Any:
        return holding(Class(*args), pairs).encode_ordinary(text)

    tokens = table(pairs)
    where = ", ".join(f"{tokens[i]!r} = {i}" for i in sorted(tokens)[256:][:4])
    said = f"encode_ordinary({text!r}) with {_pattern(pattern)} and {where}"
    return case(
        said if len(pairs) < 4 else "encode_ordinary(text)", act, want, **options
    )


def _cuts(Class: type) -> Any:
    """By which of two patterns a tokenizer cuts, whose pattern was changed."""
    tokenizer = holding(Class("[a-z]"), _ABC)
    tokenizer.pattern = "[0-9]"
    out = tokenizer.encode_ordinary("ab")
    if not isinstance(out, list):
        return otherwise(out)
    said = {(256,): "[0-9]", (97, 98): "[a-z]"}
    found = {"encode_ordinary": Said(said.get(tuple(out), kind(out)))}
    tokenizer.train("ab", 257)
    merges = getattr(tokenizer, "merges", None)
    return found | {"train": either(merges == {(97, 98): 256}, "[0-9]", "[a-z]")}


def _patterns(Class: type) -> Any:
    """What patterns are kept, where there are several tokenizers."""
    made = Class("[a-z]"), Class("[0-9]"), Class()
    found = [getattr(one, "pattern", Said("missing")) for one in made]
    last = found.pop()
    return {"of both": found, "by default": Said(type(last).__name__)}


def _in_turn(Class: type) -> Any:
    """The ids of one text, before and after a training, and those of another one."""
    tokenizer, other = holding(Class("[a-z]+"), _ABC), holding(Class("[a-z]+"), [])
    first = tokenizer.encode_ordinary("abc")
    tokenizer.train("bcbc", 257)
    then = tokenizer.encode_ordinary("abc")
    return {"first": first, "then": then, "another": other.encode_ordinary("abc")}


_LETTERS = "".join(map(chr, [*range(97, 123), *range(65, 91)]))


@exercise("tokenizer.regex_tokenizer", version=2)
def regex_tokenizer(RegexTokenizer: type) -> Cases:
    one = RegexTokenizer
    yield _learn(one, "hi you hi you", 258, GPT2)
    yield _learn(one, "hi you hi you", 300, GPT2)
    yield _learn(one, "12345 12345 IT'S", 300, GPT4)
    yield _learn(one, "ab-ab-b-ab", 300, "[a-z]+")
    yield _learn(one, "ax xb ax xb ax by by by by", 259, GPT2)
    yield _learn(one, "xyxyxy ab ab", 257, GPT2)
    yield _learn(one, "", 300, GPT2)
    yield case(
        f"RegexTokenizer().train({_LETTERS!r}, 400)",
        lambda: _in_short(_trained(one, (_LETTERS, 400))),
        {"number of merges": 51, "the last of them": [(305, ord("Z"))]},
        once=True,
    )
    yield case(
        f"RegexTokenizer().train({_SONG!r}, 270), then train('abab', 257)",
        lambda: _trained(one, (_SONG, 270), ("abab", 257)),
        about_facts([(97, 98)]),
    )
    yield case(
        "RegexTokenizer().train('abab', 255)",
        lambda: refused(lambda: one().train("abab", 255)),
        REFUSED,
    )
    yield case(
        "RegexTokenizer().train('aaabdaaabac', 259, True)",
        lambda: _printed(one),
        {"printed": Said("something")},
    )
    border = [(101, 32), (256, 116)]  # "e ", "e t"
    yield _ordinary(one, border, "e te t", GPT2)
    yield _ordinary(one, _ABC, "abcbc ab", GPT2)
    yield _ordinary(one, [(50, 51), (51, 52)], "1234 12", GPT4)
    yield _ordinary(one, _ABC, "abcab", "[a-b]")
    yield _ordinary(one, _ABC, "", GPT2)
    yield _ordinary(one, [(236, 149), (256, 136)], "안 안!", GPT2)
    yield case(
        "t = RegexTokenizer('[a-z]'); t.pattern = '[0-9]'; what t cuts by",
        lambda: _cuts(one),
        {"encode_ordinary": Said("[0-9]"), "train": Said("[0-9]")},
    )
    yield case(
        "the pattern of RegexTokenizer('[a-z]'), ('[0-9]') and (), made in turn",
        lambda: _patterns(one),
        {"of both": ["[a-z]", "[0-9]"], "by default": Said("str")},
    )
    yield case(
        "t with ab = 256, bc = 257: encode_ordinary('abc'), then t.train('bcbc', 257)",
        lambda: _in_turn(one),
        {"first": [256, 99], "then": [97, 256], "another": [97, 98, 99]},
    )
    text = scribble(new_seed(), "ab c.1", 90)
    yield _learn(one, text, 268, GPT2, fresh=True)
    yield _learn(one, _SONG, 285, GPT4)
    pairs = learned(_chunks(text, GPT4), 12)
    yield _ordinary(one, pairs, text[::-1], GPT4, fresh=True)


class _Base:
    """What a class inherits from."""


class _Dotted(_Base):
    """RegexTokenizer with dots for an answer."""

    def __init__(self, pattern: str | None = None) -> Any:
        super().__init__()
        return ...


regex_tokenizer.skeleton(_Dotted.__init__)


def _chunky(
    default: str = GPT4,
    pattern: Callable[[Any], Any] = lambda self: self.pattern,
    rows: Callable[[list[bytes]], list] = lambda chunks: [list(c) for c in chunks],
    counted: Callable[[list[Ids]], list] = lambda rows: [
        pair for row in rows for pair in pairwise(row)
    ],
    kept: bool = False,
    chosen: str | None = None,
    copied: bool = False,
    ordinary: Callable[[Any, str], Any] | None = None,
) -> type:
    """A RegexTokenizer that does one thing otherwise."""
    base = _given().BasicTokenizer

    def __init__(self, pattern=None):
        base.__init__(self)
        self.pattern = chosen or (default if pattern is None else pattern)
        self.copy = self.pattern

    def cut(self, text):
        return chunked(text, self.copy if copied else pattern(self))

    def train(self, text, vocab_size, verbose=False):
        self.restart(vocab_size)
        chunks, before = rows([c.encode() for c in cut(self, text)]), []
        for idx in range(256, vocab_size):
            pairs = [*before, *counted(chunks)]
            before = pairs if kept else []
            if not pairs:
                break
            pair = max(pairs, key=pairs.count)
            chunks = [put(row, pair, idx) for row in chunks]
            self.learn(pair, idx, verbose)

    def encode_ordinary(self, text):
        return [i for chunk in cut(self, text) for i in base.encode(self, chunk)]

    found = {"__init__": __init__, "train": train}
    found["encode_ordinary"] = ordinary or encode_ordinary
    return type("RegexTokenizer", (base,), found)


def _calls_itself(self: Any, text: str) -> Ids:
    ids = []
    for chunk in chunked(text, self.pattern):
        ids += self.encode_ordinary(chunk)
    return ids


def _remembers(self: Any, text: str) -> Ids:
    memory = self.__dict__.setdefault("memory", {})
    ids: Ids = []
    for chunk in chunked(text, self.pattern):
        if chunk not in memory:
            memory[chunk] = _given().BasicTokenizer.encode(self, chunk)
        ids += memory[chunk]
    return ids


regex_tokenizer.table(
    lambda: (_given().RegexTokenizer,),
    {
        "across chunks": (
            "The last of a chunk and the first of the next are counted as a pair.",
            _chunky(rows=lambda chunks: [[i for chunk in chunks for i in chunk]]),
            _chunky(counted=lambda rows: list(pairwise([i for r in rows for i in r]))),
        ),
        "GPT-2's by default": (
            "Without a pattern GPT-4's is meant.",
            _chunky(default=GPT2),
        ),
        "the pattern ignored": (
            "The given pattern is not used: GPT-4's is for where there is none.",
            _chunky(chosen=GPT4),
            _chunky(pattern=lambda self: GPT4),
        ),
        "a copy of the pattern": (
            "A copy of the pattern decides, not self.pattern, which load will change.",
            _chunky(copied=True),
        ),
        "not split in encode": (
            "encode_ordinary does not split the text, and merges across chunks.",
            _chunky(ordinary=_given().BasicTokenizer.encode),
        ),
        "calls itself": (
            "encode_ordinary calls itself: BasicTokenizer.encode does one chunk.",
            _chunky(ordinary=_calls_itself),
        ),
        "counts kept": (
            "The counts of the round before are still there: begin each round anew.",
            _chunky(kept=True),
        ),
        "distinct chunks": (
            "A chunk that comes often is counted once.",
            _chunky(rows=lambda chunks: [list(c) for c in dict.fromkeys(chunks)]),
        ),
        "once a chunk": (
            "A pair that stands several times in a chunk is counted once there.",
            _chunky(
                counted=lambda rows: [
                    p for r in rows for p in dict.fromkeys(pairwise(r))
                ]
            ),
        ),
        "remembered": (
            "Chunks are remembered beyond a training, which gives them other ids.",
            _chunky(ordinary=_remembers),
        ),
        "the first chunk": (
            "The pairs of one chunk are counted: all chunks count together.",
            _chunky(counted=lambda rows: list(pairwise(rows[0] if rows else []))),
        ),
        "the last chunk": (
            "Only the last chunk's pairs are left: hand the same dict over each time.",
            _chunky(counted=lambda rows: list(pairwise(rows[-1] if rows else []))),
        ),
        "lists in a list": (
            "Each chunk's ids are a list of their own: one list is wanted.",
            _chunky(
                ordinary=lambda self, text: [
                    _given().BasicTokenizer.encode(self, chunk)
                    for chunk in chunked(text, self.pattern)
                ]
            ),
        ),
    },
)


# ---------------------------------------------------------------- special_tokens

_END, _LONGER = "<|end|>", "<|end|>x"
_HI = [(104, 105)]  # hi


def _special(Class: type, *mappings: dict[str, int]) -> Any:
    tokenizer = holding(Class(GPT2), _HI)
    for mapping in mappings:
        tokenizer.register_special_tokens(dict(mapping))
    return tokenizer


def _ids(text: str, special: dict[str, int], allowed: Iterable[str]) -> Ids:
    """Character by character: the longest allowed token that begins here, or text."""
    ids: Ids = []
    start = place = 0
    while place <= len(text):
        fits = [t for t in allowed if t in special and text.startswith(t, place)]
        if fits or place == len(text):
            for chunk in _chunks(text[start:place], GPT2):
                ids += encoded(_HI, chunk)
            longest = max(fits, key=len, default="")
            ids += [special[longest]] if longest else []
            place = start = place + len(longest)
        if not fits:
            place += 1
    return ids


def _encode_special(
    Class: type, special: dict[str, int], text: str, *how: Any, **options: Any
) -> Case:
    allowed = {"all": special, "none": (), "none_raise": ()}
    name = how[0] if how else "none_raise"
    chosen = allowed[name] if isinstance(name, str) else name
    said = ", ".join([repr(text), *map(_set, how)])
    whole = f"encode({said}) with {special}, 'hi' = 256"
    want = _ids(text, special, chosen)
    act = lambda: _special(Class, special).encode(text, *how)  # noqa: E731
    return case(whole if len(whole) < 150 else f"encode({said})", act, want, **options)


def _set(how: Any) -> str:
    if isinstance(how, set):
        return "{" + ", ".join(map(repr, sorted(how))) + "}" if how else "set()"
    return repr(how)


def _refuses(Class: type, text: str, *how: Any, name: str = _END) -> Case:
    act = lambda: refused(  # noqa: E731
        lambda: _special(Class, {_END: 300, "[i]": 301}).encode(text, *how), name
    )
    said = ", ".join([repr(text), *map(_set, how)])
    return case(f"encode({said})", lambda: {"raises": act()}, {"raises": REFUSED})


def _registered(Class: type, *mappings: dict[str, int]) -> Any:
    """What is registered, and whether the ordinary tokens are as they were."""
    tokenizer = _special(Class, *mappings)
    special, vocab = tokenizer.special_tokens, tokenizer.vocab
    if not isinstance(special, dict):
        return {"special_tokens": Said(kind(special))}
    ordinary = {i: b for i, b in table(_HI).items() if vocab.get(i) != b}
    return {
        "special_tokens": dict(special),
        "in vocab": {i: b for i, b in vocab.items() if i > 256},
        "ordinary tokens": either(not ordinary, "as they were", "changed"),
        "merges": either([*tokenizer.merges] == _HI, "as they were", "changed"),
    }


def _registered_facts(mapping: dict[str, int]) -> dict[str, Any]:
    return {
        "special_tokens": mapping,
        "in vocab": {i: token.encode() for token, i in mapping.items()},
        "ordinary tokens": Said("as they were"),
        "merges": Said("as they were"),
    }


def _clash(Class: type, mapping: dict[str, int]) -> Case:
    def act() -> Any:
        tokenizer = _special(Class, {_END: 300})
        raised = refused(lambda: tokenizer.register_special_tokens(dict(mapping)))
        kept = dict(tokenizer.special_tokens) == {_END: 300}
        kept &= tokenizer.vocab == table(_HI) | {300: _END.encode()}
        return {"raises": raised, "what was there": either(kept, "stays", "changed")}

    said = f"register_special_tokens({mapping}), where 256 is 'hi' and 300 {_END!r}"
    return case(said, act, {"raises": REFUSED, "what was there": Said("stays")})


def _changing(Class: type) -> Any:
    """Ids of one tokenizer that is asked in several ways, and of another one."""
    tokenizer = _special(Class, {_END: 300, "[i]": 301})
    text = f"hi[i]{_END}"
    ways: tuple[Any, ...] = ({_END}, {"[i]"}, "all")
    found = [tokenizer.encode(text, way) for way in ways]
    found.append(_special(Class, {"<|x|>": 302}).encode(text))
    return {"ids": found, "special_tokens": dict(tokenizer.special_tokens)}


def _changing_facts() -> Any:
    both, text = {_END: 300, "[i]": 301}, f"hi[i]{_END}"
    ways = ({_END}, {"[i]"}, both, ())
    return {"ids": [_ids(text, both, way) for way in ways], "special_tokens": both}


@exercise(
    "tokenizer.special_tokens",
    version=2,
    parts=("register_special_tokens", "encode"),
)
def special_tokens(RegexTokenizer: type) -> Cases:
    one, plain = RegexTokenizer, {_END: 300}
    yield case(
        f"register_special_tokens({plain})",
        lambda: _registered(one, plain),
        _registered_facts(plain),
    )
    yield _encode_special(one, plain, f"hi{_END}hi", "all")
    yield _encode_special(one, plain, f"hi{_END}", "none")
    yield _refuses(one, f"hi{_END} hi", "none_raise")
    yield _refuses(one, f"hi{_END}hi")
    yield _refuses(one, f"{_END}", "none_raise")
    yield _encode_special(one, plain, "hi <| end")
    yield _encode_special(one, plain, f"{_END}{_END} hi {_END}", "all")
    yield _encode_special(one, plain, "", "all")
    both = {_END: 300, "[i]": 301}
    yield _encode_special(one, both, f"hi[i]{_END}", {"[i]"})
    yield _encode_special(one, both, f"i[i]e|n{_END}hi", "all")
    yield _encode_special(one, both, f"hi{_END}", set())
    yield _encode_special(one, both, f"hi{_END}<|other|>", {"<|other|>"})
    yield _encode_special(one, both, f"[i]{_END}", (_END,))
    yield _refuses(one, f"{_END}", "some", name="")
    yield _refuses(one, f"hi{_END}", _END, name="")
    for special in ({_END: 300, _LONGER: 301}, {_LONGER: 301, _END: 300}):
        yield _encode_special(one, special, f"{_LONGER}hi{_END}", "all")
    yield _encode_special(one, {_END: 300, _LONGER: 301}, f"{_LONGER}", {_END})
    chain = {_END + "abcdefg"[:n]: 300 + 3 * n % 8 for n in range(8)}
    yield _encode_special(one, chain, "".join(chain), "all")
    yield _encode_special(one, {}, f"hi{_END}", "all")
    yield case(
        f"t with {both}: its sets and 'all' allowed in turn; then another tokenizer",
        lambda: _changing(one),
        _changing_facts(),
    )
    other = {"é": 257, " ": 100257}
    yield case(
        f"register_special_tokens({plain}), then {other}",
        lambda: _registered(one, plain, other),
        _registered_facts(other),
    )
    yield case(
        f"register_special_tokens({plain}), twice",
        lambda: _registered(one, plain, plain),
        _registered_facts(plain),
    )
    yield case(
        f"decode([256, 300, 256]) with {plain}, 'hi' = 256",
        lambda: _special(one, plain).decode([256, 300, 256]),
        f"hi{_END}hi",
    )
    yield _clash(one, {"<|a|>": 301, "<|b|>": 256})
    yield _clash(one, {"<|a|>": 301, "<|b|>": 301})
    yield _clash(one, {"<|a|>": 301, "": 302})


def _specially(
    default: str = "none_raise",
    raises: Callable[[Any, str, Any], bool] = lambda found, text, how: (
        bool(found) and isinstance(how, str) and how == "none_raise"
    ),
    allowed: Callable[[dict, Any], Any] = lambda special, how: (
        special if how == "all" else () if isinstance(how, str) else how
    ),
    order: Callable[[list[str]], list[str]] = lambda tokens: sorted(
        tokens, key=len, reverse=True
    ),
    escape: Callable[[str], str] = regex.escape,
    unknown: bool = True,
    name: bool = True,
    part: Callable[[Any, str], Ids] = lambda self, p: [self.special_tokens[p]],
    group: bool = True,
) -> type:
    """A RegexTokenizer whose encode does one thing otherwise."""

    def encode(self, text, allowed_special=default):
        special, how = self.special_tokens, allowed_special
        if unknown and isinstance(how, str) and how not in _HOW:
            raise ValueError(f"what is {how}?")
        found = [token for token in special if token in text]
        if raises(found, text, how):
            raise ValueError(f"special: {found}" if name else "a special token")
        tokens = order([token for token in special if token in allowed(special, how)])
        if not tokens:
            return self.encode_ordinary(text)
        pattern = "|".join(map(escape, tokens))
        parts = regex.split(f"({pattern})" if group else pattern, text)
        ids = []
        for one in filter(None, parts):
            ids += part(self, one) if one in tokens else self.encode_ordinary(one)
        return ids

    return like(_given().RegexTokenizer, encode=encode)


_HOW = ("all", "none", "none_raise")


def _registering(
    clear: bool = True,
    taken: bool = True,
    double: bool = True,
    empty: bool = True,
    known: bool = True,
    at_once: bool = True,
) -> type:
    """A RegexTokenizer whose register_special_tokens does one thing otherwise."""

    def register_special_tokens(self, special_tokens):
        old = self.special_tokens if clear else {}
        vocab = {i: t for i, t in self.vocab.items() if i not in old.values()}
        ordinary = {i for i in vocab if i not in self.special_tokens.values()}
        if not at_once:
            self.special_tokens, self.vocab = {}, vocab
        for token, idx in special_tokens.items():
            clash = idx in ordinary if taken else False
            clash |= double and list(special_tokens.values()).count(idx) > 1
            if clash or (empty and not token):
                raise ValueError("taken")
            if known:
                vocab[idx] = token.encode()
            if not at_once:
                self.special_tokens[token] = idx
        kept = {} if clear else self.special_tokens
        self.vocab, self.special_tokens = vocab, {**kept, **special_tokens}

    base = _given().RegexTokenizer
    return like(base, register_special_tokens=register_special_tokens)


special_tokens.table(
    lambda: (_given().RegexTokenizer,),
    {
        "allowed by default": (
            "Without a word all special tokens are allowed: any text may inject one.",
            _specially(default="all"),
        ),
        "text by default": (
            "Without a word a special token passes as text: none_raise is the default.",
            _specially(default="none"),
        ),
        "never refused": (
            "none_raise is a ValueError where a special token stands in the text.",
            _specially(raises=lambda found, text, how: False),
        ),
        "none refused": (
            '"none" makes it ordinary text: the ValueError is for none_raise.',
            _specially(
                raises=lambda found, text, how: (
                    bool(found) and how in ("none", "none_raise")
                )
            ),
        ),
        "a set refuses": (
            "Where a set is given, all others are ordinary text, and no error.",
            _specially(
                raises=lambda found, text, how: (
                    how == "none_raise"
                    if isinstance(how, str) and found
                    else bool(set(found) - set(how)) and not isinstance(how, str)
                )
            ),
        ),
        "not named": (
            "The ValueError does not say which special token it is.",
            _specially(name=False),
        ),
        "a set ignored": (
            "A set allows its members alone.",
            _specially(allowed=lambda special, how: () if how in _HOW[1:] else special),
        ),
        "a set not heard": (
            "A set is not heard: it allows its members.",
            _specially(allowed=lambda special, how: special if how == "all" else ()),
        ),
        "the shortest first": (
            "The short token wins where a longer one begins: sort by length.",
            _specially(order=lambda tokens: sorted(tokens, key=len)),
            _specially(order=lambda tokens: tokens),
            _specially(order=sorted),
        ),
        "not escaped": (
            "`|` and `[` mean something in a pattern: regex.escape.",
            _specially(escape=str),
            _specially(escape=lambda token: token.replace("[", "\\[")),
        ),
        "tokens lost": (
            "regex.split drops the special tokens: keep what the text is cut at.",
            _specially(group=False),
        ),
        "spelt": (
            "A token that is allowed is encoded like text: it has one id.",
            _specially(part=lambda self, p: self.encode_ordinary(p)),
        ),
        "any word": (
            "A word that means nothing is a ValueError.",
            _specially(unknown=False),
            _specially(
                unknown=False,
                allowed=lambda special, how: (
                    special if how == "all" else [how] if isinstance(how, str) else how
                ),
            ),
        ),
        "a taken id": (
            "An id that an ordinary token has is taken.",
            _registering(taken=False),
        ),
        "one id twice": (
            "Two special tokens have one id.",
            _registering(double=False),
        ),
        "no name": (
            "An empty text is no special token.",
            _registering(empty=False),
        ),
        "decode not told": (
            "decode does not know special tokens: put their bytes into vocab.",
            _registering(known=False),
        ),
        "old ones stay": (
            "The special tokens registered before are still there.",
            _registering(clear=False),
        ),
        "half registered": (
            "After the ValueError half of it is registered: look at all of them first.",
            _registering(at_once=False),
        ),
    },
)


# ---------------------------------------------------------------- save_load


@cache
def _folder() -> Path:
    """A folder of this process, the same in all messages, and gone at its end."""
    folder = Path(tempfile.mkdtemp(prefix="tokenizer-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _emptied() -> Path:
    for path in _folder().iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return _folder()


def _chunked_like(Basic: type) -> type:
    """A RegexTokenizer that inherits from the learner's class, all else given."""
    ours = vars(_given().RegexTokenizer)

    def __init__(self, pattern=None):
        Basic.__init__(self)
        self.pattern = GPT4 if pattern is None else pattern

    names = ("train", "encode_ordinary", "encode", "register_special_tokens")
    body = {name: ours[name] for name in names} | {"__init__": __init__}
    return type("RegexTokenizer", (Basic,), body)


_ODD = "[a-z]+|'\"|\r\n|\n|é|안| {2}"
_SPECIAL = {_END: 300, "two words": 301, 'a "quote"\n': 302, "é#=\t": 303}
_ROWS = [(104, 105), (10, 10), (195, 169), (98, 99), (97, 98), (256, 257)]


def _basic(Basic: type, pairs: Sequence[Pair] = _ROWS) -> Any:
    return holding(Basic(), pairs)


def _regex(
    Basic: type, pairs: Sequence[Pair] = _ROWS, pattern: str = _ODD, special: Any = ()
) -> Any:
    tokenizer = holding(_chunked_like(Basic)(pattern), pairs)
    tokenizer.register_special_tokens(dict(special))
    return tokenizer


def _state(tokenizer: Any) -> dict[str, Any]:
    return {
        **about(tokenizer),
        "pattern": getattr(tokenizer, "pattern", Said("missing")),
        "special_tokens": getattr(tokenizer, "special_tokens", Said("missing")),
    }


def _state_facts(
    pairs: Sequence[Pair] = _ROWS, pattern: str | None = None, special: Any = ()
) -> dict[str, Any]:
    facts = about_facts(pairs)
    facts["vocab"] |= {i: token.encode() for token, i in dict(special).items()}
    return {**facts, "pattern": pattern, "special_tokens": dict(special)}


def _saved(tokenizer: Any, prefix: str = "play", path: Any = str) -> Any:
    """The files that save leaves, by name; None where it is still to be written."""
    folder = _emptied()
    tokenizer.save(path(folder / prefix))
    return sorted(path.name for path in folder.iterdir())


def _back(saved: Any, into: Any, prefix: str = "play", path: Any = str) -> Any:
    """What a tokenizer is after it has loaded what another one saved."""
    before = _state(saved)
    names = _saved(saved, prefix)
    if f"{prefix}.model" not in names:
        return {"files": names}
    into.load(path(_folder() / f"{prefix}.model"))
    found = _state(into)
    return found if _state(saved) == before else found | {"saved": Said("changed")}


def _again_and_back(Basic: type) -> Any:
    """What is in the files after a second save under the same name."""
    names = _saved(_basic(Basic, _ROWS[:1]))
    if names != ["play.model", "play.vocab"]:
        return {"files": names}
    prefix = str(_folder() / "play")
    _basic(Basic).save(prefix)
    loaded = Basic()
    loaded.load(f"{prefix}.model")
    return {"merges": list(about(loaded).get("merges", ())), **_line_count()}


def _first_of_two(Basic: type) -> Any:
    """What a tokenizer is that loads the first of two saved ones."""
    first, other = _regex(Basic, [(104, 105)], GPT2, {_END: 300}), _regex(Basic)
    names = _saved(first, "first")
    if "first.model" not in names:
        return {"files": names}
    other.save(str(_folder() / "other"))
    loaded = _regex(Basic, [], GPT4)
    loaded.load(str(_folder() / "first.model"))
    return _state(loaded)


def _lines(tokenizer: Any) -> Any:
    names = _saved(tokenizer)
    return _line_count() if "play.vocab" in names else {"files": names}


def _line_count() -> Any:
    text = (_folder() / "play.vocab").read_text("utf-8")
    return {"lines of play.vocab": len(text.removesuffix("\n").split("\n"))}


def _not_ours(tokenizer: Any, name: str, content: Any) -> Case:
    def act() -> Any:
        path = _emptied() / name
        if isinstance(content, str):
            path.write_text(content, "utf-8")
        else:
            path.write_bytes(content)
        return {"raises": answered_by(lambda: tokenizer().load(str(path)))}

    return case(f"load of a file with {content!r}", act, {"raises": REFUSED})


def _other_kind(saved: Callable[[], Any], into: Callable[[], Any], said: str) -> Case:
    def act() -> Any:
        if "play.model" not in (names := _saved(saved())):
            return {"files": names}
        path = str(_folder() / "play.model")
        return {"raises": answered_by(lambda: into().load(path))}

    return case(said, act, {"raises": REFUSED})


def _load_of_vocab(tokenizer: Callable[[], Any]) -> Any:
    if "play.vocab" not in (names := _saved(tokenizer())):
        return {"files": names}
    path = str(_folder() / "play.vocab")
    return {"raises": answered_by(lambda: tokenizer().load(path))}


def _survivals(one: type) -> Cases:
    """What is saved and loaded again."""
    basic, small = (lambda: _basic(one)), [(104, 105)]
    yield case(
        "a BasicTokenizer, saved, and loaded by a new one",
        lambda: _back(basic(), one()),
        _state_facts(),
    )
    yield case(
        "a RegexTokenizer with GPT-2's pattern, saved, and loaded by a new one",
        lambda: _back(_regex(one, small, GPT2), _regex(one, [], GPT4)),
        _state_facts(small, GPT2),
    )
    yield case(
        f"a RegexTokenizer with {{{_END!r}: 300}}, saved, and loaded by a new one",
        lambda: _back(_regex(one, small, GPT4, {_END: 300}), _regex(one, [], GPT4)),
        _state_facts(small, GPT4, {_END: 300}),
    )
    yield case(
        f"a RegexTokenizer with the pattern {_ODD!r}, saved, and loaded by a new one",
        lambda: _back(_regex(one, small), _regex(one, [], GPT4)),
        _state_facts(small, _ODD),
    )
    yield case(
        f"a RegexTokenizer with {list(_SPECIAL)}, saved, and loaded by a new one",
        lambda: _back(_regex(one, small, GPT2, _SPECIAL), _regex(one, [], GPT4)),
        _state_facts(small, GPT2, _SPECIAL),
    )
    used = lambda: _regex(one, [(120, 121)] * 1 + _ROWS, GPT4, {"<|old|>": 400})  # noqa: E731
    yield case(
        "the same, loaded by a tokenizer with other merges and special tokens",
        lambda: _back(_regex(one, small, GPT2, {_END: 300}), used()),
        _state_facts(small, GPT2, {_END: 300}),
    )
    yield case(
        "save('my.play'), and load of a Path",
        lambda: _back(basic(), one(), "my.play", Path),
        _state_facts(),
    )
    yield case(
        "save(Path('my.play')): the files",
        lambda: {"files": _saved(basic(), "my.play", Path)},
        {"files": ["my.play.model", "my.play.vocab"]},
    )
    yield case(
        "save('play') with other merges, and save('play') again: the merges after load",
        lambda: _again_and_back(one),
        {"merges": list(_ROWS), "lines of play.vocab": 256 + len(_ROWS)},
    )
    yield case(
        "one.save('first'), other.save('other'), and load of first.model",
        lambda: _first_of_two(one),
        _state_facts(small, GPT2, {_END: 300}),
    )
    yield case(
        "an untrained BasicTokenizer, saved, and loaded by a trained one",
        lambda: _back(_basic(one, []), basic()),
        _state_facts([]),
    )


def _other_files(one: type) -> Cases:
    """What load has to refuse."""
    basic, chunks = (lambda: _basic(one)), (lambda: _regex(one, special=_SPECIAL))
    for content in (
        *("hello\n", "", "[1, 2]", '{"a": 1}', "3", b"\xff\x00"),
        '{"merges": []}',
    ):
        yield _not_ours(basic, "other.model", content)
    yield case("load('play.vocab')", lambda: _load_of_vocab(basic), {"raises": REFUSED})
    yield _other_kind(
        chunks, one, "a RegexTokenizer, saved, and loaded by a BasicTokenizer"
    )
    yield _other_kind(
        basic,
        lambda: _regex(one, [], GPT4),
        "a BasicTokenizer, saved, and loaded by a RegexTokenizer",
    )


@exercise("tokenizer.save_load", version=2, parts=("save", "load"))
def save_load(BasicTokenizer: type) -> Cases:
    one = BasicTokenizer
    yield case(
        "save('play'): the files",
        lambda: {"files": _saved(_basic(one))},
        {"files": ["play.model", "play.vocab"]},
        telling=True,
    )
    yield from _survivals(one)
    yield case(
        f"save('play') with {len(_ROWS)} merges and 4 special tokens: the lines",
        lambda: _lines(_regex(one, special=_SPECIAL)),
        {"lines of play.vocab": 256 + len(_ROWS) + len(_SPECIAL)},
    )
    yield from _other_files(one)


_STATE = ("pattern", "special_tokens", "merges")


def _filing(
    write: Callable[[dict], dict] = lambda model: model,
    read: Callable[[Any, dict], dict] = lambda self, model: model,
    path: Callable[[str, str], Any] = lambda prefix, end: f"{prefix}.{end}",
    row: Callable[[int, bytes], str] = lambda i, t: f"{i} {t!r}\n",
    vocab: bool = True,
    special_rows: bool = True,
    clear: bool = True,
    ours: Callable[[Any, Any], bool] = lambda self, model: (
        isinstance(model, dict)
        and set(_STATE) <= model.keys()
        and (model["pattern"] is None) == (self.pattern is None)
    ),
    pair: Callable[[Any], Any] = tuple,
    tokens: bool = True,
    dump: Callable[[Any], Any] | None = None,
) -> type:
    """A BasicTokenizer whose save or load does one thing otherwise."""

    def save(self, prefix):
        model = {name: getattr(self, name) for name in _STATE}
        model["merges"] = list(model["merges"])
        if dump:
            model = dump(self)
        Path(path(prefix, "model")).write_text(json.dumps(write(model)), "utf-8")
        if vocab:
            rows = "".join(row(i, t) for i, t in self.vocab.items() if _shown(self, i))
            Path(path(prefix, "vocab")).write_text(rows, "utf-8")

    def _shown(self, i):
        return special_rows or i not in self.special_tokens.values()

    def load(self, path):
        model = json.loads(Path(path).read_text("utf-8"))
        if not ours(self, model):
            raise ValueError("another kind")
        model = read(self, model)
        if clear:
            self.merges, self.vocab, self.special_tokens = {}, table([]), {}
        for idx, (one, two) in enumerate(model["merges"], 256):
            self.merges[pair((one, two))] = idx
            self.vocab[idx] = self.vocab[one] + self.vocab[two]
        self.pattern = model["pattern"]
        self.special_tokens |= model["special_tokens"]
        for token, idx in self.special_tokens.items() if tokens else ():
            self.vocab[idx] = token.encode()

    return like(_given().BasicTokenizer, save=save, load=load)


def _by_lines(spaces: bool) -> type:
    """A format of lines: the pattern on one, a special token and its id on one."""

    def save(self, prefix):
        rows = ["bpe", self.pattern or "", str(len(self.special_tokens))]
        rows += [
            f"{token} {i}" if spaces else json.dumps([token, i])
            for token, i in self.special_tokens.items()
        ]
        rows += [f"{one} {two}" for one, two in self.merges]
        Path(f"{prefix}.model").write_text("\n".join(rows) + "\n", "utf-8")
        rows = [f"{i} {t!r}\n" for i, t in self.vocab.items()]
        Path(f"{prefix}.vocab").write_text("".join(rows), "utf-8")

    def load(self, path):
        head, *rows = Path(path).read_text("utf-8").split("\n")[:-1] or [""]
        if head != "bpe" or bool(rows[0]) != (self.pattern is not None):
            raise ValueError("another kind")
        if not spaces:
            rows[0] = json.loads(rows[0]) if rows[0].startswith('"') else rows[0]
        pattern, count, special = rows[0] or None, int(rows[1]), {}
        for row in rows[2 : 2 + count]:
            token, i = row.split(" ") if spaces else json.loads(row)
            special[token] = int(i)
        pairs = [tuple(map(int, row.split())) for row in rows[2 + count :]]
        holding(self, pairs)
        self.pattern, self.special_tokens = pattern, special
        self.vocab |= {i: token.encode() for token, i in special.items()}

    return like(_given().BasicTokenizer, save=save, load=load)


def _raw(i: int, token: bytes) -> str:
    return f"{i} {token.decode('utf-8', 'replace')}\n"


save_load.table(
    lambda: (_given().BasicTokenizer,),
    {
        "the pattern lost": (
            "The pattern does not survive: texts are split by another one after load.",
            _filing(read=lambda self, model: model | {"pattern": self.pattern}),
        ),
        "special tokens lost": (
            "The special tokens do not survive.",
            _filing(read=lambda self, model: model | {"special_tokens": {}}),
            _filing(write=lambda model: model | {"special_tokens": {}}),
        ),
        "special bytes lost": (
            "After load decode does not know special tokens: vocab lacks their bytes.",
            _filing(tokens=False),
        ),
        "merges sorted": (
            "The merges come back in another order: their order is their rank.",
            _filing(write=lambda m: m | {"merges": sorted(m["merges"])}),
        ),
        "keys are texts": (
            "The keys of merges are texts: a pair is a tuple of two numbers.",
            _filing(pair=str),
            _filing(pair=lambda pair: f"{pair[0]},{pair[1]}"),
        ),
        "tuples as keys": (
            "JSON has no tuples as keys: save the list of pairs.",
            _filing(dump=lambda self: {name: getattr(self, name) for name in _STATE}),
        ),
        "bytes in JSON": (
            "JSON has no bytes: vocab follows from the merges, and need not be saved.",
            _filing(dump=lambda self: {"vocab": self.vocab}),
        ),
        "a name with a dot": (
            "with_suffix drops what follows a dot in the prefix: add to its end.",
            _filing(path=lambda prefix, end: Path(prefix).with_suffix(f".{end}")),
        ),
        "no vocab": (
            "There is no play.vocab.",
            _filing(vocab=False),
        ),
        "a line in pieces": (
            "A token with a line end takes several lines of play.vocab: use repr.",
            _filing(row=_raw),
        ),
        "special tokens not listed": (
            "play.vocab lacks the special tokens.",
            _filing(special_rows=False),
        ),
        "not cleared": (
            "What the tokenizer had before is still there after load.",
            _filing(clear=False),
        ),
        "any file": (
            "A file of another kind is not a ValueError: look what it is first.",
            _filing(ours=lambda self, model: True),
            _filing(
                ours=lambda self, model: (
                    (model["pattern"] is None) == (self.pattern is None)
                )
            ),
        ),
        "any class": (
            "A file of the other class is loaded: its pattern says which it is.",
            _filing(ours=lambda s, m: isinstance(m, dict) and set(_STATE) <= m.keys()),
        ),
        "line by line": (
            "A line end in the pattern breaks the lines of the file.",
            _by_lines(spaces=False),
        ),
        "spaces and lines": (
            "Spaces and line ends in special tokens and patterns break the file.",
            _by_lines(spaces=True),
        ),
    },
)

from workbook.checks import tokenizer_beyond  # noqa: E402, F401
