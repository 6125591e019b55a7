"""Recognises a known mistake by what it answers, however it is written.

A mistake is the learner's when it gives the same answers. Where a learner made two
mistakes, or chose another number, not all answers are the same; then it takes more:
everything that shows the mistake must show in the learner's answers as well. In doubt
nothing is recognised, since a wrong accusation costs more than a missing one.
"""

from dataclasses import dataclass
from functools import cache

from workbook.checks.asking import Answers, Raised, fingerprint, is_alike
from workbook.checks.cases import Exercise, Mistake, known
from workbook.compare import ALIKE, Tolerance

_NEARLY = Tolerance(0.05, 1e-6, "the same mistake with another step size")


def recognised(check: Exercise, mine: Answers) -> Mistake | None:
    """The known mistake that explains these answers, or None."""
    if not mine.wrong:
        return None
    theirs = [form for name in check.mistakes for form in _forms_of(check.id, name)]
    for rule in (_all_alike, _telling, _explains, _same_pattern):
        fitting = [form for form in theirs if rule(mine, form.answers)]
        names = [form.mistake for form in _by_clues(fitting, mine)]
        if names:
            sure = rule is _all_alike or len(set(names)) == 1
            return check.mistakes[names[0]] if sure else None
    return None


@dataclass(frozen=True)
class _Form:
    """What one form of a mistake answers."""

    mistake: str
    answers: Answers


@cache
def _forms_of(id: str, mistake: str) -> list[_Form]:
    check = known(id)
    made = check.mistakes[mistake].forms()
    return [_Form(mistake, fingerprint(check, objects)) for objects in made]


def _alike(
    places: tuple[int, ...], mine: Answers, theirs: Answers, within: Tolerance = ALIKE
) -> bool:
    asked = min(len(mine.values), len(theirs.values))
    return all(
        i < asked and is_alike(mine.values[i], theirs.values[i], within) for i in places
    )


def _all_alike(mine: Answers, theirs: Answers) -> bool:
    """Wrong in the same places, in the same way."""
    return mine.wrong == theirs.wrong and _alike(mine.wrong, mine, theirs)


def _telling(mine: Answers, theirs: Answers) -> bool:
    """The same answer to a case whose wrong answers name their mistake.

    It is the first that is wrong, or stands behind one that is wrong in both.
    """
    told = tuple(i for i in mine.wrong if mine.cases[i].telling)[:1]
    ahead = told == mine.wrong[:1] or mine.wrong[:1] == theirs.wrong[:1]
    return bool(told) and ahead and _alike(told, mine, theirs)


def _explains(mine: Answers, theirs: Answers) -> bool:
    """All that the mistake gets wrong is wrong in the same way, and the first no is."""
    if mine.wrong[:1] != theirs.wrong[:1]:
        return False
    return _alike(theirs.wrong, mine, theirs) and _is_told(theirs.wrong, mine)


def _same_pattern(mine: Answers, theirs: Answers) -> bool:
    """Wrong in the same places: first in the same way, then nearly so."""
    first = mine.wrong[:1]
    if mine.wrong != theirs.wrong or not _alike(first, mine, theirs):
        return False
    return _alike(mine.wrong, mine, theirs, _NEARLY) and _is_told(first, mine)


def _is_told(places: tuple[int, ...], mine: Answers) -> bool:
    """Whether there is more among the answers than exceptions, which say little."""
    return any(not isinstance(mine.values[i], Raised) for i in places)


def _by_clues(fitting: list[_Form], mine: Answers) -> list[_Form]:
    """Those of several that agree in the observations that are not judged."""
    clues = tuple(i for i, one in enumerate(mine.cases) if one.clue)
    closer = [form for form in fitting if _alike(clues, mine, form.answers)]
    return closer or fitting
