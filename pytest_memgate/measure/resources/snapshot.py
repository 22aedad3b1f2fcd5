"""Threads, processes and files that are alive in this process, and which of them were not there before.

A look costs microseconds, so that every test can have two of them. `unseen()` has the kinds that a platform does not
tell of.
"""

import contextlib
import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pytest_memgate.measure.python.gc_freeze import collect
from pytest_memgate.measure.python.standard import Standard

_os, _threading, _time = Standard(os, open_file=open), Standard(threading), Standard(time)
KINDS = ("threads", "tasks", "processes", "files")
_FILES = {"linux": "/proc/self/fd", "darwin": "/dev/fd"}.get(sys.platform, "")
_TASKS = "/proc/self/task"
_NONE_FREE = {errno.EMFILE, errno.ENFILE}
_FIRST_NAP = 0.001  # seconds
_LONGEST_NAP = 0.05  # seconds

Alive = Mapping[
    str, frozenset[int]
]  # ids of threads (the system's, which are not used again soon) and processes, descriptors


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The leftovers of one run of a test: `new` by kind, and how many older ones of that kind are gone.

    A replacement is no growth: a service that starts its thread anew, a connection that is made again.
    """

    new: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        """Return the number of new ones of a kind, less those that are gone."""
        return max(0, len(self.new.get(kind, ())) - self.gone.get(kind, 0))


def unseen() -> tuple[str, ...]:
    """Return the kinds that this platform does not tell of."""
    where = {"files": _FILES, "processes": f"{_TASKS}/{_os.getpid()}/children"}
    seen = {
        kind: bool(path) and _os.path.exists(path) for kind, path in where.items()
    }  # no pathlib: every start of a worker
    return tuple(kind for kind in KINDS if not seen.get(kind, True))


OWN_FILES: set[int] = set()  # the open descriptors of the gate itself


def alive() -> Alive:
    """Return the living threads, processes and files."""
    return {"threads": _threads(), "processes": children(), "files": _without(open_files(), frozenset(OWN_FILES))}


def changed(known: Alive, before: Alive, after: Alive) -> Alive:
    """Return `known`, with the differences between two looks applied."""
    return {kind: (known[kind] - (before[kind] - after[kind])) | (after[kind] - before[kind]) for kind in known}


def left(before: Alive, after: Alive) -> Left:
    """Return the things that are there after a run and were not before it.

    A pool that was there before may hold more workers now: the number started so far is a matter of chance.
    """
    new = {kind: after[kind] - before[kind] for kind in after}
    if new["threads"] or new["processes"]:
        pools = _workers(before["threads"])
        new = {kind: found - pools for kind, found in new.items()}
    gone = {kind: len(before[kind] - after[kind]) for kind in after}
    return Left(new={kind: tuple(found) for kind, found in new.items() if found}, gone=gone)


def settled(look: Callable[[], Left], is_fine: Callable[[Left], bool], seconds: float) -> Left:
    """Return the leftovers once garbage is gone, and things that are just ending had their time to end."""
    found = look()
    if is_fine(found):
        return found
    collect()
    nap, end = _FIRST_NAP, _time.monotonic() + seconds
    while True:
        _reap()
        found = look()
        if is_fine(found) or _time.monotonic() > end:
            return found
        _time.sleep(nap)
        nap = min(2 * nap, _LONGEST_NAP)


def _reap() -> None:
    """Wait for ended children that nobody holds, as the next `Popen` would."""
    cleanup = getattr(sys.modules.get("subprocess"), "_cleanup", None)
    if cleanup:
        cleanup()


def children() -> frozenset[int]:
    """Return the ids of children that are alive or not waited for, if the platform lists them.

    While no descriptor is free they are those of the last look.
    """
    global _last_children  # noqa: PLW0603  # as the children are the process's
    with contextlib.suppress(OSError):
        _last_children = _children()
    return _last_children


_last_children: frozenset[int] = frozenset()


def _children() -> frozenset[int]:
    if not hasattr(os, "waitid"):
        return frozenset()
    try:
        _os.waitid(_os.P_ALL, 0, _os.WEXITED | _os.WNOHANG | _os.WNOWAIT)
    except ChildProcessError:
        return frozenset()  # nearly every test: no need to look for them
    found: set[int] = set()
    for task in _listed(_TASKS):
        try:
            with _os.open_file(f"{_TASKS}/{task}/children", encoding="ascii") as file:  # as quick as it can be
                found.update(map(int, file.read().split()))
        except OSError as error:
            if error.errno in _NONE_FREE:
                raise
            continue  # the thread has ended
    return frozenset(found)


@lru_cache(maxsize=2)
def _without(files: frozenset[int], own: frozenset[int]) -> frozenset[int]:
    """Return the files that are not the gate's: the same object if nothing has changed."""
    return files - own


def _threads() -> frozenset[int]:
    # One that Python only met, and did not start, says nothing of who did.
    started = (one for one in _threading.enumerate() if not isinstance(one, _threading._DummyThread))  # noqa: SLF001
    return frozenset(one.native_id for one in started if one.native_id)


class _Files:
    """The open descriptors, listed anew if their number has changed.

    A listing takes 32 KB for a moment, which a tracker would see. If one file was opened and another closed, nothing
    has grown: it does not matter that the listing still has the old one.
    """

    def __init__(self) -> None:
        self._number = 0
        self._listed: frozenset[int] = frozenset()

    def __call__(self) -> frozenset[int]:
        number = _number_of_files()
        if not number or number != self._number:
            self._listed = _listed_files()
            self._number = number
        return self._listed


open_files = _Files()


def _number_of_files() -> int:
    """Return the number of open descriptors, 0 if the system does not say: Linux does from 6.2 on."""
    try:
        return _os.stat(_FILES).st_size if sys.platform == "linux" else 0  # as quick as it can be
    except OSError:
        return 0


def _listed_files() -> frozenset[int]:
    if not _FILES:
        return frozenset()
    try:
        numbers: Iterable[int] = map(int, _listed(_FILES))
    except OSError:
        numbers = range(_os.sysconf("SC_OPEN_MAX"))
    return frozenset(filter(_is_open, numbers))  # the listing has its own descriptor, which is closed by now


def _is_open(descriptor: int) -> bool:
    try:
        _os.fstat(descriptor)
    except OSError:
        return False
    return True


def _listed(folder: str) -> list[str]:
    """Return the entries of a folder, none if it does not exist; raises OSError if no descriptor is free for it."""
    try:
        names: list[str] = _os.listdir(folder)
    except OSError as error:
        if error.errno in _NONE_FREE:
            raise
        return []
    return names


def _workers(threads: Collection[int]) -> set[int]:
    """Return the threads and processes of the pools of concurrent.futures that any of these threads belongs to."""
    queues = dict(getattr(sys.modules.get("concurrent.futures.thread"), "_threads_queues", {}))
    known = {id(queue) for thread, queue in queues.items() if thread.native_id in threads}
    found = {thread.native_id for thread, queue in queues.items() if id(queue) in known}
    for thread in _threading.enumerate():
        if thread.native_id in threads:
            found.update(getattr(thread, "processes", None) or ())
    return found
