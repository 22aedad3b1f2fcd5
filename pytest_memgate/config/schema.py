"""Every key of memgate.yml, declared once: its type, its meaning, and how a wrong one is reported."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pytest_memgate.budget.rule import AGAINST, PartError, Rule
from pytest_memgate.budget.waiver import Waiver
from pytest_memgate.config.located import Located
from pytest_memgate.config.reading import (
    Key,
    entries,
    fail,
    free,
    keys_of,
    mapping,
    parsed,
    record,
)
from pytest_memgate.model.metric import CUSTOM, METRICS, base_name, metric, part_of
from pytest_memgate.probes.check import TEXT, Check, of_settings
from pytest_memgate.probes.table import PROBES
from pytest_memgate.units import parse_amount, parse_any
from pytest_memgate.values import day, one_of, shown, unknown, words

C = TypeVar("C", bound=Check)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Rules for the tests that a pattern names.

    With `track`, their allocations are counted. `children` says what is done with processes that they start, empty if
    it does not.
    """

    tests: str
    rules: Mapping[str, Rule]
    track: bool = False
    children: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How `memgate compare` makes the base ready.

    `files` are the files that pin packages, as patterns below the root: where they differ, the base gets packages of
    its own, by the command `run` or, without one, by pip or uv. `build` is a command that makes what both sides serve.
    """

    files: tuple[str, ...] = ("requirements*.txt", "pyproject.toml", "uv.lock", "poetry.lock", "pdm.lock")
    run: str = ""
    build: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The content of a configuration file; `file` is empty if there is none."""

    file: str = ""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    measure: str = "bound"
    measure_source: str = "default"
    children: str = "measure"
    children_source: str = "default"
    missing: str = "warn"
    missing_source: str = "default"
    waivers: tuple[Waiver, ...] = ()
    declared: Mapping[str, Mapping[str, Check]] = field(default_factory=dict)  # by section: bundles, pages
    setup: Setup = field(default_factory=Setup)
    renamed: Mapping[str, str] = field(default_factory=dict)  # new names of tests, files and folders by the old ones

    @property
    def checks(self) -> dict[str, Check]:
        """Return all that is declared, each check by the name of its test: `bundle[app]`."""
        return {f"{check.kind}[{check.name}]": check for some in self.declared.values() for check in some.values()}

    def of(self, kind: type[C]) -> Mapping[str, C]:
        """Return the checks of one kind, by their names."""
        return {name: check for name, check in self.declared.get(kind.section, {}).items() if isinstance(check, kind)}


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


def _children(value: Located) -> str:
    word: str = "off" if value.data is False else parsed(children_word)(value)  # to YAML, a bare `off` is False
    return word


def _unit(name: str) -> str | None:
    """Return a metric's unit, None for one of the project's own: only its test knows that."""
    return None if name.startswith(CUSTOM) else metric(name).unit


_TRACKED = ("allocations",)
MEASURES = ("bound", "each", "exact")
CHILDREN = ("measure", "note", "off")
children_word = one_of("value", CHILDREN)
_PATTERN = {**TEXT, "examples": ["tests/etl/**", "tests/test_x.py::test_y*", "memgate.yml::bundle[app]"]}
_AMOUNT = {"type": ["string", "number"], "examples": ["200KB", "5%", "max(200KB, 5%)", "300ms"]}

_RULE = {
    "growth": {**_AMOUNT, "description": "Growth allowed above the baseline."},
    "limit": {**_AMOUNT, "description": "The most it may be, baseline or not."},
    "drift": {**_AMOUNT, "description": "Growth allowed above the anchor, in all."},
    "against": {
        "enum": list(AGAINST),
        "description": "Beside a base, what decides: its stored value, a measurement of it, or what can.",
    },
}
_SETUP = {
    "files": Key(
        read=lambda value: tuple(parsed(words)(item) for item in entries(value)),
        schema={"type": "array", "items": TEXT, "description": "Files that pin packages, as patterns."},
    ),
    "run": Key(
        read=parsed(words), schema={**TEXT, "description": "The command that installs the packages of the base."}
    ),
    "build": Key(
        read=parsed(words), schema={**TEXT, "description": "The command that makes what is served, on both sides."}
    ),
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
        raise fail(value, f"a mapping with metrics or {others[0]} is expected, not {shown(value.data)}")
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
    rules = _rules(value, "tests", "track", "children")
    if not value.data or "tests" not in value.data:
        raise fail(value, "an override needs 'tests', a pattern")
    track = "track" in value.data and parsed(tracked)(value.data["track"])
    children = _children(value.data["children"]) if "children" in value.data else ""
    return Override(tests=parsed(words)(value.data["tests"]), rules=rules, track=track, children=children)


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


def _renamed(value: Located) -> dict[str, str]:
    """Return new names by old ones, of tests or of files and folders."""
    if not isinstance(value.data, dict | None):
        raise fail(value, f"a mapping of old names to new ones is expected, not {shown(value.data)}")
    names: dict[str, str] = {}
    for old, item in (value.data or {}).items():
        new = parsed(words)(item)
        if why := why_no_rename(old, new):
            raise fail(item, why)
        names[old] = new
    return names


def why_no_rename(old: str, new: str) -> str:
    """Return why one name cannot become another, empty if it can."""
    if not old or old == new or ("::" in old) != ("::" in new):
        return f"{old!r} cannot become {new!r}: name two tests (file.py::test) or two files or folders"
    return ""


def _declared(kind: type[Check], value: Located) -> dict[str, Check]:
    """Read the checks of one kind, by their names: a mapping or, where they have no settings, a list."""
    if kind.item_schema is not None:
        return _listed(kind, value)
    if value.data is None:
        return {}
    if not isinstance(value.data, dict):
        raise fail(value, f"a mapping of {kind.kind}s by their names is expected")
    for name, item in value.data.items():
        if why := kind.why_no_name(name):
            raise fail(item, why)
    return {name: _check(kind, name, item) for name, item in value.data.items()}


def _check(kind: type[Check], name: str, value: Located) -> Check:
    given = record(keys_of(kind), value, f"a {kind.kind}")
    check = of_settings(kind, given, name=name, source=value.where)
    if why := check.why_wrong():
        raise fail(value, why)
    return check


def _listed(kind: type[Check], value: Located) -> dict[str, Check]:
    found: dict[str, Check] = {}
    for item in entries(value):
        if why := kind.why_no_name(free(item)):
            raise fail(item, why)
        if item.data in found:
            raise fail(item, f"{item.data!r} stands here twice")
        found[item.data] = kind(name=item.data, source=item.where)
    return found


def read_settings(top: Located) -> Settings:
    """Return the settings of a whole configuration.

    Raises ConfigError with file and line for an unknown key or a value of another type.
    """
    kinds = {probe.check.section: probe.check for probe in PROBES}
    given = mapping(top, ["budgets", "measure", "children", "missing", "waivers", "setup", "renamed", *kinds])
    nothing = Located(None, top.file, 0)
    budgets = given.get("budgets", nothing)
    declared = {section: _declared(kind, given.get(section, nothing)) for section, kind in kinds.items()}
    for name, item in (budgets.data if isinstance(budgets.data, dict) else {}).items():
        if name.startswith("web.") and part_of(name) in declared["pages"]:
            page = part_of(name)
            where = f'overrides: - tests: "{top.file}::page[{page}]"'
            raise fail(item, f"a declared page is a test of its own, and no part of {base_name(name)}; write {where}")
    missing, measured, children = given.get("missing"), given.get("measure"), given.get("children")
    return Settings(
        file=top.file,
        rules=_rules(budgets, "overrides"),
        overrides=tuple(_override(item) for item in entries((budgets.data or {}).get("overrides", nothing))),
        measure=parsed(one_of("value", MEASURES))(measured) if measured else "bound",
        measure_source=measured.where if measured else "default",
        children=_children(children) if children else "measure",
        children_source=children.where if children else "default",
        missing=parsed(one_of("value", ["warn", "fail"]))(missing) if missing else "warn",
        missing_source=missing.where if missing else "default",
        waivers=tuple(_waiver(item) for item in entries(given.get("waivers", nothing))),
        declared=declared,
        setup=Setup(**record(_SETUP, given["setup"], "setup")) if "setup" in given else Setup(),
        renamed=_renamed(given.get("renamed", nothing)),
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of memgate.yml, for editors."""
    rule = {"type": "object", "properties": _RULE, "additionalProperties": False}
    metrics = dict.fromkeys(METRICS, rule)
    more = {"patternProperties": {r"^custom\..+$": rule, r"^(bundle\..+|web\..+|memory\.leak)\[.+\]$": rule}}
    override = {
        "type": "object",
        "properties": {
            "tests": _PATTERN,
            "track": {"enum": list(_TRACKED)},
            "children": {"enum": list(CHILDREN)},
            **metrics,
        },
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
                "description": "Several tests are settled by one bound, each is measured alone, or to its exact value.",
            },
            "children": {
                "enum": list(CHILDREN),
                "description": "Whether Python processes that tests start are measured, told of, or left alone.",
            },
            "missing": {
                "enum": ["warn", "fail"],
                "description": "Whether a test without a baseline entry, or an entry without its test, fails the run.",
            },
            "waivers": {"type": "array", "items": _object(_WAIVER)},
            "setup": {**_object(_SETUP), "description": "How memgate compare makes the base ready."},
            "renamed": {
                "type": "object",
                "additionalProperties": TEXT,
                "description": "New names of tests, files or folders by their old ones, for memgate history.",
            },
            **{probe.check.section: _section(probe.check) for probe in PROBES},
        },
        "additionalProperties": False,
    }


def _section(kind: type[Check]) -> dict[str, Any]:
    if kind.item_schema is not None:
        return {"type": "array", "uniqueItems": True, **kind.item_schema}
    return {"type": "object", "additionalProperties": _object(keys_of(kind))}


def _object(keys: Mapping[str, Key]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: dict(key.schema) for name, key in keys.items()},
        "required": [name for name, key in keys.items() if key.required],
        "additionalProperties": False,
    }
