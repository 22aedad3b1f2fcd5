"""What a process held at its peak and at its end, without what its imports hold, from a file with each allocation.

memray takes note of the heap each 10 ms; between two notes it knows the moment of the most. At that moment of each
interval the bytes of imports are left out, and the largest rest is the peak: what modules took while they were loaded
would otherwise hide it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import memray

from pytest_memgate.measure.stacks.call_sites import Frame, Sites, read_sites
from pytest_memgate.measure.stacks.import_hook import IMPORT_SYSTEM
from pytest_memgate.measure.stacks.source_paths import Places

_is_installed = lru_cache(maxsize=None)(Places.is_installed)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some bytes of one stack."""

    size: int
    stack: list[Frame]

    def stack_trace(self) -> list[Frame]:
        """Return the frames, innermost first."""
        return self.stack


@dataclass(frozen=True, slots=True)
class _Held:
    """Bytes of one stack from one interval to another, None if they are alive at the end."""

    part: _Part
    since: int
    until: int | None


def read_process(reader: memray.FileReader, places: Places) -> tuple[Sites, Sites]:
    """Return the call sites at the peak and at the end."""
    records, most = reader.get_temporal_high_water_mark_allocation_records(merge_threads=True)
    held = list(_own(records, places))
    change = [0] * (len(most) + 1)
    for one in held:
        change[one.since] += one.part.size
        if one.until is not None:
            change[one.until] -= one.part.size
    sums = list(accumulate(change))
    peak = sums.index(max(sums))
    at_peak = (one.part for one in held if one.since <= peak and (one.until is None or peak < one.until))
    return read_sites(at_peak, places), read_sites((one.part for one in held if one.until is None), places)


def _own(records: Iterable[Any], places: Places) -> Iterator[_Held]:
    """Yield what is no part of an import: neither a module's code nor what a library builds as it loads.

    What the project's own modules build as they are loaded counts.
    """
    for record in records:
        stack: list[Frame] = record.stack_trace()
        is_imported = any(path.startswith(IMPORT_SYSTEM) for _, path, _ in stack)
        if is_imported and (stack[0][1].startswith("<frozen ") or _is_installed(places, stack[0][1])):
            continue
        for one in record.intervals:
            part = _Part(one.n_bytes, stack)
            yield _Held(part, one.allocated_before_snapshot, one.deallocated_before_snapshot)
