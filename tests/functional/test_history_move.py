"""`memgate history move`: a history from SQLite to PostgreSQL and back, twice, and into a store of another project."""

import subprocess
import sys
from pathlib import Path

import pytest
from history_project import MB, HistoryProject
from postgres import Postgres

from pytest_memgate.history.store import open_store
from pytest_memgate.model.history import Event, EventKind
from pytest_memgate.tasks.history.runs.move import move


@pytest.fixture
def project(tmp_path: Path) -> HistoryProject:
    """A project of four measured commits, with a mark."""
    project = HistoryProject(tmp_path / "project")
    for number in range(4):
        project.measure(project.commit(f"change {number}"), (number + 1) * MB)
    project.store.add_event(Event(id="m", kind=EventKind.MARK, time="2026-11-29T10:00:00Z", text="release 2.1"))
    project.past()
    return project


def command(*args: str) -> tuple[int, str]:
    words = [sys.executable, "-m", "pytest_memgate", "history", "move", *args]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_history_moves_to_postgresql_and_back(project: HistoryProject, postgres: Postgres, tmp_path: Path) -> None:
    before, url = project.past(), postgres.database()
    assert str(move(project.url, url)) == (
        "4 new runs, 1 new event; the second one has all 4 runs and 1 event of the first store"
    )
    assert str(move(project.url, url)).startswith("no new runs, no new events;")
    move(url, str(tmp_path / "back.sqlite"))
    for there in (url, f"sqlite:///{tmp_path / 'back.sqlite'}"):
        project.store = open_store(there)
        assert project.past() == before


def test_what_is_newer_in_the_second_store_stays(project: HistoryProject, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    move(project.url, url)
    other = open_store(url)
    newer = project.snapshot(project.commit("newer"), 9 * MB)
    other.add(newer)
    line = project.past().line
    other.put_line("main", line)
    project.measure(project.head(), 5 * MB)
    assert move(project.url, url).runs == 1
    assert len(other.run_ids()) == 6
    assert other.line()[1] == line


def test_a_store_of_another_project_takes_nothing(project: HistoryProject, tmp_path: Path) -> None:
    other = HistoryProject(tmp_path / "other")
    other.measure(other.commit("of another one"), 1 * MB)
    other.past()
    code, said = command(project.url, other.url)
    assert code == 3
    assert "is the history of another project" in said
    assert len(other.store.run_ids()) == 1


def test_a_file_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    code, said = command(str(tmp_path / "none.sqlite"), str(tmp_path / "new.sqlite"))
    assert (code, said.count("\n")) == (3, 1)
    assert "there is no such store" in said
    assert list(tmp_path.iterdir()) == []
