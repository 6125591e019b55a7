"""In a real kernel and a real terminal, without a browser."""

import base64
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

LOOP = """
import time
from workbook import live
for step in (run := live.train(40, lr=0.1, title="A loop")):
    run.log(loss=3 / (step + 1))
    time.sleep(0.01)
"""


def executed(*sources: str, **options: Any) -> Any:
    """A notebook of these cells, run from top to bottom."""
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    NotebookClient(notebook, timeout=60, **options).execute()
    return notebook


def pictures(cell: Any) -> list[bytes]:
    """The PNG pictures of a cell."""
    data = [output.get("data", {}) for output in cell.outputs]
    return [base64.b64decode(d["image/png"]) for d in data if "image/png" in d]


@pytest.fixture(scope="module")
def ran() -> Any:
    boom = LOOP.replace("time.sleep(0.01)", "1 / (7 - step)")
    return executed(LOOP, "run", boom, "print(run)", allow_errors=True)


def test_a_notebook_that_nobody_watched_has_the_final_picture(ran: Any) -> None:
    (picture,) = pictures(ran.cells[0])
    assert picture[:4] == b"\x89PNG"
    words = [o["data"]["text/plain"] for o in ran.cells[0].outputs if "data" in o]
    assert any("A loop" in w and "40 of 40" in w for w in words)


def test_the_run_itself_shows_the_picture_again(ran: Any) -> None:
    assert len(pictures(ran.cells[1])) == 1
    assert "Run: 40 steps" in ran.cells[1].outputs[0]["data"]["text/plain"]


def test_an_exception_is_in_the_picture_and_goes_through(ran: Any) -> None:
    outputs = ran.cells[2].outputs
    assert outputs[-1]["ename"] == "ZeroDivisionError"
    assert len(pictures(ran.cells[2])) == 1
    told = [o["data"]["text/plain"] for o in outputs if "data" in o]
    assert any("ZeroDivisionError at step 7" in w for w in told)
    assert "ZeroDivisionError at step 7" in ran.cells[3].outputs[0]["text"]


def test_html_made_of_the_notebook_shows_the_picture(ran: Any) -> None:
    from nbconvert import HTMLExporter

    html, _ = HTMLExporter().from_notebook_node(ran)
    images = re.findall(r'<img[^>]*src="data:image/png;base64,([^"]+)"', html)
    (picture,) = pictures(ran.cells[0])
    assert picture in [base64.b64decode(image) for image in images]


def test_check_mode_leaves_nothing_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    assert executed(LOOP).cells[0].outputs == []


# ------------------------------------------------------------ interrupts


@pytest.fixture
def kernel() -> Iterator[tuple[Any, Any]]:
    manager, client = start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def interrupted(manager: Any, client: Any, code: str) -> dict[str, Any]:
    """Run a cell, interrupt it once it says `begun`, and give back how it ended.

    An error in a cell makes the kernel turn away what is asked shortly after it; here
    the question that follows is asked at once and must be answered.
    """
    asked = client.execute(code, stop_on_error=False)
    begun = False
    while not begun:
        message = client.get_iopub_msg(timeout=30)
        begun = "begun" in str(message["content"].get("text", ""))
    manager.interrupt_kernel()
    return answer(client, asked)


def answer(client: Any, asked: str) -> dict[str, Any]:
    while True:
        message = client.get_shell_msg(timeout=30)
        if message["parent_header"].get("msg_id") == asked:
            return message["content"]


ENDLESS = """
import time
from workbook import live
for step in (run := live.train(10**6, lr=0.1)):
    run.log(loss=1.0)
    if step == 3: print("begun", flush=True)
    time.sleep(0.01)
"""


def state_of(client: Any) -> str:
    asked = client.execute("1", user_expressions={"state": "run.state"})
    content = answer(client, asked)
    return content["user_expressions"]["state"]["data"]["text/plain"]


def test_without_a_subshell_the_interrupt_ends_the_cell_cleanly(kernel: Any) -> None:
    manager, client = kernel
    assert interrupted(manager, client, ENDLESS)["status"] == "ok"
    assert state_of(client) == "'stopped'"


def test_with_a_subshell_the_interrupt_is_a_keyboard_interrupt(kernel: Any) -> None:
    manager, client = kernel
    request = client.session.msg("create_subshell_request")
    client.session.send(client.control_channel.socket, request)
    client.get_control_msg(timeout=30)
    ended = interrupted(manager, client, ENDLESS)
    assert (ended["status"], ended.get("ename")) == ("error", "KeyboardInterrupt")
    assert state_of(client) == "'interrupted'"


# ------------------------------------------------------------ a terminal


def typed(lines: list[str], interrupt_at: str = "") -> str:
    """What plain IPython shows in a terminal for these lines."""
    mother, child = pty.openpty()
    command = [sys.executable, "-m", "IPython", "--no-banner", "--simple-prompt"]
    environment = {k: v for k, v in os.environ.items() if k != "WORKBOOK_CHECK"}
    process = subprocess.Popen(
        [*command, "--HistoryManager.enabled=False"],
        stdin=child,
        stdout=child,
        stderr=child,
        env=environment,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )
    os.close(child)
    shown, sent = "", 0
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            if select.select([mother], [], [], 0.1)[0]:
                try:
                    shown += os.read(mother, 4096).decode(errors="replace")
                except OSError:
                    break
            if interrupt_at and interrupt_at in shown:
                process.send_signal(2)
                interrupt_at = ""
            if sent < len(lines) and shown.count("]: ") > sent:
                os.write(mother, (lines[sent] + "\n").encode())
                sent += 1
    finally:
        process.kill()
        process.wait()
        os.close(mother)
    return shown


def test_plain_ipython_shows_a_line_and_ctrl_c_stops_the_run() -> None:
    setup = "import time; from workbook import live; run = live.train(10**5, lr=.1)"
    loop = "[(run.log(loss=3 / (s + 1)), time.sleep(.02)) for s in run][0]"
    shown = typed([setup, loop, "print('then', run.state)", "exit"], "steps per second")
    assert "Ctrl-C ends the run after its step" in shown
    assert "\r" in shown and "█" in shown
    assert "Stopped at step" in shown
    assert "then stopped" in shown and "KeyboardInterrupt" not in shown


def test_a_script_is_silent(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(LOOP + "run.figure().savefig('loss.png')\n")
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "loss.png").read_bytes()[:4] == b"\x89PNG"
