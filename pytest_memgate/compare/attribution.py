"""Which call sites grew between two measurements of one test."""

from collections.abc import Iterable, Mapping

from pytest_memgate.model.site import CallSite, Contribution

_MOST = 10
_SHARE = 0.02
_OURS = "pytest_memgate/"  # a few hundred bytes for the call itself: no business of a baseline


def growth_by_site(
    head: Iterable[CallSite], base: Mapping[str, int], growth: int, *, most: int = _MOST
) -> tuple[Contribution, ...]:
    """Return what grew, most first, and what shrank; the contributions sum to `growth` bytes.

    `base` maps `path:function` to bytes and holds the largest sites only, so that a site which it lacks counts from
    zero. Sites that moved by less than 2 % of the growth, and those beyond `most`, are folded into one without a name.
    """
    sites = {site.key: site for site in head}
    gone = [
        CallSite(path=path, function=function, size=0)
        for path, _, function in (key.rpartition(":") for key in base if key not in sites)
    ]
    moved = [
        Contribution(site=site, base=base.get(site.key, 0), head=site.size)
        for site in (*sites.values(), *gone)
        if site.size != base.get(site.key, 0)
    ]
    moved.sort(key=lambda one: (-abs(one.growth), one.site.key if one.site else ""))
    named = [one for one in moved[:most] if abs(one.growth) >= abs(growth) * _SHARE]
    rest = growth - sum(one.growth for one in named)
    named.sort(key=lambda one: -one.growth)
    if rest:
        named.append(Contribution(site=None, base=0, head=rest))
    return tuple(named)


def largest(sites: Iterable[CallSite], value: int) -> dict[str, int]:
    """Return the call sites that a baseline keeps: those above 2 % of the peak, ten at most, largest first."""
    own = (site for site in sites if not site.path.startswith(_OURS))
    kept = sorted((site for site in own if site.size > value * _SHARE), key=lambda site: (-site.size, site.key))
    return {site.key: site.size for site in kept[:_MOST]}
