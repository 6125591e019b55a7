"""A model is looked at for one step, and left as it was."""

import math
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from workbook.given.micrograd import MLP
from workbook.live import measure
from workbook.live.observer import Observation, Observer, layers_of


class Linear:
    def __init__(self, nin: int, nout: int) -> None:
        self.weight = torch.randn(nin, nout).requires_grad_()
        self.bias = torch.zeros(nout).requires_grad_()

    def __call__(self, x: Any) -> Any:
        self.out = x @ self.weight + self.bias
        return self.out

    def parameters(self) -> list:
        return [self.weight, self.bias]


class Tanh:
    def __call__(self, x: Any) -> Any:
        self.out = torch.tanh(x)
        return self.out

    def parameters(self) -> list:
        return []


class Sequential:
    def __init__(self, *layers: Any) -> None:
        self.layers = list(layers)

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self) -> list:
        return [p for layer in self.layers for p in layer.parameters()]


def one_step(model: Any, parameters: Any, forward: Callable, lr: float = 0.1) -> None:
    loss = forward(torch.randn(16, 3)).square().mean()
    for p in parameters:
        p.grad = None
    loss.backward()
    for p in parameters:
        p.data -= lr * p.grad


def observed(model: Any, parameters: Any, forward: Callable) -> Observation:
    observer = Observer()
    observer.arm(model)
    one_step(model, parameters, forward)
    seen = observer.collect(model, 7, {})
    assert observer._hooks == [] and observer._before == {}
    return seen


def test_a_torch_module_is_seen_layer_by_layer_and_no_hook_stays() -> None:
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    seen = observed(model, list(model.parameters()), model)
    assert [layer.name for layer in seen.layers] == ["0 Linear", "1 Tanh", "2 Linear"]
    assert [layer.is_bent for layer in seen.layers] == [False, True, False]
    assert [p.name for p in seen.layers[0].parameters] == ["0.weight", "0.bias"]
    assert all(not m._forward_hooks for m in model.modules())
    assert seen.step == 7


def test_layers_that_keep_their_output_are_seen_without_hooks() -> None:
    model = Sequential(Linear(3, 8), Tanh(), Linear(8, 1))
    seen = observed(model, model.parameters(), model)
    assert [layer.name for layer in seen.layers] == ["0 Linear", "1 Tanh", "2 Linear"]
    tanh = seen.layers[1].output
    assert tanh is not None and tanh.spread.stuck is not None
    assert tanh.spread.std == pytest.approx(model.layers[1].out.std().item(), rel=1e-5)
    assert [p.name for p in seen.layers[2].parameters] == ["2.weight", "2.bias"]


def test_a_list_of_layers_and_nested_ones_are_flattened() -> None:
    inner = Sequential(Linear(3, 4), Tanh())
    names = [found.name for found in layers_of([inner, Linear(4, 1)])]
    assert names == ["0.0 Linear", "0.1 Tanh", "1 Linear"]


def test_named_tensors_and_loose_activations_are_seen() -> None:
    W, b = torch.randn(3, 2).requires_grad_(), torch.zeros(2).requires_grad_()
    model, observer = {"W": W, "b": b}, Observer()
    observer.arm(model)
    one_step(model, [W, b], lambda x: torch.tanh(x @ W + b))
    h = torch.tanh(torch.randn(32, 5))
    seen = observer.collect(model, 0, {"h": h})
    assert [layer.name for layer in seen.layers] == ["W", "b", "h"]
    assert seen.layers[2].is_bent
    assert all(layer.parameters[0].gradient for layer in seen.layers[:2])


def test_the_engine_of_lesson_1_is_seen_by_layers() -> None:
    model = MLP(2, [4, 1], act="tanh")
    observer = Observer()
    observer.arm(model)
    loss = model([1.0, -1.0]) ** 2
    model.zero_grad()
    loss.backward()
    before = [[p.data for p in layer.parameters()] for layer in model.layers]
    for p in model.parameters():
        p.data -= 0.1 * p.grad
    seen = observer.collect(model, 0, {})
    (weights,) = seen.layers[0].parameters
    after = [p.data for p in model.layers[0].parameters()]
    change = [a - b for a, b in zip(after, before[0], strict=True)]
    expected = math.log10(
        torch.tensor(change, dtype=torch.float64).std()
        / torch.tensor(after, dtype=torch.float64).std()
    )
    assert weights.ratio == pytest.approx(expected)
    assert weights.gradient is not None and weights.is_matrix


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam])
def test_the_ratio_is_that_of_the_update_whatever_made_it(kind: type) -> None:
    model = nn.Linear(3, 2)
    optimiser = kind(model.parameters(), lr=0.01)
    observer = Observer()
    observer.arm(model)
    before = model.weight.detach().clone()
    model(torch.randn(8, 3)).square().mean().backward()
    optimiser.step()
    seen = observer.collect(model, 0, {})
    change = (model.weight.detach() - before).std() / model.weight.detach().std()
    assert seen.layers[0].parameters[0].ratio == pytest.approx(
        math.log10(change), abs=1e-5
    )


def test_gradients_that_are_cleared_within_the_step_are_seen_at_the_log() -> None:
    model, observer = nn.Linear(3, 2), Observer()
    observer.arm(model)
    model(torch.randn(8, 3)).square().mean().backward()
    observer.look_at_gradients(model)
    model.zero_grad()
    seen = observer.collect(model, 0, {})
    gradient = seen.layers[0].parameters[0].gradient
    assert gradient is not None and gradient.spread.std > 0


def test_gradients_that_come_after_the_log_are_seen_at_the_end() -> None:
    model, observer = nn.Linear(3, 2), Observer()
    observer.arm(model)
    observer.look_at_gradients(model)
    model(torch.randn(8, 3)).square().mean().backward()
    gradient = observer.collect(model, 0, {}).layers[0].parameters[0].gradient
    assert gradient is not None and gradient.spread.std > 0


def test_looking_changes_neither_the_numbers_nor_the_random_ones() -> None:
    def trained(watch: bool) -> list[float]:
        torch.manual_seed(1)
        model, observer = nn.Sequential(nn.Linear(3, 4), nn.Tanh()), Observer()
        for _ in range(5):
            if watch:
                observer.arm(model)
            one_step(model, list(model.parameters()), model)
            if watch:
                observer.collect(model, 0, {})
        return [x for p in model.parameters() for x in p.flatten().tolist()]

    assert trained(True) == trained(False)


def test_the_first_output_of_a_step_counts_and_not_an_evaluation() -> None:
    model, observer = nn.Sequential(nn.Tanh()), Observer()
    observer.arm(model)
    model(torch.full((4, 2), 0.5))
    model(torch.full((4, 2), 9.0))
    output = observer.collect(model, 0, {}).layers[0].output
    assert output is not None and output.spread.mean < 0.5


@pytest.mark.parametrize("model", [None, object(), {}, [], nn.Tanh(), 3.0, "text"])
def test_a_model_without_parameters_has_none_to_show(model: Any) -> None:
    observer = Observer()
    observer.arm(model)
    seen = observer.collect(model, 0, {})
    assert [p for layer in seen.layers for p in layer.parameters] == []


def test_saturation_counts_both_ends_of_tanh_and_both_of_a_sigmoid() -> None:
    h = torch.tensor([-0.99, -0.5, 0.0, 0.98])
    assert measure.spread(h, "Tanh").stuck == 0.5
    assert measure.spread(h.tolist(), "Tanh").stuck == 0.5
    assert measure.spread(torch.tensor([0.01, 0.5, 0.99, 0.6]), "Sigmoid").stuck == 0.5
    assert measure.spread(torch.tensor([0.0, 0.0, 1.0, 2.0]), "ReLU").stuck == 0.5
    assert measure.spread(torch.tensor([0.0, 0.5]), "Linear").stuck is None


def test_nan_and_infinity_are_told_and_do_not_break_the_histogram() -> None:
    for odd in (math.nan, math.inf):
        assert not measure.spread(torch.tensor([1.0, odd])).finite
        assert not measure.spread([1.0, odd]).finite


def test_a_list_and_a_tensor_give_the_same_histogram() -> None:
    numbers = torch.randn(500, dtype=torch.float64).float()
    ours = measure.histogram(numbers.tolist(), -2.0, 2.0)
    assert ours == pytest.approx(measure.histogram(numbers, -2.0, 2.0))
    assert max(ours) == 1.0 and len(ours) == measure.BINS


def test_a_sample_of_a_large_tensor_touches_every_column() -> None:
    columns = torch.arange(200.0).expand(30_000, 200)
    assert len(set(measure.sample(columns).tolist())) == 200
    assert len(measure.sample(columns)) <= measure.SAMPLE


def test_a_sample_is_a_copy() -> None:
    tensor = torch.zeros(4)
    taken = measure.sample(tensor)
    tensor += 1
    assert taken.sum() == 0


def test_without_torch_a_list_is_measured_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    assert measure.spread([1.0, 2.0, 3.0]).mean == 2.0
    assert not measure.is_tensor([1.0])


def test_a_layer_of_the_engine_has_a_readable_name():
    found = list(layers_of(MLP(2, [3, 1])))
    assert [one.name for one in found] == ["layer 0", "layer 1"]
