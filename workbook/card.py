"""A verdict as a card: the state in a word first, then in a colour, then the lines."""

import re
from html import escape

from workbook.verdict import NOT_YET, OPEN, PASSED, Verdict

# A word and a mark carry the state as well: the colour is never alone.
_FACES = {
    PASSED: ("✓", "#009E73"),
    NOT_YET: ("✗", "#D55E00"),
    OPEN: ("○", "#8A8A8A"),
}
_TEXT = "var(--jp-content-font-color1, #222)"
_SOFT = "var(--jp-content-font-color2, #666)"
_MONO = "var(--jp-code-font-family, monospace)"


def html(verdict: Verdict) -> str:
    """The card of a verdict, readable on a light and on a dark page."""
    mark, colour = _FACES[verdict.state]
    head = (
        f'<div><span style="color: {colour}; font-weight: 700">{mark} '
        f"{verdict.state}</span> &nbsp;"
        f'<span style="color: {_SOFT}; font-family: {_MONO}">'
        f"{escape(verdict.exercise)}</span></div>"
    )
    rows = "".join(_row(label, text) for label, text in verdict.lines)
    table = f'<table style="border: none; margin: 4px 0 0 0">{rows}</table>'
    return (
        f'<div role="status" style="border-left: 4px solid {colour}; '
        f"padding: 6px 12px; margin: 4px 0; color: {_TEXT}; max-width: 88ch; "
        f'line-height: 1.5">{head}{table if rows else ""}{_folds(verdict)}</div>'
    )


def _row(label: str, text: str) -> str:
    told = label in ("looks as", "because", "note", "next")
    font = "inherit" if told else _MONO
    weight = "600" if label == "looks as" else "400"
    return (
        '<tr style="background: none">'
        f'<td style="text-align: left; vertical-align: top; padding: 1px 14px 1px 0; '
        f'color: {_SOFT}; white-space: nowrap">{escape(label)}</td>'
        f'<td style="text-align: left; padding: 1px 0; font-family: {font}; '
        f"font-weight: {weight}; white-space: pre-wrap; overflow-wrap: anywhere"
        f'">{_prose(text) if told else escape(text)}</td></tr>'
    )


_CODE = re.compile(r"`([^`]+)`|((?:hint|check)\(&quot;.*?\))")


def _prose(text: str) -> str:
    """A sentence as HTML; what stands in backticks, and calls to run, as code."""
    code = f'<code style="font-family: {_MONO}; font-weight: 400">'
    return _CODE.sub(lambda m: f"{code}{m[1] or m[2]}</code>", escape(text))


def _folds(verdict: Verdict) -> str:
    folds = (("the whole traceback", verdict.traceback), ("printed", verdict.printed))
    return "".join(_fold(title, text) for title, text in folds if text.strip())


def _fold(title: str, text: str) -> str:
    shown = text if len(text) <= 4000 else text[:2000] + "\n…\n" + text[-1900:]
    return (
        f'<details style="margin-top: 4px; color: {_SOFT}"><summary>{title}</summary>'
        f'<pre style="font-size: 12px; max-height: 20em; overflow: auto">'
        f"{escape(shown)}</pre></details>"
    )
