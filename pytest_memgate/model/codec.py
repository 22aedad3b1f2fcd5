"""Model values to plain JSON data and back; a field that has its default is left out."""

import gc
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

T = TypeVar("T")

_SHOWN = 60  # characters of a wrong value that an error shows
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector from walking many new values again and again, finding nothing."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class _WrongShapeError(ValueError):
    """Data of another shape; `way` is the path to it, as in `findings[3].outcome`."""

    def __init__(self, what: str, way: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.way = way

    def __str__(self) -> str:
        return f"{self.way.removeprefix('.')}: {self.what}" if self.way else self.what

    def below(self, step: str) -> "_WrongShapeError":
        """Return the same error, with `step` in front of its path."""
        return _WrongShapeError(self.what, f"{step}{self.way}")


def encode(value: Any) -> Any:
    """Return dicts, lists, strings and numbers for a model value.

    A dataclass may have `names_of_fields()`, which gives other names for some of its fields. Its class then lists the
    fields of all such names as FIELDS_BY_NAME.
    """
    if is_dataclass(value):
        names = value.names_of_fields() if hasattr(value, "names_of_fields") else {}
        return {
            names.get(field.name, field.name): encode(getattr(value, field.name))
            for field in fields(value)
            if not _has_default(field, getattr(value, field.name))
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    return value


def decode(kind: type[T], data: Any) -> T:
    """Return the value of type `kind` that `encode` turned into `data`; unknown keys are passed over.

    Raises ValueError, with the path to the place, if `data` has another shape.
    """
    result: T = _reader(typing.cast("Any", kind))(data)
    return result


def _has_default(field: "Field[Any]", value: Any) -> bool:
    if field.default_factory is not MISSING:
        return bool(value == field.default_factory())
    return field.default is not MISSING and bool(value == field.default)


_Reader = Callable[[Any], Any]


@cache  # a large run has a million values, of some thirty types
def _reader(kind: Any) -> _Reader:
    origin = get_origin(kind)
    if origin in {typing.Union, types.UnionType}:
        given = _reader(next(arg for arg in get_args(kind) if arg is not type(None)))
        return lambda data: None if data is None else given(data)
    if origin is tuple:
        return _list_reader(_reader(get_args(kind)[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_reader(_reader(get_args(kind)[1]))
    if is_dataclass(kind):
        return _dataclass_reader(typing.cast("type", kind))
    if issubclass(kind, Enum):
        return _enum_reader(kind)
    return _plain_reader(kind)


def _list_reader(item: _Reader) -> _Reader:
    def read(data: Any) -> tuple[Any, ...]:
        if not isinstance(data, list):
            raise _unexpected(list, data)
        found: list[Any] = []
        try:
            for one in data:
                found.append(item(one))  # noqa: PERF401  # how many were read tells which one is wrong
        except _WrongShapeError as error:
            raise error.below(f"[{len(found)}]") from None
        return tuple(found)

    return read


def _mapping_reader(item: _Reader) -> _Reader:
    def read(data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise _unexpected(dict, data)
        found: dict[str, Any] = {}
        for key, one in data.items():
            try:
                found[key] = item(one)
            except _WrongShapeError as error:
                raise error.below(f"[{key!r:.{_SHOWN}}]") from None
        return found

    return read


def _dataclass_reader(kind: type) -> _Reader:
    hints = typing.get_type_hints(kind)
    readers = {field.name: (field.name, _reader(hints[field.name])) for field in fields(kind)}
    others: Mapping[str, str] = getattr(kind, "FIELDS_BY_NAME", {})
    readers |= {key: (name, readers[name][1]) for key, name in others.items()}
    needed = {field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING}

    def read(data: Any) -> Any:
        if not isinstance(data, dict):
            raise _unexpected(dict, data)
        given: dict[str, Any] = {}
        for key, item in data.items():
            if (known := readers.get(key)) is None:
                continue
            name, reader = known
            if others and name in given:
                raise _WrongShapeError(f"{key!r} and another name of it are both there")
            try:
                given[name] = reader(item)
            except _WrongShapeError as error:
                raise error.below(f".{key}") from None
        if not needed <= given.keys():
            raise _WrongShapeError(f"{min(needed - given.keys())!r} is missing")
        value = kind(**given)
        for key, name in others.items():
            if key in data and value.names_of_fields().get(name) != key:
                raise _WrongShapeError(f"{key!r} contradicts the other fields")
        return value

    return read


def _enum_reader(kind: type[Enum]) -> _Reader:
    members = {one.value: one for one in kind}

    def read(data: Any) -> Enum:
        if not isinstance(data, str) or data not in members:
            raise _WrongShapeError(f"one of {', '.join(members)} is expected, not {_shown(data)}")
        return members[data]

    return read


def _plain_reader(kind: type) -> _Reader:
    accepted = (int, float) if kind is float else kind  # a whole number stays one

    def read(data: Any) -> Any:
        if type(data) is kind:  # as mostly
            return data
        if not isinstance(data, accepted) or (kind in {int, float} and isinstance(data, bool)):
            raise _unexpected(kind, data)
        return data

    return read


def _unexpected(kind: type, data: Any) -> _WrongShapeError:
    return _WrongShapeError(f"{_KINDS[kind]} is expected, not {_shown(data)}")


def _shown(data: Any) -> str:
    """Return a value in a few words; a container may be huge."""
    return _KINDS[type(data)] if isinstance(data, (dict, list)) else f"{data!r:.{_SHOWN}}"
