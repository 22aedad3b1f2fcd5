"""One folder for what the gate's processes keep for themselves during a run: workers and further processes share it."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

_VARIABLE = "MEMGATE_PRIVATE"  # names the folder to the processes that are started


def open_folder() -> Callable[[], None]:
    """Have the folder made, unless a process before this one has; return what removes what was made here."""
    if _exists():
        return _nothing
    folder = tempfile.mkdtemp(prefix="memgate-")
    os.environ[_VARIABLE] = folder

    def remove() -> None:
        if os.environ.get(_VARIABLE) == folder:
            del os.environ[_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)

    return remove


def private_folder() -> Path | None:
    """Return the folder, None where there is none: no gate is on."""
    return Path(os.environ[_VARIABLE]) if _exists() else None


def shared() -> dict[str, str]:
    """Return the environment variables by which another process finds the folder."""
    return {_VARIABLE: os.environ[_VARIABLE]} if _exists() else {}


def _exists() -> bool:
    return os.path.isdir(os.environ.get(_VARIABLE, ""))  # noqa: PTH112  # an empty path is no folder


def _nothing() -> None: ...
