"""Which tests one tracker may settle together, from their baselines and from the memory that earlier groups left."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

MOST = 24  # tests in a group, as many reports wait for each other; chosen
_FIRST_GUESS = 8_000.0  # bytes that a test leaves, before a group has been seen; chosen
_LOOKED_AT = 15  # groups whose median is used; chosen


@dataclass(frozen=True, slots=True)
class Known:
    """A test's baseline, in bytes: its `peak`, and the largest bound of it, and of its retained bytes, that passes."""

    peak: float
    room: int
    held_room: int


class Outlook:
    """Predicts whether a group will settle its tests, from the bytes that tests of earlier groups left."""

    def __init__(self) -> None:
        self._kept: deque[float] = deque([_FIRST_GUESS] * _LOOKED_AT, maxlen=_LOOKED_AT)
        self._each = _FIRST_GUESS

    def settles(self, tests: Sequence[Known]) -> bool:
        """True if one tracker over all of the tests is expected to settle each of them."""
        if len(tests) > MOST:
            return False
        sizes = (max(one.peak, self.probe_size(tests, number)) for number, one in enumerate(tests))
        peak = max(size + self._before(number + 1) for number, size in enumerate(sizes))
        return all(peak - self._before(number) <= one.room for number, one in enumerate(tests))

    def probe_size(self, tests: Sequence[Known], number: int) -> int:
        """Return the bytes to map at the end of the test `number`; `tests` has one later test at most.

        If the group's peak then settles the peak of each test, it is expected to settle the retained bytes of this one,
        too.
        """
        room = min(one.room for one in tests[: number + 2])
        return max(0, int(room - tests[number].held_room - self._before(number)))

    def learn(self, kept: float) -> None:
        """Take in the bytes that a test of a group has left until its end, in pytest and in wider fixtures."""
        self._kept.append(kept)
        self._each = median(self._kept)

    def _before(self, number: int) -> float:
        """Return the bytes that so many tests are expected to leave."""
        return number * self._each
