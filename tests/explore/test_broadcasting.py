"""The broadcasting explorer agrees with PyTorch on any two shapes."""

import random
from xml.etree import ElementTree

import pytest
import torch

from workbook.explore import broadcasting
from workbook.explore.broadcasting import Refused, aligned, draw, shape, summed


def by_torch(a, b):
    """The shape that PyTorch gives the result, None where it refuses."""
    try:
        return tuple(torch.broadcast_shapes(a, b))
    except RuntimeError:
        return None


def ours(a, b):
    sizes = tuple(column.result for column in aligned(a, b))
    return None if None in sizes else sizes


def test_a_thousand_pairs_of_shapes_fit_or_clash_as_in_pytorch() -> None:
    rng = random.Random(3)
    outcomes = []
    for _ in range(1000):
        a, b = (
            tuple(rng.choice((0, 1, 1, 2, 3)) for _ in range(rng.randrange(5)))
            for _ in range(2)
        )
        assert ours(a, b) == by_torch(a, b), (a, b)
        page = draw(", ".join(map(str, a)), ", ".join(map(str, b)))
        assert ("do not fit" in page.text()) == (by_torch(a, b) is None)
        outcomes.append(by_torch(a, b) is None)
    assert 100 < sum(outcomes) < 900


@pytest.mark.parametrize("keepdim", [False, True])
def test_a_sum_has_the_shape_that_pytorch_gives_it(keepdim: bool) -> None:
    for sizes in ((4,), (4, 3), (2, 4, 3), (5, 1, 1, 2)):
        for dim in range(min(2, len(sizes))):
            told = torch.zeros(sizes).sum(dim, keepdim=keepdim).shape
            assert summed(sizes, dim, keepdim) == tuple(told)
    with pytest.raises(Refused, match="1 dimension, so there is no dim 1"):
        summed((4,), 1, keepdim)


@pytest.mark.parametrize(
    "written",
    ["27, 1", "(27, 1)", "[27,1]", "27 1", "27x1", "27 × 1", "torch.Size([27, 1])"],
)
def test_a_shape_is_read_however_it_is_written(written: str) -> None:
    assert shape(written) == (27, 1)


@pytest.mark.parametrize("written, sizes", [("", ()), ("()", ()), ("(27,)", (27,))])
def test_short_shapes_are_read(written: str, sizes: tuple) -> None:
    assert shape(written) == sizes


@pytest.mark.parametrize(
    "written, said",
    [
        ("3, a", "'a' is no whole number"),
        ("3, -1", "cannot be negative"),
        ("2.5", "no whole number"),
        ("1,1,1,1,1,1,1,1,1", "9 dimensions"),
        ("9" * 40, "no memory holds"),
        ("<b>", "no whole number"),
        ("²", "no whole number"),
    ],
)
def test_what_is_no_shape_is_told_in_a_sentence(written: str, said: str) -> None:
    page = broadcasting(written, "3").page()
    assert said in page.title and page.title.endswith(".") and not page.body
    ElementTree.fromstring(f"<p>{page.heading()}</p>")


def test_without_keepdim_the_totals_of_rows_divide_the_columns() -> None:
    page = broadcasting("27, 27", second=(1, False)).page()
    assert (
        page.title == "Column j is divided by the total of row j: the wrong way round"
    )
    assert page.rows[0][-1].endswith("B is stretched from 1 to 27")
    kept = broadcasting("27, 27", second=(1, True)).page()
    assert kept.title == "Each row is divided by its own total: the rows sum to 1"


def met(second) -> list[list[str]]:
    """The totals that the cells of a (3, 3) table meet in the picture, row by row."""
    page = broadcasting("3, 3", second=second).page()
    texts = ElementTree.fromstring(page.svg()).iter("{http://www.w3.org/2000/svg}text")
    sums = [t for t in texts if t.text.startswith("Σ") and float(t.get("x")) > 300]
    sums.sort(key=lambda t: (float(t.get("y")), float(t.get("x"))))
    return [[t.text for t in sums[i : i + 3]] for i in range(0, 9, 3)]


def test_the_picture_shows_which_total_each_cell_meets() -> None:
    assert met((1, False)) == [["Σ0", "Σ1", "Σ2"]] * 3
    assert met((1, True)) == [["Σ0"] * 3, ["Σ1"] * 3, ["Σ2"] * 3]
    assert met((0, False)) == met((0, True)) == [["Σ0", "Σ1", "Σ2"]] * 3


def test_a_table_that_is_not_square_betrays_the_missing_keepdim() -> None:
    assert "do not fit" in broadcasting("4, 5", second=(1, False)).page().title


def test_a_shape_may_be_given_as_a_tuple() -> None:
    assert "give (3, 4)" in broadcasting((3, 1), (4,)).page().title


def test_every_state_is_well_formed_with_a_claim_of_one_line() -> None:
    shapes = ["", "1", "27", "27, 1", "27, 27", "0, 3", "8, 1, 6, 1", f"{2**40}, 7"]
    shapes.append("12, 34, 56, 78, 90, 12, 34, 56")
    for a in shapes:
        for b in shapes:
            page = broadcasting(a, b).page()
            ElementTree.fromstring(page.svg())
            assert len(page.title) <= 72
            assert page.look and len(page.rows) == max(len(shape(a)), len(shape(b)))
