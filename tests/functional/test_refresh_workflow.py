"""The example's workflow that refreshes baselines: the lines of its steps, run on a repository."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from github_repository import QUIET, ROOT, Origin
from harness import Project

WORKFLOW = ROOT / "example_project" / ".github" / "workflows" / "memgate-refresh.yml"
TESTS = """
    from shop.report import load

    def test_fewer():
        assert load(20000)

    def test_more():
        assert load(1000)
"""
# Stands for GitHub's own command: it writes down what it is asked for, and says that no pull request is open.
GH = """#!/bin/sh
echo "$@" >> '{asked}'
test "$1 $2" != "pr view" || {{ echo {state}; }}
"""


class Refresh:
    """The workflow, started by hand on main."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.temp = origin.folder / "runner"
        self.temp.mkdir()
        self.asked = self.temp / "gh-asked"
        self.asked.write_text("")
        self.summary = self.temp / "summary"
        self.gh("NONE")
        self.server = origin.folder / "server.git"
        origin.project.git("clone", "-q", "--bare", str(origin.project.root), str(self.server))

    def gh(self, state: str) -> None:
        """Let the pull request be of a state."""
        script = self.temp / "bin" / "gh"
        script.parent.mkdir(exist_ok=True)
        script.write_text(GH.format(asked=self.asked, state=state))
        script.chmod(0o755)

    def run(self, *, reason: str = "", form: str = "pull request") -> tuple[int, str]:
        """Run the steps of both jobs, each in a checkout of its own; return the last exit code and all output."""
        out = ""
        for job in yaml.safe_load(WORKFLOW.read_text())["jobs"].values():
            workspace = self.temp / f"workspace{len(list(self.temp.iterdir()))}"
            self.origin.project.git("clone", "-q", "-b", "main", str(self.server), str(workspace))
            for step in job["steps"]:
                if "run" in step and "pip install" not in step["run"]:
                    done = self.step(step, workspace, {"inputs.reason": reason, "inputs.as": form})
                    out += done.stdout
                    if done.returncode:
                        return done.returncode, out
        return 0, out

    def step(self, step: dict[str, Any], workspace: Path, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
        known = {**given, "github.ref_name": "main", "github.token": "the-token"}
        env = {name: known[text.strip("${ }")] for name, text in step.get("env", {}).items()}
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail"] if step.get("shell") == "bash" else ["bash", "-e"]
        folders = (str(self.temp / "bin"), str(Path(sys.executable).parent), os.environ["PATH"])
        return subprocess.run(
            [*shell, "-c", step["run"]],
            cwd=workspace,
            env={
                **os.environ,
                "PATH": os.pathsep.join(folders),
                "RUNNER_TEMP": str(self.temp),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "PYTEST_ADDOPTS": QUIET,
                "PYTHONDONTWRITEBYTECODE": "1",
                **env,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )

    def git(self, *args: str) -> str:
        return self.origin.project.git("--git-dir", str(self.server), *args)

    def values(self, branch: str) -> dict[str, int]:
        """Return the values of the tests' baselines on a branch."""
        folder = self.origin.project.baselines.relative_to(self.origin.project.root).as_posix()
        entries = yaml.safe_load(self.git("show", f"{branch}:{folder}/tests/test_shop.py.yaml"))["tests"]
        return {name: metrics["memory.peak"]["value"] for name, metrics in entries.items()}


@pytest.fixture
def refresh(project: Project) -> Refresh:
    project.write("memgate.yml", "imports: [shop.report]\n")
    project.write("shop/report.py", "def load(n):\n    return [str(i) for i in range(n)]\n")
    project.write("tests/test_shop.py", TESTS)
    project.write(".gitignore", "__pycache__\n")
    project.prepare("tests", "memgate.yml::import[shop.report]")
    origin = Origin(project)
    origin.commit("base")
    project.replace("tests/test_shop.py", "load(20000)", "load(900)")
    return Refresh(origin)


def change(refresh: Refresh, old: str, new: str) -> None:
    refresh.origin.project.replace("tests/test_shop.py", old, new)


def push(refresh: Refresh) -> None:
    refresh.origin.commit("another")
    refresh.origin.project.git("push", "-q", str(refresh.server), "main")


def test_what_fell_is_delivered_although_something_rose(refresh: Refresh) -> None:
    change(refresh, "load(1000)", "load(30000)")
    push(refresh)
    before = refresh.values("main")
    code, out = refresh.run()
    assert code == 0, out
    after = refresh.values("memgate-refresh")
    assert after["test_fewer"] < before["test_fewer"]
    assert after["test_more"] == before["test_more"]
    assert "pr create --base main --head memgate-refresh --fill" in refresh.asked.read_text()
    assert refresh.git("diff", "--name-only", "main", "memgate-refresh").split("/")[0] == ".memgate"
    for told in (out, refresh.summary.read_text(), refresh.git("log", "-1", "--format=%B", "memgate-refresh")):
        assert "raised, so not written without a reason of its own: tests/test_shop.py::test_more" in told
    assert "::warning title=memgate::Some baselines stay as they are" in out


def test_with_a_reason_what_rose_is_delivered_too(refresh: Refresh) -> None:
    change(refresh, "load(1000)", "load(30000)")
    push(refresh)
    code, out = refresh.run(reason="orders are kept", form="commit")
    assert code == 0, out
    assert refresh.values("main")["test_more"] > 1_000_000
    assert "reason: orders are kept" in refresh.git("log", "-1", "-p", "main")
    assert "::warning" not in out
    assert not refresh.summary.exists()
    assert "pr create" not in refresh.asked.read_text()


def test_a_test_that_fails_keeps_its_baseline_and_is_told(refresh: Refresh) -> None:
    change(refresh, "assert load(1000)", "assert not load(1000)")
    push(refresh)
    refresh.gh("OPEN")
    before = refresh.values("main")
    code, out = refresh.run()
    assert code == 0, out
    after = refresh.values("memgate-refresh")
    assert after["test_fewer"] < before["test_fewer"]
    assert after["test_more"] == before["test_more"]
    assert "FAILED tests/test_shop.py::test_more" in refresh.summary.read_text()
    assert "pr comment memgate-refresh --body-file" in refresh.asked.read_text()


def test_only_what_rose_delivers_nothing_and_says_why(refresh: Refresh) -> None:
    change(refresh, "load(900)", "load(20000)")
    change(refresh, "load(1000)", "load(30000)")
    push(refresh)
    code, out = refresh.run()
    assert code == 0, out
    assert "There is nothing to deliver" in out
    assert "test_more" in refresh.summary.read_text()
    assert "memgate-refresh" not in refresh.git("branch")


def test_a_configuration_that_is_wrong_stops_the_workflow(refresh: Refresh) -> None:
    refresh.origin.project.write("memgate.yml", "imports: {\n")
    push(refresh)
    code, out = refresh.run()
    assert code == 2, out
    assert "memgate-refresh" not in refresh.git("branch")
