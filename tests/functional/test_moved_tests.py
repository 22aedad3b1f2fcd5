"""A renamed or moved test keeps its baseline: renamed and grown is red, with workers and without, by git or not."""

from collections.abc import Callable

import pytest
from harness import Project, Result

_TESTS = """
    from work import load

    def test_a_day():
        load(2000)

    def test_empty():
        pass
"""
_BASE = "--memgate-base=main"
_Move = Callable[[Project], str]


@pytest.fixture
def gated(project: Project) -> Project:
    """A repository with two tests, their baselines, and one commit on main."""
    project.write("tests/test_export.py", _TESTS)
    project.write(".gitignore", "__pycache__/\n")
    project.prepare()
    project.commit()
    return project


def _rename(project: Project) -> str:
    project.replace("tests/test_export.py", "test_a_day", "test_rows_of_the_export")
    return "tests/test_export.py::test_rows_of_the_export"


def _move_file(project: Project) -> str:
    project.write("checks/test_moved.py", (project.root / "tests/test_export.py").read_text(encoding="utf-8"))
    (project.root / "tests/test_export.py").unlink()
    return "checks/test_moved.py::test_a_day"


def _move_to_another_file(project: Project) -> str:
    path = project.root / "tests/test_export.py"
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition("def test_empty")
    project.write("tests/test_days.py", head)
    path.write_text(f"def test_empty{rest}", encoding="utf-8")
    return "tests/test_days.py::test_a_day"


def _parametrise(project: Project) -> str:
    project.replace(
        "tests/test_export.py",
        "def test_a_day():",
        "import pytest\n@pytest.mark.parametrize('day', [1])\ndef test_a_day(day):",
    )
    return "tests/test_export.py::test_a_day[1]"


def _into_a_class(project: Project) -> str:
    text = "import unittest\nfrom work import load\n\nclass TestExport(unittest.TestCase):\n"
    text += "    def test_a_day(self):\n        load(2000)\n\n    def test_empty(self):\n        pass\n"
    project.write("tests/test_export.py", text)
    return "tests/test_export.py::TestExport::test_a_day"


def _recase(project: Project) -> str:
    project.replace("tests/test_export.py", "test_a_day", "test_A_day")
    return "tests/test_export.py::test_A_day"


_MOVES: tuple[_Move, ...] = (_rename, _move_file, _move_to_another_file, _parametrise, _into_a_class, _recase)


def _lines(result: Result) -> list[str]:
    return result.summary().splitlines()


@pytest.mark.parametrize("move", _MOVES)
def test_renamed_and_grown_is_red_and_names_both(gated: Project, move: _Move) -> None:
    new = move(gated)
    gated.replace("work.py", "return", "more = bytearray(600_000)\n    return")
    result = gated.gate(_BASE, env={"CI": "true"})
    found = result.finding(new.partition("::")[2])
    assert (result.code, found["outcome"], found["moved_from"]) == (1, "regressed", "tests/test_export.py::test_a_day")
    assert f"moved        tests/test_export.py::test_a_day -> {new}" in _lines(result)
    assert "held against the baseline of tests/test_export.py::test_a_day, which is gone" in result.out
    assert not {"new", "vanished"} & set(result.outcomes().values())


def test_a_move_without_git_and_without_growth_is_green_with_workers_and_without(
    project: Project, workers: tuple[str, ...]
) -> None:
    project.write("tests/test_export.py", _TESTS)
    project.prepare()
    new = _rename(project)
    result = project.gate("--memgate-missing=fail", *workers)
    assert (result.code, set(result.outcomes().values())) == (0, {"passed"}), result.out
    assert f"moved        tests/test_export.py::test_a_day -> {new}" in _lines(result)


def test_renamed_grown_and_updated_in_one_change_needs_a_reason(gated: Project) -> None:
    new = _move_file(gated)
    gated.replace("work.py", "return", "more = bytearray(600_000)\n    return")
    result = gated.gate("--memgate-update")
    assert result.code == 1
    assert f"moved        tests/test_export.py::test_a_day -> {new}" in result.summary()
    gated.update("--memgate-reason=more rows")
    assert list(gated.files()) == ["checks/test_moved.py.yaml"]
    told = gated.gate(_BASE)
    assert (told.code, told.finding("test_a_day")["outcome"]) == (0, "passed")
    assert f"raised       {new}" not in told.summary()  # but with where it came from:
    assert f"raised       tests/test_export.py::test_a_day -> {new}" in told.summary()
    path = gated.baselines / "checks/test_moved.py.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("      reason: more rows\n", ""), encoding="utf-8")
    result = gated.gate(_BASE)
    assert (result.code, result.finding("test_a_day")["outcome"]) == (1, "regressed")
    assert "without a reason of its own" in result.summary()


def test_a_part_of_the_tests_tells_the_same(gated: Project) -> None:
    new = _move_file(gated)
    for narrow in (("checks",), (new,), ("-k", "a_day")):
        result = gated.gate(*narrow)
        assert (result.code, result.finding("test_a_day").get("moved_from")) == (
            0,
            "tests/test_export.py::test_a_day",
        ), result.out
    gated.write("tests/test_export.py", _TESTS)
    result = gated.gate("checks")
    assert result.outcomes() == {"test_a_day": "new", "test_empty": "new"}


def test_a_rename_by_hand(gated: Project) -> None:
    new = _rename(gated)
    result = gated.memgate("baseline", "rename", "tests/test_export.py::test_a_day", new)
    assert (result.code, result.out.split()[0]) == (0, "moved")
    assert "moved " not in gated.gate().summary()
    wrong = gated.memgate("baseline", "rename", "tests/test_export.py::test_a_dya", new)
    assert (wrong.code, len(wrong.out.splitlines())) == (2, 1)
    assert wrong.out.startswith("memgate: there is no baseline for 'tests/test_export.py::test_a_dya'")
