"""Lessons as text: percent files read cell by cell, with line numbers.

jupytext reads the same files in JupyterLab; it forgets where a cell stood, and an
error should name file and line. A test holds that both see the same cells.

The marks of an exercise are nbgrader's: `### BEGIN SOLUTION` … `### END SOLUTION`
inside a code cell. What surrounds them is said by the cells' metadata and tags.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from workbook.course import Lesson, lesson, root

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
COMPARED = "nbval-check-output"  # the tag of a cell whose output is compared
_MARKER = re.compile(r"# %%( .*)?$")
_LIKE_A_MARKER = re.compile(r"\s*#\s*(%%|<codecell>|In\[[\d ]*\]:?\s*$)")
_OPTION = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\[[^]]*\]|[\w.+-]+)(?=\s|$)')


class SourceError(Exception):
    """Something is wrong in a lesson's text: `path:line: what, and what to do`."""

    def __init__(self, path: Path, line: int, words: str):
        inside = path.is_relative_to(root())
        name = path.relative_to(root()).as_posix() if inside else str(path)
        super().__init__(f"{name}:{line}: {words}")
        self.path, self.line, self.words = path, line, words


@dataclass(frozen=True)
class Cell:
    """A cell of a percent file; `line` is that of its marker, counted from 1."""

    kind: str  # "code" or "markdown"
    text: str
    line: int
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self.meta.get("tags", ()))

    @property
    def exercise(self) -> str | None:
        return self.meta.get("exercise")

    @property
    def is_heading(self) -> bool:
        return self.kind == "markdown" and self.text.startswith("## ")


@dataclass(frozen=True)
class Exercise:
    """An exercise as its text gives it."""

    id: str
    title: str  # the name after the `##`
    task: str  # Markdown, without the heading
    cells: tuple[Cell, ...]  # its TODO cells, answers in place
    minutes: int
    difficulty: int  # 1 to 5
    concepts: tuple[str, ...]  # of the course, as course.toml ties them
    hints: tuple[str, ...]
    why: str
    another: tuple[str, ...]  # other ways to write it, code
    line: int

    @property
    def answer(self) -> str:
        """The code of the answer, without marks."""
        return "\n\n\n".join(unmarked(cell.text) for cell in self.cells)

    @property
    def names(self) -> tuple[str, ...]:
        """What its cells define at their top level."""
        found = re.findall(r"^(?:def|class) (\w+)", self.answer, re.M)
        return tuple(dict.fromkeys(found))


# ---------------------------------------------------------------- cells


def read(path: Path) -> list[Cell]:
    """The cells of a percent file; SourceError for what is in no cell, or no marker."""
    lines = path.read_text("utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if _LIKE_A_MARKER.match(line) and not _MARKER.match(line):
            raise SourceError(path, number, "a cell begins with `# %%`, and a space")
    starts = [i for i, line in enumerate(lines) if _MARKER.match(line)]
    first = starts[0] if starts else len(lines)
    for number in range(_header(lines), first):
        if lines[number].strip():
            words = "text before the first `# %%`: give it a cell"
            raise SourceError(path, number + 1, words)
    return [
        _cell(path, start, lines[start:end])
        for start, end in pairwise([*starts, len(lines)])
    ]


def _header(lines: list[str]) -> int:
    """How many lines jupytext's header has; it stands between two `# ---`."""
    if lines[:1] == ["# ---"] and "# ---" in lines[1:]:
        return lines.index("# ---", 1) + 1
    return 0


def _cell(path: Path, start: int, lines: list[str]) -> Cell:
    """The cell whose marker is the first of these lines, `start` before it."""
    options = lines[0].removeprefix("# %%").strip()
    bare = options.removeprefix("[markdown]")
    meta = _metadata(path, start + 1, bare.strip())
    body = "\n".join(lines[1:]).rstrip("\n").splitlines()
    if bare == options:
        return Cell("code", "\n".join(body), start + 1, meta)
    for number, line in enumerate(body, start + 2):
        if line.strip() and not line.startswith("#"):
            words = "code under a Markdown marker: start it with its own `# %%`"
            raise SourceError(path, number, words)
    text = "\n".join(re.sub(r"^# ?", "", line) for line in body)
    return Cell("markdown", text, start + 1, meta)


def _metadata(path: Path, line: int, options: str) -> dict[str, Any]:
    """The `name=value` after a marker; values are JSON, as jupytext writes them."""
    meta, rest = {}, options
    while rest:
        match = _OPTION.match(rest)
        value = _value(match[2]) if match else None
        if not match or value is None:
            words = f'unreadable after the marker: {rest!r}; say it as name="value"'
            raise SourceError(path, line, words)
        meta[match[1]], rest = value, rest[match.end() :].lstrip()
    return meta


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def marker(cell: Cell) -> str:
    """The line that a cell begins with in a percent file."""
    said = [f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in cell.meta.items()]
    kind = ["[markdown]"] if cell.kind == "markdown" else []
    return " ".join(["# %%", *kind, *said])


# ---------------------------------------------------------------- exercises


def unmarked(code: str) -> str:
    """Code with its answer, the marks and the TODO comments taken out."""
    kept, todo = [], False
    for line in code.splitlines():
        bare = line.strip()
        todo = bare.startswith("# TODO") or (todo and bare.startswith("# "))
        if not todo and bare not in (BEGIN, END):
            kept.append(line)
    return "\n".join(kept)


def exercises(key: str) -> dict[str, Exercise]:
    """The exercises of a lesson by id, in order; none where its text is not written."""
    one = lesson(key)
    try:
        return _exercises(one, one.solution_source.stat().st_mtime_ns)
    except FileNotFoundError:
        return {}


def exercise(id: str) -> Exercise:
    """One exercise by its id; KeyError where the text does not have it."""
    return exercises(lesson(id).slug)[id]


@cache
def _exercises(one: Lesson, _stamp: int) -> dict[str, Exercise]:
    """Read once for each state of the file."""
    blocks = exercise_blocks(read(one.solution_source))
    return {ex.id: ex for ex in (_exercise(one, *block) for block in blocks)}


def exercise_blocks(cells: list[Cell]) -> Iterator[tuple[Cell, list[Cell]]]:
    """Each `##` heading over a TODO cell, with the cells up to the next heading."""
    starts = [i for i, c in enumerate(cells) if c.is_heading]
    for start, end in pairwise([*starts, len(cells)]):
        block = cells[start + 1 : end]
        if any(c.exercise for c in block):
            yield cells[start], block


def _exercise(one: Lesson, heading: Cell, block: list[Cell]) -> Exercise:
    answers = tuple(c for c in block if c.exercise)
    tagged = [c for c in block if "solution" in c.tags]
    title, _, task = heading.text.partition("\n")
    id, meta = answers[0].exercise or "", answers[0].meta
    return Exercise(
        id=id,
        title=title.removeprefix("## "),
        task=task.strip(),
        cells=answers,
        minutes=meta.get("minutes", 0),
        difficulty=meta.get("difficulty", 0),
        concepts=tuple(c.name for c in one.concepts if id in c.exercises),
        hints=tuple(c.text for c in block if "hint" in c.tags),
        why="\n\n".join(c.text for c in tagged if c.kind == "markdown"),
        another=tuple(c.text for c in tagged if c.kind == "code"),
        line=answers[0].line,
    )
