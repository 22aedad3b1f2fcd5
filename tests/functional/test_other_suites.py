"""Suites of other people: runners of another kind, and wide fixtures that replace what the gate uses."""

import pytest
from harness import Project

# As pytest-django does: unittest itself takes the method from the instance.
_BY_UNITTEST = """
    from _pytest.unittest import TestCaseFunction

    TestCaseFunction.runtest = lambda self: self._testcase(result=self)
"""
_CASES = """
    import unittest
    from work import load

    class TestOrders(unittest.TestCase):
        def setUp(self):
            self.kept = load(50_000)

        def test_order(self):
            assert load(1000)

    def test_function():
        assert load(1000)
"""


def test_a_unittest_is_measured_wherever_its_runner_takes_the_method_from(
    project: Project, workers: tuple[str, ...]
) -> None:
    project.write("conftest.py", _BY_UNITTEST)
    project.write("test_it.py", _CASES)
    made = project.update()
    assert 50_000 < made.finding("TestOrders::test_order")["value"] < 100_000  # without what its setUp holds
    project.write("test_it.py", _CASES.replace("load(1000)", "load(9000)", 1))
    result = project.gate(*workers)
    assert (result.code, result.metrics("TestOrders::test_order")["memory.peak"]) == (1, "regressed"), result.out
    assert result.metrics("test_function")["memory.peak"] == "passed"
    assert "work.py:4 in load" in result.out


_WIDE = """
    import pkgutil
    import pytest
    from unittest import mock

    @pytest.fixture(scope="module", autouse=True)
    def refuse():
        owner, _, name = {name!r}.rpartition(".")
        with mock.patch.object(pkgutil.resolve_name(owner), name, {value}):
            yield

    @pytest.mark.parametrize("n", range(3))
    def test_it(n):
        assert n >= 0
"""
_REFUSE = "mock.Mock(side_effect=AssertionError('it was called'))"


_REPLACED = [
    ("builtins.open", "mock.mock_open(read_data='x')"),
    ("io.open", _REFUSE),
    ("os.open", _REFUSE),
    ("os.close", _REFUSE),
    ("os.unlink", _REFUSE),
    ("os.listdir", _REFUSE),
    ("time.monotonic", _REFUSE),
    ("time.perf_counter", "lambda: 0.0"),
    ("json.dumps", _REFUSE),
    ("threading.enumerate", _REFUSE),
    ("gc.collect", _REFUSE),
    ("gc.freeze", _REFUSE),
]


def test_a_wide_fixture_that_replaces_a_function_ends_no_session(project: Project) -> None:
    for number, (name, value) in enumerate(_REPLACED):
        project.write(f"test_{number}.py", _WIDE.format(name=name, value=value))
    passed = f"{3 * len(_REPLACED)} passed"
    assert passed in project.pytest("-n1").out
    for args in (("--memgate-update",), (), ("--memgate-measure=each",), ("-n1",)):
        result = project.gate("--memgate-strict", *args)
        assert (result.code, passed in result.out) == (0, True), result.out


@pytest.mark.parametrize("args", [(), ("-n1",)], ids=["plain", "n1"])
def test_a_module_wide_fake_file_system_ends_no_session(project: Project, args: tuple[str, ...]) -> None:
    project.write(
        "test_it.py",
        """
        import os
        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def disk(fs_module):
            fs_module.create_file("/data/a.txt", contents="a")

        @pytest.mark.parametrize("n", range(6))
        def test_there(n):
            assert os.path.exists("/data/a.txt")
        """,
    )
    project.update(plugins=("fakefs",))
    result = project.gate("--memgate-strict", *args, plugins=("fakefs",))
    assert (result.code, "6 passed" in result.out) == (0, True), result.out


@pytest.mark.skipif(
    pytest.version_tuple < (8, 2), reason="there pytest makes an instance for each run of a unittest, and tells nobody"
)
def test_a_hypothesis_test_in_a_class_runs_again(project: Project) -> None:
    """Hypothesis refuses to run a method of several instances."""
    project.write(
        "test_it.py",
        """
        import unittest
        from hypothesis import given, strategies as st
        from work import load

        class TestPlain:
            @given(st.integers())
            def test_it(self, n): load(100)

        class TestCase(unittest.TestCase):
            @given(st.integers())
            def test_it(self, n): load(100)
        """,
    )
    made = project.update(plugins=("hypothesispytest",))
    assert "not repeatable" not in made.out
    assert {name for name in made.outcomes() if name.startswith("Test")} == {"TestPlain::test_it", "TestCase::test_it"}


def test_what_an_instance_keeps_is_gone_when_its_test_runs_again(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        from work import load

        class TestIt:
            def test_it(self):
                assert not hasattr(self, "kept")
                self.kept = load(1000)
        """,
    )
    assert "not repeatable" not in project.update().out


def test_output_and_errors_of_wider_fixtures_are_told_with_the_last_test(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import logging
        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def wide():
            yield
            print("said in the end")
            logging.getLogger().warning("logged in the end")
            raise ValueError("torn")

        def test_a(): pass
        def test_b(): pass
        """,
    )
    result = project.gate("--no-memgate-strict")
    assert "ERROR at teardown of test_b" in result.out
    shown = result.out.partition("ERROR at teardown of test_b")[2]
    assert "Captured stdout teardown" in shown
    assert "Captured log teardown" in shown
    assert "1 error" in result.out


def test_what_a_test_measured_itself_counts_though_the_gate_fails_on_its_memory(project: Project) -> None:
    project.write("test_it.py", "def test_it(memgate):\n    memgate.record('rows', 5, limit=3)\n")
    project.write(
        "conftest.py",
        """
        from pytest_memgate.plugin.loop.observers.memory import Memory

        def findings(*_):
            raise OSError("a wider fixture replaced it")

        Memory.findings = findings
        """,
    )
    result = project.gate()
    assert result.code == 1
    assert result.metrics("test_it") == {"custom.rows": "regressed", "memory.peak": "unmeasured"}
    assert "the gate could not judge it: OSError: a wider fixture replaced it (conftest.py:4)" in result.out
    assert "Traceback" not in result.out
