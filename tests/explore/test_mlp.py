"""Lesson 3's explorables: what they show is what the lesson's tensors would be."""

import math
import random
from itertools import combinations
from xml.etree import ElementTree

import pytest
import torch
from walking import quickest

from workbook.explore import (
    capacity,
    context_window,
    letter_map,
    lr_range,
    record_letters,
    storage,
)
from workbook.explore.base import Explorable
from workbook.explore.letters import GAP, apart, nearest_two
from workbook.explore.page import Refused
from workbook.explore.strides import CannotView, apply, fresh, shape_of
from workbook.explore.svg import Panel

EXPONENTS = torch.linspace(-3, 0.5, 200)
ROWS = [
    (2, 10, 2.9, 2.9),
    (2, 99, 2.8, 2.8),
    (20, 10, 2.7, 2.71),
    (20, 99, 2.4, 2.45),
    (200, 10, 2.6, 2.65),
    (200, 99, 1.9, 2.9),
]


def basin() -> torch.Tensor:
    """Losses with their lowest place at an exponent of -1."""
    return 2.5 + (EXPONENTS + 1) ** 2


def frames() -> list:
    generator = torch.Generator().manual_seed(1)
    C = torch.randn(27, 2, generator=generator)
    return [record_letters(C / (1 + s), 100 * s, 3.0 - s / 2) for s in range(4)]


def every_one() -> dict[str, Explorable]:
    return {
        "window": context_window(),
        "storage": storage(),
        "range": lr_range(EXPONENTS, basin()),
        "capacity": capacity(ROWS),
        "letters": letter_map(frames()),
    }


# --- All of them ------------------------------------------------------------------


@pytest.mark.parametrize("name", every_one())
def test_it_is_well_formed_and_has_a_table_and_a_place_to_look(name: str) -> None:
    thing = every_one()[name]
    for page in (thing.page(), thing.page(**thing.still)):
        root = ElementTree.fromstring(page.svg())
        assert page.rows and page.look and len(page.title) <= 72
        assert root.attrib["role"] == "img"
        assert all(len(row) == len(page.header) for row in page.rows)


@pytest.mark.parametrize("name", every_one())
def test_it_answers_within_a_tenth_of_a_second(name: str) -> None:
    assert quickest(every_one()[name]) < 0.1


# --- The window -------------------------------------------------------------------


def test_the_window_s_examples_are_those_of_the_lesson() -> None:
    rows = context_window("emma").page(at=4).rows
    assert [row[0] + row[2] for row in rows] == ["...e", "..em", ".emm", "emma", "mma."]
    assert rows[1] == ("..e", "[0, 0, 5]", "m", "13")


def test_examples_appear_one_by_one_and_then_all_are_there() -> None:
    window = context_window("ava")
    assert len(window.page(at=0).rows) == 1
    assert window.page(at=0).title == 'Example 1 of 4: after "..." comes "a"'
    assert window.page(at=20).title.startswith('"ava" makes 4 examples')


def test_the_block_size_is_the_number_of_letters_seen() -> None:
    for block in range(1, 9):
        contexts = [r[0] for r in context_window("emma", block).page(at=9).rows]
        assert {len(context) for context in contexts} == {block}
        assert contexts[0] == "." * block


@pytest.mark.parametrize("typed", ["", "o'neil", "zoë", "a" * 21])
def test_a_name_that_cannot_be_shown_is_told_in_a_sentence(typed: str) -> None:
    page = context_window().page(word=typed)
    assert not page.body and page.title.endswith(".")


def test_a_name_may_be_typed_in_capitals_and_with_blanks() -> None:
    assert "4 examples" in context_window().page(word=" Ava ", at=20).title


# --- Memory -----------------------------------------------------------------------


def chain(rng: random.Random, x: torch.Tensor) -> tuple[str, torch.Tensor | None]:
    """A few random operations as text, and what PyTorch makes of them."""
    code, found = "x", x
    for _ in range(rng.randint(1, 3)):
        dims = found.dim()
        a, b = (rng.randrange(dims) for _ in "ab") if dims else (0, 0)
        order = ", ".join(map(str, rng.sample(range(dims), dims)))
        divisors = [k for k in range(1, 99) if found.numel() % k == 0]
        k = rng.choice(divisors)
        steps = [f".view({k}, -1)", f".reshape(-1, {k})", ".contiguous()", ".squeeze()"]
        steps += [f".unsqueeze({rng.randint(0, dims)})", ".T", "[None]", ".view(-1)"]
        if dims:
            steps += [f".transpose({a}, {b})", f".flatten({min(a, b)}, {max(a, b)})"]
            steps += [f".permute({order})", "[..., 1:]", "[::2]", "[-1]"]
            steps += [f".expand(2{', -1' * dims})"]
        code += rng.choice(steps)
        try:
            found = eval(code, {"x": x})
        except (RuntimeError, IndexError):
            return code, None
    return code, found


@pytest.mark.filterwarnings("ignore:Tensor.T is deprecated", "ignore:The use of")
def test_shapes_strides_offsets_and_numbers_are_pytorch_s() -> None:
    rng, failed = random.Random(3), 0
    for _ in range(600):
        shape = tuple(rng.choice([1, 2, 3, 4]) for _ in range(rng.randint(1, 4)))
        x = torch.arange(torch.Size(shape).numel()).reshape(shape)
        code, theirs = chain(rng, x)
        try:
            ours = apply(fresh(shape), code)
        except Refused:
            assert theirs is None, (shape, code)
            failed += 1
            continue
        assert theirs is not None, (shape, code)
        assert ours.shape == tuple(theirs.shape), (shape, code)
        if theirs.numel():
            assert ours.strides == theirs.stride(), (shape, code)
            assert ours.offset == theirs.storage_offset(), (shape, code)
            same = theirs.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
            assert same == (not ours.copies), (shape, code)
        assert ours.contiguous == theirs.is_contiguous(), (shape, code)
        numbers = [ours.content(cell) for cell in ours.walk(10**6)]
        assert numbers == theirs.flatten().tolist(), (shape, code)
    assert failed > 5


def test_view_refuses_where_reshape_copies() -> None:
    turned = storage((4, 3, 2)).set(offered="x.transpose(0, 1).view(-1)").page()
    assert turned.title.startswith("view fails") and "reshape" in turned.look
    steps = [row[2] for row in turned.rows]
    assert steps[:9] == ["", "+1", "+5", "+1", "+5", "+1", "+5", "+1", "-17"]
    copy = storage((4, 3, 2), "x.transpose(0, 1).reshape(-1)").page()
    assert copy.title == "A copy of shape (24,): 24 numbers moved"
    assert ("memory", "its own", "its own") in copy.rows


def test_the_newer_of_a_button_and_a_line_counts() -> None:
    memory = storage((4, 3, 2))
    memory.state["typed"] = "x.view(4, 6)"
    assert memory.page().title.startswith("A view: shape (4, 6)")
    assert memory.state["offered"] is None
    memory.state["offered"] = "x.transpose(0, 1)"
    assert memory.page().title.startswith("A view: shape (3, 4, 2)")
    assert memory.state["typed"] == ""
    memory.state["typed"] = "x.view(-1)"
    memory.state["typed"] = ""
    assert memory.state["offered"] == "x"
    typed = memory.set(typed="x.view(4, 6)").set(offered="x[:, 1]")
    assert typed.page().title.startswith("A view: shape (4, 2)")


def test_a_view_moves_nothing() -> None:
    page = storage("4 x 3 x 2", "x.view(-1, 6)").page()
    assert page.title == "A view: shape (4, 6), strides (6, 1), nothing moved"
    assert ("memory", "its own", "that of x") in page.rows


def test_a_tensor_of_one_s_own_shows_its_strides_and_offset() -> None:
    mine = torch.zeros(5, 4)[1:, ::2].T
    told = {name: x for name, x, _ in storage(mine).page().rows}
    assert told["shape"] == "(2, 4)" and told["strides"] == "(2, 4)"
    assert told["offset"] == "4" and told["contiguous"] == "no"


@pytest.mark.parametrize("typed", ["7", "2,3", "(32, 3, 2)", "2x2x2x2", "200000 3", ""])
def test_any_shape_is_answered(typed: str) -> None:
    for operation in ("x", "x.view(-1)", "x[None]"):
        page = storage().page(shape=typed, typed=operation)
        ElementTree.fromstring(page.svg())
        assert len(page.svg()) < 200_000


@pytest.mark.parametrize(
    "shape, typed",
    [
        ("four", "x"),
        ("2, -3", "x"),
        ("9 9 9 9 9 9 9", "x"),
        ("99999999999", "x"),
        ("4, 3", "x.view(5, -1)"),
        ("4, 3", "x.view(-1, -1)"),
        ("4, 3", "x.transpose(0)"),
        ("4, 3", "x.transpose(0, 2)"),
        ("4, 3", "x.permute(0, 0)"),
        ("4, 3", "x[4]"),
        ("4, 3", "x[0, 0, 0]"),
        ("4, 3", "x[::-1]"),
        ("4, 3", "x[[0, 2]]"),
        ("4, 3", "x.view("),
        ("4, 3", "x.view(n)"),
        ("4, 3", "x.view(2.0, 6)"),
        ("4, 3", "x['a']"),
        ("4, 3", "x[1:'a']"),
        ("4, 3", "x.sum()"),
        ("4, 3", "y.view(12)"),
        ("4, 3", "x + 1"),
        ("4, 3", "__import__('os')"),
        ("4, 3", "x.expand(8, 3)"),
    ],
)
def test_wrong_input_is_told_in_a_sentence(shape: str, typed: str) -> None:
    page = storage().page(shape=shape, typed=typed)
    assert not page.body and page.title.endswith(".")
    assert len(page.title) < 130


def test_shapes_are_read_as_people_write_them() -> None:
    for typed in ("4, 3, 2", "(4, 3, 2)", "4 3 2", "4x3x2", "[4,3,2]", "4, 3, 2,"):
        assert shape_of(typed) == (4, 3, 2)


def test_the_failure_knows_the_shape_that_was_asked_for() -> None:
    with pytest.raises(CannotView) as caught:
        apply(fresh((2, 3)), "x.T.view(-1)")
    assert caught.value.shape == (6,) and caught.value.tensor.strides == (1, 3)


# --- The learning rate ------------------------------------------------------------


def test_the_pointer_reads_off_too_small_the_valley_and_too_large() -> None:
    test = lr_range(EXPONENTS, basin())
    claims = [test.page(exponent=e).title for e in (-2.5, -1.0, 0.3)]
    assert "too small" in claims[0] and "too large" in claims[2]
    assert claims[1] == "Learning rate 0.1: in the valley"
    assert test.still["exponent"] == pytest.approx(-1, abs=0.1)


def test_losses_that_blow_up_are_no_valley() -> None:
    losses = basin()
    losses[150:160], losses[160:] = float("inf"), float("nan")
    test = lr_range(EXPONENTS, losses)
    ElementTree.fromstring(test.page().svg())
    assert test.still["exponent"] == pytest.approx(-1, abs=0.1)


@pytest.mark.parametrize("count", [0, 5])
def test_too_few_losses_are_told_in_a_sentence(count: int) -> None:
    assert "at least 20" in lr_range(EXPONENTS[:count], basin()[:count]).page().title
    assert "equally many" in lr_range(EXPONENTS, [1.0, 2.0]).page().title


# --- Size -------------------------------------------------------------------------


def test_each_kind_of_bad_has_its_name() -> None:
    fits = capacity(ROWS)

    def claim(size: int, when: int) -> str:
        return fits.page(chosen=size, when=when).title

    assert claim(2, 1) == "2 hidden neurons after 99 steps: too small"
    assert claim(20, 0).endswith("not yet trained")
    assert claim(20, 1).endswith("the lowest on dev")
    assert claim(200, 1).endswith("overfitted by 1.00")


def test_the_size_that_is_best_on_dev_is_never_called_overfitted() -> None:
    rows = [(3, 9, 2.5, 2.6), (15, 9, 2.3, 2.5), (60, 9, 2.2, 2.7), (99, 9, 2.6, 2.62)]
    claims = [capacity(rows).page(chosen=n).title for n in (3, 15, 60, 99)]
    words = ("too small", "the lowest on dev", "overfitted by 0.50", "too large")
    assert [claim.split(": ")[1] for claim in claims] == list(words)


def test_losses_at_one_step_need_no_second_control() -> None:
    fits = capacity({3: (2.5, 2.52), 30: (2.2, 2.25)})
    assert [control.name for control in fits.controls] == ["chosen"]
    assert fits.page(chosen=3).title == "3 hidden neurons: too small"
    assert "nothing measured" in capacity([]).page().title


# --- Letters ----------------------------------------------------------------------


def test_a_frame_is_plain_numbers_and_the_table_names_the_nearest() -> None:
    frame = record_letters(torch.eye(3)[:, :2], 7, torch.tensor(2.5))
    assert frame.points == ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0)) and frame.loss == 2.5
    page = letter_map([frame], ".ab").page()
    assert [row[3] for row in page.rows] == ["b, a", "b, .", "., a"]


def test_the_title_counts_vowels_that_stand_beside_one() -> None:
    points = [(float(i), 0.0) for i in range(27)]  # all in a row: none beside another
    title = letter_map([record_letters(points), record_letters(points)]).page().title
    assert title == "Step 0: 0 of 5 vowels have one among their two nearest"
    for i, letter in enumerate("aei"):
        points[ord(letter) - 96] = (50.0, float(i))
    title = letter_map([record_letters(points), record_letters(points)]).page().title
    assert title == "Step 0: 3 of 5 vowels have one among their two nearest"
    assert nearest_two([(0.0, 0.0), (0.0, 1.0), (9.0, 0.0)]) == [[1, 2], [0, 2], [0, 1]]


def test_letters_on_one_heap_can_all_be_read() -> None:
    panel = Panel(0, 0, 400, 300, (0, 1), (0, 1))
    heap = [(200.0, 150.0)] * 15 + [(20.0, 20.0)]
    labels = apart(heap, GAP, panel)
    gaps = [math.dist(p, q) for p, q in combinations(labels, 2)]
    assert min(gaps) > 0.8 * GAP and labels[-1] == pytest.approx((20, 20), abs=1.5)


def test_one_table_is_drawn_as_it_is_and_a_dict_may_name_the_letters() -> None:
    names = dict(enumerate(".abcdefghijklmnopqrstuvwxyz"))
    page = letter_map(torch.randn(27, 10), names).page()
    assert page.title == "Each letter stands at its two numbers"


def test_frames_that_cannot_be_drawn_are_told_in_a_sentence() -> None:
    assert "at least one" in letter_map([]).page().title
    assert "27 points" in letter_map([record_letters(torch.zeros(3, 2))]).page().title
    blown = torch.full((27, 2), float("nan"))
    assert "blew up" in letter_map([record_letters(blown)]).page().title
