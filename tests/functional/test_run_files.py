"""What a run's file says, and what the commands make of it: the verdict, the difference, where it comes from."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from harness import Project, Result

ROOT = Path(__file__).parents[2]
_ONE = "from work import load\n\ndef test_one():\n    load(1000)\n"
_TWO = "\ndef test_two():\n    load(2000)\n"
_GROWN = _ONE.replace("1000", "9000")


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with one test and its baseline, committed."""
    project.write("test_it.py", _ONE)
    project.prepare()
    project.commit()
    return project


def _gate(project: Project, name: str, *args: str) -> Result:
    """Run the gate and keep the run's file below the project, by a name."""
    result = project.gate(*args)
    shutil.copy(project.root.parent / "run.json", project.root / name)
    return result


def _said(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("memgate: ")]


def test_the_verdict_of_a_runs_file_is_that_of_the_terminal(shop: Project) -> None:
    green = _gate(shop, "green.json")
    shop.write("test_it.py", _GROWN)
    red = _gate(shop, "red.json")
    _gate(shop, "update.json", "--memgate-update")
    for result, name, code in ((green, "green.json", 0), (red, "red.json", 1)):
        told = shop.memgate("verdict", name)
        assert told.code == code
        assert told.out.splitlines()[-1] == _said(result.out)[-1]
    update = shop.memgate("verdict", "update.json")
    assert (update.code, "an update, which judges nothing" in update.out) == (2, True)


def test_the_verdict_is_no_answer_where_no_run_was_written(shop: Project) -> None:
    shop.write("conftest.py", "import os\n\ndef pytest_runtest_setup(): os._exit(0)\n")
    assert shop.pytest("--memgate", "--memgate-report=run.json").code == 0
    told = shop.memgate("verdict", "run.json")
    assert told.code == 3
    assert told.out == "memgate: run.json: No such file or directory; name a file of --memgate-report\n"


def test_a_test_that_failed_by_itself_is_no_green_verdict(shop: Project) -> None:
    shop.write("test_other.py", "def test_fails(): assert False\n")
    _gate(shop, "run.json")
    told = shop.memgate("verdict", "run.json")
    assert told.code == 1
    assert "1 test failed by itself" in told.out


def test_two_bounds_are_no_growth(shop: Project) -> None:
    one = _gate(shop, "one.json")
    shop.write("test_it.py", _ONE + _TWO)
    shop.prepare()
    two = _gate(shop, "two.json")
    assert one.finding("test_one")["bound"] < two.finding("test_one")["bound"]  # of both tests together
    told = shop.memgate("diff", "one.json", "two.json").out
    assert re.fullmatch(r"test_it.py::test_one  memory.peak <= [\d.]+ KB -> <= [\d.]+ KB, both within\n", told), told


def test_a_bound_has_a_field_of_its_own_in_every_form(shop: Project) -> None:
    result = _gate(shop, "run.json", "--junitxml=junit.xml")
    finding = result.finding("test_one")
    bound = finding["bound"]
    assert not {"value", "growth"} & finding.keys()
    assert finding["measurement"]["bound"] == bound
    assert "value" not in finding["measurement"]
    properties = ET.parse(shop.root / "junit.xml").iter("property")
    (told,) = (json.loads(one.attrib["value"]) for one in properties if one.attrib["name"] == "memgate.memory.peak")
    assert (told["measurement"]["bound"], "value" in told["measurement"]) == (bound, False)
    metrics = shop.memgate("report", "run.json", "--format", "openmetrics").out
    assert re.search(r"^memgate_bound\{.*test_one", metrics, re.MULTILINE)
    assert "memgate_value{" not in metrics


def _provenance(project: Project, *args: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = project.gate(*args, env=env).run["provenance"]
    return found


def test_the_file_says_which_commit_was_measured_when_and_where(shop: Project, workers: tuple[str, ...]) -> None:
    shop.write("README", "more")
    shop.commit("a second one")
    found = _provenance(shop, *workers, env={"CI_JOB_URL": "https://ci.example/4711"})
    commit = found["commit"]
    assert commit == {
        "id": shop.git("rev-parse", "HEAD").strip(),
        "tree": shop.git("rev-parse", "HEAD^{tree}").strip(),
        "parent": shop.git("rev-parse", "HEAD^").strip(),
        "branch": "main",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["start"])
    assert found["start"] <= found["end"]
    assert found["ci"] == "https://ci.example/4711"
    assert found["machine"]["cores"] >= 1
    assert found["machine"]["memory"] > 10**8
    assert found["versions"]["python"] == sys.version.split()[0]
    assert {"pytest", "memray", "pytest-memgate"} <= found["versions"].keys()
    shop.write("test_it.py", _ONE + "\n# changed\n")
    assert _provenance(shop, *workers)["commit"]["dirty"] is True


def test_a_project_without_git_has_a_run_all_the_same(project: Project) -> None:
    project.write("test_it.py", _ONE)
    project.update()
    assert "commit" not in _provenance(project)
    project.git("init", "-q")
    assert "commit" not in _provenance(project)  # a repository without a commit
    without = _provenance(project, env={"PATH": "/nowhere"})
    assert "commit" not in without
    assert without["versions"]["pytest"]


def test_broken_files_are_one_line_each_through_every_command() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "fuzz.py", "--runs", "150", "--seed", "18"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 of 150 cases at fault" in done.stdout
