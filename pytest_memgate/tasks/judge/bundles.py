"""Measure the output of a bundler and judge it, entry by entry."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_memgate.budget.rule import Rule
from pytest_memgate.compare.attribution import growth_by_site
from pytest_memgate.config.checks import BundleCheck
from pytest_memgate.measure.bundle.build import Entry, Source, measure
from pytest_memgate.model.judgement.finding import Evidence, Finding
from pytest_memgate.model.judgement.remark import remarks_of
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import named, part_of
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.gate import Gate

_FORMS = ("raw", "gzip", "brotli")
_SCOPES = ("initial", "total")


def bundle_findings(
    gate: Gate, subject: Subject, check: BundleCheck, rules: Mapping[str, Rule], *, part: str = "", cache: Path | None
) -> list[Finding]:
    """Return a finding for the first screen and the total of each entry, raw, gzip and brotli, in bytes.

    `part` names the bundle if a test measures several. Raises MeasureError for a bundle that gives no number, and as
    `Gate.assess` does.
    """
    source = Source(
        stats=gate.root / check.stats if check.stats else None,
        files=check.files,
        lazy=check.lazy,
        root=gate.root / check.root if check.root else None,
        entries=check.entries,
        known=frozenset(_known(gate, subject, part)),
    )
    found: list[Finding] = []
    for entry in measure(source, gate.root, cache):
        name = ":".join(word for word in (part, entry.name) if word)
        findings = {
            metric: gate.assess(subject, named(metric, name), measurement, rules)
            for metric, measurement in _measurements(entry)
        }
        found += [_explained(gate, findings, metric, name) for metric in findings]
    return found


def _known(gate: Gate, subject: Subject, part: str) -> Iterator[str]:
    """Yield the entries of this bundle in the baseline."""
    for metric in gate.baselines.metrics(subject, f"bundle.{_SCOPES[0]}.raw"):
        yield part_of(metric).removeprefix(f"{part}:" if part else "")


def _measurements(entry: Entry) -> Iterator[tuple[str, Measurement]]:
    for scope in _SCOPES:
        sizes = entry.initial if scope == "initial" else entry.total
        for form in _FORMS:
            raw = form == "raw"
            yield (
                f"bundle.{scope}.{form}",
                Measurement(
                    value=getattr(sizes, form),
                    basis=Basis.EXACT,
                    settled=True,
                    sites=getattr(entry, f"{scope}_sites") if raw else (),
                    remarks=remarks_of(entry.notes) if raw else (),
                    conditions=_compressor() if form == "gzip" else {},
                ),
            )


def _compressor() -> Mapping[str, str]:
    """Return the name of the zlib if it is not the usual one: each gives other sizes at one level."""
    return {"zlib": "zlib-ng"} if "ng" in zlib.ZLIB_RUNTIME_VERSION else {}


def _explained(gate: Gate, findings: Mapping[str, Finding], metric: str, name: str) -> Finding:
    """Return a failing finding with parts new to the first screen, and the modules behind a compressed size."""
    finding = findings[metric]
    if not finding.outcome.fails_gate:
        return finding
    scope, _, form = metric.removeprefix("bundle.").partition(".")
    raw = findings[f"bundle.{scope}.raw"]
    grew = finding.told_by_growth
    parts: tuple[Contribution, ...] = ()
    if form != "raw":
        if raw.outcome.fails_gate:
            return finding  # the raw size has said it
        parts = raw.growth_by_site if grew else _holders(raw)
    lazy = tuple(_moved(gate, raw, name)) if scope == "initial" and grew else ()
    return replace(finding, evidence=Evidence(before_compression=parts, was_lazy=lazy))


def _holders(raw: Finding) -> tuple[Contribution, ...]:
    measurement = raw.measurement
    return growth_by_site(measurement.sites, {}, measurement.value) if measurement else ()


def _moved(gate: Gate, raw: Finding, name: str) -> Iterator[str]:
    """Yield the parts that are new in the first screen and were in the bundle before."""
    total = gate.baselines.bar(raw.subject, named("bundle.total.raw", name)).reference
    for one in raw.growth_by_site:
        if total is not None and _is_new(one) and one.site and one.site.key in total.sites:
            yield one.site.label


def _is_new(one: Contribution) -> bool:
    return one.base == 0 < one.head
