"""The verdict in three on pairs of times, of times that are made up."""

import math
import random
from collections.abc import Callable

import pytest

from pytest_memgate.compare.pairs import Answer, Paired, measure_pairs

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
    assert found.ratio == pytest.approx(1.3)
    assert found.head == pytest.approx(13)
    undecided = paired(lambda dice, _: (1.0, dice.choice([0.5, 2.0])), 1)
    assert undecided.answer is Answer.UNDECIDED
    assert undecided.pairs == 80
    assert undecided.low < 1.1 < undecided.high
