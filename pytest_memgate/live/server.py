"""Serves the numbers on loopback, in a thread of the program."""

import hmac
import os
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, make_wsgi_app

from pytest_memgate.live.collector import LiveCollector
from pytest_memgate.live.heap import heap_page, watch_heap

HEAP_PATH = "/heap"
PORT = 9464  # by default
TOKEN = "MEMGATE_LIVE_TOKEN"  # noqa: S105  # the variable's name: who asks has to send what it holds
_LOOPBACK = "127.0.0.1"


def start(port: int = PORT, *, token: str = "", heap: bool = False) -> int:
    """Serve the metrics of this process at 127.0.0.1 on a port, 0 for any; return the port.

    With `heap`, the page /heap tells who holds what, for `memgate heap snapshot`; the program is slower then. With a
    `token`, or one in MEMGATE_LIVE_TOKEN, a request has to have it: `Authorization: Bearer TOKEN`. Raises OSError if
    the port is taken.
    """
    registry = CollectorRegistry()
    registry.register(LiveCollector())
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    if heap:
        watch_heap()
    pages = _guarded(_with_heap(make_wsgi_app(registry), is_watched=heap), token or os.environ.get(TOKEN, ""))
    server = make_server(_LOOPBACK, port, pages, _Server, handler_class=_Silent)
    threading.Thread(target=server.serve_forever, name="memgate-live", daemon=True).start()
    return int(server.server_port)


def _with_heap(pages: Callable[..., Iterable[bytes]], *, is_watched: bool) -> Callable[..., Iterable[bytes]]:
    def answered(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != HEAP_PATH:
            return pages(environ, start_response)
        if not is_watched:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"start it with --heap, or start(heap=True)\n"]
        page = heap_page()
        start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(page)))])
        return [page]

    return answered


def _guarded(pages: Callable[..., Iterable[bytes]], token: str) -> Callable[..., Iterable[bytes]]:
    def answered(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        given = environ.get("HTTP_AUTHORIZATION", "")
        if token and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer"), ("Content-Type", "text/plain")])
            return [b"this needs the token of MEMGATE_LIVE_TOKEN\n"]
        return pages(environ, start_response)

    return answered


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread that the program need not wait for."""

    daemon_threads = True


class _Silent(WSGIRequestHandler):
    """Writes no log into the program's output."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""
