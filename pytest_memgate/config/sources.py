"""Where settings come from, and the budget of one test that follows from them."""

import fnmatch
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from pytest_memgate.baseline.source import GitRef, Source
from pytest_memgate.baseline.store import why
from pytest_memgate.budget.match import matches
from pytest_memgate.budget.rule import Budget, Rule, resolve
from pytest_memgate.config.located import from_toml, from_yaml
from pytest_memgate.config.schema import Settings, read_settings
from pytest_memgate.errors import ConfigError
from pytest_memgate.model.judgement.reference import is_reason
from pytest_memgate.model.metric import Metric, base_name, part_of
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import PLAIN

FILE = "memgate.yml"
_LONGEST = timedelta(days=366)  # of a waiver
_PYPROJECT = "pyproject.toml"


def load_settings(source: Source) -> Settings:
    """Return the settings of memgate.yml, or of [tool.memgate] in pyproject.toml, or the defaults.

    Raises ConfigError if both files have settings, or for an error in them.
    """
    own, project = _text(source, FILE), _text(source, _PYPROJECT)
    table = None
    if project is not None and "memgate" in project:
        table = from_toml(project, _PYPROJECT, ("tool", "memgate"))
    if own is not None and table is not None:
        raise ConfigError(f"{FILE} and [tool.memgate] in {_PYPROJECT} are both there", hint="keep one of them")
    located = from_yaml(own, FILE) if own is not None else table
    settings = read_settings(located) if located is not None else Settings()
    if not isinstance(source, GitRef):  # what a commit holds is past mending
        _check_waivers(settings, date.today())  # noqa: DTZ011  # the day of the machine, as in the gate
    return settings


def _check_waivers(settings: Settings, today: date) -> None:
    for waiver in settings.waivers:
        where = f"{waiver.source}: the waiver for {waiver.test}"
        if not is_reason(waiver.reason):
            raise ConfigError(f"{where} has a reason without a letter in it: {waiver.reason!r}", hint="say why")
        if waiver.until - today > _LONGEST:
            last = (today + _LONGEST).isoformat()
            raise ConfigError(f"{where} ends in more than a year, on {waiver.until}", hint=f"let it end by {last}")


def _text(source: Source, path: str) -> str | None:
    try:
        return source.read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {why(error)}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of a file, and above them the rules of the command line, by metric."""

    settings: Settings
    options: Mapping[str, Rule] = field(default_factory=dict)
    missing: str = ""

    @property
    def missing_fails(self) -> bool:
        """True if tests without an entry, and entries without a test, fail the run."""
        return (self.missing or self.settings.missing) == "fail"

    def budget(
        self, subject: Subject, metric: str, marked: Mapping[str, Rule] | None = None, unit: str = PLAIN
    ) -> Budget:
        """Return the budget of a test: from options, then from its marker, then from the last pattern that names it.

        Raises ConfigError if a metric of the project's own, recorded in `unit`, has a budget in another unit.
        """
        named = [
            rule
            for override in reversed(self.settings.overrides)
            if matches(override.tests, subject)
            for rule in _of(override.rules, metric)
        ]
        rules = self._above_built_in(metric, [*_of(self.options, metric), *_of(marked or {}, metric), *named])
        known = metric_of(metric, unit)
        for rule in rules:
            if rule.unit not in {"", known.unit}:
                where = ", ".join(dict.fromkeys(rule.sources.values()))
                mine = f"in {known.unit}" if known.unit else "plain numbers"
                raise ConfigError(f"{where}: the budget of {metric} is in {rule.unit}, its values are {mine}")
        return resolve(rules, known.unit)

    def tracks(self, subject: Subject) -> bool:
        """True if a pattern asks for the test's allocations to be counted."""
        return any(override.track and matches(override.tests, subject) for override in self.settings.overrides)

    def children(self, subject: Subject) -> str:
        """Return what is done with processes that a test starts: `measure`, `note` or `off`."""
        named = (one.children for one in reversed(self.settings.overrides) if matches(one.tests, subject))
        return next(filter(None, named), self.settings.children)

    def resolve(self, metric: str, rules: list[Rule]) -> Budget:
        """Return the budget of `rules` together with the rules for every test, in the unit that they name."""
        rules = self._above_built_in(metric, rules)
        own = next((rule.unit for rule in rules if rule.unit), PLAIN)
        return resolve(rules, metric_of(metric, own).unit)

    def _above_built_in(self, metric: str, rules: list[Rule]) -> list[Rule]:
        return [*rules, *_of(self.settings.rules, metric), _built_in(metric_of(metric))]


def _of(rules: Mapping[str, Rule], metric: str) -> list[Rule]:
    """Return the rules for a metric: for its part, the last pattern first, then for the metric as a whole."""
    parts = [rules[name] for name in reversed(list(rules)) if part_of(name) and covers(name, metric)]
    whole = base_name(metric)
    return [*parts, *([rules[whole]] if whole in rules else [])]


def covers(name: str, metric: str) -> bool:
    """True if a rule's name means a metric: `bundle.initial.raw`, with or without a pattern of its parts."""
    if base_name(name) != base_name(metric):
        return False
    return not part_of(name) or part_of(name) == part_of(metric) or fnmatch.fnmatchcase(part_of(metric), part_of(name))


@functools.cache
def _built_in(known: Metric) -> Rule:
    parts = {"growth": known.growth, "limit": known.limit}
    given = {name: text for name, text in parts.items() if text}
    return Rule.parse(given, known.unit, dict.fromkeys(given, "default"))
