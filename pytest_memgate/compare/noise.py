"""What samples of a noisy metric prove: how much of a growth they explain by themselves."""

import math
from collections.abc import Sequence
from statistics import median, median_low

_MARGIN = 1.25


def explained(base: Sequence[float], head: Sequence[float]) -> float:
    """Return the growth that the spread of the samples explains without any change of the code.

    A baseline is doubted upwards and a new value downwards: the distance from the baseline's median to the sample just
    above its third quartile (with few samples, the largest), and from the first quartile of the new samples up to their
    median. A page that loads in one of two ways, so that a baseline may sit in the quick one, is told by it from a page
    that has become slow.
    """
    above = upper(base) - median_low(base) if base else 0
    below = median(head) - _at(head, math.ceil(0.25 * len(head))) if head else 0
    return _MARGIN * (above + below)


def alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Say whether the spread of two sets of samples explains what their medians differ by."""
    if not (one and other):
        return False
    apart = abs(median_low(one) - median_low(other))
    return apart <= max(explained(one, other), explained(other, one))


def upper(samples: Sequence[float]) -> float:
    """Return the sample just above the third quartile: with few samples the largest, with many no stray one."""
    return _at(samples, math.ceil(0.75 * len(samples)) + 1)


def spread(samples: Sequence[float]) -> float:
    return max(samples, default=0) - min(samples, default=0)


def _at(samples: Sequence[float], place: int) -> float:
    return sorted(samples)[min(max(place, 1), len(samples)) - 1]
