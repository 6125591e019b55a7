# %% [markdown]
# # 8 · GPT tokenizer: exercises
#
# You build the tokenizer of GPT-4 from bytes up: text to bytes, pairs to tokens,
# chunks, special tokens, a file; then you make it fast. Each exercise is a cell with a
# `TODO`, or several, and a check under them. A cell without a `TODO` is given: run it
# as well. `hint("…")` goes deeper each time you run it; `solution("…")` asks once, then
# shows an answer.

# %%
import base64
import copy
import heapq
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import regex

from workbook import add_to, check, data, hint, solution

# %% [markdown]
# ## utf8
#
# Each character has a number, its **code point**: `ord("é")` is $233$. UTF-8 writes it
# in one to four bytes, $x$ being its bits, the highest first:
#
# | code point | bytes |
# |---|---|
# | up to `0x7F` | `0xxxxxxx` |
# | up to `0x7FF` | `110xxxxx 10xxxxxx` |
# | up to `0xFFFF` | `1110xxxx 10xxxxxx 10xxxxxx` |
# | above | `11110xxx`, then three of `10xxxxxx` |
#
# So `utf8("é")` is `[195, 169]`. `0xD800` to `0xDFFF` are **surrogates**, halves of a
# character elsewhere: write `0xFFFD` for each, the sign for what cannot be read. No
# `encode`.

# %% exercise="tokenizer.utf8" minutes=15 difficulty=2
def utf8(text: str) -> list[int]:
    """The bytes of a text in UTF-8 (RFC 3629); U+FFFD stands for a surrogate."""
    # TODO: ord, then shifts (>>), masks (&) and leading bits (|)
    ### BEGIN SOLUTION
    out = []
    for char in text:
        code = ord(char)
        if 0xD800 <= code <= 0xDFFF:
            code = 0xFFFD
        more = (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)  # bytes that follow
        out.append((0x00, 0xC0, 0xE0, 0xF0)[more] | (code >> 6 * more))
        for k in reversed(range(more)):
            out.append(0x80 | (code >> 6 * k) & 0x3F)
    return out
    ### END SOLUTION

# %%
check("tokenizer.utf8", utf8)

# %% [markdown] tags=["hint"]
# How many bytes does a character take? Its code point alone says so. The first byte has
# the highest bits, and its leading ones count the bytes.

# %% [markdown] tags=["hint"]
# Each byte after the first has six bits of the code point: `code & 0x3F` are the last
# six, `code >> 6` is what is left of them. `0x80` is `10000000`, `0xC0` is `11000000`.

# %% [markdown] tags=["hint"]
# Two bytes are `[0xC0 | code >> ____, 0x80 | code & ____]`. Three begin with
# `0xE0 | code >> ____`, and the one in the middle is `0x80 | (code >> 6) & ____`.

# %% [markdown] tags=["solution"]
# **Why.** No byte of a longer character looks like a letter of ASCII, and none but the
# first of a character looks like a first one: a reader who comes in anywhere finds the
# next character. ASCII text stays as it is, so English takes one byte a letter, Greek
# two, Korean three, an emoji four. Python's own `encode` raises an error for a
# surrogate; a tokenizer has to accept whatever comes.

# %% tags=["solution"]
def utf8_by_python(text):
    return list(regex.sub(r"[\ud800-\udfff]", "\ufffd", text).encode("utf-8"))

# %% [markdown]
# ## pair_counts
#
# Which two neighbours stand side by side most often? Count them all: in
# `[1, 2, 3, 1, 2]` the pair `(1, 2)` twice, `(2, 3)` and `(3, 1)` once. The dict lists
# the pairs in the order in which they first come. In `[7, 7, 7]` the pair `(7, 7)`
# stands twice. Where a dict `counts` is given, add to that very dict, so that several
# texts can be counted together.

# %% exercise="tokenizer.pair_counts" minutes=8 difficulty=1
def pair_counts(
    ids: Iterable[int], counts: dict[tuple[int, int], int] | None = None
) -> dict[tuple[int, int], int]:
    """How often each pair of neighbours stands in ids; added to counts, if given."""
    # TODO: a new dict where none is given
    ### BEGIN SOLUTION
    counts = {} if counts is None else counts
    for pair in pairwise(ids):
        counts[pair] = counts.get(pair, 0) + 1
    return counts
    ### END SOLUTION

# %%
check("tokenizer.pair_counts", pair_counts)

# %% [markdown] tags=["hint"]
# You counted pairs of letters in lesson 2. What is the right neighbour of each element?

# %% [markdown] tags=["hint"]
# `zip(ids, ids[1:])` gives each element with its right neighbour, and so does
# `itertools.pairwise`. `counts.get(pair, 0)` is $0$ for a pair that is new.

# %% [markdown] tags=["hint"]
# `for pair in zip(ids, ____):` and in the loop
# `counts[pair] = counts.get(____, ____) + 1`; before it, `if counts is ____`.

# %% [markdown] tags=["solution"]
# **Why.** A dict keeps the order in which its keys came, so the pair that was seen
# first stands first: that settles ties later on. `counts={}` as a default would be one
# dict for all calls, and the pairs of an earlier text would be counted again.
# `counts or {}` has a trap as well: an empty dict that is given counts as false, and
# would not be filled.

# %% tags=["solution"]
def pair_counts_by_index(ids, counts=None):
    if counts is None:
        counts = {}
    for i in range(len(ids) - 1):
        counts.setdefault((ids[i], ids[i + 1]), 0)
        counts[ids[i], ids[i + 1]] += 1
    return counts

# %% [markdown]
# ## merge
#
# Give a pair a token of its own: wherever the two stand side by side, put `idx` in
# their place. `merge([5, 6, 6, 7, 5, 6, 7], (6, 7), 99)` is `[5, 6, 99, 5, 99]`. Go
# from left to right, and never use an element twice: `[1, 1, 1]` with the pair `(1, 1)`
# becomes `[99, 1]`. The list that came in stays as it was.

# %% exercise="tokenizer.merge" minutes=10 difficulty=2
def merge(ids: Sequence[int], pair: tuple[int, int], idx: int) -> list[int]:
    """A new list: ids with idx in place of each pair, left to right, no overlap."""
    # TODO: one walk; how far does it go after a pair?
    ### BEGIN SOLUTION
    out, i = [], 0
    while i < len(ids):
        if i + 1 < len(ids) and ids[i] == pair[0] and ids[i + 1] == pair[1]:
            out.append(idx)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out
    ### END SOLUTION

# %%
check("tokenizer.merge", merge)

# %% [markdown] tags=["hint"]
# A `for` loop takes every element in turn. Here some steps are longer than others, so
# keep the place yourself.

# %% [markdown] tags=["hint"]
# In a `while` loop either `idx` is appended and the walk goes on two places later, or
# one element is. The last element has no right neighbour: ask whether there is one
# before you look at it.

# %% [markdown] tags=["hint"]
# `if i + 1 < ____ and ids[i] == pair[0] and ids[____] == pair[1]:`, then append `idx`
# and `i += ____`; else append `ids[i]` and `i += ____`.

# %% [markdown] tags=["solution"]
# **Why.** In `[1, 1, 1]` the pair stands at two places that share an element, and only
# one of them can be taken; left to right is the rule everybody follows, so that all
# tokenizers agree. Nothing is lost: the tokens of the result still stand for the same
# bytes. A list of $n$ is walked once, whatever is found in it; deleting from a list in
# place would move the rest of it each time.

# %% tags=["solution"]
def merge_by_look_back(ids, pair, idx):
    out, free = [], False  # free: whether the last element may still be used
    for i in ids:
        if free and (out[-1], i) == pair:
            out[-1], free = idx, False
        else:
            out.append(i)
            free = True
    return out

# %% [markdown]
# ## train
#
# **Byte pair encoding**: turn the text into bytes; find the commonest pair; give it the
# next free number, $256$ at first; merge; repeat. `merges` has pair and number in the
# order learned, `vocab` the bytes of each token. `aaabdaaabac` with `vocab_size` $259$
# learns `(97, 97)`, `(256, 97)`, `(257, 98)`; token $258$ is `b"aaab"`. Of equally
# common pairs the one seen first in the text wins. Stop early where no pair is left.
# With `verbose` each merge is printed.

# %% [markdown]
# The start of the class is given. `restart` forgets what an earlier training learned;
# `learn` notes one merge.

# %% exercise="tokenizer.train" minutes=20 difficulty=3
class BasicTokenizer:
    """Byte pair encoding of whole texts, on bytes.

    Sennrich, Haddow and Birch (2016), algorithm 1: https://arxiv.org/abs/1508.07909.

    >>> tokenizer = BasicTokenizer()
    >>> tokenizer.train("aaabdaaabac", 259)
    >>> tokenizer.encode("aaabdaaabac")
    [258, 100, 258, 97, 99]
    """

    def __init__(self) -> None:
        self.pattern: str | None = None  # later: how a text is split
        self.special_tokens: dict[str, int] = {}  # later: tokens that are no text
        self.restart(256)

    def restart(self, vocab_size: int) -> None:
        """Forget all merges. ValueError where so small a vocabulary has no room."""
        if vocab_size < 256:
            raise ValueError(f"There are 256 bytes: vocab_size is {vocab_size}.")
        if self.special_tokens:
            raise ValueError("Train first, then register special tokens.")
        self.merges: dict[tuple[int, int], int] = {}  # in the order learned
        self.vocab: dict[int, bytes] = {i: bytes([i]) for i in range(256)}

    def learn(self, pair: tuple[int, int], idx: int, verbose: bool = False) -> None:
        """Note that this pair becomes token idx."""
        # TODO: an entry in self.merges, and one in self.vocab: the bytes of both
        ### BEGIN SOLUTION
        self.merges[pair] = idx
        self.vocab[idx] = self.vocab[pair[0]] + self.vocab[pair[1]]
        ### END SOLUTION
        if verbose:
            print(f"{idx}: {pair} {self.vocab[idx]!r}")

    def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
        """Learn vocab_size - 256 merges from a text; fewer, where no pair is left."""
        # TODO: restart first; then count, choose, merge, learn, again and again
        ### BEGIN SOLUTION
        self.restart(vocab_size)
        ids = utf8(text)
        for idx in range(256, vocab_size):
            counts = pair_counts(ids)
            if not counts:
                break
            pair = max(counts, key=lambda pair: counts[pair])
            ids = merge(ids, pair, idx)
            self.learn(pair, idx, verbose)
        ### END SOLUTION

# %%
check("tokenizer.train", BasicTokenizer)

# %% [markdown] tags=["hint"]
# You have all parts: `utf8`, `pair_counts`, `merge`. Each round works on the list that
# the round before left behind.

# %% [markdown] tags=["hint"]
# `max` with a `key` gives the pair with the highest count, and of equal ones the first:
# the dict has them in the order in which they were seen. `max` of an empty dict is an
# error; that is where training stops. How many rounds does a `vocab_size` of $259$
# make?

# %% [markdown] tags=["hint"]
# `self.vocab[idx] = self.vocab[pair[0]] + ____`; in the loop
# `for idx in range(____, vocab_size):` the pairs of `ids` are counted, then
# `pair = max(counts, key=____)`.

# %% [markdown] tags=["solution"]
# **Why.** The number of a token is its rank: $256$ was learned first. Whoever encodes
# later has to merge in this order, so the order is all that training leaves behind; it
# needs no counts. A token's parts are older than itself, and so `vocab` can be filled
# as we go. Each round counts the whole list anew, which is slow but plain;
# `fast_train` will do better and has to give the same merges.

# %% [markdown]
# ## decode
#
# From ids back to a text: join the bytes of all tokens, then read them as UTF-8. Not
# every row of ids is valid UTF-8, and a model may write any row. What cannot be read
# becomes U+FFFD, `�`, without an error: `decode([128])` is `"�"`. An id that is in no
# vocabulary is a `ValueError` whose text names the id.

# %% exercise="tokenizer.decode" minutes=8 difficulty=1
@add_to(BasicTokenizer)
def decode(self, ids: Iterable[int]) -> str:
    """The text of ids; U+FFFD for what is no UTF-8. ValueError: an unknown id."""
    # TODO: first all bytes, then one text
    ### BEGIN SOLUTION
    try:
        whole = b"".join(self.vocab[i] for i in ids)
    except KeyError as error:
        raise ValueError(f"There is no token {error.args[0]!r}.") from None
    return whole.decode("utf-8", errors="replace")
    ### END SOLUTION

# %%
check("tokenizer.decode", BasicTokenizer)

# %% [markdown] tags=["hint"]
# An `é` is two bytes, and they may belong to two tokens. When can its bytes be read?

# %% [markdown] tags=["hint"]
# `b"".join(…)` makes one row of bytes of many, and `bytes.decode` a text; see what its
# argument `errors` can be. A dict that lacks a key raises `KeyError`.

# %% [markdown] tags=["hint"]
# `b"".join(self.vocab[____] for i in ids)`, then `.decode("utf-8", errors=____)`; round
# the first, `try:` and `except ____:` with a `raise ValueError(…)` that names the id.

# %% [markdown] tags=["solution"]
# **Why.** Token by token, an emoji whose four bytes are spread over several tokens
# comes out as several `�`; so bytes are joined first. `errors="ignore"` would drop what
# cannot be read, and nobody would know that something is missing. For every text
# without surrogates, `decode(encode(text))` is that text. The other way round does not
# hold: a model may write `[97, 97]`, and `encode` writes the same text as `[256]` where
# that was learned.

# %% [markdown]
# ## encode
#
# Text to ids, with the merges that training learned and in *their* order: of all known
# pairs in the list, merge the one with the lowest number, everywhere; repeat until no
# known pair is left. With `ab` as $256$ and `bc` as $257$, `abcbc` is `[256, 99, 257]`:
# `ab` was learned first, although `bc` stands there twice. Texts of no or one byte
# work as well.

# %% exercise="tokenizer.encode" minutes=15 difficulty=3
@add_to(BasicTokenizer)
def encode(self, text: str) -> list[int]:
    """The ids of a text: what was learned first is merged first."""
    # TODO: utf8, then as long as there is a known pair: merge the oldest
    ### BEGIN SOLUTION
    ids = utf8(text)
    while len(ids) > 1:
        pair = min(pair_counts(ids), key=lambda pair: self.merges.get(pair, math.inf))
        if pair not in self.merges:
            break
        ids = merge(ids, pair, self.merges[pair])
    return ids
    ### END SOLUTION

# %%
check("tokenizer.encode", BasicTokenizer)

# %% [markdown] tags=["hint"]
# Training went through the text in rounds, one pair a round. Encoding goes through the
# same rounds, and leaves out those whose pair is not there.

# %% [markdown] tags=["hint"]
# `min` over the pairs in the list, with the pair's number as its `key`; a pair that was
# never learned counts as infinity. Where the winner was never learned, nothing can be
# merged any more.

# %% [markdown] tags=["hint"]
# `pair = min(pair_counts(ids), key=lambda p: self.merges.get(p, ____))`; then
# `if pair not in ____: break`; then `ids = merge(ids, pair, ____)`.

# %% [markdown] tags=["solution"]
# **Why.** Tokens are made of older tokens: `(256, 97)` can only be found after $256$ is
# there. Any other order (the commonest pair first, the first from the left, the longest
# token) gives other ids on some texts, and right ones on most, so a few tries prove
# nothing. A model that learned from one order reads ids of another as odd spelling.

# %% tags=["solution"]
def encode_in_one_pass(tokenizer, text):
    ids = utf8(text)
    for pair, idx in tokenizer.merges.items():  # in the order learned
        ids = merge(ids, pair, idx)
    return ids

# %% [markdown]
# Common words come with every sign that may follow: `dog.`, `dog!`, `dog?` would each
# become a token. GPT-2 therefore cuts a text into **chunks** first, by a pattern, and
# merges within a chunk alone. Its alternatives are tried from the first to the last.

# %%
GPT2_SPLIT_PATTERN = "|".join(
    [
        r"'(?:[sdmt]|ll|ve|re)",  # the end of we'll, she's
        r" ?\p{L}+",  # letters, and a space before them
        r" ?\p{N}+",  # digits, the same
        r" ?[^\s\p{L}\p{N}]+",  # signs, the same
        r"\s+(?!\S)",  # space up to its last, which belongs to the word behind it
        r"\s+",
    ]
)

# %% [markdown]
# GPT-4's pattern keeps long numbers short, takes capitals for what they are, and knows
# ends of line.

# %%
GPT4_SPLIT_PATTERN = "|".join(
    [
        r"'(?i:[sdmt]|ll|ve|re)",  # capitals too
        r"[^\r\n\p{L}\p{N}]?\p{L}+",  # letters, and any one sign before them
        r"\p{N}{1,3}",  # three digits at most, and no space
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",  # signs, and the ends of line behind them
        r"\s+$",
        r"\s*[\r\n]",  # space up to an end of line
        r"\s+(?!\S)",
        r"\s",
    ]
)

# %% [markdown]
# ## regex_split
#
# `regex_split(text, pattern)` lists the chunks of a text: each match of the pattern,
# and whatever lies between two matches, in order. Nothing is lost: joined, the chunks
# are the text. `"you've 12 dogs"` with GPT-2's pattern gives
# `["you", "'ve", " 12", " dogs"]`; `"a-b"` with the pattern `[a-z]` gives
# `["a", "-", "b"]`. No chunk is empty. A pattern may have groups. The classes
# `\p{L}` (letters) and `\p{N}` (numerals) need the module `regex` in place of `re`.

# %% exercise="tokenizer.regex_split" minutes=12 difficulty=2
def regex_split(text: str, pattern: str) -> list[str]:
    """The matches of a pattern, and what lies between them; together the text."""
    # TODO: regex.finditer says where each match starts and ends
    ### BEGIN SOLUTION
    chunks, end = [], 0
    for match in regex.finditer(pattern, text):
        chunks += [text[end : match.start()], match.group()]
        end = match.end()
    chunks.append(text[end:])
    return [chunk for chunk in chunks if chunk]
    ### END SOLUTION

# %%
check("tokenizer.regex_split", regex_split)

# %% [markdown] tags=["hint"]
# With GPT-2's pattern every character is part of some match, so a list of the matches
# does. What do other patterns leave over, and where?

# %% [markdown] tags=["hint"]
# `findall` gives the *groups* of a pattern that has some. `finditer` gives matches,
# which know their `group()`, `start()` and `end()`. Remember where the last one ended.

# %% [markdown] tags=["hint"]
# `for match in regex.finditer(____, text):` append `text[end : match.start()]` and
# `match.____()`, then `end = ____`. After the loop comes the rest of the text.

# %% [markdown] tags=["solution"]
# **Why.** GPT-2's pattern keeps letters, digits and signs apart. The alternative
# `\s+(?!\S)` gives all spaces but the last to one chunk, so that a word keeps the space
# before it wherever it stands. A surprise: `HOW'S` becomes `HOW`, `'`, `S`, since
# GPT-2's endings are small letters; GPT-4 mends that. A tokenizer that drops what no
# alternative matches cannot give the text back, and nobody notices before `decode`.

# %% [markdown]
# ## regex_tokenizer
#
# A `RegexTokenizer` is a `BasicTokenizer` that never merges across chunks. Training
# counts the pairs of all chunks together and merges in each. `encode_ordinary` encodes
# chunk by chunk and joins the ids. `pattern` may be any; GPT-4's where none is given.
# Keep it in `self.pattern` alone: `load` will set that later on.
# From `"hi you hi you"`, four chunks, it learns `hi`, then a space with `y`; a
# `BasicTokenizer` learns `hi`, then `hi` with a space.

# %% exercise="tokenizer.regex_tokenizer" minutes=20 difficulty=3
class RegexTokenizer(BasicTokenizer):
    """Byte pair encoding within the chunks of a text.

    Radford et al. (2019), section 2.2, keep categories of characters apart so.
    """

    def __init__(self, pattern: str | None = None) -> None:
        super().__init__()
        # TODO: self.pattern
        ### BEGIN SOLUTION
        self.pattern = GPT4_SPLIT_PATTERN if pattern is None else pattern
        ### END SOLUTION

    def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
        """Learn vocab_size - 256 merges within chunks; fewer, where no pair is left."""
        # TODO: as before, with a list of ids for each chunk
        ### BEGIN SOLUTION
        self.restart(vocab_size)
        chunks = [utf8(chunk) for chunk in regex_split(text, self.pattern)]
        for idx in range(256, vocab_size):
            counts: dict[tuple[int, int], int] = {}
            for ids in chunks:
                pair_counts(ids, counts)
            if not counts:
                break
            pair = max(counts, key=lambda pair: counts[pair])
            chunks = [merge(ids, pair, idx) for ids in chunks]
            self.learn(pair, idx, verbose)
        ### END SOLUTION

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text, chunk by chunk; it knows no special tokens."""
        # TODO: BasicTokenizer.encode(self, chunk) has the ids of one chunk
        ### BEGIN SOLUTION
        ids = []
        for chunk in regex_split(text, self.pattern):
            ids += BasicTokenizer.encode(self, chunk)
        return ids
        ### END SOLUTION

    def encode(self, text: str) -> list[int]:
        """The same; a later exercise adds special tokens."""
        return self.encode_ordinary(text)

# %%
check("tokenizer.regex_tokenizer", RegexTokenizer)

# %% [markdown] tags=["hint"]
# What was one list is now a list of lists. Which line of `train` has to see all of them
# at once, and which goes through them one by one?

# %% [markdown] tags=["hint"]
# Counting sees all: `pair_counts` adds to a dict that you hand over. The counts begin
# anew in each round. In `encode_ordinary`, `self.encode` would call
# itself: name the class whose `encode` you mean.

# %% [markdown] tags=["hint"]
# `chunks = [utf8(chunk) for chunk in regex_split(____, ____)]`; in each round one
# dict, and `pair_counts(____, counts)` for each chunk; later
# `chunks = [merge(____, pair, idx) for ____ in chunks]`.

# %% [markdown] tags=["solution"]
# **Why.** Chunks joined to one list would have pairs across their borders, and `e` with
# a space would be the first merge again: the commonest pair of English. The pattern
# belongs to the tokenizer as much as the merges do. Encode with another one, and the
# text is cut at other places; the ids still decode to the text, and so nothing warns.

# %% [markdown]
# ## special_tokens
#
# Some tokens are no text: `<|endoftext|>` says that a document ends. They have ids of
# their own and stay out of the merges. `register_special_tokens({"<|end|>": 300})`
# replaces those registered before; each gets its bytes in `vocab`, so that `decode`
# knows it. `ValueError` where the name is empty or the id is taken; then nothing has
# changed.

# %% [markdown]
# In `encode`, `allowed_special` says what such a string in a text means. With `"all"`
# it is the token, with `"none"` ordinary text; a set allows its members, all others are
# ordinary. The default `"none_raise"` is a `ValueError` that names the token, since
# text of a stranger must not end a document. Any other string is a `ValueError`. Where
# two special tokens begin at one place, the longer one wins.

# %% exercise="tokenizer.special_tokens" minutes=25 difficulty=4
@add_to(RegexTokenizer)
def register_special_tokens(self, special_tokens: dict[str, int]) -> None:
    """Let these texts be tokens with these ids; those of before are gone."""
    # TODO: self.special_tokens and self.vocab; no ordinary token may be replaced
    ### BEGIN SOLUTION
    old = self.special_tokens.values()
    vocab = {i: token for i, token in self.vocab.items() if i not in old}
    for token, idx in special_tokens.items():
        if not token or idx in vocab:
            raise ValueError(f"{token!r} cannot be token {idx}: empty, or taken.")
        vocab[idx] = bytes(utf8(token))
    self.vocab, self.special_tokens = vocab, dict(special_tokens)
    ### END SOLUTION


@add_to(RegexTokenizer)
def encode(
    self, text: str, allowed_special: str | Collection[str] = "none_raise"
) -> list[int]:
    """The ids of a text. allowed_special: "all", "none", "none_raise" or a set."""
    # TODO: what is allowed? cut there, the longest first; ordinary text in between
    ### BEGIN SOLUTION
    special = self.special_tokens
    if allowed_special == "none_raise" and (found := [t for t in special if t in text]):
        raise ValueError(f"{found[0]!r} is a special token: allow it, or do not.")
    named = {"all": special, "none": {}, "none_raise": {}}
    chosen = named.get(str(allowed_special), allowed_special)
    if isinstance(chosen, str):
        raise ValueError(f"allowed_special has no {chosen!r}.")
    allowed = sorted(special.keys() & set(chosen), key=len, reverse=True)
    pattern = "|".join(map(regex.escape, allowed)) or "(?!)"  # which matches nowhere
    parts = regex_split(text, pattern)
    whole = ([special[p]] if p in allowed else self.encode_ordinary(p) for p in parts)
    return [i for ids in whole for i in ids]
    ### END SOLUTION

# %%
check("tokenizer.special_tokens", RegexTokenizer)

# %% [markdown] tags=["hint"]
# `regex_split` gives the matches of a pattern and what lies between them. Which pattern
# finds special tokens?

# %% [markdown] tags=["hint"]
# `"|".join(…)` makes alternatives, tried from left to right, so sort by length. `|` is
# in `<|endoftext|>` as well: `regex.escape` takes its meaning away. A part that is an
# allowed token has one id, any other goes through `encode_ordinary`.

# %% [markdown] tags=["hint"]
# `allowed = sorted(____, key=len, reverse=____)`, then
# `regex_split(text, "|".join(map(____, allowed)))`, and for each `part`
# `[special[part]] if part in ____ else self.encode_ordinary(part)`.

# %% [markdown] tags=["solution"]
# **Why.** Were `<|endoftext|>` a token wherever it stands, everybody who writes to a
# model could end its document and begin another. So the caller says what is allowed,
# and silence means no. An id inside the vocabulary would make two tokens one:
# `vocab_size` itself is the first that is free. In a model each special token is a new
# row of the embedding table and a new column of the last layer.

# %% [markdown]
# ## save_load
#
# `save("play")` writes two files: `play.model`, which `load` reads, and `play.vocab`,
# which people read, one line for each token. `load("play.model")` makes a tokenizer,
# new or used, the same as the saved one: merges, vocabulary, pattern, special tokens,
# whatever is in their texts (spaces, quotes, line ends). The form of the files is
# yours. A file of another kind is a `ValueError`, and so is one of the other class:
# `pattern` is `None` in a `BasicTokenizer`. A `RegexTokenizer` inherits both methods,
# and the check tries them in both classes.

# %% exercise="tokenizer.save_load" minutes=20 difficulty=3
@add_to(BasicTokenizer)
def save(self, prefix: str | Path) -> None:
    """Write prefix.model, for load, and prefix.vocab, for people."""
    # TODO: json.dumps makes a text of dicts, lists, strings and numbers
    ### BEGIN SOLUTION
    model = {
        "format": "byte pairs 1",
        "pattern": self.pattern,
        "special_tokens": self.special_tokens,
        "merges": list(self.merges),
    }
    Path(f"{prefix}.model").write_text(json.dumps(model), "utf-8")
    shown = {i: token.decode("utf-8", "replace") for i, token in self.vocab.items()}
    rows = "".join(f"{i}\t{token!r}\n" for i, token in shown.items())
    Path(f"{prefix}.vocab").write_text(rows, "utf-8")
    ### END SOLUTION


@add_to(BasicTokenizer)
def load(self, path: str | Path) -> None:
    """Become the tokenizer that was saved. ValueError: a file of another kind."""
    # TODO: read; restart; learn each merge again; then pattern and special tokens
    ### BEGIN SOLUTION
    model = json.loads(Path(path).read_text("utf-8"))
    ours = isinstance(model, dict) and model.get("format") == "byte pairs 1"
    if not ours or (model["pattern"] is None) != (self.pattern is None):
        raise ValueError(f"{path} is no saved tokenizer.")
    self.special_tokens = {}
    self.restart(256)
    for idx, (one, two) in enumerate(model["merges"], 256):
        self.learn((one, two), idx)
    self.pattern, self.special_tokens = model["pattern"], model["special_tokens"]
    for token, idx in self.special_tokens.items():
        self.vocab[idx] = bytes(utf8(token))
    ### END SOLUTION

# %%
check("tokenizer.save_load", BasicTokenizer)

# %% [markdown] tags=["hint"]
# What does `encode` read, and what does `decode`? All of that has to come back. What
# can be computed from it need not be in the file.

# %% [markdown] tags=["hint"]
# The pairs in their order are enough: numbers and bytes follow from `learn`. `json`
# knows lists but no tuples, and text keys but no numbers as keys. Say in the file what
# kind of file it is, and look there first when you read one.

# %% [markdown] tags=["hint"]
# `json.dumps({"format": ____, "pattern": ____, "special_tokens": ____,
# "merges": list(____)})`; and in `load`
# `for idx, (one, two) in enumerate(model["merges"], ____): self.learn(____, idx)`.

# %% [markdown] tags=["solution"]
# **Why.** A pattern that is not restored is a quiet fault: after `load` a text is split
# by the default, most texts come out the same, and `decode` is always right. A format
# of one's own, line by line, breaks where a pattern has a line end or a special token a
# space; JSON has thought of them. Whoever loads into a used tokenizer has to clear it
# first, or old merges and special tokens stay.

# %% [markdown]
# ## gpt4_tokenizer
#
# What is published of GPT-4's tokenizer is a file of tokens and **ranks**, the order in
# which they were made: on each line base64 and a number. The merges are not in it. But
# BPE with the ranks *below* a token's own leaves two parts of it, and these were the
# pair. Of `{b"c": 0, b"a": 1, b"b": 2, b"bc": 3, b"ab": 4, b"abc": 5}` the merges are
# `{(2, 0): 3, (1, 2): 4, (1, 3): 5}`: in `abc` the pair `bc` comes first.

# %%
GPT4_SPECIAL_TOKENS = {
    "<|endoftext|>": 100257,
    "<|fim_prefix|>": 100258,
    "<|fim_middle|>": 100259,
    "<|fim_suffix|>": 100260,
    "<|endofprompt|>": 100276,
}

# %% exercise="tokenizer.gpt4_tokenizer" minutes=35 difficulty=4
def read_ranks(path: str | Path) -> dict[bytes, int]:
    """The rank of each token in a .tiktoken file."""
    # TODO: a line has the token in base64, a space, and the rank
    ### BEGIN SOLUTION
    lines = [line.split() for line in Path(path).read_bytes().splitlines()]
    return {base64.b64decode(line[0]): int(line[1]) for line in lines if line}
    ### END SOLUTION


def parts_below(token: bytes, ranks: dict[bytes, int], limit: int) -> list[bytes]:
    """What BPE makes of the bytes of a token with the ranks below a limit."""
    # TODO: join the two neighbours of lowest rank, as long as it is below the limit
    ### BEGIN SOLUTION
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 1:
        joined = [ranks.get(a + b, limit) for a, b in pairwise(parts)]
        lowest = min(joined)
        if lowest >= limit:
            break
        i = joined.index(lowest)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts
    ### END SOLUTION


def recover_merges(ranks: dict[bytes, int]) -> dict[tuple[int, int], int]:
    """The pair of ranks that each token of two bytes or more was made from."""
    # TODO: in the order of the ranks
    ### BEGIN SOLUTION
    merges = {}
    for token in sorted(ranks, key=ranks.get):
        if len(token) > 1:
            left, right = parts_below(token, ranks, ranks[token])
            merges[ranks[left], ranks[right]] = ranks[token]
    return merges
    ### END SOLUTION

# %% [markdown]
# Single bytes have ranks as well, in an order of their own: GPT-4 gives `b"a"` another
# number than 97. `byte_shuffle` is that order, from byte to rank. `GPT4Tokenizer()`
# takes its ranks from `tiktoken`, which fetches the file once;
# `GPT4Tokenizer(ranks, pattern, special_tokens)` is made from any other file, GPT-2's
# too. It has been trained and has a file: to train or save it is a `ValueError`.

# %% exercise="tokenizer.gpt4_tokenizer"
class GPT4Tokenizer(RegexTokenizer):
    """A tokenizer from published ranks: GPT-4's, if none are given.

    The ranks and special tokens are those of tiktoken's cl100k_base:
    https://github.com/openai/tiktoken
    """

    def __init__(
        self,
        ranks: dict[bytes, int] | None = None,
        pattern: str | None = None,
        special_tokens: dict[str, int] | None = None,
    ) -> None:
        super().__init__(pattern)
        if ranks is None:
            import tiktoken

            ranks = tiktoken.get_encoding("cl100k_base")._mergeable_ranks
            special_tokens = special_tokens or GPT4_SPECIAL_TOKENS
        # TODO: byte_shuffle, from byte to rank; merges and vocab; the special tokens
        ### BEGIN SOLUTION
        self.byte_shuffle = {byte: ranks[bytes([byte])] for byte in range(256)}
        self.merges = recover_merges(ranks)
        self.vocab = {rank: token for token, rank in ranks.items()}
        self.register_special_tokens(special_tokens or {})
        ### END SOLUTION

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text in which no special token is looked for."""
        # tiktoken makes one character of two surrogates that belong together
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        # TODO: as in RegexTokenizer, but a byte begins as its rank
        ### BEGIN SOLUTION
        ids = []
        for chunk in regex_split(text, self.pattern):
            part = [self.byte_shuffle[byte] for byte in utf8(chunk)]
            while known := self.merges.keys() & pairwise(part):
                pair = min(known, key=self.merges.get)
                part = merge(part, pair, self.merges[pair])
            ids += part
        return ids
        ### END SOLUTION

    def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
        """ValueError: a published tokenizer has been trained."""
        raise ValueError("This tokenizer has been trained.")

    def save(self, prefix: str) -> None:
        """ValueError: what save writes could not hold the order of the bytes."""
        raise ValueError("Keep the file of its ranks.")

# %%
check("tokenizer.gpt4_tokenizer", read_ranks, recover_merges, GPT4Tokenizer)

# %% [markdown] tags=["hint"]
# A token of rank 5 was made when ranks 0 to 4 were all there was. What did `encode`
# leave of its bytes at that time?

# %% [markdown] tags=["hint"]
# `ranks.get(a + b, limit)` is the rank of two neighbours joined, or the limit where
# they are no token. When the lowest of these is the limit, BPE is done. For the class:
# everything that counts from bytes in `RegexTokenizer` counts from their ranks here,
# and `vocab` is `ranks` turned round.

# %% [markdown] tags=["hint"]
# `left, right = parts_below(token, ranks, ____)`; then
# `merges[ranks[left], ____] = ____`. A chunk begins as
# `[self.byte_shuffle[byte] for byte in ____]`.

# %% [markdown] tags=["solution"]
# **Why.** The file has no pairs since tiktoken needs none: it looks up the *bytes* of
# two neighbours joined. We merge pairs of ids, and of all ways to cut a token in two
# only the one that BPE itself comes to is ever met. The longest known prefix looks as
# good, fails on `abc` above, and then that token is never made.

# %% [markdown] tags=["solution"]
# The order of the bytes is an accident: GPT-2's code gave the printable characters the
# first numbers. Forget it, and every text still comes back from `decode`, with ids that
# mean something else to the model.

# %% [markdown]
# Does it equal the original? Where the file is at hand, or can be fetched, this
# compares a text with tiktoken's ids. It takes a few seconds: take the `#` away.

# %%
def compared(text: str = "hello123!!!? (안녕하세요!) 😉") -> None:
    """Ours and tiktoken's, for a text."""
    import tiktoken

    ranks = read_ranks(data.path("cl100k_base"))
    ours = GPT4Tokenizer(ranks).encode_ordinary(text)
    theirs = tiktoken.Encoding(
        "cl100k", pat_str=GPT4_SPLIT_PATTERN, mergeable_ranks=ranks, special_tokens={}
    )
    print(ours)
    print("equal:", ours == theirs.encode_ordinary(text))


# compared()

# %% [markdown]
# ## compression
#
# How much text is in a token? `bytes_per_token` divides the UTF-8 bytes of a text by
# its tokens: `"aaaa"` in two tokens has $2.0$. (No text here is empty.) BPE is nested,
# so `cut(tokenizer, 300)` is the tokenizer as it was at 300 tokens, in a new object:
# one training gives the curve over all sizes.

# %% [markdown]
# `premium` tells languages apart: for texts that say the same, the tokens of each as a
# multiple of those of the `base`. And `bits_per_byte` makes losses of models with
# different tokenizers comparable: a loss of $\ln 2$ nats a token is one bit a token,
# and for `"aaaa"` in two tokens $0.5$ bits a byte.

# %% exercise="tokenizer.compression" minutes=15 difficulty=2
def bytes_per_token(tokenizer: BasicTokenizer, text: str) -> float:
    """How many bytes of UTF-8 a token of this text stands for, on average."""
    # TODO
    ### BEGIN SOLUTION
    return len(utf8(text)) / len(tokenizer.encode(text))
    ### END SOLUTION


def cut(tokenizer: BasicTokenizer, vocab_size: int) -> BasicTokenizer:
    """A copy of the tokenizer as it was at this many tokens, without special ones."""
    # TODO: its first merges, and the vocab that belongs to them
    ### BEGIN SOLUTION
    small = copy.copy(tokenizer)
    small.merges = {p: i for p, i in tokenizer.merges.items() if i < vocab_size}
    small.vocab = {i: token for i, token in tokenizer.vocab.items() if i < vocab_size}
    small.special_tokens = {}
    return small
    ### END SOLUTION


def premium(
    tokenizer: BasicTokenizer, texts: dict[str, str], base: str = "English"
) -> dict[str, float]:
    """The tokens of each text as a multiple of the base's, by the same keys.

    Petrov et al. (2023), section 3: https://arxiv.org/abs/2305.15425
    """
    # TODO
    ### BEGIN SOLUTION
    counts = {name: len(tokenizer.encode(text)) for name, text in texts.items()}
    return {name: count / counts[base] for name, count in counts.items()}
    ### END SOLUTION


def bits_per_byte(loss: float, tokenizer: BasicTokenizer, text: str) -> float:
    """A mean loss in nats a token, as bits a byte of this text."""
    # TODO
    ### BEGIN SOLUTION
    return loss / math.log(2) / bytes_per_token(tokenizer, text)
    ### END SOLUTION

# %%
check("tokenizer.compression", bytes_per_token, cut, premium, bits_per_byte)

# %% [markdown] tags=["hint"]
# Characters are not bytes, and a nat is not a bit. For `cut`: which ids does a
# tokenizer of 300 tokens have?

# %% [markdown] tags=["hint"]
# The ids of a tokenizer of size $n$ are $0$ to $n - 1$, so both dictionaries keep
# the entries whose id is below $n$. `copy.copy` makes a new object that shares its
# attributes with the old one, until you give it others. All losses of a text
# together are `loss` times its tokens.

# %% [markdown] tags=["hint"]
# `{pair: i for pair, i in tokenizer.merges.items() if i < ____}`;
# `loss / math.log(____) / bytes_per_token(____)`.

# %% [markdown] tags=["solution"]
# **Why.** A loss *per token* falls when tokens get smaller, without any model being
# better: each has less left to say. The loss of the whole text, divided by what no
# tokenizer changes, its bytes, can be compared. Bytes per token hides what a language
# pays: a Korean letter has three bytes, so 3 bytes a token are little there. The
# premium asks what a user asks: how many tokens for the same thing?

# %% [markdown]
# Sizes and languages, for a tokenizer that has read English alone: take the `#` away.

# %%
SAME_WORDS = {
    "English": "All human beings are born free and equal.",
    "German": "Alle Menschen sind frei und gleich geboren.",
    "Korean": "모든 인간은 자유롭고 평등하게 태어났다.",
}


def sizes_and_languages() -> None:
    """Bytes a token by size of the vocabulary, and what each language pays."""
    play = data.play()
    tokenizer = RegexTokenizer()
    tokenizer.train(play[:30_000], 400)
    for size in (256, 300, 350, 400):
        ratio = bytes_per_token(cut(tokenizer, size), play[30_000:60_000])
        print(f"{size} tokens: {ratio:.2f} bytes a token")
    for language, times in premium(tokenizer, SAME_WORDS).items():
        print(f"{language:8} {times:.2f} times the tokens of English")


# sizes_and_languages()

# %% [markdown]
# ## artifacts
#
# A model sees ids, and nothing within them. Eight small functions show what follows,
# for any tokenizer and any text but an empty one. Say its tokens beyond the bytes are
# `th`, ` th`, ` the` and `00`:
#
# - `pieces` of `"the"` is `[b"th", b"e"]`, the bytes of each token.
# - `letters_alone` is the share of the letters A to Z, a to z that have no other letter
#   in their token: $1/3$ of `"the"`. Only these can be spelled by sight.

# %% [markdown]
# - `kept_in_reverse`: the share of a word's tokens that the reversed word has as well,
#   a token that is twice in both counting twice; `"the"` and `"eht"` share `e`: $1/2$.
# - `number_cuts`: how often numbers are cut in which way, as tuples of digits per
#   token; `[7, 100, 800]` gives `{(1,): 1, (1, 2): 2}`.
# - `blank_share`: the share of a text's tokens that are white space and nothing else.

# %% [markdown]
# - `unstable`: how many tokens at the end of a prompt are others once the text goes on;
#   `"say "`, then `"the"`: $1$, the blank, which is now part of ` the`.
# - `formats`: how many tokens a value costs as JSON with an indent of 2, as JSON
#   without any blanks, and as YAML, by `as_yaml` below.
# - `never_seen`: the ids of the vocabulary, sorted, that are not among the ids of a
#   text. A model trained on that text has never met them.

# %%
def as_yaml(value: object, indent: str = "") -> str:
    """A dict of texts, numbers and further dicts as YAML, a line each."""
    lines = []
    for key, held in value.items():
        if isinstance(held, dict):
            lines += [f"{indent}{key}:", as_yaml(held, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {held}")
    return "\n".join(lines)


# %% exercise="tokenizer.artifacts" minutes=35 difficulty=3
def pieces(tokenizer: BasicTokenizer, text: str) -> list[bytes]:
    """The bytes of each token of a text."""
    # TODO
    ### BEGIN SOLUTION
    return [tokenizer.vocab[i] for i in tokenizer.encode(text)]
    ### END SOLUTION


def letters_alone(tokenizer: BasicTokenizer, text: str) -> float:
    """The share of the letters A-Z, a-z that have no other letter in their token."""
    # TODO: bytes([byte]).isalpha() is true of these letters alone
    ### BEGIN SOLUTION
    found = [
        sum(bytes([byte]).isalpha() for byte in piece)
        for piece in pieces(tokenizer, text)
    ]
    return found.count(1) / sum(found)
    ### END SOLUTION


def kept_in_reverse(tokenizer: BasicTokenizer, word: str) -> float:
    """The share of a word's tokens that the reversed word has as well."""
    # TODO: a token that is in both twice counts twice
    ### BEGIN SOLUTION
    there, back = (Counter(tokenizer.encode(w)) for w in (word, word[::-1]))
    return (there & back).total() / there.total()
    ### END SOLUTION


def number_cuts(
    tokenizer: BasicTokenizer, numbers: Iterable[int]
) -> Counter[tuple[int, ...]]:
    """How often numbers are cut in which way: (1, 2) is one digit, then two."""
    # TODO
    ### BEGIN SOLUTION
    cuts = Counter()
    for number in numbers:
        cuts[tuple(map(len, pieces(tokenizer, str(number))))] += 1
    return cuts
    ### END SOLUTION

# %% exercise="tokenizer.artifacts"
def blank_share(tokenizer: BasicTokenizer, text: str) -> float:
    """The share of a text's tokens that are nothing but white space."""
    # TODO
    ### BEGIN SOLUTION
    found = pieces(tokenizer, text)
    return sum(piece.isspace() for piece in found) / len(found)
    ### END SOLUTION


def unstable(tokenizer: BasicTokenizer, prompt: str, rest: str) -> int:
    """How many tokens at the end of the prompt are others once the rest follows."""
    # TODO: how far do the ids of both agree, from the left?
    ### BEGIN SOLUTION
    alone, whole = tokenizer.encode(prompt), tokenizer.encode(prompt + rest)
    agree = 0
    for one, other in zip(alone, whole, strict=False):
        if one != other:
            break
        agree += 1
    return len(alone) - agree
    ### END SOLUTION


def formats(tokenizer: BasicTokenizer, value: dict) -> dict[str, int]:
    """The tokens of a value: "json" (indented), "compact json" and "yaml"."""
    # TODO: json.dumps, twice; as_yaml
    ### BEGIN SOLUTION
    written = {
        "json": json.dumps(value, indent=2),
        "compact json": json.dumps(value, separators=(",", ":")),
        "yaml": as_yaml(value),
    }
    return {name: len(tokenizer.encode(text)) for name, text in written.items()}
    ### END SOLUTION


def never_seen(tokenizer: BasicTokenizer, text: str) -> list[int]:
    """The ids of the vocabulary that are not among the ids of a text, sorted."""
    # TODO
    ### BEGIN SOLUTION
    return sorted(tokenizer.vocab.keys() - set(tokenizer.encode(text)))
    ### END SOLUTION

# %%
check("tokenizer.artifacts", pieces, letters_alone, kept_in_reverse, number_cuts,
      blank_share, unstable, formats, never_seen)

# %% [markdown] tags=["hint"]
# All of them begin with `encode`. Which of them look at the ids, and which at the bytes
# that the ids stand for?

# %% [markdown] tags=["hint"]
# `tokenizer.vocab[i]` is the bytes of an id. `bytes` has `isspace` and `isalpha`, and
# a loop over it gives numbers. Two `Counter`s have a common part, `a & b`, and a
# `total()`. What `unstable` asks is how long the common beginning of two lists is.

# %% [markdown] tags=["hint"]
# `sum(piece.____() for piece in found) / ____`; `len(alone) - ____`;
# `json.dumps(value, separators=(____, ____))`;
# `sorted(tokenizer.vocab.keys() - ____)`.

# %% [markdown] tags=["solution"]
# **Why.** Letters inside a token can only be known by heart, so spelling and
# reversing are memory tests; write the letters apart, and each is a token. Digits cut
# as $(1, 2)$ in one number and $(2, 1)$ in the next have no columns to add. A token for
# each blank fills a context with nothing. A prompt that ends in a blank ends in a
# token that hardly ever stood before a word in training: there the blank belonged to
# the word.

# %% [markdown] tags=["solution"]
# A token that the tokenizer's text has but the model's text has not keeps the
# random vector that it started with: a model that is asked for it says anything. That
# a token's letters are somewhere in a text is not enough: most of `" th"` is used up
# inside `" the"`.

# %% [markdown]
# The same numbers for GPT-2's and GPT-4's tokenizers, where their files are at hand:
# take the `#` away.

# %%
def artifacts(tokenizer: BasicTokenizer) -> None:
    """What these functions say of a tokenizer."""
    code = "def f(x):\n        if x:\n                return 1\n"
    value = {"name": "Ada", "born": 1815, "home": {"town": "London", "rooms": 3}}
    print("letters alone ", f"{letters_alone(tokenizer, ' strawberry'):.2f}", end=", ")
    print("written apart", f"{letters_alone(tokenizer, 's t r a w b'):.2f}")
    print("reversed      ", f"{kept_in_reverse(tokenizer, 'strawberry'):.2f}")
    print("four digits   ", dict(number_cuts(tokenizer, range(1000, 10_000))))
    print("blanks in code", f"{blank_share(tokenizer, code):.2f}")
    print("unstable      ", unstable(tokenizer, "Our new shop is ", "called"))
    print("formats       ", formats(tokenizer, value))
    print("never seen    ", len(never_seen(tokenizer, data.play()[:50_000])))


# %%
def artifacts_of_gpt() -> None:
    """GPT-2's tokenizer, then GPT-4's."""
    for name, pattern in (("r50k", GPT2_SPLIT_PATTERN), ("cl100k", GPT4_SPLIT_PATTERN)):
        ranks = read_ranks(data.path(f"{name}_base"))
        print(name)
        artifacts(GPT4Tokenizer(ranks, pattern))


# artifacts_of_gpt()

# %% [markdown]
# ## fast_train
#
# `train` counts all pairs of all chunks again for each merge. But a merge changes few
# chunks, and most chunks are repeated: count each *distinct* chunk once, times how
# often it comes, and keep the counts up to date. `Tally` holds them, and `where` each
# pair stands.

# %% [markdown]
# `fast_train` must find the very merges of `train`, in the same order: of equally
# common pairs the one seen first in the text *as it is now* wins. In `"ab cd ab cd"`
# both `ab` and `cd` come twice, and `ab` is first: `(97, 98)`. As in `train`, a
# `vocab_size` below 256 is a `ValueError`. Its speed is checked, too: at most a quarter
# of the time that the plain loop takes.

# %%
def quick_split(text: str, pattern: str) -> list[str]:
    """The chunks of regex_split, by findall where that finds the whole text."""
    ready = regex.compile(pattern)
    # not concurrent: without a step aside for other threads at each match
    chunks = [] if ready.groups else ready.findall(text, concurrent=False)
    whole = all(chunks) and len("".join(chunks)) == len(text)
    return chunks if whole else regex_split(text, pattern)


def quick_utf8(text: str) -> bytes:
    """The bytes of utf8, by Python where all of them are ASCII."""
    return text.encode() if text.isascii() else bytes(utf8(text))

# %%
def merge_by_scan(ids: Sequence[int], merges: dict[tuple[int, int], int]) -> list[int]:
    """All merges in a few ids, one by one: the lowest rank, and the first of equals."""
    ids, rank_of, never = [*ids, None], merges.get, 1 << 60  # above all ranks
    ranks = [rank_of(pair, never) for pair in pairwise(ids)] + [never]
    while (rank := min(ranks)) < never:
        i = ranks.index(rank)
        ids[i] = rank
        del ids[i + 1], ranks[i]
        ranks[i - 1] = rank_of((ids[i - 1], rank), never)  # i is 0: of None
        ranks[i] = rank_of((rank, ids[i + 1]), never)
    return ids[:-1]

# %% exercise="tokenizer.fast_train" minutes=45 difficulty=5
class Tally:
    """How often each pair stands in some chunks, and in which of them."""

    def __init__(self, chunks: list[list[int]], times: list[int]) -> None:
        self.chunks, self.times = chunks, times  # chunk i comes times[i] times
        self.counts: Counter[tuple[int, int]] = Counter()
        self.where: dict[tuple[int, int], set[int]] = defaultdict(set)
        for i in range(len(chunks)):
            self.count(i, 1)

    def count(self, i: int, sign: int) -> None:
        """Count the pairs of chunk i in, with sign 1, or out, with sign -1."""
        # TODO: counts and where; a pair that is nowhere goes from counts
        ### BEGIN SOLUTION
        for pair in pairwise(self.chunks[i]):
            self.counts[pair] += sign * self.times[i]
            if sign > 0:
                self.where[pair].add(i)
            else:
                self.where[pair].discard(i)
            if not self.counts[pair]:
                del self.counts[pair]
        ### END SOLUTION

    def commonest(self) -> tuple[int, int]:
        """The pair of the highest count; among several the one that is seen first."""
        # TODO: the first chunk that has it, and the place in there
        ### BEGIN SOLUTION
        best = max(self.counts.values())
        tied = [pair for pair, n in self.counts.items() if n == best]
        return min(tied, key=self._first) if len(tied) > 1 else tied[0]

    def _first(self, pair: tuple[int, int]) -> tuple[int, int]:
        """Where a pair is seen first: the chunk, and the place in it."""
        i = min(self.where[pair])
        return i, list(pairwise(self.chunks[i])).index(pair)
        ### END SOLUTION


def fast_train(
    text: str, vocab_size: int, pattern: str | None = None
) -> RegexTokenizer:
    """RegexTokenizer(pattern) trained on a text, with the merges that train finds."""
    # TODO: the distinct chunks in a Tally; then merge by merge
    ### BEGIN SOLUTION
    if vocab_size < 256:
        raise ValueError("there are 256 bytes")
    tokenizer = RegexTokenizer(pattern)
    times = Counter(regex_split(text, tokenizer.pattern))
    tally = Tally([utf8(chunk) for chunk in times], list(times.values()))
    for idx in range(256, vocab_size):
        if not tally.counts:
            break
        a, b = pair = tally.commonest()
        for i in list(tally.where[pair]):
            tally.count(i, -1)
            tally.chunks[i] = merge(tally.chunks[i], pair, idx)
            tally.count(i, 1)
        tokenizer.merges[pair] = idx
        tokenizer.vocab[idx] = tokenizer.vocab[a] + tokenizer.vocab[b]
    return tokenizer
    ### END SOLUTION

# %% [markdown]
# Encoding has the same waste: the same chunks again and again. And a long chunk, a
# million letters without a blank, makes `encode` look at all of it for each merge. A
# *heap* gives the lowest of many ranks without a look at the others: `heapq.heappush`
# puts in, `heappop` takes out the smallest. Cutting, UTF-8 and the heap have their
# price as well: `quick_split` and `quick_utf8` above give the same in less time, and so
# does `merge_by_scan` in a few ids.

# %% exercise="tokenizer.fast_train"
def merge_by_heap(ids: Sequence[int], merges: dict[tuple[int, int], int]) -> list[int]:
    """As merge_by_scan, for many ids: lowest rank first, from the left among equals."""
    n = len(ids)
    ids = [*ids, None]  # no token: it stands at both ends, at place n and at -1
    before, after = [*range(-1, n)], [*range(1, n + 1), n]  # the places beside each
    # TODO: a heap of (rank, place) of known pairs. A pair that is taken out may be gone
    # by then; else its first place gets the new id, its second None, and
    # the new neighbours may be known pairs, too
    ### BEGIN SOLUTION
    rank_of = merges.get
    ranks = enumerate(map(rank_of, pairwise(ids)))
    heap = [(rank, i) for i, rank in ranks if rank is not None]
    heapq.heapify(heap)
    while heap:
        rank, i = heapq.heappop(heap)
        j = after[i]
        if rank_of((ids[i], ids[j])) == rank:  # else it is gone
            ids[i], ids[j], after[i] = rank, None, after[j]
            before[after[i]] = i
            for k in (before[i], i):
                new = rank_of((ids[k], ids[after[k]]))
                if new is not None:
                    heapq.heappush(heap, (new, k))
    return [i for i in ids if i is not None]
    ### END SOLUTION


def fast_encode(tokenizer: RegexTokenizer, text: str) -> list[int]:
    """As tokenizer.encode_ordinary, surrogates aside; each distinct chunk once."""
    shuffle = getattr(tokenizer, "byte_shuffle", range(256))  # the id of each byte
    start = bytes(shuffle[byte] for byte in range(256))
    # TODO: a dict of the chunks that are known. The first ids of the others are
    # quick_utf8(chunk).translate(start): below 20 of them by scan, else by heap
    ### BEGIN SOLUTION
    known, ids = {}, []
    for chunk in quick_split(text, tokenizer.pattern):
        if chunk not in known:
            first = quick_utf8(chunk).translate(start)
            merge_all = merge_by_scan if len(first) < 20 else merge_by_heap
            known[chunk] = merge_all(first, tokenizer.merges)
        ids += known[chunk]
    return ids
    ### END SOLUTION

# %%
check("tokenizer.fast_train", fast_train, fast_encode)

# %% [markdown] tags=["hint"]
# `train` cuts the text, counts, takes the commonest pair, merges. Which of these four
# would give the same for most chunks as the time before?

# %% [markdown] tags=["hint"]
# A chunk whose pairs change: count all its pairs out, merge, count all of them in.
# `where[pair]` has the chunks to visit; it changes while you visit, so go through a
# copy. Chunks are numbered in the order in which the text first has them, so the
# smallest number in `where[pair]` is where a pair is seen first.

# %% [markdown] tags=["hint"]
# `min(tied, key=lambda pair: (min(self.where[pair]), ____))`. In the heap:
# `if merges.get((ids[i], ids[after[i]])) == ____`, and the new pairs begin at
# `before[i]` and at `____`.

# %% [markdown] tags=["solution"]
# **Why.** A merge visits only the chunks that have its pair, and every visit makes a
# chunk shorter, so all visits together are fewer than the bytes of the distinct
# chunks. The order of the dictionary is no help with ties: it tells which pair was seen
# first *ever*, also many merges ago. Where a pair stands first now is asked for those
# that are tied. Another choice among equals is no worse a tokenizer, but its ids mean
# something else.

# %% [markdown] tags=["solution"]
# The heap keeps what is out of date and notices when it comes up: a place whose pair no
# longer has the rank that was noted is skipped. Equal ranks come out by place, so from
# the left, as `merge` goes. New pairs always have a higher rank than the one that made
# them, so nothing that came out has to be taken back.

# %% [markdown] tags=["solution"]
# Merges that nobody trained may break this: with `(97, 98)` as 257 and `(257, 97)` as
# 256, `encode` makes other ids of `abab`. And in some ten bytes, as most chunks have,
# to fill a heap takes longer than to look.

# %% [markdown]
# Both beside the plain loops, the same text, in turn. With these sizes it takes about
# a minute: take the `#` away.

# %%
def timed(make: Callable[[], object]) -> tuple[float, object]:
    """The CPU seconds that something takes, and what comes of it."""
    began = time.process_time()
    made = make()
    return time.process_time() - began, made


def faster(characters: int = 200_000, vocab_size: int = 512) -> None:
    """How many times as fast, and whether the results are the same."""
    sample, plain = data.play()[:characters], RegexTokenizer()
    slow, _ = timed(lambda: plain.train(sample, vocab_size))
    fast, ours = timed(lambda: fast_train(sample, vocab_size))
    same = list(plain.merges.items()) == list(ours.merges.items())
    print(f"train  {slow:.1f} s, {fast:.2f} s: {slow / fast:.0f} times, same {same}")
    slow, ids = timed(lambda: plain.encode_ordinary(sample))
    fast, mine = timed(lambda: fast_encode(plain, sample))
    print(f"encode {slow:.1f} s, {fast:.2f} s: {slow / fast:.0f} times, "
          f"same {ids == mine}")


# faster()

# %% [markdown]
# ## codepoint_bpe
#
# sentencepiece, which made the tokenizer of Llama 2, merges *characters*: Unicode code
# points. The commonest of them get ids, as few as make up `character_coverage` of the
# text; a rare one falls back to its UTF-8 bytes. So the vocabulary has 256 bytes, then
# the characters by how often they come (among equals, the one seen first), then
# merges. With a coverage of $0.75$ and `dummy_prefix=False`, `aabc` has the characters
# `a` as 256 and `b` as 257, and `c` is byte 99: `[256, 256, 257, 99]`.

# %% [markdown]
# No pair is merged that has a byte in it, and none across the beginning of a word;
# `SPACED_WORD` cuts at each space. With `dummy_prefix` a text that is not empty gets a
# space in front, in training and in `encode`, so that a word has the same ids at the
# beginning of a text as later; `decode` takes it away again. The prefix comes first:
# it counts for coverage, too.

# %% exercise="tokenizer.codepoint_bpe" minutes=40 difficulty=4
SPACED_WORD = r" ?[^ ]+| "


class CodePointTokenizer:
    """BPE over characters, with bytes in place of the rare ones, as in sentencepiece.

    Kudo and Richardson (2018): https://arxiv.org/abs/1808.06226
    """

    def __init__(
        self, character_coverage: float = 0.9995, dummy_prefix: bool = True
    ) -> None:
        self.character_coverage, self.dummy_prefix = character_coverage, dummy_prefix
        self.characters: dict[str, int] = {}
        self.merges: dict[tuple[int, int], int] = {}
        self.vocab = {byte: bytes([byte]) for byte in range(256)}

    def words(self, text: str) -> list[str]:
        """The words of a text, each with the space before it."""
        prefix = " " if self.dummy_prefix and text else ""
        return regex.findall(SPACED_WORD, prefix + text)

    def covered(self, text: str) -> list[str]:
        """The commonest characters, as few as make up the share to be covered."""
        # TODO: Counter(text).most_common() has the order, ties included
        ### BEGIN SOLUTION
        kept, total = [], 0
        for char, times in Counter(text).most_common():
            if total >= self.character_coverage * len(text):
                break
            kept.append(char)
            total += times
        return kept
        ### END SOLUTION

    def first_ids(self, text: str) -> list[int]:
        """The ids of characters, or of their bytes where they are not covered."""
        # TODO: self.characters, utf8
        ### BEGIN SOLUTION
        ids = []
        for char in text:
            ids += [self.characters[char]] if char in self.characters else utf8(char)
        return ids
        ### END SOLUTION

# %% exercise="tokenizer.codepoint_bpe"
@add_to(CodePointTokenizer)
def begin(self, words: list[str], vocab_size: int) -> None:
    """Characters, and vocab: bytes and characters. ValueError: there is no room."""
    # TODO: characters, vocab; no merges yet
    ### BEGIN SOLUTION
    kept = self.covered("".join(words))
    self.characters = {char: 256 + i for i, char in enumerate(kept)}
    self.merges, self.vocab = {}, {byte: bytes([byte]) for byte in range(256)}
    self.vocab |= {i: bytes(utf8(char)) for char, i in self.characters.items()}
    if vocab_size < len(self.vocab):
        raise ValueError(f"Bytes and characters are {len(self.vocab)} tokens.")
    ### END SOLUTION


@add_to(CodePointTokenizer)
def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
    """Learn characters and merges, with the bytes vocab_size tokens at most."""
    # TODO: words, begin; then as RegexTokenizer, but for pairs with a byte
    ### BEGIN SOLUTION
    words = self.words(text)
    self.begin(words, vocab_size)
    chunks = [self.first_ids(word) for word in words]
    for idx in range(len(self.vocab), vocab_size):
        counts: dict[tuple[int, int], int] = {}
        for chunk in chunks:
            pair_counts(chunk, counts)
        counts = {pair: n for pair, n in counts.items() if min(pair) >= 256}
        if not counts:
            break
        a, b = pair = max(counts, key=lambda pair: counts[pair])
        chunks = [merge(chunk, pair, idx) for chunk in chunks]
        self.merges[pair], self.vocab[idx] = idx, self.vocab[a] + self.vocab[b]
    ### END SOLUTION

# %% exercise="tokenizer.codepoint_bpe"
@add_to(CodePointTokenizer)
def encode(self, text: str) -> list[int]:
    """The ids of a text."""
    # TODO: word by word, lowest rank first
    ### BEGIN SOLUTION
    ids = []
    for word in self.words(text):
        part = self.first_ids(word)
        while known := self.merges.keys() & pairwise(part):
            pair = min(known, key=self.merges.get)
            part = merge(part, pair, self.merges[pair])
        ids += part
    return ids
    ### END SOLUTION


@add_to(CodePointTokenizer)
def decode(self, ids: Iterable[int]) -> str:
    """The text, without the dummy prefix; U+FFFD for what is no UTF-8."""
    # TODO
    ### BEGIN SOLUTION
    text = b"".join(self.vocab[i] for i in ids).decode("utf-8", errors="replace")
    return text[1:] if self.dummy_prefix and text.startswith(" ") else text
    ### END SOLUTION

# %%
check("tokenizer.codepoint_bpe", CodePointTokenizer)

# %% [markdown] tags=["hint"]
# What was a byte in `RegexTokenizer` is a character here, if it is common enough.
# Where do the 256 bytes still come in, for encoding and for decoding?

# %% [markdown] tags=["hint"]
# Keep characters while those before do not yet make up the share. A character that is
# not kept adds `utf8(char)` to the ids. Counting pairs is as before; then leave out
# the pairs in which the smaller id is a byte's. For `decode` an id is some bytes,
# whatever it was made of: join all of them first.

# %% [markdown] tags=["hint"]
# `if total >= ____ * len(text): break`;
# `ids += [self.characters[char]] if ____ else utf8(char)`;
# `{pair: n for pair, n in counts.items() if min(pair) >= ____}`.

# %% [markdown] tags=["solution"]
# **Why.** A Korean or Chinese text begins at one id a character instead of three, and
# no token can end in the middle of a character, unless it is a rare one. The price is
# a vocabulary that begins with thousands of characters. Without the fallback a rare
# character would be `<unk>`, and lost: `decode` could not bring it back. Coverage
# counts *occurrences*, so the many characters that come once are what falls to bytes.

# %% [markdown] tags=["solution"]
# The dummy prefix makes `the` at the beginning and in the middle of a text one token
# instead of two. It is why Llama 2's tokens of a text's parts do not add up to
# those of the text.

# %% [markdown]
# How many tokens does a Korean sentence take, in bytes and in characters? Take the `#`
# away.

# %%
def korean() -> None:
    """The tokens of a sentence, before any merge and after some."""
    sentence = "모든 인간은 자유롭고 평등하게 태어났다. "
    points = CodePointTokenizer(character_coverage=0.95)
    points.train(sentence * 3, 300)
    print(len(utf8(sentence)), "bytes,", len(sentence), "characters,", end=" ")
    print(len(points.encode(sentence)), "tokens of", len(points.vocab))
    print("é:", points.encode("é"))


# korean()
