"""Lesson 5: what a kind comparison misses."""

import ast

import pytest
import torch
from notebook import answered, objects, solved

from workbook import source
from workbook.checks import known, run
from workbook.course import lesson

BN = "backprop.batchnorm_fused"


@pytest.mark.parametrize(
    ("id", "code"),
    {
        "backprop.tanh_backward": """
def tanh_backward(dy, y):
    dy *= 1 - y**2
    return dy
""",
        "backprop.cross_entropy_fused": """
def cross_entropy_backward(logits, Y):
    logits -= logits.max(1, keepdim=True).values
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    return (p - F.one_hot(Y, logits.shape[1])) / len(Y)
""",
        "backprop.train_by_hand": """
solved_gradients = gradients

def gradients(p, X, Y):
    loss, d = solved_gradients(p, X, Y)
    p["C"] -= 0.1 * d["C"]
    return loss, d
""",
    }.items(),
)
def test_an_answer_that_changes_its_argument_is_told(id, code):
    verdict = run(id, *answered(id, code))
    assert verdict.state == "not yet", verdict


# ---------------------------------------------------------------- about zero


CHAIN = """
solved_chain = softmax_chain

def softmax_chain(dlogprobs, logits):
    *others, maxes, dlogits = solved_chain(dlogprobs, logits)
    return *others, CHANGED, dlogits
"""


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ("torch.zeros_like(maxes)", "passed"),
        ("maxes * -3", "passed"),
        ("maxes + 1e-3", "not yet"),
        ("maxes[:, 0]", "not yet"),
    ],
)
def test_the_gradient_of_the_largest_logit_is_about_zero(changed, state):
    """Zeros are right, and so is any rounding; a number or another shape is not."""
    id = "backprop.softmax_chain"
    code = CHAIN.replace("CHANGED", changed)
    assert run(id, *answered(id, code)).state == state


TRAINING = """
solved_gradients = gradients

def gradients(p, X, Y):
    loss, d = solved_gradients(p, X, Y)
    return loss, d | {"b1": CHANGED}
"""


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ('torch.zeros_like(d["b1"])', "passed"),
        ('d["b1"] + 0.01', "not yet"),
        ("torch.zeros(1)", "not yet"),
    ],
)
def test_the_gradient_of_a_bias_before_batchnorm_is_about_zero(changed, state):
    id = "backprop.train_by_hand"
    code = TRAINING.replace("CHANGED", changed)
    assert run(id, *answered(id, code)).state == state


# ---------------------------------------------------------------- strictness


@pytest.mark.parametrize("name", ["unbiased", "unbiased upside down"])
def test_the_slip_of_half_a_percent_is_named(name):
    """At 32 examples and 64 units an absolute tolerance of 1e-4 would let it pass."""
    (wrong,) = known(BN).mistakes[name].make()
    (right,) = objects(known(BN), solved(BN))
    g = torch.Generator().manual_seed(1)
    x, dy = torch.randn(2, 32, 64, generator=g, dtype=torch.float64)
    dy = dy / 1000  # about as small as at this place in the network
    inv = (x.var(0, correction=0) + 1e-5) ** -0.5
    raw, gain = (x - x.mean(0)) * inv, torch.ones(64, dtype=torch.float64)
    slip, true = wrong(dy, raw, gain, inv)[0], right(dy, raw, gain, inv)[0]
    assert 1e-3 < (slip - true).abs().max() / true.abs().max() < 2e-2
    assert torch.allclose(slip, true, atol=1e-4)
    verdict = run(BN, wrong)
    assert (verdict.state, verdict.mistake) == ("not yet", name)


def test_the_videos_convention_is_explained():
    """Its formula for BatchNorm's gradient, whose variance divides by n - 1."""
    code = """
def batchnorm_backward(dy, raw, gain, var_inv):
    n = len(dy)
    inner = n * dy - dy.sum(0) - n / (n - 1) * raw * (dy * raw).sum(0)
    return gain * var_inv / n * inner, (dy * raw).sum(0), dy.sum(0)
"""
    verdict = run(BN, *answered(BN, code))
    assert verdict.mistake == "unbiased"
    assert "n - 1" in verdict.line("looks as")


@pytest.mark.parametrize("factor", [1 + 1e-4, 0.0, -1.0])
@pytest.mark.parametrize("id", ["backprop.linear_backward", BN])
def test_a_gradient_that_is_a_little_off_is_refused(id, factor):
    (right,) = objects(known(id), solved(id))
    for place in range(3):

        def off(*args, place=place):
            found = list(right(*args))
            found[place] = found[place] * factor
            return tuple(found)

        assert run(id, off).state == "not yet"


def test_autograds_gradients_are_not_by_hand():
    id = "backprop.train_by_hand"
    for name in ("loss.backward()", "g = torch.autograd.grad(loss, list(q.values()))"):
        code = f"""
def gradients(p, X, Y):
    q = {{name: x.clone().requires_grad_() for name, x in p.items()}}
    loss = F.cross_entropy(forward(q, X)[0], Y)
    {name}
    found = locals().get("g") or [x.grad for x in q.values()]
    return loss.item(), dict(zip(q, found))
"""
        verdict = run(id, *answered(id, code))
        assert verdict.mistake == "by autograd", verdict


# ---------------------------------------------------------------- whose work

TAUGHT = {
    "cross_entropy_backward": "backprop.cross_entropy_fused",
    "linear_backward": "backprop.linear_backward",
    "tanh_backward": "backprop.tanh_backward",
    "batchnorm_backward": "backprop.batchnorm_fused",
    "embedding_backward": "backprop.embedding_backward",
}


@pytest.mark.parametrize("name", TAUGHT)
def test_what_the_lecture_writes_passes_in_the_exercise(name):
    cells = source.read(lesson("backprop").lecture_source)
    lines = [ast.parse(c.text).body for c in cells if c.kind == "code"]
    mine = [x for body in lines for x in body if getattr(x, "name", "") == name]
    verdict = run(TAUGHT[name], *answered(TAUGHT[name], ast.unparse(mine[-1])))
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    "back",
    [
        "x.requires_grad_(); torch.tanh(x).backward(dy); return x.grad",
        "x.requires_grad_(); return torch.autograd.grad(torch.tanh(x), x, dy)[0]",
        "x.requires_grad_(); torch.autograd.backward(torch.tanh(x), dy); return x.grad",
        "return torch.func.vjp(torch.tanh, x)[1](dy)[0]",
        "return torch.func.jvp(torch.tanh, (x,), (dy,))[1]",
        "return torch.autograd.functional.vjp(torch.tanh, x, dy)[1]",
        "return torch.ops.aten.tanh_backward(dy, y)",
    ],
)
def test_autograd_is_noticed_by_whichever_door(back):
    code = f"""
def tanh_backward(dy, y):
    x = torch.atanh(y)
    {back}
"""
    verdict = run("backprop.tanh_backward", *answered("backprop.tanh_backward", code))
    assert verdict.mistake == "by autograd", verdict
    assert verdict.line("yours") == "found = by autograd"
