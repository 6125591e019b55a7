"""A new version of the course goes into a learner's notebook; their work stays.

Cells that the course built carry `metadata.workbook`: a `key`, what was `made` (the
fingerprint of the source as built), in exercises the `exercise` id, and in renamed
cells the keys they `was`. A cell without it is the learner's, and so is every course
cell whose source no longer has the fingerprint it was made with. `merge` decides and
touches no file; `write` keeps a dated copy, then replaces the file whole.
"""

from __future__ import annotations

import copy
import hashlib
import ipaddress
import itertools
import json
import os
import re
import stat
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import filelock
import nbformat
from nbformat import NotebookNode

from workbook.progress import LOCK_SECONDS, numbered, set_aside, write_atomically

ATTEMPTS = 3  # merges of a file that changes while it is merged
ASK_SECONDS = 1.0  # a Jupyter server that answers later is taken as not there
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # what nbformat 4.5 allows


class MergeRefused(Exception):
    """The notebook was left as it is; says what happened, where, what to do."""


@dataclass(frozen=True)
class Merged:
    """The merged notebook, what the course changed in it, what stayed the learner's."""

    notebook: NotebookNode
    changes: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What `write` did; `backup` is the copy of the file as it was before."""

    written: bool
    changes: list[str]
    backup: Path | None
    kept: list[str] = field(default_factory=list)


# -- the merge --------------------------------------------------------------------


def fingerprint(source: str) -> str:
    """What `made` holds: the first 16 hex digits of the source's SHA-256."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def merge(old: NotebookNode | None, new: NotebookNode) -> Merged:
    """The course's `new` notebook with the learner's work out of `old`.

    Neither is changed. The result follows the course's order; each cell of the
    learner's stays behind the course cell it stood behind. Raises ValueError where
    `new` has a cell without a key, or a key twice.
    """
    keys = _course_keys(new)
    if old is None:
        return Merged(copy.deepcopy(new))
    primaries = _primaries(old.cells)
    found = _answers(old.cells, new.cells, primaries)
    changes, kept = [], []
    groups = _own_cells(old.cells, found, primaries, changes)
    laid, owners = _laid_out(old.cells, new.cells, found, groups)
    for cell in new.cells:
        was = old.cells[found[_key(cell)]] if _key(cell) in found else None
        _report(was, cell, changes, kept)
    _report_own(groups, kept)
    if list(found) != [key for key in keys if key in found]:
        changes.append("the cells are in the order of the course again")
    result = _notebook_around(old, new, laid)
    if result.nbformat_minor >= 5:  # before that, cells have no ids
        _make_ids_unique(result.cells, owners)
    if result != old and not changes:
        changes.append("what belongs to the course's cells was brought up to date")
    return Merged(result, changes, kept)


def _entry(cell: NotebookNode) -> dict:
    """The course's entry in the cell's metadata; empty where it is the learner's."""
    entry = cell.get("metadata", {}).get("workbook")
    if isinstance(entry, dict) and isinstance(entry.get("key"), str):
        return entry
    return {}


def _key(cell: NotebookNode) -> str | None:
    return _entry(cell).get("key")


def _is_changed(cell: NotebookNode) -> bool:
    """Has the learner written in this course cell?"""
    return _entry(cell).get("made") != fingerprint(cell.source)


def _course_keys(new: NotebookNode) -> list[str]:
    keys = [_key(cell) for cell in new.cells]
    if None in keys:
        raise ValueError(f"the built notebook's cell {keys.index(None)} has no key")
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"the built notebook has the key {key!r} twice")
    return keys


def _primaries(cells: list[NotebookNode]) -> dict[str, int]:
    """Key -> index of the cell that stands for it: of copies the first changed one."""
    chosen: dict[str, int] = {}
    for index, cell in enumerate(cells):
        key = _key(cell)
        if key is None:
            continue
        first = chosen.setdefault(key, index)
        if not _is_changed(cells[first]) and _is_changed(cell):
            chosen[key] = index
    return chosen


def _answers(
    old: list[NotebookNode], new: list[NotebookNode], primaries: dict[str, int]
) -> dict[str, int]:
    """New key -> index of the old cell that takes its place, in the old order.

    Former names count too. A cell that was changed goes before one that was not,
    the key itself before the keys it was.
    """
    taken = {_key(cell) for cell in new}  # a former name still in use is no former name
    found = {}
    for cell in new:
        names = [_key(cell)]
        for name in _entry(cell).get("was", []):
            if name not in taken:
                taken.add(name)
                names.append(name)
        there = [primaries[name] for name in names if name in primaries]
        changed = [index for index in there if _is_changed(old[index])]
        if there:
            found[_key(cell)] = (changed or there)[0]
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _own_cells(
    cells: list[NotebookNode],
    found: dict[str, int],
    primaries: dict[str, int],
    changes: list[str],
) -> dict[str | None, list[NotebookNode]]:
    """Key of a course cell (None: the top) -> the learner's cells behind it."""
    owned = {index: key for key, index in found.items()}
    groups, anchor = {None: []}, None
    for index, cell in enumerate(cells):
        if index in owned:
            anchor = owned[index]
        elif own := _as_own(cell, index == primaries.get(_key(cell)), changes):
            groups.setdefault(anchor, []).append(own)
    return groups


def _as_own(
    cell: NotebookNode, is_primary: bool, changes: list[str]
) -> NotebookNode | None:
    """A cell no course cell answers to, as the learner's; None where it is dropped."""
    cell, key = copy.deepcopy(cell), _key(cell)
    if key is None:
        return cell
    if not is_primary:
        del cell.metadata["workbook"]
        changes.append(f"{key}: the second copy of this cell is a cell of your own now")
        return cell
    if not _is_changed(cell):
        changes.append(f"{key}: no longer in the course, and taken out")
        return None
    cell.metadata["workbook_was"] = cell.metadata.pop("workbook")
    changes.append(f"{key}: no longer in the course; yours stays as a cell of your own")
    return cell


def _laid_out(
    old: list[NotebookNode],
    new: list[NotebookNode],
    found: dict[str, int],
    groups: dict[str | None, list[NotebookNode]],
) -> tuple[list[NotebookNode], list[bool]]:
    """The cells in their order, and for each whether it is the learner's own."""
    laid, owners = [*groups[None]], [True] * len(groups[None])
    for cell in new:
        was = old[found[_key(cell)]] if _key(cell) in found else None
        behind = groups.get(_key(cell), [])
        laid += [_placed(was, cell), *behind]
        owners += [False] + [True] * len(behind)
    return laid, owners


def _placed(old: NotebookNode | None, new: NotebookNode) -> NotebookNode:
    """The course cell `new` with what the learner has in `old`."""
    if old is None:
        return copy.deepcopy(new)
    if _stays(old, new):
        return _answered(old, new)
    placed = copy.deepcopy(new)
    placed.metadata = {**_without(old.metadata, "tags"), **placed.metadata}
    if old.source == new.source and old.cell_type == new.cell_type == "code":
        placed.outputs = copy.deepcopy(old.outputs)
        placed.execution_count = old.execution_count
    return nbformat.from_dict(placed)


def _stays(old: NotebookNode, new: NotebookNode) -> bool:
    """Is the cell's source the learner's, and not what the course says now as well?"""
    return _is_changed(old) and old.source != new.source


def _answered(old: NotebookNode, new: NotebookNode) -> NotebookNode:
    """The learner's cell under the course's new entry.

    `made` stays the old one, so that the cell still counts as changed; `told` is the
    version of the course that the learner has heard of.
    """
    cell = copy.deepcopy(old)
    if "id" in new:
        cell["id"] = new["id"]
    made = _entry(old).get("made", "")
    entry = {**_without(copy.deepcopy(_entry(new)), "told"), "made": made}
    if _entry(new).get("made") != made:
        entry["told"] = _entry(new).get("made")
    cell.metadata["workbook"] = entry
    tags = _tags(old) + [tag for tag in _tags(new) if tag not in _tags(old)]
    if tags:
        cell.metadata["tags"] = tags
    return nbformat.from_dict(cell)


def _tags(cell: NotebookNode) -> list:
    tags = cell.metadata.get("tags", [])
    return list(tags) if isinstance(tags, list) else []


def _without(entry: dict, name: str) -> dict:
    return {key: value for key, value in entry.items() if key != name}


def _notebook_around(
    old: NotebookNode, new: NotebookNode, cells: list[NotebookNode]
) -> NotebookNode:
    """The learner's notebook, except its cells and the course's own entry."""
    metadata = {**new.metadata, **_without(old.metadata, "workbook")}
    if "workbook" in new.metadata:
        metadata["workbook"] = new.metadata["workbook"]
    minor = max(old.nbformat_minor, new.nbformat_minor)
    parts = {"metadata": metadata, "nbformat_minor": minor, "cells": cells}
    return nbformat.from_dict(copy.deepcopy({**new, **old, **parts}))


def _make_ids_unique(cells: list[NotebookNode], owners: list[bool]) -> None:
    """Give every cell an id of its own; on a clash the course's cell gives way."""
    pairs = list(zip(cells, owners, strict=True))
    taken = {cell.get("id") for cell, own in pairs if not own}
    used: set[str] = set()
    for turn in (True, False):  # the learner's first
        for cell, own in pairs:
            if own is turn:
                _settle_id(cell, used, used | taken)


def _settle_id(cell: NotebookNode, used: set[str], avoid: set[str]) -> None:
    """Leave the cell its id where nobody has it yet, else the next free one."""
    wanted = cell.get("id")
    if _is_id(wanted) and wanted not in used:
        settled = wanted
    else:
        stem = wanted if _is_id(wanted) else f"cell-{fingerprint(cell.source)}"
        names = itertools.chain(
            [stem], (f"{stem[:58]}-{n}" for n in itertools.count(2))
        )
        settled = next(name for name in names if name not in avoid)
    cell["id"] = settled
    used.add(settled)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


# -- what is said about it --------------------------------------------------------


def _report(
    old: NotebookNode | None, new: NotebookNode, changes: list[str], kept: list[str]
) -> None:
    """One course cell: what happened to it, what of it stayed the learner's."""
    key, is_exercise = _key(new), "exercise" in _entry(new)
    if old is None:
        changes.append(f"{key}: added")
        return
    if _key(old) != key:
        changes.append(f"{key}: was {_key(old)} before")
    yours = "your answer" if is_exercise else "your version"
    if _stays(old, new):
        kept.append(f"{key}: {yours}")
        if _entry(new).get("made") != _entry(old).get("told", _entry(old).get("made")):
            what = "exercise" if is_exercise else "course's cell"
            changes.append(f"{key}: {yours} is kept; the {what} was reworded")
    elif (old.source, old.cell_type) != (new.source, new.cell_type):
        changes.append(f"{key}: brought up to date")


def _report_own(groups: dict[str | None, list[NotebookNode]], kept: list[str]) -> None:
    for anchor, cells in groups.items():
        if cells:
            what = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            where = f"after {anchor}" if anchor else "at the top"
            kept.append(f"{what} of your own {where}")


# -- the file ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Seen:
    """A file at one moment; equal to a later look where nobody wrote in between."""

    raw: bytes
    modified: int  # ns
    size: int


@dataclass(frozen=True)
class _Plan:
    seen: _Seen | None  # None: there is no file yet
    merged: Merged
    data: bytes | None  # None: nothing would change


def write(
    new: NotebookNode,
    path: str | os.PathLike[str],
    kept_folder: str | os.PathLike[str],
    prepare: Callable[[NotebookNode], None] | None = None,
) -> Outcome:
    """Merge `new` into the notebook at `path`, or leave that byte for byte as it is.

    `prepare` may change the notebook that lies there before the merge (a reset does).
    A file that would not change is not touched. Else its bytes go into `kept_folder`
    under a dated name first. Raises MergeRefused; the notebook is then as it was.
    """
    path, kept_folder = Path(path), Path(kept_folder)
    plan = _planned(new, path, prepare)
    if plan.data is None:
        return Outcome(False, plan.merged.changes, None, plan.merged.kept)
    with _locked(path, kept_folder):
        for _ in range(ATTEMPTS):
            plan = _planned(new, path, prepare)
            if plan.data is None:
                return Outcome(False, plan.merged.changes, None, plan.merged.kept)
            _refuse_where_open(path, plan)
            backup = _kept(path, kept_folder, plan.seen)
            if _replaced(path, plan):
                merged = plan.merged
                return Outcome(True, merged.changes, backup, merged.kept)
    raise MergeRefused(
        f"{path} kept changing while it was brought up to date, and stays as it is: "
        "close what writes to it, then run the command again."
    )


def _planned(
    new: NotebookNode, path: Path, prepare: Callable[[NotebookNode], None] | None
) -> _Plan:
    seen = _look(path)
    old = _parsed(seen.raw, path) if seen else None
    try:
        before = copy.deepcopy(old)
        if old is not None and prepare is not None:
            prepare(old)
        merged = merge(old, new)
    except RecursionError:
        raise _unusable(path, "is nested too deeply") from None
    if merged.notebook == before:
        return _Plan(seen, merged, None)
    try:
        return _Plan(seen, merged, _text(merged.notebook))
    except (AttributeError, TypeError, RecursionError):
        raise _unusable(path, "has a cell whose outputs make no sense") from None


def _look(path: Path) -> _Seen | None:
    """The file as it is now, None where there is none. Follows no link."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise MergeRefused(
                f"{path} is a link, so it stays as it is: put the notebook itself in "
                "its place, then run the command again."
            )
        if not stat.S_ISREG(mode):
            raise MergeRefused(
                f"{path} is no file, so nothing was written: move it away, then run "
                "the command again."
            )
        with open(path, "rb") as file:
            raw, stats = file.read(), os.fstat(file.fileno())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _no_access(path, "read", error) from error
    return _Seen(raw, stats.st_mtime_ns, stats.st_size)


def _parsed(raw: bytes, path: Path) -> NotebookNode:
    """The notebook in `raw`. Raises MergeRefused where there is none."""
    if not raw.strip():
        raise _unusable(path, "is empty")
    try:
        document = json.loads(raw)
    except json.JSONDecodeError as error:
        raise _unusable(path, f"is not valid JSON (line {error.lineno})") from None
    except UnicodeDecodeError:
        raise _unusable(path, "is not text in UTF-8") from None
    except (ValueError, RecursionError):
        raise _unusable(path, "is JSON that cannot be read") from None
    if problem := _problem(document):
        raise _unusable(path, problem)
    _fill_in(document)
    try:
        return nbformat.v4.to_notebook(document)
    except (AttributeError, TypeError, RecursionError):
        raise _unusable(path, "has a cell whose outputs make no sense") from None


def _problem(document: object) -> str:
    """Why this JSON is no notebook that can be merged; empty where it is one."""
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        return "is JSON, but no notebook"
    if document["nbformat"] != 4:
        return f"is a notebook of format {document['nbformat']}, not 4"
    if not isinstance(document.get("metadata", {}), dict):
        return "is a notebook whose metadata is no table"
    cells = document.get("cells")
    if not isinstance(cells, list):
        return "is a notebook without cells"
    for number, cell in enumerate(cells, 1):
        if not _is_cell(cell):
            return f"has something as cell {number} that is no cell"
    return ""


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata", {}), dict):
        return False
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else [source]
    kind = cell.get("cell_type")
    return isinstance(kind, str) and all(isinstance(line, str) for line in lines)


def _fill_in(document: dict) -> None:
    """Add the parts that another editor may have left out."""
    document.setdefault("metadata", {})
    if not isinstance(document.get("nbformat_minor"), int):
        document["nbformat_minor"] = 0
    for cell in document["cells"]:
        cell.setdefault("metadata", {})
        cell.setdefault("source", "")
        if cell["cell_type"] == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)


def _unusable(path: Path, what: str) -> MergeRefused:
    return MergeRefused(
        f"{path} {what}, so it stays as it is: repair it or move it away (earlier "
        f"copies may be in {path.parent / '.kept'}), then run the command again."
    )


def _no_access(path: Path, act: str, error: BaseException) -> MergeRefused:
    reason = getattr(error, "strerror", None) or str(error)
    return MergeRefused(
        f"{path} cannot be {act} ({reason}), so it stays as it is: look at its rights "
        "and the space on the disk, then run the command again."
    )


@contextmanager
def _locked(path: Path, kept_folder: Path) -> Iterator[None]:
    """One command at a time, and what the disk refuses becomes one sentence."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept_folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError("it is read-only")
        with filelock.FileLock(kept_folder / ".lock", timeout=LOCK_SECONDS):
            yield
    except filelock.Timeout as error:
        raise MergeRefused(
            f"{path} is being written by another command for {LOCK_SECONDS:g} s, so it "
            "stays as it is: let that one end, then run this one again."
        ) from error
    except (OSError, NotImplementedError) as error:
        raise _no_access(path, "written", error) from error


def _kept(path: Path, kept_folder: Path, seen: _Seen | None) -> Path | None:
    """A copy of the file as it was seen: 01_micrograd.2026-11-22T18-40-00.ipynb."""
    if seen is None:
        return None
    stem = f"{path.stem}.{datetime.now():%Y-%m-%dT%H-%M-%S}"
    return set_aside(seen.raw, numbered(kept_folder, stem, path.suffix), path.name)


def _replaced(path: Path, plan: _Plan) -> bool:
    """Put the merged notebook in place, unless somebody wrote there meanwhile."""
    return write_atomically(path, plan.data, still=lambda: _look(path) == plan.seen)


def _text(notebook: NotebookNode) -> bytes:
    """The bytes of the file, as Jupyter itself would write them."""
    try:
        return (nbformat.v4.writes(notebook) + "\n").encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, typed or pasted
        text = nbformat.v4.writes(notebook, ensure_ascii=True)
        return (text + "\n").encode("ascii")


# -- is it open in JupyterLab? ----------------------------------------------------


def _refuse_where_open(path: Path, plan: _Plan) -> None:
    if plan.seen is not None and (server := open_in(path)):
        raise MergeRefused(
            f"{path} is open in JupyterLab at {server}, so it stays as it is: save and "
            "close it there and shut down its kernel, then run the command again."
        )


def open_in(path: Path) -> str | None:
    """The address of a running Jupyter server on this machine with a session on the
    notebook, else None. A server that does not answer in a second is passed over."""
    try:
        from jupyter_server.serverapp import list_running_servers

        servers = list(list_running_servers())
    except Exception:  # a desk without Jupyter, or with a broken runtime folder
        return None
    for server in servers:
        with suppress(Exception):  # whatever is there, it is no reason to stop
            address = _loopback_address(server)
            if address and _has_session(address, server, path):
                return address
    return None


def _loopback_address(server: dict) -> str | None:
    """Where this machine reaches the server; None where that is another machine."""
    parts = urlsplit(server["url"])
    if server.get("hostname") in ("0.0.0.0", "::", "*"):  # listens everywhere, here too
        return f"{parts.scheme}://127.0.0.1:{server['port']}{parts.path}"
    host = parts.hostname or ""
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        return None
    return server["url"] if parts.scheme in ("http", "https") else None


def _has_session(address: str, server: dict, path: Path) -> bool:
    """Asks api/sessions; the token goes to the server and nowhere else."""
    request = urllib.request.Request(
        f"{address.rstrip('/')}/api/sessions",
        headers={"Authorization": f"token {server.get('token', '')}"},
    )
    plain = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    with plain.open(request, timeout=ASK_SECONDS) as answer:
        sessions = json.loads(answer.read(10_000_000))
    here = os.path.normcase(os.path.realpath(path))
    return any(here in _places(session, server["root_dir"]) for session in sessions)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """A redirect would take the token along: refuse it."""


def _places(session: dict, root: str) -> list[str]:
    """Where the session's notebook may lie; drives such as `RTC:` are left out."""
    named = session.get("path") or session.get("notebook", {}).get("path", "")
    names = {named, named.split(":", 1)[-1]}
    return [os.path.normcase(os.path.realpath(Path(root, name))) for name in names]
