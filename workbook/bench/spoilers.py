"""What gives an answer away: a whole statement of it, in a hint or a TODO comment.

Statements are compared without spaces, backticks and kinds of quotes, so that neither
another layout nor several statements on one line hide them.
"""

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator

from workbook.source import BEGIN, END, Cell

STATEMENT, RESULT = 12, 7  # characters: what is shorter may be said


def spoiled(text: str, cells: Iterable[Cell]) -> list[str]:
    """The statements of the answers in `cells` that `text` holds, spaces left out."""
    told = _tight(text)
    found = {form for cell in cells for code in answers(cell) for form in _forms(code)}
    return sorted(form for form in found if form in told)


def answers(cell: Cell) -> Iterator[str]:
    """The code between each pair of marks, without its indentation."""
    inside: list[str] | None = None
    for line in cell.text.splitlines():
        if line.strip() == BEGIN:
            inside = []
        elif line.strip() == END and inside is not None:
            yield textwrap.dedent("\n".join(inside))
            inside = None
        elif inside is not None:
            inside.append(line)


def _forms(code: str) -> Iterator[str]:
    """Each statement of an answer as it could stand in a text."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.Return) and node.value:
            yield from _written(code, node.value, RESULT)
        elif isinstance(node, ast.stmt):
            yield from _written(code, node, STATEMENT)


def _written(code: str, node: ast.AST, least: int) -> Iterator[str]:
    """As the author wrote it and as Python would; of a block, its first line."""
    for text in (ast.get_source_segment(code, node) or "", ast.unparse(node)):
        head = text.splitlines()[0].rstrip(":") if hasattr(node, "body") else text
        if len(_tight(head)) >= least:
            yield _tight(head)


def _tight(text: str) -> str:
    return re.sub(r"[\s`\\]", "", text).replace('"', "'")
