"""The one place where a measurement is judged: numbers in, a finding out."""

from pytest_memgate.budget.rule import Budget
from pytest_memgate.model.finding import OVER_LIMIT, Finding, Outcome
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.reference import Bar, Reference, Standing
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import format_growth, format_size

_WITHOUT_REFERENCE = {
    Standing.NEW: Outcome.NEW,
    Standing.NO_BASELINE: Outcome.NO_BASELINE,
    Standing.INCOMPARABLE: Outcome.INCOMPARABLE,
}


def ceiling(budget: Budget, reference: Reference | None) -> int | None:
    """Return the largest value (bytes) that no rule of `budget` objects to, None where nothing bounds it."""
    bounds = [] if budget.limit is None else [budget.limit]
    if reference is not None:
        bounds.append(reference.value + budget.growth.of(reference.value))
        if budget.drift is not None:
            bounds.append(reference.origin + budget.drift.of(reference.origin))
    return min(bounds, default=None)


def floor(budget: Budget, reference: Reference) -> int:
    """Return the value (bytes) below which a test has improved by more than its budget."""
    return reference.value - max(budget.growth.of(reference.value), reference.spread)


def judge(subject: Subject, metric: str, measurement: Measurement, budget: Budget, bar: Bar) -> Finding:
    """Return the finding for one measurement of `metric`, held against `bar` under `budget`.

    Samples that disagree across a budget give `unstable`, never an outcome that fails the test. What imports held in
    a test that cannot run twice is not its own: another order of tests lets another one pay for it.
    """
    reference = bar.reference
    outcome, reason = _outcome(measurement, budget, bar)
    return Finding(
        subject=subject,
        metric=metric,
        outcome=outcome,
        reason=reason,
        measurement=measurement,
        baseline=reference.value if reference else None,
        anchor=reference.anchor if reference else None,
        allowed=budget.growth.of(reference.value if reference else measurement.value),
        budget=str(budget),
    )


def _outcome(measurement: Measurement, budget: Budget, bar: Bar) -> tuple[Outcome, str]:
    samples = _samples(measurement)
    own = measurement.value - measurement.imports
    if budget.limit is not None and own > budget.limit:
        reason = f"{format_size(own)} {OVER_LIMIT} {format_size(budget.limit)}"
        return _firmly(Outcome.REGRESSED, reason, over=min(samples) > budget.limit)
    if bar.reference is None:
        return _WITHOUT_REFERENCE[bar.standing], bar.why
    return _against(bar.reference, measurement, budget, samples)


def _against(
    reference: Reference, measurement: Measurement, budget: Budget, samples: tuple[int, ...]
) -> tuple[Outcome, str]:
    own = measurement.value - measurement.imports
    growth = own - reference.value
    allowed = budget.growth.of(reference.value)
    if growth > allowed:
        if growth <= reference.spread:
            return Outcome.UNSTABLE, (
                f"grew by {format_size(growth)}, but its runs differ by {format_size(reference.spread)} by themselves: "
                f"a budget of {format_size(allowed)} cannot be held"
            )
        reason = f"{format_growth(growth)} is over its budget of {format_size(allowed)}"
        return _firmly(Outcome.REGRESSED, reason, over=min(samples) - reference.value > allowed)
    if budget.drift is not None:
        drift, most = own - reference.origin, budget.drift.of(reference.origin)
        if drift > most:
            reason = (
                f"{format_growth(drift)} since its anchor of {format_size(reference.origin)} "
                f"is over its drift budget of {format_size(most)}"
            )
            return _firmly(Outcome.DRIFTED, reason, over=min(samples) - reference.origin > most)
    if measurement.value - reference.value > allowed:
        held = format_size(measurement.imports)
        return Outcome.PASSED, f"{held} of it are imports, which another test may pay for in another order"
    if measurement.value < floor(budget, reference):
        return Outcome.IMPROVED, f"{format_growth(growth)}, so the baseline can be lowered"
    return Outcome.PASSED, ""


def _samples(measurement: Measurement) -> tuple[int, ...]:
    """Return the runs that speak for the test itself; what never agreed speaks with all of its warm runs."""
    if measurement.basis is Basis.COLD:
        return (measurement.cold - measurement.imports,)
    return (
        (measurement.value,)
        if measurement.settled and not measurement.spread
        else measurement.warm or (measurement.cold,)
    )


def _firmly(outcome: Outcome, reason: str, *, over: bool) -> tuple[Outcome, str]:
    return (outcome, reason) if over else (Outcome.UNSTABLE, f"{reason} in some of its runs, and within it in others")


def needs_rerun(measurement: Measurement, budget: Budget, bar: Bar) -> bool:
    """Say whether `measurement`, still short of settled, leaves the verdict or the value open.

    A first run within the ceiling proves that the test is within it. What goes over, what improved and what has no
    reference is run until it is settled: the values of these may be accepted later.
    """
    if bar.reference is None or measurement.basis is Basis.COLD:
        return True
    top = ceiling(budget, bar.reference)
    return (top is not None and measurement.value > top) or measurement.value < floor(budget, bar.reference)
