"""Which call sites, modules or resources grew between two measurements of one subject."""

import posixpath
from collections.abc import Iterable, Mapping

from pytest_memgate.model.site import Contribution, Site

MOST = 10  # sites that a finding names, and that a baseline keeps of a test; chosen to be read at a glance
SHARE = 0.02  # of the growth, or of the value: smaller sites have no line of their own; chosen
PARTS = 100  # parts of a bundle, a page or a package that a baseline keeps: growth is told from all of them; chosen
SHARE_OF_PARTS = 0.002  # of the value: smaller parts are not kept; chosen
_FEW = 3  # sites that are named where all of them moved by less than SHARE
_FILES = (".js", ".mjs", ".cjs", ".css")  # that a bundler may give another name with each build
_LITTLE, _SHARE_OF_FILE = 100, 0.02  # bytes, and part of its size, that a file of another name may differ by; chosen
_DIGITS = 9  # decimal places: a smaller rest comes from floating point
_OURS = "pytest_memgate/"  # the gate's own frames hold a few hundred bytes for the call; no baseline keeps them


def growth_by_site(
    head: Iterable[Site], base: Mapping[str, float], growth: float, *, most: int = MOST
) -> tuple[Contribution, ...]:
    """Return the sites that grew, most first, then those that shrank; the contributions sum to `growth`.

    All amounts are in the unit of the metric. `base` maps the keys of sites to amounts. It holds only the largest
    sites, so a site that is not in it counts from zero. Sites that moved by less than 2 % of the growth, and those
    beyond `most`, are folded into one contribution without a site; where all sites moved by less, the first few keep
    their names. A file of a bundle that only has another name now is not a new one. Parts of it that a baseline is too
    short to keep may have been there: they are folded as well.
    """
    sites = {site.key: site for site in head}
    base = _renamed(sites, base)
    gone = [Site.of_key(key) for key in base if key not in sites]
    before = sum(site.size for site in sites.values()) - growth
    least = min(base.values()) if len(base) >= PARTS else SHARE_OF_PARTS * before
    moved = [
        Contribution(site=site, base=base.get(site.key, 0), head=site.size)
        for site in (*sites.values(), *gone)
        if site.size != base.get(site.key, 0) and not _may_be_old(site, base, least)
    ]
    moved.sort(key=lambda one: (-abs(one.growth), one.site.key if one.site else ""))
    named = [one for one in moved[:most] if abs(one.growth) >= abs(growth) * SHARE] or moved[:_FEW]
    rest = round(growth - sum(one.growth for one in named), _DIGITS)
    named.sort(key=lambda one: -one.growth)
    if rest:
        named.append(Contribution(site=None, base=0, head=rest))
    return tuple(named)


def _may_be_old(site: Site, base: Mapping[str, float], least: float) -> bool:
    return not site.function and site.key not in base and site.size <= least


def _renamed(sites: Mapping[str, Site], base: Mapping[str, float]) -> Mapping[str, float]:
    """Return the base with the files that have another name now under that name.

    Those are a file that is gone and a new one, of one extension and nearly one size, or else of one label but for what
    tells it from others (`chunks/*.js (0c4f.js)`), the nearest in size of both.
    """
    gone = sorted((key for key in base if key not in sites and _extension(key)), key=lambda key: (-base[key], key))
    new = sorted((key for key in sites if key not in base and _extension(key)), key=lambda key: (-sites[key].size, key))
    names: dict[str, str] = {}
    for by_size in (True, False):
        for old in (key for key in gone if key not in names):
            left = (key for key in new if key not in names.values() and _extension(key) == _extension(old))
            fitting = [
                key for key in left if (_is_near(base[old], sites[key].size) if by_size else _label(old) == _label(key))
            ]
            if fitting:
                names[old] = min(fitting, key=lambda key: abs(base[old] - sites[key].size))
    return {names.get(key, key): size for key, size in base.items()}


def _is_near(size: float, other: float) -> bool:
    return abs(size - other) <= max(_LITTLE, size * _SHARE_OF_FILE)


def _label(key: str) -> str:
    return key.partition(" (")[0]


def _extension(key: str) -> str:
    """Return the extension of a file of a bundle, empty for anything else."""
    extension = posixpath.splitext(_label(key))[1]
    return extension if extension in _FILES else ""


def largest(sites: Iterable[Site], value: float, *, share: float = SHARE, most: int = MOST) -> dict[str, float]:
    """Return the sites that a baseline keeps, by key, largest first.

    These are the sites above `share` of `value`, `most` of them at most; amounts are in the unit of the metric.
    """
    own = (site for site in sites if not site.path.startswith(_OURS))
    kept = sorted((site for site in own if site.size > value * share), key=lambda site: (-site.size, site.key))
    return {site.key: site.size for site in kept[:most]}
