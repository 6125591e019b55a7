"""Lesson 1: parts of a class, names that come back, another engine.

What holds for all lessons stands in test_answers.py.
"""

import pytest
from notebook import alone, answered, cells, solved, stub

from workbook import source
from workbook.checks import run

# ---------------------------------------------------------------- open


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


def code_of(id: str) -> str:
    texts = [text for text, exercise in cells("micrograd") if exercise == id]
    return "\n\n".join(map(source.unmarked, texts))


def test_the_notebooks_names_are_put_back_afterwards():
    names = alone("micrograd.softmax_nll", "return 42")
    before = dict(names)
    verdict = run("micrograd.softmax_nll", names["softmax"], names["nll"])
    assert verdict.passed
    assert names == before


ALIAS = """
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    return Value(self.data + other.data, (self, other), "+")
Value.__add__ = Value.__radd__ = __add__
"""


def test_a_copy_of_a_method_that_stays_behind_is_named_where_it_shows():
    names = solved("micrograd.value")
    exec(ALIAS, names)
    assert run("micrograd.value", names["Value"]).mistake == "old method kept"
    code = code_of("micrograd.local_grads")
    verdict = run(
        "micrograd.local_grads", *answered("micrograd.local_grads", code, names)
    )
    assert verdict.passed
    assert "right by itself" in verdict.line("note")
    assert verdict.line("case").startswith("7 + a")
    assert "still the old `__add__`" in verdict.line("because")


def test_an_operator_that_is_missing_is_named_with_the_methods():
    names = solved("micrograd.operators")
    for part in ("log", "relu", "__pow__"):
        delattr(names["Value"], part)
    verdict = run("micrograd.functions", names["Value"])
    assert verdict.line("yours") == "has no log, relu, __pow__"


# ---------------------------------------------------------------- other engines


@pytest.mark.parametrize("thing", ["local_grads", "backward", "operators"])
def test_the_micrograd_package_passes(thing):
    engine = pytest.importorskip("micrograd.engine")
    verdict = run(f"micrograd.{thing}", engine.Value)
    assert verdict.passed, verdict


def test_the_micrograd_package_keeps_its_children_as_a_set():
    engine = pytest.importorskip("micrograd.engine")
    assert run("micrograd.value", engine.Value).mistake == "not a tuple"


def test_what_the_micrograd_package_lacks_is_named():
    engine = pytest.importorskip("micrograd.engine")
    verdict = run("micrograd.functions", engine.Value)
    assert verdict.state == "not yet"
    assert verdict.line("yours") == "has no tanh, exp, log"
