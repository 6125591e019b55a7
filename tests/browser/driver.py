"""What the browser tests drive: a copy of the course, served as `make lab` serves it.

`copied` and `Server` put the course into another folder and start it there, with all of
Jupyter's own state beside it: nothing of the user's is read or written, and nothing is
fetched. `Notebook` is one notebook in one tab, with the acts of a learner: type, run,
read what is shown.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).resolve().parents[2]
PORTS = range(8970, 9000)
PATIENCE = 60.0  # seconds; CI has two slow cores
FLAGS = [  # what Chromium needs in a container, and for being left alone
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = (
    "The browser tests need Chromium and Playwright's Python package: install the "
    "first from your system (Debian: apt install chromium), the second by `make setup`."
)
DONE = re.compile(r"^\[\d+\]:$")  # the prompt of a cell that has run


# --- The course, elsewhere --------------------------------------------------------


def copied(folder: Path) -> Path:
    """The course as it lies here, tracked or new, in another folder; nothing built."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", ".")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


class Server:
    """JupyterLab on a copy of the course, as `make lab` starts it."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.folder, self.state = folder, state
        self.port = free_port()
        self.log = state / "lab.log"
        state.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """The copy's own package, Jupyter's state beside it, no network."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        nowhere = "http://127.0.0.1:9"  # refuses at once
        ours = {
            "PYTHONPATH": str(self.folder),
            "WORKBOOK_ROOT": str(self.folder),
            "WORKBOOK_PROGRESS": str(self.folder / "progress.json"),
            "DATA_MIRROR": str(self.state / "empty"),
            "IPYTHONDIR": str(self.state / "ipython"),
            "OMP_NUM_THREADS": "1",
            **dict.fromkeys(("http_proxy", "https_proxy"), nowhere),
            "no_proxy": "127.0.0.1,localhost",
        }
        places = {name: str(self.state / name.lower()) for name in _STATE}
        return kept | ours | places

    def start(self) -> Server:
        """Start it, and wait until it answers. RuntimeError with its log if it ends."""
        (self.state / "empty").mkdir(exist_ok=True)
        command = [sys.executable, "-m", "workbook", "lab", "--no-browser"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*command, f"--port={self.port}", "--ServerApp.port_retries=0"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        about = until(self._about, "JupyterLab starts", 120)
        self.token, self.url = about["token"], about["url"]
        until(lambda: self.get("api"), "JupyterLab answers")
        return self

    def _about(self) -> dict[str, Any] | None:
        if self.process.poll() is not None:
            raise RuntimeError(f"JupyterLab ended:\n{self.log.read_text('utf-8')}")
        pattern = f"jpserver-{self.process.pid}.json"
        for path in (self.state / "jupyter_runtime_dir").glob(pattern):
            with suppress(ValueError):  # half written
                return json.loads(path.read_text("utf-8"))
        return None

    def get(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """What the server's API answers, with the token; None where it does not yet."""
        request = Request(
            f"{self.url}{path}",
            headers={"Authorization": f"token {self.token}"},
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with suppress(OSError), plain().open(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")

    def at(self, path: str) -> str:
        """The address of a page, with the token and without the tabs of before."""
        return f"{self.url}{path}?reset&token={self.token}"

    def end_kernels(self) -> None:
        """End every session: the next page begins with a fresh kernel."""
        for session in self.get("api/sessions") or []:
            self.get(f"api/sessions/{session['id']}", method="DELETE")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """`python -m workbook …` in the copy, as the terminal of a learner."""
        return subprocess.run(
            [sys.executable, "-m", "workbook", *command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def stop(self) -> None:
        """End this server and its kernels, and no other process."""
        self.end_kernels()
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(self.process.pid, sign)
                self.process.wait(10)
                return


_OURS = ("WORKBOOK_", "JUPYTER", "DATA_MIRROR", "PYTEST_", "IPYTHON", "MPLBACKEND")
_STATE = (
    "JUPYTER_RUNTIME_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
)


def plain() -> Any:
    """An opener that goes straight to the server, past any proxy."""
    return build_opener(ProxyHandler({}))


def free_port() -> int:
    """A port that nobody listens on."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"all ports from {PORTS[0]} to {PORTS[-1]} are taken")


def until(ask: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Ask until the answer is true, and give it back. TimeoutError names `what`."""
    end, pause = time.monotonic() + seconds, 0.02
    while not (answer := ask()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(pause)
        pause = min(0.3, 1.2 * pause)  # asking takes time from what is asked
    return answer


def answers(lesson: str) -> list[tuple[str, str]]:
    """The TODO cells of a lesson in their order: the exercise's id, a right answer."""
    from workbook.source import read, unmarked

    cells = read(ROOT / "solutions" / f"{lesson}.py")
    return [(c.exercise, unmarked(c.text)) for c in cells if c.exercise]


# --- The browser ------------------------------------------------------------------


def chromium() -> str | None:
    """Where the browser lies, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, names)), None
    )


@contextmanager
def browser() -> Iterator[Browser]:
    """One headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield opened
        opened.close()


# --- A notebook -------------------------------------------------------------------


class Notebook:
    """A notebook in a tab of its own; `path` is its place in the course's folder.

    A cell is named by its index, or by a piece of its source as the page was loaded
    (the first that has it).
    """

    def __init__(self, page: Page, server: Server, path: str) -> None:
        self.page, self.server, self.path = page, server, path
        self.errors: list[str] = []  # what the browser's console said in red
        self.saving: set[Any] = set()  # what Lab has sent to save and not heard of
        page.on("console", self._heard)
        page.on("request", self._sent)
        page.on("requestfinished", lambda request: self.saving.discard(request))
        page.on("requestfailed", lambda request: self.saving.discard(request))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _sent(self, request: Any) -> None:
        asks_whether_it_changed = "hash=1" in request.url  # before it writes, and after
        if "/api/contents/" in request.url and (
            request.method == "PUT" or asks_whether_it_changed
        ):
            self.saving.add(request)

    def _saves_itself(self) -> bool:
        """Whether Lab is saving of its own accord."""
        self.page.evaluate("0")  # what the page has sent is told while it is asked
        return bool(self.saving)

    @property
    def panel(self) -> Locator:
        """The tab in front; Lab may have opened others beside it."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    @property
    def cells(self) -> Locator:
        return self.panel.locator(".jp-Notebook .jp-Cell")

    @property
    def file(self) -> Path:
        return self.server.folder / self.path

    @property
    def sources(self) -> list[str]:
        """The source of each cell, as it lies on the disk."""
        cells = json.loads(self.file.read_text("utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells]

    def open(self, at: str = "") -> Notebook:
        """Load the page, and wait for all of its cells and an idle kernel."""
        self.page.goto(at or self.server.at(f"lab/tree/{self.path}"))
        return self.ready()

    def reload(self) -> Notebook:
        """Load the same page again; what is unsaved is lost."""
        self.page.once("dialog", lambda dialog: dialog.accept())
        self.page.reload()
        return self.ready()

    def ready(self) -> Notebook:
        """Wait for all cells and an idle kernel."""
        self.loaded = self.sources
        what = f"{self.path} has its cells"
        until(lambda: self.cells.count() >= len(self.loaded), what)
        return self.idle()

    def idle(self) -> Notebook:
        """Wait until the kernel has nothing to do. TimeoutError says what it does."""
        status = self.page.locator("#jp-main-statusbar")
        idle = status.get_by_text("| Idle")
        try:
            until(idle.is_visible, f"{self.path} is idle")
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self.state()}") from None
        return self

    def state(self) -> str:
        """Where the page stands, for the message of a test that waited in vain."""
        status = self.page.locator("#jp-main-statusbar").all_inner_texts()
        dialogs = self.page.locator(".jp-Dialog").all_inner_texts()
        prompts = self.panel.locator(".jp-CodeCell").locator(".jp-InputPrompt")
        waits = [text.strip() for text in prompts.all_inner_texts()]
        log = self.server.log.read_text("utf-8").splitlines()[-12:]
        return "\n".join(
            [
                f"status: {status}, dialogs: {dialogs}, prompts: {waits}",
                f"console: {self.errors}",
                *log,
            ]
        )

    def index(self, cell: str | int) -> int:
        if isinstance(cell, int):
            return cell
        return next(i for i, source in enumerate(self.loaded) if cell in source)

    def cell(self, cell: str | int) -> Locator:
        return self.cells.nth(self.index(cell))

    def prompt(self, cell: str | int) -> str:
        """What stands beside a code cell: "[ ]:", "[*]:" or "[3]:"."""
        return self.cell(cell).locator(".jp-InputPrompt").inner_text().strip()

    def outputs(self, cell: str | int) -> Locator:
        """All that a cell shows."""
        return self.cell(cell).locator(".jp-OutputArea").first

    def shown(self, cell: str | int) -> str:
        return self.outputs(cell).inner_text()

    def card(self, cell: str | int) -> Locator:
        """The card of a check."""
        return self.outputs(cell).get_by_role("status")

    def write(self, cell: str | int, source: str) -> None:
        """Replace a cell's source, in its editor."""
        self.cell(cell).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)

    def run(self, cell: str | int, seconds: float = PATIENCE) -> str:
        """Run a cell as one does, by Shift-Enter; what it shows when it has ended."""
        at = self.index(cell)
        prompt = self.cell(at).locator(".jp-InputPrompt").element_handle()
        self.page.evaluate(_WATCH_PROMPT, prompt)
        self.begin(at)
        self.page.wait_for_function("() => window.ended", timeout=1000 * seconds)
        self.idle()
        return self.shown(at)

    def seconds_to_card(self, cell: str | int) -> float:
        """Run a check; from the key's press to its card on the page, by the browser."""
        at = self.index(cell)
        return self.seconds_until(at, "[role=status]", lambda: self.begin(at))

    def seconds_until(
        self, cell: str | int, seen: str, act: Callable[[], Any]
    ) -> float:
        """From the key that `act` presses until `seen` is drawn, or drawn anew."""
        outputs = self.outputs(cell).element_handle()
        self.page.evaluate(_WATCH, [outputs, seen])
        act()
        return self.page.evaluate("() => window.seconds")

    def begin(self, cell: str | int) -> None:
        """Run a cell and do not wait for it."""
        self.cell(cell).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")

    def append(self, source: str) -> int:
        """A new cell at the end, with a source; its index."""
        count = self.cells.count()
        self.panel.locator(".jp-Notebook-footer").click()
        until(lambda: self.cells.count() > count, "a new cell")
        self.write(count, source)
        return count

    def menu(self, *path: str) -> None:
        """Choose from the menus: menu("Run", "Run All Cells")."""
        for bar, words in zip(("MenuBar", "Menu"), path, strict=True):
            label = self.page.locator(f".lm-{bar}-itemLabel")
            label.get_by_text(words, exact=True).click()

    def run_all(self, seconds: float = 3 * PATIENCE) -> Notebook:
        """Run ▸ Run All Cells, to the end."""
        self.menu("Run", "Run All Cells")
        codes = self.panel.locator(".jp-CodeCell .jp-InputArea .jp-InputPrompt")
        what = f"{self.path} runs to its end"
        try:
            until(lambda: all(map(DONE.match, codes.all_inner_texts())), what, seconds)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self.state()}") from None
        return self.idle()

    def save(self) -> None:
        """File ▸ Save Notebook, and wait until it is on the disk.

        By the menu, since a widget's text field keeps Ctrl-S to itself. And not while
        Lab saves of its own accord: between its writing and its hearing of it, a
        second save finds the file newer than it knows, and asks whose is to stay.
        """
        until(lambda: not self._saves_itself(), f"{self.path} has saved itself")
        before = self.file.stat().st_mtime_ns
        self.menu("File", "Save Notebook")
        try:
            until(lambda: self.file.stat().st_mtime_ns != before, f"{self.path} saves")
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self.state()}") from None


# A new kernel counts from 1 again: that a cell ran is seen from its [*] alone.
_WATCH_PROMPT = """
(prompt) => {
  let busy = (window.ended = false);
  const watch = new MutationObserver(() => {
    busy ||= prompt.textContent.includes("*");
    if (!busy || prompt.textContent.includes("*")) return;
    watch.disconnect();
    window.ended = true;
  });
  watch.observe(prompt, { childList: true, characterData: true, subtree: true });
}
"""

_WATCH = """
([outputs, seen]) => {
  const isSeen = (node) =>
    node.querySelector && (node.matches(seen) || node.querySelector(seen));
  const within = (node) => (node.closest ? node : node.parentElement)?.closest(seen);
  const changed = (r) => [...r.addedNodes].some(isSeen) || within(r.target);
  window.seconds = new Promise((tell) => {
    let pressed;
    const watch = new MutationObserver((records) => {
      if (!pressed || !records.some(changed)) return;
      watch.disconnect();
      requestAnimationFrame(() => tell((performance.now() - pressed) / 1000));
    });
    const all = { childList: true, subtree: true, characterData: true };
    watch.observe(outputs, { ...all, attributes: true });
    const key = (event) => {
      if (event.key === "Shift") return;
      pressed = performance.now();
      window.removeEventListener("keydown", key, true);
    };
    window.addEventListener("keydown", key, true);
  });
}
"""
