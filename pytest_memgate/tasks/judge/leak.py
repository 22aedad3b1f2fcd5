"""Judge the memory that repeated calls leave behind."""

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace

from pytest_memgate.budget.rule import Rule
from pytest_memgate.compare.judge import ceiling
from pytest_memgate.compare.leak_slope import Slope, confidence, measure_slope
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Doubt, DoubtKind
from pytest_memgate.model.judgement.remark import RepeatedCalls
from pytest_memgate.model.leak import Held, Step
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.gate import Gate

ROUNDS = 40  # calls of the first series; chosen: docs/leaks.md
OWN_ROUNDS = 20  # runs of a whole test in the first series, as each is set up and torn down; chosen
WARM_UP = 10  # calls before the first series; chosen: docs/leaks.md
_DIGITS = 3  # of bytes a call that are stored
_MOST_SURE = 0.999999  # the largest confidence that is shown: the sign test is no proof


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakCheck:
    """A leak to look for: in a test, under the name `metric`, with rules that come before the configured ones.

    With `settle`, a value that can be stored is measured, not only a bound.
    """

    gate: Gate
    subject: Subject
    metric: str
    rules: Mapping[str, Rule] = field(default_factory=dict)
    settle: bool = False

    def plan(self, rounds: int, warmup: int) -> Generator[Step, Mapping[str, Held], Slope]:
        """Return the plan of the series of calls. Raises BaselineError for a baseline that cannot be read."""
        top, has_baseline = self._top()

        def is_enough(slope: Slope) -> bool:
            return not self.settle and (slope.low > top or (has_baseline and slope.high <= top))

        return measure_slope(rounds, warmup, is_enough)

    def _top(self) -> tuple[float, bool]:
        """Return the largest allowed value in bytes, and whether there is a baseline."""
        reference = self.gate.baselines.bar(self.subject, self.metric).reference
        top = ceiling(self.gate.budget(self.subject, self.metric, self.rules), reference)
        return (math.inf if top is None else top), reference is not None

    def finding(self, slope: Slope) -> Finding:
        """Return the finding on a slope; an uncertain slope is `unstable`: it neither fails the test nor passes."""
        measurement = _measurement(slope, firm=slope.low > self._top()[0])
        finding = self.gate.assess(self.subject, self.metric, measurement, self.rules)
        if finding.outcome is Outcome.UNSTABLE:
            finding = replace(finding, over=None, doubt=Doubt(kind=DoubtKind.LEAK, amount=slope.high))
        return finding

    def left_out(self, outcome: Outcome, why: str) -> Finding:
        """Return the finding if nothing could be measured."""
        return Finding(subject=self.subject, metric=self.metric, outcome=outcome, why=why)


def _measurement(slope: Slope, *, firm: bool) -> Measurement:
    """Return the slope as a value: the most that it can be or, if that alone is too much, the least."""
    low, high = _rounded(slope.low), _rounded(slope.high)
    sizes = ((growth.site, growth.low if firm else growth.high) for growth in slope.growths)
    return Measurement(
        value=low if firm else high,
        basis=Basis.SLOPE,
        settled=slope.is_certain,
        warm=() if slope.is_certain else (low, high),
        sites=tuple(replace(site, size=_rounded(size)) for site, size in sizes if size),
        repeated=repeated_calls(slope),
    )


def repeated_calls(slope: Slope) -> RepeatedCalls:
    """Return how the slope was found, and its confidence."""
    found = RepeatedCalls(calls=slope.calls, series=slope.series, warmup=slope.warmup)
    leading = slope.leading
    if leading:
        sure = min(confidence(leading.grew, leading.blocks), _MOST_SURE) if leading.low else 0
        return replace(
            found,
            grows=True,
            grew=leading.grew,
            blocks=leading.blocks,
            is_certain=bool(leading.low),
            confidence=sure,
        )
    if slope.series == 1:
        # Had a share of the calls left something, none of so many would have done so with a chance of 5 %.
        return replace(found, share=1 - 0.05 ** (1 / slope.calls))
    return found


def _rounded(size: float) -> float:
    number = float(f"{size:.{_DIGITS}g}") if size < 1000 else round(size)
    return int(number) if number == int(number) else number
