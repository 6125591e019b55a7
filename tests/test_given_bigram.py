"""The given bigram module against plain loops, fractions, PyTorch and the real names.

Each oracle works without tensors where it can: dictionaries count, fractions divide,
and a chi-square says whether a sampler draws what the table promises.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook import data
from workbook.given.bigram import (
    Vocabulary,
    average_nll,
    bigram_pairs,
    count_bigrams,
    count_trigrams,
    probabilities,
    sample,
    split_words,
)

NAMES = ["emma", "olivia", "ava", "isabella", "sophia", "bo", "a", "zz"]
words = st.lists(st.text("abcdxyzö", min_size=1, max_size=8), min_size=1, max_size=12)
many = settings(max_examples=60, deadline=None)


# ---------------------------------------------------------------- vocabulary


@many
@given(words)
def test_a_text_comes_back_from_its_numbers(names):
    vocabulary = Vocabulary(names)
    for name in names:
        ids = vocabulary.encode(f".{name}.")
        assert ids[0] == ids[-1] == 0
        assert vocabulary.decode(ids) == f".{name}."


@many
@given(words)
def test_letters_are_numbered_in_order_and_without_gaps(names):
    vocabulary = Vocabulary(names)
    letters = sorted({letter for name in names for letter in name})
    assert vocabulary.stoi == {".": 0} | {c: i for i, c in enumerate(letters, 1)}
    assert vocabulary.itos == {i: c for c, i in vocabulary.stoi.items()}
    assert len(vocabulary) == len(letters) + 1


def test_an_unknown_letter_is_an_error():
    with pytest.raises(KeyError):
        Vocabulary(["ab"]).encode("abc")


# ---------------------------------------------------------------- counts


@many
@given(words)
def test_bigrams_are_counted_as_a_dictionary_counts_them(names):
    vocabulary = Vocabulary(names)
    counted = Counter(pair for name in names for pair in pairwise(f".{name}."))
    N = count_bigrams(names, vocabulary)
    found = {
        (vocabulary.itos[i], vocabulary.itos[j]): n
        for i, row in enumerate(N.tolist())
        for j, n in enumerate(row)
        if n
    }
    assert found == counted
    assert not N.is_floating_point()


@many
@given(words)
def test_trigrams_summed_over_their_first_letter_are_bigrams(names):
    """But for the first of each name, whose context has one letter more."""
    vocabulary = Vocabulary(names)
    V = len(vocabulary)
    N = count_trigrams(names, vocabulary)
    assert N.shape == (V * V, V)
    assert torch.equal(N.view(V, V, V).sum(0), count_bigrams(names, vocabulary))


@many
@given(words)
def test_trigrams_are_counted_as_a_dictionary_counts_them(names):
    vocabulary = Vocabulary(names)
    V, counted = len(vocabulary), Counter()
    for name in names:
        padded = f"..{name}."
        counted.update(padded[i : i + 3] for i in range(len(name) + 1))
    N = count_trigrams(names, vocabulary)
    assert N.sum() == counted.total()
    for (a, b, c), times in counted.items():
        one, two, three = vocabulary.encode(a + b + c)
        assert N[V * one + two, three] == times


@many
@given(words)
def test_every_letter_is_entered_as_often_as_it_is_left(names):
    """Why the loss cannot tell normalised columns from normalised rows."""
    N = count_bigrams(names, Vocabulary(names))
    assert torch.equal(N.sum(0), N.sum(1))


@many
@given(words)
def test_pairs_are_the_table_one_by_one(names):
    vocabulary = Vocabulary(names)
    xs, ys = bigram_pairs(names, vocabulary)
    V = len(vocabulary)
    hot = F.one_hot(xs, V).T @ F.one_hot(ys, V)
    assert torch.equal(hot, count_bigrams(names, vocabulary))
    assert xs.dtype == ys.dtype == torch.int64
    together = f".{'.'.join(names)}."
    assert vocabulary.decode([*xs.tolist(), ys[-1].item()]) == together


# ---------------------------------------------------------------- probabilities, loss


@many
@given(
    st.lists(
        st.lists(st.integers(0, 99), min_size=4, max_size=4), min_size=1, max_size=6
    ),
    st.sampled_from([Fraction(1), Fraction(1, 4), Fraction(3), Fraction(100)]),
)
def test_rows_are_the_fractions_that_they_should_be(rows, smoothing):
    P = probabilities(torch.tensor(rows), float(smoothing))
    for row, found in zip(rows, P.tolist(), strict=True):
        total = sum(row) + smoothing * len(row)
        exact = [float((n + smoothing) / total) for n in row]
        assert found == pytest.approx(exact, rel=1e-6)
    assert P.dtype == torch.float32
    assert P.sum(1).tolist() == pytest.approx([1.0] * len(rows), rel=1e-6)


def test_a_table_is_not_changed_by_smoothing():
    N = torch.tensor([[1, 2], [3, 4]])
    probabilities(N, 5)
    assert N.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_is_torchs(seed):
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(6, 9, generator=rng)
    xs = torch.randint(6, (200,), generator=rng)
    ys = torch.randint(9, (200,), generator=rng)
    loss = average_nll(logits.softmax(1), xs, ys)
    assert loss.item() == pytest.approx(F.cross_entropy(logits[xs], ys).item(), 1e-5)


def test_the_loss_of_a_table_that_knows_nothing_is_the_logarithm_of_its_width():
    P = torch.full((27, 27), 1 / 27)
    xs = ys = torch.arange(27)
    assert average_nll(P, xs, ys).item() == pytest.approx(math.log(27), 1e-6)


def test_an_impossible_pair_costs_infinity():
    P = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    assert average_nll(P, torch.tensor([0]), torch.tensor([1])).item() == math.inf


def test_no_table_of_its_shape_beats_the_counted_one():
    """The counts are the maximum of the likelihood: every nudge makes it worse."""
    vocabulary = Vocabulary(NAMES)
    N, pairs = count_bigrams(NAMES, vocabulary), bigram_pairs(NAMES, vocabulary)
    best = average_nll(probabilities(N), *pairs)
    rng = torch.Generator().manual_seed(0)
    for size in (1e-3, 0.1, 3.0):
        nudged = (N.double() + 1e-9).log() + size * torch.randn(
            N.shape, generator=rng, dtype=torch.float64
        )
        assert average_nll(nudged.softmax(1), *pairs) > best


# ---------------------------------------------------------------- sampling


def test_names_come_as_often_as_the_table_says():
    """The chance of a whole name is the product along it: a chi-square over names."""
    P = torch.tensor([[0.2, 0.5, 0.3], [0.5, 0.1, 0.4], [0.6, 0.3, 0.1]])
    vocabulary, tries = Vocabulary(["ab"]), 4_000
    rng = torch.Generator().manual_seed(1)
    drawn = Counter(sample(P, vocabulary, rng) for _ in range(tries))
    expected = {
        name: tries * math.prod(P[i, j].item() for i, j in pairwise(ids))
        for name in ("", "a", "b", "ab", "ba", "aa", "bb", "aba", "bab")
        for ids in [vocabulary.encode(f".{name}.")]
    }
    gap = sum((drawn[name] - n) ** 2 / n for name, n in expected.items())
    assert gap < 40  # of 9 terms: exceeded once in 100,000 times


def test_a_seed_repeats_a_name_and_leaves_other_draws_alone():
    P = torch.tensor([[0.1, 0.5, 0.4], [0.3, 0.4, 0.3], [0.3, 0.3, 0.4]])
    vocabulary = Vocabulary(["ab"])
    before = torch.get_rng_state()
    first, again = (
        [sample(P, vocabulary, rng) for _ in range(20)]
        for rng in (torch.Generator().manual_seed(seed) for seed in (3, 3))
    )
    assert first == again
    assert len(set(first)) > 3
    assert torch.equal(before, torch.get_rng_state())


# ---------------------------------------------------------------- splits


@many
@given(st.lists(st.text("ab", max_size=3), max_size=60), st.integers(0, 10))
def test_every_entry_is_in_one_part_duplicates_included(names, seed):
    before = list(names)
    parts = split_words(names, seed)
    assert names == before
    assert sum(map(Counter, parts), Counter()) == Counter(names)
    n = len(names)
    sizes = [len(part) for part in parts]
    assert sizes == [int(0.8 * n), int(0.9 * n) - int(0.8 * n), n - int(0.9 * n)]


def test_a_split_is_that_of_a_seeded_shuffle():
    names = [f"{i}" for i in range(100)]
    shuffled = list(names)
    random.Random(42).shuffle(shuffled)
    train, dev, test = split_words(names)
    assert [*train, *dev, *test] == shuffled
    assert split_words(names, 1) != split_words(names, 2)


# ---------------------------------------------------------------- the real names


@pytest.fixture(scope="module")
def real() -> list[str]:
    """The real names where they lie already: a test fetches nothing."""
    path = data.folder() / "names.txt"
    if not path.exists():
        pytest.skip("the real names are not here")
    return path.read_text("ascii").split()


def test_the_real_names_give_the_known_numbers(real):
    vocabulary = Vocabulary(real)
    N, pairs = count_bigrams(real, vocabulary), bigram_pairs(real, vocabulary)
    assert (len(vocabulary), int(N.sum()), int((N == 0).sum())) == (27, 228_146, 102)
    stoi = vocabulary.stoi
    assert N[stoi["n"], 0] == 6763
    assert N[0, stoi["a"]] == 4410
    losses = [average_nll(probabilities(N, s), *pairs).item() for s in (0, 1, 1000)]
    assert losses == pytest.approx([2.454014, 2.454577, 2.852283], abs=2e-5)


def test_normalised_columns_have_the_same_loss_on_the_real_names(real):
    """The classic mistake that no loss shows."""
    vocabulary = Vocabulary(real)
    N, pairs = count_bigrams(real, vocabulary) + 1, bigram_pairs(real, vocabulary)
    columns = N / N.sum(1)
    assert average_nll(columns, *pairs).item() == pytest.approx(2.454577, abs=2e-5)
    assert columns.sum(1)[:3].tolist() == pytest.approx([6.92, 4.37, 0.21], abs=0.01)


def test_names_stand_twice_in_the_real_list_and_in_both_sides_of_a_split(real):
    train, dev, test = split_words(real)
    assert [len(train), len(dev), len(test)] == [25_626, 3_203, 3_204]
    assert sum(n == 2 for n in Counter(real).values()) == 2_539
    seen = set(train)
    assert [sum(w in seen for w in part) for part in (dev, test)] == [424, 377]
