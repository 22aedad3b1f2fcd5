"""One baseline file: its format, how it is read and how it is written.

Format 1 (0.1): a header (`format`, and where memory may be in it `allocator`, `memray`, `coverage`) and under `tests`
an entry a test, sorted; each holds its metrics, and each of these `value`, then `unit`, `anchor`, `reason`,
`repeatable`, `spread`, `conditions`, `samples`, `paces` where there is something to say, `sites`, `audits` and `seen`.
A blank line parts the entries, and a comment ends the file, so that git can merge changes to neighbours.

Format 2 (0.2): a test without an entry of a metric that has an `absent` value (`memory.retained`) has been found to be
within noise of that. In a file of format 1 nobody had looked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from pytest_memgate.baseline.yaml_nodes import Bounds, YamlNodesError, compose
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.codec import uncollected
from pytest_memgate.model.environment import Header
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.metric import FIRST_USE
from pytest_memgate.model.metric import metric as metric_of

FORMAT = 2
_BOUNDS = Bounds(bytes=16_000_000, nodes=800_000)  # a file with 40,000 tests
_END = "# end\n"  # so that an entry added at the end and a change to the last one do not touch
_DIGITS = 20  # of an amount: more than the largest one has
_NUMBER = re.compile(r"\d{1,18}(\.\d{1,25})?(e[+-]\d{1,3})?")
_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
_COMMENT = "# Written by `memgate baseline update`; review it like code.\n"
_YamlDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_TAG = "tag:yaml.org,2002:"

Entries = Mapping[str, Mapping[str, Reference]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The baselines of one test file: its header, and for each test's name its references by metric."""

    header: Header
    entries: Entries = field(default_factory=dict)
    format: int = FORMAT

    def entry(self, name: str, metric: str) -> Reference | None:
        """Return the reference for a metric of a test, None if there is none.

        If a test has entries, but none of a metric whose absence means a value, that value is returned.
        """
        metrics = self.entries.get(name, {} if metric == FIRST_USE.name else None)  # the ledger knows all that was used
        if metrics is None or metric in metrics:
            return metrics[metric] if metrics else None
        absent = metric_of(metric).absent
        return Reference(value=absent) if absent is not None and self.format > 1 else None


def load(text: str, where: str) -> Document:
    """Read a baseline file; `where` is its path, for errors.

    Raises BaselineError with the line that cannot be read, and for a format newer than this version knows.
    """
    with uncollected():
        return _read(text, where)


def _read(text: str, where: str) -> Document:
    try:
        node = compose(text, _BOUNDS, with_types=False)
    except YamlNodesError as error:
        what = "conflict markers" if "\n<<<<<<<" in f"\n{text}" else error
        line = f":{error.line}" if error.line else ""
        raise BaselineError(f"{where}{line}: {what}", hint=_REMEDY) from error
    reader = _Reader(where)
    top = reader.mapping(node)
    number = reader.get(top, "format", int, node)
    if number > FORMAT:
        raise BaselineError(f"{where}: format {number} is newer than this memgate reads", hint="upgrade pytest-memgate")
    if number < 1:
        raise BaselineError(f"{where}: there is no format {number}", hint=_REMEDY)
    return reader.document(top, node, number)


_REMEDY = "restore it from git, or delete it and run: memgate baseline update"


def dump(document: Document) -> str:
    """Return the text of a baseline file; the same document always gives the same bytes."""
    header = document.header
    top: dict[str, Any] = {"format": document.format}
    if header != Header():
        top |= {"allocator": header.allocator, "memray": header.memray, "coverage": header.coverage}
    parts = [_COMMENT + _yaml(top) + ("tests:\n" if document.entries else "tests: {}\n")]
    for name in sorted(document.entries):
        metrics = {metric: _plain(document.entries[name][metric]) for metric in sorted(document.entries[name])}
        lines = _yaml({name: metrics}).splitlines(keepends=True)
        parts.append("".join(f"  {line}" for line in lines))
    return "\n".join([*parts, _END])


def _plain(reference: Reference) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "unit": reference.unit,
        "anchor": reference.anchor,
        "reason": reference.reason,
        "repeatable": None if reference.repeatable else False,
        "spread": reference.spread or None,
        "conditions": _Line(sorted(reference.conditions.items())),
        "samples": _Row(reference.samples),
        "paces": _Row(reference.paces),
        "sites": dict(sorted(reference.sites.items())),
        "audits": dict(sorted(reference.audits.items())),
        "seen": dict(sorted(reference.seen.items())),
    }
    nothing: tuple[Any, ...] = (None, "", [], {})
    return {"value": reference.value, **{name: part for name, part in parts.items() if part not in nothing}}


class _Row(list[float]):
    """A list that stands on one line: it changes as a whole."""


class _Line(dict[str, str]):
    """A mapping that stands on one line: it changes as a whole."""


class _Dumper(_YamlDumper):  # type: ignore[misc]  # the C dumper where there is one
    """Writes rows and lines on one line, everything else in blocks."""


_Dumper.add_representer(_Row, lambda dumper, row: dumper.represent_sequence(f"{_TAG}seq", row, flow_style=True))
_Dumper.add_representer(_Line, lambda dumper, line: dumper.represent_mapping(f"{_TAG}map", line, flow_style=True))


def _yaml(data: Mapping[str, Any]) -> str:
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**9)
    return text


class _Reader:
    """Walks composed YAML nodes: that is faster than building all values, and every node knows its line."""

    def __init__(self, where: str) -> None:
        self._where = where

    def document(self, top: dict[str, yaml.Node], node: yaml.Node | None, number: int) -> Document:
        """Return the document of a file of format `number`; raises BaselineError."""
        header = Header()
        if {"allocator", "memray", "coverage"} & top.keys():
            header = Header(
                allocator=self.get(top, "allocator", str, node),
                memray=self.get(top, "memray", str, node),
                coverage=self.get(top, "coverage", bool, node),
            )
        entries = {
            name: {metric: self._reference(value) for metric, value in self.mapping(metrics).items()}
            for name, metrics in self.mapping(top.get("tests")).items()
        }
        return Document(header=header, entries=entries, format=number)

    def _reference(self, node: yaml.Node) -> Reference:
        fields = self.mapping(node)
        value = self.get(fields, "value", float, node)
        if len(fields) == 1:  # most entries of a large suite
            return Reference(value=value)
        return Reference(
            value=value,
            unit=self.get(fields, "unit", str, node) if "unit" in fields else "",
            sites=self._each(fields.get("sites"), float),
            anchor=self.get(fields, "anchor", float, node) if "anchor" in fields else None,
            reason=self.get(fields, "reason", str, node) if "reason" in fields else "",
            spread=self.get(fields, "spread", float, node) if "spread" in fields else 0,
            repeatable=self.get(fields, "repeatable", bool, node) if "repeatable" in fields else True,
            samples=self._samples(fields["samples"]) if "samples" in fields else (),
            conditions=self._each(fields.get("conditions"), str),
            audits=self._each(fields.get("audits"), float),
            seen=self._each(fields.get("seen"), str),
            paces=self._samples(fields["paces"]) if "paces" in fields else (),
        )

    def _each(self, node: yaml.Node | None, kind: type) -> dict[str, Any]:
        if node is None:
            return {}
        return {key: self._scalar(value, kind) for key, value in self.mapping(node).items()}

    def _samples(self, node: yaml.Node) -> tuple[float, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, "a list is expected")
        return tuple(self._scalar(item, float) for item in node.value)

    def mapping(self, node: yaml.Node | None) -> dict[str, yaml.Node]:
        """Return the nodes of a mapping by key; raises BaselineError for another node."""
        if node is None or (isinstance(node, yaml.ScalarNode) and node.value == ""):
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, "a mapping is expected")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, "a name is expected")
            if key.value in found:
                raise self._error(key, f"{key.value!r} stands here twice, as after a merge")
            found[key.value] = value
        return found

    def get(self, fields: dict[str, yaml.Node], name: str, kind: type, node: yaml.Node | None) -> Any:
        """Return one value of a mapping, of type `kind`; raises BaselineError if it is missing or of another type."""
        if name not in fields:
            raise self._error(node, f"{name!r} is missing")
        return self._scalar(fields[name], kind)

    def _scalar(self, node: yaml.Node, kind: type) -> Any:
        value = node.value
        if isinstance(node, yaml.ScalarNode):
            if kind is str:
                return value
            if kind is bool and value in {"true", "false"}:
                return value == "true"
            if kind is not bool and value.isascii() and value.isdecimal() and len(value) < _DIGITS:
                return int(value)
            if kind is float and _NUMBER.fullmatch(value):
                return float(value)
        raise self._error(node, f"{_KINDS[kind]} is expected")

    def _error(self, node: yaml.Node | None, what: str) -> BaselineError:
        line = f":{node.start_mark.line + 1}" if node is not None else ""
        return BaselineError(f"{self._where}{line}: {what}", hint=_REMEDY)
