"""What could make a gate green that saw nothing, or saw something else: each is told."""

import json
import sys
from pathlib import Path

import pytest
from harness import Project

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.lhr import read_lhr

DATA = Path(__file__).parents[1] / "data"
LATE = {
    "fixture": """
        import pytest

        @pytest.fixture
        def counted(memgate):
            yield
            {call}

        def test_it(counted): pass
    """,
    "finalizer": """
        def test_it(request, memgate):
            request.addfinalizer(lambda: {call})
    """,
    "method": """
        import pytest

        class TestIt:
            @pytest.fixture(autouse=True)
            def keep(self, memgate): self.memgate = memgate

            def teardown_method(self): memgate = self.memgate; {call}

            def test_it(self): pass
    """,
}


@pytest.mark.parametrize("where", LATE)
@pytest.mark.parametrize(
    "call", ["memgate.record('rows', 9000, limit=1)", "memgate.bundle('gone.json')"], ids=["record", "bundle"]
)
@pytest.mark.parametrize("args", [(), ("--memgate-update",)], ids=["gate", "update"])
def test_what_comes_after_the_call_is_refused(project: Project, where: str, call: str, args: tuple[str, ...]) -> None:
    project.write("test_it.py", LATE[where].format(call=call))
    result = project.gate(*args)
    assert result.code == 1
    assert "the test was judged when its call ended: measure before that" in result.out


def test_what_a_fixture_records_before_the_call_counts(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest

        @pytest.fixture
        def counted(memgate):
            memgate.record("rows", 9000, limit=1)
            yield

        def test_it(counted): pass
        """,
    )
    result = project.gate()
    assert (result.code, result.metrics("test_it")["custom.rows"]) == (1, "regressed")


def test_subtests_do_not_end_a_test(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        from work import load

        def test_it(subtests, memgate):
            for number in range(3):
                with subtests.test(number=number):
                    load(1000)
            memgate.record("rows", 9000, limit=1)
        """,
    )
    result = project.gate()
    assert "OSError" not in result.out
    assert result.metrics("test_it")["custom.rows"] == "regressed"
    assert result.metrics("test_it")["memory.peak"] == "no baseline"
    project.replace("test_it.py", "limit=1", "limit=9001")
    project.update()
    assert project.gate().code == 0


@pytest.mark.parametrize("ask", ["dynamic", "plugin"])
def test_a_time_that_was_not_expected_is_not_passed_over(project: Project, ask: str) -> None:
    project.write("memgate.yml", "budgets: {time.median: {limit: 1ns}}\n")
    body = "request.getfixturevalue('benchmark')(sorted, [2, 1])"
    signature = "request"
    if ask == "plugin":
        body, signature = "benchmark(sorted, [2, 1])", "benchmark"
    project.write("test_it.py", f"def test_it({signature}):\n    {body}\n")
    args = ("-p", "pytest_benchmark.plugin", "--benchmark-max-time=0.1") if ask == "plugin" else ()
    env = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} if ask == "plugin" else None
    if ask == "plugin":
        args = ("-p", "pytest_memgate.plugin.entry", *args)
    result = project.gate(*args, "--memgate-strict", plugins=("benchmark",), env=env)
    assert result.code == 1
    metrics = result.metrics("test_it")
    if ask == "plugin":
        assert metrics["time.median"] == "regressed"
    else:
        assert metrics["time"] == "unmeasured"
        assert "name it among the test's arguments" in result.out


def test_a_budget_that_went_away_is_told(project: Project) -> None:
    project.write("test_it.py", "def test_it(memgate):\n    memgate.record('rows', 10, growth=0)\n")
    project.prepare()
    project.write("test_it.py", "def test_it(memgate):\n    memgate.record('rows', 1000)\n")
    result = project.gate("--memgate-strict")
    assert result.code == 1
    assert "it has a baseline, but no budget names it any more" in result.out
    assert "1 removed" in project.update().out
    assert project.gate("--memgate-strict").code == 0


@pytest.fixture
def rows(project: Project) -> Project:
    """A project whose one test has a value of its own, committed with its baseline."""
    project.write("conftest.py", "")
    project.write(
        "test_it.py", "def test_it(memgate):\n    memgate.record('rows', 10, 'queries', growth=0, limit=50)\n"
    )
    project.prepare()
    project.commit()
    return project


def test_a_budget_in_a_call_is_listed_where_a_change_makes_it(rows: Project) -> None:
    rows.write(
        "test_it.py", "def test_it(memgate):\n    memgate.record('rows', 99, 'queries', growth=500, limit=999)\n"
    )
    result = rows.gate("--memgate-base=main")
    assert (
        "loosened     test_it.py::test_it has a budget of its own for custom.rows: growth 500 queries (call)"
        in result.out
    )


def test_a_marker_from_conftest_is_listed_where_a_change_makes_it(rows: Project) -> None:
    rows.write(
        "conftest.py",
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.memgate(growth="1GB"))
        """,
    )
    result = rows.gate("--memgate-base=main")
    assert (
        "loosened     test_it.py::test_it has a budget of its own for memory.peak: growth 1 GB (marker)" in result.out
    )


def test_another_unit_is_no_way_past_the_base(rows: Project) -> None:
    rows.replace("test_it.py", "10, 'queries'", "4, 'hundreds'")
    name = f".memgate/{rows.baselines.name}/test_it.py.yaml"
    rows.replace(name, "value: 10\n      unit: queries", "value: 4\n      unit: hundreds")
    result = rows.gate("--memgate-base=main", "--memgate-strict")
    assert result.code == 1
    assert "its baseline is in queries, this value in hundreds" in result.out
    assert "lowered" not in result.out


def test_a_baseline_that_cannot_be_read_is_no_internal_error(rows: Project) -> None:
    rows.write("test_other.py", "def test_it(): pass\n")
    rows.prepare("test_other.py")
    name = f".memgate/{rows.baselines.name}/test_other.py.yaml"
    (rows.root / name).write_text("tests: [", encoding="utf-8")
    result = rows.gate("--memgate-base=main", "test_it.py")
    assert result.code == 1
    assert "INTERNALERROR" not in result.out
    assert f"{name}:" in result.out
    assert result.run["verdict"] == "no answer"


@pytest.mark.parametrize("place", ["folder", "addopts"])
def test_declared_checks_that_are_no_part_of_a_run_are_named(project: Project, place: str) -> None:
    project.lay("bundles/built/webpack/base", "web")
    project.write("memgate.yml", "bundles:\n  app: {stats: web/stats.json}\n")
    project.write("tests/test_it.py", "def test_it(): pass\n")
    project.prepare()
    if place == "addopts":
        project.write("pytest.ini", "[pytest]\naddopts = tests\n")
        result = project.gate()
    else:
        report = project.root.parent / "run.json"
        options = "-p no:randomly -p no:asyncio -p no:anyio -p no:memray"
        gate = f"{sys.executable} -m pytest {options} --memgate --memgate-report={report}"
        result = project.command("sh", "-c", f"cd tests && {gate}")
    assert "note         not part of this run: bundle[app] (pytest --memgate memgate.yml)" in result.out


def test_a_budget_of_a_declared_page_is_written_as_an_override(project: Project) -> None:
    project.write("memgate.yml", 'pages:\n  home: {serve: web}\nbudgets:\n  "web.tbt[home]": {limit: 1ms}\n')
    result = project.gate()
    assert result.code == 4
    assert "memgate.yml:4: a declared page is a test of its own" in result.out
    assert 'overrides: - tests: "memgate.yml::page[home]"' in result.out


def test_a_budget_of_a_call_must_meet_something(project: Project) -> None:
    project.lay("bundles/built/webpack/base", "web")
    budgets = '{"bundle.initial.gzip[mian]": {"limit": "1KB"}}'
    project.write("test_it.py", f'def test_it(memgate):\n    memgate.bundle("web/stats.json", budgets={budgets})\n')
    result = project.gate()
    assert result.code == 1
    assert "budgets= names 'bundle.initial.gzip[mian]', which was not measured" in result.out


@pytest.mark.parametrize("given", ["entries=None", "files=3", "budgets='10KB'"])
def test_a_wrong_argument_is_one_line(project: Project, given: str) -> None:
    stats = "" if given.startswith("files") else '"web/stats.json", '
    project.lay("bundles/built/webpack/base", "web")
    project.write("test_it.py", f"def test_it(memgate):\n    memgate.bundle({stats}{given})\n")
    result = project.gate()
    assert "Traceback" not in result.out
    assert "Error" not in result.out.partition("= memgate =")[0]
    assert "memgate: bundle(): " in result.out


# Builds


def test_a_vite_page_of_another_build_than_its_manifest_is_no_answer(project: Project) -> None:
    folder = next(path.parent for path in sorted((DATA / "bundles/built/vite").rglob("index.html")))
    project.lay(folder.relative_to(DATA).as_posix(), "web")
    manifest = next(path for path in (project.root / "web").rglob("manifest.json"))
    project.write("memgate.yml", f"bundles:\n  app: {{stats: {manifest.relative_to(project.root).as_posix()}}}\n")
    project.prepare()
    page = project.root / "web/index.html"
    script = next(
        chunk["file"] for chunk in json.loads(manifest.read_text(encoding="utf-8")).values() if chunk.get("isEntry")
    )
    text = page.read_text(encoding="utf-8")
    assert Path(script).name in text
    page.write_text(text.replace(Path(script).name, "newer-12345678.js"), encoding="utf-8")
    result = project.gate()
    assert result.code == 1
    assert f"index.html does not load {script}, which the manifest names" in result.out
    assert result.run["verdict"] == "no answer"


def test_an_empty_output_is_no_answer(project: Project) -> None:
    project.write("web/app.js", "")
    (project.root / "web/app.js").write_text("", encoding="utf-8")
    project.write("memgate.yml", "bundles:\n  app: {files: web/*.js}\n")
    result = project.gate()
    assert result.code == 1
    assert "has no output, or an empty one; build again" in result.out


def test_two_webpack_configurations_of_one_name_are_no_answer(project: Project) -> None:
    project.lay("bundles/built/webpack/base", "web")
    stats = json.loads((project.root / "web/stats.json").read_text(encoding="utf-8"))
    both = {"children": [{**stats, "name": "web"}, {**stats, "name": "web"}], "errors": [], "warnings": []}
    (project.root / "web/stats.json").write_text(json.dumps(both), encoding="utf-8")
    project.write("memgate.yml", "bundles:\n  app: {stats: web/stats.json}\n")
    result = project.gate()
    assert result.code == 1
    assert "two entries named 'web/main'; give each configuration a `name` of its own" in result.out


@pytest.mark.parametrize("told", ["key", "words"])
def test_a_load_that_was_cut_off_is_no_number(tmp_path: Path, told: str) -> None:
    given = json.loads((DATA / "lhr/still-13.json").read_text(encoding="utf-8"))
    if told == "key":
        paths = {"core/gather/driver/navigation.js | warningTimeout": ["runWarnings[0]"]}
        given["i18n"] = {**given.get("i18n", {}), "icuMessagePaths": paths}
    else:
        given["runWarnings"] = [
            "The page loaded too slowly to finish within the time limit. Results may be incomplete."
        ]
    path = tmp_path / "lhr.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    with pytest.raises(MeasureError, match="did not finish to load within Lighthouse's time limit"):
        read_lhr(path)


def test_a_script_that_is_not_there_makes_another_page(tmp_path: Path) -> None:
    given = json.loads((DATA / "lhr/busy-13.json").read_text(encoding="utf-8"))
    path = tmp_path / "lhr.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    assert "not found" not in read_lhr(path).conditions
    script = next(
        item for item in given["audits"]["network-requests"]["details"]["items"] if item.get("resourceType") == "Script"
    )
    script["statusCode"] = 404
    path.write_text(json.dumps(given), encoding="utf-8")
    assert read_lhr(path).conditions["not found"] == "/work.js"


def test_an_entry_that_becomes_lazy_for_another_stays_an_entry(project: Project) -> None:
    def build(size: int, *, lazily: bool) -> None:
        imports = [{"path": "web/admin.js", "kind": "dynamic-import"}] if lazily else []
        outputs = {
            "web/main.js": {"bytes": 50, "inputs": {}, "imports": imports, "exports": [], "entryPoint": "src/main.js"},
            "web/admin.js": {"bytes": size, "inputs": {}, "imports": [], "exports": [], "entryPoint": "src/admin.js"},
        }
        project.write("web/metafile.json", json.dumps({"inputs": {}, "outputs": outputs}))
        for name, length in (("web/main.js", 50), ("web/admin.js", size)):
            (project.root / name).write_bytes(b"x" * length)

    project.write("memgate.yml", "bundles:\n  app: {stats: web/metafile.json}\n")
    build(1000, lazily=False)
    project.prepare()
    build(900_000, lazily=True)
    result = project.gate()
    assert result.code == 1
    assert result.metrics("bundle[app]")["bundle.initial.raw[src/admin.js]"] == "regressed"
    assert "[src/admin.js]" in project.web.read_text(encoding="utf-8")
