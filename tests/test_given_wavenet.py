"""The given modules of lesson 6 against torch.nn, and against trees done by hand."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbook.given import wavenet as w

NAMES = (
    *("Module", "Embedding", "FlattenConsecutive", "Linear", "BatchNorm1d", "Tanh"),
    *("Sequential", "WaveNet", "CausalDilatedWaveNet"),
)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed))


class Fuse(nn.Module):
    """Even and odd places side by side."""

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x[:, ::2], x[:, 1::2]], 2)
        return x[:, 0] if x.shape[1] == 1 else x


class NormLast(nn.BatchNorm1d):
    """PyTorch's BatchNorm with channels last, by way of a table."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.reshape(-1, x.shape[-1])).view(x.shape)


def torchs(model: w.WaveNet) -> nn.Sequential:
    """The same network of PyTorch's layers, with the same numbers."""
    layers: list[nn.Module] = []
    for layer in model.net:
        if isinstance(layer, w.Embedding):
            layers.append(nn.Embedding(*layer.weight.shape))
        elif isinstance(layer, w.FlattenConsecutive):
            layers.append(Fuse())
        elif isinstance(layer, w.Linear):
            layers.append(nn.Linear(*layer.weight.shape, bias=layer.bias is not None))
        elif isinstance(layer, w.BatchNorm1d):
            layers.append(NormLast(len(layer.gamma), layer.eps, layer.momentum))
        else:
            layers.append(nn.Tanh())
    theirs = nn.Sequential(*layers)
    ours = [p.T if p.ndim == 2 and i else p for i, p in enumerate(model.parameters())]
    for p, q in zip(theirs.parameters(), ours, strict=True):
        p.data = q.detach().clone()
    return theirs


def close(one: Tensor, two: Tensor, tolerance: float = 1e-5) -> None:
    assert one.shape == two.shape and one.dtype == two.dtype
    assert (one - two).abs().max() <= tolerance * two.abs().max() + 1e-7


# ---------------------------------------------------------------- the tree


@pytest.mark.parametrize("sizes", [(27, 24, 128, 3), (9, 4, 5, 2), (6, 3, 7, 1)])
def test_outputs_and_gradients_are_those_of_torchs_layers_in_both_modes(sizes):
    model = w.WaveNet(*sizes, seeded(1))
    theirs = torchs(model)
    X = torch.randint(0, sizes[0], (17, model.block_size), generator=seeded(2))
    Y = torch.randint(0, sizes[0], (17,), generator=seeded(3))
    for _ in range(3):
        close(model(X), theirs(X))
    F.cross_entropy(model(X), Y).backward()
    F.cross_entropy(theirs(X), Y).backward()
    for i, (p, q) in enumerate(
        zip(model.parameters(), theirs.parameters(), strict=True)
    ):
        assert p.grad.abs().max() > 0
        close(p.grad, q.grad.T if p.ndim == 2 and i else q.grad, 1e-4)
    close(model.eval()(X), theirs.eval()(X))
    norms = [one for one in theirs if isinstance(one, NormLast)]
    own = [one for one in model.net if isinstance(one, w.BatchNorm1d)]
    for one, two in zip(own, norms, strict=True):
        close(one.running_mean, two.running_mean)
        close(one.running_var, two.running_var)


def test_the_model_of_the_lecture_has_76579_parameters():
    model = w.WaveNet()
    assert sum(p.numel() for p in model.parameters()) == 76_579
    assert sum(p.numel() for p in w.WaveNet(27, 10, 68).parameters()) == 22_397
    assert model.block_size == 8


def test_the_same_generator_makes_the_same_model_and_no_other_draws_change():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, two = w.WaveNet(generator=seeded(4)), w.WaveNet(generator=seeded(4))
    assert torch.equal(torch.get_rng_state(), before)
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(p, q) and p.is_leaf and p.requires_grad


def test_it_learns_a_small_list_by_heart():
    text = "........ava........mia........zoe........"
    rows = [text[i : i + 9] for i in range(len(text) - 9)]
    rows = [r for r in rows if r[-1] != "." or r[-2] != "."]
    ids = torch.tensor(
        [[".abcdefghijklmnopqrstuvwxyz".index(c) for c in r] for r in rows]
    )
    model = w.WaveNet(27, 6, 20, 3, seeded(5))
    for _ in range(150):
        loss = F.cross_entropy(model(ids[:, :8]), ids[:, 8])
        grads = torch.autograd.grad(loss, model.parameters())
        for p, grad in zip(model.parameters(), grads, strict=True):
            p.data -= 0.2 * grad
    assert loss.item() < 0.5  # from 3.3; the first letters cannot be known


# ---------------------------------------------------------------- the convolution


def by_hand(tree: w.WaveNet, text: Tensor) -> Tensor:
    """A tree for each letter, on the letters up to it, dots before the first."""
    k = tree.block_size
    padded = torch.cat([torch.zeros(k - 1, dtype=torch.int64), text])
    contexts = torch.stack([padded[i : i + k] for i in range(len(text))])
    return tree(contexts)


@pytest.mark.parametrize(("levels", "T"), [(3, 20), (3, 1), (2, 5), (1, 4), (4, 9)])
def test_the_convolution_gives_the_trees_outputs_at_every_place(levels, T):
    tree = w.WaveNet(11, 4, 6, levels, seeded(1))
    tree(torch.randint(0, 11, (50, tree.block_size), generator=seeded(2)))
    conv = w.CausalDilatedWaveNet(tree.eval())
    X = torch.randint(0, 11, (3, T), generator=seeded(3))
    want = torch.stack([by_hand(tree, text) for text in X])
    close(conv(X), want)


def test_no_place_sees_a_later_letter_nor_one_beyond_the_context():
    tree = w.WaveNet(11, 4, 6, 2, seeded(1)).eval()
    conv = w.CausalDilatedWaveNet(tree)
    X = torch.randint(1, 11, (1, 12), generator=seeded(3))
    for place in range(12):
        other = X.clone()
        other[0, place] = other[0, place] % 10 + 1
        moved = (conv(X) != conv(other)).any(2)[0].nonzero().flatten().tolist()
        assert moved == list(range(place, min(12, place + 4)))


def test_it_shares_the_trees_parameters_and_computes_each_node_once():
    tree = w.WaveNet(generator=seeded(1)).eval()
    conv = w.CausalDilatedWaveNet(tree)
    assert {id(p) for p in conv.parameters()} == {id(p) for p in tree.parameters()}
    conv(torch.zeros(2, 50, dtype=torch.int64))
    places = [one.out.shape[1] for one in tree.net if isinstance(one, w.Tanh)]
    assert places == [56, 54, 50]


# ---------------------------------------------------------------- the module


def test_names_and_values_are_those_of_torchs_modules():
    ours = w.Sequential(w.Linear(2, 3), w.Sequential(w.BatchNorm1d(3), w.Tanh()))
    theirs = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.BatchNorm1d(3), nn.Tanh()))
    walked = [[name for name, _ in one.named_modules()] for one in (ours, theirs)]
    assert walked[0] == walked[1]
    renamed = {"weight": "gamma", "bias": "beta"}
    names = [
        f"1.0.{renamed[name[4:]]}" if name.startswith("1.0.") else name
        for name, _ in theirs.named_parameters()
    ]
    assert [name for name, _ in ours.named_parameters()] == names
    buffers = [name for name, b in theirs.named_buffers() if b.ndim]
    assert [name for name, _ in ours.named_buffers()] == buffers


def test_a_state_is_moved_from_model_to_model():
    one, two = w.WaveNet(9, 3, 5, 2, seeded(1)), w.WaveNet(9, 3, 5, 2, seeded(2))
    X = torch.randint(0, 9, (20, 4), generator=seeded(3))
    one(X)
    kept = [id(p) for p in two.parameters()]
    two.load_state_dict({name: t.clone() for name, t in one.state_dict().items()})
    assert torch.equal(one.eval()(X), two.eval()(X))
    assert [id(p) for p in two.parameters()] == kept
    with pytest.raises(KeyError, match="other names"):
        two.load_state_dict({})


def test_an_output_that_is_kept_is_no_parameter():
    net = w.Sequential(w.Embedding(5, 2), w.Tanh())
    net(torch.tensor([[1, 2]]))
    with torch.no_grad():
        net[0](torch.tensor([3]))
    assert [name for name, _ in net.named_parameters()] == ["0.weight"]
    assert list(net.state_dict()) == ["0.weight"]


def test_a_shared_layer_is_listed_once():
    layer = w.Linear(2, 2)
    assert len(w.Sequential(layer, w.Tanh(), layer).parameters()) == 2


def test_train_and_eval_reach_every_part_and_return_the_module():
    model = w.WaveNet(9, 3, 5, 2)
    assert model.eval() is model
    assert not any(one.training for _, one in model.named_modules())
    assert all(one.training for _, one in model.train().named_modules())


# ---------------------------------------------------------------- the layers


def test_batchnorm_has_one_mean_for_each_channel():
    layer = w.BatchNorm1d(68)
    layer(normal(32, 4, 68))
    assert layer.running_mean.shape == layer.running_var.shape == (68,)
    x = torch.tensor([[[1.0], [3.0]], [[5.0], [7.0]]])
    out = w.BatchNorm1d(1)(x).flatten()
    close(out, torch.tensor([-3.0, -1.0, 1.0, 3.0]) / 5**0.5)


def test_neighbours_are_fused_in_their_order():
    x = torch.arange(1.0, 9.0).view(1, 4, 2)
    assert w.FlattenConsecutive(2)(x).tolist() == [[[1, 2, 3, 4], [5, 6, 7, 8]]]
    assert w.FlattenConsecutive(4)(x).tolist() == [[1, 2, 3, 4, 5, 6, 7, 8]]
    assert w.FlattenConsecutive(2)(x[:, :2]).shape == (1, 4)


def test_it_imports_torch_and_nothing_of_ours():
    code = (
        "import sys; import workbook.given.wavenet; "
        "print(sorted(n for n in sys.modules if n.startswith('workbook.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['workbook.given', 'workbook.given.wavenet']"


@pytest.mark.parametrize("name", NAMES)
def test_each_class_says_what_it_is(name):
    assert getattr(w, name).__doc__
