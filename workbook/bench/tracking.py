"""`make progress`, `make list`, `make next`: where you are, in the terminal.

Of `make progress`: `--markdown` prints the tracker as a checklist; `--merge FILE` takes
in the progress file of another machine; a lesson's name shows that lesson's exercises.
"""

from argparse import ArgumentParser, Namespace

from rich import box
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from workbook.course import lesson, root
from workbook.progress import Progress, ProgressError
from workbook.source import exercises as exercises_of
from workbook.tracker import (
    NOT_YET,
    OPEN,
    PASSED,
    RECHECK,
    Overview,
    Standing,
    Step,
    duration,
    next_words,
    overview,
)

# A mark and a word carry the state; the colour repeats them.
FACES = {
    PASSED: ("✓", "green"),
    NOT_YET: ("✗", "red"),
    RECHECK: ("↻", "yellow"),
    OPEN: ("·", "bright_black"),
}


def main(argv: list[str]) -> int:
    """Show the tracker, or take in another machine's."""
    asked = _asked(argv)
    if asked.merge:
        return _merge(asked.merge)
    now = overview()
    if asked.markdown:
        print(now.markdown(), end="")
        return 0
    _show(now, _chosen(now, asked.lesson))
    return 0


def list_all(argv: list[str]) -> int:
    """Every exercise that is written, or those of one lesson, with its state."""
    now, console = overview(), Console(highlight=False)
    wanted = lesson(argv[0]).slug if argv else None
    for one in now.written:
        if wanted in (None, one.lesson.slug):
            console.print(exercises(one))
    return 0


def next_one(argv: list[str]) -> int:
    """The task of the exercise to take up now, and where its cell is."""
    now, console = overview(), Console(highlight=False)
    console.print(next_words(now), markup=False)
    if not (now.current and now.next):
        return 0
    text = exercises_of(now.current.lesson.slug).get(now.next.id)
    if text:
        console.print(Markdown(text.task))
    where = now.current.lesson.exercise.relative_to(root()).as_posix()
    print(f"\nIn {where}, under {text.title if text else now.next.name}.")
    print(f"Stuck? make hint EX={now.next.id}")
    return 0


def _asked(argv: list[str]) -> Namespace:
    parser = ArgumentParser(prog="make progress", description=__doc__)
    parser.add_argument("lesson", nargs="?", help="whose exercises to show")
    parser.add_argument("--markdown", action="store_true", help="as a checklist")
    parser.add_argument("--merge", metavar="FILE", help="another machine's file")
    return parser.parse_args(argv)


def _merge(file: str) -> int:
    progress = Progress.load()
    try:
        changed = progress.merge(file)
    except ProgressError as error:
        print(error)
        return 1
    entries = "1 entry" if changed == 1 else f"{changed or 'no'} entries"
    print(f"{file} is taken in: {entries} changed here. It was not changed itself.")
    return 0


def _chosen(now: Overview, key: str | None) -> Standing | None:
    """The lesson that was asked for, else the current one. Raises CourseError."""
    if not key:
        return now.current
    slug = lesson(key).slug
    return next(one for one in now.standings if one.lesson.slug == slug)


def _show(now: Overview, one: Standing | None) -> None:
    console = Console(highlight=False)
    for note in now.notes:
        console.print(note, style="yellow", markup=False)
    console.print(lessons(now))
    if one:
        console.print(exercises(one))
    console.print(next_words(now), markup=False)
    if now.next:
        print(f"Stuck? make hint EX={now.next.id}")


def lessons(now: Overview) -> Table:
    """A row a lesson."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", justify="right")
    table.add_column("Lesson")
    for name in ("Exercises", "Passed", "Left", "Tracker"):
        table.add_column(name, no_wrap=True)
    for one in now.standings:
        table.add_row(*_lesson(one), style="" if one.written else "bright_black")
    table.caption = f"{now.summary}."
    table.caption_justify = "left"
    return table


def _lesson(one: Standing) -> tuple[str | Text, ...]:
    ticked = f"{sum(b.ticked for b in one.boxes)} of {len(one.boxes)}"
    left = duration(one.minutes_left) if one.minutes_left else ""
    marks = _marks(one) if one.written else Text("coming")
    passed = f"{one.count(PASSED)} of {len(one.steps)}" if one.written else ""
    return str(one.lesson.number), one.lesson.title, marks, passed, left, ticked


def _marks(one: Standing) -> Text:
    """One mark an exercise."""
    return Text.assemble(*(FACES[step.state] for step in one.steps))


def exercises(one: Standing) -> Table:
    """The exercises of a lesson, each with its state in a word."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    title = f"{one.lesson.number} {one.lesson.title}"
    for name, side in ((title, "left"), ("Minutes", "right"), ("State", "left")):
        table.add_column(name, justify=side)
    for step in one.steps:
        table.add_row(*_step(step))
    return table


def _step(step: Step) -> tuple[str | Text, ...]:
    mark, colour = FACES[step.state]
    return step.id, str(step.minutes or ""), Text(f"{mark} {step.state}", colour)
