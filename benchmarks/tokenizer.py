"""What makes a tokenizer quick: `python benchmarks/tokenizer.py`.

Training on the play to 1,024 tokens with GPT-4's pattern, then encoding a megabyte of
it: the plain loops of lesson 8, its quick functions, Hugging Face's `tokenizers` and
tiktoken. All in one process and one thread, in turn, in process time; the plain
training takes some minutes.
"""

import os
import time
from collections.abc import Callable
from typing import Any

# read when the package first works: one thread, as ours has
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

from workbook import data
from workbook.bench.measure.tokenizer import MEGABYTE, SIZE, ranks_of, tiktokens
from workbook.given import tokenizer as g

try:
    import tokenizers
except ImportError:
    tokenizers = None

HOW = "not installed: .venv/bin/python -m pip install -e '.[bench]'"
RUNS = 3  # of all that is quick


def seconds(work: Callable[[], Any], runs: int) -> tuple[Any, float]:
    """What it makes, and the smallest process time of some runs."""
    spent = []
    for _ in range(runs):
        began = time.process_time()
        made = work()
        spent.append(time.process_time() - began)
    return made, min(spent)


def theirs(size: int) -> tuple[Any, Any]:
    """Hugging Face's model and trainer, set up as ours: bytes, and GPT-4's pattern."""
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    # Oniguruma reads {1,3}+ as a repetition, not as a possessive one
    pattern = tokenizers.Regex(g.GPT4_SPLIT_PATTERN.replace("{1,3}+", "{1,3}"))
    letters = tokenizers.pre_tokenizers.ByteLevel
    model.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [
            tokenizers.pre_tokenizers.Split(pattern, "isolated"),
            letters(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=letters.alphabet(), show_progress=False
    )
    return model, trainer


def trained(text: str) -> Any:
    """Hugging Face's tokenizer, trained."""
    model, trainer = theirs(SIZE)
    model.train_from_iterator([text], trainer)
    return model


def row(name: str, plain: float, spent: float | None, said: str) -> None:
    """A line of the table: seconds, and how many times as fast as the plain loop."""
    numbers = " " * 22 if spent is None else f"{spent:9.3f} s {plain / spent:8.1f} x"
    print(f"{name:28}{numbers}  {said}")


def main() -> None:
    text = data.play()
    print(f"training on {len(text):,} characters to {SIZE:,} tokens")
    ours = g.RegexTokenizer()
    _, plain = seconds(lambda: ours.train(text, SIZE), 1)
    row("the plain loop", plain, plain, f"{len(ours.merges)} merges")
    quick, spent = seconds(lambda: g.fast_train(text, SIZE), RUNS)
    same = list(quick.merges.items()) == list(ours.merges.items())
    row("fast_train", plain, spent, "the same merges" if same else "other merges")
    other = None
    if tokenizers:
        other, spent = seconds(lambda: trained(text), RUNS)
        row("Hugging Face tokenizers", plain, spent, shared(ours, other))
    else:
        row("Hugging Face tokenizers", plain, None, HOW)

    text = text[:MEGABYTE]
    print(f"\nencoding {len(text.encode()):,} bytes with these merges")
    ids, plain = seconds(lambda: ours.encode(text), 1)
    row("the plain loop", plain, plain, f"{len(ids):,} tokens")
    encoding = tiktokens(ranks_of(ours), ours.pattern)
    works = {
        "fast_encode": lambda: g.fast_encode(ours, text),
        "tiktoken": lambda: encoding.encode_ordinary(text),
    }
    for name, work in works.items():
        found, spent = seconds(work, RUNS)
        row(name, plain, spent, "the same ids" if found == ids else "other ids")
    if other:
        found, spent = seconds(lambda: other.encode(text).ids, RUNS)
        said = f"{len(found):,} tokens, with its own merges"
        row("Hugging Face tokenizers", plain, spent, said)
    else:
        row("Hugging Face tokenizers", plain, None, HOW)


def shared(ours: g.RegexTokenizer, other: Any) -> str:
    """How many of its tokens are ours too: of equal counts it takes another one."""
    spelt = tokenizers.decoders.ByteLevel().decode
    mine = {t.decode("utf-8", "replace") for t in ours.vocab.values()}
    also = sum(spelt([token]) in mine for token in other.get_vocab())
    return f"{also:,} of its {other.get_vocab_size():,} tokens are ours too"


if __name__ == "__main__":
    main()
