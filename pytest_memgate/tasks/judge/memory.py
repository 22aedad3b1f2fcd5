"""Judge the memory of one test: a plan asks for runs until each metric is known, and each is held against its bar."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_memgate.budget.rule import Budget, Rule
from pytest_memgate.compare.judge import needs_rerun
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Doubt, DoubtKind
from pytest_memgate.model.judgement.reference import Bar
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import (
    ALLOCATED,
    ALLOCATION_RATE,
    ALLOCATIONS,
    FIRST_PEAK,
    GC_COLLECTIONS,
    GC_PAUSE,
    MEMORY_PEAK,
    MEMORY_RETAINED,
    Metric,
)
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.first_use import in_the_ledger
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.plans.repeats import Asked, Plan, measure

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.capture import Capture  # it needs memray

_TRACKED = (ALLOCATIONS, ALLOCATED, ALLOCATION_RATE, *GC_COLLECTIONS, GC_PAUSE)


def judge_memory(
    gate: Gate,
    subject: Subject,
    rules: Mapping[str, Rule],
    cold: "Capture",
    places: Places,
    *,
    settle: bool,
    tracked: bool,
) -> "Plan[list[tuple[Finding, Capture]]]":
    """Return the findings on a test whose first run is `cold`, each with the capture of its value.

    With `settle` every value is measured until it may become a baseline. `tracked` is True if each allocation was
    recorded. Raises BaselineError for a baseline that cannot be read and ConfigError for a budget in another unit.
    """
    metrics = (MEMORY_PEAK, MEMORY_RETAINED, *(_TRACKED if tracked else ()))

    def bars() -> list[tuple[Budget, Bar]]:
        return [(gate.budget(subject, one.name, rules), gate.baselines.bar(subject, one.name)) for one in metrics]

    held = bars()
    asked = [
        _asked(gate, metric, budget, bar, places, settle=settle)
        for metric, (budget, bar) in zip(metrics, held, strict=True)
    ]
    measured = yield from measure(cold, asked)
    if gate.baselines.recognise(subject, MEMORY_PEAK.name, measured[0][0].sites):
        held = bars()
    judged = []
    for metric, (budget, bar), (measurement, capture) in zip(metrics, held, measured, strict=True):
        if metric is MEMORY_RETAINED and _keeps_more(measurement, bar):
            measurement = replace(measurement, sites=capture.sites(metric.name, places).sites)  # noqa: PLW2901
        finding = gate.judge(subject, metric.name, measurement, budget, bar)
        if not _says_nothing(finding, metric, bar, settle=settle):
            judged.append((finding, capture))
    first_peak = _first_peak(gate, subject, rules, measured[0][0], cold, places)
    return [*judged, (first_peak, cold)] if first_peak else judged


def _first_peak(
    gate: Gate, subject: Subject, rules: Mapping[str, Rule], peak: Measurement, cold: "Capture", places: Places
) -> Finding | None:
    """Return the finding on what only the first run held at once, beside imports and first use; None on little.

    It never fails, but is told: in another order, another test may have held it.
    """
    if not (peak.warm and FIRST_PEAK.keeps(cold.peak - peak.value)):
        return None
    sites = cold.at_peak(places)
    others = sites.imports + in_the_ledger(gate, sites.sites)
    value = max(0.0, sum(site.size for site in sites.sites) - others - peak.value)
    bar = gate.baselines.bar(subject, FIRST_PEAK.name)
    if not FIRST_PEAK.keeps(max(value, bar.reference.value if bar.reference else 0)):
        return None
    measurement = Measurement(value=value, basis=Basis.EXACT, settled=True, sites=sites.sites)
    finding = gate.judge(subject, FIRST_PEAK.name, measurement, gate.budget(subject, FIRST_PEAK.name, rules), bar)
    if finding.outcome.fails_gate and finding.over:
        return replace(finding, outcome=Outcome.NOT_GATED, doubt=Doubt(kind=DoubtKind.FIRST_RUN))
    return finding


def _asked(gate: Gate, metric: Metric, budget: Budget, bar: Bar, places: Places, *, settle: bool) -> "Asked[Capture]":
    def is_open(measurement: Measurement) -> bool:
        return budget.gates and (settle or needs_rerun(measurement, budget, bar))

    def value(capture: "Capture") -> float:
        return capture.value(metric.name)

    # What is still alive is no more than what was alive at once, which is known without reading the records.
    quick = metric is MEMORY_RETAINED and bar.reference is not None and not bar.reference.value
    return Asked(
        metric=metric,
        bound=(lambda capture: capture.peak) if quick else value,
        value=value,
        sites=lambda capture: capture.sites(metric.name, places),
        first=lambda sites: sites.imports + in_the_ledger(gate, sites.sites),
        is_open=is_open,
        first_counts=settle,
    )


def _keeps_more(measurement: Measurement, bar: Bar) -> bool:
    """True if a test keeps more than in its baseline: many that keep a little each are told of together."""
    known = bar.reference.value if bar.reference else measurement.value
    return bool(measurement.warm) and measurement.value - known > MEMORY_RETAINED.noise


def _says_nothing(finding: Finding, metric: Metric, bar: Bar, *, settle: bool) -> bool:
    """True if a finding has nothing to tell: no baseline has, or would store, an entry for its value.

    That includes a bound that passes; an update (`settle`) looks at it.
    """
    if metric.absent is None or finding.outcome not in {Outcome.PASSED, Outcome.NEW, Outcome.NO_BASELINE}:
        return False
    known = bar.reference is not None and metric.keeps(bar.reference.value)
    passes = bar.reference is not None and not settle and finding.is_bound
    return not known and (passes or not metric.keeps(finding.measurement.value if finding.measurement else 0))
