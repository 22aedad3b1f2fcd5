"""Figures, lines of blocks, tables and names of series in the terminal."""

import pytest
from history_samples import BOUNDED, BUNDLE, CACHED, IMPORT, KB, MB, ORDER, PAGE, chart, line, past, series

from pytest_memgate.errors import UsageError
from pytest_memgate.model.history import Chart, Level, Precision, Series
from pytest_memgate.report.history.figures import commits_per_day, headroom, moves, slope
from pytest_memgate.report.history.one_series import view
from pytest_memgate.report.history.row import Order, rows
from pytest_memgate.report.history.select import named
from pytest_memgate.report.history.show import show
from pytest_memgate.report.history.sparkline import plain, sparkline
from pytest_memgate.report.history.table import Column, cut, fitted

PAST = past()
NOISY = series("tests/test_a.py::test_time", "time.median", unit="ms", precision=Precision.NOISY)


def of(one: Series) -> Chart:
    return next(chart for chart in PAST.charts if chart.series == one)


def levels(*values: float) -> list[Level]:
    return [Level(value=value) for value in values]


def test_a_step_has_its_commit_its_reason_and_the_commits_that_were_not_measured() -> None:
    (move,) = moves(of(ORDER))
    assert (move.position, move.seen, move.commits) == (CACHED, CACHED - 2, 2)
    assert move.growth == 700 * KB
    assert move.reason.startswith("orders of a session stay in memory")


def test_a_bound_is_never_a_change() -> None:
    assert moves(of(BOUNDED)) == ()
    there = chart(ORDER, {0: Level(value=1.0), 1: Level(bound=9.0), 2: Level(value=1.0)}, range(3))
    assert moves(there) == ()


def test_a_reason_that_was_there_before_is_none_of_a_later_step() -> None:
    raised = Level(value=2.0, baseline=2.0, reason="worth it")
    there = chart(ORDER, {0: 1.0, 1: raised, 2: Level(value=3.0, baseline=2.0, reason="worth it")}, range(3))
    assert [move.reason for move in moves(there)] == ["worth it", ""]


def test_a_baseline_raised_a_commit_later_gives_the_step_its_reason() -> None:
    later = Level(value=2.0, baseline=2.0, reason="worth it")
    there = chart(ORDER, {0: Level(value=1.0, baseline=1.0), 1: Level(value=2.0, baseline=1.0), 2: later}, range(3))
    assert [(move.position, move.reason) for move in moves(there)] == [(1, "worth it")]


def test_a_noisy_value_changes_beyond_its_spread_alone() -> None:
    jumps = {at: Level(value=value, spread=10) for at, value in enumerate([100, 110, 95, 160, 155])}
    assert [move.position for move in moves(chart(NOISY, jumps, range(5)))] == [3]


def test_a_noisy_value_that_creeps_changes_in_the_end() -> None:
    creeping = {at: Level(value=100 + 5 * at, spread=10) for at in range(10)}
    assert [move.position for move in moves(chart(NOISY, creeping, range(10)))] == [5]


def test_a_creep_has_a_slope_and_a_step_has_none() -> None:
    assert slope(of(IMPORT)) == pytest.approx(14 * KB)
    assert slope(of(ORDER)) == 0
    assert slope(of(PAGE)) == 0


def test_a_slope_of_many_points_is_taken_from_some_of_them() -> None:
    long = chart(ORDER, {at: 1.0 * MB + 2 * KB * at for at in range(3000)}, range(3000))
    assert slope(long) == pytest.approx(2 * KB)


def test_the_room_in_a_budget_is_that_above_a_bound_too() -> None:
    assert headroom(Level(bound=900, baseline=800, allowed=200)) == 100
    assert headroom(Level(value=5, limit=3)) == -2
    assert headroom(Level(value=5)) is None
    assert headroom(None) is None


def test_commits_without_times_have_no_pace() -> None:
    assert commits_per_day(line(25, hours=12)) == pytest.approx(2)
    assert commits_per_day(line(1)) is None
    assert commits_per_day(line(5, hours=0)) is None


def test_blocks_go_from_the_least_to_the_most() -> None:
    assert sparkline(levels(1, 2, 3, 4, 5, 6, 7, 8), 8) == "▁▂▃▄▅▆▇█"


def test_a_flat_line_lies_in_the_middle() -> None:
    assert sparkline(levels(5, 5, 5), 10) == "▄▄▄"


def test_a_bound_and_a_gone_test_have_marks_of_their_own() -> None:
    assert sparkline([Level(bound=3), Level(value=1), Level()], 10) == "▔▄·"
    assert plain("▔▄·█") == "<-.#"


def test_a_short_peak_is_seen_in_a_narrow_line() -> None:
    assert "█" in sparkline(levels(*[1] * 50, 9, *[1] * 49), 10)


def test_no_levels_and_no_room_give_no_line() -> None:
    assert sparkline([], 10) == ""
    assert sparkline(levels(1), 0) == ""


def test_a_table_leaves_out_the_least_useful_column_before_it_is_too_wide() -> None:
    columns = [
        Column(heading="name", least=6, widest=20, use=2, keeps_end=True),
        Column(heading="about", least=10, widest=20, use=1),
    ]
    rows = [("tests/test_shop.py", "a longer text")]
    assert fitted(columns, rows, 40) == ["name                about", "tests/test_shop.py  a longer text"]
    assert fitted(columns, rows, 18) == ["name    about", "…op.py  a longer …"[:18]]
    assert fitted(columns, rows, 12) == ["name", "…est_shop.py"]


def test_a_cut_text_says_so() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcdef", 4, keeps_end=True) == "…def"
    assert cut("abc", 4) == "abc"


@pytest.mark.parametrize(
    "names",
    [
        ["tests/test_shop.py::test_order"],
        ["test_order"],
        ["tests/test_shop.py", "test_order"],
        ["tests/**::test_order"],
        ["memory", "test_order"],
        ["memory.peak", "test_order"],
        [ORDER.id],
    ],
)
def test_a_series_has_many_names(names: list[str]) -> None:
    assert [one.series for one in named(PAST.charts, names)] == [ORDER]


def test_a_part_of_a_metric_is_found_by_the_metric() -> None:
    assert [one.series for one in named(PAST.charts, ["bundle.initial.gzip"])] == [BUNDLE]


def test_a_name_of_nothing_is_told_with_near_ones() -> None:
    with pytest.raises(UsageError, match="no series is named 'test_ordr'; did you mean 'test_order'"):
        named(PAST.charts, ["test_ordr"])
    with pytest.raises(UsageError, match="memgate history show lists what there is"):
        named(PAST.charts, ["qqqqqqqq"])


def test_the_newest_change_comes_first_and_what_is_gone_comes_last() -> None:
    order = [row.chart.series for row in rows(PAST.charts, 0, Order.NEWEST)]
    assert order[:3] == [IMPORT, BUNDLE, ORDER]
    assert {one.subject.file for one in order[-2:]} == {"tests/test_cart.py"}


@pytest.mark.parametrize(
    ("order", "first"),
    [(Order.GROWTH, ORDER), (Order.SLACK, series("tests/test_shop.py::test_steady")), (Order.NOISE, PAGE)],
)
def test_the_top_of_an_order_leaves_out_what_has_none_of_it(order: Order, first: Series) -> None:
    found = rows(PAST.charts, 0, order)
    assert found[0].chart.series == first
    assert len(found) < len(PAST.charts)


def test_an_order_of_which_there_is_nothing_says_so() -> None:
    steady = [chart(ORDER, {0: 1.0}, range(60)), chart(BUNDLE, {0: 1.0}, range(60))]
    assert show(PAST, steady, width=80, start=0, order=Order.NOISE, number=5)[0] == "no series has a spread"


def test_lines_beyond_the_number_are_counted() -> None:
    lines = show(PAST, PAST.charts, width=100, start=0, order=Order.NEWEST, number=2)
    assert "and 7 more: name a test or a metric, or -n 9" in lines


def test_a_name_with_escape_sequences_draws_nothing() -> None:
    evil = series("tests/test_a.py::test[\x1b[31m\u202e]")
    text = "\n".join(view(PAST, chart(evil, {50: 1.0}, range(50, 60)), width=80, start=0))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_series_that_was_not_measured_lately_says_so() -> None:
    old = chart(ORDER, {1: 1.0}, range(1, 5))
    assert view(PAST, old, width=80, start=10)[1].startswith("not measured since 6ee34ae8")
