"""Configuration: what it may say, and the line that each mistake is reported with."""

from pathlib import Path

import pytest
from samples import METRIC, SUBJECT

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.budget.rule import Allowance, Rule
from pytest_memgate.config.located import from_toml, from_yaml
from pytest_memgate.config.schema import Settings, json_schema, read_settings
from pytest_memgate.config.sources import Config, load_settings
from pytest_memgate.config.table import table
from pytest_memgate.errors import ConfigError
from pytest_memgate.model.metric import METRICS
from pytest_memgate.model.subject import Subject
from pytest_memgate.probes.table import PROBES

FULL = """\
budgets:
  memory.peak: {growth: 100KB, limit: 64MB, drift: 10%}
  overrides:
    - tests: "tests/etl/**"
      memory.peak: {growth: "max(1MB, 5%)"}
    - tests: tests/etl/test_big.py
      memory.peak:
        limit: 1GB
missing: fail
waivers:
  - {test: "tests/test_x.py::test_y", metric: memory.peak, ceiling: 3MB, until: 2027-01-31, reason: soon gone}
"""

_KEYS = sorted(
    [
        "budgets",
        "children",
        "measure",
        "missing",
        "renamed",
        "setup",
        "waivers",
        *(probe.check.section for probe in PROBES),
    ]
)

FULL_SOURCES = dict.fromkeys(("growth", "limit", "drift"), "memgate.yml:2")


def yaml_settings(text: str) -> Settings:
    return read_settings(from_yaml(text, "memgate.yml"))


def toml_settings(text: str) -> Settings:
    top = from_toml(text, "pyproject.toml", ("tool", "memgate"))
    assert top is not None
    return read_settings(top)


def config(text: str, options: Rule | None = None) -> Config:
    return Config(settings=yaml_settings(text), options={METRIC: options} if options else {})


def test_every_key_is_read_with_its_place() -> None:
    settings = yaml_settings(FULL)
    assert settings.rules[METRIC] == Rule(
        growth=Allowance(amount=100_000), limit=64_000_000, drift=Allowance(percent=10), sources=FULL_SOURCES
    )
    assert [override.tests for override in settings.overrides] == ["tests/etl/**", "tests/etl/test_big.py"]
    assert settings.overrides[1].rules[METRIC] == Rule(limit=1_000_000_000, sources={"limit": "memgate.yml:8"})
    assert (settings.missing, settings.missing_source) == ("fail", "memgate.yml:9")
    assert (settings.waivers[0].ceiling, settings.waivers[0].source) == (3_000_000, "memgate.yml:11")
    assert settings.waivers[0].until.isoformat() == "2027-01-31"


def test_toml_says_the_same_as_yaml() -> None:
    text = """\
[project]
name = "memory.peak"

[tool.memgate]
missing = "fail"

[tool.memgate.budgets]
"memory.peak" = {growth = "100KB", limit = "64MB", drift = "10%"}

[[tool.memgate.budgets.overrides]]
tests = "tests/etl/**"
"memory.peak" = {growth = "max(1MB, 5%)"}

[[tool.memgate.waivers]]
test = "tests/test_x.py::test_y"
metric = "memory.peak"
ceiling = 3000000
until = 2027-01-31
reason = "soon gone"
"""
    settings, same = toml_settings(text), yaml_settings(FULL)
    assert settings.rules[METRIC].source("limit") == "pyproject.toml:8"
    assert settings.rules[METRIC].growth == same.rules[METRIC].growth
    assert settings.overrides[0].rules[METRIC].growth == same.overrides[0].rules[METRIC].growth
    assert settings.missing_source == "pyproject.toml:5"
    assert settings.waivers[0].until == same.waivers[0].until
    assert settings.waivers[0].ceiling == same.waivers[0].ceiling


@pytest.mark.parametrize("text", ["", "# nothing\n", "budgets:\nwaivers:\n", "budgets: {overrides: }"])
def test_nothing_said_is_the_default(text: str) -> None:
    settings = yaml_settings(text)
    assert (settings.rules, settings.overrides, settings.missing, settings.waivers) == ({}, (), "warn", ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("missing: fail\nbudget: {}", "memgate.yml:2: unknown key 'budget' (did you mean 'budgets'?)"),
        ("xyzzy: 1", f"memgate.yml:1: unknown key 'xyzzy' (known: {', '.join(_KEYS)})"),
        ("budgets:\n  memory.peek: {}", "memgate.yml:2: unknown key 'memory.peek' (did you mean 'memory.peak'?)"),
        (
            "budgets:\n  memory.peak:\n    grow: 1KB",
            "memgate.yml:3: unknown key 'grow' (did you mean 'growth'?)",
        ),
        (
            "budgets:\n  memory.peak:\n    limit: 1KB\n    growth: a lot",
            "memgate.yml:4: not a budget: 'a lot' (write it as 200KB, 5%, max(200KB, 5%) or min(200KB, 5%))",
        ),
        (
            "budgets:\n  memory.peak: {limit: 5%}",
            "memgate.yml:2: not a size: '5%' (write it as 200KB, 1.5MB or 64MiB)",
        ),
        ("budgets:\n  memory.peak:\n    growth:\n", "memgate.yml:3: one value is expected, not nothing"),
        ("budgets:\n  memory.peak:\n    growth: [1]\n", "memgate.yml:3: one value is expected, not a list or mapping"),
        (
            "budgets:\n  memory.peak:\n    growth: max(1KB, 2KB)",
            "memgate.yml:3: max() takes one amount and one percent",
        ),
        ("budgets: 200KB", "memgate.yml:1: a mapping with metrics or overrides is expected, not '200KB'"),
        ("\n- a", f"memgate.yml:2: a mapping with {' or '.join(_KEYS)} is"),
        ("budgets:\n  overrides: {}", "memgate.yml:2: a list is expected"),
        ("budgets:\n  overrides:\n    - memory.peak: {}", "memgate.yml:3: an override needs 'tests', a pattern"),
        ("budgets:\n  overrides:\n    - tests: ' '", "memgate.yml:3: some words are expected"),
        (
            "budgets:\n  overrides:\n    - tests: a\n      test: b",
            "memgate.yml:4: unknown key 'test' (did you mean 'tests'?)",
        ),
        ("missing: warm", "memgate.yml:1: unknown value 'warm' (did you mean 'warn'?)"),
        ("waivers:\n  - test: a", "memgate.yml:2: a waiver needs 'metric'"),
        (
            "waivers:\n  - test: a\n    metric: memory.pek",
            "memgate.yml:2: a waiver needs 'ceiling'",
        ),
        (
            "waivers:\n  - {test: a, ceiling: 1KB, until: 2027-01-31, reason: b,\n     metric: memory.pek}",
            "memgate.yml:3: unknown metric 'memory.pek' (did you mean 'memory.peak'?)",
        ),
        (
            "waivers:\n  - test: a\n    metric: memory.peak\n    ceiling: 1KB\n    reason: b\n    until: 31.1.2027",
            "memgate.yml:6: not a date: '31.1.2027' (write it as 2027-01-31)",
        ),
        (
            "waivers:\n  - test: a\n    metric: memory.peak\n    ceiling: 1KB\n    until: 2027-01-31\n    reason: ''",
            "memgate.yml:6: some words are expected",
        ),
        ("missing: fail\nmissing: warn", "memgate.yml:2: key 'missing' stands here twice"),
        ("missing: fail\n  budgets: [", "memgate.yml:2: mapping values are not allowed"),
    ],
)
def test_a_mistake_is_reported_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        yaml_settings(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budgets:\n  {a: b}: 1", "memgate.yml:2: a key is expected (text in braces needs quotes)"),
        (
            "budgets: &a\n  overrides: [*a]",
            "memgate.yml:1: anchors and aliases (&name, *name) are not read: ",
        ),
        (f"budgets:\n  memory.peak:\n    limit: {'9' * 5000}", "memgate.yml:3: not a size: "),
        (f"missing: {'9' * 5000}", "memgate.yml:1: unknown value "),
    ],
)
def test_a_file_made_to_break_the_reader_is_an_error_of_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        yaml_settings(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.memgate]\nmising = 'fail'", "pyproject.toml:2: unknown key 'mising' (did you mean 'missing'?)"),
        (
            "[tool.other]\ngrow = 1\n[tool.memgate.budgets.'memory.peak']\ngrow = '1KB'",
            "pyproject.toml:4: unknown key 'grow' (did you mean 'growth'?)",
        ),
        ("[tool.memgate]\nmissing = true", "pyproject.toml:2: one value is expected"),
        ("[tool.memgate", "pyproject.toml: "),
    ],
)
def test_a_mistake_in_toml_is_reported_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        toml_settings(text)
    assert str(caught.value).startswith(message)


def test_each_waiver_in_toml_has_its_own_line() -> None:
    waiver = (
        "[[tool.memgate.waivers]]\ntest = 'a'\nmetric = 'memory.peak'\nceiling = '1KB'\nuntil = 2027-01-31\n"
        "reason = 'r'\n"
    )
    assert [one.source for one in toml_settings(waiver * 2).waivers] == ["pyproject.toml:1", "pyproject.toml:7"]
    with pytest.raises(ConfigError, match=r"^pyproject.toml:12: some words are expected"):
        toml_settings(waiver + waiver.replace("'r'", "''"))
    with pytest.raises(ConfigError, match=r"^pyproject.toml:7: a waiver needs 'ceiling'"):
        toml_settings(waiver + waiver.replace("ceiling = '1KB'", ""))


def test_a_project_without_our_table_says_nothing() -> None:
    assert from_toml("[tool]\nother = 1", "pyproject.toml", ("tool", "memgate")) is None


def test_neither_file_gives_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["pytest-memgate"]\n')
    assert load_settings(WorkTree(tmp_path)) == Settings()


def test_both_files_at_once_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "memgate.yml").write_text("missing: fail\n")
    (tmp_path / "pyproject.toml").write_text("[tool.memgate]\nmissing = 'warn'\n")
    with pytest.raises(ConfigError, match=r"memgate.yml and \[tool.memgate\] in pyproject.toml are both there; keep"):
        load_settings(WorkTree(tmp_path))


@pytest.mark.parametrize(
    ("name", "text"), [("memgate.yml", "missing: fail\n"), ("pyproject.toml", "[tool.memgate]\nmissing = 'fail'\n")]
)
def test_either_file_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    settings = load_settings(WorkTree(tmp_path))
    assert (settings.file, settings.missing) == (name, "fail")


def test_a_file_that_is_not_utf_8_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "memgate.yml").write_bytes(b"missing: \xff\n")
    with pytest.raises(ConfigError, match=r"memgate.yml: not UTF-8 text"):
        load_settings(WorkTree(tmp_path))


def test_option_beats_marker_beats_pattern_beats_metric_beats_built_in() -> None:
    etl, shop = Subject("tests/etl/test_a.py", "test_x"), SUBJECT
    plain = config(FULL)
    marker = Rule(growth=Allowance(amount=7), sources={"growth": "marker"})
    option = Rule(growth=Allowance(amount=9), sources={"growth": "command line"})
    assert plain.budget(etl, METRIC).growth == Allowance.parse("max(1MB, 5%)")
    assert plain.budget(etl, METRIC).limit == 64_000_000
    assert plain.budget(shop, METRIC).growth == Allowance(amount=100_000)
    assert plain.budget(etl, METRIC, {METRIC: marker}).growth == Allowance(amount=7)
    assert config(FULL, options=option).budget(etl, METRIC, {METRIC: marker}).growth == Allowance(amount=9)
    assert config("").budget(shop, METRIC).sources == {"growth": "default"}
    assert config("").budget(shop, METRIC).growth == Allowance(amount=200_000)


def test_the_last_pattern_that_names_a_test_wins() -> None:
    big = config(FULL).budget(Subject("tests/etl/test_big.py", "test_x"), METRIC)
    assert big.limit == 1_000_000_000
    assert big.growth == Allowance.parse("max(1MB, 5%)")


@pytest.mark.parametrize(
    ("text", "missing", "fails"), [("", "", False), ("", "fail", True), ("missing: fail", "warn", False)]
)
def test_the_option_for_missing_beats_the_file(text: str, missing: str, fails: bool) -> None:
    assert Config(settings=yaml_settings(text), missing=missing).missing_fails is fails


def test_the_table_shows_each_value_and_its_source() -> None:
    gated = {
        row[0].rpartition(".")[0].removeprefix("budgets.")
        for row in table(Settings())
        if row[0] not in {"children", "measure", "missing"}
    }
    assert gated == {name for name, metric in METRICS.items() if metric.growth or metric.limit}
    assert [row for row in table(yaml_settings(FULL)) if row[2] != "default"] == [
        ("budgets.memory.peak.growth", "100 KB", "memgate.yml:2"),
        ("budgets.memory.peak.limit", "64 MB", "memgate.yml:2"),
        ("budgets.memory.peak.drift", "10%", "memgate.yml:2"),
        ("budgets.overrides[tests/etl/**].memory.peak.growth", "max(1 MB, 5%)", "memgate.yml:5"),
        ("budgets.overrides[tests/etl/test_big.py].memory.peak.limit", "1 GB", "memgate.yml:8"),
        ("missing", "fail", "memgate.yml:9"),
        (
            "waivers[tests/test_x.py::test_y]",
            "memory.peak up to 3 MB until 2027-01-31: soon gone",
            "memgate.yml:11",
        ),
    ]
    assert ("budgets.memory.peak.growth", "200 KB", "default") in table(Settings())
    assert ("missing", "warn", "default") in table(Settings())


def test_the_schema_for_editors_takes_what_the_reader_takes() -> None:
    import jsonschema
    import yaml

    checker = jsonschema.Draft202012Validator(json_schema())
    data = yaml.load(FULL, Loader=yaml.BaseLoader)
    checker.validate(data)
    data["budgets"]["memory.peak"]["grow"] = "1KB"
    assert [error.validator for error in checker.iter_errors(data)] == ["additionalProperties"]
