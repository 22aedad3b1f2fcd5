"""`memgate history prune`: old runs out of the store."""

from dataclasses import dataclass

from pytest_memgate.compare.history.changes import changes_of
from pytest_memgate.model.history import EventKind, Past
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.tasks.history.window import past_of, position_of
from pytest_memgate.units import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Which runs go: `drop` by their ids, of `all` runs; `kept` older ones than the time `since` stay."""

    drop: frozenset[str]
    kept: int
    all: int
    since: str

    def __str__(self) -> str:
        stays = f"{counted(self.kept, 'older run')} stay{'s' if self.kept == 1 else ''}"
        stay = f"{stays}: at releases, at changes, and the newest of a machine"
        return f"{len(self.drop)} of {counted(self.all, 'run')} would go, of commits before {self.since[:10]}; {stay}"


def planned(opened: Opened, before: str) -> Pruning:
    """Return what would go of the runs of commits before one, given by a ref; raises UsageError for an unknown one.

    Runs stay at commits that have a mark, on both sides of a change that is open or was confirmed by a measurement, and
    the newest of each environment and machine.
    """
    past = past_of(opened)
    position = position_of(opened, before, option="--before")
    since = opened.line[position].time
    stay, newest = _places(past), {(run.environment, run.machine): run.id for run in past.runs.values()}
    old = {
        run.id: not stay.isdisjoint(run.positions) or run.id in newest.values()
        for run in past.runs.values()
        if (max(run.positions) < position if run.positions else run.start < since)
    }
    drop = frozenset(run for run, stays in old.items() if not stays)
    return Pruning(drop=drop, kept=len(old) - len(drop), all=len(past.runs), since=since)


def prune(opened: Opened, pruning: Pruning) -> None:
    """Take the runs out of the store."""
    opened.store.prune(pruning.drop)


def _places(past: Past) -> set[int]:
    """Return the positions whose runs stay."""
    positions = {commit.id: commit.position for commit in past.line}
    marked = {
        positions[event.commit] for event in past.events if event.kind is EventKind.MARK and event.commit in positions
    }
    open_ones = [change for change in changes_of(past) if change.is_open or change.measured]
    return marked | {at for change in open_ones for at in (change.before_position, change.position)}
