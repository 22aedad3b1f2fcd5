"""Why a finding came out as it did, as values: `report` makes the sentence of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.units import SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """The rule that a value breaks: `amount` is over `allowed`, both in the unit of the finding.

    `amount` is the growth above the baseline (`growth`), the value itself (`limit`), or the growth above the anchor
    (`drift`).
    """

    rule: RuleKind
    amount: float
    allowed: float


class DoubtKind(StrEnum):
    """Why a value that is over its budget, or may be, fails no test."""

    SOME_RUNS = "some runs"  # are over the budget, others are within it
    RUNS_DIFFER = "runs differ"  # by more than the value grew
    MOST_LOADS = "most loads"  # are over the budget, but not the middle of the second collection
    ONE_ROUND = "one round"  # of a time has no spread
    MACHINE = "machine"  # is slower by `amount` times than it was at the baseline
    NOT_TIMED_AGAIN = "not timed again"
    PAIRS = "pairs"  # of times leave it open
    FRESH_PROCESS = "fresh process"  # it could not tell
    LEAK = "leak"  # which is not certain
    SOAK = "soak"  # which is neither a leak for certain nor none
    SLOWS = "slows"  # growth that slows down, as of a cache that fills
    FIRST_RUN = "first run"  # alone holds it: it may pay for other tests
    NOT_THE_HEAP = "not the heap"  # but resident memory, which may grow without a leak


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a value fails no test.

    `amount` is in the finding's unit: the difference of the runs (`runs differ`), or the most that a leak can be; or it
    is how many times slower the `machine` is. `why` says why the fresh process could not tell.
    """

    kind: DoubtKind
    amount: float = 0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondCollection:
    """The middles of two collections of a noisy metric, and the largest value that the budget allows, if any."""

    first: float
    second: float
    ceiling: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshProcess:
    """The first use that so many tests paid in a process of their own, and its growth above the ledger there.

    `before` is the growth in the process of all tests. All amounts are in bytes.
    """

    tests: int
    paid: float
    growth: float
    before: float


class MismatchKind(StrEnum):
    """What differs between a baseline and a measurement that cannot be compared."""

    UNIT = "unit"
    CONDITIONS = "conditions"  # of this one value: the browser's version, the machine
    HEADER = "header"  # of the whole baseline file: the allocator, memray's version


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """How a baseline was measured (`there`) and how this value was (`here`): only the parts that differ.

    A key is absent on the side that does not know it. `file` is the baseline file, if the mismatch concerns all of it.
    """

    kind: MismatchKind
    there: Mapping[str, str] = field(default_factory=dict)
    here: Mapping[str, str] = field(default_factory=dict)
    file: str = ""


class Cause(StrEnum):
    """Reasons that need no amounts of their own."""

    LOWER = "lower"  # by more than the budget: the baseline can be lowered
    FIRST_USE = "first use"  # what is over the budget may be another test's to pay, in another order
    ONLY_FIRST_RUN = "only first run"  # left something behind, and there could be no second one
    NO_BUDGET = "no budget"  # for a metric that has a baseline
    NOT_COLLECTED = "not collected"  # a test with a baseline
    NOT_GIVEN = "not given"  # a metric with a baseline, by its test


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedWaiver:
    """A waiver for a value that is over its budget.

    `until` is a date as 2027-01-31; `ceiling` is in `unit`, empty for a plain number; `source` is where the waiver
    stands. `covers` is False where the value is over the ceiling, too.
    """

    until: str
    reason: str
    source: str
    ceiling: float
    unit: str = SIZE
    covers: bool = True
