"""Readers of values of memgate.yml: each says with file and line what is wrong with a value."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pytest_memgate.config.located import Located
from pytest_memgate.errors import ConfigError
from pytest_memgate.units import parse_duration

_LISTED = 8  # names that a message lists
_LONGEST = 500  # characters of a message
_SHOWN = 80  # characters of a wrong value
TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}  # the JSON Schema of words


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a mapping: its reader, its JSON Schema, and whether it is required."""

    read: Callable[[Located], Any]
    schema: Mapping[str, Any]
    required: bool = False


def fail(value: Located, what: str) -> ConfigError:
    """Return the error on a value, with its place."""
    return ConfigError(f"{value.where}: {what:.{_LONGEST}}")


def mapping(value: Located, keys: Iterable[str]) -> dict[str, Located]:
    """Return a mapping, all of whose keys are known; raises ConfigError for another value or key."""
    if value.data is None:
        return {}
    if not isinstance(value.data, dict):
        raise fail(value, f"a mapping with {_listed(keys, ' or ')} is expected, not {shown(value)}")
    known = list(keys)
    for name, item in value.data.items():
        if name not in known and name.endswith((")", "%")):
            raise fail(item, 'a budget with a comma needs quotes inside braces: growth: "max(200KB, 5%)"')
        if name not in known:
            raise fail(item, unknown("key", name, known))
    return value.data


def shown(value: Located) -> str:
    """Return a value as an error names it, in a few words."""
    if isinstance(value.data, (dict, list)):
        return "a list" if isinstance(value.data, list) else "a mapping"
    return f"{value.data!r:.{_SHOWN}}"


def _listed(names: Iterable[str], between: str) -> str:
    some = sorted(names)
    return between.join(some[:_LISTED]) + (" …" if len(some) > _LISTED else "")


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the words for an unknown name, with the nearest known name or all of them."""
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {_listed(known, ', ')}"
    return f"unknown {what} {name!r} ({hint})"


def record(keys: Mapping[str, Key], value: Located, what: str) -> dict[str, Any]:
    """Return the values of a mapping by key; `what` it describes is named in errors.

    Raises ConfigError for a key that is unknown or missing, and for a wrong value.
    """
    given = mapping(value, keys)
    for name, key in keys.items():
        if key.required and name not in given:
            raise fail(value, f"{what} needs {name!r}")
    return {name: keys[name].read(item) for name, item in given.items()}


def entries(value: Located) -> list[Located]:
    """Return the entries of a list, which may be empty; raises ConfigError for another value."""
    if value.data is None:
        return []
    if not isinstance(value.data, list):
        raise fail(value, "a list is expected")
    return list(value.data)


def parsed(parse: Callable[[Any], Any]) -> Callable[[Located], Any]:
    """Return a reader of one value, from a function that raises ValueError for a wrong one."""

    def read(value: Located) -> Any:
        if isinstance(value.data, (dict, list, bool)) or value.data is None:
            raise fail(
                value,
                f"one value is expected, not {'nothing' if value.data is None else 'a list or mapping'}",
            )
        try:
            return parse(value.data)
        except ValueError as error:
            raise fail(value, str(error)) from error

    return read


def one_of(what: str, choices: Iterable[str]) -> Callable[[Any], str]:
    """Return a function that takes one of several words and raises ValueError for another one."""

    def parse(data: Any) -> str:
        if data not in choices:
            raise ValueError(unknown(what, str(data), choices))
        return str(data)

    return parse


def day(data: Any) -> date:
    """Return a date; raises ValueError for anything else."""
    try:
        return date.fromisoformat(str(data))
    except ValueError:
        raise ValueError(f"not a date: {data!r} (write it as 2027-01-31)") from None


def words(data: Any) -> str:
    """Return a text that is not empty; raises ValueError for anything else."""
    if not str(data).strip():
        raise ValueError("some words are expected")
    return str(data)


def wait(data: Any) -> float:
    """Return a waiting time in milliseconds; raises ValueError for less than a second, which nobody means."""
    found = parse_duration(str(data))
    if found < 1000:
        raise ValueError(f"at least a second is expected, not {data!r}")
    return found


def flag(value: Located) -> bool:
    """Return true or false; raises ConfigError for anything else."""
    if not isinstance(value.data, bool):
        raise fail(value, f"true or false is expected, not {shown(value)}")
    return value.data


def texts(value: Located) -> tuple[str, ...]:
    """Return one text or several, as a tuple."""
    items = entries(value) if isinstance(value.data, list) else [value]
    return tuple(parsed(words)(item) for item in items)


def free(value: Located) -> Any:
    """Return data of any form, such as the settings of another tool."""
    if isinstance(value.data, dict):
        return {name: free(item) for name, item in value.data.items()}
    if isinstance(value.data, list):
        return [free(item) for item in value.data]
    return value.data
