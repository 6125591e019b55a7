"""Lesson 2's lecture, run from top to bottom, and its pictures moved by hand."""

from __future__ import annotations

import pytest

from .driver import Notebook, until
from .explorable import Picture, complete, formulas_set, unbroken

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def lecture(open_for_module) -> Notebook:
    """The lecture after Run All; each test moves a picture of its own."""
    return open_for_module("notebooks/02_bigram.ipynb").run_all()


def test_it_runs_from_top_to_bottom_without_an_error_anywhere(lecture):
    unbroken(lecture)


def test_every_figure_explorable_and_prediction_is_on_the_page(lecture):
    complete(lecture, explorables=5)


def test_its_formulas_are_set(lecture):
    formulas_set(lecture, least=40)


def test_a_name_is_written_letter_by_letter_and_by_itself(lecture):
    sampler = Picture(lecture, "name_sampler")
    assert sampler.claim.startswith("A name begins")
    sampler.press("ArrowRight")
    assert sampler.claim.startswith("After the start comes")
    warm = sampler.claim
    sampler.press("ArrowLeft", slider=1)
    assert sampler.claim != warm
    sampler.press("Home")
    sampler.changes(sampler.live.locator(".widget-play button").first.click)
    until(lambda: "letter 3<" in sampler.drawn, "it writes on by itself", 20)
    sampler.live.locator(".widget-play button").first.click()


def test_its_handles_and_its_player_have_names(lecture):
    live = Picture(lecture, "name_sampler").live
    for name in ("letter", "temperature", "seed"):
        live.get_by_role("slider", name=name).first.wait_for()
    for name in ("Play or pause", "Stop"):
        live.get_by_role("button", name=name).first.wait_for()


def test_any_two_shapes_are_answered_and_a_slip_is_told(lecture):
    shapes = Picture(lecture, "broadcasting")
    assert shapes.claim.startswith("Each row is divided by its own total")
    shapes.click("A.sum(1)")
    assert shapes.claim.startswith("Column j is divided by the total of row j")
    shapes.click("as typed").type("5, 1").type("4", field=1)
    shapes.says("(5, 1) and (4,) give (5, 4)")
    shapes.type("3, 4").type("3", field=1)
    shapes.says("(3, 4) and (3,) do not fit")
    shapes.live.get_by_role("textbox").first.fill("3, a")
    shapes.live.get_by_text("is no whole number").wait_for()


def test_a_name_of_one_s_own_is_scored(lecture):
    scorer = Picture(lecture, "name_scorer")
    assert scorer.claim.startswith("andrejq:")
    scorer.type("anna").says("anna:")
    assert set(scorer.numbers) == {"the start", "a", "n"}
    scorer.live.get_by_role("textbox").fill("anna!")
    scorer.live.get_by_text("does not know '!'").wait_for()


def test_the_learned_table_comes_to_the_counted_one(lecture):
    descent = Picture(lecture, "descent_to_table")
    assert descent.claim.startswith("Before the first step")
    descent.press("End")
    assert descent.claim.startswith("After 500 steps")


def test_a_row_of_the_map_is_picked_by_a_click_and_by_a_letter(lecture):
    counts = Picture(lecture, "count_map")
    assert counts.claim.startswith("After q,")
    counts.hit(1)
    assert counts.claim.startswith("After a,")
    counts.click("z")
    assert counts.claim.startswith("After z,")
    before = counts.numbers["entropy of the row"]
    counts.press("End")
    assert counts.numbers["entropy of the row"] != before
    counts.click("not smoothed")
    until(lambda: "dev infinite" in counts.drawn, "dev has no finite loss", 10)
