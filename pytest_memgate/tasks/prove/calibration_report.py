"""A calibration in plain lines: the floors as a table, worst first, and the verdicts."""

from collections.abc import Iterable, Iterator

from pytest_memgate.compare.calibration import CONFIDENCE, runs_needed
from pytest_memgate.tasks.prove.calibrate import OWN, Calibration, Floor
from pytest_memgate.units import counted, format_amount

_MOST = 20  # rows of the table, unless all are asked for
_NAMED = 5
_HEAD = ("worst", "median", "budget", "smallest", "test and metric")
_STEPS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50)  # budgets of times in percent that are proposed
_TOO_MUCH = 1000
_RARE = 0.05  # a rate of false alarms that can be lived with: the report says how many quiet runs prove it


def calibration_lines(found: Calibration, *, every: bool) -> Iterator[str]:
    """Yield the table, with `every` row or the worst ones, then the verdicts."""
    shown = found.floors if every else found.floors[:_MOST]
    yield f"how much each value varies while nothing changes, over {len(found.runs)} runs, worst first:"
    yield from _table([_HEAD, *map(_row, shown)])
    if len(found.floors) > len(shown):
        yield f"  and {len(found.floors) - len(shown)} more, none worse (--all shows them)"
    if found.unmeasured:
        test, why = next(iter(found.unmeasured.items()))
        yield f"not measured: {counted(len(found.unmeasured), 'test')}, first {test}: {why or 'no reason given'}"
    yield from _budgets(found)
    yield from _pairs(found)
    yield from _alarms(found)
    yield f"calibrate: {_verdict(found)}"


def _row(floor: Floor) -> tuple[str, ...]:
    budget = "none" if floor.allowed is None else format_amount(floor.allowed, floor.unit)
    amounts = (format_amount(one, floor.unit) for one in (floor.worst, floor.usual))
    name = f"{floor.subject}  {floor.metric}"
    marks = [] if floor.holds else ["cannot hold its budget"]
    marks += [f"{number}x {outcome}" for outcome, number in floor.alarms.items()]
    said = f"{name}  ({', '.join(marks)})" if marks else name
    return (*amounts, budget, format_amount(floor.smallest, floor.unit), said)


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        yield "  " + "  ".join([*(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=False)), row[4]])


def _budgets(found: Calibration) -> Iterator[str]:
    if not found.breaking:
        gated = sum(floor.allowed is not None for floor in found.floors)
        yield f"budgets: all {gated} are above what their tests differ by" if gated else "budgets: none is set"
        return
    yield f"budgets: {len(found.breaking)} cannot be held: two runs of the same code differ by as much"
    for floor in found.breaking[:_NAMED]:
        smallest = format_amount(floor.smallest, floor.unit).replace(" ", "")
        yield f"  give {floor.subject} {floor.metric} at least growth: {smallest}, or make it steadier"


def _pairs(found: Calibration) -> Iterator[str]:
    """Yield the budgets of times that can be held where both sides are measured, and for which tests."""
    by_budget: dict[int, list[str]] = {}
    for subject, share in found.paired.items():
        budget = next((step for step in _STEPS if share <= step / 100), 0)
        by_budget.setdefault(budget, []).append(str(subject))
    for budget, tests in sorted(by_budget.items(), key=lambda item: item[0] or _TOO_MUCH):
        named = ", ".join(tests[:_NAMED]) + (f" and {len(tests) - _NAMED} more" if len(tests) > _NAMED else "")
        held = f"{budget}% can be held" if budget else f"not even {_STEPS[-1]}% can be held"
        yield f"times by pairs of both sides: {held} for {named}"


def _alarms(found: Calibration) -> Iterator[str]:
    if not found.judged:
        yield "false alarms: none could come, as nothing has a baseline (memgate baseline update, then again)"
        return
    if found.grown:
        yield f"red in every run, which is growth and no false alarm: {_names(found.grown)}"
    what = ", ".join(f"{number} {outcome}" for outcome, number in found.outcomes.items())
    said = f" ({what}: {_names(sorted(set().union(*found.false_alarms)))})" if what else ""
    runs = len(found.runs)
    most = f"at most {found.rate:.0%} of all runs, at {CONFIDENCE:.0%} confidence"
    yield f"false alarms: in {found.alarmed} of {runs} runs{said}; so in {most}"
    loud = {order for order, alarms in zip(found.orders, found.false_alarms, strict=True) if alarms}
    if loud and OWN in found.orders and OWN not in loud:
        yield "  none in the tests' own order: what a test takes depends on those before it"
    if not found.alarmed and runs < runs_needed(_RARE):
        yield f"  (it takes {runs_needed(_RARE)} quiet runs to say: below {_RARE:.0%})"


def _names(concerned: Iterable[tuple[object, str]]) -> str:
    names = [f"{subject} {metric}" for subject, metric in concerned]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _verdict(found: Calibration) -> str:
    parts = [
        (found.alarmed, f"false alarms in {found.alarmed} of {len(found.runs)} runs"),
        (len(found.grown), f"{len(found.grown)} red in every run"),
        (len(found.breaking), f"{counted(len(found.breaking), 'budget')} that cannot be held"),
    ]
    said = ", ".join(text for number, text in parts if number)
    return said or ("QUIET" if found.judged else "NO ANSWER: nothing was held against a baseline")
