"""What moves on the front page: it follows progress.json, and its boxes can be ticked.

The kernel of the page looks every second whether progress.json has changed, and then
draws anew what depends on it. The picture lives in an Output widget: its links open in
the same window, and a page that was closed and opened again finds it as it is now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ipywidgets as widgets

from workbook import front
from workbook.explore.page import publish
from workbook.progress import Progress, ProgressError, default_path
from workbook.tracker import Box, Overview, Standing, overview

Stamp = tuple[int, int] | None

SECONDS = 1.0  # between two looks at the file


class Picture:
    """The overview, drawn anew at each change."""

    def __init__(self, now: Overview) -> None:
        self.widget = widgets.Output()
        self.update(now)

    def update(self, now: Overview) -> None:
        data = {
            "text/html": front.overview_html(now, live=True),
            "text/plain": now.text(),
        }
        self.widget.outputs = (
            {"output_type": "display_data", "data": data, "metadata": {}},
        )


class Boxes:
    """The tracker: what no exercise ticks is ticked here."""

    def __init__(self, now: Overview) -> None:
        self.said = widgets.HTML(front.tracker_sheet())
        self.of: dict[str, Any] = {}
        blocks = [self._block(one) for one in now.standings]
        grid = widgets.GridBox(blocks).add_class("wb-grid")
        self.widget = widgets.VBox([self.said, grid]).add_class("wb-x")
        self.widget.add_class("wb-f")

    def _block(self, one: Standing) -> widgets.VBox:
        rows = [self._row(box) for box in one.boxes]
        return widgets.VBox([widgets.HTML(front.lesson_heading(one.lesson)), *rows])

    def _row(self, box: Box) -> Any:
        if box.by_hand:
            row = widgets.Checkbox(box.ticked, description=box.item.text, indent=False)
            row.observe(lambda change: self._tick(box.item.id, change.new), "value")
        else:
            row = widgets.HTML(front.box_html(box))
        self.of[box.item.id] = row.add_class("wb-row")
        return row

    def update(self, now: Overview) -> None:
        for box in (box for one in now.standings for box in one.boxes):
            wanted = box.ticked if box.by_hand else front.box_html(box)
            self.of[box.item.id].value = wanted

    def _tick(self, item_id: str, ticked: bool) -> None:
        """Store a tick at once; where that fails, say so."""
        progress = Progress.load()
        if progress.ticked(item_id) == ticked:
            return
        try:
            (progress.tick if ticked else progress.untick)(item_id)
        except ProgressError as error:
            self.said.value = front.tracker_sheet(str(error))
        else:
            follow()


KINDS = {"show_overview": Picture, "show_tracker": Boxes}

_shown: dict[str, tuple[Any, Callable[[str, str], None]]] = {}
_watch: asyncio.Task | None = None


def show(name: str) -> None:
    """Show the overview or the tracker, alive, with a still twin for the saved page."""
    if name in _shown:
        _shown[name][0].widget.close()
    seen, now = _stamp(), overview()
    alive, still = KINDS[name](now), front.still(name, now)
    renew = publish(alive.widget, still["text/html"], still["text/plain"])
    _shown[name] = alive, renew
    _keep_watching(seen)


def follow() -> None:
    """Draw anew whatever is shown, and what would be seen without a kernel."""
    now = overview()
    for name, (alive, renew) in _shown.items():
        alive.update(now)
        still = front.still(name, now)
        renew(still["text/html"], still["text/plain"])


def _keep_watching(seen: Stamp) -> None:
    """One watch a kernel, on its own event loop: no thread, nothing while it works."""
    global _watch
    if _watch is None or _watch.done():
        with suppress(RuntimeError):  # no loop here: running the page again does it
            _watch = asyncio.get_running_loop().create_task(_follow_file(seen))


async def _follow_file(seen: Stamp) -> None:
    while True:
        await asyncio.sleep(SECONDS)
        if (found := _stamp()) != seen:
            seen = found
            follow()


def _stamp() -> Stamp:
    """What changes with the file: its time and its size."""
    try:
        stat = default_path().stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
