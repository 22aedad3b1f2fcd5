"""The data of the charts, in shards: a page loads only the one that its series is in."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_memgate.model.history import Chart, Past, Step
from pytest_memgate.model.history_change import HistoryChange
from pytest_memgate.report.board.encode import Names, amount, data_script, number
from pytest_memgate.report.board.line import Beside
from pytest_memgate.report.html.embed import shown

_DIGITS = 2  # of a series' id that name its shard: 256 of them


def shard_files(past: Past, changes: Sequence[HistoryChange], measured: Callable[[Chart], int]) -> dict[str, str]:
    """Return the shards by their paths; `measured` numbers the positions that a chart was measured at."""
    told = _Told(past, changes)
    shards: dict[str, dict[str, Any]] = defaultdict(dict)
    for chart in past.charts:
        name = chart.series.id
        shards[name[:_DIGITS]][name] = {"m": measured(chart), **told.chart(chart)}
    return {
        f"data/charts/{shard}.js": data_script(f"charts/{shard}", dict(sorted(some.items())))
        for shard, some in sorted(shards.items())
    }


class _Told:
    """Charts as data."""

    def __init__(self, past: Past, changes: Sequence[HistoryChange]) -> None:
        self._runs = past.runs
        self._beside = Beside(past)
        self._changes: dict[str, list[HistoryChange]] = defaultdict(list)
        for change in changes:
            self._changes[change.series.id].append(change)

    def chart(self, chart: Chart) -> dict[str, Any]:
        """Return the data of a chart: what is the same as at the step before is left out."""
        names = _Steps()
        found: dict[str, Any] = {"s": [names.step(step) for step in chart.steps]}
        if names.sites:
            found["n"] = [shown(name) for name in names.sites]
        if chart.lanes:
            found["l"] = [[shown(lane), self._lane(chart, lane)] for lane in sorted(chart.lanes)]
        if own := self._changes.get(chart.series.id):
            found["c"] = [_change(one) for one in sorted(own, key=lambda one: (one.position, one.id))]
        return found

    def _lane(self, chart: Chart, lane: str) -> list[list[Any]]:
        found = []
        for one in chart.lanes[lane]:
            if run := self._runs.get(one.run):
                value = amount(one.level.value, one.level.bound)
                found.append([self._beside.position(run), value, run.commit.id[:12], run.start])
        return found


class _Steps:
    """The steps of one chart, each as its difference from the one before."""

    def __init__(self) -> None:
        self.sites: Names[str] = Names()
        self._more: dict[str, Any] = {}
        self._amounts: Mapping[str, float] = {}

    def step(self, step: Step) -> list[Any]:
        """Return a step: its position, its value or bound, and what else changed."""
        level = step.level
        more = {
            "budget": number(level.budget),
            "anchor": number(level.anchor),
            "baseline": number(level.baseline),
            "spread": number(level.spread) or None,
            "reason": shown(level.reason) or None,
        }
        changed: dict[str, Any] = {key: value for key, value in more.items() if value != self._more.get(key)}
        self._more = more
        if step.sites:
            changed["sites"] = self._changed_sites(step.sites)
        return [step.position, amount(level.value, level.bound), *([changed] if changed else [])]

    def _changed_sites(self, sites: Mapping[str, float]) -> list[Any]:
        """Return the number and the amount of each site that changed, one after the other; a site that went has 0."""
        found: list[Any] = []
        for name in sorted(self._amounts.keys() | sites.keys()):
            if self._amounts.get(name, 0) != sites.get(name, 0):
                found += [self.sites.number(name), number(sites.get(name, 0))]
        self._amounts = sites
        return found


def _change(change: HistoryChange) -> list[Any]:
    said = [change.state.value, shown(change.reason), shown(change.why_ended)]
    amounts = [number(change.before), number(change.after)]
    return [change.position, change.before_position, *amounts, int(change.is_at_least), *said, change.id]
