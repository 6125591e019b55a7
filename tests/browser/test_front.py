"""The front page, and who may see what of the server."""

from __future__ import annotations

import socket
from urllib.error import HTTPError

import pytest

from .driver import Notebook, plain, until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def front(lab, open_for_module) -> Notebook:
    """The page as it is found by the address that the terminal prints."""
    return open_for_module("start.ipynb", at=f"{lab.url}?token={lab.token}")


def listed(notebook: Notebook) -> set[str]:
    """The names in the file browser."""
    names = notebook.page.locator(".jp-DirListing-itemName")
    names.first.wait_for()
    return set(names.all_inner_texts())


def test_the_address_in_the_terminal_leads_to_a_page_that_says_what_is_next(front):
    assert front.page.url.endswith("/lab/tree/start.ipynb")
    card = front.panel.locator(".wb-card")
    assert "Start here" in card.inner_text()
    assert "lesson 1, Building micrograd" in card.inner_text()
    assert card.get_by_role("link", name="Go to derivative").is_visible()
    lesson = front.panel.locator(".wb-lesson").first
    assert "0 of 12" in lesson.inner_text()
    assert not front.panel.get_by_text("Loading widget").count()
    assert front.errors == []


def test_the_file_browser_shows_a_learner_what_is_theirs(lab, front):
    names = listed(front)
    assert names >= {"start.ipynb", "notebooks", "exercises", "data", "README.md"}
    hidden = {"solutions", "workbook", "expected", "tests", "Makefile", "start.py"}
    assert (lab.folder / "solutions").is_dir()
    assert not names & hidden
    assert not [n for n in names if n.endswith((".py", ".toml", ".lock"))]


def test_a_box_ticked_by_hand_is_written_down(lab, front):
    front.run_all().panel.get_by_label("Watch video").first.check()
    ticked = "- [x] Watch video"
    until(lambda: ticked in lab.run("progress", "--markdown").stdout, "the tick")


def test_a_link_of_the_front_page_opens_the_exercise_in_the_same_window(front):
    front.panel.locator(".wb-card:visible").get_by_text("Go to derivative").click()
    front.page.wait_for_url("**/exercises/01_micrograd.ipynb**")
    front.panel.get_by_role("heading", name="derivative").wait_for()
    assert len(front.page.context.pages) == 1


@pytest.mark.parametrize("folder", ["notebooks", "exercises"])
def test_beside_a_notebook_its_source_is_not_listed(lab, folder):
    entries = lab.get(f"api/contents/{folder}")["content"]
    sources = [path.stem for path in (lab.folder / folder).glob("*.py")]
    assert "01_micrograd" in sources
    assert {entry["name"] for entry in entries} == {f"{one}.ipynb" for one in sources}


def test_a_readme_is_text_and_no_notebook(lab):
    assert lab.get("api/contents/README.md?content=0")["type"] == "file"


PRIVATE = ("lab", "api/contents", "api/kernels", "api/sessions", "files/README.md")


@pytest.mark.parametrize("path", PRIVATE)
def test_without_the_token_nothing_is_served(lab, path):
    try:
        with plain().open(f"{lab.url}{path}", timeout=10) as answer:
            assert "/login?" in answer.url
            assert 'type="password"' in answer.read().decode()
    except HTTPError as refused:
        assert refused.code == 403


def test_nobody_but_this_machine_can_reach_the_server(lab):
    with socket.create_connection(("127.0.0.1", lab.port), timeout=5):
        pass
    # the second address reaches a server that listens on all of them
    for address in {"127.0.0.2", *_own_addresses()}:
        with pytest.raises(OSError):
            socket.create_connection((address, lab.port), timeout=5)


def _own_addresses() -> set[str]:
    """What else this machine is called in its network."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return set()
    return {entry[4][0] for entry in found} - {"127.0.0.1", "::1"}
