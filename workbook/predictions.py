"""Predict, then run: a guess is written down before the answer can be seen.

    guess = predict("bigram.loss_at_start", unit="nats")
    guess.compare(loss)        # in a later cell

The answer stays covered until a guess is there, also after Run All. Guess and answer
stand side by side, and nothing says right or wrong: the surprise is the lesson.
Headless nobody is asked, nothing is stored, and `compare` prints the answer alone.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from typing import Any

from workbook.explore import svg
from workbook.explore.page import SHEET, publish
from workbook.explore.svg import Panel
from workbook.style import number

COVERED = "Make your guess above: the answer appears here then."
EXAMPLES = "write 3.3, 1/27, 1e-3 or log(27), or a shape such as (27, 27)"
LINE = 480.0  # pixels, the line on which guess and answer stand
FAR = 50  # from this ratio on, guess and answer stand on a logarithmic line
SAME = 2e-5  # relative: both print the same five digits, or nearly
NOTHING = 1e-9  # a result of this size is zero and some rounding

Answer = float | int | str | tuple[int, ...]


def predict(id: str, unit: str = "", options: Sequence[Any] | None = None) -> Guess:
    """Ask for a guess, and give it back as soon as the form is on the page.

    id: "lesson.thing", under which the guess is remembered. unit: "nats", "%", ...
    options: the answers to choose from; without them, a number or a shape.
    """
    from workbook import headless

    guess = Guess(id, unit, tuple(options or ()))
    if not headless():
        guess._recall()
        _Form(guess).show()
    return guess


class Guess:
    """What the learner expects; `value` is None until it is committed."""

    def __init__(self, id: str, unit: str = "", options: tuple[Any, ...] = ()) -> None:
        self.id = id
        self.unit = unit
        self.options = options
        self.value: Answer | None = None
        self.written = ""  # as the learner wrote it, "1/27"
        self.made = ""  # the day, where it is from an earlier session
        self.note = ""  # why it could not be stored
        self._waiting: list[Callable[[], None]] = []

    def commit(self, written: Any) -> Guess:
        """Take a guess. Raises ValueError, in one sentence, if it cannot be read."""
        chosen = written if self.options else read(str(written), self.unit)
        self.value, self.written, self.made = chosen, str(written), ""
        self._store(None)
        for tell in list(self._waiting):
            tell()
        return self

    def compare(self, result: Any) -> None:
        """Show a result beside the guess, or covered while there is none.

        result: a number, a Value, a tensor of one element, a shape or a word.
        """
        from workbook import headless

        answer = plain(result)
        if headless():
            print(f"measured {self.told(answer)}")
        else:
            _Comparison(self, answer).show()

    def told(self, answer: Answer) -> str:
        """A number with its unit, in words."""
        gap = "" if self.unit in ("", "%") else " "
        return f"{words(answer)}{gap}{self.unit}" if self.unit else words(answer)

    def _recall(self) -> None:
        """Take up the guess of an earlier session, where there is one."""
        try:
            from workbook.progress import Progress

            stored = Progress.load().prediction(self.id)
            if not stored or stored.get("guess") is None:
                return
            written = str(stored["guess"])
            self.value = self._chosen(written) if self.options else read(written)
            self.written, self.made = written, _day(stored.get("when"))
        except Exception:  # a guess that cannot be recalled is asked for again
            self.value = None

    def _chosen(self, written: str) -> Any:
        return next((o for o in self.options if str(o) == written), None)

    def _store(self, answer: Answer | None) -> None:
        """Remember guess and answer; a guess that is not stored still counts."""
        try:
            from workbook.progress import Progress

            Progress.load().record_prediction(self.id, self.written, answer, self.unit)
            self.note = ""
        except Exception as error:
            self.note = f"Your guess counts here, but was not stored: {error}"

    def __repr__(self) -> str:
        if self.value is None:
            return f"Guess({self.id!r}, not made yet)"
        return f"Guess({self.id!r}, {self.told(self.value)})"


# Reading what a learner writes, and writing what came out.

_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3}){2,}(\.\d*)?")
_COMMA = re.compile(r"-?\d*,\d+(e[-+]?\d+)?", re.IGNORECASE)
_EITHER = re.compile(r"-?[1-9]\d{0,2},\d{3}")  # 3,296: a decimal, or thousands?
_SHAPE = re.compile(r"[(\[]?\s*\d+\s*(([x×,]\s*\d+\s*)+,?|,)\s*[)\]]?")
_WHOLE = re.compile(r"[-+]?\d+")
_SIGNS: dict[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_NAMES = {
    "ln": math.log,
    **{
        name: getattr(math, name)
        for name in ("log", "log2", "log10", "exp", "sqrt", "sin", "cos", "tanh")
    },
}
_CONSTANTS = {"pi": math.pi, "e": math.e}


def read(written: str, unit: str = "") -> Answer:
    """A number or a shape from what a learner writes.

    >>> read("3,3"), read("1/27") == 1 / 27, read("27 x 27"), read("-ln(1/27)") > 3
    (3.3, True, (27, 27), True)

    Raises ValueError with one sentence that says what can be read.
    """
    text = written.strip().replace("−", "-").replace("^", "**")
    if unit and text.endswith(unit) and unit != "%":
        text = text.removesuffix(unit).strip()
    if not text:
        raise ValueError(f"There is no guess yet: {EXAMPLES}.")
    if _EITHER.fullmatch(text):
        either = f"{text.replace(',', '.')} or {text.replace(',', '')}"
        raise ValueError(f"{text} can mean {either}: write it without the comma.")
    if _SHAPE.fullmatch(text) and not _COMMA.fullmatch(text):
        if not _THOUSANDS.fullmatch(text):
            return tuple(int(size) for size in re.findall(r"\d+", text))
        text = text.replace(",", "")
    return _number_in(text.replace(",", "."), written, unit)


def _number_in(text: str, written: str, unit: str) -> float | int:
    if _WHOLE.fullmatch(text):
        return int(text)
    percent = text.endswith("%")
    try:
        tree = ast.parse(text.rstrip("% "), mode="eval").body
        found = _computed(tree) / (100 if percent and unit != "%" else 1)
    except (SyntaxError, KeyError, ArithmeticError, ValueError, RecursionError):
        raise ValueError(f"{written!r} is not a number here: {EXAMPLES}.") from None
    if not math.isfinite(found):
        raise ValueError(f"{written!r} is not a finite number: {EXAMPLES}.")
    return found


def _computed(node: ast.AST) -> float:
    """Arithmetic, and nothing else; KeyError for what is not."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.BinOp(left=left, op=op, right=right):
            return _SIGNS[type(op)](_computed(left), _computed(right))
        case ast.UnaryOp(op=op, operand=operand):
            return _SIGNS[type(op)](_computed(operand))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            return _NAMES[name](_computed(argument))
        case ast.Name(id=name):
            return _CONSTANTS[name]
    raise KeyError(type(node).__name__)


def plain(result: Any) -> Answer:
    """A result without its wrapping: Value, tensor or array of one element, Size.

    Raises TypeError for a tensor of several elements: compare one number of it.
    """
    if isinstance(result, (tuple, list)):
        return tuple(int(size) for size in result)
    if isinstance(result, (str, bool, int, float)):
        return result
    try:
        found = result.item() if hasattr(result, "item") else result.data
        return found if isinstance(found, (bool, int)) else float(found)
    except (AttributeError, TypeError, ValueError, RuntimeError):
        kind = type(result).__name__
        raise TypeError(
            f"compare() shows one number, a shape or a word, not a {kind} of several "
            "elements: pick one of them, or pass its shape."
        ) from None


def words(answer: Answer) -> str:
    """An answer as it is printed: five significant digits, a shape as a tuple."""
    return number(answer) if isinstance(answer, (int, float)) else str(answer)


def _day(when: Any) -> str:
    """ "3 May 2025" from a stored time; empty where it cannot be read."""
    try:
        moment = datetime.fromisoformat(str(when).replace("Z", "+00:00")).astimezone()
    except ValueError:
        return ""
    return f"{moment.day} {moment:%B %Y}"


# What is seen.


class _Form:
    """A field or a row of choices, a button, and a line that says what was taken."""

    def __init__(self, guess: Guess) -> None:
        import ipywidgets

        self.guess = guess
        self.field = self._choices() if guess.options else self._text()
        self.button = ipywidgets.Button(
            description="Commit",
            tooltip="Write the guess down",
            layout={"width": "auto"},
        )
        self.button.on_click(lambda _: self._commit())
        self.said = ipywidgets.HTML(_note(self._status()))

    def show(self) -> None:
        import ipywidgets

        sheet = ipywidgets.HTML(SHEET, layout={"display": "none"})
        unit = ipywidgets.HTML(f"<span>{escape(self.guess.unit)}</span>")
        row = ipywidgets.Box([self.field, unit, self.button, self.said])
        row.add_class("wb-controls")
        box = ipywidgets.VBox([sheet, row])
        box.add_class("wb-x")
        self.renew = publish(box, *self._still())

    def _still(self) -> tuple[str, str]:
        """For a page without a kernel."""
        told = self._status() or "No guess yet."
        return f'{SHEET}<div class="wb-x">{_note(told)}</div>', told

    def _text(self) -> Any:
        import ipywidgets

        field = ipywidgets.Text(
            value=self.guess.written,
            placeholder="your guess",
            tooltip="Your guess: Enter commits it",
            layout={"width": "150px"},
        )
        field.on_msg(self._pressed)
        return field

    def _choices(self) -> Any:
        import ipywidgets

        return ipywidgets.ToggleButtons(
            options=[(str(option), option) for option in self.guess.options],
            value=self.guess.value,
            style={"button_width": "auto"},
            layout={"width": "auto"},
        )

    def _pressed(self, _: Any, content: dict[str, Any], __: Any) -> None:
        """Enter in the field."""
        if content.get("event") == "submit":
            self._commit()

    def _commit(self) -> None:
        if self.guess.options and self.field.value is None:
            self.said.value = _note("Choose one of them first.")
            return
        try:
            self.guess.commit(self.field.value)
            self.said.value = _note(self._status())
            self.renew(*self._still())
        except ValueError as error:
            self.said.value = _note(str(error))

    def _status(self) -> str:
        guess = self.guess
        if guess.value is None:
            return ""
        if guess.note:
            return guess.note
        told = guess.told(guess.value)
        return (
            f"your guess of {guess.made}: {told}"
            if guess.made
            else f"your guess: {told}"
        )


class _Comparison:
    """Guess and answer side by side, or a cover with a way to lift it."""

    def __init__(self, guess: Guess, answer: Answer) -> None:
        import ipywidgets

        self.guess, self.answer = guess, answer
        self.renew: Callable[[str, str], None] | None = None
        self.shown = ipywidgets.HTML()
        self.button = ipywidgets.Button(
            description="Show me",
            tooltip="Show the answer without a guess",
            layout={"width": "auto"},
        )
        self.button.on_click(lambda _: self._uncover())

    def show(self) -> None:
        import ipywidgets

        self.guess._waiting.append(self._uncover)
        if self.guess.value is None:
            self.shown.value = _note(COVERED)
        else:
            self._uncover()
        sheet = ipywidgets.HTML(SHEET, layout={"display": "none"})
        row = ipywidgets.Box([self.shown, self.button])
        row.add_class("wb-controls")
        box = ipywidgets.VBox([sheet, row])
        box.add_class("wb-x")
        self.renew = publish(box, *self._still())

    def _uncover(self) -> None:
        """Show the answer, and remember it beside a guess."""
        if self.guess.value is not None:
            self.guess._store(self.answer)
        self.button.layout.display = "none"
        self.shown.layout.width = "100%"
        self.shown.value = side_by_side(self.guess, self.answer)
        if self.renew:
            self.renew(*self._still())

    def _still(self) -> tuple[str, str]:
        """For a page without a kernel: still covered if nothing was guessed."""
        body = side_by_side(self.guess, self.answer)
        if self.guess.value is None:
            body = f"<details><summary>Show the answer</summary>{body}</details>"
        told = f"measured {self.guess.told(self.answer)}"
        return f'{SHEET}<div class="wb-x">{body}</div>', told


def _note(told: str) -> str:
    return f'<p class="wb-note" role="status">{escape(svg.minus(told))}</p>'


def side_by_side(guess: Guess, answer: Answer) -> str:
    """Guess and answer as HTML: two numbers to read, and a line they both stand on."""
    told = [
        (guess.value, "your guess", "backward"),
        (answer, "measured", "forward"),
    ]
    shown = "".join(
        f'<div class="wb-number"><b class="wb-{colour}">'
        f"{escape(svg.minus(guess.told(value)))}</b><br>{word}</div>"
        for value, word, colour in told
        if value is not None
    )
    pair = f'<div style="display:flex;margin:4px 0">{shown}</div>'
    return pair + _on_a_line(guess.value, answer)


def _on_a_line(guess: Any, answer: Any) -> str:
    """The two numbers on one axis; nothing where they are no numbers."""
    for value in (guess, answer):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return ""
    if not math.isfinite(answer):
        return ""
    panel = _axis(float(guess), float(answer))
    y = panel.top + panel.height / 2
    body = (
        panel.scale(middle=True)
        + svg.dot(panel.x(answer), y, "forward", 6.5)
        + svg.dot(panel.x(guess), y, "backward", 7, hollow=True)
    )
    what = f"Your guess {words(guess)}, a ring, and {words(answer)} measured, a disc"
    return svg.tag(
        "svg",
        svg.tag("title", escape(what)) + body,
        viewBox=f"0 0 {LINE:g} 50",
        role="img",
        aria_label=what,
        style=f"max-width:{LINE:g}px",
    )


def _is_close(a: float, b: float) -> bool:
    """Whether two numbers read the same, or differ from zero by rounding alone."""
    apart = abs(a - b)
    if a == 0 or b == 0:
        return apart <= NOTHING
    return apart <= SAME * max(abs(a), abs(b))


def _axis(a: float, b: float) -> Panel:
    """A line with room for both, logarithmic where they are far apart.

    Where they are the same but for rounding the line shows much more than their
    difference, and the disc lies within the ring.
    """
    low, high = min(a, b), max(a, b)
    if _is_close(a, b):
        middle = 0.0 if abs(high) <= NOTHING and low * high == 0 else high
        room = abs(middle) or 1.0
        return Panel(12, 4, LINE - 24, 22, (middle - room, middle + room), (0, 1))
    far = low > 0 and high / low > FAR
    if not far:  # from zero, so that what is near looks near
        low, high = min(low, 0.0), max(high, 0.0)
    if far:
        low, high = math.log10(low), math.log10(high)
    room = 0.35 * (high - low) or 0.5 * abs(high) or 1.0
    if far:
        low, high, room = math.floor(low), math.ceil(high), 0.15
    limits = (low - room, high + room)
    return Panel(12, 4, LINE - 24, 22, limits, (0, 1), logx=far)
