"""Configuration beyond memory: budgets of every unit and part, bundles and pages, waivers, and which budget wins."""

import json
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import date
from inspect import signature
from typing import Any

import jsonschema
import pytest
import yaml
from samples import SUBJECT

from pytest_memgate.budget.rule import Allowance, Budget, Rule
from pytest_memgate.config.located import from_toml, from_yaml
from pytest_memgate.config.reading import keys_of
from pytest_memgate.config.schema import Settings, json_schema, read_settings
from pytest_memgate.config.sources import Config
from pytest_memgate.config.table import table
from pytest_memgate.errors import ConfigError
from pytest_memgate.model.metric import METRICS
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.checks.fixture import Recorder
from pytest_memgate.probes.bundle.probe import BundleCheck
from pytest_memgate.probes.check import Check
from pytest_memgate.probes.imports.probe import ImportCheck
from pytest_memgate.probes.page.probe import PageCheck
from pytest_memgate.probes.service.probe import ServiceCheck
from pytest_memgate.report.words.budget import rules_text

GZIP = "bundle.initial.gzip"
FULL = """\
budgets:
  bundle.initial.gzip: {growth: 20KB, limit: 1MB}
  "bundle.initial.gzip[admin*]": {growth: 5KB}
  web.lcp: {growth: "max(200ms, 5%)", limit: 2.5s, drift: 400}
  web.cls: {growth: 0.05}
  web.bytes: {limit: 2000000}
  time.median: {growth: 20%}
  custom.rows: {growth: 5 rows, limit: 100}
  custom.ratio: {growth: 10%}
  overrides:
    - tests: "memgate.yml::page[home]"
      web.lcp: {growth: 100ms}
      "bundle.initial.gzip[admin]": {limit: 90KB}
bundles:
  app: {stats: web/dist/stats.json, root: web/dist, entries: [main, "admin*"]}
  plain: {files: "web/*.js", lazy: [web/lazy/*.js]}
pages:
  home:
    serve: web/dist
    path: /start
    runs: 7
    form_factor: desktop
    throttling: devtools
    settings: {skipAudits: [a, b], extraHeaders: {Cookie: x}}
    lighthouserc: lighthouserc.json
    single_page_app: true
    redirects: true
    timeout: 2min
  shop: {start: "python -m shop {port}", url: "http://localhost:{port}/", ready: 5s}
waivers:
  - {test: "memgate.yml::page[home]", metric: web.lcp, ceiling: 3s, until: 2027-01-31, reason: new hero}
  - {test: "tests/**", metric: custom.rows, ceiling: 200 rows, until: 2027-01-31, reason: the flood}
  - {test: "memgate.yml", metric: "bundle.initial.gzip[main]", ceiling: 90KB, until: 2027-01-31, reason: charts}
"""


def read(text: str) -> Settings:
    return read_settings(from_yaml(text, "memgate.yml"))


def config(text: str, **options: Rule) -> Config:
    return Config(settings=read(text), options=options)


def grown(text: str, metric: str, *, file: str = SUBJECT.file, name: str = SUBJECT.name, unit: str = "") -> str:
    """Return the growth that a test may have, in words."""
    return str(config(text).budget(Subject(file, name), metric, unit=unit).growth)


# What is read


def test_each_metric_is_read_in_its_own_unit() -> None:
    rules = read(FULL).rules
    assert rules["web.lcp"] == Rule(
        growth=Allowance.parse("max(200ms, 5%)", "ms"),
        limit=2500,
        drift=Allowance(amount=400, unit="ms"),
        unit="ms",
        sources=dict.fromkeys(("growth", "limit", "drift"), "memgate.yml:4"),
    )
    assert rules["web.cls"].growth == Allowance(amount=0.05, unit="")
    assert rules["web.bytes"].limit == 2_000_000
    assert rules["time.median"].growth == Allowance(percent=20, unit="ms")
    assert rules["bundle.initial.gzip[admin*]"].growth == Allowance(amount=5000)
    assert list(rules)[:2] == [GZIP, f"{GZIP}[admin*]"]


def test_a_projects_own_metric_takes_the_unit_of_its_budget() -> None:
    rules = read(FULL).rules
    assert (rules["custom.rows"].unit, rules["custom.rows"].limit) == ("rows", 100)
    assert rules["custom.rows"].growth == Allowance(amount=5, unit="rows")
    assert (rules["custom.ratio"].unit, rules["custom.ratio"].growth) == ("", Allowance(percent=10, unit=""))


def test_bundles_are_read_with_their_place() -> None:
    assert read(FULL).of(BundleCheck) == {
        "app": BundleCheck(
            name="app",
            stats="web/dist/stats.json",
            root="web/dist",
            entries=("main", "admin*"),
            source="memgate.yml:15",
        ),
        "plain": BundleCheck(name="plain", files=("web/*.js",), lazy=("web/lazy/*.js",), source="memgate.yml:16"),
    }


def test_imports_are_read_with_their_place() -> None:
    assert read("imports:\n  - scipy.stats\n  - größe\n").of(ImportCheck) == {
        "scipy.stats": ImportCheck(name="scipy.stats", source="memgate.yml:2"),
        "größe": ImportCheck(name="größe", source="memgate.yml:3"),
    }
    toml = '[tool.memgate]\nimports = ["shop"]\n\n[[tool.memgate.waivers]]\n'
    located = from_toml(toml, "pyproject.toml", ("tool", "memgate"))
    assert located
    assert [item.where for item in located.data["imports"].data] == ["pyproject.toml:2"]
    assert read("imports:\n").of(ImportCheck) == {}
    assert list(read(f"{FULL}imports: [shop]\n").checks) == [
        "bundle[app]", "bundle[plain]", "page[home]", "page[shop]", "import[shop]",
    ]  # fmt: skip
    assert ("imports", "shop", "memgate.yml:1") in table(read("imports: [shop]"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("imports: [12]", "memgate.yml:1: not a module's name: 12 (write it as in an import statement: scipy.stats)"),
        ("imports:\n  - shop\n  - a b", "memgate.yml:3: not a module's name: 'a b'"),
        ("imports: [.shop]", "memgate.yml:1: not a module's name: '.shop'"),
        ("imports: [scikit-learn]", "memgate.yml:1: not a module's name: 'scikit-learn'"),
        ("imports: [{name: shop}]", "memgate.yml:1: not a module's name: {'name': 'shop'}"),
        ("imports:\n  - shop\n  - shop", "memgate.yml:3: 'shop' stands here twice"),
        ("imports: shop", "memgate.yml:1: a list is expected"),
        ("import: [shop]", "memgate.yml:1: unknown key 'import' (did you mean 'imports'?)"),
    ],
)
def test_a_wrong_import_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(said)


def test_pages_are_read_with_their_place_and_durations_in_ms() -> None:
    assert read(FULL).of(PageCheck) == {
        "home": PageCheck(
            name="home",
            serve="web/dist",
            path="/start",
            runs=7,
            form_factor="desktop",
            throttling="devtools",
            settings={"skipAudits": ["a", "b"], "extraHeaders": {"Cookie": "x"}},
            lighthouserc="lighthouserc.json",
            single_page_app=True,
            redirects=True,
            timeout=120_000,
            source="memgate.yml:18",
        ),
        "shop": PageCheck(
            name="shop", start="python -m shop {port}", url="http://localhost:{port}/", ready=5000,
            source="memgate.yml:29",
        ),
    }  # fmt: skip


def test_waivers_of_any_metric_have_their_ceiling_in_its_unit() -> None:
    lcp, rows, part = read(FULL).waivers
    assert (lcp.ceiling, rows.ceiling, part.ceiling) == (3000, 200, 90_000)
    assert lcp.until == date(2027, 1, 31)
    assert part.concerns(Subject("memgate.yml", "bundle[app]"), f"{GZIP}[main]")
    assert not part.concerns(Subject("memgate.yml", "bundle[app]"), f"{GZIP}[admin]")


def test_a_waiver_of_a_metric_covers_all_of_its_parts() -> None:
    text = "waivers: [{test: memgate.yml, metric: web.bytes, ceiling: 1MB, until: 2027-01-31, reason: r}]"
    (waiver,) = read(text).waivers
    assert waiver.concerns(Subject("memgate.yml", "page[home]"), "web.bytes[checkout]")
    assert not waiver.concerns(Subject("memgate.yml", "page[home]"), "web.lcp")


def test_toml_says_the_same_of_checks() -> None:
    text = """\
[tool.memgate.budgets]
"web.lcp" = {growth = "max(200ms, 5%)", limit = "2.5s", drift = 400}
"bundle.initial.gzip[admin*]" = {growth = "5KB"}
"custom.rows" = {growth = "5 rows", limit = 100}

[tool.memgate.bundles]
plain = {files = "web/*.js", lazy = ["web/lazy/*.js"]}

[tool.memgate.pages.shop]
start = "python -m shop {port}"
url = "http://localhost:{port}/"
ready = "5s"
"""
    top = from_toml(text, "pyproject.toml", ("tool", "memgate"))
    assert top is not None
    settings, same = read_settings(top), read(FULL)
    for name in ("web.lcp", "bundle.initial.gzip[admin*]", "custom.rows"):
        one, other = settings.rules[name], same.rules[name]
        assert (one.growth, one.limit, one.drift, one.unit) == (other.growth, other.limit, other.drift, other.unit)
    assert settings.rules["custom.rows"].source("limit") == "pyproject.toml:4"
    assert settings.of(BundleCheck)["plain"].files == same.of(BundleCheck)["plain"].files
    assert settings.of(PageCheck)["shop"].ready == same.of(PageCheck)["shop"].ready
    assert settings.of(PageCheck)["shop"].source == "pyproject.toml:9"


def test_every_metric_that_can_be_gated_can_be_configured() -> None:
    for name, metric in METRICS.items():
        limit = {"B": "1MB", "ms": "1s"}.get(metric.unit, "1")
        budget = config(f"budgets: {{{name}: {{limit: {limit}, growth: 10%, drift: '{limit}'}}}}").budget(SUBJECT, name)
        assert (budget.gates, budget.unit) == (True, metric.unit)


# Mistakes

WAIVER = "waivers:\n  - test: a\n    until: 2027-01-31\n    reason: r\n    metric: {}\n    ceiling: {}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budgets:\n  web.lcp: {growth: 200KB}", "2: not a budget: '200KB' (write it as 300ms, 5% or max(300ms, 5%))"),
        ("budgets:\n  web.lcp: {limit: 10%}", "2: not a duration: '10%' (write it as 300ms, 1.5s or 40us)"),
        ("budgets:\n  web.cls: {growth: 100ms}", "2: not a budget: '100ms' (write it as 20 or 5%)"),
        ("budgets:\n  web.cls: {growth: -0.1}", "2: not a budget: "),
        ("budgets:\n  web.cls: {limit: .nan}", "2: not a number: '.nan'"),
        ("budgets:\n  web.cls: {limit: .inf}", "2: not a number: '.inf'"),
        ("budgets:\n  time.median: {growth: }", "2: one value is expected, not nothing"),
        ("budgets:\n  time.median:\n    growth: [20%]", "3: one value is expected, not a list or mapping"),
        ("budgets:\n  time.median:\n    grwth: 20%", "3: unknown key 'grwth' (did you mean 'growth'?)"),
        ("budgets:\n  time.medain: {growth: 20%}", "2: unknown key 'time.medain' (did you mean 'time.median'?)"),
        ("budgets:\n  time: {growth: 20%}", "2: unknown key 'time' ("),
        ("budgets:\n  custom.: {growth: 5}", "2: unknown metric 'custom.' ("),
        ("budgets:\n  custom: {growth: 5}", "2: unknown key 'custom' ("),
        ("budgets:\n  custom.rows: {growth: 20 db rows}", "2: not a budget: '20 db rows' (write it as 20 or 5%)"),
        (
            "budgets:\n  custom.rows:\n    growth: 5 rows\n    limit: 9 queries",
            "4: it is in queries, the budget's other parts are in rows",
        ),
        ("budgets:\n  custom.rows: 5", "2: a mapping with against or drift or growth or limit is expected, not 5"),
        (f"budgets:\n  {GZIP}[]: {{growth: 5KB}}", f"2: not a metric of one part: '{GZIP}[]' (write it as"),
        (f"budgets:\n  '{GZIP}[main': {{growth: 5KB}}", f"2: not a metric of one part: '{GZIP}[main' (write"),
        (f"budgets:\n  {GZIP}[main]: {{growth: 5ms}}", "2: not a budget: '5ms' (write it as 200KB"),
        ("budgets:\n  bundle.gzip[main]: {growth: 5KB}", "2: unknown key 'bundle.gzip[main]' ("),
        ("budgets:\n  overrides:\n    - {tests: a, web.lcp: {growth: 5KB}}", "3: not a budget: '5KB' (write it as 300"),
        ("budgets:\n  overrides:\n    - tests: a\n      web.lpc: {}", "4: unknown key 'web.lpc' (did you mean"),
        ("budgets:\n  overrides:\n    - {custom.a: {growth: 5}}", "3: an override needs 'tests', a pattern"),
        ("budgets:\n  overrides: [5]", "2: a mapping with metrics or tests is expected, not 5"),
        (WAIVER.format("web.lcp", "3MB"), "6: not a duration: '3MB' (write it as 300ms, 1.5s or 40us)"),
        (WAIVER.format("custom.rows", "a lot"), "6: not an amount: 'a lot' (write it as 20, 200KB, 300ms or 20 rows)"),
        (WAIVER.format("web.lpc", "3s"), "5: unknown metric 'web.lpc' (did you mean 'web.lcp'?)"),
        (WAIVER.format("custom.", "3s"), "5: unknown metric 'custom.' ("),
        (WAIVER.format(f"'{GZIP}[main'", "3KB"), f"5: not a metric of one part: '{GZIP}[main'"),
        ("bundles:\n  app: {stats: ''}", "2: some words are expected"),
        ("bundles:\n  app: {files: []}", "2: a bundle needs either 'stats', a bundler's file, or 'framework', or"),
        ("bundles:\n  app:\n    files: [a, {b: c}]", "3: one value is expected, not a list or mapping"),
        ("bundles:\n  app:\n    stats: a\n    entries: {main: 1}", "4: one value is expected, not a list or mapping"),
        ("bundles:\n  'app[1]': {stats: a}", "2: not a name for a bundle: 'app[1]' (letters, digits, dots, dashes)"),
        ("bundles:\n  '': {stats: a}", "2: not a name for a bundle: ''"),
        ("pages: [home]", "1: a mapping of pages by their names is expected"),
        ("pages:\n  home: {serve: a, run: 3}", "2: unknown key 'run' (did you mean 'runs'?)"),
        ("pages:\n  home: {serve: a, runs: 51}", "2: a whole number from 1 to 50 is expected, not 51"),
        ("pages:\n  home: {serve: a, runs: 2.5}", "2: a whole number from 1 to 50 is expected, not 2.5"),
        ("pages:\n  home: {serve: a, runs: five}", "2: a whole number from 1 to 50 is expected, not 'five'"),
        ("pages:\n  home: {serve: a, runs: true}", "2: one value is expected"),
        ("pages:\n  home: {serve: a, timeout: 3MB}", "2: not a duration: '3MB'"),
        ("pages:\n  home: {serve: a, timeout: -3}", "2: not a duration: '-3'"),
        ("pages:\n  home: {serve: a, single_page_app: 'yes'}", "2: true or false is expected, not 'yes'"),
        ("pages:\n  home: {serve: a, settings: fast}", "2: a mapping with Lighthouse's settings is expected"),
        ("pages:\n  home:\n    serve: a\n    throttling: [simulate]", "4: one value is expected"),
        ("services:\n  shop: {send: /}", "2: a service needs 'start'"),
        ("services:\n  shop: {start: a, requests: 99}", "2: a whole number from 100 to 1000000 is expected, not 99"),
        ("services:\n  shop: {start: a, gauge: java}", "2: unknown gauge 'java'"),
        ("services:\n  shop: {start: a, send: orders}", "2: not a request: 'orders'; it is one of"),
        ("services:\n  shop: {start: a, send: GRAB /}", "2: not a request: 'GRAB /'"),
        ("services:\n  shop: {start: a, send: [/, 'a:b']}", "2: 'send' names a function, which is all that is sent"),
        ("services:\n  shop: {start: a, send: /, load: b}", "2: it takes either 'send' or 'load'"),
        ("services:\n  shop: {start: a, url: 'https://x/'}", "2: 'https://x/' is no address of a service"),
        ("services:\n  shop: {start: 'a {port}', url: 'http://x:1'}", "2: '{port}' stands for a free port in both"),
        ("services:\n  shop: {start: a, ready: health}", "2: ready 'health' must begin with '/'"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(f"memgate.yml:{message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("{growth: 5 rows}", "queries", "in rows, its values are in queries"),
        ("{limit: 3MB}", "", "in B, its values are plain numbers"),
        ("{drift: 3s}", "B", "in ms, its values are in B"),
    ],
)
def test_a_budget_in_another_unit_than_the_values_names_its_place(text: str, unit: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(f"budgets:\n  custom.size: {text}").budget(SUBJECT, "custom.size", unit=unit)
    assert str(caught.value) == f"memgate.yml:2: the budget of custom.size is {words}"


@pytest.mark.parametrize("text", ["{growth: 5}", "{growth: 5%}", "{limit: 9}", "{growth: 5 rows}"])
def test_a_bare_number_is_in_the_unit_of_the_values(text: str) -> None:
    budget = config(f"budgets: {{custom.size: {text}}}").budget(SUBJECT, "custom.size", unit="rows")
    assert budget.unit == "rows"
    assert budget.growth is None or budget.growth.unit == "rows"


# Which budget wins


def test_what_nothing_names_has_its_built_in_budget_or_none() -> None:
    budgets = {name: Config(settings=Settings()).budget(SUBJECT, name) for name in METRICS}
    held = {name: rules_text(budget.rules, budget.unit) for name, budget in budgets.items()}
    assert {name: words for name, words in held.items() if words} == {
        "memory.peak": "growth 200 KB (default)",
        "memory.retained": "growth 64 KB (default)",
        "memory.leak": "limit 0 B (default)",
        "memory.allocations": "growth 1% (default)",
        "memory.allocated": "growth 1% (default)",
        "memory.first_use": "growth 500 KB (default)",
        "memory.first_peak": "growth 5 MB (default)",
        "memory.untraced": "growth 4 MB (default)",
        "children.peak": "growth 500 KB (default)",
        "children.retained": "growth 500 KB (default)",
        "children.resident": "growth max(20 MB, 10%) (default)",
        "service.leak": "limit 8 B (default)",
        "service.retained": "growth 1 MB (default)",
        "service.peak": "growth 5 MB (default)",
        "service.files": "growth 10 (default)",
        "service.threads": "growth 10 (default)",
        "import.peak": "growth 500 KB (default)",
        "import.retained": "growth 500 KB (default)",
        **{f"leftover.{what}": "growth 0 (default)" for what in ("threads", "tasks", "processes", "files")},
        **{
            f"bundle.initial.{form}": "growth 200 KB (default), limit 10 MB (default)"
            for form in ("raw", "gzip", "brotli")
        },
        "web.lcp": "growth 300 ms (default)",
        "web.observed.lcp": "growth 300 ms (default)",
        "web.ttfb": "growth 300 ms (default)",
        "web.cls": "growth 0.1 (default)",
        "web.bytes": "growth 200 KB (default)",
    }
    assert Config(settings=Settings()).budget(SUBJECT, "custom.rows", unit="rows") == Budget(unit="rows")


def test_a_part_has_the_budget_of_the_whole_unless_it_is_named() -> None:
    text = f'budgets: {{{GZIP}: {{growth: 20KB}}, "{GZIP}[admin]": {{growth: 5KB}}}}'
    assert grown(text, f"{GZIP}[main]") == "20 KB"
    assert grown(text, f"{GZIP}[admin]") == "5 KB"
    assert grown(text, GZIP) == "20 KB"
    assert grown(text, "bundle.initial.raw[admin]") == "200 KB"


@pytest.mark.parametrize(
    ("pattern", "part", "named"),
    [
        ("admin*", "admin", True),
        ("admin*", "admin/users", True),
        ("admin*", "main", False),
        ("*", "main", True),
        ("*/admin.js", "src/admin.js", True),
        ("?ain", "main", True),
        ("Main", "main", False),
        ("shop:main", "shop:main", True),
    ],
)
def test_a_part_is_named_by_a_pattern(pattern: str, part: str, named: bool) -> None:
    text = f'budgets: {{"{GZIP}[{pattern}]": {{growth: 5KB}}}}'
    assert (grown(text, f"{GZIP}[{part}]") == "5 KB") is named


def test_a_part_is_named_as_it_stands_whatever_its_letters() -> None:
    part = "pages/[id].js"
    assert grown(f'budgets: {{"{GZIP}[{part}]": {{growth: 5KB}}}}', f"{GZIP}[{part}]") == "5 KB"


def test_the_last_pattern_of_parts_wins_and_each_of_them_over_the_whole() -> None:
    text = f"""\
budgets:
  "{GZIP}[adm*]": {{growth: 1KB, limit: 50KB}}
  "{GZIP}[*]": {{growth: 2KB}}
  "{GZIP}[admin]": {{growth: 3KB}}
  {GZIP}: {{growth: 4KB, drift: 9KB}}
"""
    budget = config(text).budget(SUBJECT, f"{GZIP}[admin]")
    assert (str(budget.growth), budget.limit, str(budget.drift)) == ("3 KB", 50_000, "9 KB")
    assert grown(text, f"{GZIP}[adm]") == "2 KB"
    assert budget.sources == {"growth": "memgate.yml:4", "limit": "memgate.yml:2", "drift": "memgate.yml:5"}


def test_an_override_wins_over_a_part_for_the_tests_it_names() -> None:
    text = f"""\
budgets:
  "{GZIP}[admin]": {{growth: 1KB}}
  overrides:
    - tests: "memgate.yml::bundle[app]"
      {GZIP}: {{growth: 2KB}}
    - tests: "memgate.yml::bundle*"
      "{GZIP}[admin]": {{growth: 3KB}}
    - tests: "tests/**"
      {GZIP}: {{growth: 4KB}}
"""
    assert grown(text, f"{GZIP}[admin]", file="memgate.yml", name="bundle[app]") == "3 KB"
    assert grown(text, f"{GZIP}[main]", file="memgate.yml", name="bundle[app]") == "2 KB"
    assert grown(text, f"{GZIP}[main]", file="memgate.yml", name="bundle[other]") == "200 KB"
    assert grown(text, f"{GZIP}[admin]", file="tests/test_a.py") == "4 KB"


def test_option_beats_marker_beats_override_for_every_metric() -> None:
    text = "budgets: {overrides: [{tests: 'tests/**', web.lcp: {growth: 1ms, limit: 9s, drift: 8ms}}]}"
    marker = Rule(growth=Allowance(amount=2, unit="ms"), limit=7000, unit="ms", sources={"growth": "marker"})
    option = Rule(growth=Allowance(amount=3, unit="ms"), unit="ms", sources={"growth": "--memgate-growth"})
    held = Config(settings=read(text), options={"web.lcp": option}).budget(SUBJECT, "web.lcp", {"web.lcp": marker})
    assert (held.growth, held.limit, held.drift) == (
        Allowance(amount=3, unit="ms"), 7000, Allowance(amount=8, unit="ms"),
    )  # fmt: skip
    assert rules_text(held.rules, held.unit).startswith("growth 3 ms (--memgate-growth), limit 7000 ms")
    other = Config(settings=read(text), options={"web.fcp": option}).budget(SUBJECT, "web.lcp", {"web.lcp": marker})
    assert other.growth == Allowance(amount=2, unit="ms")


def test_an_option_for_a_metric_holds_for_all_of_its_parts() -> None:
    option = Rule(growth=Allowance(amount=3), sources={"growth": "--memgate-growth"})
    held = Config(settings=read(FULL), options={GZIP: option}).budget(SUBJECT, f"{GZIP}[main]")
    assert held.growth == Allowance(amount=3)
    named = Config(settings=read(FULL), options={f"{GZIP}[adm*]": option})
    assert named.budget(SUBJECT, f"{GZIP}[admin]").growth == Allowance(amount=3)
    assert named.budget(SUBJECT, f"{GZIP}[main]").growth == Allowance(amount=20_000)


# What is shown


def test_the_table_shows_checks_and_budgets_of_parts() -> None:
    rows = {key: (value, source) for key, value, source in table(read(FULL))}
    assert rows["budgets.web.lcp.growth"] == ("max(200 ms, 5%)", "memgate.yml:4")
    assert rows["budgets.web.lcp.limit"] == ("2500 ms", "memgate.yml:4")
    assert rows["budgets.bundle.initial.gzip[admin*].growth"] == ("5 KB", "memgate.yml:3")
    assert rows["budgets.custom.rows.growth"] == ("5 rows", "memgate.yml:8")
    assert rows["budgets.custom.rows.limit"] == ("100 rows", "memgate.yml:8")
    assert rows["budgets.bundle.initial.raw.limit"] == ("10 MB", "default")
    assert rows["budgets.overrides[memgate.yml::page[home]].web.lcp.growth"] == ("100 ms", "memgate.yml:12")
    assert rows["bundles.app.entries"] == ("main, admin*", "memgate.yml:15")
    assert rows["pages.home.runs"] == ("7", "memgate.yml:18")
    assert rows["pages.home.throttling"] == ("devtools", "memgate.yml:18")
    assert "pages.shop.runs" not in rows
    assert rows["waivers[memgate.yml::page[home]]"] == (
        "web.lcp up to 3000 ms until 2027-01-31: new hero", "memgate.yml:31",
    )  # fmt: skip
    assert rows["waivers[tests/**]"] == ("custom.rows up to 200 rows until 2027-01-31: the flood", "memgate.yml:32")


CHECKER = jsonschema.Draft202012Validator(json_schema())


def faults(text: str) -> list[str]:
    """Return what an editor would underline."""
    data = json.loads(json.dumps(yaml.safe_load(text), default=str))
    return sorted({str(error.validator) for error in CHECKER.iter_errors(data)})


def test_the_schema_for_editors_takes_what_the_reader_takes() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert faults(f"{FULL}imports: [shop, scipy.stats]\n") == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("bundles: {app: {stat: a}}", "additionalProperties"),
        ("pages: {home: {serve: a, runs: 0}}", "minimum"),
        ("pages: {home: {serve: a, runs: 51}}", "maximum"),
        ("pages: {home: {serve: a, throttling: none}}", "enum"),
        ("pages: {home: {serve: a, single_page_app: 3}}", "type"),
        ("budgets: {web.lpc: {growth: 5ms}}", "additionalProperties"),
        ("budgets: {custom.rows: {grow: 5}}", "additionalProperties"),
        ("budgets: {overrides: [{web.lcp: {growth: 5ms}}]}", "required"),
        ("waivers: [{test: a}]", "required"),
        ("imports: [a b]", "pattern"),
        ("imports: [12]", "type"),
        ("imports: [a, a]", "uniqueItems"),
    ],
)
def test_the_schema_for_editors_refuses_what_the_reader_refuses(text: str, rule: str) -> None:
    assert rule in faults(text)
    with pytest.raises(ConfigError):
        read(text)


def test_the_schema_for_editors_says_nothing_of_what_is_right() -> None:
    assert faults("bundles:\n  app: {files: a, lazy: [b]}\npages:\n  home: {url: 'http://x/', timeout: 30s}\n") == []


def settings_of(data: Any) -> Settings:
    return read(yaml.safe_dump(data))


def test_lighthouse_settings_of_any_form_are_handed_on() -> None:
    given = {"onlyCategories": ["performance"], "throttling": {"rttMs": 40}, "locale": "de", "maxWaitForLoad": 45000}
    assert settings_of({"pages": {"home": {"serve": "a", "settings": given}}}).of(PageCheck)["home"].settings == given


# One declaration of each check


@pytest.mark.parametrize(
    ("check", "call"),
    [(BundleCheck, Recorder.bundle), (PageCheck, Recorder.lighthouse), (ServiceCheck, Recorder.service)],
)
def test_a_call_from_a_test_takes_what_the_check_has_with_the_same_defaults(
    check: type[Check], call: Callable[..., object]
) -> None:
    defaults = {one.name: one.default for one in fields(check) if one.default is not MISSING}
    given = {name: one.default for name, one in signature(call).parameters.items()}
    own = given.keys() - {"self", "name", "budgets"}
    assert {name.removesuffix("_") for name in own} <= keys_of(check).keys()
    for name in own & defaults.keys():
        assert given[name] == defaults[name], name


def test_each_key_of_a_check_is_a_field_that_can_be_left_out() -> None:
    assert list(keys_of(BundleCheck)) == ["framework", "stats", "files", "lazy", "root", "entries", "screens", "with"]
    assert keys_of(ImportCheck) == {}
    for check in (BundleCheck, PageCheck):
        assert {one.name.removesuffix("_") for one in fields(check)} == {"name", "source", *keys_of(check)}
        assert check(name="x") == check(name="x", source="")
