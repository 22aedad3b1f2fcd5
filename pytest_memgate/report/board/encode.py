"""The board's data as classic scripts: a page opened from a file may load a script, but fetch nothing."""

from collections.abc import Hashable, Iterable
from typing import Any, Generic, TypeVar

from pytest_memgate.report.html.embed import script_json

T = TypeVar("T", bound=Hashable)


def data_script(name: str, data: Any) -> str:
    """Return a script that hands data to the page; as a text for JSON.parse, which reads it faster than source code."""
    text = script_json(data).replace("\\", "\\\\").replace("'", "\\'")
    return f"memgateData('{name}', '{text}');\n"


def number(value: float | None) -> float | None:
    """Return a number in its shortest form, a fraction with seven significant digits."""
    if value is None:
        return None
    whole = round(value)
    return whole if whole == value else float(f"{value:.7g}")


def amount(value: float | None, bound: float | None) -> Any:
    """Return a value as a number, a bound as a list of one, None for neither."""
    return number(value) if bound is None or value is not None else [number(bound)]


class Names(Generic[T]):
    """Each different value once, by its number."""

    def __init__(self, values: Iterable[T] = ()) -> None:
        self._numbers: dict[T, int] = {}
        for value in values:
            self.number(value)

    def number(self, value: T) -> int:
        """Return the number of a value, a new one for a new value."""
        return self._numbers.setdefault(value, len(self._numbers))

    def __iter__(self) -> Any:
        return iter(self._numbers)
