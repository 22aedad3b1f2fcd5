"""What makes other gates green without an answer leaves this one red, each in its own words."""

import signal
import subprocess
import sys
import time

import pytest
from harness import Project

_TESTS = """
    from work import load

    def test_one(): load(1000)
    def test_two(): load(2000)
"""


@pytest.fixture
def gated(project: Project) -> Project:
    project.write("test_it.py", _TESTS)
    project.prepare()
    return project


def _file(project: Project) -> str:
    return f"{project.baselines.relative_to(project.root)}/test_it.py.yaml"


@pytest.mark.parametrize(
    ("text", "words", "workers"),
    [
        ("", "'format' is missing", ()),
        ("{]", "did not find expected node content", ()),
        ("<<<<<<< ours\nformat: 1\n", "conflict markers", ()),
        ("<<<<<<< ours\nformat: 1\n", "conflict markers", ("-n2",)),
        ("format: 99\n", "format 99 is newer than this memgate reads; upgrade pytest-memgate", ()),
        ("- a\n- list\n", "a mapping is expected", ()),
    ],
    ids=["empty", "corrupt", "conflict", "conflict-n2", "newer", "shape"],
)
def test_a_baseline_that_cannot_be_read_is_never_an_empty_one(
    gated: Project, workers: tuple[str, ...], text: str, words: str
) -> None:
    (gated.root / _file(gated)).write_text(text)
    result = gated.gate(*workers)
    assert (result.code, result.run["verdict"], set(result.outcomes().values())) == (1, "no answer", {"unreadable"})
    assert _file(gated) in result.summary()
    assert words in result.summary()
    assert "Traceback" not in result.out


def test_an_empty_run_is_not_green(gated: Project, workers: tuple[str, ...]) -> None:
    result = gated.gate("-k", "nothing", *workers)
    assert (result.code, result.run["verdict"]) == (1, "no answer")
    assert "nothing was measured: no test ran" in result.summary()


def test_a_run_of_skips_is_not_green(gated: Project) -> None:
    gated.write("test_it.py", "import pytest\npytestmark = pytest.mark.skip\ndef test_one(): pass")
    result = gated.gate()
    assert result.code == 1
    assert "nothing was measured: 1 skipped" in result.summary()


def test_a_run_of_left_out_tests_is_not_green(gated: Project) -> None:
    gated.write("test_it.py", "import pytest\npytestmark = pytest.mark.memgate(skip='slow')\ndef test_one(): pass")
    assert gated.gate().code == 1


def test_a_missing_baseline_is_not_green_where_another_environment_has_one(gated: Project) -> None:
    gated.baselines.rename(gated.baselines.with_name("linux-x86_64-cpython3.1"))
    result = gated.gate()
    assert (result.code, result.run["verdict"]) == (1, "no answer")
    assert "there is one for linux-x86_64-cpython3.1" in result.summary()


def test_a_test_that_is_gone_shows_as_vanished_and_another_as_new(gated: Project) -> None:
    gated.replace("test_it.py", "def test_two(): load(2000)", "def test_other(): load(5)")
    outcomes = gated.gate().outcomes()
    assert (outcomes["test_two"], outcomes["test_other"]) == ("vanished", "new")


def test_a_crash_is_not_green(gated: Project) -> None:
    gated.replace("test_it.py", "def test_two(): load(2000)", "def test_two(): __import__('os')._exit(0)")
    result = gated.gate()
    assert not result.run
    assert "memgate: PASSED" not in result.out


def test_a_worker_that_dies_loses_only_its_own_test(gated: Project) -> None:
    gated.replace("test_it.py", "def test_two(): load(2000)", "def test_two(): __import__('os')._exit(0)")
    result = gated.gate("-n2")
    assert (result.code, result.run["verdict"]) == (1, "no answer")
    assert result.outcomes() == {"test_one": "passed"}
    assert "1 of xdist's workers died" in result.summary()
    assert "1 failed by itself" in result.summary()


def test_workers_that_all_die_are_not_green(project: Project) -> None:
    project.write("test_it.py", "def test_one(): __import__('os')._exit(0)")
    assert project.gate("-n2").code == 1


def test_workers_measure(gated: Project) -> None:
    gated.replace("test_it.py", "load(2000)", "load(20_000)")
    for distribution in ("load", "loadfile", "worksteal"):
        result = gated.gate("-n2", f"--dist={distribution}")
        assert result.outcomes() == {"test_one": "passed", "test_two": "regressed"}


def test_findings_are_the_same_with_workers(gated: Project) -> None:
    gated.replace("work.py", "range(n)", "range(n * 3)")
    plain, none, worked = (gated.gate(*args).run["findings"] for args in ((), ("-n0",), ("-n2",)))
    for finding in (*plain, *none, *worked):
        finding["measurement"].pop("modules", None)
        finding["measurement"].pop("notes", None)

    def by_name(findings: list[dict[str, object]]) -> list[tuple[str, ...]]:
        return sorted(tuple(str(one.get(key)) for key in ("test", "outcome", "baseline", "reason")) for one in findings)

    assert by_name(plain) == by_name(none) == by_name(worked)


def test_a_great_fall_is_called_improved_not_passed(gated: Project) -> None:
    """A value far below its baseline may as well be a test that no longer does its work."""
    gated.replace("test_it.py", "load(2000)", "load(20_000)")
    gated.prepare("--memgate-reason=more")
    gated.replace("test_it.py", "load(20_000)", "pass")
    result = gated.gate()
    assert result.outcomes()["test_two"] == "improved"
    assert "test_it.py::test_two" in result.summary()


@pytest.mark.parametrize("option", ["--memgate-growth=lots", "--memgate-limit=5%", "--memgate-drift=-1KB"])
def test_an_option_without_meaning_is_a_usage_error(gated: Project, option: str) -> None:
    result = gated.gate(option)
    assert result.code == 4
    assert f"memgate: {option.partition('=')[0]}: not a" in result.out
    assert "Traceback" not in result.out


def test_a_broken_configuration_is_a_usage_error(gated: Project, workers: tuple[str, ...]) -> None:
    gated.write("memgate.yml", "budgets:\n  memory.peek: {growth: 1KB}\n")
    result = gated.gate(*workers)
    assert result.code == 4
    assert "memgate: memgate.yml:2: unknown key 'memory.peek' (did you mean 'memory.peak'?)" in result.out


def test_options_in_the_ini_file_count(gated: Project) -> None:
    gated.write("pytest.ini", "[pytest]\naddopts = --memgate --memgate-growth=10B\n")
    gated.replace("test_it.py", "load(2000)", "load(2100)")
    assert gated.pytest().code == 1


def test_a_failing_run_does_not_move_the_bar(gated: Project) -> None:
    before = gated.baseline("test_it.py")
    gated.replace("test_it.py", "load(2000)", "load(20_000)")
    assert [gated.gate().code for _ in range(2)] == [1, 1]
    assert gated.baseline("test_it.py") == before


def test_without_memray_nothing_is_green(gated: Project) -> None:
    gated.write("memray.py", "raise ImportError('its extension does not load')")
    result = gated.gate()
    assert (result.code, result.run["verdict"]) == (1, "no answer")
    assert "memray cannot be imported: its extension does not load" in result.summary()


def test_under_a_profiler_nothing_is_green(gated: Project) -> None:
    start = "sys.setprofile(lambda *_: None)" if sys.version_info >= (3, 12) else "cProfile.Profile().enable()"
    gated.write("conftest.py", f"import cProfile, sys\n{start}\n")
    result = gated.gate()
    assert (result.code, result.run["verdict"]) == (1, "no answer")
    assert "a profiler is active, whose place memray would take" in result.summary()


def test_an_interrupted_run_says_so_and_leaves_nothing_behind(gated: Project) -> None:
    waits = "def test_two(): open('there', 'w').close(), __import__('time').sleep(60)"
    gated.replace("test_it.py", "def test_two(): load(2000)", waits)
    command = [sys.executable, "-m", "pytest", "--memgate", "-p", "no:cacheprovider", "-s"]
    temporary = gated.root.parent / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        command, cwd=gated.root, env=gated.environ({"TMPDIR": str(temporary)}), stdout=subprocess.PIPE, encoding="utf-8"
    ) as running:
        while not (gated.root / "there").exists():
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "memgate: NO ANSWER" in out
    assert "the run was interrupted" in out
    assert not list(temporary.rglob("*memgate*"))
