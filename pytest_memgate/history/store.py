"""The store: one database, opened by its URL, and all that is written to it."""

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, delete, insert, select

from pytest_memgate.errors import HistoryError
from pytest_memgate.history.chain import Chain, number_named, number_of_run
from pytest_memgate.history.database import Lock, lock, open_database, snapshots, told
from pytest_memgate.history.levels.difference import ReasonOf, difference
from pytest_memgate.history.levels.snapshot import Snapshot
from pytest_memgate.history.migrate import WRITES
from pytest_memgate.history.rewrite import drop_aside, put_aside, snapshots_of
from pytest_memgate.history.rows import line_commit, line_row
from pytest_memgate.history.run_file import (
    Stored,
    against,
    read_event,
    read_head,
    read_run,
    write_event,
    write_run,
)
from pytest_memgate.history.tables import EVENTS, FACTS, LINE, RUNS
from pytest_memgate.model.codec import uncollected
from pytest_memgate.model.history import Event, LineCommit

_PRUNED = "pruned"


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
        return self._add([snapshot], reason_of, shared=True) == 1

    def add_all(self, snapshots: Iterable[Snapshot], reason_of: ReasonOf = lambda _: "") -> int:
        """Store runs, all or none, in a transaction that reads each chain once; return how many were new."""
        return self._add(snapshots, reason_of, shared=False)

    def _add(self, snapshots: Iterable[Snapshot], reason_of: ReasonOf, *, shared: bool) -> int:
        chains: dict[str, Chain] = {}
        added = 0
        with uncollected(), self._writing() as connection:
            lock(connection, Lock.RUNS, shared=shared)
            for snapshot in snapshots:
                if not self._has(connection, snapshot.record.id, snapshot.content):
                    added += self._added(connection, snapshot, chains, reason_of)
            for chain in chains.values():
                chain.finish()
        return added

    def _added(self, connection: Connection, snapshot: Snapshot, chains: dict[str, Chain], reason_of: ReasonOf) -> bool:
        """Put a run behind its chain; False if another writer has done so while this one waited for the chain."""
        name = snapshot.chain
        if name not in chains:
            chains[name] = Chain(connection, number_named(connection, name))
            if self._has(connection, snapshot.record.id, snapshot.content):
                return False
        chain = chains[name]
        before = chain.now
        try:
            new = difference(before.levels, snapshot, reason_of)
        except ValueError as error:
            raise HistoryError(f"{error} in {self._name}", hint="give the metric another name") from error
        text = write_run(snapshot.record, snapshot.content, name, chain.record(chain.tip), before, new)
        chain.put(snapshot.record, snapshot.content, text, new)
        return True

    def add_payload(self, text: str, where: str = "a run of a history") -> bool:
        """Store a run from its text; return False if it is there already.

        Raises HistoryError for a text that cannot be read, and for one whose base is not stored.
        """
        return self.add_payloads([(text, where)]) == 1

    def add_payloads(self, texts: Iterable[tuple[str, str]]) -> int:
        """Store runs from their texts, all or none, each after its base; return how many were new.

        With each text comes its name for errors. Raises HistoryError as `add_payload` does.
        """
        chains: dict[int, Chain] = {}
        added = 0
        with uncollected(), self._writing() as connection:
            lock(connection, Lock.RUNS)  # it comes to one chain after the other, as another one might in another order
            for text, where in texts:
                stored = read_head(text, where)
                if self._has(connection, stored.id, stored.content):
                    continue
                chain = self._chain_for(connection, stored, chains, where)
                then = chain.after(stored.base)
                record, new = read_run(stored, where, chain.record(stored.base), then)
                chain.put(record, stored.content, text, new if then is chain.now else against(chain.now, then, new))
                added += 1
            for chain in chains.values():
                chain.finish()
        return added

    def _chain_for(self, connection: Connection, stored: Stored, opened: dict[int, Chain], where: str) -> Chain:
        """Return the chain that a run is put behind: that of its base."""
        number = number_of_run(connection, stored.base) if stored.base else number_named(connection, stored.chain)
        if number is None:
            why = f"its base, run {stored.base}, is not in {self._name}"
            raise HistoryError(f"{where}: {why}", hint="add that first")
        if number not in opened:
            opened[number] = Chain(connection, number)
        return opened[number]

    def prune(self, drop: Collection[str]) -> None:
        """Take runs out, by their ids; each of those that stay is stored anew."""
        with uncollected(), self._writing() as connection:
            lock(connection, Lock.RUNS)
            chains: dict[str, Chain] = {}
            for snapshot in snapshots_of(connection, put_aside(connection), drop):
                self._added(connection, snapshot, chains, _reasons_of(snapshot))
            for chain in chains.values():
                chain.finish()
            drop_aside(connection)
            gone = sorted(self._pruned(connection) | set(drop))
            connection.execute(delete(FACTS).where(FACTS.c.name == _PRUNED))
            connection.execute(insert(FACTS).values(name=_PRUNED, value=" ".join(gone)))

    def pruned(self) -> set[str]:
        """Return the ids of the runs that were taken out."""
        with self._reading() as connection:
            return self._pruned(connection)

    def _pruned(self, connection: Connection) -> set[str]:
        return set((connection.scalar(select(FACTS.c.value).where(FACTS.c.name == _PRUNED)) or "").split())

    def add_event(self, event: Event) -> bool:
        """Store an event; return False if it is there already."""
        with self._writing() as connection:
            lock(connection, Lock.EVENTS)
            if connection.scalar(select(EVENTS.c.number).where(EVENTS.c.id == event.id)) is not None:
                return False
            connection.execute(insert(EVENTS).values(id=event.id, payload=write_event(event)))
        return True

    def put_line(self, branch: str, line: Sequence[LineCommit]) -> None:
        """Store the commits of the default branch, in place of those that are stored.

        Raises HistoryError for the line of another project: one that has another first commit.
        """
        with self._reading() as connection:
            if self._has_line(connection, branch, line):  # as mostly: no other writer is waited for
                return
        with self._writing() as connection:
            lock(connection, Lock.LINE)
            if self._has_line(connection, branch, line):
                return
            facts = {"branch": branch, "root": line[0].id}
            connection.execute(delete(FACTS).where(FACTS.c.name.in_(facts)))
            connection.execute(insert(FACTS), [{"name": name, "value": value} for name, value in facts.items()])
            connection.execute(delete(LINE))
            connection.execute(insert(LINE), [line_row(commit) for commit in line])

    def _has_line(self, connection: Connection, branch: str, line: Sequence[LineCommit]) -> bool:
        facts: dict[str, str] = {row.name: row.value for row in connection.execute(select(FACTS))}
        root = line[0].id
        if facts.get("root", root) != root:
            raise HistoryError(
                f"{self._name} is the history of another project: its first commit is {facts['root'][:12]}",
                hint="give another --store",
            )
        last = connection.scalar(select(LINE.c.id).order_by(LINE.c.position.desc()).limit(1))
        return last == line[-1].id and facts.get("branch") == branch

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

    def payloads(self, without: Container[str] = ()) -> Iterator[tuple[str, str]]:
        """Yield the texts of all runs but some, each after its base, with their ids."""
        statement = select(RUNS.c.key, RUNS.c.payload).order_by(RUNS.c.id)
        with self._reading() as connection:
            for row in connection.execution_options(yield_per=20).execute(statement):
                if row.key not in without:
                    yield row.key, row.payload

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
        with told(self._name), snapshots(self._engine).connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with told(self._name), self._engine.execution_options(**{WRITES: True}).begin() as connection:
            yield connection

    def _has(self, connection: Connection, run: str, content: str) -> bool:
        there = connection.scalar(select(RUNS.c.content).where(RUNS.c.key == run))
        if there is not None and there != content:
            hint = "a run is never changed: make it anew"
            raise HistoryError(f"{self._name} has another run of the id {run}", hint=hint)
        return there is not None


def open_store(url: str, name: str = "") -> Store:
    """Open a store, and bring its tables to this version; `name` stands for it in errors.

    Raises UsageError for an URL that is none, HistoryError for a store that cannot be opened or is newer.
    """
    return Store(*open_database(url, name))


def _reasons_of(snapshot: Snapshot) -> ReasonOf:
    return lambda series: snapshot.levels[series].reason
