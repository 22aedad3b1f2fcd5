"""What an import takes in clean interpreters, until its value is known, and what explains that it grew."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pytest_memgate.compare.agreement import MOST_RUNS, settled_value
from pytest_memgate.errors import CaptureError, MeasureError
from pytest_memgate.measure.imports.clean_import import CleanImport, Imported
from pytest_memgate.measure.python.environment import cannot_measure
from pytest_memgate.measure.stacks.by_module import Part
from pytest_memgate.measure.stacks.packages import version_of
from pytest_memgate.model.judgement.remark import remarks_of
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.site import Contribution, Lead, Site
from pytest_memgate.probes.face import Case, Findings, Reading
from pytest_memgate.probes.imports.probe import ImportCheck

_LARGEST = 3  # modules of a package that grew


def import_reading(check: ImportCheck, case: Case) -> Reading:
    """Return the peak of an import, what it retains, and the number of modules that it loads.

    Raises MeasureError for a module that cannot be imported, and CaptureError where memray cannot run.
    """
    if why := cannot_measure():
        raise CaptureError(why)
    runs = _runs(case.root, check)
    peaks, retained = [run.peak for run in runs], [run.retained for run in runs]
    remarks = remarks_of(runs[-1].notes)
    peak, at_peak = _settled(peaks, [run.at_peak for run in runs])
    held, kept = _settled(retained, [run.kept for run in runs])
    values = {
        "import.peak": replace(peak, remarks=remarks),
        "import.retained": replace(held, remarks=remarks),
        "import.modules": _number(runs[-1]),
    }
    return Reading(values=values, explained=partial(_explained, {"import.peak": at_peak, "import.retained": kept}))


def _runs(root: Path, check: ImportCheck) -> list[Imported]:
    """Import until two runs agree, or the most runs are spent."""
    runs: list[Imported] = []
    with CleanImport([check.name], root) as clean:
        if why := clean.failed.get(check.name):
            again = f'{Path(sys.executable).name} -c "import {check.name}"'
            raise MeasureError(f"the import of {check.name!r} ({check.source}) {why}", hint=f"see: {again}")
        while len(runs) < MOST_RUNS and not _agree(runs):
            runs.append(clean.measure())
    return runs


def _agree(runs: Sequence[Imported]) -> bool:
    series = (tuple(float(run.peak) for run in runs), tuple(float(run.retained) for run in runs))
    return all(settled_value(values) is not None for values in series)


def _settled(values: Sequence[int], parts: Sequence[tuple[Part, ...]]) -> tuple[Measurement, tuple[Part, ...]]:
    """Return the value of the runs, with the parts of the run that had it."""
    agreed = settled_value(tuple(values))
    value = max(values) if agreed is None else int(agreed)
    own = parts[len(values) - 1 - values[::-1].index(value)]
    measurement = Measurement(
        value=value,
        basis=Basis.WARM,
        cold=values[0],
        warm=tuple(values[1:]),
        settled=True,
        spread=max(values) - min(values) if agreed is None else 0,
        sites=tuple(_sites(own)),
    )
    return measurement, own


def _sites(parts: Sequence[Part]) -> Iterator[Site]:
    """Yield a site for each top-level package, largest first, with its importers."""
    sizes: Counter[str] = Counter()
    for part in parts:
        sizes[part.package] += part.size
    for package, size in sizes.most_common():
        yield Site(path=package, size=size, via=_via(package, parts))


def _via(package: str, parts: Sequence[Part]) -> tuple[Lead, ...]:
    first = next((part for part in parts if part.package == package), None)
    return first.importers if first else ()


def _number(run: Imported) -> Measurement:
    packages = Counter(name.partition(".")[0] for name in run.modules)
    sites = (Site(path=package, size=count, via=_via(package, run.kept)) for package, count in packages.most_common())
    return Measurement(value=len(run.modules), basis=Basis.EXACT, settled=True, sites=tuple(sites))


def _explained(parts: Mapping[str, Sequence[Part]], findings: Findings) -> Findings:
    """Return the findings, the failing ones with the version and the largest modules of what grew."""
    return {
        metric: replace(one, growth_by_site=tuple(_told(grown, parts[metric]) for grown in one.growth_by_site))
        if one.outcome.fails_gate and metric in parts
        else one
        for metric, one in findings.items()
    }


def _told(one: Contribution, parts: Sequence[Part]) -> Contribution:
    if one.site is None or one.growth <= 0:
        return one
    package = one.site.path
    version = "" if package in sys.stdlib_module_names else version_of(package)
    inner = [part for part in parts if part.package == package]
    modules = {part.module: part.size for part in inner[:_LARGEST]} if len(inner) > 1 else {}
    uses = (f"{package} {version}",) if version else ()
    return replace(one, site=replace(one.site, uses=uses, modules=modules))
