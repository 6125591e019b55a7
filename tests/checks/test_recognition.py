"""Messages: short, in words, never a false accusation."""

import re

import pytest
from answers import IDS, RIGHT
from notebook import answered
from verdicts import on_all, some_again

from workbook.checks import call, case, exercise, known
from workbook.checks.asking import Answers, Raised, fingerprint
from workbook.checks.cases import _known
from workbook.checks.recognition import recognised

FORBIDDEN = r"\b(simply|just|obviously|clearly|easy|of course|unfortunately|sorry)\b"


@pytest.mark.parametrize("id", IDS)
def test_a_message_is_short_and_says_what_next(id):
    for verdict in on_all(id):
        lines = verdict.message.splitlines()
        assert lines[0] == f"{id}  not yet"
        assert 3 <= len(lines) <= 7, verdict
        assert lines[-1] == f'  next      hint("{id}")'
        assert all(len(line) <= 180 for line in lines), verdict
        assert not re.search(FORBIDDEN, verdict.message), verdict
        assert not re.search(r"0x[0-9a-f]{6}", verdict.message), verdict


@pytest.mark.parametrize("id", IDS)
def test_a_message_shows_what_differs(id):
    for verdict in on_all(id):
        if verdict.line("expected"):
            assert verdict.line("expected") != verdict.line("yours"), verdict


@pytest.mark.parametrize("id", IDS)
def test_a_message_is_the_same_each_time(id):
    for one, two in some_again(id):
        if one.line("because") != "the numbers of this case are new each time":
            assert one.message == two.message


@pytest.mark.parametrize("id", IDS)
def test_no_two_mistakes_share_their_sentence(id):
    sentences = [mistake.sentence for mistake in known(id).mistakes.values()]
    assert len(set(sentences)) == len(sentences)
    assert all(s.endswith(".") and len(s) <= 90 for s in sentences)


@pytest.mark.parametrize("id", IDS)
def test_a_right_answer_is_no_mistake(id):
    check = known(id)
    for code in RIGHT[id].values():
        answers = fingerprint(check, answered(id, code))
        assert answers.wrong == ()
        assert recognised(check, answers) is None


# ---------------------------------------------------------------- the rules


@pytest.fixture
def half():
    """A check of its own: the half of a number, with two known mistakes."""

    @exercise("micrograd.half")
    def check(half):
        yield call(half, 4.0, expects=2.0)
        yield call(half, 10.0, expects=5.0)
        yield call(half, 0.0, expects=0.0)

    check.mistake("doubled", "It doubles.")(lambda x: x * 2)
    check.mistake("floor", "It subtracts two.")(lambda x: x - 2)
    yield check
    del _known["micrograd.half"]
    from workbook.checks.recognition import _forms_of

    _forms_of.cache_clear()


def name(check, answer) -> str | None:
    found = recognised(check, fingerprint(check, (answer,)))
    return found and found.id


@pytest.fixture
def known_half(half, monkeypatch):
    monkeypatch.setattr("workbook.checks.recognition.known", lambda id: half)
    return half


def test_the_same_answers_are_the_same_mistake(known_half):
    assert name(known_half, lambda x: x + x) == "doubled"


def test_one_equal_wrong_answer_is_not_enough(known_half):
    assert name(known_half, lambda x: 8.0) is None


def test_a_mistake_that_would_show_elsewhere_is_not_named(known_half):
    assert name(known_half, lambda x: 8.0 if x == 4.0 else x / 2) is None


def test_a_second_mistake_does_not_hide_the_first(known_half):
    def twice(x):
        return x * 2 if x else -1.0

    assert name(known_half, twice) == "doubled"


def test_exceptions_alone_are_no_proof():
    same = case("", lambda: None, 1.0)
    one = Answers((same, same), (Raised("TypeError", "a"), 1.0), (0,))
    two = Answers((same, same), (Raised("TypeError", "b"), 1.0), (0,))
    from workbook.checks.recognition import _all_alike, _explains

    assert not _all_alike(one, two)
    assert not _explains(one, one)
