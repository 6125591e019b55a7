"""The map of counts shows the numbers that PyTorch computes."""

import math
import random
from xml.etree import ElementTree

import pytest
import torch

from workbook.explore import bigram, count_map
from workbook.explore.alphabet import LETTERS, entropy

ABC = ".abc"
N = [[0, 6, 2, 1], [5, 1, 0, 3], [0, 4, 0, 0], [4, 1, 2, 0]]
DEV = [[0, 2, 1, 0], [2, 0, 0, 1], [0, 1, 1, 0], [1, 1, 0, 0]]


def told(page) -> dict[str, list[str]]:
    return {name: rest for name, *rest in page.rows}


def by_torch(counts, seen, s: float) -> float:
    """Mean negative log likelihood, written as a learner would."""
    model = torch.tensor(counts, dtype=torch.float64) + s
    p = model / model.sum(1, keepdim=True)
    seen = torch.tensor(seen, dtype=torch.float64)
    return float(-(seen * p.log()).nansum() / seen.sum())


def test_the_losses_are_those_that_pytorch_computes() -> None:
    for s in (0.001, 0.3, 1.0, 100.0):
        for seen in (N, DEV):
            ours = bigram.average_loss(N, seen, s)
            assert ours == pytest.approx(by_torch(N, seen, s), rel=1e-12)
    assert math.isinf(bigram.average_loss(N, DEV, 0.0))  # bb is new in dev


def test_a_row_and_its_losses_are_told_with_and_without_smoothing() -> None:
    page = count_map(N, DEV, letters=ABC, row="b", smoothing=1.0).page()
    rows = told(page)
    assert rows["a, 4 times"] == ["0.625", "1"]
    assert rows["loss on dev"] == [f"{by_torch(N, DEV, 1.0):.4f}", "infinite"]
    assert float(rows["loss on train"][1]) < float(rows["loss on train"][0])
    assert page.title.startswith("After b, a is likeliest, 62 %")


def test_much_smoothing_makes_every_row_uniform() -> None:
    thing = count_map(N, letters=ABC)
    entropies = [
        float(told(thing.set(smoothing=s).page())["entropy of the row"][0])
        for s in (0.001, 1.0, 1e4)
    ]
    assert entropies == sorted(entropies)
    assert entropies[-1] == pytest.approx(math.log(4), abs=1e-3)
    assert "loss on dev" not in told(thing.page())


def test_pairs_are_counted_with_the_dot_at_both_ends() -> None:
    table = bigram.count_pairs(["ab", "ba", "b"], ABC)
    assert table == [[0, 1, 2, 0], [1, 0, 1, 0], [2, 1, 0, 0], [0, 0, 0, 0]]


def test_without_counts_the_course_s_names_are_counted_and_split(monkeypatch) -> None:
    rng = random.Random(1)
    words = ["".join(rng.choices(LETTERS[1:6], k=4)) for _ in range(40)]
    monkeypatch.setattr("workbook.data.names", lambda: words)
    train, dev = bigram._course_names()
    assert (sum(map(sum, train)), sum(map(sum, dev))) == (32 * 5, 4 * 5)
    assert "dev" in count_map().page().svg()


@pytest.mark.parametrize("make", [torch.tensor, lambda rows: rows])
def test_a_learner_s_own_tensor_is_taken(make) -> None:
    page = count_map(make(N), make(DEV), letters=ABC).page()
    assert page.title.startswith("After the start, a is likeliest")


@pytest.mark.parametrize(
    "counts, said",
    [
        (torch.zeros(3, 4), "3 rows of 4: 4 letters need 4 by 4"),
        (torch.zeros(4, 4), "is empty"),
        (torch.full((4, 4), -1.0), "negative or not finite"),
        (torch.full((4, 4), math.nan), "negative or not finite"),
        (torch.ones(4), "rows of numbers, 4 by 4"),
        (7, "rows of numbers, 4 by 4"),
    ],
)
def test_what_is_no_table_of_counts_is_answered_in_a_sentence(counts, said) -> None:
    page = count_map(counts, letters=ABC).page()
    assert said in page.title and not page.body


def test_an_unknown_row_is_answered_with_the_letters_there_are() -> None:
    assert "the letters are .abc" in count_map(N, letters=ABC, row="z").page().title


def test_a_row_that_was_never_seen_is_uniform_and_still_drawn() -> None:
    table = [row[:] for row in N]
    table[2] = [0, 0, 0, 0]
    page = count_map(table, letters=ABC, row="b").page()
    assert "25 %" in page.title
    assert entropy([0.25] * 4) == pytest.approx(math.log(4))


def test_every_state_is_well_formed_with_a_claim_of_one_line_and_quick() -> None:
    rng = random.Random(7)
    table = [[rng.randrange(50) for _ in LETTERS] for _ in LETTERS]
    thing = count_map(table, table)
    for row in (0, 1, 26):
        for smoothing in (1e-3, 1.0, 1e4):
            page = thing.page(row=row, smoothing=smoothing)
            ElementTree.fromstring(page.svg())
            assert len(page.title) <= 72
            assert page.width == 640


def test_each_row_of_the_map_takes_a_click() -> None:
    drawn = count_map(N, letters=ABC).page().svg()
    assert drawn.count("wb-of-row button") == 4
