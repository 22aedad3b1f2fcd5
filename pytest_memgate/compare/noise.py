"""How much of a growth the spread of samples explains by itself."""

import math
from collections.abc import Sequence
from statistics import median, median_low

_STEADY = 1.1  # paces of a machine that does nothing else differ by less; chosen
_MARGIN = 1.25  # chosen: docs/concepts.md, "Exact, near-exact, noisy"; benchmarks/pages.py holds it


def explained(base: Sequence[float], head: Sequence[float]) -> float:
    """Return the growth that the spread of the samples explains without any change of the code, in their unit.

    A baseline is doubted upwards: from its median to the sample just above its third quartile (with few samples, the
    largest). New values are doubted downwards: from their first quartile up to their median. The sum is multiplied by
    1.25. So a page that loads in one of two ways, with a baseline in the quick one, is told from a page that has become
    slow.
    """
    above = upper(base) - median_low(base) if base else 0
    below = median(head) - _at(head, math.ceil(0.25 * len(head))) if head else 0
    return _MARGIN * (above + below)


def alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """True if the spread of two sets of samples explains the difference of their medians."""
    if not (one and other):
        return False
    apart = abs(median_low(one) - median_low(other))
    return apart <= max(explained(one, other), explained(other, one))


def upper(samples: Sequence[float]) -> float:
    """Return the sample just above the third quartile: the largest of few samples, no outlier of many."""
    return _at(samples, math.ceil(0.75 * len(samples)) + 1)


def spread(samples: Sequence[float]) -> float:
    """Return the difference between the largest and the smallest sample, 0 for none."""
    return max(samples, default=0) - min(samples, default=0)


def times_slower(before: Sequence[float], now: Sequence[float]) -> float:
    """Return how many times slower a machine has become, by its paces; 1 if it has not, or if nobody looked.

    Its slowest pace now counts: the work that is timed may have met the same.
    """
    if not (before and now):
        return 1.0
    ratio = max(now) / median(before)
    return ratio if ratio > _STEADY else 1.0


def _at(samples: Sequence[float], place: int) -> float:
    return sorted(samples)[min(max(place, 1), len(samples)) - 1]
