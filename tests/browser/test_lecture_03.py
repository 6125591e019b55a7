"""Lesson 3's lecture, run from top to bottom, and its pictures moved by hand.

Its trainings are cut to the steps of `make check`: what is tested is the page.
"""

from __future__ import annotations

import pytest

from .explorable import Picture, complete, formulas_set, unbroken

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LECTURE = "notebooks/03_mlp.ipynb"


def test_it_runs_from_top_to_bottom_without_an_error_anywhere(lecture):
    unbroken(lecture)


def test_every_figure_explorable_and_prediction_is_on_the_page(lecture):
    complete(lecture, explorables=6, runs=7)


def test_its_formulas_are_set(lecture):
    formulas_set(lecture, least=15)


def test_the_window_walks_along_a_name_of_one_s_own(lecture):
    window = Picture(lecture, "context_window")
    assert window.claim == 'Example 1 of 5: after "..." comes "e"'
    window.click("Next")
    assert window.claim == 'Example 2 of 5: after "..e" comes "m"'
    window.press("ArrowRight").says('Example 2 of 5: after "...e"')
    window.type("ada").says('Example 2 of 4: after "...a" comes "d"')
    window.live.get_by_role("textbox").fill("ada!")
    window.live.get_by_text("The alphabet here is a to z").wait_for()


def test_memory_answers_any_shape_and_says_where_view_fails(lecture):
    memory = Picture(lecture, "storage")
    assert memory.claim == "Shape (4, 3, 2) is memory read with strides (6, 2, 1)"
    memory.click("x.transpose(0, 1)").says("A view: shape (3, 4, 2), strides (2, 6, 1)")
    memory.click("x.transpose(0, 1).view(-1)").says("view fails")
    memory.click("x.transpose(0, 1).reshape(-1)").says("A copy of shape (24,)")
    memory.type("5, 4").type("x[1:, ::2]", field=1).says("A view: shape (4, 2)")
    memory.click("x[:, 1]").says("A view: shape (5,)")
    memory.type("x[1:, ::2]", field=1).says("A view: shape (4, 2)")
    assert memory.numbers["offset"] == ["0", "4"]
    memory.live.get_by_role("textbox").nth(1).fill("x.view(3, -1)")
    memory.live.get_by_text("20 numbers do not fill the shape").wait_for()


def test_the_pointer_finds_the_valley_of_the_learning_rate(lecture):
    rates = Picture(lecture, "lr_range")
    rates.press("Home").says("Learning rate 0.001: a step too small")
    low = number(rates.numbers["valley from"][0])
    while number(rates.numbers["exponent"][0]) < low + 0.1:
        rates.press("PageUp")
    assert "in the valley" in rates.claim
    rates.press("End")
    assert "too large" in rates.claim


def number(words: str) -> float:
    """A number as a page writes it."""
    return float(words.replace("−", "-"))


def test_size_and_steps_are_chosen_and_named(lecture):
    sizes = Picture(lecture, "capacity")
    sizes.click("300")
    assert sizes.claim.startswith("300 hidden neurons after 60 steps")
    sizes.press("Home").says("300 hidden neurons after 10 steps")
    assert set(sizes.numbers) == {"3", "15", "60", "300"}


def test_the_letters_move_step_by_step(lecture):
    letters = Picture(lecture, "explore.letter_map(frames")
    before = letters.numbers["a"]
    letters.says("Step 0:").press("ArrowRight").says("Step 299:")
    assert letters.numbers["a"] != before
