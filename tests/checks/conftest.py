"""What the tests of checks share: data modules beside them, and short limits."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, float], None]:
    """Give a check another time limit for this test."""
    from workbook.checks import known

    return lambda id, seconds: monkeypatch.setattr(known(id), "limit", seconds)
