"""A recorder forgets detail, never the extremes, the ends or what went wrong."""

import math
from array import array
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook.live.recorder import CHUNK, Pace, Recorder, Series, plain

numbers = st.floats(-1e12, 1e12)
anything = st.one_of(numbers, st.sampled_from([math.nan, math.inf, -math.inf]))
gaps = st.integers(0, 50)


def filled(values: list[float], gaps: list[int], points: int = 8) -> Series:
    series, step = Series(points), 0
    for value, gap in zip(values, gaps, strict=False):
        step += gap
        series.add(step, value)
    return series


@settings(deadline=None)
@given(st.lists(st.tuples(anything, gaps), min_size=1, max_size=300))
def test_thinning_keeps_extremes_ends_count_and_mean(pairs: list) -> None:
    values, steps = [v for v, _ in pairs], [g for _, g in pairs]
    series = filled(values, steps)
    finite = [v for v in values if math.isfinite(v)]
    buckets = series.buckets
    assert len(buckets) <= 8
    assert len(series) == len(values)
    assert series.low == min(finite, default=math.inf)
    assert series.high == max(finite, default=-math.inf)
    assert series.first == pytest.approx((steps[0], values[0]), nan_ok=True)
    assert series.last == pytest.approx((sum(steps), values[-1]), nan_ok=True)
    total = sum(b.total for b in buckets)
    assert total == pytest.approx(sum(finite), rel=1e-9, abs=1e-3)


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, gaps), min_size=1, max_size=300))
def test_buckets_follow_each_other_and_hold_a_value_that_was_logged(
    pairs: list,
) -> None:
    values = [v for v, _ in pairs]
    buckets = filled(values, [g for _, g in pairs]).buckets
    for before, after in pairwise(buckets):
        assert before.last < after.first
    for bucket in buckets:
        assert bucket.first <= bucket.step <= bucket.last
        assert bucket.sample in values
        assert bucket.low <= bucket.sample <= bucket.high


@settings(deadline=None)
@given(st.lists(anything, min_size=1, max_size=200))
def test_the_first_nan_or_infinity_is_remembered_with_its_step(values: list) -> None:
    series = filled(values, [1] * len(values))
    len(series.buckets)
    odd = [(i + 1, v) for i, v in enumerate(values) if not math.isfinite(v)]
    if odd:
        assert series.trouble == pytest.approx(odd[0], nan_ok=True)
        assert sum(b.odd for b in series.buckets) == len(odd)
    else:
        assert series.trouble is None


@settings(deadline=None)
@given(st.lists(anything, min_size=1, max_size=200))
def test_the_smoothed_line_stays_within_the_values(values: list) -> None:
    series = filled(values, [1] * len(values), points=64)
    finite = [v for v in values if math.isfinite(v)]
    for _, mean in series.smoothed():
        slack = 1e-9 * max(map(abs, finite), default=0)
        assert math.isnan(mean) or min(finite) - slack <= mean <= max(finite) + slack


def test_a_million_steps_take_the_room_of_a_few_hundred() -> None:
    series = Series()
    for step in range(1_000_000):
        series.add(step, 1.0)
    assert len(series._steps) < CHUNK and isinstance(series._values, array)
    assert len(series.buckets) <= 320
    assert len(series) == 1_000_000
    assert series.width == 4096


def test_the_first_value_of_the_line_is_the_first_loss() -> None:
    series = filled([27.0, 9.0, 3.0] + [2.0] * 200, [1] * 203, points=320)
    assert series.smoothed()[0] == (1, 27.0)


def test_a_short_run_is_not_smoothed() -> None:
    values = [3.0, 1.0, 4.0, 1.0, 5.0]
    series = filled(values, [1] * 5)
    assert [y for _, y in series.smoothed()] == values
    assert series.now == 5.0


def test_now_is_the_mean_of_the_last_values_and_nan_once_they_are() -> None:
    series = filled([1.0] * 100 + [2.0] * 100, [1] * 200, points=320)
    assert series.now == 2.0
    series.add(999, math.nan)
    assert math.isnan(series.now)


def test_train_and_dev_are_kept_apart() -> None:
    recorder = Recorder(10)
    for step in range(10):
        recorder.log(step, loss=1.0, dev=2.0 if step % 5 == 0 else None)
    assert len(recorder.series["loss"]) == 10
    assert [b.step for b in recorder.series["dev"].buckets] == [0, 5]
    assert recorder.series["loss"].high == 1.0 < recorder.series["dev"].low


def test_the_speed_is_that_of_the_last_seconds_and_pauses_do_not_count() -> None:
    now = [100.0]
    recorder = Recorder(1000, clock=lambda: now[0])
    recorder.mark(0)
    for done in (10, 20, 30):
        now[0] += 1.0
        recorder.mark(done)
    assert recorder.rate == 10.0
    assert recorder.left == 97.0
    recorder.pause()
    now[0] += 60.0
    assert recorder.elapsed == 3.0
    recorder.go_on()
    now[0] += 1.0
    recorder.mark(40)
    assert (recorder.elapsed, recorder.rate) == (4.0, 10.0)
    for done in range(140, 1000, 100):  # ten times as fast from now on
        now[0] += 1.0
        recorder.mark(done)
    assert recorder.rate == 100.0


def test_before_the_first_step_nothing_is_promised() -> None:
    recorder = Recorder(10)
    assert (recorder.elapsed, recorder.rate) == (0.0, 0.0)
    assert math.isnan(recorder.left)


def test_a_pace_spends_no_more_than_its_share() -> None:
    pace = Pace(hz=10, share=0.01)
    pace.spent(now=5.0, cost=0.5)  # the first warms up
    assert pace.next == pytest.approx(5.1)
    pace.spent(now=5.1, cost=0.004)
    assert pace.next == pytest.approx(5.5)
    pace.spent(now=5.5, cost=0.0)
    assert pace.next - 5.5 >= 0.1


class Number:
    """A value as our own engine makes them."""

    def __init__(self, data: float) -> None:
        self.data = data


def test_floats_tensors_and_values_are_all_numbers() -> None:
    import torch

    given = [2, 2.0, Number(2.0), torch.tensor(2.0), torch.tensor([2.0])]
    given.append(torch.tensor(2.0, requires_grad=True) * 1)
    assert [plain(x) for x in given] == [2.0] * 6
    series = Series()
    for step, x in enumerate(given):
        series.add(step, x)
    assert (series.low, series.high, len(series)) == (2.0, 2.0, 6)


@pytest.mark.parametrize("wrong", ["text", [1.0, 2.0], None, object()])
def test_what_is_no_number_is_refused_in_words(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"log\(\) takes one number"):
        Series().add(0, wrong)


def test_a_tensor_of_several_numbers_is_refused_with_its_shape() -> None:
    import torch

    with pytest.raises(TypeError, match=r"shape \(3, 2\)"):
        Series().add(0, torch.zeros(3, 2))
