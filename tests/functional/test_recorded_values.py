"""The `memgate` fixture: what a test counts itself is a metric like the others."""

import json
import shutil
from pathlib import Path

import pytest
from harness import Project

_TESTS = """
    import json
    import unittest
    from pathlib import Path

    import pytest

    GIVEN = json.loads(Path(__file__).with_name("given.json").read_text())

    def test_call(memgate):
        memgate.record("rows", GIVEN["call"], "rows", growth=5)

    def test_size(memgate):
        memgate.record("report.size", GIVEN["size"], "KB", growth="2KB", limit="40KB")

    def test_share(memgate):
        memgate.record("share", GIVEN["share"], growth=0.1)

    def test_drift(memgate):
        memgate.record("rows", GIVEN["drift"], "rows", growth=100, drift=10)

    @pytest.mark.memgate("custom.rows", growth="5 rows")
    def test_marker(memgate):
        memgate.record("rows", GIVEN["marker"], "rows", growth=1000)

    def test_config(memgate):
        memgate.record("queries", GIVEN["config"], "queries")

    def test_ungated(memgate):
        memgate.record("lines", GIVEN["ungated"], "lines")

    def test_unit(memgate):
        memgate.record("mixed", 7, GIVEN["unit"], growth=5)

    def test_two(memgate):
        memgate.record("first", GIVEN["two"], growth=5)
        memgate.record("second", 9, growth=5)

    @pytest.mark.parametrize("name", ["a", "b[c]"])
    def test_each(memgate, name):
        memgate.record("rows", GIVEN["each"][name], "rows", growth=5)

    @pytest.fixture
    def counted(memgate):
        memgate.record("set-up", GIVEN["fixture"], growth=5)

    def test_fixture(counted):
        pass

    class TestUnit(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def with_memgate(self, memgate):
            self.memgate = memgate

        def test_method(self):
            self.memgate.record("rows", GIVEN["unittest"], "rows", growth=5)

    @pytest.mark.memgate(skip="it counts what others leave behind")
    def test_left_out(memgate):
        memgate.record("rows", GIVEN["left out"], "rows", growth=5)
"""
_GIVEN = {
    "call": 41,
    "size": 19,
    "share": 0.25,
    "drift": 100,
    "marker": 41,
    "config": 12,
    "ungated": 40,
    "unit": "rows",
    "two": 5,
    "each": {"a": 1, "b[c]": 2},
    "fixture": 3,
    "unittest": 41,
    "left out": 1,
}
_GROWN = {
    "call": 47,
    "size": 30,
    "share": 0.36,
    "drift": 105,
    "marker": 47,
    "config": 13,
    "ungated": 9000,
    "unit": "queries",
    "two": 11,
    "each": {"a": 1, "b[c]": 20},
    "fixture": 30,
    "unittest": 90,
    "left out": 1,
}
_CONFIG = "budgets: {custom.queries: {growth: 0, limit: 100 queries}}\n"


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose tests record values, with their baseline: made once, since each copy starts from the same."""
    project = Project(tmp_path_factory.mktemp("recorded") / "project")
    project.write("memgate.yml", _CONFIG)
    project.write("test_it.py", _TESTS)
    _give(project, _GIVEN)
    project.prepare()
    return project.root


@pytest.fixture
def counting(project: Project, settled: Path) -> Project:
    shutil.copytree(settled, project.root, dirs_exist_ok=True)
    return project


def _give(project: Project, given: dict[str, object]) -> None:
    project.write("given.json", json.dumps(given))


def test_what_is_within_its_budget_passes(counting: Project, workers: tuple[str, ...]) -> None:
    result = counting.gate(*workers)
    assert result.code == 0, result.out
    assert result.metrics("test_call") == {"custom.rows": "passed", "memory.peak": "passed"}
    assert result.metrics("test_two") == dict.fromkeys(["custom.first", "custom.second", "memory.peak"], "passed")
    assert result.metrics("test_ungated")["custom.lines"] == "not gated"
    assert result.metrics("test_each[b[c]]")["custom.rows"] == "passed"
    assert result.metrics("TestUnit::test_method")["custom.rows"] == "passed"
    assert result.found("test_size", "custom.report.size")["value"] == 19_000


def test_a_baseline_keeps_the_value_and_its_unit(counting: Project) -> None:
    text = counting.baseline("test_it.py")
    assert "  test_call:\n    custom.rows:\n      value: 41\n      unit: rows\n    memory.peak:" in text
    assert "    custom.report.size:\n      value: 19000\n      unit: B\n" in text
    assert "    custom.share:\n      value: 0.25\n" in text
    assert "custom.lines" not in text  # no budget names it
    counting.update("-n2")
    assert counting.baseline("test_it.py") == text


def test_growth_is_red_wherever_its_budget_stands(counting: Project) -> None:
    _give(counting, _GROWN)
    result = counting.gate()
    assert result.code == 1
    red = {(one["subject"]["name"], one["metric"]) for one in result.run["findings"] if one["outcome"] == "regressed"}
    assert red == {
        ("test_call", "custom.rows"),
        ("test_size", "custom.report.size"),
        ("test_share", "custom.share"),
        ("test_marker", "custom.rows"),
        ("test_config", "custom.queries"),
        ("test_two", "custom.first"),
        ("test_each[b[c]]", "custom.rows"),
        ("test_fixture", "custom.set-up"),
        ("TestUnit::test_method", "custom.rows"),
    }
    for line in (
        "custom.rows 41 rows -> 47 rows: +6 rows is over its budget of 5 rows",
        "custom.report.size 19 KB -> 30 KB: +11 KB is over its budget of 2 KB",
        "custom.share 0.25 -> 0.36: +0.11 is over its budget of 0.1",
        "custom.queries 12 queries -> 13 queries: +1 queries is over its budget of 0 queries",
        "budget: growth 5 rows (call)",
        "budget: growth 5 rows (marker)",
        "budget: growth 0 queries (memgate.yml:1), limit 100 queries (memgate.yml:1)",
    ):
        assert line in result.out
    assert result.metrics("test_drift")["custom.rows"] == "passed"
    assert result.found("test_unit", "custom.mixed")["outcome"] == "incomparable"
    assert "its baseline is in rows, this value in queries" in result.out
    assert result.metrics("test_two")["custom.second"] == "passed"


def test_a_test_that_is_left_out_is_left_out_with_what_it_records(counting: Project) -> None:
    _give(counting, {**_GIVEN, "left out": 9000})
    result = counting.gate("-k", "left_out")
    assert "regressed" not in result.metrics("test_left_out").values(), result.out


def test_a_limit_needs_no_baseline_and_a_drift_counts_from_the_anchor(counting: Project) -> None:
    _give(counting, {**_GIVEN, "drift": 108})
    counting.update("-k", "drift", "--memgate-reason=more rows")
    assert "      value: 108\n      unit: rows\n      anchor: 100\n      reason: more rows\n" in counting.baseline(
        "test_it.py"
    )
    _give(counting, {**_GIVEN, "drift": 112})
    drifted = counting.gate("-k", "drift")
    assert drifted.code == 1
    assert "+12 rows since its anchor of 100 rows is over its drift budget of 10 rows" in drifted.out
    assert "memgate baseline anchor --reason" in drifted.out
    shutil.rmtree(counting.root / ".memgate")
    _give(counting, {**_GIVEN, "size": 41})
    bare = counting.gate("-k", "size or call")
    assert bare.metrics("test_size")["custom.report.size"] == "regressed"
    assert bare.metrics("test_call")["custom.rows"] == "no baseline"
    assert "custom.report.size 41 KB: 41 KB is over its limit of 40 KB" in bare.out
    assert "if it is meant: raise its limit (call)" in bare.out


def test_an_option_is_above_the_call_and_the_marker(counting: Project) -> None:
    _give(counting, _GROWN)
    options = ("--memgate-growth", "custom.rows=6 rows", "--memgate-limit=custom.rows=46 rows")
    result = counting.gate("-k", "call or marker", *options)
    assert result.code == 1
    assert "47 rows is over its limit of 46 rows" in result.out
    assert "growth 6 rows (--memgate-growth), limit 46 rows (--memgate-limit)" in result.out


def test_what_is_not_recorded_any_more_has_vanished_and_goes_with_an_update(counting: Project) -> None:
    counting.replace("test_it.py", 'memgate.record("second", 9, growth=5)', 'memgate.record("third", 2, growth=5)')
    result = counting.gate()
    assert result.code == 0
    assert result.metrics("test_two") == {
        "custom.first": "passed",
        "custom.second": "vanished",
        "custom.third": "new",
        "memory.peak": "passed",
    }
    assert counting.gate("--memgate-missing=fail").code == 1
    updated = counting.update()
    assert "removed      test_it.py::test_two  custom.second 9" in updated.out
    assert "new          test_it.py::test_two  custom.third 2" in updated.out
    assert "custom.second" not in counting.baseline("test_it.py")


def test_a_run_again_for_memory_or_after_a_failure_records_once(counting: Project) -> None:
    counting.write(
        "test_again.py",
        """
        from work import load

        RUNS = []

        def test_it(memgate):
            RUNS.append(1)
            memgate.record("runs", len(RUNS), growth=0)
            kept = load(len(RUNS) * 1000)
            assert len(RUNS) > 1
        """,
    )
    result = counting.gate("--memgate-update", "--reruns=1", "test_again.py", plugins=("rerunfailures",))
    assert result.code == 0, result.out
    assert "value: 2\n" in counting.baseline("test_again.py").partition("memory.peak")[0]


def test_without_the_gate_recording_does_nothing(counting: Project) -> None:
    counting.write("test_wrong.py", "def test_it(memgate):\n    memgate.record('no name', -1, growth='x')\n")
    result = counting.pytest()
    assert result.code == 0, result.out


_MISTAKES = {
    "name": ("'rows of it', 1", "record(): not a name: 'rows of it' (letters, digits, dots, dashes)"),
    "empty": ("'', 1", "record(): not a name: ''"),
    "no_text": ("5, 1", "record(): not a name: 5"),
    "part": ("'rows[a]', 1", "record(): not a name: 'rows[a]'"),
    "negative": ("'x', -1", "record('x'): a number from 0 on is expected, not -1"),
    "nan": ("'x', float('nan')", "record('x'): a number from 0 on is expected, not nan"),
    "inf": ("'x', float('inf')", "record('x'): a number from 0 on is expected, not inf"),
    "truth": ("'x', True", "record('x'): a number from 0 on is expected, not True"),
    "text": ("'x', '5'", "record('x'): a number from 0 on is expected, not '5'"),
    "nothing": ("'x', None", "record('x'): a number from 0 on is expected, not None"),
    "growth": ("'x', 5, growth='a lot'", "record(): custom.x: not a budget: 'a lot' (write it as 20 or 5%)"),
    "no_limit": ("'x', 5, limit='5%'", "record(): custom.x: not an amount: '5%'"),
    "below": ("'x', 5, growth=-3", "record(): custom.x: not a budget: -3"),
    "endless": ("'x', 5, growth=float('nan')", "record(): custom.x: "),
    "two_units": ("'x', 5, 'rows', growth='5 rows', limit='9 MB'", "record(): custom.x: it is in B, the budget's"),
    "unit": ("'x', 5, 'rows', growth='5 queries'", "call: the budget of custom.x is in queries, its values"),
    "plain": ("'x', 5, limit='5 MB'", "call: the budget of custom.x is in B, its values are plain numbers"),
    "configured": ("'queries', 5, 'rows'", "memgate.yml:1: the budget of custom.queries is in queries, its"),
}  # fmt: skip


def test_a_wrong_call_fails_its_test_in_one_line(project: Project) -> None:
    project.write("memgate.yml", _CONFIG)
    tests = [f"def test_{name}(memgate):\n    memgate.record({call})\n" for name, (call, _) in _MISTAKES.items()]
    twice = "def test_twice(memgate):\n    memgate.record('x', 1)\n    memgate.record('x', 1)\n"
    project.write("test_it.py", "\n".join([*tests, twice, "def test_right(memgate):\n    memgate.record('x', 1)\n"]))
    result = project.gate("-rf", "--memgate-update", env={"COLUMNS": "300"})
    failed = [line for line in result.out.splitlines() if line.startswith("FAILED")]
    lines = {line.partition("::test_")[2].partition(" - ")[0]: line.partition(" - ")[2] for line in failed}
    said = {
        **{name: words for name, (_, words) in _MISTAKES.items()},
        "twice": "record('x'): recorded twice in one test",
    }
    missed = {name: lines.get(name) for name, words in said.items() if words not in (lines.get(name) or "")}
    assert missed == {}
    assert set(lines) == set(said)


@pytest.mark.parametrize("unit", ["7", "None"])
def test_a_unit_is_a_word(project: Project, unit: str) -> None:
    project.write("test_it.py", f"def test_it(memgate):\n    memgate.record('x', 5, {unit})\n")
    result = project.gate("--memgate-update")
    assert result.code == 1
    assert "INTERNALERROR" not in result.out
    assert "memgate: record('x'): " in result.out


def test_a_whole_number_of_numpy_is_a_number(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import numpy

        def test_it(memgate):
            memgate.record("whole", numpy.int64(5), growth=5)
            memgate.record("real", numpy.float64(0.5), growth=5)
        """,
    )
    project.update()
    assert "custom.real:\n      value: 0.5\n" in project.baseline("test_it.py")
    assert "custom.whole:\n      value: 5\n" in project.baseline("test_it.py")


def test_a_budget_of_a_projects_own_unit_is_compared_with_a_base(counting: Project) -> None:
    counting.commit()
    counting.write("memgate.yml", "budgets: {custom.queries: {growth: 3 queries}}\n")
    counting.replace(f".memgate/{counting.baselines.name}/test_it.py.yaml", "value: 12\n", "value: 19\n")
    result = counting.gate("--memgate-base=main", "-k", "call")
    assert "INTERNALERROR" not in result.out
    assert "growth of custom.queries: 0 queries -> 3 queries (memgate.yml:1)" in result.out
    assert "test_it.py::test_config: baseline raised (12 queries -> 19 queries) without a reason" in result.out
