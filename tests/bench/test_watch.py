"""`make watch`: a save is a check, and what it says is what is new."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from itertools import islice

import pytest

from tests.bench.conftest import RIGHT, WRONG, SmallCourse
from workbook.bench.report import Standing
from workbook.bench.watch import checked, main, saves, told
from workbook.course import lesson
from workbook.verdict import NOT_YET, OPEN, PASSED


class Watching:
    """`make watch` in a process of its own, and what it has said so far."""

    def __init__(self, small: SmallCourse) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workbook", "watch", "01"],
            cwd=small.root,
            env=os.environ | {"WORKBOOK_ROOT": str(small.root), "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line

    def until(self, words: str) -> str:
        for _ in range(1200):
            if words in self.said:
                return self.said
            time.sleep(0.1)
        raise AssertionError(self.said)

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.mark.skipif(os.name == "nt", reason="no Ctrl-C from another process there")
def test_each_save_is_checked_and_ctrl_c_is_a_good_end(small: SmallCourse):
    small.answer({})
    watching = Watching(small)
    try:
        watching.until("2 open\nNext: micrograd.derivative")
        small.answer(WRONG)
        said = watching.until("1 not yet, 1 open")
        assert "✗ micrograd.derivative  open → not yet" in said
        assert "The slope is measured from one side only." in said
        small.answer(RIGHT)
        said = watching.until("All of this lesson have passed.")
        assert "✓ micrograd.derivative  not yet → passed" in said
    finally:
        code = watching.end()
    assert code == 0
    assert watching.said.rstrip().endswith("No longer watched.")


def test_what_cannot_run_is_told_and_the_notebook_is_left_as_it_is(small: SmallCourse):
    path = small.root / "exercises" / "01_micrograd.ipynb"
    small.answer({"micrograd.derivative": "def derivative(f, x)\n    return 1"})
    before = path.read_bytes()
    found = checked(lesson(1))
    assert found.states[NOT_YET] == ["micrograd.derivative"]
    assert "SyntaxError" in found.messages[0]
    assert path.read_bytes() == before
    assert not (small.root / "progress.json").exists()


def test_the_first_round_tells_no_change():
    found = Standing({PASSED: ["a"], NOT_YET: [], OPEN: ["b"]})
    assert list(told(found, {})) == ["1 passed, 1 open", "Next: b"]


def test_of_several_that_are_not_right_the_first_is_told_whole():
    found = Standing({PASSED: [], NOT_YET: ["a", "b"], OPEN: []}, ["A is wrong", "B"])
    lines = list(told(found, {"a": PASSED, "b": NOT_YET}))
    assert lines == ["✗ a  passed → not yet", "A is wrong", "2 not yet", "Then: b"]


def test_a_save_is_seen_once_and_a_file_that_is_being_replaced_is_waited_for(
    small: SmallCourse,
):
    small.answer({})
    one = lesson(1)
    seen = saves(one)
    next(seen)
    threading.Timer(0.1, one.exercise.unlink).start()
    threading.Timer(0.5, lambda: small.answer(WRONG)).start()
    assert list(islice(seen, 1)) == [None]
    assert one.exercise.exists()


def test_without_a_notebook_it_says_how_to_make_one(small: SmallCourse):
    from workbook.course import CourseError

    with pytest.raises(CourseError, match="make notebooks"):
        main(["01"])
