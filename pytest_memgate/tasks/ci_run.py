"""Run the gated tests as a step of a job, so that nothing which they print or set reaches GitHub."""

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

RUN = "run.json"
PROFILES = "profiles"
_COMMAND_FILES = ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
_OURS = "MEMGATE_CI_"
_LAST_WORDS = 5  # seconds to wait for output that a child of the tests holds open
_SAID_MOST = 500
_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
_ERROR = re.compile(rb"ERROR: (?!usage: )|\S*(?: -m )?(?:py\.?test|__main__\.py): error: ")


@dataclass(frozen=True, slots=True)
class Ended:
    """How pytest ended: its exit code, or the signal's number below zero, and its last line of error."""

    code: int
    said: str


def pytest_command(root: Path, folder: Path, args: Sequence[str], *, base: str, strict: bool) -> list[str]:
    """Return pytest's command line; what the gate needs comes last, so that no argument takes its place."""
    return [
        *(sys.executable, "-m", "pytest", *args, "--memgate"),
        f"--rootdir={root}",
        *([f"--memgate-base={base}"] if base else []),
        "--memgate-strict" if strict else "--no-memgate-strict",
        f"--memgate-report={folder / RUN}",
        f"--memgate-keep={folder / PROFILES}",
    ]


@contextmanager
def deaf() -> Iterator[None]:
    """Keep GitHub from taking what is printed in the block for commands: a test may print any."""
    token = secrets.token_hex(16)
    _print(f"::stop-commands::{token}")
    try:
        yield
    finally:
        _print(f"\n::{token}::")


def run_pytest(command: Sequence[str], where: Path) -> Ended:
    """Run pytest and pass on what it prints, with GitHub deaf to the commands in it."""
    errors: list[bytes] = []
    with deaf():
        # Not as a context: leaving it would wait for a child of the tests that holds the pipe open.
        process = subprocess.Popen(  # noqa: S603
            command, cwd=where, env=environment(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        reader = threading.Thread(target=_pass_on, args=(process.stdout, errors), daemon=True)
        reader.start()
        code = process.wait()
        reader.join(_LAST_WORDS)
    said = _ERROR.sub(b"", _COLOUR.sub(b"", errors[-1])).decode("utf-8", "replace") if errors else ""
    return Ended(code, said.strip().removeprefix("memgate: ")[:_SAID_MOST])


def _pass_on(output: IO[bytes], errors: list[bytes]) -> None:
    """Copy the output as it comes, and keep the lines in which pytest says what is wrong with its options."""
    for line in output:
        if _ERROR.match(_COLOUR.sub(b"", line)):
            errors[:] = [line]
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


def _print(line: str) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{line}\n".encode())
    sys.stdout.buffer.flush()


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the tests: without the files that steer later steps, and without our inputs."""
    return {name: value for name, value in given.items() if name not in _COMMAND_FILES and not name.startswith(_OURS)}


def signal_name(code: int) -> str:
    """Return the name of the signal that ended a process."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
