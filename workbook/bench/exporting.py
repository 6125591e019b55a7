"""`make export`: the passed answers, or the solutions, as plain modules in code/."""

import argparse
import ast
from pathlib import Path

import nbformat

from workbook.bench.build import code_of
from workbook.bench.export import Exported, from_solutions, module, write
from workbook.bench.strip import written
from workbook.checks import known
from workbook.course import Lesson, root
from workbook.progress import Progress
from workbook.source import exercises, read


def main(argv: list[str]) -> int:
    """Write code/…; an answer that has not passed is left out and listed."""
    parser = argparse.ArgumentParser(prog="make export", add_help=False)
    parser.add_argument("--from", dest="origin", choices=["solutions", "exercises"])
    parser.add_argument("--to", type=Path, default=root() / "code")
    options = parser.parse_args(argv)
    for one in written():
        if options.origin == "solutions":
            _place(one, from_solutions(one), [], options.to)
        else:
            _place(one, *from_exercises(one), options.to)
    return 0


def from_exercises(one: Lesson) -> tuple[Exported, list[str]]:
    """The module of a learner's passed answers, and the ids that are left out."""
    theirs = _answers(one)
    progress = Progress.load()
    passed = {
        id: code
        for id, code in theirs.items()
        if progress.state(id, known(id).version) == "passed"
    }
    codes = [
        passed[cell.exercise] if cell.exercise else cell.text
        for cell in _once(one)
        if not cell.exercise or cell.exercise in passed
    ]
    left_out = [id for id in exercises(one.slug) if id not in passed]
    return module(one, codes), left_out


def _once(one: Lesson) -> list:
    """The code cells of the exercises, several cells of one id only once."""
    cells, seen = [], set()
    for cell in read(one.exercise_source):
        if cell.kind == "code" and (not cell.exercise or cell.exercise not in seen):
            cells.append(cell)
            seen.add(cell.exercise)
    return cells


def _answers(one: Lesson) -> dict[str, str]:
    """What the learner wrote into the exercises' cells, as far as it is Python."""
    if not one.exercise.exists():
        return {}
    found = code_of(nbformat.read(one.exercise, as_version=4))
    return {id: code for id, code in found.items() if _parses(code)}


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _place(one: Lesson, made: Exported, left_out: list[str], folder: Path) -> None:
    path = folder / Path(one.module).relative_to("code")
    if set(made.missing) >= set(one.public):
        return print(f"lesson {one.number}: nothing has passed yet, nothing is written")
    write(made.text, path)
    print(f"wrote {path.relative_to(root()) if path.is_relative_to(root()) else path}")
    for id in left_out:
        print(f"  left out: {id} (not passed)")
    if made.missing:
        print(f"  so these names are missing: {', '.join(made.missing)}")
