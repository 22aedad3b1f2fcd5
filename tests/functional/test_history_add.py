"""`memgate history add` and `backfill`: runs of real commits into a store, and files that do not belong there."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import Project, Result
from history_project import values

from pytest_memgate.history.git.line import default_branch, first_parents
from pytest_memgate.history.read import read_past
from pytest_memgate.history.store import open_store
from pytest_memgate.model.history import Past

_TEST = "from work import load\n\ndef test_one():\n    load(20_000)\n"


@pytest.fixture
def shop(project: Project) -> Project:
    """A project of one commit and a run of it, `run.json`."""
    project.write(".gitignore", "*.json\n__pycache__\n")
    project.write("test_it.py", _TEST)
    project.commit("first")
    measure(project, "run.json")
    return project


def measure(project: Project, name: str, *args: str) -> None:
    project.pytest("--memgate", "--memgate-measure=exact", f"--memgate-report={name}", *args)
    assert (project.root / name).exists()


def add(project: Project, *names: str, env: dict[str, str] | None = None) -> Result:
    return project.memgate("history", "add", *names, env=env)


def past(project: Project, url: str = "") -> Past:
    branch = default_branch(project.root)
    store = open_store(url or f"sqlite:///{project.root / '.git' / 'memgate' / 'history.sqlite'}")
    return read_past(store, (branch, first_parents(project.root, branch)))


def change(project: Project, name: str, edit: Callable[[Any], None], *, to: str = "changed.json") -> str:
    """Write a run's file anew, with something in it changed; return its name."""
    data = json.loads((project.root / name).read_text(encoding="utf-8"))
    edit(data)
    (project.root / to).write_text(json.dumps(data), encoding="utf-8")
    return to


def test_runs_of_commits_become_a_chart_and_the_work_tree_stays_as_it_is(shop: Project) -> None:
    shop.replace("test_it.py", "20_000", "60_000")
    shop.commit("grow")
    measure(shop, "grown.json")
    done = add(shop, "grown.json", "run.json")
    head = shop.git("rev-parse", "HEAD")[:12]
    assert done.code == 0, done.out
    assert f"grown.json: 1 value of {head}\n" in done.out
    (chart,) = past(shop).charts
    assert str(chart.series) == "test_it.py::test_one memory.peak"
    before, after = values(chart).values()
    assert 1_000_000 < (before or 0) < 1_500_000
    assert (after or 0) > 3_000_000
    assert any("work.py" in site for site in chart.steps[1].sites)
    assert shop.git("status", "--porcelain") == ""
    assert "already there" in add(shop, "run.json").out


def test_what_is_in_no_commit_is_beside_the_line(shop: Project) -> None:
    shop.replace("test_it.py", "20_000", "60_000")
    measure(shop, "dirty.json")
    assert "with changes that are in no commit: beside the line" in add(shop, "dirty.json", "run.json").out
    (chart,) = past(shop).charts
    assert (list(chart.lanes), len(chart.steps)) == (["dirty tree"], 1)


def test_old_commits_are_measured_now(shop: Project) -> None:
    shop.replace("test_it.py", "20_000", "60_000")
    shop.commit("grow")
    shop.write("test_it.py", "def test_one(:\n")
    shop.commit("broken")
    shop.write("test_it.py", _TEST)
    shop.commit("mended")
    first = shop.git("rev-list", "--max-parents=0", "HEAD").strip()
    done = shop.memgate("history", "backfill", f"{first}..HEAD", "-p", "no:randomly")
    assert done.code == 3
    said = re.sub(r"[0-9a-f]{12}", "COMMIT", done.out)
    # The first commit and the last one have the same files: each is measured all the same.
    assert said.startswith("memgate: 4 commits to measure\nmemgate: 1 of 4: COMMIT first: 1 value\n")
    assert "memgate: 3 of 4: COMMIT broken: left out: " in said
    (chart,) = past(shop).charts
    assert list(values(chart)) == [0, 1, 3]
    assert "memgate: 1 commit to measure" in shop.memgate("history", "backfill", f"{first}..HEAD").out
    assert shop.git("worktree", "list").count("\n") == 1


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda run: run["findings"][0]["measurement"].update(value=float("nan")), "NaN is no number"),
        (
            lambda run: run["findings"][0]["measurement"].update(value=-5),
            "test_it.py::test_one memory.peak is -5 B: no value is below 0; make the run anew",
        ),
        (
            lambda run: run["provenance"].update(start="2099-01-01T00:00:00Z"),
            "made at 2099-01-01T00:00:00Z, which is to come; set the clock, and make it anew",
        ),
        (lambda run: run["provenance"].update(start="yesterday"), "'yesterday' is no time"),
        (lambda run: run.pop("provenance"), "it does not say which commit it measured"),
        (
            lambda run: run["provenance"]["commit"].update(id="c" * 40, tree="d" * 40),
            "this repository has no commit cccccccccccc: is it a run of another project?; git fetch origin",
        ),
        (lambda run: run["findings"].clear(), "nothing was measured in it"),
        (lambda run: run.update(schema=99), "schema 99 is newer than this memgate reads"),
    ],
)
def test_a_run_that_does_not_belong_there_is_one_line(shop: Project, edit: Callable[[Any], None], why: str) -> None:
    done = add(shop, "run.json", change(shop, "run.json", edit))
    assert done.code == 3
    assert done.out.startswith("memgate: changed.json: ")
    assert why in done.out
    assert done.out.count("\n") == 1
    assert past(shop).runs == {}  # the good one beside it neither: nothing is half-written


def test_another_run_of_the_same_id_and_another_unit_are_refused(shop: Project) -> None:
    assert add(shop, "run.json").code == 0
    same = change(shop, "run.json", lambda run: run["findings"][0]["measurement"].update(value=5))
    assert "another run of the id" in add(shop, same).out

    def in_other_unit(run: Any) -> None:
        run["findings"][0].update(unit="ms")
        run["provenance"].update(id="f" * 32)

    other = change(shop, "run.json", in_other_unit)
    assert "memory.peak: in ms here, and in B in" in add(shop, other).out
    assert len(past(shop).runs) == 1


def test_a_shallow_clone_says_how_to_get_the_rest(shop: Project, tmp_path: Path) -> None:
    shop.commit("again") if shop.git("status", "--porcelain") else None
    clone = Project(tmp_path / "clone")
    subprocess.run(["rm", "-rf", str(clone.root)], check=True)
    url = f"file://{shop.root}"
    shop.git("commit", "--allow-empty", "-qm", "second")
    subprocess.run(["git", "clone", "-q", "--depth", "1", url, str(clone.root)], check=True)
    (clone.root / "run.json").write_bytes((shop.root / "run.json").read_bytes())
    done = add(clone, "run.json")
    assert done.code == 3
    assert "is a shallow clone: the order of the commits is not known; git fetch --unshallow" in done.out


def test_no_repository_and_no_branch_are_one_line(project: Project) -> None:
    project.write("test_it.py", _TEST)
    measure(project, "run.json")
    assert "git has no default branch; name it: --branch NAME" in add(project, "run.json").out
    project.git("init", "-q", "-b", "odd")
    project.git("add", "test_it.py")
    project.git("commit", "-qm", "first")
    measure(project, "run.json")
    assert project.memgate("history", "add", "run.json", "--branch", "odd").code == 0
    assert "git has no branch 'even'" in project.memgate("history", "add", "run.json", "--branch", "even").out


def test_a_store_that_cannot_be_written_loses_nothing(shop: Project) -> None:
    assert add(shop, "run.json").code == 0
    file = shop.root / ".git" / "memgate" / "history.sqlite"
    shop.replace("test_it.py", "20_000", "60_000")
    shop.commit("grow")
    measure(shop, "grown.json")
    with sqlite3.connect(file) as locked:
        locked.execute("begin exclusive")
        done = add(shop, "grown.json", env={"MEMGATE_HISTORY_STORE": f"sqlite:///{file}?timeout=1"})
        assert done.code == 3, done.out
        assert "database is locked; another process writes to it for too long: try again" in done.out
        locked.rollback()
    locked.close()
    nothing = shop.memgate("history", "add", "grown.json", "--store", "sqlite:////proc/none/history.sqlite")
    assert nothing.code == 3
    assert nothing.out.count("\n") == 1
    assert add(shop, "grown.json", env={"MEMGATE_HISTORY_STORE": "sqlite:///other.sqlite"}).code == 0
    assert len(past(shop).runs) == 1
    assert len(past(shop, f"sqlite:///{shop.root / 'other.sqlite'}").runs) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_loses_nothing(shop: Project) -> None:
    assert add(shop, "run.json").code == 0
    before = past(shop)
    shop.replace("test_it.py", "20_000", "60_000")
    shop.commit("grow")
    measure(shop, "grown.json")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "from pytest_memgate.cli.main import main; sys.argv[1:] = ['history', 'add', 'grown.json']; main()"
    )
    done = shop.command(sys.executable, "-c", code)
    assert done.code == 3, done.out
    assert done.out.count("\n") == 1
    assert past(shop).charts == before.charts
    assert add(shop, "grown.json").code == 0
