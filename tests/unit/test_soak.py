"""The verdict in three on a service, of heaps that are made up: what leaks, what fills, what rises and falls."""

import math
import random
from collections.abc import Callable

import pytest

from pytest_memgate.compare.soak import Answer, Soak, measure_soak

LIMIT = 8.0
Heap = Callable[[int], float]  # bytes after so many requests


def soak(heap: Heap, requests: int = 2500, warmup: int = 500) -> tuple[Soak, int]:
    """Return the verdict on a heap, and how many requests it took in all."""
    plan = measure_soak(requests, LIMIT)
    sent = warmup + next(plan)
    while True:
        try:
            sent += plan.send(heap(sent))
        except StopIteration as end:
            found: Soak = end.value
            return found, sent


def table(entries: int, *, by: float = 1.125, each: int = 8) -> int:
    """Return the bytes of a table of so many entries, which grows by a share when it is full; by default a list."""
    room = 0
    while room < entries:
        room = int(room * by) + 6
    return each * room


@pytest.mark.parametrize("size", [16, 100, 1000])
@pytest.mark.parametrize("noise", [0, 200, 2000])
def test_a_leak_is_found_within_twenty_thousand_requests(size: int, noise: int) -> None:
    dice = random.Random(size + noise)
    for _ in range(50):
        found, sent = soak(lambda at: 1e7 + size * at + table(at) + dice.gauss(0, noise))
        assert found.answer is Answer.LEAK
        assert LIMIT < found.low <= found.rate <= found.high < 1.2 * size + 30
        assert sent < 20_000


def test_a_leak_in_a_table_that_grows_by_large_steps_is_found() -> None:
    found, _ = soak(lambda at: 1e6 + 16 * at + table(at, by=1.25, each=24))  # as a slice of slices in Go
    assert found.answer is Answer.LEAK


@pytest.mark.parametrize("entries", [256, 1000, 4000, 10_000, 15_000])
def test_a_cache_that_fills_is_no_leak(entries: int) -> None:
    found, _ = soak(lambda at: 1e7 + 500 * min(at, entries))
    assert found.answer is not Answer.LEAK


@pytest.mark.parametrize("entries", [300, 1000, 3000, 10_000])
def test_a_cache_of_random_keys_is_no_leak(entries: int) -> None:
    found, _ = soak(lambda at: 1e7 + 500 * entries * (1 - math.exp(-at / entries)))
    assert found.answer is not Answer.LEAK
    assert found.slows or found.answer is Answer.NONE


@pytest.mark.parametrize("period", [500, 2500, 7000, 20_000])
def test_what_rises_and_falls_with_the_load_is_no_leak(period: int) -> None:
    dice = random.Random(period)
    for _ in range(50):
        start = dice.random() * 2 * math.pi
        found, _ = soak(lambda at, start=start: 1e7 + 2e5 * math.sin(start + 2 * math.pi * at / period))  # type: ignore[misc]
        assert found.answer is not Answer.LEAK


@pytest.mark.parametrize("noise", [100, 5000, 50_000])
def test_noise_and_steps_that_lead_nowhere_are_no_leak(noise: int) -> None:
    dice = random.Random(noise)
    for _ in range(200):
        walk = [0.0]

        def heap(_: int, walk: list[float] = walk) -> float:
            walk[0] = 0.98 * walk[0] + dice.gauss(0, noise)
            return 1e7 + walk[0]

        assert soak(heap)[0].answer is not Answer.LEAK


def test_a_rare_large_answer_that_makes_the_heap_larger_for_good_is_no_leak() -> None:
    dice = random.Random(1)
    for _ in range(200):
        most = [0.0]

        def heap(_: int, most: list[float] = most) -> float:
            if dice.random() < 0.05:
                most[0] = max(most[0], dice.expovariate(1 / 2e5))
            return 1e7 + most[0]

        assert soak(heap)[0].answer is not Answer.LEAK


def test_nothing_that_grows_is_known_after_one_series() -> None:
    found, sent = soak(lambda _: 1e7)
    assert (found.answer, found.high, found.requests) == (Answer.NONE, 0, 2500)
    assert sent == 500 + 100 + 2500


def test_the_bound_that_is_told_holds() -> None:
    dice = random.Random(2)
    for true in (0.0, 2.0, 5.0):
        beyond = sum(soak(lambda at: true * at + dice.gauss(0, 3000))[0].high < true for _ in range(200))  # noqa: B023
        assert beyond <= 2  # of 200; one in 1024 is expected for each series


def test_a_service_that_keeps_megabytes_is_sent_fewer_requests() -> None:
    found, sent = soak(lambda at: 1e6 * at)
    assert found.answer is Answer.LEAK
    assert sent < 1500
    assert found.rate == pytest.approx(1e6)


def test_growth_that_only_begins_is_undecided() -> None:
    found, _ = soak(lambda at: 1e7 + 100 * max(0, at - 2000))
    assert found.answer is Answer.UNDECIDED
    assert not found.slows
