"""Keeps what a learner's code prints, up to a bound, and nothing that others print."""

import io
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

FLOOD = 100_000  # characters; a print left in for debugging stays far below


class Flood(BaseException):
    """Raised by `print` when the output passes the bound."""


class Kept(io.StringIO):
    """Keeps what is written, and ends a flood; `flooded` remembers one."""

    flooded = False

    def write(self, text: str) -> int:
        room = FLOOD - self.tell()
        if len(text) > room:
            self.flooded = True
            super().write(text[: max(0, room)])
            raise Flood
        return super().write(text)


class Fork:
    """A stream that sends the learner's threads one way and all others the other.

    `theirs` maps the ident of a learner's thread to what keeps its output. A thread
    that was left behind, since nothing could stop it, is in there with None: muted.
    """

    def __init__(self, stream: Any, theirs: dict[int, Kept | None]):
        self._stream, self._theirs = stream, theirs

    def write(self, text: str) -> int:
        ident = threading.get_ident()
        if ident not in self._theirs:
            return self._stream.write(text)
        kept = self._theirs[ident]
        return len(text) if kept is None else kept.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def forked(theirs: dict[int, Kept | None]) -> Iterator[None]:
    """Let stdout and stderr fork, whatever the code inside makes of them."""
    before = sys.stdin, sys.stdout, sys.stderr
    try:
        sys.stdout, sys.stderr = (Fork(stream, theirs) for stream in before[1:])
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
