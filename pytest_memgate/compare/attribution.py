"""Which call sites, modules or resources grew between two measurements of one subject."""

from collections.abc import Iterable, Mapping

from pytest_memgate.model.site import Contribution, Site

MOST = 10  # sites that a finding names, and that a baseline keeps of a test; chosen to be read at a glance
SHARE = 0.02  # of the growth, or of the value: smaller sites have no line of their own; chosen
PARTS = 100  # parts of a bundle, a page or a package that a baseline keeps: growth is told from all of them; chosen
SHARE_OF_PARTS = 0.002  # of the value: smaller parts are not kept; chosen
_FEW = 3  # sites that are named where all of them moved by less than SHARE
_DIGITS = 9  # decimal places: a smaller rest comes from floating point
_OURS = "pytest_memgate/"  # the gate's own frames hold a few hundred bytes for the call; no baseline keeps them


def growth_by_site(
    head: Iterable[Site], base: Mapping[str, float], growth: float, *, most: int = MOST
) -> tuple[Contribution, ...]:
    """Return the sites that grew, most first, then those that shrank; the contributions sum to `growth`.

    All amounts are in the unit of the metric. `base` maps the keys of sites to amounts. It holds only the largest
    sites, so a site that is not in it counts from zero. Sites that moved by less than 2 % of the growth, and those
    beyond `most`, are folded into one contribution without a site; where all sites moved by less, the first few keep
    their names.
    """
    sites = {site.key: site for site in head}
    gone = [Site.of_key(key) for key in base if key not in sites]
    moved = [
        Contribution(site=site, base=base.get(site.key, 0), head=site.size)
        for site in (*sites.values(), *gone)
        if site.size != base.get(site.key, 0)
    ]
    moved.sort(key=lambda one: (-abs(one.growth), one.site.key if one.site else ""))
    named = [one for one in moved[:most] if abs(one.growth) >= abs(growth) * SHARE] or moved[:_FEW]
    rest = round(growth - sum(one.growth for one in named), _DIGITS)
    named.sort(key=lambda one: -one.growth)
    if rest:
        named.append(Contribution(site=None, base=0, head=rest))
    return tuple(named)


def largest(sites: Iterable[Site], value: float, *, share: float = SHARE, most: int = MOST) -> dict[str, float]:
    """Return the sites that a baseline keeps, by key, largest first.

    These are the sites above `share` of `value`, `most` of them at most; amounts are in the unit of the metric.
    """
    own = (site for site in sites if not site.path.startswith(_OURS))
    kept = sorted((site for site in own if site.size > value * share), key=lambda site: (-site.size, site.key))
    return {site.key: site.size for site in kept[:most]}
