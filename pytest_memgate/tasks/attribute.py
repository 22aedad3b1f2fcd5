"""Name the installed packages behind the call sites that grew most."""

from dataclasses import replace

from pytest_memgate.measure.packages import packages_used
from pytest_memgate.measure.places import Places
from pytest_memgate.model.finding import Finding
from pytest_memgate.model.site import Contribution

_NAMED = 3


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
