"""A verdict as a card: the state in a word first, and no markup of the learner's."""

from html.parser import HTMLParser

import pytest

from workbook.card import html
from workbook.verdict import NOT_YET, OPEN, PASSED, Verdict

LINES = (("case", '["ab"]'), ("expected", "1"), ("looks as", "rows are swapped"))


class Card(HTMLParser):
    """The words of a card, and whether every tag that opens is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize(
    ("state", "mark"), [(PASSED, "✓"), (NOT_YET, "✗"), (OPEN, "○")]
)
def test_the_state_is_a_word_and_a_mark_before_it_is_a_colour(state, mark):
    card = Card(html(Verdict("bigram.counts", state, LINES)))
    assert card.words[0].strip() == f"{mark} {state}"
    assert card.open == []


def test_every_line_of_the_message_is_on_the_card():
    words = Card(html(Verdict("bigram.counts", NOT_YET, LINES))).words
    assert all(label in words and text in words for label, text in LINES)


def test_a_verdict_without_lines_has_no_table():
    assert "table" not in Card(html(Verdict("bigram.counts", PASSED))).tags


@pytest.mark.parametrize("place", ["line", "traceback", "printed", "exercise"])
def test_what_the_learners_code_says_never_becomes_markup(place):
    evil = "</td><script>alert(1)</script>"
    lines = (("yours", evil),) if place == "line" else ()
    words = {place: evil} if place in ("traceback", "printed") else {}
    name = evil if place == "exercise" else "bigram.counts"
    card = Card(html(Verdict(name, NOT_YET, lines, **words)))
    assert "script" not in card.tags
    assert any(evil in word for word in card.words)


def test_traceback_and_prints_are_folded_away():
    verdict = Verdict("bigram.counts", NOT_YET, LINES, traceback="T", printed="P")
    card = Card(html(verdict))
    assert {"details", "summary"} <= card.tags
    assert "the whole traceback" in card.words


def test_blank_prints_get_no_fold():
    assert "details" not in Card(html(Verdict("a.b", PASSED, printed="\n"))).tags


def test_a_long_traceback_is_shortened_in_its_middle():
    text = "first" + "x" * 100_000 + "last"
    shown = html(Verdict("a.b", NOT_YET, traceback=text))
    assert len(shown) < 10_000
    assert "first" in shown and "last" in shown


def test_the_card_takes_its_ink_from_the_page_so_that_dark_pages_can_be_read():
    shown = html(Verdict("a.b", NOT_YET, LINES))
    assert "var(--jp-content-font-color1" in shown
    assert "background: #" not in shown


def test_backticks_and_calls_to_run_become_code_on_the_card():
    because = ("because", "set with `=`, where `+=` <adds>")
    lines = (("yours", "a `string`"), because, ("next", 'hint("bigram.counts")'))
    card = html(Verdict("bigram.counts", NOT_YET, lines))
    assert ">=</code>, where " in card
    assert ">+=</code> &lt;adds&gt;" in card
    assert ">hint(&quot;bigram.counts&quot;)</code>" in card
    assert "a `string`" in card
