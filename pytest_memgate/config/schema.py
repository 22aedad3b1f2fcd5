"""Every key of memgate.yml, declared once: its type, its meaning, and how a wrong one is reported."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pytest_memgate.budget.rule import Allowance, Rule
from pytest_memgate.budget.waiver import Waiver
from pytest_memgate.config.located import Located
from pytest_memgate.errors import ConfigError
from pytest_memgate.model.metric import METRICS
from pytest_memgate.units import parse_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Rules for the tests that a pattern names."""

    tests: str
    rules: Mapping[str, Rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a configuration file says; `file` is empty where there is none."""

    file: str = ""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    missing: str = "warn"
    missing_source: str = "default"
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    read: Callable[[Located], Any]
    schema: Mapping[str, Any]
    required: bool = False


def _fail(value: Located, what: str) -> ConfigError:
    return ConfigError(f"{value.where}: {what}")


def _mapping(value: Located, keys: Iterable[str]) -> dict[str, Located]:
    """Return a mapping all of whose keys are known."""
    if value.data is None:
        return {}
    if not isinstance(value.data, dict):
        raise _fail(value, f"a mapping with {' or '.join(sorted(keys))} is expected, not {value.data!r}")
    known = list(keys)
    for name, item in value.data.items():
        if name not in known and name.endswith((")", "%")):
            raise _fail(item, 'a budget with a comma needs quotes inside braces: growth: "max(200KB, 5%)"')
        if name not in known:
            raise _fail(item, unknown("key", name, known))
    return value.data


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the words for a name that is not known, with the near one or all that are."""
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
    return f"unknown {what} {name!r} ({hint})"


def _record(keys: Mapping[str, _Key], value: Located, what: str) -> dict[str, Any]:
    given = _mapping(value, keys)
    for name, key in keys.items():
        if key.required and name not in given:
            raise _fail(value, f"{what} needs {name!r}")
    return {name: keys[name].read(item) for name, item in given.items()}


def _list(value: Located) -> list[Located]:
    if value.data is None:
        return []
    if not isinstance(value.data, list):
        raise _fail(value, "a list is expected")
    return list(value.data)


def _parsed(parse: Callable[[Any], Any]) -> Callable[[Located], Any]:
    def read(value: Located) -> Any:
        if isinstance(value.data, (dict, list, bool)) or value.data is None:
            raise _fail(
                value,
                f"one value is expected, not {'nothing' if value.data is None else 'a list or mapping'}",
            )
        try:
            return parse(value.data)
        except ValueError as error:
            raise _fail(value, str(error)) from error

    return read


def _one_of(what: str, choices: Iterable[str]) -> Callable[[Any], str]:
    def parse(data: Any) -> str:
        if data not in choices:
            raise ValueError(unknown(what, str(data), choices))
        return str(data)

    return parse


def _day(data: Any) -> date:
    try:
        return date.fromisoformat(str(data))
    except ValueError:
        raise ValueError(f"not a date: {data!r} (write it as 2027-01-31)") from None


def _words(data: Any) -> str:
    if not str(data).strip():
        raise ValueError("some words are expected")
    return str(data)


_SIZE = {
    "description": "A size: 200KB (1000 bytes each), 64MiB (1024 based), or a number of bytes.",
    "type": ["string", "integer"],
}
_GROWTH = {"type": ["string", "integer"], "examples": ["200KB", "5%", "max(200KB, 5%)"]}
_TEXT = {"type": "string", "minLength": 1}
_METRIC = {"enum": sorted(METRICS)}
_PATTERN = {**_TEXT, "examples": ["tests/etl/**", "tests/test_x.py::test_y*"]}

_RULE = {
    "growth": _Key(
        read=_parsed(Allowance.parse), schema={**_GROWTH, "description": "Growth allowed above the baseline."}
    ),
    "limit": _Key(read=_parsed(parse_size), schema={**_SIZE, "description": "The most it may be, baseline or not."}),
    "drift": _Key(
        read=_parsed(Allowance.parse),
        schema={**_GROWTH, "description": "Growth allowed above the anchor, in all."},
    ),
}
_WAIVER = {
    "test": _Key(read=_parsed(_words), schema=_PATTERN, required=True),
    "metric": _Key(read=_parsed(_one_of("metric", METRICS)), schema=_METRIC, required=True),
    "ceiling": _Key(read=_parsed(parse_size), schema=_SIZE, required=True),
    "until": _Key(read=_parsed(_day), schema={"type": "string", "format": "date"}, required=True),
    "reason": _Key(read=_parsed(_words), schema=_TEXT, required=True),
}


def read_rule(value: Located) -> Rule:
    """Read `{growth: …, limit: …, drift: …}`."""
    parts = _record(_RULE, value, "a budget")
    return Rule(**parts, sources={name: value.data[name].where for name in parts})


def _override(value: Located) -> Override:
    given = _mapping(value, ["tests", *METRICS])
    if "tests" not in given:
        raise _fail(value, "an override needs 'tests', a pattern")
    rules = {metric: read_rule(item) for metric, item in given.items() if metric != "tests"}
    return Override(tests=_parsed(_words)(given["tests"]), rules=rules)


def read_settings(top: Located) -> Settings:
    """Read a whole configuration.

    Raises ConfigError with file and line for a key that is not known or a value that is not what it should be.
    """
    given = _mapping(top, ["budgets", "missing", "waivers"])
    nothing = Located(None, top.file, 0)
    budgets = _mapping(given.get("budgets", nothing), [*METRICS, "overrides"])
    missing = given.get("missing")
    return Settings(
        file=top.file,
        rules={metric: read_rule(item) for metric, item in budgets.items() if metric != "overrides"},
        overrides=tuple(_override(item) for item in _list(budgets.get("overrides", nothing))),
        missing=_parsed(_one_of("value", ["warn", "fail"]))(missing) if missing else "warn",
        missing_source=missing.where if missing else "default",
        waivers=tuple(
            Waiver(**_record(_WAIVER, item, "a waiver"), source=item.where)
            for item in _list(given.get("waivers", nothing))
        ),
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of memgate.yml, for editors."""
    rule = _object(_RULE)
    metrics = dict.fromkeys(METRICS, rule)
    override = {
        "type": "object",
        "properties": {"tests": _PATTERN, **metrics},
        "required": ["tests"],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "memgate.yml",
        "type": "object",
        "properties": {
            "budgets": {
                "type": "object",
                "properties": {**metrics, "overrides": {"type": "array", "items": override}},
                "additionalProperties": False,
            },
            "missing": {
                "enum": ["warn", "fail"],
                "description": "Whether a test without a baseline entry, or an entry without its test, fails the run.",
            },
            "waivers": {"type": "array", "items": _object(_WAIVER)},
        },
        "additionalProperties": False,
    }


def _object(keys: Mapping[str, _Key]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: dict(key.schema) for name, key in keys.items()},
        "required": [name for name, key in keys.items() if key.required],
        "additionalProperties": False,
    }
