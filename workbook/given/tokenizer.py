# Made from solutions/08_tokenizer.py by `make exercises`: edit that, not this.
"""GPT tokenizer.

BasicTokenizer, RegexTokenizer, GPT4Tokenizer, GPT2_SPLIT_PATTERN,
GPT4_SPLIT_PATTERN.

Written along Andrej Karpathy's lecture, https://youtu.be/zduSFxRajkE
"""

import json
import math
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import regex


def utf8(text: str) -> list[int]:
    """The bytes of a text in UTF-8 (RFC 3629); U+FFFD stands for a surrogate."""
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


def pair_counts(
    ids: Iterable[int], counts: dict[tuple[int, int], int] | None = None
) -> dict[tuple[int, int], int]:
    """How often each pair of neighbours stands in ids; added to counts, if given."""
    counts = {} if counts is None else counts
    for pair in pairwise(ids):
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def merge(ids: Sequence[int], pair: tuple[int, int], idx: int) -> list[int]:
    """A new list: ids with idx in place of each pair, left to right, no overlap."""
    out, i = [], 0
    while i < len(ids):
        if i + 1 < len(ids) and ids[i] == pair[0] and ids[i + 1] == pair[1]:
            out.append(idx)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


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
        self.merges[pair] = idx
        self.vocab[idx] = self.vocab[pair[0]] + self.vocab[pair[1]]
        if verbose:
            print(f"{idx}: {pair} {self.vocab[idx]!r}")

    def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
        """Learn vocab_size - 256 merges from a text; fewer, where no pair is left."""
        self.restart(vocab_size)
        ids = utf8(text)
        for idx in range(256, vocab_size):
            counts = pair_counts(ids)
            if not counts:
                break
            pair = max(counts, key=lambda pair: counts[pair])
            ids = merge(ids, pair, idx)
            self.learn(pair, idx, verbose)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these ids; U+FFFD for what is no UTF-8. ValueError: unknown id."""
        try:
            whole = b"".join(self.vocab[i] for i in ids)
        except KeyError as error:
            raise ValueError(f"There is no token {error.args[0]!r}.") from None
        return whole.decode("utf-8", errors="replace")

    def encode(self, text: str) -> list[int]:
        """The ids of a text: what was learned first is merged first."""
        ids = utf8(text)
        while len(ids) > 1:
            pair = min(
                pair_counts(ids), key=lambda pair: self.merges.get(pair, math.inf)
            )
            if pair not in self.merges:
                break
            ids = merge(ids, pair, self.merges[pair])
        return ids

    def save(self, prefix: str | Path) -> None:
        """Write prefix.model, for load, and prefix.vocab, for people."""
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

    def load(self, path: str | Path) -> None:
        """Become the tokenizer that was saved. ValueError: a file of another kind."""
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


def regex_split(text: str, pattern: str) -> list[str]:
    """The matches of a pattern, and what lies between them; together the text."""
    chunks, end = [], 0
    for match in regex.finditer(pattern, text):
        chunks += [text[end : match.start()], match.group()]
        end = match.end()
    chunks.append(text[end:])
    return [chunk for chunk in chunks if chunk]


class RegexTokenizer(BasicTokenizer):
    """Byte pair encoding within the chunks of a text.

    Radford et al. (2019), section 2.2, keep categories of characters apart so.
    """

    def __init__(self, pattern: str | None = None) -> None:
        super().__init__()
        self.pattern = GPT4_SPLIT_PATTERN if pattern is None else pattern

    def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
        """Learn vocab_size - 256 merges within chunks; fewer, where no pair is left."""
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

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text, chunk by chunk; it knows no special tokens."""
        ids = []
        for chunk in regex_split(text, self.pattern):
            ids += BasicTokenizer.encode(self, chunk)
        return ids

    def encode(
        self, text: str, allowed_special: str | Collection[str] = "none_raise"
    ) -> list[int]:
        """The ids of a text. allowed_special: "all", "none", "none_raise" or a set."""
        special = self.special_tokens
        if allowed_special == "none_raise" and (
            found := [t for t in special if t in text]
        ):
            raise ValueError(f"{found[0]!r} is a special token: allow it, or do not.")
        named = {"all": special, "none": {}, "none_raise": {}}
        chosen = named.get(str(allowed_special), allowed_special)
        if isinstance(chosen, str):
            raise ValueError(f"allowed_special has no {chosen!r}.")
        allowed = sorted(special.keys() & set(chosen), key=len, reverse=True)
        pattern = (
            "|".join(map(regex.escape, allowed)) or "(?!)"
        )  # which matches nowhere
        parts = regex_split(text, pattern)
        whole = (
            [special[p]] if p in allowed else self.encode_ordinary(p) for p in parts
        )
        return [i for ids in whole for i in ids]

    def register_special_tokens(self, special_tokens: dict[str, int]) -> None:
        """Let these texts be tokens with these ids; those of before are gone."""
        old = self.special_tokens.values()
        vocab = {i: token for i, token in self.vocab.items() if i not in old}
        for token, idx in special_tokens.items():
            if not token or idx in vocab:
                raise ValueError(f"{token!r} cannot be token {idx}: empty, or taken.")
            vocab[idx] = bytes(utf8(token))
        self.vocab, self.special_tokens = vocab, dict(special_tokens)
