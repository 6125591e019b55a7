"""What the tests of checks share: data modules beside them, and short limits."""

import gc
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of an exercise in one worker, which then works out only once what its
    known mistakes answer. Hostile answers come later: some leave a thread behind."""
    for item in items:
        values = getattr(item, "callspec", None) and item.callspec.params
        if values and "id" in values and item.path.parent == HERE:
            if item.path.stem == "test_hostile":
                continue
            item.add_marker(pytest.mark.xdist_group(values["id"]))


TOGETHER = 100  # tests after which what they leave is put aside
_run = 0


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave what is kept for later tests out of Python's searches for what is left:
    among millions of objects each takes seconds."""
    global _run
    if _run % TOGETHER == 0:
        gc.collect()
        gc.freeze()
    _run += 1


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, float], None]:
    """Give a check another time limit for this test."""
    from workbook.checks import known

    return lambda id, seconds: monkeypatch.setattr(known(id), "limit", seconds)
