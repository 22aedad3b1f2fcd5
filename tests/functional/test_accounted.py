"""Each test of the base is accounted for, whoever leaves it out: quietly only a person, on the command line."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Project

_TESTS = """
    import pytest
    from work import load

    def test_one(): load(1000)
    def test_two(): load(2000)
    @pytest.mark.slow
    def test_slow(): load(3000)
"""
_SLOW = "[pytest]\naddopts = -m 'not slow'\nmarkers = slow: takes long\n"


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose own settings leave one test out, which has a baseline all the same."""
    project = Project(tmp_path_factory.mktemp("accounted") / "project")
    project.write(".gitignore", "__pycache__/\n")
    project.write("pytest.ini", _SLOW)
    project.write("tests/test_it.py", _TESTS)
    project.write("tests/test_more.py", "def test_more(): pass\n")
    project.prepare("-m", "slow or not slow")
    project.commit()
    return project.root


@pytest.fixture
def branch(project: Project, committed: Path) -> Project:
    shutil.copytree(committed, project.root, dirs_exist_ok=True)
    return project


def _not_run(project: Project, *args: str) -> list[str]:
    result = project.gate("--memgate-base=main", "--memgate-missing=fail", *args)
    return [one["subject"]["name"] for one in result.run["findings"] if one["outcome"] == "not run"]


def test_what_the_base_leaves_out_by_itself_is_not_told(branch: Project) -> None:
    branch.replace("tests/test_it.py", "load(3000)", "load(3001)")
    branch.replace("tests/test_it.py", "def test_one", "def test_new(): pass\ndef test_one")
    result = branch.gate("--memgate-base=main")
    assert (result.code, "not run" in result.out) == (0, False), result.out
    assert "memgate: PASSED: 3 tests compared, 1 new (not judged)\n" in result.out


def test_a_test_that_is_marked_as_what_the_base_leaves_out_is_told(branch: Project) -> None:
    branch.replace("tests/test_it.py", "def test_two", "@pytest.mark.slow\ndef test_two")
    assert "test_two" in _not_run(branch)


@pytest.mark.parametrize(
    "args",
    [
        ("-k", "one"),
        ("-m", "not slow and not two"),
        ("--deselect", "tests/test_it.py::test_two"),
        ("--ignore", "tests/test_it.py"),
        ("tests/test_more.py",),
        ("tests/test_it.py::test_one",),
        ("-o", "addopts=-k one"),
        ("-o", "python_files=test_more*"),
    ],
    ids=" ".join,
)
def test_what_a_person_narrows_down_is_not_told(branch: Project, args: tuple[str, ...]) -> None:
    branch.replace("tests/test_it.py", "load(1000)", "load(1001)")
    assert set(_not_run(branch, *args)) <= {"test_slow"}


@pytest.mark.parametrize(
    "narrow",
    [
        lambda project: project.replace("tests/test_it.py", "def test_two", "@pytest.mark.skip('later')\ndef test_two"),
        lambda project: project.replace("pytest.ini", "'not slow'", "'not slow' -k 'not two'"),
        lambda project: project.write("tests/conftest.py", "collect_ignore = ['test_it.py']\n"),
    ],
    ids=["skip", "addopts", "collect_ignore"],
)
def test_workers_tell_the_same(branch: Project, narrow: Callable[[Project], object]) -> None:
    narrow(branch)
    found = _not_run(branch)
    assert "test_two" in found
    assert found == _not_run(branch, "-n2")


def test_a_test_that_is_asked_for_by_name_and_skipped_is_told(branch: Project) -> None:
    branch.replace("tests/test_it.py", "def test_two", "@pytest.mark.skip('later')\ndef test_two")
    assert _not_run(branch, "tests/test_it.py::test_one", "tests/test_it.py::test_two") == ["test_two"]


def test_a_part_that_left_a_test_out_is_no_matter_where_another_ran_it(branch: Project) -> None:
    branch.write("tests/conftest.py", "import os\ncollect_ignore = os.environ.get('IGNORED', '').split()\n")
    branch.commit()
    for number, ignored in enumerate(("test_it.py", "test_more.py")):
        result = branch.gate("--memgate-base=HEAD^1", env={"IGNORED": ignored})
        assert "not run" in result.summary()
        shutil.copy(branch.root.parent / "run.json", branch.root.parent / f"part{number}.json")
    merged = branch.memgate("merge", "--partial", "../part0.json", "../part1.json", "-o", "../whole.json")
    assert merged.code == 0, merged.out
    assert "test_one" not in merged.out
    assert "memgate: PASSED: 3 tests compared" in merged.out


@pytest.mark.parametrize("option", ["--co", "--collect-only", "--setup-plan", "--fixtures", "--version"])
def test_an_option_that_runs_nothing_is_typed_or_an_error(branch: Project, option: str) -> None:
    assert branch.pytest("--memgate", option).code == 0
    branch.write("pytest.ini", f"[pytest]\naddopts = {option}\nmarkers = slow: takes long\n")
    result = branch.pytest("--memgate")
    assert result.code == 4
    assert "runs no test, so nothing would be measured: take it out of addopts of pytest.ini" in result.out
    assert branch.pytest(option, "--memgate").code == 0


def test_a_group_of_workers_is_no_part_of_a_tests_name(branch: Project) -> None:
    branch.replace("tests/test_it.py", "def test_two", "@pytest.mark.xdist_group('a')\ndef test_two")
    result = branch.gate("--memgate-base=main", "--memgate-missing=fail", "-n2", "--dist=loadgroup")
    assert (result.code, result.outcomes()["test_two"]) == (0, "passed"), result.out
    assert "memgate: PASSED: 3 tests compared\n" in result.out


def test_two_tests_of_one_node_id_are_both_judged(project: Project, workers: tuple[str, ...]) -> None:
    """Outside the root pytest gives them no path: what names a test is its file and its name in it."""
    for name in ("a", "b"):
        project.write(
            f"../lib/pkg/test_{name}.py",
            f"""
            import os

            def test_x():
                assert [str(i) for i in range(int(os.environ.get("N_{name}", "10")))]
            """,
        )
    project.write("../lib/pkg/__init__.py", "")
    lib = str(project.root.parent / "lib")
    tests = ("--pyargs", "pkg.test_a", "pkg.test_b", *workers)
    collected = project.pytest("--collect-only", "-q", *tests, env={"PYTHONPATH": lib})
    assert collected.out.count("::test_x") == 2
    project.prepare(*tests, env={"PYTHONPATH": lib})
    for name in ("a", "b"):
        result = project.gate(*tests, env={"PYTHONPATH": lib, f"N_{name}": "40000"})
        outcomes = {one["subject"]["file"][-4:-3]: one["outcome"] for one in result.run["findings"]}
        assert outcomes == {**dict.fromkeys("ab", "passed"), name: "regressed"}
        assert "1 regressed; 2 tests compared" in result.summary()
