"""Which tests one tracker may settle together: what is known of each, and how much the tracker will see."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from pytest_memgate.compare.gate import ceiling
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.metric import MEMORY_PEAK, MEMORY_RETAINED
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.gate import Gate

MOST = 8  # tests in a group: so many reports wait for each other
_FIRST_GUESS = 8_000  # bytes
_LOOKED_AT = 15  # groups
_AMPLE = 1_000_000  # bytes above its baseline, for what nothing bounds


@dataclass(frozen=True, slots=True)
class Known:
    """What a test's baseline says, in bytes: its `peak`, and what a bound of it, or of what it retains, may come to."""

    peak: float
    room: int
    held_room: int


def known(gate: Gate, subject: Subject) -> Known | None:
    """Return what is known of a test, None where a bound cannot settle it: it is measured on its own.

    That is a test that is new or not comparable, whose baseline cannot be read, or that cannot run twice: should its
    group not settle it, nothing else would.
    """
    found = []
    for metric in (MEMORY_PEAK, MEMORY_RETAINED):
        try:
            reference = gate.baselines.bar(subject, metric.name).reference
        except BaselineError:
            return None
        if reference is None or not reference.repeatable:
            return None
        top = ceiling(gate.budget(subject, metric.name, {}), reference)
        found.append((reference.value, int(reference.value + _AMPLE if top is None else top)))
    (peak, room), (_, held_room) = found
    return Known(peak, room, held_room)


def probe_size(tests: Sequence[Known], number: int) -> int:
    """Return how many bytes to map at the end of a test, by its number; of those behind it one at most is known.

    Should the group's peak then be within the room of each, what this one retains is so, too.
    """
    return max(0, min(one.room for one in tests[: number + 2]) - tests[number].held_room)


class Outlook:
    """Foretells whether a group will settle its tests, from what earlier groups had above what was known of theirs."""

    def __init__(self) -> None:
        self._kept: deque[float] = deque([_FIRST_GUESS] * _LOOKED_AT, maxlen=_LOOKED_AT)

    def settles(self, tests: Sequence[Known]) -> bool:
        """Say whether one tracker over all of the tests is expected to settle each."""
        if len(tests) > MOST:
            return False
        return _known_peak(tests) + len(tests) * median(self._kept) <= min(one.room for one in tests)

    def learn(self, tests: Sequence[Known], peak: float) -> None:
        """Take in what a group's peak was: pytest and wider fixtures keep something from test to test."""
        if len(tests) > 1:
            self._kept.append(max(0.0, peak - _known_peak(tests)) / len(tests))


def _known_peak(tests: Sequence[Known]) -> float:
    """Return what the tracker sees at least of tests that are as they were."""
    return max(max(one.peak, probe_size(tests, number)) for number, one in enumerate(tests))
