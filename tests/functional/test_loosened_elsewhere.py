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
    project.update()
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


@pytest.mark.parametrize("name", _INI)
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
    branch.update()
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


@pytest.mark.parametrize("part", ["controller", "measurer", "inventory", "declared", "leftovers"])
def test_no_part_of_the_gate_can_be_switched_off_by_itself(branch: Project, part: str) -> None:
    _grow(branch)
    branch.write("pytest.ini", f"[pytest]\naddopts = -p no:memgate-{part}\n")
    result = branch.gate(_BASE)
    assert result.code == 4
    assert f"ERROR: memgate: -p no:memgate-{part} switches off a part of the gate; take it away" in result.out
