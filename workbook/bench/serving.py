"""`make hint` and `make solution`: as in the notebook, in the terminal."""

import sys

from rich.console import Console
from rich.markdown import Markdown

from workbook.course import CourseError, lesson
from workbook.hints import hint_text, solution_text
from workbook.progress import Progress, ProgressError
from workbook.source import exercises


def hint(argv: list[str]) -> int:
    """Show the next hint of an exercise, and remember that it was shown."""
    id = _asked("hint", argv)
    level = Progress.load().hint_level(id) + 1
    _show(hint_text(id, level))
    try:
        Progress.load().record_hint(id, min(level, 3))
    except ProgressError as error:
        print(error)
    return 0


def solution(argv: list[str]) -> int:
    """Show an answer, once it has passed or the learner is sure."""
    id = _asked("solution", argv)
    if Progress.load().state(id) == "passed" or _is_sure(id):
        _show(solution_text(id))
    return 0


def _asked(act: str, argv: list[str]) -> str:
    """The id that was typed; CourseError where it is none, or not written yet."""
    if len(argv) != 1:
        raise CourseError(f"Which exercise? Say it so: make {act} EX=micrograd.value")
    written = exercises(lesson(argv[0]).slug)
    if argv[0] not in written:
        there_are = ", ".join(written) or "none of this lesson"
        raise CourseError(
            f"{argv[0]!r} is no written exercise. There are: {there_are}."
        )
    return argv[0]


def _is_sure(id: str) -> bool:
    """Ask once; where nobody can answer, the command itself did."""
    if not sys.stdin.isatty():
        return True
    said = input(f"Show the solution of {id}? Yours has not passed yet. [y/N] ")
    return said.strip().lower().startswith("y")


def _show(text: str) -> None:
    Console().print(Markdown(text))
