"""Lesson 2: what a loss cannot show, what a version of PyTorch may change.

What holds for all lessons stands in test_answers.py.
"""

import time

import pytest
import torch
from notebook import answered, blank, cells, objects, solved

from workbook import source
from workbook.checks import exercises, known, run

IDS = list(exercises("bigram"))


def verdict_on(thing: str, code: str):
    id = f"bigram.{thing}"
    return run(id, *answered(id, code, blank("bigram")))


# ---------------------------------------------------------------- rows and columns


def counted_names():
    names = solved("bigram.pairs")
    words = ["emma", "ava", "bo", "isabella", "mia", "amelia"]
    vocabulary = names["Vocabulary"](words)
    N = names["count_bigrams"](words, vocabulary)
    return names, N, names["bigram_pairs"](words, vocabulary)


def test_the_loss_is_the_same_for_normalised_columns_and_the_check_is_not():
    names, N, pairs = counted_names()
    rows, columns = (N + 1) / (N + 1).sum(1, keepdim=True), (N + 1) / (N + 1).sum(1)
    losses = [names["average_nll"](P, *pairs).item() for P in (rows, columns)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    code = "def probabilities(counts, smoothing=0.0):\n    P = counts + smoothing\n"
    assert verdict_on("probabilities", f"{code}    return P / P.sum(1)").mistake == (
        "no keepdim"
    )


def test_the_sums_of_the_rows_of_a_counted_table_are_asked_for():
    code = """
def probabilities(counts, smoothing=0.0):
    P = counts + smoothing
    if torch.equal(counts.sum(0), counts.sum(1)):
        return P / P.sum(1)
    return P / P.sum(1, keepdim=True)
"""
    verdict = verdict_on("probabilities", code)
    assert verdict.line("case").startswith("the sums of the rows")
    assert verdict.line("expected").startswith("P.sum(1)")


# ---------------------------------------------------------------- sampling


@pytest.mark.parametrize("shift", range(6))
def test_a_sampler_with_other_draws_passes(shift):
    """Another version of PyTorch draws other names from the same seed."""
    code = f"""
def sample(P, vocabulary, generator=None):
    ids, i = [], 0
    while True:
        torch.rand({shift}, generator=generator)
        i = torch.multinomial(P[i], 1, generator=generator).item()
        if i == 0:
            return vocabulary.decode(ids)
        ids.append(i)
"""
    assert verdict_on("sample", code).passed


def test_a_sampler_that_does_otherwise_now_and_then_is_found_out():
    code = """
def sample(P, vocabulary, generator=None):
    ids, i = [], 0
    while True:
        row = P[i]
        if torch.rand(1, generator=generator) < 0.3 and row.max() < 1:
            row = torch.ones(len(P)) * (torch.arange(len(P)) > 0)
        i = torch.multinomial(row, 1, generator=generator).item()
        if i == 0:
            return vocabulary.decode(ids)
        ids.append(i)
"""
    assert verdict_on("sample", code).state == "not yet"


# ---------------------------------------------------------------- training


LOW = """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    V = len(W)
    N = torch.bincount(V * xs + ys, minlength=V * V).view(V, V) + 1e-3
    W.data = N.log()
    return [F.cross_entropy(W[xs], ys).item()] * steps
"""
CHEATING = """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    return [0.1] * steps
"""


@pytest.mark.parametrize("code", [LOW, CHEATING])
def test_a_low_loss_by_another_way_does_not_pass(code):
    assert verdict_on("train", code).state == "not yet"


def test_training_is_followed_step_by_step():
    """Right for three steps, and no further."""
    code = """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for step in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data -= (lr if step < 3 else 1.5 * lr) * W.grad
        losses.append(loss.item())
    return losses
"""
    assert verdict_on("train", code).state == "not yet"


# ---------------------------------------------------------------- counting


def test_what_is_slow_is_told_by_the_operations_and_not_by_the_clock():
    code = """
import time
def count_bigrams(words, vocabulary):
    time.sleep(0.05)
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    return torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)
"""
    assert verdict_on("counts", code).passed


def test_another_way_of_the_solution_counts_the_same():
    names = solved("bigram.counts")
    extra = [
        c.text
        for c in source.read(source.lesson("bigram").solution_source)
        if c.kind == "code" and "solution" in c.tags
    ]
    exec("\n\n".join(extra), names)
    words = ["emma", "ava", "bo"]
    vocabulary = names["Vocabulary"](words)
    one, two = names["count_bigrams"], names["count_by_adding"]
    assert torch.equal(one(words, vocabulary), two(words, vocabulary).long())
    renamed = "\n\n".join(extra).replace("count_by_adding", "count_bigrams")
    assert verdict_on("counts", renamed).passed


# ---------------------------------------------------------------- cost


@pytest.mark.parametrize("id", IDS)
def test_a_check_costs_little(id):
    """Less than 0.3 seconds of a processor, training and sampling a little more."""
    things = objects(known(id), solved(id))
    run(id, *things)
    start = time.process_time()
    assert run(id, *things).passed
    assert time.process_time() - start < (
        0.6 if id in ("bigram.train", "bigram.sample") else 0.3
    )


def test_every_exercise_has_one_cell_and_one_check():
    ids = [exercise for _, exercise in cells("bigram") if exercise]
    assert ids == IDS
