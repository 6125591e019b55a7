"""What a check says: from the first no to the lines of a verdict.

At most six lines: the state, the case, what was expected, what came, why, what next.
A line says what happened or what is a fact of the notebook, and never guesses.
"""

import linecache
import traceback as tracebacks
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any

from workbook.checks.anatomy import functions, is_library, names_in, shadowed
from workbook.checks.asking import No
from workbook.checks.cases import Case, Exercise, Mistake, Mutated, exercises
from workbook.checks.guard import FLOOD, MEMORY, TIME, Outcome
from workbook.checks.openness import Open
from workbook.compare import kind, show
from workbook.verdict import NOT_YET, OPEN, PASSED, Verdict

Line = tuple[str, str]


def passed(check: Exercise, cases: int) -> Verdict:
    return Verdict(check.id, PASSED, (("checked", f"{cases} cases"),))


def not_yet(check: Exercise, *lines: Line, traceback: str = "") -> Verdict:
    """Not yet, with the way to a hint as the last line."""
    following = ("next", f'hint("{check.id}")')
    return Verdict(check.id, NOT_YET, (*lines, following), traceback=traceback)


def looks_as(verdict: Verdict, mistake: Mistake) -> tuple[Line, ...]:
    """The lines, with the known mistake's sentence as the reason."""
    lines = [line for line in verdict.lines if line[0] not in ("because", "next")]
    return (*lines, ("looks as", mistake.sentence), verdict.lines[-1])


# ---------------------------------------------------------------- open


def still_open(check: Exercise, found: Open | None = None, passed: int = 0) -> Verdict:
    """Open; what is to write, or which exercise comes first."""
    found = found or Open(check.id)
    return Verdict(check.id, OPEN, tuple(_open_lines(check, found, passed)))


def _open_lines(check: Exercise, found: Open, passed: int) -> Iterator[Line]:
    hint = f'hint("{check.id}")'
    if found.id != check.id:
        ids = list(exercises(check.lesson))
        again = "has replaced this part: run this exercise's cell again"
        before = ids.index(found.id) < ids.index(check.id)
        yield "next", f"{found.id} {'comes first' if before else again}"
    elif found.returns:
        yield "yours", f"returns {found.returns}"
        yield "because", "a function gives back what follows its `return`"
        yield "next", f"let the cell above return the result, or {hint}"
    elif passed and found.name:
        yield "next", f"write `{found.name}` in the cell above, or {hint}"
    else:
        yield "next", f"write the cell above, or {hint}"


# ---------------------------------------------------------------- the wrong kind


def miscounted(check: Exercise, objects: tuple[Any, ...]) -> Verdict:
    want = f'check("{check.id}", {", ".join(check.names)})'
    count = f"{len(objects)} object" + "s" * (len(objects) != 1)
    return not_yet(check, ("expected", want), ("yours", count))


def wrong_kind(check: Exercise, name: str, thing: Any) -> Verdict:
    """Not a class, or nothing that can be called."""
    what = "class" if name[0].isupper() else "function"
    return not_yet(
        check,
        ("expected", f"the {what} `{name}` itself"),
        ("yours", kind(thing)),
        ("because", f"a {what} is passed by its name, without parentheses"),
    )


def missing(check: Exercise, parts: list[str]) -> Verdict:
    return not_yet(
        check,
        ("expected", f"`{check.names[0]}` with {', '.join(check.parts)}"),
        ("yours", f"has no {', '.join(parts)}"),
        ("because", "a method is there once the cell that adds it has run"),
    )


# ---------------------------------------------------------------- no


def no(check: Exercise, objects: tuple[Any, ...], found: No) -> Verdict:
    """The verdict on the first no."""
    if isinstance(found.detail, Mutated):
        return _mutated(check, found)
    return _SAYING[found.kind](check, objects, found)


def _case(found: No) -> Line:
    return "case", found.case.text if found.case else "the definition"


def _different(check: Exercise, objects: tuple[Any, ...], found: No) -> Verdict:
    why = _fact(objects, found)
    lines = [("because", why)] if why else []
    return not_yet(check, _case(found), *found.detail.lines(), *lines)


def _fact(objects: tuple[Any, ...], found: No) -> str:
    """A fact that may explain a difference, the most telling one first."""
    if said := _FORMS.get(type(found.value).__name__, ""):
        return said
    for function in functions(objects):
        taken = shadowed(function.__code__, function.__globals__)
        for name, value in taken.items():
            return _taken(name, value)
    if found.case and found.case.says:
        return found.case.says
    if found.case and found.case.fresh:
        return "the numbers of this case are new each time"
    return ""


def _taken(name: str, value: Any) -> str:
    held = f"`{name}` is {show(value)} in this notebook"
    return f"{held}; `del {name}` brings Python's back"


_FORMS = {
    "coroutine": "`async def` makes a coroutine; a plain `def` gives the result",
    "generator": "`yield` makes a generator; `return` gives the result",
}


def _empty(check: Exercise, _: tuple[Any, ...], found: No) -> Verdict:
    return not_yet(
        check,
        _case(found),
        ("yours", f"returns {found.value}"),
        ("because", "a function gives back what follows its `return`"),
    )


def _changed(check: Exercise, _: tuple[Any, ...], found: No) -> Verdict:
    return not_yet(
        check,
        _case(found),
        *found.detail.lines(),
        ("because", "right the first time; asked again, the answer is another one"),
    )


def _meddled(check: Exercise, _: tuple[Any, ...], found: No) -> Verdict:
    return not_yet(
        check,
        _case(found),
        ("yours", f"replaces {', '.join(found.detail)}"),
        ("because", "all other code uses it as well; it has been put back"),
    )


def _mutated(check: Exercise, found: No) -> Verdict:
    return not_yet(
        check,
        _case(found),
        ("yours", f"changes its argument: {found.detail}"),
        ("because", "a function leaves its arguments as they were"),
    )


def _raised(check: Exercise, _: tuple[Any, ...], found: No) -> Verdict:
    error = found.detail
    trace = _learners_part(error)
    lines = [_case(found), ("yours", _what(error))]
    if frames := _learners_frames(error):
        lines += _where(frames[-1][0].f_code, frames[-1][1])
    why = _why(error, frames[-1][0] if frames else None)
    why = why or (found.case.says if found.case else "")
    lines += [("because", why)] if why else []
    return not_yet(check, *lines, traceback=trace)


_SAYING: dict[str, Callable[..., Verdict]] = {
    "raised": _raised,
    "empty": _empty,
    "different": _different,
    "changed": _changed,
    "meddled": _meddled,
}


# ---------------------------------------------------------------- exceptions


def _what(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "leaves Python (exit, quit or sys.exit)"
    try:
        text = str(error).partition("\n")[0]
    except Exception:
        text = ""
    text = text if len(text) <= 140 else text[:139] + "…"
    return ": ".join(filter(None, (type(error).__name__, text)))


def _learners_frames(error: BaseException) -> list[tuple[FrameType, int]]:
    walked = tracebacks.walk_tb(error.__traceback__)
    return [(f, n) for f, n in walked if not is_library(f.f_code.co_filename)]


def _where(code: CodeType, number: int) -> Iterator[Line]:
    """The learner's own line."""
    text = linecache.getline(code.co_filename, number).strip()
    yield "line", f"{number}: {text}" if text else f"{number}, in {code.co_name}"


def _learners_part(error: BaseException) -> str:
    """The traceback, without the frames above the learner's first one."""
    told = tracebacks.TracebackException.from_exception(error)
    ours = 0
    while ours < len(told.stack) and is_library(told.stack[ours].filename):
        ours += 1
    told.stack[:] = told.stack[ours:] or told.stack
    try:
        return "".join(told.format())[-4000:]
    except Exception:
        return ""


def _why(error: BaseException, frame: FrameType | None) -> str:
    """A fact that explains an exception, or nothing."""
    if isinstance(error, RecursionError):
        return "calls nest deeper than Python allows (1,000)"
    if isinstance(error, MemoryError) or "DefaultCPUAllocator" in _what(error):
        return "it asks for more memory than an answer may take"
    if isinstance(error, SystemExit | KeyboardInterrupt | GeneratorExit):
        return "an answer returns its value, and ends in no other way"
    return _lost_name(error, frame) if frame else ""


def _lost_name(error: BaseException, frame: FrameType) -> str:
    """A sentence on a name that this code uses and that the notebook has lost."""
    name = getattr(error, "name", None)
    if isinstance(error, UnboundLocalError):
        return "a name that a function assigns to is its own throughout the function"
    if isinstance(error, NameError) and name in _MODULES:
        return f"`{name}` is not imported: run the cell that imports it again"
    used = names_in(frame.f_code)
    for name in sorted(_MODULES & used & frame.f_globals.keys()):
        value = frame.f_globals[name]
        if not isinstance(value, ModuleType):
            return f"`{name}` is now {show(value)}: run the cell that imports it again"
    taken = shadowed(frame.f_code, frame.f_globals)
    return next((_taken(name, value) for name, value in taken.items()), "")


_MODULES = {"torch", "math", "random", "np", "numpy", "F", "nn", "plt", "regex"}


# ---------------------------------------------------------------- stopped


def stopped(check: Exercise, asked: list[Case], outcome: Outcome) -> Verdict:
    """An answer that was ended from outside, or that ended the asking."""
    at = ("case", asked[-1].text if asked else "the definition")
    if outcome.stopped:
        line = _where(*outcome.at) if outcome.at else ()
        said, *more = _STOPPED[outcome.stopped](outcome)
        return not_yet(check, at, said, *line, *more)
    found = No("raised", asked[-1] if asked else None, outcome.error)
    return _raised(check, (), found)


_BUSY = "an endless loop, or a busy machine: if it should end, run the cell again"
_STOPPED: dict[str, Callable[[Outcome], tuple[Line, ...]]] = {
    TIME: lambda outcome: (
        ("yours", f"had not ended after {outcome.seconds:.1f} s, and was stopped"),
        *([("because", _BUSY)] if outcome.starved else []),
    ),
    MEMORY: lambda _: (("yours", "took more than 1 GB of memory, and was stopped"),),
    FLOOD: lambda _: (
        ("yours", "prints more than 100,000 characters"),
        ("because", "an answer returns its result; what it prints is not needed"),
    ),
}
