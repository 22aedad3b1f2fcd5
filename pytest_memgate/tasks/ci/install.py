"""Install the plugin from the action's checkout, with what the workflow names, into the job's Python."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pytest_memgate.errors import UsageError
from pytest_memgate.tasks.ci.child import environment, run_apart

_NAME = "pytest-memgate"
# The workflow may have pip ask for hashes everywhere. The plugin has none: it is built from the action's checkout.
_OURS = {"PIP_REQUIRE_HASHES": "0", "PIP_NO_DEPS": "0"}


def install(checkout: Path, where: Path, words: Sequence[str]) -> None:
    """Install the plugin; raises UsageError if pip fails.

    The words get a command of their own, because pip refuses everything without a hash once one requirement has one.
    The plugin comes before, so that words that name it find it. Its dependencies come after, so that the versions
    chosen by the words stay.
    """
    if _asked(where, "--version") is None:
        raise UsageError(
            f"{sys.executable} has no pip", hint="put it there (uv venv --seed), or give the input python-version"
        )
    with tempfile.TemporaryDirectory(prefix="memgate-") as name:
        folder = Path(name)
        _pip(where, f"build {_NAME}", "wheel", "--quiet", "--no-deps", f"--wheel-dir={folder}", str(checkout), **_OURS)
        wheel = str(next(folder.glob("*.whl")))
        _pip(where, f"install {_NAME}", "install", "--quiet", "--no-deps", wheel, **_OURS)
        chosen: list[str] = []
        if words:
            _pip(where, "install what the input install names", "install", *words)
            constraints = folder / "chosen.txt"
            constraints.write_text(
                _asked(where, "list", "--format=freeze", f"--exclude={_NAME}") or "", encoding="utf-8"
            )
            chosen = [f"--constraint={constraints}"]
        _pip(where, f"install what {_NAME} depends on", "install", wheel, *chosen, **_OURS)


def _pip(where: Path, what: str, *args: str, **more: str) -> None:
    ended = run_apart([*_command(), *args], where, **more)
    if ended.code:
        raise UsageError(
            f"pip could not {what}: {ended.said or f'exit code {ended.code}'}", hint="see the install step"
        )


def _asked(where: Path, *args: str) -> str | None:
    """Return the output of pip, None if it fails."""
    done = subprocess.run(  # noqa: S603
        [*_command(), *args], cwd=where, env=environment(os.environ), capture_output=True, encoding="utf-8", check=False
    )
    return None if done.returncode else done.stdout


def _command() -> list[str]:
    # The folder of the job may hold a pip.py: -P keeps it out.
    return [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check"]
