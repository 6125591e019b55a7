"""Text becomes notebooks: deterministic cells, merged around what a learner wrote."""

import hashlib
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from workbook.bench.merge import MergeRefused, fingerprint, write
from workbook.bench.trust import trust_kept
from workbook.course import course, lesson, root
from workbook.source import COMPARED, Cell, read

_UNNAMED = re.compile(r"(markdown|code)-[0-9a-f]{12}\b")


def notebook(path: Path) -> NotebookNode:
    """The notebook of a percent file. The same text gives the same bytes."""
    seen = Counter[str]()
    cells = [_cell(_keyed(cell, path.parent.name), seen) for cell in read(path)]
    book = nbformat.v4.new_notebook(cells=cells, metadata=_kernel())
    nbformat.validate(book)
    return book


def _kernel() -> dict[str, Any]:
    """What JupyterLab would write itself: a notebook that opens has nothing to save."""
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.kernelspec import get_kernel_dict

    known = get_kernel_dict()
    spec = {"name": "python3"} | {k: known[k] for k in ("display_name", "language")}
    return {"kernelspec": spec, "language_info": dict(IPythonKernel.language_info)}


def _keyed(cell: Cell, room: str) -> Cell:
    """A cell that checks has a key of its own; in solutions its verdict is compared."""
    match = re.match(r'check\("([\w.]+)"', cell.text)
    if not match or cell.kind != "code" or room not in ("solutions", "exercises"):
        return cell
    tags = [COMPARED] if room == "solutions" else list(cell.tags)
    return replace(cell, meta={"tags": tags, "key": f"check:{match[1]}"})


def _cell(cell: Cell, seen: Counter[str]) -> NotebookNode:
    source = _folded(cell.text) if "why" in cell.tags else cell.text
    key = _key(cell, source, seen)
    entry: dict[str, Any] = {"key": key, "made": fingerprint(source)}
    entry |= {k: cell.meta[k] for k in ("exercise", "was") if k in cell.meta}
    metadata: dict[str, Any] = {"workbook": entry}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    id = hashlib.sha256(key.encode()).hexdigest()[:12]
    v4 = nbformat.v4
    new = v4.new_code_cell if cell.kind == "code" else v4.new_markdown_cell
    return new(source, id=id, metadata=metadata)


def _key(cell: Cell, source: str, seen: Counter[str]) -> str:
    """A name that a cell keeps while the course changes around it.

    An exercise's cells have its id, compared cells the key that their author wrote,
    headings their words; any other cell is named by its text, since a changed text
    is another cell.
    """
    name = cell.exercise or cell.meta.get("key")
    if not name and cell.kind == "markdown":
        name = _heading(source)
    if not name:
        digest = hashlib.sha256(f"{cell.kind}\n{source}".encode()).hexdigest()
        name = f"{cell.kind}-{digest[:12]}"
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}/{seen[name]}"


def _heading(source: str) -> str | None:
    """The heading that a Markdown cell begins with, as a key."""
    match = re.match(r"#+ ([^·\n]+)", source)
    words = re.findall(r"\w+", match[1].lower()) if match else ()
    return "-".join(("heading", *words)) if words else None


def _folded(source: str) -> str:
    """A *why* that opens at a click, so that it does not spoil the prediction."""
    before, _, rest = source.partition("**Why.**")
    if before.strip():
        return source
    summary = "<summary><b>Why</b></summary>"
    return f"<details>{summary}\n\n{rest.strip()}\n\n</details>"


def build_all(keys: list[str] | None = None) -> int:
    """Build the front page, the lectures and the exercises; how many were refused.

    What a learner wrote stays; what changed is listed, and a notebook that cannot be
    merged is left as it is, with a sentence.
    """
    refused = 0
    for source in sources(keys):
        refused += not build(source)
    return refused


def sources(keys: list[str] | None = None) -> list[Path]:
    """The percent files that learners get as notebooks, in the order of the course."""
    lessons = [lesson(key) for key in keys] if keys else course().lessons
    front = [] if keys else [root() / "start.py"]
    paths = [p for one in lessons for p in (one.lecture_source, one.exercise_source)]
    return [path for path in (*front, *paths) if path.exists()]


def build(source: Path) -> bool:
    """Build one notebook beside its source; whether it could be."""
    target = source.with_suffix(".ipynb")
    name = target.relative_to(root()).as_posix()
    try:
        with trust_kept([target]):
            outcome = write(notebook(source), target, _kept(source))
    except MergeRefused as refused:
        print(refused)
        return False
    if outcome.written:
        print(f"{'updated' if outcome.backup else 'built'} {name}")
        _tell(outcome.changes if outcome.backup else [])
    return True


def _tell(changes: list[str]) -> None:
    """What changed, by name where a cell has one; the rest is counted."""
    named = [line for line in changes if not _UNNAMED.match(line)]
    for line in named:
        print(f"  {line}")
    if rest := len(changes) - len(named):
        print(f"  {rest} other change{'s' * (rest > 1)} in the course's own cells")


def _kept(source: Path) -> Path:
    """Where the copies go: beside the exercises, for the front page as well."""
    folder = source.parent if source.parent != root() else root() / "exercises"
    return folder / ".kept"


def main(argv: list[str]) -> int:
    """`make notebooks`."""
    return 1 if build_all(argv or None) else 0


def about(cell: NotebookNode) -> dict[str, Any]:
    """What the build wrote of a cell; nothing where the cell is the learner's."""
    found = cell.metadata.get("workbook")
    return found if isinstance(found, dict) else {}
