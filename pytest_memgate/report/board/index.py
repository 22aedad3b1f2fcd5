"""The index of all series, which each page loads: small columns, and every name once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_memgate.model.history import Chart, Past
from pytest_memgate.model.metric import metric
from pytest_memgate.report.board.encode import Names, amount, number
from pytest_memgate.report.board.facts import Facts, moves_of
from pytest_memgate.report.board.line import Bands, commits, marks
from pytest_memgate.report.board.spark import sampled, spark
from pytest_memgate.report.html.embed import shown


class Index:
    """The index, and the numbers of what the charts refer to."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._measured: Names[tuple[int, ...]] = Names(chart.measured for chart in past.charts)
        self._numbers = {id(chart.measured): self._measured.number(chart.measured) for chart in past.charts}

    def measured(self, chart: Chart) -> int:
        """Return the number of the positions that a chart was measured at."""
        return self._numbers[id(chart.measured)]

    def data(self, facts: Sequence[Facts]) -> dict[str, Any]:
        """Return the data; `facts` are those of each chart of the past, in order."""
        columns = _Columns()
        places = [sampled(measured, len(self._past.line)) for measured in self._measured]
        for chart, own in zip(self._past.charts, facts, strict=True):
            columns.add(chart, own, spark(chart, places[self.measured(chart)]))
        bands = Bands(self._past.runs.values())
        return {
            "branch": shown(self._past.branch),
            "commits": commits(self._past),
            "marks": marks(self._past),
            "measured": [_ranges(one) for one in self._measured],
            **columns.names(),
            "bands": [bands.of(*place) for place in columns.places],
            "series": columns.columns,
        }


class _Columns:
    """What the index says of each series, column by column."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = defaultdict(list)
        self.places: Names[tuple[str, str]] = Names()
        self._files: Names[str] = Names()
        self._metrics: Names[tuple[str, str]] = Names()

    def add(self, chart: Chart, facts: Facts, shape: str) -> None:
        """Add a series."""
        series = chart.series
        row = {
            "id": series.id,
            "file": self._files.number(series.subject.file),
            "name": shown(series.subject.name),
            "metric": self._metrics.number((series.metric, series.unit)),
            "place": self.places.number((series.environment, series.machine)),
            "last": amount(*((None, facts.last) if facts.is_bound else (facts.last, None))),
            "start": number(facts.start),
            "use": None if facts.use is None else round(facts.use, 3),
            "noise": round(facts.noise, 3),
            "moves": facts.moves,
            "spark": shape,
            "sites": int(any(step.sites for step in chart.steps)),
        }
        for key, value in row.items():
            self.columns[key].append(value)

    def names(self) -> dict[str, Any]:
        """Return the names that the columns have the numbers of."""
        return {
            "files": [shown(file) for file in self._files],
            "metrics": [[shown(name), shown(unit), metric(name).family] for name, unit in self._metrics],
            "places": [[shown(environment), shown(machine)] for environment, machine in self.places],
        }


def moves_by_position(charts: Sequence[Chart]) -> Mapping[int, list[list[Any]]]:
    """Return at each position the numbers of the series whose value changed there, and the new values."""
    found: dict[int, list[list[Any]]] = defaultdict(lambda: [[], []])
    for at, chart in enumerate(charts):
        for step in moves_of(chart.steps):
            found[step.position][0].append(at)
            found[step.position][1].append(amount(step.level.value, step.level.bound))
    return dict(sorted(found.items()))


def _ranges(measured: Sequence[int]) -> list[int]:
    """Return the first and the last position of each run of neighbours, one after the other."""
    found: list[int] = []
    for position in measured:
        if found and position == found[-1] + 1:
            found[-1] = position
        else:
            found += [position, position]
    return found
