"""The one place where a measurement is judged: numbers in, a finding out."""

import math
from statistics import median, median_low

from pytest_memgate.budget.rule import Budget
from pytest_memgate.compare.noise import explained, spread, upper
from pytest_memgate.model.finding import OVER_LIMIT, Finding, Outcome
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.model.reference import Bar, Reference, Standing
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import format_amount, format_growth

_WITHOUT_REFERENCE = {
    Standing.NEW: Outcome.NEW,
    Standing.NO_BASELINE: Outcome.NO_BASELINE,
    Standing.INCOMPARABLE: Outcome.INCOMPARABLE,
}


def ceiling(budget: Budget, reference: Reference | None) -> float | None:
    """Return the largest value that no rule of `budget` objects to, None where nothing bounds it."""
    bounds = [] if budget.limit is None else [budget.limit]
    if reference is not None:
        if budget.growth is not None:
            bounds.append(reference.value + budget.growth.of(reference.value))
        if budget.drift is not None:
            bounds.append(reference.origin + budget.drift.of(reference.origin))
    return min(bounds, default=None)


def floor(budget: Budget, reference: Reference) -> float:
    """Return the value below which a test has improved by more than its budget."""
    if budget.growth is None:
        return -math.inf
    return reference.value - max(budget.growth.of(reference.value), reference.spread)


def judge(subject: Subject, metric: str, measurement: Measurement, budget: Budget, bar: Bar) -> Finding:
    """Return the finding for one measurement of `metric`, held against `bar` under `budget`.

    Samples that disagree across a budget give `unstable`, never an outcome that fails the test. What imports held in
    a test that cannot run twice is not its own: another order of tests lets another one pay for it.
    """
    bar = _comparable(_in_unit(bar, metric, budget.unit), measurement)
    reference = bar.reference
    outcome, reason = _outcome(measurement, budget, bar)
    if outcome is Outcome.NOT_GATED and reference and not metric_of(metric).is_web:
        outcome = Outcome.INCOMPARABLE
        reason = "it has a baseline, but no budget names it any more (an update drops the entry)"
    base = reference.value if reference else measurement.value
    return Finding(
        subject=subject,
        metric=metric,
        outcome=outcome,
        reason=reason,
        measurement=measurement,
        unit=budget.unit,
        baseline=reference.value if reference else None,
        anchor=reference.anchor if reference else None,
        allowed=budget.growth.of(base) if budget.growth else None,
        budget=str(budget),
    )


def _in_unit(bar: Bar, metric: str, unit: str) -> Bar:
    """Return the bar, without its reference where that is in another unit."""
    there = metric_of(metric, bar.reference.unit).unit if bar.reference else unit
    if there == unit:
        return bar
    why = f"its baseline is in {there or 'plain numbers'}, this value in {unit or 'plain numbers'}"
    return Bar(standing=Standing.INCOMPARABLE, why=why)


def _comparable(bar: Bar, measurement: Measurement) -> Bar:
    """Return the bar, without its reference where that was measured under other conditions."""
    if bar.reference is None:
        return bar
    if bar.reference.conditions == measurement.conditions:
        return bar
    there, here = bar.reference.conditions, measurement.conditions
    why = ", ".join(
        f"{key} {there.get(key, 'unknown')} there and {here.get(key, 'unknown')} here"
        for key in dict.fromkeys([*there, *here])
        if there.get(key) != here.get(key)
    )
    return Bar(standing=Standing.INCOMPARABLE, why=f"its baseline was measured with {why}")


def _outcome(measurement: Measurement, budget: Budget, bar: Bar) -> tuple[Outcome, str]:
    samples = _samples(measurement)
    top = ceiling(budget, bar.reference)
    if measurement.again and top is not None and not _over(samples[-1], top) and _over(samples[0], top):
        first, second = (format_amount(value, budget.unit) for value in samples)
        within = format_amount(top, budget.unit)
        if median_low([*measurement.samples, *measurement.again]) > top and len(measurement.again) > 1:
            return Outcome.UNSTABLE, f"over {within} in most of its loads: {first}, then {second}"
        return Outcome.PASSED, f"{first} in a first collection was not seen again: {second} is within {within}"
    own = measurement.value - measurement.imports
    if budget.limit is not None and _over(own, budget.limit):
        value, limit = _apart(own, budget.limit, budget.unit)
        return _firmly(Outcome.REGRESSED, f"{value} {OVER_LIMIT} {limit}", over=_over(min(samples), budget.limit))
    if not budget.gates:
        return Outcome.NOT_GATED, bar.why
    if bar.reference is None:
        return _WITHOUT_REFERENCE[bar.standing], bar.why
    return _against(bar.reference, measurement, budget, samples)


def _against(
    reference: Reference, measurement: Measurement, budget: Budget, samples: tuple[float, ...]
) -> tuple[Outcome, str]:
    unit = budget.unit
    own = measurement.value - measurement.imports
    growth = own - reference.value
    drifted = _drifted(reference, own, budget, samples)
    if budget.growth is not None and _over(growth, allowed := budget.growth.of(reference.value)):
        if not drifted and growth <= (noise := _noise(reference, measurement)):
            return Outcome.UNSTABLE, (
                f"grew by {format_amount(growth, unit)}, but its runs differ by {format_amount(noise, unit)} by "
                f"themselves: a budget of {format_amount(allowed, unit)} cannot be held"
            )
        over, most = _apart(growth, allowed, unit)
        reason = f"+{over} is over its budget of {most}"
        if measurement.again:
            reason = f"{reason}, and {format_growth(samples[-1] - reference.value, unit)} in a second collection"
        if not (drifted and growth <= _noise(reference, measurement)):
            return _firmly(Outcome.REGRESSED, reason, over=_over(min(samples) - reference.value, allowed))
    if drifted:
        return drifted
    if (
        measurement.imports
        and budget.growth
        and measurement.value - reference.value > budget.growth.of(reference.value)
    ):
        held = format_amount(measurement.imports, unit)
        return Outcome.PASSED, f"{held} of it are first use, which another test may pay for in another order"
    if _highest(measurement) < floor(budget, reference):
        return Outcome.IMPROVED, f"{format_growth(growth, unit)}, so the baseline can be lowered"
    return Outcome.PASSED, ""


def _drifted(
    reference: Reference, own: float, budget: Budget, samples: tuple[float, ...]
) -> tuple[Outcome, str] | None:
    if budget.drift is None or not _over(own - reference.origin, most := budget.drift.of(reference.origin)):
        return None
    over, bound = _apart(own - reference.origin, most, budget.unit)
    anchor = format_amount(reference.origin, budget.unit)
    reason = f"+{over} since its anchor of {anchor} is over its drift budget of {bound}"
    return _firmly(Outcome.DRIFTED, reason, over=_over(min(samples) - reference.origin, most))


def _over(value: float, bound: float) -> bool:
    """Say whether a value is above a bound by more than floating point leaves over."""
    return value - bound > 1e-9 * max(1.0, abs(bound))


def _apart(value: float, bound: float, unit: str) -> tuple[str, str]:
    """Return two amounts in words, with all of their digits where three are too few to tell them apart."""
    said = format_amount(value, unit), format_amount(bound, unit)
    return said if said[0] != said[1] else (f"{value:,.10g} {unit}".rstrip(), f"{bound:,.10g} {unit}".rstrip())


def _noise(reference: Reference, measurement: Measurement) -> float:
    """Return the growth that this metric shows without a change of the code."""
    if measurement.basis is Basis.SAMPLES:
        return explained(reference.samples, measurement.samples + measurement.again)
    return reference.spread


def _samples(measurement: Measurement) -> tuple[float, ...]:
    """Return the values that must all be over a budget before it blocks.

    Of memory these are the runs that speak for the test itself; what never agreed speaks with all of its warm runs.
    Of a noisy metric, the middles of the two collections.
    """
    if measurement.basis is Basis.COLD:
        return (measurement.cold - measurement.imports,)
    if measurement.again:
        return (measurement.value, median(measurement.again))
    if (measurement.settled and not measurement.spread) or measurement.basis in {Basis.EXACT, Basis.SAMPLES}:
        return (measurement.value,)
    return measurement.warm or (measurement.cold,)


def _highest(measurement: Measurement) -> float:
    return upper(measurement.samples) if measurement.samples else measurement.value


def _firmly(outcome: Outcome, reason: str, *, over: bool) -> tuple[Outcome, str]:
    return (outcome, reason) if over else (Outcome.UNSTABLE, f"{reason} in some of its runs, and within it in others")


def needs_rerun(measurement: Measurement, budget: Budget, bar: Bar) -> bool:
    """Say whether `measurement`, still short of settled, leaves the verdict or the value open.

    A first run within the ceiling proves that the test is within it; so do a few samples that are so far below it that
    their own spread does not reach it. What goes over, what improved and what has no reference is run until it is
    settled: the values of these may be accepted later.
    """
    if measurement.basis is Basis.COLD:
        return True
    if measurement.basis is Basis.SAMPLES:
        return budget.gates and _close(measurement, budget, _comparable(bar, measurement).reference)
    if bar.reference is None:
        return True
    top = ceiling(budget, bar.reference)
    return (top is not None and measurement.value > top) or measurement.value < floor(budget, bar.reference)


def _close(measurement: Measurement, budget: Budget, reference: Reference | None) -> bool:
    if reference is None:
        return True
    top = ceiling(budget, reference)
    low, high = min(measurement.samples), max(measurement.samples)
    near = top is not None and high + spread(measurement.samples) > top
    return near or low < floor(budget, reference)


def speaks_against(finding: Finding) -> bool:
    """Say whether a finding on a noisy metric blocks, or leaves open, what a second collection must decide."""
    bad = finding.outcome.fails_gate or finding.outcome is Outcome.UNSTABLE
    return bad and finding.measurement is not None and not finding.measurement.again
