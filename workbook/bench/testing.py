"""`make test`: the package's tests, a real browser among them, then `make check`."""

import subprocess
import sys

from workbook.course import root


def main(argv: list[str]) -> int:
    """Everything that CI runs; 0 when all of it is green."""
    from workbook.bench.validate import main as check

    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", *argv]
    tests = subprocess.run(command, cwd=root()).returncode
    checked = check([])
    return tests or checked
