"""Which runs a test needs until each of its values is known: a plan that asks for runs, and runs nothing."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pytest_memgate.compare.agreement import MOST_RUNS, agree, settled_value
from pytest_memgate.errors import MeasureError
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import MEMORY_PEAK, Metric

if TYPE_CHECKING:
    from pytest_memgate.measure.stacks.call_sites import Sites


class Traced(Protocol):
    """What was traced of one run of a test, as its plan sees it."""

    @property
    def together(self) -> int:
        """The number of runs that it is of."""

    @property
    def threads(self) -> tuple[str, ...]:
        """The names of the threads that ran beside it."""

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that it imported."""


T = TypeVar("T")
C = TypeVar("C", bound=Traced)


_NAMED = 3  # threads
_OTHER_WORK = 2  # times the first run's value: a run that finds caches filled needs less, not more; chosen


@dataclass(frozen=True, slots=True)
class Again(Generic[C]):
    """One more run of a test: its capture, or why it could not be run."""

    capture: C | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[C]):
    """One metric that is read from the runs of a test.

    `bound` is a quick upper bound of its `value`. `sites` are the parts of the value; `first` gives the bytes of them
    that another test may pay in another order. `is_open` is True if a measurement leaves the verdict or the value open.
    With `first_counts` the value is to be stored, and a first run that agrees with the second one settles it.
    """

    metric: Metric
    bound: "Callable[[C], float]"
    value: "Callable[[C], float]"
    sites: "Callable[[C], Sites]"
    first: "Callable[[Sites], float]"
    is_open: Callable[[Measurement], bool]
    first_counts: bool = False


Plan = Generator[None, Again[Any], T]  # asks for one more run at a time, and is sent what it gave


def measure(cold: C, asked: Sequence[Asked[C]]) -> Plan[list[tuple[Measurement, C]]]:
    """Return for each metric the measurement of a test, and the capture of its value.

    The first run is an upper bound. While it leaves a metric open, and so does a second run, one more is asked for,
    until two runs agree or MOST_RUNS are made: one good run after bad ones proves nothing. A test that cannot run twice
    keeps its first values; raises MeasureError if these are a group's.
    """
    series = [_Series(one, cold) for one in asked]
    for _ in range(MOST_RUNS - 1):
        waiting = [one for one in series if one.open]
        if not waiting:
            break
        run = yield
        for one in waiting:
            if run.capture is None:
                one.cut_short(run.why)
            else:
                one.add(run.capture)
    return [one.result() for one in series]


class _Series(Generic[C]):
    """The runs of a test for one metric."""

    def __init__(self, asked: Asked[C], cold: C) -> None:
        self._asked = asked
        self._cold = cold
        self._runs: list[C] = []
        first = self._first(asked.bound(cold))
        self.open = asked.is_open(first)
        if self.open:
            first = self._first(asked.value(cold))
            self.open = asked.is_open(first)
        self._done: tuple[Measurement, C] = (first, cold)

    def _first(self, value: float) -> Measurement:
        remarks = remarks_on(self._cold)
        return Measurement(value=value, basis=Basis.BOUND, cold=value, together=self._cold.together, remarks=remarks)

    def add(self, run: C) -> None:
        """Add one more run."""
        if not self._runs:
            self._done = (replace(self._done[0], modules=self._cold.modules), self._cold)
        self._runs.append(run)
        warm = tuple(map(self._asked.value, self._runs))
        measurement = replace(self._done[0], value=warm[-1], basis=Basis.WARM, warm=warm)
        self._done = (measurement, run)
        if len(warm) == 1:
            self.open = self._asked.is_open(measurement)
            if self.open and self._asked.first_counts and self._agrees_with_first(warm[0]):
                self._settle(measurement, warm[0], self._runs)
        elif (value := settled_value(warm, self._asked.metric.noise)) is not None:
            if self._is_other_work(value):
                amounts = (self._asked.value(self._cold), value)
                self._settle_by_first(Remark(kind=RemarkKind.OTHER_WORK, amounts=amounts))
            else:
                self._settle(measurement, value, self._runs[-2:])

    def cut_short(self, why: str) -> None:
        """Settle for the runs so far, as the test cannot be run again; raises MeasureError if there is only a bound."""
        if self._cold.together > 1 and not self._runs:
            raise MeasureError(
                f"the bound of {self._cold.together} tests measured together is over its budget, and it cannot be "
                f"measured again: {why}",
                hint="--memgate-measure=each",
            )
        remark = Remark(kind=RemarkKind.NOT_REPEATABLE, text=why)
        if self._runs:
            measurement = self._remarked(remark)
            self._settle(measurement, measurement.value, self._runs[-1:])
        else:
            self._settle_by_first(remark)

    def _remarked(self, remark: Remark) -> Measurement:
        measurement, _ = self._done
        return replace(measurement, modules=self._cold.modules, remarks=(*measurement.remarks, remark))

    def _settle_by_first(self, remark: Remark) -> None:
        self.open = False
        sites = self._asked.sites(self._cold)
        imports = self._asked.first(sites)
        measurement = self._remarked(remark)
        value = measurement.cold - imports  # what another test may pay for in another order is not this one's
        cold = replace(
            measurement, value=value, basis=Basis.COLD, warm=(), settled=True, imports=imports, sites=sites.sites
        )
        self._done = (cold, self._cold)

    def _agrees_with_first(self, warm: float) -> bool:
        return self._cold.together == 1 and agree(self._asked.value(self._cold), warm, self._asked.metric.noise)

    def result(self) -> tuple[Measurement, C]:
        """Return the measurement and its capture; runs that never agreed give the largest value, with their spread."""
        if self.open:
            measurement = self._done[0]
            warm = measurement.warm
            self._settle(replace(measurement, spread=max(warm) - min(warm)), max(warm), self._runs)
        return self._done

    def _settle(self, measurement: Measurement, value: float, runs: list[C]) -> None:
        self.open = False
        capture = max(runs, key=self._asked.value)
        is_needed = not self._asked.first_counts or self._asked.metric.keeps(value)  # else it is not stored
        sites = self._asked.sites(capture).sites if is_needed else ()
        self._done = (replace(measurement, value=value, settled=True, sites=sites), capture)

    def _is_other_work(self, warm: float) -> bool:
        """True if the later runs need far more than the first: they do something else, and say nothing of it."""
        if self._asked.metric is not MEMORY_PEAK or self._cold.together > 1:
            return False
        return warm > _OTHER_WORK * self._asked.value(self._cold) + self._asked.metric.noise


def remarks_on(capture: Traced) -> tuple[Remark, ...]:
    """Return remarks on memory that a capture holds of other threads."""
    remarks = []
    if capture.threads:
        threads = tuple(capture.threads)
        remarks.append(Remark(kind=RemarkKind.THREADS, names=threads[:_NAMED], amounts=(len(threads),)))
    return tuple(remarks)


def carry_out(plan: Plan[T], run: Callable[[], Again[Any]]) -> T:
    """Return the result of a plan, with the runs that it asks for."""
    try:
        next(plan)
        while True:
            plan.send(run())
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # a generator's value has no type of its own
