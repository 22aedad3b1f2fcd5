"""Keeps pytest's own list of failures short: of many tests with one cause, only the first few are printed in full."""

import json
from collections.abc import Collection, Generator
from typing import TYPE_CHECKING

import pytest
from _pytest._code.code import ReprExceptionInfo
from _pytest.terminal import TerminalReporter

from pytest_memgate.model.codec import decode
from pytest_memgate.model.finding import Finding
from pytest_memgate.plugin.failure import PROPERTY
from pytest_memgate.report.lines import own_headline
from pytest_memgate.report.stories import listed_only, stories

if TYPE_CHECKING:
    from pytest_memgate.model.run import Run
    from pytest_memgate.model.subject import Subject

_LISTS = ("failed", "error")  # pytest's names for what its FAILURES and ERRORS show


class Folding:
    """Takes reports out of the terminal's lists while these are printed in full, and puts them back for all else.

    The reports stay as they are: JUnit's file and other plugins have the whole text of each. With `-vv` nothing is
    taken out.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self._whole: dict[str, list[pytest.TestReport]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> Generator[None, object, object]:
        if self.run and not self.run.update and terminalreporter.config.get_verbosity() < 2:
            listed = listed_only(stories(self.run))
            for name in _LISTS if listed else ():
                self._whole[name] = terminalreporter.stats.get(name, [])
                terminalreporter.stats[name] = [one for one in self._whole[name] if not _is_listed(one, listed)]
        try:
            return (yield)
        finally:
            self.unfold(terminalreporter)

    def unfold(self, terminal: TerminalReporter) -> None:
        """Put the reports back: the short summary names each of them, and they are counted."""
        while self._whole:
            name, reports = self._whole.popitem()
            if reports:
                terminal.stats[name] = reports
            else:
                del terminal.stats[name]


def _is_listed(report: pytest.TestReport, listed: "Collection[Subject]") -> bool:
    """True if a test has failed for nothing but findings that others tell."""
    if not isinstance(report.longrepr, ReprExceptionInfo) or report.longrepr.reprcrash is None:
        return False  # also what pytest says of a file that it could not collect
    found = [
        decode(Finding, json.loads(str(value))) for name, value in report.user_properties if name.startswith(PROPERTY)
    ]
    failing = [one for one in found if one.outcome.fails_test]
    headlines = {own_headline(one) for one in failing}
    return report.longrepr.reprcrash.message in headlines and all(one.subject in listed for one in failing)
