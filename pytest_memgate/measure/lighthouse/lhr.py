"""A page load, read from Lighthouse's report (LHR): every value measured on the page asked for, or an error.

The paths are those of Lighthouse 10 to 13.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.answer import same_page
from pytest_memgate.measure.lighthouse.conditions import read_conditions
from pytest_memgate.measure.lighthouse.failure import cut_off, runtime_error
from pytest_memgate.measure.lighthouse.parts import items, lcp_node, node_line, read_parts, requests
from pytest_memgate.measure.lighthouse.seen import check_expected, read_seen
from pytest_memgate.measure.lighthouse.urls import names, origin
from pytest_memgate.model.site import Site

_AUDITS = {
    "lcp": "largest-contentful-paint",
    "fcp": "first-contentful-paint",
    "tbt": "total-blocking-time",
    "cls": "cumulative-layout-shift",
    "tti": "interactive",
    "si": "speed-index",
    "ttfb": "server-response-time",
    "max_potential_fid": "max-potential-fid",
    "bytes": "total-byte-weight",
}

_OBSERVED = {"observed.lcp": "observedLargestContentfulPaint"}

METRICS = (*_AUDITS, *_OBSERVED)

# They say how late the largest paint is, not what would make it earlier.
_NO_ADVICE = ("largest-contentful-paint-element", "lcp-phases-insight", "lcp-breakdown-insight")

_REFUSED = 400  # status codes from here on
_TOO_SLOW = "loaded too slowly to finish within the time limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One page load.

    `values` has lcp, fcp, tbt, tti, si, ttfb, max_potential_fid (in ms), cls (no unit) and bytes and, where the network
    is simulated, observed.lcp (in ms); `sites` has the parts of a value under the same names. `audits` are those that
    could be better, with the milliseconds that Lighthouse expects each to save. `element` is the one that was painted
    largest. `seen` is what the page showed, by which it is known again. `warnings` are Lighthouse's own. `lhr` is the
    report's file. `conditions` must be equal for two loads to be comparable.
    """

    values: Mapping[str, float]
    sites: Mapping[str, tuple[Site, ...]]
    audits: Mapping[str, float]
    element: str
    seen: Mapping[str, str]
    warnings: tuple[str, ...]
    lhr: Path
    conditions: Mapping[str, str]


def read_lhr(path: Path, *, asked: str = "", expect: str = "") -> Load:
    """Read a report; `asked` is the page's URL if the report's own `requestedUrl` is not to be trusted.

    Raises MeasureError if the file is no report, if the load failed or ended on another page, if a value is missing, or
    if the page does not show what the selector `expect` names.
    """
    try:
        lhr = json.loads(path.read_text(encoding="utf-8"))
        audits, version = lhr["audits"], lhr["lighthouseVersion"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MeasureError(f"{path}: no Lighthouse report: {error}", hint="run the measurement again") from error
    url = asked or lhr.get("requestedUrl", "")
    _check_page(lhr, url)
    if expect:
        check_expected(lhr, url, expect)
    values = {name: _value(audits, name, url, version) for name in _AUDITS} | _observed(lhr)
    return Load(
        values=values,
        sites=read_parts(lhr, values),
        audits=_advice(audits),
        element=node_line(lcp_node(lhr)),
        seen=read_seen(lhr, lhr.get("finalDisplayedUrl") or lhr.get("finalUrl") or url),
        warnings=tuple(" ".join(str(warning).split()) for warning in lhr.get("runWarnings") or ()),
        lhr=path,
        conditions={**read_conditions(lhr), **_broken(lhr, url)},
    )


def own_files(lhr: Mapping[str, Any]) -> dict[str, float]:
    """Return the page's own scripts and styles that were loaded, by URL, in bytes before compression."""
    shown = lhr.get("finalDisplayedUrl") or lhr.get("finalUrl", "")
    loaded = (item for item in _own(lhr, shown) if int(item.get("statusCode") or 200) < _REFUSED)
    return {item["url"]: float(item.get("resourceSize") or 0) for item in loaded}


def _check_page(lhr: Mapping[str, Any], url: str) -> None:
    """Raise MeasureError unless the page asked for was loaded."""
    error = lhr.get("runtimeError") or {}
    if error.get("code", "NO_ERROR") != "NO_ERROR":
        raise runtime_error(url, error["code"], error.get("message", ""))
    shown = lhr.get("finalDisplayedUrl") or lhr.get("finalUrl", "")
    if _is_cut_off(lhr):
        raise cut_off(url, lhr)
    if not same_page(url, shown):
        hint = "ask for that one, allow it by `redirects`, or see why"
        raise MeasureError(f"{url} led to {shown}, another page", hint=hint)
    document = urldefrag(lhr.get("mainDocumentUrl") or shown).url
    status = [item.get("statusCode") for item in requests(lhr) if urldefrag(item["url"]).url == document]
    if not status:
        raise MeasureError(f"{url}: the report lists no request of it", hint="do not skip the audit network-requests")
    if 200 not in status:
        raise MeasureError(f"{url}: the server answered {status[-1]} to Chrome", hint="see the server's log")
    _check_kinds(lhr, url, shown)


def _check_kinds(lhr: Mapping[str, Any], url: str, shown: str) -> None:
    """Raise MeasureError if a script or style is answered by a page, as a server for single-page apps answers all."""
    answered = (item for item in _own(lhr, shown) if int(item.get("statusCode") or 200) < _REFUSED)
    pages = [item["url"] for item in answered if str(item.get("mimeType", "")).startswith("text/html")]
    if pages:
        name = names(pages, shown or url)[pages[0]]
        why = f"{url}: {name} is not there, and the server answers it with a page"
        raise MeasureError(why, hint="build again: without it this is another page")


def _own(lhr: Mapping[str, Any], shown: str) -> Iterator[Mapping[str, Any]]:
    """Yield the requests of the page's own scripts and styles."""
    for item in requests(lhr):
        if item.get("resourceType") in {"Script", "Stylesheet"} and origin(item["url"]) == origin(shown):
            yield item


def _is_cut_off(lhr: Mapping[str, Any]) -> bool:
    """True if Lighthouse gave up waiting: its values then cover only the part loaded so far."""
    messages = (lhr.get("i18n") or {}).get("icuMessagePaths") or {}
    known = any(str(key).endswith("| warningTimeout") for key in messages)
    return known or any(_TOO_SLOW in str(warning) for warning in lhr.get("runWarnings") or ())


def _broken(lhr: Mapping[str, Any], url: str) -> dict[str, str]:
    """Return the page's own scripts and styles that failed to load: without them it is lighter, and another page."""
    shown = lhr.get("finalDisplayedUrl") or lhr.get("finalUrl", "")
    failed = [item["url"] for item in _own(lhr, shown) if int(item.get("statusCode") or 200) >= _REFUSED]
    known = names(failed, shown or url)
    return {"not found": ", ".join(sorted(set(known.values())))} if failed else {}


def _value(audits: Mapping[str, Any], name: str, url: str, version: str) -> float:
    audit = audits.get(_AUDITS[name])
    if audit is None:
        why = f"Lighthouse {version} did not run the audit {_AUDITS[name]}"
        raise MeasureError(f"{url}: {name} was not measured: {why}", hint="see `settings` and `lighthouserc`")
    value = audit.get("numericValue")
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        why = audit.get("errorMessage") or f"{_AUDITS[name]} has no value"
        raise MeasureError(f"{url}: {name} was not measured: {why}", hint="see the page in a browser")
    return int(value) if name == "bytes" else float(value)


def _observed(lhr: Mapping[str, Any]) -> dict[str, float]:
    """Return what was observed in Chrome, without any throttling, where Lighthouse computes the values from that."""
    if (lhr.get("configSettings") or {}).get("throttlingMethod") != "simulate":
        return {}
    found = next(iter(items(lhr, "metrics")), {})
    given = {name: found.get(key) for name, key in _OBSERVED.items()}
    return {name: float(value) for name, value in given.items() if isinstance(value, (int, float))}


def _advice(audits: Mapping[str, Any]) -> dict[str, float]:
    """Return the estimated savings of each audit in ms, without audits that a newer one repeats."""
    found = {key: saved for key, audit in audits.items() if key not in _NO_ADVICE and (saved := _savings(audit)) > 0}
    replaced = {old for key in found for old in audits[key].get("replacesAudits") or ()}
    return {key: found[key] for key in sorted(found, key=lambda key: (-found[key], key)) if key not in replaced}


def _savings(audit: Mapping[str, Any]) -> float:
    saved = audit.get("metricSavings") or {}
    details = audit.get("details") or {}
    amounts = [saved.get(metric) for metric in ("LCP", "FCP", "TBT")] + [details.get("overallSavingsMs")]
    return max((float(amount) for amount in amounts if isinstance(amount, (int, float))), default=0.0)
