"""A file from the network: resumed where it stopped, and refused if it is another.

    download.bring(url, wanted, through="network")

What `data.py` decides is not known here: where a file belongs, whom to ask, what stands
in for it. This module fills `wanted.part` and raises, with a reason fit for a sentence:

    Miss                      this source does not give the file
      Refused                 it gives another file
      Away                    it cannot be reached: the next 60 s are spent without it
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import io
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from workbook import __version__, checking, headless

if TYPE_CHECKING:
    from rich.progress import Progress

_ANSWER = 6.0  # seconds until a server has answered, the search for it included
_PIECE = 10.0  # seconds until more of a file has come
_SLOWEST = 1_000  # bytes a second; a slower transfer counts as none
_REST = 60.0  # seconds in which a network that failed is left alone
_CHUNK = 1 << 16  # bytes
_NO_NETWORK = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}

Result = TypeVar("Result")
Advance = Callable[[int], None]

# What failed in this process: through -> (when to try again, why).
_failed: dict[str, tuple[float, str]] = {}


class Miss(Exception):
    """This source does not give the file."""


class Refused(Miss):
    """This source gives another file."""


class Away(Miss):
    """This source cannot be reached: not worth asking again at once."""


class Wanted(Protocol):
    """The file that is wanted."""

    @property
    def file(self) -> str: ...  # its name, for the progress bar
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def part(self) -> Path: ...  # what has come of it so far


# --- Is it the right file? ----------------------------------------------------


def sha256(file: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def insist(file: Path, wanted: Wanted, origin: str) -> None:
    """Raise Refused, naming both hashes, if this is not the file that is wanted."""
    found = sha256(file)
    if found != wanted.sha256:
        raise Refused(
            f"{origin} has a file with SHA-256 {found}, expected {wanted.sha256}"
        )


def _insist_part(wanted: Wanted, host: str) -> None:
    """Refuse and remove a download that came whole and is another file."""
    try:
        insist(wanted.part, wanted, host)
    except Refused:
        wanted.part.unlink()
        raise


# --- Whole or in part ---------------------------------------------------------


def bring(url: str, wanted: Wanted, through: str) -> None:
    """Fill `wanted.part`: complete what is there, or start over.

    `through` names the way ("network", "mirror"): where one has failed, it has a rest
    of 60 s, and what is asked of it fails at once. Raises Miss, and OSError for
    trouble with the disk.
    """
    until, reason = _failed.get(through, (0.0, ""))
    if time.monotonic() < until:
        raise Away(reason)
    try:
        if not _completed(url, wanted):
            _stream(url, wanted, 0)
            _insist_part(wanted, _host(url))
    except Away as away:
        _failed[through] = time.monotonic() + _REST, str(away)
        raise


def _completed(url: str, wanted: Wanted) -> bool:
    """Whether a partial was resumed to the right file; a stale one is discarded."""
    start = wanted.part.stat().st_size if wanted.part.exists() else 0
    if not start:
        return False
    try:
        if start < wanted.bytes:
            _stream(url, wanted, start)
        _insist_part(wanted, _host(url))
    except Refused:
        wanted.part.unlink(missing_ok=True)
        return False
    return True


def _stream(url: str, wanted: Wanted, start: int) -> None:
    """Write the body behind the first `start` bytes of the partial."""
    host = _host(url)
    with _open(url, start) as answer:
        start = _resumed(answer, start)
        _fits(answer, wanted.bytes - start, host)
        with (
            wanted.part.open("ab" if start else "wb") as out,
            _bar(wanted, start) as advance,
        ):
            for piece in _pieces(answer, start, wanted.bytes, host):
                out.write(piece)
                advance(len(piece))


def _resumed(answer: http.client.HTTPResponse, start: int) -> int:
    """Where the body begins: at `start`, or at 0 if the server does not resume."""
    if answer.status != 206:
        return 0
    if not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        raise Refused("the server resumes at another place")
    return start


def _fits(answer: http.client.HTTPResponse, expected: int, host: str) -> None:
    """Refuse a body of another length before a byte is written: a log-in page, say."""
    offered = answer.length
    if offered is not None and offered != expected:
        raise Refused(f"{host} offers {offered:,} bytes, expected {expected:,}")


def _pieces(
    answer: http.client.HTTPResponse, got: int, size: int, host: str
) -> Iterator[bytes]:
    """The body in pieces, until `size` bytes are there; Away if it stalls or ends."""
    began, before = time.monotonic(), got
    while got < size:
        try:
            piece = answer.read1(min(_CHUNK, size - got))
        except (OSError, http.client.HTTPException):
            piece = b""
        waited = time.monotonic() - began
        if not piece or (waited > _PIECE and got - before < waited * _SLOWEST):
            raise Away(f"{host} stopped sending after {got:,} of {size:,} bytes")
        got += len(piece)
        yield piece


# --- A server's answer --------------------------------------------------------


class _SafeRedirects(HTTPRedirectHandler):
    """From https one is sent to https, or nowhere."""

    def redirect_request(self, req: Request, *args: Any) -> Request | None:
        target = args[-1]
        if req.type == "https" and not target.startswith("https:"):
            raise Miss(f"{_host(req.full_url)} redirects to {target}, not to https")
        return super().redirect_request(req, *args)


def _open(url: str, start: int) -> http.client.HTTPResponse:
    """Ask for a file from byte `start` on; wait no longer than _ANSWER seconds."""
    asked = Request(url, headers={"User-Agent": f"zero-to-hero-workbook/{__version__}"})
    if start:
        asked.add_header("Range", f"bytes={start}-")
    opener = build_opener(_SafeRedirects)
    try:
        return _within(_ANSWER, lambda: opener.open(asked, timeout=_PIECE))
    except HTTPError as error:
        kind = Refused if error.code == 416 else Miss
        raise kind(f"{_host(url)} answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise Away(_trouble(error, _host(url))) from error


def _within(seconds: float, act: Callable[[], Result]) -> Result:
    """The result of act(), or TimeoutError.

    A socket's own time-out counts anew for each address of a host, and does not
    cover the search for these addresses: a dead network could take minutes.
    """
    answer: Future[Result] = Future()

    def work() -> None:
        try:
            answer.set_result(act())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return answer.result(timeout=seconds)


def _host(url: str) -> str:
    """The server's name without a password: "example.org:8080"."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _trouble(error: Exception, host: str) -> str:
    """Why there is no answer, in a few words."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, socket.gaierror):
        return "no network"
    if isinstance(cause, TimeoutError):
        return f"{host} did not answer within {_ANSWER:g} s"
    if isinstance(cause, ConnectionRefusedError):
        return f"{host} refused the connection"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {host} could not be verified"
    if isinstance(cause, OSError) and cause.errno in _NO_NETWORK:
        return "no network"
    return f"the connection to {host} broke off: {cause}"


# --- For those who wait -------------------------------------------------------


def _bar(wanted: Wanted, done: int) -> AbstractContextManager[Advance]:
    """A progress bar with the time left, where somebody sees it."""
    if not checking() and not headless():
        return _notebook_bar(wanted, done)
    if not checking() and sys.stderr.isatty():
        return _terminal_bar(wanted, done)
    return contextlib.nullcontext(lambda count: None)


def _progress(**console: Any) -> Progress:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TimeRemainingColumn(),
        console=Console(force_jupyter=False, **console),
        transient=True,
    )


@contextlib.contextmanager
def _terminal_bar(wanted: Wanted, done: int) -> Iterator[Advance]:
    """A bar that is gone when the file is there."""
    with _progress(stderr=True) as bar:
        task = bar.add_task(wanted.file, total=wanted.bytes, completed=done)
        yield lambda count: bar.advance(task, count)


@contextlib.contextmanager
def _notebook_bar(wanted: Wanted, done: int) -> Iterator[Advance]:
    """One line of text, updated in place: a widget would not outlive its kernel."""
    from IPython.display import display

    bar = _progress(file=io.StringIO(), width=80, color_system=None)
    task = bar.add_task(wanted.file, total=wanted.bytes, completed=done)
    line = display({"text/plain": wanted.file}, raw=True, display_id=True)
    shown = 0.0

    def advance(count: int) -> None:
        nonlocal shown
        bar.advance(task, count)
        if bar.finished or time.monotonic() - shown > 0.2:
            shown = time.monotonic()
            line.update({"text/plain": _text(bar)}, raw=True)

    yield advance


def _text(bar: Progress) -> str:
    """The bar as it stands, as one line."""
    with bar.console.capture() as drawn:
        bar.console.print(bar.get_renderable())
    return drawn.get().strip()
