"""`memgate history show`: series in the terminal."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_memgate.compare.history.renamed import likely_renames
from pytest_memgate.model.history import Chart, Past
from pytest_memgate.report.escape import one_line
from pytest_memgate.report.history.row import Order
from pytest_memgate.report.history.select import named
from pytest_memgate.report.history.show import show as lines_of
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.tasks.history.window import first_of, past_of

_PROPOSED = 5  # renames


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is shown: series that all `names` mean, in the commits since `since`, at most `number` of them."""

    names: Sequence[str] = ()
    since: str = "100"
    order: Order = Order.NEWEST
    number: int = 20


def show(opened: Opened, wanted: Wanted, *, width: int) -> list[str]:
    """Return the lines, the first one a heading.

    Raises UsageError for names that mean nothing and a `since` that is none, HistoryError for a history without runs.
    """
    start = first_of(opened, wanted.since)
    past = past_of(opened)
    charts = named(past.charts, wanted.names)
    lines = lines_of(past, charts, width=width, start=start, order=wanted.order, number=wanted.number)
    return [*lines, *_renames(past, charts)]


def _renames(past: Past, charts: Sequence[Chart]) -> Iterator[str]:
    shown = {chart.series.subject for chart in charts}
    pairs = [one for one in likely_renames(past) if shown & {one.old, one.new}]
    for one in pairs[:_PROPOSED]:
        old, new = one_line(str(one.old)), one_line(str(one.new))
        yield ""
        yield f"{old} looks renamed to {new}: its past goes on with"
        yield f"  memgate history rename {shlex.quote(old)} {shlex.quote(new)}"
