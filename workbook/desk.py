"""The doors that a notebook opens: check, hint, solution.

They show a card in Jupyter and text elsewhere, keep the tracker, and never raise on
a wrong answer. In strict mode (the solutions in `make check`) any verdict but
*passed* is an error.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import CodeType, FunctionType
from typing import Any

import workbook
from workbook.checks import known, run
from workbook.compare import show
from workbook.course import CourseError
from workbook.source import SourceError
from workbook.verdict import Verdict


def check(id: str, *objects: Any) -> None:
    """Check the exercise `id`: shows what is right, or what is wrong and why.

    >>> check("bigram.counts", count_bigrams)          # doctest: +SKIP
    """
    try:
        parts = known(id).parts
    except CourseError as unknown:
        if _strict():
            raise
        return _say(str(unknown))
    try:
        with _kernel_kept_alive():
            verdict = run(id, *objects)
    except KeyboardInterrupt:  # of the person: no word of what lies below
        said = f"the check of {id} was interrupted; nothing is recorded"
        raise KeyboardInterrupt(said) from None
    _remember(verdict, _fingerprint(objects, parts))
    _show(verdict)
    if _strict() and not verdict.passed:
        raise AssertionError(verdict.message)


def hint(id: str) -> None:
    """Show the next hint of an exercise: where to look, then how, then a line."""
    from workbook.hints import hint_text

    level = _progress(lambda p: p.hint_level(id), 0) + 1
    text = _text(id, lambda: hint_text(id, level))
    if text:
        _progress(lambda p: p.record_hint(id, min(level, 3)), None)
        _show_markdown(text)


def solution(id: str, sure: bool = False) -> None:
    """Show an answer to an exercise. Asks once, unless yours has passed."""
    from workbook.hints import solution_text

    text = _text(id, lambda: solution_text(id))
    if not text:
        return
    passed = _progress(lambda p: p.state(id), "open") == "passed"
    if passed:
        _show_markdown(f"Yours has passed. For comparison:\n\n{text}")
    elif sure:
        _show_markdown(text)
    else:
        _ask(id, text)


def _strict() -> bool:
    return os.environ.get("WORKBOOK_STRICT") == "1"


def _text(id: str, make: Callable[[], str]) -> str:
    """What the lesson's text has to say; where it has nothing, says so and is empty."""
    try:
        return make()
    except (CourseError, SourceError) as error:
        _say(str(error))
    except KeyError:
        _say(f"There is no text for an exercise {id!r} yet.")
    return ""


# ---------------------------------------------------------------- showing


def _shell() -> Any:
    """The running IPython, or None."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module else None


def _in_notebook() -> bool:
    return not workbook.headless()


def _say(text: str) -> None:
    print(text)


def _show(verdict: Verdict) -> None:
    if not _in_notebook():
        return _say(verdict.message)
    from IPython.display import display

    from workbook.card import html

    card = {"text/html": html(verdict), "text/plain": verdict.message}
    display(card, raw=True)


def _show_markdown(text: str) -> None:
    if not _in_notebook():
        return _say(text)
    from IPython.display import display

    display({"text/markdown": text, "text/plain": text}, raw=True)


def _ask(id: str, text: str) -> None:
    """Ask before showing; in a place without buttons, say how to be sure."""
    question = f"Show the solution of {id}? Yours has not passed yet."
    if not _in_notebook():
        return _say(f'{question} Run solution("{id}", sure=True).')
    import ipywidgets as widgets
    from IPython.display import display

    said = widgets.Label(question)
    button = widgets.Button(description="Show it")
    row = widgets.HBox([said, button])

    shown = display(row, display_id=True)

    def show(_: Any) -> None:
        shown.update({"text/markdown": text, "text/plain": text}, raw=True)

    button.on_click(show)


# ---------------------------------------------------------------- remembering


def _remember(verdict: Verdict, answer: str) -> None:
    """Put the verdict into the tracker, and into the report of `make check`."""
    if log := os.environ.get("WORKBOOK_VERDICTS"):
        line = {
            "exercise": verdict.exercise,
            "state": verdict.state,
            "mistake": verdict.mistake,
            "message": verdict.message,
        }
        with open(log, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    if workbook.checking():
        return
    now = datetime.now(UTC)
    version = known(verdict.exercise).version
    _progress(
        lambda p: p.record_check(verdict.exercise, verdict.state, version, answer, now),
        None,
    )


def _progress(act: Callable[[Any], Any], otherwise: Any) -> Any:
    """Do something with the tracker; where it cannot be used, say so and go on.

    In check mode it is nobody's: the same notebook says the same to everybody.
    """
    if workbook.checking():
        return otherwise
    from workbook.progress import Progress, ProgressError

    try:
        progress = Progress.load()
        if progress.note and progress.note not in _noted:
            _noted.add(progress.note)
            _say(progress.note)
        found = act(progress)
    except ProgressError as error:
        _say(str(error))
        return otherwise
    return otherwise if found is None else found


_noted: set[str] = set()  # what was said of the tracker's file, once a kernel


def _fingerprint(objects: tuple[Any, ...], parts: tuple[str, ...]) -> str:
    """A hash of the answer's code: the same answer has the same one tomorrow."""
    digest = hashlib.sha256()
    for thing in objects:
        for function in _functions(thing, parts):
            for code in _codes(function.__code__):
                digest.update(code.co_code)
                consts = [c for c in code.co_consts if not isinstance(c, CodeType)]
                digest.update(_written((code.co_names, *consts)).encode())
    return digest.hexdigest()[:16]


def _written(const: Any) -> str:
    """A constant as text; a set's order differs from one Python to the next."""
    if isinstance(const, tuple):
        return f"({', '.join(map(_written, const))})"
    if isinstance(const, frozenset):
        return f"{{{', '.join(sorted(map(_written, const)))}}}"
    return repr(const)


def _functions(thing: Any, parts: tuple[str, ...]) -> Iterator[FunctionType]:
    """The functions that an answer is made of, decorators taken off."""
    within = [thing]
    if isinstance(thing, type):
        names = sorted(vars(thing))
        within = [vars(thing)[n] for n in names if not parts or n in parts]
    bare = (_undecorated(value) for value in within)
    return (one for one in bare if isinstance(one, FunctionType))


def _undecorated(value: Any) -> Any:
    """The function inside a property, a static method or a wrapper, ten deep."""
    for _ in range(10):
        if isinstance(value, property):
            value = value.fget
        elif isinstance(value, staticmethod | classmethod):
            value = value.__func__
        else:
            value = getattr(value, "__dict__", {}).get("__wrapped__", value)
    return value


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


# ---------------------------------------------------------------- the kernel


@contextmanager
def _kernel_kept_alive() -> Iterator[None]:
    """`exit()` in an answer ends the answer, not the kernel."""
    shell = _shell()
    if shell is None:
        yield
        return
    shell.ask_exit = _leave
    try:
        yield
    finally:
        vars(shell).pop("ask_exit", None)  # the class's own comes back


def _leave() -> None:
    raise SystemExit


_DOORS = ("add_to", "budget", "check", "hint", "predict", "solution")


def _put_back(*_: Any) -> None:
    """After a cell: give a door back its name, where the cell took it away."""
    names = _shell().user_ns
    _seen.update(n for n in _DOORS if n in names and names[n] is _door(n))
    for name in sorted(n for n in _seen if names.get(n) is not _door(n)):
        had = f"now held {show(names[name])}" if name in names else "was deleted"
        names[name] = _door(name)
        _say(f"`{name}` {had}. The workbook needs that name and has put it back.")


def _door(name: str) -> Any:
    return getattr(workbook, name)


_seen: set[str] = set()

if _shell() is not None:
    _shell().events.register("post_run_cell", _put_back)
