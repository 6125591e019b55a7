"""`make lab`: what JupyterLab shows, to whom, with which Python; and how it greets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from workbook import data, front
from workbook.bench import greeting, lab
from workbook.bench.greeting import greet
from workbook.bench.trust import trust_kept

pytestmark = pytest.mark.xdist_group("lab")  # one server for all of them
REPOSITORY = Path(__file__).resolve().parents[2]
THEIRS = {"start.ipynb", "notebooks", "exercises", "data", "code", "README.md"}


# --- The environment of Lab -------------------------------------------------------


def test_our_configuration_comes_before_the_users_and_theirs_stays():
    paths = lab.environment({"JUPYTER_CONFIG_PATH": "/theirs"})["JUPYTER_CONFIG_PATH"]
    assert paths.split(os.pathsep) == [str(lab.CONFIG), "/theirs"]


def test_a_second_start_from_the_same_shell_adds_nothing():
    once = lab.environment({})
    assert lab.environment(once) == once


def test_the_kernels_of_this_python_come_first():
    first, *rest = lab.environment({"JUPYTER_PATH": "/theirs"})["JUPYTER_PATH"].split(
        os.pathsep
    )
    assert first == str(Path(sys.prefix) / "share" / "jupyter")
    assert rest == ["/theirs"]


def test_only_servers_of_this_folder_count_as_open(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    servers = [
        {"url": "http://127.0.0.1:1/", "token": "a", "root_dir": str(tmp_path)},
        {"url": "http://127.0.0.1:2/", "token": "b", "root_dir": "/elsewhere"},
    ]
    monkeypatch.setattr(
        "jupyter_server.serverapp.list_running_servers", lambda: servers
    )
    assert lab.already_open() == ["http://127.0.0.1:1/lab?token=a"]


def test_what_was_fetched_is_said_and_the_notebooks_are_built(monkeypatch, capsys):
    done: list[str] = []
    monkeypatch.setattr(data, "fetch_all", lambda: ["names.txt is in place (0.3 MB)."])
    monkeypatch.setattr("workbook.bench.build.build_all", lambda: done.append("built"))
    monkeypatch.setattr(greeting, "greet", lambda page: done.append(page.name))
    monkeypatch.setattr("workbook.bench.build.sources", lambda: [])
    lab.prepare()
    assert capsys.readouterr().out == "names.txt is in place (0.3 MB).\n"
    assert done == ["built", "start.ipynb"]


# --- How the front page greets -----------------------------------------------------


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A front page as it is built, of a course that nobody has begun."""
    from workbook.bench.build import notebook

    shutil.copy(REPOSITORY / "course.toml", tmp_path)
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("WORKBOOK_PROGRESS", raising=False)
    monkeypatch.setattr(greeting, "open_in", lambda path: None)
    path = tmp_path / "start.ipynb"
    nbformat.write(notebook(REPOSITORY / "start.py"), path)
    return path


def shown(page: Path) -> list[str]:
    cells = nbformat.read(page, 4).cells
    outputs = (cell.outputs for cell in cells if cell.cell_type == "code")
    return [one.data["text/plain"] for some in outputs for one in some]


def is_trusted(page: Path) -> bool:
    return nbformat.sign.NotebookNotary().check_signature(nbformat.read(page, 4))


def test_the_page_shows_its_state_before_anything_has_run(page):
    assert greet(page)
    assert shown(page) == [front.still(name)["text/plain"] for name in front.FACES]
    assert is_trusted(page)


def test_greeting_again_brings_the_page_up_to_date(page):
    from workbook.progress import Progress

    greet(page)
    Progress.load().tick("micrograd.watch_video")
    greet(page)
    assert any("[x] Watch video" in text for text in shown(page))


def test_the_page_needs_no_saving_when_it_is_opened(page):
    greet(page)
    metadata = nbformat.read(page, 4).metadata
    assert metadata.kernelspec.display_name == "Python 3 (ipykernel)"
    assert metadata.language_info.version == sys.version.split()[0]


def test_a_cell_that_the_learner_changed_keeps_what_it_shows(page):
    book = nbformat.read(page, 4)
    cell = next(c for c in book.cells if c.source == "front.show_tips()")
    cell.source = "print('mine')\nfront.show_tips()"
    cell.outputs = [nbformat.v4.new_output("stream", text="mine\n")]
    nbformat.write(book, page)
    greet(page)
    kept = next(c for c in nbformat.read(page, 4).cells if "mine" in c.source)
    assert kept.outputs[0].text == "mine\n"


def test_outputs_that_are_not_ours_are_not_vouched_for(page):
    book = nbformat.read(page, 4)
    html = nbformat.v4.new_output("display_data", data={"text/html": "<script>"})
    book.cells.append(nbformat.v4.new_code_cell("theirs()", outputs=[html]))
    nbformat.write(book, page)
    assert greet(page)
    assert not is_trusted(page)


def test_a_page_that_is_open_in_jupyterlab_is_left_alone(page, monkeypatch):
    monkeypatch.setattr(greeting, "open_in", lambda path: "http://127.0.0.1:8888/")
    before = page.read_bytes()
    assert not greet(page)
    assert page.read_bytes() == before


@pytest.mark.parametrize("damaged", ["", "{", '{"cells": 3}'])
def test_a_page_that_cannot_be_read_is_left_alone(page, damaged):
    page.write_text(damaged)
    assert not greet(page)
    assert page.read_text() == damaged


def test_a_page_that_was_never_built_is_no_failure(tmp_path):
    assert not greet(tmp_path / "start.ipynb")


# --- What Jupyter trusts -----------------------------------------------------------


def rewritten(path: Path) -> None:
    book = nbformat.read(path, 4)
    book.cells.append(nbformat.v4.new_markdown_cell("New words."))
    nbformat.write(book, path)


def with_outputs(page: Path) -> None:
    book = nbformat.read(page, 4)
    cell = next(c for c in book.cells if c.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("display_data", data={"text/html": "<b>"})]
    nbformat.write(book, page)


def test_a_trusted_notebook_that_is_rebuilt_stays_trusted(page):
    with_outputs(page)
    nbformat.sign.NotebookNotary().sign(nbformat.read(page, 4))
    with trust_kept([page]):
        rewritten(page)
        assert not is_trusted(page)
    assert is_trusted(page)


def test_an_untrusted_notebook_that_is_rebuilt_stays_untrusted(page):
    with_outputs(page)
    with trust_kept([page]):
        rewritten(page)
    assert not is_trusted(page)


def test_a_notebook_that_is_built_for_the_first_time_is_trusted(page):
    new = page.with_name("new.ipynb")
    with trust_kept([new, page.with_name("never.ipynb")]):
        shutil.copy(page, new)
    assert is_trusted(new)


# --- The server ---------------------------------------------------------------------


def course_folder(folder: Path) -> Path:
    """A course with every name of the real one at its root, and some below."""
    for path in REPOSITORY.iterdir():
        if not path.name.startswith("."):
            place = folder / path.name
            place.mkdir() if path.is_dir() else place.touch()
    shutil.copy(REPOSITORY / "course.toml", folder)
    for name in (
        "start.ipynb", "progress.json", "progress.json.damaged-20250101T000000",
        "RESULTS.md", "RESULTS.partial.json", "environment.yml",
        "notebooks/01_micrograd.py", "notebooks/01_micrograd.ipynb",
        "exercises/08_tokenizer.py", "exercises/08_tokenizer.ipynb",
        "exercises/mine.ipynb", "exercises/.kept/01_micrograd.ipynb",
        "code/micrograd/micrograd.py", "data/manifest.toml", "data/names.txt",
        "data/play.txt.part", "build/check/01_micrograd.ipynb",
    ):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def decoy(folder: Path) -> None:
    """A `python3` kernel that somebody else has installed."""
    spec = folder / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = ["/no/such/python", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "decoy"}))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    """JupyterLab as `make lab` serves it, for a user with a python3 of their own."""
    home = tmp_path_factory.mktemp("home")
    folder = course_folder(tmp_path_factory.mktemp("course"))
    decoy(home / ".local" / "share" / "jupyter")
    decoy(home / "theirs")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
    code = (
        "import signal, sys; from workbook.bench.lab import serve; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "sys.exit(serve(['--no-browser', '--port=8965']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        cwd=folder,
        env=clean
        | {
            "HOME": str(home),
            "WORKBOOK_ROOT": str(folder),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "JUPYTER_PATH": str(home / "theirs"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield SimpleNamespace(process=process, info=waited(home / "runtime"), home=home)
    finally:
        process.kill()
        process.communicate()


def waited(runtime: Path) -> dict:
    """What the server says of itself, as soon as it answers."""
    for _ in range(240):
        for found in runtime.glob("jpserver-*.json"):
            try:
                info = json.loads(found.read_text())
                urllib.request.urlopen(f"{info['url']}api").close()
            except (ValueError, urllib.error.URLError):
                break
            return info
        time.sleep(0.25)
    raise TimeoutError("JupyterLab did not start within a minute")


def asked(server, path: str, method: str = "GET", token: bool = True):
    request = urllib.request.Request(server.info["url"] + path, method=method)
    if token:
        request.add_header("Authorization", f"token {server.info['token']}")
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def names(server, folder: str) -> set[str]:
    found = asked(server, f"api/contents/{folder}")["content"]
    return {one["name"] for one in found}


def test_the_file_browser_shows_what_is_the_learners(server):
    assert names(server, "") == THEIRS


def test_of_lectures_and_exercises_it_shows_the_notebooks(server):
    assert names(server, "notebooks") == {"01_micrograd.ipynb"}
    assert names(server, "exercises") == {"08_tokenizer.ipynb", "mine.ipynb"}


def test_it_shows_the_data_and_the_learners_own_modules(server):
    assert names(server, "data") == {"names.txt"}
    assert names(server, "code/micrograd") == {"micrograd.py"}


def test_nobody_gets_in_without_the_token(server):
    assert server.info["token"]
    with pytest.raises(urllib.error.HTTPError, match="403"):
        asked(server, "api/contents", token=False)


def test_only_this_machine_is_served(server):
    assert server.info["hostname"] == "127.0.0.1"


def test_it_opens_on_the_front_page(server):
    url = f"{server.info['url']}?token={server.info['token']}"
    with urllib.request.urlopen(url) as answer:
        assert answer.url.partition("?")[0].endswith("/lab/tree/start.ipynb")


@pytest.mark.parametrize(
    ("plugin", "setting", "value"),
    [
        ("@jupyterlab/apputils-extension:notification", "fetchNews", "false"),
        ("@jupyterlab/apputils-extension:notification", "checkForUpdates", False),
        ("@jupyterlab/docmanager-extension:plugin", "autosaveInterval", 30),
        ("@jupyterlab/notebook-extension:tracker", "windowingMode", "defer"),
    ],
)
def test_it_is_set_up_for_learning(server, plugin, setting, value):
    schema = asked(server, f"lab/api/settings/{plugin}")["schema"]
    assert schema["properties"][setting]["default"] == value


def test_a_notebook_runs_in_this_python_whatever_else_is_installed(server):
    from jupyter_client import BlockingKernelClient

    kernel = asked(server, "api/kernels", method="POST")["id"]
    file = server.home / "runtime" / f"kernel-{kernel}.json"
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    reply = client.execute_interactive(
        "import sys", user_expressions={"at": "sys.prefix"}, timeout=30
    )
    client.stop_channels()
    found = reply["content"]["user_expressions"]["at"]["data"]["text/plain"]
    assert found == repr(sys.prefix)


def test_ctrl_c_ends_it_cleanly_and_the_log_was_short(server):
    server.process.send_signal(signal.SIGINT)
    said, _ = server.process.communicate(timeout=30)
    assert server.process.returncode == 0
    assert f"token={server.info['token']}" in said
    assert len([line for line in said.splitlines() if line.strip()]) <= 10, said
