"""Lesson 4: what only a close look shows."""

import pytest
import torch
from notebook import answered, solved

from workbook.checks import known, run
from workbook.checks.batchnorm import _given


@pytest.mark.parametrize(
    ("id", "code"),
    {
        "batchnorm.saturation": """
def saturated(h, edge=0.97):
    return h.abs_() > edge
""",
        "batchnorm.update_ratio": """
def update_ratio(p, lr):
    p.grad *= lr
    return (p.grad.std() / p.data.std()).log10().item()
""",
        "batchnorm.layer_statistics": """
def layer_statistics(layers, X, Y):
    X.requires_grad_()
    X.data -= X.data.mean()
    return given_statistics(layers, X, Y)
""",
        "batchnorm.fold_batchnorm": """
def folded(layers):
    for i in reversed(range(1, len(layers))):
        if isinstance(layers[i], BatchNorm1d) and isinstance(layers[i - 1], Linear):
            layers[i - 1] = fold_batchnorm(layers[i - 1], layers.pop(i))
    return layers
""",
    }.items(),
)
def test_an_answer_that_changes_its_argument_is_told(id, code):
    names = solved(id)
    names["given_statistics"] = names.get("layer_statistics")
    verdict = run(id, *answered(id, code, names))
    assert verdict.state == "not yet", verdict


# ---------------------------------------------------------------- one convention


def mistake(name: str) -> tuple:
    return known("batchnorm.batchnorm").mistakes[name].make()


def test_the_lectures_convention_is_named_as_such():
    """It is no slip, and one had to be fixed: the sentence says whose it is."""
    verdict = run("batchnorm.batchnorm", *mistake("lecture's variance"))
    assert verdict.state == "not yet"
    assert verdict.mistake == "lecture's variance"
    assert "as in the lecture: PyTorch takes N" in verdict.line("looks as")


def test_the_two_conventions_lie_far_enough_apart_to_be_told():
    """At 64 examples too, where the largest difference is below one per cent."""
    (lecture,) = mistake("lecture's variance")
    x = torch.randn(64, 5, generator=torch.Generator().manual_seed(1))
    one, two = lecture(5)(x), _given().BatchNorm1d(5)(x)
    apart = (one - two).abs().max() / two.abs().max()
    assert 0.005 < apart < 0.01


def test_each_convention_has_its_own_name():
    names = ("lecture's variance", "paper's variance forgotten", "variances swapped")
    found = [run("batchnorm.batchnorm", *mistake(name)).mistake for name in names]
    assert tuple(found) == names


# ---------------------------------------------------------------- a close look


def test_without_keepdim_batchnorm_is_as_good():
    code = """
class BatchNorm1d(BatchNorm1d):
    def __call__(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=0, keepdim=True)
            var = x.var(dim=0, keepdim=True, correction=0)
            self.remember(mean[0].detach(), x.detach().var(0))
        self.out = self.gamma * ((x - mean) / (var + self.eps) ** 0.5) + self.beta
        return self.out
"""
    id = "batchnorm.batchnorm"
    assert run(id, *answered(id, code)).passed


def test_a_bias_in_front_of_batchnorm_trains_as_well_and_is_refused():
    """No loss shows it: the mean takes every constant out."""
    deep_network, *others = known("batchnorm.train_deep").mistakes["biases"].make()
    layers = deep_network(6, 5, 4, 2)
    X = torch.randn(20, 6, generator=torch.Generator().manual_seed(1))
    for layer in layers:
        X = layer(X)
    X.square().sum().backward()
    biases = [layer.bias for layer in layers if hasattr(layer, "bias")]
    assert all(b.grad.abs().max() < 1e-4 for b in biases)
    assert run("batchnorm.train_deep", deep_network, *others).mistake == "biases"


def test_a_measurement_in_training_gives_a_plausible_loss_and_is_refused():
    id = "batchnorm.train_deep"
    verdict = run(id, *known(id).mistakes["measured in training"].make())
    assert verdict.line("yours") == "layers in training meanwhile = all"


def test_old_gradients_move_the_same_parameters_and_are_refused():
    id = "batchnorm.all_zero_init"
    learns, unigram = known(id).mistakes["gradients pile up"].make()
    p = [torch.ones(3, requires_grad=True) for _ in "ab"]
    said = learns(p, lambda: ((p[0] - 1) ** 2).sum() + 0 * p[1].sum(), 3, 0.1)
    assert said == [True, False]
    assert run(id, learns, unigram).state == "not yet"
