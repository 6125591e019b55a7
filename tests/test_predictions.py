"""A guess comes before the answer, is remembered, and is not judged."""

from __future__ import annotations

import math
import sys
from types import ModuleType

import pytest

from workbook import predictions
from workbook.predictions import COVERED, Guess, plain, predict, read, side_by_side


class Drawer:
    """A stand-in for the progress file."""

    stored: dict[str, dict] = {}  # noqa: RUF012
    broken = ""

    @classmethod
    def load(cls) -> Drawer:
        if cls.broken:
            raise OSError(cls.broken)
        return cls()

    def record_prediction(self, id: str, guess, result, unit: str) -> None:
        self.stored[id] = {
            "guess": guess,
            "result": result,
            "unit": unit,
            "when": "2025-05-03T10:00:00Z",
        }

    def prediction(self, id: str) -> dict | None:
        return self.stored.get(id)


@pytest.fixture(autouse=True)
def drawer(monkeypatch: pytest.MonkeyPatch) -> type[Drawer]:
    module = ModuleType("workbook.progress")
    module.Progress = Drawer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "workbook.progress", module)
    monkeypatch.setattr(Drawer, "stored", {})
    monkeypatch.setattr(Drawer, "broken", "")
    return Drawer


class Page:
    """What a notebook would show: the published boxes and their still twins."""

    def __init__(self) -> None:
        self.boxes: list = []
        self.stills: list[tuple[str, str]] = []

    def publish(self, box, html: str, text: str):
        place = len(self.stills)
        self.boxes.append(box)
        self.stills.append((html, text))

        def renew(html: str, text: str) -> None:
            self.stills[place] = (html, text)

        return renew


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    shown = Page()
    monkeypatch.setattr(predictions, "publish", shown.publish)
    monkeypatch.setattr("workbook.headless", lambda: False)
    return shown


def parts(box) -> tuple:
    """The widgets of a row: the sheet is first, the row second."""
    return box.children[1].children


def press(button) -> None:
    button.click()


# Headless.


def test_headless_a_guess_comes_back_empty_and_silent(capsys) -> None:
    guess = predict("bigram.loss_at_start", unit="nats")
    assert guess.value is None
    assert capsys.readouterr() == ("", "")


def test_headless_compare_prints_one_line(capsys) -> None:
    predict("bigram.loss_at_start", unit="nats").compare(3.295836866004329)
    assert capsys.readouterr().out == "measured 3.2958 nats\n"


def test_headless_never_touches_the_progress_file(drawer, capsys) -> None:
    drawer.broken = "must not be asked"
    drawer.stored["x.y"] = {"guess": "3"}
    guess = predict("x.y")
    guess.compare(1)
    assert guess.value is None and capsys.readouterr().out == "measured 1\n"
    assert drawer.stored == {"x.y": {"guess": "3"}}


class Boxed:
    def __init__(self, data: float) -> None:
        self.data = data


@pytest.mark.parametrize(
    "result, unit, line",
    [
        (228146, "bigrams", "measured 228,146 bigrams"),
        (Boxed(-8.0), "", "measured -8"),
        ((27, 27), "", "measured (27, 27)"),
        ("down", "", "measured down"),
        (True, "", "measured True"),
        (12.5, "%", "measured 12.5%"),
    ],
)
def test_a_result_of_any_kind_has_its_words(result, unit, line, capsys) -> None:
    predict("x.y", unit).compare(result)
    assert capsys.readouterr().out == f"{line}\n"


def test_tensors_of_one_element_and_their_shapes_are_read() -> None:
    import torch

    assert plain(torch.tensor(2.5)) == 2.5
    assert plain(torch.tensor([7])) == 7
    assert plain(torch.zeros(32, 3, 10).shape) == (32, 3, 10)
    with pytest.raises(TypeError, match="not a Tensor of several elements"):
        plain(torch.zeros(2))
    with pytest.raises(TypeError, match="not a object"):
        plain(object())


# Reading.


@pytest.mark.parametrize(
    "written, value",
    [
        ("3.3", 3.3),
        ("3,3", 3.3),
        (" 3.3 nats ", 3.3),
        ("1/27", 1 / 27),
        ("1e-3", 1e-3),
        ("1,5e-3", 1.5e-3),
        ("−0.5", -0.5),
        (".5", 0.5),
        ("-ln(1/27)", math.log(27)),
        ("log(27)", math.log(27)),
        ("2^10", 1024),
        ("50%", 0.5),
        ("27", 27),
        ("1,115,394", 1115394),
        ("(27, 27)", (27, 27)),
        ("27x27", (27, 27)),
        ("32 × 3 × 10", (32, 3, 10)),
        ("(27,)", (27,)),
        ("3, 3", (3, 3)),
        ("[2, 3]", (2, 3)),
    ],
)
def test_numbers_are_read_as_learners_write_them(written: str, value) -> None:
    assert read(written, "nats") == pytest.approx(value)


def test_a_percentage_stays_one_where_the_unit_is_percent() -> None:
    assert read("50%", "%") == 50


@pytest.mark.parametrize(
    "written",
    [
        "",
        "abc",
        "9**9**9",
        "1/0",
        "__import__('os')",
        "a.b",
        "nan",
        "(1).real",
        "1e999",
    ],
)
def test_what_is_no_number_is_answered_with_examples(written: str) -> None:
    with pytest.raises(ValueError, match=r"write 3\.3, 1/27"):
        read(written)


def test_a_comma_that_can_mean_two_things_is_asked_about() -> None:
    with pytest.raises(ValueError, match=r"can mean 3\.296 or 3296"):
        read("3,296")


# Live.


def test_an_answer_stays_covered_until_the_guess_is_there(page: Page) -> None:
    guess = predict("bigram.loss_at_start", unit="nats")
    guess.compare(3.295836866)
    field, _, commit, said = parts(page.boxes[0])
    shown, reveal = parts(page.boxes[1])
    assert COVERED in shown.value and "3.2958" not in shown.value
    field.value = "3,3"
    press(commit)
    assert "your guess: 3.3 nats" in said.value
    assert "3.2958 nats" in shown.value and "3.3 nats" in shown.value
    assert reveal.layout.display == "none"


def test_enter_commits_like_the_button(page: Page) -> None:
    guess = predict("x.y")
    field = parts(page.boxes[0])[0]
    field.value = "1/27"
    field._handle_custom_msg({"event": "submit"}, [])
    assert guess.value == pytest.approx(1 / 27)


def test_the_answer_can_be_seen_without_a_guess(page: Page, drawer) -> None:
    predict("x.y").compare(5)
    shown, reveal = parts(page.boxes[1])
    press(reveal)
    assert "measured" in shown.value and "your guess" not in shown.value
    assert drawer.stored == {}


def test_guess_and_answer_are_stored_together(page: Page, drawer) -> None:
    guess = predict("x.y", unit="nats").commit("1/27")
    assert drawer.stored["x.y"]["guess"] == "1/27"
    assert drawer.stored["x.y"]["result"] is None
    guess.compare(0.5)
    assert drawer.stored["x.y"]["result"] == 0.5


def test_a_guess_from_an_earlier_session_is_there_again_with_its_day(
    page: Page, drawer
) -> None:
    predict("x.y", unit="nats").commit("3,3")
    again = predict("x.y", unit="nats")
    field, _, _, said = parts(page.boxes[1])
    assert again.value == 3.3 and field.value == "3,3"
    assert "your guess of 3 May 2025: 3.3 nats" in said.value
    again.compare(3.2958)
    assert "3.2958 nats" in parts(page.boxes[2])[0].value


def test_an_unreadable_guess_is_answered_and_not_stored(page: Page, drawer) -> None:
    guess = predict("x.y")
    field, _, commit, said = parts(page.boxes[0])
    field.value = "three"
    press(commit)
    assert "is not a number here" in said.value
    assert guess.value is None and drawer.stored == {}


def test_a_guess_that_cannot_be_stored_still_counts(page: Page, drawer) -> None:
    drawer.broken = "the disk is full"
    guess = predict("x.y")
    guess.compare(2)
    field, _, commit, said = parts(page.boxes[0])
    field.value = "3"
    press(commit)
    assert guess.value == 3
    assert "was not stored: the disk is full" in said.value
    assert "measured" in parts(page.boxes[1])[0].value


def test_one_of_several_options_is_chosen_and_recalled(page: Page, drawer) -> None:
    guess = predict("x.sign", options=["up", "down", "stays"])
    buttons, _, commit, said = parts(page.boxes[0])
    press(commit)
    assert "Choose one" in said.value and guess.value is None
    buttons.value = "up"
    press(commit)
    assert guess.value == "up"
    assert predict("x.sign", options=["up", "down", "stays"]).value == "up"
    assert predict("x.sign", options=["left", "right"]).value is None


def test_saved_without_a_guess_the_answer_is_folded_away(page: Page) -> None:
    guess = predict("x.y")
    guess.compare(42)
    assert page.stills[1][0].count("<details>") == 1
    guess.commit("41")
    html, text = page.stills[1]
    assert "<details>" not in html and ">41<" in html and ">42<" in html
    assert text == "measured 42"


def test_nothing_is_said_of_right_or_wrong() -> None:
    for written in ("42", "7"):
        told = side_by_side(_committed(written), 42).lower()
        assert not any(word in told for word in ("right", "wrong", "correct", "off by"))


def _committed(written: str) -> Guess:
    return Guess("x.y").commit(written)


@pytest.mark.parametrize("written", ["42", "0", "-7", "42000000", "1e-9"])
def test_guess_and_answer_stand_on_one_line(written: str) -> None:
    from xml.etree import ElementTree

    told = side_by_side(_committed(written), 42)
    root = ElementTree.fromstring(told[told.index("<svg") :])
    xs = [float(node.attrib["cx"]) for node in root.iter("circle")]
    assert len(xs) == 4 and all(0 < x < 480 for x in xs)


def test_a_shape_has_no_number_line() -> None:
    assert "<svg" not in side_by_side(_committed("(3, 3)"), (27, 27))


@pytest.mark.parametrize(
    "guess, answer",
    [
        (0, 6.66e-16),
        (0, -3e-17),
        (0.0, 0.0),
        (6.66e-16, 0),
        (1 / 27, 0.1 + 0.2 - 0.3 + 1 / 27),
        (math.log(27), 3.295836925506592),
        (-2.5, -2.5 - 1e-15),
    ],
)
def test_a_guess_that_misses_by_rounding_alone_stands_on_the_answer(guess, answer):
    panel = predictions._axis(float(guess), float(answer))
    assert abs(panel.x(guess) - panel.x(answer)) < 0.5
    assert 50 < panel.x(answer) < predictions.LINE - 50


@pytest.mark.parametrize("guess, answer", [(3.3, 2.4), (0, 1e-3), (1e-12, 1e-15)])
def test_a_guess_that_is_off_stands_apart(guess, answer) -> None:
    panel = predictions._axis(float(guess), float(answer))
    assert abs(panel.x(guess) - panel.x(answer)) > 50


@pytest.mark.parametrize("guess, answer", [(0.1, 0.11), (3.3, 3.2958), (-70, -66.3)])
def test_a_guess_that_is_near_stands_near(guess, answer) -> None:
    panel = predictions._axis(float(guess), float(answer))
    assert 0 < abs(panel.x(guess) - panel.x(answer)) < 30
