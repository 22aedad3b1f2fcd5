"""The monthly workflow of docs/workflows: its step, run on a repository with a stand-in for GitHub's own command."""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import required
import yaml
from github_repository import ROOT
from harness import Project, Result
from history_project import MB, HistoryProject


@pytest.fixture(autouse=True)
def jq() -> None:
    required.program("jq")  # of the stand-in


WORKFLOW = ROOT / "docs" / "workflows" / "monthly.yml"
# It keeps its issues in a file, and runs the jq that the real one has built in by the jq of the machine.
GH = """#!{python}
import json, pathlib, subprocess, sys
store, asked = pathlib.Path("{issues}"), sys.argv[1:]
issues = json.loads(store.read_text())
given = dict(zip(asked, asked[1:]))
body = pathlib.Path(given["--body-file"]).read_text() if "--body-file" in given else ""
if asked[:2] == ["issue", "list"]:
    subprocess.run(["jq", "-r", given["--jq"]], input=json.dumps(issues), text=True, check=True)
elif asked[:2] == ["issue", "create"]:
    issues.append({{"number": len(issues) + 1, "body": body}})
elif asked[:2] == ["issue", "edit"]:
    issues[int(asked[2]) - 1]["body"] = body
store.write_text(json.dumps(issues))
"""


class Monthly:
    """The last step of the workflow, and the issues of a repository."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.issues_file = folder / "issues.json"
        self.issues_file.write_text("[]", encoding="utf-8")
        self._command("gh", GH.format(python=sys.executable, issues=self.issues_file))
        main = "from pytest_memgate.cli.main import main; main()"
        self._command("memgate", f"#!/bin/sh\nexec '{sys.executable}' -c '{main}' \"$@\"\n")

    def _command(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run(self) -> Result:
        steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["digest"]["steps"]
        env = {"PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}", "RUNNER_TEMP": str(self.folder)}
        return self.project.command("bash", "-eo", "pipefail", "-c", steps[-1]["run"], env=env)

    @property
    def bodies(self) -> list[str]:
        return [issue["body"] for issue in json.loads(self.issues_file.read_text(encoding="utf-8"))]


@pytest.fixture
def monthly(project: Project, tmp_path: Path) -> Monthly:
    project.git("init", "-q", "-b", "main")
    (project.root / ".git" / "memgate").mkdir()
    folder = tmp_path / "runner"
    folder.mkdir()
    return Monthly(project, folder)


def measure(project: Project, monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    """Commit and measure once for each value, yesterday."""
    store = HistoryProject(project.root, url=f"sqlite:///{project.root / '.git' / 'memgate' / 'history.sqlite'}")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    monkeypatch.setenv("GIT_COMMITTER_DATE", yesterday.strftime("%Y-%m-%dT%H:%M:%SZ"))
    for value in values:
        commit = store.commit(f"use {value}")
        snapshot = store.snapshot(commit, value, run=f"run-{value}")
        store.store.add(snapshot)


def test_a_month_has_one_issue_that_is_edited(
    monthly: Monthly, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    measure(project, monkeypatch, 1 * MB, 2 * MB)
    first = monthly.run()
    assert first.code == 0, first.out
    assert len(monthly.bodies) == 1
    measure(project, monkeypatch, 5 * MB)
    assert monthly.run().code == 0
    (body,) = monthly.bodies
    assert "+3 MB" in body


def test_an_issue_of_another_month_stays_as_it_is(
    monthly: Monthly, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    old = "<!-- memgate-digest 2020-01 -->\nold"
    monthly.issues_file.write_text(json.dumps([{"number": 1, "body": old}]), encoding="utf-8")
    measure(project, monkeypatch, 1 * MB, 2 * MB)
    assert monthly.run().code == 0
    assert monthly.bodies[0] == old
    assert len(monthly.bodies) == 2


def test_a_month_in_which_nothing_was_measured_opens_none(monthly: Monthly, project: Project) -> None:
    project.write("code.py", "")
    project.commit()
    done = monthly.run()
    assert (done.code, monthly.bodies) == (0, [])
    assert "the history has no runs yet" in done.out
