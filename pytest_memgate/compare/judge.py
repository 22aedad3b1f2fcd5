"""The one place where a measurement is judged: numbers in, a finding out."""

import math
from dataclasses import dataclass
from statistics import median, median_low

from pytest_memgate.budget.rule import Budget
from pytest_memgate.compare.noise import explained, spread, times_slower, upper
from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import (
    Cause,
    Doubt,
    DoubtKind,
    Mismatch,
    MismatchKind,
    Over,
    SecondCollection,
)
from pytest_memgate.model.judgement.reference import Bar, Reference, Standing
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.model.subject import Subject

_WITHOUT_REFERENCE = {
    Standing.NEW: Outcome.NEW,
    Standing.NO_BASELINE: Outcome.NO_BASELINE,
    Standing.INCOMPARABLE: Outcome.INCOMPARABLE,
}


def ceiling(budget: Budget, reference: Reference | None) -> float | None:
    """Return the largest value that every rule of `budget` allows, in the metric's unit; None if no rule bounds it."""
    bounds = [] if budget.limit is None else [budget.limit]
    if reference is not None:
        if budget.growth is not None:
            bounds.append(reference.value + budget.growth.of(reference.value))
        if budget.drift is not None:
            bounds.append(reference.origin + budget.drift.of(reference.origin))
    return min(bounds, default=None)


def floor(budget: Budget, reference: Reference) -> float:
    """Return the value below which a test has improved by more than its budget, in the metric's unit."""
    if budget.growth is None:
        return -math.inf
    return reference.value - max(budget.growth.of(reference.value), reference.spread)


def judge(subject: Subject, metric: str, measurement: Measurement, budget: Budget, bar: Bar) -> Finding:
    """Return the finding for one measurement of `metric`, held against `bar` under `budget`.

    Samples on both sides of a budget give `unstable`, never an outcome that fails the test. If a test cannot run twice,
    the bytes of its imports are not charged to it: in another order, another test pays for them.
    """
    bar = _comparable(_in_unit(bar, metric, budget.unit), measurement)
    reference = bar.reference
    judgement = _judged(measurement, budget, bar)
    if judgement.outcome is Outcome.NOT_GATED and reference and not metric_of(metric).is_web:
        judgement = _Judged(Outcome.INCOMPARABLE, cause=Cause.NO_BUDGET)
    base = reference.value if reference else measurement.value
    return Finding(
        subject=subject,
        metric=metric,
        outcome=judgement.outcome,
        over=judgement.over,
        doubt=judgement.doubt,
        second=judgement.second,
        cause=judgement.cause,
        mismatch=judgement.mismatch,
        may_be=judgement.may_be,
        measurement=measurement,
        unit=budget.unit,
        baseline=reference.value if reference else None,
        anchor=reference.anchor if reference else None,
        allowed=budget.growth.of(base) if budget.growth else None,
        rules=budget.rules,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """An outcome, and why it is so."""

    outcome: Outcome
    over: Over | None = None
    doubt: Doubt | None = None
    second: SecondCollection | None = None
    cause: Cause | None = None
    mismatch: Mismatch | None = None
    may_be: tuple[Subject, ...] = ()


def _in_unit(bar: Bar, metric: str, unit: str) -> Bar:
    """Return the bar, without its reference if that is in another unit."""
    there = metric_of(metric, bar.reference.unit).unit if bar.reference else unit
    if there == unit:
        return bar
    mismatch = Mismatch(kind=MismatchKind.UNIT, there={"unit": there}, here={"unit": unit})
    return Bar(standing=Standing.INCOMPARABLE, mismatch=mismatch)


def _comparable(bar: Bar, measurement: Measurement) -> Bar:
    """Return the bar, without its reference if that was measured under other conditions."""
    if bar.reference is None:
        return bar
    there, here = bar.reference.conditions, measurement.conditions
    if there == here:
        return bar
    differing = [key for key in dict.fromkeys([*there, *here]) if there.get(key) != here.get(key)]
    mismatch = Mismatch(
        kind=MismatchKind.CONDITIONS,
        there={key: there[key] for key in differing if key in there},
        here={key: here[key] for key in differing if key in here},
    )
    return Bar(standing=Standing.INCOMPARABLE, mismatch=mismatch)


def _judged(measurement: Measurement, budget: Budget, bar: Bar) -> _Judged:
    samples = _samples(measurement)
    top = ceiling(budget, bar.reference)
    second = SecondCollection(first=samples[0], second=samples[-1], ceiling=top) if measurement.again else None
    if second and top is not None and not _over(second.second, top) and _over(second.first, top):
        is_page = len(measurement.again) > 1 and not measurement.paces
        if is_page and median_low([*measurement.samples, *measurement.again]) > top:
            return _Judged(Outcome.UNSTABLE, doubt=Doubt(kind=DoubtKind.MOST_LOADS), second=second)
        return _Judged(Outcome.PASSED, second=second)
    value = measurement.value
    if budget.limit is not None and _over(value, budget.limit):
        over = Over(rule=RuleKind.LIMIT, amount=value, allowed=budget.limit)
        return _firmly(Outcome.REGRESSED, over, second, is_certain=_over(min(samples), budget.limit))
    if not budget.gates:
        return _Judged(Outcome.NOT_GATED, mismatch=bar.mismatch, may_be=bar.may_be)
    if bar.reference is None:
        return _Judged(_WITHOUT_REFERENCE[bar.standing], mismatch=bar.mismatch, may_be=bar.may_be)
    return _against(bar.reference, measurement, budget, second)


def _against(
    reference: Reference, measurement: Measurement, budget: Budget, second: SecondCollection | None
) -> _Judged:
    samples = _samples(measurement)
    growth = measurement.value - reference.value
    allowed = budget.growth.of(reference.value) if budget.growth else math.inf
    drifted = _drifted(reference, measurement, budget, second)
    if _over(growth, allowed):
        over = Over(rule=RuleKind.GROWTH, amount=growth, allowed=allowed)
        doubt = _doubt(reference, measurement, allowed)
        if doubt is None:
            return _firmly(Outcome.REGRESSED, over, second, is_certain=_over(min(samples) - reference.value, allowed))
        if not drifted:
            return _Judged(Outcome.UNSTABLE, over=over, doubt=doubt)
    if drifted:
        return drifted
    if measurement.imports and measurement.cold - reference.value > allowed:
        return _Judged(Outcome.PASSED, cause=Cause.FIRST_USE)
    if _highest(measurement) * times_slower(measurement.paces, reference.paces) < floor(budget, reference):
        return _Judged(Outcome.IMPROVED, cause=Cause.LOWER)
    return _Judged(Outcome.PASSED)


def _doubt(reference: Reference, measurement: Measurement, allowed: float) -> Doubt | None:
    """Return why growth beyond what is allowed may not be of the code."""
    slower = times_slower(reference.paces, measurement.paces)
    if slower > 1 and not _over(min(_samples(measurement)) / slower - reference.value, allowed):
        return Doubt(kind=DoubtKind.MACHINE, amount=slower)
    if measurement.paces and len(measurement.samples) == 1:
        return Doubt(kind=DoubtKind.ONE_ROUND)
    noise = _noise(reference, measurement)
    if measurement.value - reference.value > noise:
        return None
    return Doubt(kind=DoubtKind.RUNS_DIFFER, amount=noise)


def _drifted(
    reference: Reference, measurement: Measurement, budget: Budget, second: SecondCollection | None
) -> _Judged | None:
    growth = measurement.value - reference.origin
    if budget.drift is None or not _over(growth, most := budget.drift.of(reference.origin)):
        return None
    least = min(_samples(measurement)) / times_slower(reference.paces, measurement.paces)
    over = Over(rule=RuleKind.DRIFT, amount=growth, allowed=most)
    return _firmly(Outcome.DRIFTED, over, second, is_certain=_over(least - reference.origin, most))


def _firmly(outcome: Outcome, over: Over, second: SecondCollection | None, *, is_certain: bool) -> _Judged:
    """Return the outcome of a broken rule, or a doubt if some of the samples are within it."""
    if is_certain:
        return _Judged(outcome, over=over, second=second)
    return _Judged(Outcome.UNSTABLE, over=over, doubt=Doubt(kind=DoubtKind.SOME_RUNS), second=second)


def _over(value: float, bound: float) -> bool:
    """True if a value exceeds a bound by more than a rounding error of floating point (1e-9 of the bound)."""
    return value - bound > 1e-9 * max(1.0, abs(bound))


def _noise(reference: Reference, measurement: Measurement) -> float:
    """Return the growth that this metric shows without any change of the code."""
    if measurement.basis is Basis.SAMPLES:
        return max(reference.spread, explained(reference.samples, measurement.samples + measurement.again))
    return reference.spread


def _samples(measurement: Measurement) -> tuple[float, ...]:
    """Return the values that must all be over a budget before it blocks.

    For memory these are the runs that stand for the test itself; if its warm runs never agreed, all of them. For a
    noisy metric, the middles of the two collections; of several collections of times, the least of the further ones.
    """
    if measurement.basis is Basis.COLD:
        return (measurement.cold - measurement.imports,)
    if measurement.again:
        return (measurement.value, min(measurement.again) if measurement.paces else median(measurement.again))
    if (measurement.settled and not measurement.spread) or measurement.basis in {Basis.EXACT, Basis.SAMPLES}:
        return (measurement.value,)
    return measurement.warm or (measurement.cold,)


def _highest(measurement: Measurement) -> float:
    return max([upper(measurement.samples), *measurement.again]) if measurement.samples else measurement.value


def needs_rerun(measurement: Measurement, budget: Budget, bar: Bar) -> bool:
    """True if more runs are needed: `measurement` is not settled, and the verdict or the value is still open.

    A first run within the ceiling proves that the test is within it. So do a few samples so far below the ceiling that
    their own spread does not reach it. A test that is over its budget, has improved or has no reference is run until it
    is settled, because its value may be stored later.
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
    """True if a finding on a noisy metric blocks, or is unstable, and no second collection has been made yet."""
    bad = finding.outcome.fails_gate or finding.outcome is Outcome.UNSTABLE
    return bad and finding.measurement is not None and not finding.measurement.again
