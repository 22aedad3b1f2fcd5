"""How long a test takes, where pytest-benchmark times it."""

import time
from collections.abc import Callable

from pytest_memgate.compare.pairs import Paired
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.plugin.items import is_declared
from pytest_memgate.plugin.loop.benchmarks import is_benchmark, is_timed, unlisted, was_timed, why_not_timed
from pytest_memgate.plugin.loop.observers.observer import Observer
from pytest_memgate.plugin.loop.pairs import NoPairs, Pairs
from pytest_memgate.plugin.test import Run, RunAgain, Test
from pytest_memgate.tasks.judge.answer import answered
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.judge.times import (
    Timing,
    is_gated,
    paired_finding,
    paired_findings,
    stored_findings,
    time_findings,
)

_APART = 1.0  # seconds between two collections; chosen
_COLLECTIONS = 3  # for an update; chosen
_sleep = time.sleep  # a test may have replaced it


class Times(Observer):
    """Judges what pytest-benchmark counted in the first run; only what a second run says, too, may block.

    With `pairs`, both sides of a comparison are timed in turn, and only that counts.
    """

    family = "time"

    def __init__(self, gate: Gate, pairs: Pairs | None, *, update: bool) -> None:
        self._gate = gate
        self._pairs = pairs
        self._update = update

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        if is_declared(test.item) or test.outcome is Outcome.SKIPPED:
            return []
        if not is_benchmark(test.item):
            return self._of_another(test)
        timing = test.first.timing
        if timing is None:
            is_on = is_timed(test.item)
            why = "it did not call pytest-benchmark's fixture" if is_on else why_not_timed(test.item)
            return [self._without_value(test, why)]

        return answered(test.subject, self.family, lambda: self._timed(test, timing, run_again))

    def _timed(self, test: Test, timing: Timing, run_again: RunAgain) -> list[Finding]:
        """Return the findings on times that came."""

        def again() -> Timing | None:
            _sleep(_APART)
            run = Run()
            with unlisted(test.item):
                run_again(test, run)
            return None if run.failure else run.timing

        if self._update and not self._gate.is_base:
            return self._several(test, timing, again)
        if self._pairs and not self._gate.side:
            return self._with_itself(test, self._pairs)
        if self._pairs:
            try:
                return self._paired(test, timing, self._pairs)
            except NoPairs as why:
                test.notes.append(f"{test.item.nodeid}: its times are judged one after the other, without pairs: {why}")
        return time_findings(self._gate, test.subject, timing, test.rules, again)

    def _of_another(self, test: Test) -> list[Finding]:
        """Return the finding on a test that does not name pytest-benchmark's fixture, and may be timed all the same."""
        if was_timed(test.item):
            why = "it asked for pytest-benchmark's fixture when it ran: name it among the test's arguments"
            return [self._without_value(test, why)]
        names = getattr(test.item, "fixturenames", ())
        if "benchmark" in names and is_gated(self._gate, test.subject, test.rules):
            why = "its fixture benchmark is not that of pytest-benchmark, so no time came"
            return [self._without_value(test, why)]
        return []

    def _several(self, test: Test, timing: Timing, again: Callable[[], Timing | None]) -> list[Finding]:
        """Return the findings for an update: of several collections, if a budget names the times."""
        is_asked = is_gated(self._gate, test.subject, test.rules)
        more = [again() for _ in range(_COLLECTIONS - 1)] if is_asked else []
        return stored_findings(self._gate, test.subject, [timing, *filter(None, more)], test.rules)

    def _with_itself(self, test: Test, pairs: Pairs) -> list[Finding]:
        """Return the finding on a test that is paired with itself until nothing more can be known."""
        try:
            paired = pairs.measure(test.item, 1.0, pairs.error, of_itself=True)
        except NoPairs as why:
            return [self._without_value(test, f"not paired with itself: {why}")]
        return [paired_finding(self._gate, test.subject, test.rules, paired)]

    def _paired(self, test: Test, timing: Timing, pairs: Pairs) -> list[Finding]:
        error = pairs.error / sum(map(is_timed, test.item.session.items))

        def measured(limit: float) -> tuple[Paired, Paired | None]:
            of_itself = pairs.measure(test.item, limit, error, of_itself=True) if pairs.is_controlled() else None
            return pairs.measure(test.item, limit, error), of_itself

        return paired_findings(self._gate, test.subject, timing, test.rules, measured)

    def _without_value(self, test: Test, why: str) -> Finding:
        outcome = Outcome.UNMEASURED if is_gated(self._gate, test.subject, test.rules) else Outcome.NOT_GATED
        return Finding(subject=test.subject, metric=self.family, outcome=outcome, why=why)
