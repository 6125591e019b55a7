"""What `make` runs: `python -m workbook <command> …`.

Each command is the `main` of a module of the bench, loaded only when it is asked for.
"""

import sys
from importlib import import_module

COMMANDS = {
    "lab": "lab",
    "check": "validate",
    "test": "testing",
    "progress": "tracking",
    "hint": "serving",
    "solution": "serving",
    "reset": "resetting",
    "export": "exporting",
    "results": "results",
    "notebooks": "build",
    "exercises": "strip",
    "expected": "expectations",
    "doctor": "doctor",
}


def main(argv: list[str] | None = None) -> int:
    """Run a command; errors that a person can mend are one sentence and exit code 1."""
    name, *rest = (sys.argv[1:] if argv is None else argv) or [""]
    if name not in COMMANDS:
        print(f"There is no command {name!r}. There are: {', '.join(COMMANDS)}.")
        return 2
    from workbook.course import CourseError
    from workbook.source import SourceError

    module = import_module(f"workbook.bench.{COMMANDS[name]}")
    try:
        if COMMANDS[name] == "serving":
            return module.main([name, *rest])
        return module.main(rest)
    except (CourseError, SourceError) as error:
        print(error)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
