"""A run that starts as a fork is what a process of its own is, and an update that is remembered is what it was."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import starts
from harness import Project
from remembered import remembered

_TELLS = """
    import json, os, signal, sys
    from pathlib import Path
    from work import load

    import pytest

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(session):
        if session.config.getoption("tx", None):
            return  # its workers run the tests
        told = {
            "modules": sorted(sys.modules),
            "path": sys.path,
            "argv": sys.argv,
            "orig_argv": sys.orig_argv[1:],
            "main": sorted(vars(sys.modules["__main__"])),
            "flags": str(sys.flags),
            "environ": dict(os.environ),
            "cwd": os.getcwd(),
            "group": os.getpgrp(),
            "session": os.getsid(0),
            "stdin": os.fstat(0).st_ino,
            "encoding": [sys.stdin.encoding, sys.stdout.encoding, sys.stdout.isatty()],
            "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)],
            "files": sorted(os.listdir("/proc/self/fd")),
            "meta_path": [str(getattr(finder, "__name__", type(finder))) for finder in sys.meta_path],
        }
        worker = getattr(session.config, "workerinput", {"workerid": ""})["workerid"]
        Path(f"told{worker}.json").write_text(json.dumps(told))
"""


@pytest.fixture
def told(project: Project) -> Project:
    """A project that tells what its process is."""
    project.write("conftest.py", _TELLS)
    project.write("test_it.py", "from work import load\n\ndef test_it():\n    load(1000)\n")
    project.update()
    return project


def _told(project: Project, env: dict[str, str], *args: str) -> list[dict[str, Any]]:
    """Return what each process that runs tests tells of itself in a gated run."""
    for path in project.root.glob("told*.json"):
        path.unlink()
    result = project.gate(*args, env=env)
    assert result.code == 0, result.out
    told = [json.loads(path.read_text()) for path in sorted(project.root.glob("told*.json"))]
    for one in told:
        for name in ("MEMGATE_PRIVATE", "PYTEST_XDIST_TESTRUNUID"):  # another in each run
            one["environ"].pop(name, None)
        one["environ"].pop("PYTHONUTF8", None)  # what makes it a process of its own
        for name in ("LINES", "COLUMNS"):  # readline sets them, for processes that are started from then on
            one["environ"].pop(name, None)
    return told


def _why(project: Project, env: dict[str, str] | None = None, *args: str) -> str:
    command = [sys.executable, "-m", "pytest", *(args or ("--memgate",))]
    return starts.why_real(command, project.root, project.environ(env))


forks = pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux alone")


@forks
@pytest.mark.parametrize(("args", "processes"), [((), 1), (("-n2",), 2)], ids=["plain", "n2"])
def test_a_fork_is_what_a_process_of_its_own_is(told: Project, args: tuple[str, ...], processes: int) -> None:
    assert not _why(told)
    forked = _told(told, {}, *args)
    assert _why(told, {"PYTHONUTF8": "0"})
    own = _told(told, {"PYTHONUTF8": "0"}, *args)
    assert len(forked) == processes
    assert forked == own


@forks
def test_the_reasons_for_a_process_of_its_own(project: Project) -> None:
    assert not _why(project)
    assert not _why(project, {"CI": "true", "PYTEST_ADDOPTS": "-q"})
    assert _why(project, {}, "-q") == "the gate is off: none of it may be loaded"
    for name in ("PYTHONMALLOC", "PYTHONHASHSEED", "PYTHONDEVMODE", "PYTHONDONTWRITEBYTECODE", "LC_ALL", "HOME", "TZ"):
        assert "reads as it starts" in _why(project, {name: "C"}), name
    for name in ("yaml.py", "memray/__init__.py", "sitecustomize.py"):
        path = project.write(name, "")
        assert "hide some that the server has loaded" in _why(project)
        path.unlink()
        if path.parent != project.root:
            path.parent.rmdir()
    assert starts.why_real([sys.executable, "-c", ""], project.root, project.environ())


@forks
def test_a_fork_ends_as_it_ends(project: Project) -> None:
    project.write("test_it.py", "import os\n\ndef test_it():\n    os.kill(os.getpid(), int(os.environ['SIGNAL']))\n")
    assert project.gate("-s", env={"SIGNAL": "9"}).code == -9
    project.write("test_it.py", "import atexit\n\ndef test_it():\n    atexit.register(print, 'at the very end')\n")
    result = project.gate("--memgate-missing=warn", "-s")
    assert result.code == 1
    assert result.out.rstrip().endswith("at the very end")


@forks
def test_a_fork_that_lasts_too_long_is_ended_and_the_next_one_is_well(told: Project) -> None:
    told.write("test_slow.py", "import time\n\ndef test_slow():\n    time.sleep(60)\n")
    patient, told.patience = told.patience, 1
    with pytest.raises(subprocess.TimeoutExpired):
        told.gate()
    told.patience = patient
    (told.root / "test_slow.py").unlink()
    assert told.gate().code == 0


class _Updates:
    """Counts the updates of a folder, each of which writes a file and removes one."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, folder: Path, text: str, *, env: dict[str, str] | None = None) -> str:
        project = folder / "project"
        project.mkdir(parents=True, exist_ok=True)
        (project / "test_it.py").write_text(text)
        (project / "old").write_text("")

        def update() -> dict[str, Any]:
            self.count += 1
            (project / "old").unlink()
            (project / "baseline").write_text(f"of {text}\r\n", newline="")
            return {"out": f"in {project}"}

        result = remembered(folder, ["--memgate-update"], env or {"SHLVL": str(self.count)}, update)
        assert not (project / "old").exists()
        assert (project / "baseline").read_bytes() == f"of {text}\r\n".encode()
        return str(result["out"])


def test_an_update_of_an_equal_project_is_remembered_and_of_another_is_not(tmp_path: Path) -> None:
    updates, unique = _Updates(), str(tmp_path)
    for name in ("one", "two"):
        assert updates.of(tmp_path / name, unique) == f"in {tmp_path / name / 'project'}"
    assert updates.count == 1
    updates.of(tmp_path / "three", f"{unique}, changed")
    updates.of(tmp_path / "four", unique, env={"CI": "true"})
    (tmp_path / "five" / "library").mkdir(parents=True)
    (tmp_path / "five" / "library" / "beside.py").write_text("")
    updates.of(tmp_path / "five", unique)
    assert updates.count == 4


@pytest.mark.parametrize("more", [".git", "link"])
def test_an_update_of_a_folder_that_is_more_than_its_files_is_made_each_time(tmp_path: Path, more: str) -> None:
    updates = _Updates()
    for name in ("one", "two"):
        path = tmp_path / name / "project" / more
        path.parent.mkdir(parents=True)
        path.mkdir() if more == ".git" else path.symlink_to(tmp_path)
        updates.of(tmp_path / name, str(tmp_path))
    assert updates.count == 2
