"""Explorables: one idea each, a picture that answers a few controls.

    from workbook import explore
    explore.tangent_probe(lambda x: 3 * x**2 - 4 * x + 5, x=3.0)

Each is loaded the first time it is asked for. base.py says how to write a new one.
"""

from importlib import import_module
from typing import Any

_DOORS = {
    "tangent_probe": "micrograd",
    "saturation": "micrograd",
    "graph_stepper": "stepper",
    "expression_graph": "stepper",
    "network_graph": "network",
    "two_moons": "moons",
    "record_boundary": "moons",
    "count_map": "bigram",
    "record_table": "bigram",
    "descent_to_table": "bigram",
    "broadcasting": "broadcasting",
    "name_sampler": "sampling",
    "name_scorer": "scoring",
    "context_window": "mlp",
    "lr_range": "mlp",
    "capacity": "mlp",
    "storage": "storage",
    "letter_map": "letters",
    "record_letters": "letters",
    "saturation_image": "batchnorm",
    "layer_histograms": "batchnorm",
    "one_outlier": "batchnorm",
    "batch_jitter": "jitter",
    "update_ratios": "updates",
    "copy_and_sum": "backprop",
    "forces": "backprop",
    "batchnorm_gradient": "backprop",
    "backprop_tape": "tape",
    "receptive_tree": "wavenet",
    "shared_nodes": "wavenet",
    "shape_tracer": "shapes",
    "norm_axes": "shapes",
    "smoothing": "smoothing",
    "mask_leak": "attention",
    "sharpness": "attention",
    "attention_map": "attention",
    "position_map": "places",
    "text_sampler": "writing",
    "model_size": "sizes",
    "token_playground": "tokens",
    "merge_stepper": "merging",
    "encode_race": "race",
    "byte_view": "unicode",
    "split_view": "splitting",
    "vocabulary_size": "vocabulary",
}

__all__ = list(_DOORS)


def __getattr__(name: str) -> Any:
    """Load the module behind a door the first time somebody asks for it."""
    if name not in _DOORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_DOORS[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_DOORS])
