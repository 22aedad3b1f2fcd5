"""All findings of one run, and its verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_memgate.model.environment import Environment
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.provenance import Provenance
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import SIZE


class Verdict(StrEnum):
    """The answer of a whole run."""

    PASSED = "passed"
    FAILED = "failed"
    NO_ANSWER = "no answer"

    @property
    def exit_code(self) -> int:
        """The exit code of the `memgate` command."""
        return {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.NO_ANSWER: 3}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A reason why a run is not green, apart from its failing tests: one line, and the command that helps."""

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
    """One changed baseline entry; amounts are in `unit`, None if there is none.

    `moved_from` is the test's old name, if its entry was stored under that.
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
    """Which tests a run was asked to run; `memgate merge` puts the parts of one plan together by it.

    `collected` gives the names of all tests found, by file; `left_out` are those of them that were not to run. Of the
    files in `fragments` only single tests were asked for. `gone` are files with baselines that would have been
    collected if they were there. `everything` is True if nothing narrowed the run down to less than the project's
    tests. `failed` are the tests that failed by themselves; `unjudged` are those that passed, or were to run, without
    any finding. `cut_short` is the reason why the run ended early, if it did.
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
class Measured:
    """A git ref that was measured on this machine, in the same run, in place of reading a baseline.

    `packages` are those that differ, as `ujson 5.12.0 -> 5.11.0`; `unmet` are pins of the work tree that are not what
    is installed: `ujson==5.11.0, and 5.12.0 is installed`. `without` are tests that it has and that gave no value,
    a line each. `seconds` is what it took.
    """

    ref: str
    commit: str
    packages: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    seconds: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: its findings in the order they came, its problems and its verdict.

    `changes` are the baseline entries that this run wrote or, beside a git ref, those that the change under test
    brings. `loosened` are the budgets and waivers that it brings, a line each. `skipped` and `failed` count tests that
    gave nothing to measure. `baseline` names the folders of the baselines, `compared_with` the git ref. `missing_fails`
    is True if a test without an entry, or an entry without a test, is a problem. `measured` is known if there were no
    baselines, but a git ref was measured. `provenance` is known if the run's file is written.
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
    measured: Measured | None = None
    provenance: Provenance | None = None

    @property
    def compared(self) -> int:
        """The number of tests of which a value was held against a baseline entry or a limit."""
        return len({one.subject for one in self.findings if one.is_held and not one.subject.is_first_use})

    def count(self, *outcomes: Outcome) -> int:
        """Return the number of findings with one of the `outcomes`."""
        return sum(finding.outcome in outcomes for finding in self.findings)
