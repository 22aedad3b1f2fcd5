"""A history for another board: promtool of a real Prometheus takes it."""

import subprocess
from pathlib import Path

import required
from history_project import MB, PEAK, HistoryProject

from pytest_memgate.model.history import Level
from pytest_memgate.report.history.openmetrics import openmetrics


def test_prometheus_takes_each_commit_at_its_time_and_knows_its_name(tmp_path: Path) -> None:
    promtool = required.program("promtool", "prometheus")
    project = HistoryProject(tmp_path / "project")
    commits = [project.commit(f"change {number}") for number in range(3)]  # within one second: times have to rise
    project.measure(commits[0], {PEAK: Level(value=1 * MB, baseline=1 * MB, allowed=0.2 * MB)})
    project.measure(commits[1], {PEAK: Level(bound=1.1 * MB, baseline=1 * MB, allowed=0.2 * MB)})
    project.measure(commits[2], {PEAK: Level(value=3 * MB, baseline=1 * MB, allowed=0.2 * MB)})
    text = openmetrics(project.past())
    file = tmp_path / "history.om"
    file.write_text(text, encoding="utf-8")
    made = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(file), str(tmp_path / "blocks")]
    subprocess.run(made, check=True, capture_output=True)
    (tmp_path / "blocks" / "wal").mkdir()  # a database has one; promtool makes only blocks
    query = [promtool, "tsdb", "dump", str(tmp_path / "blocks")]
    dumped = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    values = [line.split()[-2] for line in dumped.splitlines() if "memgate_value" in line]
    assert values == ["1e+06", "3e+06"]
    assert [line.split()[-2] for line in dumped.splitlines() if "memgate_bound" in line] == ["1.1e+06"]
    assert {line.split()[-2] for line in dumped.splitlines() if "memgate_budget" in line} == {"1.2e+06"}
    assert all(f'# {{commit="{commit.id}"}}' in text for commit in commits)
