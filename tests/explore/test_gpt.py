"""Lesson 7's explorables: what they show is what PyTorch would compute."""

import math
from xml.etree import ElementTree

import pytest
import torch
import torch.nn.functional as F
from walking import quickest, states

from workbook.explore import (
    attention_map,
    mask_leak,
    model_size,
    position_map,
    sharpness,
    text_sampler,
)
from workbook.explore.attention import DIM, HEARD, MASKS, SIZES, T, leaks, masked
from workbook.explore.base import Explorable
from workbook.explore.places import by_distance, cosines
from workbook.explore.sizes import KNOWN, READINGS, operations, parameters
from workbook.explore.writing import shares

LETTERS = sorted(set("\n ,.:abcdefghijklmnopqrstuvwxyzIKGMN"))
LINE = "My lord, I am not the king."


def attend(text: str) -> torch.Tensor:
    """Shares of two blocks of three heads, whatever the text is."""
    g = torch.Generator().manual_seed(len(text))
    scores = 2 * torch.randn((2, 3, len(text), len(text)), generator=g)
    past = torch.ones(len(text), len(text)).tril()
    return scores.masked_fill(past == 0, -math.inf).softmax(dim=-1)


def next_logits(ids: tuple[int, ...]) -> torch.Tensor:
    g = torch.Generator().manual_seed(sum(ids))
    return 2 * torch.randn(len(LETTERS), generator=g)


def table(places: int = 32) -> torch.Tensor:
    g = torch.Generator().manual_seed(1)
    return torch.randn((places, 24), generator=g).cumsum(0)


def every_one() -> dict[str, Explorable]:
    return {
        "mask": mask_leak(),
        "sharpness": sharpness(),
        "attention": attention_map(attend, LETTERS, LINE),
        "places": position_map(table()),
        "writer": text_sampler(next_logits, LETTERS, "KING"),
        "sizes": model_size(),
    }


# --- All of them ------------------------------------------------------------------


@pytest.mark.parametrize("name", every_one())
def test_it_is_well_formed_in_every_state_and_has_a_table_and_a_place_to_look(
    name: str,
) -> None:
    thing = every_one()[name]
    assert 1 <= len(thing.controls) <= 3
    for state in states(thing):
        page = thing.page(**state)
        root = ElementTree.fromstring(page.svg())
        assert page.rows and page.look and len(page.title) <= 72, (state, page.title)
        assert root.attrib["role"] == "img"
        assert all(len(row) == len(page.header) for row in page.rows)


@pytest.mark.parametrize("name", every_one())
def test_it_answers_within_a_tenth_of_a_second(name: str) -> None:
    assert quickest(every_one()[name]) < 0.1


# --- What a mask lets through -----------------------------------------------------


def by_torch(mask: str, x: torch.Tensor, matrices: list) -> torch.Tensor:
    """The outputs of a head with this mask, in PyTorch."""
    q, k, v = (x @ torch.tensor(m, dtype=torch.float64) for m in matrices)
    scores = q @ k.T / DIM**0.5
    past = torch.ones(T, T).tril() == 1
    if mask == "before":
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    if mask == "zero":
        return scores.masked_fill(~past, 0.0).softmax(-1) @ v
    if mask == "none":
        return scores.softmax(-1) @ v
    if mask == "turned":
        return scores.masked_fill(~past.T, -math.inf).softmax(-1) @ v
    kept = scores.softmax(-1) * past
    return (kept / kept.sum(1, keepdim=True) if mask == "again" else kept) @ v


@pytest.mark.parametrize("mask", [m for _, m in MASKS if m != "strict"])
def test_a_masked_head_gives_what_pytorch_gives(mask: str) -> None:
    from workbook.explore.attention import _numbers

    x, *matrices = _numbers()
    expected = by_torch(mask, torch.tensor(x, dtype=torch.float64), matrices)
    found = torch.tensor(masked(mask)[1], dtype=torch.float64)
    assert torch.allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("mask", [m for _, m in MASKS])
def test_only_two_masks_keep_the_future_out(mask: str) -> None:
    early = [leaks(mask, at)[:at] for at in range(1, T)]
    tight = all(m < 1e-9 for row in early for m in row if not math.isnan(m))
    assert tight == (mask in ("before", "again", "strict"))


@pytest.mark.parametrize("mask", [m for _, m in MASKS])
def test_claim_rows_and_leak_agree(mask: str) -> None:
    for at in range(T):
        page, moved = mask_leak().page(mask=mask, at=at), leaks(mask, at)
        early = sum(m > 1e-9 for m in moved[:at])
        if mask == "strict":
            assert page.title.endswith("the first row is nan")
        elif not at:
            assert "no letter comes before letter 0" in page.title
        elif early:
            assert f"{early} letter" in page.title and "leaks" in page.body
        else:
            assert page.title.endswith("none before it moves")
            assert "leaks" not in page.body


# --- Soft and sharp ---------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_divided_scores_stay_of_one_size(size: int) -> None:
    def spread(divided: bool) -> float:
        return float(dict_of(sharpness(size, divided))["spread"][0])

    assert 0.3 < spread(True) < 2.0
    assert spread(False) == pytest.approx(spread(True) * size**0.5, rel=0.05, abs=0.02)


def test_undivided_the_largest_share_goes_to_one() -> None:
    def largest(size: int, divided: bool) -> float:
        rows = sharpness(size, divided).page().rows[:HEARD]
        return max(float(row[2]) for row in rows)

    assert largest(1024, False) > 0.99 and largest(1024, True) < 0.6
    assert largest(1, False) == largest(1, True)


def dict_of(thing: Explorable, **state: object) -> dict[str, list[str]]:
    return {first: rest for first, *rest in thing.page(**state).rows}


# --- Whom a letter listens to -----------------------------------------------------


def test_the_claim_names_the_largest_share_of_the_row() -> None:
    thing = attention_map(attend, LETTERS, LINE)
    shares_of = attend(LINE)
    for block, head, at in ((0, 0, 26), (1, 2, 7), (0, 1, 3)):
        row = shares_of[block, head, at]
        best = int(row.argmax())
        page = thing.page(head=(block, head), at=at)
        assert page.title.startswith(f"Block {block + 1}, head {head + 1}: ")
        assert f"{100 * row[best]:.0f} %" in page.title
        assert (f"{at - best} back" if best < at else "itself") in page.title
        assert page.rows[0][0] == str(best)
        assert sum(float(r[2]) for r in page.rows) <= 1.006


def test_nobody_is_heard_that_comes_later() -> None:
    thing = attention_map(attend, LETTERS, LINE)
    for at in (0, 5, 20):
        assert all(int(row[0]) <= at for row in thing.page(at=at).rows)
    assert thing.page(at=0).title.endswith("to itself")


def test_a_shorter_text_keeps_the_letter_within_it() -> None:
    page = attention_map(attend, LETTERS, LINE).page(text="a king", at=31)
    assert '"g" gives' in page.title


def test_it_opens_on_a_letter_that_hears_others() -> None:
    thing = attention_map(attend, LETTERS, LINE)
    (block, head), at = thing.state["head"], thing.state["at"]
    heard = attend(LINE)[block, head, at, :at]
    assert at >= len(LINE) // 2 and ((heard >= 0.1) & (heard <= 0.6)).any()
    assert "nobody else" not in thing.page().body


def test_who_hears_nobody_else_is_told_so() -> None:
    page = attention_map(attend, LETTERS, LINE).page(at=0)
    assert "it hears itself, and nobody else" in page.body


@pytest.mark.parametrize(
    ("typed", "said"), [("", "1 to 32"), ("a" * 33, "1 to 32"), ("zoë", "'ë'")]
)
def test_a_text_that_cannot_be_shown_is_told_in_a_sentence(
    typed: str, said: str
) -> None:
    page = attention_map(attend, LETTERS, LINE).page(text=typed)
    assert not page.body and said in page.title and page.title.endswith(".")
    assert not attention_map(attend, LETTERS, typed).page().body


def test_a_text_is_sent_through_the_model_once() -> None:
    asked = []

    def counting(text: str) -> torch.Tensor:
        asked.append(text)
        return attend(text)

    thing = attention_map(counting, LETTERS, LINE)
    for at in range(5):
        thing.page(at=at, head=(1, 1))
    assert asked == [LINE]


# --- Places -----------------------------------------------------------------------


def test_the_cosines_are_pytorchs() -> None:
    points = table().double()
    expected = F.cosine_similarity(points[:, None], points[None], dim=-1)
    found = torch.tensor(cosines(points.tolist()), dtype=torch.float64)
    assert torch.allclose(found, expected, atol=1e-12)
    apart = by_distance(found.tolist(), 3)
    assert apart == pytest.approx(expected.diagonal(3).mean().item())


def test_the_place_most_alike_is_named() -> None:
    alike = F.cosine_similarity(table()[:, None], table()[None], dim=-1)
    alike.fill_diagonal_(-2)
    for at in (0, 9, 31):
        title = position_map(table()).page(at=at).title
        best = int(alike[at].argmax())
        assert title == f"Place {at} is most like place {best}: {alike[at].max():.2f}"


@pytest.mark.parametrize("points", [torch.zeros(2, 4), torch.full((8, 4), math.nan)])
def test_what_is_no_table_of_places_is_told_in_a_sentence(points: torch.Tensor) -> None:
    page = position_map(points).page()
    assert not page.body and page.title.endswith(".")


def test_of_many_places_the_first_are_drawn() -> None:
    assert len(position_map(table(256)).page().rows) == 64


# --- The writer -------------------------------------------------------------------


@pytest.mark.parametrize("top_k", [1, 3, len(LETTERS)])
@pytest.mark.parametrize("temperature", [0.1, 1.0, 2.0])
def test_the_shares_are_a_softmax_of_the_k_largest(
    temperature: float, top_k: int
) -> None:
    logits = next_logits((1, 2)).double()
    least = logits.topk(top_k).values[-1]
    kept = logits.masked_fill(logits < least, -math.inf)
    expected = (kept / temperature).softmax(dim=0)
    found = torch.tensor(shares(logits.tolist(), temperature, top_k))
    assert torch.allclose(found.double(), expected, atol=1e-12)


def test_of_equal_logits_no_more_than_k_are_kept() -> None:
    assert shares([1.0, 1.0, 1.0], 1.0, 2) == [0.5, 0.5, 0.0]


def test_the_k_of_one_writes_the_likeliest_each_time() -> None:
    thing = text_sampler(next_logits, LETTERS, "KING")
    so_far = [LETTERS.index(letter) for letter in "KING"]
    for step in range(1, 6):
        best = int(next_logits(tuple(so_far)).argmax())
        page = thing.page(step=step, top_k=1.0)
        name = {" ": "blank", "\n": "line break"}.get(LETTERS[best], LETTERS[best])
        assert page.title.endswith(f"comes {name}: 100 % of the strip")
        so_far.append(best)


def test_a_step_more_leaves_what_is_written() -> None:
    thing = text_sampler(next_logits, LETTERS, "KING")
    writer = thing.draw.__self__
    long = writer.written(20, 1.0, len(LETTERS))
    assert [w.letter for w in writer.written(12, 1.0, len(LETTERS))] == [
        w.letter for w in long[:12]
    ]
    assert all(w.p[w.letter] > 0 for w in long)


def test_the_model_is_asked_once_for_a_context() -> None:
    asked = []

    def counting(ids: tuple[int, ...]) -> torch.Tensor:
        asked.append(ids)
        return next_logits(ids)

    thing = text_sampler(counting, LETTERS, "KING")
    for step in (10, 9, 10, 3):
        thing.page(step=step)
    assert len(asked) == len(set(asked)) == 10


@pytest.mark.parametrize("begin", ["", "KING!"])
def test_a_beginning_that_the_model_cannot_read_is_told(begin: str) -> None:
    page = text_sampler(next_logits, LETTERS, begin).page()
    assert not page.body and page.title.endswith(".")


@pytest.mark.parametrize(
    "logits", [torch.zeros(5), torch.full((len(LETTERS),), math.nan)]
)
def test_logits_that_cannot_be_drawn_from_are_told(logits: torch.Tensor) -> None:
    page = text_sampler(lambda ids: logits, LETTERS, "KING").page()
    assert not page.body and page.title.endswith(".")


# --- Sizes ------------------------------------------------------------------------

PUBLISHED = {
    "the video's notebook": 209_729,
    "the end of the video": 10_788_929,
    "GPT-2, the smallest": 124_439_808,
    "GPT-2 medium": 354_823_168,
    "GPT-2 large": 774_030_080,
    "GPT-2 XL": 1_557_611_200,
}


@pytest.mark.parametrize("config", KNOWN)
def test_the_parameters_are_those_that_were_published(config: tuple) -> None:
    total = sum(parameters(*config).values())
    assert total == PUBLISHED[KNOWN[config]]
    page = model_size(*config[:2]).page(reading=config[2])
    assert f"{total:,}" in page.title and KNOWN[config] in page.title


def test_the_operations_are_twice_the_matrices_and_the_scores() -> None:
    """Counted by PyTorch over a block's products, for one letter of a context."""
    from torch.utils.flop_counter import FlopCounterMode

    C, length = 64, READINGS[0].context
    layer = torch.nn.Linear
    qkv, proj, up, down = (
        layer(C, 3 * C), layer(C, C), layer(C, 4 * C), layer(4 * C, C),
    )  # fmt: skip
    x = torch.randn(1, length, C)
    with FlopCounterMode(display=False) as counter:
        q, k, v = qkv(x).split(C, dim=-1)
        down(up(proj((q @ k.transpose(1, 2)) @ v)))
    expected = counter.get_total_flops() / length
    work = operations(1, C, READINGS[0])
    assert sum(work.values()) - work["lm_head"] == expected
