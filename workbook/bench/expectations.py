"""What the notebooks print, kept as text beside them.

A sidecar `expected/<room>/NN_slug.txt` has one block for each output that nbval
compares: a line `=== key stdout` (or another kind), then the raw lines. Exercises
have none: what a learner's notebook prints is the learner's.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from workbook.bench.build import about, notebook
from workbook.bench.running import executed, progress
from workbook.bench.texts import write
from workbook.course import course, lesson, root
from workbook.source import COMPARED

STREAMS = ("stdout", "stderr")
PICTURES = ("image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json")
_BLOCK = re.compile(r"=== (\S+) (\S+)")
_ESCAPED = re.compile(r"^(\\*)===", re.M)
Outputs = dict[str, list[tuple[str, str]]]  # key -> [(kind, text)]


def sidecar(source: Path) -> Path:
    """Where the expectations of a percent file are."""
    return root() / "expected" / source.parent.name / f"{source.stem}.txt"


def load(path: Path) -> Outputs:
    """The recorded outputs by cell key; none where nothing is recorded."""
    if not path.exists():
        return {}
    found: dict[str, list[tuple[str, list[str]]]] = {}
    lines: list[str] = []
    for line in path.read_bytes().decode("utf-8").removesuffix("\n").split("\n"):
        if match := _BLOCK.fullmatch(line):
            lines = []
            found.setdefault(match[1], []).append((match[2], lines))
        else:
            lines.append(re.sub(r"^\\(\\*===)", r"\1", line))
    return {k: [(kind, "\n".join(t)) for kind, t in v] for k, v in found.items()}


def dump(outputs: Outputs) -> str:
    """The text of a sidecar: `load` reads the same outputs from it."""
    blocks = []
    for key, found in outputs.items():
        for kind, text in found:
            safe = _ESCAPED.sub(r"\\\1===", text)
            blocks.append(f"=== {key} {kind}\n{safe}\n")
    return "".join(blocks)


def key_of(cell: NotebookNode) -> str:
    """The key of a compared cell, empty for any other."""
    compared = COMPARED in cell.metadata.get("tags", [])
    return about(cell).get("key", "") if compared else ""


def recorded(book: NotebookNode) -> Outputs:
    """The comparable outputs of an executed notebook."""
    return {key: shown(cell.outputs) for cell in book.cells if (key := key_of(cell))}


def shown(outputs: list[NotebookNode]) -> list[tuple[str, str]]:
    """What nbval compares: each stream whole, however it was cut, then the values."""
    found: dict[str, str] = {}
    values = []
    for output in outputs:
        if output.output_type == "stream":
            found[output.name] = found.get(output.name, "") + output.text
        elif output.output_type in ("execute_result", "display_data"):
            values += [pair for pair in output.data.items() if _is_compared(*pair)]
    return [*found.items(), *values]


def _is_compared(kind: str, value: object) -> bool:
    return kind not in PICTURES and isinstance(value, str)


def put_into(book: NotebookNode, expected: Outputs) -> None:
    """Give each cell an execution count and the outputs it is expected to have.

    nbval compares nothing in a cell without an execution count; with one, a cell
    whose expectation is missing fails, as it should.
    """
    for number, cell in enumerate((c for c in book.cells if c.cell_type == "code"), 1):
        cell.execution_count = number
        cell.outputs = [_output(*one) for one in expected.get(key_of(cell), [])]


def _output(kind: str, text: str) -> NotebookNode:
    if kind in STREAMS:
        return nbformat.v4.new_output("stream", name=kind, text=text)
    data = {kind: text}
    return nbformat.v4.new_output("execute_result", data=data, execution_count=1)


def orphans() -> list[str]:
    """Sentences on what is recorded for a notebook or a cell that is not there."""
    found = []
    wanted = {sidecar(source): source for source in compared_sources()}
    for path in sorted((root() / "expected").glob("*/*.txt")):
        name = path.relative_to(root()).as_posix()
        if path not in wanted:
            found.append(f"{name} belongs to no lesson: remove it")
            continue
        keys = {key_of(cell) for cell in notebook(wanted[path]).cells}
        found += [
            f"{name} has {key!r}, and no cell has that key: make expected"
            for key in load(path).keys() - keys
        ]
    return found


def compared_sources(key: str | None = None) -> list[Path]:
    """The percent files whose outputs are compared: lectures, then solutions."""
    lessons = [lesson(key)] if key else course().lessons
    paths = [p for one in lessons for p in (one.lecture_source, one.solution_source)]
    return [path for path in paths if path.exists()]


def main(argv: list[str]) -> int:
    """`make expected`: run the lectures and solutions, record what they print."""
    sources = compared_sources(argv[0] if argv else None)
    wrong = [words for one in progress(sources, "recording") for words in _record(one)]
    for words in wrong:
        print(words)
    return 1 if wrong else 0


def _record(source: Path) -> Iterator[str]:
    """Record one notebook; sentences on what keeps it from being recorded."""
    name = f"{source.parent.name}/{source.name}"
    book, error = executed(source)
    outputs = recorded(book)
    silent = [key for key, found in outputs.items() if not found]
    if error:
        yield f"{name}: {error}"
    elif silent:
        yield f"{name}: nothing to compare in {', '.join(silent)}: print something"
    elif write(dump(outputs), sidecar(source)):
        print(f"recorded expected/{source.parent.name}/{source.stem}.txt")
