"""Measure a declared check by its probe, and judge what it gives: the same way for every probe."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pytest_memgate.budget.rule import Budget, Rule
from pytest_memgate.compare.judge import needs_rerun
from pytest_memgate.compare.pairs import Paired
from pytest_memgate.measure.process.shared_server import SharedServer
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.metric import base_name
from pytest_memgate.model.subject import Subject
from pytest_memgate.probes.check import Check
from pytest_memgate.probes.face import Base
from pytest_memgate.probes.table import probe_of
from pytest_memgate.tasks.judge.gate import Gate

_NONE: Mapping[str, Paired] = MappingProxyType({})


def probe_findings(
    gate: Gate,
    subject: Subject,
    check: Check,
    rules: Mapping[str, Rule],
    *,
    part: str = "",
    settle: bool = False,
    cache: Path | None = None,
    server: SharedServer | None = None,
) -> list[Finding]:
    """Return the findings on what a check measures, under `rules` by metric.

    `part` tells it from others of one test; `settle` asks for values that can be stored; `server` is the one that
    checks in a row share. Raises MeasureError for what
    gives no number, and as `Gate.assess` does.
    """
    base = _base(gate, subject, check)
    case = _Case(
        gate=gate, subject=subject, rules=rules, part=part, settle=settle, cache=cache, base=base, server=server
    )
    probe = probe_of(check)
    reading = probe.measure(check, case)
    if strange := {base_name(name) for name in reading.values} - {metric.name for metric in probe.metrics}:
        raise LookupError(f"{type(probe).__name__} gives {min(strange)}, of which the table of metrics has no row")
    return list(reading.explained(case.judged(reading.values, reading.paired)).values())


def _base(gate: Gate, subject: Subject, check: Check) -> Base | None:
    """Return the base that a check may be measured on, where that has it, too."""
    if gate.side is None:
        return None
    there = gate.config.settings.checks.get(subject.name, check)
    number = sum(one.kind == check.kind for one in gate.own.checks.values())
    return Base(
        side=gate.side, check=there if there.kind == check.kind else check, error=gate.side.error / max(1, number)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What a probe may ask of the gate: see `pytest_memgate.probes.face.Case`."""

    gate: Gate
    subject: Subject
    rules: Mapping[str, Rule]
    part: str
    settle: bool
    cache: Path | None
    base: Base | None
    server: SharedServer | None

    @property
    def root(self) -> Path:
        return self.gate.root

    @property
    def is_base(self) -> bool:
        return self.gate.is_base

    def known(self, metric: str) -> set[str]:
        return self.gate.baselines.metrics(self.subject, metric)

    def reference(self, metric: str) -> Reference | None:
        return self.gate.baselines.bar(self.subject, metric).reference

    def budget(self, metric: str) -> Budget:
        return self.gate.budget(self.subject, metric, self.rules)

    def is_open(self, values: Mapping[str, Measurement]) -> bool:
        return any(
            needs_rerun(
                measurement, self.budget(name), self.gate.baselines.bar(self.subject, name, measurement.conditions)
            )
            for name, measurement in values.items()
        )

    def judged(self, values: Mapping[str, Measurement], paired: Mapping[str, Paired] = _NONE) -> dict[str, Finding]:
        return {
            name: self.gate.assess(self.subject, name, measurement, self.rules, paired=paired.get(name))
            for name, measurement in values.items()
        }
