"""The pictures of the README, taken anew: python tests/browser/pictures.py

docs/front.png is the front page on the first day, docs/card.png a check that
recognises a mistake, docs/live.png a run that is held. All are at most 1200 pixels wide
and small enough for a repository.
"""

import tempfile
from pathlib import Path
from typing import Any

import nbformat
from driver import ROOT, Notebook, Server, answers, browser, copied, until
from PIL import Image

SCALE = 1.25  # pixels for each of the page's
COLOURS = 64  # letters and lines need no more

LETTERS = """
import torch
from torch import nn
from workbook import data, live

torch.set_num_threads(1)
torch.manual_seed(1)
text = "." + ".".join(data.names()) + "."
codes = torch.tensor([max(0, ord(c) - 96) for c in text])
X, Y = codes.unfold(0, 3, 1)[:-1], codes[3:]
here = torch.arange(len(Y)) % 10 > 0
layers = [nn.Embedding(27, 10), nn.Flatten(), nn.Linear(30, 100), nn.Tanh()]
layers += [nn.Linear(100, 100), nn.Tanh(), nn.Linear(100, 100), nn.Tanh()]
model = nn.Sequential(*layers, nn.Linear(100, 27))

def loss_of(which):
    return nn.functional.cross_entropy(model(X[which]), Y[which])
"""
TRAINING = """
train = here.nonzero().squeeze()
for step in (run := live.train(4000, lr=0.3, reference=(3.2958, "ln 27"))):
    loss = loss_of(train[torch.randint(len(train), (64,))])
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= run.lr * p.grad
        run.log(loss=loss, model=model)
        if step % 250 == 0:
            run.log(dev=loss_of(~here))
"""


def main() -> None:
    """Serve a copy of the course, and take both pictures."""
    with tempfile.TemporaryDirectory() as scratch, browser() as opened:
        server = Server(copied(Path(scratch) / "course"), Path(scratch) / "state")
        try:
            server.start()
            front(notebook(opened, server, "start.ipynb"))
            card(notebook(opened, server, "exercises/01_micrograd.ipynb"))
            live(opened, server)
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


def live(opened: Any, server: Server) -> None:
    """A network of letters, held after its learning rate was lowered."""
    sources = LETTERS.strip(), TRAINING.strip()
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    written = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(written, str(server.folder / "live.ipynb"))
    page = notebook(opened, server, "live.ipynb")
    page.page.set_viewport_size({"width": 1070, "height": 1500})
    page.run(0)
    page.begin(1)
    outputs = page.outputs(1)
    outputs.get_by_role("button", name="Pause").wait_for()
    at = outputs.locator('.wb-numbers div:visible:has(dt:text-is("step")) dd')
    step = lambda: int(at.inner_text().split()[0].replace(",", ""))  # noqa: E731
    until(lambda: step() > 1500, "half of the run")
    for _ in range(10):
        outputs.get_by_role("slider").press("ArrowLeft")
    until(lambda: step() > 3000, "the rest of the run")
    outputs.get_by_role("button", name="Pause").click()
    outputs.get_by_role("button", name="Go on").wait_for()
    take(page, "live", page.cell(1), outputs)
    outputs.get_by_role("button", name="Stop").click()


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
