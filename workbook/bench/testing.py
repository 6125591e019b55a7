"""`make test`: the package's tests, a real browser among them, then `make check`."""

import os
import subprocess
import sys

from workbook.course import root


def main(argv: list[str]) -> int:
    """Everything that CI runs; 0 when all of it is green."""
    from workbook.bench.validate import main as check

    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", *argv]
    one = {**os.environ, "OMP_NUM_THREADS": "1"}  # two workers, two cores
    tests = subprocess.run(command, cwd=root(), env=one).returncode
    checked = check([])
    return tests or checked
