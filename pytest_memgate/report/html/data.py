"""The findings as the page's script reads them: worst first, with the data of each finding's own page."""

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.measurement import Basis
from pytest_memgate.model.run import Run
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.escape import one_line
from pytest_memgate.report.html.embed import script_json, shown
from pytest_memgate.report.lines import accept_command, measured_line
from pytest_memgate.report.view import WORST_FIRST, Row, excess, rows, trends
from pytest_memgate.report.words.budget import budget_text
from pytest_memgate.report.words.contributions import lead_text, module_texts
from pytest_memgate.report.words.details import detail_lines
from pytest_memgate.report.words.reason import reason
from pytest_memgate.units import SIZE

TONES: Mapping[Outcome, str] = {
    **dict.fromkeys((Outcome.REGRESSED, Outcome.DRIFTED, Outcome.NO_ANSWER, Outcome.UNREADABLE), "bad"),
    **dict.fromkeys((Outcome.UNSTABLE, Outcome.INCOMPARABLE, Outcome.UNMEASURED, Outcome.VANISHED), "doubt"),
    **dict.fromkeys((Outcome.NOT_RUN, Outcome.NO_BASELINE, Outcome.WAIVED), "doubt"),
    **dict.fromkeys((Outcome.PASSED, Outcome.IMPROVED), "good"),
    **dict.fromkeys((Outcome.NEW, Outcome.SKIPPED, Outcome.NOT_GATED), "quiet"),
}

_ROOM = 3_000_000  # characters for the findings' own pages; the table comes on top; chosen
_SITES = 100  # unchanged parts of one finding that are kept

Trends = Mapping[tuple[Subject, str], tuple[float | None, ...]]


def page_data(run: Run, history: Sequence[Run]) -> dict[str, Any]:
    """Return plain data: the outcomes with their tones, and the findings, worst first.

    Fields that do not matter to a finding are absent; without a unit, its amounts are sizes. If there is no room left,
    `cut` stands in place of `more`: the worst findings have all they need.
    """
    past = {(one.finding.subject, one.finding.metric): one.values for one in trends(run, history)}
    room = _ROOM
    findings = []
    for row in rows(run):
        more = _more(row.finding, past)
        size = len(script_json(more)) if more else 0
        room -= size
        findings.append(_finding(row) | ({"more": more} if more and room >= 0 else {"cut": True} if more else {}))
    outcomes = {str(outcome): {"rank": rank, "tone": TONES[outcome]} for rank, outcome in enumerate(WORST_FIRST)}
    return {"outcomes": outcomes, "findings": findings}


def _finding(row: Row) -> dict[str, Any]:
    one = row.finding
    return _filled(
        file=shown(one.subject.file),
        name=shown(one.subject.name),
        metric=shown(one.metric),
        outcome=str(one.outcome),
        before=row.before,
        after=row.after,
        difference=row.difference,
        percent=row.percent,
        base=one.baseline,
        value=one.value,
        allowed=one.allowed,
        used=round(excess(one), 4) if row.difference and one.allowed and (one.growth or 0) >= 0 else None,
        bound=one.bound,
        reason=shown("; ".join(part for part in (reason(one), _moved(one)) if part)),
    ) | ({"unit": shown(one.unit)} if one.unit != SIZE else {})


def _moved(one: Finding) -> str:
    return f"moved from {one.moved_from}" if one.moved_from else ""


def _more(one: Finding, past: Trends) -> dict[str, Any]:
    measured = one.measurement
    # A number that stands as a test's only one is told in its row.
    details = detail_lines(one)
    told = one.outcome.fails_test or one.growth_by_site or details or one.kept
    return _filled(
        budget=shown(budget_text(one)) if measured else None,
        anchor=one.anchor,
        line=one.line,
        measured=shown(measured_line(one)),
        parts=_parts(one),
        details=[shown(line) for line in details],
        kept=[one_line(path) for path in one.kept],
        accept=one_line(accept_command(one)) if measured and one.outcome.fails_gate else None,
        trend=list(past.get((one.subject, one.metric), ())),
        **(_measurement(one) if told or (measured and (measured.samples or measured.warm)) else {}),
    )


def _measurement(one: Finding) -> dict[str, Any]:
    measured = one.measurement
    if measured is None:
        return {}
    return {
        "basis": str(measured.basis),
        # Bounds are no points of a chart: of the first runs of several tests, and of a leak that is not certain.
        "cold": measured.cold if measured.together == 1 else 0,
        "warm": [] if measured.basis is Basis.SLOPE else list(measured.warm),
        "samples": list(measured.samples),
        "again": list(measured.again),
        "spread": measured.spread,
        "conditions": {shown(key): shown(value) for key, value in measured.conditions.items()},
        "audits": {shown(key): saved for key, saved in measured.audits.items()},
    }


def _parts(one: Finding) -> list[dict[str, Any]]:
    """Return the parts of the value: first those that changed, with their base, then the others, without one.

    For a value over its limit that did not grow, the largest parts are named, and none has a base.
    """
    moved = [
        _site(contribution.site, contribution.head) | ({"base": contribution.base} if one.told_by_growth else {})
        for contribution in one.growth_by_site
        if contribution.site
    ]
    known = {contribution.site.key for contribution in one.growth_by_site if contribution.site}
    sites = one.measurement.sites if one.measurement else ()
    still = [_site(site, site.size) for site in sites if site.key not in known]
    return moved + still[:_SITES]


def _site(site: Site, head: float) -> dict[str, Any]:
    return _filled(
        path=shown(site.path),
        function=shown(site.function),
        line=site.line,
        # The page's script says of a function that it is called from there: it needs the places alone.
        via=[shown(lead.label if site.function else lead_text(lead)) for lead in site.via],
        uses=[shown(text) for text in (*site.uses, *module_texts(site))],
    ) | {"head": head}


def _filled(**fields: Any) -> dict[str, Any]:
    """Return the fields that are not empty; an amount of 0 is not empty."""
    empty: tuple[object, ...] = (None, "", [], {})
    return {key: value for key, value in fields.items() if value not in empty and not (key == "line" and not value)}
