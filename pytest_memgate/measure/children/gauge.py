"""In a service's process: how much it holds, and how long its garbage collections stop it.

The heap is what the C library has given out, which is all of it as long as Python takes its memory there
(`PYTHONMALLOC=malloc`) and freed blocks are not kept back for each thread (`glibc.malloc.tcache_count=0`): both are set
by the gate. Nothing here grows with the questions.
"""

import array
import ctypes
import gc
import json
import os
import sys
import time
from typing import Any

BUCKETS = 128  # of pauses, by their length
STEP = 1.15  # from one bucket to the next: 1 us * 1.15^127 is some 50 s
SHORTEST = 1e-6  # seconds, in the first bucket
_FIELDS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
_MOST_COLLECTIONS = 4  # until nothing more is found: what one frees may let go of more

_pauses = array.array("Q", bytes(8 * BUCKETS))
_began = 0.0
_is_asked = False  # True while this module collects


class _Mallinfo2(ctypes.Structure):
    """glibc's `struct mallinfo2`, since 2.33: see mallinfo(3)."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in _FIELDS)


class _ZoneStatistics(ctypes.Structure):
    """macOS's `malloc_statistics_t`, of malloc/malloc.h."""

    _fields_ = (
        ("blocks_in_use", ctypes.c_uint),
        ("size_in_use", ctypes.c_size_t),
        ("max_size_in_use", ctypes.c_size_t),
        ("size_allocated", ctypes.c_size_t),
    )


def watch_collections() -> None:
    """Take note of each pause from now on; in a fork, anew."""
    if _on_collection not in gc.callbacks:
        gc.callbacks.append(_on_collection)


def look() -> str:
    """Return the bytes that are held after a collection, and the pauses of the service's own, as JSON."""
    collect()
    held, fault = _heap()
    return json.dumps({"heap": held, "fault": fault, "pauses": list(_pauses)})


def collect() -> None:
    """Let go of what nothing needs: garbage, and the names by which the interpreter found attributes (4096 at most)."""
    global _is_asked  # noqa: PLW0603  # as the process has one collector
    _is_asked = True
    name = "_clear_internal_caches" if sys.version_info >= (3, 13) else "_clear_type_cache"
    getattr(sys, name)()
    for _ in range(_MOST_COLLECTIONS):
        if not gc.collect():
            break
    _is_asked = False


def _heap() -> tuple[int, str]:
    """Return all bytes that are held, or why they are not known."""
    if os.environ.get("PYTHONMALLOC") != "malloc":
        return 0, "it runs without PYTHONMALLOC=malloc, which the gate had set"
    held = given_out()
    return held or 0, "its C library does not tell how much it holds (glibc does from 2.33 on)" if held is None else ""


def given_out() -> int | None:
    """Return the bytes that the C library has given out and not got back, None where it does not tell."""
    library = ctypes.CDLL(None)
    try:
        if sys.platform == "darwin":
            zones = _ZoneStatistics()
            library.malloc_zone_statistics(None, ctypes.byref(zones))
            return int(zones.size_in_use)
        mallinfo2 = library.mallinfo2
    except (AttributeError, TypeError):  # TypeError: there is no library of that name on Windows
        return None
    mallinfo2.restype = _Mallinfo2
    told = mallinfo2()
    return int(told.uordblks + told.hblkhd)


def _on_collection(phase: str, _: dict[str, Any]) -> None:
    global _began  # noqa: PLW0603  # as above
    if _is_asked:
        return
    if phase == "start":
        _began = time.perf_counter()
        return
    bucket, longest = 0, SHORTEST
    lasted = time.perf_counter() - _began
    while lasted > longest and bucket < BUCKETS - 1:
        bucket, longest = bucket + 1, longest * STEP
    _pauses[bucket] += 1
