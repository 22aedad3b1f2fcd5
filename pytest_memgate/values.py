"""Values as people write them; each parser raises ValueError with what is wrong."""

import difflib
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from pytest_memgate.units import parse_duration

_LISTED = 12  # names that a message holds
_SHOWN = 80  # characters of a wrong value


def shown(data: object) -> str:
    """Return a value as an error names it, in a few words."""
    if isinstance(data, (dict, list)):
        return "a list" if isinstance(data, list) else "a mapping"
    return f"{data!r:.{_SHOWN}}"


def listed(names: Iterable[str], between: str) -> str:
    """Return the first of some names, in the order of the alphabet."""
    some = sorted(names)
    return between.join(some[:_LISTED]) + (" …" if len(some) > _LISTED else "")


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the words for a name that is not known, with the near one or all that are."""
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {listed(known, ', ')}"
    return f"unknown {what} {name!r} ({hint})"


def one_of(what: str, choices: Iterable[str]) -> Callable[[Any], str]:
    """Return a function that takes one of several words."""

    def parse(data: Any) -> str:
        if data not in choices:
            raise ValueError(unknown(what, str(data), choices))
        return str(data)

    return parse


def day(data: Any) -> date:
    """Return a date."""
    try:
        return date.fromisoformat(str(data))
    except ValueError:
        raise ValueError(f"not a date: {data!r} (write it as 2027-01-31)") from None


def words(data: Any) -> str:
    """Return a text that says something."""
    if not str(data).strip():
        raise ValueError("some words are expected")
    return str(data)


def wait(data: Any) -> float:
    """Return milliseconds of a time to wait, which nobody means to be less than a second."""
    found = parse_duration(str(data))
    if found < 1000:
        raise ValueError(f"at least a second is expected, not {data!r}")
    return found


def flag(data: Any) -> bool:
    """Return true or false."""
    if not isinstance(data, bool):
        raise ValueError(f"true or false is expected, not {shown(data)}")  # noqa: TRY004  # as of all parsers
    return data
