"""The first page of the board in words: what grew most, what changed last, what is nearest to its budget."""

from collections.abc import Callable, Sequence
from typing import Any

from pytest_memgate.model.history import Chart, EventKind, Past, RunRecord
from pytest_memgate.model.history_change import ChangeState, HistoryChange
from pytest_memgate.report.board.facts import Facts
from pytest_memgate.report.html.embed import shown
from pytest_memgate.units import counted, format_amount, format_growth

_ROWS = 10
_TONES = {
    ChangeState.UNCONFIRMED: "quiet",
    ChangeState.CONFIRMED: "bad",
    ChangeState.REFUTED: "quiet",
    ChangeState.ACKNOWLEDGED: "doubt",
    ChangeState.ENDED: "quiet",
}
_NOTABLE_NOISE = 0.01  # of the value
_Told = tuple[Chart, Facts]


def overview(past: Past, facts: Sequence[Facts], changes: Sequence[HistoryChange]) -> dict[str, Any]:
    """Return the words of the first page; `facts` are those of each chart, in order."""
    told = list(zip(past.charts, facts, strict=True))
    last = max(past.runs.values(), key=lambda run: (run.end, run.id), default=None)
    return {
        "branch": shown(past.branch),
        "counts": _counts(past, changes),
        "last": _run(last) if last else [],
        "changes": _changes(past, changes),
        "more_changes": max(0, len(changes) - _ROWS),
        "creep": [_creep(*one) for one in _top(told, lambda own: own.ratio or 0, 0)],
        "budgets": [_budget(*one) for one in _top(told, lambda own: own.use or 0, 0)],
        "noise": [_noise(*one) for one in _top(told, lambda own: own.noise, _NOTABLE_NOISE)],
        "marks": _marks(past),
    }


def _counts(past: Past, changes: Sequence[HistoryChange]) -> list[tuple[str, str]]:
    opened = sum(change.is_open for change in changes)
    return [
        (f"{len(past.charts)}", "series"),
        (f"{len(past.line)}", f"commits of {shown(past.branch)}"),
        (f"{len(past.runs)}", "runs"),
        (f"{opened}", "open change" if opened == 1 else "open changes"),
    ]


def _run(run: RunRecord) -> list[tuple[str, str]]:
    told = [
        ("last run", run.end or run.start),
        ("verdict", run.verdict.value),
        ("commit", run.commit.id[:12]),
        ("environment", shown(run.environment)),
        ("machine", shown(run.machine)),
    ]
    return [(name, value) for name, value in told if value]


def _top(told: Sequence[_Told], key: Callable[[Facts], float], least: float) -> list[_Told]:
    found = [(-key(facts), chart.series, chart, facts) for chart, facts in told if key(facts) > least]
    return [(chart, facts) for _, _, chart, facts in sorted(found, key=lambda one: one[:2])[:_ROWS]]


def _subject(chart: Chart) -> dict[str, Any]:
    series = chart.series
    return {
        "id": series.id,
        "name": shown(series.subject.name),
        "file": shown(series.subject.file),
        "metric": shown(series.metric),
    }


def _creep(chart: Chart, facts: Facts) -> dict[str, Any]:
    unit = chart.series.unit
    return {
        **_subject(chart),
        "now": format_amount(facts.last or 0, unit),
        "growth": format_growth(facts.growth or 0, unit),
        "share": _percent(facts.ratio or 0),
        "moves": counted(facts.moves, "step"),
    }


def _budget(chart: Chart, facts: Facts) -> dict[str, Any]:
    level = chart.latest
    unit = chart.series.unit
    budget = level.budget if level else None
    return {
        **_subject(chart),
        "now": format_amount(facts.last or 0, unit),
        "budget": "" if budget is None else format_amount(budget, unit),
        "use": f"{facts.use or 0:.0%}",
        "tone": "bad" if (facts.use or 0) > 1 else "doubt" if (facts.use or 0) >= 0.8 else "quiet",
    }


def _noise(chart: Chart, facts: Facts) -> dict[str, Any]:
    unit = chart.series.unit
    now = format_amount(facts.last or 0, unit)
    spread = format_amount(facts.noise * (facts.last or 0), unit)
    return {**_subject(chart), "now": now, "spread": spread, "share": f"{facts.noise:.1%}"}


def _percent(share: float) -> str:
    return f"+{share:.1%}" if share < 0.1 else f"+{share:.0%}"


def _changes(past: Past, changes: Sequence[HistoryChange]) -> list[dict[str, Any]]:
    known = {chart.series.id: chart for chart in past.charts}
    worth = [one for one in changes if one.state is not ChangeState.REFUTED]
    newest = sorted(worth, key=lambda one: (-one.position, not one.is_open, one.id))
    return [_change(past, known[one.series.id], one) for one in newest if one.series.id in known][:_ROWS]


def _change(past: Past, chart: Chart, change: HistoryChange) -> dict[str, Any]:
    unit = change.series.unit
    commit = past.line[change.position] if change.position < len(past.line) else None
    return {
        **_subject(chart),
        "state": change.state.value,
        "tone": _TONES[change.state] if change.is_growth or change.state is not ChangeState.CONFIRMED else "good",
        "growth": f"{'at least ' if change.is_at_least else ''}{format_growth(change.growth, unit)}",
        "after": format_amount(change.after, unit),
        "commit": change.commit[:12],
        "author": shown(commit.author) if commit else "",
        "title": shown(commit.title) if commit else "",
        "reason": shown(change.reason or change.why_ended),
    }


def _marks(past: Past) -> list[dict[str, str]]:
    line = {one.id: one for one in past.line}
    found = [event for event in past.events if event.kind is EventKind.MARK]
    found.sort(key=lambda event: (line[event.commit].position if event.commit in line else -1, event.id), reverse=True)
    return [
        {"text": shown(event.text), "commit": event.commit[:12], "time": event.time[:10]} for event in found[:_ROWS]
    ]
