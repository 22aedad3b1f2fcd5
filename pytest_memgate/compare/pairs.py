"""Whether something became slower: paired times of a base and a head, looked at until a verdict in three is certain.

A pair is measured at one moment, so what slows the machine slows both. The median of the pairs' ratios is bounded by
order statistics: no distribution of the times is assumed. Each look at the pairs may spend a part of the error that is
allowed in all.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum
from statistics import median

LOOKS = (10, 20, 40, 80)  # pairs after which a verdict may come
_SPENT = (0.05, 0.15, 0.3, 0.5)  # share of the error at each look; chosen


class Answer(Enum):
    """The verdict in three."""

    SLOWER = "slower"  # for certain by more than the limit
    WITHIN = "within"  # the limit, for certain
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What pairs say: head over base as a ratio, with its certain bounds, which may be 0 and infinite.

    `base` and `head` are the medians of both sides, and `heads` all times of the head, in their unit.
    """

    answer: Answer
    pairs: int
    ratio: float
    low: float
    high: float
    base: float
    head: float
    heads: tuple[float, ...]


Plan = Generator[None, tuple[float, float], Paired]


def measure_pairs(limit: float, error: float) -> Plan:
    """Return the verdict on whether head takes more than `limit` times as long as base: a plan that asks for pairs.

    It is sent the times of base and head. `error` is the probability of a wrong verdict, on either side.
    """
    times: list[tuple[float, float]] = []
    for look, share in zip(LOOKS, _SPENT, strict=True):
        while len(times) < look:
            times.append((yield))
        logs = sorted(math.log(head / base) for base, head in times)
        outside = _outside(len(logs), share * error)
        low = logs[outside - 1] if outside else -math.inf
        high = logs[-outside] if outside else math.inf
        if low > math.log(limit):
            answer = Answer.SLOWER
        elif high < math.log(limit):
            answer = Answer.WITHIN
        else:
            answer = Answer.UNDECIDED
        if answer is not Answer.UNDECIDED:
            break
    base = median(one for one, _ in times)
    ratio = math.exp(median(logs))
    return Paired(
        answer=answer,
        pairs=len(times),
        ratio=ratio,
        low=math.exp(low),
        high=math.exp(high),
        base=base,
        head=base * ratio,
        heads=tuple(head for _, head in times),
    )


def _outside(number: int, error: float) -> int:
    """Return how many of the ordered values may lie beyond the bound of their median, on one side, at most."""
    probability, outside = 0.0, 0
    while True:
        probability += math.comb(number, outside) / 2**number
        if probability > error:
            return outside
        outside += 1
