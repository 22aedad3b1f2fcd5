"""Threads, tasks, processes and files that outlive a test: there after its teardown, and not before its setup.

The gate looks before the test's setup and when its function-scoped fixtures are gone, while the wider ones still live:
the same moments in any order of the tests. A leftover is confirmed by running the test again right then.
"""

from collections.abc import Callable, Generator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_memgate.budget.rule import Budget
from pytest_memgate.compare.judge import ceiling, needs_rerun
from pytest_memgate.errors import BaselineError
from pytest_memgate.measure.python.original_functions import real_world
from pytest_memgate.measure.resources.asyncio_tasks import let_end, on_closing, pending
from pytest_memgate.measure.resources.origins import Origins, sites
from pytest_memgate.measure.resources.snapshot import KINDS, Left, alive, changed, left, settled, unseen
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Cause
from pytest_memgate.model.judgement.reference import Bar
from pytest_memgate.model.measurement import Basis
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.items import is_declared
from pytest_memgate.plugin.loop.benchmarks import is_benchmark, untimed
from pytest_memgate.plugin.loop.observers.observer import Observer
from pytest_memgate.plugin.loop.observers.watch import Watch, looking_at_tasks
from pytest_memgate.plugin.test import Around, Run, RunAgain, Test
from pytest_memgate.tasks.judge.gate import Gate

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_GRACE = 0.3  # seconds for something that is just ending; chosen: docs/concepts.md, "What outlives a test"
_FAMILY = "leftover"
_WATCH = pytest.StashKey[Watch]()
_FINDINGS = pytest.StashKey[list[Finding] | None]()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One kind of leftover of one test, with its budget and bar."""

    kind: str
    budget: Budget
    bar: Bar

    @property
    def metric(self) -> str:
        """The name of its metric: `leftover.threads`."""
        return f"{_FAMILY}.{self.kind}"

    @property
    def top(self) -> float:
        """The largest number that the budget allows."""
        top = ceiling(self.budget, self.bar.reference)
        return 0 if top is None or self.bar.reference is None else top


class Leftovers(Observer):
    """Looks at what is alive before and after each run of a test, and judges what outlives it."""

    family = _FAMILY

    def __init__(self, gate: Gate, *, settle: bool) -> None:
        self._gate = gate
        self._settle = settle
        self._places = Places(gate.root)
        self._unseen = unseen()
        self._watch = Watch()
        self._release: Callable[[], None] | None = None

    def pytest_report_header(self) -> str | None:
        """Return a line on the kinds that cannot be seen on this system, None if all can."""
        return (
            f"memgate: left behind {' and '.join(self._unseen)} are not seen on this system" if self._unseen else None
        )

    def pytest_unconfigure(self) -> None:
        """Let go of the hook on closing loops."""
        if self._release:
            self._release()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Charge anything that a wider fixture starts to the fixture, not to the test that needed it first."""
        __tracebackhide__ = True
        watch = self._watch
        if fixturedef.scope == "function" or not watch.is_open:
            return (yield)
        before = alive()
        watch.is_open = False
        try:
            return (yield)
        finally:
            watch.is_open = True
            watch.before = changed(watch.before, before, alive())

    def before(self, test: Test) -> None:
        """Look at what is there before a run: that outlives no test."""
        if not test.run.is_repeat:
            test.item.stash[_WATCH] = Watch()
            test.item.stash[_FINDINGS] = None
        watch = self._watch = _watch_of(test)
        self._release = self._release or on_closing(self._closing)
        watch.before = alive()
        watch.is_open = True

    def after(self, test: Test) -> None:
        """Look at what a run has left that has passed so far, once its fixtures are gone."""
        watch = _watch_of(test)
        watch.is_open = False
        if test.first.is_called:
            self._note(test, watch)
        watch.unfinished, watch.pending = set(), set()

    def around(self, test: Test) -> Around:
        """Return what lets a test's coroutine function tell which tasks are pending when it returns."""
        return partial(looking_at_tasks, watch=_watch_of(test))

    def early(self, test: Test, run_again: RunAgain) -> None:
        """Confirm leftovers before the next test of a group begins: what ends meanwhile would be taken for replaced."""
        if test.first.is_called and any(map(_watch_of(test).most, KINDS)):
            with real_world():
                test.item.stash[_FINDINGS] = self._findings(test, run_again)

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Return the findings on what a test has left, or would have been expected to leave: nearly always none."""
        findings = test.item.stash.get(_FINDINGS, None)
        return self._findings(test, run_again) if findings is None else findings

    def _findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        watch, subject = _watch_of(test), test.subject
        is_left = any(map(watch.most, KINDS)) if watch.runs else False
        try:
            stored = self._gate.baselines.stored(subject, _FAMILY)
            if not watch.runs or not (stored or is_left):
                return []
            if is_declared(test.item) or test.probed or test.outcome is Outcome.SKIPPED:
                outcome = test.outcome or Outcome.NOT_GATED
                why = test.why or "it measures a bundle or page, not itself"
                left_out = Finding(subject=subject, metric=_FAMILY, outcome=outcome, why=why)
                return [left_out] if stored else []
            cases = [case for case in self._cases(test) if case.metric in stored or watch.most(case.kind)]
        except BaselineError as error:
            unreadable = Finding(subject=subject, metric=_FAMILY, outcome=Outcome.UNREADABLE, why=str(error))
            return [unreadable] if is_left else []
        failure: BaseException | None = None
        while failure is None and any(self._is_open(case, watch) for case in cases):
            failure = self._run_again(test, run_again)
        real = [case for case in cases if case.metric in stored or watch.is_real(case.kind)]
        return [self._finding(subject, case, watch, failure) for case in real]

    def _closing(self, loop: "AbstractEventLoop") -> None:
        """Note the tasks that a loop cancels as it is closed; in a confirming run, they get time to end first."""
        watch = self._watch
        if not watch.is_open:
            return
        if watch.origins:
            let_end(loop, pending(loop), watch.grace)
        watch.unfinished |= pending(loop)

    def _note(self, test: Test, watch: Watch) -> None:
        """Count what the run that has just ended has left."""
        cases: list[_Case] = []

        def is_fine(found: Left) -> bool:
            if not any(map(found.count, KINDS)):
                return True
            if not cases:
                cases.extend(self._cases(test))
            return all(found.count(case.kind) <= (0 if self._settle else case.top) for case in cases)

        def look() -> Left:
            found = left(watch.before, alive())
            tasks = (*watch.unfinished, *(task for task in watch.pending if not task.done()))
            return Left(new={**found.new, "tasks": tasks}, gone={**found.gone, "tasks": watch.ended})

        if watch.origins:
            for loop in {task.get_loop() for task in watch.pending}:
                let_end(loop, [task for task in watch.pending if task.get_loop() is loop], watch.grace)
        found = settled(look, is_fine, watch.grace if watch.origins else _GRACE)
        if watch.origins:
            watch.named[len(watch.runs)] = {
                kind: sites(kind, found.new.get(kind, ()), watch.origins, self._places) for kind in KINDS
            }
        # Nothing shall be held alive by the count of it.
        watch.runs.append(Left(new={**found.new, "tasks": (None,) * len(found.new["tasks"])}, gone=found.gone))

    def _cases(self, test: Test) -> list[_Case]:
        return [
            _Case(
                kind=kind,
                budget=self._gate.budget(test.subject, f"{_FAMILY}.{kind}", test.rules),
                bar=self._gate.baselines.bar(test.subject, f"{_FAMILY}.{kind}"),
            )
            for kind in KINDS
            if kind not in self._unseen
        ]

    def _is_open(self, case: _Case, watch: Watch) -> bool:
        values = {watch.least(case.kind), watch.most(case.kind)} - {0}
        if not values or watch.is_decided(case.kind):
            return False
        bounds = (replace(watch.bound(case.kind), value=value) for value in values)
        return self._settle or any(needs_rerun(bound, case.budget, case.bar) for bound in bounds)

    def _run_again(self, test: Test, run_again: RunAgain) -> BaseException | None:
        """Run the test once more, untraced, and note where what it leaves was started."""
        watch, run = _watch_of(test), Run()
        runs = len(watch.runs)
        watch.origins = Origins()
        run.within = watch.origins.recording()
        try:
            with untimed(test.item) if is_benchmark(test.item) else nullcontext():
                run_again(test, run)
        finally:
            watch.origins = None
        if run.failure:
            del watch.runs[runs:]
        return run.failure

    def _finding(self, subject: Subject, case: _Case, watch: Watch, error: BaseException | None) -> Finding:
        measurement = watch.measured(case.kind, is_done=error is None)
        finding = self._gate.judge(subject, case.metric, measurement, case.budget, case.bar)
        is_bound = error and measurement.basis is Basis.BOUND and measurement.value
        if is_bound and finding.outcome in {Outcome.REGRESSED, Outcome.DRIFTED, Outcome.UNSTABLE}:
            return replace(
                finding,
                outcome=Outcome.PASSED,
                over=None,
                doubt=None,
                cause=Cause.ONLY_FIRST_RUN,
                why=type(error).__name__,
            )
        return finding


def _watch_of(test: Test) -> Watch:
    """Return what is known of a test's runs: nothing where another plugin has run nothing."""
    return test.item.stash.setdefault(_WATCH, Watch())
