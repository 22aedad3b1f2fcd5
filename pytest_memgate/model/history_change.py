"""A change of a series: the level that one commit of the default branch left and another one brought."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_memgate.model.history import Series

_DIGITS = 8  # of a series and a direction, in the id of a change
_COMMIT = 7  # digits of a commit there


class ChangeState(StrEnum):
    """What is known of a change, and whether somebody still has to look at it."""

    UNCONFIRMED = "unconfirmed"  # it seems to have moved: shown in grey, and nothing fails for it
    CONFIRMED = "confirmed"  # by its nature, or by a measurement of both commits on one machine
    REFUTED = "refuted"  # that measurement found no change
    ACKNOWLEDGED = "acknowledged"  # somebody gave a reason for it
    ENDED = "ended"  # nothing is left of it: see `why_ended`


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryChange:
    """A change of one series, by the positions of the default branch's commits.

    `before_position` is the last measured one with the old level, and `position` the first with the new: commits
    between them were not measured, and the change may have come with any of them. `commit` is the commit at `position`,
    `brought_by` the one that is known to have brought the change, empty if it may have been several. `before` and
    `after` are the levels in the series' unit. With `is_at_least`, the lower of both is a bound, so that the change is
    larger than their difference. `reason` is the accepted one of the baseline or of an acknowledgement, `why_ended`
    tells why there is nothing to look at any more. `measured` is what a confirmation measured.
    """

    series: Series
    before_position: int
    position: int
    commit: str
    before: float
    after: float
    brought_by: str = ""
    is_at_least: bool = False
    state: ChangeState = ChangeState.CONFIRMED
    reason: str = ""
    why_ended: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """A short name to type, the same in each store: `5e1f0a97-4f1d2c7`, the latter half of the commit."""
        return f"{change_prefix(self.series, is_growth=self.is_growth)}{self.commit[:_COMMIT]}"

    @property
    def growth(self) -> float:
        """How much more the new level is, in the unit of the series; negative for an improvement."""
        return self.after - self.before

    @property
    def is_growth(self) -> bool:
        """True if the new level is above the old one."""
        return self.after > self.before

    @property
    def is_open(self) -> bool:
        """True if `memgate history check` fails for it: growth that is confirmed, and that nobody has explained."""
        return self.is_growth and self.state is ChangeState.CONFIRMED

    def __str__(self) -> str:
        return f"{self.series} at {self.commit[:12]}"


def change_prefix(series: Series, *, is_growth: bool) -> str:
    """Return how the ids of all changes of a series in one direction begin."""
    way = "up" if is_growth else "down"
    return hashlib.sha256(f"{series.id}\0{way}".encode()).hexdigest()[:_DIGITS] + "-"


def change_commit(change: str) -> str:
    """Return the first digits of the commit in the id of a change."""
    return change.partition("-")[2]
