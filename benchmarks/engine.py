"""Our engine against the micrograd package: forward and backward, run in turn.

    python benchmarks/engine.py

Both build the same expression: a 2-16-16-1 rectifier network on 20 points, a sum of
margins, one backward pass. Times are process times; the ratio is taken pair by pair,
so that what else the machine does falls on both.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from micrograd.nn import MLP as TheirMLP

from workbook.checks.micrograd import moons
from workbook.given.micrograd import MLP

ROUNDS = 15


def network(MLP: Callable[..., Any], **options: Any) -> Callable[[], Any]:
    """A function that runs one forward and backward pass."""
    points = moons(20, random.Random(1337))
    net = MLP(2, [16, 16, 1], **options)
    rng = random.Random(1)
    for p in net.parameters():
        p.data = rng.uniform(-1, 1)

    def step() -> Any:
        margins = [(1 + -label * net(x)).relu() for x, label in points]
        loss = sum(margins) * (1.0 / len(points))
        net.zero_grad()
        loss.backward()
        return loss

    return step


def seconds(step: Callable[[], Any]) -> float:
    """Process time of one step, garbage of earlier ones collected before."""
    gc.collect()
    began = time.process_time()
    step()
    return time.process_time() - began


def main() -> None:
    """Print both times and their ratio."""
    ours, theirs = network(MLP, act="relu"), network(TheirMLP)
    apart = abs(ours().data - theirs().data)
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
    ratios = sorted(b / a for a, b in pairs)
    print(f"losses differ by {apart:.1e}")
    print(f"ours       {1000 * statistics.median(a for a, _ in pairs):7.1f} ms")
    print(f"micrograd  {1000 * statistics.median(b for _, b in pairs):7.1f} ms")
    middle, low, high = statistics.median(ratios), ratios[2], ratios[-3]
    print(f"ratio      {middle:7.2f}  ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
