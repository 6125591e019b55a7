"""Lesson 1: right answers pass however they are written, and wrong ones do not."""

import pytest
from answers_micrograd import APT, EQUIVALENT, LISTED, RIGHT, SAME, WRONG
from mutants import mutants
from notebook import (
    alone,
    answered,
    blank,
    cells,
    emptied,
    enclosed,
    objects,
    solved,
    stub,
)

from workbook import source
from workbook.checks import exercises, known, run

IDS = list(exercises("micrograd"))
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
GIVEN = "judged on the given module, not on this notebook's earlier parts"


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
    verdict = run(id, *mistake.make())
    assert (verdict.state, verdict.mistake) == ("not yet", name), verdict
    assert verdict.line("looks as") == mistake.sentence


@pytest.mark.parametrize(("id", "name"), pairs(SAME))
def test_the_same_mistake_in_other_words_is_recognised(id, name):
    verdict = run(id, *answered(id, SAME[id][name]))
    assert (verdict.state, verdict.mistake) == ("not yet", name), verdict


@pytest.mark.parametrize(("id", "name"), pairs(WRONG))
def test_an_unlisted_wrong_answer_is_rejected_and_not_accused(id, name):
    verdict = run(id, *answered(id, WRONG[id][name]))
    assert verdict.state == "not yet", verdict
    assert verdict.mistake == APT.get((id, name)), verdict


@pytest.mark.parametrize("id", IDS)
def test_no_mutant_of_the_solution_passes_but_the_equivalent_ones(id, monkeypatch):
    monkeypatch.setattr("workbook.checks._recognised", lambda _, __, given, ___: given)
    found = mutants(code_of(id))
    passed = {m.name for m in found if run(id, *answered(id, m.code)).passed}
    assert passed == set(EQUIVALENT.get(id, {}))
    assert len(found) > 15


def code_of(id: str) -> str:
    texts = [text for text, exercise in cells("micrograd") if exercise == id]
    return "\n\n".join(map(source.unmarked, texts))


@pytest.mark.parametrize("number", range(1, 20))
def test_every_collected_wrong_answer_is_somewhere(number):
    id, name = LISTED[number]
    assert name in known(id).mistakes or name in WRONG[id]


# ---------------------------------------------------------------- open


@pytest.mark.parametrize("body", EMPTY)
@pytest.mark.parametrize("id", IDS)
def test_an_exercise_without_an_answer_is_open(id, body):
    code = "\n\n".join(
        emptied(text, EMPTY[body])
        for text, exercise in cells("micrograd")
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


def test_half_an_answer_is_open_and_names_what_is_missing():
    code = "@add_to(Value)\ndef exp(self):\n    raise NotImplementedError"
    verdict = run("micrograd.functions", *answered("micrograd.functions", code))
    assert verdict.state == "open"
    assert "`exp`" in verdict.line("next")


def test_a_wrong_half_is_not_yet_though_the_other_is_open():
    code = (
        "@add_to(Value)\ndef tanh(self):\n    return self\n\n"
        "@add_to(Value)\ndef exp(self):\n    raise NotImplementedError"
    )
    verdict = run("micrograd.functions", *answered("micrograd.functions", code))
    assert verdict.state == "not yet"


def test_none_on_one_way_through_is_not_yet():
    code = """
def softmax(logits):
    if len(logits) == 4:
        largest = max(z.data for z in logits)
        exps = [(z - largest).exp() for z in logits]
        return [e / sum(exps) for e in exps]
"""
    verdict = run("micrograd.softmax_nll", *answered("micrograd.softmax_nll", code))
    assert verdict.state == "not yet"
    assert verdict.line("yours") == "returns None"


def test_a_part_that_a_later_cell_has_replaced_is_named():
    names = solved("micrograd.value")
    exec(stub("micrograd.local_grads"), names)
    verdict = run("micrograd.value", names["Value"])
    assert verdict.state == "open"
    assert verdict.line("next").startswith("micrograd.local_grads has replaced")


# ---------------------------------------------------------------- alone


@pytest.mark.parametrize("earlier", EARLIER)
@pytest.mark.parametrize("id", IDS)
def test_a_right_answer_passes_whatever_it_stands_on(id, earlier):
    for name, code in {"the solution": "", **RIGHT[id]}.items():
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
    """Nobody has run the cells before: every earlier name is missing."""
    names = {"__name__": "__main__"}
    exec("import math, random\nfrom workbook import add_to", names)
    if known(id).parts and id != "micrograd.value":
        exec("class Value:\n    pass", names)
        exec(_helpers(), names)
    if id == "micrograd.neuron_layer_mlp":
        exec(
            "class Module:\n    def zero_grad(self):\n        for p in "
            "self.parameters():\n            p.grad = 0.0",
            names,
        )
    verdict = run(id, *answered(id, code_of(id), names))
    assert verdict.passed, verdict


def _helpers() -> str:
    text = next(t for t, e in cells("micrograd") if e is None and "def _apply" in t)
    return text


@pytest.mark.parametrize("earlier", EARLIER)
@pytest.mark.parametrize("id", IDS)
def test_a_right_answer_inside_a_function_passes(id, earlier):
    """All names are variables of a function, and no globals, as in a test."""
    names = blank()
    exec(enclosed(id, EARLIER[earlier]), names)
    verdict = run(id, *names["notebook"]())
    assert verdict.passed, verdict


def test_the_notebooks_names_are_put_back_afterwards():
    names = alone("micrograd.softmax_nll", "return 42")
    before = dict(names)
    verdict = run("micrograd.softmax_nll", names["softmax"], names["nll"])
    assert verdict.passed
    assert names == before


# ---------------------------------------------------------------- other engines


@pytest.mark.parametrize("thing", ["value", "local_grads", "backward", "operators"])
def test_the_micrograd_package_passes(thing):
    engine = pytest.importorskip("micrograd.engine")
    verdict = run(f"micrograd.{thing}", engine.Value)
    assert verdict.passed, verdict


def test_what_the_micrograd_package_lacks_is_named():
    engine = pytest.importorskip("micrograd.engine")
    verdict = run("micrograd.functions", engine.Value)
    assert verdict.state == "not yet"
    assert verdict.line("yours") == "has no tanh, exp, log"
