"""Whatever a learner writes or asks: words come back, and the kernel is still there.

All tests share one notebook, as a learner's do: what one of them broke, the next finds.
"""

from __future__ import annotations

import time

import pytest

from .driver import Notebook, answers, until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def page(open_for_module) -> Notebook:
    opened = open_for_module("exercises/01_micrograd.ipynb")
    opened.run("from workbook import")
    return opened


def answered(page: Notebook, id: str, source: str) -> str:
    """Write an answer, run it and its check; the card."""
    at = page.index(f"TODO {id}")
    page.write(at, source)
    page.run(at)
    return page.run(f'check("{id}"')


def is_alive(page: Notebook) -> bool:
    return "1764" in page.run(page.append("print(42**2)"))


def test_each_hint_goes_deeper_and_the_last_one_stays(page):
    at = page.append('hint("micrograd.value")')
    shown = [page.run(at) for _ in range(4)]
    assert [text[:11] for text in shown[:3]] == [f"Hint {n} of 3" for n in (1, 2, 3)]
    assert len(set(shown)) == 3
    assert 'solution("micrograd.value")' in shown[3]


def test_a_solution_asks_first_and_appears_after_the_click(page):
    at = page.append('solution("micrograd.backward")')
    asked = page.run(at)
    assert "Yours has not passed yet" in asked
    assert "self.grad = 1.0" not in asked
    page.outputs(at).get_by_role("button", name="Show it").click()
    page.outputs(at).get_by_text("self.grad = 1.0").wait_for()
    assert "Why." in page.shown(at)


def test_a_solution_shows_itself_once_yours_has_passed(page):
    id = "micrograd.gradient_by_hand"
    assert "passed" in answered(page, id, dict(answers("01_micrograd"))[id])
    assert "Yours has passed. For comparison" in page.run(
        page.append(f'solution("{id}")')
    )


def test_an_endless_loop_ends_in_words_and_the_kernel_answers(page):
    began = time.monotonic()
    loop = "def derivative(f, x, h=None):\n    while True:\n        pass"
    card = answered(page, "micrograd.derivative", loop)
    assert "not yet" in card
    assert "was stopped" in card
    assert time.monotonic() - began < 20
    assert is_alive(page)


def test_an_exit_in_an_answer_is_told_and_the_kernel_answers(page):
    card = answered(page, "micrograd.sgd", "def train(model, loss, steps, lr): exit()")
    assert "leaves Python" in card
    assert is_alive(page)


def test_a_name_of_the_workbook_that_is_overwritten_comes_back(page):
    said = page.run(page.append("check = 3"))
    assert "`check` now held 3." in said
    assert "has put it back" in said
    assert "micrograd.derivative" in page.run('check("micrograd.derivative"')


def test_a_card_follows_shift_enter_while_one_still_looks(page):
    page.run("TODO micrograd.softmax_nll")
    taken = page.seconds_to_card('check("micrograd.softmax_nll"')
    print(f"Shift-Enter to card: {taken:.2f} s")
    assert taken < 10  # on a machine under load; benchmarks/browser.py measures


def test_an_interrupted_cell_leaves_the_notebook_usable(page):
    at = page.append("while True:\n    pass")
    page.begin(at)
    until(lambda: page.prompt(at) == "[*]:", "the cell runs")
    page.menu("Kernel", "Interrupt Kernel")
    until(lambda: page.prompt(at) != "[*]:", "the cell has ended")
    assert "KeyboardInterrupt" in page.shown(at)
    assert is_alive(page)
    assert page.errors == []
