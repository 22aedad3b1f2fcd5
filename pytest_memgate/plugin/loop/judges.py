"""The judge as the loop sees it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.plugin.test import Around, Run, RunAgain, Test
from pytest_memgate.tasks.judge.times import Timing

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.shared_tracker import Share


class Judges(Protocol):
    """Looks at the runs of a test, and judges them."""

    def ready(self, items: Sequence[pytest.Item]) -> None:
        """Read ahead what is needed of the tests, before one of them can replace the functions that read files."""

    def begin(self, item: pytest.Item) -> Test:
        """Return a test that is about to run for the first time."""

    def first_run(self, test: Test, share: "Share | None") -> Run:
        """Return its first run, traced on its own or as a share of a shared tracker."""

    def begin_run(self, test: Test) -> None:
        """Look at the process before a run is set up."""

    def watch(self, test: Test) -> Around:
        """Return the wrapper put around the test's function in every run."""

    def timing(self, test: Test) -> Timing | None:
        """Return the times of the call that has just ended, if pytest-benchmark took any."""

    def end_run(self, test: Test) -> None:
        """Look at the process after a run has been torn down."""

    def early(self, test: Test, run_again: RunAgain) -> None:
        """Find what cannot wait until the group of a test is judged: the next test is about to begin."""

    def together(self, tests: Sequence[Test]) -> None:
        """Remember the tests of a group that the bound leaves open."""

    def measure_anew(self, test: Test, why: str, run_again: RunAgain) -> None:
        """Measure a test again on its own, because `why` its share of a tracker gave no bound."""

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Return the findings on a test, which may have to run again for them."""

    def torn_down(self, test: Test) -> None:
        """Look at what the teardown of wider fixtures has left behind a test."""
