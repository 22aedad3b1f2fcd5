"""Plain data that remembers the line it stands on, from YAML or TOML."""

import contextlib
import tomllib
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from pytest_memgate.baseline.yaml_nodes import DEPTH, Bounds, YamlNodesError, compose
from pytest_memgate.errors import ConfigError

_BOUNDS = Bounds(bytes=1_000_000, nodes=20_000)
_DIGITS = 19  # of a number: more than the largest size has


@dataclass(frozen=True, slots=True)
class Located:
    """A value and its place: `data` is a dict or list of Located, a str, int, float, bool or None."""

    data: Any
    file: str
    line: int

    @property
    def where(self) -> str:
        """Its place, as `memgate.yml:3`."""
        return f"{self.file}:{self.line}" if self.line else self.file


def from_yaml(text: str, file: str) -> Located:
    """Return the data of a YAML text.

    Raises ConfigError with the line that is not YAML, or that repeats a key.
    """
    try:
        node = compose(text, _BOUNDS, with_types=True)
    except YamlNodesError as error:
        raise ConfigError(f"{file}{f':{error.line}' if error.line else ''}: {error}") from error
    return Located({}, file, 0) if node is None else _from_node(node, file)


def _from_node(node: yaml.Node, file: str) -> Located:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        fields: dict[str, Located] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(f"{file}:{key.start_mark.line + 1}: a key is expected (text in braces needs quotes)")
            if key.value in fields:
                raise ConfigError(f"{file}:{key.start_mark.line + 1}: key {key.value!r} stands here twice")
            item = _from_node(value, file)
            fields[key.value] = Located(item.data, file, key.start_mark.line + 1)
        return Located(fields, file, line)
    if isinstance(node, yaml.SequenceNode):
        return Located([_from_node(item, file) for item in node.value], file, line)
    return Located(_scalar(node), file, line)


def _scalar(node: yaml.Node) -> str | float | bool | None:
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return str(node.value).lower() in {"true", "yes", "on"}
    if kind == "int" and node.value.isascii() and node.value.isdecimal() and len(node.value) < _DIGITS:
        return int(node.value)
    if kind == "float" and node.value[-1].isdecimal():  # not .inf, nor what only YAML takes for a number
        with contextlib.suppress(ValueError):
            return float(node.value)
    return str(node.value)


def from_toml(text: str, file: str, table: tuple[str, ...]) -> Located | None:
    """Return one table of a TOML file, None if it has none.

    TOML's reader gives no line numbers: the line of a key is where its name first stands below the table's heading.
    Raises ConfigError for text that is not TOML, or is nested too deeply or too large.
    """
    if len(text) > _BOUNDS.bytes:
        raise ConfigError(f"{file}: larger than {_BOUNDS.bytes // 1_000_000} MB")
    try:
        data: Any = tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from error
    except RecursionError:
        raise ConfigError(f"{file}: nested too deeply") from None
    for name in table:
        if not isinstance(data, dict) or name not in data:
            return None
        data = data[name]
    if wrong := _beyond_bounds(data):
        raise ConfigError(f"{file}: [{'.'.join(table)}] {wrong}")
    lines = text.splitlines()
    heading = ".".join(table)
    first = next((number for number, line in enumerate(lines) if line.lstrip().startswith(f"[{heading}")), 0)
    return _from_plain(data, file, lines, first)


def _beyond_bounds(data: Any) -> str:
    """Return what is wrong with data that is too deep or too large, else an empty text."""
    level, number = [data], 0
    for _ in range(DEPTH):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list))]
        level = [item for one in inner for item in one]
        number += len(level)
        if number > _BOUNDS.nodes:
            return "holds too many values"
    return "is nested too deeply" if level else ""


def _from_plain(data: Any, file: str, lines: list[str], first: int) -> Located:
    if isinstance(data, dict):
        fields = {}
        for key, value in data.items():
            line = next((number for number in range(first, len(lines)) if key in lines[number]), first)
            fields[key] = Located(_from_plain(value, file, lines, line).data, file, line + 1)
        return Located(fields, file, first + 1)
    if isinstance(data, list):
        starts = [first] * len(data)
        if all(isinstance(item, dict) for item in data):
            heads = [number for number in range(first, len(lines)) if lines[number].lstrip().startswith("[[")]
            starts = heads if len(heads) >= len(data) else starts
        items = [_from_plain(item, file, lines, start) for item, start in zip(data, starts, strict=False)]
        return Located(items, file, first + 1)
    return Located(data.isoformat() if isinstance(data, date) else data, file, first + 1)
