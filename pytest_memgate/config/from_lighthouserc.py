"""The pages and limits of memgate.yml that a configuration of Lighthouse CI comes to."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from pytest_memgate.errors import ConfigError
from pytest_memgate.measure.lighthouse.lighthouserc import PATHS, as_mapping

# Lighthouse's audits with a number, by lhci's names for them, and our metrics.
_METRICS = {
    "cumulative-layout-shift": "web.cls",
    "first-contentful-paint": "web.fcp",
    "interactive": "web.tti",
    "largest-contentful-paint": "web.lcp",
    "max-potential-fid": "web.max_potential_fid",
    "resource-summary:total:size": "web.bytes",
    "server-response-time": "web.ttfb",
    "speed-index": "web.si",
    "total-blocking-time": "web.tbt",
    "total-byte-weight": "web.bytes",
}
_MOST_RUNS = 50  # of a page
_ALONE = "put it alone into a file, and name that as the page's lighthouserc"
_REASONS = {
    **dict.fromkeys(("chromePath", "headful", "puppeteerLaunchOptions", "puppeteerScript"), _ALONE),
    "startServerReadyPattern": "the page itself is asked until it answers",
}
_READ = {"isSinglePageApplication", "numberOfRuns", "settings", "staticDistDir", "url"}
_OF_START = {"startServerCommand", "startServerReadyTimeout"}


@dataclass(slots=True, kw_only=True)
class Converted:
    """Data for memgate.yml; `left_out` has a line for each key that has no counterpart."""

    budgets: dict[str, Any] = field(default_factory=dict)
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def converted(ci: Mapping[str, Any], folder: str, *, is_script: bool) -> Converted:
    """Return what `ci` of a lighthouserc in a folder below the root comes to.

    Of a script, headers are left out: they may be secrets of the environment. Raises ConfigError if there is no
    page, and for a value of another type.
    """
    collect, done = ci.get("collect", {}), Converted()
    urls = _pages(collect, folder, done, is_script=is_script)
    given = ci.get("assert", {})
    done.budgets = dict(_limits(given.get("assertions"), "ci.assert.assertions", done))
    overrides = list(_overrides(_listed(given.get("assertMatrix")), urls, done))
    if overrides:
        done.budgets["overrides"] = overrides
    for key in given:
        if key not in {"assertions", "assertMatrix"}:
            done.left_out.append(f"ci.assert.{key}: it names no single limit")
    return done


def _pages(collect: Mapping[str, Any], folder: str, done: Converted, *, is_script: bool) -> dict[str, str]:
    """Add the pages; return the URL of each, by its name."""
    serve = collect.get("staticDistDir")
    urls = [str(url) for url in _listed(collect.get("url"))]
    if serve and not urls:
        urls = ["http://localhost/"]
        done.left_out.append("ci.collect.staticDistDir: of its pages, only / is written")
    if not urls:
        raise ConfigError("no page: neither ci.collect.url nor ci.collect.staticDistDir", hint="give one of them")
    same = dict(_same(collect, done, is_script=is_script))
    named: dict[str, str] = {}
    for url in urls:
        name = _name(url, named)
        named[name] = url
        place = _served(str(serve), url, collect, folder) if serve else _running(url, collect, folder)
        done.pages[name] = {**place, **same}
    for key in collect:
        if key not in _READ and not (key in _OF_START and not serve):
            done.left_out.append(f"ci.collect.{key}: {_REASONS.get(key, 'it has no counterpart')}")
    return named


def _served(serve: str, url: str, collect: Mapping[str, Any], folder: str) -> dict[str, Any]:
    parts = urlsplit(url)
    path = parts.path or "/"
    path = f"{path if path.startswith('/') else f'/{path}'}{f'?{parts.query}' if parts.query else ''}"
    page: dict[str, Any] = {"serve": f"{folder}/{serve.removeprefix('./')}" if folder else serve}
    if path != "/":
        page["path"] = path
    return {**page, "single_page_app": True} if collect.get("isSinglePageApplication") else page


def _running(url: str, collect: Mapping[str, Any], folder: str) -> dict[str, Any]:
    page: dict[str, Any] = {"url": url}
    if start := collect.get("startServerCommand"):
        page["start"] = f"cd {folder} && {start}" if folder else start
        if milliseconds := _number(collect, "startServerReadyTimeout", "ci.collect"):
            page["ready"] = f"{max(1, ceil(milliseconds / 1000))}s"
    return page


def _same(collect: Mapping[str, Any], done: Converted, *, is_script: bool) -> Iterator[tuple[str, Any]]:
    """Yield the keys that all pages have."""
    if runs := _number(collect, "numberOfRuns", "ci.collect"):
        yield "runs", min(int(runs), _MOST_RUNS)
        if runs > _MOST_RUNS:
            done.left_out.append(f"ci.collect.numberOfRuns: a page is loaded {_MOST_RUNS} times at most")
    settings = dict(collect.get("settings") or {})
    if settings.get("preset") == "desktop":
        yield "form_factor", settings.pop("preset")
    if "throttlingMethod" in settings:
        yield "throttling", settings.pop("throttlingMethod")
    for key in PATHS:
        if isinstance(settings.get(key), str) or (key == "extraHeaders" and is_script and key in settings):
            why = f"it may be a secret: {_ALONE}" if key == "extraHeaders" else _ALONE
            done.left_out.append(f"ci.collect.settings.{key}: {why}")
            del settings[key]
    if settings:
        yield "settings", settings


def _name(url: str, known: Iterable[str]) -> str:
    """Return a name for a page, of the letters and digits of its path."""
    parts = urlsplit(url)
    words = re.findall(r"[\w.]+", f"{re.sub(r'(index)?[.]html?$', '', parts.path)} {parts.query}")
    name, number = "-".join(words) or "home", 2
    while name in known:
        name, number = f"{'-'.join(words) or 'home'}-{number}", number + 1
    return name


def _limits(assertions: object, where: str, done: Converted) -> Iterator[tuple[str, Any]]:
    """Yield the limit of each metric, the lower one where two assertions give one."""
    found: dict[str, float] = {}
    for audit, said in as_mapping(assertions, where).items():
        level, options = (said[0], said[1]) if isinstance(said, list) and len(said) > 1 else (said, {})
        metric = _METRICS.get(audit.replace(".", ":"))
        most = _number(as_mapping(options, f"{where}.{audit}"), "maxNumericValue", f"{where}.{audit}")
        if level == "off":
            continue
        if metric and most is not None and level == "error":
            found[metric] = min(most, found.get(metric, most))
        else:
            why = (
                "a limit does not warn, it fails" if metric and most is not None else "no limit of a metric is like it"
            )
            done.left_out.append(f"{where}.{audit}: {why}")
    yield from ((metric, {"limit": _amount(metric, most)}) for metric, most in found.items())


def _overrides(matrix: Iterable[Any], urls: Mapping[str, str], done: Converted) -> Iterator[dict[str, Any]]:
    """Yield the limits of the pages whose URLs match a pattern."""
    for number, given in enumerate(matrix):
        where = f"ci.assert.assertMatrix[{number}]"
        row = as_mapping(given, where)
        limits = dict(_limits(row.get("assertions"), f"{where}.assertions", done))
        done.left_out += [f"{where}.preset: it names no single limit" for _ in _listed(row.get("preset"))]
        try:
            pattern = re.compile(str(row.get("matchingUrlPattern", "")))
        except re.error as error:
            done.left_out.append(f"{where}.matchingUrlPattern: {error}")
            continue
        matching = [name for name, url in urls.items() if pattern.search(url)]
        yield from ({"tests": f"memgate.yml::page[{name}]", **limits} for name in matching if limits)


def _amount(metric: str, most: float) -> str | float:
    if metric == "web.cls":
        return most
    if metric == "web.bytes":
        return f"{most / 1000:g}KB" if most % 1000 == 0 else f"{most:.0f}B"
    return f"{most / 1000:g}s" if most >= 1000 else f"{most:g}ms"


def _number(given: Mapping[str, Any], key: str, where: str) -> float | None:
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"{where}.{key} must be a number from 0 on, not {value!r:.80}")
    return value


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
