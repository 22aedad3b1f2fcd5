"""The one face of all that reads numbers off the runs of a test."""

from abc import ABC, abstractmethod
from typing import ClassVar

from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.plugin.test import Around, RunAgain, Test


class Observer(ABC):
    """Looks at every run of a test, the first one and those that are made again, and tells what it found.

    `family` is the first word of its metrics. `test.run` is the run that goes on.
    """

    family: ClassVar[str]

    def before(self, test: Test) -> None:  # noqa: B027  # most need not look
        """Look at what is there before a run is set up."""

    def around(self, test: Test) -> Around | None:  # noqa: ARG002  # most put nothing there
        """Return what is put around the test's function in a run, None for nothing."""
        return None

    def after(self, test: Test) -> None:  # noqa: B027  # most need not look
        """Look at what is there once a run has been torn down."""

    def early(self, test: Test, run_again: RunAgain) -> None:  # noqa: B027  # most can wait
        """Find what cannot wait until the group of a test is judged: the next test is about to begin."""

    @abstractmethod
    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Return what is found of a test that has passed, by more runs of it where these are needed.

        Why there is no value is a finding, too: UNMEASURED or NOT_GATED, with the reason in one line.
        """


class Recorded(Observer):
    """What the test has measured itself: its own numbers, by the `memgate` fixture, or the check that it is."""

    family = "custom"

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:  # noqa: ARG002  # judged as it was recorded
        return list(test.findings)
