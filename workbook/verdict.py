"""A verdict: what a check found, as data. Text and card are both made from it."""

from dataclasses import dataclass

OPEN, NOT_YET, PASSED = "open", "not yet", "passed"


@dataclass(frozen=True)
class Verdict:
    """The answer of a check to a learner's object.

    `lines` are pairs of a label (`case`, `expected`, `yours`, `looks as`, `next` …)
    and one line of text; `mistake` is the id of the known mistake that the answer
    was recognised as, if any; `traceback` is shown folded.
    """

    exercise: str
    state: str
    lines: tuple[tuple[str, str], ...] = ()
    mistake: str | None = None
    traceback: str = ""
    printed: str = ""

    @property
    def passed(self) -> bool:
        return self.state == PASSED

    @property
    def message(self) -> str:
        """The verdict as plain text, the state in a word on the first line."""
        head = f"{self.exercise}  {self.state}"
        return "\n".join([head, *(f"  {k:<9} {v}" for k, v in self.lines)])

    def line(self, label: str) -> str:
        """The text behind `label`, or an empty string."""
        return next((text for name, text in self.lines if name == label), "")

    def __str__(self) -> str:
        return self.message
