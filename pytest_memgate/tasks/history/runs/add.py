"""`memgate history add`: the values of runs into the store."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_memgate.baseline.source import GitRef
from pytest_memgate.baseline.store import Store as Baselines
from pytest_memgate.errors import HistoryError, MemgateError, RunFileError
from pytest_memgate.history.git.line import knows
from pytest_memgate.history.levels.difference import ReasonOf
from pytest_memgate.history.levels.from_run import snapshot_with
from pytest_memgate.history.levels.snapshot import Snapshot
from pytest_memgate.history.levels.values import values_in
from pytest_memgate.model.codec import uncollected
from pytest_memgate.model.history import Series
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.tasks.run.file import read_run_values
from pytest_memgate.units import counted

_DIGEST = 32  # digits: no two runs have the same


def add(opened: Opened, paths: Sequence[Path], say: Callable[[str], None]) -> None:
    """Store runs, one transaction each; a run that is there already is passed over.

    All files are read before the first one is stored. Raises RunFileError and HistoryError for a file that is not a
    run, or one that does not belong here.
    """
    with uncollected():
        snapshots = [_read(opened.root, path) for path in paths]
        for path, snapshot in zip(paths, snapshots, strict=True):
            say(f"{path}: {_stored(opened, snapshot)}")


def _stored(opened: Opened, snapshot: Snapshot) -> str:
    """Store one run, and return what was done in words."""
    if not opened.store.add(snapshot, reasons(opened.root, snapshot)):
        return "already there"
    lane = opened.lane_of(snapshot.record)
    return f"{counted(len(snapshot.levels), 'value')} of {snapshot.record.commit.id[:12]}{lane}"


def _read(root: Path, path: Path) -> Snapshot:
    run, findings = read_run_values(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGEST]
    try:
        snapshot = snapshot_with(run, values_in(findings), digest, str(path))
    except ValueError as error:
        raise RunFileError(f"{path}: {error}", hint="it was changed or cut short: make it anew") from error
    commit = snapshot.record.commit
    if not knows(root, commit.id, commit.tree):
        raise HistoryError(
            f"{path}: this repository has no commit {commit.id[:12]}: is it a run of another project?",
            hint=f"git fetch origin {commit.id[:12]}",
        )
    return snapshot


def reasons(root: Path, snapshot: Snapshot) -> ReasonOf:
    """Return a function that looks up the reason of a baseline's last raise, in the commit that was measured."""
    commit = snapshot.record.commit.id
    opened: dict[str, Baselines] = {}

    def reason_of(series: Series) -> str:
        try:
            if series.environment not in opened:
                opened[series.environment] = Baselines(GitRef(root, commit), series.environment)
            document = opened[series.environment].document(series.subject.file)
        except MemgateError:
            return ""  # a baseline that cannot be read has made the run say so
        entry = document.entry(series.subject.name, series.metric) if document else None
        return entry.reason if entry else ""

    return reason_of
