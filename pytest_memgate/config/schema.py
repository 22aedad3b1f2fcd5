"""Every key of memgate.yml, declared once: its type, its meaning, and how a wrong one is reported."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_memgate.budget.rule import PartError, Rule
from pytest_memgate.budget.waiver import Waiver
from pytest_memgate.config.checks import BundleCheck, Check, ImportCheck, PageCheck, keys_of
from pytest_memgate.config.located import Located
from pytest_memgate.config.reading import (
    TEXT,
    Key,
    day,
    entries,
    fail,
    free,
    mapping,
    one_of,
    parsed,
    record,
    shown,
    unknown,
    words,
)
from pytest_memgate.errors import ConfigError
from pytest_memgate.model.metric import CUSTOM, METRICS, base_name, metric, part_of
from pytest_memgate.units import parse_amount, parse_any

_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Rules for the tests that a pattern names; with `track`, their allocations are counted."""

    tests: str
    rules: Mapping[str, Rule]
    track: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The content of a configuration file; `file` is empty if there is none."""

    file: str = ""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    measure: str = "bound"
    measure_source: str = "default"
    missing: str = "warn"
    missing_source: str = "default"
    waivers: tuple[Waiver, ...] = ()
    bundles: Mapping[str, BundleCheck] = field(default_factory=dict)
    pages: Mapping[str, PageCheck] = field(default_factory=dict)
    imports: Mapping[str, ImportCheck] = field(default_factory=dict)

    @property
    def checks(self) -> dict[str, Check]:
        """All declared checks, each by the name of its test: `bundle[app]`."""
        declared: tuple[Check, ...] = (*self.bundles.values(), *self.pages.values(), *self.imports.values())
        return {f"{check.kind}[{check.name}]": check for check in declared}


def metric_name(name: str) -> str:
    """Return a metric's name, with its part if it has one; raises ValueError for an unknown metric."""
    base = base_name(name)
    if base not in METRICS and not (base.startswith(CUSTOM) and len(base) > len(CUSTOM)):
        raise ValueError(unknown("metric", name, [*METRICS, f"{CUSTOM}<name>"]))
    if "[" in name and not metric(base).has_parts:
        raise ValueError(f"{base} has no parts: {name!r}")
    if "[" in name and not (name.endswith("]") and part_of(name)):
        raise ValueError(f"not a metric of one part: {name!r} (write it as bundle.initial.gzip[main])")
    return name


def tracked(data: Any) -> bool:
    """Return True for `track: allocations`; raises ValueError for anything else."""
    if data not in _TRACKED:
        raise ValueError(unknown("thing to track", str(data), _TRACKED))
    return True


def _unit(name: str) -> str | None:
    """Return a metric's unit, None for one of the project's own: only its test knows that."""
    return None if name.startswith(CUSTOM) else metric(name).unit


_TRACKED = ("allocations",)
MEASURES = ("bound", "each")
_PATTERN = {**TEXT, "examples": ["tests/etl/**", "tests/test_x.py::test_y*", "memgate.yml::bundle[app]"]}
_AMOUNT = {"type": ["string", "number"], "examples": ["200KB", "5%", "max(200KB, 5%)", "300ms"]}
_IMPORTS = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^[^\W\d]\w*(\.[^\W\d]\w*)*$", "examples": ["numpy", "scipy.stats"]},
    "uniqueItems": True,
    "description": "Modules whose import is measured, in an interpreter of their own.",
}

_RULE = {
    "growth": {**_AMOUNT, "description": "Growth allowed above the baseline."},
    "limit": {**_AMOUNT, "description": "The most it may be, baseline or not."},
    "drift": {**_AMOUNT, "description": "Growth allowed above the anchor, in all."},
}
_WAIVER = {
    "test": Key(read=parsed(words), schema=_PATTERN, required=True),
    "metric": Key(read=parsed(lambda data: metric_name(str(data))), schema=TEXT, required=True),
    "ceiling": Key(read=parsed(lambda data: data), schema=_AMOUNT, required=True),
    "until": Key(read=parsed(day), schema={"type": "string", "format": "date"}, required=True),
    "reason": Key(read=parsed(words), schema=TEXT, required=True),
}


def read_rule(value: Located, unit: str | None) -> Rule:
    """Return the rule of `{growth: …, limit: …, drift: …}` in `unit`, None for a metric of the project's own.

    Raises ConfigError for a part without a meaning.
    """
    given = mapping(value, _RULE)
    amounts = {name: parsed(lambda data: data)(item) for name, item in given.items()}
    try:
        return Rule.parse(amounts, unit, {name: item.where for name, item in given.items()})
    except PartError as error:
        raise fail(given[error.part], str(error)) from error


def _rules(value: Located, *others: str) -> dict[str, Rule]:
    """Return the rules of a mapping by their metric, `bundle.initial.gzip` or `bundle.initial.gzip[main]`."""
    if isinstance(value.data, dict):
        own = [name for name in value.data if name.startswith(CUSTOM) or base_name(name) in METRICS]
    else:
        own = []
    if not isinstance(value.data, dict | None):
        raise fail(value, f"a mapping with metrics or {others[0]} is expected, not {shown(value)}")
    given = mapping(value, dict.fromkeys([*METRICS, *others, *own]))
    rules: dict[str, Rule] = {}
    for name, item in given.items():
        if name not in others:
            try:
                rules[metric_name(name)] = read_rule(item, _unit(name))
            except ValueError as error:
                raise fail(item, str(error)) from error
    return rules


def _override(value: Located) -> Override:
    rules = _rules(value, "tests", "track")
    if not value.data or "tests" not in value.data:
        raise fail(value, "an override needs 'tests', a pattern")
    track = "track" in value.data and parsed(tracked)(value.data["track"])
    return Override(tests=parsed(words)(value.data["tests"]), rules=rules, track=track)


def _waiver(value: Located) -> Waiver:
    given = record(_WAIVER, value, "a waiver")
    unit = _unit(given["metric"])
    try:
        given["ceiling"], given["unit"] = (
            parse_any(given["ceiling"]) if unit is None else (parse_amount(given["ceiling"], unit), unit)
        )
    except ValueError as error:
        raise fail(value.data["ceiling"], str(error)) from error
    return Waiver(**given, source=value.where)


def _named(value: Located, what: str) -> dict[str, Located]:
    if value.data is None:
        return {}
    if not isinstance(value.data, dict):
        raise fail(value, f"a mapping of {what}s by their names is expected")
    for name, item in value.data.items():
        if not _NAME.fullmatch(name):
            raise fail(item, f"not a name for a {what}: {name!r} (letters, digits, dots, dashes)")
    return value.data


def _bundle(name: str, value: Located) -> BundleCheck:
    check = BundleCheck(name=name, source=value.where, **record(keys_of(BundleCheck), value, "a bundle"))
    if bool(check.stats) == bool(check.files):
        raise fail(value, "a bundle needs either 'stats', a bundler's file, or 'files', globs")
    if check.lazy and not check.files:
        raise fail(value, "'lazy' goes with 'files': a stats file says by itself what is loaded later")
    return check


def _page(name: str, value: Located) -> PageCheck:
    check = PageCheck(name=name, source=value.where, **record(keys_of(PageCheck), value, "a page"))
    try:
        check.page(Path())
    except ConfigError as error:
        raise fail(value, str(error)) from error
    return check


def _imports(value: Located) -> dict[str, ImportCheck]:
    checks_by_name: dict[str, ImportCheck] = {}
    for item in entries(value):
        name = item.data
        if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
            raise fail(
                item, f"not a module's name: {free(item)!r:.80} (write it as in an import statement: scipy.stats)"
            )
        if name in checks_by_name:
            raise fail(item, f"{name!r} stands here twice")
        checks_by_name[name] = ImportCheck(name=name, source=item.where)
    return checks_by_name


def read_settings(top: Located) -> Settings:
    """Return the settings of a whole configuration.

    Raises ConfigError with file and line for an unknown key or a value of another type.
    """
    given = mapping(top, ["budgets", "bundles", "imports", "measure", "missing", "pages", "waivers"])
    nothing = Located(None, top.file, 0)
    budgets = given.get("budgets", nothing)
    pages = _named(given.get("pages", nothing), "page")
    for name, item in (budgets.data if isinstance(budgets.data, dict) else {}).items():
        if name.startswith("web.") and part_of(name) in pages:
            page = part_of(name)
            where = f'overrides: - tests: "{top.file}::page[{page}]"'
            raise fail(item, f"a declared page is a test of its own, and no part of {base_name(name)}; write {where}")
    missing, measured = given.get("missing"), given.get("measure")
    return Settings(
        file=top.file,
        rules=_rules(budgets, "overrides"),
        overrides=tuple(_override(item) for item in entries((budgets.data or {}).get("overrides", nothing))),
        measure=parsed(one_of("value", MEASURES))(measured) if measured else "bound",
        measure_source=measured.where if measured else "default",
        missing=parsed(one_of("value", ["warn", "fail"]))(missing) if missing else "warn",
        missing_source=missing.where if missing else "default",
        waivers=tuple(_waiver(item) for item in entries(given.get("waivers", nothing))),
        bundles={name: _bundle(name, item) for name, item in _named(given.get("bundles", nothing), "bundle").items()},
        pages={name: _page(name, item) for name, item in pages.items()},
        imports=_imports(given.get("imports", nothing)),
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of memgate.yml, for editors."""
    rule = {"type": "object", "properties": _RULE, "additionalProperties": False}
    metrics = dict.fromkeys(METRICS, rule)
    more = {"patternProperties": {r"^custom\..+$": rule, r"^(bundle\..+|web\..+|memory\.leak)\[.+\]$": rule}}
    override = {
        "type": "object",
        "properties": {"tests": _PATTERN, "track": {"enum": list(_TRACKED)}, **metrics},
        **more,
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
                **more,
                "additionalProperties": False,
            },
            "measure": {
                "enum": list(MEASURES),
                "description": "Whether tests are settled together by one bound where it does, or each on its own.",
            },
            "missing": {
                "enum": ["warn", "fail"],
                "description": "Whether a test without a baseline entry, or an entry without its test, fails the run.",
            },
            "waivers": {"type": "array", "items": _object(_WAIVER)},
            "bundles": {"type": "object", "additionalProperties": _object(keys_of(BundleCheck))},
            "pages": {"type": "object", "additionalProperties": _object(keys_of(PageCheck))},
            "imports": _IMPORTS,
        },
        "additionalProperties": False,
    }


def _object(keys: Mapping[str, Key]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: dict(key.schema) for name, key in keys.items()},
        "required": [name for name, key in keys.items() if key.required],
        "additionalProperties": False,
    }
