"""Lesson 3: what a loss alone does not show."""

import random

import pytest
import torch
from notebook import answered, objects, solved

from workbook.checks import known, run
from workbook.checks.mlp import _given, _right_pick, _sample_names, _stepper, _trainer


@pytest.mark.parametrize(
    ("id", "code"),
    {
        "mlp.build_dataset": """
def build_dataset(words, stoi, block_size=3):
    made = given_build(words, stoi, block_size)
    words.clear()
    return made
""",
        "mlp.lr_finder": """
def pick_lr(lrs, losses):
    losses[:] = [x if math.isfinite(x) else 99.0 for x in losses]
    return solved_pick(lrs, losses)
""",
        "mlp.cross_entropy": """
def cross_entropy(logits, Y):
    logits -= logits.max(1, keepdim=True).values
    logp = logits - logits.exp().sum(1, keepdim=True).log()
    return -logp[torch.arange(len(Y)), Y].mean()
""",
    }.items(),
)
def test_an_answer_that_changes_its_argument_is_told(id, code):
    names = solved(id)
    names |= {"given_build": _given().build_dataset, "solved_pick": _right_pick}
    verdict = run(id, *answered(id, code, names))
    assert verdict.state == "not yet", verdict


# ---------------------------------------------------------------- not by the loss


def test_split_pairs_and_split_names_have_the_same_sizes_and_one_is_refused():
    mistake = known("mlp.splits").mistakes["pairs shuffled"]
    *_, wrong = mistake.make()
    words = list(_sample_names()[:300])
    stoi = {s: i for i, s in enumerate(".abcdefghijklmnopqrstuvwxyz")}
    right = objects(known("mlp.splits"), solved("mlp.splits"))[2]
    for one, two in zip(wrong(words, stoi), right(words, stoi), strict=True):
        assert abs(len(one[0]) - len(two[0])) < 60
    assert run("mlp.splits", *mistake.make()).mistake == "pairs shuffled"


def test_a_dev_loss_that_is_too_good_is_refused():
    """Whoever trains on dev passes any upper bound: the structure tells."""
    verdict = run("mlp.train", *known("mlp.train").mistakes["learns from dev"].make())
    assert verdict.line("yours") == "trained on = the dev set too"
    recipes = known("mlp.beat_the_lecture").mistakes
    verdict = run("mlp.beat_the_lecture", *recipes["trains on dev"].make())
    assert verdict.line("expected") == "dev names = new to the model"


def test_a_step_with_old_gradients_learns_and_is_refused():
    """The loss falls all the same, so that no bound on it would show the mistake."""
    torch.manual_seed(1)
    model = _given().MLP(8, 2, 3, 16, torch.Generator().manual_seed(1))
    rng = random.Random(1)
    X = torch.tensor([[rng.randrange(8), rng.randrange(8)] for _ in range(200)])
    Y = X.sum(1) % 8
    step = _stepper(zero=False)
    losses = [step(model, X, Y, 0.0005) for _ in range(300)]
    assert sum(losses[-20:]) < sum(losses[:20])
    for wrong in (step, _trainer(step_with=step)):
        id = "mlp.minibatch_step" if wrong is step else "mlp.train"
        assert run(id, wrong).state == "not yet"


def test_a_first_use_of_an_optimizer_does_not_use_up_the_time(limited):
    """It imports for seconds, and that is no slowness of the learner's."""
    limited("mlp.minibatch_step", 2)
    code = """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
"""
    verdict = run("mlp.minibatch_step", *answered("mlp.minibatch_step", code))
    assert verdict.passed, verdict
