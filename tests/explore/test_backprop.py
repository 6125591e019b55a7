"""Lesson 5's explorables: their gradients are autograd's, and what they say is so."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import torch
import torch.nn.functional as F
from walking import quickest

from workbook.explore import backprop_tape, batchnorm_gradient, copy_and_sum, forces
from workbook.explore.backprop import COPIES
from workbook.explore.base import Explorable
from workbook.explore.tape import LINES, SLIPS, STRIKES, WAY, backwards

N, V, E, H = 12, 7, 4, 9  # examples, letters, numbers of a point, neurons
Steps = dict[str, torch.Tensor]


def network(divisor: int = N, dtype: torch.dtype = torch.float64, dims: int = 1):
    """A forward pass as the lesson cuts it up, with autograd's gradients kept."""
    g = torch.Generator().manual_seed(3)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=g, dtype=torch.float64).to(dtype)

    wide = (1, H) if dims == 2 else (H,)
    s: Steps = {
        "C": draw(V, E), "W1": draw(3 * E, H) / 3, "b1": draw(*wide),
        "bngain": 1 + draw(*wide) / 5, "bnbias": draw(*wide) / 5,
        "W2": draw(H, V) / 3, "b2": draw(V),
    }  # fmt: skip
    for p in s.values():
        p.requires_grad = True
    X, Y = (torch.randint(V, size, generator=g) for size in ((N, 3), (N,)))
    s["emb"] = s["C"][X]
    s["embcat"] = s["emb"].view(N, -1)
    s["hprebn"] = s["embcat"] @ s["W1"] + s["b1"]
    s["bnmean"] = s["hprebn"].mean(0, keepdim=True)
    s["bndiff"] = s["hprebn"] - s["bnmean"]
    s["bndiff2"] = s["bndiff"] ** 2
    s["bnvar"] = s["bndiff2"].sum(0, keepdim=True) / divisor
    s["bnvar_inv"] = (s["bnvar"] + 1e-5) ** -0.5
    s["bnraw"] = s["bndiff"] * s["bnvar_inv"]
    s["hpreact"] = s["bngain"] * s["bnraw"] + s["bnbias"]
    s["h"] = s["hpreact"].tanh()
    s["logits"] = s["h"] @ s["W2"] + s["b2"]
    s["logit_maxes"] = s["logits"].max(1, keepdim=True).values
    s["norm_logits"] = s["logits"] - s["logit_maxes"]
    s["counts"] = s["norm_logits"].exp()
    s["counts_sum"] = s["counts"].sum(1, keepdim=True)
    s["counts_sum_inv"] = s["counts_sum"] ** -1
    s["probs"] = s["counts"] * s["counts_sum_inv"]
    s["logprobs"] = s["probs"].log()
    for each in s.values():
        each.retain_grad()
    (-s["logprobs"][range(N), Y].mean()).backward()
    return s, X, Y


def true_ones(steps: Steps) -> Steps:
    return {name: steps[name].grad.clone() for name in WAY}


def every_one() -> dict[str, Explorable]:
    steps, X, Y = network()
    scores = steps["logits"]
    return {
        "tape": backprop_tape(steps, X, Y),
        "tape of ours": backprop_tape(steps, X, Y, true_ones(steps)),
        "copies": copy_and_sum(),
        "forces": forces(scores, Y, ".abcdef"),
        "batchnorm": batchnorm_gradient(steps["hprebn"][:, 0]),
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


def test_each_answers_within_a_tenth_of_a_second() -> None:
    for name, thing in every_one().items():
        assert quickest(thing) < 0.1, name


# --- The tape ---------------------------------------------------------------------


@pytest.mark.parametrize("divisor", [N, N - 1])
@pytest.mark.parametrize("dims", [1, 2])
def test_its_own_way_back_is_autograd_s_for_both_variances(divisor, dims) -> None:
    steps, X, Y = network(divisor, dims=dims)
    found = backwards({n: steps[n].detach() for n in WAY}, X, Y)
    assert found.keys() == WAY.keys()
    for name, gradient in found.items():
        true = steps[name].grad
        assert gradient.shape == true.shape, name
        off = (gradient - true).abs().max().item()
        assert off <= 1e-12 * max(true.abs().max().item(), 1e-3), name


def test_right_gradients_are_right_and_the_two_zeros_are_named() -> None:
    for dtype in (torch.float64, torch.float32):
        steps, X, Y = network(dtype=dtype)
        ours = backwards({n: steps[n].detach() for n in WAY}, X, Y)
        last = backprop_tape(steps, X, Y, ours).page(at=len(WAY) - 1)
        said = {name: words for name, _, _, words in last.rows}
        zeros = {name for name, words in said.items() if words == "zero in truth"}
        assert zeros == {"logit_maxes", "b1"}
        assert {said[name] for name in said.keys() - zeros} == {"right"}


@pytest.mark.parametrize("slip", STRIKES)
def test_a_slip_spoils_what_lies_behind_it_and_nothing_before(slip: str) -> None:
    steps, X, Y = network()
    tape = backprop_tape(steps, X, Y)
    page = tape.page(at=len(WAY) - 1, slip=slip)
    wrong = [row[0] for row in page.rows if row[3].startswith(("off", "not"))]
    feeds = {one: [b for a, b in LINES if a == one] for one, _ in LINES}

    def reached(name: str) -> bool:  # from the slip's tensor, against the arrows
        return name == STRIKES[slip] or any(map(reached, feeds.get(name, [])))

    if slip == "max":
        assert wrong == [] and "cannot be seen" in page.look
        return
    zero = {"logit_maxes", "b1"}
    expected = [name for name in WAY if reached(name) and name not in zero]
    if slip in ("bias", "table"):
        assert "nothing lies behind a parameter" in page.look
        expected = [STRIKES[slip]]
    if slip == "bndiff":  # what is forgotten there adds up to zero over the examples
        expected.remove("bnmean")
    # what a slip sends on may break a sum that should be zero, and need not
    assert [name for name in wrong if name not in zero] == expected


def test_each_button_plants_a_slip_that_is_known() -> None:
    assert [slip for _, slip in SLIPS] == ["", *STRIKES]


def test_a_gradient_of_the_learner_s_is_judged_in_words() -> None:
    steps, X, Y = network()
    ours = true_ones(steps)
    ours["h"] = 1.25 * ours["h"]
    ours["bnmean"] = ours["bnmean"][0]
    ours["b1"] = ours["b1"] + 0.5
    ours["W1"][0, 0] = float("nan")
    del ours["C"]
    tape = backprop_tape(steps, X, Y, ours)
    said = {row[0]: row[3] for row in tape.page(at=len(WAY) - 1).rows}
    assert said["logits"] == "right" and said["h"] == "off by 25 %"
    assert said["bnmean"] == f"shape ({H},), not (1, {H})"
    assert said["b1"] == "not zero, and should be"
    assert said["W1"] == "not a number somewhere" and said["C"] == "not there yet"
    for at in range(len(WAY)):
        ElementTree.fromstring(tape.page(at=at).svg())
    assert tape.page(at=8).title == "9 of 26, h: off by 25 %"


def test_title_table_and_sentence_agree_in_every_state() -> None:
    steps, X, Y = network()
    for ours in (None, true_ones(steps)):
        tape = backprop_tape(steps, X, Y, ours)
        for at in range(len(WAY)):
            for _, slip in SLIPS:
                page = tape.page(at=at, slip=slip)
                name, *_, words = page.rows[-1]
                assert page.title.startswith(f"{at + 1} of {len(WAY)}, {name}: ")
                kept = ours is None and not slip
                assert page.title.endswith("autograd kept" if kept else words)
                assert len(page.title) <= 72


def test_what_cannot_be_walked_back_is_told_in_a_sentence() -> None:
    steps, X, Y = network()
    without = {name: t for name, t in steps.items() if name != "bnraw"}
    assert "needs bnraw" in backprop_tape(without, X, Y).page().title
    bare = steps | {"counts": steps["counts"].detach()}
    assert "retain_grad" in backprop_tape(bare, X, Y).page().title


# --- Copies and sums --------------------------------------------------------------


@pytest.mark.parametrize("operation", COPIES)
@pytest.mark.parametrize("rows, columns", [(4, 3), (1, 5), (5, 1), (1, 1)])
def test_the_way_back_is_autograd_s(operation: str, rows: int, columns: int) -> None:
    page = copy_and_sum(rows, columns, operation).page()
    small, big, dsmall, dbig = (torch.tensor(eval(row[2])) for row in page.rows)
    shape = eval(page.rows[0][1])
    if operation.startswith("x +"):
        b = small.double().reshape(shape).requires_grad_()
        y = b + torch.zeros(rows, columns, dtype=torch.float64)
        assert torch.equal(y.long(), big)
        y.backward(dbig.double())
        assert torch.equal(b.grad.long().flatten(), dsmall.flatten())
    else:
        x = big.double().requires_grad_()
        s = eval(operation)
        assert tuple(s.shape) == shape
        assert torch.equal(s.long().flatten(), small.flatten())
        s.backward(dsmall.double().reshape(shape))
        assert torch.equal(x.grad.long(), dbig)


def test_the_claim_counts_the_copies() -> None:
    assert "copied 4 times: db adds up 4" in copy_and_sum(4, 3).page().title
    summed = copy_and_sum(2, 5, "x.sum(1, keepdim=True)").page()
    assert summed.title == "Each number of s adds up 5: dx copies each 5 times"
    assert "Nothing is copied" in copy_and_sum(1, 4).page().title


# --- Pulls ------------------------------------------------------------------------


def test_the_pulls_are_autograd_s_gradient_of_one_example_and_cancel() -> None:
    steps, _, Y = network()
    scores = steps["logits"].detach().requires_grad_()
    F.cross_entropy(scores, Y, reduction="sum").backward()
    for example in (0, 5, N - 1):
        page = forces(steps["logits"], Y, ".abcdef").page(example=example)
        shown = [float(row[2]) for row in page.rows]
        assert shown == pytest.approx(scores.grad[example].tolist(), abs=6e-4)
        assert sum(shown) == pytest.approx(0, abs=4e-3)
        assert page.title[1] == ".abcdef"[Y[example]]


def test_steps_along_the_pulls_raise_the_letter_that_came() -> None:
    _, _, Y = network()
    picture = forces(torch.zeros(N, V), Y, dict(enumerate(".abcdef")))
    came = [float(picture.page(taken=t).rows[Y[0]][1]) for t in range(21)]
    assert came[0] == pytest.approx(1 / V, abs=1e-3)
    assert came == sorted(came) and came[-1] > 0.9
    assert picture.page(taken=1).title.startswith("After 1 step: ")


def test_scores_that_cannot_be_shown_are_told_in_a_sentence() -> None:
    Y = torch.zeros(2, dtype=torch.long)
    assert "27" in forces(torch.zeros(2, 3), Y).page().title
    assert "letter that came" in forces(torch.zeros(3, 27), Y).page().title
    blown = torch.full((2, 27), float("nan"))
    assert "not finite" in forces(blown, Y).page().title


# --- BatchNorm --------------------------------------------------------------------


def goes_on(page) -> list[float]:
    return [float(row[2]) for row in page.rows]


def test_what_goes_on_is_autograd_s_gradient_times_the_spread() -> None:
    values = torch.tensor([0.3, -1.2, 2.5, 0.9, -0.4], dtype=torch.float64)
    picture = batchnorm_gradient(values, pulled=3)
    page = picture.page(one=1.0, alike=0.3, tilt=-0.7)
    x = values.sort().values.requires_grad_()
    raw = (x - x.mean()) / x.var(unbiased=False).sqrt()
    back = torch.tensor([float(row[1]) for row in page.rows], dtype=torch.float64)
    raw.backward(back)
    spread = x.detach().var(unbiased=False).sqrt()
    assert goes_on(page) == pytest.approx((x.grad * spread).tolist(), abs=0.02)


def test_a_shift_and_a_tilt_never_get_through() -> None:
    picture = batchnorm_gradient()
    plain = goes_on(picture.page(one=1.0))
    for alike in (-1.0, 0.4):
        for tilt in (-0.6, 1.0):
            moved = picture.page(one=1.0, alike=alike, tilt=tilt)
            assert goes_on(moved) == plain
            still = picture.page(one=0.0, alike=alike, tilt=tilt)
            assert set(goes_on(still)) == {0.0}
            assert still.title.endswith("nothing goes on")


def test_values_without_a_spread_are_told_in_a_sentence() -> None:
    assert "no spread" in batchnorm_gradient(torch.ones(5)).page().title
    assert "3 to 40" in batchnorm_gradient([1.0, 2.0]).page().title
