"""Owns the protocol of each test: runs it, judges it, runs it again if the judge asks for it, and reports it."""

import traceback
from collections.abc import Generator
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.process.machine_lock import alone
from pytest_memgate.measure.python.gc_freeze import forget, hide, thaw, was_asked
from pytest_memgate.measure.python.original_functions import look, real_world, staged_world
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.metric import MEMORY_PEAK
from pytest_memgate.plugin.items import is_declared
from pytest_memgate.plugin.loop.benchmarks import give_stats, is_timed
from pytest_memgate.plugin.loop.groups import Group, Grouping, Member, scope
from pytest_memgate.plugin.loop.judges import Judges
from pytest_memgate.plugin.loop.runs import run_again, run_first, tear_down_wider
from pytest_memgate.plugin.loop.tracing import Tracing, around_call, both, is_nested
from pytest_memgate.plugin.reports.deferred import Waiting
from pytest_memgate.plugin.reports.properties import put_findings, with_findings
from pytest_memgate.plugin.test import TEST, Phase, Run, RunAgain, Test, brief

_WORTH = 2  # tests from which on one shared tracker is faster than one each
_DIED = "its worker died while it waited for the tests that are measured together with it"
_NESTED = "the test uses memray itself, and a process has only one tracker"
_HIDDEN = (
    "the test uses gc.get_objects() or gc.collect() on objects created before it; these are hidden while memory is "
    "traced"
)


class Loop:
    """The hooks of one process that runs tests under the gate."""

    def __init__(
        self,
        config: pytest.Config,
        judge: Judges,
        tracing: Tracing,
        grouping: Grouping | None,
        *,
        update: bool,
    ) -> None:
        self._judge = judge
        self._tracing = tracing
        self._grouping = grouping  # None where each test is measured on its own
        self._reports = Waiting(config)
        self._update = update
        self._group: Group | None = None  # the one that goes on

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a test; report it once it is judged, perhaps together with the tests after it.

        Memory that the gate itself uses between two tests of a group counts for the earlier one: it was there before
        the later one began.
        """
        if self._group and self._grouping and self._grouping.known(item) is None:
            self._conclude(self._group, item)  # it is not what it seemed to be as the next test
        group = self._group = self._group or self._begun(item, nextitem)
        member = Member(self._judge.begin(item))
        item.stash[TEST] = member.test
        try:
            if group.span:
                self._run_shared(group, member, nextitem)
            else:
                group.members.append(member)
                self._reports.start(item)
                self._run(member, nextitem)
        except BaseException:
            group.members = [one for one in group.members if one is not member]
            member.test.close()
            self._conclude(group, None, "the run was interrupted")
            raise
        if not self._goes_on(group, member, nextitem):
            self._conclude(group, nextitem)
        elif self._reports.may_be_lost and member.share:
            member.share.running(self._hold)(member)
        return True

    def _begun(self, item: pytest.Item, nextitem: pytest.Item | None) -> Group:
        recorder = self._tracing.recorder
        if recorder and self._grouping and self._grouping.begins(item, nextitem):
            span = recorder.span()
            # Not from a function of its own: it would be further in than the frames by which a stack shows where it
            # passed. Where the tracker cannot start, the reason is told of each test.
            if span and span.start():
                return Group(scope(item), span)
        return Group(scope(item))

    def _run_shared(self, group: Group, member: Member, nextitem: pytest.Item | None) -> None:
        """Run a test under the shared tracker, in a frame below the one that started it: memray knows no others."""
        assert group.span and self._grouping  # noqa: S101, PT018  # it is a group of several
        item = member.test.item
        member.known = self._grouping.known(item)
        following = self._grouping.following
        if group.members and group.members[-1].share:
            following = group.members[-1].share.running(following)
        tests = [*group.tests, *([member.known] if member.known else [])]
        behind = following(group, tests[-1], nextitem)
        share = member.share = group.span.share(self._grouping.probe_size([*tests, *behind], len(group.members)))
        share.is_last = not behind
        group.members.append(member)
        share.running(self._run)(member, nextitem)

    def _run(self, member: Member, nextitem: pytest.Item | None) -> None:
        """Run a test for the first time, and count its leftovers."""
        test, share = member.test, member.share
        look()
        forget()
        self._tracing.rest()
        if test.outcome:
            thaw()
        run = self._judge.first_run(test, share)
        run_first(test, run, nextitem)
        run.has_asked = was_asked()
        self._judge.end_run(test)
        if share and share.started_processes and self._grouping:
            self._grouping.starts_processes(test.item)
        if share:
            with suppress(Exception):  # it is found again with the group, where an error is told
                self._judge.early(test, partial(self._again, nextitem, ""))

    def _goes_on(self, group: Group, member: Member, nextitem: pytest.Item | None) -> bool:
        """True if the next test is measured under the same tracker, which a failing test has stopped."""
        share, session = member.share, member.test.item.session
        if share is None or share.is_last or not share.is_open or session.shouldfail or session.shouldstop:
            return False
        return bool(self._grouping and nextitem and scope(nextitem) == group.scope and self._grouping.known(nextitem))

    def _conclude(self, group: Group, nextitem: pytest.Item | None, why: str = "") -> None:
        """Judge the tests of a group and report them; a reason `why` forbids that they run again."""
        self._group = None
        session = group.members[-1].test.item.session if group.members else None
        if session and (session.shouldfail or session.shouldstop):
            why = why or "the run was stopped"
        run_again = partial(self._again, nextitem, why)
        with real_world():
            try:
                if group.span:
                    self._settle(group, run_again, may_run_again=not why)
                for member in group.members:
                    self._retry(member.test, run_again)
                    put_findings(member.test, self._findings(member.test, run_again), update=self._update)
            finally:
                group.close()
        self._report(group, nextitem)

    def _findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Return the findings on a test; what goes wrong meanwhile is told of this test, and ends no session.

        It may be the test's own doing: a wider fixture can have replaced what the gate uses.
        """
        try:
            return self._judge.findings(test, run_again)
        except Exception as error:  # noqa: BLE001  # whatever it is
            why = f"the gate could not judge it: {brief(error)} ({_place_of(error)})"
            lost = Finding(subject=test.subject, metric=MEMORY_PEAK.name, outcome=Outcome.UNMEASURED, why=why)
            return [*test.findings, lost]  # what the test measured itself still counts

    def _settle(self, group: Group, run_again: RunAgain, *, may_run_again: bool) -> None:
        """Stop the tracker of a group, and run its open tests again."""
        assert group.span and self._grouping  # noqa: S101, PT018  # it is a group of several
        group.span.stop()
        members = [member for member in group.members if member.test.first.is_called and member.share]
        settled = [(member, member.share) for member in members if member.share]
        group.span.tighten(lambda: all(member.is_settled_by(share) for member, share in settled))
        waiting = [member for member in members if member.is_left_open]
        if may_run_again:
            half = (len(waiting) + 1) // 2
            self._settle_together(group, waiting[:half], run_again)
            self._settle_together(group, waiting[half:], run_again)
        self._judge.together([member.test for member in waiting])
        for member, share in settled:
            if share.fault:
                self._judge.measure_anew(member.test, share.fault, run_again)

    def _settle_together(self, group: Group, members: list[Member], run_again: RunAgain) -> None:
        """Run tests again under one tracker: by now, first use has been paid."""
        recorder, grouping = self._tracing.recorder, self._grouping
        if len(members) < _WORTH or recorder is None or grouping is None:
            return
        span = recorder.span()
        if span is None or not span.start():  # a wider fixture has one by now
            return
        group.again.append(span)
        tests = [member.known for member in members if member.known]
        runs: list[Run] = []
        for number, member in enumerate(members):
            share = span.share(grouping.probe_size(tests, number))
            share.is_last = member is members[-1]
            run = Run(is_repeat=True)
            self._tracing.traced(member.test, run, share)
            share.running(run_again)(member.test, run)
            if run.failure:
                share.fault = brief(run.failure)
            runs.append(run)
        span.stop()
        span.tighten(lambda: all(map(Member.is_settled_by, members, span.shares)))
        for member, run, share in zip(members, runs, span.shares, strict=True):
            if member.is_settled_by(share):
                member.test.settled = share
            elif run.capture is share:
                run.capture = None

    def _again(self, nextitem: pytest.Item | None, why: str, test: Test, run: Run) -> None:
        """Run a test once more, or put the reason why that cannot be into the run."""
        torn = next((one.error for one in test.runs if one.error and one.failure is None), None)
        run.error = torn or (MeasureError(why) if why else None)
        if run.error:
            return
        with staged_world(), run.within:
            if test.outcome:
                thaw()
            elif self._tracing.recorder:
                hide()
            run_again(test, run, nextitem)
            self._judge.end_run(test)
        if run.error and run.failure is None:
            # What an extra run of the test leaves behind is no error of the suite.
            test.notes.append(f"{test.item.nodeid}: an extra run could not be torn down: {brief(run.error)}")

    def _retry(self, test: Test, run_again: RunAgain) -> None:
        """Run a test again, untraced, if it failed only because of the gate; that run counts."""
        first = test.first
        if first.is_called or not first.capture or isinstance(first.error, pytest.skip.Exception):
            return
        if is_nested(first.error):
            why = _NESTED
        elif first.has_asked and self._fails_again(test, run_again):
            why = _HIDDEN
        else:
            return
        test.leave_out(why)
        run = Run()
        run_again(test, run)
        first.reports = run.reports or first.reports

    def _fails_again(self, test: Test, run_again: RunAgain) -> bool:
        """True if a test fails again with all objects hidden; otherwise its first failure was chance."""
        run = Run()
        run_again(test, run)
        return run.failure is not None

    def _report(self, group: Group, nextitem: pytest.Item | None) -> None:
        """Report the tests of a group, in their order, and tear down wider fixtures that are no longer needed."""
        for member in group.members:
            test, item = member.test, member.test.item
            if group.span:
                self._reports.start(item)
            self._reports.tell(item, test.first.reports[:-1])
            if member is group.members[-1]:
                stops = item.session.shouldfail or item.session.shouldstop
                tear_down_wider(test, None if stops else nextitem)
                self._judge.torn_down(test)
            self._reports.tell(item, test.first.reports[-1:])
            self._reports.finish(item)
            if self._grouping:
                self._grouping.forget(item)
        self._reports.forget()

    def _hold(self, member: Member) -> None:
        """Keep the reports of a waiting test, for the case that this process dies; they then say so."""
        test = member.test
        lost = [
            Finding(subject=test.subject, metric=MEMORY_PEAK.name, outcome=Outcome.UNMEASURED, why=_DIED)
            for _ in range(test.first.is_called)
        ]
        self._reports.keep(with_findings(test, lost))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Prepare all tests; report the tests that still wait if the run ends before its last test."""
        self._judge.ready(session.items)
        for item in session.items:
            _ = item.location  # pytest keeps it: not while a test has replaced `os.name`, nor under a tracker
        try:
            return (yield)
        finally:
            if self._group:
                self._conclude(self._group, None, "the run was stopped")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin a run; a test whose marker is wrong fails here."""
        test = item.stash.get(TEST, None)
        if test is None:  # another plugin runs it, and has not asked for the loop
            return
        run = test.run
        if run.phase is not Phase.SETUP:  # another plugin runs it again, and the last run counts
            test.findings.clear()
            test.probed, run.error = "", None
        run.phase = Phase.SETUP
        self._judge.begin_run(test)
        if test.wrong:
            pytest.fail(f"memgate: {test.wrong}", pytrace=False)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Put the run's tracker and the judge's wrapper around the test's function."""
        test = item.stash.get(TEST, None)
        if test is None:
            return (yield)
        run = test.run
        run.phase = Phase.CALL
        test.instance = getattr(item, "instance", None)
        try:
            if is_declared(item):
                return (yield)
            around = both(run.around, self._judge.watch(test))
            if run.is_repeat:
                give_stats(item, test.first.timing)
            with alone() if is_timed(item) else nullcontext():
                with around_call(item, around):
                    result = yield
                run.timing = self._judge.timing(test) if is_timed(item) else None
            return result
        finally:
            run.phase = Phase.CALLED

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Keep the item's stash, which plugins clear as the teardown ends."""
        test = item.stash.get(TEST, None)
        if test:
            test.run.phase = Phase.TEARDOWN
            test.stash = dict(item.stash._storage)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep the error of a run."""
        test = item.stash.get(TEST, None)
        error = _raised(item, call)
        report = yield
        if test is None:
            return report
        run = test.run
        if run.phase is not Phase.CALL:
            run.error = run.error or (None if report.passed else error)
        elif run.is_repeat and report.failed:  # a subtest, which has a report of its own in the midst of the call
            run.has_failed_part, run.error = True, run.error or error
            report.outcome, report.longrepr = "passed", None
        return report

    def pytest_unconfigure(self) -> None:
        """Show the collector all objects again."""
        thaw()


def _place_of(error: BaseException) -> str:
    """Return the file and line that an error was raised at."""
    innermost = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(innermost.filename).name}:{innermost.lineno}"


def _raised(item: pytest.Item, call: pytest.CallInfo[None]) -> BaseException | None:
    """Return the error that a phase raised; unittest keeps it on the item."""
    recorded: list[pytest.ExceptionInfo[BaseException]] = getattr(item, "_excinfo", None) or []
    failure = recorded[0] if recorded else call.excinfo
    return failure.value if failure else None
