"""`memgate history backfill`: commits that are already there, measured now."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_memgate.errors import HistoryError, MeasureError, UsageError
from pytest_memgate.history.levels.from_run import snapshot_of
from pytest_memgate.model.history import LineCommit
from pytest_memgate.model.run import Run
from pytest_memgate.tasks.compare.side import Prepared, prepared
from pytest_memgate.tasks.compare.side_pytest import pytest_there
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.tasks.history.runs.add import reasons
from pytest_memgate.tasks.run.git_worktree import commit_of
from pytest_memgate.units import counted

_OPTIONS = ("--memgate-measure=exact",)
_USED = {0, 1}  # pytest's exit codes of a run whose tests ran, whatever came of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """What is to be measured: every `every`th commit of the line from `first` to `last`, by pytest's `args`."""

    commits: str
    every: int = 1
    args: tuple[str, ...] = ()


def backfill(opened: Opened, cwd: Path, wanted: Backfill, say: Callable[[str], None]) -> int:
    """Measure commits of the default branch that have no run yet; return how many could not be measured.

    Each commit is stored as soon as it is measured. Raises UsageError for commits that are not on the branch.
    """
    todo = _without_runs(opened, _commits(opened, wanted))
    say(f"memgate: {counted(len(todo), 'commit')} to measure")
    failed = 0
    for number, commit in enumerate(todo, 1):
        name = f"{commit.id[:12]} {commit.title:.50}"
        try:
            said = _measured(opened, cwd, commit, wanted.args)
        except (MeasureError, HistoryError) as error:
            failed += 1
            said = f"left out: {error}"
        say(f"memgate: {number} of {len(todo)}: {name}: {said}")
    return failed


def _commits(opened: Opened, wanted: Backfill) -> list[LineCommit]:
    first, dots, last = wanted.commits.partition("..")
    if not dots or not first or not last:
        raise UsageError(f"{wanted.commits!r} is no range of commits", hint="as in v1.0..main")
    at = [_position(opened, ref) for ref in (first, last)]
    return list(opened.line[at[0] : at[1] + 1])[:: -wanted.every][::-1]  # the last one is always among them


def _position(opened: Opened, ref: str) -> int:
    commit = commit_of(opened.root, ref, option="memgate history backfill")
    position = next((one.position for one in opened.line if one.id == commit), None)
    if position is None:
        raise UsageError(
            f"{ref} ({commit[:12]}) is not on {opened.branch}", hint="name commits of it, or another --branch"
        )
    return position


def _without_runs(opened: Opened, commits: Sequence[LineCommit]) -> list[LineCommit]:
    trees = opened.store.measured_trees()
    return [commit for commit in commits if commit.tree not in trees]


def _measured(opened: Opened, cwd: Path, commit: LineCommit, args: Sequence[str]) -> str:
    """Measure and store one commit; return what there is to say of it."""
    with prepared(opened.root, cwd, commit.id, "memgate history backfill", lambda _: None) as ready:
        run = _run(ready, cwd, args)
    snapshot = snapshot_of(run, run.provenance.id if run.provenance else "", commit.id[:12])
    opened.store.add(snapshot, reasons(opened.root, snapshot))
    return ", ".join(_words(len(snapshot.levels), run))


def _run(ready: Prepared, cwd: Path, args: Sequence[str]) -> Run:
    done, foreign = pytest_there(ready, cwd, ready.trees.arguments(args), _OPTIONS)
    ready.trees.check(foreign)
    if done.code not in _USED or done.run is None:
        raise MeasureError(done.why_useless)
    return done.run


def _words(values: int, run: Run) -> Iterator[str]:
    yield counted(values, "value")
    if run.failed:
        yield counted(run.failed, "test") + " failed"
