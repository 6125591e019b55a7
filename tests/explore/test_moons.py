"""The two moons show the recorded frames, and record what the model says."""

import math
import random
import re
import struct
import zlib
from base64 import b64decode
from xml.etree import ElementTree

import pytest

from workbook.explore import moons, record_boundary, two_moons
from workbook.explore.svg import Panel

POINTS = [(-1.0, 0.0), (1.0, 0.0), (0.0, 1.0), (2.0, -0.5)]
LABELS = [-1, 1, -1, 1]


def upright(point: list[float]) -> float:
    """A boundary straight up at x = 0.5."""
    return point[0] - 0.5


def frames(count: int = 3) -> list:
    return [
        record_boundary(
            lambda p, s=step: s * upright(p), POINTS, LABELS, step, 1 / (1 + step), 6
        )
        for step in range(count)
    ]


def test_a_frame_holds_plain_floats_over_the_box_around_the_points() -> None:
    frame = record_boundary(upright, POINTS, LABELS, step=7, loss=0.25, grid=5)
    x0, x1, _, _ = moons.box_around(POINTS)
    assert (frame.step, frame.loss, frame.accuracy) == (7, 0.25, 1.0)
    assert len(frame.values) == 5 and all(len(row) == 5 for row in frame.values)
    assert frame.values[0][0] == x0 - 0.5 and frame.values[4][4] == x1 - 0.5
    assert all(type(value) is float for row in frame.values for value in row)


def test_the_lowest_y_comes_first() -> None:
    frame = record_boundary(lambda p: p[1], POINTS, grid=3)
    assert frame.values[0][0] < frame.values[2][0]
    assert frame.loss is None and frame.accuracy is None


def test_a_model_may_answer_with_a_value_a_tensor_or_a_list_of_one() -> None:
    import torch

    class Value:
        def __init__(self, data: float) -> None:
            self.data = data

    expected = record_boundary(upright, POINTS, LABELS, grid=3).values
    for wrap in (Value, torch.tensor, lambda v: [Value(v)], lambda v: [v]):
        found = record_boundary(lambda p, w=wrap: w(upright(p)), POINTS, grid=3)
        for row, right in zip(found.values, expected, strict=True):
            assert row == pytest.approx(right)


def test_the_loss_may_be_a_value() -> None:
    class Value:
        data = 0.5

    assert record_boundary(upright, POINTS, loss=Value(), grid=2).loss == 0.5


def test_title_table_and_picture_tell_the_same_step() -> None:
    page = two_moons(POINTS, LABELS, frames()).page(step=1)
    assert page.title == "Step 1: 100 % of the points on their side"
    assert ("1", "0.5", "100 %") in page.rows
    drawn = ElementTree.fromstring(page.svg())
    written = [node.text for node in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "step 1" in written and "0.5" in written and "100 %" in written


def test_where_no_kernel_runs_the_last_step_is_shown() -> None:
    assert two_moons(POINTS, LABELS, frames()).still == {"step": 2}


def test_the_two_classes_have_different_markers() -> None:
    drawn = two_moons(POINTS, LABELS, frames()).page().svg()
    root = ElementTree.fromstring(drawn)
    kinds = [
        node.tag.rpartition("}")[2]
        for node in root.iter()
        if node.attrib.get("class") in ("wb-positive", "wb-forward")
    ]
    assert kinds.count("circle") == 2 and kinds.count("rect") == 2


def test_the_zero_line_runs_where_the_score_changes_sign() -> None:
    plane = Panel(0, 0, 100, 100, (-1.0, 2.0), (0.0, 1.0))
    scores = [[x - 0.5 for x in (-1.0, 0.0, 1.0, 2.0)] for _ in range(3)]
    words = moons._zero_line(plane, scores)
    assert set(re.findall(r"[ML](\S+) ", words)) == {"50.0"}
    assert set(re.findall(r" ([\d.]+)", words)) == {"0.0", "50.0", "100.0"}


def test_a_model_that_says_one_thing_everywhere_has_no_line() -> None:
    plane = Panel(0, 0, 100, 100, (0, 1), (0, 1))
    assert moons._zero_line(plane, [[1.0, 2.0], [3.0, 4.0]]) == ""
    ElementTree.fromstring(
        two_moons(POINTS, LABELS, [(0, None, None, [[0.0] * 3] * 3)]).page().svg()
    )


def test_the_image_has_a_pixel_a_score_and_is_clear_at_zero() -> None:
    data = b64decode(moons._png([[-1.0, 0.0, 1.0], [2.0, 0.0, -2.0]], scale=1.0))
    assert struct.unpack(">2I", data[16:24]) == (3, 2)
    size = struct.unpack(">I", data[33:37])[0]
    raw = zlib.decompress(data[41 : 41 + size])
    top = [raw[1 + 4 * i : 5 + 4 * i] for i in range(3)]  # the highest y comes first
    assert top[1][3] == 0 and top[0][3] == top[2][3] > 100
    assert top[0][:3] == bytes.fromhex("E69F00")
    assert top[2][:3] == bytes.fromhex("0072B2")


def test_named_runs_are_switched_by_a_choice() -> None:
    runs = {"with zero_grad": frames(3), "without": frames(2)}
    thing = two_moons(POINTS, LABELS, runs)
    assert thing.set(run="without", step=2).page().title.startswith("Step 1")


def test_frames_may_come_from_a_function() -> None:
    assert two_moons(POINTS, LABELS, frames).page().title.startswith("Step 0")


def test_training_goes_one_step_a_frame_and_never_twice() -> None:
    steps: list[int] = []

    def train_step() -> float:
        steps.append(len(steps) + 1)
        return 1 / len(steps)

    thing = two_moons(
        POINTS, LABELS, model=upright, train_step=train_step, steps=9, grid=4
    )
    assert steps == []
    assert thing.page(step=3).title.startswith("Step 3")
    assert thing.page(step=2).title.startswith("Step 2")
    assert steps == [1, 2, 3]


def test_slow_training_answers_in_time_and_says_that_it_is_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moons, "PATIENCE", 0.0)
    thing = two_moons(POINTS, LABELS, model=upright, train_step=lambda: 1.0, grid=4)
    assert thing.page(step=30).look.startswith("Still training")
    assert len(thing.page(step=0).rows) >= 1


def test_without_frames_or_training_the_error_says_what_is_needed() -> None:
    with pytest.raises(ValueError, match="needs frames, or a model"):
        two_moons(POINTS, LABELS)
    assert "record at least one" in two_moons(POINTS, LABELS, []).page().title


def test_points_may_be_a_tensor() -> None:
    import torch

    thing = two_moons(torch.tensor(POINTS), torch.tensor(LABELS), frames())
    ElementTree.fromstring(thing.page().svg())


def ring(point: list[float]) -> float:
    """A boundary too small for a coarse grid: a circle around one point."""
    return 0.1 - math.hypot(point[0] - 1.03, point[1] - 0.02)


def wave(point: list[float]) -> float:
    return point[1] - 0.6 * math.sin(3 * point[0])


@pytest.mark.parametrize("model", [ring, wave])
@pytest.mark.parametrize("grid", [7, 12])
def test_every_point_is_drawn_on_the_side_on_which_the_model_has_it(model, grid):
    rng = random.Random(5)
    points = [(rng.uniform(-1, 2), rng.uniform(-1, 1)) for _ in range(120)]
    points.append((1.0, 0.0))
    labels = [1 if model(list(p)) > 0 else -1 for p in points]
    frame = record_boundary(model, points, labels, grid=grid)
    spots = moons._spots(points, len(frame.values))
    drawn = [moons._is_drawn_positive(frame.values, spot) for spot in spots]
    assert drawn == [label > 0 for label in labels] and frame.accuracy == 1
    coarse = record_boundary(model, points, grid=grid).values
    assert moons._misdrawn(coarse, moons._spots(points, grid), labels)


def test_the_side_of_a_spot_is_read_from_the_line_that_is_drawn() -> None:
    scores = [[x - 0.5 for x in (-1.0, 0.0, 1.0, 2.0)] for _ in range(3)]
    sides = [moons._is_drawn_positive(scores, (0.7, x)) for x in (0.1, 1.4, 1.6, 3.0)]
    assert sides == [False, False, True, True]


def test_a_finer_grid_keeps_the_values_that_it_had() -> None:
    fine = moons._finer([[0.0, 4.0], [8.0, 12.0]])
    assert fine[0] == [0, 1, 2, 3, 4] and fine[4] == [8, 9, 10, 11, 12]
    assert fine[2] == [4, 5, 6, 7, 8]
