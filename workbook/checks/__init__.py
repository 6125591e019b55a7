"""Checks: one module a lesson, one function an exercise, its known mistakes beside it.

`run(id, *objects)` is the door for programs; notebooks go through `workbook.check`.
How a check is written stands in `cases`; how it is asked, in `asking`; what keeps the
kernel safe meanwhile, in `guard`. An answer is judged in its own notebook first and,
where it fails there, on the given module (`rehoming`); a wrong one is compared with
the known mistakes (`recognition`) and told what came of it (`wording`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from workbook.checks import wording
from workbook.checks.asking import fingerprint, first_no
from workbook.checks.cases import (
    Case,
    Exercise,
    Mistake,
    all_exercises,
    call,
    case,
    clue,
    exercise,
    exercises,
    known,
)
from workbook.checks.guard import alone, guarded
from workbook.checks.openness import still_open
from workbook.checks.recognition import recognised
from workbook.checks.rehoming import depends, given, homes, plan, stage
from workbook.verdict import Verdict

__all__ = [
    "Case",
    "Exercise",
    "Mistake",
    "all_exercises",
    "call",
    "case",
    "clue",
    "exercise",
    "exercises",
    "given",
    "known",
    "run",
    "stage",
]

_LOOK = 1.0  # seconds for reading the objects, and for moving them
# seconds for comparing with the known mistakes, at least: to ask all of them, once in
# a kernel, takes up to three, and longer on a busy machine
_RECOGNITION = 4.0
_SHARE = 0.6  # of the time is for the notebook, where the given module may follow


def run(id: str, *objects: Any) -> Verdict:
    """Ask all questions of the check `id` about a learner's objects.

    Never raises on a wrong answer and never hangs. Returns a Verdict with `.state`
    ("open", "not yet", "passed"), `.mistake` (the id of the recognised known mistake,
    or None) and `.message`. Raises CourseError where there is no such check.
    """
    check = known(id)
    with alone():
        movable = guarded(lambda: depends(check, objects), _LOOK).value
        share = _SHARE if movable else 1.0
        start = time.monotonic()
        whole = _judge(check, objects, check.limit * share)
        if whole.passed or not movable:
            return whole
        spent = time.monotonic() - start
        left = max(check.limit - spent, (1 - share) * check.limit)
        return _better(whole, _judge_apart(check, objects, left))


def _judge_apart(
    check: Exercise, objects: tuple[Any, ...], limit: float
) -> Verdict | None:
    """Judge this exercise alone, all that it stands on being the given module's."""
    move = guarded(lambda: plan(check, objects), _LOOK).value
    if move is None:
        return None
    asked = _Asked([])
    with move.done() as moved:
        verdict = _judge(check, moved, limit, asked)
    return None if asked.stopped else verdict  # a lack of time says nothing new


def _better(whole: Verdict, apart: Verdict | None) -> Verdict:
    """The verdict that says more about this exercise."""
    if apart is None:
        return whole
    if apart.passed:
        note = "right by itself; an earlier exercise here is not right yet"
        said = [line for line in whole.lines if line[0] in ("case", "because")]
        return replace(apart, lines=(*apart.lines, ("note", note), *said))
    return whole if whole.mistake and not apart.mistake else apart


@dataclass
class _Asked:
    """What is known of an asking, even one that was stopped halfway."""

    cases: list[Case]
    recognisable: bool = False
    stopped: str = ""


def _judge(
    check: Exercise,
    objects: tuple[Any, ...],
    limit: float,
    asked: _Asked | None = None,
) -> Verdict:
    asked = asked or _Asked([])
    around = guarded(lambda: homes(objects), _LOOK).value
    outcome = guarded(lambda: _verdict(check, objects, asked), limit, around)
    verdict, asked.stopped = outcome.value, outcome.stopped
    if verdict is None or outcome.stopped:
        saying = guarded(lambda: wording.stopped(check, asked.cases, outcome), _LOOK)
        verdict = saying.value or wording.not_yet(check)
    elif asked.recognisable:
        verdict = _recognised(check, objects, verdict, around)
    return replace(verdict, printed=outcome.printed)


def _verdict(check: Exercise, objects: tuple[Any, ...], asked: _Asked) -> Verdict:
    """Runs in the learner's thread, since all of it may touch the learner's objects."""
    if problem := _unfit(check, objects):
        return problem
    no = first_no(check, objects, asked.cases)
    if no is None:
        return wording.passed(check, len(asked.cases))
    if found := still_open(check, objects, no, len(asked.cases) <= 1):
        return wording.still_open(check, found, len(asked.cases) - 1)
    asked.recognisable = no.kind in ("raised", "empty", "different")
    return wording.no(check, objects, no)


def _unfit(check: Exercise, objects: tuple[Any, ...]) -> Verdict | None:
    """Open or not yet, where the objects are not what the check can ask."""
    if len(objects) != len(check.names):
        return wording.miscounted(check, objects)
    for name, what, thing in zip(check.names, check.kinds, objects, strict=True):
        if thing is None or thing is ...:
            return wording.still_open(check)
        is_class = issubclass(type(thing), type)
        if not (is_class if what == "class" else callable(thing)):
            return wording.wrong_kind(check, name, thing)
    methods = [part for part in check.parts if not part.startswith("__")]
    gone = [part for part in methods if not hasattr(objects[0], part)]
    every = [part for part in check.parts if not hasattr(objects[0], part)]
    return wording.missing(check, every) if gone else None


def _recognised(
    check: Exercise, objects: tuple[Any, ...], verdict: Verdict, around: Any
) -> Verdict:
    """The same verdict, with the known mistake that gives the same answers."""

    def look() -> Mistake | None:
        return recognised(check, fingerprint(check, objects))

    match = guarded(look, max(_RECOGNITION, check.limit / 2), around).value
    if match is None:
        return verdict
    return replace(verdict, lines=wording.looks_as(verdict, match), mistake=match.id)
