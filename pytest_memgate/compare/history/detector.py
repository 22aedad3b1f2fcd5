"""A quick look at a noisy series: where it may have moved. What it proposes is measured again before anybody is told.

Levels are logarithms, so that noise is a share of the value. Two questions are asked at each commit: do the last three
lie far beyond what came before, on one side (a step), and has the middle of the last eight left what came before by
more than chance has it (a creep)? The noise is told by the differences between values five commits apart, without the
largest ones: a slope shifts all of them alike, so it does not enter. Values that follow each other closely make the
middle of eight less certain; their correlation at one commit's distance is taken into account.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_LAST = 3  # commits of a step
_BEYOND, _HALF_BEYOND = 1.7, 2.4  # times the noise that all of them lie beyond, and two; benchmarks/history_changes.py
_MANY, _CERTAIN = 8, 3.6  # commits of a creep, and standard errors that their middle lies beyond; the same
_BEFORE, _LONG_BEFORE = 20, 30  # commits before them that they are held against; chosen
_FEWEST = 5  # commits of a level that can be left; chosen
_APART = 5  # commits between two values whose difference tells the noise; chosen
_LEARN, _LEARN_FROM = 12, 100  # commits to know the noise by, at least and at most; chosen
_RELEARN = 5  # commits after which the noise is estimated anew
_QUIET = 10  # commits for which a refuted direction is not proposed again; chosen
_LEAST = 0.02  # the share of a level that is worth a measurement; chosen: compare's own noise is of that order
_LEAST_CREEP = 0.03  # a smaller one cannot be confirmed yet, and would not be asked again soon; chosen
_SHARP = 5  # times a step rises as much as what came just before it; chosen
_NOISE_FLOOR = 0.002  # of a level; chosen: values are kept with four digits
_KEPT = 0.9  # of the differences, the smallest ones: the others may be spikes; chosen
_NORMAL = 1.5213  # from the mean of the smallest nine tenths of all deviations to a normal distribution's own
_MOST_CORRELATED = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place where a series may have moved: indices of the last value before and the first after, and both levels.

    `found` is the index of the value at which it was seen.
    """

    before_index: int
    index: int
    found: int
    before: float
    after: float

    @property
    def is_growth(self) -> bool:
        """True if the new level is above the old one."""
        return self.after > self.before

    @property
    def is_creep(self) -> bool:
        """True if it was told by the middle of many values: the change may have come with any of them."""
        return self.index - self.before_index >= _MANY


IsRefuted = Callable[[Candidate], bool]


def candidates(values: Sequence[float], is_refuted: IsRefuted = lambda _: False) -> list[Candidate]:
    """Return where a series may have moved, in order; those that are refuted are left out, and no new level begins."""
    detector = Detector()
    found = []
    for value in values:
        candidate = detector.add(value)
        if candidate is None:
            continue
        if is_refuted(candidate):
            detector.refute(candidate)
        else:
            detector.accept(candidate)
            found.append(candidate)
    return found


class Detector:
    """Looks at the values of one series, one after the other."""

    def __init__(self) -> None:
        self._logs: list[float] = []
        self._start = 0  # of the present level
        self._noise = 0.0
        self._inflation = 1.0  # of the variance of a mean, by correlation
        self._learned = -_RELEARN
        self._quiet: dict[tuple[bool, bool], int] = {}  # up to which index, by direction and kind

    def add(self, value: float) -> Candidate | None:
        """Return a candidate that ends at the new value, if there is one; say then what has become of it."""
        logs = self._logs
        logs.append(math.log(value) if value > 0 else logs[-1] if logs else 0.0)
        if len(logs) < _LEARN:
            return None
        if len(logs) - self._learned >= _RELEARN:
            self._learn()
        step, creep = self._step(), self._creep()
        return step if step and (creep is None or self._is_sharp(step)) else creep

    def _is_sharp(self, step: Candidate) -> bool:
        """True if the values just before a step are still at the old level: otherwise it is a part of a creep."""
        level, after = math.log(step.before), math.log(step.after)
        return abs(median(self._logs[-_MANY:-_LAST]) - level) <= abs(after - level) / _SHARP

    def accept(self, candidate: Candidate) -> None:
        """Begin a new level."""
        self._start = candidate.index if candidate.found - candidate.index < _MANY else candidate.found - _MANY // 2

    def refute(self, candidate: Candidate) -> None:
        """Stay on the old level, and propose no more steps, or creeps, in this direction for a while."""
        self._quiet[candidate.is_growth, candidate.is_creep] = candidate.found + _QUIET

    def _step(self) -> Candidate | None:
        logs = self._logs
        cut = len(logs) - _LAST
        if cut - self._start < _FEWEST:
            return None
        before = logs[max(self._start, cut - _BEFORE) : cut]
        low, after, high = sorted(logs[cut:])
        level = median(before)
        nearest, noise = max(low - level, level - high), self._noise * math.sqrt(1 + 1.57 / len(before))
        if nearest <= _BEYOND * noise or abs(after - level) <= max(_HALF_BEYOND * noise, _LEAST):
            return None
        if self._is_quiet(after > level, is_creep=False):
            return None
        return self._candidate(self._last_before(cut, level, after), cut, level, after)

    def _creep(self) -> Candidate | None:
        logs = self._logs
        cut = len(logs) - _MANY
        if cut - self._start < _FEWEST:
            return None
        before = logs[max(self._start, cut - _LONG_BEFORE) : cut]
        some = sorted(logs[cut:])[2:-2]
        level, after = median(before), sum(some) / len(some)
        error = self._noise * math.sqrt((1.1 / _MANY + 1.57 / len(before)) * self._inflation)
        if abs(after - level) <= max(_CERTAIN * error, _LEAST_CREEP) or self._is_quiet(after > level, is_creep=True):
            return None
        return self._candidate(cut - 1, len(logs) - 1, level, after)

    def _candidate(self, before_index: int, index: int, level: float, after: float) -> Candidate:
        return Candidate(
            before_index=before_index,
            index=index,
            found=len(self._logs) - 1,
            before=math.exp(level),
            after=math.exp(after),
        )

    def _last_before(self, cut: int, level: float, after: float) -> int:
        """Return the last index before `cut` that is nearer to the old level: one beside it may be of either."""
        middle, last = (level + after) / 2, cut - 1
        while last > max(self._start, cut - _LAST) and (self._logs[last] > middle) == (after > level):
            last -= 1
        return last

    def _is_quiet(self, is_growth: bool, *, is_creep: bool) -> bool:
        return len(self._logs) - 1 <= self._quiet.get((is_growth, is_creep), -1)

    def _learn(self) -> None:
        """Estimate the noise, and how closely values follow each other, from before the last few."""
        logs = self._logs
        self._learned = len(logs)
        some = logs[-_LEARN_FROM - _MANY : -_MANY] if len(logs) >= _LEARN + _MANY + _APART else logs
        apart = [later - earlier for earlier, later in zip(some, some[_APART:], strict=False)]
        middle = median(apart)
        spreads = sorted(abs(one - middle) for one in apart)[: math.ceil(_KEPT * len(apart))]
        self._noise = max(_NORMAL * sum(spreads) / len(spreads) / math.sqrt(2), _NOISE_FLOOR)
        level = logs[self._start : -_MANY][-_LEARN_FROM:]
        if len(level) >= 3 * _LEARN:
            self._inflation = _inflation(level, self._noise)


def _inflation(level: Sequence[float], noise: float) -> float:
    """Return by how much correlation raises the variance of a mean; far values count as three times the noise."""
    middle, most = median(level), 3 * noise
    clipped = [max(-most, min(most, one - middle)) for one in level]
    squares = sum(one * one for one in clipped)
    products = sum(one * other for one, other in pairwise(clipped))
    correlation = max(0.0, min(_MOST_CORRELATED, products / squares)) if squares else 0.0
    return (1 + correlation) / (1 - correlation)
