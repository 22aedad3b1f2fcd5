"""What all findings of a run come to."""

from collections.abc import Iterable

from pytest_memgate.model.finding import Finding
from pytest_memgate.model.run import Problem, Verdict


def verdict(findings: Iterable[Finding], problems: Iterable[Problem]) -> Verdict:
    """Return FAILED if anything says no, NO_ANSWER if something could not be answered, PASSED otherwise."""
    said = {problem.verdict for problem in problems}
    if Verdict.FAILED in said or any(finding.outcome.fails_test for finding in findings):
        return Verdict.FAILED
    return Verdict.NO_ANSWER if Verdict.NO_ANSWER in said else Verdict.PASSED
