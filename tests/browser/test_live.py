"""A run is paused, steered and stopped by mouse and keyboard while its cell is busy."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import nbformat
import pytest

from .driver import Notebook, Server, until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SETUP = """
import math, time, torch
from workbook import live
torch.set_num_threads(1)
X = torch.randn(500, 10)
Y = (X @ torch.randn(10, 5)).argmax(1)

def train(run, boom=None):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(10, 30), torch.nn.Tanh(),
        torch.nn.Linear(30, 30), torch.nn.Tanh(), torch.nn.Linear(30, 5),
    )
    for step in run:
        if step == boom:
            raise ZeroDivisionError
        loss = torch.nn.functional.cross_entropy(model(X), Y)
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= run.lr * p.grad
        rates.append(run.lr)
        run.log(loss=loss, model=model)
        time.sleep(0.002)
"""
RUN = "rates = []; run = live.train(100_000, lr=0.1); train(run)"
TOLD = "print(run.state, run.step, len(rates), sorted(set(rates)))"


def cell(source: str) -> Any:
    return nbformat.v4.new_code_cell(source)


class Live(Notebook):
    """A notebook whose second cell is a run."""

    def number(self, what: str) -> str:
        """What stands above a word among the numbers: number("step")."""
        pair = self.outputs(1).locator(
            f'.wb-numbers div:visible:has(dt:text-is("{what}"))'
        )
        return pair.locator("dd").inner_text()

    def step(self) -> int:
        return int(self.number("step").split()[0].replace(",", ""))

    def button(self, name: str) -> Any:
        return self.outputs(1).get_by_role("button", name=name)

    def start(self, cell: int = 1) -> None:
        """Run the cell, and wait for its first steps."""
        self.begin(cell)
        self.button("Stop").wait_for()
        until(lambda: self.step() > 20, "twenty steps")

    def interrupt(self) -> None:
        """Kernel ▸ Interrupt Kernel; again where it went unheard.

        A page that was just loaded may not have its kernel yet, and says nothing then.
        """
        idle = self.page.locator("#jp-main-statusbar").get_by_text("| Idle")

        def heard() -> bool:
            self.menu("Kernel", "Interrupt Kernel")
            with suppress(TimeoutError):
                until(idle.is_visible, "the kernel is idle", 10)
            return idle.is_visible()

        until(heard, "the interrupt is heard")

    def ended(self) -> str:
        """Wait for the end of the run; its claim."""
        until(lambda: self.prompt(1) not in ("[*]:", "[ ]:"), "the run ends", 20)
        return self.outputs(1).locator(".wb-title").inner_text()

    def told(self) -> str:
        """What the third cell prints."""
        return self.run(2).strip()


@pytest.fixture
def opened(lab: Server, chrome: Any) -> Iterator[Callable[..., Live]]:
    """Opens a notebook of these cells after SETUP, which has run."""
    pages = []

    def open_(*sources: str) -> Live:
        path = "live.ipynb"
        cells = [cell(source) for source in (SETUP, *sources)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        written = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(written, str(lab.folder / path))
        page = chrome.new_page(viewport={"width": 1200, "height": 1300})
        pages.append(page)
        notebook = Live(page, lab, path).open()
        notebook.run(0)
        return notebook

    yield open_
    for page in pages:
        page.close()
    lab.end_kernels()
    (lab.folder / "live.ipynb").unlink(missing_ok=True)


def test_the_mouse_pauses_steers_and_stops_a_busy_cell(opened: Callable) -> None:
    notebook = opened(RUN, TOLD)
    notebook.start()

    notebook.button("Pause").click()
    notebook.button("Go on").wait_for()
    steered = notebook.outputs(1).locator("svg text", has_text=re.compile("^lr "))
    assert steered.count() == 0
    held = notebook.step()
    time.sleep(1)
    assert notebook.step() == held
    assert notebook.prompt(1) == "[*]:"
    notebook.button("Go on").click()
    until(lambda: notebook.step() > held + 20, "it goes on")

    handle = notebook.outputs(1).locator(".noUi-handle")
    box = handle.bounding_box()
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    notebook.page.mouse.move(across, down)
    notebook.page.mouse.down()
    notebook.page.mouse.move(across - 40, down, steps=5)
    notebook.page.mouse.up()
    until(lambda: float(notebook.number("learning rate")) < 0.05, "it is steered")
    after = notebook.step()
    until(lambda: notebook.step() > after + 20, "it trains with the new rate")

    notebook.button("Stop").click()
    assert notebook.ended().startswith("Stopped at step")
    state, step, steps, rates = notebook.told().split(maxsplit=3)
    assert state == "stopped" and int(step) == int(steps) < 100_000
    assert json.loads(rates)[-1] == 0.1 and json.loads(rates)[0] < 0.05
    marks = notebook.outputs(1).locator("svg text", has_text=re.compile("^lr 0.0"))
    assert marks.count() >= 1
    assert notebook.errors == []


def test_the_keyboard_does_the_same(opened: Callable) -> None:
    notebook = opened(RUN, TOLD)
    notebook.start()
    keys = notebook.page.keyboard
    notebook.button("Pause").focus()
    keys.press("Space")
    notebook.button("Go on").wait_for()
    keys.press("Space")
    notebook.button("Pause").wait_for()

    for _ in range(12):  # Pause, Stop, the slider
        keys.press("Tab")
        focused = "document.activeElement.className"
        if "noUi-handle" in notebook.page.evaluate(focused):
            break
    for _ in range(6):
        keys.press("ArrowLeft")
    until(lambda: float(notebook.number("learning rate")) < 0.09, "it is steered")

    notebook.outputs(1).get_by_role("combobox").select_option("2 Linear")
    bold = notebook.outputs(1).locator("svg text.wb-bold", has_text="2.weight")
    bold.first.wait_for()
    notebook.button("log axis").focus()
    keys.press("Space")
    notebook.button("Numbers").focus()
    keys.press("Space")
    notebook.outputs(1).locator("td", has_text="2.weight").wait_for()

    notebook.button("Stop").focus()
    keys.press("Enter")
    assert notebook.ended().startswith("Stopped at step")
    assert notebook.told().startswith("stopped")


def test_an_interrupt_and_an_exception_leave_a_marked_picture(opened: Callable) -> None:
    failing = RUN.replace("train(run)", "train(run, boom=60)")
    notebook = opened(RUN, TOLD, failing)
    notebook.start()
    notebook.menu("Kernel", "Interrupt Kernel")
    notebook.ended()
    title = notebook.outputs(1).locator(".wb-title")
    until(lambda: title.inner_text().startswith("Interrupted at step"), "it is marked")
    assert "KeyboardInterrupt" in notebook.shown(1)
    assert notebook.told().startswith("interrupted")
    shown = notebook.run(3)
    assert "ZeroDivisionError at step 60" in shown and "Traceback" in shown


def test_a_reload_in_the_middle_keeps_the_run_and_its_picture(opened: Callable) -> None:
    quick = "from workbook.live import widget; widget.TWIN = 0.5\n"
    notebook = opened(quick + RUN, TOLD, "run")
    notebook.start()
    time.sleep(2)
    notebook.save()
    page = notebook.page
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    still = notebook.outputs(1).locator("svg[role=img]")
    still.first.wait_for(timeout=30_000)
    assert "goes on in its kernel" in notebook.shown(1)
    notebook.interrupt()
    title = notebook.outputs(1).locator(".wb-title", has_text="Interrupted at step")

    with suppress(TimeoutError):  # Lab does not always fetch a widget of a busy kernel
        until(title.is_visible, "the widget is back, as it was in the end", 20)
    if not title.is_visible():
        notebook.idle().reload()
    title.wait_for(timeout=30_000)
    assert "interrupted" in notebook.told()
    notebook.run(3)
    assert notebook.outputs(3).locator("img").count() == 1


def test_reopened_without_its_kernel_the_final_picture_is_there(
    opened: Callable, lab: Server
) -> None:
    notebook = opened(RUN.replace("100_000", "200"), TOLD)
    notebook.run(1)
    live, picture = notebook.outputs(1).locator(".wb-live"), notebook.outputs(1)
    assert live.is_visible() and not picture.locator("img").first.is_visible()
    notebook.save()
    lab.end_kernels()
    notebook.open()
    image = notebook.outputs(1).locator("img")
    image.wait_for()
    size = image.bounding_box()
    assert size["width"] > 400 and size["height"] > 200
    assert "200 of 200" not in notebook.shown(1)
    assert "model not found" not in notebook.page.content().lower()
    assert notebook.errors == []


def test_a_dark_page_has_a_dark_picture_live_and_still(
    opened: Callable, lab: Server
) -> None:
    theme = "lab/api/settings/@jupyterlab/apputils-extension:themes"
    lab.get(theme, "PUT", {"raw": '{"theme": "JupyterLab Dark"}'})
    try:
        notebook = opened(RUN.replace("100_000", "200"), TOLD)
        notebook.run(1)
        ink = "e => getComputedStyle(e).color"
        words = notebook.outputs(1).locator("svg text.wb-ink").first
        assert _light(words.evaluate(ink)) > 180
        line = notebook.outputs(1).locator("svg path.wb-train.wb-line").last
        assert _light(line.evaluate(ink)) > 180
        notebook.save()
        lab.end_kernels()
        notebook.open()
        image = notebook.outputs(1).locator("img")
        image.wait_for()
        assert "invert" in image.evaluate("e => getComputedStyle(e).filter")
    finally:
        lab.get(theme, "PUT", {"raw": "{}"})


def _light(colour: str) -> float:
    """The lightness of "rgb(1, 2, 3)", from 0 to 255."""
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3


def test_where_no_control_can_work_the_page_says_so_and_interrupt_stops(
    opened: Callable, lab: Server
) -> None:
    comms = "lab/api/settings/@jupyterlab/apputils-extension:kernels-settings"
    lab.get(comms, "PUT", {"raw": '{"commsOverSubshells": "disabled"}'})
    try:
        notebook = opened(RUN, TOLD)
        notebook.start()
        note = notebook.outputs(1).get_by_text("cannot send controls to a busy kernel")
        note.wait_for()
        assert not notebook.button("Stop").is_visible()
        notebook.menu("Kernel", "Interrupt Kernel")
        until(lambda: notebook.prompt(1) != "[*]:", "the run ends", 20)
        notebook.outputs(1).locator("img").wait_for()
        assert "Traceback" not in notebook.shown(1)
        assert notebook.told().startswith("stopped")
    finally:
        lab.get(comms, "PUT", {"raw": "{}"})


def test_an_explorable_answers_while_a_cell_is_busy(opened: Callable) -> None:
    shown = "from workbook import explore; explore.tangent_probe(lambda x: x * x)"
    notebook = opened(RUN, TOLD, shown)
    notebook.run(3)
    notebook.start()
    picture = notebook.outputs(3).locator(".wb-x:visible")
    before = picture.locator("figure > svg").inner_html()
    picture.get_by_role("slider").first.press("ArrowRight")
    drawn = picture.locator("figure > svg")
    until(lambda: drawn.inner_html() != before, "the picture answers", 10)
    assert notebook.prompt(1) == "[*]:"
    notebook.button("Stop").click()
    notebook.ended()
