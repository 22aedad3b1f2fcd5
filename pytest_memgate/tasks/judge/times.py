"""Judge the times that pytest-benchmark took."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_memgate.budget.rule import Rule
from pytest_memgate.compare.judge import speaks_against
from pytest_memgate.compare.pairs import Paired
from pytest_memgate.measure.python.environment import coverage_is_on
from pytest_memgate.measure.python.machine_class import machine_class
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Doubt, DoubtKind
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.gate import Gate

METRICS = ("time.min", "time.median", "time.mean")
_MOST = 25  # samples that are kept of up to a million; chosen
_DIGITS = 5  # significant digits that are stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One run of a benchmark, as pytest-benchmark timed it; all in seconds for each call."""

    min: float
    median: float
    mean: float
    rounds: Sequence[float]


def is_gated(gate: Gate, subject: Subject, rules: Mapping[str, Rule]) -> bool:
    """True if a budget names a time of this test."""
    return any(gate.budget(subject, metric, rules).gates for metric in METRICS)


def time_findings(
    gate: Gate, subject: Subject, timing: Timing, rules: Mapping[str, Rule], again: Callable[[], Timing | None]
) -> list[Finding]:
    """Return a finding for each of the times; one that speaks against the test is timed `again` before it blocks."""
    findings = [gate.assess(subject, metric, _measurement(metric, timing), rules) for metric in METRICS]
    if not any(map(speaks_against, findings)):
        return findings
    second = again()
    if second is None:
        return [_in_doubt(finding) for finding in findings]
    return [gate.assess(subject, metric, _measurement(metric, timing, second), rules) for metric in METRICS]


def paired_findings(
    gate: Gate, subject: Subject, timing: Timing, rules: Mapping[str, Rule], pairs: Callable[[float], Paired]
) -> list[Finding]:
    """Return a finding for each of the times, those with a budget of growth judged by pairs of both sides.

    `pairs` is given the ratio of head to base that is allowed, and measures in ms.
    """
    findings = [gate.assess(subject, metric, _measurement(metric, timing), rules) for metric in METRICS]
    gated = [one for one in findings if one.baseline and one.allowed is not None]
    if not gated:
        return findings
    paired = pairs(min(1 + (one.allowed or 0) / (one.baseline or 1) for one in gated))
    ratio, low, high = paired.ratios
    amounts = (paired.pairs, ratio, low, high if math.isfinite(high) else 0.0)
    measurement = Measurement(
        value=_rounded(paired.head),
        basis=Basis.SAMPLES,
        settled=True,
        samples=_thinned(paired.heads),
        conditions=_conditions(),
        remarks=(Remark(kind=RemarkKind.PAIRS, amounts=amounts),),
    )
    return [
        gate.assess(subject, one.metric, measurement, rules, paired=paired) if one in gated else one for one in findings
    ]


def _in_doubt(finding: Finding) -> Finding:
    if not finding.outcome.fails_gate:
        return finding
    return replace(finding, outcome=Outcome.UNSTABLE, doubt=Doubt(kind=DoubtKind.NOT_TIMED_AGAIN))


def _measurement(metric: str, timing: Timing, again: Timing | None = None) -> Measurement:
    name = metric.partition(".")[2]
    measurement = Measurement(
        value=_ms(getattr(timing, name)),
        basis=Basis.SAMPLES,
        settled=True,
        samples=_thinned([one * 1000 for one in timing.rounds]),
        conditions=_conditions(),
        remarks=(Remark(kind=RemarkKind.ROUNDS, amounts=(len(timing.rounds),)),),
    )
    # The second run speaks with the same statistic as the first.
    return replace(measurement, again=(_ms(getattr(again, name)),)) if again else measurement


def _thinned(rounds: Sequence[float]) -> tuple[float, ...]:
    """Return some of the rounds, in ms and in order of size: their quantiles are those of all."""
    ordered = sorted(rounds)
    count = min(len(ordered), _MOST)
    places = (round(place * (len(ordered) - 1) / max(1, count - 1)) for place in range(count))
    return tuple(_rounded(ordered[place]) for place in places)


def _ms(seconds: float) -> float:
    return _rounded(seconds * 1000)


def _rounded(ms: float) -> float:
    return float(f"{ms:.{_DIGITS}g}")


def _conditions() -> Mapping[str, str]:
    return {**machine_class(), "coverage": "on"} if coverage_is_on() else machine_class()
