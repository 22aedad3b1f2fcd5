"""The top of the page: the verdict, the facts, the problems, the next step, and the changes of baselines."""

from collections.abc import Iterator, Sequence
from typing import Any

from pytest_memgate.model.provenance import Provenance
from pytest_memgate.model.run import Change, ChangeKind, Run, Verdict
from pytest_memgate.report.escape import one_line
from pytest_memgate.report.html.data import TONES
from pytest_memgate.report.html.embed import shown
from pytest_memgate.report.stories import stories
from pytest_memgate.report.view import counts, next_steps, telling, verdict_line
from pytest_memgate.units import SIZE, counted, format_amount, format_growth

_MOST = 200  # lines of one kind; the run's JSON has them all
_LOOSE = (ChangeKind.RAISED, ChangeKind.ANCHORED)
_TONES = {Verdict.PASSED: "good", Verdict.FAILED: "bad", Verdict.NO_ANSWER: "doubt"}


def overview(run: Run, history: Sequence[Run]) -> dict[str, Any]:
    """Return the template's values: text, and rows of text."""
    problems = [(shown(one.text), one_line(one.hint)) for one in run.problems]
    causes = [shown(story.line) for story in stories(run) if story.is_shared]
    changes = telling(run.changes)
    return {
        "verdict": verdict_line(run),
        "tone": _TONES[run.verdict],
        "counts": [(str(outcome), TONES[outcome], number) for outcome, number in counts(run.findings).items()],
        "facts": [(name, shown(value)) for name, value in _facts(run, history)],
        "problems": problems[:_MOST],
        "more_problems": len(problems) - _MOST,
        "causes": causes[:_MOST],
        "more_causes": len(causes) - _MOST,
        "steps": [(what, one_line(command)) for what, command in next_steps(run)],
        "changes_title": "Baselines that this run wrote" if run.update else "Baselines that this change brings",
        "changes": [_change(change) for change in changes[:_MOST]],
        "more_changes": len(changes) - _MOST,
        "unreasoned": any(change.kind in _LOOSE and not change.reason for change in changes),
        "loosened": [shown(line) for line in run.loosened[:_MOST]],
        "more_loosened": len(run.loosened) - _MOST,
    }


def _facts(run: Run, history: Sequence[Run]) -> Iterator[tuple[str, str]]:
    yield "Environment", run.environment.key
    if run.baseline:
        yield "Baselines", run.baseline
    if run.compared_with:
        yield "Compared with", run.compared_with
    if run.measured:
        yield "Measured here", f"{run.measured.ref} ({run.measured.commit[:8]}), {run.measured.seconds:.0f} s"
    header = run.environment.header
    how = [header.allocator, f"memray {header.memray}" if header.memray else "", "coverage on" * header.coverage]
    if any(how):
        yield "Memory", ", ".join(part for part in how if part)
    if run.provenance:
        yield from _provenance(run.provenance)
    yield "Strict", "yes" if run.strict else "no"
    if run.failed:
        yield "Failed by themselves", counted(run.failed, "test")
    if run.skipped:
        yield "Skipped", counted(run.skipped, "test")
    if history:
        yield "History", counted(len(history), "earlier run")


def _provenance(told: Provenance) -> Iterator[tuple[str, str]]:
    commit, machine = told.commit, told.machine
    parts = (commit.id[:12], commit.branch and f"on {commit.branch}", "with uncommitted changes" * commit.dirty)
    if commit.id:
        yield "Commit", ", ".join(part for part in parts if part)
    if told.start:
        yield "Measured", f"{told.start} to {told.end}"
    if machine.cpu:
        cores = counted(machine.cores, "core")
        yield "Machine", f"{machine.cpu}, {cores}, {format_amount(machine.memory, SIZE)}"
    if told.versions:
        yield "Versions", ", ".join(f"{name} {version}" for name, version in told.versions.items())


def _change(change: Change) -> dict[str, str]:
    before, after = ("" if one is None else format_amount(one, change.unit) for one in (change.before, change.after))
    both = change.before is not None and change.after is not None
    loose = change.kind in _LOOSE
    return {
        "kind": str(change.kind),
        "tone": "quiet" if not loose else "doubt" if change.reason else "bad",
        "file": shown(change.subject.file),
        "name": shown(change.subject.name),
        "metric": shown(change.metric),
        "before": before,
        "after": after,
        "difference": format_growth((change.after or 0) - (change.before or 0), change.unit) if both else "",
        "reason": shown(change.reason) or ("no reason given" if loose else ""),
    }
