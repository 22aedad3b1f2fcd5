"""What hypothesis keeps on disk, and what it draws, decides nothing of what its tests measure."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from harness import Project

_ON = ("hypothesispytest",)
_TESTS = """
    from hypothesis import given, settings
    from hypothesis import strategies as st

    @settings(max_examples=20)
    @given(st.dictionaries(st.text(), st.lists(st.integers())))
    def test_texts(found):
        assert len(found) >= 0

    class TestNumbers:
        @settings(max_examples=20)
        @given(st.lists(st.integers()))
        def test_numbers(self, numbers):
            assert sorted(numbers) is not None
"""
# Its number stands in no source file, where hypothesis would find it and try it.
_RARE = """
    from hypothesis import given
    from hypothesis import strategies as st
    from rule import check

    @given(st.integers())
    def test_rare(number):
        check(number, 1234 * 1001)
"""


def _values(project: Project, *args: str) -> dict[str, float]:
    result = project.gate("--memgate-measure=exact", *args, plugins=_ON)
    assert result.code == 0, result.out
    found: dict[str, Any] = {
        f"{one['subject']['name']} {one['metric']}": one["measurement"]
        for one in result.run["findings"]
        if one["measurement"] and one["metric"] == "memory.peak"
    }
    return {name: value for name, one in found.items() for value in [one["cold"]]}


def _storage(project: Project) -> Path:
    return project.root / ".hypothesis"


def _examples(project: Project) -> list[Path]:
    return [path for path in (_storage(project) / "examples").rglob("*") if path.is_file()]


def _rule(project: Project, *lines: str) -> None:
    text = "\n".join(("def check(number, rare):", *(f"    {line}" for line in lines)))
    project.write("rule.py", f"{text}\n")


@pytest.fixture
def rare(project: Project) -> Project:
    """A test with a failing example that it does not draw by chance."""
    project.write("test_it.py", _RARE)
    _rule(project, "assert number < rare")
    assert project.pytest("-p", "no:memgate").code == 1
    assert _examples(project)
    return project


def test_the_storage_there_or_not_the_same_is_measured(project: Project, workers: tuple[str, ...]) -> None:
    project.write("test_it.py", _TESTS)
    project.update(plugins=_ON)
    there = _values(project, *workers)
    shutil.rmtree(_storage(project))
    gone = _values(project, *workers)
    assert there["test_texts memory.peak"] < 10_000_000, "its tables are made in a test"
    shutil.rmtree(_storage(project))
    _storage(project).mkdir()
    _storage(project).chmod(0o500)
    empty = _values(project, *workers)
    for other in (gone, empty):
        assert other == {name: pytest.approx(value, rel=0.03) for name, value in there.items()}


def test_each_run_draws_the_same(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import os
        from hypothesis import given
        from hypothesis import strategies as st

        @given(st.integers())
        def test_drawn(number):
            with open(os.environ["DRAWN"], "a") as file:
                print(number, file=file)
        """,
    )

    def drawn(name: str, *args: str) -> set[str]:
        file = project.root.parent / name
        assert project.gate(*args, plugins=_ON, env={"DRAWN": str(file)}).code in {0, 1}
        return set(file.read_text(encoding="utf-8").split())

    first = drawn("first")
    assert first == drawn("second")
    assert first != drawn("other", "--hypothesis-seed=7")


def test_a_failing_example_of_another_run_is_replayed(rare: Project, workers: tuple[str, ...]) -> None:
    _rule(rare, "pass")
    shutil.copytree(_storage(rare), rare.root.parent / "kept")
    rare.update(plugins=_ON)
    assert not _examples(rare), "it fails no longer, and hypothesis forgets such"
    shutil.rmtree(_storage(rare))
    shutil.copytree(rare.root.parent / "kept", _storage(rare))
    _rule(rare, "assert number != rare")
    result = rare.gate(*workers, plugins=_ON)
    assert result.code == 1, result.out
    assert "AssertionError" in result.out
    assert "1 failed" in result.out
    assert _examples(rare)


def test_what_a_replayed_example_needs_is_not_measured(rare: Project) -> None:
    shutil.copytree(_storage(rare), rare.root.parent / "kept")
    _rule(rare, "if number == rare:", "    assert [0] * 2_000_000")
    rare.update(plugins=_ON)
    assert not _examples(rare)
    shutil.rmtree(_storage(rare))
    shutil.copytree(rare.root.parent / "kept", _storage(rare))
    result = rare.gate("--memgate-measure=exact", plugins=_ON)
    assert result.code == 0, result.out
    assert result.found("test_rare", "memory.peak")["measurement"]["cold"] < 10_000_000


def test_a_failing_example_that_is_found_is_kept(project: Project, workers: tuple[str, ...]) -> None:
    project.write("test_it.py", _RARE)
    _rule(project, "assert number < 1000")
    assert project.gate(*workers, plugins=_ON).code == 1
    assert _examples(project)
    assert (_storage(project) / ".gitignore").exists()
    _rule(project, "assert number != 1000")
    result = project.pytest("-p", "no:memgate")
    assert (result.code, "number=1000" in result.out) == (1, True), result.out


def test_a_suite_without_it_does_not_load_it(project: Project, workers: tuple[str, ...]) -> None:
    project.write(
        "test_it.py",
        """
        import sys

        def test_it():
            assert "hypothesis" not in sys.modules
        """,
    )
    project.update(*workers, plugins=_ON)
    assert not _storage(project).exists()


def test_without_hypothesis_nothing_of_it_is_there(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import os

        def test_it(request):
            assert "HYPOTHESIS_STORAGE_DIRECTORY" not in os.environ
            assert not request.config.pluginmanager.hasplugin("memgate-hypothesis")
        """,
    )
    project.update()
