"""What a page takes, loaded as often as its verdict needs."""

from collections.abc import Mapping, Sequence

from pytest_memgate.compare.judge import speaks_against
from pytest_memgate.compare.noise import spread
from pytest_memgate.measure.lighthouse.collect import Collector
from pytest_memgate.measure.lighthouse.lhr import Load
from pytest_memgate.measure.lighthouse.page import Page
from pytest_memgate.measure.lighthouse.tools import find_tools
from pytest_memgate.measure.process.machine_lock import alone
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.metric import named
from pytest_memgate.probes.face import Case, Reading
from pytest_memgate.probes.page.identity import check_identity
from pytest_memgate.probes.page.pairs import page_of_base, paired_reading
from pytest_memgate.probes.page.probe import PageCheck
from pytest_memgate.probes.page.values import explanation, measurements

_FEW = 3


def page_reading(check: PageCheck, case: Case) -> Reading:
    """Return the metrics of a page.

    With a base that can be served beside it, both are loaded in turn. Otherwise, a few loads are enough where all of
    them are far within the budgets. If they are not, the page is loaded as often as its check says and, where that
    speaks against it or for a gain, collected a second time: only what both say counts. Raises MeasureError for a page
    that gives no number, or is another one than in the baseline.
    """
    page = check.page(case.root)
    is_on_both = case.base is not None and case.reference(named("web.lcp", case.part)) is not None
    there = page_of_base(case.base, case.root) if case.base and is_on_both else None
    if case.server and (there or not page.start):
        case.server.end()  # it may listen where another one is to
    if case.base and there:
        return paired_reading(page, there, case, case.base)
    collector = Collector(page, find_tools(case.root, page.near), case.root, shared=case.server)
    if case.is_base and (page.serve or page.start):
        with alone(), collector:
            return Reading(values=dict(measurements(collector.collect(1), (), case.part, settled=True)))

    def values(loads: Sequence[Load], again: Sequence[Load] = ()) -> dict[str, Measurement]:
        return dict(measurements(loads, again, case.part, settled=len(loads) >= check.runs))

    with alone(), collector:
        loads = list(collector.collect(min(_FEW, check.runs)))
        _check_identity(page, case, loads)
        if len(loads) < check.runs and (case.settle or case.is_open(values(loads))):
            loads += collector.collect(check.runs - len(loads))
        if case.settle and _is_unsteady(case, values(loads)):
            loads += collector.collect(check.runs)
        if case.settle or not any(map(_needs_proof, case.judged(values(loads)).values())):
            return Reading(values=values(loads))
        again = collector.collect(check.runs)
        measured, findings = values(loads, again), case.judged(values(loads, again))
        if not any(finding.outcome.fails_gate for finding in findings.values()):
            return Reading(values=measured)
        return Reading(values=measured, explained=explanation(case, findings, [*loads, *again]))


def _needs_proof(finding: Finding) -> bool:
    return speaks_against(finding) or finding.outcome is Outcome.IMPROVED


def _check_identity(page: Page, case: Case, loads: Sequence[Load]) -> None:
    lcp, size = (case.reference(named(f"web.{key}", case.part)) for key in ("lcp", "bytes"))
    if lcp and not case.settle:
        check_identity(page.name, loads, lcp.seen, size.value if size else None)


def _is_unsteady(case: Case, values: Mapping[str, Measurement]) -> bool:
    """Return True if a baseline of these loads alone could sit at one end of what the page does."""
    for name, measurement in values.items():
        growth = case.budget(name).growth
        if growth and spread(measurement.samples) > growth.of(measurement.value) / 2:
            return True
    return False
