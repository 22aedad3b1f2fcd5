"""What is known of the runs of a test whose leftovers are looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_memgate.measure.resources.origins import Origins
from pytest_memgate.measure.resources.snapshot import KINDS, Alive, Left
from pytest_memgate.model.site import Site

if TYPE_CHECKING:
    from asyncio import Task

_GRACE = 0.3  # seconds for what is just ending
_PATIENCE = 2.0  # seconds, once runs differ: what ends so late is not left behind
_WARM = 2  # runs that must leave it again
_CALM = 3  # runs in a row that must not leave what others have left


@dataclass(slots=True)
class Watch:
    """What is known of a test's runs: what was there before the present one, and what each has left.

    `is_open` from the setup to the end of the teardown, but for the setup of a wider fixture. `unfinished` are tasks
    that a loop had to cancel when it was closed; `pending` those there when the test's coroutine returned, and how many
    of those before it had ended by then. `origins` says where things were started, in a run that records it.
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
        """Return what each run has left."""
        return [run.count(kind) for run in self.runs]

    def least(self, kind: str) -> int:
        """Return what every run has left: more than that is not left each time."""
        return min(self.counts(kind))

    def most(self, kind: str) -> int:
        """Return the most that a run has left, which the first one alone may: a pool that starts when it is needed."""
        return max(self.counts(kind))

    def differs(self, kind: str) -> bool:
        """Return True if further runs have left it, and not each of them, or not the first."""
        return max(self.counts(kind)[1:], default=0) > self.least(kind)

    def is_unstable(self, kind: str) -> bool:
        """Return True if runs differ, and one left it that had long enough to end it, where another left less."""
        counts = self.counts(kind)
        return any(run in self.named and counts[run] > min(counts[:run]) for run in range(1, len(counts)))

    def is_decided(self, kind: str) -> bool:
        counts = self.counts(kind)
        if not self.differs(kind):
            return len(counts) > _WARM and (bool(self.named) or not self.least(kind))
        return self.is_unstable(kind) or counts[-_CALM:] == [self.least(kind)] * _CALM

    @property
    def grace(self) -> float:
        """Return the seconds for what is just ending."""
        return _PATIENCE if any(len(set(self.counts(kind))) > 1 for kind in KINDS if self.runs) else _GRACE
