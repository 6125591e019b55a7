"""What `make check` says of the exercises."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from workbook.bench.build import about
from workbook.bench.learner import Unreadable, exercise_of, notebook_of, started
from workbook.course import Lesson
from workbook.source import exercises
from workbook.verdict import NOT_YET, OPEN, PASSED

UNCHECKED = "no cell checks it: `make notebooks` puts a deleted check back"
UNREACHED = "its check did not run: open the notebook and run both cells"


@dataclass
class Log:
    """What the exercise notebooks said while they ran."""

    verdicts: dict[str, dict] = field(default_factory=dict)  # by id, the last one
    errors: dict[str, str] = field(default_factory=dict)  # by a cell's code


@dataclass
class Standing:
    """The exercises of a lesson by state, and a message for each that fails."""

    states: dict[str, list[str]]
    messages: list[str] = field(default_factory=list)

    @classmethod
    def empty(cls) -> "Standing":
        return cls({PASSED: [], NOT_YET: [], OPEN: []})

    @property
    def begun(self) -> bool:
        return bool(self.states[PASSED] or self.states[NOT_YET])


def learners_report(lessons: list[Lesson], logs: Path) -> tuple[int, int]:
    """Print a line for each lesson and each failing answer; how many pass and fail."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table("exercises", PASSED, NOT_YET, OPEN, box=SIMPLE)
    standings = {
        one.name: standing(one, read_log(logs / f"{one.name}.jsonl"))
        for one in lessons
        if _written(one)
    }
    for name, one in standings.items():
        table.add_row(name, *(str(len(ids)) for ids in one.states.values()))
    if standings:
        Console().print(table)
    for message in [m for one in standings.values() for m in one.messages]:
        print(f"{message}\n")
    for one in standings.values():
        if one.begun and one.states[OPEN]:
            print(f"open: {', '.join(one.states[OPEN])}\n")
    right = sum(len(one.states[PASSED]) for one in standings.values())
    return right, sum(len(one.states[NOT_YET]) for one in standings.values())


def _written(one: Lesson) -> bool:
    return one.exercise_source.exists() and bool(exercises(one.slug))


def read_log(path: Path) -> Log:
    """Verdicts and errors, in the order in which they were written."""
    found = Log()
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for line in map(_parsed, lines):
        if "error" in line:
            found.errors[line["cell"]] = line["error"]
        elif "exercise" in line:
            found.verdicts[line["exercise"]] = line
    return found


def _parsed(line: str) -> dict:
    """A line of the log; empty where a kernel died while it wrote."""
    try:
        return json.loads(line)
    except ValueError:
        return {}


def standing(one: Lesson, log: Log) -> Standing:
    """Where the exercises of a lesson stand; a started one has to be judged."""
    found = Standing.empty()
    try:
        book = notebook_of(one)
    except Unreadable:  # told already
        return found
    for id in exercises(one.slug):
        trouble = _trouble(id, book, log) if book else ""
        verdict = log.verdicts.get(id, {"state": OPEN})
        state = NOT_YET if trouble else verdict["state"]
        found.states[state].append(id)
        if state == NOT_YET:
            found.messages.append(trouble or verdict["message"])
    return found


def _trouble(id: str, book: NotebookNode, log: Log) -> str:
    """Why a started exercise was not judged; empty where it was, or is not started."""
    if id not in started(book):
        return ""
    own = [cell.source for cell in book.cells if exercise_of(cell) == id]
    checks = [cell.source for cell in book.cells if _checks(cell, id)]
    raised = [log.errors[code] for code in own if code in log.errors]
    if not raised and id in log.verdicts:
        return ""
    raised += [log.errors[code] for code in checks if code in log.errors]
    why = raised[0] if raised else UNREACHED if checks else UNCHECKED
    return f"{id}  {NOT_YET}\n  not judged  {why}"


def _checks(cell: NotebookNode, id: str) -> bool:
    return about(cell).get("key") == f"check:{id}" or f'check("{id}"' in cell.source
