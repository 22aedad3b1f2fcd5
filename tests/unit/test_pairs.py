"""The verdict in three on pairs of times, of times that are made up."""

import math
import random
from collections.abc import Callable

import pytest
from samples import SUBJECT, budget, known, sampled, taken

from pytest_memgate.compare.judge import judge
from pytest_memgate.compare.pairs import Answer, Paired, by_pairs, measure_loads, measure_pairs
from pytest_memgate.model.judgement.finding import Outcome
from pytest_memgate.model.judgement.reference import Bar, Standing

Times = Callable[[random.Random, int], tuple[float, float]]


def paired(times: Times, seed: int, limit: float = 1.1, error: float = 0.01) -> Paired:
    dice, plan, number = random.Random(seed), measure_pairs(limit, error), 0
    next(plan)
    while True:
        try:
            plan.send(times(dice, number))
        except StopIteration as end:
            found: Paired = end.value
            return found
        number += 1


def busy(factor: float, noise: float) -> Times:
    """Times on a machine whose load comes and goes, the same for both of a pair, and some outliers."""

    def times(dice: random.Random, number: int) -> tuple[float, float]:
        load = 1 + (number // 7) % 3
        one, other = (load * math.exp(dice.gauss(0, noise)) for _ in range(2))
        return one * (5 if dice.random() < 0.05 else 1), factor * other * (5 if dice.random() < 0.05 else 1)

    return times


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05, 0.2])
def test_the_same_code_is_hardly_ever_slower(noise: int) -> None:
    answers = [paired(busy(1.0, noise), seed).answer for seed in range(500)]
    assert answers.count(Answer.SLOWER) <= 1
    if noise <= 0.05:
        assert answers.count(Answer.WITHIN) >= 490


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05, 0.1])
def test_a_quarter_more_is_found(noise: int) -> None:
    answers = [paired(busy(1.25, noise), seed).answer for seed in range(500)]
    assert answers.count(Answer.WITHIN) == 0
    assert answers.count(Answer.SLOWER) >= (475 if noise <= 0.05 else 300)


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.3])
def test_at_the_limit_no_answer_is_wrong_more_often_than_allowed(noise: float) -> None:
    answers = [paired(busy(1.1, noise), seed).answer for seed in range(2000)]
    assert answers.count(Answer.SLOWER) <= 20  # one in a hundred
    assert answers.count(Answer.WITHIN) <= 20


def test_it_says_what_it_has_seen() -> None:
    found = paired(lambda *_: (10.0, 13.0), 1)
    assert (found.answer, found.pairs, found.base) == (Answer.SLOWER, 20, 10.0)
    assert found.ratios[0] == pytest.approx(1.3)
    assert found.head == pytest.approx(13)
    undecided = paired(lambda dice, _: (1.0, dice.choice([0.5, 2.0])), 1)
    assert undecided.answer is Answer.UNDECIDED
    assert undecided.pairs == 80
    assert undecided.low < 0.1 < undecided.high


# Loads of a page

Load = Callable[[random.Random], float]


def loaded(base: Load, head: Load, seed: int, allowed: float = 300.0) -> Paired:
    dice, plan = random.Random(seed), measure_loads({"lcp": lambda _: allowed, "cls": lambda _: 0.1}, 0.01)
    next(plan)
    while True:
        try:
            plan.send(({"lcp": base(dice), "cls": 0.0}, {"lcp": head(dice), "cls": 0.0}))
        except StopIteration as end:
            found: Paired = end.value["lcp"]
            return found


def around(middle: float, spread: float, other_way: float = 0.0) -> Load:
    """Loads of a page, some of which are so much quicker."""
    return lambda dice: dice.gauss(middle, spread) - (other_way if dice.random() < 0.5 else 0)


@pytest.mark.parametrize(("spread", "pairs"), [(1, 3), (10, 3), (30, 5)])
def test_a_still_page_is_settled_by_few_loads(spread: float, pairs: int) -> None:
    same = [loaded(around(1500, spread), around(1500, spread), seed) for seed in range(300)]
    assert [one.answer for one in same].count(Answer.SLOWER) == 0
    assert sorted(one.pairs for one in same)[270] <= pairs
    slower = [loaded(around(1500, spread), around(2000, spread), seed) for seed in range(300)]
    assert [one.answer for one in slower].count(Answer.WITHIN) == 0
    assert [one.answer for one in slower].count(Answer.SLOWER) >= 297


def test_a_page_of_two_ways_is_hardly_ever_called_slower() -> None:
    page = around(1500, 10, other_way=450)
    answers = [loaded(page, page, seed).answer for seed in range(1000)]
    assert answers.count(Answer.SLOWER) <= 5


def test_one_strange_load_does_not_keep_it_open() -> None:
    loads = iter([2100.0, *[1500.0 + number for number in range(30)]])
    found = loaded(lambda _: next(loads), lambda dice: dice.gauss(1510, 3), 1)
    assert (found.answer, found.pairs) == (Answer.WITHIN, 8)


def test_pairs_decide_only_what_was_held_against_the_base() -> None:
    paired = loaded(around(1500, 1), around(2000, 1), 1)
    over = judge(SUBJECT, "web.lcp", sampled(2000.0), budget("300ms", unit="ms"), known(taken(1900.0)))
    assert over.outcome is Outcome.PASSED
    found = by_pairs(over, paired)
    assert found.outcome is Outcome.REGRESSED
    assert found.growth == pytest.approx(500, abs=5)
    limit = judge(SUBJECT, "web.lcp", sampled(2000.0), budget("300ms", limit=1000, unit="ms"), known(taken(1990.0)))
    within = loaded(around(1990, 1), around(2000, 1), 1)
    assert by_pairs(limit, within).outcome is Outcome.REGRESSED
    new = judge(SUBJECT, "web.lcp", sampled(2000.0), budget("300ms", unit="ms"), Bar(standing=Standing.NEW))
    assert by_pairs(new, paired) == new
