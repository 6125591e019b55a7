"""Looks into a model during one step, without the model's code having to change.

A model is one of

- a `torch.nn.Module`: hooks catch what its layers give, for the observed step only;
- an object with `layers`, or a list of layers: each layer may keep its last output as
  `out` and give `parameters()`; layers may hold `layers` of their own;
- an object with `parameters()` only, a list of tensors, or a dict of named ones;
- built of plain numbers (`.data` and `.grad`) in place of tensors.

Between `arm` and `collect` lies one training step. The update of a parameter is the
difference between the two, so that it is right for any optimiser.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbook.live import measure
from workbook.live.measure import Numbers, Spread

_BENT = ("tanh", "relu", "sigmoid", "gelu", "silu", "swish", "elu", "softsign")


@dataclass(frozen=True)
class Found:
    """A layer as it was found in the model: its name, itself, its parameters."""

    name: str
    layer: Any
    parameters: tuple[tuple[str, Any], ...]  # (name, tensor or list of Values)

    @property
    def kind(self) -> str:
        """The layer's class."""
        return "" if measure.is_tensor(self.layer) else type(self.layer).__name__


@dataclass(frozen=True)
class Seen:
    """Numbers that were looked at: their spread, and a sample for the histogram."""

    spread: Spread
    numbers: Numbers = field(repr=False)


@dataclass(frozen=True)
class Parameter:
    """A parameter at one step. ratio: log10 of std(update) / std(data), or None."""

    name: str
    shape: tuple[int, ...]
    std: float
    gradient: Seen | None
    ratio: float | None

    @property
    def is_matrix(self) -> bool:
        """Weights, as opposed to a bias or a gain."""
        return len(self.shape) > 1


@dataclass(frozen=True)
class Layer:
    """A layer at one step. output: None where it was not caught.

    corner: the first examples and units of a batch, (N, H), or None.
    """

    name: str
    kind: str
    output: Seen | None
    parameters: tuple[Parameter, ...]
    corner: Any = field(default=None, repr=False)

    @property
    def is_bent(self) -> bool:
        """Whether it is a non-linear function, by its name or by its values."""
        kind = self.kind.lower()
        stuck = self.output is not None and self.output.spread.stuck is not None
        return stuck or any(word in kind for word in _BENT)


@dataclass(frozen=True)
class Observation:
    """All layers at one step, in the model's order."""

    step: int
    layers: tuple[Layer, ...]


class Observer:
    """Observes one step at a time: `arm`, the step, `collect`."""

    def __init__(self) -> None:
        self._hooks: list[Any] = []
        self._outputs: dict[int, Numbers] = {}
        self._corners: dict[int, Any] = {}
        self._before: dict[str, Numbers] = {}
        self._gradients: dict[str, Numbers] = {}

    def arm(self, model: Any) -> None:
        """Before the step: copy the parameters' samples, hang up the hooks."""
        self.release()
        found = list(layers_of(model))
        self._before = _samples(found, _data)
        for one in found:
            if hasattr(one.layer, "register_forward_hook"):
                hook = one.layer.register_forward_hook(self._catch)
                self._hooks.append(hook)

    def look_at_gradients(self, model: Any) -> None:
        """Within the step: copy the gradients, which may be cleared before its end."""
        self._gradients = _samples(layers_of(model), _gradient)

    def collect(self, model: Any, step: int, loose: Mapping[str, Any]) -> Observation:
        """After the step: what was seen. loose: activations that no layer holds."""
        found = list(layers_of(model))
        if not any(map(_moves, self._gradients.values())):
            self._gradients = _samples(found, _gradient)
        layers = [self._layer(one) for one in found]
        layers += [_loose(name, values) for name, values in loose.items()]
        self.release()
        return Observation(step, tuple(layers))

    def release(self) -> None:
        """Take every hook down and forget the copies."""
        for hook in self._hooks:
            hook.remove()
        self._hooks, self._outputs, self._corners = [], {}, {}
        self._before, self._gradients = {}, {}

    def _catch(self, layer: Any, _: Any, output: Any) -> None:
        """The first output of a layer in the step: later ones may be an evaluation."""
        if id(layer) not in self._outputs:
            found = _first_tensor(output)
            numbers = measure.sample(found)
            if numbers is not None:
                self._outputs[id(layer)] = numbers
                self._corners[id(layer)] = measure.corner(found)

    def _layer(self, one: Found) -> Layer:
        numbers = self._outputs.get(id(one.layer))
        corner = self._corners.get(id(one.layer))
        if numbers is None:
            kept = _first_tensor(getattr(one.layer, "out", None))
            numbers, corner = measure.sample(kept), measure.corner(kept)
        parameters = [self._parameter(name, p) for name, p in one.parameters]
        seen = _seen(numbers, one.kind)
        known = tuple(p for p in parameters if p)
        return Layer(one.name, one.kind, seen, known, corner)

    def _parameter(self, name: str, parameter: Any) -> Parameter | None:
        now = measure.sample(_data(parameter))
        if now is None:
            return None
        shape = tuple(getattr(parameter, "shape", ())) or (len(now),)
        if isinstance(parameter, list):
            shape = (1, len(parameter))  # a layer of Values: all its weights at once
        std = measure.deviation(now)
        ratio = _ratio(now, self._before.get(name), std)
        return Parameter(name, shape, std, _seen(self._gradients.get(name)), ratio)


def layers_of(model: Any, path: str = "") -> Iterator[Found]:
    """The layers of a model, in order; nothing for what is no model."""
    if hasattr(model, "named_modules"):
        yield from _modules(model)
    elif isinstance(model, Mapping):
        yield from _items(model.items(), path)
    elif isinstance(model, (list, tuple)):
        yield from _of_list(model, path)
    elif isinstance(getattr(model, "layers", None), (list, tuple)):
        yield from _of_list(model.layers, path)
    elif model is not None:
        yield from _alone(path, model)


def _of_list(items: Any, path: str) -> Iterator[Found]:
    if items and all(_is_value(item) for item in items):
        yield Found(path or "parameters", items, ((path or "parameters", [*items]),))
    else:
        yield from _items(enumerate(items), path)


def _items(items: Any, path: str) -> Iterator[Found]:
    """Layers or tensors with names; a layer that holds layers is looked into."""
    for key, item in items:
        name = f"{path}.{key}" if path else str(key)
        nested = isinstance(item, (list, tuple, Mapping)) or hasattr(item, "layers")
        if nested and not _is_value(item):
            yield from layers_of(item, name)
        else:
            yield from _alone(name, item)


def _alone(name: str, layer: Any) -> Iterator[Found]:
    """One layer, or one tensor as a layer of its own."""
    if measure.is_tensor(layer):
        called = f"tensor {name}" if name.isdigit() else name
        yield Found(called, layer, ((called, layer),))
        return
    kind = type(layer).__name__
    called = f"layer {name}" if kind == "Layer" else f"{name} {kind}".strip()
    parameters = getattr(layer, "parameters", None)
    own = list(parameters()) if callable(parameters) else []
    yield Found(called, layer, tuple(_named(called, name, layer, own)))


def _named(
    called: str, name: str, layer: Any, own: list[Any]
) -> Iterator[tuple[str, Any]]:
    """Tensors under the attribute that holds them; Values all together."""
    if own and all(_is_value(p) for p in own):
        yield called, own
        return
    attributes = {id(v): k for k, v in getattr(layer, "__dict__", {}).items()}
    for i, parameter in enumerate(own):
        word = attributes.get(id(parameter), str(i))
        yield (f"{name}.{word}" if name else word), parameter


def _modules(model: Any) -> Iterator[Found]:
    """The leaves of a module, and parameters that belong to a module with children."""
    for path, module in model.named_modules():
        own = [
            (f"{path}.{name}" if path else name, parameter)
            for name, parameter in module.named_parameters(recurse=False)
        ]
        if own or not any(True for _ in module.children()):
            kind = type(module).__name__
            yield Found(f"{path} {kind}".strip(), module, tuple(own))


def _is_value(item: Any) -> bool:
    """A plain number with a gradient, as our own engine makes them."""
    return isinstance(getattr(item, "data", None), (int, float)) and hasattr(
        item, "grad"
    )


def _data(parameter: Any) -> Any:
    if isinstance(parameter, list):
        return [value.data for value in parameter]
    return parameter


def _gradient(parameter: Any) -> Any:
    if isinstance(parameter, list):
        return [value.grad for value in parameter]
    return parameter.grad if parameter.is_leaf or parameter.retains_grad else None


def _samples(found: Any, of: Any) -> dict[str, Numbers]:
    taken = (
        (name, measure.sample(of(parameter)))
        for one in found
        for name, parameter in one.parameters
    )
    return {name: numbers for name, numbers in taken if numbers is not None}


def _seen(numbers: Numbers | None, kind: str = "") -> Seen | None:
    return None if numbers is None else Seen(measure.spread(numbers, kind), numbers)


def _loose(name: str, values: Any) -> Layer:
    seen = _seen(measure.sample(values), "bounded")
    return Layer(name, "", seen, (), measure.corner(values))


def _moves(numbers: Numbers) -> bool:
    """Whether any of them is not zero."""
    return any(numbers) if isinstance(numbers, list) else bool(numbers.any())


def _ratio(now: Numbers, before: Numbers | None, std: float) -> float | None:
    """log10 of the update's size over the data's; None where either is nothing."""
    if before is None or len(before) != len(now) or not std > 0:
        return None
    change = measure.deviation(measure.difference(now, before))
    if not change > 0 or not math.isfinite(change) or not math.isfinite(std):
        return None
    return math.log10(change / std)


def _first_tensor(output: Any) -> Any:
    """A layer's output, or the first of several; Values as their numbers."""
    while isinstance(output, (list, tuple)) and output:
        if all(_is_value(item) for item in output):
            return [item.data for item in output]
        output = output[0]
    return [output.data] if _is_value(output) else output
