"""The pictures of the README, taken anew: python tests/browser/pictures.py

docs/front.png is the front page on the first day, docs/card.png a check that
recognises a mistake. Both are 1200 pixels wide and small enough for a repository.
"""

import tempfile
from pathlib import Path
from typing import Any

from driver import ROOT, Notebook, Server, answers, browser, copied
from PIL import Image

SCALE = 1.25  # pixels for each of the page's
COLOURS = 64  # letters and lines need no more


def main() -> None:
    """Serve a copy of the course, and take both pictures."""
    with tempfile.TemporaryDirectory() as scratch, browser() as opened:
        server = Server(copied(Path(scratch) / "course"), Path(scratch) / "state")
        try:
            server.start()
            front(notebook(opened, server, "start.ipynb"))
            card(notebook(opened, server, "exercises/01_micrograd.ipynb"))
        finally:
            server.stop()


def notebook(opened: Any, server: Server, path: str) -> Notebook:
    """A notebook in a narrow window, the file browser folded away."""
    view = {"width": 1070, "height": 1100}
    context = opened.new_context(viewport=view, device_scale_factor=SCALE)
    page = Notebook(context.new_page(), server, path).open()
    page.page.keyboard.press("ControlOrMeta+b")
    return page


def front(page: Notebook) -> None:
    """The top of the front page: what is next, and the lessons."""
    page.cell(6).click()  # so that the first one has no frame
    take(page, "front", page.cell(0), page.cell(1))


def card(page: Notebook) -> None:
    """Gradient descent without zero_grad, and what its check says."""
    page.run("from workbook import")
    page.run("class Value")
    right = dict(answers("01_micrograd"))["micrograd.sgd"]
    at = page.index("TODO micrograd.sgd")
    page.write(at, right.replace("        model.zero_grad()\n", ""))
    page.run(at)
    page.run(at + 1)
    page.cell(at + 3).click()
    take(page, "card", page.cell(at - 1), page.outputs(at + 1))


def take(page: Notebook, name: str, first: Any, last: Any) -> None:
    """Save what lies between the top of one element and the end of another."""
    first.scroll_into_view_if_needed()
    page.page.mouse.move(0, 0)
    page.page.wait_for_timeout(500)  # formulas
    top, end = first.bounding_box(), last.bounding_box()
    left = first.locator(".jp-Cell-inputArea, .jp-InputArea").first.bounding_box()
    box = {
        "x": left["x"],
        "y": top["y"],
        "width": left["width"] + 4,
        "height": end["y"] + end["height"] - top["y"],
    }
    path = ROOT / "docs" / f"{name}.png"
    page.page.screenshot(path=path, clip=box)
    Image.open(path).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
