"""Lesson 1's lecture, run from top to bottom, and its pictures moved by hand."""

from __future__ import annotations

import re

import pytest

from .driver import Notebook, until
from .explorable import LOST, Picture, complete, formulas_set, unbroken

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def lecture(open_for_module) -> Notebook:
    """The lecture after Run All; each test moves a picture of its own."""
    return open_for_module("notebooks/01_micrograd.ipynb").run_all()


def test_it_runs_from_top_to_bottom_without_an_error_anywhere(lecture):
    unbroken(lecture)


def test_every_figure_explorable_and_prediction_is_on_the_page(lecture):
    complete(lecture, explorables=7)


def test_its_formulas_are_set(lecture):
    formulas_set(lecture, least=50)


def test_the_tangent_probe_answers_keys_and_the_mouse(lecture):
    probe = Picture(lecture, "tangent_probe")
    assert probe.numbers["slope of the secant"] == ["16"]
    probe.press("ArrowLeft", slider=1)
    assert probe.numbers["slope of the secant"] != ["16"]
    probe.press("Home", slider=1)
    assert "nothing moves" in probe.claim

    tangent = probe.numbers["slope of the tangent"]
    box = probe.live.get_by_role("slider").first.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    probe.page.mouse.move(*middle)
    probe.page.mouse.down()
    probe.changes(lambda: probe.page.mouse.move(middle[0] + 60, middle[1], steps=5))
    probe.page.mouse.up()
    assert probe.numbers["slope of the tangent"] != tangent


def test_the_stepper_fires_node_by_node_and_shows_what_an_equals_sign_loses(lecture):
    stepper = Picture(lecture, "graph_stepper")
    gradient = 2  # the column: op, data, grad, right gradient, fires
    assert stepper.numbers["m"][gradient] == "0"
    stepper.click("Next")
    assert stepper.claim.startswith("Step 1 of 3: y hands")
    assert stepper.numbers["m"][gradient] == "1"
    stepper.click("Next").click("Next")
    assert "every gradient is right" in stepper.claim
    assert stepper.numbers["m"][gradient] == "11"
    stepper.click("grad =")
    assert "should be" in stepper.claim
    assert "m fires with 10 and should hold 11" in stepper.live.inner_text()
    assert stepper.numbers["m"][gradient] == "10"
    stepper.click("grad +=").click("breadth first")
    assert "should be" in stepper.claim


def test_the_network_is_drawn_with_all_its_weights(lecture):
    net = Picture(lecture, "network_graph")
    assert net.claim == "3 → 4 → 4 → 1: 32 weights and 9 biases"
    assert net.live.locator("figure path").count() == 32


def test_at_its_flat_end_a_neuron_lets_no_gradient_through(lecture):
    neuron = Picture(lecture, "saturation")
    assert neuron.claim.startswith("Awake")
    neuron.press("End")
    assert neuron.claim.startswith("Saturated")
    assert float(neuron.numbers["local gradient 1 - o²"][0]) < 1e-3


def test_the_boundary_bends_step_by_step_and_by_itself(lecture):
    moons = Picture(lecture, "two_moons")
    assert moons.claim.startswith("Step 0:")
    moons.press("ArrowRight")
    assert moons.claim.startswith("Step 10:")
    moons.press("Home")
    moons.changes(moons.live.locator(".jupyter-widgets.widget-play button").first.click)
    until(lambda: moons.claim.startswith("Step 100:"), "it plays to its end", 20)


def test_an_answer_is_covered_until_a_guess_stands_beside_it(lecture):
    result = lecture.outputs("guess.compare((curve(2 + h)").locator(".wb-x:visible")
    assert result.inner_text().startswith("Make your guess above")
    assert not result.locator(".wb-number").count()
    field = lecture.outputs("micrograd.tiny_step").get_by_placeholder("your guess")
    field.fill("14")
    field.press("Enter")
    numbers = result.locator(".wb-number")
    until(lambda: numbers.count() == 2, "guess and result")
    told = [text.split("\n")[-1] for text in numbers.all_inner_texts()]
    assert told == ["your guess", "measured"]


def test_a_guess_outlives_the_page_and_the_kernel(lecture):
    form = "micrograd.u_plus_u"
    field = lecture.outputs(form).get_by_placeholder("your guess")
    field.fill("1.5")
    field.press("Enter")
    lecture.outputs(form).locator(".wb-x:visible").get_by_text("1.5").wait_for()
    lecture.save()
    lecture.reload()
    lecture.outputs(form).locator(".wb-x:visible").get_by_text("1.5").wait_for()
    assert lecture.panel.get_by_text(LOST).count() == 0
    assert Picture(lecture, "saturation").press("Home").claim.startswith("Saturated")

    lecture.menu("Kernel", "Restart Kernel and Clear Outputs of All Cells…")
    lecture.page.locator(".jp-Dialog .jp-mod-accept").click()
    lecture.idle().run("from workbook import")
    assert re.search(r"your guess of \d+ \w+ \d+: 1.5", lecture.run(form))
