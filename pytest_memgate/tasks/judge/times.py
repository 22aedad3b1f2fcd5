"""Judge the times that pytest-benchmark took."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_memgate.budget.rule import Rule
from pytest_memgate.compare.judge import speaks_against
from pytest_memgate.compare.pairs import Answer, Paired
from pytest_memgate.measure.python.environment import coverage_is_on
from pytest_memgate.measure.python.machine_class import machine_class
from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Doubt, DoubtKind, Over
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

    `pairs` is given the ratio of head to base that is allowed.
    """
    findings = [gate.assess(subject, metric, _measurement(metric, timing), rules) for metric in METRICS]
    gated = [one for one in findings if one.baseline and one.allowed is not None]
    if not gated:
        return findings
    paired = pairs(min(1 + (one.allowed or 0) / (one.baseline or 1) for one in gated))
    return [_by_pairs(one, paired) if one in gated else one for one in findings]


def _by_pairs(finding: Finding, paired: Paired) -> Finding:
    base, head = _ms(paired.base), _ms(paired.head)
    allowed = base * (finding.allowed or 0) / (finding.baseline or 1)
    is_over = head - base > allowed
    doubt = None
    if paired.answer is Answer.SLOWER:
        outcome = Outcome.REGRESSED
    elif paired.answer is Answer.UNDECIDED and is_over:
        outcome, doubt = Outcome.UNSTABLE, Doubt(kind=DoubtKind.PAIRS)
    else:
        outcome = Outcome.PASSED
    high = paired.high if math.isfinite(paired.high) else 0.0
    remark = Remark(kind=RemarkKind.PAIRS, amounts=(paired.pairs, paired.ratio, paired.low, high))
    return replace(
        finding,
        outcome=outcome,
        doubt=doubt,
        over=Over(rule=RuleKind.GROWTH, amount=head - base, allowed=allowed) if is_over else None,
        second=None,
        measurement=Measurement(value=head, basis=Basis.SAMPLES, samples=_thinned(paired.heads), remarks=(remark,)),
        baseline=base,
        allowed=allowed,
    )


def _in_doubt(finding: Finding) -> Finding:
    if not finding.outcome.fails_gate:
        return finding
    return replace(finding, outcome=Outcome.UNSTABLE, doubt=Doubt(kind=DoubtKind.NOT_TIMED_AGAIN))


def _measurement(metric: str, timing: Timing, again: Timing | None = None) -> Measurement:
    name = metric.partition(".")[2]
    conditions = machine_class()
    if coverage_is_on():
        conditions = {**conditions, "coverage": "on"}
    measurement = Measurement(
        value=_ms(getattr(timing, name)),
        basis=Basis.SAMPLES,
        settled=True,
        samples=_thinned(timing.rounds),
        conditions=conditions,
        remarks=(Remark(kind=RemarkKind.ROUNDS, amounts=(len(timing.rounds),)),),
    )
    # The second run speaks with the same statistic as the first.
    return replace(measurement, again=(_ms(getattr(again, name)),)) if again else measurement


def _thinned(rounds: Sequence[float]) -> tuple[float, ...]:
    """Return some of the rounds, in order of size: their quantiles are those of all."""
    ordered = sorted(rounds)
    count = min(len(ordered), _MOST)
    places = (round(place * (len(ordered) - 1) / max(1, count - 1)) for place in range(count))
    return tuple(_ms(ordered[place]) for place in places)


def _ms(seconds: float) -> float:
    return float(f"{seconds * 1000:.{_DIGITS}g}")
