"""The memgate command: what each part prints and leaves, and each mistake as one line with its exit code."""

import json
import re
import shutil
import sysconfig
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from harness import LAST_DAY, Project, Result

from pytest_memgate.measure.python.environment import allocator, key
from pytest_memgate.model.metric import METRICS

_TESTS = """
    from work import load

    def test_one():
        load(1000)

    def test_two():
        load(2000)
"""
_FULL = f"""
budgets:
  memory.peak:
    growth: max(100KB, 5%)
    limit: 64MB
  overrides:
    - tests: "tests/etl/**"
      memory.peak: {{growth: 1MiB, drift: 10%}}
missing: fail
waivers:
  - {{test: "test_it.py::test_two", metric: memory.peak, ceiling: 3MB, until: {LAST_DAY}, reason: "until #7"}}
"""
_FULL_TOML = """
[project]
name = "shop"

[tool.memgate]
missing = "fail"

[tool.memgate.budgets."memory.peak"]
growth = "300KB"
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its baseline and three runs' files: without a baseline, within it, and beyond it."""
    project = Project(tmp_path_factory.mktemp("cli") / "project")
    project.write("test_it.py", _TESTS)
    _keep(project, "none.json", project.gate())
    project.prepare()
    _keep(project, "base.json", project.gate())
    project.replace("test_it.py", "load(2000)", "load(9000)")
    _keep(project, "head.json", project.gate())
    project.replace("test_it.py", "load(9000)", "load(2000)")
    return project.root


@pytest.fixture
def made(project: Project, runs: Path) -> Project:
    """A project of its own with that baseline and those runs."""
    shutil.copytree(runs, project.root, dirs_exist_ok=True)
    return project


def _keep(project: Project, name: str, result: Result) -> None:
    (project.root / name).write_text(json.dumps(result.run), encoding="utf-8")


def _edit_run(project: Project, name: str, **fields: Any) -> None:
    path = project.root / name
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **fields}), encoding="utf-8")


def _entry(project: Project, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = yaml.safe_load(project.baseline("test_it.py"))["tests"][name]["memory.peak"]
    return entry


def _refused(result: Result, code: int, *words: str) -> None:
    """Check that a mistake is told in one line."""
    assert result.code == code, result.out
    lines = [line for line in result.out.splitlines() if line.startswith("memgate: ")]
    assert len(lines) == 1, result.out
    assert "Traceback" not in result.out
    for word in words:
        assert word in lines[0]


def test_init_writes_a_file_once_and_says_what_comes_next(project: Project) -> None:
    result = project.memgate("init")
    assert result.code == 0
    assert "next: memgate baseline update" in result.out
    text = (project.root / "memgate.yml").read_text(encoding="utf-8")
    _refused(project.memgate("init"), 2, "memgate.yml configures memgate already", "memgate config")
    assert (project.root / "memgate.yml").read_text(encoding="utf-8") == text
    assert _rows(project.memgate("config"))["budgets.memory.peak.growth"][0] == "200 KB"


def test_init_takes_over_what_lighthouse_ci_is_configured_with(project: Project) -> None:
    assertions = '{"largest-contentful-paint": ["error", {"maxNumericValue": 2500}], "uses-http2": "error"}'
    project.write(
        "rc.json", f'{{"ci": {{"collect": {{"staticDistDir": "web"}}, "assert": {{"assertions": {assertions}}}}}}}'
    )
    result = project.memgate("init", "--from", "rc.json")
    assert result.code == 0, result.out
    assert "left out: ci.assert.assertions.uses-http2: no limit of a metric is like it" in result.out
    shown = project.memgate("config").out
    assert re.search(r"^budgets\.web\.lcp\.limit +2500 ms +memgate\.yml:", shown, re.MULTILINE)
    assert _rows(project.memgate("config"))["pages.home.serve"][0] == "web"
    (project.root / "memgate.yml").unlink()
    _refused(project.memgate("init", "--from", "absent.js"), 2, "absent.js: No such file or directory")


def test_init_leaves_a_project_alone_that_pyproject_configures(project: Project) -> None:
    project.write("pyproject.toml", _FULL_TOML)
    _refused(project.memgate("init"), 2, "pyproject.toml")
    assert not (project.root / "memgate.yml").exists()


def test_the_file_that_init_comments_out_is_valid_when_it_is_not(project: Project) -> None:
    project.memgate("init")
    path = project.root / "memgate.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# limit", "limit").replace("# drift", "drift").replace("\n  # ", "\n  "))
    head, _, waivers = path.read_text(encoding="utf-8").partition("# waivers")
    path.write_text(head + "waivers" + waivers.replace("\n#", "\n"), encoding="utf-8")
    result = project.memgate("config")
    assert result.code == 0, result.out
    assert "waivers[tests/test_x.py::test_y]" in result.out
    assert "budgets.overrides[tests/etl/**].memory.peak.growth" in result.out


def _rows(result: Result) -> dict[str, tuple[str, str]]:
    assert result.code == 0, result.out
    rows = (line.rsplit("  ", 1) for line in result.out.splitlines())
    parts = ((left.split("  ", 1), source) for left, source in rows)
    shown = {first: (value.strip(), source.strip()) for (first, value), source in parts}
    # Of the other metrics, the defaults are another test's matter.
    others = {f"budgets.{name}." for name in METRICS if name != "memory.peak"}
    assert any(name.startswith("budgets.web.") for name in shown)
    return {name: row for name, row in shown.items() if not name.startswith(tuple(others))}


def test_config_says_each_value_and_its_source(project: Project) -> None:
    assert _rows(project.memgate("config")) == {
        "budgets.memory.peak.growth": ("200 KB", "default"),
        "children": ("measure", "default"),
        "measure": ("bound", "default"),
        "missing": ("warn", "default"),
    }
    project.write("memgate.yml", _FULL)
    assert _rows(project.memgate("config")) == {
        "budgets.memory.peak.growth": ("max(100 KB, 5%)", "memgate.yml:3"),
        "budgets.memory.peak.limit": ("64 MB", "memgate.yml:4"),
        "budgets.overrides[tests/etl/**].memory.peak.growth": ("1.05 MB", "memgate.yml:7"),
        "budgets.overrides[tests/etl/**].memory.peak.drift": ("10%", "memgate.yml:7"),
        "children": ("measure", "default"),
        "measure": ("bound", "default"),
        "missing": ("fail", "memgate.yml:8"),
        "waivers[test_it.py::test_two]": (f"memory.peak up to 3 MB until {LAST_DAY}: until #7", "memgate.yml:10"),
    }


def test_config_reads_pyproject(project: Project) -> None:
    project.write("pyproject.toml", _FULL_TOML)
    assert _rows(project.memgate("--root", ".", "config")) == {
        "budgets.memory.peak.growth": ("300 KB", "pyproject.toml:8"),
        "children": ("measure", "default"),
        "measure": ("bound", "default"),
        "missing": ("fail", "pyproject.toml:5"),
    }


def test_the_schema_takes_what_the_command_takes_and_nothing_else(project: Project) -> None:
    schema = json.loads(project.memgate("config", "--schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    project.memgate("init")
    for text in ((project.root / "memgate.yml").read_text(encoding="utf-8"), _FULL):
        # A reader of YAML for JSON tools leaves dates as the text they are.
        jsonschema.validate(json.loads(json.dumps(yaml.safe_load(text), default=str)), schema)
    wrongs: list[dict[str, Any]] = [
        {"budget": {}},
        {"budgets": {"memory.peek": {}}},
        {"missing": "maybe"},
        {"waivers": [{"test": "x"}]},
    ]
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_doctor_names_the_environment_and_proves_that_it_measures(made: Project) -> None:
    result = made.memgate("doctor")
    assert result.code == 0, result.out
    assert f"environment: {key()}" in result.out
    assert f"allocator: {allocator()}" in result.out
    assert "20000 small objects were seen as" in result.out
    assert "baselines: .memgate/" in result.out
    assert "\x1b" not in result.out


def test_doctor_reports_a_broken_memray_and_the_gate_is_not_green_with_it(made: Project) -> None:
    made.write("memray/__init__.py", "raise ImportError('libunwind.so.8: cannot open shared object file')")
    result = made.memgate("doctor")
    assert result.code == 3, result.out
    assert "memray cannot be imported: libunwind.so.8" in result.out
    assert "Traceback" not in result.out
    gated = made.gate()
    assert (gated.code, gated.run["verdict"], gated.run["exit_code"]) == (1, "no answer", 3)
    assert "memray cannot be imported: libunwind.so.8" in gated.summary()


def test_doctor_reports_a_configuration_that_cannot_be_read(project: Project) -> None:
    project.write("memgate.yml", "budget: 1")
    result = project.memgate("doctor")
    assert (result.code, "memgate.yml:1: unknown key 'budget'" in result.out) == (3, True)


def test_show_prints_all_entries_or_those_named_with_their_call_sites(made: Project) -> None:
    every = made.memgate("baseline", "show")
    assert every.code == 0
    assert [line.partition("  ")[0] for line in every.out.splitlines()] == [
        "test_it.py::test_one",
        "test_it.py::test_two",
    ]
    one = made.memgate("baseline", "show", "test_it.py::test_t*")
    assert one.out.splitlines()[0].startswith("test_it.py::test_two  memory.peak 122 KB")
    assert one.out.splitlines()[1].endswith("work.py:load")
    assert len(one.out.splitlines()) == 2


def test_check_counts_what_is_in_order(made: Project) -> None:
    result = made.memgate("baseline", "check")
    assert (result.code, result.out) == (0, "2 baseline files, 2 entries, no faults\n")


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("tests:\n", "tests:\n\n", 1, "not sorted or written as an update writes it"),
        ("  test_one:", "  test_zebra:", 1, "not sorted or written as an update writes it"),
        ("tests:\n", "<<<<<<< HEAD\ntests:\n=======\n>>>>>>> other\n", 3, "conflict markers"),
        ("  test_one:", "  test_two:", 3, "'test_two' stands here twice"),
        ("format: 2", "format: 3", 3, "format 3 is newer than this memgate reads; upgrade pytest-memgate"),
        ("format: 2\n", "", 3, "'format' is missing"),
        ("value: ", "value: about ", 3, "a number is expected"),
        ("coverage: false", "coverage: perhaps", 3, "true or false is expected"),
    ],
    ids=["blank line", "unsorted", "conflict", "twice", "newer", "no format", "no number", "no bool"],
)
def test_check_names_a_file_that_is_not_in_order(made: Project, old: str, new: str, code: int, words: str) -> None:
    made.replace(f".memgate/{key()}/test_it.py.yaml", old, new)
    _refused(made.memgate("baseline", "check"), code, f".memgate/{key()}/test_it.py.yaml", words)
    if code == 3:
        _refused(made.memgate("baseline", "show"), 3, f".memgate/{key()}/test_it.py.yaml", words)


def test_check_names_an_orphan_and_files_of_other_environments(made: Project) -> None:
    (made.root / "test_it.py").unlink()
    shutil.copytree(made.baselines, made.baselines.parent / "plan9-mips-cpython3.14")
    result = made.memgate("baseline", "check")
    assert result.code == 1
    assert "plan9-mips-cpython3.14/test_it.py.yaml: an orphan, test_it.py is gone" in result.out
    assert "4 baseline files, 4 entries, 2 faults" in result.out


def test_anchor_pins_the_values_of_today(made: Project) -> None:
    assert made.memgate("baseline", "anchor").out == "nothing to pin: no value is above its anchor\n"
    made.memgate("baseline", "accept", "head.json", "--reason", "more rows")
    raised = _entry(made, "test_two")
    assert raised["anchor"] < raised["value"]
    result = made.memgate("baseline", "anchor", "test_it.py::test_two", "--reason", "agreed in review")
    assert result.code == 0
    assert "anchored" in result.out
    assert "(agreed in review)" in result.out
    pinned = _entry(made, "test_two")
    assert (pinned["anchor"], pinned["value"], pinned["reason"]) == (
        raised["value"],
        raised["value"],
        "agreed in review",
    )
    assert made.memgate("baseline", "check").code == 0


def test_a_run_without_a_baseline_can_be_accepted_as_the_first_one(made: Project) -> None:
    shutil.rmtree(made.root / ".memgate")
    result = made.memgate("baseline", "accept", "none.json")
    assert result.code == 0, result.out
    assert result.out.count("new   ") == 2
    assert made.memgate("baseline", "check").code == 0
    gated = made.gate("--memgate-missing=fail", "--memgate-strict")
    assert (gated.code, gated.outcomes()) == (0, {"test_one": "passed", "test_two": "passed"})
    again = made.memgate("baseline", "accept", "none.json")
    assert (again.code, again.out) == (0, "baselines unchanged: they already say this\n")


def test_accept_takes_the_tests_that_are_named(made: Project) -> None:
    shutil.rmtree(made.root / ".memgate")
    assert made.memgate("baseline", "accept", "none.json", "test_it.py::test_one").code == 0
    assert list(yaml.safe_load(made.baseline("test_it.py"))["tests"]) == ["test_one"]


def test_accept_asks_for_the_reason_of_a_raise(made: Project) -> None:
    before = made.baseline("test_it.py")
    refused = made.memgate("baseline", "accept", "head.json")
    _refused(refused, 1, "test_it.py::test_two 122 KB -> ", 'memgate baseline accept head.json --reason "…"')
    assert made.baseline("test_it.py") == before
    assert made.memgate("baseline", "accept", "head.json", "--only", "new").code == 0
    assert made.baseline("test_it.py") == before
    accepted = made.memgate("baseline", "accept", "head.json", "--reason", "more rows")
    assert (accepted.code, "raised       test_it.py::test_two" in accepted.out) == (0, True)
    assert _entry(made, "test_two")["reason"] == "more rows"
    made.replace("test_it.py", "load(2000)", "load(9000)")
    assert made.gate().code == 0


def test_a_baseline_in_disorder_is_not_accepted_over(made: Project) -> None:
    made.replace(f".memgate/{key()}/test_it.py.yaml", "format: 2", "format: 3")
    before = made.baseline("test_it.py")
    _refused(made.memgate("baseline", "accept", "head.json", "--reason", "x"), 3, "newer than this memgate reads")
    assert made.baseline("test_it.py") == before


@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_run_that_names_a_place_outside_the_baselines_writes_nothing_there(made: Project, where: str) -> None:
    run = json.loads((made.root / "none.json").read_text(encoding="utf-8"))
    if where == "file":
        for finding in run["findings"]:
            finding["subject"]["file"] = "../../../stolen"
    else:
        run["environment"]["key"] = "../../stolen"
    _edit_run(made, "none.json", **run)
    result = made.memgate("baseline", "accept", "none.json")
    assert not list(made.root.parent.rglob("stolen*"))
    _refused(result, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No such file"),
        ("{", "not JSON"),
        ("[]", "not a memgate run"),
        ('{"schema": 99}', "schema 99 is newer than this memgate reads; upgrade pytest-memgate"),
        ('{"schema": 1}', "it was changed or cut short"),
        ('{"schema": 1, "findings": [{"outcome": ["odd"]}]}', "it was changed or cut short"),
    ],
    ids=["missing", "not JSON", "a list", "newer", "empty", "wrong shape"],
)
def test_a_run_file_that_cannot_be_read_is_told(made: Project, text: str | None, words: str) -> None:
    if text is not None:
        made.write("odd.json", text)
    _refused(made.memgate("baseline", "accept", "odd.json"), 3, "odd.json", words)
    _refused(made.memgate("diff", "base.json", "odd.json"), 3, "odd.json", words)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("baseline", "show", "test_it.py::test_tow"), 2, "did you mean 'test_it.py::test_two'?"),
        (("baseline", "anchor", "test_it.py::test_tow"), 2, "did you mean 'test_it.py::test_two'?"),
        (("baseline", "accept", "none.json", "test_it.py::test_tow"), 2, "did you mean 'test_it.py::test_two'?"),
        (("baseline", "accept", "head.json", "test_it.py::test_one"), 2, "no value to accept for test_it.py::test_one"),
        (("baseline", "accept", "base.json"), 3, "base.json has no value to accept"),
        (("baseline", "show", "--environment", "plan9-mips"), 3, f"there is one for {key()}"),
        (("diff", "base.json", "head.json", "test_it.py::test_tow"), 2, "did you mean 'test_it.py::test_two'?"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else None,
)
def test_a_mistake_on_the_command_line_is_told(made: Project, args: tuple[str, ...], code: int, words: str) -> None:
    _refused(made.memgate(*args), code, words)


@pytest.mark.parametrize("command", ["show", "check", "anchor"])
def test_without_baselines_the_command_that_makes_them_is_named(project: Project, command: str) -> None:
    _refused(project.memgate("baseline", command), 3, "there is no baseline" if command != "check" else "", "update")


def test_diff_shows_what_grew_between_two_runs(made: Project) -> None:
    result = made.memgate("diff", "base.json", "head.json")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("test_it.py::test_two  memory.peak 122 KB -> 5")
    assert "work.py:4 in load" in lines[1]
    assert "called from test_it.py:7 in test_two" in lines[2]
    only = made.memgate("diff", "base.json", "head.json", "test_it.py::test_one").out
    assert only.startswith("test_it.py::test_one  memory.peak")
    assert "test_two" not in only


def test_runs_of_different_environments_are_not_compared(made: Project) -> None:
    run = json.loads((made.root / "head.json").read_text(encoding="utf-8"))
    header = {**run["environment"]["header"], "memray": "1.99"}
    _edit_run(made, "head.json", environment={**run["environment"], "header": header})
    _refused(made.memgate("diff", "base.json", "head.json"), 3, "cannot be compared: memray ", "'1.99' here")
    _edit_run(made, "head.json", environment={**run["environment"], "key": "plan9-mips-cpython3.14"})
    _refused(made.memgate("diff", "base.json", "head.json"), 3, "plan9-mips-cpython3.14")


def test_the_installed_script_is_the_command(made: Project) -> None:
    script = str(Path(sysconfig.get_path("scripts"), "memgate"))
    assert made.command(script, "--version").out.startswith("memgate, version ")
    assert made.command(script, "baseline", "check").code == 0
    _refused(made.command(script, "baseline", "show", "nothing"), 2, "has no 'nothing'")
