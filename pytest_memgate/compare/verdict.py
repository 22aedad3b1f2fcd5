"""The verdict that all findings of a run lead to."""

from collections.abc import Iterable

from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.run import Problem, Verdict


def verdict(findings: Iterable[Finding], problems: Iterable[Problem]) -> Verdict:
    """Return FAILED if anything fails the run, NO_ANSWER if something could not be answered, else PASSED."""
    outcomes = {finding.outcome for finding in findings}
    verdicts = {problem.verdict for problem in problems}
    if Outcome.NO_ANSWER in outcomes:
        verdicts.add(Verdict.NO_ANSWER)
    if Verdict.FAILED in verdicts or any(outcome.fails_gate for outcome in outcomes):
        return Verdict.FAILED
    return Verdict.NO_ANSWER if Verdict.NO_ANSWER in verdicts else Verdict.PASSED
