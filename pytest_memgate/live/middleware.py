"""Counts the requests of a service, so that what it holds can be told by the request."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

REQUESTS = [0]  # so far, in this process

Scope = MutableMapping[str, Any]
Channel = Callable[..., Awaitable[Any]]
AsgiApp = Callable[[Scope, Channel, Channel], Awaitable[None]]
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def count_asgi(app: AsgiApp) -> AsgiApp:
    """Return an ASGI application whose requests are counted."""

    async def counted(scope: Scope, receive: Channel, send: Channel) -> None:
        if scope["type"] == "http":
            REQUESTS[0] += 1
        await app(scope, receive, send)

    return counted


def count_wsgi(app: WsgiApp) -> WsgiApp:
    """Return a WSGI application whose requests are counted."""

    def counted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        REQUESTS[0] += 1
        return app(environ, start_response)

    return counted
