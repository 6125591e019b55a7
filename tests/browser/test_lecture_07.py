"""Lesson 7's lecture, run from top to bottom, and its pictures moved by hand.

Its trainings are cut to the steps of `make check`: what is tested is the page.
"""

from __future__ import annotations

import re

import pytest

from .explorable import Picture, complete, formulas_set, unbroken

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LECTURE = "notebooks/07_gpt.ipynb"


def test_it_runs_from_top_to_bottom_without_an_error_anywhere(lecture):
    unbroken(lecture)


def test_every_figure_explorable_and_prediction_is_on_the_page(lecture):
    code = "\n".join(lecture.sources)
    runs = len(re.findall(r"^(?:climb|study)\(", code, re.M))
    complete(lecture, explorables=6, runs=runs - code.count("told=False)"))


def test_its_formulas_are_set(lecture):
    formulas_set(lecture, least=10)


def test_what_the_model_writes_is_on_the_page_as_one_text(lecture):
    said = lecture.outputs('study("small"').inner_text()
    assert len(said.split("dev ")[-1]) >= 20


def test_a_mask_that_is_slightly_wrong_lets_the_future_in(lecture):
    mask = Picture(lecture, "mask_leak")
    assert mask.claim.endswith("change letter 4, and none before it moves")
    mask.click("0 after").says("0 after the softmax: change letter 4, and 4 letters")
    mask.click("0 after, rows to 1").says(
        "0 after, rows to 1: change letter 4, and none"
    )
    mask.click("no diagonal").says("Without the diagonal: the first row is nan")
    mask.click("none").says("No mask: change letter 4, and 4 letters before it move")
    mask.click("1").says("No mask: change letter 1, and 1 letter before it moves")


def test_a_wider_head_gets_sharper_unless_it_is_divided(lecture):
    bars = Picture(lecture, "sharpness")
    bars.click("1024").says(
        "Head size 1024, scores as they are: the largest share is 1"
    )
    bars.click("divided by the root").says("Head size 1024, scores divided")
    assert float(bars.numbers["spread"][0]) < 2


def test_a_letter_of_ones_own_text_says_whom_it_hears(lecture):
    heard = Picture(lecture, "attention_map")
    assert "to itself" not in heard.claim
    heard.click("4.1")
    heard.press("End").says('Block 4, head 1: "." gives')
    heard.press("ArrowLeft").says('Block 4, head 1: "g" gives')
    heard.click("4.2").says('Block 4, head 2: "g" gives')
    heard.type("I am").says('Block 4, head 2: "m" gives')
    heard.click("Back").says('Block 4, head 2: "a" gives')
    heard.press("Home").says('Block 4, head 2: "I" gives 100 % to itself')


def test_a_place_says_to_which_it_is_alike(lecture):
    places = Picture(lecture, "position_map")
    places.press("Home").says("Place 0 is most like place")
    places.click("Next").says("Place 1 is most like place")
    assert places.numbers["1"] == ["1.00"]


def test_the_writer_goes_on_letter_by_letter_and_cold_with_a_k_of_one(lecture):
    writer = Picture(lecture, "text_sampler")
    assert writer.claim.startswith("After KING the likeliest is")
    writer.press("ArrowRight").says("After KING comes")
    writer.press("Home", slider=2)
    until_cold = re.compile(r"After KING comes .+: 100 % of the strip")
    assert until_cold.match(writer.claim)


def test_a_size_is_counted_as_it_is_moved(lecture):
    size = Picture(lecture, "model_size")
    assert size.claim.startswith("4 layers of 64 channels: ")
    size.press("ArrowRight", slider=0).says("5 layers of 64 channels")
    size.press("ArrowRight", slider=1).says("5 layers of 128 channels")
    size.click("1,024 of 50,257 tokens").says("5 layers of 128 channels")
    assert "tokens" in size.numbers
