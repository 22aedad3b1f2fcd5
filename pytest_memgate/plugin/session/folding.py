"""Keeps pytest's own list of failures short: of many tests with one cause, only the first few are printed in full."""

import json
from collections.abc import Callable, Collection, Generator
from functools import partial
from typing import TYPE_CHECKING

import pytest
from _pytest._code.code import ReprExceptionInfo
from _pytest.terminal import TerminalReporter

from pytest_memgate.model.codec import decode
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.plugin.reports.properties import PROPERTY
from pytest_memgate.report.lines import own_headline
from pytest_memgate.report.stories import listed_only, stories

if TYPE_CHECKING:
    from pytest_memgate.model.run import Run
    from pytest_memgate.model.subject import Subject

_PRINTED = {"summary_failures": "failed", "summary_errors": "error"}  # what FAILURES and ERRORS show


class Folding:
    """Leaves reports out of the lists of failures while pytest prints these in full, and only then.

    The reports stay as they are: the short summary names each of them, and JUnit's file and other plugins have the
    whole text. With `-vv` all are printed.
    """

    def __init__(self) -> None:
        self.run: Run | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> Generator[None, object, object]:
        """Shorten the lists of failures and errors for a while."""
        if self.run and not self.run.update and terminalreporter.config.get_verbosity() < 2:
            listed = listed_only(stories(self.run))
            for method, name in _PRINTED.items() if listed else ():
                original = getattr(terminalreporter, method)
                setattr(terminalreporter, method, partial(_without, listed, terminalreporter, name, original))
        return (yield)


def _without(
    listed: "Collection[Subject]", terminal: TerminalReporter, name: str, original: Callable[[], None]
) -> None:
    reports = terminal.stats.get(name)
    if not reports:
        return
    terminal.stats[name] = [one for one in reports if not _is_listed(one, listed)]
    try:
        original()
    finally:
        terminal.stats[name] = reports


def _is_listed(report: pytest.TestReport, listed: "Collection[Subject]") -> bool:
    """True if a test failed only by findings that the text of other tests explains."""
    if not isinstance(report.longrepr, ReprExceptionInfo) or report.longrepr.reprcrash is None:
        return False  # also what pytest says of a file that it could not collect
    found = [
        decode(Finding, json.loads(str(value))) for name, value in report.user_properties if name.startswith(PROPERTY)
    ]
    failing = [one for one in found if one.outcome.fails_test]
    headlines = {own_headline(one) for one in failing}
    return report.longrepr.reprcrash.message in headlines and all(one.subject in listed for one in failing)
