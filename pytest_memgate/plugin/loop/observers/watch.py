"""The runs of a test whose leftovers are counted."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from pytest_memgate.measure.resources.asyncio_tasks import pending
from pytest_memgate.measure.resources.origins import Origins
from pytest_memgate.measure.resources.snapshot import KINDS, Alive, Left
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.site import Site

if TYPE_CHECKING:
    from asyncio import Task

_GRACE = 0.3  # seconds for something that is just ending; chosen: docs/concepts.md, "What outlives a test"
_PATIENCE = 2.0  # seconds, once runs differ: something that ends so late is no leftover; chosen
_WARM = 2  # repeats that must leave it, too; chosen
_CALM = 3  # runs in a row with the least count, before a count that differed once is passed over; chosen


@dataclass(slots=True)
class Watch:
    """The runs of one test: what was there before the present run, and what each run has left.

    `is_open` is True from the setup to the end of the teardown, except during the setup of a wider fixture.
    `unfinished` are tasks that a loop cancelled when it was closed. `pending` are those alive when the test's coroutine
    returned; `ended` is the number of older tasks that had ended by then. `origins` records where things are started,
    in a run that confirms leftovers.
    """

    before: Alive = field(default_factory=dict)
    runs: list[Left] = field(default_factory=list)
    named: dict[int, Mapping[str, tuple[Site, ...]]] = field(default_factory=dict)  # by run
    unfinished: "set[Task[Any]]" = field(default_factory=set)
    pending: "set[Task[Any]]" = field(default_factory=set)
    ended: int = 0
    is_open: bool = False
    origins: Origins | None = None

    def counts(self, kind: str) -> list[int]:
        """Return the number that each run has left."""
        return [run.count(kind) for run in self.runs]

    def least(self, kind: str) -> int:
        """Return the number that every run has left."""
        return min(self.counts(kind))

    def most(self, kind: str) -> int:
        """Return the most that a run has left. It may be the first one alone: a pool that starts when it is needed."""
        return max(self.counts(kind))

    def differs(self, kind: str) -> bool:
        """True if repeats have left it, but not each of them, or not the first run."""
        return max(self.counts(kind)[1:], default=0) > self.least(kind)

    def is_unstable(self, kind: str) -> bool:
        """True if runs differ, and a run with time enough to end it left more than an earlier one."""
        counts = self.counts(kind)
        return any(run in self.named and counts[run] > min(counts[:run]) for run in range(1, len(counts)))

    def is_decided(self, kind: str) -> bool:
        """True if no further run is needed to know the number."""
        counts = self.counts(kind)
        if not self.differs(kind):
            return len(counts) > _WARM and (bool(self.named) or not self.least(kind))
        return self.is_unstable(kind) or counts[-_CALM:] == [self.least(kind)] * _CALM

    @property
    def grace(self) -> float:
        """The seconds to wait for something that is just ending."""
        return _PATIENCE if any(len(set(self.counts(kind))) > 1 for kind in KINDS if self.runs) else _GRACE

    def is_real(self, kind: str) -> bool:
        """True if it was left more than once."""
        return bool(self.least(kind)) or self.is_unstable(kind)

    def bound(self, kind: str) -> Measurement:
        """Return what is known before it is confirmed."""
        return Measurement(value=self.least(kind), basis=Basis.BOUND, cold=self.runs[0].count(kind))

    def measured(self, kind: str, *, is_done: bool) -> Measurement:
        """Return what a test leaves: what each run has left or, where further runs differ, all that one of them has."""
        counts, bound = self.counts(kind), self.bound(kind)
        if self.is_unstable(kind):
            run = max(self.named, key=lambda run: counts[run])
            return replace(
                bound,
                value=max(counts[1:]),
                basis=Basis.WARM,
                warm=tuple(counts[1:]),
                spread=max(counts[1:]) - min(counts),
                settled=True,
                sites=self.named[run][kind],
            )
        if is_done and (not bound.value or self.is_decided(kind)):
            named = min(self.named, key=lambda run: counts[run], default=None)
            return Measurement(
                value=bound.value,
                basis=Basis.EXACT,
                settled=True,
                sites=self.named[named][kind] if named is not None and bound.value else (),
                remarks=(Remark(kind=RemarkKind.RUNS, amounts=tuple(counts)),) if counts[1:] else (),
            )
        return bound


def looking_at_tasks(function: Callable[..., Any], watch: Watch) -> Callable[..., Any]:
    """Return a test's coroutine function that tells which tasks are pending when it returns; any other as it is."""
    if not inspect.iscoroutinefunction(function):
        return function

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        before = pending()
        try:
            return await function(*args, **kwargs)
        finally:
            watch.pending = pending() - before
            watch.ended = sum(task.done() for task in before)

    return call
