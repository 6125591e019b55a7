"""How each explorable is walked through: its controls, and the time of an answer."""

from time import process_time

from workbook.explore.base import Explorable, Field, Slider


def states(thing: Explorable, *texts: str) -> list[dict]:
    """As it opens and stands still; then each control, alone: its values or its ends.

    texts: what is typed into each field.
    """
    found: list[dict] = [{}, thing.still]
    for control in thing.controls:
        if hasattr(control, "options"):
            found += [{control.name: value} for _, value in control.options]
        elif hasattr(control, "last"):
            found += [{control.name: at} for at in range(control.last + 1)]
        elif isinstance(control, Slider):
            ends = (control.low, control.high)
            found += [{control.name: 10**x if control.log else x} for x in ends]
        elif isinstance(control, Field):
            found += [{control.name: text} for text in texts]
    return found


def quickest(thing: Explorable) -> float:
    """Seconds of a processor, the best of three answers: the machine may be busy."""
    thing.page()
    costs = []
    for _ in range(3):
        began = process_time()
        thing.page(**thing.still)
        costs.append(process_time() - began)
    return min(costs)
