"""Gathers the findings where the session is controlled, takes the verdict, and writes what is to be written."""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

from pytest_memgate.errors import MemgateError
from pytest_memgate.measure.environment import cannot_measure
from pytest_memgate.measure.imports import measure_imports
from pytest_memgate.measure.world import real_world
from pytest_memgate.model.codec import decode
from pytest_memgate.model.finding import Finding
from pytest_memgate.model.run import ChangeKind, Problem, Run, Verdict
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.plugin.asked import Asked
from pytest_memgate.plugin.failure import LATE, PROPERTY
from pytest_memgate.plugin.first_use import CLAIMS
from pytest_memgate.plugin.fresh import left_by_fixtures
from pytest_memgate.plugin.inventory import TEST, Inventory, skip_reason
from pytest_memgate.plugin.tracer import NOTE
from pytest_memgate.plugin.waiting import left_by
from pytest_memgate.report.terminal import Line, Tone, summary
from pytest_memgate.tasks.conclude import Facts, conclude, conclude_update
from pytest_memgate.tasks.gate import Gate
from pytest_memgate.tasks.runfile import write_run

_TONES: Mapping[Tone, Mapping[str, bool]] = {
    Tone.PLAIN: {},
    Tone.GOOD: {"green": True},
    Tone.BAD: {"red": True, "bold": True},
    Tone.NOTE: {"yellow": True},
}

_PATIENCE = 60.0  # seconds


class Controller:
    """The hooks of the process that the user sees: the only one without xdist, none of the workers with it."""

    def __init__(
        self,
        config: pytest.Config,
        gate: Gate,
        inventory: Inventory,
        *,
        strict: bool,
        kinds: frozenset[ChangeKind],
    ) -> None:
        self._config = config
        self._gate = gate
        self._inventory = inventory
        self._strict = strict
        self._kinds = kinds
        self._asked = Asked(config, gate, gate.base) if gate.base else None
        self._findings: dict[tuple[Subject, str], Finding] = {}
        self._passed: set[Subject] = set()
        self._failed: set[Subject] = set()
        self._skipped: dict[Subject, str] = {}
        self._notes: list[str] = []
        self._died = 0
        self._start = time.monotonic()
        self._claims: tempfile.TemporaryDirectory[str] | None = None
        self._run: Run | None = None

    def pytest_report_header(self) -> str:
        against = f"baselines of {self._gate.base.ref}" if self._gate.base else self._gate.baselines.head.own.folder
        budgets = self._gate.config.settings.file or "no memgate.yml: default budgets"
        mode = "updating" if self._kinds else "against"
        return f"memgate: {mode} {against}, {budgets}{', strict' if self._strict else ''}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the finding off the report; the last report of a test counts, as reruns replace earlier ones."""
        if report.outcome == "rerun":  # type: ignore[comparison-overlap]  # pytest-rerunfailures: it will come again
            return
        test = Subject.parse(getattr(report, TEST, report.nodeid))
        # What was found when the test was called stands on the report of its teardown, too.
        own = [name for name, _ in report.user_properties if report.when == _phase_of(name)]
        for name, value in report.user_properties:
            if name == NOTE and report.when == "teardown":
                self._notes.append(str(value))
            elif name in own:
                with real_world():
                    self._findings[test, name] = decode(Finding, json.loads(str(value)))
        if report.failed and not own:
            self._failed.add(test)
        elif report.skipped:
            self._skipped[test] = skip_reason(report)
        elif report.when == "call":
            self._passed.add(test)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over what an xdist worker knows; one that died has said nothing more."""
        if error is not None:
            self._died += 1
            self._tell_left(node)
        output = getattr(node, "workeroutput", {}).get("memgate")
        if output:
            self._inventory.load(output)

    def _tell_left(self, node: Any) -> None:
        """Tell of the tests that had run in a worker that died, and waited there for others."""
        if self._claims:
            for report in left_by(node.gateway.id, Path(self._claims.name), self._config):
                report.node = node  # type: ignore[attr-defined]  # as xdist says where a report is from
                self._config.hook.pytest_runtest_logreport(report=report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus in {pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR}:
            return
        self._run = self._concluded(session, interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
        path = self._config.option.memgate_report
        if path:
            try:
                write_run(self._run, self._config.invocation_params.dir / path)
            except MemgateError as error:
                problem = Problem(text=str(error), verdict=Verdict.NO_ANSWER)
                self._run = replace(self._run, problems=(*self._run.problems, problem), verdict=Verdict.NO_ANSWER)
        if self._run.verdict is not Verdict.PASSED and exitstatus in {
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        }:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if self._run is None:
            return
        verbosity = self._config.get_verbosity()
        if self._run.problems:
            # Pytest's own last line shall not look green when the run is not.
            marks = [SimpleNamespace(nodeid="memgate") for _ in self._run.problems]
            terminalreporter.stats["memgate problem" if len(marks) == 1 else "memgate problems"] = marks
        terminalreporter.write_sep("=", "memgate")
        for line in summary(self._run, verbosity=verbosity, notes=(*self._notes, *self._not_run())):
            _write(terminalreporter, line)

    def _not_run(self) -> Iterator[str]:
        """Yield the declared checks that are no part of this run: somebody may think that they passed."""
        own = self._gate.own
        if own.checks and not self._inventory.has(own.file):
            yield f"not part of this run: {', '.join(own.checks)} (pytest --memgate {own.file})"

    def _facts(self, session: pytest.Session, *, interrupted: bool) -> Facts:
        cut_short = "the run was interrupted" if interrupted else ""
        if self._died:
            cut_short = f"{self._died} of xdist's workers died: what they had not reported is lost"
        stopped = bool(cut_short or session.shouldstop or session.shouldfail)
        files = sorted({file for store in self._gate.baselines.head for file in store.files()} - {LEDGER})
        collected = {} if stopped else self._inventory.collected(files)
        extent = self._inventory.extent(files)
        looks = self._kinds and not stopped and self._inventory.is_whole() and not cannot_measure()
        anew, is_all = self._paid_anew() if looks else (None, True)
        why = cut_short or str(session.shouldstop or session.shouldfail or "")
        failed = tuple(sorted(map(str, self._failed)))
        unjudged = () if stopped else tuple(sorted(map(str, self._unjudged())))
        return Facts(
            findings=tuple(self._findings.values()),
            collected=collected,
            everything=not stopped and self._inventory.everything(),
            cut_short=cut_short,
            skipped=len(self._skipped),
            failed=frozenset(failed),
            unjudged=frozenset(unjudged),
            why_not_run=None if stopped else self._why_not_run,
            anew=anew,
            anew_is_all=is_all,
            extent=replace(extent, failed=failed, unjudged=unjudged, cut_short=why),
        )

    def _unjudged(self) -> set[Subject]:
        """Return the tests that passed without a finding, and those that were to run and of which nothing was heard."""
        known = {test for test, _ in self._findings} | self._failed | self._skipped.keys()
        return (self._passed | self._inventory.to_run()) - known

    def _why_not_run(self, test: Subject) -> str:
        return self._asked.why_not_run(test, self._inventory, self._skipped) if self._asked else ""

    def _paid_anew(self) -> tuple[dict[str, dict[str, float]], bool]:
        """Return what no test paid in this order, and any may in another: what fixtures fill, and all modules.

        And whether that is all.
        """
        owned, is_all = self._left_by_fixtures() if self._inventory.sets_up else ({}, True)
        for owner, parts in self._imported().items():
            owned.setdefault(owner, {}).update(parts)
        return owned, is_all

    def _left_by_fixtures(self) -> tuple[dict[str, dict[str, float]], bool]:
        patience = _PATIENCE + 2 * (time.monotonic() - self._start)  # each test has been set up three times by now
        found, why = left_by_fixtures(self._config, timeout_seconds=patience)
        known = "not all that fixtures fill is known" if found else "what fixtures fill is not known"
        said = f"{known}: {why}" if why else "all tests set up once more, in a clean process"
        self._notes.append(f"first use: {said}")
        return found, not why

    def _imported(self) -> dict[str, dict[str, float]]:
        """Return what the modules that the tests loaded retain, imported alone."""
        loaded = self._inventory.loaded()
        if not loaded:
            return {}
        found = measure_imports(list(loaded), self._gate.root)
        number = f"{len(found.modules)} module{'' if len(found.modules) == 1 else 's'}"
        self._notes.append(f"first use: {number} imported once more, in a clean process")
        owned: dict[str, dict[str, float]] = {}
        for module, size in found.retained_by_module().items():
            if module in loaded:  # what comes with them was there before the tests
                owned.setdefault(loaded[module], {})[module] = size
        return owned

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give xdist's workers a folder where they say which of them tells of a package."""
        self._claims = self._claims or tempfile.TemporaryDirectory(prefix="memgate-")
        node.workerinput[CLAIMS] = self._claims.name

    def pytest_unconfigure(self) -> None:
        if self._claims:
            self._claims.cleanup()

    def _concluded(self, session: pytest.Session, *, interrupted: bool) -> Run:
        facts = self._facts(session, interrupted=interrupted)
        if self._kinds:
            reason = self._config.option.memgate_reason or ""
            return conclude_update(self._gate, facts, self._kinds, reason, strict=self._strict)
        return conclude(self._gate, facts, strict=self._strict)


def _phase_of(name: str) -> str:
    """Return the phase of a test whose report brings what a property holds, empty for one that holds no finding."""
    if name == NOTE or not name.startswith(PROPERTY):
        return ""
    return "teardown" if name.startswith(LATE) else "call"


def _write(terminal: TerminalReporter, line: Line) -> None:
    terminal.write_line(line.text, **_TONES[line.tone])
