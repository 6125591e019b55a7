"""How long a learner waits, in a real browser: for a card, and for a picture's answer.

    python benchmarks/browser.py

From the key's press to the frame that shows the answer, by the browser's own clock;
for pictures also the kernel's part. Wall times: run it on a quiet machine.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))

from driver import MISSING, Notebook, Server, answers, browser, chromium, copied

ROUNDS = 5
PICTURES = {
    "tangent_probe": "explore.tangent_probe(lambda x: 3 * x**2 - 4 * x + 5, 2.0)",
    "saturation": "explore.saturation()",
    "graph_stepper": "explore.graph_stepper((a := Value(2.0)) * -3 + a * a)",
    "two_moons": "explore.two_moons(points, labels, frames)",
}
TRAINED = """
points = [[random.random() * 2, random.random()] for _ in range(100)]
labels = [1 if x > y else -1 for x, y in points]
model = lambda p, k: p[0] - k * p[1] - 0.1
frames = [explore.record_boundary(lambda p, k=k: model(p, k), points, labels, k, 1 / k)
          for k in range(1, 12)]
"""
READERS = """
from workbook import data
from workbook.given import tokenizer as bpe
play = data.play()

class Quick(bpe.RegexTokenizer):
    encode_ordinary = bpe.fast_encode

def read(size):
    trained, quick = bpe.fast_train(play, size), Quick()
    quick.merges, quick.vocab = trained.merges, trained.vocab
    return quick

readers = {"characters": str} | {f"{n} tokens": read(n) for n in (300, 512, 800)}
"""
PLAYGROUND = "explore.token_playground(play[:1950], readers)"  # it reads up to 2,000


def main() -> None:
    """Print two tables, each time a median."""
    if chromium() is None:
        print(MISSING)
        return
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(copied(Path(scratch) / "course"), Path(scratch) / "state")
        try:
            with browser() as opened:
                measure(solved(opened, server.start()))
        finally:
            server.stop()


def solved(opened, server: Server) -> Notebook:
    """Lesson 1's exercises with right answers in them, run."""
    view = {"width": 1400, "height": 1000}
    page = opened.new_context(viewport=view).new_page()
    notebook = Notebook(page, server, "exercises/01_micrograd.ipynb")
    book = json.loads(notebook.file.read_text("utf-8"))
    todo = [c for c in book["cells"] if "exercise" in c["metadata"]["workbook"]]
    for cell, (_, source) in zip(todo, answers("01_micrograd"), strict=True):
        cell["source"] = source
    notebook.file.write_text(json.dumps(book), "utf-8")
    return notebook.open().run_all()


def measure(notebook: Notebook) -> None:
    """Time every check, then every picture."""
    print(f"{'from Shift-Enter to the card':34} seconds")
    times = []
    for id in dict.fromkeys(id for id, _ in answers("01_micrograd")):
        cell = f'check("{id}"'
        taken = [notebook.seconds_to_card(cell) for _ in range(ROUNDS)]
        times.append(statistics.median(taken))
        print(f"{id:34} {times[-1]:7.3f}")
    print(f"{'median':34} {statistics.median(times):7.3f}   (aim: below 0.5)\n")

    notebook.run(notebook.append(TRAINED))
    print(f"{'from a key to the picture':34} seconds   kernel, ms")
    for name, code in PICTURES.items():
        show(name, *answer_time(notebook, code, "slider", ("ArrowRight", "ArrowLeft")))
    notebook.run(notebook.append(READERS))
    for place, key in (("at its end", "Control+End"), ("at its start", "Control+Home")):
        answer = answer_time(notebook, PLAYGROUND, "textbox", ("e", "g"), key)
        show(f"token_playground, {place}", *answer)


def show(name: str, waited: float, drawn: float) -> None:
    print(f"{name:34} {waited:7.3f}   {1000 * drawn:10.1f}   (aim: below 0.1)")


def answer_time(
    notebook: Notebook, code: str, control: str, keys: tuple[str, str], to: str = ""
) -> tuple[float, float]:
    """Seconds until a picture has answered a key, and those that the kernel took.

    to: the key that brings the cursor to where the keys are pressed.
    """
    cell = notebook.append(f"shown = {code}\nshown")
    notebook.run(cell)
    holder = notebook.outputs(cell).get_by_role(control).first
    costs = notebook.append("print(shown.cost)")
    waited, drawn = [], []
    for key in keys * ROUNDS:
        press = lambda key=key: holder.press(key)  # noqa: E731
        if to:
            holder.press(to)
        waited.append(notebook.seconds_until(cell, "svg", press))
        drawn.append(float(notebook.run(costs)))
    return statistics.median(waited), statistics.median(drawn)


if __name__ == "__main__":
    main()
