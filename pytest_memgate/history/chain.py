"""One chain in one transaction: what holds after its newest run, and the rows of the runs that are put behind it."""

import importlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pytest_memgate.history.rows import (
    HELD,
    held_levels,
    level_of,
    point_row,
    record_of,
    record_text,
    series_of,
    series_row,
)
from pytest_memgate.history.run_file import Difference, Known
from pytest_memgate.history.tables import CHAINS, POINTS, RUNS, SERIES, TIPS
from pytest_memgate.model.history import Level, RunRecord, Series

_GONE = Level()
_TOGETHER = 5_000  # values that one statement names


class Chain:
    """A chain that no other writer can touch until the transaction ends."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number
        self._numbers: dict[str, int] = {}  # of series, by their ids
        self._changed: dict[int, int | None] = {}  # the run of the row that holds, by the series; None for none
        locked = select(CHAINS.c.tip).where(CHAINS.c.id == number).with_for_update()
        self.tip = str(connection.execute(locked).scalar_one())
        self.now = Known(self._after_tip() if self.tip else {})

    def after(self, run: str) -> Known:
        """Return what held after one of its runs; nothing for no run."""
        if run == self.tip:
            return self.now
        if not run:
            return Known({})
        newest = (
            select(POINTS.c.series, func.max(POINTS.c.run).label("run"))
            .join(RUNS, RUNS.c.id == POINTS.c.run)
            .where(RUNS.c.chain == self._number)
            .where(RUNS.c.id <= select(RUNS.c.id).where(RUNS.c.key == run).scalar_subquery())
            .group_by(POINTS.c.series)
            .subquery()
        )
        statement = (
            select(SERIES, POINTS)
            .join(newest, newest.c.series == SERIES.c.id)
            .join(POINTS, (POINTS.c.series == newest.c.series) & (POINTS.c.run == newest.c.run))
        )
        levels = {series_of(row): level_of(row) for row in self._connection.execute(statement)}
        return Known({series: level for series, level in levels.items() if not level.is_gone})

    def record(self, run: str) -> RunRecord | None:
        """Return where a run of it comes from, None for no run."""
        if not run:
            return None
        return record_of(self._connection.execute(select(RUNS.c.record).where(RUNS.c.key == run)).scalar_one())

    def put(self, record: RunRecord, content: str, text: str, new: Difference) -> None:
        """Put a run behind the newest one, of which it differs by `new`; `text` is its own text."""
        values = {
            "key": record.id,
            "chain": self._number,
            "content": content,
            "commit_id": record.commit.id,
            "tree": record.commit.tree,
            "complete": record.complete,
            "apart": record.commit.dirty or record.commit.fork,
            "started": record.start,
            "record": record_text(record),
            "payload": text,
        }
        run = self._connection.execute(insert(RUNS).values(values).returning(RUNS.c.id)).scalar_one()
        levels = {**new.levels, **dict.fromkeys(new.gone, _GONE)}
        numbers = self._numbers_of(levels)
        rows = [point_row(numbers[one.id], run, level, new.sites.get(one, {})) for one, level in levels.items()]
        if rows:
            self._connection.execute(insert(POINTS), rows)
        self._changed |= {numbers[one.id]: None if level is _GONE else run for one, level in levels.items()}
        self.now.apply(new)
        self.tip = record.id

    def finish(self) -> None:
        """Write what holds now."""
        for some in _batches(list(self._changed)):
            self._connection.execute(delete(TIPS).where(TIPS.c.chain == self._number, TIPS.c.series.in_(some)))
        held = {series: run for series, run in self._changed.items() if run is not None}
        if held:
            rows = [{"chain": self._number, "series": series, "run": run} for series, run in held.items()]
            self._connection.execute(insert(TIPS), rows)
        self._connection.execute(update(CHAINS).where(CHAINS.c.id == self._number).values(tip=self.tip))

    def _after_tip(self) -> dict[Series, Level]:
        statement = (
            select(*HELD)
            .select_from(TIPS)
            .join(SERIES, SERIES.c.id == TIPS.c.series)
            .join(POINTS, (POINTS.c.series == TIPS.c.series) & (POINTS.c.run == TIPS.c.run))
            .where(TIPS.c.chain == self._number)
        )
        return held_levels(self._connection.execute(statement))

    def _numbers_of(self, wanted: Mapping[Series, Level]) -> Mapping[str, int]:
        """Return the numbers of series by their ids; those that are new are added."""
        by_id = {series.id: series for series in wanted}
        self._look_up(by_id.keys() - self._numbers.keys())
        if missing := [series_row(by_id[key]) for key in sorted(by_id.keys() - self._numbers.keys())]:
            self._connection.execute(_insert_or_leave(self._connection), missing)
            self._look_up([row["key"] for row in missing])
        return self._numbers

    def _look_up(self, keys: Collection[str]) -> None:
        for some in _batches(list(keys)):
            rows = self._connection.execute(select(SERIES.c.key, SERIES.c.id).where(SERIES.c.key.in_(some)))
            self._numbers |= {row.key: row.id for row in rows}


def number_named(connection: Connection, name: str) -> int:
    """Return the number of the chain of a name, which is new if there is none."""
    wanted = select(CHAINS.c.id).where(CHAINS.c.name == name)
    number = connection.scalar(wanted)
    if number is None:
        with suppress(IntegrityError), connection.begin_nested():  # another writer was quicker
            connection.execute(insert(CHAINS).values(name=name, tip=""))
        number = connection.scalar(wanted)
    return int(number or 0)


def number_of_run(connection: Connection, run: str) -> int | None:
    """Return the number of the chain that a run is of, None if there is no such run."""
    number: int | None = connection.scalar(select(RUNS.c.chain).where(RUNS.c.key == run))
    return number


def _insert_or_leave(connection: Connection) -> Any:
    """Return a statement that adds series; those that another writer has just added stay."""
    dialect = importlib.import_module(f"sqlalchemy.dialects.{connection.dialect.name}")  # each takes a while to load
    return dialect.insert(SERIES).on_conflict_do_nothing(index_elements=["key"])


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _TOGETHER):
        yield items[start : start + _TOGETHER]
