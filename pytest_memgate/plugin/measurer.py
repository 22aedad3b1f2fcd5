"""Measures and judges each test in the process that runs it; the finding travels on the test's report."""

import re
import zlib
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_memgate.budget.rule import Rule
from pytest_memgate.errors import BaselineError, ConfigError, MeasureError
from pytest_memgate.measure.heap import was_asked
from pytest_memgate.measure.places import Places
from pytest_memgate.measure.world import real_world
from pytest_memgate.model.finding import Finding, Outcome
from pytest_memgate.model.metric import FIRST_USE, MEMORY_LEAK, MEMORY_PEAK
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.plugin.again import STATE, ItemState, Phase, brief, run_again
from pytest_memgate.plugin.declared import DeclaredItem
from pytest_memgate.plugin.failure import PROPERTY, fail_if_found, put_findings
from pytest_memgate.plugin.first_use import FirstUses
from pytest_memgate.plugin.items import subject_of
from pytest_memgate.plugin.leaking import own_leak
from pytest_memgate.plugin.marker import asks_for_leak, is_tracked, read_marker
from pytest_memgate.plugin.recorder import answered
from pytest_memgate.plugin.timing import is_benchmark, is_timed, timing_of, unlisted, untimed, was_timed, why_not_timed
from pytest_memgate.plugin.tracer import Tracer, is_nested
from pytest_memgate.tasks.attribute import is_led_by_unknown, with_objects, with_packages
from pytest_memgate.tasks.gate import Gate
from pytest_memgate.tasks.leak import LeakCheck
from pytest_memgate.tasks.memory import judge_memory
from pytest_memgate.tasks.settle import Again
from pytest_memgate.tasks.times import Timing, is_gated, time_findings

if TYPE_CHECKING:
    from pytest_memgate.measure.capture import Capture

_METRIC = MEMORY_PEAK.name
_SITES = 40  # of a measurement travel on the report; growth is told from all of them
_NATIVE_RUNS = 10  # of a process: each is slow, and names what the ones before have named
_OLD = "the test asks the garbage collector for objects older than itself, which a trace keeps out of its sight"
_PROBED = {"bundle": "bundle", "web": "page", "memory.leak": "leak"}


class Measurer(Tracer):
    """The hooks of one process that runs tests under the gate."""

    def __init__(
        self, gate: Gate, first_uses: FirstUses, *, update: bool, settle: bool, keep: Path | None, cannot: str
    ) -> None:
        super().__init__(cannot)
        self._gate = gate
        self._update = update
        self._settle = settle
        self._keep = keep
        self._places = Places(gate.root)
        self._first_uses = first_uses
        self._native_runs = _NATIVE_RUNS

    def _begin(self, item: pytest.Item, state: ItemState) -> None:
        state.outcome, state.why = self._left_out(item)
        state.untraced = is_timed(item)
        state.tracked = is_tracked(item) or self._gate.config.tracks(subject_of(item, self._gate.root))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        state = item.stash.get(STATE, None)
        if state and state.share and not state.inside:
            return (yield from self._waiting(item, call, state))
        # A subtest has a report of its own, in the midst of the call.
        if call.when != "call" or state is None or state.inside or state.phase is Phase.CALL:
            return (yield)
        try:
            self._without_tracker(item, call, state)
            report = yield
            with real_world():
                self._judge(item, report, state)
        finally:
            with real_world():
                state.close()
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, object, object]:
        """Let a verdict fail the test now: before whoever counts or sends what has failed."""
        fail_if_found(report)
        return (yield)

    def _judge(self, item: pytest.Item, report: pytest.TestReport, state: ItemState) -> None:
        if report.passed:
            findings = [*state.findings, *self._found(item, state)]
            if asks_for_leak(item):
                findings.append(self._own_leak(item, state))
            self._report(item, report, findings)
        elif any(finding.outcome is Outcome.NO_ANSWER for finding in state.findings):
            self._report(item, report, state.findings)

    def _waiting(
        self, item: pytest.Item, call: pytest.CallInfo[None], state: ItemState
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note how a phase went of a test that is judged later."""
        failure = _failure(item, call)
        state.nested |= is_nested(failure)
        state.asked |= _has_asked(failure)
        report = yield
        state.failed |= report.failed
        state.passed |= report.passed and report.when == "call"
        return report

    def _found(self, item: pytest.Item, state: ItemState) -> list[Finding]:
        """Return what was found of a test that has passed, of what it measured itself."""
        found = [] if isinstance(item, DeclaredItem) else self._find_all(item, state)
        return found + answered(Subject(LEDGER, ""), FIRST_USE.name, lambda: self._first_uses.found(item, state))

    def _left_out(self, item: pytest.Item) -> tuple[Outcome | None, str]:
        """Return why an item is not to be traced, if it is not."""
        skip, wrong = "", ""
        try:
            _, skip = read_marker(item)
        except ConfigError as error:
            wrong = str(error)
        if wrong:
            pytest.fail(f"memgate: {wrong}", pytrace=False)
        if skip:
            return Outcome.SKIPPED, skip
        why = self._why_untraced(item)
        return (Outcome.UNMEASURED if why else None), why

    def _without_tracker(self, item: pytest.Item, call: pytest.CallInfo[None], state: ItemState) -> None:
        """Run a test again untraced if it failed only as it uses memray itself, or may have for want of objects."""
        failure = _failure(item, call)
        if not state.captures:
            return
        if is_nested(failure):
            why = "the test uses memray itself, and a process has only one tracker"
        elif _has_asked(failure) and self._fails_for_want(item, state):
            why = _OLD
        else:
            return
        state.outcome, state.why = Outcome.UNMEASURED, why
        _recorded(item).clear()
        error = run_again(item, state)
        call.excinfo = None if error is None else pytest.ExceptionInfo.from_exception(error)

    def _fails_for_want(self, item: pytest.Item, state: ItemState) -> bool:
        """Say whether a test fails again with all objects hidden: one that fails by chance is not the gate's."""
        recorded = _recorded(item)
        failures = [*recorded]
        recorded.clear()
        state.untraced = True
        error = run_again(item, state)
        state.untraced = False
        recorded[:] = failures
        return error is not None

    def _find_all(self, item: pytest.Item, state: ItemState) -> list[Finding]:
        """Return what was found of a test's times, where it has any, and of its memory."""
        subject = subject_of(item, self._gate.root)
        rules, skip = read_marker(item)
        if skip or not is_benchmark(item):
            unseen = [self._unseen(subject, rules)] if not skip and was_timed(item) else []
            return [*unseen, *self._memory(item, state, subject, rules)]
        times = self._times(item, state, subject, rules)
        if not state.untraced:
            return [*times, *self._memory(item, state, subject, rules)]
        state.untraced = False
        with untimed(item):
            error = None if state.outcome or self._recorder is None else run_again(item, state)
            if error:
                state.outcome, state.why = Outcome.UNMEASURED, f"it failed in its run for memory: {brief(error)}"
            return [*times, *self._memory(item, state, subject, rules)]

    def _own_leak(self, item: pytest.Item, state: ItemState) -> Finding:
        subject = subject_of(item, self._gate.root)
        rules, _ = read_marker(item)
        check = LeakCheck(
            gate=self._gate, subject=subject, metric=MEMORY_LEAK.name, rules=rules, settle=self._update or self._settle
        )
        return answered(subject, check.metric, lambda: [own_leak(check, item, state)])[0]

    def _unseen(self, subject: Subject, rules: Mapping[str, Rule]) -> Finding:
        """Return the finding on times that were taken without anybody having known that they would be."""
        outcome = Outcome.UNMEASURED if is_gated(self._gate, subject, rules) else Outcome.NOT_GATED
        why = "it asked for pytest-benchmark's fixture when it ran: name it among the test's arguments"
        return Finding(subject=subject, metric="time", outcome=outcome, why=why)

    def _times(self, item: pytest.Item, state: ItemState, subject: Subject, rules: Mapping[str, Rule]) -> list[Finding]:
        def again() -> Timing | None:
            with unlisted(item):
                return None if run_again(item, state) else timing_of(item)

        timing = timing_of(item) if state.untraced else None
        if timing:
            return answered(subject, "time", lambda: time_findings(self._gate, subject, timing, rules, again))
        gated = is_gated(self._gate, subject, rules)
        outcome = Outcome.UNMEASURED if gated else Outcome.NOT_GATED
        why = "it did not call pytest-benchmark's fixture" if state.untraced else why_not_timed(item)
        return [Finding(subject=subject, metric="time", outcome=outcome, why=why)]

    def _memory(
        self, item: pytest.Item, state: ItemState, subject: Subject, rules: Mapping[str, Rule]
    ) -> list[Finding]:
        outcome, why = _why_not_judged(state)
        if outcome is None:
            try:
                return self._judged(item, state, subject, rules)
            except BaselineError as error:
                outcome, why = Outcome.UNREADABLE, str(error)
            except MeasureError as error:
                outcome, why = Outcome.UNMEASURED, str(error)
        return [Finding(subject=subject, metric=_METRIC, outcome=outcome, why=why)]

    def _judged(
        self, item: pytest.Item, state: ItemState, subject: Subject, rules: Mapping[str, Rule]
    ) -> list[Finding]:
        def again() -> Again:
            error = self._run_again(item, state)
            if error:
                return Again(None, brief(error))
            capture = state.captures[-1]
            return Again(None, capture.fault) if capture.fault else Again(capture)

        judged = judge_memory(
            self._gate,
            subject,
            rules,
            state.settled or state.captures[0],
            again,
            self._places,
            settle=self._settle,
            tracked=state.tracked,
        )
        return self._with_objects(item, state, [self._with_evidence(finding, capture) for finding, capture in judged])

    def _with_objects(self, item: pytest.Item, state: ItemState, findings: list[Finding]) -> list[Finding]:
        """Return the findings with the shared objects named that grew where no Python frame is, by one more run."""
        unnamed = [one for one in findings if one.outcome.fails_test and is_led_by_unknown(one)]
        if not unnamed or self._update or not self._native_runs:
            return findings
        from pytest_memgate.measure.native import NativeTrace

        self._native_runs -= 1
        trace = NativeTrace()
        state.around = trace.around
        try:
            self._run_again(item, state)
            objects = trace.objects()
        finally:
            state.around = None
            trace.close()
        known = {one.metric: with_objects(one, objects.get(one.metric, {}), self._places) for one in unnamed}
        return [known.get(one.metric, one) for one in findings]

    def _run_again(self, item: pytest.Item, state: ItemState) -> BaseException | None:
        return run_again(item, state)

    def _with_evidence(self, finding: Finding, capture: "Capture") -> Finding:
        """Return a finding as it travels: where it fails its test, with what else helps to find the cause."""
        if finding.outcome.fails_test and not self._update:
            finding = with_packages(finding, self._places)
            if self._keep:
                finding = replace(finding, kept=(str(_kept(self._keep, capture, finding.subject)),))
        if finding.measurement is None:
            return finding
        return replace(finding, measurement=replace(finding.measurement, sites=finding.measurement.sites[:_SITES]))

    def _report(self, item: pytest.Item, report: pytest.TestReport, findings: list[Finding]) -> None:
        put_findings(item, report, findings, instead=PROPERTY, update=self._update)


def _failure(item: pytest.Item, call: pytest.CallInfo[None]) -> BaseException | None:
    """Return what a phase raised; unittest keeps it for itself."""
    recorded = _recorded(item)
    failure = recorded[0] if recorded else call.excinfo
    return failure.value if failure else None


def _has_asked(failure: BaseException | None) -> bool:
    """Say whether a test may have failed for want of objects that are out of the collector's sight."""
    return failure is not None and was_asked() and not isinstance(failure, pytest.skip.Exception)


def _recorded(item: pytest.Item) -> list[pytest.ExceptionInfo[BaseException]]:
    return getattr(item, "_excinfo", None) or []


def _why_not_judged(state: ItemState) -> tuple[Outcome | None, str]:
    """Return why a test's memory gets no verdict, None where it gets one."""
    if state.outcome:
        return state.outcome, state.why
    if state.probed:
        return Outcome.NOT_GATED, f"it measures a {_PROBED[state.probed]}, not itself"
    if not state.captures:
        return Outcome.UNMEASURED, "its runner calls it past pytest_pyfunc_call, where memory is traced"
    if state.captures[0].fault:
        return Outcome.UNMEASURED, state.captures[0].fault
    return None, ""


def _kept(folder: Path, capture: "Capture", subject: Subject) -> Path:
    """Save a capture under a name that the test's own can be told from."""
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", str(subject))[-150:]
    path = folder / f"{readable}-{zlib.crc32(str(subject).encode('utf-8', 'surrogatepass')):08x}.bin"
    capture.save(path)
    return path
