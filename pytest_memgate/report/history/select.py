"""Which series a name means: a test, a file, a folder, a pattern of tests, a metric, or a family of metrics."""

import difflib
from collections.abc import Sequence

from pytest_memgate.budget.match import matches
from pytest_memgate.errors import UsageError
from pytest_memgate.model.history import Chart, Series
from pytest_memgate.values import shown

_NEAR = 3  # names that an error offers


def named(charts: Sequence[Chart], names: Sequence[str]) -> tuple[Chart, ...]:
    """Return the charts that all of some names mean.

    Raises UsageError, with near names, if there is none.
    """
    left = tuple(charts)
    for name in names:
        found = tuple(chart for chart in left if means(name, chart.series))
        if not found:
            raise UsageError(f"no series is named {shown(name)}", hint=_hint(left, name))
        left = found
    return left


def means(name: str, series: Series) -> bool:
    """True if a name means a series."""
    if name in {series.metric, series.quantity, series.id, series.environment}:
        return True
    if series.metric.startswith(f"{name}."):
        return True
    return _is_test(name, series)


def _is_test(name: str, series: Series) -> bool:
    subject = series.subject
    if name in {str(subject), subject.name, subject.name.partition("[")[0], subject.name.rpartition("::")[2]}:
        return True
    return bool(name) and matches(name, subject)


def _hint(charts: Sequence[Chart], name: str) -> str:
    names: set[str] = set()
    for chart in charts:
        series = chart.series
        names |= {series.metric, series.quantity, str(series.subject), series.subject.name, series.subject.file}
    near = difflib.get_close_matches(name, sorted(names), n=_NEAR, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(map(shown, near))}?"
    return "memgate history show lists what there is"
