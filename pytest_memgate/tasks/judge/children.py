"""Judge the processes that a test starts: a plan asks for runs until each value is known, as of its own memory."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_memgate.budget.rule import Budget, Rule
from pytest_memgate.compare.judge import needs_rerun
from pytest_memgate.model.judgement.reference import Bar
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.metric import CHILDREN_PEAK, CHILDREN_RESIDENT, CHILDREN_RETAINED, Metric
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.plans.repeats import Asked, Plan, measure

if TYPE_CHECKING:
    from pytest_memgate.measure.children.folder import Children  # it needs memray
    from pytest_memgate.model.judgement.finding import Finding

_NAMED = 3  # programs


def judge_children(
    gate: Gate, subject: Subject, rules: Mapping[str, Rule], first: "Children", *, settle: bool
) -> "Plan[list[Finding]]":
    """Return the findings on the processes of a test whose first run has started `first`, none on next to nothing.

    With `settle` both values are measured until they may become a baseline. Raises BaselineError for a baseline that
    cannot be read and ConfigError for a budget in another unit.
    """
    metrics = (CHILDREN_PEAK, CHILDREN_RETAINED, CHILDREN_RESIDENT)
    held = [(gate.budget(subject, one.name, rules), gate.baselines.bar(subject, one.name)) for one in metrics]
    asked = [_asked(metric, budget, bar, settle=settle) for metric, (budget, bar) in zip(metrics, held, strict=True)]
    measured = yield from measure(first, asked)
    found = []
    for metric, (budget, bar), (measurement, children) in zip(metrics, held, measured, strict=True):
        remark = _untraced(children) if metric is CHILDREN_RESIDENT else _programs(children)
        remarks = (*measurement.remarks, *([remark] if remark else ()))
        finding = gate.judge(subject, metric.name, replace(measurement, remarks=remarks), budget, bar)
        if metric.keeps(measurement.value) or (bar.reference and metric.keeps(bar.reference.value)):
            found.append(finding)
    return found


def _asked(metric: Metric, budget: Budget, bar: Bar, *, settle: bool) -> "Asked[Children]":
    def is_open(measurement: Measurement) -> bool:
        return budget.gates and (settle or needs_rerun(measurement, budget, bar))

    return Asked(
        metric=metric,
        bound=lambda children: children.value(metric.name),
        value=lambda children: children.value(metric.name),
        sites=lambda children: children.sites(metric.name),
        first=lambda _: 0,  # each process is a new one, in each order of the tests
        is_open=is_open,
        first_counts=settle,
    )


def _untraced(children: "Children") -> Remark | None:
    text = f"the largest resident size of {children.largest}, which is not traced"
    return Remark(kind=RemarkKind.TEXT, text=text) if children.largest else None


def _programs(children: "Children") -> Remark | None:
    programs = children.programs
    more = (f"and {len(programs) - _NAMED} more",) if len(programs) > _NAMED else ()
    names = (*programs[:_NAMED], *more)
    return Remark(kind=RemarkKind.PROCESSES, names=names, amounts=(len(children.all),)) if programs else None
