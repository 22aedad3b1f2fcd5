"""A test under the loop, and its runs."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest

from pytest_memgate.budget.rule import Rule
from pytest_memgate.compare.first_use import Payment
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.times import Timing

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.capture import Capture  # it needs memray
    from pytest_memgate.measure.memory.shared_tracker import Share

Around = Callable[[Callable[..., Any]], Callable[..., Any]]


class Phase(Enum):
    """The phases of a run."""

    SETUP = "setup"
    CALL = "call"
    CALLED = "called"
    TEARDOWN = "teardown"


@dataclass(slots=True, eq=False)
class Run:
    """One run of a test: set up, called and torn down, while the wider fixtures stay.

    `around` is put around the test's function, and the whole run happens `within` a context. `is_repeat` is True for
    every run but the one that the user is told of. `reports` are those of its phases. `error` is the first error, which
    may be in a part of a repeat's call, such as a subtest. `has_asked` is True if it used functions of `gc` on hidden
    objects. `capture` is the trace of its call, `timing` are the times that pytest-benchmark took in it.
    """

    around: Around | None = None
    within: AbstractContextManager[None] = field(default_factory=nullcontext)
    is_repeat: bool = False
    phase: Phase = Phase.SETUP
    reports: list[pytest.TestReport] = field(default_factory=list)
    error: BaseException | None = None
    has_failed_part: bool = False
    has_asked: bool = False
    capture: "Capture | None" = None
    timing: Timing | None = None

    @property
    def call(self) -> pytest.TestReport | None:
        """The report of its call, the last one if another plugin calls it again; None if its setup failed."""
        return self._last("call")

    @property
    def teardown(self) -> pytest.TestReport | None:
        """The report of its teardown."""
        return self._last("teardown")

    def _last(self, when: str) -> pytest.TestReport | None:
        return next((report for report in reversed(self.reports) if report.when == when), None)

    @property
    def is_called(self) -> bool:
        """True if its call has passed."""
        return self.call is not None and self.call.passed

    @property
    def failure(self) -> BaseException | None:
        """The error that makes its numbers useless; not one in its teardown, which comes after them."""
        return None if self.is_called and not self.has_failed_part else self.error or RuntimeError("it did not pass")


@dataclass(slots=True, eq=False)
class Test:
    """A test under the loop.

    `rules` are the budgets of its markers, by metric. `outcome` and `why` are set where its memory is not to be judged,
    `is_tracked` asks for each of its allocations to be counted. `findings` are those on what it measured itself,
    `probed` says what that was, a bundle, page, service or leak, where it was more than a number.
    """

    __test__ = False  # for pytest, which would collect it where it is imported

    item: pytest.Item
    subject: Subject
    rules: Mapping[str, Rule] = field(default_factory=dict)
    wrong: str = ""  # in its markers
    outcome: Outcome | None = None
    why: str = ""
    is_tracked: bool = False
    runs: list[Run] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    probed: str = ""
    payment: Payment | None = None
    settled: "Share | None" = None  # of a later tracker, which has settled it
    notes: list[str] = field(default_factory=list)
    twin: pytest.Item | None = None  # stands in for the next item
    doctest_globals: dict[str, Any] | None = None
    instance: Any = None  # of its class
    properties: list[tuple[str, object]] = field(default_factory=list)  # its item's, before its first run
    stash: dict[Any, Any] = field(default_factory=dict)  # its item's, as its teardown began

    @property
    def run(self) -> Run:
        """The present run or, between two runs, the last one."""
        return self.runs[-1]

    @property
    def first(self) -> Run:
        """The run that the user is told of."""
        return self.runs[0]

    @property
    def captures(self) -> "list[Capture]":
        """The traces of its runs, in order."""
        return [run.capture for run in self.runs if run.capture]

    def leave_out(self, why: str, outcome: Outcome = Outcome.UNMEASURED) -> None:
        """Judge nothing of its memory, for a reason."""
        self.outcome, self.why = outcome, why

    def close(self) -> None:
        """Close the files of its captures."""
        for run in self.runs:
            if run.capture:
                run.capture.close()
                run.capture = None


TEST = pytest.StashKey[Test]()
RunAgain = Callable[[Test, Run], None]  # once more; a run that cannot be made has an error


def brief(error: BaseException) -> str:
    """Return an error in one line."""
    text = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {text}"[:200] if text else type(error).__name__
