"""One timed measurement at a time on one machine: two at once would measure each other."""

import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_held = threading.RLock()
_depth = 0


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other process of this user is inside, and keep the others out; may be nested.

    The lock is the operating system's, on a file in the temporary directory: a process that dies gives it back.
    """
    global _depth  # noqa: PLW0603
    with _held:
        if _depth:
            yield
            return
        descriptor = os.open(_path(), os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            _lock(descriptor)
            _depth += 1
            try:
                yield
            finally:
                _depth -= 1
        finally:
            os.close(descriptor)


def _path() -> Path:
    user = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "")
    return Path(tempfile.gettempdir(), f"memgate-alone-{user}.lock")


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415

        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:  # its own way to wait gives up after ten seconds
                time.sleep(0.2)
            else:
                return
    else:
        import fcntl  # noqa: PLC0415

        fcntl.flock(descriptor, fcntl.LOCK_EX)
