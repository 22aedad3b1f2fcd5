"""Put a run together: its findings, its other problems, and the verdict."""

import contextlib
import shlex
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.baseline.store import Store, environments
from pytest_memgate.budget.match import matches
from pytest_memgate.compare.verdict import verdict
from pytest_memgate.errors import BaselineError, ConfigError
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Cause
from pytest_memgate.model.metric import WEB, is_answered
from pytest_memgate.model.run import Change, ChangeKind, Extent, Measured, Problem, Run, Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.words.reason import reason
from pytest_memgate.tasks.judge.baselines import unit_of
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.run.account import not_run, nothing_compared, some, unjudged
from pytest_memgate.tasks.run.loosened import loosened
from pytest_memgate.units import counted, format_amount

UPDATE = "memgate baseline update"
_NO_NEED = {Outcome.PASSED, Outcome.IMPROVED, Outcome.NOT_GATED}  # with these, a waiver is not needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of a run besides its findings' values.

    `collected` gives the names of all tests of each file that was collected as a whole; a file that would have been
    collected if it existed has no names. `everything` is True if the whole project was run. `failed` are tests that
    failed by themselves, `unjudged` those that passed, or were to run, without a finding. `cut_short` is the reason why
    the run ended early, empty if it did not. `why_not_run` gives the reason why a test of the base gave no finding,
    empty if that needs no mention. `extent` is all of this for the run's file.
    """

    findings: tuple[Finding, ...]
    collected: Mapping[str, frozenset[str]] = field(default_factory=dict)
    everything: bool = False
    skipped: int = 0
    failed: frozenset[str] = frozenset()
    unjudged: frozenset[str] = frozenset()
    cut_short: str = ""
    why_not_run: Callable[[Subject], str] | None = None
    extent: Extent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a change brings compared with a git ref: baseline entries, and lines on what loosens the gate."""

    changes: tuple[Change, ...] = ()
    loosened: tuple[str, ...] = ()
    compared_with: str = ""
    problems: tuple[Problem, ...] = ()  # why the changes cannot be told


def conclude(gate: Gate, facts: Facts, *, strict: bool, loosened_by_code: Iterable[str] = ()) -> Run:
    """Return the run of a gate that judged (an update has a conclusion of its own).

    `loosened_by_code` are the lines on markers and calls that loosen the gate.
    """
    gate.baselines.add_moves(told_moves(facts.findings))
    if gate.measured:
        lines = loosened(gate.config.settings, gate.own)
        return concluded(gate, facts, Brought(loosened=(*lines, *loosened_by_code)), strict=strict)
    if gate.base is None:
        return concluded(gate, facts, Brought(), strict=strict)
    problems: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()
    try:
        changes = tuple(gate.baselines.changes())
    except BaselineError as error:
        problems = (Problem(text=str(error), verdict=Verdict.NO_ANSWER),)
    brought = Brought(
        changes=changes,
        problems=problems,
        loosened=(*gate.loosened, *loosened(gate.config.settings, gate.own), *loosened_by_code),
        compared_with=gate.base.ref,
    )
    return concluded(gate, facts, brought, strict=strict)


def concluded(gate: Gate, facts: Facts, brought: Brought, *, strict: bool) -> Run:
    """Return the run that follows from the facts and from what a change brings."""
    findings = facts.findings + tuple(_vanished(gate, facts))
    findings += tuple(_not_run(gate, findings, facts))
    said = (
        *nothing_measured(findings, facts),
        *unjudged(facts.unjudged, Verdict.NO_ANSWER),
        *unanswered(findings),
        *_no_baseline(gate, findings),
        *(() if facts.cut_short else nothing_compared(findings)),
        *_missing(gate, findings),
        *_waivers(gate, facts),
        *_unreasoned(gate, brought.changes, findings),
        *brought.problems,
        *(_strict(findings) if strict else ()),
    )
    problems = list({problem.text: problem for problem in said}.values())  # a broken file stops more than one step
    return Run(
        environment=gate.environment,
        verdict=verdict(findings, problems),
        findings=findings,
        problems=tuple(problems),
        changes=brought.changes,
        loosened=brought.loosened,
        baseline="" if gate.measured else folders(gate, findings, brought.changes),
        measured=gate.measured,
        compared_with=brought.compared_with,
        strict=strict,
        missing_fails=gate.config.missing_fails,
        skipped=facts.skipped,
        failed=len(facts.failed),
        extent=facts.extent,
    )


def told_moves(findings: Iterable[Finding]) -> dict[Subject, Subject]:
    """Return the old subject of each test that was held against the entry of another name, by its finding."""
    return {finding.subject: Subject.parse(finding.moved_from) for finding in findings if finding.moved_from}


def folders(gate: Gate, findings: Iterable[Finding], changes: Iterable[Change]) -> str:
    """Return the folders of the baselines that a run concerns."""
    stores = gate.baselines.head
    metrics = {*(one.metric for one in findings), *(one.metric for one in changes)} - {""}
    used = {stores.of(metric).folder for metric in metrics}
    return ", ".join(store.folder for store in stores if store.folder in used) or stores.own.folder


def _vanished(gate: Gate, facts: Facts) -> Iterator[Finding]:
    ran: dict[Subject, set[str]] = defaultdict(set)
    for finding in facts.findings:
        ran[finding.subject].add(finding.metric)
    moved = {*gate.baselines.moves.old.values(), *told_moves(facts.findings).values()}
    for store in gate.baselines.head:
        for file in store.files():
            if file in facts.collected:
                stay = facts.collected[file] | {old.name for old in moved if old.file == file}
                yield from _vanished_of(store, file, stay, ran)


def _vanished_of(
    store: Store, file: str, collected: frozenset[str], ran: Mapping[Subject, set[str]]
) -> Iterator[Finding]:
    try:
        document = store.document(file)
    except BaselineError as error:
        if not any(subject.file == file for subject in ran):
            yield Finding(subject=Subject(file, ""), metric="", outcome=Outcome.UNREADABLE, why=str(error))
        return
    for name, metrics in sorted(document.entries.items()) if document else ():
        subject = Subject(file, name)
        for metric, reference in metrics.items():
            if name not in collected:
                cause = Cause.NOT_COLLECTED
            elif subject in ran and not is_answered(metric, ran[subject]):
                cause = Cause.NOT_GIVEN
            else:
                continue
            yield Finding(
                subject=subject,
                metric=metric,
                outcome=Outcome.VANISHED,
                cause=cause,
                unit=unit_of(metric, reference),
                baseline=reference.value,
            )


def _not_run(gate: Gate, findings: tuple[Finding, ...], facts: Facts) -> Iterator[Finding]:
    if facts.why_not_run and gate.baselines.base:
        accounted = {*(one.subject for one in findings), *map(Subject.parse, facts.failed)}
        moved = gate.baselines.moves.old
        yield from not_run(gate.baselines.base, facts.collected, accounted, moved, facts.why_not_run)


def nothing_measured(findings: tuple[Finding, ...], facts: Facts) -> Iterator[Problem]:
    """Yield the problem of a run that ended early, or that measured nothing."""
    if facts.cut_short:
        yield Problem(text=facts.cut_short, verdict=Verdict.NO_ANSWER)
        return
    if any(finding.measurement for finding in findings):
        return
    first = {finding.outcome: reason(finding) for finding in reversed(findings)}
    if any(finding.outcome is Outcome.NO_ANSWER for finding in findings):
        return  # they say it themselves
    parts = [
        (len(facts.failed), "failed"),
        (facts.skipped, "skipped"),
        (_number(findings, Outcome.SKIPPED), "left out by marker"),
        (_number(findings, Outcome.UNREADABLE), "without a readable baseline"),
        (_number(findings, Outcome.UNMEASURED), f"unmeasured, the first since {first.get(Outcome.UNMEASURED)}"),
    ]
    said = ", ".join(f"{number} {word}" for number, word in parts if number)
    yield Problem(text=f"nothing was measured: {said or 'no test ran'}", verdict=Verdict.NO_ANSWER)


def unanswered(findings: tuple[Finding, ...]) -> Iterator[Problem]:
    """Yield the problems of findings without an answer and of baseline files that cannot be read."""
    texts = dict.fromkeys(reason(finding) for finding in findings if finding.outcome is Outcome.UNREADABLE)
    for finding in findings:
        if finding.outcome is Outcome.NO_ANSWER:
            why = reason(finding)
            # That of a check of memgate.yml begins with the line that declares it.
            of = finding.subject.name if why.startswith(f"{finding.subject.file}:") else str(finding.subject)
            texts[f"{of}: {why}"] = None
    for text in texts:
        yield Problem(text=text, verdict=Verdict.NO_ANSWER)


def _no_baseline(gate: Gate, findings: tuple[Finding, ...]) -> Iterator[Problem]:
    if gate.measured:
        yield from _no_value(gate, gate.measured, findings)
        return
    for store in gate.baselines.head:
        without = [
            finding
            for finding in findings
            if finding.outcome is Outcome.NO_BASELINE and gate.baselines.head.of(finding.metric) is store
        ]
        if not without:
            continue
        others = [name for name in environments(WorkTree(gate.root)) if name not in {store.environment, WEB}]
        there = f" (there is one for {', '.join(others)})" if others and store.environment != WEB else ""
        yield Problem(
            text=f"there is no baseline for {store.environment}{there}",
            hint=f"make it, and commit {store.folder}: {UPDATE}",
            verdict=Verdict.NO_ANSWER,
        )


def _no_value(gate: Gate, measured: Measured, findings: tuple[Finding, ...]) -> Iterator[Problem]:
    """Yield the problem of a measured base that has the tests of a family, and no value of any."""
    for store in gate.baselines.head:
        if store.files():
            continue
        tests = {
            f"{one.subject} "
            for one in findings
            if one.outcome is Outcome.NEW and gate.baselines.head.of(one.metric) is store
        }
        if told := next((line for line in measured.without if line.startswith(tuple(tests))), ""):
            yield Problem(
                text=f"there is no value to compare with: in {measured.ref}, {told}", verdict=Verdict.NO_ANSWER
            )


def _missing(gate: Gate, findings: tuple[Finding, ...]) -> Iterator[Problem]:
    if not gate.config.missing_fails:
        return
    for outcome, words in (
        (Outcome.NEW, "without a baseline"),
        (Outcome.VANISHED, "in the baseline but not in the run"),
        (Outcome.NOT_RUN, "in the baseline but left out by the project's own files"),
    ):
        names = list(dict.fromkeys(str(finding.subject) for finding in findings if finding.outcome is outcome))
        if names:
            hint = "let them run, or leave them out on the command line" if outcome is Outcome.NOT_RUN else UPDATE
            yield Problem(text=f"{counted(len(names), 'test')} {words} (missing: fail): {some(names)}", hint=hint)


def _waivers(gate: Gate, facts: Facts) -> Iterator[Problem]:
    for waiver in gate.waivers:
        where = f"{waiver.source}: the waiver for {waiver.test}"
        if waiver.expired(gate.today):
            yield Problem(text=f"{where} ended on {waiver.until}", hint="repair the test, or renew it")
            continue
        here = [finding for finding in facts.findings if matches(waiver.test, finding.subject)]
        concerned = [finding for finding in here if waiver.concerns(finding.subject, finding.metric)]
        silent = any(finding.metric == waiver.metric.partition(".")[0] for finding in here)
        ran = {finding.subject for finding in here}
        named = {
            subject
            for file, names in facts.collected.items()
            for subject in (Subject(file, name) for name in names)
            if matches(waiver.test, subject)
        }
        file = waiver.test.partition("::")[0]
        whole = facts.everything or file in facts.collected or any(str(subject) == waiver.test for subject in ran)
        if whole and named <= ran and not silent and all(one.outcome in _NO_NEED for one in concerned):
            with_it = f" with {waiver.metric}" if ran else ""
            why = "is not needed: the test is within its budget" if concerned else f"names no test{with_it}"
            yield Problem(text=f"{where} {why}", hint="remove it")


def _unreasoned(gate: Gate, changes: tuple[Change, ...], findings: tuple[Finding, ...]) -> Iterator[Problem]:
    judged = {(finding.subject, finding.metric): finding for finding in findings}
    for change in changes:
        finding = judged.get((change.subject, change.metric))
        if change.reason or not _rises(gate, change, finding):
            continue
        if (finding and finding.rules) or _gates(gate, change):
            before, after = (format_amount(value or 0, change.unit) for value in (change.before, change.after))
            verb = "anchor" if change.kind is ChangeKind.ANCHORED else "update"
            came = f" (it was {change.moved_from})" if change.moved_from else ""
            risen = f"baseline {change.kind} ({before} -> {after})"
            yield Problem(
                text=f"{change.subject}{came}: {risen} without a reason of its own",
                hint=f'give one: memgate baseline {verb} --reason "…" {shlex.quote(str(change.subject))}',
            )


def _rises(gate: Gate, change: Change, finding: Finding | None) -> bool:
    """True if a change of the baselines needs a reason; a value measured in another way only above its budget."""
    if change.kind is not ChangeKind.REMEASURED:
        return change.kind in {ChangeKind.RAISED, ChangeKind.ANCHORED}
    if change.before is None or change.after is None:
        return False
    allowed = finding.allowed if finding else None
    if allowed is None:
        with contextlib.suppress(ConfigError):  # a budget in another unit than the entry
            growth = gate.budget(change.subject, change.metric, {}, change.unit).growth
            allowed = growth.of(change.before) if growth else None
    return allowed is not None and change.after - change.before > allowed


def _gates(gate: Gate, change: Change) -> bool:
    try:
        return gate.budget(change.subject, change.metric, {}, change.unit).gates
    except ConfigError:  # in another unit than the entry: somebody means it to be held
        return True


def _strict(findings: tuple[Finding, ...]) -> Iterator[Problem]:
    for outcome in (one for one in Outcome if one.fails_strict):
        found = [finding for finding in findings if finding.outcome is outcome]
        if found:
            names = list(dict.fromkeys(str(finding.subject) for finding in found))
            yield Problem(
                text=f"{counted(len(names), 'test')} {outcome} (strict): {some(names)}: {reason(found[0])}",
                hint='@pytest.mark.memgate(skip="…") where it is meant, or --no-memgate-strict',
            )


def _number(findings: tuple[Finding, ...], outcome: Outcome) -> int:
    return sum(finding.outcome is outcome for finding in findings)
