"""What the explorables of language models share: an alphabet, and a next letter.

A model is a table, row i holding the weights of what follows letter i; or a function
from the indices so far to the weights of the next one. Weights are counts or
probabilities, and need not sum to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from string import ascii_lowercase
from typing import Any

from workbook.explore.page import Refused

LETTERS = "." + ascii_lowercase  # index 0 begins and ends a name

NextLetter = Callable[[list[int]], Any]  # indices so far -> weights of the next one
Distribution = tuple[float, ...]


def listed(values: Any) -> Any:
    """A plain list, also from an array or a tensor."""
    return values.tolist() if hasattr(values, "tolist") else values


def square(given: Any, letters: str, what: str = "The table") -> list[list[float]]:
    """The numbers of a table (V, V). Refused, in a sentence, for anything else."""
    size = len(letters)
    try:
        table = [[float(value) for value in listed(row)] for row in listed(given)]
    except (TypeError, ValueError):
        raise Refused(f"{what} should be rows of numbers, {size} by {size}.") from None
    if [len(row) for row in table] != [size] * size:
        shape = f"{len(table)} rows of {len(table[0]) if table else 0}"
        raise Refused(f"{what} has {shape}: {size} letters need {size} by {size}.")
    if not all(math.isfinite(value) and value >= 0 for row in table for value in row):
        raise Refused(f"{what} holds a number that is negative or not finite.")
    return table


def spoken(letter: str, ends: bool = True) -> str:
    """A letter in a sentence: the dot is the start or the end of a name."""
    if letter == ".":
        return "the end" if ends else "the start"
    return "a space" if letter == " " else letter


def entropy(p: Sequence[float]) -> float:
    """How open a choice is, in nats: 0 for a certain one, ln V for a uniform one."""
    return sum(-share * math.log(share) for share in p if share > 0)


class Model:
    """A table or a function, asked for the distribution of the next letter.

    Each context is asked for once. Refused where the answer is no distribution.
    """

    def __init__(self, model: Any, letters: str) -> None:
        self.letters = letters
        self._known: dict[tuple[int, ...], Distribution] = {}
        self._weights: NextLetter = model
        if not callable(model):
            table = square(model, letters)
            self._weights = lambda so_far: table[so_far[-1] if so_far else 0]

    def __call__(self, so_far: Sequence[int]) -> Distribution:
        """The probability of each letter after these; empty: at the start of a name."""
        context = tuple(so_far)
        if context not in self._known:
            self._known[context] = self._asked(list(context))
        return self._known[context]

    def _asked(self, so_far: list[int]) -> Distribution:
        words = "".join(self.letters[i] for i in so_far) or "the start"
        weights = _flat(self._weights(so_far))
        if len(weights) != len(self.letters):
            raise Refused(
                f"After {words} the model gives {len(weights)} numbers: "
                f"{len(self.letters)} letters need one each."
            )
        total = sum(weights)
        if not (min(weights) >= 0 and 0 < total < math.inf):
            raise Refused(
                f"After {words} the model gives no distribution: no weight may be "
                "negative, and their sum must be positive."
            )
        return tuple(weight / total for weight in weights)


def _flat(found: Any) -> list[float]:
    """The weights as floats, also of a batch of one, (1, V)."""
    found = listed(found)
    while len(found) == 1 and isinstance(found[0], (list, tuple)):
        found = found[0]
    return [float(value) for value in found]
