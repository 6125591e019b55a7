"""The map of counts shows the numbers that PyTorch computes."""

import math
import random
from xml.etree import ElementTree

import pytest
import torch

from workbook.explore import bigram, count_map, descent_to_table, record_table
from workbook.explore.alphabet import LETTERS, entropy

ABC = ".abc"
N = [[0, 6, 2, 1], [5, 1, 0, 3], [0, 4, 0, 0], [4, 1, 2, 0]]
DEV = [[0, 2, 1, 0], [2, 0, 0, 1], [0, 1, 1, 0], [1, 1, 0, 0]]


def told(page) -> dict[str, list[str]]:
    return {name: rest for name, *rest in page.rows}


def by_torch(counts, seen, s: float) -> float:
    """Mean negative log likelihood, written as a learner would."""
    model = torch.tensor(counts, dtype=torch.float64) + s
    p = model / model.sum(1, keepdim=True)
    seen = torch.tensor(seen, dtype=torch.float64)
    return float(-(seen * p.log()).nansum() / seen.sum())


def test_the_losses_are_those_that_pytorch_computes() -> None:
    for s in (0.001, 0.3, 1.0, 100.0):
        for seen in (N, DEV):
            ours = bigram.average_loss(N, seen, s)
            assert ours == pytest.approx(by_torch(N, seen, s), rel=1e-12)
    assert math.isinf(bigram.average_loss(N, DEV, 0.0))  # bb is new in dev


def test_a_row_and_its_losses_are_told_with_and_without_smoothing() -> None:
    page = count_map(N, DEV, letters=ABC, row="b", smoothing=1.0).page()
    rows = told(page)
    assert rows["a, 4 times"] == ["0.625", "1"]
    assert rows["loss on dev"] == [f"{by_torch(N, DEV, 1.0):.4f}", "infinite"]
    assert float(rows["loss on train"][1]) < float(rows["loss on train"][0])
    assert page.title.startswith("After b, a is likeliest, 62 %")


def test_much_smoothing_makes_every_row_uniform() -> None:
    thing = count_map(N, letters=ABC)
    entropies = [
        float(told(thing.set(smoothing=s).page())["entropy of the row"][0])
        for s in (0.001, 1.0, 1e4)
    ]
    assert entropies == sorted(entropies)
    assert entropies[-1] == pytest.approx(math.log(4), abs=1e-3)
    assert "loss on dev" not in told(thing.page())


def test_without_smoothing_dev_is_infinite_and_still_drawn() -> None:
    thing = count_map(N, DEV, letters=ABC, row="b", smoothing=1.0).set(plain=True)
    page = thing.page()
    assert told(page)["loss on dev"] == ["infinite", "infinite"]
    assert "dev infinite" in page.svg() and "nan" not in page.svg()
    assert (
        page.title == "After b, a is likeliest, 100 %; the row is as open as 1 in 1.0"
    )
    ElementTree.fromstring(page.svg())


def test_how_open_a_row_is_is_e_to_its_entropy() -> None:
    rows = told(count_map(N, letters=ABC, row="b", smoothing=1e4).page())
    assert rows["as open as 1 in"] == ["4.0", "1.0"]
    assert float(rows["entropy of the row"][0]) == pytest.approx(math.log(4), abs=1e-3)


def test_pairs_are_counted_with_the_dot_at_both_ends() -> None:
    table = bigram.count_pairs(["ab", "ba", "b"], ABC)
    assert table == [[0, 1, 2, 0], [1, 0, 1, 0], [2, 1, 0, 0], [0, 0, 0, 0]]


def test_without_counts_the_course_s_names_are_counted_and_split(monkeypatch) -> None:
    rng = random.Random(1)
    words = ["".join(rng.choices(LETTERS[1:6], k=4)) for _ in range(40)]
    monkeypatch.setattr("workbook.data.names", lambda: words)
    train, dev = bigram._course_names()
    assert (sum(map(sum, train)), sum(map(sum, dev))) == (32 * 5, 4 * 5)
    assert "dev" in count_map().page().svg()


@pytest.mark.parametrize("make", [torch.tensor, lambda rows: rows])
def test_a_learner_s_own_tensor_is_taken(make) -> None:
    page = count_map(make(N), make(DEV), letters=ABC).page()
    assert page.title.startswith("After the start, a is likeliest")


@pytest.mark.parametrize(
    "counts, said",
    [
        (torch.zeros(3, 4), "3 rows of 4: 4 letters need 4 by 4"),
        (torch.zeros(4, 4), "is empty"),
        (torch.full((4, 4), -1.0), "negative or not finite"),
        (torch.full((4, 4), math.nan), "negative or not finite"),
        (torch.ones(4), "rows of numbers, 4 by 4"),
        (7, "rows of numbers, 4 by 4"),
    ],
)
def test_what_is_no_table_of_counts_is_answered_in_a_sentence(counts, said) -> None:
    page = count_map(counts, letters=ABC).page()
    assert said in page.title and not page.body


def test_an_unknown_row_is_answered_with_the_letters_there_are() -> None:
    assert "the letters are .abc" in count_map(N, letters=ABC, row="z").page().title


def test_a_row_that_was_never_seen_is_uniform_and_still_drawn() -> None:
    table = [row[:] for row in N]
    table[2] = [0, 0, 0, 0]
    page = count_map(table, letters=ABC, row="b").page()
    assert "25 %" in page.title
    assert entropy([0.25] * 4) == pytest.approx(math.log(4))


def test_every_state_is_well_formed_with_a_claim_of_one_line_and_quick() -> None:
    rng = random.Random(7)
    table = [[rng.randrange(50) for _ in LETTERS] for _ in LETTERS]
    thing = count_map(table, table)
    for row in (0, 1, 26):
        for smoothing in (1e-3, 1.0, 1e4):
            page = thing.page(row=row, smoothing=smoothing)
            ElementTree.fromstring(page.svg())
            assert len(page.title) <= 72
            assert page.width == 640


def test_each_row_of_the_map_takes_a_click() -> None:
    drawn = count_map(N, letters=ABC).page().svg()
    assert drawn.count("wb-of-row button") == 4


# --- The descent to the table -----------------------------------------------------


def trained(steps: int, W: torch.Tensor, counts: torch.Tensor) -> list:
    """Frames of a table that is learned from counts, with the lecture's penalty."""
    shares, frames = counts / counts.sum(), []
    for step in range(steps):
        loss = -(shares * W.log_softmax(1)).sum() + 0.01 * (W**2).mean()
        frames.append(record_table(W, step, loss))
        W.grad = None
        loss.backward()
        W.data -= 5 * W.grad
    return frames


@pytest.fixture(scope="module")
def frames() -> list:
    W = torch.zeros(4, 4, requires_grad=True)
    return trained(100, W, torch.tensor(N, dtype=torch.float32))


def test_a_frame_holds_the_softmax_of_each_row_and_no_tensor() -> None:
    W = torch.tensor([[0.0, math.log(3)], [2.0, 2.0]], requires_grad=True)
    frame = record_table(W, torch.tensor(7), torch.tensor(1.5))
    assert frame.step == 7 and frame.loss == 1.5
    assert frame.p[0] == pytest.approx([0.25, 0.75])
    assert frame.p[1] == [0.5, 0.5]


def test_the_learned_table_nears_the_counted_one(frames) -> None:
    walk = descent_to_table(frames, N, letters=ABC)
    far = [float(row[2].removesuffix(" %")) for row in walk.page().rows]
    assert far[0] > 25 and far[-1] < 0.6 * far[0]
    assert walk.page().title.startswith("Before the first step the loss is 1.3863")
    assert walk.page(frame=99).title.startswith("After 99 steps")


def test_a_table_equal_to_the_counts_is_off_by_nothing() -> None:
    W = (torch.tensor(N) + 1.0).log()
    page = descent_to_table([record_table(W)], N, letters=ABC).page()
    assert page.title.endswith(" 0.0 % of p is misplaced")


def test_every_frame_is_well_formed_even_far_from_the_diagonal(frames) -> None:
    W = torch.tensor([[900.0, 0, 0, -900.0]] * 4)
    for frame in (frames[0], frames[-1], record_table(W)):
        page = descent_to_table([frame], N, letters=ABC).page()
        ElementTree.fromstring(page.svg())
        assert len(page.title) <= 72 and "nan" not in page.svg()


@pytest.mark.parametrize(
    "given, counts, said",
    [([], N, "record at least one step"), (None, [[1]], "4 letters need 4 by 4")],
)
def test_a_descent_without_frames_or_counts_is_told_why(given, counts, said) -> None:
    assert said in descent_to_table(given, counts, letters=ABC).page().title
