"""What a check costs: `python benchmarks/checks.py`.

For each exercise, the processor time of a check of the solution: in total, and what
is left of it outside the learner's code. Then that of a wrong answer, when the known
mistakes have been asked for the first time and after that. Times are in ms, the
smallest of some runs.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "checks"))

from answers_micrograd import WRONG
from notebook import answered, objects, solved

from workbook.checks import exercises, known, run
from workbook.checks.recognition import _forms_of

RUNS = 5


class Clock:
    """Adds up the processor time inside some functions, each second once."""

    def __init__(self) -> None:
        self.seconds, self._depth = 0.0, 0

    def timed(self, function: Callable) -> Callable:
        def inner(*args: Any, **options: Any) -> Any:
            self._depth += 1
            start = time.thread_time()
            try:
                return function(*args, **options)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.seconds += time.thread_time() - start

        return inner

    def watch(self, things: tuple[Any, ...], parts: tuple[str, ...]) -> tuple[Any, ...]:
        """The objects with their functions timed; a class is changed in place."""
        return tuple(self._watched(thing, parts) for thing in things)

    def _watched(self, thing: Any, parts: tuple[str, ...]) -> Any:
        if not isinstance(thing, type):
            return self.timed(thing)
        for name, value in list(vars(thing).items()):
            if isinstance(value, FunctionType) and name in (parts or (name,)):
                setattr(thing, name, self.timed(value))
        return thing


def spent(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def right(id: str) -> tuple[float, float]:
    """The time of a passing check, and what of it is not the learner's."""
    check = known(id)
    plain = objects(check, solved(id))
    total = min(spent(lambda: run(id, *plain)) for _ in range(RUNS))
    own = []
    for _ in range(RUNS):
        clock = Clock()
        watched = clock.watch(objects(check, solved(id)), check.parts)
        took = spent(lambda w=watched: run(id, *w))
        own.append(took - 1000 * clock.seconds)
    return total, min(own)


def wrong(id: str) -> tuple[float, float]:
    """The largest time of a wrong answer: the first one, and one later."""
    answers = [answered(id, code) for code in WRONG[id].values()]
    _forms_of.cache_clear()
    first = spent(lambda: run(id, *answers[0]))
    return first, max(
        min(spent(lambda a=a: run(id, *a)) for _ in "ab") for a in answers
    )


def main() -> None:
    print(f"{'exercise':30}{'total':>9}{'own':>9}{'wrong, first':>15}{'later':>9}")
    for id in exercises("micrograd"):
        print(f"{id:30}{'{:9.1f}{:9.1f}'.format(*right(id))}", end="")
        print("{:15.1f}{:9.1f}".format(*wrong(id)))


if __name__ == "__main__":
    main()
