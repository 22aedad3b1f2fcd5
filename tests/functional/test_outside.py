"""Memory outside of a test's call: imports of test files, set-ups, teardowns, and what only a first run holds."""

import re
from pathlib import Path

import pytest
from harness import Project

_EXPORT = """
    from kind import KIND

    KEPT = []

    def rows(number):
        return [f"row {count}" for count in range(number)]

    def total(number):
        return sum(len(f"row {count}") for count in range(number))

    if KIND == "import":
        TABLE = rows(30_000)
"""
_TESTS = """
    import unittest

    import pytest

    import export
    from kind import KIND

    if KIND == "test file":
        TABLE = export.rows(30_000)

    @pytest.fixture
    def data():
        yield export.rows(30_000) if KIND == "fixture" else 1
        if KIND == "teardown":
            export.KEPT.append(export.rows(30_000))

    @pytest.fixture(scope="module")
    def wide():
        yield export.rows(30_000) if KIND == "wide fixture" else 1
        if KIND == "wide teardown":
            export.KEPT.append(export.rows(30_000))

    def setup_module(module):
        if KIND == "setup_module":
            module.KEPT = export.rows(30_000)

    def teardown_module(module):
        if KIND == "teardown_module":
            export.KEPT.append(export.rows(30_000))

    class TestClass:
        def setup_method(self):
            if KIND == "setup_method":
                self.kept = export.rows(30_000)

        def test_one(self):
            assert export.total(10)

        def test_two(self):
            assert export.total(20)

    class Case(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            if KIND == "setUpClass":
                cls.kept = export.rows(30_000)

        def test_it(self):
            assert export.total(10)

    def test_day(data):
        assert export.total(1000)

    def test_empty(data):
        assert not export.total(0)

    def test_wide(wide):
        assert export.total(10)

    def test_first():
        if KIND == "first run" and not export.KEPT:
            export.KEPT.append(1)
            export.rows(200_000)
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has a baseline."""
    project = Project(tmp_path_factory.mktemp("outside") / "project")
    project.write("export.py", _EXPORT)
    project.write("test_export.py", _TESTS)
    project.write("kind.py", "KIND = ''")
    assert project.update().code == 0
    return project


@pytest.mark.parametrize("args", [(), ("-n2",), ("--memgate-measure=each",)], ids=["bounds", "workers", "each"])
def test_what_did_not_change_is_green(measured: Project, args: tuple[str, ...]) -> None:
    measured.write("kind.py", "KIND = ''")
    result = measured.gate(*args)
    assert result.code == 0, result.out
    assert "unstable" not in result.out


@pytest.mark.parametrize(
    ("kind", "owner", "part"),
    [
        ("import", "export.py", "export"),
        ("test file", "test_export.py", "test_export"),
        ("fixture", "export.py", "export.py in rows"),
        ("wide fixture", "export.py", "export.py in rows"),
        ("teardown", "export.py", "export.py in rows"),
        ("wide teardown", "export.py", "export.py in rows"),
        ("teardown_module", "export.py", "export.py in rows"),
        ("setup_module", "export.py", "export.py in rows"),
        ("setup_method", "export.py", "export.py in rows"),
        ("setUpClass", "export.py", "export.py in rows"),
    ],
)
def test_work_that_moves_out_of_a_test_s_call_is_red_with_its_place(
    measured: Project, kind: str, owner: str, part: str
) -> None:
    measured.write("kind.py", f"KIND = {kind!r}")
    result = measured.gate()
    assert result.code == 1, result.out
    assert f"first-use::{owner}  memory.first_use 0 B -> " in result.out
    assert f"MB  {part}  (0 B -> " in result.out
    assert "alone in a fresh process" in result.out
    assert "1 failed" in result.out


def test_what_moved_from_a_call_to_a_fixture_is_told_so(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.write("export.py", _EXPORT)
    project.write("kind.py", "KIND = ''")
    test = """
        import export
        import pytest

        @pytest.fixture(scope="module")
        def rows():
            return %s

        def test_day(rows):
            assert len(%s) == 30_000
    """
    project.write("test_export.py", test % ("None", "export.rows(30_000)"))
    assert project.update().code == 0
    project.write("test_export.py", test % ("export.rows(30_000)", "rows"))
    result = project.gate()
    assert result.code == 1, result.out
    moved = (
        r"export.py in rows holds 1.\d+ MB less in the calls of tests, so it moved out of them: test_export.py::test_d"
    )
    assert re.search(f"note +{moved}", result.out)


@pytest.mark.parametrize("kind", ["wide fixture", "wide teardown"])
def test_the_same_is_red_on_two_workers(measured: Project, kind: str) -> None:
    measured.write("kind.py", f"KIND = {kind!r}")
    result = measured.gate("-n2", "--junitxml=junit.xml")
    assert result.code == 1, result.out
    assert "first-use::export.py  memory.first_use 0 B -> " in result.out
    assert "payment" not in (measured.root / "junit.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("args", [(), ("--memgate-measure=each",)], ids=["bounds", "each"])
def test_what_only_a_first_run_holds_is_told(measured: Project, args: tuple[str, ...]) -> None:
    measured.write("kind.py", "KIND = 'first run'")
    result = measured.gate("--memgate-strict", *args)
    assert result.code == 0, result.out
    assert "note         test_export.py::test_first: memory.first_peak 0 B -> 1" in result.out
    assert "in its first run alone, which may have paid for other tests" in result.out


def test_what_a_first_run_held_before_is_not_told_again(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.write("export.py", _EXPORT)
    project.write("test_export.py", _TESTS)
    project.write("kind.py", "KIND = 'first run'")
    assert project.update().code == 0
    result = project.gate()
    assert result.code == 0, result.out
    assert "first_peak" not in result.out


def test_a_set_up_in_a_faked_file_system_and_one_in_a_loop_are_traced(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.write("export.py", _EXPORT)
    project.write("kind.py", "KIND = ''")
    project.write(
        "test_export.py",
        """
        import os

        import pytest
        import pytest_asyncio

        import export
        from kind import KIND

        @pytest.fixture
        def faked(fs):
            fs.create_file("/a", contents="x")
            return export.rows(30_000) if KIND == "faked" else 1

        @pytest_asyncio.fixture
        async def awaited():
            yield export.rows(30_000) if KIND == "awaited" else 1

        def test_faked(faked):
            assert sorted(os.listdir("/")) == ["a", "tmp"]

        @pytest.mark.asyncio
        async def test_awaited(awaited):
            assert awaited
        """,
    )
    plugins = ("fakefs", "asyncio")
    updated = project.update(plugins=plugins)
    assert updated.code == 0, updated.out
    for kind in ("faked", "awaited"):
        project.write("kind.py", f"KIND = {kind!r}")
        result = project.gate(plugins=plugins)
        assert result.code == 1, result.out
        assert "first-use::export.py  memory.first_use 0 B -> " in result.out
