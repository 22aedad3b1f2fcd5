"""What only the first run pays: in a ledger by package or file, and red in whichever test, order or worker pays it."""

import re
import shutil
from typing import Any

import pytest
from harness import Project, Result

_TABLES = """
    NAMES = [str(number) * 4 for number in range(20_000)]   # 1.4 MB as the module is loaded
"""
_LOOKUP = """
    _index = {}

    def find(word):
        if not _index:                                      # the first call pays for all
            from tables import NAMES
            _index.update({name: name[::-1] for name in NAMES})
        return _index.get(word)
"""
_TESTS = {
    "test_a.py": """
        def test_names():
            from tables import NAMES
            assert len(NAMES) >= 20_000

        def test_plain():
            assert sum(range(1000)) == 499_500
    """,
    "test_b.py": """
        import pytest

        @pytest.fixture
        def lookup():
            import lookup
            return lookup

        def test_found(lookup):
            assert lookup.find("1111") == "1111"

        def test_not_found(lookup):
            assert lookup.find("x") is None
    """,
}


class Shop:
    """A project, with a package that lies outside of it, as an installed one does."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.library = project.root.parent / "library"

    def write(self, name: str, text: str) -> None:
        self.project.write(f"../library/{name}", text)

    def gate(self, *args: str, **env: str) -> Result:
        """Run the gate with files compiled: where they are not, a fresh process runs twice. None is changed at once."""
        env = {"PYTHONDONTWRITEBYTECODE": "", **env}
        path = f"{self.project.root}:{self.library}"
        return self.project.gate(*args, plugins=("randomly",), env={"PYTHONPATH": path, **env})

    def update(self, *args: str) -> Result:
        done = self.gate("--memgate-update", "-p", "no:randomly", *args)
        assert done.code == 0, done.out
        return done

    def ledger(self) -> str:
        return (self.project.baselines / "first-use.yaml").read_text(encoding="utf-8")


def _first_uses(result: Result) -> list[dict[str, Any]]:
    return [one for one in result.run["findings"] if one["subject"]["file"] == "first-use"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(Project(tmp_path_factory.mktemp("made") / "project"))
    for name, text in _TESTS.items():
        shop.project.write(name, text)
    shop.project.write("lookup.py", _LOOKUP)
    shop.write("tables.py", _TABLES)
    shop.update()
    return shop


@pytest.fixture
def shop(made: Shop, project: Project) -> Shop:
    """Return a shop with its baselines, and with all files compiled."""
    shutil.copytree(made.project.root.parent, project.root.parent, dirs_exist_ok=True)
    return Shop(project)


@pytest.mark.parametrize(
    "args",
    [
        ("-p", "no:randomly"),
        ("-p", "randomly", "-p", "no:randomly", "-k", "not_found"),
        ("-p", "no:randomly", "-n2"),
        ("-p", "no:randomly", "test_b.py"),
        ("-p", "randomly", "-p", "no:xdist", "--randomly-seed=3"),
        ("-p", "no:randomly", "test_b.py", "test_a.py"),
    ],
    ids=["all", "one test", "workers", "one file", "random", "files turned"],
)
def test_unchanged_code_is_green_whoever_pays(shop: Shop, args: tuple[str, ...]) -> None:
    result = shop.gate(*args)
    assert (result.code, _first_uses(result)) == (0, []), result.out


def test_the_ledger_tells_whose_it_is_and_not_which_test_paid(shop: Shop) -> None:
    text = shop.ledger()
    assert "  tables:\n    import.peak:" in text
    assert text.count("    memory.first_use:") == 2
    assert "lookup.py:\n    memory.first_use:" in text  # the index, which a call made
    assert "test_" not in text
    before = text
    shop.update()
    assert shop.ledger() == before


@pytest.mark.parametrize(
    ("args", "payer"),
    [
        ((), "test_a.py::test_names"),
        (("-k", "not_found"), "test_b.py::test_not_found"),
        (("-n2",), "test_a.py::test_names"),
    ],
    ids=["all", "one test", "workers"],
)
def test_a_package_that_grew_is_red_once_and_by_its_name(shop: Shop, args: tuple[str, ...], payer: str) -> None:
    shop.write("tables.py", _TABLES.replace("20_000", "34_000"))
    result = shop.gate("-p", "no:randomly", *args)
    found = result.found("tables", "memory.first_use")  # once, though each worker pays
    assert (result.code, found["outcome"]) == (1, "regressed")
    assert result.metrics("tables")["import.retained"] == "regressed"  # which is what confirms it
    assert found["growth_by_site"][0]["site"]["path"] == "tables"
    assert 900_000 < found["growth"] < 1_100_000
    assert found["details"] == [f"paid by {payer}"]
    assert f"FAILED {payer} - " in result.out


def test_a_first_call_that_builds_more_is_confirmed_in_a_fresh_process(shop: Shop) -> None:
    shop.project.replace("lookup.py", "_index.update({", "_index.update({f'{name}{name}': name for name in NAMES} | {")
    shop.project.write("pytest.ini", "[pytest]\nfilterwarnings = error\n")  # also of an option that nobody takes
    result = shop.gate("-p", "no:randomly")
    found = result.found("lookup.py", "memory.first_use")
    assert (result.code, found["outcome"]) == (1, "regressed")
    assert found["growth_by_site"][0]["site"]["path"] == "lookup.py"
    assert "by this test alone in a fresh process" in result.out
    assert "1 first-use increase re-checked in a fresh process" in result.out


def test_a_package_that_takes_more_only_while_it_is_imported_is_red_on_its_peak(shop: Shop) -> None:
    """What is let go of again is in no ledger: the package is imported alone, since its modules are others now."""
    assert "import.peak:" in shop.ledger()
    shop.write(
        "tables.py", f"{_TABLES.strip()}\nTEXT = str([bytearray(5_000_000)])[:1]\nMORE = list(range(9000, 14_000))\n"
    )
    result = shop.gate("-p", "no:randomly", "-n2")
    assert (result.code, result.metrics("tables")["import.peak"]) == (1, "regressed"), result.out
    found = result.found("tables", "import.peak")
    assert found["growth_by_site"][0]["site"]["path"] == "tables"
    assert found["details"] == ["imported by test_a.py::test_names"]


def test_a_heavy_package_that_is_new_is_red_until_it_is_accepted(shop: Shop) -> None:
    shop.write("heavy.py", _TABLES)
    shop.project.replace("test_a.py", "    assert sum", "    import heavy\n    assert heavy.NAMES and sum")
    result = shop.gate("-p", "no:randomly")
    assert (result.code, result.metrics("heavy")["memory.first_use"]) == (1, "regressed")
    refused = shop.gate("--memgate-update", "-p", "no:randomly")
    assert (refused.code, "heavy memory.first_use" in refused.out) == (1, True)
    assert "heavy:" not in shop.ledger()
    shop.update("--memgate-reason", "names are needed")
    assert "reason: names are needed" in shop.ledger()
    assert shop.gate("-p", "no:randomly").code == 0


def test_a_part_of_the_suite_lowers_nothing_and_a_whole_run_forgets_what_is_gone(shop: Shop) -> None:
    before = shop.ledger()
    shop.update("-k", "plain")
    assert shop.ledger() == before
    shop.project.write("test_b.py", "def test_alone(): pass\n")
    shop.update()
    assert "lookup.py" not in shop.ledger()
    assert "tables" in shop.ledger()


def test_growth_that_a_fresh_process_does_not_show_is_no_alarm(shop: Shop) -> None:
    """Here the package is heavier only where other tests have run before."""
    shop.write(
        "tables.py",
        f"import sys\n{_TABLES.strip()}\nMORE = [str(n) for n in range(20_000 * ('lookup' in sys.modules))]\n",
    )
    shop.project.write("test_a.py", "import lookup\ndef test_names():\n    from tables import NAMES\n")
    shop.project.write("conftest.py", "import os\nif 'MEMGATE_FRESH' not in os.environ:\n    import lookup\n")
    shop.project.replace("test_a.py", "import lookup\n", "")
    result = shop.gate("-p", "no:randomly", "test_a.py")
    assert result.code == 0, result.out
    (found,) = _first_uses(result)
    assert (found["outcome"], "was not seen again" in found["reason"]) == ("passed", True)
    assert "1 first-use increase re-checked in a fresh process" in result.out


def test_a_fresh_process_that_hangs_is_ended_and_is_no_answer(shop: Shop) -> None:
    shop.project.replace("lookup.py", "_index.update({", "_index.update({f'{name}{name}': name for name in NAMES} | {")
    shop.project.write(
        "conftest.py",
        """
        import os
        import time

        from pytest_memgate.plugin.session import fresh_process as fresh

        fresh._PATIENCE = 4.0
        if "MEMGATE_FRESH" in os.environ:
            time.sleep(500)
        """,
    )
    result = shop.gate("-p", "no:randomly", "--memgate-strict")
    found = result.found("lookup.py", "memory.first_use")
    assert (result.code, found["outcome"]) == (1, "unstable"), result.out
    assert "and a fresh process could not tell: it did not end within 4 s" in result.out


def test_without_compiled_files_a_confirmation_makes_its_own(shop: Shop) -> None:
    for folder in (shop.library, shop.project.root):
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    result = shop.gate("-p", "no:randomly", PYTHONDONTWRITEBYTECODE="1")
    assert result.code == 0, result.out
    shop.write("tables.py", _TABLES.replace("20_000", "34_000"))
    result = shop.gate("-p", "no:randomly", PYTHONDONTWRITEBYTECODE="1")
    assert (result.code, result.metrics("tables")["memory.first_use"]) == (1, "regressed")


def test_a_ledger_that_cannot_be_read_is_one_line_and_no_answer(shop: Shop) -> None:
    (shop.project.baselines / "first-use.yaml").write_text("entries: [\n", encoding="utf-8")
    result = shop.gate("-p", "no:randomly")
    assert result.code != 0
    assert "Traceback" not in result.out
    assert "memgate: NO ANSWER" in result.out
    assert result.out.count("first-use.yaml") <= 2
    assert ".memgate" in result.out


def test_what_a_fresh_process_does_not_show_hides_nothing_of_a_later_test(shop: Shop) -> None:
    """The first one that pays does so only behind another test; the second always does, and for more."""
    shop.write(
        "growing.py",
        """
        from pathlib import Path

        behind = []
        kept = {}

        def take(name, share):
            if name not in kept:
                kept[name] = [str(number) * 4 for number in range(int(share * int(Path("size").read_text())))]
        """,
    )
    shop.project.write("size", "100")
    shop.project.write(
        "test_growing.py",
        """
        import growing

        def test_before(): growing.behind[:] = [1]
        def test_behind(): growing.take("behind", len(growing.behind) * 0.5)
        def test_always(): growing.take("always", 1)
        """,
    )
    shop.update()
    shop.project.write("size", "30000")
    result = shop.gate("-p", "no:randomly", "test_growing.py")
    told = [(one["outcome"], one["details"]) for one in _first_uses(result)]
    assert told == [("regressed", ["paid by test_growing.py::test_always"])]


def test_what_another_thread_pays_for_is_found_whichever_of_the_tests_was_its_cause(shop: Shop) -> None:
    shop.project.write(
        "test_served.py",
        """
        from concurrent.futures import ThreadPoolExecutor
        from pathlib import Path

        import pytest
        import served

        @pytest.fixture(scope="module")
        def pool():
            with ThreadPoolExecutor(1) as pool:
                pool.submit(int).result()
                yield pool

        def test_a(pool): pool.submit(served.get, 0).result()
        def test_b(pool): pool.submit(served.get, 0).result()
        def test_c(pool): pool.submit(served.get, int(Path("size").read_text())).result()
        def test_d(pool): pool.submit(served.get, 0).result()
        """,
    )
    shop.write(
        "served.py",
        """
        pages = {}

        def get(size):
            if size not in pages:
                pages[size] = [str(number) * 4 for number in range(size)]
        """,
    )
    shop.project.write("size", "100")
    shop.update()
    assert shop.gate("-p", "no:randomly", "test_served.py").code == 0
    shop.project.write("size", "20000")
    for measure in ("each", "bound"):
        result = shop.gate("-p", "no:randomly", f"--memgate-measure={measure}", "test_served.py")
        told = [(one["subject"]["name"], one["outcome"], one["details"]) for one in _first_uses(result)]
        assert told[-1:] == [("served", "regressed", ["paid by test_served.py::test_c"])], measure
    # What no test pays for in a fresh process is not looked for in one process a test.
    shop.project.replace("test_served.py", "import served", "import os, served")
    shop.project.replace("test_served.py", "int(Path", '"MEMGATE_FRESH" not in os.environ and int(Path')
    result = shop.gate("-p", "no:randomly", "--memgate-measure=bound", "test_served.py")
    (found,) = _first_uses(result)
    assert (result.code, found["outcome"]) == (0, "passed"), result.out
    assert "tests pay 0 B" in found["reason"]
    assert "1 first-use increase re-checked in a fresh process" in result.out


@pytest.mark.parametrize("files", [(), ("test_a.py", "test_b.py"), (".",)], ids=["whole", "files", "folder"])
def test_where_first_use_cost_nothing_what_comes_is_red(project: Project, files: tuple[str, ...]) -> None:
    project.write("test_a.py", "def test_plain(): pass\n")
    project.write("test_b.py", "def test_other(): pass\n")
    env = {"PYTHONPATH": str(project.root)}
    assert project.gate("--memgate-update", *files, env=env).code == 0
    assert "tests: {}\n" in (ledger := project.baselines / "first-use.yaml").read_text(encoding="utf-8")
    project.write("heavy.py", _TABLES)
    project.write("test_a.py", "def test_plain():\n    import heavy\n    assert heavy.NAMES\n")
    result = project.gate(env=env)
    assert (result.code, result.metrics("heavy.py").get("memory.first_use")) == (1, "regressed"), result.out
    assert project.gate("--memgate-update", *files, env=env).code == 1  # without a reason
    assert project.gate("--memgate-update", "--memgate-reason", "names", *files, env=env).code == 0
    assert "reason: names" in ledger.read_text(encoding="utf-8")
    project.write("test_a.py", "def test_plain(): pass\n")
    assert project.gate("--memgate-update", env=env).code == 0
    assert "heavy" not in ledger.read_text(encoding="utf-8")


def test_a_first_baseline_made_file_by_file_needs_no_reason(shop: Shop) -> None:
    for file in shop.project.baselines.glob("*.yaml"):
        file.unlink()
    shop.update("test_a.py")
    assert "lookup.py" not in shop.ledger()
    shop.update("test_b.py")
    assert "lookup.py" in shop.ledger()
    assert shop.gate().code == 0


_TWO = """
    _kept = {}

    def alpha(words=20_000):
        if "alpha" not in _kept:
            _kept["alpha"] = [str(number) * 4 for number in range(words)]

    def beta(words=20_000):
        if "beta" not in _kept:
            _kept["beta"] = [str(number) * 4 for number in range(words)]
"""


@pytest.fixture(scope="module")
def made_two(made: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(Project(tmp_path_factory.mktemp("made") / "project"))
    shutil.copytree(made.project.root.parent, shop.project.root.parent, dirs_exist_ok=True)
    shop.write("two.py", _TWO)
    shop.project.write(
        "test_two.py",
        """
        import two

        def test_alpha(): two.alpha()
        def test_beta(): two.beta()
        """,
    )
    shop.update("--memgate-reason", "two caches")
    return shop


@pytest.fixture
def two(made_two: Shop, project: Project) -> Shop:
    """Return a shop with two caches of the same size, in one file, filled by a test each."""
    shutil.copytree(made_two.project.root.parent, project.root.parent, dirs_exist_ok=True)
    return Shop(project)


@pytest.mark.parametrize("args", [("-k", "alpha"), (), ("test_two.py::test_beta", "test_two.py::test_alpha")])
def test_a_cache_that_doubles_is_not_set_off_against_another_one(two: Shop, args: tuple[str, ...]) -> None:
    two.write("two.py", _TWO.replace("alpha(words=20_000)", "alpha(words=40_000)"))
    result = two.gate("-p", "no:randomly", *args)
    found = result.found("two", "memory.first_use")
    assert (result.code, found["outcome"]) == (1, "regressed"), result.out
    assert found["details"] == ["paid by test_two.py::test_alpha"]
    assert found["growth_by_site"][0]["site"]["function"] == "alpha"


def test_a_new_cache_as_large_as_another_one_is_seen_once_both_are_there(two: Shop) -> None:
    two.write("two.py", _TWO + _TWO.partition("    def beta")[0].partition("{}\n")[2].replace("alpha", "gamma"))
    two.project.replace("test_two.py", "two.alpha()", "two.alpha(); two.gamma()")
    result = two.gate("-p", "no:randomly", "test_two.py")
    found = result.found("two", "memory.first_use")
    assert (result.code, found["outcome"]) == (1, "regressed"), result.out
    assert "by 2 tests alone in a fresh process" in found["reason"]
    assert found["details"] == ["paid by test_two.py::test_alpha"]


def test_growth_that_several_tests_pay_a_share_of_is_confirmed_by_all_of_them(shop: Shop) -> None:
    shop.write(
        "growing.py",
        """
        from pathlib import Path

        kept = {}

        def take(number):
            if number not in kept:
                kept[number] = [str(word) * 4 for word in range(int(Path("size").read_text()))]
        """,
    )
    shop.project.write("size", "10")
    shop.project.write(
        "test_growing.py",
        """
        import growing
        import pytest

        @pytest.mark.parametrize("number", range(12))
        def test_one(number): growing.take(number)
        """,
    )
    shop.update()
    assert shop.gate("-p", "no:randomly", "test_growing.py").code == 0
    shop.project.write("size", "5000")  # 0.35 MB each
    result = shop.gate("-p", "no:randomly", "test_growing.py")
    (found,) = _first_uses(result)
    assert (result.code, found["outcome"]) == (1, "regressed"), result.out
    payers = [line.removeprefix("paid by test_growing.py::test_one[") for line in found["details"]]
    assert len(set(payers)) == 3  # which together are over twice the budget
    assert "by 3 tests alone in a fresh process" in found["reason"]


def test_a_test_that_cannot_run_twice_may_be_the_one_that_pays(two: Shop) -> None:
    two.project.write(
        "test_two.py",
        """
        import two

        done = []

        def test_alpha(): two.alpha()

        def test_once():
            assert not done
            done.append(bytearray(two.EXTRA))
            two.alpha()
        """,
    )
    two.write("two.py", f"{_TWO}\n    EXTRA = 10\n")
    two.update("--memgate-reason", "once")
    assert two.gate("-p", "no:randomly").code == 0
    result = two.gate("-p", "no:randomly", "-k", "once")
    assert result.code == 0, result.out
    assert "of first use, which another test may pay for" in result.out
    two.write("two.py", f"{_TWO}\n    EXTRA = 400_000\n")
    result = two.gate("-p", "no:randomly", "-k", "once")
    metrics = result.metrics("test_once")
    assert (metrics["memory.peak"], metrics["memory.retained"]) == ("regressed", "regressed")
    assert result.out.count("the value of the first run is judged: test_two.py::test_once\n") == 1


def test_a_fresh_process_has_the_environment_of_the_run_and_not_of_the_test(two: Shop) -> None:
    two.project.write(
        "test_two.py",
        """
        import os
        import two

        def test_alpha(monkeypatch):
            assert "SHOP" not in os.environ
            monkeypatch.setenv("SHOP", "open")
            monkeypatch.delenv("PYTHONPATH")
            two.alpha()
        """,
    )
    two.write("two.py", _TWO.replace("alpha(words=20_000)", "alpha(words=40_000)"))
    result = two.gate("-p", "no:randomly", "--memgate-strict", "test_two.py")
    assert (result.code, result.metrics("two")["memory.first_use"]) == (1, "regressed"), result.out


def test_a_fresh_process_has_the_projects_own_options(two: Shop) -> None:
    two.project.write(
        "conftest.py",
        """
        import pytest

        def pytest_addoption(parser, pluginmanager):
            parser.addoption("--env", required=True)
            parser.getgroup("shop").addoption("--words", nargs=2)
            parser.addoption("--quick", action="store_true")
            try:
                parser.addoption("--env")
            except ValueError:  # it is there already
                parser.extra_info["shop"] = "of pytest's own parser"

        @pytest.fixture(autouse=True)
        def ready(request):
            assert request.config.option.env == "-test_two.py"
            assert request.config.option.words == ["a", "b"]
            assert request.config.option.quick
        """,
    )
    two.write("two.py", _TWO.replace("alpha(words=20_000)", "alpha(words=40_000)"))
    own = ("--words", "a", "b", "--env=-test_two.py", "-k", "alpha", "--quick")
    result = two.gate("-p", "no:randomly", "--memgate-strict", *own, "test_two.py")
    assert (result.code, result.metrics("two")["memory.first_use"]) == (1, "regressed"), result.out
    assert "by this test alone in a fresh process" in result.out


def test_a_fresh_process_of_tests_below_another_configuration_has_that_of_the_run(two: Shop) -> None:
    two.project.write("pytest.ini", "[pytest]\n")
    two.project.write("part/pytest.ini", "[pytest]\naddopts = --no-such-option\n")
    two.project.write("part/test_part.py", "import two\ndef test_alpha(): two.alpha()\n")
    two.update()
    two.write("two.py", _TWO.replace("alpha(words=20_000)", "alpha(words=40_000)"))
    result = two.gate("-p", "no:randomly", "-k", "test_part and alpha")
    found = result.found("two", "memory.first_use")
    assert (result.code, found["outcome"]) == (1, "regressed"), result.out
    assert "by this test alone in a fresh process" in found["reason"]


def test_what_pytest_keeps_of_each_test_is_nobodys_first_use(project: Project) -> None:
    project.write(
        "conftest.py",
        """
        import pytest

        kept, locate = [], pytest.Function.reportinfo

        def reportinfo(self):
            kept.append(bytes(20_000))
            return locate(self)

        pytest.Function.reportinfo = reportinfo
        """,
    )
    fills = """
        from pathlib import Path

        kept = []

        def test_fills():
            if not kept:
                kept.append(bytes(int(Path("size").read_text())))
    """
    project.write("test_it.py", fills + "".join(f"    def test_{number}(): pass\n    " for number in range(10)))
    project.write("size", "10")
    project.write("memgate.yml", "budgets: {memory.first_use: {growth: 5KB}}\n")
    project.update()
    project.write("size", "300_000")
    result = project.gate("--memgate-measure=bound")
    assert [(one["subject"]["name"], one["outcome"]) for one in _first_uses(result)] == [("test_it.py", "regressed")]
    assert "1 first-use increase re-checked in a fresh process" in result.out


_FILLED = {
    "fixture": """
        import pytest
        import two

        @pytest.fixture(scope="session")
        def ready():
            two.alpha()

        def test_first(ready): pass
        def test_alpha(): two.alpha()
    """,
    "setup of a module": """
        import two

        def setup_module():
            two.alpha()

        def test_first(): pass
    """,
    "setup of a case": """
        import unittest
        import two

        class TestFirst(unittest.TestCase):
            def setUp(self):
                two.alpha()

            def test_first(self): pass
    """,
    "module": """
        import pytest
        import two

        two.alpha()

        @pytest.fixture
        def ready(): pass

        def test_first(ready): pass
    """,
}


@pytest.mark.parametrize("where", _FILLED)
def test_what_fixtures_fill_may_be_paid_by_a_test_in_another_order(shop: Shop, where: str) -> None:
    shop.write("two.py", _TWO)
    shop.project.write("test_filled.py", _FILLED[where])
    shop.project.write("test_other.py", "import two\ndef test_other(): two.alpha()\n")
    shop.update("--memgate-reason", "two caches", *(("-n2",) if where == "fixture" else ()))
    assert "two.py:alpha: " in shop.ledger()
    assert shop.gate("-p", "no:randomly").code == 0
    result = shop.gate("-p", "no:randomly", "test_other.py")
    assert (result.code, _first_uses(result)) == (0, []), result.out


def test_fixtures_that_cannot_be_looked_at_are_no_end_of_an_update(shop: Shop) -> None:
    shop.project.write("conftest.py", 'import os\nif "COVERAGE_FILE" in os.environ:\n    os._exit(9)\n')
    result = shop.update()
    assert "first use: the memory of fixtures is not known: pytest ended with 9" in result.out


_NOT_TO_THE_END = {
    "it ends early": (
        """
        @pytest.fixture
        def called(request):
            yield request.node.stash.setdefault(CALLED, [])
            if not request.node.stash[CALLED]:
                pytest.exit("nobody called it")

        def test_a_call(called, ready): called.append(1)
        """,
        "test_filled.py::test_last was not reached",
    ),
    "a setup fails": (
        """
        was_called = []

        @pytest.fixture
        def after_a_call():
            assert was_called

        def test_a_call(): was_called.append(1)
        def test_another(after_a_call): pass
        @pytest.mark.filterwarnings("default")
        def test_a_third(after_a_call): pass
        """,
        "test_filled.py::test_another could not be set up, nor 1 more",
    ),
}


@pytest.mark.parametrize("how", _NOT_TO_THE_END)
def test_an_update_that_cannot_set_up_all_tests_takes_nothing_out_of_the_ledger(shop: Shop, how: str) -> None:
    cases, why = _NOT_TO_THE_END[how]
    shop.write("two.py", _TWO)
    tests = """
        import pytest
        import two

        CALLED = pytest.StashKey()

        @pytest.fixture
        def ready(): pass

        @pytest.fixture(scope="session")
        def filled(): two.alpha()
    """
    shop.project.write("test_filled.py", tests)
    with (shop.project.root / "test_filled.py").open("a") as file:
        file.write("def test_last(filled): pass\n")
    shop.update("--memgate-reason", "two caches")
    before = shop.ledger()
    assert "two.py:alpha: " in before
    shop.project.write("test_filled.py", tests + cases + "\n        def test_last(ready): pass\n")
    result = shop.update()
    assert re.search(f"first use: the memory of (some )?fixtures is not known: {re.escape(why)}", result.out), (
        result.out
    )
    assert shop.ledger() == before


def test_where_tests_are_set_up_once_more_none_is_called(shop: Shop) -> None:
    shop.project.write("pytest.ini", "[pytest]\naddopts = --doctest-modules\nasyncio_mode = auto\n")
    shop.project.write(
        "test_calls.py",
        """
        import unittest
        import pytest

        def call(name):
            \"\"\"
            >>> call("doctest")
            \"\"\"
            with open("calls", "a") as file:
                file.write(f"{name}\\n")

        @pytest.fixture(autouse=True)
        def ready():
            call("setup")

        def test_plain(): call("plain")

        async def test_async(): call("async")

        class TestCase(unittest.TestCase):
            def setUp(self): call("setUp")
            def test_method(self): call("method")

        class TestAsync(unittest.IsolatedAsyncioTestCase):
            async def test_method(self): call("async method")
        """,
    )
    path = f"{shop.project.root}:{shop.library}"
    result = shop.project.update("test_calls.py", plugins=("asyncio",), env={"PYTHONPATH": path})
    assert "tests set up once more" in result.out
    calls = (shop.project.root / "calls").read_text().split("\n")
    peaks = [one for one in result.run["findings"] if one["metric"] == "memory.peak"]
    assert len(peaks) == 5
    runs = sum(1 + len(one["measurement"].get("warm", ())) for one in peaks)
    names = ("doctest", "plain", "async", "method", "async method")
    assert sum(calls.count(name) for name in names) == runs
    assert (calls.count("setUp"), calls.count("setup")) == (calls.count("method") + 1, runs + 5)  # once more, each


def test_of_tests_with_the_same_fixtures_one_is_set_up_once_more(shop: Shop) -> None:
    shop.project.write(
        "test_calls.py",
        """
        import pytest

        def note(name):
            with open("calls", "a") as file:
                file.write(f"{name}\\n")

        @pytest.fixture
        def one(): note("one")

        @pytest.fixture(params=["x", "y"])
        def each(request): note(request.param)

        @pytest.fixture
        def marked(request): note(str(request.node.get_closest_marker("size")))

        @pytest.mark.parametrize("number", range(10))
        def test_many(one, number): pass

        @pytest.mark.parametrize("number", range(10))
        def test_each(each, number): pass

        @pytest.mark.size(1)
        def test_small(marked): pass

        @pytest.mark.size(2)
        def test_large(marked): pass
        """,
    )
    shop.project.write("pytest.ini", "[pytest]\nmarkers = size: of it\n")
    shop.update("test_calls.py")
    calls = (shop.project.root / "calls").read_text().split("\n")
    kinds = {name: calls.count(name) for name in ("one", "x", "y")}
    assert kinds == {"one": 21, "x": 21, "y": 21}  # each test has run twice
    assert sum("size" in call for call in calls) == 6


def test_runs_beside_the_session_touch_nothing_that_it_writes(two: Shop) -> None:
    two.project.write(
        "pytest.ini",
        "[pytest]\nlog_file = log.txt\nlog_file_level = INFO\naddopts = --basetemp=base --junitxml=junit.xml\n",
    )
    two.project.write(
        "test_two.py",
        """
        import logging
        import os
        import pytest
        import two

        @pytest.fixture
        def ready(tmp_path):
            logging.getLogger().info("set up in %s", "a fresh process" if "MEMGATE_FRESH" in os.environ else "the run")
            return tmp_path

        def test_alpha(ready):
            two.alpha()
            (ready / "it").touch()
        """,
    )
    root = two.project.root

    def setups() -> tuple[int, int]:
        assert 'name="test_alpha"' in (root / "junit.xml").read_text()
        return (root / "log.txt").read_text().count("set up in the run"), len([*root.glob("base/*[0-9]/it")])

    two.update("--memgate-reason", "less")
    assert setups() == (3, 3)
    two.write("two.py", _TWO.replace("alpha(words=20_000)", "alpha(words=40_000)"))
    result = two.gate("-p", "no:randomly")
    assert (result.code, "in a fresh process" in result.out) == (1, True), result.out
    assert setups() == (2, 2)


def test_an_update_of_what_is_declared_says_nothing_of_first_use(shop: Shop) -> None:
    for file in shop.project.baselines.glob("*.yaml"):
        file.unlink()
    shop.project.write("memgate.yml", "imports: [tables]\n")
    shop.update("memgate.yml")
    assert [file.name for file in shop.project.baselines.glob("*.yaml")] == ["memgate.yml.yaml"]
    shop.update()  # without a reason
    assert "lookup.py" in shop.ledger()
    assert shop.gate().code == 0
