"""How sure a confirmation has to be, so that false ones stay within what a month may have."""

import math
from dataclasses import dataclass

from pytest_memgate.compare.history.changes import CONFIRMED, REFUTED, UNDECIDED
from pytest_memgate.compare.pairs import Answer
from pytest_memgate.model.history_change import HistoryChange

MOST_FALSE = 1.0  # false changes a month over all series; chosen
_MOST_ERROR = 0.005  # of one confirmation: a sure answer costs few pairs more; chosen
_LEAST_SHARE, _MOST_SHARE = 0.02, 0.05  # of the old level, that the new one has to exceed it by; chosen
_VERDICTS = {Answer.SLOWER: CONFIRMED, Answer.WITHIN: REFUTED, Answer.UNDECIDED: UNDECIDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What pairs of two commits say of a change: the verdict, their number, the ratio of both, and its bounds."""

    answer: Answer
    pairs: float
    ratio: float
    low: float
    high: float

    @property
    def verdict(self) -> float:
        """The verdict as events keep it."""
        return _VERDICTS[self.answer]


def error_of(number: int, most_false: float = MOST_FALSE) -> float:
    """Return the probability with which the `number`th confirmation of a month, from 1, may be false.

    The sum over any number of them is no more than `most_false`: 6/pi^2 is one by the sum of 1/n^2.
    """
    return min(_MOST_ERROR, most_false * 6 / (math.pi * number) ** 2)


def processes_for(error: float) -> int:
    """Return in how many processes a near-exact value has to be higher, so that chance explains it by `error` at most.

    Of two commits whose values are one of two, by chance, one is higher in a quarter of them at most.
    """
    return math.ceil(math.log(error) / math.log(1 / 4))


def least_share(change: HistoryChange) -> float:
    """Return the share by which the higher of both commits has to exceed the other: half of what was seen, limited."""
    lower, higher = sorted((change.before, change.after))
    return max(_LEAST_SHARE, min(_MOST_SHARE, (higher / lower - 1) / 2)) if lower > 0 else _MOST_SHARE
