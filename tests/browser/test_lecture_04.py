"""Lesson 4's lecture, run from top to bottom, and its pictures moved by hand.

Its trainings are cut to the steps of `make check`: what is tested is the page.
"""

from __future__ import annotations

import re

import pytest

from .explorable import Picture, complete, formulas_set, unbroken

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LECTURE = "notebooks/04_batchnorm.ipynb"


def test_it_runs_from_top_to_bottom_without_an_error_anywhere(lecture):
    unbroken(lecture)


def test_every_figure_explorable_and_prediction_is_on_the_page(lecture):
    complete(lecture, explorables=6, runs=10)


def test_its_formulas_are_set(lecture):
    formulas_set(lecture, least=15)


def test_the_image_of_saturation_follows_scale_shift_and_function(lecture):
    image = Picture(lecture, "saturation_image")
    assert image.claim.startswith("tanh: ")
    image.press("Home")
    assert image.claim == "tanh: 0 % of the outputs saturated, 0 of 200 units dead"
    image.press("End")
    assert int(image.numbers["stuck for all examples"][0].split()[0]) > 0
    image.click("ReLU").says("ReLU: ")
    image.press("Home", slider=1)
    assert "zero" in image.numbers
    image.click("sigmoid").says("sigmoid: ")


def test_the_layers_are_those_of_the_reader_s_own_function(lecture):
    layers = Picture(lecture, "explore.layer_histograms(push)")
    layers.says("tanh, gain 1.00: forward it fades").press("End")
    layers.says("tanh, gain 3.00: forward it saturates")
    layers.click("linear").says("linear, gain 3.00: forward it grows")
    layers.press("ArrowRight", slider=1)
    assert list(layers.numbers) == ["1", "2", "3", "4", "5", "6"]


def test_with_batchnorm_the_gain_does_not_matter(lecture):
    layers = Picture(lecture, 'explore.layer_histograms(push, ["BN')
    calm = "forward it keeps its size, back it keeps its size"
    layers.says(f"BN tanh, gain 1.00: {calm}").press("End")
    layers.says(f"BN tanh, gain 3.00: {calm}")
    layers.click("BN ReLU").says("BN ReLU, gain 3.00: forward it keeps its size")


def test_one_outlier_moves_the_others(lecture):
    five = Picture(lecture, "one_outlier")
    five.says("The last at 3:").press("End")
    five.says("The last at 30: the other 4 lie within 0.")
    assert five.numbers["5"][0] == "30"
    assert float(five.numbers["4"][1].replace("−", "-")) < 0


def test_a_larger_batch_jitters_less(lecture):
    jitter = Picture(lecture, "batch_jitter")
    jitter.says("Batches of 8:").click("2").says("Batches of 2:")
    jitter.click("128").says("Batches of 128:")


def test_each_rate_has_its_lines(lecture):
    rates = Picture(lecture, "update_ratios")
    rates.says("Learning rate 0.1:").click("0.001").says("Learning rate 0.001:")
    assert "below the band" in rates.claim
    assert list(rates.numbers) == [f"layer {i}" for i in range(1, 7)]
    rates.click("1").says("Learning rate 1:")


def test_a_run_shows_its_saturation_and_a_layer_can_be_picked(lecture):
    run = lecture.outputs('trained["bad, plain"]').locator(".wb-live:visible")
    heads = run.locator(".wb-head").all_text_contents()
    assert heads == [
        "Loss",
        "Activations",
        "Gradients",
        "Saturation",
        "Updates : data, log10",
    ]
    run.scroll_into_view_if_needed()
    run.locator("select").select_option("5 Tanh")
    run.get_by_label(re.compile("^Saturation of 5 Tanh")).wait_for()
