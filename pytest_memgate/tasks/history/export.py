"""`memgate history export`: the whole history for another board."""

from pytest_memgate.history.read import read_past
from pytest_memgate.report.history.openmetrics import openmetrics
from pytest_memgate.tasks.history.opened import Opened


def export(opened: Opened) -> str:
    """Return the history in OpenMetrics text; raises UsageError if prometheus-client is not installed."""
    return openmetrics(read_past(opened.store, (opened.branch, opened.line)))
