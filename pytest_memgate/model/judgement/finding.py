"""One judged measurement: what every report shows and every exit code rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.reason import (
    Cause,
    Doubt,
    FreshProcess,
    Mismatch,
    Over,
    SecondCollection,
    UsedWaiver,
)
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import SIZE


class Outcome(StrEnum):
    """What the gate says of one measurement."""

    PASSED = "passed"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    DRIFTED = "drifted"
    NEW = "new"
    NO_BASELINE = "no baseline"
    VANISHED = "vanished"
    NOT_RUN = "not run"  # the base has an entry for it, and the project's own files left it out
    UNMEASURED = "unmeasured"
    INCOMPARABLE = "incomparable"
    UNSTABLE = "unstable"
    UNREADABLE = "unreadable"  # its baseline file
    NO_ANSWER = "no answer"  # what is to be measured is missing, broken or does not start
    NOT_GATED = "not gated"  # no budget names the metric
    WAIVED = "waived"
    SKIPPED = "skipped"  # the test itself, or its marker, asked not to be measured

    @property
    def fails_gate(self) -> bool:
        return self in {Outcome.REGRESSED, Outcome.DRIFTED}

    @property
    def fails_test(self) -> bool:
        return self.fails_gate or self is Outcome.NO_ANSWER

    @property
    def fails_strict(self) -> bool:
        return self in {Outcome.UNMEASURED, Outcome.INCOMPARABLE, Outcome.UNSTABLE}


_HELD = {
    Outcome.PASSED,
    Outcome.IMPROVED,
    Outcome.REGRESSED,
    Outcome.DRIFTED,
    Outcome.WAIVED,
    Outcome.UNSTABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What else helps to find the cause of a failure, beside what grew.

    Of a compressed bundle, `before_compression` are the parts that explain it by their raw sizes, in bytes; `was_lazy`
    are the parts of the first screen that were loaded later before. Of a page, `largest_paint` is the element,
    `resources` those that grew, in bytes, and `audits` what each would save now that it did not before, in ms.
    `lines` are of a run's file of format 1 or 2, which has the words only.
    """

    before_compression: tuple[Contribution, ...] = ()
    was_lazy: tuple[str, ...] = ()
    largest_paint: str = ""
    resources: tuple[Contribution, ...] = ()
    audits: Mapping[str, float] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one metric of one test; all amounts in `unit`, that of the metric.

    `baseline` and `anchor` are what it was compared with, `allowed` the growth that its budget allows, `rules` that
    budget, part by part. `growth_by_site` sums to the growth. `line` is where the test is defined. `kept` are the files
    kept of what was measured: the memray file, the Lighthouse reports. `paid_by` are the tests that paid for a first
    use, the largest share first; `line` is then that of the first one. `moved_from` is the name that the entry of a
    moved test is under; `may_be` are the entries that may be a new test's, where nobody can tell.

    Why it came out so is in `over`, `doubt`, `second`, `fresh`, `mismatch`, `cause` and `waivers`, where the gate
    itself has decided. `why` is the reason in words where these come from outside: an exception's text, what a marker
    or a tool says; with `only first run`, what the second run failed with. Nothing reads `why` but people.
    """

    subject: Subject
    metric: str
    outcome: Outcome
    why: str = ""
    over: Over | None = None
    doubt: Doubt | None = None
    second: SecondCollection | None = None
    fresh: FreshProcess | None = None
    mismatch: Mismatch | None = None
    cause: Cause | None = None
    waivers: tuple[UsedWaiver, ...] = ()
    may_be: tuple[Subject, ...] = ()
    measurement: Measurement | None = None
    unit: str = SIZE
    baseline: float | None = None
    anchor: float | None = None
    allowed: float | None = None
    rules: tuple[BudgetRule, ...] = ()
    growth_by_site: tuple[Contribution, ...] = ()
    evidence: Evidence = Evidence()
    line: int = 0
    kept: tuple[str, ...] = ()
    paid_by: tuple[Subject, ...] = ()
    moved_from: str = ""

    @property
    def is_bound(self) -> bool:
        """True if only a bound of the value is known."""
        return self.measurement is not None and self.measurement.is_bound

    @property
    def is_held(self) -> bool:
        """True if the value was held against a baseline entry, or against a limit where a limit is its whole budget."""
        if self.measurement is None:
            return False
        if self.outcome is Outcome.NEW:
            return {one.rule for one in self.rules} == {RuleKind.LIMIT}
        return self.outcome in _HELD

    @property
    def value(self) -> float | None:
        """Return the value, None where nothing, or only a bound, is known."""
        return None if self.measurement is None or self.measurement.is_bound else self.measurement.value

    @property
    def bound(self) -> float | None:
        """Return what the value is no larger than, None where the value itself is known."""
        return self.measurement.value if self.measurement and self.measurement.is_bound else None

    @property
    def growth(self) -> float | None:
        """Return what is above the baseline, None where there is nothing to subtract."""
        return None if self.value is None or self.baseline is None else self.value - self.baseline

    @property
    def is_over_limit(self) -> bool:
        """True if the value itself is too large, whatever its baseline is."""
        return self.over is not None and self.over.rule is RuleKind.LIMIT

    @property
    def told_by_growth(self) -> bool:
        """True if what grew explains it: a value over its limit that has not grown is told by all that it is."""
        within = (self.growth or 0) <= (self.allowed or 0)
        return bool(self.growth) and not (self.is_over_limit and within)

    def rule(self, kind: RuleKind) -> BudgetRule | None:
        """Return one part of its budget, None where the budget has none."""
        return next((one for one in self.rules if one.rule is kind), None)
