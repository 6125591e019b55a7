"""What `make` runs: `python -m workbook <command> …`.

Each command is a function of a module of the bench, loaded only when it is asked for.
"""

import sys
from importlib import import_module

COMMANDS = {
    "lab": "lab.main",
    "check": "validate.main",
    "test": "testing.main",
    "progress": "tracking.main",
    "list": "tracking.list_all",
    "next": "tracking.next_one",
    "watch": "watch.main",
    "hint": "serving.hint",
    "solution": "serving.solution",
    "reset": "resetting.main",
    "export": "exporting.main",
    "results": "results.main",
    "book": "book.main",
    "update": "update.main",
    "notebooks": "build.main",
    "exercises": "strip.main",
    "expected": "expectations.main",
    "doctor": "doctor.main",
}


def main(argv: list[str] | None = None) -> int:
    """Run a command; what a person can mend is told in one sentence, exit code 1."""
    name, *rest = (sys.argv[1:] if argv is None else argv) or [""]
    if name not in COMMANDS:
        said = f"There is no command {name!r}." if name else "Which command?"
        print(f"{said} There are: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    module, _, function = COMMANDS[name].partition(".")
    command = getattr(import_module(f"workbook.bench.{module}"), function)
    try:
        return command(rest)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except Exception as error:
        if not type(error).__module__.startswith("workbook"):
            raise
        print(error, file=sys.stderr)  # an error of our own is a sentence
        return 1


if __name__ == "__main__":
    sys.exit(main())
