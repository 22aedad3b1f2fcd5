"""Times held against a stored baseline: several collections apart, and the pace of the machine beside each."""

import re
from pathlib import Path

import pytest
from harness import Project, Result

pytestmark = pytest.mark.timeout(600)

_BUDGET = "budgets: {time.median: {growth: 60%}}\n"
_TESTS = """
    def test_time(benchmark):
        benchmark.pedantic(lambda: sum(range(100_000)), rounds=20, iterations=2)
"""
_TIMES = ("benchmark",)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project")
    project.write("test_time.py", _TESTS)
    project.write("memgate.yml", _BUDGET)
    return project


def entry(project: Project) -> str:
    return project.baseline("test_time.py").partition("time.median:")[2]


def scale(project: Project, part: str, factor: float) -> None:
    """Change a row, or the value, of the stored time."""
    path = project.baselines / "test_time.py.yaml"
    before, name, after = path.read_text(encoding="utf-8").partition("time.median:")

    def scaled(found: re.Match[str]) -> str:
        return re.sub(r"[0-9.]+", lambda one: f"{float(one[0]) * factor:.6g}", found[0].partition(":")[2])

    after, count = re.subn(
        rf"^ +{part}:.*$", lambda found: f"      {part}:{scaled(found)}", after, count=1, flags=re.MULTILINE
    )
    assert count == 1, after
    path.write_text(f"{before}{name}{after}", encoding="utf-8")


def median(result: Result) -> dict[str, object]:
    return result.found("test_time", "time.median")


def test_an_update_takes_several_collections_and_keeps_what_they_differ_by(project: Project) -> None:
    project.update(plugins=_TIMES)
    stored = entry(project)
    assert len(re.search(r"paces: \[(.*)\]", stored)[1].split(",")) == 3  # type: ignore[index]
    assert "spread: " in stored
    again = project.gate(plugins=_TIMES)
    assert again.code == 0, again.out


def test_growth_is_red_after_three_collections(project: Project) -> None:
    project.update(plugins=_TIMES)
    project.replace("test_time.py", "100_000", "1_600_000")  # so much that no other work on the machine explains it
    result = project.gate(plugins=_TIMES)
    assert result.code == 1, result.out
    assert len(median(result)["measurement"]["paces"]) == 3  # type: ignore[index]
    assert "in a second collection" in result.out


def test_what_the_machine_explains_is_unstable_and_never_red(project: Project) -> None:
    project.update(plugins=_TIMES)
    for part in ("value", "samples", "paces"):
        scale(project, part, 0.4)
    result = project.gate("--no-memgate-strict", plugins=_TIMES)
    assert (result.code, median(result)["outcome"] in {"unstable", "passed"}) == (0, True), result.out
    is_told = re.search(r"but this machine is \d+\.\d times slower now than at the baseline", result.out)
    assert is_told or median(result)["outcome"] == "passed", result.out  # on a machine whose load comes and goes


def test_what_the_machine_explains_is_no_gain(project: Project) -> None:
    project.update(plugins=_TIMES)
    for part in ("value", "samples"):
        scale(project, part, 10)
    scale(project, "paces", 0.1)  # as of a machine that nothing else slowed down
    gained = project.gate(plugins=_TIMES)
    assert median(gained)["outcome"] == "improved", gained.out
    scale(project, "paces", 100)
    result = project.gate(plugins=_TIMES)
    assert median(result)["outcome"] == "passed", result.out


def test_a_test_may_look_at_its_times(project: Project) -> None:
    project.write(
        "test_time.py",
        """
        def test_time(benchmark):
            benchmark.pedantic(lambda: sum(range(1000)), rounds=5)
            assert 0 < benchmark.stats["mean"] < 1
            assert benchmark.stats.stats.rounds == 5
        """,
    )
    made = project.update(plugins=_TIMES)
    assert made.metrics("test_time")["memory.peak"] in {"new", "no baseline"}
    result = project.gate("--memgate-strict", plugins=_TIMES)
    assert result.code == 0, result.out
    assert result.metrics("test_time")["memory.peak"] == "passed"


def test_a_budget_without_a_time_is_unmeasured(project: Project) -> None:
    project.update(plugins=_TIMES)
    project.write("conftest.py", "import pytest\n\n@pytest.fixture\ndef benchmark():\n    return None\n")
    project.write("test_time.py", "def test_time(benchmark):\n    pass\n")
    result = project.gate("--memgate-strict")
    assert result.code == 1, result.out
    assert result.metrics("test_time")["time"] == "unmeasured"
    assert "its fixture benchmark is not that of pytest-benchmark, so no time came" in result.out
    assert "vanished" not in result.out


def test_one_round_never_blocks(project: Project) -> None:
    project.replace("test_time.py", "rounds=20, iterations=2", "rounds=1")
    project.update(plugins=_TIMES)
    project.replace("test_time.py", "100_000", "800_000")
    result = project.gate("--no-memgate-strict", plugins=_TIMES)
    assert (result.code, median(result)["outcome"]) == (0, "unstable"), result.out
    assert "but one round has no spread: what it varies by cannot be told" in result.out
