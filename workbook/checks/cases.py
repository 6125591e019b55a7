"""What a check is made of: cases, known mistakes, and the exercise that holds both.

An exercise's check is a generator of cases. Each case says what a learner could type,
does it with the learner's object, and names what must come out:

    @exercise("bigram.counts")
    def counts(count_bigrams):
        yield call(count_bigrams, ["ab"], expects=table)

    @counts.mistake("swapped", "Rows and columns are swapped.")
    def swapped(words): ...
"""

import copy
import inspect
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from types import FunctionType
from typing import Any

from workbook.compare import FLOAT64, Tolerance, same, show
from workbook.course import CourseError, course, lesson


@dataclass
class Case:
    """One question: what could be typed, the act, and what must come out of it."""

    text: str
    act: Callable[[], Any]
    expects: Any
    within: Tolerance = FLOAT64
    says: str = ""  # a sentence for when the answer is no
    once: bool = False  # long: asked once, and not used to recognise a mistake
    fresh: bool = False  # has new random numbers in each run, so that none can be known
    telling: bool = False  # a wrong answer to it has one known mistake as its reason
    clue: bool = False  # asked only to recognise a mistake: any answer will do


def case(text: str, act: Callable[[], Any], expects: Any, **options: Any) -> Case:
    """A case that does anything at all, described by `text`."""
    return Case(text, act, expects, **options)


def clue(text: str, act: Callable[[], Any]) -> Case:
    """An observation that is not judged, and tells mistakes apart."""
    return Case(text, act, None, clue=True)


def call(function: Any, *args: Any, expects: Any, **options: Any) -> Case:
    """A case that calls the learner's function, on copies that must stay unchanged."""
    text = f"{name_of(function)}({', '.join(_argument(a) for a in args)})"

    def act() -> Any:
        given = copy.deepcopy(args)
        result = function(*given)
        for before, after in zip(args, given, strict=True):
            if not callable(before) and not same(_held(before), _held(after)):
                raise Mutated(f"{show(before)} became {show(after)}")
        return result

    return Case(text, act, expects, **options)


def _held(value: Any) -> Any:
    """A value, or what an object holds that is equal to no copy of itself."""
    plain = type(value).__eq__ is not object.__eq__
    return value if plain else getattr(value, "__dict__", None)


def name_of(function: Any) -> str:
    """The name that a function can be called by; "answer" where it has none."""
    name = getattr(function, "__name__", None)
    usual = type(name) is str and name.isidentifier() and name != "_"
    return name if usual else "answer"


def _argument(value: Any) -> str:
    if not callable(value):
        return show(value)
    home = "math." if getattr(value, "__module__", "") == "math" else ""
    return home + value.__name__


class Mutated(Exception):
    """The learner's function changed what it was given."""


Make = Callable[[], tuple[Any, ...]]  # makes the objects of an answer


def _no_others(make: Make) -> Iterator[tuple[Any, ...]]:
    return iter(())


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners give: an id, one sentence, the answer itself.

    `others` makes further forms of it, such as the mistake in one method of two.
    """

    id: str
    sentence: str
    make: Make
    others: Callable[[Make], Iterator[tuple[Any, ...]]] = _no_others

    def forms(self) -> Iterator[tuple[Any, ...]]:
        yield self.make()
        yield from self.others(self.make)


Ask = Callable[..., Iterator[Case]]


@dataclass
class Exercise:
    """An exercise as its check sees it."""

    id: str
    ask: Ask
    version: int  # raised when the check changes what it accepts
    limit: float  # seconds
    parts: tuple[str, ...] = ()  # the methods it adds to a class that grows
    names: tuple[str, ...] = ()  # of the objects; a class has a capital
    stands_on: dict[str, Any] = field(default_factory=dict)
    helpers: tuple[str, ...] = ()  # names of its own cells that are not handed over
    mistakes: dict[str, Mistake] = field(default_factory=dict)
    skeletons: list[FunctionType] = field(default_factory=list)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each object is: "class" or "function"."""
        return tuple("class" if n[0].isupper() else "function" for n in self.names)

    @property
    def lesson(self) -> str:
        return self.id.partition(".")[0]

    def skeleton(self, given: FunctionType) -> FunctionType:
        """Record a function as it is given, its TODO taken out and nothing put in."""
        self.skeletons.append(given)
        return given

    def mistake(
        self, name: str, sentence: str, several: bool = False, others: Any = _no_others
    ) -> Callable:
        """Record a wrong answer. With `several`, the function makes all objects."""

        def put(wrong: Any) -> Any:
            make = wrong if several else lambda: (wrong,)
            self.mistakes[name] = Mistake(name, sentence, make, others)
            return wrong

        return put

    def table(
        self, rights: Callable[[], tuple], table: dict[str, tuple[Any, ...]]
    ) -> None:
        """Mistakes by name: a sentence, and forms in which None stands for right."""
        for name, (sentence, *forms) in table.items():
            make = partial(_in_place, rights, forms[0])
            more = [partial(_in_place, rights, form) for form in forms[1:]]
            self.mistake(name, sentence, True, partial(_each, more))(make)


def _in_place(rights: Callable[[], tuple], form: Any) -> tuple:
    """The right objects, but for those that a form has another one for."""
    form = form if isinstance(form, tuple) else (form,)
    pairs = zip(rights(), form, strict=True)
    return tuple(right if wrong is None else wrong for right, wrong in pairs)


def _each(more: list[Make], _: Make) -> Iterator[tuple[Any, ...]]:
    return (make() for make in more)


def new_seed() -> int:
    """A seed that nobody can know."""
    return random.Random().randrange(10**6)


_known: dict[str, Exercise] = {}


def exercise(
    id: str,
    *,
    version: int = 1,
    limit: float = 3.0,
    parts: tuple[str, ...] = (),
    stands_on: dict[str, Any] | None = None,
    helpers: tuple[str, ...] = (),
) -> Callable[[Ask], Exercise]:
    """Decorator: make the generator of cases the check of the exercise `id`.

    A parameter whose name is capitalised takes a class, any other a function.
    `parts` names the methods that the exercise adds to a class of several exercises.
    `stands_on` has right answers to earlier exercises that the given module lacks,
    since nothing public needs them. `helpers` are names that the exercise's own cells
    define and the check does not take: they stay the learner's while it is judged.
    """

    def put(ask: Ask) -> Exercise:
        names = tuple(inspect.signature(ask).parameters)
        _known[id] = Exercise(
            id, ask, version, limit, parts, names, dict(stands_on or {}), helpers
        )
        return _known[id]

    return put


def known(id: str) -> Exercise:
    """The check of an exercise; CourseError where there is none."""
    found = exercises(lesson(id).slug)
    if id not in found:
        raise CourseError(f"There is no check {id!r}. There are: {', '.join(found)}.")
    return found[id]


@cache
def exercises(slug: str) -> dict[str, Exercise]:
    """All checks of a lesson, in the order of the course; empty if it has none yet."""
    try:
        import_module(f"workbook.checks.{slug}")
    except ModuleNotFoundError as missing:
        if missing.name != f"workbook.checks.{slug}":
            raise
    return {id: one for id, one in _known.items() if one.lesson == slug}


def all_exercises() -> dict[str, Exercise]:
    """All checks of the course."""
    return {i: e for one in course().lessons for i, e in exercises(one.slug).items()}
