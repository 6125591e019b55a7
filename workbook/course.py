"""The facts of the course, read from course.toml: what is taught, in which order.

    from workbook.course import course, lesson

    [one.name for one in course().lessons]   # ["01_micrograd", "02_bigram", ...]
    lesson("bigram.counts").exercise         # .../exercises/02_bigram.ipynb

Nothing is computed here that a notebook could show: this module only reads,
checks that the parts refer to each other, and says where the files of a lesson lie.
The records are compared by identity (eq=False): each folder is read once, and half
of the import's time would go into comparisons that nobody makes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any


class CourseError(Exception):
    """Something asked of the course does not exist; the message lists what does."""


@dataclass(frozen=True, eq=False)
class Prerequisites:
    """What a learner brings along."""

    needed: tuple[str, ...] = ()  # without it the first lesson is out of reach
    helpful: tuple[str, ...] = ()  # saves time; the lessons do without it


@dataclass(frozen=True, eq=False)
class Tip:
    """One piece of advice on how to work through the course."""

    name: str  # two or three words, to be remembered
    text: str  # one sentence on how to do it


@dataclass(frozen=True, eq=False)
class Stage:
    """One stretch of the weekly learning path."""

    weeks: str  # "1-2" or "5"
    goal: str  # what stands at the end of these weeks, one sentence
    lessons: tuple[str, ...]  # slugs, in order
    part: int  # number of the part of the course, from 1
    part_title: str  # the part in words


@dataclass(frozen=True, eq=False)
class Paper:
    """A published paper."""

    key: str  # how a lesson names it
    title: str  # as printed
    author: str  # family name of the first author
    year: int  # of its first publication
    url: str  # https address of the text


@dataclass(frozen=True, eq=False)
class Repository:
    """A companion repository by the author of the course."""

    name: str  # how a lesson names it
    url: str  # https address
    what: str  # what it holds, one sentence


@dataclass(frozen=True, eq=False)
class Reading:
    """Something to read or watch beside the course."""

    title: str  # as printed
    author: str  # who made it
    url: str  # https address


@dataclass(frozen=True, eq=False)
class Concept:
    """One idea that a lesson teaches and drills."""

    name: str  # as the curriculum calls it
    section: str  # the `##` heading of the lecture that teaches it
    exercises: tuple[str, ...]  # ids of the exercises that drill it, at least one


@dataclass(frozen=True, eq=False)
class Item:
    """One box of the tracker."""

    id: str  # "micrograd.watch_video", made from the text
    text: str  # word for word what the learner reads
    exercises: tuple[str, ...] = ()  # passing all of them ticks it; none: by hand


@dataclass(frozen=True, eq=False)
class Result:
    """One published number that our own run is held against."""

    id: str  # "mlp.dev_loss": what a measurement calls itself
    what: str  # what was measured, with which model
    value: float  # the published number
    unit: str  # "nats", "tokens", "%"
    tolerance: float  # how far ours may lie from it, in the same unit
    source: str  # where it was published
    gpu: bool = False  # out of reach without one
    at_most: bool = False  # ours may be smaller by any distance


@dataclass(frozen=True, eq=False)
class Lesson:
    """One lesson: what it teaches, and where its files lie."""

    number: int  # place in the course, from 1
    slug: str  # one word, the join key everywhere: "micrograd"
    title: str  # as the tracker calls it
    video: str  # https address of the lecture
    length: str  # of the video: "2h 25m" or "56m"
    question: str = ""  # the one question that the lesson answers
    objectives: tuple[str, ...] = ()  # each completes "You will be able to"
    builds_on: tuple[str, ...] = ()  # slugs of the lessons it needs
    ideas: tuple[str, ...] = ()  # what it needs beside them, in words
    module: str = ""  # where the learner's own code is exported to
    public: tuple[str, ...] = ()  # names that this module offers
    exercises: tuple[str, ...] = ()  # ids, in the order of work
    concepts: tuple[Concept, ...] = ()  # in the order of the lecture
    tracker: tuple[Item, ...] = ()  # in the order of the tracker
    results: tuple[Result, ...] = ()  # the headline numbers
    papers: tuple[Paper, ...] = ()  # that belong to this lesson
    repositories: tuple[Repository, ...] = ()  # that belong to this lesson
    part: int = 0  # number of the part of the course, from 1
    part_title: str = ""  # the part in words
    weeks: str = ""  # when the learning path does it: "1-2" or "5"
    folder: Path = field(default=Path(), repr=False)  # of the course: root()

    @property
    def name(self) -> str:
        """Number and slug, as the files are called: "01_micrograd"."""
        return f"{self.number:02d}_{self.slug}"

    @property
    def minutes(self) -> int:
        """Length of the video in minutes."""
        found = re.fullmatch(r"(?:(\d+)h )?(\d+)m", self.length)
        if not found:
            raise CourseError(
                f"The length of {self.slug} reads {self.length!r}; "
                "write '2h 25m' or '56m' in course.toml."
            )
        hours, minutes = found.groups(default="0")
        return 60 * int(hours) + int(minutes)

    @property
    def lecture_source(self) -> Path:
        """The lecture as an author writes it."""
        return self.folder / "notebooks" / f"{self.name}.py"

    @property
    def solution_source(self) -> Path:
        """The exercises with their answers, as an author writes them."""
        return self.folder / "solutions" / f"{self.name}.py"

    @property
    def exercise_source(self) -> Path:
        """The exercises without their answers, made from the solutions."""
        return self.folder / "exercises" / f"{self.name}.py"

    @property
    def lecture(self) -> Path:
        """The lecture as a learner opens it."""
        return self.lecture_source.with_suffix(".ipynb")

    @property
    def exercise(self) -> Path:
        """The exercises as a learner opens them; the answers in it are theirs."""
        return self.exercise_source.with_suffix(".ipynb")


@dataclass(frozen=True, eq=False)
class Course:
    """The whole of course.toml."""

    title: str  # of the course
    author: str  # of the course, not of this workbook
    lessons: tuple[Lesson, ...]  # in order
    credit: str = ""  # what we owe to the author, one or two sentences
    page: str = ""  # https address of the course's own page
    playlist: str = ""  # https address of all videos
    discord: str = ""  # https address where learners ask
    prerequisites: Prerequisites = Prerequisites()
    path: tuple[Stage, ...] = ()  # week by week
    tips: tuple[Tip, ...] = ()
    repositories: tuple[Repository, ...] = ()  # all of them, lessons name some
    papers: tuple[Paper, ...] = ()  # all of them, lessons name some
    further_reading: tuple[Reading, ...] = ()


# --- Looking things up --------------------------------------------------------


def root() -> Path:
    """Folder of the course: WORKBOOK_ROOT, else the nearest folder with a
    course.toml from the current one upwards, else the one that holds this package."""
    if named := os.environ.get("WORKBOOK_ROOT"):
        return Path(named).expanduser().resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "course.toml").is_file():
            return folder
    return Path(__file__).resolve().parents[1]


def course() -> Course:
    """The course under root(), read once per folder.

    Raises CourseError where course.toml is absent or says something impossible.
    """
    return _read(root())


def lesson(key: str | int) -> Lesson:
    """The lesson of a slug, a number, a file's name, or an exercise's id.

    "micrograd", "1", "01", 1, "01_micrograd" and "micrograd.value" are all lesson 1.
    Raises CourseError, listing what exists, for anything else.
    """
    key = str(key)
    start, dot, _ = key.partition(".")
    lessons = course().lessons
    found = next((one for one in lessons if start in _names(one)), None)
    if not found:
        raise CourseError(_absent("lesson", key, (one.slug for one in lessons)))
    if dot and key not in found.exercises:
        raise CourseError(_absent("exercise", key, found.exercises))
    return found


def _names(one: Lesson) -> tuple[str, ...]:
    return one.slug, one.name, f"{one.number}", f"{one.number:02d}"


def _absent(kind: str, key: str, there_are: Iterable[str]) -> str:
    names = ", ".join(there_are) or "none"
    return f"There is no {kind} {key!r}; there are: {names}."


# --- Reading course.toml ------------------------------------------------------


@cache
def _read(folder: Path) -> Course:
    path = folder / "course.toml"
    try:
        return _course(_table(path), folder)
    except CourseError as error:
        raise CourseError(f"{path}: {error}") from None
    except KeyError as error:
        raise CourseError(f"{path}: An entry lacks its {error}.") from None


def _table(path: Path) -> dict[str, Any]:
    import tomllib  # here, since most kernels only need the names above

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(
            "There is no such file; work inside the course's folder, "
            "or point WORKBOOK_ROOT at it."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"It is not valid TOML: {error}.") from None


def _course(table: dict[str, Any], folder: Path) -> Course:
    row = dict(table)
    row["prerequisites"] = _made(Prerequisites, row.get("prerequisites", {}))
    row["tips"] = _all(Tip, row.pop("tip", ()))
    row["repositories"] = _all(Repository, row.pop("repository", ()))
    row["papers"] = _all(Paper, row.pop("paper", ()))
    row["further_reading"] = _all(Reading, row.pop("reading", ()))
    row["path"] = _path(row.pop("part", ()))
    row["lessons"] = [_lesson(one, row, folder) for one in row.pop("lesson", ())]
    return _made(Course, row)


def _path(parts: Iterable[dict[str, Any]]) -> tuple[Stage, ...]:
    return tuple(
        _made(Stage, stage | {"part": part["number"], "part_title": part["title"]})
        for part in parts
        for stage in part["stage"]
    )


def _lesson(row: dict[str, Any], shared: dict[str, Any], folder: Path) -> Lesson:
    papers = {paper.key: paper for paper in shared["papers"]}
    repositories = {one.name: one for one in shared["repositories"]}
    row = row | _when(row.get("slug"), shared["path"]) | {"folder": folder}
    row["papers"] = _named(row.get("papers", ()), papers, "paper")
    row["repositories"] = _named(
        row.get("repositories", ()), repositories, "repository"
    )
    row["concepts"] = _all(Concept, row.get("concepts", ()))
    row["results"] = _all(Result, row.get("results", ()))
    row["tracker"] = [_item(item, row) for item in row.get("tracker", ())]
    return _made(Lesson, row)


def _when(slug: str | None, path: Iterable[Stage]) -> dict[str, Any]:
    for stage in path:
        if slug in stage.lessons:
            wanted = ("part", "part_title", "weeks")
            return {name: getattr(stage, name) for name in wanted}
    return {}


def _item(item: dict[str, Any], lesson: dict[str, Any]) -> Item:
    thing = re.sub(r"[^a-z0-9]+", "_", item["text"].lower()).strip("_")
    ticks = item.get("exercises", ())
    ticks = lesson["exercises"] if ticks == "all" else ticks
    return _made(Item, item | {"id": f"{lesson['slug']}.{thing}", "exercises": ticks})


def _named(keys: Iterable[str], known: dict[str, Any], kind: str) -> list[Any]:
    for key in keys:
        if key not in known:
            raise CourseError(_absent(kind, key, known))
    return [known[key] for key in keys]


def _all(kind: type, rows: Iterable[dict[str, Any]]) -> tuple[Any, ...]:
    return tuple(_made(kind, row) for row in rows)


def _made(kind: type, row: dict[str, Any]) -> Any:
    """`kind` from a table of course.toml, lists as tuples, every key accounted for."""
    known = {one.name: one.default is MISSING for one in fields(kind)}
    name, here = kind.__name__.lower(), f"(it says {', '.join(row) or 'nothing'})"
    for key in row.keys() - known.keys():
        raise CourseError(f"A {name} has no {key!r}; it may say {', '.join(known)}.")
    for key in (key for key, needed in known.items() if needed and key not in row):
        raise CourseError(f"A {name} lacks its {key!r} {here}.")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})
