"""The dashboard of docs/history: each of its queries, asked of a real PostgreSQL with a history in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from history_project import MB, PEAK, HistoryProject, series
from postgres import Postgres

from pytest_memgate.model.history import Event, EventKind, Level

DASHBOARD = json.loads((Path(__file__).parents[2] / "docs" / "history" / "grafana.json").read_text(encoding="utf-8"))
_FILTER = re.compile(r"\$__timeFilter\(((?:[^()]|\([^()]*\)|\((?:[^()]|\([^()]*\))*\))*)\)")
TWO = series("test_two")


@pytest.fixture
def project(tmp_path: Path, postgres: Postgres) -> HistoryProject:
    project = HistoryProject(tmp_path / "project", url=postgres.database())
    for number in range(4):
        peak = Level(value=(1 + number // 2) * MB, baseline=1 * MB, allowed=0.2 * MB)
        other = Level(bound=5 * MB) if number % 2 else Level(value=2 * MB)
        project.measure(project.commit(f"change {number}"), {PEAK: peak, TWO: other})
    project.store.add_event(Event(id="a" * 32, kind=EventKind.MARK, time="2026-11-30T10:00:00Z", text="release 1"))
    project.past()
    return project


def asked(project: HistoryProject, sql: str) -> list[tuple[Any, ...]]:
    """What a query gives, with Grafana's own words replaced as it replaces them."""
    plain = _FILTER.sub(r"\1 BETWEEN '2000-01-01' AND '2100-01-01'", sql)
    plain = plain.replace("$series", f"'{PEAK.id}','{TWO.id}'")
    assert "$" not in plain
    with project.store.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(plain.replace("%", "%%"))]


def queries(title: str) -> Iterator[str]:
    panel = next(one for one in DASHBOARD["panels"] if one["title"] == title)
    yield from (target["rawSql"] for target in panel["targets"])


def test_values_bounds_and_budgets_are_those_of_the_commits(project: HistoryProject) -> None:
    value, bound, budget = ([row[1:] for row in asked(project, sql)] for sql in queries("Value, bound and budget"))
    assert sorted(value) == [
        *[("test_one memory.peak value", amount * MB) for amount in (1, 1, 2, 2)],
        *[("test_two memory.peak value", 2 * MB)] * 2,
    ]
    assert bound == [("test_two memory.peak bound", 5 * MB)] * 2
    assert set(budget) == {("test_one memory.peak budget", 1.2 * MB)}


def test_steps_name_their_commit_and_runs_and_marks_are_there(project: HistoryProject) -> None:
    (steps,) = queries("Steps")
    (step,) = asked(project, steps)
    assert (step[0], step[3:]) == ("test_one memory.peak", ("Ann", "change 2", 1 * MB, 2 * MB, 1 * MB, ""))
    (runs,) = queries("Runs")
    assert [row[1] for row in asked(project, runs)] == [3, 2, 1, 0]
    (mark,) = asked(project, DASHBOARD["annotations"]["list"][0]["target"]["rawSql"])
    assert mark[1] == "release 1"
    names = asked(project, DASHBOARD["templating"]["list"][1]["query"])
    assert names[0] == ("tests/test_a.py::test_one memory.peak (linux)", PEAK.id)
