"""A test that may exceed its budget for a while: up to a ceiling, until a date, for a reason."""

from dataclasses import dataclass
from datetime import date

from pytest_memgate.budget.match import matches
from pytest_memgate.model.metric import base_name
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A permission: `test` is a pattern, `ceiling` is in `unit`, `until` the last day.

    `source` is its place (`memgate.yml:9`).
    """

    test: str
    metric: str
    ceiling: float
    until: date
    reason: str
    unit: str
    source: str = ""

    def concerns(self, subject: Subject, metric: str) -> bool:
        """True if the waiver names this test and metric, or the metric of which this is a part."""
        return self.metric in {metric, base_name(metric)} and matches(self.test, subject)

    def covers(self, value: float, unit: str) -> bool:
        """True if a value in `unit` is not above the ceiling."""
        return self.unit in {PLAIN, unit} and value <= self.ceiling

    def expired(self, today: date) -> bool:
        """True if its last day is over."""
        return today > self.until
