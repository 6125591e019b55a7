"""Answers become a plain module that knows nothing of the workbook."""

from __future__ import annotations

import ast
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.bench.conftest import RIGHT, SmallCourse
from workbook.bench.export import Code, from_solutions, module
from workbook.bench.exporting import from_exercises, main
from workbook.bench.statements import indented, statements
from workbook.checks import known
from workbook.course import Lesson, course, lesson
from workbook.progress import Progress
from workbook.source import read

REPOSITORY = Path(__file__).resolve().parents[2]
SOLVED = [one for one in course().lessons if one.solution_source.exists()]
every_lesson = pytest.mark.parametrize("one", SOLVED, ids=lambda one: one.name)


def python(*argv: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *argv], cwd=cwd, capture_output=True, text=True, check=False
    )


# ---------------------------------------------------------------- from the solutions


@every_lesson
def test_the_module_has_every_public_name_and_no_trace_of_the_workbook(one):
    made = from_solutions(one)
    assert made.missing == () and made.left_out == {}
    traces = r"workbook|\bcheck\(|TODO|SOLUTION|add_to|\bstyle\b|\bexplore\b"
    assert re.findall(traces, made.text) == []


@every_lesson
def test_two_exports_are_the_same(one):
    assert from_solutions(one) == from_solutions(one)


@every_lesson
def test_docstrings_are_kept(one):
    tree = ast.parse(from_solutions(one).text)
    assert one.title in (ast.get_docstring(tree) or "")
    assert one.video in (ast.get_docstring(tree) or "")
    defined = {n.name: n for n in tree.body if hasattr(n, "name")}
    said = [n.targets[0].id for n in tree.body if isinstance(n, ast.Assign)]
    named = [name for name in one.public if name not in said]  # a constant has none
    assert all(ast.get_docstring(defined[name]) for name in named)


@every_lesson
def test_each_class_is_there_once_and_each_method_once(one):
    tree = ast.parse(from_solutions(one).text)
    names = [node.name for node in tree.body if hasattr(node, "name")]
    assert len(names) == len(set(names))
    for node in (n for n in tree.body if isinstance(n, ast.ClassDef)):
        methods = [part.name for part in node.body if hasattr(part, "name")]
        assert len(methods) == len(set(methods))


@every_lesson
def test_the_module_is_importable_in_an_empty_folder(one, tmp_path):
    name = Path(one.module).stem
    (tmp_path / f"{name}.py").write_text(from_solutions(one).text, "utf-8")
    code = (
        f"import {name}, sys; assert all(hasattr({name}, n) for n in {one.public!r});"
        "assert 'workbook' not in sys.modules"
    )
    done = python("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@every_lesson
def test_the_module_is_clean_for_ruff(one, tmp_path):
    path = tmp_path / f"{Path(one.module).stem}.py"
    path.write_text(from_solutions(one).text, "utf-8")
    rules = ["--select", "E,F,I,B,UP,SIM,C4", "--ignore", "E501"]
    found = python("-m", "ruff", "check", "--isolated", *rules, path)
    assert found.returncode == 0, found.stdout
    same = python("-m", "ruff", "format", "--isolated", "--check", path)
    assert same.returncode == 0, same.stdout


def test_the_command_writes_the_module_once(tmp_path, capsys):
    argv = ["--from", "solutions", "--to", str(tmp_path)]
    path = tmp_path / "micrograd" / "micrograd.py"
    assert main(argv) == 0
    assert capsys.readouterr().out.startswith(f"{path}: written\n")
    assert main(argv) == 0
    assert capsys.readouterr().out.startswith(f"{path}: as it was\n")
    assert path.read_text("utf-8") == from_solutions(lesson(1)).text


def test_the_module_is_found_where_another_of_its_name_is_installed(tmp_path):
    installed, course = tmp_path / "installed" / "micrograd", tmp_path / "code"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    assert main(["--from", "solutions", "--to", str(course)]) == 0
    command = "from micrograd.micrograd import Value; print(Value(2.0) * 3)"
    run = subprocess.run(
        [sys.executable, "-c", command],
        cwd=course,
        env=os.environ | {"PYTHONPATH": str(installed.parent)},
        capture_output=True,
        text=True,
    )
    assert run.stdout.startswith("Value(data=6.0"), run.stderr


# ---------------------------------------------------------------- how cells become one


def made(*codes: str | Code, public: tuple[str, ...] = ("Value", "f")) -> str:
    """The body of the module that some cells make."""
    one = Lesson(1, "toy", "Toy", "https://example.org", "5m", public=public)
    text = module(one, [c if isinstance(c, Code) else Code(c) for c in codes]).text
    return text[text.index('"""\n', 3) + 4 :].strip()


def run_all(text: str) -> dict:
    names: dict = {}
    exec(text, names)
    return names


def test_a_class_that_grew_over_cells_is_one_class():
    text = made(
        "class Value:\n    def a(self):\n        return 1",
        "@add_to(Value)\ndef b(self):\n    return self.a() + 1",
    )
    assert text.count("class Value") == 1
    assert run_all(text)["Value"]().b() == 2


def test_the_last_definition_wins_where_the_first_one_stood():
    text = made(
        "class Value:\n    def a(self):\n        return 1\n\n    def z(self):\n"
        "        return 26",
        "@add_to(Value)\ndef b(self):\n    return 2",
        "@add_to(Value)\ndef a(self):\n    return 10",
        "def f():\n    return 'first'",
        "class Other:\n    pass",
        "def f():\n    return Other, 'last'",
    )
    names = run_all(text)
    assert names["Value"]().a() == 10 and names["f"]()[1] == "last"
    places = [text.index(f"def {name}(") for name in "azbf"]
    assert places == sorted(places)
    assert "first" not in text


def test_a_method_keeps_its_other_decorators_and_loses_that_of_the_cell():
    text = made(
        "class Value:\n    @property\n    def a(self):\n        return 1",
        "@add_to(\n    Value\n)\n@property\ndef a(self):\n    return 2",
    )
    assert text.count("@property") == 1 and "add_to" not in text
    assert run_all(text)["Value"]().a == 2


def test_a_long_string_in_a_method_is_not_indented():
    code = 'def a(self):\n    """Says\n    it."""\n    return """x\n  y"""'
    assert indented(code).splitlines()[1:] == [
        '        """Says', '        it."""', '        return """x', '  y"""',
    ]  # fmt: skip
    text = made("class Value:\n    pass", f"@add_to(Value)\n{code}")
    assert run_all(text)["Value"]().a() == "x\n  y"


def test_a_name_given_to_a_class_afterwards_stays_given():
    text = made(
        "class Value:\n    def __add__(self, other):\n        return 5",
        "Value.__radd__ = Value.__add__",
        "Value.__mul__ = Value.__rmul__ = lambda self, other: 6",
    )
    value = run_all(text)["Value"]()
    assert (1 + value, 2 * value, value * 2) == (5, 6, 6)


def test_only_what_is_needed_comes_along():
    text = made(
        "import math\nimport random\nfrom torch import nn\nSCALE = 2\nUNUSED = 3",
        "def helper(x):\n    return math.sin(x) * SCALE",
        "def unused():\n    return nn",
        "def f(x, UNUSED=1):\n    random = UNUSED\n    return helper(x) + random",
        "print(f(1))\nfor i in range(3):\n    total = i",
    )
    for absent in ("import random", "nn", "UNUSED = 3", "unused()", "print", "total"):
        assert absent not in text
    assert run_all(text)["f"](0) == 1


def test_imports_are_in_order_and_each_is_there_once():
    text = made(
        "import torch\nimport math as m\nfrom collections import Counter, deque",
        "import math as m\nfrom torch import nn",
        "def f():\n    return m.pi, Counter, deque, torch.tensor, nn",
    )
    assert text.splitlines()[:7] == [
        "import math as m",
        "from collections import Counter, deque",
        "",
        "import torch",
        "from torch import nn",
        "",
        "",
    ]


def test_marks_and_todos_are_gone_and_other_comments_stay():
    text = made(
        "def f(x):\n    # TODO: add\n    ### BEGIN SOLUTION\n    # by hand\n"
        "    return x + 1\n    ### END SOLUTION"
    )
    assert text == "def f(x):\n    # by hand\n    return x + 1"


def test_what_needs_an_absent_name_is_left_out_and_so_is_what_needs_that():
    one = Lesson(1, "toy", "Toy", "https://example.org", "5m", public=("f", "g", "h"))
    codes = [
        Code("def f():\n    return g()", "toy.f"),
        Code("def g():\n    return absent()", "toy.g"),
        Code("def h():\n    return 1", "toy.h"),
    ]
    found = module(one, codes)
    assert found.left_out == {"toy.f": "needs g", "toy.g": "needs absent"}
    assert found.missing == ("f", "g") and "def h" in found.text


def test_a_method_whose_class_is_not_there_is_left_out_and_listed():
    one = Lesson(1, "toy", "Toy", "https://example.org", "5m", public=("Value", "f"))
    codes = [
        Code("@add_to(Value)\ndef a(self):\n    return 1", "toy.a"),
        Code("def f():\n    return 1", "toy.f"),
    ]
    found = module(one, codes)
    assert found.left_out == {"toy.a": "needs Value"}
    assert found.missing == ("Value",)


def test_a_statement_knows_what_it_binds_and_what_it_reads():
    code = (
        "a, b = 1, 2\nc: int = a\nValue.d = f\nx[0] = 1\nprint(a)\n"
        "@add_to(Value)\ndef e(self, y=b):\n    z = y\n    return [z for _ in c] + g"
    )
    found = {one.names: one for one in statements(code)}
    assert list(found) == [("a", "b"), ("c",), ("d",), ("e",)]
    assert found["d",].owner == found["e",].owner == "Value"
    assert found["e",].uses == {"b", "c", "g"}


# ---------------------------------------------------------------- from the exercises


@pytest.fixture
def passes(small: SmallCourse, monkeypatch):
    """Record passes of exercises in the tracker of the small course."""
    monkeypatch.setenv("WORKBOOK_PROGRESS", str(small.root / "progress.json"))

    def record(*ids: str, version: int | None = None) -> None:
        for id in ids:
            now = known(id).version if version is None else version
            Progress.load().record_check(id, "passed", now, "hash")

    return record


ONE, TWO = "micrograd.derivative", "micrograd.gradient_by_hand"


def test_only_what_has_passed_is_exported(small: SmallCourse, passes, capsys):
    small.answer(RIGHT)
    passes(TWO)
    assert main([]) == 0
    text = (small.root / "code" / "slopes" / "slopes.py").read_text("utf-8")
    assert run_all(text)["gradient"](1.0, 0.0, 1.0) == (-3.5, 3.0, 1.0)
    assert "derivative" not in text.partition('"""\n\n')[2]
    assert capsys.readouterr().out.splitlines() == [
        "code/slopes/slopes.py: written",
        f"  left out  {ONE:<28} open",
        "  missing   derivative",
        "  try       from slopes.slopes import gradient   (in code/)",
    ]


def test_a_module_that_had_more_in_it_is_kept(small: SmallCourse, passes, capsys):
    small.answer(RIGHT)
    passes(ONE, TWO)
    assert main([]) == 0
    before = (small.root / "code" / "slopes" / "slopes.py").read_bytes()
    passes(ONE, version=0)
    capsys.readouterr()
    assert main([]) == 0
    (kept,) = (small.root / "code" / ".kept").iterdir()
    assert kept.read_bytes() == before
    assert f"code/.kept/{kept.name}, which had more in it" in capsys.readouterr().out
    assert main([]) == 0  # nothing is lost now, and nothing is kept again
    assert [*(small.root / "code" / ".kept").iterdir()] == [kept]


def test_nothing_is_written_where_nothing_has_passed(small: SmallCourse, capsys):
    for _ in (None, small.answer(RIGHT)):
        assert main([]) == 0
        assert "nothing has passed yet, nothing is written" in capsys.readouterr().out
    assert not (small.root / "code").exists()


def test_an_answer_to_an_older_check_is_left_out(small: SmallCourse, passes):
    small.answer(RIGHT)
    passes(ONE, TWO)
    passes(ONE, version=0)
    assert from_exercises(lesson(1)).left_out == {ONE: "recheck"}


def test_an_answer_that_was_reset_or_broken_since_is_left_out(
    small: SmallCourse, passes
):
    book = small.answer({TWO: "def gradient(a, b, c)\n    return 1"})
    passes(ONE, TWO)
    found = from_exercises(lesson(1))
    assert found.left_out == {
        ONE: "has passed, and is open again",
        TWO: "has passed, and is no Python now",
    }
    assert book and "TODO" not in found.text


def test_a_learners_own_cell_serves_where_an_answer_needs_it(
    small: SmallCourse, passes
):
    answer = "def derivative(f, x, h=STEP):\n    return rise(f, x, h) / (2 * h)"
    book = small.answer({ONE: answer})
    own = (
        "STEP = 1e-5\n\ndef rise(f, x, h):\n    return f(x + h) - f(x - h)",
        "def derivative(f, x):\n    return 'an experiment'",
        "def gradient(a, b, c):\n    return 'not passed'",
        "%timeit rise(abs, 1, 1)",
        "check('micrograd.derivative', derivative)",
    )
    book.cells[1:1] = [nbformat.v4.new_code_cell(code) for code in own]
    small.save(book)
    passes(ONE)
    made = from_exercises(lesson(1))
    assert made.missing == ("gradient",)
    assert "experiment" not in made.text and "check(" not in made.text
    assert run_all(made.text)["derivative"](lambda x: x * x, 3.0) == pytest.approx(6)


def test_a_method_of_the_learners_own_comes_along_where_it_is_called():
    codes = [
        Code("class Value:\n    def a(self):\n        return self.b()", "toy.a"),
        Code("@add_to(Value)\ndef b(self):\n    return 1", spare=True),
        Code("@add_to(Value)\ndef shown(self):\n    return display(self)", spare=True),
        Code("@add_to(Value)\ndef a(self):\n    return 'mine'", spare=True),
    ]
    text = made(*codes)
    assert run_all(text)["Value"]().a() == 1
    assert "shown" not in text


def test_the_real_lesson_half_done_works_as_far_as_it_goes():
    done = {
        "micrograd.value", "micrograd.local_grads", "micrograd.backward",
        "micrograd.functions",
    }  # fmt: skip
    one = lesson("micrograd")
    cells = [c for c in read(one.solution_source) if c.kind == "code"]
    ours = [c for c in cells if c.exercise in done or not c.exercise]
    found = module(one, [Code(c.text, c.exercise or "") for c in ours])
    assert found.left_out == {"micrograd.backward": "needs topological_order"}
    assert found.missing == tuple(name for name in one.public if name != "Value")
    value = run_all(found.text)["Value"]
    assert (value(2.0).exp() * 3 + 1).data == pytest.approx(3 * math.exp(2) + 1)
    assert not hasattr(value, "backward") and not hasattr(value, "__neg__")


def test_an_unreadable_notebook_is_one_sentence(small: SmallCourse, tmp_path: Path):
    small.write("exercises/01_micrograd.ipynb", "{ not JSON")
    code, said = small.command(
        "export", WORKBOOK_PROGRESS=str(tmp_path / "progress.json")
    )
    assert code == 1
    assert said.count("\n") == 1 and "cannot be read" in said
