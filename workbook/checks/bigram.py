"""Checks of lesson 2. Slow loops, formulas and frequencies judge.

The loss judges little here: a table whose columns were normalised in place of its rows
has the same average over whole names. Draws differ between versions of PyTorch, so a
sampler is judged by how often it says what, never by the names themselves.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise, product
from typing import Any

import torch
import torch.nn.functional as F

from workbook.checks.cases import Case, Exercise, case, exercise, name_of, new_seed
from workbook.checks.rehoming import required
from workbook.checks.saying import is_nothing
from workbook.checks.tensors import (
    Steps,
    asked,
    counted,
    leaf,
    named,
    number,
    weights,
    with_gradient,
)
from workbook.compare import FLOAT32, Said, Tolerance, kind, show

Cases = Iterator[Case]
Words = list[str]
AS_IT_WAS = Said("as it was")
DESCENT = Tolerance(2e-3, 1e-5, "rounding of single precision adds up over the steps")
LARGE = Tolerance(2e-3, 1e-6, "near 1000 single precision keeps four decimals")


def _given() -> Any:
    return required("bigram")


def _vocabulary(*words: str) -> Any:
    """The given Vocabulary of some words, which shows itself as it is made."""
    made = _given().Vocabulary(list(words))
    said = f"Vocabulary({list(words)})"
    type(made).__repr__ = lambda self: said
    return made


def _made_up(rng: random.Random, letters: str, count: int, most: int = 7) -> Words:
    """Words of random letters, most of them different."""
    sizes = [rng.randint(1, most) for _ in range(count)]
    return ["".join(rng.choices(letters, k=size)) for size in sizes]


def _some_letters() -> str:
    """Letters that are new in each run."""
    return "".join(random.Random().sample("bcdefghijklmnopqrstuvwxyz", 5))


# ---------------------------------------------------------------- vocabulary


def _about(Vocabulary: type, words: Words) -> Any:
    """Both dictionaries, by number from 0 on, and what has become of the words."""
    mine = list(words)
    made = Vocabulary(mine)
    count = len(made)
    letters = [made.itos[i] for i in range(count)]
    return {
        "letters": letters,
        "numbers": [made.stoi[letter] for letter in letters],
        "words": AS_IT_WAS if mine == words else Said(f"changed to {mine}"),
    }


def _alphabet(words: Words) -> list[str]:
    return [".", *sorted({letter for word in words for letter in word})]


def _right_letters(words: Words) -> dict[str, Any]:
    letters = _alphabet(words)
    return {"letters": letters, "numbers": [*range(len(letters))], "words": AS_IT_WAS}


def _coded(Vocabulary: type, words: Words, text: str, **options: Any) -> Iterator[Case]:
    """The cases of a text to numbers, and of the numbers to the text."""
    ids = [_alphabet(words).index(letter) for letter in text]
    made = f"Vocabulary({words})"
    encode = lambda: Vocabulary(list(words)).encode(text)  # noqa: E731
    yield case(f"{made}.encode({text!r})", encode, ids, **options)
    decode = lambda: Vocabulary(list(words)).decode(list(ids))  # noqa: E731
    yield case(f"{made}.decode({ids})", decode, text, **options)


def _order(Vocabulary: type, words: Words) -> str:
    """The order of the letters, in words: a set's may be any."""
    made = Vocabulary(list(words))
    letters = [made.itos[i] for i in range(len(made))]
    if letters[1:] == _alphabet(words)[:0:-1]:
        return Said("from z to a")
    mixed = letters[:1] == ["."] and sorted(letters[1:]) == _alphabet(words)[1:]
    right = letters == _alphabet(words)
    told = _ALPHABETICAL if right else Said("not the alphabet's")
    return told if mixed else Said(letters)


_ALPHABETICAL = Said("the alphabet's")


def _unknown(Vocabulary: type) -> Any:
    """What becomes of a letter that the words do not have."""
    try:
        return Vocabulary(["emma"]).encode("mx")
    except Exception:
        return Said("KeyError")


@exercise("bigram.vocabulary", version=2)
def vocabulary(Vocabulary: type) -> Cases:
    yield from _coded(Vocabulary, ["emma"], ".emma.")
    yield case('len(Vocabulary(["emma"]))', lambda: len(Vocabulary(["emma"])), 4)
    both = ["zoe", "ann", "bo"]
    order = f"the order of the letters of Vocabulary({both})"
    act = lambda: _order(Vocabulary, both)  # noqa: E731
    yield case(order, act, _ALPHABETICAL, telling=True)
    unknown = 'Vocabulary(["emma"]).encode("mx"), where x is unknown'
    yield case(unknown, lambda: _unknown(Vocabulary), Said("KeyError"))
    for words in (["emma"], both, ["noah", "noah"], ["Øyvind", "åsa"]):
        text = f"stoi and itos of Vocabulary({words})"
        act = lambda w=words: _about(Vocabulary, w)  # noqa: E731
        yield case(text, act, _right_letters(words))
    yield from _coded(Vocabulary, both, "bane.")
    new = _made_up(random.Random(), _some_letters(), 3)
    yield from _coded(Vocabulary, new, f".{new[1]}.", fresh=True)


class _Letters:
    """The start of the wrong vocabularies: right, but for what each one changes."""

    def __init__(self, words: Words) -> None:
        letters = self._letters(words)
        self.stoi = {letter: i for i, letter in enumerate(letters)}
        self.itos = dict(enumerate(letters))

    def __init_subclass__(cls) -> None:
        cls.__name__ = "Vocabulary"  # so that errors read as the learner's do

    def _letters(self, words: Words) -> list[str]:
        return _alphabet(words)

    def __len__(self) -> int:
        return len(self.itos)

    def encode(self, text: str) -> Any:
        return [self.stoi[letter] for letter in text]

    def decode(self, ids: list[int]) -> Any:
        return "".join(self.itos[i] for i in ids)


def _lettered(letters: Callable[[Words], list[str]]) -> type:
    """A vocabulary whose letters come in another way."""
    return type("Vocabulary", (_Letters,), {"_letters": lambda self, w: letters(w)})


def _encoding(encode: Callable[[dict, str], list]) -> type:
    """A vocabulary that makes numbers of a text in another way."""
    own = {"encode": lambda self, text: encode(self.stoi, text)}
    return type("Vocabulary", (_Letters,), own)


def _forms(*others: Any) -> Callable[[Any], Iterator[tuple[Any, ...]]]:
    """Further forms of a mistake that is one object."""
    return lambda _: iter([(one,) for one in others])


def _put(
    check: Exercise, name: str, sentence: str, wrong: Any, more: dict[str, Any]
) -> None:
    """Record a mistake of one object, and its further forms if there are any."""
    others = {"others": more[name]} if name in more else {}
    check.mistake(name, sentence, **others)(wrong)


def _joined(words: Words) -> str:
    return "".join(words)


_VOCABULARIES: dict[str, tuple[str, type]] = {
    "unsorted": (
        "The letters are not in alphabetical order: sort the set.",
        _lettered(lambda w: [".", *dict.fromkeys(_joined(w))]),
    ),
    "repeated": (
        "A letter that occurs twice gets two numbers: a set keeps it once.",
        _lettered(lambda w: [".", *sorted(_joined(w))]),
    ),
    "no dot": (
        "The dot has no number.",
        _lettered(lambda w: sorted(set(_joined(w)))),
    ),
    "dot last": (
        "The dot is 0, and the letters follow it.",
        _lettered(lambda w: [*sorted(set(_joined(w))), "."]),
    ),
    "two markers": (
        "Start and end have a number each: one dot does for both.",
        _lettered(lambda w: [".", *sorted(set(_joined(w))), "<end>"]),
    ),
    "whole alphabet": (
        "The letters are those of the words, not all from a to z.",
        _lettered(lambda w: [".", *"abcdefghijklmnopqrstuvwxyz"]),
    ),
    "one word": (
        "The letters come from one word alone, not from all of them.",
        _lettered(lambda w: [".", *sorted(set(w[0]))]),
    ),
    "turned round": (
        "stoi goes from letter to number, itos from number to letter: not so here.",
        type(
            "Vocabulary",
            (_Letters,),
            {
                "stoi": property(lambda self: dict(enumerate(self.known))),
                "itos": property(lambda s: {c: i for i, c in enumerate(s.known)}),
                "__init__": lambda self, words: setattr(
                    self, "known", _alphabet(words)
                ),
            },
        ),
    ),
    "letters not joined": (
        "decode gives a list of letters: join them to one text.",
        type(
            "Vocabulary",
            (_Letters,),
            {"decode": lambda self, ids: [self.itos[i] for i in ids]},
        ),
    ),
    "unknown letters": (
        "A letter that is in none of the words is no error here: it is a KeyError.",
        _encoding(lambda stoi, text: [stoi.get(c, 0) for c in text]),
    ),
    "dots added": (
        "encode adds dots of its own: it encodes what it is given, no more.",
        type(
            "Vocabulary",
            (_Letters,),
            {"encode": lambda self, text: [0, *(self.stoi[c] for c in text), 0]},
        ),
    ),
}
_MORE_VOCABULARIES = {
    "unknown letters": _forms(
        _encoding(lambda stoi, text: [stoi[c] for c in text if c in stoi]),
        _encoding(lambda stoi, text: [stoi.get(c) for c in text]),
    ),
}
for _name, (_sentence, _wrong) in _VOCABULARIES.items():
    _put(vocabulary, _name, _sentence, _wrong, _MORE_VOCABULARIES)


# ---------------------------------------------------------------- counts


def _table(words: Words, letters: list[str]) -> torch.Tensor:
    """Pairs counted by the slow loop: (V, V), int64."""
    rows = [[0] * len(letters) for _ in letters]
    for word in words:
        for one, two in pairwise(f".{word}."):
            rows[letters.index(one)][letters.index(two)] += 1
    return torch.tensor(rows)


def _counted(
    count: Callable, table: Callable, words: Words, known: Words, **options: Any
) -> Case:
    """The case of a table of counts; `known` are the words of the vocabulary."""
    vocabulary = _vocabulary(*known)
    name = "count_trigrams" if table is _deep_table else "count_bigrams"
    text = f"{name}({words}, {vocabulary})"
    if len(text) > 100:
        text = f"{name} of {len(words)} words, V = {len(vocabulary)}"
    want = {"N": table(words, _alphabet(known))}
    return asked(text, count, words, vocabulary, expects=want, seen=counted, **options)


def _at_once(count: Callable, words: Words) -> str:
    """Whether fewer operations are started than pairs are there, in words."""
    vocabulary = _vocabulary(*words)
    with Steps() as steps:
        count(list(words), vocabulary)
    pairs = sum(len(word) + 1 for word in words)
    return Said("in one go" if steps.taken < pairs else "one cell at a time")


def _tables(count: Callable, table: Callable) -> Cases:
    """The cases that pairs and triples of letters share."""
    yield _counted(count, table, ["ab"], ["ab"])
    yield _counted(count, table, ["abb", "ba"], ["ab"])
    yield _counted(count, table, ["b", "abab"], ["abcd"])
    rng = random.Random(1)
    for letters, size in (("aeiknr", 30), ("abcdefghijk", 12)):
        yield _counted(count, table, _made_up(rng, letters, size), [letters])
    letters = _some_letters()
    new = _made_up(random.Random(), letters, 9)
    yield _counted(count, table, new, [letters], fresh=True)
    long = _made_up(rng, "abc", 12, 60)
    what = "triples" if table is _deep_table else "pairs"
    text = f"how the cells are written for {sum(len(w) + 1 for w in long)} {what}"
    act = lambda: _at_once(count, long)  # noqa: E731
    yield case(text, act, Said("in one go"), telling=True)
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    many = _made_up(rng, alphabet, 2_000)
    yield _counted(count, table, many, [alphabet], once=True)


@exercise("bigram.counts", version=2)
def counts(count_bigrams: Callable) -> Cases:
    yield from _tables(count_bigrams, _table)


Pairs = Callable[[Words], Iterator[tuple[str, ...]]]


def _neighbours(text: str, width: int = 2) -> Iterator[tuple[str, ...]]:
    return zip(*(text[i:] for i in range(width)), strict=False)


def _each(form: str, width: int = 2) -> Pairs:
    """The neighbours in each word, after it was put into a form such as `.{}.`."""
    return lambda words: (p for w in words for p in _neighbours(form.format(w), width))


def _through(start: str, form: str, width: int = 2) -> Pairs:
    """The neighbours in one text of all words, over the borders between them."""
    return lambda words: _neighbours(start + "".join(map(form.format, words)), width)


def _counter(
    pairs: Pairs = _each(".{}."),  # noqa: B008
    cell: Callable[[int, int], tuple[int, int]] = lambda a, b: (a, b),
    add: Callable[[int], int] = lambda before: before + 1,
    size: Callable[[int], int] = lambda V: V,
    dtype: torch.dtype = torch.int64,
) -> Callable:
    """A function that counts pairs with one thing done otherwise."""

    def count_bigrams(words: Words, vocabulary: Any) -> torch.Tensor:
        V = size(len(vocabulary))
        cells: Counter[tuple[int, int]] = Counter()
        for pair in pairs(words):
            at = cell(*vocabulary.encode("".join(pair)))
            cells[at] = add(cells[at])
        N = torch.zeros(V, V, dtype=dtype)
        for at, times in cells.items():
            N[at] = times
        return N

    return count_bigrams


def _cell_by_cell(words: Words, vocabulary: Any) -> torch.Tensor:
    V = len(vocabulary)
    N = torch.zeros(V, V, dtype=torch.int32)
    for word in words:
        for one, two in pairwise(vocabulary.encode(f".{word}.")):
            N[one, two] += 1
    return N


def _narrow(dtype: torch.dtype, counter: Callable | None = None) -> Callable:
    """Counted rightly, and kept in few bits."""
    right = counter or _counter()
    return lambda words, vocabulary: right(words, vocabulary).to(dtype)


def _shares(words: Words, vocabulary: Any) -> torch.Tensor:
    N = _table(words, [vocabulary.itos[i] for i in range(len(vocabulary))])
    return N / N.sum(1, keepdim=True)


_COUNTERS: dict[str, tuple[str, Callable]] = {
    "swapped": (
        "Rows and columns are swapped: the row is the letter before.",
        _counter(cell=lambda a, b: (b, a)),
    ),
    "no start": ("No dot stands before a name.", _counter(_each("{}."))),
    "no end": ("No dot stands after a name.", _counter(_each(".{}"))),
    "no dots": ("No dots stand around a name.", _counter(_each("{}"))),
    "no first dot": (
        "No dot stands before the first name.",
        _counter(_through("", "{}.")),
    ),
    "no last dot": (
        "No dot stands after the last name.",
        _counter(_through("", ".{}")),
    ),
    "across names": (
        "Pairs are counted from the end of one name to the next one's start.",
        _counter(lambda words: _neighbours(f".{''.join(words)}.")),
    ),
    "two dots between": (
        "Two dots meet between names, and are counted as a pair.",
        _counter(_through("", ".{}.")),
    ),
    "counted once": (
        "A pair that occurs again is not added: indexed `+=` writes each cell once.",
        _counter(add=lambda before: 1),
    ),
    "extra row": (
        "Start and end have a row each: one dot does for both, the table is (V, V).",
        _counter(size=lambda V: V + 1),
    ),
    "27 always": (
        "The table is 27 wide, whatever the vocabulary: take its length.",
        _counter(size=lambda V: 27),
    ),
    "floats": (
        "The counts are floats: ask for whole numbers (dtype).",
        _counter(dtype=torch.float32),
    ),
    "few bits": (
        "So few bits overflow on all names: int32 or int64 hold the counts.",
        _counter(dtype=torch.int16),
    ),
    "cell by cell": (
        "Each pair is added to the tensor on its own, which is slow.",
        _cell_by_cell,
    ),
    "shares": ("These are shares, not counts: the next exercise makes them.", _shares),
}
_MORE_COUNTERS = {"few bits": _forms(*map(_narrow, (torch.uint8, torch.int8)))}
for _name, (_sentence, _wrong) in _COUNTERS.items():
    _put(counts, _name, _sentence, _wrong, _MORE_COUNTERS)


# ---------------------------------------------------------------- probabilities


def _by_rows(counts: torch.Tensor, smoothing: float = 0) -> torch.Tensor:
    """Each row over its own sum, by the slow loop: float32."""
    rows = [[n + smoothing for n in row] for row in counts.tolist()]
    return torch.tensor([[n / math.fsum(row) for n in row] for row in rows])


def _shared(
    probabilities: Callable, counts: torch.Tensor, *smoothing: float, **options: Any
) -> Case:
    """The case of a table of counts, which must stay as it is."""
    shown = str(counts.tolist())
    shown = shown if len(shown) < 60 else f"N {tuple(counts.shape)}"
    text = f"probabilities({', '.join(map(str, [shown, *smoothing]))})"
    want = {"P": _by_rows(counts, *smoothing)}
    seen = named("P")
    return asked(
        text, probabilities, counts, *smoothing, expects=want, seen=seen, **options
    )


def _row_sums(probabilities: Callable) -> Any:
    """The sums of the rows of a table that was counted from names."""
    P = probabilities(_table(["ada", "abba", "bad", "dab", "a"], list(".abd")))
    return P if is_nothing(P) else {"P.sum(1)": P.sum(1)}


def _whole(shape: tuple[int, int], rng: torch.Generator | None = None) -> torch.Tensor:
    """Counts from 1 to 9, seeded or new."""
    return torch.randint(1, 10, shape, generator=rng)


@exercise("bigram.probabilities", version=2)
def probabilities(probabilities: Callable) -> Cases:
    rng = torch.Generator().manual_seed(2)
    shown = torch.tensor([[1, 3], [6, 2]])
    yield _shared(probabilities, shown)
    text = "the sums of the rows, for a table counted from five names"
    sums = {"P.sum(1)": torch.ones(4)}
    yield case(text, lambda: _row_sums(probabilities), sums, telling=False)
    yield _shared(probabilities, shown, 2)
    yield _shared(probabilities, torch.tensor([[0, 4], [3, 0]]), 1)
    yield _shared(probabilities, torch.tensor([[1.0, 3.0], [6.0, 2.0]]), 2)
    for shape, smoothing in (((2, 5), [0.5]), ((6, 3), [0.1]), ((4, 4), [])):
        yield _shared(probabilities, _whole(shape, rng), *smoothing)
    yield _shared(probabilities, torch.tensor([[6763, 1], [272, 0]]).int(), 0.01)
    new = round(random.Random().uniform(0.2, 5), 2)
    yield _shared(probabilities, _whole((3, 4)), new, fresh=True)


def _in_place(counts: torch.Tensor, smoothing: float = 0) -> torch.Tensor:
    P = counts
    P += int(smoothing)
    return P / P.sum(1, keepdim=True)


def _float_in_place(counts: torch.Tensor, smoothing: float = 0) -> torch.Tensor:
    P = counts.float()  # of floats no copy is made
    P += smoothing
    return P / P.sum(1, keepdim=True)


def _divided_in_place(counts: torch.Tensor, smoothing: float = 0) -> torch.Tensor:
    P = counts.float()
    P += smoothing
    P /= P.sum(1, keepdim=True)
    return P


_TABLES: dict[str, tuple[str, Callable]] = {
    "no keepdim": (
        "The sums of the rows divide the columns: keep their dimension (keepdim).",
        lambda N, s=0: (N + s) / (N + s).sum(1),
    ),
    "columns": (
        "The columns sum to 1, not the rows.",
        lambda N, s=0: (N + s) / (N + s).sum(0, keepdim=True),
    ),
    "whole table": (
        "The whole table sums to 1, not each row.",
        lambda N, s=0: (N + s) / (N + s).sum(),
    ),
    "smoothed afterwards": (
        "The smoothing is added to the shares: add it to the counts.",
        lambda N, s=0: N / N.sum(1, keepdim=True) + s,
    ),
    "empty cells only": (
        "Only empty cells are smoothed: add to every cell.",
        lambda N, s=0: _by_rows(torch.where(N == 0, s, N)),
    ),
    "sum not smoothed": (
        "The divisor is the sum of the counts without smoothing.",
        lambda N, s=0: (N + s) / N.sum(1, keepdim=True),
    ),
    "not smoothed": (
        "The smoothing is not used.",
        lambda N, s=0: N / N.sum(1, keepdim=True),
    ),
    "always one": (
        "1 is added, whatever the smoothing is.",
        lambda N, s=0: (N + 1) / (N + 1).sum(1, keepdim=True),
    ),
    "whole division": (
        "`//` drops the fraction; `/` keeps it.",
        lambda N, s=0: (N + s) // (N + s).sum(1, keepdim=True),
    ),
    "double precision": (
        "The result is float64: without `.double()` it is float32.",
        lambda N, s=0: (N + s).double() / (N + s).double().sum(1, keepdim=True),
    ),
    "softmax": (
        "A softmax takes e to the counts: divide the counts themselves.",
        lambda N, s=0: (N + float(s)).softmax(1),
    ),
    "in place": (
        "The table of counts is changed: `P = N` copies nothing, nor .float() floats.",
        _in_place,
    ),
}
_MORE_TABLES = {"in place": _forms(_float_in_place, _divided_in_place)}
for _name, (_sentence, _wrong) in _TABLES.items():
    _put(probabilities, _name, _sentence, _wrong, _MORE_TABLES)


# ---------------------------------------------------------------- sample


NAMES, MORE, SEED = 200, 1_500, 5
LONGEST = 110  # letters of the longest name that is asked for
_CERTAIN = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
_MODEL = [[0.3, 0.5, 0.2], [0.1, 0.3, 0.6], [0.5, 0.3, 0.2]]


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _drawn(
    sample: Callable, rows: list, names: int, seed: int, letters: str = "ab"
) -> list:
    """Names drawn one after the other from one generator."""
    P, rng, vocabulary = torch.tensor(rows), _generator(seed), _vocabulary(letters)
    return [sample(P, vocabulary, rng) for _ in range(names)]


def _only(sample: Callable, rows: list, letters: str = "ab") -> Any:
    return _drawn(sample, rows, 1, SEED, letters)[0]


def _chain(length: int) -> list[list[float]]:
    """Rows that lead from the dot down from the last letter to the first."""
    return torch.eye(length + 1).roll(-1, 1).tolist()


def _as_often(hits: int, tries: int, p: float) -> str:
    """Whether so many hits are what a share of p gives, but for chance: 5 sigma."""
    gap = hits - p * tries
    if abs(gap) <= 5 * math.sqrt(max(tries, 1) * p * (1 - p)):
        return Said(f"about {p:.0%}, as P says")
    return Said(f"too {'often' if gap > 0 else 'seldom'}: P says {p:.0%}")


def _frequencies(sample: Callable, rows: list, seed: int, count: int = NAMES) -> Any:
    """How often each letter follows each, in many names."""
    names = _drawn(sample, rows, count, seed)
    if not all(type(name) is str for name in names):
        return named("name")(next(n for n in names if type(n) is not str))
    pairs = Counter(p for name in names for p in pairwise(f".{name}."))
    found = {}
    for (one, two), p in _told(rows).items():
        tries = sum(times for (before, _), times in pairs.items() if before == one)
        where = {".": "at the start"}.get(one, f"after {one}")
        what = {".": "the end"}.get(two, two)
        found[f"{what} {where}"] = _as_often(pairs[one, two], tries, p)
    return found


def _told(rows: list) -> dict[tuple[str, str], float]:
    """The probability of each pair of letters."""
    return {
        (".ab"[i], ".ab"[j]): p for i, r in enumerate(rows) for j, p in enumerate(r)
    }


def _expected(rows: list) -> dict[str, str]:
    return {
        f"{ {'.': 'the end'}.get(two, two) } "
        f"{ {'.': 'at the start'}.get(one, f'after {one}') }": Said(
            f"about {p:.0%}, as P says"
        )
        for (one, two), p in _told(rows).items()
    }


def _randomness(sample: Callable) -> Any:
    """Where the draws come from."""
    before = torch.get_rng_state()
    first = _drawn(sample, _MODEL, 12, 1)
    if is_nothing(first[0]):
        return first[0]
    own = torch.equal(before, torch.get_rng_state())
    again, other = (_drawn(sample, _MODEL, 12, seed) for seed in (1, 2))
    return {
        "draws": Said("the generator's" if own else "PyTorch's own"),
        "same seed": Said("the same names" if first == again else "other names"),
        "another seed": Said("the same names" if first == other else "other names"),
        "one name after the other": Said(
            "different ones" if len({*map(str, first)}) > 1 else "the same one"
        ),
    }


_RANDOMNESS = {
    "draws": Said("the generator's"),
    "same seed": Said("the same names"),
    "another seed": Said("other names"),
    "one name after the other": Said("different ones"),
}


def _new_rows() -> list[list[float]]:
    """Three rows that are new in each run, whose names end soon."""
    rng, rows = random.Random(), []
    for _ in range(3):
        end, a = rng.uniform(0.3, 0.5), rng.uniform(0.1, 0.9)
        rows.append([end, (1 - end) * a, (1 - end) * (1 - a)])
    return rows


_FAR = "".join(chr(ord("Ā") + i) for i in range(LONGEST))  # as many letters
_WHOLE = {"name": Said("all of it")}


def _long(sample: Callable) -> Any:
    """Whether a long name is written to its end."""
    name = _only(sample, _chain(LONGEST), _FAR)
    if type(name) is not str:
        return name if is_nothing(name) else {"name": Said(kind(name))}
    if not name or len(name) >= LONGEST:
        return _WHOLE  # an empty one, and the letters' order, are asked elsewhere
    begun = _FAR[::-1].startswith(name)
    return {"name": Said("its beginning") if begun else name}


def _whose(sample: Callable) -> Any:
    """Whose draws they are: names of one letter of nine, all but equally likely."""
    even = [[0.0] + [1.0] * 9, *([1.0] + [0.0] * 9 for _ in range(9))]
    letters, firsts = "abcdefghi", []
    for i in range(1, 9, 2):
        even[0][i] = 1.01
        firsts.append(_only(sample, even, letters))
        even[0][i] = 1.0
        if is_nothing(firsts[0]):
            return firsts[0]
        if type(firsts[-1]) is not str or len(firsts[-1]) != 1:
            return {"draws": _ITS_OWN}  # no letter tells: another case does
    if firsts == [*"aceg"]:
        return {"draws": Said("nobody's: the likeliest is taken")}
    shared, rng = torch.get_rng_state(), _generator(SEED)
    before = rng.get_state()
    P, vocabulary = torch.tensor(even), _vocabulary(letters)
    names = [str(sample(P, vocabulary, rng)) for _ in range(12)]
    others = [*map(str, _drawn(sample, even, 12, SEED + 1, letters))]
    if not all(len(name) == 1 for name in names):
        return {"draws": _ITS_OWN}  # no letter tells: another case does
    if len({*names, *others}) == 1:
        return {"draws": Said("those of a seed inside")}
    if not torch.equal(before, rng.get_state()):
        return {"draws": _ITS_OWN}
    moved = not torch.equal(shared, torch.get_rng_state())
    left = len({*names}) > 1 and {*names} != {*others}
    elsewhere = Said("another library's" if left else "not the generator's")
    return {"draws": Said("PyTorch's own") if moved else elsewhere}


_ITS_OWN = Said("the generator's")


def _without(sample: Callable) -> Any:
    """Twelve names without a generator, and the table that they are drawn from."""
    P, vocabulary = torch.tensor(_MODEL), _vocabulary("ab")
    names = [sample(P, vocabulary) for _ in range(12)]
    if is_nothing(names[0]):
        return names[0]
    alike = len({*map(str, names)}) == 1
    return {
        "names": Said("the same one each time") if alike else _DIFFERENT,
        "P": AS_IT_WAS if torch.equal(P, torch.tensor(_MODEL)) else Said("changed"),
    }


_DIFFERENT = Said("different ones")


@exercise("bigram.sample", version=2)
def sample(sample: Callable) -> Cases:
    certain = "P leads from . to b, from b to a, from a to ., with certainty"
    yield case(certain, lambda: _only(sample, _CERTAIN), "ba")
    empty = [[1.0, 0.0, 0.0], *_CERTAIN[1:]]
    ended = "P leads from . to . with certainty"
    yield case(ended, lambda: _only(sample, empty), "")
    long = f"P leads through {LONGEST} letters, and then to ., with certainty"
    yield case(long, lambda: _long(sample), _WHOLE, telling=True)
    start = "three names in a row, generator=torch.Generator()"
    act = lambda: _drawn(sample, _CERTAIN, 3, SEED)  # noqa: E731
    yield case(start, act, ["ba", "ba", "ba"])
    whose = "whose the draws are, where nine letters are about equally likely"
    yield case(whose, lambda: _whose(sample), {"draws": _ITS_OWN}, telling=True)
    text = "where the randomness comes from, in 12 names"
    yield case(text, lambda: _randomness(sample), _RANDOMNESS)
    free = "12 names without a generator: sample(P, vocabulary)"
    asked_for = {"names": _DIFFERENT, "P": AS_IT_WAS}
    yield case(free, lambda: _without(sample), asked_for)
    often = "how often what follows what, in {:,} names".format
    act = lambda: _frequencies(sample, _MODEL, SEED)  # noqa: E731
    yield case(often(NAMES), act, _expected(_MODEL))
    rows, seed = _new_rows(), new_seed()
    act = lambda: _frequencies(sample, rows, seed)  # noqa: E731
    yield case(often(NAMES), act, _expected(rows), fresh=True)
    act = lambda: _frequencies(sample, _MODEL, SEED, MORE)  # noqa: E731
    yield case(often(MORE), act, _expected(_MODEL), once=True)


def _sampler(
    start: Callable[[int, Any], int] = lambda V, g: 0,
    row: Callable[[torch.Tensor, int], torch.Tensor] = lambda P, i: P[i],
    used: Callable[[Any], Any] = lambda g: g,
    name: Callable[[Any, list[int]], Any] = lambda v, ids: v.decode(ids),
    draw: Callable[[torch.Tensor, Any], int] = lambda p, g: int(
        torch.multinomial(p, 1, generator=g)
    ),
) -> Callable:
    """A sampler with one thing done otherwise; it stops after 120 letters."""

    def sample(P: torch.Tensor, vocabulary: Any, generator: Any = None) -> Any:
        generator = used(generator)
        i, ids = start(len(P), generator), []
        for _ in range(120):
            i = draw(row(P, i), generator)
            if i == 0:
                break
            ids.append(i)
        return name(vocabulary, ids)

    return sample


def _without_replacement(
    P: torch.Tensor, vocabulary: Any, generator: Any = None
) -> str:
    orders = torch.multinomial(P + 1e-9, P.shape[1], generator=generator)
    used, ids, i = [0] * len(P), [], 0
    while True:
        at = used[i] % P.shape[1]
        used[i] += 1
        i = int(orders[i, at])
        if i == 0:
            return vocabulary.decode(ids)
        ids.append(i)


def _worn(P: torch.Tensor, vocabulary: Any, generator: Any = None) -> str:
    P *= 1.01
    return _sampler()(P, vocabulary, generator)


_SAMPLERS: dict[str, tuple[str, Callable]] = {
    "random start": (
        "It starts from a random letter: a name starts from the dot, which is 0.",
        _sampler(start=lambda V, g: int(torch.randint(V, (1,), generator=g))),
    ),
    "starts at a": (
        "It starts from the first letter: a name starts from the dot, which is 0.",
        _sampler(start=lambda V, g: 1),
    ),
    "always the start": (
        "Each letter is drawn from row 0: the letter that was drawn is the next row.",
        _sampler(row=lambda P, i: P[0]),
    ),
    "columns": (
        "It reads columns of P: the letter before is the row.",
        _sampler(row=lambda P, i: P[:, i]),
    ),
    "uniform": (
        "P is not used: all letters are equally likely.",
        _sampler(row=lambda P, i: torch.ones(len(P))),
    ),
    "likeliest": (
        "It takes the likeliest letter: draw one.",
        _sampler(draw=lambda p, g: int(p.argmax())),
    ),
    "another generator": (
        "The generator is not passed on: the draws are PyTorch's own.",
        _sampler(used=lambda g: None),
    ),
    "seeded inside": (
        "A seed inside the function gives one name each time.",
        _sampler(used=lambda g: _generator(2147483647)),
    ),
    "seeded by default": (
        "Without a generator a seed gives one name each time: let PyTorch's draw.",
        _sampler(used=lambda g: g or _generator(2147483647)),
    ),
    "another library": (
        "The draws are those of another library (random, numpy): use the generator.",
        _sampler(
            draw=lambda p, g: random.choices(range(len(p)), weights=p.tolist())[0]
        ),
    ),
    "table changed": (
        "P itself is changed: a copy (`P = P + …`, `.clone()`) is yours.",
        _worn,
    ),
    "too short": (
        "Names are cut off: go on until the dot comes.",
        _sampler(name=lambda v, ids: v.decode(ids[:100])),
    ),
    "dot kept": (
        "The dot belongs to no name: stop before it is added.",
        _sampler(name=lambda v, ids: v.decode([*ids, 0])),
    ),
    "letters not joined": (
        "It returns a list: decode makes a text of the numbers.",
        _sampler(name=lambda v, ids: [v.itos[i] for i in ids]),
    ),
    "numbers": ("It returns numbers: decode them.", _sampler(name=lambda v, ids: ids)),
    "without replacement": (
        "Draws from a row do not repeat (replacement=False): draw one each time.",
        _without_replacement,
    ),
}
for _name, (_sentence, _wrong) in _SAMPLERS.items():
    sample.mistake(_name, _sentence)(_wrong)


# ---------------------------------------------------------------- nll


def _nll(
    P: torch.Tensor, xs: torch.Tensor, ys: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The average by the slow loop."""
    pairs = zip(xs.tolist(), ys.tolist(), strict=True)
    chances = [P[x, y].item() for x, y in pairs]
    costs = [-math.log(p) if p else math.inf for p in chances]
    return {"loss": torch.tensor(sum(costs) / len(costs))}


def _scored(
    average_nll: Callable, said: str, P: Any, xs: list, ys: list, **options: Any
) -> Case:
    P, xs, ys = torch.as_tensor(P), torch.tensor(xs), torch.tensor(ys)
    want = _nll(P, xs, ys)
    text = f"average_nll({said})"
    return asked(text, average_nll, P, xs, ys, expects=want, seen=number, **options)


def _shares_of(shape: tuple[int, int], rng: torch.Generator | None) -> torch.Tensor:
    """Random rows of probabilities, none of them tiny."""
    return _by_rows(_whole(shape, rng))


def _pairs_in(shape: tuple[int, int], n: int, rng: random.Random) -> tuple[list, list]:
    return tuple([rng.randrange(size) for _ in range(n)] for size in shape)  # type: ignore[return-value]


@exercise("bigram.nll")
def nll(average_nll: Callable) -> Cases:
    rng, seeded = torch.Generator().manual_seed(3), random.Random(3)
    shown = [[0.5, 0.5], [0.125, 0.875]]
    yield _scored(average_nll, f"{shown}, [0, 1], [0, 0]", shown, [0, 1], [0, 0])
    yield _scored(
        average_nll, f"{shown}, [1, 0, 1], [1, 1, 0]", shown, [1, 0, 1], [1, 1, 0]
    )
    for shape, n in (((4, 4), 7), ((5, 3), 11), ((2, 6), 4)):
        said = f"P {shape}, {n} pairs"
        pairs = _pairs_in(shape, n, seeded)
        yield _scored(average_nll, said, _shares_of(shape, rng), *pairs)
    sure = [[1.0, 0.0], [0.25, 0.75]]
    yield _scored(average_nll, f"{sure}, [0, 0], [0, 0]", sure, [0, 0], [0, 0])
    impossible = f"{sure}, [0, 1], [1, 0], an impossible pair"
    yield _scored(average_nll, impossible, sure, [0, 1], [1, 0])
    many = _pairs_in((6, 6), 400, seeded)
    yield _scored(average_nll, "P (6, 6), 400 pairs", _shares_of((6, 6), rng), *many)
    new = _shares_of((5, 4), None), *_pairs_in((5, 4), 6, random.Random())
    yield _scored(average_nll, "P (5, 4), 6 pairs", *new, fresh=True)


_LOSSES: dict[str, tuple[str, Callable]] = {
    "sum": ("The sum in place of the mean.", lambda P, x, y: -P[x, y].log().sum()),
    "base 2": (
        "The logarithm to base 2: the loss is measured in nats.",
        lambda P, x, y: -P[x, y].log2().mean(),
    ),
    "base 10": (
        "The logarithm to base 10: the loss is measured in nats.",
        lambda P, x, y: -P[x, y].log10().mean(),
    ),
    "not negated": ("The sign is wrong.", lambda P, x, y: P[x, y].log().mean()),
    "no logarithm": (
        "The probabilities are averaged without a logarithm.",
        lambda P, x, y: -P[x, y].mean(),
    ),
    "log of the mean": (
        "First the logarithm of each, then the mean: not the other way round.",
        lambda P, x, y: -P[x, y].mean().log(),
    ),
    "product": (
        "The product of all probabilities underflows to 0: add logarithms.",
        lambda P, x, y: -P[x, y].prod().log() / len(x),
    ),
    "every column": (
        "Each row is read in the columns of all pairs: index both at once.",
        lambda P, x, y: -P[x][:, y].log().mean(),
    ),
    "every row": (
        "All rows of P are read, not those of xs: index both at once.",
        lambda P, x, y: -P[:, y].log().mean(),
    ),
    "swapped": (
        "Rows and columns are swapped: the row is the letter before.",
        lambda P, x, y: -P[y, x].log().mean(),
    ),
    "hides zeros": (
        "Something is added to the probabilities: an impossible pair costs infinity.",
        lambda P, x, y: -(P[x, y] + 1e-6).log().mean(),
    ),
    "not averaged": (
        "One number for each pair: take the mean.",
        lambda P, x, y: -P[x, y].log(),
    ),
}
for _name, (_sentence, _wrong) in _LOSSES.items():
    nll.mistake(_name, _sentence)(_wrong)


# ---------------------------------------------------------------- pairs


_TWO = Said("two tensors")


def _two(out: Any) -> Any:
    """Both tensors by name; what came in place of two things, as it is."""
    if isinstance(out, list | tuple) and len(out) == 2:
        return {"result": _TWO, "xs": out[0], "ys": out[1]}
    return out if is_nothing(out) else {"result": Said(kind(out))}


def _paired(bigram_pairs: Callable, words: Words, known: Words, **options: Any) -> Case:
    letters, vocabulary = _alphabet(known), _vocabulary(*known)
    text = f"bigram_pairs({words}, {vocabulary})"
    text = text if len(text) < 100 else f"bigram_pairs of {len(words)} words"
    pairs = [pair for word in words for pair in pairwise(f".{word}.")]
    xs, ys = (torch.tensor([letters.index(p[i]) for p in pairs]) for i in (0, 1))
    want = {"result": _TWO, "xs": xs, "ys": ys}
    return asked(
        text, bigram_pairs, words, vocabulary, expects=want, seen=_two, **options
    )


@exercise("bigram.pairs", version=2)
def pairs(bigram_pairs: Callable) -> Cases:
    rng, letters = random.Random(4), _some_letters()
    yield _paired(bigram_pairs, ["ab"], ["ab"])
    yield _paired(bigram_pairs, ["ab", "b"], ["ab"])
    yield _paired(bigram_pairs, ["cab", "ba", "c"], ["abc", "d"])
    yield _paired(bigram_pairs, _made_up(rng, "aeiknr", 20), ["aeiknr"])
    new = _made_up(random.Random(), letters, 5)
    yield _paired(bigram_pairs, new, [letters], fresh=True)
    yield _paired(bigram_pairs, _made_up(rng, "aeiknr", 2_500), ["aeiknr"], once=True)


def _pairer(
    pairs: Pairs = _each(".{}."),  # noqa: B008
    made: Callable[[list, list], Any] = lambda xs, ys: (
        torch.tensor(xs),
        torch.tensor(ys),
    ),
) -> Callable:
    """A function that lists pairs, with one thing done otherwise."""

    def bigram_pairs(words: Words, vocabulary: Any) -> Any:
        found = [vocabulary.encode("".join(pair)) for pair in pairs(words)]
        return made([x for x, _ in found], [y for _, y in found])

    return bigram_pairs


_PAIRERS: dict[str, tuple[str, Callable]] = {
    "swapped": (
        "xs and ys are swapped: xs is the letter before.",
        _pairer(made=lambda xs, ys: (torch.tensor(ys), torch.tensor(xs))),
    ),
    "no start": ("No dot stands before a name.", _pairer(_each("{}."))),
    "no end": ("No dot stands after a name.", _pairer(_each(".{}"))),
    "no dots": ("No dots stand around a name.", _pairer(_each("{}"))),
    "no first dot": (
        "No dot stands before the first name.",
        _pairer(_through("", "{}.")),
    ),
    "no last dot": (
        "No dot stands after the last name.",
        _pairer(_through("", ".{}")),
    ),
    "across names": (
        "Pairs go from the end of one name to the start of the next.",
        _pairer(lambda words: _neighbours(f".{''.join(words)}.")),
    ),
    "two dots between": (
        "Two dots meet between names, and make a pair.",
        _pairer(_through("", ".{}.")),
    ),
    "floats": (
        "`torch.Tensor` makes floats; `torch.tensor` keeps whole numbers.",
        _pairer(made=lambda xs, ys: (torch.Tensor(xs), torch.Tensor(ys))),
    ),
    "lists": ("The pairs are lists: make tensors of them.", _pairer(made=lambda *p: p)),
    "one tensor": (
        "The pairs are one tensor: return two, xs and ys apart.",
        _pairer(made=lambda xs, ys: torch.tensor([*zip(xs, ys, strict=True)])),
    ),
    "int32": (
        "The numbers are int32: indices are int64.",
        _pairer(made=lambda *both: tuple(torch.tensor(one).int() for one in both)),
    ),
}
_MORE_PAIRERS = {
    "one tensor": _forms(_pairer(made=lambda *both: torch.tensor(both))),
}
for _name, (_sentence, _wrong) in _PAIRERS.items():
    _put(pairs, _name, _sentence, _wrong, _MORE_PAIRERS)


# ---------------------------------------------------------------- logits


def _rows_of(W: torch.Tensor, xs: list[int]) -> torch.Tensor:
    """The rows of W, by the slow loop."""
    return torch.tensor([W[x].tolist() for x in xs])


def _row_slopes(W: torch.Tensor, xs: list[int]) -> torch.Tensor:
    """What each row of W receives: the weights of the outputs it was picked for."""
    out = weights(torch.zeros(len(xs), W.shape[1]))
    rows = [[0.0] * W.shape[1] for _ in W]
    for place, x in enumerate(xs):
        rows[x] = [a + b for a, b in zip(rows[x], out[place].tolist(), strict=True)]
    return torch.tensor(rows)


def _row_picks(function: Callable, W: Any, xs: list[int], **options: Any) -> Case:
    W, ids = torch.as_tensor(W), torch.tensor(xs)
    name = getattr(function, "__name__", "answer")
    small = W.numel() <= 4
    text = f"{name}({xs}, {W.tolist() if small else f'W {tuple(W.shape)}'})"
    want = {
        "logits": _rows_of(W, xs),
        "gradient": _row_slopes(W, xs),
        "argument": AS_IT_WAS,
    }

    def act() -> Any:
        return with_gradient(lambda w: function(ids.clone(), w), W, named("logits"))

    return case(text, act, want, within=FLOAT32, **options)


def _normal(shape: tuple[int, int], rng: torch.Generator | None) -> torch.Tensor:
    return torch.randn(shape, generator=rng)


@exercise("bigram.logits", version=2)
def logits(one_hot_logits: Callable, row_logits: Callable) -> Cases:
    for function in (one_hot_logits, row_logits):
        rng = torch.Generator().manual_seed(4)
        yield _row_picks(function, [[1.0, 2.0], [3.0, 4.0]], [1, 0])
        yield _row_picks(function, _normal((5, 5), rng), [3, 1, 1])
        yield _row_picks(function, _normal((3, 3), rng), [1, 0, 2, 0, 1])
        yield _row_picks(function, _normal((4, 4), rng), [2, 0, 1, 2])
        xs = [random.Random().randrange(6) for _ in range(4)]
        yield _row_picks(function, _normal((6, 6), None), xs, fresh=True)
    wanted = Said("multiplied"), Said("picked")
    for function, want in zip((one_hot_logits, row_logits), wanted, strict=True):
        act = lambda f=function: _way(f)  # noqa: E731
        yield case(f"{name_of(function)}: the rows of W are", act, want)


_PRODUCTS = {"matmul", "mm", "linear", "einsum", "bmm", "tensordot", "dot", "mv"}


def _way(function: Callable) -> str:
    """Whether rows of W are picked, or multiplied, by the operations that are asked."""
    W, xs = torch.eye(4) + 1, torch.tensor([2, 0, 2])
    with Steps(W) as steps:
        function(xs, W)
    products = {name.strip("_").removeprefix("r") for name in steps.names} & _PRODUCTS
    picked = steps.looked_up and not products
    return Said("picked" if picked else "multiplied")


def _one_hot(xs: torch.Tensor, W: torch.Tensor) -> torch.Tensor:
    return F.one_hot(xs, len(W)).float() @ W


def _pick(xs: torch.Tensor, W: torch.Tensor) -> torch.Tensor:
    return W[xs]


def _either(
    *wrong: tuple[Callable, Callable],
) -> tuple[Callable, Callable]:
    """All objects of a mistake in both functions, and its further forms."""
    first, *others = wrong
    return lambda: first, lambda _: iter(others)


_LOGITS: dict[str, tuple[str, tuple[Callable, Callable]]] = {
    "whole numbers": (
        "one_hot gives whole numbers, and W has floats: convert them first.",
        _either((lambda xs, W: F.one_hot(xs, len(W)) @ W, _pick)),
    ),
    "too narrow": (
        "one_hot is too narrow where the largest letter is missing: num_classes.",
        _either((lambda xs, W: F.one_hot(xs).float() @ W, _pick)),
    ),
    "columns": (
        "Columns of W are picked, not rows.",
        _either(
            (_one_hot, lambda xs, W: W[:, xs].T),
            (lambda xs, W: F.one_hot(xs, len(W)).float() @ W.T, _pick),
            (lambda xs, W: _one_hot(xs, W.T), lambda xs, W: W.T[xs]),
        ),
    ),
    "lying": (
        "The logits of an input lie in a column: they belong in a row.",
        _either(
            (lambda xs, W: W.T @ F.one_hot(xs, len(W)).float().T, _pick),
            (_one_hot, lambda xs, W: W[xs].T),
            (_one_hot, lambda xs, W: W[:, xs]),
        ),
    ),
    "elementwise": (
        "`*` multiplies cell by cell: the product of matrices is `@`.",
        _either((lambda xs, W: F.one_hot(xs, len(W)).float() * W, _pick)),
    ),
    "cut off": (
        "The result is cut off from W (.data, detach): no gradient reaches it.",
        _either(
            (lambda xs, W: _one_hot(xs, W.data), _pick),
            (_one_hot, lambda xs, W: W.data[xs]),
            (lambda xs, W: _one_hot(xs, W.data), lambda xs, W: W.data[xs]),
        ),
    ),
    "one-hot returned": (
        "These are the one-hot vectors: multiply them by W.",
        _either((lambda xs, W: F.one_hot(xs, len(W)).float(), _pick)),
    ),
    "picked twice": (
        "Both pick rows of W: the first of them is to multiply one-hot vectors by W.",
        _either((_pick, _pick)),
    ),
    "multiplied twice": (
        "Both multiply: the second of them is to pick rows of W, without a product.",
        _either((_one_hot, _one_hot)),
    ),
    "first rows": (
        "The first rows of W are taken, not those of xs.",
        _either((_one_hot, lambda xs, W: W[: len(xs)])),
    ),
}
for _name, (_sentence, (_made, _others)) in _LOGITS.items():
    logits.mistake(_name, _sentence, True, _others)(_made)


# ---------------------------------------------------------------- softmax


def _soft(row: list[float]) -> list[float]:
    exps = [math.exp(z - max(row)) for z in row]
    return [e / math.fsum(exps) for e in exps]


def _soft_slopes(row: list[float], pull: list[float]) -> list[float]:
    """What reaches each logit, where the probabilities receive `pull`."""
    p = _soft(row)
    mean = math.fsum(a * b for a, b in zip(p, pull, strict=True))
    return [a * (b - mean) for a, b in zip(p, pull, strict=True)]


def _softened(softmax: Callable, rows: Any, **options: Any) -> Case:
    z = torch.as_tensor(rows)
    within = LARGE if z.abs().max() > 100 else FLOAT32
    pulls = weights(z).tolist()
    slopes = [_soft_slopes(r, w) for r, w in zip(z.tolist(), pulls, strict=True)]
    want = {
        "p": torch.tensor([_soft(row) for row in z.tolist()]),
        "gradient": torch.tensor(slopes),
        "argument": AS_IT_WAS,
    }
    shown = show(z.tolist()) if z.numel() <= 6 else f"logits {tuple(z.shape)}"
    act = lambda: with_gradient(softmax, z, named("p"))  # noqa: E731
    return case(f"softmax({shown})", act, want, within=within, **options)


def _untouched(softmax: Callable) -> Any:
    """What has become of logits that need no gradient."""
    z = torch.tensor([[1.0, 2.0], [0.0, 5.0]])
    before, p = z.clone(), softmax(z)
    if is_nothing(p):
        return p
    return AS_IT_WAS if torch.equal(z, before) else Said("changed in place")


@exercise("bigram.softmax")
def softmax(softmax: Callable) -> Cases:
    rng = torch.Generator().manual_seed(5)
    plain = [[0.0, round(math.log(3), 4)]]
    yield _softened(softmax, plain)
    yield _softened(softmax, [[1.0, 2.0], [3.0, 0.0]])
    text = "the logits after softmax([[1, 2], [0, 5]])"
    yield case(text, lambda: _untouched(softmax), AS_IT_WAS)
    for shape in ((2, 5), (4, 3), (3, 3)):
        yield _softened(softmax, _normal(shape, rng))
    yield _softened(softmax, [[1000.0, 0.0, 999.0]])
    yield _softened(softmax, [[-1000.0, -1001.0]])
    yield _softened(softmax, [[-1000.0, -1001.0], [1000.0, 1002.0]])
    yield _softened(softmax, _normal((4, 6), None) * 3, fresh=True)


def _shift(z: torch.Tensor) -> torch.Tensor:
    return (z - z.max(1, keepdim=True).values).exp()


def _whole_sum(z: torch.Tensor) -> torch.Tensor:
    return _shift(z) / _shift(z).sum()


def _unkept(z: torch.Tensor) -> torch.Tensor:
    e = (z - z.max(1).values).exp()
    return e / e.sum(1, keepdim=True)


def _shifted_in_place(z: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        z -= z.max(1, keepdim=True).values
    return z.softmax(1)


_SOFTMAXES: dict[str, tuple[str, Callable]] = {
    "overflows": (
        "e to the 1000 overflows: subtract the largest of each row first.",
        lambda z: z.exp() / z.exp().sum(1, keepdim=True),
    ),
    "over the batch": (
        "The columns sum to 1, not the rows: that mixes the inputs (dim).",
        lambda z: z.softmax(0),
    ),
    "no keepdim": (
        "The sums of the rows divide the columns: keep their dimension (keepdim).",
        lambda z: _shift(z) / _shift(z).sum(1),
    ),
    "one maximum": (
        "One maximum for the whole table: a row far below it becomes 0/0.",
        lambda z: (z - z.max()).exp() / (z - z.max()).exp().sum(1, keepdim=True),
    ),
    "maximum without keepdim": (
        "The largest of each row are subtracted from columns: keep the dimension.",
        lambda z: (z - z.max(1).values).softmax(1),
    ),
    "maximum and its place": (
        "`max(dim=…)` gives two things, numbers and places: take its `.values`.",
        lambda z: (z - z.max(1, keepdim=True)).softmax(1),
    ),
    "not exponentiated": (
        "The logits are divided without e to them.",
        lambda z: z / z.sum(1, keepdim=True),
    ),
    "not divided": ("The exponentials are not divided by their sum.", _shift),
    "whole table": ("The whole table sums to 1, not each row.", _whole_sum),
    "logarithms": (
        "These are the logarithms of the probabilities.",
        lambda z: z.log_softmax(1),
    ),
    "divided by the largest": (
        "Subtract the largest; do not divide by it.",
        lambda z: (z / z.abs().max(1, keepdim=True).values).softmax(1),
    ),
    "clamped": (
        "The logits are clamped: a shift keeps their differences.",
        lambda z: z.clamp(-50, 50).softmax(1),
    ),
    "in place": (
        "The shift is written into the logits: make a new tensor.",
        _shifted_in_place,
    ),
    "cut off": (
        "The result is cut off from the logits: no gradient reaches them.",
        lambda z: z.detach().softmax(1),
    ),
}
_MORE_SOFTMAXES = {
    "over the batch": _forms(lambda z: _shift(z) / _shift(z).sum(0, keepdim=True)),
    "in place": _forms(lambda z: z.sub_(z.max(1, keepdim=True).values).softmax(1)),
    "maximum without keepdim": _forms(_unkept),
}
for _name, (_sentence, _wrong) in _SOFTMAXES.items():
    _put(softmax, _name, _sentence, _wrong, _MORE_SOFTMAXES)


# ---------------------------------------------------------------- train


def _descent(
    W: torch.Tensor,
    xs: torch.Tensor,
    ys: torch.Tensor,
    steps: int,
    lr: float = 50.0,
    penalty: float = 0.01,
) -> dict[str, Any]:
    """Descent by formula, in double precision and without autograd.

    A row of W that was picked n times of N receives (n p - counts) / N, and all
    weights the slope of the penalty.
    """
    V, W = len(W), W.double()
    N = torch.bincount(V * xs + ys, minlength=V * V).view(V, V).double()
    losses = []
    for _ in range(steps):
        logp = W - W.logsumexp(1, keepdim=True)
        fit = -(N * logp).sum() / len(xs)
        losses.append((fit + penalty * (W**2).mean()).item())
        slope = (N.sum(1, keepdim=True) * logp.exp() - N) / len(xs)
        W = W - lr * (slope + 2 * penalty * W / W.numel())
    return {"losses": losses, "W": W.float()}


def _trained(
    train: Callable,
    W: Any,
    pairs: tuple,
    *budget: float,
    stale: bool = False,
    **options: Any,
) -> Case:
    """Descent from W on some pairs; the budget is steps, lr and penalty, if given.

    stale: W has a gradient already, left over from something else.
    """
    W, (xs, ys) = torch.as_tensor(W), map(torch.tensor, pairs)

    def act() -> Any:
        mine = leaf(W)
        mine.grad = torch.ones_like(W) if stale else None
        losses = train(mine, xs.clone(), ys.clone(), *budget)
        if is_nothing(losses):
            return losses
        return {"losses": losses, "W": mine.detach()}

    names = ("steps", "lr", "penalty")
    said = ", ".join(f"{n}={b}" for n, b in zip(names, budget, strict=False))
    text = f"train on {len(xs)} pairs, V = {len(W)}, {said}"
    text += ", W.grad left from before" if stale else ""
    want = _descent(W, xs, ys, *budget)  # type: ignore[arg-type]
    return case(text, act, want, within=DESCENT, **options)


_SHOWN = [0, 1, 2, 0, 2], [1, 2, 0, 2, 0]


def _right_softmax(logits: torch.Tensor) -> torch.Tensor:
    return logits.softmax(1)


def _right_loss(logits: torch.Tensor, ys: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits, ys)


_LOGITS_OF = {"one_hot_logits": _one_hot, "row_logits": _pick}
_BEFORE_TRAIN = _LOGITS_OF | {"softmax": _right_softmax, "cross_entropy": _right_loss}


@exercise("bigram.train", version=2, limit=6, stands_on=_BEFORE_TRAIN)
def training(train: Callable) -> Cases:
    rng, seeded = torch.Generator().manual_seed(6), random.Random(6)
    zero = torch.zeros(3, 3)
    yield _trained(train, zero, _SHOWN, 1, 1.0, 0.0)
    W = _normal((3, 3), rng)
    yield _trained(train, W, _SHOWN, 1, 1.0, 0.0)
    yield _trained(train, W, _SHOWN, 4, 2.0, 0.0)
    yield _trained(train, W, _SHOWN, 2, 1.0, 0.0, stale=True)
    yield _trained(train, W, _SHOWN, 4, 2.0, 0.5)
    W, pairs = _normal((5, 5), rng), _pairs_in((5, 5), 40, seeded)
    yield _trained(train, W, pairs, 6, 3.0, 0.2)
    yield _trained(train, W, pairs, 2)
    new = _normal((4, 4), None), _pairs_in((4, 4), 9, random.Random())
    yield _trained(train, *new, 3, 1.5, 0.1, fresh=True)
    names = _made_up(seeded, "aaabeeiklmnnorsty", 400)
    vocabulary = _given().Vocabulary(names)
    pairs = tuple(x.tolist() for x in _given().bigram_pairs(names, vocabulary))
    W = _normal((len(vocabulary),) * 2, rng)
    yield _trained(train, W, pairs, 60, 20.0, once=True)


@training.skeleton
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        pass
    return losses


def _fit(W: torch.Tensor, xs: torch.Tensor, ys: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(W[xs], ys)


def _mean_square(W: torch.Tensor) -> torch.Tensor:
    return (W**2).mean()


def _plain_step(W: torch.Tensor, loss: torch.Tensor, lr: float) -> None:
    W.grad = None
    loss.backward()
    W.data -= lr * W.grad


def _trainer(
    fit: Callable = _fit,
    shrink: Callable = _mean_square,
    step: Callable = _plain_step,
    told: Callable = lambda before, after: before.item(),
) -> Callable:
    """A training loop with one thing done otherwise."""

    def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
        losses = []
        for _ in range(steps):
            loss = fit(W, xs, ys) + penalty * shrink(W)
            step(W, loss, lr)
            losses.append(told(loss, lambda: fit(W, xs, ys) + penalty * shrink(W)))
        return losses

    return train


def _accumulating(W: torch.Tensor, loss: torch.Tensor, lr: float) -> None:
    loss.backward()
    W.data -= lr * W.grad


def _cleared_late(W: torch.Tensor, loss: torch.Tensor, lr: float) -> None:
    _accumulating(W, loss, lr)
    W.grad = None


def _emptied(W: torch.Tensor, loss: torch.Tensor, lr: float) -> None:
    loss.backward()
    W.grad.zero_()
    W.data -= lr * W.grad


def _recorded(W: torch.Tensor, loss: torch.Tensor, lr: float) -> None:
    W.grad = None
    loss.backward()
    W -= lr * W.grad


def _rebinding(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = _fit(W, xs, ys) + penalty * _mean_square(W)
        (slope,) = torch.autograd.grad(loss, W)
        W = (W - lr * slope).detach().requires_grad_()
        losses.append(loss.item())
    return losses


def _lost_gradient(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = _fit(W, xs, ys) + penalty * _mean_square(W)
        W.grad = None
        loss.backward()
        W = W - lr * W.grad
        losses.append(loss.item())
    return losses


def _over_the_batch(
    W: torch.Tensor, xs: torch.Tensor, ys: torch.Tensor
) -> torch.Tensor:
    return -W[xs].log_softmax(0)[torch.arange(len(ys)), ys].mean()


def _counted_out(W, xs, ys, steps, lr=50.0, penalty=0.01):
    """The table by counting in place of descent: a low loss by another way."""
    V = len(W)
    N = torch.bincount(V * xs + ys, minlength=V * V).view(V, V) + 1.0
    W.data = N.log()
    return [_fit(W, xs, ys).item()] * steps


_TRAINERS: dict[str, tuple[str, Callable]] = {
    "not zeroed": (
        "Gradients of earlier steps are added up: set W.grad to None each step.",
        _trainer(step=_accumulating),
    ),
    "zeroed afterwards": (
        "W.grad is cleared after a step alone: one left from before spoils the first.",
        _trainer(step=_cleared_late),
    ),
    "never moves": (
        "W never moves: its gradient is zero at the step.",
        _trainer(step=_emptied),
    ),
    "uphill": (
        "The step goes uphill: subtract the gradient.",
        _trainer(step=lambda W, loss, lr: _plain_step(W, loss, -lr)),
    ),
    "step recorded": (
        "The step is recorded as part of the graph: take it under torch.no_grad().",
        _trainer(step=_recorded),
    ),
    "rebound": (
        "A new tensor moves (`W = W - …`); the W that was passed in stays as it was.",
        _rebinding,
    ),
    "rebound in the graph": (
        "`W = W - …` makes a tensor that is no leaf, and its gradient is None.",
        _lost_gradient,
    ),
    "sum of squares": (
        "The penalty is the sum of the squares: take their mean.",
        _trainer(shrink=lambda W: (W**2).sum()),
    ),
    "square of the sum": (
        "The penalty is the square of the sum: square first, then the mean.",
        _trainer(shrink=lambda W: W.sum() ** 2),
    ),
    "square of the mean": (
        "The penalty is the square of the mean: square first, then the mean.",
        _trainer(shrink=lambda W: W.mean() ** 2),
    ),
    "no penalty": (
        "The penalty is not in the loss.",
        _trainer(shrink=lambda W: torch.zeros(())),
    ),
    "summed": (
        "The loss is summed over the pairs: take the mean.",
        _trainer(fit=lambda W, xs, ys: F.cross_entropy(W[xs], ys, reduction="sum")),
    ),
    "over the batch": (
        "The softmax runs over the batch, not over the letters (dim).",
        _trainer(fit=_over_the_batch),
    ),
    "every column": (
        "Each row is read in the columns of all pairs: index both at once.",
        _trainer(fit=lambda W, xs, ys: -W[xs].log_softmax(1)[:, ys].mean()),
    ),
    "tensors": (
        "The losses are tensors, each with its graph: keep numbers (.item()).",
        _trainer(told=lambda before, after: before),
    ),
    "measured after": (
        "The loss is measured after the step, not before it.",
        _trainer(told=lambda before, after: after().item()),
    ),
    "counted": (
        "W is set by counting: here each step follows the gradient.",
        _counted_out,
    ),
}
for _name, (_sentence, _wrong) in _TRAINERS.items():
    training.mistake(_name, _sentence)(_wrong)


# ---------------------------------------------------------------- cross_entropy


def _entropy(rows: list[list[float]], ys: list[int]) -> dict[str, Any]:
    """The loss by the slow loop, and its gradient, (p - y) / n."""
    n, costs, slopes = len(ys), [], []
    for row, y in zip(rows, ys, strict=True):
        top = max(row)
        costs.append(top + math.log(math.fsum(math.exp(z - top) for z in row)) - row[y])
        slopes.append([(p - (i == y)) / n for i, p in enumerate(_soft(row))])
    loss = torch.tensor(math.fsum(costs) / n)
    return {"loss": loss, "gradient": torch.tensor(slopes), "argument": AS_IT_WAS}


def _crossed(cross_entropy: Callable, rows: Any, ys: list, **options: Any) -> Case:
    z = torch.as_tensor(rows)
    within = LARGE if z.abs().max() > 100 else FLOAT32
    shown = show(z.tolist()) if z.numel() <= 6 else f"logits {tuple(z.shape)}"
    text = f"cross_entropy({shown}, {ys if len(ys) < 9 else f'{len(ys)} targets'})"
    want = _entropy(z.tolist(), ys)

    def act() -> Any:
        def answer(start: torch.Tensor) -> Any:
            return cross_entropy(start, torch.tensor(ys))

        return with_gradient(answer, z, named("loss"))

    return case(text, act, want, within=within, **options)


@exercise("bigram.cross_entropy", stands_on={"softmax": _right_softmax})
def cross_entropy(cross_entropy: Callable) -> Cases:
    rng, seeded = torch.Generator().manual_seed(7), random.Random(7)
    yield _crossed(cross_entropy, [[0.0, 0.0], [1.0, 3.0]], [0, 1])
    yield _crossed(cross_entropy, torch.zeros(2, 27), [4, 0])
    for n, V in ((3, 5), (6, 2), (4, 4)):
        _, ys = _pairs_in((n, V), n, seeded)
        yield _crossed(cross_entropy, _normal((n, V), rng), ys)
    yield _crossed(cross_entropy, [[-1000.0, 0.0]], [0])
    yield _crossed(cross_entropy, [[1000.0, 999.0], [-1000.0, -1001.0]], [0, 1])
    _, ys = _pairs_in((1, 9), 300, seeded)
    yield _crossed(cross_entropy, _normal((300, 9), rng), ys)
    _, ys = _pairs_in((1, 6), 5, random.Random())
    yield _crossed(cross_entropy, _normal((5, 6), None), ys, fresh=True)


def _logp(z: torch.Tensor) -> torch.Tensor:
    return z.log_softmax(1)


def _log_shares(shifted: torch.Tensor) -> torch.Tensor:
    return shifted - shifted.exp().sum(1, keepdim=True).log()


def _at(table: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return table[torch.arange(len(y)), y]


_ENTROPIES: dict[str, tuple[str, Callable]] = {
    "softmax, then log": (
        "A tiny probability becomes 0 before its logarithm: stay with logarithms.",
        lambda z, y: -_at(z.softmax(1), y).log().mean(),
    ),
    "overflows": (
        "e to the 1000 overflows: subtract the largest of each row first.",
        lambda z, y: -(_at(z, y) - z.exp().sum(1).log()).mean(),
    ),
    "one maximum": (
        "One maximum for the whole table: a row far below it loses its sum.",
        lambda z, y: -_at(_log_shares(z - z.max()), y).mean(),
    ),
    "maximum without keepdim": (
        "The largest of each row are subtracted from columns: keep the dimension.",
        lambda z, y: -_at(_log_shares(z - z.max(1).values), y).mean(),
    ),
    "maximum and its place": (
        "`max(dim=…)` gives two things, numbers and places: take its `.values`.",
        lambda z, y: -_at(_log_shares(z - z.max(1, keepdim=True)), y).mean(),
    ),
    "hides zeros": (
        "Something is added to the probabilities: stay with logarithms.",
        lambda z, y: -(_at(z.softmax(1), y) + 1e-8).log().mean(),
    ),
    "every column": (
        "Each row is read in the columns of all targets: index both at once.",
        lambda z, y: -_logp(z)[:, y].mean(),
    ),
    "over the batch": (
        "The softmax runs over the batch, not over the letters (dim).",
        lambda z, y: -_at(z.log_softmax(0), y).mean(),
    ),
    "sum": (
        "The sum in place of the mean.",
        lambda z, y: -_at(_logp(z), y).sum(),
    ),
    "mean over all cells": (
        "The mean goes over all cells: it is one number for each row.",
        lambda z, y: -(F.one_hot(y, z.shape[1]) * _logp(z)).mean(),
    ),
    "not averaged": (
        "One number for each row: take the mean.",
        lambda z, y: -_at(_logp(z), y),
    ),
    "not negated": ("The sign is wrong.", lambda z, y: _at(_logp(z), y).mean()),
    "no softmax": (
        "The logits are averaged as they are: take the logarithm of the softmax.",
        lambda z, y: -_at(z, y).mean(),
    ),
    "base 2": (
        "The logarithm to base 2: the loss is measured in nats.",
        lambda z, y: -_at(_logp(z), y).mean() / math.log(2),
    ),
    "plain number": (
        "The loss is a plain number: without `.item()` it has a gradient.",
        lambda z, y: -_at(_logp(z), y).mean().item(),
    ),
    "cut off": (
        "The loss is cut off from the logits: no gradient reaches them.",
        lambda z, y: -_at(_logp(z.detach()), y).mean(),
    ),
}
for _name, (_sentence, _wrong) in _ENTROPIES.items():
    cross_entropy.mistake(_name, _sentence)(_wrong)


# ---------------------------------------------------------------- splits


def _listed(count: int, twice: int = 0) -> Words:
    """Words in a fixed order, the first ones listed a second time at the end."""
    words = [f"w{i:04}" for i in range(count - twice)]
    return words + words[:twice]


def _three_lists(parts: Any) -> bool:
    return isinstance(parts, list | tuple) and [type(p) for p in parts] == [list] * 3


def _cut(split_words: Callable, words: Words) -> Any:
    """What matters about a split: its sizes, its entries, its order, the input."""
    mine = list(words)
    parts = split_words(mine, 42)
    if is_nothing(parts):
        return parts
    if not _three_lists(parts):
        return {"result": Said(kind(parts))}
    return {
        "result": Said("three lists"),
        "sizes": _sizes(list(map(len, parts)), len(words)),
        "entries": _entries(parts, words),
        "words": AS_IT_WAS if mine == words else Said("in another order"),
        **_repeated(split_words, words, parts),
    }


_CUT = {
    "result": Said("three lists"),
    "sizes": Said("80, 10 and 10 %"),
    "entries": Said("each in one part"),
    "words": AS_IT_WAS,
    "again": Said("the same split"),
    "another seed": Said("another split"),
}


def _sizes(sizes: list[int], total: int) -> str:
    shares = [0.8, 0.1, 0.1]
    near = [abs(n - s * total) < 1 for n, s in zip(sizes, shares, strict=True)]
    return Said("80, 10 and 10 %" if all(near) else f"{sizes} of {total}")


def _entries(parts: Any, words: Words) -> str:
    """Whether the parts hold the entries of the list, each as often as it does."""
    there, wanted = Counter(w for part in parts for w in part), Counter(words)
    more, lost = there - wanted, wanted - there
    said = [
        f"some are in {one} and in {two}"
        for (one, a), (two, b) in combinations(zip(_PARTS, parts, strict=True), 2)
        if more.keys() & set(a) & set(b)
    ]
    twice = [one for one, part in zip(_PARTS, parts, strict=True) if _twice(part, more)]
    said += [f"some are twice in {one}" for one in twice[:1]]
    said += ["some are lost"] if lost else []
    return Said(", ".join(said) or "each in one part")


def _twice(part: Words, more: Counter) -> bool:
    """Whether words that occur too often are more than once in this part."""
    there = Counter(part)
    return any(there[word] > 1 for word in more)


_PARTS = "train", "dev", "test"


def _mixture(split_words: Callable) -> Any:
    """Where dev comes from: a mixture of 1,000 words, or a stretch or pattern of them.

    Of 100 words drawn by chance 20 to 80 are from the first half, all but surely.
    """
    words = _listed(1_000)
    parts = split_words(list(words), 42)
    if not _three_lists(parts):
        return parts if is_nothing(parts) else {"result": Said(kind(parts))}
    places = sorted(words.index(word) for word in parts[1] if word in words)
    half = sum(place < 500 for place in places) / max(len(places), 1)
    gaps = {b - a for a, b in pairwise(places)}
    mixed = len(gaps) > 2 and 0.2 < half < 0.8
    return {"dev is": _ALL_OVER if mixed else Said("cut out in order")}


_ALL_OVER = Said("from all over the list")


def _repeated(split_words: Callable, words: Words, parts: Any) -> dict[str, str]:
    again, other = (split_words(list(words), seed) for seed in (42, 43))
    told = {True: Said("the same split"), False: Said("another split")}
    same = [list(map(list, one)) == list(parts) for one in (again, other)]
    return {"again": told[same[0]], "another seed": told[same[1]]}


@exercise("bigram.splits", version=2)
def splits(split_words: Callable) -> Cases:
    def sizes() -> Any:
        parts = split_words(_listed(10), 42)
        if is_nothing(parts):
            return parts
        return list(map(len, parts)) if _three_lists(parts) else Said(kind(parts))

    yield case("the sizes of split_words of 10 words", sizes, [8, 1, 1])
    mixture = "where the dev words come from, of 1,000"
    yield case(mixture, lambda: _mixture(split_words), {"dev is": _ALL_OVER})
    yield case(
        "split_words of 100 words", lambda: _cut(split_words, _listed(100)), _CUT
    )
    twice = _listed(200, 60)
    text = "split_words of 200 words, 60 of them listed twice"
    yield case(text, lambda: _cut(split_words, twice), _CUT)
    odd = "split_words of 333 words"
    yield case(odd, lambda: _cut(split_words, _listed(333)), _CUT)
    others = "random numbers of other code, after split_words"
    yield case(others, lambda: _disturbed(split_words), _UNDISTURBED)
    real = "split_words of 32,033 words, the sizes"
    yield case(real, lambda: _large(split_words), _LARGE, once=True)


def _disturbed(split_words: Callable) -> str:
    """Whether the generators that all code shares are where they were."""
    before = random.getstate(), torch.get_rng_state()
    split_words(_listed(20), 42)
    same = random.getstate() == before[0] and torch.equal(
        torch.get_rng_state(), before[1]
    )
    return _UNDISTURBED if same else Said("seeded anew, or used up")


_UNDISTURBED = Said("as they would have been")


def _large(split_words: Callable) -> Any:
    parts = split_words(_listed(32_033, 2_539))
    if is_nothing(parts):
        return parts
    sizes = _sizes([len(part) for part in parts], 32_033)
    return {"sizes": sizes, "entries": _entries(parts, _listed(32_033, 2_539))}


_LARGE = {key: _CUT[key] for key in ("sizes", "entries")}


def _shuffled(words: Words, seed: int) -> Words:
    return random.Random(seed).sample(words, len(words))


def _splitter(
    order: Callable[[Words, int], Words] = _shuffled,
    cuts: Callable[[Words, int, int], Any] = lambda w, a, b: (w[:a], w[a:b], w[b:]),
    second: float = 0.9,
) -> Callable:
    """A split with one thing done otherwise."""

    def split_words(words: Words, seed: int = 42) -> Any:
        mixed = order(words, seed)
        return cuts(mixed, int(0.8 * len(mixed)), int(second * len(mixed)))

    return split_words


def _in_place_order(words: Words, seed: int) -> Words:
    random.Random(seed).shuffle(words)
    return words


def _independent(words: Words, seed: int = 42) -> Any:
    rng, n = random.Random(seed), len(words)
    train = rng.sample(words, int(0.8 * n))
    dev = rng.sample(words, int(0.9 * n) - int(0.8 * n))
    return train, dev, rng.sample(words, n - int(0.9 * n))


def _complement(words: Words, seed: int = 42) -> Any:
    train, dev, _ = _splitter()(words, seed)
    return train, dev, [w for w in words if w not in {*train, *dev}]


def _seeding(words: Words, seed: int = 42) -> Any:
    random.seed(seed)
    return _splitter(lambda words, _: random.sample(words, len(words)))(words)


_SPLITTERS: dict[str, tuple[str, Callable]] = {
    "in place": (
        "The list itself is shuffled: run again, the cell gives another split.",
        _splitter(_in_place_order),
    ),
    "not shuffled": (
        "The words are not shuffled: their places in the list decide.",
        _splitter(lambda words, seed: list(words)),
    ),
    "no seed": (
        "The order is another one each time: draw from random.Random(seed).",
        _splitter(lambda words, seed: random.sample(words, len(words))),
    ),
    "seed of its own": (
        "The seed that is passed in is not used.",
        _splitter(lambda words, seed: _shuffled(words, 42)),
    ),
    "duplicates dropped": (
        "A set drops what is listed twice: every entry counts.",
        _splitter(lambda words, seed: _shuffled(sorted(set(words)), seed)),
    ),
    "trained on everything": (
        "All words are in train, those of dev and test as well.",
        _splitter(cuts=lambda w, a, b: (w, w[a:b], w[b:])),
    ),
    "dev is test": (
        "dev and test hold the same words.",
        _splitter(cuts=lambda w, a, b: (w[:a], w[b:], w[b:])),
    ),
    "drawn three times": (
        "The parts are drawn on their own: some words are in two of them.",
        _independent,
    ),
    "with replacement": (
        "`choices` draws with replacement: some come twice, others never. Shuffle.",
        _splitter(lambda words, seed: random.Random(seed).choices(words, k=len(words))),
    ),
    "shared generator": (
        "`random.seed` seeds all code's generator: make one, random.Random(seed).",
        _seeding,
    ),
    "share as a cut": (
        "10 % is the size of dev, and not where it ends: the cuts are at 80 and 90 %.",
        _splitter(second=0.1),
    ),
    "last one lost": (
        "A slice that ends at -1 leaves the last word out.",
        _splitter(cuts=lambda w, a, b: (w[:a], w[a:b], w[b:-1])),
    ),
    "both shares": (
        "dev and test have 20 % together, and here each of them has.",
        _splitter(cuts=lambda w, a, b: (w[:a], w[a:], w[a:])),
    ),
    "by name": (
        "What is left over is found by name: a name listed twice gets lost.",
        _complement,
    ),
}
_MORE_SPLITTERS = {
    "no seed": _forms(_splitter(lambda w, seed: random.Random().sample(w, len(w)))),
}
for _name, (_sentence, _wrong) in _SPLITTERS.items():
    _put(splits, _name, _sentence, _wrong, _MORE_SPLITTERS)


# ---------------------------------------------------------------- trigram


def _deep_table(words: Words, letters: list[str]) -> torch.Tensor:
    """Triples counted by the slow loop: (V * V, V), int64."""
    V = len(letters)
    rows = [[0] * V for _ in range(V * V)]
    for word in words:
        ids = [letters.index(letter) for letter in f"..{word}."]
        for a, b, c in zip(ids, ids[1:], ids[2:], strict=False):
            rows[V * a + b][c] += 1
    return torch.tensor(rows)


@exercise("bigram.trigram", version=2)
def trigram(count_trigrams: Callable) -> Cases:
    yield from _tables(count_trigrams, _deep_table)


def _deep_counter(
    triples: Pairs = _each("..{}.", 3),  # noqa: B008
    row: Callable[[int, int, int], int] = lambda a, b, V: V * a + b,
    add: Callable[[int], int] = lambda before: before + 1,
    shape: Callable[[int], tuple[int, ...]] = lambda V: (V * V, V),
    dtype: torch.dtype = torch.int64,
) -> Callable:
    """A function that counts triples with one thing done otherwise."""

    def count_trigrams(words: Words, vocabulary: Any) -> torch.Tensor:
        V = len(vocabulary)
        N = Counter()
        for triple in triples(words):
            a, b, c = vocabulary.encode("".join(triple))
            N[row(a, b, V), c] = add(N[row(a, b, V), c])
        table = [[0] * V for _ in range(max(V * V, 1 + max(r for r, _ in N)))]
        for (r, c), times in N.items():
            table[r][c] = times
        return torch.tensor(table, dtype=dtype)[: V * V].reshape(shape(V))

    return count_trigrams


def _deep_cell_by_cell(words: Words, vocabulary: Any) -> torch.Tensor:
    V = len(vocabulary)
    N = torch.zeros(V * V, V, dtype=torch.int32)
    for word in words:
        ids = vocabulary.encode(f"..{word}.")
        for a, b, c in zip(ids, ids[1:], ids[2:], strict=False):
            N[V * a + b, c] += 1
    return N


def _deep_27(words: Words, vocabulary: Any) -> torch.Tensor:
    cells = []
    for word in words:
        ids = vocabulary.encode(f"..{word}.")
        triples = zip(ids, ids[1:], ids[2:], strict=False)
        cells += [(27 * a + b) * 27 + c for a, b, c in triples]
    return torch.bincount(torch.tensor(cells), minlength=27**3).view(27 * 27, 27)


_DEEP: dict[str, tuple[str, Callable]] = {
    "one dot": (
        "One dot before a name is too few: its first letter has two before it.",
        _deep_counter(_each(".{}.", 3)),
    ),
    "no end": (
        "No dot stands after a name: it would never end.",
        _deep_counter(_each("..{}", 3)),
    ),
    "two dots after": (
        "Two dots stand after a name: one ends it.",
        _deep_counter(_each("..{}..", 3)),
    ),
    "across names": (
        "Triples run on from one name into the next: go name by name.",
        _deep_counter(_through("..", "{}.", 3)),
    ),
    "across names, two dots": (
        "Triples run over the end of a name into dots of the next: go name by name.",
        _deep_counter(_through("", "..{}.", 3)),
    ),
    "context turned round": (
        "Your row is V b + a, wanted is V a + b: the earlier letter times V.",
        _deep_counter(row=lambda a, b, V: V * b + a),
    ),
    "stride too small": (
        "Row (V-1) a + b: two contexts share a row. The stride is V.",
        _deep_counter(row=lambda a, b, V: (V - 1) * a + b),
    ),
    "rows added": (
        "Row a + b: many contexts share it. Multiply the first by V.",
        _deep_counter(row=lambda a, b, V: a + b),
    ),
    "three dimensions": (
        "The table has three dimensions: join the first two, `.view(V * V, V)`.",
        _deep_counter(shape=lambda V: (V, V, V)),
    ),
    "lying": (
        "The table is (V, V * V): a context is a row.",
        _deep_counter(shape=lambda V: (V, V * V)),
    ),
    "27 always": (
        "The table is made for 27 letters, whatever the vocabulary: take its length.",
        _deep_27,
    ),
    "few bits": (
        "So few bits overflow on all names: int32 or int64 hold the counts.",
        _deep_counter(dtype=torch.int16),
    ),
    "counted once": (
        "A triple that occurs again is not added.",
        _deep_counter(add=lambda before: 1),
    ),
    "floats": (
        "The counts are floats: ask for whole numbers (dtype).",
        _deep_counter(dtype=torch.float32),
    ),
    "cell by cell": (
        "Each triple is added to the tensor on its own, which is slow.",
        _deep_cell_by_cell,
    ),
}
_MORE_DEEP = {
    "few bits": _forms(
        *(_narrow(dtype, _deep_counter()) for dtype in (torch.uint8, torch.int8))
    ),
    "across names, two dots": _forms(
        _deep_counter(lambda words: _neighbours(f"..{'..'.join(words)}.", 3)),
    ),
}
for _name, (_sentence, _wrong) in _DEEP.items():
    _put(trigram, _name, _sentence, _wrong, _MORE_DEEP)


# ---------------------------------------------------------------- tune_smoothing


class _Judge:
    """Measures tables on some pairs, and counts how often it was asked."""

    def __init__(self, rows: list[list[int]], times: float = 1) -> None:
        self.counts, self.asked, self.times = torch.tensor(rows), 0, times

    def __call__(self, P: torch.Tensor) -> float:
        self.asked += 1
        parts = (self.counts * P.log())[self.counts > 0]
        return -self.times * parts.sum().item() / int(self.counts.sum())


_TRAIN = [[8, 1, 0], [0, 5, 1]]
_JUDGES: tuple[tuple[list, list, list], ...] = (
    ([0.1, 10.0, 1.0], [[5, 1, 1], [1, 4, 1]], [[6, 1, 0], [0, 5, 1]]),
    ([0.02, 5.0, 0.5], [[8, 1, 0], [0, 6, 1]], [[3, 2, 2], [2, 2, 2]]),
    ([0.5, 20.0, 2.0], [[3, 3, 3], [3, 3, 4]], [[9, 1, 0], [0, 9, 1]]),
    ([0.3, 0.03, 30.0, 3.0], [[6, 2, 1], [1, 5, 2]], [[4, 4, 4], [4, 4, 5]]),
)

# without smoothing the loss on dev is infinite
_UNSEEN = [0.0, 6.0, 1.5], [[5, 1, 1], [1, 4, 1]], [[6, 1, 1], [1, 5, 1]]


def _tuned(
    tune: Callable,
    train: list,
    amounts: list,
    dev: list,
    test: list,
    times: float = 1,
    **options: Any,
) -> Case:
    """The case of some amounts; what must come out is found by trying them all.

    times: what the losses on dev are multiplied by.
    """

    def losses(rows: list) -> list[float]:
        tables = (_by_rows(torch.tensor(train), a) for a in amounts)
        return [_Judge(rows)(P) for P in tables]

    chosen = losses(dev).index(min(losses(dev)))
    want = {
        "result": _BOTH,
        "amount": amounts[chosen],
        "test loss": torch.tensor(losses(test)[chosen]),
        "looks at test": 1,
        "amounts": AS_IT_WAS,
    }
    text = f"tune_smoothing of a table (2, 3), amounts={amounts}"
    text += ", dev losses in the hundreds" if times > 1 else ""
    judges = _Judge(dev, times), _Judge(test)
    act = lambda: _looked(tune, torch.tensor(train), amounts, *judges)  # noqa: E731
    return case(text, act, want, within=FLOAT32, **options)


_BOTH = Said("an amount and a loss")


def _looked(
    tune: Callable, counts: torch.Tensor, amounts: list, dev: _Judge, test: _Judge
) -> Any:
    """The answer, and how often test was looked at for it."""
    mine, test.asked = list(amounts), 0
    out = tune(counts, mine, dev, test)
    if is_nothing(out):
        return out
    if not isinstance(out, tuple | list) or len(out) != 2:
        return {"result": Said(kind(out))}
    return {
        "result": _BOTH,
        "amount": out[0],
        "test loss": number(out[1])["loss"],
        "looks at test": test.asked,
        "amounts": AS_IT_WAS if mine == amounts else Said("changed"),
    }


def _new_judge() -> tuple[list, list, list, list]:
    """Counts and amounts that are new in each run."""
    rng = random.Random()

    def rows(least: int) -> list[list[int]]:
        return [[rng.randint(least, 12) for _ in range(3)] for _ in range(2)]

    amounts = [round(rng.uniform(0.01, 20), 2) for _ in range(5)]
    return rows(0), amounts, rows(1), rows(1)


@exercise("bigram.tune_smoothing", version=2)
def tune_smoothing(tune_smoothing: Callable) -> Cases:
    for judge in _JUDGES:
        yield _tuned(tune_smoothing, _TRAIN, *judge)
    yield _tuned(tune_smoothing, _TRAIN, *_UNSEEN)
    yield _tuned(tune_smoothing, _TRAIN, *_JUDGES[0], times=1000)
    yield _tuned(tune_smoothing, *_new_judge(), fresh=True)


def _tuner(
    judged: Callable = lambda P, counts, dev, test: dev(P),
    best: Callable = min,
    said: Callable = lambda amount, losses, test: (amount, test(amount)),
    table: Callable = lambda counts, amount: _by_rows(counts, amount),
) -> Callable:
    """A search with one thing done otherwise."""

    def tune_smoothing(counts, amounts, dev_loss, test_loss):
        losses = [
            judged(table(counts, a), counts, dev_loss, test_loss) for a in amounts
        ]
        chosen = losses.index(best(losses))
        found = dict(enumerate(losses)), chosen, amounts
        return said(
            amounts[chosen], found, lambda amount: test_loss(table(counts, amount))
        )

    return tune_smoothing


def _from(start: Any, lowest: float) -> Callable:
    """A search that begins with a loss that somebody made up."""

    def tune_smoothing(counts, amounts, dev_loss, test_loss):
        best, least = amounts[0] if start == "first" else start, lowest
        for amount in amounts:
            loss = dev_loss(_by_rows(counts, amount))
            if loss < least:
                best, least = amount, loss
        return best, test_loss(_by_rows(counts, best))

    return tune_smoothing


def _at_train(P: torch.Tensor, counts: torch.Tensor, *_: Any) -> float:
    return _Judge(counts.tolist())(P)


def _judged_undivided(counts, amounts, dev_loss, test_loss):
    best = min(amounts, key=lambda a: dev_loss(counts + a))
    return best, test_loss(_by_rows(counts, best))


def _curious(counts, amounts, dev_loss, test_loss):
    table = {a: _by_rows(counts, a) for a in amounts}
    dev = {a: dev_loss(P) for a, P in table.items()}
    test = {a: test_loss(P) for a, P in table.items()}
    best = min(dev, key=dev.get)
    return best, test[best]


_TUNERS: dict[str, tuple[str, Callable]] = {
    "chosen on test": (
        "The amount is chosen by the test loss: choose by dev_loss.",
        _tuner(judged=lambda P, counts, dev, test: test(P)),
    ),
    "chosen on train": (
        "The least smoothing is chosen, which suits train best: choose by dev_loss.",
        _tuner(judged=_at_train),
    ),
    "chosen on dev and test": (
        "The test loss takes part in the choice: choose by dev_loss alone.",
        _tuner(judged=lambda P, counts, dev, test: dev(P) + test(P)),
    ),
    "tested each time": (
        "The test is looked at for every amount: look once, at the end.",
        _curious,
    ),
    "worst": ("The largest loss is chosen, not the smallest.", _tuner(best=max)),
    "dev loss": (
        "The loss that comes back is dev's: report the one on test.",
        _tuner(
            said=lambda amount, found, test: (
                test(amount) and amount,
                found[0][found[1]],
            )
        ),
    ),
    "no test": (
        "The test is not looked at: the loss that comes back is dev's.",
        _tuner(said=lambda amount, found, test: (amount, found[0][found[1]])),
    ),
    "last table": (
        "The test loss is that of the last amount, not of the chosen one.",
        _tuner(said=lambda amount, found, test: (amount, test(found[2][-1]))),
    ),
    "place": (
        "The place of the amount comes back, not the amount.",
        _tuner(said=lambda amount, found, test: (found[1], test(amount))),
    ),
    "turned round": (
        "First the amount, then the loss: they are swapped.",
        _tuner(said=lambda amount, found, test: (test(amount), amount)),
    ),
    "amount alone": (
        "Two things come back: the amount and its test loss.",
        _tuner(said=lambda amount, found, test: amount),
    ),
    "made-up start": (
        "The search begins with a loss too low to beat: begin with math.inf.",
        _from(0.0, 100.0),
    ),
    "not divided": (
        "Smoothed counts are judged as they are: make probabilities of them first.",
        _tuner(table=lambda counts, amount: counts + amount),
    ),
    "smoothed afterwards": (
        "The smoothing is added to the shares: add it to the counts.",
        _tuner(table=lambda counts, amount: _by_rows(counts, 0) + amount),
    ),
}
_STARTS = [(0.0, "first", None), (100.0, 10.0, 5.0, 2.0)]
_MORE_TUNERS = {
    "made-up start": _forms(*(_from(*one) for one in product(*_STARTS))),
    "not divided": _forms(
        _judged_undivided,
    ),
}
for _name, (_sentence, _wrong) in _TUNERS.items():
    _put(tune_smoothing, _name, _sentence, _wrong, _MORE_TUNERS)
