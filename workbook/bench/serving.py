"""`make hint` and `make solution`: as in the notebook, in the terminal."""

import sys

from rich.console import Console
from rich.markdown import Markdown

from workbook.course import CourseError, lesson
from workbook.hints import hint_text, solution_text
from workbook.progress import Progress, ProgressError
from workbook.source import exercises


def main(argv: list[str]) -> int:
    """`hint ID` or `solution ID`."""
    act, *ids = argv
    if len(ids) != 1:
        print(f"Which exercise? Say it so: make {act} EX=micrograd.value")
        return 2
    if ids[0] not in exercises(lesson(ids[0]).slug):
        raise CourseError(f"The exercise {ids[0]} is not written yet.")
    return _hint(ids[0]) if act == "hint" else _solution(ids[0])


def _hint(id: str) -> int:
    progress = Progress.load()
    level = progress.hint_level(id) + 1
    _show(hint_text(id, level))
    try:
        progress.record_hint(id, min(level, 3))
    except ProgressError as error:
        print(error)
    return 0


def _solution(id: str) -> int:
    if Progress.load().state(id) != "passed" and not _sure(id):
        return 0
    _show(solution_text(id))
    return 0


def _sure(id: str) -> bool:
    """Ask once; where nobody can answer, the command itself did."""
    if not sys.stdin.isatty():
        return True
    said = input(f"Show the solution of {id}? Yours has not passed yet. [y/N] ")
    return said.strip().lower().startswith("y")


def _show(text: str) -> None:
    Console().print(Markdown(text))
