"""Each setting in words, and its source."""

from collections.abc import Iterator

from pytest_memgate.budget.rule import Rule
from pytest_memgate.config.schema import Settings
from pytest_memgate.model.metric import METRICS
from pytest_memgate.probes.check import Check, settings_of
from pytest_memgate.units import format_amount


def table(settings: Settings) -> list[tuple[str, str, str]]:
    """Return (key, value, source) for every setting, the defaults included."""
    rows = list(_budgets(settings))
    for override in settings.overrides:
        for name, rule in override.rules.items():
            rows += _rule(f"budgets.overrides[{override.tests}].{name}", rule)
        if override.track:
            rows.append((f"budgets.overrides[{override.tests}].track", "allocations", settings.file))
        if override.children:
            rows.append((f"budgets.overrides[{override.tests}].children", override.children, settings.file))
    rows.append(("children", settings.children, settings.children_source))
    rows.append(("measure", settings.measure, settings.measure_source))
    rows.append(("missing", settings.missing, settings.missing_source))
    for check in settings.checks.values():
        rows += _check(check)
    for waiver in settings.waivers:
        ceiling = format_amount(waiver.ceiling, waiver.unit)
        value = f"{waiver.metric} up to {ceiling} until {waiver.until}: {waiver.reason}"
        rows.append((f"waivers[{waiver.test}]", value, waiver.source))
    rows += [(f"renamed[{old}]", new, settings.file) for old, new in settings.renamed.items()]
    return rows


def _budgets(settings: Settings) -> Iterator[tuple[str, str, str]]:
    for name, metric in METRICS.items():
        rule = settings.rules.get(name, Rule())
        usual = {part: getattr(metric, part) for part in ("growth", "limit") if getattr(rule, part) is None}
        usual = {part: text for part, text in usual.items() if text}
        yield from _rule(f"budgets.{name}", Rule.parse(usual, metric.unit, dict.fromkeys(usual, "default")))
        yield from _rule(f"budgets.{name}", rule)
    for name, rule in settings.rules.items():
        if name not in METRICS:
            yield from _rule(f"budgets.{name}", rule)


def _check(check: Check) -> Iterator[tuple[str, str, str]]:
    if check.item_schema is not None:
        yield check.section, check.name, check.source
    for name, value in settings_of(check).items():
        yield f"{check.section}.{check.name}.{name}", value, check.source


def _rule(key: str, rule: Rule) -> Iterator[tuple[str, str, str]]:
    parts = {
        "growth": rule.growth,
        "limit": None if rule.limit is None else format_amount(rule.limit, rule.unit),
        "drift": rule.drift,
    }
    for name, value in parts.items():
        if value is not None:
            yield f"{key}.{name}", str(value), rule.source(name)
