"""Lesson 8's core exercises: what most texts do not show."""

from itertools import product

import pytest
from answers_tokenizer import SAME
from notebook import alone, answered, objects, solved

from workbook.checks import known, run
from workbook.checks.tokenizer import (
    GPT2,
    GPT4,
    _chunked_like,
    _given,
    chunked,
    encoded,
    holding,
    learned,
    refused,
    scribble,
)

PLAIN = "the quick brown fox jumps over the lazy dog, and the dog sleeps"


def wrong(id: str, name: str) -> type:
    """The class, or the function, of a known mistake."""
    return known(id).mistakes[name].make()[0]


@pytest.mark.parametrize("name", ["the commonest first", "the leftmost first"])
def test_another_order_of_merges_is_right_on_plain_texts_and_yet_named(name):
    pairs = learned([PLAIN.encode()], 12)
    other = holding(wrong("tokenizer.encode", name)(), pairs)
    for text in ("the dog", "lazy fox", "over and over", "aaabdaaabac"):
        assert other.encode(text) == encoded(pairs, text.encode())
        assert other.decode(other.encode(text)) == text
    ranks = [(97, 98), (98, 99)]
    assert encoded(ranks, b"abcbc") == [256, 99, 257]
    assert run("tokenizer.encode", type(other)).mistake == name


def test_no_word_of_six_letters_tells_frequency_from_rank():
    """With the merges of the classic example no short text shows the mistake."""
    pairs = learned([b"aaabdaaabac"], 3)
    other = holding(wrong("tokenizer.encode", "the commonest first")(), pairs)
    for length in range(7):
        for letters in product("abd", repeat=length):
            text = "".join(letters)
            assert other.encode(text) == encoded(pairs, text.encode()), text


@pytest.mark.parametrize("name", ["across chunks", "not split in encode"])
def test_a_tokenizer_that_merges_across_chunks_gives_every_text_back(name):
    tokenizer = wrong("tokenizer.regex_tokenizer", name)(GPT2)
    tokenizer.train(PLAIN, 280)
    assert tokenizer.decode(tokenizer.encode_ordinary(PLAIN)) == PLAIN


def test_a_lost_pattern_gives_every_text_back(tmp_path):
    Basic = wrong("tokenizer.save_load", "the pattern lost")
    first, second = _chunked_like(Basic)("[a-z]"), _chunked_like(Basic)(GPT4)
    first.train(PLAIN, 280)
    first.save(tmp_path / "play")
    second.load(tmp_path / "play.model")
    assert second.pattern == GPT4 != first.pattern
    assert second.decode(second.encode("12345 foxes")) == "12345 foxes"


@pytest.mark.parametrize(("name", "ours"), [("GPT2", GPT2), ("GPT4", GPT4)])
def test_the_patterns_of_the_lesson_cut_as_those_that_were_published(name, ours):
    pattern = getattr(_given(), f"{name}_SPLIT_PATTERN")
    for seed in range(40):
        text = scribble(seed, "aZ'sS l15²\n\r\t .!안\u00a0\u2028", 60)
        assert chunked(text, pattern) == chunked(text, ours) == _found(text, pattern)


def _found(text: str, pattern: str) -> list[str]:
    return _given().regex_split(text, pattern)


def test_a_shared_default_is_recognised_however_often_it_is_asked():
    id = "tokenizer.pair_counts"
    (answer,) = answered(id, SAME[id]["a default that stays"])
    for _ in range(3):
        assert run(id, answer).mistake == "a default that stays"


def test_an_heir_inherits_from_the_given_class_while_it_is_judged_alone():
    id = "tokenizer.regex_tokenizer"
    names = alone(id, "return 42")
    (Class,) = objects(known(id), names)
    bases = Class.__bases__
    verdict = run(id, Class)
    assert verdict.passed and verdict.line("note"), verdict
    assert Class.__bases__ == bases == (names["BasicTokenizer"],)


def test_methods_added_later_stand_on_a_given_start_of_their_class():
    """Its `__init__` says super(), which has to find the given class."""
    id = "tokenizer.special_tokens"
    verdict = run(id, *objects(known(id), alone(id, "return 42")))
    assert verdict.passed and verdict.line("note"), verdict


@pytest.mark.parametrize("unsorted", ["set(special)", "special"])
def test_special_tokens_in_any_order_do_not_pass_by_luck(unsorted):
    id = "tokenizer.special_tokens"
    code = SAME[id]["the shortest first"].replace("list(special)", unsorted)
    assert run(id, *answered(id, code)).state == "not yet"


def test_the_given_tokenizer_refuses_to_train_where_special_tokens_stand():
    tokenizer = objects(
        known("tokenizer.special_tokens"), solved("tokenizer.save_load")
    )
    tokenizer = tokenizer[0]()
    tokenizer.register_special_tokens({"<|end|>": 300})
    assert refused(lambda: tokenizer.train("abab", 257)) == "a ValueError"
    tokenizer.register_special_tokens({})
    tokenizer.train("abab", 257)
    assert len(tokenizer.vocab) == 257
