"""One folder for what the gate's processes keep for themselves during a run: workers and further processes share it."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

_VARIABLE = "MEMGATE_PRIVATE"  # names the folder to the processes that are started
_folder: Path | None = None


def open_folder() -> Callable[[], None]:
    """Have the folder made, unless a process before this one has; return what removes what was made here."""
    if private_folder():
        return _nothing
    folder = tempfile.mkdtemp(prefix="memgate-")
    os.environ[_VARIABLE] = folder
    private_folder()

    def remove() -> None:
        global _folder  # noqa: PLW0603  # as the environment is the process's
        _folder = None
        if os.environ.get(_VARIABLE) == folder:
            del os.environ[_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)

    return remove


def private_folder() -> Path | None:
    """Return the folder, None where there is none: no gate is on."""
    global _folder  # noqa: PLW0603  # as above; a test may have another environment for a while
    if _folder is None:
        name = os.environ.get(_VARIABLE)
        _folder = Path(name) if name and Path(name).is_dir() else None
    return _folder


def shared() -> dict[str, str]:
    """Return the environment variables by which another process finds the folder."""
    folder = private_folder()
    return {_VARIABLE: str(folder)} if folder else {}


def _nothing() -> None: ...
