"""What the site is made from: notebooks without widgets, with images that are told."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from workbook.bench.build import notebook
from workbook.course import Lesson, course, root
from workbook.explore.page import RERUN, SHEET, WIDGET
from workbook.source import read

STYLE = Path(__file__).with_name("book.css")
DARK = '[data-jp-theme-light="false"] .wb-x,.vscode-dark .wb-x'
READING = """\
These pages are for reading. In JupyterLab the pictures move, guesses are asked for and
answers are checked: `make lab` opens it."""
_EXERCISES = re.compile(r"`exercises/(\d\d_\w+)\.ipynb`")
_LECTURE = re.compile(r"`notebooks/(\d\d_\w+)\.ipynb`")
_SWITCH = re.compile(r"<style>body:has\(\.wb-\w+-live\).*?</style>", re.S)


def write_pages(
    lessons: list[Lesson], lectures: dict[str, NotebookNode], folder: Path
) -> None:
    """Write the pages of these lessons into a folder of their own, and an index."""
    shutil.rmtree(folder, ignore_errors=True)
    for room in ("notebooks", "exercises", "style"):
        (folder / room).mkdir(parents=True)
    written = {one.name for one in lessons}
    for one in lessons:
        pages = {
            "notebooks": lectures[one.name],
            "exercises": notebook(one.exercise_source),
        }
        for room, book in pages.items():
            nbformat.write(as_page(book, written), folder / room / f"{one.name}.ipynb")
    (folder / "index.md").write_text(index(lessons), "utf-8")
    (folder / "style" / "book.css").write_text(style(), "utf-8")


def as_page(book: NotebookNode, written: set[str]) -> NotebookNode:
    """A notebook as it is read without a kernel; links go to pages that are there."""
    book.metadata.pop("widgets", None)  # for them the page would ask the network
    for cell in book.cells:
        if cell.cell_type == "markdown":
            cell.source = _linked(cell.source, written)
        else:
            cell.outputs = _joined(kept for kept in map(_still, cell.outputs) if kept)
            if told := _told(cell.outputs):
                cell.metadata["mystnb"] = {"image": {"alt": told}}
    return book


def _linked(source: str, written: set[str]) -> str:
    """Names of notebooks as links to their pages."""

    def exercises(match: re.Match[str]) -> str:
        there = match[1] in written
        return f"[the exercises](../exercises/{match[1]}.ipynb)" if there else match[0]

    def lecture(match: re.Match[str]) -> str:
        there = match[1] in written
        return f"[the lecture](../notebooks/{match[1]}.ipynb)" if there else match[0]

    return _LECTURE.sub(lecture, _EXERCISES.sub(exercises, source))


def _still(output: NotebookNode) -> NotebookNode | None:
    """An output without what needs a kernel; None where nothing is left of it."""
    data = output.get("data")
    if data is None:
        return output
    if WIDGET in data or not any(data.values()):
        return None
    if html := data.get("text/html"):
        still = html.replace(SHEET, "").replace(f'<p class="wb-note">{RERUN}</p>', "")
        data["text/html"] = _SWITCH.sub("", still)
    return output


def _joined(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """The same with pieces of one text, as it was streamed, in one."""
    found: list[NotebookNode] = []
    for output in outputs:
        name = output.get("name")
        if name and found and found[-1].get("name") == name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def _told(outputs: list[NotebookNode]) -> str:
    """What the images of a cell show, in the words that came with them."""
    pictures = (one.get("metadata", {}).get("image/png", {}) for one in outputs)
    return " ".join(told for one in pictures if (told := one.get("alt")))


def style() -> str:
    """The explorables' own style sheet, and how it meets the site's two themes."""
    ours = SHEET.removeprefix("<style>").removesuffix("</style>")
    dark = re.search(re.escape(DARK) + r"\{(.*?)\}", ours, re.S)
    colours = dark[1] if dark else ""
    return STYLE.read_text("utf-8").replace("/* DARK */", colours) + ours


def index(lessons: list[Lesson]) -> str:
    """The front page: the course in tables, and the trees of its two rooms."""
    about = course()
    first = next(cell.text for cell in read(root() / "start.py"))
    lines = [first, "", about.credit, "", READING, ""]
    for part in dict.fromkeys(one.part for one in lessons):
        mine = [one for one in lessons if one.part == part]
        lines += [f"## {mine[0].part_title or about.title}", "", *_table(mine), ""]
    for caption, room in (("Lectures", "notebooks"), ("Exercises", "exercises")):
        names = [f"{room}/{one.name}" for one in lessons]
        tree = ["```{toctree}", f":caption: {caption}", ":hidden:", "", *names, "```"]
        lines += [*tree, ""]
    return "\n".join(lines)


def _table(lessons: list[Lesson]) -> list[str]:
    return [
        "| | lesson | its question | video | |",
        "|---|---|---|---|---|",
        *(
            f"| {one.number} | [{one.title}](notebooks/{one.name}.ipynb) "
            f"| {one.question} "
            f"| [{one.length}]({one.video}) "
            f"| [exercises](exercises/{one.name}.ipynb) |"
            for one in lessons
        ),
    ]
