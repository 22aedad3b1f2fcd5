"""Several tests under one tracker: the same verdicts, told as if each had been measured on its own."""

import re
import signal
import subprocess
import sys

import pytest
from harness import Project, Result

_TESTS = """
    from work import load

    def test_a(): load(1000)
    def test_b(): load(200)
    def test_c(): load(800)
    def test_d(): load(100)
    def test_e(): load(400)
"""


@pytest.fixture
def gated(project: Project) -> Project:
    project.write("test_it.py", _TESTS)
    project.prepare()
    return project


def _together(result: Result) -> dict[str, int]:
    """Return with how many tests each was measured."""
    found = (one for one in result.run["findings"] if one["metric"] == "memory.peak" and "measurement" in one)
    return {one["subject"]["name"]: one["measurement"].get("together", 1) for one in found}


def _basis(result: Result) -> dict[str, str]:
    found = (one for one in result.run["findings"] if one["metric"] == "memory.peak" and "measurement" in one)
    return {one["subject"]["name"]: one["measurement"]["basis"] for one in found}


def test_one_tracker_settles_several_tests(gated: Project) -> None:
    result = gated.gate()
    assert result.code == 0, result.out
    assert set(_together(result).values()) == {5}
    assert set(_basis(result).values()) == {"bound"}
    assert result.finding("test_d")["bound"] <= result.finding("test_a")["bound"]


def test_each_is_measured_on_its_own_where_that_is_asked_for(gated: Project) -> None:
    assert set(_together(gated.gate("--memgate-measure=each")).values()) == {1}
    gated.write("memgate.yml", "measure: each\n")
    assert set(_together(gated.gate()).values()) == {1}
    assert set(_together(gated.gate("--memgate-measure=bound")).values()) == {5}


@pytest.mark.parametrize(("measure", "workers"), [("bound", ()), ("each", ()), ("bound", ("-n2",))])
def test_what_grew_is_red_alone_with_its_own_value(gated: Project, workers: tuple[str, ...], measure: str) -> None:
    gated.replace("test_it.py", "load(800)", "load(9000)")
    result = gated.gate(f"--memgate-measure={measure}", *workers)
    assert result.code == 1
    assert {name for name, outcome in result.outcomes().items() if outcome != "passed"} == {"test_c"}
    found = result.found("test_c", "memory.peak")
    assert (found["outcome"], found["measurement"]["basis"]) == ("regressed", "warm")
    assert found["growth_by_site"][0]["site"]["function"] == "load"
    assert "1 failed, 4 passed" in result.out


def test_what_stays_is_red_where_it_is_over_its_budget_and_not_below(gated: Project) -> None:
    gated.replace("test_it.py", "def test_c(): load(800)", "kept = []\ndef test_c(): kept.append(load(1400))")
    result = gated.gate()
    assert result.metrics("test_c") == {"memory.peak": "passed", "memory.retained": "regressed"}
    gated.replace("test_it.py", "load(1400)", "load(700)")
    result = gated.gate()
    assert result.code == 0, result.out
    assert set(_together(result).values()) == {5}


def test_what_a_fixture_holds_until_its_teardown_was_there_when_the_test_ended(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest
        from work import load

        @pytest.fixture
        def held():
            yield (own := [])
            own.clear()

        def test_a(held): load(200)
        def test_b(held): held.append(load(50))
        def test_c(held): load(200)
        """,
    )
    project.prepare()
    assert set(_together(project.gate()).values()) == {3}
    project.replace("test_it.py", "load(50)", "load(1400)")
    result = project.gate()
    assert result.metrics("test_b") == {"memory.peak": "passed", "memory.retained": "regressed"}
    assert result.outcomes()["test_a"] == result.outcomes()["test_c"] == "passed"


def test_wider_fixtures_live_on_while_tests_are_measured_again(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        from pathlib import Path

        import pytest
        from work import load

        def note(what):
            with Path("notes").open("a") as file:
                print(what, file=file)

        @pytest.fixture(scope="module", autouse=True)
        def wide():
            note("up")
            yield
            note("down")

        @pytest.fixture
        def own():
            note("+")
            yield
            note("-")

        def test_a(own): load(200)
        def test_b(own): load(200)
        def test_c(own): load(200)
        def test_d(own): load(200)
        """,
    )
    project.write("test_next.py", "def test_next(): pass\n")
    project.prepare()
    (project.root / "notes").unlink()
    project.replace("test_it.py", "test_b(own): load(200)", "test_b(own): load(9000)")
    result = project.gate()
    assert result.outcomes() == {
        "test_a": "passed",
        "test_b": "regressed",
        "test_c": "passed",
        "test_d": "passed",
        "test_next": "passed",
    }
    notes = (project.root / "notes").read_text().split()
    assert (notes[0], notes[-1], notes.count("up"), notes.count("down")) == ("up", "down", 1, 1)
    assert notes[1:-1] == ["+", "-"] * ((len(notes) - 2) // 2)


def test_reports_come_in_the_order_of_the_tests_each_once(gated: Project, workers: tuple[str, ...]) -> None:
    gated.replace("test_it.py", "def test_c(): load(800)", "def test_c(): assert False, 'broken'")
    gated.replace("test_it.py", "def test_b(): load(200)", "def test_b(): load(9000)")
    result = gated.gate("-v", "-p", "no:randomly", *workers)
    told = re.findall(r"test_it\.py::(test_\w) (PASSED|FAILED)|(PASSED|FAILED) test_it\.py::(test_\w)", result.out)
    names = [(one or four, two or three) for one, two, three, four in told][:5]
    assert sorted(names) == [
        ("test_a", "PASSED"),
        ("test_b", "FAILED"),
        ("test_c", "FAILED"),
        ("test_d", "PASSED"),
        ("test_e", "PASSED"),
    ]
    assert workers or names == sorted(names)
    assert "2 failed, 3 passed" in result.out


@pytest.mark.parametrize("option", ["-x", "--maxfail=1", "--stepwise"])
def test_a_run_that_may_stop_stops_at_the_test_that_grew(gated: Project, option: str) -> None:
    gated.replace("test_it.py", "load(200)", "load(9000)")
    plugins = ("cacheprovider",) if option == "--stepwise" else ()
    result = gated.gate(option, plugins=plugins)
    assert "1 failed, 1 passed" in result.out


def test_a_failing_teardown_is_an_error_of_its_test(gated: Project) -> None:
    gated.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture
        def bad():
            yield
            raise ValueError("oops")
        """,
    )
    for grows in (False, True):
        gated.replace("test_it.py", "def test_e(): load(400)", f"def test_e(bad): load({9000 if grows else 400})")
        result = gated.gate()
        assert len(re.findall("^ERROR .*oops", result.out, re.MULTILINE)) == 1
        assert "5 passed, 1 error" in result.out
        # It cannot be run again, and that all of them together are over its budget says nothing of it.
        assert result.outcomes()["test_e"] == ("unmeasured" if grows else "passed")
        gated.write("test_it.py", _TESTS)


def test_a_worker_that_dies_takes_no_result_with_it(gated: Project) -> None:
    gated.replace("test_it.py", "def test_d(): load(100)", "def test_d():\n    import os\n    os._exit(3)")
    result = gated.gate("-n1")
    assert result.code == 1
    assert "1 failed, 4 passed" in result.out, result.out
    assert result.outcomes()["test_a"] in {"passed", "unmeasured"}
    lost = {name for name, outcome in result.outcomes().items() if outcome == "unmeasured"}
    assert lost == {"test_a", "test_b", "test_c"}
    assert "its worker died" in result.finding("test_a")["reason"]


def test_ctrl_c_leaves_what_has_run(gated: Project) -> None:
    sleep = "import time\n    print('asleep', flush=True)\n    time.sleep(60)"
    gated.replace("test_it.py", "def test_d(): load(100)", f"def test_d():\n    {sleep}")
    command = [sys.executable, "-m", "pytest", "--memgate", "-v", "-s", "-p", "no:randomly", "-p", "no:cacheprovider"]
    with subprocess.Popen(command, cwd=gated.root, env=gated.environ(), stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        before = ""
        while not before.endswith("asleep\n"):
            line = running.stdout.readline()
            assert line, before
            before += line
        running.send_signal(signal.SIGINT)
        out = before + running.communicate(timeout=60)[0]
    assert re.findall(r"(test_\w) PASSED", out) == ["test_a", "test_b", "test_c"]
    assert "3 passed" in out
    assert "the run was interrupted" in out


def test_a_test_with_its_own_tracker_runs_alone(gated: Project) -> None:
    own = "import memray, time\n    with memray.Tracker(str(tmp_path / f'{time.time_ns()}.bin')): pass"
    gated.replace("test_it.py", "def test_c(): load(800)", f"def test_c(tmp_path):\n    {own}")
    result = gated.gate()
    assert "5 passed" in result.out
    assert result.outcomes()["test_c"] == "unmeasured"
    assert "uses memray itself" in result.finding("test_c")["reason"]
    assert {name for name, outcome in result.outcomes().items() if outcome == "passed"} == {
        "test_a",
        "test_b",
        "test_d",
        "test_e",
    }


@pytest.mark.parametrize("where", ["setup", "teardown"])
def test_a_fixture_with_its_own_tracker_is_no_failure(gated: Project, where: str) -> None:
    own = "with memray.Tracker(str(tmp_path / f'{time.time_ns()}.bin')): pass"
    lines = [own, "yield"] if where == "setup" else ["yield", own]
    body = "\n    ".join(lines)
    gated.write("conftest.py", f"import time, memray, pytest\n\n@pytest.fixture\ndef traced(tmp_path):\n    {body}\n")
    gated.replace("test_it.py", "test_c()", "test_c(traced)")
    result = gated.gate()
    assert (result.code, "5 passed" in result.out) == (0, True), result.out


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there cProfile does not take a profiler's place")
@pytest.mark.parametrize("scope", ["session", "function"])
def test_a_fixture_with_a_profiler_is_no_failure(gated: Project, scope: str) -> None:
    gated.write(
        "conftest.py",
        f"""
        import cProfile

        import pytest

        @pytest.fixture(scope="{scope}")
        def profiled():
            with cProfile.Profile():
                yield
        """,
    )
    gated.replace("test_it.py", "test_b()", "test_b(profiled)")
    gated.replace("test_it.py", "load(800)", "load(9000)")
    result = gated.gate()
    behind = ["unmeasured"] * 3 if scope == "session" else ["regressed", "passed", "passed"]
    assert [result.outcomes()[f"test_{letter}"] for letter in "abcde"] == ["passed", "unmeasured", *behind]


def test_allocators_that_a_fixture_exchanges_hide_nothing(gated: Project) -> None:
    gated.write(
        "conftest.py",
        """
        import tracemalloc

        import pytest

        @pytest.fixture
        def watched():
            tracemalloc.start()
            yield
            tracemalloc.stop()
        """,
    )
    gated.replace("test_it.py", "test_c()", "test_c(watched)")
    gated.replace("test_it.py", "load(800)", "load(9000)")
    result = gated.gate()
    assert result.outcomes()["test_c"] == "regressed", result.out


def test_tests_that_are_run_again_by_another_plugin_are_so_here(gated: Project) -> None:
    gated.replace(
        "test_it.py",
        "def test_c(): load(800)",
        "tries = []\ndef test_c():\n    tries.append(1)\n    assert len(tries) > 1",
    )
    result = gated.gate("--reruns=2", plugins=("rerunfailures",))
    assert "5 passed, 1 rerun" in result.out
    assert set(result.outcomes().values()) == {"passed"}


def test_what_is_new_or_has_a_budget_of_its_own_stands_alone(gated: Project) -> None:
    gated.write(
        "test_it.py",
        _TESTS.replace("def test_d(): load(100)", "def test_new(): load(100)\n    def test_d(): load(100)").replace(
            "def test_b", "import pytest\n    @pytest.mark.memgate(growth='300KB')\n    def test_b"
        ),
    )
    result = gated.gate()
    assert _together(result) == {"test_a": 1, "test_b": 1, "test_c": 1, "test_new": 1, "test_d": 2, "test_e": 2}


def test_a_package_that_is_new_is_found_though_nobody_was_measured_alone(gated: Project) -> None:
    gated.write("heavy/__init__.py", "table = [str(i) for i in range(30_000)]\n")
    gated.replace("test_it.py", "def test_c(): load(800)", "def test_c():\n    import heavy")
    result = gated.gate()
    assert result.outcomes()["test_c"] == "passed"
    found = [one for one in result.run["findings"] if one["subject"]["file"] == "first-use"]
    assert [(one["subject"]["name"], one["outcome"]) for one in found] == [("heavy/__init__.py", "regressed")]
    assert found[0]["details"] == ["paid by test_it.py::test_c"]


def test_what_earlier_tests_leave_counts_for_none_of_the_later(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest
        from work import load

        kept = []

        @pytest.mark.parametrize("number", range(16))
        def test_it(number): kept.append(load(30))  # some 3 KB
        """,
    )
    project.prepare()
    result = project.gate()
    assert result.code == 0, result.out
    assert set(_basis(result).values()) == {"bound"}
    assert max(_together(result).values()) > 8
    first, *_, last = (result.finding(f"test_it[{number}]")["bound"] for number in range(16))
    assert last < first - 20_000


def test_what_only_a_first_run_pays_lets_only_that_test_be_measured_alone(gated: Project) -> None:
    gated.replace(
        "test_it.py",
        "def test_c(): load(800)",
        "import functools\ntable = functools.cache(load)\ndef test_c(): table(9000)",
    )
    gated.prepare("--memgate-reason", "a table")
    result = gated.gate()
    assert result.code == 0, result.out
    # For those behind it, the table was there before them; those before it run again together.
    assert _together(result) == {"test_a": 2, "test_b": 2, "test_c": 5, "test_d": 5, "test_e": 5}
    basis = _basis(result)
    assert [basis[f"test_{name}"] for name in "abcde"] == ["bound", "bound", "warm", "bound", "bound"]


def test_one_that_grew_leaves_the_other_half_settled_together(gated: Project) -> None:
    gated.replace("test_it.py", "load(100)", "load(9000)")
    result = gated.gate()
    assert result.outcomes()["test_d"] == "regressed"
    basis = _basis(result)
    assert [basis[f"test_{name}"] for name in "abcde"] == ["bound", "bound", "bound", "warm", "warm"]


def test_groups_do_not_depend_on_the_clock(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import os
        import time
        import pytest

        @pytest.mark.parametrize("number", range(3))
        def test_it(number): time.sleep(float(os.environ.get("NAP", 0)))
        """,
    )
    project.prepare()
    quick, slow = (_together(project.gate(env={"NAP": nap})) for nap in ("0", "2.1"))
    assert quick == slow == {f"test_it[{number}]": 3 for number in range(3)}


def test_what_python_keeps_for_reuse_serves_no_later_test_unseen(project: Project) -> None:
    """Freed tuples are kept, up to 2,000 of a size: a later test would hold them, and have allocated nothing."""
    project.write(
        "test_it.py",
        """
        kept = {}

        def test_frees(): [(n, n) for n in range(500)]

        def test_keeps():
            if not kept:
                kept[0] = bytes(300_000)

        def test_holds():
            held = [(n, n) for n in range(500)]
            bytes(120_000)
        """,
    )
    project.prepare()
    found = project.gate().found("test_holds", "memory.peak")
    assert (found["measurement"]["basis"], found["measurement"]["together"]) == ("bound", 3)
    assert found["bound"] >= found["baseline"] > 145_000


def test_a_module_that_comes_as_another_goes_is_found(project: Project) -> None:
    """A test that takes one module out, as many do with `mock.patch.dict`, and imports a heavier one."""
    project.write("heavy.py", "TABLE = [str(n) * 4 for n in range(int(open('size').read()))]\n")
    project.write("size", "100")
    project.write("kept.py", "import functools\n@functools.cache\ndef base(): return bytes(300_000)\n")
    project.write("test_kept.py", "import kept\ndef test_base(): kept.base()\n")  # so that there is a ledger
    project.write(
        "test_it.py",
        """
        import colorsys
        import sys

        def test_before(): assert sum(range(100))
        def test_swap():
            sys.modules.pop("colorsys", None)
            import heavy
            assert heavy.TABLE
        def test_after(): assert sum(range(200))
        """,
    )
    project.prepare()
    project.write("size", "20000")
    result = project.gate()
    assert (result.code, result.metrics("heavy.py")["memory.first_use"]) == (1, "regressed"), result.out


_CLASSES = """
    import pytest
    from work import load

    said = []

    class TestA:
        def test_a1(self): load(1000)
        def test_a2(self): load({a2})
    class TestB:
        class TestInner:
            def test_b1(self): load(800)
    class TestC:
        @pytest.fixture(scope="class", autouse=True)
        def held(self):
            said.append("up")
            yield
            said.append("down")
        def test_c1(self): load(1000)
        def test_c2(self): load(1000)
    class TestD:
        def test_d1(self):
            assert said == ["up", "down"]
            load(1000)
        def test_d2(self): load({d2})
    class TestE:
        def test_e1(self): load(1000)
"""


def test_classes_without_fixtures_of_their_own_share_a_tracker(project: Project) -> None:
    project.write("test_it.py", _CLASSES.format(a2=400, d2=400))
    project.prepare()
    result = project.gate()
    assert result.code == 0, result.out
    names = {"TestA::test_a1": 3, "TestA::test_a2": 3, "TestB::TestInner::test_b1": 3}
    names |= {"TestC::test_c1": 1, "TestC::test_c2": 1, "TestD::test_d1": 3, "TestD::test_d2": 3, "TestE::test_e1": 3}
    assert _together(result) == names


@pytest.mark.parametrize("args", [(), ("-p", "no:randomly", "-n2"), ("-p", "randomly", "-p", "no:xdist")])
def test_a_test_of_an_earlier_class_runs_again_when_a_later_one_is_set_up(
    project: Project, args: tuple[str, ...]
) -> None:
    project.write("test_it.py", _CLASSES.format(a2=400, d2=400).replace('["up", "down"]', "said"))
    project.prepare()
    project.write("test_it.py", _CLASSES.format(a2=9000, d2=9000).replace('["up", "down"]', "said"))
    result = project.gate(*args, plugins=("randomly",))
    assert result.code == 1
    red = {name for name, outcome in result.outcomes().items() if outcome != "passed"}
    assert red == {"TestA::test_a2", "TestD::test_d2"}, result.out
    assert _basis(result)["TestA::test_a2"] == "warm"


def test_a_class_fixture_that_only_a_call_asks_for_is_torn_down_with_its_class_and_its_error_is_told(
    project: Project,
) -> None:
    tests = """
        import pytest
        from work import load

        @pytest.fixture(scope="class")
        def late():
            yield
            assert not "torn down"

        class TestA:
            def test_a(self): load({a})
        class TestB:
            def test_b(self, request): load(1000); {late}
        """
    project.write("test_it.py", tests.format(a=400, late=""))
    project.prepare()
    project.write("test_it.py", tests.format(a=9000, late="request.getfixturevalue('late')"))
    result = project.gate()
    assert result.found("TestA::test_a", "memory.peak")["measurement"]["warm"], (
        result.out
    )  # it ran again, with the later class out of its way
    assert "ERROR at teardown of TestB.test_b" in result.out
    assert "1 failed, 1 passed, 1 error" in result.out


def test_a_small_growth_over_a_small_budget_is_named(project: Project) -> None:
    project.write("memgate.yml", "budgets: {memory.retained: {growth: 1KB}}\n")
    project.write("test_it.py", "kept = []\ndef test_it(): pass\n")
    project.prepare()
    project.write("test_it.py", "kept = []\ndef test_it(): kept.append(bytearray(3_000))\n")
    found = project.gate().found("test_it", "memory.retained")
    assert found["outcome"] == "regressed"
    assert found["growth_by_site"][0]["site"]["function"] == "test_it"
