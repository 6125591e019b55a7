"""A learner's code can neither hang nor kill nor litter what runs it."""

import builtins
import contextlib
import gc
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
import weakref

import pytest

from workbook.checks import guard
from workbook.checks.guard import FLOOD, MEMORY, TIME, guarded
from workbook.checks.surroundings import Shared

LIMIT = 0.3


def swallow():
    while True:
        try:
            while True:
                pass
        except:  # noqa: E722
            pass


def swallow_in_swallow():
    while True:
        try:
            swallow()
        except BaseException:
            pass
        finally:
            with contextlib.suppress(BaseException):
                swallow()


def recurse_for_ever():
    def deeper():
        return deeper()

    while True:
        with contextlib.suppress(BaseException):
            deeper()


def hide_in_a_generator():
    def numbers():
        while True:
            try:  # noqa: SIM105
                yield 1
            except:  # noqa: E722
                pass

    while True:
        try:
            for _ in numbers():
                pass
        except:  # noqa: E722
            pass


def hide_in_a_finalizer():
    class Stubborn:
        def __del__(self):
            swallow()

    while True:
        Stubborn()


ENDLESS = [
    swallow,
    swallow_in_swallow,
    recurse_for_ever,
    hide_in_a_generator,
    hide_in_a_finalizer,
    lambda: sum(1 for _ in iter(int, 1)),
    lambda: time.sleep(60),
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("work", ENDLESS)
def test_what_never_ends_is_ended(work):
    start = time.monotonic()
    outcome = guarded(work, LIMIT)
    assert outcome.stopped == TIME
    assert time.monotonic() - start < 5 * LIMIT + 2  # longest on a busy machine
    assert alive() == 0


def alive() -> int:
    end = time.monotonic() + 1
    while (n := sum(t.name == "learner's code" for t in threading.enumerate())) and (
        time.monotonic() < end
    ):
        time.sleep(0.01)
    return n


def test_what_waits_in_c_is_left_behind_and_the_next_work_is_not_disturbed(monkeypatch):
    monkeypatch.setattr(guard, "_PERSISTENCE", 0.1)
    gate = threading.Event()
    before = sys.stdout
    outcome = guarded(lambda: (gate.wait(), print("late")), LIMIT)
    assert outcome.stopped == TIME
    assert sys.stdout is before
    assert guarded(lambda: 7, LIMIT).value == 7
    gate.set()
    assert alive() == 0


def test_a_value_and_an_error_come_out():
    assert guarded(lambda: 3, LIMIT).value == 3
    assert isinstance(guarded(lambda: 1 / 0, LIMIT).error, ZeroDivisionError)


@pytest.mark.skipif(not guard._memory(), reason="this system tells no memory")
def test_memory_without_end_is_ended(monkeypatch):
    monkeypatch.setattr(guard, "_GREED", 10**8)

    def grow():
        kept = []
        while True:
            kept.append([0] * 10_000)

    assert guarded(grow, 20).stopped == MEMORY


def test_a_search_for_what_is_left_is_not_the_works_own_time():
    heap = [[] for _ in range(2_000_000)]
    start = time.process_time()
    gc.collect()
    cost = time.process_time() - start
    assert guarded(lambda: gc.collect() and None, 0.6 * cost).stopped == ""

    def for_ever():
        while True:
            gc.collect()

    start = time.monotonic()
    assert guarded(for_ever, 2 * cost).stopped == TIME
    assert time.monotonic() - start < 5 * 4 * cost + 2
    del heap


def test_what_was_stopped_is_told_by_its_line_and_let_go():
    class Large:
        pass

    held = []

    def work():
        large = Large()
        held.append(weakref.ref(large))
        while True:
            pass

    code, line = guarded(work, LIMIT).at
    assert code is work.__code__ and line - code.co_firstlineno in (3, 4)
    assert alive() == 0
    assert held[0]() is None


@pytest.mark.skipif(not guard._memory(), reason="this system tells no memory")
def test_one_huge_list_is_refused():
    assert isinstance(guarded(lambda: [0] * 10**11, 5).error, MemoryError)


@pytest.mark.parametrize(
    ("share", "naps", "seconds"),
    [(0.1, False, 10), (0.0, False, 10), (0.0, True, 2)],
    ids=["waits for a processor", "waits for anything else", "sleeps"],
)
def test_what_waits_has_five_limits_and_what_sleeps_has_one(
    monkeypatch, share, naps, seconds
):
    now = 0.0
    monkeypatch.setattr(guard.time, "monotonic", lambda: now)
    allowed = guard._Time(2.0, lambda: share * now)
    for now in map(float, range(1, seconds + 1)):  # noqa: B007
        assert not allowed.is_over(naps)
    now += 0.1
    assert allowed.is_over(naps)


def test_what_another_thread_does_is_not_the_answer_s_work():
    going = True

    def count():
        while going:
            pass

    threading.Thread(target=count, daemon=True).start()
    outcome = guarded(lambda: threading.Event().wait(3 * LIMIT), LIMIT)
    going = False
    assert outcome.value is False and not outcome.stopped


def test_a_lock_that_opens_late_is_waited_for_and_a_sleep_is_not():
    gate = threading.Event()
    threading.Timer(3 * LIMIT, gate.set).start()
    assert guarded(gate.wait, LIMIT).value is True
    slept = guarded(lambda: time.sleep(10), LIMIT)
    assert slept.stopped == TIME and not slept.starved


@pytest.mark.skipif(os.name != "posix", reason="stops a process by a signal")
def test_a_machine_that_stands_still_takes_no_time_from_the_answer():
    code = """
import sys, time
from workbook.checks.guard import guarded
def work():
    print("begun", file=sys.__stderr__, flush=True)
    time.sleep(0.5)
outcome = guarded(work, 1.0)
print(repr(outcome.stopped), outcome.seconds > 2)
"""
    program = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stderr.readline() == "begun\n"
    os.kill(program.pid, signal.SIGSTOP)
    time.sleep(2.5)
    os.kill(program.pid, signal.SIGCONT)
    assert program.communicate(timeout=60)[0] == "'' True\n"


# ---------------------------------------------------------------- printing


def test_what_is_printed_is_kept_and_not_shown(capsys):
    outcome = guarded(lambda: print("hello"), LIMIT)
    assert outcome.printed == "hello\n"
    assert capsys.readouterr().out == ""


def test_a_flood_is_ended_and_bounded():
    outcome = guarded(lambda: print("x" * 10_000_000), LIMIT)
    assert outcome.stopped == FLOOD
    assert len(outcome.printed) == 100_000


def test_a_flood_that_is_swallowed_is_a_flood():
    def work():
        for _ in range(1_000):
            with contextlib.suppress(BaseException):
                print("x" * 1_000)
        return 1

    assert guarded(work, 5).stopped == FLOOD


def test_other_threads_print_where_they_did(capsys):
    go, said = threading.Event(), threading.Event()

    def other():
        go.wait()
        print("from outside")
        said.set()

    thread = threading.Thread(target=other)
    thread.start()

    def work():
        go.set()
        said.wait()
        print("from inside")

    assert guarded(work, 5).printed == "from inside\n"
    thread.join()
    assert capsys.readouterr().out == "from outside\n"


# ---------------------------------------------------------------- exits


EXITS = {
    "sys.exit": lambda: sys.exit(3),
    "exit": lambda: builtins.exit(),
    "quit": lambda: builtins.quit(),
    "os._exit": lambda: os._exit(3),
    "os.abort": lambda: os.abort(),
    "os.kill": lambda: os.kill(os.getpid(), signal.SIGTERM),
}


@pytest.mark.parametrize("name", EXITS)
def test_an_exit_ends_only_the_work(name):
    stdin = sys.stdin
    assert isinstance(guarded(EXITS[name], LIMIT).error, SystemExit)
    assert sys.stdin is stdin


@pytest.mark.parametrize("wait", [input, breakpoint], ids=["input", "breakpoint"])
def test_nobody_is_asked_to_type(wait):
    asking = getattr(builtins, wait.__name__)
    outcome = guarded(lambda: getattr(builtins, wait.__name__)(), LIMIT)
    assert isinstance(outcome.error, RuntimeError)
    assert getattr(builtins, wait.__name__) is asking


def test_the_exits_of_other_threads_stay_open():
    with guard.exits_taken(lambda: False, []), pytest.raises(ProcessLookupError):
        os.kill(2**22 + 1, 0)


# ---------------------------------------------------------------- surroundings


def change_everything():
    random.seed(1)
    sys.setrecursionlimit(50_000)
    os.chdir("/")
    os.environ["WORKBOOK_TEST"] = "1"
    sys.path.append("/nowhere")
    warnings.simplefilter("error")
    math.exp = None
    math.pi = 3
    builtins.sum = max
    del builtins.sorted
    sys.modules["math"] = random
    time.sleep = print
    sys.stdout = None


def everything() -> list:
    return [
        random.getstate(),
        sys.getrecursionlimit(),
        os.getcwd(),
        dict(os.environ),
        list(sys.path),
        list(warnings.filters),
        (math.exp, math.pi, sum, sorted, time.sleep),
        sys.modules["math"],
        (sys.stdin, sys.stdout, sys.stderr),
        sys.getswitchinterval(),
    ]


def test_everything_is_put_back():
    before = everything()
    assert guarded(change_everything, 5).error is None
    assert everything() == before


def test_everything_is_put_back_after_a_time_out():
    def work():
        change_everything()
        swallow()

    before = everything()
    assert guarded(work, LIMIT).stopped == TIME
    assert everything() == before


def test_torchs_settings_are_put_back():
    torch = pytest.importorskip("torch")

    def work():
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(5)
        torch.tanh = torch.relu

    before = torch.get_default_dtype(), torch.get_rng_state().tolist(), torch.tanh
    assert guarded(work, 5).error is None
    after = torch.get_default_dtype(), torch.get_rng_state().tolist(), torch.tanh
    assert after == before


def test_shared_names_that_were_replaced_are_told():
    shared = Shared()
    math.exp, right = abs, math.exp
    assert shared.put_back() == ["math.exp"]
    assert math.exp is right
    assert shared.put_back() == []


def test_a_recursion_limit_that_was_raised_before_does_not_count():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:

        def down(n: int) -> int:
            return n and down(n - 1)

        assert isinstance(guarded(lambda: down(5_000), 5).error, RecursionError)
        assert sys.getrecursionlimit() == 20_000
    finally:
        sys.setrecursionlimit(before)


# ---------------------------------------------------------------- several at once


def test_two_threads_take_turns():
    found: dict[str, str] = {}

    def one(name: str) -> None:
        def work():
            for _ in range(20):
                print(name, end="")
                time.sleep(0.001)

        found[name] = guarded(work, 5).printed

    threads = [threading.Thread(target=one, args=(name,)) for name in "ab"]
    before = sys.stdout, os._exit
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"a": "a" * 20, "b": "b" * 20}
    assert (sys.stdout, os._exit) == before


def test_work_inside_work_is_refused():
    outcome = guarded(lambda: guarded(lambda: 1, 1), 5)
    assert isinstance(outcome.error, RuntimeError)
    assert "a cell of its own" in str(outcome.error)


def test_an_interrupt_stops_the_work_and_goes_through():
    before = everything()
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        guarded(swallow, 10)
    timer.join()
    assert alive() == 0
    assert everything() == before


def test_an_import_is_no_slowness_and_is_never_stopped_halfway(tmp_path, monkeypatch):
    """A module that is stopped halfway stays half made for as long as we live."""
    text = "import time\nfor _ in range(50):\n    time.sleep(0.02)\nready = True\n"
    (tmp_path / "a_slow_import.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def work():
        import a_slow_import

        return a_slow_import.ready

    outcome = guarded(work, LIMIT)
    assert (outcome.value, outcome.error, outcome.stopped) == (True, None, "")


def test_an_import_that_never_ends_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "_IMPORTS", 0.3)
    text = "while True:\n    pass\n"
    (tmp_path / "an_endless_import.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def work():
        import an_endless_import  # noqa: F401

    assert guarded(work, LIMIT).stopped == TIME
    assert alive() == 0
