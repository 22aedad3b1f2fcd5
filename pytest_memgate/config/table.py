"""Each setting in words, with where it comes from."""

from collections.abc import Iterator

from pytest_memgate.budget.rule import Rule
from pytest_memgate.config.schema import Settings
from pytest_memgate.model.metric import METRICS
from pytest_memgate.units import format_size


def table(settings: Settings) -> list[tuple[str, str, str]]:
    """Return (key, value, source) for every setting, the defaults included."""
    rows: list[tuple[str, str, str]] = []
    for name, metric in METRICS.items():
        rule = settings.rules.get(name, Rule())
        if rule.growth is None:
            rows.append((f"budgets.{name}.growth", metric.growth, "default"))
        rows += _rule(f"budgets.{name}", rule)
    for override in settings.overrides:
        for name, rule in override.rules.items():
            rows += _rule(f"budgets.overrides[{override.tests}].{name}", rule)
    rows.append(("missing", settings.missing, settings.missing_source))
    for waiver in settings.waivers:
        value = f"{waiver.metric} up to {format_size(waiver.ceiling)} until {waiver.until}: {waiver.reason}"
        rows.append((f"waivers[{waiver.test}]", value, waiver.source))
    return rows


def _rule(key: str, rule: Rule) -> Iterator[tuple[str, str, str]]:
    parts = {
        "growth": rule.growth,
        "limit": None if rule.limit is None else format_size(rule.limit),
        "drift": rule.drift,
    }
    for name, value in parts.items():
        if value is not None:
            yield f"{key}.{name}", str(value), rule.source(name)
