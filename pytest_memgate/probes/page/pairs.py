"""A page of two sides, base and head, loaded in turn."""

import math
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from statistics import median_low

from pytest_memgate.compare.pairs import Paired, measure_loads
from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.collect import Collector
from pytest_memgate.measure.lighthouse.lhr import METRICS, Load
from pytest_memgate.measure.lighthouse.page import Page
from pytest_memgate.measure.lighthouse.tools import find_tools
from pytest_memgate.measure.process.machine_lock import alone
from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.metric import named
from pytest_memgate.probes.face import Base, Case, Reading
from pytest_memgate.probes.page.identity import check_identity
from pytest_memgate.probes.page.probe import PageCheck
from pytest_memgate.probes.page.values import explanation, measurements


def page_of_base(base: Base, root: Path) -> Page | None:
    """Return the page as the base serves it, None if nothing of the base serves it: a URL of a server that runs."""
    if not isinstance(base.check, PageCheck):
        return None
    there = base.check.page(base.side.there(root))
    if there.serve:
        serve = base.side.there(there.serve)
        return replace(there, serve=serve) if serve.is_relative_to(base.side.base_top) else None
    return there if there.start else None


def paired_reading(page: Page, there: Page, case: Case, base: Base) -> Reading:
    """Return the metrics of a page and their growth, of pairs of loads, in random order, until all are certain.

    Two servers with one port of their own are started in turn, for each load. Raises MeasureError for a page that gives
    no number on one of the sides, or is another one on each.
    """
    budgets = {key: case.budget(named(f"web.{key}", case.part)).growth for key in METRICS}
    allowed = {key: growth.of for key, growth in budgets.items() if growth}
    plan = measure_loads(allowed, base.error, by_ranges=not base.side.is_strict)
    dice = secrets.SystemRandom()
    with alone(), Workspace() as reports, ExitStack() as stack:
        sides = _sides(page, there, case, base, reports)
        at_once = all(not one.start or "{port}" in one.url for one in (page, there))
        if at_once:
            for side in sides:
                stack.enter_context(side.ready())
        next(plan)
        while True:
            for side in dice.sample(sides, 2):
                with nullcontext() if at_once else side.ready():
                    side.load()
            try:
                plan.send((sides[0].loads[-1].values, sides[1].loads[-1].values))
            except StopIteration as end:
                before = {text: kind for load in sides[0].loads for text, kind in load.seen.items()}
                size = median_low(load.values["bytes"] for load in sides[0].loads)
                check_identity(page.name, sides[1].loads, before, size)
                return _reading(case, end.value, sides[1].loads)


class _Side:
    """One side, and its loads so far; its errors say `whose` they are."""

    def __init__(self, whose: str, collector: Collector) -> None:
        self.loads: list[Load] = []
        self._whose = whose
        self._collector = collector

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Serve the page."""
        with self._told(), self._collector:
            yield

    def load(self) -> None:
        """Load it once."""
        with self._told():
            self.loads += self._collector.collect(1)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except MeasureError as error:
            if not self._whose or str(error).startswith(self._whose):
                raise
            raise MeasureError(f"{self._whose}{error}") from error


def _sides(page: Page, there: Page, case: Case, base: Base, reports: Workspace) -> tuple[_Side, _Side]:
    tools, root = find_tools(case.root, page.near), base.side.there(case.root)
    return (
        _Side(f"{base.side.ref}: ", Collector(there, tools, root, reports.place(), env=base.side.env)),
        _Side("", Collector(page, tools, case.root, reports.place())),
    )


def _reading(case: Case, found: Mapping[str, Paired], loads: Sequence[Load]) -> Reading:
    paired = {named(f"web.{key}", case.part): one for key, one in found.items()}
    values = dict(measurements(loads, (), case.part, settled=True))
    values |= {name: _told_of(values[name], one, case.budget(name).unit) for name, one in paired.items()}
    findings = case.judged(values, paired)
    if not any(finding.outcome.fails_gate for finding in findings.values()):
        return Reading(values=values, paired=paired)
    return Reading(values=values, paired=paired, explained=explanation(case, findings, loads))


def _told_of(measurement: Measurement, paired: Paired, unit: str) -> Measurement:
    bounds = (paired.low, paired.high)
    amounts = (paired.pairs, paired.growth, *(bounds if all(map(math.isfinite, bounds)) else ()))
    remark = Remark(kind=RemarkKind.LOADS, text=unit, amounts=amounts)
    return replace(measurement, remarks=(*measurement.remarks, remark))
