"""Name the installed packages and the shared objects behind the call sites that grew most."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pytest_memgate.measure.stacks.packages import packages_used, version_of
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.site import Contribution

_NAMED = 3  # call sites whose packages are looked up
_UNKNOWN = "<unknown>"  # the place of memory without a Python frame
_SHARE = 0.1  # of those bytes: a smaller shared object is not named; chosen


def with_packages(finding: Finding, places: Places) -> Finding:
    """Return the finding with `uses` filled in for the project's own call sites among the first three."""
    grown = [
        _named(one, places) if place < _NAMED and one.growth > 0 else one
        for place, one in enumerate(finding.growth_by_site)
    ]
    return replace(finding, growth_by_site=tuple(grown))


def _named(one: Contribution, places: Places) -> Contribution:
    if one.site is None or not one.site.line:
        return one
    file = places.root / one.site.path
    if not file.is_file() or places.is_installed(str(file)):
        return one
    return replace(one, site=replace(one.site, uses=packages_used(file, one.site.line, places)))


def is_led_by_unknown(finding: Finding) -> bool:
    """True if the largest part of the growth has no Python frame."""
    lead = next(iter(finding.growth_by_site), None)
    return lead is not None and lead.site is not None and lead.growth > 0 and lead.site.path == _UNKNOWN


def with_objects(finding: Finding, objects: Mapping[str, float], places: Places) -> Finding:
    """Return the finding with the shared objects, as `libarrow.so.12 of pyarrow 12.0.1`, behind `<unknown>`."""
    total = sum(objects.values())
    largest = sorted(objects, key=lambda path: -objects[path])[:_NAMED]
    named = tuple(_object(path, places) for path in largest if objects[path] > total * _SHARE)
    first, *others = finding.growth_by_site
    if not (named and first.site):
        return finding
    return replace(finding, growth_by_site=(replace(first, site=replace(first.site, uses=named)), *others))


def _object(path: str, places: Places) -> str:
    folder, has_folder, _ = places.place(path).path.partition("/")
    package = folder.removesuffix(".libs") if has_folder and places.is_installed(path) else ""
    version = version_of(package) if package else ""
    return f"{Path(path).name} of {package} {version}" if version else Path(path).name
