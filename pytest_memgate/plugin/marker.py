"""`@pytest.mark.memgate(growth=…, limit=…, drift=…, skip="reason")`."""

import pytest

from pytest_memgate.budget.rule import Allowance, Rule
from pytest_memgate.config.schema import unknown
from pytest_memgate.errors import ConfigError
from pytest_memgate.units import parse_size

_READERS = {"growth": Allowance.parse, "limit": parse_size, "drift": Allowance.parse, "skip": str}


def read_marker(item: pytest.Item) -> tuple[Rule | None, str]:
    """Return the rule that an item's markers come to, nearest first, and the reason to leave it out, if they give one.

    Raises ConfigError for an argument that has no meaning.
    """
    given: dict[str, object] = {}
    for mark in item.iter_markers("memgate"):
        for name, value in mark.kwargs.items():
            given.setdefault(name, _read(item, name, value))
        if mark.args:
            raise ConfigError(f"{item.nodeid}: @pytest.mark.memgate takes its arguments by name: growth='200KB'")
    skip = str(given.pop("skip", ""))
    rule = Rule(**given, sources=dict.fromkeys(given, "marker")) if given else None  # type: ignore[arg-type]
    return rule, skip


def _read(item: pytest.Item, name: str, value: object) -> object:
    if name not in _READERS:
        raise ConfigError(f"{item.nodeid}: @pytest.mark.memgate: {unknown('argument', name, _READERS)}")
    if name == "skip" and not (isinstance(value, str) and value.strip()):
        raise ConfigError(f"{item.nodeid}: @pytest.mark.memgate: skip takes the reason, in words")
    try:
        return _READERS[name](value)  # type: ignore[operator]
    except ValueError as error:
        raise ConfigError(f"{item.nodeid}: @pytest.mark.memgate: {name}: {error}") from None
