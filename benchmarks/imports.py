"""What an import costs: `python benchmarks/imports.py`.

Process time of a fresh Python that imports a module, less that of one that imports
nothing, in ms: the smallest of some runs. `import workbook` is what each notebook pays.
"""

import resource
import subprocess
import sys

MODULES = (
    "workbook",
    "workbook.course",
    "workbook.source",
    "workbook.checks.micrograd",
    "workbook.desk",
    "workbook.bench.build",
    "workbook.bench.validate",
)
RUNS = 5


def milliseconds(code: str) -> float:
    """Process time of a Python that runs `code`."""
    spent = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        user, system = (
            after.ru_utime - before.ru_utime,
            after.ru_stime - before.ru_stime,
        )
        spent.append(1000 * (user + system))
    return min(spent)


def main() -> None:
    nothing = milliseconds("pass")
    print(f"{'Python alone':28} {nothing:6.0f} ms")
    for name in MODULES:
        print(
            f"{'import ' + name:34} {milliseconds(f'import {name}') - nothing:6.0f} ms"
        )


if __name__ == "__main__":
    main()
