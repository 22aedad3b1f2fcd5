"""The parts of a page's values: phases, resources, scripts and elements, from a Lighthouse report."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pytest_memgate.measure.lighthouse.urls import names
from pytest_memgate.model.site import Lead, LeadKind, Site

OTHER = "other"

# The phases of the largest paint, as Lighthouse 12 and 13 call them.
_PHASES = {
    "TTFB": "time to first byte",
    "Load Delay": "load delay",
    "Load Time": "load time",
    "Render Delay": "render delay",
    "timeToFirstByte": "time to first byte",
    "resourceLoadDelay": "load delay",
    "resourceLoadDuration": "load time",
    "elementRenderDelay": "render delay",
}

# a task blocks for the time beyond this: the definition of total blocking time (web.dev/articles/tbt)
_BLOCKING_MS = 50

_ELEMENT_CHARACTERS = 150  # of an element that is named


def read_parts(lhr: Mapping[str, Any], values: Mapping[str, float]) -> dict[str, tuple[Site, ...]]:
    """Return the parts of each value that has parts, the largest first.

    Those of lcp, tbt, cls and bytes add up to the value, with `other` for the part that Lighthouse does not divide.
    Those of fcp and si are the times by which resources block the first paint, those of observed.lcp the times that
    requests took before it; these overlap.
    """
    known = _names(lhr)
    blocking = _sites((known.get(item.get("url", ""), ""), item.get("wastedMs", 0)) for item in _blocking(lhr))
    parts = {
        "lcp": _whole(_sites(_phases(lhr)), values["lcp"], least=1),
        "fcp": blocking,
        "si": blocking,
        "ttfb": _sites([(known.get(_document(lhr), "/"), values["ttfb"])]),
        "observed.lcp": _sites(_before(lhr, known, values.get("observed.lcp", 0))),
        "tbt": _whole(_sites(_tasks(lhr, known, values)), values["tbt"], least=1),
        "cls": _whole(_shifts(lhr), values["cls"], least=0.001),
        "bytes": _whole(
            _sites((known[item["url"]], item.get("transferSize", 0)) for item in requests(lhr)),
            values["bytes"],
            least=1,
        ),
    }
    return {name: sites for name, sites in parts.items() if sites}


def requests(lhr: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the requests that the page made over the network."""
    return [item for item in items(lhr, "network-requests") if str(item.get("url", "")).startswith("http")]


def lcp_node(lhr: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the element that was painted largest, with its selector and snippet; empty if the report has none."""
    for item in items(lhr, "largest-contentful-paint-element"):
        for row in item.get("items", ()):
            if _is_node(row.get("node")):
                return dict(row["node"])
    for audit in ("lcp-breakdown-insight", "lcp-phases-insight"):
        for item in items(lhr, audit):
            if _is_node(item):
                return dict(item)
    return {}


def _phases(lhr: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    # The first one's phases are of the load as it is reported, simulated or not; the others' always as it was observed.
    for audit in ("largest-contentful-paint-element", "lcp-breakdown-insight", "lcp-phases-insight"):
        rows = [row for item in items(lhr, audit) for row in item.get("items", ())]
        found = [
            (_PHASES[key], row.get("timing", row.get("duration", 0)))
            for row in rows
            if (key := row.get("phase", row.get("subpart"))) in _PHASES
        ]
        if found:
            yield from found
            return


def _before(lhr: Mapping[str, Any], known: Mapping[str, str], paint: float) -> Iterator[tuple[str, float]]:
    """Yield the requests that had ended before a paint, at `paint` ms, and the ms that each took."""
    for item in requests(lhr):
        start, end = item.get("networkRequestTime"), item.get("networkEndTime")
        if isinstance(start, (int, float)) and isinstance(end, (int, float)) and end <= paint:
            yield known[item["url"]], end - start


def _blocking(lhr: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return items(lhr, "render-blocking-insight") or items(lhr, "render-blocking-resources")


def _tasks(
    lhr: Mapping[str, Any], known: Mapping[str, str], values: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    """Yield the script behind each long task and the ms that it blocks between first paint and interactivity."""
    for item in items(lhr, "long-tasks"):
        start, duration = item.get("startTime", 0), item.get("duration", 0)
        inside = min(start + duration, values["tti"]) - max(start, values["fcp"])
        if inside > _BLOCKING_MS:
            url = item.get("url", "")
            yield known.get(url, url.lower() or OTHER), inside - _BLOCKING_MS


def _shifts(lhr: Mapping[str, Any]) -> tuple[Site, ...]:
    """Return the elements that moved, with the cause that Lighthouse gives."""
    tables = [item.get("items") or [] for item in items(lhr, "cls-culprits-insight") if item.get("type") == "table"]
    # Each table is a burst of shifts, with their total in its first row; the worst burst is the page's value.
    rows = max(tables, key=lambda table: table[0].get("score", 0) if table else 0, default=[])
    rows = [row for row in rows if not _is_total(row)] or items(lhr, "layout-shifts")
    causes: dict[str, list[str]] = {}
    for row in rows:
        said = [_cause(part) for part in (row.get("subItems") or {}).get("items", ())]
        causes.setdefault(_selector(row), []).extend(said)
    sites = _sites((_selector(row), row.get("score", 0)) for row in rows)
    return tuple(replace(site, via=tuple(_causes(causes[site.path]))) for site in sites)


def _cause(part: Mapping[str, Any]) -> str:
    """Return why an element moved, with the element or the resource behind it: an image without dimensions."""
    behind = part.get("extra") or {}
    name = node_line(behind) if _is_node(behind) else str(behind.get("value") or "") if behind else ""
    return ": ".join(filter(None, (str(part.get("cause") or ""), name)))


def node_line(node: Mapping[str, Any]) -> str:
    """Return an element in one line: its selector and the start of its tag."""
    line = " ".join(f"{node.get('selector', '')} {node.get('snippet', '')}".split())
    return line if len(line) <= _ELEMENT_CHARACTERS else f"{line[: _ELEMENT_CHARACTERS - 1]}…"


def _causes(texts: Iterable[str]) -> Iterator[Lead]:
    return (Lead(kind=LeadKind.CAUSE, path=text) for text in dict.fromkeys(texts) if text)


def _is_total(row: Mapping[str, Any]) -> bool:
    return (row.get("node") or {}).get("type") == "text"


def _selector(row: Mapping[str, Any]) -> str:
    return str((row.get("node") or {}).get("selector") or "an element that is gone")


def _names(lhr: Mapping[str, Any]) -> dict[str, str]:
    """Return the stable name of each URL in the report."""
    urls = [item["url"] for item in requests(lhr)]
    urls += [item["url"] for item in items(lhr, "long-tasks") if str(item.get("url", "")).startswith("http")]
    return names([*urls, _document(lhr)], _document(lhr))


def _document(lhr: Mapping[str, Any]) -> str:
    return str(lhr.get("mainDocumentUrl") or lhr.get("finalUrl") or lhr.get("requestedUrl") or "")


def _is_node(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "node"


def items(lhr: Mapping[str, Any], audit: str) -> list[Mapping[str, Any]]:
    """Return the rows of an audit's details, none if it has no such."""
    details = (lhr["audits"].get(audit) or {}).get("details") or {}
    return [item for item in details.get("items") or () if isinstance(item, Mapping)]


def _sites(amounts: Iterable[tuple[str, float]]) -> tuple[Site, ...]:
    """Return one site for each name, the largest first, without those of size 0."""
    sums: dict[str, float] = {}
    for name, amount in amounts:
        if name and amount and amount > 0:
            sums[name] = sums.get(name, 0) + amount
    return tuple(Site(path=name, size=sums[name]) for name in sorted(sums, key=lambda name: (-sums[name], name)))


def _whole(sites: tuple[Site, ...], value: float, *, least: float) -> tuple[Site, ...]:
    """Add the difference to the value as `other`."""
    rest = value - sum(site.size for site in sites)
    return (*sites, Site(path=OTHER, size=rest)) if sites and abs(rest) >= least else sites
