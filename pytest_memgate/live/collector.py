"""The numbers of this process, taken when they are asked for; nothing here grows with the questions or the requests."""

import gc
import sys
import time
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from pytest_memgate.live.middleware import REQUESTS
from pytest_memgate.measure.children.gauge import given_out

_BOUNDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0)  # seconds; chosen


class LiveCollector(Collector):
    """A collector for a registry of prometheus-client: `REGISTRY.register(LiveCollector())`, once a process."""

    def __init__(self) -> None:
        generations = len(gc.get_count())
        self._began = 0.0
        self._pauses = [[0] * (len(_BOUNDS) + 1) for _ in range(generations)]
        self._sums = [0.0] * generations
        gc.callbacks.append(self._on_collection)

    def close(self) -> None:
        """Watch no more collections."""
        gc.callbacks.remove(self._on_collection)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield GaugeMetricFamily(
            "memgate_live_blocks", "Blocks that Python holds of its allocator", value=sys.getallocatedblocks()
        )
        held = given_out()
        if held is not None:
            yield GaugeMetricFamily(
                "memgate_live_malloc_bytes", "Bytes that the C library has given out and not got back", value=held
            )
        yield CounterMetricFamily(
            "memgate_live_requests", "Requests that the middleware has counted", value=REQUESTS[0]
        )
        collections = CounterMetricFamily(
            "memgate_live_gc_collections", "Garbage collections by generation", labels=["generation"]
        )
        freed = CounterMetricFamily(
            "memgate_live_gc_collected", "Objects that garbage collections have freed", labels=["generation"]
        )
        for number, told in enumerate(gc.get_stats()):
            collections.add_metric([str(number)], told["collections"])
            freed.add_metric([str(number)], told["collected"])
        yield collections
        yield freed
        yield self._histogram()

    def _histogram(self) -> HistogramMetricFamily:
        pauses = HistogramMetricFamily(
            "memgate_live_gc_pause_seconds", "How long garbage collections stop the program", labels=["generation"]
        )
        for number, (counts, total) in enumerate(zip(self._pauses, self._sums, strict=True)):
            buckets, seen = [], 0
            for bound, count in zip([*map(str, _BOUNDS), "+Inf"], counts, strict=True):
                seen += count
                buckets.append((bound, float(seen)))
            pauses.add_metric([str(number)], buckets, sum_value=total)
        return pauses

    def _on_collection(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
            return
        lasted, number = time.perf_counter() - self._began, info["generation"]
        self._sums[number] += lasted
        self._pauses[number][next((at for at, bound in enumerate(_BOUNDS) if lasted <= bound), len(_BOUNDS))] += 1
