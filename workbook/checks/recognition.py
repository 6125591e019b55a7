"""Recognises a known mistake by what it answers, however it is written.

A mistake is the learner's when it gives the same answers. Where a learner made two
mistakes, or chose another number, not all answers are the same; then it takes more:
everything that shows the mistake must show in the learner's answers as well. In doubt
nothing is recognised, since a wrong accusation costs more than a missing one.
"""

from functools import cache
from typing import Any

from workbook.checks.asking import Raised, fingerprint, is_alike, is_right
from workbook.checks.cases import Case, Exercise, Mistake, known

Told = list[tuple[Case, Any]]


def recognised(check: Exercise, told: Told) -> Mistake | None:
    """The known mistake that explains these answers, or None."""
    known_by = {m.id: _answers_of(check.id, m.id) for m in check.mistakes.values()}
    for rule in (_all_alike, _explains, _same_pattern):
        fitting = [id for id, theirs in known_by.items() if rule(told, theirs)]
        fitting = _by_clues(fitting, told, known_by)
        if fitting:
            one = rule is _all_alike or len(fitting) == 1
            return check.mistakes[fitting[0]] if one else None
    return None


@cache
def _answers_of(id: str, mistake: str) -> Told:
    check = known(id)
    return fingerprint(check, check.mistakes[mistake].make())


def _wrong(told: Told) -> list[int]:
    """The places of the judged answers that are not right."""
    return [
        i
        for i, (one, value) in enumerate(told)
        if not one.clue and not is_right(one, value)
    ]


def _alike_at(places: list[int], told: Told, theirs: Told) -> bool:
    return all(is_alike(told[i][1], theirs[i][1]) for i in places)


def _all_alike(told: Told, theirs: Told) -> bool:
    """Wrong in the same places, in the same way."""
    places = _wrong(theirs)
    return places == _wrong(told) and _alike_at(places, told, theirs)


def _explains(told: Told, theirs: Told) -> bool:
    """All that the mistake gets wrong is wrong in the same way, and the first no is."""
    places, wrong = _wrong(theirs), _wrong(told)
    if not places or not wrong or places[0] != wrong[0]:
        return False
    return _alike_at(places, told, theirs) and _is_telling(places, told)


def _same_pattern(told: Told, theirs: Told) -> bool:
    """Wrong in the same places, the first of them in the same way."""
    places = _wrong(theirs)
    if not places or places != _wrong(told) or not _alike_at(places[:1], told, theirs):
        return False
    return _is_telling(places[:1], told)


def _is_telling(places: list[int], told: Told) -> bool:
    """Whether there is an answer among them that only its mistake would give."""
    return any(not isinstance(told[i][1], Raised) for i in places)


def _by_clues(fitting: list[str], told: Told, known_by: dict[str, Told]) -> list[str]:
    """Those of several that agree in the observations that are not judged."""
    clues = [i for i, (one, _) in enumerate(told) if one.clue]
    closer = [id for id in fitting if _alike_at(clues, told, known_by[id])]
    return closer or fitting
