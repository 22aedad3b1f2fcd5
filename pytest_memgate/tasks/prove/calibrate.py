"""Run the unchanged suite through the gate several times: how much values vary, and which budgets that breaks."""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import cycle
from pathlib import Path
from typing import Any

from pytest_memgate.compare.calibration import (
    CONFIDENCE,
    smallest_budget,
    upper_bound,
    usual_difference,
    worst_difference,
)
from pytest_memgate.errors import MeasureError, UsageError
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.remark import RemarkKind
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.model.run import Run
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.words.budget import budget_text
from pytest_memgate.report.words.reason import reason
from pytest_memgate.tasks.prove.pytest_subprocess import real_run
from pytest_memgate.units import counted

OWN = "own"
ALARMS = (Outcome.REGRESSED, Outcome.DRIFTED, Outcome.UNSTABLE, Outcome.NO_ANSWER)
_JUDGED = (*ALARMS, Outcome.PASSED, Outcome.IMPROVED, Outcome.WAIVED)
_ORDER = ("-p", "pytest_memgate.plugin.child_runs.reorder")


@dataclass(frozen=True, kw_only=True)
class Floor:
    """The values of one metric of one test, run after run; amounts in `unit`.

    `allowed` is the growth that its budget allows, None if no budget names it. `outcomes` are those of each run.
    """

    subject: Subject
    metric: str
    unit: str
    values: tuple[float, ...]
    outcomes: tuple[Outcome, ...]
    allowed: float | None
    budget: str

    @cached_property
    def worst(self) -> float:
        """The largest difference between two runs."""
        return worst_difference(self.values)

    @cached_property
    def usual(self) -> float:
        """The median difference between any two runs."""
        return usual_difference(self.values)

    @cached_property
    def smallest(self) -> float:
        """The smallest growth budget that these values can hold."""
        return smallest_budget(self.values, near_exact=metric_of(self.metric).is_traced)

    @property
    def holds(self) -> bool:
        """True if the budget is above all differences seen, or there is no budget."""
        return self.allowed is None or not self.worst or self.worst < self.allowed

    @property
    def share(self) -> float:
        """The part of its budget that the worst difference takes; below 0 without a budget."""
        if self.allowed is None:
            return -1.0
        return self.worst / self.allowed if self.allowed else float(bool(self.worst)) * 1e9

    @property
    def alarms(self) -> Mapping[Outcome, int]:
        """The number of runs with each failing outcome."""
        return Counter(outcome for outcome in self.outcomes if outcome in ALARMS)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """All runs of one unchanged suite; the floors with the worst first.

    A test that is red in every run has grown since its baseline: that is no false alarm. `unmeasured` are tests without
    a value in any run, each with the reason. `paired` are timed tests, each with the share of its time that pairs of it
    with itself leave uncertain: a smaller budget cannot be held, even by pairs.
    """

    orders: tuple[str, ...]
    floors: tuple[Floor, ...]
    runs: tuple[Run, ...]
    unmeasured: Mapping[str, str]
    paired: Mapping[Subject, float] = field(default_factory=dict)

    @cached_property
    def grown(self) -> tuple[tuple[Subject, str], ...]:
        """The metrics of tests that were red in every run."""
        seen = [_alarms(run) for run in self.runs]
        return tuple(sorted(set.intersection(*seen))) if seen else ()

    @cached_property
    def false_alarms(self) -> tuple[frozenset[tuple[Subject, str]], ...]:
        """For each run, the metrics of tests that were red in it, but not in all runs."""
        return tuple(frozenset(_alarms(run) - set(self.grown)) for run in self.runs)

    @property
    def alarmed(self) -> int:
        """The number of runs with a false alarm."""
        return sum(map(bool, self.false_alarms))

    @cached_property
    def outcomes(self) -> Mapping[Outcome, int]:
        """The number of false alarms by outcome."""
        return Counter(
            finding.outcome
            for run, alarms in zip(self.runs, self.false_alarms, strict=True)
            for finding in run.findings
            if (finding.subject, finding.metric) in alarms
        )

    @property
    def judged(self) -> bool:
        """True if anything was held against a baseline."""
        return any(run.count(*_JUDGED) for run in self.runs)

    @property
    def rate(self) -> float:
        """The largest rate of runs with a false alarm that these runs leave possible, from 0 to 1."""
        return upper_bound(self.alarmed, len(self.runs))

    @property
    def breaking(self) -> tuple[Floor, ...]:
        """The floors whose budget cannot be held."""
        return tuple(floor for floor in self.floors if not floor.holds)

    @property
    def exit_code(self) -> int:
        """0 if all is quiet, 1 for an alarm or a budget that cannot be held, 3 if nothing was judged."""
        if self.alarmed or self.grown or self.breaking:
            return 1
        return 0 if self.judged else 3


def calibrate(root: Path, args: Sequence[str], count: int, say: Callable[[str], None]) -> Calibration:
    """Run the suite `count` times, in its own order, reversed and shuffled in turn.

    `say` gets a line for each run. Raises MeasureError for a suite that fails by itself, or that gives no value, and
    UsageError for arguments that pytest does not take.
    """
    runs: list[Run] = []
    orders: list[str] = []
    for number, (name, order) in enumerate(zip(cycle((OWN, "reversed", "shuffled")), range(count), strict=False), 1):
        with tempfile.TemporaryDirectory(prefix="memgate-") as folder:
            how = f"--memgate-order={order if name == 'shuffled' else name}"
            done = real_run(root, (*_ORDER, how, "--memgate-measure=exact", *args), Path(folder))
        if done.is_refused:
            raise UsageError(done.why_useless, hint="TESTS go to pytest as they are, its options behind --")
        if done.run is None or done.why_useless:
            hint = "do the tests pass in any order?" if name != OWN else "the tests have to pass: pytest --memgate"
            raise MeasureError(f"run {number} of {count}, {name} order: {done.why_useless}", hint=hint)
        runs.append(done.run)
        orders.append(name)
        alarms = len(_alarms(done.run))
        say(f"run {number} of {count}: {name} order, {done.seconds:.1f} s, {counted(alarms, 'alarm')}")
    found = calibration(runs, orders)
    if not found.floors:
        why = next(iter(found.unmeasured.values()), "")
        raise MeasureError(f"nothing was measured{f': {why}' if why else ''}", hint="see: memgate doctor")
    timed = {floor.subject for floor in found.floors if floor.metric.startswith("time.")}
    if not timed:
        return found
    say(f"one more run: each of {counted(len(timed), 'timed test')} in pairs with itself, as by memgate compare")
    return replace(found, paired=_paired(root, args))


def _paired(root: Path, args: Sequence[str]) -> dict[Subject, float]:
    with tempfile.TemporaryDirectory(prefix="memgate-") as folder:
        done = real_run(root, ("--memgate-side=itself", *args), Path(folder))
    found: dict[Subject, float] = {}
    for one in done.run.findings if done.run else ():
        for remark in one.measurement.remarks if one.measurement else ():
            if remark.kind is RemarkKind.PAIRS and remark.amounts[3] > 0:
                found[one.subject] = max(remark.amounts[3] - 1, 1 - remark.amounts[2])
    return found


def calibration(runs: Sequence[Run], orders: Iterable[str]) -> Calibration:
    """Return the calibration of several runs of the same code."""
    found: dict[tuple[Subject, str], list[Finding]] = defaultdict(list)
    for run in runs:
        for finding in run.findings:
            found[finding.subject, finding.metric].append(finding)
    floors = [_floor(findings) for findings in found.values() if any(one.measurement for one in findings)]
    known = {floor.subject for floor in floors}
    silent = {
        str(subject): reason(findings[0])
        for (subject, _), findings in found.items()
        if subject not in known and findings[0].outcome is not Outcome.VANISHED
    }
    floors.sort(key=lambda floor: (-floor.share, -floor.worst, str(floor.subject), floor.metric))
    return Calibration(orders=tuple(orders), floors=tuple(floors), runs=tuple(runs), unmeasured=silent)


def _floor(findings: Sequence[Finding]) -> Floor:
    measured = [(one, one.measurement) for one in findings if one.measurement]
    allowed = [one.allowed for one, _ in measured if one.allowed is not None]
    first = measured[0][0]
    return Floor(
        subject=first.subject,
        metric=first.metric,
        unit=first.unit,
        # What imports hold in a test that cannot run twice is not held against it.
        values=tuple(measurement.value for _, measurement in measured),
        outcomes=tuple(one.outcome for one in findings),
        allowed=min(allowed, default=None),
        budget=budget_text(first),
    )


def _alarms(run: Run) -> set[tuple[Subject, str]]:
    return {(one.subject, one.metric) for one in run.findings if one.outcome in ALARMS}


def to_json(found: Calibration) -> dict[str, Any]:
    """Return a calibration as JSON data; amounts in the unit that stands beside them."""
    return {
        "exit_code": found.exit_code,
        "runs": [
            {
                "order": order,
                "false_alarms": [{"test": str(subject), "metric": name} for subject, name in sorted(alarms)],
            }
            for order, alarms in zip(found.orders, found.false_alarms, strict=True)
        ],
        "judged": found.judged,
        "false_alarms": {
            "runs": found.alarmed,
            "of": len(found.runs),
            "rate_at_most": round(found.rate, 4),
            "confidence": CONFIDENCE,
            "outcomes": dict(found.outcomes),
        },
        "red_in_every_run": [{"test": str(subject), "metric": metric} for subject, metric in found.grown],
        "unmeasured": dict(found.unmeasured),
        "tests": [
            {
                "test": str(floor.subject),
                "metric": floor.metric,
                "unit": floor.unit,
                "values": list(floor.values),
                "floor": {"median": floor.usual, "worst": floor.worst},
                "allowed": floor.allowed,
                "budget": floor.budget,
                "holds": floor.holds,
                "smallest_budget": floor.smallest,
                "outcomes": list(floor.outcomes),
                **_uncertain(found, floor),
            }
            for floor in found.floors
        ],
    }


def _uncertain(found: Calibration, floor: Floor) -> dict[str, float]:
    share = found.paired.get(floor.subject) if floor.metric.startswith("time.") else None
    return {} if share is None else {"paired": round(share, 4)}
