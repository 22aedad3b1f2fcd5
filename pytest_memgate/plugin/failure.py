"""The verdict on a test's own report, in a form that xdist carries and JUnit and the short summary can read."""

import pytest
from _pytest._code.code import ReprEntry, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from pytest_memgate.model.finding import Finding
from pytest_memgate.report.lines import failure_text, headline


def fail_report(report: pytest.TestReport, finding: Finding) -> None:
    """Turn a passed report into a failed one that says what grew."""
    path, line, _ = report.location
    message = headline(finding)
    place = ReprFileLocation(path, finding.line or (line or 0) + 1, message)
    lines = [f"E   {text}" for text in failure_text(finding).splitlines()]
    entry = ReprEntry(lines, None, None, ReprFileLocation(path, place.lineno, finding.outcome.value), "long")
    report.outcome = "failed"
    report.longrepr = ReprExceptionInfo(
        reprcrash=place, reprtraceback=ReprTraceback(reprentries=[entry], extraline=None, style="long")
    )
