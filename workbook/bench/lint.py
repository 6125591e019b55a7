"""What a lesson's text must keep to. Each complaint names file and line."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from workbook.bench.spoilers import spoiled
from workbook.bench.strip import stub
from workbook.checks import exercises as checks_of
from workbook.course import Lesson, course, root
from workbook.source import (
    BEGIN,
    COMPARED,
    END,
    Cell,
    SourceError,
    exercise_blocks,
    read,
)

TAGS = {
    "notebooks": {COMPARED, "predict", "why"},
    "solutions": {COMPARED, "solution", "hint"},
}
METADATA: dict[str, dict[str, type]] = {
    "notebooks": {"tags": list, "key": str, "was": list},
    "solutions": {"tags": list, "key": str, "was": list}
    | {"exercise": str, "minutes": int, "difficulty": int},
}
FORBIDDEN = re.compile(
    r"\b(simply|just|obviously|clearly|easy|of course|as we know)\b", re.I
)
HTML = re.compile(r"</?[a-z][^>]*>|<!--|&(\w+|#\d+);", re.I)
CODE_LINES, CLASS_LINES, WORDS, WIDTH = 20, 30, 90, 88
CELLS, SECTIONS, IN_A_ROW, HINTS, MISTAKES = 120, 12, 3, 3, 4


@dataclass(frozen=True)
class Text:
    """A lesson's file as read."""

    path: Path
    lesson: Lesson
    cells: list[Cell]

    @property
    def room(self) -> str:
        return self.path.parent.name


Complaint = tuple[int, str]  # line, words
Rule = Callable[[Text], Iterator[Complaint]]


def complaints(
    lessons: list[Lesson] | None = None, rooms: tuple[str, ...] = tuple(TAGS)
) -> list[SourceError]:
    """Everything that is wrong in the lessons' texts, in order."""
    found: list[SourceError] = []
    for one in lessons or course().lessons:
        for path in (one.lecture_source, one.solution_source):
            if path.parent.name in rooms and path.exists():
                found += lint(path, one)
    return found


def lint(path: Path, one: Lesson) -> list[SourceError]:
    """The complaints about one file, in the order of its lines."""
    try:
        text = Text(path, one, read(path))
    except SourceError as error:
        return [error]
    rules = (*EVERYWHERE, *(IN_SOLUTIONS if text.room == "solutions" else IN_LECTURES))
    found = sorted({complaint for rule in rules for complaint in rule(text)})
    return [SourceError(path, *complaint) for complaint in found] + _ties(text)


def complain(
    lessons: list[Lesson] | None = None, rooms: tuple[str, ...] = tuple(TAGS)
) -> int:
    """Print the complaints; how many there are."""
    found = complaints(lessons, rooms)
    for error in found:
        print(error)
    return len(found)


# ---------------------------------------------------------------- marks


def _marks(text: Text) -> Iterator[Complaint]:
    """Marks come in pairs, one after the other, and only where an answer is."""
    for cell in text.cells:
        begun = 0
        for number, mark in _marks_of(cell):
            if mark not in (BEGIN, END):
                yield number, f"{mark!r} is no mark: there are `{BEGIN}` and `{END}`"
                continue
            if cell.exercise is None:
                yield number, "a mark outside an exercise's cell"
            if mark == BEGIN and begun:
                yield number, f"a nested mark: the one of line {begun} is open"
            if mark == END and not begun:
                yield number, "END SOLUTION without a BEGIN"
            begun = number if mark == BEGIN else 0
        if begun:
            yield begun, "BEGIN SOLUTION without an END in its cell"
        if cell.exercise and BEGIN not in cell.text:
            yield cell.line, "an exercise's cell without a mark"


def _marks_of(cell: Cell) -> Iterator[tuple[int, str]]:
    """The marks of a cell, and what was meant to be one."""
    for number, line in _numbered(cell):
        line = line.strip()
        words = " ".join(re.findall(r"[A-Z]+", line.upper()))
        close = get_close_matches(words, (BEGIN[4:], END[4:]), cutoff=0.8)
        if line.startswith("#") and (close or re.match(r"###+ ?(BEGIN|END)\b", line)):
            yield number, line


def _numbered(cell: Cell) -> Iterator[tuple[int, str]]:
    return enumerate(cell.text.splitlines(), cell.line + 1)


def _todos(text: Text) -> Iterator[Complaint]:
    """Above each answer stands what to write, and not the answer itself."""
    for cell in text.cells:
        lines = dict(_numbered(cell))
        for number in [n for n, line in lines.items() if line.strip() == BEGIN]:
            comment = ""
            while lines.get(number - 1, "").strip().startswith("#"):
                number -= 1
                comment = f"{lines[number].strip()[1:]}\n{comment}"
            if "TODO" not in comment:
                yield number, "no `# TODO:` above the answer"
            for statement in spoiled(comment, [cell]):
                yield number, f"the TODO gives the answer away: {statement!r}"


# ---------------------------------------------------------------- metadata


def _tags(text: Text) -> Iterator[Complaint]:
    for cell in text.cells:
        for tag in set(cell.tags) - TAGS[text.room]:
            known = ", ".join(sorted(TAGS[text.room]))
            yield cell.line, f"unknown tag {tag!r}; known: {known}"
        if "hint" in cell.tags and cell.kind == "code":
            yield cell.line, "a hint is Markdown: write `# %% [markdown]`"
        if (COMPARED in cell.tags or cell.exercise) and cell.kind != "code":
            yield cell.line, "a Markdown cell is neither compared nor an exercise"


def _metadata(text: Text) -> Iterator[Complaint]:
    known = METADATA[text.room]
    for cell in text.cells:
        for name, value in cell.meta.items():
            if name not in known:
                names = ", ".join(sorted(known))
                yield cell.line, f"unknown metadata {name!r}; known: {names}"
            elif type(value) is not known[name]:
                kind = known[name].__name__
                yield cell.line, f"{name} is {value!r}, and should be a {kind}"


def _keys(text: Text) -> Iterator[Complaint]:
    """A compared cell has a key; no two cells have the same."""
    keys: dict[str, int] = {}
    for cell in text.cells:
        key = str(cell.meta.get("key", ""))
        if COMPARED in cell.tags and not key:
            yield cell.line, "a compared cell needs a key"
        if not re.fullmatch(r"[\w.:-]*", key):
            yield cell.line, f"the key {key!r} has more than letters, digits and ._:-"
        if key in keys:
            yield cell.line, f"the key {key!r} is that of line {keys[key]} as well"
        if key:
            keys.setdefault(key, cell.line)


def _compared(text: Text) -> Iterator[Complaint]:
    """What nbval cannot compare, or would take otherwise than it reads."""
    for cell in (c for c in text.cells if c.kind == "code"):
        for number, line in _numbered(cell):
            if "NBVAL_" in line:
                yield number, f"use the tag {COMPARED!r}, not a comment"
            if COMPARED in cell.tags and "clear_output" in line:
                yield number, "clear_output does not clear what is compared"
            if COMPARED in cell.tags and re.search(r";\s*(#.*)?$", line):
                yield number, "`;` does not silence a compared cell"


# ---------------------------------------------------------------- form


def _outline(text: Text) -> Iterator[Complaint]:
    """One title, on top; a heading begins its cell."""
    if not text.cells or not re.match(r"# \S", text.cells[0].text):
        yield 1, "a lesson begins with its `#` title"
    for cell in text.cells:
        for number, line in _headings(cell):
            if line.startswith("###"):
                yield number, "no heading below `##`"
            elif line.startswith("# ") and cell is not text.cells[0]:
                yield number, "a lesson has one `#` title, in its first cell"
            elif number != cell.line + 1:
                yield number, "a heading begins its cell: give it one of its own"


def _headings(cell: Cell) -> Iterator[Complaint]:
    for number, line in _prose_of(cell):
        if re.match(r"#+\s", line):
            yield number, line


def _limits(text: Text) -> Iterator[Complaint]:
    sections = sum(cell.is_heading for cell in text.cells)
    if sections > SECTIONS:
        yield 1, f"{sections} sections; {SECTIONS} at most"
    if len(text.cells) > CELLS:
        yield 1, f"{len(text.cells)} cells; {CELLS} at most"


def _rows(text: Text) -> Iterator[Complaint]:
    """After three code cells comes a word; the cells of an exercise count as one."""
    row, before = 0, None
    for cell in text.cells:
        again = cell.exercise is not None and cell.exercise == before
        row = row + (not again) if cell.kind == "code" else 0
        before = cell.exercise
        if row == IN_A_ROW + 1 and not again:
            yield cell.line, f"more than {IN_A_ROW} code cells in a row without a word"


def _prose(text: Text) -> Iterator[Complaint]:
    for cell in (c for c in text.cells if c.kind == "markdown"):
        words = len(re.sub(r"\|?[-: |]+\|", " ", cell.text).split())
        if words > WORDS:
            yield cell.line, f"{words} words in a cell; {WORDS} at most"
        for number, line in _prose_of(cell):
            plain = re.sub(r"`[^`]*`|\$[^$]*\$", "", line)
            if found := FORBIDDEN.search(plain):
                yield number, f"a forbidden word: {found[0]!r}"
            if HTML.search(plain):
                yield number, "raw HTML in a lesson"


def _prose_of(cell: Cell) -> Iterator[Complaint]:
    """The numbered lines of a Markdown cell, code between fences left out."""
    fenced = cell.kind == "code"
    for number, line in _numbered(cell):
        if line.lstrip().startswith("```") and cell.kind == "markdown":
            fenced = not fenced
        elif not fenced:
            yield number, line


def _width(text: Text) -> Iterator[Complaint]:
    for cell in text.cells:
        indent = 2 * (cell.kind == "markdown")  # the `# ` in the file
        for number, line in _numbered(cell):
            long = len(line) + indent > WIDTH
            if long and not (indent and re.search(r"https?://|^\|", line)):
                yield number, f"{len(line) + indent} characters; {WIDTH} at most"


def _code(text: Text) -> Iterator[Complaint]:
    for cell in (c for c in text.cells if c.kind == "code"):
        shown = stub(cell) if cell.exercise else cell.text
        lines = sum(bool(line.strip()) for line in shown.splitlines())
        most = CLASS_LINES if re.search(r"^class ", shown, re.M) else CODE_LINES
        if lines > most:
            yield cell.line, f"{lines} lines of code; {most} at most"
        try:
            ast.parse(cell.text)
        except SyntaxError as error:
            yield cell.line + (error.lineno or 1), f"not Python: {error.msg}"


# ---------------------------------------------------------------- exercises


def _ids(text: Text) -> Iterator[Complaint]:
    """Ids are the course's, in its order, each one's cells under one heading."""
    runs: list[tuple[str, int]] = []
    for _, block in exercise_blocks(text.cells):
        lines: dict[str, int] = {}
        for cell in block:
            lines.setdefault(cell.exercise or "", cell.line)
        runs += [(id, line) for id, line in lines.items() if id]
    ids = [id for id, _ in runs]
    for at, (id, line) in enumerate(runs):
        if id in ids[:at]:
            yield line, f"the id {id!r} is taken: ids are unique"
        elif id not in text.lesson.exercises:
            yield line, f"course.toml has no exercise {id!r}"
    for id in text.lesson.exercises:
        if id not in ids:
            yield 1, f"course.toml has {id!r}, and this file does not"
    ordered = [id for id in text.lesson.exercises if id in ids]
    if sorted(ids) == sorted(ordered) and ids != ordered:
        yield 1, f"the order of course.toml is {', '.join(ordered)}"


def _blocks(text: Text) -> Iterator[Complaint]:
    """One exercise under each `##`, with all that belongs to it and nothing lost."""
    placed: list[Cell] = []
    for _, block in exercise_blocks(text.cells):
        placed += block
        first, *others = [cell for cell in block if cell.exercise]
        for cell in others:
            if cell.exercise != first.exercise:
                yield cell.line, "a second exercise under one heading: give it its own"
            elif {"minutes", "difficulty"} & set(cell.meta):
                yield cell.line, "minutes and difficulty are said in the first cell"
    for cell in text.cells:
        if (cell.exercise or {"hint", "solution"} & set(cell.tags)) and (
            cell not in placed
        ):
            yield cell.line, "this belongs to no exercise: there is no `##` above it"


def _parts(text: Text) -> Iterator[Complaint]:
    """Minutes, difficulty, concepts, hints, a why, a check with known mistakes."""
    for _, block in exercise_blocks(text.cells):
        cell = next(cell for cell in block if cell.exercise)
        id, line = cell.exercise or "", cell.line
        for words in (*_said(text, cell), *_judged(text, id)):
            yield line, f"{id} {words}"
        hints = sum("hint" in c.tags for c in block)
        if hints != HINTS:
            yield line, f"{id} has {hints} hints, not {HINTS}"
        if not any("solution" in c.tags and c.kind == "markdown" for c in block):
            yield line, f"{id} does not say why: a Markdown cell tagged `solution`"
        checks = sum(is_check_of(c, id) for c in block)
        if checks != 1:
            words = f'needs one cell that begins with `check("{id}"`, it has'
            yield line, f"{id} {words} {checks}"


def is_check_of(cell: Cell, id: str) -> bool:
    """Whether a cell checks the exercise."""
    return cell.kind == "code" and cell.text.startswith(f'check("{id}"')


def _said(text: Text, cell: Cell) -> Iterator[str]:
    """What an exercise's first cell, or course.toml, does not say of it."""
    if not cell.meta.get("minutes"):
        yield "has no minutes"
    if cell.meta.get("difficulty") not in range(1, 6):
        yield "needs a difficulty from 1 to 5"
    if not any(cell.exercise in one.exercises for one in text.lesson.concepts):
        yield "drills no concept of course.toml"


def _judged(text: Text, id: str) -> Iterator[str]:
    checks = checks_of(text.lesson.slug)
    if id not in checks:
        yield f"has no check in workbook/checks/{text.lesson.slug}.py"
    elif (n := len(checks[id].mistakes)) < MISTAKES:
        yield f"has {n} known mistakes; {MISTAKES} at least"


def _spoilers(text: Text) -> Iterator[Complaint]:
    """No hint holds a whole statement of the answer; the last one has a hole."""
    for _, block in exercise_blocks(text.cells):
        answers = [cell for cell in block if cell.exercise]
        hints = [cell for cell in block if "hint" in cell.tags]
        for level, hint in enumerate(hints, 1):
            for statement in spoiled(hint.text, answers):
                words = f"hint {level} gives the answer away: {statement!r}"
                yield hint.line, words
        if hints and "____" not in hints[-1].text:
            yield hints[-1].line, "the last hint has no hole (____)"


# ---------------------------------------------------------------- course.toml


def _ties(text: Text) -> list[SourceError]:
    """Each concept is taught under a heading that exists, and drilled."""
    headings = {c.text.partition("\n")[0][3:] for c in text.cells if c.is_heading}
    found = []
    for concept in text.lesson.concepts:
        if text.room == "notebooks" and concept.section not in headings:
            words = f"{text.path.name} has no section {concept.section!r}"
            found.append(_in_course(f'section = "{concept.section}"', words))
        if text.room == "solutions" and not concept.exercises:
            words = f"the concept {concept.name!r} has no exercise"
            found.append(_in_course(f'name = "{concept.name}"', words))
    return found


def _in_course(line: str, words: str) -> SourceError:
    """A complaint about a line of course.toml."""
    path = root() / "course.toml"
    lines = path.read_text("utf-8").splitlines()
    number = next((n for n, said in enumerate(lines, 1) if said.strip() == line), 1)
    return SourceError(path, number, words)


EVERYWHERE: tuple[Rule, ...] = (
    _marks, _todos, _tags, _metadata, _keys, _compared,
    _outline, _rows, _prose, _width, _code,
)  # fmt: skip
IN_LECTURES: tuple[Rule, ...] = (_limits,)
IN_SOLUTIONS: tuple[Rule, ...] = (_ids, _blocks, _parts, _spoilers)
