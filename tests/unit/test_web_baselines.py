"""Baselines of the web and of other metrics under the memgate command, against a git ref, and in a run's conclusion."""

from dataclasses import replace
from pathlib import Path

import pytest
from samples import (
    ENVIRONMENT,
    FILE,
    HEADER,
    METRIC,
    commit_all,
    exact,
    finding,
    make_gate,
    put_baseline,
    run_of,
    sampled,
    settled,
    taken,
)

from pytest_memgate.baseline.document import Document, dump, load
from pytest_memgate.config.located import from_yaml
from pytest_memgate.config.schema import Settings, read_settings
from pytest_memgate.errors import BaselineError, RunFileError
from pytest_memgate.measure.python.environment import key
from pytest_memgate.model.environment import Header
from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.finding import Evidence, Finding, Outcome
from pytest_memgate.model.judgement.reason import Over, SecondCollection
from pytest_memgate.model.judgement.reference import Reference, Standing
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.run import ChangeKind, Verdict
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.lines import accept_command, entry_lines, failure_text, headline, measured_line
from pytest_memgate.tasks.baseline.accept import accept
from pytest_memgate.tasks.baseline.anchor import pin
from pytest_memgate.tasks.baseline.check import check
from pytest_memgate.tasks.baseline.show import entries
from pytest_memgate.tasks.run.diff import differences
from pytest_memgate.tasks.run.loosened import loosened
from pytest_memgate.tasks.run.verdict import Facts, conclude

WEB = "memgate.yml"
RAW = "bundle.initial.raw[main]"
APP = Subject(WEB, "bundle[app]")
HOME = Subject(WEB, "page[home]")
CREPT = Reference(value=5000, anchor=4000, reason="charts")
Metrics = dict[str, Reference]


def put(root: Path, found: dict[str, Metrics], file: str = WEB) -> Path:
    path = root / ".memgate" / "web" / f"{file}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump(Document(header=Header(), entries=found)), encoding="utf-8", newline="\n")
    return path


def of(path: Path, name: str = APP.name) -> Metrics:
    return dict(load(path.read_text(encoding="utf-8"), str(path)).entries[name])


def app(measurement: Measurement, outcome: Outcome = Outcome.PASSED, metric: str = RAW) -> Finding:
    return Finding(
        subject=APP,
        metric=metric,
        outcome=outcome,
        measurement=measurement,
        rules=(BudgetRule(rule=RuleKind.GROWTH, amount=200_000),),
    )


# The memgate command


def test_a_run_is_accepted_for_the_web_whatever_machine_made_it(tmp_path: Path) -> None:
    path = put(tmp_path, {APP.name: {RAW: Reference(value=4000)}})
    elsewhere = replace(ENVIRONMENT, key="darwin-arm64-cpython3.12")
    run = run_of(app(exact(5000)), finding(measurement=settled(9000), name="test_a"), environment=elsewhere)
    done = accept(tmp_path, run, (), reason="charts", only=(), run_file="run.json")
    assert [(change.kind, change.metric) for change in done.changes] == [
        (ChangeKind.NEW, METRIC),
        (ChangeKind.RAISED, RAW),
    ]
    assert of(path) == {RAW: CREPT}
    assert (tmp_path / ".memgate" / elsewhere.key / f"{FILE}.yaml").exists()


def test_a_check_is_accepted_by_its_name_and_needs_its_reason(tmp_path: Path) -> None:
    path = put(tmp_path, {APP.name: {RAW: Reference(value=4000)}})
    run = run_of(app(exact(5000)), finding(measurement=settled(9000), name="test_a"))
    done = accept(tmp_path, run, (str(APP),), reason="", only=(), run_file="run.json")
    assert (done.changes, len(done.unreasoned)) == ([], 1)
    assert done.problems[0].hint.endswith("memgate baseline accept run.json --reason \"…\" 'memgate.yml::bundle[app]'")
    assert of(path) == {RAW: Reference(value=4000)}


def test_a_page_that_three_loads_settled_has_nothing_to_accept(tmp_path: Path) -> None:
    few = Finding(
        subject=HOME, metric="web.lcp", outcome=Outcome.PASSED, measurement=sampled(1, 2, 3, settled=False), unit="ms"
    )
    with pytest.raises(RunFileError, match=r"run\.json has no value to accept"):
        accept(tmp_path, run_of(few), (), reason="", only=(), run_file="run.json")


def test_pinning_reaches_the_web(tmp_path: Path) -> None:
    path = put(tmp_path, {APP.name: {RAW: CREPT, "bundle.total.raw[main]": Reference(value=9)}})
    put_baseline(tmp_path, {"test_a": Reference(value=9, anchor=1, reason="x")}, environment=key())
    changes = pin(tmp_path, (), "agreed")
    assert [(one.metric, one.before, one.after, one.unit) for one in changes] == [
        (METRIC, 1, 9, "B"),
        (RAW, 4000, 5000, "B"),
    ]
    assert of(path)[RAW] == Reference(value=5000, anchor=5000, reason="agreed")
    assert load(path.read_text(encoding="utf-8"), "").header == Header()


def test_pinning_one_check_leaves_the_rest(tmp_path: Path) -> None:
    slow = replace(taken(1951, 1953, 1957), anchor=1700, reason="hero")
    path = put(tmp_path, {APP.name: {RAW: CREPT}, HOME.name: {"web.lcp": slow}})
    changes = pin(tmp_path, (str(HOME),), "agreed")
    assert [(str(one.subject), one.unit, one.after) for one in changes] == [(str(HOME), "ms", 1953)]
    assert of(path) == {RAW: CREPT}
    assert of(path, HOME.name)["web.lcp"].samples == slow.samples


def test_entries_of_this_environment_and_of_the_web_are_shown_together(tmp_path: Path) -> None:
    put(tmp_path, {APP.name: {RAW: CREPT}, HOME.name: {"web.lcp": taken(1, 2, 3)}})
    put(tmp_path, {"test_a": {RAW: CREPT}}, file=FILE)
    put_baseline(tmp_path, {"test_a": Reference(value=9)}, environment=key())
    shown = [(str(subject), metric) for subject, metric, _ in entries(tmp_path, (), None)]
    assert shown == [
        (str(APP), RAW),
        (str(HOME), "web.lcp"),
        (f"{FILE}::test_a", METRIC),
        (f"{FILE}::test_a", RAW),
    ]
    assert {metric for _, metric, _ in entries(tmp_path, (), "web")} == {RAW, "web.lcp"}
    assert [metric for _, metric, _ in entries(tmp_path, (str(HOME),), None)] == ["web.lcp"]


def test_a_project_that_has_nothing_but_bundles_needs_no_other_baseline(tmp_path: Path) -> None:
    put(tmp_path, {APP.name: {RAW: CREPT}})
    assert len(list(entries(tmp_path, (), None))) == 1
    with pytest.raises(BaselineError, match=r"there is no baseline for linux-x .*there is one for web"):
        list(entries(tmp_path, (), "linux-x"))


def test_baselines_of_the_web_are_checked(tmp_path: Path) -> None:
    path = put(tmp_path, {APP.name: {RAW: CREPT}, HOME.name: {"web.lcp": taken(1, 2, 3)}})
    assert [fault.text.partition(": ")[2][:9] for fault in check(tmp_path).faults] == ["an orphan"]
    (tmp_path / WEB).touch()
    found = check(tmp_path)
    assert (found.files, found.entries, found.faults) == (1, 2, [])
    path.write_text(path.read_text(encoding="utf-8").replace("[1, 2, 3]", "[1, 2,  3]"), encoding="utf-8")
    assert [fault.exit_code for fault in check(tmp_path).faults] == [1]
    path.write_text(path.read_text(encoding="utf-8").replace("[1, 2,  3]", "[1, x, 3]"), encoding="utf-8")
    assert [fault.exit_code for fault in check(tmp_path).faults] == [3]


def test_an_entry_is_shown_in_its_unit_with_its_samples_and_conditions() -> None:
    reference = replace(
        taken(1951, 1953.4, 1957, throttling="simulate"),
        anchor=1700,
        reason="hero",
        sites={"load delay": 900.0, "ttfb": 600},
    )
    samples = "3 samples [1951 ms .. 1957 ms]"
    assert entry_lines(HOME, "web.lcp", reference, sites=True) == [
        f"{HOME}  web.lcp 1953 ms, anchor 1700 ms, {samples}, throttling simulate, raised for: hero",
        "     900 ms  load delay",
        "     600 ms  ttfb",
    ]
    rows = Reference(value=41, unit="rows")
    assert entry_lines(Subject(FILE, "test_a"), "custom.rows", rows, sites=False) == [
        f"{FILE}::test_a  custom.rows 41 rows"
    ]


def test_two_runs_differ_in_each_metric_in_its_unit() -> None:
    def run(size: float, ms: float, rows: float, unit: str) -> tuple[Finding, ...]:
        here = Subject(FILE, "test_a")
        return (
            app(exact(size, sites=(Site(path="node_modules/atlas", size=size),))),
            Finding(subject=HOME, metric="web.lcp", outcome=Outcome.PASSED, measurement=sampled(ms, ms, ms), unit="ms"),
            Finding(subject=here, metric="custom.rows", outcome=Outcome.PASSED, measurement=exact(rows), unit=unit),
        )

    found = differences(run_of(*run(4000, 1953, 41, "rows")), run_of(*run(9000, 2400, 90, "rows")), ())
    assert [(one.metric, one.head - one.base, one.unit) for one in found] == [
        (RAW, 5000, "B"),
        ("web.lcp", 447, "ms"),
        ("custom.rows", 49, "rows"),
    ]
    assert found[0].by_site[0].site == Site(path="node_modules/atlas", size=9000)
    other = differences(run_of(*run(4000, 1953, 41, "rows")), run_of(*run(9000, 2400, 90, "queries")), ())
    assert [one.metric for one in other] == [RAW, "web.lcp"]


# What a test is held against


def test_conditions_do_not_hide_a_growth_from_the_base(tmp_path: Path) -> None:
    put(tmp_path, {APP.name: {RAW: Reference(value=4000)}})
    commit_all(tmp_path)
    put(tmp_path, {APP.name: {RAW: Reference(value=90_000, conditions={"zlib": "mine"})}})
    gate = make_gate(tmp_path, base="HEAD")
    found = gate.assess(APP, RAW, exact(900_000), {})
    assert found.outcome is Outcome.REGRESSED
    assert found.baseline == 4000


def test_the_web_of_a_base_counts_and_a_change_lists_its_own(tmp_path: Path) -> None:
    put(tmp_path, {APP.name: {RAW: Reference(value=4000)}, HOME.name: {"web.lcp": taken(1, 2, 3)}})
    commit_all(tmp_path)
    put(tmp_path, {APP.name: {RAW: Reference(value=90_000, anchor=4000)}})
    gate = make_gate(tmp_path, base="HEAD")
    assert gate.baselines.bar(APP, RAW).reference == Reference(value=4000)
    assert gate.baselines.bar(HOME, "web.lcp").reference == taken(1, 2, 3)
    assert [(one.kind, one.metric, one.unit) for one in gate.baselines.changes()] == [
        (ChangeKind.RAISED, RAW, "B"),
        (ChangeKind.REMOVED, "web.lcp", "ms"),
    ]


def test_more_samples_of_one_value_do_not_loosen_a_bar(tmp_path: Path) -> None:
    """Samples that spread further explain more growth: an entry with others is a raise, as one with a spread is."""
    put(tmp_path, {HOME.name: {"web.lcp": taken(1951, 1953, 1953, 1954, 1957)}})
    commit_all(tmp_path)
    put(tmp_path, {HOME.name: {"web.lcp": taken(1951, 1953, 1953, 9954, 9957)}})
    gate = make_gate(tmp_path, base="HEAD")
    slow = sampled(2951, 2953, 2953, 2954, 2957, again=(2951, 2953, 2953, 2954, 2957))
    assert gate.assess(HOME, "web.lcp", slow, {}).outcome is Outcome.REGRESSED


def test_a_bundle_is_not_judged_by_how_memory_was_measured(tmp_path: Path) -> None:
    put(tmp_path, {APP.name: {RAW: Reference(value=4000)}})
    assert make_gate(tmp_path).baselines.bar(APP, RAW).standing is Standing.KNOWN


def test_the_web_without_any_baseline_names_its_own_folder(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=9)})
    gate = make_gate(tmp_path)
    found = gate.assess(APP, RAW, exact(4000), {})
    assert found.outcome is Outcome.NO_BASELINE
    run = conclude(gate, Facts(findings=(found,)), strict=False)
    assert run.verdict is Verdict.NO_ANSWER
    assert [(one.text, one.hint) for one in run.problems] == [
        ("there is no baseline for web", "make it, and commit .memgate/web: memgate baseline update")
    ]
    assert run.baseline == ".memgate/web"


def test_a_second_check_is_new_where_there_is_a_first(tmp_path: Path) -> None:
    put(tmp_path, {APP.name: {RAW: Reference(value=4000)}})
    other = Subject(WEB, "bundle[other]")
    assert make_gate(tmp_path).assess(other, RAW, exact(4000), {}).outcome is Outcome.NEW


@pytest.mark.parametrize("name", [RAW, "bundle.initial.raw"])
def test_a_waiver_covers_a_part_or_all_of_them(tmp_path: Path, name: str) -> None:
    put(tmp_path, {APP.name: {RAW: Reference(value=4000)}})
    (tmp_path / WEB).write_text(
        f"waivers: [{{test: memgate.yml, metric: '{name}', ceiling: 1MB, until: 2026-12-31, reason: charts}}]\n",
        encoding="utf-8",
    )
    gate = make_gate(tmp_path)
    assert gate.assess(APP, RAW, exact(900_000), {}).outcome is Outcome.WAIVED
    assert gate.assess(APP, RAW, exact(1_000_001), {}).outcome is Outcome.REGRESSED


def test_a_ceiling_in_another_unit_than_the_values_covers_nothing(tmp_path: Path) -> None:
    (tmp_path / WEB).write_text(
        "waivers: [{test: '**', metric: custom.rows, ceiling: 5MB, until: 2026-12-31, reason: flood}]\n"
        "budgets: {custom.rows: {limit: 100 rows}}\n",
        encoding="utf-8",
    )
    found = make_gate(tmp_path).assess(Subject(FILE, "test_a"), "custom.rows", exact(4_000_000), {}, "rows")
    assert found.outcome is Outcome.REGRESSED


@pytest.mark.parametrize("command", ["conclude", "loosened"])
def test_a_budget_of_a_projects_own_unit_is_no_obstacle_to_a_base(tmp_path: Path, command: str) -> None:
    (tmp_path / WEB).write_text("budgets: {custom.rows: {growth: 5 rows}}\n", encoding="utf-8")
    rows = {"custom.rows": Reference(value=41, unit="rows")}
    own = tmp_path / ".memgate" / ENVIRONMENT.key / f"{FILE}.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(dump(Document(header=HEADER, entries={"test_a": rows})), encoding="utf-8")
    commit_all(tmp_path)
    raised = {"custom.rows": Reference(value=51, unit="rows")}
    own.write_text(dump(Document(header=HEADER, entries={"test_a": raised})), encoding="utf-8")
    gate = make_gate(tmp_path, base="HEAD")
    if command == "loosened":
        assert loosened(gate.config.settings, gate.own) == []
        return
    run = conclude(gate, Facts(findings=(finding(measurement=settled(9)),)), strict=False)
    assert any("baseline raised (41 rows -> 51 rows) without a reason" in problem.text for problem in run.problems)


# What a change loosens


def settings(text: str) -> Settings:
    return read_settings(from_yaml(text, WEB))


LATER = "; it counts once it is on the base"
GZIP = "bundle.initial.gzip"
CHECKS = "bundles: {a: {stats: s}, b: {stats: s}}\npages: {home: {serve: w}, shop: {serve: w}}"


@pytest.mark.parametrize(
    ("base", "head", "lines"),
    [
        (CHECKS, CHECKS, []),
        (CHECKS, CHECKS.replace(", b: {stats: s}", ""), ["bundles: b is not checked any more"]),
        (CHECKS, CHECKS.replace("home:", "front:"), ["pages: home is not checked any more"]),
        (CHECKS, "", [f"{kind} is not checked any more" for kind in ("bundles: a", "bundles: b", "pages: home",
                                                                     "pages: shop")]),
        ("imports: [shop, cli]", "imports: [cli, new]", ["imports: shop is not checked any more"]),
        ("", CHECKS, []),
        (
            "",
            "budgets: {bundle.initial.raw: {limit: 20MB}}",
            ["limit of bundle.initial.raw: 10 MB -> 20 MB (memgate.yml:1)" + LATER],
        ),
        ("", "budgets: {bundle.initial.raw: {limit: 5MB, growth: 1KB}, bundle.total.raw: {growth: 1KB}}", []),
        ("", "budgets: {web.lcp: {growth: 500ms}}", ["growth of web.lcp: 300 ms -> 500 ms (memgate.yml:1)" + LATER]),
        ("", "budgets: {web.cls: {growth: 0.2}}", ["growth of web.cls: 0.1 -> 0.2 (memgate.yml:1)" + LATER]),
        (
            "budgets: {time.median: {growth: 20%}}",
            "",
            ["growth of time.median: 20% -> none" + LATER],
        ),
        ("budgets: {custom.ratio: {growth: 5}}", "", ["growth of custom.ratio: 5 -> none" + LATER]),
        ("budgets: {custom.rows: {growth: 5 rows}}", "", ["growth of custom.rows: 5 rows -> none" + LATER]),
        (
            "budgets: {custom.rows: {growth: 5 rows, limit: 9}}",
            "budgets: {custom.rows: {growth: 7 rows, limit: 99}}",
            [
                "growth of custom.rows: 5 rows -> 7 rows (memgate.yml:1)" + LATER,
                "limit of custom.rows: 9 rows -> 99 rows (memgate.yml:1)" + LATER,
            ],
        ),
        (
            f"budgets: {{'{GZIP}[admin]': {{growth: 5KB}}}}",
            "",
            [f"growth of {GZIP}[admin]: 5 KB -> 200 KB (default)" + LATER],
        ),
        (
            "",
            f"budgets: {{'{GZIP}[admin]': {{growth: 1MB}}}}",
            [f"growth of {GZIP}[admin]: 200 KB -> 1 MB (memgate.yml:1)" + LATER],
        ),
        (
            f"budgets: {{'{GZIP}[admin]': {{growth: 5KB}}}}",
            f"budgets: {{'{GZIP}[admin]': {{growth: 5KB}}, '{GZIP}[*]': {{growth: 100KB}}}}",
            [f"growth of {GZIP}[admin]: 5 KB -> 100 KB (memgate.yml:1)" + LATER],
        ),
        (
            "",
            "budgets: {overrides: [{tests: memgate.yml, web.lcp: {growth: 2s}}]}",
            ["growth of web.lcp of memgate.yml: 300 ms -> 2000 ms (memgate.yml:1)" + LATER],
        ),
        ("", "budgets: {overrides: [{tests: memgate.yml, web.fcp: {growth: 2s}}]}", []),
        (
            "",
            "waivers: [{test: memgate.yml, metric: web.lcp, ceiling: 3s, until: 2026-12-31, reason: r}]",
            ["waiver for memgate.yml up to 3000 ms until 2026-12-31: r (memgate.yml:1)"],
        ),
    ],
)  # fmt: skip
def test_what_a_change_loosens_of_any_metric_is_listed(base: str, head: str, lines: list[str]) -> None:
    assert sorted(loosened(settings(base), settings(head))) == sorted(lines)


# What is said


def test_a_page_says_its_values_and_both_collections() -> None:
    one = Finding(
        subject=HOME,
        metric="web.lcp",
        outcome=Outcome.REGRESSED,
        over=Over(rule=RuleKind.GROWTH, amount=447, allowed=300),
        second=SecondCollection(first=2400, second=2403, ceiling=2253),
        measurement=sampled(2400, 2400.5, 2401, again=(2402, 2403, 2404)),
        unit="ms",
        baseline=1953,
        rules=(BudgetRule(rule=RuleKind.GROWTH, amount=300),),
        evidence=Evidence(largest_paint="main > img"),
        kept=(".lighthouseci/memgate/memgate.yml-page-home/1.report.json", "b"),
    )
    assert headline(one) == (
        "web.lcp 1953 ms -> 2400 ms: +447 ms is over its budget of 300 ms, and +450 ms in a second collection"
    )
    assert measured_line(one) == (
        "3 samples 2400 ms [2400 ms .. 2401 ms]; a second collection 2403 ms [2402 ms .. 2404 ms]"
    )
    assert failure_text(one).splitlines()[1:] == [
        "largest contentful paint: main > img",
        f"measured: {measured_line(one)}",
        "budget: growth 300 ms (default)",
        "kept: .lighthouseci/memgate/memgate.yml-page-home/1.report.json and 1 more beside it",
        "if it is meant: memgate baseline update --reason \"…\" 'memgate.yml::page[home]'",
    ]


def test_a_default_limit_is_raised_in_the_file() -> None:
    growth = BudgetRule(rule=RuleKind.GROWTH, amount=200_000)
    one = replace(
        app(exact(11_000_000), Outcome.REGRESSED),
        over=Over(rule=RuleKind.LIMIT, amount=11_000_000, allowed=10_000_000),
        rules=(growth, BudgetRule(rule=RuleKind.LIMIT, amount=10_000_000)),
    )
    assert accept_command(one) == "raise its limit (budgets: bundle.initial.raw: limit, in memgate.yml)"
    marked = replace(one, rules=(growth, BudgetRule(rule=RuleKind.LIMIT, amount=10_000_000, source="marker")))
    assert accept_command(marked) == "raise its limit (marker)"
