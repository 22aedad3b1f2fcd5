"""The verdict on a test's own report, in a form that xdist carries and JUnit and the short summary can read."""

import pytest
from _pytest._code.code import ReprEntry, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from pytest_memgate.model.finding import Finding
from pytest_memgate.report.lines import failure_text, own_headline


def fail_report(report: pytest.TestReport, findings: list[Finding]) -> None:
    """Turn a passed report into a failed one that says what grew."""
    path, line, _ = report.location
    first = findings[0]
    place = ReprFileLocation(path, first.line or (line or 0) + 1, own_headline(first))
    text = "\n\n".join(map(failure_text, findings))
    lines = [f"E   {line}".rstrip() for line in text.splitlines()]
    entry = ReprEntry(lines, None, None, ReprFileLocation(path, place.lineno, first.outcome.value), "long")
    report.outcome = "failed"
    report.longrepr = ReprExceptionInfo(
        reprcrash=place, reprtraceback=ReprTraceback(reprentries=[entry], extraline=None, style="long")
    )
