"""Lesson 6's explorables: what they show is what the lesson's tensors would be."""

from xml.etree import ElementTree

import pytest
import torch
from walking import quickest, states

from workbook.explore import (
    norm_axes,
    receptive_tree,
    shape_tracer,
    shared_nodes,
    smoothing,
)
from workbook.explore.base import Explorable
from workbook.explore.shapes import AXES, trace
from workbook.explore.smoothing import FEWEST
from workbook.explore.wavenet import PLANS, nearest, nodes_of, tree_at


class Fuse(torch.nn.Module):
    """(B, T, C) -> (B, T / n, n C), and at the top (B, n C)."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        B, T, C = x.shape
        x = x.view(B, T // self.n, C * self.n)
        return x.squeeze(1) if x.shape[1] == 1 else x


class Last(torch.nn.BatchNorm1d):
    """BatchNorm with the channels last."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.flatten(0, -2)).view(x.shape)


def tree(embedding: int = 6, hidden: int = 10) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = [torch.nn.Embedding(27, embedding)]
    for dim in (embedding, hidden, hidden):
        layers += [Fuse(2), torch.nn.Linear(2 * dim, hidden, bias=False)]
        layers += [Last(hidden), torch.nn.Tanh()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(hidden, 27))


def contexts() -> torch.Tensor:
    return torch.tensor([[0, 0, 0, 0, 5, 13, 13, 1]] * 32)


def falling() -> torch.Tensor:
    noise = torch.randn(2_000, generator=torch.Generator().manual_seed(1))
    return 2.2 + torch.exp(-torch.arange(2_000) / 100) + 0.25 * noise


def every_one() -> dict[str, Explorable]:
    return {
        "tree": receptive_tree(),
        "shared": shared_nodes(),
        "shapes": shape_tracer(tree(), contexts()),
        "axes": norm_axes(),
        "smoothing": smoothing(falling()),
    }


# --- All of them ------------------------------------------------------------------


@pytest.mark.parametrize("name", every_one())
def test_it_is_well_formed_in_every_state_and_has_a_table_and_a_place_to_look(
    name: str,
) -> None:
    thing = every_one()[name]
    for state in states(thing):
        page = thing.page(**state)
        root = ElementTree.fromstring(page.svg())
        assert page.rows and page.look and len(page.title) <= 72, state
        assert root.attrib["role"] == "img"
        assert all(len(row) == len(page.header) for row in page.rows)


@pytest.mark.parametrize("name", every_one())
def test_it_answers_within_a_tenth_of_a_second(name: str) -> None:
    assert quickest(every_one()[name]) < 0.1


@pytest.mark.parametrize("typed", ["", "o'neil", "zoë", "a" * 11])
def test_a_name_that_cannot_be_shown_is_told_in_a_sentence(typed: str) -> None:
    for thing in (receptive_tree(), shared_nodes()):
        page = thing.page(word=typed)
        assert not page.body and page.title.endswith(".")


# --- What a node sees -------------------------------------------------------------


@pytest.mark.parametrize(("said", "plan"), PLANS)
def test_a_level_s_nodes_share_the_eight_letters_out(said: str, plan: tuple) -> None:
    nodes = nodes_of(plan)
    for level in range(1, len(plan) + 1):
        spans = [range(n.first, n.last) for n in nodes if n.level == level]
        assert [i for span in spans for i in span] == list(range(8)), said
    assert (nodes[-1].first, nodes[-1].last) == (0, 8)
    page = receptive_tree().page(plan=plan, node="G")
    assert page.title == 'Node G sees 8 of 8 letters: "....emma"'


def test_the_nodes_see_what_gradients_reach() -> None:
    """Which letters the tree's second level depends on, by autograd."""
    layers = tree().eval()
    points = layers[0](contexts()[:1]).detach().requires_grad_()  # (1, 8, 6)
    level2 = layers[1:9](points)  # (1, 2, 10)
    level2[0, 1].sum().backward()
    reached = points.grad[0].abs().sum(1).nonzero().flatten().tolist()
    node = next(n for n in nodes_of((2, 2, 2)) if n.name == "F")
    assert reached == list(range(node.first, node.last)) == [4, 5, 6, 7]


@pytest.mark.parametrize(("said", "plan"), PLANS)
def test_the_button_the_claim_and_the_ring_agree(said: str, plan: tuple) -> None:
    there = {node.name: node for node in nodes_of(plan)}
    for name in "ABCDEFG":
        page = receptive_tree().page(plan=plan, node=name)
        ringed = page.body.count("<circle") - 2 * len(there)
        shown = name if name in there else nearest(plan, name)
        assert page.title.startswith(f"Node {shown} sees") and ringed == 1, said
        thing = receptive_tree().set(plan=plan, node=name)
        thing.settle()
        assert thing.state["node"] == shown


@pytest.mark.parametrize(("said", "plan"), PLANS)
def test_what_takes_over_for_a_node_sees_all_that_it_would_see(
    said: str, plan: tuple
) -> None:
    spans = {node.name: range(node.first, node.last) for node in nodes_of(plan)}
    for node in nodes_of((2, 2, 2)):
        covered = spans[nearest(plan, node.name)]
        assert node.first in covered and node.last - 1 in covered, said


def test_a_name_that_is_too_long_says_what_is_cut_off() -> None:
    assert "first 2 letters are out" in receptive_tree().page(word="maximilian").look
    assert "first letter is out" in receptive_tree().page(word="ricardina").look
    assert "out of it" not in receptive_tree().page(word="emma").look


# --- Shapes -----------------------------------------------------------------------


def test_the_shapes_are_those_of_a_forward_pass() -> None:
    model, x = tree(), contexts()[:4]
    stages = trace(list(model), x)
    for layer, stage in zip(model.eval(), stages, strict=True):
        assert tuple(x.shape) == stage.before
        x = layer(x)
        assert tuple(x.shape) == stage.after
    assert sum(s.count for s in stages) == sum(p.numel() for p in model.parameters())


def test_tracing_leaves_the_model_as_it_was() -> None:
    model = tree()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    shape_tracer(model, contexts())
    assert all(torch.equal(before[n], t) for n, t in model.state_dict().items())
    assert all(layer.training for layer in model)


def test_a_faulty_buffer_shows_its_shape() -> None:
    model = tree()
    norm = model[3]
    norm.register_buffer("running_mean", torch.zeros(4, 10))
    norm.forward = lambda x: x - norm.running_mean
    rows = shape_tracer(model, contexts()).page(layer=3).rows
    assert "running_mean (4, 10)" in rows[3][3]


def test_layers_that_are_no_torch_modules_are_read_by_their_tensors() -> None:
    class Table:
        training = True

        def __init__(self) -> None:
            self.weight = torch.zeros(27, 5, requires_grad=True)
            self.seen = torch.zeros(3)

        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            self.out = self.weight[x]
            return self.out

    (stage,) = trace([Table()], contexts())
    assert stage.parameters == (("weight", (27, 5)),)
    assert stage.buffers == (("seen", (3,)),)


def test_a_batch_that_does_not_fit_is_told_in_a_sentence() -> None:
    page = shape_tracer(tree(), contexts()[:, :6]).page()
    assert page.title.startswith("The batch did not get through") and not page.body


# --- Whose mean -------------------------------------------------------------------


@pytest.mark.parametrize(("said", "axes"), AXES)
def test_the_means_are_counted_as_torch_makes_them(said: str, axes: tuple) -> None:
    x = torch.randn(32, 4, 68, generator=torch.Generator().manual_seed(1))
    means = x.mean(axes, keepdim=True)
    page = norm_axes((32, 4, 68)).page(axes=axes)
    each = x.numel() // means.numel()
    assert (
        page.title == f"mean({said}): {means.numel():,} means, each of {each:,} numbers"
    )
    row = next(row for row in page.rows if row[0] == said)
    assert row[3] == str(tuple(means.shape))


@pytest.mark.parametrize(
    ("axes", "lit"), [((0,), 5), ((0, 1), 20), ((1,), 4), ((2,), 3)]
)
def test_the_numbers_that_share_a_mean_light_up(axes: tuple, lit: int) -> None:
    body = norm_axes().page(axes=axes, cell=17).body
    assert body.count('opacity="0.75"') == lit


# --- What trees share -------------------------------------------------------------


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_a_line_shares_as_many_nodes_as_a_stack_of_convolutions_has(
    levels: int,
) -> None:
    """A level of a convolution has an output at each place that its reach allows."""
    word = "ricardina"
    rows = shared_nodes(word, levels).page(at=len(word)).rows
    outputs, block = len(word) + 1, 2**levels
    by_level = [outputs + block - 2**level for level in range(1, levels + 1)]
    assert rows[-1][4] == str(sum(by_level))
    assert rows[-1][5] == str(outputs * (block - 1))
    assert len(tree_at(levels, 0)) == block - 1


def test_new_and_reused_nodes_add_up_in_every_row() -> None:
    for row in shared_nodes("emma").page(at=4).rows:
        assert int(row[2]) + int(row[3]) == 7
    assert shared_nodes("emma").page(at=0).title == (
        "Output 1: 7 new nodes, none shared yet"
    )
    assert shared_nodes("emma").page(at=4).title == (
        "Output 5: 3 new nodes, 4 reused; 25 in all, not 35"
    )


# --- Smoothing --------------------------------------------------------------------


def test_the_means_are_those_of_rows() -> None:
    losses = falling()
    told = dict(smoothing(losses).page(group=130).rows)
    rows = losses[: 2_000 // 130 * 130].view(-1, 130).mean(1)
    assert told["points"] == str(len(rows)) and told["left over"] == str(2_000 % 130)
    assert told["last point"] == f"{rows[-1]:.3f}"


def test_more_batches_a_point_scatter_less() -> None:
    thing = smoothing(falling())
    scatters = [
        float(dict(thing.page(group=g).rows)["scatter of a point"])
        for g in (1, 10, 100)
    ]
    assert scatters == sorted(scatters, reverse=True)
    assert scatters[1] == pytest.approx(0.25 / 10**0.5, rel=0.25)


@pytest.mark.parametrize("losses", [[], [2.0] * (FEWEST - 1), [float("nan")] * 100])
def test_what_is_no_curve_is_told_in_a_sentence(losses: list) -> None:
    page = smoothing(losses).page()
    assert not page.body and page.title.endswith(".")
