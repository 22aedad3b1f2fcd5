"""Judging what varies by itself, what never varies, and what was measured under other conditions."""

from dataclasses import replace

import pytest
from samples import SUBJECT, budget, exact, known, sampled, taken

from pytest_memgate.budget.rule import Allowance, Budget
from pytest_memgate.compare.judge import ceiling, floor, judge, needs_rerun, speaks_against
from pytest_memgate.compare.noise import alike, explained, spread
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Bar, Reference, Standing
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.report.words.reason import reason

LCP = budget("300ms", unit="ms")
UNGATED = Budget(unit="ms")
STILL = (1951, 1953, 1953, 1954, 1957)
SHAKY = (1591, 1650, 1681, 1760, 1923)
LOW = 450  # what a page loads quicker by when Lighthouse's simulation takes its other way


def judged(measurement: Measurement, base: Reference, allowed: Budget = LCP) -> Finding:
    return judge(SUBJECT, "web.lcp", measurement, allowed, known(base))


def later(samples: tuple[float, ...], ms: float) -> tuple[float, ...]:
    return tuple(value + ms for value in samples)


# What the samples explain


@pytest.mark.parametrize(
    ("base", "head", "growth"),
    [
        ((), (), 0),
        ((5,), (5,), 0),
        ((10, 20, 30, 40, 50), (), 25),  # from the middle to the largest, and a quarter more
        ((), (10, 20, 30, 40, 50), 12.5),  # from the first quartile to the middle
        ((10, 20, 30, 40, 50), (10, 20, 30, 40, 50), 37.5),
        ((50, 10, 40, 20, 30), (), 25),
        (tuple(range(10, 120, 10)), (), 50),  # of eleven, the one below the largest
    ],
)
def test_what_the_samples_explain_is_their_way_up_and_down(
    base: tuple[float, ...], head: tuple[float, ...], growth: float
) -> None:
    assert explained(base, head) == growth


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((1, 2, 3), (2, 3, 4), True),
        ((10, 11, 12), (20, 21, 22), False),
        ((1, 5, 9), (4, 5, 5), True),
        ((*[2.0] * 24, 9.0), (*[0.5] * 24, 9.0), False),  # one spike in each says nothing
        ((), (1, 2), False),
        ((), (), False),
    ],
)
def test_samples_are_alike_where_their_spread_explains_the_difference(
    one: tuple[float, ...], other: tuple[float, ...], same: bool
) -> None:
    assert alike(one, other) is same
    assert alike(other, one) is same


def test_a_spread_is_from_the_least_to_the_most() -> None:
    assert (spread((5, 1, 3)), spread((5,)), spread(())) == (4, 0, 0)


# Worked examples


@pytest.mark.parametrize("samples", [STILL, SHAKY])
def test_an_unchanged_page_passes(samples: tuple[float, ...]) -> None:
    assert judged(sampled(*samples), taken(*samples)).outcome is Outcome.PASSED


def test_a_slower_page_regressed_once_two_collections_say_so() -> None:
    slower = sampled(*later(STILL, 400), again=later(STILL, 380))
    found = judged(slower, taken(*STILL))
    assert found.outcome is Outcome.REGRESSED
    assert reason(found) == "+400 ms is over its budget of 300 ms, and +380 ms in a second collection"
    assert (found.baseline, found.growth, found.allowed, found.unit) == (1953, 400, 300, "ms")


def test_what_a_second_collection_does_not_see_has_passed() -> None:
    found = judged(sampled(*later(STILL, 400), again=later(STILL, 10)), taken(*STILL))
    assert found.outcome is Outcome.PASSED
    assert reason(found) == "2353 ms in a first collection was not seen again: 1963 ms is within 2253 ms"


def test_a_limit_too_must_be_seen_twice() -> None:
    allowed = budget(None, limit=2000, unit="ms")
    again = later(STILL, 100)
    assert judged(sampled(*later(STILL, 100), again=again), taken(*STILL), allowed).outcome is Outcome.REGRESSED
    assert judged(sampled(*later(STILL, 100), again=STILL), taken(*STILL), allowed).outcome is Outcome.PASSED


def test_drift_too_must_be_seen_twice() -> None:
    allowed = budget("300ms", drift="350ms", unit="ms")
    crept = Reference(value=2200, anchor=1953, samples=later(STILL, 247))
    grown = later(STILL, 400)
    assert judged(sampled(*grown, again=grown), crept, allowed).outcome is Outcome.DRIFTED
    assert judged(sampled(*grown, again=later(STILL, 300)), crept, allowed).outcome is Outcome.PASSED


def test_a_growth_that_the_samples_explain_is_unstable_and_says_so() -> None:
    wide = (1500, 1650, 1700, 2100, 2300)
    slower = sampled(*later(wide, 350), again=later(wide, 350))
    found = judged(slower, taken(*wide))
    assert found.outcome is Outcome.UNSTABLE
    assert reason(found) == (
        "grew by 350 ms, but its runs differ by 812 ms by themselves: a budget of 300 ms cannot be held"
    )


@pytest.mark.parametrize("low", [1, 2])
def test_a_few_quick_loads_in_a_baseline_change_nothing(low: int) -> None:
    mixed = (*later(STILL[:low], -LOW), *STILL[low:])
    assert judged(sampled(*STILL, again=STILL), taken(*mixed)).outcome is Outcome.PASSED


@pytest.mark.parametrize("low", [3, 4])
def test_a_baseline_in_the_quick_mode_is_told_by_its_one_slow_load(low: int) -> None:
    mixed = (*later(STILL[:low], -LOW), *STILL[low:])
    found = judged(sampled(*STILL, again=STILL), taken(*mixed))
    assert found.outcome is Outcome.UNSTABLE, reason(found)


@pytest.mark.parametrize("low", [5, 6, 7, 8])
def test_a_baseline_of_ten_loads_is_told_by_its_two_slow_ones(low: int) -> None:
    mixed = (*later((STILL * 2)[:low], -LOW), *(STILL * 2)[low:])
    found = judged(sampled(*STILL, again=STILL), taken(*mixed))
    assert found.outcome is Outcome.UNSTABLE, reason(found)


def test_one_quick_load_does_not_hide_a_growth() -> None:
    slower = later(STILL, 500)
    mixed = (slower[0] - LOW, *slower[1:])
    assert judged(sampled(*mixed, again=slower), taken(*STILL)).outcome is Outcome.REGRESSED


def test_a_page_that_became_quicker_by_more_than_its_budget_improved() -> None:
    found = judged(sampled(*later(STILL, -400)), taken(*STILL))
    assert (found.outcome, reason(found)) == (Outcome.IMPROVED, "-400 ms, so the baseline can be lowered")


def test_one_slow_load_is_enough_to_call_nothing_improved() -> None:
    assert judged(sampled(*later(STILL[:4], -400), STILL[4]), taken(*STILL)).outcome is Outcome.PASSED


# How often it is loaded


@pytest.mark.parametrize(
    ("samples", "again"),
    [
        ((1951, 1953, 1957), False),
        ((2100, 2120, 2150), False),
        ((2100, 2120, 2220), True),  # as far above its largest as its samples differ lies the budget
        ((2260, 2260, 2260), True),
        ((1660, 1700, 1710), False),
        ((1650, 1700, 1710), True),  # it may have improved
    ],
)
def test_three_loads_are_enough_where_their_spread_stays_within(samples: tuple[float, ...], again: bool) -> None:
    few = sampled(*samples, settled=False)
    assert needs_rerun(few, LCP, known(taken(*STILL))) is again


@pytest.mark.parametrize("standing", [Standing.NEW, Standing.NO_BASELINE, Standing.INCOMPARABLE])
def test_a_page_without_a_reference_is_loaded_in_full(standing: Standing) -> None:
    assert needs_rerun(sampled(*STILL, settled=False), LCP, Bar(standing=standing)) is True
    assert needs_rerun(sampled(*STILL, settled=False), UNGATED, Bar(standing=standing)) is False


def test_a_page_whose_baseline_has_other_conditions_is_loaded_in_full() -> None:
    there = known(taken(*STILL, lighthouse="12.5"))
    assert needs_rerun(sampled(*STILL, settled=False, lighthouse="12.6"), LCP, there) is True
    assert needs_rerun(sampled(*STILL, settled=False, lighthouse="12.5"), LCP, there) is False


def test_only_what_blocks_or_stays_open_is_collected_again() -> None:
    slower = judged(sampled(*later(STILL, 400)), taken(*STILL))
    assert speaks_against(slower)
    assert not speaks_against(judged(sampled(*later(STILL, 400), again=later(STILL, 400)), taken(*STILL)))
    assert not speaks_against(judged(sampled(*STILL), taken(*STILL)))
    assert speaks_against(judged(sampled(*later(SHAKY, 310)), taken(*SHAKY)))
    assert not speaks_against(Finding(subject=SUBJECT, metric="web.lcp", outcome=Outcome.REGRESSED))


# Metrics without a growth budget


def test_a_metric_that_no_budget_names_is_not_gated() -> None:
    found = judged(sampled(*later(STILL, 9000)), taken(*STILL), UNGATED)
    assert (found.outcome, found.rules, found.allowed) == (Outcome.NOT_GATED, (), None)
    assert (found.baseline, found.growth) == (1953, 9000)


def test_without_a_growth_budget_nothing_improves_and_only_the_limit_fails() -> None:
    allowed = budget(None, limit=5000, unit="ms")
    assert floor(allowed, taken(*STILL)) == float("-inf")
    assert ceiling(allowed, taken(*STILL)) == 5000
    assert ceiling(UNGATED, taken(*STILL)) is None
    assert judged(sampled(10, 10, 10), taken(*STILL), allowed).outcome is Outcome.PASSED
    assert judged(sampled(4999, 4999, 4999), taken(*STILL), allowed).outcome is Outcome.PASSED


def test_a_limit_without_a_baseline_is_new_until_there_is_one() -> None:
    new = Bar(standing=Standing.NEW)
    found = judge(SUBJECT, "web.lcp", sampled(*STILL), budget(None, limit=5000, unit="ms"), new)
    assert found.outcome is Outcome.NEW


# What never varies


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (220_000, Outcome.PASSED),
        (400_000, Outcome.PASSED),
        (400_001, Outcome.REGRESSED),
        (0, Outcome.PASSED),
    ],
)
def test_an_exact_value_is_judged_at_once(value: int, outcome: Outcome) -> None:
    base = known(Reference(value=200_000))
    found = judge(SUBJECT, "bundle.initial.raw[main]", exact(value), budget(), base)
    assert found.outcome is outcome
    assert needs_rerun(exact(value), budget(), base) is (outcome is Outcome.REGRESSED)


def test_a_plain_number_is_held_against_a_fraction() -> None:
    cls = budget("0.1", unit="")
    base = Reference(value=0.02, samples=(0.02,) * 5)
    first = judge(SUBJECT, "web.cls", sampled(*[0.12] * 5, again=[0.12] * 5), cls, known(base))
    assert first.outcome is Outcome.PASSED
    found = judge(SUBJECT, "web.cls", sampled(*[0.125] * 5, again=[0.125] * 5), cls, known(base))
    assert (found.outcome, found.unit) == (Outcome.REGRESSED, "")
    assert reason(found) == "+0.105 is over its budget of 0.1, and +0.105 in a second collection"


def test_a_projects_own_unit_stands_in_the_words() -> None:
    allowed = Budget(growth=Allowance.parse("5 rows", "rows"), limit=100, unit="rows")
    found = judge(SUBJECT, "custom.rows", exact(48), allowed, known(Reference(value=41, unit="rows")))
    assert reason(found) == "+7 rows is over its budget of 5 rows"
    over = judge(SUBJECT, "custom.rows", exact(101), allowed, Bar(standing=Standing.NEW))
    assert reason(over) == "101 rows is over its limit of 100 rows"


# What cannot be compared


@pytest.mark.parametrize(
    ("there", "here", "words"),
    [
        ({"cpu": "old"}, {"cpu": "new"}, "cpu old there and new here"),
        ({}, {"zlib": "zlib-ng"}, "zlib unknown there and zlib-ng here"),
        ({"coverage": "on"}, {}, "coverage on there and unknown here"),
        (
            {"cpu": "old", "cores": "2", "python": "cpython 3.11"},
            {"cpu": "new", "cores": "4", "python": "cpython 3.11"},
            "cpu old there and new here, cores 2 there and 4 here",
        ),
    ],
)
def test_other_conditions_are_incomparable_in_words(there: dict[str, str], here: dict[str, str], words: str) -> None:
    found = judged(replace(sampled(*later(STILL, 9000)), conditions=here), taken(*STILL, **there))
    assert (found.outcome, reason(found)) == (Outcome.INCOMPARABLE, f"its baseline was measured with {words}")
    assert (found.baseline, found.growth, found.anchor) == (None, None, None)


def test_the_order_of_conditions_makes_no_difference() -> None:
    found = judged(sampled(*STILL, cpu="a", cores="2"), taken(*STILL, cores="2", cpu="a"))
    assert found.outcome is Outcome.PASSED


def test_a_limit_holds_under_any_conditions() -> None:
    allowed = budget("300ms", limit=2000, unit="ms")
    slow = later(STILL, 900)
    found = judged(sampled(*slow, again=slow, cpu="new"), taken(*STILL, cpu="old"), allowed)
    assert found.outcome is Outcome.REGRESSED


@pytest.mark.parametrize(
    ("there", "here", "words"),
    [
        ("rows", "queries", "its baseline is in rows, this value in queries"),
        ("B", "", "its baseline is in B, this value in plain numbers"),
        ("ms", "B", "its baseline is in ms, this value in B"),
    ],
)
def test_another_unit_is_incomparable_in_words(there: str, here: str, words: str) -> None:
    allowed = Budget(growth=Allowance.parse(5, None), unit=here)
    found = judge(SUBJECT, "custom.size", exact(3), allowed, known(Reference(value=900, unit=there)))
    assert (found.outcome, reason(found), found.baseline) == (Outcome.INCOMPARABLE, words, None)


def test_a_value_that_got_a_unit_is_incomparable_with_a_plain_one() -> None:
    allowed = Budget(growth=Allowance.parse("5 rows", "rows"), unit="rows")
    found = judge(SUBJECT, "custom.size", exact(3), allowed, known(Reference(value=900)))
    assert found.outcome is Outcome.INCOMPARABLE


def test_what_is_not_gated_says_why_it_could_not_be_compared() -> None:
    found = judged(sampled(*STILL, cpu="new"), taken(*STILL, cpu="old"), UNGATED)
    assert (found.outcome, reason(found)) == (
        Outcome.NOT_GATED,
        "its baseline was measured with cpu old there and new here",
    )


# What the machine, or its collections, explain of a time


def timed(value: float, *again: float, paces: tuple[float, ...] = (50.0,)) -> Measurement:
    return replace(sampled(*[value] * 5), again=again, paces=paces)


@pytest.mark.parametrize(
    ("measurement", "outcome"),
    [
        (timed(1500, 1500, 1500), Outcome.REGRESSED),
        (timed(1500, 1500, 1500, paces=(50.0, 75.0)), Outcome.UNSTABLE),  # half as slow again
        (timed(1500, 1500, 1500, paces=(54.0,)), Outcome.REGRESSED),  # as any machine is at times
        (timed(3000, 3000, 3000, paces=(75.0,)), Outcome.REGRESSED),  # more than the machine
        (timed(1500, 1500, 1100), Outcome.PASSED),  # one of three is within
        (timed(500, 500, 500), Outcome.IMPROVED),
        (timed(500, 500, 1000), Outcome.PASSED),
        (timed(500, 500, 500, paces=(25.0,)), Outcome.PASSED),  # a quicker machine
    ],
)
def test_only_what_all_collections_say_and_the_machine_does_not_counts(
    measurement: Measurement, outcome: Outcome
) -> None:
    base = replace(taken(*[1000.0] * 5), paces=(50.0,))
    assert judged(measurement, base).outcome is outcome


def test_growth_within_what_the_collections_of_the_baseline_differ_by_is_no_regression() -> None:
    base = replace(taken(*[1000.0] * 5), paces=(50.0,), spread=600.0)
    found = judged(timed(1500, 1500, 1500), base)
    assert found.outcome is Outcome.UNSTABLE
    assert "its runs differ by 600 ms by themselves: a budget of 300 ms cannot be held" in reason(found)
