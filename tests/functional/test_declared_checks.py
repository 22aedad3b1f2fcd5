"""The checks that memgate.yml declares are tests like others, and their baselines are baselines like others."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from harness import LAST_DAY, Project

APP = "bundles:\n  app: {stats: web/stats.json}\n"
TESTS = "[pytest]\ntestpaths = tests\n"
BOTH = {"bundle[app]", "test_rows"}

INITIAL = {f"bundle.initial.{form}[main]" for form in ("raw", "gzip", "brotli")}
TOTAL = {f"bundle.total.{form}[main]" for form in ("raw", "gzip", "brotli")}


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with one test and one bundle, which has no baselines yet."""
    project.lay("bundles/built/webpack/base", "web")
    project.write("memgate.yml", APP)
    project.write("tests/test_rows.py", "from work import load\n\ndef test_rows():\n    load(1000)\n")
    return project


@pytest.fixture
def app(project: Project) -> Project:
    """A project that has nothing but a bundle and its baseline."""
    project.lay("bundles/built/webpack/base", "web")
    project.write("memgate.yml", APP)
    project.prepare()
    return project


def grow(project: Project) -> None:
    project.lay("bundles/built/webpack/grown", "web")


# What is collected


def test_a_declared_check_runs_with_the_tests(shop: Project, workers: tuple[str, ...]) -> None:
    shop.prepare()
    result = shop.gate(*workers)
    assert result.code == 0, result.out
    assert set(result.outcomes()) == BOTH
    assert result.metrics("bundle[app]") == dict.fromkeys(INITIAL, "passed") | dict.fromkeys(TOTAL, "not gated")


def test_a_declared_check_runs_with_the_test_paths(shop: Project) -> None:
    shop.write("pytest.ini", TESTS)
    shop.prepare()
    result = shop.gate()
    assert result.code == 0, result.out
    assert set(result.outcomes()) == BOTH


def test_a_test_path_above_it_does_not_run_it_twice(app: Project) -> None:
    app.write("pytest.ini", "[pytest]\ntestpaths = .\n")
    result = app.gate("-v")
    assert result.out.count("memgate.yml::bundle[app] PASSED") == 1


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("tests",), {"test_rows"}),
        (("memgate.yml",), {"bundle[app]"}),
        (("memgate.yml::bundle[app]",), {"bundle[app]"}),
        (("tests", "memgate.yml"), BOTH),
        (("-k", "bundle"), {"bundle[app]"}),
        (("-m", "memgate_bundle"), {"bundle[app]"}),
        (("-m", "not memgate_bundle"), {"test_rows"}),
        (("--deselect", "memgate.yml::bundle[app]"), {"test_rows"}),
        (("--ignore", "memgate.yml"), {"test_rows"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_it_is_chosen_as_a_test_is(shop: Project, args: tuple[str, ...], names: set[str]) -> None:
    result = shop.gate("--memgate-update", *args, "--strict-markers")
    assert result.code == 0, result.out
    assert set(result.outcomes()) == names


def test_nothing_to_run_is_no_answer(app: Project) -> None:
    result = app.gate("-m", "memgate_page")
    assert result.code == 1
    assert "nothing was measured: no test ran" in result.out


def test_without_the_gate_there_is_no_such_test(shop: Project) -> None:
    result = shop.pytest("-v", "--strict-markers")
    assert result.code == 0
    assert "1 passed" in result.out
    assert "bundle[app]" not in result.out


def test_it_is_listed_for_an_ide(shop: Project) -> None:
    result = shop.pytest("--memgate", "--collect-only", "-q")
    assert "memgate.yml::bundle[app]" in result.out.splitlines()


def test_the_last_failed_one_runs_alone_until_it_is_repaired(shop: Project) -> None:
    cache = ("cacheprovider",)
    shop.prepare(plugins=cache)
    grow(shop)
    assert shop.gate(plugins=cache).code == 1
    again = shop.gate("--lf", plugins=cache)
    assert (again.code, again.outcomes()) == (1, {"bundle[app]": "not gated"})
    shop.lay("bundles/built/webpack/base", "web")
    repaired = shop.gate("--lf", plugins=cache)
    assert (repaired.code, set(repaired.outcomes())) == (0, {"bundle[app]"})
    assert set(shop.gate("--lf", plugins=cache).outcomes()) == BOTH


def test_a_failing_one_stops_a_run_as_a_test_does(shop: Project) -> None:
    shop.prepare()
    grow(shop)
    result = shop.gate("-x", "memgate.yml", "tests")
    assert result.code == 1
    assert set(result.outcomes()) == {"bundle[app]"}


def test_junit_has_it_with_its_findings(app: Project) -> None:
    grow(app)
    assert app.gate("--junitxml=out.xml").code == 1
    (case,) = ET.parse(app.root / "out.xml").getroot().iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("memgate.yml", "bundle[app]")
    assert {one.get("name") for one in case.iter("property")} == {f"memgate.{metric}" for metric in INITIAL | TOTAL}
    failure = case.find("failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("bundle.initial.raw[main] 4.74 KB -> 225 KB: +220 KB is over")
    assert "+214 KB  node_modules/atlas  (0 B -> 214 KB)" in (failure.text or "")


def test_a_failure_is_told_when_it_happens(project: Project, workers: tuple[str, ...]) -> None:
    project.write("memgate.yml", "bundles:\n  gone: {files: gone/*.js}\n  here: {files: web/*.js}\n")
    project.write("web/app.js", "shop()")
    result = project.gate(*workers)
    begun, _, told = result.out.partition(" FAILURES ")
    assert "\nmemgate: memgate.yml::bundle[gone]: " in begun
    assert "memgate: memgate.yml::bundle[" not in told
    assert "\nmemgate: memgate.yml::" not in project.gate("-q").out


def test_a_failure_points_at_its_line(app: Project) -> None:
    grow(app)
    assert "\nmemgate.yml:2: regressed\n" in app.gate().out


def test_the_table_of_pyproject_declares_them_too(project: Project) -> None:
    project.lay("bundles/built/webpack/base", "web")
    project.write("pyproject.toml", '[tool.memgate.bundles.app]\nstats = "web/stats.json"\n')
    project.write("pytest.ini", TESTS)
    project.write("tests/test_none.py", "")
    project.update("-n2")
    assert (project.root / ".memgate/web/pyproject.toml.yaml").exists()
    result = project.gate("-v", "-n2")
    assert result.code == 0, result.out
    assert "pyproject.toml::bundle[app]" in result.out


# What is in the baselines and not in the run, and the reverse


def test_an_update_that_changes_nothing_leaves_the_bytes(app: Project) -> None:
    before = app.web.read_bytes()
    result = app.update()
    assert "baselines unchanged" in result.out
    assert app.web.read_bytes() == before


def test_a_check_that_is_gone_has_vanished(shop: Project) -> None:
    shop.write("pytest.ini", TESTS)
    shop.prepare()
    shop.write("memgate.yml", "missing: warn\n")
    result = shop.gate()
    assert result.code == 0, result.out
    assert result.metrics("bundle[app]") == dict.fromkeys(INITIAL | TOTAL, "vanished")
    assert "bundle.initial.raw[main] 4.74 KB -> nothing: it has a baseline, but was not collected" in result.out


def test_a_run_of_other_tests_takes_no_check_for_gone(shop: Project) -> None:
    shop.prepare()
    shop.write("memgate.yml", "missing: fail\n")
    for args in (("tests",), ("-k", "rows")):
        result = shop.gate(*args)
        assert (result.code, set(result.outcomes())) == (0, {"test_rows"}), result.out


def test_an_update_removes_what_is_gone(shop: Project) -> None:
    shop.prepare()
    shop.write("memgate.yml", "missing: warn\n")
    result = shop.update("-n2")
    assert "6 removed" in result.out
    assert not shop.web.exists()
    assert set(shop.gate("-n2").outcomes()) == {"test_rows"}


def test_an_update_names_the_folder_that_it_removed_from(shop: Project) -> None:
    shop.prepare()
    shop.write("memgate.yml", "missing: warn\n")
    assert f"next: review and commit .memgate/{shop.baselines.name}, .memgate/web" in shop.update().out


def test_a_renamed_check_keeps_its_baseline(app: Project) -> None:
    app.write("memgate.yml", APP.replace("app:", "shop:"))
    result = app.gate()
    assert (result.code, result.run["verdict"]) == (0, "passed")
    assert result.metrics("bundle[shop]") == dict.fromkeys(INITIAL, "passed") | dict.fromkeys(TOTAL, "not gated")
    assert "moved        memgate.yml::bundle[app] -> memgate.yml::bundle[shop]" in result.out
    assert "memgate: PASSED: 1 test compared, 1 moved" in result.out
    app.prepare()
    assert "bundle[app]" not in app.web.read_text(encoding="utf-8")
    assert app.gate().code == 0


def test_missing_fail_takes_neither(app: Project) -> None:
    app.write("memgate.yml", "missing: fail\n" + APP)
    app.replace("memgate.yml", "bundles:", "bundles:\n  shop: {files: web/**/*.js}")
    result = app.gate()
    assert result.code == 1
    assert "1 test without a baseline (missing: fail): memgate.yml::bundle[shop]" in result.out
    app.update()
    app.write("memgate.yml", "missing: fail\n" + APP)
    result = app.gate()
    assert result.code == 1
    assert "1 test in the baseline but not in the run (missing: fail): memgate.yml::bundle[shop]" in result.out


def test_a_project_without_any_baseline_has_no_answer(project: Project) -> None:
    project.lay("bundles/built/webpack/base", "web")
    project.write("memgate.yml", APP)
    result = project.gate()
    assert result.code == 1
    assert "there is no baseline for web\n" in result.out
    assert "make it, and commit .memgate/web: memgate baseline update" in result.out


def test_an_entry_that_the_build_no_longer_has_has_vanished(project: Project) -> None:
    project.lay("bundles/built/webpack/two", "web")
    project.write("memgate.yml", APP)
    project.prepare()
    project.write("memgate.yml", "bundles:\n  app: {stats: web/stats.json, entries: adm*}\n")
    result = project.gate()
    outcomes = result.metrics("bundle[app]")
    assert outcomes["bundle.initial.raw[entry]"] == "vanished"
    assert outcomes["bundle.initial.raw[admin]"] == "passed"
    assert "but the test did not give it" in result.out
    project.prepare()
    assert "[entry]" not in project.web.read_text(encoding="utf-8")


# Budgets, waivers, strictness


@pytest.mark.parametrize("pattern", ["memgate.yml::bundle[app]", "memgate.yml::bundle[*]", "memgate.yml"])
def test_an_override_names_a_check_as_it_names_a_test(app: Project, pattern: str) -> None:
    grow(app)
    override = f'budgets:\n  overrides:\n    - tests: "{pattern}"\n      bundle.initial.raw: {{growth: 1MB}}\n'
    app.write("memgate.yml", APP + override)
    result = app.gate()
    assert result.code == 0, result.out
    assert "growth 1 MB (memgate.yml:6)" in result.found("bundle[app]", "bundle.initial.raw[main]")["budget"]


def test_an_override_of_another_check_does_not_concern_it(app: Project) -> None:
    grow(app)
    override = (
        'budgets:\n  overrides:\n    - tests: "memgate.yml::bundle[ap]"\n      bundle.initial.raw: {growth: 1MB}\n'
    )
    app.write("memgate.yml", APP + override)
    assert app.gate().code == 1


@pytest.mark.parametrize(
    ("budget", "red"),
    [
        ('"bundle.initial.gzip[admin*]": {growth: 0B, limit: 1KB}', "bundle.initial.gzip[admin]"),
        ('"bundle.initial.gzip[*]": {growth: 0B, limit: 2.8KB}', "bundle.initial.gzip[entry]"),
        ("bundle.total.brotli[entry]: {limit: 1KB}", "bundle.total.brotli[entry]"),
    ],
)
def test_a_budget_may_be_of_one_entry(project: Project, budget: str, red: str) -> None:
    project.lay("bundles/built/webpack/two", "web")
    project.write("memgate.yml", APP)
    project.prepare()
    project.write("memgate.yml", f"{APP}budgets:\n  {budget}\n")
    result = project.gate()
    assert result.code == 1
    regressed = [metric for metric, outcome in result.metrics("bundle[app]").items() if outcome == "regressed"]
    assert regressed == [red]
    assert "raise its limit (memgate.yml:4)" in result.out


@pytest.mark.parametrize("name", ["bundle.initial.raw[main]", "bundle.initial.raw", "bundle.initial.raw[m*]"])
def test_an_option_is_of_a_metric_or_of_one_entry(app: Project, name: str) -> None:
    app.lay("bundles/built/webpack/eager", "web")
    assert app.gate().code == 0
    result = app.gate(f"--memgate-growth={name}=1KB")
    assert result.code == 1, result.out


WAIVER = (
    'waivers:\n  - {{test: "memgate.yml::bundle[app]", metric: "{metric}", ceiling: {ceiling}, until: {until}, '
    'reason: "the atlas is in"}}\n'
)


@pytest.mark.parametrize("metric", ["bundle.initial.raw", "bundle.initial.raw[main]"])
def test_a_waiver_covers_a_check(app: Project, metric: str) -> None:
    grow(app)
    app.write("memgate.yml", APP + WAIVER.format(metric=metric, ceiling="300KB", until=LAST_DAY))
    result = app.gate()
    assert result.code == 0, result.out
    assert result.metrics("bundle[app]")["bundle.initial.raw[main]"] == "waived"
    assert f"waived until {LAST_DAY}: the atlas is in (memgate.yml:4)" in result.out


@pytest.mark.parametrize(
    ("build", "metric", "ceiling", "until", "said"),
    [
        ("grown", "bundle.initial.raw", "210KB", LAST_DAY, "over the ceiling of its waiver too, 210 KB"),
        ("grown", "bundle.initial.raw", "300KB", "2020-01-31", "ended on 2020-01-31"),
        ("base", "bundle.initial.raw", "300KB", LAST_DAY, "is not needed: the test is within its budget"),
        ("base", "bundle.initial.raw[admin]", "300KB", LAST_DAY, "names no test with bundle.initial.raw[admin]"),
        ("base", "bundle.total.raw", "300KB", LAST_DAY, "is not needed"),
    ],
)
def test_a_waiver_has_its_bounds(app: Project, build: str, metric: str, ceiling: str, until: str, said: str) -> None:
    app.lay(f"bundles/built/webpack/{build}", "web")
    app.write("memgate.yml", APP + WAIVER.format(metric=metric, ceiling=ceiling, until=until))
    result = app.gate()
    assert result.code == 1
    assert said in result.out


def test_a_value_of_another_compressor_is_not_compared(app: Project) -> None:
    text = app.web.read_text(encoding="utf-8")
    there = "bundle.initial.gzip[main]:\n      value: 2309\n"
    assert there in text
    app.web.write_text(text.replace(there, f"{there}      conditions: {{zlib: zlib-ng}}\n"), encoding="utf-8")
    result = app.gate()
    assert result.code == 0
    assert result.metrics("bundle[app]")["bundle.initial.gzip[main]"] == "incomparable"
    assert "its baseline was measured with zlib zlib-ng there" in result.out
    strict = app.gate("--memgate-strict")
    assert strict.code == 1
    assert "1 test incomparable (strict): memgate.yml::bundle[app]" in strict.out
    assert app.gate(env={"CI": "true"}).code == 1
    assert "1 remeasured" in app.update().out
    assert app.web.read_text(encoding="utf-8") == text


# Raising, and a base that the change cannot touch


def test_growth_becomes_the_baseline_for_a_reason_only(app: Project) -> None:
    grow(app)
    refused = app.gate("--memgate-update")
    assert refused.code == 1
    assert "raised, so not written without a reason of its own: memgate.yml::bundle[app]" in refused.out
    assert "value: 4739\n" in app.web.read_text(encoding="utf-8")
    app.update("--memgate-reason=the atlas is worth it")
    assert "value: 224874\n      anchor: 4739\n      reason: the atlas is worth it\n" in app.web.read_text(
        encoding="utf-8"
    )
    assert app.gate().code == 0


def test_what_was_never_there_was_not_loaded_lazily(app: Project) -> None:
    grow(app)
    assert app.gate("--memgate-update").code == 1
    result = app.gate()
    assert result.code == 1
    assert "was loaded lazily before" not in result.out


def test_a_change_does_not_raise_its_own_bar(app: Project) -> None:
    app.commit()
    grow(app)
    app.web.write_text(app.web.read_text(encoding="utf-8").replace("value: 4739", "value: 224874"), encoding="utf-8")
    assert app.gate().code == 0
    result = app.gate("--memgate-base=main")
    assert result.code == 1
    assert result.metrics("bundle[app]")["bundle.initial.raw[main]"] == "regressed"
    assert "memgate.yml::bundle[app]: baseline raised (4.74 KB -> 225 KB) without a reason of its own" in result.out


def test_a_change_with_a_reason_is_green_and_listed(app: Project) -> None:
    app.commit()
    grow(app)
    app.prepare("--memgate-reason=the atlas is worth it")
    result = app.gate("--memgate-base=main", "-n2")
    assert result.code == 0, result.out
    raised = (
        "raised       memgate.yml::bundle[app]  bundle.initial.raw[main] 4.74 KB -> 225 KB  (the atlas is worth it)"
    )
    assert raised in result.out


def test_conditions_that_nobody_has_do_not_hide_a_growth_from_the_base(app: Project) -> None:
    app.commit()
    grow(app)
    text = app.web.read_text(encoding="utf-8")
    app.web.write_text(text.replace("value: 4739\n", "value: 4739\n      conditions: {zlib: mine}\n"), encoding="utf-8")
    assert app.gate("--memgate-base=main").code == 1


def test_a_check_that_a_change_takes_away_is_listed(shop: Project) -> None:
    shop.prepare()
    shop.commit()
    shop.write("memgate.yml", "missing: warn\n")
    shop.update()
    result = shop.gate("--memgate-base=main")
    assert result.code == 0, result.out
    assert "loosened     bundles: app is not checked any more" in result.out
    assert "removed      memgate.yml::bundle[app]  bundle.initial.raw[main] 4.74 KB" in result.out


# The memgate command


@pytest.fixture
def runs(app: Project) -> Project:
    """The project with the files of two runs, of the build as it was and of the grown one."""
    app.gate()
    (app.root.parent / "run.json").rename(app.root / "base.json")
    grow(app)
    app.gate()
    (app.root.parent / "run.json").rename(app.root / "head.json")
    return app


def test_a_run_is_accepted_without_the_build(runs: Project) -> None:
    runs.lay("bundles/built/webpack/base", "web")
    refused = runs.memgate("baseline", "accept", "head.json")
    assert refused.code == 1
    assert "memgate baseline accept head.json --reason" in refused.out
    accepted = runs.memgate("baseline", "accept", "head.json", "memgate.yml::bundle[app]", "--reason=an atlas")
    assert accepted.code == 0, accepted.out
    assert "bundle.initial.raw[main] 4.74 KB -> 225 KB  (an atlas)" in accepted.out
    shown = runs.memgate("baseline", "show", "memgate.yml::bundle[app]")
    assert "bundle.initial.raw[main] 225 KB, anchor 4.74 KB, raised for: an atlas\n     214 KB  node_modules/atlas" in (
        shown.out
    )
    pinned = runs.memgate("baseline", "anchor", "memgate.yml::bundle[app]", "--reason=settled")
    assert "bundle.initial.raw[main] 4.74 KB -> 225 KB  (settled)" in pinned.out
    assert runs.memgate("baseline", "check").out == "1 baseline file, 1 entry, no faults\n"


def test_two_runs_are_told_apart_by_package(runs: Project) -> None:
    result = runs.memgate("diff", "base.json", "head.json")
    assert result.code == 0
    lines = result.out.splitlines()
    place = lines.index("memgate.yml::bundle[app]  bundle.initial.raw[main] 4.74 KB -> 225 KB: +220 KB")
    assert lines[place + 1] == "    +214 KB  node_modules/atlas  (0 B -> 214 KB)"


def test_check_finds_what_cannot_be_read(app: Project) -> None:
    text = app.web.read_text(encoding="utf-8")
    app.web.write_text(text.replace("value: 4739", "value: many"), encoding="utf-8")
    line = app.web.read_text(encoding="utf-8").splitlines().index("      value: many") + 1
    said = f".memgate/web/memgate.yml.yaml:{line}: a number is expected"
    checked = app.memgate("baseline", "check")
    assert checked.code == 3
    assert said in checked.out
    gated = app.gate()
    assert gated.code == 1
    assert said in gated.out
    assert gated.run["verdict"] == "no answer"


def test_config_shows_each_check_and_its_place(project: Project) -> None:
    project.write(
        "memgate.yml",
        """
        bundles:
          app: {stats: web/stats.json, entries: [main, "adm*"]}
        pages:
          home: {serve: web, path: /start, runs: 3, ready: 5s}
        budgets:
          "bundle.initial.gzip[adm*]": {growth: 1KB}
        """,
    )
    result = project.memgate("config")
    assert result.code == 0
    rows = [line.split() for line in result.out.splitlines()]
    assert ["bundles.app.stats", "web/stats.json", "memgate.yml:2"] in rows
    assert ["bundles.app.entries", "main,", "adm*", "memgate.yml:2"] in rows
    assert ["pages.home.serve", "web", "memgate.yml:4"] in rows
    assert ["pages.home.runs", "3", "memgate.yml:4"] in rows
    assert ["budgets.bundle.initial.gzip[adm*].growth", "1", "KB", "memgate.yml:6"] in rows
    assert ["budgets.bundle.initial.raw.limit", "10", "MB", "default"] in rows


def test_doctor_says_what_a_declared_page_lacks(project: Project, tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path)}
    project.write("memgate.yml", APP)
    unneeded = project.memgate("doctor", env=env)
    assert "note  pages: " in unneeded.out
    project.write("memgate.yml", "pages:\n  home: {serve: web}\n")
    needed = project.memgate("doctor", env=env)
    assert needed.code == 3
    (line,) = (line for line in needed.out.splitlines() if line.startswith("bad"))
    assert line.startswith("bad   pages: ")


# Mistakes


MISTAKES = [
    ("bundles: [app]", 1, "a mapping of bundles by their names is expected"),
    ("bundles:\n  app: web/stats.json", 2, "a mapping with entries or files or framework or lazy or root"),
    ("bundles:\n  app:", 2, "a bundle needs either 'stats', a bundler's file, or 'framework', or 'files', globs"),
    ("bundles:\n  app: {stats: a, files: b}", 2, "a bundle needs either 'stats'"),
    ("bundles:\n  app:\n    stat: web/stats.json", 3, "unknown key 'stat' (did you mean 'stats'?)"),
    ("bundles:\n  app: {stats: a, lazy: b}", 2, "'lazy' goes with 'files'"),
    ("bundles:\n  app:\n    stats: [a, b]", 3, "one value is expected, not a list or mapping"),
    ("bundles:\n  my app: {stats: a}", 2, "not a name for a bundle: 'my app' (letters, digits, dots, dashes)"),
    ("bundles:\n  app: {stats: a}\n  app: {stats: b}", 3, "key 'app' stands here twice"),
    ("bundle:\n  app: {stats: a}", 1, "unknown key 'bundle' (did you mean 'bundles'?)"),
    ("pages:\n  home: {}", 2, "a page needs either 'url', or 'serve', a folder"),
    ('pages:\n  home: {url: "http://localhost/", serve: web}', 2, "a page needs either 'url'"),
    ("pages:\n  home: {serve: web, start: make}", 2, "'start' needs the 'url' that its command serves"),
    ("pages:\n  home:\n    serve: web\n    runs: 0", 4, "a whole number from 1 to 50 is expected, not 0"),
    ("pages:\n  home: {serve: web, form_factor: tablet}", 2, "unknown form factor 'tablet' (known: desktop, mobile)"),
    ("pages:\n  home: {serve: web, throttling: simulated}", 2, "unknown throttling 'simulated' (did you mean 'simul"),
    ("pages:\n  home: {serve: web, ready: soon}", 2, "not a duration: 'soon' (write it as 300ms, 1.5s or 40us)"),
    ("pages:\n  home: {serve: web, single_page_app: 3}", 2, "true or false is expected, not 3"),
    ("budgets:\n  bundle.initial: {growth: 1KB}", 2, "unknown key 'bundle.initial' (did you mean 'bundle.initial."),
    (
        'budgets:\n  "bundle.initial.gzip[main": {growth: 1KB}',
        2,
        "not a metric of one part: 'bundle.initial.gzip[main'",
    ),
    ("budgets:\n  bundle.initial.gzip: {growth: 300ms}", 2, "not a budget: '300ms' (write it as 200KB"),
    ("budgets:\n  web.lcp: {growth: 200KB}", 2, "not a budget: '200KB' (write it as 300ms"),
    ("budgets:\n  web.inp: {growth: 300ms}", 2, "unknown key 'web.inp'"),
]
MISSED = {  # found only when the check runs, or not at all
    "pages:\n  home: {serve: web, path: about}": "path 'about' must begin with '/'",
    'pages:\n  home: {url: "localhost:3000"}': "'localhost:3000' is no URL of a page",
    'pages:\n  home: {url: "http://localhost:{port}/"}': "'{port}' stands for a free port in both 'url' and 'start'",
    'pages:\n  home: {url: "http://localhost:3000/", path: /about}': "path",
    "pages:\n  home: {serve: web, timeout: 0s}": "at least a second is expected, not '0s'",
    "pages:\n  home: {serve: web, ready: 30}": "not a duration: '30' (write it as 300ms, 1.5s or 40us)",
    'budgets:\n  "memory.peak[main]": {growth: 300KB}': "memory.peak[main]",
}


def _said(project: Project, text: str) -> str:
    """Return the one line that a wrong memgate.yml is answered with, by pytest and by the command."""
    project.write("memgate.yml", f"{text}\n")
    gated, shown = project.gate(), project.memgate("config")
    assert (gated.code, shown.code) == (4, 2), gated.out
    (line,) = (line for line in gated.out.splitlines() if line)
    assert line == f"ERROR: {shown.out.strip()}"
    return line


@pytest.mark.parametrize(("text", "line", "said"), MISTAKES, ids=lambda value: str(value).replace("\n", " ")[:50])
def test_a_mistake_is_one_line_with_its_place(project: Project, text: str, line: int, said: str) -> None:
    assert _said(project, text).startswith(f"ERROR: memgate: memgate.yml:{line}: {said}")


@pytest.mark.parametrize("text", MISSED, ids=lambda text: str(text).replace("\n", " "))
def test_a_mistake_is_found_at_the_start(project: Project, text: str) -> None:
    assert MISSED[text] in _said(project, text)


def test_a_wrong_setting_is_shown_as_it_was_written(project: Project) -> None:
    assert "Located" not in _said(project, "pages:\n  home: {serve: web, settings: [a]}")


def test_a_check_that_cannot_be_made_leaves_no_green_verdict(shop: Project) -> None:
    shop.prepare("tests")
    shop.write("memgate.yml", "pages:\n  home: {serve: web, path: about}\n")
    result = shop.gate()
    if result.code == 4:
        return  # found at the start
    assert result.code == 1
    assert result.run["verdict"] != "passed"
