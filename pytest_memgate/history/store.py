"""The store: one database, opened by its URL, and all that is written to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from pytest_memgate.errors import HistoryError
from pytest_memgate.history.database import open_database, told
from pytest_memgate.history.migrate import WRITES
from pytest_memgate.history.rows import (
    StoredRow,
    level_of,
    line_commit,
    line_row,
    point_row,
    record_of,
    record_text,
    series_of,
    series_row,
)
from pytest_memgate.history.run_file import Difference, read_event, read_head, read_run, write_event, write_run
from pytest_memgate.history.snapshot import Snapshot, is_news
from pytest_memgate.history.tables import CHAINS, EVENTS, FACTS, LINE, POINTS, RUNS, SERIES, TIPS
from pytest_memgate.model.history import Event, Level, LineCommit, RunRecord, Series
from pytest_memgate.model.metric import metric

_GONE = Level()

ReasonOf = Callable[[Series], str]


class Store:
    """A history's database. Each method is one transaction: whole, or nothing of it is there."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    def add(self, snapshot: Snapshot, reason_of: ReasonOf = lambda _: "") -> bool:
        """Store a run; return False if it is there already.

        `reason_of` gives the accepted reason for a baseline that was raised. Raises HistoryError for another run of the
        same id, and for a series that has another unit in the store.
        """
        with self._writing() as connection:
            chain, tip = self._chain(connection, snapshot.chain)
            if self._has(connection, snapshot.record.id, snapshot.content):
                return False
            known = self._after_tip(connection, chain)
            self._check_units(snapshot.levels, known)
            base = self._record(connection, tip) if tip else None
            before = known if base else {}
            levels = dict(_with_reasons(_with_absent(snapshot.levels, before), before, reason_of))
            news = {series: level for series, level in levels.items() if is_news(series, before.get(series), level)}
            gone = [series for series in before if series not in levels]
            sites = {series: snapshot.sites[series] for series in news if series in snapshot.sites}
            difference = Difference(levels=news, sites=sites, gone=gone)
            text = write_run(snapshot.record, snapshot.content, snapshot.chain, base, before, difference)
            self._insert(connection, chain, snapshot.record, snapshot.content, text, difference)
        return True

    def add_payload(self, text: str, where: str = "a run of a history") -> bool:
        """Store a run from its text; return False if it is there already.

        Raises HistoryError for a text that cannot be read, and for one whose base is not stored.
        """
        stored = read_head(text, where)
        with self._writing() as connection:
            row = self._run_row(connection, stored.base) if stored.base else None
            if stored.base and row is None:
                why = f"its base, run {stored.base}, is not in {self._name}"
                raise HistoryError(f"{where}: {why}", hint="add that first")
            chain, tip = (row.chain, self._tip(connection, row.chain)) if row else self._chain(connection, stored.chain)
            if self._has(connection, stored.id, stored.content):
                return False
            now = self._after_tip(connection, chain)
            then = now if row is None or stored.base == tip else self._after(connection, row)
            base = self._record(connection, stored.base) if stored.base else None
            record, new = read_run(stored, where, base, then if base else {})
            new = _against(now, then if base else {}, new)
            self._insert(connection, chain, record, stored.content, text, new)
        return True

    def add_event(self, event: Event) -> bool:
        """Store an event; return False if it is there already."""
        with self._writing() as connection:
            if connection.scalar(select(EVENTS.c.number).where(EVENTS.c.id == event.id)) is not None:
                return False
            connection.execute(insert(EVENTS).values(id=event.id, payload=write_event(event)))
        return True

    def put_line(self, branch: str, line: Sequence[LineCommit]) -> None:
        """Store the commits of the default branch, in place of those that are stored.

        Raises HistoryError for the line of another project: one that has another first commit.
        """
        with self._writing() as connection:
            facts: dict[str, str] = {row.name: row.value for row in connection.execute(select(FACTS))}
            root = line[0].id if line else ""
            if facts.get("root", root) != root:
                raise HistoryError(
                    f"{self._name} is the history of another project: its first commit is {facts['root'][:12]}",
                    hint="give another --store",
                )
            last = connection.scalar(select(LINE.c.id).order_by(LINE.c.position.desc()).limit(1))
            if last == line[-1].id and facts.get("branch") == branch:
                return
            connection.execute(delete(FACTS))
            connection.execute(insert(FACTS), [{"name": "branch", "value": branch}, {"name": "root", "value": root}])
            connection.execute(delete(LINE))
            connection.execute(insert(LINE), [line_row(commit) for commit in line])

    def line(self) -> tuple[str, tuple[LineCommit, ...]]:
        """Return the default branch and its commits as they are stored."""
        with self._reading() as connection:
            rows = connection.execute(select(LINE).order_by(LINE.c.position)).all()
            branch = connection.scalar(select(FACTS.c.value).where(FACTS.c.name == "branch")) or ""
        return branch, tuple(line_commit(row) for row in rows)

    def run_ids(self) -> list[str]:
        """Return the ids of all runs, in the order in which they were added: a base comes before what needs it."""
        with self._reading() as connection:
            return list(connection.scalars(select(RUNS.c.key).order_by(RUNS.c.id)))

    def starts(self) -> dict[str, str]:
        """Return when each run started, in UTC, by the runs' ids."""
        with self._reading() as connection:
            return {
                row.key: row.started
                for row in connection.execute(select(RUNS.c.key, RUNS.c.started).order_by(RUNS.c.id))
            }

    def measured_trees(self) -> set[str]:
        """Return the trees of which a run is stored."""
        with self._reading() as connection:
            return set(connection.scalars(select(RUNS.c.tree)))

    def payload(self, run: str) -> str:
        """Return the text of a run; raises HistoryError for one that is not stored."""
        with self._reading() as connection:
            text = connection.scalar(select(RUNS.c.payload).where(RUNS.c.key == run))
        if text is None:
            raise HistoryError(f"{self._name} has no run {run}")
        return str(text)

    def events(self) -> tuple[Event, ...]:
        """Return all events, in the order in which they were added."""
        with self._reading() as connection:
            texts = list(connection.scalars(select(EVENTS.c.payload).order_by(EVENTS.c.number)))
        return tuple(read_event(text, f"an event in {self._name}") for text in texts)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads; for `read.py`."""
        with self._reading() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told(self._name), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with told(self._name), self._engine.execution_options(**{WRITES: True}).begin() as connection:
            yield connection

    def _chain(self, connection: Connection, name: str) -> tuple[int, str]:
        """Return a chain and its newest run, kept from other writers until the transaction ends."""
        found = connection.execute(select(CHAINS).where(CHAINS.c.name == name).with_for_update()).one_or_none()
        if found is None:
            with suppress(IntegrityError), connection.begin_nested():  # another writer was quicker
                connection.execute(insert(CHAINS).values(name=name, tip=""))
            found = connection.execute(select(CHAINS).where(CHAINS.c.name == name).with_for_update()).one()
        return found.id, found.tip

    def _tip(self, connection: Connection, chain: int) -> str:
        statement = select(CHAINS.c.tip).where(CHAINS.c.id == chain).with_for_update()
        return str(connection.execute(statement).scalar_one())

    def _has(self, connection: Connection, run: str, content: str) -> bool:
        there = connection.scalar(select(RUNS.c.content).where(RUNS.c.key == run))
        if there is not None and there != content:
            hint = "a run is never changed: make it anew"
            raise HistoryError(f"{self._name} has another run of the id {run}", hint=hint)
        return there is not None

    def _run_row(self, connection: Connection, run: str) -> StoredRow | None:
        return connection.execute(select(RUNS.c.id, RUNS.c.chain).where(RUNS.c.key == run)).one_or_none()

    def _record(self, connection: Connection, run: str) -> RunRecord:
        return record_of(connection.execute(select(RUNS.c.record).where(RUNS.c.key == run)).scalar_one())

    def _after_tip(self, connection: Connection, chain: int) -> dict[Series, Level]:
        statement = (
            select(SERIES, POINTS)
            .select_from(TIPS)
            .join(SERIES, SERIES.c.id == TIPS.c.series)
            .join(POINTS, (POINTS.c.series == TIPS.c.series) & (POINTS.c.run == TIPS.c.run))
            .where(TIPS.c.chain == chain)
        )
        return {series_of(row): level_of(row) for row in connection.execute(statement)}

    def _after(self, connection: Connection, run: StoredRow) -> dict[Series, Level]:
        """Return the levels after any run."""
        newest = (
            select(POINTS.c.series, func.max(POINTS.c.run).label("run"))
            .join(RUNS, RUNS.c.id == POINTS.c.run)
            .where(RUNS.c.chain == run.chain, RUNS.c.id <= run.id)
            .group_by(POINTS.c.series)
            .subquery()
        )
        statement = (
            select(SERIES, POINTS)
            .join(newest, newest.c.series == SERIES.c.id)
            .join(POINTS, (POINTS.c.series == newest.c.series) & (POINTS.c.run == newest.c.run))
        )
        levels = {series_of(row): level_of(row) for row in connection.execute(statement)}
        return {series: level for series, level in levels.items() if not level.is_gone}

    def _insert(
        self, connection: Connection, chain: int, record: RunRecord, content: str, text: str, new: Difference
    ) -> None:
        values = {
            "key": record.id,
            "chain": chain,
            "content": content,
            "commit_id": record.commit.id,
            "tree": record.commit.tree,
            "complete": record.complete,
            "apart": record.commit.dirty or record.commit.fork,
            "started": record.start,
            "record": record_text(record),
            "payload": text,
        }
        run = connection.execute(insert(RUNS).values(values).returning(RUNS.c.id)).scalar_one()
        levels = {**new.levels, **dict.fromkeys(new.gone, _GONE)}
        numbers = self._numbers(connection, levels)
        rows = [
            point_row(numbers[series.id], run, level, new.sites.get(series, {})) for series, level in levels.items()
        ]
        if rows:
            connection.execute(insert(POINTS), rows)
        changed = [numbers[series.id] for series in levels]
        for some in _batches(changed):
            connection.execute(delete(TIPS).where(TIPS.c.chain == chain, TIPS.c.series.in_(some)))
        if kept := [{"chain": chain, "series": numbers[series.id], "run": run} for series in new.levels]:
            connection.execute(insert(TIPS), kept)
        connection.execute(update(CHAINS).where(CHAINS.c.id == chain).values(tip=record.id))

    def _numbers(self, connection: Connection, wanted: Mapping[Series, Level]) -> dict[str, int]:
        """Return the numbers of series by their ids; those that are new are added."""
        by_id = {series.id: series for series in wanted}
        known = self._known_numbers(connection, by_id)
        if missing := [series_row(by_id[key]) for key in sorted(by_id.keys() - known.keys())]:
            connection.execute(_insert_or_leave(connection), missing)
            known |= self._known_numbers(connection, [row["key"] for row in missing])
        return known

    def _known_numbers(self, connection: Connection, keys: Mapping[str, Series] | Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for some in _batches(list(keys)):
            rows = connection.execute(select(SERIES.c.key, SERIES.c.id).where(SERIES.c.key.in_(some)))
            found |= {row.key: row.id for row in rows}
        return found

    def _check_units(self, levels: Mapping[Series, Level], known: Mapping[Series, Level]) -> None:
        units = {(one.subject, one.metric): one.unit for one in known}
        for series in levels:
            if (unit := units.get((series.subject, series.metric), series.unit)) != series.unit:
                raise HistoryError(
                    f"{series}: in {series.unit or 'a plain number'} here, and in {unit or 'a plain number'} in"
                    f" {self._name}",
                    hint="give the metric another name",
                )


def open_store(url: str, name: str = "") -> Store:
    """Open a store, and bring its tables to this version; `name` stands for it in errors.

    Raises UsageError for an URL that is none, HistoryError for a store that cannot be opened or is newer.
    """
    return Store(*open_database(url, name))


def _insert_or_leave(connection: Connection) -> Any:
    """Return a statement that adds series; those that another writer has just added stay."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(SERIES).on_conflict_do_nothing(index_elements=["key"])
    return sqlite.insert(SERIES).on_conflict_do_nothing(index_elements=["key"])


def _batches(items: Sequence[Any], size: int = 5_000) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _with_reasons(
    levels: Mapping[Series, Level], before: Mapping[Series, Level], reason_of: ReasonOf
) -> Iterator[tuple[Series, Level]]:
    """Yield each level with the reason of its baseline: the known one, as long as the baseline is the same."""
    for series, level in levels.items():
        old = before.get(series)
        if old is not None and old.baseline == level.baseline:
            reason = old.reason
        else:
            reason = reason_of(series) if level.baseline is not None else ""
        yield series, replace(level, reason=reason) if reason != level.reason else level


def _with_absent(levels: Mapping[Series, Level], before: Mapping[Series, Level]) -> dict[Series, Level]:
    """Return the levels with those that a run tells by silence: a test without a leftover has left none."""
    tests = {series.subject for series in levels}
    silent = ((series, metric(series.metric).absent) for series in before if series not in levels)
    return {
        **levels,
        **{
            series: Level(value=absent, allowed=before[series].allowed, limit=before[series].limit)
            for series, absent in silent
            if absent is not None and series.subject in tests
        },
    }


def _against(now: Mapping[Series, Level], then: Mapping[Series, Level], new: Difference) -> Difference:
    """Return what a run says beyond the newest one, given what it says beyond an older one."""
    if now is then:
        return new
    gone = set(new.gone)
    levels = {**{series: level for series, level in then.items() if series not in gone}, **new.levels}
    return Difference(
        levels={series: level for series, level in levels.items() if now.get(series) != level},
        sites=new.sites,
        gone=[series for series in now if series not in levels],
    )
