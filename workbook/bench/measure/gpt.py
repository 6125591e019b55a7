"""Lesson 7: attention built up piece by piece, three GPTs, a cache, and the speedrun.

Each loss is that of the whole validation text, over windows side by side. All runs take
one thread; those whose times are compared run in turn.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbook import data
from workbook.bench.export import from_solutions
from workbook.bench.exporting import SCRIPTS
from workbook.bench.results import measurement
from workbook.course import lesson
from workbook.given import gpt

SEED = 1337
NEW = 256  # letters that are drawn with a cache and without
SHORT, LONG = 200, 900  # steps of the speedrun


def _script() -> ModuleType:
    """The exported training script, beside the given module."""
    torch.set_num_threads(1)
    sys.modules["gpt"] = gpt
    spec = spec_from_file_location("train", SCRIPTS / "gpt" / "train.py")
    assert spec and spec.loader
    sys.modules["train"] = script = module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def _place() -> Any:
    """One process on a CPU."""
    return sys.modules["train"].Place(torch.device("cpu"))


def _taught(model: nn.Module, steps: int, batch_size: int) -> float:
    """Train with AdamW at 0.001, as in the lecture; the validation loss."""
    script, place = _script(), _place()
    _, train, val = script.load_text(data.path("play"), place.device)
    s = script.Settings(seed=SEED, batch_size=batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for step in range(steps):
        x, y = script.batch(train, model.config.block_size, step, s, place)
        _, loss = model(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return script.evaluate(model, val)


# ---------------------------------------------------------------- piece by piece


class _Ladder(nn.Module):
    """Letters and places to channels, something between, channels to letters."""

    def __init__(self, config: gpt.GPTConfig, *between: nn.Module) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocab_size, config.n_embd)
        self.places = nn.Embedding(config.block_size, config.n_embd)
        self.between = nn.Sequential(*between)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size)

    def forward(self, idx: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        x = self.tokens(idx) + self.places(torch.arange(idx.shape[1]))
        logits = self.lm_head(self.between(x))  # (B, T, V)
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())


class _Residual(nn.Module):
    """A branch that is added to what it was given."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


def _heads(config: gpt.GPTConfig) -> nn.Module:
    """Heads side by side, and nothing behind them."""
    heads = gpt.MultiHeadAttention(config)
    heads.proj = nn.Identity()
    return heads


def _wide(config: gpt.GPTConfig) -> nn.Module:
    """Heads, and a layer at each place, as wide as the stream."""
    layer = nn.Linear(config.n_embd, config.n_embd)
    return nn.Sequential(_heads(config), layer, nn.ReLU())


def _added(config: gpt.GPTConfig) -> nn.Module:
    """Both branches of a block, each added, without norms."""
    attention = _Residual(gpt.MultiHeadAttention(config))
    return nn.Sequential(attention, _Residual(gpt.FeedForward(config)))


def _steps(quick: bool, full: int = 5_000) -> int:
    return 50 if quick else full


def _climbed(
    quick: bool, *parts: Callable[[gpt.GPTConfig], nn.Module], n_head: int = 4
) -> float:
    """The loss of a rung: 8 letters of past, 32 channels, batches of 32."""
    torch.manual_seed(SEED)
    config = gpt.GPTConfig(block_size=8, n_embd=32, n_head=n_head)
    model = _Ladder(config, *(part(config) for part in parts))
    return _taught(model, _steps(quick), batch_size=32)


@measurement("gpt.places_dev")
def places(quick: bool) -> Iterator[float]:
    """The letter itself and its place: a bigram model in a long way."""
    yield _climbed(quick)


@measurement("gpt.head_dev")
def head(quick: bool) -> Iterator[float]:
    """One head of 32."""
    yield _climbed(quick, gpt.Head, n_head=1)


@measurement("gpt.heads_dev")
def heads(quick: bool) -> Iterator[float]:
    """Four heads of 8."""
    yield _climbed(quick, _heads)


@measurement("gpt.feed_forward_dev")
def feed_forward(quick: bool) -> Iterator[float]:
    """And a layer at each place."""
    yield _climbed(quick, _wide)


@measurement("gpt.stacked_dev")
def stacked(quick: bool) -> Iterator[float]:
    """Three of these, one on the other."""
    yield _climbed(quick, *[_wide] * 3)


@measurement("gpt.residual_dev")
def residual(quick: bool) -> Iterator[float]:
    """Three, each branch added."""
    yield _climbed(quick, *[_added] * 3)


@measurement("gpt.norm_dev")
def norm(quick: bool) -> Iterator[float]:
    """Three blocks as they are, and a last norm."""
    last = lambda config: nn.LayerNorm(config.n_embd)  # noqa: E731
    yield _climbed(quick, *[gpt.Block] * 3, last)


# ---------------------------------------------------------------- whole models


@measurement("gpt.small_dev")
def small(quick: bool) -> Iterator[float]:
    """The lecture's notebook: 32 letters of past, 64 channels, batches of 16."""
    torch.manual_seed(SEED)
    yield _taught(gpt.GPT(gpt.GPTConfig()), _steps(quick), batch_size=16)


@measurement(
    "gpt.cpu_dev",
    "gpt.speedrun_dev",
    "gpt.speedrun_cpu",
    "gpt.speedrun_long_dev",
    "gpt.speedrun_long_cpu",
    "gpt.speedrun_parameters",
)
def contest(quick: bool) -> Iterator[float]:
    """The script's run for a CPU, then the speedrun, short and long: losses, shares."""
    script, place = _script(), _place()
    chars, train, val = script.load_text(data.path("play"), place.device)
    s, options = script.read(["--preset", "cpu"])
    began = time.process_time()
    torch.manual_seed(SEED)
    model = gpt.GPT(gpt.GPTConfig(vocab_size=len(chars), **options))
    learner = script.Learner(model, s, place)
    for _ in range(20 if quick else s.steps):
        learner.learn(train)
    spent = time.process_time() - began
    yield script.evaluate(model, val)
    speedrun = solved("speedrun")["speedrun"]
    for steps in (SHORT, LONG):
        torch.manual_seed(SEED)
        began = time.process_time()
        ours = speedrun(train, 5 if quick else steps)
        share = (time.process_time() - began) / spent
        yield script.evaluate(ours, val)
        yield share
    yield sum(p.numel() for p in ours.parameters())


def solved(*names: str) -> dict[str, Any]:
    """These names of the solutions, and all that they need."""
    made = from_solutions(replace(lesson("gpt"), public=names))
    if made.missing:
        raise ValueError(f"The solutions have no {', '.join(made.missing)}.")
    found: dict[str, Any] = {}
    exec(made.text, found)
    return found


@measurement("gpt.kv_cache_cpu")
def kv_cache(quick: bool) -> Iterator[float]:
    """CPU seconds of drawing letters with a cache, as a share of those without."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    size = (2, 2, 16) if quick else (6, 6, 384)  # the lecture's last model
    model = gpt.GPT(gpt.GPTConfig(65, NEW, *size)).eval()
    start, spent, texts = torch.zeros(1, 1, dtype=torch.long), [], []
    for draw in (gpt.GPT.generate, solved("generate_cached")["generate_cached"]):
        began = time.process_time()
        g = torch.Generator().manual_seed(SEED)
        texts.append(draw(model, start, NEW, generator=g))
        spent.append(time.process_time() - began)
    if not torch.equal(*texts):
        raise ValueError("The cache changes the letters.")
    yield spent[1] / spent[0]


@measurement("gpt.large_dev")
def large(quick: bool) -> Iterator[float]:
    """The lecture's last model, by the exported script, where there is a GPU."""
    argv = ["--preset", "large", "--data", str(data.path("play"))]
    argv += ["--steps", str(_steps(quick)), "--sample", "0"]
    with TemporaryDirectory() as folder:
        yield _script().main([*argv, "--out", folder])
