"""`make book`: the lectures as they look when run, and the exercises without answers.

A website of plain files in `build/book/`, to be read without a kernel or a network.
Sphinx makes it: of the well-kept tools it is the one whose search and navigation work
from a folder on a disk. (Jupyter Book 2 wants Node and fetches its theme; nbconvert has
neither search nor navigation.)
"""

import argparse
from pathlib import Path

from workbook import data
from workbook.bench.book.faults import faults
from workbook.bench.book.pages import write_pages
from workbook.bench.book.runs import Stopped, run_lectures
from workbook.bench.book.site import build_site
from workbook.course import course, lesson, root


def main(argv: list[str]) -> int:
    """Run the lectures, make the site, look through it; 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="make book", add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--lesson")
    options = parser.parse_args(argv)
    lessons = [lesson(options.lesson)] if options.lesson else list(course().lessons)
    folder = root() / "build" / "book"
    for sentence in () if options.quick else data.fetch_all():
        print(sentence)
    try:
        lectures = run_lectures(lessons, folder / "runs", options.quick)
    except Stopped as error:
        print(error)
        return 1
    source, site = folder / "pages", folder / "site"
    write_pages(lessons, lectures, source)
    wrong = [*build_site(source, site), *faults(site)]
    for sentence in wrong:
        print(sentence)
    print(_told(site, len(wrong)))
    return int(bool(wrong))


def _told(site: Path, wrong: int) -> str:
    pages = sum(1 for _ in site.rglob("*.html"))
    found = f"{wrong} faults" if wrong else "no dead link, no image without words"
    return f"{pages} pages, {found}: {(site / 'index.html').relative_to(root())}"
