"""How a test is measured: the bound, the second run, and what stands in the way."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import Project

_FIRST_USE = """
    from work import load

    CACHE = {}

    def cached():
        return CACHE.setdefault("it", load(20_000))

    def test_a(): cached()
    def test_b(): cached()
"""


def test_what_only_the_first_run_pays_is_first_use_not_growth(project: Project, workers: tuple[str, ...]) -> None:
    project.write("test_it.py", _FIRST_USE)
    project.prepare()
    for selection in (("test_it.py",), ("test_it.py::test_b",)):
        result = project.gate(*workers, *selection)
        assert (result.code, set(result.outcomes().values())) == (0, {"passed"}), result.out


def test_first_use_names_the_modules_imported(project: Project) -> None:
    project.write("heavy.py", "TABLE = [str(i) for i in range(20_000)]")
    project.write("test_it.py", "def test_imports():\n    import heavy\n")
    project.prepare()
    result = project.gate("-v")
    measurement = result.finding("test_imports")["measurement"]
    assert measurement["basis"] == "warm"
    assert "heavy" in measurement["modules"]
    assert "imported heavy" in result.summary()


def test_a_test_within_its_bound_runs_once(project: Project) -> None:
    project.write("test_it.py", "def test_it():\n    with open('ran', 'a') as file: file.write('x')\n")
    project.prepare()
    assert (project.root / "ran").read_text() == "xx"
    project.gate()
    assert (project.root / "ran").read_text() == "xxx"


def test_a_second_run_has_fresh_fixtures_and_keeps_the_wider_ones(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest

        LOG = open("log", "a", buffering=1)

        @pytest.fixture(scope="module")
        def wide():
            print("wide up", file=LOG)
            yield
            print("wide down", file=LOG)

        @pytest.fixture
        def narrow(wide):
            print("narrow up", file=LOG)
            yield []
            print("narrow down", file=LOG)

        class TestIt:
            def test_it(self, narrow, tmp_path):
                assert not hasattr(self, "used")
                self.used = True
                assert not narrow
                narrow.append(1)
                assert not list(tmp_path.iterdir())
                (tmp_path / "file").touch()
                print("call", file=LOG)
        """,
    )
    project.update("test_it.py::TestIt::test_it")
    once = ["narrow up", "call", "narrow down"]
    said = (project.root / "log").read_text().splitlines()
    assert said == ["wide up", *once * said.count("call"), "wide down"]
    assert said.count("call") > 1


def test_setup_and_teardown_of_classes_and_modules_run_as_often_as_pytest_says(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import unittest

        COUNT = {"class": 0, "method": 0}

        class TestIt(unittest.TestCase):
            @classmethod
            def setUpClass(cls): COUNT["class"] += 1
            def setUp(self): COUNT["method"] += 1
            def tearDown(self): COUNT["method"] -= 1
            def test_it(self): assert COUNT == {"class": 1, "method": 1}
        """,
    )
    assert project.update().outcomes() == {"TestIt::test_it": "no baseline"}


@pytest.mark.parametrize("fault", ["assert len(RUNS) == 1", "__import__('pytest').skip('once')", "raise SystemError"])
def test_a_test_that_cannot_run_twice_keeps_its_first_value_and_says_so(project: Project, fault: str) -> None:
    fault = fault if fault.startswith("assert") else f"len(RUNS) == 1 or exec('{fault.replace(chr(39), chr(34))}')"
    project.write("test_it.py", f"RUNS = []\ndef test_it():\n    RUNS.append(1)\n    {fault}\n")
    made = project.update()
    assert "1 passed" in made.out
    assert "repeatable: false" in project.baseline("test_it.py")
    assert "not repeatable" in made.finding("test_it")["measurement"]["notes"][0]
    assert project.gate().code == 0


def test_an_unrepeatable_test_is_still_gated(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        from work import load

        RUNS = []

        def test_it():
            RUNS.append(1)
            load(1000)
            assert len(RUNS) == 1
        """,
    )
    project.prepare()
    project.replace("test_it.py", "load(1000)", "load(9000)")
    assert project.gate().outcomes() == {"test_it": "regressed"}


def test_an_unrepeatable_test_is_not_blamed_for_what_it_imports(project: Project) -> None:
    project.write("heavy.py", "TABLE = [str(i) for i in range(20_000)]")
    text = "RUNS = []\ndef test_it():\n    RUNS.append(1)\n    import heavy\n    assert len(RUNS) == 1\n"
    project.write("test_it.py", f"import heavy\n{text}")
    project.prepare()
    project.write("test_it.py", text)
    result = project.gate()
    assert (result.code, result.outcomes()) == (0, {"test_it": "passed"})
    assert "of first use, which" in result.summary()


def test_an_error_in_the_first_teardown_is_reported_as_without_the_gate(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest

        @pytest.fixture
        def broken():
            yield
            raise RuntimeError("cannot be torn down")

        def test_it(broken): pass
        def test_after(): pass
        """,
    )
    plain, gated = project.pytest(), project.gate("--memgate-update")
    for result in (plain, gated):
        assert "2 passed, 1 error" in result.out
        assert "RuntimeError: cannot be torn down" in result.out


def test_an_error_that_only_the_second_teardown_has_is_a_note(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest

        DOWN = []

        @pytest.fixture
        def once():
            yield
            DOWN.append(1)
            assert len(DOWN) < 2

        def test_it(once): pass
        """,
    )
    result = project.gate("--memgate-update")
    assert (result.code, "1 passed" in result.out) == (0, True), result.out
    assert "an extra run could not be torn down" in result.summary()


def test_a_test_that_uses_memray_itself_passes_and_is_unmeasured(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import unittest
        import memray

        def test_it(tmp_path):
            with memray.Tracker(tmp_path / "own.bin"):
                pass

        class TestCase(unittest.TestCase):
            def test_it(self):
                with memray.Tracker("/dev/null"):
                    pass

        def test_other(): pass
        """,
    )
    result = project.gate("--memgate-update")
    assert "3 passed" in result.out
    assert result.outcomes() == {
        "test_it": "unmeasured",
        "TestCase::test_it": "unmeasured",
        "test_other": "no baseline",
    }
    assert "the test uses memray itself" in result.summary()


def test_a_test_whose_own_use_of_memray_fails_still_fails(project: Project) -> None:
    project.write("test_it.py", "import memray\n\ndef test_it(tmp_path):\n"
                  "    with memray.Tracker(tmp_path / 'x'):\n        assert 0, 'its own fault'\n")  # fmt: skip
    result = project.gate()
    assert "1 failed" in result.out
    assert "its own fault" in result.out


def test_a_fixture_that_holds_a_tracker_is_named_as_the_reason(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import memray, pytest

        @pytest.fixture
        def traced(tmp_path):
            with memray.Tracker(tmp_path / "own.bin"):
                yield

        def test_it(traced): pass
        """,
    )
    finding = project.gate().finding("test_it")
    assert (finding["outcome"], "holds a memray tracker" in finding["reason"]) == ("unmeasured", True)


def test_pytest_memray_and_the_gate_do_not_nest(project: Project) -> None:
    project.write("test_it.py", "import pytest\n\n@pytest.mark.limit_memory('1GB')\ndef test_limited(): pass\n\n"
                  "def test_free(): pass\n")  # fmt: skip
    both = project.gate("--memray", plugins=("memray",))
    assert "2 passed" in both.out
    assert (both.code, set(both.outcomes().values())) == (1, {"unmeasured"})
    assert "pytest-memray traces it" in both.summary()
    markers = project.gate("--memgate-update", plugins=("memray",))
    assert markers.outcomes() == {"test_limited": "unmeasured", "test_free": "no baseline"}


def test_every_way_to_start_a_process_is_seen(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import multiprocessing, os, subprocess, sys

        def test_run(): subprocess.run([sys.executable, "-c", "x = bytearray(200_000)"], check=True)

        def test_fork():
            child = os.fork()
            if not child:
                x = bytearray(200_000)
                os._exit(0)
            os.waitpid(child, 0)

        def test_spawn():
            process = multiprocessing.get_context("spawn").Process(target=bytearray, args=(200_000,))
            process.start()
            process.join()

        def test_another_program():
            subprocess.run(["dd", "if=/dev/zero", "of=/dev/null", "bs=40M", "count=60"], check=True)

        def test_left_running(): subprocess.Popen(["sleep", "5"])  # it is next to nothing

        def test_none(): pass
        """,
    )
    project.update()
    result = project.gate("-v")
    seen = {one["subject"]["name"] for one in result.run["findings"] if one["metric"].startswith("children")}
    assert seen == {"test_run", "test_fork", "test_spawn", "test_another_program"}


def test_threads_alive_at_the_start_are_named(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import threading
        import pytest

        @pytest.fixture(scope="module")
        def beside():
            stop = threading.Event()
            thread = threading.Thread(target=stop.wait, name="the-worker")
            thread.start()
            yield
            stop.set()
            thread.join()

        def test_it(beside): pass
        """,
    )
    notes = project.update().finding("test_it")["measurement"]["notes"]
    assert notes == ["ran beside 1 other thread(s): the-worker"]


def test_reruns_of_a_flaky_test_give_one_finding(project: Project) -> None:
    project.write("test_it.py", "RUNS = []\ndef test_flaky():\n    RUNS.append(1)\n    assert len(RUNS) > 1\n")
    made = project.update("--reruns=2", plugins=("rerunfailures",))
    assert "1 passed, 1 rerun" in made.out
    assert len(made.run["findings"]) == 1
    result = project.gate("--reruns=2", plugins=("rerunfailures",))
    assert (result.code, result.outcomes()) == (0, {"test_flaky": "passed"})


def test_reruns_do_not_wash_a_regression_away(project: Project) -> None:
    project.write("test_it.py", "from work import load\ndef test_it(): load(1000)\n")
    project.prepare()
    project.replace("test_it.py", "1000", "9000")
    result = project.gate("--reruns=2", plugins=("rerunfailures",))
    assert (result.code, result.outcomes()) == (1, {"test_it": "regressed"})


@pytest.mark.parametrize(("seed", "workers"), [("1", ()), ("2", ()), ("1", ("-n2",))])
def test_random_order_changes_no_finding(project: Project, seed: str, workers: tuple[str, ...]) -> None:
    project.write("test_it.py", _FIRST_USE + "\n    import random\n    def test_c(): load(random.randint(1, 4000))\n")
    project.prepare("-p", "no:randomly")
    args = ("-p", "randomly", f"--randomly-seed={seed}")
    project.update(*args, "--memgate-reason=seeded", plugins=("randomly",))
    assert project.gate(*args, *workers, plugins=("randomly",)).code == 0


def test_collect_only_and_setup_plan_are_not_judged(project: Project) -> None:
    project.write("test_it.py", "def test_it(): pass")
    for option in ("--collect-only", "--setup-plan"):
        result = project.pytest("--memgate", option)
        assert (result.code, "= memgate =" in result.out) == (0, False)


def test_exitfirst_stops_at_a_regression(project: Project, workers: tuple[str, ...]) -> None:
    project.write("test_it.py", "from work import load\n" + "".join(f"def test_{i}(): load(1000)\n" for i in range(20)))
    project.prepare()
    project.replace("work.py", "range(n)", "range(n * 10)")
    result = project.gate("-x", *workers)
    assert result.code != 0
    assert 0 < len(result.run["findings"]) < 20


def test_last_failed_runs_the_regressed_test_again(project: Project) -> None:
    project.write("test_it.py", "from work import load\ndef test_one(): load(1000)\ndef test_two(): load(1000)\n")
    project.prepare()
    project.replace("test_it.py", "test_two(): load(1000)", "test_two(): load(9000)")
    for _ in range(2):
        result = project.command(sys.executable, "-m", "pytest", "--memgate", "--lf")
    assert "1 failed" in result.out
    assert "1 passed" not in result.out


def test_pdb_does_not_stop_at_a_regression(project: Project) -> None:
    project.write("test_it.py", "from work import load\ndef test_it(): load(1000)\n")
    project.prepare()
    project.replace("test_it.py", "1000", "9000")
    result = project.gate("--pdb")
    assert (result.code, "(Pdb)" in result.out) == (1, False)


def test_nothing_is_left_behind_by_a_process_that_is_killed(project: Project) -> None:
    project.write("test_it.py", "import time\ndef test_it():\n    open('started', 'w')\n    time.sleep(60)\n")
    temporary = project.root.parent / "tmp"
    temporary.mkdir()
    before = set(Path("/dev/shm").iterdir()) if sys.platform == "linux" else set()
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "--memgate", "-q", "-p", "no:cacheprovider"],
        cwd=project.root,
        env=project.environ({"TMPDIR": str(temporary)}),
        stdout=subprocess.DEVNULL,
    ) as running:
        deadline = time.monotonic() + 30
        while not (project.root / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        running.kill()
    assert (project.root / "started").exists()
    if sys.platform == "linux":  # elsewhere a capture has a name, until the process ends by itself
        assert not list(temporary.glob("*memgate*"))
        assert set(Path("/dev/shm").iterdir()) <= before


def test_an_idle_run_imports_nothing_of_the_gate(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import sys

        def test_it():
            ours = {name for name in sys.modules if name.startswith("pytest_memgate")}
            assert {name.rpartition(".")[2] for name in ours} == {"pytest_memgate", "plugin", "entry", "flags"}
            assert not {"memray", "yaml", "click", "rich"} & set(sys.modules)
        """,
    )
    assert project.pytest().code == 0


def test_a_gated_run_imports_neither_the_command_nor_its_libraries(project: Project) -> None:
    project.write(
        "test_it.py", "import sys\ndef test_it(): assert not {'click', 'pytest_memgate.cli'} & set(sys.modules)\n"
    )
    assert project.update().code == 0


_ASKS = """
    import gc
    import weakref

    import pytest

    class Knot:
        def __init__(self): self.self = self

    kept = [Knot()]

    @pytest.fixture(scope="module")
    def wide():
        return [Knot()]

    def test_before(wide):
        assert gc.get_freeze_count() == 0  # so that what is there is frozen before the next test
    def test_lists(wide):
        assert sum(type(one) is Knot for one in gc.get_objects()) == 2
    def test_finds_who_refers():
        assert [one for one in gc.get_referrers(kept) if one is not globals()] == []
        assert len(gc.get_referrers(kept)) == 1
    def test_counts_what_is_frozen():
        assert gc.get_freeze_count() == 0
    def test_collects_what_was_there_before(wide):
        dead = weakref.ref(wide[0])
        wide[:] = [Knot()]
        gc.collect()
        assert dead() is None
"""
_ASKS_AT_THE_END = """
    import gc

    collect, knot = gc.collect, []

    def pytest_terminal_summary():
        assert gc.get_referrers(knot)

    def pytest_unconfigure():
        gc.enable()

    def pytest_configure(config):
        config.add_cleanup(lambda: print("as before:", gc.collect is collect, gc.get_freeze_count()))
"""


def test_a_test_that_asks_the_collector_ends_as_it_does_without_the_gate(project: Project) -> None:
    project.write("test_it.py", _ASKS)
    project.write("conftest.py", _ASKS_AT_THE_END)
    assert project.pytest().code == 0
    project.update()
    for measure in ("each", "bound"):
        result = project.gate(*f"--memgate-measure={measure}".split(), "-s")
        assert result.code == 0, result.out
        outcomes = result.outcomes()
        asking = {outcomes.pop(name) for name in ("test_lists", "test_collects_what_was_there_before")}
        assert asking == {"unmeasured"}
        assert set(outcomes.values()) == {"passed"}
        assert "as before: True 0" in result.out
    project.write("test_it.py", _ASKS.replace("def test_", '@pytest.mark.memgate(skip="lists")\n    def test_'))
    result = project.gate()
    assert ("5 passed" in result.out, set(result.outcomes().values())) == (True, {"skipped"}), result.out


def test_a_test_that_fails_by_chance_after_it_asked_the_collector_fails(project: Project) -> None:
    tests = """
        import gc
        import unittest
        from pathlib import Path

        import pytest

        runs = []

        @pytest.fixture(autouse=True)
        def clean():
            gc.collect()

        def test_before(): pass
        def test_once():
            runs.append(1)
            assert len(runs) != int(Path("failing").read_text())
        def test_behind(): pass

        class TestOnce(unittest.TestCase):
            runs = 0
            def test_method(self):
                TestOnce.runs += 1
                self.assertNotEqual(TestOnce.runs, int(Path("failing").read_text()))
    """
    project.write("test_it.py", tests)
    project.write("failing", "0")
    project.prepare()
    project.write("failing", "1")
    for measure in ("each", "bound"):
        result = project.gate(f"--memgate-measure={measure}")
        assert ("2 failed, 2 passed" in result.out, result.code) == (True, 1), result.out
        assert "assert 1 != 1" in result.out
        assert set(result.outcomes().values()) == {"passed"}, result.out


def test_a_test_that_lists_all_objects_is_within_its_budget_however_many_there_are(project: Project) -> None:
    tests = """
        import gc
        from pathlib import Path

        kept = []

        def test_before(): kept.extend([] for _ in range(int(Path("number").read_text())))
        def test_lists(): assert len(gc.get_objects()) > 0
    """
    project.write("test_it.py", tests)
    project.write("number", "10")
    project.write("memgate.yml", "budgets: {memory.retained: {growth: 10MB}, memory.peak: {growth: 200KB}}\n")
    project.prepare()
    project.write("number", "60000")
    for measure in ("each", "bound"):
        result = project.gate(f"--memgate-measure={measure}")
        assert result.outcomes()["test_lists"] == "passed", result.out


def test_what_the_collector_lists_is_a_call_of_the_tests_own(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import gc

        done = []

        def test_lists():
            assert gc.get_objects()
            assert not done
            done.append("not twice")
        """,
    )
    project.prepare()
    (site, *_) = project.gate("--memgate-measure=exact").finding("test_lists")["measurement"]["sites"]
    assert (site["path"], site["function"]) == ("test_it.py", "test_lists")


_WALKS = """
    import sys
    import warnings

    def names():
        frame = sys._getframe()
        while frame:
            yield frame.f_globals["__name__"]
            frame = frame.f_back

    def test_walks():
        assert "test_it" in set(names())
    def test_imports():
        sys.modules.pop("old", None)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            import old
        assert [one.filename for one in told] == [__file__]
        assert {"old", "test_it"} <= set(old.NAMES)
    def test_behind(): pass
"""
_OLD_MODULE = """
    import warnings

    from test_it import names

    warnings.warn("use the new one", DeprecationWarning, stacklevel=2)
    NAMES = list(names())
"""


def test_frames_of_the_gate_are_as_those_of_any_code_for_whoever_walks_the_stack(project: Project) -> None:
    project.write("test_it.py", _WALKS)
    project.write("old.py", _OLD_MODULE)
    assert project.pytest().code == 0
    project.update()
    for measure in ("each", "bound"):
        result = project.gate(f"--memgate-measure={measure}")
        assert "3 passed" in result.out, result.out


_SUBTESTS = """
    import unittest

    done = []

    def test_parts(subtests):
        for number in range(3):
            with subtests.test(number=number):
                assert number != 1 or not done
        done.append(1)

    class TestParts(unittest.TestCase):
        def test_method(self):
            for number in range(3):
                with self.subTest(number=number):
                    assert number != 1 or len(done) < 5
            done.extend(range(5))
"""


def test_a_subtest_that_fails_when_its_test_is_run_again_fails_nothing(
    project: Project, workers: tuple[str, ...]
) -> None:
    project.write("test_it.py", _SUBTESTS)
    if not hasattr(pytest, "Subtests"):  # came with pytest 9
        project.replace("test_it.py", "def test_parts(subtests)", "def parts(subtests)")
    for result in (project.update("-v", *workers), project.gate("-v", *workers, "--memgate-measure=exact")):
        assert (result.code, "failed" in result.out) == (0, False), result.out
        found = result.finding("TestParts::test_method")["measurement"]
        assert (found["basis"], "AssertionError" in str(found["notes"])) == ("cold", True)
        assert " 6 subtests passed" in result.out or not hasattr(pytest, "Subtests")
