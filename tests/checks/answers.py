"""The answers that we have, of all lessons: each `answers_*.py` beside this file.

An answer is a cell of code, run after the solutions' cells up to its exercise, and so
replaces as much of the solution as it defines. The tables of each file:

RIGHT       must pass
SAME        repeats known mistakes in other words, and must be recognised as these
WRONG       is on no list: it must not pass, nor be taken for a known mistake, unless
APT         says which one fits it as well
EQUIVALENT  mutants of the solutions that no check can or should tell apart, and why;
            "any" where an answer is so free that most of its mutants are answers too
LISTED      the wrong answers that were collected for the lesson, by number
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from workbook.checks import exercises

_STEMS = sorted(path.stem for path in Path(__file__).parent.glob("answers_*.py"))
SLUGS = [stem.removeprefix("answers_") for stem in _STEMS]
_MODULES = {slug: import_module(f"answers_{slug}") for slug in SLUGS}


def _joined(name: str) -> dict[Any, Any]:
    """One table of all lessons."""
    return {k: v for one in _MODULES.values() for k, v in getattr(one, name).items()}


RIGHT: dict[str, dict[str, str]] = _joined("RIGHT")
SAME: dict[str, dict[str, str]] = _joined("SAME")
WRONG: dict[str, dict[str, str]] = _joined("WRONG")
APT: dict[tuple[str, str], str] = _joined("APT")
EQUIVALENT: dict[str, dict[str, str]] = _joined("EQUIVALENT")
LISTED = [entry for one in _MODULES.values() for entry in one.LISTED.values()]
IDS = [id for slug in SLUGS for id in exercises(slug)]
