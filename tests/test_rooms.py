"""The rooms of the package: who may import whom, and what an import may cost."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbook
from workbook.course import course

PACKAGE = Path(__file__).resolve().parents[1] / "workbook"

ROOMS = {
    "door": {"__init__"},
    "facts": {"course", "data", "download", "source"},
    "ruler": {"compare", "verdict"},
    "checks": {"checks"},
    "given": {"given"},
    "desk": {
        "card", "desk", "explore", "front", "frontlive", "hints", "live",
        "predictions", "progress", "style", "tracker",
    },
    "bench": {"bench", "__main__"},
}  # fmt: skip

# Each room, and the rooms whose modules it may import.
MAY_IMPORT = {
    "door": {"door"},
    "facts": {"door", "facts"},
    "ruler": {"door", "facts", "ruler"},
    "checks": {"door", "facts", "ruler", "checks"},
    "given": set(),
    "desk": {"door", "facts", "ruler", "checks", "desk"},
    "bench": {"door", "facts", "ruler", "checks", "desk", "given", "bench"},
}
LIGHT = ("facts", "ruler", "checks")
# What judges tensors brings torch; it is loaded when its lesson's checks are asked for.
TENSORS = {f"{one.slug}.py" for one in course().lessons[1:]} | {
    "tensors.py",
    "gpt_beyond.py",
}
HEAVY = (
    "torch",
    "matplotlib",
    "jupytext",
    "IPython",
    "ipywidgets",
    "nbformat",
    "numpy",
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    """The module or folder right under the package: `checks` for checks/guard.py."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def room(name: str) -> str:
    found = [room for room, names in ROOMS.items() if name in names]
    assert found, f"workbook/{name} belongs to no room: say so in {Path(__file__).name}"
    return found[0]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and part of the package of each import; nothing for what is not ours."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: write the whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for package, *rest in (name.split(".") for name in names):
            if package == "workbook":
                ours = rest and (
                    (PACKAGE / rest[0]).is_dir() or (PACKAGE / f"{rest[0]}.py").exists()
                )
                yield node.lineno, rest[0] if ours else "__init__"


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_a_room_imports_only_what_lies_before_it(name):
    paths = [path for path in modules() if room(part(path)) == name]
    assert paths
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {ours}"
        for path in paths
        for line, ours in imported(path)
        if room(ours) not in MAY_IMPORT[name]
    ]
    assert wrong == []


def test_nothing_but_the_commands_names_the_bench():
    for path in modules():
        if room(part(path)) != "bench":
            text = path.read_text("utf-8")
            assert "workbook.bench" not in text, path.name


def test_every_module_has_a_room_and_every_room_its_modules():
    there = {part(path) for path in modules()}
    assert there == set().union(*ROOMS.values())


@pytest.mark.parametrize("name", LIGHT)
def test_the_light_rooms_bring_nothing_heavy(name):
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in modules()
        if room(part(path)) == name and path.name not in TENSORS
    ]
    assert loaded(*(n.removesuffix(".__init__") for n in names)) == []


def test_the_package_itself_brings_nothing_heavy_and_none_of_its_rooms():
    assert loaded("workbook") == []
    assert loaded("workbook", "__main__", among=("workbook.course", "tomllib")) == []


def test_reading_exercises_and_their_hints_brings_nothing_heavy():
    call = "workbook.hints; workbook.hints.hint_text('micrograd.value', 1)"
    assert loaded(call) == []


def loaded(*names: str, among: tuple[str, ...] = HEAVY) -> list[str]:
    """Which of some modules are there after a fresh Python has imported `names`."""
    code = "\n".join(f"import {name}" for name in names if name != "__main__")
    code += f"\nimport sys; print(*(n for n in {among!r} if n in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


# ---------------------------------------------------------------- taste


def functions() -> list[tuple[int, str]]:
    return [
        ((node.end_lineno or 0) - node.lineno + 1, f"{path.name}: {node.name}")
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_function_is_longer_than_a_page():
    assert [name for length, name in functions() if length > 60] == []


def test_half_of_the_functions_are_a_glance():
    assert statistics.median(length for length, _ in functions()) <= 8


def test_no_module_is_a_drawer():
    assert not {"utils", "helpers", "common", "misc"} & {p.stem for p in modules()}


def test_every_module_opens_by_saying_what_it_adds():
    silent = [
        path.relative_to(PACKAGE).as_posix()
        for path in modules()
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_no_door_hides_a_module():
    assert not {path.stem for path in modules()} & set(workbook.__all__)
