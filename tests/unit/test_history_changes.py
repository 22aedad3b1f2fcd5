"""Changes of a history: which there are, and what becomes of them."""

from collections.abc import Sequence
from dataclasses import replace

from history_project import MB, PEAK, series

from pytest_memgate.compare.history.changes import REACH, VERDICT, changes_of
from pytest_memgate.compare.history.confirmation import MOST_FALSE, error_of, processes_for
from pytest_memgate.model.history import (
    Chart,
    Event,
    EventKind,
    Level,
    LineCommit,
    Past,
    Precision,
    RunRecord,
    Series,
    Step,
)
from pytest_memgate.model.history_change import ChangeState, HistoryChange

EXACT = replace(series(metric="bundle.initial.raw"), precision=Precision.EXACT)
TIME = series(metric="time.median", unit="ms", machine="m")
FLAT = [10 + 0.02 * (number % 7 - 3) for number in range(30)]
STEP = [*FLAT, 15.0, 15.1, 14.9]


def past(levels: Sequence[Level | float], one: Series = PEAK, *events: Event, python: int = 99) -> Past:
    """A history of one series, measured at each commit; `python` is where its version changed."""
    given = [level if isinstance(level, Level) else Level(value=level) for level in levels]
    steps = tuple(Step(position=at, run=f"run-{at}", level=level) for at, level in enumerate(given))
    runs = {
        f"run-{at}": RunRecord(id=f"run-{at}", environment="linux", versions={"python": "3.13" if at < python else "4"})
        for at in range(len(given))
    }
    line = tuple(LineCommit(position=at, id=f"{at:07x}" + "0" * 33, tree="") for at in range(len(given)))
    chart = Chart(series=one, steps=steps, measured=tuple(range(len(given))))
    return Past(branch="main", line=line, runs=runs, charts=(chart,), events=events)


def said(
    change: HistoryChange,
    kind: EventKind,
    text: str = "",
    verdict: float = 0,
    between: tuple[float, float] = (10.0, 15.0),
) -> Event:
    before, after = between
    return Event(
        id=text or "e",
        kind=kind,
        time="",
        commit=change.commit,
        text=text,
        change=change.id,
        data={"before": before, "after": after, REACH: 1.0, VERDICT: verdict},
    )


def test_an_exact_value_that_changed_is_a_change() -> None:
    (change,) = changes_of(past([100, 100, 101], EXACT))
    assert (change.position, change.growth, change.state) == (2, 1, ChangeState.CONFIRMED)
    assert change.is_open


def test_near_exact_values_change_beyond_their_noise_and_by_many_small_steps_too() -> None:
    assert changes_of(past([1 * MB, 1.009 * MB, 1 * MB])) == []
    (change,) = changes_of(past([1 * MB, 1.006 * MB, 1.012 * MB]))
    assert (change.before_position, change.position) == (1, 2)


def test_a_near_exact_value_that_another_process_may_explain_is_unconfirmed_until_it_is_measured_again() -> None:
    levels = [1 * MB, 1.1 * MB]
    (change,) = changes_of(past(levels))
    yes, no = (said(change, EventKind.CONFIRMATION, verdict=verdict, between=(MB, 1.1 * MB)) for verdict in (1, -1))
    assert change.state is ChangeState.UNCONFIRMED
    assert [one.state for one in changes_of(past(levels, PEAK, yes))] == [ChangeState.CONFIRMED]
    assert [one.state for one in changes_of(past(levels, PEAK, no))] == [ChangeState.REFUTED]
    # The same sway again needs no other measurement; what goes beyond it does.
    later = changes_of(past([*levels, 1 * MB, 1.09 * MB, 1.15 * MB, 1.5 * MB], PEAK, no))
    assert [(one.after / MB, one.state) for one in later if one.is_growth] == [
        (1.5, ChangeState.CONFIRMED),
        (1.15, ChangeState.UNCONFIRMED),
        (1.09, ChangeState.REFUTED),
        (1.1, ChangeState.REFUTED),
    ]


def test_growth_beyond_two_budgets_needs_no_second_measurement() -> None:
    held = Level(value=10 * MB, baseline=10 * MB, allowed=MB / 2)
    within, beyond = (changes_of(past([held, replace(held, value=value * MB)])) for value in (10.9, 11.1))
    assert [change.state for change in within] == [ChangeState.UNCONFIRMED]
    assert [change.state for change in beyond] == [ChangeState.CONFIRMED]


def test_a_near_exact_value_is_measured_in_as_many_processes_as_the_error_asks_for() -> None:
    assert [processes_for(error) for error in (0.25, 0.005, 0.0005)] == [1, 4, 6]


def test_a_bound_is_a_change_only_where_no_value_below_it_fits() -> None:
    assert changes_of(past([Level(value=MB), Level(bound=2 * MB), Level(value=MB)])) == []
    assert changes_of(past([Level(bound=2 * MB), Level(bound=1 * MB), Level(value=0.9 * MB)])) == []
    (less,) = changes_of(past([Level(value=2 * MB), Level(bound=1 * MB)]))
    (more,) = changes_of(past([Level(bound=1 * MB), Level(value=2 * MB)]))
    assert less.is_at_least
    assert not less.is_growth
    assert more.is_at_least
    assert more.is_open


def test_a_change_ends_when_the_level_is_back_the_series_gone_or_its_budget_removed() -> None:
    back = changes_of(past([1 * MB, 2 * MB, 1 * MB]))
    again = changes_of(past([1 * MB, 3 * MB, 1 * MB, 1.5 * MB]))
    gone = changes_of(past([Level(value=MB), Level(value=2 * MB), Level()]))
    free = changes_of(past([Level(value=MB, limit=3 * MB), Level(value=2 * MB)]))
    assert [change.why_ended for change in back if change.is_growth] == ["it was taken back"]
    assert [(change.after, change.why_ended) for change in again if change.is_growth] == [
        (1.5 * MB, ""),
        (3 * MB, "it was taken back"),
    ]
    assert [change.why_ended for change in gone] == ["it is not measured any more"]
    assert [change.why_ended for change in free] == ["its budget was removed"]


def test_a_raised_baseline_with_a_reason_acknowledges_its_growth() -> None:
    (change,) = changes_of(past([Level(value=MB, baseline=MB), Level(value=2 * MB, baseline=2 * MB, reason="cache")]))
    assert (change.state, change.reason) == (ChangeState.ACKNOWLEDGED, "cache")


def test_a_reason_of_before_does_not_acknowledge_new_growth() -> None:
    old = Level(value=MB, baseline=MB, reason="cache")
    (change,) = changes_of(past([old, replace(old, value=2 * MB)]))
    assert change.is_open


def test_an_acknowledgement_closes_a_change() -> None:
    (change,) = changes_of(past([100, 101], EXACT))
    (closed,) = changes_of(past([100, 101], EXACT, said(change, EventKind.ACKNOWLEDGEMENT, "new logo")))
    assert (closed.state, closed.reason) == (ChangeState.ACKNOWLEDGED, "new logo")


def test_a_noisy_step_is_proposed_after_three_commits_and_fails_nothing() -> None:
    assert changes_of(past(STEP[:-1], TIME)) == []
    (change,) = changes_of(past(STEP, TIME))
    assert (change.before_position, change.position, change.state) == (29, 30, ChangeState.UNCONFIRMED)
    assert not change.is_open


def test_a_confirmation_confirms_or_refutes_it() -> None:
    (change,) = changes_of(past(STEP, TIME))
    yes = said(change, EventKind.CONFIRMATION, verdict=1)
    no = said(change, EventKind.CONFIRMATION, verdict=-1)
    assert [one.state for one in changes_of(past([*STEP, 15.0], TIME, yes))] == [ChangeState.CONFIRMED]
    assert [one.state for one in changes_of(past(STEP, TIME, no))] == [ChangeState.REFUTED]


def test_a_new_version_of_python_is_no_change_of_the_code() -> None:
    assert changes_of(past(STEP, TIME, python=30)) == []


def test_where_all_tests_moved_alike_it_was_the_machine() -> None:
    whole = past(STEP, TIME)
    names = [replace(TIME, subject=replace(TIME.subject, name=f"test_{number}")) for number in range(8)]
    charts = tuple(replace(whole.charts[0], series=one) for one in names)
    assert changes_of(replace(whole, charts=charts)) == []
    assert len(changes_of(replace(whole, charts=charts[:4]))) == 4


def test_the_errors_of_a_month_stay_within_what_is_promised() -> None:
    assert sum(error_of(number) for number in range(1, 100_000)) <= MOST_FALSE
