"""Checks: one module a lesson, one function an exercise, its known mistakes beside it.

A check is a generator of cases. Each case says what a learner could type, does it
with the learner's object, and names what must come out:

    @exercise("bigram.counts")
    def counts(count_bigrams):
        yield call(count_bigrams, ["ab"], expects=table)

    @counts.mistake("swapped", "Rows and columns are swapped.")
    def swapped(words): ...

Cases are asked in order and the first no ends the check. The outcomes are then
compared with those of the known mistakes: a mistake that gives the same answers is
the learner's, however it is written.

`run(id, *objects)` is the door for programs; notebooks go through `workbook.check`.
"""

import copy
import inspect
import linecache
import traceback as tracebacks
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from workbook.checks.guard import Flood, Outcome, guarded
from workbook.compare import FLOAT64, Tolerance, difference, same, show
from workbook.course import course, lesson
from workbook.verdict import NOT_YET, OPEN, PASSED, Verdict

__all__ = ["Case", "call", "case", "exercise", "exercises", "known", "run"]

_PACKAGE = str(Path(__file__).resolve().parents[1])


# ---------------------------------------------------------------- what a check says


@dataclass
class Case:
    """One question: what could be typed, the act, and what must come out of it."""

    text: str
    act: Callable[[], Any]
    expects: Any
    within: Tolerance = FLOAT64
    says: str = ""  # a sentence for when the answer is no
    once: bool = False  # a long run: not repeated, not used to recognise a mistake


def case(text: str, act: Callable[[], Any], expects: Any, **options: Any) -> Case:
    """A case that does anything at all, described by `text`."""
    return Case(text, act, expects, **options)


def call(function: Any, *args: Any, expects: Any, **options: Any) -> Case:
    """A case that calls the learner's function, on copies that must stay as they are."""
    name = getattr(function, "__name__", "answer")
    text = f"{name}({', '.join(_argument(a) for a in args)})"

    def act() -> Any:
        given = copy.deepcopy(args)
        result = function(*given)
        for before, after in zip(args, given, strict=True):
            if not callable(before) and not same(before, after):
                raise _Mutated(f"{show(before)} became {show(after)}")
        return result

    return Case(text, act, expects, **options)


def _argument(value: Any) -> str:
    return getattr(value, "__name__", None) or show(value)


class _Mutated(Exception):
    """The learner's function changed what it was given."""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners give: an id, one sentence, the answer itself."""

    id: str
    sentence: str
    make: Callable[[], tuple[Any, ...]]


Ask = Callable[..., Iterator[Case]]


@dataclass
class Exercise:
    """An exercise as its check sees it."""

    id: str
    ask: Ask
    version: int  # raised when the check changes what it accepts
    limit: float  # seconds
    parts: tuple[str, ...] = ()  # the methods it adds to a class that grows
    kinds: tuple[str, ...] = ()  # "function" or "class", one for each object
    mistakes: dict[str, Mistake] = field(default_factory=dict)

    def mistake(self, name: str, sentence: str, several: bool = False) -> Callable:
        """Record a wrong answer. With `several`, the function makes all objects."""

        def put(wrong: Any) -> Any:
            make = wrong if several else lambda: (wrong,)
            self.mistakes[name] = Mistake(name, sentence, make)
            return wrong

        return put


_known: dict[str, Exercise] = {}


def exercise(
    id: str, *, version: int = 1, limit: float = 5.0, parts: tuple[str, ...] = ()
) -> Callable[[Ask], Exercise]:
    """Decorator: make the generator of cases the check of the exercise `id`.

    A parameter whose name is capitalised takes a class, any other a function.
    `parts` names the methods that the exercise adds to a class of several exercises.
    """

    def put(ask: Ask) -> Exercise:
        names = inspect.signature(ask).parameters
        kinds = tuple("class" if n[0].isupper() else "function" for n in names)
        _known[id] = Exercise(id, ask, version, limit, parts, kinds)
        return _known[id]

    return put


def known(id: str) -> Exercise:
    """The check of an exercise; CourseError where there is none."""
    found = exercises(lesson(id).slug)
    if id not in found:
        from workbook.course import CourseError

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
    return {id: one for id, one in _known.items() if id.partition(".")[0] == slug}


def all_exercises() -> dict[str, Exercise]:
    """All checks of the course."""
    return {i: e for one in course().lessons for i, e in exercises(one.slug).items()}


# ---------------------------------------------------------------- asking


def run(id: str, *objects: Any) -> Verdict:
    """Ask all questions of the check `id` about a learner's objects.

    Never raises on a wrong answer and never hangs. Returns a Verdict with `.state`
    ("open", "not yet", "passed"), `.mistake` (the id of the recognised known mistake,
    or None) and `.message`.
    """
    check = known(id)
    if problem := _wrong_kind(check, objects):
        return problem
    verdict = _judge(check, objects)
    return verdict if verdict.passed else _judge_apart(check, objects, verdict)


def _wrong_kind(check: Exercise, objects: tuple[Any, ...]) -> Verdict | None:
    """Open or not yet, where an object is no function (or class) at all."""
    if len(objects) != len(check.kinds):
        want = f"{len(check.kinds)} object{'s' * (len(check.kinds) != 1)}"
        return _not_yet(check, ("problem", f"the check takes {want}"))
    for kind, thing in zip(check.kinds, objects, strict=True):
        if thing is None or thing is ...:
            return _open(check)
        right = isinstance(thing, type) if kind == "class" else callable(thing)
        if not right:
            article = f"the {kind} itself, without parentheses"
            return _not_yet(check, ("expected", article), ("yours", show(thing)))
    return None


@dataclass
class _Answers:
    """What an object answered to the cases, as far as it was asked."""

    cases: list[Case] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    problem: tuple[Case | None, str, Any] | None = None  # case, kind, detail

    def no(self, kind: str, detail: Any) -> None:
        if self.problem is None:
            self.problem = (self.cases[-1] if self.cases else None, kind, detail)


@dataclass(frozen=True)
class _Raised:
    """An exception as an answer: compared by its type."""

    type: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Raised) and self.type == other.type


def _answer(check: Exercise, objects: tuple[Any, ...], found: _Answers) -> None:
    """Ask every case; remember each answer, and the first no."""
    for one in check.ask(*objects):
        if found.problem and one.once:
            continue
        found.cases.append(one)
        try:
            value = one.act()
            again = value if one.once or found.problem else one.act()
        except Exception as error:
            found.values.append(_Raised(type(error).__name__))
            found.no("raised", error)
            if isinstance(error, NotImplementedError):
                return
            continue
        found.values.append(value)
        if found.problem is None:
            _compare(one, value, again, found)


def _compare(one: Case, value: Any, again: Any, found: _Answers) -> None:
    if gap := difference(one.expects, value, one.within):
        empty = value is None or value is ... or value is NotImplemented
        found.no("open" if empty else "different", gap)
    elif not same(value, again):
        found.no("changed", (value, again))


def _judge(check: Exercise, objects: tuple[Any, ...]) -> Verdict:
    found = _Answers()
    outcome = guarded(lambda: _answer(check, objects, found), check.limit)
    verdict = replace(_verdict(check, found, outcome), printed=outcome.printed)
    if verdict.state == NOT_YET and found.problem and found.values:
        return _recognised(check, found, verdict)
    return verdict


def _verdict(check: Exercise, found: _Answers, outcome: Outcome) -> Verdict:
    if found.problem is not None:
        one, kind, detail = found.problem
        return _PROBLEMS[kind](check, one, detail)
    at = ("case", found.cases[-1].text if found.cases else "the definition")
    if outcome.timed_out:
        words = f"did not end within {check.limit:g} s and was stopped"
        return _not_yet(check, at, ("yours", words), _next(check))
    if outcome.error is not None:
        return _ended(check, at, outcome)
    return Verdict(check.id, PASSED, (("checked", f"{len(found.cases)} cases"),))


def _ended(check: Exercise, at: tuple[str, str], outcome: Outcome) -> Verdict:
    """An answer that left through an exit of its own."""
    error = outcome.error
    words = {
        Flood: "prints without end: take the print out of the answer",
        SystemExit: "leaves Python (sys.exit or exit): an answer returns its value",
        KeyboardInterrupt: "raises KeyboardInterrupt: an answer returns its value",
        RecursionError: "calls itself without end (RecursionError)",
    }
    said = words.get(type(error))
    if said is None:
        return _raised(check, None, error)
    return _not_yet(check, at, ("yours", said), _next(check))


def _open(check: Exercise, *_: Any) -> Verdict:
    lines = (("next", f'write the cell above, or hint("{check.id}")'),)
    return Verdict(check.id, OPEN, lines)


def _not_yet(check: Exercise, *lines: tuple[str, str], **more: Any) -> Verdict:
    return Verdict(check.id, NOT_YET, tuple(lines), **more)


def _next(check: Exercise) -> tuple[str, str]:
    return "next", f'hint("{check.id}")'


def _different(check: Exercise, one: Case, gap: Any) -> Verdict:
    says = (("because", one.says),) if one.says else ()
    return _not_yet(check, ("case", one.text), *gap.lines(), *says, _next(check))


def _changed(check: Exercise, one: Case, pair: tuple[Any, Any]) -> Verdict:
    first, second = map(show, pair)
    return _not_yet(
        check,
        ("case", one.text),
        ("yours", f"{first} the first time, {second} the second"),
        ("because", "the same question must get the same answer each time"),
        _next(check),
    )


def _raised(check: Exercise, one: Case | None, error: BaseException) -> Verdict:
    if isinstance(error, NotImplementedError):
        return _unfinished(check, error)
    if isinstance(error, _Mutated):
        why = ("because", "a function leaves its arguments as they were")
        yours = ("yours", f"changes its argument: {error}")
        return _not_yet(
            check, ("case", one.text if one else ""), yours, why, _next(check)
        )
    lines = [("case", one.text if one else "the definition")]
    lines.append(("yours", f"{type(error).__name__}: {_first_line(error)}"))
    lines += _where(error)
    if isinstance(error, RecursionError):
        lines.append(("because", "it calls itself deeper than Python allows (1,000)"))
    trace = "".join(tracebacks.format_exception(error, limit=-8))[-4000:]
    return _not_yet(check, *lines, _next(check), traceback=trace)


def _unfinished(check: Exercise, error: NotImplementedError) -> Verdict:
    """Still the stub: this exercise's, or one that it stands on."""
    other = str(error).removeprefix("TODO ").strip()
    if other == check.id or other not in _known:
        return _open(check)
    ids = list(_known)
    if ids.index(other) < ids.index(check.id):
        return Verdict(check.id, OPEN, (("next", f"{other} comes first"),))
    words = f"{other} has replaced this part: run this exercise's cell again"
    return Verdict(check.id, OPEN, (("next", words),))


_PROBLEMS: dict[str, Callable[..., Verdict]] = {
    "raised": _raised,
    "open": _open,
    "different": _different,
    "changed": _changed,
}


def _first_line(error: BaseException) -> str:
    text = str(error).partition("\n")[0]
    return text if len(text) <= 140 else text[:139] + "…"


def _where(error: BaseException) -> list[tuple[str, str]]:
    """The learner's own line, and a sentence where a name was lost."""
    lines = []
    for frame, number in reversed(list(tracebacks.walk_tb(error.__traceback__))):
        name = frame.f_code.co_filename
        if name.startswith(_PACKAGE) or "site-packages" in name or "<frozen" in name:
            continue
        text = linecache.getline(name, number).strip()
        lines.append(("line", f"{number}: {text}" if text else f"line {number}"))
        lines += _lost_name(error, frame.f_globals)
        break
    return lines


def _lost_name(error: BaseException, names: dict[str, Any]) -> list[tuple[str, str]]:
    """A sentence where the notebook has lost or shadowed a name that Python gives."""
    import builtins

    if isinstance(error, NameError) and getattr(error, "name", None) in _MODULES:
        return [
            ("because", f"`{error.name}` is gone: run the notebook's first cell again")
        ]
    for name in sorted(_MODULES & names.keys()):
        if not isinstance(names[name], ModuleType):
            what = f"`{name}` is now {show(names[name])} in this notebook"
            return [("because", f"{what}: rename that, and run the first cell again")]
    if isinstance(error, TypeError):
        for name in sorted(vars(builtins).keys() & names.keys() - {"__doc__"}):
            if callable(getattr(builtins, name)) and not callable(names[name]):
                what = f"`{name}` is now {show(names[name])} in this notebook"
                return [("because", f"{what}: rename that, then run `del {name}`")]
    return []


_MODULES = {"torch", "math", "random", "np", "numpy", "F", "nn", "plt", "regex"}


# ---------------------------------------------------------------- known mistakes


def _recognised(check: Exercise, found: _Answers, verdict: Verdict) -> Verdict:
    """The same verdict, with the known mistake that gives the same answers."""
    match = _matching(check, found)
    if match is None:
        return verdict
    lines = [line for line in verdict.lines if line[0] not in ("because", "next")]
    lines += [("looks as", match.sentence), _next(check)]
    return replace(verdict, lines=tuple(lines), mistake=match.id)


def _matching(check: Exercise, found: _Answers) -> Mistake | None:
    """The first mistake that answers all alike, else the only one alike at the no."""
    failing = found.cases.index(found.problem[0]) if found.problem else 0
    partly = []
    for mistake in check.mistakes.values():
        theirs = _answers_of(check, mistake)
        if len(theirs.values) == len(found.values) and all(
            _alike(a, b) for a, b in zip(theirs.values, found.values, strict=True)
        ):
            return mistake
        if len(theirs.values) > failing and theirs.problem is not None:
            one, two = theirs.values[failing], found.values[failing]
            if not isinstance(two, _Raised) and _alike(one, two):
                partly.append(mistake)
    return partly[0] if len(partly) == 1 else None


def _answers_of(check: Exercise, mistake: Mistake) -> _Answers:
    return _answers_to(check.id, mistake.id)


@cache
def _answers_to(id: str, mistake: str) -> _Answers:
    check, theirs = known(id), _Answers()
    make = check.mistakes[mistake].make
    guarded(lambda: _answer(check, make(), theirs), check.limit)
    return theirs


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, _Raised) or isinstance(other, _Raised):
        return one == other
    return same(_plain(one), _plain(other))


def _plain(value: Any) -> Any:
    """An observation with every object that holds one number told by name and number."""
    if isinstance(value, list | tuple):
        return type(value)(_plain(v) for v in value)
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if hasattr(value, "data") and not hasattr(value, "shape"):
        return [type(value).__name__, value.data]
    return value


# ---------------------------------------------------------------- standing on the given


def _judge_apart(check: Exercise, objects: tuple[Any, ...], whole: Verdict) -> Verdict:
    """Judge this exercise alone, all that it stands on being the given module's.

    An earlier part that is open or wrong shall not hide whether this one is right,
    and a class that several exercises add to must be checkable part by part.
    """
    fresh = given(lesson(check.id).slug)
    if fresh is None:
        return whole
    apart = _rehomed(objects, check.parts, fresh)
    verdict = _judge(check, apart)
    if verdict.state == PASSED:
        note = (
            "note",
            "checked on the given module: what it stands on is not done yet",
        )
        return replace(verdict, lines=(*verdict.lines, note))
    return whole if whole.mistake else verdict


@cache
def _given_code(path: Path) -> CodeType:
    return compile(path.read_text("utf-8"), str(path), "exec")


def given(slug: str) -> ModuleType | None:
    """A fresh, private copy of the given module of a lesson, where there is one."""
    path = Path(_PACKAGE) / "given" / f"{slug}.py"
    if not path.exists():
        return None
    module = ModuleType(f"given_{slug}")
    exec(_given_code(path), module.__dict__)
    return module


def _rehomed(
    objects: tuple[Any, ...], parts: tuple[str, ...], fresh: ModuleType
) -> tuple[Any, ...]:
    """The learner's objects, with every name that is not theirs meaning the given one.

    For `parts` (methods) the first object is a class: the given class takes them over.
    """
    names = {n: v for n, v in vars(fresh).items() if not n.startswith("__")}
    if not parts:
        own = {thing.__name__ for thing in objects}
        names = {n: v for n, v in names.items() if n not in own}
        return tuple(_moved(thing, names, {}) for thing in objects)
    mine = objects[0]
    home = names.get(mine.__name__, mine)
    for part in parts:
        method = vars(mine).get(part)
        if isinstance(method, FunctionType):
            setattr(home, part, _moved(method, names, {}))
    return (home, *objects[1:])


def _moved(thing: Any, names: dict[str, Any], done: dict[Any, Any]) -> Any:
    """A function or class whose global names mean `names`; anything else as it is."""
    if thing in done:
        return done[thing]
    if isinstance(thing, type) and thing.__module__ != "builtins":
        return _moved_class(thing, names, done)
    if not isinstance(thing, FunctionType):
        return thing
    home = dict(thing.__globals__)
    moved = FunctionType(
        thing.__code__, home, thing.__name__, thing.__defaults__, thing.__closure__
    )
    moved.__kwdefaults__ = thing.__kwdefaults__
    done[thing] = moved
    for name in set(thing.__code__.co_names) & home.keys():
        if name not in names and _is_notebooks(home[name], thing):
            home[name] = _moved(home[name], names, done)
    home.update(names)
    return moved


def _is_notebooks(value: Any, by: FunctionType) -> bool:
    """Whether a name's value was written in the same notebook as the function."""
    return getattr(value, "__module__", None) == by.__module__


def _moved_class(cls: type, names: dict[str, Any], done: dict[Any, Any]) -> type:
    bases = tuple(_moved(base, names, done) for base in cls.__bases__)
    body = {n: v for n, v in vars(cls).items() if n not in ("__dict__", "__weakref__")}
    new = type(cls.__name__, bases, body)
    done[cls] = new
    for name, value in body.items():
        if isinstance(value, FunctionType):
            setattr(new, name, _moved(_with_class(value, new), names, done))
    return new


def _with_class(method: FunctionType, cls: type) -> FunctionType:
    """The method with `super()` meaning the parent of `cls`."""
    if "__class__" not in method.__code__.co_freevars:
        return method
    cells = list(method.__closure__ or ())
    cells[method.__code__.co_freevars.index("__class__")] = CellType(cls)
    new = FunctionType(
        method.__code__,
        method.__globals__,
        method.__name__,
        method.__defaults__,
        tuple(cells),
    )
    new.__kwdefaults__ = method.__kwdefaults__
    return new
