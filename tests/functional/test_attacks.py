"""Changes that let a test grow and keep the gate from seeing it: none of them is green without a word.

To add one: a row in ATTACKS. The base is the same for all; an attack edits a copy of it, in which a function has grown
already, and is judged against the commit before.
"""

import html
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from harness import Project, Result

from pytest_memgate.report.markdown import markdown
from pytest_memgate.tasks.run.file import read_run

_EXPORT = """
    def day(n):
        return (f"line {number}" for number in range(n))
"""
_GROWN = ("return (", "return list(")
_TEST_EXPORT = """
    from shop.export import day

    def test_a_day():
        assert sum(1 for _ in day(20_000)) == 20_000

    def test_empty():
        assert not list(day(0))
"""
_TEST_STOCK = """
    from shop.stock import count

    def test_count():
        assert count(["a", "b"]) == 2

    def test_nothing():
        assert count([]) == 0

    def test_many():
        assert count(["a"] * 100) == 100
"""
_CHANGED = "tests/export/test_export.py::test_a_day"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A change that grows and evades: how it edits the project, how it is run, and what is to be said of it.

    `told` stands in the terminal, `also` in the Markdown of the comment; the verdict's line is in both. `args` are what
    a person types, `code` is pytest's exit code.
    """

    name: str
    edit: Callable[[Project], object]
    told: str
    also: str = ""
    line: str = "1 not run"
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    code: int = 0


def _nothing_else(_: Project) -> None: ...


def _ini(text: str) -> Callable[[Project], object]:
    return lambda project: project.write("pytest.ini", f"[pytest]\n{text}\n")


def _conftest(text: str) -> Callable[[Project], object]:
    return lambda project: project.write("conftest.py", text)


def _marked(decorator: str) -> Callable[[Project], object]:
    return lambda project: project.replace(
        "tests/export/test_export.py", "def test_a_day", f"import pytest\n@{decorator}\ndef test_a_day"
    )


def _above(text: str) -> Callable[[Project], object]:
    def edit(project: Project) -> None:
        path = project.root / "tests" / "export" / "test_export.py"
        path.write_text(f"{text}\n{path.read_text()}")

    return edit


def _plugin_deselects(project: Project) -> None:
    project.write(
        "shop/plugin.py",
        """
        def pytest_collection_modifyitems(config, items):
            away = [item for item in items if item.name == "test_a_day"]
            config.hook.pytest_deselected(items=away)
            items[:] = [item for item in items if item not in away]
        """,
    )
    _ini("addopts = -p shop.plugin")(project)


def _other_settings(project: Project) -> None:
    (project.root / "pytest.ini").unlink()
    project.write("pyproject.toml", "[tool.pytest.ini_options]\naddopts = \"-k 'not day'\"\n")


def _skip_without_entry(project: Project) -> None:
    _marked("pytest.mark.skip(reason='later')")(project)
    (project.baselines / "tests" / "export" / "test_export.py.yaml").unlink()


def _failing_xfail(project: Project) -> None:
    _marked("pytest.mark.xfail(reason='is being rewritten')")(project)
    project.replace("tests/export/test_export.py", "== 20_000", "== 20_001")


def _another_root(project: Project) -> None:
    """Another folder is the root: the entries that moved there are of files that it does not have."""
    for name in (".memgate", "pytest.ini"):
        shutil.move(project.root / name, project.root / "tests")


_ATTACKS = [
    Attack(
        name="addopts deselect",
        edit=_ini(f"addopts = --deselect {_CHANGED}"),
        told=f"not run      {_CHANGED}: deselected by --deselect (addopts of pytest.ini)",
    ),
    Attack(
        name="addopts k",
        edit=_ini("addopts = -k 'not day'"),
        told=f"not run      {_CHANGED}: deselected by -k not day (addopts of pytest.ini)",
    ),
    Attack(
        name="addopts k in pyproject",
        edit=_other_settings,
        told=f"not run      {_CHANGED}: deselected by -k not day (addopts of pyproject.toml)",
    ),
    Attack(
        name="addopts m",
        edit=lambda project: (
            _ini("addopts = -m 'not slow'\nmarkers = slow: takes long")(project),
            _marked("pytest.mark.slow")(project),
        ),
        told=f"not run      {_CHANGED}: deselected by -m not slow (addopts of pytest.ini)",
    ),
    Attack(
        name="addopts ignore",
        edit=_ini("addopts = --ignore=tests/export/test_export.py"),
        told=f"not run      {_CHANGED}: not collected: --ignore (addopts of pytest.ini)",
        line="2 not run",
    ),
    Attack(
        name="addopts ignore glob",
        edit=_ini("addopts = --ignore-glob=*export*"),
        told=f"not run      {_CHANGED}: not collected: --ignore-glob (addopts of pytest.ini)",
        line="2 not run",
    ),
    Attack(
        name="addopts with a path",
        edit=_ini("addopts = tests/test_stock.py"),
        told=f"not run      {_CHANGED}: not collected: see pytest.ini",
        line="2 not run",
    ),
    Attack(
        name="options from the environment",
        edit=_nothing_else,
        env={"PYTEST_ADDOPTS": "-k 'not day'"},
        told=f"not run      {_CHANGED}: deselected by -k not day (PYTEST_ADDOPTS)",
    ),
    Attack(
        name="skip",
        edit=_marked("pytest.mark.skip(reason='later')"),
        told=f"not run      {_CHANGED}: skipped: later",
        also="skipped: later",
    ),
    Attack(
        name="skip when it is called",
        edit=lambda project: project.replace(
            "tests/export/test_export.py", "    assert sum", "    import pytest; pytest.skip('later')\n    assert sum"
        ),
        told=f"not run      {_CHANGED}: skipped: later",
    ),
    Attack(
        name="skip in conftest",
        edit=_conftest(
            """
            import pytest

            def pytest_collection_modifyitems(items):
                for item in items:
                    if item.name == "test_a_day":
                        item.add_marker(pytest.mark.skip("later"))
            """
        ),
        told=f"not run      {_CHANGED}: skipped: later",
    ),
    Attack(name="xfail", edit=_failing_xfail, told=f"not run      {_CHANGED}: xfailed: is being rewritten"),
    Attack(
        name="xfail without a run",
        edit=_marked("pytest.mark.xfail(run=False, reason='crashes')"),
        told=f"not run      {_CHANGED}: xfailed: [NOTRUN] crashes",
    ),
    Attack(
        name="skip of the module",
        edit=_above("import pytest\npytest.skip('later', allow_module_level=True)"),
        told=f"not run      {_CHANGED}: skipped: later",
        line="2 not run",
    ),
    Attack(
        name="importorskip",
        edit=_above("import pytest\npytest.importorskip('surely_not_there')"),
        told=f"not run      {_CHANGED}: skipped: could not import 'surely_not_there'",
        line="2 not run",
    ),
    Attack(
        name="collect_ignore",
        edit=lambda project: project.write("tests/export/conftest.py", "collect_ignore = ['test_export.py']\n"),
        told=f"not run      {_CHANGED}: not collected: see tests/export/conftest.py",
        line="2 not run",
    ),
    Attack(
        name="pytest_ignore_collect",
        edit=_conftest(
            "def pytest_ignore_collect(collection_path):\n    return 'export' in collection_path.name or None\n"
        ),
        told=f"not run      {_CHANGED}: not collected: see conftest.py",
        line="2 not run",
    ),
    Attack(
        name="narrowed testpaths",
        edit=_ini("testpaths = tests/test_stock.py"),
        told=f"not run      {_CHANGED}: not collected: see pytest.ini",
        line="2 not run",
    ),
    Attack(
        name="narrowed python_files",
        edit=_ini("python_files = test_stock*.py"),
        told=f"not run      {_CHANGED}: not collected: see pytest.ini",
        line="2 not run",
    ),
    Attack(
        name="narrowed python_functions",
        edit=_ini("python_functions = test_empty test_c* test_n* test_m*"),
        told=f"vanished     {_CHANGED}",
        line="1 vanished",
    ),
    Attack(
        name="norecursedirs",
        edit=_ini("norecursedirs = export"),
        told=f"not run      {_CHANGED}: not collected: see pytest.ini",
        line="2 not run",
    ),
    Attack(
        name="a hook that narrows norecursedirs",
        edit=_conftest("def pytest_configure(config):\n    config.getini('norecursedirs').append('export')\n"),
        told=f"not run      {_CHANGED}: not collected: see conftest.py",
        line="2 not run",
    ),
    Attack(
        name="conftest takes items away",
        edit=_conftest(
            "def pytest_collection_modifyitems(items):\n    items[:] = [i for i in items if i.name != 'test_a_day']\n"
        ),
        told=f"not run      {_CHANGED}: deselected by conftest.py",
    ),
    Attack(
        name="plugin deselects", edit=_plugin_deselects, told=f"not run      {_CHANGED}: deselected by shop/plugin.py"
    ),
    Attack(
        name="skip and no entry",
        edit=_skip_without_entry,
        told=f"not run      {_CHANGED}: skipped: later",
    ),
    Attack(
        name="a hook that runs nothing",
        edit=_conftest("def pytest_runtest_protocol(item):\n    return item.name == 'test_a_day' or None\n"),
        told=f"problem      1 test without a finding of the gate: {_CHANGED}",
        also="1 test without a finding of the gate",
        line="NO ANSWER: 1 problem; 4 tests compared",
        code=1,
    ),
    Attack(
        name="a hook that takes the finding away",
        edit=_conftest(
            """
            def pytest_runtest_logreport(report):
                report.user_properties = []

            pytest_runtest_logreport.pytest_impl = {"tryfirst": True}
            """
        ),
        told="problem      4 tests without a finding of the gate: tests/export/test_export.py::test_empty, ",
        also="4 tests without a finding of the gate",
        line="NO ANSWER: 2 problems; no test compared",
        code=1,
    ),
    Attack(
        name="missing: fail counts those that did not run",
        edit=_marked("pytest.mark.skip(reason='later')"),
        args=("--memgate-missing=fail",),
        told="problem      1 test in the baseline but left out by the project's own files (missing: fail)",
        also="left out by the project's own files",
        code=1,
    ),
    Attack(
        name="PYTHONMALLOC",
        edit=_nothing_else,
        env={"PYTHONMALLOC": "malloc"},
        args=("--no-memgate-strict", "-q"),
        told="memgate: FAILED: 1 regressed; 5 tests compared",  # the base is measured under it, too
        also="measured here",
        line="1 regressed",
        code=1,
    ),
    Attack(
        name="another root",
        edit=_another_root,
        args=("tests", "--no-memgate-strict"),
        told="problem      nothing was compared: 5 new",
        also="nothing was compared: 5 new",
        line="no test compared, 5 new (not judged)",
        code=1,
    ),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with five tests, their baselines, and one commit."""
    project = Project(tmp_path_factory.mktemp("attacked") / "project")
    project.write(".gitignore", "__pycache__/\n")
    project.write("memgate.yml", "budgets: {memory.peak: {growth: 200KB}}\n")
    project.write("shop/__init__.py", "")
    project.write("shop/export.py", _EXPORT)
    project.write("shop/stock.py", "def count(things):\n    return len(things)\n")
    project.write("tests/export/test_export.py", _TEST_EXPORT)
    project.write("tests/test_stock.py", _TEST_STOCK)
    project.prepare()
    project.commit()
    return project.root


@pytest.fixture
def attacked(project: Project, base: Path) -> Project:
    """A copy of that repository in which the function has grown."""
    shutil.copytree(base, project.root, dirs_exist_ok=True)
    project.replace("shop/export.py", *_GROWN)
    return project


def _judged(project: Project, *args: str, env: Mapping[str, str] | None = None) -> Result:
    """Commit the change, and judge it against the commit before, as a CI does."""
    project.commit()
    return project.gate("--memgate-base=HEAD^1", *args, env={"CI": "true", **(env or {})})


def test_the_growth_is_red_by_itself(attacked: Project) -> None:
    result = _judged(attacked)
    assert (result.code, result.finding("test_a_day")["outcome"]) == (1, "regressed")
    assert "memgate: FAILED: 1 regressed; 5 tests compared" in result.summary()


@pytest.mark.parametrize("attack", _ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_no_attack_is_green_without_a_word(attacked: Project, attack: Attack) -> None:
    attack.edit(attacked)
    result = _judged(attacked, *attack.args, env=attack.env)
    assert result.code == attack.code, result.out
    assert attack.told in result.summary()
    (verdict,) = (line for line in result.summary().splitlines() if line.startswith("memgate: "))
    assert attack.line in verdict
    run = read_run(attacked.root.parent / "run.json")
    said = html.unescape(markdown(run))
    assert verdict.removeprefix("memgate: ") in said
    assert (attack.also or attack.told.partition(": ")[2] or "test_a_day") in said
    silent = {one["subject"]["name"]: one for one in result.run["findings"]}.get("test_a_day", {})
    assert silent.get("outcome") != "passed"
    assert silent or result.run["verdict"] != "passed"
