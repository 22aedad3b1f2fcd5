"""`@pytest.mark.memgate(growth=…, limit=…, drift=…, leak=…, skip="reason")`, of memory or of the metric named first.

With `children="off"` or `"note"`, processes that the test starts are not measured.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pytest_memgate.budget.rule import PartError, Rule
from pytest_memgate.config.schema import children_word, metric_name, tracked
from pytest_memgate.errors import ConfigError
from pytest_memgate.model.judgement.budget import BY_SETTINGS, Origin, OriginKind
from pytest_memgate.model.judgement.reference import is_reason
from pytest_memgate.model.metric import CUSTOM, MEMORY_LEAK, MEMORY_PEAK, metric
from pytest_memgate.values import unknown

_PARTS = ("growth", "limit", "drift")
_WORDS: Mapping[str, Callable[[Any], object]] = {"children": children_word, "track": tracked}


def read_marker(item: pytest.Item) -> tuple[dict[str, Rule], str]:
    """Return the rules of an item's markers, by metric, and the reason to leave it out, empty if there is none.

    The nearest marker wins. Raises ConfigError for an argument that has no meaning.
    """
    where = f"{item.nodeid}: @pytest.mark.memgate"
    skip = ""
    given: dict[str, dict[str, object]] = {}
    for mark in item.iter_markers("memgate"):
        if len(mark.args) > 1:
            raise ConfigError(f"{where} takes one metric, and its budget by name: growth='200KB'")
        name = mark.args[0] if mark.args else MEMORY_PEAK.name
        given.setdefault(name, {})
        for whole in ("skip", "leak"):
            if mark.args and whole in mark.kwargs:
                raise ConfigError(f"{where}: {whole} is of the whole test, and takes no metric")
        for argument, value in mark.kwargs.items():
            if argument == "skip":
                skip = skip or _reason(where, value)
            elif argument in _WORDS:
                _check(where, argument, _WORDS[argument], value)
            elif argument == "leak":
                given.setdefault(MEMORY_LEAK.name, {}).setdefault("limit", value)
            elif argument not in _PARTS:
                raise ConfigError(
                    f"{where}: {unknown('argument', argument, [*_PARTS, 'children', 'leak', 'skip', 'track'])}"
                )
            else:
                given[name].setdefault(argument, value)
    rules = {name: _rule(where, name, parts) for name, parts in given.items()}
    return {name: rule for name, rule in rules.items() if given[name]}, skip


def asks_for_leak(item: pytest.Item) -> bool:
    """True if a marker has `leak=`: the test itself is called again and again."""
    return any("leak" in mark.kwargs for mark in item.iter_markers("memgate"))


def is_tracked(item: pytest.Item) -> bool:
    """True if a marker asks for the test's allocations to be counted."""
    return any("track" in mark.kwargs for mark in item.iter_markers("memgate"))


def children_of(item: pytest.Item) -> str:
    """Return what the nearest marker says of processes that the test starts, empty if none does."""
    return next(
        (str(mark.kwargs["children"]) for mark in item.iter_markers("memgate") if "children" in mark.kwargs), ""
    )


def _check(where: str, argument: str, read: Callable[[Any], object], value: object) -> None:
    try:
        read(value)
    except ValueError as error:
        raise ConfigError(f"{where}: {argument}: {error}") from None


def _rule(where: str, name: str, parts: Mapping[str, object]) -> Rule:
    try:
        return parse_rule(name, parts, "marker", Origin(kind=OriginKind.MARKER))
    except PartError as error:
        part = "leak" if name == MEMORY_LEAK.name else error.part
        raise ConfigError(f"{where}: {part}: {error}") from None
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None


def parse_rule(name: str, parts: Mapping[str, object], source: str, origin: Origin = BY_SETTINGS) -> Rule:
    """Return the rule for a metric; `source` is its place, `origin` says who set it.

    Raises ValueError (PartError for a wrong part).
    """
    metric_name(str(name))
    if not isinstance(parts, Mapping):
        raise ValueError(f"{', '.join(_PARTS)} are expected, not {parts!r}")  # noqa: TRY004  # as all of these
    for part, value in parts.items():
        if part not in _PARTS:
            raise ValueError(unknown("argument", part, _PARTS))
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise PartError(part, f"not a budget: {value!r}")
    unit = None if name.startswith(CUSTOM) else metric(name).unit
    return Rule.parse(parts, unit, dict.fromkeys(parts, source), origin)  # type: ignore[arg-type]  # checked above


def _reason(where: str, value: object) -> str:
    if not (isinstance(value, str) and is_reason(value)):
        raise ConfigError(f"{where}: skip takes the reason, in words")
    return value
