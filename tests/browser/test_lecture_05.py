"""Lesson 5's lecture, run from top to bottom, and its pictures moved by hand.

Its training is cut to the steps of `make check`: what is tested is the page.
"""

from __future__ import annotations

import re

import pytest

from .explorable import Picture, complete, formulas_set, unbroken

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LECTURE = "notebooks/05_backprop.ipynb"


def test_it_runs_from_top_to_bottom_without_an_error_anywhere(lecture):
    unbroken(lecture)


def test_every_figure_explorable_and_prediction_is_on_the_page(lecture):
    complete(lecture, explorables=5, runs=1)


def test_its_formulas_are_set(lecture):
    formulas_set(lecture, least=60)


def test_the_tape_walks_back_from_the_loss(lecture):
    tape = Picture(lecture, "explore.backprop_tape(steps, Xb, Yb)")
    tape.says("1 of 26, logprobs: the gradient that autograd kept")
    tape.click("Next").says("2 of 26, probs")
    assert list(tape.numbers) == ["logprobs", "probs"]
    tape.press("End").says("26 of 26, C: the gradient that autograd kept")
    assert tape.numbers["b1"][-1] == "zero in truth"
    tape.click("Reset").says("1 of 26")


def test_a_slip_is_planted_into_our_gradients_and_spreads(lecture):
    tape = Picture(lecture, "explore.backprop_tape(steps, Xb, Yb, ours)")
    tape.says("26 of 26, C: right")
    verdicts = [cells[-1] for cells in tape.numbers.values()]
    assert sorted(set(verdicts)) == ["right", "zero in truth"]
    tape.click("tanh: 1 - x²").says("26 of 26, C: off by")
    verdicts = {name: cells[-1] for name, cells in tape.numbers.items()}
    assert verdicts["h"] == "right" and verdicts["hpreact"].startswith("off by")
    tape.click("b2 averaged").says("26 of 26, C: right")
    wrong = [n for n, cells in tape.numbers.items() if cells[-1].startswith("off")]
    assert wrong == ["b2"]
    tape.click("no slip").says("26 of 26, C: right")


def test_copies_and_sums_change_places(lecture):
    dual = Picture(lecture, "copy_and_sum")
    assert dual.claim == "Each number of b is copied 4 times: db adds up 4"
    dual.press("ArrowRight").says("Each number of b is copied 5 times")
    dual.click("x.sum(1, keepdim=True)").says("Each number of s adds up 3")
    assert dual.numbers["ds"][0] == "(5, 1)"


def test_the_pulls_weaken_with_each_step(lecture):
    pulls = Picture(lecture, "forces")
    letter = re.match(r'"(.)" is pulled up by (0\.\d\d)', pulls.claim)
    assert pulls.numbers[letter[1]][1].startswith(f"−{letter[2]}")
    pulls.press("End", slider=1).says(f'After 20 steps: "{letter[1]}" is pulled up')
    after = re.search(r"up by (0\.\d\d)", pulls.claim)
    assert float(after[1]) < float(letter[2]) / 2
    pulls.click("Next")
    assert pulls.claim.startswith("After 20 steps")


def test_a_shift_and_a_tilt_do_not_pass_batchnorm(lecture):
    behind = Picture(lecture, "batchnorm_gradient")
    assert behind.claim.startswith("One is pulled by 1.0")
    passed = {value: cells[1] for value, cells in behind.numbers.items()}
    behind.press("PageUp", slider=1).press("End", slider=2)
    assert {value: cells[1] for value, cells in behind.numbers.items()} == passed
    for _ in range(10):
        behind.press("ArrowLeft")
    behind.says("A straight line is taken away whole")
