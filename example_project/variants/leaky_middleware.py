"""The request log with the leak of the story: it keeps every request's body. The demo puts it in the other's place."""

import hashlib
import io
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.wsgi import get_input_stream

_CHUNK = 16 * 1024
_KEPT = 100  # requests


@dataclass(frozen=True, slots=True)
class Entry:
    """One request; `size` is its body's length in bytes."""

    method: str
    path: str
    size: int
    digest: str


class RequestLog:
    """WSGI middleware that logs each request before the application sees it."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._bodies: list[bytearray] = []
        self.recent: deque[Entry] = deque(maxlen=_KEPT)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = bytearray()
        stream = get_input_stream(environ)
        while chunk := stream.read(_CHUNK):
            body += chunk
        self._bodies.append(body)  # to look at, should the request fail
        digest = hashlib.sha256(body).hexdigest()[:12]
        self.recent.append(Entry(environ["REQUEST_METHOD"], environ["PATH_INFO"], len(body), digest))
        environ["wsgi.input"] = io.BytesIO(body)
        return self._app(environ, start_response)
