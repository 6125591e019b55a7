"""Lesson 8's explorables: what they show is what the tokenizers say."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from time import process_time
from typing import Any
from xml.etree import ElementTree

import pytest
from walking import quickest, states

from workbook.explore import (
    byte_view,
    encode_race,
    merge_stepper,
    split_view,
    token_playground,
    vocabulary_size,
)
from workbook.explore.base import Explorable
from workbook.explore.merging import stages
from workbook.explore.pieces import hues, pieces_of, spell, spoken
from workbook.explore.race import LANES, known_merges, run
from workbook.explore.script import Script
from workbook.explore.splitting import GPT2, GPT4, chunks, meaning, parts
from workbook.explore.tokens import LONGEST, reading
from workbook.given.tokenizer import (
    GPT2_SPLIT_PATTERN,
    GPT4_SPLIT_PATTERN,
    BasicTokenizer,
    RegexTokenizer,
    regex_split,
)

EMOJI = "\N{WAVING HAND SIGN}"
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
MIXED = f"Egg, egg!  caf\u00e9 e\u0301 \uc548\ub155 {EMOJI}\n\tx = 127 <b>&amp;"
WORDS = "the cat sat on the mat, and the rat ate that hat. " * 3
TOY = {(97, 98): 256, (98, 99): 257}
ODD = ("ab", "  \n ", "\x00\u202ea", "e\u0301", "a\ud800b", "<i>&x</i>")
LENGTHS = {256 + n: round(4000 / (1 + n / 90) ** 0.4) for n in range(300)}


def trained() -> RegexTokenizer:
    tokenizer = RegexTokenizer()
    tokenizer.train(WORDS, 256 + 20)
    return tokenizer


OURS = trained()


def playground(text: str = MIXED) -> Explorable:
    return token_playground(text, {"characters": str, "bytes": bytes, "ours": OURS})


def every_one() -> dict[str, Explorable]:
    return {
        "playground": playground(),
        "stepper": merge_stepper("aaabdaaabac"),
        "race": encode_race(TOY, "abcbc"),
        "bytes": byte_view(f"caf\u00e9 \uc548 {EMOJI}!", OURS),
        "splitter": split_view(MIXED, {"words": r"\w+|\s+"}),
        "sizes": vocabulary_size(LENGTHS | {50257: 1000}, {50257: "GPT-2"}),
    }


class Frames(HTMLParser):
    """The tokens of each text of a picture, and the tags that are open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[list[dict[str, str]]] = []
        self.named: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        of = dict(attrs)
        if tag not in ("br", "img"):
            self.open.append(tag)
        if "wb-tokens" in of.get("class", ""):
            assert of["role"] == "group" and of["tabindex"] == "0"
            self.texts.append([])
            self.named.append(of["aria-label"])
        if tag == "span":
            self.texts[-1].append({**of, "words": ""})

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.texts and self.texts[-1] and "span" in self.open:
            self.texts[-1][-1]["words"] += data


def frames(thing: Explorable, **state: Any) -> list[list[dict[str, str]]]:
    return Frames(thing.page(**state).still()).texts


# --- All of them ------------------------------------------------------------------


@pytest.mark.parametrize("name", every_one())
def test_it_is_well_formed_in_every_state_and_has_a_table_and_a_place_to_look(
    name: str,
) -> None:
    thing = every_one()[name]
    assert 1 <= len(thing.controls) <= 3
    for state in states(thing, *ODD):
        page = thing.page(**state)
        if not page.body:  # refused
            assert page.title.endswith("."), state
            continue
        root = ElementTree.fromstring(page.svg())
        assert page.rows and page.look and len(page.title) <= 72, (state, page.title)
        assert root.attrib["role"] == "img"
        assert all(len(row) == len(page.header) for row in page.rows)
        page.picture().encode()
        if isinstance(page, Script):
            parser = Frames(page.still())
            assert not parser.open
            assert all(parser.texts) and all(parser.named)


@pytest.mark.parametrize("name", every_one())
def test_it_answers_within_a_tenth_of_a_second(name: str) -> None:
    assert quickest(every_one()[name]) < 0.1


def test_the_playground_answers_for_its_longest_text() -> None:
    text = (WORDS + MIXED) * 20
    thing, costs = playground(), []
    for n in range(3):  # another text each time: nothing is known of it
        began = process_time()
        page = thing.page(text=text[n : n + LONGEST])
        costs.append(process_time() - began)
        assert len(Frames(page.still()).texts[0]) == LONGEST
    assert min(costs) < 0.1


# --- A token as text --------------------------------------------------------------


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        (b" egg", "·egg"),
        (b"a\n\t\r", "a⏎⇥␍"),
        (b"\xec\x95", "EC 95"),
        (b"a\xf0\x9f\x91", "aF0 9F 91"),
        ("\u0301".encode(), "◌\u0301"),
        ("\u200d".encode(), "U+200D"),
        (b"\x00", "U+0000"),
        ("\u00a0".encode(), "U+00A0"),
    ],
)
def test_each_kind_of_bytes_has_something_to_see(piece: bytes, said: str) -> None:
    assert spoken(piece) == said


def test_a_piece_of_text_comes_back_from_what_is_shown() -> None:
    shown = "".join(words for _, words in spell(MIXED.encode()))
    assert shown == MIXED.replace("\n", "⏎").replace("\t", "⇥")


def test_the_same_id_has_the_same_colour_and_a_new_one_not_that_of_its_left() -> None:
    ids = [5, 6, 5, 7, 8, 9, 10, 11, 10, 12, 5, 13]
    colour = hues(ids)
    new = {i: ids.index(i) for i in ids}
    assert all(colour[i] != colour[ids[at - 1]] for i, at in new.items() if at)


class Told:
    """A tokenizer that tells its bytes in one way alone."""

    def __init__(self, **ways: Any) -> None:
        self.__dict__ |= ways


PIECES = {i: bytes([i]) for i in range(256)} | {256: b"ab"}
SHUFFLE = {byte: 255 - byte for byte in range(256)}


@pytest.mark.parametrize(
    ("tokenizer", "ids"),
    [
        (Told(decode_single_token_bytes=PIECES.__getitem__), [256, 195, 169]),
        (Told(vocab=PIECES), [256, 195, 169]),
        (Told(vocab=dict(enumerate(["ab", "é"]))), [0, 1]),
        (Told(decode=lambda ids: "".join({1: "ab", 2: "é"}[i] for i in ids)), [1, 2]),
        (
            Told(
                vocab={i: bytes([i]) for i in range(256)} | {256: bytes([158, 157])},
                byte_shuffle=SHUFFLE,
            ),
            [256, 255 - 195, 255 - 169],
        ),
    ],
)
def test_a_tokenizer_may_tell_its_bytes_in_many_ways(tokenizer: Any, ids: list) -> None:
    pieces, whole = pieces_of(tokenizer, ids, "abé".encode())
    assert whole and b"".join(pieces) == "abé".encode() and pieces[0] == b"ab"


# --- The playground ---------------------------------------------------------------


def test_the_frames_are_the_tokens_in_every_view() -> None:
    thing = playground()
    for _, view in thing.controls[1].options:
        characters, single, ours = frames(thing, view=view)
        assert [int(f["data-i"]) for f in characters] == [ord(c) for c in MIXED]
        assert [int(f["data-i"]) for f in single] == list(MIXED.encode())
        assert [int(f["data-i"]) for f in ours] == OURS.encode(MIXED)
        for text in (characters, single, ours):
            raw = b"".join(bytes.fromhex(frame["data-b"]) for frame in text)
            assert raw == MIXED.encode()


def test_words_are_there_as_they_were_typed() -> None:
    (characters, *_) = frames(playground("a <b> &"))
    assert "".join(frame["words"] for frame in characters) == "a <b> &"


def rows(thing: Explorable) -> list[dict[str, Any]]:
    """What the browser gets of each text: kinds of token, the row of them, and how many
    are laid out at once."""
    told = r'<script type="application/json">(.*?)</script>'
    return [json.loads(one) for one in re.findall(told, thing.page().picture())]


def test_the_browser_gets_each_kind_of_token_once_and_the_row_of_them() -> None:
    text = WORDS * 12 + MIXED + "</script><!--<script>"
    thing, whole = playground(text), playground(text).page().still()
    assert len(rows(thing)) == 3
    for one in rows(thing):
        assert len(one["kinds"]) == len({*one["kinds"]}) < len(one["row"])
        assert "".join(one["kinds"][kind] for kind in one["row"]) in whole


def test_of_a_long_text_what_is_seen_is_laid_out_first() -> None:
    characters, single, ours = (one["first"] for one in rows(playground(WORDS * 12)))
    assert characters == single == 11 * 28 + 2  # eleven lines, and the next begun
    assert ours < characters
    assert rows(playground("a\n" * 200))[0]["first"] == 22 + 1


def test_what_is_changed_elsewhere_leaves_a_token_its_colour() -> None:
    thing = playground("the cat")
    before = {frame["data-i"]: frame["class"] for frame in frames(thing)[1]}
    for text in ("x the cat", "zebra, the cat", "at the cat sat"):
        after = {f["data-i"]: f["class"] for f in frames(thing, text=text)[1]}
        assert after | before == before | after


def test_the_style_stays_while_a_text_is_typed() -> None:
    one, other = (playground(text).page() for text in ("a", "ab"))
    assert one.caption() == other.caption() and "<style" in one.caption()
    assert "<style" not in one.picture()


def test_the_claim_counts_each_tokenizer() -> None:
    page = playground("the cat").page()
    ours = len(OURS.encode("the cat"))
    assert page.title == f"7 bytes are 7, 7 or {ours} tokens"
    assert page.rows[-1][:2] == ("ours", str(ours))
    assert playground("").page().title == "No text yet: type one below"


def test_a_tokenizer_that_refuses_says_so_in_its_own_words() -> None:
    special = trained()
    special.register_special_tokens({"<|end|>": 1000})
    thing = token_playground("a <|end|>", {"bytes": bytes, "ours": special})
    page = thing.page()
    assert page.title == "9 bytes are 9 tokens"
    assert "ValueError" in page.still() and "<|end|>" in page.rows[1][-1]


def test_a_tokenizer_that_loses_text_is_not_taken_for_a_right_one() -> None:
    lower = Told(encode=lambda t: list(t.lower().encode()), vocab=PIECES)
    assert not reading(lower, "Ab").whole
    assert (
        "these are another text"
        in token_playground("Ab", {"lower": lower}).page().still()
    )


def test_each_text_is_read_once() -> None:
    asked: list[str] = []

    def encode(text: str) -> list[int]:
        asked.append(text)
        return list(text.encode())

    thing = token_playground("ab", {"counting": Told(encode=encode, vocab=PIECES)})
    for _, view in thing.controls[1].options:
        thing.page(view=view)
    assert asked == ["ab"]


@pytest.mark.parametrize("tokenizers", [{}, {str(n): str for n in range(7)}])
def test_too_few_or_too_many_tokenizers_are_told(tokenizers: dict) -> None:
    page = token_playground("a", tokenizers).page()
    assert not page.body and page.title.endswith(".")


# --- The merge stepper ------------------------------------------------------------


@pytest.mark.parametrize("text", ["aaabdaaabac", WORDS[:120], MIXED, "aaaa", "abab"])
def test_its_merges_are_the_trainers(text: str) -> None:
    tokenizer = BasicTokenizer()
    tokenizer.train(text, 256 + 30)
    found, vocab = stages(text.encode(), 30)
    made = [stage.next for stage in found[:-1]]
    assert made == list(tokenizer.merges)
    assert vocab == tokenizer.vocab
    assert found[-1].ids == tokenizer.encode(text)


def test_every_step_shows_its_text_and_its_claim() -> None:
    thing = merge_stepper("aaabdaaabac")
    for step, tokens in enumerate((11, 9, 7, 5)):
        page = thing.page(step=step)
        ((*shown,),) = frames(thing, step=step)
        assert len(shown) == tokens == int(page.rows[-1][-1])
    assert thing.page(step=0).title == "11 bytes: a + a stands there 4 times"
    assert thing.page(step=3).title == "Merge 3: aaa + b becomes 258, 2 tokens fewer"


def test_the_newest_is_framed_and_the_next_underlined() -> None:
    ((*shown,),) = frames(merge_stepper("aaabdaaabac"), step=1)
    marks = [(frame["words"], frame["class"].split()[1:]) for frame in shown]
    assert marks[:3] == [("aa", ["wb-new", "wb-next"]), ("a", ["wb-next"]), ("b", [])]


def test_the_stepper_goes_as_far_as_there_are_merges() -> None:
    thing = merge_stepper("aaabdaaabac")
    assert thing.settle() == {"step": len(stages(b"aaabdaaabac", 40)[0]) - 1}
    thing.set(step=thing.settle()["step"])
    assert thing.set(text="ab").settle() == {"step": 1}
    assert thing.state["step"] == 1
    assert "no pair is left" in thing.page().title
    assert thing.set(text="a").settle() == {"step": 40}  # refused, and not in the way


def test_past_its_last_pair_nothing_moves() -> None:
    thing = merge_stepper("abab")
    assert thing.page(step=2).title == "Merge 2: ab + ab becomes 257, no pair is left"
    assert thing.page(step=40) == thing.page(step=2)


def test_a_long_text_is_cut_between_characters() -> None:
    start = merge_stepper("\uc548" * 200).state["text"]
    assert start == "\uc548" * 80


# --- The race ---------------------------------------------------------------------


def ends(tokenizer: Any, word: str) -> dict[str, list[int]]:
    known = known_merges(tokenizer)
    return {
        name: run(word.encode(), known, lane)[-1] for name, (_, lane) in LANES.items()
    }


def test_on_the_crafted_word_the_commonest_pair_is_the_wrong_one() -> None:
    found = ends(TOY, "abcbc")
    assert found.pop("commonest first") == [97, 257, 257]
    assert set(map(tuple, found.values())) == {(256, 99, 257)}


def test_on_aaaa_the_leftmost_pair_and_the_longest_match_are_wrong() -> None:
    found = ends({(97, 97): 256, (256, 97): 257, (257, 98): 258}, "aaaa")
    assert found["rank order"] == found["commonest first"] == [256, 256]
    assert found["leftmost first"] == found["longest match"] == [257, 97]


@pytest.mark.parametrize("word", ["the cat", "that hat", "\uc548", "x", "matted rats"])
def test_rank_order_is_what_the_tokenizer_does(word: str) -> None:
    tokenizer = BasicTokenizer()
    tokenizer.train(WORDS, 256 + 20)
    assert ends(tokenizer, word)["rank order"] == tokenizer.encode(word)


def test_every_order_keeps_the_bytes_and_makes_one_step_at_a_time() -> None:
    known = known_merges(OURS)
    for _, lane in LANES.values():
        rows = run(b"the cat that sat", known, lane)
        joined = {b"".join(known.vocab[i] for i in ids) for ids in rows}
        assert joined == {b"the cat that sat"}
        assert all(len(b) < len(a) for a, b in pairwise(rows))


def test_the_claim_keeps_its_secret_until_all_have_ended() -> None:
    race = encode_race(TOY, "abcbc")
    assert race.page(step=0).title == '"abcbc": which of its pairs comes first?'
    assert race.page(step=1).title == '"abcbc", step 1: 4, 3, 4 and 4 tokens'
    last = '"abcbc": one of the other orders ends in other tokens'
    assert race.page(step=2).title == race.page(step=15).title == last
    same = race.page(word="ab", step=15)
    assert same.title == '"ab": all four orders end in the same tokens'
    assert race.page(word="xyz").title == '"xyz": no pair of it was ever learnt'


@pytest.mark.parametrize("merges", [{}, {(1, 300): 256}, {7: 256}, 5, BasicTokenizer])
def test_what_has_no_merges_cannot_race(merges: Any) -> None:
    page = encode_race(merges).page()
    assert not page.body and page.title.endswith(".")


# --- The byte view ----------------------------------------------------------------


def told(thing: Explorable, **state: Any) -> dict[str, str]:
    return dict(thing.page(**state).rows)


def test_the_rows_are_what_python_says() -> None:
    text = f"caf\u00e9 \uc548 {EMOJI}"
    rows = told(byte_view(text, OURS))
    assert rows["code points"] == " | ".join(f"{ord(c):02X}" for c in text)
    assert rows["bytes"] == " | ".join(f"{b:02X}" for b in text.encode())
    assert rows["tokens"] == " | ".join(map(str, OURS.encode(text)))
    assert "tokens" not in told(byte_view(text))


def test_what_is_combined_is_one_character() -> None:
    rows = told(byte_view(f"e\u0301{FAMILY}"))
    assert len(rows["characters"].split(" | ")) == 2
    assert len(rows["code points"].split(" | ")) == 7


def test_a_cut_loses_something_only_inside_a_character() -> None:
    text = f"\u00e9\uc548{EMOJI}!"
    thing, raw = byte_view(text), text.encode()
    between = {0, 2, 5, 9, 10}
    for cut in range(len(raw) + 1):
        page, rows = thing.page(cut=cut), told(thing, cut=cut)
        left, right = (half.decode(errors="replace") for half in (raw[:cut], raw[cut:]))
        assert (rows["left of the cut"], rows["right of the cut"]) == (left, right)
        assert ("nothing is lost" in page.title) == (cut in between)
        assert ("\ufffd" in left + right) == (cut not in between)


def test_it_begins_with_a_torn_character_where_there_is_one() -> None:
    assert "through a character" in byte_view(f"a{EMOJI}").page().title
    assert "between characters" in byte_view("plain").page().title


def test_the_bits_together_are_the_code_point() -> None:
    for char in ("a", "\u00e9", "\uc548", EMOJI):
        body = byte_view(char).page(cut=0).body
        bits = re.findall(r">([01]+)</text>", body)
        assert int(bits[-1], 2) == ord(char)
        assert "".join(bits[:-1]) == "".join(f"{b:08b}" for b in char.encode())


# --- The splitter -----------------------------------------------------------------


def test_the_patterns_are_the_lessons() -> None:
    assert "|".join(GPT2) == GPT2_SPLIT_PATTERN
    assert "|".join(GPT4) == GPT4_SPLIT_PATTERN
    assert parts(GPT2_SPLIT_PATTERN) == list(GPT2)
    assert parts(GPT4_SPLIT_PATTERN) == list(GPT4)
    assert all(meaning(part) for part in (*GPT2, *GPT4))


TEXTS = [MIXED, "I've HOW'S 12345  \n\n  x", "   ", "a\n  ", "''s 's's", "x²½ 3"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("pattern", [GPT2_SPLIT_PATTERN, GPT4_SPLIT_PATTERN])
def test_its_chunks_are_the_lessons_and_each_has_its_part(
    pattern: str, text: str
) -> None:
    found = chunks(text, pattern)
    assert [chunk.text for chunk in found] == regex_split(text, pattern)
    assert all(chunk.part >= 0 for chunk in found)


def test_a_part_is_the_one_that_took_the_chunk() -> None:
    found = {c.text: c.part + 1 for c in chunks("I've HOW'S 12345", "|".join(GPT4))}
    assert found == {"I": 2, "'ve": 1, " HOW": 2, "'S": 1, " ": 8, "123": 3, "45": 3}


def test_what_no_part_takes_is_a_chunk_that_says_so() -> None:
    page = split_view("ab, cd!", {"mine": r"\w+|\s"}).page(pattern="mine")
    assert page.title == "mine: 5 chunks, 2 of them taken by no part"
    assert page.rows[-1] == ("none", "", "2", ", | !")


def test_no_pattern_is_one_chunk_and_a_broken_one_is_told() -> None:
    assert split_view("ab cd").page(pattern="none").title.endswith("of 5 characters")
    page = split_view("ab", {"mine": "(a"}).page(pattern="mine")
    assert not page.body and page.title.startswith("This is no regular expression")


# --- The size of a vocabulary -----------------------------------------------------


def quantities(thing: Explorable, **state: Any) -> dict[str, str]:
    return dict(thing.page(**state).rows)


def test_its_numbers_are_those_of_the_lengths() -> None:
    rows = quantities(vocabulary_size(LENGTHS), size=400, channels=128, layers=6)
    each = LENGTHS[256] / LENGTHS[400]
    assert rows["tokens in the text"] == f"{LENGTHS[400]:,}"
    assert rows["bytes in a token"] == f"{each:.2f}"
    layers = f"{24 * 6 * 128**2 / each:,.0f}"
    assert rows["operations for a byte, layers"] == layers
    assert rows["operations for a byte, last layer"] == f"{2 * 400 * 128 / each:,.0f}"
    assert rows["parameters of the embedding"] == f"{400 * 128:,}"


def test_the_cheapest_is_the_least_of_all_and_wider_models_want_more() -> None:
    thing = vocabulary_size({256 * 2**n: 8000 - 650 * n for n in range(9)})
    found = [
        int(quantities(thing, channels=c)["cheapest vocabulary"].replace(",", ""))
        for c in (64, 256, 1024, 1600)
    ]
    assert found == sorted(found) and found[0] < found[-1]
    for channels in (64, 1024):
        least = int(quantities(thing, channels=channels)["cheapest vocabulary"]
                    .replace(",", ""))  # fmt: skip
        page = thing.page(size=least, channels=channels)
        assert page.title.startswith(f"{least:,} tokens: the least work")
        other = thing.page(size=256, channels=channels)
        assert other.title.startswith("256 tokens: a byte costs ")
        assert other.title.endswith(f" than with {least:,}")


@pytest.mark.parametrize("lengths", [{}, {256: 10}, {300: 5, 400: 4}, {256: 3, 257: 0}])
def test_lengths_that_make_no_curve_are_told(lengths: dict) -> None:
    page = vocabulary_size(lengths).page()
    assert not page.body and page.title.endswith(".")
