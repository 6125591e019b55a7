"""Train the GPT of gpt.py on a text, on whatever this machine has.

    python train.py                            a GPU is used where there is one
    python train.py --preset cpu --steps 500   each setting by its name; --help has all
    torchrun --nproc-per-node 8 train.py       the same run, shared by eight processes

A run lives in a folder (--out): log.jsonl, last.pt to go on from, best.pt to sample
from. The same command again goes on from last.pt. All chance in a step comes from the
seed and the step's number, so a run that was stopped repeats its very batches, and so
do one process and eight: with N of them, each takes an N-th of every batch.
"""

import argparse
import json
import math
import os
import sys
import time
from dataclasses import asdict, dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from gpt import GPT, GPTConfig
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

Pair = tuple[Tensor, Tensor]
HERE = Path(__file__).resolve().parent
TEXT = HERE.parents[1] / "data" / "tinyshakespeare.txt"

PRESETS = {
    # the lecture's notebook: 0.2 M parameters
    "small": {"steps": 5_000, "batch_size": 16, "lr": 1e-3},
    # nanoGPT's for a laptop, at three times its rate: 0.8 M
    "cpu": {
        "block_size": 64, "n_embd": 128, "bias": False, "tied": True, "gelu": True,
        "steps": 2_000, "batch_size": 12, "lr": 3e-3,
    },
    # the lecture's last one, for a GPU: 10.8 M
    "large": {
        "block_size": 256, "n_layer": 6, "n_head": 6, "n_embd": 384, "dropout": 0.2,
        "steps": 5_000, "batch_size": 64, "lr": 3e-4,
    },
}  # fmt: skip


# ---------------------------------------------------------------- settings


def option(default: Any, help: str) -> Any:
    """A field of the settings, and what --help says of it."""
    return field(default=default, metadata={"help": help})


@dataclass
class Settings:
    """What the command line can say beside the fields of GPTConfig."""

    data: str = option(str(TEXT), "the text")
    out: str = option("", "the folder of the run; run-PRESET beside this file")
    seed: int = option(1337, "where all chance comes from")
    steps: int = option(2_000, "updates of the weights")
    batch_size: int = option(12, "windows in an update, over all processes")
    lr: float = option(1e-3, "the highest learning rate")
    warmup: int = option(100, "steps of rising to it")
    floor: float = option(0.1, "the share of it that is left at the end")
    weight_decay: float = option(0.1, "of matrices; vectors do not decay")
    clip: float = option(1.0, "the longest gradient, as a norm")
    eval_every: int = option(250, "steps between two looks at the validation text")
    eval_windows: int = option(200, "windows in a look; the last look takes all")
    log_every: int = option(10, "steps between two lines of the log")
    device: str = option("", "cuda, mps or cpu; the first of them that is here")
    precision: str = option("", "float32 or bfloat16; the latter where it is faster")
    compile: bool | None = option(None, "use torch.compile; where it helps")
    prompt: str = option("\n", "how the sample begins")
    sample: int = option(500, "letters of it")
    temperature: float = option(1.0, "of the sample")
    top_k: int = option(0, "letters to choose each from; 0 for all")


def read(argv: list[str]) -> tuple[Settings, dict]:
    """The settings of a command line, and those of its model: preset, then options."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        argument_default=argparse.SUPPRESS,
    )
    preset = "large" if torch.cuda.is_available() else "cpu"
    help = f"where the others start from ({preset} here); what is said goes before it"
    parser.add_argument("--preset", choices=PRESETS, default=preset, help=help)
    model = [one for one in fields(GPTConfig) if one.name != "vocab_size"]
    for one in (*fields(Settings), *model):
        name = "--" + one.name.replace("_", "-")
        help = one.metadata.get("help", "of the model")
        help += "" if one.default in ("", None) else f" ({one.default!r})"
        if isinstance(one.default, bool) or one.default is None:
            parser.add_argument(name, action=argparse.BooleanOptionalAction, help=help)
        else:
            parser.add_argument(name, type=type(one.default), help=help)
    said = vars(parser.parse_args(argv))
    preset = said.pop("preset")
    values = {"out": str(HERE / f"run-{preset}")} | PRESETS[preset] | said
    own = {one.name for one in fields(Settings)}
    settings = Settings(**{k: v for k, v in values.items() if k in own})
    return settings, {k: v for k, v in values.items() if k not in own}


# ---------------------------------------------------------------- place and text


@dataclass(frozen=True)
class Place:
    """Where this process computes, and which of how many processes it is."""

    device: torch.device
    rank: int = 0
    world: int = 1


def settle(device: str = "") -> Place:
    """Find the device, and the other processes where torchrun has started this one."""
    gpu, shared = torch.cuda.is_available(), "RANK" in os.environ
    mac = torch.backends.mps.is_available() and not shared
    kind = device or ("cuda" if gpu else "mps" if mac else "cpu")
    if not shared:
        return Place(torch.device(kind))
    join("nccl" if kind == "cuda" else "gloo")
    if kind == "cuda":
        kind = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(kind)
    return Place(torch.device(kind), dist.get_rank(), dist.get_world_size())


def join(backend: str) -> None:
    """Meet the other processes, also where torchrun has started all of them again."""
    store, rank, world = next(dist.rendezvous("env://"))
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        # the addresses of an earlier life are still in it: pytorch/pytorch#135712
        store = dist.PrefixStore(os.environ["TORCHELASTIC_RESTART_COUNT"], store)
    dist.init_process_group(backend, store=store, rank=rank, world_size=world)


def load_text(path: str, device: torch.device) -> tuple[list[str], Tensor, Tensor]:
    """The letters of a text, its first nine tenths (N,), and the rest to validate."""
    if not Path(path).is_file():
        sys.exit(f"There is no text {path}: name one with --data.")
    text = Path(path).read_text(encoding="utf-8")
    chars = sorted(set(text))
    number = {c: i for i, c in enumerate(chars)}
    ids = torch.tensor([number[c] for c in text], device=device)
    n = int(0.9 * len(ids))
    return chars, ids[:n], ids[n:]


# ---------------------------------------------------------------- a step


def seed_of(seed: int, step: int, rank: int = 0) -> int:
    """One number for each step, and for each process in it."""
    return (seed * 10_000_000 + step) * 10_000 + rank


def batch(data: Tensor, block_size: int, step: int, s: Settings, place: Place) -> Pair:
    """This process's share of a step's batch: x (b, T), and y (b, T) one letter on."""
    g = torch.Generator().manual_seed(seed_of(s.seed, step))
    starts = torch.randint(len(data) - block_size, (s.batch_size, 1), generator=g)
    at = (starts + torch.arange(block_size)).to(data.device)  # (B, T)
    mine = at.chunk(place.world)[place.rank]
    return data[mine], data[mine + 1]


def learning_rate(step: int, s: Settings) -> float:
    """Up in a line, then down along half a cosine (Loshchilov & Hutter 2017)."""
    if step < s.warmup:
        return s.lr * (step + 1) / s.warmup
    done = (step - s.warmup) / max(1, s.steps - s.warmup)
    return s.lr * (s.floor + (1 - s.floor) * (1 + math.cos(math.pi * done)) / 2)


def make_optimizer(model: nn.Module, s: Settings, fused: bool) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019): matrices decay, biases and gains do not."""
    every = list(model.parameters())
    groups = [
        {"params": [p for p in every if p.dim() >= 2], "weight_decay": s.weight_decay},
        {"params": [p for p in every if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=s.lr, betas=(0.9, 0.99), fused=fused)


def mixed(s: Settings, device: torch.device) -> torch.autocast:
    """bfloat16 where the GPU multiplies it faster: half the bits, the same range."""
    new = device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8
    name = s.precision or ("bfloat16" if new else "float32")
    return torch.autocast(device.type, torch.bfloat16, enabled=name == "bfloat16")


class Learner:
    """A model, its optimizer, and the step that both take together."""

    def __init__(self, model: nn.Module, s: Settings, place: Place):
        self.settings, self.place, self.step = s, place, 0
        self.model = self.shared = model.to(place.device)
        gpu = place.device.type == "cuda"
        if gpu and find_spec("triton") if s.compile is None else s.compile:
            self.shared = torch.compile(model)
        if place.world > 1:
            self.shared = DistributedDataParallel(
                self.shared, device_ids=[place.device] if gpu else None
            )
        self.optimizer = make_optimizer(model, s, fused=gpu)

    def learn(self, data: Tensor) -> Tensor:
        """One update; the loss of this process's share of the batch."""
        s, place = self.settings, self.place
        torch.manual_seed(seed_of(s.seed, self.step, place.rank))  # for dropout
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, s)
        x, y = batch(data, self.model.config.block_size, self.step, s, place)
        with mixed(s, place.device):
            _, loss = self.shared(x, y)
        loss.backward()  # here DistributedDataParallel averages the gradients
        nn.utils.clip_grad_norm_(self.model.parameters(), s.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        return loss.detach()


@torch.no_grad()
def evaluate(model: nn.Module, data: Tensor, windows: int = 0) -> float:
    """The mean loss over whole windows side by side: all of them, or some of them."""
    T = model.config.block_size
    n = (len(data) - 1) // T
    every = max(1, n // windows) if windows else 1
    x, y = (t[: n * T].view(n, T)[::every] for t in (data, data[1:]))  # (n, T) each
    model.eval()
    pairs = zip(x.split(64), y.split(64), strict=True)
    total = sum(len(a) * model(a, b)[1].item() for a, b in pairs)
    model.train()
    return total / len(x)


# ---------------------------------------------------------------- a run


def save(path: Path, state: dict) -> None:
    """Write all of it or nothing: a kill half-way leaves the older file whole."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


class Run:
    """The folder of a run: what it has seen, and where it goes on."""

    def __init__(self, folder: Path, learner: Learner, chars: list[str]):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.learner, self.best = folder, learner, math.inf
        self.about = {"config": asdict(learner.model.config), "chars": chars}

    def log(self, **line: float) -> None:
        """A line to read, and one for log.jsonl; of a step the last line holds."""
        print("  ".join(f"{k} {v:.4g}" for k, v in line.items()), flush=True)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def keep(self, val: float) -> None:
        """Save the model where it is the best so far, then all that going on needs."""
        if not math.isfinite(val):
            sys.exit(f"The loss is {val}: start again with a smaller --lr.")
        learner, self.best = self.learner, min(val, self.best)
        state = self.about | {"model": learner.model.state_dict(), "best": self.best}
        if val == self.best:
            save(self.folder / "best.pt", state)
        more = {"step": learner.step, "optimizer": learner.optimizer.state_dict()}
        save(self.folder / "last.pt", state | more)

    def go_on(self) -> None:
        """Take up the weights and the step of last.pt, where there is one."""
        path, learner = self.folder / "last.pt", self.learner
        if not path.exists():
            return
        state = torch.load(path, learner.place.device, weights_only=True)
        if any(state[key] != mine for key, mine in self.about.items()):
            sys.exit(f"{path} is of another model or text: name another --out.")
        learner.model.load_state_dict(state["model"])
        learner.optimizer.load_state_dict(state["optimizer"])
        learner.step, self.best = state["step"], state["best"]


def train(run: Run, data: Tensor, val: Tensor) -> None:
    """Learn until the last step; the first process looks, logs and saves."""
    learner, s, place = run.learner, run.learner.settings, run.learner.place
    began, first = time.perf_counter(), learner.step
    while learner.step < s.steps:
        rate, step = learning_rate(learner.step, s), learner.step
        loss = learner.learn(data)
        if step % s.log_every == 0:
            if place.world > 1:
                dist.all_reduce(loss)
            pace = (time.perf_counter() - began) / (learner.step - first)
            if place.rank == 0:
                mean = loss.item() / place.world
                run.log(step=step, loss=mean, lr=rate, ms=1000 * pace)
        look = learner.step % s.eval_every == 0 or learner.step == s.steps
        if look and place.rank == 0:
            dev = evaluate(learner.model, val, s.eval_windows)
            run.log(step=learner.step, val=dev)
            run.keep(dev)


def finish(run: Run, val: Tensor) -> float:
    """The loss of the best model over all of the validation text, and a sample."""
    s, device = run.learner.settings, run.learner.place.device
    best = torch.load(run.folder / "best.pt", device, weights_only=True)
    model, chars = GPT(GPTConfig(**best["config"])).to(device), best["chars"]
    model.load_state_dict(best["model"])
    loss = evaluate(model, val)
    run.log(step=run.learner.step, whole_val=loss)
    if not s.sample:
        return loss
    torch.manual_seed(s.seed)
    start = torch.tensor([[chars.index(c) for c in s.prompt]], device=device)
    ids = model.eval().generate(start, s.sample, s.temperature, s.top_k or None)
    print("".join(chars[i] for i in ids[0].tolist()))
    return loss


def main(argv: list[str]) -> float:
    """Begin or go on; the loss over all validation text, nan in other processes."""
    s, options = read(argv)
    place = settle(s.device)
    chars, data, val = load_text(s.data, place.device)
    if s.batch_size % place.world:
        sys.exit(f"A batch of {s.batch_size} has no {place.world} equal parts.")
    if s.sample and not hasattr(GPT, "generate"):
        sys.exit("gpt.py has no GPT.generate yet: say --sample 0 to do without.")
    if unknown := sorted(set(s.prompt) - set(chars)):
        sys.exit(f"The text has no {unknown[0]!r}: begin with another --prompt.")
    torch.set_float32_matmul_precision("high")  # TF32, where a GPU has it
    torch.manual_seed(s.seed)
    model = GPT(GPTConfig(vocab_size=len(chars), **options))
    run = Run(Path(s.out), Learner(model, s, place), chars)
    run.go_on()
    if place.rank == 0:
        size = sum(p.numel() for p in model.parameters())
        print(f"{size:,} parameters on {place.world} × {place.device}", flush=True)
    train(run, data, val)
    loss = finish(run, val) if place.rank == 0 else math.nan
    if dist.is_initialized():
        dist.barrier()  # wait for the first
        dist.destroy_process_group()
    return loss


if __name__ == "__main__":
    main(sys.argv[1:])
