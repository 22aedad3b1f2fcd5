"""What the gate says of thousands of pages: unchanged ones stay green, slower ones do not.

The pages vary as real ones do. Of ten loads of each, in ms: the middle, the least and the most that was seen; and of 36
loads of one page, three were 450 ms quicker than all others.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import SUBJECT, budget, known, sampled, taken

from pytest_memgate.compare.judge import ceiling, judge, needs_rerun, speaks_against
from pytest_memgate.compare.noise import alike, explained, spread
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference

Page = Callable[[random.Random], float]
LCP = budget("300ms", unit="ms")
MANY = 4000
_OF_TEN = 1.54  # so many standard deviations lie between the middle of ten and their least or most


def page(middle: float, least: float, most: float) -> Page:
    """Return a page whose ten loads differ by so much."""

    def load(chance: random.Random) -> float:
        away = chance.gauss(0, 1)
        return middle + away * ((middle - least) if away < 0 else (most - middle)) / _OF_TEN

    return load


def now_and_then_quicker(usual: Page) -> Page:
    """Return a page that one load in twelve shows 450 ms too quick."""
    return lambda chance: usual(chance) - (450 if chance.random() < 1 / 12 else 0)


STILL = page(1953, 1951, 1957)
BUSY = page(1681, 1591, 1923)
PAGES = {
    "still, simulated": STILL,
    "still, throttled": page(2249, 2209, 2266),
    "still, as it is": page(78, 57, 115),
    "busy, simulated": BUSY,
    "busy, throttled": page(2196, 2018, 2423),
    "busy, as it is": page(204, 168, 268),
    "still, in two modes": now_and_then_quicker(STILL),
    "busy, in two modes": now_and_then_quicker(BUSY),
}


def loads(chance: random.Random, load: Page, count: int, more: float = 0) -> tuple[float, ...]:
    return tuple(round(load(chance) + more, 1) for _ in range(count))


def visited(chance: random.Random, load: Page, base: Reference, more: float) -> Finding:
    """Return the finding on a page that is loaded as often as its verdict needs, as `page_findings` does."""
    samples = loads(chance, load, 3, more)
    if needs_rerun(sampled(*samples, settled=False), LCP, known(base)):
        samples += loads(chance, load, 2, more)
    found = judge(SUBJECT, "web.lcp", sampled(*samples), LCP, known(base))
    if not speaks_against(found):
        return found
    second = sampled(*samples, again=loads(chance, load, 5, more))
    return judge(SUBJECT, "web.lcp", second, LCP, known(base))


def outcomes(name: str, base_loads: int, more: float = 0, count: int = MANY) -> Counter[Outcome]:
    """Return how many of many pages came out how; each has a baseline of its own."""
    chance = random.Random(f"{name} {base_loads} {more}")
    found = Counter[Outcome]()
    for _ in range(count):
        base = taken(*loads(chance, PAGES[name], base_loads))
        found[visited(chance, PAGES[name], base, more).outcome] += 1
    return found


@pytest.mark.parametrize("base_loads", [5, 10])
@pytest.mark.parametrize("name", PAGES)
def test_no_unchanged_page_is_red(name: str, base_loads: int) -> None:
    found = outcomes(name, base_loads)
    assert found[Outcome.REGRESSED] == 0, found
    assert found[Outcome.UNSTABLE] <= MANY * (0.01 if "two modes" in name else 0.001), found


@pytest.mark.parametrize(
    ("name", "more", "share"),
    [
        ("still, simulated", 330, 1),
        ("still, as it is", 400, 1),
        ("still, throttled", 330, 0.9),
        ("busy, as it is", 330, 0.75),
        ("busy, simulated", 500, 0.9),
        ("busy, throttled", 500, 0.8),
        ("busy, simulated", 800, 0.99),
        ("busy, throttled", 800, 0.99),
        ("still, in two modes", 400, 0.9),
        ("still, in two modes", 800, 0.98),
        ("busy, in two modes", 800, 0.97),
    ],
)
@pytest.mark.parametrize("base_loads", [5, 10])
def test_a_slower_page_is_red(name: str, more: float, share: float, base_loads: int) -> None:
    found = outcomes(name, base_loads, more, count=600)
    assert found[Outcome.REGRESSED] >= 600 * share, found


SAMPLES = st.lists(st.integers(min_value=0, max_value=5000), min_size=1, max_size=12)
FIVE = st.lists(st.integers(min_value=0, max_value=5000), min_size=5, max_size=5)


def found_of(base: Iterable[float], head: Iterable[float], again: Iterable[float] = ()) -> Finding:
    return judge(SUBJECT, "web.lcp", sampled(*head, again=again), LCP, known(taken(*base)))


@given(SAMPLES)
def test_the_same_samples_pass(samples: list[int]) -> None:
    assert found_of(samples, samples).outcome is Outcome.PASSED
    assert found_of(samples, samples, samples).outcome is Outcome.PASSED


@given(SAMPLES, FIVE, FIVE)
def test_red_is_only_what_two_collections_show(base: list[int], head: list[int], again: list[int]) -> None:
    reference = taken(*base)
    top = ceiling(LCP, reference)
    assert top is not None
    outcome = found_of(base, head, again).outcome
    if outcome is Outcome.REGRESSED:
        assert median_low(head) > top
        assert median_low(again) > top
    if median_low(head) <= top:
        assert outcome in {Outcome.PASSED, Outcome.IMPROVED}


@given(SAMPLES, FIVE, FIVE, st.integers(min_value=0, max_value=5000))
def test_a_page_that_is_slower_still_is_not_greener(
    base: list[int], head: list[int], again: list[int], more: int
) -> None:
    if found_of(base, head, again).outcome is Outcome.REGRESSED:
        slower = found_of(base, [one + more for one in head], [one + more for one in again])
        assert slower.outcome is Outcome.REGRESSED


@given(SAMPLES, FIVE, FIVE, st.integers(min_value=0, max_value=5000), st.randoms(use_true_random=False))
def test_neither_the_order_of_loads_nor_what_all_of_them_wait_for_counts(
    base: list[int], head: list[int], again: list[int], wait: int, chance: random.Random
) -> None:
    def turned(samples: list[int]) -> list[int]:
        return chance.sample([one + wait for one in samples], len(samples))

    straight = found_of(base, head, again).outcome
    assert found_of(turned(base), turned(head), turned(again)).outcome is straight


@given(SAMPLES, SAMPLES, st.integers(min_value=1, max_value=9))
def test_what_is_explained_grows_with_the_spread(base: list[int], head: list[int], times: int) -> None:
    once = explained(base, head)
    assert 0 <= once <= 1.25 * (spread(base) + spread(head))
    wider = explained([one * times for one in base], [one * times for one in head])
    assert wider == pytest.approx(once * times)


@given(SAMPLES, SAMPLES)
def test_samples_are_like_themselves_and_each_other_both_ways(one: list[int], other: list[int]) -> None:
    assert alike(one, one)
    assert alike(one, other) is alike(other, one)


@given(SAMPLES, FIVE)
def test_three_loads_settle_what_five_would(base: list[int], head: list[int]) -> None:
    """What three loads settle is within the budget, so that nothing red goes unseen."""
    few = sampled(*head[:3], settled=False)
    if not needs_rerun(few, LCP, known(taken(*base))):
        assert found_of(base, head[:3]).outcome is Outcome.PASSED
