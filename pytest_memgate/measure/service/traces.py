"""What a service's Python process took while it was traced, from memray's file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import memray
from memray._memray import compute_statistics

from pytest_memgate.measure.stacks.call_sites import Frame


@dataclass(frozen=True, slots=True)
class Part:
    """What one stack kept, in bytes and allocations."""

    size: int
    number: int
    stack: list[Frame]

    def stack_trace(self) -> list[Frame]:
        """Return the frames, innermost first."""
        return self.stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What one process took while it was traced: bytes at once, bytes allocated in all, and what it kept."""

    at_once: int
    allocated: int
    kept: Sequence[Part]


def read_trace(path: Path) -> Trace:
    """Return what a process took while it was traced. Raises OSError for a file that cannot be read."""
    with memray.FileReader(str(path)) as reader:
        kept = [
            Part(record.size, record.n_allocations, list(record.stack_trace()))
            for record in reader.get_leaked_allocation_records(merge_threads=True)
        ]
        at_once = sum(record.size for record in reader.get_high_watermark_allocation_records(merge_threads=True))
    allocated = compute_statistics(str(path)).total_memory_allocated
    return Trace(at_once=at_once, allocated=allocated, kept=kept)


def recurring(parts: Sequence[Part], often: float) -> list[Part]:
    """Return the parts, each stack's as one, of so many allocations at least."""
    number: Counter[tuple[Frame, ...]] = Counter()
    for part in parts:
        number[tuple(part.stack)] += part.number
    return [part for part in parts if number[tuple(part.stack)] >= often]
