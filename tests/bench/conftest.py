"""A small course of one lesson and two exercises, for the tests of the bench."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from workbook import course
from workbook.bench.build import notebook
from workbook.bench.expectations import dump
from workbook.bench.strip import exercise_text
from workbook.checks import run
from workbook.course import lesson

COURSE = """\
title = "A small course"
author = "Nobody"

[[lesson]]
number = 1
slug = "micrograd"
title = "Slopes"
video = "https://example.org/video"
length = "5m"
module = "code/slopes/slopes.py"
public = ["derivative", "gradient"]
exercises = ["micrograd.derivative", "micrograd.gradient_by_hand"]

[[lesson.concepts]]
name = "slopes"
section = "Slopes"
exercises = ["micrograd.derivative", "micrograd.gradient_by_hand"]
"""

LECTURE = """\
# %% [markdown]
# # 1 · Slopes

# %% [markdown]
# ## Slopes
#
# A slope is a rise over a run.

# %% tags=["nbval-check-output"] key="rise"
rise = 6
print(f"rise {rise}")

# %% tags=["nbval-check-output"] key="slope"
rise / 2
"""

SOLUTIONS = '''\
# %% [markdown]
# # 1 · Slopes: exercises

# %%
import math

from workbook import check

# %% [markdown]
# ## derivative
#
# The slope of $f$ at $x$.

# %% exercise="micrograd.derivative" minutes=10 difficulty=1
def derivative(f, x, h=None):
    """The central difference."""
    # TODO: choose a step, then measure
    ### BEGIN SOLUTION
    h = 1e-5 if h is None else h
    return (f(x + h) - f(x - h)) / (2 * h)
    ### END SOLUTION

# %%
check("micrograd.derivative", derivative)

# %% [markdown] tags=["hint"]
# A slope is a rise over a run.

# %% [markdown] tags=["hint"]
# The run goes from $x-h$ to $x+h$.

# %% [markdown] tags=["hint"]
# The rise is `f(x + h) - ____`.

# %% [markdown] tags=["solution"]
# **Why.** From both sides the errors cancel.

# %% [markdown]
# ## gradient_by_hand
#
# Three derivatives, on paper.

# %% exercise="micrograd.gradient_by_hand" minutes=5 difficulty=2
def gradient(a, b, c):
    """The gradient at (a, b, c)."""
    # TODO: three derivatives
    ### BEGIN SOLUTION
    da = -3 * a**2 - 0.5 * a**-0.5
    db = 3 * math.cos(3 * b) + 2.5 * b**1.5
    return da, db, c**-2
    ### END SOLUTION

# %%
check("micrograd.gradient_by_hand", gradient)

# %% [markdown] tags=["hint"]
# One letter at a time.

# %% [markdown] tags=["hint"]
# The sine has an inner function.

# %% [markdown] tags=["hint"]
# The first one is `-3 * a**2 - ____`.

# %% [markdown] tags=["solution"]
# **Why.** What does not hold the letter is a constant.
'''

RIGHT = {
    "micrograd.derivative": "def derivative(f, x, h=1e-5):\n"
    "    return (f(x + h) - f(x - h)) / (h + h)",
    "micrograd.gradient_by_hand": "def gradient(a, b, c):\n"
    "    da = -3 * a * a - 0.5 / math.sqrt(a)\n"
    "    return da, 3 * math.cos(3 * b) + 2.5 * b**1.5, 1 / c**2",
}
WRONG = {
    "micrograd.derivative": "def derivative(f, x, h=1e-6):\n"
    "    return (f(x + h) - f(x)) / h",
}


@cache
def verdicts() -> str:
    """What the checks say of right answers, as a sidecar."""
    names: dict = {}
    exec("import math\n" + "\n".join(RIGHT.values()), names)
    found = [
        run("micrograd.derivative", names["derivative"]),
        run("micrograd.gradient_by_hand", names["gradient"]),
    ]
    return dump({f"check:{v.exercise}": [("stdout", f"{v.message}\n")] for v in found})


class SmallCourse:
    """Its files, and what a learner or an author does to them."""

    def __init__(self, root: Path):
        self.root = root
        self.write("course.toml", COURSE)
        self.write("notebooks/01_micrograd.py", LECTURE)
        self.write("solutions/01_micrograd.py", SOLUTIONS)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        if name == "course.toml":
            course._read.cache_clear()  # it is read once in a process
        return path

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def make(self) -> None:
        """Exercises and expectations, without a kernel."""
        self.write("exercises/01_micrograd.py", exercise_text(lesson(1)))
        shown = {"rise": [("stdout", "rise 6\n")], "slope": [("text/plain", "3.0")]}
        self.write("expected/notebooks/01_micrograd.txt", dump(shown))
        self.write("expected/solutions/01_micrograd.txt", verdicts())

    def book(self) -> NotebookNode:
        """The untouched exercise notebook."""
        return notebook(self.root / "exercises" / "01_micrograd.py")

    def save(self, book: NotebookNode) -> Path:
        path = self.root / "exercises" / "01_micrograd.ipynb"
        nbformat.write(book, path)
        return path

    def answer(self, answers: dict[str, str]) -> NotebookNode:
        """The learner's notebook with these answers, saved."""
        book = self.book()
        for cell in book.cells:
            id = cell.metadata.get("workbook", {}).get("exercise")
            cell.source = answers.get(id, cell.source)
        self.save(book)
        return book

    def command(self, *argv: str, code: str = "", **env: str) -> tuple[int, str]:
        """`python -m workbook …` in its own process: exit code, all that it says."""
        start = (
            f"import sys; {code}\nfrom workbook.__main__ import main; sys.exit(main())"
        )
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        done = subprocess.run(
            [sys.executable, "-c", start, *argv],
            capture_output=True,
            text=True,
            cwd=self.root,
            env=clean | {"WORKBOOK_ROOT": str(self.root), "COLUMNS": "100"} | env,
            timeout=400,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallCourse:
    """A small course, made, and the course of this process."""
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    monkeypatch.delenv("WORKBOOK_PROGRESS", raising=False)
    monkeypatch.delenv("WORKBOOK_CHECK", raising=False)
    made = SmallCourse(tmp_path)
    made.make()
    return made
