"""What outlives a test: threads, tasks, processes and files that are there after its teardown, and were not before it.

A test is looked at before its setup and when its function-scoped fixtures are gone, while the wider ones still live:
the same moment in any order of the tests. Whatever is left is confirmed by running the test again at that very moment.
"""

import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

from pytest_memgate.budget.rule import Budget
from pytest_memgate.compare.gate import ceiling, needs_rerun
from pytest_memgate.errors import BaselineError
from pytest_memgate.measure.leftover import KINDS, Alive, Left, alive, changed, left, settled, unseen
from pytest_memgate.measure.origins import Origins, sites
from pytest_memgate.measure.pending import let_end, on_closing, pending
from pytest_memgate.measure.places import Places
from pytest_memgate.measure.world import real_world
from pytest_memgate.model.finding import Finding, Outcome
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.reason import Cause
from pytest_memgate.model.reference import Bar
from pytest_memgate.model.remark import Remark, RemarkKind
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.again import STATE, ItemState, run_apart
from pytest_memgate.plugin.declared import DeclaredItem
from pytest_memgate.plugin.failure import LATE, put_findings
from pytest_memgate.plugin.items import subject_of
from pytest_memgate.plugin.marker import read_marker
from pytest_memgate.plugin.timing import is_benchmark, untimed
from pytest_memgate.tasks.gate import Gate

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

_GRACE = 0.3  # seconds for what is just ending
_PATIENCE = 2.0  # seconds, once runs differ: what ends so late is not left behind
_WARM = 2  # runs that must leave it again
_CALM = 3  # runs in a row that must not leave what others have left
_FAMILY = "leftover"


@dataclass(slots=True)
class Watch:
    """What is known of a test's runs: what was there before the present one, and what each has left.

    `is_open` from the setup to the end of the teardown, but for the setup of a wider fixture. `unfinished` are tasks
    that a loop had to cancel when it was closed; `pending` those there when the test's coroutine returned, and how many
    of those before it had ended by then. `origins` says where things were started, in a run that records it.
    """

    before: Alive = field(default_factory=dict)
    runs: list[Left] = field(default_factory=list)
    named: dict[int, Mapping[str, tuple[Site, ...]]] = field(default_factory=dict)  # by run
    unfinished: "set[Task[Any]]" = field(default_factory=set)
    pending: "set[Task[Any]]" = field(default_factory=set)
    ended: int = 0
    is_open: bool = False
    passed: bool = False
    origins: Origins | None = None
    findings: list[Finding] = field(default_factory=list)

    def counts(self, kind: str) -> list[int]:
        """Return what each run has left."""
        return [run.count(kind) for run in self.runs]

    def least(self, kind: str) -> int:
        """Return what every run has left: more than that is not left each time."""
        return min(self.counts(kind))

    def most(self, kind: str) -> int:
        """Return the most that a run has left, which the first one alone may: a pool that starts when it is needed."""
        return max(self.counts(kind))

    def differs(self, kind: str) -> bool:
        """Return True if further runs have left it, and not each of them, or not the first."""
        return max(self.counts(kind)[1:], default=0) > self.least(kind)

    def is_unstable(self, kind: str) -> bool:
        """Return True if runs differ, and one left it that had long enough to end it, where another left less."""
        counts = self.counts(kind)
        return any(run in self.named and counts[run] > min(counts[:run]) for run in range(1, len(counts)))

    def is_decided(self, kind: str) -> bool:
        counts = self.counts(kind)
        if not self.differs(kind):
            return len(counts) > _WARM and (bool(self.named) or not self.least(kind))
        return self.is_unstable(kind) or counts[-_CALM:] == [self.least(kind)] * _CALM

    @property
    def grace(self) -> float:
        """Return the seconds for what is just ending."""
        return _PATIENCE if any(len(set(self.counts(kind))) > 1 for kind in KINDS if self.runs) else _GRACE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One kind of leftover of one test, and what it is held against."""

    kind: str
    budget: Budget
    bar: Bar

    @property
    def metric(self) -> str:
        return f"{_FAMILY}.{self.kind}"

    @property
    def top(self) -> float:
        top = ceiling(self.budget, self.bar.reference)
        return 0 if top is None or self.bar.reference is None else top


WATCH = pytest.StashKey[Watch]()


class Leftovers:
    """The hooks of one process that runs tests."""

    def __init__(self, gate: Gate, *, update: bool, settle: bool) -> None:
        self._gate = gate
        self._update = update
        self._settle = settle
        self._places = Places(gate.root)
        self._unseen = unseen()
        self._watch: Watch | None = None
        self._release: Callable[[], None] | None = None

    def pytest_report_header(self) -> str | None:
        return (
            f"memgate: left behind {' and '.join(self._unseen)} are not seen on this system" if self._unseen else None
        )

    def pytest_unconfigure(self) -> None:
        if self._release:
            self._release()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        __tracebackhide__ = True
        state = item.stash.get(STATE, None)
        if state is None or not state.inside:
            item.stash[WATCH] = Watch()
        watch = self._watch = item.stash[WATCH]
        self._release = self._release or on_closing(self._closing)
        watch.before = self._look()
        watch.is_open = True
        try:
            return (yield)
        finally:
            stack = item.session._setupstate.stack
            if item in stack:  # first in the list, it is called last: when all fixtures of the item are gone
                stack[item][0].insert(0, lambda: self._torn_down(item, watch))

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Let what a wider fixture starts be the fixture's, not that of the test that needed it first."""
        __tracebackhide__ = True
        watch = self._watch
        if fixturedef.scope == "function" or watch is None or not watch.is_open:
            return (yield)
        before = self._look()
        watch.is_open = False
        try:
            return (yield)
        finally:
            watch.is_open = True
            watch.before = changed(watch.before, before, self._look())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        watch = item.stash.get(WATCH, None)
        if watch is None or not isinstance(item, pytest.Function) or not inspect.iscoroutinefunction(item.obj):
            return (yield)
        original = item.obj
        item.obj = _looking_at_tasks(original, watch)
        try:
            return (yield)
        finally:
            item.obj = original

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        state, watch = item.stash.get(STATE, None), item.stash.get(WATCH, None)
        if watch is None or (state and state.inside):
            return report
        if call.when == "call":
            watch.passed = report.passed
        elif call.when == "teardown" and report.passed and watch.findings:
            put_findings(item, report, watch.findings, instead=LATE, update=self._update)
        return report

    def _look(self) -> Alive:
        with real_world():
            return alive()

    def _closing(self, loop: "AbstractEventLoop") -> None:
        """Note the tasks that a loop cancels as it is closed; in a run that confirms them, they have time to end."""
        watch = self._watch
        if watch is None or not watch.is_open:
            return
        if watch.origins:
            let_end(loop, pending(loop), watch.grace)
        watch.unfinished |= pending(loop)

    def _torn_down(self, item: pytest.Item, watch: Watch) -> None:
        watch.is_open = False
        state = item.stash[STATE]
        if state.inside or watch.passed:
            self._note(item, watch)
        watch.unfinished, watch.pending = set(), set()
        if watch.passed and not state.inside:
            watch.findings = self._judged(item, state, watch)

    def _note(self, item: pytest.Item, watch: Watch) -> None:
        """Note what the run that has just ended has left."""
        cases: list[_Case] = []

        def is_fine(found: Left) -> bool:
            if not any(map(found.count, KINDS)):
                return True
            if not cases:
                cases.extend(self._cases(item))
            return all(found.count(case.kind) <= (0 if self._settle else case.top) for case in cases)

        def look() -> Left:
            found = left(watch.before, self._look())
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

    def _judged(self, item: pytest.Item, state: ItemState, watch: Watch) -> list[Finding]:
        """Return the findings on what a test has left, or would have been expected to leave: nearly always none."""
        subject = subject_of(item, self._gate.root)
        is_left = any(map(watch.most, KINDS))
        try:
            stored = self._gate.baselines.stored(subject, _FAMILY)
            if not stored and not is_left:
                return []
            if isinstance(item, DeclaredItem) or state.probed or state.outcome is Outcome.SKIPPED:
                outcome = state.outcome or Outcome.NOT_GATED
                why = state.why or "it measures a bundle or page, not itself"
                left_out = Finding(subject=subject, metric=_FAMILY, outcome=outcome, why=why)
                return [left_out] if stored else []
            cases = [case for case in self._cases(item) if case.metric in stored or watch.most(case.kind)]
        except BaselineError as error:
            unreadable = Finding(subject=subject, metric=_FAMILY, outcome=Outcome.UNREADABLE, why=str(error))
            return [unreadable] if is_left else []
        failure: BaseException | None = None
        while failure is None and any(self._is_open(case, watch) for case in cases):
            failure = self._run_again(item, state, watch)
        real = [case for case in cases if case.metric in stored or _is_real(case, watch)]
        return [self._finding(subject, case, watch, failure) for case in real]

    def _cases(self, item: pytest.Item) -> list[_Case]:
        subject = subject_of(item, self._gate.root)
        rules, _ = read_marker(item)
        return [
            _Case(
                kind=kind,
                budget=self._gate.budget(subject, f"{_FAMILY}.{kind}", rules),
                bar=self._gate.baselines.bar(subject, f"{_FAMILY}.{kind}"),
            )
            for kind in KINDS
            if kind not in self._unseen
        ]

    def _is_open(self, case: _Case, watch: Watch) -> bool:
        values = {watch.least(case.kind), watch.most(case.kind)} - {0}
        if not values or watch.is_decided(case.kind):
            return False
        bounds = (replace(_bound(case, watch), value=value) for value in values)
        return self._settle or any(needs_rerun(bound, case.budget, case.bar) for bound in bounds)

    def _run_again(self, item: pytest.Item, state: ItemState, watch: Watch) -> BaseException | None:
        """Run the test once more, untraced, and note where what it leaves was started."""
        state.untraced = True
        runs = len(watch.runs)
        watch.origins = Origins()
        try:
            with untimed(item) if is_benchmark(item) else nullcontext(), watch.origins.recording():
                error = run_apart(item, state)
        finally:
            watch.origins = None
        if error:
            del watch.runs[runs:]
        return error

    def _finding(self, subject: Subject, case: _Case, watch: Watch, error: BaseException | None) -> Finding:
        measurement = _measured(case, watch, is_done=error is None)
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


def _bound(case: _Case, watch: Watch) -> Measurement:
    first = watch.runs[0].count(case.kind)
    return Measurement(value=watch.least(case.kind), basis=Basis.BOUND, cold=first)


def _is_real(case: _Case, watch: Watch) -> bool:
    return bool(watch.least(case.kind)) or watch.is_unstable(case.kind)


def _measured(case: _Case, watch: Watch, *, is_done: bool) -> Measurement:
    """Return what a test leaves: what each run has left or, where further runs differ, all that one of them has."""
    counts, bound = watch.counts(case.kind), _bound(case, watch)
    if watch.is_unstable(case.kind):
        run = max(watch.named, key=lambda run: counts[run])
        return replace(
            bound,
            value=max(counts[1:]),
            basis=Basis.WARM,
            warm=tuple(counts[1:]),
            spread=max(counts[1:]) - min(counts),
            settled=True,
            sites=watch.named[run][case.kind],
        )
    if is_done and (not bound.value or watch.is_decided(case.kind)):
        named = min(watch.named, key=lambda run: counts[run], default=None)
        return Measurement(
            value=bound.value,
            basis=Basis.EXACT,
            settled=True,
            sites=watch.named[named][case.kind] if named is not None and bound.value else (),
            remarks=(Remark(kind=RemarkKind.RUNS, amounts=tuple(counts)),) if counts[1:] else (),
        )
    return bound


def _looking_at_tasks(function: Callable[..., Any], watch: Watch) -> Callable[..., Any]:
    """Return a test's coroutine function that tells which tasks are pending when it returns."""

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        before = pending()
        try:
            return await function(*args, **kwargs)
        finally:
            watch.pending = pending() - before
            watch.ended = sum(task.done() for task in before)

    return call
