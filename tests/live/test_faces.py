"""Every face of a run says the same, and stays readable whatever the numbers are."""

import io
import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from workbook import live
from workbook.live import panels, scene, still, text, widget, words
from workbook.live.run import Run
from workbook.live.scene import Look

LOOK = Look()
anything = st.one_of(
    st.floats(-1e9, 1e9), st.sampled_from([math.nan, math.inf, -math.inf, 0.0])
)


def logged(values: list[float], **options: Any) -> Run:
    run = live.train(len(values), view="none", **options)
    for step in run:
        run.log(loss=values[step])
    return run


def trained(watched: Callable, steps: int = 60, **options: Any) -> Run:
    torch.manual_seed(0)
    run, _ = watched(steps, lr=0.1, **options)
    model = nn.Sequential(nn.Linear(3, 9), nn.Tanh(), nn.Linear(9, 9), nn.Tanh())
    for step in run:
        loss = (model(torch.randn(16, 3)) - 0.5).square().mean()
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= run.lr * p.grad
        run.log(loss=loss, model=model, dev=2.0 if step % 20 == 0 else None)
    return run


def well_formed(run: Run, look: Look = LOOK) -> list[ElementTree.Element]:
    drawn = [ElementTree.fromstring(x) for x in widget.drawn_panels(run, look)]
    for number in re.findall(r'[ "M](-?(?:nan|inf))', str(drawn)):
        raise AssertionError(number)
    return drawn


@settings(deadline=None, max_examples=60)
@given(st.lists(anything, max_size=60), st.booleans())
def test_any_losses_make_a_well_formed_picture(values: list, log: bool) -> None:
    run = logged(values, reference=(1.0, "a <reference> & more"))
    for panel in well_formed(run, Look(log=log)):
        for path in panel.iter("{http://www.w3.org/2000/svg}path"):
            assert "nan" not in path.attrib["d"] and "inf" not in path.attrib["d"]
    assert words.text(run)
    assert text.line(run)


@settings(deadline=None, max_examples=8)
@given(st.lists(anything, max_size=30), st.booleans())
def test_any_losses_make_a_still_picture(values: list, log: bool) -> None:
    assert still.png(logged(values), Look(log=log))[:4] == b"\x89PNG"


def test_nan_is_shown_as_such_in_every_face() -> None:
    run = logged([3.0, 2.0, math.nan, math.nan])
    assert "loss is NaN from step 2" in widget.still_html(run, LOOK)
    assert words.title(run) == "4 steps: loss NaN from step 2"
    assert ("loss", "NaN") in words.numbers(run)
    assert "×" in text.line(run)
    assert "inf from step 1" in words.sentence(logged([3.0, math.inf]))


def test_the_sentence_says_how_it_ended() -> None:
    run = live.train(10, view="none")
    assert words.sentence(run) == "10 steps to go"
    for step in run:
        run.log(loss=4.0 - 0.5 * step)
        if step == 4:
            run.stop()
    assert words.sentence(run) == "Stopped at step 5: loss 4 to 2"
    run.state, run.reason = "failed", "ValueError"
    assert words.sentence(run) == "ValueError at step 5: loss 4 to 2"


def test_a_number_from_before_the_end_says_of_which_step_it_is() -> None:
    run = live.train(10, view="none")
    for step in run:
        run.log(loss=4.0 + step)
        if step == 3:
            run.log(dev=2.5)
            assert ("dev", "2.5") in words.numbers(run)
        if step == 7:
            run.stop()
    assert ("dev at step 3", "2.5") in words.numbers(run)
    assert [name for name, _ in words.numbers(run)][:2] == ["step", "loss"]


def test_an_authors_title_gives_way_to_what_went_wrong() -> None:
    run = live.train(3, title="The gap closes", view="none")
    list(run)
    assert words.title(run) == "The gap closes"
    run.state, run.reason = "failed", "ValueError"
    assert words.title(run) == "ValueError at step 2"


def test_panels_come_with_what_is_logged(watched: Callable) -> None:
    assert len(widget.drawn_panels(logged([1.0, 2.0]), LOOK)) == 1
    run = trained(watched)
    assert len(widget.drawn_panels(run, LOOK)) == 4
    chosen = trained(watched, panels=("loss", "updates"))
    told = "".join(widget.drawn_panels(chosen, LOOK))
    assert "Updates" in told and "Activations" not in told


ALL = ("loss", "activations", "gradients", "saturation", "updates")


def test_the_image_of_what_is_stuck_counts_as_the_layer_does(watched: Callable) -> None:
    run = trained(watched, panels=ALL)
    assert len(well_formed(run)) == 5
    first, last = (x for x in run.seen.layers if x.kind == "Tanh")
    shown = scene.saturation(run.seen, LOOK)
    assert shown is not None and shown.name == "1 Tanh" == first.name
    assert len(shown.cells) == 16 and len(shown.cells[0]) == 9
    assert shown.share == pytest.approx(first.output.spread.stuck)
    picked = scene.saturation(run.seen, Look(layer="2 Linear"))
    assert picked is not None and picked.name == last.name
    assert "Saturation" in widget.still_html(run, LOOK)
    assert still.png(run)[:4] == b"\x89PNG"


def test_a_unit_is_dead_where_it_is_stuck_for_every_example(watched: Callable) -> None:
    relu = nn.ReLU()
    with torch.no_grad():
        pushed = torch.tensor([[-1.0, 2.0, 3.0], [-2.0, -1.0, 4.0]])
        run, _ = watched(2, panels=ALL)
        for _ in run:
            relu(pushed)
            run.log(loss=1.0, model=relu)
    shown = scene.saturation(run.seen, LOOK)
    assert shown is not None and (shown.word, shown.dead) == ("zero", 1)
    assert shown.cells == [[True, False, False], [True, True, False]]
    drawn = panels.saturation(shown)
    assert "1 unit for all 2 examples" in drawn
    ElementTree.fromstring(drawn)


def test_without_a_layer_that_can_be_stuck_there_is_no_such_image(
    watched: Callable,
) -> None:
    linear = nn.Linear(3, 2)
    run, _ = watched(2, panels=("saturation",))
    for _ in run:
        linear(torch.zeros(4, 3))
        run.log(loss=1.0, model=linear)
    assert scene.saturation(run.seen, LOOK) is None
    assert widget.drawn_panels(run, LOOK) == []


def test_the_table_has_the_numbers_of_the_panels(watched: Callable) -> None:
    run = trained(watched)
    header, rows = words.table(run)
    assert [row[0] for row in rows][:3] == ["0 Linear", "0.weight", "0.bias"]
    tanh = next(row for row in rows if row[0] == "1 Tanh")
    shown = scene.activations(run.seen, LOOK)
    assert shown is not None and tanh[3] == shown.rows[0].cells[2]
    assert len(header) == len(rows[0])
    assert "<td>0.weight</td>" in widget.table(run)


def test_a_picked_layer_stands_out_in_every_panel(watched: Callable) -> None:
    run = trained(watched)
    look = Look(layer="2 Linear")
    activations = scene.activations(run.seen, look)
    gradients = scene.gradients(run.seen, look)
    updates = scene.updates(run, look)
    assert activations and gradients and updates
    assert [r.name for r in activations.rows if r.picked] == ["2 Linear"] or [
        r.name for r in activations.rows if r.picked
    ] == ["3 Tanh"]
    assert [r.name for r in gradients.rows if r.picked] == ["2.weight"]
    assert [x.name for x in updates.lines if x.picked] == ["2.weight"]
    assert "wb-bold" in panels.rows(gradients, "Gradients", "backward")


def test_a_layer_that_is_not_there_picks_nothing(watched: Callable) -> None:
    run = trained(watched)
    shown = scene.gradients(run.seen, Look(layer="no such layer"))
    assert shown is not None and not any(row.picked for row in shown.rows)


def test_of_many_layers_some_are_shown_first_and_last_among_them(
    watched: Callable,
) -> None:
    run, _ = watched(4)
    model = nn.Sequential(
        *[nn.Sequential(nn.Linear(2, 2), nn.Tanh()) for _ in range(30)]
    )
    for _ in run:
        loss = model(torch.ones(2, 2)).sum()
        loss.backward()
        run.log(loss=loss, model=model)
    shown = scene.gradients(run.seen, Look(layer="16.0 Linear"))
    assert shown is not None
    names = [row.name for row in shown.rows]
    assert names[0] == "0.0.weight" and names[-1] == "29.0.weight"
    assert "16.0.weight" in names and len(names) <= scene.ROWS + 1


def test_an_early_tower_does_not_flatten_the_rest() -> None:
    run = logged([27.0, 20.0, 9.0] + [2.0 + 0.01 * (i % 9) for i in range(400)])
    shown = scene.losses(run, LOOK)
    assert shown.ylim[1] < 5
    assert [e.words for e in shown.events if e.kind == "above"] == ["↑ 27"]
    logarithmic = scene.losses(run, Look(log=True))
    assert 10 ** logarithmic.ylim[1] > 27 and not logarithmic.events


def test_a_reference_far_away_is_an_arrow() -> None:
    run = logged([1.0 - 0.001 * i for i in range(100)], reference=(50.0, "far"))
    assert "far 50 ↑" in "".join(widget.drawn_panels(run, LOOK))


def test_references_may_be_a_number_a_pair_or_several() -> None:
    assert live.train(1, reference=2.0).references == {"": 2.0}
    assert live.train(1, reference=(2.0, "x")).references == {"x": 2.0}
    assert live.train(1, reference={"x": 2, "y": 3}).references == {"x": 2.0, "y": 3.0}


def test_events_at_one_place_do_not_cover_each_other() -> None:
    run = live.train(1000, lr=0.1, view="none")
    for step in run:
        run.log(loss=1.0 / (step + 1))
        if step in (500, 520, 540):
            run.steer(0.1 / step)
            run.recorder._marks.clear()
    events = scene.losses(run, LOOK).events
    turns = [e for e in events if e.kind == "turn"]
    assert len({e.level for e in turns}) == len(turns) == 3


def test_labels_at_the_end_of_lines_stay_apart_and_in_order() -> None:
    placed = panels.apart([100.0, 101.0, 102.0, 230.0], 20, 230)
    assert placed == sorted(placed) and placed[-1] <= 230
    gaps = [b - a for a, b in pairwise(placed)]
    assert min(gaps) >= panels.APART - 1e-9


def test_the_axis_holds_still_and_is_filled_by_four_fifths() -> None:
    run = live.train(1000, view="none")
    ends = []
    for step in run:
        run.recorder.done = step
        ends.append(scene._reach(run))
    assert len(set(ends)) < 30
    assert all(e >= s for s, e in enumerate(ends))
    assert all(s >= e / 1.3 for s, e in enumerate(ends) if s > 20)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.84, "0.8 s"), (42.2, "42 s"), (200, "3 min 20 s"), (3000, "50 min")],
)
def test_times_are_told_in_at_most_two_units(seconds: float, told: str) -> None:
    assert words.duration(seconds) == told
    assert words.duration(7500) == "2 h 5 min"
    assert words.duration(math.nan) == "?"


def test_the_still_picture_is_small_and_white(watched: Callable) -> None:
    from PIL import Image

    picture = still.png(trained(watched))
    assert len(picture) < 120_000
    size = still.size(picture)
    assert size["width"] == 700
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    assert image.getpixel((3, image.height - 3)) == (255, 255, 255)


def test_a_run_shows_its_picture_where_it_is_asked_for(watched: Callable) -> None:
    import matplotlib.pyplot as plt

    run = trained(watched)
    figure = run.figure()
    assert [ax.get_title(loc="left") for ax in figure.axes][1:] == [
        "Activations",
        "Gradients",
        "Updates : data, log10",
    ]
    assert run._repr_png_()[:4] == b"\x89PNG"
    assert plt.get_fignums() == []  # no figure is left open


# ------------------------------------------------------------ a terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_one_line_written_over_itself() -> None:
    out = Terminal()
    run = live.train(50, lr=0.1, view="none")
    run._view = text.Text(out)
    run._drawing.gap = 0.0
    for step in run:
        run.log(loss=3.0 - 0.05 * step)
    lines = out.getvalue().split("\n")
    assert lines[0].startswith("Ctrl-C ends the run")
    assert lines[1].count("\r") > 1 and lines[2] == ""
    assert lines[1].split("\r")[-1].startswith("50 steps: loss 3 to 0.55  █")


def test_where_the_text_goes_to_a_file_one_line_is_left() -> None:
    out = io.StringIO()
    run = live.train(50, view="none")
    run._view = text.Text(out)
    for _ in run:
        run.log(loss=1.0)
    assert out.getvalue().count("\n") == 1 and "\r" not in out.getvalue()


def test_a_small_curve_falls_with_the_loss() -> None:
    assert text.sparkline([8.0, 7, 6, 5, 4, 3, 2, 1]) == "█▇▆▅▄▃▂▁"
    assert text.sparkline([1.0, math.nan, 0.0]) == "█×▁"
    assert text.sparkline([1.0]) == ""
    assert len(text.sparkline([float(i) for i in range(999)])) == text.WIDTH


# ------------------------------------------------------------ the widget, no page


class Silent:
    """A twin that is shown to nobody."""

    def __init__(self, box: Any, told: str) -> None:
        self.renewed: list[bytes] = []
        self.html: list[str] = []

    def renew(self, picture: bytes, told: str) -> None:
        self.renewed.append(picture)

    def renew_html(self, html: str, told: str) -> None:
        self.html.append(html)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, watched: Callable) -> widget.Widget:
    monkeypatch.setattr(widget, "Twin", Silent)
    return widget.Widget()


def test_the_widget_draws_what_the_run_says(
    shown: widget.Widget, watched: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widget, "reach_a_busy_kernel", lambda: True)
    run, _ = watched(30, lr=0.1)
    run._view = shown
    for step in run:
        run.log(loss=2.0 / (step + 1))
        if step == 10:
            shown.controls.rate.value = 0.01
        if step == 20:
            assert run.lr == 0.01
            shown.controls.axis.value = True
    assert "30 steps: loss 2 to 0.0667" in shown.head.value
    assert "lr 0.01" in shown.picture.value
    assert shown.controls.look.log
    assert len(shown.twin.renewed) == 1
    assert shown.controls.pause.layout.display == "none"
    shown.controls.axis.value = False  # after the end it is drawn at once
    assert "wb-panels" in shown.picture.value


def test_a_button_only_sets_what_the_loop_reads(
    shown: widget.Widget, watched: Callable
) -> None:
    run, _ = watched(30, lr=0.1)
    run._view = shown
    sent = []
    for step in run:
        if step == 3:
            shown.head.observe(lambda change: sent.append(change), "value")
            shown.controls.stop.click()
            assert run.stopping and sent == []
    assert run.state == "stopped" and run.step == 4


def test_without_a_subshell_the_widget_says_so_and_is_closed_at_the_end(
    shown: widget.Widget, watched: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widget, "PATIENCE", 0.0)
    run, _ = watched(30)
    run._view = shown
    for step in run:
        run.log(loss=1.0)
        if step == 20:
            run.asked = True
        if step == 21:
            assert "cannot send controls" in shown.note.value
            assert shown.controls.box.layout.display == "none"
    assert shown.box.comm is None


def test_a_run_without_a_learning_rate_has_no_slider(
    shown: widget.Widget, watched: Callable
) -> None:
    run, _ = watched(3)
    run._view = shown
    list(run)
    assert shown.controls.rate is None


def test_the_slider_begins_at_the_learning_rate_and_multiplies_a_schedule(
    shown: widget.Widget, watched: Callable
) -> None:
    run, _ = watched(10, lr=0.03)
    run._view = shown
    list(run)
    assert shown.controls.rate.value == pytest.approx(0.03)
    run, _ = watched(10, lr=lambda step: 0.1 / (step + 1))
    run._view = other = widget.Widget()
    for step in run:
        if step == 4:
            other.controls.rate.value = 0.5
    assert run.lr == pytest.approx(0.1 / 10 * 0.5)


def test_a_rate_that_the_page_tells_back_is_no_steering(
    shown: widget.Widget, watched: Callable
) -> None:
    run, _ = watched(10, lr=0.3)
    run._view = shown
    for step in run:
        if step == 4:
            shown.controls.rate.value *= 1 + 1e-12
    assert run.turns == [] and run.lr == 0.3


def test_a_screen_reader_hears_changes_and_not_every_picture(
    shown: widget.Widget, watched: Callable
) -> None:
    run, _ = watched(200)
    run._view = shown
    run._drawing.gap = 0.0
    said: list[str] = []
    for step in run:
        run.log(loss=1.0)
        if step == 0:
            shown.said.observe(lambda change: said.append(change["new"]), "value")
        run.asked = True
    assert len(said) == 1 and "200 steps" in said[0]
