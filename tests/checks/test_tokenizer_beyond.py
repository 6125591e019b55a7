"""Lesson 8, beyond the core: the oracles of the checks, and what a speed is worth."""

import random

import pytest
import tiktoken
from notebook import answered, solved

from workbook.checks import exercises, known, run
from workbook.checks.tokenizer_beyond import (
    _QUICK,
    _TEXT,
    _few_ranks,
    _given,
    _ranks,
    _slow_ids,
    _slow_points,
    _timed,
)

assert "tokenizer.codepoint_bpe" in exercises("tokenizer")
NAMES = ("gpt4_tokenizer", "compression", "artifacts", "fast_train", "codepoint_bpe")


@pytest.fixture(scope="module")
def book() -> dict:
    """The notebook after all solutions."""
    return solved("tokenizer.codepoint_bpe")


def mistaken(name: str, mistake: str) -> tuple:
    return known(f"tokenizer.{name}").mistakes[mistake].make()


@pytest.mark.parametrize("name", NAMES)
def test_each_has_mistakes_enough(name):
    assert len(known(f"tokenizer.{name}").mistakes) >= 7


# ---------------------------------------------------------------- published ranks


def test_no_two_tokens_of_the_oracle_have_the_same_bytes():
    made = _given().fast_train(_TEXT, 310)
    assert len(_ranks()) == len(set(made.vocab.values())) == len(made.vocab)


def test_forgotten_shuffling_comes_back_as_the_text_with_other_ids():
    _, _, Wrong = mistaken("gpt4_tokenizer", "bytes not shuffled")
    right = _given().GPT4Tokenizer(dict(_ranks()))
    wrong = Wrong(dict(_ranks()))
    wrong.vocab |= {byte: bytes([byte]) for byte in range(256)}
    assert wrong.decode(wrong.encode("the cat")) == "the cat"
    assert wrong.encode("zebra") != right.encode("zebra")


def test_any_pair_that_makes_a_token_is_not_the_one_that_is_met(book):
    """Merges from the longest prefix make `abc` of ab and c, which BPE never has."""
    _, wrong, _ = mistaken("gpt4_tokenizer", "longest prefix")
    ranks = {bytes([b]): b for b in range(256)} | {b"bc": 256, b"ab": 257, b"abc": 258}
    made = book["GPT4Tokenizer"](ranks)
    theirs = tiktoken.Encoding(
        "abc", pat_str=made.pattern, mergeable_ranks=ranks, special_tokens={}
    )
    assert made.encode("abc") == theirs.encode("abc") == [258]
    made.merges = wrong(ranks)
    assert made.encode("abc") == [97, 256]


def test_a_rank_that_is_no_pair_of_older_ones_is_told():
    with pytest.raises(ValueError, match="unpack"):
        _given().recover_merges({b"a": 0, b"b": 1, b"aab": 2})


@pytest.mark.parametrize("ranks", [_ranks, _few_ranks])
def test_fast_encode_and_the_plain_loop_agree_for_shuffled_bytes(book, ranks):
    made = book["GPT4Tokenizer"](dict(ranks()))
    dice = random.Random(1)
    for _ in range(40):
        text = "".join(dice.choices("abcd 1234théé안\n", k=30))
        assert book["fast_encode"](made, text) == made.encode_ordinary(text)


# ---------------------------------------------------------------- compression


def test_bits_per_byte_are_the_same_for_the_same_loss_of_a_text(book):
    """The loss of the whole text, told per token of two tokenizers."""
    tokenizer, text, whole = book["fast_train"](_TEXT, 300), _TEXT, 900.0
    bits = [
        book["bits_per_byte"](whole / len(one.encode(text)), one, text)
        for one in (tokenizer, book["cut"](tokenizer, 256))
    ]
    assert bits[0] == pytest.approx(bits[1], rel=1e-12)


def test_a_cut_is_what_training_stops_at(book):
    large, small = book["RegexTokenizer"](), book["RegexTokenizer"]()
    large.train(_TEXT, 300)
    small.train(_TEXT, 280)
    cut = book["cut"](large, 280)
    assert (cut.merges, cut.vocab) == (small.merges, small.vocab)


# ---------------------------------------------------------------- speed


@pytest.mark.parametrize("seed", range(4))
def test_fast_train_finds_the_merges_of_train(book, seed):
    dice = random.Random(seed)
    for _ in range(15):
        text = "".join(dice.choices("aaab  c'é1안", k=dice.randrange(60)))
        plain = book["RegexTokenizer"]()
        plain.train(text, 256 + dice.randrange(20))
        fast = book["fast_train"](text, 256 + len(plain.merges))
        assert list(fast.merges.items()) == list(plain.merges.items())
        assert fast.vocab == plain.vocab


class Counted(dict):
    """Merges that count how often they are asked."""

    asked = 0

    def get(self, pair, default=None):
        self.asked += 1
        return super().get(pair, default)

    def __contains__(self, pair):
        self.asked += 1
        return super().__contains__(pair)


def test_the_work_of_the_heap_grows_with_the_text_and_not_with_its_square(book):
    tokenizer = book["fast_train"](_TEXT * 2 + "a" * 64, 330)
    asked = []
    for times in (10, 20):
        merges = Counted(tokenizer.merges)
        letters = _TEXT.replace(" ", "").encode() + b"a" * 500
        book["merge_by_heap"](list(letters * times), merges)
        asked.append(merges.asked)
    assert asked[1] < 2.1 * asked[0] < 2.1 * 5 * len(letters * 10)


def test_a_speed_is_measured_beside_the_plain_loop_and_not_by_the_clock():
    quick, slow = lambda: sum(range(10_000)), lambda: sum(range(200_000))
    same = lambda out: "the same"  # noqa: E731
    assert _timed(quick, slow, same) == _QUICK
    assert _timed(slow, slow, same)["time"] != _QUICK["time"]
    assert _timed(quick, slow, lambda out: out) != _QUICK


def test_a_slow_answer_is_not_told_that_its_merges_are_wrong():
    verdict = run("tokenizer.fast_train", *mistaken("fast_train", "counted anew"))
    assert verdict.line("expected") == "time = at most a quarter", verdict
    assert verdict.line("looks as").startswith("Right, and slow"), verdict


def test_a_helper_of_the_exercise_stays_the_learners():
    """A wrong Tally is not replaced by ours while fast_train is judged alone."""
    code = """
class Tally(Tally):
    def commonest(self):
        return max(self.counts, key=self.counts.get)
"""
    id = "tokenizer.fast_train"
    verdict = run(id, *answered(id, code))
    assert verdict.mistake == "order of the dict", verdict


# ---------------------------------------------------------------- code points


def test_every_text_comes_back_whatever_is_covered(book):
    dice = random.Random(2)
    for coverage in (0.5, 0.9, 1.0):
        for prefix in (False, True):
            made = book["CodePointTokenizer"](coverage, prefix)
            made.train("the cat né 안녕 the cat", 285)
            for _ in range(20):
                text = "".join(dice.choices("the  cat né안😉\n", k=dice.randrange(15)))
                assert made.decode(made.encode(text)) == text


def test_encode_equals_the_one_pass_in_the_order_learned(book):
    how = ("abab baba bcbc cab", 0.95, True, 275)
    made, slow = book["CodePointTokenizer"](0.95), _slow_points(*how)
    made.train(how[0], how[3])
    assert made.merges == slow["merges"]
    for text in ("abc", "cabab babc", "xa b"):
        assert made.encode(text) == _slow_ids(slow, text, True)
