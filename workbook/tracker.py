"""Where the learner stands: one state, seen on the front page and in the terminal.

The state is put together from what the course is (course.toml), what its text says
(titles and minutes, solutions/), and what has been done (progress.json):

    from workbook.tracker import overview

    now = overview()
    now.next             # the step to take now, or None after the last one
    print(now.text())    # for a terminal; also .html() and .markdown()

Nothing here changes the state: ticks and verdicts go through `Progress`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from workbook import checking
from workbook.course import CourseError, Item, Lesson, course
from workbook.progress import Progress
from workbook.source import Exercise, SourceError, exercises

PASSED, NOT_YET, RECHECK, OPEN = "passed", "not yet", "recheck", "open"
STATES = (PASSED, NOT_YET, RECHECK, OPEN)


@dataclass(frozen=True)
class Step:
    """One exercise as it stands."""

    id: str  # "micrograd.value"
    state: str  # one of STATES
    title: str  # its heading, or its bare name where that is not written
    minutes: int = 0

    @property
    def name(self) -> str:
        """The id without its lesson: "value"."""
        return self.id.partition(".")[2]


@dataclass(frozen=True)
class Box:
    """One item of the tracker: ticked by hand, or by the exercises it stands for."""

    item: Item
    ticked: bool
    done: int = 0  # how many of its exercises have passed

    @property
    def by_hand(self) -> bool:
        return not self.item.exercises

    @property
    def count(self) -> str:
        """How far an item is that ticks itself: "3 of 7"; empty for the others."""
        return "" if self.by_hand else f"{self.done} of {len(self.item.exercises)}"


@dataclass(frozen=True)
class Standing:
    """One lesson as it stands."""

    lesson: Lesson
    written: bool  # whether its exercises have a text yet
    steps: tuple[Step, ...]
    boxes: tuple[Box, ...]

    def count(self, state: str) -> int:
        """How many of its exercises are in a state."""
        return Counter(step.state for step in self.steps)[state]

    @property
    def todo(self) -> tuple[Step, ...]:
        """What has not passed, in the order of work; nothing before it is written."""
        return tuple(s for s in self.steps if s.state != PASSED) if self.written else ()

    @property
    def minutes_left(self) -> int:
        return sum(step.minutes for step in self.todo)

    @property
    def touched(self) -> bool:
        """Whether anything of the lesson was done or ticked."""
        done = any(step.state != OPEN for step in self.steps)
        return done or any(box.ticked for box in self.boxes)

    def said(self, passed: str = " passed") -> str:
        """Its exercises in words: "3 of 12 passed, 1 not yet"."""
        if not self.written:
            return "coming"
        rest = [f"{self.count(s)} {s}" for s in (NOT_YET, RECHECK) if self.count(s)]
        done = f"{self.count(PASSED)} of {len(self.steps)}{passed}"
        return ", ".join([done, *rest])


@dataclass(frozen=True)
class Overview:
    """The whole course as it stands at one moment."""

    standings: tuple[Standing, ...]
    at: datetime
    notes: tuple[str, ...] = ()  # sentences on what could not be read

    @property
    def written(self) -> tuple[Standing, ...]:
        return tuple(one for one in self.standings if one.written)

    @property
    def current(self) -> Standing | None:
        """The first lesson with something to do, or None."""
        return next((one for one in self.standings if one.todo), None)

    @property
    def next(self) -> Step | None:
        """The first exercise of that lesson that has not passed, or None."""
        return self.current.todo[0] if self.current else None

    @property
    def summary(self) -> str:
        """All exercises in one line: "3 of 12 exercises passed, about 2 h left"."""
        steps = [step for one in self.written for step in one.steps]
        passed = sum(step.state == PASSED for step in steps)
        left = sum(one.minutes_left for one in self.written)
        rest = f", about {duration(left)} left" if left else ""
        return f"{passed} of {len(steps)} exercises passed{rest}"

    def html(self) -> str:
        """For the notebook: what is next, and every lesson with links."""
        from workbook.front import overview_html

        return overview_html(self)

    def text(self) -> str:
        """Plain words, the same on every machine for the same state."""
        rows = [_row(one) for one in self.standings]
        width = max(len(row[0]) for row in rows)
        lines = [f"{title:<{width}}  {said}".rstrip() for title, said in rows]
        return "\n".join([next_words(self), "", *lines, "", f"{self.summary}."])

    def markdown(self) -> str:
        """The tracker as a checklist, its items word for word."""
        return "\n\n".join(_checklist(one) for one in self.standings) + "\n"


# --- Putting it together ------------------------------------------------------


def overview(progress: Progress | None = None) -> Overview:
    """The course as it stands now; in check mode, as a new learner finds it."""
    if progress is None:
        progress = _nobody() if checking() else Progress.load()
    notes = [progress.note] if progress.note else []
    standings = tuple(_standing(one, progress, notes) for one in course().lessons)
    return Overview(standings, datetime.now().astimezone(), tuple(notes))


def _nobody() -> Progress:
    """The progress of somebody who has not begun."""
    from pathlib import Path

    return Progress(Path("progress.json"))


def _standing(one: Lesson, progress: Progress, notes: list[str]) -> Standing:
    texts = _texts(one, notes)
    steps = tuple(_step(id, texts.get(id), progress) for id in one.exercises)
    passed = {step.id for step in steps if step.state == PASSED}
    boxes = tuple(_box(item, passed, progress) for item in one.tracker)
    return Standing(one, one.solution_source.exists(), steps, boxes)


def _texts(one: Lesson, notes: list[str]) -> dict[str, Exercise]:
    """What the lesson says of its exercises; a fault in it becomes a note."""
    try:
        return exercises(one.slug)
    except (SourceError, OSError) as error:
        notes.append(f"The exercises of lesson {one.number} cannot be read: {error}")
        return {}


def _step(id: str, text: Exercise | None, progress: Progress) -> Step:
    state = progress.state(id)
    if state == PASSED:
        state = progress.state(id, _version(id))
    if text is None:
        return Step(id, state, id.partition(".")[2])
    return Step(id, state, text.title, text.minutes)


def _version(id: str) -> int | None:
    """The version of an exercise's check; asked for passes only: it loads torch."""
    from workbook.checks import known

    try:
        return known(id).version
    except (CourseError, ImportError):
        return None


def _box(item: Item, passed: set[str], progress: Progress) -> Box:
    if not item.exercises:
        return Box(item, progress.ticked(item.id))
    done = len(passed.intersection(item.exercises))
    return Box(item, done == len(item.exercises), done)


# --- Words --------------------------------------------------------------------


def duration(minutes: int) -> str:
    """Minutes as one says them: "45 min", "2 h", "2 h 25 min"."""
    hours, rest = divmod(minutes, 60)
    words = [f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours)
    return " ".join(words)


def next_words(now: Overview) -> str:
    """The step to take now, in one line."""
    lesson, step = now.current and now.current.lesson, now.next
    if not (lesson and step):
        return "Next: nothing, every exercise that is written has passed."
    again = ", whose check has changed since it passed" * (step.state == RECHECK)
    minutes = f", {duration(step.minutes)}" if step.minutes else ""
    return f"Next: {step.id}{minutes} (lesson {lesson.number}, {lesson.title}){again}"


def _row(one: Standing) -> tuple[str, str]:
    left = f", {duration(one.minutes_left)} left" if one.minutes_left else ""
    return f"{one.lesson.number}  {one.lesson.title}", one.said() + left


def _checklist(one: Standing) -> str:
    return "\n".join([f"## {one.lesson.number} · {one.lesson.title}\n", *_ticks(one)])


def _ticks(one: Standing) -> Iterator[str]:
    for box in one.boxes:
        yield f"- [{'x' if box.ticked else ' '}] {box.item.text}"
