"""What becomes of findings that waited for a measurement of the base, by what that gave."""

from dataclasses import replace
from typing import Any

import pytest
from samples import ENVIRONMENT, SUBJECT, finding, settled

from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.run import Measured, Run, Verdict
from pytest_memgate.plugin.session import measured_base
from pytest_memgate.tasks.prove.pytest_subprocess import Done

MEASURED = Measured(ref="main", commit="0123456789", packages=(), unmet=(), without=("a test fails",), seconds=2)


def one(metric: str, outcome: Outcome, *, waits: bool = False) -> Finding:
    return replace(finding(outcome, settled(1000)), metric=metric, waits=waits)


def decided(
    monkeypatch: pytest.MonkeyPatch, waiting: list[Finding], found: list[Finding] | None
) -> measured_base.Decided:
    run = None
    if found is not None:
        run = Run(environment=ENVIRONMENT, verdict=Verdict.PASSED, findings=tuple(found), measured=MEASURED)
    done = Done(code=0 if run else 3, out="memgate: main cannot be built\n", run=run, seconds=1)
    monkeypatch.setattr(measured_base, "run_compared", lambda *_: done)
    config: Any = None
    return measured_base.decide(config, "main", waiting)


def outcomes(found: measured_base.Decided) -> dict[str, Outcome]:
    assert not any(each.waits for each in found.findings)
    return {each.metric: each.outcome for each in found.findings}


def test_what_the_comparison_says_takes_the_place_of_what_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [one("memory.peak", Outcome.INCOMPARABLE, waits=True), one("memory.leak", Outcome.PASSED)]
    found = decided(
        monkeypatch, waiting, [one("memory.peak", Outcome.REGRESSED), one("memory.leak", Outcome.REGRESSED)]
    )
    assert outcomes(found) == {"memory.peak": Outcome.REGRESSED, "memory.leak": Outcome.PASSED}
    assert found.notes == ("in main, a test fails",)


def test_what_it_says_nothing_of_stays_as_it_was_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [one(metric, Outcome.REGRESSED, waits=True) for metric in ("time.median", "memory.retained")]
    found = decided(monkeypatch, waiting, [one("memory.peak", Outcome.PASSED), one("time", Outcome.UNMEASURED)])
    assert outcomes(found) == {"time.median": Outcome.REGRESSED}  # of retained memory, what passes is not told
    assert [each.subject for each in found.waited] == [SUBJECT]


def test_without_a_comparison_all_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    found = decided(monkeypatch, [one("memory.peak", Outcome.INCOMPARABLE, waits=True)], None)
    assert outcomes(found) == {"memory.peak": Outcome.INCOMPARABLE}
    assert found.notes == ("main could not be measured: main cannot be built",)


@pytest.mark.parametrize("outcome", [Outcome.NEW, Outcome.NO_ANSWER, Outcome.UNMEASURED, Outcome.INCOMPARABLE])
def test_a_comparison_that_has_not_compared_turns_nothing_into_a_pass(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    for stored in (Outcome.REGRESSED, Outcome.INCOMPARABLE, Outcome.UNSTABLE):
        found = decided(monkeypatch, [one("time.median", stored, waits=True)], [one("time.median", outcome)])
        assert outcomes(found) == {"time.median": stored}


def test_a_test_that_neither_side_knows_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [one("memory.peak", Outcome.NO_BASELINE, waits=True)]
    assert outcomes(decided(monkeypatch, waiting, [one("memory.peak", Outcome.NEW)])) == {"memory.peak": Outcome.NEW}
