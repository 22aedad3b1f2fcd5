"""A run as people read it: worst first, before and after, what to do next. Every report shows this in its form."""

import math
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.metric import METRICS, base_name, metric
from pytest_memgate.model.run import Change, ChangeKind, Run, Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.lines import accept_command, is_anchored, update_command, value_text
from pytest_memgate.units import counted, format_amount, format_growth

WORST_FIRST = (
    Outcome.REGRESSED,
    Outcome.DRIFTED,
    Outcome.NO_ANSWER,
    Outcome.UNREADABLE,
    Outcome.UNSTABLE,
    Outcome.INCOMPARABLE,
    Outcome.UNMEASURED,
    Outcome.NOT_RUN,
    Outcome.VANISHED,
    Outcome.NO_BASELINE,
    Outcome.NEW,
    Outcome.WAIVED,
    Outcome.IMPROVED,
    Outcome.SKIPPED,
    Outcome.PASSED,
    Outcome.NOT_GATED,
)


# What the verdict's line counts besides the tests that were compared.
_NOT_COMPARED = {
    Outcome.NEW: "new (not judged)",
    Outcome.NOT_RUN: "not run",
    Outcome.VANISHED: "vanished",
    Outcome.INCOMPARABLE: "incomparable",
    Outcome.UNSTABLE: "unstable",
    Outcome.WAIVED: "waived",
}

_FIRST_SCREEN = "bundle.initial.raw"
SYMBOLS = {Verdict.PASSED: "✅", Verdict.FAILED: "❌", Verdict.NO_ANSWER: "❓"}
_SWAY = 0.01  # of a value that is measured in another way: less is no rise; the share of the settle rule
_TELLING = (
    ChangeKind.RAISED,
    ChangeKind.ANCHORED,
    ChangeKind.MOVED,
    ChangeKind.REMOVED,
    ChangeKind.LOWERED,
    ChangeKind.NEW,
    ChangeKind.REMEASURED,
)
_ORDER = {name: place for place, name in enumerate(METRICS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One finding in a table: its amounts in words, empty where there are none; `percent` is of the baseline."""

    finding: Finding
    before: str
    after: str
    difference: str
    percent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One metric of one test over several runs, oldest first; None where a run did not measure it."""

    finding: Finding
    values: tuple[float | None, ...]


def rows(run: Run) -> list[Row]:
    """Return all findings of a run, worst first; those of one test stay together, in the order of the metrics."""
    worst: dict[tuple[str, str], float] = {}
    for finding in run.findings:
        key = (finding.outcome, str(finding.subject))
        worst[key] = max(worst.get(key, -math.inf), excess(finding))

    def rank(finding: Finding) -> tuple[int, float, str, int, str]:
        place = _ORDER.get(base_name(finding.metric), len(_ORDER))
        key = (finding.outcome, str(finding.subject))
        return (WORST_FIRST.index(finding.outcome), -worst[key], str(finding.subject), place, finding.metric)

    return [_row(finding) for finding in sorted(run.findings, key=rank)]


def _row(finding: Finding) -> Row:
    growth, base = finding.growth, finding.baseline
    return Row(
        finding=finding,
        before="" if base is None else format_amount(base, finding.unit),
        after=value_text(finding),
        difference="" if growth is None else format_growth(growth, finding.unit),
        percent=_percent(growth / base) if growth is not None and base else "",
    )


def telling(changes: Iterable[Change]) -> list[Change]:
    """Return changed entries, first those that loosen the gate, last those that matter least."""
    return sorted(changes, key=lambda change: (not has_risen(change), _TELLING.index(change.kind)))


def has_risen(change: Change) -> bool:
    """True for an entry that was raised, or measured in another way and is more than 1 % higher now."""
    if change.kind is ChangeKind.REMEASURED and change.before is not None and change.after is not None:
        return change.after - change.before > _SWAY * change.before
    return change.kind in {ChangeKind.RAISED, ChangeKind.ANCHORED}


def moved(run: Run) -> list[tuple[str, str]]:
    """Return the old and the new name of each test that was held against the entry of its old name."""
    return list(dict.fromkeys((one.moved_from, str(one.subject)) for one in run.findings if one.moved_from))


def _percent(share: float) -> str:
    size = abs(100 * share)
    return f"{100 * share:+.{1 if size < 99.95 else 0}f} %" if size >= 0.05 else "0 %"


def excess(finding: Finding) -> float:
    """Return the growth of a finding as a multiple of its budget: it orders amounts of different units."""
    growth = finding.growth or 0
    return growth / finding.allowed if finding.allowed else growth


def verdict_line(run: Run) -> str:
    """Return the verdict with its counts: `PASSED: 31 tests compared`, `FAILED: 2 regressed; 31 tests compared`."""
    if run.update:
        if run.verdict is Verdict.PASSED:
            return "updated"
        return "not all of it updated" if run.changes or run.verdict is Verdict.FAILED else "not updated"
    if run.verdict is Verdict.PASSED:
        return f"PASSED: {compared_line(run)}"
    said = [f"{run.count(outcome)} {outcome}" for outcome in (Outcome.REGRESSED, Outcome.DRIFTED) if run.count(outcome)]
    if run.problems:
        said.append(f"{len(run.problems)} problem{'s' if len(run.problems) > 1 else ''}")
    word = "FAILED" if run.verdict is Verdict.FAILED else "NO ANSWER"
    return f"{word}: {', '.join(said)}; {compared_line(run)}"


def compared_line(run: Run) -> str:
    """Return the counts of what a run compared and did not: `31 tests compared, 1 new (not judged), 2 waived`."""
    said = [f"{counted(run.compared, 'test')} compared" if run.compared else "no test compared"]
    for outcome, words in _NOT_COMPARED.items():
        number = len({one.subject for one in run.findings if one.outcome is outcome and not _is_within_limit(one)})
        if number:
            said.append(f"{number} {words}")
    if large := _large_entries(run):
        said.append(
            f"{counted(large, 'new entry', 'new entries')} larger than {'its' if large == 1 else 'their'} budget"
        )
    if pairs := moved(run):
        said.append(f"{len(pairs)} moved")
    if run.loosened:
        said.append(f"{len(run.loosened)} loosened")
    tests, unmeasured = _unmeasured(run)
    if unmeasured and 2 * len(unmeasured) >= len(tests):
        said.append(f"{len(unmeasured)} of {len(tests)} tests unmeasured")
    return ", ".join(said)


def _large_entries(run: Run) -> int:
    """Return the number of entries of bundles that are new, and larger than what a known one may grow by."""
    new = (one for one in run.findings if one.outcome is Outcome.NEW and base_name(one.metric) == _FIRST_SCREEN)
    return sum(one.measurement is not None and one.measurement.value > (one.allowed or math.inf) for one in new)


def _is_within_limit(finding: Finding) -> bool:
    return finding.outcome is Outcome.NEW and finding.is_held


def _unmeasured(run: Run) -> tuple[set[Subject], set[Subject]]:
    """Return the tests that ran, and those of them without a value to compare."""
    absent = {Outcome.VANISHED, Outcome.NOT_RUN, Outcome.NOT_GATED}
    ran = [one for one in run.findings if one.outcome not in absent and not one.subject.is_first_use]
    held = {one.subject for one in ran if one.is_held}
    silent = {one.subject for one in ran if one.outcome in {Outcome.UNMEASURED, Outcome.SKIPPED}}
    return {one.subject for one in ran}, silent - held


def against(run: Run) -> str:
    """Return what a run was compared with: `baseline .memgate/… of main`, `main, measured here in 38 s`."""
    measured = run.measured
    here = f"{measured.ref} ({measured.commit[:8]}), measured here in {measured.seconds:.0f} s" if measured else ""
    if not run.baseline:
        return here
    stored = f"baseline {run.baseline}{f' of {run.compared_with}' if run.compared_with else ''}"
    if not here:
        return stored
    tests = len({one.subject for one in run.findings if one.measured_from})
    return f"{stored}; {counted(tests, 'test')} against {here}"


def next_steps(run: Run) -> Iterator[tuple[str, str]]:
    """Yield the next step, and the command for it."""
    if run.update:
        if run.changes:
            yield "review and commit", run.baseline
        return
    if run.measured and not run.baseline:
        yield from _look(run)
        return
    failing = sorted(of(run, Outcome.REGRESSED) + of(run, Outcome.DRIFTED), key=excess, reverse=True)
    if failing:
        yield "repair the growth or, if it is meant", _accept_all(failing)
        return
    if run.measured:
        yield "make the baselines that are missing here, so that nothing has to be measured", "memgate baseline update"
    for outcome, kind, what in (
        (Outcome.NEW, "new", "add them"),
        (Outcome.IMPROVED, "lowered", "keep the gain"),
        (Outcome.VANISHED, "removed", "drop them"),
    ):
        if of(run, outcome):
            yield what, f"memgate baseline update --only {kind}"


def _look(run: Run) -> Iterator[tuple[str, str]]:
    """Yield the command that shows who holds what grew: there is no baseline that could be raised."""
    memory = [one for one in of(run, Outcome.REGRESSED, Outcome.DRIFTED) if metric(one.metric).family == "memory"]
    tests = [str(test) for one in memory for test in (one.paid_by or (one.subject,))]
    if tests and run.measured:
        yield "see who holds it", f"memgate profile {shlex.quote(tests[0])} --base {run.measured.ref}"


def _accept_all(failing: Sequence[Finding]) -> str:
    """Return the command that accepts the worst finding, and all others that the same command accepts."""
    worst = failing[0]
    if worst.is_over_limit:
        return accept_command(worst)
    same = [one for one in failing if not one.is_over_limit and is_anchored(one) is is_anchored(worst)]
    tests = [test for one in same for test in (one.paid_by if one.subject.is_first_use else (one.subject,))]
    return update_command(tests, "anchor" if is_anchored(worst) else "update")


def of(run: Run, *outcomes: Outcome) -> list[Finding]:
    """Return the findings with one of the outcomes."""
    return [finding for finding in run.findings if finding.outcome in outcomes]


def trends(run: Run, history: Sequence[Run]) -> list[Trend]:
    """Return each measured value of `run` over `history`, oldest first, and in `run` itself.

    Memory and times of another environment are not comparable and are left out. A bound is no value.
    """
    known = [{(one.subject, one.metric): one for one in past.findings} for past in history]
    found = []
    for row in rows(run):
        finding = row.finding
        if finding.value is None:
            continue
        past = [
            _value(
                values.get((finding.subject, finding.metric)), finding, same=one.environment.key == run.environment.key
            )
            for one, values in zip(history, known, strict=True)
        ]
        if any(value is not None for value in past):
            found.append(Trend(finding=finding, values=(*past, finding.value)))
    return found


def _value(past: Finding | None, now: Finding, *, same: bool) -> float | None:
    is_comparable = same or metric(now.metric).is_web
    return past.value if past and past.unit == now.unit and is_comparable else None


def counts(findings: Iterable[Finding]) -> dict[Outcome, int]:
    """Return the number of findings by outcome, worst first."""
    found = [finding.outcome for finding in findings]
    return {outcome: found.count(outcome) for outcome in WORST_FIRST if outcome in found}
