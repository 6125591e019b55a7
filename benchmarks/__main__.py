"""All benchmarks, one after the other: `make bench`, or `python benchmarks [name …]`.

Each is a script of its own that prints what it measured: ratios of things run in turn,
in process time, since the machine may be shared. None of them is a test.
"""

import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all of them."""
    known = sorted(p.stem for p in FOLDER.glob("*.py") if not p.stem.startswith("_"))
    if unknown := set(names) - set(known):
        there = ", ".join(known)
        print(f"There is no benchmark {unknown.pop()!r}. There are: {there}.")
        return 2
    for name in names or known:
        print(f"\n== {name}")
        sys.argv = [str(FOLDER / f"{name}.py")]
        runpy.run_path(sys.argv[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
