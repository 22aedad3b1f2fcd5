"""`memgate selftest`: the real gate goes red on a growth that it injects, and where the gate is broken it says so."""

import shutil
from pathlib import Path

import pytest
from harness import LAST_DAY, Project, Result

from pytest_memgate.measure.lighthouse.tools import Tools

KINDS = """
    import asyncio
    import unittest

    import pytest

    from work import load

    def test_plain(tmp_path):
        load(1000)

    class TestGroup:
        def test_method(self):
            load(1000)

    @pytest.mark.parametrize("what", ["a b", "c::d[e]"])
    def test_each(what):
        load(1000)

    class Old(unittest.TestCase):
        def test_old(self):
            load(1000)

    class OldAsync(unittest.IsolatedAsyncioTestCase):
        async def test_old_async(self):
            load(1000)

    @pytest.mark.asyncio
    async def test_async():
        held = load(1000)
        await asyncio.sleep(0)
        assert held
"""
QUIET = "[pytest]\naddopts = -p no:randomly\nasyncio_default_fixture_loop_scope = function\n"


def passing(project: Project) -> None:
    """Make a project with two test files and their baseline."""
    project.write("pytest.ini", QUIET)
    project.write("tests/test_one.py", "from work import load\n\ndef test_small():\n    load(100)\n")
    project.write(
        "tests/test_two.py",
        """
        from work import load

        def test_large():
            load(3000)

        def test_larger():
            load(4000)
        """,
    )
    project.prepare()


def tree(root: Path) -> dict[str, tuple[bytes, int]]:
    """Return every file of a project, with its content and when it was written."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_the_gate_goes_red_on_one_test_that_grew_and_names_the_function(project: Project) -> None:
    passing(project)
    result = project.memgate("selftest")
    assert result.code == 0, result.out
    assert result.out.startswith("memory of tests/test_one.py::test_small\n")
    assert "injected: 250 KB of small objects, held while the test runs (2 other tests run beside it" in result.out
    assert "seen: regressed: memory.peak " in result.out
    assert " is over its budget of 200 KB" in result.out
    assert "named: tests/test_one.py:" in result.out
    assert " in memgate_selftest_growth" in result.out
    assert result.out.endswith("selftest: PROVEN: memory of tests/test_one.py::test_small\n")


def test_nothing_in_the_project_changes(project: Project) -> None:
    passing(project)
    options = "--junitxml=junit.xml --cov=work --cov-report=xml --cov-fail-under=99"
    project.write("pytest.ini", f"{QUIET.replace('no:randomly', f'no:randomly {options}')}")
    project.update("--cov=work", plugins=("cov",))
    shutil.rmtree(project.root / "__pycache__", ignore_errors=True)
    before = tree(project.root)
    assert "junit.xml" in before
    assert "coverage.xml" in before
    result = project.memgate("selftest")
    assert result.code == 0, result.out
    assert tree(project.root) == before


@pytest.mark.parametrize(
    "name",
    [
        *("test_plain", "TestGroup::test_method", "test_each[a b]", "test_each[c::d[e]]"),
        *("Old::test_old", "OldAsync::test_old_async", "test_async"),
    ],
)
def test_every_kind_of_test_can_grow(project: Project, name: str) -> None:
    project.write("pytest.ini", QUIET)
    project.write("test_kinds.py", KINDS)
    project.prepare(plugins=("asyncio",))
    result = project.memgate("selftest", f"test_kinds.py::{name}")
    assert result.code == 0, result.out
    assert "named: test_kinds.py:" in result.out
    assert result.out.endswith(f"selftest: PROVEN: memory of test_kinds.py::{name}\n")


def test_a_doctest_can_grow(project: Project) -> None:
    project.write("pytest.ini", QUIET + "doctest_optionflags = ELLIPSIS\n")
    project.write("test_words.txt", ">>> from work import load\n>>> len(load(2000))\n2000\n")
    project.prepare()
    result = project.memgate("selftest", "test_words.txt::test_words.txt")
    assert result.code == 0, result.out


def test_workers_of_the_projects_own_options_take_part(project: Project) -> None:
    passing(project)
    project.write("pytest.ini", QUIET.replace("no:randomly", "no:randomly -n2"))
    result = project.memgate("selftest")
    assert result.code == 0, result.out


def test_a_test_that_became_smaller_grows_beyond_its_old_value(project: Project) -> None:
    passing(project)
    project.replace("tests/test_two.py", "load(4000)", "load(2000)")  # within the budget, so the baseline stays
    result = project.memgate("selftest", "tests/test_two.py::test_larger")
    assert result.code == 0, result.out
    assert "injected: 37" in result.out  # and not 250


def test_a_budget_of_percent_is_gone_beyond_too(project: Project) -> None:
    passing(project)
    project.write("memgate.yml", "budgets:\n  memory.peak: {growth: 300%}\n")
    result = project.memgate("selftest", "tests/test_two.py::test_larger")
    assert result.code == 0, result.out


# Where the gate is broken


def test_a_run_that_ends_green_though_a_test_grew_is_not_proven(project: Project) -> None:
    passing(project)
    project.write(
        "conftest.py",
        """
        import pytest

        @pytest.hookimpl(trylast=True)
        def pytest_sessionfinish(session):
            session.exitstatus = 0
        """,
    )
    result = project.memgate("selftest")
    assert result.code == 1
    assert "the test is red, but the run is not: pytest ended with 0" in result.out
    assert "selftest: NOT PROVEN: memory of tests/test_one.py::test_small" in result.out


def test_a_growth_that_a_waiver_covers_is_not_proven(project: Project) -> None:
    passing(project)
    project.write(
        "memgate.yml",
        f"""
        waivers:
          - {{test: tests/test_two.py, metric: memory.peak, ceiling: 9MB, until: {LAST_DAY}, reason: known}}
        """,
    )
    result = project.memgate("selftest", "tests/test_two.py::test_large")
    assert result.code == 1
    assert "seen: waived: " in result.out
    assert "the gate stayed green on a growth beyond its budget" in result.out
    others = project.memgate("selftest")
    assert others.code == 0, others.out  # by itself it takes another test


def test_a_growth_that_the_gate_does_not_see_is_not_proven(project: Project) -> None:
    passing(project)
    project.write(
        "conftest.py",
        """
        import pytest

        from pytest_memgate.plugin.child_runs import inject_growth as selftest

        @pytest.fixture(autouse=True)
        def blind(monkeypatch):
            # Nothing is held in truth: to the gate's eyes that is what a growth it misses looks like.
            monkeypatch.setattr(selftest, "_in_file", lambda item: lambda size: [])
        """,
    )
    result = project.memgate("selftest")
    assert result.code == 1, result.out
    assert "seen: passed: " in result.out


def test_a_test_that_is_red_unchanged_proves_nothing(project: Project) -> None:
    passing(project)
    project.replace("tests/test_two.py", "load(3000)", "load(90000)")
    result = project.memgate("selftest", "tests/test_two.py::test_large")
    assert result.code == 1
    assert "tests/test_two.py::test_large: the gate says of it unchanged: regressed, +5" in result.out
    assert "selftest: NOT PROVEN: memory" in result.out
    assert project.memgate("selftest").code == 0  # by itself it takes one that is green


# Where it cannot be tried


def only_line(result: Result) -> str:
    (line,) = result.out.splitlines()
    return line


def test_without_a_baseline_there_is_no_answer(project: Project) -> None:
    project.write("pytest.ini", QUIET)
    project.write("test_it.py", "def test_it():\n    pass\n")
    result = project.memgate("selftest")
    assert result.code == 3
    assert "no test has a settled baseline for " in result.out
    assert "memgate baseline update" in result.out
    named = project.memgate("selftest", "test_it.py::test_it")
    assert named.code == 3
    assert "the gate says of it unchanged: no baseline" in named.out


def test_a_baseline_of_another_memray_gives_no_answer(project: Project) -> None:
    passing(project)
    for file in project.files():
        path = project.baselines / file
        path.write_text(path.read_text(encoding="utf-8").replace("memray: '1", "memray: '0"), encoding="utf-8")
    result = project.memgate("selftest")
    assert result.code == 3
    assert "the gate says of it unchanged: incomparable, " in result.out
    assert "selftest: NO ANSWER: could not be tried: memory" in result.out


def test_a_test_that_fails_by_itself_gives_no_answer(project: Project) -> None:
    passing(project)
    project.replace("tests/test_two.py", "load(3000)", "assert load(3) == 4")
    result = project.memgate("selftest", "tests/test_two.py::test_large")
    assert result.code == 3
    assert "tests/test_two.py::test_large: the test fails by itself" in result.out


def test_a_file_that_cannot_be_imported_gives_no_answer(project: Project) -> None:
    passing(project)
    project.write("tests/test_two.py", "import nowhere\n")
    result = project.memgate("selftest", "tests/test_two.py::test_large")
    assert result.code == 3
    assert "could not collect tests/test_two.py" in only_line(result)


def test_a_gate_that_is_switched_off_gives_no_answer(project: Project) -> None:
    passing(project)
    project.write("pytest.ini", QUIET.replace("no:randomly", "no:randomly -p no:memgate"))
    result = project.memgate("selftest")
    assert result.code == 3
    assert "the gate did not come to a verdict" in only_line(result)


@pytest.mark.parametrize(
    "name", ["tests/test_two.py::test_nowhere", "tests/test_none.py::test_it", "tests/test_two.py"]
)
def test_a_test_that_is_not_there_is_a_usage_error(project: Project, name: str) -> None:
    passing(project)
    result = project.memgate("selftest", name)
    assert result.code == 2
    assert "write it as baselines do: tests/test_x.py::test_y" in only_line(result)


def test_a_budget_too_large_to_fill_gives_no_answer(project: Project) -> None:
    passing(project)
    project.write("memgate.yml", "budgets:\n  memory.peak: {growth: 2GB}\n")
    result = project.memgate("selftest")
    assert result.code == 3
    assert "its budget allows 2.5 GB" in result.out


# Bundles and pages

BUILDS = {
    "webpack": "stats: web/stats.json",
    "webpack4": "stats: web/stats.json",
    "vite": "stats: web/out/.vite/manifest.json",
    "esbuild": "stats: web/metafile.json",
}


@pytest.mark.parametrize("bundler", BUILDS)
def test_a_bundle_that_grew_in_a_copy_is_red(project: Project, bundler: str) -> None:
    project.lay(f"bundles/built/{bundler}/base", "web")
    project.write("memgate.yml", f"bundles:\n  app: {{{BUILDS[bundler]}}}\n")
    project.prepare()
    before = tree(project.root)
    result = project.memgate("selftest")
    assert result.code == 0, result.out
    assert tree(project.root) == before
    for form in ("raw", "gzip", "brotli"):
        assert f"seen: regressed: bundle.initial.{form}[" in result.out
    assert result.out.endswith("selftest: PROVEN: memgate.yml::bundle[app]; left out: memory\n")


def test_memory_and_a_bundle_of_plain_files_are_tried_together(project: Project) -> None:
    passing(project)
    project.write("dist/app.js", "console.log('a');\n" * 100)
    project.write("memgate.yml", "bundles:\n  app: {files: 'dist/*.js'}\n")
    project.prepare()
    result = project.memgate("selftest")
    assert result.code == 0, result.out
    assert "PROVEN: memory of tests/test_one.py::test_small, memgate.yml::bundle[app]\n" in result.out
    one = project.memgate("selftest", "memgate.yml::bundle[app]")
    assert one.code == 0, one.out
    assert one.out.endswith("selftest: PROVEN: memgate.yml::bundle[app]\n")


def test_a_bundle_that_is_not_built_is_left_out_and_said_so(project: Project) -> None:
    passing(project)
    project.write("memgate.yml", "bundles:\n  app: {files: 'dist/*.js'}\n")
    result = project.memgate("selftest")
    assert result.code == 0, result.out
    assert "left out: nothing of it is held against a baseline (no answer: 'dist/*.js' finds no file" in result.out
    assert "; left out: memgate.yml::bundle[app]\n" in result.out


def test_a_bundle_that_is_red_unchanged_is_not_proven(project: Project) -> None:
    passing(project)
    project.write("dist/app.js", "console.log('a');\n")
    project.write("memgate.yml", "bundles:\n  app: {files: 'dist/*.js'}\n")
    project.prepare()
    project.write("dist/app.js", "console.log('a');\n" * 20_000)
    result = project.memgate("selftest")
    assert result.code == 1
    assert "the gate says of it unchanged: regressed: bundle.initial.raw" in result.out


def test_pages_are_left_out_until_asked_for(project: Project) -> None:
    passing(project)
    project.lay("pages/still", "web")
    project.write("memgate.yml", "pages:\n  home: {serve: web}\nimports: [work]\n")
    result = project.memgate("selftest")
    assert result.code == 0, result.out
    assert "imports\n  left out: they cannot be let grow\n" in result.out
    assert "pages\n  left out: a load takes seconds; try them with --pages\n" in result.out


@pytest.mark.timeout(1200)
def test_a_page_that_grew_in_a_copy_is_red(tools: Tools, node_modules: Path, tmp_path: Path) -> None:  # noqa: ARG001
    project = Project(tmp_path / "project", patience=600)
    (project.root / "node_modules").symlink_to(node_modules)
    project.lay("pages/still", "web")
    project.write("memgate.yml", "pages:\n  home: {serve: web, runs: 2}\n")
    project.prepare()
    baseline = project.web.read_bytes()
    result = project.memgate("selftest", "--pages")
    assert result.code == 0, result.out
    assert "in web/index.html, in a copy of the folder" in result.out
    assert "seen: regressed: web.bytes " in result.out
    assert result.out.endswith("selftest: PROVEN: memgate.yml::page[home]; left out: memory\n")
    assert project.web.read_bytes() == baseline
    assert not (project.root / ".lighthouseci").exists()
