"""One folder for files of the gate's processes during a run: workers and further processes share it.

Its name is fixed when the run begins. The first process that needs it makes it, so that a run without need leaves
nothing behind, even if it is killed.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

_VARIABLE = "MEMGATE_PRIVATE"  # names the folder to the processes that are started
_folder: Path | None = None


def open_folder() -> Callable[[], None]:
    """Give the folder a name, unless a parent process has; return a function that removes the folder named here."""
    if _named():
        return _nothing
    folder = Path(tempfile.gettempdir(), f"memgate-{secrets.token_hex(16)}")
    os.environ[_VARIABLE] = str(folder)
    _named()

    def remove() -> None:
        global _folder  # noqa: PLW0603  # as the environment is the process's
        _folder = None
        if os.environ.get(_VARIABLE) == str(folder):
            del os.environ[_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)

    return remove


def private_folder() -> Path | None:
    """Return the folder, which exists and belongs to this user alone; None without a gate, or if it cannot be made."""
    folder = _named()
    if folder:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            return None
    return folder


def shared_name() -> str:
    """Return the name of the folder, which may not exist yet; empty without a gate."""
    return str(_named() or "")


def shared() -> dict[str, str]:
    """Return the environment variables by which another process finds the folder."""
    name = shared_name()
    return {_VARIABLE: name} if name else {}


def _named() -> Path | None:
    global _folder  # noqa: PLW0603  # as above; a test may have another environment for a while
    if _folder is None and (name := os.environ.get(_VARIABLE)):
        _folder = Path(name)
    return _folder


def _nothing() -> None: ...
