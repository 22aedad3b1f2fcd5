"""What the demo is told with: commands that are really run, shown with what they say, and checked."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

GIT = ("git", "-c", "user.name=Demo", "-c", "user.email=demo@example.invalid", "-c", "commit.gpgsign=false")
UNWANTED = ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "FORCE_COLOR", "PY_COLORS")


class NotAsToldError(Exception):
    """The story went another way."""


class Teller:
    """A folder, and the commands that are run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = environment()

    def run(self, *command: str, expected: int = 0) -> str:
        """Run a command, show it with what it says, check its exit code and return its whole output."""
        print(f"\n$ {shlex.join(command)}", flush=True)
        done = self.quietly(*command)
        for line in told(done.stdout):
            print(f"  {line}".rstrip())
        print(f"  exit code {done.returncode}", flush=True)
        self._check_code(done, expected)
        return done.stdout

    def do(self, *command: str, show: bool = True) -> None:
        """Run a command that says nothing."""
        if show:
            print(f"\n$ {shlex.join(command)}", flush=True)
        self._check_code(self.quietly(*command), 0)

    def quietly(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def has(self, program: str) -> bool:
        return shutil.which(program, path=self.environment["PATH"]) is not None

    def _check_code(self, done: subprocess.CompletedProcess[str], expected: int) -> None:
        if done.returncode != expected:
            print(f"\nThe whole output:\n{done.stdout}")
            raise NotAsToldError(f"`{shlex.join(done.args)}` ended with exit code {done.returncode}, not {expected}")


def told(output: str) -> list[str]:
    """Return what a reader wants of pytest's output: the first failure, memgate's summary and the last line."""
    shown: list[str] = []
    part, failures = "start", 0
    for line in output.splitlines():
        if line.startswith("==="):
            part = line.strip("= ")
        failures += part == "FAILURES" and line.startswith("___")
        wanted = part == "memgate" or (part == "FAILURES" and failures < 2) or " passed" in part
        if wanted:
            shown.append(line)
        elif shown[-1:] != ["[…]"]:
            shown.append("[…]")
    return shown


def say(*lines: str) -> None:
    print("\n" + "\n".join(lines))


def chapter(title: str) -> None:
    say("", title, "-" * len(title))


def check(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise NotAsToldError(otherwise)


def environment() -> dict[str, str]:
    """Return the variables for the commands: those of this Python are found first."""
    scripts = sysconfig.get_path("scripts")
    missing = [name for name in ("pytest", "memgate") if not shutil.which(name, path=scripts)]
    missing += [] if importlib.util.find_spec("flask") else ["flask"]
    check(not missing, f"{', '.join(missing)} not installed for this Python; `make demo` makes an environment with all")
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED and not name.startswith("GIT_")}
    return kept | {"PATH": os.pathsep.join((scripts, os.environ.get("PATH", ""))), "COLUMNS": "100", "PYTHONUTF8": "1"}
