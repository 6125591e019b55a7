"""`make doctor` finds what is wrong, names what mends it, and changes nothing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nbformat
import pytest

from workbook.bench import doctor
from workbook.bench.doctor import OK, WARN, WRONG, Finding, looked, main

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small course of its own: its facts, its data, its front page."""
    for name in ("course.toml", "start.py", "requirements.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / "data").mkdir()
    shutil.copy(REPOSITORY / "data" / "manifest.toml", tmp_path / "data")
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    monkeypatch.delenv("WORKBOOK_PROGRESS", raising=False)
    return tmp_path


def found(probe) -> list[tuple[str, str]]:
    return [(one.state, one.said) for one in looked(probe)]


def states(probe) -> set[str]:
    return {one.state for one in looked(probe)}


# --- The report -------------------------------------------------------------------


def run_with(monkeypatch, *findings: Finding) -> int:
    monkeypatch.setattr(doctor, "PROBES", (lambda: findings,))
    return main([])


def test_all_well_is_exit_code_0(monkeypatch, capsys):
    assert run_with(monkeypatch, Finding(OK, "disk", "9 GB free")) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "All is well."


def test_a_warning_is_no_failure(monkeypatch, capsys):
    assert run_with(monkeypatch, Finding(WARN, "data", "sample", "make lab")) == 0
    assert "→ make lab" in capsys.readouterr().out


def test_something_wrong_is_exit_code_1(monkeypatch):
    good, bad = Finding(OK, "disk", "9 GB free"), Finding(WRONG, "torch", "missing")
    assert run_with(monkeypatch, good, bad) == 1


def test_a_probe_that_fails_does_not_take_the_others_along(monkeypatch, capsys):
    def broken():
        raise OSError("the disk does not answer")

    monkeypatch.setattr(doctor, "PROBES", (broken, doctor.python))
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("warn   broken") and "does not answer" in lines[0]
    assert lines[1].startswith("ok     Python")


def test_a_package_that_is_missing_is_named_with_the_command_that_mends():
    def torch():
        raise ModuleNotFoundError("No module named 'torch'")

    (finding,) = looked(torch)
    assert (finding.state, finding.what) == (WRONG, "torch")
    assert finding.do.endswith("-m pip install -r requirements.lock")


# --- The machine --------------------------------------------------------------------


def test_the_lock_is_read_for_this_machine_only():
    text = "# all\ntorch==2.13.0\nappnope==1.0.0 ; sys_platform == 'nowhere'\n"
    assert list(doctor._locked(text)) == [("torch", "2.13.0")]


def test_a_missing_package_is_wrong_and_another_version_a_warning(folder):
    lock = folder / "requirements.lock"
    lock.write_text("no-such-package==1.0\nnumpy==0.1\n")
    (missing, other) = looked(doctor.packages)
    assert (missing.state, missing.said) == (WRONG, "missing: no-such-package")
    assert other.state == WARN and "(locked: 0.1)" in other.said


def test_a_build_for_the_cpu_counts_as_the_locked_version(monkeypatch):
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "2.13.0+cpu")
    assert doctor._installed("torch") == "2.13.0"


@pytest.mark.parametrize(
    ("version", "state"),
    [("6.31.0", WARN), ("7.0.1", WARN), ("7.3.0", WARN), ("7.4.0", OK), ("8.0.0", OK)],
)
def test_an_ipykernel_that_loses_messages_or_makes_one_wait_is_named(
    monkeypatch, version, state
):
    monkeypatch.setattr(doctor.metadata, "version", lambda name: version)
    assert states(doctor.ipykernel) == {state}


@pytest.mark.parametrize(("free", "state"), [(5e9, OK), (5e8, WARN), (5e7, WRONG)])
def test_a_disk_that_fills_up_is_told_in_time(monkeypatch, free, state):
    usage = shutil.disk_usage("/")._replace(free=int(free))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    assert states(doctor.disk) == {state}


def test_check_mode_left_on_in_the_shell_is_noticed(monkeypatch):
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    said = [one for state, one in found(doctor.environment) if state == WARN]
    assert "WORKBOOK_CHECK=1 is set" in said


def test_a_machine_without_a_browser_is_a_warning(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert states(doctor.chromium) == {WARN}


# --- The course -----------------------------------------------------------------------


def test_data_that_is_absent_is_a_warning_and_says_what_stands_in(folder):
    assert states(doctor.data) == {WARN}
    assert "names.txt is not here: its sample stands in" in str(found(doctor.data))


def test_data_that_is_another_file_is_wrong(folder):
    (folder / "data" / "names.txt").write_text("emma\n")
    assert (WRONG, "names.txt is not the file that the lessons need") in found(
        doctor.data
    )


def test_progress_that_cannot_be_read_is_a_warning(folder):
    assert found(doctor.progress) == [(OK, "nothing recorded yet")]
    (folder / "progress.json").write_text("{")
    ((state, said),) = found(doctor.progress)
    assert state == WARN and "was damaged" in said


def built(folder: Path) -> Path:
    from workbook.bench.build import notebook

    path = folder / "start.ipynb"
    nbformat.write(notebook(folder / "start.py"), path)
    return path


def test_a_notebook_that_is_not_built_names_the_command(folder):
    (finding,) = looked(doctor.notebooks)
    assert finding.state == WARN and "start.ipynb is not built" in finding.said
    assert finding.do == "make notebooks"


def test_a_notebook_as_its_text_says_is_well_and_stays_as_it_is(folder):
    before = built(folder).read_bytes()
    assert states(doctor.notebooks) == {OK}
    assert (folder / "start.ipynb").read_bytes() == before


def test_a_notebook_behind_its_text_is_a_warning(folder):
    built(folder)
    text = folder / "start.py"
    text.write_text(text.read_text("utf-8") + "\n# %% [markdown]\n# One more.\n")
    assert (WARN, "start.ipynb is behind its text") in found(doctor.notebooks)


def test_a_notebook_that_is_none_any_more_is_wrong(folder):
    (folder / "start.ipynb").write_text("{")
    findings = list(looked(doctor.notebooks))
    assert findings[0].state == WRONG
    assert findings[0].do == "move start.ipynb away, then: make notebooks"


def test_what_doctor_says_can_be_shown_to_anybody(monkeypatch):
    monkeypatch.setattr(
        "workbook.bench.lab.already_open", lambda: ["http://127.0.0.1:1/lab?token=abc"]
    )
    ((_, said),) = found(doctor.lab)
    assert said == "is open at http://127.0.0.1:1/lab"


def test_the_report_of_this_machine_names_its_python(folder, capsys):
    main([])
    assert sys.version.split()[0] in capsys.readouterr().out
