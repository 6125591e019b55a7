"""What the live view costs: loops with and without it, run in turn.

    python benchmarks/live.py [steps [kind …]]

Steps are those of each kind; of four runs of a kind each makes a quarter of them, so
800_000 is the figure to quote. A kind is named by its first word: `headless`.

The loop is the one of lesson 3: 11,897 parameters, batches of 32, 200,000 steps. It
runs in five kinds at once, 100 steps of each in turn: bare, and bare again to show the
noise; headless; with the loss drawn; with all panels. Where a run lies in memory is
luck, and worth some microseconds a step; so there are four runs of each kind, which
share the steps that are asked for and are stopped there. All run in a Jupyter kernel
with a subshell, as under JupyterLab. Times are process times, so they include the
threads that send the pictures; each run's clock stands still while it is not its turn.
Of the rounds, the quickest and the slowest twentieth of each run are left out; what the
last picture costs, once, is told apart.
"""

import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from statistics import fmean
from typing import Any

LENGTH = 200_000  # steps of the run, as it believes
BLOCK = 100  # steps before the next loop has its turn
REST = 0.004  # seconds in which the kernel's other threads finish sending
KINDS = ("bare", "bare again", "headless", "loss alone", "all panels")
COPIES = 4  # runs of each kind
LOOPS = [(kind, copy) for copy in range(COPIES) for kind in KINDS]
Loop = tuple[str, int]  # a kind, and which of its runs


def main(steps: int, chosen: list[str]) -> None:
    """Start a kernel, and let it measure the chosen kinds, or all."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.session.send(
            client.control_channel.socket,
            client.session.msg("create_subshell_request"),
        )
        ask = f"['measure']({steps}, {chosen})"
        code = f"import runpy; runpy.run_path({__file__!r}){ask}"
        reply = client.execute_interactive(code, output_hook=_passed_on, timeout=None)
        if reply["content"]["status"] != "ok":
            raise SystemExit("\n".join(reply["content"]["traceback"]))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _passed_on(message: dict[str, Any]) -> None:
    if message["msg_type"] == "stream":
        print(message["content"]["text"], end="", flush=True)


# ------------------------------------------------------------ in the kernel


class Clock:
    """Process time of one loop's own turns, one by one.

    Within a turn it goes by the wall clock, slowed to the share of the machine that
    the turns before had: asking for process time would cost more than what we measure.
    """

    def __init__(self) -> None:
        self.spent = self.waited = self.began = self.seen = 0.0
        self.turns: list[float] = []

    def __call__(self) -> float:
        slowed = self.spent / self.waited if self.waited else 1.0
        return self.spent + (time.perf_counter() - self.seen) * slowed

    def start(self) -> None:
        self.began, self.seen = time.process_time(), time.perf_counter()

    def stop(self) -> None:
        self.waited += time.perf_counter() - self.seen
        time.sleep(REST)
        self.turns.append(time.process_time() - self.began)
        self.spent += self.turns[-1]

    def usual(self) -> float:
        """Seconds a turn, the strangest left out."""
        ordered = sorted(self.turns[1:-1])  # the first warms up, the last ends the run
        out = len(ordered) // 20
        kept = ordered[out : len(ordered) - out]
        return sum(kept) / len(kept)


def measure(steps: int, chosen: list[str]) -> None:
    """Run the loops in turn, and print what each kind costs more than the bare one."""
    import torch

    torch.set_num_threads(1)
    wanted = {"bare", *(chosen or (kind.split()[0] for kind in KINDS))}
    order = [loop for loop in LOOPS if loop[0].split()[0] in wanted]
    turns, rng = {loop: _turns(loop, steps) for loop in order}, random.Random(1)
    for _ in range(_rounds(steps)):
        rng.shuffle(order)
        for loop in order:
            next(turns[loop])
    _tell(steps)
    _memory()


CLOCKS = {loop: Clock() for loop in LOOPS}
RUNS: dict[Loop, Any] = {}


def _rounds(steps: int) -> int:
    """Turns of each run: its share of the steps, and one that ends it."""
    return steps // COPIES // BLOCK + 1


def _turns(loop: Loop, steps: int) -> Iterator[None]:
    """One run, a block of steps at a time; the last turn ends it."""
    kind, clock, run = loop[0], CLOCKS[loop], _run(loop[0])
    RUNS[loop], log = run, _silent
    if not kind.startswith("bare"):
        run.clock, log = clock, run.log
    going = iter(run)
    for turn in range(_rounds(steps)):
        if turn == _rounds(steps) - 1 and not kind.startswith("bare"):
            run.stop()
        clock.start()
        _block(going, log)
        clock.stop()
        yield


def _block(going: Iterator[int], log: Callable[..., None]) -> None:
    """The steps of one turn: the same code for every loop, in a new frame each time.

    Five loops with frames of their own have been seen to differ by 4 % where all
    five were bare: what lies where in memory is luck, and here it is drawn anew.
    """
    step_of = _training()
    for _ in islice(going, BLOCK):
        loss, model = step_of()
        log(loss=loss, model=model)


def _silent(loss: Any = None, model: Any = None) -> None:
    """What a bare loop calls in place of `run.log`."""


def _run(kind: str) -> Any:
    from workbook import live

    if kind.startswith("bare"):
        return range(LENGTH)
    view = "none" if kind == "headless" else "widget"
    panels = ("loss",) if kind == "loss alone" else None
    return live.train(LENGTH, lr=0.1, view=view, panels=panels)


@cache
def _training() -> Callable[[], tuple[Any, Any]]:
    """A function that makes one step of the lesson's training, the same for all loops.

    The same step on other addresses takes 4 % more or less, more than what is measured.
    """
    import torch
    from torch import nn

    g = torch.Generator().manual_seed(1)
    model = nn.Sequential(
        nn.Embedding(27, 10), nn.Flatten(), nn.Linear(30, 200), nn.Tanh(),
        nn.Linear(200, 27),
    )  # fmt: skip
    parameters = list(model.parameters())
    x = torch.randint(0, 27, (20_000, 3), generator=g)
    y = torch.randint(0, 27, (20_000,), generator=g)

    def step() -> tuple[Any, Any]:
        ix = torch.randint(0, len(x), (32,), generator=g)
        loss = nn.functional.cross_entropy(model(x[ix]), y[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data -= 0.1 * p.grad
        return loss, model

    return step


def _tell(steps: int) -> None:
    usual = {loop: clock.usual() for loop, clock in CLOCKS.items() if clock.turns}
    kinds = [kind for kind in KINDS if (kind, 0) in usual]
    mean = {kind: fmean(usual[kind, copy] for copy in range(COPIES)) for kind in kinds}
    bare = mean["bare"]
    whole = bare * LENGTH / BLOCK
    print(
        f"{steps:,} steps, {COPIES} runs of each kind, "
        f"bare {1000 * bare / BLOCK:.3f} ms a step"
    )
    for kind in kinds[1:]:
        each = sorted(usual[kind, copy] / bare - 1 for copy in range(COPIES))
        words = f"{kind:12} {100 * (mean[kind] / bare - 1):+6.2f} %"
        words += f" ({', '.join(f'{100 * more:+.2f}' for more in each)})"
        if kind in ("loss alone", "all panels"):
            loops = [(kind, copy) for copy in range(COPIES)]
            end = fmean(CLOCKS[loop].turns[-1] for loop in loops)
            cost = fmean(RUNS[loop]._drawing.cost for loop in loops)
            words += (
                f", and {100 * end / whole:.2f} % for the last picture ({end:.2f} s)"
                f"; a picture takes {1000 * cost:.1f} ms"
            )
        print(words)


def _memory() -> None:
    """What the recorder holds after few and after many steps."""
    from workbook.live import Recorder

    sizes = []
    for steps in (10_000, 100_000, 1_000_000):
        tracemalloc.start()
        recorder = Recorder(steps)
        add = recorder.of("loss").add
        for step in range(steps):
            add(step, 1.0 + step % 7)
        sizes.append(tracemalloc.get_traced_memory()[1] / 1024)
        tracemalloc.stop()
    told = ", ".join(f"{size:.0f} kB" for size in sizes)
    print(f"memory of the recorder at 10,000, 100,000 and 1,000,000 steps: {told}")
    began = time.process_time()
    add = Recorder(10**6).of("loss").add
    for step in range(200_000):
        add(step, 1.0)
    print(f"a number taken in: {(time.process_time() - began) / 0.2:.2f} microseconds")


if __name__ == "__main__":
    steps, *kinds = sys.argv[1:] or ["40_000"]
    main(int(steps), kinds)
