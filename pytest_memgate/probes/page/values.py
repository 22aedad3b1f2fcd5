"""The values of a page's loads, and what explains that it grew."""

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median_low
from typing import Any

from pytest_memgate.compare.attribution import growth_by_site
from pytest_memgate.measure.lighthouse.lhr import Load
from pytest_memgate.model.judgement.finding import Evidence, Finding
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.judgement.remark import remarks_of
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import named
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject
from pytest_memgate.probes.face import Case, Findings

KEPT = ".lighthouseci/memgate"  # below the root: where the reports of a failing page go
_DIGITS = {"cls": 4, "bytes": 0}


def measurements(
    loads: Sequence[Load], again: Sequence[Load], part: str, *, settled: bool
) -> Iterator[tuple[str, Measurement]]:
    """Yield the metrics of a page and their values, the middle ones of its loads."""
    for key in loads[0].values:
        middle = median_low(load.values[key] for load in loads)
        load = next(load for load in loads if load.values[key] == middle)
        digits = _DIGITS.get(key, 1)
        yield (
            named(f"web.{key}", part),
            Measurement(
                value=_rounded(middle, digits),
                basis=Basis.SAMPLES,
                settled=settled,
                samples=tuple(_rounded(one.values[key], digits) for one in loads),
                again=tuple(_rounded(one.values[key], digits) for one in again),
                sites=tuple(replace(site, size=_rounded(site.size, digits)) for site in load.sites.get(key, ())),
                remarks=remarks_of(load.warnings) if key == "lcp" else (),
                conditions=load.conditions,
                audits={name: _rounded(ms, 0) for name, ms in load.audits.items()} if key == "lcp" else {},
                seen={text: kind for one in loads for text, kind in one.seen.items()} if key == "lcp" else {},
            ),
        )


def explanation(case: Case, findings: Findings, loads: Sequence[Load]) -> Callable[[Findings], Findings]:
    """Return what adds to failing findings the page's own hints and the reports of the loads, which are kept."""
    kept = tuple(_keep(case.root, case.subject, case.part, loads))
    return partial(_explained, _evidence(case, findings, loads), kept)


def _explained(evidence: Evidence, kept: tuple[str, ...], findings: Findings) -> Findings:
    """Return the findings, the failing ones with the page's own hints and with the reports, which are kept."""
    return {
        metric: replace(finding, evidence=evidence, kept=kept) if finding.outcome.fails_gate else finding
        for metric, finding in findings.items()
    }


def _evidence(case: Case, findings: Findings, loads: Sequence[Load]) -> Evidence:
    lcp, size = named("web.lcp", case.part), named("web.bytes", case.part)
    measured = findings[lcp].measurement
    assert measured is not None  # noqa: S101  # of every load
    return Evidence(
        largest_paint=next((load.element for load in loads if _rounded(load.values["lcp"], 1) == measured.value), ""),
        resources=tuple(_grown(findings[size], case.reference(size))),
        audits=_worse(measured.audits, case.reference(lcp)),
    )


def _grown(finding: Finding, reference: Reference | None) -> Iterator[Contribution]:
    """Yield the resources of a page that are larger than in its baseline."""
    if finding.measurement is None or reference is None:
        return
    for one in growth_by_site(finding.measurement.sites, reference.sites, finding.growth or 0):
        if one.site and one.growth > 0:
            yield one


def _worse(now: Mapping[str, float], reference: Reference | None) -> dict[str, float]:
    """Return what each audit would save more than on the baseline, in ms, the largest first."""
    before = reference.audits if reference else {}
    growth = {name: ms - before.get(name, 0) for name, ms in now.items()}
    return {name: ms for name, ms in sorted(growth.items(), key=lambda item: -item[1]) if ms > 0}


def _keep(root: Path, subject: Subject, part: str, loads: Iterable[Load]) -> Iterator[str]:
    """Copy the reports to where they stay, in place of those of an earlier run; yield their paths below the root."""
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
    """Return a report without the headers that were sent: they may let in whoever reads them."""
    settings = report.get("configSettings", {})
    return {**report, "configSettings": {**settings, "extraHeaders": None}}


def _rounded(value: float, digits: int) -> float:
    return round(value, digits) if digits else round(value)
