"""What a change brings that loosens the gate, compared with the base: a line each."""

from collections.abc import Iterator

from pytest_memgate.budget.rule import Allowance, Rule
from pytest_memgate.config.schema import Settings
from pytest_memgate.units import format_size


def loosened(base: Settings, head: Settings) -> list[str]:
    """Return the looser budgets and the new waivers of `head`, each with its place."""
    lines: list[str] = []
    old, new = _rules(base), _rules(head)
    for key in sorted(new):
        lines += _looser(key, old.get(key, Rule()), new[key])
    for key in sorted(old.keys() - new.keys()):
        lines.append(f"budget for {key} is gone, it was set at {', '.join(dict.fromkeys(old[key].sources.values()))}")
    if base.missing == "fail" and head.missing == "warn":
        lines.append(f"missing: fail -> warn ({head.missing_source})")
    known = {(waiver.test, waiver.metric, waiver.ceiling, waiver.until) for waiver in base.waivers}
    for waiver in head.waivers:
        if (waiver.test, waiver.metric, waiver.ceiling, waiver.until) not in known:
            ceiling = format_size(waiver.ceiling)
            lines.append(
                f"waiver for {waiver.test} up to {ceiling} until {waiver.until}: {waiver.reason} ({waiver.source})"
            )
    return lines


def _rules(settings: Settings) -> dict[str, Rule]:
    found = dict(settings.rules)
    for override in settings.overrides:
        found |= {f"{metric} of {override.tests}": rule for metric, rule in override.rules.items()}
    return found


def _looser(key: str, old: Rule, new: Rule) -> Iterator[str]:
    if new.growth and (old.growth is None or new.growth.looser_than(old.growth)):
        yield _line(key, "growth", old.growth, new.growth, new.source("growth"))
    if old.drift and (new.drift is None or new.drift.looser_than(old.drift)):
        yield _line(key, "drift", old.drift, new.drift, new.source("drift"))
    if old.limit is not None and (new.limit is None or new.limit > old.limit):
        limit = None if new.limit is None else format_size(new.limit)
        yield _line(key, "limit", format_size(old.limit), limit, new.source("limit"))


def _line(key: str, part: str, old: Allowance | str | None, new: Allowance | str | None, source: str) -> str:
    where = f" ({source})" if source else ""
    return f"{part} of {key}: {old or 'default'} -> {new or 'none'}{where}; it counts once it is on the base"
