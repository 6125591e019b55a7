"""The training script that comes with the exported GPT: one process, two, and kills."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import torch

from workbook.bench.export import Exported
from workbook.bench.exporting import SCRIPTS, _place, main
from workbook.course import lesson

PLAY = Path(__file__).resolve().parents[2] / "data" / "sample_play.txt"
STEPS = 50
TINY = [
    "--data", str(PLAY), "--preset", "small", "--device", "cpu",
    "--block-size", "8", "--n-layer", "2", "--n-head", "2", "--n-embd", "16",
    "--steps", str(STEPS), "--batch-size", "6", "--lr", "0.003", "--warmup", "5",
    "--eval-every", "10", "--eval-windows", "5", "--log-every", "1", "--sample", "20",
]  # fmt: skip


@pytest.fixture(scope="module")
def code(tmp_path_factory) -> Path:
    """The folder code/gpt as `make export` makes it."""
    folder = tmp_path_factory.mktemp("code")
    assert main(["--from", "solutions", "--to", str(folder)]) == 0
    return folder / "gpt"


@pytest.fixture(scope="module")
def train(code: Path):
    """The script as a module, beside its own gpt."""
    before = {name: sys.modules.pop(name, None) for name in ("gpt", "train")}
    sys.path.insert(0, str(code))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield import_module("train")
    torch.set_num_threads(threads)
    sys.path.remove(str(code))
    for name, module in before.items():
        del sys.modules[name]
        if module:
            sys.modules[name] = module


@pytest.fixture(scope="module")
def alone(train: ModuleType, tmp_path_factory) -> dict[int, float]:
    """The losses of one process that nobody disturbs."""
    folder = tmp_path_factory.mktemp("alone")
    train.main([*TINY, "--out", str(folder)])
    return losses(folder)


def lines(folder: Path) -> list[dict]:
    return [json.loads(x) for x in (folder / "log.jsonl").read_text().splitlines()]


def losses(folder: Path) -> dict[int, float]:
    """The loss of each step, the last word on it."""
    return {line["step"]: line["loss"] for line in lines(folder) if "loss" in line}


def weights(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["model"]


def same(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> bool:
    assert ours.keys() == theirs.keys()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


# ---------------------------------------------------------------- beside the module


def test_the_script_comes_with_the_module_and_speaks_of_nothing_else(code):
    script = code / "train.py"
    assert script.read_bytes() == (SCRIPTS / "gpt" / "train.py").read_bytes()
    assert "workbook" not in script.read_text("utf-8")


def test_the_script_waits_for_what_it_imports(tmp_path, capsys):
    _place(lesson("gpt"), Exported("GPTConfig = 1\n", ("GPT", "Block"), {}), tmp_path)
    assert not (tmp_path / "gpt" / "train.py").exists()
    assert "left out  train.py" in capsys.readouterr().out


def test_a_script_that_was_changed_is_kept(tmp_path, capsys):
    whole = Exported("GPT = GPTConfig = 1\n", (), {})
    _place(lesson("gpt"), whole, tmp_path)
    script = tmp_path / "gpt" / "train.py"
    script.write_text("mine = 1\n")
    _place(lesson("gpt"), whole, tmp_path)
    (kept,) = (tmp_path / ".kept").iterdir()
    assert kept.read_text() == "mine = 1\n" and kept.name in capsys.readouterr().out
    assert script.read_bytes() == (SCRIPTS / "gpt" / "train.py").read_bytes()
    _place(lesson("gpt"), whole, tmp_path)  # nothing has changed since
    assert [*(tmp_path / ".kept").iterdir()] == [kept]


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "preset, parameters",
    [("small", 209_729), ("cpu", 804_096), ("large", 10_788_929)],
)
def test_a_preset_is_a_model_of_a_known_size(train, preset, parameters):
    _, options = train.read(["--preset", preset])
    with torch.device("meta"):
        model = train.GPT(train.GPTConfig(vocab_size=65, **options))
    assert sum(p.numel() for p in model.parameters()) == parameters


def test_an_option_goes_before_the_preset(train):
    said = ["--preset", "large", "--steps", "7", "--n-layer", "3", "--no-bias"]
    settings, options = train.read(said)
    assert (settings.steps, settings.batch_size) == (7, 64)
    assert settings.out.endswith("run-large")
    assert options == {
        "block_size": 256, "n_layer": 3, "n_head": 6, "n_embd": 384, "dropout": 0.2,
        "bias": False,
    }  # fmt: skip


@pytest.mark.parametrize("gpu, preset", [(True, 384), (False, 128)])
def test_the_machine_chooses_the_preset(train, monkeypatch, gpu, preset):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert train.read([])[1]["n_embd"] == preset


@pytest.mark.parametrize(
    "cuda, mps, found",
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_best_device_is_found(train, monkeypatch, cuda, mps, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert train.settle().device.type == found
    assert train.settle("cpu").device.type == "cpu"


@pytest.mark.parametrize(
    "said, words",
    [
        (["--data", "nowhere.txt"], "nowhere.txt: name one with --data"),
        (["--prompt", "€"], "no '€'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(train, tmp_path, said, words):
    with pytest.raises(SystemExit, match=words):
        train.main([*TINY, "--out", str(tmp_path), *said])
    assert not (tmp_path / "last.pt").exists()


def test_a_module_that_cannot_generate_yet_still_trains(train, tmp_path, monkeypatch):
    monkeypatch.delattr(train.GPT, "generate")
    argv = [*TINY, "--out", str(tmp_path), "--steps", "1"]
    with pytest.raises(SystemExit, match="--sample 0"):
        train.main(argv)
    assert train.main([*argv, "--sample", "0"]) > 0


# ---------------------------------------------------------------- a step


def test_the_rate_rises_in_a_line_and_falls_along_a_cosine(train):
    s = train.Settings(lr=2.0, warmup=4, steps=12, floor=0.1)
    rates = [train.learning_rate(step, s) for step in (0, 1, 3, 4, 8, 12)]
    assert rates == pytest.approx([0.5, 1.0, 2.0, 2.0, 1.1, 0.2])


def test_matrices_decay_and_vectors_do_not_and_each_is_there_once(train):
    config = train.GPTConfig(n_layer=2, n_embd=12, n_head=3, tied=True)
    model = train.GPT(config)
    groups = train.make_optimizer(model, train.Settings(), False).param_groups
    held = [id(p) for group in groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    decay = {
        p.dim(): group["weight_decay"] for group in groups for p in group["params"]
    }
    assert decay == {2: 0.1, 1: 0.0}


def test_a_batch_is_the_same_however_many_share_it(train):
    data, s = torch.arange(90), train.Settings(batch_size=6, seed=3)
    place = partial(train.Place, torch.device("cpu"))
    x, y = train.batch(data, 5, 7, s, place())
    shares = [train.batch(data, 5, 7, s, place(rank, 3)) for rank in range(3)]
    assert x.shape == (6, 5) and torch.equal(y, x + 1)
    assert torch.equal(x, torch.cat([share[0] for share in shares]))
    assert torch.equal(y, torch.cat([share[1] for share in shares]))
    again, other = (train.batch(data, 5, step, s, place())[0] for step in (7, 8))
    assert torch.equal(x, again) and not torch.equal(x, other)


def test_a_batch_reaches_the_last_letter_and_not_further(train):
    s, place = train.Settings(batch_size=40), train.Place(torch.device("cpu"))
    _, y = train.batch(torch.arange(8), 5, 0, s, place)
    assert set(y[:, -1].tolist()) == {5, 6, 7}


def test_the_loss_over_windows_is_the_mean_over_their_letters(train):
    model = train.GPT(train.GPTConfig(vocab_size=7, block_size=4, n_embd=8, n_head=2))
    ids = torch.randint(7, (4 * 70 + 3,), generator=torch.Generator().manual_seed(1))
    one = [model(ids[i : i + 4][None], ids[i + 1 : i + 5][None])[1] for i in
           range(0, 280, 4)]  # fmt: skip
    assert train.evaluate(model, ids) == pytest.approx(sum(one).item() / 70, rel=1e-5)
    some = sum(one[::14]).item() / 5
    assert train.evaluate(model, ids, windows=5) == pytest.approx(some, rel=1e-5)
    assert model.training


def test_bfloat16_is_for_the_products_and_the_weights_stay_whole(train, tmp_path):
    found = {}
    for name in ("float32", "bfloat16"):
        folder = tmp_path / name
        argv = [*TINY, "--steps", "3", "--precision", name, "--out", str(folder)]
        train.main(argv)
        found[name] = losses(folder)
        assert {w.dtype for w in weights(folder / "last.pt").values()} == {
            torch.float32
        }
    assert found["float32"] != found["bfloat16"]
    assert found["float32"] == pytest.approx(found["bfloat16"], rel=1e-2)


def test_a_compiled_model_learns_the_same_and_is_saved_by_its_own_names(
    train, tmp_path, monkeypatch, alone
):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    train.main([*TINY, "--compile", "--out", str(tmp_path)])
    assert losses(tmp_path) == pytest.approx(alone, abs=1e-5)
    assert not [n for n in weights(tmp_path / "best.pt") if "orig_mod" in n]


# ---------------------------------------------------------------- a run


def test_a_run_learns_and_keeps_its_best(train, alone, tmp_path, capsys):
    vocabulary = len(set(PLAY.read_text()))
    assert alone[0] == pytest.approx(math.log(vocabulary), abs=0.1)
    assert 2 < alone[STEPS - 1] < alone[0] - 0.5
    loss = train.main([*TINY, "--out", str(tmp_path)])
    said = capsys.readouterr().out
    assert len(said.splitlines()[-1]) <= 20 and f"whole_val {loss:.4g}" in said
    vals = [line["val"] for line in lines(tmp_path) if "val" in line]
    assert len(vals) == STEPS // 10
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert best["best"] == min(vals) and len(best["chars"]) == vocabulary


class Stopped(Exception):
    """The end of a process, as a test can bear it."""


def stop_at(train: ModuleType, monkeypatch, step: int) -> None:
    """Let the next run stop when it is about to take a step."""
    learn = train.Learner.learn

    def stopping(self, data):
        if self.step == step:
            raise Stopped
        return learn(self, data)

    monkeypatch.setattr(train.Learner, "learn", stopping)


def test_a_stopped_run_goes_on_as_if_nothing_had_happened(train, tmp_path, monkeypatch):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    argv = [*TINY, "--dropout", "0.2", "--steps", "30"]
    train.main([*argv, "--out", str(whole)])
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        stop_at(train, patch, 17)
        train.main([*argv, "--out", str(broken)])
    train.main([*argv, "--out", str(broken)])
    steps = [line["step"] for line in lines(broken) if "loss" in line]
    assert steps == [*range(17), *range(10, 30)]
    assert losses(broken) == losses(whole)
    assert same(weights(broken / "last.pt"), weights(whole / "last.pt"))


def test_a_finished_run_learns_no_more_and_samples_again(train, tmp_path, capsys):
    argv = [*TINY, "--steps", "10", "--out", str(tmp_path)]
    first = train.main(argv)
    before = (tmp_path / "last.pt").read_bytes()
    capsys.readouterr()
    assert train.main(argv) == first
    assert (tmp_path / "last.pt").read_bytes() == before
    assert "loss" not in capsys.readouterr().out
    train.main([*argv, "--steps", "12"])  # unless it is asked for more
    assert set(losses(tmp_path)) == set(range(12))


def test_a_run_of_another_model_is_not_mixed_in(train, tmp_path):
    argv = [*TINY, "--steps", "1", "--out", str(tmp_path)]
    train.main(argv)
    before = (tmp_path / "last.pt").read_bytes()
    with pytest.raises(SystemExit, match="of another model or text"):
        train.main([*argv, "--n-embd", "12"])
    assert (tmp_path / "last.pt").read_bytes() == before


def test_a_kill_while_saving_leaves_the_older_file_whole(train, tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    train.save(path, {"step": 1})

    def half(state, file):
        file.write(b"PK\3\4 half of it")
        raise Stopped

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(torch, "save", half)
        train.save(path, {"step": 2})
    assert torch.load(path, weights_only=True) == {"step": 1}
    train.save(path, {"step": 3})
    assert torch.load(path, weights_only=True) == {"step": 3}
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]


# ---------------------------------------------------------------- two processes

KILLED = """\
import os
import signal
import sys
from pathlib import Path

import train

mark, learn = Path(sys.argv.pop(1)), train.Learner.learn


def dying(self, data):
    if self.step == 25 and self.place.rank == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return learn(self, data)


train.Learner.learn = dying
train.main(sys.argv[1:])
"""


def torchrun(folder: Path, *argv: str | Path) -> subprocess.CompletedProcess:
    """Two processes on this machine; one new life, should one of them die."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "--max-restarts", "1"]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, *argv], cwd=folder, env=env, capture_output=True, text=True
    )


def test_two_processes_learn_what_one_does_with_the_joint_batch(code, alone, tmp_path):
    done = torchrun(tmp_path, code / "train.py", *TINY, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "parameters on 2 × cpu" in done.stdout
    assert list(alone) == list(losses(tmp_path)) == list(range(STEPS))
    assert losses(tmp_path) == pytest.approx(alone, abs=1e-4)


def test_a_killed_worker_goes_on_from_the_last_checkpoint(code, alone, tmp_path):
    driver, mark, out = code / "killed.py", tmp_path / "mark", tmp_path / "run"
    driver.write_text(KILLED)
    done = torchrun(tmp_path, driver, mark, *TINY, "--out", out)
    assert done.returncode == 0, done.stderr
    assert mark.exists() and f"exitcode: {-signal.SIGKILL}" in done.stderr
    steps = [line["step"] for line in lines(out) if "loss" in line]
    assert steps == [*range(25), *range(20, STEPS)]
    assert losses(out) == pytest.approx(alone, abs=1e-4)


def test_a_batch_that_two_cannot_share_is_one_sentence(train, tmp_path, monkeypatch):
    two = train.Place(torch.device("cpu"), 0, 2)
    monkeypatch.setattr(train, "settle", lambda device: two)
    with pytest.raises(SystemExit, match="no 2 equal parts"):
        train.main([*TINY, "--batch-size", "5", "--out", str(tmp_path)])
