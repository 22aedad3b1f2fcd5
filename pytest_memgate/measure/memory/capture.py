"""The file that memray wrote of one traced block of code: its peak memory and, if asked for, its call sites."""

import mmap
import os
import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import memray

from pytest_memgate.measure.memory.allocation_counts import CollectorWatch, Counts, count_allocations
from pytest_memgate.measure.memory.greenlets import be_quiet
from pytest_memgate.measure.memory.reading import reading
from pytest_memgate.measure.resources.reserved import touched
from pytest_memgate.measure.resources.snapshot import OWN_FILES
from pytest_memgate.measure.stacks.call_sites import Sites, read_sites
from pytest_memgate.measure.stacks.owners import FirstUse, read_owners
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.metric import MEMORY_PEAK, MEMORY_RETAINED

if TYPE_CHECKING:
    from collections.abc import Callable

# Written in one go rather than through a mapped file: quicker to write, and much quicker to read. Not in old releases.
_BUFFERED: dict[str, Any] = {"buffered": True} if hasattr(memray.FileDestination, "buffered") else {}


_DESCRIPTORS = "/proc/self/fd"


class Capture:
    """The memray file of one traced block, in memory or without a name if the platform allows it.

    On Linux the file exists only as a descriptor, so that even a process that is killed leaves nothing behind.
    Elsewhere it lies in a temporary directory until `close()`, or in `folder` if one is given, for files that may be
    larger than memory. A part `of` another capture reads that capture's file.
    """

    def __init__(self, folder: Path | None = None, *, of: "Capture | None" = None) -> None:
        self.peak = 0
        self.every = False  # True if each allocation is recorded
        self.together = 1  # so many calls it is of
        self.fault = ""  # why there is no peak
        self.threads: tuple[str, ...] = ()
        self.started_processes = False
        self.modules: tuple[str, ...] = ()
        self.collector = CollectorWatch()
        self.end: Callable[[], None] = nothing  # stops its tracker, before the call has ended
        self._name = ""
        if of:
            self._descriptor, self._name = of.descriptor, of.path
        elif folder is None and hasattr(os, "memfd_create") and os.access(_DESCRIPTORS, os.X_OK):
            self._descriptor = os.memfd_create("memgate")
        else:
            self._descriptor, self._name = tempfile.mkstemp(prefix="memgate-", suffix=".bin", dir=folder)
        OWN_FILES.add(self._descriptor)

    @property
    def descriptor(self) -> int:
        """The open descriptor of the file."""
        return self._descriptor

    @property
    def path(self) -> str:
        """The path by which memray opens the file."""
        return self._name or f"{_DESCRIPTORS}/{self._descriptor}"

    def value(self, metric: str) -> float:
        """Return the value of a metric, in its unit; raises CaptureError for a file that is not whole."""
        if metric == MEMORY_PEAK.name:
            return self.peak
        if metric == MEMORY_RETAINED.name:
            return self.retained
        return self.counts.value(metric)

    @cached_property
    def retained(self) -> int:
        """The bytes that the block allocated and that are alive after a collection at its end."""
        with reading(self.path, every=self.every) as reader:
            return sum(record.size for record in reader.get_leaked_allocation_records(merge_threads=True))

    def sites(self, metric: str, places: Places) -> Sites:
        """Return the call sites of a metric's value, none for a metric without sites."""
        if metric not in {MEMORY_PEAK.name, MEMORY_RETAINED.name}:
            return self.counts.sites(metric, places)
        with reading(self.path, every=self.every) as reader:
            at_peak = metric == MEMORY_PEAK.name
            read = reader.get_high_watermark_allocation_records if at_peak else reader.get_leaked_allocation_records
            return read_sites(read(merge_threads=True), places)

    def at_peak(self, places: Places) -> Sites:
        """Return the call sites of what the block itself held at the peak, without mappings that it only reserved."""
        with reading(self.path, every=self.every) as reader:
            return read_sites(touched(reader.get_high_watermark_allocation_records(merge_threads=True)), places)

    def owners(self, places: Places) -> FirstUse:
        """Return the retained bytes by package or file, and within these by module or call site."""
        with reading(self.path, every=self.every) as reader:
            return read_owners(touched(reader.get_leaked_allocation_records(merge_threads=True)), places)

    @property
    def span(self) -> object | None:
        """The shared tracker that it is a part of, None if it has its own."""
        return None

    def loose(self, places: Places) -> FirstUse:  # noqa: ARG002
        """Return the bytes of other threads under a shared tracker: any of its calls may be the cause."""
        return {}

    @cached_property
    def counts(self) -> Counts:
        """The counts of all allocations, if each one was recorded."""
        return count_allocations(self.path, self.collector)

    def save(self, path: Path) -> None:
        """Copy the memray file to `path`."""
        shutil.copyfile(self.path, path)

    def close(self) -> None:
        """Close and remove the file."""
        self.end = nothing
        OWN_FILES.discard(self._descriptor)
        os.close(self._descriptor)
        if self._name:
            Path(self._name).unlink()


def nothing() -> None:
    """Do nothing, in place of ending a trace that has ended."""


def new_tracker(capture: Capture, *, every: bool = False) -> memray.Tracker:
    """Return a tracker that writes to a capture: `every` allocation, or sums by stack."""
    be_quiet()
    return memray.Tracker(
        destination=memray.FileDestination(capture.path, overwrite=True, compress_on_exit=False, **_BUFFERED),
        trace_python_allocators=True,
        file_format=memray.FileFormat.ALL_ALLOCATIONS if every else memray.FileFormat.AGGREGATED_ALLOCATIONS,
    )


def show(size: int) -> None:
    """Let a tracker see `size` bytes, for a moment."""
    if size:
        mmap.mmap(-1, size).close()
