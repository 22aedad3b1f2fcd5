"""JSON files that somebody else may have written: read strictly, within bounds on their content."""

import json
from pathlib import Path
from typing import Any

from pytest_memgate.baseline.regular import read_regular
from pytest_memgate.errors import RunFileError

_BYTES = 64_000_000  # chosen: a run of 10,000 tests with their call sites takes a quarter of it
_VALUES = 3_000_000  # chosen: so many of the smallest values take 300 MB of memory
_DEPTH = 30  # levels of nesting; chosen
_TEXT = 100_000  # characters
_LARGEST = 1e18  # number: that of units.MOST
_SMALLEST = 1e-100  # so that no quotient of two numbers is infinite
_DIGITS = 30  # of a whole number: more than the largest one has


def read_json(path: Path, *, name: str, hint: str) -> Any:
    """Return the content of a JSON file; `name` stands for the file in errors.

    Raises RunFileError for a file that is not regular, not JSON, or beyond the bounds.
    """
    try:
        data = read_regular(path, _BYTES)
    except OSError as error:
        raise RunFileError(f"{name}: {error.strerror or error}", hint=hint) from error
    try:
        return _parsed(data)
    except RecursionError as error:
        raise RunFileError(f"{name}: nested too deeply", hint=hint) from error
    except UnicodeDecodeError as error:
        raise RunFileError(f"{name}: not UTF-8 text", hint=hint) from error
    except ValueError as error:
        raise RunFileError(f"{name}: {error}", hint=hint) from error


def json_text(data: Any, **options: Any) -> str:
    """Return data as JSON that `read_json` reads; `options` are those of `json.dumps`."""
    # The name of a file may hold bytes that are no text: a question mark stands for each.
    return json.dumps(data, ensure_ascii=False, **options).encode("utf-8", "replace").decode() + "\n"


def _parsed(data: bytes) -> Any:
    if data.count(b",") + data.count(b"[") + data.count(b"{") > _VALUES:
        raise ValueError(f"more than {_VALUES} values")
    text = data.decode()
    try:
        parsed = json.loads(
            text, parse_constant=_no_number, parse_int=_whole_number, object_pairs_hook=_without_repetition
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    _check(parsed)
    return parsed


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _whole_number(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has one key twice")
    return found


def _check(parsed: Any) -> None:
    level = [parsed]
    texts: set[str] = set()  # a large run says most of them thousands of times
    for _ in range(_DEPTH):
        below: list[Any] = []
        for value in level:
            kind = type(value)  # a parser makes nothing of a subclass
            if kind is str:
                texts.add(value)
            elif kind is dict:
                texts.update(value)
                below += value.values()
            elif kind is list:
                below += value
            elif value is not None and not (value == 0 or _SMALLEST <= abs(value) <= _LARGEST):
                raise ValueError(f"a number beyond all measure: {value:g}")
        level = below
    if level:
        raise ValueError("nested too deeply")
    for text in texts:
        _check_text(text)


def _check_text(text: str) -> None:
    if len(text) > _TEXT:
        raise ValueError(f"a text of {len(text)} characters")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("a text with half of a surrogate pair") from None
