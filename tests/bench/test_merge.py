"""A new version of the course never costs a learner a word."""

from __future__ import annotations

import copy
import http.server
import itertools
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path

import filelock
import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode

from workbook import progress
from workbook.bench import merge as module
from workbook.bench.merge import MergeRefused, fingerprint, merge, write


def built(key: str, source: str, kind: str = "code", **entry) -> NotebookNode:
    """A cell as the course builds it; `exercise=True` makes it a TODO cell."""
    if entry.pop("exercise", False):
        entry["exercise"] = key
    entry = {"key": key, "made": fingerprint(source), **entry}
    cell = {"id": key.replace(".", "-"), "cell_type": kind, "source": source}
    cell["metadata"] = {"workbook": entry}
    if kind == "code":
        cell |= {"outputs": [], "execution_count": None}
    return nbformat.from_dict(cell)


def own(source: str, id: str, kind: str = "code", **metadata) -> NotebookNode:
    """A cell that the learner added."""
    cell = {"id": id, "cell_type": kind, "source": source, "metadata": metadata}
    if kind == "code":
        output = {"output_type": "stream", "name": "stdout", "text": "seen\n"}
        cell |= {"outputs": [output], "execution_count": 7}
    return nbformat.from_dict(cell)


def notebook(*cells: NotebookNode, **metadata) -> NotebookNode:
    parts = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata}
    return nbformat.from_dict({**parts, "cells": copy.deepcopy(list(cells))})


def sources(nb: NotebookNode) -> list[str]:
    return [cell.source for cell in nb.cells]


def keys(nb: NotebookNode) -> list[str | None]:
    return [cell.metadata.get("workbook", {}).get("key") for cell in nb.cells]


TITLE = built("m.title", "# Title", "markdown")
GIVEN = built("m.setup", "import math")
TODO = built("m.value", "raise NotImplementedError", exercise=True)
CHECK = built("m.check", "check()")
COURSE = notebook(TITLE, GIVEN, TODO, CHECK)


def edited(**answers: str) -> NotebookNode:
    """The course with cells changed by the learner: edited(value="x = 1")."""
    nb = copy.deepcopy(COURSE)
    for cell in nb.cells:
        cell.source = answers.get(cell.id.removeprefix("m-"), cell.source)
    return nb


def reworded(key: str, source: str) -> NotebookNode:
    """The course with one cell in new words."""
    nb = copy.deepcopy(COURSE)
    for cell in nb.cells:
        if cell.metadata.workbook.key == key:
            cell.source = source
            cell.metadata.workbook.made = fingerprint(source)
    return nb


# -- the rules --------------------------------------------------------------------


def test_without_a_notebook_the_course_is_taken_as_it_is():
    merged = merge(None, COURSE)
    assert merged.notebook == COURSE and merged.notebook is not COURSE
    assert merged.changes == merged.kept == []


def test_the_same_course_changes_nothing():
    merged = merge(COURSE, COURSE)
    assert merged.notebook == COURSE and merged.changes == merged.kept == []


def test_neither_notebook_is_changed_by_merging():
    old, new = edited(value="mine"), reworded("m.value", "new stub")
    before = copy.deepcopy((old, new))
    merge(old, new)
    assert (old, new) == before


def test_an_answer_stays_and_the_text_around_it_is_new():
    merged = merge(edited(value="x = 1"), reworded("m.title", "# Better"))
    assert sources(merged.notebook) == ["# Better", "import math", "x = 1", "check()"]
    assert merged.changes == ["m.title: brought up to date"]
    assert merged.kept == ["m.value: your answer"]


def test_an_answer_to_a_reworded_exercise_stays_and_is_listed_once():
    new = reworded("m.value", "raise NotImplementedError  # twice")
    merged = merge(edited(value="x = 1"), new)
    assert sources(merged.notebook)[2] == "x = 1"
    assert merged.changes == ["m.value: your answer is kept; the exercise was reworded"]
    entry = merged.notebook.cells[2].metadata.workbook
    assert entry.made == TODO.metadata.workbook.made != fingerprint("x = 1")
    again = merge(merged.notebook, new)
    assert again.notebook == merged.notebook and again.changes == []
    third = merge(again.notebook, reworded("m.value", "raise NotImplementedError  # 3"))
    assert third.changes == merged.changes


def test_a_changed_text_of_the_course_stays_and_is_listed():
    merged = merge(edited(title="# Mine"), reworded("m.title", "# Better"))
    assert sources(merged.notebook)[0] == "# Mine"
    (line,) = merged.changes
    assert line == "m.title: your version is kept; the course's cell was reworded"


def test_a_learner_who_goes_back_to_the_stub_gets_the_new_one():
    new = reworded("m.value", "new stub")
    kept = merge(edited(value="x = 1"), new).notebook
    kept.cells[2].source = TODO.source
    assert sources(merge(kept, new).notebook)[2] == "new stub"


def test_the_course_catching_up_with_the_learner_is_no_conflict():
    new = reworded("m.title", "# Better")
    merged = merge(edited(title="# Better"), new)
    assert merged.notebook == new


def test_an_emptied_answer_stays_empty():
    assert sources(merge(edited(value=""), COURSE).notebook)[2] == ""


def test_outputs_stay_with_a_source_that_stays_and_go_with_one_that_goes():
    old = copy.deepcopy(COURSE)
    for cell in old.cells[1:]:
        cell.execution_count = 3
        cell.outputs = own("", "x").outputs
        cell.metadata["collapsed"] = True
    merged = merge(old, reworded("m.setup", "import torch")).notebook
    assert merged.cells[1].outputs == [] and merged.cells[1].execution_count is None
    assert merged.cells[3].outputs == old.cells[3].outputs
    assert merged.cells[3].execution_count == 3
    assert merged.cells[3].metadata.collapsed is True


def test_a_deleted_course_cell_comes_back_in_its_place():
    old = copy.deepcopy(COURSE)
    del old.cells[1:3]
    merged = merge(old, COURSE)
    assert merged.notebook == COURSE
    assert merged.changes == ["m.setup: added", "m.value: added"]


def test_cells_of_the_learner_stay_behind_what_they_stood_behind():
    a, b, c, d = (own(f"mine {n}", f"mine-{n}") for n in range(4))
    old = notebook(a, TITLE, GIVEN, b, c, TODO, CHECK, d)
    extra = built("m.extra", "more")
    new = notebook(TITLE, CHECK, GIVEN, extra, TODO)
    merged = merge(old, new)
    assert merged.notebook.cells == [a, TITLE, CHECK, d, GIVEN, b, c, extra, TODO]
    assert "1 cell of your own at the top" in merged.kept
    assert "2 cells of your own after m.setup" in merged.kept
    assert any("order of the course" in line for line in merged.changes)


def test_a_cell_whose_predecessor_is_gone_goes_behind_the_one_before():
    mine = own("mine", "mine")
    old = notebook(TITLE, GIVEN, mine, TODO, CHECK)
    merged = merge(old, notebook(TITLE, TODO, CHECK))
    assert merged.notebook.cells == [TITLE, mine, TODO, CHECK]
    assert merged.changes == ["m.setup: no longer in the course, and taken out"]


def test_a_changed_cell_that_the_course_drops_stays_in_place_as_the_learner_s():
    old = edited(setup="import mine")
    new = notebook(TITLE, TODO, CHECK)
    merged = merge(old, new)
    assert sources(merged.notebook)[1] == "import mine"
    cell = merged.notebook.cells[1]
    assert "workbook" not in cell.metadata
    assert cell.metadata.workbook_was.key == "m.setup"
    assert len(merged.changes) == 1 and "stays" in merged.changes[0]
    assert merge(merged.notebook, new).notebook == merged.notebook


def test_what_a_learner_s_cell_carries_stays_with_it():
    cell = own("![](attachment:a.png)", "mine", "markdown", tags=["x"], mood={"y": 1})
    cell["attachments"] = {"a.png": {"image/png": "aGVsbG8="}}
    merged = merge(notebook(TITLE, cell), COURSE)
    assert merged.notebook.cells[1] == cell


def test_of_two_copies_the_changed_one_is_the_answer():
    first, second = copy.deepcopy(TODO), copy.deepcopy(TODO)
    second.id, second.source = "copy", "x = 1"
    merged = merge(notebook(TITLE, GIVEN, first, second, CHECK), COURSE)
    assert keys(merged.notebook) == ["m.title", "m.setup", None, "m.value", "m.check"]
    assert sources(merged.notebook)[2:4] == [TODO.source, "x = 1"]
    assert "workbook" not in merged.notebook.cells[2].metadata
    assert any("second copy" in line for line in merged.changes)


def test_of_two_changed_copies_the_first_is_the_answer():
    first, second = copy.deepcopy(TODO), copy.deepcopy(TODO)
    first.source, second.source, second.id = "x = 1", "x = 2", "copy"
    merged = merge(notebook(TITLE, GIVEN, first, second, CHECK), COURSE)
    assert keys(merged.notebook) == ["m.title", "m.setup", "m.value", None, "m.check"]
    assert sources(merged.notebook)[2:4] == ["x = 1", "x = 2"]


def test_a_renamed_exercise_takes_its_answer_along():
    renamed = built("m.scalar", "new stub", exercise=True, was=["m.value"])
    new = notebook(TITLE, GIVEN, renamed, CHECK)
    merged = merge(edited(value="x = 1"), new)
    assert sources(merged.notebook)[2] == "x = 1"
    assert merged.notebook.cells[2].metadata.workbook.exercise == "m.scalar"
    assert merged.kept == ["m.scalar: your answer"]
    assert "m.scalar: was m.value before" in merged.changes
    assert merge(merged.notebook, new).notebook == merged.notebook


def test_a_former_name_that_is_in_use_again_takes_nothing():
    other = built("m.other", "stub", was=["m.value"])
    merged = merge(edited(value="x = 1"), notebook(TITLE, other, TODO))
    assert sources(merged.notebook) == ["# Title", "stub", "x = 1"]


def test_one_former_name_serves_one_cell():
    one, two = (built(f"m.{n}", f"stub {n}", was=["m.value"]) for n in ("one", "two"))
    merged = merge(edited(value="x = 1"), notebook(one, two))
    assert sources(merged.notebook)[:2] == ["x = 1", "stub two"]


def test_an_answer_under_the_old_name_beats_an_untouched_cell_of_the_new():
    renamed = built("m.scalar", "stub", exercise=True, was=["m.value"])
    old = notebook(TITLE, renamed, edited(value="x = 1").cells[2])
    merged = merge(old, notebook(TITLE, renamed))
    assert sources(merged.notebook) == ["# Title", "x = 1"]


def test_ids_are_unique_and_the_learner_s_win():
    mine = own("mine", "m-value")
    merged = merge(notebook(TITLE, mine), COURSE).notebook
    assert [cell.id for cell in merged.cells] == [
        "m-title", "m-value", "m-setup", "m-value-2", "m-check",
    ]  # fmt: skip
    assert merged.cells[1] == mine
    assert merge(merged, COURSE).notebook == merged


def test_cells_without_an_id_or_with_the_same_one_get_their_own():
    cells = [own("a", "same"), own("b", "same"), own("c", "no spaces!"), own("d", "x")]
    del cells[3]["id"]
    old = notebook(TITLE, *cells)
    old.nbformat_minor = 2
    merged = merge(old, COURSE).notebook
    nbformat.validate(merged)
    assert merged.nbformat_minor == 5
    assert len({cell.id for cell in merged.cells}) == 8
    assert merge(merged, COURSE).notebook == merged


def test_the_notebook_s_metadata_is_the_learner_s_except_the_course_s_entry():
    new = notebook(TITLE, workbook={"version": 2}, kernelspec={"name": "python3"})
    old = notebook(
        TITLE, workbook={"version": 1}, kernelspec={"name": "mine"}, widgets={"s": 1}
    )
    assert merge(old, new).notebook.metadata == {
        "workbook": {"version": 2}, "kernelspec": {"name": "mine"}, "widgets": {"s": 1},
    }  # fmt: skip


def test_a_course_cell_without_a_key_or_with_one_twice_is_the_builder_s_fault():
    with pytest.raises(ValueError, match="no key"):
        merge(None, notebook(own("a", "a")))
    with pytest.raises(ValueError, match="twice"):
        merge(None, notebook(TITLE, TITLE))


def test_metadata_that_makes_no_sense_makes_a_cell_the_learner_s():
    cell = own("mine", "mine", workbook=["what"])
    assert merge(notebook(TITLE, cell), COURSE).notebook.cells[1] == cell


# -- whatever the learner does ----------------------------------------------------

_text = st.sampled_from(["", "a", "b\n", "c\r\n\u2028d", "# é 😀", "\ud800"])
_kind = st.sampled_from(["code", "markdown"])
_names = [f"m.{name}" for name in "abcdef"]


@st.composite
def courses(draw) -> NotebookNode:
    chosen = draw(st.lists(st.sampled_from(_names), unique=True, max_size=5))
    cells = []
    for key in chosen:
        cell = built(key, draw(_text), draw(_kind), exercise=draw(st.booleans()))
        was = draw(st.lists(st.sampled_from(_names), max_size=2))
        if was:
            cell.metadata.workbook["was"] = was
        if draw(st.booleans()):
            cell.metadata["tags"] = ["predict"]
        cells.append(cell)
    return notebook(*cells, workbook={"lesson": draw(st.integers(0, 1))})


_place = st.integers(0, 20)
_edits = st.lists(
    st.one_of(
        st.tuples(st.just("change"), _place, _text),
        st.tuples(st.just("add"), _place, _text),
        st.tuples(st.just("clear"), _place),
        st.tuples(st.just("delete"), _place),
        st.tuples(st.just("copy"), _place, _place),
        st.tuples(st.just("move"), _place, _place),
        st.tuples(st.just("run"), _place),
        st.tuples(st.just("retype"), _place),
        st.tuples(st.just("rename"), _place, st.sampled_from(_names)),
        st.tuples(st.just("forget"), _place, st.sampled_from(["made", "key", "id"])),
    ),
    max_size=8,
)


def after_edits(nb: NotebookNode, edits: list[tuple]) -> NotebookNode:
    nb = copy.deepcopy(nb)
    for number, (act, place, *rest) in enumerate(edits):
        if act == "add":
            at = place % (len(nb.cells) + 1)
            nb.cells.insert(at, own(rest[0], f"own-{number}"))
        elif nb.cells:
            _edit(nb, act, place % len(nb.cells), *rest)
    return nb


def _edit(nb: NotebookNode, act: str, at: int, *rest) -> None:
    cell = nb.cells[at]
    entry = cell.metadata.get("workbook", {})
    if act in ("change", "clear"):
        cell.source = rest[0] if rest else ""
    elif act == "delete":
        del nb.cells[at]
    elif act == "copy":
        nb.cells.insert(rest[0] % (len(nb.cells) + 1), copy.deepcopy(cell))
    elif act == "move":
        nb.cells.insert(rest[0] % len(nb.cells), nb.cells.pop(at))
    elif act == "run" and cell.cell_type == "code":
        cell.execution_count, cell.outputs = 9, own("", "x").outputs
    elif act == "retype":
        nb.cells[at] = own(cell.source, cell.get("id", "x"), "raw")
        nb.cells[at].metadata.update(cell.metadata)
    elif act == "rename" and entry:
        entry["key"] = rest[0]
    elif act == "forget":
        (cell if rest[0] == "id" else entry).pop(rest[0], None)


def written_by_the_learner(nb: NotebookNode) -> Counter:
    def is_theirs(cell: NotebookNode) -> bool:
        entry = cell.metadata.get("workbook", {})
        return "key" not in entry or entry.get("made") != fingerprint(cell.source)

    return Counter(cell.source for cell in nb.cells if is_theirs(cell))


@settings(max_examples=250, deadline=None)
@given(courses(), st.lists(st.tuples(_edits, courses()), min_size=1, max_size=3))
def test_whatever_happens_every_word_of_the_learner_is_there(course, story):
    nb = merge(None, course).notebook
    for edits, new in story:
        old = after_edits(nb, edits)
        before = copy.deepcopy((old, new))
        merged = merge(old, new)
        assert (old, new) == before
        nb = merged.notebook
        assert not written_by_the_learner(old) - Counter(sources(nb))
        assert [key for key in keys(nb) if key] == keys(new)
        again = merge(nb, new)
        assert again.notebook == nb and again.changes == []
        assert bool(merged.changes) == (nb != old)
        ids = [cell.id for cell in nb.cells]
        assert len(set(ids)) == len(ids)
        if "\ud800" not in "".join(sources(nb)):
            nbformat.validate(nb)


@settings(max_examples=150, deadline=None)
@given(courses(), courses(), st.lists(st.tuples(_place, _text), max_size=5))
def test_added_cells_stay_whole_behind_their_neighbour_in_their_order(
    course, new, additions
):
    for cell in new.cells:
        cell.metadata.workbook.pop("was", None)
    old = after_edits(course, [("add", place, text) for place, text in additions])
    result = merge(old, new).notebook
    alive = set(keys(new))
    assert behind_each(result, alive) == behind_each(old, alive)


def behind_each(nb: NotebookNode, alive: set[str]) -> dict[str | None, list]:
    """Surviving course cell (None: the top) -> the learner's cells behind it."""
    groups, anchor = {}, None
    for key, cell in zip(keys(nb), nb.cells, strict=True):
        if key in alive:
            anchor = key
        elif key is None:
            groups.setdefault(anchor, []).append(cell)
    return groups


@settings(max_examples=100, deadline=None)
@given(courses(), courses())
def test_an_untouched_notebook_becomes_the_new_course_exactly(course, new):
    assert merge(course, new).notebook == new


# -- the file ---------------------------------------------------------------------


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    """A place for a notebook, on a machine without a running Jupyter."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "no-jupyter"))
    folder = tmp_path / "exercises"
    folder.mkdir()
    return folder / "01_micrograd.ipynb"


def save(path: Path, nb: NotebookNode) -> bytes:
    path.write_text(nbformat.v4.writes(nb) + "\n", encoding="utf-8")
    return path.read_bytes()


def kept(path: Path) -> Path:
    return path.parent / ".kept"


def copies(path: Path) -> list[Path]:
    return sorted(kept(path).glob("*.ipynb"))


def load(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def is_one_sentence(error: MergeRefused, path: Path) -> bool:
    text = str(error)
    return "\n" not in text and text.endswith(".") and str(path) in text


NEW = reworded("m.title", "# Better")


def test_a_notebook_that_is_not_there_yet_is_written(path):
    outcome = write(COURSE, path, kept(path))
    assert outcome.written and outcome.backup is None and outcome.changes == []
    assert load(path) == COURSE and path.read_bytes().endswith(b"}\n")


def test_a_merge_that_changes_nothing_touches_nothing(path):
    # the layout of another editor
    path.write_text(json.dumps(edited(value="x = 1")), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    raw = path.read_bytes()
    outcome = write(COURSE, path, kept(path))
    assert not outcome.written and outcome.backup is None
    assert outcome.kept == ["m.value: your answer"]
    assert path.read_bytes() == raw and path.stat().st_mtime_ns == 1
    assert os.listdir(path.parent) == [path.name]


def test_the_file_as_it_was_is_kept_under_a_dated_name_first(path):
    raw = save(path, edited(value="x = 1"))
    outcome = write(NEW, path, kept(path))
    assert outcome.written and copies(path) == [outcome.backup]
    assert outcome.backup.read_bytes() == raw
    shape = r"01_micrograd\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.ipynb"
    assert re.fullmatch(shape, outcome.backup.name)
    assert sources(load(path)) == ["# Better", "import math", "x = 1", "check()"]


def test_copies_of_one_second_never_overwrite_one_another(path, monkeypatch):
    class OneSecond(module.datetime):
        @classmethod
        def now(cls):
            return cls(2026, 11, 22, 18, 40)

    monkeypatch.setattr(module, "datetime", OneSecond)
    states = set()
    for number in range(3):
        states.add(save(path, edited(value=f"x = {number}")))
        write(NEW, path, kept(path))
    stem = "01_micrograd.2026-11-22T18-40-00"
    names = [f"{stem}-2.ipynb", f"{stem}-3.ipynb", f"{stem}.ipynb"]
    assert [found.name for found in copies(path)] == names
    assert {found.read_bytes() for found in copies(path)} == states


def test_names_suit_every_system(path):
    save(path, COURSE)
    write(NEW, path, kept(path))
    for found in path.parent.rglob("*"):
        assert not set(found.name) & set('<>:"/\\|?*')


def test_the_rights_of_the_notebook_stay(path):
    save(path, COURSE)
    path.chmod(0o640)
    write(NEW, path, kept(path))
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_surrogate_half_survives_the_file(path):
    text = json.dumps(edited(value="x = '\ud800'"))
    path.write_text(text)
    write(NEW, path, kept(path))
    assert json.loads(path.read_bytes())["cells"][2]["source"] == ["x = '\ud800'"]


def test_a_notebook_from_an_editor_without_ids_is_merged(path):
    nb = edited(value="x = 1")
    for cell in nb.cells:
        del cell["id"]
    nb.nbformat_minor = 0
    del nb["metadata"], nb.cells[1]["outputs"], nb.cells[1]["execution_count"]
    path.write_text(json.dumps(nb))
    assert write(NEW, path, kept(path)).written
    nbformat.validate(load(path))
    assert sources(load(path))[2] == "x = 1"
    assert not write(NEW, path, kept(path)).written


REFUSED = {
    b"": "empty",
    b" \n": "empty",
    b'{\n "cells": [\n  oops\n': r"not valid JSON \(line 3\)",
    b"<<<<<<< HEAD\n{}\n=======": r"not valid JSON \(line 1\)",
    b'{"nbformat": 4, "cells": "\xff\xfe"}': "UTF-8",
    b"[" * 100_000: "JSON",
    b"[]": "no notebook",
    b'{"a": 1}': "no notebook",
    b'{"nbformat": 3, "worksheets": []}': "format 3",
    b'{"nbformat": 5, "cells": []}': "format 5",
    b'{"nbformat": 4}': "without cells",
    b'{"nbformat": 4, "cells": [], "metadata": 1}': "metadata",
    b'{"nbformat": 4, "cells": [7]}': "cell 1",
    b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}': "cell 1",
    b'{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": [1]}]}': "outputs",
    b'{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": [{}]}]}': "outputs",
    b'{"nbformat": 4, "cells": [{"cell_type": "raw", "attachments": 3}]}': "outputs",
}


@pytest.mark.parametrize("raw", REFUSED, ids=list(REFUSED.values()))
def test_what_is_no_notebook_is_refused_in_words_and_left_alone(path, raw):
    path.write_bytes(raw)
    with pytest.raises(MergeRefused, match=REFUSED[raw]) as error:
        write(NEW, path, kept(path))
    assert is_one_sentence(error.value, path)
    assert path.read_bytes() == raw
    assert os.listdir(path.parent) == [path.name]


def test_a_link_is_refused_and_what_it_leads_to_is_left_alone(path, tmp_path):
    raw = save(tmp_path / "real.ipynb", COURSE)
    path.symlink_to(tmp_path / "real.ipynb")
    with pytest.raises(MergeRefused, match="is a link") as error:
        write(NEW, path, kept(path))
    assert is_one_sentence(error.value, path)
    assert (tmp_path / "real.ipynb").read_bytes() == raw and path.is_symlink()


def test_a_folder_in_its_place_is_refused(path):
    path.mkdir()
    with pytest.raises(MergeRefused, match="is no file") as error:
        write(NEW, path, kept(path))
    assert is_one_sentence(error.value, path)


def test_a_read_only_notebook_is_refused(path, monkeypatch):
    raw = save(path, COURSE)
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    with pytest.raises(MergeRefused, match="read-only") as error:
        write(NEW, path, kept(path))
    assert is_one_sentence(error.value, path)
    assert path.read_bytes() == raw and copies(path) == []


def test_a_place_for_copies_that_cannot_be_made_is_refused(path):
    raw = save(path, COURSE)
    kept(path).write_text("a file of the learner's")
    with pytest.raises(MergeRefused) as error:
        write(NEW, path, kept(path))
    assert is_one_sentence(error.value, path) and path.read_bytes() == raw


def test_a_second_command_at_once_ends_in_one_sentence(path, monkeypatch):
    raw = save(path, COURSE)
    kept(path).mkdir()
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.05)
    with (
        filelock.FileLock(kept(path) / ".lock"),
        pytest.raises(MergeRefused, match="another command") as error,
    ):
        write(NEW, path, kept(path))
    assert is_one_sentence(error.value, path) and path.read_bytes() == raw


def on_each_backup(monkeypatch, act) -> None:
    """Run `act` right after the copy is kept, just before the file is replaced."""
    real = module.set_aside

    def then(*arguments):
        backup = real(*arguments)
        act()
        return backup

    monkeypatch.setattr(module, "set_aside", then)


def test_what_is_saved_while_merging_is_merged_too(path, monkeypatch):
    raw = save(path, edited(value="x = 1"))
    late = iter([lambda: save(path, edited(value="x = 2"))])
    on_each_backup(monkeypatch, lambda: next(late, lambda: None)())
    outcome = write(NEW, path, kept(path))
    assert outcome.written and sources(load(path))[2] == "x = 2"
    assert copies(path)[0].read_bytes() != copies(path)[1].read_bytes()
    assert raw in {copy.read_bytes() for copy in copies(path)}


def test_a_file_deleted_while_merging_is_built_anew_and_its_copy_is_kept(
    path, monkeypatch
):
    raw = save(path, edited(value="x = 1"))
    on_each_backup(monkeypatch, path.unlink)
    outcome = write(NEW, path, kept(path))
    assert outcome.written and load(path) == NEW
    assert [copy.read_bytes() for copy in copies(path)] == [raw]


def test_a_file_that_keeps_changing_is_refused_and_left_alone(path, monkeypatch):
    save(path, COURSE)
    count = iter(range(100))
    on_each_backup(monkeypatch, lambda: save(path, edited(value=f"x = {next(count)}")))
    with pytest.raises(MergeRefused, match="kept changing") as error:
        write(NEW, path, kept(path))
    assert is_one_sentence(error.value, path)
    assert sources(load(path))[2] == "x = 2" and next(count) == 3


# -- killed, or out of space, at every step ---------------------------------------


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_disk_that_fails_at_any_call_leaves_the_notebook_as_it_was(
    path, monkeypatch, step, call
):
    raw = save(path, edited(value="x = 1"))
    where = progress if step == "open" else progress.os
    real = open if step == "open" else getattr(os, step)
    calls = iter(range(1, 100))

    def failing(*arguments, **options):
        if next(calls) == call:
            raise OSError(28, "No space left on device")
        return real(*arguments, **options)

    monkeypatch.setattr(where, step, failing, raising=False)
    try:
        assert write(NEW, path, kept(path)).written
        assert sources(load(path))[2] == "x = 1"
    except MergeRefused as error:
        assert "No space left" in str(error) and is_one_sentence(error, path)
        assert path.read_bytes() == raw
    for found in copies(path):
        assert found.read_bytes() == raw
    assert not list(path.parent.rglob("*.tmp"))


def test_a_disk_without_hard_links_keeps_copies_all_the_same(path, monkeypatch):
    def no_links(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(progress.os, "link", no_links)
    raw = save(path, edited(value="x = 1"))
    outcome = write(NEW, path, kept(path))
    assert outcome.backup.read_bytes() == raw


FILE_STEPS = {
    "write", "_locked", "_planned", "_look", "_kept", "_replaced", "set_aside",
    "write_atomically", "_spill", "_place", "_replace", "_sync_folder", "_take_after",
}  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_line_the_notebook_is_the_old_one_or_the_new_one(path):
    raw = save(path, edited(value="x = 1"))
    new = (nbformat.v4.writes(merge(load(path), NEW).notebook) + "\n").encode()
    seen = set()
    for step in range(1, 1000):
        shutil.rmtree(kept(path), ignore_errors=True)
        path.write_bytes(raw)
        ended = kill_at_line(step, lambda: write(NEW, path, kept(path)))
        now = path.read_bytes()
        assert now in (raw, new)
        assert all(found.read_bytes() == raw for found in copies(path))
        assert now == raw or copies(path)
        seen.add(now)
        if ended:
            break
    assert ended and len(seen) == 2 and step > 50


def kill_at_line(step: int, act) -> bool:
    """Fork, run `act`, SIGKILL at the step-th line that handles files."""
    child = os.fork()
    if child == 0:
        left = step

        def on_line(frame, event, _):
            nonlocal left
            code = frame.f_code
            ours = code.co_filename in (module.__file__, progress.__file__)
            if not ours or code.co_name not in FILE_STEPS:
                return None
            if event == "line":
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return on_line

        sys.settrace(on_line)
        try:
            act()
            os._exit(0)
        finally:
            os._exit(3)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL)
    return status == 0


def update_for_ever(path: Path, name: str) -> None:
    sys.modules["jupyter_server.serverapp"] = None  # takes a second to import
    for number in itertools.count():
        write(reworded("m.title", f"# {name} {number}"), path, kept(path))


def wait_for_a_copy_more_than(before: int, path: Path) -> None:
    end = time.monotonic() + 20
    while len(copies(path)) <= before and time.monotonic() < end:
        time.sleep(0.002)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_a_random_moment_the_notebook_can_be_read(path):
    save(path, notebook(*edited(value="x = 1").cells, own("mine", "mine")))
    chance = random.Random(3)
    for round_ in range(40):
        before = len(copies(path))
        child = os.fork()
        if child == 0:
            try:
                update_for_ever(path, f"Round {round_}")
            finally:
                os._exit(3)
        wait_for_a_copy_more_than(before, path)  # however busy the machine is
        time.sleep(chance.random() * 0.03)
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL  # it worked until then
        assert sources(load(path))[2:] == ["x = 1", "check()", "mine"]
    assert len(copies(path)) >= 40
    for found in copies(path):
        assert sources(load(found))[2:] == ["x = 1", "check()", "mine"]


# -- open in JupyterLab -----------------------------------------------------------


class Lab(http.server.BaseHTTPRequestHandler):
    """A server that answers api/sessions; `answer` and `seen` are set per test."""

    def do_GET(self):
        self.server.seen.append((self.path, self.headers["Authorization"]))
        self.server.answer(self)

    def log_message(self, *_):
        pass

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def lab(path, monkeypatch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lab)
    server.daemon_threads, server.seen = True, []
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    server.info = {
        "url": f"http://localhost:{server.server_port}/base/",
        "hostname": "localhost", "port": server.server_port, "token": "s3cret",
        "root_dir": str(path.parents[1]), "pid": os.getpid(),
    }  # fmt: skip
    runtime = Path(os.environ["JUPYTER_RUNTIME_DIR"])
    runtime.mkdir()
    server.announce = lambda: (runtime / "jpserver-1.json").write_text(
        json.dumps(server.info)
    )
    server.announce()
    session = {"path": "exercises/01_micrograd.ipynb", "type": "notebook"}
    server.answer = lambda request: request.reply(200, json.dumps([session]).encode())
    server.session = session
    yield server
    server.shutdown()
    server.server_close()


def test_a_notebook_open_in_jupyterlab_is_refused(path, lab):
    raw = save(path, edited(value="x = 1"))
    with pytest.raises(MergeRefused, match="open in JupyterLab") as error:
        write(NEW, path, kept(path))
    assert is_one_sentence(error.value, path) and "save and close" in str(error.value)
    assert "s3cret" not in str(error.value)
    assert path.read_bytes() == raw and copies(path) == []
    assert lab.seen == [("/base/api/sessions", "token s3cret")]


def test_an_open_notebook_that_would_not_change_is_not_asked_about(path, lab):
    save(path, edited(value="x = 1"))
    assert not write(COURSE, path, kept(path)).written
    assert lab.seen == []


@pytest.mark.parametrize("drive", ["RTC:", ""])
def test_a_shared_notebook_counts_as_open_too(path, lab, drive):
    lab.session["path"] = f"{drive}exercises/01_micrograd.ipynb"
    assert module.open_in(path)


def test_another_notebook_open_there_is_no_hindrance(path, lab):
    lab.session["path"] = "exercises/02_bigram.ipynb"
    save(path, COURSE)
    assert write(NEW, path, kept(path)).written and len(lab.seen) == 1


def test_a_server_that_listens_everywhere_is_asked_on_this_machine(path, lab):
    lab.info |= {"hostname": "0.0.0.0", "url": "http://far.example:1/base/"}
    lab.announce()
    assert module.open_in(path) and lab.seen


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:8888/", "http://far.example/", "file:///etc/passwd", ""]
)
def test_a_server_elsewhere_is_never_asked(path, lab, url, monkeypatch):
    lab.info |= {"hostname": "192.0.2.1", "url": url}
    lab.announce()
    monkeypatch.setattr(urllib.request, "build_opener", None)  # asking would raise
    assert module.open_in(path) is None
    monkeypatch.undo()
    assert lab.seen == []


ODD_ANSWERS = {
    "login page": lambda request: request.reply(200, b"<html>"),
    "forbidden": lambda request: request.reply(403, b""),
    "no sessions": lambda request: request.reply(200, b'[{"path": 7}, null]'),
    "elsewhere": lambda request: request.reply(302, b"", Location="/base/other"),
    "cut off": lambda request: request.connection.close(),
    "too late": lambda request: time.sleep(2.5),
}


@pytest.mark.parametrize("kind", ODD_ANSWERS)
def test_a_server_that_answers_oddly_is_passed_over(path, lab, kind, monkeypatch):
    monkeypatch.setattr(module, "ASK_SECONDS", 0.3)
    lab.answer = ODD_ANSWERS[kind]
    save(path, COURSE)
    started = time.monotonic()
    assert write(NEW, path, kept(path)).written
    assert time.monotonic() - started < 2
    assert len(lab.seen) == 1  # no redirect takes the token along


def test_a_desk_without_jupyter_is_no_hindrance(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyter_server.serverapp", None)
    save(path, COURSE)
    assert write(NEW, path, kept(path)).written


@pytest.mark.slow
def test_a_real_jupyter_server_holds_its_notebook(path, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    raw = save(path, edited(value="x = 1"))
    env = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "config")}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", "--allow-root", "--ip=127.0.0.1",
         f"--port={port}", "--ServerApp.port_retries=0", "--no-browser",
         "--IdentityProvider.token=s3cret", f"--ServerApp.root_dir={tmp_path}"],
        env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        session = {
            "path": "exercises/01_micrograd.ipynb", "type": "notebook",
            "name": "", "kernel": {"name": "python3"},
        }  # fmt: skip
        made = ask(port, "POST", "sessions", session)
        with pytest.raises(MergeRefused, match=f"127.0.0.1:{port}"):
            write(NEW, path, kept(path))
        assert path.read_bytes() == raw
        ask(port, "DELETE", f"sessions/{made['id']}")
        assert write(NEW, path, kept(path)).written
    finally:
        server.terminate()
        server.wait(10)


def ask(port: int, method: str, what: str, body: dict | None = None) -> dict:
    """One request, tried until the server is up."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/{what}", method=method,
        data=json.dumps(body).encode() if body else None,
        headers={"Authorization": "token s3cret"},
    )  # fmt: skip
    for _ in range(600):
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the Jupyter server did not start")
