"""The metrics that can be measured, gated and configured."""

from dataclasses import dataclass

from pytest_memgate.units import DURATION, PLAIN, SIZE

WEB = "web"  # the environment of what a browser gets, whatever machine looks at it
CUSTOM = "custom."


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One measured quantity: its dotted name, its unit, and what is allowed where nothing says more.

    Without `growth` and `limit` it is recorded and shown, and gated once a budget names it. Two runs of an unchanged
    test may differ by `noise`, or by 1 % where that is more, and are the same.
    """

    name: str
    unit: str
    growth: str = ""
    limit: str = ""
    noise: float = 4000

    @property
    def family(self) -> str:
        """Return what the metric is one of: `memory`, `bundle`, `web`."""
        return self.name.partition(".")[0]

    @property
    def is_traced(self) -> bool:
        """Say whether memray measures it: only then does a baseline file's header matter."""
        return self.family in {"memory", "import"}

    @property
    def has_parts(self) -> bool:
        """Say whether one test can have several of it, told apart by a name in brackets."""
        return self.is_web or self.name == MEMORY_LEAK.name

    @property
    def is_web(self) -> bool:
        return self.family in {"bundle", "web"}


MEMORY_PEAK = Metric(name="memory.peak", unit=SIZE, growth="200KB")
MEMORY_RETAINED = Metric(name="memory.retained", unit=SIZE, growth="64KB")
MEMORY_LEAK = Metric(name="memory.leak", unit=SIZE, limit="0B", noise=0)  # per call
FIRST_USE = Metric(name="memory.first_use", unit=SIZE, growth="500KB")

METRICS = {
    metric.name: metric
    for metric in (
        MEMORY_PEAK,
        MEMORY_RETAINED,
        MEMORY_LEAK,
        FIRST_USE,
        Metric(name="import.peak", unit=SIZE, growth="500KB"),
        Metric(name="import.retained", unit=SIZE, growth="500KB"),
        Metric(name="import.modules", unit=PLAIN),
        *(
            Metric(name=f"leftover.{what}", unit=PLAIN, growth="0")
            for what in ("threads", "tasks", "processes", "files")
        ),
        *(
            Metric(name=f"bundle.initial.{form}", unit=SIZE, growth="200KB", limit="10MB")
            for form in ("raw", "gzip", "brotli")
        ),
        *(Metric(name=f"bundle.total.{form}", unit=SIZE) for form in ("raw", "gzip", "brotli")),
        Metric(name="web.lcp", unit=DURATION, growth="300ms"),
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
    """Return the metric of a part: `bundle.initial.raw` of `bundle.initial.raw[main]`."""
    return name.partition("[")[0]


def part_of(name: str) -> str:
    """Return the part that a metric is of: `main` of `bundle.initial.raw[main]`, empty for the whole."""
    return name.partition("[")[2].removesuffix("]")


def named(name: str, part: str) -> str:
    """Return the name of a metric of one part of a subject, such as an entry of a bundle."""
    return f"{name}[{part}]" if part else name


def metric(name: str, unit: str = PLAIN) -> Metric:
    """Return the metric of a name, with or without its part; one of the project's own (`custom.rows`) has `unit`."""
    base = base_name(name)
    return METRICS[base] if base in METRICS else Metric(name=base, unit=unit)
