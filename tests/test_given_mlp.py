"""The given model of lesson 3 against PyTorch's own layers, and cases done by hand."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from workbook.given import mlp
from workbook.given.mlp import MLP, build_dataset, evaluate, sample, split_words

ROOT = Path(__file__).resolve().parents[1]
STOI = {s: i for i, s in enumerate(".abcdefghijklmnopqrstuvwxyz")}
ITOS = {i: s for s, i in STOI.items()}
WORDS = (ROOT / "data" / "sample_names.txt").read_text("ascii").split()


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def torchs(model: MLP) -> torch.nn.Module:
    """The same network made of torch's layers, with the same weights."""
    V, d = model.C.shape
    H = len(model.b1)
    net = torch.nn.Sequential(
        torch.nn.Embedding(V, d),
        torch.nn.Flatten(),
        torch.nn.Linear(model.block_size * d, H),
        torch.nn.Tanh(),
        torch.nn.Linear(H, V),
    )
    own = (model.C, model.W1.T, model.b1, model.W2.T, model.b2)
    for theirs, ours in zip(net.parameters(), own, strict=True):
        theirs.data = ours.detach().clone()
    return net


# ---------------------------------------------------------------- the model


@pytest.mark.parametrize("sizes", [(27, 3, 10, 200), (9, 1, 2, 5), (27, 8, 4, 30)])
def test_logits_and_gradients_are_those_of_torchs_layers(sizes):
    model = MLP(*sizes, seeded(1))
    net = torchs(model)
    X = torch.randint(0, sizes[0], (17, sizes[1]), generator=seeded(2))
    Y = torch.randint(0, sizes[0], (17,), generator=seeded(3))
    torch.testing.assert_close(model(X), net(X), rtol=1e-5, atol=1e-4)
    F.cross_entropy(model(X), Y).backward()
    F.cross_entropy(net(X), Y).backward()
    for ours, theirs in zip(model.parameters(), net.parameters(), strict=True):
        grad = theirs.grad.T if ours.grad.shape != theirs.grad.shape else theirs.grad
        torch.testing.assert_close(ours.grad, grad, rtol=1e-4, atol=1e-5)


def test_the_model_of_the_lecture_has_11897_parameters():
    parts = [p.numel() for p in MLP().parameters()]
    assert parts == [270, 6000, 200, 5400, 27]
    assert sum(parts) == 11_897


def test_the_same_generator_makes_the_same_model_and_no_other_draws_change():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, two = MLP(generator=seeded(4)), MLP(generator=seeded(4))
    assert torch.equal(torch.get_rng_state(), before)
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(p, q)
        assert p.is_leaf and p.requires_grad


def test_it_learns_a_small_list_by_heart():
    words = ["ava", "mia", "zoe"]
    X, Y = build_dataset(words, STOI)
    model = MLP(27, 3, 4, 30, seeded(5))
    with torch.no_grad():
        model.W2 *= 0.1
    for _ in range(200):
        loss = F.cross_entropy(model(X), Y)
        for p in model.parameters():
            p.grad = None
        loss.backward()
        for p in model.parameters():
            p.data -= 0.3 * p.grad
    # twelve pairs; only the first letter, one of three, cannot be known
    assert evaluate(model, X, Y) == pytest.approx(3 * math.log(3) / 12, abs=0.02)
    names = {sample(model, ITOS, seeded(i)) for i in range(40)}
    assert names >= set(words)


# ---------------------------------------------------------------- the data


def test_pairs_spell_the_words_again():
    for k in (1, 3, 8):
        X, Y = build_dataset(WORDS[:200], STOI, k)
        assert X.shape == (len(Y), k)
        assert X.dtype == Y.dtype == torch.int64
        assert len(Y) == sum(len(word) + 1 for word in WORDS[:200])
        spelled = "".join(ITOS[int(i)] for i in Y)
        assert spelled == "".join(f"{word}." for word in WORDS[:200])
        starts = torch.cat([torch.tensor([True]), Y[:-1] == 0])
        assert bool((X[starts] == 0).all())
        assert bool((X[1:][~starts[1:], -1] == Y[:-1][~starts[1:]]).all())


def test_a_split_is_the_lectures():
    """80, 10 and 10 % of a list shuffled by random.seed(42) and random.shuffle."""
    copied = list(WORDS)
    random.seed(42)
    random.shuffle(copied)
    a, b = int(0.8 * len(copied)), int(0.9 * len(copied))
    before = list(WORDS)
    assert split_words(WORDS) == (copied[:a], copied[a:b], copied[b:])
    assert before == WORDS


def test_no_line_is_in_two_piles_though_names_may_be():
    words = WORDS[:500] + WORDS[:50]
    piles = split_words(words, 3)
    assert sum(map(Counter, piles), Counter()) == Counter(words)
    assert list(map(len, piles)) == [440, 55, 55]
    assert set(piles[0]) & set(piles[1])


# ---------------------------------------------------------------- measuring, sampling


def test_evaluate_is_the_mean_over_all_pairs_and_leaves_no_trace():
    X, Y = build_dataset(WORDS[:300], STOI)
    model = MLP(generator=seeded(6))
    rows = F.log_softmax(torchs(model)(X).double(), 1)
    want = -sum(rows[i, y].item() for i, y in enumerate(Y.tolist())) / len(Y)
    assert evaluate(model, X, Y) == pytest.approx(want, rel=1e-5)
    assert torch.is_grad_enabled()
    assert all(p.grad is None for p in model.parameters())


def test_an_even_model_has_the_loss_ln_27():
    model = MLP(generator=seeded(7))
    with torch.no_grad():
        model.W2 *= 0
        model.b2 *= 0
    X, Y = build_dataset(WORDS[:50], STOI)
    assert evaluate(model, X, Y) == pytest.approx(math.log(27), rel=1e-6)


def test_names_have_the_odds_of_the_model():
    """A model without hidden units: the bias alone decides."""
    model = MLP(3, 2, 1, 1, seeded(8))
    odds = torch.tensor([0.3, 0.6, 0.1])
    with torch.no_grad():
        model.W2 *= 0
        model.b2.copy_(odds.log())
    g = seeded(9)
    names = [sample(model, {0: ".", 1: "a", 2: "b"}, g) for _ in range(2000)]
    letters = Counter("".join(names))
    assert sum(not name for name in names) / 2000 == pytest.approx(0.3, abs=0.05)
    assert letters["a"] / letters.total() == pytest.approx(6 / 7, abs=0.03)
    assert letters.total() / 2000 == pytest.approx(0.7 / 0.3, rel=0.1)


def test_sampling_repeats_from_the_same_seed_and_needs_no_gradient():
    model = MLP(generator=seeded(10))
    one, two = ([sample(model, ITOS, seeded(s)) for s in range(5)] for _ in "ab")
    assert one == two
    assert torch.is_grad_enabled()


# ---------------------------------------------------------------- as a module


def test_it_imports_torch_and_nothing_of_ours():
    code = (
        "import sys; import workbook.given.mlp; "
        "print(sorted(n for n in sys.modules if n.startswith('workbook.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['workbook.given', 'workbook.given.mlp']"


@pytest.mark.parametrize("name", ["build_dataset", "split_words", "evaluate", "sample"])
def test_each_function_says_its_types(name):
    hints = getattr(mlp, name).__annotations__
    assert "return" in hints and len(hints) > 1
