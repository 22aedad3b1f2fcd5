"""Commands that leave nothing behind, the warden beside them, and the lock that keeps measurements apart."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_memgate.measure.process import reaper as warden
from pytest_memgate.measure.process.machine_lock import alone
from pytest_memgate.measure.process.workspace import Workspace

# A command that starts a child in a session of its own, as Lighthouse starts Chrome, and waits for ever.
DETACHED = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("started", flush=True)
time.sleep(600)
"""

# The same by a process that measures: it says where, and waits.
MEASURING = f"""
import sys, time
from pytest_memgate.measure.process.workspace import Workspace
with Workspace() as workspace:
    folder = workspace.place()
    workspace.run((sys.executable, "-c", {DETACHED!r}), folder, timeout_seconds=600)
"""


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary directory of the test's own, with a short name."""
    with tempfile.TemporaryDirectory(prefix="mg") as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name).resolve()


def until(condition: Callable[[], object], seconds: float = 10) -> bool:
    """Wait for a condition; say whether it came true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_command_gives_its_code_and_all_that_it_printed(base: Path) -> None:
    with Workspace() as workspace:
        code = "import sys; print('out'); sys.stdout.flush(); print('err', file=sys.stderr); sys.exit(3)"
        done = workspace.run((sys.executable, "-c", code), workspace.place(), timeout_seconds=30)
    assert (done.code, done.out, done.timed_out) == (3, "out\nerr\n", False)
    assert not list(base.iterdir())


def test_a_command_runs_in_its_own_folder_with_its_own_environment(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAKEN", "away")
    with Workspace() as workspace:
        folder = workspace.place()
        code = "import os; print(os.getcwd(), os.environ.get('TAKEN'), os.environ['GIVEN'])"
        env = {"TAKEN": None, "GIVEN": "here"}
        done = workspace.run((sys.executable, "-c", code), folder, timeout_seconds=30, env=env)
    assert done.out == f"{folder} None here\n"
    assert folder.is_relative_to(base)


def test_a_command_that_cannot_be_started_leaves_nothing(base: Path) -> None:
    with pytest.raises(FileNotFoundError), Workspace() as workspace:
        workspace.run((str(base / "absent"),), workspace.place(), timeout_seconds=1)
    assert not list(base.iterdir())


def test_a_command_that_takes_too_long_is_ended_with_its_detached_children(base: Path) -> None:
    with Workspace() as workspace:
        folder = workspace.place()
        done = workspace.run((sys.executable, "-c", DETACHED), folder, timeout_seconds=1)
        assert done.timed_out
        assert not warden.belonging(folder)
    assert not list(base.iterdir())


def test_the_time_starts_anew_with_each_progress(base: Path) -> None:
    with Workspace() as workspace:
        begun = time.monotonic()
        done = workspace.run(
            (sys.executable, "-c", "import time; time.sleep(3)"),
            workspace.place(),
            timeout_seconds=1.2,
            progress=lambda: round(time.monotonic() - begun),
        )
    assert (done.code, done.timed_out) == (0, False)
    assert base.exists()


def test_what_a_finished_command_left_running_is_ended_too(base: Path) -> None:
    with Workspace() as workspace:
        folder = workspace.place()
        code = DETACHED.replace("time.sleep(600)\n", "")
        assert workspace.run((sys.executable, "-c", code), folder, timeout_seconds=30).out == "started\n"
        assert not warden.belonging(folder)
    assert base.exists()


def test_ending_one_command_spares_the_others(base: Path) -> None:
    with Workspace() as workspace:
        server = workspace.start((sys.executable, "-c", DETACHED), workspace.place())
        for _ in range(9):
            workspace.place()
        other = workspace.place()  # its name begins with the server's: 1 and 11
        workspace.run((sys.executable, "-c", "pass"), other, timeout_seconds=30)
        assert server.code() is None
        assert until(lambda: len(warden.belonging(server.folder)) == 2)
    assert not warden.belonging(base)


def test_a_server_that_ignores_interrupts_is_ended(base: Path) -> None:
    ignoring = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; print('on', flush=True)"
    with Workspace() as workspace:
        job = workspace.start(f'"{sys.executable}" -c "{ignoring}; time.sleep(600)" & wait', workspace.place())
        assert until(lambda: "on" in job.out())
    assert not warden.belonging(base)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays_when_the_measuring_process_is_ended(base: Path, number: signal.Signals) -> None:
    env = {**os.environ, "TMPDIR": str(base)}
    measuring = subprocess.Popen((sys.executable, "-c", MEASURING), env=env, stderr=subprocess.DEVNULL)
    assert until(lambda: len(warden.belonging(base) - {measuring.pid}) >= 2)
    measuring.send_signal(number)
    assert measuring.wait(20) != 0
    assert until(lambda: not warden.belonging(base) and not list(base.iterdir()))


def test_nothing_stays_when_the_warden_was_killed(base: Path) -> None:
    with Workspace() as workspace:
        job = workspace.start((sys.executable, "-c", DETACHED), workspace.place())
        workspace._warden.kill()
        workspace._warden.wait(10)
        assert until(lambda: "started" in job.out())
    assert not warden.belonging(base)
    assert not list(base.iterdir())


def test_a_long_temporary_directory_leaves_room_for_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 40)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with Workspace() as workspace:
        assert len(str(workspace.place())) < 63


def test_alone_may_be_nested_and_keeps_another_process_out(base: Path) -> None:
    code = "from pytest_memgate.measure.process.machine_lock import alone\nwith alone(): print('in', flush=True)"
    with alone(), alone():
        env = {**os.environ, "TMPDIR": str(base)}
        other = subprocess.Popen((sys.executable, "-c", code), env=env, stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            other.communicate(timeout=1)
    assert other.communicate(timeout=20)[0] == b"in\n"


def test_alone_is_given_back_by_a_process_that_dies(base: Path) -> None:
    code = (
        "import time\nfrom pytest_memgate.measure.process.machine_lock import alone\n"
        "with alone(): print(flush=True); time.sleep(600)"
    )
    env = {**os.environ, "TMPDIR": str(base)}
    with subprocess.Popen((sys.executable, "-c", code), env=env, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
        with alone():
            pass


def test_alone_keeps_another_thread_out(base: Path) -> None:
    entered: list[float] = []
    with alone():
        other = threading.Thread(target=lambda: _enter(entered))
        other.start()
        time.sleep(0.2)
        assert not entered
    other.join(10)
    assert entered
    assert base.exists()


def _enter(entered: list[float]) -> None:
    with alone():
        entered.append(time.monotonic())
