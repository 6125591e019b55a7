"""Solutions become exercises: answers taken out, hints and reasons dropped."""

from collections.abc import Iterator
from dataclasses import replace

from workbook.bench.export import given
from workbook.bench.texts import write
from workbook.course import Lesson, course
from workbook.source import BEGIN, END, Cell, exercise_blocks, marker, read

# One fact at a time: minutes, hints and reasons stay in solutions/.
KEPT_META = ("exercise", "key", "was")


def exercise_text(one: Lesson) -> str:
    """The percent file of a lesson's exercises, made from its solutions."""
    source = f"solutions/{one.solution_source.name}"
    made = (
        "# ---\n# jupyter:\n"
        f"#   made: from {source} by `make exercises`; edit that, not this\n# ---\n"
    )
    cells = stripped(_titled(read(one.solution_source)))
    return made + "".join(f"\n{_percent(cell)}\n" for cell in cells)


def _titled(cells: list[Cell]) -> list[Cell]:
    """The cells, each exercise's heading with its minutes and difficulty."""
    out = list(cells)
    for heading, block in exercise_blocks(cells):
        meta = next(cell.meta for cell in block if cell.exercise)
        title, _, rest = heading.text.partition("\n")
        hard = meta.get("difficulty", 0)
        dots = "●" * hard + "○" * (5 - hard)
        text = f"{title}\n\n*{meta.get('minutes', 0)} min · {dots}*\n{rest}"
        out[cells.index(heading)] = replace(heading, text=text)
    return out


def stripped(cells: list[Cell]) -> Iterator[Cell]:
    """The cells that a learner gets, stubs in place of answers."""
    for cell in cells:
        if {"solution", "hint"} & set(cell.tags):
            continue
        meta = {k: v for k, v in cell.meta.items() if k in KEPT_META}
        text = stub(cell) if cell.exercise else cell.text
        yield replace(cell, text=text, meta=meta)


def stub(cell: Cell) -> str:
    """The cell's code with every answer replaced by a raise that names the exercise."""
    lines, inside = [], False
    for line in cell.text.splitlines():
        if line.strip() == BEGIN:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f'{indent}raise NotImplementedError("TODO {cell.exercise}")')
            inside = True
        elif line.strip() == END:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def _percent(cell: Cell) -> str:
    """The cell as it stands in a percent file."""
    if cell.kind == "code":
        return f"{marker(cell)}\n{cell.text}"
    body = "\n".join(f"# {line}".rstrip() for line in cell.text.splitlines())
    return f"{marker(cell)}\n{body}"


def written() -> list[Lesson]:
    """The lessons whose solutions exist."""
    return [one for one in course().lessons if one.solution_source.exists()]


def main(_argv: list[str]) -> int:
    """`make exercises`: make exercises/*.py and workbook/given/*.py."""
    from workbook.bench.lint import complain

    if complain(rooms=("solutions",)):
        return 1
    for one in written():
        target = one.folder / "workbook" / "given" / f"{one.slug}.py"
        for text, path in (
            (exercise_text(one), one.exercise_source),
            (given(one), target),
        ):
            if write(text, path):
                print(f"made {path.relative_to(one.folder)}")
    return 0
