"""Lesson 4's explorables: what they show is what the lesson's tensors would be."""

import math
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor
from walking import quickest

from workbook.course import lesson
from workbook.explore import (
    batch_jitter,
    layer_histograms,
    one_outlier,
    saturation_image,
    update_ratios,
)
from workbook.explore.base import Explorable
from workbook.explore.jitter import SIZES

BENDS = {"tanh": torch.tanh, "ReLU": torch.relu, "linear": lambda x: x}
FIVE = torch.tensor([[-1.0], [0.0], [1.0], [2.0], [3.0]])


def pre() -> Tensor:
    g = torch.Generator().manual_seed(1)
    return 5 * torch.randn(40, 30, generator=g)


def push(depth: int, gain: float, bend: str) -> list[Tensor]:
    g = torch.Generator().manual_seed(1)
    x, outs = torch.randn(64, 50, generator=g, requires_grad=True), []
    for _ in range(depth):
        x = BENDS[bend](x @ torch.randn(50, 50, generator=g) * gain / 50**0.5)
        x.retain_grad()
        outs.append(x)
    x.backward(torch.randn(x.shape, generator=g))
    return outs


def standardise(x: Tensor) -> Tensor:
    return (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()


def runs() -> dict[float, list]:
    return {
        lr: [
            (
                step,
                3.3 - lr / 2,
                {"layer 1": math.log10(lr) - 2, "layer 2": math.log10(lr) - 1},
            )
            for step in range(0, 50, 10)
        ]
        for lr in (0.0001, 0.1, 10.0)
    }


def every_one() -> dict[str, Explorable]:
    return {
        "saturation": saturation_image(pre()),
        "layers": layer_histograms(push),
        "outlier": one_outlier(FIVE, standardise),
        "jitter": batch_jitter(torch.linspace(-3, 5, 300), example=7),
        "updates": update_ratios(runs()),
    }


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These matrices are too small to be shared out."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# --- All of them ------------------------------------------------------------------


def states(name: str) -> list[dict]:
    return {
        "saturation": [
            {"bend": bend, "scale": scale, "shift": shift}
            for bend in ("tanh", "sigmoid", "ReLU")
            for scale, shift in ((0.03, 0.0), (1.0, -12.0), (10.0, 12.0))
        ],
        "layers": [
            {"bend": bend, "gain": gain, "depth": depth}
            for bend in BENDS
            for gain, depth in ((0.2, 20.0), (1.0, 2.0), (3.0, 20.0))
        ],
        "outlier": [{"last": -30.0}, {"last": 0.0}, {"last": 30.0}],
        "jitter": [{"size": 2}, {"size": 2**SIZES}],
        "updates": [{"lr": 0.0001}, {"lr": 10.0}],
    }[name]


@pytest.mark.parametrize("name", every_one())
def test_every_state_is_well_formed_with_a_claim_a_table_and_a_place_to_look(
    name: str,
) -> None:
    thing = every_one()[name]
    for state in ({}, thing.still, *states(name)):
        page = thing.page(**state)
        root = ElementTree.fromstring(page.svg())
        assert page.rows and page.look and 0 < len(page.title) <= 72, page.title
        assert root.attrib["role"] == "img"
        assert all(len(row) == len(page.header) for row in page.rows)
        assert not re.search(r'[ "M](nan|-?inf)\b', page.svg())


@pytest.mark.parametrize("name", every_one())
def test_it_answers_within_a_tenth_of_a_second(name: str) -> None:
    assert quickest(every_one()[name]) < 0.1


@pytest.mark.parametrize(
    "offered, words",
    [
        (lambda: saturation_image(torch.zeros(3)), "a shape (N, H)"),
        (lambda: saturation_image(torch.tensor([[math.nan]])), "not finite"),
        (lambda: one_outlier(FIVE[:1], standardise), "One number alone"),
        (lambda: batch_jitter(torch.zeros(5)), "finite numbers"),
        (lambda: batch_jitter(torch.zeros(500)), "nothing to normalise"),
        (lambda: update_ratios({}), "at least two steps"),
        (lambda: layer_histograms(lambda *_: []), "No layer gave an output"),
        (lambda: layer_histograms(lambda *_: [torch.zeros(2, 2)]), "has no gradient"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_a_sentence(offered, words: str) -> None:
    page = offered().page()
    assert words in page.title and not page.body


# --- What sticks ------------------------------------------------------------------


def test_the_image_counts_what_a_tensor_would() -> None:
    inputs = pre()[:32]
    image = saturation_image(inputs)
    for scale, shift in ((1.0, 0.0), (0.3, -1.5), (10.0, 4.0)):
        told = dict(image.page(scale=scale, shift=shift, bend="tanh").rows)
        stuck = torch.tanh(scale * inputs + shift).abs() > 0.97
        share = float(told["saturated"].rstrip(" %"))
        assert share == pytest.approx(100 * stuck.float().mean().item(), abs=0.51)
        assert told["stuck for all examples"] == f"{stuck.all(0).sum()} of 30 units"


def test_a_relu_pushed_down_dies_and_pushed_up_never_is_zero() -> None:
    image = saturation_image(torch.tensor([[-1.0, 1.0], [-2.0, 3.0]]))
    claim = "ReLU: {} % of the outputs zero, {} of 2 units dead"
    assert image.page(bend="ReLU").title == claim.format(50, 1)
    assert image.page(bend="ReLU", shift=-12.0).title == claim.format(100, 2)
    assert image.page(bend="ReLU", shift=12.0).title == claim.format(0, 0)


# --- What fades -------------------------------------------------------------------


def test_the_rows_are_the_spreads_of_outputs_and_gradients() -> None:
    rows = layer_histograms(push).page(gain=1.0, depth=4.0, bend="tanh").rows
    for row, out in zip(rows, push(4, 1.0, "tanh"), strict=True):
        assert float(row[1]) == pytest.approx(out.std().item(), rel=0.01)
        assert float(row[3]) == pytest.approx(out.grad.std().item(), rel=0.05)


def test_the_claim_follows_the_signal_in_both_directions() -> None:
    layers = layer_histograms(push)
    said = layers.page(gain=0.5, depth=9.0, bend="linear").title
    assert said.count("fades (×") == 2
    assert layers.page(gain=2.0, depth=9.0, bend="linear").title.count("grows") == 2
    assert layers.page(gain=1.0, depth=9.0, bend="linear").title.count("keeps") == 2
    assert "forward it saturates" in layers.page(gain=3.0, bend="tanh").title


def test_one_function_alone_needs_no_buttons() -> None:
    thing = layer_histograms(push, ["tanh"])
    assert [control.name for control in thing.controls] == ["gain", "depth"]
    assert thing.page().title.startswith("tanh, gain 1.00")


# --- What a batch does to a number ------------------------------------------------


def test_an_outlier_presses_the_others_together() -> None:
    thing = one_outlier(FIVE, standardise)
    page = thing.page(last=24.0)
    moved = FIVE.clone()
    moved[-1] = 24.0
    theirs = standardise(moved)[:, 0].tolist()
    assert [float(row[2]) for row in page.rows] == pytest.approx(theirs, abs=1e-3)
    width = theirs[3] - theirs[0]
    assert page.title.startswith("The last at 24: the other 4 lie within")
    assert f"{width:.2f}" in page.title
    assert FIVE[-1].item() == 3.0  # the learner's numbers stay as they are


def test_the_jitter_shrinks_with_the_batch_and_two_can_only_be_apart() -> None:
    rows = batch_jitter(torch.linspace(-3, 5, 300), example=7).page().rows
    stds = [float(row[4]) for row in rows]
    assert stds[-1] < stds[3] / 2
    assert [float(rows[0][1]), float(rows[0][3])] == pytest.approx([-1, 1], abs=0.05)
    assert [row[0] for row in rows][:3] == ["2", "4", "8 (drawn)"]


# --- The updates ------------------------------------------------------------------


def test_a_rate_is_placed_by_where_its_lines_end() -> None:
    updates = update_ratios(runs())
    assert "below the band, near -5.5" in updates.page(lr=0.0001).title
    assert "within the band, near -2.5" in updates.page(lr=0.1).title
    assert "above the band, near -0.5" in updates.page(lr=10.0).title
    assert updates.page(lr=0.1).rows[0][:2] == ("layer 1", "-3.00")


def test_a_ratio_that_is_nothing_leaves_a_gap() -> None:
    broken = {0.1: [(0, 3.0, {"a": -3.0}), (1, math.nan, {"a": math.nan})]}
    page = update_ratios(broken | {1.0: [(0, 3.0, {"a": -2.0}), (1, 2.0, {"a": -2.0})]})
    ElementTree.fromstring(page.page(lr=0.1).svg())
    assert "out of bounds" in page.page(lr=0.1).title


# --- The ledger -------------------------------------------------------------------


def test_the_lecture_s_published_losses_are_those_of_the_course() -> None:
    """Typed in the lecture to three decimals; their home is course.toml."""
    lecture = lesson("batchnorm").lecture_source.read_text("utf-8")
    typed = dict(re.findall(r'"([\w ]+)": (2\.\d+)', lecture))
    home = {
        row.id.removeprefix("batchnorm."): row.value
        for row in lesson("batchnorm").results
    }
    names = {
        "original": "original_dev",
        "softmax fix": "softmax_fix_dev",
        "tanh fix": "tanh_fix_dev",
        "Kaiming": "kaiming_dev",
        "BatchNorm": "batchnorm_dev",
        "six layers": "deep_dev",
    }
    assert {n: float(x) for n, x in typed.items()} == {
        n: pytest.approx(home[id], abs=5.1e-4) for n, id in names.items()
    }
