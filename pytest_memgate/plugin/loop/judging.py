"""Judges a test from its runs: all findings on it come from here, once its first run is over."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_memgate.errors import ConfigError
from pytest_memgate.measure.python.pace import pace
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.plugin.items import subject_of
from pytest_memgate.plugin.loop.benchmarks import timing_of
from pytest_memgate.plugin.loop.first_use import FirstUses
from pytest_memgate.plugin.loop.observers.children import ChildProcesses
from pytest_memgate.plugin.loop.observers.leftovers import Leftovers
from pytest_memgate.plugin.loop.observers.memory import Memory
from pytest_memgate.plugin.loop.observers.observer import Observer, Recorded
from pytest_memgate.plugin.loop.observers.own_leak import OwnLeak
from pytest_memgate.plugin.loop.observers.times import Times
from pytest_memgate.plugin.loop.observers.untraced import Untraced
from pytest_memgate.plugin.loop.pairs import Pairs
from pytest_memgate.plugin.loop.tracing import Tracing
from pytest_memgate.plugin.marker import is_tracked, read_marker
from pytest_memgate.plugin.reports.properties import put_payments
from pytest_memgate.plugin.test import Around, Run, RunAgain, Test
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.judge.times import Timing, is_gated

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.shared_tracker import Share


class Judge:
    """Judges the tests of one process, by all that observes their runs.

    `settle` asks for values that can be stored, where bounds would do.
    """

    def __init__(
        self,
        gate: Gate,
        tracing: Tracing,
        first_uses: FirstUses,
        children: ChildProcesses,
        leftovers: Leftovers,
        pairs: Pairs | None,
        *,
        update: bool,
        settle: bool,
        keep: Path | None,
    ) -> None:
        self._gate = gate
        self._tracing = tracing
        self._first_uses = first_uses
        self._memory = Memory(gate, tracing, first_uses, update=update, settle=settle, keep=keep)
        self._observers: tuple[Observer, ...] = (  # in the order of their findings, and of the runs that they ask for
            Recorded(),
            Times(gate, pairs, update=update),
            self._memory,
            OwnLeak(gate, settle=update or settle),
            Untraced(gate, settle=update or settle),
            children,
            leftovers,
        )

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
        """Return the first run of a test, on its own or as a share."""
        return self._memory.first_run(test, share)

    def begin_run(self, test: Test) -> None:
        """Look at what is there before a run."""
        for observer in self._observers:
            observer.before(test)

    def watch(self, test: Test) -> Around:
        """Return what all of them put around the test's function, the first one outermost."""
        arounds = [around for observer in self._observers if (around := observer.around(test))]

        def watched(function: Callable[..., Any]) -> Callable[..., Any]:
            return reduce(lambda inner, around: around(inner), reversed(arounds), function)

        return watched

    def end_run(self, test: Test) -> None:
        """Look at what is there after a run."""
        for observer in self._observers:
            observer.after(test)

    def timing(self, test: Test) -> Timing | None:
        """Return the times that pytest-benchmark took in the call that has just ended; if gated, with the pace."""
        found = timing_of(test.item)
        if found is None or self._gate.side or self._gate.is_base or not is_gated(self._gate, test.subject, test.rules):
            return found
        return replace(found, pace=pace(found.median))

    def early(self, test: Test, run_again: RunAgain) -> None:
        """Find what cannot wait until the group of a test is judged."""
        for observer in self._observers:
            observer.early(test, run_again)

    def together(self, tests: Sequence[Test]) -> None:
        """Remember the tests of a group that is judged next.

        Memory first used by background threads cannot be attributed to one of them.
        """
        self._first_uses.together(tests)

    def measure_anew(self, test: Test, why: str, run_again: RunAgain) -> None:
        """Measure the memory of a test whose first run says nothing of it, for a reason `why`."""
        self._memory.measure_anew(test, why, run_again)

    def torn_down(self, test: Test) -> None:
        """Put what the teardown of wider fixtures left on the last report of a test."""
        put_payments(test, self._first_uses.late_payments())

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Return all findings on a test, which may have to run again for them."""
        if not test.first.is_called:
            has_no_answer = any(finding.outcome is Outcome.NO_ANSWER for finding in test.findings)
            return test.findings if has_no_answer else []
        test.rules, _ = read_marker(test.item)  # a hook, or the test itself, may have added one
        return [finding for observer in self._observers for finding in observer.findings(test, run_again)]
