"""Remarks on a measurement besides its numbers, as values."""

from dataclasses import dataclass
from enum import StrEnum


class RemarkKind(StrEnum):
    """The kinds of remarks."""

    PROCESSES = "processes"  # `amounts` has their number, `names` the first of their programs; none if not measured
    THREADS = "threads"  # ran beside the test: `amounts` has their number, `names` the first of them
    NOT_REPEATABLE = "not repeatable"  # `text` says why
    OTHER_WORK = "other work"  # in later runs, which need far more: `amounts` has the first run's bytes, then theirs
    ROUNDS = "rounds"  # of a benchmark: `amounts` has their number
    RUNS = "runs"  # `amounts` has what each of them left behind, the first run first
    PAIRS = "pairs"  # of times: `amounts` has their number, the ratio of head to base, its least and its most (or 0)
    CONTROL = "control"  # pairs of the base with itself: `amounts` has 1 if they call it slower, else 0
    LOADS = "loads"  # of a page, in pairs: `amounts` has their number, the growth and its bounds, `text` the unit
    SOAK = "soak"  # `amounts` has the least and the most bytes a request, and the requests; `text` what was looked at
    TEXT = "text"  # `text`, in the words of the tool that measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One remark on a measurement; which of its fields are filled in depends on the kind."""

    kind: RemarkKind
    text: str = ""
    names: tuple[str, ...] = ()
    amounts: tuple[float, ...] = ()


def remarks_of(texts: tuple[str, ...]) -> tuple[Remark, ...]:
    """Return the texts that a tool gave with its measurement, as remarks."""
    return tuple(Remark(kind=RemarkKind.TEXT, text=text) for text in texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedCalls:
    """How a leak was looked for, and how sure the answer is.

    `calls` is the number of calls in all `series`, after `warmup` calls that do not count. Of `blocks` comparisons at
    the site with the strongest evidence, `grew` were growth; both are 0 if nothing `grows`. `confidence` is that of
    this growth if the leak `is_certain`. If one series left nothing, `share` is the largest share of calls that may
    leave something all the same, at a confidence of 95 %. Both are from 0 to 1.
    """

    calls: int
    series: int
    warmup: int
    grows: bool = False
    grew: int = 0
    blocks: int = 0
    is_certain: bool = False
    confidence: float = 0
    share: float = 0
