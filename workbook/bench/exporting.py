"""`make export`: the passed answers, or the solutions, as plain modules in code/.

Each module stands in a package, so that `from micrograd.micrograd import Value` finds
yours in code/ also where a package of that name is installed. Beside it come the
scripts that work with it, from `scripts/`.
"""

import argparse
import ast
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from nbformat import NotebookNode

from workbook.bench.build import about
from workbook.bench.export import Code, Exported, from_solutions, module
from workbook.bench.learner import exercise_of, notebook_of
from workbook.bench.statements import statements
from workbook.bench.strip import written
from workbook.bench.texts import write
from workbook.checks import known
from workbook.course import Lesson, root
from workbook.progress import Progress
from workbook.source import exercises
from workbook.verdict import PASSED

SCRIPTS = Path(__file__).with_name("scripts")  # laid out as code/ is
_DEFINITIONS = ast.FunctionDef | ast.ClassDef


def main(argv: list[str]) -> int:
    """Write code/…; an answer that has not passed is left out and listed."""
    parser = argparse.ArgumentParser(prog="make export", add_help=False)
    parser.add_argument("--from", dest="origin", choices=["solutions", "exercises"])
    parser.add_argument("--to", type=Path, default=root() / "code")
    options = parser.parse_args(argv)
    for one in written():
        solved = options.origin == "solutions"
        _place(one, from_solutions(one) if solved else from_exercises(one), options.to)
    return 0


def _place(one: Lesson, made: Exported, folder: Path) -> None:
    """Write a module, and say what is not in it."""
    path = folder / Path(one.module).relative_to("code")
    name = path.relative_to(root()) if path.is_relative_to(root()) else path
    if set(made.missing) >= set(one.public):
        print(f"{name}: nothing has passed yet, nothing is written")
        return
    kept = _keep(path, made, folder)
    written = write(made.text, path)
    package = path.with_name("__init__.py")
    if not package.exists():
        write('"""Your own modules, made by `make export`."""\n', package)
    print(f"{name}: {'written' if written else 'as it was'}")
    if kept:
        print(f"  kept      {kept}, which had more in it")
    for id, why in made.left_out.items():
        print(f"  left out  {id:<28} {why}")
    if made.missing:
        print(f"  missing   {', '.join(made.missing)}")
    for script in sorted((SCRIPTS / path.parent.name).glob("*.py")):
        _lay_beside(script, path, made, folder)
    there = next(name for name in one.public if name not in made.missing)
    module = ".".join(Path(one.module).relative_to("code").with_suffix("").parts)
    print(f"  try       from {module} import {there}   (in {folder.name}/)")


def _keep(path: Path, made: Exported, folder: Path) -> Path | None:
    """A dated copy of a module that has names which the new one lacks."""
    if not path.exists() or not set(made.missing) & _defined(path):
        return None
    return _copy(path, folder)


def _copy(path: Path, folder: Path) -> Path:
    """A dated copy of a file, in .kept/."""
    stamp = datetime.now().strftime("%Y-%m-%d_%H%M%S")
    kept = folder / ".kept" / f"{path.stem}-{stamp}.py"
    kept.parent.mkdir(exist_ok=True)
    shutil.copy2(path, kept)
    return kept.relative_to(folder.parent)


def _lay_beside(script: Path, module: Path, made: Exported, folder: Path) -> None:
    """Write a script beside its module, if that has what it imports; say so."""
    absent = sorted(set(made.missing) & _asked(script, module.stem))
    if absent:
        print(f"  left out  {script.name:<28} needs {', '.join(absent)}")
        return
    path, text = module.with_name(script.name), script.read_text("utf-8")
    if path.exists() and path.read_text("utf-8") != text:
        print(f"  kept      {_copy(path, folder)}, which was another")
    write(text, path)
    print(f"  beside    {script.name:<28} {_about(script)}")


def _asked(script: Path, module: str) -> set[str]:
    """The names that a script imports from a module."""
    nodes = ast.walk(ast.parse(script.read_text("utf-8")))
    froms = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module == module]
    return {alias.name for node in froms for alias in node.names}


def _about(script: Path) -> str:
    """The first line of its docstring."""
    text = ast.get_docstring(ast.parse(script.read_text("utf-8"))) or ""
    return text.partition("\n")[0]


def _defined(path: Path) -> set[str]:
    """What a module defines; nothing where it cannot be read."""
    try:
        body = ast.parse(path.read_text("utf-8")).body
    except (SyntaxError, ValueError):
        return set()
    return {node.name for node in body if isinstance(node, _DEFINITIONS)}


def from_exercises(one: Lesson) -> Exported:
    """The module of a learner's passed answers; the others are left out."""
    progress, book = Progress.load(), notebook_of(one)
    cells = book.cells if book else []
    left_out = {
        id: why
        for id in exercises(one.slug)
        if (why := _unfit(id, progress.state(id, known(id).version), cells))
    }
    codes = [
        Code(cell.source, id, spare=not about(cell))
        for cell in cells
        if (id := exercise_of(cell) or "") not in left_out and _is_python(cell)
    ]
    answers = [c for id in left_out for c in exercises(one.slug)[id].cells]
    reserved = [s.bindings for cell in answers for s in statements(cell.text)]
    made = module(one, codes, frozenset().union(*reserved))
    why = made.left_out | left_out
    ordered = {id: why[id] for id in exercises(one.slug) if id in why}
    return replace(made, left_out=ordered)


def _unfit(id: str, state: str, cells: list[NotebookNode]) -> str:
    """Why an answer is left out, empty where it has passed and is still there."""
    own = [cell for cell in cells if exercise_of(cell) == id]
    if state != PASSED:
        return state
    if any(f'"TODO {id}"' in cell.source for cell in own):
        return "has passed, and is open again"
    return "" if all(map(_is_python, own)) else "has passed, and is no Python now"


def _is_python(cell: NotebookNode) -> bool:
    try:
        ast.parse(cell.source if cell.cell_type == "code" else "1 +")
    except (SyntaxError, ValueError):
        return False
    return True
