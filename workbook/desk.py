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
from workbook.course import CourseError
from workbook.verdict import Verdict


def check(id: str, *objects: Any) -> None:
    """Check the exercise `id`: shows what is right, or what is wrong and why.

    >>> check("bigram.counts", count_bigrams)          # doctest: +SKIP
    """
    try:
        parts = known(id).parts
    except CourseError as unknown:
        return _say(str(unknown))
    with _kernel_kept_alive():
        verdict = run(id, *objects)
    _remember(verdict, _fingerprint(objects, parts))
    _show(verdict)
    if os.environ.get("WORKBOOK_STRICT") == "1" and not verdict.passed:
        raise AssertionError(verdict.message)


def hint(id: str) -> None:
    """Show the next hint of an exercise: where to look, then how, then a line."""
    from workbook.hints import hint_text

    level = _progress(lambda p: p.hint_level(id), 0) + 1
    try:
        text = hint_text(id, level)
    except (CourseError, KeyError):
        return _say(f"There is no exercise {id!r}.")
    _progress(lambda p: p.record_hint(id, min(level, 3)), None)
    _show_markdown(text)


def solution(id: str, sure: bool = False) -> None:
    """Show an answer to an exercise. Asks once, unless yours has passed."""
    from workbook.hints import solution_text

    try:
        text = solution_text(id)
    except (CourseError, KeyError):
        return _say(f"There is no exercise {id!r}.")
    passed = _progress(lambda p: p.state(id), "open") == "passed"
    if passed:
        _show_markdown(f"Yours has passed. For comparison:\n\n{text}")
    elif sure:
        _show_markdown(text)
    else:
        _ask(id, text)


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
    """Do something with the tracker; where it cannot be used, say so and go on."""
    from workbook.progress import Progress, ProgressError

    try:
        found = act(Progress.load())
    except ProgressError as error:
        _say(str(error))
        return otherwise
    return otherwise if found is None else found


def _fingerprint(objects: tuple[Any, ...], parts: tuple[str, ...]) -> str:
    """A hash of the answer's code: the same answer has the same one tomorrow."""
    digest = hashlib.sha256()
    for thing in objects:
        for function in _functions(thing, parts):
            for code in _codes(function.__code__):
                digest.update(code.co_code)
                consts = [c for c in code.co_consts if not isinstance(c, CodeType)]
                digest.update(repr((code.co_names, consts)).encode())
    return digest.hexdigest()[:16]


def _functions(thing: Any, parts: tuple[str, ...]) -> Iterator[FunctionType]:
    if isinstance(thing, FunctionType):
        yield thing
    elif isinstance(thing, type):
        for name, value in sorted(vars(thing).items()):
            if isinstance(value, FunctionType) and (not parts or name in parts):
                yield value


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
        del shell.ask_exit  # the class's own comes back


def _leave() -> None:
    raise SystemExit


_DOORS = ("add_to", "budget", "check", "hint", "predict", "solution")


def _put_back(*_: Any) -> None:
    """After a cell: give a door back its name, where the cell took it away."""
    names = _shell().user_ns
    for name in _DOORS:
        if name in names and name not in _seen and names[name] is _door(name):
            _seen.add(name)
        elif name in _seen and names.get(name) is not _door(name):
            had = f"now held {names[name]!r:.60}" if name in names else "was deleted"
            names[name] = _door(name)
            _say(f"`{name}` {had}. The workbook needs that name and has put it back.")


def _door(name: str) -> Any:
    return getattr(workbook, name)


_seen: set[str] = set()

if _shell() is not None:
    _shell().events.register("post_run_cell", _put_back)
