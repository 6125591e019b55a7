"""What a notebook shows is kept as text, and the text says it again."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.bench.conftest import SmallCourse
from workbook.bench import expectations
from workbook.bench.build import notebook
from workbook.bench.expectations import (
    compared_sources,
    dump,
    key_of,
    load,
    main,
    orphans,
    put_into,
    recorded,
    shown,
    sidecar,
)
from workbook.course import CourseError, course, lesson

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = compared_sources()
every_source = pytest.mark.parametrize(
    "source", SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}"
)

LINES = st.sampled_from(
    [
        "",
        "===",
        "=== a stdout",
        "\\=== a b",
        "\\\\===",
        "\\",
        "é √ 二",
        "\r",
        "a\tb",
        "\f",
    ]
)
ANY = st.binary(max_size=20).map(lambda data: data.decode("latin-1"))
TEXTS = st.one_of(ANY, st.lists(LINES).map("\n".join))
KEYS = st.text("abc-:._9", min_size=1, max_size=5)
KINDS = st.sampled_from(["stdout", "stderr", "text/plain", "text/html"])


# ---------------------------------------------------------------- sidecars


@settings(deadline=None)
@given(st.dictionaries(KEYS, st.lists(st.tuples(KINDS, TEXTS), min_size=1)))
@example({"a": [("stdout", "=== a stdout\nx")]})
@example({"a": [("stdout", "")]})
@example({"a": [("stdout", "x"), ("stdout", "\n"), ("text/plain", "\r\n")]})
def test_a_sidecar_says_again_whatever_was_shown(tmp_path_factory, outputs):
    path = tmp_path_factory.mktemp("sidecar") / "a.txt"
    path.write_bytes(dump(outputs).encode("utf-8"))
    assert load(path) == outputs


def test_a_sidecar_is_readable():
    outputs = {"a": [("stdout", "1\n"), ("text/plain", "=== 2")], "b": []}
    assert dump(outputs) == "=== a stdout\n1\n\n=== a text/plain\n\\=== 2\n"


def test_nothing_is_expected_where_nothing_is_recorded(tmp_path):
    assert load(tmp_path / "absent.txt") == {}


# ---------------------------------------------------------------- outputs


def output(kind: str, **fields) -> nbformat.NotebookNode:
    return nbformat.v4.new_output(kind, **fields)


def test_a_stream_is_one_text_however_it_was_cut():
    parts = [
        output("stream", name="stdout", text="a\nb"),
        output("stream", name="stderr", text="oh"),
        output("stream", name="stdout", text="c\n"),
        output("execute_result", data={"text/plain": "7"}),
    ]
    assert shown(parts) == [
        ("stdout", "a\nbc\n"),
        ("stderr", "oh"),
        ("text/plain", "7"),
    ]


def test_pictures_and_widgets_are_not_compared_and_their_text_is():
    widget = "application/vnd.jupyter.widget-view+json"
    data = {
        "image/png": "iVBOR",
        widget: {},
        "text/plain": "<Figure>",
        "text/html": "<p>",
    }
    found = shown([output("display_data", data=data)])
    assert found == [("text/plain", "<Figure>"), ("text/html", "<p>")]


def test_expectations_go_in_and_come_out_again(small: SmallCourse):
    source = lesson(1).lecture_source
    book, expected = notebook(source), load(sidecar(source))
    put_into(book, expected)
    assert recorded(book) == expected
    assert all(c.execution_count for c in book.cells if c.cell_type == "code")


# ---------------------------------------------------------------- the command


def test_the_command_records_what_a_notebook_prints(small: SmallCourse, capsys):
    for path in compared_sources():
        sidecar(path).unlink()
    lesson(1).solution_source.unlink()
    assert main(["01"]) == 0
    assert capsys.readouterr().out == "recorded expected/notebooks/01_micrograd.txt\n"
    assert load(sidecar(lesson(1).lecture_source)) == {
        "rise": [("stdout", "rise 6\n")],
        "slope": [("text/plain", "3.0")],
    }


def test_a_notebook_that_fails_is_not_recorded(small: SmallCourse, monkeypatch, capsys):
    before = sidecar(lesson(1).lecture_source).read_bytes()
    monkeypatch.setattr(
        expectations, "executed", lambda path: (notebook(path), "ValueError: no")
    )
    assert main([]) == 1
    said = capsys.readouterr().out
    assert "notebooks/01_micrograd.py: ValueError: no\n" in said
    assert sidecar(lesson(1).lecture_source).read_bytes() == before


def test_a_compared_cell_that_shows_nothing_is_told(
    small: SmallCourse, monkeypatch, capsys
):
    monkeypatch.setattr(expectations, "executed", lambda path: (notebook(path), ""))
    assert main([]) == 1
    assert (
        "nothing to compare in rise, slope: print something" in capsys.readouterr().out
    )


def test_there_is_nothing_to_record_for_an_unknown_lesson(small: SmallCourse):
    with pytest.raises(CourseError):
        main(["99"])


# ---------------------------------------------------------------- the real lessons


@every_source
def test_ten_cells_are_compared_and_each_is_recorded(source):
    keys = [key for cell in notebook(source).cells if (key := key_of(cell))]
    assert len(keys) >= 10
    found = load(sidecar(source))
    assert list(found) == keys
    assert all(text.strip() for outputs in found.values() for _, text in outputs)


def test_no_expectation_is_without_a_cell():
    assert orphans() == []
    assert course().lessons[0].lecture_source in SOURCES
