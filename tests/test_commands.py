"""The commands: what `make` offers and what the package runs are the same."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.conftest import SmallCourse
from workbook.__main__ import COMMANDS, main

ROOT = Path(__file__).resolve().parents[1]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
RECIPES = dict(re.findall(r"^(\w+):.*\n\t@(.*)", MAKEFILE, re.M))
BY_MAKE_ALONE = {"setup", "format", "bench", "clean", "help"}
PROMISED = {
    "setup", "lab", "check", "test", "progress", "list", "next", "watch", "hint",
    "solution", "reset", "export", "results", "notebooks", "exercises", "expected",
    "format", "clean", "doctor", "help", "update",
}  # fmt: skip


@pytest.fixture
def small(tmp_path, monkeypatch) -> SmallCourse:
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    monkeypatch.setenv("WORKBOOK_PROGRESS", str(tmp_path / "progress.json"))
    made = SmallCourse(tmp_path)
    made.make()
    return made


# ---------------------------------------------------------------- make


def test_each_recipe_calls_the_command_of_its_name():
    calls = {
        name: match[1]
        for name, recipe in RECIPES.items()
        if (match := re.match(r"\$\(RUN\) (\w+)", recipe))
    }
    assert calls == {name: name for name in COMMANDS}
    assert RECIPES.keys() | {"setup"} == COMMANDS.keys() | BY_MAKE_ALONE


def test_each_recipe_is_phony():
    phony = re.search(r"^\.PHONY: ((?:.|\\\n)*?[^\\])$", MAKEFILE, re.M)
    assert phony and set(phony[1].replace("\\\n", " ").split()) == {*RECIPES, "setup"}


def test_help_lists_every_command_with_a_word_on_it():
    done = subprocess.run(
        ["make", "help", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = dict(re.findall(r"^make (\w+) +(.+)$", done.stdout, re.M))
    assert told.keys() >= PROMISED
    assert told.keys() == COMMANDS.keys() | BY_MAKE_ALONE
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_a_function_that_exists(name):
    module, _, function = COMMANDS[name].partition(".")
    found = importlib.util.find_spec(f"workbook.bench.{module}")
    assert found and found.origin
    assert f"def {function}(" in Path(found.origin).read_text("utf-8")


# ---------------------------------------------------------------- what is said


def test_an_unknown_command_is_refused_with_the_list(capsys):
    assert main(["nonsense"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("There is no command 'nonsense'. There are: lab, check,")
    assert said.count("\n") == 1


def test_no_command_at_all_is_answered_with_the_list(capsys):
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("Which command? There are: lab,")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["check", "99"], "There is no lesson '99'"),
        (["expected", "nowhere"], "There is no lesson 'nowhere'"),
        (["notebooks", "99"], "There is no lesson '99'"),
        (["reset"], "Which one?"),
        (["reset", "micrograd.nothing"], "There is no exercise 'micrograd.nothing'"),
        (["hint"], "Which exercise? Say it so: make hint EX=micrograd.value"),
        (["hint", "micrograd.nothing"], "There is no exercise"),
        (["hint", "micrograd"], "'micrograd' is no written exercise"),
        (["solution", "a", "b"], "Which exercise?"),
    ],
)
def test_an_error_is_one_line_and_the_exit_code_one(small, capsys, argv, words):
    assert main(argv) == 1
    said = capsys.readouterr()
    assert said.err.startswith(words) and said.err.count("\n") == 1
    assert said.out == ""


def test_a_broken_text_is_one_line_with_its_place(small, capsys):
    small.write("exercises/01_micrograd.py", "# %%\n1\n#%%\n")
    assert main(["notebooks"]) == 1
    assert capsys.readouterr().err == (
        "exercises/01_micrograd.py:3: a cell begins with `# %%`, and a space\n"
    )


def test_a_broken_course_is_one_line(small, capsys):
    small.write("course.toml", "title = ")
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "not valid TOML" in said


def test_an_interrupt_ends_without_a_traceback(small, capsys, monkeypatch):
    def stopped(argv):
        raise KeyboardInterrupt

    monkeypatch.setattr("workbook.bench.validate.main", stopped)
    assert main(["check"]) == 130
    assert capsys.readouterr().err == "\nStopped.\n"


def test_a_mistake_of_ours_keeps_its_traceback(small, monkeypatch):
    def broken(argv):
        raise ZeroDivisionError

    monkeypatch.setattr("workbook.bench.validate.main", broken)
    with pytest.raises(ZeroDivisionError):
        main(["check"])


# ---------------------------------------------------------------- hint and solution


def test_each_call_goes_one_hint_deeper_and_the_last_one_stays(small, capsys):
    said = []
    for _ in range(4):
        assert main(["hint", "micrograd.derivative"]) == 0
        said.append(capsys.readouterr().out)
    assert "Hint 1 of 3" in said[0] and "A slope is a rise" in said[0]
    assert "Hint 2 of 3" in said[1]
    assert "Hint 3 of 3" in said[2] and "____" in said[2]
    assert "Hint 3 of 3" in said[3]


def test_a_solution_is_shown_where_nobody_can_be_asked(small, capsys):
    assert main(["solution", "micrograd.derivative"]) == 0
    said = capsys.readouterr().out
    assert "return (f(x + h) - f(x - h)) / (2 * h)" in said
    assert "the errors cancel" in said and "TODO" not in said


@pytest.mark.parametrize(("answer", "shown"), [("y", True), ("n", False), ("", False)])
def test_a_solution_asks_once_before_it_is_shown(
    small, capsys, monkeypatch, answer, shown
):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda words: asked.append(words) or answer)
    assert main(["solution", "micrograd.derivative"]) == 0
    assert asked == [
        "Show the solution of micrograd.derivative? Yours has not passed yet. [y/N] "
    ]
    assert ("return" in capsys.readouterr().out) == shown
