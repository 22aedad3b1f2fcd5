"""The shape of a series as a short text: a letter a place, by height, and a space where no value is known."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from pytest_memgate.model.history import Chart

PLACES = 30
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LEAST_RANGE = 0.05  # of the largest value: noise below it is no mountain; chosen


def sampled(measured: Sequence[int], length: int) -> tuple[int | None, ...]:
    """Return the last measured position in each of the places that a line of `length` commits is divided in."""
    places = min(PLACES, length)
    ends = [(place + 1) * length // places for place in range(places)]
    starts = [0, *ends[:-1]]
    found: list[int | None] = []
    for start, end in zip(starts, ends, strict=True):
        at = bisect_left(measured, end) - 1
        found.append(measured[at] if at >= 0 and measured[at] >= start else None)
    return tuple(found)


def spark(chart: Chart, places: Sequence[int | None]) -> str:
    """Return the text of a series at some positions; a bound is no value."""
    positions = [step.position for step in chart.steps]
    values = [None if place is None else _value(chart, bisect_right(positions, place)) for place in places]
    known = [value for value in values if value is not None]
    if not known:
        return ""
    high = max(known)
    low = min(*known, high - abs(high) * _LEAST_RANGE) if len(known) > 1 else high
    return "".join(" " if value is None else _letter(value, low, high) for value in values).rstrip()


def _value(chart: Chart, after: int) -> float | None:
    return chart.steps[after - 1].level.value if after else None


def _letter(value: float, low: float, high: float) -> str:
    top = len(LETTERS) - 1
    return LETTERS[round((value - low) / (high - low) * top) if high > low else top // 2]
