"""Load a page as often as its verdict needs, and judge it."""

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median_low
from typing import Any

from pytest_memgate.budget.rule import Rule
from pytest_memgate.compare.attribution import growth_by_site
from pytest_memgate.compare.judge import needs_rerun, speaks_against
from pytest_memgate.compare.noise import spread
from pytest_memgate.config.checks import PageCheck
from pytest_memgate.measure.lighthouse.collect import Collector
from pytest_memgate.measure.lighthouse.lhr import Load
from pytest_memgate.measure.lighthouse.tools import find_tools
from pytest_memgate.measure.process.machine_lock import alone
from pytest_memgate.model.judgement.finding import Evidence, Finding
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.judgement.remark import remarks_of
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import base_name, named
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.gate import Gate

KEPT = ".lighthouseci/memgate"  # below the root: the folder for the reports of a failing page
_FEW = 3  # loads that can prove a page within its budgets; chosen: docs/pages.md, "How often a page is loaded"
_DIGITS = {"cls": 4, "bytes": 0}


def page_findings(
    gate: Gate, subject: Subject, check: PageCheck, rules: Mapping[str, Rule], *, part: str = "", update: bool
) -> list[Finding]:
    """Return a finding for each metric of a page.

    A few loads are enough if all of them are far within the budgets. Otherwise the page is loaded as often as its check
    says and, if that speaks against it, collected a second time: only a growth in both collections blocks. Raises
    MeasureError for a page that gives no number, and as `Gate.assess` does.
    """
    page = check.page(gate.root)
    collector = Collector(page, find_tools(gate.root, page.near), gate.root)
    judging = _Judging(gate, subject, rules, part, check.runs)
    with alone(), collector:
        loads = list(collector.collect(min(_FEW, check.runs)))
        if len(loads) < check.runs and (update or judging.is_open(loads)):
            loads += collector.collect(check.runs - len(loads))
        if update and judging.is_unsteady(loads):
            loads += collector.collect(check.runs)
        findings = judging.findings(loads)
        if update or not any(map(speaks_against, findings)):
            return findings
        again = collector.collect(check.runs)
        return judging.explained(judging.findings(loads, again), [*loads, *again])


class _Judging:
    """Loads of one page in, findings out."""

    def __init__(self, gate: Gate, subject: Subject, rules: Mapping[str, Rule], part: str, runs: int) -> None:
        self._gate = gate
        self._subject = subject
        self._rules = rules
        self._part = part
        self._runs = runs

    def findings(self, loads: Sequence[Load], again: Sequence[Load] = ()) -> list[Finding]:
        """Return a finding for each metric, from one collection or two."""
        found = self._measurements(loads, again)
        return [self._gate.assess(self._subject, name, one, self._rules) for name, one in found]

    def is_open(self, loads: Sequence[Load]) -> bool:
        """True if more loads could change a verdict, or are needed for a value that may be stored."""
        return any(
            needs_rerun(
                measurement,
                self._gate.budget(self._subject, name, self._rules),
                self._gate.baselines.bar(self._subject, name, measurement.conditions),
            )
            for name, measurement in self._measurements(loads)
        )

    def is_unsteady(self, loads: Sequence[Load]) -> bool:
        """True if a baseline of these loads alone could lie at one end of the page's values."""
        for name, measurement in self._measurements(loads):
            budget = self._gate.budget(self._subject, name, self._rules)
            if budget.growth and spread(measurement.samples) > budget.growth.of(measurement.value) / 2:
                return True
        return False

    def _measurements(self, loads: Sequence[Load], again: Sequence[Load] = ()) -> Iterator[tuple[str, Measurement]]:
        for key in loads[0].values:
            middle = median_low(load.values[key] for load in loads)
            load = next(load for load in loads if load.values[key] == middle)
            digits = _DIGITS.get(key, 1)
            yield (
                named(f"web.{key}", self._part),
                Measurement(
                    value=_rounded(middle, digits),
                    basis=Basis.SAMPLES,
                    settled=len(loads) >= self._runs,
                    samples=tuple(_rounded(one.values[key], digits) for one in loads),
                    again=tuple(_rounded(one.values[key], digits) for one in again),
                    sites=tuple(replace(site, size=_rounded(site.size, digits)) for site in load.sites.get(key, ())),
                    remarks=remarks_of(load.warnings) if key == "lcp" else (),
                    conditions=load.conditions,
                    audits={name: _rounded(ms, 0) for name, ms in load.audits.items()} if key == "lcp" else {},
                ),
            )

    def explained(self, findings: list[Finding], loads: Sequence[Load]) -> list[Finding]:
        """Return the findings, the failing ones with the page's own hints and the reports, which are kept."""
        if not any(finding.outcome.fails_gate for finding in findings):
            return findings
        kept = tuple(_keep(self._gate.root, self._subject, self._part, loads))
        evidence = self._evidence({base_name(finding.metric): finding for finding in findings}, loads)
        return [
            replace(finding, evidence=evidence, kept=kept) if finding.outcome.fails_gate else finding
            for finding in findings
        ]

    def _evidence(self, findings: Mapping[str, Finding], loads: Sequence[Load]) -> Evidence:
        lcp = findings["web.lcp"].measurement
        assert lcp is not None  # noqa: S101  # of every load
        return Evidence(
            largest_paint=next((load.element for load in loads if _rounded(load.values["lcp"], 1) == lcp.value), ""),
            resources=tuple(_grown(findings["web.bytes"], self._reference("web.bytes"))),
            audits=_worse(lcp.audits, self._reference("web.lcp")),
        )

    def _reference(self, metric: str) -> Reference | None:
        return self._gate.baselines.bar(self._subject, named(metric, self._part)).reference


def _grown(finding: Finding, reference: Reference | None) -> Iterator[Contribution]:
    """Yield the resources of a page that are larger than in its baseline."""
    if finding.measurement is None or reference is None:
        return
    for one in growth_by_site(finding.measurement.sites, reference.sites, finding.growth or 0):
        if one.site and one.growth > 0:
            yield one


def _worse(now: Mapping[str, float], reference: Reference | None) -> dict[str, float]:
    """Return the ms that each audit would save above the baseline, the largest first."""
    before = reference.audits if reference else {}
    growth = {name: ms - before.get(name, 0) for name, ms in now.items()}
    return {name: ms for name, ms in sorted(growth.items(), key=lambda item: -item[1]) if ms > 0}


def _keep(root: Path, subject: Subject, part: str, loads: Iterable[Load]) -> Iterator[str]:
    """Copy the reports to their folder, in place of those of an earlier run; yield their paths below the root."""
    words = "-".join(word for word in (subject.file, subject.name, part) if word)
    folder = root / KEPT / re.sub(r"[^\w.-]+", "-", words).strip("-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, load in enumerate(loads, 1):
        path = folder / f"{number}.report.json"
        path.write_text(
            json.dumps(_without_secrets(json.loads(load.lhr.read_text(encoding="utf-8")))), encoding="utf-8"
        )
        yield path.relative_to(root).as_posix()


def _without_secrets(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report without the headers that were sent, as they may grant access."""
    settings = report.get("configSettings", {})
    return {**report, "configSettings": {**settings, "extraHeaders": None}}


def _rounded(value: float, digits: int) -> float:
    return round(value, digits) if digits else round(value)
