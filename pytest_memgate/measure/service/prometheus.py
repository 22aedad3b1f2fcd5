"""A service in any language that has a page of Prometheus metrics."""

from collections.abc import Mapping, Sequence

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.service.place import EXTRA, Place
from pytest_memgate.measure.service.source import Source

PATH = "/metrics"
# Names and labels, as the clients of these runtimes give them, of the heap; the first one that a page has counts.
_HEAPS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("go_memstats_heap_alloc_bytes", {}),
    ("jvm_memory_used_bytes", {"area": "heap"}),
    ("jvm_memory_bytes_used", {"area": "heap"}),
    ("nodejs_heap_size_used_bytes", {}),
    ("dotnet_total_memory_bytes", {}),
)
_RESIDENT = "process_resident_memory_bytes"
_NAMED = 5  # of a page's names, in an error


class PrometheusSource(Source):
    """Sums the samples of one name."""

    name = "prometheus"
    collects = False

    def __init__(self, place: Place) -> None:
        self._place = place
        self._wanted = _wanted(_samples(place), place.metrics)
        self.words = f"{', '.join(name for name, _ in self._wanted)} of {place.url}{PATH}"
        self.is_heap = all(name != _RESIDENT for name, _ in self._wanted)

    @classmethod
    def why_not(cls, place: Place) -> str:
        try:
            _wanted(_samples(place), place.metrics)
        except MeasureError as error:
            return str(error)
        return ""

    def held(self) -> float:
        samples = _samples(self._place)
        if gone := [name for name, labels in self._wanted if _sum(samples, name, labels) is None]:
            raise MeasureError(f"{self._place.url}{PATH}: {gone[0]} is no longer there")
        return sum(_sum(samples, name, labels) or 0 for name, labels in self._wanted)


_Samples = list[tuple[str, Mapping[str, str], float]]


def _samples(place: Place) -> _Samples:
    try:
        from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  # it is an extra
    except ImportError as error:
        raise MeasureError(
            "a page of metrics is read by prometheus-client, which is not installed", hint=EXTRA
        ) from error
    text = place.get(PATH).decode("utf-8", "replace")
    try:
        families = list(text_string_to_metric_families(text))
    except ValueError as error:
        raise MeasureError(f"{place.url}{PATH}: this is no page of Prometheus metrics: {error}") from error
    return [(one.name, one.labels, one.value) for family in families for one in family.samples]


def _wanted(samples: _Samples, names: Sequence[str]) -> list[tuple[str, Mapping[str, str]]]:
    """Return the names that are summed: those of memgate.yml, or the first known one of a heap, or resident size."""
    there = list(dict.fromkeys(name for name, _, _ in samples))
    if absent := [name for name in names if name not in there]:
        similar = [name for name in there if "bytes" in name or "memory" in name][:_NAMED]
        raise MeasureError(f"{PATH} has no {absent[0]}; it has {', '.join(similar or there[:_NAMED]) or 'nothing'}")
    if names:
        return [(name, {}) for name in names]
    for name, labels in (*_HEAPS, (_RESIDENT, {})):
        if _sum(samples, name, labels) is not None:
            return [(name, labels)]
    raise MeasureError(f"{PATH} has no metric of memory that is known", hint="name one by `heap`")


def _sum(samples: _Samples, wanted: str, labels: Mapping[str, str]) -> float | None:
    values = [value for name, has, value in samples if name == wanted and labels.items() <= has.items()]
    return sum(values) if values else None
