"""`memgate history show` as lines of the terminal: a line for each of many series, or a longer view of a single one."""

from collections.abc import Sequence

from pytest_memgate.model.history import Chart, Past
from pytest_memgate.report.escape import one_line
from pytest_memgate.report.history.one_series import view
from pytest_memgate.report.history.row import Order, Row, commit_text, growth_text, level_text, percent, rows
from pytest_memgate.report.history.sparkline import sparkline
from pytest_memgate.report.history.table import Cell, Column, fitted
from pytest_memgate.units import counted

_WIDEST = 24  # columns of a sparkline in the list


def show(past: Past, charts: Sequence[Chart], *, width: int, start: int, order: Order, number: int) -> list[str]:
    """Return the lines of some series of a past; `start` is the first position of the window, `number` the most lines.

    The first line is a heading.
    """
    if len(charts) == 1:
        return view(past, charts[0], width=width, start=start)
    found = rows(charts, start, order)
    lines = _table(past, found[:number], order, width) if found else [_NOTHING[order]]
    if len(found) > number:
        lines += ["", f"and {len(found) - number} more: name a test or a metric, or -n {len(found)}"]
    return [*lines, "", _footer(past, found, start)]


_FIGURES = {Order.NEWEST: "growth", Order.GROWTH: "growth", Order.SLACK: "budget left", Order.NOISE: "spread"}


_NOTHING = {
    Order.NEWEST: "no series was measured in these commits",
    Order.GROWTH: "no series grew in these commits",
    Order.SLACK: "no series has a budget with something left",
    Order.NOISE: "no series has a spread",
}


def _table(past: Past, found: Sequence[Row], order: Order, width: int) -> list[str]:
    names = [one_line(str(row.chart.series.subject)) for row in found]
    cells = [(name, *_cells(past, row, order)) for name, row in zip(names, found, strict=True)]
    columns = [
        Column(heading="test", least=20, widest=70, use=9, keeps_end=True),
        Column(heading="metric", least=11, widest=40, use=8),
        Column(heading="environment", least=12, widest=26, use=2),
        Column(heading="commits", least=10, widest=_WIDEST, use=6),
        Column(heading="last", least=12, widest=12, use=7, is_amount=True),
        Column(heading=_FIGURES[order], least=14, widest=14, use=5, is_amount=True),
        Column(heading="a commit", least=10, widest=10, use=4, is_amount=True),
        Column(heading="since", least=19, widest=80, use=3),
    ]
    if not _differ_by_environment(found):
        columns.pop(2)
        cells = [(*cell[:2], *cell[3:]) for cell in cells]
    return fitted(columns, cells, width)


def _differ_by_environment(found: Sequence[Row]) -> bool:
    """True if one metric of one test is there in several environments, which would look the same without them."""
    return len({(row.chart.series.subject, row.chart.series.metric) for row in found}) < len(found)


def _cells(past: Past, row: Row, order: Order) -> tuple[Cell, ...]:
    series = row.chart.series
    levels, rise = row.drawn, row.slope
    return (
        one_line(series.metric),
        one_line(series.environment),
        lambda width: sparkline(levels, width),
        level_text(row.latest, row.unit),
        _figure(row, order),
        growth_text(rise, row.unit) if rise else "",
        _since(past, row),
    )


def _figure(row: Row, order: Order) -> str:
    if order is Order.SLACK:
        return f"{row.slack_share * 100:.0f} %"
    if order is Order.NOISE:
        return f"±{row.noise_share * 50:.1f} %"
    if row.latest.is_gone or row.latest.value is None:
        return ""
    return percent(row.growth_share)


def _since(past: Past, row: Row) -> str:
    if row.latest.is_gone:
        return commit_text(past.line, row.chart.steps[-1].position)
    return commit_text(past.line, row.moves[-1].position) if row.moves else ""


def _footer(past: Past, found: Sequence[Row], start: int) -> str:
    first = commit_text(past.line, start).split(" ", 2)[:2]
    commits = counted(len(past.line) - start, "commit")
    return f"{len(found)} series over {commits} of {one_line(past.branch)}, from {' '.join(first)} on"
