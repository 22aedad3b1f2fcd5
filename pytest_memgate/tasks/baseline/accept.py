"""Store the values of a run that was made elsewhere, without running anything again."""

from pathlib import Path

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.baseline.store import Stores
from pytest_memgate.errors import RunFileError, UsageError
from pytest_memgate.model.run import ChangeKind, Run
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.baseline.update import ALL_KINDS, Order, Updated, unreasoned_problem, update
from pytest_memgate.tasks.run.select import select


def accept(
    root: Path, run: Run, tests: tuple[str, ...], *, reason: str, only: tuple[str, ...], run_file: str
) -> Updated:
    """Write the settled values of `run` into the baselines of the run's own environment.

    Raises UsageError for a test that the run does not hold or has no value for, RunFileError for a run without any
    value.
    """
    chosen = select({finding.subject for finding in run.findings}, tests, run_file)
    settled = [one for one in run.findings if one.subject in chosen and one.measurement and one.measurement.settled]
    if tests and (rest := chosen - {finding.subject for finding in settled}):
        first = next(one for one in run.findings if one.subject == min(rest))
        raise UsageError(f"{run_file} has no value to accept for {first.subject}: it {first.outcome}")
    if not settled:
        raise RunFileError(f"{run_file} has no value to accept", hint="its tests are within their baselines")
    kinds = ALL_KINDS if not only or "all" in only else frozenset(map(ChangeKind, only))
    stores = Stores(WorkTree(root), run.environment.key)
    moved = {one.subject: Subject.parse(one.moved_from) for one in run.findings if one.moved_from}
    order = Order(kinds=kinds, reason=reason, moved=moved, exactly=bool(tests))
    done = update(root, stores, run.environment.header, sorted(settled, key=lambda one: one.subject), order)
    if done.unreasoned:
        done.problems.append(unreasoned_problem(done.unreasoned, f"memgate baseline accept {run_file}"))
    return done
