"""Explorables keep one state, and every face of it says the same."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest

from workbook.explore import base, page, svg
from workbook.explore.base import (
    Choice,
    Explorable,
    Field,
    Page,
    Refused,
    Slider,
    Steps,
)


def square(side: float) -> Page:
    if side > 4:
        raise Refused("A side of more than 4 does not fit the page.")
    if side < 0:
        raise ZeroDivisionError("no side")
    return Page(
        title=f"A side of {side:g} makes an area of {side * side:g}",
        look="Double the side & see: the area grows fourfold, as 2 < 4.",
        body=svg.box(20, 20, 40 * side, 40 * side, "forward"),
        header=("side", "area"),
        rows=[(f"{side:g}", f"{side * side:g}")],
    )


def explorable() -> Explorable:
    return Explorable(square, Slider("side", "side", -5, 5, 0.5, 2.0))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list:
    """What would have been published, in place of a front end."""
    published: list = []
    monkeypatch.setattr(base, "publish", lambda *args: published.append(args))
    monkeypatch.setattr(base, "publish_still", lambda *args: published.append(args))
    return published


def live(thing: Explorable, monkeypatch: pytest.MonkeyPatch) -> base._Live:
    monkeypatch.setattr("workbook.headless", lambda: False)
    thing._ipython_display_()
    assert thing._live is not None
    return thing._live


def test_importing_the_door_loads_neither_torch_nor_matplotlib_nor_widgets() -> None:
    code = (
        "import sys, workbook.explore as e; e.tangent_probe, e.graph_stepper,"
        "e.saturation, e.two_moons, e.record_boundary; import workbook.style;"
        "heavy = {'torch', 'matplotlib', 'ipywidgets', 'IPython', 'numpy'};"
        "sys.exit(str(sorted(heavy & sys.modules.keys()) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_a_name_that_the_door_does_not_have_is_an_attribute_error() -> None:
    import workbook.explore

    with pytest.raises(AttributeError, match="no attribute 'tangent'"):
        workbook.explore.tangent  # noqa: B018
    assert "tangent_probe" in dir(workbook.explore)


def test_the_picture_is_well_formed_and_carries_title_and_description() -> None:
    drawn = explorable().page()
    root = ElementTree.fromstring(drawn.svg())
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title").text == drawn.title
    assert root.find(f"{space}desc").text == drawn.look
    assert root.attrib["role"] == "img"
    assert drawn.title in root.attrib["aria-label"]


def test_a_picture_has_no_ids_so_that_many_can_share_a_page() -> None:
    assert " id=" not in explorable().page().svg()


def test_text_and_table_and_picture_come_from_the_same_state() -> None:
    drawn = explorable().set(side=3.0).page()
    assert "  side  area" in drawn.text() and "  3     9" in drawn.text()
    assert "<td>9</td>" in drawn.table()
    assert "area of 9" in drawn.svg() and "area of 9" in drawn.html()


def test_words_in_html_are_escaped_and_minus_signs_are_true_ones() -> None:
    drawn = Page(title="x < -2", look="a & b", body="<g/>", rows=[("-0.5", "1e-5")])
    assert "x &lt; −2" in drawn.heading()
    assert "a &amp; b" in drawn.caption()
    assert "<td>−0.5</td><td>1e-5</td>" in drawn.table()


def test_a_refusal_is_one_sentence_without_a_picture() -> None:
    drawn = explorable().set(side=5).page()
    assert drawn.text() == "A side of more than 4 does not fit the page."
    assert "<svg" not in drawn.html() and "does not fit" in drawn.html()


def test_an_unknown_control_is_named_together_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no control named 'size': there are side"):
        explorable().set(size=3)


def test_check_mode_publishes_words_alone_and_the_same_each_time(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    for _ in range(2):
        explorable()._ipython_display_()
    assert shown[0] == shown[1] == ("", explorable().page().text())


def test_without_a_kernel_the_still_picture_comes_with_its_text(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBOOK_CHECK", raising=False)
    explorable()._ipython_display_()
    ((html, text),) = shown
    assert "<svg" in html and "<details>" in html
    assert text == explorable().page().text()


def test_headless_an_error_in_the_drawing_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    with pytest.raises(ZeroDivisionError):
        explorable().set(side=-1)._ipython_display_()


def test_moving_a_slider_redraws_the_picture(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = explorable()
    widgets = live(thing, monkeypatch)
    widgets.holders["side"].value = 3.0
    assert "area of 9" in widgets.heading.value
    assert thing.state == {"side": 3.0}


def test_an_answer_takes_less_than_a_tenth_of_a_second(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = explorable()
    live(thing, monkeypatch).holders["side"].value = 3.0
    assert 0 < thing.cost < 0.1


def test_setting_the_state_moves_the_slider_along(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = explorable()
    widgets = live(thing, monkeypatch)
    thing.set(side=1.5)
    assert widgets.holders["side"].value == 1.5
    assert "area of 2.25" in widgets.heading.value


def test_a_state_that_was_set_before_showing_is_the_one_shown(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    widgets = live(explorable().set(side=1.0), monkeypatch)
    assert widgets.holders["side"].value == 1.0
    assert "area of 1" in widgets.heading.value


def test_the_same_state_is_not_drawn_twice(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[float] = []

    def counted(side: float) -> Page:
        calls.append(side)
        return square(side)

    thing = Explorable(counted, Slider("side", "side", 0, 5, 0.5, 2.0))
    live(thing, monkeypatch)
    before = len(calls)
    thing.set(side=2.0)
    thing.set(side=3.0)
    assert calls[before:] == [3.0]


def test_an_error_in_the_drawing_stands_where_the_picture_was(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = explorable()
    widgets = live(thing, monkeypatch)
    widgets.holders["side"].value = -1.0
    assert "ZeroDivisionError: no side" in widgets.heading.value
    assert widgets.picture.value == ""
    widgets.holders["side"].value = 2.0
    assert "<svg" in widgets.picture.value


def test_the_table_is_sent_only_while_it_is_open(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = explorable()
    widgets = live(thing, monkeypatch)
    assert widgets.table.value == ""
    widgets.folded.value = True
    thing.set(side=3.0)
    assert "<td>9</td>" in widgets.table.value


def test_the_slider_grid_passes_through_the_start() -> None:
    slider = Slider("b", "b", 0.0, 12.0, 0.05, 6.8813735870195432)
    _, holder = slider.build(lambda name, value: None)
    steps = (holder.value - holder.min) / 0.05
    assert abs(steps - round(steps)) < 1e-9
    assert 0 <= holder.min < 0.05


def test_step_buttons_stop_at_both_ends() -> None:
    told: list[int] = []
    row, holder = Steps("step", "step", 2).build(lambda _, value: told.append(value))
    reset, back, forward = row.children[:3]
    for button in (back, forward, forward, forward, back, reset):
        button.click()
    assert told == [1, 2, 1, 0]
    assert holder.value == 0


def worded() -> Explorable:
    """A text, a step for each of its letters, and one of two letters it may have."""

    def draw(text: str, at: int, letter: str) -> Page:
        return Page(title=f"{text} {at} {letter}", look="")

    return Explorable(
        draw,
        Field("text", "text", "abc"),
        Steps("at", "letter", 9, 1, until=lambda state: max(len(state["text"]) - 1, 0)),
        Choice(
            "letter",
            "letter",
            [("a", "a"), ("b", "b")],
            "a",
            near=lambda state: state["letter"] if "a" in state["text"] else "b",
        ),
    )


def test_the_last_step_follows_what_there_is(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = worded()
    showing = live(thing, monkeypatch)
    text, at = showing.holders["text"], showing.holders["at"]
    assert (at.max, at.value) == (2, 1)
    text.value = "abcdef"
    assert (at.max, at.value) == (5, 1)
    text.value = "a"  # and the slider keeps some way
    assert (at.max, at.value, thing.state["at"]) == (1, 0, 0)
    text.value = "abcd"  # from the last step it goes along
    assert (at.max, at.value, showing.heading.value.count("abcd 3")) == (3, 3, 1)
    at.value = 2
    text.value = "abcde"
    assert at.value == thing.state["at"] == 2


def test_where_a_choice_has_no_room_another_takes_over(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = worded()
    showing = live(thing, monkeypatch)
    showing.holders["text"].value = "bcd"
    assert showing.holders["letter"].value == thing.state["letter"] == "b"
    showing.holders["letter"].value = "a"  # there is no room for it
    assert showing.holders["letter"].value == thing.state["letter"] == "b"
    assert "bcd" in showing.heading.value


def test_a_choice_holds_values_and_shows_words() -> None:
    told: list[bool] = []
    choice = Choice("add", "write", [("+=", True), ("=", False)], True)
    _, holder = choice.build(lambda _, value: told.append(value))
    holder.value = False
    assert told == [False]


def test_a_field_tells_its_words_after_each_key() -> None:
    told: list[str] = []
    _, holder = Field("shape", "shape", "2, 3").build(
        lambda _, words: told.append(words)
    )
    assert holder.value == "2, 3" and holder.continuous_update
    holder.value = "2, 3, 4"
    assert told == ["2, 3, 4"]


def test_the_still_twin_is_sent_before_the_widget_and_hides_while_it_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import ipywidgets

    sent: list[dict] = []
    monkeypatch.setattr(
        "IPython.display.display", lambda bundle, **_: sent.append(bundle)
    )
    widget = ipywidgets.HTML()
    page.publish(widget, "<p>still</p>", "words")
    still, live = sent
    (name,) = widget._dom_classes
    assert f":has(.{name})" in still["text/html"]
    assert still["text/plain"] == "words"
    assert page.WIDGET in live and "text/html" not in live


def test_ticks_are_round_and_lie_within_the_limits() -> None:
    assert svg.ticks(0, 59, 4) == [0, 20, 40]
    assert svg.ticks(-1, 1, 4) == [-1, -0.5, 0, 0.5, 1]
    assert svg.ticks(3, 3) == [3]


@pytest.mark.parametrize(
    "value, words", [(1e-3, "10⁻³"), (3e-13, "3·10⁻¹³"), (1.0, "10⁰"), (0.0, "0")]
)
def test_powers_of_ten_are_written_as_such(value: float, words: str) -> None:
    assert svg.power(value) == words


def test_a_point_that_is_not_finite_leaves_a_gap() -> None:
    drawn = svg.path([(0, 0), (1, 1), (2, float("nan")), (3, 3), (4, 4)])
    assert 'd="M0 0L1 1M3 3L4 4"' in drawn


def test_a_matrix_is_drawn_as_squares_of_one_colour_level_by_level() -> None:
    shares = [[0.0, 1.0, 0.5], [float("nan"), 2.0, 0.5]]
    drawn = ElementTree.fromstring(f"<g>{svg.cells(shares, 10, 20, 8)}</g>")
    squares = {path.get("opacity"): path.get("d") for path in drawn}
    assert squares == {
        "0.5": "M26 20h8v8h-8zM26 28h8v8h-8z",
        "1": "M18 20h8v8h-8zM18 28h8v8h-8z",
    }


def test_a_place_in_the_picture_presses_the_button_of_a_choice(
    shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = ElementTree.fromstring(svg.hit(0, 0, 9, 9, "side", 2))
    assert ".wb-of-side button')[2]?.click()" in mark.attrib["onclick"]
    sides = Choice("side", "", [(str(n), float(n)) for n in range(4)], 2.0, small=True)
    holder = live(Explorable(square, sides), monkeypatch).holders["side"]
    assert {"wb-of-side", "wb-small"} <= set(holder._dom_classes)
