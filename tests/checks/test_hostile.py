"""Every exercise answers in words, and in time, whatever an answer does.

The bodies below stand in place of each answer of an exercise: its classes, methods and
signatures stay, so that each is met where a learner's code would stand.
"""

import time
from typing import Any

import pytest
from answers import IDS
from notebook import answered, cells, emptied, objects, solved

from workbook.checks import known, run
from workbook.verdict import Verdict

ENDLESS = "had not ended after"
BODIES = {  # and how the card's line on the answer begins
    "raises": ("raise ValueError('broken')", "ValueError: broken"),
    "never ends": ("while True: pass", ENDLESS),
    "never ends, and swallows": (
        "while True:\n    try:\n        while True: pass\n    except: pass",
        ENDLESS,
    ),
    "recurses": ("def deeper(): return deeper()\nreturn deeper()", "RecursionError"),
    "prints without end": ("while True: print('x' * 1000)", "prints more than"),
    "leaves Python": ("import sys; sys.exit()", "leaves Python"),
}
RESULTS = {
    "not a number": "return float('nan')",
    "a number": "return 2.5",
    "a bool": "return True",
    "a text": "return 'forty-two'",
    "an empty list": "return []",
    "a list of nothing": "return [None]",
    "a pair": "return 1, 2",
    "three nothings": "return None, None, None",
    "a loss and nothing": "return 1.0, {}",
    "itself": "class It:\n    def __repr__(self): return 1 / 0\nreturn It()",
}
TENSORS = {
    "a tensor of no numbers": "return torch.full((3, 3), float('nan'))",
    "another shape": "return torch.zeros(2, 7, 1)",
    "an empty tensor": "return torch.zeros(0)",
    "one number that fits everywhere": "return torch.tensor(1.0)",
    "one number with a gradient": "return torch.tensor(1.0, requires_grad=True) * 1",
    "two tensors": "return torch.tensor(1.0), torch.tensor(1.0)",
    "infinity": "return torch.full((2, 2), float('inf'))",
    "a sparse tensor": "return torch.eye(3).to_sparse()",
    "a tensor without numbers": "return torch.ones(3, device='meta')",
    "complex numbers": "return torch.ones(2, 2, dtype=torch.complex64)",
    "an array": "import numpy\nreturn numpy.ones((3, 3))",
    "more than there is": "return torch.zeros(10**13)",
    "an endless product": (
        "x = torch.eye(600)\nwhile True:\n    x = x @ x\n    x = x / x.sum()"
    ),
}
OF_TENSORS = [id for id in IDS if known(id).lesson != "micrograd"]


def shared(results: dict[str, Any], ids: list[str], each: int) -> list[Any]:
    """Pairs of exercise and result: so many for each exercise, in turn, and so all."""
    names = list(results)
    return [
        pytest.param(id, name, id=f"{id}-{name}")
        for i, id in enumerate(ids)
        for name in (names[(i * each + k) % len(names)] for k in range(each))
    ]


def indented(text: str, body: str) -> str:
    """A cell with a body of several lines in place of each of its answers."""
    found = emptied(text, "BODY")
    for room in (" " * n for n in (16, 12, 8, 4)):
        lines = "\n".join(room + line for line in body.splitlines())
        found = found.replace(f"\n{room}BODY", f"\n{lines}")
    return found


def of(id: str, body: str) -> Verdict:
    own = [text for text, exercise in cells(known(id).lesson) if exercise == id]
    return run(id, *answered(id, "\n\n".join(indented(text, body) for text in own)))


def in_words(id: str, body: str) -> Verdict:
    start = time.monotonic()
    verdict = of(id, body)
    assert time.monotonic() - start < 6
    assert verdict.state in ("not yet", "open"), verdict
    assert 2 <= len(verdict.message.splitlines()) <= 7, verdict
    assert verdict.line("yours") or verdict.state == "open", verdict
    assert "workbook/" not in verdict.message
    assert len(verdict.printed) <= 100_000
    return verdict


def odd_result(id: str, body: str) -> None:
    verdict = in_words(id, body)
    assert verdict.state == "not yet"
    slips = ("AttributeError", "TypeError", "KeyError", "IndexError", "UnboundLocal")
    told = verdict.line("yours").removeprefix("TypeError: __init__")  # Python's own
    assert not told.startswith(slips), verdict


# what is stopped may be stopped in a callback of Python's own, which then tells of it
told_aside = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


ENDING = {name: body for name, body in BODIES.items() if body[1] != ENDLESS}
NEVER = {name: body for name, body in BODIES.items() if body[1] == ENDLESS}


@told_aside
@pytest.mark.parametrize(
    ("id", "name"),
    shared(ENDING, IDS, each=len(ENDING)) + shared(NEVER, IDS, each=1),
)
def test_whatever_an_answer_does_is_told_in_words(id, name, limited):
    body, told = BODIES[name]
    limited(id, 0.4 if told == ENDLESS else 2)
    verdict = in_words(id, body)
    assert verdict.state == "not yet"
    assert verdict.line("yours").startswith(told), verdict


@told_aside
@pytest.mark.parametrize(("id", "name"), shared(RESULTS, IDS, each=4))
def test_whatever_comes_back_is_told_without_a_slip_of_ours(id, name, limited):
    limited(id, 0.4)
    odd_result(id, RESULTS[name])


@told_aside
@pytest.mark.parametrize(("id", "name"), shared(TENSORS, OF_TENSORS, each=6))
def test_whatever_tensor_comes_back_is_told_without_a_slip_of_ours(id, name, limited):
    limited(id, 0.4)
    odd_result(id, TENSORS[name])


@pytest.mark.parametrize("id", OF_TENSORS)
def test_a_tensor_with_a_gradient_in_place_of_plain_numbers_does_no_harm(id):
    """A right answer whose tensors carry a gradient is judged by its numbers."""

    def carried(out):
        if isinstance(out, tuple | list):
            return type(out)(map(carried, out))
        grows = hasattr(out, "is_floating_point") and out.is_floating_point()
        return out.detach().requires_grad_() if grows and not out.grad_fn else out

    check = known(id)
    names = solved(id)
    wrapped = [
        _wrapped(thing, carried) if kind == "function" else thing
        for thing, kind in zip(objects(check, names), check.kinds, strict=True)
    ]
    assert run(id, *wrapped).state == "passed"


def _wrapped(function, change):
    def answer(*args, **options):
        return change(function(*args, **options))

    answer.__name__ = function.__name__
    return answer
