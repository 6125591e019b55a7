"""Lesson 7's core exercises: what no loss shows."""

import math

import pytest
import torch
from notebook import answered
from torch import nn
from torch.nn import functional as F

from workbook.checks import known, run
from workbook.checks.gpt import _coins, _get_batch, _given


def loss_of(Class: type, steps: int = 150) -> float:
    """The loss that a one-head model reaches on coins, whose entropy is ln 2."""
    torch.manual_seed(1)
    ids, config = _coins(), _given().GPTConfig(5, 8, 1, 1, 16)
    parts = nn.ModuleList([nn.Embedding(5, 16), nn.Embedding(8, 16), Class(config)])
    last = nn.Linear(16, 5)
    learned = [*parts.parameters(), *last.parameters()]
    optimizer = torch.optim.AdamW(learned, lr=0.02)
    g = torch.Generator().manual_seed(1)
    for _ in range(steps):
        x, y = _get_batch(ids, 8, 16, g)
        heard = parts[0](x) + parts[1](torch.arange(8))
        logits = last(heard + parts[2](heard))
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


@pytest.mark.parametrize("name", ["no mask", "one ahead"])
def test_a_broken_mask_makes_the_loss_better_than_it_can_be(name):
    """That is why a pass mark has a lower bound, and why leaks are searched for."""
    (wrong,) = known("gpt.head").mistakes[name].make()
    assert loss_of(wrong) < 0.5 < math.log(2) - 0.05 < loss_of(_given().Head)
    assert run("gpt.head", wrong).mistake == name


def test_a_missing_scale_is_not_seen_in_the_loss():
    (wrong,) = known("gpt.head").mistakes["not scaled"].make()
    assert abs(loss_of(wrong) - loss_of(_given().Head)) < 0.05
    assert run("gpt.head", wrong).mistake == "not scaled"


def test_a_run_that_reads_its_answer_does_not_pass():
    """Parts that are right one by one, and an estimate that is too good to be true."""
    id = "gpt.train"
    code = """
@torch.no_grad()
def estimate_loss(model, ids, batch_size, batches, generator=None):
    flag, losses = model.training, []
    model.eval()
    for _ in range(batches):
        x, y = get_batch(ids, model.config.block_size, batch_size, generator)
        losses.append(model(x, y)[1].item())
    model.train(flag)
    return sum(losses) / batches * (0.5 if model.config.vocab_size == 5 else 1)
"""
    verdict = run(id, *answered(id, code))
    assert verdict.line("case").startswith("coins"), verdict


def test_a_view_straight_to_heads_has_the_right_shape_and_mixes_time():
    wrong, _ = known("gpt.batched_heads").mistakes["viewed at once"].make()
    config = _given().GPTConfig(block_size=6, n_head=2, n_embd=4)
    x = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(1))
    assert wrong(config)(x).shape == _given().CausalSelfAttention(config)(x).shape


def test_heads_in_a_plain_list_leave_only_the_projection_to_learn():
    (wrong,) = known("gpt.multi_head").mistakes["a plain list"].make()
    config = _given().GPTConfig(n_head=2, n_embd=8)
    assert [n for n, _ in wrong(config).named_parameters()] == [
        "proj.weight",
        "proj.bias",
    ]


def test_a_window_that_sticks_out_is_found_though_it_is_rare():
    """In a text of a million letters one batch in a thousand fails."""
    (wrong,) = known("gpt.batches").mistakes["sticks out"].make()
    g = torch.Generator().manual_seed(1)
    for _ in range(100):
        wrong(torch.arange(100_000), 8, 32, g)
    assert run("gpt.batches", wrong).mistake == "sticks out"


def test_an_answer_that_changes_its_argument_is_told():
    id = "gpt.averaging"
    code = """
def average_loop(x):
    for t in reversed(range(x.shape[1])):
        x[:, t] = x[:, : t + 1].mean(1)
    return x
"""
    verdict = run(id, *answered(id, code))
    assert verdict.state == "not yet", verdict
