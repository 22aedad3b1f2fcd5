"""What the runs of a test need of memory: its peak, what it retains, and more where each allocation is counted."""

import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_memgate.errors import BaselineError, MeasureError
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.metric import MEMORY_PEAK
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.items import is_declared
from pytest_memgate.plugin.loop.benchmarks import is_timed, untimed
from pytest_memgate.plugin.loop.first_use import FirstUses
from pytest_memgate.plugin.loop.observers.observer import Observer
from pytest_memgate.plugin.loop.tracing import Tracing
from pytest_memgate.plugin.test import Run, RunAgain, Test, brief
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.judge.memory import judge_memory
from pytest_memgate.tasks.judge.packages import is_led_by_unknown, with_objects, with_packages
from pytest_memgate.tasks.plans.repeats import Again, carry_out

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.capture import Capture
    from pytest_memgate.measure.memory.shared_tracker import Share

_SITES = 40  # of a measurement travel on the report; growth is told from all of them
_NATIVE_RUNS = 10  # of a process: each is slow, and names what the ones before have named


class Memory(Observer):
    """Judges what was traced of a test's calls. `settle` asks for values that can be stored, where bounds would do."""

    family = "memory"

    def __init__(
        self,
        gate: Gate,
        tracing: Tracing,
        first_uses: FirstUses,
        *,
        update: bool,
        settle: bool,
        keep: Path | None,
    ) -> None:
        self._gate = gate
        self._tracing = tracing
        self._first_uses = first_uses
        self._update = update
        self._settle = settle
        self._keep = keep
        self._places = Places(gate.root)
        self._native_runs = _NATIVE_RUNS

    def first_run(self, test: Test, share: "Share | None") -> Run:
        """Return the first run of a test, on its own or as a share; one that is timed is not traced meanwhile."""
        run = Run()
        if not (is_timed(test.item) or is_declared(test.item)):
            self._tracing.traced(test, run, share)
        return run

    def measure_anew(self, test: Test, why: str, run_again: RunAgain) -> None:
        """Let a run of its own be a test's first one: what it had in common with others says nothing."""
        for run in test.runs:
            run.capture = None
        run = self._traced_again(test, run_again)
        if run.failure:
            test.leave_out(f"{why}; {brief(run.failure)}")

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        if is_declared(test.item):
            return []
        findings = self._beside_times(test, run_again) if is_timed(test.item) else self._memory(test, run_again)
        outside = self._first_uses.outside
        if outside.wants_another_run(test.item):
            run_again(test, Run())  # if that fails, nothing more is known
            outside.forget(test.item)
        test.payment = self._first_uses.payment(test)
        return findings

    def _beside_times(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Return the findings on a test whose first run was timed, and therefore not traced."""
        with untimed(test.item):
            if not test.outcome:
                run = self._traced_again(test, run_again)
                if run.failure:
                    test.leave_out(f"it failed in its run for memory: {brief(run.failure)}")
            return self._memory(test, run_again)

    def _traced_again(self, test: Test, run_again: RunAgain) -> Run:
        run = Run()
        self._tracing.traced(test, run)
        run.is_repeat = True
        run_again(test, run)
        return run

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
        def again() -> "Again[Capture]":
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
        """Return the findings with the shared objects named that grew where no Python frame is, by one more run."""
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
        """Return a finding as it travels: where it fails its test, with what else helps to find the cause."""
        if finding.outcome.fails_test and not self._update:
            finding = with_packages(finding, self._places)
            if self._keep:
                finding = replace(finding, kept=(str(_kept(self._keep, capture, finding.subject)),))
        if finding.measurement is None:
            return finding
        return replace(finding, measurement=replace(finding.measurement, sites=finding.measurement.sites[:_SITES]))


def _why_not_judged(test: Test) -> tuple[Outcome | None, str]:
    """Return why a test's memory gets no verdict, None where it gets one."""
    if test.outcome:
        return test.outcome, test.why
    if test.probed:
        return Outcome.NOT_GATED, f"it measures a {test.probed}, not itself"
    if not test.captures:
        return Outcome.UNMEASURED, "its runner does not call the function that pytest has collected"
    if test.captures[0].fault:
        return Outcome.UNMEASURED, test.captures[0].fault
    return None, ""


def _kept(folder: Path, capture: "Capture", subject: Subject) -> Path:
    """Save a capture under a name that the test's own can be told from."""
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", str(subject))[-150:]
    path = folder / f"{readable}-{zlib.crc32(str(subject).encode('utf-8', 'surrogatepass')):08x}.bin"
    capture.save(path)
    return path
