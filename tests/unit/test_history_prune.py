"""Old runs that are taken out of a store: what goes, what stays, and that what stays says the same."""

from pathlib import Path

import pytest
from history_project import MB, PEAK, HistoryProject, series, values

from pytest_memgate.errors import UsageError
from pytest_memgate.history.store import open_store
from pytest_memgate.model.history import Event, EventKind, Level
from pytest_memgate.tasks.history.opened import Opened, open_history
from pytest_memgate.tasks.history.runs.prune import planned, prune
from pytest_memgate.tasks.history.runs.sync import sync

TWO = series("test_two")


@pytest.fixture
def project(tmp_path: Path) -> HistoryProject:
    """Ten commits with one run each; test_two is gone from the fourth on, and the second one is a release."""
    project = HistoryProject(tmp_path / "project")
    for number in range(10):
        peak = Level(value=(1 + number) * MB, baseline=(1 + number) * MB, reason=f"because {number}")
        levels = {PEAK: peak} | ({TWO: Level(value=2 * MB)} if number < 4 else {})
        snapshot = project.snapshot(project.commit(f"change {number}"), levels, run=f"{number:032x}")
        project.store.add(snapshot, lambda one, levels=levels: levels[one].reason)  # type: ignore[misc]
    release = project.git("rev-parse", "HEAD~8")
    project.store.add_event(Event(id="m", kind=EventKind.MARK, time="2026-11-29T10:00:00Z", commit=release, text="1.0"))
    project.past()
    return project


def opened(project: HistoryProject) -> Opened:
    return open_history(project.root, url=project.url, environ={})


def test_what_would_go_is_told_and_what_stays_says_the_same(project: HistoryProject) -> None:
    before = {series: chart for chart in project.past().charts if (series := chart.series)}
    plan = planned(opened(project), "HEAD~4")
    assert str(plan).startswith("4 of 10 runs would go")
    assert "1 older run stays: at releases" in str(plan)
    assert len(project.store.run_ids()) == 10
    prune(opened(project), plan)
    assert [int(run, 16) for run in project.store.run_ids()] == [1, 5, 6, 7, 8, 9]
    chart = project.chart()
    assert values(chart) == {at: (1 + at) * MB for at in (1, 5, 6, 7, 8, 9)}
    for position, level in chart.levels():
        assert level == dict(before[PEAK].levels())[position]
    assert values(project.chart(TWO)) == {1: 2 * MB, 5: None, 6: None, 7: None, 8: None, 9: None}
    assert project.store.line()[1] == project.past().line


def test_a_pruned_store_takes_new_runs_and_moves_like_any_other(project: HistoryProject, tmp_path: Path) -> None:
    prune(opened(project), planned(opened(project), "HEAD~4"))
    project.measure(project.commit("one more"), 20 * MB)
    copy = open_store(f"sqlite:///{tmp_path / 'copy.sqlite'}")
    copy.add_payloads((text, run) for run, text in project.store.payloads())
    before = project.chart()
    project.store = copy
    assert project.chart() == before
    assert values(before)[10] == 20 * MB


def test_the_git_ref_keeps_all_and_does_not_bring_back_what_went(project: HistoryProject) -> None:
    sync(opened(project))
    prune(opened(project), planned(opened(project), "HEAD~4"))
    assert (sync(opened(project)).came, len(project.store.run_ids())) == (0, 6)
    fresh = open_history(project.root, url=f"sqlite:///{project.root / '.git' / 'fresh.sqlite'}", environ={})
    sync(fresh)
    assert len(fresh.store.run_ids()) == 10


def test_the_side_of_an_open_change_stays(project: HistoryProject) -> None:
    grown = Level(value=50 * MB, baseline=4 * MB)
    for number, level in ((3, None), (10, grown)):
        if level:
            project.measure(project.commit(f"change {number}"), {PEAK: level})
    plan = planned(opened(project), "HEAD")
    assert f"{9:032x}" not in plan.drop


def test_an_unknown_commit_is_told(project: HistoryProject) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        planned(opened(project), "nowhere")
