"""`memgate history confirm`: a test that really takes three times as long is confirmed, down to the commit."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from harness import Project, Result
from history_project import series

from pytest_memgate.history.git.line import first_parents
from pytest_memgate.history.levels.snapshot import Snapshot
from pytest_memgate.history.store import Store, open_store
from pytest_memgate.model.history import EventKind, Level, RunRecord, Series
from pytest_memgate.model.provenance import Commit
from pytest_memgate.model.subject import Subject

_WORK = """
    EACH = 40
    MORE = 0

    def slower():
        return sum(sum(range(500)) for _ in range(EACH + MORE))

    def same():
        return sum(sum(range(500)) for _ in range(EACH))
"""
_TESTS = """
    from jobs import same, slower

    def test_slower(benchmark):
        benchmark(slower)

    def test_same(benchmark):
        benchmark(same)
"""
_ENV = {"PYTEST_ADDOPTS": "-p no:randomly -p no:asyncio -p no:anyio --benchmark-max-time=0.1 --benchmark-min-rounds=3"}
_BEFORE, _AFTER = 16, 4  # commits that were measured


@dataclass
class Measured:
    """A project with a history in which the times of both tests rose to three times as much at one commit."""

    project: Project
    store: Store
    brought_by: str

    def memgate(self, *args: str) -> Result:
        return self.project.memgate("history", *args, env=_ENV)


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    project = Project(tmp_path / "project", patience=900)
    project.write("jobs.py", _WORK)
    project.write("test_jobs.py", _TESTS)
    project.write(".gitignore", ".pytest_cache\n__pycache__\n.benchmarks\n")
    project.commit()
    brought_by = ""
    for number in range(_BEFORE + _AFTER + 1):
        if number == _BEFORE + 1:
            project.replace("jobs.py", "MORE = 0", "MORE = 80")
        project.write("note.txt", f"{number}\n")
        project.commit()
        if number == _BEFORE + 1:
            brought_by = project.git("rev-parse", "HEAD").strip()
    folder = project.root / ".git" / "memgate"
    folder.mkdir()
    store = open_store(f"sqlite:///{folder / 'history.sqlite'}")
    _store(project, store)
    return Measured(project, store, brought_by)


def _store(project: Project, store: Store) -> None:
    """Store times of all commits but the one that brought the change."""
    branch = project.git("branch", "--show-current").strip()
    line = first_parents(project.root, branch)
    store.put_line(branch, line)
    for commit in line[1:]:
        if commit.position == _BEFORE + 1:
            continue
        slow = commit.position > _BEFORE + 1
        wiggle = 1 + 0.004 * (commit.position % 7 - 3)
        levels = {
            series_of(name): Level(value=(30.0 if slow else 10.0) * wiggle) for name in ("test_slower", "test_same")
        }
        run = f"run-{commit.position}"
        record = RunRecord(id=run, environment="linux", machine="m", commit=Commit(id=commit.id, tree=commit.tree))
        store.add(Snapshot(record=record, content=run, levels=levels))


def series_of(name: str) -> Series:
    return replace(series(name, "time.median", unit="ms", machine="m"), subject=Subject("test_jobs.py", name))


def ids(out: str) -> list[str]:
    return re.findall(r"^([0-9a-f]{8}-[0-9a-f]{7})  ", out, re.MULTILINE)


@pytest.mark.timeout(900)  # beside other workers, pairs take long
def test_what_got_slower_is_confirmed_down_to_its_commit(measured: Measured) -> None:
    before = measured.memgate("check")
    assert before.code == 0, before.out
    assert len(ids(before.out)) == 2
    assert "one of 2 commits up to" in before.out
    (slower,) = ids("\n".join(line for line in before.out.splitlines() if "test_slower" in line))

    done = measured.memgate("confirm", slower)
    assert done.code == 0, done.out
    assert "memgate: 1 change to confirm" in done.out
    assert re.search(r"test_slower time.median: confirmed: x[23]", done.out), done.out
    assert f"brought by {measured.brought_by[:12]}" in done.out
    assert "at most 1 false change a month over all series" in done.out
    assert [event.kind for event in measured.store.events()] == [EventKind.CONFIRMATION]
    assert measured.project.git("worktree", "list").count("\n") == 1
    assert measured.project.git("status", "--porcelain") == ""

    after = measured.memgate("check")
    assert after.code == 1, after.out
    assert measured.brought_by[:12] in after.out

    assert measured.memgate("ack", slower, "--reason", "more is done").code == 0
    assert measured.memgate("check").code == 0
    assert "accepted: more is done" in measured.memgate("check", "--all").out


def test_memory_that_another_process_may_explain_is_measured_in_several_of_both_commits(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", patience=300)
    project.write("jobs.py", "ROWS = 6000\n\ndef rows(number):\n    return [f'row {one}' for one in range(number)]\n")
    project.write(
        "test_jobs.py",
        """
        import jobs

        def test_held():
            assert jobs.rows(jobs.ROWS)

        def test_kept():
            assert jobs.rows(6000)
        """,
    )
    project.commit()
    project.replace("jobs.py", "ROWS = 6000", "ROWS = 7000")
    project.commit()
    store = open_store(f"sqlite:///{project.root / '.git' / 'memgate' / 'history.sqlite'}")
    line = first_parents(project.root, project.git("branch", "--show-current").strip())
    for commit in line:
        levels = {
            replace(series(name), subject=Subject("test_jobs.py", name)): Level(
                value=400_000 + 60_000 * commit.position
            )
            for name in ("test_held", "test_kept")
        }
        record = RunRecord(
            id=f"run-{commit.position}", environment="linux", commit=Commit(id=commit.id, tree=commit.tree)
        )
        store.add(Snapshot(record=record, content=record.id, levels=levels))

    before = project.memgate("history", "check")
    assert (before.code, len(ids(before.out))) == (0, 2), before.out
    done = project.memgate("history", "confirm", env=_ENV)
    assert done.code == 0, done.out
    assert re.search(r"test_held memory.peak: confirmed: x1\.1\d* by 4 pairs, brought by", done.out), done.out
    assert "test_kept memory.peak: no change: x1 by 1 pair" in done.out
    after = project.memgate("history", "check")
    assert after.code == 1, after.out
    assert "test_held" in after.out
    assert "test_kept" not in after.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("ack", "{near}", "--reason", "x"), "did you mean {change}"),
        (("ack", "zzz", "--reason", "x"), "memgate history check lists them"),
        (("ack", "{change}", "--reason", "!"), "has no letter in it; say why"),
        (("ack", "{change}", "--reason", "x"), "is unconfirmed: there is nothing to explain"),
        (("confirm", "zzz"), "no change 'zzz' in this history"),
        (("check", "--since", "nowhere"), "nowhere: no such commit"),
    ],
)
def test_a_mistake_is_one_line(measured: Measured, args: tuple[str, ...], said: str) -> None:
    change = ids(measured.memgate("check").out)[0]
    names = {"change": change, "near": change[:-1] + "x"}
    result = measured.memgate(*(arg.format(**names) for arg in args))
    assert result.code == 2, result.out
    assert said.format(**names) in result.out
    assert "Traceback" not in result.out
