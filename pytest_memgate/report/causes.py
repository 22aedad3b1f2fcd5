"""The cause of the growth of a finding: the fewest sites without which it would be within its budget."""

import sys

from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.site import Lead, Site

# metrics whose sites are packages and modules: each is one cause without naming a function
_PLACES = ("bundle.", "import.")


def causes(finding: Finding) -> dict[str, Site]:
    """Return the sites that explain a finding, largest first; findings of one cause share their keys.

    Nothing is returned if the growth is spread over sites too small to be named, or if one of the sites may stand for
    several causes: `<unknown>`, a phase of a page, a function of the standard library that tests call themselves.
    """
    if finding.subject.is_first_use:
        return {}
    grown = sorted((one for one in finding.growth_by_site if one.growth > 0), key=lambda one: -one.growth)
    rest = sum(one.growth for one in grown)
    allowed = finding.allowed or 0
    enough = allowed if finding.told_by_growth and rest > allowed else rest / 2
    found: dict[str, Site] = {}
    for one in grown:
        key = _key(one.site, finding) if one.site else ""
        if not (one.site and key):
            return {}
        found[key] = one.site
        rest -= one.growth
        if rest <= enough:
            return found
    return {}


def caller(site: Site, file: str) -> Lead | None:
    """Return the line of the project, outside a test's own `file`, that calls the library of a site."""
    return next((lead for lead in site.callers if lead.path != file), None) if site.is_foreign else None


def _key(site: Site, finding: Finding) -> str:
    """Return the key of a cause, empty if the site identifies none."""
    if not site.function:
        return site.path if finding.metric.startswith(_PLACES) else ""
    if not site.is_foreign:
        return site.key
    calls = caller(site, finding.subject.file)
    if calls:
        return f"{site.key} < {calls.path}:{calls.function}"
    # A package that all tests call themselves may be the project, installed.
    is_package = bool(site.library) and site.library not in sys.stdlib_module_names
    return site.key if is_package and site.callers else ""
