"""What a change loosens outside of memgate.yml and the test files is listed; options of its own do not count."""

import shutil
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
_BASE = "--memgate-base=main"
_CI = {"CI": "true"}


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two tests, their baselines, and one commit on main."""
    project = Project(tmp_path_factory.mktemp("base") / "project")
    project.write("test_it.py", _TESTS)
    project.write(".gitignore", "__pycache__/\n")
    project.prepare()
    project.commit()
    return project.root


@pytest.fixture
def branch(project: Project, committed: Path) -> Project:
    """A project of its own with that one commit; what is done to it is the change under test."""
    shutil.copytree(committed, project.root, dirs_exist_ok=True)
    return project


def _grow(project: Project) -> None:
    project.replace("test_it.py", "load(2000)", "load(9000)")


def _loosened(result: Result) -> list[str]:
    """Return what is listed as loosened, which the terminal and the run's file tell alike."""
    told = [line for line in result.summary().splitlines() if line.startswith("loosened")]
    lines = [line.removeprefix("loosened").strip() for line in told]
    assert lines == result.run.get("loosened", [])
    return lines


_INI = {
    "pytest.ini": "[pytest]\naddopts = {}\n",
    "tox.ini": "[pytest]\naddopts = {}\n",
    "setup.cfg": "[tool:pytest]\naddopts = {}\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '{}'\n",
    ".pytest.ini": "[pytest]\naddopts = {}\n",
}


@pytest.mark.parametrize(("name", "workers"), [*((name, ()) for name in _INI), ("pytest.ini", ("-n2",))])
def test_a_budget_in_an_ini_file_of_the_change_is_listed_and_does_not_count(
    branch: Project, name: str, workers: tuple[str, ...]
) -> None:
    if name != "pytest.ini":
        (branch.root / "pytest.ini").unlink()
    branch.write(name, _INI[name].format("--memgate-growth=5MB"))
    _grow(branch)
    result = branch.gate(_BASE, *workers)
    assert (result.code, result.outcomes()["test_two"]) == (1, "regressed")
    where = f"(--memgate-growth in {name}); it counts where it is typed, or once it is on the base"
    assert _loosened(result) == [f"growth of memory.peak: 200 KB -> 5 MB {where}"]


def test_a_budget_in_the_environment_is_listed_and_does_not_count(branch: Project) -> None:
    _grow(branch)
    result = branch.gate(_BASE, env={"PYTEST_ADDOPTS": "--memgate-growth=5MB"})
    assert (result.code, result.outcomes()["test_two"]) == (1, "regressed")
    (line,) = _loosened(result)
    assert line.startswith("growth of memory.peak: 200 KB -> 5 MB (--memgate-growth in PYTEST_ADDOPTS)")


def test_a_budget_that_is_typed_counts_and_is_not_listed(branch: Project) -> None:
    branch.write("pytest.ini", "[pytest]\naddopts = --memgate-growth=9MB\n")
    _grow(branch)
    result = branch.gate(_BASE, "--memgate-growth=5MB")
    assert (result.code, result.outcomes()["test_two"], _loosened(result)) == (0, "passed", [])


def test_a_budget_in_the_ini_file_of_the_base_counts_and_is_not_listed(branch: Project) -> None:
    branch.write("pytest.ini", "[pytest]\naddopts = --memgate-growth=5MB --memgate-limit=9MB\n")
    branch.commit()
    _grow(branch)
    same = branch.gate(_BASE)
    assert (same.code, same.outcomes()["test_two"], _loosened(same)) == (0, "passed", [])
    branch.write("pytest.ini", "[pytest]\n")
    gone = branch.gate(_BASE)
    assert (gone.code, gone.outcomes()["test_two"]) == (0, "passed")
    assert [line.partition(";")[0] for line in _loosened(gone)] == ["limit of memory.peak: 9 MB -> none"]
    branch.write("pytest.ini", "[pytest]\naddopts = --memgate-growth=1KB --memgate-limit=9MB\n")
    assert _loosened(branch.gate(_BASE)) == []


@pytest.mark.parametrize(
    ("option", "held", "line"),
    [
        ("--memgate-limit=9MB", "budgets: {memory.peak: {limit: 600KB}}", "limit of memory.peak: 600 KB -> 9 MB"),
        ("--memgate-drift=9MB", "budgets: {memory.peak: {drift: 10KB}}", "drift of memory.peak: 10 KB -> 9 MB"),
        (
            "--memgate-growth=150KB",
            "budgets: {overrides: [{tests: 'test_it.py', memory.peak: {growth: 10KB}}]}",
            "growth of memory.peak: 10 KB -> 150 KB",
        ),
        ("--memgate-missing=warn", "missing: fail", "missing: fail -> warn"),
        ("--no-memgate-strict", "", "strict: on -> off"),
        ("--memgate-measure=bound", "measure: each", "measure: each -> bound"),
    ],
)
def test_each_option_of_the_change_is_held_against_the_base(branch: Project, option: str, held: str, line: str) -> None:
    branch.write("memgate.yml", f"{held}\n")
    branch.commit()
    branch.write("test_new.py", "def test_three(): pass")
    _grow(branch)
    branch.write("pytest.ini", f"[pytest]\naddopts = {option}\n")
    result = branch.gate(_BASE, env=_CI)
    assert result.code == 1
    assert [one.partition(" (")[0] for one in _loosened(result)] == [line]
    if "missing" in option:
        assert "test_new.py::test_three" in result.summary().partition("problem")[2]
    assert result.run["strict"]


def test_strictness_of_the_environment_counts_at_once(branch: Project) -> None:
    branch.write("test_new.py", "def test_three(): pass")
    result = branch.gate(_BASE, env={"PYTEST_ADDOPTS": "--memgate-missing=fail --memgate-strict"})
    assert (result.code, result.run["strict"], result.run["missing_fails"]) == (1, True, True)
    typed = branch.gate(_BASE, "--memgate-missing=warn", "--no-memgate-strict", env=_CI)
    assert (typed.code, _loosened(typed)) == (0, [])


def test_a_file_of_options_counts_as_it_is_on_the_base(branch: Project) -> None:
    branch.write("ci-options.txt", "--memgate-limit=600KB\n")
    branch.commit()
    _grow(branch)
    branch.write("ci-options.txt", "--memgate-growth=5MB\n--memgate-limit=6MB\n")
    result = branch.gate(_BASE, "@ci-options.txt")
    assert (result.code, result.outcomes()["test_two"]) == (1, "regressed")
    assert [line.partition(" (")[0] for line in _loosened(result)] == [
        "growth of memory.peak: 200 KB -> 5 MB",
        "limit of memory.peak: 600 KB -> 6 MB",
    ]
    assert all("in ci-options.txt)" in line for line in _loosened(result))


def test_an_ini_file_that_is_named_is_read_from_the_base_too(branch: Project) -> None:
    branch.write("ci.ini", "[pytest]\naddopts = --memgate-growth=100KB\n")
    branch.commit()
    _grow(branch)
    branch.write("ci.ini", "[pytest]\naddopts = --memgate-growth=5MB\n")
    result = branch.gate(_BASE, "-c", "ci.ini")
    assert (result.code, result.outcomes()["test_two"]) == (1, "regressed")
    (line,) = _loosened(result)
    assert line.startswith("growth of memory.peak: 100 KB -> 5 MB (--memgate-growth in ci.ini)")


def test_an_ini_file_in_another_folder_of_the_change_is_seen(branch: Project) -> None:
    branch.write("part/test_part.py", "from work import load\ndef test_part(): load(2000)")
    branch.prepare()
    branch.commit()
    branch.replace("part/test_part.py", "2000", "9000")
    branch.write("part/pytest.ini", "[pytest]\naddopts = --memgate-growth=5MB\n")
    result = branch.gate(_BASE, f"--rootdir={branch.root}", "part")
    assert (result.code, result.outcomes()["test_part"]) == (1, "regressed")
    assert "200 KB -> 5 MB (--memgate-growth in pytest.ini)" in _loosened(result)[0]


def test_a_base_that_the_change_names_itself_is_told(branch: Project) -> None:
    branch.git("checkout", "-q", "-b", "topic")
    _grow(branch)
    branch.write("pytest.ini", "[pytest]\naddopts = --memgate-base=HEAD\n")
    branch.commit()
    result = branch.gate()
    (line,) = _loosened(result)
    assert line == (
        "--memgate-base in pytest.ini: HEAD is the commit under test itself: its changes are compared with nothing"
    )
    assert branch.gate(_BASE).outcomes()["test_two"] == "regressed"
    branch.write("pytest.ini", "[pytest]\naddopts = --memgate-base=main\n")
    (other,) = _loosened(branch.gate())
    assert other == "--memgate-base in pytest.ini: main, and no ref on the base; type it on the command line"
    assert _loosened(branch.gate(env={"PYTEST_ADDOPTS": "--memgate-base=main"})) == []


def test_a_broken_ini_file_of_the_base_is_told_in_one_line(branch: Project) -> None:
    branch.write("pytest.ini", "[pytest\naddopts = x\n")
    branch.commit()
    branch.write("pytest.ini", "[pytest]\n")
    result = branch.gate(_BASE)
    assert result.code == 4
    (line,) = [line for line in result.out.splitlines() if line.strip()]
    assert line.startswith("ERROR: memgate: main: pytest.ini:1: ")


@pytest.mark.parametrize("part", ["controller", "loop", "inventory", "declared", "leftovers"])
def test_no_part_of_the_gate_can_be_switched_off_by_itself(branch: Project, part: str) -> None:
    _grow(branch)
    branch.write("pytest.ini", f"[pytest]\naddopts = -p no:memgate-{part}\n")
    result = branch.gate(_BASE)
    assert result.code == 4
    assert f"ERROR: memgate: -p no:memgate-{part} switches off a part of the gate; take it away" in result.out


_OWN = "has a budget of its own for memory.peak"
_MARKED = """
    import pytest

    from budgets import LARGE, large
    from work import load

    def test_one():
        load(1000)

    @pytest.mark.memgate(growth=LARGE)
    def test_two():
        load(2000)

    @large
    def test_three():
        load(2000)
"""
_BUDGETS = """
    import pytest

    LARGE = "250KB"

    def large(test):
        return pytest.mark.memgate(growth=LARGE, limit="900KB")(test)
"""


@pytest.fixture(scope="module")
def committed_with_marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose budgets stand in markers, with their values in a module of their own."""
    project = Project(tmp_path_factory.mktemp("marks") / "project")
    project.write("test_it.py", _MARKED)
    project.write("budgets.py", _BUDGETS)
    project.write("helpers.py", "SIZE = 1\n")
    project.write("conftest.py", "pytest_plugins = ['marking']\n")
    project.write("marking.py", "import helpers\n")
    project.write(".gitignore", "__pycache__/\n")
    project.prepare()
    project.commit()
    return project.root


@pytest.fixture
def marked(project: Project, committed_with_marks: Path) -> Project:
    shutil.copytree(committed_with_marks, project.root, dirs_exist_ok=True)
    return project


_MARKING = """
    import pytest

    def pytest_collection_modifyitems(items):
        for item in items:
            if item.name == "test_one":
                item.add_marker(pytest.mark.memgate({}))
"""


def test_a_constant_raised_in_another_module_is_listed(marked: Project) -> None:
    marked.replace("budgets.py", "250KB", "5MB")
    had = "on the base growth 250 KB (marker), limit 900 KB (marker)"
    result = marked.gate(_BASE)
    assert result.code == 0
    assert _loosened(result) == [
        f"test_it.py::test_two {_OWN}: growth 5 MB (marker), on the base growth 250 KB (marker)",
        f"test_it.py::test_three {_OWN}: growth 5 MB (marker), limit 900 KB (marker), {had}",
    ]


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        (
            "growth='1GB'",
            "has a budget of its own for memory.peak: growth 1 GB (marker), on the base growth 200 KB (default)",
        ),
        ("skip='too slow to mend'", "is left out by its marker: too slow to mend"),
    ],
    ids=["growth", "skip"],
)
@pytest.mark.parametrize("place", ["pytest_plugins", "-p", "conftest", "test file"])
def test_a_marker_is_listed_wherever_it_is_set(marked: Project, place: str, argument: str, line: str) -> None:
    if place == "test file":
        marked.replace("test_it.py", "def test_one", f"@pytest.mark.memgate({argument})\ndef test_one")
    elif place == "conftest":
        marked.write("conftest.py", _MARKING.format(argument))
    elif place == "-p":
        marked.write("loosening.py", _MARKING.format(argument))
        marked.write("pytest.ini", "[pytest]\naddopts = -p loosening\n")
    else:
        marked.write("marking.py", _MARKING.format(argument))
    assert _loosened(marked.gate(_BASE)) == [f"test_it.py::test_one {line}"]


def test_a_marker_that_is_set_while_tests_run_is_listed(marked: Project) -> None:
    marked.write(
        "marking.py",
        """
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(item):
            if item.name == "test_one":
                item.add_marker(pytest.mark.memgate(growth="1GB"))
        """,
    )
    (line,) = _loosened(marked.gate(_BASE))
    assert line.startswith("test_it.py::test_one has a budget of its own for memory.peak: growth 1 GB (marker)")


def test_a_budget_that_a_marker_gave_and_gives_no_more_is_listed(marked: Project) -> None:
    marked.replace("budgets.py", '"250KB"', '"10KB"')
    marked.commit()
    marked.replace("test_it.py", "@large\n", "")
    lost = "has lost its budget for memory.peak: growth 200 KB (default)"
    had = "on the base growth 10 KB (marker), limit 900 KB (marker)"
    assert _loosened(marked.gate(_BASE)) == [f"test_it.py::test_three {lost}, {had}"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("helpers.py", "SIZE = 1", "SIZE = 2"),
        ("budgets.py", '"250KB"', '"240KB"'),
        ("budgets.py", "import pytest", "import pytest, json"),
        ("test_it.py", "load(1000)", "load(1001)"),
        ("marking.py", "import helpers", "import helpers, json"),
    ],
)
def test_nothing_is_listed_where_no_budget_is_looser(marked: Project, file: str, old: str, new: str) -> None:
    marked.replace(file, old, new)
    result = marked.gate(_BASE)
    assert (result.code, _loosened(result)) == (0, [])


def test_many_tests_with_one_loosened_budget_are_told_in_one_line(project: Project) -> None:
    project.write("test_it.py", "import pytest\n@pytest.mark.parametrize('n', range(5))\ndef test_it(n): pass\n")
    project.write(".gitignore", "__pycache__/\n")
    project.prepare()
    project.commit()
    project.replace("test_it.py", "import pytest\n", "import pytest\npytestmark = pytest.mark.memgate(growth='1GB')\n")
    (line,) = _loosened(project.gate(_BASE))
    names = ", ".join(f"test_it.py::test_it[{number}]" for number in range(3))
    assert line.startswith(f"{names} and 2 more: each has a budget of its own for memory.peak: growth 1 GB (marker)")


def test_markers_of_a_base_that_cannot_be_collected_are_told(marked: Project) -> None:
    marked.replace("budgets.py", "import pytest", "import pytest, no_such_module")
    marked.commit()
    marked.replace("budgets.py", "import pytest, no_such_module", "import pytest")
    lines = _loosened(marked.gate(_BASE))
    assert len(lines) == 3
    assert "test_it.py::test_two has a budget of its own" in lines[0]
    assert lines[-1] == (
        "the markers of main are not all known, so these count as new: pytest could not collect test_it.py"
    )


def test_a_source_folder_that_is_on_the_path_is_that_of_the_base(project: Project) -> None:
    project.write("src/shop/budgets.py", 'LARGE = "250KB"\n')
    project.write("src/shop/__init__.py", "")
    project.write(
        "tests/test_it.py",
        """
        import pytest
        from shop.budgets import LARGE

        @pytest.mark.memgate(growth=LARGE)
        def test_it(): pass
        """,
    )
    project.write(".gitignore", "__pycache__/\n")
    env = {"PYTHONPATH": str(project.root / "src")}
    project.prepare(env=env)
    project.commit()
    project.write("src/shop/budgets.py", 'LARGE = "5MB"\n')
    (line,) = _loosened(project.gate(_BASE, "tests", env=env))
    assert line.endswith("growth 5 MB (marker), on the base growth 250 KB (marker)")


def test_a_budget_of_a_call_is_listed_where_a_module_gives_it_another_value(project: Project) -> None:
    project.write("limits.py", "MOST = 50\n")
    project.write("rules.py", "from limits import MOST\nGROWTH = 1\n")
    project.write("checks.py", "def check(memgate):\n    memgate.record('in_helper', 10, limit=99)\n")
    project.write("shop.py", "ROWS = 10\n")
    project.write(
        "test_it.py",
        """
        import checks
        import rules
        from shop import ROWS

        LIMIT = 2 * rules.MOST

        def test_literal(memgate):
            memgate.record("rows", ROWS, growth=0)

        def test_helper(memgate):
            checks.check(memgate)
        """,
    )
    project.write("test_more.py", "import rules\ndef test_more(memgate): memgate.record('r', 10, limit=rules.MOST)\n")
    project.write(".gitignore", "__pycache__/\n")
    project.prepare()
    project.commit()
    own = "has a budget of its own for custom"
    for file, old, new, lines in (
        ("shop.py", "10", "9", []),
        ("limits.py", "50", "500", [f"test_more.py::test_more {own}.r: limit 500 (call)"]),
        ("checks.py", "99", "999", [f"test_it.py::test_helper {own}.in_helper: limit 999 (call in checks.py)"]),
    ):
        project.replace(file, old, new)
        result = project.gate(_BASE)
        assert (result.code, _loosened(result)) == (0, lines)
        project.git("checkout", "-q", "--", file)


def test_what_is_built_in_place_is_there_on_the_base_too(marked: Project) -> None:
    marked.write(".gitignore", "__pycache__/\n_version.py\n")
    marked.replace("budgets.py", "import pytest", "import pytest\nfrom _version import VERSION")
    marked.commit()
    marked.write("_version.py", "VERSION = 1\n")
    marked.replace("budgets.py", "250KB", "5MB")
    assert [line.rpartition(", ")[2] for line in _loosened(marked.gate(_BASE))] == [
        "on the base growth 250 KB (marker)",
        "limit 900 KB (marker)",
    ]


def test_a_change_cannot_hide_what_the_gate_says(branch: Project) -> None:
    branch.replace("test_it.py", "def test_two", "import pytest\n@pytest.mark.memgate(growth='5MB')\ndef test_two")
    _grow(branch)
    branch.write("pytest.ini", "[pytest]\naddopts = --no-summary -qq\n")
    result = branch.gate(_BASE)
    assert result.code == 0
    assert "test_it.py::test_two has a budget of its own" in _loosened(result)[0]
    branch.write("pytest.ini", "[pytest]\naddopts = -p no:terminal\n")
    assert branch.gate(_BASE).code == 4


@pytest.mark.parametrize(("ini", "typed"), [("", ["--size=3"]), ("addopts = --size=3\n", [])], ids=["typed", "ini"])
def test_options_of_the_projects_own_are_given_to_the_base_too(marked: Project, ini: str, typed: list[str]) -> None:
    marked.write("pytest.ini", f"[pytest]\n{ini}")
    marked.write(
        "conftest.py",
        """
        import budgets
        import pytest

        def pytest_addoption(parser):
            parser.addoption("--size", required=True)

        def pytest_collection_modifyitems(config, items):
            for item in items:
                item.add_marker(pytest.mark.memgate(drift=config.option.size + budgets.UNIT))
        """,
    )
    marked.write("budgets.py", f'{_BUDGETS}\n    UNIT = "KB"\n')
    marked.commit()
    marked.replace("budgets.py", '"KB"', '"MB"')
    lines = _loosened(marked.gate(_BASE, *typed))
    assert [("drift 3 MB (marker)" in line, "drift 3 KB (marker)" in line) for line in lines] == [(True, True)] * 3


def test_a_test_that_moved_keeps_the_marker_that_it_had(marked: Project) -> None:
    marked.git("mv", "test_it.py", "test_moved.py")
    assert _loosened(marked.gate(_BASE)) == []
    marked.replace("budgets.py", "250KB", "5MB")
    assert [line.partition(" has")[0] for line in _loosened(marked.gate(_BASE))] == [
        "test_moved.py::test_two",
        "test_moved.py::test_three",
    ]
