"""`make doctor`: what is installed, what is missing, and what to do about it.

Each probe looks at one thing and yields findings; none changes anything. Only the
standard library is needed to begin with, so that it can say what else is missing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from workbook.course import root

OK, WARN, WRONG = "ok", "warn", "wrong"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


@dataclass(frozen=True)
class Finding:
    """One line of the report; `do` is what mends it."""

    state: str  # OK, WARN: works, though not as it could; WRONG: does not work
    what: str
    said: str
    do: str = ""

    def __str__(self) -> str:
        mend = f"\n{'':<20}→ {self.do}" if self.do else ""
        return f"{self.state:<6} {self.what:<12} {self.said}{mend}"


Probe = Callable[[], Iterable[Finding]]


def main(argv: list[str]) -> int:
    """Print every finding; 1 where something is wrong."""
    worst = [_told(finding) for probe in PROBES for finding in looked(probe)]
    wrong, warned = worst.count(WRONG), worst.count(WARN)
    print(_ending(wrong, warned))
    return int(bool(wrong))


def _told(finding: Finding) -> str:
    print(finding, flush=True)
    return finding.state


def _ending(wrong: int, warned: int) -> str:
    if wrong:
        return f"\n{wrong} to mend: the lines that say wrong name the command."
    if warned:
        return f"\nAll works; {warned} could be better."
    return "\nAll is well."


def looked(probe: Probe) -> Iterator[Finding]:
    """What a probe finds; one that fails is a finding of its own."""
    name = probe.__name__
    try:
        yield from probe()
    except ModuleNotFoundError as error:
        yield Finding(WRONG, name, f"{error}", _install())
    except Exception as error:  # whatever is broken here is what doctor is for
        yield Finding(WARN, name, f"could not be looked at: {error}")


def _install() -> str:
    python = Path(sys.executable)
    with_root = python.is_relative_to(root())
    python = python.relative_to(root()) if with_root else python
    return f"{python.as_posix()} -m pip install -r requirements.lock"


# --- The machine ----------------------------------------------------------------


def python() -> Iterator[Finding]:
    yield Finding(OK, "Python", f"{sys.version.split()[0]} on {sys.platform}")


def environment() -> Iterator[Finding]:
    here = Path(sys.prefix)
    if here.resolve() == (root() / ".venv").resolve():
        yield Finding(OK, "environment", ".venv")
    elif sys.prefix != sys.base_prefix or os.environ.get("CONDA_PREFIX"):
        yield Finding(OK, "environment", f"{here}, your own")
    else:
        said = f"{here} is the Python of the whole machine"
        yield Finding(WARN, "environment", said, "make setup")
    for name in ("WORKBOOK_CHECK", "WORKBOOK_STRICT", "WORKBOOK_ROOT"):
        if value := os.environ.get(name):
            mend = f"unset {name}, unless you mean it"
            yield Finding(WARN, "environment", f"{name}={value} is set", mend)


def packages() -> Iterator[Finding]:
    """Every line of requirements.lock that holds on this machine, against what is."""
    wanted = list(_locked((root() / "requirements.lock").read_text("utf-8")))
    missing = [name for name, _ in wanted if _installed(name) is None]
    other = [
        f"{name} {found} (locked: {version})"
        for name, version in wanted
        if (found := _installed(name)) not in (None, version)
    ]
    if missing:
        yield Finding(WRONG, "packages", f"missing: {_few(missing)}", _install())
    if other:
        yield Finding(WARN, "packages", f"other versions: {_few(other)}", _install())
    if not (missing or other):
        yield Finding(OK, "packages", f"{len(wanted)}, all as locked")


def _locked(text: str) -> Iterator[tuple[str, str]]:
    """Names and versions of the lock that are meant for this machine."""
    from packaging.requirements import Requirement

    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith(("#", "-")):
            continue
        one = Requirement(line)
        if one.marker is None or one.marker.evaluate():
            yield one.name, str(one.specifier).removeprefix("==")


def _installed(name: str) -> str | None:
    """The version that is installed, without a build's own suffix; None for none."""
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def _few(names: list[str], most: int = 5) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def ipykernel() -> Iterator[Finding]:
    """Older kernels lose messages (7.0 to 7.3) or leave sliders waiting (6)."""
    version = metadata.version("ipykernel")
    number = tuple(int(part) for part in version.split(".")[:2])
    if number >= (7, 4):
        yield Finding(OK, "ipykernel", version)
    else:
        waits = "controls wait until a running cell has ended"
        hangs = "Run All may stop halfway, with cells that stay at [*]"
        said = f"{version}: {hangs if number >= (7,) else waits}"
        mend = f'{Path(sys.executable)} -m pip install "ipykernel>=7.4"'
        yield Finding(WARN, "ipykernel", said, mend)


def torch() -> Iterator[Finding]:
    import torch as it

    said = f"{it.__version__}, {it.get_num_threads()} of {os.cpu_count()} threads"
    yield Finding(OK, "torch", f"{said}, {_accelerator(it)}")


def _accelerator(it: object) -> str:
    if it.cuda.is_available():
        return f"GPU: {it.cuda.get_device_name(0)}"
    return "GPU: Apple's" if it.backends.mps.is_available() else "CPU only"


def disk() -> Iterator[Finding]:
    free = shutil.disk_usage(root()).free / 1e9
    said = f"{free:.1f} GB free in {root()}"
    if free < 0.1:
        yield Finding(WRONG, "disk", said, "make room: nothing can be saved soon")
    elif free < 1:
        yield Finding(WARN, "disk", said, "make room: notebooks and data need some")
    else:
        yield Finding(OK, "disk", said)


# --- The course -----------------------------------------------------------------


def data() -> Iterator[Finding]:
    from workbook.data import manifest
    from workbook.download import sha256

    for entry in manifest():
        if not entry.place.exists():
            without = (
                "its sample stands in" if entry.sample else "lesson 8 does without"
            )
            yield Finding(
                WARN, "data", f"{entry.file} is not here: {without}", "make lab"
            )
        elif sha256(entry.place) != entry.sha256:
            said = f"{entry.file} is not the file that the lessons need"
            yield Finding(WRONG, "data", said, "make lab sets it aside, fetches it")
        else:
            yield Finding(OK, "data", f"{entry.file}, verified")


def progress() -> Iterator[Finding]:
    from workbook.progress import Progress, default_path

    if not default_path().exists():
        yield Finding(OK, "progress", "nothing recorded yet")
        return
    found = Progress.load()
    state = WARN if found.note else OK
    yield Finding(state, "progress", found.note or f"{found.path.name} can be read")


def notebooks() -> Iterator[Finding]:
    """Whether each notebook is built from the text as it is now."""
    from workbook.bench.build import sources

    stale = []
    for source in sources():
        problem = _stale(source)
        if isinstance(problem, Finding):
            yield problem
        elif problem:
            stale.append(problem)
    if stale:
        yield Finding(WARN, "notebooks", _few(stale), "make notebooks")
    else:
        yield Finding(OK, "notebooks", f"{len(sources())}, as their text says")


def _stale(source: Path) -> str | Finding | None:
    """What is behind in a notebook, a finding where it cannot be built at all."""
    import nbformat

    from workbook.bench.build import notebook
    from workbook.bench.merge import MergeRefused, merge

    target = source.with_suffix(".ipynb")
    name = target.relative_to(root()).as_posix()
    if not target.exists():
        return f"{name} is not built"
    try:
        old = nbformat.read(target, as_version=4)
        changed = merge(old, notebook(source)).changes
    except MergeRefused as refused:
        return Finding(WRONG, "notebooks", str(refused))
    except Exception:  # nbformat raises whatever its parsers raise
        mend = f"move {name} away, then: make notebooks"
        return Finding(WRONG, "notebooks", f"{name} is no notebook any more", mend)
    return f"{name} is behind its text" if changed else None


def lab() -> Iterator[Finding]:
    """Without the token: what doctor says is pasted where one asks for help."""
    from workbook.bench.lab import already_open

    addresses = [address.partition("?")[0] for address in already_open()]
    said = f"is open at {_few(addresses)}" if addresses else "is not running"
    yield Finding(OK, "JupyterLab", said)


def chromium() -> Iterator[Finding]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found:
        yield Finding(OK, "Chromium", f"{found}, for make test")
    else:
        said = "none found: make test leaves the browser's tests out"
        yield Finding(WARN, "Chromium", said, "apt install chromium, or your system's")


PROBES: tuple[Probe, ...] = (
    python, environment, packages, ipykernel, torch, disk,
    data, progress, notebooks, lab, chromium,
)  # fmt: skip
