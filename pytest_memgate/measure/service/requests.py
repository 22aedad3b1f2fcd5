"""Sends a service what it is to be sent."""

import http.client
import importlib
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pytest_memgate.errors import ConfigError, MeasureError
from pytest_memgate.measure.process.server import Refusal, Server
from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.measure.service.scenario import FILE, Request, is_function, parse_request, read_scenario

_TIMEOUT = 30.0  # seconds for one answer; chosen
_DYING = 0.5  # seconds from a broken connection to the end of a process; chosen
_SHOWN_LINES = 3  # of a tool's output, in an error
_LOG_IN = (401, 403)  # waiting does not help


def sender(texts: Sequence[str], load: str, server: Server, root: Path, workspace: Workspace) -> Callable[[int], None]:
    """Return what sends so many requests. Raises ConfigError for what cannot be sent."""
    if load:
        return _Tool(load, server, root, workspace).send
    if len(texts) == 1 and is_function(texts[0]):
        return _Function(texts[0], server, root).send
    requests: list[Request] = []
    for text in texts:
        if text.endswith(FILE):
            try:
                requests += read_scenario((root / text).read_text(encoding="utf-8"), text)
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"{text}: {getattr(error, 'strerror', '') or 'it is not UTF-8'}") from error
        else:
            requests.append(parse_request(text))
    return _Http(requests or [parse_request("/")], server).send


def ready(path: str) -> Callable[[str, float], Refusal | None]:
    """Return what asks whether a service is ready: its port listens and, where a path is given, that answers well."""

    def asked(url: str, seconds: float) -> Refusal | None:
        parts = urlsplit(url)
        client = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
        try:
            client.connect()
            if not path:
                return None
            client.request("GET", path)
            status = client.getresponse().status
        except TimeoutError:
            return Refusal(f"{url}{path}: no answer within {seconds:.1f} s", "see what it waits for", for_now=True)
        except (OSError, http.client.HTTPException):
            return Refusal(f"{url}: nothing listens there", "see the service's log", for_now=True)
        finally:
            client.close()
        if status < 400:
            return None
        hint = "see the service's log" if status >= 500 else "check `ready`"
        return Refusal(f"{url}{path}: it answers {status}", hint, for_now=status not in _LOG_IN)

    return asked


class _Http:
    """Sends requests one after the other, in turn, on one connection as long as that is kept."""

    def __init__(self, requests: Sequence[Request], server: Server) -> None:
        self._requests = requests
        self._server = server
        self._sent = 0
        parts = urlsplit(server.url)
        self._client = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)

    def send(self, number: int) -> None:
        for _ in range(number):
            request = self._requests[self._sent % len(self._requests)]
            self._sent += 1
            status = self._answered(request)
            if status >= 400:
                raise MeasureError(
                    f"{request.words} answered {status}, request {self._sent}{self._server.said()}",
                    hint="see the service's log, or send what it answers well",
                )

    def _answered(self, request: Request) -> int:
        for again in (True, False):
            is_kept = self._client.sock is not None
            try:
                self._client.request(request.method, request.path, request.body, request.headers)
                _acknowledge_at_once(self._client.sock)
                response = self._client.getresponse()
                response.read()
            except (OSError, http.client.HTTPException) as error:
                self._client.close()
                if again and is_kept and not isinstance(error, TimeoutError):
                    continue  # it had closed the connection meanwhile
                self._server.check(_DYING)
                said = str(error) or type(error).__name__
                raise MeasureError(f"{request.words}, request {self._sent}: no answer: {said}") from error
            return response.status
        raise AssertionError


def _acknowledge_at_once(connection: socket.socket) -> None:
    """Let no server wait 40 ms between head and body of its answer, as Linux lets one that writes them apart."""
    if sys.platform == "linux":
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class _Function:
    """Calls a function of the project with the service's URL and the number of the request."""

    def __init__(self, name: str, server: Server, root: Path) -> None:
        module, _, function = name.partition(":")
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        try:
            self._call: Callable[[str, int], object] = getattr(importlib.import_module(module), function)
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"send: {name}: {error}") from error
        self._name, self._server, self._sent = name, server, 0

    def send(self, number: int) -> None:
        for _ in range(number):
            try:
                self._call(self._server.url, self._sent)
            except Exception as error:
                self._server.check(_DYING)
                said = next(_lines(str(error)), "")
                raise MeasureError(f"{self._name}, call {self._sent}: {type(error).__name__}: {said}") from error
            self._sent += 1


class _Tool:
    """Runs a load tool's command, once for each number of requests."""

    def __init__(self, command: str, server: Server, root: Path, workspace: Workspace) -> None:
        self._command, self._server, self._root, self._workspace = command, server, root, workspace

    def send(self, number: int) -> None:
        command = self._command.replace("{url}", self._server.url).replace("{requests}", str(number))
        folder = self._workspace.place()
        job = self._workspace.start(command, folder, cwd=self._root)
        try:
            while not job.wait(_TIMEOUT, lambda: None):
                self._server.check(_DYING)
            code, said = job.code(), list(_lines(job.out()))[-_SHOWN_LINES:]
        finally:
            self._workspace.end(job)
        if code:
            self._server.check(_DYING)
            raise MeasureError(f"`{command}` ended with exit code {code}; it said: {' | '.join(said) or 'nothing'}")


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip())
