"""A whole history in OpenMetrics text: the values of each commit at its time, for a Prometheus that has a board."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_memgate.errors import UsageError
from pytest_memgate.model.history import Chart, Past
from pytest_memgate.report.escape import one_line
from pytest_memgate.units import DURATION, SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

_LABELS = ("test", "metric", "unit", "environment", "machine")
_UNITS = {SIZE: ("bytes", 1.0), DURATION: ("seconds", 1000.0)}  # the base units that the format asks for


def openmetrics(past: Past) -> str:
    """Return the values, bounds and budgets of all series at the times of the commits of the default branch.

    A counter, `memgate_commits`, counts those commits; its exemplars name them. As times have to rise, a commit that is
    dated before its parent stands a second after it. Sizes are in bytes and times in seconds. `promtool tsdb
    create-blocks-from openmetrics` reads the text. Raises UsageError if prometheus-client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.openmetrics.exposition import generate_latest
        from prometheus_client.registry import Collector
    except ImportError as error:
        what = "the format openmetrics needs prometheus-client"
        raise UsageError(what, hint='pip install "pytest-memgate[openmetrics]"') from error

    class Collected(Collector):
        def collect(self) -> "Iterator[Metric]":
            yield from _families(past)

    registry = CollectorRegistry()
    registry.register(Collected())
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()


def _families(past: Past) -> "Iterator[Metric]":
    from prometheus_client.metrics_core import GaugeMetricFamily

    times = _times(past)
    value = GaugeMetricFamily("memgate_value", "What was measured", labels=_LABELS)
    bound = GaugeMetricFamily("memgate_bound", "What it is no more than, where no more is known", labels=_LABELS)
    budget = GaugeMetricFamily("memgate_budget", "The largest value that passes", labels=_LABELS)
    for chart in past.charts:
        labels, divisor = _labels(chart)
        for position, level in chart.levels():
            for family, amount in ((value, level.value), (bound, level.bound), (budget, level.budget)):
                if amount is not None:
                    family.add_metric(labels, amount / divisor, timestamp=times[position])
    yield from (value, bound, budget, _commits(past, times))


def _commits(past: Past, times: list[float]) -> "Metric":
    from prometheus_client.metrics_core import CounterMetricFamily
    from prometheus_client.samples import Exemplar

    family = CounterMetricFamily("memgate_commits", "Commits of the default branch", labels=("branch",))
    measured = {position for run in past.runs.values() for position in run.positions}
    for position in sorted(measured):
        exemplar = Exemplar({"commit": past.line[position].id}, 1.0, times[position])
        name = [one_line(past.branch)]
        family.add_metric(name, position + 1, timestamp=times[position], exemplar=exemplar)
    return family


def _labels(chart: Chart) -> tuple[list[str], float]:
    series = chart.series
    unit, divisor = _UNITS.get(series.unit, (one_line(series.unit), 1.0))
    names = (str(series.subject), series.metric, unit, series.environment, series.machine)
    return [one_line(name) for name in names], divisor


def _times(past: Past) -> list[float]:
    """Return the time of each commit in seconds since the epoch, each later than the one before."""
    times: list[float] = []
    for commit in past.line:
        at = datetime.strptime(commit.time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        times.append(max(at, times[-1] + 1) if times else at)
    return times
