"""A reason says why in words, and a waiver ends within a year."""

from datetime import date, timedelta

import pytest
from harness import LAST_DAY, Project

_NONE = (".", "1 %", "#7")


@pytest.fixture
def gated(project: Project) -> Project:
    """A committed project whose test has grown since its baseline was made."""
    project.write("test_it.py", "from work import load\ndef test_it(): load(2000)")
    project.write(".gitignore", "__pycache__/\n")
    project.prepare()
    project.commit()
    project.replace("test_it.py", "2000", "9000")
    return project


@pytest.mark.parametrize("reason", _NONE)
def test_a_reason_without_a_letter_is_refused_by_each_command_in_one_line(gated: Project, reason: str) -> None:
    before = gated.baseline("test_it.py")
    assert gated.gate().code == 1
    run = str(gated.root.parent / "run.json")
    for command in (("update",), ("accept", run), ("anchor",)):
        result = gated.memgate("baseline", *command, f"--reason={reason}")
        assert result.code == 2
        assert result.out == f"memgate: --reason {reason!r} has no letter in it; say why values rise\n"
    pytest_itself = gated.gate("--memgate-update", f"--memgate-reason={reason}")
    assert pytest_itself.code == 4
    assert f"memgate: --memgate-reason {reason!r} has no letter in it: say why" in pytest_itself.out
    assert gated.baseline("test_it.py") == before


@pytest.mark.parametrize("reason", [*_NONE, "   "])
def test_a_reason_without_a_letter_in_a_baseline_is_none(gated: Project, reason: str) -> None:
    gated.prepare("--memgate-reason=to be taken out")
    path = f".memgate/{gated.baselines.name}/test_it.py.yaml"
    gated.replace(path, "reason: to be taken out", f"reason: '{reason}'")
    result = gated.gate("--memgate-base=main")
    assert (result.code, result.outcomes()["test_it"]) == (1, "regressed")
    assert "without a reason of its own" in result.summary()
    assert "(no reason given)" in result.summary()
    gated.replace(path, f"reason: '{reason}'", "reason: 行を保つ")
    assert gated.gate("--memgate-base=main").code == 0


def _waive(project: Project, until: str, reason: str = "until the new report") -> None:
    project.write(
        "memgate.yml",
        f"""
        missing: warn
        waivers:
          - test: test_it.py
            metric: memory.peak
            ceiling: 1MB
            until: {until}
            reason: "{reason}"
        """,
    )


@pytest.mark.parametrize("reason", _NONE)
def test_a_waivers_reason_has_letters(gated: Project, reason: str) -> None:
    _waive(gated, LAST_DAY, reason)
    said = f"memgate.yml:3: the waiver for test_it.py has a reason without a letter in it: {reason!r}; say why"
    assert gated.memgate("config").out == f"memgate: {said}\n"
    result = gated.gate()
    assert (result.code, result.out.strip()) == (4, f"ERROR: memgate: {said}")


def test_a_waiver_ends_within_a_year(gated: Project) -> None:
    today = date.today()  # noqa: DTZ011  # the gate goes by the day of the machine
    last, later = ((today + timedelta(days=days)).isoformat() for days in (366, 367))
    _waive(gated, last)
    assert gated.gate().outcomes()["test_it"] == "waived"
    _waive(gated, later)
    said = f"memgate.yml:3: the waiver for test_it.py ends in more than a year, on {later}; let it end by {last}"
    result = gated.gate()
    assert (result.code, result.out.strip()) == (4, f"ERROR: memgate: {said}")
    config = gated.memgate("config")
    assert (config.code, config.out) == (2, f"memgate: {said}\n")


def test_a_waiver_of_the_base_that_is_too_long_can_be_mended(gated: Project) -> None:
    _waive(gated, "2999-12-31")
    gated.git("stash", "-q", "--", "test_it.py")
    gated.commit()
    gated.git("stash", "pop", "-q")
    _waive(gated, LAST_DAY)
    assert gated.gate("--memgate-base=main").outcomes()["test_it"] == "waived"
