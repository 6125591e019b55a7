"""A loop ends as it would without us, and the picture says how."""

import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
import weakref
from typing import Any

import pytest
import torch
from torch import nn

from workbook import live
from workbook.live import interrupts
from workbook.live.run import Run


def test_importing_the_door_loads_nothing_heavy() -> None:
    code = (
        "import sys; from workbook import live; run = live.train(3, lr=.1);"
        "[run.log(loss=1.0 / (step + 1)) for step in run]; print(run);"
        "heavy = {'torch', 'matplotlib', 'ipywidgets', 'IPython', 'numpy'};"
        "sys.exit(str(sorted(heavy & sys.modules.keys()) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
    assert done.stdout == "Run: 3 steps: loss 1 to 0.333\n"


def test_every_step_is_given_once_and_in_order() -> None:
    run = live.train(5)
    assert len(run) == 5
    assert list(run) == [0, 1, 2, 3, 4]
    assert run.state == "finished" and run.recorder.done == 5


def test_no_step_is_a_run_as_well() -> None:
    run = live.train(0)
    assert list(run) == [] and run.state == "finished"


def test_a_second_loop_over_a_run_is_refused_in_words() -> None:
    run = live.train(2)
    list(run)
    with pytest.raises(RuntimeError, match=r"live.train\(\) makes another"):
        list(run)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"steps": -1}, "number of steps"),
        ({"steps": 3, "panels": ("losses",)}, "no panel 'losses'"),
        ({"steps": 3, "view": "window"}, "no view 'window'"),
    ],
)
def test_what_train_cannot_do_is_said_at_once(wrong: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        live.train(**wrong)


@pytest.mark.parametrize(("view", "every"), [("text", 10), ("none", 40)])
def test_a_long_run_reads_every_few_losses_and_the_first_and_the_last(
    view: str, every: int
) -> None:
    class Loss:
        read = 0

        def item(self) -> float:
            Loss.read += 1
            return math.nan if run.step > 70_001 else 1.0

    for _ in (run := live.train(80_000, view=view)):
        run.log(loss=Loss())
    losses = run.recorder.series["loss"]
    assert run.every == every
    assert len(losses) == Loss.read
    assert 80_000 // every < Loss.read < 1.25 * 80_000 // every  # more of the first
    assert (losses.first[0], losses.last[0]) == (0, 79_999)
    told = re.search(r"loss NaN at the latest from step ([\d,]+)$", str(run))
    assert 70_002 <= int(told[1].replace(",", "")) <= 70_001 + every


def test_the_first_losses_of_a_long_run_are_all_read() -> None:
    for step in (run := live.train(10**6)):
        run.log(loss=1.0)
        if step == 149:
            break
    assert len(run.recorder.series["loss"]) == 150


@pytest.mark.parametrize("first", ["loss", "model"])
def test_loss_and_model_may_be_logged_one_after_the_other(first: str) -> None:
    model = nn.Linear(2, 2)
    calls = {"loss": {"loss": 1.0}, "model": {"model": model}}
    second = "model" if first == "loss" else "loss"
    together, apart = live.train(20_000), live.train(20_000)
    for _ in zip(together, apart, strict=True):
        together.log(loss=1.0, model=model)
        apart.log(**calls[first])
        apart.log(**calls[second])
    losses = [len(run.recorder.series["loss"]) for run in (together, apart)]
    assert losses[0] == losses[1] > 2_000


def test_a_shorter_run_reads_every_loss_that_is_logged() -> None:
    for _ in (run := live.train(300)):
        run.log(loss=1.0)
        run.log(loss=2.0)
    assert len(run.recorder.series["loss"]) == 600


def test_stop_ends_the_loop_before_the_next_step() -> None:
    run, steps = live.train(100), []
    for step in run:
        steps.append(step)
        if step == 7:
            run.stop()
    assert steps == list(range(8))
    assert run.state == "stopped" and run.step == 8


def test_a_stop_in_the_last_step_leaves_a_finished_run() -> None:
    run = live.train(3)
    for step in run:
        if step == 2:
            run.stop()
    assert run.state == "finished"


def test_a_pause_holds_the_step_until_it_may_go_on(watched: Any) -> None:
    run, watcher = watched(20)
    seen: list[int] = []

    def act() -> None:
        while run.state != "paused":
            time.sleep(0.005)
        held = len(seen)
        time.sleep(0.15)
        seen.append(-1 if len(seen) == held else -2)
        run.go_on()

    thread = threading.Thread(target=act)
    thread.start()
    for step in run:
        seen.append(step)
        if step == 5:
            run.pause()
    thread.join()
    assert seen == [*range(6), -1, *range(6, 20)]
    assert "paused" in watcher.states
    assert run.recorder.elapsed < 0.15


def test_a_paused_run_can_be_stopped(watched: Any) -> None:
    run, _ = watched(20)
    threading.Timer(0.1, run.stop).start()
    for _ in run:
        run.pause()
    assert run.state == "stopped" and run.step == 1


def test_the_learning_rate_is_steered_from_the_next_step_on() -> None:
    run, rates = live.train(6, lr=0.1), []
    for step in run:
        rates.append(run.lr)
        if step == 2:
            run.steer(0.01)
    assert rates == [0.1, 0.1, 0.1, 0.01, 0.01, 0.01]
    assert [(t.step, t.lr) for t in run.turns] == [(3, 0.01)]


def test_a_drag_through_many_rates_is_one_mark() -> None:
    run = live.train(10, lr=0.1)
    for step in run:
        if step == 4:
            for rate in (0.09, 0.05, 0.02):
                run.steer(rate)
    assert [(t.step, t.lr) for t in run.turns] == [(5, 0.02)]


def test_a_schedule_is_followed_and_multiplied() -> None:
    run, rates = live.train(4, lr=lambda step: 0.1 if step < 2 else 0.01), []
    for step in run:
        rates.append(run.lr)
        if step == 0:
            run.steer(0.2)
    assert rates == pytest.approx([0.1, 0.2, 0.02, 0.02])


def test_the_loop_may_set_the_learning_rate_itself() -> None:
    run, rates = live.train(4, lr=0.1), []
    for step in run:
        if step == 2:
            run.lr = 0.01
        rates.append(run.lr)
    assert rates == [0.1, 0.1, 0.01, 0.01]


# ------------------------------------------------------------ how it ends


def failing(run: Run, at: int, error: BaseException) -> None:
    for step in run:
        run.log(loss=1.0)
        if step == at:
            raise error


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt()])
def test_an_exception_goes_through_and_the_picture_stays(
    watched: Any, error: BaseException
) -> None:
    run, watcher = watched(50)
    with pytest.raises(type(error)) as raised:
        failing(run, 13, error)
    assert raised.value is error
    assert run.over and run.step == 13
    assert watcher.acts[-1] == "end"


def in_a_cell(code: str, run: Run) -> None:
    """Run code as a cell of a plain IPython, which tells how it ended."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        shell.showtraceback = lambda *a, **k: None
        shell.user_ns["run"] = run
        shell.run_cell(code)
    finally:
        InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    ("body", "state", "reason"),
    [
        ("1 / (3 - step)", "failed", "ZeroDivisionError"),
        ("if step == 3: raise KeyboardInterrupt", "interrupted", "KeyboardInterrupt"),
        ("if step == 3: break", "left", ""),
    ],
)
def test_in_a_cell_the_picture_says_what_ended_the_loop(
    watched: Any, body: str, state: str, reason: str
) -> None:
    run, watcher = watched(50)
    in_a_cell(f"for step in run:\n    run.log(loss=1.0)\n    {body}\n", run)
    assert (run.state, run.reason, run.step) == (state, reason, 3)
    assert watcher.acts[-1] == "end"
    assert watcher.acts.count("end") == 1


def test_an_exception_after_a_break_is_not_blamed_on_the_loop(watched: Any) -> None:
    run, _ = watched(50)
    in_a_cell("for step in run:\n    if step == 3: break\n1 / 0\n", run)
    assert run.state == "left"


def test_an_exception_that_the_cell_catches_reads_left(watched: Any) -> None:
    run, _ = watched(50)
    loop = "try:\n    for step in run: 1 / (3 - step)\nexcept ZeroDivisionError: pass\n"
    in_a_cell(loop + "open('there is no such file')\n", run)
    assert run.state == "left" and run.step == 3


def test_a_loop_in_a_function_is_known_by_its_line(watched: Any) -> None:
    run, _ = watched(50)
    in_a_cell("def go():\n    for step in run:\n        1 / (3 - step)\ngo()\n", run)
    assert run.reason == "ZeroDivisionError"


# ------------------------------------------------------------ interrupts


def test_where_no_control_works_an_interrupt_stops_and_a_second_one_raises(
    watched: Any,
) -> None:
    run, _ = watched(1000, steers=False)
    for step in run:
        if step == 4:
            os.kill(os.getpid(), signal.SIGINT)
    assert run.state == "stopped" and run.step == 5
    run, _ = watched(1000, steers=False)
    with pytest.raises(KeyboardInterrupt):
        for _ in run:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)


def test_where_controls_work_an_interrupt_raises_at_once(watched: Any) -> None:
    run, _ = watched(1000)
    with pytest.raises(KeyboardInterrupt):
        for _ in run:
            os.kill(os.getpid(), signal.SIGINT)
    assert run.step == 0


def test_an_interrupt_in_a_pause_goes_through_and_is_marked(watched: Any) -> None:
    run, watcher = watched(1000)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        for _ in run:
            run.pause()
    assert run.state == "interrupted" and watcher.acts[-1] == "end"


def test_without_a_display_an_interrupt_is_nobodys_business() -> None:
    before = signal.getsignal(signal.SIGINT)
    for _ in live.train(3, view="none"):
        assert signal.getsignal(signal.SIGINT) is before


def test_the_handler_of_before_is_back_after_runs_that_overlap(watched: Any) -> None:
    before = signal.getsignal(signal.SIGINT)
    (one, _), (two, _) = watched(10), watched(5)
    for _ in zip(one, two, strict=False):
        assert signal.getsignal(signal.SIGINT) is interrupts._pressed
    assert one.over and two.over
    assert signal.getsignal(signal.SIGINT) is before
    assert interrupts._runs == []


# ------------------------------------------------------------ nothing breaks it


@pytest.mark.parametrize("act", ["show", "draw", "end"])
def test_a_display_that_fails_does_not_stop_the_loop(
    watched: Any, act: str, capsys: pytest.CaptureFixture
) -> None:
    run, watcher = watched(300, fails=act)
    for step in run:
        run.log(loss=1.0 / (step + 1))
    assert run.state == "finished" and run.recorder.done == 300
    told = capsys.readouterr().err
    assert "live picture has stopped (RuntimeError: the display broke)" in told
    assert watcher.acts.count(act) == 1


class Broken(nn.Linear):
    def named_modules(self, *args: Any, **options: Any) -> Any:
        raise AttributeError("no modules today")


def test_a_model_that_cannot_be_watched_is_trained_all_the_same(
    watched: Any, capsys: pytest.CaptureFixture
) -> None:
    run, _ = watched(20)
    model = Broken(2, 1)
    for _ in run:
        run.log(loss=model(torch.ones(1, 2)).sum(), model=model)
    assert run.state == "finished" and run.seen is None
    assert capsys.readouterr().err.count("cannot be watched") == 1


def test_hooks_are_gone_however_the_loop_ends(watched: Any) -> None:
    for at in (None, 3):
        run, _ = watched(10)
        model = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
        hung = []
        try:
            for step in run:
                loss = model(torch.ones(4, 3)).square().mean()
                run.log(loss=loss, model=model)
                hung.append(any(m._forward_hooks for m in model.modules()))
                if step == at:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        assert any(hung)
        assert not any(m._forward_hooks for m in model.modules())


def test_a_run_that_is_over_lets_go_of_the_model(watched: Any) -> None:
    run, _ = watched(5)
    model = nn.Linear(2, 1)
    gone = weakref.ref(model)
    for _ in run:
        run.log(loss=1.0, model=model)
    run.log(model=model)
    del model
    assert gone() is None


def test_the_model_is_watched_and_its_ratios_are_kept(watched: Any) -> None:
    run, _ = watched(30, lr=0.1)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    for _ in run:
        loss = model(torch.randn(8, 3)).square().mean()
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= run.lr * p.grad
        run.log(loss=loss, model=model)
    assert run.seen is not None and run.seen.step == 29  # the last step is looked at
    assert set(run.ratios) >= {"0.weight", "2.weight"}
    assert len(run.ratios["0.weight"]) > 1


def test_a_panel_of_losses_alone_never_looks_at_the_model(watched: Any) -> None:
    run, _ = watched(5, panels=("loss",))
    for _ in run:
        run.log(loss=1.0, model=Broken(2, 1))
    assert run.seen is None


def test_runs_in_threads_end_apart(watched: Any) -> None:
    runs = [watched(200)[0] for _ in range(3)]

    def go(run: Run, stop: int) -> None:
        for step in run:
            run.log(loss=1.0)
            if step == stop:
                run.stop()

    threads = [
        threading.Thread(target=go, args=(run, stop))
        for run, stop in zip(runs, (10, 50, 999), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.state for run in runs] == ["stopped", "stopped", "finished"]
    assert [run.recorder.done for run in runs] == [11, 51, 200]


def test_two_runs_may_watch_one_model(watched: Any) -> None:
    (one, _), (two, _) = watched(20), watched(20)
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    for _ in zip(one, two, strict=True):
        loss = model(torch.ones(4, 3)).square().mean()
        one.log(loss=loss, model=model)
        two.log(loss=loss, model=model)
    assert one.seen is not None and two.seen is not None
    assert not any(m._forward_hooks for m in model.modules())


def test_a_figure_worked_out_after_the_loop_is_in_the_picture(watched: Any) -> None:
    run, watcher = watched(3)
    for _ in run:
        run.log(loss=1.0)
    run.log(dev=2.0)
    assert run.recorder.series["dev"].now == 2.0
    assert watcher.acts[-2:] == ["end", "end"]


def test_check_mode_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    for kind in (None, "widget", "text"):
        run = live.train(3, view=kind)
        for _ in run:
            run.log(loss=1.0)
        assert run._view is None and run._repr_png_() is None
    assert capsys.readouterr() == ("", "")
