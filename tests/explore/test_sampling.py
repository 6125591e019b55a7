"""The sampler and the scorer: what they show is what the model says."""

import math
from collections import Counter
from itertools import pairwise
from xml.etree import ElementTree

import pytest
import torch

from workbook.explore import name_sampler, name_scorer
from workbook.explore.alphabet import Model, Refused
from workbook.explore.sampling import _Writer, at_temperature, under

ABC = ".abc"
N = [[0, 6, 2, 1], [5, 1, 0, 3], [2, 4, 0, 0], [4, 1, 2, 0]]


def writer(model=N, first=()) -> _Writer:
    return _Writer(Model(model, ABC), ABC, first)


def told(page) -> dict[str, list[str]]:
    return {name: rest for name, *rest in page.rows}


# --- The sampler ------------------------------------------------------------------


def test_at_temperature_one_nothing_changes_and_low_ones_sharpen() -> None:
    p = [0.5, 0.3, 0.2, 0.0]
    assert at_temperature(p, 1.0) == pytest.approx(p)
    logits = torch.tensor(p).log()
    for t in (0.1, 0.5, 2.0, 3.0):
        expected = (logits / t).softmax(-1).tolist()
        assert at_temperature(p, t) == pytest.approx(expected, abs=1e-6)


def test_letters_come_as_often_as_the_model_says() -> None:
    draws = writer().drawn(20_000, 1.0, 5)
    after_a = [draw.letter for draw in draws if draw.context[-1:] == (1,)]
    share = {i: n / len(after_a) for i, n in Counter(after_a).items()}
    for i, weight in enumerate(N[1]):
        assert share.get(i, 0.0) == pytest.approx(weight / 9, abs=0.02)
    assert 2 not in share  # a weight of zero is never drawn


def test_a_seed_writes_the_same_names_on_every_machine() -> None:
    word = "".join(ABC[draw.letter] for draw in writer().drawn(16, 1.0, 1))
    assert word == "acb.a.ac.ac.b.ac"


def test_more_letters_continue_what_was_written() -> None:
    few, many = (writer().drawn(count, 1.0, 3) for count in (4, 9))
    assert many[:4] == few


def test_the_pointer_stays_while_the_temperature_moves() -> None:
    cold, hot = (writer().drawn(1, t, 9)[0] for t in (0.2, 3.0))
    assert cold.u == hot.u and cold.p != hot.p


def test_a_name_ends_at_the_dot_and_the_next_begins_anew() -> None:
    draws = writer().drawn(40, 1.0, 1)
    for before, after in pairwise(draws):
        if before.letter == 0:
            assert after.context == ()
        else:
            assert after.context == (*before.context, before.letter)


def test_the_page_tells_the_letter_that_was_drawn_and_its_share() -> None:
    page = name_sampler(N, ABC).page(step=1, seed=1)
    last = writer().drawn(1, 1.0, 1)[0]
    assert page.title.startswith(f"After the start comes {ABC[last.letter]}: it had")
    assert f"{ABC[last.letter]} (drawn)" in told(page)
    assert name_sampler(N, ABC).page().title == (
        "A name begins: a is likeliest, with 67 %"
    )


def test_a_function_of_the_letters_so_far_is_a_model_too() -> None:
    asked: list[list[int]] = []

    def after(so_far: list[int]) -> torch.Tensor:
        asked.append(so_far)
        weights = torch.zeros(1, 4)  # a batch of one
        weights[0, len(so_far) + 1 if len(so_far) < 3 else 0] = 2.5
        return weights

    page = name_sampler(after, ABC).page(step=4)
    assert "abc" in page.svg() and "the end" in page.title
    assert asked == [[], [1], [1, 2], [1, 2, 3]]  # each context once


def test_a_long_name_keeps_its_end_in_view() -> None:
    def forever(so_far):
        return [0, 1, 0, 0]

    drawn = name_sampler(forever, ABC).page(step=40).svg()
    assert f"…{'a' * 17}_" in drawn


@pytest.mark.parametrize("door", [name_sampler, name_scorer])
@pytest.mark.parametrize(
    "model, said",
    [
        (torch.zeros(3, 3), "3 rows of 3: 4 letters need 4 by 4"),
        (torch.zeros(4, 4), "no distribution"),
        (lambda so_far: [1.0, 2.0], "gives 2 numbers"),
        (lambda so_far: [-1.0, 1.0, 1.0, 1.0], "no distribution"),
        (lambda so_far: [math.nan] * 4, "no distribution"),
        ("abc", "rows of numbers"),
    ],
)
def test_what_is_no_model_is_answered_in_a_sentence(door, model, said: str) -> None:
    page = door(model, ABC).page()
    assert said in page.title and not page.body


def test_a_row_without_weights_is_told_when_it_is_reached() -> None:
    dead = [[0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    with pytest.raises(Refused, match="After a the model gives no distribution"):
        writer(dead).drawn(2, 1.0, 1)


def test_the_far_end_of_the_strip_belongs_to_the_last_letter_with_a_share() -> None:
    assert under([0.5, 0.5 - 1e-17, 0.0], 1.0) == 1
    assert under([0.0, 1.0], 0.0) == 1


# --- The scorer -------------------------------------------------------------------


def test_the_costs_are_minus_the_logs_that_pytorch_gives() -> None:
    p = torch.tensor(N, dtype=torch.float64)
    p /= p.sum(1, keepdim=True)
    page = name_scorer(N, ABC, name="ac").page()
    pairs = [(0, 1), (1, 3), (3, 0)]
    expected = [-p[pair].log().item() for pair in pairs]
    assert [row[3] for row in page.rows] == [f"{cost:.4f}" for cost in expected]
    assert page.title.startswith(f"ac: {sum(expected) / 3:.2f} nats a letter")
    assert page.rows[0][:2] == ("the start", "a")


def test_an_impossible_pair_is_an_infinite_loss() -> None:
    page = name_scorer(N, ABC, name="ab").page()
    assert page.title == "ab: the model holds ab impossible, an infinite loss"
    assert page.rows[1][2:] == ("0.0000", "infinite")


@pytest.mark.parametrize(
    "name, said",
    [("zé", "does not know 'z', 'é'"), ("a.b", "does not know '.'"), ("a" * 25, "25")],
)
def test_a_name_that_cannot_be_scored_is_told_why(name: str, said: str) -> None:
    page = name_scorer(N, ABC).page(name=name)
    assert said in page.title and not page.body


def test_capitals_and_blanks_do_not_matter_and_the_empty_name_is_one() -> None:
    scorer = name_scorer(N, ABC)
    assert scorer.page(name=" AC ").rows == scorer.page(name="ac").rows
    assert scorer.page(name="").title.startswith("The empty name")


def test_every_state_is_well_formed_with_a_claim_of_one_line() -> None:
    sampler = name_sampler(N, ABC)
    pages = [
        sampler.page(step=step, temperature=t, seed=seed)
        for step in (0, 1, 40)
        for t in (0.1, 1.0, 3.0)
        for seed in (1, 99)
    ]
    scorer = name_scorer(N, ABC)
    pages += [
        scorer.page(name=name) for name in ("", "c", "ab", "acacacacacacacacacaca")
    ]
    for page in pages:
        ElementTree.fromstring(page.svg())
        assert len(page.title) <= 72
        assert "nan" not in page.svg() and "inf " not in page.svg()
