"""How often a block of code allocates, how many bytes in all, and what the garbage collector does meanwhile."""

import gc
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from memray._memray import compute_statistics

from pytest_memgate.measure.memory.reading import reading
from pytest_memgate.measure.stacks.call_sites import Sites, library_of
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.metric import ALLOCATED, ALLOCATION_RATE, ALLOCATIONS, GC_COLLECTIONS, GC_PAUSE
from pytest_memgate.model.site import Site

_OURS = str(Path(__file__).parent)
_MOST = 200  # call sites that memray lists by themselves; chosen
_Location = tuple[str, str, int]  # function, file, line


class CollectorWatch:
    """The garbage collector's runs between `start` and `stop`: their number by generation, and all their seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0  # from start to stop
        self.pause = 0.0  # of it, in collections
        self.collections: tuple[int, ...] = (0, 0, 0)
        self._began = 0.0

    def start(self) -> None:
        """Begin to count."""
        self.collections = _collections()
        gc.callbacks.append(self._called)
        self.seconds = time.perf_counter()

    def stop(self) -> None:
        """Stop counting."""
        self.seconds = time.perf_counter() - self.seconds
        gc.callbacks.remove(self._called)
        before = self.collections
        self.collections = tuple(after - one for after, one in zip(_collections(), before, strict=True))

    def _called(self, phase: str, _: dict[str, Any]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.pause += time.perf_counter() - self._began


def _collections() -> tuple[int, ...]:
    return tuple(int(one["collections"]) for one in gc.get_stats())


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """All allocations of a block: their number, bytes and largest call sites; memory freed at once counts."""

    allocations: int
    allocated: int
    by_count: tuple[tuple[_Location, int], ...]
    by_size: tuple[tuple[_Location, int], ...]
    collector: CollectorWatch

    def value(self, metric: str) -> float:
        """Return the value of a metric, in its unit."""
        collections = dict(zip((one.name for one in GC_COLLECTIONS), self.collector.collections, strict=False))
        return {
            ALLOCATIONS.name: self.allocations,
            ALLOCATED.name: self.allocated,
            ALLOCATION_RATE.name: round(self.allocations / max(self.collector.seconds, 1e-9)),
            GC_PAUSE.name: self.collector.pause * 1000,
            **collections,
        }[metric]

    def sites(self, metric: str, places: Places) -> Sites:
        """Return the call sites of allocations or of their bytes, largest first; their callers are not known."""
        found = {ALLOCATIONS.name: self.by_count, ALLOCATED.name: self.by_size}.get(metric, ())
        sites: dict[str, Site] = {}
        for (function, path, line), amount in found:
            library, _ = library_of([(function, path, line)], places)
            site = Site(path=places.place(path).path, function=function, size=amount, line=line, library=library)
            known = sites.get(site.key)
            if known:
                site = replace(known, size=known.size + amount)
            sites[site.key] = site
        return Sites(sites=tuple(sorted(sites.values(), key=lambda site: (-site.size, site.key))), imports=0)


def count_allocations(path: str, collector: CollectorWatch) -> Counts:
    """Count the allocations in a memray file that recorded each one; raises CaptureError."""
    with reading(path, every=True):  # to its end
        found = compute_statistics(path, num_largest=_MOST)
    by_count, by_size = _without_ours(found.top_locations_by_count), _without_ours(found.top_locations_by_size)
    ours = [_sum(found.top_locations_by_count) - _sum(by_count), _sum(found.top_locations_by_size) - _sum(by_size)]
    return Counts(
        allocations=found.total_num_allocations - ours[0],
        allocated=found.total_memory_allocated - ours[1],
        by_count=by_count,
        by_size=by_size,
        collector=collector,
    )


def _without_ours(found: list[tuple[_Location, int]]) -> tuple[tuple[_Location, int], ...]:
    """Return the call sites without those of the tracing itself."""
    return tuple(one for one in found if not one[0][1].startswith(_OURS))


def _sum(found: Iterable[tuple[_Location, int]]) -> int:
    return sum(amount for _, amount in found)
