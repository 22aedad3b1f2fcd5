"""The metrics that can be measured, gated and configured."""

from dataclasses import dataclass

from pytest_memgate.units import DURATION, PLAIN, SIZE

WEB = "web"  # the environment of what does not depend on the machine, as bundles and pages
CUSTOM = "custom."  # how the names of a project's own metrics begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What all metrics have in common whose names begin with one word.

    `counted` is the word for one of what it is measured of, as in "2 bundles", and `more` follows it. With
    `is_declared`, memgate.yml declares its subjects, and its parts are packages, modules or resources. With `is_web`,
    the values are the same on whatever machine they are measured: their baselines are those of the environment `web`.
    With `is_traced`, memray measures it: only then does the header of a baseline file matter.
    """

    counted: str = "test"
    more: str = ""
    is_declared: bool = False
    is_web: bool = False
    is_traced: bool = False


FAMILIES = {
    "memory": Family(is_traced=True),
    "gc": Family(),
    "import": Family(counted="import", is_declared=True, is_traced=True),
    "children": Family(more=" that start Python", is_traced=True),
    "leftover": Family(more=" with something left behind"),
    "bundle": Family(counted="bundle", is_declared=True, is_web=True),
    "service": Family(counted="service", is_declared=True),
    "web": Family(counted="page", is_declared=True, is_web=True),
    "time": Family(counted="timed test"),
    "custom": Family(more=" with values of its own"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One measured quantity: its dotted name, its unit, and its default budget.

    Without `growth` and `limit` it is recorded and shown, and gated once a budget names it. Two runs of an unchanged
    test agree if they differ by no more than `noise` or 1 %, whichever is more. If `absent` is not None, a test that
    has entries but none of this metric counts as one with `absent`; only a value above that by more than noise is
    stored.

    Default budgets and noise were chosen: docs/configuration.md lists them, benchmarks/false_alarms.py and
    benchmarks/detection.py hold those of memory, benchmarks/pages.py those of pages.
    """

    name: str
    unit: str
    growth: str = ""
    limit: str = ""
    noise: float = 4000
    absent: float | None = None

    @property
    def family(self) -> str:
        """The first part of the name: `memory`, `bundle`, `web`."""
        return self.name.partition(".")[0]

    @property
    def is_traced(self) -> bool:
        """True if memray measures it."""
        return self._family.is_traced

    def keeps(self, value: float) -> bool:
        """True if a baseline stores this value."""
        return self.absent is None or value > self.absent + self.noise

    @property
    def is_leftover(self) -> bool:
        """True if it counts things that outlive a test: a test without an entry has left nothing."""
        return self.family == "leftover"

    @property
    def has_parts(self) -> bool:
        """True if one test can have several of it, told apart by a name in brackets."""
        return self.is_web or self.name == MEMORY_LEAK.name

    @property
    def is_web(self) -> bool:
        """True if its values are the same on whatever machine they are measured, as those of a bundle."""
        return self._family.is_web

    @property
    def is_declared(self) -> bool:
        """True if memgate.yml declares its subject."""
        return self._family.is_declared

    @property
    def _family(self) -> Family:
        return FAMILIES.get(self.family, Family())


MEMORY_PEAK = Metric(name="memory.peak", unit=SIZE, growth="200KB")
MEMORY_RETAINED = Metric(name="memory.retained", unit=SIZE, growth="64KB", absent=0)
MEMORY_LEAK = Metric(name="memory.leak", unit=SIZE, limit="0B", noise=0)  # per call
ALLOCATIONS = Metric(name="memory.allocations", unit=PLAIN, growth="1%", noise=0)
ALLOCATED = Metric(name="memory.allocated", unit=SIZE, growth="1%", noise=0)
ALLOCATION_RATE = Metric(name="memory.allocation_rate", unit="per second")
GC_COLLECTIONS = tuple(Metric(name=f"gc.gen{number}", unit=PLAIN, noise=0) for number in range(3))
GC_PAUSE = Metric(name="gc.pause", unit=DURATION)
FIRST_USE = Metric(name="memory.first_use", unit=SIZE, growth="500KB", noise=100_000, absent=0)  # of a package or file
FIRST_PEAK = Metric(name="memory.first_peak", unit=SIZE, growth="5MB", noise=500_000, absent=0)  # above later runs
CHILDREN_PEAK = Metric(name="children.peak", unit=SIZE, growth="500KB", noise=50_000, absent=0)  # largest
CHILDREN_RETAINED = Metric(name="children.retained", unit=SIZE, growth="500KB", noise=50_000, absent=0)  # of all
CHILDREN_RESIDENT = Metric(name="children.resident", unit=SIZE, growth="max(20MB, 10%)", noise=16_000_000, absent=0)
MEMORY_UNTRACED = Metric(name="memory.untraced", unit=SIZE, growth="4MB", noise=2_000_000, absent=0)  # each run
SERVICE_LEAK = Metric(name="service.leak", unit=SIZE, limit="8B", noise=0)  # a request

METRICS = {
    metric.name: metric
    for metric in (
        MEMORY_PEAK,
        MEMORY_RETAINED,
        MEMORY_LEAK,
        ALLOCATIONS,
        ALLOCATED,
        ALLOCATION_RATE,
        *GC_COLLECTIONS,
        GC_PAUSE,
        FIRST_USE,
        FIRST_PEAK,
        MEMORY_UNTRACED,
        CHILDREN_PEAK,
        CHILDREN_RETAINED,
        CHILDREN_RESIDENT,
        SERVICE_LEAK,
        Metric(name="service.retained", unit=SIZE, growth="1MB", noise=100_000),
        Metric(name="service.peak", unit=SIZE, growth="5MB", noise=500_000),
        Metric(name="service.files", unit=PLAIN, growth="10", noise=5),
        Metric(name="service.threads", unit=PLAIN, growth="10", noise=5),
        Metric(name="service.allocation_rate", unit=SIZE),  # a request
        Metric(name="service.gc_pause", unit=DURATION),
        Metric(name="import.peak", unit=SIZE, growth="500KB"),
        Metric(name="import.retained", unit=SIZE, growth="500KB"),
        Metric(name="import.modules", unit=PLAIN),
        *(
            Metric(name=f"leftover.{what}", unit=PLAIN, growth="0", noise=0, absent=0)
            for what in ("threads", "tasks", "processes", "files")
        ),
        *(
            Metric(name=f"bundle.initial.{form}", unit=SIZE, growth="200KB", limit="10MB")
            for form in ("raw", "gzip", "brotli")
        ),
        *(Metric(name=f"bundle.total.{form}", unit=SIZE) for form in ("raw", "gzip", "brotli")),
        Metric(name="web.lcp", unit=DURATION, growth="300ms"),
        Metric(name="web.observed.lcp", unit=DURATION, growth="300ms"),
        Metric(name="web.fcp", unit=DURATION),
        Metric(name="web.tbt", unit=DURATION),
        Metric(name="web.cls", unit=PLAIN, growth="0.1"),
        Metric(name="web.tti", unit=DURATION),
        Metric(name="web.si", unit=DURATION),
        Metric(name="web.ttfb", unit=DURATION, growth="300ms"),
        Metric(name="web.max_potential_fid", unit=DURATION),
        Metric(name="web.bytes", unit=SIZE, growth="200KB"),
        *(Metric(name=f"time.{name}", unit=DURATION) for name in ("min", "median", "mean")),
    )
}


def base_name(name: str) -> str:
    """Return the metric without its part: `bundle.initial.raw` for `bundle.initial.raw[main]`."""
    return name.partition("[")[0]


def part_of(name: str) -> str:
    """Return the part of a metric: `main` for `bundle.initial.raw[main]`, empty for the whole."""
    return name.partition("[")[2].removesuffix("]")


def named(name: str, part: str) -> str:
    """Return the name of a metric of one part of a subject, such as an entry of a bundle."""
    return f"{name}[{part}]" if part else name


def is_answered(name: str, given: set[str]) -> bool:
    """True if a test that gave the metrics `given` has also answered `name`, or said why it cannot.

    A test whose retained memory is within noise gives no finding on it: its peak stands for both. So it does for what
    only the first run holds.
    """
    known = metric(name)
    return bool({name, base_name(name), known.family} & given) or (
        known in (MEMORY_RETAINED, FIRST_PEAK) and MEMORY_PEAK.name in given
    )


def metric(name: str, unit: str = PLAIN) -> Metric:
    """Return the metric of a name, with or without its part; one of the project's own (`custom.rows`) has `unit`."""
    base = base_name(name)
    return METRICS[base] if base in METRICS else Metric(name=base, unit=unit)
