"""Every kind of test is measured, and what grew in it is named."""

import pytest
from harness import Project

_UNITTEST = """
    import unittest
    from work import load

    class TestSync(unittest.TestCase):
        def setUp(self):
            self.ballast = bytearray(5_000_000)

        def test_method(self):
            load(1000)

    class TestAsync(unittest.IsolatedAsyncioTestCase):
        async def test_method(self):
            load(1000)
"""
_PLAIN = """
    import pytest
    from work import load

    def test_function():
        load(1000)

    class TestClass:
        def test_method(self):
            load(1000)

    @pytest.mark.parametrize("text", ["a", "b::c[d]"])
    def test_parametrised(text):
        load(1000)
"""
_DOCTEST = '''
    """
    >>> from work import load
    >>> bool(load(1000))
    True
    """
'''
_ASYNCIO = """
    import asyncio
    import pytest
    from work import load

    @pytest.mark.asyncio
    async def test_coroutine():
        kept = load(1000)
        await asyncio.sleep(0)
        kept += load(10)
"""
_ANYIO = """
    import anyio
    import pytest
    from work import load

    @pytest.mark.anyio
    async def test_coroutine():
        kept = load(1000)
        await anyio.sleep(0)
        kept += load(10)
"""
_CUSTOM = """
    import pytest
    from work import load

    class Item(pytest.Item):
        def runtest(self):
            load(1000)

    class File(pytest.File):
        def collect(self):
            yield Item.from_parent(self, name="item")

    def pytest_collect_file(file_path, parent):
        if file_path.suffix == ".case":
            return File.from_parent(parent, path=file_path)
"""

_KINDS = {
    "plain": ("test_it.py", _PLAIN, (), ()),
    "unittest": ("test_it.py", _UNITTEST, (), ()),
    "doctest": ("test_it.py", _DOCTEST, (), ("--doctest-modules",)),
    "doctest text": ("test_it.txt", _DOCTEST.replace('"""', ""), (), ()),
    "asyncio": ("test_it.py", _ASYNCIO, ("asyncio",), ("-o", "asyncio_default_fixture_loop_scope=function")),
    "anyio": ("test_it.py", _ANYIO, ("anyio",), ()),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_every_kind_of_test_is_measured_and_its_growth_named(project: Project, kind: str) -> None:
    name, text, plugins, args = _KINDS[kind]
    project.write(name, text)
    made = project.update(*args, plugins=plugins)
    # Some releases of pytest import readline for the first doctest: that is first use, and no test.
    tests = [one["subject"]["name"] for one in made.run["findings"] if one["subject"]["file"] == name]
    assert tests
    assert {made.outcomes()[test] for test in tests} == {"no baseline"}
    again = project.gate(*args, plugins=plugins)
    assert (again.code, set(again.outcomes().values())) == (0, {"passed"}), again.out

    project.replace("work.py", "range(n)", "range(n * 10)")
    grown = project.gate(*args, plugins=plugins)
    assert grown.code == 1
    assert {test: grown.outcomes()[test] for test in tests} == dict.fromkeys(tests, "regressed"), grown.out
    for test in tests:
        first = grown.finding(test)["growth_by_site"][0]["site"]
        assert (first["path"], first["function"], first["line"]) == ("work.py", "load", 4)


def test_items_of_other_kinds_are_measured_too(project: Project) -> None:
    project.write("conftest.py", _CUSTOM)
    project.write("one.case", "")
    project.prepare()
    project.replace("conftest.py", "load(1000)", "load(10_000)")
    assert project.gate().outcomes() == {"item": "regressed"}


def test_a_unittests_set_up_is_not_part_of_its_peak(project: Project) -> None:
    project.write("test_it.py", _UNITTEST)
    value = project.update().finding("TestSync::test_method")["value"]
    assert 50_000 < value < 100_000


def test_what_pytest_and_its_plugins_allocate_is_not_part_of_a_peak(project: Project, workers: tuple[str, ...]) -> None:
    project.write("test_it.py", "def test_nothing(tmp_path, capsys, monkeypatch): pass")
    assert project.update(*workers).finding("test_nothing")["value"] < 2000


def test_skipped_and_xfailed_tests_are_counted_not_measured(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest
        from work import load

        def test_skips(): pytest.skip("not here")

        @pytest.mark.skip(reason="never")
        def test_never(): pass

        @pytest.mark.xfail
        def test_xfails(): assert not load(1000)

        @pytest.mark.xfail
        def test_xpasses(): load(1000)

        def test_runs(): load(1000)
        """,
    )
    made = project.update()
    assert set(made.outcomes()) == {"test_xpasses", "test_runs"}
    assert made.run["skipped"] == 3
    assert "3 skipped" in project.gate().summary()


@pytest.mark.parametrize("runs", ["item.obj", "function"])
def test_a_runner_that_calls_another_function_leaves_a_test_unmeasured_with_the_reason(
    project: Project, runs: str
) -> None:
    project.write(
        "conftest.py",
        f"""
        def pytest_collection_modifyitems(items):
            item, function = items[0], items[0].obj
            item.runtest = lambda: {runs}()
        """,
    )
    project.write("test_it.py", "def test_one(): pass\ndef test_two(): pass")
    project.prepare()
    finding = project.gate().finding("test_one")
    if runs == "item.obj":
        assert finding["outcome"] == "passed"
    else:
        assert finding["outcome"] == "unmeasured"
        assert finding["reason"] == "its runner does not call the function that pytest has collected"
