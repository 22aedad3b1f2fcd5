"""The sentences that reports make of a finding's values."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from samples import finding, sampled, settled, site

from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.finding import Evidence, Finding, Outcome
from pytest_memgate.model.judgement.reason import (
    Cause,
    Doubt,
    DoubtKind,
    FreshProcess,
    Mismatch,
    MismatchKind,
    Over,
    SecondCollection,
    UsedWaiver,
)
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.site import Contribution, Site
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.report.words.budget import budget_text
from pytest_memgate.report.words.details import detail_lines
from pytest_memgate.report.words.reason import reason
from pytest_memgate.report.words.remarks import remark_text

MB = 1_000_000
GROWN = replace(
    finding(Outcome.REGRESSED, settled(3 * MB), baseline=MB),
    over=Over(rule=RuleKind.GROWTH, amount=2 * MB, allowed=200_000),
)
SLOW = replace(finding(Outcome.REGRESSED, sampled(2400, again=(2380,)), baseline=2000), unit="ms")
TWICE = SecondCollection(first=2400, second=2380, ceiling=2300)
OVER_300 = Over(rule=RuleKind.GROWTH, amount=400, allowed=300)
OVER_2000 = Over(rule=RuleKind.LIMIT, amount=2400, allowed=2000)
DRIFTED = Over(rule=RuleKind.DRIFT, amount=900, allowed=500)
UNSTABLE = replace(GROWN, outcome=Outcome.UNSTABLE)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (GROWN, "+2 MB is over its budget of 200 KB"),
        (replace(GROWN, why="in its own words"), "in its own words"),
        (
            replace(SLOW, over=OVER_300, second=TWICE),
            "+400 ms is over its budget of 300 ms, and +380 ms in a second collection",
        ),
        (
            replace(SLOW, over=OVER_2000, second=TWICE),
            "2400 ms is over its limit of 2000 ms, and 2380 ms in a second collection",
        ),
        (
            replace(SLOW, over=DRIFTED, second=TWICE, anchor=1500),
            (
                "+900 ms since its anchor of 1500 ms is over its drift budget of 500 ms, and +880 ms in a second "
                "collection"
            ),
        ),
        (
            replace(SLOW, over=OVER_300, second=replace(TWICE, second=2100), doubt=Doubt(kind=DoubtKind.SOME_RUNS)),
            "+400 ms is over its budget of 300 ms, but only +100 ms in a second collection",
        ),
        (
            replace(SLOW, outcome=Outcome.PASSED, second=replace(TWICE, second=2100)),
            "2400 ms in a first collection was not seen again: 2100 ms is within 2300 ms",
        ),
        (
            replace(
                SLOW,
                outcome=Outcome.UNSTABLE,
                second=replace(TWICE, second=2100),
                doubt=Doubt(kind=DoubtKind.MOST_LOADS),
            ),
            "over 2300 ms in most of its loads: 2400 ms, then 2100 ms",
        ),
        (
            replace(UNSTABLE, doubt=Doubt(kind=DoubtKind.SOME_RUNS)),
            "+2 MB is over its budget of 200 KB in some of its runs, and within it in others",
        ),
        (
            replace(UNSTABLE, doubt=Doubt(kind=DoubtKind.RUNS_DIFFER, amount=3 * MB)),
            "grew by 2 MB, but its runs differ by 3 MB by themselves: a budget of 200 KB cannot be held",
        ),
        (
            replace(UNSTABLE, doubt=Doubt(kind=DoubtKind.NOT_TIMED_AGAIN)),
            "+2 MB is over its budget of 200 KB, and it could not be timed again",
        ),
        (
            replace(UNSTABLE, doubt=Doubt(kind=DoubtKind.FRESH_PROCESS, why="a test failed")),
            "+2 MB is over its budget of 200 KB, and a fresh process could not tell: a test failed",
        ),
        (
            replace(UNSTABLE, over=None, doubt=Doubt(kind=DoubtKind.LEAK, amount=16)),
            "it may leave up to 16 B a call behind",
        ),
        (
            replace(GROWN, fresh=FreshProcess(tests=1, paid=3 * MB, growth=2 * MB, before=2 * MB)),
            "+2 MB is over its budget of 200 KB, and +2 MB by this test alone in a fresh process",
        ),
        (
            replace(finding(), fresh=FreshProcess(tests=3, paid=5, growth=0, before=2 * MB)),
            "+2 MB was not seen again: in a fresh process 3 tests pay 5 B",
        ),
        (
            replace(
                GROWN,
                waivers=(
                    UsedWaiver(until="2027-01-31", reason="soon", source="memgate.yml:3", ceiling=MB, covers=False),
                    UsedWaiver(until="2027-02-28", reason="later", source="memgate.yml:9", ceiling=9 * MB),
                ),
            ),
            (
                "+2 MB is over its budget of 200 KB; over the ceiling of its waiver too, 1 MB (memgate.yml:3)"
                "; waived until 2027-02-28: later (memgate.yml:9)"
            ),
        ),
        (
            replace(finding(), mismatch=Mismatch(kind=MismatchKind.UNIT, there={"unit": "ms"}, here={"unit": ""})),
            "its baseline is in ms, this value in plain numbers",
        ),
        (
            replace(
                finding(),
                mismatch=Mismatch(
                    kind=MismatchKind.CONDITIONS, there={"cpu": "a"}, here={"cpu": "b", "coverage": "on"}
                ),
            ),
            "its baseline was measured with cpu a there and b here, coverage unknown there and on here",
        ),
        (
            replace(
                finding(),
                mismatch=Mismatch(
                    kind=MismatchKind.HEADER,
                    file="x.yaml",
                    there={"memray": "1.19", "coverage": "on"},
                    here={"memray": "1.20", "coverage": "off"},
                ),
            ),
            "x.yaml was measured with memray '1.19' there and '1.20' here, coverage on there and off here",
        ),
        (replace(finding(baseline=MB), cause=Cause.NOT_GIVEN), "it has a baseline, but the test did not give it"),
        (
            replace(finding(), cause=Cause.ONLY_FIRST_RUN, why="ValueError"),
            "it failed when it was run again (ValueError), and leftovers of a first run alone do not count",
        ),
        (
            replace(finding(), may_be=(Subject("a.py", "test_old"),)),
            (
                "it may be a.py::test_old, which is gone: if so, "
                "memgate baseline rename a.py::test_old tests/test_shop.py::test_order"
            ),
        ),
        (finding(), ""),
    ],
    ids=range(23),
)
def test_each_value_has_its_words(one: Finding, words: str) -> None:
    assert reason(one) == words


def test_what_only_some_runs_leave_behind_is_named() -> None:
    thread = site("start", 1, line=7, what='thread "poller"')
    one = replace(
        finding(Outcome.UNSTABLE, settled(1, sites=(thread,)), baseline=0),
        metric="leftover.threads",
        unit="",
        over=Over(rule=RuleKind.GROWTH, amount=1, allowed=0),
        doubt=Doubt(kind=DoubtKind.SOME_RUNS),
    )
    assert reason(one).endswith(' in others: shop/orders.py:7 in start (thread "poller")')


def test_a_budget_is_told_part_by_part() -> None:
    rules = (
        BudgetRule(rule=RuleKind.GROWTH, amount=200_000, percent=5, larger=False),
        BudgetRule(rule=RuleKind.LIMIT, amount=64 * MB, source="memgate.yml:3"),
        BudgetRule(rule=RuleKind.DRIFT, percent=10, source="marker"),
    )
    assert budget_text(replace(GROWN, rules=rules)) == (
        "growth min(200 KB, 5%) (default), limit 64 MB (memgate.yml:3), drift 10% (marker)"
    )
    assert budget_text(replace(GROWN, rules=())) == ""


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Remark(kind=RemarkKind.PROCESSES), "starts processes, whose memory is not counted"),
        (
            lambda: Remark(kind=RemarkKind.PROCESSES, names=("python a.py", "a fork"), amounts=(3,)),
            "3 processes: python a.py; a fork",
        ),
        (
            lambda: Remark(kind=RemarkKind.THREADS, names=("a", "b"), amounts=(9,)),
            "ran beside 9 other thread(s): a, b",
        ),
        (lambda: Remark(kind=RemarkKind.NOT_REPEATABLE, text="KeyError: 1"), "not repeatable: KeyError: 1"),
        (lambda: Remark(kind=RemarkKind.ROUNDS, amounts=(1200,)), "of 1200 rounds"),
        (lambda: Remark(kind=RemarkKind.RUNS, amounts=(3, 2, 2)), "first run 3; again 2, 2"),
        (lambda: Remark(kind=RemarkKind.TEXT, text="q is in it twice"), "q is in it twice"),
    ],
)
def test_each_remark_has_its_words(make: Callable[[], Remark], words: str) -> None:
    assert remark_text(make()) == words


def test_who_paid_for_a_first_use_is_told() -> None:
    tests = tuple(Subject("test_a.py", f"test_{number}") for number in range(5))
    one = replace(GROWN, subject=Subject(LEDGER, "csv"), metric="memory.first_use", paid_by=tests)
    assert detail_lines(one) == [
        "paid by test_a.py::test_0",
        "paid by test_a.py::test_1",
        "paid by test_a.py::test_2",
        "and by 2 more tests",
    ]
    assert detail_lines(replace(one, metric="import.peak", paid_by=tests[:1])) == ["imported by test_a.py::test_0"]


def test_a_leak_that_fails_says_what_looks_like_one() -> None:
    one = replace(GROWN, metric="memory.leak[cache]")
    assert detail_lines(one) == [
        "a cache that takes something new on each call, and has not filled up by then, looks the same"
    ]
    assert detail_lines(replace(one, outcome=Outcome.PASSED)) == []


def test_a_page_says_what_it_loads_besides() -> None:
    evidence = Evidence(
        largest_paint="main > img",
        resources=tuple(
            Contribution(site=Site(path=f"/{number}.js", size=0), base=1000 * number, head=5000) for number in range(5)
        ),
        audits={"unused-javascript": 150.0},
    )
    assert detail_lines(replace(GROWN, metric="web.lcp", evidence=evidence)) == [
        "largest contentful paint: main > img",
        "resources that grew: /0.js +5 KB (new), /1.js +4 KB (from 1 KB), /2.js +3 KB (from 2 KB) and 2 more",
        "audits that got worse: unused-javascript +150 ms",
    ]


def test_a_bundle_says_what_is_behind_its_compressed_size() -> None:
    evidence = Evidence(
        before_compression=(Contribution(site=Site(path="src/chart.js", size=9000), base=0, head=9000),),
        was_lazy=("src/admin.js",),
    )
    one = replace(GROWN, metric="bundle.initial.gzip[main]", evidence=evidence)
    assert detail_lines(one) == [
        "what grew, before compression:",
        "      +9 KB  src/chart.js  (0 B -> 9 KB)",
        "src/admin.js was loaded lazily before",
    ]
    limit = Over(rule=RuleKind.LIMIT, amount=MB, allowed=10)
    assert detail_lines(replace(one, baseline=3 * MB, over=limit))[0] == "what holds it, before compression:"
