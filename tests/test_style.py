"""Figures look alike, and a colour keeps its meaning."""

import logging

import pytest

from workbook import style


@pytest.fixture(autouse=True)
def _drawn_nowhere():
    import matplotlib

    matplotlib.use("agg")
    with matplotlib.rc_context():
        style.use()
        yield
    import matplotlib.pyplot as plt

    plt.close("all")


def grey(colour) -> float:
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["wide", "square", "tall"])
def test_a_size_has_a_name_and_one_pair_of_axes(name: str) -> None:
    figure, ax = style.figure(name)
    assert tuple(figure.get_size_inches()) == style.SIZES[name]
    assert len(figure.axes) == 1 and figure.axes[0] is ax


def test_a_pair_shares_its_limits() -> None:
    _, (before, after) = style.figure("pair")
    before.plot([0, 10], [0, 5])
    after.plot([0, 1], [0, 1])
    assert before.get_xlim() == after.get_xlim()
    assert before.get_ylim() == after.get_ylim()


def test_an_unknown_size_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="wide, square, tall, pair"):
        style.figure("huge")


def test_top_and_right_spines_are_gone_and_titles_stand_left() -> None:
    import matplotlib

    _, ax = style.figure()
    assert not ax.spines["top"].get_visible()
    assert not ax.spines["right"].get_visible()
    assert matplotlib.rcParams["axes.titlelocation"] == "left"


def test_no_font_is_complained_about(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="matplotlib.font_manager")
    figure, ax = style.figure()
    ax.set_title("ŷ − y → 0")
    figure.canvas.draw()
    assert caplog.records == []


def test_a_reference_line_is_grey_dashed_and_named() -> None:
    _, ax = style.figure()
    line = style.reference_line(ax, 3.2958, "uniform")
    assert line.get_color() == style.REFERENCE
    assert line.get_linestyle() == "--"
    assert [text.get_text() for text in ax.texts] == ["uniform"]


def test_a_label_stands_at_the_end_of_its_line_in_its_colour() -> None:
    _, ax = style.figure()
    (line,) = ax.plot([0, 1, 2], [5, 4, 3], color=style.VALID)
    label = style.label_line(ax, line, "validation")
    assert label.xy == (2.0, 3.0) and label.get_color() == style.VALID
    assert style.label_line(ax, (1, 2), "here").get_color() == style.INK


def test_a_signed_matrix_is_white_at_zero_with_symmetric_limits() -> None:
    _, ax = style.figure("square")
    image = style.matrix(ax, [[-1.0, 0.0], [0.5, 3.0]])
    assert image.get_clim() == (-3.0, 3.0)
    assert image.cmap(image.norm(0.0))[:3] == pytest.approx((1, 1, 1), abs=0.01)
    red, _, blue, _ = image.cmap(image.norm(-3.0))
    assert blue > red
    red, _, blue, _ = image.cmap(image.norm(3.0))
    assert red > blue


def test_amounts_go_from_white_up() -> None:
    _, ax = style.figure("square")
    image = style.matrix(ax, [[0, 4], [2, 1]], "amount")
    assert image.get_clim() == (0.0, 4)
    shades = [grey(image.cmap(image.norm(value))) for value in (0, 1, 2, 4)]
    assert shades == sorted(shades, reverse=True)


def test_numbers_are_written_in_up_to_twelve_by_twelve() -> None:
    _, ax = style.figure("square")
    style.matrix(ax, [[0.5] * 12] * 12)
    assert len(ax.texts) == 144
    _, ax = style.figure("square")
    style.matrix(ax, [[0.5] * 13] * 2)
    assert len(ax.texts) == 0


def test_a_matrix_can_be_a_tensor_and_minus_signs_are_true_ones() -> None:
    import torch

    _, ax = style.figure("square")
    style.matrix(ax, torch.tensor([[-1.5, 2.0]]), rows=["a"], columns=["x", "y"])
    assert [text.get_text() for text in ax.texts] == ["−1.5", "2"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["x", "y"]


@pytest.mark.parametrize("values", [[1.0, 2.0], [[[1.0]]], []])
def test_what_is_not_two_dimensional_is_refused(values: list) -> None:
    _, ax = style.figure("square")
    with pytest.raises(ValueError, match="two dimensions"):
        style.matrix(ax, values)
    with pytest.raises(ValueError, match='"signed" or "amount"'):
        style.matrix(ax, [[1.0]], kind="loud")


def test_lines_that_share_a_figure_differ_in_grey() -> None:
    pairs = [
        (style.TRAIN, style.VALID),
        (style.FORWARD, style.POSITIVE),
        (style.FORWARD, style.BACKWARD),
        (style.TRAIN, style.REFERENCE),
    ]
    for one, other in pairs:
        assert abs(grey(one) - grey(other)) > 0.06


@pytest.mark.parametrize(
    "value, words",
    [
        (3.295836866004329, "3.2958"),
        (228146, "228,146"),
        (559873.59, "559,874"),
        (1 / 27, "0.037037"),
        (-0.5, "-0.5"),
        (3.0, "3"),
        (20.0, "20"),
        (100.0, "100"),
        (0.0, "0"),
        (-0.0, "0"),
        (1e-12, "1e-12"),
        (1.25e-7, "1.25e-7"),
        (2e9, "2e9"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (True, "True"),
        (0.99999999, "1"),
    ],
)
def test_a_number_is_written_as_prose_shows_it(value: float, words: str) -> None:
    assert style.number(value) == words


def test_a_figure_is_told_by_its_titles_and_what_its_axes_count():
    fig, (left, right) = style.figure("pair")
    left.set_title("Before\nit is trained")
    left.set(xlabel="step", ylabel="loss")
    right.set_title("After", loc="center")
    right.set_xlabel("step")
    told = "Before it is trained. loss against step. After. step"
    assert style.words_of(fig) == told
    fig.suptitle("Two of them")
    assert style.words_of(fig).startswith("Two of them. Before")


def test_a_figure_that_claims_nothing_says_so():
    fig, _ = style.figure("wide")
    assert style.words_of(fig) == "A figure without a title"
