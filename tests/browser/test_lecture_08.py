"""Lesson 8's lecture, run from top to bottom, and its pictures moved by hand.

Its trainings are cut to the steps of `make check`: what is tested is the page.
"""

from __future__ import annotations

import pytest

from .driver import until
from .explorable import Picture, complete, formulas_set, unbroken

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LECTURE = "notebooks/08_tokenizer.ipynb"


def test_it_runs_from_top_to_bottom_without_an_error_anywhere(lecture):
    unbroken(lecture)


def test_every_figure_explorable_and_prediction_is_on_the_page(lecture):
    complete(lecture, explorables=6, runs=2)


def test_its_formulas_are_set(lecture):
    formulas_set(lecture, least=5)


def test_the_playground_reads_ones_own_text(lecture):
    playground = Picture(lecture, "token_playground")
    playground.type("the egg").says("7 bytes are 7 or ")
    assert playground.numbers["characters"][0] == "7"
    assert int(playground.numbers["ours"][0]) < 7
    playground.type("안녕").says("6 bytes are 2 or ")
    assert playground.numbers["ours"][0] == "6"


def test_a_key_changes_the_tokens_it_touches_and_no_others(lecture):
    playground = Picture(lecture, "token_playground")
    field = playground.live.get_by_role("textbox")
    text = playground.live.locator(".wb-tokens").first
    words = "the egg and the hen, " * 80

    def shown() -> str:
        ids = "text => [...text.querySelectorAll('[data-i]')].map(x => x.dataset.i)"
        return "".join(chr(int(i)) for i in text.evaluate(ids))

    field.fill(words)
    playground.says("1,680 bytes are")
    seen = text.locator("[data-i]").nth(200).element_handle()
    assert words.startswith(shown()) and len(shown()) < 400  # the rest is not seen yet
    until(lambda: shown() == words, "the rest is there for reading aloud, and search")
    field.press("Control+Home")
    field.press("x")
    playground.says("1,681 bytes are")
    assert shown().startswith("xthe egg") and len(shown()) < 400
    text.hover()
    assert shown() == "x" + words
    scrolled = text.evaluate("text => text.scrollTop = 400")
    field.press("y")
    playground.says("1,682 bytes are")
    assert shown() == "xy" + words
    assert text.evaluate("text => text.scrollTop") == scrolled
    assert seen.evaluate("token => token.isConnected")
    text.press("End")
    text.press("ArrowLeft")
    told = playground.live.locator(".wb-told")
    assert told.inner_text().startswith('characters, token 1681: ","')
    field.fill("ab")
    playground.says("2 bytes are")
    assert shown() == "ab"


def test_a_cut_through_a_character_leaves_a_mark(lecture):
    view = Picture(lecture, "byte_view")
    view.press("Home").says("Cut after byte 0: between characters")
    view.press("ArrowRight").says("Cut after byte 1: through a character")


def test_the_stepper_merges_ones_own_text(lecture):
    stepper = Picture(lecture, "merge_stepper")
    stepper.says("54 bytes: t + h stands there 9 times")
    stepper.press("ArrowRight").says("Merge 1: t + h becomes 256, 9 tokens fewer")
    stepper.type("aaabdaaabac").says("Merge 1: a + a becomes 256, 2 tokens fewer")
    stepper.click("Next").says("Merge 2: ")


def test_the_orders_of_merging_part_on_some_words_alone(lecture):
    race = Picture(lecture, "encode_race")
    race.press("End")
    assert race.numbers["rank order"][2] == "256, 99, 257"
    assert race.numbers["commonest first"][2] == "97, 257, 257"
    race.type("cab").says('"cab": all three of the other orders end in other tokens')
    race.type("abab").says('"abab": all four orders end in the same tokens')


def test_the_chunks_of_two_patterns_differ(lecture):
    chunks = Picture(lecture, "split_view")
    chunks.type("it's 12345").says("GPT-2: 3 chunks, the longest is ·12345")
    chunks.click("GPT-4").says("GPT-4: 5 chunks")


def test_a_vocabulary_is_priced_as_it_is_moved(lecture):
    size = Picture(lecture, "vocabulary_size")
    size.press("Home").says("256 tokens: ")
    assert size.numbers["bytes in a token"] == ["1.00"]
    size.press("ArrowRight", slider=1)
    assert size.numbers["parameters of the embedding"][0] != f"{256 * 64:,}"
