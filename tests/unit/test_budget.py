"""Budgets: their text, what they allow, which rule wins, which tests a pattern means, and waivers."""

from datetime import date

import pytest
from samples import METRIC, SUBJECT

from pytest_memgate.budget.match import matches
from pytest_memgate.budget.rule import Allowance, Budget, Rule, resolve
from pytest_memgate.budget.waiver import Waiver
from pytest_memgate.model.judgement.budget import Origin, OriginKind, RuleKind
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.words.budget import rules_text


@pytest.mark.parametrize(
    ("text", "base", "allowed"),
    [
        ("200KB", 10_000_000, 200_000),
        (1500, 10_000_000, 1500),
        ("5%", 10_000_000, 500_000),
        ("2.5 %", 1000, 25),
        ("max(200KB, 5%)", 10_000_000, 500_000),
        ("max(200KB, 5%)", 1_000_000, 200_000),
        ("min(200KB, 5%)", 10_000_000, 200_000),
        ("MIN( 5% , 200KB )", 1_000_000, 50_000),
        ("5%", 0, 0),
        ("0B", 10_000_000, 0),
    ],
)
def test_an_allowance_is_bytes_above_its_base(text: str | int, base: int, allowed: int) -> None:
    assert Allowance.parse(text).of(base) == allowed


@pytest.mark.parametrize("text", ["", "a lot", "5", "-5%", "max(200KB)", "avg(200KB, 5%)", "%", True])
def test_what_is_no_budget_says_how_to_write_one(text: str | int) -> None:
    with pytest.raises(ValueError, match=r"not a (budget|size)"):
        Allowance.parse(text)


@pytest.mark.parametrize("text", ["max(200KB, 100KB)", "min(5%, 10%)"])
def test_a_choice_takes_one_size_and_one_percentage(text: str) -> None:
    with pytest.raises(ValueError, match=r"(max|min)\(\) takes one amount and one percentage"):
        Allowance.parse(text)


@pytest.mark.parametrize("text", ["200 KB", "5%", "max(200 KB, 5%)", "min(1.5 MB, 2.5%)"])
def test_an_allowance_is_shown_as_it_is_written(text: str) -> None:
    assert str(Allowance.parse(text)) == text


@pytest.mark.parametrize(
    ("one", "other", "looser"),
    [
        ("300KB", "200KB", True),
        ("200KB", "200KB", False),
        ("100KB", "200KB", False),
        ("5%", "200KB", True),  # for a large value
        ("200KB", "5%", True),  # for a small one
        ("max(200KB, 5%)", "200KB", True),
        ("min(200KB, 5%)", "200KB", False),
    ],
)
def test_looser_means_that_some_value_may_grow_more(one: str, other: str, looser: bool) -> None:
    assert Allowance.parse(one).looser_than(Allowance.parse(other)) is looser


def test_each_part_of_a_budget_comes_from_the_most_specific_rule_that_has_it() -> None:
    option = Rule(growth=Allowance(amount=1), sources={"growth": "command line"})
    marker = Rule(growth=Allowance(amount=2), limit=20, sources={"growth": "marker", "limit": "marker"})
    general = Rule(
        growth=Allowance(amount=3), limit=30, drift=Allowance(amount=300), sources={"drift": "memgate.yml:2"}
    )
    assert resolve([option, marker, general]) == Budget(
        growth=Allowance(amount=1),
        limit=20,
        drift=Allowance(amount=300),
        sources={"growth": "command line", "limit": "marker", "drift": "memgate.yml:2"},
    )


def test_a_growth_of_nothing_is_a_budget_too() -> None:
    found = resolve([Rule(growth=Allowance(amount=0)), Rule(growth=Allowance(amount=9))])
    assert found.growth == Allowance(amount=0)


def test_a_budget_says_all_of_its_parts_and_where_they_stand() -> None:
    sources = {"growth": "default", "limit": "marker", "drift": "memgate.yml:2"}
    full = Budget(growth=Allowance(amount=200_000), limit=64_000_000, drift=Allowance(percent=10), sources=sources)
    assert (
        rules_text(full.rules, full.unit) == "growth 200 KB (default), limit 64 MB (marker), drift 10% (memgate.yml:2)"
    )
    share = Budget(growth=Allowance(percent=5), sources=sources)
    assert rules_text(share.rules, share.unit) == "growth 5% (default)"


def test_a_budget_knows_who_set_each_of_its_parts() -> None:
    call = Rule(limit=20, sources={"limit": "call in tests/sizes.py"}, origin=Origin(kind=OriginKind.CALL, file="x.py"))
    general = Rule(growth=Allowance(amount=3), sources={"growth": "memgate.yml:2"})
    assert [(rule.rule, rule.amount, rule.source, rule.origin) for rule in resolve([call, general]).rules] == [
        (RuleKind.GROWTH, 3, "memgate.yml:2", Origin()),
        (RuleKind.LIMIT, 20, "call in tests/sizes.py", Origin(kind=OriginKind.CALL, file="x.py")),
    ]


@pytest.mark.parametrize(
    ("pattern", "subject", "meant"),
    [
        ("tests/etl/**", "tests/etl/test_a.py::test_x", True),
        ("tests/etl/**", "tests/etl/deep/er/test_a.py::test_x", True),
        ("tests/etl/**", "tests/etlx/test_a.py::test_x", False),
        ("tests/etl", "tests/etl/deep/test_a.py::test_x", True),
        ("tests/etl/", "tests/etl/deep/test_a.py::test_x", True),
        ("tests/etl", "tests/etl.py::test_x", False),
        ("tests/*.py", "tests/test_a.py::test_x", True),
        ("tests/*.py", "tests/etl/test_a.py::test_x", False),
        ("**/test_a.py", "test_a.py::test_x", True),
        ("**/test_a.py", "one/two/test_a.py::test_x", True),
        ("tests/test_?.py", "tests/test_a.py::test_x", True),
        ("tests/test_?.py", "tests/test_ab.py::test_x", False),
        ("tests/test_a.py", "tests/test_a.py::TestX::test_y", True),
        ("tests/test_a.py::test_y*", "tests/test_a.py::test_y[1]", True),
        ("tests/test_a.py::test_y*", "tests/test_a.py::TestX::test_y", False),
        ("tests/test_a.py::*test_y", "tests/test_a.py::TestX::test_y", True),
        ("tests/test_a.py::test_y[1-2]", "tests/test_a.py::test_y[1-2]", True),
        ("tests/test_a.py::test_y[1-2]", "tests/test_a.py::test_y1", False),
        ("tests/test_a.py::test_y", "tests/test_a.py::test_y2", False),
        ("tests/test_a.py::test_y[a/*]", "tests/test_a.py::test_y[a/b/c\nd]", True),
        ("tests/test.a.py", "tests/testxa.py::test_x", False),
        ("**", "anything/at/all.py::test_x", True),
    ],
)
def test_a_pattern_means_files_or_names(pattern: str, subject: str, meant: bool) -> None:
    assert matches(pattern, Subject.parse(subject)) is meant


WAIVER = Waiver(
    test="tests/**", metric=METRIC, ceiling=3_000_000, until=date(2027, 1, 31), reason="soon gone", unit="B"
)


def test_a_waiver_holds_through_its_last_day() -> None:
    assert not WAIVER.expired(date(2027, 1, 31))
    assert WAIVER.expired(date(2027, 2, 1))


def test_a_waiver_concerns_its_tests_and_its_metric_only() -> None:
    assert WAIVER.concerns(SUBJECT, METRIC)
    assert not WAIVER.concerns(SUBJECT, "memory.retained")
    assert not WAIVER.concerns(Subject("other/test_a.py", "test_x"), METRIC)
