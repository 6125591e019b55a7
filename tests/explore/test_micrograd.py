"""The tangent probe and the saturating neuron show the numbers of the lecture."""

import math
from xml.etree import ElementTree

import pytest

from workbook.explore import saturation, tangent_probe
from workbook.explore.micrograd import true_slope


def parabola(x: float) -> float:
    return 3 * x**2 - 4 * x + 5


def rows(page) -> dict[str, str]:
    return dict(page.rows)


def error(page) -> float:
    return float(rows(page)["error of the secant"])


def test_at_three_the_tangent_has_slope_14_and_a_step_of_one_gives_17() -> None:
    page = tangent_probe(parabola).page()
    told = rows(page)
    assert told["f(x)"] == "20"
    assert told["slope of the tangent"] == "14"
    assert told["slope of the secant"] == "17"
    assert told["central difference"] == "14"


def test_the_picture_shows_the_numbers_of_the_table() -> None:
    page = tangent_probe(parabola).set(h=1e-3).page()
    root = ElementTree.fromstring(page.svg())
    written = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    told = rows(page)
    assert f"secant  {told['slope of the secant']}" in written
    assert f"tangent  {told['slope of the tangent']}" in written
    assert told["error of the secant"] in page.title


def test_the_error_falls_with_h_and_then_rises_again() -> None:
    probe = tangent_probe(parabola)
    errors = [error(probe.set(h=h).page()) for h in (1.0, 1e-3, 1e-7, 1e-12, 1e-15)]
    assert errors[0] > errors[1] > errors[2] < errors[3] < errors[4]


def test_the_claim_says_when_rounding_takes_over() -> None:
    probe = tangent_probe(parabola)
    assert "rounding" not in probe.set(h=1e-4).page().title
    assert "rounding takes over" in probe.set(h=1e-12).page().title
    assert "nothing moves" in probe.set(h=1e-16).page().title


@pytest.mark.parametrize(
    "f, x, slope",
    [
        (parabola, 3.0, 14.0),
        (math.tanh, 0.5, 1 - math.tanh(0.5) ** 2),  # math takes no complex numbers
        (abs, -2.0, -1.0),  # the complex step alone would say 0
        (lambda x: x if x > 0 else 0.1 * x, 2.0, 1.0),  # no order among complex ones
    ],
)
def test_the_true_slope_is_good_to_nine_digits(f, x: float, slope: float) -> None:
    assert true_slope(f, x) == pytest.approx(slope, rel=1e-9)


def test_a_given_derivative_is_the_truth() -> None:
    probe = tangent_probe(parabola, 1.0, derivative=lambda x: 6 * x - 4)
    assert rows(probe.page())["slope of the tangent"] == "2"


def test_a_function_that_gives_a_value_object_is_read_through_its_data() -> None:
    class Boxed:
        def __init__(self, data: float) -> None:
            self.data = data

    assert rows(tangent_probe(lambda x: Boxed(x * x), 2.0).page())["f(x)"] == "4"


def test_where_f_has_no_value_the_probe_says_so_in_one_sentence() -> None:
    probe = tangent_probe(math.log, x=1.0)
    assert probe.set(x=-1.0).page().title == (
        "f(-1) has no value: move x to where f is defined."
    )
    ElementTree.fromstring(probe.set(x=0.5).page().svg())


@pytest.mark.parametrize("f", [lambda x: 1 / x, lambda x: 5.0, math.exp])
def test_poles_and_flat_lines_still_make_a_well_formed_picture(f) -> None:
    probe = tangent_probe(f, x=1.0)
    for h in (1.0, 1e-8, 1e-16):
        drawn = probe.set(h=h).page().svg()
        ElementTree.fromstring(drawn)
        assert "nan" not in drawn and "inf" not in drawn


def test_the_lectures_neuron_has_output_0_7071_and_gradients_1_and_0() -> None:
    told = rows(saturation().page())
    assert told["o = tanh(n)"] == "0.7071"
    assert told["local gradient 1 - o²"] == "0.5"
    assert told["gradient of w1"] == "1"
    assert told["gradient of w2"] == "0"
    assert told["gradient of b"] == "0.5"


def test_at_the_flat_ends_hardly_any_gradient_gets_through() -> None:
    neuron = saturation()
    for b in (1.0, 11.0):
        page = neuron.set(b=b).page()
        assert page.title.startswith("Saturated")
        assert float(rows(page)["gradient of w1"]) < 1e-3
    assert neuron.set(b=6.0).page().title == "Awake: 100 % of the gradient gets through"


def test_a_larger_scale_of_the_weights_moves_the_neuron() -> None:
    neuron = saturation(x=(1.0,), w=(2.0,), b=0.0)
    assert rows(neuron.page())["n = w·x + b"] == "2"
    assert rows(neuron.set(k=0.5).page())["n = w·x + b"] == "1"


def test_a_neuron_without_finite_numbers_is_refused_in_one_sentence() -> None:
    assert "finite numbers" in saturation(b=math.nan).page().title


@pytest.mark.parametrize("make", [lambda: tangent_probe(parabola), saturation])
def test_a_claim_fits_on_one_line_in_every_state(make) -> None:
    thing = make()
    for control in thing.controls:
        for share in (0.0, 0.3, 0.7, 1.0):
            value = control.low + share * (control.high - control.low)
            value = 10**value if getattr(control, "log", False) else value
            page = thing.page(**{control.name: value})
            assert len(page.title) <= 72
            ElementTree.fromstring(page.svg())
