"""The Markdown that a pull request shows: all of it inert, within its limit, and saying what matters first."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt
from samples import ENVIRONMENT, bound, exact, finding, importers, run_of, settled, site

from pytest_memgate.model.judgement.finding import Evidence, Finding, Outcome
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.run import Change, ChangeKind, Problem, Run, Verdict
from pytest_memgate.model.site import Contribution, Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.markdown import markdown

MB = 1_000_000
HOSTILE = (
    "](javascript:alert(1))<img src=x onerror=alert(1)>::error::%0A `x` ``` | **b** https://evil.example "
    "www.evil.example @everyone #1 --> \n\n# head\n\u202e \U0001f525 ~~~ [a](http://b) <!-- $x$ \\ *i* _u_"
)
ALLOWED = {
    *(
        "h3",
        "p",
        "code",
        "details",
        "summary",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "strong",
        "pre",
        "ul",
        "li",
    ),
    "br",
}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def rendered(text: str) -> _Tags:
    """Return what a browser would get of it."""
    tags = _Tags()
    tags.feed(MarkdownIt("gfm-like", {"html": True}).render(text))
    tags.close()
    assert tags.open == []
    return tags


def grown(name: str = "test_order", size: int = 5 * MB, *, function: str = "load", **more: Any) -> Finding:
    one = finding(Outcome.REGRESSED, settled(size), name=name, baseline=MB, why="+4 MB is over its budget of 200 KB")
    sites = (Contribution(site=site(function, 4 * MB, line=7), base=0, head=4 * MB),)
    return replace(one, allowed=200_000, growth_by_site=sites, **more)


def failed(*findings: Finding, **more: Any) -> Run:
    return replace(run_of(*findings, verdict=Verdict.FAILED), **more)


def test_the_verdict_stands_first_and_the_command_that_helps_is_there() -> None:
    text = markdown(failed(grown()))
    assert text.startswith("### ❌ memgate: FAILED: 1 regressed; 1 test compared\n")
    said = "".join(rendered(text).texts)
    assert 'memgate baseline update --reason "…" tests/test_shop.py::test_order' in said
    assert "shop/orders.py:7 in load" in said


def test_the_marker_stands_before_all() -> None:
    assert markdown(failed(grown()), marker="memgate: a").startswith("<!-- memgate: a -->\n\n### ")


def test_a_row_says_before_after_difference_and_percent() -> None:
    row = next(line for line in markdown(failed(grown())).splitlines() if line.startswith("| regressed"))
    assert row.endswith("| 1 MB | 5 MB | +4 MB | +400 % | 200 KB |")


def test_the_worst_comes_first_and_one_test_stays_together() -> None:
    def of(metric: str, value: float, base: float, name: str) -> Finding:
        one = finding(Outcome.REGRESSED, exact(value), file="memgate.yml", name=name)
        return replace(one, metric=metric, baseline=base, allowed=200_000)

    run = failed(
        of("bundle.initial.gzip[a]", 3 * MB, 1000, "bundle[a]"),
        of("bundle.initial.raw[b]", 2 * MB, 1000, "bundle[b]"),
        of("bundle.initial.raw[a]", 1 * MB, 1000, "bundle[a]"),
    )
    rows = [
        line.split("|")[2].partition("<br>")[2].strip()
        for line in markdown(run).splitlines()
        if line.startswith("| regressed")
    ]
    assert [row.replace("&#46;", ".").replace("&#91;", "[").replace("&#93;", "]") for row in rows] == [
        "bundle.initial.raw[a]",
        "bundle.initial.gzip[a]",
        "bundle.initial.raw[b]",
    ]


def test_a_bound_has_no_difference() -> None:
    one = finding(Outcome.PASSED, bound(MB + 9), baseline=MB)
    assert "Within their budgets" not in markdown(run_of(one))
    exactly = replace(one, measurement=Measurement(value=MB + 9, basis=Basis.WARM))
    assert "Within their budgets, and changed (1)" in markdown(run_of(exactly))


def test_what_a_change_raises_and_loosens_is_listed_with_its_reason() -> None:
    raised = Change(
        subject=Subject("tests/test_shop.py", "test_order"),
        metric="memory.peak",
        kind=ChangeKind.RAISED,
        before=MB,
        after=5 * MB,
        reason="a new cache",
    )
    text = markdown(
        failed(changes=(raised, replace(raised, reason="")), loosened=("growth of memory.peak: 1 KB -> 1 MB",))
    )
    said = "".join(rendered(text).texts)
    assert "raised tests/test_shop.py::test_order memory.peak 1 MB → 5 MB: a new cache" in said
    assert "5 MB: no reason given" in said
    assert "Loosened by this change\ngrowth of memory.peak: 1 KB -> 1 MB" in said.replace("\n\n", "\n")


def test_a_problem_says_what_helps() -> None:
    run = replace(run_of(verdict=Verdict.NO_ANSWER), problems=(Problem(text="nothing was measured", hint="run it"),))
    text = markdown(run)
    assert text.startswith("### ❓ memgate: NO ANSWER: 1 problem")
    assert "- **nothing was measured**<br><code>run it</code>" in text


@pytest.mark.parametrize(
    "place", ["name", "file", "reason", "site", "via", "uses", "detail", "change", "loosened", "problem"]
)
def test_foreign_text_is_inert_wherever_it_stands(place: str) -> None:
    hostile = Site(
        path=HOSTILE if place == "site" else "node_modules/a",
        size=4 * MB,
        via=importers(HOSTILE if place == "via" else "src/a.js"),
        uses=(HOSTILE,) if place == "uses" else (),
        modules={HOSTILE: 5000} if place == "uses" else {},
    )
    one = replace(
        grown(
            HOSTILE if place == "name" else "test_order",
            evidence=Evidence(lines=(HOSTILE,) if place == "detail" else ()),
        ),
        metric="bundle.initial.raw[src/main.js]",
        growth_by_site=(Contribution(site=hostile, base=0, head=4 * MB),),
    )
    if place == "file":
        one = replace(one, subject=Subject(HOSTILE, "test_order"))
    if place == "reason":
        one = replace(one, why=HOSTILE)
    change = Change(subject=one.subject, metric=one.metric, kind=ChangeKind.RAISED, before=1, after=2, reason=HOSTILE)
    run = failed(
        one,
        changes=(change,) if place == "change" else (),
        loosened=(HOSTILE,) if place == "loosened" else (),
        problems=(Problem(text=HOSTILE, hint=HOSTILE),) if place == "problem" else (),
    )
    text = markdown(run, [run])
    tags = rendered(text)
    assert {tag for tag, _ in tags.found} <= ALLOWED
    assert [attrs for _, attrs in tags.found if set(attrs) - {"class", "style"}] == []
    assert "\u202e" not in text
    assert "\U0001f525" in "".join(tags.texts)
    assert not any(line.startswith("::") for line in text.splitlines())


def test_nothing_outside_a_block_of_code_mentions_anybody() -> None:
    text = markdown(failed(loosened=("for @everyone, see #1",)))
    assert "&#64;\u200beveryone" in text
    assert "&#35;\u200b1" in text


@pytest.mark.parametrize("most", [2_000, 10_000, 65_000])
def test_it_stays_below_its_limit_and_says_how_much_was_left_out(most: int) -> None:
    run = failed(
        *(grown(f"test_{number}[{'ü' * 50}]", 5 * MB, function=f"load_{number}") for number in range(900)),
        problems=tuple(Problem(text=f"problem {number}") for number in range(300)),
        loosened=tuple(f"line {number}" for number in range(300)),
    )
    text = markdown(run, most=most)
    assert len(text.encode()) <= most
    assert re.search(r"and \d+ more problems", text)
    assert re.search(r"Left out for want of space: .*\d+ failures", text)
    rendered(text)


def test_history_is_drawn_for_what_was_measured_before() -> None:
    past = [run_of(finding(measurement=settled(size))) for size in (MB, 2 * MB)]
    text = markdown(failed(grown()), past)
    assert 'x-axis "run" [1, 2, 3]' in text
    assert 'y-axis "memory.peak MB" 0 --> 5.5' in text
    assert "line [1, 2, 5]" in text


def test_a_bound_of_several_tests_is_no_value_to_draw() -> None:
    bound = replace(settled(MB), basis=Basis.BOUND, settled=False, together=8)
    assert "xychart" not in markdown(failed(grown()), [run_of(finding(measurement=bound))])
    again = replace(bound, basis=Basis.WARM, warm=(MB,))  # it was over, and the test measured on its own
    assert "xychart" in markdown(failed(grown()), [run_of(finding(measurement=again))])


def test_memory_of_another_environment_is_no_history() -> None:
    past = run_of(finding(measurement=settled(MB)), environment=replace(ENVIRONMENT, key="macos"))
    assert "xychart" not in markdown(failed(grown()), [past])


def test_where_a_bundle_grew_is_drawn_from_its_entry_to_the_modules() -> None:
    chart = Site(
        path="node_modules/chart.js",
        size=198_000,
        via=importers("src/report.js", "src/main.js"),
        uses=("chart.js 4.6.1",),
        modules={"dist/chart.js": 167_000, "auto/auto.js": 29},
    )
    one = replace(
        finding(Outcome.REGRESSED, exact(300_000), file="memgate.yml", name="bundle[shop]", baseline=8000),
        metric="bundle.initial.raw[src/main.js]",
        growth_by_site=(Contribution(site=chart, base=0, head=198_000),),
    )
    text = markdown(failed(one))
    diagram = text[text.index("```mermaid") :].splitlines()[1:]
    assert diagram[: diagram.index("```")] == [
        "flowchart LR",
        '  n0["src/main.js<br>+292 KB"]',
        '  n1["chart.js<br>+198 KB"]',
        '  n2["src/report.js"]',
        "  n0 --> n2",
        "  n2 --> n1",
        '  n3["dist/chart.js 167 KB"]',
        "  n1 --> n3",
        '  n4["auto/auto.js 29 B"]',
        "  n1 --> n4",
    ]
