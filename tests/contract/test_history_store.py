"""Every store keeps the same promises: whole runs or none, each once, the same history out of SQLite and PostgreSQL."""

import itertools
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from harness import DATA
from history_project import MB, PEAK, HistoryProject, series, values
from postgres import PASSWORD, Postgres
from sqlalchemy import create_engine, event, text

from pytest_memgate.errors import HistoryError
from pytest_memgate.history.database import Lock, lock
from pytest_memgate.history.read import read_past
from pytest_memgate.history.store import Store, open_store
from pytest_memgate.model.codec import encode
from pytest_memgate.model.history import Event, EventKind, Level

Databases = Callable[[], str]
_DATA = DATA / "history"
TWO = series("test_two")
MARK = Event(id="m", kind=EventKind.MARK, time="2026-11-29T10:00:00Z", text="release 2.1 ü")


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Databases:
    """Makes an empty database at each call, and returns its URL."""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        return server.database
    numbers = itertools.count(1)
    return lambda: f"sqlite:///{tmp_path / f'store{next(numbers)}.sqlite'}"


@pytest.fixture
def project(tmp_path: Path, new_url: Databases) -> HistoryProject:
    return HistoryProject(tmp_path / "project", url=new_url())


def grown(project: HistoryProject, count: int = 4) -> None:
    """Measure some commits: values, bounds, a test that goes and comes, a part, a dirty tree, a noisy metric."""
    time = series(metric="time.median", unit="s", machine="quick")
    for number in range(count):
        commit = project.commit(f"change {number}")
        levels = {PEAK: Level(value=(number + 1) * MB, baseline=1 * MB, allowed=MB, reason="ü, 'why'")}
        levels |= {TWO: Level(bound=2 * MB)} if number % 3 else {}
        sites = {PEAK: {"a.py: load": 2_000.0 + number, "b.py": 0.5}, TWO: {"b.py": 3.0}}
        project.store.add(replace(project.snapshot(commit, levels), sites=sites))
        project.measure(commit, {time: Level(value=0.25 * number, spread=0.01)}, complete=False)
        project.measure(replace(commit, dirty=True), 9 * MB)


def test_a_run_is_stored_once_and_another_of_its_id_is_refused(project: HistoryProject) -> None:
    snapshot = project.snapshot(project.commit("first"), 1 * MB, run="one")
    assert project.store.add(snapshot)
    assert not project.store.add(snapshot)
    with pytest.raises(HistoryError, match="another run of the id one; a run is never changed"):
        project.store.add(replace(snapshot, content="other"))
    assert project.store.run_ids() == ["one"]
    assert values(project.chart()) == {0: 1 * MB}


def test_another_unit_is_refused_and_nothing_of_its_run_is_stored(project: HistoryProject) -> None:
    commit = project.commit("first")
    project.measure(commit, 1 * MB)
    with pytest.raises(HistoryError, match="give the metric another name"):
        project.measure(commit, {TWO: Level(value=1.0), series(unit="ms"): Level(value=1.0)})
    assert len(project.store.run_ids()) == 1
    assert [chart.series for chart in project.past().charts] == [PEAK]


def test_a_history_is_the_same_in_each_kind_of_store(project: HistoryProject, tmp_path: Path) -> None:
    grown(project)
    project.store.add_event(MARK)
    here = project.past()
    assert here.events == (MARK,)
    assert project.chart().steps[-1].sites == {"a.py: load": 2_003.0, "b.py": 0.5}
    other = open_store(f"sqlite:///{tmp_path / 'other.sqlite'}")
    for run in project.store.run_ids():
        assert other.add_payload(project.store.payload(run))
        assert other.payload(run) == project.store.payload(run)
    other.add_event(MARK)
    stored_line = project.store.line()
    project.store = other
    assert project.past() == here
    assert other.line() == stored_line


def test_texts_come_in_any_order_that_has_bases_first(project: HistoryProject, new_url: Databases) -> None:
    commits = [project.commit(f"change {number}") for number in range(4)]
    project.measure(commits[0], {PEAK: Level(value=1 * MB), TWO: Level(value=2 * MB)})
    root, forks = project.store.payload("run-1"), []
    for number, levels in enumerate(({PEAK: Level(value=5 * MB)}, {PEAK: Level(value=MB)}, {TWO: Level(value=MB)}), 1):
        job = open_store(new_url())
        job.add_payload(root)
        job.add(project.snapshot(commits[number], levels))
        forks.append(job.payload(f"run-{number + 1}"))
    with pytest.raises(HistoryError, match="its base, run run-1, is not in"):
        open_store(new_url()).add_payload(forks[0])
    charts = []
    for order in itertools.permutations(forks):
        project.store = open_store(new_url())
        assert [project.store.add_payload(one) for one in (root, *order, root)] == [True] * 4 + [False]
        charts.append(project.past().charts)
    assert all(some == charts[0] for some in charts)


def test_events_are_kept_once_when_two_writers_bring_them(project: HistoryProject) -> None:
    stores = [open_store(project.url) for _ in range(4)]
    with ThreadPoolExecutor(len(stores)) as pool:
        assert sorted(pool.map(lambda store: store.add_event(MARK), stores)) == [False, False, False, True]
    assert project.store.events() == (MARK,)


def test_stores_that_are_opened_at_once_make_the_tables_once(new_url: Databases) -> None:
    url = new_url()
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(open_store, [url] * 4))
    assert all(store.run_ids() == [] for store in stores)


def test_writers_at_once_on_one_chain_lose_nothing(project: HistoryProject, tmp_path: Path) -> None:
    commits = [project.commit(f"change {number}") for number in range(12)]
    snapshots = [
        project.snapshot(commit, {PEAK: Level(value=number * MB), series(f"test_{number}"): Level(value=1.0)})
        for number, commit in enumerate(commits)
    ]
    stores = [open_store(project.url) for _ in range(4)]

    def write(number: int) -> None:
        for snapshot in snapshots[number::4]:
            assert stores[number].add(snapshot)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert values(project.chart()) == {number: number * MB for number in range(12)}
    copy = open_store(f"sqlite:///{tmp_path / 'copy.sqlite'}")
    for run in project.store.run_ids():  # each is a difference to the one before
        copy.add_payload(project.store.payload(run))


def test_the_line_is_stored_by_many_at_once(project: HistoryProject) -> None:
    for number in range(5):
        project.commit(f"change {number}")
    before = project.past()
    stores = [open_store(project.url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: stores[number].put_line("main", before.line[: number + 2]), range(4)))
    assert project.past() == before


def test_a_reader_sees_whole_runs_only(project: HistoryProject) -> None:
    commits = [project.commit(f"change {number}") for number in range(12)]
    project.measure(commits[0], 1 * MB)
    project.past()
    snapshots = [project.snapshot(commit, {series(f"test_{commit.id[:9]}"): Level(value=1.0)}) for commit in commits]
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [open_store(project.url).add(snapshot) for snapshot in snapshots])
        while not writing.done():
            past = project.past()
            assert len(past.charts) == len(past.runs)  # each run brings one series
        assert all(writing.result())


_KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from harness import DATA
from history_project import PEAK, series
from sqlalchemy import event
from pytest_memgate.history.levels.snapshot import Snapshot
from pytest_memgate.history.read import read_past
from pytest_memgate.history.store import open_store
from pytest_memgate.model.codec import encode
from pytest_memgate.model.history import Level, RunRecord
from pytest_memgate.model.provenance import Commit
store = open_store(sys.argv[1])

@event.listens_for(store._engine, "before_cursor_execute")
def about(connection, cursor, statement, *_):
    if statement.lower().startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

record = RunRecord(id="killed", environment="linux", commit=Commit(id="a", tree="b"))
levels = {PEAK: Level(value=5e6), series("test_new"): Level(value=1.0)}
store.add(Snapshot(record=record, content="killed", levels=levels))
"""


@pytest.mark.parametrize("statement", ["insert into series", "insert into points", "delete from tips", "update chains"])
def test_a_writer_that_is_killed_leaves_nothing_half_written(project: HistoryProject, statement: str) -> None:
    project.measure(project.commit("first"), 1 * MB)
    before = project.past()
    tests = str(Path(__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", _KILLED, project.url, statement, tests], check=False)
    assert done.returncode == -9
    assert project.past() == before
    assert project.store.run_ids() == ["run-1"]
    project.measure(project.commit("second"), 2 * MB)
    assert values(project.chart()) == {0: 1 * MB, 1: 2 * MB}


def test_a_newer_store_is_refused(project: HistoryProject) -> None:
    engine = create_engine(project.url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    with pytest.raises(HistoryError, match="of version 9999, newer than this memgate knows; upgrade") as caught:
        open_store(project.url)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_text_that_a_database_cannot_keep_is_one_line_or_is_kept(project: HistoryProject, name: str) -> None:
    project.measure(project.commit("first"), 1 * MB)
    odd = series(name)
    told = ""
    try:
        project.measure(project.head(), {odd: Level(value=1.0)}, complete=False)
    except HistoryError as error:
        told = str(error)
    assert "\n" not in told
    assert (odd in [chart.series for chart in project.past().charts]) is not bool(told)
    assert len(project.store.run_ids()) == 2 - bool(told)


def test_a_store_of_the_first_release_gives_the_charts_that_it_gave_then(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.sqlite")) as old:
        old.executescript((_DATA / "sqlite-0001.sql").read_text(encoding="utf-8"))
    past = read_past(open_store(f"sqlite:///{tmp_path / 'old.sqlite'}"))
    assert encode(past) == json.loads((_DATA / "sqlite-0001.past.json").read_text(encoding="utf-8"))


def test_a_connection_that_is_lost_in_the_middle_is_one_line_and_the_run_can_be_added_again(
    postgres: Postgres, tmp_path: Path
) -> None:
    project = HistoryProject(tmp_path / "project", url=postgres.database())
    snapshot = project.snapshot(project.commit("first"), 1 * MB)
    _lost_at(project.store, "insert into points", postgres)
    with pytest.raises(HistoryError, match=r"terminating connection.*; nothing of it was written") as caught:
        project.store.add(snapshot)
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert project.store.run_ids() == []
    assert project.store.add(snapshot)
    assert values(project.chart()) == {0: 1 * MB}


def test_a_writer_that_hangs_stops_the_others_for_a_limited_time(postgres: Postgres, tmp_path: Path) -> None:
    project = HistoryProject(tmp_path / "project", url=postgres.database())
    snapshot = project.snapshot(project.commit("first"), 1 * MB)
    with project.store._engine.begin() as connection:
        assert connection.scalar(text("show lock_timeout")) == "1min"
    name = project.store._engine.url.database
    postgres.execute(f"alter database {name} set lock_timeout = '200ms'")  # of the server's own: it counts
    with project.store._engine.begin() as hanging:
        lock(hanging, Lock.RUNS)
        with pytest.raises(HistoryError, match=r"lock timeout.*; another process writes to it"):
            project.store.add(snapshot)
    assert project.store.run_ids() == []
    assert project.store.add(snapshot)


def _lost_at(store: Store, statement: str, postgres: Postgres) -> None:
    """End all connections to a store's database right before one statement, once."""
    lost: list[str] = []

    @event.listens_for(store._engine, "before_cursor_execute")
    def about(*given: object) -> None:
        if str(given[2]).lower().startswith(statement) and not lost:
            name = store._engine.url.database
            lost.append(statement)
            postgres.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")


def test_a_server_that_refuses_is_one_line_without_the_password(postgres: Postgres) -> None:
    good = postgres.database()
    wrong = good.replace(PASSWORD, "guessed-it")
    for url, why in {
        wrong: "password authentication failed",
        good.replace(str(postgres.port), "1"): "refused",
        postgres.url("nowhere"): 'database "nowhere" does not exist',
    }.items():
        with pytest.raises(HistoryError, match=why) as caught:
            open_store(url)
        words = str(caught.value)
        assert "\n" not in words
        assert "guessed-it" not in words
        assert PASSWORD not in words


def test_runs_that_are_taken_out_leave_the_others_as_they_were(project: HistoryProject) -> None:
    grown(project, 5)
    before = {chart.series: dict(chart.levels()) for chart in project.past().charts}
    first, second, *others = project.store.run_ids()
    project.store.prune({first, second})
    assert project.store.run_ids() == others
    assert project.store.pruned() == {first, second}
    for chart in project.past().charts:
        assert all(before[chart.series][position] == level for position, level in chart.levels())
