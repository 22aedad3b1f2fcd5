"""Measures and judges each test in the process that runs it; the finding travels on the test's report."""

import functools
import inspect
import json
import re
import sys
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.unittest import TestCaseFunction

from pytest_memgate.budget.rule import Rule
from pytest_memgate.compare.gate import needs_rerun
from pytest_memgate.errors import BaselineError, ConfigError
from pytest_memgate.measure.alone import alone
from pytest_memgate.measure.places import Places
from pytest_memgate.model.codec import encode
from pytest_memgate.model.finding import Finding, Outcome
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.metric import MEMORY_LEAK, MEMORY_PEAK
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.again import STATE, ItemState, Phase, brief, finish, remember, run_again
from pytest_memgate.plugin.declared import DeclaredItem
from pytest_memgate.plugin.failure import fail_report
from pytest_memgate.plugin.items import line_of, subject_of
from pytest_memgate.plugin.leaking import own_leak
from pytest_memgate.plugin.marker import asks_for_leak, read_marker
from pytest_memgate.plugin.recorder import answered
from pytest_memgate.plugin.timing import is_benchmark, is_timed, timing_of, unlisted, untimed, was_timed, why_not_timed
from pytest_memgate.tasks.attribute import with_packages
from pytest_memgate.tasks.gate import Gate
from pytest_memgate.tasks.leak import LeakCheck
from pytest_memgate.tasks.settle import Again, measure
from pytest_memgate.tasks.times import Timing, is_gated, time_findings

if TYPE_CHECKING:
    from pytest_memgate.measure.capture import Capture, Recorder

PROPERTY = "memgate."
NOTE = "memgate.note"
_METRIC = MEMORY_PEAK.name
_MEMRAY_MARKERS = ("limit_memory", "limit_leaks", "limit_leaked_objects")
_SITES = 40  # of a measurement travel on the report; growth is told from all of them
_NESTED = "more than one Tracker"
_PROBED = {"bundle": "bundle", "web": "page", "memory.leak": "leak"}


class Measurer:
    """The hooks of one process that runs tests."""

    def __init__(self, gate: Gate, *, update: bool, settle: bool, keep: Path | None, cannot: str) -> None:
        self._gate = gate
        self._update = update
        self._settle = settle
        self._keep = keep
        self._cannot = cannot
        self._places = Places(gate.root)
        self._recorder = None if cannot else _recorder()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        state = item.stash.get(STATE, None)
        if state is None or not state.inside:
            if self._recorder:
                self._recorder.rest()
            state = ItemState()
            state.outcome, state.why = self._left_out(item)
            state.untraced = is_timed(item)
            remember(item, state)
            item.stash[STATE] = state
        state.phase = Phase.SETUP

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        with self._tracing(pyfuncitem, pyfuncitem, "obj"):
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        state = item.stash.get(STATE, None) or ItemState()
        state.phase = Phase.CALL
        try:
            if isinstance(item, DeclaredItem):
                return (yield)
            with alone() if is_timed(item) else nullcontext():
                return (yield from self._call(item))
        finally:
            state.phase = Phase.CALLED

    def _call(self, item: pytest.Item) -> Generator[None, object, object]:
        if isinstance(item, TestCaseFunction):
            # The method alone: setUp and tearDown run in the same call. An async one unittest takes from its instance.
            is_async = inspect.iscoroutinefunction(item.obj)
            with self._tracing(item, *((item._testcase, item.name) if is_async else (item, "obj"))):
                return (yield)
        if isinstance(item, pytest.Function):
            return (yield)  # pytest_pyfunc_call is nearer to the test
        with self._tracing(item, item, "runtest"):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        state = item.stash.get(STATE, None)
        # A subtest has a report of its own, in the midst of the call.
        if call.when != "call" or state is None or state.inside or state.phase is Phase.CALL:
            return (yield)
        try:
            self._without_tracker(item, call, state)
            report = yield
            if report.passed:
                findings = [*state.findings, *([] if isinstance(item, DeclaredItem) else self._find_all(item, state))]
                if asks_for_leak(item):
                    findings.append(self._own_leak(item, state))
                self._report(item, report, findings)
            elif any(finding.outcome is Outcome.NO_ANSWER for finding in state.findings):
                self._report(item, report, state.findings)
        finally:
            state.close()
        return report

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        state = item.stash.get(STATE, None)
        if state is None:
            return (yield)
        state.phase = Phase.TEARDOWN
        if state.inside:
            return (yield)
        if state.runs > 1 and (error := finish(item)):
            # The first run's teardown went well: what an extra run of the test leaves behind is no error of the suite.
            item.user_properties.append((NOTE, f"{item.nodeid}: an extra run could not be torn down: {brief(error)}"))
        result = yield
        if state.late:
            pytest.fail(state.late, pytrace=False)
        if state.teardown_error:
            raise state.teardown_error
        return result

    @contextmanager
    def _tracing(self, item: pytest.Item, owner: object, name: str) -> Iterator[None]:
        """Trace the calls of an attribute, for a while."""
        state = item.stash.get(STATE, None)
        if state and state.around:
            original = getattr(owner, name)
            with _set(owner, name, functools.wraps(original)(state.around(original))):
                yield
            return
        if state and sys.getprofile():
            state.outcome, state.why = Outcome.UNMEASURED, "a profiler is active, whose place memray would take"
        if state is None or state.outcome or state.untraced or self._recorder is None:
            yield
            return

        def refused() -> None:
            state.outcome = Outcome.UNMEASURED
            state.why = "a fixture or plugin holds a memray tracker, and a process has only one"

        traced = self._recorder.traced(getattr(owner, name), state.captures.append, refused)
        with _set(owner, name, traced):
            yield

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
        if self._cannot:
            return Outcome.UNMEASURED, self._cannot
        memray = item.config.pluginmanager.hasplugin("memray") or item.config.pluginmanager.hasplugin("memray_manager")
        if memray and (item.config.getoption("memray", None) or any(map(item.get_closest_marker, _MEMRAY_MARKERS))):
            return (
                Outcome.UNMEASURED,
                "pytest-memray traces it, and a process has only one tracker (run without --memray)",
            )
        return None, ""

    def _without_tracker(self, item: pytest.Item, call: pytest.CallInfo[None], state: ItemState) -> None:
        """Run a test again untraced if it failed only because it uses memray itself."""
        recorded: list[pytest.ExceptionInfo[BaseException]] = getattr(item, "_excinfo", None) or []
        failure = recorded[0] if recorded else call.excinfo
        if not state.captures or failure is None or not _is_nested(failure.value):
            return
        state.outcome, state.why = (
            Outcome.UNMEASURED,
            "the test uses memray itself, and a process has only one tracker",
        )
        recorded.clear()
        error = run_again(item, state)
        call.excinfo = None if error is None else pytest.ExceptionInfo.from_exception(error)

    def _find_all(self, item: pytest.Item, state: ItemState) -> list[Finding]:
        """Return what was found of a test's times, where it has any, and of its memory."""
        subject = subject_of(item, self._gate.root)
        rules, skip = read_marker(item)
        if skip or not is_benchmark(item):
            unseen = [self._unseen(subject, rules)] if not skip and was_timed(item) else []
            return [*unseen, self._find(item, state, subject, rules)]
        times = self._times(item, state, subject, rules)
        if not state.untraced:
            return [*times, self._find(item, state, subject, rules)]
        state.untraced = False
        with untimed(item):
            error = None if state.outcome or self._recorder is None else run_again(item, state)
            if error:
                state.outcome, state.why = Outcome.UNMEASURED, f"it failed in its run for memory: {brief(error)}"
            return [*times, self._find(item, state, subject, rules)]

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
        return Finding(subject=subject, metric="time", outcome=outcome, reason=why)

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
        return [Finding(subject=subject, metric="time", outcome=outcome, reason=why)]

    def _find(self, item: pytest.Item, state: ItemState, subject: Subject, rules: Mapping[str, Rule]) -> Finding:
        finding = Finding(subject=subject, metric=_METRIC, outcome=Outcome.UNMEASURED)
        if state.probed and not state.outcome:
            why = f"it measures a {_PROBED[state.probed]}, not itself"
            return replace(finding, outcome=Outcome.NOT_GATED, reason=why)
        if state.outcome:
            return replace(finding, outcome=state.outcome, reason=state.why)
        if not state.captures:
            return replace(finding, reason="its runner calls it past pytest_pyfunc_call, where memory is traced")
        if state.captures[0].fault:
            return replace(finding, reason=state.captures[0].fault)
        try:
            return self._judged(item, state, subject, rules)
        except BaselineError as error:
            return replace(finding, outcome=Outcome.UNREADABLE, reason=str(error))

    def _judged(self, item: pytest.Item, state: ItemState, subject: Subject, rules: Mapping[str, Rule]) -> Finding:
        bar = self._gate.baselines.bar(subject, _METRIC)
        budget = self._gate.budget(subject, _METRIC, rules)

        def again() -> Again:
            error = run_again(item, state)
            if error:
                return Again(None, brief(error))
            capture = state.captures[-1]
            return Again(None, capture.fault) if capture.fault else Again(capture)

        def is_open(measurement: Measurement) -> bool:
            return self._settle or needs_rerun(measurement, budget, bar)

        measurement, capture = measure(state.captures[0], again, is_open, self._places)
        finding = self._gate.judge(subject, _METRIC, measurement, budget, bar)
        if finding.outcome.fails_test and not self._update:
            finding = with_packages(finding, self._places)
            if self._keep:
                finding = replace(finding, kept=(str(_kept(self._keep, capture, subject)),))
        sites = measurement.sites[:_SITES]
        return replace(finding, measurement=replace(measurement, sites=sites))

    def _report(self, item: pytest.Item, report: pytest.TestReport, findings: list[Finding]) -> None:
        line = line_of(item)
        found = [replace(finding, line=line) for finding in findings]
        kept = [one for one in item.user_properties if not one[0].startswith(PROPERTY)]
        own = [(f"{PROPERTY}{finding.metric}", json.dumps(encode(finding))) for finding in found]
        item.user_properties[:] = [*kept, *own]
        report.user_properties = list(item.user_properties)
        failing = [
            finding
            for finding in found
            if finding.outcome is Outcome.NO_ANSWER or (finding.outcome.fails_gate and not self._update)
        ]
        if failing and report.passed:
            fail_report(report, failing)


@contextmanager
def _set(owner: object, name: str, value: object) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, original)


def _kept(folder: Path, capture: "Capture", subject: Subject) -> Path:
    """Save a capture under a name that the test's own can be told from."""
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", str(subject))[-150:]
    path = folder / f"{readable}-{zlib.crc32(str(subject).encode('utf-8', 'surrogatepass')):08x}.bin"
    capture.save(path)
    return path


def _recorder() -> "Recorder":
    """Load what measures: only where memray loads, too."""
    from pytest_memgate.measure.capture import Recorder

    return Recorder()


def _is_nested(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, RuntimeError) and _NESTED in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
