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
        """True if the value itself is too large: the test fails, except in an update."""
        return self in {Outcome.REGRESSED, Outcome.DRIFTED}

    @property
    def fails_test(self) -> bool:
        """True if the test fails with this outcome."""
        return self.fails_gate or self is Outcome.NO_ANSWER

    @property
    def fails_strict(self) -> bool:
        """True if the run fails with this outcome where it is strict."""
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
    """More that helps to find the cause of a failure, beside the sites that grew.

    For a compressed bundle, `before_compression` are the parts that explain it by their raw sizes, in bytes; `was_lazy`
    are parts of the first screen that were loaded later before. For a page, `largest_paint` is the element, `resources`
    are those that grew, in bytes, and `audits` are the ms that each of Lighthouse's audits would save above the
    baseline. `lines` come from a run's file of format 1 or 2, which has only words.
    """

    before_compression: tuple[Contribution, ...] = ()
    was_lazy: tuple[str, ...] = ()
    largest_paint: str = ""
    resources: tuple[Contribution, ...] = ()
    audits: Mapping[str, float] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The judgement on one metric of one test; all amounts are in `unit`, that of the metric.

    `baseline` and `anchor` are the stored values, `allowed` is the growth that the budget allows, `rules` are the parts
    of that budget. `growth_by_site` sums to the growth. `line` is where the test is defined. `kept` are the files kept
    of the measurement: the memray file, the Lighthouse reports. `paid_by` are the tests that paid for a first use, the
    largest share first; `line` is then that of the first one. `moved_from` is the name under which the entry of a moved
    test is stored; `measured_from` is the git ref that was measured in place of reading a baseline; a finding that
    `waits` is decided by such a measurement at the end of the run; `may_be` are the entries that may belong to a new
    test, if nobody can tell which.

    The reason is in `over`, `doubt`, `second`, `fresh`, `mismatch`, `cause` and `waivers` if the gate itself has
    decided. `why` is a reason in words from outside: the text of an exception, of a marker or of a tool; with `only
    first run`, the failure of the second run. Only people read `why`.
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
    measured_from: str = ""
    waits: bool = False

    @property
    def is_bound(self) -> bool:
        """True if only a bound of the value is known."""
        return self.measurement is not None and self.measurement.is_bound

    @property
    def is_held(self) -> bool:
        """True if the value was compared with a baseline entry, or with a limit that is its whole budget."""
        if self.measurement is None:
            return False
        if self.outcome is Outcome.NEW:
            return {one.rule for one in self.rules} == {RuleKind.LIMIT}
        return self.outcome in _HELD

    @property
    def value(self) -> float | None:
        """The measured value, None if there is none or only a bound is known."""
        return None if self.measurement is None or self.measurement.is_bound else self.measurement.value

    @property
    def bound(self) -> float | None:
        """The number that the value does not exceed, None if the value itself is known."""
        return self.measurement.value if self.measurement and self.measurement.is_bound else None

    @property
    def growth(self) -> float | None:
        """The value less the baseline, None if one of them is not known."""
        return None if self.value is None or self.baseline is None else self.value - self.baseline

    @property
    def is_over_limit(self) -> bool:
        """True if the value itself is too large, whatever its baseline is."""
        return self.over is not None and self.over.rule is RuleKind.LIMIT

    @property
    def told_by_growth(self) -> bool:
        """True if the sites that grew explain the finding.

        A value that is over its limit without having grown is explained by all of its sites.
        """
        within = (self.growth or 0) <= (self.allowed or 0)
        return bool(self.growth) and not (self.is_over_limit and within)

    def rule(self, kind: RuleKind) -> BudgetRule | None:
        """Return one part of the budget, None if the budget has no such part."""
        return next((one for one in self.rules if one.rule is kind), None)
