"""The given module of lesson 7 against PyTorch's own layers, and against hand work."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbook.course import lesson
from workbook.given import gpt as g

SIZES = {"vocab_size": 11, "block_size": 7, "n_layer": 2, "n_head": 3, "n_embd": 12}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def filled(module: nn.Module, scale: float = 0.5) -> nn.Module:
    """The module with random numbers in double precision."""
    with torch.no_grad():
        for i, p in enumerate(module.double().parameters()):
            p.copy_(normal(*p.shape, seed=i) * scale)
    return module.eval()


def letters(*shape: int, seed: int = 1) -> Tensor:
    return torch.randint(11, shape, generator=seeded(seed))


def test_the_public_names_are_those_of_the_course():
    assert all(hasattr(g, name) for name in lesson("gpt").public)
    assert all(getattr(g, name).__doc__ for name in lesson("gpt").public)


def test_the_module_knows_nothing_of_the_workbook():
    code = (
        "import sys; import workbook.given.gpt; "
        "print([m for m in sys.modules if m.startswith('workbook.') "
        "and not m.startswith('workbook.given')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


# ---------------------------------------------------------------- attention


def test_a_head_is_pytorchs_attention():
    config = g.GPTConfig(**SIZES)
    head, x = filled(g.Head(config)), normal(2, 5, 12)
    q, k, v = head.query(x), head.key(x), head.value(x)
    theirs = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(head(x), theirs)


def test_a_head_by_hand():
    """Scores 0, ln 3 in the second row: weights 1/4 and 3/4."""
    head = g.Head(g.GPTConfig(block_size=2, n_head=1, n_embd=1)).double()
    for layer, value in ((head.query, math.log(3)), (head.key, 1.0), (head.value, 1.0)):
        layer.weight.data.fill_(value)
    out = head(torch.tensor([[[0.0], [1.0]]]).double())
    torch.testing.assert_close(out.flatten().tolist(), [0.0, 0.75])


def test_heads_are_pytorchs_multi_head_attention():
    config = g.GPTConfig(**SIZES)
    heads, x = filled(g.MultiHeadAttention(config)), normal(2, 6, 12)
    theirs = nn.MultiheadAttention(12, 3, bias=True, batch_first=True).double()
    kinds = ("query", "key", "value")
    rows = [getattr(head, kind).weight for kind in kinds for head in heads.heads]
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat(rows))
        theirs.in_proj_bias.zero_()
        theirs.out_proj.load_state_dict(heads.proj.state_dict())
    future = torch.ones(6, 6).triu(1).bool()
    out, _ = theirs(x, x, x, attn_mask=future, need_weights=False)
    torch.testing.assert_close(heads(x), out)


def test_all_heads_in_one_tensor_are_the_loop():
    config = g.GPTConfig(**SIZES)
    loop, one = filled(g.MultiHeadAttention(config)), g.CausalSelfAttention(config)
    kinds = ("query", "key", "value")
    rows = [getattr(head, kind).weight for kind in kinds for head in loop.heads]
    one.double().qkv.weight.data.copy_(torch.cat(rows))
    one.proj.load_state_dict(loop.proj.state_dict())
    x = normal(2, 7, 12)
    torch.testing.assert_close(one(x), loop(x))


# ---------------------------------------------------------------- blocks, the model


def encoder(config: g.GPTConfig, block: g.Block) -> nn.TransformerEncoderLayer:
    """PyTorch's layer with the numbers of a block."""
    C = config.n_embd
    layer = nn.TransformerEncoderLayer(
        C,
        config.n_head,
        4 * C,
        0.0,
        "gelu" if config.gelu else "relu",
        norm_first=True,
        batch_first=True,
    ).double()
    pairs = (
        (layer.norm1, block.ln1),
        (layer.norm2, block.ln2),
        (layer.linear1, block.ffwd.net[0]),
        (layer.linear2, block.ffwd.net[2]),
        (layer.self_attn.out_proj, block.sa.proj),
    )
    for theirs, ours in pairs:
        theirs.load_state_dict(ours.state_dict())
    layer.self_attn.in_proj_weight.data.copy_(block.sa.qkv.weight)
    layer.self_attn.in_proj_bias.data.zero_()
    return layer.eval()


@pytest.mark.parametrize("gelu", [False, True])
def test_a_block_is_pytorchs_encoder_layer_with_a_mask(gelu):
    config = g.GPTConfig(**SIZES, gelu=gelu)
    block, x = filled(g.Block(config)), normal(2, 6, 12)
    future = torch.ones(6, 6).triu(1).bool()
    out = encoder(config, block)(x, src_mask=future)
    torch.testing.assert_close(block(x), out)


def test_a_model_is_its_parts_in_pytorch():
    config = g.GPTConfig(**SIZES)
    model, idx, y = filled(g.GPT(config)), letters(2, 5), letters(2, 5, seed=2)
    y[0, 1] = -1
    tables = model.token_embedding_table, model.position_embedding_table
    x = tables[0].weight[idx] + tables[1].weight[:5]
    future = torch.ones(5, 5).triu(1).bool()
    for block in model.blocks:
        x = encoder(config, block)(x, src_mask=future)
    x = F.layer_norm(x, (12,), model.ln_f.weight, model.ln_f.bias)
    want = F.linear(x, model.lm_head.weight, model.lm_head.bias)
    logits, loss = model(idx, y)
    torch.testing.assert_close(logits, want)
    kept = y.flatten() != -1
    torch.testing.assert_close(
        loss, F.cross_entropy(want.flatten(0, 1)[kept], y.flatten()[kept])
    )
    assert model(idx)[1] is None


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ({}, 209_729),
        (
            {"block_size": 256, "n_layer": 6, "n_head": 6, "n_embd": 384},
            10_788_929,
        ),
        (
            {"block_size": 64, "n_embd": 128, "bias": False, "tied": True},
            804_096,
        ),
    ],
)
def test_the_published_counts_of_parameters(sizes, count):
    with torch.device("meta"):
        model = g.GPT(g.GPTConfig(**sizes))
    assert sum(p.numel() for p in model.parameters()) == count


def test_no_letter_sees_its_future():
    """By the gradient: the logits at place 3 depend on no later letter."""
    model = filled(g.GPT(g.GPTConfig(**SIZES)))
    table = model.token_embedding_table
    kept: list[Tensor] = []

    def keep(*args):
        args[2].retain_grad()
        kept.append(args[2])

    table.register_forward_hook(keep)
    logits, _ = model(torch.arange(7).unsqueeze(0))
    logits[0, 3].sum().backward()
    reach = kept[0].grad[0].abs().sum(1)
    assert bool((reach[:4] > 0).all()) and not reach[4:].any()


def test_gradients_are_those_of_finite_differences():
    config = g.GPTConfig(vocab_size=5, block_size=3, n_layer=1, n_head=2, n_embd=4)
    model, idx = filled(g.GPT(config)), torch.tensor([[1, 4, 2]])
    y = torch.tensor([[4, 2, 0]])
    model(idx, y)[1].backward()
    for name in ("blocks.0.sa.qkv.weight", "position_embedding_table.weight"):
        p, h = model.get_parameter(name), 1e-5
        ends = []
        for way in (h, -h):
            with torch.no_grad():
                p[1, 2] += way
                ends.append(model(idx, y)[1].item())
                p[1, 2] -= way
        slope = (ends[0] - ends[1]) / (2 * h)
        assert abs(p.grad[1, 2].item() - slope) < 1e-7 * max(1, abs(slope)), name
        assert abs(slope) > 1e-4


def test_a_new_model_knows_nothing():
    torch.manual_seed(1)
    model = g.GPT(g.GPTConfig())
    idx = torch.randint(65, (8, 32), generator=seeded(1))
    loss = model(idx, torch.randint(65, (8, 32), generator=seeded(2)))[1].item()
    assert abs(loss - math.log(65)) < 0.05
    assert abs(model.blocks[0].sa.proj.weight.std().item() - 0.02 / 8**0.5) < 5e-4


def test_a_tied_model_shares_one_weight_and_its_gradient():
    model = g.GPT(g.GPTConfig(**SIZES, tied=True))
    assert model.lm_head.weight is model.token_embedding_table.weight
    assert model.lm_head.bias is None
    assert "lm_head.weight" in model.state_dict()


def test_it_learns_a_text_by_heart():
    torch.manual_seed(1)
    config = g.GPTConfig(vocab_size=6, block_size=8, n_layer=1, n_head=2, n_embd=16)
    model, idx = g.GPT(config), torch.tensor([[0, 1, 2, 3, 4, 5, 1, 0, 2]])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for _ in range(60):
        loss = model(idx[:, :-1], idx[:, 1:])[1]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    out = model.eval().generate(idx[:, :1], 8, top_k=1)
    assert out.tolist() == idx.tolist()


# ---------------------------------------------------------------- samples


def test_a_text_may_be_longer_than_the_block():
    model = g.GPT(g.GPTConfig(**SIZES))
    out = model.generate(letters(2, 9), 5, generator=seeded(1))
    assert out.shape == (2, 14) and torch.equal(out[:, :9], letters(2, 9))
    again = model.generate(letters(2, 9), 5, generator=seeded(1))
    assert torch.equal(out, again) and not out.is_floating_point()


@pytest.mark.parametrize(
    ("temperature", "top_k", "odds"),
    [
        (1.0, None, [1 / 7, 2 / 7, 4 / 7]),
        (0.5, None, [1 / 21, 4 / 21, 16 / 21]),
        (1.0, 2, [0, 1 / 3, 2 / 3]),
        (1.0, 50, [1 / 7, 2 / 7, 4 / 7]),
    ],
)
def test_letters_come_as_often_as_they_should(temperature, top_k, odds):
    logits = torch.tensor([1.0, 2.0, 4.0]).log().repeat(20_000, 1)
    out = g.sample_next(logits, temperature, top_k, seeded(1))
    shares = torch.bincount(out.flatten(), minlength=3) / 20_000
    torch.testing.assert_close(shares, torch.tensor(odds).float(), atol=0.015, rtol=0)
    assert (shares == 0).tolist() == [odd == 0 for odd in odds]
