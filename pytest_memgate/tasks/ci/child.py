"""Run the code under test as a step of a job, so that its output, settings and processes have no effect later."""

import contextlib
import ctypes
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_COMMAND_FILES = ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
_OURS = "MEMGATE_CI_"
_LAST_WORDS = 5  # seconds to wait for output that a child of the tests holds open; chosen
_SAID_MOST = 500  # characters
_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
_ERROR = re.compile(rb"ERROR: (?!usage: )|\S*(?: -m )?(?:py\.?test|__main__\.py): error: ")
_SET_CHILD_SUBREAPER = 36  # prctl(2)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, or the negative number of a signal, and its last line of error."""

    code: int
    said: str


@contextmanager
def deaf() -> Iterator[None]:
    """Keep GitHub from taking lines printed in the block for workflow commands: a test may print any."""
    token = secrets.token_hex(16)
    _print(f"::stop-commands::{token}")
    try:
        yield
    finally:
        _print(f"\n::{token}::")


def run_apart(command: Sequence[str], where: Path, **more: str) -> Ended:
    """Run a command and pass on its output, with GitHub deaf to it; `more` are variables of its environment.

    Its additions to the files that steer later steps are removed, and its processes that still run are ended.
    """
    _adopt()
    errors: list[bytes] = []
    with deaf():
        # Not as a context: leaving it would wait for a child of the tests that holds the pipe open.
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=where,
            env={**environment(os.environ), **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        reader = threading.Thread(target=_pass_on, args=(process.stdout, errors), daemon=True)
        reader.start()
        code = _wait(process)
        _end_what_still_runs()
        reader.join(_LAST_WORDS)
    _empty_command_files(os.environ)
    said = _ERROR.sub(b"", _COLOUR.sub(b"", errors[-1])).decode("utf-8", "replace") if errors else ""
    return Ended(code, said.strip().removeprefix("memgate: ")[:_SAID_MOST])


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the tests: without the files that steer later steps, and without our inputs."""
    return {name: value for name, value in given.items() if name not in _COMMAND_FILES and not name.startswith(_OURS)}


def signal_name(code: int) -> str:
    """Return the name of the signal that ended a process."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _pass_on(output: IO[bytes], errors: list[bytes]) -> None:
    """Copy the output as it comes, and keep the lines in which pytest or pip reports an error."""
    for line in output:
        if _ERROR.match(_COLOUR.sub(b"", line)):
            errors[:] = [line]
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


def _print(line: str) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{line}\n".encode())
    sys.stdout.buffer.flush()


def _adopt() -> None:
    """Become the parent of every descendant whose own parent ends (Linux), so that it can be found and ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process, and reap adopted ones that end: otherwise they would look alive to the tests."""
    if sys.platform != "linux":
        return process.wait()
    ended = 0
    while ended != process.pid:
        ended, status = os.wait()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode


def _end_what_still_runs() -> None:
    """End all descendants: one that stays could read the token in a later step, or write to that step's files."""
    until = time.monotonic() + _LAST_WORDS
    while (left := _children()) and time.monotonic() < until:  # the children of each that ends become ours
        for child in left:
            with contextlib.suppress(OSError):  # it runs as another user now
                os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
        for child in left:
            with contextlib.suppress(OSError):
                os.waitpid(child, os.WNOHANG)


def _children() -> list[int]:
    """Return our child processes, none if the system has no /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name before the last parenthesis may hold anything: proc_pid_stat(5).
            parent = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.append(int(stat.parent.name))
    return found


def _empty_command_files(given: Mapping[str, str]) -> None:
    for path in (Path(given[name]) for name in _COMMAND_FILES if given.get(name)):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)  # it may be a link by now
            path.touch()
