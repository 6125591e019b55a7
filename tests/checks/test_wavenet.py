"""Lesson 6: what only a close look shows."""

import pytest
import torch
from notebook import answered, solved

from workbook.checks import known, run
from workbook.checks.wavenet import _given


@pytest.mark.parametrize(
    ("id", "code"),
    {
        "wavenet.flatten_consecutive": """
class FlattenConsecutive(FlattenConsecutive):
    def forward(self, x):
        x.data += 1
        return super().forward(x)
""",
        "wavenet.experiment_log": """
def ranked(rows, by="dev"):
    rows.reverse()
    return solved_ranked(rows, by)
""",
        "wavenet.smooth_loss": """
def running_mean(losses, beta=0.99):
    means = solved_mean(losses, beta)
    losses.clear()
    return means
""",
    }.items(),
)
def test_an_answer_that_changes_its_argument_is_told(id, code):
    names = solved(id)
    names["solved_ranked"] = names.get("ranked")
    names["solved_mean"] = names.get("running_mean")
    verdict = run(id, *answered(id, code, names))
    assert verdict.state == "not yet", verdict


# ---------------------------------------------------------------- not by the loss


def test_the_lectures_bug_is_named_and_has_plausible_outputs():
    """Each place is normalised well by its own mean: only the statistics tell."""
    id = "wavenet.batchnorm_3d"
    changed, broken = known(id).mistakes["over the batch alone"].make()
    layer = broken(3)
    x = torch.randn(64, 4, 3, generator=torch.Generator().manual_seed(1))
    out = layer(x)
    assert abs(out.mean()) < 0.01 and abs(out.std() - 1) < 0.02
    assert layer.running_mean.shape == (4, 3)
    assert run(id, changed, broken).mistake == "over the batch alone"


def test_halves_have_the_right_shape_and_make_another_tree():
    id = "wavenet.flatten_consecutive"
    (wrong,) = known(id).mistakes["halves"].make()
    x = torch.arange(8.0).view(1, 8, 1)
    assert wrong(2)(x).shape == _given().FlattenConsecutive(2)(x).shape
    assert wrong(2)(x)[0, 0].tolist() == [0.0, 4.0]
    assert run(id, wrong).mistake == "halves"


def test_a_bare_squeeze_trains_and_fails_on_one_example():
    (wrong,) = known("wavenet.flatten_consecutive").mistakes["bare squeeze"].make()
    assert wrong(2)(torch.zeros(5, 2, 3)).shape == (5, 6)
    assert wrong(2)(torch.zeros(1, 2, 3)).shape == (6,)


def test_zeros_for_dots_are_right_after_enough_letters():
    """Only the first places differ, which a test of the last place would miss."""
    id = "wavenet.conv_equals_tree"
    *others, wrong = known(id).mistakes["zeros for dots"].make()
    tree = _given().WaveNet(9, 3, 5, 2, torch.Generator().manual_seed(1)).eval()
    X = torch.randint(1, 9, (2, 7), generator=torch.Generator().manual_seed(2))
    right = _given().CausalDilatedWaveNet(tree)(X)
    gaps = (wrong(tree)(X) - right).abs().amax((0, 2))
    assert bool((gaps[:3] > 1e-3).all()) and bool((gaps[3:] < 1e-6).all())
    assert run(id, *others, wrong).mistake == "zeros for dots"


def test_a_plain_list_hides_its_layers_from_every_walk():
    (wrong,) = known("wavenet.sequential").mistakes["a list"].make()
    net = wrong(_given().Linear(2, 3), _given().Tanh())
    assert net(torch.ones(1, 2)).shape == (1, 3)
    assert net.parameters() == []


def test_a_dev_loss_told_in_training_is_refused():
    """It depends on the batch, and is another number than the one in use."""
    id = "wavenet.beat_the_lecture"
    code = """
def beat_the_lecture(train, dev, stoi, steps, log):
    model = WaveNet(len(stoi), 8, 24, 2, torch.Generator().manual_seed(1))
    X, Y = build_dataset(train, stoi, 4)
    g = torch.Generator().manual_seed(2)
    for step in range(steps):
        ix = torch.randint(0, len(X), (32,), generator=g)
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        parameters = list(model.parameters())
        for p, grad in zip(parameters, torch.autograd.grad(loss, parameters)):
            p.data -= 0.3 * grad
    X, Y = build_dataset(dev, stoi, 4)
    told = F.cross_entropy(model(X[:200]), Y[:200]).item()
    log.append({"tried": "measured in training", "dev": told})
    return model
"""
    verdict = run(id, *answered(id, code))
    assert verdict.line("yours") == "its dev loss = another number"
