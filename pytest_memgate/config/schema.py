"""Every key of memgate.yml, declared once: its type, its meaning, and how a wrong one is reported."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pytest_memgate.budget.rule import PartError, Rule
from pytest_memgate.budget.waiver import Waiver
from pytest_memgate.config.checks import BundleCheck, Check, ImportCheck, PageCheck
from pytest_memgate.config.located import Located
from pytest_memgate.errors import ConfigError
from pytest_memgate.model.metric import CUSTOM, METRICS, base_name, metric, part_of
from pytest_memgate.units import parse_amount, parse_any, parse_duration

_LISTED = 8  # names that a message holds
_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Rules for the tests that a pattern names; `track` says that their allocations are to be counted."""

    tests: str
    rules: Mapping[str, Rule]
    track: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a configuration file says; `file` is empty where there is none."""

    file: str = ""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    measure: str = "each"
    measure_source: str = "default"
    missing: str = "warn"
    missing_source: str = "default"
    waivers: tuple[Waiver, ...] = ()
    bundles: Mapping[str, BundleCheck] = field(default_factory=dict)
    pages: Mapping[str, PageCheck] = field(default_factory=dict)
    imports: Mapping[str, ImportCheck] = field(default_factory=dict)

    @property
    def checks(self) -> dict[str, Check]:
        """Return all that is declared, each check by the name of its test: `bundle[app]`."""
        declared: tuple[Check, ...] = (*self.bundles.values(), *self.pages.values(), *self.imports.values())
        return {f"{check.kind}[{check.name}]": check for check in declared}


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
        given = "a list" if isinstance(value.data, list) else repr(value.data)
        raise _fail(value, f"a mapping with {_listed(keys, ' or ')} is expected, not {given}")
    known = list(keys)
    for name, item in value.data.items():
        if name not in known and name.endswith((")", "%")):
            raise _fail(item, 'a budget with a comma needs quotes inside braces: growth: "max(200KB, 5%)"')
        if name not in known:
            raise _fail(item, unknown("key", name, known))
    return value.data


def _listed(names: Iterable[str], between: str) -> str:
    some = sorted(names)
    return between.join(some[:_LISTED]) + (" …" if len(some) > _LISTED else "")


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the words for a name that is not known, with the near one or all that are."""
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {_listed(known, ', ')}"
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


def metric_name(name: str) -> str:
    """Return a metric's name, with the part it is of if it says one; raises ValueError for one that is not known."""
    base = base_name(name)
    if base not in METRICS and not (base.startswith(CUSTOM) and len(base) > len(CUSTOM)):
        raise ValueError(unknown("metric", name, [*METRICS, f"{CUSTOM}<name>"]))
    if "[" in name and not metric(base).has_parts:
        raise ValueError(f"{base} has no parts: {name!r}")
    if "[" in name and not (name.endswith("]") and part_of(name)):
        raise ValueError(f"not a metric of one part: {name!r} (write it as bundle.initial.gzip[main])")
    return name


def tracked(data: Any) -> bool:
    """Read `track: allocations`; raises ValueError for what cannot be tracked."""
    if data not in _TRACKED:
        raise ValueError(unknown("thing to track", str(data), _TRACKED))
    return True


def _unit(name: str) -> str | None:
    """Return a metric's unit, None for one of the project's own: only its test knows it."""
    return None if name.startswith(CUSTOM) else metric(name).unit


def _wait(data: Any) -> float:
    """Return milliseconds of a time to wait, which nobody means to be less than a second."""
    found = parse_duration(str(data))
    if found < 1000:
        raise ValueError(f"at least a second is expected, not {data!r}")
    return found


def _flag(value: Located) -> bool:
    if not isinstance(value.data, bool):
        raise _fail(value, f"true or false is expected, not {value.data!r}")
    return value.data


def _texts(value: Located) -> tuple[str, ...]:
    items = _list(value) if isinstance(value.data, list) else [value]
    return tuple(_parsed(_words)(item) for item in items)


def _runs(data: Any) -> int:
    if not isinstance(data, int) or not 1 <= data <= _MOST_RUNS:
        raise ValueError(f"a whole number from 1 to {_MOST_RUNS} is expected, not {data!r}")
    return data


def _free(value: Located) -> Any:
    """Return data of any form, as another tool's settings are."""
    if isinstance(value.data, dict):
        return {name: _free(item) for name, item in value.data.items()}
    if isinstance(value.data, list):
        return [_free(item) for item in value.data]
    return value.data


def _settings(value: Located) -> Mapping[str, Any]:
    if not isinstance(value.data, dict):
        raise _fail(value, f"a mapping with Lighthouse's settings is expected, not {_free(value)!r}")
    return dict(_free(value))


_TRACKED = ("allocations",)
MEASURES = ("bound", "each")
_MOST_RUNS = 50
_TEXT = {"type": "string", "minLength": 1}
_LIST = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_PATTERN = {**_TEXT, "examples": ["tests/etl/**", "tests/test_x.py::test_y*", "memgate.yml::bundle[app]"]}
_AMOUNT = {"type": ["string", "number"], "examples": ["200KB", "5%", "max(200KB, 5%)", "300ms"]}
_IMPORTS = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^[^\W\d]\w*(\.[^\W\d]\w*)*$", "examples": ["numpy", "scipy.stats"]},
    "uniqueItems": True,
    "description": "Modules whose import is measured, in an interpreter of their own.",
}
_DURATION = {**_TEXT, "examples": ["30s"]}

_RULE = {
    "growth": {**_AMOUNT, "description": "Growth allowed above the baseline."},
    "limit": {**_AMOUNT, "description": "The most it may be, baseline or not."},
    "drift": {**_AMOUNT, "description": "Growth allowed above the anchor, in all."},
}
_WAIVER = {
    "test": _Key(read=_parsed(_words), schema=_PATTERN, required=True),
    "metric": _Key(read=_parsed(lambda data: metric_name(str(data))), schema=_TEXT, required=True),
    "ceiling": _Key(read=_parsed(lambda data: data), schema=_AMOUNT, required=True),
    "until": _Key(read=_parsed(_day), schema={"type": "string", "format": "date"}, required=True),
    "reason": _Key(read=_parsed(_words), schema=_TEXT, required=True),
}
_BUNDLE = {
    "stats": _Key(
        read=_parsed(_words), schema={**_TEXT, "description": "webpack's stats, Vite's manifest, esbuild's metafile."}
    ),
    "files": _Key(
        read=_texts, schema={**_LIST, "description": "Without a stats file: the first screen's files, by glob."}
    ),
    "lazy": _Key(read=_texts, schema={**_LIST, "description": "With `files`: what is loaded later, by glob."}),
    "root": _Key(read=_parsed(_words), schema={**_TEXT, "description": "Where the output files lie."}),
    "entries": _Key(
        read=_texts, schema={**_LIST, "description": "Patterns of the entries that count; all by default."}
    ),
}
_PAGE = {
    "url": _Key(
        read=_parsed(_words), schema={**_TEXT, "description": "A running page, or the one that `start` serves."}
    ),
    "serve": _Key(read=_parsed(_words), schema={**_TEXT, "description": "A static folder."}),
    "path": _Key(read=_parsed(_words), schema={**_TEXT, "description": "Below `serve`."}),
    "start": _Key(
        read=_parsed(_words), schema={**_TEXT, "description": "A command that serves `url`; {port} is a free one."}
    ),
    "runs": _Key(read=_parsed(_runs), schema={"type": "integer", "minimum": 1, "maximum": _MOST_RUNS}),
    "form_factor": _Key(
        read=_parsed(_one_of("form factor", ["mobile", "desktop"])), schema={"enum": ["mobile", "desktop"]}
    ),
    "throttling": _Key(
        read=_parsed(_one_of("throttling", ["simulate", "devtools", "provided"])),
        schema={"enum": ["simulate", "devtools", "provided"]},
    ),
    "settings": _Key(read=_settings, schema={"type": "object", "description": "Lighthouse's own settings."}),
    "lighthouserc": _Key(read=_parsed(_words), schema={**_TEXT, "description": "A file whose ci.collect is used."}),
    "single_page_app": _Key(read=_flag, schema={"type": "boolean"}),
    "ready": _Key(read=_parsed(_wait), schema={**_DURATION, "description": "How long `start` may take."}),
    "timeout": _Key(read=_parsed(_wait), schema={**_DURATION, "description": "How long one load may take."}),
}


def read_rule(value: Located, unit: str | None) -> Rule:
    """Read `{growth: …, limit: …, drift: …}` of a metric in `unit`, None for one of the project's own."""
    given = _mapping(value, _RULE)
    texts = {name: _parsed(lambda data: data)(item) for name, item in given.items()}
    try:
        return Rule.parse(texts, unit, {name: item.where for name, item in given.items()})
    except PartError as error:
        raise _fail(given[error.part], str(error)) from error


def _rules(value: Located, *others: str) -> dict[str, Rule]:
    """Read the rules of a mapping by their metric, `bundle.initial.gzip` or `bundle.initial.gzip[main]`."""
    if isinstance(value.data, dict):
        own = [name for name in value.data if name.startswith(CUSTOM) or base_name(name) in METRICS]
    else:
        own = []
    if not isinstance(value.data, dict | None):
        raise _fail(value, f"a mapping with metrics or {others[0]} is expected, not {value.data!r}")
    given = _mapping(value, dict.fromkeys([*METRICS, *others, *own]))
    rules: dict[str, Rule] = {}
    for name, item in given.items():
        if name not in others:
            try:
                rules[metric_name(name)] = read_rule(item, _unit(name))
            except ValueError as error:
                raise _fail(item, str(error)) from error
    return rules


def _override(value: Located) -> Override:
    rules = _rules(value, "tests", "track")
    if "tests" not in value.data:
        raise _fail(value, "an override needs 'tests', a pattern")
    track = "track" in value.data and _parsed(tracked)(value.data["track"])
    return Override(tests=_parsed(_words)(value.data["tests"]), rules=rules, track=track)


def _waiver(value: Located) -> Waiver:
    given = _record(_WAIVER, value, "a waiver")
    unit = _unit(given["metric"])
    try:
        given["ceiling"], given["unit"] = (
            parse_any(given["ceiling"]) if unit is None else (parse_amount(given["ceiling"], unit), unit)
        )
    except ValueError as error:
        raise _fail(value.data["ceiling"], str(error)) from error
    return Waiver(**given, source=value.where)


def _named(value: Located, what: str) -> dict[str, Located]:
    if value.data is None:
        return {}
    if not isinstance(value.data, dict):
        raise _fail(value, f"a mapping of {what}s by their names is expected")
    for name, item in value.data.items():
        if not _NAME.fullmatch(name):
            raise _fail(item, f"not a name for a {what}: {name!r} (letters, digits, dots, dashes)")
    return value.data


def _bundle(name: str, value: Located) -> BundleCheck:
    check = BundleCheck(name=name, source=value.where, **_record(_BUNDLE, value, "a bundle"))
    if bool(check.stats) == bool(check.files):
        raise _fail(value, "a bundle needs either 'stats', a bundler's file, or 'files', globs")
    if check.lazy and not check.files:
        raise _fail(value, "'lazy' goes with 'files': a stats file says by itself what is loaded later")
    return check


def _page(name: str, value: Located) -> PageCheck:
    check = PageCheck(name=name, source=value.where, **_record(_PAGE, value, "a page"))
    try:
        check.page(Path())
    except ConfigError as error:
        raise _fail(value, str(error)) from error
    return check


def _imports(value: Located) -> dict[str, ImportCheck]:
    found: dict[str, ImportCheck] = {}
    for item in _list(value):
        name = item.data
        if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
            raise _fail(item, f"not a module's name: {_free(item)!r} (write it as in an import statement: scipy.stats)")
        if name in found:
            raise _fail(item, f"{name!r} stands here twice")
        found[name] = ImportCheck(name=name, source=item.where)
    return found


def read_settings(top: Located) -> Settings:
    """Read a whole configuration.

    Raises ConfigError with file and line for a key that is not known or a value that is not what it should be.
    """
    given = _mapping(top, ["budgets", "bundles", "imports", "measure", "missing", "pages", "waivers"])
    nothing = Located(None, top.file, 0)
    budgets = given.get("budgets", nothing)
    pages = _named(given.get("pages", nothing), "page")
    for name, item in (budgets.data if isinstance(budgets.data, dict) else {}).items():
        if name.startswith("web.") and part_of(name) in pages:
            page = part_of(name)
            where = f'overrides: - tests: "{top.file}::page[{page}]"'
            raise _fail(item, f"a declared page is a test of its own, and no part of {base_name(name)}; write {where}")
    missing, measured = given.get("missing"), given.get("measure")
    return Settings(
        file=top.file,
        rules=_rules(budgets, "overrides"),
        overrides=tuple(_override(item) for item in _list((budgets.data or {}).get("overrides", nothing))),
        measure=_parsed(_one_of("value", MEASURES))(measured) if measured else "each",
        measure_source=measured.where if measured else "default",
        missing=_parsed(_one_of("value", ["warn", "fail"]))(missing) if missing else "warn",
        missing_source=missing.where if missing else "default",
        waivers=tuple(_waiver(item) for item in _list(given.get("waivers", nothing))),
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
            "bundles": {"type": "object", "additionalProperties": _object(_BUNDLE)},
            "pages": {"type": "object", "additionalProperties": _object(_PAGE)},
            "imports": _IMPORTS,
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
