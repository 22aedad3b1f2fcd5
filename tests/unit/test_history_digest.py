"""The facts of a digest, and what its formats do with names from anywhere."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest
from history_samples import BUNDLE, IMPORT, KB, LINUX, MB, ORDER, PAGE, STEADY, chart, line, past, run, series

from pytest_memgate.budget.waiver import Waiver
from pytest_memgate.errors import HistoryError, UsageError
from pytest_memgate.model.history import Chart, Level, Past, RunRecord
from pytest_memgate.model.history_change import ChangeState, HistoryChange
from pytest_memgate.model.provenance import Commit
from pytest_memgate.model.run import Verdict
from pytest_memgate.report.history.digest.agenda import agenda
from pytest_memgate.report.history.digest.facts import Digest, digest
from pytest_memgate.report.history.digest.html import html
from pytest_memgate.report.history.digest.markdown import markdown, marker
from pytest_memgate.report.history.digest.period import Period, of_day, of_month, since

PAST = past()
TODAY = date(2026, 11, 30)
NOVEMBER = of_month(PAST, "2026-11")
GROWN = HistoryChange(
    series=BUNDLE, before_position=51, position=53, commit=PAST.line[53].id, before=122 * KB, after=162 * KB
)
EVIL = "tests/test_a.py::test[<img src=x onerror=alert(1)>|`@ann #1 [x](http://example.org)\x1b[31m\n]"


def small(*charts: Chart, runs: Mapping[str, RunRecord] | None = None) -> Digest:
    """The digest of the last five of ten commits."""
    commits = line(10)
    there = Past(branch="main", line=commits, runs=runs or {f"r{at}": run(at) for at in range(10)}, charts=charts)
    return digest(there, since(there, 4, "x"), [], TODAY)


def waiver(until: str, metric: str = "memory.peak", test: str = "tests/test_shop.py::test_order") -> Waiver:
    return Waiver(
        test=test, metric=metric, ceiling=3 * MB, until=date.fromisoformat(until), reason="soon gone", unit="B"
    )


def test_a_month_is_that_of_the_commits_times() -> None:
    assert (NOVEMBER.name, NOVEMBER.key) == ("November 2026", "2026-11")
    times = [PAST.line[at].time[:7] for at in (NOVEMBER.before, NOVEMBER.start, NOVEMBER.end)]
    assert times == ["2026-10", "2026-11", "2026-11"]


def test_a_day_without_a_name_is_that_of_the_newest_commit() -> None:
    assert of_day(PAST, "").key == "2026-11-30"


@pytest.mark.parametrize("month", ["2026", "2026-13", "november", "2026-11-01", ""])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(UsageError, match="not a month"):
        of_month(PAST, month)


def test_a_period_without_commits_or_measurements_has_no_digest() -> None:
    with pytest.raises(HistoryError, match=r"no commit of May 2026; its commits are from 2026-10-12 to 2026-11-30"):
        of_month(PAST, "2026-05")
    with pytest.raises(HistoryError, match="has no commit after"):
        since(PAST, len(PAST.line) - 1, "HEAD")
    with pytest.raises(HistoryError, match="no commit of it was measured"):
        digest(PAST, Period(name="it", key="it", start=58, end=58), [], TODAY)


def test_the_largest_steps_are_measured_in_budgets_one_of_each_series() -> None:
    found = digest(PAST, NOVEMBER, [], TODAY).grown
    assert [(one.series, round(one.budgets, 2)) for one in found] == [(ORDER, 3.5), (BUNDLE, 0.2), (IMPORT, 0.08)]


def test_growth_that_nobody_explained_is_told_with_the_id_of_its_change() -> None:
    found = digest(PAST, NOVEMBER, [], TODAY, known=[GROWN, replace(GROWN, state=ChangeState.UNCONFIRMED)])
    assert found.unexplained == (GROWN,)
    assert GROWN.id in html(found)
    assert "1 change is confirmed growth without a reason" in html(found)


def test_an_acknowledgement_is_the_reason_of_a_step() -> None:
    change = replace(GROWN, state=ChangeState.ACKNOWLEDGED, reason="the map is what people come for")
    found = digest(PAST, NOVEMBER, [], TODAY, known=[change])
    assert [one.move.reason for one in found.grown if one.series == BUNDLE] == [change.reason]
    assert found.unexplained == ()


def test_growth_that_was_taken_back_asks_nobody_why() -> None:
    change = replace(GROWN, state=ChangeState.ENDED, why_ended="it was taken back")
    asked, told = (digest(PAST, NOVEMBER, [], TODAY, known=known) for known in ([], [change]))
    assert any("bundle.initial.gzip" in topic and "worth it" in decision for topic, decision in agenda(asked))
    assert not any("worth it" in decision for topic, decision in agenda(told) if "bundle.initial.gzip" in topic)
    assert "none: it was taken back" in html(told)


def test_what_fell_is_told_apart() -> None:
    (one,) = small(chart(ORDER, {0: 3 * MB, 7: 1 * MB}, range(10))).shrunk
    assert one.move.growth == -2 * MB


def test_creep_is_counted_from_the_anchor_or_the_first_value() -> None:
    creep = {one.series: one for one in digest(PAST, NOVEMBER, [], TODAY).creep}
    assert (creep[IMPORT].start, creep[IMPORT].is_anchored, creep[IMPORT].steps) == (4.9 * MB, True, 10)
    assert (creep[BUNDLE].start, creep[BUNDLE].is_anchored) == (122 * KB, False)
    assert PAGE not in creep


def test_a_budget_that_is_being_used_up_has_days_and_commits() -> None:
    (one,) = digest(PAST, NOVEMBER, [], TODAY).forecasts
    assert one.series == IMPORT
    assert one.commits == pytest.approx(202 / 14)
    assert one.days == pytest.approx(202 / 14 * 20 / 24, rel=0.01)


def test_a_digest_tells_nothing_of_later_commits() -> None:
    october = digest(PAST, of_month(PAST, "2026-10"), [], TODAY)
    assert ORDER not in {one.series for one in october.grown}
    assert october.tests == 8
    assert october.missing.vanished == {}


@pytest.mark.parametrize(("levels", "enough"), [({0: 2 * MB}, 200 * KB), ({0: 2 * MB, 5: 2.3 * MB}, 1000 * KB)])
def test_a_budget_that_nobody_used_has_a_tighter_one_that_would_do(levels: dict[int, float], enough: float) -> None:
    wide = {at: Level(value=value, baseline=2 * MB, allowed=4 * MB) for at, value in levels.items()}
    (one,) = small(chart(STEADY, wide, range(10))).slack
    assert (one.allowed, one.number, one.enough) == (4 * MB, 1, enough)


@pytest.mark.parametrize(("allowed", "most"), [(200 * KB, 2 * MB), (4 * MB, 4 * MB)])
def test_a_usual_budget_and_a_used_one_are_no_slack(allowed: float, most: float) -> None:
    levels = {at: Level(value=value, baseline=2 * MB, allowed=allowed) for at, value in ((0, 2 * MB), (5, most))}
    assert small(chart(STEADY, levels, range(10))).slack == ()


def test_waivers_are_told_when_they_end_soon_or_have_ended() -> None:
    waivers = [waiver("2026-12-12"), waiver("2026-11-20"), waiver("2027-06-01")]
    told = digest(PAST, NOVEMBER, waivers, TODAY).waivers
    assert [(one.days, one.value, one.is_needed) for one in told] == [(-10, 1.9 * MB, False), (12, 1.9 * MB, False)]


def test_a_waiver_over_its_budget_is_needed() -> None:
    over = chart(ORDER, {0: Level(value=2 * MB, baseline=1 * MB, allowed=200 * KB)}, range(10))
    there = Past(branch="main", line=line(10), runs={"r9": run(9)}, charts=(over,))
    (one,) = digest(there, since(there, 4, "x"), [waiver("2026-12-12")], TODAY).waivers
    assert one.is_needed


def test_tests_without_a_value_are_told_by_what_is_missing() -> None:
    missing = digest(PAST, NOVEMBER, [], TODAY).missing
    assert [str(test) for test in missing.vanished] == [
        "tests/test_cart.py::test_legacy",
        "tests/test_cart.py::test_total",
    ]
    assert [str(test) for test in missing.bounded] == ["tests/test_shop.py::test_bounded"]
    old = small(chart(ORDER, {0: 1.0}, range(3)))
    assert old.missing.silent == (ORDER.subject,)


def test_a_renamed_test_has_not_vanished() -> None:
    pair = ("tests/test_cart.py::test_total", "tests/test_basket.py::test_total")
    missing = digest(PAST, NOVEMBER, [], TODAY, [pair]).missing
    assert [str(test) for test in missing.vanished] == ["tests/test_cart.py::test_legacy"]


def test_modules_of_a_bundle_that_swelled_are_named() -> None:
    found = [(one.site, one.before, one.after) for one in digest(PAST, NOVEMBER, [], TODAY).modules]
    assert found == [("node_modules/leaflet", 0, 38 * KB), ("src/shop.js", 80 * KB, 82 * KB)]


def test_a_value_that_goes_up_and_down_is_flaky() -> None:
    (one,) = small(chart(ORDER, {at: 1.0 + at % 2 for at in range(10)}, range(10))).noise
    assert one.flips == 3


def test_the_cost_counts_runs_beside_the_branch_and_verdicts() -> None:
    runs = {f"r{at}": run(at, seconds=60) for at in range(8)}
    runs["r8"] = run(8, seconds=30, verdict=Verdict.FAILED)
    runs["r9"] = run(9, seconds=30, verdict=Verdict.NO_ANSWER)
    side = Commit(id="5" * 40, branch="side")
    runs["pr"] = RunRecord(id="pr", environment=LINUX, commit=side, seconds=10, start="2026-10-17T10:00:00Z")
    cost = small(chart(ORDER, {0: 1.0}, range(10)), runs=runs).cost
    assert (cost.runs, cost.beside, cost.failed, cost.no_answer) == (6, 1, 1, 1)
    assert (cost.seconds, cost.each, cost.before) == (250, 48, 60)


def test_a_month_has_an_agenda_with_decisions() -> None:
    points = agenda(digest(PAST, NOVEMBER, [waiver("2026-12-12")], TODAY))
    assert all(decision for _, decision in points)
    assert any("bundle[app]" in topic and "Cy Pattern" in decision for topic, decision in points)
    assert not any("test_order" in topic and "without an accepted reason" in topic for topic, _ in points)


def test_a_quiet_period_says_so() -> None:
    assert "Nothing moved" in markdown(small(chart(ORDER, {0: 1.0}, range(10))))
    assert "Nothing moved" in html(small(chart(ORDER, {0: 1.0}, range(10))))


def test_foreign_names_are_no_markup_anywhere() -> None:
    evil = small(chart(series(EVIL), {0: 1 * MB, 7: 9 * MB}, range(10)))
    commits = tuple(replace(one, author="<b>@bo</b>", title="](x) <script>") for one in evil.past.line)
    evil = replace(evil, past=replace(evil.past, line=commits))
    for text in (markdown(evil), html(evil)):
        assert not [bad for bad in ("<img", "<script>", "<b>@", "\x1b") if bad in text]
    text = markdown(evil)
    assert "](" not in text
    assert "@ann" not in text
    for block in text.split("\n\n"):
        if block.startswith("| "):
            assert len({row.count("|") for row in block.splitlines()}) == 1


def test_a_marker_cannot_be_ended_by_a_name() -> None:
    assert marker("2026-11") == "<!-- memgate-digest 2026-11 -->"
    assert marker("since a--> <b>") == "<!-- memgate-digest since-a-b- -->"


def test_a_long_digest_fits_an_issue() -> None:
    names = [series(f"tests/test_{'x' * 3000}_{at}.py::test") for at in range(40)]
    text = markdown(small(*(chart(one, {0: 1 * MB, 7: 9 * MB}, range(10)) for one in names)))
    assert len(text) < 65_536
