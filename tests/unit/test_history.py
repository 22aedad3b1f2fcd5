"""What a history says of commits: squashes, reverts, forks, machines, bounds, and runs that were added in any order."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from history_project import MB, PEAK, HistoryProject, series, values

from pytest_memgate.errors import HistoryError
from pytest_memgate.history.read import read_past
from pytest_memgate.history.store import Store, open_store
from pytest_memgate.model.history import Chart, Event, EventKind, Level
from pytest_memgate.model.provenance import Commit


@pytest.fixture
def project(tmp_path: Path) -> HistoryProject:
    return HistoryProject(tmp_path / "project")


def other_store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'other.sqlite'}")


def test_values_stand_in_the_order_of_commits_not_of_runs(project: HistoryProject) -> None:
    commits = [project.commit(f"change {number}") for number in range(3)]
    for number in (2, 0, 1):
        project.measure(commits[number], (number + 1) * MB)
    assert values(project.chart()) == {0: 1 * MB, 1: 2 * MB, 2: 3 * MB}


def test_an_unchanged_value_holds_at_each_measured_commit_and_is_stored_once(project: HistoryProject) -> None:
    commits = [project.commit(f"change {number}") for number in range(4)]
    for commit in (commits[0], commits[1], commits[3]):
        project.measure(commit, 1 * MB)
    chart = project.chart()
    assert [step.position for step in chart.steps] == [0]
    assert chart.measured == (0, 1, 3)


def test_a_difference_within_the_noise_is_no_step_but_many_of_them_are_one(project: HistoryProject) -> None:
    for number in range(5):
        project.measure(project.commit(f"change {number}"), 1 * MB + number * 4_000)
    assert values(project.chart()) == {0: 1 * MB, 1: 1 * MB, 2: 1 * MB, 3: 1_012_000, 4: 1_012_000}


def test_a_squashed_branch_keeps_what_was_measured(project: HistoryProject) -> None:
    project.measure(project.commit("first"), 1 * MB)
    project.git("switch", "-qc", "feature")
    project.commit("one half")
    head = project.commit("other half")
    project.measure(head, 2 * MB)
    assert values(project.chart()) == {0: 1 * MB}
    assert [level.level.value for level in project.chart().lanes["feature"]] == [2 * MB]
    project.git("switch", "-q", "main")
    project.git("merge", "-q", "--squash", "feature")
    project.git("commit", "-qm", "the feature")
    assert values(project.chart()) == {0: 1 * MB, 1: 2 * MB}
    assert project.chart().lanes == {}


def test_a_revert_has_the_values_of_the_commit_before(project: HistoryProject) -> None:
    project.measure(project.commit("first", "a"), 1 * MB)
    project.measure(project.commit("grow", "b"), 2 * MB)
    project.commit("revert", "a")
    assert values(project.chart()) == {0: 1 * MB, 1: 2 * MB, 2: 1 * MB}


def test_the_run_of_the_commit_itself_counts_before_that_of_a_commit_with_the_same_files(
    project: HistoryProject,
) -> None:
    first = project.commit("first", "a")
    project.measure(project.commit("grow", "b"), 2 * MB)
    reverted = project.commit("revert", "a")
    project.measure(reverted, 3 * MB)
    project.measure(first, 1 * MB)
    assert values(project.chart()) == {0: 1 * MB, 1: 2 * MB, 2: 3 * MB}


@pytest.mark.parametrize("what", ["dirty", "fork"])
def test_a_dirty_tree_and_a_fork_are_beside_the_line_for_ever(project: HistoryProject, what: str) -> None:
    commit = project.commit("first")
    project.measure(commit, 1 * MB)
    project.measure(replace(commit, dirty=what == "dirty", fork=what == "fork"), 5 * MB)
    assert values(project.chart()) == {0: 1 * MB}
    assert [[one.level.value for one in lane] for lane in project.chart().lanes.values()] == [[5 * MB]]


def test_a_pull_request_does_not_disturb_the_line(project: HistoryProject) -> None:
    first = project.commit("first")
    project.measure(first, 1 * MB)
    project.git("switch", "-qc", "feature")
    project.measure(project.commit("try"), 9 * MB)
    project.git("switch", "-q", "main")
    project.measure(project.commit("second"), 1 * MB)
    assert values(project.chart()) == {0: 1 * MB, 1: 1 * MB}
    assert len(project.chart().steps) == 1


def test_a_bound_is_never_a_value_and_a_value_counts_before_it(project: HistoryProject) -> None:
    commits = [project.commit(f"change {number}") for number in range(3)]
    project.measure(commits[0], {PEAK: Level(value=1 * MB)})
    for commit in commits:
        project.measure(commit, {PEAK: Level(bound=1.1 * MB)})
    levels = dict(project.chart().levels())
    assert levels[0] == Level(value=1 * MB)
    assert levels[1] == levels[2] == Level(bound=1.1 * MB)


def test_machines_are_series_of_their_own_for_times_and_none_for_memory(project: HistoryProject) -> None:
    quick, slow = series(metric="time.median", machine="quick"), series(metric="time.median", machine="slow")
    for number, time in enumerate((quick, slow, quick, slow)):
        commit = project.commit(f"change {number}")
        levels = {PEAK: Level(value=1 * MB), time: Level(value=float(number + 1))}
        project.store.add(project.snapshot(commit, levels, machine=time.machine))
    assert values(project.chart(quick)) == {0: 1, 2: 3}
    assert values(project.chart(slow)) == {1: 2, 3: 4}
    assert values(project.chart()) == dict.fromkeys(range(4), 1 * MB)


def test_a_test_that_is_gone_ends_and_what_only_part_of_a_run_measured_does_not(project: HistoryProject) -> None:
    two = series("test_two")
    commits = [project.commit(f"change {number}") for number in range(4)]
    project.measure(commits[0], {PEAK: Level(value=1 * MB), two: Level(value=2 * MB)})
    project.measure(commits[1], {PEAK: Level(value=3 * MB)}, complete=False)
    project.measure(commits[2], {PEAK: Level(value=1 * MB)})
    assert values(project.chart()) == {0: 1 * MB, 1: 3 * MB, 2: 1 * MB}
    assert project.chart(two).steps[-1].level.is_gone
    assert project.chart(two).latest is None
    project.measure(commits[3], {PEAK: Level(value=1 * MB), two: Level(value=2 * MB)})
    assert values(project.chart(two)) == {0: 2 * MB, 2: None, 3: 2 * MB}


def test_a_test_that_retains_nothing_any_more_has_not_lost_its_series(project: HistoryProject) -> None:
    retained = series(metric="memory.retained")
    project.measure(project.commit("leak"), {PEAK: Level(value=1 * MB), retained: Level(value=MB)})
    project.measure(project.commit("mended"), {PEAK: Level(value=1 * MB)})
    assert values(project.chart(retained)) == {0: MB, 1: 0}


def test_a_run_is_stored_once_and_another_of_its_id_is_refused(project: HistoryProject) -> None:
    commit = project.commit("first")
    snapshot = project.snapshot(commit, 1 * MB, run="one")
    assert project.store.add(snapshot)
    assert not project.store.add(snapshot)
    with pytest.raises(HistoryError, match="another run of the id one; a run is never changed"):
        project.store.add(replace(snapshot, content="other"))
    assert project.store.run_ids() == ["one"]


def test_a_metric_in_another_unit_is_refused_and_nothing_of_its_run_is_stored(project: HistoryProject) -> None:
    commit = project.commit("first")
    project.measure(commit, {PEAK: Level(value=1 * MB)})
    other = series("test_one", unit="ms")
    with pytest.raises(HistoryError, match=r"memory\.peak: in ms here, and in B in .*give the metric another name"):
        project.measure(commit, {series("test_new"): Level(value=1.0), other: Level(value=1.0)})
    assert len(project.store.run_ids()) == 1
    assert len(project.past().charts) == 1


def test_any_order_that_has_bases_first_gives_the_same_history(project: HistoryProject, tmp_path: Path) -> None:
    """Two jobs start from one base and know nothing of each other: as two pushes to the default branch at once."""
    two = series("test_two")
    commits = [project.commit(f"change {number}") for number in range(4)]
    project.measure(commits[0], {PEAK: Level(value=1 * MB), two: Level(value=2 * MB)})
    root = project.store.payload("run-1")
    forks = []
    for number, levels in enumerate(
        [
            {PEAK: Level(value=5 * MB), two: Level(value=2 * MB)},
            {PEAK: Level(value=1.005 * MB), series("test_three"): Level(value=3 * MB)},
            {two: Level(value=2 * MB, baseline=2 * MB, reason="because")},
        ],
        1,
    ):
        job = open_store(f"sqlite:///{tmp_path / f'job{number}.sqlite'}")
        job.add_payload(root)
        snapshot = project.snapshot(commits[number], levels)
        job.add(snapshot)
        forks.append(job.payload(snapshot.record.id))
    charts: list[tuple[Chart, ...]] = []
    for order in itertools.permutations(forks):
        store = open_store(f"sqlite:///{tmp_path / f'all{len(charts)}.sqlite'}")
        assert store.add_payload(root)
        assert all(store.add_payload(text) for text in order)
        assert not any(store.add_payload(text) for text in order)
        project.store = store
        charts.append(project.past().charts)
    assert all(some == charts[0] for some in charts)
    peak = next(chart for chart in charts[0] if chart.series == PEAK)
    assert values(peak) == {0: 1 * MB, 1: 5 * MB, 2: 1 * MB, 3: None}


def test_a_store_moved_by_its_texts_is_the_same(project: HistoryProject, tmp_path: Path) -> None:
    retained = series(metric="memory.retained")
    for number in range(6):
        levels = {PEAK: Level(value=(1 + number % 3) * MB, limit=9.5 * MB, reason="r" * (number // 3))}
        levels |= {retained: Level(bound=7.25 * MB)} if number % 2 else {}
        project.measure(project.commit(f"change {number}"), levels)
    before = project.past()
    copy = other_store(tmp_path)
    for run in project.store.run_ids():
        copy.add_payload(project.store.payload(run))
    project.store = copy
    assert project.past() == before


def test_a_run_without_its_base_and_a_broken_one_are_refused(project: HistoryProject, tmp_path: Path) -> None:
    project.measure(project.commit("first"), 1 * MB)
    project.measure(project.commit("second"), 2 * MB)
    copy = other_store(tmp_path)
    with pytest.raises(HistoryError, match="a run: its base, run run-1, is not in"):
        copy.add_payload(project.store.payload("run-2"), "a run")
    first = project.store.payload("run-1")
    for text, why in {
        first[:-20]: "not a run of a history",
        first.replace('"format":1', '"format":2'): "format 2 is newer",
        first.replace("1000000", "NaN"): "NaN is no number",
        first.replace("1000000", '"much"'): "value is 'much'",
        "[]": "not a run of a history",
    }.items():
        with pytest.raises(HistoryError, match=why):
            copy.add_payload(text, "a run")
    assert copy.run_ids() == []


def test_events_are_kept_in_their_order_and_once(project: HistoryProject) -> None:
    mark = Event(id="m", kind=EventKind.MARK, time="2026-11-29T10:00:00Z", text="release 2.1")
    assert project.store.add_event(mark)
    assert not project.store.add_event(mark)
    assert project.store.events() == (mark,)


def test_the_history_of_another_project_is_refused(project: HistoryProject, tmp_path: Path) -> None:
    project.commit("first")
    project.past()
    other = HistoryProject(tmp_path / "other", url=project.url)
    other.commit("of another project")
    with pytest.raises(HistoryError, match="is the history of another project"):
        other.past()


def test_a_rewritten_branch_keeps_its_old_runs_beside_the_line(project: HistoryProject) -> None:
    project.measure(project.commit("first"), 1 * MB)
    project.measure(project.commit("second"), 2 * MB)
    project.past()
    project.git("reset", "-q", "--hard", "HEAD~1")
    project.measure(project.commit("second again", "other"), 3 * MB)
    chart = project.chart()
    assert values(chart) == {0: 1 * MB, 1: 3 * MB}
    assert [one.level.value for one in chart.lanes["main"]] == [2 * MB]


def test_a_run_without_a_commit_of_the_line_has_a_lane(project: HistoryProject) -> None:
    project.commit("first")
    project.measure(Commit(id="c" * 40, tree="d" * 40), 1 * MB)
    assert list(project.chart().lanes) == ["c" * 12]


def test_a_newer_store_is_refused(project: HistoryProject) -> None:
    import sqlite3

    with sqlite3.connect(project.url.removeprefix("sqlite:///")) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    with pytest.raises(HistoryError, match="of version 9999, newer than this memgate knows; upgrade pytest-memgate"):
        open_store(project.url)


@pytest.mark.parametrize("url", ["nonsense", "mysterious://host/name", "mysql://host/name", ""])
def test_an_address_that_is_none_is_told(url: str) -> None:
    from pytest_memgate.errors import UsageError

    with pytest.raises(UsageError, match="not the address of a SQLite or PostgreSQL database"):
        open_store(url)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words " * 500, encoding="utf-8")
    with pytest.raises(HistoryError, match="file is not a database; give another --store"):
        open_store(f"sqlite:///{tmp_path / 'file'}")


def test_what_a_test_left_never_before_is_a_step_up_and_one_that_it_leaves_no_more_a_step_down(
    project: HistoryProject,
) -> None:
    retained = series(metric="memory.retained")
    other = series("test_other", metric="memory.retained")
    commits = [project.commit(f"change {number}") for number in range(4)]
    for number, commit in enumerate(commits):
        levels = {PEAK: Level(value=MB), other: Level(value=5 * MB)}
        if number == 2:
            levels[retained] = Level(value=MB, baseline=0, allowed=MB / 10)
        project.measure(commit, levels)
    assert values(project.chart(retained)) == {0: 0, 1: 0, 2: MB, 3: 0}
    assert project.chart(retained).latest == Level(value=0, baseline=0, allowed=MB / 10)
    assert values(project.chart(other)) == dict.fromkeys(range(4), 5 * MB)
    (alone,) = read_past(project.store, (project.past().branch, project.past().line), only=[retained.id]).charts
    assert alone == project.chart(retained)
