"""`memgate history sync`: what other jobs have stored into this store, and what it has to them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_memgate.errors import HistoryError, UsageError
from pytest_memgate.history.git.ref import REF, HistoryRef
from pytest_memgate.history.run_file import Stored, read_event, read_head, write_event
from pytest_memgate.history.store import Store
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.units import counted

_RUNS, _EVENTS = "runs", "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """How many runs and events came, and how many files went."""

    came: int
    went: int
    remote: str

    def __str__(self) -> str:
        whence = self.remote or "this repository"
        return f"{counted(self.came, 'new run or event', 'new runs or events')} from {whence}, {self.went} to it"


def sync(opened: Opened, remote: str | None = None) -> Synced:
    """Fetch the ref, store what is new in it, and push what it lacks.

    `remote` is the remote's name, by default `origin` if there is one; with an empty name, nothing leaves the
    repository. Raises HistoryError for a remote that cannot be reached or refuses, and for a file that is no run.
    """
    ref = HistoryRef(opened.root)
    known = ref.remotes()
    if remote is None:
        remote = "origin" if "origin" in known else ""
    if remote and remote not in known:
        raise UsageError(f"there is no remote {remote!r}", hint=f"known: {', '.join(known) or 'none'}")
    ref = HistoryRef(opened.root, remote)
    ref.fetch()
    came = _take(opened.store, ref)
    went = ref.publish(_files(opened.store, ref.paths()))
    return Synced(came=came, went=went, remote=remote)


def _take(store: Store, ref: HistoryRef) -> int:
    """Store the runs and events of the ref that are not there yet; return how many. What was pruned stays away."""
    known = set(store.run_ids()) | {event.id for event in store.events()}
    new = ref.read(path for path in ref.paths() if _id(path) not in known)
    runs = {path: text for path, text in new.items() if path.startswith(f"{_RUNS}/")}
    pruned = store.pruned()
    order = _bases_first(runs, known, [path for path in runs if _id(path) not in pruned])
    came = store.add_payloads((runs[path], f"{REF}:{path}") for path in order)
    for path in sorted(new.keys() - runs.keys()):
        if path.startswith(f"{_EVENTS}/"):  # another folder is of a version to come
            came += store.add_event(read_event(new[path], f"{REF}:{path}"))
    return came


def _bases_first(runs: Mapping[str, str], known: set[str], wanted: Sequence[str]) -> Iterator[str]:
    """Yield the paths of the wanted runs, each after that of the run that it differs from."""
    heads = {path: _head(path, text) for path, text in runs.items()}
    by_id = {head.id: path for path, head in heads.items()}
    done: set[str] = set()
    for path in sorted(wanted):
        way, at = [], path
        while at and at not in done:
            way.append(at)
            done.add(at)
            base = heads[at].base
            at = "" if base in known else by_id.get(base, "")
        yield from reversed(way)


def _head(path: str, text: str) -> Stored:
    head = read_head(text, f"{REF}:{path}")
    if head.id != _id(path):
        raise HistoryError(f"{REF}:{path}: it is the run {head.id}", hint="it was changed: remove it from the ref")
    return head


def _id(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")


def _files(store: Store, there: set[str]) -> dict[str, str]:
    """Return the files of what the store has and the ref lacks, by their paths."""
    known = {_id(path) for path in there}
    files = {
        f"{_RUNS}/{start[:10].replace('-', '/')}/{run}.json": store.payload(run)
        for run, start in store.starts().items()
        if run not in known
    }
    new = (event for event in store.events() if event.id not in known)
    return files | {f"{_EVENTS}/{one.time[:7].replace('-', '/')}/{one.id}.json": write_event(one) for one in new}
