"""The verdict on a test's own report, in a form that xdist carries and JUnit and the short summary can read."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from _pytest._code.code import ReprEntry, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from pytest_memgate.model.finding import Finding, Outcome
from pytest_memgate.plugin.items import line_of
from pytest_memgate.report.data import finding_data
from pytest_memgate.report.lines import failure_texts, own_headline

PROPERTY = "memgate."
_FAILING = "_memgate_failing"
LATE = f"{PROPERTY}leftover"  # what is found when a test is torn down travels on that phase's report


def put_findings(
    item: pytest.Item, report: pytest.TestReport, findings: Sequence[Finding], *, instead: str, update: bool
) -> None:
    """Let findings travel on a report, in place of those of which the property's name starts with `instead`.

    The report fails, once it is told, with those that fail the test; an update fails no test. Until then it has passed:
    a plugin that runs tests again as they fail, as pytest-rerunfailures does, looks at it before.
    """
    line = line_of(item)
    found = [replace(finding, line=finding.line or line) for finding in findings]
    kept = [one for one in item.user_properties if not one[0].startswith(instead)]
    own = [(_property(finding), json.dumps(finding_data(finding))) for finding in found]
    item.user_properties[:] = [*kept, *own]
    report.user_properties = list(item.user_properties)
    failing = [
        finding
        for finding in found
        if finding.outcome is Outcome.NO_ANSWER or (finding.outcome.fails_gate and not update)
    ]
    vars(report).pop(_FAILING, None)
    if failing and report.passed:
        vars(report)[_FAILING] = failing


def fail_if_found(report: pytest.TestReport) -> None:
    """Fail a report that is about to be told, if findings on it do."""
    if failing := vars(report).pop(_FAILING, None):
        fail_report(report, failing)


def _property(finding: Finding) -> str:
    """Return the name that a finding travels by: that of its metric, and of the package where it is not the test's."""
    return f"{PROPERTY}{finding.metric}" + (f" {finding.subject.name}" if finding.subject.is_first_use else "")


def fail_report(report: pytest.TestReport, findings: list[Finding]) -> None:
    """Turn a passed report into a failed one that says what grew."""
    path, line, _ = report.location
    first = findings[0]
    place = ReprFileLocation(path, first.line or (line or 0) + 1, own_headline(first))
    lines = [f"E   {line}".rstrip() for line in failure_texts(findings).splitlines()]
    entry = ReprEntry(lines, None, None, ReprFileLocation(path, place.lineno, first.outcome.value), "long")
    report.outcome = "failed"
    report.longrepr = ReprExceptionInfo(
        reprcrash=place, reprtraceback=ReprTraceback(reprentries=[entry], extraline=None, style="long")
    )
