"""The site shows what a lecture shows, gives no answer away, leads nowhere wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat import v4

from tests.bench.conftest import SmallCourse
from workbook.bench.book import main
from workbook.bench.book.faults import faults
from workbook.bench.book.pages import as_page, style
from workbook.explore.page import SHEET, WIDGET

START = "# %% [markdown]\n# # A small course\n#\n# To be read.\n"
FIGURE = """
# %% [markdown]
# ## A figure
#
# Then do `exercises/01_micrograd.ipynb`.

# %%
from workbook import style

style.use()
fig, ax = style.figure("wide")
ax.plot([1, 2, 4])
ax.set_title("It doubles")
ax.set_xlabel("step");
"""


def site(small: SmallCourse) -> Path:
    return small.root / "build" / "book" / "site"


@pytest.fixture
def read_only(small: SmallCourse, monkeypatch) -> SmallCourse:
    """A small course with a front page and a figure, without data to be fetched."""
    monkeypatch.setattr("workbook.data.fetch_all", lambda: [])
    small.write("start.py", START)
    lecture = (small.root / "notebooks" / "01_micrograd.py").read_text("utf-8")
    small.write("notebooks/01_micrograd.py", lecture + FIGURE)
    return small


def test_the_site_has_outputs_search_and_no_answers(read_only, capsys):
    assert main([]) == 0, capsys.readouterr().out
    told = capsys.readouterr().out
    assert "no dead link" in told and "build/book/site/index.html" in told
    lecture = (site(read_only) / "notebooks" / "01_micrograd.html").read_text("utf-8")
    assert "rise 6" in lecture and 'alt="It doubles. step"' in lecture
    assert 'href="../exercises/01_micrograd.html"' in lecture
    exercises = (site(read_only) / "exercises" / "01_micrograd.html").read_text("utf-8")
    assert "TODO" in exercises
    everything = [p.read_text("utf-8") for p in site(read_only).rglob("*.html")]
    everything.append((site(read_only) / "searchindex.js").read_text("utf-8"))
    for secret in ("From both sides", "da = -3", "f(x + h) - ____"):
        assert not any(secret in page for page in everything)


def test_what_ran_before_is_not_run_again(read_only, monkeypatch, capsys):
    assert main([]) == 0

    def never(*_):
        raise AssertionError("it ran again")

    monkeypatch.setattr("workbook.bench.book.runs.executed", never)
    assert main([]) == 0
    read_only.change("notebooks/01_micrograd.py", "rise = 6", "rise = 7")
    with pytest.raises(AssertionError, match="again"):
        main([])


def test_a_quick_run_leaves_the_whole_one_as_it_is(read_only):
    runs = read_only.root / "build" / "book" / "runs"
    assert main([]) == 0 and main(["--quick"]) == 0
    kinds = [path.parent.name for path in sorted(runs.rglob("*.ipynb"))]
    assert kinds == ["full", "quick"]


def test_a_lecture_that_stops_is_named_with_its_error(read_only, capsys):
    read_only.change("notebooks/01_micrograd.py", "rise / 2", "rise / 0")
    assert main([]) == 1
    told = capsys.readouterr().out
    assert "notebooks/01_micrograd.py stops: ZeroDivisionError" in told


def test_a_page_keeps_the_still_picture_and_drops_the_widget():
    still = f"<style>body:has(.wb-1-live) .wb-1-still{{}}</style><p>{SHEET}seen</p>"
    cell = v4.new_code_cell(
        "explore.it()",
        outputs=[
            v4.new_output("display_data", {"text/html": still, "text/plain": "seen"}),
            v4.new_output(
                "display_data", {WIDGET: {"model_id": "1"}, "text/plain": ""}
            ),
            v4.new_output("stream", text="to"),
            v4.new_output("stream", text="ld\n"),
        ],
    )
    (kept, said) = as_page(v4.new_notebook(cells=[cell]), set()).cells[0].outputs
    assert kept.data["text/html"] == "<p>seen</p>" and said.text == "told\n"


def test_the_style_sheet_has_the_explorables_colours_for_both_themes():
    assert "--wb-forward:#0072b2" in style()
    dark = style().partition('body[data-theme="dark"]')[2]
    assert "--wb-forward:#5bb5ec" in dark and "DARK" not in style()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<a href="gone.html">x</a>', "leads to gone.html, which is not there"),
        ('<a href="#gone">x</a>', "there is no such place"),
        ('<a href="two.html#gone">x</a>', "two.html#gone: there is no such place"),
        ('<img src="two.html">', "an image without words"),
        ('<img src="two.html" alt="">', "an image without words"),
        ('<svg role="img"></svg>', "a picture without words"),
        ('<script src="https://example.org/a.js"></script>', "from the network"),
    ],
)
def test_a_fault_of_a_page_is_found(tmp_path, body, words):
    (tmp_path / "one.html").write_text(f"<html><body>{body}</body></html>")
    (tmp_path / "two.html").write_text('<html><body id="there"></body></html>')
    (found,) = faults(tmp_path)
    assert found.startswith("one.html: ") and words in found


def test_a_page_without_faults_is_left_in_peace(tmp_path):
    body = (
        '<a href="two.html#there">x</a><a href="#here" id="here">x</a>'
        '<a href="https://example.org/">x</a><img src="two.html" alt="words">'
        '<svg role="img" aria-label="words"></svg>'
    )
    (tmp_path / "one.html").write_text(f"<html><body>{body}</body></html>")
    (tmp_path / "two.html").write_text('<html><body id="there"></body></html>')
    assert faults(tmp_path) == []
