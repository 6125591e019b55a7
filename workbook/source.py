"""Lessons as text: percent files read cell by cell, with line numbers.

jupytext turns the same files into notebooks; it forgets where a cell stood, and an
error should name file and line. A test holds that both see the same cells.

The marks of an exercise are nbgrader's: `### BEGIN SOLUTION` … `### END SOLUTION`
inside a code cell. What surrounds them is said by the cells' metadata and tags.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from workbook.course import Lesson, lesson

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_MARKER = re.compile(r"^# %%(?P<options>.*)$")
_MARKDOWN = re.compile(r"^\s*\[(markdown|md)\]")


class SourceError(Exception):
    """Something is wrong in a lesson's text: `path:line: what, and what to do`."""

    def __init__(self, path: Path, line: int, words: str):
        super().__init__(f"{path.parent.name}/{path.name}:{line}: {words}")
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


def read(path: Path) -> list[Cell]:
    """The cells of a percent file; SourceError for text before the first marker."""
    cells: list[Cell] = []
    lines = path.read_text("utf-8").splitlines()
    starts = [i for i, line in enumerate(lines) if _MARKER.match(line)]
    if any(
        line.strip() for line in _after_header(lines[: starts[0] if starts else None])
    ):
        raise SourceError(path, 1, "text before the first `# %%`: give it a cell")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        cells.append(_cell(path, start, lines[start], lines[start + 1 : end]))
    return cells


def _after_header(lines: list[str]) -> list[str]:
    """The lines after jupytext's header, which stands between two `# ---`."""
    if lines[:1] == ["# ---"] and "# ---" in lines[1:]:
        return lines[lines.index("# ---", 1) + 1 :]
    return lines


def _cell(path: Path, start: int, marker: str, body: list[str]) -> Cell:
    options = marker.removeprefix("# %%")
    markdown = _MARKDOWN.match(options)
    meta = _metadata(path, start + 1, options[markdown.end() if markdown else 0 :])
    while body and not body[-1].strip():
        body = body[:-1]
    if not markdown:
        return Cell("code", "\n".join(body), start + 1, meta)
    for offset, line in enumerate(body):
        if line.strip() and not line.startswith("#"):
            words = "code under a Markdown marker: start it with its own `# %%`"
            raise SourceError(path, start + 2 + offset, words)
    text = "\n".join(re.sub(r"^# ?", "", line) for line in body)
    return Cell("markdown", text, start + 1, meta)


def _metadata(path: Path, line: int, options: str) -> dict[str, Any]:
    if not options.strip():
        return {}
    from jupytext.cell_metadata import parse_key_equal_value

    try:
        meta = parse_key_equal_value(options.strip())
    except Exception as error:
        raise SourceError(path, line, f"unreadable metadata: {error}") from error
    if broken := [key for key, value in meta.items() if value is None]:
        raise SourceError(path, line, f"metadata without a value: {broken[0]}")
    return meta


def unmarked(code: str) -> str:
    """Code with its answer, the marks and the TODO comments taken out."""
    kept, todo = [], False
    for line in code.splitlines():
        bare = line.strip()
        todo = bare.startswith("# TODO") or (todo and bare.startswith("# "))
        if not todo and bare not in (BEGIN, END):
            kept.append(line)
    return "\n".join(kept)


@cache
def exercises(key: str) -> dict[str, Exercise]:
    """The exercises of a lesson by id, in order; none where its text is not written."""
    one = lesson(key)
    if not one.solution_source.exists():
        return {}
    return {ex.id: ex for ex in _exercises(one, read(one.solution_source))}


def exercise(id: str) -> Exercise:
    """One exercise by its id; KeyError where the text does not have it."""
    return exercises(lesson(id).slug)[id]


def _exercises(one: Lesson, cells: list[Cell]) -> Iterator[Exercise]:
    for heading, block in _blocks(cells):
        answers = tuple(c for c in block if c.exercise)
        if not answers:
            continue
        title, _, task = heading.text.partition("\n")
        id = answers[0].exercise or ""
        meta = answers[0].meta
        tagged = [c for c in block if "solution" in c.tags]
        yield Exercise(
            id=id,
            title=title.removeprefix("## "),
            task=task.strip(),
            cells=answers,
            minutes=int(meta.get("minutes", 0)),
            difficulty=int(meta.get("difficulty", 0)),
            concepts=tuple(c.name for c in one.concepts if id in c.exercises),
            hints=tuple(c.text for c in block if "hint" in c.tags),
            why="\n\n".join(c.text for c in tagged if c.kind == "markdown"),
            another=tuple(c.text for c in tagged if c.kind == "code"),
            line=answers[0].line,
        )


def _blocks(cells: list[Cell]) -> Iterator[tuple[Cell, list[Cell]]]:
    """Each `##` heading with the cells up to the next one."""
    starts = [i for i, c in enumerate(cells) if _is_heading(c)]
    for start, end in zip(starts, [*starts[1:], len(cells)], strict=True):
        yield cells[start], cells[start + 1 : end]


def _is_heading(cell: Cell) -> bool:
    return cell.kind == "markdown" and cell.text.startswith("## ")
