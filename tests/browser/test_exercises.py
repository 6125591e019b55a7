"""A learner's way through the exercises: open, not yet, passed, counted, kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from workbook.checks import known
from workbook.course import Lesson, course

from .driver import Notebook, answers, until

sys.path.append(str(Path(__file__).parents[1] / "checks"))
from answers import SAME

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGE = "exercises/01_micrograd.ipynb"
TODO, CHECK = "TODO micrograd.local_grads", 'check("micrograd.local_grads"'
WRITTEN = [one for one in course().lessons if one.solution_source.exists()]
every_lesson = pytest.mark.parametrize("one", WRITTEN, ids=lambda one: one.name)
RED = "[data-mime-type$=error], [data-mime-type$=stderr]"


@pytest.fixture
def page(open_notebook) -> Notebook:
    return open_notebook(PAGE)


def right(id: str) -> str:
    """A right answer to an exercise of one cell."""
    return dict(answers("01_micrograd"))[id]


def states(page: Notebook) -> list[str]:
    """The first line of each card, without its mark: "open micrograd.value"."""
    cards = page.panel.get_by_role("status").all_inner_texts()
    heads = (card.replace("\N{NO-BREAK SPACE}", " ").split("\n")[0] for card in cards)
    return [" ".join(head.split()[1:]) for head in heads]


def put_on_disk(page: Notebook, sources: list[str]) -> None:
    """Write answers into the TODO cells of the notebook's file."""
    book = json.loads(page.file.read_text("utf-8"))
    todo = [c for c in book["cells"] if "exercise" in c["metadata"]["workbook"]]
    for cell, source in zip(todo, sources, strict=True):
        cell["source"] = source
    page.file.write_text(json.dumps(book), "utf-8")


def mistaken(one: Lesson) -> tuple[list[str], dict[str, str]]:
    """The TODO cells with a mistake in each exercise: the sources, id -> sentence."""
    right = answers(one.name)
    last = {id: at for at, (id, _) in enumerate(right)}
    sources, said = [source for _, source in right], {}
    for id, at in last.items():
        mistake, code = next(iter(SAME[id].items()))
        sources[at] += f"\n\n\n{code}"
        said[id] = known(id).mistakes[mistake].sentence
    return sources, said


@every_lesson
def test_every_exercise_is_open_then_not_yet_by_name_then_passed(open_notebook, one):
    page = open_notebook(f"exercises/{one.name}.ipynb").run_all()
    assert states(page) == [f"open {id}" for id in one.exercises]
    assert not page.panel.locator(RED).count()
    assert page.errors == []

    sources, said = mistaken(one)
    put_on_disk(page, sources)
    page.open().run_all()
    assert states(page) == [f"not yet {id}" for id in one.exercises]
    cards = page.panel.get_by_role("status").all_inner_texts()
    named = {
        id: plain(said[id]) in plain(card) for id, card in zip(said, cards, strict=True)
    }
    assert [id for id in said if not named[id]] == []

    put_on_disk(page, [source for _, source in answers(one.name)])
    page.open().run_all()
    assert states(page) == [f"passed {id}" for id in one.exercises]
    assert not page.panel.locator(RED).count()


def plain(text: str) -> str:
    """Words without the marks of code, and spaces of one kind."""
    return " ".join(text.replace("`", "").split())


def test_a_wrong_answer_is_named_and_the_right_one_passes_and_stays(lab, page):
    page.run("from workbook import")
    page.run("class Value")
    at = page.index(TODO)
    page.write(at, right("micrograd.local_grads").replace("+= ", "= "))
    page.run(at)
    card = page.run(CHECK)
    assert "not yet" in card
    assert "A gradient is set with =: each use must add its share (+=)." in card

    page.write(at, right("micrograd.local_grads"))
    page.run(at)
    assert "passed" in page.run(CHECK)
    assert "1 of 12" in lab.run("progress").stdout

    page.save()
    page.reload()
    assert "self.grad += other.data * out.grad" in page.cell(at).inner_text()
    assert states(page) == ["passed micrograd.local_grads"]


def test_the_front_page_counts_a_pass_without_being_asked(open_notebook, page):
    front = open_notebook("start.ipynb").run_all()
    counts = front.panel.locator(".wb-lesson:visible").first
    counts.get_by_text("0 of 12").wait_for()
    page.run("from workbook import")
    at = page.index("TODO micrograd.gradient_by_hand")
    page.write(at, right("micrograd.gradient_by_hand"))
    page.run(at)
    page.run('check("micrograd.gradient_by_hand"')
    counts.get_by_text("1 of 12").wait_for()
    assert "Next · lesson 1" in front.panel.locator(".wb-card:visible").inner_text()


def test_all_twelve_pass_and_the_front_page_ticks_the_lesson(lab, open_notebook):
    front = open_notebook("start.ipynb").run_all()
    page = Notebook(front.page.context.new_page(), lab, PAGE)
    put_on_disk(page, [source for _, source in answers("01_micrograd")])
    page.open().run_all()
    assert [state.split()[0] for state in states(page)] == ["passed"] * 12
    assert not page.panel.locator(RED).count()

    front.page.bring_to_front()
    lesson = front.panel.locator(".wb-lesson:visible").first
    lesson.get_by_text("12 of 12").wait_for()
    done = front.panel.locator(".wb-done:visible")
    until(lambda: done.count() == 2, "two items tick themselves")
    texts = done.all_inner_texts()
    assert any("Implement micrograd from scratch" in text for text in texts)
    assert any("Complete exercises" in text for text in texts)


def test_a_rebuild_leaves_an_open_notebook_alone_and_says_so(lab, page):
    at = page.index("TODO micrograd.derivative")
    page.write(at, "mine = 'kept'")
    page.save()
    source = lab.folder / "exercises" / "01_micrograd.py"
    before = source.read_text("utf-8")
    source.write_text(before.replace("You build an engine", "You make an engine"))
    try:
        refused = lab.run("notebooks")
        assert refused.returncode == 1
        assert "is open in JupyterLab" in refused.stdout
        assert page.sources[at] == "mine = 'kept'"

        page.page.context.close()
        lab.end_kernels()
        assert lab.run("notebooks").returncode == 0
        assert page.sources[at] == "mine = 'kept'"
        assert "You make an engine" in page.sources[0]
    finally:
        source.write_text(before)
