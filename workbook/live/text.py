"""A run in a terminal: one line, written over itself."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, TextIO

from workbook.live import words

if TYPE_CHECKING:
    from workbook.live.run import Run

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 24  # characters of the small curve


class Text:
    """The view of a run as text; on a terminal it is renewed in place."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stderr
        self.lives = bool(getattr(self.out, "isatty", lambda: False)())
        self.longest = 0

    def show(self, run: Run) -> None:
        """How to stop it, where somebody can."""
        if self.lives:
            print("Ctrl-C ends the run after its step; twice breaks it.", file=self.out)

    def draw(self, run: Run) -> None:
        """The line as it is now."""
        if self.lives:
            self._write("\r" + self._padded(line(run)))

    def end(self, run: Run) -> None:
        """The last line stays."""
        lead = "\r" if self.lives else ""
        self._write(f"{lead}{self._padded(line(run))}\n")

    def steers(self) -> bool:
        """A terminal has the interrupt key alone."""
        return False

    def _padded(self, words: str) -> str:
        self.longest = max(self.longest, len(words))
        return words.ljust(self.longest) if self.lives else words

    def _write(self, words: str) -> None:
        self.out.write(words)
        self.out.flush()


def line(run: Run) -> str:
    """Title, a small curve, and the numbers of the moment, in one line."""
    parts = [f"{what} {value}" for what, value in words.numbers(run)]
    curve = sparkline([y for _, y in run.recorder.of("loss").smoothed()])
    lead = words.title(run) if run.title or run.over or run.paused else ""
    return "  ".join(filter(None, [lead, curve, *parts]))


def sparkline(values: list[float], width: int = WIDTH) -> str:
    """Values as a row of bars; a cross where a value is not finite."""
    if len(values) < 2:
        return ""
    places = range(min(width, len(values)))
    last = max(1, len(places) - 1)
    values = [values[round(i * (len(values) - 1) / last)] for i in places]
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return "×" * len(values)
    low, wide = min(finite), (max(finite) - min(finite)) or 1.0
    return "".join(
        BARS[round((v - low) / wide * 7)] if math.isfinite(v) else "×" for v in values
    )
