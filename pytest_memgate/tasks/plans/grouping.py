"""Which tests one tracker may settle together: what is known of each, and how much the tracker will see.

It follows from the baseline alone, not from the clock: so one commit gives the same groups in each run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MOST = 24  # tests in a group: so many reports wait for each other
_EACH = 5_000  # bytes of large blocks that a test leaves until its group is told of: what 1,373 tests of networkx do


@dataclass(frozen=True, slots=True)
class Known:
    """A test's baseline, in bytes: its `peak`, and the largest bound of it, and of its retained bytes, that passes."""

    peak: float
    room: int
    held_room: int


class Outlook:
    """Foretells whether a group will settle its tests, from the bytes that each is expected to leave until its end."""

    def __init__(self, each: float = _EACH) -> None:
        self._each = each

    def settles(self, tests: Sequence[Known]) -> bool:
        """True if one tracker over all of the tests is expected to settle each."""
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

    def _before(self, number: int) -> float:
        """Return the bytes that so many tests are expected to leave."""
        return number * self._each
