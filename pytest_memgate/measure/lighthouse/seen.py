"""What a page showed besides its values: by that, a page that is another one now is known."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.parts import items, lcp_node, requests
from pytest_memgate.measure.lighthouse.urls import names, origin, without_hash

LARGEST = "largest"  # the selector of the element that was painted largest
ERROR = "error"  # in the console
FAILED = "failed"  # a request of the page's own that an error answered

EXPECTED = "memgate-expect"  # our audit
CONSOLE = "errors-in-console"

_LENGTH = 120  # characters of an error
_REFUSED = 400  # status codes from here on
_ICON = "/favicon.ico"  # the browser asks for it, in some loads
_SOURCES = {"exception", "console.error"}
_VARYING = re.compile(r"\d{4,}")  # a time, a port, an identity
_URL = re.compile(r"https?://[^/\s]+(/[^\s:)'\"]*)")


def read_seen(lhr: Mapping[str, Any], url: str) -> dict[str, str]:
    """Return what a page showed, each with its kind: its largest element, errors of its own, requests that failed.

    Texts are the same from build to build and from machine to machine. Scripts and styles are left to the conditions.
    """
    seen = dict.fromkeys(_failed(lhr, url), FAILED) | dict.fromkeys(_errors(lhr, url), ERROR)
    selector = str(lcp_node(lhr).get("selector") or "")
    return seen | ({selector: LARGEST} if selector else {})


def check_expected(lhr: Mapping[str, Any], url: str, selector: str) -> None:
    """Raise MeasureError unless the page showed the element that it must show."""
    found = (lhr["audits"].get(EXPECTED) or {}).get("details") or {}
    if error := found.get("error"):
        raise MeasureError(f"{url}: expect {selector!r} is no CSS selector: {error}", hint="correct `expect`")
    if not found.get("shown"):
        there = "is there, but not to be seen" if found.get("there") else "is not there"
        raise MeasureError(f"{url}: {selector!r}, which it must show, {there}", hint="see the page in a browser")


def _failed(lhr: Mapping[str, Any], url: str) -> Iterator[str]:
    others = [
        item
        for item in requests(lhr)
        if origin(item["url"]) == origin(url) and item.get("resourceType") not in {"Script", "Stylesheet"}
    ]
    known = names((item["url"] for item in others), url)
    for item in others:
        if int(item.get("statusCode") or 0) >= _REFUSED and known[item["url"]] != _ICON:
            yield f"{known[item['url']]} answered {item['statusCode']}"


def _errors(lhr: Mapping[str, Any], url: str) -> Iterator[str]:
    for item in items(lhr, CONSOLE):
        script = str((item.get("sourceLocation") or {}).get("url") or url)
        if item.get("source") in _SOURCES and origin(script) == origin(url):
            first = str(item.get("description") or "").strip().partition("\n")[0]
            text = _URL.sub(lambda match: without_hash(match[1]), first)
            yield " ".join(_VARYING.sub("#", text).split())[:_LENGTH]
