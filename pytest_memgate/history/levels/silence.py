"""What runs tell by silence: a test that was measured, and has no value of a metric with an `absent` one, has that."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_memgate.model.history import Chart, Level, Series, Step
from pytest_memgate.model.metric import metric


def silent_levels(
    missing: Sequence[Series], before: Mapping[Series, Level], levels: Mapping[Series, Level]
) -> Iterator[tuple[Series, Level]]:
    """Yield what a run with `levels` says of series that are `missing` in it, with the budget of `before`."""
    tests = {series.subject for series in levels} if missing else set()
    for series in missing:
        value = metric(series.metric).absent
        if value is not None and series.subject in tests:
            yield series, replace(before[series], value=value, bound=None, spread=0)


def from_silence(charts: Sequence[Chart]) -> list[Chart]:
    """Return charts that begin where their tests were measured first.

    What a test leaves at once, and did not leave before, is a step up, not the first value of a series.
    """
    begin: dict[tuple[object, str], list[Chart]] = defaultdict(list)
    for chart in charts:
        if chart.measured:
            begin[chart.series.subject, chart.series.environment].append(chart)
    return [_whole(chart, begin[chart.series.subject, chart.series.environment]) for chart in charts]


def _whole(chart: Chart, siblings: Iterable[Chart]) -> Chart:
    value = metric(chart.series.metric).absent
    earlier = [one for one in siblings if chart.measured and one.measured[0] < chart.measured[0]]
    if value is None or not earlier:
        return chart
    runs: dict[int, str] = {}
    for one in earlier:
        for position in one.measured[: bisect_left(one.measured, chart.measured[0])]:
            step = one.step_at(position)
            if step is not None and not step.level.is_gone:
                runs[position] = step.run
    if not runs:
        return chart
    first = min(runs)
    start = Step(position=first, run=runs[first], level=Level(value=value))
    return replace(chart, steps=(start, *chart.steps), measured=(*sorted(runs), *chart.measured))
