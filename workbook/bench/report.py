"""What `make check` says of a learner's exercises."""

import json
from pathlib import Path

import nbformat

from workbook.bench.build import code_of, notebook
from workbook.bench.merge import fingerprint
from workbook.course import Lesson, root
from workbook.source import exercises
from workbook.verdict import NOT_YET, OPEN, PASSED

NOT_RUN = "its cell or its check does not run: open the notebook and run both"


def learners_report(lessons: list[Lesson], log: Path) -> bool:
    """Print one line for each lesson, and each failing answer; whether none fails."""
    verdicts = _verdicts(log)
    right = True
    for one in lessons:
        if one.exercise.exists() and exercises(one.slug):
            right &= _lesson(one, verdicts)
    return right


def _verdicts(log: Path) -> dict[str, dict]:
    """The last verdict on each exercise."""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    return {one["exercise"]: one for one in map(json.loads, lines)}


def _lesson(one: Lesson, verdicts: dict[str, dict]) -> bool:
    begun = started(one)
    states: dict[str, list[str]] = {PASSED: [], NOT_YET: [], OPEN: []}
    for id in exercises(one.slug):
        states[_state(id, begun, verdicts)].append(id)
    name = one.exercise.relative_to(root()).as_posix()
    counts = ", ".join(f"{len(ids)} {state}" for state, ids in states.items())
    print(f"{name}: {counts}")
    for id in states[NOT_YET]:
        message = verdicts.get(id, {}).get("message") or f"{id}  not yet\n  {NOT_RUN}"
        print("\n".join(f"  {line}" for line in message.splitlines()))
    if states[OPEN] and len(states[OPEN]) < len(exercises(one.slug)):
        print(f"  open: {', '.join(states[OPEN])}")
    return not states[NOT_YET]


def _state(id: str, begun: set[str], verdicts: dict[str, dict]) -> str:
    """The verdict's state; a started answer that was never judged is not yet right."""
    state = verdicts.get(id, {}).get("state")
    if state is None:
        return NOT_YET if id in begun else OPEN
    return state


def started(one: Lesson) -> set[str]:
    """The exercises whose TODO cells the learner has changed."""
    try:
        theirs = code_of(nbformat.read(one.exercise, as_version=4))
    except Exception:  # told already, by the part that runs them
        return set()
    stubs = code_of(notebook(one.exercise_source))
    return {
        id
        for id, code in theirs.items()
        if fingerprint(code) != fingerprint(stubs.get(id, code))
    }
