"""Tells of a failing check when it fails: those after it may take minutes."""

import pytest
from _pytest._code.code import ExceptionRepr
from _pytest.terminal import TerminalReporter

from pytest_memgate.model.metric import metric
from pytest_memgate.plugin.reports.properties import PROPERTY


class ToldAtOnce:
    """Writes one line for each failing check of a kind that memgate.yml declares, after pytest's own letter."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the line."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if not isinstance(terminal, TerminalReporter) or self._config.get_verbosity() < 0:
            return
        metrics = (name.removeprefix(PROPERTY) for name, _ in report.user_properties if name.startswith(PROPERTY))
        crash = report.longrepr.reprcrash if isinstance(report.longrepr, ExceptionRepr) else None
        if report.when == "call" and report.failed and crash and any(metric(name).is_declared for name in metrics):
            terminal.ensure_newline()
            if terminal._tw.width_of_current_line:  # with xdist it knows of no letters
                terminal.line("")
            terminal.write_line(f"memgate: {report.nodeid}: {crash.message.partition(chr(10))[0]}", red=True)
