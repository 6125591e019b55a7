"""A view that only remembers what it was asked, and runs that have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workbook import live
from workbook.live.run import Run


class Watcher:
    """A view for tests. fails: the act that raises."""

    def __init__(self, fails: str = "", steers: bool = True) -> None:
        self.acts: list[str] = []
        self.states: list[str] = []
        self.fails, self.works = fails, steers
        self.on_draw: Callable[[Run], None] = lambda run: None

    def _asked(self, act: str, run: Run) -> None:
        self.acts.append(act)
        self.states.append(run.state)
        if act == self.fails:
            raise RuntimeError("the display broke")

    def show(self, run: Run) -> None:
        self._asked("show", run)

    def draw(self, run: Run) -> None:
        self._asked("draw", run)
        self.on_draw(run)

    def end(self, run: Run) -> None:
        self._asked("end", run)

    def steers(self) -> bool:
        return self.works


@pytest.fixture
def watched() -> Callable[..., tuple[Run, Watcher]]:
    """A run of so many steps, and the view that watches it."""

    def make(
        steps: int, fails: str = "", steers: bool = True, **options: Any
    ) -> tuple[Run, Watcher]:
        run = live.train(steps, view="none", **options)
        run._view = watcher = Watcher(fails, steers)
        run._observing.share = 1.0  # as often as it can be
        run._observing.gap = 0.0
        return run, watcher

    return make
