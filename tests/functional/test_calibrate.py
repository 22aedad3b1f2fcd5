"""`memgate calibrate`: real runs of an unchanged suite, what they differ by, and what the gate said of them."""

import json
import re
from typing import Any

import pytest
from harness import Project, Result

QUIET = "[pytest]\naddopts = -p no:randomly\n"
STEADY = """
    from work import load

    def test_one():
        load(1000)

    def test_two():
        load(2000)
"""
# It holds some 60 KB more in each run of pytest than in the one before.
CREEPING = """
    from pathlib import Path

    from work import load

    RUNS = Path(__file__).with_name("runs.txt")
    NUMBER = int(RUNS.read_text()) if RUNS.exists() else 0
    RUNS.write_text(str(NUMBER + 1))

    def test_creeping():
        load(1000 * (1 + NUMBER))
"""
# In the order of the file it finds what the other test leaves, and holds little.
BY_ORDER = """
    from work import load

    LEFT = []

    def test_first():
        LEFT.append(1)

    def test_second():
        load(1000 if LEFT else 9000)
"""


def suite(project: Project, text: str = STEADY) -> None:
    project.write("pytest.ini", QUIET)
    project.write("tests/test_it.py", text)


def calibrate(project: Project, *args: str) -> tuple[Result, dict[str, Any]]:
    """Return what the command said, and its data."""
    result = project.memgate("calibrate", "--json", *args)
    start = result.out.find("{\n")
    return result, json.loads(result.out[start:]) if start >= 0 else {}


def test_a_steady_suite_is_quiet_and_nothing_is_written(project: Project) -> None:
    suite(project)
    project.prepare()
    before = project.baseline("tests/test_it.py")
    result = project.memgate("calibrate", "-n", "3")
    assert result.code == 0, result.out
    assert "run 1 of 3: own order, " in result.out
    assert "run 2 of 3: reversed order, " in result.out
    assert "run 3 of 3: shuffled order, " in result.out
    assert "over 3 runs, worst first:" in result.out
    assert "tests/test_it.py::test_two  memory.peak\n" in result.out
    assert "budgets: all 2 are above what their tests differ by" in result.out
    assert "false alarms: in 0 of 3 runs; so in at most 63% of all runs, at 95% confidence" in result.out
    assert result.out.endswith("calibrate: QUIET\n")
    assert project.baseline("tests/test_it.py") == before
    assert not list(project.root.rglob("run*.json"))


def test_values_are_settled_ones_though_the_tests_pass_by_their_bounds(project: Project) -> None:
    suite(project)
    project.prepare()
    stored = project.gate("--memgate-update").found("test_two", "memory.peak")["value"]
    _, data = calibrate(project, "-n", "2")
    values = {test["test"]: test["values"] for test in data["tests"]}["tests/test_it.py::test_two"]
    assert len(values) == 2
    assert all(abs(value - stored) < 1000 for value in values)
    assert project.gate().found("test_two", "memory.peak")["measurement"]["basis"] == "bound"


def test_a_test_that_differs_by_its_budget_is_found_with_a_budget_that_would_hold(project: Project) -> None:
    suite(project, CREEPING)
    project.write("memgate.yml", "budgets:\n  memory.peak: {growth: 100KB}\n")
    project.prepare()
    (project.root / "tests/runs.txt").write_text("0", encoding="utf-8")
    result, data = calibrate(project, "-n", "3")
    assert result.code == 1
    (test,) = data["tests"]
    low, middle, high = test["values"]
    assert low < middle < high
    assert test["floor"]["worst"] == high - low > 100_000 == test["allowed"]
    assert test["holds"] is False
    assert test["smallest_budget"] > 2 * (high - low)
    assert test["outcomes"] == ["passed", "passed", "regressed"]
    assert data["false_alarms"]["runs"] == 1
    assert data["false_alarms"]["outcomes"] == {"regressed": 1}
    (project.root / "tests/runs.txt").write_text("0", encoding="utf-8")
    budget = f"budgets:\n  memory.peak: {{growth: {test['smallest_budget']:.0f}B}}\n"
    project.write("memgate.yml", budget)
    again, _ = calibrate(project, "-n", "3")
    assert again.code == 0, again.out


def test_a_test_that_depends_on_the_order_is_found(project: Project) -> None:
    suite(project, BY_ORDER)
    project.prepare()
    result, data = calibrate(project, "-n", "2")
    assert result.code == 1
    outcomes = {test["test"]: test["outcomes"] for test in data["tests"]}
    assert outcomes == {
        "tests/test_it.py::test_second": ["passed", "regressed"],
        "tests/test_it.py::test_first": ["passed", "passed"],
    }
    assert data["tests"][0]["test"] == "tests/test_it.py::test_second"  # the worst comes first
    shown = project.memgate("calibrate", "-n", "2")
    assert "(cannot hold its budget, 1x regressed)" in shown.out
    assert "false alarms: in 1 of 2 runs (1 regressed: tests/test_it.py::test_second memory.peak)" in shown.out
    assert "  none in the tests' own order: what a test takes depends on those before it\n" in shown.out
    assert [run["order"] for run in data["runs"] if run["false_alarms"]] == ["reversed"]


def test_growth_since_the_baseline_is_no_false_alarm(project: Project) -> None:
    suite(project)
    project.prepare()
    project.replace("tests/test_it.py", "load(2000)", "load(9000)")
    result = project.memgate("calibrate", "-n", "2")
    assert result.code == 1
    assert "red in every run, which is growth and no false alarm: tests/test_it.py::test_two memory.peak" in result.out
    assert "false alarms: in 0 of 2 runs" in result.out
    assert result.out.endswith("calibrate: 1 red in every run\n")


def test_without_a_baseline_the_floors_are_shown_and_there_is_no_answer_on_alarms(project: Project) -> None:
    suite(project)
    result = project.memgate("calibrate", "-n", "2")
    assert result.code == 3
    assert "tests/test_it.py::test_two  memory.peak" in result.out
    assert "nothing has a baseline (memgate baseline update, then again)" in result.out


def test_bundles_and_numbers_of_ones_own_are_in_it(project: Project) -> None:
    suite(project, "def test_it(memgate):\n    memgate.record('rows', 7, growth=1)\n")
    project.write("dist/app.js", "console.log('a');\n" * 100)
    project.write("memgate.yml", "bundles:\n  app: {files: 'dist/*.js'}\n")
    project.prepare()
    result, data = calibrate(project, "-n", "2")
    assert result.code == 0, result.out
    floors = {test["metric"]: test["floor"]["worst"] for test in data["tests"]}
    assert floors.keys() >= {"memory.peak", "custom.rows", "bundle.initial.raw", "bundle.total.gzip"}
    assert all(worst == 0 for metric, worst in floors.items() if metric != "memory.peak")


def test_tests_and_options_of_pytest_narrow_it_down(project: Project) -> None:
    suite(project)
    project.write("tests/test_other.py", "def test_other():\n    pass\n")
    project.prepare()
    _, data = calibrate(project, "-n", "2", "tests/test_it.py", "--", "-k", "two")
    assert [test["test"] for test in data["tests"]] == ["tests/test_it.py::test_two"]


def test_workers_run_the_same_order_each(project: Project) -> None:
    suite(project)
    project.prepare()
    result = project.memgate("calibrate", "-n", "3", "--", "-n", "2")
    assert result.code == 0, result.out
    assert "budgets: all 2 are above" in result.out


# No answer


def test_a_failing_suite_is_one_line_and_no_answer(project: Project) -> None:
    suite(project)
    project.prepare()
    project.write("tests/test_bad.py", "def test_bad():\n    assert 1 == 2\n")
    result = project.memgate("calibrate", "-n", "2")
    assert result.code == 3
    assert result.out == (
        "memgate: run 1 of 2, own order: tests fail by themselves: tests/test_bad.py::test_bad; "
        "the tests have to pass: pytest --memgate\n"
    )


def test_a_suite_that_fails_in_another_order_is_named_as_such(project: Project) -> None:
    suite(project, "SEEN = []\n\ndef test_a():\n    SEEN.append(1)\n\ndef test_b():\n    assert SEEN\n")
    project.prepare()
    result = project.memgate("calibrate", "-n", "2")
    assert result.code == 3
    assert "run 2 of 2, reversed order: tests fail by themselves: tests/test_it.py::test_b; " in result.out


def test_a_suite_that_stops_at_its_first_failure_is_run_to_the_end(project: Project) -> None:
    suite(project)
    project.write("pytest.ini", QUIET.replace("no:randomly", "no:randomly -x"))
    project.prepare()
    project.replace("tests/test_it.py", "load(1000)", "load(9000)")
    _, data = calibrate(project, "-n", "2")
    assert {test["test"]: test["outcomes"] for test in data["tests"]} == {
        "tests/test_it.py::test_one": ["regressed", "regressed"],
        "tests/test_it.py::test_two": ["passed", "passed"],
    }


def test_a_suite_that_cannot_be_collected_is_one_line_and_no_answer(project: Project) -> None:
    suite(project, "import nowhere\n")
    result = project.memgate("calibrate")
    assert result.code == 3
    assert len(result.out.splitlines()) == 1
    assert "could not collect tests/test_it.py" in result.out


def test_nothing_measured_is_no_answer(project: Project) -> None:
    suite(project, "import pytest\n\n@pytest.mark.memgate(skip='too odd')\ndef test_it():\n    pass\n")
    result = project.memgate("calibrate", "-n", "2")
    assert result.code == 3
    assert result.out.splitlines()[-1] == "memgate: nothing was measured: too odd; see: memgate doctor"


def test_options_that_pytest_does_not_know_are_one_line(project: Project) -> None:
    suite(project)
    result = project.memgate("calibrate", "--", "--nonsense")
    assert result.code == 2
    assert len(result.out.splitlines()) == 1
    assert "--nonsense" in result.out


def test_one_run_compares_nothing_and_is_a_usage_error(project: Project) -> None:
    suite(project)
    assert project.memgate("calibrate", "-n", "1").code == 2


def test_settling_without_the_gate_is_a_usage_error(project: Project) -> None:
    suite(project)
    result = project.pytest("--memgate-measure=exact")
    assert result.code == 4
    assert "--memgate-measure has no effect without --memgate" in result.out


@pytest.mark.timeout(600)
def test_timed_tests_are_paired_with_themselves(project: Project) -> None:
    suite(project, "def test_time(benchmark):\n    benchmark(sorted, range(3000))\n")
    project.write("memgate.yml", "budgets: {time.median: {growth: 50%}}\n")
    args = ("calibrate", "-n", "2", "tests", "--", "-p", "no:asyncio")
    result = project.memgate(*args)
    assert re.search(r"times by pairs of both sides: \d+% can be held for tests/test_it.py::test_time", result.out), (
        result.out
    )
