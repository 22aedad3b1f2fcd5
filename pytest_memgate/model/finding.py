"""One judged measurement: what every report shows and every exit code rests on."""

from dataclasses import dataclass
from enum import StrEnum

from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import SIZE

OVER_LIMIT = "is over its limit of"  # a finding's reason, where no baseline can help


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
class Finding:
    """What was found of one metric of one test; all amounts in `unit`, that of the metric.

    `baseline` and `anchor` are what it was compared with, `allowed` the growth that its budget allows, `budget` that
    budget in words. `reason` says why, in one line, wherever the outcome is not plain. `growth_by_site` sums to the
    growth. `details` are what else a reader needs to find the cause, a line each. `line` is where the test is defined.
    `kept` are the files kept of what was measured: the memray file, the Lighthouse reports. `paid_by` are the tests
    that paid for a first use, the largest share first; `line` is then that of the first one. `moved_from` is the name
    that the entry of a moved test is under.
    """

    subject: Subject
    metric: str
    outcome: Outcome
    reason: str = ""
    measurement: Measurement | None = None
    unit: str = SIZE
    baseline: float | None = None
    anchor: float | None = None
    allowed: float | None = None
    budget: str = ""
    growth_by_site: tuple[Contribution, ...] = ()
    details: tuple[str, ...] = ()
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
            return self.budget.startswith("limit ") and ", drift " not in self.budget
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
    def told_by_growth(self) -> bool:
        """Say whether what grew explains it; what is over its limit without having grown is told by all that it is."""
        within = (self.growth or 0) <= (self.allowed or 0)
        return bool(self.growth) and not (OVER_LIMIT in self.reason and within)
