"""Parts of a change that loosen the gate, compared with the base: a line each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_memgate.budget.rule import Allowance, Budget, Rule
from pytest_memgate.config.schema import Settings
from pytest_memgate.config.sources import Config
from pytest_memgate.model.metric import METRICS
from pytest_memgate.probes.check import Check, settings_of
from pytest_memgate.units import format_amount

_COUNTS_LATER = "it counts once it is on the base"
_COUNTS_TYPED = "it counts where it is typed, or once it is on the base"
UNMEASURED = {"note", "off"}  # of processes
_CLOSE = {"each", "exact"}  # ways to measure tests that see more than a bound of several
_NONE: Mapping[str, Rule] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a run, by metric; empty or None if they are not given.

    `sources` gives the place of `--memgate-missing`, `--memgate-strict` and `--memgate-measure`.
    """

    rules: Mapping[str, Rule] = field(default_factory=dict)
    missing: str = ""
    strict: bool | None = None
    measure: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)


def loosened_by_options(base: Settings, held: Options, given: Options, *, strict: bool) -> list[str]:
    """Return what `given` options would loosen beside those that are `held`, above the base's settings.

    `strict` is the strictness of a run without an option.
    """
    lines: list[str] = []
    settings = Config(settings=base)
    for metric in dict.fromkeys([*held.rules, *given.rules]):
        parts: dict[str, str] = {}
        for pattern in ("", *(pattern for name, pattern in _overrides(base) if name == metric)):
            old, new = (_rule(settings, metric, pattern, options.rules) for options in (held, given))
            for part, line in looser(metric, old, new):
                parts.setdefault(part, line)
        lines += [f"{line}; {_COUNTS_TYPED}" for line in parts.values()]
    was, now = (options.missing or base.missing for options in (held, given))
    if (was, now) == ("fail", "warn"):
        place = given.sources.get("--memgate-missing") if given.missing else "an option of the base is gone"
        lines.append(f"missing: fail -> warn ({place}); {_COUNTS_TYPED}")
    if (strict if held.strict is None else held.strict) and not (strict if given.strict is None else given.strict):
        place = given.sources.get("--no-memgate-strict", "an option of the base is gone")
        lines.append(f"strict: on -> off ({place}); {_COUNTS_TYPED}")
    was, now = (options.measure or base.measure for options in (held, given))
    if was in _CLOSE and now == "bound":
        place = given.sources.get("--memgate-measure") if given.measure else "an option of the base is gone"
        lines.append(f"measure: {was} -> bound ({place}); {_COUNTS_TYPED}")
    return lines


def loosened(base: Settings, head: Settings) -> list[str]:
    """Return the looser budgets and the new waivers of `head`, each with its place."""
    lines: list[str] = []
    old, new = Config(settings=base), Config(settings=head)
    general = [(metric, "") for metric in (*METRICS, *base.rules, *head.rules)]
    keys = dict.fromkeys([*general, *_overrides(base), *_overrides(head)])
    for metric, pattern in keys:
        is_new = bool(pattern) and (metric, pattern) not in _overrides(base)
        before = _strictest(old, metric) if is_new else _rule(old, metric, pattern)
        key = f"{metric} of {pattern}" if pattern else metric
        after = _rule(new, metric, pattern)
        lines += [f"{line}; {_COUNTS_LATER}" for _, line in looser(key, before, after)]
    if [one for one in _overrides(base) if one in _overrides(head)] != [
        one for one in _overrides(head) if one in _overrides(base)
    ]:
        lines.append("the overrides have another order, and the last that names a test wins")
    for name, check in base.checks.items():
        lines += _otherwise(f"{check.section}: {check.name}", check, head.checks.get(name))
    if base.missing == "fail" and head.missing == "warn":
        lines.append(f"missing: fail -> warn ({head.missing_source})")
    lines += _unmeasured_children(base, head)
    if base.measure in _CLOSE and head.measure == "bound":
        lines.append(f"measure: {base.measure} -> bound ({head.measure_source}); {_COUNTS_LATER}")
    known = {(waiver.test, waiver.metric, waiver.ceiling, waiver.until) for waiver in base.waivers}
    for waiver in head.waivers:
        if (waiver.test, waiver.metric, waiver.ceiling, waiver.until) not in known:
            ceiling = format_amount(waiver.ceiling, waiver.unit)
            lines.append(
                f"waiver for {waiver.test} up to {ceiling} until {waiver.until}: {waiver.reason} ({waiver.source})"
            )
    return lines


def _unmeasured_children(base: Settings, head: Settings) -> Iterator[str]:
    """Yield where processes that tests start are no longer measured."""
    if base.children == "measure" != head.children:
        yield f"children: measure -> {head.children} ({head.children_source}); {_COUNTS_LATER}"
    known = {one.tests for one in base.overrides if one.children in UNMEASURED}
    for one in head.overrides:
        if one.children in UNMEASURED and one.tests not in known:
            yield f"children of {one.tests}: {one.children} ({head.file}); {_COUNTS_LATER}"


def _otherwise(key: str, old: Check, new: Check | None) -> Iterator[str]:
    """Yield what a check no longer measures, or measures in another way."""
    if new is None:
        yield f"{key} is not checked any more"
        return
    was, now = settings_of(old), settings_of(new)
    for name in dict.fromkeys([*was, *now]):
        if was.get(name) != now.get(name) and name not in {"ready", "timeout"}:
            yield f"{key}: {name} {was.get(name, 'by default')} -> {now.get(name, 'by default')} ({new.source})"


def _overrides(settings: Settings) -> list[tuple[str, str]]:
    return [(metric, override.tests) for override in settings.overrides for metric in override.rules]


def _rule(config: Config, metric: str, pattern: str, options: Mapping[str, Rule] = _NONE) -> Budget:
    """Return the budget of the tests of a pattern, or of a metric if the pattern is empty, below `options`."""
    own = [
        one.rules[metric] for one in reversed(config.settings.overrides) if one.tests == pattern and metric in one.rules
    ]
    return config.resolve(metric, [*([options[metric]] if metric in options else []), *own])


def _strictest(config: Config, metric: str) -> Budget:
    """Return the strictest budget that any test may have: a new pattern can replace any other."""
    patterns = ["", *(pattern for name, pattern in _overrides(config.settings) if name == metric)]
    budgets = [_rule(config, metric, pattern) for pattern in patterns]
    return Budget(
        growth=min((one.growth for one in budgets if one.growth is not None), key=_size, default=None),
        limit=min((one.limit for one in budgets if one.limit is not None), default=None),
        drift=min((one.drift for one in budgets if one.drift is not None), key=_size, default=None),
    )


def _size(allowance: Allowance) -> float:
    return allowance.of(1000**2)


def looser(key: str, old: Budget, new: Budget) -> Iterator[tuple[str, str]]:
    """Yield each part of a budget that is looser than before, and the words for it."""
    for part, was, now in (("growth", old.growth, new.growth), ("drift", old.drift, new.drift)):
        if was is not None and (now is None or now.looser_than(was)):
            yield part, _line(key, part, str(was), "none" if now is None else str(now), new)
    if old.limit is not None and (new.limit is None or new.limit > old.limit):
        now_limit = "none" if new.limit is None else format_amount(new.limit, new.unit)
        yield "limit", _line(key, "limit", format_amount(old.limit, old.unit), now_limit, new)


def _line(key: str, part: str, old: str, new: str, budget: Budget) -> str:
    where = f" ({budget.sources[part]})" if part in budget.sources else ""
    return f"{part} of {key}: {old} -> {new}{where}"
