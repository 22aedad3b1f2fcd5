"""Beside a base, what its stored values cannot decide is measured now, for these tests alone."""

import re
from pathlib import Path

import pytest
from harness import Project, Result

_SHOP = """
    def report(number):
        rows = [f"row {count}" for count in range(number)]
        return sum(map(len, rows))
"""
_TESTS = """
    from shop import report

    def test_report():
        assert report(1000)

    def test_empty():
        assert report(0) >= 0
"""
_TIMED = """
    from shop import report

    def test_time(benchmark):
        benchmark(report, 300)
"""
_MORE = ("range(number)", "range(number + 6000)")
_BASE = "--memgate-base=main"
_TIMES = ("benchmark",)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one commit that has baselines, made by another memray."""
    project = Project(tmp_path / "project")
    project.write("shop.py", _SHOP)
    project.write("test_shop.py", _TESTS)
    project.write(".gitignore", ".pytest_cache\n__pycache__\n")
    project.update()
    change_header(project, "test_shop.py")
    project.commit()
    return project


def change_header(project: Project, file: str) -> None:
    path = project.baselines / f"{file}.yaml"
    text, count = re.subn(r"^memray: .*$", "memray: '1.17'", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert count == 1
    path.write_text(text, encoding="utf-8")


def test_another_memray_is_no_reason_for_red(project: Project, workers: tuple[str, ...]) -> None:
    result = project.gate(_BASE, "--memgate-strict", *workers)
    assert (result.code, result.run["verdict"]) == (0, "passed"), result.out
    assert "measuring main for 2 tests, since no stored value decides" in result.out
    assert re.search(r"2 tests against main \(\w{8}\), measured here in \d+ s", result.summary())
    assert result.found("test_report", "memory.peak")["measured_from"] == "main"
    assert "waits" not in str(result.run)
    assert result.found("test_report", "memory.peak")["measurement"]["settled"]
    assert "so that nothing has to be measured: memgate baseline update" in result.out
    assert project.git("status", "--porcelain") == ""


def test_growth_is_red_all_the_same_and_fails_the_test_once(project: Project, workers: tuple[str, ...]) -> None:
    project.replace("shop.py", *_MORE)
    result = project.gate(_BASE, *workers)
    assert result.code == 1, result.out
    assert "against: main, measured here" in result.out
    assert "shop.py:2 in report  (" in result.out
    assert "2 failed, 2 passed" in result.out
    assert "memgate: FAILED: 2 regressed; 2 tests compared" in result.out


def test_what_is_only_to_be_stored_is_incomparable(project: Project) -> None:
    for_all = project.gate(_BASE, "--memgate-strict", "--memgate-against=stored")
    project.write("memgate.yml", "budgets: {memory.peak: {against: stored}, memory.retained: {against: stored}}\n")
    project.commit()
    for result in (for_all, project.gate(_BASE, "--memgate-strict")):
        assert (result.code, set(result.outcomes().values())) == (1, {"incomparable"}), result.out
        assert "measuring main" not in result.out


def test_what_is_always_to_be_measured_is(project: Project) -> None:
    project.update("--memgate-update=all")
    project.write("memgate.yml", "budgets: {memory.peak: {against: measured}}\n")
    project.commit()
    project.replace("shop.py", *_MORE)
    result = project.gate(_BASE)
    assert result.code == 1, result.out
    assert "memgate: FAILED: 2 regressed; 2 tests compared" in result.out
    assert result.found("test_empty", "memory.peak")["measured_from"] == "main"


def test_a_base_that_cannot_be_measured_leaves_what_was_stored(project: Project) -> None:
    project.write("conftest.py", "raise ImportError('gone')\n")
    project.commit()
    (project.root / "conftest.py").unlink()
    result = project.gate(_BASE, "--memgate-strict")
    assert (result.code, set(result.outcomes().values())) == (1, {"incomparable"}), result.out
    assert "main could not be measured: " in result.summary()
    assert "gone" in result.summary() or "conftest" in result.summary()


@pytest.mark.timeout(600)
def test_a_time_of_another_processor_is_decided_by_pairs(project: Project) -> None:
    project.write("test_time.py", _TIMED)
    project.write("memgate.yml", "budgets: {time.median: {growth: 60%}}\n")
    project.update("test_time.py", plugins=_TIMES)
    path = project.baselines / "test_time.py.yaml"
    path.write_text(re.sub(r"cpu: [^,}]*", "cpu: another", path.read_text(encoding="utf-8")), encoding="utf-8")
    project.commit()
    same = project.gate(_BASE, "--memgate-strict", "test_time.py", plugins=_TIMES)
    assert same.code == 0, same.out
    project.replace("shop.py", "range(number)", "range(number * 4)")
    slower = project.gate(_BASE, "--memgate-strict", "test_time.py", plugins=_TIMES)
    assert slower.code == 1, slower.out
    assert "pairs of both sides, in turn: " in slower.out
    assert "memgate: FAILED: 1 regressed; 1 test compared" in slower.out


@pytest.mark.timeout(600)
def test_a_time_that_only_the_stored_value_calls_slower_does_not_block(project: Project) -> None:
    project.write("test_time.py", _TIMED)
    project.write("memgate.yml", "budgets: {time.median: {growth: 60%}}\n")
    project.update("test_time.py", plugins=_TIMES)
    path = project.baselines / "test_time.py.yaml"
    text = path.read_text(encoding="utf-8")
    quicker = re.sub(
        r"(time\.median:.*?samples: )\[(.*?)\]",
        lambda found: f"{found[1]}[{', '.join(str(float(one) / 4) for one in found[2].split(','))}]",
        re.sub(r"(time\.median:\s+value: )([\d.]+)", lambda found: f"{found[1]}{float(found[2]) / 4}", text),
        flags=re.DOTALL,
    )
    assert quicker != text, text
    path.write_text(quicker, encoding="utf-8")
    project.commit()
    stored = project.gate(_BASE, "--memgate-against=stored", "test_time.py", plugins=_TIMES)
    assert stored.code == 1, stored.out
    decided = project.gate(_BASE, "test_time.py", plugins=_TIMES)
    assert decided.code == 0, decided.out
    assert _medians(decided) == ["main"]


def _medians(result: Result) -> list[str]:
    return [one.get("measured_from", "") for one in result.run["findings"] if one["metric"] == "time.median"]
