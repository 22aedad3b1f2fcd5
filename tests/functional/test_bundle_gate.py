"""What a bundler made is measured exactly, judged by entry, and what grew in it is named."""

import random
from pathlib import Path

import pytest
from harness import Project, Result

# What memgate.yml points at, and the entry's name, for each bundler.
BUILDS = {
    "webpack": ("stats: web/stats.json", "main"),
    "vite": ("stats: web/out/.vite/manifest.json", "index.html"),
    "esbuild": ("stats: web/metafile.json", "src/entry.js"),
}
TIGHT = "budgets:\n  bundle.initial.raw: {growth: 5KB}\n"


def declare(project: Project, check: str, more: str = "") -> None:
    project.write("memgate.yml", f"bundles:\n  app: {{{check}}}\n{more}")


@pytest.fixture(params=BUILDS)
def built(request: pytest.FixtureRequest, project: Project) -> tuple[Project, str, str]:
    """A project with a bundle's baseline, its bundler and its entry."""
    bundler: str = request.param
    check, entry = BUILDS[bundler]
    project.lay(f"bundles/built/{bundler}/base", "web")
    declare(project, check)
    project.prepare()
    return project, bundler, entry


def failure(result: Result) -> list[str]:
    """Return what a failing check says, without the margin."""
    lines = (line.removeprefix("E").strip() for line in result.out.splitlines() if line.startswith("E "))
    return [line for line in lines if line]


def test_a_package_in_the_first_screen_is_red_and_named(built: tuple[Project, str, str]) -> None:
    project, bundler, entry = built
    project.lay(f"bundles/built/{bundler}/grown", "web")
    result = project.gate()
    assert result.code == 1
    finding = result.found("bundle[app]", f"bundle.initial.raw[{entry}]")
    assert finding["outcome"] == "regressed"
    assert 200_000 < finding["growth"] < 230_000
    said = failure(result)
    assert said[0].startswith(f"bundle.initial.raw[{entry}] ")
    assert said[0].endswith("is over its budget of 200 KB")
    assert said[1] == "what grew:"
    assert "KB  node_modules/atlas  (0 B -> 2" in said[2]
    assert any(line.startswith("sheets/north.js 1") for line in said)
    assert ("imported by src/entry.js" in said) == (bundler != "vite")  # whose manifest knows of chunks only
    assert not any("lazily" in line for line in said)
    assert (
        "memgate: FAILED: 1 regressed; 1 test compared\n" in result.out
    )  # what is compressed grew by less than its budget


def test_what_moves_into_the_first_screen_is_named_as_such(built: tuple[Project, str, str]) -> None:
    project, bundler, entry = built
    project.lay(f"bundles/built/{bundler}/eager", "web")
    assert project.gate().code == 0  # it is small
    declare(project, BUILDS[bundler][0], TIGHT)
    result = project.gate()
    assert result.code == 1
    assert result.metrics("bundle[app]")[f"bundle.initial.raw[{entry}]"] == "regressed"
    assert "node_modules/@post/letters was loaded lazily before" in failure(result)
    assert not any(line.startswith("node_modules/words was") for line in failure(result))


def test_an_unchanged_build_is_green(built: tuple[Project, str, str]) -> None:
    project, bundler, _ = built
    declare(
        project, BUILDS[bundler][0], "budgets:\n  bundle.total.raw: {growth: 0B}\n  bundle.total.gzip: {growth: 0B}\n"
    )
    project.lay(f"bundles/built/{bundler}/base", "web")
    result = project.gate()
    assert result.code == 0, result.out
    values = {one["metric"]: (one["value"], one["baseline"]) for one in result.run["findings"]}
    assert len(values) == 6
    assert all(value == baseline for value, baseline in values.values())


def test_a_build_by_webpack_4_is_measured_too(project: Project) -> None:
    project.lay("bundles/built/webpack4/base", "web")
    declare(project, "stats: web/stats.json")
    project.prepare()
    assert project.gate().outcomes() == {"bundle[app]": "not gated"}


def test_a_budget_of_what_is_compressed_names_what_grew_before(project: Project) -> None:
    project.lay("bundles/built/esbuild/base", "web")
    declare(project, "stats: web/metafile.json", "budgets:\n  bundle.initial.gzip: {growth: 2KB}\n")
    project.prepare()
    project.lay("bundles/built/esbuild/eager", "web")
    result = project.gate()
    assert result.code == 1
    said = failure(result)
    assert said[0].startswith("bundle.initial.gzip[src/entry.js] ")
    assert said[1] == "what grew, before compression:"
    assert said[2].endswith("node_modules/@post/letters  (0 B -> 9.13 KB)")
    assert "node_modules/@post/letters was loaded lazily before" in said


def test_later_code_that_grows_beyond_the_first_screens_budget_is_a_note(project: Project) -> None:
    declare(project, "files: main.js, lazy: later.js")
    project.write("main.js", "x" * 900)
    project.write("later.js", "x" * 900)
    project.prepare()
    project.write("later.js", "x" * 742_900)
    result = project.gate()
    assert result.code == 0
    assert "bundle[app]: bundle.total.raw grew by 742 KB of what is loaded later, which no budget holds" in result.out
    project.write("later.js", "x" * 90_000)
    assert "loaded later" not in project.gate().out


def test_later_code_that_an_entry_loads_unasked_is_judged_with_it(project: Project) -> None:
    project.lay("bundles/built/webpack/base", "web")
    declare(project, "stats: web/stats.json, with: src/route.js")
    project.prepare()
    found = project.gate().found("bundle[app]", "bundle.initial.raw[main]")
    assert (found["outcome"], found["growth"]) == ("passed", 0)
    project.lay("bundles/built/webpack/eager", "web")
    result = project.gate()
    assert result.code == 1
    assert result.run["problems"][0]["text"].endswith("the bundle has no entry 'src/route.js'; known: main")


def test_files_need_no_bundler(project: Project) -> None:
    project.write("dist/app-1f3c5a7e.js", "console.log('a');\n" * 100)
    project.write("dist/later.js", "console.log('b');\n" * 50)
    declare(project, "files: dist/app-*.js, lazy: [dist/later.js], root: .")
    project.prepare()
    (project.root / "dist/app-1f3c5a7e.js").unlink()
    project.write("dist/app-77aa12bc.js", "console.log('a');\n" * 100)
    result = project.gate("--memgate-strict", "--memgate-missing=fail")
    assert result.code == 0, result.out
    assert result.found("bundle[app]", "bundle.initial.raw")["value"] == 1800
    assert result.found("bundle[app]", "bundle.total.raw")["value"] == 2700


# Limits, which need no baseline


def test_ten_megabytes_in_the_first_screen_are_red_without_any_baseline(project: Project) -> None:
    (project.root / "dist").mkdir()
    # Noise, as nothing else stays so large when it is compressed; in parts, as Brotli takes 11 s for one of 10 MB.
    for number in range(100):
        (project.root / f"dist/part{number}.js").write_bytes(random.Random(number).randbytes(100_001))
    declare(project, "files: 'dist/*.js'")
    result = project.gate()
    assert result.code == 1
    assert result.run["verdict"] == "failed"
    for form in ("raw", "gzip", "brotli"):
        assert result.found("bundle[app]", f"bundle.initial.{form}")["outcome"] == "regressed"
    assert "bundle.initial.raw 10 MB: 10,000,100 B is over its limit of 10,000,000 B" in failure(result)
    assert "if it is meant: raise its limit (budgets: bundle.initial.raw: limit, in memgate.yml)" in failure(result)


def test_a_limit_names_what_holds_it(project: Project) -> None:
    project.lay("bundles/built/esbuild/grown", "web")
    declare(project, "stats: web/metafile.json", "budgets:\n  bundle.initial.raw: {limit: 100KB}\n")
    result = project.gate()
    assert result.code == 1
    said = failure(result)
    assert said[0].endswith("is over its limit of 100 KB")
    assert said[1] == "what holds it:"
    assert "node_modules/atlas" in said[2]


def test_a_limit_that_became_lower_is_no_growth(project: Project) -> None:
    project.lay("bundles/built/esbuild/base", "web")
    declare(project, "stats: web/metafile.json")
    project.prepare()
    declare(project, "stats: web/metafile.json", "budgets:\n  bundle.initial.raw: {limit: 1KB}\n")
    result = project.gate()
    assert result.code == 1
    said = failure(result)
    assert "what grew:" not in said
    assert not any("lazily before" in line for line in said)


def test_a_limit_of_what_is_compressed_names_what_holds_it(project: Project) -> None:
    project.lay("bundles/built/esbuild/grown", "web")
    declare(project, "stats: web/metafile.json", "budgets:\n  bundle.initial.gzip: {limit: 50KB}\n")
    result = project.gate()
    assert result.code == 1
    assert any("node_modules/atlas" in line for line in failure(result))


# No answer


def _drop(project: Project) -> None:
    next((project.root / "web/out").glob("213*.js")).unlink()


def _edit(project: Project) -> None:
    main = next((project.root / "web/out").glob("main*.js"))
    main.write_text(main.read_text(encoding="utf-8") + ";" * 5000, encoding="utf-8")


def _forget(project: Project) -> None:
    (project.root / "web/stats.json").unlink()


def _spoil(project: Project) -> None:
    (project.root / "web/stats.json").write_text("{", encoding="utf-8")


def _fail(project: Project) -> None:
    project.lay("bundles/built/webpack/failed", "web")


def _shorten(project: Project) -> None:
    project.lay("bundles/built/webpack/terse", "web")


def _rename(project: Project) -> None:
    declare(project, "stats: web/stats.json, entries: [mian]")


NO_ANSWERS = {
    _drop: "web/stats.json: 1 of the 4 files that it names is not on disk, first 213.e362e026.js (looked in web",
    _edit: "in web/stats.json: it was changed after the build, or one of them is of an older build; build again",
    _forget: "web/stats.json: No such file or directory; build first, or name the file that the bundler writes",
    _spoil: "web/stats.json is not JSON: Expecting property name enclosed in double quotes",
    _fail: "web/stats.json: webpack's build failed: ./src/broken.js: Module not found: Error: Can't resolve './gone",
    _shorten: "web/stats.json: these stats hold no build, only its time and errors, as Rspack 2 writes them; say in",
    _rename: "the bundle has no entry 'mian'; did you mean 'main'?",
}


@pytest.mark.parametrize("spoil", NO_ANSWERS, ids=lambda spoil: str(spoil.__name__).strip("_"))
def test_a_build_that_cannot_be_read_is_no_answer(project: Project, spoil: object) -> None:
    assert callable(spoil)
    project.lay("bundles/built/webpack/base", "web")
    declare(project, "stats: web/stats.json")
    project.prepare()
    before = project.web.read_bytes()
    spoil(project)
    for mode in ((), ("--memgate-update",)):
        result = project.gate(*mode)
        assert result.code == 1
        assert result.run["verdict"] == "no answer"
        assert result.metrics("bundle[app]") == {"bundle": "no answer"}
        (said,) = failure(result)
        assert NO_ANSWERS[spoil] in said
        assert "Traceback" not in result.out
        assert project.web.read_bytes() == before


def test_one_bundle_without_an_answer_does_not_hide_another(project: Project) -> None:
    project.lay("bundles/built/webpack/base", "web")
    project.write("memgate.yml", "bundles:\n  app: {stats: web/stats.json}\n  gone: {stats: gone.json}\n")
    result = project.gate("--memgate-update")
    assert result.code == 1
    text = project.web.read_text(encoding="utf-8")
    assert "bundle[app]:" in text
    assert "bundle[gone]:" not in text


# In a test


TWO = """
    def test_two(memgate):
        one = memgate.bundle("web/stats.json", name="one", budgets={"bundle.initial.raw": {"growth": "1KB"}})
        two = memgate.bundle(files=["dist/*.js"], name="two")
        assert one["bundle.initial.raw[one:main]"] > 0
        assert two["bundle.initial.raw[two]"] == 1800
"""


@pytest.fixture
def two(project: Project) -> Project:
    """A project with a test of two bundles."""
    project.lay("bundles/built/webpack/base", "web")
    project.write("dist/a.js", "console.log('a');\n" * 100)
    project.write("tests/test_two.py", TWO)
    return project


def test_a_test_may_measure_two_bundles(two: Project) -> None:
    two.update("-n2")
    assert (two.root / ".memgate/web/tests/test_two.py.yaml").exists()
    green = two.gate("-n2")
    assert green.code == 0, green.out
    outcomes = green.metrics("test_two")
    assert outcomes["bundle.initial.gzip[two]"] == outcomes["bundle.initial.brotli[one:main]"] == "passed"
    assert outcomes["memory.peak"] == "not gated"  # it measures a bundle, not itself
    two.lay("bundles/built/webpack/eager", "web")
    red = two.gate("-n2")
    assert red.code == 1
    regressed = [metric for metric, outcome in red.metrics("test_two").items() if outcome == "regressed"]
    assert regressed == ["bundle.initial.raw[one:main]"]
    assert "node_modules/@post/letters was loaded lazily before" in failure(red)
    assert "growth 1 KB (call)" in red.out


def test_a_marker_wins_over_the_call(two: Project) -> None:
    two.prepare()
    mark = 'import pytest\n\n@pytest.mark.memgate("bundle.initial.raw", growth="9KB")\ndef test_two'
    two.replace("tests/test_two.py", "def test_two", mark)
    two.lay("bundles/built/webpack/eager", "web")
    assert two.gate().code == 0


def test_without_the_gate_the_calls_do_nothing(project: Project) -> None:
    project.write("test_it.py", 'def test_it(memgate):\n    assert memgate.bundle("gone.json") == {}\n')
    assert project.pytest().code == 0


WRONG = [
    ("memgate.bundle()", "bundle(): it takes either a bundler's stats file, or framework=, or files=, globs"),
    ('memgate.bundle("web/stats.json", files="a")', "bundle(): it takes either a bundler's stats file, or framework="),
    ('memgate.bundle("gone.json")', "gone.json: No such file or directory; build first"),
    ('memgate.bundle("web/stats.json", entries="mian")', "the bundle has no entry 'mian'; did you mean 'main'?"),
    ('memgate.bundle(files="gone/*.js")', "'gone/*.js' finds no file below"),
    (
        'memgate.bundle("web/stats.json"); memgate.bundle("web/stats.json")',
        "bundle.initial.raw[main] is measured twice in one test: tell them apart by name=",
    ),
]
WRONG_BUDGETS = [
    (
        '{"bundle.initial.rw": {"growth": "1KB"}}',
        "unknown metric 'bundle.initial.rw' (did you mean 'bundle.initial.raw",
    ),
    ('{"bundle.initial.raw": {"growth": "1ms"}}', "not a budget: '1ms' (write it as 200KB"),
    ('{"bundle.initial.raw": {"grow": "1KB"}}', "unknown argument 'grow' (did you mean 'growth'?)"),
    ('{"bundle.initial.raw": "1KB"}', "bundle.initial.raw"),
]


def _wrong(project: Project, call: str) -> list[str]:
    """Return what a test says that makes a call, from its heading on."""
    project.lay("bundles/built/webpack/base", "web")
    project.write("test_it.py", f"def test_it(memgate):\n    {call}\n")
    result = project.gate()
    assert result.code == 1
    assert result.run["verdict"] == "no answer"
    lines = result.out.partition("_ test_it _")[2].partition("= memgate =")[0].splitlines()[1:-1]
    return [line for line in lines if line]


@pytest.mark.parametrize(("call", "said"), WRONG)
def test_a_wrong_call_is_one_line(project: Project, call: str, said: str) -> None:
    (line,) = _wrong(project, call)
    assert line.startswith(f"memgate: {said}")


@pytest.mark.parametrize(("budgets", "said"), WRONG_BUDGETS)
def test_a_wrong_budget_is_one_line(project: Project, budgets: str, said: str) -> None:
    (line,) = _wrong(project, f'memgate.bundle("web/stats.json", budgets={budgets})')
    assert line.startswith("memgate: bundle(): ")
    assert said in line


def test_a_missing_bundle_cannot_be_swallowed(project: Project) -> None:
    project.write(
        "test_it.py",
        "import pytest\n\ndef test_it(memgate):\n    with pytest.raises(BaseException):\n"
        '        memgate.bundle("gone.json")\n',
    )
    result = project.gate()
    assert result.code == 1
    assert result.run["verdict"] == "no answer"


# What is kept from run to run


def test_sizes_are_compressed_once(project: Project) -> None:
    project.lay("bundles/built/webpack/grown", "web")
    declare(project, "stats: web/stats.json")
    project.prepare(plugins=("cacheprovider",))
    kept = project.root / ".pytest_cache/d/memgate/bundle-sizes.json"
    changed = _tenfold(kept)
    # A second run takes what stands there: so much that it is told from what it would count itself.
    result = project.gate(plugins=("cacheprovider",))
    assert result.found("bundle[app]", "bundle.initial.gzip[main]")["value"] > 1_000_000
    assert kept.read_text(encoding="utf-8") == changed
    assert project.gate().code == 0  # without pytest's cache nothing is kept


def _tenfold(kept: Path) -> str:
    """Make each size that is kept ten times as large."""
    import json

    content = json.loads(kept.read_text(encoding="utf-8"))
    content["sizes"] = {key: [10 * size for size in sizes] for key, sizes in content["sizes"].items()}
    text = json.dumps(content)
    kept.write_text(text, encoding="utf-8")
    return text
