"""`--memgate-update` and `memgate baseline update`: what is written, what is refused, and what is never lost."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import Project, Result

from pytest_memgate.measure.python.environment import here

_TESTS = """
    from work import load

    def test_one():
        load(1000)

    def test_two():
        load(2000)
"""
_KEPT = """
    import os
    from work import load

    def test_one():
        load(1000)

    def test_two():
        load(2000)
        assert "FAIL" not in os.environ
"""
_GONE = """
    def test_gone():
        load(1000)
"""
_DROPS = """
    import pytest

    @pytest.hookimpl({how})
    def pytest_collection_modifyitems(items):
        items[:] = [item for item in items if item.name == "test_one"]{rest}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tests and their baseline, and one with a test more in the baseline than in the file."""
    folder = tmp_path_factory.mktemp("update")
    gated, outgrown = Project(folder / "gated"), Project(folder / "outgrown")
    gated.write("test_it.py", _TESTS)
    gated.prepare()
    outgrown.write("test_it.py", _KEPT + _GONE)
    outgrown.prepare()
    outgrown.write("test_it.py", _KEPT)
    return folder


@pytest.fixture
def gated(project: Project, made: Path) -> Project:
    """A project of its own with two tests and their baseline."""
    shutil.copytree(made / "gated", project.root, dirs_exist_ok=True)
    return project


@pytest.fixture
def outgrown(project: Project, made: Path) -> Project:
    """A project of its own whose baseline has an entry more than it has tests."""
    shutil.copytree(made / "outgrown", project.root, dirs_exist_ok=True)
    return project


def _entries(project: Project, file: str = "test_it.py") -> dict[str, dict[str, Any]]:
    """Return the entries of a baseline file as a reader of the YAML sees them."""
    tests = yaml.safe_load(project.baseline(file))["tests"]
    return {name: metrics["memory.peak"] for name, metrics in tests.items()}


def _from(project: Project, folder: Path, *args: str) -> Result:
    """Run pytest with the gate from another folder."""
    off = ("-p", "no:cacheprovider", "-p", "no:randomly")
    return project.command(
        *("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(folder)),
        *(sys.executable, "-m", "pytest", *off, "--memgate", *args),
    )


def test_an_update_writes_a_sorted_file_for_each_test_file(project: Project, workers: tuple[str, ...]) -> None:
    project.write("tests/test_b.py", _TESTS.replace("test_one", "test_zebra"))
    project.write("test_a.py", _TESTS)
    result = project.update(*workers)
    assert list(project.files()) == ["test_a.py.yaml", "tests/test_b.py.yaml"]
    document = yaml.safe_load(project.baseline("tests/test_b.py"))
    header = here().header
    assert {key: document[key] for key in document if key != "tests"} == {
        "format": 2,
        "allocator": header.allocator,
        "memray": header.memray,
        "coverage": False,
    }
    assert list(document["tests"]) == ["test_two", "test_zebra"]
    assert 100_000 < document["tests"]["test_two"]["memory.peak"]["value"] < 150_000
    assert list(document["tests"]["test_two"]["memory.peak"]["sites"]) == ["work.py:load"]
    assert "4 new" in result.summary()
    assert "review and commit" in result.summary()


def test_an_update_that_changes_nothing_leaves_the_file_alone(gated: Project) -> None:
    path = gated.baselines / "test_it.py.yaml"
    before, written = path.read_bytes(), path.stat().st_mtime_ns
    result = gated.update()
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == written
    assert "baselines unchanged" in result.summary()


@pytest.mark.parametrize("kinds", [("new",), ("raised",), ("lowered",), ("removed", "new")])
def test_a_kind_of_update_writes_only_its_own(project: Project, kinds: tuple[str, ...]) -> None:
    names = {"new": "test_fresh", "raised": "test_up", "lowered": "test_down", "removed": "test_gone"}
    text = "from work import load\ndef {}(): load({})\ndef {}(): load({})\ndef {}(): load({})\n"
    project.write("test_it.py", text.format("test_up", 1000, "test_down", 4000, "test_gone", 100))
    project.prepare()
    before = _entries(project)
    fresh = text.format("test_up", 2000, "test_down", 1000, "test_fresh", 100).replace("load(100)", "sorted('test')")
    project.write("test_it.py", fresh)  # with call sites of its own: it is not the one that is gone
    options = [f"--memgate-update={kind}" for kind in kinds]
    result = project.gate(*options, *(["--memgate-reason=more rows"] if "raised" in kinds else []))
    assert result.code == 0, result.out
    after = _entries(project)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed == {names[kind] for kind in kinds}
    assert {change["kind"] for change in result.run["changes"]} == set(kinds)


def test_a_raise_without_a_reason_is_refused_and_the_rest_written(project: Project) -> None:
    project.write("test_it.py", _TESTS)
    project.write("test_other.py", _TESTS)
    project.prepare()
    before = _entries(project)
    project.write("test_it.py", _TESTS.replace("2000", "9000") + "\n    def test_three():\n        load(10)\n")
    project.write("test_other.py", _TESTS.replace("2000", "500"))
    result = project.gate("--memgate-update")
    assert (result.code, result.run["verdict"], result.run["exit_code"]) == (1, "failed", 1)
    after = _entries(project)
    assert after.pop("test_three")["value"] < 4000
    assert after == before
    assert _entries(project, "test_other.py")["test_two"]["value"] < 40_000
    assert "test_it.py::test_two" in result.summary()
    assert 'memgate baseline update --reason "…"' in result.summary()
    assert "memgate: not all of it updated" in result.summary()


def test_a_raise_alone_that_is_refused_leaves_the_bytes(gated: Project) -> None:
    before = gated.baseline("test_it.py")
    gated.replace("test_it.py", "2000", "9000")
    assert gated.gate("--memgate-update").code == 1
    assert gated.baseline("test_it.py") == before


def test_a_raise_keeps_the_first_value_as_anchor_and_its_own_reason(gated: Project) -> None:
    first = _entries(gated)["test_two"]["value"]
    gated.replace("test_it.py", "2000", "9000")
    gated.prepare('--memgate-reason=a cache: #12, "hot" rows')
    raised = _entries(gated)["test_two"]
    assert (raised["anchor"], raised["reason"]) == (first, 'a cache: #12, "hot" rows')
    assert raised["value"] > first + 400_000

    gated.replace("test_it.py", "9000", "20000")
    refused = gated.gate("--memgate-update", '--memgate-reason=a cache: #12, "hot" rows')
    assert refused.code == 1
    assert _entries(gated)["test_two"] == raised

    gated.update("--memgate-reason=and its index")
    again = _entries(gated)["test_two"]
    assert (again["anchor"], again["reason"]) == (first, "and its index")
    assert again["value"] > raised["value"] + 400_000


def test_a_lowered_value_keeps_its_anchor_until_it_is_below_it(gated: Project) -> None:
    first = _entries(gated)["test_two"]["value"]
    gated.replace("test_it.py", "2000", "9000")
    gated.prepare("--memgate-reason=a cache")
    gated.replace("test_it.py", "9000", "6000")
    gated.prepare()
    lowered = _entries(gated)["test_two"]
    assert (lowered["anchor"], lowered["reason"]) == (first, "a cache")
    gated.replace("test_it.py", "6000", "1500")
    gated.update()
    below = _entries(gated)["test_two"]
    assert below["value"] < first
    assert not {"anchor", "reason"} & below.keys()


def test_an_entry_without_its_test_is_removed_after_a_complete_run(outgrown: Project, workers: tuple[str, ...]) -> None:
    result = outgrown.update(*workers)
    assert set(_entries(outgrown)) == {"test_one", "test_two"}
    assert "removed      test_it.py::test_gone" in result.summary()


@pytest.mark.parametrize(
    "narrow",
    [
        ("-k", "one"),
        ("test_it.py::test_one",),
        ("--deselect", "test_it.py::test_two"),
        ("--ignore", "test_it.py", "test_other.py"),
    ],
    ids=" ".join,
)
def test_a_narrowed_run_removes_nothing(outgrown: Project, narrow: tuple[str, ...]) -> None:
    outgrown.write("test_other.py", "def test_three(): pass")
    assert outgrown.gate("--memgate-update", *narrow).code == 0
    assert "test_gone" in _entries(outgrown)


@pytest.mark.parametrize("more", [(), ("-x",), ("-x", "-n2")], ids=["to its end", "stopped", "stopped workers"])
def test_a_run_with_a_failing_test_removes_nothing(outgrown: Project, more: tuple[str, ...]) -> None:
    # xdist ends a stopped run as an interrupted one.
    assert outgrown.gate("--memgate-update", *more, env={"FAIL": "1"}).code in {1, 2}
    assert "test_gone" in _entries(outgrown)


def test_a_run_of_the_last_failures_removes_nothing(outgrown: Project) -> None:
    cache = ("-p", "cacheprovider")
    assert outgrown.pytest(*cache, env={"FAIL": "1"}).code == 1
    result = outgrown.gate("--memgate-update", "--lf", *cache)
    assert set(result.outcomes()) == {"test_two"}, result.out
    assert set(_entries(outgrown)) == {"test_gone", "test_one", "test_two"}


@pytest.mark.parametrize(
    ("place", "how", "rest"),
    [
        ("conftest.py", "trylast=True", ""),
        ("conftest.py", "wrapper=True, tryfirst=True", "\n        return (yield)"),
        # Loaded while tests are collected, so that its hook goes round the gate's own.
        ("sub/conftest.py", "wrapper=True, tryfirst=True", "\n        return (yield)"),
    ],
    ids=["last", "wrapper", "late wrapper"],
)
def test_a_plugin_that_drops_tests_without_a_word_removes_nothing(
    outgrown: Project, place: str, how: str, rest: str
) -> None:
    outgrown.write(place, _DROPS.format(how=how, rest=rest))
    assert outgrown.gate("--memgate-update").outcomes() == {"test_one": "passed"}
    assert set(_entries(outgrown)) == {"test_gone", "test_one", "test_two"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("test_it.py", "import pytest\npytest.importorskip('no_such_module')\n"),
        ("test_it.py", "import pytest\npytest.skip('not on this machine', allow_module_level=True)\n"),
        ("conftest.py", "collect_ignore = ['test_it.py']\n"),
        ("test_it.py", "import no_such_module\n"),
    ],
    ids=["importorskip", "skip", "collect_ignore", "broken"],
)
def test_a_file_that_was_not_run_keeps_its_baseline(gated: Project, name: str, text: str) -> None:
    gated.write("test_other.py", "def test_three(): pass")
    gated.write(name, text)
    gated.gate("--memgate-update")
    assert set(_entries(gated)) == {"test_one", "test_two"}


def test_the_baseline_of_a_deleted_test_file_is_removed_with_its_folder(gated: Project) -> None:
    gated.write("tests/test_old.py", _TESTS)
    gated.prepare()
    (gated.root / "tests/test_old.py").unlink()
    gated.update("test_it.py")
    assert "tests/test_old.py.yaml" in gated.files()
    result = gated.update()
    assert list(gated.files()) == ["test_it.py.yaml"]
    assert not (gated.baselines / "tests").exists()
    assert "2 removed" in result.summary()


def test_a_failing_test_never_becomes_the_baseline(project: Project) -> None:
    project.write("test_it.py", _KEPT)
    first = project.gate("--memgate-update", env={"FAIL": "1"})
    assert first.code == 1
    assert set(_entries(project)) == {"test_one"}


def test_a_failing_run_keeps_the_old_value(gated: Project) -> None:
    before = gated.baseline("test_it.py")
    gated.write("test_it.py", _KEPT.replace("2000", "9000"))
    assert gated.gate("--memgate-update", "--memgate-reason=more", env={"FAIL": "1"}).code == 1
    assert gated.baseline("test_it.py") == before


def test_a_test_that_cannot_run_twice_is_stored_and_said_to_be_so(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        from work import load

        RUNS = []

        def test_once():
            RUNS.append(1)
            load(2000)
            assert len(RUNS) == 1, "only once"
        """,
    )
    result = project.update()
    assert _entries(project)["test_once"]["repeatable"] is False
    assert "not repeatable: AssertionError: only once" in str(result.finding("test_once")["measurement"]["notes"])
    assert "not repeatable" in project.memgate("baseline", "show").out
    assert project.gate().outcomes() == {"test_once": "passed"}
    assert "not repeatable" in result.summary()


def test_a_test_that_never_settles_is_stored_with_its_spread(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        from itertools import cycle
        from work import load

        SIZES = cycle([2000, 10_000, 4000, 8000])

        def test_restless():
            load(next(SIZES))
        """,
    )
    updated = project.update()
    entry = _entries(project)["test_restless"]
    assert entry["spread"] > 400_000
    assert entry["value"] > 500_000
    project.replace("test_it.py", "2000, 10_000, 4000, 8000", "14_500")
    result = project.gate()
    assert result.outcomes() == {"test_restless": "unstable"}, result.out
    assert "a budget of 200 KB cannot be held" in result.summary()
    assert "cannot be held" in updated.summary()


@pytest.mark.parametrize(("old", "new"), [("memray: '", "memray: '0"), ("coverage: false", "coverage: true")])
def test_a_file_measured_otherwise_is_updated_whole_or_not_at_all(gated: Project, old: str, new: str) -> None:
    before = gated.baseline("test_it.py")
    path = gated.baselines / "test_it.py.yaml"
    stale = before.replace(old, new).replace("value: ", "value: 9")
    path.write_text(stale)
    refused = gated.gate("--memgate-update", "-k", "one")
    assert (refused.code, gated.baseline("test_it.py")) == (1, stale)
    assert "the baselines of test_it.py were measured with" in refused.summary()
    assert "memgate baseline update test_it.py" in refused.summary()
    assert "next: review and commit" not in refused.summary()
    result = gated.update()
    assert gated.baseline("test_it.py") == before
    assert {change["kind"] for change in result.run["changes"]} == {"remeasured"}


def test_an_unreadable_file_is_named_and_left_as_it_is(project: Project) -> None:
    project.write("test_a.py", _TESTS)
    project.write("test_b.py", _TESTS)
    project.prepare()
    broken, other = project.baselines / "test_a.py.yaml", project.baseline("test_b.py")
    broken.write_text("format: 1\n<<<<<<< ours\n  x\n=======\n")
    result = project.gate("--memgate-update")
    assert (result.code, result.run["exit_code"]) == (1, 3)
    assert broken.read_text() == "format: 1\n<<<<<<< ours\n  x\n=======\n"
    assert project.baseline("test_b.py") == other
    told = [line for line in result.summary().splitlines() if "test_a.py.yaml:" in line]
    assert told
    assert all("conflict markers; restore it from git" in line for line in told)
    assert "Traceback" not in result.out


def test_a_folder_that_cannot_be_written_gives_one_clear_line(project: Project) -> None:
    project.write("test_it.py", _TESTS)
    project.write(".memgate", "a file in the folder's place")
    result = project.gate("--memgate-update")
    assert (result.code, result.run["exit_code"]) == (1, 3)
    told = [line for line in result.summary().splitlines() if line.startswith("problem")]
    assert len(told) == 1
    assert "test_it.py.yaml: " in told[0]
    assert "Traceback" not in result.out


def test_a_test_file_outside_the_root_has_one_place_from_anywhere(project: Project) -> None:
    outside = project.write("../outside/test_out.py", _TESTS).parent
    project.update("-c", "pytest.ini", "../outside/test_out.py")
    assert list(project.files()) == ["@up/outside/test_out.py.yaml"]
    assert project.gate("-c", "pytest.ini", str(outside)).outcomes() == {"test_one": "passed", "test_two": "passed"}
    ini = str(project.root / "pytest.ini")
    away = _from(project, outside, "-c", ini, "--memgate-missing=fail", "test_out.py")
    assert away.code == 0, away.out
    assert "2 tests measured" in away.out


def test_an_installed_package_has_its_place_below_site(project: Project) -> None:
    module = "networkx.classes.tests.test_filters"
    narrow = ("--pyargs", f"{module}::TestFilterFactory::test_no_filter")
    project.update("--pyargs", module)
    assert list(project.files()) == ["@site/networkx/classes/tests/test_filters.py.yaml"]
    place = next(project.files()).removesuffix(".yaml")
    names = set(_entries(project, place))
    assert len(names) > 5
    assert set(project.gate(*narrow).outcomes().values()) == {"passed"}
    project.update(*narrow)
    assert set(_entries(project, place)) == names


def test_the_place_of_a_baseline_does_not_hang_on_the_current_folder(project: Project) -> None:
    project.write("tests/deep/test_it.py", _TESTS)
    first = _from(project, project.root / "tests" / "deep", "--memgate-update")
    assert first.code == 0, first.out
    assert list(project.files()) == ["tests/deep/test_it.py.yaml"]
    before = project.baseline("tests/deep/test_it.py")
    assert project.update("tests").run.get("changes") is None
    assert project.baseline("tests/deep/test_it.py") == before
    assert not (project.root / "tests" / "deep" / ".memgate").exists()


@pytest.fixture
def command(project: Project) -> Project:
    """A project whose own settings keep the plugins away that the command's pytest would load."""
    project.write("pytest.ini", "[pytest]\naddopts = -p no:randomly -p no:cacheprovider\n")
    project.write("test_it.py", _TESTS)
    return project


def test_the_command_updates_hands_on_its_arguments_and_says_how_it_went(command: Project) -> None:
    partial = command.memgate("baseline", "update", "-k", "one", "-q")
    assert partial.code == 0, partial.out
    assert set(_entries(command)) == {"test_one"}
    assert command.memgate("baseline", "update").code == 0
    assert set(_entries(command)) == {"test_one", "test_two"}

    command.replace("test_it.py", "load(2000)", "load(9000)")
    command.replace("test_it.py", "test_one", "test_first")
    only = command.memgate("baseline", "update", "--only", "new", "--only", "removed")
    assert only.code == 0, only.out
    assert set(_entries(command)) == {"test_first", "test_two"}
    assert command.memgate("baseline", "update").code == 1
    reason = command.memgate("baseline", "update", "--reason", "more rows", "test_it.py::test_two")
    assert reason.code == 0, reason.out
    assert _entries(command)["test_two"]["reason"] == "more rows"


def test_the_command_works_from_a_folder_below(command: Project) -> None:
    command.write("tests/test_deep.py", _TESTS)
    script = "from pytest_memgate.cli.main import main; main()"
    done = command.command(
        *("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(command.root / "tests")),
        *(sys.executable, "-c", script, "baseline", "update"),
    )
    assert done.code == 0, done.out
    assert "tests/test_deep.py.yaml" in command.files()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("--no-such-option",), 2, "unrecognized arguments"),
        (("--only", "everything"), 2, "everything"),
        (("-k", "nothing_of_that_name"), 3, "nothing was measured"),
        (("no_such_file.py",), 2, "no_such_file.py"),
        (("--memgate-growth=lots",), 2, "not a budget"),
    ],
    ids=["unknown option", "unknown kind", "no test", "no file", "bad budget"],
)
def test_the_command_tells_usage_from_no_answer(command: Project, args: tuple[str, ...], code: int, words: str) -> None:
    result = command.memgate("baseline", "update", *args)
    assert (result.code, words in result.out) == (code, True), result.out
    assert not (command.root / ".memgate").exists()


def test_the_command_fails_with_its_tests(command: Project) -> None:
    command.write("test_it.py", _KEPT)
    assert command.memgate("baseline", "update", env={"FAIL": "1"}).code == 1


def test_an_update_of_a_test_that_sways_changes_no_byte_until_it_is_over_its_budget(gated: Project) -> None:
    gated.write(
        "test_it.py",
        """
        from pathlib import Path

        COUNTER = Path(__file__).with_name("counter")

        def test_sways():
            kept = bytearray(500_000 + int(COUNTER.read_text()))
        """,
    )
    gated.write("counter", "0")
    gated.update()
    path = gated.baselines / "test_it.py.yaml"
    before = path.read_bytes()
    for sway in (20_000, 40_000, 0):
        gated.write("counter", str(sway))
        assert "baselines unchanged" in gated.update().summary()
        assert path.read_bytes() == before
    gated.write("counter", "300000")
    result = gated.gate("--memgate-update")
    assert (result.code, path.read_bytes()) == (1, before)
    assert "raised, so not written without a reason of its own: test_it.py::test_sways 5" in result.out
    gated.write("counter", "100000")
    gated.update("--memgate-reason=one row more", "test_it.py::test_sways")
    assert b"reason: one row more" in path.read_bytes()
