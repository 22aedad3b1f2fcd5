"""Put together what a run found: its findings, what else is wrong with it, and the verdict."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_memgate.baseline.source import GitRef, WorkTree
from pytest_memgate.baseline.store import environments
from pytest_memgate.compare.verdict import verdict
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.finding import Finding, Outcome
from pytest_memgate.model.run import Change, ChangeKind, Problem, Run, Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.gate import Gate
from pytest_memgate.tasks.loosened import loosened
from pytest_memgate.tasks.update import Order, unreasoned_problem, update
from pytest_memgate.units import format_size

UPDATE = "memgate baseline update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a run besides its findings.

    `collected` gives for each file that was collected as a whole the names of all its tests; a file that the run would
    have collected, were it there, is in it with none. `everything` says that the whole project was run. `failed` are
    the node ids of tests that failed by themselves. `cut_short` says why the run did not come to its end, if so.
    """

    findings: tuple[Finding, ...]
    collected: Mapping[str, frozenset[str]] = field(default_factory=dict)
    everything: bool = False
    skipped: int = 0
    failed: frozenset[str] = frozenset()
    cut_short: str = ""


def conclude(gate: Gate, facts: Facts, *, strict: bool) -> Run:
    """Return the run of a gate that judged (an update has a conclusion of its own)."""
    vanished = tuple(_vanished(gate, facts))
    findings = facts.findings + vanished
    changes = tuple(gate.baselines.changes())
    problems = [
        *_unmeasured(findings, facts),
        *_unreadable(findings),
        *_no_baseline(gate, findings),
        *_missing(gate, findings),
        *_waivers(gate, facts),
        *_unreasoned(changes),
        *(_strict(findings) if strict else ()),
    ]
    return Run(
        environment=gate.environment,
        verdict=verdict(findings, problems),
        findings=findings,
        problems=tuple(problems),
        changes=changes,
        loosened=(*loosened(gate.config.settings, gate.own), *_marked(gate.base, findings)) if gate.base else (),
        baseline=gate.baselines.head.folder,
        compared_with=gate.base.ref if gate.base else "",
        strict=strict,
        skipped=facts.skipped,
        failed=len(facts.failed),
    )


def conclude_update(gate: Gate, facts: Facts, kinds: frozenset[ChangeKind], reason: str, *, strict: bool) -> Run:
    """Write the findings' values into the baselines and return the run."""
    failing = {file for file in facts.collected for test in facts.failed if _may_be_of(test, file)}
    collected = {file: names for file, names in facts.collected.items() if file not in failing}
    store = gate.baselines.head
    problems: list[Problem] = []
    changes: list[Change] = []
    problems += _unmeasured(facts.findings, facts)
    if not problems:
        order = Order(kinds=kinds, reason=reason, collected=collected)
        done = update(gate.root, store, gate.environment.header, facts.findings, order)
        changes += done.changes
        problems += done.problems
        if done.unreasoned:
            problems.append(unreasoned_problem(done.unreasoned, UPDATE))
    return Run(
        environment=gate.environment,
        verdict=verdict((), problems),
        findings=facts.findings,
        problems=tuple(problems),
        changes=tuple(changes),
        baseline=store.folder,
        strict=strict,
        update=True,
        skipped=facts.skipped,
        failed=len(facts.failed),
    )


def _may_be_of(test: str, file: str) -> bool:
    """Say whether a failed test's node id can be of a file; one outside the root has another path there."""
    return test.partition("::")[0].rpartition("/")[2] == file.rpartition("/")[2]


def _vanished(gate: Gate, facts: Facts) -> Iterator[Finding]:
    store = gate.baselines.head
    for file in store.files():
        if file not in facts.collected:
            continue
        try:
            document = store.document(file)
        except BaselineError as error:
            if not any(finding.subject.file == file for finding in facts.findings):
                yield Finding(subject=Subject(file, ""), metric="", outcome=Outcome.UNREADABLE, reason=str(error))
            continue
        for name in sorted((document.entries if document else {}).keys() - facts.collected[file]):
            for metric, reference in document.entries[name].items() if document else ():
                yield Finding(
                    subject=Subject(file, name),
                    metric=metric,
                    outcome=Outcome.VANISHED,
                    reason="it has a baseline, but was not collected",
                    baseline=reference.value,
                )


def _unmeasured(findings: tuple[Finding, ...], facts: Facts) -> Iterator[Problem]:
    if facts.cut_short:
        yield Problem(text=facts.cut_short, verdict=Verdict.NO_ANSWER)
        return
    if any(finding.measurement for finding in findings):
        return
    first = {finding.outcome: finding.reason for finding in reversed(findings)}
    parts = [
        (len(facts.failed), "failed"),
        (facts.skipped, "skipped"),
        (_number(findings, Outcome.SKIPPED), "left out by marker"),
        (_number(findings, Outcome.UNREADABLE), "without a readable baseline"),
        (_number(findings, Outcome.UNMEASURED), f"unmeasured, the first since {first.get(Outcome.UNMEASURED)}"),
    ]
    said = ", ".join(f"{number} {word}" for number, word in parts if number)
    yield Problem(text=f"nothing was measured: {said or 'no test ran'}", verdict=Verdict.NO_ANSWER)


def _unreadable(findings: tuple[Finding, ...]) -> Iterator[Problem]:
    said = dict.fromkeys(finding.reason for finding in findings if finding.outcome is Outcome.UNREADABLE)
    for reason in said:
        yield Problem(text=reason, verdict=Verdict.NO_ANSWER)


def _no_baseline(gate: Gate, findings: tuple[Finding, ...]) -> Iterator[Problem]:
    if not any(finding.outcome is Outcome.NO_BASELINE for finding in findings):
        return
    others = [name for name in environments(WorkTree(gate.root)) if name != gate.environment.key]
    there = f" (there is one for {', '.join(others)})" if others else ""
    yield Problem(
        text=f"there is no baseline for {gate.environment.key}{there}",
        hint=f"make it, and commit {gate.baselines.head.folder}: {UPDATE}",
        verdict=Verdict.NO_ANSWER,
    )


def _missing(gate: Gate, findings: tuple[Finding, ...]) -> Iterator[Problem]:
    if not gate.config.missing_fails:
        return
    for outcome, words in (
        (Outcome.NEW, "without a baseline"),
        (Outcome.VANISHED, "in the baseline but not in the run"),
    ):
        names = [str(finding.subject) for finding in findings if finding.outcome is outcome]
        if names:
            yield Problem(text=f"{_count(names, 'test')} {words} (missing: fail): {_some(names)}", hint=UPDATE)


def _waivers(gate: Gate, facts: Facts) -> Iterator[Problem]:
    for waiver in gate.waivers:
        where = f"{waiver.source}: the waiver for {waiver.test}"
        if waiver.expired(gate.today):
            yield Problem(text=f"{where} ended on {waiver.until}", hint="repair the test, or renew it")
            continue
        concerned = [finding for finding in facts.findings if waiver.concerns(finding.subject, finding.metric)]
        ran = {finding.subject for finding in concerned}
        named = {
            subject
            for file, names in facts.collected.items()
            for subject in (Subject(file, name) for name in names)
            if waiver.concerns(subject, waiver.metric)
        }
        file = waiver.test.partition("::")[0]
        whole = facts.everything or file in facts.collected or any(str(subject) == waiver.test for subject in ran)
        within = named <= ran and all(one.outcome in {Outcome.PASSED, Outcome.IMPROVED} for one in concerned)
        if whole and ((within and ran) or not (ran or named)):
            why = "is not needed: the test is within its budget" if ran else "names no test"
            yield Problem(text=f"{where} {why}", hint="remove it")


def _unreasoned(changes: tuple[Change, ...]) -> Iterator[Problem]:
    for change in changes:
        if change.kind in {ChangeKind.RAISED, ChangeKind.ANCHORED} and not change.reason:
            before, after = format_size(change.before or 0), format_size(change.after or 0)
            verb = "anchor" if change.kind is ChangeKind.ANCHORED else "update"
            yield Problem(
                text=f"{change.subject}: baseline {change.kind} ({before} -> {after}) without a reason of its own",
                hint=f'give one: memgate baseline {verb} --reason "…" {shlex.quote(str(change.subject))}',
            )


def _strict(findings: tuple[Finding, ...]) -> Iterator[Problem]:
    for outcome in (one for one in Outcome if one.fails_strict):
        found = [finding for finding in findings if finding.outcome is outcome]
        if found:
            names = [str(finding.subject) for finding in found]
            yield Problem(
                text=f"{_count(names, 'test')} {outcome} (strict): {_some(names)}: {found[0].reason}",
                hint='@pytest.mark.memgate(skip="…") where it is meant, or --no-memgate-strict',
            )


def _marked(base: GitRef, findings: tuple[Finding, ...]) -> Iterator[str]:
    """Yield the markers in test files that the change touches: a marker is code, so the base's cannot be read."""
    changed = base.changed_files()
    for finding in findings:
        if finding.subject.file not in changed:
            continue
        if finding.outcome is Outcome.SKIPPED:
            yield f"{finding.subject} is left out by its marker: {finding.reason}"
        elif "(marker)" in finding.budget:
            yield f"{finding.subject} has a budget from its marker: {finding.budget}"


def _number(findings: tuple[Finding, ...], outcome: Outcome) -> int:
    return sum(finding.outcome is outcome for finding in findings)


def _count(names: list[str], word: str) -> str:
    return f"{len(names)} {word}{'' if len(names) == 1 else 's'}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
