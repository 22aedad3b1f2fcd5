"""Judge the times that pytest-benchmark took."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_low

from pytest_memgate.budget.rule import Rule
from pytest_memgate.compare.pairs import Answer, Paired
from pytest_memgate.measure.python.environment import coverage_is_on
from pytest_memgate.measure.python.machine_class import machine_class
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Doubt, DoubtKind
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.gate import Gate

METRICS = ("time.min", "time.median", "time.mean")
_COLLECTIONS = 3  # at most; chosen
_MATTERS = {Outcome.REGRESSED, Outcome.DRIFTED, Outcome.UNSTABLE, Outcome.IMPROVED}
_MOST = 25  # samples that are kept of up to a million; chosen
_DIGITS = 5  # significant digits that are stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One run of a benchmark, as pytest-benchmark timed it; all in seconds for each call.

    `pace` says how fast the machine was then, 0 if nobody looked: the nanoseconds of a step of a fixed work. `stats` is
    pytest-benchmark's own account, which a test may look at.
    """

    min: float
    median: float
    mean: float
    rounds: Sequence[float]
    pace: float = 0
    stats: object = None


def is_gated(gate: Gate, subject: Subject, rules: Mapping[str, Rule]) -> bool:
    """True if a budget names a time of this test."""
    return any(gate.budget(subject, metric, rules).gates for metric in METRICS)


def time_findings(
    gate: Gate, subject: Subject, timing: Timing, rules: Mapping[str, Rule], again: Callable[[], Timing | None]
) -> list[Finding]:
    """Return a finding for each of the times; what speaks against the test, or for it, is timed `again`, twice.

    Only what all of these collections say is red or a gain.
    """
    timings = [timing]
    findings = _found(gate, subject, timings, rules)
    while len(timings) < _COLLECTIONS and any(one.outcome in _MATTERS for one in findings):
        further = again()
        if further is None:
            return [_in_doubt(finding) for finding in findings]
        timings.append(further)
        findings = _found(gate, subject, timings, rules)
    return findings


def _found(gate: Gate, subject: Subject, timings: Sequence[Timing], rules: Mapping[str, Rule]) -> list[Finding]:
    return [gate.assess(subject, metric, _measurement(metric, *timings), rules) for metric in METRICS]


def stored_findings(
    gate: Gate, subject: Subject, timings: Sequence[Timing], rules: Mapping[str, Rule]
) -> list[Finding]:
    """Return a finding for each of the times, of several collections, that can be stored: with what they differ by."""
    findings = []
    rounds = _thinned([each * 1000 for timing in timings for each in timing.rounds])
    paces = tuple(_rounded(timing.pace) for timing in timings if timing.pace)
    for metric in METRICS:
        values = [_ms(getattr(timing, metric.partition(".")[2])) for timing in timings]
        spread = _rounded(max(values) - min(values))
        first = _measurement(metric, timings[0])
        measurement = replace(first, value=median_low(values), samples=rounds, spread=spread, paces=paces)
        findings.append(gate.assess(subject, metric, measurement, rules))
    return findings


def paired_findings(
    gate: Gate,
    subject: Subject,
    timing: Timing,
    rules: Mapping[str, Rule],
    pairs: Callable[[float], tuple[Paired, Paired | None]],
) -> list[Finding]:
    """Return a finding for each of the times, those with a budget of growth judged by pairs of both sides.

    `pairs` is given the ratio of head to base that is allowed, and measures in ms: both sides, and perhaps the base
    with itself.
    """
    findings = [gate.assess(subject, metric, _measurement(metric, timing), rules) for metric in METRICS]
    gated = [one for one in findings if one.baseline and one.allowed is not None]
    if not gated:
        return findings
    paired, of_itself = pairs(min(1 + (one.allowed or 0) / (one.baseline or 1) for one in gated))
    measurement = _by_pairs(paired, of_itself)
    return [
        gate.assess(subject, one.metric, measurement, rules, paired=paired) if one in gated else one for one in findings
    ]


def paired_finding(gate: Gate, subject: Subject, rules: Mapping[str, Rule], paired: Paired) -> Finding:
    """Return the finding on a median time by pairs of the test with itself: nothing is judged by it."""
    return replace(gate.assess(subject, "time.median", _by_pairs(paired), rules), outcome=Outcome.NOT_GATED)


def _by_pairs(paired: Paired, of_itself: Paired | None = None) -> Measurement:
    ratio, low, high = paired.ratios
    amounts = (paired.pairs, ratio, low, high if math.isfinite(high) else 0.0)
    return Measurement(
        value=_rounded(paired.head),
        basis=Basis.SAMPLES,
        settled=True,
        samples=_thinned(paired.heads),
        conditions=_conditions(),
        remarks=(Remark(kind=RemarkKind.PAIRS, amounts=amounts), *_control(of_itself)),
    )


def _control(of_itself: Paired | None) -> tuple[Remark, ...]:
    if of_itself is None:
        return ()
    return (Remark(kind=RemarkKind.CONTROL, amounts=(1 if of_itself.answer is Answer.SLOWER else 0,)),)


def _in_doubt(finding: Finding) -> Finding:
    if finding.outcome is Outcome.IMPROVED:
        return replace(finding, outcome=Outcome.PASSED, cause=None)
    if not finding.outcome.fails_gate:
        return finding
    return replace(finding, outcome=Outcome.UNSTABLE, doubt=Doubt(kind=DoubtKind.NOT_TIMED_AGAIN))


def _measurement(metric: str, timing: Timing, *again: Timing) -> Measurement:
    """Return one of the times; each further run speaks with the same statistic."""
    name = metric.partition(".")[2]
    return Measurement(
        value=_ms(getattr(timing, name)),
        basis=Basis.SAMPLES,
        settled=True,
        samples=_thinned([one * 1000 for one in timing.rounds]),
        again=tuple(_ms(getattr(one, name)) for one in again),
        conditions=_conditions(),
        remarks=(Remark(kind=RemarkKind.ROUNDS, amounts=(len(timing.rounds),)),),
        paces=tuple(_rounded(one.pace) for one in (timing, *again) if one.pace),
    )


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
