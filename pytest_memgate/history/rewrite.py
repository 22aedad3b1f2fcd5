"""Runs taken out of a store: those that stay are stored anew, as each is a difference to the one before it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, literal, select, update

from pytest_memgate.history.levels.snapshot import Sites, Snapshot
from pytest_memgate.history.rows import StoredRow, level_of, record_of, series_of, sites_of
from pytest_memgate.history.tables import CHAINS, POINTS, RUNS, SERIES, TIPS

if TYPE_CHECKING:
    from pytest_memgate.model.history import Level, Series

_ASIDE = "aside "  # before the names of what is taken out


def put_aside(connection: Connection) -> Sequence[StoredRow]:
    """Give all runs and chains other names, so that runs can be stored anew; return the runs, the oldest first."""
    runs = connection.execute(select(RUNS).order_by(RUNS.c.id)).all()
    connection.execute(update(RUNS).values(key=literal(_ASIDE) + RUNS.c.key))
    connection.execute(update(CHAINS).values(name=literal(_ASIDE) + CHAINS.c.name))
    return runs


def snapshots_of(connection: Connection, runs: Sequence[StoredRow], without: Collection[str]) -> Iterator[Snapshot]:
    """Yield all that each run said, but for some, from the runs as they were before they were put aside."""
    levels: dict[int, dict[Series, Level]] = defaultdict(dict)
    sites: dict[int, dict[Series, Sites]] = defaultdict(dict)
    for run in runs:
        known, parts = levels[run.chain], sites[run.chain]
        rows = select(SERIES, POINTS).join(POINTS, POINTS.c.series == SERIES.c.id).where(POINTS.c.run == run.id)
        for row in connection.execute(rows).all():
            series, level = series_of(row), level_of(row)
            parts.pop(series, None)
            if level.is_gone:
                known.pop(series, None)
                continue
            known[series] = level
            if row.sites:
                parts[series] = sites_of(row)
        if run.key not in without:
            yield Snapshot(record=record_of(run.record), content=run.content, levels=dict(known), sites=dict(parts))


def drop_aside(connection: Connection) -> None:
    """Remove what was put aside."""
    chains = select(CHAINS.c.id).where(CHAINS.c.name.startswith(_ASIDE))
    runs = select(RUNS.c.id).where(RUNS.c.key.startswith(_ASIDE))
    connection.execute(delete(TIPS).where(TIPS.c.chain.in_(chains)))
    connection.execute(delete(POINTS).where(POINTS.c.run.in_(runs)))
    connection.execute(delete(RUNS).where(RUNS.c.key.startswith(_ASIDE)))
    connection.execute(delete(CHAINS).where(CHAINS.c.name.startswith(_ASIDE)))
