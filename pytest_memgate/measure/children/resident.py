"""The largest resident sizes of processes that a test starts, as told by a process that watches them.

It is started when a test starts a process for the first time. To begin and to stop costs this process microseconds.
"""

import json
import os
import time
from dataclasses import dataclass

from pytest_memgate.measure.children import size_watch
from pytest_memgate.measure.python.standard import Standard
from pytest_memgate.measure.resources.helper_process import HelperProcess

_os, _time = Standard(os), Standard(time)
_SOURCE = "/proc/self/status"  # without it, no process can be watched so
_MOST = 1 << 16  # bytes that are read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A process: how it was started (words separated by NUL), and the most bytes that it had resident."""

    pid: int
    words: str
    size: int


class ResidentWatch:
    """Watches the processes of the tests of this process."""

    def __init__(self) -> None:
        self._helper = HelperProcess(size_watch.__file__)

    @property
    def runs(self) -> bool:
        """True if processes are watched."""
        return self._helper.runs

    def start(self) -> bool:
        """Begin to watch, from the next run on; return False if that cannot be."""
        if not _os.path.exists(_SOURCE):
            return False
        try:
            self._helper.pipes()
        except OSError:
            self._helper.end()
        return self.runs

    def begin(self) -> None:
        """Look at the processes that are started from now on."""
        if self.runs:
            since = _time.clock_gettime(_time.CLOCK_BOOTTIME)  # Linux only, as all of it
            self._say(f"{size_watch.SINCE} {since}")

    def stop(self) -> None:
        """Look no more."""
        self._say(size_watch.STOP)

    def told(self) -> tuple[Resident, ...] | None:
        """Return the processes that were started since the begin; None if nobody has watched."""
        if not self._say(size_watch.TELL):
            return None
        try:
            _, back = self._helper.pipes()
            told = json.loads(_line(back))
        except (OSError, EOFError):
            self._helper.end()
            return None
        return tuple(Resident(pid=pid, words=words, size=size) for pid, words, size in told)

    def close(self) -> None:
        """End the process that watches."""
        self._helper.end()

    def _say(self, command: str) -> bool:
        if not self.runs:
            return False
        try:
            to, _ = self._helper.pipes()
            _os.write(to, f"{command}\n".encode())
        except OSError:  # a test has closed all that it found
            self._helper.end()
            return False
        return True


def _line(descriptor: int) -> bytes:
    data = b""
    while not data.endswith(b"\n"):
        part: bytes = _os.read(descriptor, _MOST)
        if not part:
            raise EOFError
        data += part
    return data
