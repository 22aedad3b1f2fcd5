"""YAML as nodes: without anchors, aliases, tags, directives and merge keys, and within bounds.

The people who write a project's YAML need none of these, and with them a file of 400 bytes can hold a core for ever.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

_YamlLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader where there is one
DEPTH = 20  # levels of nested mappings and lists; chosen
# Where a token can begin: only texts in which one of these stands there are looked at event by event.
_SUSPECT = re.compile(r"(?:^|[\s\[\]{},:?\ufeff-])(?:[&*!]|<<)|^\ufeff?%", re.MULTILINE)
_PLAIN = None, ""  # styles of a scalar without quotes: of the C parser, of the one in Python


class YamlNodesError(ValueError):
    """Text that is not YAML, or YAML that is not read here; `line` is 0 if it is not known."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The largest file that is read: its bytes, and its nodes."""

    bytes: int
    nodes: int


def compose(text: str, bounds: Bounds, *, with_types: bool) -> yaml.Node | None:
    """Return the top node of a text, None for an empty one.

    Without `with_types`, nodes have no tag: finding out which scalar is a number takes a third of the time. Raises
    YamlNodesError for text beyond `bounds` and for anchors, aliases, tags, directives and merge keys.
    """
    if len(text) > bounds.bytes:
        raise YamlNodesError(f"larger than {bounds.bytes // 1_000_000} MB", 0)
    try:
        if _SUSPECT.search(text):
            _check_events(text, bounds)
        loader = (_TypedLoader if with_types else _PlainLoader)(text)
        loader.nodes_left = bounds.nodes
        try:
            node: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        raise YamlNodesError(str(what), mark.line + 1 if mark else 0) from error
    except UnicodeEncodeError as error:
        raise YamlNodesError("not YAML: half of a surrogate pair", 0) from error
    return node


def _check_events(text: str, bounds: Bounds) -> None:
    for number, event in enumerate(yaml.parse(text, Loader=_YamlLoader)):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if number > 3 * bounds.nodes:  # a collection has two events
            raise YamlNodesError(f"more than {bounds.nodes} values", line)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlNodesError("anchors and aliases (&name, *name) are not read: write it out, or quote it", line)
        if getattr(event, "tag", None) and not isinstance(event, yaml.DocumentStartEvent):
            raise YamlNodesError("tags (!name) are not read: quote what begins with !", line)
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.style in _PLAIN:
            raise YamlNodesError("merge keys (<<) are not read: write it out", line)
        if isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
            raise YamlNodesError("directives (%NAME) are not read", line)


class _TypedLoader(_YamlLoader):  # type: ignore[misc]  # as above
    """Composes nodes, and stops at a text that is nested too deeply or too long."""

    nodes_left = 0
    _depth = 0

    def descend_resolver(self, *_: object) -> None:
        """Count a node and a level; raises YamlNodesError beyond the bounds."""
        self.nodes_left -= 1
        self._depth += 1
        if self.nodes_left < 0:
            raise YamlNodesError("holds too many values", 0)
        if self._depth > DEPTH:
            raise YamlNodesError("nested too deeply", 0)

    def ascend_resolver(self) -> None:
        """Leave a level."""
        self._depth -= 1


class _PlainLoader(_TypedLoader):
    """Composes nodes without working out their tags."""

    def resolve(self, *_: object) -> str:
        """Return no tag."""
        return ""
