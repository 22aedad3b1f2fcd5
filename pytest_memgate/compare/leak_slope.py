"""Whether memory grows with each call: allocations that survive series of calls in, a slope (bytes a call) out.

A series is cut into ten blocks of calls. The allocations of a real leak survive in every block, at one rate. A cost
that is paid once lies in one block; a memo that fills, in the early blocks; a cache that throws out its oldest entries,
in the last ones. So a site leaks if every block of a series grew, at a steady rate, and did so again in a series
sixteen times as long: by then a bounded cache of a few hundred entries, which looks like a leak at first, has replaced
all of them.

A list that grows by a pointer a call is one allocation. It is moved now and then, and lies in the block of its last
move. Such a site is compared with itself at the ends of a ladder of series, each longer than the one before by the same
share: a bounded container stays as it is, a growing one is larger at every end.
"""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise
from statistics import fmean, median

from pytest_memgate.model.leak import Held, Step
from pytest_memgate.model.site import Site

CERTAIN = 0.999  # a leak is certain from here on: all of ten blocks by the sign test give 1 - 1/1024
_BLOCKS = 10  # all of them grow by chance, if up is as likely as down, once in 1024 series
_LONGER = (1, 4, 16)  # lengths of the series, as multiples of `rounds`; chosen: docs/leaks.md, "How it is found"
_RUNGS = 11  # each some 14 % longer: CPython moves a list whenever it is 12.5 % longer (list_resize, listobject.c)
_STEADY = 2  # the rates of the two halves of a series may differ by this factor; chosen


class _Shape(Enum):
    """How the surviving allocations of a site are spread over a series."""

    NOTHING = "nothing that grows"
    EVERYWHERE = "in every block at one rate"
    SCATTERED = "in some blocks"
    MOVED = "one allocation that became larger, or of nobody knows which call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What one site keeps of each call: at least `low`, at most `high` bytes; `grew` of `blocks` comparisons grew."""

    site: Site
    low: float = 0
    high: float = 0
    grew: int = 0
    blocks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """The bytes that one call leaves behind, once it has been called often: certain if `low` equals `high`."""

    calls: int
    series: int
    warmup: int
    growths: tuple[Growth, ...] = field(default=())

    @property
    def low(self) -> float:
        """The least that a call leaves behind, in bytes, over all sites."""
        return sum(growth.low for growth in self.growths)

    @property
    def high(self) -> float:
        """The most that a call may leave behind, in bytes, over all sites."""
        return sum(growth.high for growth in self.growths)

    @property
    def is_certain(self) -> bool:
        """True if the least and the most are the same."""
        return self.low == self.high

    @property
    def leading(self) -> Growth | None:
        """The growth with the strongest evidence, None if nothing grows."""
        return max(self.growths, key=lambda one: (one.low, one.high), default=None)


_Series = tuple[int, Mapping[str, Held]]  # how many calls, and what they left behind by the key of its site


def measure_slope(
    rounds: int, warmup: int, is_enough: Callable[[Slope], bool]
) -> Generator[Step, Mapping[str, Held], Slope]:
    """Ask for one series after another until the slope is certain or `is_enough`; return it.

    Each step yielded is a series to run, and is sent its surviving allocations by the key of their site. Each series
    goes on where the last one ended. There are at most 21 times as many calls as `rounds`, or 37 times if a ladder
    follows.
    """
    history: list[_Series] = []
    for times in _LONGER:
        blocks = min(_BLOCKS, rounds * times)
        step = Step(calls=blocks * math.ceil(rounds * times / blocks), blocks=blocks, warmup=0 if history else warmup)
        history.append((step.calls, (yield step)))
        slope = Slope(
            calls=sum(calls for calls, _ in history), series=len(history), warmup=warmup, growths=tuple(_all(history))
        )
        if slope.is_certain or is_enough(slope):
            return slope
        shapes = {_shape(history, key) for key in history[-1][1]} if len(history) > 1 else {_Shape.SCATTERED}
        if shapes <= {_Shape.MOVED, _Shape.NOTHING}:
            break
    if any(_shape(history, key) is _Shape.MOVED for key in history[-1][1]):
        slope = yield from _climb(history, slope, rounds * _LONGER[-1])
    return slope


def _all(history: Sequence[_Series]) -> list[Growth]:
    site_growths = [_growth(history, key) for key in history[-1][1]]
    return sorted((one for one in site_growths if one.high), key=lambda one: (-one.low, -one.high, one.site.key))


def _growth(history: Sequence[_Series], key: str) -> Growth:
    calls, now = history[-1][0], history[-1][1][key]
    most = Growth(site=now.site, high=now.total / calls, grew=sum(map(bool, now.blocks)), blocks=len(now.blocks))
    if len(history) == 1:
        return most
    shape = _shape(history, key)
    if shape is _Shape.NOTHING:
        return replace(most, high=0)
    if shape is _Shape.MOVED:
        last = history[-2][1].get(key)
        return replace(most, high=(now.total - (last.total if last else 0)) / calls)
    if shape is _Shape.SCATTERED:
        return most
    blocks = [held[key].blocks for _, held in history if key in held and held[key].blocks]
    rising = [len(one) for one in blocks if _is_rising(one)]
    rate = _rate(now.blocks) * len(now.blocks) / calls
    known = len(history) == len(_LONGER) and confidence(sum(rising), sum(rising)) >= CERTAIN
    return Growth(site=now.site, low=rate if known else 0, high=rate, grew=sum(rising), blocks=sum(rising))


def _shape(history: Sequence[_Series], key: str) -> _Shape:
    (_, before), (_, held) = history[-2:]
    last, now = before.get(key), held[key]
    had, count = (last.total, last.count) if last else (0, 1)
    if now.blocks and _is_rising(now.blocks):
        return _Shape.EVERYWHERE
    if now.blocks and min(_halves(now.blocks)) > 0:
        return _Shape.SCATTERED
    if not now.blocks or now.count <= count:
        return _Shape.MOVED if now.total > had else _Shape.NOTHING
    # What comes seldom, but no less often than before, may be a leak too.
    recurs = sum(map(bool, now.blocks)) > 1 and _share(now.blocks) >= _share(last.blocks if last else ())
    return _Shape.SCATTERED if recurs else _Shape.NOTHING


def _share(blocks: Sequence[float]) -> float:
    """Return how many of the blocks kept something, from 0 to 1."""
    return fmean(map(bool, blocks)) if blocks else 0


def _is_rising(blocks: Sequence[float]) -> bool:
    low, high = sorted(_halves(blocks))
    return min(blocks) > 0 and high <= _STEADY * low


def _halves(blocks: Sequence[float]) -> tuple[float, float]:
    """Return the medians of the first and the second half of the blocks: no single cost moves them."""
    half = math.ceil(len(blocks) / 2)
    return median(blocks[:half]), median(blocks[-half:])


def _rate(blocks: Sequence[float]) -> float:
    """Return the mean of the middle blocks: a cost that was paid once is not in it."""
    out = len(blocks) // 5
    return fmean(sorted(blocks)[out : len(blocks) - out])


def _climb(history: list[_Series], slope: Slope, calls: int) -> Generator[Step, Mapping[str, Held], Slope]:
    """Ask for the ladder, of about `calls` calls, and return the slope with its answer for the sites that need it."""
    start = slope.calls + slope.warmup
    ends = [round(start * (1 + calls / start) ** (rung / _RUNGS)) for rung in range(_RUNGS + 1)]
    rungs: list[_Series] = []
    for low, high in pairwise(ends):
        if high > low:
            rungs.append((high - low, (yield Step(calls=high - low))))
    done = sum(calls for calls, _ in rungs)
    known = history[-1][1]
    news = {key for key, held in rungs[-1][1].items() if _is_news(held, known.get(key))}
    moved = {key for key in known if _shape(history, key) is _Shape.MOVED} - news
    growths = [growth for growth in slope.growths if growth.site.key not in moved | news]
    growths += [_climbed(known[key], [(calls, held.get(key)) for calls, held in rungs]) for key in moved]
    growths += [_appeared(rungs, key) for key in news]
    growths = sorted((one for one in growths if one.high), key=lambda one: (-one.low, -one.high, one.site.key))
    return replace(slope, calls=slope.calls + done, series=slope.series + len(rungs), growths=tuple(growths))


def _is_news(now: Held, before: Held | None) -> bool:
    """True if a site that had not been suspected began to keep several allocations on the ladder."""
    return bool(now.blocks) and now.count > _STEADY * max(before.count if before else 0, 1)


def _appeared(rungs: Sequence[_Series], key: str) -> Growth:
    calls, held = rungs[-1]
    grew = sum(key in held for _, held in rungs)
    return Growth(site=held[key].site, high=held[key].total / calls, grew=grew, blocks=len(rungs))


def _climbed(first: Held, rungs: Sequence[tuple[int, Held | None]]) -> Growth:
    """Return the growth of a site from end to end; of one of unknown calls, from series to longer series."""
    loose = not first.blocks
    several = bool(loose and rungs and rungs[-1][1] and rungs[-1][1].count > 1)
    ends: list[tuple[int, float]] = [] if loose else [(0, first.total)]
    done = 0
    for calls, held in rungs:
        done += calls
        if held or loose:  # what was not moved says nothing
            ends.append((done, (held.count if several else held.total) if held else 0))
    if len(ends) < 2:
        return Growth(site=first.site)
    ups = sum(later[1] > earlier[1] for earlier, later in pairwise(ends))
    if several:
        rate = sum(held.total for _, held in rungs if held) / done  # each series leaves its own behind
    else:
        rate = (ends[-1][1] - ends[0][1]) / (ends[-1][0] - ends[0][0])
    steps = len(ends) - 1
    if rate <= 0 or ups <= steps - ups:
        return Growth(site=first.site)
    low = rate if confidence(ups, steps) >= CERTAIN else 0
    return Growth(site=first.site, low=low, high=rate, grew=ups, blocks=steps)


def confidence(grew: int, blocks: int) -> float:
    """Return how sure a growth is, from 0 to 1, if `grew` of `blocks` comparisons grew.

    It is the one-sided sign test: one minus the chance of so many where up is as likely as down.
    """
    if not blocks:
        return 0.0
    as_many = sum(math.comb(blocks, count) for count in range(grew, blocks + 1))
    return 1.0 - as_many * 0.5**blocks
