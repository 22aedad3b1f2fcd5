"""One try of the selftest: a part of the project grows beyond its budget, and the gate has to say so."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.run import Run
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.lines import value_line
from pytest_memgate.report.words.reason import reason
from pytest_memgate.tasks.prove.pytest_subprocess import Done

GREEN = (Outcome.PASSED, Outcome.IMPROVED)
_LEAST = 20_000  # bytes beyond the budget: well above the noise; chosen


class Proof(StrEnum):
    """The result of a try."""

    PROVEN = "proven"
    REFUTED = "REFUTED"
    LEFT_OUT = "left out"  # it is not there, or not asked for
    NO_ANSWER = "no answer"  # it is there, and could not be tried


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A try on `what`, with a line for each step and observation."""

    what: str
    proof: Proof
    lines: tuple[str, ...]


def left_out(what: str, why: str) -> Trial:
    """Return a try that was not made, and why."""
    return Trial(what=what, proof=Proof.LEFT_OUT, lines=(f"left out: {why}",))


def refuted(what: str, *lines: str) -> Trial:
    """Return a try that the gate has not passed, with the lines that say why."""
    return Trial(what=what, proof=Proof.REFUTED, lines=lines)


def findings_of(run: Run | None, subject: Subject) -> dict[str, Finding]:
    """Return the findings of a run on one test, by metric."""
    return {one.metric: one for one in run.findings if one.subject == subject} if run else {}


def beyond(finding: Finding) -> int:
    """Return the bytes that take a value beyond its growth budget, by a quarter of it.

    A value below its baseline has further to go.
    """
    measurement = finding.measurement
    if measurement is None or finding.baseline is None or finding.allowed is None:
        return 0
    own = measurement.value
    over = max(_LEAST, 0.25 * finding.allowed, 0.02 * finding.baseline)
    return int(finding.baseline + finding.allowed - own + over)


def why_not_green(findings: Iterable[Finding], done: Done, subject: Subject) -> str:
    """Return why a test cannot be tried because it is not green unchanged; empty if it is green."""
    findings = list(findings)
    extent = done.run.extent if done.run else None
    if extent and str(subject) in extent.failed:
        return "the test fails by itself"
    if not findings:
        return "the test was not run, or it was skipped"
    bad = [one for one in findings if one.outcome not in {*GREEN, Outcome.NOT_GATED}]
    if bad:
        return f"the gate says of it unchanged: {', '.join(filter(None, (str(bad[0].outcome), reason(bad[0]))))}"
    if not any(one.outcome in GREEN for one in findings):
        return "no budget names it"
    return ""


def verdict_text(finding: Finding) -> str:
    """Return an outcome and, if it needs one, the reason: `unstable: +400 KB is over …`."""
    return ": ".join(filter(None, (str(finding.outcome), reason(finding))))


def said(finding: Finding) -> str:
    """Return the judgement on a value: `regressed: memory.peak 1.5 MB -> 1.9 MB: +400 KB is over …`."""
    why = reason(finding)
    return f"{finding.outcome}: {finding.metric} {value_line(finding)}{f': {why}' if why else ''}"


def first_site(finding: Finding) -> str:
    """Return the first cause that the finding names."""
    return next((one.site.label for one in finding.growth_by_site if one.site and one.growth > 0), "")
