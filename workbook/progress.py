"""What the learner has done, in one file that outlives every rebuild.

`progress.json` holds the verdicts, the hints taken, the ticks and the predictions.
Each change reads the file anew under a lock, changes one entry, and replaces the file
whole: two kernels lose nothing, and a killed one leaves the file as it was. A file
that cannot be understood is set aside under another name; nothing is ever deleted.
"""

from __future__ import annotations

import copy
import glob
import itertools
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import filelock

SCHEMA = 1
SECTIONS = ("passes", "hints", "items", "predictions")
STATES = ("open", "not yet", "passed")
LOCK_SECONDS = 10.0
EPOCH = "1970-01-01T00:00:00.000000Z"  # stands in for a time that cannot be read


class ProgressError(Exception):
    """Nothing was recorded; the message says what happened, where, what to do."""


# -- files that are replaced whole, or not at all ---------------------------------


def write_atomically(
    path: Path, data: bytes, still: Callable[[], bool] = lambda: True
) -> bool:
    """Replace the file at `path` by `data`, or leave it as it was.

    The caller holds the lock of `path`. `still` is asked at the last moment; where
    it says no, nothing is replaced and False comes back. Raises OSError.
    """
    if path.exists() and not path.is_file():  # a device or a folder, as /dev/null is
        raise OSError(f"{path} is no regular file, and is not replaced by one")
    temp = _spill(path.parent, path.name, data, like=path)
    try:
        if not still():
            return False
        _replace(temp, path)
    finally:
        temp.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def set_aside(data: bytes, names: Iterator[Path], owner: str) -> Path:
    """Store `data` under the first of `names` that is free; nothing is overwritten.

    `owner` is the name of the file that the data comes from, whose lock the caller
    holds. Raises OSError.
    """
    first = next(names)
    temp = _spill(first.parent, owner, data)
    try:
        for name in itertools.chain([first], names):
            if _place(temp, name):
                _sync_folder(name.parent)
                return name
    finally:
        temp.unlink(missing_ok=True)
    raise FileExistsError(f"no free name like {first}")


def numbered(folder: Path, stem: str, suffix: str = "") -> Iterator[Path]:
    """stem+suffix, stem-2+suffix, stem-3+suffix, … in `folder`."""
    yield folder / f"{stem}{suffix}"
    for n in itertools.count(2):
        yield folder / f"{stem}-{n}{suffix}"


def _spill(folder: Path, owner: str, data: bytes, like: Path | None = None) -> Path:
    """A new file with `data`, safe on disk, beside where it is to go."""
    for stale in folder.glob(f".{glob.escape(owner)}.*.tmp"):  # a killed writer's
        with suppress(OSError):
            stale.unlink()
    temp = folder / f".{owner}.{secrets.token_hex(4)}.tmp"
    try:
        with open(temp, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if like is not None and like.exists():
            _take_after(temp, like.stat())
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    return temp


def _take_after(temp: Path, stat: os.stat_result) -> None:
    """Give the new file the owner and the rights of the one it replaces."""
    with suppress(OSError, AttributeError):  # AttributeError: Windows has no owners
        os.chown(temp, stat.st_uid, stat.st_gid)
    with suppress(OSError):
        os.chmod(temp, stat.st_mode & 0o7777)


def _place(temp: Path, name: Path) -> bool:
    """Give `temp` its name, where that is free."""
    try:
        os.link(temp, name)
    except FileExistsError:
        return False
    except (OSError, NotImplementedError, AttributeError):  # no hard links here
        if name.exists():
            return False
        _replace(temp, name)
    return True


def _replace(temp: Path, path: Path) -> None:
    """os.replace; Windows refuses it for as long as somebody reads the file."""
    for wait in (0.02, 0.05, 0.1, 0.2):
        try:
            return os.replace(temp, path)
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(wait)
    os.replace(temp, path)


def _sync_folder(folder: Path) -> None:
    """Make the new name last; where folders cannot be synced, it lasts anyway."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# -- times ------------------------------------------------------------------------


def _instant(text: Any) -> datetime | None:
    """The moment that `text` names, or None where it names none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year < 9000 else None  # beyond that, nothing comes later


def _written(moment: datetime) -> str:
    """The moment in UTC, always of one width."""
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")


def _stamp(when: datetime | str | None, old: dict | None) -> str:
    """`when` as text, None for now. Text without a zone is UTC.

    Now is later than the old entry even if a clock was ahead once, so that nothing
    done today is hidden by it.
    """
    before = _instant(old["when"]) if old else None
    if isinstance(when, str):
        text, when = when, _instant(when)
        if when is None:
            raise ValueError(f"{text!r} is no ISO time")
    moment = (when or datetime.now(UTC)).astimezone(UTC)
    if before and when is None and moment <= before:
        moment = before + timedelta(microseconds=1)
    return _written(moment)


# -- entries ----------------------------------------------------------------------


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_SENSIBLE: dict[str, Callable[[dict], bool]] = {
    "passes": lambda entry: entry.get("state") in STATES,
    "hints": lambda entry: _is_count(entry.get("level")),
    "items": lambda entry: isinstance(entry.get("ticked"), bool),
    "predictions": lambda entry: "guess" in entry,
}


def _sensible(section: str, entry: Any) -> dict | None:
    """The entry with its lesser damages mended, or None where it says nothing."""
    if not isinstance(entry, dict) or not _SENSIBLE[section](entry):
        return None
    mended = {**entry}
    if _instant(entry.get("when")) is None:
        mended["when"] = EPOCH
    if section == "passes":
        mended["version"] = entry["version"] if _is_count(entry.get("version")) else 0
        mended["answer"] = entry["answer"] if _is_text(entry.get("answer")) else ""
        mended["passed_at"] = _sensible_history(entry.get("passed_at"))
    return mended


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _sensible_history(history: Any) -> dict[str, str]:
    """When each version of an exercise was first passed: {"1": time, …}."""
    if not isinstance(history, dict):
        return {}
    return {version: at for version, at in history.items() if _instant(at)}


def _rank(section: str, entry: dict) -> tuple:
    """The greater rank wins; the text at the end only decides between twins."""
    twin = json.dumps({**entry, "passed_at": None}, sort_keys=True)
    when = _instant(entry["when"])
    if section == "passes":
        return (entry["state"] != "open", when, twin)
    return (entry["level"], when, twin) if section == "hints" else (when, twin)


def _joined(section: str, one: dict | None, other: dict | None) -> dict:
    """What two machines know of one thing: later wins, for hints the deeper level."""
    if one is None or other is None:
        return copy.deepcopy(one or other)
    winner = max(one, other, key=lambda entry: _rank(section, entry))
    joined = copy.deepcopy(winner)
    if section == "passes":
        joined["passed_at"] = _joined_history(one["passed_at"], other["passed_at"])
    return joined


def _succeeded(section: str, old: dict | None, new: dict) -> dict:
    """The entry after `new` was recorded: at one moment, the second verdict counts."""
    joined = _joined(section, old, new)
    if section == "passes" and old and old["when"] == new["when"]:
        return {**joined, **new, "passed_at": joined["passed_at"]}
    return joined


def _joined_history(one: dict, other: dict) -> dict:
    """The first time of each version."""
    both = {**one, **other}
    for version in one.keys() & other.keys():
        times = (one[version], other[version])
        both[version] = min(times, key=lambda at: (_instant(at), at))
    return both


def _joined_unknown(one: Any, other: Any) -> Any:
    """Two values of a later workbook: dicts key by key, else the greater text."""
    if isinstance(one, dict) and isinstance(other, dict):
        both = {**one, **other}
        common = {
            key: _joined_unknown(one[key], other[key]) for key in one if key in other
        }
        return {**both, **common}
    return max(one, other, key=lambda value: json.dumps(value, sort_keys=True))


def _plain(value: Any) -> Any:
    """A number or text that JSON holds; a tensor of one element gives its own."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    with suppress(Exception):  # any object may have an `item` of its own
        value = value.item()
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError, RecursionError):
        return str(value)


# -- the file ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Reading:
    """What a progress file says, and how well it could be read."""

    doc: dict
    status: str  # sound, missing, older, newer, dented, damaged, unreadable
    raw: bytes = b""
    reason: str = ""

    @property
    def view(self) -> dict:
        """The entries this workbook understands."""
        return _tidied(self.doc)


def _empty() -> dict:
    return {"schema": SCHEMA, **{section: {} for section in SECTIONS}}


def _tidied(doc: dict) -> dict:
    """The document with the entries that say something, and all that is unknown."""
    tidy = {**doc}
    for section in SECTIONS:
        entries = doc.get(section)
        entries = entries if isinstance(entries, dict) else {}
        mended = ((key, _sensible(section, entry)) for key, entry in entries.items())
        tidy[section] = {key: entry for key, entry in mended if entry is not None}
    return tidy


def _is_dented(doc: dict, tidy: dict) -> bool:
    """Was anything dropped or mended? A key that is not there is no damage."""
    for section in SECTIONS:
        if not isinstance(doc[section], dict):
            return True
        for key, entry in doc[section].items():
            mended = tidy[section].get(key)
            if mended is None or {name: mended[name] for name in entry} != entry:
                return True
    return False


def _from_bare_values(doc: dict) -> dict:
    """Schema 0 (no number in the file): a state, a level or a tick may stand alone."""
    names = {"passes": "state", "hints": "level", "items": "ticked"}
    lifted = {**doc}
    for section, name in names.items():
        if isinstance(doc.get(section), dict):
            lifted[section] = {
                key: value if isinstance(value, dict) else {name: value}
                for key, value in doc[section].items()
            }
    return lifted


_LIFTS: dict[int, Callable[[dict], dict]] = {0: _from_bare_values}


def _dumped(doc: dict) -> bytes:
    return (json.dumps(doc, indent=1, sort_keys=True) + "\n").encode("ascii")


def _read(path: Path) -> _Reading:
    """Read the file; no content makes this fail."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return _Reading(_empty(), "missing")
    except OSError as error:
        return _Reading(_empty(), "unreadable", reason=error.strerror or str(error))
    try:
        reading = _understood(json.loads(raw), raw)
        _dumped(reading.doc)  # what cannot be written back is damaged too
    except (ValueError, RecursionError):
        return _Reading(_empty(), "damaged", raw, "it is not valid JSON")
    return reading


def _understood(doc: Any, raw: bytes) -> _Reading:
    if not isinstance(doc, dict):
        return _Reading(_empty(), "damaged", raw, "it holds no entries")
    schema = doc.get("schema", 0)
    if _is_count(schema) and schema > SCHEMA:
        return _Reading(doc, "newer", raw)
    older = _is_count(schema) and schema < SCHEMA
    lifted = doc
    for number in range(schema if older else SCHEMA, SCHEMA):
        lifted = _LIFTS[number](lifted)
    whole = {**_empty(), **lifted, "schema": SCHEMA}
    tidy = _tidied(whole)
    if older:
        return _Reading(tidy, "older", raw)
    if _is_dented(whole, tidy) or not _is_count(schema):
        return _Reading(tidy, "dented", raw, "some entries make no sense")
    return _Reading(tidy, "sound", raw)


def _healed(path: Path, reading: _Reading) -> str:
    """Keep the file as it was under another name, put what could be read in its
    place, and say so in one sentence. The caller holds the lock."""
    name = path.name
    if reading.status == "newer":
        number = reading.doc["schema"]
        stem = f"{name}.schema-{number}"
        if not any(path.parent.glob(f"{glob.escape(stem)}-*")):
            _set_aside_now(path, reading, stem)
        return (
            f"{path} was written by a newer workbook (schema {number}): all of it is "
            "kept, what this one understands is shown; bring the workbook up to date."
        )
    label = "schema-0" if reading.status == "older" else "damaged"
    kept = _set_aside_now(path, reading, f"{name}.{label}")
    write_atomically(path, _dumped(reading.doc))
    if reading.status == "older":
        return f"{path} had an older form: it is lifted, the old one is {kept.name}."
    found = sum(len(reading.doc[section]) for section in SECTIONS)
    return (
        f"{path} was damaged ({reading.reason}): it is kept beside as {kept.name}, "
        f"and {found} entries could be read from it."
    )


def _set_aside_now(path: Path, reading: _Reading, stem: str) -> Path:
    stem = f"{stem}-{datetime.now():%Y%m%dT%H%M%S}"
    return set_aside(reading.raw, numbered(path.parent, stem), path.name)


def default_path() -> Path:
    """WORKBOOK_PROGRESS, else progress.json in the course's folder."""
    if named := os.environ.get("WORKBOOK_PROGRESS"):
        return Path(named).expanduser()
    from workbook import course

    return course.root() / "progress.json"


def _only_looking() -> bool:
    """Check mode writes nothing."""
    return os.environ.get("WORKBOOK_CHECK") == "1"


class Progress:
    """One learner's progress: read once by `load`, written at each change.

    `note` is one sentence where the file was damaged, older, newer or unreadable,
    else empty. Recording raises ProgressError where nothing can be written; reading
    never raises.
    """

    def __init__(self, path: Path) -> None:
        # A link stays a link: the file behind it is the one that is replaced.
        self.path = Path(os.path.realpath(path))
        self.note = ""
        self._doc = _empty()

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Progress:
        """Read the file, however damaged; a damaged one is set aside."""
        progress = cls(Path(path) if path is not None else default_path())
        reading = _read(progress.path)
        progress._doc = reading.view
        if reading.status not in ("sound", "missing"):
            progress._look_after(reading)
        return progress

    def _look_after(self, reading: _Reading) -> None:
        """Set the file aside where that can be done, and say in `note` what it is."""
        if reading.status == "unreadable":
            self.note = (
                f"{self.path} cannot be read ({reading.reason}), so nothing of yours "
                "is shown: make it a file that you may read."
            )
            return
        try:
            if not _only_looking():
                with self._locked():
                    self._doc = self._sound_reading().view
                return
        except ProgressError:
            pass
        word = reading.status if reading.status in ("older", "newer") else "damaged"
        self.note = (
            f"{self.path} is {word} and was left as it is: what can be read of it is "
            "shown, and it is set aside as soon as it may be written."
        )

    # -- recording ----------------------------------------------------------------

    def record_check(
        self,
        exercise_id: str,
        state: str,
        version: int,
        answer_hash: str,
        when: datetime | str | None = None,
    ) -> None:
        """Record a verdict. The latest wins; "open" says nothing new and is left out.

        `version` is the exercise's, `answer_hash` the answer's. A pass stays in the
        entry's history (`passed_at`) whatever comes later.
        """
        if state not in STATES:
            raise ValueError(f"no state of a check: {state!r}; there are {STATES}")
        if state == "open":
            return
        entry = {"state": state, "version": int(version), "answer": str(answer_hash)}

        def stamped(when: str) -> dict:
            history = {str(int(version)): when} if state == "passed" else {}
            return {**entry, "passed_at": history, "when": when}

        self._record("passes", exercise_id, stamped, when)

    def record_hint(self, exercise_id: str, level: int) -> None:
        """Remember that hint `level` (1, 2, 3) was shown; the deepest one counts."""
        self._record("hints", exercise_id, lambda at: {"level": level, "when": at})

    def record_prediction(
        self, prediction_id: str, guess: Any, result: Any, unit: str
    ) -> None:
        """Remember a guess beside what came out; the latest counts."""
        entry = {"guess": _plain(guess), "result": _plain(result), "unit": unit}
        self._record("predictions", prediction_id, lambda at: {**entry, "when": at})

    def tick(self, item_id: str) -> None:
        self._set_tick(item_id, True)

    def untick(self, item_id: str) -> None:
        self._set_tick(item_id, False)

    def merge(self, other_path: str | os.PathLike[str]) -> int:
        """Take in another machine's file; the number of entries that changed here.

        Per verdict, tick and prediction the later one wins, per hint the deeper
        level. The other file is only read. Raises ProgressError where it is no
        progress file.
        """
        other = Path(other_path)
        reading = _read(other / "progress.json" if other.is_dir() else other)
        if reading.status in ("missing", "unreadable", "damaged"):
            reason = reading.reason or "there is no such file"
            raise ProgressError(
                f"{other} was not merged ({reason}): name the other machine's "
                "progress.json."
            )
        before = copy.deepcopy(self._doc)
        self._change(lambda doc: _take_in(doc, reading.view))
        return sum(
            entry != before[section].get(key)
            for section in SECTIONS
            for key, entry in self._doc[section].items()
        )

    def _set_tick(self, item_id: str, ticked: bool) -> None:
        self._record("items", item_id, lambda at: {"ticked": ticked, "when": at})

    def _record(
        self,
        section: str,
        key: str,
        entry: Callable[[str], dict],
        when: datetime | str | None = None,
    ) -> None:
        def apply(doc: dict) -> None:
            old = _entry(doc, section, key)
            new = entry(_stamp(when, old))
            if not _is_known(section, old, new):
                doc.setdefault(section, {})[key] = _succeeded(section, old, new)

        self._change(apply)

    def _change(self, apply: Callable[[dict], None]) -> None:
        """Read, apply one change, write: all under the lock."""
        if _only_looking():
            apply(self._doc)
            return
        with self._locked():
            reading = self._sound_reading()
            doc = copy.deepcopy(reading.doc)
            apply(doc)
            if doc != reading.doc:
                write_atomically(self.path, _dumped(doc))
            self._doc = _tidied(doc)

    def _sound_reading(self) -> _Reading:
        """The file as it is now, set aside first where it is not sound."""
        reading = _read(self.path)
        if reading.status == "unreadable":
            raise OSError(reading.reason)
        if reading.status != "missing" and not os.access(self.path, os.W_OK):
            raise PermissionError("it is read-only")
        if reading.status not in ("sound", "missing"):
            self.note = _healed(self.path, reading)
        return reading

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the file's lock; what goes wrong inside becomes one sentence."""
        lock = self.path.with_name(f".{self.path.name}.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(lock, timeout=LOCK_SECONDS):
                yield
        except filelock.Timeout as error:
            raise ProgressError(
                f"{self.path} has been in use for {LOCK_SECONDS:g} s, so nothing was "
                "recorded: restart the other kernel that holds it, then try again."
            ) from error
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ProgressError(
                f"{self.path} cannot be written ({reason}), so nothing was recorded: "
                "make the file and its folder writable, then try again."
            ) from error

    # -- reading ------------------------------------------------------------------

    def state(self, exercise_id: str, version: int | None = None) -> str:
        """One of "open", "not yet", "passed" and "recheck".

        "recheck" is a pass whose exercise has another `version` by now.
        """
        entry = self._doc["passes"].get(exercise_id)
        if entry is None:
            return "open"
        if entry["state"] == "passed" and version not in (None, entry["version"]):
            return "recheck"
        return entry["state"]

    def verdict(self, exercise_id: str) -> dict | None:
        """The whole entry: state, version, answer (hash), when, passed_at."""
        return copy.deepcopy(self._doc["passes"].get(exercise_id))

    def hint_level(self, exercise_id: str) -> int:
        """The deepest hint shown so far, 0 for none."""
        return self._doc["hints"].get(exercise_id, {"level": 0})["level"]

    def prediction(self, prediction_id: str) -> dict | None:
        """guess, result, unit, when; None where nothing was predicted."""
        return copy.deepcopy(self._doc["predictions"].get(prediction_id))

    def ticked(self, item_id: str) -> bool:
        return self._doc["items"].get(item_id, {"ticked": False})["ticked"]


def _entry(doc: dict, section: str, key: str) -> dict | None:
    """The entry, None where there is none; one of a newer form is not touched."""
    entries = doc.get(section, {})
    if isinstance(entries, dict) and key not in entries:
        return None
    entry = _sensible(section, entries[key]) if isinstance(entries, dict) else None
    if entry is None:
        raise OSError(f"a newer workbook keeps its {section} in another form")
    return entry


def _is_known(section: str, old: dict | None, new: dict) -> bool:
    """A second tick or the same hint again is no news; a second verdict is."""
    if old is None or section not in ("hints", "items"):
        return False
    return all(old[name] == new[name] for name in new if name != "when")


def _take_in(doc: dict, other: dict) -> None:
    """Join the other document into this one, in place; the schema stays ours."""
    for section in SECTIONS:
        for key, theirs in other[section].items():
            ours = _entry(doc, section, key)
            doc.setdefault(section, {})[key] = _joined(section, ours, theirs)
    for key in other.keys() - {"schema", *SECTIONS}:
        doc[key] = _joined_unknown(doc.get(key, other[key]), other[key])
