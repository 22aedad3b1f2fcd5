"""Whether a service's heap grows with each request: its bytes after series of requests in, a verdict in three out.

A series is cut into twenty blocks of requests. The heap after each block of its second half is held against that of ten
blocks before: ten comparisons, each over half of the series. If the noise of the heap is as likely to raise as to lower
one, all of ten are on one side of the truth once in 1024 times: so the least of them is a lower bound of what a request
leaves, and the largest an upper bound, whatever the distribution.

A cache that fills grows, too, and so does what rises and falls with the load: only what grows in every third of a
series, and as much in one twice as long, and in one twice as long again, is a leak.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import median

BLOCKS = 20  # of a series; half of them are compared with the other half, for a chance of 1/1024 on each side
LONGER = (1, 2, 4)  # lengths of the series, as multiples of the first one; chosen: docs/services.md, "The verdict"
# Of the rate in the series before; less is a growth that slows down. Tables grow by steps, of a quarter of all in Go,
# so that the third of a series may have few of a leak's bytes. Chosen; benchmarks/soak.py holds them.
_STEADY = 0.5  # in the whole series
_THIRD_STEADY = 0.25  # in each third of it
_PILOT = 25  # the part of the first series that is sent before it, to see how much a request keeps; chosen
_MOST = 512_000_000  # bytes that all series may add, as far as the pilot tells; chosen for a small runner
_THIRD = BLOCKS // 3


class Answer(StrEnum):
    """The three verdicts on a service."""

    LEAK = "leak"
    NONE = "no leak"  # above the upper bound
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """What one request leaves behind, in bytes: at least `low`, at most `high`, `rate` by the last series.

    `requests` is the number of requests in the last series, `sent` that in all. `slows` is True if it grew less and
    less.
    """

    answer: Answer
    low: float
    high: float
    rate: float
    requests: int
    sent: int
    slows: bool = False


@dataclass(frozen=True, slots=True)
class _Series:
    """The heap in bytes before the first block and after each one, each of `block` requests."""

    block: int
    heap: tuple[float, ...]

    @property
    def rates(self) -> list[float]:
        """The bytes a request of each of the ten comparisons, the least first."""
        half = BLOCKS // 2
        return sorted((self.heap[at + half] - self.heap[at]) / (half * self.block) for at in range(1, half + 1))

    @property
    def rate(self) -> float:
        """The bytes a request over the whole series."""
        return (self.heap[-1] - self.heap[0]) / (BLOCKS * self.block)

    @property
    def thirds(self) -> list[float]:
        """The bytes a request in each third, from the end: the first blocks are left out where it does not divide."""
        ends = [BLOCKS - _THIRD * number for number in range(4)]
        return [(self.heap[end] - self.heap[start]) / (_THIRD * self.block) for end, start in pairwise(ends)]


def measure_soak(requests: int, limit: float) -> Generator[int, float, Soak]:
    """Ask for blocks of requests until it is known whether one request leaves more than `limit` bytes; return that.

    Each number yielded is sent as so many requests, and the answer is the heap in bytes after them; the first one is 0.
    The first series has about `requests` of them, the longest four times as many; all have fewer where a request keeps
    so much that the machine's memory could end before the last series.
    """
    before = yield 0
    pilot = max(1, requests // _PILOT)
    heap = yield pilot
    kept = max((heap - before) / pilot, 1e-9)
    requests = min(requests, max(BLOCKS, int(_MOST / kept / sum(LONGER))))
    series: list[_Series] = []
    for times in LONGER:
        block = max(1, round(requests * times / BLOCKS))
        held = [heap]
        for _ in range(BLOCKS):
            held.append((yield block))  # noqa: PERF401  # extend() would not pass on what is sent
        heap = held[-1]
        series.append(_Series(block, tuple(held)))
        soak = _judged(series, limit)
        if soak.answer is Answer.NONE:
            break
    return soak


def _judged(series: list[_Series], limit: float) -> Soak:
    last, sent = series[-1], sum(one.block * BLOCKS for one in series)
    rates = last.rates
    low, high = rates[0], max(0.0, rates[-1])
    grew = len(series) > 1 and series[-2].rates[0] > limit
    before = series[-2].rate if grew else 0.0
    slows = grew and (last.rate < _STEADY * before or min(last.thirds) < _THIRD_STEADY * before)
    stays = len(series) == len(LONGER) and all(min(one.rates[0], *one.thirds) > limit for one in series)
    answer = Answer.NONE if high <= limit else Answer.LEAK if stays and not slows else Answer.UNDECIDED
    return Soak(
        answer=answer,
        low=low if answer is Answer.LEAK else 0,
        high=high,
        rate=max(0.0, median(rates)),
        requests=last.block * BLOCKS,
        sent=sent,
        slows=slows,
    )
