"""Judge what repeated calls leave behind."""

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace

from pytest_memgate.budget.rule import Rule
from pytest_memgate.compare.gate import ceiling
from pytest_memgate.compare.leak import Slope, confidence, measure_slope
from pytest_memgate.model.finding import Finding, Outcome
from pytest_memgate.model.held import Held, Step
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.gate import Gate
from pytest_memgate.units import format_size

ROUNDS = 40
OWN_ROUNDS = 20  # of a whole test, whose every call is set up and torn down
WARM_UP = 10
_DIGITS = 3
_BESIDE = "a cache that takes something new on each call, and has not filled up by then, looks the same"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakCheck:
    """A leak to be looked for: of which test, under which name, with which rules above the configured ones.

    `settle` asks for a value that can be stored, where a bound would do.
    """

    gate: Gate
    subject: Subject
    metric: str
    rules: Mapping[str, Rule] = field(default_factory=dict)
    settle: bool = False

    def plan(self, rounds: int, warmup: int) -> Generator[Step, Mapping[str, Held], Slope]:
        """Return the series of calls to be made. Raises BaselineError for a baseline that cannot be read."""
        top, has_baseline = self._top()

        def is_enough(slope: Slope) -> bool:
            return not self.settle and (slope.low > top or (has_baseline and slope.high <= top))

        return measure_slope(rounds, warmup, is_enough)

    def _top(self) -> tuple[float, bool]:
        """Return the most that is allowed, and whether there is a baseline already."""
        reference = self.gate.baselines.bar(self.subject, self.metric).reference
        top = ceiling(self.gate.budget(self.subject, self.metric, self.rules), reference)
        return (math.inf if top is None else top), reference is not None

    def finding(self, slope: Slope) -> Finding:
        """Return the finding on a slope; one that is not certain cannot fail the test, nor pass in silence."""
        measurement = _measurement(slope, firm=slope.low > self._top()[0])
        finding = self.gate.assess(self.subject, self.metric, measurement, self.rules)
        if finding.outcome is Outcome.UNSTABLE:
            finding = replace(finding, reason=f"it may leave up to {format_size(slope.high)} a call behind")
        if finding.outcome.fails_test:
            finding = replace(finding, details=(*finding.details, _BESIDE))
        return finding

    def left_out(self, outcome: Outcome, why: str) -> Finding:
        """Return the finding where nothing could be measured."""
        return Finding(subject=self.subject, metric=self.metric, outcome=outcome, reason=why)


def _measurement(slope: Slope, *, firm: bool) -> Measurement:
    """Return the slope as a value: what it is at most, or, where that alone is too much, at least."""
    low, high = _rounded(slope.low), _rounded(slope.high)
    sizes = ((growth.site, growth.low if firm else growth.high) for growth in slope.growths)
    return Measurement(
        value=low if firm else high,
        basis=Basis.SLOPE,
        settled=slope.is_certain,
        warm=() if slope.is_certain else (low, high),
        sites=tuple(replace(site, size=_rounded(size)) for site, size in sizes if size),
        notes=(said(slope),),
    )


def said(slope: Slope) -> str:
    """Return how the slope was found, and how sure it is, in words."""
    series = f" in {slope.series} series" if slope.series > 1 else ""
    calls = f"{slope.calls} calls{series}, after {slope.warmup} to warm up"
    leading = slope.leading
    if leading is None and slope.series == 1:
        # Had a share of the calls left something, none of so many would have done so with a chance of 5 %.
        share = 1 - 0.05 ** (1 / slope.calls)
        return f"{calls}: nothing was left; confidence 95 % that fewer than {share * 100:.2g} % of the calls leave any"
    if leading is None:
        return f"{calls}: nothing that grows with the calls"
    if leading.low:
        sure = min(confidence(leading.grew, leading.blocks), 0.999999)
        return f"{calls}: each of {leading.blocks} blocks grew; confidence {sure * 100:.6g} %"
    return f"{calls}: {leading.grew} of {leading.blocks} blocks grew, which is not certain"


def _rounded(size: float) -> float:
    number = float(f"{size:.{_DIGITS}g}") if size < 1000 else round(size)
    return int(number) if number == int(number) else number
