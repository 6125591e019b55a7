"""The verdicts on the wrong answers that we have, each judged once for all tests."""

from functools import cache, partial

from answers import SAME, WRONG
from notebook import answered

from workbook.checks import known, run
from workbook.verdict import Verdict


@cache
def on_mistake(id: str, name: str) -> list[Verdict]:
    """On each form of a known mistake."""
    return [run(id, *form) for form in known(id).mistakes[name].forms()]


@cache
def on_answer(id: str, code: str) -> Verdict:
    """On an answer as a learner might write it: a cell of code."""
    return run(id, *answered(id, code))


def on_all(id: str) -> list[Verdict]:
    """On every wrong answer to an exercise."""
    listed = [on_mistake(id, name)[0] for name in known(id).mistakes]
    return listed + [on_answer(id, code) for code in _codes(id)]


def some_again(id: str) -> list[tuple[Verdict, Verdict]]:
    """Every third of them, and the same judged anew."""
    makes = [mistake.make for mistake in known(id).mistakes.values()]
    makes += [partial(answered, id, code) for code in _codes(id)]
    both = zip(on_all(id), makes, strict=True)
    return [(one, run(id, *make())) for one, make in [*both][len(id) % 3 :: 3]]


def _codes(id: str) -> list[str]:
    return [*SAME[id].values(), *WRONG[id].values()]
