"""What the browser tests of a lecture share: its pictures, and what is on its page."""

from __future__ import annotations

import re
from collections.abc import Callable

from .driver import Notebook, until

LOST = re.compile("Loading widget|model not found|Error displaying widget")


class Picture:
    """An explorable of the lecture: claim, picture, numbers, and what moves it.

    door: its name, `two_moons`, or the piece of source that only its cell has.
    """

    def __init__(self, lecture: Notebook, door: str) -> None:
        self.page = lecture.page
        cell = door if "(" in door else f"explore.{door}("
        self.live = lecture.outputs(cell).locator(".wb-x:visible")
        self.live.scroll_into_view_if_needed()
        until(self._unfolded, "the button Numbers is pressed")
        self.live.locator("table").wait_for()

    def _unfolded(self) -> bool:
        """Press the button, again where the page moved away from under the mouse."""
        toggle = self.live.get_by_role("button", name="Numbers")
        if "mod-active" not in toggle.get_attribute("class"):
            toggle.click()
            self.page.wait_for_timeout(500)
        return "mod-active" in toggle.get_attribute("class")

    @property
    def claim(self) -> str:
        return self.live.locator(".wb-title").inner_text()

    @property
    def drawn(self) -> str:
        return self.live.locator("figure > svg").inner_html()

    @property
    def numbers(self) -> dict[str, list[str]]:
        """The table: the first cell of each row -> the others."""
        rows = self.live.locator("tbody tr").all()
        cells = [row.locator("td").all_inner_texts() for row in rows]
        return {first: rest for first, *rest in cells}

    def changes(self, act: Callable[[], object]) -> Picture:
        """Do something, and wait for the picture's answer."""
        before = self.drawn
        act()
        until(lambda: self.drawn != before, "the picture answers", 10)
        return self

    def press(self, key: str, slider: int = 0) -> Picture:
        """A key on a slider."""
        handle = self.live.get_by_role("slider").nth(slider)
        return self.changes(lambda: handle.press(key))

    def click(self, name: str) -> Picture:
        words = re.compile(rf"^\s*{re.escape(name)}$")  # after an icon
        return self.changes(self.live.locator("button", has_text=words).click)

    def says(self, begin: str) -> Picture:
        """Wait until the claim begins so: each key is answered on its own."""
        until(lambda: self.claim.startswith(begin), f"it says: {begin}", 10)
        return self

    def type(self, words: str, field: int = 0) -> Picture:
        """Replace what stands in a text field, key by key."""
        line = self.live.get_by_role("textbox").nth(field)
        line.fill("")
        line.press_sequentially(words)
        return self

    def hit(self, place: int) -> Picture:
        """A click into the picture itself, on one of its places that take clicks."""
        mark = self.live.locator("figure .wb-hit").nth(place)
        return self.changes(mark.click)


def unbroken(lecture: Notebook) -> None:
    """After Run All: no red output, and nothing red in the browser's console."""
    red = lecture.panel.locator("[data-mime-type$=error], [data-mime-type$=stderr]")
    assert red.all_inner_texts() == []
    assert lecture.errors == []


def complete(lecture: Notebook, explorables: int, runs: int = 0) -> None:
    """Every explorable, run, figure and prediction of the source is on the page.

    runs: how many runs are shown, where a function of the lecture makes several.
    """
    code = "\n".join(lecture.sources)
    doors = re.findall(r"^explore\.(\w+)\(", code, re.MULTILINE)
    assert len(doors) == explorables
    runs = runs or len(re.findall(r"live\.train\(", code))
    assert runs > 0
    figures = len(re.findall(r"style\.figure\(", code))
    guesses = re.findall(r"= predict\((.*)", code)
    typed = [guess for guess in guesses if "options=" not in guess]  # others choose
    counted(lecture, ".wb-x:not(.wb-live):visible figure > svg", explorables)
    counted(lecture, ".wb-live:visible", runs)
    counted(lecture, ".jp-RenderedImage img:visible", figures)
    shown = lecture.panel.locator(".wb-x:visible")
    assert shown.get_by_placeholder("your guess").count() == len(typed)
    assert shown.get_by_role("button", name="Show me").count() == len(guesses)
    assert not lecture.panel.get_by_text(LOST).count()


def counted(lecture: Notebook, what: str, there: int) -> None:
    """So many there are on the page, as soon as it has drawn its last."""
    found = lecture.panel.locator(what)
    try:
        until(lambda: found.count() == there, f"{there} times {what}", 20)
    except TimeoutError as error:
        raise TimeoutError(f"{error}, but {found.count()} times") from None


def formulas_set(lecture: Notebook, least: int) -> None:
    """Formulas are drawn, and none stands there as it was typed."""
    texts = lecture.panel.locator(".jp-MarkdownCell .jp-RenderedMarkdown")
    assert lecture.panel.locator("mjx-container").count() > least
    assert not [text for text in texts.all_inner_texts() if "$" in text]
    assert not lecture.panel.locator("mjx-merror").count()
