"""Nothing is broadcast, nothing believed that can be asked; differences are seen."""

import math
import subprocess
import sys
from unittest.mock import MagicMock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbook.compare import (
    ALIKE,
    EXACT,
    FLOAT32,
    Tolerance,
    difference,
    kind,
    same,
    show,
)

torch = pytest.importorskip("torch")
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


class Hostile:
    """Says yes to everything, and raises when looked at."""

    def __eq__(self, other):
        return True

    __hash__ = object.__hash__

    def __repr__(self):
        raise ValueError("no")

    def __getattr__(self, name):
        raise RuntimeError(name)


class Liar:
    __class__ = float


WRONG_FORMS = [
    (6.0, "6.0"),
    (6.0, True),
    (6.0, [6.0]),
    (6.0, None),
    (6.0, 6 + 0j),
    (6.0, np.float64(6.0)),
    (6.0, np.array(6.0)),
    (6.0, torch.tensor(6.0)),
    (1, True),
    (True, 1),
    (None, 0),
    ("a", b"a"),
    ([1.0, 2.0], (1.0, 2.0)),
    ((1.0, 2.0), [1.0, 2.0]),
    ([1.0], {1.0}),
    ([0, 1], range(2)),
    ({"a": 1}, [("a", 1)]),
    (torch.ones(3), 1.0),
    (torch.ones(3), [1.0, 1.0, 1.0]),
    (torch.ones(3), np.ones(3, dtype=np.float32)),
    (np.ones(3), torch.ones(3, dtype=torch.float64)),
]


@pytest.mark.parametrize(("expected", "yours"), WRONG_FORMS)
def test_another_type_is_a_difference_of_type(expected, yours):
    found = difference(expected, yours)
    assert found is not None
    assert found.kind == "type"
    assert found.expected != found.yours


@pytest.mark.parametrize("make", [Hostile, Liar, MagicMock])
@pytest.mark.parametrize("expected", [6.0, "a", None, [1.0], (), {}, np.ones(2)])
def test_what_an_object_says_of_itself_is_not_believed(expected, make):
    assert difference(expected, make()).kind == "type"


SHAPES = [
    (torch.ones(3), torch.ones(1)),
    (torch.ones(3), torch.ones(())),
    (torch.ones(3), torch.ones(1, 3)),
    (torch.ones(2, 3), torch.ones(3, 2)),
    (torch.ones(2, 3), torch.ones(6)),
    (np.ones((2, 3)), np.ones(3)),
    ([1.0, 1.0], [1.0]),
    ((1.0,), ()),
]


@pytest.mark.parametrize(("expected", "yours"), SHAPES)
def test_nothing_is_broadcast(expected, yours):
    assert difference(expected, yours).kind == "shape"


def test_the_dtype_is_asked_before_the_value():
    found = difference(torch.ones(2), torch.zeros(2, dtype=torch.float64))
    assert found.kind == "dtype"
    assert "float32" in found.expected
    assert "float64" in found.yours


NOT_FINITE = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("bad", NOT_FINITE)
def test_what_is_not_finite_is_said_before_the_value(bad):
    assert difference(1.0, bad).kind == "finite"
    assert difference(torch.ones(2), torch.tensor([1.0, bad])).kind == "finite"


@pytest.mark.parametrize("value", NOT_FINITE)
def test_what_shall_not_be_finite_is_compared(value):
    assert difference(value, value) is None
    assert difference(value, 1.0) is not None
    assert difference(torch.tensor([value]), torch.tensor([value])) is None
    assert difference(torch.tensor([value]), torch.tensor([1.0])) is not None
    assert difference(math.inf, -math.inf) is not None


@given(NUMBERS)
def test_a_number_equals_itself(x):
    assert difference(x, x) is None
    assert difference([x], [x]) is None
    assert difference(np.array([x]), np.array([x])) is None


@given(NUMBERS, NUMBERS)
def test_numbers_further_apart_than_the_tolerance_differ(x, y):
    apart = abs(x - y) > 1e-6 * max(abs(x), abs(y)) + 1e-12
    assert (difference(x, y) is not None) == apart


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=9), st.data())
def test_one_changed_element_is_found_and_named(numbers, data):
    at = data.draw(st.integers(0, len(numbers) - 1))
    other = [*numbers]
    other[at] = numbers[at] + 1 + abs(numbers[at])
    found = difference(numbers, other)
    assert found is not None
    assert found.expected != found.yours
    array = difference(np.array(numbers), np.array(other))
    assert array is not None
    assert array.yours != array.expected


@given(NUMBERS, st.floats(1e-5, 1e-2))
def test_what_differs_is_shown_with_enough_digits(x, part):
    found = difference(x, x * (1 + part) + 1e-9)
    assert found is None or found.expected != found.yours
    found = difference([x, 1.0], [x * (1 + part) + 1e-9, 1.0])
    assert found is None or found.expected != found.yours


def test_whole_numbers_are_exact_however_large():
    assert difference(10**9, 10**9 + 1) is not None
    large = torch.tensor([2**60])
    assert difference(large, large + 1) is not None
    assert difference(np.array([7], dtype=np.uint8), np.array([6], np.uint8))


def test_an_int_may_stand_for_a_float_but_not_in_exact_cases():
    assert difference(6.0, 6) is None
    assert difference(6, 6.0) is None
    assert difference(6, 6.0, EXACT) is not None


def test_the_tolerance_of_an_array_is_relative_to_its_largest_number():
    near = torch.tensor([1000.0, 0.0]), torch.tensor([1000.0, 0.05])
    assert difference(*near, FLOAT32) is None
    assert difference(near[0] / 1000, near[1], FLOAT32) is not None


def test_the_place_of_the_largest_gap_is_named():
    right = torch.zeros(20, 30)
    wrong = right.clone()
    wrong[3, 4] = 1.0
    found = difference(right, wrong)
    assert found.lines()[1] == ("yours", "[3, 4] = 1.0  shape (20, 30)  float32")


def test_the_key_that_differs_is_named_and_the_first_one_wins():
    found = difference({"loss": 1.0, "grads": [1.0]}, {"loss": 1.0, "grads": [2.0]})
    assert found.lines() == (("expected", "grads = [1.0]"), ("yours", "grads = [2.0]"))


def test_a_place_inside_a_place_is_named():
    found = difference({"losses": [[1.0], 2.0]}, {"losses": [["a"], 2.0]})
    assert found.place == "losses[0][0]"
    assert difference({"a": {"b": 1}}, {"a": {"b": 2}}).place == "a.b"


def test_a_missing_or_an_additional_key_is_a_difference():
    assert difference({"a": 1, "b": 2}, {"a": 1}) is not None
    assert difference({"a": 1}, {"a": 1, "b": 2}) is not None


def test_the_index_that_differs_in_a_long_list_is_named():
    right = list(range(20))
    found = difference(right, [*right[:7], 99, *right[8:]])
    assert found.lines() == (("expected", "[7] = 7"), ("yours", "[7] = 99"))


def test_a_list_that_lies_about_its_items_is_read_as_it_is():
    class Lying(list):
        def __iter__(self):
            return iter([1.0, 2.0])

        def __len__(self):
            return 2

    assert difference([1.0, 2.0], Lying([5.0])) is not None


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.bool])
def test_short_dtypes_are_compared(dtype):
    one, other = torch.tensor([1, 0], dtype=dtype), torch.tensor([1, 1], dtype=dtype)
    assert difference(one, one) is None
    assert difference(one, other) is not None


def test_a_tensor_with_a_gradient_is_compared():
    assert difference(torch.ones(2), torch.ones(2, requires_grad=True)) is None


def test_empty_arrays_are_equal():
    assert difference(torch.ones(0, 3), torch.ones(0, 3)) is None


# ---------------------------------------------------------------- showing


@pytest.mark.parametrize(
    "make",
    [
        Hostile,
        Liar,
        MagicMock,
        lambda: "x" * 10_000,
        lambda: list(range(10_000)),
        lambda: {i: i for i in range(10_000)},
        lambda: np.arange(1e6),
        lambda: torch.arange(10**6),
        lambda: float,
        lambda: show,
    ],
)
def test_anything_is_shown_in_one_bounded_line(make):
    value = make()
    for text in (show(value), kind(value)):
        assert len(text) < 220
        assert "\n" not in text
        assert "0x" not in text


def test_a_number_looks_like_what_it_is():
    assert show(6.0) == "6.0"
    assert show(6) == "6"
    assert show(0.1 + 0.2) == "0.3"
    assert kind([1.0]) == "[1.0], a list"
    assert kind(3) == "3, an int"
    assert kind(None) == "None"


def test_same_is_never_an_error():
    assert not same(1.0, Hostile())
    assert same(math.nan, math.nan)
    assert same([1.0], [1.0 + 1e-9])


def test_a_tolerance_says_why():
    assert all(t.reason for t in (EXACT, FLOAT32, ALIKE))
    assert Tolerance(0.1, 1.0, "").allows(gap=2.0, scale=10.0)
    assert not Tolerance(0.1, 1.0, "").allows(gap=math.nan, scale=10.0)


def test_comparing_numbers_loads_no_library():
    code = (
        "import sys; from workbook.compare import difference; difference([1.0], [2]);"
        "from workbook.checks import exercises; exercises('micrograd');"
        "print({'torch', 'numpy', 'IPython', 'jupytext'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


# ---------------------------------------------------------------- odd tensors


ODD = {
    "sparse": lambda: torch.ones(3).to_sparse(),
    "sparse rows": lambda: torch.ones(3, 3).to_sparse_csr(),
    "without numbers": lambda: torch.ones(3, device="meta"),
    "nested": lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(3), 1, 0, torch.quint8),
    "complex": lambda: torch.ones(3, dtype=torch.complex64),
    "bfloat16": lambda: torch.ones(3, dtype=torch.bfloat16),
    "a byte of float": lambda: torch.ones(3, dtype=torch.float8_e4m3fn),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ODD)
def test_a_tensor_of_another_kind_is_a_difference_in_words(name):
    for expected, yours in ((torch.ones(3), ODD[name]()), (ODD[name](), torch.ones(3))):
        found = difference(expected, yours)
        assert found.kind in ("type", "shape", "dtype")
        assert found.expected != found.yours
    assert show(ODD[name]())
    assert not same(torch.ones(3), ODD[name]())


def test_a_parameter_and_a_result_with_a_gradient_are_compared_by_their_numbers():
    w = torch.nn.Parameter(torch.ones(3))
    assert difference(torch.ones(3), w) is None
    assert difference(torch.full((3,), 2.0), w * 2) is None
    assert difference(torch.ones(3), w * 2).kind == "value"


def test_the_place_of_what_is_not_finite_is_shown():
    bad = torch.ones(4, 9)
    bad[3, 7] = math.nan
    found = difference(torch.ones(4, 9), bad)
    assert (found.kind, found.place, found.yours[:3]) == ("finite", "[3, 7]", "nan")
