"""Findings on a test's own reports, in a form that xdist carries and that JUnit and the short summary can read."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from json import dumps

import pytest
from _pytest._code.code import ReprEntry, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from pytest_memgate.compare.first_use import Payment
from pytest_memgate.model.codec import encode
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.plugin.items import line_of
from pytest_memgate.plugin.test import Test
from pytest_memgate.report.data import finding_data
from pytest_memgate.report.lines import failure_texts, own_headline

PROPERTY = "memgate."  # how the names of properties with findings begin
NOTE = "memgate.note"
PAYMENT = "memgate-payment"
LATE = "memgate_payments"  # the attribute of a report for payments that come after a test


def put_findings(test: Test, findings: Sequence[Finding], *, update: bool) -> None:
    """Put findings on the reports of a test's call and teardown, the payment on the former, notes on the latter.

    The call fails if a finding fails the test, unless it waits; an update fails no test.
    """
    first, line = test.first, line_of(test.item)
    found = [replace(finding, line=finding.line or line) for finding in findings]
    own = [(_property(finding), dumps(finding_data(finding))) for finding in found]
    if first.call:
        paid = [(PAYMENT, dumps(encode(test.payment)))] if test.payment else []
        first.call.user_properties = [*first.call.user_properties, *own, *paid]
    if first.teardown:
        notes = [(NOTE, note) for note in test.notes]
        first.teardown.user_properties = [*first.teardown.user_properties, *own, *notes]
    failing = [one for one in found if one.outcome is Outcome.NO_ANSWER or (one.outcome.fails_gate and not update)]
    failing = [one for one in failing if not one.waits]
    if failing and first.is_called and first.call:
        fail_report(first.call, failing)


def put_payments(test: Test, payments: Sequence[Payment]) -> None:
    """Put payments, also of other tests, on the report of a test's teardown: not as properties, which JUnit shows."""
    report = test.first.teardown
    if report and payments:
        setattr(report, LATE, [dumps(encode(payment)) for payment in payments])


def with_findings(test: Test, findings: Sequence[Finding]) -> list[pytest.TestReport]:
    """Return copies of a test's reports with findings that may not come true."""
    waiting = copy.copy(test)
    waiting.runs = [replace(test.first, reports=list(map(copy.copy, test.first.reports)))]
    put_findings(waiting, findings, update=False)
    return waiting.first.reports


def _property(finding: Finding) -> str:
    """Return the name of a finding's property: its metric, and its package if it is first use."""
    return f"{PROPERTY}{finding.metric}" + (f" {finding.subject.name}" if finding.subject.is_first_use else "")


def fail_report(report: pytest.TestReport, findings: Sequence[Finding]) -> None:
    """Turn a passed report into a failed one that says what grew."""
    path, line, _ = report.location
    first = findings[0]
    place = ReprFileLocation(path, first.line or (line or 0) + 1, own_headline(first))
    lines = [f"E   {line}".rstrip() for line in failure_texts(list(findings)).splitlines()]
    entry = ReprEntry(lines, None, None, ReprFileLocation(path, place.lineno, first.outcome.value), "long")
    report.outcome = "failed"
    report.longrepr = ReprExceptionInfo(
        reprcrash=place, reprtraceback=ReprTraceback(reprentries=[entry], extraline=None, style="long")
    )
