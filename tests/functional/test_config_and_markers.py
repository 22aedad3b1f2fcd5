"""Budgets, limits and waivers from the command line, from markers and from files: which one counts, and what is refused."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from harness import Project, Result

_TESTS = """
    from work import load

    def test_one():
        load(1000)

    def test_two():
        load(2000)
"""
_GROWN = _TESTS.replace("2000", "4000")  # 122 KB -> 244 KB
_MARKED = """
    import pytest
    from work import load

    {module}
    {on_class}
    class TestIt:
        {on_method}
        def test_two(self):
            load({size})
"""
_GROWTH = "@pytest.mark.memgate(growth='{}')"


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tests, a third in a class, and their baseline."""
    project = Project(tmp_path_factory.mktemp("config") / "project")
    project.write("test_it.py", _TESTS)
    _mark(project, 2000)
    project.update()
    return project.root


@pytest.fixture
def gated(project: Project, settled: Path) -> Project:
    """A project of its own with these tests and their baseline."""
    shutil.copytree(settled, project.root, dirs_exist_ok=True)
    return project


def _mark(project: Project, size: int, *, module: str = "", on_class: str = "", on_method: str = "") -> None:
    text = _MARKED.format(module=module, on_class=on_class, on_method=on_method, size=size)
    project.write("test_marked.py", text)


def _grow(project: Project) -> None:
    project.write("test_it.py", _GROWN)


def _problems(result: Result) -> list[str]:
    return [line for line in result.summary().splitlines() if line.startswith("problem")]


def _refused(result: Result, code: int, words: str) -> None:
    """Check that pytest or the command stops at once and tells why in one line."""
    assert result.code == code, result.out
    lines = [line for line in result.out.splitlines() if "memgate: " in line]
    assert len(lines) == 1, result.out
    assert words in lines[0]
    assert "Traceback" not in result.out


def _markers(module: str = "", on_class: str = "", on_method: str = "") -> dict[str, str]:
    return {
        "module": f"pytestmark = pytest.mark.memgate(growth='{module}')" if module else "",
        "on_class": _GROWTH.format(on_class) if on_class else "",
        "on_method": _GROWTH.format(on_method) if on_method else "",
    }


@pytest.mark.parametrize(
    ("markers", "outcome"),
    [
        (_markers(), "passed"),
        (_markers(module="50KB"), "regressed"),
        (_markers(module="50KB", on_class="1MB"), "passed"),
        (_markers(on_class="1MB", on_method="50KB"), "regressed"),
        (_markers(module="50KB", on_class="60KB", on_method="1MB"), "passed"),
    ],
    ids=["none", "module", "class over module", "function over class", "function over all"],
)
def test_the_nearest_marker_counts(gated: Project, markers: dict[str, str], outcome: str) -> None:
    _mark(gated, 4000, **markers)
    result = gated.gate("test_marked.py")
    assert result.outcomes() == {"TestIt::test_two": outcome}
    assert result.code == (outcome == "regressed")


def test_markers_complete_each_other(gated: Project) -> None:
    _mark(gated, 4000, on_class="@pytest.mark.memgate(limit='150KB')", on_method=_GROWTH.format("1MB"))
    result = gated.gate("test_marked.py")
    assert result.outcomes() == {"TestIt::test_two": "regressed"}
    assert "is over its limit of 150 KB" in result.out
    assert "budget: growth 1 MB, limit 150 KB" in result.out


def test_a_markers_drift_is_counted_from_the_anchor(gated: Project) -> None:
    _mark(gated, 4000)
    gated.update("test_marked.py", "--memgate-reason=more rows")
    _mark(gated, 4000, on_method="@pytest.mark.memgate(drift='50KB')")
    result = gated.gate("test_marked.py")
    assert (result.code, result.outcomes()) == (1, {"TestIt::test_two": "drifted"})


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["plain", "n2"])
def test_a_marker_leaves_a_test_out_for_its_reason(gated: Project, args: tuple[str, ...]) -> None:
    _mark(gated, 90_000, on_class="@pytest.mark.memgate(skip='holds the whole catalogue')")
    result = gated.gate("--memgate-strict", "--memgate-missing=fail", *args)
    assert (result.code, result.outcomes()["TestIt::test_two"]) == (0, "skipped")
    assert "skipped    test_marked.py::TestIt::test_two  holds the whole catalogue" in result.summary()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("grwth='1MB'", "unknown argument 'grwth' (did you mean 'growth'?)"),
        ("growth='lots'", "growth: not a budget: 'lots'"),
        ("growth=-5", "growth: "),
        ("growth=None", "growth: not a budget: None"),
        ("growth=['1MB']", "growth: not a budget: ['1MB']"),
        ("limit='5%'", "limit: not a size: '5%'"),
        ("limit='5 elephants'", "limit: not a size: '5 elephants'"),
        ("skip=True", "skip takes the reason, in words"),
        ("skip=''", "skip takes the reason, in words"),
        ("'1MB'", "takes its arguments by name: growth='200KB'"),
    ],
)
def test_a_marker_without_a_meaning_is_an_error_of_its_test(gated: Project, arguments: str, words: str) -> None:
    _mark(gated, 2000, on_method=f"@pytest.mark.memgate({arguments})")
    result = gated.gate()
    assert result.code == 1
    assert "2 passed, 1 error" in result.out
    (line,) = [line for line in result.out.splitlines() if line.startswith("memgate: test_marked.py")]
    assert words in line
    assert "Traceback" not in result.out
    assert "measurer.py" not in result.out


def test_a_marker_is_known_to_pytest_and_idle_without_the_gate(gated: Project) -> None:
    _mark(gated, 90_000, on_method=_GROWTH.format("1KB"))
    result = gated.pytest("--strict-markers", "-W", "error")
    assert result.code == 0, result.out
    assert "= memgate =" not in result.out
    assert "@pytest.mark.memgate(growth=None, limit=None, drift=None, skip=None)" in gated.pytest("--markers").out


_FILE = "budgets: {{memory.peak: {{growth: {metric}}}, overrides: [{{tests: 'test_marked*', memory.peak: {{growth: {pattern}}}}}]}}"


@pytest.mark.parametrize(
    ("option", "marker", "pattern", "metric", "outcome"),
    [
        ("1MB", "50KB", "50KB", "50KB", "passed"),
        ("50KB", "1MB", "1MB", "1MB", "regressed"),
        ("", "1MB", "50KB", "50KB", "passed"),
        ("", "50KB", "1MB", "1MB", "regressed"),
        ("", "", "1MB", "50KB", "passed"),
        ("", "", "50KB", "1MB", "regressed"),
        ("", "", "", "50KB", "regressed"),
        ("", "", "", "", "passed"),
    ],
)
def test_the_more_specific_source_counts(  # noqa: PLR0917
    gated: Project, option: str, marker: str, pattern: str, metric: str, outcome: str
) -> None:
    _mark(gated, 4000, on_method=_GROWTH.format(marker) if marker else "")
    if pattern:
        gated.write("memgate.yml", _FILE.format(metric=metric, pattern=pattern))
    elif metric:
        gated.write("memgate.yml", f"budgets: {{memory.peak: {{growth: {metric}}}}}")
    result = gated.gate(*([f"--memgate-growth={option}"] if option else []), "test_marked.py")
    assert result.outcomes() == {"TestIt::test_two": outcome}


def test_a_later_pattern_wins_and_parts_come_from_where_they_are(gated: Project) -> None:
    gated.write(
        "memgate.yml",
        """
        budgets:
          memory.peak: {growth: 9MB, limit: 9MB}
          overrides:
            - {tests: "test_*.py", memory.peak: {growth: 1MB, limit: 200KB}}
            - {tests: "test_it.py::test_t*", memory.peak: {growth: 100KB}}
        """,
    )
    _grow(gated)
    result = gated.gate("--memgate-limit=1MB")
    assert result.finding("test_two")["budget"] == "growth 100 KB, limit 1 MB"
    assert result.finding("test_one")["budget"] == "growth 1 MB, limit 1 MB"
    assert result.outcomes() == {"test_one": "passed", "test_two": "regressed", "TestIt::test_two": "passed"}


@pytest.mark.parametrize(
    ("growth", "outcome"),
    [
        ("90%", "regressed"),
        ("110%", "passed"),
        ("max(200KB, 5%)", "passed"),
        ("max(50KB, 110%)", "passed"),
        ("max(50KB, 5%)", "regressed"),
        ("min(200KB, 5%)", "regressed"),
        ("min(200KB, 110%)", "passed"),
        ("100KiB", "regressed"),
        ("130000", "not a budget"),
    ],
)
def test_a_budget_in_each_of_its_forms(gated: Project, growth: str, outcome: str) -> None:
    _grow(gated)
    result = gated.gate(f"--memgate-growth={growth}", "-k", "two and not TestIt")
    if outcome == "not a budget":
        _refused(result, 4, "--memgate-growth: not a budget: '130000'")
    else:
        assert result.outcomes() == {"test_two": outcome}


def test_a_limit_needs_no_baseline(project: Project) -> None:
    project.write("test_it.py", _TESTS)
    result = project.gate("--memgate-limit=100KB")
    assert (result.code, result.run["verdict"]) == (1, "failed")
    assert result.outcomes() == {"test_one": "no baseline", "test_two": "regressed"}
    assert "122 KB is over its limit of 100 KB" in result.out


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("memgate.yml", "budgets:\n  memory.peek: {growth: 1MB}\n", "memgate.yml:2: unknown key 'memory.peek' (did you"),
        ("memgate.yml", "\n\nbugdets: {}\n", "memgate.yml:3: unknown key 'bugdets' (did you mean 'budgets'?)"),
        ("memgate.yml", "budgets:\n  memory.peak:\n    growth: lots\n", "memgate.yml:3: not a budget: 'lots'"),
        ("memgate.yml", "missing: [fail]\n", "memgate.yml:1: one value is expected"),
        ("memgate.yml", "missing: perhaps\n", "memgate.yml:1: unknown value 'perhaps'"),
        ("memgate.yml", "missing: fail\nmissing: warn\n", "memgate.yml:2: key 'missing' stands here twice"),
        ("memgate.yml", "budgets: {\n", "memgate.yml:2: "),
        ("memgate.yml", "- budgets\n", "memgate.yml:1: a mapping"),
        ("memgate.yml", "waivers:\n  - {test: x, metric: memory.peak}\n", "memgate.yml:2: a waiver needs 'ceiling'"),
        (
            "memgate.yml",
            "waivers:\n  - {test: x, metric: memory.peak, ceiling: 1MB, until: soon, reason: y}\n",
            "memgate.yml:2: not a date: 'soon' (write it as 2027-01-31)",
        ),
        ("pyproject.toml", "[tool.memgate]\nmissing = 'perhaps'\n", "pyproject.toml:2: unknown value 'perhaps'"),
        ("pyproject.toml", "[tool.memgate\n", "pyproject.toml: "),
    ],
    ids=lambda value: value if value.count("\n") == 1 else None,
)
def test_a_mistake_in_a_file_is_told_with_its_line(project: Project, name: str, text: str, words: str) -> None:
    (project.root / name).write_text(text, encoding="utf-8")
    _refused(project.memgate("config"), 2, words)
    if name == "memgate.yml":  # pytest itself reads the other one first
        _refused(project.gate(), 4, words)


def test_two_configurations_at_once_are_refused(gated: Project) -> None:
    gated.write("memgate.yml", "missing: warn\n")
    gated.write("pyproject.toml", "[tool.memgate]\nmissing = 'fail'\n")
    for result, code in ((gated.gate(), 4), (gated.gate("-n2"), 4), (gated.memgate("config"), 2)):
        _refused(result, code, "memgate.yml and [tool.memgate] in pyproject.toml are both there; keep one of them")


def test_pyproject_counts_as_the_file_does(gated: Project) -> None:
    gated.write(
        "pyproject.toml",
        """
        [tool.memgate]
        missing = "fail"
        [tool.memgate.budgets."memory.peak"]
        growth = "100KB"
        [[tool.memgate.budgets.overrides]]
        tests = "test_marked.py"
        "memory.peak" = {growth = "1MB"}
        [[tool.memgate.waivers]]
        test = "test_it.py::test_two"
        metric = "memory.peak"
        ceiling = "300KB"
        until = 2999-12-31
        reason = "until #7"
        """,
    )
    _grow(gated)
    _mark(gated, 4000)
    gated.write("test_new.py", "def test_three(): pass")
    result = gated.gate()
    assert result.outcomes() == {
        "test_one": "passed",
        "test_two": "waived",
        "test_three": "new",
        "TestIt::test_two": "passed",
    }
    assert result.code == 1
    assert "(missing: fail)" in _problems(result)[0]


def _waive(project: Project, test: str, ceiling: str, until: date) -> None:
    entry = f'{{test: "{test}", metric: memory.peak, ceiling: {ceiling}, until: {until}, reason: "until #7"}}'
    project.write("memgate.yml", f"budgets: {{memory.peak: {{growth: 100KB}}}}\nwaivers:\n  - {entry}\n")


def test_a_waiver_covers_its_test_to_its_last_day(gated: Project, workers: tuple[str, ...]) -> None:
    _grow(gated)
    today = date.today()  # noqa: DTZ011  # the gate goes by the day of the machine
    _waive(gated, "test_it.py::test_two", "300KB", today)
    result = gated.gate(*workers)
    assert (result.code, result.outcomes()["test_two"]) == (0, "waived")
    (line,) = [line for line in result.summary().splitlines() if line.startswith("waived")]
    assert f"waived until {today}: until #7 (memgate.yml:3)" in line


def test_a_waiver_does_not_cover_more_than_its_ceiling(gated: Project) -> None:
    _grow(gated)
    _waive(gated, "test_it.py::test_two", "200KB", date(2999, 12, 31))
    result = gated.gate()
    assert (result.code, result.outcomes()["test_two"]) == (1, "regressed")
    assert "over the ceiling of its waiver too, 200 KB (memgate.yml:3)" in result.out
    assert _problems(result) == []


@pytest.mark.parametrize("grown", [True, False], ids=["needed", "not needed"])
def test_an_expired_waiver_fails(gated: Project, grown: bool) -> None:
    if grown:
        _grow(gated)
    until = date.today() - timedelta(days=2)  # noqa: DTZ011
    _waive(gated, "test_it.py::test_two", "300KB", until)
    result = gated.gate()
    assert (result.code, result.outcomes()["test_two"]) == (1, "regressed" if grown else "passed")
    assert f"memgate.yml:3: the waiver for test_it.py::test_two ended on {until}" in _problems(result)[0]


def test_a_waiver_that_is_not_needed_fails_where_its_tests_ran(gated: Project) -> None:
    _waive(gated, "test_it.py::test_two", "300KB", date(2999, 12, 31))
    assert gated.gate("test_marked.py").code == 0
    result = gated.gate()
    assert result.code == 1
    assert "is not needed: the test is within its budget" in _problems(result)[0]


def test_a_waiver_for_several_tests_is_needed_while_one_needs_it(gated: Project) -> None:
    _grow(gated)
    _waive(gated, "test_it.py", "300KB", date(2999, 12, 31))
    assert gated.gate().code == 0
    # The test that needs it did not run.
    assert gated.gate("-k", "test_one").code == 0


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["plain", "n2"])
def test_a_waiver_that_names_no_test_fails_a_complete_run_only(gated: Project, args: tuple[str, ...]) -> None:
    _waive(gated, "test_it.py::test_tow", "300KB", date(2999, 12, 31))
    for narrow in (("test_it.py",), ("-k", "one"), ("--deselect", "test_it.py::test_one")):
        assert gated.gate(*narrow, *args).code == 0
    result = gated.gate(*args)
    assert result.code == 1
    assert "memgate.yml:3: the waiver for test_it.py::test_tow names no test" in _problems(result)[0]


def test_missing_fails_for_new_and_for_vanished_tests(gated: Project) -> None:
    gated.write("memgate.yml", "missing: fail\n")
    gated.replace("test_it.py", "test_two", "test_renamed")
    result = gated.gate()
    assert (result.code, result.run["verdict"]) == (1, "failed")
    assert [line.split(": ")[-1] for line in _problems(result)] == ["test_it.py::test_renamed", "test_it.py::test_two"]
    assert gated.gate("--memgate-missing=warn").code == 0


@pytest.mark.parametrize(
    "option",
    [
        "--memgate-update",
        "--memgate-update=new",
        "--memgate-reason=why",
        "--memgate-base=main",
        "--memgate-growth=1MB",
        "--memgate-limit=1MB",
        "--memgate-drift=1MB",
        "--memgate-missing=fail",
        "--memgate-strict",
        "--memgate-report=run.json",
        "--memgate-keep=kept",
    ],
)
def test_an_option_without_the_gate_is_refused_and_measures_nothing(project: Project, option: str) -> None:
    project.write("test_it.py", _TESTS)
    _refused(project.pytest(option), 4, f"{option.partition('=')[0]} has no effect without --memgate")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--memgate-reason=why",), "--memgate-reason goes with --memgate-update"),
        (("--memgate-update", "--memgate-base=main"), "not with --memgate-base"),
        (("--memgate-limit=5%",), "--memgate-limit: not a size: '5%'"),
        (("--memgate-drift=",), "--memgate-drift: not a budget: ''"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(project: Project, args: tuple[str, ...], words: str) -> None:
    _refused(project.gate(*args), 4, words)


@pytest.mark.parametrize(
    ("value", "strict"), [("true", True), ("1", True), ("", False), ("false", False)], ids=["true", "1", "", "false"]
)
def test_strictness_follows_ci(gated: Project, value: str, strict: bool) -> None:
    path = gated.baselines / "test_it.py.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("memray: '", "memray: '0."), encoding="utf-8")
    assert gated.gate(env={"CI": value}).code == strict
    assert gated.gate("--no-memgate-strict" if strict else "--memgate-strict", env={"CI": value}).code != strict
