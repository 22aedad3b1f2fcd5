"""Judges a test from its runs: all findings on it come from here, once its first run is over."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_memgate.errors import BaselineError, ConfigError, MeasureError
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.metric import MEMORY_LEAK, MEMORY_PEAK
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.items import is_declared, subject_of
from pytest_memgate.plugin.loop.benchmarks import is_benchmark, is_timed, unlisted, untimed, was_timed, why_not_timed
from pytest_memgate.plugin.loop.first_use import FirstUses
from pytest_memgate.plugin.loop.leftovers import Leftovers
from pytest_memgate.plugin.loop.own_leak import own_leak
from pytest_memgate.plugin.loop.tracing import Tracing
from pytest_memgate.plugin.marker import asks_for_leak, is_tracked, read_marker
from pytest_memgate.plugin.test import Around, Run, RunAgain, Test, brief
from pytest_memgate.tasks.judge.answer import answered
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.judge.leak import LeakCheck
from pytest_memgate.tasks.judge.memory import judge_memory
from pytest_memgate.tasks.judge.packages import is_led_by_unknown, with_objects, with_packages
from pytest_memgate.tasks.judge.times import Timing, is_gated, time_findings
from pytest_memgate.tasks.plans.repeats import Again, carry_out

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.capture import Capture
    from pytest_memgate.measure.memory.shared_tracker import Share

_SITES = 40  # call sites of a measurement that travel on the report; growth is computed from all of them before
_NATIVE_RUNS = 10  # of one process, chosen: each takes long, and usually names a shared object that is named already
_PROBED = {"bundle": "bundle", "web": "page", "memory.leak": "leak"}


class Judge:
    """Judges the tests of one process. With `settle`, values that can be stored are measured, not only bounds."""

    def __init__(
        self,
        gate: Gate,
        tracing: Tracing,
        first_uses: FirstUses,
        leftovers: Leftovers,
        *,
        update: bool,
        settle: bool,
        keep: Path | None,
    ) -> None:
        self._gate = gate
        self._tracing = tracing
        self._first_uses = first_uses
        self._leftovers = leftovers
        self._update = update
        self._settle = settle
        self._keep = keep
        self._places = Places(gate.root)
        self._native_runs = _NATIVE_RUNS

    def ready(self, items: Sequence[pytest.Item]) -> None:
        """Read the baselines of the tests."""
        self._gate.baselines.read_ahead({subject_of(item, self._gate.root).file for item in items})

    def begin(self, item: pytest.Item) -> Test:
        """Return a test that is about to run for the first time."""
        test, skip = Test(item, subject_of(item, self._gate.root)), ""
        try:
            test.rules, skip = read_marker(item)
        except ConfigError as error:
            test.wrong = str(error)
        if skip:
            test.leave_out(skip, Outcome.SKIPPED)
        elif why := self._tracing.why_untraced(item):
            test.leave_out(why)
        test.is_tracked = is_tracked(item) or self._gate.config.tracks(test.subject)
        return test

    def first_run(self, test: Test, share: "Share | None") -> Run:
        """Return the first run of a test, on its own or as a share; a timed run is not traced."""
        run = Run()
        if not (is_timed(test.item) or is_declared(test.item)):
            self._tracing.traced(test, run, share)
        return run

    def begin_run(self, test: Test) -> None:
        """Look at the threads, tasks, processes and files before a run."""
        self._leftovers.begin(test)

    def watch(self, test: Test) -> Around:
        """Return a wrapper that looks at the tasks of a coroutine function."""
        return self._leftovers.looking_at_tasks(test)

    def end_run(self, test: Test) -> None:
        """Look at the threads, tasks, processes and files after a run."""
        self._leftovers.end(test)

    def together(self, tests: Sequence[Test]) -> None:
        """Remember the tests of a group that is judged next.

        Memory first used by background threads cannot be attributed to one of them.
        """
        self._first_uses.together(tests)

    def measure_anew(self, test: Test, why: str, run_again: RunAgain) -> None:
        """Measure a test by a run of its own, because its share of the group's tracker gave no bound."""
        for run in test.runs:
            run.capture = None
        run = self._traced_again(test, run_again)
        if run.failure:
            test.leave_out(f"{why}; {brief(run.failure)}")

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Return all findings on a test, which may have to run again for them."""
        if not test.first.is_called:
            has_no_answer = any(finding.outcome is Outcome.NO_ANSWER for finding in test.findings)
            return test.findings if has_no_answer else []
        findings = list(test.findings)
        if not is_declared(test.item):
            findings += self._of_its_runs(test, run_again)
        test.payment = self._first_uses.payment(test)
        if asks_for_leak(test.item):
            findings.append(self._own_leak(test, run_again))
        return findings + self._leftovers.findings(test, run_again)

    def _of_its_runs(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Return the findings on a test's times, if it has any, and on its memory."""
        if test.outcome is Outcome.SKIPPED or not is_benchmark(test.item):
            unseen = [self._unseen(test)] if test.outcome is not Outcome.SKIPPED and was_timed(test.item) else []
            return [*unseen, *self._memory(test, run_again)]
        times = self._times(test, run_again)
        if not is_timed(test.item):
            return [*times, *self._memory(test, run_again)]
        with untimed(test.item):
            if not test.outcome:
                run = self._traced_again(test, run_again)
                if run.failure:
                    test.leave_out(f"it failed in its run for memory: {brief(run.failure)}")
            return [*times, *self._memory(test, run_again)]

    def _traced_again(self, test: Test, run_again: RunAgain) -> Run:
        run = Run()
        self._tracing.traced(test, run)
        run.is_repeat = True
        run_again(test, run)
        return run

    def _own_leak(self, test: Test, run_again: RunAgain) -> Finding:
        check = LeakCheck(
            gate=self._gate,
            subject=test.subject,
            metric=MEMORY_LEAK.name,
            rules=test.rules,
            settle=self._update or self._settle,
        )

        def run(around: Around) -> BaseException | None:
            again = Run(around=around)
            run_again(test, again)
            return again.failure

        return answered(test.subject, check.metric, lambda: [own_leak(check, test, run)])[0]

    def _unseen(self, test: Test) -> Finding:
        """Return the finding on a test that was timed although nothing had shown beforehand that it would be."""
        outcome = Outcome.UNMEASURED if is_gated(self._gate, test.subject, test.rules) else Outcome.NOT_GATED
        why = "it asked for pytest-benchmark's fixture when it ran: name it among the test's arguments"
        return Finding(subject=test.subject, metric="time", outcome=outcome, why=why)

    def _times(self, test: Test, run_again: RunAgain) -> list[Finding]:
        def again() -> Timing | None:
            run = Run()
            with unlisted(test.item):
                run_again(test, run)
            return None if run.failure else run.timing

        subject, timing = test.subject, test.first.timing
        if timing:
            return answered(subject, "time", lambda: time_findings(self._gate, subject, timing, test.rules, again))
        outcome = Outcome.UNMEASURED if is_gated(self._gate, subject, test.rules) else Outcome.NOT_GATED
        is_on = is_timed(test.item)
        why = "it did not call pytest-benchmark's fixture" if is_on else why_not_timed(test.item)
        return [Finding(subject=subject, metric="time", outcome=outcome, why=why)]

    def _memory(self, test: Test, run_again: RunAgain) -> list[Finding]:
        outcome, why = _why_not_judged(test)
        if outcome is None:
            try:
                return self._judged(test, run_again)
            except BaselineError as error:
                outcome, why = Outcome.UNREADABLE, str(error)
            except MeasureError as error:
                outcome, why = Outcome.UNMEASURED, str(error)
        return [Finding(subject=test.subject, metric=MEMORY_PEAK.name, outcome=outcome, why=why)]

    def _judged(self, test: Test, run_again: RunAgain) -> list[Finding]:
        def again() -> Again:
            run = self._traced_again(test, run_again)
            if run.failure or run.capture is None:
                return Again(None, brief(run.failure) if run.failure else test.why or "it was not traced")
            return Again(None, run.capture.fault) if run.capture.fault else Again(run.capture)

        plan = judge_memory(
            self._gate,
            test.subject,
            test.rules,
            test.settled or test.captures[0],
            self._places,
            settle=self._settle,
            tracked=test.is_tracked,
        )
        judged = carry_out(plan, again)
        return self._with_objects(
            test, run_again, [self._with_evidence(finding, capture) for finding, capture in judged]
        )

    def _with_objects(self, test: Test, run_again: RunAgain, findings: list[Finding]) -> list[Finding]:
        """Return the findings, with shared objects named for memory that no Python frame holds, by one more run."""
        unnamed = [one for one in findings if one.outcome.fails_test and is_led_by_unknown(one)]
        if not unnamed or self._update or not self._native_runs:
            return findings
        from pytest_memgate.measure.memory.native_stacks import NativeTrace

        self._native_runs -= 1
        trace = NativeTrace()
        try:
            run_again(test, Run(around=trace.around))
            objects = trace.objects()
        finally:
            trace.close()
        known = {one.metric: with_objects(one, objects.get(one.metric, {}), self._places) for one in unnamed}
        return [known.get(one.metric, one) for one in findings]

    def _with_evidence(self, finding: Finding, capture: "Capture") -> Finding:
        """Return a finding as it travels; if it fails its test, with packages and files that help to find the cause."""
        if finding.outcome.fails_test and not self._update:
            finding = with_packages(finding, self._places)
            if self._keep:
                finding = replace(finding, kept=(str(_kept(self._keep, capture, finding.subject)),))
        if finding.measurement is None:
            return finding
        return replace(finding, measurement=replace(finding.measurement, sites=finding.measurement.sites[:_SITES]))


def _why_not_judged(test: Test) -> tuple[Outcome | None, str]:
    """Return why a test's memory gets no verdict, None if it gets one."""
    if test.outcome:
        return test.outcome, test.why
    if test.probed:
        return Outcome.NOT_GATED, f"it measures a {_PROBED[test.probed]}, not itself"
    if not test.captures:
        return Outcome.UNMEASURED, "its runner does not call the function that pytest has collected"
    if test.captures[0].fault:
        return Outcome.UNMEASURED, test.captures[0].fault
    return None, ""


def _kept(folder: Path, capture: "Capture", subject: Subject) -> Path:
    """Save a capture in a file named after its test."""
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", str(subject))[-150:]
    path = folder / f"{readable}-{zlib.crc32(str(subject).encode('utf-8', 'surrogatepass')):08x}.bin"
    capture.save(path)
    return path
