"""One state, many faces: what the tracker counts, and how the front page shows it."""

from __future__ import annotations

import asyncio
import re
import shutil
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from workbook import front, source, tracker
from workbook.course import course
from workbook.progress import Progress
from workbook.tracker import duration, overview

REPOSITORY = Path(__file__).resolve().parents[1]
FIRST, SECOND = "micrograd.derivative", "micrograd.value"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course whose first lesson is written, and a learner who has not begun."""
    shutil.copy(REPOSITORY / "course.toml", tmp_path)
    for name in ("solutions", "exercises", "notebooks"):
        (tmp_path / name).mkdir()
    shutil.copy(REPOSITORY / "solutions" / "01_micrograd.py", tmp_path / "solutions")
    (tmp_path / "exercises" / "01_micrograd.py").touch()
    (tmp_path / "notebooks" / "01_micrograd.py").touch()
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    monkeypatch.delenv("WORKBOOK_PROGRESS", raising=False)
    monkeypatch.delenv("WORKBOOK_CHECK", raising=False)
    monkeypatch.setattr(tracker, "_version", lambda id: 1)
    return tmp_path


def passes(*ids: str, version: int = 1) -> None:
    for id in ids:
        Progress.load().record_check(id, "passed", version, "hash")


def fails(id: str) -> None:
    Progress.load().record_check(id, "not yet", 1, "hash")


def boxes() -> dict[str, tracker.Box]:
    return {b.item.id: b for one in overview().standings for b in one.boxes}


# --- What is counted ------------------------------------------------------------


def test_a_new_learner_starts_with_the_first_exercise_of_the_first_lesson():
    assert overview().next.id == FIRST
    assert overview().summary.startswith("0 of 12 exercises passed, about 2 h")


def test_the_next_step_is_the_first_that_has_not_passed():
    passes(FIRST)
    assert overview().next.id == SECOND


def test_an_exercise_that_is_not_yet_right_stays_the_next_step():
    passes(FIRST)
    fails(SECOND)
    assert overview().next.state == "not yet"


def test_a_pass_of_an_older_check_is_asked_for_again():
    passes(FIRST, version=0)
    assert overview().next.id == FIRST
    assert overview().standings[0].count("recheck") == 1


def test_only_a_pass_asks_for_the_version_of_a_check(monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(tracker, "_version", lambda id: asked.append(id) or 1)
    passes(SECOND)
    fails(FIRST)
    overview()
    assert asked == [SECOND]


def test_minutes_left_go_down_by_those_of_the_exercise_that_passed():
    before = overview().standings[0].minutes_left
    passes(FIRST)
    assert before - overview().standings[0].minutes_left == 10


def test_a_lesson_without_a_text_is_coming_and_asks_for_nothing():
    second = overview().standings[1]
    assert (second.said(), second.todo, second.minutes_left) == ("coming", (), 0)


def test_after_the_last_exercise_nothing_is_next():
    passes(*course().lessons[0].exercises)
    assert overview().next is None
    assert "every exercise that is written has passed" in overview().text()
    assert "All done" in overview().html()


def test_an_implementation_ticks_itself_when_all_its_exercises_have_passed():
    ids = boxes()["micrograd.implement_micrograd_from_scratch"].item.exercises
    passes(*ids[:-1])
    box = boxes()["micrograd.implement_micrograd_from_scratch"]
    assert (box.ticked, box.count) == (False, "6 of 7")
    passes(ids[-1])
    assert boxes()["micrograd.implement_micrograd_from_scratch"].ticked


def test_a_tick_by_hand_does_not_move_an_item_that_ticks_itself():
    Progress.load().tick("micrograd.complete_exercises")
    assert not boxes()["micrograd.complete_exercises"].ticked


def test_an_item_without_exercises_is_ticked_and_unticked_by_hand():
    Progress.load().tick("micrograd.watch_video")
    assert boxes()["micrograd.watch_video"].ticked
    Progress.load().untick("micrograd.watch_video")
    assert not boxes()["micrograd.watch_video"].ticked


def test_a_damaged_progress_file_is_told_and_not_fatal(folder):
    (folder / "progress.json").write_text("{")
    assert "was damaged" in overview().notes[0]


def test_a_fault_in_a_lessons_text_is_told_and_not_fatal(folder):
    text = folder / "solutions" / "01_micrograd.py"
    text.write_text("loose words\n" + text.read_text("utf-8"))
    now = overview()
    assert "solutions/01_micrograd.py:1" in now.notes[0]
    assert now.next.id == FIRST


def test_check_mode_shows_every_learner_the_same(monkeypatch):
    fresh = overview().text()
    passes(FIRST)
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    assert overview().text() == fresh


def test_the_version_of_a_check_that_does_not_exist_is_no_version(monkeypatch):
    monkeypatch.undo()
    assert tracker._version("micrograd.no_such_thing") is None


# --- In words -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 min"), (45, "45 min"), (60, "1 h"), (145, "2 h 25 min")],
)
def test_minutes_are_said_as_one_says_them(minutes, words):
    assert duration(minutes) == words


def test_the_text_of_the_same_state_is_the_same_twice():
    passes(FIRST)
    assert overview().text() == overview().text()


def test_the_checklist_has_every_item_word_for_word():
    Progress.load().tick("bigram.watch_video")
    facts = tomllib.loads((REPOSITORY / "course.toml").read_text("utf-8"))
    wanted = [item["text"] for one in facts["lesson"] for item in one["tracker"]]
    lines = re.findall(r"^- \[([ x])\] (.*)$", overview().markdown(), re.M)
    assert [text for _, text in lines] == wanted
    assert [text for tick, text in lines if tick == "x"] == ["Watch video"]


# --- On the front page ----------------------------------------------------------


class Page(HTMLParser):
    """The links of a page, and whether every tag that opens is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name == "href"]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


@pytest.mark.parametrize("name", sorted(front.FACES))
def test_every_part_of_the_page_is_well_formed_and_has_words_beside_it(name):
    bundle = front.still(name)
    assert Page(bundle["text/html"]).open == []
    assert bundle["text/plain"].strip()


def test_links_lead_to_the_notebooks_that_exist_and_to_every_video():
    links = Page(front.still("show_overview")["text/html"]).links
    assert "notebooks/01_micrograd.ipynb" in links
    assert "exercises/01_micrograd.ipynb" in links
    assert not any("08_tokenizer" in link for link in links)
    assert {one.video for one in course().lessons} <= set(links)


def test_the_next_step_links_to_the_heading_of_its_exercise(folder):
    cells = [
        '{"cell_type": "markdown", "id": "intro", "metadata": {}}',
        '{"cell_type": "markdown", "id": "head", "metadata": {}}',
        '{"cell_type": "code", "id": "x", "metadata": {"workbook": {"exercise": '
        f'"{SECOND}"}}}}}}',
    ]
    notebook = folder / "exercises" / "01_micrograd.ipynb"
    notebook.write_text(f'{{"cells": [{", ".join(cells)}]}}')
    there = "exercises/01_micrograd.ipynb#cell-id=head"
    assert there not in Page(overview().html()).links  # the first: to the imports
    passes(FIRST)
    assert there in Page(overview().html()).links


@pytest.mark.parametrize("damaged", ["", "[]", '{"cells": [1]}', '{"cells": [{}]}'])
def test_a_damaged_exercise_notebook_only_costs_the_link_its_heading(folder, damaged):
    (folder / "exercises" / "01_micrograd.ipynb").write_text(damaged)
    assert "exercises/01_micrograd.ipynb" in Page(overview().html()).links


def test_a_lesson_that_was_begun_leads_to_its_exercise_first():
    assert "Start here" in overview().html()
    Progress.load().tick("micrograd.watch_video")
    html = overview().html()
    assert "Next · lesson 1" in html
    assert html.index("Go to derivative") < html.index("Read the lecture")


def test_what_the_learner_or_the_course_wrote_cannot_become_markup(monkeypatch):
    note = "<script>alert(1)</script>"
    monkeypatch.setattr(Progress, "note", note, raising=False)
    now = tracker.Overview(overview().standings, overview().at, (note,))
    assert "<script>" not in now.html()


def test_the_page_names_every_tip_paper_repository_and_reading():
    it = course()
    tips = Page(front.still("show_tips")["text/html"]).words
    links = Page(front.still("show_links")["text/html"])
    assert all(tip.text in tips for tip in it.tips)
    for one in (*it.repositories, *it.papers, *it.further_reading):
        assert one.url in links.links
    assert it.credit in links.words
    assert it.discord in links.links


def test_the_path_has_every_lesson_and_what_to_bring_along():
    words = Page(front.still("show_path")["text/html"]).words
    bring = course().prerequisites
    wanted = [one.title for one in course().lessons]
    assert all(w in words for w in (*wanted, *bring.needed, *bring.helpful))


def test_without_a_reader_the_page_prints_its_words(capsys):
    front.show_overview()
    assert capsys.readouterr().out == overview().text() + "\n"


def test_start_py_is_short_and_calls_what_there_is(monkeypatch, capsys):
    cells = source.read(REPOSITORY / "start.py")
    assert 6 <= len(cells) <= 10
    assert cells[0].text.startswith(f"# {course().title}\n")
    exec("\n".join(cell.text for cell in cells if cell.kind == "code"), {})
    printed = capsys.readouterr().out
    assert all(face[1](overview()) in printed for face in front.FACES.values())


# --- Alive ----------------------------------------------------------------------


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> dict[str, list]:
    """The live page without a browser: what was published, and renewed since."""
    from workbook import frontlive

    seen: dict[str, list] = {"published": [], "renewed": []}

    def publish(widget, html, text):
        seen["published"].append(widget)
        return lambda html, text: seen["renewed"].append(text)

    monkeypatch.setattr(frontlive, "publish", publish)
    monkeypatch.setattr(frontlive, "_shown", {})
    monkeypatch.setattr(front, "headless", lambda: False)
    return seen


def checkbox(widget, text: str):
    """The first box with that text."""
    if getattr(widget, "description", None) == text:
        return widget
    found = (checkbox(child, text) for child in getattr(widget, "children", ()))
    return next((one for one in found if one is not None), None)


def test_a_box_that_is_ticked_is_stored_at_once_and_drawn_everywhere(alive):
    front.show_overview()
    front.show_tracker()
    picture, boxes = alive["published"]
    assert "Start here" in picture.outputs[0]["data"]["text/html"]
    checkbox(boxes, "Watch video").value = True
    assert Progress.load().ticked("micrograd.watch_video")
    assert "Start here" not in picture.outputs[0]["data"]["text/html"]
    assert "[x] Watch video" in alive["renewed"][-1]
    checkbox(boxes, "Watch video").value = False
    assert not Progress.load().ticked("micrograd.watch_video")


def test_an_item_that_ticks_itself_has_no_box_to_click(alive):
    front.show_tracker()
    assert checkbox(alive["published"][0], "Complete exercises") is None


def test_a_tick_that_cannot_be_stored_is_said_on_the_page(alive, monkeypatch):
    from workbook.progress import ProgressError

    front.show_tracker()
    (boxes,) = alive["published"]

    def refuse(self, item_id):
        raise ProgressError("The disk is full, so nothing was recorded.")

    monkeypatch.setattr(Progress, "tick", refuse)
    checkbox(boxes, "Watch video").value = True
    assert "The disk is full" in boxes.children[0].value


def test_the_page_follows_the_file_that_another_notebook_writes(alive, monkeypatch):
    from workbook import frontlive

    monkeypatch.setattr(frontlive, "SECONDS", 0.01)

    async def story():
        front.show_overview()
        passes(FIRST)
        for _ in range(200):
            await asyncio.sleep(0.01)
            if alive["renewed"]:
                break
        frontlive._watch.cancel()

    asyncio.run(story())
    assert f"Next: {SECOND}" in alive["renewed"][-1]


def test_running_the_page_again_replaces_what_it_showed(alive):
    front.show_overview()
    front.show_overview()
    first, second = alive["published"]
    assert first.comm is None
    assert second.comm is not None
