"""The given module of lesson 8 against tiktoken, slow loops and cases worked by hand.

Offline the oracle is a `tiktoken.Encoding` that is made from our own merges. Where the
published vocabularies lie in data/, or in DATA_MIRROR, GPT-4's and GPT-2's tokenizers
are compared with tiktoken's own.
"""

from __future__ import annotations

import doctest
import hashlib
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiktoken
import tiktoken_ext.openai_public as published
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiktoken.load import load_tiktoken_bpe

from workbook import data
from workbook.course import lesson
from workbook.given import tokenizer as g

many = settings(max_examples=60, deadline=None)
few = settings(max_examples=20, deadline=None)

WHOLE = r"(?s:.+)"  # a pattern that splits nothing
PATTERNS = {"none": WHOLE, "GPT-2": g.GPT2_SPLIT_PATTERN, "GPT-4": g.GPT4_SPLIT_PATTERN}

# words of many scripts, and what breaks tokenizers
PIECES = (
    *("a", "b", "ab", "aaaa", "The", " the", "there's", "HOW'S", "'ll", "'ſ", "’t"),
    *("1", "12", "1234", "²", "½", "Ⅷ", "٣", "π≈3.14", "!!!?", "($)", "_", "://", "-"),
    *(" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", " \n ", "\u00a0", "\u3000", "\x85"),
    *("\x00", "\x1b[0m", "\x1c", "\x7f", "\ufeff", "\u200d", "\u200f", "\u2028"),
    *("é", "e\u0301", "ñ", "a\u0300\u0301\u0302", "\u0301", "Straße", "İ", "ǅ"),
    *("안녕", "하세요", "你好", "世界", "こんにちは", "แมว", "नमस्ते", "𐍈", "𝐀", "𠜎"),
    *("שלום", "مرحبا", "😀", "😉", "👩‍👩‍👧", "🇫🇷", "👋🏽", "❤️", "\ufffd", "\U0010ffff"),
)


def lone(text: str) -> str:
    """The text without surrogates that stand as a pair."""
    return re.sub("[\ud800-\udbff][\udc00-\udfff]", "", text)


# what Python's tables know: newer letters mean one thing here, another there
letters = st.characters(exclude_categories=["Cn"])
strange = st.lists(st.sampled_from(PIECES) | letters, max_size=25).map("".join)
texts = strange.map(lone)
scalars = st.lists(
    st.sampled_from(PIECES) | st.characters(exclude_categories=["Cn", "Cs"]),
    max_size=25,
).map("".join)
narrow = st.text("ab ", max_size=40)
crowds = st.text("abc", max_size=60)


def utf8(text: str) -> bytes:
    """UTF-8, a lone surrogate replaced, as tiktoken replaces it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def oracle(tokenizer, pattern: str, special: dict[str, int] | None = None):
    """tiktoken with our merges."""
    tokens = [tokenizer.vocab[i] for i in range(256 + len(tokenizer.merges))]
    ranks = {token: i for i, token in enumerate(tokens)}
    assert len(ranks) == len(tokens)  # each token is its own text
    return tiktoken.Encoding(
        "ours", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special or {}
    )


def trained(pattern: str, text: str, size: int):
    ours = g.BasicTokenizer() if pattern == WHOLE else g.RegexTokenizer(pattern)
    ours.train(text, size)
    return ours


def corpus() -> str:
    """Five kinds of text, so that merges reach across all of them."""
    play = (data.folder() / "sample_play.txt").read_text("utf-8")[:4_000]
    return (
        play + 3 * "".join(PIECES) + " don't we'll 2024 2025 aaaaaaaa 안녕하세요 😉😉"
    )


@pytest.fixture(scope="module")
def pairs():
    """Each kind of tokenizer, and tiktoken with the same merges."""
    made = {name: trained(p, corpus(), 400) for name, p in PATTERNS.items()}
    return {
        name: SimpleNamespace(ours=one, theirs=oracle(one, PATTERNS[name]))
        for name, one in made.items()
    }


def test_the_public_names_are_those_of_the_course():
    assert all(hasattr(g, name) for name in lesson("tokenizer").public)
    named = [getattr(g, name) for name in lesson("tokenizer").public]
    assert all(one.__doc__ for one in named if not isinstance(one, str))


def test_the_module_needs_neither_the_workbook_nor_torch_nor_tiktoken():
    code = (
        "import sys; import workbook.given.tokenizer; print([m for m in sys.modules "
        "if m.startswith('workbook.') and not m.startswith('workbook.given') "
        "or m in ('torch', 'tiktoken')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_examples_in_the_docstrings_are_true():
    found = doctest.testmod(g)
    assert found.attempted >= 2 and found.failed == 0


# ---------------------------------------------------------------- by hand


def test_the_article_on_byte_pairs():
    """aaabdaaabac: aa to Z, then the two choices that are first seen."""
    ours = g.BasicTokenizer()
    ours.train("aaabdaaabac", 256 + 3)
    assert ours.merges == {(97, 97): 256, (256, 97): 257, (257, 98): 258}
    assert ours.encode("aaabdaaabac") == [258, 100, 258, 97, 99]
    assert ours.decode([258, 100, 258, 97, 99]) == "aaabdaaabac"
    assert [ours.vocab[i] for i in (256, 257, 258)] == [b"aa", b"aaa", b"aaab"]


def crafted():
    """ab is learned before bc: an order that shows in "abcbc"."""
    ours = g.BasicTokenizer()
    ours.train("ab0ab1ab2bc3bc4", 258)
    assert list(ours.merges) == [(97, 98), (98, 99)]
    return ours


@pytest.mark.parametrize(
    ("text", "ids"),
    [("abcbc", [256, 99, 257]), ("bcab", [257, 256]), ("ababc", [256, 256, 99])],
)
def test_the_merge_that_was_learned_first_goes_first(text, ids):
    """The commoner pair would take both bc of "abcbc"."""
    assert crafted().encode(text) == ids
    assert oracle(crafted(), WHOLE).encode_ordinary(text) == ids


def test_no_greed_for_the_longest_token():
    """Of bcabc the longest start is bca, whose merge came later than ab's."""
    ours = g.BasicTokenizer()
    ours.merges = {(97, 98): 256, (256, 99): 257, (98, 99): 258, (258, 97): 259}
    for (a, b), idx in ours.merges.items():
        ours.vocab[idx] = ours.vocab[a] + ours.vocab[b]
    assert ours.encode("bcabc") == [258, 257]
    assert ours.encode("bcab") == [258, 256]


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("text", ["", "q", "é", "\ud800", " ", "\n"])
def test_the_shortest_texts(pairs, name, text):
    assert pairs[name].ours.encode(text) == pairs[name].theirs.encode_ordinary(text)
    assert pairs[name].ours.decode([]) == ""


@pytest.mark.parametrize("text", ["", "?", "안녕 lol123 😉", "\x00"])
def test_without_training_each_byte_is_a_token(text):
    for ours in (g.BasicTokenizer(), g.RegexTokenizer()):
        assert ours.encode(text) == list(text.encode())
        assert ours.decode(ours.encode(text)) == text


@pytest.mark.parametrize("text", ["", "a", "ab", "aaaa"])
def test_training_stops_where_no_pair_is_left(text):
    for ours in (g.BasicTokenizer(), g.RegexTokenizer()):
        ours.train(text, 300)
        assert len(ours.merges) == {"": 0, "a": 0, "ab": 1, "aaaa": 2}[text]
        assert ours.decode(ours.encode(text)) == text


def test_fewer_tokens_than_bytes_is_an_error():
    with pytest.raises(ValueError, match="256"):
        g.BasicTokenizer().train("abc", 255)


def test_training_anew_forgets_what_was_learned():
    once, twice = trained(WHOLE, "aab aab", 258), trained(WHOLE, "xyz xyz xyz", 260)
    twice.train("aab aab", 258)
    assert (once.merges, once.vocab) == (twice.merges, twice.vocab)


def test_bytes_that_are_no_text_are_shown_as_such(pairs):
    ours = pairs["none"].ours
    assert ours.decode([128]) == "\ufffd"
    assert ours.decode([0xF0, 0x9F, 0x98]) == "\ufffd"
    assert ours.decode([97, 0xFF, 98]) == "a\ufffdb"
    assert ours.decode(list("👋".encode())) == "👋"


@pytest.mark.parametrize("name", PATTERNS)
def test_an_id_that_is_none_is_named(pairs, name):
    for wrong in (9_999, -1):
        with pytest.raises(ValueError, match=str(wrong)):
            pairs[name].ours.decode([97, wrong])


# ---------------------------------------------------------------- against tiktoken


@pytest.mark.parametrize("name", PATTERNS)
@many
@given(text=texts)
@example(text="\ud800a\udc00")
@example(text="a \n  \n")
@example(text="\x1c\x1d \x1e")
def test_ids_are_tiktokens(pairs, name, text):
    ours = pairs[name].ours.encode(text)
    assert ours == pairs[name].theirs.encode_ordinary(text)


@few
@given(text=narrow, other=narrow, size=st.integers(256, 290))
@pytest.mark.parametrize("name", PATTERNS)
def test_ids_are_tiktokens_whatever_it_was_trained_on(name, text, other, size):
    ours = trained(PATTERNS[name], text, size)
    assert ours.encode(other) == oracle(ours, PATTERNS[name]).encode_ordinary(other)


@pytest.mark.parametrize("name", PATTERNS)
@many
@given(text=scalars)
def test_every_text_comes_back(pairs, name, text):
    ids = pairs[name].ours.encode(text)
    assert pairs[name].ours.decode(ids) == text
    assert b"".join(pairs[name].ours.vocab[i] for i in ids) == text.encode()


@pytest.mark.parametrize("name", PATTERNS)
@many
@given(ids=st.lists(st.integers(0, 399), max_size=30))
def test_any_ids_are_some_text(pairs, name, ids):
    ours, theirs = pairs[name].ours, pairs[name].theirs
    joined = b"".join(ours.vocab[i] for i in ids)
    assert ours.decode(ids) == theirs.decode(ids) == joined.decode("utf-8", "replace")


def test_a_megabyte_of_one_letter(pairs):
    text = "a" * 1_000_000  # one chunk
    ids = pairs["GPT-4"].ours.encode(text)
    assert ids == pairs["GPT-4"].theirs.encode_ordinary(text)


def long_texts() -> list[str]:
    """What hypothesis does not write: pages, lists, code, one word without end."""
    code = "def f(x):\n    if x:\n        return f(x - 1)  # again\n\treturn None\n"
    mail = "Von: Jürgen\r\nAn: María\r\n\r\nGrüße — naïve façade, 10 000 €…\r\n" * 5
    return [corpus(), code * 20, mail, "ab" * 5_000, " " * 999, "\n" * 501 + " x"]


@pytest.mark.parametrize("name", PATTERNS)
def test_long_texts(pairs, name):
    for text in long_texts():
        ids = pairs[name].ours.encode(text)
        assert ids == pairs[name].theirs.encode_ordinary(text)
        assert pairs[name].ours.decode(ids) == text


# ---------------------------------------------------------------- training, splitting


def in_bytes(text: str) -> list[bytes]:
    """The bytes of a text, one by one."""
    return [bytes([b]) for b in utf8(text)]


def slowly(parts: list[list[bytes]], count: int) -> list[bytes]:
    """The tokens that training mints, every pair counted each time."""
    minted: list[bytes] = []
    while len(minted) < count:
        seen = [pair for part in parts for pair in pairwise(part)]
        if not seen:
            break
        a, b = max(dict.fromkeys(seen), key=seen.count)  # of equals, the first
        minted.append(a + b)
        for part in parts:
            i = 0
            while i + 1 < len(part):
                if (part[i], part[i + 1]) == (a, b):
                    part[i : i + 2] = [a + b]
                i += 1
    return minted


@pytest.mark.parametrize("name", PATTERNS)
@many
@given(text=narrow | st.text("aé, ", max_size=30), count=st.integers(0, 12))
def test_training_is_the_slow_loop(name, text, count):
    ours = trained(PATTERNS[name], text, 256 + count)
    chunks = (
        re.findall(WHOLE, text)
        if name == "none"
        else g.regex_split(text, PATTERNS[name])
    )
    minted = slowly([in_bytes(chunk) for chunk in chunks], count)
    assert [ours.vocab[256 + i] for i in range(len(ours.merges))] == minted
    assert list(ours.merges.values()) == list(range(256, 256 + len(minted)))
    joined = [ours.vocab[a] + ours.vocab[b] for a, b in ours.merges]
    assert joined == minted


def kind(letter: str) -> str:
    """L, N, a space, or something else."""
    if letter.isspace() and letter not in "\x1c\x1d\x1e\x1f":  # Unicode's, not Python's
        return "space"
    major = unicodedata.category(letter)[0]
    return major if major in "LN" else "other"


def split_by_hand(text: str) -> list[str]:
    """What GPT-2's pattern says, letter by letter."""
    chunks, i = [], 0
    while i < len(text):
        cut = next((len(s) for s in ENDINGS if text.startswith(s, i)), 0)
        if not cut:
            start = i + (text[i] == " " and kind(text[i + 1 : i + 2] or " ") != "space")
            j = start
            while j < len(text) and kind(text[j]) == kind(text[start]):
                j += 1
            blank = kind(text[start]) == "space"
            cut = j - i - (blank and j < len(text) and j - i > 1)
        chunks.append(text[i : i + cut])
        i += cut
    return chunks


ENDINGS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


@many
@given(text=texts)
@example(text="HOW'S it   going? 'tis 3.14²  \n")
def test_gpt2s_pattern_by_hand(text):
    assert g.regex_split(text, g.GPT2_SPLIT_PATTERN) == split_by_hand(text)


@pytest.mark.parametrize(
    ("text", "gpt2", "gpt4"),
    [
        ("HOW'S", ["HOW", "'", "S"], ["HOW", "'S"]),
        ("HE'LLO", ["HE", "'", "LLO"], ["HE", "'LL", "O"]),
        ("12345", ["12345"], ["123", "45"]),
        ("a   b", ["a", "  ", " b"], ["a", "  ", " b"]),
        ("(x)", ["(", "x", ")"], ["(x", ")"]),
        ("a\n\n  b", ["a", "\n\n ", " b"], ["a", "\n\n", " ", " b"]),
        ("hi;\n\nyou", ["hi", ";", "\n", "\n", "you"], ["hi", ";\n\n", "you"]),
    ],
)
def test_where_the_two_patterns_part(text, gpt2, gpt4):
    assert g.regex_split(text, g.GPT2_SPLIT_PATTERN) == gpt2
    assert g.regex_split(text, g.GPT4_SPLIT_PATTERN) == gpt4


@many
@given(text=strange)
def test_a_split_loses_nothing(text):
    for pattern in (g.GPT2_SPLIT_PATTERN, g.GPT4_SPLIT_PATTERN, "(a)|(?s:.)"):
        chunks = g.regex_split(text, pattern)
        assert "".join(chunks) == text and "" not in chunks


# ---------------------------------------------------------------- special tokens

END, CHAT, ODD = "<|endoftext|>", "<|im start|>", "[a.*(b)"
SPECIAL = {END: 1_000, CHAT: 1_001, ODD: 1_007}


def with_special(pair, special=SPECIAL):
    """A second tokenizer with the same merges, and special tokens."""
    ours = g.RegexTokenizer(g.GPT4_SPLIT_PATTERN)
    ours.merges, ours.vocab = dict(pair.ours.merges), dict(pair.ours.vocab)
    ours.register_special_tokens(special)
    return ours, oracle(ours, g.GPT4_SPLIT_PATTERN, special)


chatty = st.lists(
    st.sampled_from([*SPECIAL, "<|", "|>", "[a", "endoftext", " ", "a", "😉", "\n"]),
    max_size=12,
).map("".join)


@many
@given(text=chatty | texts, allowed=st.sets(st.sampled_from([*SPECIAL])))
def test_special_tokens_are_tiktokens(pairs, text, allowed):
    ours, theirs = with_special(pairs["GPT-4"])
    for ask in ("all", allowed):
        ids = theirs.encode(text, allowed_special=ask, disallowed_special=())
        assert ours.encode(text, allowed_special=ask) == ids
        assert ours.decode(ids) == theirs.decode(ids)
    plain = theirs.encode_ordinary(text)
    assert ours.encode(text, allowed_special="none") == plain
    assert ours.encode_ordinary(text) == plain


@many
@given(text=chatty)
def test_a_text_brings_no_special_token_in_by_itself(pairs, text):
    ours, theirs = with_special(pairs["GPT-4"])
    inside = [s for s in SPECIAL if s in text]
    if not inside:
        assert ours.encode(text) == theirs.encode_ordinary(text)
    else:
        with pytest.raises(ValueError) as error:
            ours.encode(text)
        assert any(s in str(error.value) for s in inside)


def test_of_two_special_tokens_the_longer_one_wins(pairs):
    for names in (("<|a|>", "<|a|><|b|>"), ("<|a|><|b|>", "<|a|>")):
        special = {name: 1_000 + i for i, name in enumerate(names)}
        ours, _ = with_special(pairs["GPT-4"], special)
        ids = ours.encode("<|a|><|b|><|a|>", allowed_special="all")
        assert ids == [special["<|a|><|b|>"], special["<|a|>"]]
        assert (
            ours.encode("<|a|><|b|>", allowed_special={"<|a|>"})[0]
            == (special["<|a|>"])
        )


def test_a_special_id_that_is_taken_is_refused(pairs):
    for special in ({END: 97}, {END: 300}, {END: 1_000, CHAT: 1_000}):
        with pytest.raises(ValueError):
            with_special(pairs["GPT-4"], special)


# ---------------------------------------------------------------- kept in files

AWKWARD = (
    g.GPT2_SPLIT_PATTERN,
    "\\w+|\\W",
    "a\n+|(?s:.)",
    "[\"'\\\\]+|\t| |[^\"'\\\\]",
    " x|(?s:.)  ",
    "é+|😉|(?s:.)",
    "(?x) \\w+  # words\n | \\W",
)


@pytest.mark.parametrize("pattern", AWKWARD)
def test_what_is_kept_comes_back(pattern, tmp_path):
    ours = g.RegexTokenizer(pattern)
    text = "a\na\n\"x\" 'y' x x\\ é😉é😉 the the "
    ours.train(text, 270)
    ours.register_special_tokens(
        {END: 1_000, "two words ": 1_001, 'new\nline "': 1_002, "é 7": 1_003}
    )
    ours.save(str(tmp_path / "mine"))
    assert (tmp_path / "mine.vocab").exists()
    back = g.RegexTokenizer()
    back.load(str(tmp_path / "mine.model"))
    assert (back.merges, back.vocab) == (ours.merges, ours.vocab)
    assert back.pattern == pattern and back.special_tokens == ours.special_tokens
    asked = text + END + 'two words new\nline "é 7!'
    ids = ours.encode(asked, allowed_special="all")
    assert back.encode(asked, allowed_special="all") == ids
    assert {1_000, 1_001, 1_002, 1_003} <= set(ids)
    assert back.decode(ids) == asked
    assert back.encode_ordinary(text) == ours.encode_ordinary(text)


def test_a_tokenizer_without_a_pattern_is_kept_too(pairs, tmp_path):
    ours = pairs["none"].ours
    ours.save(str(tmp_path / "whole"))
    back = g.BasicTokenizer()
    back.load(str(tmp_path / "whole.model"))
    assert back.encode(corpus()) == ours.encode(corpus())


@pytest.mark.parametrize("content", [b"", b"emma\nolivia\n", b"\x00\xff\xfe", b"{}"])
def test_another_file_is_refused(content, tmp_path):
    (tmp_path / "some.model").write_bytes(content)
    with pytest.raises(ValueError):
        g.RegexTokenizer().load(str(tmp_path / "some.model"))
    (tmp_path / "names.txt").write_text("emma\n")
    with pytest.raises(ValueError):
        g.RegexTokenizer().load(str(tmp_path / "names.txt"))


# ---------------------------------------------------------------- beyond


@few
@given(text=narrow | texts, size=st.integers(256, 280))
def test_the_fast_trainer_learns_the_same(text, size):
    for pattern in (g.GPT2_SPLIT_PATTERN, g.GPT4_SPLIT_PATTERN):
        plain = g.RegexTokenizer(pattern)
        plain.train(text, size)
        assert list(g.fast_train(text, size, pattern).merges.items()) == list(
            plain.merges.items()
        )


def test_the_fast_trainer_learns_a_page(pairs):
    quick = g.fast_train(corpus(), 400, g.GPT4_SPLIT_PATTERN)
    assert list(quick.merges.items()) == list(pairs["GPT-4"].ours.merges.items())


@many
@given(text=texts)
def test_fast_ids_are_tiktokens(pairs, text):
    pair = pairs["GPT-4"]
    assert g.fast_encode(pair.ours, text) == pair.theirs.encode_ordinary(text)


@many
@given(text=crowds, other=crowds, size=st.integers(256, 280))
def test_fast_ids_are_tiktokens_whatever_it_was_trained_on(text, other, size):
    ours = g.RegexTokenizer(WHOLE)
    ours.train(text, size)
    assert g.fast_encode(ours, other) == oracle(ours, WHOLE).encode_ordinary(other)


def test_a_pair_that_is_gone_is_not_merged():
    """In abc, bc goes first: what was noted of ab then holds no longer."""
    ours = g.RegexTokenizer(WHOLE)
    ours.train("bc.bc!bc?abc,abc;ab-ab_ab", 259)
    assert list(ours.merges) == [(98, 99), (97, 98), (97, 256)]
    assert g.fast_encode(ours, "abcab") == ours.encode("abcab") == [258, 257]


@many
@given(text=crowds, other=crowds, size=st.integers(256, 280))
def test_a_scan_and_a_heap_give_the_same_ids(text, other, size):
    """As the plain loop does, whichever of them a chunk is long enough for."""
    ours = g.BasicTokenizer()
    ours.train(text, size)
    want = ours.encode(other)
    for merge_all in (g.merge_by_scan, g.merge_by_heap):
        assert merge_all(g.quick_utf8(other), ours.merges) == want


def test_a_pair_that_ranks_below_its_own_parts_is_merged_at_once():
    """No training makes such merges; scan and heap agree, and the loop takes turns."""
    ours = g.BasicTokenizer()
    ours.merges = {(97, 98): 257, (257, 97): 256}
    assert ours.encode("abab") == [257, 257]
    for merge_all in (g.merge_by_scan, g.merge_by_heap):
        assert merge_all(b"abab", ours.merges) == [256, 98]


@pytest.mark.parametrize("pattern", ["(a)(b)?", "b", "(?=a)", "[^a]+"])
def test_any_pattern_is_fast(pattern):
    ours = g.fast_train("abab cab a", 260, pattern)
    for text in ("", "abab cab ab", "é ab"):
        assert g.fast_encode(ours, text) == ours.encode(text)


def test_a_megabyte_of_one_letter_fast(pairs):
    pair = pairs["GPT-4"]
    for text in ("a" * 1_000_000, " " * 30_000 + "ab" * 30_000):
        assert g.fast_encode(pair.ours, text) == pair.theirs.encode_ordinary(text)


def small_gpt4(ours):
    """Ranks with their first 256 in another order, and tiktoken's view of them."""
    order = [(i * 97 + 13) % 256 for i in range(256)]
    tokens = [bytes([b]) for b in order]
    tokens += [ours.vocab[256 + i] for i in range(len(ours.merges))]
    ranks = {token: i for i, token in enumerate(tokens)}
    special = {END: 500, "<|fim_prefix|>": 501}
    theirs = tiktoken.Encoding(
        "small",
        pat_str=g.GPT4_SPLIT_PATTERN,
        mergeable_ranks=ranks,
        special_tokens=special,
    )
    return g.GPT4Tokenizer(ranks, g.GPT4_SPLIT_PATTERN, special), theirs


@pytest.fixture(scope="module")
def gpt4(pairs):
    ours, theirs = small_gpt4(pairs["GPT-4"].ours)
    return SimpleNamespace(ours=ours, theirs=theirs)


@many
@given(text=texts | chatty)
def test_ranks_in_another_order_are_tiktokens(gpt4, text):
    ids = gpt4.theirs.encode_ordinary(text)
    assert gpt4.ours.encode_ordinary(text) == ids
    assert gpt4.ours.decode(ids) == gpt4.theirs.decode(ids)
    ids = gpt4.theirs.encode(text, allowed_special="all")
    assert gpt4.ours.encode(text, allowed_special="all") == ids
    assert gpt4.ours.decode(ids) == gpt4.theirs.decode(ids)


def test_two_halves_of_a_letter_are_that_letter(gpt4):
    """A pair of surrogates, as badly read JSON has it."""
    for text in ("\ud83d\ude00", "a\ud835\udc00 b", "\udc00\ud83d\ude00\ud800"):
        ids = gpt4.theirs.encode_ordinary(text)
        assert gpt4.ours.encode_ordinary(text) == gpt4.ours.encode(text) == ids


def test_what_was_read_from_ranks_is_not_trained(gpt4, tmp_path):
    with pytest.raises(ValueError):
        gpt4.ours.train("abc", 300)
    with pytest.raises(ValueError):
        gpt4.ours.save(str(tmp_path / "it"))


@many
@given(text=narrow | scalars, count=st.integers(0, 8))
def test_characters_are_merged_as_the_slow_loop_merges_them(text, count):
    letters = len(set(text))
    ours = g.CodePointTokenizer(character_coverage=1.0, dummy_prefix=False)
    ours.train(text, 256 + letters + count)
    words = re.findall(" ?[^ ]+| ", text)
    minted = slowly([[c.encode() for c in word] for word in words], count)
    first = 256 + letters
    assert [ours.vocab[i] for i in range(first, len(ours.vocab))] == minted
    learned = {ours.vocab[i] for i in range(256, first)}
    assert learned == {c.encode() for c in text}


@many
@given(learned=scalars, text=scalars, share=st.floats(0, 1), dummy=st.booleans())
def test_characters_that_are_rare_or_new_come_back(learned, text, share, dummy):
    ours = g.CodePointTokenizer(share, dummy)
    ours.train(learned, 700)
    assert ours.decode(ours.encode(text)) == text
    assert ours.decode(ours.encode(learned)) == learned


def test_a_character_that_is_not_covered_is_its_bytes():
    ours = g.CodePointTokenizer(character_coverage=0.8, dummy_prefix=False)
    ours.train("가가가나b", 258)
    assert ours.encode("가나") == [256, 257]
    assert ours.encode("가b😉") == [256, 98, *"😉".encode()]


# ---------------------------------------------------------------- the published ones


def vocabulary(name: str) -> Path:
    """Where it lies; the test is skipped where that means asking the network."""
    entry = next(one for one in data.manifest() if one.name == name)
    if not (entry.place.exists() or os.environ.get("DATA_MIRROR")):
        pytest.skip(f"{entry.file} is neither in data/ nor in DATA_MIRROR")
    try:
        return data.fetch(name)
    except data.DataError as error:
        pytest.skip(str(error))


def theirs_from(name: str, path: Path, monkeypatch: pytest.MonkeyPatch):
    """tiktoken's own encoding, its ranks read from our file."""
    read = lambda *args, **options: load_tiktoken_bpe(str(path))  # noqa: E731
    monkeypatch.setattr(published, "load_tiktoken_bpe", read)
    return tiktoken.Encoding(**getattr(published, name)())


@pytest.fixture(scope="module")
def real():
    """GPT-4's and GPT-2's tokenizer, ours and tiktoken's."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, pattern in (
            ("cl100k_base", g.GPT4_SPLIT_PATTERN),
            ("r50k_base", g.GPT2_SPLIT_PATTERN),
        ):
            path = vocabulary(name)
            theirs = theirs_from(name, path, patch)
            special = {
                s: theirs.encode_single_token(s) for s in theirs.special_tokens_set
            }
            ours = g.GPT4Tokenizer(load_tiktoken_bpe(str(path)), pattern, special)
            found[name] = SimpleNamespace(ours=ours, theirs=theirs, path=path)
    return found


REAL = ("cl100k_base", "r50k_base")
FOUR = ("endoftext", "fim_prefix", "fim_middle", "fim_suffix")


@pytest.mark.parametrize("name", REAL)
@many
@given(text=texts)
def test_published_ids(real, name, text):
    ids = real[name].theirs.encode_ordinary(text)
    assert real[name].ours.encode_ordinary(text) == ids
    assert real[name].ours.decode(ids) == real[name].theirs.decode(ids)


crowded = st.lists(
    st.sampled_from((*PIECES, "<|", *map("<|{}|>".format, FOUR), "<|endofprompt|>"))
).map("".join)


@pytest.mark.parametrize("name", REAL)
@many
@given(text=crowded)
def test_published_special_tokens(real, name, text):
    ids = real[name].theirs.encode(text, allowed_special="all")
    assert real[name].ours.encode(text, allowed_special="all") == ids
    assert real[name].ours.decode(ids) == real[name].theirs.decode(ids)
    ids = real[name].theirs.encode(text, disallowed_special=())
    assert real[name].ours.encode(text, allowed_special="none") == ids


@pytest.mark.parametrize("name", REAL)
def test_published_ids_of_long_texts(real, name):
    for text in (*long_texts(), data.path("play").read_text("ascii")[:200_000]):
        ids = real[name].theirs.encode_ordinary(text)
        assert real[name].ours.encode_ordinary(text) == ids


@pytest.mark.parametrize("name", REAL)
def test_each_published_token_is_what_its_merge_joins(real, name):
    ours, theirs = real[name].ours, real[name].theirs
    ranks = load_tiktoken_bpe(str(real[name].path))
    assert len(ours.merges) == len(ranks) - 256
    for i in ranks.values():
        assert ours.vocab[i] == theirs.decode_single_token_bytes(i)


@pytest.mark.parametrize(
    ("name", "text", "ids"),
    [
        (
            "cl100k_base",
            "hello123!!!? (안녕하세요!) 😉",
            "15339 4513 12340 30 320 31495 230 75265 243 92245 16715 57037",
        ),
        ("cl100k_base", "<|endoftext|>hello world", "100257 15339 1917"),
        ("r50k_base", "Tokenization is at the", "30642 1634 318 379 262"),
        ("r50k_base", "127 677 804", "16799 718 3324 807 3023"),
        ("r50k_base", "1275 6773 8041", "1065 2425 718 46871 807 50049"),
        ("r50k_base", "egg egg", "33856 5935"),
        ("r50k_base", "Egg", "36 1130"),
        ("r50k_base", "EGG", "7156 38"),
        ("r50k_base", "hello world", "31373 995"),
        ("r50k_base", "Hello world SolidGoldMagikarp", "15496 995 43453"),
        ("r50k_base", "        return", "220 220 220 220 220 220 220 1441"),
        ("r50k_base", "<|endoftext|>", "50256"),
    ],
)
def test_ids_that_were_printed_elsewhere(real, name, text, ids):
    """minbpe's README and lecture.md; the rest is tiktoken's."""
    found = real[name].ours.encode(text, allowed_special="all")
    assert found == [int(i) for i in ids.split()]
    assert real[name].ours.decode(found) == text


def test_five_letters_of_hangul_are_fourteen_of_gpt2s_tokens(real):
    assert len(real["r50k_base"].ours.encode("안녕하세요")) == 14


@pytest.mark.parametrize("name", REAL)
def test_a_file_of_ranks_is_read_as_tiktoken_reads_it(real, name):
    assert g.read_ranks(real[name].path) == load_tiktoken_bpe(str(real[name].path))


def test_without_ranks_it_is_gpt4s(real, tmp_path, monkeypatch):
    """tiktoken finds the file in its own store, under the digest of its address."""
    entry = next(one for one in data.manifest() if one.name == "cl100k_base")
    store = hashlib.sha1(entry.url.encode()).hexdigest()
    shutil.copy(real["cl100k_base"].path, tmp_path / store)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    text = "<|fim_prefix|>It's 12345\n  <|endofprompt|>"
    ids = real["cl100k_base"].theirs.encode(text, allowed_special="all")
    assert g.GPT4Tokenizer().encode(text, allowed_special="all") == ids
