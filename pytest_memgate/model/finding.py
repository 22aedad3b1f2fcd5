"""One judged measurement: what every report shows and every exit code rests on."""

from dataclasses import dataclass
from enum import StrEnum

from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject

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
    UNMEASURED = "unmeasured"
    INCOMPARABLE = "incomparable"
    UNSTABLE = "unstable"
    UNREADABLE = "unreadable"  # its baseline file
    WAIVED = "waived"
    SKIPPED = "skipped"  # the test itself, or its marker, asked not to be measured

    @property
    def fails_test(self) -> bool:
        return self in {Outcome.REGRESSED, Outcome.DRIFTED}

    @property
    def fails_strict(self) -> bool:
        return self in {Outcome.UNMEASURED, Outcome.INCOMPARABLE, Outcome.UNSTABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one metric of one test; all sizes in bytes.

    `baseline` and `anchor` are what it was compared with, `allowed` the growth that its budget allows, `budget` that
    budget in words. `reason` says why, in one line, wherever the outcome is not plain. `growth_by_site` sums to the
    growth. `line` is where the test is defined. `capture` is the kept memray file.
    """

    subject: Subject
    metric: str
    outcome: Outcome
    reason: str = ""
    measurement: Measurement | None = None
    baseline: int | None = None
    anchor: int | None = None
    allowed: int | None = None
    budget: str = ""
    growth_by_site: tuple[Contribution, ...] = ()
    line: int = 0
    capture: str = ""

    @property
    def value(self) -> int | None:
        return self.measurement.value if self.measurement else None

    @property
    def growth(self) -> int | None:
        """Return bytes above the baseline, None where there is nothing to subtract."""
        if self.measurement is None or self.baseline is None:
            return None
        return self.measurement.value - self.baseline
