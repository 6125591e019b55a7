"""Right answers pass however they are written, and wrong ones do not: all lessons.

`-k bigram` runs those of one lesson. Of the mutants of a long solution thirty are
tried, always the same ones; `MUTANTS=all` tries every one, which a changed check needs.
"""

import os
from hashlib import sha256

import pytest
from answers import APT, EQUIVALENT, IDS, LISTED, RIGHT, SAME, WRONG
from mutants import Mutant, mutants
from notebook import (
    alone,
    answered,
    bare,
    blank,
    cells,
    emptied,
    enclosed,
    objects,
    solved,
    stub,
)
from verdicts import on_answer, on_mistake

from workbook import source
from workbook.checks import known, run

EMPTY = {
    "a bare raise": "raise NotImplementedError",
    "another message": 'raise NotImplementedError("later")',
    "pass": "pass",
    "dots": "...",
    "a docstring": '"""To be written."""',
    "return None": "return None",
    "return": "return",
    "return dots": "return ...",
}
# what the earlier exercises hold in place of answers, when one is judged alone
EARLIER = {
    "stubs": 'raise NotImplementedError("TODO ID")',
    "wrong": "return 42",
    "broken": 'raise ValueError("broken")',
}
EVERY = os.environ.get("MUTANTS") == "all"
GIVEN = "right by itself; an earlier exercise here is not right yet"


def pairs(table: dict) -> list[tuple[str, str]]:
    return [(id, name) for id, answers in table.items() for name in answers]


def test_every_exercise_has_answers_of_each_kind():
    for id in IDS:
        assert len(known(id).mistakes) >= 7, id
        assert len(RIGHT[id]) >= 2, id
        assert len(SAME[id]) >= 3, id
        assert len(WRONG[id]) >= 3, id


@pytest.mark.parametrize("id", IDS)
def test_the_solution_passes_without_the_given_module(id):
    verdict = run(id, *objects(known(id), solved(id)))
    assert verdict.passed, verdict
    assert not verdict.line("note"), verdict


@pytest.mark.parametrize(("id", "name"), pairs(RIGHT))
def test_a_right_answer_in_other_words_passes(id, name):
    verdict = run(id, *answered(id, RIGHT[id][name]))
    assert verdict.passed, verdict
    assert not verdict.line("note"), verdict


@pytest.mark.parametrize(("id", "name"), pairs({i: known(i).mistakes for i in IDS}))
def test_a_known_mistake_is_rejected_and_recognised(id, name):
    mistake = known(id).mistakes[name]
    for verdict in on_mistake(id, name):
        assert (verdict.state, verdict.mistake) == ("not yet", name), verdict
        assert verdict.line("looks as") == mistake.sentence


@pytest.mark.parametrize(("id", "name"), pairs(SAME))
def test_the_same_mistake_in_other_words_is_recognised(id, name):
    verdict = on_answer(id, SAME[id][name])
    assert (verdict.state, verdict.mistake) == ("not yet", name), verdict


@pytest.mark.parametrize(("id", "name"), pairs(WRONG))
def test_an_unlisted_wrong_answer_is_rejected_and_not_accused(id, name):
    verdict = on_answer(id, WRONG[id][name])
    assert verdict.state == "not yet", verdict
    assert verdict.mistake == APT.get((id, name)), verdict


@pytest.mark.parametrize("id", IDS)
def test_no_mutant_of_the_solution_passes_but_the_equivalent_ones(id, monkeypatch):
    if free := EQUIVALENT.get(id, {}).get("any"):
        pytest.skip(free)
    monkeypatch.setattr("workbook.checks._recognised", lambda _, __, given, ___: given)
    found, equivalent = mutants(code_of(id)), set(EQUIVALENT.get(id, {}))
    assert len(found) >= 10
    assert equivalent <= {m.name for m in found}
    tried = found if EVERY else drawn(found)
    passed = {m.name for m in tried if run(id, *answered(id, m.code)).passed}
    untried = {m.name for m in found if m not in tried}  # several have one name
    assert passed <= equivalent
    assert equivalent <= passed | untried


def drawn(found: list[Mutant], most: int = 30) -> list[Mutant]:
    """As many mutants as are tried each time, in an order that chance has mixed."""
    return sorted(found, key=lambda m: sha256(m.code.encode()).digest())[:most]


def code_of(id: str) -> str:
    texts = [text for text, exercise in cells(known(id).lesson) if exercise == id]
    return "\n\n".join(map(source.unmarked, texts))


@pytest.mark.parametrize(("id", "name"), LISTED)
def test_every_collected_wrong_answer_is_somewhere(id, name):
    assert name in known(id).mistakes or name in WRONG[id]


# ---------------------------------------------------------------- open


@pytest.mark.parametrize("body", EMPTY)
@pytest.mark.parametrize("id", IDS)
def test_an_exercise_without_an_answer_is_open(id, body):
    code = "\n\n".join(
        emptied(text, EMPTY[body])
        for text, exercise in cells(known(id).lesson)
        if exercise == id
    )
    verdict = run(id, *answered(id, code))
    assert verdict.state == "open", verdict
    assert verdict.mistake is None
    assert f'hint("{id}")' in verdict.line("next")


@pytest.mark.parametrize("nothing", [None, ...])
@pytest.mark.parametrize("id", IDS)
def test_nothing_in_place_of_the_objects_is_open(id, nothing):
    assert run(id, *[nothing for _ in known(id).names]).state == "open"


# ---------------------------------------------------------------- alone


@pytest.mark.parametrize("earlier", EARLIER)
@pytest.mark.parametrize("id", IDS)
def test_a_right_answer_passes_whatever_it_stands_on(id, earlier):
    others = RIGHT[id] if earlier == "wrong" else {}
    for name, code in {"the solution": "", **others}.items():
        verdict = run(id, *answered(id, code, alone(id, EARLIER[earlier])))
        assert verdict.passed, (name, verdict)
        assert verdict.line("note") in ("", GIVEN)


@pytest.mark.parametrize("id", IDS)
def test_a_known_mistake_is_recognised_whatever_it_stands_on(id):
    for name, code in SAME[id].items():
        verdict = run(id, *answered(id, code, alone(id, EARLIER["wrong"])))
        assert verdict.mistake == name, verdict


@pytest.mark.parametrize("id", IDS)
def test_a_wrong_answer_does_not_pass_whatever_it_stands_on(id):
    for name, code in WRONG[id].items():
        verdict = run(id, *answered(id, code, alone(id, EARLIER["stubs"])))
        assert verdict.state == "not yet", (name, verdict)


@pytest.mark.parametrize("earlier", EARLIER)
@pytest.mark.parametrize("id", IDS)
def test_an_open_exercise_is_open_whatever_it_stands_on(id, earlier):
    verdict = run(id, *answered(id, stub(id), alone(id, EARLIER[earlier])))
    assert verdict.state == "open", verdict


@pytest.mark.parametrize("id", IDS)
def test_an_answer_alone_in_a_fresh_notebook_passes(id):
    """Of the cells before, only what this one cannot be run without has run."""
    verdict = run(id, *answered(id, code_of(id), bare(id)))
    assert verdict.passed, verdict


@pytest.mark.parametrize("earlier", EARLIER)
@pytest.mark.parametrize("id", IDS)
def test_a_right_answer_inside_a_function_passes(id, earlier):
    """All names are variables of a function, and no globals, as in a test."""
    names = blank(known(id).lesson)
    exec(enclosed(id, EARLIER[earlier]), names)
    verdict = run(id, *names["notebook"]())
    assert verdict.passed, verdict
