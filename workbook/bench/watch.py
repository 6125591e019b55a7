"""`make watch`: a lesson's exercises are checked again whenever the notebook is saved.

The saved notebook runs from top to bottom in a kernel of its own, in check mode: the
shipped data, short budgets. The notebook is read, never written, and the tracker is
left to the checks that the learner runs in it.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

from rich.console import Console
from rich.rule import Rule

from workbook.bench.learner import Unreadable
from workbook.bench.report import Standing, read_log, standing
from workbook.bench.running import CELL_SECONDS, KERNEL_SECONDS, check_environment
from workbook.bench.tracking import FACES
from workbook.bench.validate import exercises_book
from workbook.course import CourseError, Lesson, lesson, root
from workbook.tracker import overview
from workbook.verdict import NOT_YET, OPEN, PASSED

NAP = 0.3  # seconds from one look at the file to the next
Stamp = tuple[int, int]


def main(argv: list[str]) -> int:
    """Watch a lesson's notebook until Ctrl-C; without a lesson, the current one's."""
    one, console = _chosen(argv), Console(highlight=False)
    console.print(f"Watching {_name(one)}: save it, and it is checked. Ctrl-C ends.")
    before: dict[str, str] = {}
    try:
        for _ in saves(one):
            console.print(Rule(time.strftime("%H:%M:%S"), style="bright_black"))
            before = _round(one, before, console)
    except KeyboardInterrupt:
        console.print("\nNo longer watched.")
    return 0


def _chosen(argv: list[str]) -> Lesson:
    """The lesson that was asked for, its notebook there. Raises CourseError."""
    if argv:
        one = lesson(argv[0])
    elif current := overview().current:
        one = current.lesson
    else:
        raise CourseError(
            "Every exercise has passed. To watch one: make watch LESSON=02"
        )
    if not one.exercise.exists():
        raise CourseError(f"{_name(one)} is not there yet: `make notebooks` builds it.")
    return one


def _name(one: Lesson) -> str:
    return one.exercise.relative_to(root()).as_posix()


def saves(one: Lesson) -> Iterator[None]:
    """Once at the start, then each time the file has another stamp, without end."""
    seen = None
    for _ in count():
        stamp = _stamp(one)
        if stamp is not None and stamp != seen:
            seen = stamp
            yield
        else:
            time.sleep(NAP)


def _stamp(one: Lesson) -> Stamp | None:
    """When the notebook was written, and its size; None while it is being replaced."""
    try:
        found = one.exercise.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


# ---------------------------------------------------------------- a round


def _round(one: Lesson, before: dict[str, str], console: Console) -> dict[str, str]:
    """Run the notebook, say what came of it; the state of each exercise."""
    try:
        with console.status("checking …"):
            found = checked(one)
    except Unreadable as error:
        console.print(str(error), markup=False)
        return before
    now = {id: state for state, ids in found.states.items() for id in ids}
    for line in told(found, before):
        console.print(line, markup=False)
    return now


def checked(one: Lesson) -> Standing:
    """Where the exercises of the saved notebook stand. Raises Unreadable."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    scratch = root() / "build" / "watch"
    scratch.mkdir(parents=True, exist_ok=True)
    log = scratch / f"{one.name}.jsonl"
    log.unlink(missing_ok=True)
    client = NotebookClient(
        exercises_book(one, log),
        timeout=CELL_SECONDS,
        startup_timeout=KERNEL_SECONDS,
        allow_errors=True,
        resources={"metadata": {"path": str(scratch)}},
    )
    own = {"IPYTHONDIR": str(scratch / "ipython")}
    with suppress(CellTimeoutError, DeadKernelError):  # the standing tells of these
        client.execute(env={**check_environment(), **own}, stderr=subprocess.DEVNULL)
    return standing(one, read_log(log))


def told(found: Standing, before: dict[str, str]) -> Iterator[str]:
    """What is new, the first answer that is not right yet, and how many stand where."""
    states = {id: state for state, ids in found.states.items() for id in ids}
    for id, state in states.items():
        if before and state != before.get(id):
            yield f"{FACES[state][0]} {id}  {before.get(id, OPEN)} → {state}"
    if found.messages:
        yield found.messages[0]
    yield ", ".join(f"{len(ids)} {state}" for state, ids in found.states.items() if ids)
    if not found.messages and found.states[OPEN]:
        yield f"Next: {found.states[OPEN][0]}"
    if not found.messages and set(states.values()) == {PASSED}:
        yield "All of this lesson have passed."
    if len(found.states[NOT_YET]) > 1:
        yield f"Then: {', '.join(found.states[NOT_YET][1:])}"
