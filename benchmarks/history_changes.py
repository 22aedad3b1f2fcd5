"""How many false changes simulated months of a history confirm, and how soon real ones are found.

A month is 20 commits on each of 22 days, all measured, after 100 commits of before: 440 looks at each series. Of 3,000
series in which nothing changes, a third has normal noise of 2 %, a third lognormal noise of 5 % with spikes in one of
twenty values, a third normal noise that is correlated from commit to commit (0.5). What the detector proposes is
confirmed as `memgate history confirm` does it: by its own plan of pairs, its own error and its own least growth; the
pairs are drawn with noise of 3 %. Steps of 5 standard deviations have three commits to be found and confirmed in;
a creep of 1 % a commit, beside noise of 2 %, has to be found and confirmed before it has reached 10 %.

Prints the shares last; exits with 1 unless the false changes are within what `memgate history check` prints, and 95 %
of the steps and of the creeps are found.
"""

import argparse
import math
import random
import sys
import time

from bench_common import say

from pytest_memgate.compare.history.confirmation import MOST_FALSE, error_of, least_share
from pytest_memgate.compare.history.detector import Candidate, Detector
from pytest_memgate.compare.pairs import Answer, measure_pairs
from pytest_memgate.model.history import Series
from pytest_memgate.model.history_change import HistoryChange
from pytest_memgate.model.subject import Subject

_BEFORE, _MONTH = 100, 440
_PAIRS_NOISE = 0.03
_SERIES = Series(subject=Subject("test_a.py", "test_it"), metric="time.median", unit="ms", machine="m")
_SHARE_FOUND = 0.95


class Noise:
    """Values around 100, and the same a step of so many standard deviations higher."""

    def __init__(self, kind: str, dice: random.Random) -> None:
        self.kind = kind
        self._dice = dice
        self._last = 0.0

    def value(self, sigmas: float = 0) -> float:
        dice = self._dice
        if self.kind == "normal":
            return 100 + dice.gauss(2 * sigmas, 2)
        if self.kind == "correlated":
            self._last = 0.5 * self._last + dice.gauss(0, 2)
            return 100 + self._last + sigmas * 2 / math.sqrt(0.75)
        spike = 1 + dice.expovariate(1 / 0.3) if dice.random() < 0.05 else 1
        return 100 * math.exp(dice.gauss(0.05 * sigmas, 0.05)) * spike

    def ratio(self, sigmas: float) -> float:
        """What the code takes after the step, as a multiple of before."""
        if self.kind == "spiky":
            return math.exp(0.05 * sigmas)
        return 1 + sigmas * 0.02 * (1 if self.kind == "normal" else 1 / math.sqrt(0.75))


KINDS = ("normal", "spiky", "correlated")


def confirmed(candidate: Candidate, ratio: float, number: int, dice: random.Random) -> bool:
    """True if pairs of two commits confirm a candidate, the `number`th of the month; `ratio` is the truth."""
    change = HistoryChange(
        series=_SERIES, before_position=0, position=1, commit="0" * 40, before=candidate.before, after=candidate.after
    )
    truth = ratio if candidate.is_growth else 1 / ratio
    plan = measure_pairs(1 + least_share(change), error_of(number))
    next(plan)
    while True:
        try:
            plan.send((math.exp(dice.gauss(0, _PAIRS_NOISE)), truth))
        except StopIteration as end:
            return bool(end.value.answer is Answer.SLOWER)


def month(series: int, dice: random.Random) -> tuple[dict[str, int], int]:
    """Return how many candidates each kind of series has in a month without a change, and how many are confirmed."""
    candidates, false, number = dict.fromkeys(KINDS, 0), 0, 0
    for one in range(series):
        noise, detector = Noise(KINDS[one % len(KINDS)], dice), Detector()
        for at in range(_BEFORE + _MONTH):
            candidate = detector.add(noise.value())
            if candidate is None:
                continue
            detector.refute(candidate)
            if at >= _BEFORE:
                candidates[noise.kind] += 1
                number += 1
                false += confirmed(candidate, 1.0, number, dice)
    return candidates, false


def found(values: list[float], ratios: list[float], number: int, dice: random.Random) -> bool:
    """True if a change after the first `_BEFORE` values is proposed and confirmed; `ratios` are those after them."""
    detector = Detector()
    truth = [1.0] * _BEFORE + ratios
    for at, value in enumerate(values):
        candidate = detector.add(value)
        if candidate is None:
            continue
        ratio = truth[candidate.index] / truth[candidate.before_index]
        if at >= _BEFORE and candidate.is_growth and confirmed(candidate, ratio, number, dice):
            return True
        detector.refute(candidate)
    return False


def main() -> int:
    """Simulate; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=3000, help="series without a change")
    parser.add_argument("--rounds", type=int, default=1500, help="real steps, and as many creeps")
    parser.add_argument("--seed", type=int, default=23)
    options = parser.parse_args()
    dice, began = random.Random(options.seed), time.monotonic()

    candidates, false = month(options.series, dice)
    told = ", ".join(f"{number} {kind}" for kind, number in candidates.items())
    say(f"{options.series} series without a change, {_MONTH} commits: candidates: {told}; {false} confirmed")
    number = sum(candidates.values()) + 1  # the real ones come at the month's end, when the error is the smallest

    def step(kind: str, sigmas: float) -> bool:
        noise = Noise(kind, dice)
        values = [noise.value() for _ in range(_BEFORE)] + [noise.value(sigmas) for _ in range(3)]
        return found(values, [noise.ratio(sigmas)] * 3, number, dice)

    each = options.rounds // len(KINDS)
    steps = {kind: sum(step(kind, 5) for _ in range(each)) / each for kind in KINDS}
    say("steps of 5 sigma within 3 commits: " + ", ".join(f"{kind} {part:.1%}" for kind, part in steps.items()))

    def creep() -> bool:
        ratios = [1.01**at for at in range(1, 10)]
        values = [100 + dice.gauss(0, 2) for _ in range(_BEFORE)] + [100 * one + dice.gauss(0, 2) for one in ratios]
        return found(values, ratios, number, dice)

    creeps = sum(creep() for _ in range(each)) / each
    all_steps = sum(steps.values()) / len(steps)
    say(f"creeps of 1 % a commit before +10 %: {creeps:.1%}; {time.monotonic() - began:.0f} s")
    say(f"{false} false changes (at most {MOST_FALSE:g} a month), {all_steps:.1%} of steps, {creeps:.1%} of creeps")
    return 0 if false <= MOST_FALSE and all_steps >= _SHARE_FOUND and creeps >= _SHARE_FOUND else 1


if __name__ == "__main__":
    sys.exit(main())
