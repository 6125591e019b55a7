"""What makes a GPT's step quick: `python benchmarks/gpt.py`.

Forward and backward of attention at the sizes of the laptop preset: its heads in turn,
in one tensor, and in one call of PyTorch. Then a whole step of the exported training
script as against forward and backward alone: what optimizer, clipping, schedule and the
drawing of the batch cost. Process times of things run in turn, the smallest of some.
"""

import time
from collections.abc import Callable

import torch
from torch import nn

from workbook.bench.measure.gpt import _place, _script, solved
from workbook.given import gpt

RUNS = 15
BATCH = 12


def milliseconds(*works: Callable[[], object]) -> list[float]:
    """The smallest process time of each, all of them in turn."""
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(RUNS):
        for times, work in zip(spent, works, strict=True):
            began = time.process_time()
            work()
            times.append(1000 * (time.process_time() - began))
    return [min(times) for times in spent]


def passes(module: nn.Module, x: torch.Tensor) -> Callable[[], None]:
    """Forward and backward of a module."""
    return lambda: module(x).square().mean().backward()


def main() -> None:
    script = _script()
    s, options = script.read(["--preset", "cpu"])
    config = gpt.GPTConfig(**options)
    x = torch.randn(BATCH, config.block_size, config.n_embd)
    fused = solved("FusedAttention")["FusedAttention"]
    kinds = (gpt.MultiHeadAttention, gpt.CausalSelfAttention, fused)
    for kind, ms in zip(
        kinds, milliseconds(*(passes(kind(config), x) for kind in kinds)), strict=True
    ):
        print(f"{kind.__name__:24} {ms:7.1f} ms")

    ids = torch.randint(config.vocab_size, (10_000,))
    learner = script.Learner(gpt.GPT(config), s, _place())
    x, y = script.batch(ids, config.block_size, 0, s, _place())
    alone, step = milliseconds(
        lambda: learner.model(x, y)[1].backward(), lambda: learner.learn(ids)
    )
    print(f"{'forward and backward':24} {alone:7.1f} ms")
    print(f"{'a step of train.py':24} {step:7.1f} ms: {step / alone:.2f} times that")


if __name__ == "__main__":
    main()
