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

from workbook.bench.lint import COMPARED
from workbook.course import root

_BLOCK = re.compile(r"^=== (\S+) (\S+)$")
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
    for line in path.read_text("utf-8").removesuffix("\n").split("\n"):
        if match := _BLOCK.match(line):
            lines = []
            found.setdefault(match[1], []).append((match[2], lines))
        else:
            lines.append(re.sub(r"^\\(\\*===)", r"\1", line))
    return {k: [(kind, "\n".join(t)) for kind, t in v] for k, v in found.items()}


def dump(outputs: Outputs) -> str:
    """The text of a sidecar."""
    blocks = []
    for key, found in outputs.items():
        for kind, text in found:
            safe = _ESCAPED.sub(r"\\\1===", text)
            blocks.append(f"=== {key} {kind}\n{safe}\n")
    return "".join(blocks)


def key_of(cell: NotebookNode) -> str | None:
    """The key of a compared cell, None for any other."""
    if COMPARED not in cell.metadata.get("tags", []):
        return None
    return cell.metadata.get("workbook", {}).get("key")


def recorded(book: NotebookNode) -> Outputs:
    """The comparable outputs of an executed notebook."""
    found: Outputs = {}
    for cell in book.cells:
        if key := key_of(cell):
            found[key] = list(_texts(cell.outputs))
    return found


def _texts(outputs: list[NotebookNode]) -> Iterator[tuple[str, str]]:
    for output in outputs:
        if output.output_type == "stream":
            yield output.name, output.text
        elif output.output_type in ("execute_result", "display_data"):
            yield "text/plain", output.data.get("text/plain", "")
        elif output.output_type == "error":
            yield "error", f"{output.ename}: {output.evalue}"


def put_into(book: NotebookNode, expected: Outputs) -> None:
    """Give each cell an execution count and the outputs it is expected to have.

    nbval compares nothing in a cell without an execution count; with one, a cell
    whose expectation is missing fails, as it should.
    """
    for number, cell in enumerate((c for c in book.cells if c.cell_type == "code"), 1):
        cell.execution_count = number
        cell.outputs = [_output(*one) for one in expected.get(key_of(cell) or "", [])]


def _output(kind: str, text: str) -> NotebookNode:
    if kind in ("stdout", "stderr"):
        return nbformat.v4.new_output("stream", name=kind, text=text)
    data = {"text/plain": text}
    return nbformat.v4.new_output("execute_result", data=data, execution_count=1)


def main(argv: list[str]) -> int:
    """`make expected`: run the lectures and solutions, record what they print."""
    from workbook.bench.export import write
    from workbook.bench.running import executed, progress
    from workbook.bench.validate import compared_sources

    wrong = 0
    sources = compared_sources(argv[0] if argv else None)
    for source in progress(sources, "recording"):
        book, error = executed(source)
        if error:
            print(f"{source.parent.name}/{source.name}: {error}")
            wrong += 1
        elif write(dump(recorded(book)), sidecar(source)):
            print(f"recorded expected/{source.parent.name}/{source.stem}.txt")
    return 1 if wrong else 0
