"""`memgate board`: the board of a store by HTTP, for those who are given its token."""

import hashlib
import hmac
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pytest_memgate.errors import MemgateError, UsageError
from pytest_memgate.report.board.render import board_files
from pytest_memgate.tasks.history.build import read_board
from pytest_memgate.tasks.history.opened import Opened

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_COOKIE = "memgate_board"
_FRESH_S = 60.0  # a page is at most so much older than the store
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".txt": "text/plain"}
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a board is served, and the token that a reader needs; without one, everybody who gets there reads it."""

    host: str = "127.0.0.1"
    port: int = 8470
    token: str = ""

    @property
    def is_local(self) -> bool:
        """True if only this machine can get there."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def serve(open_store: Callable[[], Opened], place: Place, say: Callable[[str], None]) -> None:
    """Serve the board until the process is interrupted; `open_store` is called again for new runs and commits.

    Raises UsageError without Starlette and uvicorn, at a place that is not there, and at one that other machines reach
    without a token.
    """
    _check(place)
    import uvicorn

    site = Site(lambda: board_files(*read_board(open_store())))
    site.files()
    listening = _listen(place)
    host = f"[{place.host}]" if ":" in place.host else place.host
    say(f"memgate: the board is at http://{host}:{listening.getsockname()[1]}/{'?token=…' if place.token else ''}")
    config = uvicorn.Config(app(site, place.token), log_level="warning", access_log=False, lifespan="off")
    with listening:
        uvicorn.Server(config).run(sockets=[listening])


def _check(place: Place) -> None:
    for library in ("starlette", "uvicorn"):
        if find_spec(library) is None:
            raise UsageError(f"memgate board needs {library}", hint='pip install "pytest-memgate[board]"')
    if not place.token and not place.is_local:
        raise UsageError(
            f"{place.host}: other machines can read the board there", hint="give --token, or $MEMGATE_BOARD_TOKEN"
        )


def _listen(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family)
    except OSError as error:
        raise UsageError(
            f"{place.host}:{place.port}: cannot be served at: {error.strerror or error}", hint="name another --port"
        ) from None


@dataclass(slots=True)
class Site:
    """The files of the board, made anew when they are old and somebody opens the first page."""

    make: Callable[[], Mapping[str, str]]
    _files: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    _made: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def files(self) -> Mapping[str, tuple[bytes, str]]:
        """Return each file with a name for its content, by its path; the old ones while the store cannot be read."""
        with self._lock:
            if time.monotonic() - self._made > _FRESH_S:
                try:
                    self._files = {path: _named(text.encode()) for path, text in self.make().items()}
                except MemgateError:
                    if not self._files:
                        raise
                self._made = time.monotonic()
            return self._files

    def file(self, path: str) -> tuple[bytes, str] | None:
        """Return a file with a name for its content, None if there is none; only the first page looks for new runs."""
        return (self.files() if path == "index.html" else self._files).get(path)


def app(site: Site, token: str) -> "Starlette":
    """Return the application; with a token, it shows nothing to who does not have it."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.routing import Route

    def answer(request: "Request") -> "Response":
        return _with_token(request, token) or _file(request, site)

    route = Route("/{path:path}", answer, methods=["GET"])
    return Starlette(routes=[route], middleware=[Middleware(GZipMiddleware, minimum_size=1_000)])


def _with_token(request: "Request", token: str) -> "Response | None":
    """Return the answer to who does not have the token, or who brings it in the address; None for all others."""
    from starlette.responses import PlainTextResponse, RedirectResponse

    if not token:
        return None
    if _is_same(request.query_params.get("token", ""), token):
        moved = RedirectResponse(request.url.path, status_code=303, headers=_HEADERS)
        secure = request.url.scheme == "https"
        moved.set_cookie(_COOKIE, _pass(token), httponly=True, samesite="strict", secure=secure)
        return moved
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    if _is_same(bearer, token) or _is_same(request.cookies.get(_COOKIE, ""), _pass(token)):
        return None
    said = "This board needs its token: open it once with ?token=…, or send it as a bearer token.\n"
    return PlainTextResponse(said, status_code=401, headers={**_HEADERS, "WWW-Authenticate": "Bearer"})


def _file(request: "Request", site: Site) -> "Response":
    from starlette.responses import PlainTextResponse, Response

    path = request.path_params["path"] or "index.html"
    found = site.file(path)
    if found is None:
        return PlainTextResponse("Not found.\n", status_code=404, headers=_HEADERS)
    data, tag = found
    headers = {**_HEADERS, "ETag": tag}
    if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
        return Response(status_code=304, headers=headers)
    kind = _KINDS[path[path.rindex(".") :]]
    return Response(data, media_type=kind, headers=headers)


def _named(data: bytes) -> tuple[bytes, str]:
    return data, f'"{hashlib.sha256(data).hexdigest()[:16]}"'


def _pass(token: str) -> str:
    """Return what the cookie holds: not the token itself."""
    return hmac.new(token.encode(), b"memgate board", "sha256").hexdigest()


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
