"""Each rule of a lesson's text finds what breaks it, and says in which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.conftest import SOLUTIONS, SmallCourse
from workbook.bench.lint import complain, complaints, lint
from workbook.bench.spoilers import spoiled
from workbook.checks import exercises as checks_of
from workbook.course import course, lesson
from workbook.source import Cell

REPOSITORY = Path(__file__).resolve().parents[2]

FUNCTION = '    """The central difference."""\n'
TODO = "    # TODO: choose a step, then measure\n"
FIRST = "    h = 1e-5 if h is None else h\n"
LAST = "    return (f(x + h) - f(x - h)) / (2 * h)\n"
BEGIN, END = "    ### BEGIN SOLUTION\n", "    ### END SOLUTION\n"
META = '# %% exercise="micrograd.derivative" minutes=10 difficulty=1\n'
CHECK = 'check("micrograd.derivative", derivative)\n'
LOOK = "# A slope is a rise over a run.\n"
HOLE = "# The rise is `f(x + h) - ____`.\n"
WHY = (
    '# %% [markdown] tags=["solution"]\n# **Why.** From both sides the errors cancel.\n'
)
GRADIENT = SOLUTIONS[SOLUTIONS.index("# %% [markdown]\n# ## gradient_by_hand") :]
HINT = '# %% [markdown] tags=["hint"]\n'

# what is changed, into what, the line of the complaint, words of it
SOLUTION_FAULTS = {
    "unmatched begin": (END, "", 18, "BEGIN SOLUTION without an END"),
    "unmatched end": (BEGIN, "", 20, "END SOLUTION without a BEGIN"),
    "nested": (FIRST, FIRST + BEGIN, 20, "a nested mark: the one of line 18"),
    "misspelt": (BEGIN, "    ### BEGIN SOLUTIONS\n", 18, "is no mark"),
    "lower case": (END, "    ### end solution\n", 21, "is no mark"),
    "two hashes": (END, "    ## END SOLUTION\n", 21, "is no mark"),
    "no space": (END, "    ###END SOLUTION\n", 21, "is no mark"),
    "another tool's": (END, "    ### END HIDDEN TESTS\n", 21, "is no mark"),
    "outside": ("import math\n", "### BEGIN SOLUTION\n", 5, "outside an exercise's"),
    "in markdown": (LOOK, "# ### BEGIN SOLUTION\n", 27, "outside an exercise's cell"),
    "no mark": (BEGIN + FIRST + LAST + END, "    return 1\n", 14, "without a mark"),
    "no todo": (TODO, "", 17, "no `# TODO:` above the answer"),
    "todo apart": (TODO, TODO + "    k = 2\n", 19, "no `# TODO:` above the answer"),
    "todo tells": (
        TODO,
        "    # TODO: h = 1e-5 if h is None\n    # else h\n",
        17,
        "the TODO gives the answer away: 'h=1e-5ifhisNoneelseh'",
    ),
    "unknown tag": ('tags=["hint"]', 'tags=["hints"]', 26, "unknown tag 'hints'"),
    "nbval misspelt": (
        "# %%\nimport",
        '# %% tags=["nbval-check"] key="a"\nimport',
        4,
        "unknown tag 'nbval-check'; known: hint, nbval-check-output, solution",
    ),
    "hint as code": (
        HINT + LOOK,
        '# %% tags=["hint"]\n"look"\n',
        26,
        "a hint is Markdown",
    ),
    "unknown metadata": (
        META,
        META[:-1] + " hours=1\n",
        14,
        "unknown metadata 'hours'",
    ),
    "wrong type": (META, META.replace("10", '"ten"'), 14, "minutes is 'ten'"),
    "duplicate id": (
        'micrograd.gradient_by_hand" minutes',
        'micrograd.derivative" minutes',
        43,
        "the id 'micrograd.derivative' is taken",
    ),
    "id not in course": (
        META,
        META.replace("derivative", "slope"),
        14,
        "course.toml has no exercise 'micrograd.slope'",
    ),
    "id not in file": (GRADIENT, "", 1, "course.toml has 'micrograd.gradient_by_hand'"),
    "no check": (
        META,
        META.replace("derivative", "slope"),
        14,
        "micrograd.slope has no check in workbook/checks/micrograd.py",
    ),
    "two hints": (HINT + LOOK, "", 14, "micrograd.derivative has 2 hints, not 3"),
    "four hints": (HINT + LOOK, (HINT + LOOK) * 2, 14, "has 4 hints, not 3"),
    "no why": (WHY, "", 14, "micrograd.derivative does not say why"),
    "no check cell": (CHECK, "1\n", 14, "has 0"),
    "two check cells": (CHECK, f"{CHECK}\n# %%\n{CHECK}", 14, "has 2"),
    "no minutes": (META, META.replace(" minutes=10", ""), 14, "has no minutes"),
    "no difficulty": (META, META.replace("=1\n", "=6\n"), 14, "difficulty from 1 to 5"),
    "said twice": (
        CHECK,
        CHECK + "\n" + META + FUNCTION + BEGIN + END,
        26,
        "minutes and difficulty are said in the first cell",
    ),
    "two exercises, one heading": (
        "# %% [markdown]\n# ## gradient_by_hand\n#\n# Three derivatives, on paper.\n",
        "",
        39,
        "a second exercise under one heading",
    ),
    "no heading": (
        "# ## derivative\n",
        "# derivative\n",
        14,
        "there is no `##` above it",
    ),
    "lost hint": (
        "# %%\nimport",
        f"{HINT}# lost\n\n# %%\nimport",
        4,
        "belongs to no exer",
    ),
    "hint tells": (
        LOOK,
        "# `return (f(x + h) - f(x - h)) / (2 * h)`\n",
        26,
        "hint 1 gives the answer away",
    ),
    "hint tells, respaced": (
        LOOK,
        "# Say  `h=1e-5  if h is None else h`, then go on.\n",
        26,
        "gives the answer",
    ),
    "hint tells, one line": (
        LOOK,
        "# `h = 1e-5 if h is None else h; return (f(x+h) - f(x-h)) / (2*h)`\n",
        26,
        "gives the answer away: '(f(x+h)-f(x-h))/(2*h)'",
    ),
    "hint tells, two lines": (
        LOOK,
        "# Divide: `(f(x + h) -\n# f(x - h)) / (2 * h)`\n",
        26,
        "gives the answer",
    ),
    "hint tells, python's way": (
        LOOK,
        "# `h = 1e-05 if h is None else h`\n",
        26,
        "gives the answer",
    ),
    "no hole": (HOLE, "# The rise.\n", 32, "the last hint has no hole"),
}

COMPARED = '# %% tags=["nbval-check-output"] key="rise"\n'
PRINT = 'print(f"rise {rise}")\n'
WORD = "# A slope is a rise over a run.\n"
LECTURE_FAULTS = {
    "semicolon": (PRINT, "rise;\n", 11, "`;` does not silence"),
    "semicolon, comment": (PRINT, "rise;  # quiet\n", 11, "`;` does not silence"),
    "clear_output": (PRINT, "clear_output()\n", 11, "clear_output does not clear"),
    "nbval comment": ("rise = 6", "# NBVAL_CHECK_OUTPUT", 10, "use the tag"),
    "misspelt nbval": ("nbval-check-output", "nbval_check_output", 9, "unknown tag"),
    "no key": (' key="rise"', "", 9, "a compared cell needs a key"),
    "odd key": ('key="rise"', 'key="the rise"', 9, "the key 'the rise' has more"),
    "duplicate key": ('key="slope"', 'key="rise"', 13, "is that of line 9 as well"),
    "a compared text": (
        "# %% [markdown]\n# ## S",
        '# %% [markdown] tags=["nbval-check-output"] key="a"\n# ## S',
        4,
        "a Markdown cell is neither compared",
    ),
    "hint in a lecture": (
        "# %% [markdown]\n# ## S",
        '# %% [markdown] tags=["hint"]\n# ## S',
        4,
        "unknown tag",
    ),
    "exercise in a lecture": (
        COMPARED,
        '# %% exercise="micrograd.derivative"\n',
        9,
        "unknown metadata 'exercise'",
    ),
    "forbidden": (WORD, "# Of course.\n", 7, "a forbidden word: 'Of course'"),
    "html": (WORD, "# A <b>bold</b> word.\n", 7, "raw HTML"),
    "html break": (WORD, "# A word<BR/>\n", 7, "raw HTML"),
    "html comment": (WORD, "# <!-- a comment -->\n", 7, "raw HTML"),
    "html entity": (WORD, "# a&nbsp;b\n", 7, "raw HTML"),
    "third heading": (WORD, "# ### Deeper\n", 7, "no heading below `##`"),
    "late heading": (WORD, "# ## Another\n", 7, "a heading begins its cell"),
    "second title": (WORD, "# # Another\n", 7, "a lesson has one `#` title"),
    "no title": ("# # 1 · Slopes", "# Slopes", 1, "begins with its `#` title"),
    "many words": (
        WORD,
        "# " + "word word word word\n# " * 23,
        4,
        "words in a cell; 90",
    ),
    "wide text": (WORD, f"# {'x' * 87}\n", 7, "89 characters; 88 at most"),
    "wide code": ("rise = 6", f"rise = {'6' * 82}", 10, "89 characters; 88 at most"),
    "long cell": (PRINT, PRINT * 20, 9, "21 lines of code; 20 at most"),
    "long class": (
        PRINT,
        "class A:\n" + "    x = 1\n" * 30,
        9,
        "32 lines of code; 30 at most",
    ),
    "no python": (PRINT, "print(\n", 11, "not Python"),
    "a magic": (PRINT, "%timeit rise\n", 11, "not Python"),
    "four in a row": (
        PRINT,
        f"{PRINT}\n# %%\n1\n\n# %%\n2\n",
        19,
        "more than 3 code cells",
    ),
    "many sections": (
        COMPARED,
        "# %% [markdown]\n# ## A\n\n" * 12 + COMPARED,
        1,
        "13 sections; 12",
    ),
    "many cells": (
        COMPARED,
        "# %% [markdown]\n# a\n\n" * 118 + COMPARED,
        1,
        "122 cells; 120",
    ),
    "code under text": (
        WORD,
        "# A slope.\nrise = 1\n",
        8,
        "code under a Markdown marker",
    ),
}


def told(path: Path) -> list[tuple[int, str]]:
    return [(error.line, error.words) for error in lint(path, lesson(1))]


def changed(small: SmallCourse, name: str, old: str, new: str) -> Path:
    small.change(name, old, new)
    return small.root / name


@pytest.mark.parametrize("fault", SOLUTION_FAULTS)
def test_a_fault_in_a_solution_is_named_with_its_line(small: SmallCourse, fault: str):
    old, new, line, words = SOLUTION_FAULTS[fault]
    found = told(changed(small, "solutions/01_micrograd.py", old, new))
    assert any(line == at and words in said for at, said in found), found


@pytest.mark.parametrize("fault", LECTURE_FAULTS)
def test_a_fault_in_a_lecture_is_named_with_its_line(small: SmallCourse, fault: str):
    old, new, line, words = LECTURE_FAULTS[fault]
    found = told(changed(small, "notebooks/01_micrograd.py", old, new))
    assert any(line == at and words in said for at, said in found), found


def test_a_check_needs_four_known_mistakes(small: SmallCourse, monkeypatch):
    monkeypatch.setattr(checks_of("micrograd")["micrograd.derivative"], "mistakes", {})
    found = told(small.root / "solutions" / "01_micrograd.py")
    assert found == [(14, "micrograd.derivative has 0 known mistakes; 4 at least")]


def test_a_section_of_course_toml_is_a_heading_of_the_lecture(small: SmallCourse):
    small.change("course.toml", 'section = "Slopes"', 'section = "Hills"')
    (found,) = complaints()
    assert str(found) == "course.toml:16: 01_micrograd.py has no section 'Hills'"


def test_a_section_is_asked_for_once_the_lecture_is_written(small: SmallCourse):
    small.change("course.toml", 'section = "Slopes"', 'section = "Hills"')
    lesson(1).lecture_source.unlink()
    assert complaints() == []


def test_each_concept_is_drilled_and_each_exercise_drills_one(small: SmallCourse):
    text = (small.root / "course.toml").read_text("utf-8")
    before = text.rpartition("exercises = [")[0]
    small.write("course.toml", f"{before}exercises = []\n")
    found = [str(one) for one in complaints()]
    drills = "drills no concept of course.toml"
    assert found == [
        f"solutions/01_micrograd.py:14: micrograd.derivative {drills}",
        f"solutions/01_micrograd.py:43: micrograd.gradient_by_hand {drills}",
        "course.toml:15: the concept 'slopes' has no exercise",
    ]


def test_the_order_of_the_exercises_is_that_of_the_course(small: SmallCourse):
    one, two = '"micrograd.derivative"', '"micrograd.gradient_by_hand"'
    small.change("course.toml", f"[{one}, {two}]", f"[{two}, {one}]")
    (found,) = complaints()
    assert found.line == 1 and "the order of course.toml is" in found.words


@pytest.mark.parametrize(
    "innocent",
    [
        "Return the losses.",  # a word of the answer
        "The pieces are `f(x + h)`, `f(x - h)` and `2 * h`.",
        "`return (f(x + h) - ____) / (2 * h)`",
        "$h = 10^{-5}$ is a good step.",
    ],
)
def test_a_hint_may_name_the_pieces(innocent):
    answer = SOLUTIONS[
        SOLUTIONS.index("def derivative") : SOLUTIONS.index("# %%\ncheck")
    ]
    assert spoiled(innocent, [Cell("code", answer, 1)]) == []


def test_code_between_fences_is_no_prose(small: SmallCourse):
    fenced = "# ```\n# # a comment\n# <b>\n# just\n# ```\n"
    assert told(changed(small, "notebooks/01_micrograd.py", WORD, fenced)) == []


def test_what_is_quoted_as_code_or_mathematics_is_no_prose(small: SmallCourse):
    quoted = "# `just`, `<b>`, $a<b>c$ and `&nbsp;` are quoted.\n"
    assert told(changed(small, "notebooks/01_micrograd.py", WORD, quoted)) == []


def test_the_complaints_of_one_room_leave_the_other_alone(small: SmallCourse, capsys):
    small.change("notebooks/01_micrograd.py", WORD, "# Obviously.\n")
    assert complain(rooms=("solutions",)) == 0
    assert complain() == 1
    line = "notebooks/01_micrograd.py:7: a forbidden word: 'Obviously'\n"
    assert capsys.readouterr().out == line


def test_the_small_course_has_no_complaint(small: SmallCourse):
    assert complaints() == []


def test_the_course_has_no_complaint():
    assert [str(one) for one in complaints()] == []
    assert course().lessons[0].solution_source.exists()
