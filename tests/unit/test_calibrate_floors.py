"""What runs of unchanged code say of floors, budgets and false alarms."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import METRIC, cold, exact, finding, run_of, sampled, settled

from pytest_memgate.compare.agreement import agree
from pytest_memgate.compare.calibration import (
    margin,
    rounded_up,
    runs_needed,
    smallest_budget,
    upper_bound,
    usual_difference,
    worst_difference,
)
from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.run import Run
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.child_runs.reorder import ordered
from pytest_memgate.tasks.prove.calibrate import Calibration, Floor, calibration, to_json
from pytest_memgate.tasks.prove.calibration_report import calibration_lines

VALUES = st.lists(st.floats(0, 1e9), min_size=2, max_size=9)


def judged(
    measurement: Measurement | None,
    outcome: Outcome = Outcome.PASSED,
    *,
    name: str = "test_order",
    metric: str = METRIC,
    allowed: float | None = 200_000,
    why: str = "",
) -> Finding:
    return Finding(
        subject=Subject("tests/test_shop.py", name),
        metric=metric,
        outcome=outcome,
        why=why,
        measurement=measurement,
        baseline=100_000,
        allowed=allowed,
        rules=(BudgetRule(rule=RuleKind.GROWTH, amount=200_000),),
    )


def runs_of(*values: int, outcomes: tuple[Outcome, ...] = (), allowed: float | None = 200_000) -> Calibration:
    """Return the calibration of one test that gave these values, run after run."""
    said = outcomes or (Outcome.PASSED,) * len(values)
    runs = [
        run_of(judged(settled(value), outcome, allowed=allowed)) for value, outcome in zip(values, said, strict=True)
    ]
    return calibration(runs, ["own"] * len(runs))


def only(found: Calibration) -> Floor:
    (floor,) = found.floors
    return floor


def text(found: Calibration, *, every: bool = False) -> str:
    return "\n".join(calibration_lines(found, every=every))


# Statistics


def test_the_floor_is_the_worst_and_the_usual_difference_of_two_runs() -> None:
    assert worst_difference([5, 1, 2]) == 4
    assert usual_difference([5, 1, 2]) == 3  # of 4, 3 and 1
    assert usual_difference([5]) == worst_difference([]) == 0


@given(VALUES)
def test_no_two_runs_differ_by_more_than_the_worst(values: list[float]) -> None:
    assert all(abs(one - other) <= worst_difference(values) for one in values for other in values)
    assert usual_difference(values) <= worst_difference(values)


@pytest.mark.parametrize(("runs", "bound"), [(1, 0.95), (5, 0.4507), (59, 0.0495), (300, 0.00994)])
def test_without_an_alarm_the_bound_is_the_rule_of_three(runs: int, bound: float) -> None:
    assert upper_bound(0, runs) == pytest.approx(bound, rel=2e-3)
    assert upper_bound(0, runs) == pytest.approx(1 - 0.05 ** (1 / runs))
    if runs >= 59:
        assert upper_bound(0, runs) == pytest.approx(3 / runs, rel=0.04)


def test_the_bound_is_the_published_one_of_clopper_and_pearson() -> None:
    # The upper ends of two-sided 90 % intervals, from tables: 1 of 10, 2 of 20, 5 of 10.
    assert upper_bound(1, 10) == pytest.approx(0.3942, abs=1e-4)
    assert upper_bound(2, 20) == pytest.approx(0.2826, abs=1e-4)
    assert upper_bound(5, 10) == pytest.approx(0.7776, abs=1e-4)
    assert upper_bound(4, 4) == 1


@given(st.integers(1, 80), st.data())
def test_the_bound_makes_what_was_seen_one_chance_in_twenty(runs: int, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, runs - 1))
    rate = upper_bound(events, runs)
    chance = sum(math.comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(events + 1))
    assert chance == pytest.approx(0.05, abs=1e-9)
    assert rate > events / runs


def test_the_runs_needed_are_the_fewest() -> None:
    assert runs_needed(0.05) == 59
    assert upper_bound(0, 59) < 0.05 < upper_bound(0, 58)


def test_the_margin_is_larger_for_fewer_runs_and_never_below_what_was_seen() -> None:
    # The mean range of normal values is tabled as d2: 1.128 of two, 2.326 of five, 3.078 of ten.
    for runs, mean_range in ((2, 1.128), (5, 2.326), (10, 3.078)):
        assert margin(runs) == pytest.approx(3.2905 * math.sqrt(2) / mean_range, rel=1e-3)
    assert margin(2) > margin(5) > margin(20) > 1
    assert margin(1000) == 1


@given(VALUES)
def test_a_suggested_budget_would_have_held_in_all_runs(values: list[float]) -> None:
    for near_exact in (False, True):
        assert smallest_budget(values, near_exact=near_exact) >= worst_difference(values)


@given(st.floats(0, 1e9))
def test_a_budget_of_memory_allows_what_counts_as_the_same(value: float) -> None:
    smallest = smallest_budget([value, value], near_exact=True)
    assert smallest >= 4000
    assert not agree(value, value + smallest * 1.11 + 1)  # but little more: two digits are all that is rounded
    assert smallest_budget([value, value], near_exact=False) == 0


@pytest.mark.parametrize(
    ("amount", "expected"), [(0, 0), (4000, 4000), (4001, 4100), (14_235, 15_000), (99_999, 100_000), (0.0123, 0.013)]
)
def test_a_suggestion_has_two_digits_and_is_never_less(amount: float, expected: float) -> None:
    assert rounded_up(amount) == expected


# Calibrations


def test_a_test_that_differs_by_its_budget_cannot_hold_it() -> None:
    assert only(runs_of(100_000, 299_999)).holds
    found = runs_of(100_000, 300_000)
    assert not only(found).holds
    assert found.exit_code == 1
    assert "1 cannot be held: two runs of the same code differ by as much" in text(found)


def test_what_never_differs_holds_a_budget_of_nothing() -> None:
    assert only(runs_of(100, 100, allowed=0)).holds
    assert not only(runs_of(100, 101, allowed=0)).holds


def test_quiet_runs_end_with_0_and_with_what_they_do_not_prove() -> None:
    found = runs_of(100_000, 100_100, 100_050, 100_000, 100_000)
    assert found.exit_code == 0
    assert "false alarms: in 0 of 5 runs; so in at most 45% of all runs, at 95% confidence" in text(found)
    assert "it takes 59 quiet runs to say: below 5%" in text(found)
    assert text(found).endswith("calibrate: QUIET")


def test_an_alarm_in_some_runs_is_false_and_in_all_of_them_growth() -> None:
    red, green = Outcome.REGRESSED, Outcome.PASSED
    some = runs_of(100_000, 101_000, 100_000, outcomes=(green, red, green))
    assert (some.alarmed, some.grown, some.exit_code) == (1, (), 1)
    assert some.outcomes == {red: 1}
    every = runs_of(400_000, 400_000, 400_000, outcomes=(red, red, red))
    assert (every.alarmed, len(every.grown), every.exit_code) == (0, 1, 1)
    assert "red in every run, which is growth and no false alarm: tests/test_shop.py::test_order" in text(every)


def test_alarms_are_counted_by_run_not_by_test() -> None:
    quiet = run_of(judged(settled(1), name="a"), judged(settled(1), name="b"))
    loud = run_of(judged(settled(1), Outcome.UNSTABLE, name="a"), judged(settled(1), Outcome.NO_ANSWER, name="b"))
    found = calibration([quiet, loud, quiet], ["own"] * 3)
    assert found.alarmed == 1
    assert found.outcomes == {Outcome.UNSTABLE: 1, Outcome.NO_ANSWER: 1}


def test_without_a_baseline_there_are_floors_and_no_answer() -> None:
    found = runs_of(100_000, 100_100, outcomes=(Outcome.NO_BASELINE,) * 2)
    assert only(found).worst == 100
    assert found.exit_code == 3
    assert "none could come, as nothing has a baseline" in text(found)
    assert "NO ANSWER" in text(found)


def test_the_worst_is_what_uses_up_most_of_its_budget() -> None:
    def run(small: int, large: int, free: int) -> Run:
        return run_of(
            judged(settled(free), name="free", allowed=None),
            judged(settled(large), name="large", allowed=10_000_000),
            judged(settled(small), name="small", allowed=1000),
        )

    found = calibration([run(100, 1_000_000, 0), run(900, 2_000_000, 9_000_000)], ["own", "reversed"])
    assert [floor.subject.name for floor in found.floors] == ["small", "large", "free"]
    assert found.floors[2].holds


def test_imports_of_a_test_that_cannot_run_twice_are_no_noise() -> None:
    runs = [run_of(judged(cold(500_000, imports=400_000))), run_of(judged(cold(100_000)))]
    assert only(calibration(runs, ["own", "reversed"])).worst == 0


def test_noisy_metrics_go_by_the_median_of_each_run() -> None:
    runs = [
        run_of(judged(sampled(1200.0, 1210.0, 1900.0), metric="web.lcp", allowed=300)),
        run_of(judged(sampled(1250.0, 1260.0, 1270.0), metric="web.lcp", allowed=300)),
    ]
    floor = only(calibration(runs, ["own", "reversed"]))
    assert floor.values == (1210.0, 1260.0)
    assert floor.smallest == rounded_up(margin(2) * 50)


def test_a_bundle_that_stays_the_same_needs_no_budget() -> None:
    runs = [run_of(judged(exact(5000), metric="bundle.initial.raw"))] * 2
    assert only(calibration(runs, ["own", "own"])).smallest == 0


def test_what_gave_no_value_in_any_run_is_named_with_its_reason() -> None:
    silent = judged(None, Outcome.UNMEASURED, name="test_silent", why="a profiler is active")
    gone = finding(Outcome.VANISHED, name="test_gone")
    found = calibration([run_of(judged(settled(1)), silent, gone)] * 2, ["own", "own"])
    assert found.unmeasured == {"tests/test_shop.py::test_silent": "a profiler is active"}
    assert "not measured: 1 test, first tests/test_shop.py::test_silent: a profiler is active" in text(found)


def test_a_long_table_shows_the_worst_and_says_how_many_more() -> None:
    run = run_of(*(judged(settled(1), name=f"test_{number:02}") for number in range(25)))
    found = calibration([run, run], ["own", "own"])
    assert "and 5 more, none worse (--all shows them)" in text(found)
    assert "test_24" not in text(found)
    assert "test_24" in text(found, every=True)


def test_the_data_say_what_the_lines_say() -> None:
    data = to_json(runs_of(100_000, 320_000, outcomes=(Outcome.PASSED, Outcome.REGRESSED)))
    assert data["exit_code"] == 1
    assert data["false_alarms"]["runs"] == 1
    assert data["false_alarms"]["outcomes"] == {"regressed": 1}
    (test,) = data["tests"]
    assert test["floor"] == {"median": 220_000, "worst": 220_000}
    assert test["holds"] is False
    assert test["values"] == [100_000, 320_000]


# Orders


def test_orders_keep_every_test_and_the_tests_of_a_file_together() -> None:
    items = [f"{file}{number}" for file in "abcdef" for number in range(4)]
    for order in ("own", "reversed", "2", "5"):
        found = ordered(list(items), order, lambda item: item[0])
        assert sorted(found) == items
        files = [item[0] for item in found]
        assert sum(one != other for one, other in pairwise(files)) == 5
    assert ordered(list(items), "reversed", str) == items[::-1]
    assert ordered(list(items), "2", lambda item: item[0]) == ordered(list(items), "2", lambda item: item[0])
    assert ordered(list(items), "2", lambda item: item[0]) != ordered(list(items), "5", lambda item: item[0])
