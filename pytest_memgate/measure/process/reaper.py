"""Ends the processes that still run for a private folder, even if the process that made the folder was killed.

Run as a script, it stays beside a measurement and waits for the end of its standard input, a pipe that only the
measuring process holds: a process that is killed closes it like any other. So it needs the standard library alone.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

# Every process started for a folder has this variable. Chrome drops its parent and its group, but not its environment.
MARK = "MEMGATE_FOLDER"

_PROC = Path("/proc")


def belonging(folder: Path, roots: Collection[int] = ()) -> set[int]:
    """Return the live processes that name `folder` or a file in it, `roots`, and their descendants and groups."""
    table = list(_linux() if _PROC.joinpath("self", "stat").exists() else _elsewhere())
    name = os.fsencode(f"{folder}{os.sep}")
    found = {pid for pid, _, _, words in table if pid in roots or name in words}
    own = {os.getpid(), os.getppid()}
    while True:
        groups = {group for pid, _, group, _ in table if pid in found} - {os.getpgrp()}
        more = {pid for pid, parent, group, _ in table if parent in found or group in groups} - found - own
        if not more:
            return found - own
        found |= more


def end(folder: Path, roots: Collection[int] = (), *, gently: bool = False) -> None:
    """End every process that belongs to `folder`; with `gently`, they may first end by themselves.

    Lighthouse ends its Chrome only on an interrupt, so that comes first.
    """
    if sys.platform == "win32":
        for root in roots:
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(root)], capture_output=True, check=False)  # noqa: S603, S607
        return
    steps = [(signal.SIGINT, 3.0), (signal.SIGTERM, 2.0)] if gently else []
    for number, seconds in [*steps, (signal.SIGKILL, 5.0)]:
        deadline = time.monotonic() + seconds
        signalled: set[int] = set()
        while (alive := belonging(folder, roots)) and time.monotonic() < deadline:
            for pid in alive - signalled:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            signalled |= alive
            time.sleep(0.05)
        if not alive:
            return


def remove(folder: Path) -> None:
    """Remove a folder; a process that is just ending may still write into it."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)


def _linux() -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the id, parent, group, and command line of each process that has not ended."""
    for entry in os.scandir(_PROC):
        if not entry.name.isdecimal():
            continue
        try:
            state, parent, group = _stat(entry.path)
            words = Path(entry.path, "cmdline").read_bytes()
            with contextlib.suppress(PermissionError):  # another user's
                words += b"\0" + Path(entry.path, "environ").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if state not in "ZX":
            yield int(entry.name), parent, group, words


def _stat(process: str) -> tuple[str, int, int]:
    text = Path(process, "stat").read_text(encoding="utf-8", errors="replace")
    state, parent, group = text.rpartition(")")[2].split()[:3]  # the name before it may hold anything
    return state, int(parent), int(group)


def _elsewhere() -> Iterator[tuple[int, int, int, bytes]]:
    command = ["ps", "-axEww", "-o", "pid=,ppid=,pgid=,stat=,command="]
    listed = subprocess.run(command, capture_output=True, check=False).stdout  # noqa: S603
    for line in listed.splitlines():
        pid, parent, group, state, words = line.split(maxsplit=4)
        if not state.startswith(b"Z"):
            yield int(pid), int(parent), int(group), words


def _watch() -> Iterator[str]:
    """Yield the lines of standard input until it ends, or until the process that wrote them has."""
    parent, rest = os.getppid(), b""
    while True:
        # A fork of the parent may hold the pipe open after the parent's death, so look at the parent too.
        if sys.platform != "win32" and not select.select([0], [], [], 2)[0]:
            if os.getppid() != parent:
                return
            continue
        data = os.read(0, 4096)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        yield from map(os.fsdecode, lines)


def main() -> None:
    """Read a folder, then `+pid` and `-pid` for each command that starts and ends in it; clean up at the end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    lines = _watch()
    folder = Path(next(lines))
    roots: set[int] = set()
    for line in lines:
        (roots.add if line.startswith("+") else roots.discard)(int(line[1:]))
    end(folder, roots)
    remove(folder)


if __name__ == "__main__":
    main()
