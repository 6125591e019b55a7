"""Tensors under a check: what an answer does to them, to torch, and to the clock."""

import copy
import threading
import time

import pytest
import torch
from notebook import answered, blank, objects, solved

from workbook.checks import known, run
from workbook.checks.asking import fingerprint
from workbook.checks.cases import Mutated, call
from workbook.checks.tensors import (
    CUT_OFF,
    Steps,
    counted,
    named,
    number,
    with_gradient,
)
from workbook.compare import same
from workbook.verdict import Verdict

SOFTMAX = "bigram.softmax"
RIGHT = "return logits.softmax(1)"


def softmax(body: str, before: str = "") -> Verdict:
    """The verdict on a function `softmax` with this body."""
    lines = "\n".join("    " + line for line in body.splitlines())
    code = f"{before}\ndef softmax(logits):\n{lines}"
    return run(SOFTMAX, *answered(SOFTMAX, code, blank("bigram")))


# ---------------------------------------------------------------- what is changed


CHANGED = {
    "zeros in place": ("logits.data.zero_()", "yours"),
    "one cell": ("logits.data[0, 0] = 7.0", "yours"),
    "another tensor under the same name": ("logits.data = torch.zeros(3)", "yours"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_an_argument_that_was_changed_after_a_right_answer_is_told(name):
    body, label = CHANGED[name]
    verdict = softmax(f"out = logits.softmax(1)\n{body}\nreturn out")
    assert verdict.state == "not yet"
    assert verdict.line(label)


SPOILING = {
    "bigram.vocabulary": "words.clear()",
    "bigram.counts": "words.append('zz')",
    "bigram.probabilities": "counts.zero_()",
    "bigram.nll": "P.mul_(2)",
    "bigram.pairs": "words.reverse()",
    "bigram.logits": "W.data.add_(1)",
    "bigram.softmax": "logits.data.add_(1)",
    "bigram.cross_entropy": "logits.data.add_(1)",
    "bigram.splits": "words.pop()",
    "bigram.trigram": "words.sort(reverse=True)",
    "bigram.tune_smoothing": "amounts.sort(reverse=True)",
}


@pytest.mark.parametrize("id", SPOILING)
def test_a_right_answer_that_changes_its_argument_is_not_yet(id):
    import inspect

    names = solved(id)
    wrapped = []
    for thing in objects(known(id), names):
        target = thing.__init__ if isinstance(thing, type) else thing
        wrapped.append(_spoiling(thing, inspect.signature(target), SPOILING[id]))
    verdict = run(id, *wrapped)
    assert verdict.state == "not yet", verdict
    assert verdict.line("yours")


def _spoiling(thing, signature, act: str):
    def spoil(*args, **options):
        bound = signature.bind(*args, **options)
        exec(act, {"torch": torch}, dict(bound.arguments))

    if isinstance(thing, type):

        class Spoiling(thing):
            def __init__(self, *args):
                super().__init__(*args)
                spoil(self, *args)

        return Spoiling

    def answer(*args, **options):
        out = thing(*args, **options)
        spoil(*args, **options)
        return out

    return answer


def test_a_call_sees_a_tensor_a_vocabulary_and_a_generator_as_they_are():
    class Box:
        def __init__(self):
            self.held = [1, 2]

    def spoil(tensor, box, generator):
        torch.rand(1, generator=generator)
        box.held.append(3)

    def draw(tensor, box, generator):
        return torch.rand(1, generator=generator)

    args = torch.ones(2), Box(), torch.Generator().manual_seed(1)
    with pytest.raises(Mutated):
        call(spoil, *args, expects=None).act()
    first, second = (call(draw, *args, expects=None).act() for _ in range(2))
    assert torch.equal(first, second)  # each call has a generator of its own


def test_a_copied_generator_goes_on_where_the_first_one_is():
    rng = torch.Generator().manual_seed(1)
    torch.rand(3, generator=rng)
    twin = copy.deepcopy(rng)
    assert torch.equal(torch.rand(3, generator=rng), torch.rand(3, generator=twin))


# ---------------------------------------------------------------- not implemented


def test_what_torch_does_not_implement_is_not_yet_and_not_open():
    verdict = softmax("return logits.long().softmax(1)")
    assert verdict.state == "not yet"
    assert verdict.line("yours").startswith("NotImplementedError")


def test_a_todo_that_is_left_in_a_helper_is_open():
    before = "def helper(x):\n    raise NotImplementedError('later')"
    assert softmax("return helper(logits)", before).state == "open"


# ---------------------------------------------------------------- torch's own state


STATES = {
    "the seed": ("torch.manual_seed(7)", torch.initial_seed),
    "the draws": ("torch.rand(9)", lambda: torch.get_rng_state().tolist()),
    "the dtype": ("torch.set_default_dtype(torch.float64)", torch.get_default_dtype),
    "the threads": ("torch.set_num_threads(2)", torch.get_num_threads),
    "gradients": ("torch.set_grad_enabled(False)", torch.is_grad_enabled),
    "a function": ("torch.exp = torch.log", lambda: torch.exp(torch.zeros(1)).item()),
    "F": (
        "torch.nn.functional.softmax = None",
        lambda: torch.nn.functional.softmax is None,
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_what_an_answer_changes_in_torch_is_put_back(name):
    act, look = STATES[name]
    torch.manual_seed(3)
    before = look()
    softmax(f"{act}\n{RIGHT}")
    assert look() == before
    assert softmax(RIGHT).passed


def test_a_check_uses_one_thread_and_gives_the_others_back():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        verdict = softmax(f"print(torch.get_num_threads())\n{RIGHT}")
        assert set(verdict.printed.split()) == {"1"}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_notebook_without_gradients_does_not_reach_the_check():
    with torch.no_grad():
        assert softmax(RIGHT).passed


def test_a_notebook_in_double_precision_is_judged_in_single():
    try:
        torch.set_default_dtype(torch.float64)
        for id in (SOFTMAX, "bigram.probabilities", "bigram.train", "bigram.nll"):
            assert run(id, *objects(known(id), solved(id))).passed, id
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_seed_outside_does_not_decide_what_a_check_says():
    names = solved("bigram.sample")
    for seed in range(4):
        torch.manual_seed(seed)
        assert run("bigram.sample", names["sample"]).passed


# ---------------------------------------------------------------- time and memory


def test_an_endless_loop_of_products_is_stopped(limited):
    limited(SOFTMAX, 0.5)
    start = time.monotonic()
    verdict = softmax("x = torch.eye(500)\nwhile True:\n    x = x @ x")
    assert "had not ended after" in verdict.line("yours")
    assert time.monotonic() - start < 4
    assert softmax(RIGHT).passed


def test_one_long_product_is_left_behind(limited):
    """A call that is in C cannot be struck; the verdict does not wait for its end."""
    limited(SOFTMAX, 0.3)
    start = time.monotonic()
    verdict = softmax("x = torch.randn(5000, 5000)\nx @ x @ x\n" + RIGHT)
    assert "had not ended after" in verdict.line("yours")
    assert time.monotonic() - start < 5
    for thread in threading.enumerate():
        if thread.name == "learner's code":
            thread.join(60)


def test_a_backward_pass_without_end_is_stopped(limited):
    limited(SOFTMAX, 0.5)
    verdict = softmax(
        "w = torch.ones(3, requires_grad=True)\n"
        "while True:\n    (w * w).sum().backward()"
    )
    assert "had not ended after" in verdict.line("yours")


def test_more_memory_than_there_is_is_told():
    verdict = softmax("return torch.zeros(10**12)")
    assert verdict.line("yours").startswith("RuntimeError")
    assert verdict.line("because") == "it asks for more memory than an answer may take"


# ---------------------------------------------------------------- observations


def test_a_fingerprint_keeps_what_an_answer_writes_over():
    check = known("bigram.probabilities")
    right = solved("bigram.probabilities")["probabilities"]
    same_place = torch.zeros(2, 2)

    def reusing(counts, smoothing=0.0):
        P = right(counts, smoothing)
        return same_place.copy_(P) if P.shape == (2, 2) else P

    kept = fingerprint(check, (reusing,)).values
    fresh = fingerprint(check, (right,)).values
    assert all(same(a, b) for a, b in zip(kept, fresh, strict=True))


def test_steps_counts_the_operations_that_python_starts():
    with Steps() as steps:
        N = torch.zeros(3, 3)
        for _ in range(10):
            N[1, 2] += 1
    assert steps.taken >= 20
    with Steps() as steps:
        torch.bincount(torch.tensor([1, 1, 2]), minlength=9).view(3, 3)
    assert steps.taken < 5


def test_the_gradient_that_reaches_a_tensor_is_seen():
    see = named("y")
    found = with_gradient(lambda x: x * 3, torch.ones(2), see)
    assert same(found["gradient"], torch.tensor([3.0, 6.0]))
    assert (
        with_gradient(lambda x: x.detach(), torch.ones(2), see)["gradient"] == CUT_OFF
    )
    assert with_gradient(lambda x: None, torch.ones(2), see) is None
    assert with_gradient(lambda x: 3.0, torch.ones(2), see) == {"y": 3.0}


def test_counts_of_int32_and_a_plain_number_are_taken_as_well():
    assert counted(torch.ones(2).int())["N"].dtype == torch.int64
    assert counted(torch.ones(2))["N"].dtype == torch.float32
    assert same(number(1.5)["loss"], torch.tensor(1.5))
    assert same(number(torch.tensor(1.5).double())["loss"], torch.tensor(1.5))
    assert number(torch.tensor([1.5]))["loss"].shape == (1,)
    assert number(True)["loss"] is True
    assert number(None) is None
