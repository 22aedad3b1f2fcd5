"""Figures of one series: where its value changed, its slope, and what is left of its budget."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, pairwise
from statistics import median

from pytest_memgate.model.history import Chart, Level, LineCommit, Precision, Series, Step

_POINTS = 40  # of a series that its slope is taken from: 780 pairs; chosen
_STEPS = 3  # a value that changed less often has steps, and no slope; chosen
_CLEAR = 2  # spreads that a noisy value must differ by; chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A changed value: measured at `position`, while `before` was last seen at `seen`.

    `reason` is the one that the baseline was raised with here, empty where it was not raised.
    """

    position: int
    seen: int
    before: float
    after: float
    reason: str = ""

    @property
    def growth(self) -> float:
        """How much the value rose; negative if it fell."""
        return self.after - self.before

    @property
    def commits(self) -> int:
        """How many commits may have made the change: those after the last one that was measured before."""
        return self.position - self.seen


def moves(chart: Chart) -> tuple[Move, ...]:
    """Return the changes of a value, the oldest first. Bounds, and times without the test, are passed over."""
    found: list[Move] = []
    held: Level | None = None
    reason = ""
    for at, step in enumerate(chart.steps):
        level = step.level
        if level.value is None:
            continue
        if held is not None and held.value is not None and _differs(chart.series, held, level):
            new = _raised_with(chart.steps[at:], level.value, reason)
            seen = _measured_before(chart, step.position)
            found.append(Move(position=step.position, seen=seen, before=held.value, after=level.value, reason=new))
            held = level
        held = held or level
        reason = level.reason or reason
    return tuple(found)


def _differs(series: Series, old: Level, new: Level) -> bool:
    apart = abs((new.value or 0) - (old.value or 0))
    if series.precision is Precision.NOISY:
        return apart > _CLEAR * max(old.spread, new.spread)
    return apart > 0


def _raised_with(steps: Sequence[Step], value: float, known: str) -> str:
    """Return the reason that came with this value, at its commit or at one soon after it; empty if none came."""
    for step in steps:
        if step.level.value != value:
            break
        if step.level.reason not in {"", known}:
            return step.level.reason
    return ""


def _measured_before(chart: Chart, position: int) -> int:
    at = bisect_left(chart.measured, position)
    return chart.measured[at - 1] if at else position - 1


def slope(chart: Chart, start: int = 0) -> float:
    """Return how much the value rises a commit from a position on: the median of the slopes of all pairs of points.

    It is 0 where the value changed less than three times, and where a noisy one stays within its spread: a step is no
    slope. (Theil and Sen; of long series some points, evenly chosen, are taken.)
    """
    if sum(step.level.value is not None for step in chart.steps) <= _STEPS:
        return 0.0  # the most are like this one, and are told without looking at each commit
    points = [(at, level) for at, level in chart.levels() if at >= start and level.value is not None]
    values = [(at, level.value or 0.0) for at, level in points]
    changes = sum(one[1] != two[1] for one, two in pairwise(values))
    if changes < _STEPS:
        return 0.0
    some = _spread_out(values)
    found = median((two[1] - one[1]) / (two[0] - one[0]) for one, two in combinations(some, 2))
    if chart.series.precision is Precision.NOISY:
        noise = max(level.spread for _, level in points)
        rise = abs(found) * (values[-1][0] - values[0][0])
        return found if rise > _CLEAR * noise else 0.0
    return found


def _spread_out(values: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(values) <= _POINTS:
        return values
    last = len(values) - 1
    return [values[round(at * last / (_POINTS - 1))] for at in range(_POINTS)]


def most(level: Level) -> float | None:
    """Return the most that a level can be: its value, or its bound; None if it is gone."""
    return level.bound if level.value is None else level.value


def headroom(level: Level | None) -> float | None:
    """Return what is left of the budget above a level, negative if it is over; None without a budget."""
    top = None if level is None else most(level)
    return None if level is None or top is None or level.budget is None else level.budget - top


def commits_per_day(line: Sequence[LineCommit]) -> float | None:
    """Return how many commits a day has along a line, None where their times do not tell. Only for people."""
    times = sorted(filter(None, (time_of(commit) for commit in line)))
    if len(times) < 2:
        return None
    days = (times[-1] - times[0]).total_seconds() / 86_400
    return (len(times) - 1) / days if days > 0 else None


def time_of(commit: LineCommit) -> datetime | None:
    """Return the time of a commit, None if it has none."""
    try:
        return datetime.fromisoformat(commit.time)
    except ValueError:
        return None
