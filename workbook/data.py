"""The files that lessons read: fetched once, checked always, never in the way.

    from workbook import data

    data.names()              # ["emma", "olivia", ...], as in the lecture
    data.play()               # "First Citizen:\\nBefore we proceed ..."
    data.path("r50k_base")    # where a file lies

What is what stands in data/manifest.toml. A file is taken from data/ when its SHA-256
is right, else from DATA_MIRROR, else from its address; without all of these the
sample that comes with the course stands in, and one line says so.

    DataError                 a file cannot be had, or the question is wrong
      NotFetched              fetching failed: .file, .reason
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from workbook import checking, download
from workbook.course import root
from workbook.download import Miss

_WAIT = 60.0  # seconds that a second process waits for the first
_HERE = {"localhost", "127.0.0.1", "::1"}
_FULL = {errno.ENOSPC, errno.EDQUOT}

# What this process remembers: sentences said, and samples in use.
_said: set[str] = set()
_standing_in: set[Path] = set()


class DataError(Exception):
    """A file of the course cannot be had; the text is one sentence."""


class NotFetched(DataError):
    """A file could be neither found nor fetched; `reason` is the part that says why."""

    def __init__(self, file: str, reason: str) -> None:
        self.file, self.reason = file, reason
        super().__init__(
            f"{file} could not be fetched ({reason}): try again with `make lab`, "
            "or set DATA_MIRROR to a folder that holds it."
        )


@dataclass(frozen=True)
class Entry:
    """One file of the manifest; without a sample, `sample` and `stand_in` are empty."""

    name: str
    file: str
    url: str
    bytes: int
    sha256: str
    licence: str
    source: str
    sample: str = ""
    stand_in: str = ""

    @property
    def place(self) -> Path:
        """Where the file lies once it is fetched."""
        return folder() / self.file

    @property
    def part(self) -> Path:
        """What has come of it so far."""
        return folder() / f"{self.file}.part"

    @property
    def megabytes(self) -> str:
        """Its size, rounded up: "0.3 MB"."""
        return f"{math.ceil(self.bytes / 1e5) / 10} MB"


# --- What a lesson asks for ---------------------------------------------------


def names() -> list[str]:
    """The given names, one string each: 32,033 as in the lecture, or our sample."""
    return path("names").read_text(encoding="ascii").splitlines()


def play() -> str:
    """Shakespeare's lines as one string of 1,115,394 characters, or our sample."""
    return path("play").read_text(encoding="ascii")


def path(name: str) -> Path:
    """Where a file lies, fetched first if need be; else where its sample lies.

    A process that has begun with a sample keeps it, so that two cells never see two
    corpora. Raises DataError for a file that cannot be had and has no sample.
    """
    entry = _entry(name)
    if checking() or entry.place in _standing_in:
        return _sample(entry)
    try:
        return fetch(name)
    except NotFetched as missed:
        if not entry.sample:
            raise
        reason = missed.reason
    return _stand_in(entry, reason)


def is_sample(name: str) -> bool:
    """Whether path(name) is the sample; it may fetch, as path does."""
    entry = _entry(name)
    return bool(entry.sample) and path(name) == folder() / entry.sample


def fetch(name: str) -> Path:
    """Where the real file lies, fetched first if need be. Raises DataError."""
    entry = _entry(name)
    if checking():
        raise DataError(
            f"{entry.file} is not fetched while WORKBOOK_CHECK=1, which works with "
            "shipped files only: unset it, or ask for a file that has a sample."
        )
    try:
        if not _verified(entry):
            _fetch_alone(entry)
    except Miss as miss:
        raise NotFetched(entry.file, str(miss)) from None
    except OSError as error:
        raise NotFetched(entry.file, _trouble(error, entry)) from None
    _standing_in.discard(entry.place)
    return entry.place


def fetch_all() -> list[str]:
    """Fetch whatever is missing; return a sentence for each thing that happened.

    Nothing to do, or WORKBOOK_CHECK=1: an empty list. It never raises, so that no
    set-up fails for want of a network.
    """
    if checking():
        return []
    try:
        return list(_report(manifest()))
    except Exception as error:
        return [f"The course's files were not fetched: {error}"]


def _report(entries: tuple[Entry, ...]) -> Iterator[str]:
    """One sentence for each new file, and one for each reason why files are missing."""
    missed: dict[str, list[str]] = {}
    for entry in entries:
        new = not entry.place.exists()
        try:
            fetch(entry.name)
        except NotFetched as error:
            missed.setdefault(error.reason, []).append(entry.file)
        else:
            if new:
                yield f"{entry.file} is in place ({entry.megabytes})."
    for reason, files in missed.items():
        yield (
            f"{_and(files)} could not be fetched ({reason}): lessons work with the "
            "course's samples where there are any; `make lab` tries again next time."
        )


# --- The manifest and the samples ---------------------------------------------


def folder() -> Path:
    """The folder data/ of the course."""
    return root() / "data"


def manifest() -> tuple[Entry, ...]:
    """The files that data/manifest.toml names. Raises DataError if it is damaged."""
    source = folder() / "manifest.toml"
    try:
        tables = tomllib.loads(source.read_text(encoding="utf-8"))["files"]
        return tuple(Entry(**table) for table in tables)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{source} cannot be read ({error}): "
            "bring it back with `git checkout data/manifest.toml`."
        ) from error


def _entry(name: str) -> Entry:
    """The manifest's file of that name ("names") or file name ("names.txt")."""
    entries = manifest()
    for entry in entries:
        if name in (entry.name, entry.file):
            return entry
    known = _and([entry.name for entry in entries])
    raise DataError(f"No file of the course is called {name!r}: there are {known}.")


def _sample(entry: Entry) -> Path:
    if not entry.sample:
        raise DataError(
            f"{entry.file} has no sample, and WORKBOOK_CHECK=1 works with shipped "
            "files only: unset it, or do without this file."
        )
    sample = folder() / entry.sample
    if not sample.is_file():
        raise DataError(
            f"{sample} is missing, though it comes with the course: "
            f"bring it back with `git checkout data/{entry.sample}`."
        )
    return sample


def _stand_in(entry: Entry, reason: str) -> Path:
    """Turn to the sample, for as long as this process lives, and say so once."""
    sample = _sample(entry)
    text = sample.read_text(encoding="ascii")
    holds = entry.stand_in.format(
        lines=len(text.splitlines()), characters=len(text)
    )  # "the 4,312 sample names that come with the course"
    _say(
        f"{entry.file} could not be fetched ({reason}): working with {holds}. Numbers "
        "will differ from those of the lecture; `make lab` tries again next time."
    )
    _standing_in.add(entry.place)
    return sample


def _say(sentence: str) -> None:
    """Print a sentence, once a process."""
    if sentence not in _said:
        _said.add(sentence)
        print(sentence)


def _and(words: list[str]) -> str:
    """["a", "b", "c"] -> "a, b and c"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


# --- Is it the right file? ----------------------------------------------------


def _verified(entry: Entry) -> bool:
    """Whether the file is in place and right; a file seen before costs only a stat."""
    try:
        stat = entry.place.stat()
    except FileNotFoundError:
        return False
    mark = [stat.st_size, stat.st_mtime_ns, entry.sha256]
    if _marks().get(entry.file) == mark:
        return True
    if stat.st_size != entry.bytes or download.sha256(entry.place) != entry.sha256:
        return False
    _remember(entry.file, mark)
    return True


def _marks() -> dict[str, Any]:
    """Size, time and SHA-256 of the files found right so far; {} if that is damaged."""
    try:
        marks = json.loads((folder() / ".verified.json").read_text())
    except (OSError, ValueError):
        return {}
    return marks if isinstance(marks, dict) else {}


def _remember(file: str, mark: list[Any]) -> None:
    """Keep a mark; where that fails, the file is read again next time, no more."""
    notes = folder() / ".verified.json"
    draft = notes.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        draft.write_text(json.dumps({**_marks(), file: mark}, indent=1))
        os.replace(draft, notes)


def _set_aside(entry: Entry) -> None:
    """Move a wrong file out of the way; never delete it, never use it."""
    found, aside = download.sha256(entry.place), folder() / f"{entry.file}.refused"
    number = 1
    while aside.exists():
        number += 1
        aside = folder() / f"{entry.file}.refused-{number}"
    os.rename(entry.place, aside)
    _say(
        f"data/{entry.file} is not the file that the lessons need (SHA-256 {found}, "
        f"expected {entry.sha256}): it is set aside as data/{aside.name}."
    )


# --- Bringing it here ---------------------------------------------------------


def _fetch_alone(entry: Entry) -> None:
    """Fetch under a lock: of two processes the second finds the file ready."""
    from filelock import FileLock, Timeout

    folder().mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder() / f".{entry.file}.lock", timeout=_WAIT):
            if not _verified(entry):
                _replace(entry)
    except Timeout:
        raise Miss(f"another process is still fetching it after {_WAIT:g} s") from None


def _replace(entry: Entry) -> None:
    """Set a wrong file aside, obtain a right one, and only then put it in place."""
    if entry.place.exists():
        _set_aside(entry)
    if not _from_mirror(entry):
        _from_address(entry)
    download.insist(entry.part, entry, str(entry.part))
    with entry.part.open("rb+") as opened:
        os.fsync(opened.fileno())
    os.replace(entry.part, entry.place)
    _verified(entry)


def _from_mirror(entry: Entry) -> bool:
    """Ask DATA_MIRROR, if it is set; say why, when it does not help."""
    mirror = os.environ.get("DATA_MIRROR", "").strip()
    if not mirror:
        return False
    try:
        if mirror.startswith(("http://", "https://")):
            download.bring(f"{mirror.rstrip('/')}/{entry.file}", entry, "mirror")
        else:
            _copy(_directory(mirror), entry)
    except Miss as miss:
        host = urlsplit(entry.url).hostname
        _say(f"DATA_MIRROR does not give {entry.file} ({miss}): asking {host} instead.")
        return False
    return True


def _directory(mirror: str) -> Path:
    """The folder that a path or a file:// address means."""
    if mirror.startswith("file:"):
        mirror = url2pathname(urlsplit(mirror).path)
    found = Path(mirror).expanduser()
    if not found.is_dir():
        raise Miss(f"{mirror} is not a folder")
    return found


def _copy(mirror: Path, entry: Entry) -> None:
    """Copy from the folder, or from one in it: mirror/tiktoken/r50k_base.tiktoken."""
    found = next(
        (one for at in ("", "*/") for one in sorted(mirror.glob(at + entry.file))), None
    )
    if found is None:
        raise Miss(f"{mirror} does not hold it")
    try:
        download.insist(found, entry, str(found))
    except OSError as error:
        raise Miss(f"{found}: {error.strerror}") from error
    shutil.copyfile(found, entry.part)


def _from_address(entry: Entry) -> None:
    """Ask the manifest's address, which has to be https (http on this machine only)."""
    address = urlsplit(entry.url)
    if address.scheme != "https" and address.hostname not in _HERE:
        raise Miss(f"{entry.url} is not https")
    download.bring(entry.url, entry, "network")


# --- What went wrong, in words ------------------------------------------------


def _trouble(error: OSError, entry: Entry) -> str:
    """Why this machine could not store the file; a full disk gets its room back."""
    if error.errno not in _FULL:
        return f"{error.filename or folder()}: {error.strerror or error}"
    with contextlib.suppress(OSError):
        entry.part.unlink(missing_ok=True)
    return f"the disk is full: {entry.megabytes} are needed in {folder()}"
