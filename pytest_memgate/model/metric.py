"""The metrics that can be measured, gated and configured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One measured quantity: its dotted name, its unit, and the growth allowed where nothing says more."""

    name: str
    unit: str
    growth: str


MEMORY_PEAK = Metric(name="memory.peak", unit="B", growth="200KB")

METRICS = {metric.name: metric for metric in (MEMORY_PEAK,)}
