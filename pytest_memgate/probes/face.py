"""The one face of all that memgate.yml may declare: what a probe is, what it may ask, and what it gives."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pytest_memgate.budget.rule import Budget
from pytest_memgate.compare.pairs import Paired
from pytest_memgate.measure.process.base_side import BaseSide
from pytest_memgate.measure.process.shared_server import SharedServer
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.metric import METRICS, Metric
from pytest_memgate.model.subject import Subject
from pytest_memgate.probes.check import Check

C = TypeVar("C", bound=Check)
Findings = Mapping[str, Finding]  # by metric
_NONE: Mapping[str, Paired] = MappingProxyType({})


class Case(Protocol):
    """One test that a check is measured for, and what it is held against.

    `part` tells the check from others of the same test, `settle` asks for values that can be stored, and `cache` is a
    folder for what is slow to measure and does not change, where there is one. With a `base`, what varies is measured
    on both sides in turn; before that, in a run that `is_base`, it need not be measured closely. `server` is the one
    that checks in a row may share.
    """

    @property
    def root(self) -> Path: ...
    @property
    def subject(self) -> Subject: ...
    @property
    def part(self) -> str: ...
    @property
    def settle(self) -> bool: ...
    @property
    def cache(self) -> Path | None: ...
    @property
    def base(self) -> "Base | None": ...
    @property
    def is_base(self) -> bool: ...
    @property
    def server(self) -> SharedServer | None: ...

    def known(self, metric: str) -> set[str]:
        """Return the names that a metric has in the test's baseline, with their parts."""

    def reference(self, metric: str) -> Reference | None:
        """Return the baseline entry of a metric."""

    def budget(self, metric: str) -> Budget:
        """Return what holds for a metric."""

    def is_open(self, values: Mapping[str, Measurement]) -> bool:
        """True if measuring more could change a verdict."""

    def judged(self, values: Mapping[str, Measurement], paired: Mapping[str, Paired] = _NONE) -> dict[str, Finding]:
        """Return the finding on each value; where it was `paired` with the base's, pairs decide whether it grew.

        Raises BaselineError, and ConfigError for a budget in another unit.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The base of a comparison, where it can be measured now; there, `check` is what is measured.

    `error` is the probability of a wrong answer that one check may spend.
    """

    side: BaseSide
    check: Check
    error: float


def _as_they_are(findings: Findings) -> Findings:
    return findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The values of a check by metric, in the metric's unit, and what adds to the findings on them what helps more.

    Those in `paired` were measured in turn with the base's.
    """

    values: Mapping[str, Measurement]
    paired: Mapping[str, Paired] = field(default_factory=dict)
    explained: Callable[[Findings], Findings] = _as_they_are


class Probe(ABC, Generic[C]):
    """Measures one kind of check.

    `check` is the class of its specs. `family` is the first word of the metrics that it answers for: those of
    `METRICS`, each with the budget that it has by default.
    """

    check: ClassVar[type[Check]]
    family: ClassVar[str]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that it answers for."""
        return tuple(metric for metric in METRICS.values() if metric.family == self.family)

    @abstractmethod
    def measure(self, check: C, case: Case) -> Reading:
        """Measure a check; import here what is large, as any module loaded early hides what a test pays for it.

        Raises, with the reason in one line, CaptureError where this machine cannot measure it (`unmeasured`), and
        MeasureError where it gives no number (`no answer`).
        """


AnyProbe = Probe[Any]
