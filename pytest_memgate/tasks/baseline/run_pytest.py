"""Run pytest where the user sees it, and turn its end into the command's exit code."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_memgate.tasks.run.file import read_run

# pytest's exit codes (documented): 2 interrupted, 3 internal error, 4 usage error; one that Ctrl-C has ended has none.
_CODES = {0: 0, 1: 1, 2: 130, 3: 3, 4: 2, -signal.SIGINT: 130, 130: 130}
_OWN_CTRL_C = 5.0  # seconds in which pytest ends if the terminal has sent it a Ctrl-C of its own; chosen


def run_update(root: Path, args: Sequence[str], *, only: Iterable[str], reason: str) -> int:
    """Return 0 if everything was updated, 1 if tests failed or values need a reason, 2 for usage, 3 for no answer."""
    kinds = [f"--memgate-update={kind}" for kind in only]
    return run_pytest(root, [*kinds, *([f"--memgate-reason={reason}"] if reason else []), *args])


def run_pytest(root: Path, args: Sequence[str]) -> int:
    """Return 0 if the gate of a pytest run passed, 1 if it failed, 2 for usage, 3 for no answer, 130 after Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="memgate-") as folder:
        named = [arg.partition("=")[2] for arg in args if arg.startswith("--memgate-report=")]
        report = Path(named[-1]) if named else Path(folder, "run.json")
        command = [
            *(sys.executable, "-m", "pytest", "--memgate", f"--memgate-report={report}"),
            *([] if any(arg.startswith("--rootdir") for arg in args) else [f"--rootdir={root}"]),
            *args,
        ]
        code = _CODES.get(_run(command), 3)
        return max(code, read_run(report).verdict.exit_code) if code == 1 and report.exists() else code


def _run(command: list[str]) -> int:
    """Return the exit code of a command, which gets time after Ctrl-C to list what it has written."""
    with subprocess.Popen(command) as process:  # noqa: S603
        told = False
        while True:
            try:
                return process.wait(_OWN_CTRL_C if told else None)
            except KeyboardInterrupt:
                told = True
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)  # it was for this process only
                told = False
