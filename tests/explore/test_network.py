"""The picture of a network counts and draws every weight, and reads, no more."""

from __future__ import annotations

import random
from xml.etree import ElementTree

from workbook.explore import network_graph
from workbook.given.micrograd import MLP


def drawn(net) -> list[str]:
    root = ElementTree.fromstring(network_graph(net).page().svg())
    return [node.tag.rpartition("}")[2] for node in root.iter()]


def test_there_is_a_line_for_each_weight_and_a_circle_for_each_neuron() -> None:
    random.seed(3)
    net = MLP(3, [4, 4, 1])
    kinds = drawn(net)
    assert kinds.count("path") == 3 * 4 + 4 * 4 + 4
    assert kinds.count("circle") == 2 * (3 + 4 + 4 + 1)
    title = network_graph(net).page().title
    assert title == "3 → 4 → 4 → 1: 32 weights and 9 biases"


def test_a_weight_below_zero_is_dashed() -> None:
    net = MLP(2, [1])
    net.layers[0].neurons[0].w[0].data = 1.0
    net.layers[0].neurons[0].w[1].data = -1.0
    assert network_graph(net).page().svg().count("stroke-dasharray") == 1


def test_what_is_no_network_is_refused_in_one_sentence() -> None:
    assert network_graph(3).page().title.endswith("not a int.")


def test_a_layer_that_is_too_wide_is_refused_in_one_sentence() -> None:
    assert "draws 1 to 12" in network_graph(MLP(2, [16, 1])).page().title
