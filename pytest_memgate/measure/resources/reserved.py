"""Large mappings that are reserved and hardly touched: an allocator's own, of which it serves what is asked for later.

memray sees the whole of such a mapping: mimalloc in pyarrow reserves 1 GiB, of which 2 MB are resident. What is not
resident is nobody's first use.
"""

import os
import re
from collections.abc import Iterable, Iterator

from pytest_memgate.measure.python.standard import Standard
from pytest_memgate.measure.stacks.call_sites import Frame, Record

_os = Standard(os, open_file=open)
_LARGE = 64 << 20  # bytes of a mapping that is looked at; chosen
_MOST_OF_IT = 0.95  # of a record, which may hold small mappings besides: a mapping that is so large is this one; chosen
_ALIGNED = 4 << 20  # bytes by which a mapping may differ from what was asked for; chosen
_MAPS = "/proc/self/smaps"  # see proc_pid_smaps(5)
_MAPPING = re.compile(r"^Size: +(\d+) kB$(?:\n(?!Size:).*)*?\nRss: +(\d+) kB$", re.MULTILINE)


class _Touched:
    """A record with the size of what is resident of it."""

    def __init__(self, record: Record, size: int) -> None:
        self.size = size
        self._record = record

    def stack_trace(self) -> list[Frame]:
        """Return the frames, innermost first."""
        return self._record.stack_trace()


def touched(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records of memory that this process still holds, each large mapping with what is resident of it."""
    mappings: list[tuple[int, int]] | None = None
    for record in records:
        if record.size < _LARGE:  # whatever its allocator: a large block has a mapping of its own
            yield record
            continue
        mappings = _mappings() if mappings is None else mappings
        fitting = (one for one in mappings if _MOST_OF_IT * record.size <= one[0] <= record.size + _ALIGNED)
        untouched = min((whole - resident for whole, resident in fitting), default=0)
        yield _Touched(record, max(0, record.size - untouched)) if untouched else record


def _mappings() -> list[tuple[int, int]]:
    """Return the size of each mapping and what is resident of it, in bytes; none where the system does not tell."""
    try:
        with _os.open_file(_MAPS, encoding="utf-8", errors="replace") as file:
            found = _MAPPING.findall(file.read())
    except OSError:
        return []
    return [(int(size) << 10, int(resident) << 10) for size, resident in found]
