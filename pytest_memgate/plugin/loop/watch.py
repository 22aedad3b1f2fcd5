"""The runs of a test whose leftovers are counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_memgate.measure.resources.origins import Origins
from pytest_memgate.measure.resources.snapshot import KINDS, Alive, Left
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
