"""Budgets of which nobody uses much: larger than the usual ones, with a tighter one that would do."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_memgate.budget.usual import usual_growth
from pytest_memgate.model.history import Chart, Series
from pytest_memgate.report.history.figures import most

_LEAST = 8  # measured commits that tell how much of a budget is used; chosen
_USED = 0.25  # of a budget: one that is used more is not slack; chosen
_ROOM = 2  # times the most that was used: what a tighter budget leaves; chosen
_ROUND = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedSlack:
    """A budget of several series of one metric: `allowed`, the most `used` of it by `series`, and what would do."""

    series: Series
    number: int  # of series that have it
    allowed: float
    used: float
    enough: float


def unused_slack(charts: Sequence[Chart]) -> tuple[UnusedSlack, ...]:
    """Return the budgets that are larger than the metric's default, and hardly used; the largest waste first."""
    groups: dict[tuple[str, str, float], list[tuple[float, Chart]]] = defaultdict(list)
    for chart in charts:
        level = chart.latest
        if level is not None and level.allowed and len(chart.measured) >= _LEAST:
            groups[chart.series.quantity, chart.series.unit, level.allowed].append((_used(chart), chart))
    found = (one for (_, _, allowed), some in groups.items() for one in _slack(allowed, some))
    return tuple(sorted(found, key=lambda one: (one.enough / one.allowed, one.series)))


def _used(chart: Chart) -> float:
    """Return the most that any level was above its baseline."""
    tops = ((most(step.level), step.level.baseline) for step in chart.steps)
    return max((top - base for top, base in tops if top is not None and base is not None), default=0.0)


def _slack(allowed: float, some: Sequence[tuple[float, Chart]]) -> Iterator[UnusedSlack]:
    used, chart = max(some, key=lambda one: (one[0], one[1].series))
    level = chart.latest
    usual = usual_growth(chart.series.metric, chart.series.unit, (level.baseline or 0.0) if level else 0.0) or 0.0
    enough = max(usual, _rounded(_ROOM * max(used, 0.0)))
    if used <= _USED * allowed and usual < allowed and 0 < enough < allowed:
        yield UnusedSlack(series=chart.series, number=len(some), allowed=allowed, used=max(used, 0.0), enough=enough)


def _rounded(amount: float) -> float:
    """Return the next round number that is not smaller: 1, 2 or 5 with zeros."""
    power = 1.0
    while power * 10 <= amount:
        power *= 10
    return next(step * power for step in _ROUND if step * power >= amount)
