"""One copy of the course, one server and one browser for all tests of this folder.

Every test gets a tab with a browser's memory of its own, and a course as it is on the
first day: exercises untouched, no progress, no kernel.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .driver import MISSING, Notebook, Server, browser, chromium, copied

Open = Callable[..., Notebook]
BUDGET = re.compile(r"budget\(full=[\d_]+, check=(\d+)\)")
VIEW = {"width": 1400, "height": 1000}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A page may miss a key on a busy machine: what failed once is asked once more.

    The summary counts it (`1 rerun`), and what fails twice has failed.
    """
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="package")
def chrome() -> Iterator[Any]:
    """The browser; without one, tests are skipped here and fail in CI."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        _missing()
    if chromium() is None:
        _missing()
    with browser() as opened:
        yield opened


def _missing() -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(MISSING, pytrace=False)
    pytest.skip(MISSING)


@pytest.fixture(scope="package")
def lab(chrome: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The course as `make lab` serves it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("browser")
    server = Server(copied(folder / "course"), folder / "state")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="package")
def first_day(lab: Server) -> dict[str, bytes]:
    """The notebooks as they were built."""
    return {
        path.relative_to(lab.folder).as_posix(): path.read_bytes()
        for path in (lab.folder / "start.ipynb", *lab.folder.glob("*/*.ipynb"))
    }


@pytest.fixture
def open_notebook(
    lab: Server, chrome: Any, first_day: dict[str, bytes]
) -> Iterator[Open]:
    """Opens a notebook in a tab, by its place; all is put back when the test ends."""
    yield from _opening(lab, chrome, first_day)


@pytest.fixture(scope="module")
def open_for_module(
    lab: Server, chrome: Any, first_day: dict[str, bytes]
) -> Iterator[Open]:
    """The same for what several tests look at."""
    yield from _opening(lab, chrome, first_day)


@pytest.fixture(scope="module")
def lecture(
    request: pytest.FixtureRequest, lab: Server, open_for_module: Open
) -> Notebook:
    """The module's LECTURE after Run All; each test moves a picture of its own.

    Its trainings are cut to the steps of `make check`: what is tested is the page.
    """
    file = lab.folder / request.module.LECTURE
    long = file.read_text("utf-8")
    short = BUDGET.sub(r"budget(full=\1, check=\1)", long)
    assert short != long
    file.write_text(short, encoding="utf-8")
    return open_for_module(request.module.LECTURE).run_all()


def _opening(lab: Server, chrome: Any, first_day: dict[str, bytes]) -> Iterator[Open]:
    contexts = []
    _put_back(lab, first_day)

    def opened(path: str, at: str = "") -> Notebook:
        contexts.append(chrome.new_context(viewport=VIEW))
        return Notebook(contexts[-1].new_page(), lab, path).open(at)

    yield opened
    for context in contexts:
        context.close()
    lab.end_kernels()


def _put_back(lab: Server, first_day: dict[str, bytes]) -> None:
    for name, built in first_day.items():
        (lab.folder / name).write_bytes(built)
    (lab.folder / "progress.json").unlink(missing_ok=True)
