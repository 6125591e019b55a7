"""The doors of a notebook, outside of one: check, hint, solution and what they keep."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from workbook import desk, hints, source
from workbook.course import CourseError
from workbook.progress import Progress
from workbook.verdict import NOT_YET, OPEN, PASSED, Verdict

ID = "micrograd.derivative"
HINTS = ("Look at the slope.", "A rise by a run.", "`return (____) / (2 * h)`")


@pytest.fixture(autouse=True)
def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner of their own, and no mode that `make check` sets."""
    for name in ("WORKBOOK_CHECK", "WORKBOOK_STRICT", "WORKBOOK_VERDICTS"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "progress.json"
    monkeypatch.setenv("WORKBOOK_PROGRESS", str(file))
    monkeypatch.setattr(desk, "_noted", set())
    return file


def judged(monkeypatch, state: str, mistake: str | None = None) -> None:
    """Let every check end in this state."""
    verdict = Verdict(ID, state, (("next", "look"),), mistake)
    monkeypatch.setattr(desk, "run", lambda id, *objects: verdict)
    known = SimpleNamespace(version=3, parts=())
    monkeypatch.setattr(desk, "known", lambda id: known)


def derivative(f, x, h=None):
    h = 1e-5 if h is None else h
    return (f(x + h) - f(x - h)) / (2 * h)


# --- check ---


def test_a_right_answer_is_told_in_words_and_remembered(capsys):
    desk.check(ID, derivative)
    assert capsys.readouterr().out.startswith(f"{ID}  passed\n")
    assert Progress.load().state(ID) == "passed"


def test_a_wrong_answer_is_told_and_nothing_is_raised(capsys):
    desk.check(ID, lambda f, x, h=None: 0.0)
    assert capsys.readouterr().out.startswith(f"{ID}  not yet\n")
    assert Progress.load().state(ID) == "not yet"


@pytest.mark.parametrize(("state", "kept"), [(PASSED, 3), (NOT_YET, 3), (OPEN, None)])
def test_the_tracker_keeps_the_version_of_the_check(monkeypatch, state, kept):
    judged(monkeypatch, state)
    desk.check(ID, derivative)
    entry = Progress.load().verdict(ID) or {"version": None}
    assert entry["version"] == kept


@pytest.mark.parametrize("id", ["micrograd.nothing", "nothing.at_all", "micrograd", ""])
def test_an_unknown_id_is_answered_in_a_sentence(capsys, id):
    desk.check(id, derivative)
    assert "There is no" in capsys.readouterr().out


def test_an_object_in_the_place_of_the_id_is_answered_in_a_sentence(capsys):
    desk.check(derivative)
    assert capsys.readouterr().out.startswith("There is no lesson")


def test_the_report_of_make_check_gets_a_line_a_verdict(monkeypatch, tmp_path):
    log = tmp_path / "verdicts.jsonl"
    monkeypatch.setenv("WORKBOOK_VERDICTS", str(log))
    judged(monkeypatch, NOT_YET, "one_sided")
    desk.check(ID, derivative)
    desk.check(ID, derivative)
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert lines == [lines[0]] * 2
    assert lines[0] == {
        "exercise": ID,
        "state": "not yet",
        "mistake": "one_sided",
        "message": f"{ID}  not yet\n  next      look",
    }


def test_in_check_mode_the_report_is_written_and_the_tracker_is_not(
    monkeypatch, tmp_path, learner
):
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    monkeypatch.setenv("WORKBOOK_VERDICTS", str(tmp_path / "verdicts.jsonl"))
    judged(monkeypatch, PASSED)
    desk.check(ID, derivative)
    assert (tmp_path / "verdicts.jsonl").exists()
    assert not learner.exists()


@pytest.mark.parametrize("state", [OPEN, NOT_YET])
def test_in_strict_mode_only_passed_is_no_error(monkeypatch, state):
    monkeypatch.setenv("WORKBOOK_STRICT", "1")
    judged(monkeypatch, PASSED)
    desk.check(ID, derivative)
    judged(monkeypatch, state)
    with pytest.raises(AssertionError, match=f"{ID}  {state}"):
        desk.check(ID, derivative)


def test_in_strict_mode_a_check_that_does_not_exist_is_an_error(monkeypatch):
    monkeypatch.setenv("WORKBOOK_STRICT", "1")
    with pytest.raises(CourseError, match="nothing"):
        desk.check("micrograd.nothing", derivative)


# --- a tracker in trouble ---


def test_a_tracker_that_cannot_be_written_is_told_beside_the_verdict(
    monkeypatch, tmp_path, capsys
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("WORKBOOK_PROGRESS", str(tmp_path / "file" / "progress.json"))
    judged(monkeypatch, PASSED)
    desk.check(ID, derivative)
    said = capsys.readouterr().out
    assert "cannot be" in said
    assert f"{ID}  passed" in said


def test_a_damaged_tracker_is_told_once_and_the_verdict_kept(
    monkeypatch, learner, capsys
):
    learner.write_text("{")
    judged(monkeypatch, PASSED)
    desk.check(ID, derivative)
    desk.check(ID, derivative)
    assert capsys.readouterr().out.count("was damaged") == 1
    assert Progress.load().state(ID) == "passed"


# --- hint and solution ---


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> source.Exercise:
    """The text of an exercise, as a lesson would give it."""
    cell = source.Cell("code", "def derivative(f, x):\n    return 1", 1)
    made = source.Exercise(
        ID, "derivative", "", (cell,), 10, 1, (), HINTS, "It adds.", ("other = 2",), 1
    )
    monkeypatch.setattr(hints, "exercise", lambda id: made)
    return made


def test_hints_go_deeper_and_the_last_one_stays(text, capsys):
    for number in (1, 2, 3, 3):
        desk.hint(ID)
        said = capsys.readouterr().out
        assert f"Hint {number} of 3" in said and HINTS[number - 1] in said
    assert "solution(" in said
    assert Progress.load().hint_level(ID) == 3


def test_an_exercise_without_hints_says_so(monkeypatch, text):
    from dataclasses import replace

    bare = replace(text, hints=())
    monkeypatch.setattr(hints, "exercise", lambda id: bare)
    assert "has no hints" in hints.hint_text(ID, 1)


def test_a_solution_is_asked_for_twice_before_a_pass(text, capsys):
    desk.solution(ID)
    said = capsys.readouterr().out
    assert "return 1" not in said and f'solution("{ID}", sure=True)' in said
    desk.solution(ID, sure=True)
    assert "return 1" in capsys.readouterr().out


def test_after_a_pass_the_solution_shows_itself_for_comparison(text, capsys):
    Progress.load().record_check(ID, "passed", 1, "hash")
    desk.solution(ID)
    said = capsys.readouterr().out
    assert said.startswith("Yours has passed")
    assert "return 1" in said and "It adds." in said and "other = 2" in said


@pytest.mark.parametrize("door", [desk.hint, desk.solution])
@pytest.mark.parametrize("id", ["micrograd.nothing", "nothing.at_all", "micrograd"])
def test_a_hint_for_what_does_not_exist_is_a_sentence(door, id, capsys):
    door(id)
    assert capsys.readouterr().out.startswith("There is no")


@pytest.mark.parametrize("door", [desk.hint, desk.solution])
def test_a_fault_in_the_lessons_text_is_a_sentence(door, monkeypatch, capsys):
    def broken(id: str):
        raise source.SourceError(Path("solutions/01_micrograd.py"), 7, "what is this")

    monkeypatch.setattr(hints, "exercise", broken)
    door(ID)
    assert capsys.readouterr().out == "solutions/01_micrograd.py:7: what is this\n"
    assert Progress.load().hint_level(ID) == 0


def test_check_mode_says_the_same_to_everybody(monkeypatch, text, capsys):
    def said() -> str:
        desk.hint(ID)
        desk.solution(ID)
        return capsys.readouterr().out

    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    fresh = said()
    monkeypatch.delenv("WORKBOOK_CHECK")
    Progress.load().record_check(ID, "passed", 1, "hash")
    Progress.load().record_hint(ID, 2)
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    assert said() == fresh


# --- in Jupyter ---


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What a notebook would show."""
    bundles: list[dict] = []
    monkeypatch.setattr(desk, "_in_notebook", lambda: True)
    monkeypatch.setattr(
        "IPython.display.display", lambda bundle, **options: bundles.append(bundle)
    )
    return bundles


def test_in_a_notebook_a_check_shows_a_card_and_has_its_words_beside_it(
    monkeypatch, shown, capsys
):
    judged(monkeypatch, NOT_YET)
    desk.check(ID, derivative)
    assert set(shown[0]) == {"text/html", "text/plain"}
    assert shown[0]["text/plain"].startswith(f"{ID}  not yet")
    assert capsys.readouterr().out == ""


def test_in_a_notebook_a_hint_is_markdown(shown, text):
    desk.hint(ID)
    assert shown[0]["text/markdown"].startswith("**Hint 1 of 3.**")


def test_in_a_notebook_the_solution_waits_behind_a_button(monkeypatch, text):
    updated: list[dict] = []
    rows: list = []
    handle = SimpleNamespace(update=lambda bundle, **options: updated.append(bundle))

    def display(row, **options):
        rows.append(row)
        return handle

    monkeypatch.setattr(desk, "_in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", display)
    desk.solution(ID)
    question, button = rows[0].children
    assert ID in question.value and not updated
    button.click()
    assert "return 1" in updated[0]["text/markdown"]


# --- the answer's hash ---


def fingerprint(*objects: object, parts: tuple[str, ...] = ()) -> str:
    return desk._fingerprint(objects, parts)


def test_the_same_answer_has_the_same_hash_in_another_python():
    code = (
        "from workbook.desk import _fingerprint\n"
        "def vowels(c): return c in {'a', 'e', 'i', 'o', 'u'}\n"
        "print(_fingerprint((vowels,), ()))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(hashes) == 1


def test_another_constant_is_another_answer():
    assert fingerprint(lambda x: x + 1) != fingerprint(lambda x: x + 2)


def test_a_decorator_does_not_hide_the_answer():
    def noisy(function):
        @functools.wraps(function)
        def louder(*args):
            return function(*args)

        return louder

    assert fingerprint(noisy(derivative)) == fingerprint(derivative)


def test_every_kind_of_method_counts():
    def made(number: int) -> type:
        class Thing:
            @property
            def size(self):
                return number + 1 if number else 0

            @staticmethod
            def make():
                return 1

        return Thing

    class Other(made(1)):
        @property
        def size(self):
            return 7

        @staticmethod
        def make():
            return 1

    assert fingerprint(made(1)) == fingerprint(made(2))
    assert fingerprint(made(1)) != fingerprint(Other)


def test_only_the_parts_of_an_exercise_count():
    class Value:
        def add(self):
            return 1

        def mul(self):
            return 2

    class Later:
        def add(self):
            return 1

        def mul(self):
            return 3

    assert fingerprint(Value, parts=("add",)) == fingerprint(Later, parts=("add",))
    assert fingerprint(Value) != fingerprint(Later)


def test_an_answer_that_is_no_function_at_all_has_a_hash_too():
    assert len(fingerprint(3, None, "text")) == 16


# --- the kernel ---


class Shell:
    """As much of IPython's shell as the desk needs."""

    def __init__(self, **names: object) -> None:
        self.user_ns = names

    def ask_exit(self) -> str:
        return "the kernel ends"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    made = Shell(check=desk.check, hint=desk.hint)
    monkeypatch.setattr(desk, "_shell", lambda: made)
    monkeypatch.setattr(desk, "_seen", set())
    return made


def test_exit_in_an_answer_ends_the_answer_and_afterwards_the_kernel(shell):
    with desk._kernel_kept_alive(), pytest.raises(SystemExit):
        shell.ask_exit()
    assert shell.ask_exit() == "the kernel ends"


def test_a_check_within_a_check_leaves_the_kernel_as_it_was(shell):
    with desk._kernel_kept_alive(), desk._kernel_kept_alive():
        pass
    assert shell.ask_exit() == "the kernel ends"


def test_a_door_that_a_cell_takes_away_is_put_back_and_told(shell, capsys):
    desk._put_back()
    shell.user_ns["check"] = "mine"
    del shell.user_ns["hint"]
    desk._put_back()
    assert shell.user_ns == {"check": desk.check, "hint": desk.hint}
    said = capsys.readouterr().out
    assert "`check` now held 'mine'." in said and "`hint` was deleted." in said


def test_a_name_that_was_never_a_door_stays_the_learners(shell, capsys):
    shell.user_ns["predict"] = "my own"
    desk._put_back()
    assert shell.user_ns["predict"] == "my own"
    assert capsys.readouterr().out == ""


def test_what_took_a_doors_place_may_refuse_to_be_shown(shell, capsys):
    class Shy:
        def __repr__(self):
            raise ValueError("no")

    desk._put_back()
    shell.user_ns["check"] = Shy()
    desk._put_back()
    assert shell.user_ns["check"] is desk.check


def test_an_interrupted_check_says_so_in_a_sentence_and_records_nothing(
    monkeypatch, learner
):
    def interrupted(id, *objects):
        raise KeyboardInterrupt

    monkeypatch.setattr(desk, "run", interrupted)
    with pytest.raises(KeyboardInterrupt, match="interrupted; nothing") as caught:
        desk.check(ID, derivative)
    assert caught.value.__suppress_context__
    assert len(caught.traceback) == 2  # the cell and the door
    assert not learner.exists()
