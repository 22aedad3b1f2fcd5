"""What waits for a measurement of the base is decided at the end of a run, by `memgate compare` of its tests alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.metric import metric
from pytest_memgate.model.run import Measured
from pytest_memgate.plugin.session.fresh_process import run_compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The findings of a run after the base was measured, those of them that were `waiting`, and notes for people."""

    findings: list[Finding]
    waited: list[Finding]
    notes: tuple[str, ...] = ()
    measured: Measured | None = None


def decide(config: pytest.Config, ref: str, findings: Sequence[Finding]) -> Decided:
    """Measure a git ref for the tests whose findings wait, and replace these by what that gives.

    Where it gives nothing, they stay as the stored baseline has decided, and a note says why.
    """
    tests = list(dict.fromkeys(str(one.subject) for one in findings if one.waits))
    done = run_compared(config, ref, tests)
    there = {(one.subject, one.metric): one for one in done.run.findings} if done.run else {}
    held = {one.subject for one in there.values() if one.is_held}
    decided, waited = [], []
    for one in findings:
        found, other = replace(one, waits=False), there.get((one.subject, one.metric))
        if one.waits and other is None and one.subject in held and metric(one.metric).absent is not None:
            continue  # what passes and is small is not told
        if one.waits:
            found = _decided(one, other) if other and _decides(one, other) else found
            waited.append(found)
        decided.append(found)
    known = {(one.subject, one.metric) for one in findings}
    paid = [one for key, one in there.items() if one.subject.is_first_use and key not in known]
    notes = () if done.run else (f"{ref} could not be measured: {_why(done.out)}",)
    return Decided(
        findings=[*decided, *paid],
        waited=[*waited, *paid],
        notes=(*notes, *(_without(done.run.measured) if done.run and done.run.measured else ())),
        measured=done.run.measured if done.run else None,
    )


def _decides(one: Finding, other: Finding) -> bool:
    """True if a comparison has compared: a test that the base does not have, or that fails there, is new to it.

    Without a baseline nobody can say more; where there is one, it stands.
    """
    return other.is_held or (one.outcome is Outcome.NO_BASELINE and other.outcome is Outcome.NEW)


def _decided(one: Finding, other: Finding) -> Finding:
    """Return the finding of the comparison; a value that is settled here says more than a bound there."""
    measurement = one.measurement if other.is_bound else other.measurement
    return replace(other, line=one.line, measurement=measurement)


def _without(measured: Measured) -> Iterator[str]:
    yield from (f"in {measured.ref}, {one}" for one in measured.without)


def _why(out: str) -> str:
    """Return the last line that the command has said."""
    lines = [line.strip() for line in out.splitlines() if line.strip()] or ["it said nothing"]
    return lines[-1].removeprefix("memgate: ")
