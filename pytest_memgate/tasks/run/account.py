"""What a run did not compare: tests of the base that it left out, tests that it did not judge, or all of them."""

from collections.abc import Callable, Collection, Iterator, Mapping

from pytest_memgate.baseline.store import FOLDER, Stores
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.run import Problem, Verdict
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.report.words.reason import reason
from pytest_memgate.units import counted

_SAID = {Outcome.NO_ANSWER, Outcome.UNREADABLE, Outcome.NO_BASELINE}  # they have problems of their own


def not_run(
    base: Stores,
    collected: Mapping[str, frozenset[str]],
    accounted: Collection[Subject],
    moved: Mapping[Subject, Subject],
    why_not_run: Callable[[Subject], str],
) -> Iterator[Finding]:
    """Yield a finding for each test with an entry of the base that is not among the `accounted` ones.

    A test that is gone from a file that was collected as a whole has vanished, or the change removes its entry, too.
    Both are left out, unless the test has `moved` (old names by new ones).
    """
    known = {*accounted, *(moved[test] for test in accounted if test in moved)}
    now = {old: new for new, old in moved.items()}
    for store in base:
        for file in store.files():
            if file == LEDGER:
                continue
            try:
                document = store.document(file)
            except BaselineError as error:
                if why_not_run(Subject(file, "")):
                    yield Finding(subject=Subject(file, ""), metric="", outcome=Outcome.UNREADABLE, why=str(error))
                continue
            for name in sorted(document.entries) if document else ():
                if Subject(file, name) in known:
                    continue
                subject = now.get(Subject(file, name), Subject(file, name))
                is_gone = subject.file in collected and subject.name not in collected[subject.file]
                if is_gone or not (why := why_not_run(subject)):
                    continue
                known.add(subject)
                yield Finding(subject=subject, metric="", outcome=Outcome.NOT_RUN, why=why)


def nothing_compared(findings: Collection[Finding]) -> Iterator[Problem]:
    """Yield the problem of a run that measured, but held no value against an entry or a limit."""
    if not any(one.measurement for one in findings) or any(one.outcome in _SAID for one in findings):
        return
    if any(one.is_held and not one.subject.is_first_use for one in findings):
        return
    parts = []
    for outcome in (Outcome.NEW, Outcome.INCOMPARABLE, Outcome.UNMEASURED, Outcome.NOT_GATED, Outcome.SKIPPED):
        found = [one for one in findings if one.outcome is outcome]
        if number := len({one.subject for one in found}):
            why = next(filter(None, map(reason, found)), "")
            parts.append(f"{number} {outcome}{f' ({why})' if why else ''}")
    is_new = any(one.outcome is Outcome.NEW for one in findings)
    yield Problem(
        text=f"nothing was compared: {', '.join(parts)}",
        hint=f"look where {FOLDER} has gone or, if the tests are new: memgate baseline update" if is_new else "",
        verdict=Verdict.NO_ANSWER,
    )


def unjudged(tests: Collection[str], kind: Verdict) -> Iterator[Problem]:
    """Yield the problem of tests that ran, or were to run, without any finding."""
    if tests:
        yield Problem(
            text=f"{counted(len(tests), 'test')} without a finding of the gate: {some(sorted(tests))}",
            hint="look for a plugin that runs tests by itself, or for two tests of one name in one file",
            verdict=kind,
        )


def some(names: list[str]) -> str:
    """Return the first three names, and the number of the others."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
