# ---
# jupyter:
#   made: from solutions/08_tokenizer.py by `make exercises`; edit that, not this
# ---

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
# With `verbose` each merge is printed.

# %% [markdown]
# The start of the class is given. `restart` forgets what an earlier training learned;
# `learn` notes one merge.

# %% exercise="tokenizer.train"
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
    """The text of ids; U+FFFD for what is no UTF-8. ValueError: an unknown id."""
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
# Keep it in `self.pattern` alone: `load` will set that later on.
# From `"hi you hi you"`, four chunks, it learns `hi`, then a space with `y`; a
# `BasicTokenizer` learns `hi`, then `hi` with a space.

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
# yours. A file of another kind is a `ValueError`, and so is one of the other class:
# `pattern` is `None` in a `BasicTokenizer`. A `RegexTokenizer` inherits both methods,
# and the check tries them in both classes.

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
check("tokenizer.save_load", BasicTokenizer)

# %% [markdown]
# ## gpt4_tokenizer
#
# *35 min · ●●●●○*
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

# %% exercise="tokenizer.gpt4_tokenizer"
def read_ranks(path: str | Path) -> dict[bytes, int]:
    """The rank of each token in a .tiktoken file."""
    # TODO: a line has the token in base64, a space, and the rank
    raise NotImplementedError("TODO tokenizer.gpt4_tokenizer")


def parts_below(token: bytes, ranks: dict[bytes, int], limit: int) -> list[bytes]:
    """What BPE makes of the bytes of a token with the ranks below a limit."""
    # TODO: join the two neighbours of lowest rank, as long as it is below the limit
    raise NotImplementedError("TODO tokenizer.gpt4_tokenizer")


def recover_merges(ranks: dict[bytes, int]) -> dict[tuple[int, int], int]:
    """The pair of ranks that each token of two bytes or more was made from."""
    # TODO: in the order of the ranks
    raise NotImplementedError("TODO tokenizer.gpt4_tokenizer")

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
        raise NotImplementedError("TODO tokenizer.gpt4_tokenizer")

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text in which no special token is looked for."""
        # tiktoken makes one character of two surrogates that belong together
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        # TODO: as in RegexTokenizer, but a byte begins as its rank
        raise NotImplementedError("TODO tokenizer.gpt4_tokenizer")

    def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
        """ValueError: a published tokenizer has been trained."""
        raise ValueError("This tokenizer has been trained.")

    def save(self, prefix: str) -> None:
        """ValueError: what save writes could not hold the order of the bytes."""
        raise ValueError("Keep the file of its ranks.")

# %%
check("tokenizer.gpt4_tokenizer", read_ranks, recover_merges, GPT4Tokenizer)

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
# *15 min · ●●○○○*
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

# %% exercise="tokenizer.compression"
def bytes_per_token(tokenizer: BasicTokenizer, text: str) -> float:
    """How many bytes of UTF-8 a token of this text stands for, on average."""
    # TODO
    raise NotImplementedError("TODO tokenizer.compression")


def cut(tokenizer: BasicTokenizer, vocab_size: int) -> BasicTokenizer:
    """A copy of the tokenizer as it was at this many tokens, without special ones."""
    # TODO: its first merges, and the vocab that belongs to them
    raise NotImplementedError("TODO tokenizer.compression")


def premium(
    tokenizer: BasicTokenizer, texts: dict[str, str], base: str = "English"
) -> dict[str, float]:
    """The tokens of each text as a multiple of the base's, by the same keys.

    Petrov et al. (2023), section 3: https://arxiv.org/abs/2305.15425
    """
    # TODO
    raise NotImplementedError("TODO tokenizer.compression")


def bits_per_byte(loss: float, tokenizer: BasicTokenizer, text: str) -> float:
    """A mean loss in nats a token, as bits a byte of this text."""
    # TODO
    raise NotImplementedError("TODO tokenizer.compression")

# %%
check("tokenizer.compression", bytes_per_token, cut, premium, bits_per_byte)

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
# *35 min · ●●●○○*
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

# %% exercise="tokenizer.artifacts"
def pieces(tokenizer: BasicTokenizer, text: str) -> list[bytes]:
    """The bytes of each token of a text."""
    # TODO
    raise NotImplementedError("TODO tokenizer.artifacts")


def letters_alone(tokenizer: BasicTokenizer, text: str) -> float:
    """The share of the letters A-Z, a-z that have no other letter in their token."""
    # TODO: bytes([byte]).isalpha() is true of these letters alone
    raise NotImplementedError("TODO tokenizer.artifacts")


def kept_in_reverse(tokenizer: BasicTokenizer, word: str) -> float:
    """The share of a word's tokens that the reversed word has as well."""
    # TODO: a token that is in both twice counts twice
    raise NotImplementedError("TODO tokenizer.artifacts")


def number_cuts(
    tokenizer: BasicTokenizer, numbers: Iterable[int]
) -> Counter[tuple[int, ...]]:
    """How often numbers are cut in which way: (1, 2) is one digit, then two."""
    # TODO
    raise NotImplementedError("TODO tokenizer.artifacts")

# %% exercise="tokenizer.artifacts"
def blank_share(tokenizer: BasicTokenizer, text: str) -> float:
    """The share of a text's tokens that are nothing but white space."""
    # TODO
    raise NotImplementedError("TODO tokenizer.artifacts")


def unstable(tokenizer: BasicTokenizer, prompt: str, rest: str) -> int:
    """How many tokens at the end of the prompt are others once the rest follows."""
    # TODO: how far do the ids of both agree, from the left?
    raise NotImplementedError("TODO tokenizer.artifacts")


def formats(tokenizer: BasicTokenizer, value: dict) -> dict[str, int]:
    """The tokens of a value: "json" (indented), "compact json" and "yaml"."""
    # TODO: json.dumps, twice; as_yaml
    raise NotImplementedError("TODO tokenizer.artifacts")


def never_seen(tokenizer: BasicTokenizer, text: str) -> list[int]:
    """The ids of the vocabulary that are not among the ids of a text, sorted."""
    # TODO
    raise NotImplementedError("TODO tokenizer.artifacts")

# %%
check("tokenizer.artifacts", pieces, letters_alone, kept_in_reverse, number_cuts,
      blank_share, unstable, formats, never_seen)

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
# *45 min · ●●●●●*
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

# %% exercise="tokenizer.fast_train"
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
        raise NotImplementedError("TODO tokenizer.fast_train")

    def commonest(self) -> tuple[int, int]:
        """The pair of the highest count; among several the one that is seen first."""
        # TODO: the first chunk that has it, and the place in there
        raise NotImplementedError("TODO tokenizer.fast_train")


def fast_train(
    text: str, vocab_size: int, pattern: str | None = None
) -> RegexTokenizer:
    """RegexTokenizer(pattern) trained on a text, with the merges that train finds."""
    # TODO: the distinct chunks in a Tally; then merge by merge
    raise NotImplementedError("TODO tokenizer.fast_train")

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
    raise NotImplementedError("TODO tokenizer.fast_train")


def fast_encode(tokenizer: RegexTokenizer, text: str) -> list[int]:
    """As tokenizer.encode_ordinary, surrogates aside; each distinct chunk once."""
    shuffle = getattr(tokenizer, "byte_shuffle", range(256))  # the id of each byte
    start = bytes(shuffle[byte] for byte in range(256))
    # TODO: a dict of the chunks that are known. The first ids of the others are
    # quick_utf8(chunk).translate(start): below 20 of them by scan, else by heap
    raise NotImplementedError("TODO tokenizer.fast_train")

# %%
check("tokenizer.fast_train", fast_train, fast_encode)

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
# *40 min · ●●●●○*
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

# %% exercise="tokenizer.codepoint_bpe"
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
        raise NotImplementedError("TODO tokenizer.codepoint_bpe")

    def first_ids(self, text: str) -> list[int]:
        """The ids of characters, or of their bytes where they are not covered."""
        # TODO: self.characters, utf8
        raise NotImplementedError("TODO tokenizer.codepoint_bpe")

# %% exercise="tokenizer.codepoint_bpe"
@add_to(CodePointTokenizer)
def begin(self, words: list[str], vocab_size: int) -> None:
    """Characters, and vocab: bytes and characters. ValueError: there is no room."""
    # TODO: characters, vocab; no merges yet
    raise NotImplementedError("TODO tokenizer.codepoint_bpe")


@add_to(CodePointTokenizer)
def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
    """Learn characters and merges, with the bytes vocab_size tokens at most."""
    # TODO: words, begin; then as RegexTokenizer, but for pairs with a byte
    raise NotImplementedError("TODO tokenizer.codepoint_bpe")

# %% exercise="tokenizer.codepoint_bpe"
@add_to(CodePointTokenizer)
def encode(self, text: str) -> list[int]:
    """The ids of a text."""
    # TODO: word by word, lowest rank first
    raise NotImplementedError("TODO tokenizer.codepoint_bpe")


@add_to(CodePointTokenizer)
def decode(self, ids: Iterable[int]) -> str:
    """The text, without the dummy prefix; U+FFFD for what is no UTF-8."""
    # TODO
    raise NotImplementedError("TODO tokenizer.codepoint_bpe")

# %%
check("tokenizer.codepoint_bpe", CodePointTokenizer)

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
