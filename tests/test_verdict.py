"""A verdict is data, and its text says the state first."""

from workbook.verdict import NOT_YET, PASSED, Verdict

LINES = (("case", "f(1)"), ("expected", "2"), ("yours", "3"))


def test_the_first_line_is_the_exercise_and_its_state():
    verdict = Verdict("bigram.counts", NOT_YET, LINES)
    assert verdict.message.splitlines() == [
        "bigram.counts  not yet",
        "  case      f(1)",
        "  expected  2",
        "  yours     3",
    ]
    assert str(verdict) == verdict.message


def test_only_passed_has_passed():
    assert Verdict("a.b", PASSED).passed
    assert not Verdict("a.b", NOT_YET).passed


def test_a_line_is_found_by_its_label():
    verdict = Verdict("a.b", NOT_YET, LINES)
    assert verdict.line("yours") == "3"
    assert verdict.line("because") == ""
