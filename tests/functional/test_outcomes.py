"""Each outcome of the gate, with its effect on the test, the exit code and the words; all at once with workers, too."""

import textwrap

import pytest
from harness import LAST_DAY, Project, Result

_TESTS = """
    from work import load

    def test_one():
        load(1000)

    def test_two():
        load(2000)
"""


@pytest.fixture
def gated(project: Project) -> Project:
    """A project with two tests and their baseline."""
    project.write("test_it.py", _TESTS)
    project.prepare()
    return project


def _verdict(result: Result) -> str:
    return next(line for line in reversed(result.out.splitlines()) if line.startswith("memgate: "))


def test_passed(gated: Project, workers: tuple[str, ...]) -> None:
    result = gated.gate(*workers)
    assert (result.code, result.run["verdict"], result.run["exit_code"]) == (0, "passed", 0)
    assert result.outcomes() == {"test_one": "passed", "test_two": "passed"}
    assert _verdict(result) == "memgate: PASSED: 2 tests compared"
    assert "2 passed" in result.out


def test_regressed(gated: Project, workers: tuple[str, ...]) -> None:
    gated.replace("test_it.py", "load(2000)", "load(9000)")
    result = gated.gate(*workers)
    assert (result.code, result.run["verdict"], result.run["exit_code"]) == (1, "failed", 1)
    assert result.outcomes() == {"test_one": "passed", "test_two": "regressed"}
    assert _verdict(result) == "memgate: FAILED: 1 regressed; 2 tests compared"
    assert "1 failed, 1 passed" in result.out
    assert "over its budget of 200 KB" in result.out
    assert "work.py:4 in load" in result.out
    assert 'memgate baseline update --reason "…" test_it.py::test_two' in result.out


_ALL = """
    from itertools import cycle

    import pytest
    from work import load

    SIZES = cycle([9000, 9000, 15000, 2000, 30000])

    def test_same(): load(1000)
    def test_down(): load({down})
    def test_drifting(): load({drifting})
    def test_waived(): load({waived})
    def test_unstable(): load({unstable})
    @pytest.mark.memgate(limit="{limit}")
    def test_limited(): load(2000)
"""
_NEW = """
    def test_new():
        sorted("new")

    def test_tracked():
        import memray
        with memray.Tracker(destination=memray.FileDestination("own.bin", overwrite=True)):
            load(10)
"""
_OUTCOMES = {
    "test_same": "passed",
    "test_down": "improved",
    "test_drifting": "drifted",
    "test_waived": "waived",
    "test_unstable": "unstable",
    "test_limited": "regressed",
    "test_new": "new",
    "test_tracked": "unmeasured",
    "test_gone": "vanished",
    "test_otherwise": "incomparable",
}


def test_all_outcomes_at_once_with_workers_and_without(project: Project, workers: tuple[str, ...]) -> None:
    sizes = {"down": 9000, "drifting": 2000, "waived": 2000, "unstable": 2000, "limit": "9MB"}
    test = _ALL.format(**sizes)
    project.write("test_it.py", f"{test}\n    def test_gone(): sorted('gone')\n")
    project.write("test_otherwise.py", "def test_otherwise(): pass")
    budgets = "budgets: {memory.peak: {growth: 200KB, drift: 300KB}}\n"
    project.write("memgate.yml", budgets)
    project.prepare()
    test = _ALL.format(**{**sizes, "drifting": 6000})
    project.write("test_it.py", f"{test}\n    def test_gone(): sorted('gone')\n")
    project.prepare("--memgate-reason=more to do")
    path = project.baselines / "test_otherwise.py.yaml"
    path.write_text(path.read_text().replace("allocator: pymalloc,", "allocator: malloc,"))
    sizes |= {"down": 2000, "drifting": 8000, "waived": 9000, "unstable": "next(SIZES)", "limit": "100KB"}
    project.write("test_it.py", textwrap.dedent(_ALL.format(**sizes)) + textwrap.dedent(_NEW))
    waiver = f"test: '*::test_waived', metric: memory.peak, ceiling: 3MB, until: {LAST_DAY}, reason: being mended"
    project.write(
        "memgate.yml", f"budgets: {{memory.peak: {{growth: 200KB, drift: 300KB}}}}\nwaivers: [{{{waiver}}}]\n"
    )
    result = project.gate(*workers)
    assert result.outcomes() == _OUTCOMES
    assert (result.code, result.run["verdict"], result.run["exit_code"]) == (1, "failed", 1)
    assert _verdict(result).startswith("memgate: FAILED: 1 regressed, 1 drifted")
    for words in ("since its anchor of", "over its limit of 100 KB", "being mended", "the test uses memray itself"):
        assert words in result.out
    strict = project.gate("--memgate-strict", "--memgate-missing=fail", *workers)
    assert strict.code == 1
    assert strict.outcomes() == _OUTCOMES


def test_what_grew_sums_to_the_growth(gated: Project) -> None:
    gated.replace("work.py", "return", "more = bytearray(300_000)\n    return")
    finding = gated.gate().finding("test_two")
    parts = [part["head"] - part["base"] for part in finding["growth_by_site"]]
    assert sum(parts) == finding["growth"]
    assert parts[0] >= 300_000


def test_improved(gated: Project) -> None:
    gated.replace("test_it.py", "load(2000)", "load(9000)")
    gated.prepare("--memgate-reason=more to do")
    gated.replace("test_it.py", "load(9000)", "load(2000)")
    result = gated.gate()
    assert (result.code, result.outcomes()["test_two"]) == (0, "improved")
    assert "memgate baseline update --only lowered" in result.summary()


def test_drifted(gated: Project) -> None:
    gated.write("memgate.yml", "budgets: {memory.peak: {growth: 200KB, drift: 300KB}}")
    for step, size in enumerate((4000, 6000)):
        gated.write("test_it.py", _TESTS.replace("2000", str(size)))
        gated.update(f"--memgate-reason=step {step}")
    gated.write("test_it.py", _TESTS.replace("2000", "8000"))
    result = gated.gate()
    assert (result.code, result.outcomes()["test_two"]) == (1, "drifted")
    assert "since its anchor of" in result.out
    assert "memgate baseline anchor" in result.out


def test_new(gated: Project) -> None:
    gated.write("test_more.py", "def test_three(): pass")
    result = gated.gate()
    assert (result.code, result.outcomes()["test_three"]) == (0, "new")
    assert "memgate baseline update --only new" in result.summary()
    failing = gated.gate("--memgate-missing=fail")
    assert (failing.code, failing.run["verdict"]) == (1, "failed")
    assert "test_more.py::test_three" in failing.summary()


def test_no_baseline(project: Project) -> None:
    project.write("test_it.py", _TESTS)
    result = project.gate()
    assert (result.code, result.run["verdict"], result.run["exit_code"]) == (1, "no answer", 3)
    assert set(result.outcomes().values()) == {"no baseline"}
    assert "memgate baseline update" in result.summary()
    assert _verdict(result).startswith("memgate: NO ANSWER")


def test_vanished(gated: Project, workers: tuple[str, ...]) -> None:
    gated.replace("test_it.py", "def test_two():\n    load(2000)", "def test_other():\n    sorted('other')")
    result = gated.gate(*workers)
    assert (result.code, result.outcomes()["test_two"], result.outcomes()["test_other"]) == (0, "vanished", "new")
    assert "it may be test_it.py::test_two, which is gone: if so, memgate baseline rename" in result.summary()
    assert gated.gate("--memgate-missing=fail", *workers).code == 1


def test_a_whole_file_that_is_gone_has_vanished(gated: Project) -> None:
    gated.write("test_other.py", "def test_three(): pass")
    gated.prepare()
    (gated.root / "test_it.py").unlink()
    result = gated.gate("--memgate-missing=fail")
    assert (result.code, result.outcomes()["test_one"]) == (1, "vanished")


@pytest.mark.parametrize("narrow", [("-k", "one"), ("test_it.py::test_one",), ("--deselect", "test_it.py::test_two")])
def test_what_was_not_asked_for_has_not_vanished(gated: Project, narrow: tuple[str, ...]) -> None:
    result = gated.gate("--memgate-missing=fail", *narrow)
    assert (result.code, result.outcomes()) == (0, {"test_one": "passed"})


def test_unmeasured(gated: Project) -> None:
    test = """
    def test_tracked():
        import memray
        with memray.Tracker(destination=memray.FileDestination("own.bin", overwrite=True)):
            load(10)
"""
    gated.write("test_it.py", textwrap.dedent(_TESTS) + textwrap.dedent(test))
    result = gated.gate()
    assert (result.code, result.outcomes()["test_tracked"]) == (0, "unmeasured")
    assert "the test uses memray itself" in result.summary()
    strict = gated.gate("--memgate-strict")
    assert (strict.code, strict.run["verdict"]) == (1, "failed")


def test_incomparable(gated: Project) -> None:
    path = gated.baselines / "test_it.py.yaml"
    path.write_text(path.read_text().replace("allocator: pymalloc,", "allocator: malloc,"))
    result = gated.gate()
    assert (result.code, result.run["verdict"], set(result.outcomes().values())) == (1, "no answer", {"incomparable"})
    assert "allocator 'malloc, traced' there and 'pymalloc, traced' here" in result.summary()
    assert gated.gate("--memgate-strict").code == 1


def test_coverage_makes_values_incomparable(gated: Project) -> None:
    result = gated.gate("--cov=work", plugins=("cov",))
    assert set(result.outcomes().values()) == {"incomparable"}
    assert "coverage off there and on here" in result.summary()


def test_unstable(gated: Project) -> None:
    gated.write(
        "test_it.py",
        """
        from itertools import cycle
        from work import load

        SIZES = cycle([9000, 2000, 15000, 2000, 30000])

        def test_one(): load(1000)
        def test_two(): load(next(SIZES))
        """,
    )
    gated.write("memgate.yml", "budgets: {memory.peak: {growth: 100KB}}")
    result = gated.gate()
    assert (result.code, result.outcomes()["test_two"]) == (0, "passed")  # one of its runs was within the budget
    gated.replace("test_it.py", "9000, 2000", "9000, 9000")
    result = gated.gate()
    assert (result.code, result.outcomes()["test_two"]) == (0, "unstable"), result.out
    assert gated.gate("--memgate-strict").code == 1


def test_waived(gated: Project) -> None:
    gated.replace("test_it.py", "load(2000)", "load(9000)")
    gated.write(
        "memgate.yml",
        f"""
        waivers:
          - {{test: "test_it.py::test_two", metric: memory.peak, ceiling: 3MB, until: {LAST_DAY}, reason: being mended}}
        """,
    )
    result = gated.gate()
    assert (result.code, result.outcomes()["test_two"]) == (0, "waived")
    assert "being mended" in result.summary()


def test_strict_is_on_where_ci_is_set(gated: Project) -> None:
    gated.write("test_compared.py", "def test_compared(): pass")
    gated.prepare("test_compared.py")
    path = gated.baselines / "test_it.py.yaml"
    path.write_text(path.read_text().replace("memray: '", "memray: '0."))
    assert gated.gate(env={"CI": "true"}).code == 1
    assert gated.gate(env={"CI": "false"}).code == 0
    assert gated.gate("--no-memgate-strict", env={"CI": "true"}).code == 0


def test_a_limit_needs_no_baseline(project: Project) -> None:
    project.write("test_it.py", _TESTS)
    result = project.gate("--memgate-limit=100KB")
    assert result.outcomes() == {"test_one": "no baseline", "test_two": "regressed"}
    assert "over its limit of 100 KB" in result.out
