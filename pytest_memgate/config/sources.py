"""Where settings come from, and the budget that they come to for one test."""

from dataclasses import dataclass, field

from pytest_memgate.baseline.source import Source
from pytest_memgate.budget.match import matches
from pytest_memgate.budget.rule import Allowance, Budget, Rule, resolve
from pytest_memgate.config.located import from_toml, from_yaml
from pytest_memgate.config.schema import Settings, read_settings
from pytest_memgate.errors import ConfigError
from pytest_memgate.model.metric import METRICS
from pytest_memgate.model.subject import Subject

FILE = "memgate.yml"
_PYPROJECT = "pyproject.toml"


def load_settings(source: Source) -> Settings:
    """Read memgate.yml, or [tool.memgate] in pyproject.toml; neither gives the defaults.

    Raises ConfigError if both are there, or for what stands in them.
    """
    try:
        own, project = source.read(FILE), source.read(_PYPROJECT)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{FILE} or {_PYPROJECT}: {error}") from error
    table = None
    if project is not None and "memgate" in project:
        table = from_toml(project, _PYPROJECT, ("tool", "memgate"))
    if own is not None and table is not None:
        raise ConfigError(f"{FILE} and [tool.memgate] in {_PYPROJECT} are both there", hint="keep one of them")
    if own is not None:
        return read_settings(from_yaml(own, FILE))
    return read_settings(table) if table is not None else Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of a file, and what the command line puts above them."""

    settings: Settings
    options: Rule = field(default_factory=Rule)
    missing: str = ""

    @property
    def missing_fails(self) -> bool:
        return (self.missing or self.settings.missing) == "fail"

    def budget(self, subject: Subject, metric: str, marker: Rule | None = None) -> Budget:
        """Return what holds for a test: option, then marker, then the last pattern that names it, then its metric."""
        named = [
            override.rules[metric]
            for override in reversed(self.settings.overrides)
            if metric in override.rules and matches(override.tests, subject)
        ]
        return self.resolve(metric, [self.options, *([marker] if marker else []), *named])

    def resolve(self, metric: str, rules: list[Rule]) -> Budget:
        """Return what `rules` come to above what holds for every test."""
        general = [self.settings.rules[metric]] if metric in self.settings.rules else []
        return resolve([*rules, *general, _built_in(metric)])


def _built_in(metric: str) -> Rule:
    return Rule(growth=Allowance.parse(METRICS[metric].growth), sources={"growth": "default"})
