"""Whether something grew: paired values of a base and a head, looked at until a verdict in three is certain.

A pair is measured at one moment, so what slows the machine slows both. The median of the pairs' differences is bounded
by order statistics: no distribution is assumed. Each look at the pairs may spend a part of the error that is allowed in
all.
"""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from statistics import median

from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Doubt, DoubtKind, Over

LOOKS = (10, 20, 40, 80)  # pairs of times after which a verdict may come
_SPENT = (0.05, 0.15, 0.3, 0.5)  # share of the error at each look; chosen

# Loads of a page take seconds. The first looks are by the range of the differences, the last ones by their order. A
# page may load in one of two ways, some hundred ms apart: three pairs are too few to call it slower.
_RANGES = {3: (0, 2.0), 5: (0, 1.0), 8: (1, 0.5)}  # pairs: how many are left out at each end, and ranges beyond; chosen
_LOADS = {12: 0.3, 20: 0.7}  # pairs, and the share of the error; chosen
_LEAST = 5  # pairs to call a page slower; chosen


class Answer(Enum):
    """The verdict in three."""

    SLOWER = "slower"  # for certain by more than is allowed
    WITHIN = "within"  # what is allowed, for certain
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What pairs say: the growth of head over base, with its certain bounds, which may be infinite.

    `allowed` is the growth up to which head is within. `base` is its median, and `heads` are all values of the head;
    all in their unit.
    """

    answer: Answer
    pairs: int
    growth: float
    low: float
    high: float
    allowed: float
    base: float
    heads: tuple[float, ...]

    @property
    def head(self) -> float:
        """The base, and its growth."""
        return self.base + self.growth

    @property
    def ratios(self) -> tuple[float, float, float]:
        """Head over base, and its bounds."""
        growth, low, high = (1 + one / self.base for one in (self.growth, self.low, self.high))
        return growth, max(0.0, low), high


Plan = Generator[None, tuple[float, float], Paired]
Values = Mapping[str, float]  # by metric


def measure_pairs(limit: float, error: float) -> Plan:
    """Return the verdict on whether head takes more than `limit` times as long as base: a plan that asks for pairs.

    It is sent the times of base and head. `error` is the probability of a wrong verdict, on either side.
    """
    times: list[tuple[float, float]] = []
    for look, share in zip(LOOKS, _SPENT, strict=True):
        while len(times) < look:
            times.append((yield))
        logs = sorted(math.log(head / base) for base, head in times)
        low, high = _by_order(logs, share * error)
        answer = _answer(low, high, math.log(limit))
        if answer is not Answer.UNDECIDED:
            break
    base = median(one for one, _ in times)
    return Paired(
        answer=answer,
        pairs=len(times),
        growth=base * math.expm1(median(logs)),
        low=base * math.expm1(low),
        high=base * math.expm1(high),
        allowed=base * (limit - 1),
        base=base,
        heads=tuple(head for _, head in times),
    )


def measure_loads(
    allowed: Mapping[str, Callable[[float], float]], error: float, *, by_ranges: bool = True
) -> Generator[None, tuple[Values, Values], dict[str, Paired]]:
    """Return the verdicts on the metrics of a page: a plan that asks for pairs of loads until all are certain.

    `allowed` gives the growth that is allowed of a base's value, by metric, in its unit; a metric that a load lacks is
    not judged. The plan is sent the values of
    base and head. `error` is the probability of a wrong verdict, on either side, once the order decides: without
    `by_ranges`, that is always.
    """
    loads: list[tuple[Values, Values]] = []
    found: dict[str, Paired] = {}
    for look in (*_RANGES, *_LOADS) if by_ranges else _LOADS:
        while len(loads) < look:
            loads.append((yield))
        for name, growth in allowed.items():
            if not all(name in base and name in head for base, head in loads):
                continue
            known = found.get(name)
            if known is None or known.answer is Answer.UNDECIDED:
                pairs = [(base[name], head[name]) for base, head in loads]
                found[name] = _by_differences(pairs, growth, error / len(allowed))
        if all(one.answer is not Answer.UNDECIDED for one in found.values()):
            break
    return found


def by_pairs(finding: Finding, paired: Paired) -> Finding:
    """Return a finding on growth as pairs decide it; a limit that is broken stays so."""
    is_limit = finding.over is not None and finding.over.rule is RuleKind.LIMIT
    if finding.measurement is None or finding.baseline is None or finding.allowed is None or is_limit:
        return finding
    is_over, doubt = paired.growth > paired.allowed, None
    if paired.answer is Answer.SLOWER:
        outcome = Outcome.REGRESSED
    elif paired.answer is Answer.UNDECIDED and is_over:
        outcome, doubt = Outcome.UNSTABLE, Doubt(kind=DoubtKind.PAIRS)
    else:
        outcome = Outcome.PASSED
    return replace(
        finding,
        outcome=outcome,
        doubt=doubt,
        cause=None,
        second=None,
        over=Over(rule=RuleKind.GROWTH, amount=paired.growth, allowed=paired.allowed) if is_over else None,
        baseline=finding.measurement.value - paired.growth,
        allowed=paired.allowed,
    )


def _by_differences(pairs: Sequence[tuple[float, float]], growth: Callable[[float], float], error: float) -> Paired:
    base, number = median(one for one, _ in pairs), len(pairs)
    differences = sorted(head - one for one, head in pairs)
    if number in _RANGES:
        outside, ranges = _RANGES[number]
        low, high = differences[outside], differences[-1 - outside]
        low, high = low - ranges * (high - low), high + ranges * (high - low)
    else:
        low, high = _by_order(differences, _LOADS[number] * error)
    allowed = growth(base)
    answer = _answer(low, high, allowed)
    return Paired(
        answer=Answer.UNDECIDED if answer is Answer.SLOWER and number < _LEAST else answer,
        pairs=number,
        growth=median(differences),
        low=low,
        high=high,
        allowed=allowed,
        base=base,
        heads=tuple(head for _, head in pairs),
    )


def _answer(low: float, high: float, allowed: float) -> Answer:
    if low > allowed:
        return Answer.SLOWER
    return Answer.WITHIN if high <= allowed else Answer.UNDECIDED


def _by_order(ordered: Sequence[float], error: float) -> tuple[float, float]:
    """Return the bounds of the median of ordered values, each wrong with a probability of `error`."""
    outside = _outside(len(ordered), error)
    return (ordered[outside - 1], ordered[-outside]) if outside else (-math.inf, math.inf)


def _outside(number: int, error: float) -> int:
    """Return how many of the ordered values may lie beyond the bound of their median, on one side, at most."""
    probability, outside = 0.0, 0
    while True:
        probability += math.comb(number, outside) / 2**number
        if probability > error:
            return outside
        outside += 1
