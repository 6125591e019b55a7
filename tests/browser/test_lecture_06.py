"""Lesson 6's lecture, run from top to bottom, and its pictures moved by hand.

Its trainings are cut to the steps of `make check`: what is tested is the page.
"""

from __future__ import annotations

import pytest

from .explorable import Picture, complete, formulas_set, unbroken

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LECTURE = "notebooks/06_wavenet.ipynb"


def test_it_runs_from_top_to_bottom_without_an_error_anywhere(lecture):
    unbroken(lecture)


def test_every_figure_explorable_and_prediction_is_on_the_page(lecture):
    complete(lecture, explorables=5, runs=5)  # the tree is trained out of sight


def test_its_formulas_are_set(lecture):
    formulas_set(lecture, least=10)


def test_a_click_on_a_node_says_which_letters_it_sees(lecture):
    tree = Picture(lecture, "receptive_tree")
    assert tree.claim == 'Node F sees 4 of 8 letters: "emma"'
    tree.hit(1).says('Node B sees 2 of 8 letters: ".."')
    tree.click("G").says('Node G sees 8 of 8 letters: "....emma"')
    tree.click("all at once").says("Node G sees 8 of 8 letters")
    tree.click("four, then two").says("Node G sees 8 of 8 letters")
    tree.hit(1).says('Node F sees 4 of 8 letters: "emma"')
    tree.type("ada").says('Node F sees 4 of 8 letters: ".ada"')
    tree.click("B").says('Node E sees 4 of 8 letters: "...."')
    tree.type("maximilian").says('Node E sees 4 of 8 letters: "ximi"')


def test_the_shapes_are_followed_through_the_layers(lecture):
    shapes = Picture(lecture, "shape_tracer")
    assert shapes.claim == "Embedding: (4, 8) → (4, 8, 10)"
    shapes.click("Next").says("FlattenConsecutive(2): (4, 8, 10) → (4, 4, 20)")
    shapes.press("ArrowRight").says("Linear: (4, 4, 20) → (4, 4, 68)")
    shapes.click("32").says("Linear: (32, 4, 20) → (32, 4, 68)")
    shapes.press("End").says("Linear: (32, 68) → (32, 27)")
    assert shapes.numbers["3 BatchNorm1d"][2].endswith("running_var (68,)")


def test_the_numbers_behind_a_mean_light_up(lecture):
    axes = Picture(lecture, "norm_axes")
    assert axes.claim == "mean(0): 272 means, each of 32 numbers"
    axes.click("0, 1").says("mean(0, 1): 68 means, each of 128 numbers")
    axes.press("PageUp")
    axes.click("2").says("mean(2): 128 means, each of 68 numbers")


def test_trees_on_a_line_share_their_nodes(lecture):
    shared = Picture(lecture, "shared_nodes")
    assert shared.claim == "Output 1: 7 new nodes, none shared yet"
    shared.press("ArrowRight").press("ArrowRight")
    shared.says("Output 3: 4 new nodes, 3 reused; 18 in all, not 21")
    shared.click("4").says("Output 3: 8 new nodes, 7 reused; 38 in all, not 45")
    shared.press("End").says("Output 5")
    shared.type("ricardina")
    shared.says("Output 10: 4 new nodes, 11 reused; 74 in all, not 150")
    shared.click("Back").says("Output 9")


def test_more_batches_a_point_make_a_calmer_line(lecture):
    curve = Picture(lecture, "smoothing")
    curve.press("Home").says("A point is one batch, give or take")
    rough = float(curve.numbers["scatter of a point"][0])
    curve.press("End").says("A point is the mean of 15 batches")
    assert float(curve.numbers["scatter of a point"][0]) < rough
