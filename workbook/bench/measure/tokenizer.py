"""Lesson 8: the published ids and counts of tokens, and what the quick functions save.

A token is counted only where our ids are tiktoken's; times are compared only where the
results are the same. What is compared runs in turn, in one process.
"""

import time
from collections.abc import Callable, Iterator

import tiktoken

from workbook import data
from workbook.bench.results import measurement
from workbook.given import tokenizer as g

SIZE = 1_024  # tokens that are trained
MEGABYTE = 1_000_000
WHOLE = r"(?s:.+)"  # a pattern that cuts nothing


def gpt(name: str) -> g.GPT4Tokenizer:
    """A published tokenizer from its file, with its end of text."""
    split, end = {
        "r50k_base": (g.GPT2_SPLIT_PATTERN, 50_256),
        "cl100k_base": (g.GPT4_SPLIT_PATTERN, 100_257),
    }[name]
    return g.GPT4Tokenizer(g.read_ranks(data.path(name)), split, {"<|endoftext|>": end})


def tiktokens(ranks: dict[bytes, int], pattern: str) -> tiktoken.Encoding:
    """tiktoken with these ranks."""
    return tiktoken.Encoding(
        "ours", pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
    )


def ranks_of(tokenizer: g.RegexTokenizer) -> dict[bytes, int]:
    """What tiktoken needs to know of a tokenizer of ours."""
    return {tokenizer.vocab[i]: i for i in range(256 + len(tokenizer.merges))}


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """What it gives, and its process time."""
    began = time.process_time()
    made = work()
    return made, time.process_time() - began


@measurement("tokenizer.shakespeare_train", "tokenizer.shakespeare_dev")
def shakespeare(quick: bool) -> Iterator[float]:
    """Nine tenths of the play in GPT-2's tokens, then the last tenth."""
    text, ours = data.play(), gpt("r50k_base")
    theirs = tiktokens(g.read_ranks(data.path("r50k_base")), g.GPT2_SPLIT_PATTERN)
    cut = int(0.9 * len(text))
    for part in (text[:cut], text[cut:]):
        part = part[:10_000] if quick else part
        ids = g.fast_encode(ours, part)
        if ids != theirs.encode_ordinary(part):
            raise ValueError("Our ids are not tiktoken's.")
        yield len(ids)


def _equal(ours: list[int], theirs: str) -> int:
    """How many ids are those that were printed; none where one is too many."""
    wanted = [int(i) for i in theirs.split()]
    if len(ours) != len(wanted):
        return 0
    return sum(a == b for a, b in zip(ours, wanted, strict=True))


@measurement(
    "tokenizer.article_ids", "tokenizer.readme_ids", "tokenizer.readme_special_ids"
)
def printed(quick: bool) -> Iterator[float]:
    """The examples of minbpe's README, id by id."""
    basic = g.BasicTokenizer()
    basic.train("aaabdaaabac", 256 + 3)
    yield _equal(basic.encode("aaabdaaabac"), "258 100 258 97 99")
    ours = gpt("cl100k_base")
    yield _equal(
        ours.encode("hello123!!!? (안녕하세요!) 😉"),
        "15339 4513 12340 30 320 31495 230 75265 243 92245 16715 57037",
    )
    text = "<|endoftext|>hello world"
    yield _equal(ours.encode(text, allowed_special="all"), "100257 15339 1917")


@measurement("tokenizer.fast_train_merges", "tokenizer.fast_train_cpu")
def training(quick: bool) -> Iterator[float]:
    """Merges equal to the plain loop's, one by one, and the share of its time."""
    text, size = (data.play()[:20_000], 300) if quick else (data.play(), SIZE)
    plain = g.RegexTokenizer()
    _, slow = timed(lambda: plain.train(text, size))
    ours, seconds = timed(lambda: g.fast_train(text, size))
    both = zip(plain.merges.items(), ours.merges.items(), strict=True)
    yield sum(a == b for a, b in both)
    yield seconds / slow


def _share(tokenizer: g.RegexTokenizer, text: str, rounds: int) -> float:
    """The quick encoder's smallest time as a share of the plain one's, in turn."""
    spent: tuple[list[float], list[float]] = ([], [])
    theirs = tiktokens(ranks_of(tokenizer), tokenizer.pattern).encode_ordinary(text)
    for _ in range(rounds):
        works = (tokenizer.encode, lambda text: g.fast_encode(tokenizer, text))
        for times, work in zip(spent, works, strict=True):
            ids, seconds = timed(lambda work=work: work(text))
            if ids != theirs:
                raise ValueError("Our ids are not tiktoken's.")
            times.append(seconds)
    slow, fast = map(min, spent)
    return fast / slow


@measurement("tokenizer.fast_encode_cpu", "tokenizer.fast_encode_whole_cpu")
def encoding(quick: bool) -> Iterator[float]:
    """A megabyte in chunks, then as one chunk: the share of the plain loop's time."""
    text = data.play()[: 20_000 if quick else MEGABYTE]
    ours = g.fast_train(text, 300 if quick else SIZE)
    yield _share(ours, text, rounds=3)
    ours.pattern = WHOLE
    yield _share(ours, text, rounds=1)
