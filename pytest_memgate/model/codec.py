"""Values to plain JSON data and back; a field that has its default is left out."""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

T = TypeVar("T")


def encode(value: Any) -> Any:
    """Return dicts, lists, strings and numbers for a model value."""
    if is_dataclass(value):
        return {
            field.name: encode(getattr(value, field.name))
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
    """Return the value of type `kind` that `encode` turned into `data`; keys it does not know are passed over.

    Raises ValueError where `data` has another shape.
    """
    try:
        result: T = _decode(kind, data)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a {kind.__name__}: {error}") from error
    return result


def _has_default(field: "Field[Any]", value: Any) -> bool:
    if field.default_factory is not MISSING:
        return bool(value == field.default_factory())
    return field.default is not MISSING and bool(value == field.default)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _decode(kind: Any, data: Any) -> Any:  # one return a kind
    origin = get_origin(kind)
    if origin in {typing.Union, types.UnionType}:
        optional = next(arg for arg in get_args(kind) if arg is not type(None))
        return None if data is None else _decode(optional, data)
    if origin is tuple:
        return tuple(_decode(get_args(kind)[0], item) for item in _checked(list, data))
    if origin is not None and issubclass(origin, Mapping):
        return {key: _decode(get_args(kind)[1], item) for key, item in _checked(dict, data).items()}
    if is_dataclass(kind):
        names = {field.name for field in fields(kind)}
        hints = _hints(typing.cast("type", kind))
        given = {key: _decode(hints[key], item) for key, item in _checked(dict, data).items() if key in names}
        return typing.cast("type", kind)(**given)
    if issubclass(kind, Enum):
        return kind(data)
    return _checked(kind, data)


def _checked(kind: type[T], data: Any) -> T:
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return data  # type: ignore[return-value]  # a whole number stays one
    if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        raise TypeError(f"{kind.__name__} expected, not {data!r:.60}")
    return data
