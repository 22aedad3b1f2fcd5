"""The largest resident size of each process below another one: a script of its own, which asks the system.

A process is asked every 10 ms, for the most that it ever had (`VmHWM`): what it takes in its last moment is missed.
Only those are looked at that were started since a moment that the gate names. Linux only: see proc_pid_status(5).
"""

import json
import os
import select
import sys
from collections.abc import Iterator

_INTERVAL = 0.01  # seconds between two looks; chosen
_STARTED = 19  # place of the start time after a process's name in its `stat`: proc_pid_stat(5)
_UNIT = 1024  # bytes: `VmHWM` is in KiB
# The commands, a line each. The first has a time, in seconds since the system began; the second is answered by a line
# of JSON: a list of processes, each by its id, its words (separated by NUL) and bytes.
SINCE, TELL, STOP = "since", "tell", "stop"

sizes: dict[tuple[int, str], int] = {}  # bytes by process and words: after an exec it is another program


def look(root: int, since: float) -> None:
    """Look at all processes below `root` once."""
    ticks = os.sysconf("SC_CLK_TCK")
    own = _read(f"/proc/{root}/cmdline")
    waiting = list(_children(root))
    while waiting:
        pid = waiting.pop()
        waiting += _children(pid)
        started = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        words = _read(f"/proc/{pid}/cmdline").rstrip("\0")
        # Before it has called exec, a process holds what its parent does.
        if len(started) <= _STARTED or not words or words == own.rstrip("\0"):
            continue
        if (int(started[_STARTED]) + 1) / ticks >= since:
            sizes[pid, words] = max(sizes.get((pid, words), 0), _largest(pid))


def _largest(pid: int) -> int:
    """Return the most bytes that a process ever had resident, 0 if it has ended."""
    _, found, rest = _read(f"/proc/{pid}/status").partition("VmHWM:")
    return int(rest.split(maxsplit=1)[0]) * _UNIT if found else 0


def _children(pid: int) -> Iterator[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208  # no pathlib: it takes longer to import than all of this
    except OSError:
        return
    for task in tasks:
        yield from map(int, _read(f"/proc/{pid}/task/{task}/children").split())


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:  # it has ended
        return ""


def _serve(root: int) -> None:
    since: float | None = None
    waiting = ""
    while True:
        if since is not None and not select.select([0], [], [], _INTERVAL)[0]:
            look(root, since)
            continue
        data = os.read(0, 1000).decode()
        if not data:
            return
        *commands, waiting = (waiting + data).split("\n")
        for command in commands:
            word, _, value = command.partition(" ")
            if word == SINCE:
                sizes.clear()
                since = float(value)
            elif word == TELL and since is not None:
                look(root, since)
            if word == TELL:
                os.write(1, (json.dumps([[*of, size] for of, size in sizes.items()]) + "\n").encode())
            if word in {TELL, STOP}:
                since = None


if __name__ == "__main__":
    parent = os.getppid()
    if not os.fork():
        _serve(parent)
        sys.exit()
