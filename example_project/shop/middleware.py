"""The request log: what came in, how long it was, and a digest of it by which it can be found again."""

import hashlib
import tempfile
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.wsgi import ClosingIterator, get_input_stream

_CHUNK = 16 * 1024
_KEPT = 100  # requests


@dataclass(frozen=True, slots=True)
class Entry:
    """One request; `size` is its body's length in bytes."""

    method: str
    path: str
    size: int
    digest: str


class _Buffer(threading.local):
    """One buffer for each of the server's threads, used for request after request."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_CHUNK))


class RequestLog:
    """WSGI middleware that logs each request before the application sees it."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._buffer = _Buffer()
        self.recent: deque[Entry] = deque(maxlen=_KEPT)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # What is longer than a chunk waits for the application on disk.
        body: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_CHUNK)  # noqa: SIM115  # closed with the response
        digest = self._copy(get_input_stream(environ), body)
        size = body.tell()
        self.recent.append(Entry(environ["REQUEST_METHOD"], environ["PATH_INFO"], size, digest))
        body.seek(0)
        environ["wsgi.input"] = body
        return ClosingIterator(self._app(environ, start_response), body.close)

    def _copy(self, stream: IO[bytes], body: IO[bytes]) -> str:
        """Copy a request's body through the one buffer and return its digest."""
        digest = hashlib.sha256()
        view = self._buffer.view
        while count := _read_into(stream, view):
            digest.update(view[:count])
            body.write(view[:count])
        return digest.hexdigest()[:12]


def _read_into(stream: IO[bytes], view: memoryview) -> int:
    """Read into a buffer; a stream that a server ends by itself may only know how to read."""
    if hasattr(stream, "readinto"):
        return int(stream.readinto(view))
    chunk = stream.read(len(view))
    view[: len(chunk)] = chunk
    return len(chunk)
