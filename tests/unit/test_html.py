"""The HTML report's text: whole, closed, inert, small, and the same for the same run."""

import base64
import hashlib
import json
import re
import sys
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from html_runs import BUNDLE, BYTES, HOSTILE, LCP, LEAK, QUIET, all_red, every_kind, history_of, hostile, large
from plotly.offline import get_plotlyjs
from samples import run_of, settled

from pytest_memgate.errors import UsageError
from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.model.judgement.finding import Outcome
from pytest_memgate.model.judgement.reason import Over
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.provenance import Commit, Machine, Provenance
from pytest_memgate.model.run import Run, Verdict
from pytest_memgate.report.html.data import TONES, page_data
from pytest_memgate.report.html.embed import script_json, shown
from pytest_memgate.report.html.overview import overview
from pytest_memgate.report.html.render import html

_VOID = {"meta", "link", "br", "hr", "input", "img"}
_LIMIT = 8_000_000


class Page(HTMLParser):
    """The elements of a page, with their attributes and text; `stray` are those that do not pair up."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.stray: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.stray += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.stray.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text_of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag and text.strip()]


@pytest.fixture(scope="module")
def plain() -> str:
    run = every_kind()
    return html(run, history_of(run))


@pytest.fixture(scope="module")
def attacked() -> str:
    return html(hostile(), [hostile()])


def embedded(text: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)[0])
    return data


def test_every_element_that_opens_is_closed(plain: str, attacked: str) -> None:
    assert Page(plain).stray == []
    assert Page(attacked).stray == []


def test_nothing_is_loaded_from_elsewhere(plain: str) -> None:
    page = Page(plain)
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in {"src", "href", "action", "srcset", "poster", "formaction"}
    ]
    assert sorted(addresses) == ["#findings", "data:,"]
    assert "url(" not in page.text_of("style")[0]
    assert "@import" not in page.text_of("style")[0]


def test_hostile_text_adds_no_element_and_no_attribute(plain: str, attacked: str) -> None:
    def kinds(text: str) -> set[tuple[str, str]]:
        return {(tag, name) for tag, attributes in Page(text).elements for name in attributes}

    assert kinds(attacked) <= kinds(plain)
    assert Page(attacked).of("img") == []
    assert len(Page(attacked).of("script")) == 3
    assert not any(name.startswith("on") for _, name in kinds(attacked))


def test_hostile_text_is_shown_as_it_is(attacked: str) -> None:
    line = HOSTILE.replace("\u2028", " ").replace("\u202e", "")
    seen = shown(HOSTILE)
    assert "<script>alert(1)</script>" in seen
    assert seen.split() == line.split()
    assert seen in " ".join(Page(attacked).text_of("p"))
    assert embedded(attacked)["findings"][0]["name"] == seen


def test_the_data_cannot_leave_its_element(attacked: str) -> None:
    block = attacked.partition('id="data">')[2].partition("</script>")[0]
    assert not set("<>&\u2028\u2029") & set(block)
    assert json.loads(script_json({"</script>&\u2028": "<!--"})) == {"</script>&\u2028": "<!--"}


def test_the_policy_lets_these_two_scripts_run_and_nothing_else(plain: str) -> None:
    page = Page(plain)
    policy = next(one["content"] for one in page.of("meta") if one.get("http-equiv") == "Content-Security-Policy")
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    app = plain.rpartition("<script>")[2].partition("</script>")[0]
    style = page.text_of("style")[0]
    assert allowed == {
        "default-src": "'none'",
        "script-src": f"{digest(app)} {digest(get_plotlyjs())}",
        "style-src": f"{digest(style)} {digest('')}",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_plotly_is_in_it_once_and_packed(plain: str) -> None:
    packed = plain.partition('id="charts-source">')[2].partition("</script>")[0]
    assert zlib.decompress(base64.b64decode(packed)).decode() == get_plotlyjs()
    assert plain.count("Plotly, Inc.") == 0


def test_the_same_runs_give_the_same_bytes(plain: str) -> None:
    run = every_kind()
    assert html(run, history_of(run)) == plain


def test_the_overview_is_there_without_a_script(plain: str) -> None:
    text = re.sub(r"<script.*?</script>", "", plain, flags=re.DOTALL)
    for said in (
        "FAILED: 3 regressed, 1 problem",
        "linux-x86_64-cpython3.11",
        "main",
        "baseline raised (2.76 KB -&gt; 900 KB) without a reason of its own",
        "the chart is drawn on the server now",
        "no reason given",
        "growth of memory.peak: 200 KB -&gt; 5 MB (memgate.yml:2); it counts once it is on the base",
        "memgate baseline update --reason",
        "4 earlier runs",
        "<noscript>",
    ):
        assert said in text


@pytest.mark.parametrize("run", [large(), all_red()], ids=["forty red", "all red"])
def test_5000_findings_stay_under_8_mb(run: Run) -> None:
    assert len(html(run).encode()) < _LIMIT


def test_where_there_is_no_room_the_worst_findings_keep_their_parts() -> None:
    findings = page_data(all_red(), [])["findings"]
    whole = ["more" in one for one in findings]
    assert len(findings) == 5_000
    assert whole == sorted(whole, reverse=True)
    assert whole.count(True) > 1_000
    assert all(one.get("cut") for one in findings if "more" not in one)


def test_endless_names_do_not_make_an_endless_page() -> None:
    name = f"test_x[{'é' * 100_000}]"
    run = run_of(*(replace(QUIET, subject=replace(QUIET.subject, name=f"{name}{at}")) for at in range(20)))
    assert len(html(run).encode()) - len(html(run_of()).encode()) < 40_000
    assert len(shown(name)) < 420


def test_a_name_that_is_no_text_is_no_end_of_the_report() -> None:
    broken = replace(QUIET, subject=replace(QUIET.subject, file="tests/\udce9.py"))
    assert "tests/?.py" in html(run_of(broken))


@pytest.mark.parametrize(("module", "said"), [("plotly", "Plotly"), ("jinja2", "Jinja2")])
def test_without_its_libraries_it_says_what_to_install(module: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError) as caught:
        html(every_kind())
    assert str(caught.value) == f'the HTML report needs {said}; pip install "pytest-memgate[html]"'


# Data


def found(run: Run, outcome: Outcome, metric: str) -> dict[str, Any]:
    (one,) = (
        one for one in page_data(run, [])["findings"] if (one["outcome"], one["metric"]) == (str(outcome), metric)
    )
    return dict(one)


def test_the_worst_comes_first() -> None:
    told = [one["outcome"] for one in page_data(every_kind(), [])["findings"]]
    assert told == [*["regressed"] * 3, "unstable", "vanished", "improved", "passed", "passed", "not gated"]


def test_every_outcome_has_a_tone() -> None:
    assert set(TONES) == set(Outcome)


def test_what_moved_has_its_base_and_what_did_not_has_none() -> None:
    parts = found(run_of(LEAK), Outcome.REGRESSED, "memory.peak")["more"]["parts"]
    assert [(one["function"], one.get("base"), one["head"]) for one in parts] == [
        ("__call__", 0, 604_000),
        ("read", None, 61_000),
        ("parse", None, 52_000),
        ("loads", None, 27_000),
    ]
    assert parts[0]["via"] == [
        "tests/sending.py:11 in send",
        "tests/test_deliveries.py:19 in test_a_day_of_deliveries",
    ]


def test_what_is_over_its_limit_and_did_not_grow_has_no_part_that_grew() -> None:
    held = tuple(replace(one, base=0) for one in LEAK.growth_by_site)
    over = replace(
        LEAK, over=Over(rule=RuleKind.LIMIT, amount=744_000, allowed=500_000), baseline=744_000, growth_by_site=held
    )
    parts = found(run_of(over), Outcome.REGRESSED, "memory.peak")["more"]["parts"]
    assert not any("base" in one for one in parts)


def test_a_plain_number_has_a_unit_of_its_own_and_a_size_has_none() -> None:
    by_metric = {one["metric"]: one.get("unit") for one in page_data(every_kind(), [])["findings"]}
    assert by_metric["web.cls"] == ""
    assert by_metric["custom.rows"] == "rows"
    assert by_metric["web.lcp"] == "ms"
    assert by_metric["memory.peak"] is None


def test_of_a_bound_no_difference_is_told() -> None:
    one = found(run_of(QUIET), Outcome.PASSED, "memory.peak")
    assert one["after"] == "<= 152 KB"
    assert one["bound"] == 152_000
    assert not {"value", "difference", "percent", "used"} & set(one)


def test_no_bound_is_a_point_of_a_chart() -> None:
    run = run_of(QUIET)
    past = [run_of(replace(QUIET, measurement=settled(150_000))), run]
    assert "trend" not in page_data(run, past)["findings"][0]["more"]
    now = run_of(replace(QUIET, measurement=settled(150_000)))
    (known,) = page_data(now, [run, now])["findings"]
    assert known["more"]["trend"] == [None, 150_000, 150_000]
    together = replace(settled(1_500_000), together=4, cold=9_000_000)
    (grown,) = page_data(run_of(replace(QUIET, outcome=Outcome.REGRESSED, measurement=together)), [])["findings"]
    assert grown["more"]["cold"] == 0
    leak = Measurement(value=64, basis=Basis.SLOPE, warm=(0, 64))
    (unsure,) = page_data(run_of(replace(QUIET, measurement=leak)), [])["findings"]
    assert unsure["bound"] == 64
    assert "warm" not in unsure["more"] or not unsure["more"]["warm"]


def test_a_passing_bundle_or_page_shows_what_it_is_made_of() -> None:
    parts = found(run_of(BYTES), Outcome.PASSED, "web.bytes")["more"]["parts"]
    assert [one["path"] for one in parts] == [
        "/assets/hero.jpg",
        "/assets/main.js",
        "fonts.example.com/sans.woff2",
        "/",
    ]


def test_samples_of_both_collections_and_the_page_hints_are_there() -> None:
    more = found(run_of(LCP), Outcome.REGRESSED, "web.lcp")["more"]
    assert more["samples"] == [1996, 1970, 2078, 1991, 2031]
    assert more["again"] == [2037, 2000, 2148]
    assert more["audits"] == {"prioritize-lcp-image": 310.0, "unused-javascript": 150.0}
    assert more["conditions"] == {"chrome": "156", "lighthouse": "12"}
    assert more["accept"] == "memgate baseline update --reason \"…\" 'memgate.yml::page[home]'"


def test_a_run_that_lacks_the_value_leaves_a_gap_in_the_trend() -> None:
    run = run_of(LEAK, BUNDLE)
    more = [one["more"] for one in page_data(run, history_of(run, (0.5, 0.5, 0.5)))["findings"]]
    assert {tuple(one["trend"]) for one in more} == {
        (372_000, 372_000, None, 744_000),
        tuple((BUNDLE.value or 0) * share for share in (0.5, 0.5, 0.5, 1)),
    }


def test_a_zero_is_an_amount() -> None:
    one = found(run_of(replace(QUIET, baseline=0, measurement=measured(0))), Outcome.PASSED, "memory.peak")
    assert (one["base"], one["bound"], one["before"]) == (0, 0, "0 B")


def measured(value: float) -> Measurement:
    assert QUIET.measurement
    return replace(QUIET.measurement, value=value)


def test_the_overview_says_what_was_measured() -> None:
    told = Provenance(
        commit=Commit(id="15e5fd965b96eb7fa08dee23f04d1aff5bccc2aa", branch="main", dirty=True),
        start="2026-11-29T16:21:44Z",
        end="2026-11-29T16:22:00Z",
        machine=Machine(cpu="EPYC", cores=2, memory=25_000_000_000),
        versions={"python": "3.11.7", "pytest": "9.2.0"},
    )
    facts = dict(overview(replace(run_of(), provenance=told), [])["facts"])
    assert facts["Commit"] == "15e5fd965b96, on main, with uncommitted changes"
    assert facts["Measured"] == "2026-11-29T16:21:44Z to 2026-11-29T16:22:00Z"
    assert facts["Machine"] == "EPYC, 2 cores, 25 GB"
    assert facts["Versions"] == "python 3.11.7, pytest 9.2.0"


def test_the_overview_counts_what_it_leaves_out() -> None:
    change = every_kind().changes[0]
    run = replace(every_kind(), changes=(change,) * 250, loosened=("x",) * 201, problems=every_kind().problems * 203)
    told = overview(run, [])
    assert (len(told["changes"]), told["more_changes"]) == (200, 50)
    assert (len(told["loosened"]), told["more_loosened"]) == (200, 1)
    assert (len(told["problems"]), told["more_problems"]) == (200, 3)
    assert "and 50 more" in html(run)


def test_raises_come_before_what_is_new_and_a_missing_reason_is_marked() -> None:
    changes = overview(every_kind(), [])["changes"]
    assert [(one["kind"], one["tone"], one["reason"]) for one in changes] == [
        ("raised", "bad", "no reason given"),
        ("raised", "doubt", "the chart is drawn on the server now"),
        ("new", "quiet", ""),
    ]


@pytest.mark.parametrize(
    ("verdict", "tone"), [(Verdict.PASSED, "good"), (Verdict.FAILED, "bad"), (Verdict.NO_ANSWER, "doubt")]
)
def test_the_verdict_has_its_colour(verdict: Verdict, tone: str) -> None:
    assert f'<header class="banner tone-{tone}">' in html(run_of(verdict=verdict))
