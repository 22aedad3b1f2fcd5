"""Judging: every outcome that a measurement can have, and the runs that the verdict needs."""

import pytest
from samples import METRIC, SUBJECT, bound, budget, cold, known, settled

from pytest_memgate.budget.rule import Budget
from pytest_memgate.compare.agreement import agree, settled_value
from pytest_memgate.compare.judge import ceiling, floor, judge, needs_rerun
from pytest_memgate.compare.verdict import verdict
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Bar, Reference, Standing
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.run import Problem, Verdict
from pytest_memgate.report.words.budget import budget_text
from pytest_memgate.report.words.reason import reason

MB = 1_000_000
BASE = Reference(value=MB)
NEW = Bar(standing=Standing.NEW)


def judged(measurement: Measurement, allowed: Budget, bar: Bar) -> Finding:
    return judge(SUBJECT, METRIC, measurement, allowed, bar)


@pytest.mark.parametrize(
    ("growth", "outcome"),
    [
        (0, Outcome.PASSED),
        (200_000, Outcome.PASSED),  # the budget itself is allowed
        (200_001, Outcome.REGRESSED),
        (-200_000, Outcome.PASSED),
        (-200_001, Outcome.IMPROVED),
    ],
)
def test_growth_is_held_against_its_budget(growth: int, outcome: Outcome) -> None:
    found = judged(settled(MB + growth), budget(), known(BASE))
    assert (found.outcome, found.growth, found.allowed, found.baseline) == (outcome, growth, 200_000, MB)


def test_a_regression_says_by_how_much() -> None:
    found = judged(settled(5_400_000), budget(), known(Reference(value=1_200_000)))
    assert reason(found) == "+4.2 MB is over its budget of 200 KB"
    assert budget_text(found) == "growth 200 KB (memgate.yml:2)"


def test_an_improvement_says_that_the_baseline_can_be_lowered() -> None:
    assert reason(judged(settled(MB // 2), budget(), known(BASE))) == "-500 KB, so the baseline can be lowered"


def test_a_bound_within_the_budget_passes() -> None:
    assert judged(bound(MB + 200_000), budget(), known(BASE)).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("standing", "outcome"),
    [
        (Standing.NEW, Outcome.NEW),
        (Standing.NO_BASELINE, Outcome.NO_BASELINE),
        (Standing.INCOMPARABLE, Outcome.INCOMPARABLE),
    ],
)
def test_without_a_reference_nothing_passes(standing: Standing, outcome: Outcome) -> None:
    found = judged(settled(MB), budget(), Bar(standing=standing))
    assert (found.outcome, reason(found)) == (outcome, "")
    assert (found.baseline, found.growth, found.allowed) == (None, None, 200_000)


@pytest.mark.parametrize("standing", [Standing.NEW, Standing.NO_BASELINE, Standing.INCOMPARABLE])
def test_a_limit_holds_without_a_baseline(standing: Standing) -> None:
    found = judged(settled(MB + 1), budget(limit=MB), Bar(standing=standing))
    assert (found.outcome, reason(found)) == (Outcome.REGRESSED, "1,000,001 B is over its limit of 1,000,000 B")
    assert judged(settled(MB), budget(limit=MB), Bar(standing=standing)).outcome is not Outcome.REGRESSED


def test_a_limit_holds_within_the_growth_budget() -> None:
    assert judged(settled(MB + 10), budget(limit=MB + 9), known(BASE)).outcome is Outcome.REGRESSED
    assert judged(settled(MB + 10), budget(limit=MB + 10), known(BASE)).outcome is Outcome.PASSED


@pytest.mark.parametrize(("value", "outcome"), [(1_500_000, Outcome.PASSED), (1_500_001, Outcome.DRIFTED)])
def test_drift_is_counted_from_the_anchor(value: int, outcome: Outcome) -> None:
    crept = Reference(value=1_400_000, anchor=MB, reason="new cache")
    assert judged(settled(value), budget(drift="500KB"), known(crept)).outcome is outcome


def test_drift_says_what_it_is_counted_from() -> None:
    found = judged(settled(1_600_000), budget(drift="500KB"), known(Reference(value=1_550_000, anchor=MB)))
    assert reason(found) == "+600 KB since its anchor of 1 MB is over its drift budget of 500 KB"
    assert found.anchor == MB


def test_without_an_anchor_drift_is_counted_from_the_baseline() -> None:
    assert judged(settled(1_150_000), budget(drift="100KB"), known(BASE)).outcome is Outcome.DRIFTED


def test_runs_on_both_sides_of_the_budget_are_unstable() -> None:
    found = judged(settled(MB + 300_000, spread=150_000), budget(), known(BASE))
    assert found.outcome is Outcome.UNSTABLE
    assert reason(found) == "+300 KB is over its budget of 200 KB in some of its runs, and within it in others"


def test_runs_that_differ_but_are_all_over_the_budget_regressed() -> None:
    assert judged(settled(MB + 400_000, spread=150_000), budget(), known(BASE)).outcome is Outcome.REGRESSED


def test_a_budget_smaller_than_the_baselines_own_spread_cannot_be_held() -> None:
    found = judged(settled(MB + 300_000), budget(), known(Reference(value=MB, spread=300_000)))
    assert found.outcome is Outcome.UNSTABLE
    assert reason(found) == (
        "grew by 300 KB, but its runs differ by 300 KB by themselves: a budget of 200 KB cannot be held"
    )


def test_growth_beyond_the_spread_regressed() -> None:
    assert judged(settled(MB + 300_001), budget(), known(Reference(value=MB, spread=300_000))).outcome is (
        Outcome.REGRESSED
    )


@pytest.mark.parametrize(
    ("allowed", "reference"),
    [
        (budget(limit=MB), BASE),
        (budget(drift="100KB"), Reference(value=MB, anchor=MB)),
    ],
)
def test_limit_and_drift_are_unstable_too_where_runs_disagree(allowed: Budget, reference: Reference) -> None:
    found = judged(settled(MB + 150_000, spread=150_000), allowed, known(reference))
    assert found.outcome is Outcome.UNSTABLE


def test_runs_that_have_not_settled_speak_one_by_one() -> None:
    wavering = Measurement(value=MB + 300_000, basis=Basis.WARM, cold=MB, warm=(MB, MB + 300_000))
    assert judged(wavering, budget(), known(BASE)).outcome is Outcome.UNSTABLE


def test_an_improvement_must_go_beyond_the_spread() -> None:
    shaky = known(Reference(value=2 * MB, spread=600_000))
    assert judged(settled(1_400_000), budget(), shaky).outcome is Outcome.PASSED
    assert judged(settled(1_399_999), budget(), shaky).outcome is Outcome.IMPROVED


def test_imports_of_a_test_that_cannot_run_twice_are_not_its_growth() -> None:
    once = known(Reference(value=MB, repeatable=False))
    found = judged(cold(4 * MB, imports=3 * MB), budget(), once)
    assert found.outcome is Outcome.PASSED
    assert reason(found) == "and 3 MB of first use, which another test may pay for in another order"


def test_imports_do_not_hide_drift() -> None:
    crept = known(Reference(value=1_500_000, anchor=MB, reason="cache", repeatable=False))
    found = judged(cold(4_600_000, imports=3 * MB), budget(drift="500KB"), crept)
    assert (found.outcome, reason(found)) == (
        Outcome.DRIFTED,
        "+600 KB since its anchor of 1 MB is over its drift budget of 500 KB",
    )


def test_growth_beside_the_imports_of_a_test_that_cannot_run_twice_is_found() -> None:
    once = known(Reference(value=MB, repeatable=False))
    assert judged(cold(4 * MB, imports=2 * MB), budget(), once).outcome is Outcome.REGRESSED


def test_the_ceiling_is_the_lowest_of_all_bounds() -> None:
    crept = Reference(value=1_400_000, anchor=MB)
    assert ceiling(budget(), crept) == 1_600_000
    assert ceiling(budget(drift="500KB"), crept) == 1_500_000
    assert ceiling(budget(drift="500KB", limit=1_450_000), crept) == 1_450_000
    assert ceiling(budget(limit=7), None) == 7
    assert ceiling(budget(), None) is None


def test_the_floor_lies_below_budget_and_spread() -> None:
    assert floor(budget(), BASE) == 800_000
    assert floor(budget(), Reference(value=MB, spread=300_000)) == 700_000


@pytest.mark.parametrize(
    ("measurement", "bar", "again"),
    [
        (bound(MB + 200_000), known(BASE), False),
        (bound(MB + 200_001), known(BASE), True),
        (bound(MB - 200_000), known(BASE), False),
        (bound(MB - 200_001), known(BASE), True),
        (bound(1), NEW, True),
        (cold(MB), known(BASE), True),
    ],
)
def test_a_first_run_is_enough_only_where_it_settles_the_verdict(
    measurement: Measurement, bar: Bar, again: bool
) -> None:
    assert needs_rerun(measurement, budget(), bar) is again


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(0, 4000, True), (0, 4001, False), (MB, MB + 10_000, True), (MB, MB + 10_200, False), (9, 9, True)],
)
def test_values_agree_within_one_percent_or_four_kilobytes(one: int, other: int, same: bool) -> None:
    assert agree(one, other) is same
    assert agree(other, one) is same


@pytest.mark.parametrize(
    ("warm", "value"),
    [
        ((), None),
        ((MB,), None),
        ((MB, MB + 3000), MB + 3000),
        ((MB, 2 * MB), None),
        ((MB, 2 * MB, 2 * MB - 1), 2 * MB),
        ((MB, 2 * MB, MB), None),
    ],
)
def test_two_runs_in_a_row_settle_a_value(warm: tuple[int, ...], value: int | None) -> None:
    assert settled_value(warm) == value


FAILING = {Outcome.REGRESSED, Outcome.DRIFTED}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_growth_and_what_gives_no_number_fail_a_test(outcome: Outcome) -> None:
    assert outcome.fails_test is (outcome in {*FAILING, Outcome.NO_ANSWER})
    found = Finding(subject=SUBJECT, metric=METRIC, outcome=outcome)
    by_itself = {Outcome.NO_ANSWER: Verdict.NO_ANSWER, **dict.fromkeys(FAILING, Verdict.FAILED)}
    assert verdict([found], []) is by_itself.get(outcome, Verdict.PASSED)


@pytest.mark.parametrize(
    ("said", "comes_to"),
    [
        ((), Verdict.PASSED),
        ((Verdict.NO_ANSWER,), Verdict.NO_ANSWER),
        ((Verdict.FAILED,), Verdict.FAILED),
        ((Verdict.NO_ANSWER, Verdict.FAILED), Verdict.FAILED),
    ],
)
def test_a_no_outweighs_a_missing_answer(said: tuple[Verdict, ...], comes_to: Verdict) -> None:
    assert verdict([], [Problem(text="x", verdict=one) for one in said]) is comes_to


def test_each_verdict_has_its_exit_code() -> None:
    assert [one.exit_code for one in (Verdict.PASSED, Verdict.FAILED, Verdict.NO_ANSWER)] == [0, 1, 3]
