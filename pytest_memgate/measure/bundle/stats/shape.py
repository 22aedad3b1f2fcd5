"""Reads JSON of a known shape: a difference is an error that says where, never a number that is not there."""

from dataclasses import dataclass
from typing import Any

from pytest_memgate.errors import MeasureError

_MOST = 1e15  # bytes of a module


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a JSON file, and its place: `dist/stats.json: entrypoints.main.assets`.

    Each reader raises MeasureError, with the place, for a value of another type.
    """

    value: Any
    where: str

    def __getitem__(self, key: str) -> "Node":
        """Return a field; a missing field holds None."""
        return Node(self._checked(dict, "an object").get(key), self._below(key))

    def fields(self) -> dict[str, "Node"]:
        """Return the fields of an object by name."""
        return {key: Node(value, self._below(key)) for key, value in self._checked(dict, "an object").items()}

    def items(self) -> list["Node"]:
        """Return the items of a list."""
        return [Node(value, f"{self.where}[{i}]") for i, value in enumerate(self._checked(list, "a list"))]

    def items_if_any(self) -> list["Node"]:
        """Return the items of a list that may be missing."""
        return [] if self.value is None else self.items()

    def text(self) -> str:
        """Return a text."""
        value: str = self._checked(str, "text")
        return value

    def size(self) -> int:
        """Return a size in bytes: a whole number from 0 on; raises MeasureError for anything else."""
        value: int = self._checked(int, "a number of bytes")
        if value < 0 or isinstance(value, bool):
            raise self._wrong("a number of bytes")
        return value

    def amount(self) -> int:
        """Return a module's size in bytes, rounded: bundlers estimate some, as of an inlined image; as for `size`."""
        if isinstance(self.value, float) and 0 <= self.value < _MOST:
            return round(self.value)
        return self.size()

    def _checked(self, kind: type, name: str) -> Any:
        if not isinstance(self.value, kind):
            raise self._wrong(name)
        return self.value

    def _below(self, key: str) -> str:
        return f"{self.where}.{key}" if ": " in self.where else f"{self.where}: {key}"

    def _wrong(self, name: str) -> MeasureError:
        hint = "give the file as the bundler wrote it"
        return MeasureError(f"{self.where} is {_name(self.value)}, not {name}", hint=hint)


def _name(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "missing"}
    return names.get(type(value), repr(value))
