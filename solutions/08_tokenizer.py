# %% [markdown]
# # 8 · GPT tokenizer: exercises
#
# You build the tokenizer of GPT-4 from bytes up: text to bytes, pairs to tokens,
# chunks, special tokens, a file; then you make it fast. Each exercise is a cell with a
# `TODO` and a check under it. `hint("…")` goes deeper each time you run it;
# `solution("…")` asks once, then shows an answer.

# %%
import json
import math
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import regex

from workbook import add_to, check, hint, solution

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

# %% [markdown]
# The start of the class is given. `restart` forgets what an earlier training learned;
# `learn` notes one merge.

# %% exercise="tokenizer.train" minutes=20 difficulty=3
class BasicTokenizer:
    """Byte pair encoding of whole texts, on bytes.

    Sennrich, Haddow and Birch (2016), algorithm 1: https://arxiv.org/abs/1508.07909.
    merges: (id, id) to id, in the order learned. vocab: id to bytes.
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
        self.merges: dict[tuple[int, int], int] = {}
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
    """The text of these ids; U+FFFD for what is no UTF-8. ValueError: unknown id."""
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
# In `"hi you hi you"` the pair `i`, space is no longer counted: with four chunks the
# first merge is `(104, 105)`, which is `hi`.

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
# yours. A file of another kind is a `ValueError`, and so is one of the other class: a
# `BasicTokenizer`'s has no pattern. Both inherit these methods; the check asks both.

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
check("tokenizer.save_load", RegexTokenizer)

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
