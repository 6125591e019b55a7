"""`make results`: the headline numbers, ours beside the published ones.

A measurement that is done is remembered in `build/results.json`, so that a run that
was stopped goes on where it was; `--fresh` measures anew.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from workbook.bench.running import progress
from workbook.course import Lesson, Result, course, lesson, root

Measure = Callable[[bool], Iterator[float]]


@dataclass(frozen=True)
class Measurement:
    """A run that yields one number for each of its ids."""

    ids: tuple[str, ...]
    run: Measure


_measurements: dict[str, Measurement] = {}


def measurement(*ids: str) -> Callable[[Measure], Measure]:
    """Decorator: the function measures these results of course.toml, in this order."""

    def put(run: Measure) -> Measure:
        _measurements[ids[0]] = Measurement(ids, run)
        return run

    return put


def main(argv: list[str]) -> int:
    """Measure, print the table, write RESULTS.md; 1 where a full run misses a bound."""
    parser = argparse.ArgumentParser(prog="make results", add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--lesson")
    options = parser.parse_args(argv)
    lessons = [lesson(options.lesson)] if options.lesson else list(course().lessons)
    store = _Store(root() / "build" / "results.json", options.quick, options.fresh)
    for one in progress(_planned(lessons), "measuring"):
        store.add(one)
    text = table(store.found, options.quick)
    print(text)
    if not options.quick and not options.lesson:
        (root() / "RESULTS.md").write_text(page(text), "utf-8")
        print("Written to RESULTS.md.")
    found = {_result(id): v["value"] for id, v in store.found.items() if v}
    outside = [result for result, value in found.items() if not _within(result, value)]
    return int(bool(outside) and not options.quick)


def _planned(lessons: list[Lesson]) -> list[Measurement]:
    """The measurements of some lessons, in the order of the course."""
    for one in lessons:
        if (Path(__file__).parent / "measure" / f"{one.slug}.py").exists():
            import_module(f"workbook.bench.measure.{one.slug}")
    slugs = [one.slug for one in lessons]
    return [m for m in _measurements.values() if m.ids[0].partition(".")[0] in slugs]


class _Store:
    """Numbers measured so far, by id: value and CPU seconds; None without a GPU."""

    def __init__(self, path: Path, quick: bool, fresh: bool):
        self.path, self.quick, self.fresh = path, quick, fresh
        self.found: dict[str, dict[str, float] | None] = {}
        self.known = self._all().get(self._kind, {})

    def _all(self) -> dict[str, dict[str, dict[str, float]]]:
        return json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}

    @property
    def _kind(self) -> str:
        return "quick" if self.quick else "full"

    def add(self, one: Measurement) -> None:
        if self.fresh or not set(one.ids) <= self.known.keys():
            if any(_result(id).gpu for id in one.ids) and not _has_gpu():
                self.found |= dict.fromkeys(one.ids)
                return
            began = time.process_time()
            values = list(one.run(self.quick))
            seconds = time.process_time() - began
            for id, value in zip(one.ids, values, strict=True):
                self.known[id] = {"value": value, "seconds": seconds}
            self._save()
        self.found |= {id: self.known[id] for id in one.ids}

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._all() | {self._kind: self.known}, indent=1)
        part = self.path.with_suffix(".part")
        part.write_text(text, "utf-8")
        os.replace(part, self.path)


def _has_gpu() -> bool:
    return import_module("torch").cuda.is_available()


def _result(id: str) -> Result:
    return next(r for r in lesson(id.partition(".")[0]).results if r.id == id)


def _within(result: Result, value: float) -> bool:
    over = value - result.value
    return (over if result.at_most else abs(over)) <= result.tolerance


def table(found: dict[str, dict[str, float] | None], quick: bool = False) -> str:
    """The table in Markdown: published, ours, tolerance, CPU seconds, source.

    A quick run is too short for most published values: it says so, and blames nobody.
    """
    head = "| result | published | ours | tolerance | | CPU s | source |\n"
    rows = "".join(_row(_result(id), quick, numbers) for id, numbers in found.items())
    return head + "|---|--:|--:|--:|---|--:|---|\n" + rows


def _row(result: Result, quick: bool, numbers: dict[str, float] | None) -> str:
    missed = "short run" if quick else "**outside**"
    unit = f" {result.unit}".rstrip()
    least = "≤ " if result.at_most else ""
    ours, word, seconds = "", "needs a GPU", ""
    if numbers:
        ours, seconds = f"{numbers['value']:.10g}{unit}", f"{numbers['seconds']:.1f}"
        word = "within" if _within(result, numbers["value"]) else missed
    return (
        f"| {result.what} | {least}{result.value:.10g}{unit} | {ours} "
        f"| {result.tolerance:g} | {word} | {seconds} | {result.source} |\n"
    )


def page(text: str) -> str:
    """RESULTS.md: the table, the machine, the versions."""
    return (
        "# Results\n\nMade by `make results`: full budgets, the real data. "
        "Seconds are process time.\n\n"
        f"{text}\n{_machine()}\n"
    )


def _machine() -> str:
    versions: dict[str, Any] = {"Python": platform.python_version()}
    for name in ("torch", "numpy"):
        versions[name] = import_module(name).__version__
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    cores = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    return f"Measured on {date.today()} with {said}, on {cores}."
