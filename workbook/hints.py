"""Hints and solutions, served one step at a time from the lesson's own text."""

from workbook.source import Exercise, exercise


def hint_text(id: str, level: int) -> str:
    """The hint of a level, counted from 1, as Markdown; past the last one, the last."""
    hints = exercise(id).hints
    if not hints:
        return f'{id} has no hints. `solution("{id}")` shows an answer.'
    at = min(max(level, 1), len(hints))
    after = (
        f"Ask again for hint {at + 1}."
        if at < len(hints)
        else f'That was the last hint. `solution("{id}")` shows an answer.'
    )
    return f"**Hint {at} of {len(hints)}.** {hints[at - 1]}\n\n{after}"


def solution_text(id: str) -> str:
    """The answer, why it is right, and other ways to write it, as Markdown."""
    ex = exercise(id)
    parts = [_code(ex.answer), ex.why]
    parts += [f"*Another way.*\n\n{_code(code)}" for code in ex.another]
    return "\n\n".join(part for part in parts if part)


def task_line(ex: Exercise) -> str:
    """An exercise in one line: id, minutes, difficulty."""
    dots = "●" * ex.difficulty + "○" * (5 - ex.difficulty)
    return f"{ex.id:<28} {ex.minutes:>3} min  {dots}"


def _code(text: str) -> str:
    return f"```python\n{text}\n```"
