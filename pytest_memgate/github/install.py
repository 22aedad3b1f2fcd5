"""Install pytest-memgate from the action's checkout, with what the workflow names, into the job's Python.

It runs as a file, before anything is installed: it imports the standard library alone, and is readable to Pythons that
are too old for the package, so as to say so.
"""

import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

_OLDEST = (3, 11)
_CHECKOUT = Path(__file__).resolve().parents[2]


def command(package: str, words: str) -> "list[str]":
    """Return pip's command; the words are split as a shell does, and nothing in them is run or expanded.

    Raises ValueError for quotes that do not close.
    """
    # The folder of the job may hold a pip.py: -P keeps it out.
    pip = [sys.executable, "-P", "-m", "pip", "install", "--disable-pip-version-check"]
    # Twice: the words may ask for pytest-memgate too, and pip takes a package with extras for another one.
    return [*pip, package, f"{package}[html]", *shlex.split(words)]


def main() -> int:
    """Install, and return the exit code."""
    if sys.version_info < _OLDEST:
        here = ".".join(map(str, sys.version_info[:2]))
        return _no(f"Python {here} is too old; give the input python-version, 3.11 or newer")
    if find_spec("pip") is None:
        return _no(f"{sys.executable} has no pip; put it there (uv venv --seed), or give the input python-version")
    folder = Path(os.environ.get("MEMGATE_CI_WORKING_DIRECTORY") or ".")
    if not folder.is_dir():
        return _no(f"input working-directory: {str(folder)!r} is not a folder of the checkout")
    try:
        asked = command(str(_CHECKOUT), os.environ.get("MEMGATE_CI_INSTALL", ""))
    except ValueError as error:
        return _no(f"input install: {error}; close the quotes")
    return subprocess.call(asked, cwd=folder)  # noqa: S603  # the words are the workflow's own


def _no(why: str) -> int:
    sys.stderr.write(f"memgate: {why}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
