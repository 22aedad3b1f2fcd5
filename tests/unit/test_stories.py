"""One cause, one story: what the same sites explain is told once, and a second cause is never hidden behind it."""

from dataclasses import replace

import pytest
from samples import finding, run_of, settled, site

from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Over
from pytest_memgate.model.run import Run, Verdict
from pytest_memgate.model.site import Contribution, Site
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.report.annotations import annotations
from pytest_memgate.report.escape import markdown_text
from pytest_memgate.report.html.overview import overview
from pytest_memgate.report.lines import failure_texts, update_command
from pytest_memgate.report.markdown import markdown
from pytest_memgate.report.stories import listed_only, stories
from pytest_memgate.report.terminal import summary
from pytest_memgate.report.view import next_steps
from pytest_memgate.report.words.contributions import contribution_lines

MB = 1_000_000
HANDLE = site("handle", 2 * MB, path="shop/api.py", line=38)
QUERY = site("query", 2 * MB, path="shop/db.py", line=7)
OVER_LIMIT = Over(rule=RuleKind.LIMIT, amount=4 * MB, allowed=MB)


def grown(
    number: int,
    *parts: tuple[Site | None, float],
    metric: str = "memory.peak",
    file: str = "tests/test_a.py",
    outcome: Outcome = Outcome.REGRESSED,
) -> Finding:
    """Return a test over its budget of 200 KB by what its parts have grown."""
    growth = sum(size for _, size in parts)
    one = finding(outcome, settled(round(MB + growth)), name=f"test_{number}", file=file, baseline=MB, why="over")
    by_site = tuple(Contribution(site=where, base=0, head=size) for where, size in parts)
    return replace(one, metric=metric, allowed=200_000, growth_by_site=by_site, line=number)


def failed(*findings: Finding) -> Run:
    return run_of(*findings, verdict=Verdict.FAILED)


def leaking(tests: int) -> list[Finding]:
    """Return the peak and what is retained of so many tests, all by one function."""
    return [
        grown(number, (HANDLE, 2 * MB + number), (None, 300), metric=metric)
        for number in range(tests)
        for metric in ("memory.peak", "memory.retained")
    ]


def lines_of(run: Run) -> list[str]:
    return [story.line for story in stories(run) if story.is_shared]


def test_what_one_site_explains_is_one_story() -> None:
    run = failed(*leaking(120))
    (story,) = stories(run)
    assert story.line == "shop/api.py:38 in handle explains 240 of 240 findings in 120 tests"
    assert [one.subject.name for one in story.in_full] == [f"test_{n}" for n in (119, 119, 118, 118, 117, 117)]
    assert len(story.rest) == len(listed_only([story])) == 117


def test_a_test_that_another_site_leads_has_a_story_of_its_own() -> None:
    run = failed(*leaking(9), grown(50, (QUERY, 2 * MB)))
    assert lines_of(run) == ["shop/api.py:38 in handle explains 18 of 19 findings in 9 tests"]
    assert Subject("tests/test_a.py", "test_50") not in listed_only(stories(run))


def test_a_second_cause_in_a_test_that_has_the_first_one_too_is_not_hidden() -> None:
    both = grown(50, (HANDLE, 2 * MB), (QUERY, MB))
    run = failed(*leaking(9), both)
    assert [len(story.findings) for story in stories(run)] == [1, 18]
    assert both.subject not in listed_only(stories(run))


def test_what_is_within_the_budget_beside_the_cause_is_no_other_one() -> None:
    run = failed(*leaking(2), grown(50, (HANDLE, 2 * MB), (QUERY, 150_000), (None, 40_000)))
    assert lines_of(run) == ["shop/api.py:38 in handle explains 5 of 5 findings in 3 tests"]


def test_a_shrinkage_does_not_hide_what_else_grew() -> None:
    run = failed(*leaking(2), grown(50, (HANDLE, 2 * MB), (QUERY, MB), (site("old", 0), -900_000)))
    assert len(stories(run)) == 2


def test_two_sites_that_only_explain_it_together_are_named_both() -> None:
    run = failed(*(grown(number, (HANDLE, 2 * MB), (QUERY, MB)) for number in range(5)))
    assert lines_of(run) == ["shop/api.py:38 in handle and shop/db.py:7 in query explain 5 of 5 findings in 5 tests"]


def test_what_is_over_a_limit_is_explained_by_what_holds_most_of_it() -> None:
    found = [
        replace(grown(number, (HANDLE, 2 * MB), (QUERY, MB)), over=OVER_LIMIT, baseline=None) for number in range(4)
    ]
    assert lines_of(failed(*found)) == ["shop/api.py:38 in handle explains 4 of 4 findings in 4 tests"]


def test_regressed_and_drifted_have_one_story_when_they_have_one_cause() -> None:
    drifted = grown(50, (HANDLE, 2 * MB), outcome=Outcome.DRIFTED)
    assert lines_of(failed(*leaking(2), drifted)) == ["shop/api.py:38 in handle explains 5 of 5 findings in 3 tests"]


def library(*via: str, name: str = "json", path: str = "json/decoder.py") -> Site:
    return site("decode", 2 * MB, path=path, line=340, via=via, library=name)


def test_a_library_is_as_many_causes_as_lines_of_the_project_call_it() -> None:
    first, second = library("shop/a.py:9 in load", "tests/x.py:1 in t"), library("shop/b.py:4 in read")
    run = failed(*(grown(number, (second if number > 3 else first, 2 * MB)) for number in range(8)))
    assert lines_of(run) == [
        "json/decoder.py:340 in decode, called from shop/a.py:9 in load, explains 4 of 8 findings in 4 tests",
        "json/decoder.py:340 in decode, called from shop/b.py:4 in read, explains 4 of 8 findings in 4 tests",
    ]


def test_a_package_that_the_tests_call_themselves_is_one_cause_and_the_standard_library_is_none() -> None:
    def run(name: str) -> Run:
        where = library("tests/test_a.py:9 in test", name=name, path=f"{name}/api.py")
        return failed(*(grown(number, (where, 2 * MB)) for number in range(8)))

    assert lines_of(run("shop")) == ["shop/api.py:340 in decode explains 8 of 8 findings in 8 tests"]
    assert lines_of(run("json")) == []


@pytest.mark.parametrize(
    "where",
    [None, site("<unknown>", 9, path="<unknown>"), site("", 9, path="a thread"), site("__init__", 9, path="<string>")],
    ids=["small ones", "unknown", "no place", "generated"],
)
def test_what_may_have_several_causes_is_told_test_by_test(where: Site | None) -> None:
    run = failed(*(grown(number, (where, 2 * MB)) for number in range(8)))
    assert len(stories(run)) == 8
    assert not listed_only(stories(run))


def test_the_summary_is_short_and_with_v_names_each_test() -> None:
    run = failed(*leaking(120), grown(500, (QUERY, MB)))
    texts = [line.text for line in summary(run)]
    assert len(texts) < 20
    assert "cause        shop/api.py:38 in handle explains 240 of 241 findings in 120 tests" in texts
    assert "             and 117 more tests (-v lists them)" in texts
    assert "regressed    tests/test_a.py::test_500  memory.peak 1 MB -> 2 MB: over" in texts
    assert any("shop/db.py:7 in query" in text for text in texts)
    told = [line.text for line in summary(run, verbosity=1)]
    for number in range(120):
        assert sum(f"::test_{number}  " in text for text in told) == (2 if number >= 117 else 1)
    assert "regressed    tests/test_a.py::test_0  memory.peak 1 MB -> 3 MB, memory.retained 1 MB -> 3 MB" in told


def test_the_comment_tells_a_cause_once_and_the_other_one_too() -> None:
    text = markdown(failed(*leaking(120), grown(500, (QUERY, MB))))
    assert f"- **{markdown_text('shop/api.py:38 in handle explains 240 of 241 findings in 120 tests')}**" in text
    assert text.count("<details><summary>") == 3 * 2 + 1 + 1
    assert "shop/db.py:7 in query" in text
    assert "Other tests with the same cause (234)" in text
    table = text.partition("<details>")[0]
    assert "500</code>" in table


def test_one_annotation_stands_first_at_the_line_they_share() -> None:
    first, second = annotations(failed(grown(500, (QUERY, 9 * MB)), *leaking(120)))
    assert first.startswith(
        "::error file=shop/api.py,line=38,title=memgate::"
        "shop/api.py:38 in handle explains 240 of 241 findings in 120 tests%0Athe worst: tests/test_a.py::test_119%0A"
    )
    assert second.startswith("::error file=shop/db.py,line=7,title=tests/test_a.py%3A%3Atest_500::")


def test_the_page_names_the_causes() -> None:
    words = overview(failed(*leaking(4)), ())
    assert words["causes"] == ["shop/api.py:38 in handle explains 8 of 8 findings in 4 tests"]
    assert overview(failed(grown(1, (HANDLE, MB))), ())["causes"] == []


def test_a_first_use_stands_at_the_test_that_paid_and_its_command_names_it() -> None:
    paid = Subject("tests/test_shop.py", "test_order")
    where = Contribution(site=site("build", 3 * MB, path="shop/lookup.py", line=3), base=0, head=3 * MB)
    one = replace(
        grown(12, (HANDLE, 3 * MB)),
        subject=Subject(LEDGER, "shop/lookup.py"),
        paid_by=(paid,),
        growth_by_site=(where, *(Contribution(site=site(f"f{n}", n), base=0, head=n) for n in range(20))),
    )
    (line,) = annotations(failed(one))
    assert line.startswith("::error file=tests/test_shop.py,line=12,title=first-use%3A%3Ashop/lookup.py::")
    assert line.endswith('if it is meant: memgate baseline update --reason "…" tests/test_shop.py::test_order')
    assert next(iter(next_steps(failed(one))))[1].endswith("tests/test_shop.py::test_order")


@pytest.mark.parametrize(
    ("tests", "names"),
    [
        (["a/test_x.py::test_1"], "a/test_x.py::test_1"),
        (["a/test_x.py::test_1[a b]"], "'a/test_x.py::test_1[a b]'"),
        ([f"a/test_x.py::test_{n}" for n in range(3)], " ".join(f"a/test_x.py::test_{n}" for n in range(3))),
        ([f"a/test_x.py::test_{n}" for n in range(4)], "a/test_x.py"),
        ([f"a/test_{n}.py::test_{m}" for n in range(3) for m in range(2)], "a/test_0.py a/test_1.py a/test_2.py"),
        ([f"a/b/test_{n}.py::test" for n in range(4)], "a/b"),
        ([f"a/{n}/test.py::test" for n in range(4)], "a"),
        ([f"{n}/test.py::test" for n in range(4)], ""),
    ],
)
def test_one_command_accepts_all_by_the_fewest_names(tests: list[str], names: str) -> None:
    command = update_command([Subject.parse(test) for test in tests])
    assert command == f'memgate baseline update --reason "…" {names}'.rstrip()


def test_a_test_with_two_findings_of_one_cause_says_it_once() -> None:
    peak, kept = leaking(1)
    text = failure_texts([peak, kept])
    assert text.count("  shop/api.py:38 in handle  (") == 1
    assert "what grew: as in memory.peak, shop/api.py:38 in handle" in text
    assert text.count("if it is meant") == 1
    assert text.endswith("tests/test_a.py::test_0")
    other = failure_texts([peak, grown(0, (QUERY, MB), metric="memory.retained")])
    assert "shop/db.py:7 in query  (0 B -> 1 MB)" in other


def test_what_grew_in_a_package_comes_first_as_one_sum() -> None:
    via = ("pandas/io/common.py:80 in get", "shop/export.py:10 in export")
    parts = (
        site("read", 900_000, path="pandas/io/csv.py", line=3, via=via[1:], library="pandas"),
        site("parse", 700_000, path="csv.py", line=9, via=via, library="pandas"),
        site("load", 500_000, path="shop/orders.py", line=2),
    )
    lines = contribution_lines(tuple(Contribution(site=one, base=0, head=one.size) for one in parts), most=2)
    assert lines == [
        "  +1.6 MB  in pandas, called from shop/export.py:10 in export",
        "  +900 KB  pandas/io/csv.py:3 in read  (0 B -> 900 KB)",
        "             called from shop/export.py:10 in export",
        "  +700 KB  csv.py:9 in parse  (0 B -> 700 KB)",
        "             called from pandas/io/common.py:80 in get",
        "             called from shop/export.py:10 in export",
    ]
