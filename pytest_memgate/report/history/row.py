"""What is told of one series in a window of the line: its levels, last value, growth, slope and last change."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pytest_memgate.model.history import Chart, Level, LineCommit
from pytest_memgate.report.escape import one_line
from pytest_memgate.report.history.figures import Move, headroom, most, moves, slope
from pytest_memgate.units import format_amount, format_growth


class Order(StrEnum):
    """Which series come first."""

    NEWEST = "newest"  # change
    GROWTH = "growth"  # in the window, as a share
    SLACK = "slack"  # the largest share of its budget left
    NOISE = "noise"  # the largest spread, as a share of the value


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A series in a window from `start` on, and the different `levels` in it, in order.

    `moves` are all changes of its value, those before the window included.
    """

    chart: Chart
    start: int
    levels: tuple[Level, ...]
    moves: tuple[Move, ...]

    @property
    def slope(self) -> float:
        """How much the value rises a commit in the window, 0 where it does not do so steadily."""
        return slope(self.chart, self.start)

    @property
    def drawn(self) -> list[Level]:
        """The level at each measured commit of the window."""
        return [level for at, level in self.chart.levels() if at >= self.start]

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return self.chart.series.unit

    @property
    def latest(self) -> Level:
        """The last level in the window, a gone one included."""
        return self.levels[-1]

    @property
    def growth(self) -> float:
        """How much the value rose in the window."""
        values = [level.value for level in self.levels if level.value is not None]
        return values[-1] - values[0] if values else 0.0

    @property
    def growth_share(self) -> float:
        """Its growth as a share of the first value in the window."""
        first = next((level.value for level in self.levels if level.value is not None), None)
        return self.growth / first if first else 0.0

    @property
    def slack_share(self) -> float:
        """The share of the budget that is left."""
        budget, left = self.latest.budget, headroom(self.latest)
        return left / budget if budget and left is not None else 0.0

    @property
    def noise_share(self) -> float:
        """The spread as a share of the value."""
        return self.latest.spread / self.latest.value if self.latest.value else 0.0


def rows(charts: Sequence[Chart], start: int, order: Order) -> list[Row]:
    """Return the rows of charts that were measured in the window from `start` on, in an order.

    With an order other than the newest change, those of which there is nothing to tell are left out.
    """
    found = [row for chart in charts if (row := _row(chart, start)) is not None]
    if order is Order.NEWEST:
        return sorted(found, key=lambda row: (row.latest.is_gone, -_newest(row), row.chart.series))
    keys: dict[Order, Callable[[Row], float]] = {
        Order.GROWTH: lambda row: row.growth_share,
        Order.SLACK: lambda row: row.slack_share,
        Order.NOISE: lambda row: row.noise_share,
    }
    key = keys[order]
    there = [row for row in found if not row.latest.is_gone and key(row) > 0]
    return sorted(there, key=lambda row: (-key(row), row.chart.series))


def _row(chart: Chart, start: int) -> Row | None:
    at = bisect_left(chart.measured, start)
    if at == len(chart.measured):
        return None
    first = chart.step_at(chart.measured[at])
    later = [step.level for step in chart.steps if first is None or step.position > first.position]
    levels = (*([first.level] if first else []), *later)
    return Row(chart=chart, start=start, levels=levels, moves=moves(chart)) if levels else None


def _newest(row: Row) -> int:
    return row.moves[-1].position if row.moves else -1


def level_text(level: Level, unit: str) -> str:
    """Return a level in words: `1.2 MB`, `≤ 1.3 MB` for a bound, `gone`."""
    top = most(level)
    if top is None:
        return "gone"
    return format_amount(top, unit) if level.value is not None else f"≤ {format_amount(top, unit)}"


def growth_text(growth: float, unit: str) -> str:
    """Return a growth with its sign, `0` for none."""
    return format_growth(growth, unit) if growth else "0"


def percent(share: float) -> str:
    """Return a share as a growth in percent: `+58 %`, `-3.2 %`, `0 %`."""
    value = share * 100
    text = f"{value:+.0f}" if abs(value) >= 9.95 else f"{value:+.1f}"
    return "0 %" if float(text) == 0 else f"{text} %"


def commit_text(line: Sequence[LineCommit], position: int) -> str:
    """Return a commit in words: `3f2a91c0 2026-11-12 Ann Example: Cache orders`."""
    if not 0 <= position < len(line):
        return ""
    commit = line[position]
    title = one_line(commit.title)
    return f"{commit.id[:8]} {commit.time[:10]} {one_line(commit.author)}{f': {title}' if title else ''}"
