"""Budgets, limits and waivers from options, markers and files: which one counts, and what is refused."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from harness import LAST_DAY, Project, Result

_TESTS = """
    from work import load

    def test_one():
        load(1000)

    def test_two():
        load(2000)
"""
_GROWN = _TESTS.replace("2000", "4000")  # 122 KB -> 244 KB
_NEAREST = """
    import pytest
    from work import load

    pytestmark = pytest.mark.memgate(growth="50KB")

    def test_module():
        load({size})

    @pytest.mark.memgate(growth="1MB")
    def test_function_over_module():
        load({size})

    @pytest.mark.memgate(growth="1MB")
    class TestClass:
        def test_over_module(self):
            load({size})

        @pytest.mark.memgate(growth="50KB")
        def test_function_over_class(self):
            load({size})

        @pytest.mark.memgate(limit="150KB")
        def test_parts_of_both(self):
            load({size})
"""


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tests and their baseline."""
    project = Project(tmp_path_factory.mktemp("config") / "project")
    project.write("test_it.py", _TESTS)
    project.prepare()
    return project.root


@pytest.fixture
def gated(project: Project, settled: Path) -> Project:
    """A project of its own with these tests and their baseline."""
    shutil.copytree(settled, project.root, dirs_exist_ok=True)
    return project


def _mark(project: Project, marker: str, test: str = "test_two") -> None:
    project.replace("test_it.py", "from work import load", "import pytest\nfrom work import load")
    project.replace("test_it.py", f"def {test}", f"@pytest.mark.memgate({marker})\ndef {test}")


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


def test_the_nearest_marker_counts_for_each_part(project: Project) -> None:
    project.write("test_it.py", _NEAREST.format(size=2000))
    project.prepare()
    project.write("test_it.py", _NEAREST.format(size=4000))
    result = project.gate()
    assert result.outcomes() == {
        "test_module": "regressed",
        "test_function_over_module": "passed",
        "TestClass::test_over_module": "passed",
        "TestClass::test_function_over_class": "regressed",
        "TestClass::test_parts_of_both": "regressed",
    }
    both = result.finding("TestClass::test_parts_of_both")
    assert "is over its limit of 150 KB" in both["reason"]
    assert both["budget"].startswith("growth 1 MB")


def test_a_markers_drift_is_counted_from_the_anchor(gated: Project) -> None:
    _grow(gated)
    gated.prepare("--memgate-reason=more rows")
    _mark(gated, "drift='50KB'")
    result = gated.gate()
    assert (result.code, result.outcomes()) == (1, {"test_one": "passed", "test_two": "drifted"})


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["plain", "n2"])
def test_a_marker_leaves_a_test_out_for_its_reason(gated: Project, args: tuple[str, ...]) -> None:
    _grow(gated)
    _mark(gated, "skip='holds the whole catalogue', limit='1KB'")
    result = gated.gate("--memgate-strict", "--memgate-missing=fail", *args)
    assert (result.code, result.outcomes()["test_two"]) == (0, "skipped")
    assert "skipped      test_it.py::test_two  holds the whole catalogue" in result.summary()


def test_a_marker_without_a_meaning_is_an_error_of_its_test_in_one_line(gated: Project) -> None:
    wrong = {
        "grwth='1MB'": "unknown argument 'grwth' (did you mean 'growth'?)",
        "growth='lots'": "growth: not a budget: 'lots'",
        "growth=-5": "growth: not a budget: -5",
        "growth=None": "growth: not a budget: None",
        "growth=['1MB']": "growth: not a budget: ['1MB']",
        "limit='5%'": "limit: not a size: '5%'",
        "limit=2.5": "limit: not a size: ",
        "skip=True": "skip takes the reason, in words",
        "skip=''": "skip takes the reason, in words",
        "'1MB'": "unknown metric '1MB'",
        "'web.lcp', '300ms'": "takes one metric, and its budget by name: growth='200KB'",
    }
    tests = [f"@pytest.mark.memgate({given})\ndef test_{number}(): pass\n" for number, given in enumerate(wrong)]
    gated.write("test_wrong.py", "import pytest\n" + "".join(tests))
    result = gated.gate()
    assert result.code == 1
    assert f"2 passed, {len(wrong)} errors" in result.out
    lines = [line for line in result.out.splitlines() if line.startswith("memgate: test_wrong.py::")]
    assert len(lines) == len(wrong)
    for line, words in zip(lines, wrong.values(), strict=True):
        assert words in line
    assert "Traceback" not in result.out
    assert "measurer.py" not in result.out


def test_a_marker_is_known_to_pytest_and_idle_without_the_gate(gated: Project) -> None:
    _grow(gated)
    _mark(gated, "growth='1KB'")
    result = gated.pytest("--strict-markers", "-W", "error")
    assert result.code == 0, result.out
    assert "= memgate =" not in result.out
    assert (
        "@pytest.mark.memgate(metric='memory.peak', growth=None, limit=None, drift=None, leak=None, skip=None)"
        in gated.pytest("--markers").out
    )


def test_the_more_specific_source_counts(project: Project) -> None:
    text = """
        import pytest
        from work import load

        def test_plain():
            load(2000)

        def test_pattern():
            load(2000)

        @pytest.mark.memgate(growth="50KB")
        def test_pattern_and_marker():
            load(2000)

        @pytest.mark.memgate(growth="1MB")
        def test_marker():
            load(2000)
    """
    project.write("test_it.py", text)
    project.prepare()
    project.write("test_it.py", text.replace("2000", "4000"))
    names = ("test_plain", "test_pattern", "test_pattern_and_marker", "test_marker")
    passed, regressed = "passed", "regressed"
    built_in = project.gate()
    assert built_in.outcomes() == dict(zip(names, (passed, passed, regressed, passed), strict=True))
    project.write(
        "memgate.yml",
        """
        budgets:
          memory.peak: {growth: 50KB}
          overrides: [{tests: "test_it.py::test_pattern*", memory.peak: {growth: 1MB}}]
        """,
    )
    configured = project.gate()
    assert configured.outcomes() == dict(zip(names, (regressed, passed, regressed, passed), strict=True))
    assert project.gate("--memgate-growth=1MB").outcomes() == dict.fromkeys(names, passed)
    assert project.gate("--memgate-growth=50KB").outcomes() == dict.fromkeys(names, regressed)


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
    two, one = result.finding("test_two")["budget"], result.finding("test_one")["budget"]
    assert two == "growth 100 KB (memgate.yml:5), limit 1 MB (--memgate-limit)"
    assert one == "growth 1 MB (memgate.yml:4), limit 1 MB (--memgate-limit)"
    assert result.outcomes() == {"test_one": "passed", "test_two": "regressed"}


def test_a_budget_in_each_of_its_forms(project: Project) -> None:
    outcomes = {
        "90%": "regressed",
        "110%": "passed",
        "max(200KB, 5%)": "passed",
        "max(50KB, 110%)": "passed",
        "max(50KB, 5%)": "regressed",
        "min(200KB, 5%)": "regressed",
        "min(5%, 200KB)": "regressed",
        "min(200KB, 110%)": "passed",
        "100KiB": "regressed",
    }
    parameters = [f"pytest.param(marks=pytest.mark.memgate(growth={form!r}), id={form!r})" for form in outcomes]
    marked = f"@pytest.mark.parametrize([], [{', '.join(parameters)}])\ndef test_it():\n    load(2000)\n"
    project.write("test_it.py", f"import pytest\nfrom work import load\n{marked}")
    project.prepare()
    project.replace("test_it.py", "load(2000)", "load(4000)")  # 122 KB -> 244 KB
    assert project.gate().outcomes() == {f"test_it[{form}]": outcome for form, outcome in outcomes.items()}


def test_a_limit_needs_no_baseline(project: Project) -> None:
    project.write("test_it.py", _TESTS)
    result = project.gate("--memgate-limit=100KB")
    assert (result.code, result.run["verdict"]) == (1, "failed")
    assert result.outcomes() == {"test_one": "no baseline", "test_two": "regressed"}
    assert "122 KB is over its limit of 100 KB" in result.out


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "memgate.yml",
            "budgets:\n  memory.peek: {growth: 1MB}\n",
            "memgate.yml:2: unknown key 'memory.peek' (did you",
        ),
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


def test_a_mistake_in_a_file_stops_pytest_before_it_runs(project: Project, workers: tuple[str, ...]) -> None:
    project.write("test_it.py", "import nothing_of_that_name")
    project.write("memgate.yml", "missing: warn\nbudgets:\n  memory.peak: {growth: lots}\n")
    _refused(project.gate(*workers), 4, "memgate.yml:3: not a budget: 'lots'")


def test_two_configurations_at_once_are_refused(gated: Project) -> None:
    gated.write("memgate.yml", "missing: warn\n")
    gated.write("pyproject.toml", "[tool.memgate]\nmissing = 'fail'\n")
    for result, code in ((gated.gate(), 4), (gated.memgate("config"), 2)):
        _refused(result, code, "memgate.yml and [tool.memgate] in pyproject.toml are both there; keep one of them")


def test_pyproject_counts_as_the_file_does(gated: Project) -> None:
    gated.write(
        "pyproject.toml",
        f"""
        [tool.memgate]
        missing = "fail"
        [tool.memgate.budgets."memory.peak"]
        growth = "100KB"
        [[tool.memgate.budgets.overrides]]
        tests = "test_it.py::test_one"
        "memory.peak" = {{growth = "1MB"}}
        [[tool.memgate.waivers]]
        test = "test_it.py::test_two"
        metric = "memory.peak"
        ceiling = "300KB"
        until = {LAST_DAY}
        reason = "until #7"
        """,
    )
    _grow(gated)
    gated.replace("test_it.py", "load(1000)", "load(3000)")
    gated.write("test_new.py", "def test_three(): pass")
    result = gated.gate()
    assert result.outcomes() == {"test_one": "passed", "test_two": "waived", "test_three": "new"}
    assert result.code == 1
    assert "(missing: fail)" in _problems(result)[0]


def _waive(project: Project, test: str, ceiling: str, until: date) -> None:
    entry = f'{{test: "{test}", metric: memory.peak, ceiling: {ceiling}, until: {until}, reason: "until #7"}}'
    project.write("memgate.yml", f"budgets: {{memory.peak: {{growth: 100KB}}}}\nwaivers:\n  - {entry}\n")


def test_a_waiver_covers_its_test_to_its_last_day(gated: Project) -> None:
    _grow(gated)
    today = date.today()  # noqa: DTZ011  # the gate goes by the day of the machine
    _waive(gated, "test_it.py::test_two", "300KB", today)
    result = gated.gate()
    assert (result.code, result.outcomes()["test_two"]) == (0, "waived")
    (line,) = [line for line in result.summary().splitlines() if line.startswith("waived")]
    assert f"waived until {today}: until #7 (memgate.yml:3)" in line


def test_a_waiver_does_not_cover_more_than_its_ceiling(gated: Project) -> None:
    _grow(gated)
    _waive(gated, "test_it.py::test_two", "200KB", date.fromisoformat(LAST_DAY))
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
    _waive(gated, "test_it.py::test_two", "300KB", date.fromisoformat(LAST_DAY))
    assert gated.gate("-k", "test_one").code == 0
    result = gated.gate()
    assert result.code == 1
    assert "is not needed: the test is within its budget" in _problems(result)[0]


def test_a_waiver_for_several_tests_is_needed_while_one_needs_it(gated: Project) -> None:
    _grow(gated)
    _waive(gated, "test_it.py", "300KB", date.fromisoformat(LAST_DAY))
    assert gated.gate().code == 0
    # The test that needs it did not run.
    assert gated.gate("-k", "test_one").code == 0


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["plain", "n2"])
def test_a_waiver_that_names_no_test_fails_where_its_whole_file_ran(gated: Project, args: tuple[str, ...]) -> None:
    _waive(gated, "test_it.py::test_tow", "300KB", date.fromisoformat(LAST_DAY))
    for narrow in (("test_it.py::test_one",), ("-k", "one")):
        assert gated.gate(*narrow, *args).code == 0
    for whole in ((), ("test_it.py",)):
        result = gated.gate(*whole, *args)
        assert result.code == 1
        assert "memgate.yml:3: the waiver for test_it.py::test_tow names no test" in _problems(result)[0]


def test_missing_fails_for_new_and_for_vanished_tests(gated: Project) -> None:
    gated.write("memgate.yml", "missing: fail\n")
    gated.replace("test_it.py", "def test_two():", "def test_unlike(): pass\n\ndef _two():")
    result = gated.gate()
    assert (result.code, result.run["verdict"]) == (1, "failed")
    assert [line.split(": ")[-1] for line in _problems(result)] == ["test_it.py::test_unlike", "test_it.py::test_two"]
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
    ("value", "strict"), [("true", True), ("", False), ("false", False)], ids=["true", "empty", "false"]
)
def test_strictness_follows_ci(gated: Project, value: str, strict: bool) -> None:
    gated.write("test_compared.py", "def test_compared(): pass")
    gated.prepare("test_compared.py")
    path = gated.baselines / "test_it.py.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("memray: '", "memray: '0."), encoding="utf-8")
    assert gated.gate(env={"CI": value}).code == strict
    assert gated.gate("--no-memgate-strict" if strict else "--memgate-strict", env={"CI": value}).code != strict
