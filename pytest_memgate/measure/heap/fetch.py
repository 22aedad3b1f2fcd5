"""The heap of a running program, from its own page: Go's net/http/pprof, or `pytest_memgate.live`."""

import http.client
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from pytest_memgate.errors import MeasureError, UsageError
from pytest_memgate.measure.heap.process import addresses

_PATHS = ("/heap", "/debug/pprof/heap?gc=1")  # of pytest_memgate.live, and of Go
_ZIPPED = b"\x1f\x8b"
_TIMEOUT = 120.0  # seconds: a large heap takes a while; chosen
_HOW = "give the URL of a service with pytest_memgate.live --heap (Python) or net/http/pprof (Go)"


def fetch_heap(program: str, token: str) -> tuple[bytes, str]:
    """Return a file of pprof of a running program, and the URL that it comes from.

    `program` is the URL of the page itself or of the program's root, the id of a process, or a part of its command
    line. Raises UsageError for what is none of these, and MeasureError where there is no such page.
    """
    if _is_url(program):
        return _fetched(program, token)
    fault: MeasureError | None = None
    for address in addresses(program):
        try:
            return _fetched(address, token)
        except MeasureError as error:
            fault = fault or error
    assert fault  # noqa: S101  # it has addresses
    raise fault


def _is_url(text: str) -> bool:
    host, colon, port = text.partition("/")[0].rpartition(":")
    return "://" in text or bool(host and colon and port.isdigit() and not host.count(" "))


def _fetched(url: str, token: str) -> tuple[bytes, str]:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"{url!r} is no URL of http or https", hint=_HOW)
    root = f"{parts.scheme}://{parts.netloc}"
    pages = (parts.geturl(),) if parts.path.strip("/") else tuple(f"{root}{path}" for path in _PATHS)
    refused = ""
    for page in pages:
        try:
            told = _page(page, token)
            if told.startswith(_ZIPPED) or len(pages) == 1:
                return told, page
            refused = refused or f"{page} is no heap"
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(200).decode("utf-8", "replace").strip()
            refused = refused or f"{page} answers {error.code} {error.reason}{f': {said}' if said else ''}"
            if error.code in {401, 403}:
                break
        except (OSError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise MeasureError(f"{page}: no answer: {reason or type(error).__name__}", hint=_HOW) from error
    raise MeasureError(refused, hint=_HOW)


def _page(url: str, token: str) -> bytes:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310  # http or https
        told: bytes = answer.read()
    return told
