"""Lesson 7, beyond the core: what is promised, and what no loss would show."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from notebook import answered, solved

from workbook.checks import exercises, known, run
from workbook.checks.gpt_beyond import _RACES, _knows, _Recipe, _two_ways

assert "gpt.speedrun" in exercises("gpt")
NAMES = ("masked_loss_addition", "finetune", "kv_cache", "sdpa", "rotary", "speedrun")


@pytest.fixture(scope="module")
def book() -> dict:
    """The notebook after all solutions."""
    return solved("gpt.speedrun")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(book: dict, **sizes) -> torch.nn.Module:
    torch.manual_seed(5)
    model = book["GPT"](book["GPTConfig"](11, 9, 2, 3, 12, **sizes)).double().eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return model


@pytest.mark.parametrize("name", NAMES)
def test_each_has_mistakes_enough(name):
    assert len(known(f"gpt.{name}").mistakes) >= 7


# ---------------------------------------------------------------- sums


def test_the_masked_loss_is_the_mean_over_the_answer_alone(book):
    torch.manual_seed(1)
    model = book["GPT"](book["GPTConfig"](12, 8, 1, 2, 8))
    rows = book["rows_of"]([book["addition"](7, 85, 2), book["addition"](1, 2, 2)])
    x, y = book["question_masked"](rows, 6)
    logits, loss = model(x, y)
    answer = F.cross_entropy(logits[:, 5:].flatten(0, 1), rows[:, 6:].flatten())
    assert loss.item() == pytest.approx(answer.item(), rel=1e-6)


def test_a_model_that_reads_its_own_answer_is_told():
    code = """
def calculate(model, pairs, digits):
    idx = rows_of([addition(a, b, digits) for a, b in pairs])
    answers = model(idx)[0].argmax(-1)[:, 2 * digits + 1 : -1]
    return (answers * 10 ** torch.arange(digits + 1)).sum(1).tolist()
"""
    verdict = run(
        "gpt.masked_loss_addition", *answered("gpt.masked_loss_addition", code)
    )
    assert verdict.state == "not yet", verdict


# ---------------------------------------------------------------- finetune


def test_a_fitted_model_says_the_same_of_letters_that_both_know(book):
    model = small(book).float()
    old, new = list("abcdefghijk"), list("kxbaz")
    fitted = book["fit_letters"](model, old, new).eval()
    there, here = torch.tensor([[0, 1, 10]]), torch.tensor([[3, 2, 0]])  # "abk"
    one, two = model(there)[0], fitted(here)[0]
    assert torch.allclose(one[..., [0, 1, 10]], two[..., [3, 2, 0]], atol=1e-5)


def test_by_number_has_the_right_shapes_and_other_letters():
    wrong, right = known("gpt.finetune").mistakes["by number"].make()
    verdict = run("gpt.finetune", wrong, right)
    assert verdict.line("yours").endswith("by number"), verdict


# ---------------------------------------------------------------- cache


@pytest.mark.parametrize("new", [3, 20])
@pytest.mark.parametrize("tied", [False, True])
def test_a_cache_changes_no_letter_within_the_block_or_beyond(book, new, tied):
    model = small(book, tied=tied)
    idx = torch.randint(11, (3, 2), generator=seeded(2))
    with_cache = book["generate_cached"](model, idx, new, generator=seeded(4))
    assert torch.equal(with_cache, model.generate(idx, new, generator=seeded(4)))


def test_stale_positions_would_show_beyond_the_block_alone():
    id = "gpt.kv_cache"
    *others, wrong = known(id).mistakes["block_size forgotten"].make()
    assert run(id, *others, wrong).mistake == "block_size forgotten"


# ---------------------------------------------------------------- one call


def test_fused_attention_agrees_in_single_precision(book):
    model = small(book).float()
    idx = torch.randint(11, (2, 9), generator=seeded(1))
    assert torch.allclose(model(idx)[0], book["fuse"](model)(idx)[0], atol=1e-4)


def test_score_bytes_are_those_of_the_square(book):
    config = book["GPTConfig"](block_size=6, n_layer=1, n_head=3, n_embd=12)
    weights = torch.zeros(2, 3, 6, 6)
    assert book["score_bytes"](config, 2) == weights.nbytes


# ---------------------------------------------------------------- rotary


def test_a_product_of_turned_vectors_depends_on_their_distance_alone(book):
    q, k = torch.randn(2, 8, generator=seeded(1), dtype=torch.float64)
    places = torch.ones(30, 1, dtype=torch.float64)
    products = book["rotate"](q * places) @ book["rotate"](k * places).T  # (30, 30)
    for distance in (0, 1, 7):
        along = products.diagonal(-distance)
        assert torch.allclose(along, along[0].expand_as(along), atol=1e-5)
    assert abs(products[0, 0] - products[1, 0]) > 1e-3


def test_neighbours_are_a_renaming_of_halves(book):
    x = torch.randn(5, 6, generator=seeded(3), dtype=torch.float64)
    order = torch.tensor(
        [0, 3, 1, 4, 2, 5]
    )  # where the halves' pairs stand side by side
    _, wrong, *_ = known("gpt.rotary").mistakes["neighbours"].make()
    assert torch.allclose(book["rotate"](x)[:, order], wrong(x[:, order]), atol=1e-5)


def test_turning_keeps_lengths(book):
    x = torch.randn(2, 3, 40, 8, generator=seeded(2))
    assert torch.allclose(book["rotate"](x).norm(dim=-1), x.norm(dim=-1), atol=1e-4)


# ---------------------------------------------------------------- the race


def test_the_recipe_fits_and_starts_at_the_uniform_loss(book):
    torch.manual_seed(1)
    model = book["Racer"](book["Recipe"]())
    assert sum(p.numel() for p in model.parameters()) == 808_728
    x = torch.randint(65, (2, 64), generator=seeded(1))
    assert model(x, x)[1].item() == pytest.approx(math.log(65), abs=1e-4)


def test_the_check_and_the_notebook_mean_the_same_recipe(book):
    assert vars(_Recipe()) == vars(book["Recipe"]())


@pytest.mark.parametrize(
    "name", ["", *[n for n, v in vars(_Recipe()).items() if v is True]]
)
def test_every_switch_leaves_a_model_that_learns_and_does_not_look_ahead(book, name):
    recipe = book["Recipe"](11, 10, 1, 2, 16, 8)
    if name:
        setattr(recipe, name, False)
    torch.manual_seed(1)
    model = book["speedrun"](_two_ways(1200)[:1000], 40, recipe)
    x = torch.randint(11, (2, 10), generator=seeded(1))
    moved = x.clone()
    moved[:, 6] = (moved[:, 6] + 1) % 11
    gap = (model(x)[0] - model(moved)[0]).abs().amax((0, 2))
    assert gap[:6].max() < 1e-5 < gap[6]
    ids = _two_ways(1200)[1000:]
    with torch.no_grad():
        loss = model(ids[:150].view(-1, 10), ids[1:151].view(-1, 10))[1].item()
    assert math.log(2) - 0.1 < loss < math.log(11) - 0.2


def test_an_orthogonal_move_has_singular_values_near_one(book):
    x = torch.randn(3, 16, 16, generator=seeded(1))
    values = torch.linalg.svdvals(book["orthogonal"](x))
    assert values.max() < 1.3 and values.median() > 0.6
    left, _, right = torch.linalg.svd(x)
    turned = left.mT @ book["orthogonal"](x) @ right.mT  # diagonal in the same basis
    rest = turned - torch.diag_embed(turned.diagonal(dim1=-2, dim2=-1))
    assert rest.abs().max() < 1e-3


def test_a_round_of_batches_sees_each_window_once(book):
    recipe = book["Recipe"](11, 5, batch_size=4)
    ids = torch.arange(103)
    batches, seen = book["race_batches"](ids, recipe), []
    for x, y in batches:
        assert torch.equal(y, x + 1)
        seen += x.flatten().tolist()
        if len(x) < 4 or len(seen) >= 95:
            break
    assert len(seen) == len(set(seen)) >= 95


def test_a_race_that_reads_its_answers_has_the_best_loss_and_is_refused():
    wrong = known("gpt.speedrun").mistakes["sees the future"].make()
    torch.manual_seed(3)
    model = wrong[0](_two_ways(1200)[:1000], 400, _Recipe(11, 10, 1, 2, 16, 8))
    ids = _two_ways(1200)[1000:]
    with torch.no_grad():
        loss = model(ids[:150].view(-1, 10), ids[1:151].view(-1, 10))[1].item()
    assert loss < math.log(2)
    assert _knows(0.3, 11) == "more than can be known"
    assert run("gpt.speedrun", *wrong).mistake == "sees the future"


def test_the_races_are_told_apart_by_their_sentences():
    assert len({sentence for sentence, _ in _RACES.values()}) == len(_RACES)


def test_a_copy_of_the_model_shares_nothing(book):
    model = small(book)
    before = copy.deepcopy(model.state_dict())
    book["finetune"](model.float(), torch.arange(60) % 11, 2, 3, 0.1, 0, seeded(1))
    after = model.double().state_dict()
    assert all(torch.allclose(before[n], after[n], atol=1e-6) for n in before)
