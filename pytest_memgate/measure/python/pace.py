"""How fast this machine is just now: the time of a fixed work, beside which other times are taken."""

import time
from collections.abc import Callable
from statistics import median

_STEPS = 20_000  # of the fixed work in one round, at least; about a millisecond
_ROUNDS = 7
_LONGEST = 0.02  # seconds of one round; chosen


def pace(seconds: float) -> float:
    """Return the nanoseconds that one step of the fixed work takes, in the median of some rounds.

    A round takes about so many `seconds`, as those of a benchmark do, up to 20 ms: what interrupts these at times
    interrupts it as often.
    """
    first = _timed(_STEPS)
    steps = max(_STEPS, round(_STEPS * min(seconds, _LONGEST) / first))
    return median(_timed(steps) / steps for _ in range(_ROUNDS)) * 1e9


def _timed(steps: int, clock: Callable[[], float] = time.perf_counter) -> float:  # bound, as tests replace clocks
    start = clock()
    total, kept = 0, []
    for number in range(steps):
        total += number * number % 7
        if not number % 64:
            kept.append(total)
    return clock() - start
