"""Settles several consecutive tests by one tracker: their reports wait until it has stopped.

A group is of tests that share every fixture but those of their own, so that each can be measured again, with fresh
fixtures of its own, before the wider ones are torn down: where the group's peak leaves one of them open.
"""

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol

from pytest_memgate.measure.heap import freeze
from pytest_memgate.model.finding import Finding, Outcome
from pytest_memgate.model.metric import MEMORY_PEAK
from pytest_memgate.plugin.again import STATE, ItemState, brief
from pytest_memgate.plugin.apart import Apart
from pytest_memgate.plugin.failure import LATE
from pytest_memgate.plugin.items import subject_of
from pytest_memgate.plugin.measurer import Measurer
from pytest_memgate.plugin.timing import is_benchmark
from pytest_memgate.plugin.waiting import Waiting
from pytest_memgate.tasks.grouping import Known, Outlook, known

if TYPE_CHECKING:
    from pytest_memgate.measure.span import Share, Span

_PATIENCE = 1.0  # seconds until a group is closed: reports wait that long, and one more test
_SLOW = 0.2  # seconds: running such a test once more, should its bound not settle it, costs more than a tracker
_WORTH = 2  # tests that one tracker is quicker for
_NOT_NOW = Apart(None, "its group is closed")
_DIED = "its worker died while it waited for the tests that are measured together with it"


@dataclass(slots=True)
class _Member:
    """A test of a group: what is known of it, its part of the tracker, its reports and what was found of it."""

    item: pytest.Item
    known: Known
    share: "Share"
    reports: list[pytest.TestReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def state(self) -> ItemState | None:
        state = self.item.stash.get(STATE, None)
        return state if state and state.share is self.share else None

    @property
    def is_left_open(self) -> bool:
        """Say whether its bound is known, and does not settle it."""
        was_traced = self.state is not None and self.share in self.state.captures
        return was_traced and not self.share.fault and not self.is_settled_by(self.share)

    def is_settled_by(self, share: "Share") -> bool:
        return not share.fault and share.peak <= self.known.room and share.retained <= self.known.held_room


@dataclass(slots=True)
class _Group:
    """The tests under one tracker, which is stopped once the group is closed; those that run again have others."""

    span: "Span"
    scope: object
    members: list[_Member] = field(default_factory=list)
    is_closed: bool = False
    started: float = field(default_factory=time.perf_counter)
    again: "list[Span]" = field(default_factory=list)

    @property
    def tests(self) -> list[Known]:
        return [member.known for member in self.members]

    def close(self) -> None:
        for span in (self.span, *self.again):
            span.close()


class Groups(Measurer):
    """The hooks of one process that settles by bounds what they settle; all else is measured test by test."""

    def __init__(self, config: pytest.Config, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._reports = Waiting(config)
        self._outlook = Outlook()
        self._group: _Group | None = None
        self._nextitem: pytest.Item | None = None
        self._apart = _NOT_NOW
        self._known: dict[pytest.Item, Known | None] = {}
        self._starting: set[object] = set()  # functions that start processes
        self._began = 0.0
        self._took = 0.0  # seconds, of the last test

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a test under one tracker with those before and behind it, where there are such; its reports wait.

        What the gate itself does between two tests counts as done by the earlier one: for the later it was there.
        """
        group = self._group or self._begun(item, nextitem)
        test = self._know(item)
        if group and test is None:
            self._give_up(group, "another test came in between")
        if group is None or test is None:
            self._known.pop(item, None)
            return None
        look = group.members[-1].share.running(self._following) if group.members else self._following
        following = look(group, test, nextitem)
        known = [*group.tests, test, *following]
        probe = self._outlook.probe_size(known, len(group.members)) if self._sees_all() else 0
        member = _Member(item, test, group.span.share(probe))
        group.members.append(member)
        self._group, self._nextitem = group, nextitem
        member.share.is_last = not following
        try:
            member.reports = self._run(member, nextitem)
        except BaseException:
            group.members.remove(member)
            self._give_up(group, "the run was interrupted")
            raise
        state = member.state
        doubtful = state is not None and (state.nested or state.asked)
        if doubtful:
            group.members.remove(member)
        if doubtful or member.share.is_last or item.session.shouldfail or item.session.shouldstop:
            self._give_up(group, "the run was stopped")
        elif group.is_closed:
            self._tell(group)
        else:
            member.share.running(self._hold)(member)
        if state and doubtful:
            self._reports.tell(item, self._run_alone(member, state, nextitem))
        return True

    def _run(self, member: _Member, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
        """Run a test, not on a level above that on which the tracker started: memray would not know of its frame."""
        return member.share.running(runtestprotocol)(member.item, log=False, nextitem=nextitem)

    def _run_alone(self, member: _Member, first: ItemState, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
        """Return the reports of a test that may have failed for what the gate does: its first ones, if by chance."""
        freeze()  # what its first run has made was there before it
        reports = runtestprotocol(member.item, log=False, nextitem=nextitem)
        is_of_the_gate = first.nested or member.item.stash[STATE].outcome
        return reports if is_of_the_gate or any(report.failed for report in reports) else member.reports

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Tell of the tests that still wait where the run ends before its last test."""
        for item in session.items:
            _ = item.location  # pytest keeps it: not while a test has replaced `os.name`, nor under a tracker
        try:
            return (yield)
        finally:
            if self._group:
                self._give_up(self._group, "the run was stopped")

    def _begun(self, item: pytest.Item, nextitem: pytest.Item | None) -> _Group | None:
        test = self._know(item) if self._took < _SLOW else None
        following = self._know(nextitem) if nextitem and test and _scope(nextitem) == _scope(item) else None
        if self._recorder is None or test is None or following is None or not self._outlook.settles([test, following]):
            return None
        span = self._recorder.span()
        # Not from a function of its own: it would be further in than the frames by which a stack shows where it passed.
        if span is None or not span.start():
            return None  # without a group, the reason is told of each test
        return _Group(span, _scope(item))

    def _following(self, group: _Group, test: Known, nextitem: pytest.Item | None) -> list[Known]:
        """Return what is known of the next test, if it is to follow `test` in a group."""
        is_over = self._took > _SLOW or time.perf_counter() - group.started > _PATIENCE
        if is_over or nextitem is None or _scope(nextitem) != group.scope:
            return []
        following = self._know(nextitem)
        return [following] if following and self._outlook.settles([*group.tests, test, following]) else []

    def _know_next(self, group: _Group) -> bool:
        return bool(self._nextitem and _scope(self._nextitem) == group.scope and self._know(self._nextitem))

    def _sees_all(self) -> bool:
        return self._recorder is not None and self._recorder.sees_all

    def _know(self, item: pytest.Item) -> Known | None:
        if item not in self._known:
            self._known[item] = None if self._is_alone(item) else known(self._gate, subject_of(item, self._gate.root))
        alone = _function(item) in self._starting or _sets_up_wider_fixtures(item)
        return None if alone else self._known[item]

    def _is_alone(self, item: pytest.Item) -> bool:
        """Say whether a test is measured on its own, whatever its baseline says."""
        if not isinstance(item, (pytest.Function, pytest.DoctestItem)) or any(item.iter_markers("memgate")):
            return True
        measures = "memgate" in getattr(item, "fixturenames", ()) or is_benchmark(item)
        tracked = self._gate.config.tracks(subject_of(item, self._gate.root))
        return measures or tracked or bool(self._why_untraced(item)) or _is_run_by_another(item)

    def _begin(self, item: pytest.Item, state: ItemState) -> None:
        super()._begin(item, state)
        self._began = time.perf_counter()
        member = self._group.members[-1] if self._group else None
        if member and member.item is item:
            state.share = member.share

    def _before_teardown(self, item: pytest.Item) -> None:
        self._took = time.perf_counter() - self._began
        group = self._group
        if group is None or group.members[-1].item is not item:
            return
        member = group.members[-1]
        if member.share.started_processes:
            self._starting.add(_function(item))
        failed = member.state is not None and member.state.failed
        if member.share.is_last or failed or not self._know_next(group):
            self._close(group, Apart(item))

    def _close(self, group: _Group, apart: Apart) -> None:
        """Stop the tracker and judge each test of the group, which is run again where the bound leaves it open."""
        group.is_closed = True
        self._group = None
        self._apart = apart
        group.span.stop()
        members = [member for member in group.members if member.state and member.state.passed]
        if kept := group.span.tighten(lambda: all(member.is_settled_by(member.share) for member in members)):
            self._outlook.learn(kept)
        waiting = [member for member in members if member.is_left_open]
        if apart.is_possible:
            half = (len(waiting) + 1) // 2
            self._settle_together(group, waiting[:half])
            self._settle_together(group, waiting[half:])
        self._first_uses.together([member.item for member in waiting])
        for member in members:
            state = member.item.stash[STATE]
            if member.share.fault:
                self._measure_anew(member, state)
            member.findings = [*state.findings, *self._found(member.item, state)]
            state.close()
        self._apart = _NOT_NOW

    def _settle_together(self, group: _Group, members: list[_Member]) -> None:
        """Run tests again under one tracker: what the first run of one of them paid for is over."""
        if len(members) < _WORTH or self._recorder is None:
            return
        self._apart.ready()
        span = self._recorder.span()
        if span is None or not span.start():  # a wider fixture has one by now
            return
        group.again.append(span)
        known = [member.known for member in members]
        for number, member in enumerate(members):
            state = member.item.stash[STATE]
            share = state.share = span.share(self._outlook.probe_size(known, number) if self._sees_all() else 0)
            share.is_last = member is members[-1]
            error = share.running(self._apart)(member.item, state)
            if error:
                share.fault = brief(error)
            state.share = member.share
        span.stop()
        span.tighten(lambda: all(map(_Member.is_settled_by, members, span.shares)))
        for member, share in zip(members, span.shares, strict=True):
            state = member.item.stash[STATE]
            if member.is_settled_by(share):
                state.settled = share
            elif share in state.captures:
                state.captures.remove(share)

    def _measure_anew(self, member: _Member, state: ItemState) -> None:
        """Let a run of its own be a test's first one: that which it had in common with others says nothing."""
        state.captures.clear()
        if error := self._run_again(member.item, state):
            state.outcome, state.why = Outcome.UNMEASURED, f"{member.share.fault}; {brief(error)}"

    def _run_again(self, item: pytest.Item, state: ItemState) -> BaseException | None:
        return self._apart(item, state) if state.share else super()._run_again(item, state)

    def _give_up(self, group: _Group, why: str) -> None:
        """Close a group whose tests cannot be run again, if it is open, and tell of them."""
        if not group.is_closed:
            self._close(group, Apart(None, why))
        self._tell(group)

    def _tell(self, group: _Group) -> None:
        """Bring out the reports of a group, in the order of its tests."""
        group.close()
        for member in group.members:
            self._known.pop(member.item, None)
            self._put(member, member.findings)
            self._reports.tell(member.item, member.reports)
        self._reports.forget()

    def _hold(self, member: _Member) -> None:
        """Keep the reports of a test that waits; should nobody come back to it, they say so."""
        if not self._reports.may_be_lost:
            return
        subject = subject_of(member.item, self._gate.root)
        if member.state and member.state.passed:
            lost = Finding(subject=subject, metric=MEMORY_PEAK.name, outcome=Outcome.UNMEASURED, why=_DIED)
            self._put(member, [lost])
        self._reports.keep(member.reports)

    def _put(self, member: _Member, findings: list[Finding]) -> None:
        """Let findings travel on the report of the call and, as they do from there, on that of the teardown."""
        for report in member.reports if findings else ():
            if report.when == "call":
                self._report(member.item, report, findings)
                found = report.user_properties
            elif report.when == "teardown":
                late = [one for one in report.user_properties if one[0].startswith(LATE)]
                report.user_properties = [*found, *late]


def _scope(item: pytest.Item) -> object:
    """Return what tests have in common whose wider fixtures are the same."""
    call = getattr(item, "callspec", None)
    if call is None:
        return item.parent
    wider = ((name, call.indices[name]) for name, scope in call._arg2scope.items() if scope.value != "function")
    return item.parent, *wider


def _sets_up_wider_fixtures(item: pytest.Item) -> bool:
    """Say whether a test is the first to need a fixture of its class, module or session, which is not its own."""
    fixtures = getattr(item, "_fixtureinfo", None)
    found = fixtures.name2fixturedefs.values() if fixtures else ()
    return any(one[-1].scope != "function" and one[-1].cached_result is None for one in found)


def _function(item: pytest.Item) -> object:
    return item.parent, getattr(item, "originalname", item.name)


def _is_run_by_another(item: pytest.Item) -> bool:
    """Say whether another plugin runs a test in its own way, as one that repeats it does."""
    for one in item.ihook.pytest_runtest_protocol.get_hookimpls():
        if one.wrapper or one.hookwrapper or isinstance(one.plugin, Groups) or one.plugin_name == "runner":
            continue
        # This one runs only what has a number of reruns.
        reruns = getattr(one.plugin, "get_reruns_count", None)
        if reruns is None or reruns(item) is not None:
            return True
    return False
