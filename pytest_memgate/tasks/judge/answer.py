"""A measurement without a verdict becomes a finding, too, which says why."""

from collections.abc import Callable

from pytest_memgate.errors import BaselineError, CaptureError, MemgateError
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.subject import Subject


def answered(subject: Subject, family: str, measure: Callable[[], list[Finding]]) -> list[Finding]:
    """Return the findings of `measure` or, if it raises a MemgateError, the one finding that says why."""
    try:
        return measure()
    except MemgateError as error:
        return [without_verdict(subject, family, error)]


def without_verdict(subject: Subject, family: str, error: MemgateError) -> Finding:
    """Return the finding that says why there is no verdict."""
    kinds = ((BaselineError, Outcome.UNREADABLE), (CaptureError, Outcome.UNMEASURED))
    outcome = next((outcome for kind, outcome in kinds if isinstance(error, kind)), Outcome.NO_ANSWER)
    return Finding(subject=subject, metric=family, outcome=outcome, why=str(error))
