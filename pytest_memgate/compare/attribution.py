"""Which call sites, modules or resources grew between two measurements of one subject."""

from collections.abc import Iterable, Mapping

from pytest_memgate.model.site import Contribution, Site

MOST = 10
SHARE = 0.02
PARTS = 100  # of a bundle, a page or a package that a baseline keeps: their growth is told from all of them
SHARE_OF_PARTS = 0.002
_FEW = 3
_DIGITS = 9  # what floating point leaves over is no growth
_OURS = "pytest_memgate/"  # a few hundred bytes for the call itself: no business of a baseline


def growth_by_site(
    head: Iterable[Site], base: Mapping[str, float], growth: float, *, most: int = MOST
) -> tuple[Contribution, ...]:
    """Return what grew, most first, and what shrank; the contributions sum to `growth`.

    `base` maps the keys of sites to amounts and holds the largest sites only, so that a site which it lacks counts from
    zero. Sites that moved by less than 2 % of the growth, and those beyond `most`, are folded into one without a name;
    where all moved by less, the first few have theirs.
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
    """Return the sites that a baseline keeps: those above a share of the value, `most` at most, largest first."""
    own = (site for site in sites if not site.path.startswith(_OURS))
    kept = sorted((site for site in own if site.size > value * share), key=lambda site: (-site.size, site.key))
    return {site.key: site.size for site in kept[:most]}
