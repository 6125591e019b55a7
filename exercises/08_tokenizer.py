# ---
# jupyter:
#   made: from solutions/08_tokenizer.py by `make exercises`; edit that, not this
# ---

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
# *15 min · ●●○○○*
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

# %% exercise="tokenizer.utf8"
def utf8(text: str) -> list[int]:
    """The bytes of a text in UTF-8 (RFC 3629); U+FFFD stands for a surrogate."""
    # TODO: ord, then shifts (>>), masks (&) and leading bits (|)
    raise NotImplementedError("TODO tokenizer.utf8")

# %%
check("tokenizer.utf8", utf8)

# %% [markdown]
# ## pair_counts
#
# *8 min · ●○○○○*
#
# Which two neighbours stand side by side most often? Count them all: in
# `[1, 2, 3, 1, 2]` the pair `(1, 2)` twice, `(2, 3)` and `(3, 1)` once. The dict lists
# the pairs in the order in which they first come. In `[7, 7, 7]` the pair `(7, 7)`
# stands twice. Where a dict `counts` is given, add to that very dict, so that several
# texts can be counted together.

# %% exercise="tokenizer.pair_counts"
def pair_counts(
    ids: Iterable[int], counts: dict[tuple[int, int], int] | None = None
) -> dict[tuple[int, int], int]:
    """How often each pair of neighbours stands in ids; added to counts, if given."""
    # TODO: a new dict where none is given
    raise NotImplementedError("TODO tokenizer.pair_counts")

# %%
check("tokenizer.pair_counts", pair_counts)

# %% [markdown]
# ## merge
#
# *10 min · ●●○○○*
#
# Give a pair a token of its own: wherever the two stand side by side, put `idx` in
# their place. `merge([5, 6, 6, 7, 5, 6, 7], (6, 7), 99)` is `[5, 6, 99, 5, 99]`. Go
# from left to right, and never use an element twice: `[1, 1, 1]` with the pair `(1, 1)`
# becomes `[99, 1]`. The list that came in stays as it was.

# %% exercise="tokenizer.merge"
def merge(ids: Sequence[int], pair: tuple[int, int], idx: int) -> list[int]:
    """A new list: ids with idx in place of each pair, left to right, no overlap."""
    # TODO: one walk; how far does it go after a pair?
    raise NotImplementedError("TODO tokenizer.merge")

# %%
check("tokenizer.merge", merge)

# %% [markdown]
# ## train
#
# *20 min · ●●●○○*
#
# **Byte pair encoding**: turn the text into bytes; find the commonest pair; give it the
# next free number, $256$ at first; merge; repeat. `merges` has pair and number in the
# order learned, `vocab` the bytes of each token. `aaabdaaabac` with `vocab_size` $259$
# learns `(97, 97)`, `(256, 97)`, `(257, 98)`; token $258$ is `b"aaab"`. Of equally
# common pairs the one seen first in the text wins. Stop early where no pair is left.

# %% [markdown]
# The start of the class is given. `restart` forgets what an earlier training learned;
# `learn` notes one merge.

# %% exercise="tokenizer.train"
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
        raise NotImplementedError("TODO tokenizer.train")
        if verbose:
            print(f"{idx}: {pair} {self.vocab[idx]!r}")

    def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
        """Learn vocab_size - 256 merges from a text; fewer, where no pair is left."""
        # TODO: restart first; then count, choose, merge, learn, again and again
        raise NotImplementedError("TODO tokenizer.train")

# %%
check("tokenizer.train", BasicTokenizer)

# %% [markdown]
# ## decode
#
# *8 min · ●○○○○*
#
# From ids back to a text: join the bytes of all tokens, then read them as UTF-8. Not
# every row of ids is valid UTF-8, and a model may write any row. What cannot be read
# becomes U+FFFD, `�`, without an error: `decode([128])` is `"�"`. An id that is in no
# vocabulary is a `ValueError` whose text names the id.

# %% exercise="tokenizer.decode"
@add_to(BasicTokenizer)
def decode(self, ids: Iterable[int]) -> str:
    """The text of these ids; U+FFFD for what is no UTF-8. ValueError: unknown id."""
    # TODO: first all bytes, then one text
    raise NotImplementedError("TODO tokenizer.decode")

# %%
check("tokenizer.decode", BasicTokenizer)

# %% [markdown]
# ## encode
#
# *15 min · ●●●○○*
#
# Text to ids, with the merges that training learned and in *their* order: of all known
# pairs in the list, merge the one with the lowest number, everywhere; repeat until no
# known pair is left. With `ab` as $256$ and `bc` as $257$, `abcbc` is `[256, 99, 257]`:
# `ab` was learned first, although `bc` stands there twice. Texts of no or one byte
# work as well.

# %% exercise="tokenizer.encode"
@add_to(BasicTokenizer)
def encode(self, text: str) -> list[int]:
    """The ids of a text: what was learned first is merged first."""
    # TODO: utf8, then as long as there is a known pair: merge the oldest
    raise NotImplementedError("TODO tokenizer.encode")

# %%
check("tokenizer.encode", BasicTokenizer)

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
# *12 min · ●●○○○*
#
# `regex_split(text, pattern)` lists the chunks of a text: each match of the pattern,
# and whatever lies between two matches, in order. Nothing is lost: joined, the chunks
# are the text. `"you've 12 dogs"` with GPT-2's pattern gives
# `["you", "'ve", " 12", " dogs"]`; `"a-b"` with the pattern `[a-z]` gives
# `["a", "-", "b"]`. No chunk is empty. A pattern may have groups. The classes
# `\p{L}` (letters) and `\p{N}` (numerals) need the module `regex` in place of `re`.

# %% exercise="tokenizer.regex_split"
def regex_split(text: str, pattern: str) -> list[str]:
    """The matches of a pattern, and what lies between them; together the text."""
    # TODO: regex.finditer says where each match starts and ends
    raise NotImplementedError("TODO tokenizer.regex_split")

# %%
check("tokenizer.regex_split", regex_split)

# %% [markdown]
# ## regex_tokenizer
#
# *20 min · ●●●○○*
#
# A `RegexTokenizer` is a `BasicTokenizer` that never merges across chunks. Training
# counts the pairs of all chunks together and merges in each. `encode_ordinary` encodes
# chunk by chunk and joins the ids. `pattern` may be any; GPT-4's where none is given.
# In `"hi you hi you"` the pair `i`, space is no longer counted: with four chunks the
# first merge is `(104, 105)`, which is `hi`.

# %% exercise="tokenizer.regex_tokenizer"
class RegexTokenizer(BasicTokenizer):
    """Byte pair encoding within the chunks of a text.

    Radford et al. (2019), section 2.2, keep categories of characters apart so.
    """

    def __init__(self, pattern: str | None = None) -> None:
        super().__init__()
        # TODO: self.pattern
        raise NotImplementedError("TODO tokenizer.regex_tokenizer")

    def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
        """Learn vocab_size - 256 merges within chunks; fewer, where no pair is left."""
        # TODO: as before, with a list of ids for each chunk
        raise NotImplementedError("TODO tokenizer.regex_tokenizer")

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text, chunk by chunk; it knows no special tokens."""
        # TODO: BasicTokenizer.encode(self, chunk) has the ids of one chunk
        raise NotImplementedError("TODO tokenizer.regex_tokenizer")

    def encode(self, text: str) -> list[int]:
        """The same; a later exercise adds special tokens."""
        return self.encode_ordinary(text)

# %%
check("tokenizer.regex_tokenizer", RegexTokenizer)

# %% [markdown]
# ## special_tokens
#
# *25 min · ●●●●○*
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

# %% exercise="tokenizer.special_tokens"
@add_to(RegexTokenizer)
def register_special_tokens(self, special_tokens: dict[str, int]) -> None:
    """Let these texts be tokens with these ids; those of before are gone."""
    # TODO: self.special_tokens and self.vocab; no ordinary token may be replaced
    raise NotImplementedError("TODO tokenizer.special_tokens")


@add_to(RegexTokenizer)
def encode(
    self, text: str, allowed_special: str | Collection[str] = "none_raise"
) -> list[int]:
    """The ids of a text. allowed_special: "all", "none", "none_raise" or a set."""
    # TODO: what is allowed? cut there, the longest first; ordinary text in between
    raise NotImplementedError("TODO tokenizer.special_tokens")

# %%
check("tokenizer.special_tokens", RegexTokenizer)

# %% [markdown]
# ## save_load
#
# *20 min · ●●●○○*
#
# `save("play")` writes two files: `play.model`, which `load` reads, and `play.vocab`,
# which people read, one line for each token. `load("play.model")` makes a tokenizer,
# new or used, the same as the saved one: merges, vocabulary, pattern, special tokens,
# whatever is in their texts (spaces, quotes, line ends). The form of the files is
# yours. A file of another kind is a `ValueError`, and so is one of the other class: a
# `BasicTokenizer`'s has no pattern. Both inherit these methods; the check asks both.

# %% exercise="tokenizer.save_load"
@add_to(BasicTokenizer)
def save(self, prefix: str | Path) -> None:
    """Write prefix.model, for load, and prefix.vocab, for people."""
    # TODO: json.dumps makes a text of dicts, lists, strings and numbers
    raise NotImplementedError("TODO tokenizer.save_load")


@add_to(BasicTokenizer)
def load(self, path: str | Path) -> None:
    """Become the tokenizer that was saved. ValueError: a file of another kind."""
    # TODO: read; restart; learn each merge again; then pattern and special tokens
    raise NotImplementedError("TODO tokenizer.save_load")

# %%
check("tokenizer.save_load", RegexTokenizer)
