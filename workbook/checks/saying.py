"""What is seen of an answer where it is no number: a few words, as a fact."""

from typing import Any

from workbook.compare import Said, kind


def is_nothing(out: Any) -> bool:
    """Whether nothing was returned; then it is left as it is, and told so."""
    return out is None or out is ... or out is NotImplemented


def as_kind(out: Any) -> Any:
    """What came in place of the right kind of thing; nothing is left as it is."""
    return out if is_nothing(out) else Said(kind(out))


def otherwise(out: Any, name: str = "result") -> Any:
    """The same under a name, beside other facts."""
    return out if is_nothing(out) else {name: as_kind(out)}


def either(fact: bool, yes: str, no: str) -> Said:
    """One of two words, as a fact is."""
    return Said(yes if fact else no)
