"""Gathers the findings in the process that the user sees, takes the verdict, and writes the files."""

import contextlib
import copy
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

from pytest_memgate.compare.first_use import Payment
from pytest_memgate.errors import MemgateError
from pytest_memgate.measure.imports.clean_import import TRACED, measure_imports
from pytest_memgate.measure.python.environment import cannot_measure
from pytest_memgate.measure.python.original_functions import real_world
from pytest_memgate.model.codec import decode
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.run import ChangeKind, Problem, Run, Verdict
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.plugin.reports.at_once import ToldAtOnce
from pytest_memgate.plugin.reports.deferred import FOLDER, left_by
from pytest_memgate.plugin.reports.properties import LATE, NOTE, PAYMENT, PROPERTY, fail_report
from pytest_memgate.plugin.session.asked import Asked
from pytest_memgate.plugin.session.collected import TEST, Inventory, skip_reason
from pytest_memgate.plugin.session.first_use import FirstUseReview
from pytest_memgate.plugin.session.folding import Folding
from pytest_memgate.plugin.session.fresh_process import left_by_fixtures
from pytest_memgate.plugin.session.marks import Marks
from pytest_memgate.plugin.session.measured_base import decide
from pytest_memgate.plugin.session.options import hand_over
from pytest_memgate.report.terminal import Line, Tone, summary
from pytest_memgate.tasks.baseline.conclude_update import CUT_SHORT, Survey, conclude_update
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.run.file import write_run
from pytest_memgate.tasks.run.provenance import provenance
from pytest_memgate.tasks.run.verdict import Facts, conclude
from pytest_memgate.units import counted

_TONES: Mapping[Tone, Mapping[str, bool]] = {
    Tone.PLAIN: {},
    Tone.GOOD: {"green": True},
    Tone.BAD: {"red": True, "bold": True},
    Tone.NOTE: {"yellow": True},
}

_PATIENCE = 60.0  # seconds for the survey of fixtures, and twice the time of the run so far; chosen


class Controller:
    """The hooks of the process that the user sees: the only process without xdist, no worker with it."""

    def __init__(
        self,
        config: pytest.Config,
        gate: Gate,
        inventory: Inventory,
        marks: Marks,
        *,
        strict: bool,
        kinds: frozenset[ChangeKind],
    ) -> None:
        self._config = config
        self._gate = gate
        self._inventory = inventory
        self._marks = marks
        self._strict = strict
        self._kinds = kinds
        self._asked = Asked(config, gate, gate.base) if gate.base else None
        self._told: dict[tuple[Subject, str], str] = {}  # findings as they travelled, by test and property
        self._findings: list[Finding] = []
        self._passed: set[Subject] = set()
        self._failed: set[Subject] = set()
        self._skipped: dict[Subject, str] = {}
        self._notes: list[str] = []
        self._died = 0
        self._start = time.monotonic()
        self._began = time.time()
        self._kept: tempfile.TemporaryDirectory[str] | None = None  # reports, by the workers
        self._first_uses = FirstUseReview(config, gate, update=bool(kinds))
        self._paid_texts: list[tuple[str, pytest.TestReport]] = []  # payments as they travelled, with their reports
        self._payers: dict[Subject, pytest.TestReport] = {}
        self._paid: list[Finding] = []  # on first use
        self._extra: pytest.TestReport | None = None  # by which a test fails that has been reported
        self._places: dict[Subject, tuple[str, int | None, str]] = {}  # of tests, by their reports
        self._measured = gate.measured
        self._run: Run | None = None
        self._folding = Folding()
        config.pluginmanager.register(self._folding, "memgate-folding")
        config.pluginmanager.register(ToldAtOnce(config), "memgate-told-at-once")

    def pytest_report_header(self) -> str:
        """Return the line that says what the run is compared with."""
        against = f"baselines of {self._gate.base.ref}" if self._gate.base else self._gate.baselines.head.own.folder
        if self._gate.measured:
            against = f"{self._gate.measured.ref}, measured here"
        budgets = self._gate.config.settings.file or "no memgate.yml: default budgets"
        mode = "updating" if self._kinds else "against"
        return f"memgate: {mode} {against}, {budgets}{', strict' if self._strict else ''}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the findings off the report; reruns replace earlier reports of a test."""
        is_rerun = report.outcome == "rerun"  # type: ignore[comparison-overlap]  # of pytest-rerunfailures
        if is_rerun or report is self._extra:
            return
        test = Subject.parse(getattr(report, TEST, report.nodeid))
        self._places[test] = report.location
        # What is found of a test stands on the report of its teardown, too: JUnit takes it from there.
        properties = report.user_properties if report.when == "call" else ()
        own = [name for name, _ in properties if name.startswith(PROPERTY)]
        if report.when == "teardown":
            self._notes += [str(value) for name, value in report.user_properties if name == NOTE]
        self._paid_texts += [(text, report) for text in getattr(report, LATE, ())]
        for name, value in properties:
            if name == PAYMENT:
                self._paid_texts.append((str(value), report))
            elif name in own:
                self._told[test, name] = str(value)
        if report.failed and not own:
            self._failed.add(test)
        elif report.skipped:
            self._skipped[test] = skip_reason(report)
        elif report.when == "call":
            self._passed.add(test)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over the inventory of an xdist worker; a worker that died left none."""
        if error is not None:
            self._died += 1
            self._tell_left(node)
        output = getattr(node, "workeroutput", {}).get("memgate")
        if output:
            self._inventory.load(output)

    def _tell_left(self, node: Any) -> None:
        """Report the tests that had run in a worker that died and were waiting for others."""
        if self._kept:
            for report in left_by(node.gateway.id, Path(self._kept.name), self._config):
                report.node = node  # type: ignore[attr-defined]  # as xdist says where a report is from
                self._config.hook.pytest_runtest_logreport(report=report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Judge first use, take the verdict, write the run, and set the exit code."""
        if exitstatus in {pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR}:
            return
        interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
        with real_world():
            self._read_reports()
        if not interrupted:
            self._review_first_use()
            self._measure_base()
        self._run = replace(self._concluded(session, interrupted=interrupted), measured=self._measured)
        path = self._config.option.memgate_report
        if path:
            try:
                with real_world():
                    origin = provenance(self._gate.root, self._run.findings, start=self._began)
                self._run = replace(self._run, provenance=origin)
                write_run(self._run, self._config.invocation_params.dir / path)
            except MemgateError as error:
                problem = Problem(text=str(error), verdict=Verdict.NO_ANSWER)
                self._run = replace(self._run, problems=(*self._run.problems, problem), verdict=Verdict.NO_ANSWER)
        self._folding.run = self._run
        if self._run.verdict is not Verdict.PASSED and exitstatus in {
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        }:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._run.extent and self._run.extent.cut_short == CUT_SHORT:
            session.exitstatus = pytest.ExitCode.INTERRUPTED

    def _read_reports(self) -> None:
        """Read the findings and payments of all tests: no test has replaced by now what reads them."""
        self._findings = [decode(Finding, json.loads(text)) for text in self._told.values()]
        for text, report in self._paid_texts:
            payment = decode(Payment, json.loads(text))
            self._first_uses.add(getattr(report, "worker_id", ""), payment)
            self._payers.setdefault(payment.test, report)  # of the call, or in whose teardown it was left

    def _review_first_use(self) -> None:
        """Judge first use once; a test named for growth of it gets one more report, which fails."""
        with real_world():
            self._paid = self._first_uses.findings()
        for finding in self._paid:
            payer = self._payers.get(finding.paid_by[0]) if finding.paid_by else None
            if payer and finding.outcome.fails_gate and not self._kinds:
                report = copy.copy(payer)
                report.when, report.sections, report.user_properties = "call", [], []
                fail_report(report, [finding])
                self._extra = report
                self._config.hook.pytest_runtest_logreport(report=report)

    def _measure_base(self) -> None:
        """Decide what waits, by measuring the base now; a test that fails by that gets one more report."""
        waiting = [one for one in self._findings if one.waits]
        if not (waiting and self._gate.base):
            return
        ref, tests = self._gate.base.ref, len({one.subject for one in waiting})
        self._progress(f"measuring {ref} for {counted(tests, 'test')}, since no stored value decides")
        with real_world():
            decided = decide(self._config, ref, self._findings)
        self._progress("")
        self._findings, self._measured = decided.findings, decided.measured
        self._notes += decided.notes
        failing: dict[Subject, list[Finding]] = {}
        for finding in decided.waited:
            if finding.outcome.fails_test:
                failing.setdefault(finding.paid_by[0] if finding.paid_by else finding.subject, []).append(finding)
        for test, found in failing.items():
            self._fail(test, found)

    def _fail(self, test: Subject, found: list[Finding]) -> None:
        """Report once more, as failed, a test that has been reported."""
        where = self._places.get(test, (test.file, found[0].line or None, test.name))
        report = pytest.TestReport(str(test), where, {}, "passed", None, "call")
        fail_report(report, found)
        self._extra = report
        self._config.hook.pytest_runtest_logreport(report=report)

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Write the gate's own part of the summary."""
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
        """Yield the declared checks that are no part of this run: nobody shall think that they passed."""
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
        why = cut_short or str(session.shouldstop or session.shouldfail or "")
        failed = tuple(sorted(map(str, self._failed)))
        unjudged = () if stopped else tuple(sorted(map(str, self._unjudged())))
        return Facts(
            findings=(*self._findings, *self._paid),
            collected=collected,
            everything=not stopped and self._inventory.everything(),
            cut_short=cut_short,
            skipped=len(self._skipped),
            failed=frozenset(failed),
            unjudged=frozenset(unjudged),
            why_not_run=None if stopped else self._why_not_run,
            extent=replace(extent, failed=failed, unjudged=unjudged, cut_short=why),
        )

    def _unjudged(self) -> set[Subject]:
        """Return the tests that passed without a finding, and those that were to run but were not reported."""
        known = {test for test, _ in self._told} | self._failed | self._skipped.keys()
        return (self._passed | self._inventory.to_run()) - known

    def _why_not_run(self, test: Subject) -> str:
        return self._asked.why_not_run(test, self._inventory, self._skipped) if self._asked else ""

    def _survey(self, session: pytest.Session) -> Survey:
        """Return first use that no test paid in this order but may pay in another: of fixtures, and of all modules."""
        stopped = self._died or session.shouldstop or session.shouldfail
        if stopped or not self._inventory.is_whole() or cannot_measure():
            return Survey()
        owned: dict[str, dict[str, float]] = {}
        is_all = True
        problems: list[Problem] = []
        if self._inventory.sets_up:
            with self._step("setting tests up once more in a clean process", problems):
                owned, is_all = self._left_by_fixtures()
        if number := len(self._inventory.loaded()):
            with self._step(f"importing {counted(number, 'module')} in a clean process", problems):
                for owner, parts in self._imported().items():
                    owned.setdefault(owner, {}).update(parts)
        return Survey(anew=owned, is_all=is_all and not problems, problems=tuple(problems))

    @contextlib.contextmanager
    def _step(self, what: str, problems: list[Problem]) -> Iterator[None]:
        """Show a step while it runs; an error in it becomes a problem, as the tests' entries are written by then."""
        self._progress(what)
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever it is, what was measured must not be lost
            said = str(error).partition("\n")[0] or "no reason given"
            kind = "" if isinstance(error, MemgateError) else f"{type(error).__name__}: "
            problems.append(Problem(text=f"first use is not updated: {what}: {kind}{said}"))
        finally:
            self._progress("")

    def _progress(self, what: str) -> None:
        """Show the present step: on a terminal in one line that disappears."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or self._config.get_verbosity() < 0:
            return
        if terminal.isatty:
            terminal.rewrite(f"memgate: {what}" if what else "", erase=True)
        elif what:
            terminal.ensure_newline()
            terminal.write_line(f"memgate: {what}")

    def _come_to(self, place: int, number: int) -> None:
        """Show how many modules have been imported, where a line can be overwritten."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and terminal.isatty:
            self._progress(f"importing {place} of {number} modules in a clean process")

    def _left_by_fixtures(self) -> tuple[dict[str, dict[str, float]], bool]:
        patience = _PATIENCE + 2 * (time.monotonic() - self._start)  # each test has been set up three times by now
        try:
            found, why = left_by_fixtures(self._config, timeout_seconds=patience)
        except (OSError, ValueError) as error:
            found, why = {}, str(error)
        known = "the memory of some fixtures is not known" if found else "the memory of fixtures is not known"
        said = f"{known}: {why}" if why else "tests set up once more, in a clean process"
        self._notes.append(f"first use: {said}")
        return found, not why

    def _imported(self) -> dict[str, dict[str, float]]:
        """Return the bytes that the modules loaded by tests retain if imported alone, by owner and module."""
        loaded = self._inventory.loaded()
        found = measure_imports(list(loaded), self._gate.root, show=lambda place: self._come_to(place, len(loaded)))
        self._notes.append(f"first use: {counted(len(found.modules), 'module')} imported once more, in a clean process")
        broken = [f"{name} {why}" for name, why in found.failed.items() if why.endswith(TRACED)]
        self._notes += [f"first use: not measured in a clean process: the import of {one}" for one in broken]
        owned: dict[str, dict[str, float]] = {}
        for module, size in found.retained_by_module().items():
            if module in loaded:  # what comes with them was there before the tests
                owned.setdefault(loaded[module], {})[module] = size
        return owned

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give xdist's workers the options that count, and a folder for waiting reports."""
        self._kept = self._kept or tempfile.TemporaryDirectory(prefix="memgate-")
        node.workerinput[FOLDER] = self._kept.name
        hand_over(self._config, node.workerinput)

    def pytest_unconfigure(self) -> None:
        """Remove the folder of waiting reports."""
        if self._kept:
            self._kept.cleanup()

    def _concluded(self, session: pytest.Session, *, interrupted: bool) -> Run:
        facts = self._facts(session, interrupted=interrupted)
        if self._kinds:
            reason = self._config.option.memgate_reason or ""
            return conclude_update(
                self._gate,
                facts,
                self._kinds,
                reason,
                strict=self._strict,
                exactly=self._inventory.names_tests(),
                survey=lambda: self._survey(session),
            )
        with real_world():
            loosened = () if facts.cut_short else self._marks.loosened(self._gate, facts.findings)
        return conclude(self._gate, facts, strict=self._strict, loosened_by_code=loosened)


def _write(terminal: TerminalReporter, line: Line) -> None:
    terminal.write_line(line.text, **_TONES[line.tone])
