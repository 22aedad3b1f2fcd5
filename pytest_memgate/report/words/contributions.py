"""The parts of a growth or a value as lines: `+4.2 MB shop/middleware.py:41 in __call__ (700 KB -> 4.9 MB)`."""

from collections import Counter
from collections.abc import Iterator

from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.measurement import Basis
from pytest_memgate.model.site import Contribution, Lead, LeadKind, Site
from pytest_memgate.units import SIZE, format_amount, format_growth, format_size

_UNDER = " " * 13
_LIBRARIES = 3
_TELLING = 0.1  # of the growth: a library with less has no line of its own; chosen


def growth_lines(finding: Finding, *, most: int | None = None) -> list[str]:
    """Return a line for each site of a finding, with the way to it; `most` of the sites at most."""
    return contribution_lines(finding.growth_by_site, finding.unit, most=most, is_growth=tells_growth(finding))


def tells_growth(finding: Finding) -> bool:
    """True if the sites of a finding are what grew; otherwise they are what holds a value over its limit."""
    is_slope = finding.measurement is not None and finding.measurement.basis is Basis.SLOPE
    return is_slope or finding.told_by_growth


def contribution_lines(
    contributions: tuple[Contribution, ...], unit: str = SIZE, *, most: int | None = None, is_growth: bool = True
) -> list[str]:
    """Return a line for each site; one that grew is followed by the way to it and the packages behind it.

    The growth of each library comes first, summed over all of its sites. Then `most` of the sites follow.
    """
    lines = list(_library_lines(contributions, unit))
    for one in contributions[:most]:
        lines.append(_contribution(one, unit) if is_growth else _held(one, unit))
        if one.site and one.growth > 0:
            lines += [f"{_UNDER}{lead_text(lead)}" for lead in one.site.via]
            if behind := [*one.site.uses, *module_texts(one.site)]:
                lines.append(f"{_UNDER}{'uses ' if one.site.function else ''}{', '.join(behind)}")
    return lines


def lead_text(lead: Lead) -> str:
    """Return one step of the way to a site: `called from shop/app.py:17 in handle`, `imported by src/main.js`."""
    words = {
        LeadKind.CALLER: "called from ",
        LeadKind.IMPORTER: "imported by ",
        LeadKind.LAZY_IMPORTER: "lazily imported by ",
        LeadKind.CAUSE: "",
    }
    return f"{words[lead.kind]}{lead.label}"


def module_texts(site: Site) -> list[str]:
    """Return the largest modules of a package: `dist/chart.js 401 KB`."""
    return [f"{name} {format_size(size)}" for name, size in site.modules.items()]


def _library_lines(contributions: tuple[Contribution, ...], unit: str) -> Iterator[str]:
    """Yield the growth of each library that a line of the project calls: `+1.6 MB in pandas, called from …`."""
    sums: dict[tuple[str, str], float] = {}
    number: Counter[tuple[str, str]] = Counter()
    for one in contributions:
        if one.site and one.site.library and one.growth > 0:
            key = (one.site.library, next((lead.label for lead in one.site.callers), ""))
            sums[key] = sums.get(key, 0) + one.growth
            number[key] += 1
    total = sum(one.growth for one in contributions if one.growth > 0)
    for (library, caller), growth in sorted(sums.items(), key=lambda item: -item[1])[:_LIBRARIES]:
        if number[library, caller] > 1 and growth >= total * _TELLING:  # one site says as much itself
            calls = f", called from {caller}" if caller else ""
            yield f"{format_growth(growth, unit):>9}  in {library}{calls}"


def _held(one: Contribution, unit: str) -> str:
    return f"{format_amount(one.growth, unit):>9}  {one.site.label if one.site else 'all others'}"


def _contribution(one: Contribution, unit: str) -> str:
    growth = f"{format_growth(one.growth, unit):>9}"
    if one.site is None:
        return f"{growth}  all others"
    what = one.site.what or f"{format_amount(one.base, unit)} -> {format_amount(one.head, unit)}"
    return f"{growth}  {one.site.label}  ({what})"
