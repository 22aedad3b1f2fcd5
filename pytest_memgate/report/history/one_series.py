"""One series at length: its line of blocks, its figures, and its last changes with commit, author and reason."""

from collections.abc import Iterator
from textwrap import wrap

from pytest_memgate.model.history import Chart, EventKind, Level, Past, Precision
from pytest_memgate.report.escape import one_line
from pytest_memgate.report.history.figures import Move, commits_per_day, headroom, moves, slope
from pytest_memgate.report.history.row import commit_text, growth_text, level_text, percent
from pytest_memgate.report.history.sparkline import sparkline
from pytest_memgate.report.history.table import Column, cut, fitted
from pytest_memgate.units import counted, format_amount, format_growth

_MOVES = 8  # changes in the table
_LABEL = 9  # characters of a label and its gap
_WIDEST = 100  # columns of the line of blocks


def view(past: Past, chart: Chart, *, width: int, start: int) -> list[str]:
    """Return the lines on one series; the first one is a heading."""
    series = chart.series
    heading = f"{one_line(str(series.subject))}  {one_line(series.metric)}"
    if not any(at >= start for at in chart.measured):
        return [heading, f"not measured since {commit_text(past.line, start)}"]
    lines = [heading, *_about(past, chart, start), "", *_blocks(chart, width, start), ""]
    for label, text in _figures(past, chart, start):
        inner = wrap(text, max(20, width - _LABEL), break_long_words=False, break_on_hyphens=False) or [""]
        lines += [f"{label if at == 0 else '':<{_LABEL}}{one}" for at, one in enumerate(inner)]
    return [*lines, *_changes(past, chart, width)]


def _about(past: Past, chart: Chart, start: int) -> Iterator[str]:
    series = chart.series
    where = ", ".join(filter(None, (one_line(series.environment), one_line(series.machine), series.precision.value)))
    measured = sum(at >= start for at in chart.measured)
    yield f"{where}; {measured} of {counted(len(past.line) - start, 'commit')} of {one_line(past.branch)} measured"


def _blocks(chart: Chart, width: int, start: int) -> Iterator[str]:
    levels = [level for at, level in chart.levels() if at >= start]
    yield sparkline(levels, min(width, _WIDEST))
    values = [level.value for level in levels if level.value is not None]
    unit = chart.series.unit
    ends = dict.fromkeys(format_amount(end, unit) for end in (min(values), max(values))) if values else {}
    parts = [" to ".join(ends)] if ends else []
    parts += ["▔ at most"] if any(level.bound is not None for level in levels) else []
    parts += ["· without it"] if any(level.is_gone for level in levels) else []
    yield "; ".join(parts)


def _figures(past: Past, chart: Chart, start: int) -> Iterator[tuple[str, str]]:
    unit = chart.series.unit
    last = chart.measured[-1]
    level = chart.steps[-1].level
    yield "last", f"{level_text(level, unit)}, at {commit_text(past.line, last)}"
    if level.is_gone:
        return
    if chart.series.precision is Precision.NOISY and level.spread:
        yield "spread", format_amount(level.spread, unit)
    yield from _limits(level, unit)
    yield "slope", _slope(past, chart, level, start)
    found = moves(chart)
    if not found:
        yield "since", f"it was first measured, at {commit_text(past.line, chart.measured[0])}"
        return
    yield "since", f"{_commits(past, found[-1])}, {_growth(found[-1], unit)}"
    if reason := found[-1].reason:
        yield "reason", one_line(reason)


def _limits(level: Level, unit: str) -> Iterator[tuple[str, str]]:
    left = headroom(level)
    if level.budget is not None and left is not None:
        state = f"{format_amount(left, unit)} left" if left >= 0 else f"over by {format_amount(-left, unit)}"
        yield "budget", f"{format_amount(level.budget, unit)}: {state}{_made_of(level, unit)}"
    if level.anchor is not None and level.value is not None:
        growth = growth_text(level.value - level.anchor, unit)
        share = f" ({percent(level.value / level.anchor - 1)})" if level.anchor else ""
        yield "anchor", f"{format_amount(level.anchor, unit)}: {growth} since{share}"


def _made_of(level: Level, unit: str) -> str:
    if level.baseline is None or level.allowed is None or level.budget != level.baseline + level.allowed:
        return " (a limit)"
    return f" (baseline {format_amount(level.baseline, unit)} {format_growth(level.allowed, unit)})"


def _slope(past: Past, chart: Chart, level: Level, start: int) -> str:
    rise = slope(chart, start)
    if not rise:
        return "none: it does not rise or fall steadily"
    text = f"{format_growth(rise, chart.series.unit)} a commit"
    left = headroom(level)
    if rise < 0 or left is None or left < 0:
        return text
    commits = left / rise
    pace = commits_per_day(past.line[start:])
    days = f", {counted(round(commits / pace), 'day')}" if pace else ""
    return f"{text}: the budget is used up in about {counted(round(commits), 'commit')}{days}"


def _commits(past: Past, move: Move) -> str:
    text = commit_text(past.line, move.position)
    if move.commits == 1:
        return text
    return f"{text} (or {'the one' if move.commits == 2 else f'one of the {move.commits - 1}'} before it)"


def _growth(move: Move, unit: str) -> str:
    share = f" ({percent(move.growth / move.before)})" if move.before else ""
    return f"{format_growth(move.growth, unit)}{share}"


def _changes(past: Past, chart: Chart, width: int) -> Iterator[str]:
    found = moves(chart)[-_MOVES:][::-1]
    marks = _marks(past)
    if found:
        yield ""
        columns = [
            Column(heading="commit", least=8, widest=8, use=9),
            Column(heading="date", least=10, widest=10, use=6),
            Column(heading="value", least=12, widest=12, use=8, is_amount=True),
            Column(heading="change", least=12, widest=12, use=7, is_amount=True),
            Column(heading="author", least=8, widest=20, use=4),
            Column(heading="title, reason", least=20, widest=120, use=5),
        ]
        yield from fitted(columns, [_cells(past, chart, move) for move in found], width)
    if marks:
        yield ""
        yield from (cut(mark, width) for mark in marks)


def _cells(past: Past, chart: Chart, move: Move) -> tuple[str, ...]:
    unit = chart.series.unit
    commit = past.line[move.position]
    about = "; ".join(filter(None, (one_line(commit.title), one_line(move.reason))))
    return (
        commit.id[:8],
        commit.time[:10],
        format_amount(move.after, unit),
        format_growth(move.growth, unit),
        one_line(commit.author),
        about,
    )


def _marks(past: Past) -> list[str]:
    at = {commit.id: commit.position for commit in past.line}
    marks = [event for event in past.events if event.kind is EventKind.MARK and event.commit in at]
    return [f"mark: {one_line(mark.text)}, at {commit_text(past.line, at[mark.commit])}" for mark in marks[-3:]]
