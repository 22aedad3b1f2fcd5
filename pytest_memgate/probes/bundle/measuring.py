"""The sizes of what a bundler made, entry by entry, and what explains those that grew."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from pytest_memgate.compare.attribution import growth_by_site
from pytest_memgate.measure.bundle.build import Entry, measure
from pytest_memgate.measure.bundle.entries import Source
from pytest_memgate.model.judgement.finding import Evidence, Finding
from pytest_memgate.model.judgement.remark import remarks_of
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import base_name, named, part_of
from pytest_memgate.model.site import Contribution
from pytest_memgate.probes.bundle.probe import BundleCheck
from pytest_memgate.probes.face import Case, Findings, Reading

AUTO = "auto"
_FORMS = ("raw", "gzip", "brotli")
_SCOPES = ("initial", "total")


def bundle_reading(check: BundleCheck, case: Case) -> Reading:
    """Return the first screen and the total of each entry, raw, gzip and brotli.

    Raises MeasureError for a bundle that gives no number.
    """
    source = source_of(check, case.root, _known(case))
    values = {
        named(metric, ":".join(word for word in (case.part, entry.name) if word)): measurement
        for entry in measure(source, case.root, case.cache)
        for metric, measurement in _measurements(entry)
    }
    return Reading(values=values, explained=partial(_explained, case))


def source_of(check: BundleCheck, root: Path, known: Iterable[str]) -> Source:
    """Return the files of a bundle of the project at `root`; `known` are the entries that its baseline has."""
    is_named = bool(check.stats) and check.stats != AUTO
    return Source(
        framework="" if is_named or check.files else check.framework or AUTO,
        stats=root / check.stats if is_named else None,
        files=check.files,
        lazy=check.lazy,
        root=root / check.root if check.root else None,
        entries=check.entries,
        screens=check.screens,
        along=check.with_,
        known=frozenset(known),
    )


def _known(case: Case) -> Iterator[str]:
    """Yield the entries that the baseline has of this bundle."""
    for metric in case.known(f"bundle.{_SCOPES[0]}.raw"):
        yield part_of(metric).removeprefix(f"{case.part}:" if case.part else "")


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


def _explained(case: Case, findings: Findings) -> Findings:
    return {metric: _explained_one(case, findings, metric) for metric in findings}


def _explained_one(case: Case, findings: Findings, metric: str) -> Finding:
    """Return a failing finding with what else helps: what moved into the first screen, the modules behind it."""
    finding = findings[metric]
    if not finding.outcome.fails_gate:
        return finding
    scope, _, form = base_name(metric).removeprefix("bundle.").partition(".")
    raw = findings[named(f"bundle.{scope}.raw", part_of(metric))]
    grew = finding.told_by_growth
    parts: tuple[Contribution, ...] = ()
    if form != "raw":
        if raw.outcome.fails_gate:
            return finding  # the raw size has said it
        parts = raw.growth_by_site if grew else _holders(raw)
    lazy = tuple(_moved(case, raw)) if scope == "initial" and grew else ()
    return replace(finding, evidence=Evidence(before_compression=parts, was_lazy=lazy))


def _holders(raw: Finding) -> tuple[Contribution, ...]:
    measurement = raw.measurement
    return growth_by_site(measurement.sites, {}, measurement.value) if measurement else ()


def _moved(case: Case, raw: Finding) -> Iterator[str]:
    """Yield what is new in the first screen and was in the bundle before."""
    total = case.reference(named("bundle.total.raw", part_of(raw.metric)))
    for one in raw.growth_by_site:
        if total is not None and _is_new(one) and one.site and one.site.key in total.sites:
            yield one.site.label


def _is_new(one: Contribution) -> bool:
    return one.base == 0 < one.head
