"""Readers of values of memgate.yml: each says with file and line what is wrong with a value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_memgate.config.located import Located
from pytest_memgate.errors import ConfigError
from pytest_memgate.probes.check import Check, Form, settings_in
from pytest_memgate.values import listed, shown, unknown

_LONGEST = 500  # characters of a message


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
        raise fail(value, f"a mapping with {listed(keys, ' or ')} is expected, not {shown(value.data)}")
    known = list(keys)
    for name, item in value.data.items():
        if name not in known and name.endswith((")", "%")):
            raise fail(item, 'a budget with a comma needs quotes inside braces: growth: "max(200KB, 5%)"')
        if name not in known:
            raise fail(item, unknown("key", name, known))
    return value.data


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


def keys_of(check: type[Check]) -> dict[str, Key]:
    """Return the keys that a kind of check has in memgate.yml, in the order of its fields."""
    readers = {Form.VALUE: parsed, Form.LIST: _each, Form.FREE: _freely}
    return {
        name: Key(read=readers[one.form](one.parse), schema=one.schema, required=one.required)
        for name, one in settings_in(check).items()
    }


def _each(parse: Callable[[Any], Any]) -> Callable[[Located], Any]:
    """Return a reader of one value or several, as a tuple."""

    def read(value: Located) -> Any:
        items = entries(value) if isinstance(value.data, list) else [value]
        return tuple(parsed(parse)(item) for item in items)

    return read


def _freely(parse: Callable[[Any], Any]) -> Callable[[Located], Any]:
    """Return a reader of data of any form."""

    def read(value: Located) -> Any:
        try:
            return parse(free(value))
        except ValueError as error:
            raise fail(value, str(error)) from error

    return read


def free(value: Located) -> Any:
    """Return data of any form, such as the settings of another tool."""
    if isinstance(value.data, dict):
        return {name: free(item) for name, item in value.data.items()}
    if isinstance(value.data, list):
        return [free(item) for item in value.data]
    return value.data
