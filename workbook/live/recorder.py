"""What a run remembers, in a bounded number of points however long it is.

Pure Python, without a display; a script can use it as it is:

    recorder = Recorder(steps=1_000_000)
    for step in range(1_000_000):
        recorder.log(step, loss=train_step())
    recorder.series["loss"].smoothed()     # [(step, loss), ...], at most 320 of them

A `Series` keeps each value while there are few. Beyond its limit it joins neighbours
into buckets of 2, 4, 8, ... steps; a bucket knows how many values it holds, their sum,
the smallest and the largest, and one of them as it was.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from time import perf_counter
from typing import Any

POINTS = 320  # buckets of a series, at most
CHUNK = 1024  # values taken in before they are sorted into buckets
WINDOW = 30  # the smoothed line averages over about the last 1/30 of the points
NO_TENSOR = (AttributeError, TypeError, ValueError, RuntimeError)  # of `.item()`
MEMORY = 4.0  # seconds over which the speed is measured


@dataclass(slots=True)
class Bucket:
    """Neighbouring values. `count`, `total`, `low`, `high` are of the finite ones."""

    first: int  # step of the first value
    last: int  # step of the last value
    sample: float  # one value as it was logged
    count: int = 0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    odd: int = 0  # values that are NaN or infinite

    @property
    def step(self) -> float:
        """The middle of its steps."""
        return (self.first + self.last) / 2

    @property
    def mean(self) -> float:
        """Of the finite values; NaN where there is none."""
        return self.total / self.count if self.count else math.nan

    def join(self, later: Bucket) -> None:
        """Take in the bucket that follows."""
        self.last = later.last
        if not math.isfinite(self.sample):
            self.sample = later.sample
        self.count += later.count
        self.total += later.total
        self.low = min(self.low, later.low)
        self.high = max(self.high, later.high)
        self.odd += later.odd


class Series:
    """One number over the steps, thinned to at most `points` buckets."""

    def __init__(self, points: int = POINTS) -> None:
        self.points = points
        self.width = 1  # steps a bucket spans
        self.first: tuple[int, float] | None = None  # (step, value), as logged
        self.last: tuple[int, float] | None = None
        self.trouble: tuple[int, float] | None = None  # the first NaN or infinity
        self._buckets: list[Bucket] = []
        self._steps, self._values = array("q"), array("d")

    def add(self, step: int, value: Any) -> None:
        """Take a number: float, tensor of one element, or anything with `.data`.

        Steps must not go back. Raises TypeError for what is not one number.
        """
        try:
            self._values.append(value.item())
        except NO_TENSOR:
            self._values.append(plain(value))
        self._steps.append(step)
        if len(self._steps) >= CHUNK:
            self.settle()

    @property
    def buckets(self) -> list[Bucket]:
        """All values so far, in order."""
        self.settle()
        return self._buckets

    def __len__(self) -> int:
        """How many values were logged, the odd ones included."""
        return sum(b.count + b.odd for b in self.buckets)

    @property
    def low(self) -> float:
        """The smallest finite value of all; infinity where there is none."""
        return min((b.low for b in self.buckets), default=math.inf)

    @property
    def high(self) -> float:
        """The largest finite value of all; minus infinity where there is none."""
        return max((b.high for b in self.buckets), default=-math.inf)

    @property
    def now(self) -> float:
        """The smoothed value at the end; what was logged last, where that is odd."""
        buckets = self.buckets
        if self.last is None or not math.isfinite(self.last[1]):
            return self.last[1] if self.last else math.nan
        return _average(buckets[-1 - _back(buckets) :])

    def smoothed(self) -> list[tuple[float, float]]:
        """(step, mean) over a window; NaN where no value was finite.

        It reaches back only, so that what somebody turns is not seen before it was
        turned. At the left end it shrinks: the first value is shown as it was.
        """
        buckets = self.buckets
        back = _back(buckets)
        counts = [0, *accumulate(b.count for b in buckets)]
        totals = [0.0, *accumulate(b.total for b in buckets)]
        line = []
        for i, bucket in enumerate(buckets):
            start = i - min(back, i // 4)  # short at first, where a loss falls fast
            count = counts[i + 1] - counts[start]
            whole = bucket.count and count
            mean = (totals[i + 1] - totals[start]) / count if whole else math.nan
            if mean <= 0 < bucket.low:  # tiny ones behind large ones: lost in the sums
                mean = bucket.mean
            line.append((bucket.step, mean))
        return line

    def settle(self) -> None:
        """Sort what was taken in into buckets."""
        steps, values = self._steps[:], self._values[:]
        if not steps:
            return
        del self._steps[:], self._values[:]
        self.first = self.first or (steps[0], values[0])
        self.last = (steps[-1], values[-1])
        start = 0
        while start < len(steps):
            edge = (steps[start] // self.width + 1) * self.width
            end = bisect_left(steps, edge, start)
            self._take(steps[start:end], values[start:end])
            start = end
        while len(self._buckets) > self.points:
            self._halve()

    def _take(self, steps: array[int], values: array[float]) -> None:
        """Values of one bucket's span, into the last bucket or a new one."""
        new = Bucket(steps[0], steps[-1], values[0])
        total = sum(values)
        if math.isfinite(total):
            new.count, new.total = len(values), total
            new.low, new.high = min(values), max(values)
        else:
            self._take_odd(new, steps, values)
        if self._buckets and self._buckets[-1].first // self.width == (
            steps[0] // self.width
        ):
            self._buckets[-1].join(new)
        else:
            self._buckets.append(new)

    def _take_odd(self, new: Bucket, steps: array[int], values: array[float]) -> None:
        """The same where some are NaN or infinite, or their sum is."""
        for step, value in zip(steps, values, strict=True):
            if math.isfinite(value):
                new.join(Bucket(step, step, value, 1, value, value, value))
            else:
                new.odd += 1
                self.trouble = self.trouble or (step, value)
        new.last = steps[-1]

    def _halve(self) -> None:
        """Twice the steps in each bucket."""
        self.width *= 2
        kept: list[Bucket] = []
        for bucket in self._buckets:
            if kept and kept[-1].first // self.width == bucket.first // self.width:
                kept[-1].join(bucket)
            else:
                kept.append(bucket)
        self._buckets = kept


class Recorder:
    """The numbers of one run, each name apart, and its clock.

    steps: how many there will be. clock: seconds, for tests.
    """

    def __init__(
        self,
        steps: int,
        points: int = POINTS,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.steps = steps
        self.points = points
        self.done = 0  # steps behind us
        self.series: dict[str, Series] = {}
        self._clock = clock
        self._began: float | None = None
        self._halted: float | None = None
        self._rested = 0.0  # seconds spent in pauses
        self._marks: deque[tuple[float, int]] = deque()

    def log(self, step: int, **values: Any) -> None:
        """Numbers of one step, by name; None is left out."""
        for name, value in values.items():
            if value is not None:
                self.of(name).add(step, value)

    def of(self, name: str) -> Series:
        """The series of a name; a new one where there is none yet."""
        if name not in self.series:
            self.series[name] = Series(self.points)
        return self.series[name]

    def mark(self, done: int) -> None:
        """Note how far the run is; the speed is measured between such notes."""
        if self._began is None:
            self._began = self._clock()
        self.done = done
        self._marks.append((self.elapsed, done))
        while len(self._marks) > 2 and self._marks[1][0] < self.elapsed - MEMORY:
            self._marks.popleft()

    def pause(self) -> None:
        """Stop the clock."""
        if self._halted is None:
            self._halted = self._clock()

    def go_on(self) -> None:
        """Let the clock run again; the time between counts for nothing."""
        if self._halted is not None:
            self._rested += self._clock() - self._halted
            self._halted = None

    @property
    def elapsed(self) -> float:
        """Seconds of the run so far, pauses left out."""
        if self._began is None:
            return 0.0
        now = self._clock() if self._halted is None else self._halted
        return now - self._began - self._rested

    @property
    def rate(self) -> float:
        """Steps per second over the last seconds; 0 while it is not known."""
        if not self._marks:
            return 0.0
        (began, at), (ended, to) = self._marks[0], self._marks[-1]
        return (to - at) / (ended - began) if ended > began else 0.0

    @property
    def left(self) -> float:
        """Seconds still to go at this speed; NaN while it is not known."""
        return (self.steps - self.done) / self.rate if self.rate else math.nan


class Pace:
    """When a costly act may come again: `hz` times a second at most, and never
    more than `share` of the time, whatever it costs.
    """

    def __init__(self, hz: float, share: float) -> None:
        self.gap, self.share = 1 / hz, share
        self.next = 0.0
        self.cost: float | None = None  # seconds, smoothed

    def spent(self, now: float, cost: float) -> None:
        """The act has ended at `now` and took `cost` seconds."""
        first = self.cost is None  # it loads and warms up: no measure of the next
        self.cost = 0.0 if first else 0.6 * (self.cost or cost) + 0.4 * cost
        self.next = now + max(self.gap, self.cost / self.share)


def plain(value: Any) -> float:
    """A float from a number, a tensor of one element or anything with `.data`."""
    try:
        if hasattr(value, "item"):
            return float(value.item())
        return float(getattr(value, "data", value))
    except (TypeError, ValueError, RuntimeError):
        shape = tuple(getattr(value, "shape", ()))
        kind = type(value).__name__ + (f" of shape {shape}" if shape else "")
        raise TypeError(f"log() takes one number for a name, not a {kind}.") from None


def _back(buckets: list[Bucket]) -> int:
    """How many points the window reaches back: none below 60 points."""
    return max(0, len(buckets) // WINDOW - 1)


def _average(buckets: list[Bucket]) -> float:
    count = sum(b.count for b in buckets)
    return sum(b.total for b in buckets) / count if count else math.nan
