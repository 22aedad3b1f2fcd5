"""The values of many runs, in the order of the commits of the default branch.

A measurement belongs to a *tree*: a commit of the default branch has it if the run measured that commit, or another one
with the same files, as the head of a branch that was squashed into it.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_memgate.model.metric import base_name, part_of
from pytest_memgate.model.provenance import Commit
from pytest_memgate.model.run import Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import SIZE


class Precision(StrEnum):
    """How much two measurements of the same code may differ."""

    EXACT = "exact"  # not at all
    NEAR_EXACT = "near-exact"  # by the metric's noise, or 1 %
    NOISY = "noisy"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Series:
    """What can be drawn as one line: one metric of one subject in one environment.

    `metric` has its part: `bundle.initial.raw[main]`. `machine` is the class of the machine (processor and cores) for
    noisy metrics, empty for the others.
    """

    subject: Subject
    metric: str
    unit: str = SIZE
    environment: str = ""
    machine: str = ""
    precision: Precision = field(default=Precision.NEAR_EXACT, compare=False)

    @property
    def id(self) -> str:
        """A short name for addresses and files: 16 hexadecimal digits, the same in each store."""
        parts = (str(self.subject), self.metric, self.unit, self.environment, self.machine)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def part(self) -> str:
        """The part of the subject: `main` of `bundle.initial.raw[main]`, empty for the whole."""
        return part_of(self.metric)

    @property
    def quantity(self) -> str:
        """The metric without its part."""
        return base_name(self.metric)

    def __hash__(self) -> int:
        return hash(
            (self.subject.file, self.subject.name, self.metric)
        )  # a store hashes many thousands of them, several times

    def __str__(self) -> str:
        return f"{self.subject} {self.metric}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCommit:
    """A commit on the first-parent line of the default branch; `position` counts from the oldest one, 0.

    `time` is UTC, as `2026-11-29T16:21:44Z`, and only shown: nothing is ordered by it.
    """

    position: int
    id: str
    tree: str
    author: str = ""
    time: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """Where the values of one stored run come from; fields as in a run's provenance.

    `positions` are the commits of the line that have the tree that was measured: empty off the line, as for a pull
    request, a dirty tree or a fork. `complete` is True if the run measured all that the project has. `seconds` is what
    the run took.
    """

    id: str
    environment: str
    machine: str = ""
    commit: Commit = field(default_factory=Commit)
    positions: tuple[int, ...] = ()
    complete: bool = True
    verdict: Verdict = Verdict.PASSED
    start: str = ""
    end: str = ""
    ci: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0

    @property
    def lane(self) -> str:
        """The name of the lane that holds a run off the line: its branch, or `dirty tree`; empty on the line."""
        if self.positions:
            return ""
        return "dirty tree" if self.commit.dirty else self.commit.branch or self.commit.id[:12] or "no commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What one run says of a series, in its unit: a value, a bound `(0, bound]`, or neither where it is gone.

    `spread` is the difference between the samples of a noisy metric, or between runs that never agreed: half of them
    lie within it. `baseline`, `anchor`, `allowed` (the growth that the budget allows above the baseline) and `limit`
    are those it was judged by. `reason` is the accepted one of the baseline's last raise.
    """

    value: float | None = None
    bound: float | None = None
    spread: float = 0
    baseline: float | None = None
    anchor: float | None = None
    allowed: float | None = None
    limit: float | None = None
    reason: str = ""

    @property
    def is_gone(self) -> bool:
        """True if the run was complete and had nothing of the series."""
        return self.value is None and self.bound is None

    @property
    def budget(self) -> float | None:
        """The largest value that passes, None without a budget."""
        tops = [] if self.limit is None else [self.limit]
        if self.baseline is not None and self.allowed is not None:
            tops.append(self.baseline + self.allowed)
        return min(tops, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A level from one position of the line on, and the sites of its value by their keys, where they are known."""

    position: int
    run: str
    level: Level
    sites: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OffLine:
    """A level that a run off the line measured."""

    run: str
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that is known of one series.

    `steps`, by position, are the levels of the line: each holds at all positions in `measured` up to the next step. At
    positions that are not in `measured`, nothing is known. `lanes` are the levels off the line, the oldest first, by
    the name of their lane; they enter no statistics.
    """

    series: Series
    steps: tuple[Step, ...] = ()
    measured: tuple[int, ...] = ()
    lanes: Mapping[str, tuple[OffLine, ...]] = field(default_factory=dict)

    def step_at(self, position: int) -> Step | None:
        """Return the step that holds at a position, None before the first one."""
        at = bisect_right(self.steps, position, key=lambda step: step.position)
        return self.steps[at - 1] if at else None

    def levels(self) -> Iterator[tuple[int, Level]]:
        """Yield the level at each measured position, in order."""
        at, level = 0, None
        for position in self.measured:
            while at < len(self.steps) and self.steps[at].position <= position:
                level = self.steps[at].level
                at += 1
            if level is not None:
                yield position, level

    @property
    def latest(self) -> Level | None:
        """The level at the last measured position, None if there is none or the series is gone."""
        level = self.steps[-1].level if self.steps else None
        return None if level is None or level.is_gone else level


class EventKind(StrEnum):
    """What people or the gate add to a history beside measurements."""

    MARK = "mark"  # a release or a deployment
    CONFIRMATION = "confirmation"  # of a change, by a measurement of both commits on one machine
    ACKNOWLEDGEMENT = "acknowledgement"  # of a change, with a reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at a commit, or that was said of a change; `time` is UTC, as in a run.

    `text` is the mark's name or the reason; `change` is the id of the change. `data` is what a confirmation measured.
    """

    id: str
    kind: EventKind
    time: str
    commit: str = ""
    text: str = ""
    change: str = ""
    by: str = ""
    data: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A whole history: the line of the default branch, and all that was measured along it and beside it."""

    branch: str
    line: tuple[LineCommit, ...]
    runs: Mapping[str, RunRecord]
    charts: tuple[Chart, ...]
    events: tuple[Event, ...] = ()
