"""All that one run found, and what it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_memgate.model.environment import Environment
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.provenance import Provenance
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import SIZE


class Verdict(StrEnum):
    """What a run comes to."""

    PASSED = "passed"
    FAILED = "failed"
    NO_ANSWER = "no answer"

    @property
    def exit_code(self) -> int:
        """Return the exit code of the `memgate` command."""
        return {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.NO_ANSWER: 3}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a run is not green apart from its failing tests: one line, and the command that helps."""

    text: str
    hint: str = ""
    verdict: Verdict = Verdict.FAILED


class ChangeKind(StrEnum):
    """What happened to a baseline entry."""

    NEW = "new"
    RAISED = "raised"
    LOWERED = "lowered"
    REMOVED = "removed"
    REMEASURED = "remeasured"  # under another header: the values cannot be compared
    ANCHORED = "anchored"
    MOVED = "moved"  # to the new name of its test, as it was


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One changed baseline entry; amounts in `unit`, None where there is none.

    `moved_from` is the test's old name, where its entry was under another one.
    """

    subject: Subject
    metric: str
    kind: ChangeKind
    before: float | None = None
    after: float | None = None
    unit: str = SIZE
    reason: str = ""
    moved_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Which tests a run was asked to run: what parts of one plan are put together by.

    `collected` gives the names of all tests found, by file, `left_out` those of them that were not to run. Of the
    files in `fragments` only single tests were asked for. `gone` are files with baselines that would have been
    collected, were they there. `everything` says that nothing narrowed the run down to less than the project's tests.
    `failed` are the tests that failed by themselves, `unjudged` those that passed, or were to run, and of which nothing
    was found; `cut_short` says why the run did not come to its end, if so.
    """

    collected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fragments: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    everything: bool = False
    failed: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()
    cut_short: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: the findings in the order they came, the problems, and the verdict.

    `changes` are the baseline entries that this run wrote, or, compared with a git ref, those that the change under
    test brings. `loosened` are the budgets and waivers that it brings, a line each. `skipped` and `failed` count tests
    that gave nothing to measure. `baseline` says in words what was compared with; `compared_with` is the git ref.
    `missing_fails` says that a test without an entry, or the reverse, is a problem. `provenance` is known of runs whose
    file is written.
    """

    environment: Environment
    verdict: Verdict
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()
    loosened: tuple[str, ...] = ()
    baseline: str = ""
    compared_with: str = ""
    strict: bool = False
    update: bool = False
    missing_fails: bool = False
    skipped: int = 0
    failed: int = 0
    extent: Extent | None = None
    provenance: Provenance | None = None

    @property
    def compared(self) -> int:
        """Return the number of tests of which a value was held against a baseline entry or a limit."""
        return len({one.subject for one in self.findings if one.is_held and not one.subject.is_first_use})

    def count(self, *outcomes: Outcome) -> int:
        return sum(finding.outcome in outcomes for finding in self.findings)
