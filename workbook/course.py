"""The facts of the course, read from course.toml: what is taught, in which order."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


class CourseError(Exception):
    """Something asked of the course does not exist; the message lists what does."""


def root() -> Path:
    """Folder of the course: WORKBOOK_ROOT, else the first parent of the current
    folder that holds a course.toml, else the folder that holds this package."""
    if named := os.environ.get("WORKBOOK_ROOT"):
        return Path(named).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "course.toml").is_file():
            return folder
    return Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Concept:
    name: str
    section: str
    exercises: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    id: str
    text: str
    exercises: tuple[str, ...]


@dataclass(frozen=True)
class Lesson:
    number: int
    slug: str
    title: str
    question: str
    video: str
    length: str
    part: int
    part_title: str
    weeks: str
    exercises: tuple[str, ...]
    concepts: tuple[Concept, ...]
    tracker: tuple[Item, ...]
    papers: tuple
    repositories: tuple
    module: str
    public: tuple[str, ...]
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.number:02d}_{self.slug}"

    @property
    def minutes(self) -> int:
        hours, minutes = re.fullmatch(r"(?:(\d+)h )?(\d+)m", self.length).groups()
        return 60 * int(hours or 0) + int(minutes)

    @property
    def lecture_source(self) -> Path:
        return self.folder / "notebooks" / f"{self.name}.py"

    @property
    def solution_source(self) -> Path:
        return self.folder / "solutions" / f"{self.name}.py"

    @property
    def exercise_source(self) -> Path:
        return self.folder / "exercises" / f"{self.name}.py"

    @property
    def lecture(self) -> Path:
        return self.lecture_source.with_suffix(".ipynb")

    @property
    def exercise(self) -> Path:
        return self.exercise_source.with_suffix(".ipynb")


@dataclass(frozen=True)
class Course:
    title: str
    author: str
    lessons: tuple[Lesson, ...]


def course() -> Course:
    """The course under root(), read once per folder."""
    return _read(root())


@cache
def _read(folder: Path) -> Course:
    table = tomllib.loads((folder / "course.toml").read_text(encoding="utf-8"))
    lessons = tuple(_lesson(row, folder) for row in table["lesson"])
    return Course(table["title"], table["author"], lessons)


def _lesson(row: dict, folder: Path) -> Lesson:
    tuples = ("exercises", "concepts", "tracker", "papers", "repositories", "public")
    row = {"question": "", "part_title": "", "module": ""} | row
    row |= {key: tuple(row.get(key, ())) for key in tuples}
    return Lesson(**row, folder=folder)


def lesson(key: str | int) -> Lesson:
    """The lesson that a slug, number, name or exercise id belongs to."""
    wanted = str(key).split(".")[0]
    for one in course().lessons:
        if wanted in (one.slug, one.name, f"{one.number}", f"{one.number:02d}"):
            return one
    names = ", ".join(one.slug for one in course().lessons)
    raise CourseError(f"There is no lesson {str(key)!r}; there are {names}.")
