"""How much values vary while nothing changes, and which budgets and false alarms follow from that."""

import math
from collections.abc import Sequence
from itertools import combinations, pairwise
from statistics import NormalDist, median

from pytest_memgate.compare.agreement import agree

CONFIDENCE = 0.95  # of the bounds that calibrate reports; the usual one in statistics
_LEAST = 1e-300  # below it, a float has fewer than two digits left
_RARE = 1 / 2000  # how often noise alone may exceed a suggested budget; chosen


def worst_difference(values: Sequence[float]) -> float:
    """Return the largest difference between two runs of the unchanged code, in the unit of `values`."""
    return max(values, default=0) - min(values, default=0)


def usual_difference(values: Sequence[float]) -> float:
    """Return the median difference between any two runs, in the unit of `values`; 0 for fewer than two."""
    return median([abs(one - other) for one, other in combinations(values, 2)] or [0])


def margin(runs: int) -> float:
    """Return the factor by which a budget has to exceed the worst difference of so many runs.

    The gate compares two values, of a baseline and of a run. If the noise were normal, their difference would exceed
    3.3 of its standard deviations once in 2,000 comparisons. The range of `runs` values estimates that deviation: for
    five values it is 2.33 deviations of one value on average, so the margin is 2.0. Fewer runs need a larger one. The
    margin is never below 1: a difference that was seen is allowed.
    """
    deviations = NormalDist().inv_cdf(1 - _RARE)
    return max(1.0, deviations * math.sqrt(2) / _mean_range(runs))


def _mean_range(count: int) -> float:
    """Return the mean range of `count` standard normal values: the integral of 1 - F(x)^n - (1 - F(x))^n over x."""
    normal = NormalDist()
    step = 0.01
    below = (normal.cdf(-8 + step * place) for place in range(int(16 / step) + 1))
    heights = [1 - part**count - (1 - part) ** count for part in below]
    return sum(step * (one + other) / 2 for one, other in pairwise(heights))


def smallest_budget(values: Sequence[float], *, near_exact: bool) -> float:
    """Return the smallest growth budget that holds for these values of unchanged code, in their unit.

    For memory (`near_exact`), the tolerance of the settle rule is added: two runs that differ by no more have agreed,
    and an update leaves a baseline that is so far off as it is.
    """
    noise = margin(len(values)) * worst_difference(values) if len(values) > 1 else 0
    return rounded_up(noise + (_same(max(values)) if near_exact else 0))


def rounded_up(amount: float) -> float:
    """Return the next larger number with two significant digits."""
    if amount < _LEAST:
        return _LEAST if amount > 0 else 0.0
    step = 10.0 ** (math.floor(math.log10(amount)) - 1)
    return float(f"{math.ceil(round(amount / step, 9)) * step:.12g}")


def _same(value: float) -> float:
    """Return the most that a value can rise by and still agree with what it was."""
    low, high = 0.0, 4000 + 0.02 * value
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if agree(value, value + middle) else (low, middle)
    return round(low, 3)


def upper_bound(events: int, runs: int) -> float:
    """Return the largest rate, from 0 to 1, that so many `events` in `runs` leave possible at 95 % confidence.

    It is the one-sided bound of Clopper and Pearson: the rate at which so few events, or fewer, would be seen in one of
    twenty series of runs. Without an event it is 1 - 0.05^(1/runs), about 3 / runs.
    """
    if events >= runs:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        low, high = (rate, high) if _at_most(events, runs, rate) > 1 - CONFIDENCE else (low, rate)
    return high


def _at_most(events: int, runs: int, rate: float) -> float:
    return sum(math.comb(runs, count) * rate**count * (1 - rate) ** (runs - count) for count in range(events + 1))


def runs_needed(rate: float) -> int:
    """Return how many runs without an event prove, at 95 % confidence, that events are rarer than `rate`."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - rate))
