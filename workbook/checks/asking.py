"""Asks a learner's objects the cases of a check, in order, until the first no."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import CoroutineType
from typing import Any

from workbook.checks.anatomy import HEAP
from workbook.checks.cases import Case, Exercise
from workbook.checks.printing import Flood
from workbook.checks.stopping import TimeUp
from workbook.checks.surroundings import Shared
from workbook.compare import ALIKE, Said, Tolerance, difference, is_array, same


@dataclass(frozen=True)
class No:
    """The first no: at which case, of what kind, and what there is to say about it.

    `detail` is the exception ("raised"), the Difference ("different", "empty",
    "changed"), or the names that were replaced ("meddled").
    """

    kind: str
    case: Case | None
    detail: Any
    value: Any = None


def first_no(check: Exercise, objects: tuple[Any, ...], asked: list[Case]) -> No | None:
    """Ask until the first no; `asked` receives the cases as they are asked.

    Each case is asked twice, and once more after all others: an answer that depends
    on what was asked before it is no answer.
    """
    try:
        cases = [one for one in check.ask(*objects) if not one.clue]
    except (TimeUp, Flood):
        raise
    except BaseException as error:
        return No("raised", None, error)
    shared = Shared()
    for asking in (_ask(one, shared) for one in _noted(cases, asked)):
        if asking:
            return asking
    repeatable = [one for one in reversed(cases) if not one.once]
    return next(filter(None, (_ask_again(one) for one in repeatable)), None)


def _noted(cases: list[Case], asked: list[Case]) -> Iterator[Case]:
    for one in cases:
        asked.append(one)
        yield one


def _ask(one: Case, shared: Shared) -> No | None:
    value, error = tried(one.act)
    meddled = shared.put_back()
    if error is not None:
        return No("raised", one, error)
    if gap := difference(one.expects, value, one.within):
        return No("empty" if _is_nothing(value) else "different", one, gap, value)
    if meddled:
        return No("meddled", one, meddled)
    return None if one.once else _ask_again(one)


def _ask_again(one: Case) -> No | None:
    """A no, where the answer was right before and is not any more."""
    value, error = tried(one.act)
    if error is not None:
        return No("raised", one, error)
    if gap := difference(one.expects, value, one.within):
        return No("changed", one, gap)
    return None


def tried(act: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What came of an act, an exit included."""
    try:
        value = act()
    except (TimeUp, Flood):
        raise
    except BaseException as error:
        return None, error
    if type(value) is CoroutineType:
        value.close()  # or Python complains later that nobody awaited it
    return value, None


def _is_nothing(value: Any) -> bool:
    return value is None or value is ... or value is NotImplemented


# ---------------------------------------------------------------- fingerprints


@dataclass(frozen=True)
class Raised:
    """An exception as an answer."""

    type: str
    text: str


@dataclass(frozen=True)
class Answers:
    """What was answered to the cases, and which of the judged ones are wrong."""

    cases: tuple[Case, ...]
    values: tuple[Any, ...]
    wrong: tuple[int, ...]


def fingerprint(check: Exercise, objects: tuple[Any, ...]) -> Answers:
    """The answers to all cases that are the same in each run, right or wrong.

    The long ones come last, and only as long as everything is right.
    """
    shared, values, wrong = Shared(), [], []
    cases = [one for one in check.ask(*objects) if not one.fresh]
    cases.sort(key=lambda one: one.once)
    for place, one in enumerate(cases):
        if one.once and wrong:
            break
        value, error = tried(one.act)
        shared.put_back()
        values.append(_told(error) if error is not None else _plain(value))
        if not one.clue and not is_right(one, values[-1]):
            wrong.append(place)
    return Answers(tuple(cases), tuple(values), tuple(wrong))


def _told(error: BaseException) -> Raised:
    text = ""
    if not isinstance(error, RecursionError):  # its text says where, not why
        with suppress(Exception):
            text = str(error).partition("\n")[0]
    return Raised(type(error).__name__, text)


def _plain(value: Any) -> Any:
    """An observation with objects that hold a number told by name and number."""
    for plain in (list, tuple):
        if issubclass(type(value), plain):
            return plain(_plain(v) for v in plain.__iter__(value))
    if type(value) is dict:
        return {key: _plain(v) for key, v in value.items()}
    if is_array(value):
        return _frozen(value)
    if type(value).__flags__ & HEAP and not isinstance(value, Said):
        return [type(value).__name__, _number(value)]
    return value


def _frozen(array: Any) -> Any:
    """An array as it is now: the learner's code may go on writing into it."""
    try:
        return array.detach().clone() if hasattr(array, "detach") else array.copy()
    except Exception:
        return array


def _number(value: Any) -> Any:
    try:
        return value.data
    except Exception:
        return None


def is_right(one: Case, value: Any) -> bool:
    if isinstance(value, Raised):
        return False
    return difference(one.expects, value, one.within) is None


def is_alike(one: Any, other: Any, within: Tolerance = ALIKE) -> bool:
    """Whether two answers are the same, exceptions by their type and text."""
    if isinstance(one, Raised) or isinstance(other, Raised):
        return one == other
    return same(one, other, within)
