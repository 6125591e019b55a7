"""What a lesson's text must keep to. Each complaint names file and line."""

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from workbook.checks import exercises as checks_of
from workbook.course import Lesson, course
from workbook.source import BEGIN, END, Cell, SourceError, exercises, read

TAGS = {
    "notebooks": {"nbval-check-output", "predict", "why"},
    "solutions": {"nbval-check-output", "solution", "hint"},
}
METADATA = {
    "notebooks": {"tags", "key"},
    "solutions": {
        "tags", "key", "exercise", "minutes", "difficulty", "was"
    },
}  # fmt: skip
COMPARED = "nbval-check-output"
FORBIDDEN = re.compile(
    r"\b(simply|just|obviously|clearly|easy|of course|as we know)\b", re.I
)
CODE_LINES, CLASS_LINES, WORDS, WIDTH = 20, 30, 90, 88
CELLS, SECTIONS, IN_A_ROW, MISTAKES = 120, 12, 3, 4


def complaints(lessons: list[Lesson] | None = None) -> list[SourceError]:
    """Everything that is wrong in the lessons' texts, in order."""
    found: list[SourceError] = []
    for one in lessons or course().lessons:
        for path in (one.lecture_source, one.solution_source):
            if path.exists():
                found += lint(path, one)
    return found


def lint(path: Path, one: Lesson) -> list[SourceError]:
    """The complaints about one file."""
    try:
        cells = read(path)
    except SourceError as error:
        return [error]
    room = path.parent.name
    found = [*_marks(path, cells), *_words(path, cells, room), *_compared(path, cells)]
    found += _form(path, cells)
    if room == "solutions" and not found:
        found = list(_exercises(path, cells, one))
    return found


def complain(rooms: tuple[str, ...] = ("notebooks", "solutions")) -> int:
    """Print the complaints about these folders; how many there are."""
    found = [e for e in complaints() if e.path.parent.name in rooms]
    for error in found:
        print(error)
    return len(found)


# ---------------------------------------------------------------- marks


def _marks(path: Path, cells: list[Cell]) -> Iterator[SourceError]:
    for cell in cells:
        begun = 0
        for number, line in enumerate(cell.text.splitlines(), cell.line + 1):
            mark = line.strip()
            if mark not in (BEGIN, END):
                if re.match(r"#+\s*(BEGIN|END) SOLUTION", mark):
                    yield SourceError(
                        path, number, f"a mark is written `{BEGIN}`, exactly"
                    )
                continue
            if cell.exercise is None:
                yield SourceError(path, number, "a mark outside an exercise's cell")
            if mark == BEGIN and begun:
                yield SourceError(
                    path, number, f"nested mark: the one of line {begun} is open"
                )
            if mark == END and not begun:
                yield SourceError(path, number, "END SOLUTION without a BEGIN")
            begun = number if mark == BEGIN else 0
        if begun:
            yield SourceError(path, begun, "BEGIN SOLUTION without an END in its cell")
        if cell.exercise and BEGIN not in cell.text:
            yield SourceError(path, cell.line, "an exercise's cell without a mark")
        yield from _todos(path, cell)


def _todos(path: Path, cell: Cell) -> Iterator[SourceError]:
    """Above each answer stands what to write."""
    lines = cell.text.splitlines()
    for at, line in enumerate(lines):
        if line.strip() != BEGIN:
            continue
        above = at - 1
        while above >= 0 and lines[above].strip().startswith("#"):
            if "TODO" in lines[above]:
                break
            above -= 1
        else:
            yield SourceError(path, cell.line + 1 + at, "no `# TODO:` above the answer")


def _words(path: Path, cells: list[Cell], room: str) -> Iterator[SourceError]:
    """Tags and metadata are the known ones."""
    for cell in cells:
        for tag in cell.tags:
            if tag not in TAGS[room]:
                known = ", ".join(sorted(TAGS[room]))
                yield SourceError(
                    path, cell.line, f"unknown tag {tag!r}; known: {known}"
                )
        for name in cell.meta:
            if name not in METADATA[room]:
                known = ", ".join(sorted(METADATA[room]))
                words = f"unknown metadata {name!r}; known: {known}"
                yield SourceError(path, cell.line, words)


def _compared(path: Path, cells: list[Cell]) -> Iterator[SourceError]:
    """A cell whose output is compared has a key, and an output that can be compared."""
    keys: dict[str, int] = {}
    for cell in cells:
        key = cell.meta.get("key")
        if key in keys:
            words = f"the key {key!r} is that of line {keys[key]} as well"
            yield SourceError(path, cell.line, words)
        if key:
            keys[key] = cell.line
        if COMPARED not in cell.tags:
            if "NBVAL" in cell.text:
                yield SourceError(
                    path, cell.line, f"use the tag {COMPARED!r}, not a comment"
                )
            continue
        if not key:
            yield SourceError(path, cell.line, "a compared cell needs a key")
        if "clear_output" in cell.text:
            yield SourceError(
                path, cell.line, "clear_output in a compared cell is ignored"
            )
        if re.search(r";\s*$", cell.text):
            yield SourceError(path, cell.line, "`;` does not silence a compared cell")


# ---------------------------------------------------------------- form


def _form(path: Path, cells: list[Cell]) -> Iterator[SourceError]:
    titles = [c for c in cells if c.kind == "markdown" and re.match(r"# \S", c.text)]
    if len(titles) != 1 or titles[0] is not cells[0]:
        yield SourceError(path, 1, "a lesson has one `#` title, in its first cell")
    sections = sum(c.text.startswith("## ") for c in cells if c.kind == "markdown")
    if path.parent.name == "notebooks" and sections > SECTIONS:
        yield SourceError(path, 1, f"{sections} sections; {SECTIONS} at most")
    if path.parent.name == "notebooks" and len(cells) > CELLS:
        yield SourceError(path, 1, f"{len(cells)} cells; {CELLS} at most")
    yield from _rows(path, cells)
    for cell in cells:
        yield from _prose(path, cell) if cell.kind == "markdown" else _code(path, cell)


def _rows(path: Path, cells: list[Cell]) -> Iterator[SourceError]:
    row, before = 0, None
    for cell in cells:
        again = cell.exercise is not None and cell.exercise == before
        row = row + (not again) if cell.kind == "code" else 0
        before = cell.exercise
        if row == IN_A_ROW + 1:
            words = f"more than {IN_A_ROW} code cells in a row without a word"
            yield SourceError(path, cell.line, words)


def _prose(path: Path, cell: Cell) -> Iterator[SourceError]:
    words = len(re.sub(r"\|?[-: |]+\|", " ", cell.text).split())
    if words > WORDS:
        yield SourceError(path, cell.line, f"{words} words in a cell; {WORDS} at most")
    for number, line in enumerate(cell.text.splitlines(), cell.line + 1):
        if line.startswith("###"):
            yield SourceError(path, number, "no heading below `##`")
        if found := FORBIDDEN.search(line):
            yield SourceError(path, number, f"a forbidden word: {found[0]!r}")
        if re.search(r"</?[a-z]+[^>]*>|&nbsp;", re.sub(r"`[^`]*`|\$[^$]*\$", "", line)):
            yield SourceError(path, number, "raw HTML in a lesson")
        if len(line) > WIDTH - 2 and not re.search(r"https?://|^\|", line):
            yield SourceError(
                path, number, f"{len(line) + 2} characters; {WIDTH} at most"
            )


def _code(path: Path, cell: Cell) -> Iterator[SourceError]:
    from workbook.bench.strip import stub

    text = stub(cell) if cell.exercise else cell.text
    lines = [line for line in text.splitlines() if line.strip()]
    most = CLASS_LINES if re.search(r"^class ", text, re.M) else CODE_LINES
    if len(lines) > most:
        yield SourceError(
            path, cell.line, f"{len(lines)} lines of code; {most} at most"
        )
    for number, line in enumerate(cell.text.splitlines(), cell.line + 1):
        if len(line) > WIDTH:
            yield SourceError(path, number, f"{len(line)} characters; {WIDTH} at most")
    try:
        ast.parse(cell.text)
    except SyntaxError as error:
        at = cell.line + (error.lineno or 1)
        yield SourceError(path, at, f"not Python: {error.msg}")


# ---------------------------------------------------------------- exercises


def _exercises(path: Path, cells: list[Cell], one: Lesson) -> Iterator[SourceError]:
    yield from _ids(path, cells, one)
    exercises.cache_clear()
    checks = checks_of(one.slug)
    for ex in exercises(one.slug).values():
        if ex.id not in checks:
            where = f"workbook/checks/{one.slug}.py"
            yield SourceError(path, ex.line, f"{ex.id} has no check in {where}")
        elif (n := len(checks[ex.id].mistakes)) < MISTAKES:
            words = f"{ex.id} has {n} known mistakes; {MISTAKES} at least"
            yield SourceError(path, ex.line, words)
        if len(ex.hints) != 3:
            yield SourceError(
                path, ex.line, f"{ex.id} has {len(ex.hints)} hints, not 3"
            )
        if not ex.why:
            yield SourceError(path, ex.line, f"{ex.id} does not say why")
        if not (ex.minutes and 1 <= ex.difficulty <= 5 and ex.concepts):
            words = (
                f"{ex.id} needs minutes, difficulty (1 to 5), a concept in course.toml"
            )
            yield SourceError(path, ex.line, words)
        if not any(f'check("{ex.id}"' in c.text for c in cells if c.kind == "code"):
            yield SourceError(path, ex.line, f"{ex.id} has no cell that checks it")
        yield from _spoilers(path, cells, ex.id, ex.hints, ex.cells)


def _ids(path: Path, cells: list[Cell], one: Lesson) -> Iterator[SourceError]:
    """Ids are the course's, in its order, each one's cells together."""
    runs: list[tuple[str, int]] = []
    for cell in cells:
        if cell.kind != "code" or "solution" in cell.tags or not cell.exercise:
            continue
        if not runs or runs[-1][0] != cell.exercise:
            runs.append((cell.exercise, cell.line))
    for at, (id, line) in enumerate(runs):
        if id in [other for other, _ in runs[:at]]:
            yield SourceError(path, line, f"the id {id!r} is taken: ids are unique")
        elif id not in one.exercises:
            yield SourceError(path, line, f"course.toml has no exercise {id!r}")
    for id in one.exercises:
        if id not in [found for found, _ in runs]:
            yield SourceError(
                path, 1, f"course.toml has {id!r}, and this file does not"
            )


def _spoilers(
    path: Path, cells: list[Cell], id: str, hints: tuple[str, ...], answers: tuple
) -> Iterator[SourceError]:
    """No hint holds a whole line of the answer; the last one has a hole."""
    lines = {_tight(line) for cell in answers for line in _answer_lines(cell.text)}
    for level, text in enumerate(hints, 1):
        at = next(c.line for c in cells if c.text == text)
        for line in lines:
            if len(line) >= 12 and line in _tight(text):
                words = f"hint {level} of {id} gives the answer away: {line!r}"
                yield SourceError(path, at, words)
        if level == len(hints) and "____" not in text:
            yield SourceError(path, at, f"the last hint of {id} has no hole (____)")


def _answer_lines(text: str) -> Iterator[str]:
    inside = False
    for line in text.splitlines():
        if line.strip() in (BEGIN, END):
            inside = line.strip() == BEGIN
        elif inside and not re.match(
            r"\s*(for|while|if|else|def|return)\b[^=]*:?$", line
        ):
            yield line


def _tight(text: str) -> str:
    return re.sub(r"\s+", "", textwrap.dedent(text))
