"""Lesson 1's lecture, run from top to bottom, and its pictures moved by hand."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from .driver import Notebook, until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LOST = re.compile("Loading widget|model not found|Error displaying widget")


@pytest.fixture(scope="module")
def lecture(open_for_module) -> Notebook:
    """The lecture after Run All; each test moves a picture of its own."""
    return open_for_module("notebooks/01_micrograd.ipynb").run_all()


class Picture:
    """An explorable of the lecture: claim, picture, numbers, and what moves it."""

    def __init__(self, lecture: Notebook, door: str) -> None:
        self.page = lecture.page
        self.live = lecture.outputs(f"explore.{door}(").locator(".wb-x:visible")
        self.live.scroll_into_view_if_needed()
        until(self._unfolded, "the button Numbers is pressed")
        self.live.locator("table").wait_for()

    def _unfolded(self) -> bool:
        """Press the button, again where the page moved away from under the mouse."""
        toggle = self.live.get_by_role("button", name="Numbers")
        if "mod-active" not in toggle.get_attribute("class"):
            toggle.click()
            self.page.wait_for_timeout(500)
        return "mod-active" in toggle.get_attribute("class")

    @property
    def claim(self) -> str:
        return self.live.locator(".wb-title").inner_text()

    @property
    def drawn(self) -> str:
        return self.live.locator("figure > svg").inner_html()

    @property
    def numbers(self) -> dict[str, list[str]]:
        """The table: the first cell of each row -> the others."""
        rows = self.live.locator("tbody tr").all()
        cells = [row.locator("td").all_inner_texts() for row in rows]
        return {first: rest for first, *rest in cells}

    def changes(self, act: Callable[[], object]) -> Picture:
        """Do something, and wait for the picture's answer."""
        before = self.drawn
        act()
        until(lambda: self.drawn != before, "the picture answers", 10)
        return self

    def press(self, key: str, slider: int = 0) -> Picture:
        """A key on a slider."""
        handle = self.live.get_by_role("slider").nth(slider)
        return self.changes(lambda: handle.press(key))

    def click(self, name: str) -> Picture:
        words = re.compile(rf"^\s*{re.escape(name)}$")  # after an icon
        return self.changes(self.live.locator("button", has_text=words).click)


def test_it_runs_from_top_to_bottom_without_an_error_anywhere(lecture):
    red = lecture.panel.locator("[data-mime-type$=error], [data-mime-type$=stderr]")
    assert red.all_inner_texts() == []
    assert lecture.errors == []


def test_every_figure_explorable_and_prediction_is_on_the_page(lecture):
    code = "\n".join(lecture.sources)
    shown = lecture.panel.locator(".wb-x:visible")
    doors = re.findall(r"^explore\.(\w+)\(", code, re.MULTILINE)
    assert len(doors) == 4
    explorables = lecture.panel.locator(".wb-x:not(.wb-live):visible")
    assert explorables.locator("figure > svg").count() == len(doors)
    runs = len(re.findall(r"live\.train\(", code))
    assert lecture.panel.locator(".wb-live:visible").count() == runs > 0
    figures = len(re.findall(r"style\.figure\(", code))
    assert lecture.panel.locator(".jp-RenderedImage img:visible").count() == figures
    guesses = len(re.findall(r"= predict\(", code))
    assert shown.get_by_placeholder("your guess").count() == guesses
    assert shown.get_by_role("button", name="Show me").count() == guesses
    assert not lecture.panel.get_by_text(LOST).count()


def test_its_formulas_are_set(lecture):
    texts = lecture.panel.locator(".jp-MarkdownCell .jp-RenderedMarkdown")
    assert lecture.panel.locator("mjx-container").count() > 50
    assert not [text for text in texts.all_inner_texts() if "$" in text]
    assert not lecture.panel.locator("mjx-merror").count()


def test_the_tangent_probe_answers_keys_and_the_mouse(lecture):
    probe = Picture(lecture, "tangent_probe")
    assert probe.numbers["slope of the secant"] == ["11"]
    probe.press("ArrowLeft", slider=1)
    assert probe.numbers["slope of the secant"] != ["11"]
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
    assert stepper.numbers["m"][gradient] == "10"
    stepper.click("grad +=").click("breadth first")
    assert "should be" in stepper.claim


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
    result = lecture.outputs("guess.compare((curve(3 + h)").locator(".wb-x:visible")
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
    form = "micrograd.used_twice"
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
