"""The memory that a test leaves behind if it is called again and again, set up anew for each call."""

import contextlib
from collections.abc import Callable
from functools import partial

from pytest_memgate.errors import CaptureError
from pytest_memgate.measure.python.gc_freeze import freeze
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.metric import MEMORY_LEAK
from pytest_memgate.plugin.loop.benchmarks import is_benchmark, untimed
from pytest_memgate.plugin.loop.observers.observer import Observer
from pytest_memgate.plugin.marker import asks_for_leak
from pytest_memgate.plugin.test import Around, Run, RunAgain, Test, brief
from pytest_memgate.tasks.judge.answer import answered
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.judge.leak import OWN_ROUNDS, WARM_UP, LeakCheck


class OwnLeak(Observer):
    """Judges what a test leaves whose marker makes it what is called. `settle` asks for a value that can be stored."""

    family = "memory"

    def __init__(self, gate: Gate, *, settle: bool) -> None:
        self._gate = gate
        self._settle = settle

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        if not asks_for_leak(test.item):
            return []
        check = LeakCheck(
            gate=self._gate,
            subject=test.subject,
            metric=MEMORY_LEAK.name,
            rules=test.rules,
            settle=self._settle,
        )

        def run(around: Around) -> BaseException | None:
            again = Run(around=around)
            run_again(test, again)
            return again.failure

        return answered(test.subject, check.metric, lambda: [_own_leak(check, test, run)])


def _own_leak(check: LeakCheck, test: Test, run: Callable[[Around], BaseException | None]) -> Finding:
    """Return what running a test again and again leaves behind, set up anew for each call.

    `run` makes one more run, with a wrapper around the test's function, and returns its error, None if it passed.
    """
    if test.outcome:
        return check.left_out(test.outcome, test.why)
    from pytest_memgate.measure.memory.leak_series import Series, below
    from pytest_memgate.measure.stacks.source_paths import Places

    def labelled(label: str) -> Callable[[], None]:
        def call() -> None:
            if error := run(partial(below, label, fenced=True)):
                raise _AgainError(error)

        return call

    series = Series(name=test.item.name, labelled=labelled, places=Places(check.gate.root), among_others=True)
    try:
        freeze()  # each call has two collections: they need not walk what is alive before
        with untimed(test.item) if is_benchmark(test.item) else contextlib.nullcontext():
            return check.finding(series.run(check.plan(OWN_ROUNDS, WARM_UP)))
    except CaptureError as error:
        return check.left_out(Outcome.UNMEASURED, str(error))
    except _AgainError as error:
        why = brief(error.error)
        return check.left_out(Outcome.UNMEASURED, f"it failed when it was run again: {why}")


class _AgainError(Exception):
    """A test that cannot be run again."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error
