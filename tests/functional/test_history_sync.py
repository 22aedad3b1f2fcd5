"""The history between jobs: a git ref that is fetched and pushed, by jobs at once, and remotes that refuse."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from history_project import MB, PEAK, HistoryProject, values

from pytest_memgate.errors import HistoryError, UsageError
from pytest_memgate.history.git.ref import REF, HistoryRef
from pytest_memgate.history.read import read_past
from pytest_memgate.history.store import open_store
from pytest_memgate.model.history import Chart, Event, EventKind
from pytest_memgate.tasks.history.opened import Opened, open_history
from pytest_memgate.tasks.history.runs.sync import sync


@pytest.fixture
def project(tmp_path: Path) -> HistoryProject:
    """A project of six commits, with a remote."""
    project = HistoryProject(tmp_path / "project")
    for number in range(6):
        project.commit(f"change {number}")
    subprocess.run(["git", "clone", "-q", "--bare", str(project.root), str(tmp_path / "remote.git")], check=True)
    project.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    project.git("fetch", "-q", "origin")
    return project


def job(project: HistoryProject, name: str) -> Opened:
    """A CI job: a clone of the remote, with a store of its own that has what was pushed."""
    folder = project.root.parent / name
    subprocess.run(["git", "clone", "-q", str(project.root.parent / "remote.git"), str(folder)], check=True)
    return open_history(folder, environ={})


def store(project: HistoryProject, opened: Opened, position: int, peak: float) -> None:
    commit = opened.line[position]
    head = project.head()
    opened.store.add(project.snapshot(replace(head, id=commit.id, tree=commit.tree), peak, run=f"{position:032x}"))


def peak(opened: Opened) -> Chart:
    return next(one for one in read_past(opened.store).charts if one.series == PEAK)


def test_jobs_that_follow_each_other_share_one_history(project: HistoryProject) -> None:
    for position in range(4):
        opened = job(project, f"job{position}")
        assert sync(opened).came == position
        store(project, opened, position, (position + 1) * MB)
        assert sync(opened).went == 1
    last = job(project, "last")
    assert sync(last).came == 4
    assert values(peak(last)) == {0: 1 * MB, 1: 2 * MB, 2: 3 * MB, 3: 4 * MB}
    assert (sync(last).came, sync(last).went) == (0, 0)


def test_jobs_at_once_lose_nothing(project: HistoryProject) -> None:
    jobs = [job(project, f"job{number}") for number in range(6)]
    for position, opened in enumerate(jobs):
        store(project, opened, position, (position + 1) * MB)
    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(sync, jobs))
    last = job(project, "last")
    assert sync(last).came == len(jobs)
    assert values(peak(last)) == {number: (number + 1) * MB for number in range(6)}


def test_marks_travel_along(project: HistoryProject) -> None:
    mark = Event(id="a" * 32, kind=EventKind.MARK, time="2026-11-29T10:00:00Z", text="release 2.1")
    one = job(project, "one")
    one.store.add_event(mark)
    sync(one)
    two = job(project, "two")
    sync(two)
    assert two.store.events() == (mark,)


def test_a_clone_does_not_fetch_the_history_and_the_work_tree_is_not_touched(project: HistoryProject) -> None:
    opened = job(project, "job")
    (opened.root / "code.py").write_text("changed", encoding="utf-8")
    subprocess.run(["git", "add", "code.py"], cwd=opened.root, check=True)
    store(project, opened, 0, 1 * MB)
    sync(opened)
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=opened.root, capture_output=True, text=True, check=True
    )
    assert status.stdout == "M  code.py\n"
    clone = job(project, "clone")
    refs = subprocess.run(["git", "for-each-ref"], cwd=clone.root, capture_output=True, text=True, check=True)
    assert "memgate" not in refs.stdout


def test_without_a_remote_the_ref_stays_here(project: HistoryProject) -> None:
    opened = job(project, "job")
    store(project, opened, 0, 1 * MB)
    done = sync(opened, "")
    assert str(done) == "no new runs or events from this repository, 1 to it"
    assert project.git("ls-remote", "origin", REF) == ""
    assert sync(opened, "").went == 0


def test_a_remote_that_is_not_there_or_refuses_is_one_line_and_nothing_is_lost(project: HistoryProject) -> None:
    opened = job(project, "job")
    store(project, opened, 0, 1 * MB)
    with pytest.raises(UsageError, match="there is no remote 'upstream'; known: origin"):
        sync(opened, "upstream")
    hook = project.root.parent / "remote.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no history here >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    with pytest.raises(
        HistoryError, match=r"git push origin refs/memgate/history: .*kept here, and pushed by the next"
    ):
        sync(opened)
    hook.unlink()
    assert sync(opened).went == 1
    remote = project.root.parent / "remote.git"
    remote.rename(project.root.parent / "gone.git")
    with pytest.raises(HistoryError, match=r"git fetch origin refs/memgate/history: .*; nothing was changed"):
        sync(opened)


def test_a_history_that_was_removed_from_the_remote_is_pushed_again(project: HistoryProject) -> None:
    opened = job(project, "job")
    store(project, opened, 0, 1 * MB)
    sync(opened)
    project.git("push", "-q", "origin", f":{REF}")
    assert sync(opened).went == 1


def test_a_file_of_the_ref_that_was_changed_is_told_with_its_path(project: HistoryProject) -> None:
    ref = HistoryRef(project.root, "origin")
    ref.publish({"runs/2026/11/29/" + "0" * 32 + ".json": "{}\n", "other/of/a/version/to/come": "x"})
    opened = job(project, "job")
    with pytest.raises(HistoryError, match=r"refs/memgate/history:runs/2026/11/29/0{32}\.json: not a run of a history"):
        sync(opened)


def test_a_path_is_never_rewritten(project: HistoryProject) -> None:
    ref = HistoryRef(project.root, "origin")
    assert ref.publish({"a.json": "1", "ü/b.json": "ä\n"}) == 2
    assert ref.publish({"a.json": "2", "c.json": "3"}) == 1
    ref.fetch()
    assert ref.read(ref.paths()) == {"a.json": "1", "ü/b.json": "ä\n", "c.json": "3"}


def test_processes_at_once_in_one_clone_lose_nothing(project: HistoryProject) -> None:
    def publish(number: int) -> int:
        ref = HistoryRef(project.root, "origin")
        ref.fetch()
        return ref.publish({f"{number}.json": "1"})

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(publish, range(12))) == [1] * 12
    ref = HistoryRef(project.root, "origin")
    ref.fetch()
    assert len(ref.paths()) == 12


def other_git(folder: Path, script: str) -> str:
    """Return a PATH with a git that runs the lines of a script first; `real` is the usual one."""
    git = folder / "bin" / "git"
    git.parent.mkdir()
    git.write_text(f'#!/bin/sh\nreal=\'{shutil.which("git")}\'\n{script}\nexec "$real" "$@"\n', encoding="utf-8")
    git.chmod(0o755)
    return f"{git.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.skipif(os.name == "nt", reason="the other git is a shell script")
@pytest.mark.parametrize("why", ["incorrect old value provided", "reference already exists"])
def test_a_push_that_was_too_late_is_tried_again_in_the_words_of_newer_servers(
    project: HistoryProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    said = tmp_path / "said"
    words = f"echo ' ! [remote rejected] 1 -> {REF} ({why})' >&2"
    script = f"if [ \"$1\" = push ] && [ ! -e '{said}' ]; then touch '{said}'; {words}; exit 1; fi"
    monkeypatch.setenv("PATH", other_git(tmp_path, script))
    assert HistoryRef(project.root, "origin").publish({"a.json": "1"}) == 1
    assert said.exists()


@pytest.mark.skipif(os.name == "nt", reason="the other git is a shell script")
def test_a_writer_that_is_killed_before_its_push_leaves_no_ref_behind(project: HistoryProject, tmp_path: Path) -> None:
    before = project.git("for-each-ref")
    script = 'if [ "$1" = fast-import ]; then "$real" "$@"; kill -9 $PPID; exit 1; fi'
    code = "import sys; from pathlib import Path; from pytest_memgate.history.git.ref import HistoryRef;"
    code += "HistoryRef(Path(sys.argv[1]), 'origin').publish({'a.json': '1'})"
    environ = {**os.environ, "PATH": other_git(tmp_path, script)}
    done = subprocess.run([sys.executable, "-c", code, str(project.root)], env=environ, check=False)
    assert done.returncode == -9
    assert project.git("for-each-ref") == before
    assert HistoryRef(project.root, "origin").publish({"a.json": "1"}) == 1


_WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from history_project import PEAK
from pytest_memgate.history.levels.snapshot import Snapshot
from pytest_memgate.model.history import Level, RunRecord
from pytest_memgate.model.provenance import Commit
from pytest_memgate.tasks.history.opened import open_history
from pytest_memgate.tasks.history.runs.sync import sync
opened = open_history(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    commit = opened.line[number % len(opened.line)]
    start = "2026-11-29T10:00:00Z"
    record = RunRecord(id=f"{number:032x}", environment="linux", start=start, end=start,
                       commit=Commit(id=commit.id, tree=commit.tree))
    opened.store.add(Snapshot(record=record, content=str(number), levels={PEAK: Level(value=float(number * 10_000))}))
    sync(opened)
    print(number, flush=True)
"""


def test_writers_that_are_killed_lose_no_acknowledged_run(project: HistoryProject, tmp_path: Path) -> None:
    """Each is killed after its first word, and started again: what it acknowledged is there once."""
    tests = str(Path(__file__).parents[1])
    acknowledged: set[int] = set()
    for turn in range(2):
        writers = []
        for number in range(4):
            folder = tmp_path / f"writer{number}"
            if not turn:
                job(project, folder.name)
            args = [sys.executable, "-c", _WRITER, str(folder), str(number * 10), str(number * 10 + 4), tests]
            writers.append(subprocess.Popen(args, stdout=subprocess.PIPE, text=True))
        for writer in writers:
            with writer:
                assert writer.stdout
                if turn:
                    acknowledged |= {int(line) for line in writer.stdout}
                else:
                    acknowledged.add(int(writer.stdout.readline()))
                    writer.kill()
                    acknowledged |= {int(line) for line in writer.stdout if line.endswith("\n")}
    assert acknowledged == {number * 10 + run for number in range(4) for run in range(4)}
    last = job(project, "last")
    sync(last)
    ids = last.store.run_ids()
    assert sorted(int(one, 16) for one in ids) == sorted(acknowledged)
    assert len(open_store(f"sqlite:///{last.root / '.git' / 'memgate' / 'history.sqlite'}").run_ids()) == len(ids)
