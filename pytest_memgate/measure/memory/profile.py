"""The profile of one traced call, read from a memray file in which every allocation was recorded.

memray gives the memory that was live at the peak and after the call, by stack. It gives memory freed before that only
one allocation at a time, so those are counted here. A million of them take about two seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import memray

from pytest_memgate.measure.memory.reading import reading
from pytest_memgate.measure.stacks.call_sites import Frame as Call
from pytest_memgate.measure.stacks.call_sites import own_frames
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.profile import Amount, Chain, Frame, TestProfile

_PEAK, _RETAINED, _ALLOCATED = range(3)
_FREES = {memray.AllocatorType.FREE, memray.AllocatorType.MUNMAP, memray.AllocatorType.PYMALLOC_FREE}


class Record(Protocol):
    """The part of memray's AllocationRecord that is read here."""

    @property
    def size(self) -> int:
        """The bytes of the allocations."""

    @property
    def n_allocations(self) -> int:
        """The number of allocations."""

    @property
    def stack_id(self) -> int:
        """The number of the stack."""

    def stack_trace(self) -> list[Call]:
        """Return the frames, innermost first."""


def read_profile(path: str, test: str, function: Call, places: Places, notes: tuple[str, ...] = ()) -> TestProfile:
    """Return the profile of `test`, whose chains begin with its `function` (name, file, line of its definition)."""
    chains = Chains(function, places)
    with reading(path, every=True) as reader:
        chains.add(_PEAK, reader.get_high_watermark_allocation_records(merge_threads=True))
        chains.add(_RETAINED, reader.get_leaked_allocation_records(merge_threads=True))
        chains.add(_ALLOCATED, (one for one in reader.get_allocation_records() if one.allocator not in _FREES))
    return chains.profile(test, notes)


@dataclass(slots=True)
class _Found:
    """A chain while it is counted: the calls of its largest record, and the objects and bytes of each kind."""

    calls: tuple[Call, ...]
    largest: int = -1
    counts: list[list[int]] = field(default_factory=lambda: [[0, 0] for _ in range(3)])


class Chains:
    """Allocation records, grouped by the functions on their way from the test."""

    def __init__(self, function: Call, places: Places) -> None:
        self._function = function
        self._places = places
        self._found: dict[tuple[tuple[str, str], ...], _Found] = {}

    def add(self, kind: int, records: Iterable[Record]) -> None:
        """Count records; each different stack is read once."""
        stacks: dict[int, list[Any]] = {}
        for record in records:
            known = stacks.get(record.stack_id)
            if known is None:
                stacks[record.stack_id] = [record.n_allocations, record.size, record.stack_trace()]
            else:
                known[0] += record.n_allocations
                known[1] += record.size
        for objects, size, stack in stacks.values():
            self._count(kind, objects, size, self._calls(stack))

    def _count(self, kind: int, objects: int, size: int, calls: tuple[Call, ...]) -> None:
        found = self._found.setdefault(tuple((path, function) for function, path, _ in calls), _Found(calls))
        found.counts[kind][0] += objects
        found.counts[kind][1] += size
        # The lines shown are those of what was live at the peak, where anything was.
        if kind == _PEAK and size > found.largest:
            found.largest, found.calls = size, calls

    def _calls(self, stack: list[Call]) -> tuple[Call, ...]:
        """Return the calls from the test inwards: a recursion once, a comprehension as the code around it."""
        name, file, _ = self._function
        own = own_frames(stack, self._places)
        if not own or self._places.is_harness(own[0][1]):
            return (self._function,)
        outermost = next((at for at in range(len(own) - 1, -1, -1) if own[at][:2] == (name, file)), len(own) - 1)
        calls: list[Call] = []  # from the allocation out
        for function, path, line in own[: outermost + 1]:
            inner = calls[-1] if calls else None
            if inner and inner[1] == path and (inner[0] == function or _is_part(inner[0])):
                # The line stays that of the innermost: there it is allocated.
                calls[-1] = (function, path, inner[2])
            else:
                calls.append((function, path, line))
        return tuple(reversed(calls))

    def profile(self, test: str, notes: tuple[str, ...]) -> TestProfile:
        """Return the profile, the largest chain first."""
        frames: dict[Frame, int] = {}
        chains = []
        for found in sorted(self._found.values(), key=lambda one: (one.counts[_PEAK][1], one.counts[_ALLOCATED][1])):
            named = (
                Frame(path=self._places.place(path).path, function=function, line=line)
                for function, path, line in found.calls
            )
            peak, retained, allocated = (Amount(objects=objects, bytes=size) for objects, size in found.counts)
            places = tuple(frames.setdefault(frame, len(frames)) for frame in named)
            chains.append(Chain(frames=places, peak=peak, retained=retained, allocated=allocated))
        return TestProfile(test=test, frames=tuple(frames), chains=tuple(reversed(chains)), notes=notes)


def _is_part(function: str) -> bool:
    """True if a function is a comprehension or a lambda: part of the code around it."""
    return function.startswith("<") and function != "<module>"
