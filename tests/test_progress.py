"""Work is never lost: verdicts, hints, ticks and predictions."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import filelock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook import progress as module
from workbook.progress import Progress, ProgressError, write_atomically

PACKAGE = Path(module.__file__).parents[1]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    monkeypatch.delenv("WORKBOOK_CHECK", raising=False)
    monkeypatch.setenv("WORKBOOK_PROGRESS", str(tmp_path / "desk" / "progress.json"))
    return tmp_path / "desk" / "progress.json"


def on_disk(path: Path) -> dict:
    return json.loads(path.read_text())


def put(path: Path, content: bytes | str | dict) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, dict):
        content = json.dumps(content)
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(raw)
    return raw


def beside(path: Path, label: str) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.{label}*"))


# -- what is remembered -----------------------------------------------------------


def test_what_was_never_checked_is_open_and_no_file_is_made(path):
    progress = Progress.load()
    assert progress.state("micrograd.value") == "open"
    assert progress.hint_level("micrograd.value") == 0
    assert not progress.ticked("micrograd.watch_video")
    assert progress.prediction("bigram.loss") is None
    assert progress.note == ""
    assert not path.exists()


def test_what_is_recorded_is_there_for_the_next_kernel(path):
    one = Progress.load()
    one.record_check("micrograd.value", "passed", 1, "abc")
    one.record_hint("micrograd.value", 2)
    one.record_prediction("bigram.loss", 3.3, 3.2958, "nats")
    one.tick("micrograd.watch_video")
    for progress in (one, Progress.load(path)):
        assert progress.state("micrograd.value", version=1) == "passed"
        assert progress.verdict("micrograd.value")["answer"] == "abc"
        assert progress.hint_level("micrograd.value") == 2
        assert progress.prediction("bigram.loss")["guess"] == 3.3
        assert progress.prediction("bigram.loss")["unit"] == "nats"
        assert progress.ticked("micrograd.watch_video")


def test_a_pass_of_another_version_reads_recheck(path):
    progress = Progress.load()
    progress.record_check("micrograd.value", "passed", 1, "abc")
    assert progress.state("micrograd.value") == "passed"
    assert progress.state("micrograd.value", version=2) == "recheck"
    progress.record_check("micrograd.value", "passed", 2, "abc")
    assert progress.state("micrograd.value", version=2) == "passed"


def test_the_latest_verdict_wins_and_the_pass_stays_in_the_history(path):
    progress = Progress.load()
    progress.record_check("a.b", "passed", 1, "abc", NOON)
    progress.record_check("a.b", "not yet", 1, "def", NOON + timedelta(hours=1))
    assert progress.state("a.b", 1) == "not yet"
    assert progress.verdict("a.b")["passed_at"] == {"1": "2026-11-22T12:00:00.000000Z"}


@pytest.mark.parametrize("before", ["passed", "not yet"])
def test_an_open_verdict_never_overwrites_one_that_was_started(path, before):
    progress = Progress.load()
    progress.record_check("a.b", before, 1, "abc")
    progress.record_check("a.b", "open", 1, "")
    assert Progress.load().state("a.b") == before


def test_a_verdict_of_today_counts_although_the_clock_was_ahead_once(path):
    progress = Progress.load()
    ahead = datetime.now(UTC) + timedelta(days=400)
    progress.record_check("a.b", "not yet", 1, "x", ahead)
    progress.record_check("a.b", "passed", 1, "y")
    assert Progress.load().state("a.b") == "passed"


def test_of_two_verdicts_at_one_moment_the_second_counts(path):
    progress = Progress.load()
    for state in ("passed", "not yet", "passed"):
        progress.record_check("a.b", state, 1, "x", NOON)
        assert progress.state("a.b") == state


def test_a_state_that_no_check_gives_is_refused(path):
    with pytest.raises(ValueError, match="recheck"):
        Progress.load().record_check("a.b", "recheck", 1, "x")


def test_the_deepest_hint_counts_and_the_same_again_writes_nothing(path):
    progress = Progress.load()
    progress.record_hint("a.b", 3)
    before = path.stat().st_mtime_ns
    progress.record_hint("a.b", 1)
    progress.record_hint("a.b", 3)
    assert progress.hint_level("a.b") == 3
    assert path.stat().st_mtime_ns == before


def test_a_tick_sees_that_another_kernel_unticked(path):
    one, other = Progress.load(), Progress.load()
    one.tick("a.video")
    other.untick("a.video")
    one.tick("a.video")
    assert Progress.load().ticked("a.video")


def test_a_guess_given_as_a_tensor_is_kept_as_its_number(path):
    class Tensor:
        def item(self):
            return 2.5

    progress = Progress.load()
    progress.record_prediction("a.loss", Tensor(), object(), "nats")
    assert on_disk(path)["predictions"]["a.loss"]["guess"] == 2.5
    assert isinstance(Progress.load().prediction("a.loss")["result"], str)


def test_check_mode_writes_nothing_and_remembers_in_memory(path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    progress = Progress.load()
    progress.record_check("a.b", "passed", 1, "abc")
    assert progress.state("a.b") == "passed"
    assert not path.parent.exists()


def test_check_mode_leaves_a_damaged_file_where_it_is(path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    raw = put(path, "{")
    assert "damaged" in Progress.load().note
    assert path.read_bytes() == raw
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_link_stays_a_link(path, tmp_path):
    real = tmp_path / "cloud" / "progress.json"
    put(real, {"schema": 1})
    path.parent.mkdir()
    path.symlink_to(real)
    Progress.load().tick("a.video")
    assert path.is_symlink()
    assert on_disk(real)["items"]["a.video"]["ticked"]


def test_the_rights_of_the_file_stay(path):
    Progress.load().tick("a.one")
    path.chmod(0o640)
    Progress.load().tick("a.two")
    assert path.stat().st_mode & 0o777 == 0o640


# -- damaged, older, newer --------------------------------------------------------

WRECKS = {
    "empty": b"",
    "truncated": b'{"schema": 1, "passes": {"a.b": {"sta',
    "binary": bytes(range(256)),
    "zeros": b"\0" * 400,
    "a list": b"[1, 2]",
    "a number": b"12",
    "null": b"null",
    "conflict": b'<<<<<<< HEAD\n{"schema": 1}\n=======\n{}\n>>>>>>> theirs\n',
    "deep": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "long number": b'{"schema": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("wreck", WRECKS)
def test_a_damaged_file_is_set_aside_whole_and_work_goes_on(path, wreck):
    raw = put(path, WRECKS[wreck])
    progress = Progress.load()
    (kept,) = beside(path, "damaged-")
    assert kept.read_bytes() == raw
    assert kept.name in progress.note and progress.note.endswith(".")
    progress.tick("a.video")
    again = Progress.load()
    assert again.ticked("a.video") and again.note == ""
    assert beside(path, "damaged-") == [kept]


def test_a_file_that_breaks_while_a_kernel_runs_is_set_aside_too(path):
    progress = Progress.load()
    raw = put(path, "{")
    progress.tick("a.video")
    (kept,) = beside(path, "damaged-")
    assert kept.read_bytes() == raw and kept.name in progress.note


def test_damaged_files_never_overwrite_one_another(path):
    wrecks = {put(path, f"wreck {n}") for n in range(5) if not put_and_load(path, n)}
    assert {kept.read_bytes() for kept in beside(path, "damaged-")} == wrecks
    assert len(wrecks) == 5


def put_and_load(path: Path, n: int) -> None:
    put(path, f"wreck {n}")
    Progress.load()


def test_names_of_files_set_aside_suit_every_system(path):
    put(path, "{")
    Progress.load()
    for name in os.listdir(path.parent):
        assert not set(name) & set('<>:"/\\|?*')


def test_sensible_entries_of_a_partly_damaged_file_are_kept(path):
    raw = put(
        path,
        {
            "schema": 1,
            "passes": {
                "good.one": {"state": "passed", "version": 1, "answer": "x"},
                "bad.state": {"state": "perfect"},
                "bad.type": 7,
                "bad.when": {"state": "passed", "version": "1", "when": [3]},
            },
            "hints": ["no", "table"],
            "items": {"a.video": {"ticked": True}, "b.video": {"ticked": "yes"}},
        },
    )
    progress = Progress.load()
    assert progress.state("good.one", 1) == "passed"
    assert progress.state("bad.when", 1) == "recheck"
    assert progress.state("bad.state") == progress.state("bad.type") == "open"
    assert progress.ticked("a.video") and not progress.ticked("b.video")
    (kept,) = beside(path, "damaged-")
    assert kept.read_bytes() == raw and "3 entries" in progress.note
    assert Progress.load().note == ""


def test_a_sparse_file_written_by_hand_is_no_damage(path):
    put(path, {"schema": 1, "passes": {"a.b": {"state": "passed"}}})
    progress = Progress.load()
    assert progress.note == "" and progress.state("a.b") == "passed"
    progress.tick("a.video")
    assert Progress.load().state("a.b") == "passed"


def test_an_older_file_is_lifted_and_kept(path):
    raw = put(path, {"passes": {"a.b": "passed"}, "hints": {"a.b": 2}, "mine": 1})
    progress = Progress.load()
    assert progress.state("a.b") == "passed" and progress.hint_level("a.b") == 2
    (kept,) = beside(path, "schema-0")
    assert kept.read_bytes() == raw and kept.name in progress.note
    assert on_disk(path)["schema"] == 1 and on_disk(path)["mine"] == 1


def test_a_newer_file_is_copied_read_and_keeps_what_we_do_not_know(path):
    newer = {
        "schema": 7,
        "passes": {
            "a.b": {"state": "passed", "version": 1, "when": "2030-01-01", "mood": 3},
            "c.d": {"state": "admired"},
        },
        "medals": {"gold": [1, 2]},
    }
    raw = put(path, newer)
    progress = Progress.load()
    assert "newer" in progress.note
    assert path.read_bytes() == raw
    (kept,) = beside(path, "schema-7")
    assert kept.read_bytes() == raw
    assert progress.state("a.b") == "passed" and progress.state("c.d") == "open"
    progress.tick("a.video")
    assert on_disk(path) == {**newer, "items": on_disk(path)["items"]}
    assert Progress.load().ticked("a.video")
    assert beside(path, "schema-7") == [kept]


@pytest.mark.parametrize("passes", [["another form"], {"a.b": {"state": "admired"}}])
def test_an_entry_of_a_newer_form_is_not_overwritten(path, passes):
    raw = put(path, {"schema": 2, "passes": passes})
    with pytest.raises(ProgressError, match="newer workbook"):
        Progress.load().record_check("a.b", "passed", 1, "x")
    assert path.read_bytes() == raw


def test_unknown_keys_are_preserved_when_writing(path):
    entry = {"state": "not yet", "version": 1, "answer": "", "note": "mine"}
    put(path, {"schema": 1, "passes": {"a.b": entry}, "theme": {"dark": True}})
    Progress.load().tick("a.video")
    assert on_disk(path)["theme"] == {"dark": True}
    assert on_disk(path)["passes"]["a.b"]["note"] == "mine"


# -- what cannot be written -------------------------------------------------------


def is_one_sentence(error: Exception, path: Path) -> bool:
    text = str(error)
    return "\n" not in text and text.endswith(".") and str(path) in text


def test_a_read_only_folder_is_read_and_refuses_in_one_sentence(path, monkeypatch):
    raw = put(path, "{")

    def no(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.filelock.FileLock, "acquire", no)
    progress = Progress.load()
    assert "damaged" in progress.note
    with pytest.raises(ProgressError) as error:
        progress.tick("a.video")
    assert is_one_sentence(error.value, path)
    assert path.read_bytes() == raw


def test_a_read_only_file_is_read_and_not_replaced(path, monkeypatch):
    Progress.load().tick("a.video")
    raw = path.read_bytes()
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    progress = Progress.load()
    assert progress.ticked("a.video") and progress.note == ""
    with pytest.raises(ProgressError, match="read-only") as error:
        progress.untick("a.video")
    assert is_one_sentence(error.value, path)
    assert path.read_bytes() == raw


@pytest.mark.skipif(not hasattr(os, "fork"), reason="rights of another kind")
def test_rights_on_a_real_disk_are_respected(monkeypatch):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "progress.json")
        Progress.load(path).tick("a.video")
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        assert in_a_fork_without_rights(lambda: is_read_but_not_written(path))
        Path(folder).chmod(0o755)


def is_read_but_not_written(path: Path) -> bool:
    progress = Progress.load(path)
    try:
        progress.untick("a.video")
    except ProgressError as error:
        return progress.ticked("a.video") and is_one_sentence(error, path)
    return False


def in_a_fork_without_rights(act) -> bool:
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:  # root may write everywhere, nobody nowhere
                os.setuid(65534)
            os._exit(0 if act() else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1] == 0


def test_a_folder_in_the_file_s_place_is_no_crash(path):
    path.mkdir(parents=True)
    progress = Progress.load()
    assert "cannot be read" in progress.note
    with pytest.raises(ProgressError) as error:
        progress.tick("a.video")
    assert is_one_sentence(error.value, path)


def test_a_lock_that_is_never_released_ends_in_one_sentence(path, monkeypatch):
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.05)
    Progress.load().tick("a.video")
    raw = path.read_bytes()
    with (
        filelock.FileLock(path.with_name(".progress.json.lock")),
        pytest.raises(ProgressError, match="in use") as error,
    ):
        Progress.load().untick("a.video")
    assert is_one_sentence(error.value, path)
    assert path.read_bytes() == raw


@pytest.mark.parametrize("step", ["fsync", "replace", "open"])
def test_a_disk_that_fails_at_any_step_leaves_the_file_as_it_was(
    path, monkeypatch, step
):
    Progress.load().tick("a.one")
    raw = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    if step == "open":
        monkeypatch.setattr(module, "open", full, raising=False)
    else:
        monkeypatch.setattr(module.os, step, full)
    progress = Progress.load()
    with pytest.raises(ProgressError, match="No space left") as error:
        progress.tick("a.two")
    assert is_one_sentence(error.value, path)
    assert path.read_bytes() == raw
    assert sorted(os.listdir(path.parent)) == [".progress.json.lock", "progress.json"]


# -- two kernels, and killed ones -------------------------------------------------

WRITER = """
import sys
from workbook.progress import Progress
progress = Progress.load()
for n in range(int(sys.argv[2])):
    progress.record_check(f"{sys.argv[1]}.{n}", "passed", 1, "x")
    print(n, flush=True)
"""


def start_writer(name: str, count: int) -> subprocess.Popen:
    env = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, name, str(count)],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_four_kernels_writing_at_once_lose_nothing(path):
    writers = [start_writer(f"k{k}", 50) for k in range(4)]
    errors = [writer.communicate()[1] for writer in writers]
    assert errors == [""] * 4
    passes = on_disk(path)["passes"]
    assert len(passes) == 200
    assert all(passes[f"k{k}.{n}"] for k in range(4) for n in range(50))


def test_threads_of_one_kernel_lose_nothing(path):
    progress = Progress.load()
    threads = [
        threading.Thread(
            target=lambda k=k: [progress.tick(f"t{k}.{n}") for n in range(9)]
        )
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(on_disk(path)["items"]) == 36


def test_a_writer_killed_at_a_random_moment_leaves_a_readable_file(path):
    chance = random.Random(7)
    for round_ in range(20):
        writer = start_writer(f"r{round_}", 10_000)
        writer.stdout.readline()
        time.sleep(chance.random() * 0.03)
        writer.kill()
        written = [line for line in writer.communicate()[0].split("\n")[:-1] if line]
        passes = on_disk(path)["passes"]
        assert f"r{round_}.0" in passes
        # what was reported as recorded is recorded
        assert all(f"r{round_}.{n}" in passes for n in written)
    progress = Progress.load()
    progress.tick("a.video")
    assert progress.note == ""
    assert sorted(os.listdir(path.parent)) == [".progress.json.lock", "progress.json"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_writer_killed_at_any_line_leaves_the_old_file_or_the_new_one(path):
    Progress.load().tick("a.one")
    old = on_disk(path)
    seen = set()
    for step in range(1, 1000):
        put(path, old)
        ended = kill_at_line(
            step, module.__file__, lambda: Progress.load().tick("a.two")
        )
        items = set(on_disk(path)["items"])
        assert items in ({"a.one"}, {"a.one", "a.two"})
        seen.add(len(items))
        if ended:
            break
    assert ended and seen == {1, 2} and step > 50


def kill_at_line(step: int, file: str, act) -> bool:
    """Fork, run `act`, SIGKILL at the step-th line of `file`. True: it ended first."""
    child = os.fork()
    if child == 0:
        left = step

        def on_line(frame, event, _):
            nonlocal left
            if frame.f_code.co_filename != file:
                return None
            if event == "line":
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return on_line

        sys.settrace(on_line)
        try:
            act()
            os._exit(0)
        finally:
            os._exit(3)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL)
    return status == 0


def test_what_a_killed_writer_left_is_tidied_by_the_next(path):
    Progress.load().tick("a.one")
    litter = path.with_name(".progress.json.0badcafe.tmp")
    litter.write_text("half")
    Progress.load().tick("a.two")
    assert not litter.exists()


# -- two machines -----------------------------------------------------------------


def record_somewhere(path: Path, *calls: tuple) -> Path:
    progress = Progress.load(path)
    for name, *arguments in calls:
        getattr(progress, name)(*arguments)
    return path


def test_merging_keeps_what_either_machine_knows(tmp_path):
    later = NOON + timedelta(days=1)
    a = record_somewhere(
        tmp_path / "a.json",
        ("record_check", "x.one", "passed", 1, "a", NOON),
        ("record_check", "x.two", "not yet", 1, "a", NOON),
        ("record_hint", "x.one", 3),
    )
    b = record_somewhere(
        tmp_path / "b.json",
        ("record_check", "x.one", "not yet", 1, "b", later),
        ("record_check", "x.three", "passed", 1, "b", NOON),
        ("record_hint", "x.one", 1),
        ("tick", "x.video"),
    )
    raw = b.read_bytes()
    progress = Progress.load(a)
    assert progress.merge(b) == 3
    assert progress.state("x.one") == "not yet"
    assert progress.verdict("x.one")["passed_at"]["1"].startswith("2026-11-22T12")
    assert progress.state("x.two") == "not yet"
    assert progress.state("x.three") == "passed"
    assert progress.hint_level("x.one") == 3 and progress.ticked("x.video")
    assert b.read_bytes() == raw
    before = a.stat().st_mtime_ns
    assert progress.merge(b) == 0 and a.stat().st_mtime_ns == before


def test_merging_reads_the_folder_of_the_other_machine_too(tmp_path):
    record_somewhere(tmp_path / "usb" / "progress.json", ("tick", "x.video"))
    progress = Progress.load(tmp_path / "a.json")
    assert progress.merge(tmp_path / "usb") == 1 and progress.ticked("x.video")


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{"])
def test_merging_what_is_no_progress_file_changes_nothing(tmp_path, content):
    a = record_somewhere(tmp_path / "a.json", ("tick", "x.video"))
    raw, other = a.read_bytes(), tmp_path / "other.json"
    if content is not None:
        other.write_bytes(content)
    with pytest.raises(ProgressError) as error:
        Progress.load(a).merge(other)
    assert is_one_sentence(error.value, other)
    assert a.read_bytes() == raw
    assert not list(tmp_path.glob("other.json.*"))


_when = st.sampled_from(
    ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00+02:00", "2026-01-02", "junk"]
)
_ids = st.sampled_from(["a.one", "a.two", "b.one"])
_docs = st.fixed_dictionaries(
    {
        "schema": st.just(1),
        "passes": st.dictionaries(
            _ids,
            st.fixed_dictionaries(
                {
                    "state": st.sampled_from(["open", "not yet", "passed"]),
                    "version": st.integers(1, 2),
                    "answer": st.sampled_from(["x", "y"]),
                    "when": _when,
                    "passed_at": st.dictionaries(st.sampled_from(["1", "2"]), _when),
                },
                optional={"mood": st.integers(0, 1)},
            ),
        ),
        "hints": st.dictionaries(
            _ids, st.fixed_dictionaries({"level": st.integers(0, 3), "when": _when})
        ),
        "items": st.dictionaries(
            _ids, st.fixed_dictionaries({"ticked": st.booleans(), "when": _when})
        ),
        "predictions": st.dictionaries(
            _ids,
            st.fixed_dictionaries(
                {"guess": st.floats() | st.text(max_size=2), "when": _when}
            ),
        ),
    },
    optional={"later": st.dictionaries(_ids, st.integers() | st.text(max_size=2))},
)


def merged(one: dict, other: dict) -> dict:
    doc = module._understood(json.loads(json.dumps(one)), b"").doc
    module._take_in(doc, module._understood(json.loads(json.dumps(other)), b"").view)
    return doc


def same(one: dict, other: dict) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@settings(max_examples=150, deadline=None)
@given(_docs, _docs)
def test_merging_is_commutative_and_idempotent(a, b):
    ab = merged(a, b)
    assert same(ab, merged(b, a))
    assert same(merged(ab, b), ab) and same(merged(ab, a), ab)
    assert same(merged(a, a), module._understood(a, b"").doc)


@settings(max_examples=60, deadline=None)
@given(_docs, _docs, _docs)
def test_merging_three_machines_does_not_depend_on_the_order(a, b, c):
    assert same(merged(merged(a, b), c), merged(a, merged(b, c)))


@settings(max_examples=100, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["schema", "passes", "hints", "items", "state", "x"]), inner
    ),
))  # fmt: skip
def test_no_json_whatever_makes_loading_fail(doc):
    view = module._understood(doc, b"").view
    assert set(module.SECTIONS) <= set(view)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a special file")
def test_what_is_no_regular_file_is_never_replaced_by_one(tmp_path):
    pipe = tmp_path / "progress.json"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no regular file"):
        write_atomically(pipe, b"{}")
    assert pipe.is_fifo()
