"""`memgate history move`: a whole history from one store to another."""

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_memgate.errors import HistoryError
from pytest_memgate.history.database import has_database
from pytest_memgate.history.read import read_past
from pytest_memgate.history.store import Store, open_store
from pytest_memgate.units import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How many runs and events were new in the other store, and how many it has of this one's."""

    runs: int
    events: int
    of_runs: int
    of_events: int

    def __str__(self) -> str:
        there = f"{counted(self.of_runs, 'run')} and {counted(self.of_events, 'event')} of the first store"
        return f"{counted(self.runs, 'new run')}, {counted(self.events, 'new event')}; the second one has all {there}"


def move(source: str, target: str) -> Moved:
    """Bring all runs, events and the line of a store into another one; what is there already stays as it is.

    A name without `://` is that of an SQLite file. The first store is not changed. Raises HistoryError for a store that
    is not there, and if afterwards the second one does not say what the first one says.
    """
    if not has_database(_url(source)):
        raise HistoryError(f"{source}: there is no such store", hint="name a file or an URL")
    old, new = open_store(_url(source)), open_store(_url(target))
    _move_line(old, new)
    runs = new.add_payloads(_texts(old, set(new.run_ids()), source))
    events = sum(new.add_event(event) for event in old.events())
    _verify(old, new, target)
    return Moved(runs=runs, events=events, of_runs=len(old.run_ids()), of_events=len(old.events()))


def _url(name: str) -> str:
    return name if "://" in name else f"sqlite:///{name}"


def _move_line(old: Store, new: Store) -> None:
    """Store the line, first of all: another project's history is refused there. A longer one stays."""
    branch, line = old.line()
    if line and line[-1] not in new.line()[1]:
        new.put_line(branch, line)


def _texts(store: Store, known: set[str], name: str) -> Iterator[tuple[str, str]]:
    for run, text in store.payloads(without=known):
        yield text, f"run {run} of {name}"


def _verify(old: Store, new: Store, name: str) -> None:
    missing = (set(old.run_ids()) - set(new.run_ids())) | (
        {one.id for one in old.events()} - {e.id for e in new.events()}
    )
    has_more = len(new.run_ids()) > len(old.run_ids())
    if missing or not (has_more or read_past(old, new.line()).charts == read_past(new).charts):
        what = f"{len(missing)} of its runs and events are missing" if missing else "its charts are others"
        raise HistoryError(f"{name} does not say what the first store says: {what}", hint="keep the first one")
