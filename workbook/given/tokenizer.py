# Made from solutions/08_tokenizer.py by `make exercises`: edit that, not this.
"""GPT tokenizer.

BasicTokenizer, RegexTokenizer, GPT4Tokenizer, GPT2_SPLIT_PATTERN,
GPT4_SPLIT_PATTERN, read_ranks, recover_merges, bytes_per_token, bits_per_byte,
number_cuts, fast_train, fast_encode, CodePointTokenizer.

Written along Andrej Karpathy's lecture, https://youtu.be/zduSFxRajkE
"""

import base64
import heapq
import json
import math
from collections import Counter, defaultdict
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
        """The text of ids; U+FFFD for what is no UTF-8. ValueError: an unknown id."""
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


GPT4_SPECIAL_TOKENS = {
    "<|endoftext|>": 100257,
    "<|fim_prefix|>": 100258,
    "<|fim_middle|>": 100259,
    "<|fim_suffix|>": 100260,
    "<|endofprompt|>": 100276,
}


def read_ranks(path: str | Path) -> dict[bytes, int]:
    """The rank of each token in a .tiktoken file."""
    lines = [line.split() for line in Path(path).read_bytes().splitlines()]
    return {base64.b64decode(line[0]): int(line[1]) for line in lines if line}


def parts_below(token: bytes, ranks: dict[bytes, int], limit: int) -> list[bytes]:
    """What BPE makes of the bytes of a token with the ranks below a limit."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 1:
        joined = [ranks.get(a + b, limit) for a, b in pairwise(parts)]
        lowest = min(joined)
        if lowest >= limit:
            break
        i = joined.index(lowest)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts


def recover_merges(ranks: dict[bytes, int]) -> dict[tuple[int, int], int]:
    """The pair of ranks that each token of two bytes or more was made from."""
    merges = {}
    for token in sorted(ranks, key=ranks.get):
        if len(token) > 1:
            left, right = parts_below(token, ranks, ranks[token])
            merges[ranks[left], ranks[right]] = ranks[token]
    return merges


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
        self.byte_shuffle = {byte: ranks[bytes([byte])] for byte in range(256)}
        self.merges = recover_merges(ranks)
        self.vocab = {rank: token for token, rank in ranks.items()}
        self.register_special_tokens(special_tokens or {})

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text in which no special token is looked for."""
        # tiktoken makes one character of two surrogates that belong together
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ids = []
        for chunk in regex_split(text, self.pattern):
            part = [self.byte_shuffle[byte] for byte in utf8(chunk)]
            while known := self.merges.keys() & pairwise(part):
                pair = min(known, key=self.merges.get)
                part = merge(part, pair, self.merges[pair])
            ids += part
        return ids

    def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
        """ValueError: a published tokenizer has been trained."""
        raise ValueError("This tokenizer has been trained.")

    def save(self, prefix: str) -> None:
        """ValueError: what save writes could not hold the order of the bytes."""
        raise ValueError("Keep the file of its ranks.")


def bytes_per_token(tokenizer: BasicTokenizer, text: str) -> float:
    """How many bytes of UTF-8 a token of this text stands for, on average."""
    return len(utf8(text)) / len(tokenizer.encode(text))


def bits_per_byte(loss: float, tokenizer: BasicTokenizer, text: str) -> float:
    """A mean loss in nats a token, as bits a byte of this text."""
    return loss / math.log(2) / bytes_per_token(tokenizer, text)


def pieces(tokenizer: BasicTokenizer, text: str) -> list[bytes]:
    """The bytes of each token of a text."""
    return [tokenizer.vocab[i] for i in tokenizer.encode(text)]


def number_cuts(
    tokenizer: BasicTokenizer, numbers: Iterable[int]
) -> Counter[tuple[int, ...]]:
    """How often numbers are cut in which way: (1, 2) is one digit, then two."""
    cuts = Counter()
    for number in numbers:
        cuts[tuple(map(len, pieces(tokenizer, str(number))))] += 1
    return cuts


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
        for pair in pairwise(self.chunks[i]):
            self.counts[pair] += sign * self.times[i]
            if sign > 0:
                self.where[pair].add(i)
            else:
                self.where[pair].discard(i)
            if not self.counts[pair]:
                del self.counts[pair]

    def commonest(self) -> tuple[int, int]:
        """The pair of the highest count; among several the one that is seen first."""
        best = max(self.counts.values())
        tied = [pair for pair, n in self.counts.items() if n == best]
        return min(tied, key=self._first) if len(tied) > 1 else tied[0]

    def _first(self, pair: tuple[int, int]) -> tuple[int, int]:
        """Where a pair is seen first: the chunk, and the place in it."""
        i = min(self.where[pair])
        return i, list(pairwise(self.chunks[i])).index(pair)


def fast_train(
    text: str, vocab_size: int, pattern: str | None = None
) -> RegexTokenizer:
    """RegexTokenizer(pattern) trained on a text, with the merges that train finds."""
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


def merge_by_heap(ids: Sequence[int], merges: dict[tuple[int, int], int]) -> list[int]:
    """As merge_by_scan, for many ids: lowest rank first, from the left among equals."""
    n = len(ids)
    ids = [*ids, None]  # no token: it stands at both ends, at place n and at -1
    before, after = [*range(-1, n)], [*range(1, n + 1), n]  # the places beside each
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


def fast_encode(tokenizer: RegexTokenizer, text: str) -> list[int]:
    """As tokenizer.encode_ordinary, surrogates aside; each distinct chunk once."""
    shuffle = getattr(tokenizer, "byte_shuffle", range(256))  # the id of each byte
    start = bytes(shuffle[byte] for byte in range(256))
    known, ids = {}, []
    for chunk in quick_split(text, tokenizer.pattern):
        if chunk not in known:
            first = quick_utf8(chunk).translate(start)
            merge_all = merge_by_scan if len(first) < 20 else merge_by_heap
            known[chunk] = merge_all(first, tokenizer.merges)
        ids += known[chunk]
    return ids


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
        kept, total = [], 0
        for char, times in Counter(text).most_common():
            if total >= self.character_coverage * len(text):
                break
            kept.append(char)
            total += times
        return kept

    def first_ids(self, text: str) -> list[int]:
        """The ids of characters, or of their bytes where they are not covered."""
        ids = []
        for char in text:
            ids += [self.characters[char]] if char in self.characters else utf8(char)
        return ids

    def begin(self, words: list[str], vocab_size: int) -> None:
        """Characters, and vocab: bytes and characters. ValueError: there is no room."""
        kept = self.covered("".join(words))
        self.characters = {char: 256 + i for i, char in enumerate(kept)}
        self.merges, self.vocab = {}, {byte: bytes([byte]) for byte in range(256)}
        self.vocab |= {i: bytes(utf8(char)) for char, i in self.characters.items()}
        if vocab_size < len(self.vocab):
            raise ValueError(f"Bytes and characters are {len(self.vocab)} tokens.")

    def train(self, text: str, vocab_size: int, verbose: bool = False) -> None:
        """Learn characters and merges, with the bytes vocab_size tokens at most."""
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

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        ids = []
        for word in self.words(text):
            part = self.first_ids(word)
            while known := self.merges.keys() & pairwise(part):
                pair = min(known, key=self.merges.get)
                part = merge(part, pair, self.merges[pair])
            ids += part
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text, without the dummy prefix; U+FFFD for what is no UTF-8."""
        text = b"".join(self.vocab[i] for i in ids).decode("utf-8", errors="replace")
        return text[1:] if self.dummy_prefix and text.startswith(" ") else text
