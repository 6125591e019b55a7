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


# ---------------------------------------------------------------- letters


@pytest.mark.parametrize("turn", [3, 7, 17])
def test_letters_in_any_order_but_the_alphabet_s_are_unsorted(turn):
    """A set has another order in each process; here it is one that stays."""
    code = f"""
class Vocabulary:
    def __init__(self, words):
        letters = sorted(set("".join(words)), key=lambda c: ord(c) * {turn} % 29)
        self.itos = dict(enumerate([".", *letters]))
        self.stoi = {{c: i for i, c in self.itos.items()}}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c] for c in text]
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
"""
    assert verdict_on("vocabulary", code).mistake == "unsorted"


@pytest.mark.parametrize(
    "line", ["[self.stoi.get(c, 0) for c in text]", "[self.stoi.get(c) for c in text]"]
)
def test_an_unknown_letter_is_an_error(line):
    code = f"""
class Vocabulary:
    def __init__(self, words):
        self.itos = [".", *sorted(set("".join(words)))]
        self.stoi = {{c: i for i, c in enumerate(self.itos)}}
    def __len__(self): return len(self.itos)
    def encode(self, text): return {line}
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
"""
    assert verdict_on("vocabulary", code).mistake == "unknown letters"


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


SEEDS = {
    "its own": "generator.manual_seed(0)",
    "its own, always": "generator = torch.Generator().manual_seed(7)",
    "all code's": "torch.manual_seed(42)\n    generator = None",
}


@pytest.mark.parametrize("which", SEEDS)
def test_a_seed_inside_is_told_whatever_it_is(which):
    code = f"""
def sample(P, vocabulary, generator=None):
    {SEEDS[which]}
    ids, i = [], 0
    while True:
        i = torch.multinomial(P[i], 1, generator=generator).item()
        if i == 0:
            return vocabulary.decode(ids)
        ids.append(i)
"""
    assert verdict_on("sample", code).mistake == "seeded inside"


@pytest.mark.parametrize("most", [8, 12, 15, 100])
def test_a_name_may_be_as_long_as_it_likes(most):
    code = f"""
def sample(P, vocabulary, generator=None):
    ids, i = [], 0
    while len(ids) < {most}:
        i = torch.multinomial(P[i], 1, generator=generator).item()
        if i == 0:
            break
        ids.append(i)
    return vocabulary.decode(ids)
"""
    assert verdict_on("sample", code).mistake == "too short"


# ---------------------------------------------------------------- training


def test_a_gradient_from_before_is_no_part_of_the_first_step():
    code = """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        loss.backward()
        W.data -= lr * W.grad
        W.grad = None
        losses.append(loss.item())
    return losses
"""
    assert verdict_on("train", code).mistake == "zeroed afterwards"


@pytest.mark.parametrize("start", [2, 2.5, 5, 10, 100])
def test_a_search_that_begins_with_a_low_loss_is_found_out(start):
    code = f"""
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    best, lowest = 0.0, {start}
    for a in amounts:
        loss = dev_loss(probabilities(counts, a))
        if loss < lowest:
            best, lowest = a, loss
    return best, test_loss(probabilities(counts, best))
"""
    assert verdict_on("tune_smoothing", code).mistake == "made-up start"


@pytest.mark.parametrize(
    "seeding", ["random.seed(seed)", "torch.manual_seed(seed)\n    random.seed(seed)"]
)
def test_a_split_leaves_all_other_random_numbers_as_they_are(seeding):
    code = f"""
def split_words(words, seed=42):
    words = list(words)
    {seeding}
    random.shuffle(words)
    a, b = int(0.8 * len(words)), int(0.9 * len(words))
    return words[:a], words[a:b], words[b:]
"""
    assert verdict_on("splits", code).mistake == "shared generator"


def test_no_dictionary_of_ours_is_shown_where_another_thing_came_back():
    code = """
def bigram_pairs(words, vocabulary):
    ids = vocabulary.encode("." + "".join(w + "." for w in words))
    return torch.tensor([ids[:-1], ids[1:]])
"""
    verdict = verdict_on("pairs", code)
    assert verdict.line("expected") == "result = two tensors"
    assert verdict.line("yours").startswith("result = [[0, 1, 2], [1, 2, 0]]")


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
